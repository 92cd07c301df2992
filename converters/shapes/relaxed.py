"""Shape F: `call:name{...}` of Gemma, its arguments a JSON of their own, with bare keys and strings between tokens.

It is read as shape B is; only the JSON is spelled differently: it is made strict, then typed as any other.
"""

from __future__ import annotations

from converters.shapes.named_json import NamedJsonGrammar
from converters.text.expectations import Expectations
from converters.text.reasons import Reason
from converters.values.json.output import Flow
from converters.values.json.relaxed import RelaxedText
from converters.values.schema import Node
from converters.values.typed import TypedText
from converters.values.writer import JsonArguments


class RelaxedGrammar(NamedJsonGrammar):
    def arguments(self, expectations: Expectations, name: str) -> JsonArguments:
        schema = expectations.schema(name)
        return JsonArguments(schema, TypedRelaxedText(self.syntax.delimiter, Node(schema)))


class TypedRelaxedText(RelaxedText):
    """RelaxedText whose strict JSON passes through TypedText."""

    __slots__ = ("_typed",)

    def __init__(self, delimiter: str, node: Node) -> None:
        super().__init__(delimiter)
        self._typed = TypedText(node)

    @property
    def codes(self) -> list[Reason]:
        """Those of the typing: its own spelling is how the row writes."""
        return self._typed.codes

    @property
    def flow(self) -> Flow | None:
        return super().flow if self._typed.flow else None  # else there is something to type

    def feed(self, text: str) -> str:
        out = self._typed.feed(super().feed(text))
        return out + self._typed.finish() if self.done else out

    def finish(self) -> str:
        return self._typed.feed(super().finish()) + self._typed.finish()
