"""OpenAI's own SDK through `client.responses`, in all its ways, against real server processes of both kinds."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from tests.dialects.responses.reading import assembled, events_of
from tests.helpers import chunks
from tests.servers import (
    DONE,
    KEEP_ALIVE,
    Answer,
    Json,
    Process,
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
from tests.test_clients import EXPECTED, OPENERS, QUESTION, RESULTS, async_sdk, sdk

MODELS = ["glm-4.5-air", "qwen3-coder-30b", "claude-distill", "native"]
"""GLM, Qwen3-Coder, Claude; and a server that sends its calls itself. Harmony has a test of its own."""


class get_weather(BaseModel):
    """Named as the tool is, because the SDK takes the name of the class."""

    city: str
    days: int


class search_web(BaseModel):
    query: str
    limit: int


TOOLS: Any = [
    {"type": "function", "name": model.__name__, "strict": True, "parameters": model.model_json_schema()}
    for model in (get_weather, search_web)
]
PARSED: Any = [openai.pydantic_function_tool(model) for model in (get_weather, search_web)]
RUN: dict[str, Any] = {"get_weather": lambda city, days: RESULTS[0], "search_web": lambda query, limit: RESULTS[1]}
"""The tools, which really run."""


@pytest.fixture(scope="module", params=["app", "gunicorn"])
def demo(request: pytest.FixtureRequest) -> Iterator[Process]:
    """The demo backend, and the proxy before it."""
    with ExitStack() as stack:
        backend = stack.enter_context(demo_backend())
        yield stack.enter_context(proxy_process(request.param, backend.url))


def as_asked(response: Any) -> list[Any]:
    """The calls of a response that calls both tools; nothing of how the model wrote them is left."""
    calls = [item for item in response.output if item.type == "function_call"]
    assert [(call.name, json.loads(call.arguments)) for call in calls] == EXPECTED
    assert len({call.call_id for call in calls} | {call.id for call in calls}) == 4
    assert response.status == "completed"
    assert not any(opener in response.output_text for opener in OPENERS)
    return calls


def with_results(response: Any) -> list[Any]:
    """The input of the second turn: the first output as it is, and what the tools say."""
    results = [
        {
            "type": "function_call_output",
            "call_id": call.call_id,
            "output": RUN[call.name](**json.loads(call.arguments)),
        }
        for call in as_asked(response)
    ]
    return [{"role": "user", "content": QUESTION}, *response.output, *results]


def ends_well(response: Any) -> None:
    assert response.status == "completed"
    assert [item.type for item in response.output if item.type != "reasoning"] == ["message"]
    assert all(result in response.output_text for result in RESULTS)


@pytest.mark.parametrize("model", MODELS)
def test_a_loop_of_two_turns(demo: Process, model: str) -> None:
    with sdk(demo) as client:
        first = client.responses.create(model=model, input=QUESTION, tools=TOOLS)
        assert first.usage is not None and first.usage.total_tokens > 0
        ends_well(client.responses.create(model=model, input=with_results(first), tools=TOOLS))


@pytest.mark.parametrize("model", MODELS)
def test_a_streamed_loop_of_two_turns(demo: Process, model: str) -> None:
    def last(stream: Any) -> Any:
        events = [event.model_dump(exclude_unset=True) for event in stream]
        found: list[Json] = [{**event, "response": event["response"]} for event in events if "response" in event]
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        assert found[-1]["type"] == "response.completed"
        return openai.types.responses.Response.model_validate(found[-1]["response"])

    with sdk(demo) as client:
        create = client.responses.create
        first = last(create(model=model, input=QUESTION, tools=TOOLS, stream=True))
        ends_well(last(create(model=model, input=with_results(first), tools=TOOLS, stream=True)))


@pytest.mark.parametrize("model", MODELS)
def test_the_stream_helper_and_parse(demo: Process, model: str) -> None:
    with sdk(demo) as client:
        with client.responses.stream(model=model, input=QUESTION, tools=PARSED) as stream:
            kinds = [event.type for event in stream]
            response = stream.get_final_response()
        as_asked(response)
        parsed = [item.parsed_arguments for item in response.output if item.type == "function_call"]
        assert parsed == [get_weather(city="Seoul", days=3), search_web(**EXPECTED[1][1])]
        assert kinds[0] == "response.created" and kinds[-1] == "response.completed"
        as_asked(client.responses.parse(model=model, input=QUESTION, tools=PARSED))


HARMONY = (
    "<|channel|>analysis<|message|>I need both.<|end|>"
    "<|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>"
    '{"city": "Seoul", "days": 3}<|call|>'
    "<|start|>assistant<|channel|>commentary to=functions.search_web <|constrain|>json<|message|>"
    '{"query": "night markets", "limit": 2}<|call|>'
)


@pytest.mark.parametrize("stream", [False, True])
def test_a_loop_of_two_turns_over_harmony(stream: bool) -> None:
    def answer(received: Received) -> Answer:
        messages = received.json()["messages"]
        results = [message["content"] for message in messages if message["role"] == "tool"]
        if results:
            assert messages[1]["reasoning_content"] == "I need both."
        text = f"<|channel|>final<|message|>{' '.join(results)}<|return|>" if results else HARMONY
        return Answer(said(*chunks(text, 9))) if received.json().get("stream") else json_answer(completion(text))

    def ask(client: OpenAI, given: Any) -> Any:
        if not stream:
            return client.responses.create(model="gpt-oss-20b", input=given, tools=TOOLS)
        with client.responses.stream(model="gpt-oss-20b", input=given, tools=TOOLS) as events:
            return events.until_done().get_final_response()

    with ScriptedBackend(answer) as backend, running_proxy(backend) as proxy, sdk(proxy) as client:
        first = ask(client, QUESTION)
        assert first.output[0].content[0].text == "I need both."
        ends_well(ask(client, with_results(first)))


def test_the_asynchronous_client(demo: Process) -> None:
    async def converse() -> None:
        async with async_sdk(demo) as client:
            model = MODELS[0]
            first = await client.responses.create(model=model, input=QUESTION, tools=TOOLS)
            async with client.responses.stream(model=model, input=with_results(first), tools=TOOLS) as stream:
                async for _ in stream:
                    pass
                ends_well(await stream.get_final_response())

    asyncio.run(converse())


def test_raw_responses_tell_the_outcome(demo: Process) -> None:
    with sdk(demo) as client:
        raw = client.responses.with_raw_response.create(model=MODELS[0], input=QUESTION, tools=TOOLS)
        as_asked(raw.parse())
        assert raw.headers["x-dragoman-outcome"] == "translated" and raw.headers["x-dragoman-syntax"] == "glm45"
        skipped = client.responses.with_raw_response.create(
            model=MODELS[0], input=QUESTION, tools=[*TOOLS, {"type": "web_search"}]
        )
        assert "tool_skipped" in skipped.headers["x-dragoman-codes"].split(",")


def test_a_custom_tool_and_one_of_a_namespace_in_two_turns() -> None:
    markup = "<tool_call>{}\n<arg_key>{}</arg_key><arg_value>{}</arg_value></tool_call>"

    def answer(received: Received) -> Answer:
        results = [message["content"] for message in received.json()["messages"] if message["role"] == "tool"]
        if results:
            return json_answer(completion(f"They said {results}."))
        calls = [markup.format("shell", "input", "echo 42"), markup.format("files__read", "path", "a.txt")]
        return json_answer(completion("".join(calls)))

    read = {"type": "function", "name": "read", "parameters": {"properties": {"path": {"type": "string"}}}}
    tools: Any = [
        {"type": "custom", "name": "shell"},
        {"type": "namespace", "name": "files", "description": "Files.", "tools": [read]},
    ]
    with ScriptedBackend(answer) as backend, running_proxy(backend) as proxy, sdk(proxy) as client:
        first = client.responses.create(model="glm-4.5", input="Do it.", tools=tools)
        shell, file = first.output
        assert shell.type == "custom_tool_call" and (shell.name, shell.input) == ("shell", "echo 42")
        assert file.type == "function_call" and (file.name, file.namespace) == ("read", "files")
        results: Any = [
            {"type": "custom_tool_call_output", "call_id": shell.call_id, "output": "42"},
            {"type": "function_call_output", "call_id": file.call_id, "output": "text"},
        ]
        second = client.responses.create(model="glm-4.5", input=["Do it.", *first.output, *results][1:], tools=tools)
        assert second.output_text == "They said ['42', 'text']."
        names = [call["function"]["name"] for call in backend.last.json()["messages"][0]["tool_calls"]]
        assert names == ["shell", "files__read"]


def test_errors_before_and_in_a_stream() -> None:
    refusal = json_answer({"error": {"message": "Slow.", "type": "t", "code": "c"}}, 429, [("Retry-After", "7")])
    started = [
        frame(chunk({"role": "assistant", "content": "So "})),
        b'data: {"error": {"message": "Broke."}}\n\n',
        DONE,
    ]
    with ScriptedBackend(refusal) as backend, running_proxy(backend) as proxy, sdk(proxy) as client:
        for stream in (False, True):
            with pytest.raises(openai.RateLimitError) as caught:
                client.responses.create(model="m", input="x", stream=stream)
            assert caught.value.code == "c" and caught.value.response.headers["retry-after"] == "7"
        backend.answer = Answer(started)
        events = list(client.responses.create(model="m", input="x", stream=True))
        failed = events[-1]
        assert failed.type == "response.failed" and failed.response.error is not None
        assert failed.response.error.message == "Broke." and failed.response.output_text == "So "
        with pytest.raises(openai.BadRequestError) as bad:
            client.responses.create(model="m", input="x", previous_response_id="resp_0")
        assert bad.value.code == "previous_response_not_found"
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve("resp_0")
        with pytest.raises(openai.NotFoundError):
            client.responses.delete("resp_0")


def test_heartbeats_are_comments_and_a_late_error_is_an_event() -> None:
    refused = Answer(
        [b'{"error": {"message": "Slow.", "code": "c"}}'],
        429,
        [("Content-Type", "application/json")],
        "length",
        before=[0.5],
    )
    late = Answer([*said("Hi", finish=None, done=False), 0.5, *said("", done=True)[2:]])
    with ScriptedBackend(refused) as backend, running_proxy(backend, KEEPALIVE_SECONDS=0.15) as proxy:
        asked = {"model": "m", "input": "x", "stream": True}
        raw = proxy.streamed(asked, target="/v1/responses")
        assert raw.startswith(KEEP_ALIVE)
        response = assembled(events_of(raw))
        assert response["status"] == "failed" and response["error"] == {"code": "c", "message": "Slow."}
        backend.answer = late
        raw = proxy.streamed(asked, target="/v1/responses")
        assert KEEP_ALIVE in raw[10:]
        assert assembled(events_of(raw))["output"][0]["content"][0]["text"] == "Hi"


def test_a_client_that_leaves_closes_the_backend() -> None:
    answer = Answer([*said("Hi", finish=None, done=False), 8.0])
    with ScriptedBackend(answer) as backend, running_proxy(backend) as proxy:
        with proxy.client({"model": "m", "input": "x", "stream": True}, "/v1/responses") as client:
            client.until("Hi")
        left = time.monotonic()
        assert backend.request().closed.wait(5) and backend.request().closed_at - left < 1.5


def test_text_arrives_as_it_is_written() -> None:
    """Each token is its own event."""
    words = [f"w{number} " for number in range(30)]
    frames = [piece for each in said(*words) for piece in (each, 0.01)]
    with ScriptedBackend(Answer(frames)) as backend, running_proxy(backend) as proxy:
        raw = proxy.streamed({"model": "m", "input": "x", "stream": True}, target="/v1/responses")
    deltas = [event["delta"] for event in events_of(raw) if event["type"] == "response.output_text.delta"]
    assert "".join(deltas) == "".join(words) and len(deltas) >= 20
