"""The table of syntaxes: one row for each way in which models write their tool calls. Rows hold no code.

A row is a sample of what the model writes, with holes: `{name}` and `{id}` of the function, `{parameters}` made of
one `parameter` for each `{key}` and `{value}`, or `{object}` where one JSON object carries it all. Reading and
writing both follow the sample (shapes/ and render.py). In reading, a newline of the sample is layout, except that
newlines which touch `{value}` belong to the markup if the value begins on a line of its own. A `group` may stand
around the calls; without it a call is believed only if its name is declared.

It may not know how anything is parsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Syntax:
    """One row. `models` and `prefilled` are regexes, searched in a model's name as `plain_name` writes it."""

    name: str
    shape: Literal["json_object", "named_json", "tagged", "elements", "pythonic", "relaxed"]
    call: str
    source: str
    also: tuple[str, ...] = ()
    """Other ways in which `call` is written."""
    parameter: str = ""
    also_parameter: tuple[str, ...] = ()
    group: str = ""
    also_group: tuple[str, ...] = ()
    grouped: Literal["all", "each"] = "all"
    """How the model uses `group`: around all calls of a turn, or around each."""
    between: str = "\n"
    end: str = ""
    """What the model writes behind the last call of a turn. Reading does not need it."""
    delimiter: str = ""
    """What a string stands between, where that is a token and no quote."""
    prefix: str = ""
    """A prefix that tags may carry in front of their names, each tag for itself."""
    lead: str = ""
    """A token that stands in front of each tag; some models write white space behind it."""
    suffixed: bool = False
    """All tags may carry one suffix behind a colon, which is any, but the same for all: `<tool_call:opensource>`."""
    opened: str = ""
    """What of `call` the prompt has written, so that an answer may begin behind it."""
    keys: tuple[str, str] = ("name", "arguments")
    """The keys of name and arguments in an object; two empty ones where the name itself is the key."""
    id_key: str = ""
    """The key of the call's id, where an object carries it as the first member."""
    whole: bool = False
    """There is no marker: it is a call only as the whole message."""
    declared: bool = False
    """Its marker could be prose, so that only a declared name is believed."""
    string_types: tuple[str, ...] = ("true", "string", "str")
    """What stands for `{type}` in a parameter whose value is a string; any other value is JSON."""
    id: str = "functions.{name}:{place}"
    """How the model writes `{id}`, where `{place}` counts from 0 and `{number}` from 1."""
    code_for: tuple[str, ...] = ()
    """Tools that the model was trained on, which it calls with code in place of JSON."""
    escaped: bool = False
    """Keys are written with `&amp;` and `&quot;`."""
    models: str = ""
    prefilled: str = ""
    """Models whose prompt has already opened the reasoning, so that only its end is written."""
    hybrid: str = ""
    """Models whose prompt does so when the request asks for thinking."""


GLM45 = Syntax(
    name="glm45",
    shape="tagged",
    call="<tool_call>{name}\n{parameters}</tool_call>",
    parameter="<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n",
    models=r"glm-?4[.p-]?[56](?!\d)|(ling|ring)-.*2[.-]6|(ling|ring)-?3(?!\d)|bailing.*v?3|laguna(?!-?s\b)|poolside(?!.*laguna-?s\b)",
    prefilled=r"(ling|ring)-?3(?!\d)|bailing.*v?3",
    source="chat template of zai-org/GLM-4.6",
)

GLM47 = Syntax(
    name="glm47",
    shape="tagged",
    call="<tool_call>{name}{parameters}</tool_call>",
    parameter="<arg_key>{key}</arg_key><arg_value>{value}</arg_value>",
    between="",
    models=r"(?<!chat)glm-?(4[.p-]?[78]|[5-9](?!\d))|spark-?2[.p-]?5|laguna-?s\b",
    prefilled=r"(?<!chat)glm-?(4[.p-]?[78]|[5-9](?!\d))",
    source="chat template of zai-org/GLM-4.7",
)

HERMES = Syntax(
    name="hermes",
    shape="json_object",
    call="<tool_call>\n{object}\n</tool_call>",
    models=(
        r"deephermes|hermes-?\d|hermes.*(llama|mistral|qwen|yi|mixtral|pro)|\b(ling|ring)-(mini|lite|flash|plus|1t)"
        r"|granite-?4(?![.-]?2)|qwen|qwq|exaone-?(4|deep)|mimo(?!-?v2)|reka|trinity|ernie-?4[.-]5|bielik|\ba[.-]?x-?[34]|smollm3|arcee"
    ),
    prefilled=r"qwq|qwen-?3.*thinking|ernie-?4[.-]5.*thinking",
    source="chat template of Qwen/Qwen3-8B; NousResearch/Hermes-Function-Calling",
)

