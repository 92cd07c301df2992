"""The bytes of a request as a Request, and what changed in it as bytes again.

Of a long body (`wire.json_body.LARGE`) objects are made only of what adaptations look into, in slices, and only while
they stay in proportion to its bytes: what nobody looks into is a RawJson. So a request costs a small multiple of its
bytes while it is adapted, whatever it is made of.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, Literal

from backends.adapt.facts import Request
from turns import Turns
from wire.json_body import LARGE
from wire.json_edit import REMOVED, Changes, edit
from wire.json_slices import Entry, JsonText, Run, utf8_of
from wire.json_values import SMALL, RawJson, ValueReader, spelled_whole
from wire.lossless_json import Number, loads_exact

LOOKED_INTO: Final = frozenset(
    {"messages", "tools", "functions", "tool_choice", "function_call", "chat_template_kwargs", "think"}
)
"""Members that adaptations look into. Of others they know that they are there."""
_SEARCHED = 1 << 20
"""Bytes that are searched in one go."""
_PER_BYTE = 8
"""Bytes of memory that the objects of a long body may take for each of its bytes, by estimate."""
_CONTAINER, _MEMBER, _TEXT, _NUMBER = 140, 30, 55, 120
"""Bytes of memory that a small list or object takes, a member of an object, a short text, a number that is spelled."""


def read(raw: bytes) -> Request | None:
    """The request, of which `changed_members` says what adaptations changed; None if it is too much to be adapted.

    `raw` is known to be the JSON of an object. A long one of so many small values that their objects would take many
    times its bytes is too much, as are numbers or nesting that Python does not read.
    """
    try:
        if len(raw) <= LARGE:
            found = loads_exact(raw.decode(json.detect_encoding(raw), "surrogatepass"))
            return found if isinstance(found, dict) else None
        return _LongBody(raw).request()
    except (ValueError, RecursionError):
        return None


def holds_name(raw: bytes, names: Sequence[bytes]) -> bool:
    """Whether one of these names stands in the bytes in quotes. Others take their turn in the search of a long body."""
    overlap, turns = max(map(len, names)) + 1, Turns()
    for start in range(0, len(raw), _SEARCHED):
        part = raw if len(raw) <= _SEARCHED else raw[start : start + _SEARCHED + overlap]
        # quotes are everywhere, so a search that begins with one is slow
        if any(name in part and b'"%b"' % name in part for name in names):
            return True
        turns.take()
    return False


def changed_members(before: Request, after: Request) -> Changes:
    """The members that are another object in `after` than in `before`, as JSON, or REMOVED if they are gone."""
    changes: dict[str, bytes | Literal["removed"]] = {name: REMOVED for name in before if name not in after}
    for name, value in after.items():
        if name not in before or before[name] is not value:
            changes[name] = written(value)
    return changes


def rewritten(raw: bytes, before: Request, after: Request) -> bytes:
    """The bytes of `after`: those of `raw`, which is the JSON of `before`, but for the members that changed."""
    return raw if after is before else edit(raw, changed_members(before, after))


def written(value: Any) -> bytes:
    """A value of a Request as JSON in UTF-8, in slices. Halves of surrogate pairs stay escapes."""
    return spelled_whole(value, Turns(), lone="backslashreplace")


class _TooMuch(ValueError):
    """The objects of the body would take too much memory."""


class _LongBody:
    def __init__(self, raw: bytes) -> None:
        turns = Turns()
        self._text = JsonText(utf8_of(raw, turns), turns)
        self._left = _PER_BYTE * len(raw)

    def request(self) -> Request | None:
        start = self._text.blanks(0)
        if self._text.text[start : start + 1] != b"{":
            return None
        found: Request = {}
        for each in self._text.entries(start, 0, LOOKED_INTO):
            if isinstance(each, Run):
                found.update(self._small(each, b"{", b"}"))
                continue
            name = self._text.name_of(each)
            if name in LOOKED_INTO:
                found[name] = self._value(each.start, each.end, 1)
            elif name:
                found[name] = RawJson(self._text.text[each.start : each.end])
        return found

    def _value(self, start: int, end: int, level: int) -> Any:
        """The object for the value from `start` to `end`."""
        kind = self._text.text[start : start + 1]
        if end - start <= SMALL:
            return self._small(Entry(0, start, start, end, 0), b"[", b"]")[0]
        if kind == b'"':
            return ValueReader(self._text).string(start, end)
        if kind not in (b"[", b"{"):
            return Number(self._text.text[start:end].decode())
        return self._list(start, level) if kind == b"[" else self._object(start, level)

    def _list(self, start: int, level: int) -> list[Any]:
        found: list[Any] = []
        for each in self._text.entries(start, level):
            if isinstance(each, Run):
                found += self._small(each, b"[", b"]")
            else:
                found.append(self._value(each.start, each.end, level + 1))
        return found

    def _object(self, start: int, level: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for each in self._text.entries(start, level):
            if isinstance(each, Run):
                found.update(self._small(each, b"{", b"}"))
            else:
                name = ValueReader(self._text).string(each.name, each.start)
                found[name] = self._value(each.start, each.end, level + 1)
        return found

    def _small(self, part: Entry | Run, opener: bytes, closer: bytes) -> Any:
        """Neighbouring small values, or members, as a list or an object."""
        text = opener + self._text.text[part.start : part.end] + closer
        value = loads_exact(text.decode("utf-8", "surrogatepass"))
        self._left -= _weight(value)
        if self._left < 0:
            raise _TooMuch
        self._text.turns.take()
        return value


def _weight(value: Any) -> int:
    """Bytes of memory that a value takes, by estimate."""
    if isinstance(value, dict):
        return _CONTAINER + sum(_MEMBER + len(name) + _weight(each) for name, each in value.items())
    if isinstance(value, list):
        return _CONTAINER + sum(map(_weight, value))
    return _TEXT + len(value) if isinstance(value, str) else _NUMBER
