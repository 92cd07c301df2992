"""Shape E: calls as Python writes them, in a list or one to a line. Llama 4, LFM2, Olmo 3, Gemma's tool_code.

A call opens once its first argument, or its closing bracket, has been read, and its arguments flow as far as their
types are known.
"""

from __future__ import annotations

import re

from converters.shapes.machine import CallContext, CallsParser, Opener, StateParser
from converters.shapes.opening import may_be_bare
from converters.syntaxes import Syntax
from converters.text.expectations import Expectations
from converters.text.scanner import FEW_BLANKS, NAME, SHORTEST_NAME, SPACE, Lookahead, folded
from converters.text.templates import Pattern, first_token, loosened, tokens
from converters.values.json.output import Flow
from converters.values.python.arguments import PythonArguments

_SEPARATORS = r"(?:[\s,;\[\u200b\u2060\ufeff]|#[^\n]{0,256}\n|\\[nrt]){0,4096}"
_ON_A_LINE = r"(?:[^\S\r\n]|[\u200b\u2060\ufeff]){0,64}"
"""Blanks between a name and its bracket: where calls stand on lines, a line end is a delimiter."""

_CALL = re.compile(
    rf"{_SEPARATORS}(?:print\({FEW_BLANKS})?(?:\w{{1,256}}{FEW_BLANKS}={FEW_BLANKS}(?=\w))?"
    rf"(?P<name>{SHORTEST_NAME})(?:\.call)?{_ON_A_LINE}\("
)
_NO_WIDTH = " \t\r\n\u200b\u2060\ufeff"
_COMMA = re.compile(r"(?:[\s,;\u200b\u2060\ufeff]|#[^\n]{0,256}\n(?=[\s,;#]{0,4096}\])){0,4096}")
_MAY_CALL = re.compile(
    rf"{_SEPARATORS}(?:#[^\n]{{0,256}}\Z|\\\Z)?(?:print\({FEW_BLANKS})?(?:\w{{1,256}}{FEW_BLANKS}=?{FEW_BLANKS})?"
    rf"(?:(?P<name>{NAME}){_ON_A_LINE})?\Z"
)


_LONGEST_ECHO = 65_536
"""Characters of a run of calls that is compared with what follows it: what has come of that is held, and read again."""
_BRACKETS = "⟦\n[\n[\n¦\n[\n¦\n⟧"
"""The brackets of the list, which some models leave out or double."""


class PythonicGrammar:
    """A row of this shape, made ready for reading."""

    def __init__(self, syntax: Syntax) -> None:
        self.syntax = syntax
        groups = [group.partition("{calls}") for group in (syntax.group, *syntax.also_group)]
        self.closers = [folded(token) for _, _, foot in groups for token in tokens(foot.lstrip("]"))]
        heads = [head for head, _, _ in groups]
        self.entries = [
            Opener(
                first_token(head),
                Pattern(loosened(head.rstrip("[\n") + _BRACKETS) + "{call}", then=["("]),
                explicit=not syntax.declared_only,
            )
            for head in heads
        ]
        self.empty_groups = {
            first_token(head): Pattern(loosened(head.rstrip("[\n") + "\n⟦[\n]\n¦⟧" + foot.lstrip("]\n")))
            for head, _, foot in groups
            if head.rstrip("[\n") and foot.lstrip("]\n")
        }
        self.heads = [Pattern(loosened(head.rstrip("[\n"))) for head in heads]
        self.after_call = Lookahead([*self.closers, "]", ")"])
        self.leftovers = frozenset(self.closers)
        ends = "|".join(map(re.escape, [",", "]", *self.closers]))
        self.bare_name = re.compile(rf"{_SEPARATORS}(?P<name>{SHORTEST_NAME})(?={SPACE}(?:{ends}))")
        if self.closers:
            self.entries += [
                Opener(
                    first_token(head),
                    Pattern(loosened(head.rstrip("[\n") + _BRACKETS) + "{name}", then=["]", *self.closers]),
                    explicit=False,
                )
                for head in heads
            ]

    def behind_head(self, raw: str) -> int:
        """The position behind the group's opener in what opened a run."""
        return max((match.end() for head in self.heads if (match := head.match(raw))), default=0)

    def parser(self, context: CallContext, expectations: Expectations) -> CallsParser:
        return PythonicParser(self, context, expectations)