QWEN3_CODER = Syntax(
    name="qwen3_coder",
    shape="tagged",
    group="<tool_call>\n{calls}\n</tool_call>",
    grouped="each",
    call="<function={name}>\n{parameters}</function>",
    parameter="<parameter={key}>\n{value}\n</parameter>\n",
    models=(
        r"nemotron-?(3(?!\d)|nano-?30b|cascade)|step-?3[.p-]?[57]|step-?5|minicpm-?(v|o)|granite-?4[.-]?2"
        r"|intern-?s2|intellect-?3|nanbeige|ornith|qwen-?3.*coder|qwen-?3[.p-]?[5-9](?!\d)(?!b)"
    ),
    prefilled=r"nemotron-?3(?!\d)|step-?3[.p-]?5|qwen-?3[.p-]?[5-9](?!\d)(?!b)",
    source="chat template of Qwen/Qwen3-Coder-30B-A3B-Instruct",
)

MIMO_V2 = Syntax(
    name="mimo_v2",
    shape="tagged",
    group="<tool_call>\n{calls}\n</tool_call>",
    grouped="each",
    call="<function={name}>\n{parameters}</function>",
    parameter="<parameter={key}>{value}</parameter>\n",
    models=r"mimo-?v2",
    source="chat template of XiaomiMiMo/MiMo-V2-Flash",
)

CLAUDE = Syntax(
    name="claude",
    shape="tagged",
    group="<function_calls>\n{calls}\n</function_calls>",
    call='<invoke name="{name}">\n{parameters}</invoke>',
    parameter='<parameter name="{key}">{value}</parameter>\n',
    prefix="antml:",
    models=r"claude(?!-?(instant|v?[12](?!\d)|2[.-]))|\b(opus|sonnet|haiku)\b",
    source="Anthropic's tool prompt, as quoted in the chat template of deepseek-ai/DeepSeek-V3.2",
)

CLAUDE_LEGACY = Syntax(
    name="claude_legacy",
    shape="elements",
    group="<function_calls>\n{calls}\n</function_calls>",
    call="<invoke>\n<tool_name>{name}</tool_name>\n<parameters>\n{parameters}</parameters>\n</invoke>",
    parameter="<{key}>{value}</{key}>\n",
    models=r"claude-(instant|v?[12](?!\d)|2[.-])",
    source="Anthropic's legacy tool use page",
)

LMSTUDIO = Syntax(
    name="lmstudio",
    shape="json_object",
    call="[TOOL_REQUEST]{object}[END_TOOL_REQUEST]",
    source="LM Studio's documentation of tool use, default format",
)

MISTRAL_NEW = Syntax(
    name="mistral_new",
    shape="named_json",
    call="[TOOL_CALLS]{name}[ARGS]{arguments}",
    also=("[TOOL_CALLS]{name}[CALL_ID]{id}[ARGS]{arguments}", "[TOOL_CALLS]{name}{arguments}"),
    between="",
    models=(
        r"devstral(?!.*2505)|magistral|ministral-?3(?!b)|mistral-?small.*(3[.-]2(?!\d)|2506)|mistral-?small-?4"
        r"|mistral-?(medium|large)-?3(?!\d)"
    ),
    source="mistral-common, tokenizers v11 and v13",
)

DEEPSEEK_V3 = Syntax(
    name="deepseek_v3",
    shape="named_json",
    group="<｜tool▁calls▁begin｜>{calls}<｜tool▁calls▁end｜>",
    call="<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```json\n{arguments}\n```<｜tool▁call▁end｜>",
    also=("<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```\n{arguments}\n```<｜tool▁call▁end｜>",),
    models=r"deepseek-?r1|deepseek.*v3(?![.-]?[12](?!\d))|cogito",
    prefilled=r"deepseek-?r1-0528",
    source="chat template of deepseek-ai/DeepSeek-R1",
)

DEEPSEEK_V31 = Syntax(
    name="deepseek_v31",
    shape="named_json",
    group="<｜tool▁calls▁begin｜>{calls}<｜tool▁calls▁end｜>",
    call="<｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{arguments}<｜tool▁call▁end｜>",
    between="",
    models=r"deepseek.*(v3[.-]?1(?!\d)|v3[.-]?2-?exp)",
    hybrid=r"deepseek.*v3",
    source="chat template of deepseek-ai/DeepSeek-V3.1",
)

KIMI_K2 = Syntax(
    name="kimi_k2",
    shape="named_json",
    group="<|tool_calls_section_begin|>{calls}<|tool_calls_section_end|>",
    also_group=("<|tool_call_section_begin|>{calls}<|tool_call_section_end|>",),
    call="<|tool_call_begin|>{id}<|tool_call_argument_begin|>{arguments}<|tool_call_end|>",
    also=("<|tool_call_begin|>{id}\n<|tool_call_argument_begin|>{arguments}<|tool_call_end|>",),
    between="",
    models=r"kimi-?k2",
    prefilled=r"kimi-?k2-?thinking|kimi-?k2[.-][5-9]",
    source="chat template of moonshotai/Kimi-K2-Instruct",
)

FUNCTION_JSON = Syntax(
    name="function_json",
    shape="named_json",
    call="<function={name}>{arguments}</function>",
    between="",
    models=r"functionary",
    source="chat template of meetkai/functionary-small-v3.1; Llama 3.1's custom tool prompt",
)

