"""Shape A: a marker, then JSON that carries the name. Hermes, LM Studio's default, Granite, older Mistral ...

The object is read member by member. Once the name is known the call begins, and its arguments flow as they are
written; arguments that stand before the name wait for it. What does not read as a call's object was never a call.
"""

from __future__ import annotations

import json
import re

from converters.shapes.machine import CallContext, CallsParser, Opener, StateParser
from converters.syntaxes import Syntax
from converters.text.expectations import Expectations
from converters.text.scanner import NAME, Lookahead, Pattern, first_token, loosened, tokens
from converters.values.json.output import Flow
from converters.values.json.reader import JsonReader
from converters.values.json.words import KEY, USUAL
from converters.values.writer import JsonArguments, json_arguments

_NAMES = frozenset({"name", "tool_name"})
_ARGUMENTS = frozenset({"arguments", "parameters", "args", "input"})
_IDS = frozenset({"id", "tool_call_id", "call_id"})
_WRAPPERS = frozenset({"function", "tool_call"})
_KNOWN = _NAMES | _ARGUMENTS | _IDS | _WRAPPERS | {"type", "index"}

_LONGEST = 256
"""Longest key or name accepted, in characters."""

_BRACKETS = re.compile(r"[\s\[]*")
_BEFORE_KEY = re.compile(r"(?:[\s,]|\\[nrt])*")
_COLON = re.compile(r"(?:\s|\\[nrt])*:(?:\s|\\[nrt])*")
_COMMENTS = {"//": "\n", "#": "\n", "/*": "*/"}
_FENCE = "```"
_FENCES = "⟦\n```json¦\n```¦⟧"
_SURPLUS = ("}", "]", ",", ";")
"""What models write behind an object, too many or between two, and what closes nothing."""
_NAME = re.compile(NAME)


class JsonObjectGrammar:
    """A row of this shape, made ready for reading. Every row may write one object, several, or an array of them."""

    def __init__(self, syntax: Syntax) -> None:
        self.syntax = syntax
        groups = [group.partition("{calls}") for group in (syntax.group, *syntax.also_group)]
        samples = [call.partition("{object}") for call in (syntax.call, *syntax.also_call)]
        heads = [(opens + head).rstrip("[\n ") for opens, _, _ in groups for head, _, _ in samples]
        feet = [tokens((foot + closes).lstrip("]\n")) for _, _, closes in groups for _, _, foot in samples]
        self.closes_twice = any(len(foot) > 1 for foot in feet)
        self.closers = [closer for foot in feet for closer in foot]
        self.entries = [
            Opener(first_token(head) or "{", Pattern(loosened(f"{head}{_FENCES}⟦\n[¦⟧\n"), then=["{"]), explicit=True)
            for head in heads
        ]
        self.empty_groups: dict[str, Pattern] = {}
        self.behind_closer = Lookahead(self.closers)
        self.after_object = Lookahead([*self.closers, "{", *_SURPLUS])
        self.after_fenced = Lookahead([*self.closers, "{", *_SURPLUS, _FENCE])

    def parser(self, context: CallContext, expectations: Expectations) -> CallsParser:
        return JsonObjectParser(self, context, expectations)


