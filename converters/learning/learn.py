"""Learns from one chat template: a row of the table, the tags of reasoning and when the prompt opens them, what ends a
turn, what opens a result, and what a history may hold; with the proof.

What is not proved is reported with its reason, and changes nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from converters.learning import history as histories
from converters.learning.conversations import HISTORIES, History, NotRendered, Render
from converters.learning.parameters import NotDerived
from converters.learning.proof import Proof, Prover
from converters.learning.rows import ONE, TWO, RowMaker
from converters.learning.thinking import Thinking, family_of, is_open, tag_of
from converters.learning.tokens import Tokens
from converters.learning.written import Written
from converters.syntaxes import END_TOKENS, REASONING_TAGS, SYNTAXES, Syntax
from converters.text.scanner import folded

_KNOWN_ENDS = frozenset(map(folded, END_TOKENS))
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
    thinking: Thinking | None = None
    ends: tuple[str, ...] = ()
    """What ends a turn, and is not in the table."""
    result_opener: str = ""
    history: Mapping[str, str] = field(default_factory=dict)
    declaration: str = ""


def learn(render: Render, name: str, special: Iterable[str] = (), prior: Syntax | None = None) -> Learned:
    """Learn from a template. `name` is that of the row, `special` the tokenizer's special tokens where they are known,
    `prior` the row that the model's name speaks for. Never raises."""
    tokens = Tokens(special)
    try:
        form = _history(render, tokens)
    except NotRendered as error:
        written = Written(render, History(), tokens)
        thinking = _thinking(written)
        return Learned(why=str(error), not_derived=str(error), thinking=thinking, ends=_ends(written))
    written = Written(render, form, tokens)
    thinking = _thinking(written)
    ends = _ends(written)
    learned = _row(written, thinking, ends, name, prior)
    return dataclasses.replace(
        learned,
        thinking=thinking,
        ends=ends,
        result_opener=histories.result_opener(written),
        history=histories.facts(written),
        declaration=histories.declaration(written),
    )


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


def _thinking(written: Written) -> Thinking:
    tag = tag_of(written)
    return Thinking(tag, family_of(written, tag))


def _ends(written: Written) -> tuple[str, ...]:
    """The markup behind a turn without calls that the table does not have."""
    found = [token for token in written.tokens.split(written.plain_end()) if written.tokens.is_markup(token)]
    return tuple(dict.fromkeys(token for token in found if folded(token) not in _KNOWN_ENDS | _CLOSERS))


def _row(written: Written, thinking: Thinking, ends: tuple[str, ...], name: str, prior: Syntax | None) -> Learned:
    prover = Prover(written, lambda prompt: is_open(prompt, thinking.tag))
    derived, not_derived = None, ""
    try:
        derived = _with_facts(RowMaker(written, name, f"chat template of {name}").row(), thinking, ends)
    except (NotDerived, NotRendered) as error:
        not_derived = str(error)
    listed = _listed(prover, thinking, ends, prior)
    if listed is not None:
        row, proof = listed
        return Learned(row=row, is_listed=True, derived=derived, not_derived=not_derived, proof=proof)
    if derived is None:
        return Learned(why=not_derived, not_derived=not_derived)
    proof = prover.prove(derived)
    if proof.holds:
        return Learned(row=derived, derived=derived, proof=proof)
    first = next(iter(proof.failed.items()), ("", "no call is rendered"))
    return Learned(derived=derived, why=f"the proof fails: {first[0]}: {first[1]}", proof=proof)


def _listed(
    prover: Prover, thinking: Thinking, ends: tuple[str, ...], prior: Syntax | None
) -> tuple[Syntax, Proof] | None:
    """The listed row that reads all calls of the proof right, with the facts of this template."""
    found = {row.name: row for row in SYNTAXES}.get(prover.syntax())
    for row in dict.fromkeys(row for row in (found, prior) if row is not None):
        candidate = _with_facts(row, thinking, ends)
        proof = prover.prove(candidate)
        if proof.holds:
            return candidate, proof
    return None


def _with_facts(row: Syntax, thinking: Thinking, ends: tuple[str, ...]) -> Syntax:
    tags = () if thinking.is_listed or thinking.tag is None else (thinking.tag,)
    return dataclasses.replace(row, own_ends=ends, own_tags=tags) if ends or tags else row


__all__ = ["ONE", "Learned", "learn"]
