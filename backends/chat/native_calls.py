"""Tool calls that the server sent as such, in one choice: read, and put in order where they are not right.

Right is what breaks no client: each call has an index of its own, counted from 0, one id that nobody else has, its
name once, and arguments that are text; one call ends before the next begins. `as_received` tells whether what was read
last was right, so that its bytes may pass. It may not know how a dialect writes calls.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from backends.chat.halves import has_half, joined
from backends.chat.large import pieces_of
from backends.chat.native_call import NativeCall, entries_of, is_index, is_object, text_or_empty
from backends.chat.native_markup import arguments_in_markup, name_and_rest
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Noted
from converters.text.expectations import Expectations
from converters.text.reasons import Reason
from converters.values.writer import JsonArguments
from errors import TooMuch
from reply import Ids, ReplyEvent
from turns import MANY, Turns, in_turns
from wire.json_values import spaced

MOST_CALLS = 10_000
"""Calls of one choice."""
_LONGEST_NAME = 65_536
"""Characters of a name that comes in pieces; more of it is left out."""


class NativeCalls:
    """`read` each delta that brings calls, then `finish`. Calls are sent one after the other; later ones wait."""

    def __init__(self, expectations: Expectations | None = None, ids: Ids | None = None) -> None:
        self._expectations = expectations or Expectations()
        self._ids = ids or Ids()
        self._calls: list[NativeCall] = []
        self._turn = 0  # the call that may be sent; those behind it wait for its end
        self._by_index: dict[int, NativeCall] = {}  # the last call that goes by an index
        self._allowed = 0  # calls that are not refused
        self._behind = 0  # those of them that wait for their turn
        self._uncounted: Sequence[tuple[str, str]] = ()  # calls that the client got from the text already
        self._counted: Counter[tuple[str, str]] = Counter()  # the same, once a call has come that may be one of them
        self._first = 0  # the index of the first call
        self._events: list[ReplyEvent] = []
        self._mixed = False  # part of what waits was sent already
        self.as_received = True
        """What was read last needed no repair, so that its bytes may pass."""
        self.delivered = 0
        """How many calls were opened."""

    @property
    def begun(self) -> bool:
        return bool(self._calls)

    @property
    def _from_text(self) -> Counter[tuple[str, str]]:
        if self._uncounted:
            self._counted = Counter((name, _canonical(arguments)) for name, arguments in self._uncounted)
            self._uncounted = ()
        return self._counted

    @property
    def demanded(self) -> bool:
        """`tool_choice` demands a call."""
        return self._expectations.choice == "required"

    @property
    def waiting(self) -> bool:
        """Something was read and not yet sent."""
        return self._behind > 0 or (self._turn < len(self._calls) and self._calls[self._turn].waiting)

    def already_sent(self, calls: Iterable[tuple[str, str]]) -> None:
        """The client got these calls (name, arguments) from the text: the same ones are not sent again."""
        self._uncounted = tuple(calls)
        self._first = len(self._uncounted)

    def read(self, delta: Mapping[str, Any], whole: bool = False) -> list[ReplyEvent]:
        """The events of a delta. A `whole` message has all calls at once, and they need no index."""
        entries = entries_of(delta)
        named = "tool_calls" if delta.get("tool_calls") else "function_call"
        self.as_received = not self._mixed
        if not (whole or len(entries) == 1):
            self._repaired("native_form")
        for at, entry in enumerate(in_turns(entries)):
            if is_object(entry):
                self._read_entry({**entry, "index": at} if whole else entry, named == "function_call")
            else:
                self._repaired("native_form")
        if not whole:
            self._advance()
        return self._taken()

    def finish(self, cut: bool) -> list[ReplyEvent]:
        """End all calls. Arguments that never came become an empty object, unless max_tokens cut them."""
        self.as_received = not self._mixed
        if not (self._calls or self._events):
            return []  # by far the most answers
        self._advance(ended=True, cut=cut)
        return self._taken()

    def _taken(self) -> list[ReplyEvent]:
        self._mixed = self.waiting and (bool(self._events) or not self.as_received)
        events, self._events = self._events, []
        return events

    def _repaired(self, code: Reason) -> None:
        self.as_received = False
        self._events.append(Noted(code))

    # -- which call an entry belongs to ------------------------------------------------------------------------------

    def _read_entry(self, entry: Mapping[str, Any], legacy: bool) -> None:
        function = entry["function"] if is_object(entry.get("function")) else {}
        name, given = text_or_empty(function.get("name")), text_or_empty(entry.get("id"))
        arguments = self._arguments(function.get("arguments"))
        call = self._call_at(entry.get("index"))
        if call is None or self._begins_call(call, given, name, arguments):
            call = self._add(entry, legacy)
        elif not legacy:
            self._check(call, entry, function)
        self.as_received = self.as_received and call.refusal is None
        call.id = call.id or given
        if not call.opened and name != call.name and len(call.name) < _LONGEST_NAME:
            call.name += name
        if call.half or has_half(arguments):
            arguments, call.half = joined(call.half + arguments)
            self._repaired("surrogate_half")
        if arguments and call.place >= self._turn:
            call.body.append(arguments)
            if call.flows is None and not arguments.isspace():
                call.flows = arguments.lstrip().startswith("{")

    def _call_at(self, given_index: object) -> NativeCall | None:
        """The last call with that index, or the last of all where the server gave none."""
        if isinstance(given_index, int) and is_index(given_index):
            return self._by_index.get(given_index)
        return self._calls[-1] if self._calls else None

    def _goes_by(self, call: NativeCall, index: int) -> None:
        """A call has an index; of several with the same one the last is meant."""
        other = self._by_index.get(index)
        if other is None or other.place < call.place:
            self._by_index[index] = call

    def _begins_call(self, call: NativeCall, given: str, name: str, arguments: str) -> bool:
        """Whether an entry with the index of a call begins another one.

        A changed id does if a name comes with it. So does a name without an id, behind whole arguments or if it is
        another tool's. Some servers change the id with every delta: alone it begins a call only where a whole object
        has ended and one begins.
        """
        new_object = arguments.lstrip().startswith("{")
        if given and given != call.id and (call.id or call.complete):
            if name:
                return new_object or name != call.name or not call.body or call.complete
            return new_object and call.complete
        if given or not name or not call.name:
            return False
        other = name != call.name
        return (call.complete and bool(other or arguments)) or (
            other and call.opened and name in self._expectations.tools
        )

    def _add(self, entry: Mapping[str, Any], legacy: bool) -> NativeCall:
        place = len(self._calls)
        if place >= MOST_CALLS:
            raise TooMuch(f"The answer holds more than {MOST_CALLS} tool calls.", "too_many_calls")
        given_index = entry.get("index")
        refusal = self._expectations.refuses(self._allowed + self._first)
        call = NativeCall(place, given_index if is_index(given_index) else None, refusal, legacy)
        if call.given_index is not None:
            self._goes_by(call, call.given_index)
        if call.refusal is not None:
            self._repaired(call.refusal)
        else:
            self._allowed += 1
            self._behind += place > self._turn
        if entry.get("type") != "function" and not legacy:
            self._repaired("native_form")
        self._calls.append(call)
        return call

    def _check(self, call: NativeCall, entry: Mapping[str, Any], function: Mapping[str, Any]) -> None:
        """Note what more of a call brings besides arguments: clients join or replace what comes twice."""
        if "id" in entry:
            self._repaired("native_id")
        if "name" in function:
            self._repaired("native_name")
        elif not function.get("arguments"):
            self._repaired("native_arguments")
        if entry.get("type", "function") != "function":
            self._repaired("native_form")
        if entry.get("index") != (call.index if call.opened else call.given_index):
            self._repaired("native_index")
        if call is not self._calls[-1]:
            self._repaired("native_order")

    def _arguments(self, arguments: Any) -> str:
        if arguments is None or isinstance(arguments, str):
            return arguments or ""
        self._repaired("native_arguments")
        return spaced(arguments)

    # -- what leaves -------------------------------------------------------------------------------------------------

    def _advance(self, ended: bool = False, cut: bool = False) -> None:
        """Send the call whose turn it is, and those behind it as far as each has ended."""
        turns = Turns() if len(self._calls) - self._turn > MANY else None
        while self._turn < len(self._calls):
            if turns is not None:
                turns.take()
            call = self._calls[self._turn]
            last = call is self._calls[-1]
            if call.refusal is None and not self._from_text:
                self._send(call, named=ended or not last)
            if not ended and (last or not (call.complete or call.refusal)):
                return
            if call.refusal is None:
                self._end(call, cut and last)
            self._turn += 1
            self._behind -= not last and self._calls[self._turn].refusal is None

    def _send(self, call: NativeCall, named: bool) -> None:
        """Open the call if its name is known, and send its arguments. `named`: no more of the name can come."""
        ready = call.flows is not None or not (call.body or self._may_grow(call.name))
        if not call.opened and (named or ready):
            self._open(call)
        if call.opened and call.flows:
            self._events += [ArgumentsDelta(call.index, piece) for piece in call.body[call.sent :]]
            call.sent = len(call.body)

    def _may_grow(self, name: str) -> bool:
        """Whether it could be the first piece of a declared name. Few servers send names in pieces."""
        return not name or any(tool != name and tool.startswith(name) for tool in self._expectations.tools)

    def _open(self, call: NativeCall) -> None:
        name, rest = name_and_rest(call.name, self._expectations)
        if not name:
            return
        if not self._expectations.allows(name):
            self._refuse(call, "choice_none", "choice_other")
            return
        if name != call.name:
            self._repaired("native_name")
        if rest:
            call.begin_with(rest)
            call.flows = False
        call.name, call.index = name, self._first + self.delivered
        if call.given_index is None:
            self._goes_by(call, call.index)
        if call.given_index != call.index and not call.legacy:
            self._repaired("native_index")
        final_id = self._ids.take(call.id)
        if final_id != call.id and not call.legacy:
            self._repaired("native_id")
        self.delivered += 1
        self._events.append(CallStart(call.index, name, final_id))

    def _end(self, call: NativeCall, cut: bool) -> None:
        """End the call. Arguments that were held are sent now, as an object unless max_tokens cut them."""
        if self._is_repeated(call):
            self._refuse(call, "echo", "echo")
            return
        if call.half:
            call.body.append("\ufffd")
        self._send(call, named=True)
        if call.refusal is not None:
            return
        if not call.opened:
            self._refuse(call, "native_name", "native_name")  # a call without a name cannot be run
        elif not call.flows and (call.body or not cut):
            self._repaired("native_arguments")
            self._events.append(ArgumentsDelta(call.index, call.text if cut else self._object(call)))
            call.sent = len(call.body)
        if call.opened:
            self._events.append(CallEnd(call.index, how="cut" if cut else "complete"))

    def _is_repeated(self, call: NativeCall) -> bool:
        """Whether the client got this call from the text already; each of those counts once."""
        same = call.name, _canonical(call.text) if self._from_text else ""
        if same not in self._from_text:
            return False
        self._from_text[same] -= 1
        if not self._from_text[same]:
            del self._from_text[same]
        return True

    def _refuse(self, call: NativeCall, refusal: Reason, code: Reason) -> None:
        """A call whose turn it is does not leave after all."""
        call.refusal = refusal
        self._allowed -= 1
        self._repaired(code)

    def _object(self, call: NativeCall) -> str:
        if not call.text.strip():
            return "{}"
        schema = self._expectations.schema(call.name)
        found = arguments_in_markup(call.name, call.text, schema)
        if found is not None:
            return found
        reader = JsonArguments(schema)
        made = ""
        for piece in pieces_of(call.text):
            made += reader.feed(piece)
            if reader.done:
                break
        made = made if reader.done else made + reader.finish()
        if reader.unreadable:
            self._repaired("arguments_unreadable")
            return call.text  # the server's own: nothing is made of them
        return made


def _canonical(arguments: str) -> str:
    """Arguments as text that is the same for all spellings of one JSON value; empty if they are none."""
    try:
        return json.dumps(json.loads(arguments, parse_float=_number), sort_keys=True)
    except (ValueError, RecursionError):
        return ""


def _number(spelled: str) -> float | int:
    number = float(spelled)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
