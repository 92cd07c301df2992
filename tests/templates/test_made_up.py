"""Made-up templates, whose markers occur nowhere else, through the running proxy.

CHAT_TEMPLATES alone is set; or nothing at all, before a server that tells its template as llama-server does.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from config import Config
from converters.syntaxes import SYNTAXES
from dialects.chat import CHAT
from streaming.model_templates import ModelTemplates
from streaming.parser_selection import ParserSelection
from tests.cases import in_one_test
from tests.helpers import assemble, chunks, cuts
from tests.scale import share
from tests.servers import Answer as Script
from tests.servers import (
    Json,
    Proxy,
    ScriptedBackend,
    ask,
    completion,
    json_answer,
    message_in,
    message_of,
    proxy_process,
    running_proxy,
    said,
    whole_stream,
)
from tests.templates.answers import ANSWERS, CALLS, MADE_UP, REFUSED, TOOLS
from tests.templates.learning import learned_of, props, template_text, until_learned

pytestmark = pytest.mark.long

SHAPES = {
    "object": "json_object",
    "named": "named_json",
    "relaxed": "relaxed",
    "python": "pythonic",
    "tags": "tagged",
    "elements": "elements",
}
PAUSE = 0.005
"""Seconds between two frames, so that they are not read at once."""
OF_ARGUMENTS = ("<b>", "<city>", "</city>", "<nights>", "</nights>", "<text>", "</text>")


class Telling(ScriptedBackend):
    """It tells the template of the model that it is asked about."""

    @property
    def template_answer(self) -> Script:  # type: ignore[override]
        asked = parse_qs(urlsplit(self.template_questions[-1].target).query).get("model", [""])[0]
        template = asked.removeprefix("someone/").removesuffix("-7b:q4")
        known = template in ANSWERS or template in REFUSED
        return props(template_text(template)) if known else Script([b"{}"], 404)


@pytest.fixture(scope="module")
def selection() -> ParserSelection:
    config = Config.from_environment({"BACKEND_URL": "http://nobody", "CHAT_TEMPLATES": str(MADE_UP)})
    templates = ModelTemplates(config, asks=False)
    until = time.monotonic() + 60
    while not all(templates.find(model_of(template)) for template in ANSWERS):
        assert time.monotonic() < until, "not learned"
        time.sleep(0.05)
    return ParserSelection(config, templates)


@pytest.fixture(scope="module")
def backend() -> Iterator[ScriptedBackend]:
    with Telling() as started:
        yield started


@pytest.fixture(scope="module", params=["CHAT_TEMPLATES", "/props"])
def proxy(request: pytest.FixtureRequest, backend: ScriptedBackend) -> Iterator[Proxy]:
    if request.param == "CHAT_TEMPLATES":
        with running_proxy(backend, CHAT_TEMPLATES=str(MADE_UP)) as running:
            for template in ANSWERS:
                until_learned(running, backend, model_of(template))
            yield running
        return
    with running_proxy(backend) as running:
        backend.answer = json_answer(completion("Hello."))
        for template in (*REFUSED, *ANSWERS):
            running.buffered(ask(stream=False, model=model_of(template)))
        for template in ANSWERS:
            until_learned(running, backend, model_of(template))
        yield running


def model_of(template: str) -> str:
    """A name that says nothing to the table, and contains the file's stem."""
    return f"someone/{template}-7b:q4"


def meant(message: Json) -> Json:
    """A message without what differs from answer to answer."""
    calls = [(call["name"], json.loads(call["arguments"])) for call in message["calls"]]
    reasoning = message.get("reasoning_content") or ""
    return {"calls": calls, "content": (message["content"] or "").strip(), "reasoning": reasoning.strip()}


def wanted(template: str) -> Json:
    answer = ANSWERS[template]
    return {"calls": CALLS, "content": answer.content, "reasoning": answer.reasoning}


@in_one_test("template", ANSWERS)
def test_a_row_is_learned_that_the_table_does_not_have(template: str) -> None:
    found = learned_of(template)
    assert found.row is not None, found.why
    assert not found.is_listed
    assert found.proof is not None and found.proof.holds and not found.proof.not_rendered
    assert found.row.shape == SHAPES[template.partition("_")[0]]