SOLAR_OPEN = Syntax(
    name="solar_open",
    shape="named_json",
    group="<|tool_calls|>{calls}<|calls|>",
    also_group=("<|begin|>assistant<|tool_calls|>{calls}<|calls|>",),
    call="<|tool_call:begin|>{id}<|tool_call:name|>{name}<|tool_call:args|>{arguments}<|tool_call:end|>",
    between="",
    id="a1b2c3d4e{place}",
    models=r"solar-?open",
    source="chat template of upstage/Solar-Open-100B",
)

PLAMO3 = Syntax(
    name="plamo3",
    shape="named_json",
    group="<|plamo:begin_tool_requests:plamo|>{calls}<|plamo:end_tool_requests:plamo|>",
    call=(
        "<|plamo:begin_tool_request:plamo|><|plamo:begin_tool_name:plamo|>{name}<|plamo:end_tool_name:plamo|>"
        "<|plamo:begin_tool_arguments:plamo|><|plamo:constrain|>json<|plamo:msg|>{arguments}"
        "<|plamo:end_tool_arguments:plamo|><|plamo:end_tool_request:plamo|>"
    ),
    also=(
        "<|plamo:begin_tool_request:plamo|><|plamo:begin_tool_name:plamo|>{name}<|plamo:end_tool_name:plamo|>"
        "<|plamo:begin_tool_arguments:plamo|>{arguments}"
        "<|plamo:end_tool_arguments:plamo|><|plamo:end_tool_request:plamo|>",
    ),
    between="",
    models=r"plamo-?3",
    prefilled=r"plamo-?3",
    source="vLLM's parser of PLaMo 3",
)

FUNCTIONGEMMA = Syntax(
    name="functiongemma",
    shape="relaxed",
    call="<start_function_call>call:{name}{arguments}<end_function_call>",
    delimiter="<escape>",
    between="",
    models=r"function-?gemma",
    source="chat template of google/functiongemma-270m-it",
)

GEMMA4 = Syntax(
    name="gemma4",
    shape="relaxed",
    call="<|tool_call>call:{name}{arguments}<tool_call|>",
    delimiter='<|"|>',
    between="",
    models=r"gemma-?4",
    source="chat template of google/gemma-4-31B-it",
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
    models=r"intern-?lm-?[23]",
    source="chat template of internlm/internlm2_5-7b-chat",
)

INTERNS1 = Syntax(
    name="interns1",
    shape="json_object",
    call="<|action_start|> <|plugin|>\n{object}<|action_end|>",
    keys=("name", "parameters"),
    between="",
    models=r"intern-?s1",
    source="chat template of internlm/Intern-S1",
)

GRANITE20B = Syntax(
    name="granite20b",
    shape="json_object",
    call="<function_call> {object}",
    also=("<function_call> {object}</function_call>",),
    between="",
    models=r"granite.*functioncalling",
    source="model card of ibm-granite/granite-20b-functioncalling",
)

INKLING = Syntax(
    name="inkling",
    shape="json_object",
    call="<|message_model|>{name}<|content_invoke_tool_json|>{object}<|end_message|>",
    also=("<|content_invoke_tool_json|>{object}<|end_message|>",),
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
    models=r"gigachat-?3(?![.-]5)",
    source="chat template of ai-sage/GigaChat3.1",
)

GIGACHAT3_ROLE = Syntax(
    name="gigachat3_role",
    shape="json_object",
    call="<|message_sep|>\n\nfunction call<|role_sep|>\n{object}<|message_sep|>",
    also=("function call<|role_sep|>\n{object}<|message_sep|>",),
    between="",
    source="chat template of ai-sage/GigaChat3-10B-A1.8B",
)

MINIMAX_M1 = Syntax(
    name="minimax_m1",
    shape="json_object",
    group="<tool_calls>\n{calls}\n</tool_calls>",
    call="{object}",
    models=r"minimax-?(m1|text)",
    source="chat template of MiniMaxAI/MiniMax-M1-80k",
)

MISTRAL_OLD = Syntax(
    name="mistral_old",
    shape="json_object",
    group="[TOOL_CALLS] [{calls}]",
    call="{object}",
    between=", ",
    models=r"^(?!.*hermes).*(mistral|mixtral|ministral|codestral|pixtral|mathstral)",
    source="mistral-common, tokenizers v2, v3 and v7",
)

GRANITE3 = Syntax(
    name="granite3",
    shape="json_object",
    group="<|tool_call|>[{calls}]",
    call="{object}",
    between=", ",
    models=r"granite-?3",
    source="chat template of ibm-granite/granite-3.3-8b-instruct",
)

JAMBA = Syntax(
    name="jamba",
    shape="json_object",
    group="<tool_calls>[{calls}]</tool_calls>",
    call="{object}",
    between=", ",
    models=r"hunyuan-?a13b|jamba|apriel",
    source="chat template of ai21labs/AI21-Jamba-1.5-Mini",
)

