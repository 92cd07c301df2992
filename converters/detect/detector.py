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
from converters.detect.openers import CLOSES, OPENS, OpenerIndex
from converters.detect.quoting import Quoting
from converters.detect.reasoning import ReasoningState
from converters.detect.suffixes import may_be_tag, split, tag_at
from converters.shapes.fenced import FencedMessage
from converters.shapes.grouped import named
from converters.shapes.machine import CallContext, CallsParser, Grammar
from converters.shapes.whole import WholeMessage
from converters.syntaxes import REASONING_TAGS, RESULTS, Syntax
from converters.text.events import ArgumentsDelta, CallStart, End, Event, Noted, Reasoning, Removed, Text
from converters.text.expectations import Expectations
from converters.text.scanner import MarkerPrefilter, only_more_space
from converters.values.json.output import Flow

_WAIT = -1
"""What a method that reads a marker returns in place of a position, if more text must come first."""


class Detector:
    """Tells text, reasoning and calls apart in what one model writes."""

    def __init__(self, index: OpenerIndex, expectations: Expectations) -> None:
        self.index = index
        """What is looked for in prose."""
        self._expectations = expectations
        self._reasoning = ReasoningState(active=expectations.starts_inside)
        self._quoting = Quoting()
        self._buffer = ""
        self._calls: CallsParser | None = None
        self._begun = False  # something has been read
        self._may_be_whole = True  # nothing but white space and reasoning has been read: a bare call may begin
        self._behind_call = False  # nothing but white space has been read since the last call
        self._invents = False  # the model is making up a tool's result
        self._call_count = 0
        self._is_fenced = False  # all of this text stands in a fence, so that none opens in it
        self._events: list[Event] = []
        self.syntax: Syntax | None = None
        """The row of the first call that was found."""
        self.left_marker = False
        """An opener was passed as text, because no row has what followed it."""

    @property
    def reasoning(self) -> ReasoningState:
        """Whether what is read now is reasoning; to be asked only."""
        return self._reasoning

    def feed(self, text: str) -> list[Event]:
        """The events of one more piece."""
        calls = self._calls
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
        self._reasoning.turn(active=in_reasoning)
        self._quoting = Quoting()
        return self._take_events()

    def finish(self, end: End = End.STOP) -> list[Event]:
        """No more text will come; the events of what was held."""
        self._read("", end)
        if end is End.STOP and self._reasoning.stopped() and self._begun and not self._call_count:
            self._events.append(Noted("reasoning_never_closed"))
        return self._take_events()

    # -- what a lease needs (stages/lease.py) --------------------------------------------------------------------------

    def arguments_lease(self) -> Flow | None:
        """Takes more of the string in the arguments that is being read, if there is one and it leaves as it comes."""
        return self._calls.lease() if self._calls is not None and not self._invents else None

    def plain_kind(self) -> Literal["text", "reasoning"] | None:
        """What more plain text would be; None in a call, while something is held, and where any text could open one."""
        if self._calls is not None or self._buffer or self._invents or not self._begun:
            return None
        if self._reasoning.active:
            return "reasoning"
        return None if self._may_be_whole else "text"

    @property
    def prefilter(self) -> MarkerPrefilter | None:
        """Finds what could matter in more text of the same line. In a text without that, there is nothing to read.

        None where each text must be read, as at the start of a line.
        """
        quoting = self._quoting
        return None if quoting.blank or quoting.may_close or self._behind_call else self.index.prefilter

    def read_plain(self, text: str) -> None:
        """Note that a text without markers has been read, which changes what may follow."""
        self._begun = True
        if self._reasoning.behind_late:
            self._reasoning.followed(text)
        if not text.isspace():
            self._may_be_whole = self._may_be_whole and self._reasoning.active
            self._behind_call = False
        self._quoting.prose(text)

    # -- calls and prose in turn ---------------------------------------------------------------------------------------

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _read(self, text: str, end: End) -> None:
        if self._invents:
            self._events += [Removed(text, "invented_result")] if text else []
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
        self._call_count += sum(isinstance(event, CallStart) for event in events)
        self._events += events
        if not calls.over:
            return None
        self._calls = None
        if isinstance(calls, WholeMessage | FencedMessage):
            self.syntax = self.syntax or calls.syntax
        if not calls.refused:
            self._quoting.removed()
            self._behind_call = True
            return calls.rest
        return self._emit_rejected_opener(calls)

    def _emit_rejected_opener(self, refused: CallsParser) -> str:
        """Emit the rejected opener as text, and return what follows it, to be read again."""
        text = refused.rest
        if isinstance(refused, FencedMessage):
            run = len(text) - len(text.lstrip(text[0]))
            self._emit_run(text[:run], run)
            return text[run:]
        self.left_marker = self.left_marker or not isinstance(refused, WholeMessage)
        marker = self.index.first_markers.search(text)
        end = marker.end() if marker and not isinstance(refused, WholeMessage) else 1
        self._emit(text[:end])
        return text[end:]

    def _read_prose(self, end: End) -> bool:
        """Read the buffer up to the next call, or to its end; whether a call has begun."""
        row = self.index.prefilled
        if row and self._buffer and not (self._begun or self._reasoning.active) and self._behind_prefill(row, end):
            return self._calls is not None
        buffer = self._buffer
        search = (self.index.markers if self._begun else self.index.first_markers).search
        pos = 0
        while pos < len(buffer):
            match = search(buffer, pos)
            if self._may_be_whole and self._begin_whole(pos, match.start() if match else len(buffer)):
                return True
            if match is None:
                self._emit(buffer[pos:])
                break
            if match.start() > pos:
                self._emit(buffer[pos : match.start()])
                search = self.index.markers.search
                if match.group()[0] == " ":  # not the start, after all
                    pos = match.start()
                    continue
            after = self._at_marker(match, end)
            search = self.index.markers.search if self._begun else search
            if after == _WAIT:
                self._buffer = buffer[match.start() :]
                return False
            pos = after
            if self._calls is not None:
                self._buffer = buffer[pos:]
                return True
        self._buffer = ""
        return False

    def _emit(self, text: str) -> None:
        if text:
            self.read_plain(text)
            self._events.append(Reasoning(text) if self._reasoning.active else Text(text))

    def _emit_to(self, match: re.Match[str], pos: int) -> int:
        self._emit(match.string[match.start() : pos])
        return pos

    def _emit_run(self, run: str, pos: int) -> int:
        self._quoting.run(run)
        self._reasoning.behind_late = False
        self._events.append(Reasoning(run) if self._reasoning.active else Text(run))
        return pos

    # -- markers: each method returns the position behind what it read, or _WAIT ---------------------------------------

    def _at_marker(self, match: re.Match[str], end: End) -> int:
        marker, after = match.group(), match.end()
        if marker[0] in "`~":
            return self._at_run(match, end)
        if marker not in self.index.first_markers.literals:  # only the start of one, at the end of the text
            return _WAIT if end is End.MORE else self._emit_to(match, after)
        if marker in self.index.stems:
            tag = tag_at(match.string, match.start())
            if tag is None:
                waits = end is End.MORE and may_be_tag(match.string, match.start())
                return _WAIT if waits else self._emit_to(match, after)
            match, after = tag, tag.end()
            marker = split(tag.group())[0]
        if marker in self.index.first_markers.longer and after == len(match.string) and end is End.MORE:
            return _WAIT
        if self._quoting.fenced and not (self._reasoning.active and marker in CLOSES):
            return self._emit_to(match, after)
        if self._quoting.inline:
            quoted = self._quoting.quotation(match.string, after, whole=end is not End.MORE)
            if quoted is None:
                return _WAIT
            if quoted:
                quotation = match.string[:quoted].rstrip("`")  # the run that closes it, if one does, is read as such
                return self._emit_to(match, len(quotation))
            self._quoting.removed()
        return self._at_meant_marker(match, marker, end)

    def _at_meant_marker(self, match: re.Match[str], marker: str, end: End) -> int:
        """A whole marker that is not quoted."""
        if marker in RESULTS:
            return self._at_result(match)
        if marker in OPENS:
            return self._at_opening_tag(match)
        if marker in CLOSES:
            return self._at_closing_tag(match)
        turn = self.index.turns.look(match.string, match.start())
        if turn:
            return self._remove_tag(match.string, match.start(), turn)
        return _WAIT if turn is None and end is End.MORE else self._at_opener(match, end)

    def _at_run(self, match: re.Match[str], end: End) -> int:
        """A run of backticks or tildes: a quotation begins or ends, or a fence that is a call."""
        marker = match.group()
        run = marker.rstrip(marker.lstrip("`~")) if marker.lstrip("`~") else marker
        if match.end() == len(match.string) and end is End.MORE:
            return _WAIT
        may_open = not (self._is_fenced or self._reasoning.active or self._quoting.fenced)
        opens = may_open and self._quoting.blank and len(run) >= 3
        if opens and marker in self.index.markers.literals and not self._quoting.inline:
            header = header_at(self.index, match, self._expectations, end)
            if header is not False:
                return self._read_header(header, match, end)
        if opens and self._may_be_whole and self.index.entries and not self._expectations.json_answer:
            self._may_be_whole = False
            self._calls = FencedMessage(self._fenced_reader())
            return match.start()
        return self._emit_run(run, match.start() + len(run))

    def _fenced_reader(self) -> Detector:
        """Reads what a fence holds as a message of its own, its calls numbered on from ours."""
        reader = Detector(self.index, replace(self._expectations, starts_inside=False))
        reader._call_count = self._call_count
        reader._is_fenced = True
        return reader

    def _at_result(self, match: re.Match[str]) -> int:
        """The model makes up the result of its call: that, and whatever follows it, is not for the client."""
        if not self._behind_call or self._reasoning.active:
            return self._emit_to(match, match.end())
        self._invents = True
        self._events.append(Removed(match.string[match.start() :], "invented_result"))
        return len(match.string)

    def _at_opening_tag(self, match: re.Match[str]) -> int:
        at_line_start, first = self._quoting.blank, self._may_be_whole
        tag = self._reasoning.opening(match.group(), at_line_start=at_line_start, first=first)
        if tag is None:
            return self._emit_to(match, match.end())
        self._reasoning.open(tag)
        self._may_be_whole = self._may_be_whole and tag.reasoning  # what is marked as an answer is no bare call
        return self._remove_tag(match.string, match.start(), len(match.group()))

    def _at_closing_tag(self, match: re.Match[str]) -> int:
        was_open = self._reasoning.close(match.group(), behind_words=not (self._may_be_whole or self._call_count))
        if was_open is None:
            return self._emit_to(match, match.end())
        if not was_open:
            self._events.append(Noted("reasoning_closed_late"))
        return self._remove_tag(match.string, match.start(), len(match.group()))

    def _remove_tag(self, text: str, start: int, length: int) -> int:
        self._begun = True
        self._events.append(Removed(text[start : start + length], "marker", tag=True))
        self._quoting = Quoting()
        return start + length

    # -- calls begin ---------------------------------------------------------------------------------------------------

    def _at_opener(self, match: re.Match[str], end: End) -> int:
        return self._read_header(header_at(self.index, match, self._expectations, end), match, end)

    def _read_header(self, header: Header | re.Match[str] | bool, opener: re.Match[str], end: End) -> int:
        """What `header_at` found at an opener."""
        text, start = opener.string, opener.start()
        if isinstance(header, Header):
            self._begin(header)
            return header.match.end()
        if isinstance(header, re.Match):
            self._events.append(Removed(header.group(), "marker"))
            return header.end()
        if header and end is End.MORE:
            return _WAIT
        if header and end is End.CUT:
            self._events.append(Removed(text[start:], "cut"))
            return len(text)
        self.left_marker = True
        return self._emit_to(opener, opener.end())

    def _begin_whole(self, pos: int, end: int) -> bool:
        """Begin what may be a call without a marker, if the message begins like one before a marker at `end`."""
        start = end - len(self._buffer[pos:end].lstrip())
        if start >= end or self._reasoning.active or not self.index.whole or self._expectations.json_answer:
            return False
        if self._buffer[start : start + 1] not in ("{", "["):
            return False
        self._emit(self._buffer[pos:start])
        self._buffer = self._buffer[start:]
        self._may_be_whole = False
        context = CallContext("", whole=True, index=self._call_count)
        self._calls = WholeMessage(self.index.whole, context, self._expectations)
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
            self._buffer = text[header.match.end() :]
            return True
        if header and end is End.CUT:
            self._events.append(Removed(self._buffer, "cut"))
            self._buffer = ""
        return header

    def _begin(self, header: Header, prefilled: int = 0) -> None:
        """A run of calls begins. So many characters of its header are the prompt's."""
        name, call_id = named(header.match)
        context = CallContext(
            raw=header.match.group()[prefilled:],
            name=name,
            id=call_id,
            grouped=header.entry.explicit,
            alone=self._quoting.blank,
            in_reasoning=self._reasoning.active,
            index=self._call_count,
        )
        self.syntax = self.syntax or header.row.syntax
        self._may_be_whole = self._reasoning.behind_late = False
        self._begun = True
        self._calls = header.row.parser(context, self._expectations)
