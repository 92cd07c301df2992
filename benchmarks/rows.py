"""The cost of a piece in prose and inside an argument, for every row, and whether it stays the same.

A round reads as much of each length: the longest text once, the others as often as makes that much, of which the
median counts, as a single run of a millisecond says little on a machine that does other things, too. Linear means:
ten times the text costs ten times as much, and a little less as the fixed cost counts for less.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

from converters import SYNTAXES, Expectations, Syntax, new_parser
from converters.render import render_calls

_TOOLS = {"write_file": {"type": "object", "properties": {"path": {"type": "string"}, "text": {"type": "string"}}}}
_CODE = "def f(x):\n    return x < 1 and \"q\" or '\\\\n'  # 주석\n"
_PROSE = "The quick brown fox jumps over the lazy dog, and says so. "
_SIZES = (2_000, 20_000, 200_000)
_PIECES = (4, 1)


def measure(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """Print a line for prose and one for each row, in pieces of 4 characters and of 1; the same as values.

    `chosen` says `rounds`, of which the best counts, and maybe one `row`.
    """
    return [line for piece in _PIECES for line in _measured(piece, chosen)]


def _measured(piece: int, chosen: argparse.Namespace) -> Iterator[dict[str, Any]]:
    print(f"\nparsing, microseconds for a piece of {piece}; the best of {chosen.rounds} rounds\n")
    print(f"{'':14} {'2 kB':>7} {'20 kB':>7} {'200 kB':>7}   cost of 200 kB / 20 kB")
    yield _row("prose", _prose, None, piece, chosen.rounds)
    for syntax in SYNTAXES:
        if chosen.row in (None, syntax.name):
            yield _row(syntax.name, _argument, syntax, piece, chosen.rounds)


def _row(
    name: str, text_of: Callable[[Syntax | None, int], str], syntax: Syntax | None, piece: int, rounds: int
) -> dict[str, Any]:
    texts = [text_of(syntax, size) for size in _SIZES]
    timed = [  # all sizes in each round: alike conditions
        [
            median(_timed(text, piece) for _ in range(_SIZES[-1] // size))
            for text, size in zip(texts, _SIZES, strict=True)
        ]
        for _ in range(rounds)
    ]
    seconds = [min(times) for times in zip(*timed, strict=True)]
    each = [second / len(text) * piece * 1e6 for second, text in zip(seconds, texts, strict=True)]
    growth = seconds[2] / seconds[1]
    print(f"{name:14} {' '.join(f'{cost:7.2f}' for cost in each)}   {growth:7.2f}", flush=True)
    return {"case": "converter", "syntax": name, "piece": piece, "us": each, "growth": growth}


def _prose(_syntax: Syntax | None, size: int) -> str:
    return (_PROSE * (size // len(_PROSE) + 1))[:size]


def _argument(syntax: Syntax | None, size: int) -> str:
    assert syntax
    code = (_CODE * (size // len(_CODE) + 1))[:size]
    return render_calls(syntax, [("write_file", {"path": "a.py", "text": code})])


def _timed(text: str, piece: int) -> float:
    pieces = [text[start : start + piece] for start in range(0, len(text), piece)]
    feed = (parser := new_parser(Expectations(tools=_TOOLS))).feed
    start = time.process_time()
    for piece in pieces:
        feed(piece)
    parser.finish()
    return time.process_time() - start
