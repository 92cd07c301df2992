"""Shape E: calls as Python writes them, in a list or one to a line. Llama 4, LFM2, Olmo 3, Gemma's tool_code.

A call begins at its bracket, and its arguments flow as far as their types are known.
"""

from __future__ import annotations

import re

from converters.shapes.machine import CallContext, CallsParser, Opener, StateParser
from converters.syntaxes import Syntax
from converters.text.expectations import Expectations
from converters.text.scanner import NAME, Lookahead, Pattern, first_token, loosened, tokens
from converters.values.json.output import Flow
from converters.values.python.arguments import PythonArguments

_SEPARATORS = r"[\s,;]{0,4096}"
_CALL = re.compile(
    rf"{_SEPARATORS}(?:print\(\s{{0,64}})?(?:\w{{1,256}}\s{{0,64}}=\s{{0,64}}(?=\w))?(?P<name>{NAME}?)(?:\.call)?\("
)
_MAY_CALL = re.compile(rf"{_SEPARATORS}(?:print\(\s{{0,64}})?(?:\w{{1,256}}\s{{0,64}}=?\s{{0,64}})?(?P<name>{NAME})?\Z")


class PythonicGrammar:
    """A row of this shape, made ready for reading."""

    def __init__(self, syntax: Syntax) -> None:
        self.syntax = syntax
        groups = [group.partition("{calls}") for group in (syntax.group, *syntax.also_group)]
        self.closers = [token for _, _, foot in groups for token in tokens(foot.lstrip("]"))]
        heads = [head for head, _, _ in groups]
        self.entries = [
            Opener(first_token(head), Pattern(loosened(head) + "{call}", then=["("]), explicit=not syntax.declared_only)
            for head in heads
        ]
        self.empty_groups: dict[str, Pattern] = {}
        self.heads = [Pattern(loosened(head)) for head in heads]
        self.after_call = Lookahead([*self.closers, "]", ")"])

    def behind_head(self, raw: str) -> int:
        """The position behind the group's opener in what opened a run."""
        return max((match.end() for head in self.heads if (match := head.match(raw))), default=0)

    def parser(self, context: CallContext, expectations: Expectations) -> CallsParser:
        return PythonicParser(self, context, expectations)


class PythonicParser(StateParser):
    """Reads one run of calls."""

    def __init__(self, grammar: PythonicGrammar, context: CallContext, expectations: Expectations) -> None:
        super().__init__(context)
        self._grammar = grammar
        self._expectations = expectations
        head = grammar.behind_head(context.raw)
        self._out.own(context.raw[:head])
        self._buffer = context.raw[head:]  # the name is read again, with the bracket behind it
        self._listed = True  # the list that the calls stand in has not been closed
        self._written: list[str] = []  # the calls of the run, as they were written
        self._state = self._open if context.whole else self._call

    def _cut_off(self, left: str) -> None:
        if self._out.open:
            self._out.end("cut", left)
        elif left and (self._state == self._repeated or self._is_half_call(left)):
            self._out.removed(left, "cut")
        else:
            self.rest = self._out.unowned() + left

    def _open(self) -> bool:
        """Before the list's own bracket, where no marker stands in front of it."""
        if self._pos == len(self._buffer):
            return False
        if self._buffer[self._pos] != "[":
            return self._refuse()
        self._out.own(self._advance(self._pos + 1))
        self._state = self._call
        return True

    def _call(self) -> bool:
        """Before a call, or behind the last."""
        match = _CALL.match(self._buffer, self._pos)
        if match is None:
            return self._no_call()
        declared = self._expectations.declared(match["name"])
        if declared is None and (self._context.whole or self._grammar.syntax.declared_only):
            return self._stop()
        name = declared or match["name"]
        self._refusable = False
        opened = self._advance(match.end())
        self._written.append(opened)
        self._out.start(name, None, opened, match["name"])
        self._arguments = PythonArguments(
            self._expectations.schema(name), self._expectations.stops, self._grammar.closers
        )
        self._state = self._read
        return True

    def _no_call(self) -> bool:
        found, marker, after = self._grammar.after_call.look(self._buffer, self._pos)
        if found == Lookahead.FOUND and not self._refusable:
            self._listed = False
            self._out.own(self._advance(after))
            self._out.removed()
            if marker in self._grammar.closers:
                self._state = self._repeated
            return True
        if not self._finishing and (found == Lookahead.YET or _MAY_CALL.match(self._buffer, self._pos)):
            return False
        if self._is_half_call(self._buffer[self._pos :]):
            self._out.removed(self._advance(len(self._buffer)))
        return self._stop()

    def _is_half_call(self, text: str) -> bool:
        """Whether the text, behind a call and at the very end, can only be the beginning of another."""
        match = _MAY_CALL.match(text)
        if match is None or self._refusable or not self._listed or not text.strip():
            return False
        if not self._grammar.closers:  # what follows may as well be prose
            word = text.strip(" \t\r\n,;").removeprefix("print(")
            return any(tool.startswith(word) for tool in self._expectations.tools)
        return True

    def _repeated(self) -> bool:
        """Behind the run: some models say its calls again, as plain text."""
        written = "".join(self._written).strip()
        text = self._buffer[self._pos :].lstrip()
        if written and text.startswith(written):
            self._out.removed(self._advance(len(self._buffer) - len(text) + len(written)), "echo")
        elif written.startswith(text) and not self._finishing:
            return False
        elif written.startswith(text) and text:
            self._out.removed(self._advance(len(self._buffer)), "echo")
        return self._end_run()

    def _stop(self) -> bool:
        return self._refuse() if self._refusable else self._end_run()

    def _lease(self) -> Flow | None:
        written = self._arguments.flow if self._state == self._read else None
        if written is None:
            return None
        note = self._written.append

        def take(text: str) -> str | None:
            delta = written(text)
            if delta is not None:
                note(text)
            return delta

        return take

    def _read(self) -> bool:
        """Inside the brackets of a call."""
        arguments = self._arguments
        delta = arguments.feed(self._buffer[self._pos :])
        closed = arguments.done
        if self._finishing and not closed:
            delta += arguments.finish()
        raw = self._advance(len(self._buffer) - len(arguments.rest))
        self._written.append(raw)
        if delta:
            self._out.arguments(delta, raw)
        else:
            self._out.own(raw)
        if not arguments.done:
            return False
        self._out.end("complete" if closed else "closed", codes=arguments.codes)
        self._state = self._call
        return closed or self._end_run()
