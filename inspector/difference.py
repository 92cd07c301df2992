"""What was changed in a request, line by line: as JSON that is written the same way before and after."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

CONTEXT = 3
"""Lines that are shown around a change."""
MOST_LINES = 400
_COMPARED = 1500
"""Lines between the first and the last change that are compared one by one: the time grows with their square."""
_LONGEST = 300
"""Characters of a line that are shown."""

Change = Literal["same", "gone", "new", "skipped"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line. A skipped one stands for `count` lines."""

    change: Change
    text: str
    count: int = 1


def difference(before: str, after: str) -> list[Line]:
    """The changed lines with some around them, at most MOST_LINES. Texts that are no JSON are compared as they are."""
    runs = [(change, texts) for change, texts in _changes(_lines(before), _lines(after)) if texts]
    lines: list[Line] = []
    for place, (change, texts) in enumerate(runs):
        head = CONTEXT if place > 0 else 0
        tail = len(texts) - (CONTEXT if place < len(runs) - 1 else 0)
        if change == "same" and tail > head:
            lines += [Line(change, text) for text in texts[:head]]
            lines.append(Line("skipped", "", tail - head))
            lines += [Line(change, text) for text in texts[tail:]]
        else:
            lines += [Line(change, text) for text in texts]
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], Line("skipped", "", len(lines) - MOST_LINES)]
    return [Line(line.change, _short(line.text), line.count) for line in lines]


def _lines(text: str) -> list[str]:
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    return text.split("\n")


def _changes(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[Change, Sequence[str]]]:
    """Runs of lines. What both have in common at their ends is not compared."""
    common = min(len(old), len(new))
    head = next((place for place in range(common) if old[place] != new[place]), common)
    most = common - head
    tail = next((place for place in range(most) if old[-1 - place] != new[-1 - place]), most)
    yield "same", old[:head]
    one, other = old[head : len(old) - tail], new[head : len(new) - tail]
    if max(len(one), len(other)) > _COMPARED:
        yield "gone", one
        yield "new", other
    else:
        for tag, start, end, begin, stop in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
            if tag == "equal":
                yield "same", one[start:end]
            else:
                yield "gone", one[start:end]
                yield "new", other[begin:stop]
    if tail:
        yield "same", old[len(old) - tail :]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… (+{len(text) - _LONGEST})"
