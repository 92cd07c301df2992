"""Calls as their row writes them, with slips in the markup and in the values.

    python -m tests.fuzz_mutations [--inputs 100000] [--seed N]

Input number N of a run is made from the seed N alone: `--inputs 1 --seed N` makes it again. Half of the slips mean
nothing by the contract (blanks between tokens, CRLF, the case of tags, how attributes are quoted): the calls must come
out as they were. The others damage the call: it comes out as it was, or stays text, or holds no key and no value that
decoding a contiguous part of the text cannot give. Nothing is lost in either, and every cut means the same.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from converters.syntaxes import Syntax
from converters.text.events import Event, Removed
from tests.damage import decoded, invented, without_escapes
from tests.fuzz import AT_THE_START, FRAMED, MARKERS, OWN_LINE, PROSES, SEPARATORS, TEXT_VALUES, ambiguous
from tests.helpers import ROWS, assemble, meaning, openers, parse, random_cut, read_object, same_json, spans
from tests.written import VALUES, Call, Token, joined, written

TOOLS: dict[str, dict[str, Any]] = {
    "run_shell": {
        "properties": {"command": {"type": "string"}, "timeout": {"type": "integer"}, "force": {"type": "boolean"}}
    },
    "write_file": {
        "properties": {
            "path": {"type": "string"},
            "content": {"type": "string"},
            "options": {"type": "object", "properties": {"mode": {"type": "string"}, "depth": {"type": "number"}}},
        }
    },
    "get-weather": {"properties": {"city": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}}},
    "ping": {"properties": {}},
}
STRINGS = (
    "ls -la",
    "/home/user/notes.txt",
    'echo "hi" && ls',
    "it's",
    '<a href="x">y</a>',
    "awk '{print $1}' f | grep \"a\"",
    "one\ntwo\n",
    "\n",
    "",
    " lead and trail ",
    "서울 😀",
    "“typographic”",
    "全，角：",
    "C:\\new\\x",
    "a + b",
    "} ]",
    '{"a": "b", "c": [1, "d"]}',
    "00123",
    "null",
    "print('x', end=\"\")",
    "a, b=1, c",
    "if a < b and c > d: pass",
    "```py\nx = 1\n```",
    "\u00a0\u3000",
    "say 'a', then \"b\"",
    "x\ty",
)
BLANKS = (" ", "  ", "\t", "\n", "\r\n", "\n\n", "\n ", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u2060")
ON_A_LINE = (" ", "  ", "\t", "\u00a0", "\u3000", "\u200b", "\ufeff")

_NO_WIDTH = re.compile("[\u200b\u2060\ufeff]")


def _plain(content: str) -> str:
    """Content without what slips leave between two calls: blanks without width, and line ends around them."""
    return re.sub(r"\s+", "\n", _NO_WIDTH.sub("", content)).strip()


Slip = Callable[[random.Random, Syntax, list[Token]], "list[Token] | None"]
"""Makes a slip; None where the tokens give no place for it."""


@dataclass(frozen=True)
class Input:
    text: str
    row: str
    prior: str | None
    calls: Sequence[Call]
    slips: tuple[str, ...]
    content: str | None
    """What must be left beside the calls, if they must come out as they were."""
    options: Mapping[str, Any] = field(default_factory=dict)


# -- the calls ---------------------------------------------------------------------------------------------------------


def _string(dice: random.Random) -> str:
    if dice.random() < 0.7:
        return dice.choice(STRINGS)
    return "".join(dice.choice((*STRINGS, dice.choice(MARKERS), "words ")) for _ in range(dice.randint(2, 4)))


def _value(dice: random.Random, key: str) -> Any:
    match key:
        case "timeout":
            return dice.choice((0, 5, -1, 120))
        case "depth":
            return dice.choice((1.5, 7))
        case "force":
            return dice.random() < 0.5
        case "tags":
            return [_string(dice) for _ in range(dice.randint(0, 3))]
        case "options":
            return {name: _value(dice, name) for name in ("mode", "depth") if dice.random() < 0.7}
    return _string(dice)


def calls(dice: random.Random, row: str) -> list[Call]:
    found: list[Call] = []
    many = dice.choice((1, 1, 2, 3))
    while len(found) < many:
        name = dice.choice(tuple(TOOLS))
        keys = [key for key in TOOLS[name]["properties"] if dice.random() < 0.8]
        arguments = {key: _value(dice, key) for key in keys}
        if not ambiguous(row, arguments) and not _shows_call(row, arguments):
            found.append((name, arguments))
    return found


def _shows_call(row: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a text value may show a whole call, which nothing in it closes."""
    texts = (f"\n{value}" for value in arguments.values() if isinstance(value, str))
    return row in TEXT_VALUES and any(f"\n{opener}" in text for text in texts for opener in openers(row))


