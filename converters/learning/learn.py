"""Learns from one chat template: a row of the table, the tags of reasoning and when the prompt opens them, what ends a
turn, what opens a result, and what a history may hold; with the proof.

What is not proved is reported with its reason, and changes nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from converters.learning import history as histories
from converters.learning.conversations import HISTORIES, SAY, THINK, History, NotRendered, Render
from converters.learning.parameters import NotDerived
from converters.learning.prompts import prompt_of
from converters.learning.proof import Proof, Prover
from converters.learning.rows import TWO, RowMaker
from converters.learning.thinking import Thinking, is_open, tag_of, thinking_of
from converters.learning.tokens import Tokens
from converters.learning.written import Written
from converters.render import render_calls
from converters.stages.pipeline import new_parser
from converters.syntaxes import (
    END_TOKENS,
    REASONING_TAGS,
    RESULTS,
    SYNTAXES,
    TURN_HEADERS,
    ReasoningTag,
    Syntax,
    ThinkingFamily,
)
from converters.text.events import Reasoning, Text
from converters.text.expectations import Expectations
from converters.text.scanner import folded

_KNOWN_ENDS = frozenset(map(folded, END_TOKENS))
_LONGEST_OPENER = 80
"""Characters of what opens a result."""
_CLOSERS = frozenset(closer for tag in REASONING_TAGS for closer in tag.closes)


@dataclass(frozen=True, slots=True)
class Learned:
    """What one template tells."""

    row: Syntax | None = None
    """The row that reads its calls; None if none is proved."""
    is_listed: bool = False
    """The row is one of the table."""
    derived: Syntax | None = None
    """The row that was derived, proved or not, used or not."""
    why: str = ""
    """Why there is no row; empty if there is one."""
    not_derived: str = ""
    """Why no row could be derived, also where a listed one reads everything."""
    proof: Proof | None = None
    """That of the row that is used, or of the derived one."""
    derived_proof: Proof | None = None
    """That of the derived row, alone and before the table, where it was asked for."""
    thinking: Thinking | None = None
    ends: tuple[str, ...] = ()
    """What ends a turn, and is not in the table."""
    result_opener: str = ""
    history: Mapping[str, str] = field(default_factory=dict)
    declaration: str = ""

    def family(self, row: Syntax | None, *, tools: bool = True) -> ThinkingFamily | None:
        """When the prompt opens the reasoning, for answers that are read by `row`. `tools`: the request declares some.

        None where nothing is known of it, and where that row lacks the tags that would close it: all would be
        reasoning.
        """
        if self.thinking is None:
            return None
        closes = self.thinking.is_listed or (row is not None and self.thinking.tag in row.own_tags)
        if not closes:
            return None
        return self.thinking.family if tools else self.thinking.without_tools


class _Wanted(NamedTuple):
    """What is to be learned."""

    name: str
    """Of the row."""
    prior: Syntax | None
    """The row that the model's name speaks for."""
    thorough: bool
    """Prove the derived row also where a listed one is used."""


def learn(
    render: Render,
    name: str,
    special: Iterable[str] = (),
    prior: Syntax | None = None,
    *,
    thorough: bool = False,
    defaults: Mapping[str, Any] | None = None,
) -> Learned:
    """Learn from a template. `name` is that of the row, `special` the tokenizer's special tokens where they are known,
    `prior` the row that the model's name speaks for. `thorough`: prove the derived row also where a listed one is used.
    `defaults` are the settings that the template's server sets where a request does not. Never raises."""
    wanted, defaults = _Wanted(name, prior, thorough), defaults or {}
    tokens = Tokens(special)
    try:
        form = _history(render, tokens)
    except NotRendered as error:
        written = Written(render, History(), tokens)
        return Learned(
            why=str(error),
            not_derived=str(error),
            thinking=thinking_of(written, defaults),
            ends=_ends(written),
            history=histories.of_messages(written),
        )
    written = Written(render, form, tokens)
    thinking = thinking_of(written, defaults)
    ends = _ends(written)
    if not thinking.is_listed and not _reads_reasoning(thinking.tag):
        thinking = dataclasses.replace(thinking, tag=None)
    opener = histories.result_opener(written)
    learned = _row(written, thinking, _Own(ends, _own_result(written, opener)), wanted)
    return dataclasses.replace(
        learned,
        thinking=thinking,
        ends=ends,
        result_opener=opener,
        history=histories.facts(written),
        declaration=histories.declaration(written),
    )


def prover_of(render: Render, special: Iterable[str] = ()) -> tuple[Written, Prover]:
    """The turns of a template, and the prover of rows for it. Raises NotRendered."""
    tokens = Tokens(special)
    written = Written(render, _history(render, tokens), tokens)
    return written, Prover(written, partial(is_open, tag=tag_of(written)))


