"""What a request and a chunk cost through the other client APIs, beside chat. The same conversation goes through each.

    python -m benchmarks faces

    first    seconds from the request to the client's first byte, through one gunicorn worker and over sockets
    sent     CPU time until the request for the backend is there, in this process without sockets
    chunk    CPU time of a piece of an answer that chat must write, too, in this process without sockets

Each ratio to chat is a median of pairs, as the machine does other things between the rounds.
"""

from __future__ import annotations

import argparse
import gc
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any

from werkzeug.test import create_environ

from app import create_app
from backends import Backend, ResponseHead, Wait
from benchmarks import targets, wire
from benchmarks.in_process import KINDS, Exchange, Kind, Script, WrongAnswer, script_for
from config import Config

Json = dict[str, Any]

APIS: Mapping[str, str] = {
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
    "messages": "/v1/messages",
}
SIZES = (3_000, 32_000, 132_000)
"""Bytes of a request, about."""
_REPEATS: Mapping[int, int] = {3_000: 60, 32_000: 30, 132_000: 15}
_CHUNKS = 2000
_STREAMS = 5
_MODEL = "glm-4.5-air"
_PLAY = "play kind=text pieces=3"
"""What the scripted upstream answers stands in the request."""
_TEXT = 'The grey cat walks along the wall and looks at what the two dogs do below it.\n"So?" they say. '
_THOUGHT = Kind(KINDS["prose"].text, "<think>", "</think>Done.")


