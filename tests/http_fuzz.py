"""`make fuzz`, second part: requests that nobody would send, at the proxy's HTTP face. No 500, no traceback, no hang.

Bytes of requests are changed, cut, doubled and mixed; and schemathesis asks what openapi.json allows, and what it does
not. Both ways of serving; a seed makes a run again.

    python -m tests.http_fuzz [--count N] [--examples N] [--seed N]
"""

from __future__ import annotations

import argparse
import json
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from tests.servers import (
    HOST,
    Answer,
    How,
    Process,
    Received,
    ScriptedBackend,
    ask,
    completion,
    json_answer,
    proxy_process,
    said,
)

HOWS: tuple[How, ...] = ("app", "gunicorn")
ASKED = {"/tokenize", "/apply-template", "/api/tags", "/api/ps", "/api/show"}
"""Paths outside `/v1/` that the proxy asks a backend by itself: for a count of tokens, and as it may be an Ollama."""
QUIET = 0.15
"""Seconds without a byte after which an answer is taken for all there is, where nothing tells its end."""
LONGEST = 6.0

METHODS = [
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "PATCH",
    "TRACE",
    "CONNECT",
    "get",
    "",
    "G E T",
    "P\x00ST",
    "é",
]
TARGETS = [
    "/v1/chat/completions",
    "/chat/completions",
    "/api/chat",
    "/api/generate",
    "/api/show",
    "/api/tags",
    "/api/delete",
    "/v1/models",
    "/v1/models?client_version=1",
    "/v1/responses",
    "/v1/responses/x/cancel",
    "/health",
    "/openapi.json",
    "/",
    "/models",
    "/models/a/b",
    "/embeddings",
    "/dragoman/api/backends",
    "/dragoman/%2e%2e/v1/models",
    "/dragoman/api/records?q=a:b",
    "/dragoman/api/explain",
    "/dragoman/login",
    "/dragoman/logout",
    "/metrics",
    "*",
    "",
    "/v1",
    "/v1/",
    "//",
    "/v1/../x",
    "/v1/%2e%2e/x",
    "/v1/%",
    "/v1/%zz",
    "/v1/%00",
    "/v1/\xff",
    "/v1/é",
    "http://x/v1/models",
    "?",
    "#",
    "/v1/models?x=%",
    "/v1/models?" + "a" * 9000,
    "/v1/" + "../" * 50,
    "http://[::1",
    "http://[x]/v1/a",
    "/v1/a b",
]
VERSIONS = ["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9", "http/1.1", "HTTP/1.1 x", "", "ICY"]
NAMES = [
    "Content-Length",
    "Transfer-Encoding",
    "Content-Type",
    "Host",
    "Connection",
    "Expect",
    "Upgrade",
    "Authorization",
    "X-Api-Key",
    "Accept",
    "Forwarded",
    "X-Request-Id",
    "x-dragoman-syntax",
    "Origin",
    "Accept-Encoding",
    "Content-Encoding",
    "TE",
    "Trailer",
    "Range",
    "X-Forwarded-Proto",
    "Cookie",
    "",
    "Bad Name",
    "X:Y",
    "X-\xff",
    "If-None-Match",
    "Access-Control-Request-Method",
]
VALUES = [
    "",
    "0",
    "-1",
    "5",
    "99999999999999999999",
    "1e9",
    "0x10",
    "+5",
    "chunked",
    "gzip, chunked",
    "identity",
    "close",
    "100-continue",
    "h2c",
    "Bearer ",
    "Bearer \xff",
    "\x00",
    "a\tb",
    "é" * 50,
    "x" * 5000,
    "application/json",
    "application/json; charset=utf-16",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "null",
    "http://[",
    "*",
    "text/html",
    "localhost",
]
JSONS = [
    "{}",
    "[]",
    "null",
    "7",
    '"x"',
    "",
    "{",
    '{"a":',
    "[" * 5000,
    '{"a":' * 3000,
    "nan",
    "[NaN]",
    "1e999",
    '{"n": 1e400}',
    '{"tools": [{}]}',
    '{"tools": {}}',
    '{"stream": 1}',
    '{"messages": [1, null, {"tool_calls": [7]}]}',
    '{"n": -1}',
    '{"model": "\\ud800"}',
    '{"model": ["x"]}',
    '{"tools": [], "tool_choice": {"type": []}}',
    '{"tools":[],"x":1e-999}',
    '{"functions": [{"name": "f"}], "function_call": "none"}',
    '{"response_format": {"type": {}}}',
    "\ufeff{}",
    '{"chat_template_kwargs": {"enable_thinking": []}}',
    '{"reasoning_effort": {}}',
    '{"a": 1, "a": 2, "tools": []}',
    '{"stream": true, "stream_options": []}',
    '{"messages": [{"tool_call_id": {}, "role": []}]}',
    "9" * 6000,
    '{"model": "m", "messages": [{"role": "user", "images": [{}]}]}',
    '{"model": "m", "messages": [{"role": "user", "content": {}, "tool_calls": [{"function": {}}]}]}',
    '{"model": "m", "messages": [{"role": "tool", "tool_name": []}], "format": [], "options": {"seed": {}}}',
    '{"model": "m", "prompt": "x", "think": {}}',
]


