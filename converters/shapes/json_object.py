"""Shape A: a marker, then JSON that carries the name. Hermes, LM Studio's default, Granite, older Mistral ...

The object is read member by member. Once the name is known and the arguments fit, the call opens, and its arguments
flow as they are written; arguments that stand before the name wait for it. What does not read as a call's object was
never a call, nor is a declaration: an object with a description before its arguments, or with keys of its own instead.
"""

from __future__ import annotations

import re

from converters.shapes.json_object_markers import FENCE, SURPLUS, JsonObjectMarkers, string_of
from converters.shapes.machine import CallContext, CallsParser, StateParser
from converters.shapes.opening import OpeningArguments
from converters.text.expectations import Expectations
from converters.text.reasons import Reason
from converters.text.scanner import BLANK, NAME, Lookahead, folded
from converters.values.json.output import Flow
from converters.values.json.reader import JsonReader
from converters.values.json.words import KEY, USUAL
from converters.values.writer import json_arguments

_NAMES = frozenset({"name", "tool_name", "tool", "action"})
_ARGUMENTS = frozenset({"arguments", "parameters", "args", "input", "action_input"})
_IDS = frozenset({"id", "tool_call_id", "call_id"})
_WRAPPERS = frozenset({"function", "tool_call"})
_KNOWN = _NAMES | _ARGUMENTS | _IDS | _WRAPPERS | {"type", "index"}

_LONGEST = 256
"""Longest key or name accepted, in characters."""

_BRACKETS = re.compile(rf"(?:{BLANK}|\[)*")
_BEFORE_KEY = re.compile(rf"(?:{BLANK}|,|\\[nrt])*")
_COLON = re.compile(rf"(?:{BLANK}|\\[nrt])*:(?:{BLANK}|\\[nrt])*")
_HALF_COLON = re.compile(rf"(?:{BLANK}|\\[nrt])*\\?\Z")
_COMMENTS = {"//": "\n", "#": "\n", "/*": "*/"}
_NAME = re.compile(NAME)
_NEXT_OBJECT = re.compile(rf',{BLANK}*(?=\{{{BLANK}*"(?:{"|".join(sorted(_NAMES | _IDS))})"{BLANK}*:)')
_HALF_NEXT_OBJECT = re.compile(rf',{BLANK}*(?:\{{{BLANK}*(?:"\w{{0,16}}(?:"{BLANK}*)?)?)?\Z')


class JsonObjectGrammar(JsonObjectMarkers):
    """A row of this shape, made ready for reading."""

    def parser(self, context: CallContext, expectations: Expectations) -> CallsParser:
        return JsonObjectParser(self, context, expectations)


