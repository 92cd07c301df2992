"""Parses a chat completions request: checks the fields that we must understand and leaves the rest to the backend.

Source of the format: the OpenAI API reference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from converters.text.expectations import Choice, Expectations, Schema
from converters.thinking import SETTINGS, Prompt, asked_in
from dialects.chat.large_request import LargeRequest
from dialects.chat.upstream_body import body_for_backend
from dialects.protocol import ParsedRequest, UpstreamRequest
from errors import RequestError
from reply import KeptAnswer
from wire.json_body import LARGE, read_body

PATH = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """Options of a request that change the form of the answer."""

    include_usage: bool = False
    """The client asked for usage at the end of a stream."""
    legacy: bool = False
    """It declared `functions`, and is answered with `function_call`."""


def parse(
    raw: bytes,
    known: Mapping[str, Any] | None = None,
    *,
    codes: frozenset[str] = frozenset(),
    options: object = None,
    kept: KeptAnswer | None = None,
) -> ParsedRequest:
    """Parse the body of a request. Raises RequestError, which names the field.

    `known` is what `raw` says, where another dialect has just written `raw` from it: then nothing is read again. The
    others are what that dialect says of its own request.
    """
    large = LargeRequest(raw) if known is None and len(raw) > LARGE else None
    body: Any = known if known is not None else read_body(raw) if large is None else large.body
    if not isinstance(body, dict):
        raise RequestError("The request body must be a JSON object.")
    legacy = "tools" not in body and "functions" in body
    tools = _functions(_listed(body, "functions", large)) if legacy else _tools(_listed(body, "tools", large))
    history = _history(_listed(body, "messages", large))
    choice, allowed = _choice(body, tools)
    sent, fields = body_for_backend(raw, body)
    return ParsedRequest(
        upstream=UpstreamRequest(PATH, sent, fields if large is None else None),
        model=_optional(body, "model", str, "a string") or "",
        stream=bool(_optional(body, "stream", bool, "true or false")),
        expectations=Expectations(
            tools=tools,
            translate=bool(tools) or history.calls,
            choice=choice,
            allowed=allowed,
            json_answer=_asks_for_json(body),
            parallel=body.get("parallel_tool_calls") is not False and not legacy,
            stops=bool(body.get("stop")),
            buffered=not body.get("stream"),
        ),
        ids=history.ids,
        prompt=_prompt(body, history),
        choices=_choices(body),
        codes=codes,
        options=options or ChatOptions(_wants_usage(body), legacy),
        kept=kept,
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


def _listed(body: Mapping[str, Any], name: str, large: LargeRequest | None) -> Iterable[Any]:
    """The items of a field that is a list, or absent."""
    items: Iterable[Any] = _optional(body, name, list, "a list") or []
    return large.items(name) if large is not None and items else items


def _tools(items: Iterable[Any]) -> dict[str, Schema]:
    tools: dict[str, Schema] = {}
    for place, tool in enumerate(items):
        where = f"tools[{place}]"
        if not isinstance(tool, dict):
            raise RequestError(f"'{where}' must be an object.", param=where)
        function = tool.get("function")
        if tool.get("type", "function") == "function" or function is not None:
            tools.update([_function(function, f"{where}.function")])
    return tools


def _functions(items: Iterable[Any]) -> dict[str, Schema]:
    return dict(_function(function, f"functions[{place}]") for place, function in enumerate(items))


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


@dataclass(frozen=True, slots=True)
class _History:
    """What matters of the messages."""

    calls: bool
    """There are calls, or results of calls."""
    ids: frozenset[str]
    """The ids that they use."""
    asked: bool | None
    """What the last `/think` or `/no_think` asks for."""
    last: Mapping[str, Any]


def _history(messages: Iterable[Any]) -> _History:
    """Read messages one by one: of a large request, no more than one is there at a time."""
    calls, asked = False, None
    used: set[str] = set()
    last: Mapping[str, Any] = {}
    for message in messages:
        if not isinstance(message, dict):
            continue
        last, role = message, message.get("role")
        if role in ("system", "developer", "user") and (switch := asked_in(_text(message))) is not None:
            asked = switch
        made = message.get("tool_calls")
        if made and isinstance(made, list):
            for call in made:
                if isinstance(call, dict):
                    calls = True
                    if isinstance(found := call.get("id"), str):
                        used.add(found)
        if isinstance(found := message.get("tool_call_id"), str):
            used.add(found)
        calls = calls or role in ("tool", "function") or bool(message.get("function_call"))
    return _History(calls, frozenset(used), asked, last)


def _asks_for_json(body: Mapping[str, Any]) -> bool:
    wanted = body.get("response_format")
    return isinstance(wanted, dict) and wanted.get("type") in ("json_object", "json_schema")


def _wants_usage(body: Mapping[str, Any]) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _prompt(body: Mapping[str, Any], history: _History) -> Prompt:
    settings = body.get("chat_template_kwargs")
    last = history.last
    return Prompt(
        settings={name: settings[name] for name in SETTINGS if name in settings} if isinstance(settings, dict) else {},
        effort=body.get("reasoning_effort"),
        think=body.get("think"),
        asked_in_messages=history.asked,
        prefill=_text(last) if last.get("role") == "assistant" else None,
        behind_result=last.get("role") in ("tool", "function"),
    )


def _text(message: Mapping[str, Any]) -> str:
    """The text of a message, whose content may be in parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = [part.get("text") for part in content if isinstance(part, dict)] if isinstance(content, list) else [content]
    return "".join(part for part in parts if isinstance(part, str))
