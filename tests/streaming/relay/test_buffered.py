"""Buffered answers: what is translated, what survives, and what is left as it came."""

from __future__ import annotations

import gzip
import json

from tests.nobody import nobody
from tests.servers import (
    TOOLS,
    Answer,
    Json,
    Proxy,
    ScriptedBackend,
    ask,
    completion,
    json_answer,
    message_in,
    running_proxy,
    said,
    whole_stream,
)
from tests.streaming.relay.phrases import (
    CALL,
    CALLED,
    SPOKEN,
)


def test_a_buffered_answer_that_needs_no_change_is_the_bytes_received(backend: ScriptedBackend, proxy: Proxy) -> None:
    body = json.dumps(completion("Hello 서울"), indent=3, ensure_ascii=False).replace("12", "12.0").encode()
    backend.answer = json_answer(body)
    with proxy.client(ask(stream=False)) as client:
        assert client.rest() == body
        assert client.header("content-length") == str(len(body))


def test_unknown_fields_of_a_translated_answer_survive(backend: ScriptedBackend, proxy: Proxy) -> None:
    reply = completion("Hi. " + "".join(CALL), annotations=[1], x_message=2)
    reply["choices"][0]["x_choice"] = {"a": [1.5]}
    backend.answer = json_answer({**reply, "timings": {"ms": 1.25}, "system_fingerprint": "fp"})
    told = proxy.buffered(ask(stream=False))
    assert message_in(told) == SPOKEN
    assert told["timings"] == {"ms": 1.25} and told["system_fingerprint"] == "fp" and told["usage"] == reply["usage"]
    assert told["choices"][0]["x_choice"] == {"a": [1.5]}
    assert told["choices"][0]["message"]["annotations"] == [1] and told["choices"][0]["message"]["x_message"] == 2


def test_content_is_null_only_beside_calls(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = json_answer(completion("".join(CALL)))
    message = proxy.buffered(ask(stream=False))["choices"][0]["message"]
    assert message["content"] is None and len(message["tool_calls"]) == 1
    backend.answer = json_answer(completion("<think>Hm.</think>"))
    message = proxy.buffered(ask(stream=False))["choices"][0]["message"]
    assert message["content"] == "" and "tool_calls" not in message


def test_a_buffered_answer_in_a_coding_that_nobody_asked_for(backend: ScriptedBackend, proxy: Proxy) -> None:
    body = gzip.compress(json.dumps(completion("Hi. " + "".join(CALL))).encode())
    backend.answer = json_answer(body, headers=[("Content-Encoding", "gzip"), ("ETag", '"1"')])
    with proxy.client(ask(stream=False)) as client:
        assert message_in(client.json()) == SPOKEN
        assert client.header("content-encoding") is None and client.header("etag") is None


def test_content_logprobs_of_rewritten_content_are_dropped(backend: ScriptedBackend, proxy: Proxy) -> None:
    reply = completion("Hi. " + "".join(CALL))
    reply["choices"][0]["logprobs"] = {"content": [{"token": "Hi", "logprob": -1}]}
    backend.answer = json_answer(reply)
    told = proxy.buffered(ask(stream=False, logprobs=True))["choices"][0]
    assert not (told["logprobs"] or {}).get("content")


def test_the_old_functions_are_answered_in_their_form(backend: ScriptedBackend, proxy: Proxy) -> None:
    request: Json = {"functions": [TOOLS[0]["function"]], "tools": []}
    backend.answer = Answer(said("Hi. ", *CALL))
    body = {name: value for name, value in ask(**request).items() if name != "tools"}
    streamed = whole_stream(proxy.streamed(body))
    calls = [choice["delta"]["function_call"] for choice in streamed.choices() if "function_call" in choice["delta"]]
    assert calls[0]["name"] == "get_weather"
    assert "".join(call["arguments"] for call in calls) == CALLED["arguments"]
    assert streamed.reasons() == ["function_call"]
    backend.answer = json_answer(completion("Hi. " + "".join(CALL)))
    choice = proxy.buffered({**body, "stream": False})["choices"][0]
    assert choice["message"]["function_call"] == CALLED and choice["finish_reason"] == "function_call"


def test_nothing_listens_where_the_backend_was(backend: ScriptedBackend) -> None:
    with nobody() as url, running_proxy(url) as proxy, proxy.client(ask()) as client:
        assert client.status == 502
        assert client.json()["error"]["code"] == "backend_unreachable"
