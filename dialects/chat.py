"""/v1/chat/completions, streamed and buffered: our canonical API. Backends speak it too, so right bytes just pass.

Source of the format: the OpenAI API reference, and what real clients were seen to choke on.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

from converters.text.events import ArgumentsDelta, CallStart, Reasoning, Text
from converters.text.expectations import Choice, Expectations, Schema
from dialects.protocol import ChatRequest, ChoiceEvent, Finish, Ids, Native, ReplyEvent, Step, Trailer
from errors import RequestError

ReasoningField = Literal["reasoning_content", "reasoning", "both", "content", "none"]


class Chat:
    """The chat completions API. `reasoning_field` says under which name clients get reasoning."""

    path = "/v1/chat/completions"

    def __init__(self, reasoning_field: ReasoningField = "reasoning_content") -> None:
        both = ("reasoning_content", "reasoning")
        self.reasoning_fields: tuple[str, ...] = both if reasoning_field == "both" else (str(reasoning_field),)

    def parse_request(self, body: Any) -> ChatRequest:
        if not isinstance(body, dict):
            raise RequestError("The request body must be a JSON object.")
        legacy = "tools" not in body and "functions" in body
        tools = _functions(body) if legacy else _tools(body)
        messages = _optional(body, "messages", list, "a list")
        calls, ids = _history(messages)
        choice, allowed = _choice(body, tools)
        return ChatRequest(
            body=body,
            model=_optional(body, "model", str, "a string") or "",
            stream=bool(_optional(body, "stream", bool, "true or false")),
            expectations=Expectations(
                tools=tools,
                translate=bool(tools) or calls,
                choice=choice,
                allowed=allowed,
                json_answer=_asks_for_json(body),
                parallel=body.get("parallel_tool_calls") is not False and not legacy,
            ),
            ids=frozenset(ids),
            thinking=_thinking(body),
            choices=_choices(body),
            legacy=legacy,
            include_usage=_wants_usage(body),
        )

    def stream_writer(self, request: ChatRequest) -> ChatStreamWriter:
        return ChatStreamWriter(self.reasoning_fields, request)

    def write_whole(self, reply: dict[str, Any], steps: Iterable[Step], request: ChatRequest) -> dict[str, Any]:
        collectors: dict[int, MessageCollector] = {}
        ids = Ids(request.ids)
        for step in steps:
            for index, event in step.events:
                collectors.setdefault(index, MessageCollector(ids)).add(event)
        choices = [self._written(choice, collectors, request) for choice in reply["choices"]]
        return {**reply, "choices": choices}

    def _written(self, choice: Any, collectors: dict[int, MessageCollector], request: ChatRequest) -> Any:
        index = choice.get("index") if isinstance(choice, dict) else None
        collector = collectors.get(index if isinstance(index, int) else 0)
        if collector is None or not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
            return choice
        return collector.choice(choice, self.reasoning_fields, request.legacy)


CHAT = Chat()


_ENVELOPE = frozenset({"id", "object", "created", "model", "system_fingerprint", "choices", "usage"})


_NAMING = ("id", "created", "model")


class ChatStreamWriter:
    """Steps to chat.completion.chunk events. What did not change leaves as it was received."""

    def __init__(self, reasoning_fields: Iterable[str], request: ChatRequest) -> None:
        self._reasoning = tuple(reasoning_fields)
        self._legacy = request.legacy
        self._include_usage = request.include_usage
        self._ids = Ids(request.ids)
        self._model = request.model
        self._top: Mapping[str, Any] = {}
        self._named: dict[str, Any] = {}  # id, time and model as the backend first said them; some change them
        self._kept: tuple[Any, ...] = ()
        self._prefix = ""

    def write(self, step: Step) -> bytes:
        if step.top:
            self._top = step.top
            if len(self._named) < len(_NAMING):
                self._named = {**{name: step.top[name] for name in _NAMING if step.top.get(name)}, **self._named}
        if step.raw is not None:
            return step.raw
        return b"".join(self._event(index, event) for index, event in step.events)

    def _event(self, index: int, event: ReplyEvent) -> bytes:
        if isinstance(event, Trailer):
            return self._trailer()
        extras = self._extras() if isinstance(event, Finish) else ""
        return b"".join(self._chunk(index, rendered, extras) for rendered in self._deltas(event))

    def _trailer(self) -> bytes:
        """Usage in a chunk of its own, for a client that asked for it."""
        usage = self._top.get("usage")
        if not usage or not self._include_usage:
            return b""
        return _frame(f'{self._envelope()},"choices":[],"usage":{_json(usage)}}}')

    def error(self, body: Mapping[str, Any]) -> bytes:
        return _frame(json.dumps(body, ensure_ascii=False))

    def end(self, outcome: str) -> bytes:
        return f": dragoman {outcome}\n\n".encode() + b"data: [DONE]\n\n"

    def _deltas(self, event: ReplyEvent) -> Iterable[tuple[str, str]]:
        """(the JSON of a delta, the JSON of its finish reason)"""
        match event:
            case Text(text=text) if text:
                yield f'{{"content":{_json(text)}}}', "null"
            case Reasoning(text=text) if text:
                yield "{" + ",".join(f"{_json(name)}:{_json(text)}" for name in self._reasoning) + "}", "null"
            case CallStart():
                yield self._opening(event), "null"
            case ArgumentsDelta(index=index, delta=delta) if delta:
                yield self._arguments(index, delta), "null"
            case Finish(reason=reason):
                yield "{}", _json(_legacy_reason(reason) if self._legacy else reason)
            case Native(delta=fields):
                yield _json(fields), "null"

    def _opening(self, start: CallStart) -> str:
        if self._legacy:
            return f'{{"function_call":{{"name":{_json(start.name)},"arguments":""}}}}'
        return (
            f'{{"tool_calls":[{{"index":{start.index},"id":{_json(self._ids.take(start.id))},"type":"function",'
            f'"function":{{"name":{_json(start.name)},"arguments":""}}}}]}}'
        )

    def _arguments(self, index: int, delta: str) -> str:
        if self._legacy:
            return f'{{"function_call":{{"arguments":{_json(delta)}}}}}'
        return f'{{"tool_calls":[{{"index":{index},"function":{{"arguments":{_json(delta)}}}}}]}}'

    def _chunk(self, index: int, rendered: tuple[str, str], extras: str) -> bytes:
        delta, finish = rendered
        choice = f'{{"index":{index},"delta":{delta},"finish_reason":{finish}}}'
        return _frame(f'{self._envelope()},"choices":[{choice}]{extras}}}')

    def _extras(self) -> str:
        """What else stood around the choices of this chunk: usage, timings, a vendor's own."""
        others = {name: value for name, value in self._top.items() if name not in _ENVELOPE and value is not None}
        return "," + _json(others)[1:-1] if others else ""

    def _envelope(self) -> str:
        """What stands before the choices of each chunk, rendered once for as long as it stays the same."""
        kept = (*map(self._named.get, _NAMING), self._top.get("system_fingerprint"))
        if kept != self._kept or not self._prefix:
            self._kept = kept
            head = {
                "id": kept[0] or "chatcmpl-dragoman",
                "object": "chat.completion.chunk",
                "created": kept[1] or 0,
                "model": kept[2] or self._model,
            }
            if kept[3] is not None:
                head["system_fingerprint"] = kept[3]
            self._prefix = _json(head)[:-1]
        return self._prefix


