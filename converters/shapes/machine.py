"""What all shapes share: how a run of calls is entered, what its parser may do, and how its events are made.

A grammar is a row made ready for reading: the openers that betray it and the entries that confirm it. A parser reads
one run of calls and owns every character from the opener on. `feed` and `finish` return events; then

    over     the run has ended; `rest` is the text behind it, which belongs to nobody yet
    refused  it was no call after all, and no event has left; `rest` is all of it, the opener included
    lease    takes more of a string that leaves as it comes, past the parser: what it returns is an ArgumentsDelta

A shape may not know any marker, model or tool name: it reads the row it is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from converters.syntaxes import Syntax
from converters.text.events import (
    ArgumentsDelta,
    CallEnd,
    CallStart,
    End,
    Ending,
    Event,
    Noted,
    Reasoning,
    Removed,
    Text,
)
from converters.text.expectations import Expectations
from converters.text.reasons import Reason
from converters.text.scanner import Lookahead, only_more_space
from converters.text.templates import Pattern
from converters.values.json.output import Flow

_BRACKET_TOKENS = ("]~b]", "]<]")
"""What special tokens begin with that begin with a bracket: behind JSON that bracket is not one too many."""

_LINE_END = re.compile(r"[ \t]*\r?\n")

_MOST_UNDECIDED = 512
"""Characters that are kept to be given back."""


@dataclass(frozen=True, slots=True)
class CallContext:
    """Where a run of calls begins."""

    raw: str
    name: str = ""
    id: str | None = None
    grouped: bool = False
    """The row's group marker stands before the first call, so that its name need not be declared."""
    alone: bool = True
    """Nothing but white space stands before it on its line."""
    in_reasoning: bool = False
    """It stands in the reasoning."""
    whole: bool = False
    """It has no marker, so it must be the whole message, and nothing in it may be out of place."""
    index: int = 0
    """The index of the run's first call."""


@dataclass(frozen=True, slots=True)
class Opener:
    """One way into a row: text at `opener` that fits `pattern`. Unless it is `explicit`, its name must be declared."""

    opener: str
    pattern: Pattern
    explicit: bool
    names: frozenset[str] | None = None
    """The names that alone are believed here, if not any is."""

    def believes(self, name: str, expectations: Expectations) -> bool:
        """Without its group a header could be prose, unless it names a tool. A number is a counter, and no name."""
        if self.names is not None and name not in self.names:
            return False
        return (self.explicit and not name.isdigit()) or expectations.declared(name) is not None


class Grammar(Protocol):
    @property
    def syntax(self) -> Syntax: ...

    @property
    def entries(self) -> Sequence[Opener]: ...

    @property
    def empty_groups(self) -> Mapping[str, Pattern]: ...

    @property
    def leftovers(self) -> frozenset[str]:
        """Markers that close something of this row: behind its calls they mean nothing."""
        ...

    def parser(self, context: CallContext, expectations: Expectations) -> CallsParser: ...


class CallsParser(Protocol):
    over: bool
    refused: bool
    rest: str

    def feed(self, text: str) -> list[Event]: ...

    def finish(self, end: End) -> list[Event]:
        """The text is over; `end` is STOP or CUT."""
        ...

    def lease(self) -> Flow | None:
        """Takes more of the string that is being read, until it returns None or the parser is fed."""
        ...


def why_refused(parser: CallsParser) -> Reason | None:
    """Why a parser has refused, where it knows more than that no row fits."""
    return getattr(parser, "because", None)


class CallWriter:
    """The events of a run of calls, each with its span: what was read since the last event, or is named with it."""

    __slots__ = ("_in_reasoning", "_index", "_unowned", "events", "open", "unclosed")

    def __init__(self, index: int, *, in_reasoning: bool) -> None:
        self._index = index - 1
        self._in_reasoning = in_reasoning
        self._unowned: list[str] = []
        self.events: list[Event] = []
        self.open = False
        self.unclosed = False
        """The text ended in the arguments of the call: nothing can follow it."""

    def own(self, raw: str) -> None:
        """Add markup without a meaning of its own to the span of the next event."""
        if raw:
            self._unowned.append(raw)

    @property
    def pending(self) -> bool:
        """Markup waits for the next event to take it into its span."""
        return bool(self._unowned)

    def unowned(self, raw: str = "") -> str:
        if self._unowned:
            self._unowned.append(raw)
            raw = "".join(self._unowned)
            self._unowned.clear()
        return raw

    def start(self, name: str, call_id: str | None, raw: str = "", written: str | None = None) -> None:
        """`written` is the name as the model wrote it, if it was read as another."""
        self._index += 1
        self.open = True
        if written is not None and written != name:
            self.note("name_repaired")
        self.events.append(CallStart(self._index, name, call_id, self.unowned(raw), self._in_reasoning))

    def arguments(self, delta: str, raw: str = "") -> None:
        if delta or raw:
            self.events.append(ArgumentsDelta(self._index, delta, self.unowned(raw)))

    def note(self, *codes: Reason) -> None:
        self.events += map(Noted, codes)

    def end(self, how: Ending = "complete", raw: str = "", codes: Iterable[Reason] = ()) -> None:
        """`codes` say what had to be done to the arguments."""
        self.open = False
        if how != "unreadable":
            self.note(*codes)
        self.events.append(CallEnd(self._index, self.unowned(raw), how, self.unclosed))

    def text(self, raw: str) -> None:
        """What stands in a run of calls and belongs to none of them."""
        if raw:
            self.events.append(Reasoning(raw) if self._in_reasoning else Text(raw))

    def removed(self, raw: str = "", reason: Reason = "marker") -> None:
        self.events.append(Removed(self.unowned(raw), reason))

    def taken(self) -> list[Event]:
        events, self.events = self.events, []
        return events


