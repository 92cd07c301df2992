"""A row as it stands in the table: Python code, or its fields as JSON."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from typing import Any

from converters.builtin import plain_name
from converters.syntaxes import Syntax

_INDENT = "    "


def constant(row: Syntax) -> str:
    """The name of the constant that holds a row."""
    name = re.sub(r"\W", "_", row.name).upper()
    return name if name[:1].isalpha() else f"ROW_{name}"


def row_code(row: Syntax, model: str) -> str:
    """The row for models of that name."""
    named = dataclasses.replace(row, models=re.escape(plain_name(model.rpartition("/")[2])))
    return "\n".join([f"{constant(row)} = Syntax(", *_members(named, _INDENT), ")"])


def as_fields(thing: Any) -> dict[str, Any]:
    """The fields of a row or of another dataclass that are not the usual ones."""
    return {name: _plain(value) for name, value in _told(thing)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return as_fields(value)
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _told(thing: Any) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(thing):
        value = getattr(thing, field.name)
        if field.default is dataclasses.MISSING or value != field.default:
            yield field.name, value


def _members(thing: Any, indent: str) -> Iterator[str]:
    for name, value in _told(thing):
        is_pattern = name == "models" and '"' not in value
        spelled = f'r"{value}"' if is_pattern else _literal(value, indent)
        yield f"{indent}{name}={spelled},"


def _literal(value: Any, indent: str) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple):
        parts = [_literal(each, indent) for each in value]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
    if dataclasses.is_dataclass(value):
        inner = list(_members(value, indent + _INDENT))
        return "\n".join([f"{type(value).__name__}(", *inner, f"{indent})"])
    return repr(value)


def _text(value: str) -> str:
    """With double quotes, unless that would need more backslashes."""
    if '"' in value and "'" not in value and value.isprintable() and "\\" not in value:
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)
