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
    "arguments_unreadable",
    "reasoning_closed_late",
    "reasoning_never_closed",
    "converter_raised",
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
    "choice_none": 'a call although the request said tool_choice "none"',
    "parallel_off": "a second call although the request said parallel_tool_calls false",
    "cut": "a call that max_tokens cut before it could be delivered",
    "invented_result": "a tool result that the model made up after its call, and what it said on from it",
    "echo": "a call repeated as plain text",
    "reasoning_off": "reasoning, which REASONING_FIELD=none drops",
    "custom_converter": "what a registered converter took out of the text",
}

NOTED: dict[Reason, str] = {
    "arguments_unreadable": "the model ended inside arguments that cannot be read on; what was open has been closed",
    "reasoning_closed_late": "a closing reasoning tag came without its opener: this model's prompt opens it",
    "reasoning_never_closed": "reasoning that was expected to end did not",
    "converter_raised": "a registered converter raised; the text was passed whole",
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
