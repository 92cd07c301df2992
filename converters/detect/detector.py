"""Which syntax, if any: watches for every opener, and lets the bytes behind the first one choose the row.

Several syntaxes share an opener, so a model's name only decides which row is tried first. What fits no row is text.
Reasoning is told from text here too: a tag inside a call's value is data, and only this file knows where calls end.

Held: the start of a marker, a header that is not complete, and a marker behind a lone backtick until its line ends.
"""

from __future__ import annotations

import re
from dataclasses import replace

from converters.detect.openers import CLOSES, LATE, OPENS, OpenerIndex, begins_name
from converters.detect.quoting import Quoting
from converters.detect.suffixes import may_be_tag, split, suffixed_tag, tag_at
from converters.shapes.fenced import FencedMessage
from converters.shapes.grouped import named
from converters.shapes.machine import CallContext, CallsParser, Grammar, Opener
from converters.shapes.whole import WholeMessage
from converters.syntaxes import REASONING_TAGS, RESULTS, ReasoningTag, Syntax
from converters.text.events import ArgumentsDelta, CallStart, Event, Noted, Reasoning, Removed, Text
from converters.text.expectations import Expectations
from converters.text.scanner import MarkerPrefilter, only_more_space
from converters.values.json.output import Flow


class Detector:
    """Tells text, reasoning and calls apart in what one model says. An OutputParser."""

    def __init__(self, watched: OpenerIndex, expectations: Expectations) -> None:
        self._watch = watched
        self._expectations = expectations
        self.inside = expectations.starts_inside
        """What is read now is reasoning."""
        self._closers: tuple[str, ...] = ()
        """What ends the lane that we are in; nothing in particular if no opener was seen."""
        self._expects_end = expectations.starts_inside
        self._quoting = Quoting()
        self._buffer = ""
        self._calls: CallsParser | None = None
        self._untouched = True  # nothing but white space and reasoning has been read
        self._begun = False  # something has been read
        self._fresh_call = False  # nothing but white space has been read since the last call
        self._invents = False  # the model is making up a tool's result
        self._count = 0
        self._in_fence = False  # this is all in a fence, so that none opens
        self._events: list[Event] = []
        self.syntax: Syntax | None = None
        """The row of the first call that was found."""
        self.left_marker = False  # what opens a call was said as text, because no row has what followed it

    def feed(self, text: str) -> list[Event]:
        calls = self._calls
        if calls is None or self._invents:
            self._read(text, whole=False, cut=False)
            return self._taken()
        events = calls.feed(text)
        if not calls.over and (not events or (len(events) == 1 and type(events[0]) is ArgumentsDelta)):
            return events  # by far the most pieces of a call
        left = self._read_calls(calls, events)
        if left is not None:
            self._read(left, whole=False, cut=False)
        return self._taken()

    def lets_flow(self, text: str) -> bool:
        """Whether a text is nothing but more of what is being said, and nothing is held: `flowed` may follow."""
        if self._buffer or self._calls is not None or self._invents or not self._begun:
            return False
        return (self.inside or not self._untouched) and self._watch.markers.search(text) is None

    @property
    def restless(self) -> MarkerPrefilter | None:
        """Finds what could matter in more text of the same line, behind one that flowed; None if any text could."""
        return None if self._quoting.blank or self._quoting.may_close else self._watch.restless

    @property
    def flow(self) -> Flow | None:
        """Takes more of the arguments that are being read, past everybody, if they leave as they come."""
        return self._calls.flow if self._calls is not None and not self._invents else None

    def turn(self, inside: bool) -> list[Event]:
        """The server tells reasoning and text apart itself: what follows is the one or the other."""
        if inside == self.inside:
            return []
        self._read("", whole=True, cut=False)
        self.inside, self._expects_end, self._closers = inside, False, ()
        self._quoting = Quoting()
        return self._taken()

    def finish(self, cut: bool = False) -> list[Event]:
        """No more text will come; `cut` says that max_tokens ended it, not the model."""
        self._read("", whole=True, cut=cut)
        if self.inside and self._expects_end and not self._count and not cut:
            self._events.append(Noted("reasoning_never_closed"))
        return self._taken()

    def _taken(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _read(self, text: str, whole: bool, cut: bool) -> None:
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
                if whole and not self._calls.over:
                    events += self._calls.finish(cut)
                left = self._read_calls(self._calls, events)
                if left is None:
                    return
                text = left
            self._buffer += text
            if not self._read_prose(whole, cut):
                return
            text, self._buffer = self._buffer, ""  # a call has begun: the rest is its parser's

    def _read_calls(self, calls: CallsParser, events: list[Event]) -> str | None:
        """What calls have read; returns what is prose again, or None while they go on."""
        self._count += sum(isinstance(event, CallStart) for event in events)
        self._events += events
        if not calls.over:
            return None
        self._calls = None
        if isinstance(calls, WholeMessage | FencedMessage):
            self.syntax = self.syntax or calls.syntax
        if not calls.refused:
            self._quoting.removed()
            self._fresh_call = True
            return calls.rest
        return self._say_opener(calls)

    def _say_opener(self, refused: CallsParser) -> str:
        """What opened calls that were none is said as text, so that the rest is read anew without it."""
        text = refused.rest
        if isinstance(refused, FencedMessage):
            run = len(text) - len(text.lstrip(text[0]))
            self._say_run(text[:run], run)
            return text[run:]
        self.left_marker = self.left_marker or not isinstance(refused, WholeMessage)
        marker = self._watch.first_markers.search(text)
        end = marker.end() if marker and not isinstance(refused, WholeMessage) else 1
        self._say(text[:end])
        return text[end:]

    # -- prose -------------------------------------------------------------------------------------------------------

    def _read_prose(self, whole: bool, cut: bool) -> bool:
        """Read the buffer up to the next call, or to its end; whether a call has begun."""
        row = self._watch.opened
        if row and self._buffer and not (self._begun or self.inside) and self._behind_opener(row, whole, cut):
            return self._calls is not None
        buffer = self._buffer
        search = (self._watch.markers if self._begun else self._watch.first_markers).search
        place = 0
        while place < len(buffer):
            match = search(buffer, place)
            if self._untouched and self._begin_whole(place, match.start() if match else len(buffer)):
                return True
            if match is None:
                self._say(buffer[place:])
                break
            if match.start() > place:
                self._say(buffer[place : match.start()])
                search = self._watch.markers.search
                if match.group()[0] == " ":  # not the start, after all
                    place = match.start()
                    continue
            after = self._at_marker(match, whole, cut)
            search = self._watch.markers.search if self._begun else search
            if after < 0:
                self._buffer = buffer[match.start() :]
                return False
            place = after
            if self._calls is not None:
                self._buffer = buffer[place:]
                return True
        self._buffer = ""
        return False

    def _say(self, text: str) -> None:
        if text:
            self.flowed(text)
            self._events.append(Reasoning(text) if self.inside else Text(text))

    def flowed(self, text: str) -> None:
        """This text has been said, which changes what may follow."""
        self._begun = True
        if not text.isspace():
            self._untouched = self._untouched and self.inside
            self._fresh_call = False
        self._quoting.prose(text)

    def _at_marker(self, match: re.Match[str], whole: bool, cut: bool) -> int:
        """Read a marker, and return the place behind what was read; -1 to wait for more text."""
        marker, end = match.group(), match.end()
        if marker[0] in "`~":
            return self._at_run(match, whole, cut)
        if marker not in self._watch.first_markers.literals:  # only the start of one, at the end of the text
            return self._say_to(match, end) if whole else -1
        if marker in self._watch.stems:
            tag = tag_at(match.string, match.start())
            if tag is None:
                waits = not whole and may_be_tag(match.string, match.start())
                return -1 if waits else self._say_to(match, end)
            match, end = tag, tag.end()
            marker = split(tag.group())[0]
        if marker in self._watch.first_markers.longer and end == len(match.string) and not whole:
            return -1
        if self._quoting.fenced and not (self.inside and marker in CLOSES):
            return self._say_to(match, end)
        if self._quoting.inline:
            quoted = self._quoting.quotation(match.string, end, whole)
            if quoted is None:
                return -1
            if quoted:
                said = match.string[:quoted].rstrip("`")  # the run that closes it, if one does, is read as such
                return self._say_to(match, len(said))
            self._quoting.removed()
        if marker in RESULTS:
            return self._at_result(match)
        if marker in OPENS:
            return self._open_lane(match)
        if marker in CLOSES:
            return self._close_lane(match)
        turn = self._watch.turns.look(match.string, match.start())
        if turn:
            return self._remove_tag(match.string, match.start(), turn)
        return -1 if turn is None and not whole else self._try_rows(match, whole, cut)

    def _at_run(self, match: re.Match[str], whole: bool, cut: bool) -> int:
        """A run of backticks or tildes: a quotation begins or ends, or a fence that is a call."""
        marker = match.group()
        run = marker.rstrip(marker.lstrip("`~")) if marker.lstrip("`~") else marker
        if match.end() == len(match.string) and not whole:
            return -1
        opens = not (self._in_fence or self.inside or self._quoting.fenced) and self._quoting.blank and len(run) >= 3
        if opens and marker in self._watch.markers.literals and not self._quoting.inline:
            found = self._try_rows(match, whole, cut, refused=0)
            if found:
                return found
        if opens and self._untouched and self._watch.entries and not self._expectations.json_answer:
            self._untouched = False
            self._calls = FencedMessage(self._reader_of_fence())
            return match.start()
        return self._say_run(run, match.start() + len(run))

    def _reader_of_fence(self) -> Detector:
        """It reads what a fence holds as a message of its own, its calls numbered on from ours."""
        reader = Detector(self._watch, replace(self._expectations, starts_inside=False))
        reader._count = self._count
        reader._in_fence = True
        return reader

    def _say_to(self, match: re.Match[str], end: int) -> int:
        self._say(match.string[match.start() : end])
        return end

    def _say_run(self, run: str, end: int) -> int:
        self._quoting.run(run)
        self._events.append(Reasoning(run) if self.inside else Text(run))
        return end

    def _at_result(self, match: re.Match[str]) -> int:
        """The model makes up the result of its call: that, and whatever it says on from it, is not for the client."""
        if not self._fresh_call or self.inside:
            return self._say_to(match, match.end())
        self._invents = True
        self._events.append(Removed(match.string[match.start() :], "invented_result"))
        return len(match.string)

    def _open_lane(self, match: re.Match[str]) -> int:
        """A tag that is a word, in the middle of a line, only speaks of reasoning, unless that is open already."""
        tag = match.group()
        lane = OPENS.get(tag) or suffixed_tag(OPENS[split(tag)[0]], split(tag)[1])
        doubtful = (lane.at_line_start and not self._quoting.blank) or (lane.before_text and not self._untouched)
        if doubtful and not self.inside:
            return self._say_to(match, match.end())
        self._enter_lane(lane)
        return self._remove_tag(match.string, match.start(), len(match.group()))

    def _enter_lane(self, lane: ReasoningTag) -> None:
        self.inside = self._expects_end = lane.reasoning
        self._untouched = self._untouched and lane.reasoning  # what is marked as an answer is no bare call
        self._closers = lane.closes

    def _close_lane(self, match: re.Match[str]) -> int:
        closer = match.group()
        lane = LATE.get(closer) or LATE.get(split(closer)[0])
        ours = closer in self._closers if self._closers else self.inside and lane is not None and lane.reasoning
        if not ours and (lane is None or self.inside):
            return self._say_to(match, match.end())
        if not ours and lane is not None and lane.reasoning:
            self._events.append(Noted("reasoning_closed_late"))
        self.inside = self._expects_end = False
        self._closers = ()
        return self._remove_tag(match.string, match.start(), len(match.group()))

    def _remove_tag(self, text: str, start: int, length: int) -> int:
        self._begun = True
        self._events.append(Removed(text[start : start + length], "marker", tag=True))
        self._quoting = Quoting()
        return start + length

    def _begin_whole(self, place: int, end: int) -> bool:
        """Begin what may be a call without a marker, if the message begins like one before a marker at `end`."""
        start = end - len(self._buffer[place:end].lstrip())
        if start >= end or self.inside or not self._watch.whole or self._expectations.json_answer:
            return False
        if self._buffer[start : start + 1] not in ("{", "["):
            return False
        self._say(self._buffer[place:start])
        self._buffer = self._buffer[start:]
        self._untouched = False
        self._calls = WholeMessage(
            self._watch.whole, CallContext("", whole=True, index=self._count), self._expectations
        )
        return True

    # -- openers -----------------------------------------------------------------------------------------------------

    def _try_rows(self, match: re.Match[str], whole: bool, cut: bool, refused: int | None = None) -> int:
        """The rows that share this opener look at what follows it. If none takes it, it is said, unless `refused`."""
        text, start = match.string, match.start()
        waits = False
        for pattern in self._watch.empty_at(match.group()):
            empty = pattern.match(text, start)
            if empty:
                self._events.append(Removed(empty.group(), "marker"))
                return empty.end()
            waits = waits or pattern.may_match(text, start)
        for row, entry in self._watch.entries_at(match.group()):
            found = entry.pattern.match(text, start)
            if found is None and whole and not cut:
                found = self._whole_call(entry, text, start)
            if found is not None and entry.believes(named(found)[0], self._expectations):
                self._begin(row, entry, found)
                return found.end()
            waits = waits or (found is None and entry.pattern.may_match(text, start))
        if not waits and refused is not None:
            return refused
        if waits and not whole:
            return -1
        if waits and cut:
            self._events.append(Removed(text[start:], "cut"))
            return len(text)
        self.left_marker = True
        return self._say_to(match, match.end())

    def _whole_call(self, entry: Opener, text: str, start: int) -> re.Match[str] | None:
        """The model stopped right behind a header: a call without arguments, if its name is declared."""
        found = entry.pattern.match_at_end(text, start)
        return found if found is not None and self._expectations.declared(named(found)[0]) else None

    def _behind_opener(self, row: Grammar, whole: bool, cut: bool) -> bool:
        """At the very start, behind an opener that the prompt has written: whether there is nothing to read as prose.

        Either a call begins, or more text must come, or max_tokens cut a name.
        """
        opener, text = row.syntax.prefilled_call, row.syntax.prefilled_call + self._buffer
        for lane in (lane for lane in REASONING_TAGS if lane.opens.startswith(opener)):
            if text.startswith(lane.opens):
                self._enter_lane(lane)
                self._buffer = text[self._remove_tag(text, len(opener), len(lane.opens) - len(opener)) :]
                return False
        for entry in row.entries:
            found = entry.pattern.match(text) or (self._whole_call(entry, text, 0) if whole and not cut else None)
            if found is not None and named(found)[0] in self._expectations.tools:
                self._begin(row, entry, found, skipped=len(opener))
                self._buffer = text[found.end() :]
                return True
        if not begins_name(row, text, self._expectations.tools) or (whole and not cut):
            return False
        if whole:
            self._events.append(Removed(self._buffer, "cut"))
            self._buffer = ""
        return True

    def _begin(self, row: Grammar, entry: Opener, found: re.Match[str], skipped: int = 0) -> None:
        """A call begins. The first characters of its header may be the prompt's."""
        name, call_id = named(found)
        opening = CallContext(
            raw=found.group()[skipped:],
            name=name,
            id=call_id,
            grouped=entry.explicit,
            alone=self._quoting.blank,
            inside=self.inside,
            index=self._count,
        )
        self.syntax = self.syntax or row.syntax
        self._untouched = False
        self._begun = True
        self._calls = row.parser(opening, self._expectations)
