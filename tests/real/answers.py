"""Ask for one answer: with the OpenAI SDK, streamed and buffered, and with a plain POST for the bytes."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import requests
from openai import DefaultHttpxClient, OpenAI

SILENCE = 30.0  # seconds an answer may stand still
MOST_TOKENS = 400  # should a server make a model run on

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city for the next days.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
                "required": ["city"],
            },
        },
    }
]

Message = dict[str, Any]


@dataclass(frozen=True)
class Call:
    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Reply:
    """One answer as the SDK gives it."""

    content: str
    reasoning: str
    calls: tuple[Call, ...]
    finish: str
    tokens: int | None  # completion tokens

    def as_message(self) -> Message:
        functions = [(call.id, {"name": call.name, "arguments": call.arguments}) for call in self.calls]
        calls = [{"id": id_, "type": "function", "function": function} for id_, function in functions]
        return {"role": "assistant", "content": self.content, "tool_calls": calls}

    def shape(self) -> tuple[Any, ...]:
        """What must be the same streamed and buffered: all but the ids."""
        return self.content, self.reasoning, [(c.name, c.arguments) for c in self.calls], self.finish, self.tokens


Ask = Callable[[list[Message]], Reply]


def ways(base: str, model: str) -> Iterator[tuple[str, Ask]]:
    with DefaultHttpxClient(trust_env=False, timeout=SILENCE) as http:
        client = OpenAI(base_url=f"{base}/v1", api_key="none", max_retries=0, timeout=SILENCE, http_client=http)
        yield "streamed", lambda messages: _ask_streamed(client, model, messages)
        yield "buffered", lambda messages: _ask_buffered(client, model, messages)


def _ask_streamed(client: OpenAI, model: str, messages: list[Message]) -> Reply:
    body: Any = {**_body(model, messages), "stream_options": {"include_usage": True}}
    with client.chat.completions.stream(**body) as stream:
        for _ in stream:
            pass
        return _reply(stream.get_final_completion())


def _ask_buffered(client: OpenAI, model: str, messages: list[Message]) -> Reply:
    body: Any = _body(model, messages)
    return _reply(client.chat.completions.create(**body))


def _body(model: str, messages: list[Message]) -> dict[str, Any]:
    return {"model": model, "messages": messages, "tools": TOOLS, "temperature": 0, "max_tokens": MOST_TOKENS}


def _reply(completion: Any) -> Reply:
    choice = completion.choices[0]
    message = choice.message
    calls = tuple(Call(c.id, c.function.name, c.function.arguments) for c in message.tool_calls or ())
    reasoning = getattr(message, "reasoning_content", None) or ""
    tokens = completion.usage.completion_tokens if completion.usage else None
    return Reply(message.content or "", reasoning, calls, choice.finish_reason, tokens)


def post(base: str, model: str, messages: list[Message], *, stream: bool) -> requests.Response:
    body = {**_body(model, messages), "stream": stream}
    with requests.Session() as session:
        session.trust_env = False
        return session.post(f"{base}/v1/chat/completions", json=body, timeout=SILENCE)


def learned(proxy: str) -> dict[str, list[str]]:
    """What the proxy has learned of each model, by name."""
    with requests.Session() as session:
        session.trust_env = False
        told = session.get(f"{proxy}/dragoman/api/backends", timeout=SILENCE).json()
    return {each["model"]: [lesson["name"] for lesson in each["adaptations"]] for each in told["backends"]}


def events(stream: bytes) -> list[bytes]:
    """The events of a stream but for its comments."""
    lines = [[line for line in event.split(b"\n") if line and line[:1] != b":"] for event in stream.split(b"\n\n")]
    return [masked(b"\n".join(event)) for event in lines if event]


def masked(body: bytes) -> bytes:
    """The body without what differs from run to run; of an id, its shape stays."""
    body = re.sub(rb'"id":"([\w-]*?)(\w+)"', lambda id_: b'"id":"%b*%d"' % (id_[1], len(id_[2])), body)
    body = re.sub(rb'"(created|cached_tokens)":\d+', rb'"\1":*', body)
    return re.sub(rb'"timings":\{[^{}]*\}', b'"timings":*', body)
