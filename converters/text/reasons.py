"""The reason codes: why text was removed, and what else was decided about an answer.

The codes are stable, because clients may read them. The first eleven say why a span of text was removed. The others are
decisions that removed nothing of their own and appear only in the record of an exchange.
"""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "whitespace",
    "marker",
    "end_token",
    "choice_none",
    "parallel_off",
    "cut",
    "invented_result",
    "echo",
    "reasoning_off",
    "custom_converter",
    "invented_turn",
    "name_repaired",
    "call_repaired",
    "builtin_call",
    "choice_other",
    "required_unmet",
    "arguments_repaired",
    "arguments_retyped",
    "arguments_wrapped",
    "arguments_unwrapped",
    "arguments_closed",
    "arguments_unreadable",
    "arguments_misfit",
    "duplicate_key",
    "reasoning_closed_late",
    "reasoning_never_closed",
    "converter_raised",
    "marker_left",
    "no_tools",
    "quoted",
    "unknown_markup",
    "bare_json_with_text",
    "bare_json_unfit",
    "undeclared_name",
    "undeclared_left",
    "draft_call",
    "placeholder_call",
    "declaration",
    "in_message",
    "object_left",
    "native_follows",
    "native_form",
    "native_index",
    "native_id",
    "native_name",
    "native_arguments",
    "native_order",
    "native_empty",
    "envelope",
    "finish_reason",
    "role_missing",
    "surrogate_half",
    "event_without_data",
    "error_recovered",
]

REMOVED: dict[Reason, str] = {
    "whitespace": "white space next to something that was removed",
    "marker": "the markup of a call, a reasoning tag, a header of the model's own, or a message that is for no reader",
    "end_token": "an end-of-turn token at the end of the text, or before the next turn",
    "choice_none": "a call that the request's `tool_choice` does not allow",
    "parallel_off": "a second call, although the request set `parallel_tool_calls: false`",
    "cut": "a call that `max_tokens` cut off before it could be delivered",
    "invented_result": "a tool result that the model made up after its call, and the text that follows it",
    "echo": "a second copy of a call, as text",
    "reasoning_off": "reasoning, because of REASONING_FIELD=none",
    "custom_converter": "text that a registered converter removed",
    "invented_turn": "the turn of the user or another speaker that the model made up, and the text that follows it",
}
"""For each code what was removed."""

LEFT: dict[Reason, str] = {
    "no_tools": "the text holds the markup of a call, but the request declares no tools and its history holds no calls",
    "quoted": "the markup of a call stands in a code fence, inline code, HTML or quotation marks, so it is an example",
    "unknown_markup": "a tag or a special token looks like that of a tool call, but no syntax has it",
    "bare_json_with_text": "a call without markup, such as JSON that names a declared tool, stands beside other text",
    "bare_json_unfit": "the message is JSON that names a declared tool, but it holds more or less than a call",
    "undeclared_name": "the model called a tool that the request does not declare; the call was delivered unchanged",
    "undeclared_left": "markup that is a call only if its name is declared names no declared tool",
    "draft_call": "a call in the reasoning was not the last thing the model did, or was not complete or not declared",
    "placeholder_call": "a placeholder stands where the arguments of a call belong, so it is an example",
    "declaration": "what stands in place of the arguments declares a tool; it calls none",
    "in_message": "the markup of a call stands in a message that is for the reader",
    "object_left": "an object among calls is no call",
}
"""Why what looks like a call was left as it is. These codes change nothing of an answer, nor its outcome."""

NOTED: dict[Reason, str] = {
    "name_repaired": "the tool name was misspelled; exactly one declared tool matches it",
    "call_repaired": "the JSON around name and arguments was invalid and was repaired without losing anything",
    "builtin_call": "a call, written as code, of a tool from the model's training that is not declared; it was removed",
    "choice_other": "a call of a function that `tool_choice` does not name; it was removed",
    "required_unmet": "`tool_choice` requires a call, and the model made none",
    "arguments_repaired": "the arguments were not strict JSON and were repaired without losing anything",
    "arguments_retyped": "a string that the schema does not allow was replaced by the value that it spells",
    "arguments_wrapped": "the arguments were not an object; they were put under the only required argument",
    "arguments_unwrapped": "all arguments were nested under an extra key, such as `arguments`; it was taken away",
    "arguments_closed": "the model stopped before it closed the arguments; all values were complete",
    "arguments_unreadable": "a value of the arguments was left open or could not be read: the call was not delivered",
    "arguments_misfit": "the arguments do not match the tool's schema; they were delivered unchanged",
    "duplicate_key": "an object contained a key twice; the first was kept",
    "reasoning_closed_late": "a closing reasoning tag came without its opening tag: the prompt of this model opens it",
    "reasoning_never_closed": "reasoning was expected to end and did not",
    "converter_raised": "a registered converter raised an exception; all text was passed unchanged",
    "marker_left": "an opening marker was followed by something that no syntax matches; it was passed as text",
    **LEFT,
    "native_follows": "text was followed by a native tool call, one that the server itself sent",
    "native_form": "native tool calls came in a form that breaks clients: several in one chunk, or without a type",
    "native_index": "a native tool call had no index, or the index of another call",
    "native_id": "the id of a native tool call was missing, was used twice, or changed",
    "native_name": "the name of a native tool call was missing, was repeated, or differed from the declared one",
    "native_arguments": "the arguments of a native tool call were not text, not an object, or empty",
    "native_order": "a native tool call began before the previous one ended",
    "native_empty": "an empty list of native tool calls was removed",
    "envelope": "a reply lacked required fields, or a delta was not an object",
    "finish_reason": "a finish reason was missing, came twice, or was wrong",
    "role_missing": "the backend did not send the role",
    "surrogate_half": "a text was cut inside a character; its halves were joined, or a half alone became U+FFFD",
    "event_without_data": "an event without data was removed",
    "error_recovered": "the backend failed to parse the model's answer and quoted it in its error; the quote was read",
}
"""For each code what was decided."""

BECAME: dict[str, str] = {
    "content": "text for the user",
    "reasoning": "reasoning of the model",
    "call": "the markup of a call that was delivered",
    "arguments": "the arguments of a call that was delivered",
    "removed": "text that no client should see",
}
"""What becomes of text where no code says more."""

_SENTENCES: dict[str, str] = BECAME | {str(code): text for each in (NOTED, REMOVED) for code, text in each.items()}


def sentence(code: str) -> str:
    """A code in words, or what became of text. The page on outcomes says the same at more length."""
    return _SENTENCES[code]


ABSTAINED: frozenset[Reason] = frozenset({"converter_raised", "marker_left"})
"""Decisions to pass text unread although it looked like more than text."""
