"""The command `dragoman`: which subcommand was asked for. Each is a file of the folder `command/`.

A subcommand's file is imported only when it is asked for, so that `--help` is fast and only the demo needs the OpenAI
SDK.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, cast

from command.subcommand import CommandError
from usage import new_parser

if TYPE_CHECKING:
    from command.subcommand import Subcommand

COMMANDS: dict[str, str] = {
    "serve": "serve on PROXY_HOST:PROXY_PORT (the default)",
    "demo": "start a demo backend and the proxy, and run an agent loop against both",
    "convert": "what a model wrote, as the message that a client gets",
    "explain": "what became of each part of what a model wrote, and why",
    "template": "a row learned from a chat template, with its proof",
    "syntaxes": "the syntaxes in which models write calls",
    "doctor": "what a model server does right and wrong with calls, and which of its settings helps",
    "records": "records of exchanges: list, show one, export as JSON lines",
}
"""Each subcommand with what `--help` says of it. `command/NAME.py`, or the folder of that name, is a Subcommand."""

INTERRUPTED = 130
"""The exit status after Ctrl-C, as of a program that SIGINT ends."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in `arguments`, in `sys.argv` if None. Returns the exit status; a wrong argument exits with 2."""
    try:
        return _run(sys.argv[1:] if arguments is None else list(arguments))
    except CommandError as error:
        print(f"dragoman: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        print("dragoman: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever reads has enough, such as `head`; what is left must not be written at the exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(given: list[str]) -> int:
    name = next((each for each in given if not each.startswith("-")), "serve")
    command = _imported(name) if name in COMMANDS else None
    options = _parser(name, command).parse_args(given)
    assert command is not None, "no other name passes the parser"
    status = command.run(options)
    sys.stdout.flush()
    return status


def _imported(name: str) -> Subcommand:
    return cast("Subcommand", import_module(f"command.{name}"))


def _parser(chosen: str, command: Subcommand | None) -> argparse.ArgumentParser:
    """All subcommands by name, and the arguments of the chosen one."""
    parser = new_parser("dragoman")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    for name, meaning in COMMANDS.items():
        described = command.__doc__ if name == chosen and command is not None else None
        added = commands.add_parser(
            name,
            help=meaning,
            description=described,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if name == chosen and command is not None:
            command.add_arguments(added)
    return parser
