"""What the command `dragoman` does: it serves, or it shows the demo.

What a command needs is imported when it runs, so that `--help` is quick and the demo's needs are the demo's alone.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from usage import new_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, of `sys.argv` if there are no `arguments`. Returns the exit status; 2 is a wrong argument."""
    chosen = _parser().parse_args(arguments)
    if chosen.command == "demo":
        return _demo(chosen.once)
    return _serve()


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("dragoman")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    commands.add_parser("serve", help="serve on PROXY_HOST:PROXY_PORT (the default)")
    demo = commands.add_parser("demo", help="start a demo backend and the proxy, and run an agent loop through both")
    demo.add_argument("--once", action="store_true", help="end after the loop, instead of at Ctrl-C")
    return parser


def _serve() -> int:
    from app import run

    return run()


def _demo(once: bool) -> int:
    try:
        import openai  # noqa: F401
    except ImportError:
        print("The demo needs the OpenAI SDK: pip install openai", file=sys.stderr)
        return 1
    from demo.__main__ import main as run

    if once:
        os.environ["ONCE"] = "1"
    return run()
