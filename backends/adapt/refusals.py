"""Which adaptations a refusal of a backend asks for.

A refusal may quote the request. So what a client wrote could look like the words of a server, and teach the proxy
something wrong of it. What stands in the request's own strings is taken out of the text before it counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache

from backends.adapt.facts import Request, facts_of
from backends.adapt.fields import DROPPABLE
from backends.adapt.own_words import OwnWords, normal
from backends.adapt.silent import losses_of
from backends.adapt.table import BY_NAME, adapted
from backends.adapt.words import NEVER, REFUSALS, UNKNOWN_FIELD
from errors import ErrorInfo

_NEVER_STATUS = frozenset({401, 402, 403, 407, 408, 409, 413, 415, 425, 429, 499, 503, 504})
"""Keys, limits, sizes and times: another request would not change them."""
_LONGEST = 8000
"""Characters that are read of each end of an error."""
_MENTIONS = 4
"""Fields that one refusal names in one form."""
_NOBODY = facts_of("")
"""For asking whether an adaptation changes a request: that does not depend on the model."""

Ladder = tuple[tuple[str, ...], ...]


def _ladder(asks: str) -> Ladder:
    return tuple(tuple(name.strip() for name in rung.split("+")) for rung in asks.split(">"))


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Ladder, str], ...]:
    """What a server says, what that asks for, and whose words these are. Made at the first refusal: most see none."""
    return tuple(
        (re.compile("|".join(words.patterns)), _ladder(words.asks), f"words of {words.engine} ({words.source})")
        for words in REFUSALS
    )


@cache
def _never() -> re.Pattern[str]:
    return re.compile("|".join(NEVER))


_FIELDS: Mapping[str, Ladder] = {
    **{name: _ladder(f"without_{name}") for name in DROPPABLE},
    "tool_choice": _ladder("choice_auto > without_tool_choice"),
    "stream_options": _ladder("stream_options"),
    "max_completion_tokens": _ladder("max_tokens"),
    "max_tokens": _ladder("max_completion_tokens"),
    "tools": _ladder("prompted"),
    "functions": _ladder("functions > prompted"),
    "function_call": _ladder("functions > without_nulls"),
    "strict": _ladder("strict"),
    "name": _ladder("without_name"),
    "reasoning_content": _ladder("without_reasoning"),
    "reasoning": _ladder("without_reasoning"),
    "reasoning_details": _ladder("without_reasoning"),
    "tool_calls": _ladder("without_nulls"),
    "refusal": _ladder("without_nulls"),
    "audio": _ladder("without_nulls"),
    "annotations": _ladder("without_nulls"),
    "cache_control": _ladder("content_text + tools_tidy + without_cache_control"),
}
"""What to do without a field that a server does not know. Other fields change the answer: their refusal passes."""
_OPPOSITES = {
    "arguments_text": "arguments_object",
    "arguments_object": "arguments_text",
    "max_tokens": "max_completion_tokens",
    "max_completion_tokens": "max_tokens",
    "reasoning_empty": "without_reasoning",
    "without_reasoning": "reasoning_empty",
}
"""Adaptations that undo each other: one is never asked for while the other is on."""


def asked_for(error: ErrorInfo, body: Request, on: Collection[str], never: Collection[str] = ()) -> tuple[str, ...]:
    """The adaptations that are not yet on, that the refusal asks for, and that change the request.

    `body` is the request as the client sent it, `on` the adaptations with which it was refused, `never` those that the
    settings forbid. Empty for a refusal that nobody knows, or of which no adaptation is left: it is for the client.
    """
    return tuple(reasons_for(error, body, on, never))


def reasons_for(error: ErrorInfo, body: Request, on: Collection[str], never: Collection[str] = ()) -> dict[str, str]:
    """The same, each with what in the refusal asked for it: in our own words, as the backend's may quote a prompt."""
    if not concerns_form(error, body):
        return {}
    text, own = _text_of(error), OwnWords(body)
    now = adapted(body, on, _NOBODY)
    model = body.get("model")
    useless = {"raw"} if isinstance(model, str) and losses_of(model).tools else set()
    found: dict[str, str] = {}
    for ladder, why in _ladders(text, own):
        for name in _first(ladder, now, on, {*never, *useless}):
            found.setdefault(name, f"status {error.status}, {why}")
    return {name: found[name] for name in BY_NAME if name in found}


def concerns_form(error: ErrorInfo, body: Request) -> bool:
    """Whether the refusal may be about the form of the request: not about keys, limits, sizes or times."""
    return error.status not in _NEVER_STATUS and OwnWords(body).said_by_others(_never(), _text_of(error)) is None


def _text_of(error: ErrorInfo) -> str:
    """What the error says, normalised. Of a template's error, which quotes the template, what it raised."""
    told = json.dumps(dict(error.error), ensure_ascii=False, default=str)
    if len(told) > 2 * _LONGEST:
        told = told[:_LONGEST] + " … " + told[-_LONGEST:]
    text = normal(told)
    raised = text.rfind("jinja exception:")
    text = text[max(raised, 0) :]
    quoted = re.search(r"failed to parse (?:the )?(?:input|output|response)[^:]{0,40}:", text)
    return text[: quoted.end()] if quoted else text  # behind it stands what the model wrote


def _ladders(text: str, own: OwnWords) -> Iterator[tuple[Ladder, str]]:
    """What the refusal asks for, each with the words that do."""
    for pattern, ladder, whose in _patterns():
        if own.said_by_others(pattern, text) is not None:
            yield ladder, whose
    for pattern in map(re.compile, UNKNOWN_FIELD):
        rest = text
        for _ in range(_MENTIONS):
            match = own.said_by_others(pattern, rest)
            if match is None:
                break
            field = re.split(r"[., ]+", match["path"].strip(" .,"))[-1]
            if field in _FIELDS:
                yield _FIELDS[field], f"`{field}` is not known there"
            rest = match.string[match.start() + 1 :]


def _first(ladder: Ladder, now: Request, on: Collection[str], never: Collection[str]) -> tuple[str, ...]:
    """The adaptations of the first rung of which one is off yet and changes the request."""
    for rung in ladder:
        usable = [name for name in rung if name not in on and name not in never and _OPPOSITES.get(name) not in on]
        changing = tuple(name for name in usable if BY_NAME[name].apply(now, _NOBODY) is not now)
        if changing:
            return changing
    return ()
