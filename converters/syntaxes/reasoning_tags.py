"""The tags that separate reasoning from text, for all model families, and where each of them counts. No code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReasoningTag:
    """A pair of tags around a part of an answer: an opening tag and those that may close it."""

    opens: str
    closes: tuple[str, ...]
    reasoning: bool = True
    """Whether the part is reasoning; else it is text for the user."""
    shared_closer: bool = False
    """Whether the closing tag closes other things too: it counts only behind the opening one."""
    before_text: bool = False
    """Whether the opening tag counts only as long as there has been no text but reasoning."""
    only_for_row: str = ""
    """The row whose models alone use the tag; empty if it counts for all. For tags that occur in ordinary text."""
    turn_opener: str = ""
    """What may stand in front of the opening tag: the start of the model's turn."""
    at_line_start: bool = False
    """Whether the opening tag counts only at the start of a line, as it could be a word of the text elsewhere."""
    suffixed: bool = False
    """Whether both tags may share a suffix behind a colon: `<think:opensource>`."""


_INKLING_ENDS = ("<|end_message|>", "<|content_model_end_sampling|>")

REASONING_TAGS: tuple[ReasoningTag, ...] = (
    ReasoningTag("<think>", ("</think>",), at_line_start=True, suffixed=True),
    ReasoningTag("[THINK]", ("[/THINK]",)),
    ReasoningTag("<|channel>thought", ("<channel|>",)),
    ReasoningTag("<|channel>", ("<channel|>",)),
    ReasoningTag("thought\n", ("<channel|>",), before_text=True, at_line_start=True, only_for_row="gemma4"),
    ReasoningTag("◁think▷", ("◁/think▷",)),
    ReasoningTag("<seed:think>", ("</seed:think>",)),
    ReasoningTag("<mm:think>", ("</mm:think>",)),
    ReasoningTag("<longcat_think>", ("</longcat_think>",)),
    ReasoningTag("<ifm|think>", ("</ifm|think>",)),
    ReasoningTag("<ifm|think_fast>", ("</ifm|think_fast>",)),
    ReasoningTag("<ifm|think_faster>", ("</ifm|think_faster>",)),
    ReasoningTag("<|START_THINKING|>", ("<|END_THINKING|>",)),
    ReasoningTag("<|START_RESPONSE|>", ("<|END_RESPONSE|>",), reasoning=False),
    ReasoningTag("<|START_TEXT|>", ("<|END_TEXT|>",), reasoning=False),
    ReasoningTag("<response>", ("</response>",), reasoning=False, shared_closer=True, before_text=True),
    ReasoningTag("<answer>", ("</answer>",), reasoning=False, shared_closer=True, before_text=True),
    ReasoningTag("<|inner_prefix|>", ("<|inner_suffix|>",)),
    ReasoningTag("<|plamo:begin_think:plamo|>", ("<|plamo:end_think:plamo|>",)),
    ReasoningTag("<|open|>think<|sep|>", ("<|close|>think<|sep|>",)),
    ReasoningTag("<|open|>response<|sep|>", ("<|close|>response<|sep|>",), reasoning=False),
    ReasoningTag("<|content_thinking|>", _INKLING_ENDS, shared_closer=True, turn_opener="<|message_model|>"),
    ReasoningTag("<|content_text|>", _INKLING_ENDS, False, shared_closer=True, turn_opener="<|message_model|>"),
    ReasoningTag("<|content_invoke_tool_text|>", _INKLING_ENDS, False, shared_closer=True),
    ReasoningTag("<|content_tool_error|>", _INKLING_ENDS, False, shared_closer=True),
    ReasoningTag("<|think|>", ("<|end|>",), shared_closer=True, before_text=True),
    ReasoningTag("<|content|>", ("<|end|>",), reasoning=False, shared_closer=True, before_text=True),
    ReasoningTag("<|begin|>assistant<|think|>", ("<|end|>",), shared_closer=True),
    ReasoningTag("<|begin|>assistant<|content|>", ("<|end|>",), reasoning=False, shared_closer=True),
    ReasoningTag(
        "Here is my thought process:",
        ("Here is my response:",),
        shared_closer=True,
        before_text=True,
        only_for_row="granite3",
    ),
    ReasoningTag(
        "Here's my thought process:",
        ("Here's my response:",),
        shared_closer=True,
        before_text=True,
        only_for_row="granite3",
    ),
    ReasoningTag(
        "Here are my reasoning steps:\n",
        ("[BEGIN FINAL RESPONSE]",),
        before_text=True,
        only_for_row="jamba",
    ),
    ReasoningTag("<|im_start|>assistant/think\n", ("<|im_end|>",), shared_closer=True, only_for_row="hyperclovax"),
    ReasoningTag("<|im_start|>assistant\n", (), reasoning=False, only_for_row="hyperclovax"),
    ReasoningTag(">>>all\n", (), reasoning=False, before_text=True, only_for_row="functionary_v32"),
    ReasoningTag(
        "<|recipient|>all\n<|content|>", (), reasoning=False, before_text=True, turn_opener="<|from|>assistant\n"
    ),
)
"""All tags, but the headers of channels (`channels.py`)."""
