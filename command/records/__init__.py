"""Look at the records of exchanges: list them, show one, or export them as lines of JSON.

They come from RECORD_DB, or from a running proxy: that of --url, or of PROXY_PORT on this machine where RECORD_DB is
not set. The key for it is INSPECTOR_KEY of the settings, or else API_KEY of the environment; no option takes it.

  dragoman records --failed --since 1h
  dragoman records show 0198c1f2-7a54-7c31-9d20-5b1f3a0e4c11
  dragoman records export --model 'glm*' > records.jsonl

Exit status: 0 if it was done, 1 if there is no such record, 2 if an argument or a setting cannot be used, or a key is
refused, 3 if the database or the proxy does not answer.
"""

from __future__ import annotations

import argparse
import sys

from command.subcommand import FINE, FOUND, WRONG_USE, CommandError

_LIMIT = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "action",
        nargs="?",
        choices=("list", "show", "export"),
        default="list",
        help="list (the default), show or export",
    )
    add("id", nargs="?", metavar="ID", help="for show: the id of the record, or of its request (X-Request-Id)")
    add("--url", metavar="URL", help="of a running proxy, for example http://localhost:5000")
    add("--limit", type=int, default=_LIMIT, metavar="N", help=f"for list: the newest N ({_LIMIT})")
    add("--texts", action="store_true", help="for export: with prompts and answers, where they were recorded")
    add("--json", action="store_true", help="the list, or the record, as JSON")
    filters = parser.add_argument_group("filters, of list and export")
    add = filters.add_argument
    add("--model", metavar="NAME", help="* stands for anything")
    add("--row", metavar="ROW", help="the syntax")
    add("--outcome", metavar="OUTCOME", help="untouched, translated, repaired or abstained")
    add("--code", metavar="CODE", help="a code of docs/OUTCOMES.md")
    add("--key", metavar="NAME", help="the name of the client's key")
    add("--face", metavar="API", help="chat, responses, messages or ollama")
    add("--state", metavar="STATE", help="open, ended or lost")
    add("--status", metavar="N", help="the HTTP status")
    add("--request", metavar="ID", help="the id of a request")
    add("--failed", action="store_true", help="only those that failed")
    add("--slow", metavar="SECONDS", help="took at least so long")
    add("--since", metavar="WHEN", help="90s, 30m, 1h or 2d ago, a date (2026-11-29T12:00), or seconds since 1970")
    add("--until", metavar="WHEN", help="the same")


def run(options: argparse.Namespace) -> int:
    from command.records.filters import filters_of
    from command.records.shown import listed, shown
    from command.records.sources import source_of
    from command.terminal import progress, say, say_json

    if (options.action == "show") != (options.id is not None):
        raise CommandError("`records show` takes one ID, the others none", WRONG_USE)
    wanted = filters_of(options)
    with source_of(options.url) as source:
        if options.action == "show":
            found = source.one(options.id)
            if found is None:
                raise CommandError(f"there is no record {options.id}, or it is gone", FOUND)
            if options.json:
                say_json(found)
            else:
                for line in shown(found):
                    say(line)
        elif options.action == "export":
            with progress(source.count(wanted), "exporting") as bar:
                for raw in source.lines(wanted, options.texts):
                    sys.stdout.buffer.write(raw)
                    bar.update(1)
        else:
            records = source.newest(wanted, options.limit)
            if options.json:
                say_json(records)
            else:
                for line in listed(records):
                    say(line)
    return FINE
