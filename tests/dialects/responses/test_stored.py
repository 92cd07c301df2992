"""Stored responses in one process, in memory and in a file: going on from one, getting, listing, deleting."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streaming.tape import LONGEST_TEXT
from tests.answers import Json, completion, said
from tests.cases import in_one_test
from tests.dialects.responses.reading import checked, events_of
from tests.records.recorded import Recorded, Said, bearer, recorded, until

__all__ = ["recorded"]

Make = Callable[..., Recorded]
KEYS = {"PROXY_API_KEYS": "alice:key-alice,bob:key-bob"}
ALICE, BOB = "key-alice", "key-bob"
PATH = "/v1/responses"
TOOL: Json = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
CALL = "<tool_call>get_weather\n<arg_key>city</arg_key><arg_value>Seoul</arg_value>\n</tool_call>"


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, recorded: Make, tmp_path: Path) -> Make:
    """Makes an application whose responses are stored in one of two ways."""

    def made(**settings: object) -> Recorded:
        if request.param == "sqlite":
            settings = {"RECORD_DB": f"sqlite:///{tmp_path / 'records.sqlite'}", **settings}
        return recorded(**settings)

    return made


def respond(proxy: Recorded, text: str = "Hi.", key: str = "", stream: bool = False, **asked: Any) -> Json:
    """The response to a request, to which the model answers with `text`."""
    body = {"model": "glm-4.5-air", "input": "Hello", "stream": stream, **asked}
    if stream:
        return dict(events_of(proxy.ask(body, Said(said(text)), key=key, path=PATH))[-1]["response"])
    answer = Said([json.dumps(completion(text)).encode()], content_type="application/json")
    return checked(json.loads(proxy.ask(body, answer, key=key, path=PATH)))


def refused(proxy: Recorded, key: str = "", **asked: Any) -> Json:
    """The error that a request gets."""
    error: Json = json.loads(proxy.ask({"model": "m", "input": "x", **asked}, key=key, path=PATH))["error"]
    return error


def side(proxy: Recorded, path: str, key: str = "", method: str = "GET") -> tuple[int, Json]:
    """(the status, the body) of a route below a response."""
    response = proxy.client.open(f"{PATH}/{path}", method=method, headers=bearer(key))
    return response.status_code, response.get_json()


def messages(proxy: Recorded) -> list[Json]:
    """What the backend was last asked."""
    found: list[Json] = json.loads(proxy.sent[-1])["messages"]
    return found


@in_one_test("stream", [False, True])
def test_a_conversation_goes_on_from_its_last_response(make: Make, stream: bool) -> None:
    proxy = make()
    first = respond(proxy, CALL, stream=stream, tools=[TOOL], instructions="Be brief.")
    assert first["store"] is True and first["previous_response_id"] is None
    result = {"type": "function_call_output", "call_id": first["output"][0]["call_id"], "output": "sunny"}
    second = respond(proxy, "It is sunny.", previous_response_id=first["id"], input=[result], tools=[TOOL])
    assert second["previous_response_id"] == first["id"]
    call = {"name": "get_weather", "arguments": '{"city": "Seoul"}'}
    turns = messages(proxy)
    assert [each["role"] for each in turns] == ["user", "assistant", "tool"]  # instructions are not inherited
    assert turns[0]["content"] == "Hello" and turns[1]["tool_calls"][0]["function"] == call
    assert turns[2] == {"role": "tool", "tool_call_id": first["output"][0]["call_id"], "content": "sunny"}
    respond(proxy, "Yes.", stream=stream, previous_response_id=second["id"], input="Sure?", instructions="Anew.")
    said_before = [(each["role"], each["content"]) for each in messages(proxy)]
    assert said_before[0] == ("system", "Anew.")
    assert said_before[3:] == [("tool", "sunny"), ("assistant", "It is sunny."), ("user", "Sure?")]


def test_a_response_is_got_as_it_was_answered(make: Make) -> None:
    proxy = make()
    for stream in (False, True):
        response = respond(proxy, "Hé.", stream=stream, metadata={"a": "b"}, temperature=0.30)
        assert side(proxy, response["id"]) == (200, response)
        assert side(proxy, f"{response['id']}?include[]=reasoning.encrypted_content") == (200, response)
        status, error = side(proxy, f"{response['id']}?stream=true&starting_after=2")
        assert status == 400 and error["error"]["param"] == "stream"


def test_reasoning_is_got_as_encrypted_content_and_goes_on(make: Make) -> None:
    proxy = make()
    response = respond(proxy, "<think>Hm.</think>Hi.", model="glm-4.6", tools=[TOOL])
    assert [each["type"] for each in response["output"]] == ["reasoning", "message"]
    assert "encrypted_content" not in response["output"][0]
    _, found = side(proxy, f"{response['id']}?include=reasoning.encrypted_content")
    sealed = found["output"][0].pop("encrypted_content")
    assert found == response
    asked: Any = {"model": "glm-4.6", "tools": [TOOL], "include": ["reasoning.encrypted_content"]}
    again = respond(proxy, "<think>Hm.</think>Hi.", **asked)
    assert again["output"][0]["encrypted_content"] == sealed
    respond(proxy, "So.", previous_response_id=again["id"], **asked)
    assert messages(proxy)[1].get("reasoning_content", "Hm.") == "Hm."


def test_a_response_belongs_to_the_key_that_made_it(make: Make) -> None:
    proxy = make(**KEYS)
    response = respond(proxy, key=ALICE)
    name = response["id"]
    unknown = f"resp_{'0' * 40}"
    for path, method in ((name, "GET"), (f"{name}/input_items", "GET"), (name, "DELETE"), (f"{name}/cancel", "POST")):
        status, error = side(proxy, path, BOB, method)
        as_unknown = side(proxy, path.replace(name, unknown), BOB, method)
        assert (status, json.dumps(error).replace(name, unknown)) == (404, json.dumps(as_unknown[1]))
    error = refused(proxy, BOB, previous_response_id=name)
    assert error["code"] == "previous_response_not_found" and error["param"] == "previous_response_id"
    item = {"type": "item_reference", "id": response["output"][0]["id"]}
    assert refused(proxy, BOB, input=[item])["param"] == "input[0]"
    assert side(proxy, name, ALICE)[0] == 200


def test_a_deleted_response_is_gone_and_its_record_stays(make: Make) -> None:
    proxy = make()
    first = respond(proxy, "Zaunkönig", input="Goldammer")
    second = respond(proxy, "And then.", previous_response_id=first["id"], input="Next")
    proxy.settled(2)
    assert "Goldammer" in json.dumps(proxy.get("records/export?texts=1"), ensure_ascii=False)
    assert side(proxy, first["id"], method="DELETE") == (
        200,
        {"id": first["id"], "object": "response", "deleted": True},
    )
    for path, method in ((first["id"], "GET"), (first["id"], "DELETE"), (f"{first['id']}/input_items", "GET")):
        assert side(proxy, path, method=method)[0] == 404
    # what went on from it is there, but its conversation is not whole any more
    assert side(proxy, second["id"]) == (200, second)
    assert refused(proxy, previous_response_id=second["id"])["code"] == "previous_response_not_found"
    status, error = side(proxy, f"{second['id']}/input_items")
    assert status == 404 and "earlier" in error["error"]["message"]
    text = proxy.get("records/export?texts=1")
    text = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
    for canary in ("Goldammer", "Zaunkönig", "Zaunk\\u00f6nig"):
        assert canary not in text
    assert "Next" in text

    def of_path() -> list[Json] | None:
        found = [each for each in proxy.listed("state=ended") if each["path"] == PATH]
        return found if len(found) == 3 else None

    records = until(of_path)
    assert [each["answer_id"] for each in records] == [None, second["id"], first["id"]]
    assert [each["has_text"] for each in records] == [True, True, False]
    assert [each["sources"] for each in records] == [[], [first["id"]], []]


def test_nobody_records_what_a_client_can_have_deleted(make: Make) -> None:
    proxy = make()
    response = respond(proxy, "Zaunkönig")
    side(proxy, response["id"])
    side(proxy, f"{response['id']}/input_items")
    side(proxy, response["id"], method="DELETE")
    proxy.settled(4)
    told = proxy.get("records/export?texts=1")
    assert "Zaunk" not in told and "Hello" not in told


def test_the_input_of_a_response_is_listed(make: Make) -> None:
    proxy = make()
    parts: Any = [{"type": "input_text", "text": "Two"}, {"type": "input_image", "image_url": "data:image/png,x"}]
    first = respond(proxy, CALL, tools=[TOOL], input=[{"role": "user", "content": parts}, {"content": "One"}])
    call = first["output"][0]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    second = respond(proxy, previous_response_id=first["id"], input=[result], tools=[TOOL])
    _, own = side(proxy, f"{first['id']}/input_items?order=asc")
    assert [each["content"] for each in own["data"]] == [parts, [{"type": "input_text", "text": "One"}]]
    assert own["object"] == "list" and own["has_more"] is False
    _, found = side(proxy, f"{second['id']}/input_items")
    kinds = ["function_call_output", "function_call", "message", "message"]
    assert [each["type"] for each in found["data"]] == kinds and found["data"][1] == call
    assert all(each["id"] and each["status"] == "completed" for each in found["data"])
    assert found["data"][2:] == own["data"][::-1]
    names = [each["id"] for each in found["data"]]
    assert (found["first_id"], found["last_id"]) == (names[0], names[-1]) and len(set(names)) == 4
    for order, expected in (("desc", names), ("asc", names[::-1])):
        pages: list[str] = []
        after = ""
        while True:
            _, page = side(proxy, f"{second['id']}/input_items?order={order}&limit=3{after}")
            pages += [each["id"] for each in page["data"]]
            if not page["has_more"]:
                break
            after = f"&after={page['last_id']}"
        assert pages == expected
    for wrong in ("order=up", "limit=0", "limit=101", "limit=x", "after=msg_1"):
        status, error = side(proxy, f"{second['id']}/input_items?{wrong}")
        assert status == 400 and error["error"]["param"] == wrong.partition("=")[0]


def test_an_item_is_found_by_its_reference_and_counts_once(make: Make) -> None:
    proxy = make()
    first = respond(proxy, CALL, tools=[TOOL])
    call = first["output"][0]
    _, listed = side(proxy, f"{first['id']}/input_items")
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    for asked in (
        [{"type": "item_reference", "id": listed["data"][0]["id"]}, {"id": call["id"]}, result],
        [
            {"role": "user", "content": "Hello"},
            {"type": "item_reference", "id": call["id"]},
            {"id": call["id"]},
            result,
        ],
    ):
        second = respond(proxy, "It is.", input=asked, tools=[TOOL])
        assert [each["role"] for each in messages(proxy)] == ["user", "assistant", "tool"]
        assert messages(proxy)[0]["content"] == "Hello" and len(messages(proxy)[1]["tool_calls"]) == 1
    # as the AI SDK does: the earlier response, and its items once more
    references = [{"type": "item_reference", "id": call["id"]}, call, result]
    third = respond(proxy, "It is.", input=references, previous_response_id=first["id"], tools=[TOOL])
    assert [each["role"] for each in messages(proxy)] == ["user", "assistant", "tool"]
    for response in (second, third):
        respond(proxy, "Yes.", previous_response_id=response["id"], input="Sure?", tools=[TOOL])
        assert [each["role"] for each in messages(proxy)] == ["user", "assistant", "tool", "assistant", "user"]
    gone = {"type": "item_reference", "id": f"msg_{'0' * 44}"}
    assert refused(proxy, input=[gone])["param"] == "input[0]"
    # what was only thought can be done without
    assert respond(proxy, input=[{"type": "item_reference", "id": f"rs_{'0' * 44}"}, {"content": "x"}])["status"]


def test_only_background_responses_can_be_cancelled(make: Make) -> None:
    proxy = make()
    response = respond(proxy)
    status, error = side(proxy, f"{response['id']}/cancel", method="POST")
    assert (status, error["error"]["message"]) == (400, "Cannot cancel a synchronous response.")
    for name in ("background", "conversation", "prompt"):
        asked: Any = {name: True}
        assert refused(proxy, **asked)["param"] == name


def test_what_is_not_to_be_stored_or_too_long_is_not_and_says_so(make: Make) -> None:
    proxy = make()
    long = "word " * (LONGEST_TEXT // 5)
    no_text = respond(proxy, store=False)
    long_request = respond(proxy, input=long)
    long_answer = respond(proxy, long)
    for response in (no_text, long_request, long_answer):
        assert response["store"] is False
        assert side(proxy, response["id"])[0] == 404
        assert refused(proxy, previous_response_id=response["id"])["code"] == "previous_response_not_found"
    events = events_of(proxy.ask({"model": "m", "input": "x", "stream": True}, Said(said(long)), path=PATH))
    # what was hoped at the beginning is not so at the end
    assert [events[0]["response"]["store"], events[-1]["response"]["store"]] == [True, False]
    assert refused(proxy, store="yes")["param"] == "store"
    proxy.settled(4)
    assert all(each["answer_id"] != no_text["id"] for each in proxy.listed())


def test_a_response_that_failed_or_was_cut_is_stored_with_what_there_is(make: Make) -> None:
    proxy = make()
    cut = json.dumps(completion("So far", finish="length")).encode()
    body = {"model": "m", "input": "Hello"}
    incomplete = json.loads(proxy.ask(body, Said([cut], content_type="application/json"), path=PATH))
    assert (incomplete["status"], incomplete["store"]) == ("incomplete", True)
    broken = Said(said("So far", finish=None, done=False), error=ConnectionResetError())
    proxy.answers[:] = [broken]
    events = events_of(proxy.ask({**body, "stream": True}, broken, path=PATH))
    failed = events[-1]["response"]
    assert (failed["status"], failed["store"]) == ("failed", True)
    for response in (incomplete, failed):
        assert side(proxy, response["id"]) == (200, response)
        respond(proxy, previous_response_id=response["id"], input="Go on")
        assert [each["content"] for each in messages(proxy)] == ["Hello", "So far", "Go on"]


@in_one_test("settings", [{"RECORD": "meta"}, {"RECORD": "off", "INSPECTOR": "off"}])
def test_without_texts_nothing_is_stored(recorded: Make, settings: Any) -> None:
    proxy = recorded(**settings)
    response = respond(proxy, store=True)
    assert response["store"] is False
    status, error = side(proxy, response["id"])
    assert status == 404 and "not stored here" in error["error"]["message"]
    error = refused(proxy, previous_response_id=response["id"])
    assert error["code"] == "previous_response_not_found" and "not stored here" in error["message"]


def test_what_the_store_lets_go_is_not_found(recorded: Make) -> None:
    proxy = recorded(RECORD_BYTES=12_000)
    first = respond(proxy, "word " * 300)
    assert side(proxy, first["id"])[0] == 200
    respond(proxy, "word " * 300)
    assert side(proxy, first["id"])[0] == 404
    assert refused(proxy, previous_response_id=first["id"])["code"] == "previous_response_not_found"


def test_a_conversation_that_is_too_long_is_refused_by_name(recorded: Make) -> None:
    proxy = recorded(MAX_REQUEST_BYTES=2_500_000)
    text = "word " * 150_000
    previous = None
    for _ in range(3):
        previous = respond(proxy, "Hi.", input=text, previous_response_id=previous)["id"]
    respond(proxy, "Hi.", previous_response_id=previous)
    assert len(messages(proxy)) == 7 and len(proxy.sent[-1]) > 2_200_000
    last = respond(proxy, "Hi.", input=text, previous_response_id=previous)["id"]
    error = refused(proxy, previous_response_id=last)
    assert error["code"] == "request_too_large" and "2500000" in error["message"]


def test_an_unknown_response_is_not_waited_for(make: Make) -> None:
    proxy = make()
    began = time.monotonic()
    for name in ("resp_1", f"resp_{'0' * 40}", "x", f"resp_{'f' * 40}"):
        assert side(proxy, name)[0] == 404
    assert time.monotonic() - began < 1
    assert until(lambda: proxy.listed() or None)