def requests(dice: random.Random) -> Iterator[bytes]:
    """Made-up requests without end: most nearly right, for what is all wrong is refused at the first line."""
    while True:
        raw = _request(dice)
        for _ in range(dice.choice([0, 0, 0, 1, 1, 3])):
            raw = dice.choice(CHANGES)(raw, dice)
        yield raw[:400_000]


def _request(dice: random.Random) -> bytes:
    body = dice.choice([*JSONS, json.dumps(ask(stream=dice.random() < 0.5))]).encode("utf-8", "surrogatepass")
    method = dice.choice([*["POST"] * 20, *METHODS])
    target = dice.choice([*["/v1/chat/completions"] * 20, *TARGETS])
    lines = [f"{method} {target} {dice.choice([*['HTTP/1.1'] * 20, *VERSIONS])}", "Host: x"]
    if dice.random() < 0.2:
        lines.append("Transfer-Encoding: chunked")
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    elif dice.random() < 0.95:
        lines.append(f"Content-Length: {len(body) + dice.choice([0, 0, 0, 0, 0, 0, -1, 1])}")
    lines += [f"{dice.choice(NAMES)}: {dice.choice(VALUES)}" for _ in range(dice.choice([0, 0, 0, 1, 2, 5]))]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


def _flip(raw: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(raw) + 1)
    return raw[:place] + bytes([dice.randrange(256)]) + raw[place + 1 :]


def _cut(raw: bytes, dice: random.Random) -> bytes:
    start, end = sorted(dice.randrange(len(raw) + 1) for _ in range(2))
    return raw[:start] + raw[end:]


def _end(raw: bytes, dice: random.Random) -> bytes:
    return raw[: dice.randrange(len(raw) + 1)]


def _double(raw: bytes, dice: random.Random) -> bytes:
    start, end = sorted(dice.randrange(len(raw) + 1) for _ in range(2))
    return raw[:end] + raw[start:end] * dice.choice([1, 1, 50]) + raw[end:]


def _line_ends(raw: bytes, dice: random.Random) -> bytes:
    return raw.replace(b"\r\n", dice.choice([b"\n", b"\r", b"\n\r", b"\r\n "]), dice.choice([1, 2, -1]))


CHANGES = (_flip, _flip, _cut, _end, _double, _line_ends)


def sent(port: int, raw: bytes) -> bytes:
    """What comes back, up to the proxy's close, or its silence once something is there. TimeoutError for nothing."""
    received = b""
    with suppress(ConnectionError), socket.create_connection((HOST, port), LONGEST) as sock:
        sock.sendall(raw)
        sock.settimeout(QUIET)
        while True:
            try:
                more = sock.recv(65536)
            except TimeoutError:
                if received:
                    break
                with suppress(OSError):  # not connected: it has cut just now
                    sock.shutdown(socket.SHUT_WR)  # it waits for the rest of what was half a request
                sock.settimeout(LONGEST)
                more = sock.recv(65536)
            if not more:
                break
            received += more
    return received