class MessageCollector:
    """The events of one choice to its message."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[dict[str, Any]] = []
        self._reason: str | None = None
        self._native = False

    def add(self, event: ReplyEvent) -> None:
        match event:
            case Text(text=text):
                self._content.append(text)
            case Reasoning(text=text):
                self._reasoning.append(text)
            case CallStart(name=name, id=wished):
                function = {"name": name, "arguments": ""}
                self._calls.append({"id": self._ids.take(wished), "type": "function", "function": function})
            case ArgumentsDelta(index=index, delta=delta):
                self._calls[index]["function"]["arguments"] += delta
            case Native(delta=fields):
                self._native = self._native or "tool_calls" in fields or "function_call" in fields
            case Finish(reason=reason):
                self._reason = reason

    def choice(self, choice: dict[str, Any], reasoning_fields: tuple[str, ...], legacy: bool) -> dict[str, Any]:
        """The backend's choice with this message in it; fields we do not know stay."""
        message: dict[str, Any] = {"role": "assistant", **(choice.get("message") or {})}
        content = "".join(self._content)
        rewritten = content != (message.get("content") or "")
        message["content"] = content or (None if self._calls or self._native else "")
        reasoning = "".join(self._reasoning)
        for name in () if "content" in reasoning_fields else ("reasoning_content", "reasoning"):
            message.pop(name, None)
        if reasoning:
            message.update(dict.fromkeys(reasoning_fields, reasoning))
        if not self._native:  # the backend's own calls were put in order, or were none
            self._put_calls(message, legacy)
        reason = _legacy_reason(self._reason) if legacy and self._reason else self._reason
        changed = {**choice, "message": message, "finish_reason": reason}
        if rewritten and isinstance(changed.get("logprobs"), dict):
            changed["logprobs"] = None  # they were of the text from which something has been taken out
        return changed

    def _put_calls(self, message: dict[str, Any], legacy: bool) -> None:
        message.pop("tool_calls", None)
        if message.get("function_call"):
            del message["function_call"]
        if self._calls and legacy:
            message["function_call"] = self._calls[0]["function"]
        elif self._calls:
            message["tool_calls"] = self._calls


def _choices(body: Mapping[str, Any]) -> int:
    wanted = body.get("n")
    return wanted if isinstance(wanted, int) and wanted > 0 else 1


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _frame(data: str) -> bytes:
    return b"data: " + data.encode(errors="replace") + b"\n\n"


def _legacy_reason(reason: str) -> str:
    return "function_call" if reason == "tool_calls" else reason


# -- reading requests ------------------------------------------------------------------------------------------------


def _optional(body: Mapping[str, Any], name: str, kind: type, takes: str) -> Any:
    """A field of the request, checked only for what we must read in it; null counts as absent."""
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
    """(what the request demands, the functions that alone may be called, if it names any).

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
    """The names of functions that a choice names, all of which the request must declare."""
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


__all__ = ["CHAT", "Chat", "ChatStreamWriter", "ChoiceEvent", "MessageCollector"]
