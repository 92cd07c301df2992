"""Shape F: `call:name{...}` of Gemma, its arguments a JSON of their own, with bare keys and strings between tokens.

It is read as shape B is; only the JSON is spelled differently: it is made strict, then typed as any other.
"""

from __future__ import annotations

from converters.shapes.named_json import NamedJsonGrammar
from converters.text.expectations import Expectations
from converters.values.relaxed import relaxed_spelling
from converters.values.writer import JsonArguments


class RelaxedGrammar(NamedJsonGrammar):
    def after_header(self) -> list[str]:
        return ["{", *self.feet, *self.group_closes]

    def arguments(self, expectations: Expectations, name: str) -> JsonArguments:
        spelling = relaxed_spelling(self.syntax.delimiter)
        ends_at = [*self.feet, *self.group_closes]
        return JsonArguments(expectations.schema(name), spelling, stops=expectations.stops, ends_at=ends_at)
