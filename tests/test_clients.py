"""Real clients against real server processes: the OpenAI SDK in all its ways, curl and requests."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

import openai
import pytest
import requests
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAI
from pydantic import BaseModel

from demo.model import model_names
from tests.servers import (
    PATIENCE,
    TOOLS,
    Answer,
    Json,
    Process,
    Proxy,
    ScriptedBackend,
    ask,
    chunk,
    demo_backend,
    frame,
    json_answer,
    message_of,
    proxy_process,
    running_proxy,
    said,
    whole_stream,
)

MODELS = model_names()
SHOWN = ["glm-4.5-air", "glm-4.7", "hermes-3-llama-3.1-8b", "qwen3-coder-30b", "claude-distill", "native"]
"""One model of each kind, for what does not depend on the syntax."""


class get_weather(BaseModel):
    """Named as the tool is, because the SDK takes the name of the class."""

    city: str
    days: int


class search_web(BaseModel):
    query: str
    limit: int


FUNCTIONS: Any = [openai.pydantic_function_tool(get_weather), openai.pydantic_function_tool(search_web)]
QUESTION = 'What is the weather in Seoul for the next 3 days? And search the web for "night markets", 2 results please.'
ASKED: Any = [{"role": "user", "content": QUESTION}]
EXPECTED: list[tuple[str, dict[str, Any]]] = [
    ("get_weather", {"city": "Seoul", "days": 3}),
    ("search_web", {"query": "night markets", "limit": 2}),
]
RESULTS = ["sunny all week, 서울", "three markets"]
OPENERS = ("<tool_call", "<function", "<invoke", "[TOOL_REQUEST", "<think", "</")


@pytest.fixture(scope="module", params=["app", "gunicorn"])
def demo(request: pytest.FixtureRequest) -> Iterator[Process]:
    """The demo backend, and the proxy before it."""
    with ExitStack() as stack:
        backend = stack.enter_context(demo_backend())
        yield stack.enter_context(proxy_process(request.param, backend.url))


@pytest.fixture(scope="module")
def client(demo: Process) -> Iterator[OpenAI]:
    with sdk(demo) as made:
        yield made


@contextmanager
def sdk(proxy: Proxy, key: str = "none") -> Iterator[OpenAI]:
    transport = DefaultHttpxClient(trust_env=False)
    url = f"{proxy.url}/v1"
    with OpenAI(base_url=url, api_key=key, max_retries=0, timeout=PATIENCE, http_client=transport) as made:
        yield made


def async_sdk(proxy: Proxy) -> AsyncOpenAI:
    transport = DefaultAsyncHttpxClient(trust_env=False)
    url = f"{proxy.url}/v1"
    return AsyncOpenAI(base_url=url, api_key="none", max_retries=0, timeout=PATIENCE, http_client=transport)


Calls = list[tuple[str, str, str]]
"""Id, name and arguments of each call."""


def as_asked(content: str | None, calls: Calls, reason: str | None) -> None:
    """The answer calls both tools, and nothing of how the model wrote that is left."""
    assert [(name, json.loads(arguments)) for _, name, arguments in calls] == EXPECTED
    assert len({call_id for call_id, _, _ in calls if call_id}) == 2
    assert reason == "tool_calls"
    assert not any(opener in (content or "") for opener in OPENERS), content


def calls_of(message: Any) -> Calls:
    return [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or []]


def put_together(chunks: Iterable[Any]) -> tuple[str, Calls, str | None]:
    """A stream as the plainest of programs reads it: by the index of each call."""
    content, reason = "", None
    parts: dict[int, list[str]] = {}
    for each in chunks:
        for choice in each.choices:
            content += choice.delta.content or ""
            reason = choice.finish_reason or reason
            for call in choice.delta.tool_calls or []:
                entry = parts.setdefault(call.index, ["", "", ""])
                entry[0] += call.id or ""
                entry[1] += call.function.name or ""
                entry[2] += call.function.arguments or ""
    return content, [(one, two, three) for one, two, three in parts.values()], reason


def with_results(calls: Calls, content: str | None = None) -> Any:
    """The conversation after both tools have run."""
    made = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, name, arguments in calls
    ]
    results = [
        {"role": "tool", "tool_call_id": call_id, "content": result}
        for (call_id, _, _), result in zip(calls, RESULTS, strict=True)
    ]
    return [*ASKED, {"role": "assistant", "content": content, "tool_calls": made}, *results]


# -- the OpenAI SDK ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_a_loop_of_two_turns(client: OpenAI, model: str) -> None:
    first = client.chat.completions.create(model=model, messages=ASKED, tools=FUNCTIONS).choices[0]
    calls = calls_of(first.message)
    as_asked(first.message.content, calls, first.finish_reason)
    messages = with_results(calls, first.message.content)
    second = client.chat.completions.create(model=model, messages=messages, tools=FUNCTIONS).choices[0]
    assert second.finish_reason == "stop" and not second.message.tool_calls
    assert all(result in (second.message.content or "") for result in RESULTS)


@pytest.mark.parametrize("model", MODELS)
def test_a_streamed_loop_of_two_turns(client: OpenAI, model: str) -> None:
    with client.chat.completions.create(model=model, messages=ASKED, tools=FUNCTIONS, stream=True) as stream:
        content, calls, reason = put_together(stream)
    as_asked(content, calls, reason)
    buffered = client.chat.completions.create(model=model, messages=ASKED, tools=FUNCTIONS).choices[0].message
    assert content == (buffered.content or "")
    assert [call[1:] for call in calls] == [call[1:] for call in calls_of(buffered)]
    messages = with_results(calls, content)
    with client.chat.completions.create(model=model, messages=messages, tools=FUNCTIONS, stream=True) as stream:
        content, calls, reason = put_together(stream)
    assert (calls, reason) == ([], "stop")
    assert all(result in content for result in RESULTS)


@pytest.mark.parametrize("model", MODELS)
def test_the_stream_helper_of_the_sdk(client: OpenAI, model: str) -> None:
    done: list[Any] = []
    with client.chat.completions.stream(model=model, messages=ASKED, tools=FUNCTIONS) as stream:
        for event in stream:
            if event.type == "tool_calls.function.arguments.done":
                done.append((event.name, event.parsed_arguments))
        choice = stream.get_final_completion().choices[0]
    as_asked(choice.message.content, calls_of(choice.message), choice.finish_reason)
    assert done == [("get_weather", get_weather(city="Seoul", days=3)), ("search_web", search_web(**EXPECTED[1][1]))]
    assert [call.function.parsed_arguments for call in choice.message.tool_calls or []] == [each for _, each in done]


@pytest.mark.parametrize("model", SHOWN)
def test_parse_of_the_sdk(client: OpenAI, model: str) -> None:
    choice = client.chat.completions.parse(model=model, messages=ASKED, tools=FUNCTIONS).choices[0]
    as_asked(choice.message.content, calls_of(choice.message), choice.finish_reason)


@pytest.mark.parametrize("model", SHOWN)
def test_raw_responses_of_the_sdk(client: OpenAI, model: str) -> None:
    raw = client.chat.completions.with_raw_response.create(model=model, messages=ASKED, tools=FUNCTIONS)
    choice = raw.parse().choices[0]
    as_asked(choice.message.content, calls_of(choice.message), choice.finish_reason)
    assert raw.headers["x-dragoman-outcome"] == ("untouched" if model == "native" else "translated")
    assert raw.headers["x-request-id"] and raw.request_id == raw.headers["x-request-id"]
    create = client.chat.completions.with_streaming_response.create
    with create(model=model, messages=ASKED, tools=FUNCTIONS, stream=True) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        as_asked(*put_together(response.parse()))


@pytest.mark.parametrize("model", SHOWN)
def test_the_asynchronous_sdk(demo: Process, model: str) -> None:
    async def talk() -> None:
        async with async_sdk(demo) as client:
            first = (await client.chat.completions.create(model=model, messages=ASKED, tools=FUNCTIONS)).choices[0]
            as_asked(first.message.content, calls_of(first.message), first.finish_reason)
            stream = await client.chat.completions.create(model=model, messages=ASKED, tools=FUNCTIONS, stream=True)
            as_asked(*put_together([each async for each in stream]))
            async with client.chat.completions.stream(model=model, messages=ASKED, tools=FUNCTIONS) as helper:
                choice = (await helper.get_final_completion()).choices[0]
            as_asked(choice.message.content, calls_of(choice.message), choice.finish_reason)
            messages = with_results(calls_of(first.message))
            second = await client.chat.completions.create(model=model, messages=messages, tools=FUNCTIONS)
            assert all(result in (second.choices[0].message.content or "") for result in RESULTS)

    asyncio.run(talk())


def test_many_conversations_at_once(demo: Process) -> None:
    async def one(client: AsyncOpenAI, model: str) -> None:
        stream = await client.chat.completions.create(model=model, messages=ASKED, tools=FUNCTIONS, stream=True)
        as_asked(*put_together([each async for each in stream]))

    async def all_of_them() -> None:
        async with async_sdk(demo) as client:
            await asyncio.gather(*(one(client, model) for model in MODELS * 3))

    asyncio.run(all_of_them())


@pytest.mark.parametrize("model", SHOWN)
def test_calls_one_at_a_time(client: OpenAI, model: str) -> None:
    create = client.chat.completions.create
    asked: Any = {"model": model, "messages": ASKED, "tools": FUNCTIONS, "parallel_tool_calls": False}
    message = create(**asked).choices[0].message
    assert [call.function.name for call in message.tool_calls or []] == ["get_weather"]
    with create(**asked, stream=True) as stream:
        _, calls, reason = put_together(stream)
    assert [(name, json.loads(arguments)) for _, name, arguments in calls] == EXPECTED[:1]
    assert reason == "tool_calls"


@pytest.mark.parametrize("model", SHOWN)
def test_no_calls_where_none_are_wanted(client: OpenAI, model: str) -> None:
    for more in ({"tools": FUNCTIONS, "tool_choice": "none"}, {}):
        choice = client.chat.completions.create(model=model, messages=ASKED, **more).choices[0]
        assert choice.finish_reason == "stop" and not choice.message.tool_calls and choice.message.content


@pytest.mark.parametrize("model", SHOWN)
def test_usage_of_a_stream(client: OpenAI, model: str) -> None:
    options: Any = {"include_usage": True}
    with client.chat.completions.create(
        model=model, messages=ASKED, tools=FUNCTIONS, stream=True, stream_options=options
    ) as stream:
        chunks = list(stream)
    assert [bool(each.usage) for each in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].choices == [] and chunks[-1].usage and chunks[-1].usage.total_tokens > 0


@pytest.mark.parametrize("model", SHOWN)
def test_an_answer_that_max_tokens_cut(client: OpenAI, model: str) -> None:
    for limit in (1, 8, 15, 20):
        asked: Any = {"model": model, "messages": ASKED, "tools": FUNCTIONS, "max_tokens": limit}
        choice = client.chat.completions.create(**asked).choices[0]
        with client.chat.completions.create(**asked, stream=True) as stream:
            content, calls, reason = put_together(stream)
        assert choice.finish_reason == reason == "length"
        assert content == (choice.message.content or "")
        assert [call[1:] for call in calls] == [call[1:] for call in calls_of(choice.message)]


def test_the_old_functions(client: OpenAI) -> None:
    functions: Any = [{**tool["function"], "strict": None} for tool in FUNCTIONS]
    choice = client.chat.completions.create(model="hermes-3-llama-3.1-8b", messages=ASKED, functions=functions).choices[
        0
    ]
    assert choice.finish_reason == "function_call"
    assert choice.message.function_call and choice.message.function_call.name == "get_weather"
    assert json.loads(choice.message.function_call.arguments) == EXPECTED[0][1]


def test_everything_else_that_the_sdk_offers(client: OpenAI) -> None:
    assert {model.id for model in client.models.list()} == set(MODELS)
    vectors = client.embeddings.create(model="m", input=["one", "two"], dimensions=5)
    assert [len(entry.embedding) for entry in vectors.data] == [5, 5]
    assert "You wrote: hello" in client.completions.create(model="m", prompt="hello").choices[0].text
    with client.completions.create(model="m", prompt="hello", stream=True) as stream:
        assert "You wrote: hello" in "".join(each.choices[0].text for each in stream)


# -- errors, as the SDK shows them -------------------------------------------------------------------------------------


def test_errors_are_the_exceptions_of_the_sdk(client: OpenAI) -> None:
    wrong: Any = [{"type": "function", "function": {"description": "no name"}}]
    with pytest.raises(openai.BadRequestError, match=r"tools\[0\]\.function\.name") as refused:
        client.chat.completions.create(model="m", messages=ASKED, tools=wrong)
    assert refused.value.param == "tools[0].function.name"
    with pytest.raises(openai.BadRequestError, match="messages"):
        client.chat.completions.create(model="m", messages=[], tools=FUNCTIONS)
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nowhere")


@pytest.fixture
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend() as started:
        yield started


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_of_the_backend(backend: ScriptedBackend, stream: bool) -> None:
    backend.answer = json_answer({"error": "no room for you"}, 429, [("Retry-After", "7")])
    with running_proxy(backend) as proxy, sdk(proxy) as client:
        with pytest.raises(openai.RateLimitError, match="no room for you") as refused:
            client.chat.completions.create(model="m", messages=ASKED, stream=stream)
        assert refused.value.response.headers["retry-after"] == "7"


def test_a_key_that_is_not_ours(backend: ScriptedBackend) -> None:
    backend.answer = Answer(said("ok"))
    with running_proxy(backend, PROXY_API_KEYS="good") as proxy:
        with sdk(proxy, "bad") as client, pytest.raises(openai.AuthenticationError, match="PROXY_API_KEYS"):
            client.chat.completions.create(model="m", messages=ASKED)
        with (
            sdk(proxy, "good") as client,
            client.chat.completions.create(model="m", messages=ASKED, stream=True) as stream,
        ):
            assert put_together(stream)[0] == "ok"


@pytest.mark.parametrize("how", ["dies", "says so"])
def test_an_error_in_mid_stream(backend: ScriptedBackend, how: str) -> None:
    frames = said("Hello", finish=None, done=False)
    error = frame({"error": {"message": "out of memory", "type": "server_error", "code": 500}})
    backend.answer = Answer(frames, ends="broken") if how == "dies" else Answer([*frames, error])
    content = ""
    with running_proxy(backend) as proxy, sdk(proxy) as client:
        stream = client.chat.completions.create(model="m", messages=ASKED, stream=True)
        with pytest.raises(openai.APIError) as broken, stream:
            for each in stream:
                content += each.choices[0].delta.content or ""
        assert content == "Hello"
        assert broken.value.message
        if how == "says so":
            assert "out of memory" in str(broken.value)


def test_heartbeats_do_not_disturb(backend: ScriptedBackend) -> None:
    call = ['<tool_call>{"name": "get_weather", ', '"arguments": {"city": "Oslo"}}', "</tool_call>"]
    backend.answer = Answer([piece for data in said(*call) for piece in (data, 0.12)], before=[0.12])
    with running_proxy(backend, KEEPALIVE_SECONDS=0.05) as proxy:
        assert b": keep-alive" in proxy.streamed(ask())
        with (
            sdk(proxy) as client,
            client.chat.completions.create(model="m", messages=ASKED, tools=FUNCTIONS, stream=True) as stream,
        ):
            _, calls, reason = put_together(stream)
    assert [(name, json.loads(arguments)) for _, name, arguments in calls] == [("get_weather", {"city": "Oslo"})]
    assert reason == "tool_calls"


@pytest.mark.parametrize("how", ["app", "gunicorn"])
def test_a_program_that_stops_reading_stops_the_backend(
    backend: ScriptedBackend, how: Literal["app", "gunicorn"]
) -> None:
    backend.answer = Answer([frame(chunk({"role": "assistant", "content": "Hello"})), threading.Event()])
    with proxy_process(how, backend) as proxy, sdk(proxy) as client:
        with client.chat.completions.create(model="m", messages=ASKED, stream=True) as stream:
            assert next(iter(stream)).choices[0].delta.content == "Hello"
        assert backend.last.closed.wait(1.0)


# -- curl --------------------------------------------------------------------------------------------------------------

CURL = shutil.which("curl")
needs_curl = pytest.mark.skipif(CURL is None, reason="no curl")


def curl(*arguments: str) -> list[str]:
    return [str(CURL), "--noproxy", "*", "-sS", "--max-time", "10", *arguments]


def posting(proxy: Proxy, body: Json, *more: str) -> list[str]:
    url = f"{proxy.url}/v1/chat/completions"
    return curl("-N", url, "-H", "Content-Type: application/json", "-d", json.dumps(body), *more)


@needs_curl
@pytest.mark.parametrize("model", SHOWN)
def test_curl_streams(demo: Process, model: str) -> None:
    body = {"model": model, "messages": ASKED, "tools": FUNCTIONS, "stream": True}
    done = subprocess.run(posting(demo, body), capture_output=True, timeout=PATIENCE, check=True)
    message = message_of(whole_stream(done.stdout))
    assert [(call["name"], json.loads(call["arguments"])) for call in message["calls"]] == EXPECTED
    assert b": dragoman outcome=" in done.stdout


@needs_curl
def test_curl_shows_each_piece_at_once(backend: ScriptedBackend) -> None:
    more = threading.Event()
    first, second, *rest = said("Hello", " world")
    backend.answer = Answer([first, second, more, *rest])
    with running_proxy(backend) as proxy:
        with subprocess.Popen(posting(proxy, ask()), stdout=subprocess.PIPE) as process:
            assert process.stdout
            lines = iter(process.stdout.readline, b"")
            assert any(b"Hello" in line for line in lines), "curl ended"
            more.set()
            assert any(b" world" in line for line in lines)
            assert b"[DONE]" in process.stdout.read()
        assert process.returncode == 0


@needs_curl
@pytest.mark.parametrize("size", [10, 3_000_000])
def test_curl_posts_buffered_requests(demo: Process, size: int) -> None:
    """Above a megabyte curl asks first whether it may go on."""
    body = {"model": "native", "messages": [*ASKED, {"role": "system", "content": "x" * size}], "tools": FUNCTIONS}
    command = [*curl("-i", f"{demo.url}/v1/chat/completions", "-H", "Content-Type: application/json", "-d", "@-")]
    done = subprocess.run(command, input=json.dumps(body).encode(), capture_output=True, timeout=PATIENCE, check=True)
    *_, head, reply = done.stdout.split(b"\r\n\r\n")
    assert b"200 OK" in head and b"x-dragoman-outcome: untouched" in head.lower()
    assert len(json.loads(reply)["choices"][0]["message"]["tool_calls"]) == 2


@needs_curl
def test_curl_may_not_climb_out(demo: Process) -> None:
    for path in ("/v1/../health", "/v1/%2e%2e/health", "/v1/..%2fhealth"):
        command = curl("--path-as-is", "-o", "-", "-w", "\n%{http_code}", f"{demo.url}{path}")
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)
        body, _, status = done.stdout.rpartition(b"\n")
        assert status in (b"400", b"404") and json.loads(body)["error"]["message"]


# -- requests ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.trust_env = False
        yield made


@pytest.mark.parametrize("model", SHOWN)
def test_a_plain_program_with_requests(demo: Process, session: requests.Session, model: str) -> None:
    url = f"{demo.url}/v1/chat/completions"
    body: Json = {"model": model, "messages": ASKED, "tools": FUNCTIONS}
    answer = session.post(url, json=body, timeout=PATIENCE)
    message = answer.json()["choices"][0]["message"]
    calls = [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in message["tool_calls"]]
    assert calls == EXPECTED
    with session.post(url, json={**body, "stream": True}, timeout=PATIENCE, stream=True) as stream:
        lines = [line for line in stream.iter_lines() if line.startswith(b"data: ")]
    assert lines[-1] == b"data: [DONE]"
    parts: Sequence[Json] = [
        call
        for line in lines[:-1]
        for choice in json.loads(line[6:])["choices"]
        for call in choice["delta"].get("tool_calls", [])
    ]
    arguments = ["".join(part["function"]["arguments"] for part in parts if part["index"] == at) for at in range(2)]
    assert [json.loads(text) for text in arguments] == [expected for _, expected in EXPECTED]


def test_one_connection_for_many_requests(backend: ScriptedBackend, session: requests.Session) -> None:
    """gunicorn keeps connections; a stream's end must not spoil the next answer on its own."""
    with proxy_process("gunicorn", backend) as proxy:
        url = f"{proxy.url}/v1/chat/completions"
        for number in range(5):
            backend.answer = Answer(said(f"number {number}"))
            with session.post(url, json=ask(), timeout=PATIENCE, stream=True) as stream:
                assert message_of(whole_stream(stream.content))["content"] == f"number {number}"
            backend.answer = json_answer({"error": {"message": str(number)}}, 400)
            refused = session.post(url, json=ask(tools=TOOLS), timeout=PATIENCE)
            assert refused.json()["error"]["message"] == str(number)
