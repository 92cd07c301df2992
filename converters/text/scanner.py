"""Finding markers in text that comes in pieces: the only file that knows about the ends of pieces.

It may not know what a tool call is. Both finders answer three ways: found, not here, and *not yet*: the text ends
inside something that could still become the marker. Nothing is scanned twice because a piece ended. Regexes are made
when they are first asked: a process meets few of the syntaxes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

from converters.text.once import made_once_property

Search: TypeAlias = Callable[..., "re.Match[str] | None"]

_MOST_SPACE = 4096
BLANK = r"[\s\u200b\u2060\ufeff]"
"""A character that is white space between the tokens of markup: Unicode's, and those without width."""

FEW_BLANKS = rf"{BLANK}{{0,64}}"
"""White space inside a tag, or between words of markup."""

BLANKS = rf"{BLANK}{{0,{_MOST_SPACE}}}"
"""White space behind what may still be a text value: in one, an escape is data."""

SPACE = rf"{BLANKS}(?:\\[nrt]{BLANKS}){{0,16}}"
"""White space that markup allows; some models write its escapes instead. Bounded, so that it is not held for ever."""

SPACE_SO_FAR = rf"{SPACE}(?:\\\Z)?"
"""The same where the text may end inside it."""

NAME = r"[\w.:/@-]{1,256}(?<!/)"
"""A function's name, or an id, as markup can hold it."""

SHORTEST_NAME = r"[\w.:/@-]{1,256}?"
"""The same, no longer than it must be."""

LONGEST_RUN = 256
"""Longest run of backticks or tildes, in characters: what is longer is read as several, and not held for ever."""

_KEY_INSIDE = r"[^<>\"'\n]"
_KEY_EDGE = r"[^<>\"'\n/\s\u200b\u2060\ufeff]"
SHORTEST_KEY = rf"{_KEY_EDGE}{_KEY_INSIDE}{{0,255}}?(?<!{BLANK})"
"""A parameter's name as markup can hold it, no longer than it must be.

No white space stands at its edges: it could belong to two parts of a regex, which would then try all ways to share it.
"""

KEY_SO_FAR = rf"{_KEY_EDGE}(?:{_KEY_INSIDE}{{0,255}}\Z|{_KEY_INSIDE}{{0,255}}(?<!{BLANK}))"
"""The same where the text may end inside it."""


_BLANK_CHARACTERS = "".join(char for char in map(chr, range(0x3001)) if char.isspace()) + "\u200b\u2060\ufeff"


def only_more_space(held: str, text: str) -> bool:
    """Whether a piece only lengthens the white space in which what is held ends.

    Then there is nothing new to see, until there is more of it than markup allows; so nothing need be read again.
    """
    if not text or text.strip(_BLANK_CHARACTERS):
        return False
    space = len(held) - len(held.rstrip(_BLANK_CHARACTERS))
    return space > 0 and space + len(text) < _MOST_SPACE


_TAG = re.compile(r"</?[A-Za-z]")
NOTHING = r"(?!)"
"""A regex that matches nowhere."""

_MARKUP = frozenset("<[])\n")
"""What markup begins with. In any other marker, which is words, a blank stands for itself."""
_ON_A_LINE = r"(?:[^\S\n]|\u200b|\u2060|\ufeff)"
_INNER_BLANK = re.compile(rf"(?<!^){_ON_A_LINE}")


def folded(marker: str) -> str:
    """A marker, or the start of one, as markers are compared.

    The case of a tag's name means nothing, nor does which blank stands in markup, but for its first character and line
    ends.
    """
    if marker[:1] not in _MARKUP:
        return marker
    if not marker.isprintable():  # no blank but " " is printable
        marker = _INNER_BLANK.sub(" ", marker)
    return marker.lower() if _TAG.search(marker) else marker


def beginnings(literals: Iterable[str]) -> frozenset[str]:
    """The starts of the literals, each shorter than its literal."""
    return frozenset(each[:length] for each in literals for length in range(1, len(each)))


@lru_cache(maxsize=4096)
def characters(literal: str) -> tuple[str, ...]:
    """The regex of each character of a literal."""
    is_markup, is_tag = literal[:1] in _MARKUP, _TAG.search(literal) is not None
    return tuple(
        f"[{char.lower()}{char.upper()}]"
        if is_tag and char.isascii() and char.isalpha()
        else _ON_A_LINE
        if is_markup and place and char == " "
        else re.escape(char)
        for place, char in enumerate(literal)
    )


def any_of(literals: Iterable[str]) -> str:
    """A regex for one of the literals, the longest first, or for the start of one at the end of the text.

    The caller tells the two apart by whether the match, `folded`, is one of the literals.
    """
    return _any_of(frozenset(literals))


@lru_cache(maxsize=512)
def _any_of(literals: frozenset[str]) -> str:
    return f"(?:{_trie(sorted({characters(folded(literal)) for literal in literals}))})"


def _trie(words: Sequence[tuple[str, ...]]) -> str:
    branches: dict[str, list[tuple[str, ...]]] = {}
    for word in words:
        if word:
            branches.setdefault(word[0], []).append(word[1:])
    return "|".join(char + _after(rest) for char, rest in branches.items())


def _after(rest: list[tuple[str, ...]]) -> str:
    if rest == [()]:
        return ""
    ending = "" if () in rest else r"\Z"
    return f"(?:{_trie(rest)}|{ending})"


