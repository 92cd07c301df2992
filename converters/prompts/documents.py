"""A tool as a document that is no JSON: elements, the head of a Python function, or an object with bare keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from converters.render import relaxed
from converters.values.json.spelling import write

_PYTHON_TYPES = {"string": "str", "number": "int", "integer": "int", "boolean": "bool", "array": "list"}


def xml(function: Mapping[str, Any]) -> str:
    """The elements that Qwen3-Coder gets: what has no element of its own stands as JSON in one of its name."""
    parameters = _mapping(function.get("parameters"))
    lines = ["<function>", _element("name", function.get("name"))]
    if "description" in function:
        lines.append(_element("description", _trimmed(function["description"])))
    lines.append("<parameters>")
    for key, schema in _mapping(parameters.get("properties")).items():
        described = {"name": key, **_mapping(schema)}
        lines += ["<parameter>", *_elements(described, ("name", "type", "description")), "</parameter>"]
    lines += _elements(parameters, (), {"type", "properties"})
    lines.append("</parameters>")
    lines += _elements(function, (), {"type", "name", "description", "parameters"})
    return "\n".join([*lines, "</function>"])


def xml_descriptions(function: Mapping[str, Any]) -> str:
    """The elements of Claude's legacy prompt."""
    lines = ["<tool_description>", _element("tool_name", function.get("name"))]
    lines += [_element("description", _trimmed(function.get("description"))), "<parameters>"]
    for key, schema in _mapping(_mapping(function.get("parameters")).get("properties")).items():
        described = {"name": key, **_mapping(schema)}
        lines += ["<parameter>", *_elements(described, ("name", "type", "description")), "</parameter>"]
    return "\n".join([*lines, "</parameters>", "</tool_description>"])


def _elements(members: Mapping[str, Any], first: tuple[str, ...], left_out: Iterable[str] = ()) -> list[str]:
    """An element for each member: some first, in that order, then the others in theirs."""
    keys = [key for key in first if key in members]
    keys += [key for key in members if key not in first and key not in left_out]
    return [_element(key, _trimmed(members[key]) if key == "description" else members[key]) for key in keys]


def _element(key: str, value: Any) -> str:
    return f"<{key}>{_text(value)}</{key}>"


def python(function: Mapping[str, Any]) -> str:
    """The head of a Python function with a docstring, as Seed-OSS gets it."""
    parameters = _mapping(function.get("parameters"))
    properties = {key: _mapping(schema) for key, schema in _mapping(parameters.get("properties")).items()}
    required = parameters.get("required")
    types = {key: _python_type(schema) for key, schema in properties.items()}
    head = ",".join(f"{key}: {kind}" for key, kind in types.items())
    lines = [
        f"def {_text(function.get('name'))}({head}):",
        '    """',
        f"    {_trimmed(function.get('description'))}",
        "",
    ]
    if properties:
        lines.append("    Args:")
    for key, schema in properties.items():
        word = "必填" if isinstance(required, list) and key in required else "选填"
        lines.append(f"    - {key} ({types[key]}) [{word}]: {_text(schema.get('description') or '')}")
    return "\n".join([*lines, "", '    """'])


def _python_type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    return _PYTHON_TYPES.get(kind, "Any") if isinstance(kind, str) else "Any"


def declaration(function: Mapping[str, Any], delimiter: str) -> str:
    """The declaration that Gemma 4 gets: bare keys in order, types in capitals, strings between delimiters."""
    parameters = function.get("parameters")
    parts = [f"description:{_delimited(function.get('description') or '', delimiter)}"]
    if isinstance(parameters, Mapping) and parameters:
        parts.append(f"parameters:{_schema(parameters, delimiter)}")
    return f"declaration:{_text(function.get('name'))}{{{','.join(parts)}}}"


def _schema(schema: Any, delimiter: str) -> str:
    """A schema as members in Gemma's order: what it is, what is in it, what must be in it, its type."""
    schema = _mapping(schema)
    parts: list[str] = []
    if isinstance(schema.get("description"), str) and schema["description"]:
        parts.append(f"description:{_delimited(schema['description'], delimiter)}")
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        parts.append(f"enum:{relaxed(schema['enum'], delimiter)}")
    if isinstance(schema.get("items"), Mapping) and schema["items"]:
        parts.append(f"items:{_schema(schema['items'], delimiter)}")
    if schema.get("nullable") is True:
        parts.append("nullable:true")
    properties = schema.get("properties")
    if (isinstance(properties, Mapping) and properties) or schema.get("type") == "object":
        inner = sorted(_mapping(properties).items(), key=lambda member: str(member[0]))
        members = ",".join(f"{key}:{_schema(member, delimiter)}" for key, member in inner)
        parts.append(f"properties:{{{members}}}")
    if isinstance(schema.get("required"), list) and schema["required"]:
        parts.append(f"required:{relaxed(schema['required'], delimiter)}")
    kind = schema.get("type")
    if kind is not None:
        parts.append(f"type:{relaxed(_upper(kind), delimiter)}")
    return f"{{{','.join(parts)}}}"


def _upper(kind: Any) -> Any:
    if isinstance(kind, list):
        return [_upper(each) for each in kind]
    return kind.upper() if isinstance(kind, str) else kind


def _delimited(value: Any, delimiter: str) -> str:
    return f"{delimiter}{_text(value)}{delimiter}"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _trimmed(value: Any) -> str:
    return _text(value).strip() if value is not None else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else write(value)
