"""What chat templates lose of a history without a word, by the model's name. Data, no code.

Measured by rendering histories with 61 templates that declare tools: those of llama.cpp's tests and of vLLM's examples.
What a template refuses is not here: a refusal says so itself.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Losses:
    """`models` is a regex, searched in a model's `plain_name`."""

    models: str
    text_beside_call: bool = False
    """The assistant's text beside a call."""
    late_system: bool = False
    """A system message behind the first message."""
    null: bool = False
    """`content: null` beside a call is printed as "None"."""
    parts: bool = False
    """A content that is a list of texts."""
    tools: bool = False
    """The declared tools: the template has no place for them. So `raw` is of no use."""


LOSSES: tuple[Losses, ...] = (
    Losses(r"gpt-?oss", late_system=True),
    Losses(r"north-?mini|cohere2-?moe|command-?r7b", text_beside_call=True),
    Losses(r"command-?r", null=True),
    Losses(r"(?<!chat)glm-?4[.p-]?[67](?!\d)", null=True),
    Losses(r"minimax-?(m1|text)", text_beside_call=True, late_system=True),
    Losses(r"minimax-?m2", null=True, late_system=True),
    Losses(r"minimax-?m3", late_system=True),
    Losses(r"bielik", late_system=True),
    Losses(r"reka-?edge", late_system=True),
    Losses(r"nemotron.*(nano.*v2(?!\.)|nano-?(9|12)b)", late_system=True),
    Losses(r"hermes-?[23]", text_beside_call=True),
    Losses(r"deepseek-?r1(?!.*distill)", text_beside_call=True),
    Losses(r"solar-?open", text_beside_call=True),
    Losses(r"muse-?(spark|glimmer)|glimmer", text_beside_call=True),
    Losses(r"^(?!.*(nemotron|hermes|distill)).*llama-?3[.-]?[123]", text_beside_call=True),
    Losses(r"minicpm-?5|laguna|poolside", parts=True),
    Losses(r"r1.*distill|deepseek.*v3[.-]?1(?!\d)|gemma-?[23](?!\d)|phi-?3(?!\d)|rwkv|smollm-?3", tools=True),
)
"""In the order in which they are searched. Mistral-Small-3.2 and Nemo lose text beside a call, too, but refuse what
would save it: two messages of the assistant in a row."""
