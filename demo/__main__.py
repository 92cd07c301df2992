"""`python -m demo`: a backend that writes tool calls as text, the proxy in front of it, and an agent loop.

The first request of each loop goes to the backend directly and through the proxy; both answers are shown side by side.
The servers run until Ctrl-C. With ONCE=1 the demo ends after the loop, with status 0 if everything went well.
"""

from __future__ import annotations

import http.client
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import NoReturn

from openai import APIError, DefaultHttpxClient, OpenAI
from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageParam
from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall

from demo.backend import PORT as BACKEND_PORT
from demo.model import model_names

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
PROXY_PORT = 5000
TIMEOUT = 20.0  # seconds for both servers to start, and for silence in an answer
SHOWN = ("glm-4.5-air", "hermes-3-llama-3.1-8b", "qwen3-coder-30b", "claude-distill")
MAX_TURNS = 4

QUESTION = 'What is the weather in Seoul for the next 3 days? And search the web for "night markets", 2 results please.'
EXPECTED = [
    ("get_weather", {"city": "Seoul", "days": 3}),
    ("search_web", {"query": "night markets", "limit": 2}),
]


class DemoFailed(Exception):
    """The demo failed; `str()` is the message for the user."""


def main() -> int:
    """Run the demo. Returns the exit status."""
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) == signal.SIG_DFL:  # nohup ignores SIGHUP, and so it stays
            signal.signal(number, _exit)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, ExitStack() as children:
        status = 130
        try:
            backend, proxy = _start(Path(folder), children)
            status = _show_all(backend, proxy)
            if os.environ.get("ONCE", "") in ("", "0"):
                _stay_up(backend, proxy)
        except KeyboardInterrupt:
            print("\nstopped")
        except DemoFailed as failure:
            print(f"demo: {failure}", file=sys.stderr)
            status = 1
        finally:
            # A second Ctrl-C must not interrupt the termination of the child processes.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        return status


def _exit(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


# -- the two servers


@dataclass(frozen=True, slots=True)
class Child:
    """A server in a process of its own."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def answers(self, path: str) -> bool:
        """Whether GET `path` returns status 200."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def log_tail(self) -> str:
        """The end of the log, at most 4,000 characters, indented."""
        return textwrap.indent(self.log.read_text(errors="replace")[-4000:].strip() or "(its log is empty)", "  ")


def _start(folder: Path, children: ExitStack) -> tuple[Child, Child]:
    """Start both servers and wait until they answer. The backend comes first: the proxy asks it at its start."""
    until = time.monotonic() + TIMEOUT
    port = _port(BACKEND_PORT, "backend")
    arguments = ["-m", "demo.backend", "--host", HOST, "--port", str(port)]
    backend = children.enter_context(_child("backend", arguments, ROOT, port, folder, dict(os.environ)))
    _wait(backend, "/v1/models", until)

    port = _port(PROXY_PORT, "proxy")
    # The user's own settings must not affect the demo. So the proxy gets none of those variables, and an empty working
    # directory, which has no .env.
    settings = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith((*SETTINGS, "RECORD")) and not name.lower().endswith("_proxy")
    }
    settings |= {"BACKEND": "demo", "BACKEND_URL": f"http://{HOST}:{backend.port}", "LOG_LEVEL": "WARNING"}
    settings |= {"PROXY_HOST": HOST, "PROXY_PORT": str(port), "RECORD": "full"}
    proxy = children.enter_context(_child("proxy", [str(ROOT / "app.py")], folder, port, folder, settings))
    _wait(proxy, "/health", until)
    print(f"backend on http://{HOST}:{backend.port}/v1, proxy on http://{HOST}:{proxy.port}/v1")
    return backend, proxy


@contextmanager
def _child(
    name: str, arguments: Sequence[str], cwd: Path, port: int, folder: Path, environ: dict[str, str]
) -> Iterator[Child]:
    log = folder / f"{name}.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
        )
    try:
        yield Child(name, port, process, log)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(child: Child, path: str, until: float) -> None:
    while not child.answers(path):
        if child.process.poll() is not None:
            raise DemoFailed(f"the {child.name} ended with status {child.process.returncode}:\n{child.log_tail()}")
        if time.monotonic() > until:
            raise DemoFailed(f"the {child.name} did not answer on {path} in {TIMEOUT:.0f} s:\n{child.log_tail()}")
        time.sleep(0.1)


