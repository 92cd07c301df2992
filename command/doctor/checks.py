"""What several probes look for in an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from command.doctor.answer import Answer, Call, quoted
from command.doctor.probe import Finding, chose, failed, warned
from converters.explain import explain

_TAGS = ("<think>", "</think>", "[THINK]", "<|channel|>analysis", "<seed:think>")
_LOOKS_LIKE_A_CALL = ("unknown_markup", "marker_left", "arguments_unreadable")


def schemas(tools: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The schema of each tool by its name."""
    return {tool["function"]["name"]: tool["function"]["parameters"] for tool in tools}


def wrong_answer(answer: Answer) -> Finding | None:
    """What is wrong with an answer whatever it says; None if nothing is."""
    if answer.refused:
        if answer.status == 0:
            return failed("refused", f"no answer: {answer.error}")
        return failed("refused", f"HTTP {answer.status}: {answer.error}")
    if answer.faults:
        return failed("unreadable", answer.faults[0])
    if answer.finish == "length":
        return warned("max_tokens ended the answer before it said anything to judge; --max-tokens allows more")
    return None


def wrong_stream(answer: Answer) -> Finding | None:
    """What is wrong with the form of a stream."""
    if answer.finish is None:
        return failed("no_finish", "the stream ends without a finish reason")
    if not answer.done:
        return failed("no_done", "the stream ends without [DONE]")
    return None


def markup_in(text: str, tools: Sequence[Mapping[str, Any]], model: str) -> Finding | None:
    """Whether a call stands in a text: the fault, or None. The markup is read as the proxy would read it."""
    if not text:
        return None
    found = explain(text, schemas(tools), model)
    if any(each.became == "call" for each in found):
        return failed("raw_markup", f"the call came as text: {quoted(text)}", row_of(text, tools, model))
    if any(each.code in _LOOKS_LIKE_A_CALL for each in found):
        return failed("unknown_markup", f"this text looks like a call: {quoted(text)}")
    return None


def row_of(text: str, tools: Sequence[Mapping[str, Any]], model: str) -> str | None:
    """The syntax of the first call in a text."""
    from converters.factory import converter_factory
    from converters.stages.pipeline import new_parser
    from converters.text.expectations import Expectations

    converter = converter_factory.get_builtin(model)
    parser = new_parser(Expectations(tools=schemas(tools)), converter.syntax)
    parser.feed(text)
    parser.finish()
    return parser.syntax


def wrong_calls(answer: Answer, tools: Sequence[Mapping[str, Any]], model: str) -> Finding | None:
    """What is wrong with an answer that should call a tool; None if it calls, in a way that clients can read."""
    if (wrong := wrong_answer(answer)) is not None:
        return wrong
    if not answer.calls:
        return _no_call(answer, tools, model)
    for place, call in enumerate(answer.calls):
        if (wrong := _wrong_call(call, place, schemas(tools))) is not None:
            return wrong
    if (wrong := markup_in(answer.content, tools, model)) is not None:
        return wrong
    if answer.finish != "tool_calls":
        return failed("wrong_finish", f"finish_reason is {answer.finish!r} beside {len(answer.calls)} call(s)")
    return None


def _no_call(answer: Answer, tools: Sequence[Mapping[str, Any]], model: str) -> Finding:
    in_text = markup_in(answer.content, tools, model)
    if in_text is not None:
        return in_text
    if (inside := markup_in(answer.reasoning, tools, model)) is not None:
        return failed("call_in_reasoning", f"the call is in the reasoning: {quoted(answer.reasoning)}", inside.row)
    if not answer.content.strip() and not answer.reasoning.strip():
        return failed("empty_answer", "neither text nor a call")
    return chose(f"it answered {answer.words}")


def _wrong_call(call: Call, place: int, declared: Mapping[str, Any]) -> Finding | None:
    if not isinstance(call.id, str) or not call.id:
        return failed("bad_call", f"call {place} has the id {call.id!r}")
    if not isinstance(call.name, str) or not call.name:
        return failed("bad_call", f"call {place} has the name {call.name!r}")
    if type(call.index) is not int:
        return failed("bad_call", f"call {place} has the index {call.index!r}")
    if call.type != "function":
        return failed("bad_call", f"call {place} has the type {call.type!r}, not 'function'")
    if call.name not in declared:
        return failed("undeclared", f"call {place} is of {call.name!r}")
    if call.object is None:
        shown = quoted(call.arguments) if isinstance(call.arguments, str) else repr(call.arguments)
        return failed("bad_arguments", f"the arguments of {call.name} are {shown}")
    return None


def reasoning_in(text: str) -> Finding | None:
    """Whether reasoning stands in the content."""
    tag = next((tag for tag in _TAGS if tag in text), None)
    return None if tag is None else failed("reasoning_in_text", f"{tag} stands in the content: {quoted(text)}")
