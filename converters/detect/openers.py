"""What to look for in prose, made ready from the table: openers, tags of reasoning, results, quotations.

It may not know what any of it means where it is found; detect.py does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from converters.detect.abandoned import BARE_HEAD
from converters.detect.quoting import HTML, REMARKABLE, RUNS
from converters.detect.suffixes import split, stem, suffixed_grammar
from converters.shapes import grammar
from converters.shapes.machine import Grammar, Opener
from converters.syntaxes import END_TOKENS, REASONING_TAGS, SYNTAXES, ReasoningTag, Syntax
from converters.syntaxes.channels import CHANNEL, FIRST, MESSAGE, MESSAGE_ENDS, RECIPIENT, START
from converters.text.once import made_once
from converters.text.scanner import NOTHING, Lookahead, MarkerPrefilter, Markers, any_of, folded
from converters.text.templates import Pattern

OPENS = {folded(each.opens): each for each in REASONING_TAGS}
CLOSES = frozenset(closer for each in REASONING_TAGS for closer in each.closes) | {*MESSAGE_ENDS}
LATE = {closer: each for each in REASONING_TAGS if not each.shared_closer for closer in each.closes}
"""Closers that are believed without their openers."""

ENDS = frozenset(map(folded, END_TOKENS))
"""What ends a turn, folded."""

_END_HEADS = frozenset(token[0] for token in END_TOKENS)


class OpenerIndex:
    """What to look for in prose: the entries into each row by their opener, the likeliest row first."""

    def __init__(self, syntaxes: Iterable[Syntax], prior: str = "", own: Syntax | None = None) -> None:
        """`prior` names the likeliest row; `own` is that row, where none is looked for."""
        self.entries: dict[str, list[tuple[Grammar, Opener]]] = {}
        self.whole: list[Grammar] = []
        """Rows without a marker, which only a whole message can be written in."""
        self.empty: dict[str, list[Pattern]] = {}
        """Groups that hold no call, by their opener."""
        self.prefilled: Grammar | None = None
        """The row whose first opener the prompt has written."""
        rows = list(syntaxes)
        self._add_rows(map(grammar, rows), prior)
        own = own or next((row for row in rows if row.name == prior), None)
        own_tags = own.own_tags if own else ()
        self.own_ends = own.own_ends if own else ()
        """End-of-turn tokens that the likeliest row alone has."""
        self.own_results = own.own_results if own else ()
        """What opens the results of tools for the likeliest row alone."""
        self._add_own(own_tags)
        self.inline = frozenset(tag for each in SYNTAXES if each.name == prior for tag in each.inline_tags)
        """What the tags begin with that stand around words of the answer."""
        ends = (*self.ends, *HTML) if self.entries else ()
        reasoning_tags = [each for each in (*own_tags, *REASONING_TAGS) if each.only_for_row in ("", prior)]
        tags = [tag for each in reasoning_tags for tag in (each.opens, *each.closes)]
        self.turns = Turns(reasoning_tags)
        self._suffixed = [row for row in rows if row.suffixed]
        openers = [entry.opener for row in self._suffixed for entry in grammar(row).entries]
        openers += [tag for each in reasoning_tags if each.suffixed for tag in (each.opens, *each.closes)]
        self.stems = frozenset(map(stem, openers))
        """What tags that carry a suffix begin with."""
        self.addressed = [(row, Lookahead(row.syntax.addressed)) for row in map(grammar, rows) if row.syntax.addressed]
        """Rows whose calls are messages to a recipient, and what the body of such a message begins with."""
        self.message_openers = frozenset((START, CHANNEL, MESSAGE, *FIRST))
        """What the header of a message begins with."""
        anywhere = [START, CHANNEL, MESSAGE]
        if prior and any(row.syntax.name == prior and row.syntax.group for row, _ in self.addressed):
            anywhere.append(RECIPIENT)  # such a model leaves the start of a header out, even behind text
        markers = [
            *self.entries,
            *tags,
            *MESSAGE_ENDS,
            *ends,
            *self.turns.markers,
            *self.stems,
            *self.inline,
            *anywhere,
        ]
        markers = [marker for marker in markers if marker not in FIRST or marker in anywhere]
        self.first_markers = Markers([*markers, *FIRST], also=RUNS)
        """Those of the very start of a message. Markers that begin with a blank are believed there only."""
        self.markers = Markers([marker for marker in markers if marker[0] != " "], also=RUNS)
        only_first = Markers(self.first_markers.literals - self.markers.literals)
        self._begins_first = re.compile("|".join(only_first.heads) or NOTHING).match
        self._end_heads = _END_HEADS.union(token[0] for token in self.own_ends)
        bare = [BARE_HEAD] if self.entries else []
        self.prefilter = MarkerPrefilter(self.markers, self._end_heads, REMARKABLE if self.entries else "", bare)
        self._reached = {marker: self._entries_reached(marker) for marker in self.first_markers.literals}

    def _add_rows(self, rows: Iterable[Grammar], prior: str) -> None:
        for row in rows:
            if row.syntax.prefilled_call and row.syntax.name == prior:
                self.prefilled = row
            for opener, pattern in row.empty_groups.items():
                self.empty.setdefault(opener, []).append(pattern)
            if row.syntax.whole_message:
                self.whole.append(row)
                continue
            for entry in row.entries:
                if row.syntax.addressed and entry.opener.startswith((START, CHANNEL, *FIRST)):
                    continue  # read as the header of a message
                self.entries.setdefault(entry.opener, []).append((row, entry))

    def _add_own(self, own_tags: Sequence[ReasoningTag]) -> None:
        """The tags of reasoning and the ends of turns: the table's, and those that the likeliest row alone has."""
        self.opens, self.closes, self.late, self.ends = OPENS, CLOSES, LATE, ENDS
        if own_tags:
            self.opens = OPENS | {folded(each.opens): each for each in own_tags}
            own_closes = {closer: each for each in own_tags for closer in each.closes}
            self.closes = CLOSES.union(own_closes)
            self.late = LATE | {closer: each for closer, each in own_closes.items() if not each.shared_closer}
        if self.own_ends:
            self.ends = ENDS.union(map(folded, self.own_ends))

    def _entries_reached(self, marker: str) -> list[tuple[Grammar, Opener]]:
        """The longest marker is found, but the entries of a shorter one that it begins with may be meant."""
        openers = (marker[:length] for length in range(len(marker), 0, -1))
        return [entry for opener in openers for entry in self.entries.get(opener, ())]

    def search(self, text: str, pos: int, *, first: bool) -> re.Match[str] | None:
        """The next marker, or the start of one. `first`: nothing stands before the position."""
        if first and self._begins_first(text, pos):
            return self.first_markers.search(text, pos)
        return self.markers.search(
            text, pos
        )  # those of the start alone begin with blanks and words, of which all is full

    def is_plain(self, text: str) -> bool:
        """Whether a text holds no marker, nor what an end token begins with."""
        return self.markers.search(text) is None and self._end_heads.isdisjoint(text)

    def entries_at(self, opener: str) -> Sequence[tuple[Grammar, Opener]]:
        """The entries of an opener, which may carry a suffix."""
        suffix = split(opener)[1]
        if opener in self.entries or not suffix:
            return self._reached.get(opener, ())
        ready = [suffixed_grammar(row, suffix) for row in self._suffixed]
        return [(row, entry) for row in ready for entry in row.entries if entry.opener == opener]

    def empty_at(self, opener: str) -> Sequence[Pattern]:
        """The groups without a call of an opener, which may carry a suffix."""
        suffix = split(opener)[1]
        if opener in self.entries or not suffix:
            return self.empty.get(opener, ())
        ready = [suffixed_grammar(row, suffix).empty_groups for row in self._suffixed]
        return [groups[opener] for groups in ready if opener in groups]