NEMOTRON_V2 = Syntax(
    name="nemotron_v2",
    shape="json_object",
    group="<TOOLCALL>[{calls}]</TOOLCALL>",
    call="{object}",
    between=", ",
    models=r"nemotron.*(nano.*v2(?!\.)|nano-?(9|12)b)|llama-?3[._-]?[13]-nemotron",
    prefilled=r"nemotron.*(nano.*v2(?!\.)|nano-?(9|12)b)",
    source="chat template of nvidia/NVIDIA-Nemotron-Nano-9B-v2",
)

FUNCTOOLS = Syntax(
    name="functools",
    shape="json_object",
    group="functools[{calls}]",
    call="{object}",
    between=", ",
    models=r"firefunction|phi-?4-?mini",
    source="model card of fireworks-ai/llama-3-firefunction-v2",
)

COHERE = Syntax(
    name="cohere",
    shape="json_object",
    group="<|START_ACTION|>[\n    {calls}\n]<|END_ACTION|>",
    call="{object}",
    keys=("tool_name", "parameters"),
    id="{place}",
    id_key="tool_call_id",
    between=",\n    ",
    models=r"command-?[ar]|c4ai|north-?mini|cohere",
    prefilled=r"cohere2-?moe|north-?mini",
    source="chat template of CohereLabs/c4ai-command-r7b-12-2024",
)

APERTUS = Syntax(
    name="apertus",
    shape="json_object",
    group="<|tools_prefix|>[{calls}]<|tools_suffix|>",
    call="{object}",
    keys=("", ""),
    between=", ",
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
    source="Meta's prompt format of Llama 3.1",
)

GENERIC = Syntax(
    name="generic",
    shape="json_object",
    call="<tools>{object}</tools>",
    also=(
        "<function>{object}</function>",
        "<function-call>{object}</function-call>",
        "<function_call>{object}</function_call>",
        "<tool_use>{object}</tool_use>",
        "<functioncall {object}>",
        "<dots_function_call>{object}</dots_function_call>",
        "<ifm|tool_calls>\n<ifm|tool_call>{object}</ifm|tool_call>\n</ifm|tool_calls>",
        "<ifm|tool_call>{object}</ifm|tool_call>\n</ifm|tool_calls>",
        "[TOOL_CALL]{object}[/TOOL_CALL]",
    ),
    declared=True,
    source="seen of Qwen2.5-Coder and of small models",
)

LLAMA3_JSON = Syntax(
    name="llama3_json",
    shape="json_object",
    call="{object}",
    keys=("name", "parameters"),
    between="; ",
    whole=True,
    models=r"llama",
    source="chat template of meta-llama/Llama-3.3-70B-Instruct",
)

HARMONY = Syntax(
    name="harmony",
    shape="named_json",
    call="<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>{arguments}<|call|>",
    also=(
        "<|channel|>⟦commentary¦analysis¦final⟧ to=⟦functions.¦⟧{name}"
        "⟦ <|constrain|>json¦<|constrain|>json¦ <|constrain|>code¦ json¦ code¦ ¦⟧<|message|>{arguments}<|end|>",
        "<|start|>assistant<|channel|>⟦commentary¦analysis¦final⟧ to=⟦functions.¦⟧{name}"
        "⟦ <|constrain|>json¦<|constrain|>json¦ <|constrain|>code¦ json¦ code¦ ¦⟧<|message|>{arguments}<|end|>",
        "<|start|>assistant to=⟦functions.¦⟧{name}<|channel|>⟦commentary¦analysis¦final⟧"
        "⟦ <|constrain|>json¦<|constrain|>json¦ <|constrain|>code¦ json¦ code¦ ¦⟧<|message|>{arguments}<|end|>",
        " to=⟦functions.¦⟧{name}<|channel|>⟦commentary¦analysis¦final⟧"
        "⟦ <|constrain|>json¦<|constrain|>json¦ <|constrain|>code¦ json¦ code¦ ¦⟧<|message|>{arguments}<|end|>",
    ),
    between="<|start|>assistant",
    code_for=("python", "browser.search", "browser.open", "browser.find", "container.exec"),
    models=r"gpt-?oss",
    source="openai-harmony; chat template of openai/gpt-oss-20b",
)

SEED_OSS = Syntax(
    name="seed_oss",
    shape="tagged",
    group="<seed:tool_call>\n{calls}\n</seed:tool_call>",
    grouped="each",
    call="<function={name}>\n{parameters}</function>",
    parameter="<parameter={key}>{value}</parameter>\n",
    models=r"seed-?oss",
    source="chat template of ByteDance-Seed/Seed-OSS-36B-Instruct",
)

IQUEST_Q1 = Syntax(
    name="iquest_q1",
    shape="tagged",
    call="<iquest_tool_call>{name}{parameters}</iquest_tool_call>",
    parameter="<arg_key>{key}</arg_key><arg_value>{value}</arg_value>",
    between="",
    models=r"iquest-?q1",
    source="SGLang's parser of IQuest-Q1",
)

LONGCAT_KV = Syntax(
    name="longcat_kv",
    shape="tagged",
    call="<longcat_tool_call>{name}\n{parameters}</longcat_tool_call>",
    parameter=("<longcat_arg_key>{key}</longcat_arg_key>\n<longcat_arg_value>{value}</longcat_arg_value>\n"),
    source="chat template of meituan-longcat/LongCat-Flash-Thinking",
)