def _port(usual: int, name: str) -> int:
    if not _taken(usual):
        return usual
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    print(f"port {usual} is taken, so the {name} uses {port}")
    return port


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        # Connect first: where a server listens on all addresses (AirPlay on 5000), binding loopback may still succeed.
        if probe.connect_ex((HOST, port)) == 0:
            return True
    with socket.socket() as probe:
        if os.name == "posix":  # as the servers do; else closed connections of the last run block the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _stay_up(backend: Child, proxy: Child) -> None:
    body = {
        "model": SHOWN[0],
        "stream": True,
        "messages": [{"role": "user", "content": "How is the weather in Busan for 2 days?"}],
        "tools": TOOLS[:1],
    }
    url = f"http://{HOST}:{proxy.port}/v1/chat/completions"
    print(f"\nTry it (port {backend.port} instead of {proxy.port} shows what the model wrote):\n")
    print(f"curl -N {url} -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}\n")
    print(f"Models: {', '.join(model_names())}\nRunning until Ctrl-C.", flush=True)
    while True:
        for child in (backend, proxy):
            if child.process.poll() is not None:
                raise DemoFailed(f"the {child.name} ended:\n{child.log_tail()}")
        time.sleep(0.5)


# -- the agent loop


@dataclass(slots=True)
class RequestedCall:
    """A tool call of an answer. `arguments` is JSON text."""

    id: str
    name: str
    arguments: str = ""


@dataclass(slots=True)
class Turn:
    """One streamed answer, assembled from the fields that the SDK delivers."""

    content: str = ""
    reasoning: str = ""
    calls: list[RequestedCall] = field(default_factory=list)
    finish: str | None = None
    chunks: int = 0

    def message(self) -> ChatCompletionMessageParam:
        """The assistant message for the next request."""
        return {
            "role": "assistant",
            "content": self.content or None,
            "tool_calls": [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in self.calls
            ],
        }


def _show_all(backend: Child, proxy: Child) -> int:
    """Run the agent loop with each model of SHOWN. Returns 1 if something went wrong, else 0."""
    with ExitStack() as stack:
        direct, through = (stack.enter_context(_client(child)) for child in (backend, proxy))
        print(f"\n{_paint('user', BOLD)}: {QUESTION}\n{_paint('tools', BOLD)}: {', '.join(FUNCTIONS)}")
        failed = []
        for model in SHOWN:
            try:
                trouble = _loop(model, direct, through)
            except (APIError, ValueError) as error:  # ValueError: an event that is not JSON
                trouble = f"{error}\n  the log of the proxy:\n{proxy.log_tail()}"
            if trouble:
                failed.append(model)
                print(f"demo: {model}: {trouble}", file=sys.stderr, flush=True)
    good = f"{len(SHOWN) - len(failed)} of {len(SHOWN)} models: two tools called, results read, question answered"
    print(_paint(f"\n{good}", BOLD))
    return 1 if failed else 0


def _client(child: Child) -> OpenAI:
    # `trust_env=False` ignores HTTP_PROXY: a company's proxy cannot reach this machine's loopback.
    transport = DefaultHttpxClient(trust_env=False)
    url = f"http://{HOST}:{child.port}/v1"
    return OpenAI(base_url=url, api_key="demo", max_retries=0, timeout=TIMEOUT, http_client=transport)


