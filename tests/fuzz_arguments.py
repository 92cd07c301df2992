"""Arguments made at random: pairs of a schema and a value that fits it, and JSON with slips in it.

    python -m tests.fuzz_arguments [--pairs 100000] [--mutants 20000] [--damaged 20000] [--seed 0]

A pair is written in a row of text values, read back at some cut, and must be the same value. A text with slips must
never raise, must come out as JSON or be unreadable, must not depend on where it is cut, and must come out as it was if
it is valid. Damaged arguments (tests/damage.py) must not be altered.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from converters.render import render_calls
from converters.shapes.opening import is_placeholder
from converters.values.json.reader import JsonReader
from converters.values.json.whole import read_whole
from converters.values.schema import Node
from converters.values.typed import SchemaPolicy
from tests.damage import check, damaged
from tests.fuzz import TEXT_VALUES, ambiguous
from tests.helpers import ROWS, assemble, meaning, parse, read_json, same_json, spans

PROCESSES = 2


class Pair(NamedTuple):
    """A value and a schema that it fits; `$defs` is what the schema refers to."""

    schema: dict[str, Any]
    value: Any


# -- values with their schemas ---------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LOOKALIKES = st.sampled_from(
    ["true", "null", "None", "3", "00123", "1.0", "{}", '{"a": 1}', "[1]", '"q"', " x ", "a\n", "\\d+", "it's", "<b>"]
)
STRINGS = st.one_of(TEXT, LOOKALIKES)
INTEGERS = st.one_of(st.integers(), st.integers(10**30, 10**40))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,7}", fullmatch=True)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": STRINGS,
    "integer": INTEGERS,
    "number": st.one_of(INTEGERS, FLOATS),
    "boolean": st.booleans(),
    "null": st.none(),
}


def _scalar(kind: str) -> st.SearchStrategy[Pair]:
    return SCALARS[kind].map(lambda value: Pair({"type": kind}, value))


def _spelled_out(values: list[Any]) -> st.SearchStrategy[Pair]:
    return st.sampled_from(values).map(lambda value: Pair({"enum": values}, value))


LEAVES = st.one_of(
    *map(_scalar, SCALARS),
    st.lists(st.one_of(KEYS, st.integers(-9, 9), st.none()), min_size=1, max_size=3).flatmap(_spelled_out),
    SCALARS["string"].map(lambda value: Pair({"type": ["string"], "minLength": 0}, value)),
    SCALARS["integer"].map(lambda value: Pair({"type": "integer", "nullable": True}, value)),
)


def _array(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    def of(pair: Pair) -> st.SearchStrategy[Pair]:
        return st.integers(0, 3).map(lambda times: Pair({"type": "array", "items": pair.schema}, [pair.value] * times))

    return inner.flatmap(of)


def _object(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    def of(members: dict[str, Pair]) -> Pair:
        schemas = {key: pair.schema for key, pair in members.items()}
        return Pair({"type": "object", "properties": schemas}, {key: pair.value for key, pair in members.items()})

    return st.dictionaries(KEYS, inner, max_size=3).map(of)


def _open_object(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    def of(pair: Pair, keys: list[str]) -> Pair:
        return Pair({"type": "object", "additionalProperties": pair.schema}, dict.fromkeys(keys, pair.value))

    return st.builds(of, inner, st.lists(KEYS, max_size=3, unique=True))


def _wrapped(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    """The same value, with its type said in a roundabout way."""
    other = st.sampled_from([{"type": "null"}, {"type": "boolean"}, {"type": "object", "properties": {}}])
    union = st.sampled_from(["anyOf", "oneOf"])
    return st.one_of(
        inner.map(lambda pair: Pair({"allOf": [pair.schema, {"description": "x"}]}, pair.value)),
        inner.map(lambda pair: Pair({"$ref": "#/$defs/it", "$defs": {"it": pair.schema}}, pair.value)),
        st.builds(lambda pair, word, more: Pair({word: [more, pair.schema]}, pair.value), inner, union, other),
    )


VALUES = st.recursive(
    LEAVES, lambda inner: st.one_of(_array(inner), _object(inner), _open_object(inner), _wrapped(inner)), max_leaves=6
)


def _raised(schema: Any, root: dict[str, Any]) -> Any:
    """A schema whose own `$defs` have been moved to the root, where references look for them."""
    if isinstance(schema, list):
        return [_raised(each, root) for each in schema]
    if not isinstance(schema, dict):
        return schema
    moved = {word: _raised(each, root) for word, each in schema.items() if word != "$defs"}
    if "$defs" in schema and "$ref" in schema:
        name = f"d{len(root)}"
        root[name] = {}
        root[name] = _raised(schema["$defs"]["it"], root)
        moved["$ref"] = f"#/$defs/{name}"
    return moved


def _could_be_other(value: Any, node: Node) -> bool:
    """Whether a text is, by the contract, the value of another type that its schema allows."""
    if isinstance(value, str):
        if value in node.spelled or node.kinds == {"string"}:
            return False
        whole = read_whole(value.strip())
        return whole is not None and not isinstance(whole[0], str)
    if isinstance(value, dict):
        return any(_could_be_other(each, node.member(key)) for key, each in value.items())
    return isinstance(value, list) and any(_could_be_other(each, node.items) for each in value)


class Written(NamedTuple):
    """The arguments of one call, their schema, and the row that they are written in."""

    row: str
    schema: dict[str, Any]
    arguments: dict[str, Any]
    place: int
    """A thousandth of the text, at which it is cut."""


def _call(row: str, members: dict[str, Pair], place: int) -> Written:
    root: dict[str, Any] = {}
    properties = {key: _raised(pair.schema, root) for key, pair in members.items()}
    schema = {"type": "object", "properties": properties, "$defs": root}
    return Written(row, schema, {key: pair.value for key, pair in members.items()}, place)


def is_example(arguments: dict[str, Any]) -> bool:
    """Whether the contract calls it no call but text (section 2, *placeholders*): every value stands for another.

    In rows of text values `<args>`, `...`, `…` and `{...}` are placeholders, if all values are such.
    """
    return bool(arguments) and all(isinstance(each, str) and is_placeholder(each) for each in arguments.values())


def _can_be_told(call: Written) -> bool:
    """Whether the arguments fit (a value may fit both sides of a oneOf), and nobody could read them otherwise."""
    if (
        is_example(call.arguments)
        or ambiguous(call.row, call.arguments)
        or _could_be_other(call.arguments, Node(call.schema))
    ):
        return False
    return bool(Draft202012Validator(call.schema).is_valid(call.arguments))


PAIRS = st.builds(
    _call, st.sampled_from(sorted(TEXT_VALUES)), st.dictionaries(KEYS, VALUES, max_size=3), st.integers(0, 1000)
).filter(_can_be_told)


def check_pair(call: Written) -> None:
    """The arguments come back as they were, at this cut as in one piece, and fit their schema."""
    tools = {"get_it": call.schema}
    text = render_calls(ROWS[call.row], [("get_it", call.arguments)])
    whole = parse(text, tools, row=call.row)
    place = len(text) * call.place // 1000
    assert meaning(parse(text, tools, [text[:place], text[place:]], row=call.row)) == meaning(whole)
    assert spans(whole) == text
    message = assemble(whole)
    assert message.names == ["get_it"], text
    assert same_json(message.arguments[0], call.arguments), f"{message.arguments} for {call.arguments}"
    assert "arguments_misfit" not in message.noted, (text, call.schema)


# -- JSON with slips -------------------------------------------------------------------------------------------------

SLIPS: Sequence[Callable[[random.Random, str], str]] = (
    lambda dice, text: _at(dice, text, ""),
    lambda dice, text: _at(dice, text, dice.choice("{}[],:\"'\\/#`\n\t 0aeu-.")),
    lambda dice, text: _at(dice, text, dice.choice(["//x\n", "/*x*/", "# x\n", "\\n", "True", "None", "NaN", "```"])),
    lambda dice, text: text[: dice.randint(0, len(text))],
    lambda dice, text: text + dice.choice(["}", "]", ",", "\n```", " x", "}}"]),
    lambda dice, text: text.replace('"', "'"),
    lambda dice, text: text.replace('"', '\\"'),
    lambda dice, text: text.replace("{", "{{").replace("}", "}}"),
    lambda dice, text: text.replace("}", ",}").replace("]", ", ]"),
    lambda dice, text: text.replace("\\n", "\n"),
    lambda dice, text: f"```json\n{text}\n```",
    lambda dice, text: text.replace("true", "True").replace("null", "None"),
)
SMALL: tuple[Any, ...] = (0, -1, 1.5, True, None, "", "it's", 'say "hi"', "a\nb", "C:\\x", "서울", {}, [], "\\d", "//")


def _at(dice: random.Random, text: str, put: str) -> str:
    place = dice.randint(0, len(text))
    return text[:place] + put + text[place + dice.randint(0, 1) :]


def _value(dice: random.Random, depth: int = 0) -> Any:
    kind = dice.random()
    if depth > 2 or kind < 0.4:
        return dice.choice(SMALL)
    if kind < 0.75:
        return {dice.choice(["a", "b", "it's", "n"]): _value(dice, depth + 1) for _ in range(dice.randint(0, 3))}
    return [_value(dice, depth + 1) for _ in range(dice.randint(0, 3))]


def mutant(number: int) -> str:
    """The JSON text number N, with up to three slips; some have none."""
    dice = random.Random(number)
    text = json.dumps({"a": _value(dice), "n": _value(dice)}, ensure_ascii=dice.random() < 0.5)
    for _ in range(dice.randint(0, 3)):
        text = dice.choice(SLIPS)(dice, text)
    return text


MUTANT_SCHEMA = {"properties": {"n": {"type": "integer"}, "a": {"type": ["object", "string"]}}}
READERS: Sequence[Callable[[], JsonReader]] = (
    JsonReader,
    lambda: JsonReader(SchemaPolicy(Node(MUTANT_SCHEMA))),
)


def _read(reader: JsonReader, pieces: Sequence[str]) -> tuple[str, str] | None:
    """(what comes out of these pieces, what is left of them), or None if they are unreadable"""
    out, rest = "", ""
    for piece in pieces:
        if reader.done:
            rest += piece
        elif not reader.unreadable:
            out += reader.feed(piece)
            rest = reader.rest
    out += reader.finish()
    return None if reader.unreadable else (out, rest)


def check_mutant(text: str) -> None:
    """JSON comes out or nothing, the same at every cut; a text that was valid comes out as it was."""
    for new in READERS:
        whole = _read(new(), [text])
        if whole and whole[0].strip():
            read_json(whole[0])
        for place in range(1, len(text)):
            assert _read(new(), [text[:place], text[place:]]) == whole, (text, place)
        assert _read(new(), list(text)) == whole, text
    strict = read_whole(text)
    if strict is not None:
        assert _read(JsonReader(), [text]) == (text[: strict[1]], text[strict[1] :]), text


# -- the run ---------------------------------------------------------------------------------------------------------


def _run_pairs(first: int, count: int) -> int:
    checked = 0

    @seed(first)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(PAIRS)
    def check(call: Written) -> None:
        nonlocal checked
        checked += 1
        check_pair(call)

    check()
    return checked


def _run_mutants(first: int, count: int) -> int:
    for number in range(first, first + count):
        check_mutant(mutant(number))
    return count


def _run_damaged(first: int, count: int) -> int:
    for number in range(first, first + count):
        for python in (False, True):
            case = damaged(number, python)
            place = number % (len(case.text) + 1)
            check(case, [list(case.text), [case.text[:place], case.text[place:]]])
    return count


def main(arguments: Sequence[str] | None = None) -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz_arguments", description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--pairs", type=int, default=100_000)
    asked.add_argument("--mutants", type=int, default=20_000)
    asked.add_argument("--damaged", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=0)
    told = asked.parse_args(arguments)
    for what, run, wanted in (
        ("pairs", _run_pairs, told.pairs),
        ("mutants", _run_mutants, told.mutants),
        ("damaged", _run_damaged, told.damaged),
    ):
        began = time.monotonic()
        shares = [wanted // PROCESSES + (place < wanted % PROCESSES) for place in range(PROCESSES)]
        firsts = [told.seed + sum(shares[:place]) for place in range(PROCESSES)]
        with ProcessPoolExecutor(PROCESSES) as processes:
            checked = sum(processes.map(run, firsts, shares))  # a failure is raised here, with what it failed on
        print(f"{checked} {what} in {time.monotonic() - began:.0f} s, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
