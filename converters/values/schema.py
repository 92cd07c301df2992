"""Types, members and items of an argument, looked up in the JSON Schema of a tool.

Follows references inside the schema, `anyOf`, `oneOf`, `allOf`, `patternProperties` and `additionalProperties`; the
names of types are compared without case. Malformed parts of a schema are ignored, and nothing here raises. Functions
that take a `root` resolve references in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
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
_LONGEST_KEY = 256
_MOST_PATTERNS = 64
_SIMPLE_PATTERN = re.compile(
    r"\^?(?:(?:[\w \-/:@,]|\\[dDwWsS.\-/_$]|\.|\[\^?[^\[\]\\]{1,64}\])(?:[*+?]|\{\d{1,2}(?:,\d{0,2})?\})?){0,64}\$?"
)
_COMPOSING = frozenset({"$ref", "anyOf", "oneOf", "allOf"})
"""Keywords by which a schema consists of others."""
_DEPTH = 16
"""How many references and combinators are followed from one schema to the next."""


class Node:
    """A schema inside a root schema. Caches what is looked up, as one schema may type many values."""

    __slots__ = ("_declared", "_items", "_kinds", "_members", "_spelled", "root", "schema")

    def __init__(self, schema: Schema, root: Schema | None = None) -> None:
        self.schema = schema
        self.root = schema if root is None else root
        self._kinds: frozenset[str] | None = None
        self._members: dict[str, Node] = {}
        self._items: Node | None = None
        self._declared: frozenset[str] | None = None
        self._spelled: frozenset[str] | None = None

    @property
    def kinds(self) -> frozenset[str]:
        """The JSON types that a value may have; empty if the schema does not restrict them."""
        if self._kinds is None:
            self._kinds = wanted(self.schema, self.root)
        return self._kinds

    @property
    def takes_strings(self) -> bool:
        """Whether a value may be a string."""
        return not self.kinds or "string" in self.kinds

    @property
    def items(self) -> Node:
        """The schema of an array's items."""
        if self._items is None:
            self._items = Node(item(self.schema, self.root), self.root)
        return self._items

    def member(self, key: str) -> Node:
        """The schema of an object's member."""
        found = self._members.get(key)
        if found is None:
            found = self._members[key] = Node(argument(self.schema, key, self.root), self.root)
        return found

    @property
    def declared(self) -> frozenset[str]:
        """The names of an object's declared members."""
        if self._declared is None:
            self._declared = frozenset(properties(self.schema, self.root))
        return self._declared

    @property
    def spelled(self) -> frozenset[str]:
        """The strings among the values of `const` and `enum`."""
        if self._spelled is None:
            values = (value for part in _resolved(self.schema, self.root) for value in _values(part))
            self._spelled = frozenset(value for value in values if isinstance(value, str))
        return self._spelled


def argument(schema: Schema, key: str, root: Schema | None = None) -> Schema:
    """The schema of an object's member; empty if there is none."""
    parts = list(_resolved(schema, schema if root is None else root))
    own = [_properties(part)[key] for part in parts if key in _properties(part)]
    own = own or [found for part in parts for found in _by_pattern(part, key)]
    return _either(own or [part.get("additionalProperties") for part in parts])


def _by_pattern(node: Schema, key: str) -> Iterator[Any]:
    """The schemas of `patternProperties` whose pattern a key matches. Patterns that could take long are ignored."""
    patterns = node.get("patternProperties")
    if isinstance(patterns, Mapping) and len(key) <= _LONGEST_KEY:
        for pattern, schema in list(patterns.items())[:_MOST_PATTERNS]:
            compiled = _compiled(pattern)
            if compiled is not None and compiled.search(key):
                yield schema


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """A pattern of single characters and classes, of which at most two are repeated; None for any other."""
    if not _SIMPLE_PATTERN.fullmatch(pattern) or len(re.findall(r"(?<!\\)[*+{]", pattern)) > 2:
        return None
    try:
        return re.compile(pattern)
    except (re.error, OverflowError):
        return None


def item(schema: Schema, root: Schema) -> Schema:
    """The schema of an array's items; empty if there is none."""
    return _either(found for node in _resolved(schema, root) for found in _item_schemas(node))


def _item_schemas(node: Schema) -> Iterator[Any]:
    """The schemas of `items` and `prefixItems`; positions are not distinguished."""
    for found in (node.get("items"), node.get("prefixItems")):
        yield from found if isinstance(found, list) else [found]


def _either(found: Iterable[Any]) -> Schema:
    """One schema that allows what any of those found allows; what is no schema is ignored."""
    schemas = [each for each in found if isinstance(each, Mapping)]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas} if schemas else {}


def _properties(node: Schema) -> Mapping[str, Any]:
    declared = node.get("properties")
    return declared if isinstance(declared, Mapping) else {}


def properties(schema: Schema, root: Schema | None = None) -> list[str]:
    """The names of all declared members, in the order of the schema."""
    parts = _resolved(schema, schema if root is None else root)
    return list(dict.fromkeys(name for node in parts for name in _properties(node)))


