"""The cost of a piece in prose and inside an argument, for every row, and whether it stays the same.

Linear means: ten times the text costs ten times as much.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from converters import SYNTAXES, Expectations, Syntax, new_parser
from converters.render import render_calls

_TOOLS = {"write_file": {"type": "object", "properties": {"path": {"type": "string"}, "text": {"type": "string"}}}}
_CODE = "def f(x):\n    return x < 1 and \"q\" or '\\\\n'  # 주석\n"
_PROSE = "The quick brown fox jumps over the lazy dog, and says so. "
_SIZES = (20_000, 100_000, 200_000)


def measure(chosen: argparse.Namespace) -> None:
    """Print a line for prose and one for each row. `chosen` says `piece`, in characters, `rounds`, maybe a `row`."""
    print(f"\nparsing, microseconds for a piece of {chosen.piece} characters; the best of {chosen.rounds} rounds\n")
    print(f"{'':14} {'20 kB':>7} {'100 kB':>7} {'200 kB':>7}   200/100  200/20")
    _row("prose", _prose, None, chosen)
    for syntax in SYNTAXES:
        if chosen.row in (None, syntax.name):
            _row(syntax.name, _argument, syntax, chosen)


def _row(
    name: str, text_of: Callable[[Syntax | None, int], str], syntax: Syntax | None, chosen: argparse.Namespace
) -> None:
    seconds = [_best(text_of(syntax, size), chosen.piece, chosen.rounds) for size in _SIZES]
    pieces = [len(text_of(syntax, size)) / chosen.piece for size in _SIZES]
    each = " ".join(f"{second / count * 1e6:7.2f}" for second, count in zip(seconds, pieces, strict=True))
    print(f"{name:14} {each}   {seconds[2] / seconds[1]:7.2f} {seconds[2] / seconds[0]:7.2f}")


def _prose(_syntax: Syntax | None, size: int) -> str:
    return (_PROSE * (size // len(_PROSE) + 1))[:size]


def _argument(syntax: Syntax | None, size: int) -> str:
    assert syntax
    code = (_CODE * (size // len(_CODE) + 1))[:size]
    return render_calls(syntax, [("write_file", {"path": "a.py", "text": code})])


def _best(text: str, piece: int, rounds: int) -> float:
    pieces = [text[start : start + piece] for start in range(0, len(text), piece)]
    return min(_timed(pieces) for _ in range(rounds))


def _timed(pieces: list[str]) -> float:
    feed = (parser := new_parser(Expectations(tools=_TOOLS))).feed
    start = time.perf_counter()
    for piece in pieces:
        feed(piece)
    parser.finish()
    return time.perf_counter() - start
