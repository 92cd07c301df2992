"""Whether an answer begins inside the reasoning, by the model's name and by what the request says of the prompt.

It may not know what earlier answers showed, nor which backend is asked (streaming/parser_selection.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import get_args

from converters.builtin import plain_name
from converters.detect.detector import Detector
from converters.detect.openers import reasoning_index
from converters.syntaxes import THINKING, Syntax, ThinkingFamily
from converters.syntaxes.thinking import KEEPS_REASONING, SWITCHED, Setting
from converters.text.expectations import Expectations

SETTINGS: tuple[Setting, ...] = get_args(Setting)
"""The settings of chat templates that a `Prompt` knows."""

_OFF = frozenset({"none", "off", "no", "false", "disabled", "disable", "no_think", "nothink", "chat"})
_UNDECIDED = frozenset({"", "auto", "adaptive", "default"})


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a request says of the prompt that the answer goes on from."""

    settings: Mapping[str, object] = field(default_factory=dict)
    """Settings of the chat template, under their names (`converters/syntaxes/thinking.py`)."""
    effort: object = None
    """How much the API's own field wants the model to think: `none`, `low` ..."""
    think: object = None
    """Whether, or how much, it wants the model to think at all: another API's field."""
    asked_in_messages: bool | None = None
    """What the last `/think` or `/no_think` in a message asks for."""
    prefill: str | None = None
    """The text of the assistant that the answer goes on from; None if the answer begins anew."""
    behind_result: bool = False
    """The last message is the result of a tool."""

    @property
    def thinking(self) -> bool | None:
        """Whether the request asks for thinking, in whatever words; None if it says nothing of it."""
        said = [*map(_on, self.settings.values()), _on(self.effort), _on(self.think), self.asked_in_messages]
        return next((each for each in said if each is not None), None)


def asked_in(text: str) -> bool | None:
    """What the last `/think` or `/no_think` in a message asks for; None without either."""
    on, off = text.rfind("/think"), text.rfind("/no_think")
    return None if on == off else on > off


def _on(value: object) -> bool | None:
    """Whether the value of a setting turns thinking on; None if it leaves that open."""
    if isinstance(value, str):
        word = value.strip().lower()
        return None if word in _UNDECIDED else word not in _OFF
    return bool(value) if isinstance(value, bool | int) else None


@lru_cache(maxsize=1024)  # a new name is searched with the pattern of every family
def family_of(model: str) -> ThinkingFamily | None:
    """The family of a model, by its name."""
    name = plain_name(model)
    return next((family for family in THINKING if re.search(family.models, name)), None)


def asked(family: ThinkingFamily | None, prompt: Prompt) -> bool | None:
    """Whether the request makes the template open the reasoning; None if it leaves that to the family's default.

    Of a family that nobody knows, only "off" is believed: read as reasoning, an answer would be lost.
    """
    if family is None:
        return False if prompt.thinking is False else None
    if prompt.behind_result and not family.after_result:
        return False
    if family.heeds_messages and prompt.asked_in_messages is not None:
        return prompt.asked_in_messages
    for name in family.heeds:
        on = _on(prompt.settings.get(name))
        if on is not None:
            return on
    return _asked_beside_settings(prompt, "reasoning_effort" in family.heeds) if family.heeds else None


def _asked_beside_settings(prompt: Prompt, heeds_effort: bool) -> bool | None:
    """What the fields of the API say, which servers turn into the settings of the template."""
    effort = _on(prompt.effort)
    if effort is False or (effort and heeds_effort):
        return effort
    return _on(prompt.think)


@lru_cache(maxsize=1024)
def keeps_reasoning(model: str) -> bool:
    """Whether the template of a model writes the reasoning of earlier messages into the prompt, by the model's name."""
    name = plain_name(model)
    return any(re.search(models, name) for models in KEEPS_REASONING)


def settings_for(model: str, thinks: bool) -> dict[str, object]:
    """The settings of a chat template that make a model think, or not; empty for models that are not known to heed any.

    An effort is named only against the template's default: some refuse the word that says the same.
    """
    family = family_of(model)
    heeds = family.heeds[:1] if family is not None else _switch(plain_name(model))
    for name in heeds:
        if name == "thinking_mode":
            return {name: "enabled" if thinks else "disabled"}
        if name != "reasoning_effort":
            return {name: thinks}
        if family is not None and thinks is not family.opens:
            return {name: "high" if thinks else "none"}
    return {}


def _switch(name: str) -> tuple[Setting, ...]:
    return next(((setting,) for models, setting in SWITCHED if re.search(models, name)), ())


def left_open(prefill: str, row: Syntax | None = None) -> bool:
    """Whether a text of the assistant opens reasoning that it does not close. `row` is the one that is expected."""
    reader = Detector(reasoning_index(row), Expectations())
    reader.feed(prefill)
    reader.finish()
    return reader.reasoning.active