class Reader(Protocol):
    """What reads the arguments of a call."""

    @property
    def done(self) -> bool: ...

    @property
    def rest(self) -> str: ...

    @property
    def back(self) -> str: ...

    @property
    def undecided(self) -> int: ...

    def feed(self, text: str) -> str: ...

    def finish(self) -> str: ...


def _over() -> bool:
    """The last state. It is no method, so the parser no longer refers to itself: nobody must look for it as garbage."""
    return False


class StateParser:
    """A parser made of states. Each consumes the buffer and returns whether to go on; False: wait for more text."""

    State = Callable[[], bool]

    def __init__(self, context: CallContext, expectations: Expectations) -> None:
        self._context = context
        self._expectations = expectations
        self._keeps = expectations.holds_calls or context.in_reasoning  # text goes on behind an unreadable call
        self._out = CallWriter(context.index, in_reasoning=context.in_reasoning)
        self._buffer = ""
        self._pos = 0
        self._given = 0  # characters of the buffer that the reader of the arguments has
        self._finishing = False
        self._fed: list[str] = []  # everything so far, kept only while the run may still be refused
        self._refusable = True
        self._looked = (0, 0)  # how far was looked behind a position for what shares a call's line
        self._state: StateParser.State
        self.over = False
        self.refused = False
        self.because: Reason | None = None
        """Why it was refused, where that is no slip of the markup."""
        self.rest = ""

    def feed(self, text: str) -> list[Event]:
        if self._refusable:
            self._fed.append(text)
        more_space = self._buffer and only_more_space(self._buffer, text)
        self._buffer += text
        if more_space:
            return []
        while not self.over and self._state():
            pass
        if self.refused:
            self.rest = self._context.raw + "".join(self._fed)
            return []
        left = self._buffer[self._pos :]
        if self.over:
            self.rest = left
            self._state = _over
        self._buffer = left
        self._pos = 0
        return self._out.taken()

    def lease(self) -> Flow | None:
        """Granted by the state, if every character read so far has left in an event."""
        return None if self._buffer or self._refusable or self.over or self._out.pending else self._lease()

    def _read_on(self, arguments: Reader) -> tuple[str, str, bool]:
        """Give what has come to a reader of arguments: (what it returns, what it has decided on of the text, whether
        the model left them open).

        What it has not decided on stays in the buffer, where text goes on behind arguments that cannot be read: it is
        given back if they cannot be read on from there.
        """
        delta = arguments.feed(self._buffer[self._pos + self._given :])
        left_open = self._finishing and not arguments.done
        if left_open:
            delta += arguments.finish()
        here = len(self._buffer) - self._pos - len(arguments.rest)  # what was taken by lease is not here
        kept = len(arguments.back) if arguments.done else arguments.undecided
        kept = min(kept, here) if self._keeps and kept <= _MOST_UNDECIDED else 0
        self._given = 0 if arguments.done else kept
        return delta, self._advance(len(self._buffer) - len(arguments.rest) - kept), left_open

    def _lease(self) -> Flow | None:
        """What reads on in the string of the arguments that is open, if one is."""
        return None

    def finish(self, end: End) -> list[Event]:
        events: list[Event] = []
        if end is End.STOP:
            self._finishing = True
            events = self.feed("")
        if not self.over:
            self.over = True
            self._cut_off(self._buffer)
        self._state = _over
        return events + self._out.taken()

    def _cut_off(self, left: str) -> None:
        """The text ended inside the run; `left` is what no state has consumed."""
        raise NotImplementedError

    def _alone(self, pos: int, own: Lookahead, calls: Collection[str]) -> bool | None:
        """Whether a call that ends at a position shares its line with nothing but its run; None if it is not known yet.

        `own` finds what belongs to the run, `calls` are those of its markers that begin a call.
        """
        if not self._refusable:
            return True
        start = pos - self._pos
        if self._looked[0] == start:
            pos = self._pos + self._looked[1]  # what was looked at before is not looked at again
        found, marker, end = own.look(self._buffer, pos)
        while found == Lookahead.FOUND and marker not in calls:
            pos = end
            found, marker, end = own.look(self._buffer, pos)
        if found == Lookahead.YET and not self._finishing:
            self._looked = start, pos - self._pos
            return None
        self._looked = (0, 0)
        line_ends = _LINE_END.match(self._buffer, pos) or not self._buffer[pos:].strip()
        return self._context.alone and (found == Lookahead.FOUND or bool(line_ends))

    def _is_surplus(self, end: int) -> bool | None:
        """Whether the bracket before a position is one too many, and not that of a token; None: not known yet."""
        if self._buffer[end - 1] != "]":
            return True
        rest = self._buffer[end - 1 : end + 3]
        if any(rest.startswith(token) for token in _BRACKET_TOKENS):
            return False
        waits = any(token.startswith(rest) for token in _BRACKET_TOKENS)
        return None if waits and not self._finishing else True

    def _advance(self, pos: int) -> str:
        """Consume the buffer up to a position."""
        taken = self._buffer[self._pos : pos]
        self._pos = pos
        return taken

    def _refuse(self, because: Reason | None = None) -> bool:
        """What was read since the last call is no call. Behind another call it is given back, to be read again."""
        self.over = True
        self.because = because
        if self._refusable:
            self.refused = True
        else:
            self._buffer = self._out.unowned() + self._buffer[self._pos :]
            self._pos = 0
        return False

    def _end_run(self) -> bool:
        self.over = True
        return False
