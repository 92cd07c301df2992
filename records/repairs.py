"""Which codes name repairs: of calls that the model wrote, of what the server wrote, of the request."""

from __future__ import annotations

from collections.abc import Mapping

OF_CALLS: Mapping[str, str] = {
    "name_repaired": "its name",
    "call_repaired": "the JSON around it",
    "arguments_repaired": "the JSON of its arguments",
    "arguments_retyped": "the types of its arguments",
    "arguments_wrapped": "arguments that were no object",
    "arguments_unwrapped": "arguments under an extra key",
    "arguments_closed": "arguments that were not closed",
    "duplicate_key": "a key that came twice",
}
"""What of a call was put right, by the code that says so."""

OF_THE_PROTOCOL = frozenset(
    {
        *("native_form", "native_index", "native_id", "native_name", "native_arguments", "native_order"),
        *("native_empty", "envelope", "finish_reason", "role_missing", "surrogate_half", "event_without_data"),
        *("error_recovered",),
    }
)
"""What a server got wrong, whatever the model wrote."""

ADAPTED = "adapted:"
"""Begins the code of an adaptation of the request; its name follows."""

PROMPTED = "prompted"
"""The tools were written into the prompt."""


def is_repair(code: str) -> bool:
    """Whether a backend needed help, as the code says."""
    return code in OF_CALLS or code in OF_THE_PROTOCOL or code == PROMPTED or code.startswith(ADAPTED)
