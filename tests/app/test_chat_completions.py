"""Chat completions are translated under every name, and requests that are wrong are told so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.app.answers import CALL, CALLED, is_error
from tests.cases import in_one_test
from tests.garbage import no_garbage_of_others
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
    message_of,
    running_proxy,
    said,
    whole_stream,
)


@in_one_test("target", ["/v1/chat/completions", "/v1/chat/completions/", "/chat/completions", "/chat/completions/"])
@in_one_test("stream", [False, True], ids=["buffered", "streamed"])
def test_chat_completions_are_translated_under_every_name(
    backend: ScriptedBackend, proxy: Proxy, target: str, stream: bool
) -> None:
    backend.answer = Answer(said(CALL)) if stream else json_answer(completion(CALL))
    if stream:
        message = message_of(whole_stream(proxy.streamed(ask(), target=target)))
    else:
        message = message_in(proxy.buffered(ask(stream=False), target=target))
    assert message == {"role": "assistant", "content": "", "calls": [CALLED], "reasons": ["tool_calls"]}
    assert backend.last.method == "POST"
    assert backend.last.target == "/v1/chat/completions"


def test_the_query_of_a_chat_completion_goes_along(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = json_answer(completion("ok"))
    proxy.buffered(ask(stream=False), target="/chat/completions?api-version=2&x=%2Fa%20b")
    assert backend.last.target == "/v1/chat/completions?api-version=2&x=%2Fa%20b"


def test_without_conversion_markup_is_left(backend: ScriptedBackend) -> None:
    body = said("Hi. ", CALL, "</s>")
    with running_proxy(backend, ENABLE_TOOL_CALL_CONVERSION="false") as proxy:
        backend.answer = Answer(body)
        assert proxy.streamed(ask()) == b"".join(body)
        backend.answer = json_answer(completion(CALL))
        assert proxy.buffered(ask(stream=False)) == completion(CALL)
        backend.answer = json_answer({"error": "as it is"}, 418)
        with proxy.client(ask()) as client:
            assert client.status == 418
            assert client.json() == {"error": "as it is"}


def test_without_conversion_the_alias_still_leads_to_v1(backend: ScriptedBackend) -> None:
    with running_proxy(backend, ENABLE_TOOL_CALL_CONVERSION="false") as proxy:
        proxy.buffered(ask(stream=False), target="/chat/completions/?a=1")
    assert backend.last.target == "/v1/chat/completions?a=1"


def test_a_syntax_that_is_no_row_is_refused(backend: ScriptedBackend, proxy: Proxy) -> None:
    with proxy.client(ask(), headers=[("x-dragoman-syntax", "esperanto")]) as client:
        message = is_error(client, 400)["message"]
    assert "x-dragoman-syntax" in message and "hermes" in message and "glm45" in message
    assert not backend.requests


# -- requests that are wrong -------------------------------------------------------------------------------------------


def named(index: int, **function: Any) -> Json:
    return ask(tools=[*TOOLS[:index], {"type": "function", "function": function}])


WRONG: dict[str, tuple[object, str | None, Sequence[str]]] = {
    "no JSON": (b'{"model": "m",\n "messages": [}', None, ["line 2", "column 15"]),
    "empty": (b"", None, ["line 1", "column 1"]),
    "no object": ([1], None, ["object"]),
    "no UTF-8": (b'{"model": "\xff\xfe"}', None, ["byte"]),
    "nested too deeply": (b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}", None, []),
    "tool without a name": (named(1, description="x"), "tools[1].function.name", ["tools[1].function.name"]),
    "tool with an empty name": (named(0, name=""), "tools[0].function.name", ["string"]),
    "tool with a number for a name": (named(0, name=7), "tools[0].function.name", ["string"]),
    "tool without a function": (ask(tools=[{"type": "function"}]), "tools[0].function", ["object"]),
    "tool that is a text": ({**ask(tools=[]), "tools": ["x"]}, "tools[0]", ["object"]),
    "tools as an object": ({**ask(), "tools": {"a": 1}}, "tools", ["list"]),
    "function without a name": ({**ask(tools=[]), "functions": [{}]}, "functions[0].name", ["string"]),
    "model as a number": (ask(model=7), "model", ["string"]),  # type: ignore[arg-type]
    "stream as a text": ({**ask(), "stream": "yes"}, "stream", ["true or false"]),
    "stream as a number": ({**ask(), "stream": 1}, "stream", ["true or false"]),
    "messages as a text": ({**ask(), "messages": "hi"}, "messages", ["list"]),
    "messages as an object": ({**ask(), "messages": {}}, "messages", ["list"]),
}


@in_one_test("case", WRONG)
def test_a_wrong_request_is_a_400_that_names_the_place(backend: ScriptedBackend, proxy: Proxy, case: str) -> None:
    body, field, words = WRONG[case]
    with no_garbage_of_others(), proxy.client(body) as client:
        error = is_error(client, 400)
    assert error["param"] == field
    assert error["type"] == "invalid_request_error"
    for word in [field or "", *words]:
        assert word in error["message"], error
    assert not backend.requests


ODD: dict[str, Json] = {
    "nulls": {"model": None, "stream": None, "messages": [{"role": "user", "content": None}], "tools": None},
    "nothing": {},
    "no messages": {"model": "m"},
    "a message that is a text": {"messages": ["hi", None, 7]},
    "calls that are no list": {"messages": [{"role": "assistant", "tool_calls": 7}]},
    "calls that are no objects": {"messages": [{"role": "assistant", "tool_calls": [7, None, "x"]}]},
    "a call without an id": {"messages": [{"role": "assistant", "tool_calls": [{"id": None}]}]},
    "settings that are a text": {"chat_template_kwargs": "x", "reasoning_effort": 7, "stream_options": "x"},
    "a choice that is a number": {"tool_choice": 7, "parallel_tool_calls": "no"},
    "a tool of another type": {"tools": [{"type": "web_search"}]},
    "a schema that is a text": {"tools": [{"type": "function", "function": {"name": "f", "parameters": "x"}}]},
}


@in_one_test("case", ODD)
def test_what_we_need_not_understand_is_the_backends_to_judge(
    backend: ScriptedBackend, proxy: Proxy, case: str
) -> None:
    backend.answer = json_answer(completion("ok"))
    with proxy.client(ODD[case]) as client:
        assert client.status in (200, 400), client.rest()
        if client.status == 200:
            assert json.loads(backend.last.body) == ODD[case]


def test_a_number_of_many_digits_is_no_failure_of_ours(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = json_answer(completion("ok"))
    body = b'{"model": "m", "messages": [], "seed": ' + b"9" * 5000 + b"}"
    with proxy.client(body) as client:
        assert client.status in (200, 400), client.rest()
