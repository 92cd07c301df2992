"""Every literal that the reading of model text knows, collected from the tables, so that a new row is covered.

And texts that repeat them: alone, behind words, halved, with the other literals of their row, as written calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from converters import SYNTAXES
from converters.detect.openers import opener_index
from converters.detect.quoting import HTML, REMARKABLE
from converters.render import render_calls
from converters.shapes import grammar
from converters.syntaxes import END_TOKENS, REASONING_TAGS, RESULTS, TURN_HEADERS, Syntax
from converters.syntaxes.channels import CHANNEL, CHANNELS, CONSTRAIN, FIRST, MESSAGE, MESSAGE_ENDS, RECIPIENT, START

TOOL = "get_weather"
ARGUMENTS = {"city": "Seoul", "days": 3}

_HOLE = re.compile(r"\{\w+\}|[⟦⟧¦]|\n+")
_TAG_BORDER = re.compile(r"(?<=>)(?=<)|(?<=\])(?=\[)")
_FENCES = ("`", "``", "```", "````", "~~~", "```json\n", "```python\n", "~~~\n", "> ```\n", "- ```\n", "\n```\n")
_LAYOUT = (" ", "\n", "\t", "\r\n", "\u200b", "\ufeff", "\\n", "\\", "{", "}", "[", "]", "[]", '{"', '"', "'", "(", ")")
_JSON = (
    "x",
    "1",
    "-",
    "a, ",
    "1, ",
    '"k": 1, ',
    '{"a": ',
    '"x" ',
    '\\"',
    "\\\\",
    "\\u",
    "\\ud83d",
    "true ",
    "// x\n",
    "'x', ",
    "a=1, ",
    "f(",
    "<",
    "&lt;",
)
"""What may stand in arguments."""


class Hostile(NamedTuple):
    """A text that repeats something."""

    name: str
    unit: str
    """What is repeated."""
    syntax: Syntax | None
    """The row whose model writes it; None if no row does."""
    head: str = ""
    """What stands before the first repetition."""


def pieces_of(syntax: Syntax) -> list[str]:
    """The literals of a row's samples: what stands between their holes, and each tag of that for itself."""
    samples = (
        *(syntax.call, *syntax.also_call, syntax.parameter, *syntax.also_parameter, syntax.group, *syntax.also_group),
        *(syntax.between, syntax.turn_end, syntax.delimiter, syntax.lead_token, syntax.prefilled_call),
        *(*syntax.addressed, *syntax.inline_tags),
    )
    whole = [part for sample in samples for part in _HOLE.split(sample) if part.strip()]
    tags = [tag for part in whole for tag in _TAG_BORDER.split(part)]
    ready = grammar(syntax)
    openers = [entry.opener for entry in ready.entries]
    return list(dict.fromkeys([*whole, *tags, *openers, *sorted(ready.leftovers), *ready.empty_groups]))


def shared() -> list[str]:
    """The literals of no row: tokens, tags, headers, quotations, layout."""
    tags = [tag for each in REASONING_TAGS for tag in (each.opens, *each.closes, each.turn_opener)]
    turns = [
        text
        for each in TURN_HEADERS
        for text in (each.opens, *(each.opens + word for word in each.own[:1]), *each.closes)
    ]
    channels = [START, CHANNEL, CONSTRAIN, MESSAGE, RECIPIENT, *FIRST, *MESSAGE_ENDS]
    channels += [f"{CHANNEL}{channel}{MESSAGE}" for channel in CHANNELS]
    html = [text for opens, closes in HTML.items() for text in (opens, opens + ">", closes)]
    every = [*END_TOKENS, *RESULTS, *tags, *turns, *channels, *html, *_FENCES, *REMARKABLE, *_LAYOUT]
    watched = opener_index(None).first_markers.literals
    return list(dict.fromkeys(each for each in (*every, *sorted(watched)) if each))