def _history(render: Render, tokens: Tokens) -> History:
    """How a history must look that prints its calls. Raises NotRendered with the reason of the first that does not."""
    reasons: list[str] = []
    for form in HISTORIES:
        try:
            text = Written(render, form, tokens).calls([TWO])
        except NotRendered as error:
            reasons.append(str(error))
            continue
        if '\\"zqka\\"' not in text or form.text_arguments:
            return form
    raise NotRendered(f"no history prints a call: {reasons[0] if reasons else 'arguments are doubly encoded'}")


def _reads_reasoning(tag: ReasoningTag | None) -> bool:
    """The proof of tags of reasoning: the parser splits an answer at them, whole and by character."""
    if tag is None:
        return False
    row = dataclasses.replace(SYNTAXES[0], own_tags=(tag,))
    text = f"{tag.opens}{THINK} 1 < 2\n\n{THINK}.{tag.closes[0]}\n{SAY}"
    for pieces in ([text], text):
        parser = new_parser(Expectations(), row)
        events = [event for piece in pieces for event in parser.feed(piece)] + parser.finish()
        said = "".join(event.text for event in events if isinstance(event, Text))
        thought = "".join(event.text for event in events if isinstance(event, Reasoning))
        if said.strip() != SAY or thought.strip() != f"{THINK} 1 < 2\n\n{THINK}.":
            return False
    return True


def _ends(written: Written) -> tuple[str, ...]:
    """What ends a turn without calls, and is not in the table."""
    return tuple(dict.fromkeys(token for token in written.ends() if folded(token) not in _KNOWN_ENDS | _CLOSERS))


def _own_result(written: Written, opener: str) -> str:
    """What opens the result of a tool and nothing else, where the table does not have it; else empty."""
    begins = written.tokens.split(opener)[:1]
    known = any(each in opener for each in RESULTS) or any(opener.startswith(each.opens) for each in TURN_HEADERS)
    if known or not begins or not written.tokens.is_markup(begins[0]) or len(opener) > _LONGEST_OPENER:
        return ""
    return "" if written.header().startswith(opener) else opener


class _Own(NamedTuple):
    """Tokens of a template that the table does not have."""

    ends: tuple[str, ...]
    result: str

    def added_to(self, row: Syntax, thinking: Thinking) -> Syntax:
        tags = () if thinking.is_listed or thinking.tag is None else (thinking.tag,)
        results = (self.result,) if self.result else ()
        if not (self.ends or tags or results):
            return row
        return dataclasses.replace(row, own_ends=self.ends, own_tags=tags, own_results=results)


def _row(written: Written, thinking: Thinking, own: _Own, wanted: _Wanted) -> Learned:
    prover = Prover(written, partial(is_open, tag=thinking.tag))
    derived, not_derived = None, ""
    try:
        derived = RowMaker(written, wanted.name, f"chat template of {wanted.name}").row()
        derived = own.added_to(derived, thinking)
    except (NotDerived, NotRendered) as error:
        not_derived = str(error)
    listed = _listed(prover, derived, wanted.prior, partial(own.added_to, thinking=thinking))
    proof = proved(prover, derived) if derived is not None and (wanted.thorough or listed is None) else None
    if listed is not None:
        row, of_listed = listed
        return Learned(
            row=row, is_listed=True, derived=derived, not_derived=not_derived, proof=of_listed, derived_proof=proof
        )
    if derived is None or proof is None:
        return Learned(why=not_derived, not_derived=not_derived)
    if not proof.holds:
        return Learned(derived=derived, why=f"the proof fails: {proof.first}", proof=proof, derived_proof=proof)
    told = dataclasses.replace(derived, prompt=prompt_of(written, derived))
    return Learned(row=told, derived=told, proof=proof, derived_proof=proof)


def proved(prover: Prover, row: Syntax) -> Proof:
    """The proof of a row alone, and before the table."""
    alone = prover.prove(row, sole=True)
    return prover.prove(row) if alone.holds else alone


def _listed(
    prover: Prover, derived: Syntax | None, prior: Syntax | None, with_own: Callable[[Syntax], Syntax]
) -> tuple[Syntax, Proof] | None:
    """The listed row that reads all calls of the proof right, with the tokens of this template.

    The row of the model's name is asked first, then those that write the same text, then the one that the parser names.
    """
    named = prior if prior is not None and prover.syntax(prior) == prior.name else None
    same = [row for row in SYNTAXES if derived is not None and _written(row) == _written(derived)]
    found = {row.name: row for row in SYNTAXES}.get(prover.syntax())
    for row in dict.fromkeys(row for row in (named, *same, found) if row is not None):
        if prover.syntax(row) != row.name:
            continue  # another one reads its calls
        candidate = with_own(row)
        proof = prover.prove(candidate)
        if proof.holds:
            return candidate, proof
    return None


def _written(row: Syntax) -> str:
    """A call in a row, without blanks."""
    return "".join(render_calls(row, [(TWO.name, TWO.arguments)]).split())
