"""Finding markers in text that comes in pieces: the only file that knows about the ends of pieces.

It may not know what a tool call is. Both finders answer three ways: found, not here, and *not yet*: the text ends
inside something that could still become the marker. Nothing is scanned twice because a piece ended. Regexes are made
when they are first asked: a process meets few of the syntaxes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TypeAlias

Search: TypeAlias = Callable[..., "re.Match[str] | None"]

_MOST_SPACE = 4096
SPACE = rf"\s{{0,{_MOST_SPACE}}}"
"""White space that markup allows. Bounded, so that it cannot be held for ever."""

NAME = r"[\w.:/@-]{1,256}"
"""A function's name, or an id, as markup can hold it."""

KEY = r"[^<>\"'\n/][^<>\"'\n]{0,255}"
"""A parameter's name as markup can hold it."""


def only_more_space(held: str, text: str) -> bool:
    """Whether a piece only lengthens the white space in which what is held ends.

    Then there is nothing new to see, until there is more of it than markup allows; so nothing need be read again.
    """
    if not text.isspace():
        return False
    space = len(held) - len(held.rstrip())
    return space > 0 and space + len(text) < _MOST_SPACE


def any_of(literals: Iterable[str]) -> str:
    """A regex for one of the literals, the longest first, or for the start of one at the end of the text.

    The caller tells the two apart by whether the match is one of the literals.
    """
    return _trie(sorted(set(literals)))


def _trie(words: list[str]) -> str:
    branches: dict[str, list[str]] = {}
    for word in words:
        if word:
            branches.setdefault(word[0], []).append(word[1:])
    options = [re.escape(char) + _after(rest) for char, rest in branches.items()]
    return f"(?:{'|'.join(options)})"


def _after(rest: list[str]) -> str:
    if rest == [""]:
        return ""
    ending = "" if "" in rest else r"\Z"
    return f"(?:{_trie(rest)}|{ending})"


class Markers:
    """Looks for the next of several literals, and for the start of one at the end of the text.

    Most text holds neither, and that must be cheap to see: so the first two characters of every marker are looked
    for first, and whole markers and halves apart.
    """

    def __init__(self, literals: Iterable[str], also: Iterable[str] = ()) -> None:
        """`also` holds regexes of markers that are no literals, such as a run of backticks; each begins with a literal
        character."""
        self.literals = frozenset(literals)
        self.longer = frozenset(a for a in self.literals for b in self.literals if a != b and b.startswith(a))
        """Literals that others begin with: at the end of the text they may be the start of a longer one."""
        self._also = tuple(also)
        self._halves = frozenset(each[:length] for each in self.literals for length in range(1, len(each)))
        self._longest = max(map(len, self._halves), default=0)

    @property
    def heads(self) -> list[str]:
        """Regexes of what markers begin with. Each starts with a literal character, which makes the search fast."""
        return [*_two_letters(self.literals), *(re.escape(regex[0]) for regex in self._also)]

    @cached_property
    def _heads(self) -> Search:
        return re.compile("|".join(self.heads)).search

    @cached_property
    def _whole(self) -> Search:
        return re.compile("|".join([_longest_of(self.literals), *self._also])).search

    def search(self, text: str, start: int = 0) -> re.Match[str] | None:
        """A match of a marker, or of the start of one that reaches the end of the text."""
        head = self._heads(text, start)
        if head is None:
            return None
        whole = self._whole(text, head.start())
        end = len(text) if whole is None else whole.start() + 1
        at: re.Match[str] | None = head
        if end - head.start() > self._longest:
            at = self._heads(text, max(head.start(), len(text) - self._longest))
        while at is not None and at.start() < end:
            if text[at.start() :] in self._halves:
                return _REST.match(text, at.start())
            at = self._heads(text, at.start() + 1)
        return whole


