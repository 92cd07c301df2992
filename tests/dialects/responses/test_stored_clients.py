"""Stored responses with OpenAI's own SDK, against the running proxy: in memory, in a file, and with two workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.dialects.responses.test_clients import RUN, TOOLS, as_asked, ends_well
from tests.servers import HOST, Process, demo_backend, free_port, proxy_process, started, wait_until_listening
from tests.test_clients import QUESTION, sdk

pytestmark = pytest.mark.long

WAYS = ["memory", "sqlite", "two workers"]


@pytest.fixture(scope="module", params=WAYS)
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The demo backend, and the proxy before it, which stores responses."""
    folder = tmp_path_factory.mktemp("records")
    with ExitStack() as stack:
        backend = stack.enter_context(demo_backend())
        settings: dict[str, str] = {"RECORD": "full"}
        if request.param == "two workers":
            port = free_port()
            arguments = ["-m", "gunicorn", "-c", str(Path(__file__).parents[3] / "gunicorn.conf.py")]
            arguments += ["--workers", "2", "app:app"]
            environ = {"BACKEND_URL": backend.url, "PROXY_HOST": HOST, "PROXY_PORT": str(port), **settings}
            process = stack.enter_context(started(arguments, environ | {"TMPDIR": str(folder)}, port))
            wait_until_listening(process)
            yield process
            return
        if request.param == "sqlite":
            settings["RECORD_DB"] = f"sqlite:///{folder / 'records.sqlite'}"
        yield stack.enter_context(proxy_process("app", backend.url, **settings))


def results_of(response: Any) -> list[Any]:
    """What the tools say to the calls of a response; the calls themselves are stored."""
    return [
        {
            "type": "function_call_output",
            "call_id": call.call_id,
            "output": RUN[call.name](**json.loads(call.arguments)),
        }
        for call in as_asked(response)
    ]


def test_a_loop_that_names_the_response_before(demo: Process) -> None:
    """Each request has a connection of its own, so that both workers have their turn."""
    for model in ("glm-4.5-air", "qwen3-coder-30b", "native"):
        with sdk(demo) as client:
            first = client.responses.create(model=model, input=QUESTION, tools=TOOLS)
            assert first.to_dict()["store"] is True
        with sdk(demo) as client:
            second = client.responses.create(
                model=model, previous_response_id=first.id, input=results_of(first), tools=TOOLS
            )
            ends_well(second)
            assert second.previous_response_id == first.id


def test_a_streamed_loop_that_names_the_response_before(demo: Process) -> None:
    def last(client: Any, **asked: Any) -> Any:
        found = None
        with client.responses.create(model="glm-4.5-air", tools=TOOLS, stream=True, **asked) as stream:
            for event in stream:
                if event.type == "response.completed":
                    found = event.response
        return found

    for _ in range(5):
        with sdk(demo) as client:
            first = last(client, input=QUESTION)
        with sdk(demo) as client:
            ends_well(last(client, previous_response_id=first.id, input=results_of(first)))


def test_a_long_chain(demo: Process) -> None:
    previous: Any = None
    for number in range(12):
        with sdk(demo) as client:
            previous = client.responses.create(
                model="glm-4.5-air", input=f"Turn {number}", previous_response_id=previous
            ).id
    with sdk(demo) as client:
        listed = client.responses.input_items.list(previous, order="asc", limit=5)
        items: list[Any] = list(listed)  # page after page
    assert [item.type for item in items] == ["message", *["reasoning", "message", "message"] * 11]
    said = [item.content[0].text for item in items if item.type == "message" and item.role == "user"]
    assert said == [f"Turn {number}" for number in range(12)]
    assert len({item.id for item in items}) == len(items)


def test_retrieve_list_cancel_delete(demo: Process) -> None:
    with sdk(demo) as client:
        for stream in (False, True):
            response: Any
            if stream:
                with client.responses.stream(model="glm-4.5-air", input=QUESTION, tools=TOOLS) as streamed:
                    response = streamed.get_final_response()
            else:
                response = client.responses.create(model="glm-4.5-air", input=QUESTION, tools=TOOLS)
            found = client.responses.retrieve(response.id, include=["reasoning.encrypted_content"])
            assert found.output_text == response.output_text
            assert [item.id for item in found.output] == [item.id for item in response.output]
            page = client.responses.input_items.list(response.id, limit=1)
            assert [item.type for item in page.data] == ["message"] and page.has_more is False
            with pytest.raises(openai.BadRequestError, match="synchronous"):
                client.responses.cancel(response.id)
            with pytest.raises(openai.BadRequestError, match="background"):
                client.responses.retrieve(response.id, stream=True, starting_after=1)
            client.responses.delete(response.id)
            for gone in (client.responses.retrieve, client.responses.delete, client.responses.cancel):
                with pytest.raises(openai.NotFoundError):
                    gone(response.id)
            with pytest.raises(openai.BadRequestError) as refused:
                client.responses.create(model="m", input="x", previous_response_id=response.id)
            assert refused.value.code == "previous_response_not_found"


def test_what_is_not_to_be_stored_is_not(demo: Process) -> None:
    with sdk(demo) as client:
        response = client.responses.create(model="glm-4.5-air", input="Hi", store=False)
        assert response.to_dict()["store"] is False
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(response.id)


def test_items_are_found_by_reference(demo: Process) -> None:
    """As the AI SDK sends them where responses are stored."""
    with sdk(demo) as client:
        first = client.responses.create(model="glm-4.5-air", input=QUESTION, tools=TOOLS)
        references: list[Any] = [{"type": "item_reference", "id": item.id} for item in first.output]
        asked: Any = [{"role": "user", "content": QUESTION}, *references, *results_of(first)]
        ends_well(client.responses.create(model="glm-4.5-air", input=asked, tools=TOOLS))
