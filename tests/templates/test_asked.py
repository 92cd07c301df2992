"""A backend is asked for the templates of its models: once, in the background, and whatever it answers."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from backends.learned import StateFile, TemplateFile
from config import Config
from streaming import ModelTemplates, model_templates, template_question
from templates.apart import LearningProcess, Lesson
from tests.cases import in_one_test
from tests.helpers import chunks
from tests.servers import (
    Answer,
    Proxy,
    ScriptedBackend,
    ask,
    completion,
    json_answer,
    message_of,
    proxy_process,
    running_proxy,
    said,
    whole_stream,
)
from tests.templates.answers import ANSWERS, CALLS, TOOLS
from tests.templates.learning import LEARNING, codes_of, props, template_text, until_asked, until_learned

pytestmark = pytest.mark.long

TEMPLATE = template_text("object_list")
ANSWER = ANSWERS["object_list"].text


@pytest.fixture(autouse=True)
def fresh(backend: ScriptedBackend) -> None:
    backend.template_answer = Answer([b"{}"], 404)
    backend.template_questions.clear()
    backend.forget()


def called(proxy: Proxy, backend: ScriptedBackend, model: str) -> list[tuple[str, object]]:
    backend.answer = Answer(said(*chunks(ANSWER, 3)))
    message = message_of(whole_stream(proxy.streamed(ask(model=model, tools=TOOLS))))
    return [(call["name"], json.loads(call["arguments"])) for call in message["calls"]]


def test_one_question_for_a_model_however_many_requests_come(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.template_answer = props(TEMPLATE)
    backend.answer = json_answer(completion("Hello."))
    threads = [threading.Thread(target=proxy.buffered, args=(ask(stream=False, model="once"),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until_learned(proxy, backend, "once")
    assert called(proxy, backend, "once") == CALLS
    assert [each.target for each in backend.template_questions] == ["/props?model=once&autoload=false"]
    question = backend.template_questions[0]
    assert (question.method, question.body, question.header("Accept-Encoding")) == ("GET", b"", "identity")


class VllmLike(ScriptedBackend):
    """It knows one path only."""

    @property
    def template_answer(self) -> Answer:  # type: ignore[override]
        if self.template_questions[-1].target != "/tokenizer_info":
            return Answer([b'{"detail": "Not Found"}'], 404)
        return json_answer({"tokenizer_class": "X", "chat_template": TEMPLATE, "bos_token": {"content": "<s>"}})


def test_vllm_is_asked_where_nobody_knows_props() -> None:
    with VllmLike() as backend, running_proxy(backend) as proxy:
        until_learned(proxy, backend, "of vllm")
        targets = [each.target for each in backend.template_questions]
        assert targets == ["/props?model=of%20vllm&autoload=false", "/tokenizer_info"]
        assert called(proxy, backend, "of vllm") == CALLS


def test_the_first_request_does_not_wait() -> None:
    silent = threading.Event()
    with ScriptedBackend() as backend, running_proxy(backend) as proxy:
        backend.template_answer = Answer([silent])
        backend.answer = json_answer(completion("Hello."))
        began = time.monotonic()
        for number in range(3):
            proxy.buffered(ask(stream=False, model=f"new-{number}"))
        assert time.monotonic() - began < 1
        until_asked(backend, 1)
        silent.set()


@in_one_test(
    "settings, targets",
    [
        ({"BACKEND": "llamacpp"}, ["/props?model=m&autoload=false"]),
        ({"BACKEND": "vllm"}, ["/tokenizer_info"]),
        ({"BACKEND": "ollama"}, []),
        ({"BACKEND": "openai"}, []),
        ({"CHAT_TEMPLATES": "off"}, []),
        ({"ENABLE_TOOL_CALL_CONVERSION": "false"}, []),
    ],
)
def test_who_is_asked(backend: ScriptedBackend, settings: dict[str, str], targets: list[str]) -> None:
    backend.template_questions.clear()
    backend.answer = json_answer(completion("Hello."))
    with running_proxy(backend, **settings) as proxy:
        proxy.buffered(ask(stream=False, model="m"))
        if targets:
            until_asked(backend, len(targets))
        else:
            time.sleep(0.2)
        assert [each.target for each in backend.template_questions] == targets


def test_the_key_of_the_request_is_sent_and_no_key_of_the_proxy(backend: ScriptedBackend) -> None:
    backend.answer = json_answer(completion("Hello."))
    for settings, sent, key in (
        ({}, "Bearer own", "Bearer own"),
        ({"PROXY_API_KEYS": "own"}, "Bearer own", None),
        ({"PROXY_API_KEYS": "own", "BACKEND_API_KEY": "back"}, "Bearer own", "Bearer back"),
    ):
        backend.template_questions.clear()
        with running_proxy(backend, **settings) as proxy:
            proxy.buffered(ask(stream=False, model="m"), headers=[("Authorization", sent), ("Cookie", "a=b")])
            until_asked(backend, 2)
        assert {each.header("Authorization") for each in backend.template_questions} == {key}
        assert not any(each.header("Cookie") for each in backend.template_questions)


def test_nobody_is_asked_about_a_name_that_no_server_can_have(backend: ScriptedBackend) -> None:
    """Half a surrogate pair, which no URL can hold, ended the thread: no model was asked about any more (defect C6)."""
    backend.template_answer = props(TEMPLATE)
    templates = ModelTemplates(Config(backend_url=backend.url, backend="llamacpp"))
    for name in ("\ud800", "a\x00b", "a\nb", "m"):
        templates.wanted(name, list)
    assert templates.settled(LEARNING)
    assert [each.target for each in backend.template_questions] == ["/props?model=m&autoload=false"]


# -- answers that are no good ------------------------------------------------------------------------------------------

HOSTILE = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
BAD: dict[str, tuple[Answer, str]] = {
    "not found": (Answer([b'{"error": {"code": 404}}'], 404), "status 404"),
    "a web page": (Answer([b"<!DOCTYPE html><title>LM</title>"], headers=[("Content-Type", "text/html")]), "no JSON"),
    "elsewhere": (Answer([b""], 302, headers=[("Location", "http://127.0.0.1:1/props")]), "status 302"),
    "no object": (json_answer([TEMPLATE]), "no JSON object"),
    "no template": (json_answer({"chat_template": None}), "no chat template"),
    "another type": (json_answer({"chat_template": {"a": 1}}), "no chat template"),
    "deep": (Answer([b'{"chat_template": ' + b"[" * 100_000]), "no JSON object"),
    "too long": (Answer([b'{"chat_template": "'] + [b"x" * 65536] * 200), "more than 8388608 bytes"),
    "it breaks off": (Answer([b'{"chat_tem'], ends="broken"), "connection"),
    "a broken template": (props("{% if %}"), "no row learned: TemplateSyntaxError"),
    "no tools": (props("{% for m in messages %}<zq>{{ m.content }}</zq>{% endfor %}"), "no row learned"),
    "hostile": (props(HOSTILE), "within its bounds"),
    "huge": (props("{{ 'x' * 99999999999 }}"), "no row learned"),
}


@in_one_test("answer, why", BAD.values(), ids=BAD)
def test_what_is_no_good_is_one_line_and_changes_nothing(
    backend: ScriptedBackend, caplog: pytest.LogCaptureFixture, answer: Answer, why: str
) -> None:
    caplog.clear()
    backend.template_questions.clear()
    backend.template_answer = answer
    templates = ModelTemplates(Config(backend_url=backend.url, backend="llamacpp"))
    with caplog.at_level(logging.INFO, "dragoman.templates"):
        for _ in range(3):
            templates.wanted("m", list)
            assert templates.settled(LEARNING)
    assert len(backend.template_questions) == 1, "no second try"
    (line,) = [record.getMessage() for record in caplog.records if record.name == "dragoman.templates"]
    assert line.startswith("chat template of m") and why in line and "\n" not in line, line
    found = templates.find("m")
    assert found is None or found.row is None


@in_one_test(
    "pieces",
    [[threading.Event()], [b'{"chat_template": "', *([b"x", 0.05] * 200)]],
    ids=["never", "slowly"],
)
def test_a_backend_that_does_not_end_its_answer_is_left_in_time(
    backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch, pieces: list[object]
) -> None:
    monkeypatch.setattr(template_question, "SECONDS", 0.3)
    backend.template_answer = Answer(pieces)  # type: ignore[arg-type]
    templates = ModelTemplates(Config(backend_url=backend.url))
    began = time.monotonic()
    templates.wanted("m", list)
    assert templates.settled(10)
    assert time.monotonic() - began < 3
    assert templates.find("m") is None


def test_who_refuses_connections_is_not_waited_for() -> None:
    templates = ModelTemplates(Config(backend_url="http://127.0.0.1:9"))
    templates.wanted("m", list)
    assert templates.settled(10) and templates.find("m") is None


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def test_after_an_hour_it_is_asked_again(backend: ScriptedBackend) -> None:
    clock = Clock()
    templates = ModelTemplates(Config(backend_url=backend.url, backend="llamacpp"), clock=clock)
    for minutes, questions in ((0, 1), (59, 1), (61, 2)):
        clock.now = Clock.now + minutes * 60
        templates.wanted("m", list)
        assert templates.settled(LEARNING)
        assert len(backend.template_questions) == questions


def test_what_was_learned_counts_until_it_is_asked_again(backend: ScriptedBackend) -> None:
    clock = Clock()
    backend.template_answer = props(TEMPLATE)
    templates = ModelTemplates(Config(backend_url=backend.url, backend="llamacpp", learn_hours=24), clock=clock)
    for hours, questions in ((0, 1), (23, 1), (25, 2)):
        clock.now = Clock.now + hours * 3600
        templates.wanted("m", list)
        assert templates.settled(LEARNING)
        assert len(backend.template_questions) == questions
        backend.template_answer = Answer([b"{}"], 500)
    found = templates.find("m")
    assert found is not None and found.row is not None, "what is not told any more is not forgotten"


def test_names_that_clients_choose_cost_little(backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_templates, "MOST_MODELS", 5)
    templates = ModelTemplates(Config(backend_url=backend.url, backend="llamacpp"))
    for name in ("", "x" * 1000, *(f"m{number}" for number in range(200))):
        templates.wanted(name, list)
    assert templates.settled(LEARNING)
    assert 0 < len(backend.template_questions) < 150
    assert len(templates._of_models) <= 5


# -- what is kept ------------------------------------------------------------------------------------------------------


def test_a_restart_asks_and_learns_nothing_again(
    backend: ScriptedBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.template_answer = props(TEMPLATE)
    state = tmp_path / "state.db"
    with running_proxy(backend, STATE_FILE=state) as proxy:
        until_learned(proxy, backend, "kept")
    monkeypatch.setattr(LearningProcess, "learn", lambda *_: pytest.fail("the sandbox has run again"))
    backend.template_questions.clear()
    with running_proxy(backend, STATE_FILE=state) as restarted:
        backend.answer = json_answer(completion("Hello."))
        assert "template_row" in codes_of(restarted, ask(stream=False, model="kept")), "the first request has it"
        assert called(restarted, backend, "kept") == CALLS
        assert backend.template_questions == []
        until_learned(restarted, backend, "the same template under another name")
        assert len(backend.template_questions) == 1


def test_a_file_is_not_learned_again_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.jinja"
    path.write_text(TEMPLATE, encoding="utf-8")
    config = Config(chat_templates=(("", str(path)),))

    def learned() -> ModelTemplates:
        return ModelTemplates(config, TemplateFile(StateFile(tmp_path / "state.db")), asks=False)

    first = learned()
    assert first.settled(LEARNING)
    monkeypatch.setattr(LearningProcess, "learn", lambda *_: pytest.fail("the sandbox has run again"))
    again = learned()
    one, other = first.find("my-x"), again.find("my-x")
    assert again.settled(0) and one is not None and one == other


def test_another_worker_need_not_ask_again(backend: ScriptedBackend, tmp_path: Path) -> None:
    backend.template_answer = props(TEMPLATE)
    state = tmp_path / "state.db"
    with running_proxy(backend, STATE_FILE=state) as first, running_proxy(backend, STATE_FILE=state) as second:
        until_learned(first, backend, "shared")
        until_learned(second, backend, "shared")
        assert len(backend.template_questions) == 1


def _damaged(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


@in_one_test(
    "statement",
    [
        "UPDATE templates SET told = '{}'",
        "UPDATE templates SET told = 'x'",
        'UPDATE templates SET told = replace(told, \'"call": "\', \'"call": "{name}{name}\')',
        'UPDATE templates SET told = replace(told, \'"shape": "\', \'"shape": "x\')',
        "UPDATE templates SET told = replace(told, '\"call\": ', '\"exec\": ')",
        "UPDATE template_answers SET asked = 'never'",
        "DELETE FROM templates",
        "DROP TABLE templates",
    ],
)
def test_what_somebody_else_wrote_is_learned_again(backend: ScriptedBackend, tmp_path: Path, statement: str) -> None:
    backend.template_answer = props(TEMPLATE)
    state = tmp_path / f"{abs(hash(statement))}.db"
    for _ in range(2):
        templates = ModelTemplates(Config(backend_url=backend.url, backend="llamacpp"), TemplateFile(StateFile(state)))
        templates.wanted("m", list)
        assert templates.settled(LEARNING)
        found = templates.find("m")
        assert found is not None and found.row is not None and found.row.name == "template:m"
        _damaged(state, statement)


def test_a_forked_process_learns_by_itself(backend: ScriptedBackend, tmp_path: Path) -> None:
    path = tmp_path / "x.jinja"
    path.write_text(TEMPLATE, encoding="utf-8")
    templates = ModelTemplates(Config(backend_url=backend.url, chat_templates=(("", str(path)),)))
    child = os.fork()
    if not child:
        try:
            templates.wanted("other", list)
            os._exit(0 if templates.settled(LEARNING) and templates.find("my-x") is not None else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert templates.settled(LEARNING)


# -- the process -------------------------------------------------------------------------------------------------------


def test_requests_are_served_while_a_hostile_template_is_learned(backend: ScriptedBackend) -> None:
    """Under gunicorn, where one thread serves all."""
    with proxy_process("gunicorn", backend, CHAT_TEMPLATES="off") as quiet:
        usual = _slowest(quiet, backend)
    backend.template_answer = props(HOSTILE)
    with proxy_process("gunicorn", backend) as proxy:
        _slowest(proxy, backend, count=5)
        until_asked(backend, 1)
        while "no row learned" not in proxy.said():
            assert _slowest(proxy, backend, count=20) < usual + 0.5


def _slowest(proxy: Proxy, backend: ScriptedBackend, count: int = 50) -> float:
    backend.answer = json_answer(completion("Hello."))
    seconds = []
    for _ in range(count):
        began = time.perf_counter()
        proxy.buffered(ask(stream=False, model="m"))
        seconds.append(time.perf_counter() - began)
    return max(seconds)


@in_one_test("how", ["app", "gunicorn"])
def test_both_ways_of_serving_learn(backend: ScriptedBackend, how: str) -> None:
    backend.template_answer = props(TEMPLATE)
    with proxy_process(how, backend) as proxy:  # type: ignore[arg-type]
        until_learned(proxy, backend, "mine")
        assert called(proxy, backend, "mine") == CALLS


def test_a_process_that_sleeps_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from converters.learning.conversations import NotRendered
    from templates import child, rendering

    class Sleeping(child.Child):
        def __init__(self, command: list[str]) -> None:
            super().__init__(["-c", "import time; time.sleep(60)"])

    monkeypatch.setattr(rendering, "Child", Sleeping)
    began = time.monotonic()
    with pytest.raises(NotRendered, match="within its bounds"):
        rendering.Rendering(TEMPLATE)
    assert time.monotonic() - began < 6


def test_a_process_that_ends_is_started_again() -> None:
    from templates.sources import Template

    lesson = Lesson(Template(TEMPLATE), "template:x")
    with LearningProcess() as process:
        first = process.learn(lesson)
        assert first is not None and process._child is not None
        process._child._kill()
        assert process.learn(lesson) is None
        assert process.learn(lesson) == first
