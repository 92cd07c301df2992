"""Examine a model server: what it does right and wrong with tool calls, directly and through the proxy.

It asks 19 questions of the server itself and of a proxy that it starts in front of it, at temperature 0, until most of
three tries agree. FAIL is a fault of the protocol, WARN is mostly what the model chose not to do. Then it says what the
proxy makes different, which server this is, and which of its settings helps.

  dragoman doctor http://localhost:8080
  BACKEND=vllm dragoman doctor --model Qwen/Qwen3-8B

The server's key is that of BACKEND_API_KEY. Exit status: 0 if nothing failed, 1 if a probe did, 2 if an argument cannot
be used, 3 if the server does not answer.
"""

from __future__ import annotations

import argparse

from command.subcommand import FINE, FOUND

_TIMEOUT = 120.0
_TRIES = 3
_MOST_TOKENS = 1024
_LONG_PROMPT = 5000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("url", nargs="?", metavar="URL", help="the server; the backend of the settings if none is given")
    add("--model", default="", metavar="NAME", help="the model; the first of the server's list if none is given")
    add("--side", choices=("both", "direct", "proxy"), default="both", help="examine only one of the two ways")
    add("--probe", type=int, action="append", metavar="NUMBER", help="only this probe; may be given several times")
    add("--tries", type=int, default=_TRIES, metavar="N", help=f"tries of each probe ({_TRIES})")
    add("--timeout", type=float, default=_TIMEOUT, metavar="SECONDS", help=f"for each wait ({_TIMEOUT:g})")
    add("--max-tokens", type=int, default=_MOST_TOKENS, metavar="N", help=f"of each answer ({_MOST_TOKENS})")
    add(
        "--long-prompt", type=int, default=_LONG_PROMPT, metavar="N", help=f"tokens of the long prompt ({_LONG_PROMPT})"
    )
    add("--json", action="store_true", help="the report as JSON")


def run(options: argparse.Namespace) -> int:
    from command.doctor.examination import Wishes, examine
    from command.doctor.report import line, told
    from command.terminal import say, say_json

    wishes = Wishes(
        url=options.url,
        model=options.model,
        side=options.side,
        probes=options.probe,
        tries=options.tries,
        timeout=options.timeout,
        most_tokens=options.max_tokens,
        long_prompt=options.long_prompt,
    )
    report = examine(wishes, (lambda judged: None) if options.json else lambda judged: say(line(judged)))
    if options.json:
        say_json(report.as_json())
    else:
        for text in told(report):
            say(text)
    return FOUND if report.failed else FINE
