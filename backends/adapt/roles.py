"""Adaptations of the order and the roles of messages: what chat templates demand of a conversation."""

from __future__ import annotations

from typing import Any

from backends.adapt.facts import Facts, Request
from backends.adapt.messages import SYSTEM, Message, calls_of, is_result, joined, role_of, says_something, without

START = "(start)"
"""What the user says where a conversation begins with the assistant."""
BETWEEN = "OK."
"""What the assistant says between a result and the user where a template demands that it says something."""
_JOINED = (*SYSTEM, "user", "assistant")
"""Roles whose neighbours can be joined. Each result belongs to a call of its own."""


def developer(message: Message) -> Message:
    """The role `developer` becomes `system`."""
    return {**message, "role": "system"} if role_of(message) == "developer" else message


def system_first(messages: list[Any]) -> list[Any]:
    """The texts of all system messages stand in one, at the front."""
    systems = [each for each in messages if role_of(each) in SYSTEM]
    if not systems or (len(systems) == 1 and messages[0] is systems[0] and role_of(systems[0]) == "system"):
        return messages
    first = {**systems[0], "role": "system", "content": joined([each.get("content") for each in systems])}
    return [first, *(each for each in messages if role_of(each) not in SYSTEM)]


def system_in_user(messages: list[Any]) -> list[Any]:
    """The texts of all system messages stand before the first text of the user."""
    systems = [each for each in messages if role_of(each) in SYSTEM]
    if not systems:
        return messages
    text = joined([each.get("content") for each in systems])
    rest = [each for each in messages if role_of(each) not in SYSTEM]
    for place, each in enumerate(rest):
        if role_of(each) == "user":
            rest[place] = {**each, "content": joined([text, each.get("content")])}
            return rest
    return [{"role": "user", "content": text}, *rest]


def alternate(messages: list[Any]) -> list[Any]:
    """Neighbours of one role are joined; before an assistant that speaks first, the user begins."""
    runs: list[list[Any]] = []
    for message in messages:
        if runs and role_of(message) in _JOINED and role_of(runs[-1][0]) == role_of(message):
            runs[-1].append(message)
        else:
            runs.append([message])
    found = [run[0] if len(run) == 1 else _one(run) for run in runs]
    start = next((place for place, each in enumerate(found) if role_of(each) not in SYSTEM), len(found))
    if start < len(found) and role_of(found[start]) == "assistant":
        found.insert(start, {"role": "user", "content": START})
    return found


def _one(run: list[Message]) -> Message:
    """Neighbours as one message. Of other members the first one with this name counts."""
    message: Message = {}
    for each in reversed(run):
        message.update(each)
    message = {**dict.fromkeys(run[0]), **message, "content": joined([each.get("content") for each in run])}
    calls = [call for each in run if isinstance(each.get("tool_calls"), list) for call in each["tool_calls"]]
    if calls:
        message["tool_calls"] = calls
    for name in ("reasoning_content", "reasoning"):
        thoughts = [each[name] for each in run if isinstance(each.get(name), str) and each[name]]
        if len(thoughts) > 1:
            message[name] = joined(thoughts)
    return message


def assistant_between(messages: list[Any]) -> list[Any]:
    """Between a result and the user's next message the assistant says something."""
    found: list[Any] = []
    for message in messages:
        if found and is_result(found[-1]) and role_of(message) == "user":
            found.append({"role": "assistant", "content": BETWEEN})
        found.append(message)
    return found


def text_apart(messages: list[Any]) -> list[Any]:
    """A text beside calls becomes a message of its own before them."""
    found: list[Any] = []
    for message in messages:
        content = message.get("content") if role_of(message) == "assistant" else None
        if calls_of(message) and says_something(content):
            reasoning = ("reasoning_content", "reasoning", "reasoning_details", "thinking_blocks")
            found.append(without(message, "tool_calls"))
            found.append({**without(message, *reasoning), "content": ""})
        else:
            found.append(message)
    return found


def prefill_dropped(messages: list[Any]) -> list[Any]:
    """Messages of the assistant at the end that say nothing leave."""
    end = len(messages)
    while end and role_of(messages[end - 1]) == "assistant" and _nothing(messages[end - 1]):
        end -= 1
    return messages[:end]


def _nothing(message: Message) -> bool:
    others = ("tool_calls", "function_call", "reasoning_content", "reasoning")
    return not says_something(message.get("content")) and not any(message.get(name) for name in others)


def thinking_off(body: Request, facts: Facts) -> Request:
    """Thinking is off where the answer goes on from a text of the assistant."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or role_of(messages[-1]) != "assistant":
        return body
    setting = facts.family.heeds[0] if facts.family and facts.family.heeds else "enable_thinking"
    if setting == "reasoning_effort":
        return body if body.get(setting) == "none" else {**body, setting: "none"}
    off = "disabled" if setting == "thinking_mode" else False
    settings = body.get("chat_template_kwargs")
    settings = settings if isinstance(settings, dict) else {}
    if settings.get(setting, ...) is off or settings.get(setting) == "disabled":
        return body
    return {**body, "chat_template_kwargs": {**settings, setting: off}}
