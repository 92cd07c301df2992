"""The reason codes: why text was removed, and what else happened on the way. Stable; clients may read them.

The first ten say why a span was removed and are named by the contract. The rest are decisions that removed
nothing and are only told in the record of an exchange.
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
    "name_repaired",
    "call_repaired",
    "builtin_call",
    "choice_other",
    "required_unmet",
    "arguments_repaired",
    "arguments_guessed",
    "arguments_retyped",
    "arguments_wrapped",
    "arguments_unwrapped",
    "arguments_dropped",
    "arguments_closed",
    "arguments_unreadable",
    "arguments_misfit",
    "duplicate_key",
    "reasoning_closed_late",
    "reasoning_never_closed",
    "converter_raised",
    "marker_left",
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
    "event_without_data",
    "error_recovered",
]

REMOVED: dict[Reason, str] = {
    "whitespace": "white space at the edge of something that was removed",
    "marker": "the markup of a call, or a reasoning tag",
    "end_token": "an end-of-turn token left at the end of the text",
    "choice_none": "a call that the request's `tool_choice` does not allow",
    "parallel_off": "a second call although the request said parallel_tool_calls false",
    "cut": "a call that max_tokens cut before it could be delivered",
    "invented_result": "a tool result that the model made up after its call, and what it said on from it",
    "echo": "a call repeated as plain text",
    "reasoning_off": "reasoning, which REASONING_FIELD=none drops",
    "custom_converter": "what a registered converter took out of the text",
}

NOTED: dict[Reason, str] = {
    "name_repaired": "the name was spelled otherwise than that of the one tool it can mean",
    "call_repaired": "the JSON around name and arguments was not quite JSON, and lost nothing in being put right",
    "builtin_call": "a call, in code, of a tool that the model was trained on and nobody declared; it was removed",
    "choice_other": "a call of another function than the ones that `tool_choice` names; it was removed",
    "required_unmet": "`tool_choice` demands a call, and the model made none",
    "arguments_repaired": "arguments in another spelling than JSON's, which lost nothing in being put right",
    "arguments_guessed": "arguments whose JSON was broken, a comma or a bracket of it missing or too many",
    "arguments_retyped": "a string that the schema does not allow was read as the value that it spells",
    "arguments_wrapped": "arguments that are no object were put under the one argument that is required",
    "arguments_unwrapped": "all arguments stood under one more key, such as `arguments`, that the tool does not have",
    "arguments_dropped": "arguments that are no object, and no argument to put them under",
    "arguments_closed": "the model stopped before it had closed the arguments; all values were complete",
    "arguments_unreadable": "the model ended inside arguments that cannot be read on; what was open has been closed",
    "arguments_misfit": "the finished arguments do not fit the tool's schema; they were delivered as they are",
    "duplicate_key": "a key stood twice in one object; the first was kept",
    "reasoning_closed_late": "a closing reasoning tag came without its opener: this model's prompt opens it",
    "reasoning_never_closed": "reasoning that was expected to end did not",
    "converter_raised": "a registered converter raised; the text was passed whole",
    "marker_left": "what opens a call stood in the text, and no syntax has what followed it; it was passed as text",
    "native_follows": "text was followed by a tool call that the server sent as such",
    "native_form": "a native tool call came in a form that breaks clients: several in one chunk, or without its type",
    "native_index": "a native tool call had no index, or another call's",
    "native_id": "the id of a native tool call was missing, came twice, or changed",
    "native_name": "the name of a native tool call was missing, repeated, or not the declared one",
    "native_arguments": "the arguments of a native tool call were no text, no object, or came empty",
    "native_order": "a native tool call began before the one before it had ended",
    "native_empty": "an empty list of native tool calls was taken out",
    "envelope": "fields that every reply has were missing, or a delta was no object",
    "finish_reason": "a finish reason was missing, came twice, or was not true",
    "role_missing": "the backend did not say the role",
    "event_without_data": "an event without data was taken out",
    "error_recovered": "the backend could not read its model's answer and quoted it in an error, where it was read",
}

ABSTAINED: frozenset[Reason] = frozenset({"converter_raised", "marker_left"})
"""Decisions to leave something unread that looked like more than text."""
