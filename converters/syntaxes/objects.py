"""Rows whose calls are JSON objects with the name inside, behind a marker, in a list, or without either."""

from __future__ import annotations

from converters.syntaxes import prompts_objects
from converters.syntaxes.row import Syntax

HERMES = Syntax(
    name="hermes",
    shape="json_object",
    call="<tool_call>\n{object}\n</tool_call>",
    prompt=prompts_objects.HERMES,
    models=(
        r"deephermes|hermes-?\d|hermes.*(llama|mistral|qwen|yi|mixtral|pro)|\b(ling|ring)-(mini|lite|flash|plus|1t)"
        r"|granite-?4(?![.-]?2)|qwen|qwq|exaone-?(4|deep)|mimo(?!-?v2)|reka|trinity|ernie-?4[.-]5|bielik|\ba[.-]?x-?[34]|smollm3|arcee"
    ),
    source="chat template of Qwen/Qwen3-8B; NousResearch/Hermes-Function-Calling",
)

LMSTUDIO = Syntax(
    name="lmstudio",
    shape="json_object",
    call="[TOOL_REQUEST]{object}[END_TOOL_REQUEST]",
    prompt=prompts_objects.LMSTUDIO,
    source="LM Studio's documentation of tool use, default format",
)

LONGCAT = Syntax(
    name="longcat",
    shape="json_object",
    call="<longcat_tool_call>{object}</longcat_tool_call>",
    models=r"longcat",
    source="chat template of meituan-longcat/LongCat-Flash-Chat",
)

INTERNLM = Syntax(
    name="internlm",
    shape="json_object",
    call="<|action_start|><|plugin|>\n{object}<|action_end|>",
    keys=("name", "parameters"),
    between="",
    prompt=prompts_objects.INTERNLM,
    models=r"intern-?lm-?[23]",
    source="chat template of internlm/internlm2_5-7b-chat",
)

INTERNS1 = Syntax(
    name="interns1",
    shape="json_object",
    call="<|action_start|> <|plugin|>\n{object}<|action_end|>",
    keys=("name", "parameters"),
    between="",
    prompt=prompts_objects.INTERNLM,
    models=r"intern-?s1",
    source="chat template of internlm/Intern-S1",
)

GRANITE20B = Syntax(
    name="granite20b",
    shape="json_object",
    call="<function_call> {object}",
    also_call=("<function_call> {object}</function_call>",),
    between="",
    prompt=prompts_objects.GRANITE20B,
    models=r"granite.*functioncalling",
    source="model card of ibm-granite/granite-20b-functioncalling",
)

INKLING = Syntax(
    name="inkling",
    shape="json_object",
    call="<|message_model|>{name}<|content_invoke_tool_json|>{object}<|end_message|>",
    also_call=(
        "<|content_invoke_tool_json|>{object}<|end_message|>",
        "<|content_invoke_tool_json|>{object}<|content_model_end_sampling|>",
    ),
    prefilled_call="<|message_model|>",
    keys=("name", "args"),
    between="",
    models=r"inkling",
    source="vLLM's parser of Inkling",
)

GIGACHAT3 = Syntax(
    name="gigachat3",
    shape="json_object",
    call="<|function_call|>{object}",
    between="",
    prompt=prompts_objects.GIGACHAT3,
    models=r"gigachat-?3(?![.-]5)",
    source="chat template of ai-sage/GigaChat3.1",
)

GIGACHAT3_ROLE = Syntax(
    name="gigachat3_role",
    shape="json_object",
    call="<|message_sep|>\n\nfunction call<|role_sep|>\n{object}<|message_sep|>",
    also_call=("function call<|role_sep|>\n{object}<|message_sep|>",),
    between="",
    prompt=prompts_objects.GIGACHAT3,
    source="chat template of ai-sage/GigaChat3-10B-A1.8B",
)

MINIMAX_M1 = Syntax(
    name="minimax_m1",
    shape="json_object",
    group="<tool_calls>\n{calls}\n</tool_calls>",
    call="{object}",
    prompt=prompts_objects.MINIMAX_M1,
    models=r"minimax-?(m1|text)",
    source="chat template of MiniMaxAI/MiniMax-M1-80k",
)

MISTRAL_OLD = Syntax(
    name="mistral_old",
    shape="json_object",
    group="[TOOL_CALLS] [{calls}]",
    call="{object}",
    between=", ",
    prompt=prompts_objects.MISTRAL_OLD,
    models=r"^(?!.*hermes).*(mistral|mixtral|ministral|codestral|pixtral|mathstral)",
    source="mistral-common, tokenizers v2, v3 and v7",
)

GRANITE3 = Syntax(
    name="granite3",
    shape="json_object",
    group="<|tool_call|>[{calls}]",
    also_group=("<|tool_call|>[{calls}]<|/tool_call|>",),
    call="{object}",
    between=", ",
    prompt=prompts_objects.GRANITE3,
    models=r"granite-?3",
    source="chat template of ibm-granite/granite-3.3-8b-instruct",
)