class JsonObjectParser(StateParser):
    """Reads one run of objects, most often one."""

    def __init__(self, grammar: JsonObjectGrammar, context: CallContext, expectations: Expectations) -> None:
        super().__init__(context, expectations)
        self._grammar = grammar
        self._out.own(context.raw)
        self._fenced = FENCE in context.raw and FENCE not in grammar.syntax.call
        self._after_object = grammar.after_fenced if self._fenced else grammar.after_object
        self._comment_end = ""
        self._listed = context.raw.rstrip().endswith("[")  # the objects stand in a list
        self._begin()

    def _begin(self) -> None:
        self._name = self._written = ""
        self._id: str | None = None
        self._depth = 0
        self._key = ""
        self._fresh = True  # no key has been read yet
        self._others = False  # it has members that are no part of a call
        self._odd = self._fenced  # the object around name and arguments is not quite JSON
        self._small: JsonReader  # the key or the small value that is being read, and what it reads as
        self._small_text = ""
        self._arguments: OpeningArguments | None = None
        self._unnamed: list[str] = []  # arguments that came before the name
        self._state = self._brace

    def _cut_off(self, left: str) -> None:
        if self._state in (self._closed, self._skip):
            self.rest = left
        elif self._state == self._after and self._out.open and not self._grammar.closers:
            is_surplus = left.strip() == "]"
            self._out.end(raw=left if is_surplus else "")
            self.rest = "" if is_surplus else left
        elif self._name:
            if not self._out.open:
                self._open()
                self._out.arguments(self._arguments.early() if self._arguments is not None else "")
            self._out.end("cut", left)
        else:
            self._out.removed(left, "cut")

    # -- the states --------------------------------------------------------------------------------------------------

    def _brace(self) -> bool:
        """Before an object's brace."""
        brackets = _BRACKETS.match(self._buffer, self._pos)
        assert brackets
        self._listed = self._listed or "[" in brackets.group()
        self._out.own(self._advance(brackets.end()))
        if self._pos == len(self._buffer):
            return self._wait()
        if self._buffer[self._pos] != "{":
            return self._abandon()
        self._depth += 1
        self._out.own(self._advance(self._pos + 1))
        self._state = self._member
        return True

    def _member(self) -> bool:
        """Before a key, or a closing brace."""
        spaces = _BEFORE_KEY.match(self._buffer, self._pos)
        assert spaces
        self._out.own(self._advance(spaces.end()))
        if self._pos == len(self._buffer):
            return self._wait()
        char = self._buffer[self._pos]
        if char == "}":
            return self._close_object()
        if char in "\"'\\_" or char.isalpha():
            return self._read_next(self._read_key)
        if char in "/#":
            return self._open_comment()
        if char == "{" and self._fresh and not self._context.whole:  # doubled, as in a format string
            self._odd = True
            self._out.own(self._advance(self._pos + 1))
            return True
        return self._brace_missing()

    def _open_comment(self) -> bool:
        opener = self._buffer[self._pos] if self._buffer[self._pos] == "#" else self._buffer[self._pos :][:2]
        if opener == "/" and not self._finishing:
            return False
        if opener not in _COMMENTS:
            return self._brace_missing()
        self._odd = True
        self._comment_end = _COMMENTS[opener]
        self._out.own(self._advance(self._pos + len(opener)))
        self._state = self._comment
        return True

    def _comment(self) -> bool:
        """Inside a comment between two members."""
        end = self._buffer.find(self._comment_end, self._pos)
        if end < 0:
            half = self._comment_end == "*/" and self._buffer.endswith("*", self._pos) and not self._finishing
            self._out.own(self._advance(len(self._buffer) - half))
            return self._wait()
        self._out.own(self._advance(end + len(self._comment_end)))
        self._state = self._member
        return True

    def _brace_missing(self) -> bool:
        """The object goes on as no object does: it is over if it holds a call, or if the closing marker stands here."""
        found, marker, _ = self._after_object.look(self._buffer, self._pos)
        if found == Lookahead.YET and not self._finishing:
            return False
        has_all = self._name and self._arguments is not None and self._arguments.done
        if self._context.whole or not self._name or not (has_all or marker in self._grammar.closers):
            return self._abandon()
        self._odd = True
        return self._object_ended()

    def _read_key(self) -> bool:
        if not self._read():
            return self._wait_within_bounds()
        self._key = string_of(self._small_text)
        self._fresh = False
        self._state = self._colon
        if self._grammar.syntax.keys == ("", "") and self._depth == 1:
            return self._next_name() if self._name else self._named(self._key)
        if self._key in _KNOWN:
            return True
        self._others = True
        declares = self._key == "description" and self._arguments is None
        return self._abandon() if self._context.whole or not self._name or declares else True

    def _next_name(self) -> bool:
        """A second key where keys are names: another call in the same object."""
        if self._arguments is None or not self._arguments.done:
            return self._abandon()
        if not self._out.open:
            self._start()
        self._end_call("")
        key = self._key
        self._begin()
        self._depth, self._fresh, self._key, self._state = 1, False, key, self._colon
        return self._named(key)

    def _colon(self) -> bool:
        colon = _COLON.match(self._buffer, self._pos)
        if colon is None:
            return self._wait() if _HALF_COLON.match(self._buffer, self._pos) else self._abandon()
        if colon.end() == len(self._buffer):
            return self._wait()
        self._out.own(self._advance(colon.end()))
        if self._key in _WRAPPERS and self._buffer[self._pos] == "{":
            self._state = self._brace
            return True
        if (self._key in _ARGUMENTS or self._key == self._written) and self._arguments is None:
            self._arguments = self._reader()
            self._state = self._read_arguments
            return True
        return self._read_next(self._read_value)

    def _read_value(self) -> bool:
        if not self._read():
            return self._wait_within_bounds()
        self._state = self._member
        if self._key in _IDS:
            self._id = string_of(self._small_text) or None
        elif self._key in _NAMES | _WRAPPERS and not self._name:
            return self._named(string_of(self._small_text))
        return True

    def _lease(self) -> Flow | None:
        arguments = self._arguments if self._state == self._read_arguments and self._out.open else None
        return arguments.flow if arguments else None

    def _reader(self) -> OpeningArguments:
        schema = self._expectations.schema(self._name)
        is_declared = self._name in self._expectations.tools
        reader = json_arguments(self._expectations, self._name, follow="member", ends_at=self._grammar.closers)
        return OpeningArguments(reader, schema, is_declared=is_declared)

    def _read_arguments(self) -> bool:
        arguments = self._arguments
        assert arguments
        delta, raw, left_open = self._read_on(arguments)
        if left_open:
            self._out.unclosed = arguments.closed
        if not self._name:
            self._unnamed.append(raw)
        self._send(delta, raw)
        if arguments.refused and self._name:
            return self._abandon(arguments.because)
        if arguments.unreadable:
            return self._end_unreadable(arguments)
        if arguments.done:
            self._state = self._member
        return arguments.done

    def _end_unreadable(self, arguments: OpeningArguments) -> bool:
        if not self._out.open:
            return self._abandon()
        self._out.end("unreadable")
        self._state = self._skip
        return self._listed or self._end_run()

    def _skip(self) -> bool:
        """Behind a member of a list that is no call: its rest is text, up to the next member that may be one."""
        found = _NEXT_OBJECT.search(self._buffer, self._pos)
        closer = self._grammar.any_closer.search(self._buffer, self._pos)
        if found and not (closer and closer.start() < found.start()):
            self._out.text(self._advance(found.end()))
            self._begin()
            return True
        if closer and (folded(closer.group()) in self._grammar.closers or self._finishing):
            self._out.text(self._advance(closer.end()))
            return self._end_run()
        half = _HALF_NEXT_OBJECT.search(self._buffer, self._pos)
        ends = [each.start() for each in (closer, half) if each and not self._finishing]
        self._out.text(self._advance(min([*ends, len(self._buffer)])))
        return self._end_run() if self._finishing else False

    def _after(self) -> bool:
        """Behind an object: the closing marker, another object, or braces too many."""
        found, marker, after = self._after_object.look(self._buffer, self._pos)
        if found == Lookahead.YET and not self._finishing:
            return False
        if marker in SURPLUS or marker == FENCE:
            surplus = self._is_surplus(after)
            if surplus:
                self._out.own(self._advance(after))
            if surplus is not False:
                return surplus is True
            marker = ""
        closed = marker in self._grammar.closers
        if not self._out.open:
            declared = self._name in self._expectations.tools
            alone = declared or self._alone(after if closed else self._pos, self._after_object, ("{",))
            if not alone:
                return self._refuse("undeclared_left") if alone is False else False
            self._start()
        self._end_call(self._advance(after) if closed else "")
        if closed and self._grammar.closes_twice:
            self._state = self._closed
            return True
        if marker != "{":
            return self._end_run()
        self._begin()
        self._out.own(self._advance(after - 1))
        return True

    def _closed(self) -> bool:
        """Behind a closing marker: perhaps another one."""
        found, _, after = self._grammar.behind_closer.look(self._buffer, self._pos)
        if found == Lookahead.FOUND:
            self._out.own(self._advance(after))
            self._out.removed()
            return True
        return False if found == Lookahead.YET and not self._finishing else self._end_run()

    # -- what the states do ------------------------------------------------------------------------------------------

    def _read_next(self, state: StateParser.State) -> bool:
        self._small = JsonReader(spelling=KEY if state == self._read_key else USUAL)
        self._small_text = ""
        self._state = state
        return True

    def _read(self) -> bool:
        """Read on in a key or a small value; whether it has ended."""
        self._small_text += self._small.feed(self._buffer[self._pos :])
        self._out.own(self._advance(len(self._buffer) - len(self._small.rest)))
        self._odd = self._odd or self._small.repairs.altered
        return self._small.done

    def _named(self, name: str) -> bool:
        declared = self._expectations.declared(name)
        doubtful = self._context.whole or self._grammar.syntax.declared_only or not _NAME.fullmatch(name.strip())
        if declared is None and doubtful:
            return self._abandon()
        self._name = declared or name.strip()
        self._written = name.strip()
        if self._arguments is None:
            return True
        self._arguments = self._reader()  # what was read without knowing the schema is read again
        delta = self._arguments.feed("".join(self._unnamed))
        if not self._arguments.done:
            delta += self._arguments.finish()
        self._send(delta, "")
        return self._abandon(self._arguments.because) if self._arguments.refused else True

    def _send(self, delta: str, raw: str) -> None:
        """Arguments leave once the call opens."""
        if self._out.open:
            self._out.arguments(delta, raw)
            return
        self._out.own(raw)
        if self._name and self._arguments is not None and self._arguments.opens:
            self._open()
            self._out.arguments(delta)

    def _open(self) -> None:
        self._refusable = False
        self._out.start(self._name, self._id, written=self._written)

    def _start(self) -> None:
        """Open the call with what is known of its arguments."""
        self._open()
        self._out.arguments(self._arguments.early() if self._arguments is not None else "{}")

    def _close_object(self) -> bool:
        self._depth -= 1
        self._out.own(self._advance(self._pos + 1))
        if self._depth:
            return True
        return self._object_ended() if self._name else self._abandon()

    def _object_ended(self) -> bool:
        if self._arguments is None and self._others:
            return self._abandon()  # its members are not the parts of a call
        self._state = self._after
        return True

    def _end_call(self, raw: str) -> None:
        if self._odd:
            self._out.note("call_repaired")
        self._out.end("complete", raw, self._arguments.codes if self._arguments is not None else ())

    def _wait_within_bounds(self) -> bool:
        """Wait for more of a key or a name, unless it is longer than any is."""
        too_long = len(self._small_text) > _LONGEST and not self._out.open
        return self._abandon() if too_long or self._small.unreadable else self._wait()

    def _wait(self) -> bool:
        """Wait for more text. If there is none, the model stopped inside the object."""
        if not self._finishing:
            return False
        may_close = not (self._context.whole and self._expectations.stops)
        if may_close and self._name and self._arguments is not None and self._arguments.done:
            self._odd = True
            self._out.own(self._advance(len(self._buffer)))
            return self._object_ended()
        if self._out.open:
            self._out.own(self._advance(len(self._buffer)))
        return self._abandon()

    def _abandon(self, because: Reason | None = None) -> bool:
        """The object is not a call's, or not any longer: end the call if one has begun, else refuse."""
        if self._context.whole or not (self._out.open or self._listed):
            return self._refuse(because)
        if not self._out.open:
            self._out.note(because or "object_left")
            self._refusable = False
            self._out.text(self._out.unowned())
            self._state = self._skip
            return True
        self._end_call("")
        return self._end_run()
