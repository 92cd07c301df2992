"""JSON that is too long for `json.loads`, which holds up everybody until it is done, and makes a tree of all of it.

A JsonText is walked in slices between which others take their turn, and makes objects only of what it is asked for. It
reads the same grammar and reports the same faults as `json.loads`. Positions are offsets of bytes.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import NoReturn

from turns import Turns
from wire import json_grammar as grammar
from wire.json_depth import MAX_DEPTH

_RUN = 8192
"""Bytes of a slice with many small values: a match takes about 50 ns and 100 bytes of memory for each."""
_SLICE = 1 << 17
"""Bytes of a slice of one string, or of blanks."""
_LONG_NUMBER = 4096
_LONG_NAME = 4096
_LIST, _OBJECT, _QUOTE, _COMMA, _COLON, _BACKSLASH = b'[{",:\\'
_ESCAPE = 6  # the longest, in bytes
_LOW_HALF = re.compile(rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_LAST_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*(\\u[0-9a-fA-F]{4})\Z")


class JsonFault(ValueError):
    """The text is no JSON. `at` is the offset of the byte that is wrong, `reason` what `json.loads` would say."""

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at


class TooDeep(ValueError):
    """The text nests deeper than it may."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A value in a list or an object."""

    comma: int
    """Where the comma before it stands; -1 if there is none."""
    name: int
    """Where its name begins; for an item, where it begins itself."""
    start: int
    end: int
    next: int
    """Where the next entry begins; -1 if there is none."""


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring small entries, without a comma behind the last."""

    start: int
    end: int


Entries = Generator[Entry | Run, None, int]


class JsonText:
    """JSON in UTF-8, walked by one thread. What it raises is a JsonFault or TooDeep."""

    def __init__(self, text: bytes, turns: Turns | None = None, deepest: int = MAX_DEPTH) -> None:
        """`deepest` is how many levels it may nest."""
        self.text = text
        self._deepest = deepest
        self.turns = turns or Turns()
        self._size = len(text)

    def check(self) -> tuple[int, int]:
        """Walk all of the text. Returns where its value begins and ends."""
        start = self.blanks(0)
        end = self.end_of(start)
        self.no_more(end)
        return start, end

    def no_more(self, at: int) -> None:
        """Nothing but blanks stands from `at` on."""
        at = self.blanks(at)
        if at < self._size:
            self._fault(at, "[]")

    def blanks(self, at: int) -> int:
        """The end of the blanks at `at`."""
        while at < self._size and self.text[at] <= 32:
            end = grammar.BLANKS.match(self.text, at, at + _SLICE).end()  # type: ignore[union-attr]
            if end < at + _SLICE:
                return end
            at = end
            self.turns.take()
        return at

    def empty(self, at: int) -> bool:
        """Whether the list or object at `at` holds nothing."""
        inside = self.blanks(at + 1)
        return inside < self._size and self.text[inside] == self.text[at] + 2

    def end_of(self, at: int, level: int = 0) -> int:
        """The end of the value at `at`, around which so many containers are open."""
        open_here = bytearray()
        while True:
            kind = self.text[at] if at < self._size else 0
            if kind in (_LIST, _OBJECT):
                if level + len(open_here) >= self._deepest:
                    raise TooDeep
                if self.empty(at):
                    at = self.blanks(at + 1) + 1
                else:
                    open_here.append(kind)
                    at, ended = self._enter(self.blanks(at + 1), kind, level + len(open_here), -1)
                    if not ended:
                        continue
                    open_here.pop()
            elif kind == _QUOTE:
                at = self.string_end(at)
            else:
                at = self._scalar_end(at, "[" if not open_here or open_here[-1] == _LIST else '{"":')
            while open_here:
                at, kind = self.blanks(at), open_here[-1]
                self._expect_delimiter(at, kind)
                ended = self.text[at] != _COMMA
                if ended:
                    at += 1
                else:
                    at, ended = self._enter(self.blanks(at + 1), kind, level + len(open_here), at)
                if not ended:
                    break
                open_here.pop()
            else:
                return at

    def entries(self, at: int, level: int = 0, names: frozenset[str] = frozenset()) -> Entries:
        """What the list or object at `at` holds, in order; its end is returned (`yield from`).

        Small entries come together as a Run, but for members with these `names`.
        """
        kind = self.text[at]
        if level >= self._deepest:
            raise TooDeep
        if self.empty(at):
            return self.blanks(at + 1) + 1
        comma, at = -1, self.blanks(at + 1)
        while True:
            end, last = self._run(at, kind, level + 1, names)
            if end > at:
                yield Run(at, end if last else end - 1)
                if last:
                    return end + 1
                comma, at = end - 1, self.blanks(end)
                continue
            name = start = self.blanks(at)
            if kind == _OBJECT:
                start = self._name_end(name, comma)
            else:
                self._expect_value(start, "[" if comma < 0 else "[0,", comma)
            end = self.end_of(start, level + 1)
            at = self.blanks(end)
            self._expect_delimiter(at, kind)
            if self.text[at] != _COMMA:
                yield Entry(comma, name, start, end, -1)
                return at + 1
            following = self.blanks(at + 1)
            yield Entry(comma, name, start, end, following)
            comma, at = at, following

    def named(self, at: int, names: frozenset[str], level: int = 0) -> tuple[dict[str, Entry], int]:
        """(the last member of each of these names in the object at `at`, its end)"""
        found: dict[str, Entry] = {}
        walk = self.entries(at, level, names)
        while True:
            try:
                each = next(walk)
            except StopIteration as end:
                return found, end.value
            if isinstance(each, Entry) and (name := self.name_of(each)) in names:
                found[name] = each

    def name_of(self, member: Entry) -> str:
        """The name of a member; empty for one that is too long to be known to anybody."""
        end = min(member.start, member.name + _LONG_NAME)
        return str(json.loads(self.text[member.name : self.string_end(member.name)])) if end == member.start else ""

    def string_end(self, at: int) -> int:
        """The end of the string at `at`."""
        for _, end in self.string_pieces(at):
            at = end
        return at + 1

    def string_pieces(self, at: int) -> Iterator[tuple[int, int]]:
        """The spans of a string's content, in slices that end behind an escape and within no character."""
        begin, at = at, at + 1
        while True:
            limit = at + _SLICE
            end = grammar.REST_OF_STRING.match(self.text, at, limit).end()  # type: ignore[union-attr]
            if end < self._size and self.text[end] == _QUOTE:
                yield at, end
                return
            cut = end >= limit or (end > limit - _ESCAPE and self.text[end : end + 1] == b"\\")
            if not cut or end >= self._size:
                self._fault_in_string(begin, end)
            end = _utf8_cut(self.text, end)
            if _LOW_HALF.match(self.text, end):
                end += _ESCAPE  # the pair is one character
            yield at, end
            self.turns.take()
            at = end

    # -- inside ------------------------------------------------------------------------------------------------------

    def _enter(self, at: int, kind: int, level: int, comma: int) -> tuple[int, bool]:
        """Go to the next value that must be looked at: (where it begins, False), or (the container's end, True)."""
        read = _RUN
        while read >= _RUN // 2:  # else what stopped the run is long: it would be read to the end of the slice again
            end, last = self._run(at, kind, level, frozenset())
            if last:
                return end + 1, True
            comma = end - 1 if end > at else comma
            read, at = end - at, end
        at = self.blanks(at)
        if kind == _OBJECT:
            return self._name_end(at, comma), False
        self._expect_value(at, "[" if comma < 0 else "[0,", comma)
        return at, False

    def _run(self, at: int, kind: int, level: int, names: frozenset[str]) -> tuple[int, bool]:
        """The end of the run of small entries at `at`, and whether it is the end of the container."""
        nested = max(0, min(grammar.NESTED, self._deepest - 1 - level))
        if level >= self._deepest:
            return at, False  # an empty container would be one level too deep
        if names:
            nested = min(nested, 1)
        pattern = grammar.items(nested) if kind == _LIST else grammar.members(nested, names)
        self.turns.take()
        end = pattern.match(self.text, at, at + _RUN).end()  # type: ignore[union-attr]
        return end, end > at and self.text[end - 1] != _COMMA

    def _name_end(self, at: int, comma: int) -> int:
        """Where the value of the member with the name at `at` begins."""
        if at >= self._size or self.text[at] != _QUOTE:
            self._fault(at, "{" if comma < 0 else '{"":0,', comma)
        at = self.blanks(self.string_end(at))
        if at >= self._size or self.text[at] != _COLON:
            self._fault(at, '{""')
        at = self.blanks(at + 1)
        self._expect_value(at, '{"":', -1)
        return at

    def _expect_value(self, at: int, before: str, comma: int) -> None:
        if at >= self._size or self.text[at] in b"]},:":
            self._fault(at, before, comma)

    def _expect_delimiter(self, at: int, kind: int) -> None:
        """A comma or the closer of the container."""
        if at >= self._size or self.text[at] not in (_COMMA, kind + 2):
            self._fault(at, "[[]" if kind == _LIST else '{"":[]')

    def _scalar_end(self, at: int, before: str) -> int:
        found = grammar.SCALAR.match(self.text, at, at + _LONG_NUMBER)
        if found is None:
            self._fault(at, before)
        if found.end() < at + _LONG_NUMBER - 8 or found.end() == self._size:
            return found.end()
        return self._long_number_end(at)

    def _long_number_end(self, at: int) -> int:
        at += self.text[at] == ord("-")
        at = at + 1 if self.text[at] == ord("0") else self._digits_end(at)
        if self.text[at : at + 1] == b"." and self._digits_end(at + 1) > at + 1:
            at = self._digits_end(at + 1)
        if self.text[at : at + 1] in (b"e", b"E"):
            digits = at + 2 if self.text[at + 1 : at + 2] in (b"+", b"-") else at + 1
            if self._digits_end(digits) > digits:
                at = self._digits_end(digits)
        return at

    def _digits_end(self, at: int) -> int:
        while (end := grammar.DIGITS.match(self.text, at, at + _SLICE).end()) == at + _SLICE:  # type: ignore[union-attr]
            at = end
            self.turns.take()
        return end

    # -- faults: what `json.loads` says of a short text that is wrong at the same place --------------------------------

    def _fault(self, at: int, before: str, comma: int = -1) -> NoReturn:
        """`before` stands for what was read, and was right."""
        rest = self.text[at : at + 16].decode(errors="replace")
        try:
            json.loads(before + rest)
        except json.JSONDecodeError as error:
            inside = error.pos - len(before)
            raise JsonFault(error.msg, at + inside if inside >= 0 else max(comma, 0)) from None
        raise JsonFault("Expecting value", at)

    def _fault_in_string(self, begin: int, end: int) -> NoReturn:
        last = _LAST_ESCAPE.search(self.text, max(begin + 1, end - 64), end) if end >= self._size else None
        if last is not None:
            end = last.start(1)  # no room for the quote behind it is what is said
        rest = self.text[end : end + 16].decode(errors="replace")
        try:
            json.loads('"' + rest)
        except json.JSONDecodeError as error:
            raise JsonFault(error.msg, end + error.pos - 1 if error.pos else begin) from None
        raise JsonFault("Unterminated string starting at", begin)


