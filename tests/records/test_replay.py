"""A record of RECORD=full shows every character that the model wrote exactly once, in order, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from errors import Interrupted
from tests.answers import TOOLS, Json, ask, chunk, completion, frame, said
from tests.cases import in_one_test
from tests.helpers import Case, chunks, corpus
from tests.records.recorded import Recorded, Said, recorded, until
from tests.scale import share

__all__ = ["recorded"]

GLM = "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Seoul</arg_value>\n</tool_call>"
CASES = corpus()


def tools_of(case: Case) -> list[Json]:
    return [
        {"type": "function", "function": {"name": name, "parameters": dict(schema)}}
        for name, schema in case.tools.items()
    ]


def choice_of(record: Json, attempt: int = -1, index: int = 0) -> Json:
    choice: Json = record["text"]["attempts"][attempt]["replay"]["choices"][index]
    return choice


def assert_whole(choice: Json, text: str) -> None:
    """The spans are the text, each character once and in order, and so are the pieces."""
    assert choice["raw"] == text
    assert "".join(span["raw"] for span in choice["spans"]) == text
    place = 0
    for span in choice["spans"]:
        assert span["start"] == place and span["end"] == place + len(span["raw"])
        place = span["end"]
    ends = [piece["end"] for piece in choice["pieces"]]
    assert ends == sorted(set(ends)) and (not text or ends[-1] == len(text))


def asks(case: Case, stream: bool) -> Json:
    return ask(stream, tools=tools_of(case), model="any-model")


@pytest.fixture(scope="module")
def shared() -> object:
    with pytest.MonkeyPatch.context() as patch:
        yield Recorded(patch)


STREAMED = [(case, size) for size in (3, 1000) for case in share(CASES, 4, size) if case.text]
"""A quarter of the cases by a few characters and another whole; all of them both ways in `make test EVERYTHING=1`."""


@in_one_test(("case", "size"), STREAMED, ids=[f"{case}-{size}" for case, size in STREAMED])
def test_a_stream_is_shown_whole(shared: Recorded, case: Case, size: int) -> None:
    pieces = chunks(case.text, size)
    shared.ask(asks(case, True), Said(said(*pieces)))
    record = shared.last()
    choice = choice_of(record)
    assert_whole(choice, case.text)
    assert [piece["end"] for piece in choice["pieces"]] == [
        sum(map(len, pieces[: place + 1])) for place in range(len(pieces))
    ]


@in_one_test("case", [case for case in share(CASES, 4) if case.text], ids=str)
def test_a_buffered_answer_is_shown_whole(shared: Recorded, case: Case) -> None:
    body = json.dumps(completion(case.text)).encode()
    told = json.loads(shared.ask(asks(case, False), Said([body], content_type="application/json")))
    choice = choice_of(shared.last())
    assert_whole(choice, case.text)
    message = told["choices"][0]["message"]
    assert choice["message"]["content"] == (message.get("content") or "")
    calls = [(call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls") or ()]
    assert [(call["name"], call["arguments"]) for call in choice["message"]["calls"]] == calls


def test_what_the_client_got_stands_beside_what_the_model_wrote(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded()
    got = proxy.ask(ask(tools=TOOLS, model="glm-4.5-air"), Said(said("Hi. ", GLM)))
    record = proxy.last()
    assert record["text"]["client"]["text"] == got.decode()
    assert record["text"]["request"]["text"] == json.dumps(ask(tools=TOOLS, model="glm-4.5-air"))
    kinds = [span["kind"] for span in choice_of(record)["spans"]]
    assert kinds == ["content", "removed", "call"]
    removed = choice_of(record)["spans"][1]
    assert removed["code"] == "whitespace" and "white space" in removed["meaning"]
    assert record["record"]["outcome"] == "translated" and record["record"]["row_name"] == "glm45"
    assert choice_of(record)["message"]["calls"][0]["name"] == "get_weather"
    assert not choice_of(record)["message"]["calls"][0]["native"]


def test_each_attempt_is_shown_with_its_request(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded()
    refusal = json.dumps({"error": {"message": "System message must be at the beginning.", "type": "invalid"}}).encode()
    body = ask(tools=TOOLS, messages=[{"role": "user", "content": "Hi"}, {"role": "system", "content": "Be brief."}])
    proxy.ask(body, Said([refusal], 400, "application/json"), Said(said("Yes.")))
    record = proxy.last()
    first, second = record["text"]["attempts"]
    assert (first["status"], second["status"]) == (400, 200)
    assert "at the beginning" in first["replay"]["error"] and first["request_unchanged"]
    assert not second["request_unchanged"] and second["request"]["text"] == proxy.sent[1].decode()
    assert_whole(choice_of(record), "Yes.")


def test_choices_and_native_calls(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded()
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    deltas = [
        chunk({"content": "One "}, index=0),
        chunk({"content": "Two "}, index=1),
        chunk({"content": "and"}, index=0),
        chunk({"tool_calls": [call]}, index=1),
        chunk({}, "stop", index=0),
        chunk({}, "tool_calls", index=1),
    ]
    proxy.ask(ask(tools=TOOLS, n=2), Said([*map(frame, deltas), b"data: [DONE]\n\n"]))
    record = proxy.last()
    assert_whole(choice_of(record, index=0), "One and")
    assert_whole(choice_of(record, index=1), "Two ")
    assert choice_of(record, index=1)["message"]["calls"][0]["native"]


def test_the_servers_own_reasoning_is_told_apart(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded()
    deltas = [chunk({"reasoning_content": "Hm. "}), chunk({"content": "Yes."}), chunk({}, "stop")]
    proxy.ask(ask(tools=TOOLS), Said([*map(frame, deltas), b"data: [DONE]\n\n"]))
    choice = choice_of(proxy.last())
    assert_whole(choice, "Hm. Yes.")
    assert [piece["reasoning"] for piece in choice["pieces"]] == [True, False]


def test_an_answer_that_breaks_off_is_shown_as_far_as_it_came(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded()
    pieces = [frame(chunk({"content": text})) for text in ("Hi. <tool", "_call>get_wea")]
    proxy.ask(ask(tools=TOOLS), Said(pieces, error=Interrupted("The backend's answer broke off.")))
    record = proxy.last()
    assert_whole(choice_of(record), "Hi. <tool_call>get_wea")
    assert record["record"]["failed"] and record["record"]["error"]


def test_requests_that_failed_are_shown_like_others(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded()
    got = proxy.ask(b'{"model": 5}')
    record = proxy.last()
    assert record["record"]["status"] == 400 and record["record"]["error"] == "invalid_request"
    assert record["text"]["request"]["text"] == '{"model": 5}' and record["text"]["attempts"] == []
    assert json.loads(record["text"]["client"]["text"]) == json.loads(got)
    page = Said([b"<html>no API"], content_type="text/html")
    got = proxy.ask(ask(False), page)
    record = proxy.last()
    assert record["record"]["status"] == 502 and record["record"]["failed"]
    assert record["text"]["attempts"][0]["response"]["text"] == "<html>no API"
    assert json.loads(record["text"]["client"]["text"]) == json.loads(got)


def test_longer_texts_are_cut_and_say_so(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded()
    proxy.ask(ask(tools=TOOLS), Said(said(*["word " * 1000] * 300)))
    attempt = proxy.last()["text"]["attempts"][0]
    assert attempt["response"]["truncated"] and attempt["response"]["bytes"] == 1 << 20
    assert not attempt["replay"]["complete"]
    raw = attempt["replay"]["choices"][0]["raw"]
    assert ("word " * 300_000).startswith(raw.rstrip("�")) and len(raw) > 900_000


def test_keys_are_in_no_text(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded(BACKEND_API_KEY="sk-very-secret-key")
    question = [{"role": "user", "content": "Is it sk-very-secret-key?"}]
    proxy.ask(ask(tools=TOOLS, messages=question), Said(said("It is sk-very-", "secret-key.")))
    assert "sk-very-secret-key" not in json.dumps(proxy.last())
    name = proxy.listed()[0]["id"]
    for path in ("curl", "corpus"):
        assert "sk-very-secret-key" not in str(proxy.get(f"records/{name}/{path}"))
    exported = proxy.get("records/export?texts=1")
    assert "sk-very-secret-key" not in exported and "Is it ***" in exported


def test_a_record_is_there_while_its_exchange_goes_on(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded()
    proxy.answers[:] = [Said(said("One.", "Two."))]
    response = proxy.client.post("/v1/chat/completions", json=ask(tools=TOOLS), buffered=False)
    stream = response.iter_encoded()
    next(stream)
    found = proxy.listed("state=open")
    assert len(found) == 1 and found[0]["total_us"] is None
    for _ in stream:
        pass
    response.close()
    until(lambda: proxy.listed("state=ended") or None)
    assert not proxy.listed("state=open")


def test_why_markup_stays_text_stands_at_its_place(shared: Recorded) -> None:
    call = '<tool_call>{"name": "get_weather", "arguments": {"city": "Seoul"}}</tool_call>'
    text = f"So:\n```\n{call}\n```\n{call.replace('get_weather', 'other')}"
    shared.ask(ask(tools=TOOLS), Said(said(*chunks(text, 5))))
    choice = choice_of(shared.last())
    assert_whole(choice, text)
    marked = [(span["kind"], span["raw"], span["code"]) for span in choice["spans"] if span.get("code")]
    assert ("content", "<tool_call>", "quoted") in marked and all(span[2] for span in marked)
    assert next(span for span in choice["spans"] if span.get("name"))["code"] == "undeclared_name"
    assert next(span for span in choice["spans"] if span.get("code") == "quoted")["meaning"]
