"""Rows whose calls are a header with the name, followed by the arguments as JSON."""

from __future__ import annotations

from converters.syntaxes import prompts_headers
from converters.syntaxes.row import Syntax

MISTRAL_NEW = Syntax(
    name="mistral_new",
    shape="named_json",
    call="[TOOL_CALLS]{name}[ARGS]{arguments}",
    also_call=(
        "[TOOL_CALLS]{name}[CALL_ID]{id}[ARGS]{arguments}",
        "[TOOL_CALLS]{name}[ARGS]{arguments}[CALL_ID]{id}",
        "[TOOL_CALLS]{name}{arguments}",
    ),
    between="",
    prompt=prompts_headers.MISTRAL_NEW,
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
    also_group=("<｜tool▁calls｜>{calls}<｜tool▁calls▁end｜>",),
    also_call=(
        "<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```\n{arguments}\n```<｜tool▁call▁end｜>",
        "<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n{arguments}<｜tool▁call▁end｜>",
        "<｜tool▁call▁begin｜>{name}\n```json\n{arguments}\n```<｜tool▁call▁end｜>",
    ),
    prompt=prompts_headers.DEEPSEEK_V3,
    models=r"deepseek-?r1|deepseek.*v3(?![.-]?[12](?!\d))|cogito",
    source="chat template of deepseek-ai/DeepSeek-R1",
)

DEEPSEEK_V31 = Syntax(
    name="deepseek_v31",
    shape="named_json",
    group="<｜tool▁calls▁begin｜>{calls}<｜tool▁calls▁end｜>",
    also_group=("<｜tool▁calls｜>{calls}<｜tool▁calls▁end｜>",),
    call="<｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{arguments}<｜tool▁call▁end｜>",
    between="",
    prompt=prompts_headers.DEEPSEEK_V31,
    models=r"deepseek.*(v3[.-]?1(?!\d)|v3[.-]?2-?exp)",
    source="chat template of deepseek-ai/DeepSeek-V3.1",
)

KIMI_K2 = Syntax(
    name="kimi_k2",
    shape="named_json",
    group="<|tool_calls_section_begin|>{calls}<|tool_calls_section_end|>",
    also_group=("<|tool_call_section_begin|>{calls}<|tool_call_section_end|>",),
    call="<|tool_call_begin|>{id}<|tool_call_argument_begin|>{arguments}<|tool_call_end|>",
    also_call=("<|tool_call_begin|>{id}\n<|tool_call_argument_begin|>{arguments}<|tool_call_end|>",),
    between="",
    prompt=prompts_headers.KIMI_K2,
    models=r"kimi-?k2",
    source="chat template of moonshotai/Kimi-K2-Instruct",
)

FUNCTION_JSON = Syntax(
    name="function_json",
    shape="named_json",
    call="<function={name}>{arguments}</function>",
    between="",
    prompt=prompts_headers.FUNCTION_JSON,
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
    id="a1b2c3d4e{index}",
    prompt=prompts_headers.SOLAR_OPEN,
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
    also_call=(
        "<|plamo:begin_tool_request:plamo|><|plamo:begin_tool_name:plamo|>{name}<|plamo:end_tool_name:plamo|>"
        "<|plamo:begin_tool_arguments:plamo|>{arguments}"
        "<|plamo:end_tool_arguments:plamo|><|plamo:end_tool_request:plamo|>",
    ),
    between="",
    prompt=prompts_headers.PLAMO3,
    models=r"plamo-?3",
    source="vLLM's parser of PLaMo 3",
)

FUNCTIONGEMMA = Syntax(
    name="functiongemma",
    shape="relaxed",
    call="<start_function_call>call:{name}{arguments}<end_function_call>",
    also_call=("<start_function_call>{name}{arguments}<end_function_call>",),
    delimiter="<escape>",
    between="",
    prompt=prompts_headers.FUNCTIONGEMMA,
    models=r"function-?gemma",
    source="chat template of google/functiongemma-270m-it",
)

GEMMA4 = Syntax(
    name="gemma4",
    shape="relaxed",
    group="<|tool_call>{calls}<tool_call|>",
    grouped="each",
    needs_group=True,
    call="call:{name}{arguments}",
    also_call=("{name}{arguments}",),
    delimiter='<|"|>',
    between="",
    prompt=prompts_headers.GEMMA4,
    models=r"gemma-?4",
    source="chat template of google/gemma-4-31B-it",
)

HARMONY = Syntax(
    name="harmony",
    shape="named_json",
    call="<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>{arguments}<|call|>",
    also_call=(
        "<|channel|>commentary to={name} json<|message|>{arguments}<|end|>",
        "<|channel|>analysis to={name} code<|message|>{arguments}<|return|>",
        "<|start|>assistant to=functions.{name}<|channel|>commentary json<|message|>{arguments}<|call|>",
        " to=functions.{name}<|channel|>commentary json<|message|>{arguments}<|call|>",
    ),
    addressed=("{", "```", "<|call|>", "<|end|>", "<|return|>"),
    between="<|start|>assistant",
    code_tools=("python", "browser", "browser.search", "browser.open", "browser.find", "container.exec"),
    prompt=prompts_headers.HARMONY,
    models=r"gpt-?oss",
    source="openai-harmony; chat template of openai/gpt-oss-20b",
)

FUNCTIONARY_V32 = Syntax(
    name="functionary_v32",
    shape="named_json",
    call=">>>{name}\n{arguments}",
    code_tools=("python",),
    prefilled_call=">>>",
    between="",
    declared_only=True,
    prompt=prompts_headers.FUNCTIONARY_V32,
    models=r"functionary.*3[.-]2",
    source="chat template of meetkai/functionary-small-v3.2",
)

FUNCTIONARY_V2 = Syntax(
    name="functionary_v2",
    shape="named_json",
    call="<|from|>assistant\n<|recipient|>{name}\n<|content|>{arguments}",
    also_call=("<|recipient|>{name}\n<|content|>{arguments}\n<|stop|>",),
    turn_end="\n<|stop|>",
    prompt=prompts_headers.FUNCTIONARY_V2,
    models=r"functionary.*v?2[.-]\d",
    source="meetkai's prompt format v2",
)

CALLING_TOOL = Syntax(
    name="calling_tool",
    shape="named_json",
    call="[Calling tool: {name}({arguments})]",
    declared_only=True,
    source="seen of models whose history was rendered so by SGLang and others",
)
