"""Turn what a model wrote into the message that a client gets, as JSON.

It is read as the proxy reads a buffered answer, with the settings of the environment and `.env`.

  dragoman convert --tools tools.json --model glm-4.5 answer.txt

Exit status: 0 if a call was read, 1 if none was, 2 if a file or an argument cannot be used.
"""

from __future__ import annotations

import argparse

from command.reading import add_text_arguments, converted, text_given
from command.subcommand import FINE, FOUND
from command.terminal import say_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_text_arguments(parser)
    parser.add_argument(
        "--json", action="store_true", help="one line with the finish reason, the row, the outcome and the codes, too"
    )


def run(options: argparse.Namespace) -> int:
    found = converted(text_given(options))
    if options.json:
        told = ("message", "finish_reason", "syntax", "outcome", "codes")
        say_json({name: getattr(found, name) for name in told}, indent=None)
    else:
        say_json(found.message)
    return FINE if found.has_call else FOUND
