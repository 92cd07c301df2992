"""The arguments of a call, emitted as JSON while the model writes them.

What has been emitted is always a prefix of one JSON object. The text of a string is emitted as it comes; a value whose
type depends on all of it is held until it ends.
"""

from __future__ import annotations

import json
from typing import Protocol

from converters.text.expectations import Expectations, Schema
from converters.text.reasons import Reason
from converters.values.json.output import Flow, in_string, quote
from converters.values.json.reader import JsonReader, strict
from converters.values.schema import STRING, Node, required
from converters.values.typed import ARGUMENTS_KEYS, SchemaPolicy, read_text, typed

_NO_STRING = Node({"type": ["object", "array", "number", "integer", "boolean", "null"]})


class ArgumentsWriter:
    """Writes arguments for syntaxes that spell keys and values as text.

    For each argument call `key`, then `text` for each piece of its value, then `end`; call `close` behind the last
    one. Each returns the JSON that can be emitted. A key that comes twice is dropped: the first one wins, as it may
    have been emitted.
    """

    __slots__ = ("_drops", "_held", "_is_complete", "_keys", "_lead", "_node", "_schema", "_streams", "duplicate_key")

    def __init__(self, schema: Schema) -> None:
        self._schema = Node(schema)
        self._keys: set[str] = set()
        self._node = self._schema  # of the current value
        self._lead = ""  # what stands before the value that is held
        self._held: list[str] = []
        self._streams = False  # the current value is emitted as it comes
        self._drops = False  # the current value is dropped
        self._is_complete = False
        self.duplicate_key = False
        """Whether a key came twice."""

    @property
    def flow(self) -> Flow | None:
        """The short way for pieces of a string; None if the current value is held or dropped."""
        return in_string if self._streams and not self._drops else None

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
        lead = f"{', ' if self._keys else '{'}{quote(key)}: "
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
        return self._lead + self.value("".join(self._held))

    def close(self) -> str:
        if self._is_complete:
            return ""
        return "}" if self._keys else "{}"

    def complete(self) -> None:
        """All arguments have been emitted as one JSON object by other means: arguments that follow are dropped."""
        self._is_complete = True


def json_arguments(expectations: Expectations, name: str) -> JsonArguments:
    """The reader for arguments of a tool that a model writes as JSON."""
    reader = JsonArguments if expectations.heal else VerbatimArguments
    return reader(expectations.schema(name))


class ValueReader(Protocol):
    """What JsonArguments needs of the reader of its value; see JsonReader."""

    done: bool
    stuck: bool
    rest: str

    @property
    def codes(self) -> list[Reason]: ...

    @property
    def unreadable(self) -> bool: ...

    @property
    def flow(self) -> Flow | None: ...

    def feed(self, text: str) -> str: ...

    def finish(self) -> str: ...


class JsonArguments:
    """Reads arguments that the model wrote as one JSON value: `feed` returns the JSON that can be emitted.

    An object is emitted as it comes. Any other value is held and made an object at its end: the object inside a
    string, an object of the only required property, or an empty object. `done` says that the value has ended; `rest`
    is the text behind it.
    """

    __slots__ = ("_code", "_fits", "_held", "_is_object", "_reader", "_schema", "done", "rest", "unreadable")

    def __init__(self, schema: Schema, reader: ValueReader | None = None) -> None:
        """`reader` reads the value where it is not the usual JSON, or not to be typed."""
        self._schema = schema
        self._reader = reader or JsonReader(SchemaPolicy(Node(schema), ARGUMENTS_KEYS))
        self._is_object = False
        self._fits = False
        self._held = ""  # strict JSON, until it is known whether it is an object
        self._code: Reason | None = None
        self.done = False
        self.unreadable = False
        """Whether a value was open where the text ended or did not go on as JSON."""
        self.rest = ""

    @property
    def fits(self) -> bool:
        """The first key, or the closing brace, has been read."""
        return self._is_object and (self.done or self._fits)

    @property
    def codes(self) -> list[Reason]:
        """The reason codes of what was done to them."""
        return [*self._reader.codes, *([self._code] if self._code else [])]

    @property
    def flow(self) -> Flow | None:
        """The short way inside a string that is emitted as it comes; None elsewhere."""
        return self._reader.flow if self._is_object else None

    def feed(self, text: str) -> str:
        return self._emitted(self._reader.feed(text))

    def finish(self) -> str:
        """The text is over: what is open is closed."""
        emitted = self._emitted(self._reader.finish())
        self.unreadable = self._reader.unreadable
        return emitted

    def _emitted(self, out: str) -> str:
        """What can be emitted of the strict JSON that the reader has returned."""
        if self._reader.stuck and not self._reader.done:
            out += self._reader.finish()
            self.unreadable = self._reader.unreadable
        self.done = self._reader.done
        self.rest = self._reader.rest
        if not self._is_object:
            self._held += out
            self._held = self._held.lstrip()
            self._is_object = self._held.startswith("{")
            if not self._is_object:
                return self._as_object(self._held) if self.done else ""
            out, self._held = self._held, ""
        self._fits = self._fits or '"' in out
        return out.rstrip() if self.done else out

    def _as_object(self, value: str) -> str:
        """The object made of a value that is none; an empty one if nothing tells under which key the value belongs."""
        if value.startswith('"'):
            inner = strict(json.loads(value), lenient=True)
            if inner is not None and inner.startswith("{"):
                self._code = "arguments_retyped"
                return typed(inner, Node(self._schema))
        names = required(self._schema)
        if value in ("null", '""'):
            return "{}"
        if len(names) == 1:
            self._code = "arguments_wrapped"
            return typed(f"{{{quote(names[0])}: {value}}}", Node(self._schema))
        self._code = "arguments_dropped"
        return "{}"


class VerbatimArguments(JsonArguments):
    """With HEAL=off: emits arguments as the model wrote them, valid or not, and only looks for their end."""

    __slots__ = ()

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema, JsonReader())

    @property
    def codes(self) -> list[Reason]:
        return []

    @property
    def flow(self) -> Flow | None:
        repaired = super().flow
        return None if repaired is None else lambda text: None if repaired(text) is None else text

    def feed(self, text: str) -> str:
        super().feed(text)
        return text[: len(text) - len(self.rest)]

    def finish(self) -> str:
        super().finish()
        return ""
