"""Parses a chat completions request: checks the fields that we must understand and leaves the rest to the backend.

Source of the format: the OpenAI API reference.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from converters.text.expectations import Choice, Expectations, Schema
from dialects.chat.upstream_body import body_for_backend
from dialects.protocol import ParsedRequest, UpstreamRequest
from errors import RequestError
from wire.json_body import read_body

PATH = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """Options of a request that change the form of the answer."""

    include_usage: bool = False
    """The client asked for usage at the end of a stream."""
    legacy: bool = False
    """It declared `functions`, and is answered with `function_call`."""


def parse(raw: bytes) -> ParsedRequest:
    """Parse the body of a request. Raises RequestError, which names the field."""
    body = read_body(raw)
    if not isinstance(body, dict):
        raise RequestError("The request body must be a JSON object.")
    legacy = "tools" not in body and "functions" in body
    tools = _functions(body) if legacy else _tools(body)
    calls, ids = _history(_optional(body, "messages", list, "a list"))
    choice, allowed = _choice(body, tools)
    return ParsedRequest(
        upstream=UpstreamRequest(PATH, body_for_backend(raw, body)),
        model=_optional(body, "model", str, "a string") or "",
        stream=bool(_optional(body, "stream", bool, "true or false")),
        expectations=Expectations(
            tools=tools,
            translate=bool(tools) or calls,
            choice=choice,
            allowed=allowed,
            json_answer=_asks_for_json(body),
            parallel=body.get("parallel_tool_calls") is not False and not legacy,
            stops=bool(body.get("stop")),
            buffered=not body.get("stream"),
        ),
        ids=frozenset(ids),
        thinking=_thinking(body),
        choices=_choices(body),
        options=ChatOptions(_wants_usage(body), legacy),
    )


def _choices(body: Mapping[str, Any]) -> int:
    wanted = body.get("n")
    return wanted if isinstance(wanted, int) and wanted > 0 else 1


def _optional(body: Mapping[str, Any], name: str, kind: type, takes: str) -> Any:
    """A field of the request, checked for its type; null counts as absent. Raises RequestError."""
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        raise RequestError(f"'{name}' must be {takes}.", param=name)
    return value


def _tools(body: Mapping[str, Any]) -> dict[str, Schema]:
    tools: dict[str, Schema] = {}
    for place, tool in enumerate(_optional(body, "tools", list, "a list") or []):
        where = f"tools[{place}]"
        if not isinstance(tool, dict):
            raise RequestError(f"'{where}' must be an object.", param=where)
        function = tool.get("function")
        if tool.get("type", "function") == "function" or function is not None:
            tools.update([_function(function, f"{where}.function")])
    return tools


def _functions(body: Mapping[str, Any]) -> dict[str, Schema]:
    functions = _optional(body, "functions", list, "a list") or []
    return dict(_function(function, f"functions[{place}]") for place, function in enumerate(functions))


def _function(function: Any, where: str) -> tuple[str, Schema]:
    if not isinstance(function, dict):
        raise RequestError(f"'{where}' must be an object.", param=where)
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise RequestError(f"'{where}.name' must be a string.", param=f"{where}.name")
    schema = function.get("parameters")
    return name, schema if isinstance(schema, dict) else {}


_CHOICES: Mapping[str, Choice] = {"none": "none", "required": "required", "any": "required"}


def _choice(body: Mapping[str, Any], tools: Collection[str]) -> tuple[Choice, frozenset[str] | None]:
    """(what `tool_choice` demands, the only functions that may be called; None if it names none).

    What else a choice can say is the backend's business. Without tools it says nothing.
    """
    field = "tool_choice" if "tool_choice" in body else "function_call"
    choice = body.get(field)
    if not tools and choice != "none":
        return "auto", None
    if isinstance(choice, str):
        return _CHOICES.get(choice, "auto"), None
    if choice is None:
        return "auto", None
    if not isinstance(choice, dict):
        raise RequestError(f"'{field}' must be a string or an object.", param=field)
    if field == "function_call":
        return "required", _named([choice], tools, field)
    if choice.get("type") == "function":
        return "required", _named([choice.get("function")], tools, f"{field}.function")
    if choice.get("type") == "allowed_tools":
        return _allowed(choice.get("allowed_tools"), tools, f"{field}.allowed_tools")
    return "auto", None


def _allowed(chosen: Any, tools: Collection[str], where: str) -> tuple[Choice, frozenset[str] | None]:
    if not isinstance(chosen, dict) or not isinstance(chosen.get("tools"), list):
        raise RequestError(f"'{where}.tools' must be a list.", param=f"{where}.tools")
    listed = [each for each in chosen["tools"] if isinstance(each, dict) and each.get("type") == "function"]
    names = _named([each.get("function") for each in listed], tools, f"{where}.tools")
    return "required" if chosen.get("mode") == "required" else "auto", names


def _named(functions: list[Any], tools: Collection[str], where: str) -> frozenset[str]:
    """The names of the functions in a `tool_choice`. Raises RequestError if one is not declared."""
    names = [each.get("name") if isinstance(each, dict) else None for each in functions]
    if not all(isinstance(name, str) and name in tools for name in names):
        raise RequestError(f"'{where}' must name a function that the request declares.", param=where)
    return frozenset(map(str, names))


def _history(messages: list[Any] | None) -> tuple[bool, set[str]]:
    """(whether the history holds calls or their results, the ids that it uses)"""
    used: set[str] = set()
    calls = False
    for message in messages or []:
        if not isinstance(message, dict):
            continue
        calls_made = message.get("tool_calls")
        made = [call for call in calls_made if isinstance(call, dict)] if isinstance(calls_made, list) else []
        calls = calls or bool(made) or bool(message.get("function_call")) or message.get("role") in ("tool", "function")
        found = [*(call.get("id") for call in made), message.get("tool_call_id")]
        used.update(each for each in found if isinstance(each, str))
    return calls, used


def _asks_for_json(body: Mapping[str, Any]) -> bool:
    wanted = body.get("response_format")
    return isinstance(wanted, dict) and wanted.get("type") in ("json_object", "json_schema")


def _wants_usage(body: Mapping[str, Any]) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _thinking(body: Mapping[str, Any]) -> bool | None:
    if body.get("reasoning_effort") == "none":
        return False
    settings = body.get("chat_template_kwargs")
    if isinstance(settings, dict):
        for name in ("enable_thinking", "thinking"):
            if isinstance(settings.get(name), bool):
                return bool(settings[name])
    return None
