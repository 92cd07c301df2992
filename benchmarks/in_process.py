"""CPU time of one frame of a stream inside the application of any commit: no server, no socket, no other process.

    python benchmarks/in_process.py ROOT [--repeats N] [--frames N] [--learned]

Prints one JSON object: microseconds a frame for each kind of text, the median of the repeats. With --learned the kinds
are an argument in a listed syntax, and in one that is the same but for its markers and was learned. ROOT holds
the sources that are measured. The file runs on its own and imports nothing from its neighbours, so that one driver
measures two commits. All it knows of them is what rarely changes: `app.create_app`, `Config.from_environment`, and what
`backends.Backend.open` returns. Each frame is a block of its own, as from a model that writes token by token.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_PIECE = 4
"""Characters of text in a frame."""
_CHECKED = 200
"""Frames of the answer whose outcome is compared with what it should be, before anything is measured."""
_WORDS = "so the grey cat walks along the wall and looks at what the two dogs do below it, "
_LINES = "so the grey cat walks along the wall and looks at what the two dogs do\n"
_MODEL = "glm-4.5-air"
_TOOL = {
    "type": "function",
    "function": {
        "name": "write_file",
        "parameters": {"type": "object", "properties": {"path": {"type": "string"}, "text": {"type": "string"}}},
    },
}
_OPENING = (
    "<tool_call>write_file\n<arg_key>path</arg_key>\n<arg_value>notes.txt</arg_value>\n"
    "<arg_key>text</arg_key>\n<arg_value>"
)
_CLOSING = "</arg_value>\n</tool_call>"


@dataclass(frozen=True)
class Kind:
    """What a model says: the measured pieces are of `text`, repeated, between an opening and a closing."""

    text: str
    opening: str = ""
    closing: str = ""
    model: str = _MODEL


KINDS = {"prose": Kind(_WORDS), "newlines": Kind(_LINES), "argument": Kind(_WORDS, _OPENING, _CLOSING)}


def _other_markers(text: str) -> str:
    """A text of GLM's markers in as many of others, which are as long and in no table."""
    return text.replace("tool_call>", "tuul_call>").replace("arg_", "arq_")


_LEARNED_MODEL = "zqx-4.5-air"
ROWS = {
    "listed": KINDS["argument"],
    "learned": Kind(_WORDS, _other_markers(_OPENING), _other_markers(_CLOSING), _LEARNED_MODEL),
}
"""The same argument, read by a row of the table and by one that was learned from `_TEMPLATE`."""
_TEMPLATE = _other_markers(
    """{%- for message in messages %}<|{{ message.role }}|>{{ message.content or '' }}
{%- for call in message.tool_calls or [] %}
<tool_call>{{ call.function.name }}
{% for key, value in call.function.arguments.items() %}<arg_key>{{ key }}</arg_key>
<arg_value>{{ value if value is string else value | tojson }}</arg_value>
{% endfor %}</tool_call>
{%- endfor %}
{%- endfor %}
{%- if tools %}<|tools|>{{ tools | tojson }}{% endif %}
{%- if add_generation_prompt %}<|assistant|>{% endif %}"""
)
_LEARNING = 60.0
"""Seconds until the template is learned."""


CONTROL = "control"
"""A fixed piece of work that is the same in every commit. It tells how fast the machine is at the moment."""


class WrongAnswer(Exception):
    """The application does not say what it should, so there is nothing to measure."""


@dataclass
class Script:
    """One answer of the backend, as blocks; when the first and the last of the measured ones were asked for."""

    opening: Sequence[bytes]
    pieces: Sequence[bytes]
    closing: Sequence[bytes]
    end: Any
    """What a backend's body ends with."""
    clock: list[float] = field(default_factory=list)

    def blocks(self) -> Iterator[Any]:
        self.clock.clear()
        yield from self.opening
        self.clock.append(time.process_time())
        yield from self.pieces
        self.clock.append(time.process_time())
        yield from self.closing
        while True:
            yield self.end

    @property
    def us(self) -> float:
        """Microseconds a measured block, in the last run."""
        began, ended = self.clock
        return (ended - began) / len(self.pieces) * 1e6


class Exchange:
    """Stands for the request to the backend and its answer."""

    decoded = False

    def __init__(self, head: Any, script: Script) -> None:
        self._head = head
        self._next = script.blocks().__next__

    def wait_head(self, deadline: float | None) -> Any:
        return self._head

    def next_bytes(self, deadline: float | None) -> Any:
        return self._next()

    def close(self) -> None:
        pass


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(prog="in_process", description="CPU microseconds a frame, in process")
    options.add_argument("root", help="the folder of the sources")
    options.add_argument("--repeats", type=int, default=15, help="the median of so many counts (15)")
    options.add_argument("--frames", type=int, default=2000, help="measured in each repeat (2000)")
    options.add_argument("--learned", action="store_true", help="a learned row beside a listed one")
    chosen = options.parse_args(arguments)
    sys.path[0] = chosen.root
    if chosen.learned:
        with tempfile.NamedTemporaryFile("w", suffix=".jinja") as file:
            file.write(_TEMPLATE)
            file.flush()
            ask = _application(CHAT_TEMPLATES=f"{_LEARNED_MODEL}={file.name}")
            _until_learned(ask)
        print(json.dumps(measure(ask, ROWS, chosen.repeats, chosen.frames)))
    else:
        print(json.dumps(measure(_application(), KINDS, chosen.repeats, chosen.frames)))
    return 0


