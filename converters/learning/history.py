"""What a template makes of a history: which forms it prints, loses or refuses, and how it declares tools."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from converters.learning.conversations import (
    FIRST,
    KEYS,
    RESULT,
    SAY,
    SECOND,
    USER,
    VALUES,
    Call,
    Conversation,
    NotRendered,
    Turn,
)
from converters.learning.written import Written

_CALL = Call(FIRST, {KEYS[0]: VALUES[0]})


def facts(written: Written) -> dict[str, str]:
    """Each question with its answer: `ok`, `lost`, `error: ...` and the like."""
    call = Turn((_CALL,))
    user, calling, result = Conversation((Turn((_CALL,), results=True),)).variables(written.history)["messages"]
    last = {"role": "assistant", "content": "zqlast"}
    apart = [user, {"role": "assistant", "content": SAY}, calling, result, last, _USER]
    return {
        "content_null": _answer(written, call, {"content": None}, VALUES[0], wrong=("None", "null")),
        "content_empty": "ok" if written.history.content in ("", None) else "lost",
        "arguments_text": _answer(written, call, {"tool_calls": True}, VALUES[0], wrong=(f'\\"{KEYS[0]}',)),
        "text_beside_call": _answer(written, Turn((_CALL,), content=SAY), {}, SAY),
        "text_apart": _said(written, apart, SAY, VALUES[0]),
        "two_calls": _answer(written, Turn((_CALL, Call(SECOND, {KEYS[1]: VALUES[1]}))), {}, VALUES[1]),
        **of_messages(written),
        "ids": _ids(written),
    }


def of_messages(written: Written) -> dict[str, str]:
    """The same of what needs no calls."""
    said = {"role": "assistant", "content": SAY}
    return {
        "content_parts": _answer(written, Turn(content=SAY), {"content": [{"type": "text", "text": SAY}]}, SAY),
        "developer": _with_system(written, "developer", late=False),
        "system": _with_system(written, "system", late=False),
        "late_system": _with_system(written, "system", late=True),
        "neighbours": _said(written, [_USER, {"role": "user", "content": "zqother"}], USER, "zqother"),
        "assistant_first": _said(written, [said, _USER], SAY, USER),
        "tools": _tools(written),
    }


_USER = {"role": "user", "content": USER}


def _said(written: Written, messages: list[dict[str, Any]], *wanted: str) -> str:
    """What becomes of messages, all of whose words must be printed."""
    variables = {**Conversation(prompt=True).variables(written.history), "messages": messages}
    variables["add_generation_prompt"] = messages[-1]["role"] == "user"
    try:
        text = written.render(variables)
    except NotRendered as error:
        return f"error: {error}"
    return "ok" if all(each in text for each in wanted) else "lost"


def _tools(written: Written) -> str:
    """Whether the declared tools change the prompt, with or without a system message before it."""
    answer = ""
    for before in ([], [{"role": "system", "content": "zqsystem"}]):
        texts = []
        for tools in (Conversation().tools, None):
            variables = Conversation(tools=tools, prompt=True).variables(written.history)
            try:
                texts.append(written.render({**variables, "messages": [*before, *variables["messages"]]}))
            except NotRendered as error:
                answer = answer or f"error: {error}"
        if len(texts) == 2:
            if texts[0] != texts[1]:
                return "ok"
            answer = "lost"
    return answer


def _answer(written: Written, turn: Turn, change: Mapping[str, Any], wanted: str, wrong: tuple[str, ...] = ()) -> str:
    variables = Conversation((turn,)).variables(written.history)
    message = variables["messages"][-1]
    for key, value in change.items():
        message[key] = [_as_text(call) for call in message["tool_calls"]] if key == "tool_calls" else value
    try:
        text = written.render(variables)
        if "content" in change:
            plain = written.rendered(Conversation((turn,)))
        else:
            plain = ""
    except NotRendered as error:
        return f"error: {error}"
    for each in wrong:
        if text.count(each) > plain.count(each):
            return "doubly encoded" if each.startswith("\\") else f"prints {each}"
    return "ok" if wanted in text else "lost"


def _as_text(call: Mapping[str, Any]) -> dict[str, Any]:
    arguments = call["function"]["arguments"]
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {**call, "function": {**call["function"], "arguments": text}}


def _with_system(written: Written, role: str, *, late: bool) -> str:
    variables = Conversation((Turn(content=SAY),), prompt=True).variables(written.history)
    variables["messages"].insert(2 if late else 0, {"role": role, "content": "zqsystem"})
    try:
        return "ok" if "zqsystem" in written.render(variables) else "lost"
    except NotRendered as error:
        return f"error: {error}"


def _ids(written: Written) -> str:
    """Whether a call's id may be long."""
    variables = Conversation((Turn((_CALL,), results=True),)).variables(written.history)
    long = "call_zq0123456789abcdefghij"
    variables["messages"][1]["tool_calls"][0]["id"] = variables["messages"][2]["tool_call_id"] = long
    try:
        written.render(variables)
    except NotRendered as error:
        return f"error: {error}"
    return "any"


def result_opener(written: Written) -> str:
    """What stands between the end of a turn with a call and the result of the call; empty if it cannot be told."""
    try:
        _, turn = written.turn(Turn((_CALL,)))
        whole = written.rendered(Conversation((Turn((_CALL,), results=True),)))
    except NotRendered:
        return ""
    before = whole.partition(RESULT)[0]
    end = before.rfind(turn.rstrip())
    opener = before[end + len(turn.rstrip()) :].strip() if turn.strip() and end >= 0 else ""
    for own in (written.history.call_id(_CALL, 0), _CALL.name):  # what differs from call to call is no part of it
        opener = opener.partition(own)[0]
    return opener.rstrip()


def declaration(written: Written) -> str:
    """How tools are declared: `tool` and `function` are JSON of either as sent, `other` is a form of the template's
    own; empty without any."""
    variables = Conversation(prompt=True).variables(written.history)
    try:
        text = written.render(variables)
    except NotRendered:
        return ""
    if "zqdescription" not in text and FIRST not in text:
        return ""
    tool = variables["tools"][0]
    decoder = json.JSONDecoder()
    for start in (pos for pos, char in enumerate(text) if char == "{"):
        try:
            value, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if value == tool:
            return "tool"
        if value == tool["function"]:
            return "function"
    return "other"
