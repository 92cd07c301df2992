"""White space at the edge of what was removed goes with it; everything else of a text stays, byte for byte.

Trailing white space is held until other text follows or the text ends, 4 kB at most. Before the first and after the
last removed span it is dropped, and so it is between two spans with nothing else between them. White space that was
dropped before a span is restored if text follows after all, so that two stretches of text stay apart.
"""

from __future__ import annotations

from converters.text.events import ArgumentsDelta, End, Event, LeaseKind, Noted, Reasoning, Removed, Text

_HOLD = 4096


class TextChannel:
    """The content, or the reasoning: one text that the client will see joined."""

    __slots__ = ("_begun", "_dropped", "_gap", "_kind", "_most", "_removed", "held", "holds_space")

    def __init__(self, kind: type[Text] | type[Reasoning], *, holds: bool = True) -> None:
        self._kind = kind
        self.holds_space = holds
        self._most = _HOLD if holds else 0
        self.held = ""
        """White space that waits for what follows it."""
        self._begun = False  # something but white space has left
        self._removed = False  # something was removed somewhere
        self._gap = False  # something was removed since then
        self._dropped = ""  # the white space that stood before that gap

    def text(self, text: str, out: list[Event]) -> None:
        stripped = text.strip()
        if not stripped:
            self.held += text
            self._overflow(out)
            return
        start = text.index(stripped)
        self.held += text[:start]
        self._overflow(out)
        before = self.held
        if self._gap and not self._begun:
            self._drop(before, out)
            before = ""
        self._restore(out)
        out.append(self._kind(before + stripped))
        self._begun, self._gap = True, False
        self.held = text[start + len(stripped) :]
        self._overflow(out)

    def restored_text(self, text: str, out: list[Event]) -> None:
        """Text that a converter took out whole and gives back in part: its span is accounted for already."""
        stripped = text.strip()
        if not stripped:
            return
        lead = text[: text.index(stripped)]
        if self._gap and not self._begun:
            self._drop(self.held, out)
            self.held = lead = ""
        self._restore(out)
        if self.held:
            out.append(self._kind(self.held))
        out.append(self._kind(lead + stripped, restored=True))
        self.held = ""
        self._begun, self._gap = True, False

    def _overflow(self, out: list[Event]) -> None:
        """More white space than may be held flows, in blocks that do not depend on how it came."""
        start = 0
        while len(self.held) - start > self._most and not (self._gap and not self._most):
            block = self._most or len(self.held)
            self._restore(out)
            out.append(self._kind(self.held[start : start + block]))
            start += block
            self._begun, self._gap = True, False
        self.held = self.held[start:] if start else self.held

    @property
    def empty(self) -> bool:
        """Nothing is held."""
        return not self.held

    def passes(self, text: str) -> bool:
        """Whether a text may leave as it is: the common case, checked first for speed."""
        return not self.held and not self._gap and not text[-1].isspace() and (self._begun or not text[0].isspace())

    @property
    def goes_on(self) -> bool:
        """Something has left, and nothing was removed behind it: more text only follows it, which `take` is for."""
        return self._begun and not self._gap

    def take(self, text: str) -> str | None:
        """What leaves of a text where the channel `goes_on`; None for white space alone, or too much at the end."""
        if not self.held and not text[-1].isspace():
            return text
        stripped = text.rstrip() if self._most else text
        if not stripped or len(text) - len(stripped) > _HOLD:
            return None
        taken = self.held + stripped
        self.held = text[len(stripped) :]
        return taken

    def passed(self) -> None:
        self._begun = True

    def span(self, out: list[Event]) -> None:
        """Something that does not belong to this text stands here."""
        if self.held:
            if not self._gap and self._begun:
                self._dropped = self.held
            self._drop(self.held, out)
            self.held = ""
        self._gap = self._removed = True

    def end(self, out: list[Event]) -> None:
        if self._removed:
            self._drop(self.held, out)
        elif self.held:
            out.append(self._kind(self.held))
        self.held = ""

    def _restore(self, out: list[Event]) -> None:
        if self._dropped:
            out.append(self._kind(self._dropped, restored=True))
            self._dropped = ""

    def _drop(self, space: str, out: list[Event]) -> None:
        if space:
            out.append(Removed(space, "whitespace"))


class Whitespace:
    """The last stage: all other stages may leave white space behind."""

    __slots__ = ("_content", "_reasoning", "apart")

    def __init__(self, *, holds: bool = True) -> None:
        """Without `holds`, the content is not held: no call can stand behind it."""
        self._content = TextChannel(Text, holds=holds)
        self._reasoning = TextChannel(Reasoning)
        self.apart = False
        """The server split reasoning from content: neither was removed from the other."""

    def feed(self, events: list[Event]) -> list[Event]:
        out: list[Event] = []
        if len(events) == 1:
            event = events[0]
            if type(event) is Text and not event.restored:
                if self._content.goes_on and self._reasoning.empty:
                    taken = self._content.take(event.text)
                    if taken is not None:
                        return events if taken is event.text else [Text(taken)]
                elif self._content.passes(event.text):
                    self._other_goes_on(self._reasoning, out)
                    self._content.passed()
                    return [*out, event] if out else events
            if type(event) is ArgumentsDelta:
                return events  # its call has begun, so both texts know of the gap
        for event in events:
            if isinstance(event, Text) and event.restored:
                self._content.restored_text(event.text, out)
            elif isinstance(event, Text):
                self._other_goes_on(self._reasoning, out)
                self._content.text(event.text, out)
            elif isinstance(event, Reasoning):
                self._other_goes_on(self._content, out)
                self._reasoning.text(event.text, out)
            else:
                if not isinstance(event, Noted):
                    self._content.span(out)
                    self._reasoning.span(out)
                out.append(event)
        return out

    def lease(self, kind: LeaseKind) -> TextChannel | None:
        """The channel that more text of a kind only goes on in; None if it does more than that."""
        channel, other = self._content, self._reasoning
        if kind == "reasoning":
            channel, other = other, channel
        return channel if channel.goes_on and other.empty else None

    def _other_goes_on(self, channel: TextChannel, out: list[Event]) -> None:
        """Text of the other channel stands here: unless the server split them, it ends the white space of this one."""
        if self.apart:
            channel.end(out)
        else:
            channel.span(out)

    def finish(self, end: End) -> list[Event]:
        out: list[Event] = []
        self._content.end(out)
        self._reasoning.end(out)
        return out
