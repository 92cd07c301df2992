"""Random texts made of what models write, against the rules that hold for every text.

    python -m tests.fuzz [--inputs 50000] [--seed N]

Input number N of a run is made from the seed N alone: `--inputs 1 --seed N` makes it again. Half of the inputs are a
soup of markers of all rows, halves of them, written calls, prose, fences and reasoning tags; the other half are calls
written in one row between two stretches of prose. A failure is shrunk by cutting pieces out of it.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from converters import SYNTAXES
from converters.render import render_calls
from converters.syntaxes import END_TOKENS, REASONING_TAGS, RESULTS, TURN_HEADERS, Syntax
from converters.syntaxes.channels import CHANNEL, CONSTRAIN, FIRST, MESSAGE, START
from converters.text.events import Event
from tests.helpers import ROWS, assemble, meaning, parse, read_object, same_json, spans, with_suffixes

Arguments = dict[str, Any]
Call = tuple[str, Arguments]

PROCESSES = 2
BATCH = 250
SHRINK_SECONDS = 3.0
MOST_FAILURES = 40
"""Distinct failures that are shrunk and shown; further ones are counted."""

TOOLS: dict[str, dict[str, Any]] = {
    "get_weather": {"properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
    "search": {"properties": {"q": {"type": "string"}, "opts": {"type": "object"}, "n": {"type": "number"}}},
    "write_file": {"properties": {"path": {"type": "string"}, "text": {"type": "string"}}},
    "ping": {"properties": {}},
}

AT_THE_START = frozenset(row for row, syntax in ROWS.items() if (syntax.group or syntax.call)[0] == " ")
"""Rows whose marker begins with a blank: it is believed at the start of an answer only."""
OWN_LINE = frozenset(row for row, syntax in ROWS.items() if syntax.group.startswith("```"))
"""Rows whose marker is a fence, which opens only at a line start."""
FRAMED = tuple(row for row, syntax in ROWS.items() if not syntax.whole_message)
"""Rows whose calls may stand among prose."""
TEXT_VALUES = frozenset(row for row, syntax in ROWS.items() if syntax.shape in ("tagged", "elements"))


# -- what the contract calls ambiguous -------------------------------------------------------------------------------


@cache
def _own(row: str, key: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """(what closes something, what opens or closes something, what opens a parameter) in a row of text values."""
    syntax = ROWS[row]
    parameters = [each.replace("{key}", key).partition("{value}") for each in _parameters(syntax)]
    bodies = [each.partition("{parameters}") for each in (syntax.call, *syntax.also_call)]
    groups = [each.partition("{calls}") for each in (syntax.group, *syntax.also_group)]
    closers = {token for _, _, close in (*parameters, *bodies, *groups) for token in _tokens(close)}
    heads = {head for head, _, _ in (*parameters, *bodies, *groups)}
    openers = {_first(head) for head in heads | {syntax.call, syntax.group, *_parameters(syntax)}}
    keys = {_first(each) for each in _parameters(syntax)} | {_first(head) for head, _, _ in parameters}
    return _prefixed(closers, syntax), _prefixed(closers | openers, syntax), _prefixed(keys, syntax)


def _parameters(syntax: Syntax) -> tuple[str, ...]:
    return (syntax.parameter, *syntax.also_parameter)


def _first(template: str) -> str:
    """What a template begins with, up to a hole, an attribute or another tag."""
    first = re.split(r"[\n\"{⟦]|(?<=>)", template, maxsplit=1)[0].rstrip(" ")
    return first if len(first) > 1 else ""


def _tokens(template: str) -> list[str]:
    return [token for token in re.split(r"\n+|(?<=>)(?=<)", template) if token]


def _prefixed(tokens: set[str], syntax: Syntax) -> frozenset[str]:
    tokens = tokens - {""}
    return frozenset(tokens | {re.sub(r"^(</?)", rf"\g<1>{syntax.prefix}", token) for token in tokens})


def ambiguous(row: str, arguments: Mapping[str, Any]) -> bool:
    """Whether nobody could say where these arguments end, written in this row.

    Rows of text values: a value that holds the row's own closer, with an opener or a closer of the row, or the end of
    the value, behind it; or the opener of a parameter at a line start. Relaxed rows: the delimiter inside a string,
    or a key that cannot stand without quotes.
    """
    syntax = ROWS[row]
    if syntax.shape == "relaxed":
        return any(syntax.delimiter in text for text in _strings(arguments)) or not all(
            re.fullmatch(r"[A-Za-z_]\w*", key) for key in _keys(arguments)
        )
    if row not in TEXT_VALUES:
        return False
    for value in arguments.values():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if "<![CDATA[" in text and any("CDATA" in each for each in syntax.also_parameter):
            return True
        for key in arguments:
            if _ends_inside(text, *_own(row, key)):
                return True
    return False


def _ends_inside(text: str, closers: Iterable[str], marks: Iterable[str], keys: Iterable[str]) -> bool:
    for closer in closers:
        place = text.find(closer)
        while place >= 0:
            rest = text[place + len(closer) :].lstrip()
            if not rest or any(rest.startswith(mark) or mark.startswith(rest) for mark in marks):
                return True
            place = text.find(closer, place + 1)
    return any(text.startswith(key) or re.search(rf"\n\s*{re.escape(key)}", text) for key in keys)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from value
    for each in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _keys(each)


# -- what inputs are made of -----------------------------------------------------------------------------------------


def _literals(syntax: Syntax) -> set[str]:
    """The markers of a row, one by one and as they stand together."""
    templates = (syntax.group, *syntax.also_group, syntax.call, *syntax.also_call, *_parameters(syntax))
    named = [
        template.replace("{name}", "ping").replace("{to}", "ping").replace("{key}", "city").replace("{id}", "ping:0")
        for template in templates
    ]
    found = {literal for each in named for literal in re.split(r"\{\w+\}|[⟦⟧¦]", each)}
    found |= {token for literal in found for token in re.split(r"\n|(?<=>)(?=<)", literal)}
    found |= {re.sub(r"(</?)(?=\w)", rf"\g<1>{syntax.prefix}", token) for token in found}
    return (with_suffixes(found) if syntax.suffixed else found) - {""}


def _markers() -> tuple[str, ...]:
    found = {tag for lane in REASONING_TAGS for tag in (lane.turn_opener + lane.opens, lane.opens, *lane.closes)} | {
        *RESULTS,
        *END_TOKENS,
        *(START, CHANNEL, CONSTRAIN, MESSAGE, *FIRST, "<!-- ", "<pre>", "<code>"),
        *(header.opens + word for header in TURN_HEADERS for word in (*header.own[:1], *header.results[:1], "user")),
    }
    found |= with_suffixes(tag for lane in REASONING_TAGS if lane.suffixed for tag in (lane.opens, *lane.closes))
    for syntax in SYNTAXES:
        found |= _literals(syntax)
    return tuple(sorted(found))


MARKERS = _markers()
THINK = ("<think>", "</think>", "<think>\n", "\n</think>\n\n", "[THINK]", "[/THINK]")
QUOTES = ("`", "``", "```", "\n```\n", "\n```json\n", "```xml\n", "\n~~~\n", "~~~~")
SPACES = (" ", "\n", "\n\n", "\t", "  \n ", "\r\n", "\u00a0", "\u2028")
PROSE = (
    *("I will look it up. ", "Done", "서울 날씨", "a < b", "print(", "to=me", "x = [1]", "ok; ", "because ", "{", "}"),
    *("[", "]", "(", ")", '"', "'", "\\", ",", ":", ";", "<", ">", "|", "</", "<|", "<｜", "é", "🙂", "\x00", "0"),
)
JSONS = (
    *('{"name": "ping", "arguments": {}}', '"name": "ping"', '"arguments": {', '{"city": "x", "days": 3}', "null"),
    *('"arguments": "{\\"q\\": 1}"', "{'q': 'x',}", '"\\ud83d"', "NaN", "-Infinity", "1e999", '{"q": 1, "q": 2}'),
    *(
        "ping()",
        'get_weather(city="x", days=2)',
        "get_weather(city='",
        "[ping()",
        "true",
        "00123",
        '"""',
        "search(q=r'",
    ),
)
TEXTS = (
    "",
    " ",
    "서울",
    "00123",
    "true",
    "null",
    "\n",
    "a\nb\n",
    " lead and trail ",
    'a "quoted" b',
    "it's",
    "c:\\new\\u12",
    "1 < 2 && 3 > 2",
    "```py\nx\n```",
    "<b>&amp;</b>",
    "{'a': [1}",
    "\u2028\u0085",
    "\x00\x1f\x7f",
    "🙂" * 3,
    "</",
    "<|",
    "]",
    "}}",
    "<![CDATA[x]]>",
)


