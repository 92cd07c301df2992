"""What is printed: colours, tables, JSON, progress. The answer goes to stdout, everything else to stderr.

Colours are for a terminal only, and not where `NO_COLOR` is set (https://no-color.org); `FORCE_COLOR` keeps them for a
pager. Text of a model is shown with its control characters spelled out, so that it cannot drive the terminal.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any, Protocol

import click

COLOURS: Mapping[str, Mapping[str, Any]] = {
    "content": {},
    "reasoning": {"fg": "magenta"},
    "call": {"fg": "cyan"},
    "repaired": {"fg": "yellow"},
    "problem": {"fg": "red", "bold": True},
    "removed": {"fg": "bright_black", "strikethrough": True},
    "good": {"fg": "green"},
    "title": {"bold": True},
    "dim": {"fg": "bright_black"},
}
"""Meanings and how they look. Of the sixteen colours of a terminal, since those fit its background."""

_NARROWEST = 40
_WIDEST = 120
"""Columns of a text."""


def colours_wanted(stream: IO[str]) -> bool:
    """Whether what is written to `stream` has colours."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def say(text: str = "") -> None:
    """Print a line to stdout; colours are taken out where nobody wants them."""
    click.echo(text, color=colours_wanted(sys.stdout))


def say_json(value: object, indent: int | None = 2) -> None:
    """Print JSON to stdout, on one line with `indent` None."""
    say(json.dumps(value, ensure_ascii=False, indent=indent))


def tell(text: str) -> None:
    """Print a line to stderr: what is not part of the answer."""
    click.echo(text, err=True, color=colours_wanted(sys.stderr))


def paint(text: str, meaning: str) -> str:
    """`text` in the colour of a meaning (a key of COLOURS)."""
    look = COLOURS[meaning]
    return click.style(text, **look) if look and text else text


def visible(text: str) -> str:
    """`text` with what would drive a terminal spelled out; line ends and tabs stay."""
    return "".join(each if each in "\n\t" or not _drives(each) else _spelled(each) for each in text)


def in_one_line(text: str, width: int) -> str:
    """`text` for a cell: quoted line ends, at most `width` columns, `…` where something is missing."""
    told = "".join(_spelled(each) if _drives(each) else each for each in text.replace("\n", "⏎"))
    if columns(told) <= width:
        return told
    kept, used = [], 1
    for each in told:
        used += columns(each)
        if used > width:
            break
        kept.append(each)
    return "".join(kept) + "…"


def columns(text: str) -> int:
    """Columns that a text takes in a terminal; East Asian characters and most emoji take two, marks none."""
    return sum(_columns_of(each) for each in click.unstyle(text))


def padded(text: str, width: int) -> str:
    """`text` with blanks behind it, so that it takes `width` columns."""
    return text + " " * max(0, width - columns(text))


def screen_width() -> int:
    """Columns of the terminal, within reason; those of COLUMNS or 100 where there is none."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS"):
        import shutil

        return min(max(shutil.get_terminal_size((100, 24)).columns, _NARROWEST), _WIDEST)
    return 100


def table(head: Sequence[str], rows: Iterable[Sequence[str]], indent: str = "") -> Iterator[str]:
    """The lines of a table, its columns as wide as they must be. The last column is not filled up."""
    found = [list(row) for row in rows]
    widths = [max(map(columns, column)) for column in zip(head, *found, strict=True)]
    for row in ([paint(each, "title") for each in head], *found):
        cells = [padded(cell, width) for cell, width in zip(row[:-1], widths[:-1], strict=True)]
        yield (indent + "  ".join([*cells, row[-1]])).rstrip()


class Progress(Protocol):
    """A bar, or nothing."""

    def update(self, n_steps: int, current_item: str | None = None) -> None: ...


class _Hidden:
    def update(self, n_steps: int, current_item: str | None = None) -> None:
        """Nobody looks."""


@contextmanager
def progress(length: int, label: str) -> Iterator[Progress]:
    """A bar on stderr while something takes long. There is none unless stderr is a terminal."""
    if not sys.stderr.isatty():
        yield _Hidden()
        return
    bar: Any = click.progressbar(
        length=length, label=label, file=sys.stderr, show_pos=True, item_show_func=lambda item: item
    )
    with bar:
        yield bar


def _drives(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") and letter != "\u200d"


def _spelled(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def _columns_of(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
