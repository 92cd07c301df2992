"""Templates: the samples of rows, and matching them at a position in text that comes in pieces.

A template is a row's sample, or a part of one, with holes. Blanks between the tokens of markup mean nothing, nor does
the case of a tag's name. The name that a tag carries may be quoted or not, and other attributes may follow it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

from converters.text.once import made_once_property
from converters.text.scanner import (
    BLANK,
    FEW_BLANKS,
    KEY_SO_FAR,
    NAME,
    SHORTEST_KEY,
    SHORTEST_NAME,
    SPACE,
    SPACE_SO_FAR,
    any_of,
    characters,
    folded,
    longest_of,
)

Atom = tuple[str, str]
"""The regex of a part of a template, and the same where the text may end inside it."""


class _Parts(NamedTuple):
    """The regexes that a pattern is made of."""

    full: str
    ahead: str
    """What must follow."""
    space: str
    """White space behind it."""
    started: list[str]
    """That of each atom where the text may end inside it, and of what must follow."""


class Pattern:
    """A template, matched at a position, or perhaps once more text has come.

    In the template `{name}`, `{key}`, `{id}`, `{type}` and `{to}` stand for words, `{call}` for what stands before the
    bracket of a call, and `⟦a¦b⟧` for a or b. A newline is layout that may be any white space or none, a blank must
    be some white space, a double quote may be either quote or none, and `prefix` may stand in front of the name of
    any tag. `then` names literals of which one must follow, after white space, without being part of the match;
    `unless` has characters of which none may follow, but another must.
    """

    def __init__(self, template: str, then: Iterable[str] = (), prefix: str = "", unless: str = "") -> None:
        self._template = template
        self._then = tuple(then)
        self._prefix = prefix
        self._unless = unless

    @made_once_property
    def _parts(self) -> _Parts:
        atoms = list(_atoms(self._template, self._prefix))
        full, started = [atom for atom, _ in atoms], [atom for _, atom in atoms]
        follow = sorted(set(self._then))
        spaced = full[-1:] == [SPACE]  # two runs of white space in a row would make matching quadratic
        space = "" if spaced else SPACE
        ahead = f"(?={space}(?:{longest_of({characters(folded(literal)) for literal in follow})}))" if follow else ""
        if self._unless:
            ahead = rf"(?={space}[^\s{re.escape(self._unless)}])"
            started += [r"\Z"] if spaced else [SPACE_SO_FAR, r"\Z"]
        if follow:
            started += [any_of(follow)] if spaced else [SPACE_SO_FAR, any_of(follow)]
        return _Parts("".join(full), ahead, space, started)

    @made_once_property
    def _full(self) -> re.Pattern[str]:
        return re.compile(self._parts.full + self._parts.ahead)

    @made_once_property
    def _at_end(self) -> re.Pattern[str]:
        return re.compile(self._parts.full + self._parts.space + r"\Z")

    @made_once_property
    def _started(self) -> re.Pattern[str]:
        return re.compile(_nested(self._parts.started))

    def match(self, text: str, start: int = 0) -> re.Match[str] | None:
        return self._full.match(text, start)

    def match_at_end(self, text: str, start: int = 0) -> re.Match[str] | None:
        """A match with nothing but white space behind it, whatever should follow."""
        return self._at_end.match(text, start)

    def may_match(self, text: str, start: int = 0) -> bool:
        """Whether the text ends inside the pattern, so that more text may complete it."""
        return self._started.match(text, start) is not None


_PARTS = re.compile(
    r"⟦[^⟧]*⟧|(?P<attribute>(?:=| name=)\"?(?P<hole>\{(?:name|key|id|type)\})\"?)|\{(?:name|call|key|id|type|to)\}"
    r"|\n+|[ ]+|</?|.",
    re.DOTALL,
)
_COMMENTS = r"(?:#[^\n]{0,256}\n\s{0,64}){0,4}"
_AROUND_CALL = rf"{_COMMENTS}(?:print\({FEW_BLANKS})?(?:\w{{1,256}}{FEW_BLANKS}={FEW_BLANKS}(?=\w|\Z))?"
_HOLES = {
    "{name}": f"(?P<name>{NAME})",
    "{call}": rf"{_AROUND_CALL}(?!print\()(?P<name>{SHORTEST_NAME})(?:\.call)?(?={FEW_BLANKS}\()",
    "{key}": f"(?P<key>{SHORTEST_KEY})",
    "{id}": f"(?P<id>{NAME})",
    "{type}": r"(?P<type>\w*)",
    "{to}": NAME,
}
_GROUP = re.compile(r"\?P<\w+>")
_STARTED = {hole: _GROUP.sub("?:", regex) for hole, regex in _HOLES.items()} | {
    "{call}": rf"(?:{_COMMENTS}(?:#[^\n]{{0,256}}\Z|(?:print\({FEW_BLANKS})?\w{{1,256}}{FEW_BLANKS}\Z)"
    rf"|{_AROUND_CALL}(?:{NAME}|\Z))",
    "{key}": KEY_SO_FAR,
}
"""The holes where the text may end inside them."""

_QUOTE = "[\"']?"
_OPENING_QUOTE = rf"{FEW_BLANKS}(?:[\"']{FEW_BLANKS})?"
_CLOSING_QUOTE = rf"(?:{FEW_BLANKS}[\"'])?"
"""Behind a key or a name. Blanks that no quote follows are left to what comes next."""
_MORE_ATTRIBUTES = (
    rf"(?:{BLANK}{{1,64}}[\w:-]{{1,64}}{BLANK}{{0,8}}={BLANK}{{0,8}}"
    rf"(?:\"[^\"<>]{{0,256}}\"|'[^'<>]{{0,256}}'|[^\s\"'<>/\u200b\u2060\ufeff]{{1,256}})){{0,8}}{FEW_BLANKS}/?"
)
"""Attributes that no sample has, and the slash of a tag that closes itself: they mean nothing."""


def _atoms(template: str, prefix: str) -> Iterator[Atom]:
    named = False  # in a tag, behind the attribute that names it
    tag = False  # in a tag with a name in ASCII
    for found in _PARTS.finditer(template):
        part = found.group()
        if part[0] == "⟦":
            options = [list(_atoms(option, prefix)) for option in part[1:-1].split("¦")]
            yield (
                "(?:" + "|".join("".join(full for full, _ in option) for option in options) + ")",
                "(?:" + "|".join(_nested([started for _, started in option]) for option in options) + ")",
            )
        elif found["attribute"] and tag:
            named = True
            yield from _attribute(part.partition("{")[0].strip(' ="'), found["hole"])
        elif found["attribute"]:
            before = part.partition("{")[0]
            if before == '="':
                yield from ((regex, regex) for regex in (FEW_BLANKS, "=", FEW_BLANKS, _QUOTE))
            else:
                yield from _atoms_of_text(before, tag)
            yield _HOLES[found["hole"]], _STARTED[found["hole"]]
            yield from _atoms_of_text(part.partition("}")[2], tag)
        elif part in _HOLES:
            yield _HOLES[part], _STARTED[part]
        elif part[0] == "<":
            tag = re.match(r"</?[A-Za-z]|<｜", template[found.start() :]) is not None
            yield from _atoms_of_text(part, tag)
            if prefix:
                yield f"(?:{re.escape(prefix)})?", f"(?:{_nested([re.escape(char) for char in prefix])})?"
        elif part[0] == " " and not _separates(template, found):
            yield FEW_BLANKS, FEW_BLANKS
        else:
            if named and part in "/>":
                yield _MORE_ATTRIBUTES, rf"(?:{BLANK}[^<>]{{0,255}}|/)?"
            named = tag = tag and part != ">" and (named or part != "/")
            yield from _atoms_of_text(part, tag)


def _separates(template: str, blanks: re.Match[str]) -> bool:
    """Whether blanks of a sample stand between two words, so that there must be some."""
    before, behind = template[max(blanks.start() - 1, 0)], template[blanks.end() : blanks.end() + 1]
    return not blanks.start() or ((before.isalnum() or before in '<_}"') and (behind.isalnum() or behind in "_{"))


def _attribute(name: str, hole: str) -> Iterator[Atom]:
    """What names a tag: `="..."`, or an attribute of a `name`; quoted or not, with any blanks."""
    word = [*(f"[{char}{char.upper()}]" for char in name), FEW_BLANKS] if name else []
    for regex in (FEW_BLANKS, *word, "=", _OPENING_QUOTE):
        yield regex, regex
    yield _HOLES[hole], _STARTED[hole]
    yield _CLOSING_QUOTE, rf"(?:{FEW_BLANKS}(?:[\"']|\Z))?"


def _atoms_of_text(text: str, in_tag: bool) -> Iterator[Atom]:
    """The atoms of layout, blanks, quotes and plain characters."""
    if text[:1] == "\n":
        yield SPACE, SPACE_SO_FAR
    elif text.isspace():
        yield rf"{BLANK}{{1,64}}", rf"{BLANK}{{1,64}}"
    else:
        for char in text:
            regex = _QUOTE if char == '"' else characters(f"<{char}")[1] if in_tag else re.escape(char)
            yield regex, regex


def _nested(atoms: Sequence[str]) -> str:
    """Every atom in turn, or the end of the text after any of them."""
    regex = ""
    for atom in reversed(atoms):
        regex = rf"(?:{atom}{regex}|\Z)"
    return regex


_FIRST = re.compile(
    r" ?(?:\[[^\[\]{\"\n]+\]|(?:(?! \w+=)[^\n\"{⟦<])*(?:<(?:(?! \w+=)[^\n\"{⟦<>])*>?)?(?:(?<=>)\w+(?= ))?)"
)
_NAMED_TAG = re.compile(r"(<[^\s=>{\"]*(?: [^\s=>{\"]+)??)(=| name=)\"?\{(?:name|key)\}")
_BORDER = re.compile(r"\n+|(?<=>)(?=<)|(?<=`)(?=<)")


def first_token(template: str) -> str:
    """What a template starts with: its first token, up to layout, an attribute, a quote or a hole."""
    match = _FIRST.match(template)
    return folded(match.group().rstrip()) if match else ""


def first_tokens(template: str, prefix: str = "", lead: str = "") -> list[str]:
    """All spellings of what a template starts with, enough to notice it by.

    A blank may stand in a tag that carries a name, or be missing. `prefix` may stand in front of the tag's name; `lead`
    is a token that stands in front of each tag, which white space may follow.
    """
    bare = template.removeprefix(lead) if lead else template
    named = _NAMED_TAG.match(bare)
    found = [named[1] + mark for mark in sorted({named[2][0], " ", "\n"})] if named else [first_token(bare)]
    if lead and template.startswith(lead):
        found = [lead + token for token in found]
    return [spelling for token in found if token for spelling in spellings(folded(token), prefix, lead)]


def tokens(template: str) -> list[str]:
    """The markers of a template that has no holes: what stands between layout, and each tag for itself."""
    return [token for token in _BORDER.split(template) if token]


_BETWEEN_TOKENS = re.compile(
    r"(?<=[^>]>)(?=[^\s>\]⟦¦⟧])|(?<=\])(?=[^\s>\]⟦¦⟧])|(?<=[^\s<⟦¦⟧])(?=<)|(?<=[^\s⟦¦⟧!])(?=\[[A-Z])|(?<=[:\[])(?=\{)|(?<=\})(?=\()"
)


def loosened(template: str, lead: str = "") -> str:
    """A template with layout allowed between any two tokens: blanks there mean nothing.

    `lead` is a token that stands in front of each tag.
    """
    parts = template.split(lead) if lead else [template]
    parts = [_BETWEEN_TOKENS.sub("\n", part) for part in parts]
    before = ["\n" if part.strip("\n") else "" for part in parts]
    return parts[0] + "".join(f"{space}{lead}\n{part}" for space, part in zip(before, parts[1:], strict=False))


_TOKENS_AND_WORDS = re.compile(r"(?<=\|>)(?=\w)|(?<=\w)(?=<\|)|(?<=\))(?=\])")
_SOME_BLANKS = ("", " ", "\n", "  ", " \n", "\n ", "\n\n", " \n ", " \n \n")
"""Blanks between the tokens of one marker."""


def spellings(token: str, prefix: str, lead: str = "") -> list[str]:
    """A tag with and without the prefix that may stand in front of its name, or a marker of several tokens with and
    without blanks between them."""
    if lead and token.startswith(lead):
        return [lead + space + token.removeprefix(lead) for space in _SOME_BLANKS]
    parts = _TOKENS_AND_WORDS.split(token)
    if len(parts) > 1:
        gaps = product(_SOME_BLANKS, repeat=len(parts) - 1)
        return ["".join(map("".join, zip(parts, (*each, ""), strict=True))) for each in gaps]
    if not prefix or not token.startswith("<"):
        return [token]
    start = 2 if token.startswith("</") else 1
    return [token, token[:start] + prefix + token[start:]]
