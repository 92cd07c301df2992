"""Fields around the content of a reply without which clients fail, added where a server left them out.

Clients need the kind of the object, the index of each choice, a delta that is an object, and no list of calls where
there are none; of a whole reply also its id, its time and its model.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from converters.text.reasons import Reason
from wire.lossless_json import Number

_CHUNK = "chat.completion.chunk"
_REPLY = "chat.completion"


def needs_no_repair(chunk: dict[str, Any]) -> bool:
    """Cheap test that a chunk needs no repair."""
    if chunk.get("object") != _CHUNK or len(chunk["choices"]) != 1:
        return False
    choice = chunk["choices"][0]
    if type(choice) is not dict or type(choice.get("index")) is not int:
        return False
    delta = choice.get("delta")
    return type(delta) is dict and bool(delta.get("tool_calls", True))


def mend_chunk(chunk: dict[str, Any], apart: bool) -> set[Reason]:
    """Repair a chunk of a stream in place; returns what had to be done. `apart`: choices without an index differ."""
    done: set[Reason] = set()
    if chunk.get("object") != _CHUNK:
        chunk["object"] = _CHUNK
        done.add("envelope")
    return done | _mend_choices(chunk, "delta", apart)


def mend_reply(reply: dict[str, Any], model: str, apart: bool) -> set[Reason]:
    """Repair a whole reply in place; returns what had to be done. `model` is its name in the request."""
    if _is_whole(reply):
        return set()
    before = dict(reply)
    if not isinstance(reply.get("id"), str) or not reply["id"]:
        reply["id"] = f"chatcmpl-{uuid.uuid4().hex}"
    if not isinstance(reply.get("created"), int):
        reply["created"] = int(time.time())
    if not isinstance(reply.get("model"), str):
        reply["model"] = model
    reply["object"] = _REPLY
    done: set[Reason] = set() if reply == before else {"envelope"}
    done |= _mend_choices(reply, "message", apart)
    together = _merged(_objects(reply.get("choices")))
    if len(together) < len(list(_objects(reply.get("choices")))):
        reply["choices"] = together
        done.add("envelope")
    return done


def _is_whole(reply: Mapping[str, Any]) -> bool:
    """Cheap test that a reply needs no repair."""
    choices = reply.get("choices")
    if reply.get("object") != _REPLY or not isinstance(choices, list) or len(choices) != 1:
        return False
    if not (reply.get("id") and isinstance(reply["id"], str) and isinstance(reply.get("model"), str)):
        return False
    choice = choices[0]
    if not isinstance(reply.get("created"), int) or type(choice) is not dict or type(choice.get("index")) is not int:
        return False
    message = choice.get("message")
    return type(message) is dict and bool(message.get("tool_calls", True))


def _merged(choices: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merge choices that share an index: they are parts of one answer, and clients read only the first."""
    found: dict[int, dict[str, Any]] = {}
    for choice in choices:
        first = found.setdefault(choice["index"], choice)
        here, more = first.get("message"), choice.get("message")
        if first is choice or not isinstance(here, dict) or not isinstance(more, dict):
            continue
        for name, value in more.items():
            both = isinstance(value, str | list) and isinstance(here.get(name), type(value)) and name != "role"
            here[name] = here[name] + value if both else here.get(name) or value
        first["finish_reason"] = choice.get("finish_reason") or first.get("finish_reason")
    return list(found.values())


def _mend_choices(reply: dict[str, Any], holds: str, apart: bool) -> set[Reason]:
    done: set[Reason] = set()
    for place, choice in enumerate(_objects(reply.get("choices"))):
        if not isinstance(choice.get("index"), int | Number):
            choice["index"] = place if apart else 0
            done.add("envelope")
        if holds == "delta" and not isinstance(choice.get("delta"), dict):
            choice["delta"] = {}
            done.add("envelope")
        said = choice.get(holds)
        if isinstance(said, dict) and "tool_calls" in said and not said["tool_calls"]:
            del said["tool_calls"]  # VS Code drops the text beside it, others end a block of reasoning at each
            done.add("native_empty")
    return done


def _objects(choices: Any) -> Iterator[dict[str, Any]]:
    yield from (choice for choice in choices if isinstance(choice, dict)) if isinstance(choices, list) else ()
