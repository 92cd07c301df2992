"""The strings of a request, as far as they matter for reading a refusal that may quote them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from backends.adapt.facts import Request
from turns import Turns
from wire.json_values import RawJson

_QUOTES = str.maketrans("", "", "'\"`’‘“”\\")
_SLICE = 1 << 16
_OVERLAP = 512
"""Characters by which slices overlap: more than any pattern matches."""
_RUN = 4
"""Words in a row that are a quotation if the request has them, too. Three occur by chance in any long prompt."""
_SHORT = 64
"""Characters of a string that is a quotation as a whole, if it has at least two words."""
_TIMES = 8
_GONE = "¦"
"""What stands for a quotation: no pattern has it."""


def normal(text: str) -> str:
    """A text in lower case, without quotes and backslashes, with one blank for several and for escaped line ends."""
    text = re.sub(r"\\+[nrt]", " ", text.lower())
    return re.sub(r"\s+", " ", text.translate(_QUOTES))


class OwnWords:
    """What the client wrote. It is read when something was found that it might have written."""

    def __init__(self, body: Request) -> None:
        self._body = body
        self._turns = Turns()
        self._slices: list[str] | None = None
        self._short: set[str] = set()

    def said_by_others(self, pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
        """The first match of the pattern that is still there when what the client wrote is taken out."""
        for _ in range(_TIMES):
            match = pattern.search(text)
            if match is None:
                return None
            left = self._without(match, text)
            if left == text:
                return match
            text = left
        return None

    def _without(self, match: re.Match[str], text: str) -> str:
        """The text, with what the match quotes of the request taken out."""
        spans = [found.span() for found in re.finditer(r"\w+", text[match.start() : match.end()])]
        words = [match[0][start:end] for start, end in spans]
        cuts = list(self._quoted(words))
        for first, last in reversed(cuts):
            start, end = match.start() + spans[first][0], match.start() + spans[last - 1][1]
            text = text[:start] + _GONE + text[end:]
        return text

    def _quoted(self, words: list[str]) -> Iterator[tuple[int, int]]:
        """The runs of words that the request has: (the first one, the one behind the last)."""
        if self._has(words):
            yield 0, len(words)
            return
        at = 0
        while at < len(words):
            end = at + _RUN
            if end <= len(words) and self._has(words[at:end]):
                while end < len(words) and self._has(words[at : end + 1]):
                    end += 1
            else:
                ends = range(at + 2, min(len(words), at + 16) + 1)
                end = next((each for each in reversed(ends) if " ".join(words[at:each]) in self._short), at)
            if end > at:
                yield at, end
            at = max(end, at + 1)

    def _has(self, words: list[str]) -> bool:
        """Whether the request says these words in a row."""
        if self._slices is None:
            self._slices = list(self._read())
        said = " ".join(words)
        for each in self._slices:
            if said in each:
                return True
            self._turns.take()
        return False

    def _read(self) -> Iterator[str]:
        """All strings of the request in their order as one text of words, in slices that overlap."""
        held = ""
        for string in _strings(self._body):
            for start in range(0, len(string) or 1, _SLICE):
                words = " ".join(re.findall(r"\w+", normal(string[start : start + _SLICE])))
                held = f"{held} {words}" if words else held
                if len(string) <= _SHORT and " " in words:
                    self._short.add(words)
                if len(held) >= _SLICE:
                    yield held
                    held = held[-_OVERLAP:]
                self._turns.take()
        yield held


def _strings(value: Any) -> Iterator[str]:
    """The strings in a value, names of members included, in their order."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, RawJson):
            yield each.text.decode("utf-8", "replace")
        elif isinstance(each, dict):
            for name, inner in reversed(each.items()):
                waiting += [inner, name]
        elif isinstance(each, list):
            waiting += reversed(each)
