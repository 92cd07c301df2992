"""`dragoman records`: from a database and from a running proxy, both the same."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from command.records.filters import filters_of
from command.subcommand import CommandError
from tests.answers import TOOLS, Answer, Json, ask, completion, json_answer, said
from tests.command.running import Ran, dragoman, refused
from tests.servers import PATIENCE, Received, ScriptedBackend, free_port, running_proxy

GLM = "<think>Hm.</think><tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Seoul</arg_value>\n</tool_call>"
OWNER = "sk-of-the-owner"
MODELS = ["gpt-none", "qwen3", "glm-4.5-air"]


def played(received: Received) -> Answer:
    model = received.json()["model"]
    if model == "gpt-none":
        return json_answer({"error": {"message": "No such model.", "code": "model_not_found"}}, 404)
    return Answer(said(GLM)) if model == "glm-4.5-air" else json_answer(completion("Hi."))


@dataclass
class Places:
    """Three exchanges in a database, and the proxy that recorded them."""

    url: str
    database: str

    def both(self, *arguments: str) -> Sequence[Ran]:
        """The answer of the database, and that of the proxy."""
        return self.stored(*arguments), self.served(*arguments)

    def stored(self, *arguments: str) -> Ran:
        return dragoman("records", *arguments, environ={"RECORD_DB": self.database, "INSPECTOR_KEY": OWNER})

    def served(self, *arguments: str) -> Ran:
        return dragoman("records", *arguments, "--url", self.url, environ={"API_KEY": OWNER})

    def newest(self) -> Json:
        found: Json = self.stored("--json", "--model", "glm*").json[0]
        return found


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    database = f"sqlite:///{tmp_path_factory.mktemp('records') / 'records.sqlite'}"
    settings = {"RECORD": "full", "RECORD_DB": database, "INSPECTOR_KEY": OWNER}
    with ScriptedBackend(played) as backend, running_proxy(backend, **settings) as proxy:
        for model in reversed(MODELS):
            with proxy.client(
                ask(model == "glm-4.5-air", TOOLS, model), headers=[("X-Request-Id", f"of-{model}")]
            ) as one:
                one.rest()
        found = Places(proxy.url, database)
        until = time.monotonic() + PATIENCE
        while found.stored("--state", "ended").out.count("\n") <= len(MODELS):
            assert time.monotonic() < until, "the records were not written"
            time.sleep(0.05)
        yield found


FILTERS: dict[str, list[str]] = {
    "": MODELS,
    "--failed": ["gpt-none"],
    "--model GLM*": ["glm-4.5-air"],
    "--row glm45": ["glm-4.5-air"],
    "--outcome translated": ["glm-4.5-air"],
    "--code marker": ["glm-4.5-air"],
    "--status 404": ["gpt-none"],
    "--face responses": [],
    "--request of-qwen3": ["qwen3"],
    "--since 1h": MODELS,
    "--until 1h": [],
    "--slow 60": [],
    "--limit 2": MODELS[:2],
}


@pytest.mark.parametrize("filters", FILTERS)
def test_the_list(filters: str, places: Places) -> None:
    for ran in places.both("--json", *filters.split()):
        assert (ran.status, ran.err) == (0, "")
        assert [record["model"] for record in ran.json] == FILTERS[filters]


def test_both_places_say_the_same(places: Places) -> None:
    name = places.newest()["id"]
    for arguments in (["--json"], [], ["show", name], ["show", name, "--json"], ["export"], ["export", "--texts"]):
        stored, served = places.both(*arguments)
        assert stored == served and stored.status == 0 and stored.out


def test_the_table_for_people(places: Places) -> None:
    head, *lines = places.stored().out.splitlines()
    assert head.split() == ["time", "model", "row", "outcome", "status", "first", "total", "tokens", "codes", "id"]
    assert [line.split()[2] for line in lines] == MODELS
    assert "translated" in lines[2] and "glm45" in lines[2] and "404" in lines[0]
    assert places.stored("--face", "ollama").out == "There is no such record.\n"


def test_one_record_is_shown_with_what_the_model_wrote(places: Places) -> None:
    name = places.newest()["id"]
    shown = places.stored("show", "of-glm-4.5-air").out
    assert shown.startswith(f"{name}\n") and GLM in shown
    assert '"name": "get_weather"' in shown and "marker: the markup of a call" in shown
    told = places.stored("show", name, "--json").json
    assert told["text"]["attempts"][0]["replay"]["choices"][0]["raw"] == GLM


def test_a_record_that_is_not_there(places: Places) -> None:
    for ran in places.both("show", "of-nobody"):
        refused(ran, "there is no record of-nobody", status=1)


def test_the_export_is_a_line_of_json_each(places: Places) -> None:
    lines = [json.loads(line) for line in places.served("export", "--texts").out.splitlines()]
    assert [line["model"] for line in lines] == MODELS
    assert GLM.split("\n")[0] in lines[2]["texts"]["received.0"]
    assert all("texts" not in json.loads(line) for line in places.served("export").out.splitlines())


def test_a_key_that_is_missing_or_wrong(places: Places) -> None:
    for environ in ({}, {"API_KEY": "sk-of-nobody"}):
        ran = dragoman("records", "--url", places.url, environ=environ)
        refused(ran, places.url, "set INSPECTOR_KEY or API_KEY")
        assert "sk-of" not in ran.err


def test_nobody_is_there(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    for arguments in (["--url", url], ["export", "--url", url], ["show", "x", "--url", url]):
        refused(dragoman("records", *arguments), f"{url} does not answer: ", status=3)
    refused(dragoman("records", environ={"PROXY_PORT": url.rpartition(":")[2]}), "does not answer", status=3)
    nowhere = f"sqlite:///{tmp_path / 'nowhere.sqlite'}"
    refused(dragoman("records", environ={"RECORD_DB": nowhere}), "RECORD_DB: there is no file", status=3)
    assert not (tmp_path / "nowhere.sqlite").exists()
    (tmp_path / "text.sqlite").write_text("no database at all, but text" * 100)
    refused(
        dragoman("records", environ={"RECORD_DB": f"sqlite:///{tmp_path / 'text.sqlite'}"}), "RECORD_DB: ", status=3
    )


def test_somebody_else_is_there() -> None:
    with ScriptedBackend(Answer([b"<html>"], headers=[("Content-Type", "text/html")])) as other:
        refused(dragoman("records", "--url", other.url), "is no Dragoman", status=3)
    with ScriptedBackend(json_answer({"detail": "Not Found"}, 404)) as other:
        refused(dragoman("records", "--url", other.url), "HTTP 404")


def test_wrong_use(places: Places) -> None:
    refused(places.stored("show"), "`records show` takes one ID")
    refused(places.stored("list", "x"), "`records show` takes one ID")
    refused(places.stored("--since", "yesterday"), "--since yesterday: takes ")
    for ran in places.both("--status", "many"):
        refused(ran, "'status' must be a number")
    refused(dragoman("records", "--url", "localhost:5000"), "--url localhost:5000: takes ")
    assert places.stored("forget").status == 2


TIMES = {"90s": 910.0, "10m": 400.0, "1h": 0.0, "12": 12.0, "1970-01-01T00:01:00+00:00": 60.0}


@pytest.mark.parametrize("text", TIMES)
def test_times(text: str) -> None:
    assert _since(text) == pytest.approx(TIMES[text])


@pytest.mark.parametrize("text", ["", "1y", "-5m", "9" * 30, "1e9"])
def test_times_that_nobody_understands(text: str) -> None:
    with pytest.raises(CommandError):
        _since(text)


def _since(text: str) -> float:
    import argparse

    names = ("model", "row", "outcome", "code", "key", "face", "state", "status", "request", "slow", "until")
    options = argparse.Namespace(**dict.fromkeys(names), failed=False, since=text)
    return float(filters_of(options, now=1000.0)["since"])