def soup(dice: random.Random) -> str:
    """Pieces of all kinds in any order."""
    kinds: list[Callable[[], str]] = [
        lambda: dice.choice(MARKERS),
        lambda: dice.choice(own),
        lambda: dice.choice(own),
        lambda: _half(dice, dice.choice(MARKERS)),
        lambda: written,
        lambda: _half(dice, written),
        lambda: _tail(dice, written),
        lambda: dice.choice(THINK),
        lambda: dice.choice(QUOTES),
        lambda: dice.choice(SPACES),
        lambda: dice.choice(PROSE),
        lambda: dice.choice(JSONS),
    ]
    row = dice.choice(tuple(ROWS))
    own = sorted(_literals(ROWS[row])) or PROSE
    written = render_calls(ROWS[row], calls(dice, row))
    return "".join(dice.choice(kinds)() for _ in range(dice.randint(1, 12)))


def _half(dice: random.Random, text: str) -> str:
    return text[: dice.randint(0, len(text))]


def _tail(dice: random.Random, text: str) -> str:
    return text[dice.randint(0, len(text)) :]


def calls(dice: random.Random, row: str) -> list[Call]:
    """One to three calls of the declared tools that can be written in the row without doubt."""
    found: list[Call] = []
    while len(found) < dice.choice((1, 1, 2, 3)):
        name = dice.choice(tuple(TOOLS))
        keys = [key for key in TOOLS[name]["properties"] if dice.random() < 0.8]
        arguments = {key: _value(dice, TOOLS[name]["properties"][key]["type"]) for key in keys}
        if not ambiguous(row, arguments):
            found.append((name, arguments))
    return found


