"""Where a value that is plain text ends. It may hold anything, its own closing tag and whole calls included.

A closer counts if, after white space, something follows that the row allows there, or the end. What opens another
parameter that the tool declares ends the value too, if it stands at a line start. A parameter that the tool does not
declare ends nothing. Once the head of a whole call of the same row stands at a line start, the value is documentation
that shows one: all up to the full close of that call is text.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from converters.syntaxes import Syntax
from converters.text.expectations import Expectations, Schema
from converters.text.once import made_once
from converters.text.scanner import Lookahead, Markers, folded
from converters.text.templates import Pattern, first_tokens, loosened, spellings
from converters.values.schema import properties

if TYPE_CHECKING:
    from converters.shapes.tagged import TaggedGrammar

END, WAIT, TEXT = range(3)
"""The value ends; more text must come first; all up to the position is text of the value."""

_BLANKS = re.compile(r"\s*")


class ParameterSample:
    """One way in which a row writes a parameter."""

    def __init__(self, template: str, syntax: Syntax) -> None:
        opener, self._close = template.split("{value}")
        self.trims = opener.endswith("\n") and self._close.startswith("\n")
        self.keyed = "{key}" in self._close
        self.opener = Pattern(loosened(opener.rstrip("\n"), syntax.lead_token), prefix=syntax.prefix)
        self.tokens = first_tokens(template, syntax.prefix, syntax.lead_token)
        self._spelling = syntax.prefix, syntax.lead_token

    def closer(self, key: str) -> list[str]:
        """The spellings of the marker that closes the value of a key."""
        first = self._close.replace("{key}", key).strip("\n").partition("\n")[0]
        return spellings(folded(first), *self._spelling)


class ValueEnds:
    """What may end a text value in one row."""

    def __init__(self, grammar: TaggedGrammar, sample: ParameterSample, key: str) -> None:
        self.closers = frozenset(sample.closer(key))
        self.next_keys = frozenset("\n" + opener for opener in grammar.keys)
        self.heads = frozenset("\n" + opener for opener in (*grammar.headers, *grammar.group_opens)) - self.next_keys
        """What the head of a whole call begins with, at a line start."""
        ends = [*self.closers, *grammar.feet, *grammar.group_closes, *self.next_keys]
        self.markers = Markers([*ends, *self.heads])


@made_once(256)
def value_ends(grammar: TaggedGrammar, sample: ParameterSample, key: str) -> ValueEnds:
    return ValueEnds(grammar, sample, key)


class TextValue:
    """Finds the end of one value after the other."""

    __slots__ = (
        "_after_foot",
        "_after_value",
        "_any_key",
        "_declared",
        "_expectations",
        "_given",
        "_grammar",
        "ends",
        "nested",
    )

    def __init__(
        self, grammar: TaggedGrammar, expectations: Expectations, schema: Schema, *, escaped: bool = False
    ) -> None:
        """`escaped`: the model writes `\\n` between its tags."""
        self._grammar = grammar
        self._after_value, self._after_foot = grammar.after_value[escaped], grammar.after_foot[escaped]
        self._expectations = expectations
        self._declared = frozenset(properties(schema))
        self._any_key = not self._declared or bool(
            schema.get("additionalProperties") or schema.get("patternProperties")
        )
        self._given: set[str] = set()
        self.ends: ValueEnds
        self.nested: list[bool] = []
        """The calls that are shown in the value and not closed yet; True for those that stand in their group."""

    def begin(self, ends: ValueEnds, key: str) -> None:
        """A value begins."""
        self.ends = ends
        self._given.add(key)
        self.nested = []

    def find_end(self, text: str, pos: int, *, finishing: bool) -> tuple[int, int]:
        """(a position, END or WAIT): where the value ends, or up to where all is text of it."""
        while True:
            match = self.ends.markers.search(text, pos)
            if match is None:
                return len(text), WAIT
            after, verdict = self._at(match, finishing=finishing)
            if verdict != TEXT:
                return match.start(), verdict
            pos = after

    def closer_end(self, text: str, pos: int) -> int:
        """The position behind the value's own closer, if the value ends in front of it."""
        match = self.ends.markers.search(text, pos)
        closes = match is not None and match.start() == pos and folded(match.group()) in self.ends.closers
        return match.end() if match is not None and closes else pos

    def _at(self, match: re.Match[str], *, finishing: bool) -> tuple[int, int]:
        """At a marker: (the position to go on from if it is text, verdict)."""
        marker, text, start = folded(match.group()), match.string, match.start()
        if marker not in self.ends.markers.literals:
            return start, WAIT
        if marker in self.ends.heads:
            return self._at_head(match, finishing=finishing)
        if self.nested:
            return self._at_nested_closer(text, start, finishing=finishing)
        if marker in self.ends.next_keys:
            return start + 1, self._at_key(text, start + 1, finishing=finishing, again=False)
        follow = self._after_value if marker in self.ends.closers else self._after_foot
        found, follower, end = follow.look(text, match.end())
        if found == Lookahead.YET:
            return start, END if finishing else WAIT
        if found == Lookahead.FOUND and follower in self._grammar.keys and marker in self.ends.closers:
            verdict = self._at_key(text, end - len(follower), finishing=finishing, again=True)
            others = (*self._grammar.headers, *self._grammar.group_opens)
            return start + 1, END if verdict == TEXT and follower in others else verdict
        return start + 1, END if found == Lookahead.FOUND else TEXT

    def _at_key(self, text: str, pos: int, *, finishing: bool, again: bool) -> int:
        """Whether a parameter begins that ends the value. `again`: behind a closer, a key may come twice."""
        found = self._grammar.parameter(text, pos, waits=not finishing)
        if isinstance(found, bool):
            return WAIT if found else TEXT
        key = found[1]["key"].strip()
        key = unescape(key) if self._grammar.syntax.escaped_keys else key
        if again:
            return END if self._any_key or key in self._declared else TEXT
        return END if key in self._declared and key not in self._given else TEXT

    def _at_head(self, match: re.Match[str], *, finishing: bool) -> tuple[int, int]:
        """Where the head of a whole call may stand, at a line start."""
        text, start = match.string, match.start() + 1
        for entry in self._grammar.entries:
            head = entry.pattern.match(text, start)
            if head is not None and self._expectations.declared(head.groupdict().get("name") or "") is not None:
                opener = folded(text[start : match.end()])
                self.nested.append(opener in self._grammar.group_opens and opener not in self._grammar.headers)
                return head.end(), TEXT
            if head is None and not finishing and entry.pattern.may_match(text, start):
                return start, WAIT
        return start, TEXT

    def _at_nested_closer(self, text: str, start: int, *, finishing: bool) -> tuple[int, int]:
        """At something that may close the call that is shown; its full close may also be that of the call itself."""
        pattern = self._grammar.full_close(in_group=self.nested[-1])
        close = pattern.match(text, start)
        if close is None:
            waits = not finishing and pattern.may_match(text, start)
            return start + 1, WAIT if waits else TEXT
        blanks = _BLANKS.match(text, close.end())
        behind = blanks.end() if blanks else close.end()
        if behind == len(text):
            return start, END if finishing else WAIT
        opens_call = self._after_foot.look(text, behind)
        if opens_call[0] == Lookahead.YET and not finishing:
            return start, WAIT
        if opens_call[0] == Lookahead.FOUND and opens_call[1] in (*self._grammar.headers, *self._grammar.group_opens):
            return start, END
        self.nested.pop()
        return close.end(), TEXT
