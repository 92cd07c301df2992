"""The SDK of Ollama against real servers, in both ways of serving: calls that really run, streams, errors, models."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import ollama
import pytest

from demo.model import model_names
from tests.servers import (
    PATIENCE,
    TOOLS,
    Answer,
    How,
    Json,
    Process,
    Proxy,
    Received,
    ScriptedBackend,
    chunk,
    completion,
    demo_backend,
    frame,
    json_answer,
    proxy_process,
    running_proxy,
    said,
)

MODELS = ["glm-4.5-air", "qwen3-coder-30b", "claude-distill", "hermes-3-llama-3.1-8b", "native"]
"""Models of the demo backend, one for each kind of syntax, and one whose server sends calls as such."""
QUESTION = 'What is the weather in Seoul for the next 3 days? And search the web for "night markets", 2 results please.'


def get_weather(city: str, days: int) -> str:
    """Tell the weather.

    Args:
        city: Where.
        days: How many.
    """
    return f"sunny for {days} days in {city}, 서울"


def search_web(query: str, limit: int) -> str:
    """Search the web.

    Args:
        query: What to look for.
        limit: How many results.
    """
    return f"{limit} results for {query}"


FUNCTIONS = [get_weather, search_web]
BY_NAME: Mapping[str, Callable[..., str]] = {function.__name__: function for function in FUNCTIONS}
RESULTS = ["sunny for 3 days in Seoul, 서울", "2 results for night markets"]


@pytest.fixture(scope="module", params=["app", "gunicorn"])
def demo(request: pytest.FixtureRequest) -> Iterator[Process]:
    """The demo backend, and the proxy before it."""
    with ExitStack() as stack:
        backend = stack.enter_context(demo_backend())
        yield stack.enter_context(proxy_process(request.param, backend.url))


@pytest.fixture(scope="module")
def client(demo: Process) -> Iterator[ollama.Client]:
    with sdk(demo) as made:
        yield made


@pytest.fixture
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend() as started:
        yield started


def sdk(proxy: Proxy, **more: Any) -> ollama.Client:
    return ollama.Client(host=proxy.url, timeout=PATIENCE, trust_env=False, **more)


def run(calls: Sequence[ollama.Message.ToolCall] | None) -> list[Json]:
    """Run the tools; the results as messages, in the order of the SDK's own examples."""
    messages = []
    for call in calls or ():
        result = BY_NAME[call.function.name](**call.function.arguments)
        messages.append({"role": "tool", "content": result, "tool_name": call.function.name})
    return messages


def put_together(parts: Sequence[ollama.ChatResponse]) -> ollama.Message:
    """A stream as the SDK's examples read it."""
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]
    calls = [call for part in parts for call in part.message.tool_calls or ()]
    content = "".join(part.message.content or "" for part in parts)
    thinking = "".join(part.message.thinking or "" for part in parts)
    return ollama.Message(role="assistant", content=content, thinking=thinking or None, tool_calls=calls or None)


@pytest.mark.parametrize("model", MODELS)
def test_a_loop_of_two_turns(client: ollama.Client, model: str) -> None:
    messages: list[Any] = [{"role": "user", "content": QUESTION}]
    first = client.chat(model=model, messages=messages, tools=FUNCTIONS)
    assert first.done and first.done_reason == "stop" and (first.total_duration or 0) > 0
    results = run(first.message.tool_calls)
    assert [each["content"] for each in results] == RESULTS
    second = client.chat(model=model, messages=[*messages, first.message, *results], tools=FUNCTIONS)
    assert not second.message.tool_calls and all(result in (second.message.content or "") for result in RESULTS)