JAMBA = Syntax(
    name="jamba",
    shape="json_object",
    group="<tool_calls>[{calls}]</tool_calls>",
    call="{object}",
    between=", ",
    prompt=prompts_objects.JAMBA,
    models=r"hunyuan-?a13b|jamba|apriel",
    source="chat template of ai21labs/AI21-Jamba-1.5-Mini",
)

NEMOTRON_V2 = Syntax(
    name="nemotron_v2",
    shape="json_object",
    group="<TOOLCALL>[{calls}]</TOOLCALL>",
    call="{object}",
    between=", ",
    prompt=prompts_objects.NEMOTRON_V2,
    models=r"nemotron.*(nano.*v2(?!\.)|nano-?(9|12)b)|llama-?3[._-]?[13]-nemotron",
    source="chat template of nvidia/NVIDIA-Nemotron-Nano-9B-v2",
)

FUNCTOOLS = Syntax(
    name="functools",
    shape="json_object",
    group="functools[{calls}]",
    call="{object}",
    between=", ",
    prompt=prompts_objects.FUNCTOOLS,
    models=r"firefunction|phi-?4-?mini",
    source="model card of fireworks-ai/llama-3-firefunction-v2",
)

COHERE = Syntax(
    name="cohere",
    shape="json_object",
    group="<|START_ACTION|>[\n    {calls}\n]<|END_ACTION|>",
    call="{object}",
    keys=("tool_name", "parameters"),
    id="{index}",
    id_key="tool_call_id",
    between=",\n    ",
    inline_tags=("<co", "</co"),
    prompt=prompts_objects.COHERE,
    models=r"command-?[ar]|c4ai|north-?mini|cohere",
    source="chat template of CohereLabs/c4ai-command-r7b-12-2024",
)

COHERE_ACTION = Syntax(
    name="cohere_action",
    shape="json_object",
    group="Action:\n```json\n[{calls}]\n```",
    call="{object}",
    keys=("tool_name", "parameters"),
    between=",\n",
    prompt=prompts_objects.COHERE_ACTION,
    source="chat template of CohereLabs/c4ai-command-r-plus",
)

APERTUS = Syntax(
    name="apertus",
    shape="json_object",
    group="<|tools_prefix|>[{calls}]<|tools_suffix|>",
    call="{object}",
    keys=("", ""),
    between=", ",
    prompt=prompts_objects.APERTUS,
    models=r"apertus",
    source="chat template of swiss-ai/Apertus-8B-Instruct-2509",
)

HYPERCLOVAX = Syntax(
    name="hyperclovax",
    shape="json_object",
    group=" -> tool/function_call\n[{calls}]<|im_end|><|stop|>",
    also_group=("<|im_start|>assistant -> tool/function_call\n[{calls}]<|im_end|><|stop|>",),
    call="{object}",
    between=", ",
    models=r"hyperclova-?x?-?seed",
    source="chat template of naver-hyperclovax/HyperCLOVAX-SEED-Think-14B",
)

LLAMA3_PYTHON_TAG = Syntax(
    name="llama3_python_tag",
    shape="json_object",
    group="<|python_tag|>{calls}",
    call="{object}",
    keys=("name", "parameters"),
    between="; ",
    prompt=prompts_objects.LLAMA3,
    source="Meta's prompt format of Llama 3.1",
)

GENERIC = Syntax(
    name="generic",
    shape="json_object",
    call="<tools>{object}</tools>",
    also_call=(
        "<function>{object}</function>",
        "<function-call>{object}</function-call>",
        "<function_call>{object}</function_call>",
        "<tool_use>{object}</tool_use>",
        "<functioncall {object}>",
        "<dots_function_call>{object}</dots_function_call>",
        "<ifm|tool_calls>\n<ifm|tool_call>{object}</ifm|tool_call>\n</ifm|tool_calls>",
        "<ifm|tool_call>{object}</ifm|tool_call>\n</ifm|tool_calls>",
        "[TOOL_CALL]{object}[/TOOL_CALL]",
        "<|tool_call>{object}<tool_call|>",
    ),
    declared_only=True,
    prompt=prompts_objects.HERMES,
    source="seen of Qwen2.5-Coder and of small models",
)

LLAMA3_JSON = Syntax(
    name="llama3_json",
    shape="json_object",
    call="{object}",
    keys=("name", "parameters"),
    between="; ",
    whole_message=True,
    prompt=prompts_objects.LLAMA3,
    models=r"llama",
    source="chat template of meta-llama/Llama-3.3-70B-Instruct",
)

LFM2_JSON = Syntax(
    name="lfm2_json",
    shape="json_object",
    group="<|tool_call_start|>[{calls}]<|tool_call_end|>",
    call="{object}",
    between=", ",
    source="seen of LFM2; vLLM's parser of it",
)

XLAM = Syntax(
    name="xlam",
    shape="json_object",
    group="[{calls}]",
    call="{object}",
    between=", ",
    whole_message=True,
    prompt=prompts_objects.XLAM,
    models=r"xlam",
    source="model card of Salesforce/Llama-xLAM-2-8b-fc-r",
)