def _value(dice: random.Random, kind: str) -> Any:
    if kind == "integer":
        return dice.choice((0, 3, -17, 10**20))
    if kind == "number":
        return dice.choice((0.5, -1.25, 1e300, 3.0, 7))
    if kind == "object":
        return {key: _any(dice, 0) for key in dice.sample(("a", "b_2", "name", "items"), dice.randint(0, 3))}
    return _text(dice)


def _text(dice: random.Random) -> str:
    if dice.random() < 0.5:
        return dice.choice(TEXTS)
    return "".join(dice.choice((*TEXTS, dice.choice(MARKERS), "words ")) for _ in range(dice.randint(1, 4)))


def _any(dice: random.Random, depth: int) -> Any:
    kind = dice.randint(0, 6 if depth < 3 else 4)
    if kind == 5:
        return [_any(dice, depth + 1) for _ in range(dice.randint(0, 3))]
    if kind == 6:
        return {key: _any(dice, depth + 1) for key in dice.sample(("k", "x_y", "z"), dice.randint(0, 3))}
    return (None, True, dice.choice((0, -5, 12345678901234567890)), dice.choice((0.25, 1e-7)), _text(dice))[kind]


# -- the rules -------------------------------------------------------------------------------------------------------


class Broken(AssertionError):
    """A rule that does not hold. `rule` tells failures of one kind from those of others."""

    def __init__(self, rule: str, told: str = "") -> None:
        super().__init__(f"{rule}: {told}")
        self.rule = rule


@dataclass(frozen=True)
class Input:
    text: str
    row: str | None = None
    cut: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    pieces: tuple[int, ...] = ()
    """Places of a random cut, as fractions of a thousand."""


def read(given: Input, pieces: Iterable[str] | None = None) -> list[Event]:
    try:
        return parse(given.text, TOOLS, pieces, given.cut, given.row, **given.options)
    except Exception as error:  # noqa: BLE001  # that nothing raises is what is tested
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise Broken(f"raises {type(error).__name__} at {place.name}", str(error)) from None


