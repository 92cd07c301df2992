"""How a template tells its model of tools, and what it makes of results: the forms that a backend without tools needs.

What stands in the system message, around the declared tools, is told as the template tells it; and so is what stands
around a result in a message of the user. What has a place of its own in a prompt, such as a message of another role, is
left to the common form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

from converters.learning.conversations import (
    FIRST,
    KEYS,
    RESULT,
    SAY,
    USER,
    VALUES,
    Call,
    Conversation,
    NotRendered,
    Turn,
)
from converters.learning.written import Written
from converters.prompts.declare import declared, tool_text
from converters.syntaxes import END_TOKENS, TURN_HEADERS, Syntax
from converters.syntaxes.prompt import COMMON, Prompt, ToolForm

_SYSTEM = "zqsystem"
_CALL = Call(FIRST, {KEYS[0]: VALUES[0]})
_FORMS: tuple[ToolForm, ...] = get_args(ToolForm)
_SHORTEST = 3
"""Characters of a token that shows where a message ends or begins."""


def prompt_of(written: Written, row: Syntax) -> Prompt:
    """The forms of a template for prompts that are written by hand; those of `COMMON` where it has none."""
    prompt = COMMON
    for change in (_declaration, _result, _before_calls):
        try:
            prompt = change(written, row, prompt)
        except NotRendered:
            continue
    return prompt


# -- the declaration ---------------------------------------------------------------------------------------------------


def _declaration(written: Written, row: Syntax, prompt: Prompt) -> Prompt:
    with_tools, tools = _with_system(written, Conversation(prompt=True))
    without, _ = _with_system(written, Conversation(prompt=True, tools=None))
    before, _, behind = with_tools.partition(_SYSTEM)
    plain_before, _, plain_behind = without.partition(_SYSTEM)
    if before == plain_before and behind.endswith(plain_behind):
        told, first = behind.removesuffix(plain_behind), False
    elif behind == plain_behind and before.startswith(plain_before):
        told, first = before.removeprefix(plain_before), True
    else:
        return prompt
    if not told.strip() or _has_border(written, told):
        return prompt
    text = told.strip()
    start = told.index(text)
    beside = told[start + len(text) :] if first else told[:start]
    for derived in _told(row, text, tools):
        if declared(replace(row, prompt=derived), tools, "auto", None) == text:
            return replace(derived, before_system=first, beside_system=beside)
    return prompt


def _with_system(written: Written, conversation: Conversation) -> tuple[str, list[dict[str, Any]]]:
    """(a prompt with a system message, the tools that it declares)"""
    variables = conversation.variables(written.history)
    messages = [{"role": "system", "content": _SYSTEM}, *variables["messages"]]
    return written.render({**variables, "messages": messages}), variables.get("tools") or []


def _told(row: Syntax, text: str, tools: list[dict[str, Any]]) -> Iterator[Prompt]:
    """The forms in which the tools may stand in a text."""
    for form in _FORMS:
        if form == "relaxed" and not row.delimiter:
            continue
        shaped = replace(row, prompt=replace(COMMON, form=form))
        first, second = (tool_text(shaped, each) for each in tools[:2])
        place = text.find(first)
        other = text.find(second, place + len(first)) if place >= 0 else -1
        if other < 0:
            continue
        before, between, behind = text[:place], text[place + len(first) : other], text[other + len(second) :]
        if "{tools}" in before or "{example}" in behind:
            continue
        yield replace(COMMON, form=form, declaration=f"{before}{{tools}}", between_tools=between, instruction=behind)


def _has_border(written: Written, text: str) -> bool:
    """Whether a text holds what ends a message or begins one: it must not stand in the words of another."""
    tokens = {*END_TOKENS, *(header.opens for header in TURN_HEADERS), *written.tokens.special, *written.ends()}
    tokens.add(written.plain_end().strip())
    return any(token in text for token in tokens if len(token) >= _SHORTEST)


# -- results and calls -------------------------------------------------------------------------------------------------


def _result(written: Written, row: Syntax, prompt: Prompt) -> Prompt:
    """What stands around a result, if it is a message of the user."""
    said = written.rendered(Conversation((Turn(content=SAY),), ends_with_user=True))
    told = written.rendered(Conversation((Turn((_CALL,), results=True),)))
    end = written.plain_end()
    opens, closes = _behind(said, SAY, end).split(USER, 1) if USER in _behind(said, SAY, end) else ("", "")
    before, found, behind = told.partition(f"{RESULT}0")
    place = before.rfind(opens) if opens.strip() else -1
    if not found or place < 0 or not behind.rstrip().endswith(closes.rstrip()):
        return prompt
    inner, outer = before[place + len(opens) :], behind.rstrip().removesuffix(closes.rstrip())
    if not inner.strip() or _CALL.name in inner or "{" in inner + outer or _has_border(written, inner + outer):
        return prompt
    return replace(prompt, result=f"{inner}{{result}}{outer}")


def _behind(text: str, word: str, end: str) -> str:
    """What stands behind a word and the end of its turn."""
    return text.rpartition(word)[2].removeprefix(end)


def _before_calls(written: Written, row: Syntax, prompt: Prompt) -> Prompt:
    """What stands between a text and its calls, if that is white space alone."""
    _, said = written.turn(Turn((_CALL,), content=SAY))
    behind = said.partition(SAY)[2]
    place = behind.find(written.calls([_CALL]))
    blanks = behind[: max(place, 0)]
    return replace(prompt, before_calls=blanks) if place >= 0 and not blanks.strip() else prompt
