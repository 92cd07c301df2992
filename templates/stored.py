"""What was learned from a template, as one line of JSON and back: from the process that learns, and from STATE_FILE.

A row of the table is told by its name; another one by those of its fields that are not the usual ones.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from converters.learning.learn import Learned
from converters.learning.thinking import Thinking
from converters.syntaxes import SYNTAXES, ReasoningTag, Syntax, ThinkingFamily
from converters.syntaxes.prompt import Prompt

FORMAT = 1
"""Of what is written. What another one wrote is learned again."""

_LISTED = {row.name: row for row in SYNTAXES}
_OWN = ("own_ends", "own_tags", "own_results")
_PARTS: Mapping[str, type[Any]] = {"prompt": Prompt, "own_tags": ReasoningTag}
"""Fields of a row that hold more than texts."""
_FAMILIES = ("family", "without_tools")

T = TypeVar("T")


class NotStored(ValueError):
    """A text is not what `written` writes."""


def written(learned: Learned) -> str:
    """One line of JSON. The row that was derived but is not used is left out, and so are the proofs."""
    row = learned.row
    told: dict[str, Any] = {
        "format": FORMAT,
        "why": learned.why,
        "not_derived": learned.not_derived,
        "listed": row.name if row is not None and learned.is_listed else "",
        "row": None if row is None else _own_fields(row) if learned.is_listed else _fields(row),
        "ends": list(learned.ends),
        "result_opener": learned.result_opener,
        "history": dict(learned.history),
        "declaration": learned.declaration,
    }
    if learned.thinking is not None:
        thinking = learned.thinking
        told["tag"] = None if thinking.tag is None else _fields(thinking.tag)
        told |= {name: _fields(getattr(thinking, name)) for name in _FAMILIES}
    return json.dumps(told)


def read(text: str, name: str) -> Learned:
    """What was written; `name` is that of the row. Raises NotStored."""
    try:
        told = json.loads(text)
        if told["format"] != FORMAT:
            raise NotStored("it has another format")
        return Learned(
            row=_row(told, name),
            is_listed=bool(told["listed"]),
            why=_checked(told["why"], ""),
            not_derived=_checked(told["not_derived"], ""),
            thinking=_thinking(told),
            ends=_checked(told["ends"], ()),
            result_opener=_checked(told["result_opener"], ""),
            history={_checked(key, ""): _checked(value, "") for key, value in told["history"].items()},
            declaration=_checked(told["declaration"], ""),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:  # SampleError is a ValueError
        raise NotStored(f"it is not what was written ({type(error).__name__})") from None


def _row(told: Mapping[str, Any], name: str) -> Syntax | None:
    if told["row"] is None:
        return None
    if told["listed"]:
        row = _LISTED[told["listed"]]
        return dataclasses.replace(row, **_values(Syntax, told["row"])) if told["row"] else row
    return _made(Syntax, {**told["row"], "name": name, "source": f"chat template of {name}"})


def _thinking(told: Mapping[str, Any]) -> Thinking | None:
    if "family" not in told:
        return None
    tag = None if told["tag"] is None else _made(ReasoningTag, told["tag"])
    with_tools, without = (_made(ThinkingFamily, told[name]) for name in _FAMILIES)
    return Thinking(tag, with_tools, without)


def _own_fields(row: Syntax) -> dict[str, Any]:
    return {name: value for name, value in _fields(row).items() if name in _OWN}


def _fields(thing: Any) -> dict[str, Any]:
    """The fields of a dataclass that are not the usual ones."""
    found = {each.name: getattr(thing, each.name) for each in dataclasses.fields(thing)}
    return {
        each.name: _plain(found[each.name])
        for each in dataclasses.fields(thing)
        if each.default is dataclasses.MISSING or found[each.name] != each.default
    }


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return _fields(value)
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _made(kind: type[T], told: Mapping[str, Any]) -> T:
    return kind(**_values(kind, told))


def _values(kind: type[Any], told: Mapping[str, Any]) -> dict[str, Any]:
    usual = {each.name: _usual(each) for each in dataclasses.fields(kind)}
    found = {}
    for name, value in told.items():
        part = _PARTS.get(name) if kind is Syntax else None
        if part is not None:
            found[name] = tuple(_made(part, each) for each in value) if isinstance(value, list) else _made(part, value)
        else:
            found[name] = _checked(value, usual[name])
    return found


def _usual(field: dataclasses.Field[Any]) -> Any:
    """The value of a field that is not told, or one of the same type."""
    if field.default is not dataclasses.MISSING:
        return field.default
    kind = str(field.type)
    return False if kind == "bool" else () if kind.startswith("tuple") else ""


def _checked(value: Any, usual: Any) -> Any:
    """A value of the same type as the usual one. Raises NotStored for another."""
    if isinstance(usual, tuple) and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    if type(value) is not type(usual):
        raise NotStored("a value has another type")
    return value
