"""End-of-turn tokens at the end of a turn are taken off: at the very end of the text, or before the next turn.

Anywhere else they are text. Held: such tokens, or the start of one, with the white space around them, until something
follows. Each character is looked at once, however many tokens follow each other.
"""

from __future__ import annotations

import re

from converters.syntaxes import END_TOKENS
from converters.text.events import CallStart, End, Event, LeaseKind, Reasoning, Removed, Text
from converters.text.once import made_once
from converters.text.scanner import any_of, characters, folded


class _Patterns:
    """The table's tokens, and those of one row's own, as patterns."""

    def __init__(self, own: tuple[str, ...]) -> None:
        known = sorted((*END_TOKENS, *own), key=len, reverse=True)
        half = any_of(known)
        token = "|".join("".join(characters(folded(token))) for token in known)
        self.token = re.compile(token)
        self.tokens = re.compile(f"(?:{token})+")
        self.run = re.compile(rf"(?:{half}\s*)+")
        self.goes_on = re.compile(rf"\s*(?:{half}\s*)*")
        self._head = re.compile("|".join(re.escape(head) for head in sorted({token[0] for token in known})))
        self._longest = max(map(len, known))

    def may_end(self, event: Event) -> bool:
        """Whether a text may end in a token, or in the start of one: the last one begins near the end."""
        if type(event) is not Text and type(event) is not Reasoning:
            return False
        text, longest = event.text, self._longest
        return self._head.search(text, 0 if len(text) <= longest else max(0, len(text.rstrip()) - longest)) is not None


_patterns = made_once(128)(_Patterns)


class EndTokens:
    """Filters Text and Reasoning."""

    __slots__ = ("_behind", "_half", "_kind", "_patterns", "_whole")

    def __init__(self, own: tuple[str, ...] = ()) -> None:
        """`own` are tokens that count beside those of the table."""
        self._patterns = _patterns(own)
        self._whole: list[str] = []  # whole tokens and white space that are held
        self._half = ""  # what is held behind them: the start of a token
        self._kind: type[Text] | type[Reasoning] = Text
        self._behind: list[Event] = []  # events without text that came while something was held

    @property
    def _holds(self) -> bool:
        return bool(self._whole or self._half)

    def feed(self, events: list[Event]) -> list[Event]:
        if not (self._whole or self._half) and not any(map(self._patterns.may_end, events)):
            return events  # by far the most
        out: list[Event] = []
        for event in events:
            if isinstance(event, Text | Reasoning):
                if self._behind or (self._holds and type(event) is not self._kind):
                    self._release(out)
                self._kind = type(event)
                self._text(event.text, out)
            elif isinstance(event, Removed) and (event.turn or event.reason in ("invented_result", "invented_turn")):
                self._take_off(out)
                out.append(event)
            elif isinstance(event, CallStart) or not self._holds:
                self._release(out)
                out.append(event)
            else:
                self._behind.append(event)
        return out

    def permits(self, kind: LeaseKind) -> bool:
        return not (self._whole or self._half)

    def _text(self, text: str, out: list[Event]) -> None:
        pos = 0
        if self._holds:
            text, self._half = self._half + text, ""
            goes_on = self._patterns.goes_on.match(text)
            if goes_on is not None and goes_on.end() == len(text):
                self._hold(text)
                return
            self._release(out)
        for run in self._patterns.run.finditer(text):
            if run.end() == len(text):
                pos = run.start()
                break
        else:
            pos = len(text)
        if pos:
            out.append(self._kind(text[:pos]))
        if pos < len(text):
            self._hold(text[pos:])

    def _hold(self, text: str) -> None:
        """Hold tokens and white space, which may end in half a token."""
        end = 0
        for token in self._patterns.token.finditer(text):
            end = token.end()
        space = len(text) - len(text[end:].lstrip())
        self._whole += [text[:space]] if space else []
        self._half = text[space:]

    def _held(self) -> str:
        held = "".join(self._whole) + self._half
        self._whole, self._half = [], ""
        return held

    def _release(self, out: list[Event]) -> None:
        held = self._held()
        if held:
            out.append(self._kind(held))
        out += self._behind
        self._behind = []

    def _take_off(self, out: list[Event]) -> None:
        """The turn is over: the tokens go, the white space between them and half a token stay."""
        held = self._held()
        pos = 0
        for tokens in self._patterns.tokens.finditer(held):
            if tokens.start() > pos:
                out.append(self._kind(held[pos : tokens.start()]))
            out.append(Removed(tokens.group(), "end_token"))
            pos = tokens.end()
        if pos < len(held):
            out.append(self._kind(held[pos:]))
        out += self._behind
        self._behind = []

    def finish(self, end: End) -> list[Event]:
        out: list[Event] = []
        self._take_off(out)
        return out