def _until_learned(ask: Ask) -> None:
    """Raises WrongAnswer if that never happens."""
    until = time.monotonic() + _LEARNING
    while True:
        try:
            return _check(ROWS["learned"], ask(ROWS["learned"], _CHECKED)[0])
        except WrongAnswer:
            if time.monotonic() > until:
                raise
        time.sleep(0.1)


def measure(ask: Ask, kinds: Mapping[str, Kind], repeats: int, frames: int) -> dict[str, float]:
    """Microseconds a frame for each kind, by an application. Raises WrongAnswer."""
    for kind in kinds.values():
        _check(kind, ask(kind, _CHECKED)[0])
    found: dict[str, list[float]] = {name: [] for name in (*kinds, CONTROL)}
    for number in range(repeats):
        found[CONTROL].append(_control(frames))
        for name, kind in list(kinds.items())[:: -1 if number % 2 else 1]:
            answer, script = ask(kind, frames)
            gc.collect()
            for _ in answer:
                pass
            found[name].append(script.us)
    return {name: statistics.median(values) for name, values in found.items()}


def _control(times: int) -> float:
    """Microseconds that the work takes, each time."""
    work = {"index": 0, "delta": {"content": "some"}, "logprobs": None, "finish_reason": None}
    began = time.process_time()
    for _ in range(times):
        json.loads(json.dumps(work))
    return (time.process_time() - began) / times * 1e6


Ask = Callable[[Kind, int], tuple[Iterator[bytes], Script]]
"""Asks the application: (its answer, what the backend says of a kind in so many frames)"""


def _application(**settings: str) -> Ask:
    """The application that is on `sys.path`. Its preset is one of a server that is asked nothing beside."""
    from werkzeug.test import create_environ

    from app import create_app
    from backends import Backend, ResponseHead, Wait
    from config import Config

    head = ResponseHead(200, "OK", (("Content-Type", "text/event-stream"),))
    next_script: list[Script] = []
    Backend.open = lambda *_args, **_options: Exchange(head, next_script.pop())  # type: ignore[method-assign, assignment]
    environment = {"BACKEND_URL": "http://127.0.0.1:9", "BACKEND": "mlx", **settings}
    application = create_app(Config.from_environment(environment))
    message = {"role": "user", "content": "Write it."}

    def answer_of(model: str) -> Iterator[bytes]:
        body = json.dumps({"model": model, "stream": True, "messages": [message], "tools": [_TOOL]})
        environ = create_environ("/v1/chat/completions", method="POST", data=body, content_type="application/json")
        answer = application(environ, lambda *_: lambda _: None)
        try:
            yield from answer
        finally:
            getattr(answer, "close", lambda: None)()

    def ask(kind: Kind, frames: int) -> tuple[Iterator[bytes], Script]:
        script = script_for(kind, frames, Wait.END)
        next_script.append(script)
        return answer_of(kind.model), script

    return ask


def script_for(kind: Kind, frames: int, end: Any) -> Script:
    """What the backend says of a kind in so many frames; `end` is what its body ends with."""
    opening = [_frame({"role": "assistant", "content": ""}), *map(_content, _cut(kind.opening))]
    closing = [*map(_content, _cut(kind.closing)), _frame({}, "stop"), b"data: [DONE]\n\n"]
    return Script(opening, list(map(_content, _cut(_said(kind, frames)))), closing, end)


def _said(kind: Kind, frames: int) -> str:
    return (kind.text * (frames * _PIECE // len(kind.text) + 1))[: frames * _PIECE]


def _cut(text: str) -> list[str]:
    return [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]


def _content(text: str) -> bytes:
    return _frame({"content": text})


def _frame(delta: dict[str, str], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1767225600,
        "model": _MODEL,
        "choices": [choice],
    }
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def _check(kind: Kind, answer: Iterator[bytes]) -> None:
    content, arguments = _received(b"".join(answer))
    said = _said(kind, _CHECKED)
    found = json.loads(arguments or "{}").get("text") if kind.opening else content
    if found != said:
        raise WrongAnswer(f"{said[:40]!r}… became {content[:40]!r}…, arguments {arguments[:40]!r}…")


def _received(body: bytes) -> tuple[str, str]:
    """The content and the arguments that an answer brings."""
    content = arguments = ""
    for event in body.decode().split("\n\n"):
        if not event.startswith("data: {"):
            continue
        for choice in json.loads(event.removeprefix("data: ")).get("choices", ()):
            delta = choice["delta"]
            content += delta.get("content") or ""
            arguments += "".join(call["function"].get("arguments", "") for call in delta.get("tool_calls") or ())
    return content, arguments


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
