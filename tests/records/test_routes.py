"""The JSON routes for records, with each kind of store: filters, pages, whose records one sees, what can be copied."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.answers import TOOLS, ask, completion, said
from tests.records.databases import KINDS, new_url
from tests.records.recorded import STREAM, Recorded, Said, recorded, until

__all__ = ["recorded"]

GLM = "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Seoul</arg_value>\n</tool_call>"
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
KEYS = {"PROXY_API_KEYS": "alice:sk-of-alice,bob:sk-of-bob", "INSPECTOR_KEY": "sk-of-the-owner"}
ALICE, BOB, OWNER = "sk-of-alice", "sk-of-bob", "sk-of-the-owner"
JSON = "application/json"

Make = Callable[..., Recorded]


@pytest.fixture(params=["memory", *KINDS])
def make(request: pytest.FixtureRequest, recorded: Make, tmp_path: Path) -> Make:
    """Makes an application with each store."""

    def made(**settings: object) -> Recorded:
        if request.param != "memory":
            settings = {"RECORD_DB": new_url(request.param, tmp_path), **settings}
        return recorded(**settings)

    return made


def mixed(proxy: Recorded, key: str = "") -> None:
    """Three exchanges: one translated, one untouched and buffered, one refused."""
    proxy.ask(ask(tools=TOOLS, model="glm-4.5-air"), Said(said(GLM)), key=key)
    plain = completion("Hi.") | {"usage": USAGE}
    proxy.ask(ask(False, model="qwen[3]_x"), Said([json.dumps(plain).encode()], content_type=JSON), key=key)
    refusal = json.dumps({"error": {"message": "No such model.", "code": "model_not_found"}}).encode()
    proxy.ask(ask(model="gpt-none"), Said([refusal], 404, JSON), key=key)


def models(proxy: Recorded, filters: str, key: str = "") -> list[str]:
    return [record["model"] for record in proxy.listed(filters, key)]


FILTERS = {
    "": ["gpt-none", "qwen[3]_x", "glm-4.5-air"],
    "model=GLM*": ["glm-4.5-air"],
    "model=*4.5*": ["glm-4.5-air"],
    "model=qwen[3]_x": ["qwen[3]_x"],
    "model=qwen3_x": [],
    "model=qwen[3]%25x": [],
    "model=qwen[3]?x": [],
    "row=glm45": ["glm-4.5-air"],
    "outcome=translated": ["glm-4.5-air"],
    "outcome=untouched": ["gpt-none", "qwen[3]_x"],
    "code=whitespace": [],
    "face=chat&failed=1": ["gpt-none"],
    "face=messages": [],
    "failed=true": ["gpt-none"],
    "failed=0&limit=1": ["gpt-none"],
    "status=404": ["gpt-none"],
    "slow=1": [],
    "slow=0.000001": ["gpt-none", "qwen[3]_x", "glm-4.5-air"],
    "since=1000&until=99999999999": ["gpt-none", "qwen[3]_x", "glm-4.5-air"],
    "since=99999999998": [],
    "until=1000": [],
    "state=open": [],
    "key=alice": [],
    "model=glm*&outcome=untouched": [],
    "request=nothing": [],
    "model=%00%ff": [],
}


def test_filters_and_pages(make: Make) -> None:
    proxy = make()
    mixed(proxy)
    proxy.settled(3)
    found = {filters: models(proxy, filters) for filters in FILTERS}
    assert found == FILTERS
    page = proxy.get("records?limit=2")
    assert [each["model"] for each in page["records"]] == ["gpt-none", "qwen[3]_x"]
    rest = proxy.get(f"records?limit=2&before={page['next']}")
    assert [each["model"] for each in rest["records"]] == ["glm-4.5-air"] and rest["next"] is None
    assert page["lost"] == {}


@pytest.mark.parametrize("filters", ["status=x", "slow=-1", "since=nan", "limit=x", "failed=perhaps", "until=1e99"])
def test_a_filter_that_is_none_is_refused_by_name(recorded: Make, filters: str) -> None:
    error = recorded().get(f"records?{filters}", status=400)["error"]
    assert error["param"] == filters.partition("=")[0]


def test_a_record_tells_numbers_and_times(make: Make) -> None:
    proxy = make(RECORD="meta")
    mixed(proxy)
    proxy.settled(3)
    refused, buffered, streamed = proxy.listed()
    assert buffered["tok_in"] == 7 and buffered["tok_out"] == 5 and buffered["finish_reason"] == "stop"
    assert buffered["bytes_in"] > 50 and buffered["bytes_out"] > 50 and buffered["stream"] is False
    assert streamed["calls"] == 1 and streamed["pieces"] >= 2 and streamed["finish_reason"] == "tool_calls"
    assert streamed["stream"] is True and streamed["face"] == "chat" and streamed["path"] == "/v1/chat/completions"
    assert 0 <= streamed["sent_us"] <= streamed["first_byte_us"] <= streamed["first_word_us"] <= streamed["total_us"]
    assert [each["status"] for each in refused["tried"]] == [404] and refused["failed"]
    assert refused["attempts"] == 1 and refused["state"] == "ended" and not refused["has_text"]
    assert streamed["received_us"] > 1_700_000_000_000_000
    shown = proxy.get(f"records/{streamed['id']}")
    assert shown["text"] is None and shown["record"]["id"] == streamed["id"]
    assert all(code["meaning"] for code in shown["record"]["codes"])


def test_a_record_is_found_by_the_name_of_its_request_too(make: Make) -> None:
    proxy = make()
    mixed(proxy)
    proxy.settled(3)
    record = proxy.listed()[0]
    assert proxy.get(f"records/{record['request_id']}")["record"]["id"] == record["id"]
    assert proxy.listed(f"request={record['request_id']}") == [record]
    assert proxy.get("records/nothing", status=404)["error"]["code"] == "not_found"


def test_a_key_sees_its_own_records_and_the_inspectors_sees_all(make: Make) -> None:
    proxy = make(**KEYS)
    mixed(proxy, ALICE)
    proxy.ask(ask(model="of-bob"), Said(said("Hi.")), key=BOB)
    until(lambda: len(proxy.listed("state=ended", OWNER)) == 4 or None)
    assert models(proxy, "", BOB) == ["of-bob"] and len(models(proxy, "", ALICE)) == 3
    assert models(proxy, "key=alice", BOB) == [] and models(proxy, "key=bob", OWNER) == ["of-bob"]
    name = proxy.listed("", ALICE)[0]["id"]
    for path in (name, f"{name}/curl", f"{name}/corpus"):
        proxy.get(f"records/{path}", BOB, 404)
    request_id = proxy.listed("", ALICE)[0]["request_id"]
    proxy.get(f"records/{request_id}", BOB, 404)
    assert "of-bob" not in proxy.get("records/export", ALICE)
    assert [each["key_name"] for each in proxy.get("usage", BOB)["usage"]] == ["bob"]
    used = {each["key_name"]: each for each in proxy.get("usage", OWNER)["usage"]}
    assert used["alice"]["requests"] == 3 and used["alice"]["failed"] == 1 and used["alice"]["calls"] == 1
    assert used["alice"]["tok_in"] == 7 and used["alice"]["tok_out"] == 5 and used["bob"]["requests"] == 1
    proxy.get("records", "", 401)


def test_a_request_as_curl(make: Make) -> None:
    proxy = make()
    body = ask(tools=TOOLS, messages=[{"role": "user", "content": 'It\'s $HOME `x` "y"\n한국어'}])
    proxy.ask(body, Said(said("Hi.")))
    proxy.settled(1)
    command = proxy.get(f"records/{proxy.listed()[0]['id']}/curl")
    words = shlex.split(command)
    assert words[:3] == ["curl", "-N", "http://localhost/v1/chat/completions"]
    assert json.loads(words[words.index("--data-binary") + 1]) == body
    assert "Authorization: Bearer $API_KEY" in words and '"Authorization: Bearer $API_KEY"' in command


def test_an_answer_as_a_case_of_the_corpus(make: Make) -> None:
    proxy = make()
    mixed(proxy)
    proxy.settled(3)
    told = proxy.get(f"records/{proxy.listed()[-1]['id']}/corpus")
    assert told["row"] == "glm45" and told["text"] == GLM
    assert told["case"]["calls"] == [{"name": "get_weather", "arguments": {"city": "Seoul"}}]
    assert told["case"]["content"] == "" and told["case"]["tools"][0]["name"] == TOOLS[0]["function"]["name"]


def test_without_texts_nothing_can_be_copied(make: Make) -> None:
    proxy = make(RECORD="meta")
    mixed(proxy)
    proxy.settled(3)
    for path in ("curl", "corpus"):
        error = proxy.get(f"records/{proxy.listed()[-1]['id']}/{path}", status=404)["error"]
        assert "RECORD=full" in error["message"]


def test_the_export_is_lines_of_json(make: Make) -> None:
    proxy = make()
    mixed(proxy)
    proxy.settled(3)
    lines = [json.loads(line) for line in proxy.get("records/export").splitlines()]
    assert lines == proxy.listed() and len(lines) == 3
    only = [json.loads(line) for line in proxy.get("records/export?texts=1&model=glm*").splitlines()]
    assert len(only) == 1 and "<tool_call>" in only[0]["texts"]["received.0"] and "reading" not in only[0]["texts"]


def test_a_forwarded_request_is_recorded_too(make: Make) -> None:
    proxy = make()
    proxy.ask({"input": "Hi."}, Said([b'{"data": ', b"[]}"], content_type=JSON), path="/v1/embeddings")
    proxy.settled(1)
    record = proxy.get(f"records/{proxy.listed()[0]['id']}")
    assert record["record"]["face"] == "" and record["record"]["path"] == "/v1/embeddings"
    assert (
        record["text"]["client"]["text"] == '{"data": []}' and record["text"]["request"]["text"] == '{"input": "Hi."}'
    )
    assert record["text"]["attempts"][0]["replay"] is None
    assert record["record"]["bytes_out"] == 12


def test_off_records_nothing(recorded: Make) -> None:
    proxy = recorded(RECORD="off")
    proxy.ask(ask(), Said(said("Hi."), content_type=STREAM))
    proxy.get("records", status=404)
    assert proxy.app.extensions["records"] is None


def test_memory_keeps_the_last_500(recorded: Make) -> None:
    proxy = recorded(RECORD="meta")
    for number in range(510):
        proxy.ask(ask(model=f"m{number}"), Said(said("Hi.")))
    found = proxy.listed("limit=500")
    assert len(found) == 500 and found[0]["model"] == "m509" and found[-1]["model"] == "m10"


def test_memory_keeps_so_much_text(recorded: Make) -> None:
    proxy = recorded(RECORD_BYTES="20000")
    for number in range(5):
        proxy.ask(ask(model=f"m{number}"), Said(said("word " * 600)))
    assert [each["has_text"] for each in proxy.listed()] == [True, True, False, False, False]


def test_a_count_that_json_cannot_spell_leaves_the_record_readable(recorded: Make) -> None:
    """JavaScript reads no `Infinity`: the page of such an exchange would be empty."""
    proxy = recorded()
    answer = {**completion("Hi"), "usage": {"prompt_tokens": float("inf"), "completion_tokens": 2}}
    proxy.ask(ask(stream=False), Said([json.dumps(answer).encode()], content_type="application/json"))
    [record] = proxy.settled(1)
    raw = proxy.client.get(f"/dragoman/api/records/{record['id']}").get_data(as_text=True)
    told = json.loads(raw, parse_constant=pytest.fail)
    [choice] = told["text"]["attempts"][0]["replay"]["choices"]
    assert choice["message"]["usage"] == {"prompt_tokens": "Infinity", "completion_tokens": 2}