def required(schema: Schema) -> list[str]:
    """The names of all required members, in the order of the schema."""
    lists = (node.get("required") for node in _resolved(schema, schema))
    return list(dict.fromkeys(str(name) for names in lists if isinstance(names, list) for name in names))


def wanted(node: Schema, root: Schema) -> frozenset[str]:
    """The JSON types that a value may have; empty if the schema does not restrict them."""
    return _kinds(node, root, {}, 0) or frozenset()


def _kinds(node: Any, root: Schema, seen: dict[str, frozenset[str] | None], depth: int) -> frozenset[str] | None:
    """The types that all parts of a schema allow; None if no part restricts them.

    `seen` caches the types of references. A reference to itself restricts nothing.
    """
    if not isinstance(node, Mapping) or depth > _DEPTH:
        return None
    found = _own_kinds(node)
    if not _is_plain(node):
        found = _both(found, _composed_kinds(node, root, seen, depth + 1))
    return found | {"null"} if found and node.get("nullable") is True else found


def _composed_kinds(
    node: Schema, root: Schema, seen: dict[str, frozenset[str] | None], depth: int
) -> frozenset[str] | None:
    """The types that the schemas allow of which a schema consists."""
    found: frozenset[str] | None = None
    reference = _reference(node)
    if reference:
        if reference not in seen:
            seen[reference] = None
            seen[reference] = _kinds(_target(reference, root), root, seen, depth)
        found = seen[reference]
    for member in _members(node, "allOf"):
        found = _both(found, _kinds(member, root, seen, depth))
    for combinator in ("anyOf", "oneOf"):
        found = _both(found, _any([_kinds(each, root, seen, depth) for each in _members(node, combinator)]))
    return found


def _both(first: frozenset[str] | None, second: frozenset[str] | None) -> frozenset[str] | None:
    """The types that both sides allow, where None allows all.

    A schema whose sides share no type contradicts itself: then the types of either side are allowed.
    """
    if first is None or second is None:
        return second if first is None else first
    shared = {kind for one, other in ((first, second), (second, first)) for kind in one if _allows(other, kind)}
    return frozenset(shared) or first | second


def _allows(kinds: frozenset[str], kind: str) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _any(members: list[frozenset[str] | None]) -> frozenset[str] | None:
    """The types that at least one member allows; None if a member does not restrict them."""
    kinds = [each for each in members if each is not None]
    return frozenset().union(*kinds) if kinds and len(kinds) == len(members) else None


def _own_kinds(node: Schema) -> frozenset[str] | None:
    """The types of a schema without its references and combinators; None if it does not restrict them.

    They are those of `type`, `const` and `enum`; without these, `properties` means object and `items` means array.
    """
    declared = node.get("type")
    named = [declared] if isinstance(declared, str) else declared if isinstance(declared, list) else []
    kinds = frozenset(kind.lower() for kind in named if isinstance(kind, str)) or None
    values = _values(node)
    if values:
        kinds = _both(kinds, frozenset(_KINDS.get(type(value), "string") for value in values))
    if kinds is None and isinstance(node.get("properties"), Mapping):
        return frozenset({"object"})
    return frozenset({"array"}) if kinds is None and "items" in node else kinds


def _values(node: Schema) -> list[Any]:
    """The values of `const` or `enum`; an empty list if there are none."""
    if "const" in node:
        return [node["const"]]
    values = node.get("enum")
    return values if isinstance(values, list) else []


def _members(node: Schema, combinator: str) -> list[Any]:
    """The schemas in a combinator, such as `anyOf`."""
    members = node.get(combinator)
    return members if isinstance(members, list) else []


def _reference(node: Schema) -> str:
    """The reference of a schema into its root; empty if there is none. Other documents are not fetched."""
    reference = node.get("$ref")
    return reference if isinstance(reference, str) and reference.startswith("#") else ""


def _resolved(node: Any, root: Schema) -> Iterable[Schema]:
    """A schema, the target of its reference and the members of its combinators, recursively."""
    return (node,) if _is_plain(node) else _unfolded(node, root, set(), 0)


def _is_plain(node: Any) -> bool:
    """Whether a schema has no reference and no combinators: by far the most have none."""
    return type(node) is dict and _COMPOSING.isdisjoint(node)


def _unfolded(node: Any, root: Schema, seen: set[str], depth: int) -> Iterator[Schema]:
    if not isinstance(node, Mapping) or depth > _DEPTH:
        return
    yield node
    reference = _reference(node)
    if reference and reference not in seen:
        seen.add(reference)
        yield from _unfolded(_target(reference, root), root, seen, depth + 1)
    for combinator in ("anyOf", "oneOf", "allOf"):
        for member in _members(node, combinator):
            yield from _unfolded(member, root, seen, depth + 1)


def _target(reference: str, root: Schema) -> Any:
    """The part of the root that a JSON pointer refers to; None if there is no such part."""
    target: Any = root
    for step in unquote(reference).lstrip("#/").split("/"):
        if isinstance(target, list) and step.isdecimal() and len(step) < 10 and int(step) < len(target):
            target = target[int(step)]
        elif isinstance(target, Mapping):
            target = target.get(step.replace("~1", "/").replace("~0", "~"))
        else:
            return None
    return target