class JsonObjectParser(StateParser):
    """Reads one run of objects, most often one."""

    def __init__(self, grammar: JsonObjectGrammar, context: CallContext, expectations: Expectations) -> None:
        super().__init__(context)
        self._grammar = grammar
        self._expectations = expectations
        self._out.own(context.raw)
        self._fenced = _FENCE in context.raw and _FENCE not in grammar.syntax.call
        self._after_object = grammar.after_fenced if self._fenced else grammar.after_object
        self._comment_end = ""
        self._begin()

    def _begin(self) -> None:
        self._name = self._written = ""
        self._id: str | None = None
        self._depth = 0
        self._key = ""
        self._fresh = True  # no key has been read yet
        self._odd = self._fenced  # the object around name and arguments is not quite JSON
        self._small = JsonReader()  # the key or the small value that is being read, and what it reads as
        self._small_text = ""
        self._arguments: JsonArguments | None = None
        self._early = ""  # arguments that came before it was sure that this is a call of a known name
        self._state = self._brace

    def _cut_off(self, left: str) -> None:
        if self._state == self._closed:
            self.rest = left
        elif self._state == self._after and self._out.open and not self._grammar.closers:
            self._out.end()
            self.rest = left
        elif self._name:
            self._start()
            self._out.end("cut", left)
        else:
            self._out.removed(left, "cut")

    # -- the states --------------------------------------------------------------------------------------------------

    def _brace(self) -> bool:
        """Before an object's brace."""
        brackets = _BRACKETS.match(self._buffer, self._pos)
        assert brackets
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
        has_all = self._out.open and self._arguments is not None
        if self._context.whole or not self._name or not (has_all or marker in self._grammar.closers):
            return self._abandon()
        self._odd = True
        return self._object_ended()

    def _read_key(self) -> bool:
        if not self._read():
            return self._wait_within_bounds()
        self._key = _string(self._small_text)
        self._fresh = False
        self._state = self._colon
        if self._grammar.syntax.keys == ("", "") and self._depth == 1:
            return self._named(self._key)
        if self._key not in _KNOWN and (self._context.whole or not self._name):
            return self._abandon()
        return True

    def _colon(self) -> bool:
        colon = _COLON.match(self._buffer, self._pos)
        if colon is None:
            return self._abandon() if self._buffer[self._pos :].strip() else self._wait()
        if colon.end() == len(self._buffer):
            return self._wait()
        self._out.own(self._advance(colon.end()))
        if self._key in _WRAPPERS and self._buffer[self._pos] == "{":
            self._state = self._brace
            return True
        if (self._key in _ARGUMENTS or self._key == self._name) and self._arguments is None:
            self._arguments = json_arguments(
                self._expectations, self._name, follow="member", ends_at=self._grammar.closers
            )
            self._state = self._read_arguments
            return True
        return self._read_next(self._read_value)

    def _read_value(self) -> bool:
        if not self._read():
            return self._wait_within_bounds()
        self._state = self._member
        if self._key in _IDS:
            self._id = _string(self._small_text) or None
        elif self._key in _NAMES | _WRAPPERS and not self._name:
            return self._named(_string(self._small_text))
        return True

    def _lease(self) -> Flow | None:
        arguments = self._arguments if self._state == self._read_arguments and self._out.open else None
        return arguments.flow if arguments else None

    def _read_arguments(self) -> bool:
        arguments = self._arguments
        assert arguments
        delta = arguments.feed(self._buffer[self._pos :])
        if self._finishing and not arguments.done:
            delta += arguments.finish()
            self._out.unclosed = arguments.closed or arguments.unreadable
        self._send(delta, self._advance(len(self._buffer) - len(arguments.rest)))
        if arguments.done:
            self._state = self._member
        return arguments.done

    def _after(self) -> bool:
        """Behind an object: the closing marker, another object, or braces too many."""
        found, marker, after = self._after_object.look(self._buffer, self._pos)
        if found == Lookahead.YET and not self._finishing:
            return False
        if marker in _SURPLUS or marker == _FENCE:
            self._out.own(self._advance(after))
            return True
        closed = marker in self._grammar.closers
        if not self._out.open:
            alone = self._alone(after if closed else self._pos, self._after_object, ("{",))
            if not alone:
                return self._refuse() if alone is False else False
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
        self._send("", "")
        return True

    def _send(self, delta: str, raw: str) -> None:
        """Arguments leave once the call has begun: at once if its name is declared, else at its first argument."""
        if self._out.open:
            self._out.arguments(delta, raw)
            return
        self._out.own(raw)
        self._early += delta
        if self._name and (self._name in self._expectations.tools or '"' in self._early):
            self._start()

    def _start(self) -> None:
        if not self._out.open:
            self._refusable = False
            self._out.start(self._name, self._id, written=self._written)
            self._out.arguments(self._early)

    def _close_object(self) -> bool:
        self._depth -= 1
        self._out.own(self._advance(self._pos + 1))
        if self._depth:
            return True
        return self._object_ended() if self._name else self._abandon()

    def _object_ended(self) -> bool:
        if self._arguments is None:
            self._send("{}", "")
        self._state = self._after
        return True

    def _end_call(self, raw: str) -> None:
        arguments = self._arguments
        unreadable = arguments is not None and arguments.unreadable
        if self._odd:
            self._out.note("call_repaired")
        self._out.end("closed" if unreadable else "complete", raw, arguments.codes if arguments else ())

    def _wait_within_bounds(self) -> bool:
        """Wait for more of a key or a name, unless it is longer than any is."""
        too_long = len(self._small_text) > _LONGEST and not self._out.open
        return self._abandon() if too_long else self._wait()

    def _wait(self) -> bool:
        """Wait for more text. If there is none, the model stopped inside the object."""
        if not self._finishing:
            return False
        if self._out.open:
            self._out.own(self._advance(len(self._buffer)))
        return self._abandon()

    def _abandon(self) -> bool:
        """The object is not a call's, or not any longer: end the call if one has begun, else refuse."""
        if self._context.whole:
            return self._refuse()
        if self._out.open:
            if self._arguments is None:
                self._out.arguments("{}")
                self._out.end("closed")
            else:
                self._end_call("")
        elif self._refusable:
            return self._refuse()
        else:
            self._buffer = self._out.unowned() + self._buffer[self._pos :]
            self._pos = 0
        return self._end_run()


def _string(text: str) -> str:
    """The string that a JSON text spells; empty for anything else."""
    return str(json.loads(text)) if text.startswith('"') else ""
