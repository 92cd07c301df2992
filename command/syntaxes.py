"""List the syntaxes in which models write calls: name, shape, models, and how a call looks; or all of one row.

  dragoman syntaxes
  dragoman syntaxes glm45

Exit status: 0, or 2 if there is no such row.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Any

from command.subcommand import FINE, CommandError
from command.terminal import in_one_line, paint, say, say_json, screen_width, table
from converters.render import render_calls
from converters.syntaxes import SYNTAXES, Syntax

_EXAMPLE = ("get_weather", {"city": "Seoul"})
_LEAST = 16
"""Columns of a cell that is cut."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("row", nargs="?", metavar="ROW", help="show all of this row")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(options: argparse.Namespace) -> int:
    rows = [row for row in SYNTAXES if options.row in (None, row.name)]
    if not rows:
        raise CommandError(f"there is no row {options.row!r}; `dragoman syntaxes` lists them")
    if options.json:
        told = [_as_json(row) for row in rows]
        say_json(told if options.row is None else told[0])
    else:
        for line in _listed(rows) if options.row is None else _whole(rows[0]):
            say(line)
    return FINE


def _as_json(row: Syntax) -> dict[str, Any]:
    return {**asdict(row), "sample": _sample(row)}


def _sample(row: Syntax) -> str:
    """A call as a model of this row writes it."""
    return render_calls(row, [_EXAMPLE])


def _listed(rows: list[Syntax]) -> Iterator[str]:
    names = max(len(row.name) for row in rows)
    shapes = max(len(row.shape) for row in rows)
    room = max(2 * _LEAST, screen_width() - names - shapes - 6)
    sample = max(_LEAST, room * 2 // 3)
    yield from table(
        ["row", "shape", "sample", "models"],
        (
            [row.name, row.shape, in_one_line(_sample(row), sample), in_one_line(row.models or "-", room - sample)]
            for row in rows
        ),
    )


def _whole(row: Syntax) -> Iterator[str]:
    """Each field that says something, and the sample."""
    for field in fields(row):
        value = getattr(row, field.name)
        if field.name != "prompt" and value != field.default:
            plain = isinstance(value, str) and value == value.strip()
            yield f"{paint(field.name, 'title')}: {value if plain else json.dumps(value, ensure_ascii=False)}"
    yield ""
    yield paint("a call", "title")
    yield _sample(row)
