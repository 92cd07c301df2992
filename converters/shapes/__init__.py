"""The shapes: one state machine for each family of syntaxes. This is the only register of them."""

from __future__ import annotations

from collections.abc import Callable

from converters.shapes.elements import ElementsGrammar
from converters.shapes.json_object import JsonObjectGrammar
from converters.shapes.machine import Grammar
from converters.shapes.named_json import NamedJsonGrammar
from converters.shapes.pythonic import PythonicGrammar
from converters.shapes.relaxed import RelaxedGrammar
from converters.shapes.tagged import TaggedGrammar
from converters.syntaxes import Syntax
from converters.text.once import made_once

SHAPES: dict[str, Callable[[Syntax], Grammar]] = {
    "json_object": JsonObjectGrammar,
    "named_json": NamedJsonGrammar,
    "relaxed": RelaxedGrammar,
    "pythonic": PythonicGrammar,
    "tagged": TaggedGrammar,
    "elements": ElementsGrammar,
}


@made_once()
def grammar(syntax: Syntax) -> Grammar:
    """A row of the table, made ready for reading; made once."""
    return SHAPES[syntax.shape](syntax)
