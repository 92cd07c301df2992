"""Shape C: a header that carries the name, then tagged keys and values. GLM, Qwen3-Coder, MiMo, Claude, MiniMax ...

A value is plain text, so its own closing tag may stand in it. A closer counts if, after white space, something
follows that the row allows there, or the end; and where a closer is missing, the opener of another parameter that
the tool declares ends the value if it stands at a line start. Strings flow; what is held meanwhile is a possible
closer with the white space behind it, and the newline that a row takes off a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from html import unescape

from converters.shapes.grouped import GroupedGrammar, GroupedParser
from converters.shapes.machine import CallContext, CallsParser
from converters.syntaxes import Syntax
from converters.text.events import Ending
from converters.text.expectations import Expectations, Schema
from converters.text.scanner import Lookahead, Markers, Pattern, bordered_token, first_token, loosened, spellings
from converters.values.json.output import Flow
from converters.values.schema import properties
from converters.values.writer import ArgumentsWriter, JsonArguments, json_arguments

_OBJECT = ("{", "```")
"""How an object with all arguments begins, which some models write where parameters belong."""


class TaggedGrammar(GroupedGrammar):
    """A tagged row, made ready for reading."""

    body = "{parameters}"

    def __init__(self, syntax: Syntax) -> None:
        self.parameters = [ParameterSample(each, syntax) for each in (*syntax.also_parameter, syntax.parameter)]
        self.keys = list(dict.fromkeys(key for each in self.parameters for key in each.tokens))
        self.closers = [closer for each in self.parameters if not each.keyed for closer in each.closer("")]
        """Those of values, which close nothing behind a header and are passed over there."""
        super().__init__(syntax)
        inside = self.after_header()
        self.between_parameters = Lookahead([*inside, *self.headers, *self.group_opens])
        calls = self.spelled(map(bordered_token, (syntax.call, *syntax.also_call)))
        keys = self.spelled(map(bordered_token, (syntax.parameter, *syntax.also_parameter)))
        self.after_foot = Lookahead([*calls, *self.feet, *self.group_closes, *self.group_opens])
        self.after_value = Lookahead([*keys, *calls, *self.feet, *self.group_closes, *self.group_opens])

    def after_header(self) -> list[str]:
        inside = [*self.keys, *self.feet, *self.group_closes, *_OBJECT]
        return inside + self.closers

    def parameter(self, text: str, pos: int, *, waits: bool) -> tuple[ParameterSample, re.Match[str]] | bool:
        """The sample that a parameter's opener fits, and how; True if that cannot be known yet, False if none does."""
        for sample in self.parameters:
            match = sample.opener.match(text, pos)
            if match:
                return sample, match
            if waits and sample.opener.may_match(text, pos):
                return True
        return False

    def value_ends(self, sample: ParameterSample, key: str) -> ValueEnds:
        """What may end the value of a key; the same for all keys unless their names stand in their closers."""
        return _value_ends(self, sample, key if sample.keyed else "")

    def parser(self, context: CallContext, expectations: Expectations) -> CallsParser:
        return TaggedParser(self, context, expectations, ArgumentsWriter)


class ParameterSample:
    """One way in which a row writes a parameter."""

    def __init__(self, template: str, syntax: Syntax) -> None:
        opener, self._close = template.split("{value}")
        self.trims = opener.endswith("\n") and self._close.startswith("\n")
        self.keyed = "{key}" in self._close
        self.opener = Pattern(loosened(opener.rstrip("\n"), syntax.lead_token), prefix=syntax.prefix)
        self.tokens = spellings(first_token(template), syntax.prefix, syntax.lead_token)
        self._spelling = syntax.prefix, syntax.lead_token

    def closer(self, key: str) -> list[str]:
        """The spellings of the marker that closes the value of a key."""
        first = self._close.replace("{key}", key).strip("\n").partition("\n")[0]
        return spellings(first, *self._spelling)