@in_one_test("template", ANSWERS)
@in_one_test("stream", [False, True], ids=["buffered", "streamed"])
def test_its_answers_are_translated(backend: ScriptedBackend, proxy: Proxy, template: str, stream: bool) -> None:
    answer = ANSWERS[template]
    request = ask(stream=stream, model=model_of(template), tools=TOOLS, **answer.settings)
    backend.answer = Script(said(answer.text)) if stream else json_answer(completion(answer.text))
    if stream:
        message = message_of(whole_stream(proxy.streamed(request)))
    else:
        message = message_in(proxy.buffered(request))
    assert meant(message) == wanted(template)
    assert message["reasons"] == ["tool_calls"]


@in_one_test("template", ANSWERS)
def test_at_every_cut(selection: ParserSelection, template: str) -> None:
    answer = ANSWERS[template]
    body = json.dumps(ask(model=model_of(template), tools=TOOLS, **answer.settings)).encode()
    new_parser, _, _ = selection.select(CHAT.parse_request(body), None)
    for pieces in cuts(answer.text, pairs=10_000):
        parser = new_parser()
        message = assemble([*(event for piece in pieces for event in parser.feed(piece)), *parser.finish()])
        calls = [(name, json.loads(arguments)) for name, arguments, _ in message.calls]
        found = {"calls": calls, "content": message.content.strip(), "reasoning": message.reasoning.strip()}
        assert found == wanted(template), pieces


@in_one_test("template", ANSWERS)
def test_at_some_cuts_through_the_proxy(backend: ScriptedBackend, proxy: Proxy, template: str) -> None:
    answer = ANSWERS[template]
    request = ask(model=model_of(template), tools=TOOLS, **answer.settings)
    text = answer.text
    pairs = [[text[:at], text[at:]] for at in range(1, len(text))]
    for pieces in [chunks(text, 1), chunks(text, 3), *share(pairs, 16, len(text))]:
        backend.answer = Script(said(*pieces))
        streamed = whole_stream(proxy.streamed(request))
        assert meant(message_of(streamed)) == wanted(template), pieces


def test_under_gunicorn_too(backend: ScriptedBackend) -> None:
    """There the child processes of templates are gevent's."""
    path = MADE_UP / "object_tagged.jinja"
    answer = ANSWERS["object_tagged"]
    with proxy_process("gunicorn", backend, CHAT_TEMPLATES=f"mine*={path}") as proxy:
        until_learned(proxy, backend, "mine")
        backend.answer = Script(said(*chunks(answer.text, 3)))
        request = ask(model="mine", tools=TOOLS, **answer.settings)
        assert meant(message_of(whole_stream(proxy.streamed(request)))) == wanted("object_tagged")


@in_one_test("template", ANSWERS)
def test_the_arguments_stream(backend: ScriptedBackend, proxy: Proxy, template: str) -> None:
    answer = ANSWERS[template]
    frames = said(*chunks(answer.text, 6))
    backend.answer = Script([piece for frame in frames for piece in (frame, PAUSE)])
    streamed = whole_stream(proxy.streamed(ask(model=model_of(template), tools=TOOLS, **answer.settings)))
    deltas = [
        entry["function"]["arguments"]
        for choice in streamed.choices(0)
        for entry in choice["delta"].get("tool_calls") or []
        if entry["index"] == 1
    ]
    assert len(deltas) > 2, deltas


@in_one_test("template", REFUSED)
def test_what_no_shape_fits_is_refused_with_the_reason(template: str) -> None:
    found = learned_of(template)
    assert found.row is None
    assert REFUSED[template][1] in found.why
    assert "\n" not in found.why


@in_one_test("template", REFUSED)
def test_what_is_refused_changes_nothing(backend: ScriptedBackend, proxy: Proxy, template: str) -> None:
    text = f"Well. {REFUSED[template][0]}"
    backend.answer = Script(said(*chunks(text, 3)))
    message = message_of(whole_stream(proxy.streamed(ask(model=model_of(template), tools=TOOLS))))
    assert (message["content"], message["calls"]) == (text, [])


def test_another_model_is_read_by_the_table(backend: ScriptedBackend, proxy: Proxy) -> None:
    text = ANSWERS["object_list"].text
    backend.answer = json_answer(completion(text))
    assert message_in(proxy.buffered(ask(stream=False, model="unheard-of", tools=TOOLS)))["calls"] == []


def test_their_markers_occur_nowhere_else() -> None:
    table = json.dumps([[row.call, row.group, row.parameter, row.also_call] for row in SYNTAXES], ensure_ascii=False)
    for answer in ANSWERS.values():
        markers = re.findall(r"<[^<>\s]*>|⟪[^⟫]*⟫|\^\[\w+\]\^", answer.text)
        own = [marker for marker in markers if marker not in OF_ARGUMENTS]
        assert own and not [marker for marker in own if marker in table]