class MarkerPrefilter:
    """A cheap test whether a text may hold a marker: whether it holds what markers begin with.

    It has false positives, but no false negatives.
    """

    def __init__(self, markers: Markers, others: Iterable[str], last: str = "") -> None:
        """`others` are characters that could matter, too, and `last` those that matter as the last one of a text."""
        heads = [*markers.heads, *map(re.escape, sorted(others))]
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
    for word in sorted(words):
        seconds.setdefault(word[0], set()).add(re.escape(word[1:2]))
    for first, others in seconds.items():
        yield re.escape(first) + ("" if "" in others else rf"(?:{'|'.join(sorted(others))}|\Z)")


def _longest_of(words: Iterable[str]) -> str:
    """A regex for one of the words, the longest that fits."""
    groups: dict[str, list[str]] = {}
    for word in sorted(filter(None, words)):
        groups.setdefault(word[0], []).append(word)
    return "|".join(map(_longest_in, groups.values()))


def _longest_in(words: list[str]) -> str:
    """The same for words that begin alike."""
    least, most = min(words), max(words)
    shared = next((least[:pos] for pos, char in enumerate(least) if most[pos] != char), least)
    rest = _longest_of(word[len(shared) :] for word in words)
    optional = "?" if shared in words else ""
    return re.escape(shared) + (f"(?:{rest}){optional}" if rest else "")


class Lookahead:
    """White space and one of several markers, looked for at a position: FOUND, MISSING, or not there YET."""

    FOUND, YET, MISSING = range(3)

    def __init__(self, markers: Iterable[str]) -> None:
        self._markers = frozenset(markers)
        self._longer = frozenset(a for a in self._markers for b in self._markers if a != b and b.startswith(a))

    @cached_property
    def _match(self) -> Search:
        return re.compile(f"{SPACE}({any_of(self._markers)}|\\Z)").match

    def look(self, text: str, pos: int) -> tuple[int, str, int]:
        """(what was found, the marker, the position behind it)"""
        match = self._match(text, pos)
        if match is None:
            return self.MISSING, "", pos
        marker = match[1]
        if marker in self._markers and not (marker in self._longer and match.end() == len(text)):
            return self.FOUND, marker, match.end()
        return self.YET, "", pos


class Pattern:
    """A piece of a template with its holes, matched at a position, or perhaps once more text has come.

    In the template `{name}`, `{key}`, `{id}`, `{type}` and `{to}` stand for words, `{call}` for what stands before the
    bracket of a call, and `⟦a¦b⟧` for a or b. A newline is layout that may be any white space or none, a blank must
    be some white space, a double quote may be either quote or none, and `prefix` may stand in front of the name of
    any tag. `then` names literals of which one must follow, after white space, without being part of the match;
    `unless` has characters of which none may follow, but another must.
    """

    def __init__(self, template: str, then: Iterable[str] = (), prefix: str = "", unless: str = "") -> None:
        atoms = list(_atoms(template, prefix))
        full, started = [atom for atom, _ in atoms], [atom for _, atom in atoms]
        follow = sorted(set(then))
        spaced = full[-1:] == [SPACE]  # two runs of white space in a row would make matching quadratic
        space = "" if spaced else SPACE
        ahead = f"(?={space}(?:{'|'.join(map(re.escape, follow))}))" if follow else ""
        if unless:
            ahead = rf"(?={space}[^\s{re.escape(unless)}])"
            started += [r"\Z"] if spaced else [SPACE, r"\Z"]
        if follow:
            started += [any_of(follow)] if spaced else [SPACE, any_of(follow)]
        self._atoms = started
        self._regex = "".join(full)
        self._ahead = ahead
        self._space = space

    @cached_property
    def _full(self) -> re.Pattern[str]:
        return re.compile(self._regex + self._ahead)

    @cached_property
    def _at_end(self) -> re.Pattern[str]:
        return re.compile(self._regex + self._space + r"\Z")

    @cached_property
    def _started(self) -> re.Pattern[str]:
        return re.compile(_nested(self._atoms))

    def match(self, text: str, start: int = 0) -> re.Match[str] | None:
        return self._full.match(text, start)

    def match_at_end(self, text: str, start: int = 0) -> re.Match[str] | None:
        """A match with nothing but white space behind it, whatever should follow."""
        return self._at_end.match(text, start)

    def may_match(self, text: str, start: int = 0) -> bool:
        """Whether the text ends inside the pattern, so that more text may complete it."""
        return self._started.match(text, start) is not None


