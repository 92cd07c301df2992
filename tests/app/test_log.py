"""What is logged of an exchange, and what must not be; connections that are used again."""

from __future__ import annotations

import logging
import re
import time

import pytest

from tests.app.answers import CALL, OK
from tests.cases import in_one_test
from tests.servers import (
    Answer,
    Proxy,
    ScriptedBackend,
    ask,
    chunk,
    completion,
    frame,
    json_answer,
    running_proxy,
    said,
)


def test_neither_secrets_nor_prompts_nor_answers_are_logged(
    backend: ScriptedBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    settings = {"PROXY_API_KEYS": "sk-of-the-client", "BACKEND_API_KEY": "sk-of-the-backend"}
    headers = [("Authorization", "Bearer sk-of-the-client"), ("Cookie", "session=sk-of-the-cookie")]
    body = {**ask(), "messages": [{"role": "user", "content": "the secret prompt"}], "user": "somebody"}
    texts = ("the secret answer ", CALL.replace("Oslo", "secret city"))
    answers = [
        Answer(said(*texts)),
        json_answer(completion("".join(texts))),
        json_answer({"error": {"message": "secret refusal"}}, 400),
        Answer([frame(chunk({"content": "the secret answer"}))], ends="broken"),
        Answer([b"secret garbage"], framing="raw"),
        Answer([b"data: {secret garbage\n\n"]),
    ]
    with running_proxy(backend, **settings) as proxy:
        for answer in answers:
            for stream in (True, False):
                backend.answer = answer
                with proxy.client(
                    {**body, "stream": stream}, "/v1/chat/completions?key=sk-query", headers=headers
                ) as client:
                    client.rest()
        for target in ("/v1/models?key=sk-query", "/v1/secret/../x", "/secret"):
            with proxy.get(target, headers) as client:
                client.rest()
        with proxy.client({**body, "tools": "secret tools"}, headers=headers) as client:
            assert client.status == 400
        with proxy.client(b'{"messages": "the secret prompt', headers=headers) as client:
            assert client.status == 400
        with proxy.client(body, headers=[("Authorization", "Bearer sk-wrong")]) as client:
            assert client.status == 401
    assert len(caplog.records) >= len(answers)
    logged = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    for secret in ("sk-", "secret", "somebody", "Bearer"):
        assert secret not in logged, re.findall(f".{{,80}}{secret}.{{,80}}", logged)[:3]


@in_one_test(("method", "status"), [("GET", 200), ("HEAD", 200), ("DELETE", 204), ("GET", 304)])
def test_each_exchange_is_logged_in_one_line(
    backend: ScriptedBackend, proxy: Proxy, caplog: pytest.LogCaptureFixture, method: str, status: int
) -> None:
    """Also those whose answer has no body."""
    caplog.clear()
    caplog.set_level(logging.INFO, "dragoman")
    backend.answer = Answer([] if status != 200 else [b"{}"], status, [], "length")
    with proxy.get("/v1/files/f", [("X-Request-Id", "this-one")], method) as client:
        client.rest()
    until = time.monotonic() + 1
    while "this-one" not in caplog.text and time.monotonic() < until:
        time.sleep(0.01)
    lines = [record.getMessage() for record in caplog.records if "this-one" in record.getMessage()]
    assert len(lines) == 1 and f"status={status}" in lines[0], caplog.text


def test_no_client_can_forge_a_line_of_the_log(
    backend: ScriptedBackend, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dragoman")
    backend.answer = json_answer(completion("ok"))
    proxy.buffered(ask(stream=False, model="m\n2026-01-01 00:00:00 INFO forged\r\x1b[2J"))
    for record in caplog.records:
        assert not re.search(r"[\x00-\x1f]", record.getMessage()), record.getMessage()


@in_one_test("method", ["GET", "HEAD", "DELETE", "POST"])
def test_connections_to_the_backend_are_used_again(method: str) -> None:
    """POST is a stream here. One request may come before the proxy has put the connection of the last one back."""
    with ScriptedBackend(OK) as backend, running_proxy(backend) as proxy:
        if method == "DELETE":
            backend.answer = Answer(status=204, headers=[])
        elif method == "POST":
            backend.answer = Answer(said("ok"))
        for _ in range(4):
            if method == "POST":
                proxy.streamed(ask())
            else:
                with proxy.get("/v1/models", method=method) as client:
                    client.rest()
            time.sleep(0.1)
        assert len(backend.requests) == 4
        assert backend.connections <= 2