K2_HORIZON = Syntax(
    name="k2_horizon",
    shape="tagged",
    group="<ifm|tool_calls>\n{calls}\n</ifm|tool_calls>",
    call="<ifm|tool_call>{name}\n{parameters}</ifm|tool_call>",
    parameter="<ifm|arg_key>{key}</ifm|arg_key>\n<ifm|arg_value>{value}</ifm|arg_value>\n",
    also_parameter=(
        "<ifm|arg_key>{key}</ifm|arg_key>\n<ifm|arg_type>{type}</ifm|arg_type>\n<ifm|arg_value>{value}</ifm|arg_value>\n",
    ),
    string_types=("string", "str"),
    models=r"k2-?(horizon|v3)",
    prefilled=r"k2-?(horizon|v3)",
    source="vLLM's parser of K2 Horizon",
)

HY3 = Syntax(
    name="hy3",
    shape="tagged",
    group="<tool_calls>\n{calls}\n</tool_calls>",
    call="<tool_call>{name}<tool_sep>\n{parameters}</tool_call>",
    also=("<tool_call>{name}\n{parameters}</tool_call>",),
    suffixed=True,
    parameter="<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n",
    models=r"\bhy-?[34]\b|hunyuan-?[34]\b",
    source="chat template of tencent/Hy3",
)

MINIMAX_M2 = Syntax(
    name="minimax_m2",
    shape="tagged",
    group="<minimax:tool_call>\n{calls}\n</minimax:tool_call>",
    call='<invoke name="{name}">\n{parameters}</invoke>',
    parameter='<parameter name="{key}">{value}</parameter>\n',
    models=r"minimax-?m2",
    prefilled=r"minimax-?m2",
    source="chat template of MiniMaxAI/MiniMax-M2",
)

DOTS = Syntax(
    name="dots",
    shape="tagged",
    group="<dots_function_call>\n{calls}\n</dots_function_call>",
    call='<invoke name="{name}">\n{parameters}</invoke>',
    parameter='<parameter name="{key}">{value}</parameter>\n',
    models=r"\bdots[.-]?(llm|ocr|note|vlm|\d)",
    source="vLLM's parser of dots",
)

MUSE_ATEM = Syntax(
    name="muse_atem",
    shape="tagged",
    group=" to={name}<|message|><atem:function_calls>\n{calls}\n</atem:function_calls>",
    grouped="each",
    also_group=(
        " to={to}<|message|><atem:function_calls>\n{calls}\n</atem:function_calls><|eom|>",
        "<|start|>assistant to={to}<|message|><atem:function_calls>\n{calls}\n</atem:function_calls><|eom|>",
        "<atem:function_calls>\n{calls}\n</atem:function_calls><|eot|>",
    ),
    between="<|eom|><|start|>assistant",
    end="<|eot|>",
    call='<atem:invoke name="{name}">\n{parameters}</atem:invoke>',
    parameter='<atem:parameter name="{key}">{value}</atem:parameter>\n',
    models=r"muse-?(spark|glimmer)|glimmer",
    source="vLLM's parser of Muse",
)

STEP3 = Syntax(
    name="step3",
    shape="tagged",
    group="<｜tool_calls_begin｜>\n{calls}\n<｜tool_calls_end｜>",
    call=(
        '<｜tool_call_begin｜>function<｜tool_sep｜><steptml:invoke name="{name}">'
        "\n{parameters}</steptml:invoke><｜tool_call_end｜>"
    ),
    parameter='<steptml:parameter name="{key}">{value}</steptml:parameter>\n',
    models=r"step-?3(?![.p]\d|-?[57](?!\d))",
    prefilled=r"step-?3(?![.p]\d|-?[57](?!\d))",
    source="chat template of stepfun-ai/step3",
)

DEEPSEEK_V32 = Syntax(
    name="deepseek_v32",
    shape="tagged",
    group="<｜DSML｜function_calls>\n{calls}\n</｜DSML｜function_calls>",
    call='<｜DSML｜invoke name="{name}">\n{parameters}</｜DSML｜invoke>',
    also=('<｜DSML｜invoke name="{name}"/>{parameters}',),
    parameter='<｜DSML｜parameter name="{key}" string="{type}">{value}</｜DSML｜parameter>\n',
    also_parameter=('<｜DSML｜parameter name="{key}">{value}</｜DSML｜parameter>\n',),
    models=r"deepseek.*v3[.-]?2(?!\d|-?exp)",
    hybrid=r"deepseek.*v3[.-]?2",
    source="encoding of deepseek-ai/DeepSeek-V3.2",
)

