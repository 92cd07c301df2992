"""Markup that a server's parser left in a native call: in its name, or in place of its arguments."""

from __future__ import annotations

import re

from converters.render import render_around
from converters.stages.pipeline import new_parser
from converters.syntaxes import SYNTAXES, Syntax
from converters.text.events import ArgumentsDelta, CallStart
from converters.text.expectations import Expectations, Schema

_MARKUP = re.compile(r"(?<!\s)\s*<(?P<token>\|)?")


def name_and_rest(name: str, expectations: Expectations) -> tuple[str, str]:
    """Split a name into (the declared name, the markup behind it that may hold arguments).

    `read<arg_key>path</arg_key>...` is a name and arguments; `read<|channel|>commentary` is a name and a token.
    """
    known = expectations.declared(name)
    markup = _MARKUP.search(name)
    if known is not None or markup is None:
        return known or name, ""
    plain = name[: markup.start()]
    return expectations.declared(plain) or plain, "" if markup["token"] else name[markup.start() :].lstrip()


def arguments_in_markup(name: str, text: str, schema: Schema) -> str | None:
    """The JSON of arguments that a text holds as tagged parameters of some row; None for any other text."""
    for row in SYNTAXES:
        openers = [each.partition("{")[0] for each in (row.parameter, *row.also_parameter)]
        if any(len(opener) > 1 and text.lstrip().startswith(opener) for opener in openers):  # `<` alone is any tag
            found = _read(row, name, text, schema)
            if found is not None:
                return found
    return None


def _read(row: Syntax, name: str, text: str, schema: Schema) -> str | None:
    """Read the text as the parameters of one call, by writing the rest of the call around it."""
    parser = new_parser(Expectations({name: schema}), row)
    events = parser.feed(render_around(row, name, text))
    events += parser.finish()
    names = [event.name for event in events if isinstance(event, CallStart)]
    arguments = "".join(event.delta for event in events if isinstance(event, ArgumentsDelta))
    return arguments if names == [name] and arguments != "{}" else None