@pytest.mark.parametrize("model", MODELS)
def test_a_streamed_loop_of_two_turns(client: ollama.Client, model: str) -> None:
    messages: list[Any] = [{"role": "user", "content": QUESTION}]
    first = put_together(list(client.chat(model=model, messages=messages, tools=FUNCTIONS, stream=True)))
    whole = client.chat(model=model, messages=messages, tools=FUNCTIONS).message
    assert first.model_dump(exclude_none=True) == whole.model_dump(exclude_none=True)
    results = run(first.tool_calls)
    parts = list(client.chat(model=model, messages=[*messages, first, *results], tools=FUNCTIONS, stream=True))
    second = put_together(parts)
    assert not second.tool_calls and all(result in (second.content or "") for result in RESULTS)
    assert (parts[-1].eval_count or 0) > 0 and (parts[-1].prompt_eval_count or 0) > 0


@pytest.mark.parametrize("model", MODELS[:4])
def test_the_asynchronous_sdk(demo: Process, model: str) -> None:
    async def talk() -> None:
        async with ollama.AsyncClient(host=demo.url, timeout=PATIENCE, trust_env=False) as client:
            messages: list[Any] = [{"role": "user", "content": QUESTION}]
            first = await client.chat(model=model, messages=messages, tools=FUNCTIONS)
            parts = [
                each async for each in await client.chat(model=model, messages=messages, tools=FUNCTIONS, stream=True)
            ]
            assert put_together(parts).tool_calls == first.message.tool_calls
            results = run(first.message.tool_calls)
            second = await client.chat(model=model, messages=[*messages, first.message, *results], tools=FUNCTIONS)
            assert all(result in (second.message.content or "") for result in RESULTS)

    asyncio.run(talk())


def test_generate_and_models(client: ollama.Client) -> None:
    assert "You said: hello" in (client.generate(model="native", prompt="hello").response or "")
    parts = list(client.generate(model="native", prompt="hello", system="Be brief.", stream=True))
    assert "You said: hello" in "".join(part.response or "" for part in parts) and parts[-1].done_reason == "stop"
    assert client.generate(model="native").done_reason == "load"
    assert client.chat(model="native", keep_alive=0).done_reason == "unload"
    assert {model.model for model in client.list().models} == set(model_names())
    assert {model.model for model in client.ps().models} == set(model_names())
    shown = client.show("glm-4.5-air")
    assert shown.capabilities == ["completion", "tools", "thinking"] and shown.details and shown.modelinfo


def test_many_conversations_at_once(demo: Process) -> None:
    async def one(client: ollama.AsyncClient, model: str) -> None:
        messages = [{"role": "user", "content": QUESTION}]
        parts = [each async for each in await client.chat(model=model, messages=messages, tools=FUNCTIONS, stream=True)]
        assert [each["content"] for each in run(put_together(parts).tool_calls)] == RESULTS

    async def all_of_them() -> None:
        async with ollama.AsyncClient(host=demo.url, timeout=PATIENCE, trust_env=False) as client:
            await asyncio.gather(*(one(client, model) for model in MODELS * 3))

    asyncio.run(all_of_them())


def test_errors_are_the_exceptions_of_the_sdk(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="suffix") as refused:
        client.generate(model="m", prompt="a", suffix="b")
    assert refused.value.status_code == 400
    for unknown in (lambda: client.delete("m"), lambda: client.pull("m"), lambda: client.embed("m", "x")):
        with pytest.raises(ollama.ResponseError) as missing:
            unknown()
        assert missing.value.status_code == 404
    with pytest.raises(ollama.ResponseError, match="not found"):
        client.show("nowhere")


HARMONY = (
    "<|channel|>analysis<|message|>They want the weather.<|end|><|start|>assistant<|channel|>commentary "
    'to=functions.get_weather <|constrain|>json<|message|>{"city": "Seoul", "days": 3}<|call|>'
)


