"""The arguments of a Python call as they are written: strings as they come, literals as JSON of the type wanted."""

from __future__ import annotations

import json

from converters.text.expectations import Schema
from converters.values.json.reader import strict
from converters.values.python.literals import literal
from converters.values.schema import Node, properties
from converters.values.typed import fits, kind_of, read_text, typed
from converters.values.writer import ArgumentsWriter


class PythonWriter(ArgumentsWriter):
    """Arguments whose values are Python literals."""

    __slots__ = ("_names",)

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        self._names = iter(properties(schema))

    @property
    def keys(self) -> set[str]:
        return self._keys

    def declares(self, key: str) -> bool:
        """Whether the tool declares the argument, or none at all."""
        return not self._schema.declared or key in self._schema.declared

    def positional(self) -> str:
        """The name of the next argument that is given without one; empty if the schema has no more."""
        return next((name for name in self._names if name not in self._keys), "")

    def takes_string(self, key: str) -> bool:
        """Whether the argument may be a string."""
        may_wrap = not self._keys and key in self._wrappers
        return not may_wrap and self._schema.member(key).takes_strings

    def held(self, key: str, value: str) -> str:
        """Write a whole argument that was held, given as JSON."""
        self.key(key, is_string=False)
        self.text(value)
        return self.end()

    def value(self, text: str) -> str:
        return text

    def read(self, key: str, text: str, *, positional: bool = False) -> str | None:
        """The JSON of a literal or of near-JSON, converted to the type of its schema; None if it is neither.

        A value without a name is none of an argument whose type it does not fit.
        """
        node = self._schema.member(key)
        value = self._converted(text, node, positional)
        return None if value and positional and node.kinds and not fits(kind_of(value), node.kinds) else value

    def _converted(self, text: str, node: Node, positional: bool) -> str | None:
        value = literal(text)
        if value is None:
            value = strict(text, lenient=True)
        if value is None:
            return None
        if value[0] in "[{":
            return None if positional and node.kinds and not fits(kind_of(value), node.kinds) else typed(value, node)
        if value[0] == '"' and not node.takes_strings:
            return read_text(str(json.loads(value)), node)
        return value
