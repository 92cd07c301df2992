"""Where the reasoning of a template's answers starts, and which tags stand around it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from converters.learning.conversations import FIRST, KEYS, SAY, THINK, VALUES, Call, Conversation, NotRendered, Turn
from converters.learning.tokens import Tokens
from converters.learning.written import Written
from converters.syntaxes import REASONING_TAGS, ReasoningTag, ThinkingFamily
from converters.syntaxes.channels import CHANNEL, MESSAGE, MESSAGE_ENDS, START
from converters.syntaxes.thinking import Setting

CHANNEL_TOKENS = frozenset((START, CHANNEL, MESSAGE, *MESSAGE_ENDS))
"""Tokens of message headers, which say themselves what is reasoning."""

_SUFFIX = re.compile(r"(<\w+):[\w.-]{1,24}>\Z")
"""A tag at the end of a text that carries a suffix."""

_KEYS = ("reasoning_content", "reasoning", "thinking")
_HEEDED: tuple[tuple[Setting, Any, Any], ...] = (
    ("thinking", True, False),
    ("enable_thinking", True, False),
    ("thinking_mode", "enabled", "disabled"),
    ("reasoning_effort", "high", "none"),
)


@dataclass(frozen=True, slots=True)
class Thinking:
    """What a template tells of reasoning."""

    tag: ReasoningTag | None
    """The tags, if it prints reasoning at all."""
    family: ThinkingFamily
    """When the prompt opens the reasoning."""

    @property
    def is_listed(self) -> bool:
        """Whether the table has these tags."""
        return self.tag is None or self.tag in REASONING_TAGS


def tag_of(written: Written) -> ReasoningTag | None:
    """The tags around reasoning: the table's, where it has them; None if reasoning is not printed."""
    for key in _KEYS:
        for turn in ({key: THINK}, {key: THINK, "calls": True}):
            try:
                text = _with_reasoning(written, turn)
            except NotRendered:
                continue
            if THINK in text:
                tag = _around(text, written.tokens)
                if tag is not None:
                    return tag
    return None


def _with_reasoning(written: Written, turn: Mapping[str, Any]) -> str:
    """The prompt's last line and the turn behind it, with reasoning under one key."""
    key = next(each for each in turn if each != "calls")
    history = written.history
    calls = (Call(FIRST, {KEYS[0]: VALUES[0]}),) if "calls" in turn else ()
    conversation = Conversation((Turn(calls, content="" if calls else SAY),)).variables(history)
    conversation["messages"][-1][key] = THINK
    return written.render(conversation)


def _around(text: str, tokens: Tokens) -> ReasoningTag | None:
    before, _, behind = text.rpartition(THINK)
    suffix = _SUFFIX.search(before.rstrip())
    if suffix is not None and suffix.end() == len(before.rstrip()):
        plain = suffix.group(1) + ">"
        if any(tag.suffixed and tag.opens == plain for tag in REASONING_TAGS):
            return next(tag for tag in REASONING_TAGS if tag.suffixed and tag.opens == plain)
    for tag in REASONING_TAGS:
        if (
            tag.reasoning
            and before.rstrip().endswith(tag.opens.strip())
            and any(behind.lstrip().startswith(closer) for closer in tag.closes)
        ):
            return tag
    opens, closes = tokens.split(before.rstrip())[-1:], tokens.split(behind.lstrip())[:1]
    if (
        not opens
        or not closes
        or opens[0] in CHANNEL_TOKENS
        or not (tokens.is_markup(opens[0]) and tokens.is_markup(closes[0]))
    ):
        return None
    return ReasoningTag(opens[0], (closes[0],))


def is_open(prompt: str, tag: ReasoningTag | None) -> bool:
    """Whether the reasoning is open at the end of a prompt."""
    end = prompt.rstrip()
    opens = {each.opens.strip() for each in REASONING_TAGS if each.reasoning and len(each.opens) > 4}
    if tag is not None:
        opens.add(tag.opens.strip())
    suffix = _SUFFIX.search(end)
    if suffix is not None and suffix.group(1) + ">" in {each.opens for each in REASONING_TAGS if each.suffixed}:
        return True
    return any(end.endswith(opener) for opener in opens)


def family_of(written: Written, tag: ReasoningTag | None) -> ThinkingFamily:
    """When the prompt opens the reasoning, as the request's settings and the last message decide it."""

    def opens(**settings: Any) -> bool | None:
        try:
            return is_open(written.rendered(Conversation(prompt=True, settings=settings)), tag)
        except NotRendered:
            return None

    bare = bool(opens())

    def heeded(name: str, on: Any, off: Any) -> bool:
        """Whether a setting opens the reasoning, and closes it; or is refused where it should close what is closed."""
        closes = opens(**{name: off})
        return opens(**{name: on}) is True and (closes is False or (closes is None and not bare))

    heeds = tuple(name for name, on, off in _HEEDED if heeded(name, on, off))
    never = not bare and not heeds
    return ThinkingFamily(
        models="",
        opens=bare,
        heeds=heeds,
        heeds_messages=not never and _heeds_messages(written, tag, bare=bare),
        after_result=never or _after_result(written, tag, {name: on for name, on, _ in _HEEDED if name in heeds}),
    )


def _heeds_messages(written: Written, tag: ReasoningTag | None, *, bare: bool) -> bool:
    """Whether `/no_think` in a message closes what is open otherwise."""
    try:
        prompt = written.rendered(Conversation(prompt=True, user="zquser /no_think"))
    except NotRendered:
        return False
    return bare and not is_open(prompt, tag)


def _after_result(written: Written, tag: ReasoningTag | None, settings: Mapping[str, Any]) -> bool:
    """Whether the prompt behind the result of a tool opens the reasoning where it does elsewhere."""
    turn = Turn((Call(FIRST, {KEYS[0]: VALUES[0]}),), results=True)
    try:
        return is_open(written.rendered(Conversation((turn,), prompt=True, settings=settings)), tag)
    except NotRendered:
        return True