DEEPSEEK_V4 = Syntax(
    name="deepseek_v4",
    shape="tagged",
    group="<｜DSML｜tool_calls>\n{calls}\n</｜DSML｜tool_calls>",
    also_group=(
        "<｜DSML｜toolcalls>\n{calls}\n</｜DSML｜toolcalls>",
        "<｜DSML｜tool>\n{calls}\n</｜DSML｜tool>",
    ),
    call='<｜DSML｜invoke name="{name}">\n{parameters}</｜DSML｜invoke>',
    also=('<｜DSML｜invoke name="{name}"/>{parameters}',),
    parameter='<｜DSML｜parameter name="{key}" string="{type}">{value}</｜DSML｜parameter>\n',
    also_parameter=('<｜DSML｜parameter name="{key}">{value}</｜DSML｜parameter>\n',),
    models=r"deepseek.*v4(?![.-]?1)",
    prefilled=r"deepseek.*v4(?![.-]?1)",
    source="encoding of deepseek-ai/DeepSeek-V4",
)

DEEPSEEK_V41 = Syntax(
    name="deepseek_v41",
    shape="tagged",
    group="<｜DSML｜ calls>\n{calls}\n</｜DSML｜ calls>",
    call='<｜DSML｜ invoke name="{name}">\n{parameters}</｜DSML｜ invoke>',
    also=('<｜DSML｜ invoke name="{name}"/>{parameters}',),
    parameter='<｜DSML｜ parameter name="{key}" string="{type}">{value}</｜DSML｜ parameter>\n',
    also_parameter=('<｜DSML｜ parameter name="{key}">{value}</｜DSML｜ parameter>\n',),
    models=r"deepseek.*v4[.-]?1",
    prefilled=r"deepseek.*v4[.-]?1",
    source="encoding of deepseek-ai/DeepSeek-V4.1",
)

GIGACHAT35 = Syntax(
    name="gigachat35",
    shape="tagged",
    group="<｜GCML｜tool_calls>\n{calls}\n</｜GCML｜tool_calls>",
    call='<｜GCML｜invoke name="{name}">\n{parameters}</｜GCML｜invoke>',
    also=('<｜GCML｜invoke name="{name}"/>{parameters}',),
    parameter='<｜GCML｜parameter name="{key}" string="{type}">{value}</｜GCML｜parameter>\n',
    also_parameter=('<｜GCML｜parameter name="{key}">{value}</｜GCML｜parameter>\n',),
    models=r"gigachat-?3[.-]5",
    source="SGLang's parser of GigaChat 3.5",
)

KIMI_K3 = Syntax(
    name="kimi_k3",
    shape="tagged",
    group="<|open|>tools<|sep|>{calls}<|close|>tools<|sep|>",
    call='<|open|>call tool="{name}" index="{id}"<|sep|>{parameters}<|close|>call<|sep|>',
    also=(
        '<|open|>call tool="{name}" index="{id}"<|sep|><|open|>json type="object"<|sep|>{parameters}'
        "<|close|>json<|sep|><|close|>call<|sep|>",
    ),
    parameter='<|open|>argument key="{key}" type="{type}"<|sep|>{value}<|close|>argument<|sep|>',
    between="",
    string_types=("string", "str"),
    id="{number}",
    escaped=True,
    models=r"kimi-?k3",
    prefilled=r"kimi-?k3",
    source="chat template of moonshotai/Kimi-K3",
)

MINICPM5 = Syntax(
    name="minicpm5",
    shape="tagged",
    call='<function name="{name}">{parameters}</function>',
    parameter='<param name="{key}">{value}</param>',
    also_parameter=('<param name="{key}"><![CDATA[{value}]]></param>',),
    models=r"minicpm-?5",
    source="chat template of openbmb/MiniCPM5",
)

BEAM = Syntax(
    name="beam",
    shape="tagged",
    call=" to={name}<|channel|>analysis <|constrain|>xml<|message|>{parameters}",
    also=(
        "<|start|>assistant to={name}<|channel|>analysis <|constrain|>xml<|message|>{parameters}<|end|>",
        "<|start|>assistant to={name}<|channel|>analysis <|constrain|>xml<|message|>{parameters}<|call|>",
    ),
    end="<|call|>",
    parameter='<rfl:parameter name="{key}">\n{value}\n</rfl:parameter>',
    between="<|end|><|start|>assistant",
    models=r"\bbeam\b",
    source="vLLM's parser of Beam",
)

LFM2 = Syntax(
    name="lfm2",
    shape="pythonic",
    group="<|tool_call_start|>[{calls}]<|tool_call_end|>",
    call="{name}({arguments})",
    between=", ",
    models=r"lfm-?2",
    source="chat template of LiquidAI/LFM2-1.2B",
)

LFM2_JSON = Syntax(
    name="lfm2_json",
    shape="json_object",
    group="<|tool_call_start|>[{calls}]<|tool_call_end|>",
    call="{object}",
    between=", ",
    source="seen of LFM2; vLLM's parser of it",
)

LLAMA4_PYTHONIC = Syntax(
    name="llama4_pythonic",
    shape="pythonic",
    group="<|python_start|>[{calls}]<|python_end|>",
    call="{name}({arguments})",
    between=", ",
    source="Meta's prompt format of Llama 4",
)

OLMO3 = Syntax(
    name="olmo3",
    shape="pythonic",
    group="<function_calls>\n{calls}\n</function_calls>",
    call="{name}({arguments})",
    models=r"olmo-?3",
    source="chat template of allenai/Olmo-3-7B-Instruct",
)

