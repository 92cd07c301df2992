"""What the headers of messages mean: who speaks in them, to whom, and on which channel. And tags around citations.

Each method returns the position behind what it read, or WAIT, as those of prose.py do.
"""

from __future__ import annotations

import re

from converters.detect import channels
from converters.detect.citations import citation_end
from converters.detect.headers import Header, takes_nothing
from converters.detect.prose import WAIT, ProseReader
from converters.syntaxes.channels import FIRST, MESSAGE, RECIPIENTS, START
from converters.text.events import End, Removed
from converters.text.scanner import Lookahead


class MessageReader(ProseReader):
    """Reads messages on channels."""

    def _at_meant_marker(self, match: re.Match[str], marker: str, end: End) -> int:
        if marker not in self.index.inline:
            return super()._at_meant_marker(match, marker, end)
        after = citation_end(match, end)
        if after is None:
            return self._emit_to(match, match.end())
        if after != WAIT:
            self._begun = True
            self._events.append(Removed(match.string[match.start() : after], "marker"))
        return after

    def _at_message(self, match: re.Match[str], end: End) -> int:
        """What the header of a message begins with."""
        text, start, whole = match.string, match.start(), end is not End.MORE
        if self._quoting.marked:
            return self._emit_to(match, match.end())
        if match.group() == START:
            role = channels.other_speaker(text, start, whole=whole)
            if role is True:
                return WAIT
            if isinstance(role, str):
                return self._at_other(role, match, end)
        header = channels.message_header(text, start, whole=whole)
        if header is True:
            return WAIT
        if header is False:
            return self._at_broken_header(match, end)
        begins = self._fresh or self._ended or self._behind_call
        if not (begins or header.known):
            return self._emit_to(match, match.end())
        if header.lane is None:
            return self._at_addressed(header, match, end)
        self._reasoning.open_message(header.lane, muted=header.lane != "reasoning" and header.recipient in RECIPIENTS)
        self._may_be_whole = self._may_be_whole and header.lane == "reasoning"
        self._events.append(Removed(header.raw, "marker", tag=True, turn=True))
        self._begin_anew()
        return header.end

    def _at_other(self, role: str, match: re.Match[str], end: End) -> int:
        """A start token with a word that is not the model's role: another speaker, or the first word of a text."""
        text, start = match.string, match.start()
        header = channels.message_header(text, start, whole=end is not End.MORE)
        speaks = channels.is_speaker(role) or self._expectations.declared(role) is not None
        if header is True and not speaks:
            return WAIT
        if self._turn_may_begin and (speaks or header is not False):
            return self._invent(text, start, result=channels.is_result(role))
        if (self._fresh or self._ended or self._behind_call) and not speaks and header is False:
            self._events.append(Removed(match.group(), "marker", turn=True))
            self._begin_anew()
            return match.end()
        return self._emit_to(match, match.end())

    def _at_broken_header(self, match: re.Match[str], end: End) -> int:
        """A header that breaks off."""
        text, start = match.string, match.start()
        begins = self._fresh or self._ended or self._behind_call
        if match.group() in FIRST or match.group() == MESSAGE:
            broken = end is not End.MORE and begins and channels.message_header(text, start, whole=False) is True
            if broken and (end is End.CUT or "<" in text[start:]):
                self._events.append(Removed(text[start:], "cut" if end is End.CUT else "marker"))
                return len(text)
            return self._emit_to(match, match.end())
        if end is not End.MORE and channels.may_become_header(text, start):
            self._events.append(Removed(text[start:], "cut" if end is End.CUT else "marker", turn=True))
            return len(text)
        if match.group() == START and begins:
            behind = channels.begun_header(text, start)
            self._events.append(Removed(text[start:behind], "marker", turn=True))
            self._begin_anew()
            self._fresh = self._first = True
            return behind
        self.left_marker = True
        return self._emit_to(match, match.end())

    def _at_addressed(self, header: channels.MessageHeader, match: re.Match[str], end: End) -> int:
        """A message to a tool: a call, if a row takes what follows its header."""
        text = match.string
        name = header.recipient.removeprefix("functions.")
        waits = False
        at_end = re.compile(r"\S").search(text, header.end) is None
        for row, bodies in self.index.addressed if name else ():
            found, _, _ = bodies.look(text, header.end)
            waits = waits or found == Lookahead.YET
            code = name in row.syntax.code_tools and not at_end
            bare = found == Lookahead.YET and at_end and end is End.STOP and not row.syntax.group
            if found == Lookahead.FOUND or code or (bare and takes_nothing(name, self._expectations)):
                self._reasoning.turn(active=False)
                own = header.raw if row.syntax.group else ""  # else it is the header of the call
                if own or self._ended:  # even without a span it says that a turn is over
                    self._events.append(Removed(own, "marker", turn=True))
                if own:
                    self._begin_anew()
                else:
                    self._begin(Header(row, header.raw, header.end, name, None, grouped=True))
                    self._opener_length = len(header.raw)
                return header.end
        if waits and end is End.MORE:
            return WAIT
        if waits and end is End.CUT:
            self._events.append(Removed(text[match.start() :], "cut"))
            return len(text)
        self.left_marker = self.left_marker or bool(self.index.entries)
        return self._emit_to(match, header.end)
