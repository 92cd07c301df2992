"""The arguments of a call, written as JSON while the model writes them.

What has been written is always the beginning of one JSON object. A value whose type must be known first is held
until it ends; a string flows.
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
    """Key, pieces of its value, end of the value; and so on to `close`. Each returns the JSON that can leave now.

    For syntaxes that write keys and values as text. A key that comes twice is dropped: the first wins, as it may
    have left already.
    """

    __slots__ = ("_held", "_keys", "_lead", "_node", "_schema", "_skips", "_streams", "_whole", "doubled")

    def __init__(self, schema: Schema) -> None:
        self._schema = Node(schema)
        self._keys: set[str] = set()
        self._node = self._schema
        self._lead = ""
        self._held: list[str] = []
        self._streams = False
        self._skips = False
        self._whole = False
        self.doubled = False
        """A key came twice."""

    @property
    def flow(self) -> Flow | None:
        """What is written of the value, if it leaves at once."""
        return in_string if self._streams and not self._skips else None

    @property
    def begun(self) -> bool:
        return bool(self._keys) or self._whole

    def key(self, key: str, is_string: bool | None = None) -> str:
        """`is_string` is what the syntax itself says of the value's type, if it does."""
        self._skips = self._whole or key in self._keys
        if self._skips:
            self.doubled = True
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
        if self._skips:
            return ""
        if self._streams:
            return in_string(piece)
        self._held.append(piece)
        return ""

    def value(self, text: str) -> str:
        """The JSON of a whole text value under this key; shapes with values of their own replace it."""
        return read_text(text, self._node)

    def end(self) -> str:
        if self._skips:
            return ""
        if self._streams:
            return '"'
        return self._lead + self.value("".join(self._held))

    def close(self) -> str:
        if self._whole:
            return ""
        return "}" if self._keys else "{}"

    def whole(self) -> None:
        """All arguments have been written as one JSON object instead: what still comes under a key is dropped."""
        self._whole = True


def json_arguments(expectations: Expectations, name: str) -> JsonArguments:
    """A reader for the arguments of a tool that a model writes as JSON."""
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
    """Arguments that the model wrote as one JSON value: `feed` returns the JSON that can leave now.

    An object flows as it is written. Anything else is held and made an object at its end: the object that a string
    spells, the value under the one required property, or an empty object.
    """

    __slots__ = ("_code", "_held", "_json", "_object", "_schema", "done", "rest", "unreadable")

    def __init__(self, schema: Schema, reader: ValueReader | None = None) -> None:
        """`reader` reads the value where it is not the usual JSON, or not to be typed."""
        self._schema = schema
        self._json = reader or JsonReader(SchemaPolicy(Node(schema), ARGUMENTS_KEYS))
        self._object = False
        self._held = ""
        self._code: Reason | None = None
        self.done = False
        self.unreadable = False
        self.rest = ""

    @property
    def codes(self) -> list[Reason]:
        """What had to be done to them."""
        return [*self._json.codes, *([self._code] if self._code else [])]

    @property
    def flow(self) -> Flow | None:
        """Inside a string that leaves as it comes."""
        return self._json.flow if self._object else None

    def feed(self, text: str) -> str:
        return self._sent(self._json.feed(text))

    def finish(self) -> str:
        """The model stopped here: what is open is closed."""
        sent = self._sent(self._json.finish())
        self.unreadable = self._json.unreadable
        return sent

    def _sent(self, out: str) -> str:
        if self._json.stuck and not self._json.done:
            out += self._json.finish()
            self.unreadable = self._json.unreadable
        self.done = self._json.done
        self.rest = self._json.rest
        if not self._object:
            self._held += out
            self._held = self._held.lstrip()
            self._object = self._held.startswith("{")
            if not self._object:
                return self._as_object(self._held) if self.done else ""
            out, self._held = self._held, ""
        return out.rstrip() if self.done else out

    def _as_object(self, value: str) -> str:
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
    """For HEAL=off: arguments as the model wrote them, whatever they are. Only their end is looked for."""

    __slots__ = ()

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema, JsonReader())

    @property
    def codes(self) -> list[Reason]:
        return []

    @property
    def flow(self) -> Flow | None:
        goes_on = super().flow
        return None if goes_on is None else lambda text: None if goes_on(text) is None else text

    def feed(self, text: str) -> str:
        super().feed(text)
        return text[: len(text) - len(self.rest)]

    def finish(self) -> str:
        super().finish()
        return ""
