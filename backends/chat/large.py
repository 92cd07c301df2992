"""Long answers: their JSON becomes objects in slices, where it must be understood; long texts go on in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from errors import TooMuch
from turns import Turns
from wire.json_slices import Entry, JsonFault, JsonText, Run, TooDeep, utf8_of
from wire.json_values import SMALL, RawJson, TooLong, ValueReader

LARGE = 1 << 20
"""Bytes of JSON that is read in slices. Less is read in about ten milliseconds."""
PIECE = 1 << 14
"""Characters of a long text that are looked through in one go."""
AT_ONCE = 1 << 12
"""Characters of a text that a parser is fed in one go, as in most answers."""
PARSED = 1 << 11
"""Characters in which it is fed a longer one: of tokens alone it reads some hundred in a millisecond."""

_OBJECTS = frozenset({"message", "delta", "function_call", "function", "error", "logprobs"})
_LISTS = frozenset({"choices", "tool_calls"})
_MOST = 16 << 20
"""Bytes of small values of which objects are made: what must be understood is far less, but for texts."""
_MOST_ITEMS = 20_000


def read(data: str | bytes) -> Any:
    """The value of a long JSON text; None if it is none. What nobody looks into is a RawJson. Raises TooMuch."""
    turns = Turns()
    try:
        raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        text = JsonText(utf8_of(raw, turns), turns)
        return _LargeReader(text).value(*text.check(), 0, "message")
    except (JsonFault, TooDeep, UnicodeDecodeError):
        return None
    except TooLong:
        raise TooMuch("The backend's answer holds more than can be understood.", "answer_too_long") from None


class _LargeReader:
    def __init__(self, text: JsonText) -> None:
        self._text = text
        self._small = ValueReader(text, _MOST)
        self._texts = ValueReader(text)

    def value(self, start: int, end: int, level: int, name: str) -> Any:
        """The value from `start` to `end`, which is the member `name` or an item of it."""
        if end - start <= SMALL:
            return self._small.value(start, end)
        kind = self._text.text[start : start + 1]
        if kind == b'"':
            return self._texts.string(start, end)
        if kind == b"{" and name in _OBJECTS | _LISTS:
            return self._object(start, level)
        if kind == b"[" and name in _LISTS:
            return self._list(start, level, name)
        return RawJson(self._text.text[start:end])

    def _object(self, start: int, level: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for each in self._text.entries(start, level):
            if isinstance(each, Run):
                found.update(self._small.members(each))
            else:
                name = self._texts.string(each.name, each.start)
                found[name] = self.value(each.start, each.end, level + 1, name)
        return found

    def _list(self, start: int, level: int, name: str) -> list[Any]:
        found: list[Any] = []
        for each in self._small.items(start, level):
            if isinstance(each, Entry):
                found.append(self.value(each.start, each.end, level + 1, name))
            else:
                found += each
            if len(found) > _MOST_ITEMS:
                raise TooLong
        return found


def pieces_of(text: str, size: int = PIECE) -> Iterator[str]:
    """A text in pieces, between which others take their turn."""
    turns = Turns()
    for start in range(0, len(text), size):
        yield text[start : start + size]
        turns.take()
