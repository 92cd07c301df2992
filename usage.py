"""What the command lines of `dragoman` and `python app.py` share: `--help`, `--version`, the list of settings."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from config import VARIABLES
from version import VERSION

_DESCRIPTION = (
    "OpenAI-compatible reverse proxy. It turns the tool calls that a model wrote as text into proper tool_calls."
)
_SETTINGS = "settings, as environment variables or as lines of a file .env in the current folder:"
_NAME_WIDTH = 33
"""Characters of the column of names."""


def new_parser(program: str) -> argparse.ArgumentParser:
    """An argument parser with `--help`, which lists every setting, and `--version`."""
    parser = argparse.ArgumentParser(
        prog=program,
        description=_DESCRIPTION,
        epilog=_settings(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"Dragoman {VERSION}")
    return parser


def refuse_arguments(program: str, arguments: Sequence[str] | None = None) -> None:
    """Parse the command line of a program that takes no other arguments; None for `sys.argv`.

    Ends the process with status 0 after `--help` and `--version`, with 2 for any other argument.
    """
    new_parser(program).parse_args(arguments)


def _settings() -> str:
    lines = [f"  {v.name if not v.default else f'{v.name}={v.default}':<{_NAME_WIDTH}}  {v.meaning}" for v in VARIABLES]
    return "\n".join([_SETTINGS, *lines])
