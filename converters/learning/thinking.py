"""Where the reasoning of a template's answers starts, and which tags stand around it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from converters.learning.conversations import (
    FIRST,
    KEYS,
    SAY,
    THINK,
    VALUES,
    Call,
    Conversation,
    DeclaredTools,
    NotRendered,
    Turn,
)
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
    """When the prompt opens the reasoning, where the request declares tools."""
    without_tools: ThinkingFamily
    """The same where it declares none."""

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


def thinking_of(written: Written, defaults: Mapping[str, Any]) -> Thinking:
    """What a template tells of reasoning. `defaults` are the settings that its server sets where a request does not."""
    tag = tag_of(written)
    with_tools, without = (_Prompts(written, tag, defaults, tools).family() for tools in (Conversation().tools, None))
    return Thinking(tag, with_tools, without)


class _Prompts:
    """The prompts of a template, by the request's settings and the last message."""

    def __init__(
        self, written: Written, tag: ReasoningTag | None, defaults: Mapping[str, Any], tools: DeclaredTools
    ) -> None:
        self._written = written
        self._tag = tag
        self._defaults = defaults
        self._tools = tools

    def family(self) -> ThinkingFamily:
        bare = bool(self._opens({}))
        heeds = tuple(name for name, on, off in _HEEDED if self._heeded(name, on, off, bare=bare))
        never = not bare and not heeds
        settings: dict[str, Any] = {name: on for name, on, _ in _HEEDED if name in heeds}
        return ThinkingFamily(
            models="",
            opens=bare,
            heeds=heeds,
            heeds_messages=bare and self._opens({}, user="zquser /no_think") is False,
            after_result=never or self._after_result(settings),
        )

    def _opens(self, settings: Mapping[str, Any], **more: Any) -> bool | None:
        """Whether the prompt opens the reasoning; None if it is not rendered."""
        told = {**self._defaults, **settings}
        conversation = Conversation(tools=self._tools, prompt=True, settings=told, **more)
        try:
            return is_open(self._written.rendered(conversation), self._tag)
        except NotRendered:
            return None

    def _heeded(self, name: Setting, on: Any, off: Any, *, bare: bool) -> bool:
        """Whether a setting opens the reasoning, and closes it; or is refused where it should close what is closed."""
        closes = self._opens({name: off})
        return self._opens({name: on}) is True and (closes is False or (closes is None and not bare))

    def _after_result(self, settings: Mapping[str, Any]) -> bool:
        """Whether the prompt behind the result of a tool opens the reasoning where it does elsewhere."""
        turn = Turn((Call(FIRST, {KEYS[0]: VALUES[0]}),), results=True)
        opens = self._opens(settings, turns=(turn,))
        return True if opens is None else opens