# -- slips that mean nothing -------------------------------------------------------------------------------------------


def in_tags(tokens: Sequence[Token]) -> list[bool]:
    """For each token whether it stands in a tag that has attributes, behind the first of its tokens."""
    found, inside = [], False
    for token in tokens:
        found.append(inside)
        if token.kind == "mark" and (token.text == "<|open|>" or re.fullmatch(r"<[^>]*", token.text)):
            inside = True
        elif token.kind == "mark" and token.text in (">", "/>", "<|sep|>"):
            inside = False
    return found


def gaps(syntax: Syntax, tokens: Sequence[Token]) -> list[tuple[int, bool]]:
    """(index of a token that blanks may stand in front of, whether they may be line ends)"""
    tags, found = in_tags(tokens), []
    for index in range(1, len(tokens)):
        before, token = tokens[index - 1], tokens[index]
        if before.kind in ("text", "edge") or token.kind in ("text", "edge") or before.text == ">>>":
            continue
        if index == 1 and before.kind == "layout":  # the marker begins with a blank
            continue
        if "layout" in (before.kind, token.kind):
            found.append((index, not _is_delimiter(syntax, before if before.kind == "layout" else token)))
        elif tags[index]:
            quoted = index > 1 and tokens[index - 2].text == "=" and before.text == '"'
            closes = token.text == '"' and before.kind != "mark"
            element = before.text == "<" or tokens[max(index - 2, 0)].text in ("<", "/")
            if not (quoted or closes or element or before.text in ("<", "/")):
                found.append((index, True))
        elif not before.text.endswith(("=", "functions.")) and token.text not in ("=", "`"):
            of_call = syntax.shape == "pythonic" and token.text == "("
            found.append((index, not of_call))
    return found


def _is_delimiter(syntax: Syntax, layout: Token) -> bool:
    """Whether a blank or line end of the sample is needed: between words, around a fence, between lines."""
    return layout.part == "needed"


def marked(syntax: Syntax, tokens: Sequence[Token]) -> list[Token]:
    """The tokens with those blanks and line ends marked that are the row's own delimiters."""
    found = list(tokens)
    lines = syntax.shape == "pythonic" and "\n" in (syntax.between, syntax.group[-1:])
    for index, token in enumerate(tokens):
        if token.kind != "layout":
            continue
        before, behind = tokens[index - 1].text[-1:] if index else "", tokens[index + 1].text[:1]
        words = all(char.isalnum() or char in "_\"'" for char in (before, behind))
        tag = (
            index > 0 and tokens[index - 1].kind == "mark" and tokens[index - 1].text.startswith("<") and before != ">"
        )
        fence = "`" in (before, behind) and syntax.group.endswith("```")
        fence = fence or tokens[index - 1].text.startswith("```")
        if words or tag or fence or not index or (lines and "\n" in token.text) or before in "->":
            found[index] = Token(token.text, "layout", "needed")
    return found


def blanks_put_in(dice: random.Random, syntax: Syntax, tokens: list[Token]) -> list[Token] | None:
    places = gaps(syntax, tokens)
    for index, lines in sorted(dice.sample(places, min(len(places), dice.randint(1, 3))), reverse=True):
        tokens = [*tokens[:index], Token(dice.choice(BLANKS if lines else ON_A_LINE), "layout"), *tokens[index:]]
    return tokens if places else None


def blanks_taken_out(dice: random.Random, syntax: Syntax, tokens: list[Token]) -> list[Token] | None:
    found = [index for index, token in enumerate(tokens) if token.kind == "layout" and token.part != "needed"]
    gone = set(dice.sample(found, dice.randint(1, len(found)))) if found else set()
    return [token for index, token in enumerate(tokens) if index not in gone] if found else None


def crlf(dice: random.Random, syntax: Syntax, tokens: list[Token]) -> list[Token] | None:
    kinds = ("layout", "edge") if dice.random() < 0.7 else ("layout",)
    return _changed(
        tokens, lambda token: re.sub(r"(?<!\r)\n", "\r\n", token.text) if token.kind in kinds else token.text
    )


def case_of_tags(dice: random.Random, syntax: Syntax, tokens: list[Token]) -> list[Token] | None:
    to = dice.choice((str.upper, str.title, str.swapcase))
    some = dice.choice((1.0, 0.3))

    def changed(token: Token) -> str:
        is_tag = token.kind == "mark" and re.match(r"</?[A-Za-z]", token.text)
        return to(token.text) if is_tag and dice.random() < some else token.text

    return _changed(tokens, changed)