def utf8_of(raw: bytes, turns: Turns) -> bytes:
    """The text in UTF-8 without a byte order mark, as `json.loads` decodes it. Raises UnicodeDecodeError."""
    encoding = json.detect_encoding(raw)
    if encoding not in ("utf-8", "utf-8-sig"):
        return b"".join(_recoded(raw, encoding, turns))
    text = raw.removeprefix(codecs.BOM_UTF8)
    start = 0
    while start < len(text):
        end = start + _SLICE
        end = _utf8_cut(text, end) if end < len(text) else len(text)
        try:
            text[start:end].decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            error.start += start
            raise
        start = end
        turns.take()
    return text


def _recoded(raw: bytes, encoding: str, turns: Turns) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    for start in range(0, len(raw), _SLICE):
        held = len(decoder.getstate()[0])
        try:
            text = decoder.decode(raw[start : start + _SLICE], start + _SLICE >= len(raw))
        except UnicodeDecodeError as error:
            error.start += start - held
            raise
        yield text.encode("utf-8", "surrogatepass")
        turns.take()


def _utf8_cut(text: bytes, at: int) -> int:
    """A place at `at` or shortly before it, within no character."""
    return next((at - back for back in range(4) if text[at - back] & 0xC0 != 0x80), at)


def place_of(text: bytes, at: int, turns: Turns) -> tuple[int, int]:
    """The line and the column of an offset, counted from 1; columns are characters."""
    line, begin = 1, 0
    for start in range(0, at, _SLICE):
        end = min(start + _SLICE, at)
        line += text.count(b"\n", start, end)
        begin = max(begin, text.rfind(b"\n", start, end) + 1)
        turns.take()
    column = 1
    for start in range(begin, at, _SLICE):
        column += len(re.sub(rb"[\x80-\xbf]+", b"", text[start : min(start + _SLICE, at)]))
        turns.take()
    return line, column
