"""Which adaptations are applied at once, because something would be lost without a word, so that no refusal tells.

They are chosen only if the request has what would be lost. Any other request goes out as it came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from backends.adapt.bodies import holds_name
from backends.adapt.facts import Facts, Request
from backends.adapt.fields import switches_thinking_off
from backends.adapt.losses import LOSSES, Losses
from backends.adapt.messages import SYSTEM, calls_of, role_of, says_something, text_of
from backends.adapt.table import BY_NAME
from converters.builtin import plain_name

_VENDOR = "openai"
"""The preset whose server has the API that all others follow: it loses nothing."""
_WORTH_READING = (b"developer", b"functions")
"""Names of which one must stand in a request for which there is something to do."""
_NOT_OLLAMAS = (b"max_completion_tokens", b"think", b"chat_template_kwargs")
"""Fields that Ollama's chat completions pass over without a word."""
_KNOWS_DEVELOPER = re.compile(r"gpt-?oss")


def at_once(body: Request, facts: Facts) -> tuple[str, ...]:
    """The adaptations to apply before the first attempt, in the order of the table."""
    if facts.preset == _VENDOR:
        return ()
    listed = body.get("messages")
    messages = listed if isinstance(listed, list) else []
    found: set[str] = set()
    if "developer" in map(role_of, messages) and not _KNOWS_DEVELOPER.search(plain_name(facts.model)):
        found.add("developer")
    for name in lost_by(facts.model):
        is_lost = _LOST[name]
        if any(is_lost(each, place == 0) for place, each in enumerate(messages) if isinstance(each, dict)):
            found.add(_SAVED_BY[name])
    if body.get("functions") and "tools" not in body:  # of local servers only llama-cpp-python knows them
        found.add("functions")
    if facts.preset == "ollama":
        if "max_completion_tokens" in body and "max_tokens" not in body:
            found.add("max_tokens")  # it knows only this name
        if switches_thinking_off(body):
            found.add("effort_none")  # it knows only this field
    return tuple(name for name in BY_NAME if name in found) if found else ()


def may_lose(raw: bytes, facts: Facts) -> bool:
    """Whether `at_once` could name anything for the request with these bytes. It costs microseconds.

    For most requests it says no, and they need not be read once more. A request in another encoding than UTF-8, or with
    escapes in the names of the API, goes out as it came: then a refusal tells.
    """
    if facts.preset == _VENDOR:
        return False
    names = (*_WORTH_READING, *_NOT_OLLAMAS) if facts.preset == "ollama" else _WORTH_READING
    return bool(lost_by(facts.model)) or holds_name(raw, names)


@lru_cache(maxsize=1024)
def losses_of(model: str) -> Losses:
    """What the template of a model is known to lose."""
    name = plain_name(model)
    return next((losses for losses in LOSSES if re.search(losses.models, name)), Losses(""))


@lru_cache(maxsize=1024)
def lost_by(model: str) -> tuple[str, ...]:
    """The names of the losses in messages (`_LOST`) that the template of a model is known for."""
    losses = losses_of(model)
    return tuple(name for name in _LOST if getattr(losses, name))


def _text_beside_call(message: Mapping[str, Any], first: bool) -> bool:
    return bool(calls_of(message)) and says_something(message.get("content"))


def _late_system(message: Mapping[str, Any], first: bool) -> bool:
    return role_of(message) in SYSTEM and not first


def _null(message: Mapping[str, Any], first: bool) -> bool:
    return bool(calls_of(message)) and message.get("content", "") is None


def _parts(message: Mapping[str, Any], first: bool) -> bool:
    content = message.get("content")
    return isinstance(content, list) and text_of(content) is not None


_LOST: Mapping[str, Callable[[Mapping[str, Any], bool], bool]] = {
    "text_beside_call": _text_beside_call,
    "late_system": _late_system,
    "null": _null,
    "parts": _parts,
}
"""By the name of each loss: whether a message has what is lost."""
_SAVED_BY: Mapping[str, str] = {
    "text_beside_call": "text_apart",
    "late_system": "system_first",
    "null": "content_empty",
    "parts": "content_text",
}
