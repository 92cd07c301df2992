"""Shape E: calls as Python writes them, in a list or one to a line. Llama 4, LFM2, Olmo 3, Gemma's tool_code.

A literal can change its type while it grows, so the arguments of a call leave at its closing bracket, all at once.
Nothing is evaluated: an argument that is no literal is its own text.
"""

from __future__ import annotations

import json
import re

from converters.expectations import Expectations
from converters.jsonoutput import quote
from converters.jsontext import strict
from converters.pytext import literal, string_end
from converters.scanner import NAME, Ahead, Pattern, first_token, loosened, tokens
from converters.schema import Node, properties
from converters.shapes.base import CallsParser, Entry, Opening, StateParser
from converters.syntaxes import Syntax
from converters.typedtext import read_text

_SEPARATORS = r"[\s,;]{0,4096}"
_CALL = re.compile(
    rf"{_SEPARATORS}(?:print\(\s{{0,64}})?(?:\w{{1,256}}\s{{0,64}}=\s{{0,64}}(?=\w))?(?P<name>{NAME}?)(?:\.call)?\("
)
_MAY_CALL = re.compile(rf"{_SEPARATORS}(?:print\(\s{{0,64}})?(?:\w{{1,256}}\s{{0,64}}=?\s{{0,64}})?(?P<name>{NAME})?\Z")
_STRING_BODY = {
    quotes: re.compile(rf"[^\\{quotes[0]}]*(?:(?:\\.{more})[^\\{quotes[0]}]*)*", re.DOTALL)
    for quotes, more in (("'", ""), ('"', ""), ("'''", "|'{1,2}(?=[^'])"), ('"""', '|"{1,2}(?=[^"])'))
}
"""What can stand in a string before the quotes that end it."""
_HALF_KEY = re.compile(r"[A-Za-z_]\w*")
_PIECE = re.compile(r"[^()\[\]{}'\"]+")
_KEYWORD = re.compile(r"\s*([A-Za-z_]\w*)\s*=(?!=)")


class PythonicGrammar:
    """A row of this shape, made ready for reading."""

    def __init__(self, syntax: Syntax) -> None:
        self.syntax = syntax
        groups = [group.partition("{calls}") for group in (syntax.group, *syntax.also_group)]
        self.closers = [token for _, _, foot in groups for token in tokens(foot.lstrip("]"))]
        heads = [head for head, _, _ in groups]
        self.entries = [
            Entry(first_token(head), Pattern(loosened(head) + "{call}", then=["("]), explicit=not syntax.declared)
            for head in heads
        ]
        self.empty_groups: dict[str, Pattern] = {}
        self.heads = [Pattern(loosened(head)) for head in heads]
        self.after_call = Ahead([*self.closers, "]", ")"])

    def behind_head(self, raw: str) -> int:
        """The place behind the group's opener in what opened a run."""
        return max((match.end() for head in self.heads if (match := head.match(raw))), default=0)

    def parser(self, opening: Opening, expectations: Expectations) -> CallsParser:
        return PythonicParser(self, opening, expectations)


