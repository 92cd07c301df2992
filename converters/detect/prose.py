"""What a marker in prose means: a tag of reasoning, a message header, the end of a turn, a quotation, or a call.

The markers were found by detector.py. Each method returns the position behind what it read, or WAIT.
"""

from __future__ import annotations

import re
from typing import Literal

from converters.detect.abandoned import Abandoned
from converters.detect.headers import Header, header_at, is_undeclared
from converters.detect.openers import OpenerIndex
from converters.detect.quoted import QuotedCalls
from converters.detect.quoting import HTML, ONE_LINE, Quoting
from converters.detect.reasoning import ReasoningState
from converters.detect.suffixes import may_be_tag, split, tag_at
from converters.detect.voices import DUAL, followed, in_a_sentence, voice_at
from converters.shapes.machine import CallContext, CallsParser, Grammar
from converters.shapes.sole import SoleInMessage
from converters.syntaxes import Syntax
from converters.syntaxes.channels import MESSAGE_ENDS, START
from converters.text.events import End, Event, Noted, Reasoning, Removed, Text
from converters.text.expectations import Expectations
from converters.text.scanner import folded

WAIT = -1
"""What a method that reads a marker returns in place of a position, if more text must come first."""


class ProseReader:
    """The state between calls, and what markers do to it."""

    def __init__(self, index: OpenerIndex, expectations: Expectations) -> None:
        self.index = index
        """What is looked for in prose."""
        self._expectations = expectations
        self._reasoning = ReasoningState(active=expectations.starts_inside, opens=index.opens, late=index.late)
        self._quoting = Quoting()
        self._calls: CallsParser | None = None
        self._row: Grammar  # of the last call
        self._begun = False  # something has been read
        self._fresh = True  # nothing but white space has been read since a message began
        self._first = True  # nothing at all has been
        self._may_be_whole = True  # nothing but white space and reasoning has been read: a bare call may begin
        self._behind_call = False  # nothing but white space has been read since the last call
        self._ended = False  # nothing but white space has been read since the end of a turn
        self._invents: Literal["", "invented_result", "invented_turn"] = ""  # the model is playing somebody else
        self._call_count = 0
        self._opener_length = 0  # how much is text if what begins is no call after all; 0: its opening marker
        self._is_fenced = False  # all of this text stands in a fence, so that none opens in it
        self._events: list[Event] = []
        self.syntax: Syntax | None = None
        """The row of the first call that was found."""
        self.left_marker = False
        """An opener was passed as text, because no row has what followed it."""
        self.abandoned = Abandoned(expectations, has_rows=bool(index.entries))
        """Why what looks like a call stays text. It is told, and changes nothing."""

    def read_plain(self, text: str) -> None:
        """Note that a text without markers has been read, which changes what may follow."""
        self._begun = True
        self._first = False
        if self._reasoning.behind_late:
            self._reasoning.followed(text)
        if not text.isspace():
            self._may_be_whole = self._may_be_whole and self._reasoning.active
            self._behind_call = self._ended = self._fresh = self._reasoning.sole = False
        if self._reasoning.active:
            self._quoting.prose(text)
        else:
            self.abandoned.prose(text, self._quoting)

    def _emit(self, text: str) -> None:
        if text:
            self.read_plain(text)
            self._out(text)

    def _out(self, text: str) -> None:
        if self._reasoning.dropped:
            self._events.append(Removed(text, "marker"))
        else:
            self._events.append(Reasoning(text) if self._reasoning.active else Text(text))

    def _emit_to(self, match: re.Match[str], pos: int) -> int:
        self._emit(match.string[match.start() : pos])
        return pos

    def _emit_run(self, run: str, pos: int) -> int:
        self.abandoned.broken()
        self._quoting.run(run)
        self._ended = self._behind_call = self._fresh = self._first = self._reasoning.sole = False
        self._reasoning.behind_late = False
        self._out(run)
        return pos

    # -- markers -------------------------------------------------------------------------------------------------------

    def _at_marker(self, match: re.Match[str], end: End) -> int:
        marker, after = folded(match.group()), match.end()
        if marker[0] in "`~":
            return self._at_run(match, end)
        if marker not in self.index.first_markers.literals:  # only the start of one, at the end of the text
            return WAIT if end is End.MORE else self._emit_to(match, after)
        if marker in self.index.stems:
            tag = tag_at(match.string, match.start())
            if tag is None:
                waits = end is End.MORE and may_be_tag(match.string, match.start())
                return WAIT if waits else self._emit_to(match, after)
            match, after = tag, tag.end()
            marker = folded(split(tag.group())[0])
        if marker in self.index.first_markers.longer and after == len(match.string) and end is End.MORE:
            return WAIT
        if self._quoting.fenced and not (self._reasoning.active and marker in self.index.closes):
            return self._emit_to(match, after)
        if self._quoting.inline:
            quoted = self._quoting.quotation(match.string, after, whole=end is not End.MORE)
            if quoted is None:
                return WAIT
            if quoted:
                quotation = match.string[:quoted].rstrip("`")  # the run that closes it, if one does, is read as such
                return self._emit_to(match, len(quotation))
            self._quoting.removed()
        return self._at_meant_marker(match, marker, end)

    def _at_meant_marker(self, match: re.Match[str], marker: str, end: End) -> int:
        """A whole marker that stands in no code."""
        if marker in HTML:
            return self._at_html(match, end)
        if marker in self.index.opens:
            return self._at_opening_tag(match)
        closed = self._at_closing_tag(match) if marker in self.index.closes else None
        if closed is not None:
            return closed
        if marker in self.index.ends and marker not in self.index.entries:
            return self._at_end_token(match, end)
        if marker in self.index.message_openers:
            return self._at_message(match, end)
        turn = self.index.turns.look(match.string, match.start())
        if turn:
            return self._remove_tag(match.string, match.start(), turn)
        return WAIT if turn is None and end is End.MORE else self._at_opener(match, end)

    def _at_run(self, match: re.Match[str], end: End) -> int:
        """A run of backticks or tildes: a quotation begins or ends, or a fence that is a call."""
        raise NotImplementedError

    def _at_html(self, match: re.Match[str], end: End) -> int:
        """HTML that shows code: a comment or `<pre>` at the start of a line, `<code>` anywhere."""
        text, opener, after = match.string, folded(match.group()), match.end()
        if opener != "<!--" and after == len(text) and end is End.MORE:
            return WAIT
        opens = opener == "<!--" or text[after : after + 1] in (">", " ", "\n", "\t")
        opens = opens and (HTML[opener] in ONE_LINE or self._quoting.starts_fence)
        self._emit_to(match, after)
        if opens and not self._reasoning.active and not self._is_fenced:
            self._quoting.closer = HTML[opener]
        return after

    # -- reasoning -----------------------------------------------------------------------------------------------------

    def _at_opening_tag(self, match: re.Match[str]) -> int:
        at_line_start, first = self._quoting.blank, self._may_be_whole
        tag = self._reasoning.opening(folded(match.group()), at_line_start=at_line_start, first=first)
        if tag is None:
            return self._emit_to(match, match.end())
        self._reasoning.open(tag)
        self._may_be_whole = self._may_be_whole and tag.reasoning  # what is marked as an answer is no bare call
        return self._remove_tag(match.string, match.start(), len(match.group()))

    def _at_closing_tag(self, match: re.Match[str]) -> int | None:
        if self._quoting.marked and self.index.entries and not self._reasoning.active:
            return self._emit_to(match, match.end())
        closer, words = folded(match.group()), not (self._may_be_whole or self._call_count)
        was_open = self._reasoning.close(closer, behind_words=words)
        if was_open is None:
            return None if closer in self.index.ends else self._emit_to(match, match.end())
        if not was_open:
            self._events.append(Noted("reasoning_closed_late"))
        return self._remove_tag(match.string, match.start(), len(match.group()))

    def _remove_tag(self, text: str, start: int, length: int) -> int:
        tag = text[start : start + length]
        self._events.append(Removed(tag, "marker", tag=True))
        self._begin_anew()
        self._ended = folded(tag) in self.index.ends and bool(self.index.entries)
        return start + length

    def _begin_anew(self) -> None:
        """Behind something that was removed."""
        self.abandoned.broken()
        self._begun = True
        self._behind_call = self._ended = self._fresh = self._first = False
        self._quoting = Quoting()

    # -- turns ---------------------------------------------------------------------------------------------------------

    @property
    def _turn_may_begin(self) -> bool:
        return (self._ended or self._behind_call) and bool(self.index.entries)

    def _at_turn(self, text: str, pos: int, end: End, least: int = 0) -> int | None:
        """What speaks at a place where a turn, or an answer, may begin. None: nobody, or the answer goes on.

        `least` is how far a header of the model's own must reach: to there goes a marker of ours that breaks off.
        """
        voice = voice_at(text, pos, whole=end is not End.MORE, results=self.index.own_results)
        if voice is False or (not self._turn_may_begin and text[pos].isalpha()):
            return None
        if voice is True:
            return WAIT
        if voice.speaker == "own":
            if voice.end < least:
                return None
            self._events.append(Removed(text[pos : voice.end], "marker", turn=True))
            self._begin_anew()
            self._ended = self._fresh = self._first = True
            return voice.end
        if not self._turn_may_begin or (self._reasoning.active and voice.tag and not self._ended):
            return None
        return self._invent(text, pos, result=voice.speaker == "result")

    def _invent(self, text: str, pos: int, *, result: bool) -> int:
        """The model plays somebody else: that, and whatever follows it, is not for the client."""
        self._invents = "invented_result" if result else "invented_turn"
        self._events.append(Removed(text[pos:], self._invents))
        return len(text)

    def _at_end_token(self, match: re.Match[str], end: End) -> int:
        """It ends the turn if that of somebody follows; otherwise it is text, at the end or not."""
        text, after = match.string, match.end()
        if match.group() in DUAL and not self._quoting.marked:
            behind = followed(text, after, whole=end is not End.MORE)
            if behind is None:
                return WAIT
            if behind == "text" and not in_a_sentence(text, after):
                return self._invent(text, match.start(), result=match.group() == "<|observation|>")
        marked = self._quoting.marked
        self._emit_to(match, after)
        self._ended = not marked
        return after

    def _at_message(self, match: re.Match[str], end: End) -> int:
        """What the header of a message begins with."""
        raise NotImplementedError

    # -- calls begin ---------------------------------------------------------------------------------------------------

    def _at_opener(self, match: re.Match[str], end: End) -> int:
        header = header_at(self.index, match, self._expectations, end)
        waits = header is True and end is End.STOP
        if (header is False or waits) and (self._fresh or self._ended or self._behind_call):
            after = self._at_turn(match.string, match.start(), end, len(match.string.rstrip()) if waits else 0)
            if after is not None:
                return after
        if header is False and folded(match.group()) in self.index.ends:
            return self._at_end_token(match, end)
        return self._read_header(header, match, end)

    def _read_header(self, header: Header | re.Match[str] | bool, opener: re.Match[str], end: End) -> int:
        """What `header_at` found at an opener."""
        text, start = opener.string, opener.start()
        quoted = self._quoting.marked and not self._reasoning.active
        if self._reasoning.muted and not (self._reasoning.sole and self._may_be_sole(header)):
            if header is True and end is End.MORE:
                return WAIT
            self.abandoned.leave("in_message", len(opener.group()))
            return self._emit_to(opener, opener.end())
        if isinstance(header, Header):
            self._begin(header, quoted=quoted)
            return header.end
        if isinstance(header, re.Match) and not quoted:
            return self._at_empty_pair(header, end)
        if header is True and end is End.MORE:
            return WAIT
        if header is True and end is End.CUT and not quoted:
            self._events.append(Removed(text[start:], "cut"))
            return len(text)
        self.left_marker = True
        if not self._reasoning.active:
            undeclared = header is False and is_undeclared(self.index, opener, self._expectations)
            self.abandoned.opener(len(opener.group()), "undeclared_left" if undeclared else None)
        return self._emit_to(opener, opener.end())

    def _at_empty_pair(self, pair: re.Match[str], end: End) -> int:
        """A pair of call markers with nothing between them."""
        raise NotImplementedError

    def _may_be_sole(self, header: Header | re.Match[str] | bool) -> bool:
        """Whether a call may be all of a message that is for a reader."""
        return isinstance(header, Header) and self._expectations.declared(header.name) is not None

    def _begin(self, header: Header, *, prefilled: int = 0, quoted: bool = False) -> None:
        """A run of calls begins. So many characters of its header are the prompt's."""
        context = CallContext(
            raw=header.raw[prefilled:],
            name=header.name,
            id=header.id,
            grouped=header.grouped,
            alone=self._quoting.blank,
            in_reasoning=self._reasoning.active,
            index=self._call_count,
        )
        self._begun, self._reasoning.behind_late, self._opener_length = True, False, 0
        self.abandoned.broken()
        self._row = header.row
        parser = header.row.parser(context, self._expectations)
        if quoted:
            self.abandoned.quotation_begins()
            self._calls = QuotedCalls(parser)
            return
        if self._reasoning.sole and self._reasoning.muted:
            self._calls = SoleInMessage(parser, context.raw, MESSAGE_ENDS, START)
        else:
            self._calls = parser
        self.syntax = self.syntax or header.row.syntax
        self._may_be_whole = False
