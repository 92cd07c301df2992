"""The shapes: one state machine for each family of syntaxes. This is the only register of them."""

from __future__ import annotations

from functools import cache

from converters.shapes.base import Grammar
from converters.shapes.elements import ElementsGrammar
from converters.shapes.json_object import JsonObjectGrammar
from converters.shapes.tagged import TaggedGrammar
from converters.syntaxes import Syntax

SHAPES: dict[str, type[TaggedGrammar] | type[JsonObjectGrammar]] = {
    "json_object": JsonObjectGrammar,
    "tagged": TaggedGrammar,
    "elements": ElementsGrammar,
}


@cache
def grammar(syntax: Syntax) -> Grammar:
    """A row of the table, made ready for reading; made once."""
    return SHAPES[syntax.shape](syntax)
