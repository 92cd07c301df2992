"""What the shapes share whose header carries the name: a group around calls, a header, a body, and what closes it.

    [group opener] (header body [foot])* [group closer]

A header outside its group is believed only if it names a declared tool. A call of an undeclared name and without
arguments is believed only if it has its line for itself. A call opens once what follows its header fits, too; until
then all of it can be text. Markers that close nothing are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from converters.shapes.machine import CallContext, Opener, StateParser
from converters.shapes.opening import OpeningArguments
from converters.syntaxes import Syntax
from converters.text.expectations import Expectations, Schema
from converters.text.scanner import Lookahead, folded
from converters.text.templates import Pattern, first_tokens, loosened, spellings, tokens

_JSON = "{`"
"""Characters that arguments in JSON begin with, in a fence or not."""


class GroupedGrammar:
    """A row whose header carries the name, made ready for reading. `body` is the hole behind the header."""

    body = ""

    def __init__(self, syntax: Syntax) -> None:
        self.syntax = syntax
        samples = [call.partition(self.body) for call in (syntax.call, *syntax.also_call)]
        samples_of_group = [group for group in (syntax.group, *syntax.also_group) if group]
        groups = [group.replace("{name}", "{to}").partition("{calls}") for group in samples_of_group]
        self.headers = self.starts(header for header, _, _ in samples)
        feet = [token for _, _, foot in samples for token in tokens(foot)]
        self.feet = self.spelled(token for token in feet if "{id}" not in token)
        self.id_feet = self.spelled(token.removesuffix("{id}") for token in feet if "{id}" in token)
        """Markers behind the body that an id follows."""
        self.group_opens = self.starts(group_open for group_open, _, _ in groups)
        self.group_closes = self.spelled(token for _, _, group_close in groups for token in tokens(group_close))
        self.after_call = [*self.feet, *self.group_closes, *self.headers]
        follow = self.after_header()
        self.patterns = [self.pattern(header, follow) for header, _, _ in samples]
        self.entries = [
            Opener(opener, pattern, explicit=not groups and not syntax.declared_only)
            for pattern, (header, _, _) in zip(self.patterns, samples, strict=True)
            for opener in self.starts([header])
            if not syntax.needs_group
        ]
        self.entries += [
            Opener(opener, self.pattern(group_open + header, follow), explicit=not syntax.declared_only)
            for group_open, _, _ in groups
            for header, _, _ in samples
            for opener in self.starts([group_open])
        ]
        self.entries += [
            Opener(
                opener,
                self.pattern(header, unless=_JSON),
                explicit=not syntax.declared_only,
                names=frozenset(syntax.code_tools),
            )
            for header, _, _ in (samples if syntax.code_tools else ())
            for opener in self.starts([header])
        ]
        self.empty_groups = {
            opener: self.pattern(f"{group_open}\n{group_close}")
            for group_open, _, group_close in groups
            for opener in self.starts([group_open])
        }
        self.ends_at_once = len(self.group_closes) == len(groups)
        """Nothing of a group follows its first closing marker."""
        self.between_calls = Lookahead(self.after_call)
        self.leftovers = frozenset(map(folded, [*self.feet, *self.group_closes]))

    def after_header(self) -> list[str]:
        """Literals of which one must follow a header, or it is none."""
        raise NotImplementedError

    def pattern(self, template: str, then: Iterable[str] = (), unless: str = "") -> Pattern:
        return Pattern(loosened(template, self.syntax.lead_token), then=then, prefix=self.syntax.prefix, unless=unless)

    def starts(self, templates: Iterable[str]) -> list[str]:
        """What templates start with, in every spelling."""
        found = (first_tokens(each, self.syntax.prefix, self.syntax.lead_token) for each in templates)
        return list(dict.fromkeys(token for each in found for token in each))

    def spelled(self, markers: Iterable[str]) -> list[str]:
        found = (spellings(folded(marker), self.syntax.prefix, self.syntax.lead_token) for marker in markers)
        return [spelling for each in found for spelling in each]


class GroupedParser(StateParser):
    """Reads a run of calls; a shape adds the states of the body."""

    def __init__(self, grammar: GroupedGrammar, context: CallContext, expectations: Expectations) -> None:
        super().__init__(context, expectations)
        self._rows = grammar
        self._enter(context.name, context.id, context.raw)

    def _enter(self, name: str, call_id: str | None, raw: str) -> None:
        """Behind a header."""
        declared = self._expectations.declared(name)
        self._name = declared or name
        self._written = name
        self._id = call_id
        self._schema: Schema = self._expectations.schema(self._name)
        self._is_declared = declared is not None
        self._escaped = "\\n" in raw
        self._out.own(raw)
        self._body()

    def _body(self) -> None:
        """Make ready to read the body of a call, and set its first state."""
        raise NotImplementedError

    def _start(self) -> None:
        """Open the call: from now on it cannot be text."""
        self._refusable = False
        self._out.start(self._name, self._id, written=self._written)

    def _one_object(self, arguments: OpeningArguments, complete: Callable[[], None]) -> bool:
        """Read arguments that are one JSON object; `complete` is called at its end."""
        delta, raw, left_open = self._read_on(arguments)
        if left_open:
            self._out.unclosed = arguments.closed
        if not self._out.open:
            self._out.own(raw)
            if arguments.refused:
                return self._refuse(arguments.because)
            if arguments.opens:
                self._start()
                self._out.arguments(delta)
        elif delta or raw:
            self._out.arguments(delta, raw)
        if arguments.unreadable:
            self._out.end("unreadable")
            return self._end_run()
        if arguments.done:
            complete()
        return arguments.done

    def _cut_off(self, left: str) -> None:
        if self._state == self._between:
            self.rest = left
            return
        if not self._out.open:
            self._out.start(self._name, self._id)
        self._out.end("cut", left)

    def _between(self) -> bool:
        """Behind a call: markers that still belong to it, or the next call of its group."""
        rows = self._rows
        found, marker, after = rows.between_calls.look(self._buffer, self._pos)
        if found == Lookahead.YET:
            return False
        if found == Lookahead.MISSING:
            return self._end_run()
        if marker in rows.headers:
            return self._next_call(after - len(marker))
        self._out.own(self._advance(after))
        self._out.removed()
        return self._end_run() if marker in rows.group_closes and rows.ends_at_once else True

    def _next_call(self, pos: int) -> bool:
        if not self._context.grouped or not self._rows.group_opens:
            return self._end_run()
        for pattern in self._rows.patterns:
            match = pattern.match(self._buffer, pos)
            if match:
                self._enter(*named(match), self._advance(match.end()))
                return True
            if not self._finishing and pattern.may_match(self._buffer, pos):
                return False
        return self._end_run()


_COUNTED = re.compile(r"(?:functions[._:])?(.+?)(?:[:_]\d+)?")


def named(header: re.Match[str]) -> tuple[str, str | None]:
    """(name, id) of a header; where the id carries the name, as in `functions.f:0`, it is taken from there."""
    groups = header.groupdict()
    call_id = groups.get("id")
    name = groups.get("name")
    if name is None and call_id:
        inner = _COUNTED.fullmatch(call_id)
        name = inner[1] if inner else call_id
    return name or "", call_id