class Markers:
    """Looks for the next of several literals, and for the start of one at the end of the text.

    What it finds must be `folded` before it is compared with the literals. Most text holds no marker, and that must be
    cheap to see: so the first two characters of every marker are looked for first, and whole markers and halves apart.
    """

    def __init__(self, literals: Iterable[str], also: Iterable[str] = ()) -> None:
        """`also` holds regexes of markers that are no literals, such as a run of backticks; each begins with a literal
        character."""
        self.literals = frozenset(map(folded, literals))
        """All of them, folded."""
        self._halves = beginnings(self.literals)
        self.longer = self.literals & self._halves
        """Literals that others begin with: at the end of the text they may be the start of a longer one."""
        self._also = tuple(also)
        self._longest = max(map(len, self._halves), default=0)

    @property
    def heads(self) -> list[str]:
        """Regexes of what markers begin with. Each starts with a literal character, which makes the search fast."""
        return [*_two_letters(self.literals), *(re.escape(regex[0]) for regex in self._also)]

    @made_once_property
    def _heads(self) -> Search:
        return re.compile("|".join(self.heads) or NOTHING).search

    @made_once_property
    def _whole(self) -> Search:
        return re.compile("|".join([longest_of(map(characters, self.literals)), *self._also])).search

    def search(self, text: str, start: int = 0) -> re.Match[str] | None:
        """A match of a marker, or of the start of one that reaches the end of the text."""
        head = self._heads(text, start)
        if head is None:
            return None
        place, length = head.start(), len(text)
        whole = self._whole(text, place)
        end = length if whole is None else whole.start() + 1
        at: re.Match[str] | None = head
        if length - place > self._longest:  # no half begins so early
            place = length - self._longest
            at = self._heads(text, place) if place < end else None
        while at is not None and at.start() < end:
            if folded(text[at.start() :]) in self._halves:
                return _REST.match(text, at.start())
            at = self._heads(text, at.start() + 1)
        return whole


class MarkerPrefilter:
    """A cheap test whether a text may hold a marker: whether it holds what markers begin with.

    It has false positives, but no false negatives.
    """

    def __init__(self, markers: Markers, others: Iterable[str], last: str = "", also: Iterable[str] = ()) -> None:
        """`others` are characters that could matter, too, and `last` those that matter as the last one of a text.

        `also` holds regexes of what else could.
        """
        heads = [*markers.heads, *map(re.escape, sorted(others)), *also]
        self.last = frozenset(last)
        """Characters of which none may be the last, or the text says more than `in_prose` finds."""
        self.in_prose = re.compile("|".join(heads)).search
        """A search in text of one or several lines. If it finds nothing, the text holds no marker."""
        unread = [*range(32), *b'"\\', *range(128, 256)]
        plain = [*(head for head in heads if head.isascii()), *(re.escape(chr(each)) for each in unread)]
        plain += [rf"{re.escape(char)}\Z" for char in last if char.isascii()]
        self.in_string = re.compile("|".join(plain).encode("latin-1")).search
        """A search in the bytes of a JSON string. It finds every escape, line end and non-ASCII byte."""


_REST = re.compile(r".+", re.DOTALL)


def _two_letters(words: Iterable[str]) -> Iterator[str]:
    """Regexes of what words begin with, grouped by their first character."""
    seconds: dict[str, set[str]] = {}
    for first, *others in map(characters, words):
        seconds.setdefault(first, set()).add(others[0] if others else "")
    for first, found in sorted(seconds.items()):
        yield first + ("" if "" in found else rf"(?:{'|'.join(sorted(found))}|\Z)")


def longest_of(words: Iterable[tuple[str, ...]]) -> str:
    """A regex for one of the words, given as regexes of their characters: the longest that fits."""
    groups: dict[str, list[tuple[str, ...]]] = {}
    for word in sorted(filter(None, words)):
        groups.setdefault(word[0], []).append(word)
    return "|".join(map(_longest_in, groups.values()))


def _longest_in(words: list[tuple[str, ...]]) -> str:
    """The same for words that begin alike."""
    least, most = min(words), max(words)
    shared = next((least[:pos] for pos, char in enumerate(least) if most[pos] != char), least)
    rest = longest_of(word[len(shared) :] for word in words)
    optional = "?" if shared in words else ""
    return "".join(shared) + (f"(?:{rest}){optional}" if rest else "")


class Lookahead:
    """White space and one of several markers, looked for at a position: FOUND, MISSING, or not there YET."""

    FOUND, YET, MISSING = range(3)

    def __init__(self, markers: Iterable[str], space: str = SPACE) -> None:
        """`space` is the regex of the white space."""
        self._space = space
        self._markers = frozenset(map(folded, filter(None, markers)))
        self._longer = self._markers & beginnings(self._markers)

    @made_once_property
    def _match(self) -> Search:
        return re.compile(rf"{self._space}({any_of(self._markers)}|\\?\Z)").match

    def look(self, text: str, pos: int) -> tuple[int, str, int]:
        """(what was found, the marker folded, the position behind it)"""
        match = self._match(text, pos)
        if match is None:
            return self.MISSING, "", pos
        marker = folded(match[1])
        if marker in self._markers and not (marker in self._longer and match.end() == len(text)):
            return self.FOUND, marker, match.end()
        return self.YET, "", pos