def _changed(tokens: list[Token], change: Callable[[Token], str]) -> list[Token] | None:
    new = [token._replace(text=change(token)) for token in tokens]
    return new if new != tokens else None


def _attributes(tokens: Sequence[Token]) -> list[int]:
    """The indexes of names, keys and types that stand as attributes in a tag."""
    return [
        index
        for index, inside in enumerate(in_tags(tokens))
        if inside and tokens[index].kind in ("name", "key", "type") and tokens[index - 1].text in ("=", '"')
    ]


def quoting(dice: random.Random, syntax: Syntax, tokens: list[Token]) -> list[Token] | None:
    """Attributes in other quotes, or without any."""
    if "<|open|>" in syntax.call:
        return None
    found, new = _attributes(tokens), list(tokens)
    for index in found:
        quote = dice.choice(('"', "'", ""))
        if new[index - 1].text == '"':
            new[index - 1] = new[index + 1] = Token(quote, "mark")
        else:
            new[index] = new[index]._replace(text=f"{quote}{new[index].text}{quote}")
    return new if found else None


def more_attributes(dice: random.Random, syntax: Syntax, tokens: list[Token]) -> list[Token] | None:
    tags = in_tags(tokens)
    found = [
        index
        for index, token in enumerate(tokens)
        if tags[index] and token.text == ">" and tokens[index - 1].text == '"'
    ]
    for index in sorted(dice.sample(found, min(len(found), dice.randint(1, 2))), reverse=True):
        tokens = [*tokens[:index], Token(dice.choice((' class="a"', " id='1'", " n=1")), "mark"), *tokens[index:]]
    return tokens if found else None


NOTHING: dict[str, Slip] = {
    "blanks put in": blanks_put_in,
    "blanks taken out": blanks_taken_out,
    "CRLF": crlf,
    "case of tags": case_of_tags,
    "quotes of attributes": quoting,
    "more attributes": more_attributes,
}


# -- slips that damage -------------------------------------------------------------------------------------------------


def _place(dice: random.Random, tokens: Sequence[Token], part: str) -> int | None:
    found = [index for index, token in enumerate(tokens) if token.part.startswith(part)]
    return dice.choice(found) if found else None


def _without(tokens: list[Token], index: int) -> list[Token]:
    return [*tokens[:index], *tokens[index + 1 :]]


def closer_dropped(dice: random.Random, syntax: Syntax, tokens: list[Token]) -> list[Token] | None:
    index = _place(dice, tokens, "close")
    if index is None:
        return None
    part, end = tokens[index].part, index + 1
    while dice.random() < 0.5 and end < len(tokens) and (tokens[end].part == part or tokens[end].kind == "layout"):
        end += 1
    return [*tokens[:index], *tokens[end:]]


def closer_doubled(dice: random.Random, syntax: Syntax, tokens: list[Token]) -> list[Token] | None:
    index = _place(dice, tokens, "close")
    return None if index is None else [*tokens[:index], *dice.choice((1, 1, 2)) * [tokens[index]], *tokens[index:]]


def closer_misspelt(dice: random.Random, syntax: Syntax, tokens: list[Token]) -> list[Token] | None:
    index = _place(dice, tokens, "close")
    if index is None or not tokens[index].text:
        return None
    text = tokens[index].text
    at = dice.randrange(len(text))
    wrong = dice.choice((text[:at] + text[at + 1 :], text[: at + 1] + text[at:], text[:at] + "_" + text[at + 1 :]))
    return [*tokens[:index], Token(wrong, "mark"), *tokens[index + 1 :]]


def closer_halved(dice: random.Random, syntax: Syntax, tokens: list[Token]) -> list[Token] | None:
    index = _place(dice, tokens, "close")
    if index is None or len(tokens[index].text) < 2:
        return None
    return [*tokens[:index], Token(tokens[index].text[: dice.randrange(1, len(tokens[index].text))], "end")]


def opener_doubled(dice: random.Random, syntax: Syntax, tokens: list[Token]) -> list[Token] | None:
    index = _place(dice, tokens, "open")
    return None if index is None else [*tokens[:index], tokens[index], *tokens[index:]]


def opener_dropped(dice: random.Random, syntax: Syntax, tokens: list[Token]) -> list[Token] | None:
    index = _place(dice, tokens, "open")
    return None if index is None else _without(tokens, index)