def _loop(model: str, direct: OpenAI, through: OpenAI) -> str:
    """Run one agent loop and show it. Returns what went wrong, or an empty string."""
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": QUESTION}]
    with ThreadPoolExecutor(2) as pool:
        written, got = pool.map(lambda client: _turn(client, model, messages), (direct, through))
    _side_by_side(model, written, got)
    if trouble := _unexpected(got):
        return trouble
    for _ in range(MAX_TURNS):
        if not got.calls:
            break
        messages.append(got.message())
        for call in got.calls:
            result = FUNCTIONS[call.name](**json.loads(call.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        got = _turn(through, model, messages)
    print(f"\n{_paint('final answer', BOLD)} (finish_reason: {got.finish})\n{textwrap.indent(got.content, '  ')}")
    if got.calls or got.finish != "stop" or not all(str(want["content"]) in got.content for want in messages[-2:]):
        return "the final answer does not quote the tool results"
    return ""


def _turn(client: OpenAI, model: str, messages: Sequence[ChatCompletionMessageParam]) -> Turn:
    turn = Turn()
    with client.chat.completions.create(model=model, messages=list(messages), tools=TOOLS, stream=True) as stream:
        for chunk in stream:
            turn.chunks += 1
            for choice in chunk.choices:
                delta = choice.delta
                turn.content += delta.content or ""
                turn.reasoning += getattr(delta, "reasoning_content", None) or ""
                turn.finish = choice.finish_reason or turn.finish
                for part in delta.tool_calls or []:
                    _add_to_calls(part, turn.calls)
    return turn


def _add_to_calls(part: ChoiceDeltaToolCall, calls: list[RequestedCall]) -> None:
    known = part.index in range(len(calls))
    if not known:
        calls.append(RequestedCall(part.id or "", (part.function and part.function.name) or ""))
    calls[part.index if known else -1].arguments += (part.function and part.function.arguments) or ""


def _unexpected(turn: Turn) -> str:
    """How the first answer differs from what it must be; empty if it does not."""
    try:
        calls = [(call.name, json.loads(call.arguments)) for call in turn.calls]
    except ValueError:
        return f"arguments are not JSON: {[call.arguments for call in turn.calls]}"
    if calls != EXPECTED:
        return f"expected tool_calls {EXPECTED}, got {calls}"
    if not all(call.id for call in turn.calls) or len({call.id for call in turn.calls}) < len(turn.calls):
        return f"ids are missing or not unique: {[call.id for call in turn.calls]}"
    if turn.finish != "tool_calls":
        return f"expected finish_reason tool_calls, got {turn.finish}"
    if "<" in turn.content:
        return f"markup was left in the content: {turn.content!r}"
    return ""


def get_weather(city: str, days: int) -> str:
    skies = ("sunny", "cloudy", "rain")
    return json.dumps({"city": city, "forecast": [skies[(len(city) + day) % 3] for day in range(days)]})


def search_web(query: str, limit: int) -> str:
    return json.dumps([f"All about {query}, part {number}" for number in range(1, limit + 1)])


def _tool(name: str, description: str, **types: str) -> ChatCompletionFunctionToolParam:
    properties = {key: {"type": kind} for key, kind in types.items()}
    schema: dict[str, object] = {"type": "object", "properties": properties, "required": list(types)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


# -- the display: ASCII only, because not every terminal can show more


def _side_by_side(model: str, written: Turn, got: Turn) -> None:
    width = (min(max(shutil.get_terminal_size((110, 24)).columns, 80), 120) - 3) // 2
    left = _wrapped([written.content, "", *_outcome(written)], width)
    right = _wrapped(
        [*_named("reasoning_content", got.reasoning), *_named("content", got.content), *_outcome(got)], width
    )
    print(f"\n{_paint(f'== {model} '.ljust(2 * width + 3, '='), BOLD)}")
    print(_row("the model wrote", "the client got, through the proxy", width, BOLD, BOLD))
    print(_row("-" * width, "-" * width, width))
    for one, other in zip_longest(left, right, fillvalue=""):
        print(_row(one, other, width, YELLOW, GREEN), flush=True)


def _outcome(turn: Turn) -> list[str]:
    calls = [f"  {index} {call.name} {call.arguments}" for index, call in enumerate(turn.calls)]
    return [
        f"tool_calls:{'' if calls else ' none'}",
        *calls,
        f"finish_reason: {turn.finish}",
        f"({turn.chunks} chunks)",
    ]


def _named(name: str, text: str) -> list[str]:
    return [f"{name}: {json.dumps(text, ensure_ascii=False)}"] if text else []


def _wrapped(texts: Sequence[str], width: int) -> list[str]:
    lines = [line for text in texts for line in text.split("\n")]
    return [part for line in lines for part in textwrap.wrap(line, width, subsequent_indent="    ") or [""]]


def _row(left: str, right: str, width: int, left_style: str = "", right_style: str = "") -> str:
    return f"{_paint(left.ljust(width), left_style)} | {_paint(right, right_style)}".rstrip()


def _paint(text: str, style: str) -> str:
    plain = not style or not text or not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return text if plain else f"\x1b[{style}m{text}\x1b[0m"


BOLD, YELLOW, GREEN = "1", "33", "32"
SETTINGS = ("BACKEND", "PROXY_", "ENABLE_TOOL_CALL", "TOOL_", "REASONING_", "STRIP_END", "MODEL_SYNTAX", "KEEPALIVE")
TOOLS = [
    _tool("get_weather", "The weather forecast of a city", city="string", days="integer"),
    _tool("search_web", "Search the web", query="string", limit="integer"),
]
FUNCTIONS: dict[str, Callable[..., str]] = {"get_weather": get_weather, "search_web": search_web}

if __name__ == "__main__":
    sys.exit(main())