class PythonicParser(StateParser):
    """Reads one run of calls."""

    def __init__(self, grammar: PythonicGrammar, context: CallContext, expectations: Expectations) -> None:
        super().__init__(context, expectations)
        self._grammar = grammar
        head = grammar.behind_head(context.raw)
        self._out.own(context.raw[:head])
        self._buffer = context.raw[head:]  # the name is read again, with the bracket behind it
        self._listed = True  # the list that the calls stand in has not been closed
        self._written: list[str] = []  # the calls of the run, as they were written
        self._echo: str | None = None  # those of the whole run, once it has ended
        self._state = self._open if context.whole else self._call

    def _cut_off(self, left: str) -> None:
        if self._state == self._read and not self._out.open:
            self._start()
        if self._out.open:
            self._out.end("cut", left)
        elif left and (self._state == self._repeated or self._is_half_call(left)):
            self._out.removed(left, "cut")
        else:
            self.rest = self._out.unowned() + left

    def _open(self) -> bool:
        """Before the list's own bracket, where no marker stands in front of it."""
        self._out.own(self._advance(len(self._buffer) - len(self._buffer[self._pos :].lstrip(_NO_WIDTH))))
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
        self._name, self._spelled = declared or match["name"], match["name"]
        opened = self._advance(match.end())
        self._written.append(opened)
        self._out.own(opened)
        schema = self._expectations.schema(self._name)
        self._arguments = PythonArguments(schema, self._expectations.stops, self._grammar.closers)
        self._state = self._read
        return True

    def _start(self) -> None:
        self._refusable = False
        self._out.start(self._name, None, written=self._spelled)

    def _no_call(self) -> bool:
        if self._bare_name():
            return True
        comma = _COMMA.match(self._buffer, self._pos)
        found, marker, after = self._grammar.after_call.look(self._buffer, comma.end() if comma else self._pos)
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

    def _bare_name(self) -> bool:
        """A name without brackets is a call if a tool is declared by it that needs no argument."""
        match = self._grammar.bare_name.match(self._buffer, self._pos) if self._grammar.closers else None
        if match is None or match["name"] not in self._expectations.tools:
            return False
        if not may_be_bare(self._expectations.schema(match["name"]), self._expectations):
            return False
        self._name = self._spelled = match["name"]
        self._out.own(self._advance(match.end()))
        self._start()
        self._out.arguments("{}")
        self._out.end()
        return True

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
        if self._echo is None:
            written = "".join(self._written)
            self._echo = written.strip().removeprefix("[").lstrip() if len(written) <= _LONGEST_ECHO else ""
        written = self._echo
        text = self._buffer[self._pos :].lstrip().removeprefix("[").lstrip()
        if written and text.startswith(written):
            end = len(self._buffer) - len(text) + len(written)
            if end == len(self._buffer) and not self._finishing:
                return False  # the bracket of its list may follow
            self._out.removed(self._advance(end + self._buffer.startswith("]", end)), "echo")
        elif written.startswith(text) and not self._finishing:
            return False
        elif written.startswith(text) and text:
            self._out.removed(self._advance(len(self._buffer)), "echo")
        return self._end_run()

    def _stop(self) -> bool:
        return self._refuse() if self._refusable or self._out.pending else self._end_run()

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
        delta, raw, left_open = self._read_on(arguments)
        self._written.append(raw)
        self._out.own(raw)
        if not self._out.open and not arguments.fits:
            return self._stop() if arguments.unreadable or self._finishing else False
        if not self._out.open:
            self._start()
        if delta:
            self._out.arguments(delta)
        if arguments.unreadable:
            self._out.end("unreadable")
            return self._end_run()
        if not arguments.done:
            return False
        self._out.unclosed = left_open
        self._out.end("complete", codes=arguments.codes)
        self._state = self._call
        return not left_open or self._end_run()
