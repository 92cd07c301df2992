"""Values as a schema wants them: a text read as JSON, and JSON whose strings are made what is wanted instead.

Decimal JSON is the only way to write a number: hex, underscores, leading zeros, NaN and Infinity stay strings, and a
number keeps its digits. A string that the schema allows is never looked into.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from converters.text.reasons import Reason
from converters.values.json.output import decoded, quote
from converters.values.json.text import JsonText, strict
from converters.values.python.literals import literal
from converters.values.schema import STRING, Node, properties

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def read_text(text: str, node: Node) -> str:
    """A text value as the JSON text of what its schema wants.

    Without a schema: JSON if it is an object, an array, a number, a boolean or null, else a string. In a union with
    strings, a text that as a whole is another member's JSON is that member's value.
    """
    kinds = node.kinds
    if kinds == STRING or text in node.spelled:
        return quote(text)
    maybe_string = node.takes_strings
    value = strict(text.strip()) if maybe_string else _literal(text.strip(), kinds)
    if value is None:
        return quote(text)
    kind = _kind_of(value)
    if kind == "string":
        return quote(text) if maybe_string else _unquoted(value, kinds) or quote(text)
    if maybe_string and kinds and not _fits(kind, kinds):
        return quote(text)
    if kind in ("object", "array"):
        return typed(value, node) if kinds else value
    return _whole(value) if kind == "number" and "integer" in kinds and "number" not in kinds else value


def typed(value: str, node: Node) -> str:
    """Strict JSON with the strings inside it made what their schemas want instead."""
    reader = TypedText(node)
    return reader.feed(value) + reader.finish()


def _literal(text: str, kinds: frozenset[str]) -> str | None:
    """JSON, or a Python literal of a kind that is wanted, or what nearly is one of them; no string is wanted."""
    value = strict(text)
    if value is None:
        value = literal(text)
        if value is None or _kind_of(value) not in kinds:
            value = strict(text, lenient=True)
    return value


def _unquoted(value: str, kinds: frozenset[str]) -> str | None:
    """`"3"` as 3 where a number is wanted and no string will do."""
    return value[1:-1] if kinds & {"integer", "number"} and _NUMBER.fullmatch(value[1:-1]) else None


def _kind_of(value: str) -> str:
    if _NUMBER.fullmatch(value):
        return "number" if set(value) & set(".eE") else "integer"
    return {"{": "object", "[": "array", '"': "string", "n": "null"}.get(value[0], "boolean")


def _fits(kind: str, kinds: frozenset[str]) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _whole(number: str) -> str:
    """`15.000` as 15 where an integer is wanted; a number that is not whole stays as it is."""
    value = Decimal(number)
    if value.adjusted() > 400 or value != value.to_integral_value():
        return number
    return str(int(value))


_WRAPPERS = frozenset({"arguments", "parameters", "input", "args"})
"""Keys under which models put all arguments once more."""


class TypedText(JsonText):
    """JsonText with a schema. The `about` of a frame is what the schema says of the container.

    A string that spells what the schema wants instead is made that: `"3"` where an integer is wanted, an array or an
    object in quotes. Only a string that no string is wanted of is held, until it ends; one that the schema allows is
    never looked into.
    """

    __slots__ = ("_held", "_node")

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._node = node
        self._held: Node | None = None  # what is wanted of the string that is held

    def _about(self) -> Node:
        """What is wanted of the value that begins here."""
        if not self._frames:
            return self._node
        frame = self._frames[-1]
        about: Node = frame.about
        return about.member(self._last_key) if frame.opener == "{" else about.items

    def _passes(self, value: Any) -> bool:
        waiting = [(value, self._about())]
        while waiting:
            value, node = waiting.pop()
            if isinstance(value, str):
                if not node.takes_strings:
                    return False
            elif isinstance(value, dict):
                waiting += [(each, node.member(key)) for key, each in value.items()]
            elif isinstance(value, list):
                waiting += [(each, node.items) for each in value]
        return True

    def _begin_string(self, quote: str) -> None:
        about = self._about() if self._frames else None
        if about is None or about.takes_strings:
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
        value = read_text(text, about)
        self.retyped = self.retyped or value[0] != '"'
        self._put(value)
        self._ended()

    def _finish_string(self, hold: str) -> None:
        if self._held is None:
            super()._finish_string(hold)
            return
        self.closed = True
        self._end_string(hold)


class ArgumentsText(TypedText):
    """TypedText of a call's arguments: if they stand under a key of their own, which the tool lacks, it is left out.

    Members that follow behind the inner object join it.
    """

    __slots__ = ("_gap", "_inner", "_wrapper", "unwrapped")

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._wrapper = ""  # the key that may be left out, and what stands between it and its value
        self._gap = ""
        self._inner = False  # inside the object that the key is left out of
        self.unwrapped = False

    @property
    def codes(self) -> list[Reason]:
        own: list[Reason] = ["arguments_unwrapped"] if self.unwrapped else []
        return super().codes + own

    def _wraps(self, key: str) -> bool:
        if key not in _WRAPPERS or self._node.schema.get("additionalProperties"):
            return False
        declared = properties(self._node.schema)
        return bool(declared) and key not in declared

    def _passes(self, value: Any) -> bool:
        if not self._frames and isinstance(value, dict):
            key = next(iter(value), "")
            if isinstance(value.get(key), dict) and self._wraps(key):
                return False
        return super()._passes(value)

    def _end_key(self) -> None:
        key = "".join(self._key or ())
        first = len(self._frames) == 1 and not self._frames[0].keys and not self._inner
        if not first or not self._wraps(decoded(key)):
            super()._end_key()
            return
        self._key, self._wrapper, self._gap = None, key, ""
        self._state = self._behind_wrapper

    def _behind_wrapper(self, text: str, place: int) -> int:
        """Behind the key: an object is taken for the arguments, anything else is its value."""
        letter = text[place]
        if letter in " \t\r\n" or (letter == ":" and ":" not in self._gap):
            self._gap += letter
            return place + 1
        if letter == "{":
            self._inner = self.unwrapped = True
            self._state = self._member
            return place + 1
        self._key = [self._wrapper]
        super()._end_key()
        if ":" in self._gap:
            self._put(self._gap)
            self._state = self._value
        return place

    def _closer(self, text: str, place: int) -> int:
        if not self._inner or len(self._frames) > 1 or text[place] != "}":
            return super()._closer(text, place)
        if self._state == self._value:  # a key without its value
            self._guess(place)
            self._put("null")
        self._inner = False
        self._drop_comma()
        self._state = self._after if self._frames[0].keys else self._member
        return place + 1
