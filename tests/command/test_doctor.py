"""`dragoman doctor` on servers that are played: it finds the fault, names the server and the setting that helps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from command.doctor.probe import FAULTS
from command.doctor.probes import PROBES
from tests.command.model_servers import MODEL, Played
from tests.command.running import Ran, dragoman, refused
from tests.servers import ScriptedBackend, free_port, running_proxy

LLAMACPP = {"/props": {"default_generation_settings": {}, "build_info": "b6500", "chat_template": "{% if tools %}"}}
VLLM = {"/version": {"version": "0.11.2"}}
SGLANG = {"/get_model_info": {"model_path": "m"}}
LMSTUDIO: dict[str, Any] = {"/api/v0/models": {"data": []}}
REFUSAL = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
NUMBERS = [probe.number for probe in PROBES]


@contextmanager
def served(played: Played) -> Iterator[ScriptedBackend]:
    with ScriptedBackend(played) as backend:
        played.backend = backend
        yield backend


def examined(played: Played, *arguments: str, **environ: str) -> Ran:
    with served(played) as backend:
        return dragoman("doctor", backend.url, "--timeout", "20", *arguments, environ=environ)


def states(told: Any, side: str) -> dict[int, str]:
    return {each["probe"]: each["state"] for each in told["probes"] if each["side"] == side}


def failing(told: Any, side: str) -> set[int]:
    return {number for number, state in states(told, side).items() if state == "fail"}


def remedy(told: Any, fault: str) -> Any:
    (found,) = [each for each in told["remedies"] if each["fault"] == fault]
    return found


def test_there_are_nineteen_probes_with_a_docstring_each() -> None:
    assert list(range(1, 20)) == NUMBERS
    assert all(probe.run.__doc__ for probe in PROBES)
    assert len({probe.title for probe in PROBES}) == 19 and all(FAULTS.values())


# -- one good server ---------------------------------------------------------------------------------------------------


def test_a_good_server_passes_everything() -> None:
    began = time.monotonic()
    ran = examined(Played(paths=LLAMACPP), "--json")
    told = ran.json
    assert (ran.status, ran.err) == (0, ""), ran
    for side in ("direct", "proxy"):
        assert states(told, side) == dict.fromkeys(NUMBERS, "pass"), told["probes"]
    assert (told["engine"], told["version"], told["recognised_by"]) == ("llama.cpp", "b6500", "/props")
    assert told["differences"] == told["remedies"] == [] and told["failed"] is False
    assert told["seconds"] <= time.monotonic() - began < 30


def test_the_report_for_people() -> None:
    ran = examined(Played(paths=LLAMACPP))
    lines = ran.out.splitlines()
    assert sum(line.startswith("PASS ") for line in lines) == 38 and "\x1b" not in ran.out
    assert lines[0].split()[:4] == ["PASS", "1", "models", "direct"]
    assert "The server is llama.cpp b6500 (known by /props)." in lines
    assert lines[-1].startswith(f"{MODEL} at http://127.0.0.1:") and ": 38 PASS, in " in lines[-1]
    assert ran.err == ""  # no bar without a terminal


# -- bad servers -------------------------------------------------------------------------------------------------------


def test_vllm_without_auto_tool_choice() -> None:
    ran = examined(Played("vllm", VLLM, refuses=REFUSAL), "--json")
    told = ran.json
    assert ran.status == 1 and (told["engine"], told["version"]) == ("vLLM", "0.11.2")
    assert failing(told, "direct") == {4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
    (found,) = told["remedies"]
    assert found["setting"] == "--enable-auto-tool-choice --tool-call-parser hermes"
    assert REFUSAL in found["said"]
    assert failing(told, "proxy") == set()
    assert found["healed"] and {each["probe"] for each in told["differences"]} >= {4, 5, 13}


def test_markup_is_passed_on_as_text() -> None:
    ran = examined(Played(paths=LLAMACPP, raw=True), "--json")
    told = ran.json
    assert ran.status == 1
    assert {4, 5, 6, 7, 9, 10, 11, 12} <= failing(told, "direct")
    assert "--skip-chat-parsing" in remedy(told, "raw_markup")["setting"]
    assert "--reasoning-format" in remedy(told, "reasoning_in_text")["setting"]
    assert remedy(told, "raw_markup")["healed"]
    assert failing(told, "proxy") == set()


def test_markup_of_a_template_without_tools() -> None:
    props = {"default_generation_settings": {}, "build_info": "b6500", "chat_template": "{{ messages }}"}
    told = examined(Played(paths={"/props": props}, raw=True), "--json", "--probe", "4").json
    assert told["template_takes_tools"] is False
    assert "--chat-template-file" in remedy(told, "raw_markup")["setting"]


def test_streamed_calls_are_broken() -> None:
    ran = examined(Played("sglang", SGLANG, streams_badly=True), "--json")
    told = ran.json
    assert ran.status == 1 and told["engine"] == "SGLang"
    assert failing(told, "direct") == {5}
    found = remedy(told, "streamed_differs")
    assert found["bug"] == "https://github.com/sgl-project/sglang/issues/35564" and "newer SGLang" in found["setting"]
    assert "buffered get_weather" in found["said"]


def test_arguments_and_finish_reasons_are_wrong() -> None:
    ran = examined(Played("organization_owner", LMSTUDIO, spells_badly=True), "--json")
    told = ran.json
    assert ran.status == 1 and told["engine"] == "LM Studio"
    assert {4, 5, 6, 9, 11, 12} <= failing(told, "direct")
    found = remedy(told, "bad_arguments")
    assert "runtime" in found["setting"] and found["bug"].endswith("/1528")
    assert remedy(told, "wrong_finish")["probes"] == [10]  # `{}` is JSON in both spellings
    assert states(told, "proxy")[10] == "pass"


def test_usage_is_missing() -> None:
    ran = examined(Played("vllm", VLLM, counts=False), "--json")
    told = ran.json
    assert ran.status == 1
    assert failing(told, "direct") == failing(told, "proxy") == {2, 18}
    assert remedy(told, "no_stream_usage")["setting"] == "--enable-force-include-usage"
    assert remedy(told, "no_usage")["healed"] == ""


def test_a_server_that_goes_on() -> None:
    told = examined(
        Played(paths=LLAMACPP, stops=False), "--json", "--probe", "19", "--tries", "1", "--side", "direct"
    ).json
    assert failing(told, "direct") == {19} and remedy(told, "goes_on")


def test_what_the_model_chose_is_no_fault_of_the_server() -> None:
    ran = examined(Played(paths=LLAMACPP, chats=True), "--json", "--probe", "4", "--probe", "9")
    told = ran.json
    assert ran.status == 0 and told["remedies"] == []
    assert all(each["state"] == "warn" and each["model_chose"] for each in told["probes"])
    assert told["probes"][0]["said"].startswith("the model chose not to: ")


def test_a_demanded_call_that_does_not_come_is_a_fault() -> None:
    told = examined(Played(paths=LLAMACPP, chats=True), "--json", "--probe", "6", "--probe", "7").json
    assert failing(told, "direct") == {6, 7}
    assert {each["fault"] for each in told["remedies"]} == {"required_ignored", "named_ignored"}


# -- majority ----------------------------------------------------------------------------------------------------------


class Moody(Played):
    """Refuses every third request with tools."""

    asked = 0

    def _chat(self, body: dict[str, Any]) -> Any:
        self.asked += 1
        self.raw = self.asked % 3 == 1
        return super()._chat(body)


def test_the_majority_of_three_tries_decides() -> None:
    told = examined(Moody(paths=LLAMACPP), "--json", "--probe", "4", "--side", "direct").json
    (probe,) = told["probes"]
    assert (probe["state"], probe["tries"], probe["agreed"]) == ("pass", 3, 2)
    shown = examined(Moody(paths=LLAMACPP), "--probe", "4", "--side", "direct").out
    assert "(2 of 3 tries)" in shown.splitlines()[0]


# -- who it is, and wrong use ------------------------------------------------------------------------------------------

ENGINES = {
    "llama.cpp": Played("me", LLAMACPP),
    "vLLM": Played("vllm"),
    "SGLang": Played("me", SGLANG),
    "LM Studio": Played("organization_owner"),
    "Ollama": Played("library", {"/api/version": {"version": "0.13.0"}}),
}


@pytest.mark.parametrize("name", ENGINES)
def test_the_server_is_recognised(name: str) -> None:
    told = examined(ENGINES[name], "--json", "--probe", "1").json
    assert told["engine"] == name


def test_an_unknown_server_gets_no_advice() -> None:
    ran = examined(Played("me", raw=True), "--probe", "4")
    assert "none of those that are known" in ran.out and "  setting" not in ran.out


def test_nobody_answers() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    refused(dragoman("doctor", url), f"{url} does not answer: ", status=3)
    refused(dragoman("doctor", environ={"BACKEND_URL": url}), "does not answer", status=3)


def test_a_proxy_of_ours_is_no_server_to_examine() -> None:
    with served(Played()) as backend, running_proxy(backend) as proxy:
        refused(dragoman("doctor", proxy.url), "is a Dragoman; give the URL of the server behind it")


def test_wrong_arguments() -> None:
    refused(dragoman("doctor", "localhost:8080"), "URL='localhost:8080': takes an http:// or https:// URL")
    refused(dragoman("doctor", "http://127.0.0.1:9", "--probe", "20"), "--probe takes numbers from 1 to 19")
    refused(dragoman("doctor", "http://127.0.0.1:9", "--tries", "0"), "take numbers above 0")


def test_a_key_is_sent_and_never_shown() -> None:
    key = "sk-secret-0123456789"
    played = Played("vllm", refuses=f"Incorrect API key provided: {key}")
    with served(played) as backend:
        ran = dragoman("doctor", backend.url, "--probe", "4", environ={"BACKEND_API_KEY": key})
        assert all(each.header("Authorization") == f"Bearer {key}" for each in backend.requests)
    assert ran.status == 1 and "Incorrect API key" in ran.out and key not in ran.out + ran.err
