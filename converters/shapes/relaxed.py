"""Shape F: `call:name{...}` of Gemma, its arguments a JSON of their own, with bare keys and strings between tokens.

It is read as shape B is; only the JSON is spelled differently: it is made strict, then typed as any other.
"""

from __future__ import annotations

from converters.expectations import Schema
from converters.jsonoutput import quote
from converters.relaxedtext import RelaxedText
from converters.schema import TypedText
from converters.shapes.named_json import NamedJsonGrammar


class RelaxedGrammar(NamedJsonGrammar):
    def json_text(self, schema: Schema) -> RelaxedText:
        return TypedRelaxedText(self.syntax.delimiter, schema)


class TypedRelaxedText(RelaxedText):
    """RelaxedText whose strict JSON passes through TypedText."""

    __slots__ = ("_typed",)

    def __init__(self, delimiter: str, schema: Schema) -> None:
        super().__init__(delimiter)
        self._typed = TypedText(schema)

    def feed(self, text: str) -> str:
        if self._only_string(text) and self._typed.flows:  # by far the most pieces: nothing there to type
            return quote(text)[1:-1]
        out = self._typed.feed(super().feed(text))
        return out + self._typed.finish() if self.done else out

    def finish(self) -> str:
        return self._typed.feed(super().finish()) + self._typed.finish()
