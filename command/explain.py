"""Show what became of each part of a text, and why: for a call that was not converted.

The text is read as the proxy reads it, with the settings of the environment and `.env`. On a terminal it is shown
first, in colours: reasoning magenta, calls cyan, what was repaired yellow, what stayed text although it looks like a
call red, what was removed grey and struck through.

  dragoman explain --tools tools.json --model glm-4.5 answer.txt

Exit status: 0 if nothing is wrong, 1 if something that looks like a call stayed text, 2 if a file or an argument cannot
be used.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from command.reading import ModelText, add_text_arguments, converted, decisions, text_given
from command.subcommand import FINE, FOUND
from command.terminal import colours_wanted, in_one_line, paint, say, say_json, screen_width, table, visible
from command.verdict import looks_wrong, verdict
from converters.stages.tracing import Decision

_REPAIRED = ("_repaired", "_retyped", "_wrapped", "_unwrapped", "_closed", "duplicate_key")
_NARROWEST = 20
"""Columns of the text in the table."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_text_arguments(parser)
    parser.add_argument("--json", action="store_true", help="the decisions as JSON, each with all of its text")


def run(options: argparse.Namespace) -> int:
    given = text_given(options)
    found = decisions(given)
    sentence = verdict(found, converted(given))
    if options.json:
        say_json({"verdict": sentence, "decisions": [_as_json(each, given) for each in found]})
    else:
        for line in _shown(found, given):
            say(line)
        say(sentence)
    return FOUND if looks_wrong(found) else FINE


def _as_json(each: Decision, given: ModelText) -> dict[str, object]:
    return {
        "start": each.start,
        "end": each.end,
        "became": each.became,
        "code": each.code,
        "text": given.text[each.start : each.end],
        "sentence": each.sentence,
    }


def _shown(found: Sequence[Decision], given: ModelText) -> Iterator[str]:
    if colours_wanted(sys.stdout):
        spans = (paint(visible(given.text[each.start : each.end]), _meaning(each)) for each in found)
        yield from ("".join(spans).rstrip("\n"), "")
    width = max(_NARROWEST, screen_width() // 3)
    rows = [
        [
            f"{each.start}-{each.end}",
            paint(each.became, _meaning(each)),
            each.code or "",
            in_one_line(each.excerpt, width),
        ]
        for each in found
    ]
    if rows:
        yield from table(["place", "became", "code", "text"], rows)
        yield ""
    codes = dict.fromkeys(each.code for each in found if each.code)
    yield from (f"{code}: {next(each.sentence for each in found if each.code == code)}" for code in codes)
    if codes:
        yield ""


def _meaning(each: Decision) -> str:
    """A key of COLOURS."""
    if looks_wrong([each]):
        return "problem"
    if each.code and each.code.endswith(_REPAIRED):
        return "repaired"
    return "call" if each.became == "arguments" else each.became
