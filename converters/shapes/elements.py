"""Shape D: a header that carries the name, then elements named after the keys, which may nest. Claude's old way.

It is read as shape C is; only the closer of a value is named after its key, and a value that should be an array or an
object may be written in elements of its own, list items as `<item>`.
"""

from __future__ import annotations

import re
from functools import partial

from converters.shapes.machine import CallContext, CallsParser
from converters.shapes.tagged import TaggedGrammar, TaggedParser
from converters.text.expectations import Expectations, Schema
from converters.text.scanner import BLANK
from converters.values.json.output import quote
from converters.values.schema import Node
from converters.values.typed import read_text
from converters.values.writer import ArgumentsWriter

_OPENING = re.compile(rf"{BLANK}*<([^<>\s/]+)>")
_BLANKS = re.compile(rf"{BLANK}*")
_DEPTH = 32


class ElementsGrammar(TaggedGrammar):
    def parser(self, context: CallContext, expectations: Expectations) -> CallsParser:
        return TaggedParser(self, context, expectations, partial(ElementsWriter, token=self.syntax.lead_token))


class ElementsWriter(ArgumentsWriter):
    """Arguments whose containers may be written as elements, each with `token` in front."""

    __slots__ = ("_token",)

    def __init__(self, schema: Schema, token: str) -> None:
        super().__init__(schema)
        self._token = token

    def value(self, text: str) -> str:
        is_nested = bool(self._token) and text.lstrip().startswith(self._token)
        if not text and self._token:
            return _leaf(text, self._node)
        if is_nested or self._node.kinds & {"object", "array"}:
            bare = re.sub(rf"{re.escape(self._token)}{BLANK}*", "", text) if self._token else text
            nested = _nested(bare, self._node)
            if nested is not None:
                return nested
        return super().value(text)


def _nested(text: str, node: Node, depth: int = 0) -> str | None:
    """Elements as JSON: `<item>`s and repeated names are a list, others an object; None if it is no such text."""
    children: dict[str, list[str]] = {}
    pos = 0
    while element := _element(text, pos):
        name, inner, pos = element
        child = _child(node, name)
        value = _nested(inner, child, depth + 1) if depth < _DEPTH else None
        children.setdefault(name, []).append(value if value is not None else _leaf(inner, child))
    if not children or _BLANKS.fullmatch(text, pos) is None:
        return None
    if set(children) == {"item"}:
        return f"[{', '.join(children['item'])}]"
    members = (
        f"{quote(name)}: {values[0] if len(values) == 1 else '[' + ', '.join(values) + ']'}"
        for name, values in children.items()
    )
    return "{" + ", ".join(members) + "}"


def _element(text: str, pos: int) -> tuple[str, str, int] | None:
    """(name, content, position behind it) of the element at a position; elements of its own name may stand in it."""
    opening = _OPENING.match(text, pos)
    if opening is None:
        return None
    depth = 0
    for tag in re.finditer(rf"<(/?){re.escape(opening[1])}>", text[opening.start(1) - 1 :]):
        depth += -1 if tag[1] else 1
        if depth == 0:
            start = opening.start(1) - 1
            return opening[1], text[opening.end() : start + tag.start()], start + tag.end()
    return None


def _child(node: Node, name: str) -> Node:
    return node.items if name == "item" and node.items.schema else node.member(name)


def _leaf(text: str, node: Node) -> str:
    """A value without elements; an empty one is the empty container that is wanted, or null unless a string is."""
    if text or "string" in node.kinds:
        return read_text(text, node)
    wanted = node.kinds & {"array", "object", "null"}
    return {"array": "[]", "object": "{}"}.get(next(iter(wanted), ""), "null") if len(wanted) == 1 else "null"
