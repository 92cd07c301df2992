"""The arguments of a call that a model writes as one JSON value, made one JSON object while they come.

What has been returned is always a prefix of one JSON object. Arguments that cannot be read without inventing something
are *unreadable*: from there on nothing is returned, and nothing is closed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from converters.text.expectations import Expectations, Schema
from converters.text.reasons import Reason
from converters.values.json.behind import Follow
from converters.values.json.output import Flow, quote
from converters.values.json.reader import JsonReader, strict
from converters.values.json.words import USUAL, Spelling
from converters.values.schema import Node, required
from converters.values.typed import SchemaPolicy, fits, kind_of, typed, unwrapped, wrappers

_WRAPPER = re.compile(r"""\s*\{\s*(["']?)([a-z]+)\1\s*:\s*\{""")
_HALF_WRAPPER = re.compile(r"""\s*(?:\{\s*(?:["']?([a-z]*)(?:(?<=[a-z])["']?\s*(?::\s*)?)?)?)?""")


def json_arguments(
    expectations: Expectations,
    name: str,
    spelling: Spelling = USUAL,
    follow: Follow = "row",
    ends_at: Sequence[str] = (),
) -> JsonArguments:
    """The reader for arguments of a tool that a model writes as JSON.

    `follow`: what may stand behind them. `ends_at`: the markers that end them though closers are missing.
    """
    reader = JsonArguments if expectations.heal else VerbatimArguments
    return reader(expectations.schema(name), spelling, follow, expectations.stops, ends_at)


class JsonArguments:
    """Reads arguments that the model wrote as one JSON value: `feed` returns the JSON that can be emitted.

    An object is emitted as it comes. Any other value is held and made an object at its end: the object inside a
    string, an object of the only required property, or an empty object. `done` says that the value has ended, or that
    it is `unreadable`; `rest` is the text behind it, or from where it cannot be read on. While it is not done, `rest`
    is what was not taken of the last piece, and is to be fed again: what stands behind a value that may go on. `back`
    is what stands before the `rest` of unreadable arguments in earlier pieces.
    """

    __slots__ = (
        *(
            "back",
            "_code",
            "_ends_at",
            "_follow",
            "_held",
            "_is_object",
            "_node",
            "_raw",
            "_reader",
            "_schema",
            "_spelling",
            "_start",
        ),
        *("_stops", "_wrappers", "done", "rest", "unreadable"),
    )

    def __init__(
        self,
        schema: Schema,
        spelling: Spelling = USUAL,
        follow: Follow = "row",
        stops: bool = False,
        ends_at: Sequence[str] = (),
    ) -> None:
        """`stops`: the text may end anywhere, though the model stopped by itself. `ends_at`: the markers that end the
        arguments though closers are missing."""
        self._schema = schema
        self._node = Node(schema)
        self._spelling = spelling
        self._follow: Follow = follow
        self._ends_at = ends_at
        self._stops = stops
        self._reader = self._new_reader(self._node)
        self._wrappers = self._possible_wrappers()
        self._start: str | None = "" if self._wrappers else None  # what may begin with a wrapper; None: it does not
        self._raw: list[str] | None = None  # the text of arguments that may stand in a wrapper
        self._is_object = False
        self._held = ""  # strict JSON, until it is known whether it is an object
        self._code: Reason | None = None
        self.done = False
        self.unreadable = False
        """Whether they cannot be delivered: open at the end, or not to be read without inventing something."""
        self.rest = self.back = ""

    @property
    def undecided(self) -> int:
        """How many characters were taken that nothing was made of yet."""
        return len(self._start or "") + self._reader.undecided

    def _new_reader(self, node: Node) -> JsonReader:
        return JsonReader(SchemaPolicy(node), self._spelling, self._follow, self._ends_at)

    def _possible_wrappers(self) -> frozenset[str]:
        return wrappers(self._node)

    @property
    def codes(self) -> list[Reason]:
        """The reason codes of what was done to them."""
        return [*self._reader.codes, *([self._code] if self._code else [])]

    @property
    def closed(self) -> bool:
        """Whether closers that the model did not write were added."""
        return self._reader.repairs.unclosed

    @property
    def fits(self) -> bool:
        """Whether their first thing fits: a key with its colon, an object's end, or a whole value that is no object."""
        if self._raw is not None:
            return False  # nothing of them is emitted either
        return self._reader.begun if self._is_object else self.done and not self.unreadable

    @property
    def flow(self) -> Flow | None:
        """The short way inside a string that is emitted as it comes; None elsewhere."""
        return self._reader.flow if self._is_object else None

    def feed(self, text: str) -> str:
        if self._start is not None:
            text = self._start = self._start + text
            if self._may_be_wrapped(text):
                return ""
            self._start = None
        if self._raw is not None:
            return self._feed_wrapped(text)
        return self._emitted(self._reader.feed(text))

    def finish(self) -> str:
        """The text is over. Returns what is still to be emitted; nothing if they are unreadable."""
        if self.done:
            return ""
        out = ""
        if self._start:
            start, self._start = self._start, None
            out = self._emitted(self._reader.feed(start))
            if self.done:
                return out
        if self._raw is not None:
            self._held += self._reader.finish(self._stops)
            return self._end_wrapped(finishing=True)
        return out + self._emitted(self._reader.finish(self._stops), finishing=True)

    # -- arguments in a wrapper that the tool does not declare -------------------------------------------------------

    def _may_be_wrapped(self, text: str) -> bool:
        """Whether more text must tell if a wrapper opens here. If one does, the arguments are held from here on."""
        found = _WRAPPER.match(text)
        if found and found[2] in self._wrappers:
            self._raw = []
            self._reader = self._new_reader(Node({"properties": {found[2]: self._schema}}, self._schema))
            return False
        half = None if found else _HALF_WRAPPER.fullmatch(text)
        return half is not None and any(wrapper.startswith(half[1] or "") for wrapper in self._wrappers)

    def _feed_wrapped(self, text: str) -> str:
        assert self._raw is not None
        self._held += self._reader.feed(text)
        over = self._reader.done or self._reader.unreadable
        self.rest = self._reader.rest
        self._raw.append(text if over else text[: len(text) - len(self.rest)])
        return self._end_wrapped() if over else ""

    def _end_wrapped(self, finishing: bool = False) -> str:
        """The object around the wrapper has ended. If there is more in it, the wrapper was none: all is read again."""
        raw, self._raw = "".join(self._raw or ()), None
        inner = unwrapped(self._held.strip(), self._node) if self._reader.done else None
        self._held = ""
        if inner is not None:
            self.done, self.rest = True, self._reader.rest
            self._is_object = True
            self._code = "arguments_unwrapped"
            return inner
        self._reader = self._new_reader(self._node)
        out = self._emitted(self._reader.feed(raw))
        if finishing and not self.done:
            out += self._emitted(self._reader.finish(self._stops), finishing=True)
        return out

    # -- what is emitted ---------------------------------------------------------------------------------------------

    def _emitted(self, out: str, finishing: bool = False) -> str:
        """What can be emitted of the strict JSON that the reader has returned."""
        reader = self._reader
        self.unreadable = reader.unreadable
        self.done = reader.done or reader.unreadable
        self.rest, self.back = reader.rest, reader.back
        if not self._is_object:
            self._held = (self._held + out).lstrip()
            self._is_object = self._held.startswith("{")
            if not self._is_object:
                return self._as_object(self._held.rstrip()) if reader.done else ""
            out, self._held = self._held, ""
        return out.rstrip() if self.done and not self.unreadable else out

    def _as_object(self, value: str) -> str:
        """The object made of a value that is none, if anything tells which."""
        if value in ("null", '""') or (not value and not self._stops):
            return "{}"
        if value.startswith('"'):
            inner = strict(json.loads(value), lenient=True)
            if inner is not None and inner.startswith("{"):
                self._code = "arguments_retyped"
                inner = typed(inner, self._node)
                return unwrapped(inner, self._node) or inner
        names = required(self._schema)
        if value and len(names) == 1:
            wrapped = typed(f"{{{quote(names[0])}: {value}}}", self._node)
            kinds = self._node.member(names[0]).kinds
            kind = kind_of(wrapped[wrapped.index(": ", len(quote(names[0]))) + 2 : -1])
            if not kinds or fits(kind, kinds):
                self._code = "arguments_wrapped"
                return wrapped
        self.unreadable = True
        return ""


class VerbatimArguments(JsonArguments):
    """With HEAL=off: emits arguments as the model wrote them. What is no JSON object then cannot be delivered."""

    __slots__ = ("_text",)

    def __init__(
        self,
        schema: Schema,
        spelling: Spelling = USUAL,
        follow: Follow = "row",
        stops: bool = False,
        ends_at: Sequence[str] = (),
    ) -> None:
        super().__init__(schema, spelling, follow, stops, ends_at)
        self._text = ""  # until it is known whether they are an object

    def _new_reader(self, node: Node) -> JsonReader:
        return JsonReader(spelling=self._spelling, follow=self._follow, ends_at=self._ends_at)

    def _possible_wrappers(self) -> frozenset[str]:
        return frozenset()

    @property
    def codes(self) -> list[Reason]:
        return []

    @property
    def flow(self) -> Flow | None:
        repaired = super().flow
        return None if repaired is None else lambda text: None if repaired(text) is None else text

    def feed(self, text: str) -> str:
        super().feed(text)
        self._judge()
        self._text += text[: len(text) - len(self.rest)]
        if self.unreadable or not self._is_object:
            return ""
        text, self._text = self._text, ""
        return text

    def finish(self) -> str:
        super().finish()
        self._judge()
        return ""

    def _judge(self) -> None:
        repairs = self._reader.repairs
        if repairs.altered or repairs.duplicate_key or (self.done and not self._is_object):
            self.unreadable = self.done = True
