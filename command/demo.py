"""Start a demo backend and the proxy in front of it, and run an agent loop against both.

The servers run until Ctrl-C. Exit status: 0 if everything went well, 1 if not, 130 after Ctrl-C in the middle of the
loop.
"""

from __future__ import annotations

import argparse
import os
import sys

from command.subcommand import FOUND


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--once", action="store_true", help="exit after the loop instead of running until Ctrl-C")


def run(options: argparse.Namespace) -> int:
    try:
        import openai  # noqa: F401
    except ImportError:
        print("The demo needs the OpenAI SDK: pip install openai", file=sys.stderr)
        return FOUND
    from demo.__main__ import main as demonstrate

    if options.once:
        os.environ["ONCE"] = "1"
    return demonstrate()
