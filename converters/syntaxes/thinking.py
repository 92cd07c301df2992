"""Families of models whose chat template opens the reasoning in the prompt, and the settings that it heeds. No code.

A family goes across rows: distilled models write the calls of one family and think like another. A family whose
template opens nothing, whatever the settings, has no entry: its models write the opening tag themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Setting = Literal["enable_thinking", "thinking", "thinking_mode", "reasoning_effort"]
"""A setting of a chat template that turns the reasoning on or off."""


@dataclass(frozen=True, slots=True)
class ThinkingFamily:
    """`models` is a regex, searched in a model's `plain_name`."""

    models: str
    opens: bool
    """Whether the prompt opens the reasoning if the request says nothing."""
    heeds: tuple[Setting, ...] = ()
    """The settings that the template heeds, the strongest first. Turned on they open the reasoning, off they do not."""
    heeds_messages: bool = False
    """Whether `/no_think` in a message turns it off."""
    after_result: bool = True
    """Whether the prompt opens the reasoning behind the result of a tool as it does elsewhere; else nothing there."""


THINKING: tuple[ThinkingFamily, ...] = (
    ThinkingFamily(r"r1.*distill.*qwen", opens=True, heeds=("enable_thinking",), after_result=False),
    ThinkingFamily(r"r1.*distill", opens=True, after_result=False),
    ThinkingFamily(r"deepseek-?r1", opens=True),
    ThinkingFamily(
        r"deepseek.*v3[.-]?(1(?!\d)|2-?exp)", opens=False, heeds=("thinking", "enable_thinking"), after_result=False
    ),
    ThinkingFamily(r"deepseek.*(v3[.-]?2(?!\d)|v4)", opens=False, heeds=("thinking", "enable_thinking")),
    ThinkingFamily(r"cogito", opens=False, heeds=("enable_thinking",)),
    ThinkingFamily(r"kimi-?(k2[.-][5-9]|k3)", opens=True, heeds=("thinking",)),
    ThinkingFamily(r"plamo-?3", opens=True),
    ThinkingFamily(r"(?<!chat)glm-?5[.p-]?3", opens=True),
    ThinkingFamily(r"(?<!chat)glm-?(4[.p-]?[78]|[5-9](?!\d))", opens=True, heeds=("enable_thinking",)),
    ThinkingFamily(r"spark-?2[.p-]?5|laguna-?s\b", opens=True, heeds=("enable_thinking",)),
    ThinkingFamily(r"laguna|poolside", opens=False, heeds=("enable_thinking",)),
    ThinkingFamily(r"\b(ling|ring)-?3(?!\d)|bailing.*v?3", opens=True, heeds=("enable_thinking",)),
    ThinkingFamily(r"qwq", opens=True, heeds=("enable_thinking",)),
    ThinkingFamily(r"qwen-?3.*thinking|ernie-?4[.-]5.*thinking", opens=True),
    ThinkingFamily(r"qwen-?3[.p-]?[5-9](?!\d)(?!b)", opens=True, heeds=("enable_thinking",)),
    ThinkingFamily(r"nemotron.*(nano.*v2(?!\.)|nano-?(9|12)b)", opens=True, heeds_messages=True),
    ThinkingFamily(r"nemotron-?3(?!\d)|granite-?4[.-]2", opens=True, heeds=("enable_thinking",)),
    ThinkingFamily(r"(^|/|stepfun-)step(fun)?-?3(?![\db])", opens=True),
    ThinkingFamily(r"minimax-?m2", opens=True),
    ThinkingFamily(r"minimax-?m3", opens=False, heeds=("thinking_mode",)),
    ThinkingFamily(r"cohere2-?moe|north-?mini", opens=True, heeds=("reasoning_effort",)),
    ThinkingFamily(r"k2-?(horizon|v3)", opens=True),
    ThinkingFamily(r"\bhy-?[34]\b|hunyuan-?[34]\b", opens=False, heeds=("reasoning_effort",)),
    ThinkingFamily(r"apriel-?1[.p-]?6", opens=True),
    ThinkingFamily(r"olmo-?3.*think", opens=True),
    ThinkingFamily(r"holo-?2", opens=True, heeds=("thinking", "enable_thinking")),
    ThinkingFamily(r"minicpm-?5|bielik.*v3|reka-?edge|exaone-?4|rwkv", opens=False, heeds=("enable_thinking",)),
)
"""In the order in which they are searched: specific patterns precede general ones."""

SWITCHED: tuple[tuple[str, Setting], ...] = (
    (r"qwen-?3(?!.*(coder|instruct|thinking))", "enable_thinking"),
    (r"(?<!chat)glm-?4[.p-]?[56]", "enable_thinking"),
    (r"gemma-?4|smollm-?3|command-?r-?7b", "enable_thinking"),
    (r"granite-?3[.-][23]", "thinking"),
)
"""Models without an entry above, whose template heeds a setting all the same: turned off, it closes the reasoning."""

KEEPS_REASONING: tuple[str, ...] = (
    r"apriel-?1[.p-]?6|bielik.*v3|reka-?edge|exaone-?4|minicpm-?5|seed-?oss|solar-?open|muse",
    r"cohere2-?moe|north-?mini|kimi-?(k2.*thinking|k2[.-][5-9]|k3)|minimax-?m[23]|step-?3[.-]5",
    r"(?<!chat)glm-?(4[.p-]?[5-8]|[5-9](?!\d))|spark-?2[.p-]?5|laguna|poolside|\b(ling|ring)-?3(?!\d)",
    r"nemotron-?3(?!\d)|qwen-?3(?!.*(coder|instruct))|qwq|gpt-?oss|deepseek.*(v3[.-]?2(?!\d)|v4)|\bhy-?[34]\b",
)
"""Models whose template writes the reasoning of earlier messages into the prompt. Others lose it, or refuse it."""