def check_any(given: Input) -> None:
    """What holds for every text: nothing raises, every character has one owner, every cut has one meaning."""
    whole = read(given)
    by_character = read(given, given.text)
    places = sorted(len(given.text) * place // 1000 for place in given.pieces)
    by_chance = read(given, [given.text[a:b] for a, b in zip([0, *places], [*places, len(given.text)], strict=True)])
    for how, events in (("whole", whole), ("by character", by_character), ("by chance", by_chance)):
        if spans(events) != given.text:
            raise Broken("I2: the spans are not the text", f"{how}: {spans(events)!r}")
        if meaning(events) != meaning(whole):
            raise Broken("I1: not the same in pieces", f"{how}: {meaning(events)}\nwhole: {meaning(whole)}")
    try:
        message = assemble(whole)
    except AssertionError as error:
        raise Broken(f"I6: {re.sub('[0-9]+', '#', str(error))}") from None
    for (_, arguments, _), how in zip(message.calls, message.endings, strict=True):
        if how != "complete":
            if how == "cut" and not given.cut:
                raise Broken("a call is cut although nobody cut it", arguments)
            continue
        try:
            read_object(arguments)
        except AssertionError as error:
            raise Broken("I3: the arguments are no object", str(error)) from None


def check_framed(row: str, wanted: Sequence[Call], before: str, after: str, text: str) -> None:
    """Exactly those calls and that prose."""
    message = assemble(read(Input(text, row)))
    if message.names != [name for name, _ in wanted]:
        raise Broken(f"{row}: other calls", f"{message}")
    for (_, got, _), (_, arguments) in zip(message.calls, wanted, strict=True):
        if not same_json(read_object(got), arguments):
            raise Broken(f"{row}: other arguments", f"got {got}\nexpected {json.dumps(arguments, ensure_ascii=False)}")
    if message.reasoning or message.content != before + after:
        raise Broken(f"{row}: other prose", f"got {message.content!r} {message.reasoning!r}")


# -- one input -------------------------------------------------------------------------------------------------------


def try_soup(seed: int) -> tuple[Broken, Input] | None:
    dice = random.Random(seed)
    options: dict[str, Any] = {}
    if dice.random() < 0.4:
        options = {
            "starts_inside": dice.random() < 0.3,
            "choice": dice.choice(("auto", "auto", "none")),
            "parallel": dice.random() < 0.8,
            "whole_calls": dice.random() < 0.3,
            "json_answer": dice.random() < 0.2,
            "translate": dice.random() < 0.9,
            "reasoning": dice.choice(("split", "keep", "drop")),
            "strip_end_tokens": dice.random() < 0.8,
        }
    row = dice.choice((None, *ROWS))
    cut = dice.random() < 0.3
    places = tuple(dice.randint(0, 1000) for _ in range(dice.randint(1, 6)))
    given = Input(soup(dice), row, cut, options, places)
    try:
        check_any(given)
    except Broken as broken:
        return broken, given
    return None


SEPARATORS = ("\n\n", "\n", " ", "")
PROSES = ("Let me look.", "서울의 날씨를 봅니다", "One line.\n\nAnother: 1 < 2, yes?", "a - b * c", "I think so!")


def framed(dice: random.Random, row: str, wanted: Sequence[Call]) -> tuple[str, str, str]:
    """(prose with its white space, the same behind, and the text with the calls between the two)"""
    separators = SEPARATORS[:2] if row in OWN_LINE else SEPARATORS
    before = dice.choice(PROSES) + dice.choice(separators) if dice.random() < 0.7 and row not in AT_THE_START else ""
    after = dice.choice(separators) + dice.choice(PROSES) if dice.random() < 0.7 else ""
    text = before + render_calls(ROWS[row], wanted) + after
    if not after:
        before = before.rstrip()
    if not before:
        after = after.lstrip()
    return before, after, text


def try_framed(seed: int) -> tuple[Broken, Input] | None:
    dice = random.Random(seed)
    row = dice.choice(FRAMED)
    wanted = calls(dice, row)
    before, after, text = framed(dice, row, wanted)
    given = Input(text, row, pieces=tuple(dice.randint(0, 1000) for _ in range(3)))
    try:
        check_any(given)
    except Broken as broken:
        return broken, given
    try:
        check_framed(row, wanted, before, after, text)
    except Broken as broken:
        return broken, _smaller_calls(broken, row, wanted, given)
    return None


def _smaller_calls(broken: Broken, row: str, wanted: Sequence[Call], given: Input) -> Input:
    """The same failure with fewer calls and arguments, if there is one; here the text may not be cut anywhere."""
    for name, arguments in wanted:
        for key in (None, *arguments):
            call = (name, {} if key is None else {key: arguments[key]})
            for before, after in (("", ""), ("Prose\n\n", ""), ("", "\n\nProse")):
                if before and row in AT_THE_START:
                    continue
                text = before + render_calls(ROWS[row], [call]) + after
                try:
                    check_framed(row, [call], before.strip(), after.strip(), text)
                except Broken as other:
                    if other.rule == broken.rule:
                        return Input(text, row)
    return given


def attempt(seed: int) -> tuple[Broken, Input] | None:
    return try_framed(seed) if seed % 2 else try_soup(seed)


# -- shrinking -------------------------------------------------------------------------------------------------------


def shrink(broken: Broken, given: Input) -> tuple[Broken, Input]:
    """Cut pieces out of the text while the same rule stays broken."""
    if ": other " in broken.rule:  # the prose and the calls of the text are known, and must not be cut
        return broken, given
    until = time.monotonic() + SHRINK_SECONDS
    for simpler in (Input(given.text, given.row, given.cut), Input(given.text, None, given.cut)):
        broken, given = _still(broken, simpler) or (broken, given)
    size = max(len(given.text) // 2, 1)
    while time.monotonic() < until:
        smaller = None
        for start in range(0, len(given.text), size):
            text = given.text[:start] + given.text[start + size :]
            smaller = _still(broken, Input(text, given.row, given.cut, given.options, given.pieces))
            if smaller or time.monotonic() > until:
                break
        if smaller:
            broken, given = smaller
        elif size == 1:
            break
        else:
            size //= 2
    return broken, given


def _still(broken: Broken, given: Input) -> tuple[Broken, Input] | None:
    try:
        check_any(given)
    except Broken as other:
        return (other, given) if other.rule == broken.rule else None
    return None


# -- the run ---------------------------------------------------------------------------------------------------------


def run_batch(first: int, count: int) -> list[tuple[int, str, str, Input]]:
    """The failures among these inputs: (seed, rule, what was told, the shrunk input)."""
    failures: list[tuple[int, str, str, Input]] = []
    for seed in range(first, first + count):
        found = attempt(seed)
        if found:
            broken, given = shrink(*found) if len(failures) < MOST_FAILURES else found
            failures.append((seed, broken.rule, str(broken), given))
    return failures


def main(arguments: Sequence[str] | None = None) -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--inputs", type=int, default=50_000)
    asked.add_argument("--seed", type=int, default=0)
    told = asked.parse_args(arguments)
    began = time.monotonic()
    batches = range(told.seed, told.seed + told.inputs, BATCH)
    distinct: dict[tuple[str, str], tuple[int, str, Input]] = {}
    failed = 0
    with ProcessPoolExecutor(PROCESSES) as processes:
        counts = [min(BATCH, told.seed + told.inputs - first) for first in batches]
        for failures in processes.map(run_batch, batches, counts):
            for seed, rule, message, given in failures:
                failed += 1
                known = distinct.get((rule, _kind(given.text)))
                if known is None or len(given.text) < len(known[2].text):
                    distinct[rule, _kind(given.text)] = (seed, message, given)
    for seed, message, given in sorted(distinct.values(), key=lambda each: each[0])[:MOST_FAILURES]:
        print(
            f"seed {seed}: {message}\n  text={given.text!r} row={given.row!r} cut={given.cut} {dict(given.options)}\n"
        )
    seconds = time.monotonic() - began
    print(f"{told.inputs} inputs in {seconds:.0f} s ({told.inputs / seconds:.0f}/s), {failed} failed,", end=" ")
    print(f"{len(distinct)} distinct")
    return 1 if failed else 0


def _kind(text: str) -> str:
    """A shrunk text without what does not tell it from another: its words and its digits."""
    return re.sub(r"\w+", "w", text)[:60]


if __name__ == "__main__":
    sys.exit(main())
