"""Reads the body of a request. A long one becomes objects in slices, and its input one item at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from errors import RequestError
from wire.json_body import LARGE, find_members, read_finite
from wire.json_slices import Entry
from wire.json_values import ValueReader

INPUT = "input"


@dataclass(frozen=True, slots=True)
class Body:
    """A request: `fields` is all of it but the input, `input` is a text or items, which can be read once."""

    fields: dict[str, Any]
    input: str | Iterator[Any] | None


def read(raw: bytes, names: frozenset[str]) -> Body:
    """Read a body; of a long one only the fields with these `names`. Raises RequestError."""
    if len(raw) > LARGE:
        return _read_large(raw, names)
    fields = read_finite(raw)
    if not isinstance(fields, dict):
        raise RequestError("The request body must be a JSON object.")
    found = fields.pop(INPUT, None)
    return Body(fields, iter(found) if isinstance(found, list) else _text_or_none(found))


def _read_large(raw: bytes, names: frozenset[str]) -> Body:
    text, found = find_members(raw, names | {INPUT})
    reader = ValueReader(text)
    fields = {name: reader.value(each.start, each.end, 1) for name, each in found.items() if name != INPUT}
    member = found.get(INPUT)
    if member is None:
        return Body(fields, None)
    if text.text[member.start : member.start + 1] == b"[":
        return Body(fields, _items(reader, member))
    return Body(fields, _text_or_none(reader.value(member.start, member.end, 1)))


def _items(reader: ValueReader, member: Entry) -> Iterator[Any]:
    for each in reader.items(member.start, 1):
        if isinstance(each, Entry):
            yield reader.value(each.start, each.end, 2)
        else:
            yield from each


def _text_or_none(found: Any) -> str | None:
    if found is None or isinstance(found, str):
        return found
    raise RequestError(f"'{INPUT}' must be a string or a list.", param=INPUT)
