"""One sentence about an exchange: a test for each code of a verdict, from real exchanges where one can cause it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest

from converters.text.reasons import LEFT, Reason
from errors import Interrupted, TimedOut, Unreachable
from records import verdict as verdicts
from records.engines import ENGINES, engine_of, setting_for
from records.facts import Facts
from records.pasted import pasted
from records.verdict import Verdict, verdict
from tests.answers import DONE, TOOLS, Json, ask, chunk, completion, frame, said
from tests.cases import in_one_test
from tests.records.recorded import Recorded, Said, recorded
from tests.servers import ROOT
from tests.streaming.test_reasons import BARE, LEFT_CASES
from tests.streaming.test_reasons import TOOLS as DECLARED

__all__ = ["recorded"]

Make = Callable[..., Recorded]
JSON = "application/json"
CALL = '<tool_call>{"name": "get_weather", "arguments": {"city": "Seoul"}}</tool_call>'
NATIVE = [{"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Seoul"}'}}]


def told(proxy: Recorded, *answers: Said, path: str = "/v1/chat/completions", body: Any = None, **asked: Any) -> Json:
    """The verdict about one exchange. It is one sentence, and ends as one."""
    proxy.ask(ask(**{"tools": TOOLS, **asked}) if body is None else body, *answers, path=path)
    found: Json = proxy.last()["verdict"]
    assert set(found) == {"code", "text", "advice"} and found["text"].endswith(".") and "\n" not in found["text"]
    assert not found["advice"] or found["advice"].endswith(".")
    return found


def whole(body: object, status: int = 200) -> Said:
    return Said([json.dumps(body).encode()], status, JSON)


@pytest.fixture
def full(recorded: Make) -> Recorded:
    return recorded(BACKEND_URL="http://127.0.0.1:8000")


# -- what was done -----------------------------------------------------------------------------------------------------


def test_translated(full: Recorded) -> None:
    found = told(full, Said(said(f"Sure. {CALL}")))
    assert found["code"] == "translated" and "1 call was read" in found["text"] and "hermes" in found["text"]
    assert "to let vLLM read calls itself, start it with `--enable-auto-tool-choice" in found["advice"]


def test_repaired(full: Recorded) -> None:
    found = told(full, Said(said(CALL.replace("get_weather", "Get-Weather").replace('"Seoul"', "'Seoul'"))))
    assert found["code"] == "repaired" and "its name" in found["text"] and "JSON of its arguments" in found["text"]


def test_native_calls_untouched(full: Recorded) -> None:
    found = told(full, whole(completion(None, "tool_calls", tool_calls=NATIVE)), stream=False)
    assert found["code"] == "native" and "by the backend itself" in found["text"] and not found["advice"]


def test_native_calls_repaired(full: Recorded) -> None:
    broken = [{"function": {"name": "get_weather", "arguments": {"city": "Seoul"}}}]
    found = told(full, whole(completion(None, "tool_calls", tool_calls=broken)), stream=False)
    assert found["code"] == "native_repaired" and "vLLM" in found["advice"]


def test_undeclared_name(full: Recorded) -> None:
    assert told(full, Said(said(CALL.replace("get_weather", "other"))))["code"] == "undeclared_name"


def test_arguments_misfit(full: Recorded) -> None:
    found = told(full, Said(said(CALL.replace('"Seoul"', "[]"))))
    assert found["code"] == "arguments_misfit" and "schema" in found["text"]


def test_tool_prompting_used(recorded: Make) -> None:
    found = told(recorded(TOOL_PROMPTING="prompt"), Said(said(CALL)), model="qwen2.5")
    assert found["code"] == "prompted" and "written into the prompt" in found["text"]


def test_no_call_although_tools_were_in_the_prompt(recorded: Make) -> None:
    found = told(recorded(TOOL_PROMPTING="prompt"), Said(said("Hello.")), model="qwen2.5")
    assert found["code"] == "no_call" and "written into the prompt" in found["text"]


def test_adaptations(full: Recorded) -> None:
    refusal = whole({"error": {"message": "System message must be at the beginning."}}, 400)
    messages = [{"role": "user", "content": "Hi."}, {"role": "system", "content": "Be brief."}]
    found = told(full, refusal, Said(said(CALL)), messages=messages)
    assert found["code"] == "adapted" and "system_" in found["text"]


def test_asked_again(recorded: Make) -> None:
    proxy = recorded(HEAL="retry")
    found = told(proxy, Said(said(CALL.replace('"Seoul"', "x + y"))), Said(said(CALL)))
    assert found["code"] == "asked_again" and "asked again" in found["text"]


# -- why no call -------------------------------------------------------------------------------------------------------


@in_one_test(("name", "text", "codes"), LEFT_CASES)
def test_every_reason_why_markup_stays_text(name: str, text: str, codes: set[str]) -> None:
    found = pasted(text, DECLARED, "")["verdict"]
    expected = set(codes) | ({"marker_left"} if codes & {"placeholder_call", "declaration"} else set())
    if name == "an object among calls":
        assert found["code"] in ("translated", "repaired")  # the call beside it
    else:
        assert found["code"] in expected, found


def test_no_tools_in_the_request(full: Recorded) -> None:
    found = told(full, Said(said(CALL)), tools=None)
    assert found["code"] == "no_tools" and "`tools`" in found["advice"]


def test_plain_text_without_tools(full: Recorded) -> None:
    found = told(full, Said(said("Hello.")), tools=None)
    assert found["code"] == "plain" and "declares no tools" in found["text"] and not found["advice"]


def test_plain_text_with_tools(full: Recorded) -> None:
    found = told(full, Said(said("It is sunny.")))
    assert found["code"] == "no_call" and "required" in found["advice"]


def test_cut_by_max_tokens(full: Recorded) -> None:
    found = told(full, Said(said("It is sun", finish="length")))
    assert found["code"] == "cut" and "max_tokens" in found["advice"] and "the answer" in found["text"]
    assert "a call" in told(full, Said(said(CALL[:60], finish="length")))["text"]


def test_the_prompt_was_probably_truncated(full: Recorded) -> None:
    answer = completion("Hello.") | {"usage": {"prompt_tokens": 2048, "completion_tokens": 2, "total_tokens": 2050}}
    long = [{"role": "user", "content": "word " * 9000}]
    found = told(full, whole(answer), stream=False, messages=long)
    assert found["code"] == "prompt_truncated" and "2048" in found["text"] and "--max-model-len" in found["advice"]
    short = [{"role": "user", "content": "word " * 1500}]
    assert told(full, whole(answer), stream=False, messages=short)["code"] == "no_call"
    picture = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:," + "A" * 50_000}}]}]
    assert told(full, whole(answer), stream=False, messages=picture)["code"] == "no_call"


def test_nothing_at_all(full: Recorded) -> None:
    assert told(full, Said(said("")))["code"] == "empty"


def test_reasoning_alone(full: Recorded) -> None:
    frames = [frame(chunk({"reasoning_content": "Hm."})), frame(chunk({}, "stop")), DONE]
    found = told(full, Said(frames))
    assert found["code"] == "only_reasoning" and "--reasoning-parser" in found["advice"]


def test_unreadable_arguments(full: Recorded) -> None:
    found = told(full, Said(said(CALL.replace('"Seoul"', "x + y"))))
    assert found["code"] == "arguments_unreadable" and "HEAL=retry" in found["advice"]


def test_a_choice_that_forbids_calls(full: Recorded) -> None:
    assert told(full, Said(said(CALL)), tool_choice="none")["code"] == "choice_none"


def test_a_choice_that_was_not_met(full: Recorded) -> None:
    assert told(full, Said(said("No.")), tool_choice="required")["code"] == "required_unmet"


def test_a_forwarded_request(full: Recorded) -> None:
    assert told(full, whole({"data": []}), path="/v1/embeddings")["code"] == "forwarded"


# -- what failed -------------------------------------------------------------------------------------------------------


@in_one_test(
    ("message", "status", "advice"),
    [
        ('"auto" tool choice requires --enable-auto-tool-choice', 400, "TOOL_PROMPTING=prompt"),
        ("This model's maximum context length is 4096 tokens", 400, "--max-model-len"),
        ("Invalid key", 401, "BACKEND_API_KEY"),
        ("No such model", 404, "/v1/models"),
        ("Slow down", 429, "later"),
        ("CUDA error", 500, "--enable-log-requests"),
        ("No.", 422, "RECORD=full"),
    ],
)
def test_the_backend_refused(message: str, status: int, advice: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        proxy = Recorded(patch, BACKEND_URL="http://127.0.0.1:8000", ADAPT="off", TOOL_PROMPTING="native")
        found = told(proxy, *[whole({"error": {"message": message}}, status)] * 5)
    assert found["code"] == "backend_refused" and str(status) in found["text"] and advice in found["advice"], found


def test_the_backend_is_unreachable(full: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Unreachable("No connection.")

    monkeypatch.setattr("backends.Backend.open", refuse)
    found = told(full)
    assert found["code"] == "backend_unreachable" and "BACKEND_URL" in found["advice"]


def test_the_backend_is_too_slow(full: Recorded) -> None:
    found = told(full, Said([], error=TimedOut("too slow", "idle")))
    assert found["code"] == "backend_timeout" and "(idle)" in found["text"] and "REQUEST_TIMEOUT" in found["advice"]


def test_the_answer_breaks_off(full: Recorded) -> None:
    found = told(full, Said(said("Hel", finish=None, done=False), error=Interrupted("gone")))
    assert found["code"] == "backend_interrupted"


def test_something_else_answers(full: Recorded) -> None:
    found = told(full, Said([b"<html>"], content_type="text/html"), stream=False)
    assert found["code"] == "backend_not_api" and "BACKEND_URL" in found["advice"]


def test_a_request_that_was_refused(full: Recorded) -> None:
    assert told(full, body=b"no JSON")["code"] == "request_refused"


@in_one_test(
    ("facts", "code"),
    [
        (Facts(state="open"), "open"),
        (Facts(state="lost"), "lost"),
        (Facts(error="client_left", status=499, seconds=3.2), "client_left"),
        (Facts(error="invalid_api_key", status=401), "no_key"),
        (Facts(error="held_too_long", status=502), "backend_error"),
        (Facts(error="proxy_stopping", status=503), "backend_error"),
        (Facts(error="arguments_unreadable"), "arguments_unreadable"),
        (Facts(codes=frozenset({"converter_raised"})), "converter_raised"),
        (Facts(codes=frozenset({"builtin_call", "marker"})), "builtin_call"),
        (Facts(codes=frozenset({"choice_other", "choice_none"})), "choice_other"),
        (Facts(calls=2, outcome="untouched"), "native"),
    ],
)
def test_what_is_hard_to_play(facts: Facts, code: str) -> None:
    assert verdict(facts).code == code


# -- all of them -------------------------------------------------------------------------------------------------------


def test_with_meta_the_codes_are_enough(recorded: Make) -> None:
    proxy = recorded(RECORD="meta")
    assert told(proxy, Said(said(f"So:\n```\n{CALL}\n```\nDone.")))["code"] == "quoted"
    assert told(proxy, Said(said(CALL)))["code"] == "translated"
    assert told(proxy, Said(said("Hello.")))["code"] == "plain"


def test_every_reason_for_what_was_left_has_a_sentence() -> None:
    assert set(verdicts._LEFT) | {"undeclared_name"} >= set(LEFT)
    for table in (verdicts._LEFT, verdicts._TAKEN):
        for code, (text, _) in table.items():
            found = verdict(Facts(codes=frozenset({code})))
            assert found == Verdict(code, f"{text}.", found.advice)


def test_every_code_of_a_verdict_is_documented() -> None:
    page = (ROOT / "docs/RECORDS.md").read_text(encoding="utf-8").split("code` of a verdict")[1].split("### Filters")[0]
    named = set(re.findall(r"`(\w+)`", page))
    of_answers = {str(code) for code in get_args(Reason)}
    assert set(verdicts.CODES) - of_answers <= named <= set(verdicts.CODES)


def test_a_call_without_markup_of_an_undeclared_tool() -> None:
    for text in (BARE.replace("get_weather", "other"), f"[{BARE.replace('get_weather', 'other')}]"):
        assert pasted(text, DECLARED, "")["verdict"]["code"] == "undeclared_left"
    for text in ('{"name": "Seoul", "age": 3}', '{"name": "x", "arguments": 3}', "[]", "[1]", "[" * 5000, "{"):
        assert pasted(text, DECLARED, "")["verdict"]["code"] == "no_call", text


def test_an_answer_that_must_be_json(full: Recorded) -> None:
    found = told(full, Said(said(BARE)), response_format={"type": "json_object"})
    assert found["code"] == "json_answer" and "response_format" in found["advice"]


@in_one_test("text", ["<tool_call>", "Sure.\n<tool_call>\n", '<tool_call>{"name": "get_weather"', "[TOOL_CALLS]"])
def test_a_model_that_stopped_where_a_call_begins(text: str) -> None:
    assert pasted(text, DECLARED, "")["verdict"]["code"] == "marker_left"


def test_servers_are_known_by_what_they_answer_and_by_their_port() -> None:
    names = {each.name for each in ENGINES}
    found = [engine_of(f"http://h:{port}") for port in (8080, 9931, 8000, 30000, 11434, 1234, 8888)]
    assert {each.name for each in found if each} == names - {"mlx_lm"}
    ollama = engine_of("http://h:8000", '{"system_fingerprint":"fp_ollama"}')
    assert ollama is not None and ollama.name == "Ollama"
    assert engine_of("https://api.example") is None and engine_of("http://h:x") is None
    for each in ENGINES:
        assert setting_for("context", each).startswith(f"with {each.name}, ")
        assert each.name in setting_for("calls", None)
    assert verdict(replace(Facts(), finish="length", served=False)).advice == "Raise `max_tokens` in the request."
