"""The arguments of a call, emitted as JSON while the model writes them.

What has been emitted is always a prefix of one JSON object. The text of a string is emitted as it comes; a value whose
type depends on all of it is held until it ends.
"""

from __future__ import annotations

from converters.text.expectations import Schema
from converters.text.reasons import Reason
from converters.values.arguments import JsonArguments, VerbatimArguments, json_arguments
from converters.values.json.output import Flow, in_string, quote
from converters.values.schema import STRING, Node
from converters.values.typed import read_text, typed, unwrapped, wrappers

__all__ = ["ArgumentsWriter", "JsonArguments", "VerbatimArguments", "json_arguments"]

_NO_STRING = Node({"type": ["object", "array", "number", "integer", "boolean", "null"]})


class ArgumentsWriter:
    """Writes arguments for syntaxes that spell keys and values as text.

    For each argument call `key`, then `text` for each piece of its value, then `end`; call `close` behind the last
    one. Each returns the JSON that can be emitted. A key that comes twice is dropped: the first one wins, as it may
    have been emitted.
    """

    __slots__ = (
        *("_drops", "_held", "_is_complete", "_keys", "_lead", "_node", "_schema", "_streams", "_wrapped", "_wrappers"),
        *("duplicate_key", "unwrapped"),
    )

    def __init__(self, schema: Schema) -> None:
        self._schema = Node(schema)
        self._keys: set[str] = set()
        self._node = self._schema  # of the current value
        self._lead = ""  # what stands before the value that is held
        self._held: list[str] = []
        self._streams = False  # the current value is emitted as it comes
        self._drops = False  # the current value is dropped
        self._is_complete = False
        self._wrappers = wrappers(self._schema)
        self._wrapped = ""  # the first argument, whole, while it may be a wrapper of all
        self.duplicate_key = False
        """Whether a key came twice."""
        self.unwrapped = False
        """Whether the only argument was a wrapper that the tool does not declare, and was left out."""

    @property
    def flow(self) -> Flow | None:
        """The short way for pieces of a string; None if the current value is held or dropped."""
        return in_string if self._streams and not self._drops else None

    @property
    def codes(self) -> list[Reason]:
        """The reason codes of what was done to them."""
        found: list[tuple[bool, Reason]] = [
            (self.duplicate_key, "duplicate_key"),
            (self.unwrapped, "arguments_unwrapped"),
        ]
        return [code for holds, code in found if holds]

    @property
    def begun(self) -> bool:
        """Whether there is any argument."""
        return bool(self._keys) or self._is_complete

    def key(self, key: str, is_string: bool | None = None) -> str:
        """Begin an argument. `is_string` is what the syntax itself tells of the type; None: the schema decides."""
        self._drops = self._is_complete or key in self._keys
        if self._drops:
            self.duplicate_key = True
            return ""
        self._node = _NO_STRING if is_string is False else self._schema.member(key)
        self._streams = self._node.kinds == STRING if is_string is None else is_string
        first, self._wrapped = self._wrapped, ""
        lead = f"{first}{', ' if self._keys else '{'}{quote(key)}: "
        if not self._keys and key in self._wrappers and is_string is not True:
            self._streams = False
        self._keys.add(key)
        if self._streams:
            return lead + '"'
        self._lead = lead
        self._held = []
        return ""

    def text(self, piece: str) -> str:
        if self._drops:
            return ""
        if self._streams:
            return in_string(piece)
        self._held.append(piece)
        return ""

    def value(self, text: str) -> str:
        """The JSON of a whole value that was held. Subclasses read other spellings of values."""
        return read_text(text, self._node)

    def end(self) -> str:
        if self._drops:
            return ""
        if self._streams:
            return '"'
        written = self._lead + self.value("".join(self._held))
        if len(self._keys) == 1 and not self._wrappers.isdisjoint(self._keys):
            self._wrapped = written  # it waits for another argument, which would show that it is no wrapper
            return ""
        return written

    def close(self) -> str:
        if self._is_complete:
            return ""
        first, self._wrapped = self._wrapped, ""
        if first:
            inner = unwrapped(first + "}", self._schema)
            self.unwrapped = inner is not None
            return first + "}" if inner is None else typed(inner, self._schema)
        return "}" if self._keys else "{}"

    def complete(self) -> None:
        """All arguments have been emitted as one JSON object by other means: arguments that follow are dropped."""
        self._is_complete = True
