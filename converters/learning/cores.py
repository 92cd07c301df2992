"""The core of a call in a text: where it stands, by shape, and the sample that it makes.

A core reaches from the name, or the JSON that carries it, to the end of the arguments. What stands around it is the
business of units.py, and parameters are that of parameters.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from converters.learning.conversations import Call

_DECODER = json.JSONDecoder()
_WRAPPERS = ("function", "tool_call")
_LETTERS = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Core:
    """One core: its place, its sample, and the fields of the row that it decides."""

    start: int
    end: int
    sample: str
    fields: Mapping[str, Any] = field(default_factory=dict)


def json_object(text: str, call: Call, pos: int = 0) -> Core | None:
    """A JSON object that holds the name and the arguments."""
    for start, end, value in _objects(text, pos):
        keys = _keys(value, call)
        if keys is not None:
            fields: dict[str, Any] = {"shape": "json_object", "keys": keys}
            first = next(iter(value))
            if isinstance(value[first], str) and keys[0] and first not in (*keys, "type", *_WRAPPERS):
                fields["id_key"] = first
            return Core(start, end, "{object}", fields)
    return None


def named_json(text: str, call: Call, pos: int = 0) -> Core | None:
    """The name, and behind it the arguments as JSON. Name and id are masked."""
    for start, end, value in _objects(text, pos):
        if value == call.arguments:
            named = max(text.rfind("{name}", pos, start), text.rfind("{id}", pos, start))
            if named < 0:
                return None
            hole, other = ("{name}", "{id}") if text.startswith("{name}", named) else ("{id}", "{name}")
            before = text.rfind(other, pos, named)  # the other hole, in the same markup
            first = before if before >= 0 and hole not in text[before:named] and len(text[before:named]) < 80 else named
            return Core(first, end, text[first:start] + "{arguments}", {"shape": "named_json"})
    return None


def relaxed(text: str, call: Call, pos: int = 0) -> Core | None:
    """The name, and behind it the arguments with bare keys and strings between tokens. Strings only."""
    pairs = [
        rf"{key}:(?P<d{place}>[^\s{{}}:,\w]\S*?){value}(?P=d{place})"
        for place, (key, value) in enumerate(call.arguments.items())
    ]
    found = re.compile(r"\{" + ",".join(pairs) + r"\}").search(text, pos) if pairs else None
    named = text.rfind("{name}", pos, found.start()) if found else -1
    if found is None or named < 0 or found["d0"] in ('"', "'"):
        return None
    sample = text[named : found.start()] + "{arguments}"
    return Core(named, found.end(), sample, {"shape": "relaxed", "delimiter": found["d0"]})


def pythonic(text: str, call: Call, pos: int = 0) -> Core | None:
    """A call of a Python function with keyword arguments. Strings only."""
    pairs = [rf"\s*{key}\s*=\s*(?:\"{value}\"|'{value}')\s*" for key, value in call.arguments.items()]
    found = re.compile(r"\{name\}\(" + ",".join(pairs) + r"\)").search(text, pos)
    return Core(found.start(), found.end(), "{name}({arguments})", {"shape": "pythonic"}) if found else None


FINDERS = (named_json, relaxed, pythonic)
"""Those of masked texts, in the order in which they are tried."""


def _objects(text: str, pos: int) -> list[tuple[int, int, dict[str, Any]]]:
    """(start, end, value) of each JSON object that begins at a brace, also of those inside others."""
    found = []
    for brace in re.compile(r"\{").finditer(text, pos):
        try:
            value, end = _DECODER.raw_decode(text, brace.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            found.append((brace.start(), end, value))
    return found


def _keys(value: Mapping[str, Any], call: Call) -> tuple[str, str] | None:
    """The keys of the name and the arguments; None if the object does not hold them."""
    if len(value) == 1 and next(iter(value.items())) == (call.name, call.arguments):
        return "", ""
    inner = next((value[each] for each in _WRAPPERS if isinstance(value.get(each), dict)), value)
    name = next((key for key, each in inner.items() if each == call.name), None)
    arguments = next((key for key, each in inner.items() if each == call.arguments), None)
    if arguments is None:
        arguments = next((key for key, each in inner.items() if _decoded(each) == call.arguments), None)
    return (name, arguments) if name is not None and arguments is not None else None


def _decoded(value: Any) -> Any:
    """What a string of JSON holds; None for anything else."""
    try:
        return json.loads(value) if isinstance(value, str) else None
    except ValueError:
        return None
