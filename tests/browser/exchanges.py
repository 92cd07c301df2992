"""One exchange of each kind: what a client asks, and what the backend makes of it, by the name of the model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from tests.answers import DONE, TOOLS, Answer, Json, Piece, ask, chunk, completion, frame, json_answer, said
from tests.records.recorded import until
from tests.servers import Proxy, Received

GLM = "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>서울 Seoul</arg_value>\n</tool_call>"
THOUGHT = "<think>The user wants the weather.\nI call the tool.</think>\n\nLet me look.\n"
HERMES_SLIP = "<tool_call>\n{'name': 'getWeather', 'arguments': {'city': 'Seoul', 'days': '3',}}\n</tool_call>"
QUOTED = f"A call looks like this:\n\n```xml\n{GLM}\n```\n\nThat is all."
LEFT = "<tool_call>this is no call</tool_call> but the model said so."
PLAIN = "The weather in Seoul is fine today. <b>No markup here</b> & no call."
NATIVE = {"tool_calls": [{"function": {"name": "get_weather", "arguments": {"city": "Seoul"}}}]}
REFUSAL = {
    "error": {"message": "This model does not support tools <script>", "type": "invalid_request_error", "code": 400}
}


def pieces_of(text: str, size: int = 7) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def slowly(text: str, size: int = 7, pause: float = 0.004, finish: str = "stop") -> Answer:
    """The text as a stream, with a pause before each piece."""
    frames: list[Piece] = []
    for each in said(*pieces_of(text, size), finish=finish):
        frames += [pause, each]
    return Answer(frames)


def reasoned() -> Answer:
    """A server that tells the reasoning apart itself."""
    frames: list[Piece] = [frame(chunk({"role": "assistant", "content": ""}))]
    frames += [frame(chunk({"reasoning_content": part})) for part in pieces_of("First I think about it. ")]
    frames += [frame(chunk({"content": part})) for part in pieces_of("Then I answer.")]
    return Answer([*frames, frame(chunk({}, "stop")), DONE])


class Script:
    """Answers by the model's name. `gate` ends the stream that is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.texts: dict[str, str] = {}
        """More models, and what they write."""

    def __call__(self, received: Received) -> Answer:
        if received.method != "POST":
            return json_answer({"object": "list", "data": []})
        body = received.json()
        model = str(body.get("model"))
        if model in self.texts:
            text = self.texts[model]
            return slowly(text, 999, 0) if body.get("stream") else json_answer(completion(text))
        return KINDS[model](self)

    def open(self) -> Answer:
        first, *rest = said(*pieces_of("One moment, I am looking."))
        return Answer([first, *rest[:2], self.gate, *rest[2:]])


KINDS: Mapping[str, Callable[[Script], Answer]] = {
    "glm-4.5-air": lambda _: slowly(THOUGHT + GLM),
    "hermes-slip": lambda _: slowly(HERMES_SLIP),
    "native-slip": lambda _: json_answer(completion(None, "tool_calls", **NATIVE)),
    "quoting": lambda _: slowly(QUOTED),
    "abstaining": lambda _: slowly(LEFT),
    "plain": lambda _: slowly(PLAIN, pause=0.05),  # each piece is read by itself, on a busy machine too
    "buffered": lambda _: json_answer(completion(f"{THOUGHT}{GLM}")),
    "reasoning": lambda _: reasoned(),
    "failing": lambda _: json_answer({"error": {"message": "The model crashed.", "type": "server_error"}}, 500),
    "refusing": lambda _: json_answer(REFUSAL, 400),
    "open": lambda script: script.open(),
}
BUFFERED = {"buffered", "native-slip", "failing", "refusing"}


def ask_kind(proxy: Proxy, model: str, **more: Any) -> None:
    """Ask for one of KINDS, and wait for its end: its record's, which comes a moment after the client's."""
    with proxy.client(request_of(model, **more)) as client:
        client.rest()
    until(lambda: record_of(proxy, model)["state"] == "ended" or None)


def request_of(model: str, **more: Any) -> Json:
    messages = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What is the weather in Seoul?"},
    ]
    stream = bool(more.pop("stream", model not in BUFFERED))
    return ask(stream, tools=TOOLS, model=model, **{"messages": messages, **more})


def record_of(proxy: Proxy, model: str) -> Json:
    """The newest record of a model, as the API lists it."""
    with proxy.get(f"/dragoman/api/records?model={model}&limit=1") as client:
        found: Json = client.json()["records"][0]
        return found