_PARTS = re.compile(r"⟦[^⟧]*⟧|\{(?:name|call|key|id|type|to)\}|\n+|[ ]+|</?|.", re.DOTALL)
_AROUND_CALL = r"(?:print\(\s{0,64})?(?:\w{1,256}\s{0,64}=\s{0,64}(?=\w|\Z))?"
_HOLES = {
    "{name}": f"(?P<name>{NAME})",
    "{call}": rf"{_AROUND_CALL}(?!print\()(?P<name>{NAME}?)(?:\.call)?(?=\s{{0,64}}\()",
    "{key}": f"(?P<key>{KEY})",
    "{id}": f"(?P<id>{NAME})",
    "{type}": r"(?P<type>\w*)",
    "{to}": NAME,
}
_GROUP = re.compile(r"\?P<\w+>")
_STARTED = {hole: _GROUP.sub("?:", regex) for hole, regex in _HOLES.items()} | {
    "{call}": rf"(?:(?:print\(\s{{0,64}})?\w{{1,256}}\s{{0,64}}\Z|{_AROUND_CALL}(?:{NAME}|\Z))",
}
"""The holes where the text may end inside them."""


def _atoms(template: str, prefix: str) -> Iterator[tuple[str, str]]:
    """(regex of the whole atom, regex of the atom where the text may end inside it)"""
    for part in _PARTS.findall(template):
        if part[0] == "⟦":
            options = [list(_atoms(option, prefix)) for option in part[1:-1].split("¦")]
            yield (
                "(?:" + "|".join("".join(full for full, _ in option) for option in options) + ")",
                "(?:" + "|".join(_nested([started for _, started in option]) for option in options) + ")",
            )
        elif part in _HOLES:
            yield _HOLES[part], _STARTED[part]
        elif part[0] == "\n":
            yield SPACE, SPACE
        elif part[0] == " ":
            yield r"\s{1,64}", r"\s{1,64}"
        elif part == '"':
            yield "[\"']?", "[\"']?"
        else:
            for char in part:
                yield re.escape(char), re.escape(char)
            if prefix and part[0] == "<":
                yield f"(?:{re.escape(prefix)})?", f"(?:{_nested([re.escape(char) for char in prefix])})?"


def _nested(atoms: Sequence[str]) -> str:
    """Every atom in turn, or the end of the text after any of them."""
    regex = ""
    for atom in reversed(atoms):
        regex = rf"(?:{atom}{regex}|\Z)"
    return regex


_FIRST = re.compile(r"(?: (?=\S))?(?:(?! \w+=)[^\n\"{⟦])+")
_BORDER = re.compile(r"\n+|(?<=>)(?=<)|(?<=`)(?=<)")


def first_token(template: str) -> str:
    """What a template starts with, up to layout, an attribute, a quote or a hole: enough to notice it by."""
    match = _FIRST.match(template)
    return match.group().rstrip() if match else ""


def bordered_token(template: str) -> str:
    """The first token, and the blank behind it if an attribute follows: enough to tell it from its like."""
    token = first_token(template)
    return token + " " if template.startswith(token + " ") else token


def tokens(template: str) -> list[str]:
    """The markers of a template that has no holes: what stands between layout, and each tag for itself."""
    return [token for token in _BORDER.split(template) if token]


def loosened(template: str, lead: str = "") -> str:
    """A template with layout allowed between any two tags, for models that break lines where their sample has none.

    `lead` is a token that stands in front of each tag: layout is allowed behind it, too.
    """
    template = re.sub(r"(?<=>)(?=<)", "\n", template)
    return template.replace(lead, lead + "\n") if lead else template


def spellings(token: str, prefix: str, lead: str = "") -> list[str]:
    """A tag with and without the prefix that may stand in front of its name, or the white space behind its lead."""
    if lead and token.startswith(lead):
        return [lead + space + token.removeprefix(lead) for space in ("", " ", "\n")]
    if not prefix or not token.startswith("<"):
        return [token]
    start = 2 if token.startswith("</") else 1
    return [token, token[:start] + prefix + token[start:]]