@pytest.mark.parametrize("how", ["app", "gunicorn"])
def test_a_loop_over_harmony(backend: ScriptedBackend, how: How) -> None:
    """Its backend says the result of the tool, which it must have got under the id of its call."""

    def answer(received: Received) -> Answer:
        *_, last = received.json()["messages"]
        text = HARMONY
        if last["role"] == "tool":
            (call,) = received.json()["messages"][-2]["tool_calls"]
            assert call["id"] == last["tool_call_id"] and last["name"] == "get_weather"
            assert received.json()["messages"][-2]["reasoning_content"] == "They want the weather."
            text = f"<|channel|>final<|message|>It is {last['content']}.<|return|>"
        pieces = [text[start : start + 7] for start in range(0, len(text), 7)]
        return Answer(said(*pieces)) if received.json()["stream"] else json_answer(completion(text))

    backend.answer = answer
    with proxy_process(how, backend) as proxy, sdk(proxy) as client:
        for stream in (True, False):
            messages: list[Any] = [{"role": "user", "content": QUESTION}]
            for turn in range(2):
                told = client.chat(model="gpt-oss:20b", messages=messages, tools=FUNCTIONS, stream=stream)
                message = put_together(list(told)) if stream else told.message
                if turn == 0:
                    assert message.thinking == "They want the weather." and not message.content
                messages += [message, *run(message.tool_calls)]
            assert messages[-1].content == f"It is {RESULTS[0]}."


# -- a backend that plays scripts ------------------------------------------------------------------------------------


def chat(client: ollama.Client, stream: bool = False, **more: Any) -> Any:
    answer = client.chat(model="glm-4.5", messages=[{"role": "user", "content": "hi"}], stream=stream, **more)  # type: ignore[call-overload]
    return list(answer) if stream else answer


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_of_the_backend(backend: ScriptedBackend, stream: bool) -> None:
    backend.answer = json_answer({"error": "no room for you"}, 429, [("Retry-After", "7")])
    with running_proxy(backend) as proxy, sdk(proxy) as client:
        with pytest.raises(ollama.ResponseError, match="no room for you") as refused:
            chat(client, stream)
        assert refused.value.status_code == 429
        with proxy.client({"model": "m", "messages": [{"role": "user"}]}, "/api/chat") as raw:
            assert (raw.json(), raw.header("retry-after")) == ({"error": "no room for you"}, "7")


@pytest.mark.parametrize(
    "pieces",
    [
        [frame({"error": {"message": "It broke.", "type": "x", "code": None}})],
        [frame({"error": {"message": "It broke.", "type": "x", "code": None}}), b"data: [DONE]\n\n"],
    ],
)
def test_an_error_in_mid_stream_is_an_exception_behind_the_words(backend: ScriptedBackend, pieces: list[bytes]) -> None:
    backend.answer = Answer([*said("Hello", finish=None, done=False), *pieces])
    with running_proxy(backend) as proxy, sdk(proxy) as client:
        heard = ""
        with pytest.raises(ollama.ResponseError, match="It broke"):
            for part in client.chat(model="m", messages=[{"role": "user", "content": "hi"}], stream=True):
                heard += part.message.content or ""
        assert heard == "Hello"


def test_a_backend_that_breaks_off(backend: ScriptedBackend) -> None:
    backend.answer = Answer(said("Hello", finish=None, done=False), ends="broken")
    with running_proxy(backend) as proxy, sdk(proxy) as client, pytest.raises(ollama.ResponseError):
        chat(client, True)


def test_a_key_that_is_not_ours(backend: ScriptedBackend) -> None:
    backend.answer = json_answer(completion("Hi."))
    with running_proxy(backend, PROXY_API_KEYS="good") as proxy:
        with sdk(proxy) as client, pytest.raises(ollama.ResponseError, match="PROXY_API_KEYS") as refused:
            chat(client)
        assert refused.value.status_code == 401
        with sdk(proxy, headers={"Authorization": "Bearer good"}) as client:
            assert chat(client).message.content == "Hi."
        assert backend.last.header("authorization") is None


