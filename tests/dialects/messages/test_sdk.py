"""The vendor's own SDK against both ways of serving: a loop of two turns with a tool that really runs, and the rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.dialects.messages.reading import asking
from tests.lazily import lazily
from tests.servers import (
    PATIENCE,
    Answer,
    Proxy,
    Received,
    ScriptedBackend,
    chunk,
    completion,
    frame,
    json_answer,
    proxy_process,
    running_proxy,
    said,
)

if TYPE_CHECKING:
    import anthropic
    from anthropic.types import Message
else:
    anthropic = lazily("anthropic")

TEXTS = {
    "glm-4.5": (
        "<think>I must add.</think>I will add.\n<tool_call>add\n<arg_key>a</arg_key><arg_value>19</arg_value>\n"
        "<arg_key>b</arg_key><arg_value>23</arg_value></tool_call>"
    ),
    "qwen3-coder": (
        "<think>I must add.</think>I will add.\n<tool_call>\n<function=add>\n<parameter=a>\n19\n</parameter>\n"
        "<parameter=b>\n23\n</parameter>\n</function>\n</tool_call>"
    ),
    "gpt-oss-20b": (
        "<|channel|>analysis<|message|>I must add.<|end|><|start|>assistant<|channel|>commentary<|message|>I will add."
        "<|end|><|start|>assistant<|channel|>commentary to=functions.add <|constrain|>json<|message|>"
        '{"a": 19, "b": 23}<|call|>'
    ),
    "claude-distill": (
        "<think>I must add.</think>I will add.\n\n<function_calls>\n"
        '<invoke name="add">\n<parameter name="a">19</parameter>\n<parameter name="b">23</parameter>\n</invoke>\n'
        "</function_calls>"
    ),
}
TOOLS: Any = [
    {
        "name": "add",
        "description": "The sum of two numbers.",
        "input_schema": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    }
]
ASKED: Any = [{"role": "user", "content": "What is 19 + 23?"}]


def model(received: Received) -> Answer:
    """A model that adds, in the syntax of its name, and tells the result in the second turn."""
    if received.method == "GET":
        return json_answer({"object": "list", "data": [{"id": name, "created": 1} for name in TEXTS]})
    if not received.target.startswith("/v1/chat/completions"):
        return json_answer({"error": {"message": "Not here."}}, 404)
    body = received.json()
    results = [message for message in body["messages"] if message["role"] == "tool"]
    text = f"The sum is {results[-1]['content']}." if results else TEXTS[body["model"]]
    if not body.get("stream"):
        return json_answer(completion(text))
    usage = {**chunk({}), "choices": [], "usage": completion("")["usage"]}
    return Answer(
        [*said(*(text[at : at + 7] for at in range(0, len(text), 7)), done=False), frame(usage), b"data: [DONE]\n\n"]
    )


@pytest.fixture(scope="module", params=["app", "gunicorn"])
def proxy(request: pytest.FixtureRequest) -> Iterator[Proxy]:
    with ExitStack() as stack:
        backend = stack.enter_context(ScriptedBackend(model))
        yield stack.enter_context(proxy_process(request.param, backend))


@contextmanager
def sdk(proxy: Proxy, **more: Any) -> Iterator[anthropic.Anthropic]:
    transport = anthropic.DefaultHttpxClient(trust_env=False)
    settings = {"api_key": "none", "max_retries": 0, "timeout": PATIENCE, **more}
    with anthropic.Anthropic(base_url=proxy.url, http_client=transport, **settings) as made:
        yield made


def asked(name: str, messages: Any = ASKED) -> dict[str, Any]:
    return {"model": name, "max_tokens": 500, "tools": TOOLS, "messages": messages}


def with_result(message: Message) -> Any:
    """The conversation after the tool has run. The answer goes back as it came, as the vendor's guide says."""
    [call] = [block for block in message.content if block.type == "tool_use"]
    given: Any = call.input
    result = {"type": "tool_result", "tool_use_id": call.id, "content": str(given["a"] + given["b"])}
    return [*ASKED, {"role": "assistant", "content": message.content}, {"role": "user", "content": [result]}]


def as_expected(message: Message, name: str) -> None:
    thought, text, call = message.content
    assert thought.type == "thinking" and thought.thinking.strip() == "I must add." and thought.signature
    assert text.type == "text" and text.text == "I will add."
    assert call.type == "tool_use" and (call.name, call.input) == ("add", {"a": 19, "b": 23})
    assert (message.stop_reason, message.model, message.role) == ("tool_use", name, "assistant")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (5, 7)


def is_told(message: Message) -> None:
    [block] = message.content
    assert block.type == "text" and block.text == "The sum is 42." and message.stop_reason == "end_turn"


@pytest.mark.parametrize("name", TEXTS)
def test_a_loop_of_two_turns(proxy: Proxy, name: str) -> None:
    with sdk(proxy) as client:
        first = client.messages.create(**asked(name))
        as_expected(first, name)
        is_told(client.messages.create(**asked(name, with_result(first))))


@pytest.mark.parametrize("name", TEXTS)
def test_a_streamed_loop_of_two_turns(proxy: Proxy, name: str) -> None:
    with sdk(proxy) as client:
        seen: dict[str, str] = {}
        with client.messages.stream(**asked(name)) as stream:
            for event in stream:
                if event.type == "input_json":
                    seen["json"] = seen.get("json", "") + event.partial_json
                elif event.type == "text":
                    seen["text"] = seen.get("text", "") + event.text
                elif event.type == "thinking":
                    seen["thinking"] = seen.get("thinking", "") + event.thinking
            first = stream.get_final_message()
        as_expected(first, name)
        assert json.loads(seen["json"]) == {"a": 19, "b": 23} and seen["text"] == "I will add."
        assert seen["thinking"].strip() == "I must add."
        with client.messages.stream(**asked(name, with_result(first))) as stream:
            assert "".join(stream.text_stream) == "The sum is 42."
            is_told(stream.get_final_message())