def quotes_unescaped(dice: random.Random, syntax: Syntax, tokens: list[Token]) -> list[Token] | None:
    def changed(token: Token) -> str:
        is_string = token.kind == "string" and not syntax.delimiter
        return token.text[0] + without_escapes(dice, token.text[1:-1]) + token.text[-1] if is_string else token.text

    return _changed(tokens, changed)


def left_open(dice: random.Random, syntax: Syntax, tokens: list[Token]) -> list[Token] | None:
    """The text ends in the middle of a value, or anywhere."""
    found = [index for index, token in enumerate(tokens) if token.kind in VALUES and len(token.text) > 1]
    index = dice.choice(found) if found and dice.random() < 0.7 else dice.randrange(len(tokens))
    text = tokens[index].text
    return [*tokens[:index], Token(text[: dice.randrange(max(len(text), 1))], "end")]


def mark_lost(dice: random.Random, syntax: Syntax, tokens: list[Token]) -> list[Token] | None:
    return _without(tokens, dice.randrange(len(tokens)))


DAMAGES: dict[str, Slip] = {
    "a closer dropped": closer_dropped,
    "a closer doubled": closer_doubled,
    "a closer misspelt": closer_misspelt,
    "half a closer at the end": closer_halved,
    "an opener doubled": opener_doubled,
    "an opener dropped": opener_dropped,
    "quotes unescaped": quotes_unescaped,
    "left open": left_open,
    "a token lost": mark_lost,
}
SLIPS = {**NOTHING, **DAMAGES}


def make(seed: int) -> Input:
    dice = random.Random(seed)
    row = dice.choice(tuple(ROWS))
    syntax, wanted = ROWS[row], calls(dice, row)
    tokens = marked(syntax, written(syntax, wanted))
    slips: list[str] = []
    harmless = dice.random() < 0.5
    many = dice.choice((1, 1, 2))
    while len(slips) < many:
        name = dice.choice(tuple(NOTHING if harmless or (slips and dice.random() < 0.5) else DAMAGES))
        new = None if name in slips else SLIPS[name](dice, syntax, tokens)
        if new is not None:
            tokens, slips = new, [*slips, name]
    before = after = ""
    if row in FRAMED and dice.random() < 0.4:
        separators = SEPARATORS[:2] if row in OWN_LINE else SEPARATORS
        before = dice.choice(PROSES) + dice.choice(separators) if row not in AT_THE_START else ""
        ends = any(token.kind == "end" for token in tokens)
        after = dice.choice(separators) + dice.choice(PROSES) if dice.random() < 0.5 and not ends else ""
    text = before + joined(tokens) + after
    before, after = before if after else before.rstrip(), after if before else after.lstrip()
    options = {"buffered": dice.random() < 0.5, "stops": dice.random() < 0.15}
    trims = any(str(value).startswith("\n") for _, arguments in wanted for value in arguments.values())
    prior = row if trims or dice.random() < 0.7 else None
    return Input(text, row, prior, wanted, tuple(slips), before + after if harmless else None, options)


# -- the rules ---------------------------------------------------------------------------------------------------------


class Broken(AssertionError):
    """A rule that does not hold; `rule` tells failures of one kind from those of others."""

    def __init__(self, rule: str, told: str = "") -> None:
        super().__init__(f"{rule}: {told}")
        self.rule = rule


def delivered(events: Sequence[Event]) -> list[tuple[str, dict[str, Any]]]:
    """The calls that a client runs; fails if one was cut or is no object."""
    message = assemble(events)
    found = []
    for (name, arguments, _), how in zip(message.calls, message.endings, strict=True):
        if how == "unreadable":
            break
        if how != "complete":
            raise Broken(f"a call is {how}", arguments)
        found.append((name, read_object(arguments)))
    return found


def part_of(got: Any, wanted: Any, *, stops: bool) -> bool:
    """Whether a value is what was left of another when the text ended: a string is never cut, a number may be."""
    if isinstance(got, dict) and isinstance(wanted, dict):
        return all(key in wanted and part_of(each, wanted[key], stops=stops) for key, each in got.items())
    if isinstance(got, list) and isinstance(wanted, list):
        return len(got) <= len(wanted) and all(
            part_of(one, other, stops=stops) for one, other in zip(got, wanted, strict=False)
        )
    number = isinstance(wanted, (int, float)) and not isinstance(wanted, bool) and not stops
    return same_json(got, wanted) or (number and str(wanted).startswith(str(got).removesuffix(".0")))


