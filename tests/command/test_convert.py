"""`dragoman convert`: what the proxy gives of the same text, buffered; and whether a call was read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command.reading import ModelText, converted
from tests.cases import in_one_test
from tests.command.running import TOOLS, dragoman, refused, write_json
from tests.helpers import Case, corpus
from tests.servers import Json, Proxy, ScriptedBackend, completion, json_answer, running_proxy

CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Seoul", "days": 3}}\n</tool_call>'


class Echo:
    """A backend that writes `text`, and the proxy in front of it."""

    def __init__(self, backend: ScriptedBackend, proxy: Proxy) -> None:
        self._backend = backend
        self._proxy = proxy

    def choice(self, text: str, finish: str, body: Json, syntax: str | None) -> Json:
        self._backend.answer = json_answer(completion(text, finish))
        headers = [("x-dragoman-syntax", syntax)] if syntax else []
        found: Json = self._proxy.buffered(body, headers=headers)["choices"][0]
        return found


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    with ScriptedBackend() as backend, running_proxy(backend) as proxy:
        yield Echo(backend, proxy)


def declared(case: Case) -> list[Json]:
    return [{"type": "function", "function": {"name": n, "parameters": dict(s)}} for n, s in case.tools.items()]


def without_ids(message: Json) -> Json:
    calls = [{**call, "id": bool(call["id"])} for call in message.get("tool_calls", ())]
    return {**message, **({"tool_calls": calls} if calls else {})}


@in_one_test("with_row", [False, True], ids=["by the text", "with its row"])
@in_one_test("case", corpus(), ids=str)
def test_it_is_what_the_proxy_gives(case: Case, with_row: bool, echo: Echo) -> None:
    tools, syntax = declared(case), case.row if with_row else None
    finish = "length" if case.expectations.get("cut") else "stop"
    body: Json = {"model": "m", "messages": [{"role": "user", "content": ""}], **({"tools": tools} if tools else {})}
    wanted = echo.choice(case.text, finish, body, syntax)
    found = converted(ModelText(case.text, tools, "m", syntax, finish == "length"))
    assert without_ids(found.message) == without_ids(wanted["message"])
    assert found.finish_reason == wanted["finish_reason"]


def test_a_call_is_told_by_the_exit_status(tmp_path: Path) -> None:
    tools = write_json(tmp_path / "tools.json", TOOLS)
    ran = dragoman("convert", "--tools", tools, given=f"Sure.\n{CALL}")
    assert (ran.status, ran.err) == (0, "")
    (call,) = ran.json["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Seoul", "days": 3}
    assert ran.json["content"] == "Sure." and ran.json["role"] == "assistant"
    without = dragoman("convert", given=CALL)
    assert without.status == 1 and without.json == {"role": "assistant", "content": CALL}


def test_json_has_all_that_is_known_on_one_line(tmp_path: Path) -> None:
    (tmp_path / "answer.txt").write_text(f"<think>Hm.</think>{CALL}", encoding="utf-8")
    tools = write_json(tmp_path / "tools.json", TOOLS)
    ran = dragoman("convert", str(tmp_path / "answer.txt"), "--tools", tools, "--model", "hermes-3", "--json")
    assert ran.out.count("\n") == 1
    told = ran.json
    assert (told["finish_reason"], told["syntax"], told["outcome"]) == ("tool_calls", "hermes", "translated")
    assert told["codes"] == ["marker"] and next(iter(told)) == "message"


_FUNCTION = TOOLS[0]["function"]
FORMS: dict[str, Any] = {
    "a list": TOOLS,
    "one tool": TOOLS[0],
    "functions": [_FUNCTION],
    "a request": {"model": "m", "messages": [], "tools": TOOLS},
    "a legacy request": {"functions": [_FUNCTION]},
    "of the Responses API": [{"type": "function", **_FUNCTION}],
    "of the Messages API": [{"name": "get_weather", "input_schema": _FUNCTION["parameters"]}],
}


@pytest.mark.parametrize("form", FORMS)
def test_tools_in_every_form(form: str, tmp_path: Path) -> None:
    tools = write_json(tmp_path / "tools.json", FORMS[form])
    typed = '{"name": "get_weather", "arguments": {"city": "Seoul", "days": "3"}}'
    ran = dragoman("convert", "--tools", tools, given=f"<tool_call>{typed}</tool_call>")
    (call,) = ran.json["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Seoul", "days": 3}  # by the schema


def test_the_settings_are_those_of_the_proxy(tmp_path: Path) -> None:
    tools = write_json(tmp_path / "tools.json", TOOLS)
    text = f"<think>Hm.</think>{CALL}"
    environ = {"REASONING_FIELD": "reasoning"}
    assert dragoman("convert", "--tools", tools, given=text, environ=environ).json["reasoning"] == "Hm."
    (tmp_path / ".env").write_text("REASONING_FIELD=none\n")
    ran = dragoman("convert", "--tools", tools, given=text, folder=tmp_path)
    assert ran.status == 0 and "Hm." not in ran.out
    refused(dragoman("convert", given=text, environ={"HEAL": "never"}), "HEAL='never': takes ")


def test_what_max_tokens_cut_stays_cut(tmp_path: Path) -> None:
    tools = write_json(tmp_path / "tools.json", TOOLS)
    ran = dragoman("convert", "--tools", tools, "--cut", "--json", given=CALL[:60])
    assert ran.json["finish_reason"] == "length"


def test_wrong_use_is_one_line(tmp_path: Path) -> None:
    refused(dragoman("convert", str(tmp_path / "nowhere.txt")), "nowhere.txt: No such file")
    refused(dragoman("convert", "--tools", str(tmp_path)), "Is a directory")
    refused(dragoman("convert", "--tools", "-"), "FILE and --tools are the same file")
    refused(dragoman("convert", "--syntax", "hermez"), "--syntax hermez: takes a row")
    for content, said in (("{", "no JSON"), ("3", "takes a list of tools"), ("[3]", "a tool has no name")):
        path = tmp_path / "tools.json"
        path.write_text(content)
        refused(dragoman("convert", "--tools", str(path)), str(path), said)
    both = dragoman("convert", "--model", "m", "--syntax", "hermes")
    assert both.status == 2 and both.err.startswith("usage: dragoman convert ")