class ValueEnds:
    """How the end of a text value is noticed, and what must follow for it to count."""

    def __init__(self, grammar: TaggedGrammar, sample: ParameterSample, key: str) -> None:
        self.closers = frozenset(sample.closer(key))
        self.next_keys = frozenset("\n" + opener for opener in grammar.keys)
        self.markers = Markers([*self.closers, *grammar.feet, *grammar.group_closes, *self.next_keys])
        self._after_value = grammar.after_value
        self._after_foot = grammar.after_foot

    def follow(self, marker: str) -> Lookahead:
        return self._after_value if marker in self.closers else self._after_foot


@lru_cache(maxsize=256)
def _value_ends(grammar: TaggedGrammar, sample: ParameterSample, key: str) -> ValueEnds:
    return ValueEnds(grammar, sample, key)


class TaggedParser(GroupedParser):
    """Reads one run of calls, value by value."""

    def __init__(
        self,
        grammar: TaggedGrammar,
        context: CallContext,
        expectations: Expectations,
        writer: Callable[[Schema], ArgumentsWriter],
    ) -> None:
        self._grammar = grammar
        self._make_writer = writer
        self._trims = False
        self._json: JsonArguments
        super().__init__(grammar, context, expectations)

    def _body(self) -> None:
        self._arguments = self._make_writer(self._schema)
        self._state = self._parameters

    def _close(self, raw: str, how: Ending = "complete") -> None:
        """The call is over, and so are its arguments."""
        if not self._out.open:
            self._start()
        arguments = self._arguments
        self._out.arguments(arguments.close())
        self._out.end(how, raw, arguments.codes)

    def _close_at_end(self) -> None:
        """The model stopped between two parameters, perhaps in half a marker: of a closer, or of another parameter."""
        raw = self._advance(len(self._buffer))
        half = raw.strip()
        closers = [*self._grammar.feet, *self._grammar.group_closes]
        self._close(raw, "complete" if not half or any(each.startswith(half) for each in closers) else "closed")
        self._end_run()

    # -- the states --------------------------------------------------------------------------------------------------

    def _parameters(self) -> bool:
        """Before a parameter, or the end of the call."""
        found, marker, after = self._grammar.between_parameters.look(self._buffer, self._pos)
        grammar = self._grammar
        if found == Lookahead.YET:
            if not self._finishing:
                return False
            self._close_at_end()
            return False
        if marker in grammar.keys:
            self._out.own(self._advance(after - len(marker)))
            self._state = self._key
        elif marker in _OBJECT and not self._arguments.begun:
            ends_at = [*grammar.feet, *grammar.group_closes]
            self._json = json_arguments(self._expectations, self._name, ends_at=ends_at)
            self._state = self._object
        elif marker in grammar.feet or marker in grammar.group_closes:
            if not self._out.open and marker in grammar.feet:
                alone = self._alone(after, self._rows.between_calls, self._rows.headers)
                if not alone:
                    return self._refuse() if alone is False else False
            self._close(self._advance(after))
            self._state = self._between
            if marker in grammar.group_closes or not (grammar.group_closes or len(grammar.feet) > 1):
                self._end_run()
        elif found == Lookahead.FOUND and marker in grammar.closers:
            self._out.own(self._advance(after))  # a closer that closes nothing
        else:
            self._close("")
            self._end_run()
        return True

    def _object(self) -> bool:
        """Instead of parameters, one JSON object with all of them."""
        arguments = self._json
        delta = arguments.feed(self._buffer[self._pos :])
        if self._finishing and not arguments.done:
            delta += arguments.finish()
            self._out.unclosed = arguments.closed or arguments.unreadable
        if not self._out.open:
            self._start()
        self._out.arguments(delta, self._advance(len(self._buffer) - len(arguments.rest)))
        if arguments.done:
            self._out.note(*arguments.codes)
            self._arguments.complete()
            self._state = self._parameters
        return arguments.done

    def _key(self) -> bool:
        grammar = self._grammar
        found = grammar.parameter(self._buffer, self._pos, waits=not self._finishing)
        if found is True:
            return False
        if found is False:  # no parameter: what follows is not for us to read, unless it is the half of one
            half = self._finishing and grammar.parameter(self._buffer, self._pos, waits=True) is True
            self._close(self._advance(len(self._buffer)) if half else "", "closed" if half else "complete")
            return self._end_run()
        sample, match = found
        if match.end() == len(self._buffer) and sample.trims and not self._finishing:
            return False  # the newline that belongs to the markup may still come
        # a value that begins on a line of its own ends on one too; one that begins behind its tag is verbatim
        self._trims = sample.trims and self._buffer.startswith("\n", match.end())
        end = match.end() + self._trims
        if not self._out.open:
            self._start()
        key = match["key"]
        self._ends = grammar.value_ends(sample, key)
        says = match.groupdict().get("type")
        kind = None if says is None else says in grammar.syntax.string_types
        lead = self._arguments.key(unescape(key) if grammar.syntax.escaped_keys else key, kind)
        self._out.arguments(lead, self._advance(end))
        self._state = self._value
        return True

    def _lease(self) -> Flow | None:
        written = self._arguments.flow if self._state == self._value else None
        if written is None:
            return None
        end_of, trims = self._ends.markers.search, self._trims

        def take(text: str) -> str | None:
            return written(text) if end_of(text) is None and not (trims and text[-1] == "\n") else None

        return take

    def _value(self) -> bool:
        """Inside a value: let flow what cannot be its end."""
        pos = self._pos
        while True:
            match = self._ends.markers.search(self._buffer, pos)
            if match is None:
                self._flow(len(self._buffer))
                if self._finishing:
                    self._out.unclosed = True
                    self._end_value(len(self._buffer), len(self._buffer))
                return self._finishing
            ended = self._ended_by(match)
            if ended is None:
                self._flow(match.start())
                return self._finishing and self._end_value_at_end(match)
            if ended:
                self._end_value(match.start(), match.end() if match.group() in self._ends.closers else match.start())
                return True
            pos = match.start() + 1

    def _ended_by(self, match: re.Match[str]) -> bool | None:
        """Whether a possible end of the value is its end; None if that cannot be known yet."""
        marker = match.group()
        if marker not in self._ends.markers.literals:
            return None
        if marker in self._ends.next_keys:
            return self._next_key(match.start() + 1)
        found, _, _ = self._ends.follow(marker).look(self._buffer, match.end())
        if found == Lookahead.YET:
            return True if self._finishing else None
        return found == Lookahead.FOUND

    def _next_key(self, pos: int) -> bool | None:
        """Whether another parameter that the tool declares opens at a line start inside a value."""
        found = self._grammar.parameter(self._buffer, pos, waits=True)
        if isinstance(found, bool):
            return None if found else False
        return found[1]["key"] in properties(self._schema)

    def _flow(self, end: int) -> None:
        """Send a value's text up to `end`, but for the last newline of a row that takes one off."""
        if self._trims and end > self._pos and self._buffer[end - 1] == "\n":
            end -= 1
        if end > self._pos:
            piece = self._advance(end)
            delta = self._arguments.text(piece)
            if delta:
                self._out.arguments(delta, piece)
            else:
                self._out.own(piece)

    def _end_value(self, end: int, after: int) -> None:
        self._flow(end)
        raw = self._advance(after)
        self._out.arguments(self._arguments.end(), raw)
        self._state = self._parameters

    def _end_value_at_end(self, match: re.Match[str]) -> bool:
        """The model stopped inside a value, perhaps inside its closer: what is there is all there is."""
        only_space = match.group().isspace()
        end = len(self._buffer) if only_space else match.start()
        self._out.unclosed = only_space
        self._end_value(end, len(self._buffer))
        return True
