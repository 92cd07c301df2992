"""What tells reasoning from text in every family's answers: the tags, and where they are believed. No code."""

from __future__ import annotations

from dataclasses import dataclass


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
