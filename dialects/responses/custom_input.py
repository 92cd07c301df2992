"""The input of a custom tool, out of the arguments of the function that stands for it: `{"input": "…"}`, in pieces.

The text leaves as it comes. Arguments of another form are kept to their end.
"""

from __future__ import annotations

import json
import re
from typing import Any

from dialects.responses.tools import INPUT

_OPENING = re.compile(r'\s*\{\s*"' + INPUT + r'"\s*:\s*"')
_LONGEST_OPENING = 200
"""Characters in which the text begins, or else it is looked for at the end."""
_WHOLE = re.compile(r'[^"\\]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*)*')
"""What is known to be text: up to the quote at its end, or to half an escape."""
_LONGEST_ESCAPE = 6
_HALF_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")
_HIGH_HALF = re.compile(r"(?<!\\)(?:\\\\)*(\\u[dD][89abAB][0-9a-fA-F]{2})$")


class CustomInput:
    """`feed` it the deltas of the arguments; what it returns, joined and with `finish`, is the input."""

    def __init__(self) -> None:
        self._json: list[str] = []
        self._waiting = ""
        self._inside = False
        self._over = False

    def feed(self, delta: str) -> str:
        """More of the arguments; returns more of the input."""
        if self._over:
            return ""
        self._waiting += delta
        if not self._inside:
            opening = _OPENING.match(self._waiting) if len(self._waiting) - len(delta) < _LONGEST_OPENING else None
            if opening is None:
                self._json.append(delta)
                if len(self._waiting) > _LONGEST_OPENING:
                    self._waiting = self._waiting[:_LONGEST_OPENING]
                return ""
            self._inside = True
            self._waiting = self._waiting[opening.end() :]
        return self._text()

    def finish(self) -> str:
        """The rest of the input, where its text did not come by itself."""
        if self._inside:
            rest = "" if self._over or _HALF_ESCAPE.fullmatch(self._waiting) else self._waiting
            self._waiting = ""
            return _decoded(rest) if _WHOLE.fullmatch(rest) else rest
        whole = "".join(self._json)
        found = _parsed(whole)
        if isinstance(found, dict) and isinstance(found.get(INPUT), str):
            return str(found[INPUT])
        return "" if found == {} else whole

    def _text(self) -> str:
        pieces: list[str] = []
        waiting, start = self._waiting, 0
        while True:
            known = _WHOLE.match(waiting, start)
            end = self._known_end(start, known.end() if known else start)
            pieces.append(_decoded(waiting[start:end]))
            if waiting[end : end + 1] != "\\" or len(waiting) - end <= 2 * _LONGEST_ESCAPE:
                break
            pieces.append("\\")  # no escape of JSON: the server's own words, which are not ours to judge
            start = end + 1
        self._waiting = waiting[end:]
        self._over = self._waiting.startswith('"')
        return "".join(pieces)

    def _known_end(self, start: int, end: int) -> int:
        """Where the text ends that is known: before half a character, if its other half may follow."""
        waiting = self._waiting
        if len(waiting) - end >= _LONGEST_ESCAPE or "\\u" not in waiting[max(start, end - _LONGEST_ESCAPE) : end]:
            return end
        followed = len(waiting) > end and not _HALF_ESCAPE.fullmatch(waiting, end)
        half = None if followed else _HIGH_HALF.search(waiting, start, end)
        return end if half is None else half.start(1)


def _decoded(text: str) -> str:
    return str(json.loads(f'"{text}"', strict=False)) if "\\" in text else text


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
