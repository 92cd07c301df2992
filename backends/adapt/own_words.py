"""The strings of a request, as far as they matter for reading a refusal that may quote them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from backends.adapt.facts import Request
from turns import Turns
from wire.json_values import RawJson

_QUOTES = "'\"`\\"
_NO_QUOTES = str.maketrans("", "", _QUOTES)
_WORD = re.compile(r"(?:[a-z0-9_]|[^\x00-\x7f])+")
_TO_BLANKS = bytes(each if re.match(rb"[\w\x80-\xff]", bytes([each])) else 32 for each in range(256))
"""By byte of UTF-8: what is part of a word stays."""
_ESCAPE = re.compile(r"\\+(?:[uU]([0-9a-fA-F]{4})|[xX]([0-9a-fA-F]{2}))")
_SLICE = 1 << 16
_OVERLAP = 512
"""Characters by which slices overlap: more than any pattern matches."""
_RUN = 5
"""Words in a row that are a quotation if the request has them, too. Fewer occur by chance in any long prompt."""
_SHORT = 64
"""Characters of a string that is a quotation as a whole."""
_LONGEST = 16
"""Words of such a string."""
_AROUND = 160
"""Characters before and behind a match that are looked at: a quotation may begin before it."""
_LISTED = 3
"""Words in a row that are a quotation if each of them is a string of the request: servers list names."""
_OF_THE_API = frozenset(
    {
        *("messages", "role", "content", "tool_calls", "tool_call_id", "id", "type", "function", "name", "arguments"),
        *("tools", "tool_choice", "parameters", "properties", "description", "required", "items", "model", "stream"),
        *("user", "assistant", "system", "developer", "tool", "functions", "text", "image_url", "auto", "none", "any"),
        *("string", "object", "integer", "number", "array", "boolean", "null", "reasoning_content", "body"),
    }
)
"""Words that servers say of themselves, although they stand in requests, too."""
_TIMES = 8
_GONE = "¦"
"""What stands for a quotation: no pattern has it."""


def normal(text: str) -> str:
    """A text in lower case, without quotes and backslashes, with one blank for several and for escaped line ends."""
    text = re.sub(r"\\+[nrt]", " ", _unescaped(text).lower())
    return re.sub(r"\s+", " ", text.translate(_NO_QUOTES))


def _words(text: str) -> bytes:
    """The words of a text as `normal` has them, in UTF-8, with one blank between two. Fast, as requests are long."""
    text = _unescaped(text).lower()
    if not text.isascii():
        text = " ".join(text.split())  # there are blanks of more than one byte
    raw = text.encode(errors="replace")
    for escape in (b"\\n", b"\\r", b"\\t"):
        raw = raw.replace(escape, b" ")
    return b" ".join(raw.translate(_TO_BLANKS, _QUOTES.encode()).split())


def _unescaped(text: str) -> str:
    """The characters that are spelled as in JSON, Python or HTML: servers quote so, and clients may write so."""
    if "\\" in text:
        text = _ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
    return html.unescape(text) if "&" in text else text


class OwnWords:
    """What the client wrote. It is read when something was found that it might have written."""

    def __init__(self, body: Request) -> None:
        self._body = body
        self._turns = Turns()
        self._slices: list[bytes] | None = None
        self._short: set[str] = set()
        self._single: set[str] = set()

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
        start, end = max(0, match.start() - _AROUND), match.end() + _AROUND
        spans = [(start + at, start + to) for at, to in (each.span() for each in _WORD.finditer(text[start:end]))]
        words = [text[at:to] for at, to in spans]
        inside = [place for place, (at, to) in enumerate(spans) if at < match.end() and to > match.start()]
        if not inside:
            return text
        for first, last in reversed(list(self._quoted(words, inside[0], inside[-1] + 1))):
            text = text[: spans[first][0]] + _GONE + text[spans[last - 1][1] :]
        return text

    def _quoted(self, words: list[str], begin: int, stop: int) -> Iterator[tuple[int, int]]:
        """The runs of words that the request has, of those that reach into the words from `begin` to `stop`."""
        if self._has(words[begin:stop]):
            while begin > 0 and self._has(words[begin - 1 : stop]):
                begin -= 1
            while stop < len(words) and self._has(words[begin : stop + 1]):
                stop += 1
            yield begin, stop
            return
        at = 0
        while at < stop:
            end = at + _RUN
            if begin < end + _LONGEST and end <= len(words) and self._has(words[at:end]):
                while end < len(words) and self._has(words[at : end + 1]):
                    end += 1
            else:
                ends = range(at + 1, min(len(words), at + _LONGEST) + 1) if at >= begin - _LONGEST else ()
                end = next((each for each in reversed(ends) if " ".join(words[at:each]) in self._strings()), at)
                end = max(end, self._end_of_list(words, at))
            if end > max(at, begin):
                yield at, end
            at = max(end, at + 1)

    def _end_of_list(self, words: list[str], at: int) -> int:
        """The end of a run of words each of which is a string of the request; `at` if that may be chance."""
        end = at
        while end < len(words) and (words[end] in self._single or words[end] in _OF_THE_API):
            end += 1
        by_client = sum(each not in _OF_THE_API for each in words[at:end])
        return end if end - at >= _LISTED and by_client > 1 else at

    def _has(self, words: list[str]) -> bool:
        """Whether the request says these words in a row."""
        said = " ".join(words).encode(errors="replace")
        for each in self._text():
            if said in each:
                return True
            self._turns.take()
        return False

    def _text(self) -> list[bytes]:
        """All strings of the request in their order as one text of words, in slices that overlap."""
        if self._slices is None:
            self._slices = list(self._read())
        return self._slices

    def _strings(self) -> set[str]:
        """The short strings that are a quotation as a whole: of several words, or a name that the client gave."""
        self._text()
        return self._short

    def _read(self) -> Iterator[bytes]:
        held = b""
        for string, is_name in _strings(self._body):
            for start in range(0, len(string) or 1, _SLICE):
                words = _words(string[max(0, start - _OVERLAP) : start + _SLICE])  # no word is cut in two
                held += b" " + words
                if len(held) >= _SLICE:
                    yield held
                    held = held[-_OVERLAP:]
                self._turns.take()
            if len(string) <= _SHORT:
                self._remember(words.decode(), is_name)
        yield held

    def _remember(self, words: str, is_name: bool) -> None:
        """A short string, which may be quoted as a whole."""
        if " " in words or ("_" in words and not is_name):
            self._short.add(words)
        elif words not in _OF_THE_API:
            self._single.add(words)


def _strings(value: Any) -> Iterator[tuple[str, bool]]:
    """The strings in a value in their order, and whether each is the name of a member."""
    waiting = [(value, False)]
    while waiting:
        each, is_name = waiting.pop()
        if isinstance(each, str):
            yield each, is_name
        elif isinstance(each, RawJson):
            yield each.text.decode("utf-8", "replace"), False
        elif isinstance(each, dict):
            for name, inner in reversed(each.items()):
                waiting += [(inner, False), (name, True)]
        elif isinstance(each, list):
            waiting += [(inner, False) for inner in reversed(each)]
