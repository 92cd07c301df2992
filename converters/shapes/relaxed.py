"""Shape F: `call:name{...}` of Gemma, its arguments a JSON of their own, with bare keys and strings between tokens.

It is read as shape B is; only the JSON is spelled differently, and comes out strict.
"""

from __future__ import annotations

from converters.expectations import Schema
from converters.relaxedtext import RelaxedText
from converters.shapes.named_json import NamedJsonGrammar


class RelaxedGrammar(NamedJsonGrammar):
    def json_text(self, schema: Schema) -> RelaxedText:
        return RelaxedText(self.syntax.delimiter)