def test_heartbeats_are_lines_that_the_sdk_reads(backend: ScriptedBackend) -> None:
    backend.answer = Answer([*said("Hello", finish=None, done=False), 0.7, *said()], before=[0.7])
    with running_proxy(backend, KEEPALIVE_SECONDS="0.2") as proxy, sdk(proxy) as client:
        for path, body in (("/api/chat", {"messages": [{"role": "user"}]}), ("/api/generate", {"prompt": "hi"})):
            with proxy.client({"model": "m", **body}, path) as raw:
                assert raw.status == 200 and raw.header("content-type") == "application/x-ndjson"
                first, *_ = raw.rest().split(b"\n")
            assert first.endswith(b'"done":false}') and (b'"content":""' in first or b'"response":""' in first)
        parts = chat(client, True)
        assert put_together(parts).content == "Hello"
        assert sum(not part.message.content for part in parts) > 3


def test_words_leave_at_once(backend: ScriptedBackend) -> None:
    more = threading.Event()
    first, second, *rest = said("Hello", " world")
    backend.answer = Answer([first, second, more, *rest])
    with running_proxy(backend) as proxy, sdk(proxy) as client:
        heard: list[str] = []
        for part in client.chat(model="m", messages=[{"role": "user", "content": "hi"}], stream=True):
            heard.append(part.message.content or "")
            more.set()
    assert heard == ["Hello", " world", ""]


def test_a_client_that_leaves_ends_the_exchange(backend: ScriptedBackend) -> None:
    backend.answer = Answer([*said("Hello", finish=None, done=False), threading.Event()])
    with running_proxy(backend) as proxy:
        with proxy.client({"model": "m", "messages": [{"role": "user"}]}, "/api/chat") as raw:
            raw.until(b"Hello")
        assert backend.request().closed.wait(PATIENCE)


def test_what_the_sdk_asks_reaches_the_backend(backend: ScriptedBackend) -> None:
    backend.answer = json_answer(completion("{}"))
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}}
    options: Mapping[str, Any] = {"num_predict": 7, "temperature": 0.5, "num_ctx": 4096, "stop": ["."]}
    with running_proxy(backend) as proxy, sdk(proxy) as client:
        message = {"role": "user", "content": "hi", "images": [b"\x89PNG\r\n\x1a\n0000"]}
        client.chat(model="qwen3:8b", messages=[message], format=schema, options=options, think=False, tools=TOOLS)
    body = backend.last.json()
    assert body.pop("messages")[0]["content"][0]["image_url"]["url"].startswith("data:image/png;base64,iVBORw0KGgo")
    assert body.pop("tools")[0]["function"]["name"] == "get_weather"
    assert body == {
        "model": "qwen3:8b",
        "stream": False,
        "max_tokens": 7,
        "temperature": 0.5,
        "stop": ["."],
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
        "chat_template_kwargs": {"enable_thinking": False},
    }


def test_a_body_that_curl_calls_a_form_is_json_for_the_backend(backend: ScriptedBackend) -> None:
    """The documents of Ollama show `curl -d`, without a header; backends refuse what is not called JSON."""
    backend.answer = json_answer(completion("Hi."))
    form = [("Content-Type", "application/x-www-form-urlencoded"), ("X-Other", "kept")]
    with running_proxy(backend) as proxy:
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": False}
        with proxy.client(body, "/api/chat", headers=form) as raw:
            assert raw.json()["message"]["content"] == "Hi."
        assert backend.last.all("content-type") == ["application/json"] and backend.last.header("x-other") == "kept"
        with proxy.client({"model": "m"}, "/api/show", headers=form) as raw:
            assert raw.status == 502
        assert {each.header("content-type") for each in backend.requests} == {"application/json"}


def test_log_probabilities_reach_the_sdk(backend: ScriptedBackend) -> None:
    told = chunk({"role": "assistant", "content": "Hi"})
    told["choices"][0]["logprobs"] = {"content": [{"token": "Hi", "logprob": -0.5, "bytes": None, "top_logprobs": []}]}
    backend.answer = Answer([frame(told), *said()[1:]])
    with running_proxy(backend) as proxy, sdk(proxy) as client:
        parts = chat(client, True, logprobs=True)
    assert [(each.token, each.logprob) for part in parts for each in part.logprobs or ()] == [("Hi", -0.5)]
    assert backend.last.json()["logprobs"] is True