def _forms(name: str, literal: str, syntax: Syntax | None) -> Iterator[Hostile]:
    yield Hostile(f"{name} alone", literal, syntax)
    yield Hostile(f"{name} spaced", literal + " ", syntax)
    yield Hostile(f"{name} lines", literal + "\n", syntax)
    yield Hostile(f"{name} words", f"a {literal} b ", syntax)
    yield Hostile(f"{name} halved", literal[: (len(literal) + 1) // 2] + " ", syntax)
    yield Hostile(f"{name} behind words", literal, syntax, "Sure.\n")


@cache
def hostile(*, everywhere: bool = False) -> tuple[Hostile, ...]:
    """All of them, each once. `everywhere`: each literal in each place of a call of its row, instead of one in turn."""
    found = [text for literal in shared() for text in _forms(repr(literal), literal, None)]
    for syntax in SYNTAXES:
        literals = pieces_of(syntax)
        for literal in literals:
            found += _forms(f"{syntax.name} {literal!r}", literal, syntax)
        found.append(Hostile(f"{syntax.name} all", "".join(literals), syntax))
        found.append(Hostile(f"{syntax.name} all lines", "\n".join(literals), syntax))
        found += _calls(syntax)
        found += _places(syntax, everywhere=everywhere)
    return tuple({(text.unit, text.head, text.syntax and text.syntax.name): text for text in found}.values())


def _calls(syntax: Syntax) -> Iterator[Hostile]:
    one = render_calls(syntax, [(TOOL, ARGUMENTS)])
    name = syntax.name
    yield Hostile(f"{name} calls", one, syntax)
    yield Hostile(f"{name} calls in a group", render_calls(syntax, [(TOOL, ARGUMENTS)] * 3), syntax)
    yield Hostile(f"{name} calls in words", f"Then {one} and\n", syntax)
    yield Hostile(f"{name} undeclared calls", render_calls(syntax, [("nobody", ARGUMENTS)]), syntax)
    yield Hostile(f"{name} calls in reasoning", one, syntax, "<think>\n")
    yield Hostile(f"{name} quoted calls", f'"{one}" ', syntax)
    yield Hostile(f"{name} half calls", one[: len(one) // 2], syntax)
    yield Hostile(f"{name} calls in a value", one, syntax, one[: one.index("Seoul")])
    yield Hostile(f"{name} open", "x y ", syntax, one[: one.index("Seoul")])
    yield Hostile(f"{name} behind a call", "\n", syntax, one)


def _places(syntax: Syntax, *, everywhere: bool) -> Iterator[Hostile]:
    one = render_calls(syntax, [(TOOL, ARGUMENTS)])
    places = {
        "in a value": one[: one.index("Seoul")],
        "before a value": one[: one.index("Seoul")].rstrip("\"'"),
        "before a key": one[: one.index("city")],
        "behind a call": one,
        "behind two calls": one + syntax.between + one,
        "behind a name": one[: one.index(TOOL) + len(TOOL)],
        "in a name": one[: one.index(TOOL) + 4],
        "before a name": one[: one.index(TOOL)],
    }
    turn = SYNTAXES.index(syntax)
    for number, (place, head) in enumerate(places.items()):
        for at, literal in enumerate((*pieces_of(syntax), *_LAYOUT, *_JSON)):
            if everywhere or (at + number + turn) % len(places) == 0:
                yield Hostile(f"{syntax.name} {literal!r} {place}", literal, syntax, head)


def of_size(text: Hostile, size: int) -> str:
    """So many characters of it."""
    unit = text.unit
    return (text.head + unit * (size // len(unit) + 1))[:size]


Cut = Callable[[str], Iterable[str]]


def whole(text: str) -> Iterable[str]:
    return (text,)


def pieces(size: int) -> Cut:
    """Pieces of so many characters."""

    def cut(text: str) -> Iterable[str]:
        return (text[start : start + size] for start in range(0, len(text), size))

    return cut


def inside(text: Hostile) -> Cut:
    """Pieces that end inside each repetition."""

    def cut(given: str) -> Iterable[str]:
        length = len(text.unit)
        first = len(text.head) + (length + 1) // 2
        yield given[:first]
        yield from (given[start : start + length] for start in range(first, len(given), length))

    return cut