def check(given: Input, seed: int) -> str:
    """The outcome, `same` or `other`, of an input; raises Broken."""
    ways = ([given.text], list(given.text), random_cut(given.text, seed))
    read = [parse(given.text, TOOLS, pieces, row=given.prior, **given.options) for pieces in ways]
    for events in read:
        if spans(events) != given.text:
            raise Broken("the spans are not the text", repr(spans(events)))
    for events in read[1:]:
        if meaning(events) != meaning(read[0]):
            raise Broken("not the same in pieces", f"{meaning(events)}\n    whole: {meaning(read[0])}")
    got = delivered(read[0])
    same = [name for name, _ in got] == [name for name, _ in given.calls] and all(
        same_json(one, other) for (_, one), (_, other) in zip(got, given.calls, strict=True)
    )
    message = assemble(read[0])
    if given.content is not None:
        if not same:
            raise Broken("other calls", f"{got} {message.endings} {message.content!r}")
        if _plain(message.content) != _plain(given.content) or message.reasoning:
            raise Broken("other content", f"{message.content!r} {message.reasoning!r}")
    if same:
        return "same"
    _check_damaged(given, got, read[0])
    return "other" if got else "text"


def _check_damaged(given: Input, got: list[tuple[str, dict[str, Any]]], events: Sequence[Event]) -> None:
    text = given.text
    views = [text, decoded(text), decoded(text.replace("\\\n", "")), unescape(text)]
    for name, arguments in got:
        if name not in TOOLS and name not in text:
            raise Broken("an invented name", name)
        wrong = invented(arguments, text, views)
        if wrong is not None:
            raise Broken("invented", f"{wrong!r} in {arguments}")
    if set(given.slips) <= {"left open", "half a closer at the end", *NOTHING}:
        for place, (name, arguments) in enumerate(got):
            if place >= len(given.calls) or name != given.calls[place][0]:
                raise Broken("a call that was not written", f"{name} {arguments}")
            if not part_of(arguments, given.calls[place][1], stops=bool(given.options["stops"])):
                raise Broken("a value that was left open", f"{arguments}")
    for event in events:
        if isinstance(event, Removed) and event.reason == "marker" and not event.tag:
            for value in _long_strings(given.calls):
                if value in event.raw:
                    raise Broken("a value was removed", repr(event))


def _long_strings(wanted: Sequence[Call]) -> Iterator[str]:
    for _, arguments in wanted:
        yield from (value for value in arguments.values() if isinstance(value, str) and len(value.strip()) > 5)


# -- the run -----------------------------------------------------------------------------------------------------------

Failure = tuple[int, str, str, Input]


def run(seeds: range) -> tuple[list[Failure], Counter[str]]:
    """(what failed: the seed, the rule, what is told, the input; how many inputs had which outcome)"""
    found: list[Failure] = []
    outcomes: Counter[str] = Counter()
    for seed in seeds:
        given = make(seed)
        try:
            outcomes[("harmless " if given.content is not None else "") + check(given, seed)] += 1
        except Broken as broken:
            found.append((seed, broken.rule, str(broken), given))
        except Exception as error:  # noqa: BLE001  # that nothing raises is tested, too
            found.append((seed, f"raises {type(error).__name__}", str(error), given))
    return found, outcomes


def _batches(first: int, count: int, size: int = 250) -> Iterator[range]:
    for start in range(first, first + count, size):
        yield range(start, min(start + size, first + count))


def main(arguments: Sequence[str] | None = None) -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz_mutations", description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--inputs", type=int, default=100_000)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--show", type=int, default=2, help="failures to show of each kind")
    asked.add_argument("--processes", type=int, default=2)
    told = asked.parse_args(arguments)
    began = time.monotonic()
    kinds: dict[tuple[str, str, str], list[Failure]] = {}
    outcomes: Counter[str] = Counter()
    with ProcessPoolExecutor(told.processes) as pool:
        for failures, counted in pool.map(run, _batches(told.seed, told.inputs)):
            outcomes += counted
            for failure in failures:
                kinds.setdefault((failure[1], failure[3].row, failure[3].slips[0]), []).append(failure)
    for (rule, row, slip), failures in sorted(kinds.items(), key=lambda each: -len(each[1])):
        print(f"{len(failures)} x {rule}, {row}, {slip}")
        for seed, _, message, given in sorted(failures, key=lambda each: len(each[3].text))[: told.show]:
            print(f"  seed {seed}, {given.slips}, prior {given.prior}, {dict(given.options)}: {message[:1500]}")
            print(f"    {given.text!r}\n    wanted {given.calls}")
    failed = sum(map(len, kinds.values()))
    seconds = time.monotonic() - began
    print(f"{told.inputs} inputs in {seconds:.0f} s, {failed} failed; {dict(outcomes)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
