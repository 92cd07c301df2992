"""A tool as a type of TypeScript, as gpt-oss, GigaChat, Apertus and Functionary get it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from converters.values.json.spelling import write

_TYPES = {"integer": "number", "float": "number"}


class Style(NamedTuple):
    """How members are laid out."""

    indent: str = ""
    """In front of each member, once for each level."""
    last_comma: bool = True
    empty: str = "object"
    """An object of which no member is declared."""


def type_of_tool(function: Mapping[str, Any], style: Style) -> str:
    """The type of a function, with its description as a comment."""
    name, parameters = _text(function.get("name")), function.get("parameters")
    told = "".join(f"{line}\n" for line in _comment(function, ""))
    properties = parameters.get("properties") if isinstance(parameters, Mapping) else None
    if not isinstance(properties, Mapping) or not properties:
        return f"{told}type {name} = () => any;"
    return f"{told}type {name} = (_: {_members(parameters, style, 1)}) => any;"


def _members(schema: Any, style: Style, level: int) -> str:
    """The members of an object's schema, in braces."""
    properties = schema["properties"]
    required = schema.get("required")
    required = required if isinstance(required, list) else []
    indent = style.indent * level
    lines: list[str] = []
    for number, (key, member) in enumerate(properties.items(), 1):
        lines += _comment(member, indent)
        optional = "" if key in required else "?"
        comma = "," if style.last_comma or number < len(properties) else ""
        lines.append(f"{indent}{key}{optional}: {_type(member, style, level + 1)}{comma}{_default(member)}")
    return "\n".join(["{", *lines, style.indent * (level - 1) + "}"])


def _comment(schema: Any, indent: str) -> Iterator[str]:
    description = schema.get("description") if isinstance(schema, Mapping) else None
    if isinstance(description, str):
        yield from (f"{indent}// {line}" for line in description.split("\n") if line.strip())


def _default(schema: Any) -> str:
    return f" // default: {write(schema['default'])}" if isinstance(schema, Mapping) and "default" in schema else ""


def _type(schema: Any, style: Style, level: int) -> str:
    """The type that a schema describes; `any` where that cannot be said."""
    if not isinstance(schema, Mapping):
        return "any"
    values, kind = schema.get("enum"), schema.get("type")
    if isinstance(values, list) and values:
        return " | ".join(map(write, values))
    for word in ("anyOf", "oneOf"):
        variants = schema.get(word)
        if isinstance(variants, list) and variants:
            return _union(variants, style, level)
    if isinstance(kind, list) and kind:
        return _union([{**schema, "type": each} for each in kind], style, level)
    if kind == "array":
        inner = _type(schema.get("items"), style, level)
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    if kind == "object":
        properties = schema.get("properties")
        return (
            _members(schema, style, level) if isinstance(properties, Mapping) and properties else _empty(style, level)
        )
    return _TYPES.get(kind, kind) if isinstance(kind, str) else "any"


def _empty(style: Style, level: int) -> str:
    return style.empty.replace("{indent}", style.indent * (level - 1))


def _union(schemas: Sequence[Any], style: Style, level: int) -> str:
    return " | ".join(dict.fromkeys(_type(each, style, level) for each in schemas))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else write(value)
