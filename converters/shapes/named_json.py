"""Shape B: a header that carries the name, then the arguments as JSON. Kimi, DeepSeek, Mistral (newer), harmony ...

The arguments flow as they are written. They end where their JSON does, so no closer is looked for inside them.

Some rows call tools that the model knows from its training with code in place of arguments. It goes under the one
argument of such a tool if the request declares it; otherwise the call is the server's own affair, and nobody's text.
"""

from __future__ import annotations

import re

from converters.shapes.grouped import GroupedGrammar, GroupedParser, named
from converters.shapes.machine import CallContext, CallsParser
from converters.shapes.opening import OpeningArguments, may_be_bare
from converters.syntaxes import REASONING_TAGS, Syntax
from converters.text.expectations import Expectations
from converters.text.scanner import Lookahead, Markers, folded
from converters.values.json.output import Flow
from converters.values.schema import properties, required
from converters.values.writer import ArgumentsWriter, JsonArguments, json_arguments

_FENCE = "```"
"""It may open in front of arguments, too."""

_ID = re.compile(r"\s{0,64}[\w-]{0,64}")


class NamedJsonGrammar(GroupedGrammar):
    """A row of this shape, made ready for reading."""

    body = "{arguments}"

    def __init__(self, syntax: Syntax) -> None:
        super().__init__(syntax)
        self.after_arguments = Lookahead([*self.after_call, *self.group_opens, *self.id_feet, "}", "]"])
        closers = [marker for marker in (*self.feet, *self.group_closes) if marker != _FENCE]
        self.no_arguments = Lookahead(closers)
        tags = [tag.opens for tag in REASONING_TAGS if tag.only_for_row == syntax.name]
        self.code_ends = Markers(self.feet or [*self.headers, *tags])

    def after_header(self) -> list[str]:
        closers = [*self.feet, *self.group_closes] if self.syntax.group else []
        return ["{", "```", '"', *closers] if closers else ["{", "```"]

    def arguments(self, expectations: Expectations, name: str) -> JsonArguments:
        """A reader for the arguments as this row writes them."""
        return json_arguments(expectations, name, ends_at=[*self.feet, *self.group_closes])

    def parser(self, context: CallContext, expectations: Expectations) -> CallsParser:
        return NamedJsonParser(self, context, expectations)


class NamedJsonParser(GroupedParser):
    """Reads one run of calls."""

    def __init__(self, grammar: NamedJsonGrammar, context: CallContext, expectations: Expectations) -> None:
        self._grammar = grammar
        super().__init__(grammar, context, expectations)

    def _body(self) -> None:
        reader = self._grammar.arguments(self._expectations, self._name)
        self._arguments = OpeningArguments(reader, self._schema, is_declared=self._is_declared)
        self._state = self._before

    def _before(self) -> bool:
        """Before the arguments, or where there are none."""
        if self._written in self._grammar.syntax.code_tools and self._begins_code():
            return self._open_code()
        found, _, _ = self._grammar.no_arguments.look(self._buffer, self._pos)
        if found == Lookahead.MISSING or (found == Lookahead.YET and self._buffer[self._pos :].strip()):
            self._state = self._read
            return True
        if found == Lookahead.YET and not self._finishing:
            return False
        if found == Lookahead.YET and not may_be_bare(self._schema, self._expectations):
            return self._refuse()
        self._arguments.none()
        self._state = self._after
        return True

    def _start(self) -> None:
        super()._start()
        self._out.arguments(self._arguments.early())

    def _lease(self) -> Flow | None:
        return self._arguments.flow if self._state == self._read and self._out.open else None

    def _read(self) -> bool:
        return self._one_object(self._arguments, self._complete)

    def _complete(self) -> None:
        self._state = self._after

    # -- code in place of arguments ----------------------------------------------------------------------------------

    def _begins_code(self) -> bool:
        return re.match(r'\s*[^\s{`"<]', self._buffer[self._pos :]) is not None

    def _open_code(self) -> bool:
        names = required(self._schema) or properties(self._schema)
        self._code = ArgumentsWriter(self._schema)
        if not self._is_declared:
            self._refusable = False
            self._out.note("builtin_call")
        else:
            super()._start()
            if len(names) == 1:
                self._out.arguments(self._code.key(names[0], is_string=True))
            else:
                self._out.note("arguments_unreadable")
        self._state = self._read_code
        return True

    def _code_end(self) -> tuple[re.Match[str] | None, bool]:
        """What may end the code, and whether it does for sure: the header of another call is one only as a whole."""
        grammar, pos = self._grammar, self._pos
        while match := grammar.code_ends.search(self._buffer, pos):
            marker = folded(match.group())
            if marker not in grammar.code_ends.literals:
                break
            if marker not in grammar.headers:
                return match, True
            headers = [entry for entry in grammar.entries if entry.opener == marker]
            found = [(entry, entry.pattern.match(self._buffer, match.start())) for entry in headers]
            if any(header and entry.believes(named(header)[0], self._expectations) for entry, header in found):
                return match, True
            if not self._finishing and any(each.pattern.may_match(self._buffer, match.start()) for each in headers):
                return match, False
            pos = match.end()
        return match, False

    def _read_code(self) -> bool:
        match, ends = self._code_end()
        text = self._advance(match.start() if match and (ends or not self._finishing) else len(self._buffer))
        if not self._out.open:
            self._out.removed(text)
        elif self._code.begun:
            self._out.arguments(self._code.text(text), text)
        else:
            self._out.own(text)
        if not ends and not self._finishing:
            return False
        closes = match is not None and folded(match.group()) in self._grammar.feet
        raw = self._advance(match.end()) if ends and closes and match else ""
        if self._out.open:
            self._out.arguments((self._code.end() if self._code.begun else "") + self._code.close())
            self._out.end(raw=raw)
        else:
            self._out.removed(raw)
        self._state = self._between
        return True

    def _cut_off(self, left: str) -> None:
        if self._state == self._read_code and not self._out.open:
            self._out.removed(left)
        elif self._state == self._after and self._out.open and not self._grammar.feet:
            is_surplus = left.strip() == "]"
            self._out.end(raw=left if is_surplus else "")
            self.rest = "" if is_surplus else left
        else:
            super()._cut_off(left)

    def _after(self) -> bool:
        """Behind the arguments: what closes the call, or braces too many."""
        found, marker, after = self._grammar.after_arguments.look(self._buffer, self._pos)
        if found == Lookahead.YET and not self._finishing:
            return False
        if marker in ("}", "]"):
            surplus = self._is_surplus(after)
            if surplus:
                self._out.own(self._advance(after))
            if surplus is not False:
                return surplus is True
            marker = ""
        closes = marker in self._grammar.feet or marker in self._grammar.group_closes
        if marker in self._grammar.id_feet:
            behind = _ID.match(self._buffer, after)
            after, closes = behind.end() if behind else after, True
            if after == len(self._buffer) and not self._finishing:
                return False
        if not self._out.open:
            end = after if closes else self._pos
            alone = self._is_declared or self._alone(end, self._rows.between_calls, self._rows.headers)
            if not alone:
                return self._refuse("undeclared_left") if alone is False else False
            self._start()
        self._out.end("complete", self._advance(after) if closes else "", self._arguments.codes)
        self._state = self._between
        if found == Lookahead.FOUND and marker not in self._grammar.group_closes and (self._follows or not closes):
            return True
        return self._end_run()

    @property
    def _follows(self) -> bool:
        """Whether anything that belongs to the run may follow a closed call."""
        return bool(self._grammar.group_closes) or len(self._grammar.feet) > 1
