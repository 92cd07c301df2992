"""Adaptations of past calls and their results: their ids, their order, and how many stand in one message."""

from __future__ import annotations

import hashlib
import re
import string
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from backends.adapt.messages import (
    Message,
    calls_of,
    id_of,
    is_result,
    joined,
    role_of,
    same,
    with_calls,
    without,
)

NO_RESULT = "(no result)"
"""The result of a call that the history has no result of."""
ORPHAN = "Result of a tool:"
"""What stands before a result that belongs to no call, where the user says it."""
_LETTERS = string.ascii_letters + string.digits
_NINE = re.compile(r"[A-Za-z0-9]{9}\Z")


# -- ids -------------------------------------------------------------------------------------------------------------


def ids_nine(messages: list[Any]) -> list[Any]:
    """Ids become nine letters and digits: the same id always the same ones, and two ids never the same."""
    new: dict[str, str] = {}
    taken: set[str] = set()

    def nine(found: str) -> str:
        if found not in new:
            new[found] = found if _NINE.match(found) and found not in taken else _hashed(found, taken)
            taken.add(new[found])
        return new[found]

    return [_renamed(each, nine) if isinstance(each, dict) else each for each in messages]


def _hashed(text: str, taken: Iterable[str]) -> str:
    """Nine letters and digits that are not taken, made of `text` alone, so that they stay as the history grows."""
    for attempt in range(100_000):
        digest = hashlib.blake2b(f"{text}\0{attempt}".encode(errors="replace")).digest()
        found = "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:9])
        if found not in taken:
            return found
    raise AssertionError("nine letters and digits are enough for any history")


def _renamed(message: Message, new: Callable[[str], str]) -> Message:
    """A message with its ids renamed."""
    if found := id_of(message, "tool_call_id"):
        message = _put(message, "tool_call_id", new(found))
    return with_calls(message, lambda call: _put(call, "id", new(found)) if (found := id_of(call, "id")) else call)


def _put(value: Message, name: str, new: str) -> Message:
    return value if not new or value.get(name) == new else {**value, name: new}


def ids_unique(messages: list[Any]) -> list[Any]:
    """An id that was used before, or is missing, becomes a new one, in the call and in the results behind it."""
    names = _Ids(messages)
    found: list[Any] = []
    for message in messages:
        if is_result(message):
            found.append(_put(message, "tool_call_id", names.of_result(id_of(message, "tool_call_id"))))
        elif calls_of(message):
            names.next_message()
            found.append(with_calls(message, lambda call: _put(call, "id", names.of_call(id_of(call, "id")))))
        else:
            found.append(message)
    return found


class _Ids:
    """Gives out the ids of one history, in its order."""

    def __init__(self, messages: list[Any]) -> None:
        self._used: set[str] = set()
        self._open: dict[str, deque[str]] = {}
        self._count = 0

    def next_message(self) -> None:
        """The results that follow belong to the calls of the next message."""
        self._open = {}

    def of_call(self, old: str) -> str:
        """The id for a call with the id `old`."""
        self._count += 1
        new = old if old and old not in self._used else _hashed(f"{old} {self._count}", self._used)
        self._used.add(new)
        self._open.setdefault(old, deque()).append(new)
        return new

    def of_result(self, old: str) -> str:
        """The id for the next result with the id `old`: that of the call it belongs to, else its own."""
        calls = self._open.get(old)
        if calls:
            return calls.popleft() if len(calls) > 1 else calls[0]
        return old


# -- order -----------------------------------------------------------------------------------------------------------


def order_results(messages: list[Any]) -> list[Any]:
    """Results follow their calls, in their order. What is left over is said by the user; what is missing is said."""
    results = _Results(messages)
    found: list[Any] = []
    for place, message in enumerate(messages):
        if is_result(message):
            if place not in results.claimed:
                found.append(_said_by_user(message))
            continue
        found.append(message)
        for call in calls_of(message):
            found.append(results.of(call, place) or _missing(call))
    return found


class _Results:
    """The results of a history, each of which belongs to one call at most."""

    def __init__(self, messages: list[Any]) -> None:
        self._messages = messages
        self._places: dict[str, deque[int]] = {}
        self._calls: dict[str, deque[int]] = {}
        self.claimed: set[int] = set()
        for place, message in enumerate(messages):
            if is_result(message):
                self._places.setdefault(id_of(message, "tool_call_id"), deque()).append(place)
            for call in calls_of(message):
                self._calls.setdefault(id_of(call, "id"), deque()).append(place)

    def of(self, call: Message, place: int) -> Message | None:
        """The result of a call of the message at `place`; of calls with the same id the next one has its own."""
        name = id_of(call, "id")
        places, calls = self._places.get(name, deque()), self._calls[name]
        calls.popleft()
        while places and places[0] < place:
            places.popleft()
        end = next((each for each in calls if each > place), len(self._messages)) if calls else len(self._messages)
        if not places or places[0] > end:
            return None
        self.claimed.add(places[0])
        result: Message = self._messages[places.popleft()]
        return result


def _said_by_user(result: Message) -> Message:
    rest = without(result, "tool_call_id", "name", "tool_calls")
    return {**rest, "role": "user", "content": joined([ORPHAN, result.get("content")])}


def _missing(call: Message) -> Message:
    return {"role": "tool", "tool_call_id": id_of(call, "id"), "content": NO_RESULT}


def one_call(messages: list[Any]) -> list[Any]:
    """Calls of one message become messages of one call each, with their results between them."""
    found: list[Any] = []
    place = 0
    while place < len(messages):
        message = messages[place]
        place += 1
        if len(calls_of(message)) < 2 or len(calls_of(message)) != len(message["tool_calls"]):
            found.append(message)
            continue
        end = place
        while end < len(messages) and is_result(messages[end]):
            end += 1
        found += _one_by_one(message, messages[place:end])
        place = end
    return found


def _one_by_one(message: Message, results: list[Any]) -> list[Any]:
    """A message with several calls, and the results behind it. Results of none of its calls come last."""
    of_id: dict[str, deque[Message]] = {}
    for each in results:
        of_id.setdefault(id_of(each, "tool_call_id"), deque()).append(each)
    found: list[Any] = []
    for place, call in enumerate(calls_of(message)):
        head = message if place == 0 else {"role": message.get("role"), "content": ""}
        found.append({**head, "tool_calls": [call]})
        own = of_id.get(id_of(call, "id"))
        if own:
            found.append(own.popleft())
    return [*found, *(each for own in of_id.values() for each in own)]


# -- functions -------------------------------------------------------------------------------------------------------


def functions_in_history(messages: list[Any]) -> list[Any]:
    """Calls and results of the older API (`function_call`, the role `function`) in the form of today's."""
    found: list[Any] = []
    open_calls: dict[str, str] = {}
    for place, message in enumerate(messages):
        call = message.get("function_call") if role_of(message) != "function" and isinstance(message, dict) else None
        if isinstance(call, dict):
            new = _hashed(f"function_call {place}", ())
            open_calls[str(call.get("name"))] = new
            made = {"id": new, "type": "function", "function": call}
            found.append({**without(message, "function_call"), "tool_calls": [*calls_of(message), made]})
        elif role_of(message) == "function":
            name = message.get("name")
            own = open_calls.get(name, "") if isinstance(name, str) else ""
            found.append({**without(message, "function_call"), "role": "tool", "tool_call_id": own})
        else:
            found.append(message)
    return messages if same(found, messages) else found
