"""JSON in pieces that is typed by its schema: a string that spells what the schema wants instead is made that.

`"3"` where an integer is wanted, an array or an object in quotes. Only a string that no string is wanted of is held,
until it ends; a string that the schema allows is never looked into.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converters.expectations import Schema
from converters.jsonoutput import decoded
from converters.jsontext import JsonText
from converters.schema import argument, read_text, wanted


class TypedText(JsonText):
    """JsonText with a schema. The `about` of a frame is the schema of the container."""

    __slots__ = ("_held", "_schema")

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self._schema = schema
        self._held: Schema | None = None  # the schema of the string that is held

    def _about(self) -> Schema:
        """The schema of the value that begins here."""
        if not self._frames:
            return self._schema
        frame = self._frames[-1]
        if frame.opener == "{":
            return argument(frame.about, self._last_key, self._schema)
        items: Any = frame.about.get("items")
        return items if isinstance(items, Mapping) else {}

    def _begin_string(self, quote: str) -> None:
        about = self._about() if self._frames else {}
        kinds = wanted(about, self._schema)
        if not kinds or "string" in kinds:
            super()._begin_string(quote)
            return
        self._held = about
        self._key = []  # the text is gathered as a key's is
        self._quote = quote
        self._state = self._string

    def _end_string(self, hold: str) -> None:
        if self._held is None:
            super()._end_string(hold)
            return
        about, self._held = self._held, None
        text = decoded("".join(self._key or ()))
        self._key, self._quote = None, ""
        self._put(read_text(text, about, self._schema))
        self._ended()

    def _finish_string(self, hold: str) -> None:
        if self._held is None:
            super()._finish_string(hold)
            return
        self.closed = True
        self._end_string(hold)
