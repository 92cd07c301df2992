"""What a tool's JSON Schema says of an argument: its types, its members, its items.

References inside the schema, combinators and `additionalProperties` are followed. A schema that is none says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from converters.text.expectations import Schema

STRING = frozenset({"string"})
_KINDS: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}
_DEPTH = 16
"""How far references and combinators are followed."""


class Node:
    """One place in a schema and what stands behind it, looked up once however many values it types."""

    __slots__ = ("_items", "_kinds", "_members", "_spelled", "root", "schema")

    def __init__(self, schema: Schema, root: Schema | None = None) -> None:
        self.schema = schema
        self.root = schema if root is None else root
        self._kinds: frozenset[str] | None = None
        self._members: dict[str, Node] = {}
        self._items: Node | None = None
        self._spelled: frozenset[str] | None = None

    @property
    def kinds(self) -> frozenset[str]:
        """The JSON types a value may have; empty where the schema does not say."""
        if self._kinds is None:
            self._kinds = wanted(self.schema, self.root)
        return self._kinds

    @property
    def takes_strings(self) -> bool:
        return not self.kinds or "string" in self.kinds

    @property
    def items(self) -> Node:
        if self._items is None:
            self._items = Node(item(self.schema, self.root), self.root)
        return self._items

    def member(self, key: str) -> Node:
        found = self._members.get(key)
        if found is None:
            found = self._members[key] = Node(argument(self.schema, key, self.root), self.root)
        return found

    @property
    def spelled(self) -> frozenset[str]:
        """The strings that the schema spells out as values."""
        if self._spelled is None:
            values = (value for part in _resolved(self.schema, self.root) for value in _values(part))
            self._spelled = frozenset(value for value in values if isinstance(value, str))
        return self._spelled


def argument(schema: Schema, key: str, root: Schema | None = None) -> Schema:
    """The schema of one argument, or member, empty where nothing is said of it."""
    parts = list(_resolved(schema, schema if root is None else root))
    own = [_properties(part)[key] for part in parts if key in _properties(part)]
    return _either(own or [part.get("additionalProperties") for part in parts])


def item(schema: Schema, root: Schema) -> Schema:
    """The schema of an array's items, empty where nothing is said of them."""
    return _either(found for node in _resolved(schema, root) for found in _item_schemas(node))


def _item_schemas(node: Schema) -> Iterator[Any]:
    """That of all items, and those of the first ones: which item has which is not told apart."""
    for found in (node.get("items"), node.get("prefixItems")):
        yield from found if isinstance(found, list) else [found]


def _either(found: Iterable[Any]) -> Schema:
    schemas = [each for each in found if isinstance(each, Mapping)]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas} if schemas else {}


def _properties(node: Schema) -> Mapping[str, Any]:
    declared = node.get("properties")
    return declared if isinstance(declared, Mapping) else {}


def properties(schema: Schema) -> list[str]:
    """The names of all declared arguments, in their order."""
    return list(dict.fromkeys(name for node in _resolved(schema, schema) for name in _properties(node)))


def required(schema: Schema) -> list[str]:
    """The names of all arguments that must be given."""
    lists = (node.get("required") for node in _resolved(schema, schema))
    return list(dict.fromkeys(str(name) for names in lists if isinstance(names, list) for name in names))


def wanted(node: Schema, root: Schema) -> frozenset[str]:
    """The JSON types a value may have; empty where the schema does not say."""
    return _kinds(node, root, {}, 0) or frozenset()


def _kinds(node: Any, root: Schema, seen: dict[str, frozenset[str] | None], depth: int) -> frozenset[str] | None:
    """The types that all parts of a schema allow; None where none of them says. `seen`: those of references."""
    if not isinstance(node, Mapping) or depth > _DEPTH:
        return None
    found = _own_kinds(node)
    reference = _reference(node)
    if reference:
        if reference not in seen:
            seen[reference] = None  # within itself it says nothing more
            seen[reference] = _kinds(_target(reference, root), root, seen, depth + 1)
        found = _both(found, seen[reference])
    for member in _members(node, "allOf"):
        found = _both(found, _kinds(member, root, seen, depth + 1))
    for combinator in ("anyOf", "oneOf"):
        found = _both(found, _any([_kinds(each, root, seen, depth + 1) for each in _members(node, combinator)]))
    return found | {"null"} if found and node.get("nullable") is True else found


def _both(first: frozenset[str] | None, second: frozenset[str] | None) -> frozenset[str] | None:
    """The types that both allow; where there is none, the schema contradicts itself and either will do."""
    if first is None or second is None:
        return second if first is None else first
    shared = {kind for one, other in ((first, second), (second, first)) for kind in one if _allows(other, kind)}
    return frozenset(shared) or first | second


def _allows(kinds: frozenset[str], kind: str) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _any(members: list[frozenset[str] | None]) -> frozenset[str] | None:
    """The types that one of the members allows; one that does not say allows all."""
    kinds = [each for each in members if each is not None]
    return frozenset().union(*kinds) if kinds and len(kinds) == len(members) else None


def _own_kinds(node: Schema) -> frozenset[str] | None:
    """The types that a schema names itself, or that its values or its members have."""
    declared = node.get("type")
    named = [declared] if isinstance(declared, str) else declared if isinstance(declared, list) else []
    kinds = frozenset(kind for kind in named if isinstance(kind, str)) or None
    values = _values(node)
    if values:
        kinds = _both(kinds, frozenset(_KINDS.get(type(value), "string") for value in values))
    if kinds is None and isinstance(node.get("properties"), Mapping):
        return frozenset({"object"})
    return frozenset({"array"}) if kinds is None and "items" in node else kinds


def _values(node: Schema) -> list[Any]:
    """The values that a schema spells out."""
    if "const" in node:
        return [node["const"]]
    values = node.get("enum")
    return values if isinstance(values, list) else []


def _members(node: Schema, combinator: str) -> list[Any]:
    members = node.get(combinator)
    return members if isinstance(members, list) else []


def _reference(node: Schema) -> str:
    reference = node.get("$ref")
    return reference if isinstance(reference, str) and reference.startswith("#") else ""


def _resolved(node: Any, root: Schema, seen: set[str] | None = None, depth: int = 0) -> Iterator[Schema]:
    """A schema, what it refers to, and the members of its combinators; each reference is followed once."""
    if not isinstance(node, Mapping) or depth > _DEPTH:
        return
    yield node
    seen = set() if seen is None else seen
    reference = _reference(node)
    if reference and reference not in seen:
        seen.add(reference)
        yield from _resolved(_target(reference, root), root, seen, depth + 1)
    for combinator in ("anyOf", "oneOf", "allOf"):
        for member in _members(node, combinator):
            yield from _resolved(member, root, seen, depth + 1)


def _target(reference: str, root: Schema) -> Any:
    """What a reference within the schema stands for; None where there is nothing."""
    place: Any = root
    for step in unquote(reference).lstrip("#/").split("/"):
        if isinstance(place, list) and step.isdecimal() and int(step) < len(place):
            place = place[int(step)]
        elif isinstance(place, Mapping):
            place = place.get(step.replace("~1", "/").replace("~0", "~"))
        else:
            return None
    return place
