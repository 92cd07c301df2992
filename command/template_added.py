"""Writes a learned row and its corpus cases into a checkout of the project, for a pull request.

The row goes to the file of its shape, its name into the table and into the examples of docs/SYNTAXES.md. Each case is
what the template renders for calls that the row was not made of, and is written only if the row reads it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command.subcommand import CommandError
from command.template_row import constant, row_code
from converters.learning.conversations import Call, Conversation, DeclaredTools, NotRendered, Turn
from converters.learning.learn import Learned, prover_of
from converters.learning.written import Written
from converters.stages.pipeline import new_parser
from converters.syntaxes import SYNTAXES, Syntax
from converters.text.events import ArgumentsDelta, CallStart, Reasoning, Text
from converters.text.expectations import Expectations
from templates.rendering import Rendering
from templates.sources import Template

_FILES = {
    "json_object": "objects",
    "named_json": "headers",
    "relaxed": "headers",
    "tagged": "tagged",
    "elements": "tagged",
    "pythonic": "pythonic",
}
_TABLE = "converters/syntaxes/__init__.py"
_EXAMPLES = "docs/make_syntaxes.py"
_FEWEST = 6
"""Corpus cases of a row."""
_STRING = {"type": "string"}
_TOOLS: DeclaredTools = (
    ("get_weather", {"city": _STRING, "days": {"type": "integer"}}),
    ("write_file", {"path": _STRING, "text": _STRING}),
    ("book", {"who": {"type": "object", "properties": {"name": _STRING, "tags": {"type": "array", "items": _STRING}}}}),
    ("get_time", {}),
)
_WEATHER = Call("get_weather", {"city": "서울", "days": 3})
_CASES: dict[str, tuple[str, tuple[Call, ...]]] = {
    "single": ("", (_WEATHER,)),
    "parallel": ("", (_WEATHER, Call("get_weather", {"city": "Oslo", "days": 1}))),
    "zero_argument": ("", (Call("get_time", {}),)),
    "nested_unicode": ("", (Call("book", {"who": {"name": "Zoë 🌧", "tags": ["a", "«b»"]}}),)),
    "multiline_code": ("", (Call("write_file", {"path": "a.py", "text": 'def f():\n    return "<b>"\n\n# end'}),)),
    "text_before": ("Let me look.", (_WEATHER,)),
    "quotes": ("", (Call("write_file", {"path": "a b.txt", "text": 'the "old" town\'s \\ end {x} </x>'}),)),
    "strings": ("", (Call("get_weather", {"city": "00123", "days": -1}),)),
}


@dataclass(frozen=True)
class _Case:
    name: str
    text: str
    told: dict[str, Any]


def add(template: Template, learned: Learned, model: str, root: Path | None = None) -> list[str]:
    """Write all of it below `root`, which is this checkout. Returns the files. Raises CommandError."""
    root = root or Path(__file__).resolve().parents[1]
    row = learned.row
    if row is None:
        raise CommandError(f"nothing is added: {learned.why}")
    if learned.is_listed:
        raise CommandError(
            f"nothing is added: the row {row.name} of the table reads its calls; add the name to `models`"
        )
    if row.name in {each.name for each in SYNTAXES} or (root / "tests/corpus" / row.name).exists():
        raise CommandError(f"nothing is added: there is a row {row.name} already; choose another --model")
    if not (root / "tests/corpus").is_dir() or not (root / _EXAMPLES).is_file():
        raise CommandError(f"nothing is added: {root} is no checkout of the project")
    cases = list(_cases(template, row, model))
    if len(cases) < _FEWEST:
        raise CommandError(f"nothing is added: the template renders {len(cases)} of {_FEWEST} corpus cases")
    return [*_write_row(root, row, model), *_write_cases(root, row, cases)]


# -- the row -----------------------------------------------------------------------------------------------------------


def _write_row(root: Path, row: Syntax, model: str) -> Iterator[str]:
    name, file = constant(row), f"converters/syntaxes/{_FILES[row.shape]}.py"
    text = (root / file).read_text(encoding="utf-8")
    for module, needed in (("prompt", "Prompt"), ("reasoning_tags", "ReasoningTag")):
        code = row_code(row, model)
        line = f"from converters.syntaxes.{module} import {needed}\n"
        if f"{needed}(" in code and line not in text:
            text = text.replace("from converters.syntaxes.row import", f"{line}from converters.syntaxes.row import", 1)
    yield _written(root / file, f"{text.rstrip()}\n\n{row_code(row, model)}\n", root)
    text = (root / _TABLE).read_text(encoding="utf-8")
    module = f"converters.syntaxes.{_FILES[row.shape]}"
    text = text.replace(f"from {module} import (\n", f"from {module} import (\n    {name},\n", 1)
    text = re.sub(
        r"(SYNTAXES: tuple\[Syntax, \.\.\.\] = \(\n.*?)\n\)\n", rf"\1\n    {name},\n)\n", text, count=1, flags=re.S
    )
    yield _written(root / _TABLE, text, root)
    text = (root / _EXAMPLES).read_text(encoding="utf-8")
    entry = f"    {json.dumps(row.name)}: {json.dumps(model.rpartition('/')[2], ensure_ascii=False)},\n"
    yield _written(root / _EXAMPLES, text.replace("EXAMPLES = {\n", f"EXAMPLES = {{\n{entry}", 1), root)


def _written(path: Path, text: str, root: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path.relative_to(root))


# -- the corpus --------------------------------------------------------------------------------------------------------


def _write_cases(root: Path, row: Syntax, cases: list[_Case]) -> Iterator[str]:
    folder = root / "tests/corpus" / row.name
    for case in cases:
        yield _written(folder / f"{case.name}.txt", case.text, root)
        told = json.dumps(case.told, ensure_ascii=False, indent=1)
        yield _written(folder / f"{case.name}.json", f"{told}\n", root)


def _cases(template: Template, row: Syntax, model: str) -> Iterator[_Case]:
    """The cases that the template renders, and that the row reads."""
    with Rendering(template.text, template.variables) as rendering:
        written, _ = prover_of(rendering, template.special)
        for name, (says, calls) in _CASES.items():
            try:
                text = _text(written, says, calls)
            except NotRendered:
                continue
            tools = [_declared(each.name, written) for each in dict.fromkeys(calls)]
            told = {
                "source": f"rendered by the chat template of {model}",
                "tools": list({each["name"]: each for each in tools}.values()),
                "content": says,
                "reasoning": "",
                "calls": [{"name": call.name, "arguments": dict(call.arguments)} for call in calls],
            }
            if _reads(row, text, told):
                yield _Case(name, text, told)


def _text(written: Written, says: str, calls: tuple[Call, ...]) -> str:
    """What the model writes in a turn, without what ends it. Raises NotRendered."""
    if not says:
        return written.calls(calls)
    _, text = written.turn(Turn(calls, content=says), tools=Conversation(tools=_TOOLS))
    text = written.without_end(text)
    if says not in text:
        raise NotRendered("text beside calls is lost")
    return text[text.index(says) :]


def _declared(name: str, written: Written) -> dict[str, Any]:
    properties = dict(_TOOLS or ())[name]
    if written.history.plain_tools:
        properties = dict.fromkeys(properties, _STRING)
    return {"name": name, "parameters": {"type": "object", "properties": dict(properties)}}


def _reads(row: Syntax, text: str, told: dict[str, Any]) -> bool:
    parser = new_parser(Expectations(tools={each["name"]: each["parameters"] for each in told["tools"]}), row)
    calls: list[list[str]] = []
    content = reasoning = ""
    for event in [*parser.feed(text), *parser.finish()]:
        if isinstance(event, CallStart):
            calls.append([event.name, ""])
        elif isinstance(event, ArgumentsDelta):
            calls[event.index][1] += event.delta
        elif isinstance(event, Text):
            content += event.text
        elif isinstance(event, Reasoning):
            reasoning += event.text
    found = [{"name": name, "arguments": json.loads(arguments or "{}")} for name, arguments in calls]
    return (found, content, reasoning) == (told["calls"], told["content"], told["reasoning"])