GEMMA3_TOOL_CODE = Syntax(
    name="gemma3_tool_code",
    shape="pythonic",
    group="```tool_code\n{calls}\n```",
    call="{name}({arguments})",
    declared=True,
    models=r"gemma-?[23]",
    source="Google's guide to function calling with Gemma 3",
)

LLAMA_BUILTIN = Syntax(
    name="llama_builtin",
    shape="pythonic",
    group="<|python_tag|>{calls}",
    call="{name}({arguments})",
    declared=True,
    source="Meta's prompt format of Llama 3.1",
)

PYTHONIC = Syntax(
    name="pythonic",
    shape="pythonic",
    group="[{calls}]",
    call="{name}({arguments})",
    between=", ",
    whole=True,
    models=r"toolace|llama-?3[._-]?2-?[13]b|llama-?4",
    source="chat template of meta-llama/Llama-3.2-3B-Instruct",
)

XLAM = Syntax(
    name="xlam",
    shape="json_object",
    group="[{calls}]",
    call="{object}",
    between=", ",
    whole=True,
    models=r"xlam",
    source="model card of Salesforce/Llama-xLAM-2-8b-fc-r",
)

FUNCTIONARY_V32 = Syntax(
    name="functionary_v32",
    shape="named_json",
    call=">>>{name}\n{arguments}",
    opened=">>>",
    between="",
    declared=True,
    models=r"functionary.*3[.-]2",
    source="chat template of meetkai/functionary-small-v3.2",
)

FUNCTIONARY_V2 = Syntax(
    name="functionary_v2",
    shape="named_json",
    call="<|from|>assistant\n<|recipient|>{name}\n<|content|>{arguments}",
    also=("<|recipient|>{name}\n<|content|>{arguments}\n<|stop|>",),
    end="\n<|stop|>",
    models=r"functionary.*v?2[.-]\d",
    source="meetkai's prompt format v2",
)

MINIMAX_M3 = Syntax(
    name="minimax_m3",
    shape="elements",
    lead="]<]minimax[>[",
    group="]<]minimax[>[<tool_call>\n{calls}\n]<]minimax[>[</tool_call>",
    call=']<]minimax[>[<invoke name="{name}">{parameters}]<]minimax[>[</invoke>',
    parameter="]<]minimax[>[<{key}>{value}]<]minimax[>[</{key}>",
    models=r"minimax-?m3",
    source="chat template of MiniMaxAI/MiniMax-M3",
)

SYNTAXES: tuple[Syntax, ...] = (
    *(FUNCTIONGEMMA, GEMMA4, GRANITE20B, FUNCTIONARY_V32, FUNCTIONARY_V2, FUNCTION_JSON, FUNCTOOLS, XLAM, NEMOTRON_V2),
    *(DEEPSEEK_V3, DEEPSEEK_V31, DEEPSEEK_V32, DEEPSEEK_V4, DEEPSEEK_V41, GLM45, GLM47, JAMBA, HY3, IQUEST_Q1),
    *(K2_HORIZON, LONGCAT, LONGCAT_KV, QWEN3_CODER, MIMO_V2, SEED_OSS, CLAUDE_LEGACY, CLAUDE, MINIMAX_M2, MINIMAX_M1),
    *(
        MINIMAX_M3,
        DOTS,
        MUSE_ATEM,
        STEP3,
        GIGACHAT35,
        GIGACHAT3,
        KIMI_K3,
        KIMI_K2,
        MINICPM5,
        BEAM,
        LFM2,
        LFM2_JSON,
        OLMO3,
    ),
    *(MISTRAL_NEW, MISTRAL_OLD, HARMONY, SOLAR_OPEN, PLAMO3, GRANITE3, COHERE, APERTUS, INTERNLM, INTERNS1, INKLING),
    *(HYPERCLOVAX, HERMES, PYTHONIC, LLAMA4_PYTHONIC, LLAMA3_JSON, LLAMA_BUILTIN, LLAMA3_PYTHON_TAG, GIGACHAT3_ROLE),
    *(GEMMA3_TOOL_CODE, LMSTUDIO, GENERIC),
)
"""In the order in which names are tried: rows with narrow names stand before the wide ones of their family."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A stretch of reasoning or of text that tags mark out. `closes` are the tags that end it."""

    opens: str
    closes: tuple[str, ...]
    reasoning: bool = True
    shared: bool = False
    """Its closing tag ends other things too, so it is only believed inside."""
    first: bool = False
    """It is only believed while nothing but reasoning has been said."""
    row: str = ""
    """It may be the text's own, so it is only believed of models whose name speaks for this row."""
    turn: str = ""
    """What opens the model's turn in front of its opening tag, if that is not left out."""
    word: bool = False
    """Its opening tag could be a word of the text, so it is only believed at the start of a line."""
    suffixed: bool = False
    """Its tags may carry a suffix behind a colon, the same in both."""


_HARMONY_ENDS = ("<|end|>", "<|call|>", "<|return|>")