def test_raw_events(proxy: Proxy) -> None:
    with sdk(proxy) as client, client.messages.create(**asked("glm-4.5"), stream=True) as stream:
        kinds = [event.type for event in stream]
    assert kinds[0] == "message_start" and kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 3


@pytest.mark.parametrize("name", TEXTS)
def test_the_asynchronous_sdk(proxy: Proxy, name: str) -> None:
    async def talk() -> None:
        transport = anthropic.DefaultAsyncHttpxClient(trust_env=False)
        url = proxy.url
        async with anthropic.AsyncAnthropic(
            base_url=url, api_key="none", max_retries=0, http_client=transport
        ) as client:
            as_expected(await client.messages.create(**asked(name)), name)
            async with client.messages.stream(**asked(name)) as stream:
                first = await stream.get_final_message()
            as_expected(first, name)
            is_told(await client.messages.create(**asked(name, with_result(first))))

    asyncio.run(talk())


def test_the_tool_runner(proxy: Proxy) -> None:
    """The SDK's own loop, through the beta path."""
    ran = []

    @anthropic.beta_tool
    def add(a: int, b: int) -> str:
        """The sum of two numbers."""
        ran.append((a, b))
        return str(a + b)

    with sdk(proxy) as client:
        runner = client.beta.messages.tool_runner(model="glm-4.5", max_tokens=500, tools=[add], messages=ASKED)
        last = runner.until_done()
    assert ran == [(19, 23)] and last.content[0].type == "text" and last.content[0].text == "The sum is 42."


def test_counts_and_models(proxy: Proxy) -> None:
    with sdk(proxy) as client:
        count = client.messages.count_tokens(model="glm-4.5", messages=ASKED, tools=TOOLS).input_tokens
        assert 30 < count < 150
        assert [each.id for each in client.models.list(limit=3)] == list(TEXTS), "the SDK turns the pages"
        assert client.models.retrieve("gpt-oss-20b").id == "gpt-oss-20b"
        with pytest.raises(anthropic.NotFoundError, match="nowhere"):
            client.models.retrieve("nowhere")


def test_errors_are_the_exceptions_of_the_sdk(proxy: Proxy) -> None:
    with sdk(proxy) as client:
        with pytest.raises(anthropic.BadRequestError, match=r"tools\.0\.name"):
            client.messages.create(**{**asked("glm-4.5"), "tools": [{"input_schema": {}}]})
        with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
            client.messages.create(**{**asked("glm-4.5"), "max_tokens": 0})


def test_an_error_in_mid_stream_is_an_exception() -> None:
    pieces = said("So it", finish=None, done=False)
    with (
        ScriptedBackend(Answer(pieces, ends="broken")) as backend,
        running_proxy(backend) as proxy,
        sdk(proxy) as client,
        pytest.raises(anthropic.APIStatusError),
        client.messages.stream(**asked("glm-4.5")) as stream,
    ):
        stream.get_final_message()


def test_refusals_of_the_backend() -> None:
    answer = json_answer({"error": {"message": "no room", "type": "x", "code": 1}}, 429, [("Retry-After", "7")])
    with ScriptedBackend(answer) as backend, running_proxy(backend) as proxy, sdk(proxy) as client:
        for stream in (False, True):
            with pytest.raises(anthropic.RateLimitError, match="no room") as refused:
                client.messages.create(**asked("glm-4.5"), stream=stream)
            assert refused.value.response.headers["retry-after"] == "7"


def test_a_format_that_is_asked_for_breaks_nothing() -> None:
    """`output_config.format` is ignored, so what the model writes decides."""

    from pydantic import BaseModel

    class Sum(BaseModel):
        total: int

    for said_by_model, total in (('{"total": 42}', 42), ("It is 42.", None)):
        with (
            ScriptedBackend(json_answer(completion(said_by_model))) as backend,
            running_proxy(backend) as proxy,
            sdk(proxy) as client,
        ):
            text = client.messages.create(
                **asked("glm-4.5"), output_config={"format": {"type": "json_schema", "schema": Sum.model_json_schema()}}
            )
            assert text.content[0].type == "text" and text.content[0].text == said_by_model
            if total is not None:
                parsed = client.messages.parse(**asked("glm-4.5"), output_format=Sum)
                assert parsed.parsed_output == Sum(total=total)
            assert "output_config" not in backend.last.json()


def test_a_token_is_a_bearer() -> None:
    with ScriptedBackend(model) as backend, running_proxy(backend, PROXY_API_KEYS="good") as proxy:
        with sdk(proxy, api_key=None, auth_token="good") as client:
            as_expected(client.messages.create(**asked("glm-4.5")), "glm-4.5")
        with sdk(proxy, api_key=None, auth_token="bad") as client, pytest.raises(anthropic.AuthenticationError):
            client.messages.create(**asked("glm-4.5"))
        assert len(backend.requests) == 1 and backend.last.header("authorization") is None


def test_a_plain_request_needs_no_sdk(proxy: Proxy) -> None:
    body = {**asking(model="glm-4.5"), "tools": TOOLS}
    with proxy.client(body, "/messages") as client:
        assert client.json()["content"][-1]["input"] == {"a": 19, "b": 23}
