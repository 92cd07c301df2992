"""Rows spoilt on purpose: the proof may accept one only if it reads 200 further calls just as the unspoilt row does."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from converters import new_parser
from converters.learning.conversations import Call, Conversation, NotRendered, Turn
from converters.learning.learn import proved, prover_of
from converters.learning.proof import STRINGS_ONLY, TOOLS, Prover
from converters.learning.written import Written
from converters.syntaxes import Syntax
from converters.text.events import Event
from converters.text.samples import SampleError
from templates.rendering import Rendering
from templates.sources import read_template
from tests.helpers import assemble

_TOKEN = re.compile(r"</?[^<>{}]*>|\{\w+\}|\s+|\w+|.", re.DOTALL)
_SAMPLES = ("call", "group", "parameter")
_WORDS = [
    "a",
    "Seoul",
    "서울",
    "1",
    "true",
    "null",
    '"',
    "'",
    "\\",
    "\n",
    " ",
    "<b>",
    "</b>",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "=",
    "(",
    ")",
]


class Subject(NamedTuple):
    """A template with the row that was learned from it."""

    name: str
    row: Syntax
    prover: Prover
    texts: list[tuple[str, bool]]
    """What it renders for further calls, and whether the reasoning is open before it."""

    def reads(self, row: Syntax) -> list[Any]:
        """What a row makes of the texts."""
        return [self._read(row, text, inside=inside) for text, inside in self.texts]

    def _read(self, row: Syntax, text: str, *, inside: bool) -> Any:
        parser = new_parser(replace(self.prover.expected, starts_inside=inside), row)
        events: list[Event] = [*parser.feed(text), *parser.finish()]
        found = assemble(events)
        return found.names, found.calls, found.content, found.reasoning


def subject(path: Path, row: Syntax, count: int, seed: int = 7) -> Subject:
    """A template with the texts of so many calls."""
    template = read_template(path)
    with Rendering(template.text, template.variables) as rendering:
        written, prover = prover_of(rendering, template.special)
        texts = list(_texts(written, prover, count, random.Random(seed)))
    return Subject(path.stem, row, prover, texts)


def _texts(written: Written, prover: Prover, count: int, dice: random.Random) -> Iterator[tuple[str, bool]]:
    tools = STRINGS_ONLY if written.history.plain_tools else TOOLS
    while count > 0:
        calls = tuple(_call(dice, tools) for _ in range(dice.choice((1, 1, 2))))
        says = dice.choice(("", "", "Well, so."))
        try:
            prompt, text = written.turn(Turn(calls, content=says), tools=Conversation(tools=tools))
        except NotRendered:
            text = written.calls(calls[:1])
            prompt = ""
        yield text, prover.is_open(prompt)
        count -= len(calls)


def _call(dice: random.Random, tools: Sequence[tuple[str, Any]]) -> Call:
    name, properties = dice.choice(tools)
    keys = [key for key in properties if dice.random() < 0.8]
    return Call(name, {key: _value(dice, properties[key]) for key in keys})


def _value(dice: random.Random, schema: Any) -> Any:
    kind = schema["type"]
    if kind == "string":
        return ("w" + "".join(dice.choice(_WORDS) for _ in range(dice.randrange(8))) + "w").strip()
    if kind == "array":
        return [dice.randrange(9) for _ in range(dice.randrange(1, 4))]
    if kind == "object":
        return {"mode": "w", "depth": dice.randrange(1, 9) + 0.5}
    return dice.random() < 0.5 if kind == "boolean" else dice.randrange(-5, 1000)


def spoilt(row: Syntax, count: int, seed: int) -> Iterator[tuple[str, Syntax | None]]:
    """(what was done, the row; None if the grammar refuses it)"""
    dice = random.Random(seed)
    while count:
        done, fields = _spoil(row, dice)
        if all(getattr(row, key) == value for key, value in fields.items()):
            continue
        count -= 1
        try:
            yield done, replace(row, **fields)
        except SampleError:
            yield done, None


def _spoil(row: Syntax, dice: random.Random) -> tuple[str, dict[str, Any]]:
    if dice.random() < 0.35:
        flags = ("whole_message", "declared_only", "needs_group")
        options: list[dict[str, Any]] = [{flag: not getattr(row, flag)} for flag in flags]
        options += [
            {"keys": (row.keys[1], row.keys[0])},
            {"keys": ("fn", "args")},
            {"delimiter": row.delimiter[:-1]},
            {"delimiter": row.delimiter + "|"},
            {"grouped": "each" if row.grouped == "all" else "all"},
            {"between": row.between + "|"},
            {"string_types": ("data",)},
            {"lead_token": ""},
            {"own_ends": ()},
            {"own_tags": ()},
            {"id_key": "ref"},
            {"prefilled_call": row.call[:3]},
        ]
        fields = dice.choice(options)
        return str(fields), fields
    sample = dice.choice([name for name in _SAMPLES if getattr(row, name)])
    text = getattr(row, sample)
    tokens = _TOKEN.findall(text)
    place = dice.randrange(len(tokens))
    how = dice.choice(("drop", "double", "swap", "first", "last", "letter"))
    if how == "drop":
        tokens[place] = ""
    elif how == "double":
        tokens[place] *= 2
    elif how == "swap":
        other = dice.randrange(len(tokens))
        tokens[place], tokens[other] = tokens[other], tokens[place]
    elif how == "first":
        tokens[0] = tokens[0][1:]
    elif how == "last":
        tokens[-1] = tokens[-1][:-1]
    else:
        tokens[place] = tokens[place].replace(tokens[place][-1:], "j")
    return f"{sample}: {how} {place}", {sample: "".join(tokens)}


def judge(subject: Subject, count: int, seed: int) -> tuple[int, int, list[str]]:
    """(how many spoilt rows were tried, how many accepted, those accepted that read anything otherwise)"""
    right = subject.reads(subject.row)
    accepted, wrong = 0, []
    for done, row in spoilt(subject.row, count, seed):
        if row is None or not proved(subject.prover, row).holds:
            continue
        accepted += 1
        differs = [
            text for (text, _), one, other in zip(subject.texts, right, subject.reads(row), strict=True) if one != other
        ]
        if differs:
            wrong.append(f"{subject.name}: {done}: {differs[0][:200]!r}")
    return count, accepted, wrong
