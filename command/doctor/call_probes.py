"""Probes of calls: demanded and not, buffered and streamed, several and with all kinds of arguments."""

from __future__ import annotations

import json
from typing import Any

from command.doctor.answer import Answer, quoted
from command.doctor.checks import markup_in, wrong_answer, wrong_calls, wrong_stream
from command.doctor.probe import REFUSAL, Finding, Side, chose, failed, passed, warned
from command.doctor.questions import (
    CALL,
    FORBIDDEN,
    NAMED,
    NESTED,
    NO_ARGUMENTS,
    NOTE,
    NOTE_TEXT,
    PARALLEL,
    REQUIRED,
    TOOLS,
    TRIP,
    TRIP_ARGUMENTS,
    TRIP_SCHEMA,
    UNICODE,
)
from converters.values.validate import misfits

_BUFFERED = "the buffered call"
_DAMAGE = ("\ufffd", "\\n", "\\u", "&quot;", "&amp;", "안녕".encode().decode("latin-1"))
"""What a server makes of text that it escapes, decodes or cuts wrongly."""


def auto(side: Side) -> Finding:
    """A call where the model may call."""
    answer = side.ask(CALL, tools=TOOLS)
    if (wrong := wrong_calls(answer, TOOLS, side.model)) is not None:
        if wrong.fault == "refused":
            side.seen[REFUSAL] = answer
        return wrong
    side.seen[_BUFFERED] = answer
    return _expected(answer, "get_weather")


def auto_streamed(side: Side) -> Finding:
    """The same call, streamed."""
    answer = side.ask(CALL, tools=TOOLS, stream=True)
    if (wrong := wrong_calls(answer, TOOLS, side.model) or wrong_stream(answer)) is not None:
        if _BUFFERED in side.seen and wrong.fault != "refused":
            return failed("streamed_differs", f"buffered {_calls(side.seen[_BUFFERED])}; streamed: {wrong.said}")
        return wrong
    buffered = side.seen.get(_BUFFERED)
    if buffered is not None and _calls(buffered) != _calls(answer):
        return failed("streamed_differs", f"buffered {_calls(buffered)}; streamed: {_calls(answer)}")
    return _expected(answer, "get_weather")


def required(side: Side) -> Finding:
    """A call where one is demanded."""
    answer = side.ask(REQUIRED, tools=TOOLS, tool_choice="required")
    wrong = wrong_calls(answer, TOOLS, side.model)
    if wrong is not None and wrong.chose:
        return failed("required_ignored", f"it answered {answer.words}")
    return wrong or passed(_calls(answer))


def named(side: Side) -> Finding:
    """The function that is named, and no other."""
    choice = {"type": "function", "function": {"name": "get_time"}}
    answer = side.ask(NAMED, tools=TOOLS, tool_choice=choice)
    wrong = wrong_calls(answer, TOOLS, side.model)
    if wrong is not None and wrong.fault == "wrong_finish" and answer.finish == "stop":
        wrong = None  # OpenAI itself says `stop` behind a named function
    if wrong is not None:
        return failed("named_ignored", f"it answered {answer.words}") if wrong.chose else wrong
    if any(call.name != "get_time" for call in answer.calls):
        return failed("named_ignored", f"get_time was named, and it called {_calls(answer)}")
    return passed(_calls(answer))


def none(side: Side) -> Finding:
    """No call where none may be made, and no markup of one."""
    answer = side.ask(FORBIDDEN, tools=TOOLS, tool_choice="none")
    if (wrong := wrong_answer(answer)) is not None:
        return wrong
    if answer.calls:
        return failed("none_ignored", f"it called {_calls(answer)}")
    if (markup := markup_in(answer.content, TOOLS, side.model)) is not None:
        return failed("none_ignored", markup.said, markup.row)
    if not answer.content.strip():
        return failed("empty_answer", f"no content, {len(answer.reasoning)} characters of reasoning")
    return passed(answer.words)


def parallel(side: Side) -> Finding:
    """Two calls in one answer, told apart by ids and indexes."""
    answer = side.ask(PARALLEL, tools=TOOLS)
    if (wrong := wrong_calls(answer, TOOLS, side.model)) is not None:
        return wrong
    if len(answer.calls) < 2:
        again = side.ask(PARALLEL, tools=TOOLS, parallel_tool_calls=True)
        if len(again.calls) > 1 and wrong_calls(again, TOOLS, side.model) is None:
            return warned("several calls only with parallel_tool_calls: true", "needs_parallel")
        return chose(f"one call only, {_calls(answer)}")
    for what in ("id", "index"):
        found = [getattr(call, what) for call in answer.calls]
        if len(set(map(repr, found))) < len(found):
            return failed("same_ids", f"the {what}s are {found}")
    return passed(_calls(answer))


def no_arguments(side: Side) -> Finding:
    """A call without arguments has `{}`."""
    answer = side.ask(NO_ARGUMENTS, tools=TOOLS)
    if (wrong := wrong_calls(answer, TOOLS, side.model)) is not None:
        return wrong
    call = answer.calls[0]
    if call.name != "get_time":
        return chose(f"it called {_calls(answer)}")
    return passed(_calls(answer)) if call.object == {} else warned(f"get_time takes none, and got {call.arguments}")


def text_argument(side: Side) -> Finding:
    """Text arrives as it was written: other scripts, quotes, line ends."""
    tools = [NOTE]
    answer = side.ask(UNICODE, tools=tools)
    if (wrong := wrong_calls(answer, tools, side.model)) is not None:
        return wrong
    text = (answer.calls[0].object or {}).get("text")
    if text == NOTE_TEXT:
        return passed("equal to the byte")
    shown = quoted(text) if isinstance(text, str) else repr(text)
    if isinstance(text, str) and any(mark in text for mark in _DAMAGE):
        return failed("changed_text", f"it arrived as {shown}")
    return chose(f"it wrote another text, {shown}")


def nested_arguments(side: Side) -> Finding:
    """Arguments have the types of the schema, also inside."""
    tools = [TRIP]
    answer = side.ask(NESTED, tools=tools)
    if (wrong := wrong_calls(answer, tools, side.model)) is not None:
        return wrong
    call = answer.calls[0]
    assert isinstance(call.arguments, str)
    if rules := misfits(call.arguments, TRIP_SCHEMA):
        return failed("mistyped", f"{call.arguments} breaks {', '.join(rules)}")
    if call.object != TRIP_ARGUMENTS:
        return chose(f"it fits the schema, but other values were asked for: {call.arguments}")
    return passed("every value, with its type")


def _expected(answer: Answer, name: str) -> Finding:
    if any(call.name == name for call in answer.calls):
        return passed(_calls(answer))
    return chose(f"it called {_calls(answer)}")


def _calls(answer: Answer) -> str:
    return ", ".join(f"{call.name}({_plain(call.object)})" for call in answer.calls)


def _plain(arguments: Any) -> str:
    return json.dumps(arguments, ensure_ascii=False, sort_keys=True)
