"""Which adaptations a model's own chat template asks for, before the backend has refused anything.

The template was rendered with made-up histories (converters/learning/history.py): what it refused, lost or wrote twice
is known. An adaptation is chosen only if the request has what is concerned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from backends.adapt.facts import Request
from backends.adapt.messages import SYSTEM, calls_of, is_result, role_of, says_something, text_of

Messages = list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Told:
    """What one answer of a template means."""

    question: str
    concerns: Callable[[Messages], bool]
    adaptation: str
    needs: str = ""
    """A question that must be answered well, or the adaptation would not help."""


def told_at_once(body: Request, history: Mapping[str, str]) -> dict[str, str]:
    """The adaptations, each with the answer of the template that asks for it."""
    listed = body.get("messages")
    messages = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    if _is_bad(history, "tools") and (body.get("tools") or body.get("functions")):
        return {"prompted": "the chat template has no place for tools"} | _asked(messages, history, _OF_MESSAGES)
    return _asked(messages, history, (*_OF_CALLS, *_OF_MESSAGES))


def may_ask(history: Mapping[str, str]) -> bool:
    """Whether a template asks for anything at all."""
    return bool(history) and any(_is_bad(history, question) for question in _QUESTIONS)


def _asked(messages: Messages, history: Mapping[str, str], all_told: tuple[_Told, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for told in all_told:
        helps = not (told.needs and _is_bad(history, told.needs))
        if helps and _is_bad(history, told.question) and told.concerns(messages):
            found[told.adaptation] = f"the chat template: {told.question}"
    return found


def _is_bad(history: Mapping[str, str], question: str) -> bool:
    """Whether a template refuses something, loses it, or writes it in a way that is wrong."""
    return history.get(question, "ok") not in ("ok", "any")


def _with_calls(messages: Messages) -> Messages:
    return [each for each in messages if calls_of(each)]


def _null(messages: Messages) -> bool:
    return any(each.get("content") is None for each in _with_calls(messages))


def _empty(messages: Messages) -> bool:
    return any(not says_something(each.get("content")) for each in _with_calls(messages))


def _text_arguments(messages: Messages) -> bool:
    functions = [call.get("function") for each in messages for call in calls_of(each)]
    return any(isinstance(each, Mapping) and isinstance(each.get("arguments"), str) for each in functions)


def _text_beside(messages: Messages) -> bool:
    return any(says_something(each.get("content")) for each in _with_calls(messages))


def _several(messages: Messages) -> bool:
    return any(len(calls_of(each)) > 1 for each in messages)


def _parts(messages: Messages) -> bool:
    contents = [each.get("content") for each in messages]
    return any(isinstance(each, list) and text_of(each) is not None for each in contents)


def _system(messages: Messages) -> bool:
    return any(role_of(each) in SYSTEM for each in messages)


def _late_system(messages: Messages) -> bool:
    return any(role_of(each) in SYSTEM for each in messages[1:])


def _neighbours(messages: Messages) -> bool:
    roles = [role_of(each) for each in messages if role_of(each) not in SYSTEM]
    return any(one == other and one in ("user", "assistant") for one, other in pairwise(roles))


def _assistant_first(messages: Messages) -> bool:
    return next((role_of(each) for each in messages if role_of(each) not in SYSTEM), "") == "assistant"


def _long_ids(messages: Messages) -> bool:
    ids = [call.get("id") for each in messages for call in calls_of(each)]
    ids += [each.get("tool_call_id") for each in messages if is_result(each)]
    return any(isinstance(each, str) and not (len(each) == _NINE and each.isalnum()) for each in ids)


_NINE = 9
_OF_CALLS = (
    _Told("content_null", _null, "content_empty"),
    _Told("content_empty", _empty, "content_space"),
    _Told("arguments_text", _text_arguments, "arguments_object"),
    _Told("text_beside_call", _text_beside, "text_apart", needs="text_apart"),
    _Told("two_calls", _several, "one_call"),
    _Told("ids", _long_ids, "ids_nine"),
)
_OF_MESSAGES = (
    _Told("content_parts", _parts, "content_text"),
    _Told("late_system", _late_system, "system_first"),
    _Told("system", _system, "system_in_user"),
    _Told("neighbours", _neighbours, "alternate"),
    _Told("assistant_first", _assistant_first, "alternate"),
)
_QUESTIONS = ("tools", *(each.question for each in (*_OF_CALLS, *_OF_MESSAGES)))
