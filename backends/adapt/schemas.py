"""A JSON Schema without what grammars of servers refuse: for the backend only. Ours validates with the original."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

_DROPPED = frozenset(
    {
        *("pattern", "format", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minimum"),
        *("maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minProperties", "maxProperties"),
        *("propertyNames", "patternProperties", "contains", "minContains", "maxContains", "dependentRequired"),
        *("dependentSchemas", "dependencies", "if", "then", "else", "not", "unevaluatedProperties"),
        *("unevaluatedItems", "contentEncoding", "contentMediaType", "contentSchema", "$schema", "$id", "id"),
        *("$anchor", "$comment", "$dynamicRef", "$dynamicAnchor", "$vocabulary", "$defs", "definitions"),
        *("readOnly", "writeOnly", "deprecated"),
    }
)
"""Keywords that only validate, or that say nothing of what is allowed."""
_SCHEMAS = frozenset({"items", "additionalProperties", "additionalItems"})
_LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems", "items"})
_DEPTH = 40
"""Levels; what nests deeper may be anything."""
_NODES = 20_000
"""Schemas that one schema may grow to while references are put in their place."""


def simple(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without those keywords, and with references replaced; the same object if it has none of them."""
    found = _Simplifier(schema).schema(schema, (), 0)
    return found if isinstance(found, dict) else {}


class _Simplifier:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = _NODES

    def schema(self, node: Any, inside: tuple[str, ...], depth: int) -> Any:
        """A schema. `inside` are the references that it stands in: one that leads back becomes "anything"."""
        if not isinstance(node, dict):
            return node
        self._left -= 1
        if depth > _DEPTH or self._left < 0:
            return {}
        reference = node.get("$ref")
        if isinstance(reference, str):
            return self._target(node, reference, inside, depth)
        found: dict[str, Any] = {}
        changed = False
        for name, value in node.items():
            if name in _DROPPED:
                changed = True
                continue
            found[name] = self._member(name, value, inside, depth + 1)
            changed = changed or found[name] is not value
        for name in ("anyOf", "oneOf", "allOf"):
            members = found.get(name)
            if isinstance(members, list) and len(members) == 1 and isinstance(members[0], dict):
                del found[name]
                found, changed = {**members[0], **found}, True
        return found if changed else node

    def _member(self, name: str, value: Any, inside: tuple[str, ...], depth: int) -> Any:
        if name == "properties" and isinstance(value, dict):
            members = {key: self.schema(each, inside, depth) for key, each in value.items()}
            return value if all(members[key] is value[key] for key in value) else members
        if name in _LISTS and isinstance(value, list):
            items = [self.schema(each, inside, depth) for each in value]
            return value if all(a is b for a, b in zip(items, value, strict=True)) else items
        return self.schema(value, inside, depth) if name in _SCHEMAS else value

    def _target(self, node: dict[str, Any], reference: str, inside: tuple[str, ...], depth: int) -> Any:
        rest = {name: value for name, value in node.items() if name != "$ref"}
        target = None if reference in inside else self._pointed(reference)
        found = self.schema(target, (*inside, reference), depth + 1) if isinstance(target, dict) else {}
        others = self.schema(rest, inside, depth + 1)
        return {**(found if isinstance(found, dict) else {}), **others}

    def _pointed(self, reference: str) -> Any:
        """The part of the root that a JSON pointer leads to; None if there is none."""
        if not reference.startswith("#"):
            return None
        target: Any = self._root
        for step in unquote(reference[1:]).split("/")[1:]:
            if isinstance(target, list) and step.isdecimal() and len(step) < 10 and int(step) < len(target):
                target = target[int(step)]
            elif isinstance(target, dict):
                target = target.get(step.replace("~1", "/").replace("~0", "~"))
            else:
                return None
        return target
