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
    shape: Literal["json_object", "tagged", "elements"]
    call: str
    source: str
    parameter: str = ""
    group: str = ""
    grouped: Literal["all", "each"] = "all"
    """How the model uses `group`: around all calls of a turn, or around each."""
    between: str = "\n"
    prefix: str = ""
    """A prefix that tags may carry in front of their names, each tag for itself."""
    models: str = ""
    prefilled: str = ""
    """Models whose prompt has already opened the reasoning, so that only its end is written."""


GLM45 = Syntax(
    name="glm45",
    shape="tagged",
    call="<tool_call>{name}\n{parameters}</tool_call>",
    parameter="<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n",
    models=r"glm-?4[.p-]?[56](?!\d)|(ling|ring)-.*2[.-]6",
    source="chat template of zai-org/GLM-4.6",
)

GLM47 = Syntax(
    name="glm47",
    shape="tagged",
    call="<tool_call>{name}{parameters}</tool_call>",
    parameter="<arg_key>{key}</arg_key><arg_value>{value}</arg_value>",
    between="",
    models=r"glm-?(4[.p-]?[78]|[5-9](?!\d))|spark-?2[.p-]?5",
    prefilled=r"glm-?(4[.p-]?[78]|[5-9](?!\d))",
    source="chat template of zai-org/GLM-4.7",
)

HERMES = Syntax(
    name="hermes",
    shape="json_object",
    call="<tool_call>\n{object}\n</tool_call>",
    models=(
        r"deephermes|hermes-?\d|hermes.*(llama|mistral|qwen|yi|mixtral|pro)|\b(ling|ring)-(mini|lite|flash|plus|1t)"
        r"|granite-?4(?![.-]?2)|qwen|qwq|exaone-?(4|deep)|mimo(?!-?v2)|reka|trinity|bielik|\ba[.-]?x-?[34]|smollm3|arcee"
    ),
    prefilled=r"qwq|qwen-?3.*thinking",
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
        r"nemotron-?(3|nano-?30b|cascade)|step-?3[.p-]?[57]|step-?5|minicpm-?(v|o)|granite-?4[.-]?2"
        r"|intern-?s2|intellect-?3|nanbeige|ornith|qwen-?3.*coder|qwen-?3[.p-]?[5-9](?!\d)(?!b)"
    ),
    prefilled=r"nemotron-?3|step-?3[.p-]?5|qwen-?3[.p-]?[5-9](?!\d)(?!b)",
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

SYNTAXES: tuple[Syntax, ...] = (GLM45, GLM47, QWEN3_CODER, MIMO_V2, CLAUDE, CLAUDE_LEGACY, HERMES, LMSTUDIO)
"""In the order in which names are tried: rows with narrow names stand before the wide one of their family."""

REASONING_TAGS: tuple[tuple[str, str], ...] = (("<think>", "</think>"),)
"""What opens and what closes reasoning in the text."""

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
    "<|end_message|>",
    "<SPECIAL_12>",
    "<|eos|>",
    "<end_of_sentence>",
    "[END FINAL RESPONSE]",
)
"""End-of-turn tokens that servers leave at the end of the text."""