class Turns:
    """What opens the model's turn, if a reasoning tag follows.

    It goes before the tag behind it is whole, so that no more is held than of any marker: once it is known that the
    last part of the tag begins.
    """

    def __init__(self, reasoning_tags: Iterable[ReasoningTag]) -> None:
        tags = [
            (each.turn_opener, each.opens[: each.opens.rindex("<") + 1]) for each in reasoning_tags if each.turn_opener
        ]
        self.markers = frozenset(turn.strip() for turn, _ in tags)
        self._lengths = {turn + tag: len(turn) for turn, tag in tags}
        self._match = re.compile(any_of(self._lengths)).match if tags else None

    def look(self, text: str, pos: int) -> int | None:
        """The length of what opens a turn at a position, 0 if nothing does; None: not known yet."""
        match = self._match(text, pos) if self._match else None
        return self._lengths.get(match.group()) if match else 0


@made_once(128)
def opener_index(prior: Syntax | None) -> OpenerIndex:
    """The watch for a model whose name speaks for `prior`."""
    rest = [syntax for syntax in SYNTAXES if prior is None or syntax.name != prior.name]
    return OpenerIndex([prior, *rest], prior.name) if prior else OpenerIndex(rest)


@made_once(128)
def sole_index(row: Syntax) -> OpenerIndex:
    """The watch for the calls of one row and no other."""
    return OpenerIndex([row], row.name)


@made_once(128)
def reasoning_index(prior: Syntax | None = None) -> OpenerIndex:
    """For requests that bring no tools: whatever looks like a call is the client's own business.

    `prior` is the row whose own words of reasoning count, also where the prompt has written their start.
    """
    index = OpenerIndex((), prior.name if prior else "", own=prior)
    index.prefilled = grammar(prior) if prior and prior.prefilled_call else None
    return index
