"""What `make clients` rests on: its model, judgement and table. The SDKs that are installed here play their loops."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases import in_one_test
from tests.clients import page
from tests.clients.environments import Failed, bounded, explanation, last_line
from tests.clients.model import WRITERS, answer
from tests.clients.play import PROGRAMS, Loop, Result, judged, run_program
from tests.clients.table import BASE, CLIENTS, MODEL, Client
from tests.documents import code, in_both_languages, table
from tests.servers import ROOT, Proxy, ScriptedBackend, running_proxy

pytestmark = pytest.mark.long

PATIENCE = 120.0
"""Seconds for all loops of a program, on a busy machine."""
each_client = in_one_test("client", CLIENTS, ids=lambda client: client.name)


@pytest.fixture(scope="module")
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend(answer) as scripted:
        yield scripted


@pytest.fixture(scope="module")
def proxy(backend: ScriptedBackend) -> Iterator[Proxy]:
    with running_proxy(backend, RECORD="full") as running:
        yield running


# -- the SDKs that are installed here ----------------------------------------------------------------------------------


@pytest.mark.parametrize("program", ["openai_sdk.py", "anthropic_sdk.py", "ollama_sdk.py"])
def test_the_loops_of_an_sdk(program: str, proxy: Proxy, tmp_path: Path) -> None:
    command = [sys.executable, str(PROGRAMS / program)]
    loops = list(run_program(command, proxy.url, tmp_path / "log", PATIENCE))
    assert [loop for loop in loops if loop.complaint] == []
    assert {loop.model for loop in loops} == set(WRITERS)


def test_without_the_proxy_no_loop_works(backend: ScriptedBackend, tmp_path: Path) -> None:
    command = [sys.executable, str(PROGRAMS / "openai_sdk.py")]
    loops = list(run_program(command, backend.url, tmp_path / "log", PATIENCE))
    assert len(loops) == 8 * len(WRITERS)
    assert [loop for loop in loops if not loop.complaint] == []
    assert [loop for loop in loops if loop.way == "chat create" and "it shows markup" not in loop.complaint] == []


# -- what is judged, and what is bounded -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("서울=1, Paris=1", ""),
        ("서울=1", "does not tell Paris=1"),
        ("서울=1, Paris=1 </think>", "it shows markup"),
        ("서울=1, Paris=1<|call|>", "it shows markup"),
        ("<tool_call>get_weather", "it shows markup"),
    ],
)
def test_an_answer_is_judged(said: str, complaint: str) -> None:
    found = judged(said, "서울=1", "Paris=1")
    assert complaint in found if complaint else found == ""


def test_a_program_that_is_late_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()
    program = "import time; print('waiting', flush=True); time.sleep(60)"
    with pytest.raises(Failed, match="did not end within 2 s: waiting"):
        bounded([sys.executable, "-c", program], tmp_path, {}, tmp_path / "log", 2)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("program", "trouble"),
    [
        ("raise SystemExit('no such module')", "ended with status 1: no such module"),
        ("", "ended with status 0: it said nothing"),
        ("import os; open(os.environ['CLIENTS_RESULTS'], 'w').write('[\"create\"]\\n')", "left out loops"),
    ],
)
def test_a_program_that_plays_too_little_has_failed(program: str, trouble: str, tmp_path: Path) -> None:
    with pytest.raises(Failed, match=trouble):
        list(run_program([sys.executable, "-c", program], BASE, tmp_path / "log", PATIENCE))


def test_the_last_line_explains(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("first\nnpm error 404\n\n")
    assert last_line(tmp_path / "log") == "npm error 404"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ERROR: No matching distribution found for x\nHint: no\n", "ERROR: No matching distribution found for x"),
        (f"npm error code E404\nnpm error at {ROOT}/build\nsee\n", "npm error code E404 npm error at build"),
        ("line\nKilled\n", "Killed"),
    ],
)
def test_a_failed_installation_is_explained(said: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(said)
    assert explanation(tmp_path / "log") == told


# -- the table ---------------------------------------------------------------------------------------------------------


def test_the_names_are_different() -> None:
    assert len({client.name for client in CLIENTS}) == len({client.title for client in CLIENTS}) == len(CLIENTS)


@each_client
def test_how_a_client_is_pointed_here_is_how_it_is_run(client: Client) -> None:
    """An agent is started by the very line. The program of a library has each word of it that is not an address."""
    assert BASE in client.points
    if client.kind == "agent":
        assert MODEL in client.points and not client.program
        return
    text = (PROGRAMS / client.program).read_text(encoding="utf-8")
    shared = re.sub(re.escape(BASE), "", client.points)
    for word in re.findall(r"[A-Za-z_]\w{2,}", shared):
        assert re.search(rf"\b{word}\b", text), f"{client.program} has no {word}"


def test_every_program_is_tried() -> None:
    programs = {path.name for path in PROGRAMS.iterdir() if path.is_file()}
    assert programs - {"loops.py", "loops.mjs"} == {client.program for client in CLIENTS if client.program}


# -- the pages ---------------------------------------------------------------------------------------------------------


@in_both_languages("CLIENTS")
def test_the_page_shows_every_client(text: str) -> None:
    rows = table(text, CLIENTS[0].title)
    assert [(title, speaks, code(points)) for title, _, speaks, points, _ in rows] == [
        (client.title, client.speaks, client.points) for client in CLIENTS
    ]
    for title, version, _, _, tried in rows:
        assert re.fullmatch(r"\d[\w.]*|–", version), title
        outcomes = [f"{said}: " for words in page.PAGES.values() for said in words[1:]]
        assert tried.startswith(tuple(outcomes)), title


def test_a_row_tells_what_works_and_what_does_not() -> None:
    loops = [Loop("create", "a"), Loop("create", "b"), Loop("stream", "a", "it shows markup"), Loop("stream", "b")]
    client = CLIENTS[0]
    words = page.PAGES["docs/CLIENTS.md"]
    *_, tried = page.row(client, Result(client.name, "1.0", loops, "it did not end"), words)
    assert tried == "works: create. fails: stream (a). failed: it did not end"
    missing = Result(client.name, trouble="npm is not installed here")
    _, version, _, _, tried = page.row(client, missing, words)
    assert (version, tried) == ("–", "failed: npm is not installed here")
    assert not missing.good and not Result(client.name, "1.0", loops).good
    assert Result.from_json(missing.as_json()) == missing
