"""The command `dragoman`: it serves, or it runs the demo.

Each command imports what it needs when it runs, so that `--help` is fast and only the demo needs the OpenAI SDK.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from usage import new_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in `arguments`, in `sys.argv` if None. Returns the exit status; a wrong argument exits with 2."""
    chosen = _parser().parse_args(arguments)
    if chosen.command == "demo":
        return _demo(chosen.once)
    return _serve()


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("dragoman")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    commands.add_parser("serve", help="serve on PROXY_HOST:PROXY_PORT (the default)")
    demo = commands.add_parser("demo", help="start a demo backend and the proxy, and run an agent loop against both")
    demo.add_argument("--once", action="store_true", help="exit after the loop instead of running until Ctrl-C")
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