def measure(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """Print a line for each API and what it is asked; the same as values. `chosen` says `rounds`."""
    ask = application()
    lines: list[dict[str, Any]] = []
    for size in SIZES:
        lines += _compared(f"{size // 1000} kB", chosen.rounds * _REPEATS[size], partial(_sent, ask, requests(size)))
    for name, kind in (("thought", _THOUGHT), ("argument", KINDS["argument"])):
        lines += _compared(name, chosen.rounds * _STREAMS, partial(_chunks, ask, requests(1000), kind))
    if wire.available():
        with wire.upstream() as upstream, targets.running("dragoman", upstream) as target:
            for size in SIZES:
                run = partial(_first, target.port, requests(size))
                lines += _compared(f"{size // 1000} kB", chosen.rounds * _REPEATS[size], run)
    print("\nclient APIs, microseconds; ratios to chat are medians\n")
    for line in lines:
        print(f"{line['api']:10} {line['asked']:9} {line['what']:6} {line['us']:8.1f}  {line['ratio']:5.2f}")
    return lines


def _compared(asked: str, times: int, run: Callable[[], Mapping[str, Mapping[str, float]]]) -> list[dict[str, Any]]:
    """`run` returns seconds for each API and each thing that is measured."""
    run()
    found = [run() for _ in range(times)]
    return [
        {
            "case": "face",
            "api": api,
            "asked": asked,
            "what": what,
            "us": median(each[api][what] for each in found) * 1e6,
            "ratio": median(each[api][what] / each["chat"][what] for each in found),
        }
        for api in APIS
        for what in found[0][api]
    ]


Ask = Callable[[str, bytes, Script], tuple[float, Iterator[bytes]]]


def _first(port: int, bodies: Mapping[str, bytes]) -> Mapping[str, Mapping[str, float]]:
    """Each over a connection of its own, which is open before anything is measured."""
    found: dict[str, Mapping[str, float]] = {}
    for api, path in APIS.items():
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n"
        request = f"{head}Content-Length: {len(bodies[api])}\r\n\r\n".encode() + bodies[api]
        with socket.create_connection(("127.0.0.1", port)) as client:
            time.sleep(0.002)  # so that it has been accepted
            began = time.perf_counter()
            client.sendall(request)
            received = client.recv(1 << 16)
            while received.count(b"\r\n") < 12 and b"data:" not in received:
                received += client.recv(1 << 16)
            found[api] = {"first": time.perf_counter() - began}
            if not received.startswith(b"HTTP/1.1 200"):
                raise WrongAnswer(f"{api} is answered with {received[:100]!r}")
            while client.recv(1 << 16):
                pass
    return found


def _sent(ask: Ask, bodies: Mapping[str, bytes]) -> Mapping[str, Mapping[str, float]]:
    found: dict[str, Mapping[str, float]] = {}
    for api, path in APIS.items():
        sent, rest = ask(path, bodies[api], script_for(KINDS["prose"], 3, Wait.END))
        for _ in rest:
            pass
        found[api] = {"sent": sent}
    return found


def _chunks(ask: Ask, bodies: Mapping[str, bytes], kind: Kind) -> Mapping[str, Mapping[str, float]]:
    found: dict[str, Mapping[str, float]] = {}
    for api, path in APIS.items():
        answer = script_for(kind, _CHUNKS, Wait.END)
        gc.collect()
        for _ in ask(path, bodies[api], answer)[1]:
            pass
        found[api] = {"chunk": answer.us / 1e6}
    return found


def application() -> Ask:
    """Asks an application of this tree; returns the seconds until the request was sent, and the answer."""
    head = ResponseHead(200, "OK", (("Content-Type", "text/event-stream"),))
    scripts: list[Script] = []
    sent: list[float] = []

    def opened(*_args: Any, **_options: Any) -> Exchange:
        sent.append(time.process_time())
        return Exchange(head, scripts.pop())

    Backend.open = opened  # type: ignore[method-assign, assignment]
    wsgi = create_app(Config.from_environment({"BACKEND_URL": "http://127.0.0.1:9", "CHAT_TEMPLATES": "off"}))

    def ask(path: str, body: bytes, answer: Script) -> tuple[float, Iterator[bytes]]:
        scripts.append(answer)
        environ = create_environ(path, method="POST", data=body, content_type="application/json")
        began = time.process_time()
        pieces = iter(wsgi(environ, lambda *_: lambda _: None))
        return sent.pop() - began, pieces

    return ask


# -- the same conversation in each API ---------------------------------------------------------------------------------


def requests(size: int) -> Mapping[str, bytes]:
    """A request of each API that says the same, of about so many bytes: a third are tools, as agents have them."""
    tools = [_tool(number) for number in range(max(1, size // 3 // len(json.dumps(_tool(0)))))]
    turns = max(1, (size - len(tools) * len(json.dumps(tools[0]))) // 1400)
    told = {"model": _MODEL, "stream": True}
    asked: Mapping[str, Json] = {
        "chat": {**told, "messages": _chat(turns), "tools": [{"type": "function", "function": each} for each in tools]},
        "responses": {
            **told,
            "instructions": _TEXT * 5,
            "input": _items(turns),
            "tools": [{"type": "function", **each} for each in tools],
            "store": False,
        },
        "messages": {
            **told,
            "max_tokens": 4096,
            "system": [{"type": "text", "text": _TEXT * 5}],
            "messages": _blocks(turns),
            "tools": [
                {"name": each["name"], "description": each["description"], "input_schema": each["parameters"]}
                for each in tools
            ],
        },
    }
    return {api: json.dumps(body, ensure_ascii=False).encode() for api, body in asked.items()}


def _tool(number: int) -> Json:
    properties = {f"field_{place}": {"type": "string", "description": _TEXT[:60]} for place in range(8)}
    return {
        "name": "write_file" if number == 0 else f"tool_{number}",
        "description": _TEXT * 2,
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "text": {"type": "string"}, **properties},
        },
    }


def _arguments(turn: int) -> str:
    return json.dumps({"path": f"notes-{turn}.txt", "text": _TEXT * 3})


def _chat(turns: int) -> Sequence[Json]:
    found: list[Json] = [{"role": "system", "content": _TEXT * 5}, {"role": "user", "content": _PLAY}]
    for turn in range(turns):
        call = {
            "id": f"call{turn:05}",
            "type": "function",
            "function": {"name": "write_file", "arguments": _arguments(turn)},
        }
        found.append({"role": "assistant", "content": "", "tool_calls": [call]})
        found.append({"role": "tool", "tool_call_id": f"call{turn:05}", "content": _TEXT * 8})
    return found


def _items(turns: int) -> Sequence[Json]:
    text = {"type": "input_text", "text": _PLAY}
    found: list[Json] = [{"type": "message", "role": "user", "content": [text]}]
    for turn in range(turns):
        call = {"call_id": f"call{turn:05}", "name": "write_file", "arguments": _arguments(turn)}
        found.append({"type": "function_call", **call})
        found.append({"type": "function_call_output", "call_id": f"call{turn:05}", "output": _TEXT * 8})
    return found


def _blocks(turns: int) -> Sequence[Json]:
    found: list[Json] = [{"role": "user", "content": [{"type": "text", "text": _PLAY}]}]
    for turn in range(turns):
        name = f"toolu_{turn:05}"
        call = {"type": "tool_use", "id": name, "name": "write_file", "input": json.loads(_arguments(turn))}
        found.append({"role": "assistant", "content": [call]})
        found.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": name, "content": _TEXT * 8}]})
    return found
