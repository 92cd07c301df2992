"""Which syntax, if any: watches for every opener, and lets the text behind the first one choose the row.

Several syntaxes share an opener, so a model's name only decides which row is tried first. What fits no row is text.
Reasoning is told from text here too: a tag inside a call's value is data, and only this file knows where calls end.

Held: the start of a marker, a header that is not complete, and a marker behind a lone backtick until its line ends.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from converters.detect.headers import Header, header_at, header_behind_prefill
from converters.detect.leftovers import Leftovers
from converters.detect.messages import MessageReader
from converters.detect.openers import OpenerIndex
from converters.detect.prose import WAIT
from converters.detect.quoted import QuotedCalls
from converters.detect.quoting import Quoting
from converters.detect.reasoning import ReasoningState
from converters.shapes.fenced import FencedMessage
from converters.shapes.machine import CallContext, CallsParser, Grammar, why_refused
from converters.shapes.whole import WholeMessage
from converters.syntaxes import REASONING_TAGS
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, End, Event, Noted, Removed, joined_texts
from converters.text.expectations import Expectations
from converters.text.scanner import LONGEST_RUN, MarkerPrefilter, folded, only_more_space
from converters.values.json.output import Flow

_VISIBLE = re.compile(r"\S")

_NO_WIDTH = "\u200b\u2060\ufeff"
"""White space without width, as a byte order mark before bare JSON."""
SLICE = 4096
"""Characters of a long text that are read at once. Each run of calls copies what follows it of a slice."""
_LONGEST_GAP = 4096
"""White space behind an empty pair of markers that may wait for what follows."""


class Detector(MessageReader):
    """Tells text, reasoning and calls apart in what one model writes."""

    def __init__(self, index: OpenerIndex, expectations: Expectations) -> None:
        super().__init__(index, expectations)
        self._buffer = ""
        self._leftovers: Leftovers | None = None  # behind a call, closers that close nothing

    @property
    def reasoning(self) -> ReasoningState:
        """Whether what is read now is reasoning; to be asked only."""
        return self._reasoning

    def feed(self, text: str) -> list[Event]:
        """The events of one more piece."""
        calls = self._calls
        if len(text) > SLICE:
            slices = (text[start : start + SLICE] for start in range(0, len(text), SLICE))
            return joined_texts([event for each in slices for event in self.feed(each)])
        if calls is None or self._invents:
            self._read(text, End.MORE)
            return self._take_events()
        events = calls.feed(text)
        if not calls.over and (not events or (len(events) == 1 and type(events[0]) is ArgumentsDelta)):
            return events  # by far the most pieces of a call
        rest = self._read_calls(calls, events)
        if rest is not None:
            self._read(rest, End.MORE)
        return self._take_events()

    def turn(self, *, in_reasoning: bool) -> list[Event]:
        """The server tells reasoning from text itself: what follows is the one or the other."""
        if in_reasoning == self._reasoning.active:
            return []
        self._read("", End.STOP)
        self.abandoned.broken()
        self._reasoning.turn(active=in_reasoning)
        self._quoting = Quoting()
        return self._take_events()

    def finish(self, end: End = End.STOP) -> list[Event]:
        """No more text will come; the events of what was held."""
        self._read("", end)
        self.abandoned.broken()
        if end is End.STOP and self._reasoning.stopped() and self._begun and not self._call_count:
            self._events.append(Noted("reasoning_never_closed"))
        return self._take_events()

    # -- what a lease needs (stages/lease.py) --------------------------------------------------------------------------

    def arguments_lease(self) -> Flow | None:
        """Takes more of the string in the arguments that is being read, if there is one and it leaves as it comes."""
        return self._calls.lease() if self._calls is not None and not self._invents else None

    def plain_kind(self) -> Literal["text", "reasoning"] | None:
        """What more plain text would be; None in a call, while something is held, and where any text could open one."""
        if self._calls is not None or self._buffer or self._invents or not self._begun or self._leftovers is not None:
            return None
        reasoning = self._reasoning
        if self._behind_call or self._ended or self._fresh:
            return None
        if reasoning.dropped or reasoning.sole or reasoning.behind_late or self.abandoned.pending:
            return None
        if self._quoting.closer or (not reasoning.active and self._quoting.remarkable):
            return None
        if reasoning.active:
            return "reasoning"
        return None if self._may_be_whole else "text"

    @property
    def prefilter(self) -> MarkerPrefilter | None:
        """Finds what could matter in more text of the same line. In a text without that, there is nothing to read.

        None where each text must be read, as at the start of a line.
        """
        quoting = self._quoting
        return None if quoting.at_start or quoting.may_close else self.index.prefilter

    def goes_on(self, text: str) -> None:
        """More plain text was read by a lease, which changes at most what is quoted behind it."""
        self._quoting.prose(text)

    def went_by(self, space: str) -> None:
        """Plain text was read by a lease; it ended in this white space."""
        self._quoting.went_by(space)

    # -- calls and prose in turn ---------------------------------------------------------------------------------------

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events if len(events) < 2 else joined_texts(events)

    def _read(self, text: str, end: End) -> None:
        if self._invents:
            self._events += [Removed(text, self._invents)] if text else []
            return
        held = self._buffer if self._calls is None else ""
        if held and not held.isspace() and only_more_space(held, text):
            self._buffer += text
            return
        while True:
            if self._calls is not None:
                events = self._calls.feed(text)
                if end is not End.MORE and not self._calls.over:
                    events += self._calls.finish(end)
                rest = self._read_calls(self._calls, events)
                if rest is None:
                    return
                text = rest
            self._buffer += text
            if not self._read_prose(end):
                return
            text, self._buffer = self._buffer, ""  # a call has begun: the rest is its parser's

    def _read_calls(self, calls: CallsParser, events: list[Event]) -> str | None:
        """Note what a parser of calls has read. Returns the text behind its run, or None while the run goes on."""
        if isinstance(calls, QuotedCalls):
            for event in events:
                self._emit(event.raw)
        else:
            self._call_count += sum(isinstance(event, CallStart) for event in events)
            self._events += events
        if not calls.over:
            return None
        self._calls = None
        if isinstance(calls, QuotedCalls) and not calls.refused:
            self.abandoned.quotation_ends()
            return calls.rest
        if isinstance(calls, WholeMessage | FencedMessage):
            self.syntax = self.syntax or calls.syntax
        if not calls.refused:
            self._quoting.removed()
            last = events[-1] if events else None
            self._behind_call = not (isinstance(last, CallEnd) and last.how == "unreadable")
            self._ended = self._fresh = self._first = False
            marked = self._behind_call and not isinstance(calls, WholeMessage | FencedMessage)
            self._leftovers = Leftovers(self._row, allows_text=not self._reasoning.active) if marked else None
            return calls.rest
        return self._emit_rejected_opener(calls)

    def _emit_rejected_opener(self, refused: CallsParser) -> str:
        """Emit the rejected opener as text, and return what follows it, to be read again."""
        text = refused.rest
        if isinstance(refused, FencedMessage):
            run = min(len(text) - len(text.lstrip(text[0])), LONGEST_RUN)
            self._emit_run(text[:run], run)
            return text[run:]
        self._leftovers = None  # what closes comes behind what opens
        if isinstance(refused, WholeMessage):
            self.abandoned.bare(with_text=refused.with_text)
            self._emit(text[:1])
            return text[1:]
        self.left_marker = True
        marker = self.index.first_markers.search(text)
        end = self._opener_length or (marker.end() if marker else 1)
        if not self._reasoning.active:
            self.abandoned.opener(end, why_refused(refused), began=True)
        self._emit(text[:end])
        return text[end:]

    def _read_prose(self, end: End) -> bool:
        """Read the buffer up to the next call, or to its end; whether a call has begun."""
        row = self.index.prefilled
        if row and self._buffer and not (self._begun or self._reasoning.active) and self._behind_prefill(row, end):
            return self._calls is not None
        buffer = self._buffer
        if self._may_be_whole and end is End.MORE and _only_blanks(buffer):
            return False  # they may stand before a bare call
        pos, match, searched, first = 0, None, False, False
        while pos < len(buffer):
            if self._quoting.closer:
                pos = self._pass_html(pos, end)
                if pos < 0:
                    return False
                continue
            if not searched or (match is not None and match.start() < pos) or first is not self._first:
                first, searched = self._first, True
                match = self.index.search(buffer, pos, first=first)
            if self._may_be_whole and self._begin_whole(pos, match.start() if match else len(buffer)):
                return True
            behind = self._fresh or self._ended or self._behind_call
            after = self._pass_turn(match, pos, end) if behind else pos
            if after == pos and self._leftovers is not None:
                after = self._pass_leftover(match, pos, end)
            if after == WAIT:
                return False
            if after > pos:
                pos = after
                continue
            if match is None:
                self._emit(buffer[pos:])
                break
            if match.start() > pos:
                self._emit(buffer[pos : match.start()])
                if first:  # the marker may be one that counts at the start only
                    pos = match.start()
                    continue
            pos = self._at_marker(match, end)
            if pos == WAIT:
                self._buffer = buffer[match.start() :]
                return False
            if self._calls is not None:
                self._buffer = buffer[pos:]
                return True
        self._buffer = ""
        return False

    def _pass_turn(self, match: re.Match[str] | None, pos: int, end: End) -> int:
        """Read the header of a turn, if one stands at a position, behind white space."""
        buffer = self._buffer
        visible = _VISIBLE.search(buffer, pos)
        place = visible.start() if visible else len(buffer)
        if place == len(buffer) or (match is not None and match.start() <= place and self._is_own(match, end)):
            return pos
        self._emit(buffer[pos:place])
        half = match is not None and match.start() == place and self._is_half(match)
        after = self._at_turn(buffer, place, end, match.end() if match is not None and half else 0)
        if after == WAIT:
            self._buffer = buffer[place:]
        return place if after is None else after

    def _emit(self, text: str) -> None:
        if self._leftovers is not None:
            self._leftovers.passed(text)
            if self._leftovers.over:
                self._leftovers = None
        if text:
            self.read_plain(text)
            self._out(text)

    def _pass_leftover(self, match: re.Match[str] | None, pos: int, end: End) -> int:
        """Remove a closer that is left over, with the text before it, if it stands before any other marker."""
        last = match.start() if match is not None else len(self._buffer)
        found = self._leftovers.search(self._buffer, pos, last) if self._leftovers is not None else None
        if found is None:
            return pos
        start, after, is_whole = found
        if match is not None and match.start() == start and match.end() > after:
            return pos
        leftovers = self._leftovers
        self._emit(self._buffer[pos:start])
        self._leftovers = leftovers
        if not is_whole and end is End.MORE:
            self._buffer = self._buffer[start:]
            return WAIT
        if not is_whole and not (leftovers is not None and leftovers.directly and after - start > 1):
            return start
        self._events.append(Removed(self._buffer[start:after], "marker"))
        return after

    def _at_empty_pair(self, pair: re.Match[str], end: End) -> int:
        """Markup beside a call, or at the edge of the message; words in a sentence."""
        behind = pair.string[pair.end() :]
        follows = behind.lstrip()
        at_edge = self._may_be_whole or self._behind_call or self._fresh
        if not at_edge and follows:
            marker = self.index.markers.search(behind)
            begins = marker is not None and marker.start() == len(behind) - len(follows)
            at_edge = begins and marker is not None and folded(marker.group()) in self.index.entries
            if begins and not at_edge and marker is not None and marker.end() == len(behind) and end is End.MORE:
                return WAIT
        elif not at_edge and end is End.MORE and len(behind) < _LONGEST_GAP:
            return WAIT
        if at_edge or not follows:
            self._events.append(Removed(pair.group(), "marker"))
        else:
            self._emit(pair.group())
        return pair.end()

    def _is_own(self, match: re.Match[str], end: End) -> bool:
        """Whether a marker is one of ours, rather than what could begin or end a turn."""
        return end is End.MORE if self._is_half(match) else folded(match.group()) not in self.index.ends

    def _is_half(self, match: re.Match[str]) -> bool:
        """Whether it is only the start of a marker, at the end of the text."""
        return folded(match.group()) not in self.index.first_markers.literals

    def _pass_html(self, pos: int, end: End) -> int:
        """Read on in a stretch of HTML that shows code; WAIT if the start of its end stands in the buffer."""
        buffer = self._buffer
        found = self._quoting.closed_at(buffer, pos)
        place = len(buffer) if found < 0 or (self._quoting.closer and end is not End.MORE) else found
        self.abandoned.in_html = True
        self._emit(buffer[pos:place])
        self.abandoned.in_html = bool(self._quoting.closer)
        if self._quoting.closer and place < len(buffer):
            self._buffer = buffer[place:]
            return WAIT
        return place

    def _at_run(self, match: re.Match[str], end: End) -> int:
        """A run of backticks or tildes: a quotation begins or ends, or a fence that is a call."""
        marker = match.group()
        run = marker[: len(marker) - len(marker.lstrip("`~"))][:LONGEST_RUN]
        if match.end() == len(match.string) and end is End.MORE and len(run) < LONGEST_RUN:
            return WAIT
        may_open = not (self._is_fenced or self._reasoning.active or self._quoting.fenced)
        opens = may_open and self._quoting.blank and 3 <= len(run) < LONGEST_RUN
        if opens and marker in self.index.markers.literals and not self._quoting.inline:
            header = header_at(self.index, match, self._expectations, end)
            if header is not False:
                return self._read_header(header, match, end)
        if opens and self._may_be_whole and self.index.entries and not self._expectations.json_answer:
            self._may_be_whole = False
            self._calls = FencedMessage(self._fenced_reader(), self.index.own_ends)
            return match.start()
        return self._emit_run(run, match.start() + len(run))

    def _fenced_reader(self) -> Detector:
        """Reads what a fence holds as a message of its own, its calls numbered on from ours."""
        reader = Detector(self.index, replace(self._expectations, starts_inside=False))
        reader._call_count = self._call_count
        reader._is_fenced = True
        return reader

    def _begin_whole(self, pos: int, end: int) -> bool:
        """Begin what may be a call without a marker, if the message begins like one before a marker at `end`."""
        start = end - len(self._buffer[pos:end].lstrip())
        first = end - len(self._buffer[start:end].lstrip(_NO_WIDTH))
        if first >= end or self._reasoning.active or not self.index.whole or self._expectations.json_answer:
            return False
        if self._buffer[first : first + 1] not in ("{", "["):
            return False
        self._emit(self._buffer[pos:start])
        self._buffer = self._buffer[start:]
        self._may_be_whole = False
        context = CallContext("", whole=True, index=self._call_count)
        self._opener_length = 0
        self._calls = WholeMessage(self.index.whole, context, self._expectations, self.index.own_ends)
        return True

    def _behind_prefill(self, row: Grammar, end: End) -> bool:
        """At the very start, behind an opener that the prompt has written: whether there is nothing to read as prose.

        Either a call begins, or more text must come, or max_tokens cut a name.
        """
        opener, text = row.syntax.prefilled_call, row.syntax.prefilled_call + self._buffer
        for tag in REASONING_TAGS:
            if tag.opens.startswith(opener) and text.startswith(tag.opens):
                self._reasoning.open(tag)
                self._may_be_whole = self._may_be_whole and tag.reasoning
                self._buffer = text[self._remove_tag(text, len(opener), len(tag.opens) - len(opener)) :]
                return False
        header = header_behind_prefill(row, text, self._expectations, end)
        if isinstance(header, Header):
            self._begin(header, prefilled=len(opener))
            self._buffer = text[header.end :]
            return True
        if header and end is End.CUT:
            self._events.append(Removed(self._buffer, "cut"))
            self._buffer = ""
        return header


def _only_blanks(text: str) -> bool:
    """Whether it is white space, some of it without width."""
    return 0 < len(text) < _LONGEST_GAP and not text.isspace() and not text.strip().strip(_NO_WIDTH)