LANES: tuple[Lane, ...] = (
    Lane("<think>", ("</think>",), word=True, suffixed=True),
    Lane("[THINK]", ("[/THINK]",)),
    Lane("<|channel>thought", ("<channel|>",)),
    Lane("◁think▷", ("◁/think▷",)),
    Lane("<seed:think>", ("</seed:think>",)),
    Lane("<mm:think>", ("</mm:think>",)),
    Lane("<longcat_think>", ("</longcat_think>",)),
    Lane("<ifm|think>", ("</ifm|think>",)),
    Lane("<ifm|think_fast>", ("</ifm|think_fast>",)),
    Lane("<ifm|think_faster>", ("</ifm|think_faster>",)),
    Lane("<|START_THINKING|>", ("<|END_THINKING|>",)),
    Lane("<|START_RESPONSE|>", ("<|END_RESPONSE|>",), reasoning=False),
    Lane("<|START_TEXT|>", ("<|END_TEXT|>",), reasoning=False),
    Lane("<response>", ("</response>",), reasoning=False, shared=True, first=True),
    Lane("<answer>", ("</answer>",), reasoning=False, shared=True, first=True),
    Lane("<|inner_prefix|>", ("<|inner_suffix|>",)),
    Lane("<|plamo:begin_think:plamo|>", ("<|plamo:end_think:plamo|>",)),
    Lane("<|open|>think<|sep|>", ("<|close|>think<|sep|>",)),
    Lane("<|open|>response<|sep|>", ("<|close|>response<|sep|>",), reasoning=False),
    Lane("<|content_thinking|>", ("<|end_message|>",), shared=True),
    Lane("<|content_text|>", ("<|end_message|>",), reasoning=False, shared=True),
    Lane("<|begin|>assistant<|think|>", ("<|end|>",), shared=True),
    Lane("<|begin|>assistant<|content|>", ("<|end|>",), reasoning=False, shared=True),
    Lane("<|channel|>analysis<|message|>", _HARMONY_ENDS[:1], shared=True, turn="<|start|>assistant"),
    Lane("<|channel|>commentary<|message|>", _HARMONY_ENDS, reasoning=False, shared=True, turn="<|start|>assistant"),
    Lane("<|channel|>final<|message|>", _HARMONY_ENDS, reasoning=False, shared=True, turn="<|start|>assistant"),
    Lane("Here is my thought process:", ("Here is my response:",), shared=True, first=True, row="granite3"),
    Lane("Here's my thought process:", ("Here's my response:",), shared=True, first=True, row="granite3"),
    Lane("Here are my reasoning steps:\n", ("[BEGIN FINAL RESPONSE]",), shared=True, first=True, row="jamba"),
    Lane("<|im_start|>assistant/think\n", ("<|im_end|>",), shared=True, row="hyperclovax"),
    Lane(">>>all\n", (), reasoning=False, first=True, row="functionary_v32"),
    Lane("<|recipient|>all\n<|content|>", (), reasoning=False, first=True, turn="<|from|>assistant\n"),
    Lane(" to=self<|message|>", ("<|eom|>", "<|eot|>"), shared=True),
    Lane("<|start|>assistant to=self<|message|>", ("<|eom|>", "<|eot|>"), shared=True),
    Lane(" to=user<|message|>", ("<|eom|>", "<|eot|>"), reasoning=False, shared=True),
    Lane("<|start|>assistant to=user<|message|>", ("<|eom|>", "<|eot|>"), reasoning=False, shared=True),
)
"""What tells reasoning from text, in every family. A tag that starts with a blank is believed at the start only."""

RESULTS: tuple[str, ...] = (
    "<tool_response>",
    "<|tool_response|>",
    "<|tool_response>",
    "<tool_responses>",
    "<function_results>",
    "<function_result>",
    "<function_response>",
    "<tool_result>",
    "<tool_results>",
    "<tool_output",
    "<｜tool▁outputs▁begin｜>",
    "<｜tool▁output▁begin｜>",
    "<start_function_response>",
    "<|START_TOOL_RESULT|>",
    "<TOOL_RESPONSE>",
    "[TOOL_RESULT]",
    "[TOOL_RESULTS]",
    "<|im_start|>",
)
"""What opens a tool's result, or a turn that is not the model's: behind a call, the model has made it up."""

END_TOKENS: tuple[str, ...] = (
    "<|im_end|>",
    "<|endoftext|>",
    "</s>",
    "<eos>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|eot|>",
    "<|eom|>",
    "<|end_of_text|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|observation|>",
    "<|user|>",
    "<|end|>",
    "<|return|>",
    "<|stop|>",
    "<｜end▁of▁sentence｜>",
    "[e~[",
    "<seed:eos>",
    "<end_of_turn>",
    "<turn|>",
    "<|assistant_end|>",
    "<|message_sep|>",
    "<|role_end|>",
    "</assistant>",
    "<|end_of_msg|>",
    "<|close|>message<|sep|>",
    "<|call|>",
    "<|end_message|>",
    "<SPECIAL_12>",
    "<|eos|>",
    "<end_of_sentence>",
    "[END FINAL RESPONSE]",
)
"""End-of-turn tokens that servers leave at the end of the text."""
