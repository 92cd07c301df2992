"""Shape D: a header that carries the name, then elements named after the keys, which may nest. Claude's old way.

It is read as shape C is; only the closer of a value is named after its key, and a value that should be an array or an
object may be written in elements of its own, list items as `<item>`.
"""

from __future__ import annotations

import re

from converters.arguments import ArgumentsWriter
from converters.expectations import Expectations
from converters.jsontext import quote
from converters.schema import read_text, wanted
from converters.shapes.base import CallsParser, Opening
from converters.shapes.tagged import TaggedGrammar, TaggedParser

_ELEMENT = re.compile(r"\s*<([^<>\s/]+)>(.*?)</\1>", re.DOTALL)
_DEPTH = 32


class ElementsGrammar(TaggedGrammar):
    def parser(self, opening: Opening, expectations: Expectations) -> CallsParser:
        return TaggedParser(self, opening, expectations, ElementsWriter)


class ElementsWriter(ArgumentsWriter):
    """Arguments whose containers may be written as elements."""

    __slots__ = ()

    def value(self, text: str) -> str:
        if wanted(self._node, self._schema) & {"object", "array"}:
            nested = _nested(text)
            if nested is not None:
                return nested
        return super().value(text)


def _nested(text: str, depth: int = 0) -> str | None:
    """Elements as JSON: `<item>`s and repeated names are a list, others an object; None if it is no such text."""
    children: dict[str, list[str]] = {}
    place = 0
    while match := _ELEMENT.match(text, place):
        name, inner = match.groups()
        value = _nested(inner, depth + 1) if depth < _DEPTH else None
        children.setdefault(name, []).append(value if value is not None else read_text(inner, {}, {}))
        place = match.end()
    if not children or text[place:].strip():
        return None
    if set(children) == {"item"}:
        return f"[{', '.join(children['item'])}]"
    members = (
        f"{quote(name)}: {values[0] if len(values) == 1 else '[' + ', '.join(values) + ']'}"
        for name, values in children.items()
    )
    return "{" + ", ".join(members) + "}"
