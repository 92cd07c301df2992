"""Shape C: a header that carries the name, then tagged keys and values. GLM, Qwen3-Coder, MiMo, Claude, MiniMax ...

A value is plain text; text_value.py decides where it ends. Strings flow; what is held meanwhile is a possible closer
with the white space behind it, the newline that a row takes off a value, and a value that could be a placeholder.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

from converters.shapes.grouped import GroupedGrammar, GroupedParser
from converters.shapes.machine import CallContext, CallsParser
from converters.shapes.opening import OpeningArguments, is_placeholder, may_be_bare, may_be_placeholder
from converters.shapes.text_value import END, ParameterSample, TextValue, ValueEnds, value_ends
from converters.syntaxes import Syntax
from converters.text.expectations import Expectations, Schema
from converters.text.reasons import Reason
from converters.text.scanner import BLANKS, SPACE, Lookahead, folded
from converters.text.templates import Pattern
from converters.values.json.output import Flow
from converters.values.writer import ArgumentsWriter, json_arguments

_OBJECT = ("{", "```")
"""How an object with all arguments begins, which some models write where parameters belong."""


_LINE_END = re.compile(r"\r?\n")


class TaggedGrammar(GroupedGrammar):
    """A tagged row, made ready for reading."""

    body = "{parameters}"

    def __init__(self, syntax: Syntax) -> None:
        samples = sorted((syntax.parameter, *syntax.also_parameter), key=len, reverse=True)
        self.parameters = [ParameterSample(each, syntax) for each in samples]
        """The longest first: a shorter one may fit, too."""
        self.keys = list(dict.fromkeys(key for each in self.parameters for key in each.tokens))
        self.closers = [closer for each in self.parameters if not each.keyed for closer in each.closer("")]
        """Those of values, which close nothing behind a header and are passed over there."""
        super().__init__(syntax)
        self.leftovers |= frozenset(self.closers)
        foot = syntax.call.partition(self.body)[2]
        group_close = syntax.group.partition("{calls}")[2]
        closer = f"⟦{self.closers[0]}¦⟧\n" if self.closers else ""
        self._full_closes = [self.pattern(closer + foot + each) for each in ("", "\n" + group_close)]
        calls = [*self.headers, *self.group_opens]
        self.between_parameters = Lookahead([*self.after_header(), *calls])
        behind_foot = [*self.feet, *self.group_closes, *calls]
        self.after_foot = [Lookahead(behind_foot, space) for space in (BLANKS, SPACE)]
        self.after_value = [Lookahead([*self.keys, *behind_foot], space) for space in (BLANKS, SPACE)]
        """What must follow a closer of a value: behind white space, and in calls whose line ends are escapes."""

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
        return value_ends(self, sample, key if sample.keyed else "")

    def full_close(self, *, in_group: bool) -> Pattern:
        """What closes a whole call: the value that is open, the call, and the group if it stands in one."""
        return self._full_closes[in_group]

    def parser(self, context: CallContext, expectations: Expectations) -> CallsParser:
        return TaggedParser(self, context, expectations, ArgumentsWriter)


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
        self._json: OpeningArguments
        super().__init__(grammar, context, expectations)

    def _body(self) -> None:
        self._arguments = self._make_writer(self._schema)
        self._value = TextValue(self._grammar, self._expectations, self._schema, escaped=self._escaped)
        self._early: list[str] = []  # the JSON of values that could all be placeholders
        self._text = ""  # the text of the value that could be one, without the white space that it begins with
        self._placeholders = 0
        self._state = self._parameters

    def _close(self, raw: str) -> bool:
        """The call is over, and so are its arguments. Returns False if it was none: its values are placeholders."""
        if not self._out.open:
            if self._placeholders:
                self._out.own(raw)
                return False
            self._start()
        arguments = self._arguments
        self._out.arguments(arguments.close())
        self._out.end("complete", raw, arguments.codes)
        return True

    def _start(self) -> None:
        super()._start()
        self._out.arguments("".join(self._early))
        self._early = []

    def _refuse(self, because: Reason | None = None) -> bool:
        return super()._refuse(because or ("placeholder_call" if self._placeholders else None))

    def _unreadable(self, pos: int) -> bool:
        """The arguments cannot be read on behind a position."""
        self._out.own(self._advance(pos))
        if not self._out.open:
            return self._refuse()
        self._out.end("unreadable")
        return self._end_run()

    def _stopped(self) -> bool:
        """The model stopped between two parameters, perhaps in half a marker: of a closer, or of another parameter."""
        half = folded(self._buffer[self._pos :].strip())
        closers = [*self._grammar.feet, *self._grammar.group_closes, *self._grammar.closers]
        if half and not any(each.startswith(half) for each in closers):
            return self._unreadable(len(self._buffer))
        bare = not self._out.open and not self._arguments.begun
        if bare and not (self._is_declared and may_be_bare(self._schema, self._expectations)):
            return self._refuse()
        return self._end_run() if self._close(self._advance(len(self._buffer))) else self._refuse()

    # -- the states --------------------------------------------------------------------------------------------------

    def _parameters(self) -> bool:
        """Before a parameter, or the end of the call."""
        grammar = self._grammar
        found, marker, after = grammar.between_parameters.look(self._buffer, self._pos)
        if found == Lookahead.YET:
            return self._stopped() if self._finishing else False
        if marker in grammar.keys:
            parameter = grammar.parameter(self._buffer, after - len(marker), waits=not self._finishing)
            if parameter is True:
                return False
            if parameter is not False:
                return self._begin_value(*parameter)
        if marker in grammar.feet or marker in grammar.group_closes:
            return self._at_closer(marker, after)
        if marker in _OBJECT and not self._arguments.begun:
            ends_at = [*grammar.feet, *grammar.group_closes]
            reader = json_arguments(self._expectations, self._name, ends_at=ends_at)
            self._json = OpeningArguments(reader, self._schema, is_declared=self._is_declared)
            self._state = self._object
            return True
        if marker in grammar.closers:
            self._out.own(self._advance(after))  # a closer that closes nothing
            return True
        begins_call = marker in grammar.headers or marker in grammar.group_opens
        is_whole = self._out.open or (begins_call and self._is_declared)
        if (marker in grammar.keys and not begins_call) or not is_whole:
            return self._unreadable(self._pos)
        return self._end_run() if self._close("") else self._refuse()

    def _at_closer(self, marker: str, after: int) -> bool:
        grammar = self._grammar
        bare = not self._out.open and not self._arguments.begun
        if bare and not self._is_declared and marker in grammar.feet:
            alone = self._alone(after, self._rows.between_calls, self._rows.headers)
            if not alone:
                return self._refuse("undeclared_left") if alone is False else False
        if not self._close(self._advance(after)):
            return self._refuse()
        self._state = self._between
        if marker in grammar.group_closes or not (grammar.group_closes or len(grammar.feet) > 1):
            self._end_run()
        return True

    def _object(self) -> bool:
        """Instead of parameters, one JSON object with all of them."""
        return self._one_object(self._json, self._complete_object)

    def _complete_object(self) -> None:
        if not self._out.open:
            self._early = [self._json.early()]
        self._out.note(*self._json.codes)
        self._arguments.complete()
        self._state = self._parameters

    def _begin_value(self, sample: ParameterSample, match: re.Match[str]) -> bool:
        """At the opener of a parameter."""
        if sample.trims and self._buffer[match.end() :] in ("", "\r") and not self._finishing:
            return False  # the newline that belongs to the markup may still come
        # a value that begins on a line of its own ends on one too; one that begins behind its tag is verbatim
        line_end = _LINE_END.match(self._buffer, match.end()) if sample.trims else None
        self._trims = line_end is not None
        key = match["key"].strip()
        says = match.groupdict().get("type")
        kind = None if says is None else says in self._grammar.syntax.string_types
        key = unescape(key) if self._grammar.syntax.escaped_keys else key
        self._value.begin(self._grammar.value_ends(sample, match["key"].strip()), key)
        self._text = ""
        self._emit(self._arguments.key(key, kind), self._advance(line_end.end() if line_end else match.end()))
        self._state = self._read_value
        return True

    def _emit(self, delta: str, raw: str, text: str = "") -> None:
        """Arguments leave once a value, of which `text` is more, cannot be a placeholder."""
        if self._out.open:
            if delta:
                self._out.arguments(delta, raw)
            else:
                self._out.own(raw)
            return
        self._out.own(raw)
        self._early.append(delta)
        self._text = self._text + text if self._text else text.lstrip()
        if not may_be_placeholder(self._text):
            self._start()

    def _lease(self) -> Flow | None:
        reads = self._state == self._read_value and self._out.open and not self._value.nested
        written = self._arguments.flow if reads else None
        if written is None:
            return None
        end_of, trims = self._value.ends.markers.search, self._trims

        def take(text: str) -> str | None:
            return written(text) if end_of(text) is None and not (trims and text[-1] in "\r\n") else None

        return take

    def _read_value(self) -> bool:
        """Inside a value: let flow what cannot be its end."""
        pos, verdict = self._value.find_end(self._buffer, self._pos, finishing=self._finishing)
        if verdict == END:
            closer = self._value.closer_end(self._buffer, pos)
            return self._end_value(pos, closer)
        self._flow(pos, waits=True)
        if not self._finishing:
            return False
        self._out.unclosed = True
        return self._unreadable(len(self._buffer))

    def _flow(self, end: int, *, waits: bool = False) -> None:
        """Send a value's text up to `end`, but for the last newline of a row that takes one off, or its start."""
        if self._trims:
            end = _before_line_end(self._buffer, self._pos, end, half=waits)
        if end > self._pos:
            piece = self._advance(end)
            self._emit(self._arguments.text(piece), piece, piece)

    def _end_value(self, end: int, after: int) -> bool:
        self._flow(end)
        raw = self._advance(after)
        if not self._out.open and is_placeholder(self._text):
            self._placeholders += 1
            self._out.own(raw)
            self._early.append(self._arguments.end())
        else:
            if not self._out.open:
                self._start()
            self._out.arguments(self._arguments.end(), raw)
        self._state = self._parameters
        return True


def _before_line_end(text: str, start: int, end: int, *, half: bool) -> int:
    """The position before a line end that stands in front of `end`; `half`: or before its carriage return alone."""
    newline = end > start and text[end - 1] == "\n"
    end -= newline
    return end - 1 if (newline or half) and end > start and text[end - 1] == "\r" else end
