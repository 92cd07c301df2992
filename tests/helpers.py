"""What the tests of the heart share: a text in every cut, its events as a message, and what to compare of them."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from converters import SYNTAXES, Expectations, Syntax, new_parser
from converters.syntaxes import END_TOKENS, REASONING_TAGS, RESULTS, TURN_HEADERS
from converters.syntaxes.channels import CHANNEL, FIRST, MESSAGE, START
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Event, Noted, Reasoning, Removed, Text, merge
from tests.scale import of

CORPUS = Path(__file__).parent / "corpus"
ROWS: dict[str, Syntax] = {syntax.name: syntax for syntax in SYNTAXES}
PREFIX = "ant" + "ml:"
"""The prefix of Claude's tags, in two halves so that no tool which reads this file takes it for its own markup."""

EVERY_PAIR = 300
"""Texts shorter than this are cut in two at every place."""

LONG = of(200, 40)
"""Texts shorter than this are cut off at every length."""


# -- a text in pieces ------------------------------------------------------------------------------------------------


def chunks(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def cuts(text: str, pairs: int = EVERY_PAIR, randoms: int = 4) -> Iterator[list[str]]:
    """The text in pieces: whole, by a few characters, in two at every place, and at random with a seed."""
    yield [text]
    for size in (1, 2, 3, 5, 7):
        yield chunks(text, size)
    if len(text) < pairs:
        for place in range(1, len(text)):
            yield [text[:place], text[place:]]
    for seed in range(randoms):
        yield random_cut(text, seed)


def random_cut(text: str, seed: int) -> list[str]:
    """Pieces of uneven length, some of them empty, as a careless server may send them."""
    dice = random.Random(seed)
    count = min(len(text), dice.choice((3, 8, len(text) // 4)))
    places = sorted(dice.choices(range(len(text) + 1), k=count)) if text else []
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


def truncations(text: str) -> Iterator[str]:
    """The text as max_tokens could have cut it: at every length, of long texts inside words only at some."""
    for length in range(len(text) + 1):
        inside = text[max(length - 2, 0) : length + 1].isalnum()
        if len(text) < LONG or not inside or length % 3 == 0:
            yield text[:length]


# -- from text to events and to what a client sees ---------------------------------------------------------------------


def parse(
    text: str,
    tools: Mapping[str, Mapping[str, Any]] | Iterable[str] = (),
    pieces: Iterable[str] | None = None,
    cut: bool = False,
    row: str | None = None,
    **expectations: Any,
) -> list[Event]:
    """All events of a text that comes in these pieces (whole if none are given).

    `row` is what the model's name speaks for, `tools` the declared names with their schemas, or names alone.
    """
    declared = dict(tools) if isinstance(tools, Mapping) else {name: {} for name in tools}
    parser = new_parser(Expectations(declared, **expectations), ROWS[row] if row else None)
    events: list[Event] = []
    for piece in [text] if pieces is None else pieces:
        events += parser.feed(piece)
    return events + parser.finish(cut)


@dataclass
class Message:
    """An answer as its client has it in the end."""

    content: str = ""
    reasoning: str = ""
    calls: list[tuple[str, str, str | None]] = field(default_factory=list)
    """(name, arguments as JSON text, the id that the syntax carried)"""
    removed: list[str] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)
    endings: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self.calls]

    @property
    def arguments(self) -> list[Any]:
        """The arguments of each call, read as JSON; fails if they are not the JSON of an object (I3)."""
        return [read_object(text) for _, text, _ in self.calls]


def assemble(events: Iterable[Event]) -> Message:
    """The events as a message; fails if they are in an order that no client could follow."""
    message = Message()
    open_call: int | None = None
    for event in events:
        match event:
            case Text(text):
                message.content += text
            case Reasoning(text):
                message.reasoning += text
            case CallStart(index, name, call_id):
                assert open_call is None, "a call begins inside a call"
                assert index == len(message.calls), f"call {len(message.calls)} has the index {index}"
                assert name, "a call without a name"
                assert call_id != "", "an empty id"
                open_call = index
                message.calls.append((name, "", call_id))
            case ArgumentsDelta(index, delta):
                assert index == open_call, "arguments outside their call"
                name, arguments, call_id = message.calls[-1]
                message.calls[-1] = (name, arguments + delta, call_id)
            case CallEnd(index, how=how):
                assert index == open_call, "the end of a call that is not open"
                open_call = None
                message.endings.append(how)
            case Removed(_, reason):
                message.removed.append(reason)
            case Noted(code):
                message.noted.append(code)
    assert open_call is None, "a call without an end"
    return message


def meaning(events: Iterable[Event]) -> list[Event]:
    """What of the events may not depend on how the text was cut: all but which piece of a call carries which span.

    Behind a call that cannot be read a stream ends.
    """
    plain: list[Event] = []
    for event in events:
        match event:
            case CallStart(index, name, call_id, _, inside):
                plain.append(CallStart(index, name, call_id, "", inside))
            case ArgumentsDelta(index, delta):
                if delta:
                    plain.append(ArgumentsDelta(index, delta))
            case CallEnd(index, _, how, unclosed):
                plain.append(CallEnd(index, "", how, unclosed and how != "unreadable"))
                if how == "unreadable":  # how much of its arguments had left depends on what had come
                    plain = [each for each in plain if not isinstance(each, ArgumentsDelta) or each.index != index]
                    break
            case Removed("", _, False) | Text("") | Reasoning(""):
                pass
            case _:
                plain.append(event)
    return merge(plain)


def spans(events: Iterable[Event]) -> str:
    """All spans joined: by I2 the text that was fed."""
    return "".join(event.raw for event in events)


# -- what is claimed of JSON -----------------------------------------------------------------------------------------


def read_json(text: str) -> Any:
    """Strict JSON: no NaN, no key twice at any depth."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), f"a key stands twice in {text!r}"
        return dict(pairs)

    def constant(name: str) -> Any:
        raise AssertionError(f"{name} is no JSON")

    try:
        return json.loads(text, object_pairs_hook=members, parse_constant=constant)
    except ValueError as error:
        raise AssertionError(f"not JSON: {text!r}: {error}") from None


def read_object(text: str) -> dict[str, Any]:
    value = read_json(text)
    assert isinstance(value, dict), f"not an object: {text!r}"
    return value


def same_json(one: Any, other: Any) -> bool:
    """Equal with their types and the order of their keys: Python takes 1, 1.0 and True for one value."""
    return json.dumps(one) == json.dumps(other)


# -- markers ---------------------------------------------------------------------------------------------------------


SUFFIXES = ("opensource", "6124c78e", "sfx-2.b")
"""Some of those that the tags of rows and lanes may carry which take any."""


def with_suffixes(texts: Iterable[str]) -> set[str]:
    """The texts, and each of them with each of the suffixes in its tags."""
    plain = set(texts)
    return plain | {re.sub(r"(</?\w+)>", rf"\g<1>:{suffix}>", text) for text in plain for suffix in SUFFIXES}


@cache
def markers(row: str) -> tuple[str, ...]:
    """The markers of a row as a client would notice them in a text: each tag with its bracket and up to its name."""
    syntax = ROWS[row]
    written = re.findall(r"<[^\s\"{}>]+>?|\[[A-Z_]+\]", syntax.group + syntax.call + syntax.parameter)
    named: set[str] = {marker for marker in written if len(marker) > 2}
    prefixed = {re.sub(r"^(</?)", rf"\1{syntax.prefix}", marker) for marker in named}
    found = named | prefixed | {"<think>", "</think>"}
    return tuple(sorted(with_suffixes(found) if syntax.suffixed else found))


@cache
def _halves() -> frozenset[str]:
    """Every strict prefix of what opens or closes anything in any row, and of an end-of-turn token."""
    whole = {tag for lane in REASONING_TAGS for tag in (lane.turn_opener + lane.opens, lane.opens, *lane.closes)} | {
        *END_TOKENS,
        *RESULTS,
        *(START, CHANNEL, MESSAGE, *FIRST),
        *(header.opens for header in TURN_HEADERS),
    }
    whole |= with_suffixes(tag for lane in REASONING_TAGS if lane.suffixed for tag in (lane.opens, *lane.closes))
    for row in ROWS:
        whole |= {*openers(row), *markers(row), *_literals(ROWS[row])}
    return frozenset(marker[:length] for marker in whole for length in range(1, len(marker)))


def _literals(syntax: Syntax) -> set[str]:
    """What stands between the holes of a row, as one and tag by tag."""
    groups, calls = (syntax.group, *syntax.also_group), (syntax.call, *syntax.also_call)
    texts = [*groups, *calls, syntax.parameter, *syntax.also_parameter]
    if syntax.lead_token:
        texts += [text.replace(syntax.lead_token, syntax.lead_token + " ") for text in texts]
    found = {literal for text in texts for literal in re.split(r"\{\w+\}|[\n\"⟦⟧¦]", text)}
    found |= {group.partition("{calls}")[0] + "{" for group in groups if syntax.shape == "json_object"}
    found |= {tag for literal in found for tag in re.split(r"(?<=>)(?=<)", literal)}
    return with_suffixes(found) if syntax.suffixed else found


def half_marker(text: str) -> str:
    """The strict prefix of a marker in which a text ends; most often none. Such a prefix is text."""
    halves = _halves()
    return next((text[-length:] for length in range(min(len(text), 80), 0, -1) if text[-length:] in halves), "")


@lru_cache(maxsize=256)  # neighbouring ends of a text often leave the same
def without_half(text: str) -> str:
    """A text without the half of a marker in which it ends."""
    text = text.rstrip()
    half = half_marker(text) or half_marker(text + " ").rstrip()
    return text.removesuffix(half).rstrip()


@cache
def openers(row: str) -> tuple[str, ...]:
    """What the calls of a row can begin with, in every spelling: all that stands before the first hole or quote."""
    syntax = ROWS[row]
    templates = (syntax.group, *syntax.also_group, syntax.call, *syntax.also_call)
    found = {re.split(r"[\n\"{⟦]", template, maxsplit=1)[0].rstrip("[ ") for template in templates} - {""}
    found |= {re.split(r"[\s]", opener, maxsplit=1)[0] for opener in found if opener[0] != " "}
    found |= {re.sub("^<", f"<{syntax.prefix}", opener) for opener in found}
    return tuple(sorted(with_suffixes(found) if syntax.suffixed else found))


def assert_no_marker(text: str, row: str | None = None) -> None:
    """No marker of the row, or of any row, stands in a text."""
    for name in [row] if row else ROWS:
        for marker in markers(name):
            assert marker not in text, f"the marker {marker} of {name} leaked into {text!r}"


# -- the corpus ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """What a model wrote, and what it means."""

    row: str
    name: str
    text: str
    tools: Mapping[str, Mapping[str, Any]]
    content: str
    reasoning: str
    calls: Sequence[Mapping[str, Any]]
    expectations: Mapping[str, Any]
    priors: Sequence[str | None]
    """The rows that a model's name may speak for without a change of meaning."""
    repaired: bool
    """Its JSON had to be repaired, so that it cannot pass verbatim."""

    def __str__(self) -> str:
        return f"{self.row}/{self.name}"

    @property
    def names(self) -> list[str]:
        return [call["name"] for call in self.calls]


@cache
def read_case(path: Path) -> Case:
    """The case of a `.txt` file, and of the `.json` file beside it."""
    told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    row = path.parent.name
    return Case(
        row=row,
        name=path.stem,
        text=path.read_bytes().decode("utf-8"),
        tools={tool["name"]: tool.get("parameters", {}) for tool in told["tools"]},
        content=told["content"],
        reasoning=told["reasoning"],
        calls=told["calls"],
        expectations=told.get("expectations", {}),
        priors=told.get("only_with") or [prior for prior in (None, *ROWS) if prior not in told.get("not_with", [])],
        repaired=told.get("repaired", False),
    )


def corpus() -> list[Case]:
    """Every case of every row."""
    return [read_case(path) for row in ROWS for path in sorted((CORPUS / row).glob("*.txt"))]
