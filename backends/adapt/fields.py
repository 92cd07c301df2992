"""Adaptations of single fields of the request that some servers do not know."""

from __future__ import annotations

from collections.abc import Mapping

from backends.adapt.facts import Apply, Facts, Request
from backends.adapt.messages import without
from converters.thinking import SETTINGS, Prompt

DROPPABLE: Mapping[str, str] = {
    "parallel_tool_calls": "nothing: calls behind the first are removed here where the client wants one",
    "tool_choice": "the choice for the server; here `none` and `required` still count",
    "user": "the name of the user",
    "metadata": "metadata for the vendor's log",
    "store": "storing at the vendor",
    "service_tier": "the tier of the service",
    "safety_identifier": "the identifier for the vendor's abuse checks",
    "prompt_cache_key": "a hint to the prompt cache",
    "prompt_cache_retention": "a hint to the prompt cache",
    "prediction": "a hint that makes the answer faster",
    "verbosity": "how long an answer is wanted",
    "reasoning_effort": "how much thinking is wanted",
    "think": "whether thinking is wanted",
    "enable_thinking": "whether thinking is wanted",
    "chat_template_kwargs": "settings of the chat template",
    "include_reasoning": "whether the reasoning is wanted",
    "cache_control": "a hint to the prompt cache",
}
"""Fields without which the answer still is what was asked for, and what is lost with each."""


def without_field(*names: str) -> Apply:
    """The adaptation that takes fields out of the request."""

    def apply(body: Request, facts: Facts) -> Request:
        return without(body, *names)

    return apply


def switches_thinking_off(body: Request) -> bool:
    """Whether the request says so, and in no word that every server of the API knows."""
    settings = body.get("chat_template_kwargs")
    known: dict[str, object] = (
        {name: settings[name] for name in SETTINGS if name in settings} if isinstance(settings, dict) else {}
    )
    return "reasoning_effort" not in body and Prompt(known, think=body.get("think")).thinking is False


def effort_none(body: Request, facts: Facts) -> Request:
    """Say in the API's own field that the model shall not think."""
    return {**body, "reasoning_effort": "none"} if switches_thinking_off(body) else body


def renamed(old: str, new: str) -> Apply:
    """The adaptation that gives a field another name; a value that stands under the new name already goes."""

    def apply(body: Request, facts: Facts) -> Request:
        if old not in body:
            return body
        return {new if name == old else name: value for name, value in body.items() if name != new}

    return apply