class PythonicParser(StateParser):
    """Reads one run of calls."""

    def __init__(self, grammar: PythonicGrammar, opening: Opening, expectations: Expectations) -> None:
        super().__init__(opening)
        self._grammar = grammar
        self._expectations = expectations
        head = grammar.behind_head(opening.raw)
        self._out.own(opening.raw[:head])
        self._buffer = opening.raw[head:]  # the name is read again, with the bracket behind it
        self._name = ""
        self._depth = 0
        self._text: list[str] = []
        self._quotes = ""  # what ends the string that is being read
        self._listed = True  # the list that the calls stand in has not been closed
        self._said: list[str] = []  # the calls of the run, as they were written
        self._state = self._open if opening.whole else self._call

    def _cut_off(self, left: str) -> None:
        if self._out.open:
            self._out.end("cut", left)
        elif left and (self._state == self._repeated or self._is_half_call(left)):
            self._out.removed(left, "cut")
        else:
            self.rest = self._out.unowned() + left

    def _open(self) -> bool:
        """Before the list's own bracket, where no marker stands in front of it."""
        if self._place == len(self._buffer):
            return False
        if self._buffer[self._place] != "[":
            return self._refuse()
        self._out.own(self._advance(self._place + 1))
        self._state = self._call
        return True

    def _call(self) -> bool:
        """Before a call, or behind the last."""
        match = _CALL.match(self._buffer, self._place)
        if match is None:
            return self._no_call()
        declared = self._expectations.declared(match["name"])
        if declared is None and (self._opening.whole or self._grammar.syntax.declared):
            return self._stop()
        self._name = declared or match["name"]
        self._refusable = False
        opened = self._advance(match.end())
        self._said.append(opened)
        self._out.start(self._name, None, opened, match["name"])
        self._depth = 1
        self._text = []
        self._state = self._arguments
        return True

    def _no_call(self) -> bool:
        found, marker, after = self._grammar.after_call.look(self._buffer, self._place)
        if found == Ahead.FOUND and not self._refusable:
            self._listed = False
            self._out.own(self._advance(after))
            self._out.removed()
            if marker in self._grammar.closers:
                self._state = self._repeated
            return True
        if not self._finishing and (found == Ahead.YET or _MAY_CALL.match(self._buffer, self._place)):
            return False
        if self._is_half_call(self._buffer[self._place :]):
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
        said = "".join(self._said).strip()
        text = self._buffer[self._place :].lstrip()
        if said and text.startswith(said):
            self._out.removed(self._advance(len(self._buffer) - len(text) + len(said)), "echo")
        elif said.startswith(text) and not self._finishing:
            return False
        elif said.startswith(text) and text:
            self._out.removed(self._advance(len(self._buffer)), "echo")
        return self._end_run()

    def _stop(self) -> bool:
        return self._refuse() if self._refusable else self._end_run()

    def _arguments(self) -> bool:
        """Inside the brackets of a call."""
        while self._place < len(self._buffer):
            letter = self._buffer[self._place]
            if letter in "'\"":
                return self._open_string(letter)
            if letter in "()[]{}":
                end = self._place + 1
                self._depth += 1 if letter in "([{" else -1
                if self._depth == 0:
                    return self._close(end)
            else:
                piece = _PIECE.match(self._buffer, self._place)
                assert piece
                end = piece.end()
            self._take(end)
        return self._unfinished()

    def _open_string(self, quote_: str) -> bool:
        """At the quote that opens a string; two of them may be an empty string or the first two of three."""
        quotes = self._buffer[self._place : self._place + 3]
        if quotes == quote_ * len(quotes) and len(quotes) < 3 and not self._finishing:
            return False
        if quotes[:2] == quote_ * 2 and quotes != quote_ * 3:
            self._take(self._place + 2)
            return True
        self._quotes = quote_ * 3 if quotes == quote_ * 3 else quote_
        self._take(self._place + len(self._quotes))
        self._state = self._string
        return True

    def _string(self) -> bool:
        """Inside a string: take what cannot be its end."""
        body = _STRING_BODY[self._quotes].match(self._buffer, self._place)
        assert body
        end = body.end()
        if not self._buffer.startswith(self._quotes, end):
            self._take(end)
            return self._unfinished()
        self._take(end + len(self._quotes))
        self._state = self._arguments
        return True

    def _take(self, end: int) -> None:
        taken = self._advance(end)
        self._text.append(taken)
        self._said.append(taken)
        self._out.own(taken)

    def _unfinished(self) -> bool:
        if self._finishing:
            self._take(len(self._buffer))
            parts = _parts("".join(self._text))
            if parts and _HALF_KEY.fullmatch(parts[-1].strip()):
                parts.pop()  # half of a key
            self._out.arguments(self._as_object(parts))
            self._out.end("closed")
            return self._end_run()
        return False

    def _close(self, end: int) -> bool:
        raw = self._advance(end)
        self._said.append(raw)
        self._out.arguments(self._as_object(_parts("".join(self._text))))
        self._out.end(raw=raw)
        self._state = self._call
        return True

    # -- arguments ---------------------------------------------------------------------------------------------------

    def _as_object(self, parts: list[str]) -> str:
        schema = self._expectations.schema(self._name)
        names = iter(properties(schema))
        members: dict[str, str] = {}
        for part in parts:
            keyword = _KEYWORD.match(part)
            key = keyword[1] if keyword else next((name for name in names if name not in members), "")
            value = part[keyword.end() :] if keyword else part
            if key:
                members.setdefault(key, _typed(value.strip(), Node(schema).member(key)))
        return "{" + ", ".join(f"{quote(key)}: {value}" for key, value in members.items()) + "}"


def _parts(text: str) -> list[str]:
    """The arguments of a call, split at the commas between them."""
    parts: list[str] = []
    depth = start = place = 0
    while place < len(text):
        letter = text[place]
        if letter in "'\"":
            end = string_end(text, place)
            place = len(text) if end < 0 else end
            continue
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
        place += 1
    parts.append(text[start:])
    return [part for part in parts if part.strip()]


def _typed(text: str, node: Node) -> str:
    """The JSON of an argument: a literal, or nearly one, or its own text. A string is typed as its schema wants."""
    value = literal(text)
    if value is None:
        value = strict(text, lenient=True)
    if value is None:
        quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
        value = quote(text[1:-1] if quoted else text)
    if value.startswith('"') and not node.takes_strings:
        return read_text(str(json.loads(value)), node)
    return value
