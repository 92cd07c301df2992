"""The cost of a piece in prose and inside an argument, for every row, and whether it stays the same.

All rows have their turn in each round, short texts more often than long ones, as a single run of a millisecond says
little on a machine that does other things, too; medians count. Linear means: ten times the text costs ten times as
much, and a little less as the fixed cost counts for less.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from converters import SYNTAXES, Expectations, Syntax, new_parser
from converters.render import render_calls

_TOOLS = {"write_file": {"type": "object", "properties": {"path": {"type": "string"}, "text": {"type": "string"}}}}
_CODE = "def f(x):\n    return x < 1 and \"q\" or '\\\\n'  # 주석\n"
_PROSE = "The quick brown fox jumps over the lazy dog, and says so. "
_LENGTHS = {2_000: 20, 20_000: 4, 200_000: 1}
"""Of the texts, in characters, and how often each is read in a round."""
_PIECES = (4, 1)


def measure(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """Print a line for prose and one for each row, in pieces of 4 characters and of 1; the same as values.

    `chosen` says `rounds`, and maybe one `row`.
    """
    rows = [None, *(syntax for syntax in SYNTAXES if chosen.row in (None, syntax.name))]
    rounds = [_round(rows, number + 1, chosen.rounds) for number in range(chosen.rounds)]
    lines = [_line(row, piece, [each[row, piece] for each in rounds]) for piece in _PIECES for row in rows]
    for piece in _PIECES:
        _show([line for line in lines if line["piece"] == piece], piece)
    return lines


def _round(rows: Sequence[Syntax | None], number: int, of: int) -> dict[tuple[Syntax | None, int], list[float]]:
    """Microseconds a piece for each length, of each row and size of pieces. No row is prose."""
    print(f"parsing: round {number} of {of}", flush=True)
    return {(row, piece): [_cost(row, piece, length) for length in _LENGTHS] for row in rows for piece in _PIECES}


def _cost(row: Syntax | None, piece: int, length: int) -> float:
    text = _argument(row, length) if row else _filled(_PROSE, length)
    seconds = median(_timed(text, piece) for _ in range(_LENGTHS[length]))
    return seconds / len(text) * piece * 1e6


def _line(row: Syntax | None, piece: int, costs: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Growth is the cost of the longest text over that of the one before, within a round."""
    _, shorter, longest = _LENGTHS
    growth = median(each[2] / each[1] for each in costs) * longest / shorter
    name = row.name if row else "prose"
    us = [median(of_length) for of_length in zip(*costs, strict=True)]
    return {"case": "converter", "syntax": name, "piece": piece, "us": us, "growth": growth}


def _show(lines: Sequence[dict[str, Any]], piece: int) -> None:
    print(f"\nparsing, microseconds for a piece of {piece}; medians\n")
    print(f"{'':14} {'2 kB':>7} {'20 kB':>7} {'200 kB':>7}   cost of 200 kB / 20 kB")
    for line in lines:
        print(f"{line['syntax']:14} {' '.join(f'{cost:7.2f}' for cost in line['us'])}   {line['growth']:7.2f}")


def _filled(text: str, length: int) -> str:
    return (text * (length // len(text) + 1))[:length]


def _argument(row: Syntax, length: int) -> str:
    return render_calls(row, [("write_file", {"path": "a.py", "text": _filled(_CODE, length)})])


def _timed(text: str, piece: int) -> float:
    pieces = [text[start : start + piece] for start in range(0, len(text), piece)]
    feed = (parser := new_parser(Expectations(tools=_TOOLS))).feed
    begun = time.process_time()
    for each in pieces:
        feed(each)
    parser.finish()
    return time.process_time() - begun