def wrong(received: bytes) -> str:
    """What no request may be answered with."""
    for status in re.findall(rb"(?:^|\n)HTTP/1\.[01] (\d+)", received):
        if status == b"500":
            return f"a 500: {received[:300]!r}"
    if received and not received.startswith(b"HTTP/1."):
        return f"no HTTP: {received[:100]!r}"
    if b"Traceback" in received or b"<html" in received.lower():
        return f"a page of a server: {received[:300]!r}"
    return ""


def answer(received: Received) -> Answer:
    """A backend that has something right to say to whatever reaches it."""
    if received.target in ASKED:
        return json_answer({"error": "nobody serves this"}, 404)
    if not received.target.startswith("/v1/"):
        return json_answer({"error": {"message": "the proxy let it through", "type": "x"}}, 500)
    try:
        body = json.loads(received.body)
    except (ValueError, RecursionError):
        body = None
    if not received.target.startswith("/v1/chat/completions") or not isinstance(body, dict):
        return json_answer({"object": "list", "data": []})
    return Answer(said("Hello")) if body.get("stream") else json_answer(completion("Hello"))


def bytes_at(proxy: Process, count: int, seed: int) -> list[str]:
    """Send so many; what was wrong, with what caused it."""
    failures: list[str] = []
    for number, raw in zip(range(count), requests(random.Random(seed)), strict=False):
        try:
            fault = wrong(sent(proxy.port, raw))
        except TimeoutError:
            fault = "no answer"
        if fault:
            failures.append(f"request {number} of seed {seed}: {fault} to {raw[:300]!r}")
    return failures


CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
CHECKS += ",response_headers_conformance,unsupported_method,allow_header_conformance,ignored_auth"

PHASES = "examples,coverage,fuzzing"
"""Of schemathesis: what the description gives for an example, every limit of it once, and made-up requests."""


def described(proxy: Process, examples: int, seed: int, phases: str) -> list[str]:
    """schemathesis, by what the proxy itself says of its routes."""
    options = ["--checks", CHECKS, "--max-examples", str(examples), "--seed", str(seed), "--no-color"]
    options += ["--phases", phases, "--warnings", "off", "--generation-database", "none"]
    options += ["--exclude-path", "/dragoman/api/events"]  # it does not end by itself
    program = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run"]
    command = [*program, f"{proxy.url}/openapi.json", *options]
    with tempfile.TemporaryDirectory() as folder:  # it leaves a cache where it runs
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=1200)
    return [] if done.returncode == 0 else [done.stdout[-6000:] + done.stderr[-2000:]]


def alive(proxy: Process) -> list[str]:
    """It still answers, and nothing that it did not foresee happened to it."""
    with proxy.get("/health") as client:
        failures = [] if client.status == 200 else ["/health no longer answers"]
    _, traceback, log = proxy.said().partition("Traceback")
    return failures + ([f"a traceback in the log: {log[:3000]}"] if traceback else [])


def run(how: How, count: int, examples: int, seed: int, phases: str = PHASES) -> list[str]:
    with ScriptedBackend(answer) as backend, proxy_process(how, backend, MAX_REQUEST_BYTES=200_000) as proxy:
        failures = alive(proxy)  # gunicorn listens before its worker is there
        began = time.monotonic()
        failures += bytes_at(proxy, count, seed)
        failures += described(proxy, examples, seed, phases) if examples else []
        failures += alive(proxy)
        let_through = {received.target for received in backend.requests if not received.target.startswith("/v1/")}
        let_through -= ASKED
        failures += [f"reached the backend: {target}" for target in let_through]
        told = f"{how}: {count} requests, {examples} examples of each route; {len(backend.requests)} let through"
        print(f"{told}, {len(failures)} failures; {time.monotonic() - began:.0f} s")
    return failures


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.http_fuzz", description=__doc__.split("\n\n")[0])
    parser.add_argument("--count", type=int, default=4000, help="requests of made-up bytes, each way of serving (4000)")
    parser.add_argument("--examples", type=int, default=60, help="examples of schemathesis for each route (60)")
    parser.add_argument("--seed", type=int, default=None, help="to run one again")
    options = parser.parse_args(argv)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 30)
    print(f"seed {seed}")
    failures = [failure for how in HOWS for failure in run(how, options.count, options.examples, seed)]
    for failure in failures[:20]:
        print("FAILED", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
