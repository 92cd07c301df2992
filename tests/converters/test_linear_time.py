"""Reading a text costs linear time, however it is cut: twice the text, not much more than twice the work.

Work is counted in calls of functions, which is the same on every machine at any load.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from converters import SYNTAXES, Expectations, Syntax, new_parser
from converters.render import render_calls

pytestmark = pytest.mark.long

_TOOLS: dict[str, dict[str, Any]] = {"f": {"properties": {"x": {"type": "string"}}}}
_SHORT = 5_000
"""Characters; more than anything that may be held."""
_MOST = 2.3
"""What twice the text may cost: 2, and 4 if all that was read were read again."""
_WHOLE = 10**9
_ROWS = [row for row in SYNTAXES if row.group or row.call]


def _work(text: str, piece: int) -> int:
    """How many functions are called, and how much text they were given."""
    parser = new_parser(Expectations(tools=_TOOLS))
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += 1
        if event == "call":
            length = 0
            for each in frame.f_locals.values():
                if type(each) is str:
                    length += len(each)
            count += length // 100

    sys.setprofile(note)
    try:
        for start in range(0, len(text), piece):
            parser.feed(text[start : start + piece])
        parser.finish()
    finally:
        sys.setprofile(None)
    return count


def _factor(text_of: Callable[[int], str], piece: int) -> float:
    parser = new_parser(Expectations(tools=_TOOLS))
    parser.feed(text_of(2 * _SHORT))  # what is made once, as regexes, is made now
    parser.finish()
    return _work(text_of(2 * _SHORT), piece) / _work(text_of(_SHORT), piece)


def _calls(row: Syntax, size: int) -> str:
    one = render_calls(row, [("f", {"x": "a"})])
    return one * (size // len(one))


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row.name)
def test_many_calls_in_one_text(row: Syntax) -> None:
    """What follows a run of calls is not copied, however long it is, for each of them."""
    assert _factor(lambda size: _calls(row, size), _WHOLE) <= _MOST


_LIKE_CALLS = [
    "<",
    "<tool ",
    "<tool_use>...",
    "<|",
    "<|my_call|>",
    "{",
    '{ "name": "f',
    '{"name": "f"} ',
    "[f(",
    "[TOOL",
    "[ ",
]
"""What is looked at because it could be a call that nobody knows."""


@pytest.mark.parametrize(
    "unit",
    ["`", "``` ", "```\n", "~~~\n", '"<tool_call>" ', "<tool_call>\nf(city ", *_LIKE_CALLS],
)
@pytest.mark.parametrize("piece", [7, _WHOLE])
def test_repeated_marks(unit: str, piece: int) -> None:
    """A run of backticks, fences, quotations, and openers behind which nothing shows whether they are calls."""
    assert _factor(lambda size: unit * (size // len(unit)), piece) <= _MOST
