"""Changes of members of a JSON object in its bytes: what is not changed stays as it was written, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final, Literal

from turns import Turns
from wire.json_slices import Entry, JsonText, utf8_of

REMOVED: Final = "removed"
"""In place of a value: the member goes."""

Changes = Mapping[str, bytes | Literal["removed"]]
"""New values of members, as JSON in UTF-8."""


def edit(raw: bytes, changes: Changes) -> bytes:
    """The object `raw` with these top-level members replaced, removed, or added at its end.

    A name that is there twice is there once afterwards, where it stood last, as this is the one that counts. Another
    encoding becomes UTF-8. `raw` is known to be JSON; raises ValueError if it is no object.
    """
    turns = Turns()
    utf8 = utf8_of(raw, turns)
    text = JsonText(utf8, turns, deepest=len(utf8))  # a value that another of its name replaced may nest deeper
    start = text.blanks(0)
    if text.text[start : start + 1] != b"{":
        raise ValueError("The JSON is no object.")
    only_cuts = all(each == REMOVED for each in changes.values())  # then it does not matter which was the last
    last, end = ({}, 0) if only_cuts else text.named(start, frozenset(changes))
    view = memoryview(text.text)
    return b"".join(_pieces(view, _changed(text, start, end, changes, last)))


def _pieces(view: memoryview, changed: Iterator[tuple[int, int, bytes]]) -> Iterator[memoryview | bytes]:
    done = 0
    for start, end, new in changed:
        yield view[done:start]
        yield new
        done = end
    yield view[done:]


def _changed(
    text: JsonText, start: int, end: int, changes: Changes, last: Mapping[str, Entry]
) -> Iterator[tuple[int, int, bytes]]:
    """(start, end, what comes there) in order."""
    cut: tuple[int, int] | None = None  # of neighbours that go: the comma before them, and where they begin
    stop = start + 1  # the end of the last one that goes
    stays = False
    for each in text.entries(start, 0, frozenset(changes)):
        name = text.name_of(each) if isinstance(each, Entry) else ""
        if isinstance(each, Entry) and name in changes and (changes[name] == REMOVED or each != last[name]):
            cut, stop = cut or (each.comma, each.name), each.end
            continue
        if cut is not None:  # with the comma behind them
            yield cut[1], each.name if isinstance(each, Entry) else each.start, b""
        cut, stays = None, True
        if isinstance(each, Entry) and name in changes:
            yield each.start, each.end, _bytes(changes[name])
    if cut is not None:
        yield (cut[0] if stays else cut[1]), stop, b""
    new = [(name, value) for name, value in changes.items() if value != REMOVED and name not in last]
    members = [json.dumps(name).encode() + b": " + _bytes(value) for name, value in new]
    if members:
        yield end - 1, end - 1, (b", " if stays else b"") + b", ".join(members)


def _bytes(value: bytes | str) -> bytes:
    assert isinstance(value, bytes)
    return value
