"""The promise to third parties: two methods make a converter that works buffered and streamed.

The sample of examples/custom_converter runs here as it stands, and so does what its README shows.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from config import Config
from converters import Event, Expectations, Text, ToolCallConverter, converter_factory
from converters.base import StreamingToolCallHandler
from streaming.custom_converter import converter_for, parser_for
from tests.helpers import Message, assemble, chunks, cuts, spans
from tests.servers import (
    HOST,
    Answer,
    Json,
    Proxy,
    Received,
    ScriptedBackend,
    completion,
    free_port,
    json_answer,
    message_in,
    message_of,
    running_proxy,
    said,
    started,
    tool,
    wait_until_listening,
    whole_stream,
)

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "examples/custom_converter"
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
TOOLS = {"get_weather": WEATHER, "get_time": {}}
SEOUL = '<mytool>{"name": "get_weather", "arguments": {"city": "Seoul"}}</mytool>'
TIME = '<mytool>{"name": "get_time"}</mytool>'


def load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MyModelConverter: type[ToolCallConverter] = load(SAMPLE / "my_model.py").MyModelConverter


class TwoMethods(ToolCallConverter):
    """What the sample would be without its two hints."""

    def can_handle_model(self, model_name: str) -> bool:
        return model_name == "two-methods"

    def parse_tool_calls(self, content: str) -> list[dict[str, Any]]:
        return MyModelConverter().parse_tool_calls(content)


class Lineage(ToolCallConverter):
    """As converters were written for llm-toolcall-proxy, by its own base class."""

    def can_handle_model(self, model_name: str) -> bool:
        return "mymodel" in model_name.lower()

    def parse_tool_calls(self, content: str) -> list[dict[str, Any]]:
        calls = []
        for i, block in enumerate(re.findall(r"<mytool>\s*(\{.*?\})\s*</mytool>", content, re.DOTALL)):
            data = json.loads(block)
            arguments = json.dumps(data.get("arguments", {}), ensure_ascii=False)
            function = {"name": data["name"], "arguments": arguments}
            calls.append({"id": str(1000000 + i), "type": "function", "function": function})
        return calls

    def has_partial_tool_call(self, content: str) -> bool:
        return "<mytool>" in content or "</mytool>" in content

    def is_complete_tool_call(self, content: str) -> bool:
        return bool(re.search(r"<mytool>.*?</mytool>", content, re.DOTALL))

    def _clean_content(self, content: str) -> str:
        return re.sub(r"<mytool>.*?</mytool>", "", content, flags=re.DOTALL).strip()


class LineageStreamingHandler(StreamingToolCallHandler):
    """Files of the lineage define one beside each converter."""

    def __init__(self) -> None:
        super().__init__(Lineage())


def run(converter: ToolCallConverter, pieces: Iterable[str], cut: bool = False, **more: Any) -> list[Event]:
    parser = parser_for(converter, Expectations(TOOLS, **more))
    return [event for piece in pieces for event in parser.feed(piece)] + parser.finish(cut)


def read(converter: ToolCallConverter, text: str, cut: bool = False, **more: Any) -> Message:
    """What a text means, which must be the same however it is cut."""
    whole = assemble(run(converter, [text], cut, **more))
    for pieces in cuts(text):
        assert assemble(run(converter, pieces, cut, **more)) == whole, pieces
    return whole


@contextmanager
def registered(*converters: ToolCallConverter, priority: int | None = None) -> Iterator[None]:
    for converter in converters:
        converter_factory.register_converter(converter, priority)
    try:
        yield
    finally:
        for converter in converters:
            converter_factory.unregister_converter(converter)


@pytest.fixture(autouse=True)
def _registers_are_left_as_they_were() -> Iterator[None]:
    before = converter_factory.list_supported_models()
    yield
    assert converter_factory.list_supported_models() == before


@pytest.fixture
def errors() -> Iterator[list[logging.LogRecord]]:
    """What is logged of foreign code that raised."""
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler = Keep()
    log = logging.getLogger("dragoman.converters")
    log.addHandler(handler)
    yield records
    log.removeHandler(handler)


# -- the sample ------------------------------------------------------------------------------------------------------

CASES: dict[str, tuple[str, str, list[tuple[str, dict[str, Any]]]]] = {
    "no call": ("Good morning.", "Good morning.", []),
    "only a call": (SEOUL, "", [("get_weather", {"city": "Seoul"})]),
    "text around a call": (
        f"One moment.\n{SEOUL}\nDone.",
        "One moment.\n\nDone.",
        [("get_weather", {"city": "Seoul"})],
    ),
    "white space around a call": (f"\n {SEOUL}\n\n", "", [("get_weather", {"city": "Seoul"})]),
    "two calls and text between": (
        f"One.{SEOUL} and {TIME}",
        "One. and",
        [("get_weather", {"city": "Seoul"}), ("get_time", {})],
    ),
    "two identical calls": (SEOUL + SEOUL, "", [("get_weather", {"city": "Seoul"})] * 2),
    "markers in a string": (
        '<mytool>{"name": "get_weather", "arguments": {"city": "</mytool><mytool>"}}</mytool>',
        "",
        [("get_weather", {"city": "</mytool><mytool>"})],
    ),
    "other scripts and escapes": (
        '날씨: <mytool>{"name": "get_weather", "arguments": {"city": "서울 \\"😀\\"\\n"}}</mytool>',
        "날씨:",
        [("get_weather", {"city": '서울 "😀"\n'})],
    ),
    "nested arguments": (
        '<mytool> {"name": "get_time", "arguments": {"a": {"b": [1, {"c": null}]}}}\n</mytool>',
        "",
        [("get_time", {"a": {"b": [1, {"c": None}]}})],
    ),
    "a marker that is none": ("a <my <mytoo <mytool b", "a <my <mytoo <mytool b", []),
    "a marker without a call": ("Write <mytool> first.", "Write <mytool> first.", []),
    "a block that cannot be read": (f"<mytool>{{oops}}</mytool> {TIME}", "<mytool>{oops}</mytool>", [("get_time", {})]),
    "a block without a name": ('<mytool>{"arguments": {}}</mytool>', '<mytool>{"arguments": {}}</mytool>', []),
    "a block that is a list": ("<mytool>[1]</mytool>", "<mytool>[1]</mytool>", []),
    "a name that needs repair": (
        '<mytool>{"name": "functions.Get-Weather", "arguments": {}}</mytool>',
        "",
        [("get_weather", {})],
    ),
    "a built-in syntax": (
        '<tool_call>{"name": "get_time", "arguments": {}}</tool_call>',
        '<tool_call>{"name": "get_time", "arguments": {}}</tool_call>',
        [],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_sample_at_every_cut(name: str) -> None:
    text, content, calls = CASES[name]
    message = read(MyModelConverter(), text)
    assert message.content == content
    assert list(zip(message.names, message.arguments, strict=True)) == calls
    assert set(message.endings) <= {"complete"}


@pytest.mark.parametrize("name", CASES)
def test_every_character_is_accounted_for(name: str) -> None:
    text, _, _ = CASES[name]
    for pieces in cuts(text):
        assert spans(run(TwoMethods(), pieces)) == text


def test_text_that_is_given_back_is_accounted_for_once() -> None:
    text = f"One moment. {SEOUL}\nDone."
    assert spans(run(MyModelConverter(), [text])) == text


def test_an_end_token_behind_the_calls_is_taken_off() -> None:
    assert read(MyModelConverter(), f"One moment. {SEOUL}<|im_end|>").content == "One moment."


def test_reasoning_is_told_apart_before_the_converter_reads() -> None:
    message = read(MyModelConverter(), f"<think>Should I {SEOUL}?</think>\nOne moment.\n{TIME}")
    assert message.reasoning == f"Should I {SEOUL}?"
    assert (message.content, message.names) == ("One moment.", ["get_time"])


def test_a_call_that_was_cut_is_left_as_text() -> None:
    message = read(MyModelConverter(), f"One.\n{TIME}\n{SEOUL[:40]}", cut=True)
    assert message.names == ["get_time"]
    assert message.content == f"One.\n\n{SEOUL[:40]}"


def test_the_request_still_has_its_say() -> None:
    text = f"Both: {SEOUL}{TIME}"
    assert read(MyModelConverter(), text, choice="none").calls == []
    assert read(MyModelConverter(), text, choice="none").content == "Both:"
    assert read(MyModelConverter(), text, parallel=False).names == ["get_weather"]
    assert read(MyModelConverter(), text, whole_calls=True).names == ["get_weather", "get_time"]
    assert read(MyModelConverter(), text, translate=False).content == text


def test_text_before_the_first_marker_flows_at_once() -> None:
    parser = parser_for(MyModelConverter(), Expectations(TOOLS))
    assert parser.feed("Let me") == [Text("Let me")]
    assert parser.feed("!") == [Text("!")]
    assert parser.feed("<mytoo") == []  # it may still become the marker
    assert parser.feed("th") == [Text("<mytooth")]
    assert parser.feed(f"? {SEOUL[:9]}") == [Text("?")]
    assert parser.feed(f"{SEOUL[9:]} Done.") == []
    message = assemble(parser.finish())
    assert (message.content, message.names) == ("  Done.", ["get_weather"])


def test_without_start_markers_an_answer_is_held_to_its_end() -> None:
    parser = parser_for(TwoMethods(), Expectations(TOOLS))
    assert parser.feed("Let me look.") == []
    assert parser.finish() == [Text("Let me look.")]


def test_without_strip_tool_calls_the_text_around_a_call_is_dropped() -> None:
    message = read(TwoMethods(), f"One moment.\n{SEOUL}\nDone.")
    assert (message.content, message.names) == ("", ["get_weather"])
    assert message.removed == ["custom_converter"]
    assert read(TwoMethods(), "One moment.").content == "One moment."


def test_several_start_markers() -> None:
    class Three(TwoMethods):
        start_markers = ("<my", "[tool", "<mytool>")  # one is the beginning of another

    parser = parser_for(Three(), Expectations(TOOLS))
    assert parser.feed("a [t <m [") == [Text("a [t <m")]
    assert parser.feed("tool") == []
    assert assemble(parser.finish()).content == " [tool"
    assert read(Three(), f"One. {SEOUL}").names == ["get_weather"]


# -- what a converter may return -------------------------------------------------------------------------------------


class Returns(ToolCallConverter):
    """Finds the same calls in every text."""

    def __init__(self, *calls: Any) -> None:
        self.calls = list(calls)

    def can_handle_model(self, model_name: str) -> bool:
        return True

    def parse_tool_calls(self, content: str) -> list[dict[str, Any]]:
        return self.calls


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"city": "서울", "days": 3}, {"city": "서울", "days": 3}),
        ('{"city": "서울", "days": 3}', {"city": "서울", "days": 3}),
        ("{'city': 'Seoul', 'days': None,}", {"city": "Seoul", "days": None}),
        ({}, {}),
        ("", {}),
        (None, {}),
        ({"days": [1, {"deep": True}]}, {"days": [1, {"deep": True}]}),
    ],
    ids=str,
)
def test_arguments_as_a_dict_or_as_json(arguments: Any, wanted: dict[str, Any]) -> None:
    plain = {"name": "get_weather", "arguments": arguments}
    for call in (plain, {"type": "function", "function": plain}):
        assert read(Returns(call), "some text").arguments == [wanted]


@pytest.mark.parametrize("arguments", ["[1, 2]", '{"city": "Seo', "{...}", '{"city": a + b}'])
def test_arguments_that_cannot_be_read_make_no_call(arguments: str) -> None:
    message = read(Returns({"name": "get_weather", "arguments": arguments}), "some text")
    assert (message.content, message.calls, message.noted) == ("some text", [], ["arguments_unreadable"])


def test_arguments_may_be_missing() -> None:
    assert read(Returns({"name": "get_weather"}), "some text").arguments == [{}]


def test_an_id_is_kept_and_may_be_missing() -> None:
    calls = [{"name": "get_time", "id": "call_7"}, {"name": "get_time"}, {"name": "get_time", "id": ""}]
    assert [call_id for _, _, call_id in read(Returns(*calls), "some text").calls] == ["call_7", None, None]


def test_no_calls_may_be_none_at_all() -> None:
    nothing = Returns()
    nothing.calls = None  # type: ignore[assignment]  # a method that ends without `return`
    assert read(nothing, "some text").content == "some text"


# -- the lineage -----------------------------------------------------------------------------------------------------


def test_a_converter_of_the_lineage_works_unchanged() -> None:
    assert LineageStreamingHandler().converter is not None
    message = read(Lineage(), f"One moment.\n{SEOUL}\n\n{TIME}\nDone.")
    assert list(zip(message.names, message.arguments, strict=True)) == [
        ("get_weather", {"city": "Seoul"}),
        ("get_time", {}),
    ]
    assert message.content == "One moment.\n\n\n\nDone."
    assert [call_id for _, _, call_id in message.calls] == ["1000000", "1000001"]
    assert read(Lineage(), "Good morning.").content == "Good morning."


def test_a_converter_of_the_lineage_may_read_its_settings() -> None:
    class WithSettings(Lineage):
        def __init__(self) -> None:
            self.config = Config()

        def _clean_content(self, content: str) -> str:
            content = super()._clean_content(content)
            return re.sub("<think>.*?</think>", "", content) if self.config.REMOVE_THINK_TAGS else content

    message = read(WithSettings(), f"One moment. {SEOUL}")
    assert (message.content, message.names) == ("One moment.", ["get_weather"])


# -- code that raises ------------------------------------------------------------------------------------------------


def _raises(*_: Any) -> Any:
    raise LookupError("a bug of somebody else")


def broken(name: str) -> ToolCallConverter:
    """The sample with a bug in one method."""
    converter: ToolCallConverter = type("Broken", (MyModelConverter,), {name: _raises})()
    return converter


@pytest.mark.parametrize("name", ["parse_tool_calls", "strip_tool_calls", "new_parser"])
def test_code_that_raises_costs_nobody_their_text(name: str, errors: list[logging.LogRecord]) -> None:
    text = f"One moment.\n{SEOUL}\nDone. "
    message = read(broken(name), text)
    assert (message.content, message.calls) == (text, [])
    assert spans(run(broken(name), [text])) == text
    logged = errors[-1]
    assert logged.exc_info and "a bug of somebody else" in str(logged.exc_info[1])
    assert "Broken" in logged.getMessage()


@pytest.mark.parametrize(
    "calls",
    [
        [{}],
        [{"arguments": {}}],
        ["get_time"],
        [{"name": "get_time"}, None],
        [{"name": "get_time", "arguments": {1: {2}}}],
    ],
    ids=str,
)
def test_calls_that_are_none_cost_nobody_their_text(calls: list[Any], errors: list[logging.LogRecord]) -> None:
    message = read(Returns(*calls), "some text")
    assert (message.content, message.calls) == ("some text", [])
    assert errors


class OwnParser(TwoMethods):
    """Streams by itself, until it meets its bug."""

    def new_parser(self, expectations: Expectations) -> Any:
        class Parser:
            held = ""

            def feed(self, text: str) -> list[Event]:
                if "!" in text:
                    raise LookupError("a bug of somebody else")
                said, self.held = self.held, text
                return [Text(said)] if said else []

            def finish(self, cut: bool = False) -> list[Event]:
                return [Text(self.held)] if self.held else []

        return Parser()


def test_a_parser_that_raises_on_the_way_loses_and_doubles_nothing(errors: list[logging.LogRecord]) -> None:
    assert read(OwnParser(), "Good morning to all.").content == "Good morning to all."
    assert not errors
    assert read(OwnParser(), "Good morning! All of you!").content == "Good morning! All of you!"
    assert errors


def test_a_converter_that_cannot_say_whether_it_is_meant(errors: list[logging.LogRecord]) -> None:
    text = '<tool_call>{"name": "get_time", "arguments": {}}</tool_call>'
    with registered(broken("can_handle_model")):
        assert read(converter_for("mymodel"), text).names == ["get_time"]
    assert "can_handle_model" in errors[-1].getMessage()


@pytest.mark.usefixtures("errors")
def test_a_converter_that_cannot_say_whether_it_is_meant_stands_in_nobodys_way() -> None:
    sample = MyModelConverter()
    with registered(broken("can_handle_model"), sample):
        assert converter_for("mymodel") is sample
        assert converter_for("glm-4.7") is converter_factory.get_builtin("glm-4.7")


# -- the register ----------------------------------------------------------------------------------------------------


def test_register_and_unregister() -> None:
    sample = MyModelConverter()
    before = converter_factory.get_converter("mymodel-7b")
    with registered(sample):
        assert converter_factory.get_converter("mymodel-7b") is sample
        assert converter_factory.get_converter("another") is not sample
        assert converter_factory.list_supported_models()[0] == "MyModelConverter"
    assert converter_factory.get_converter("mymodel-7b") is before
    with pytest.raises(ValueError, match="not in list"):
        converter_factory.unregister_converter(sample)


def test_a_registered_converter_comes_before_the_built_in_ones() -> None:
    row = converter_factory.get_converter("glm-4.5")
    everything = Returns()
    with registered(everything):
        assert converter_factory.get_converter("glm-4.5") is everything
    assert converter_factory.get_converter("glm-4.5") is row


def test_the_order_of_registered_converters() -> None:
    one, two, three = Returns(), Returns(), Returns()
    with registered(one, two):
        assert converter_factory.get_converter("any") is one
        with registered(three, priority=0):
            assert converter_factory.get_converter("any") is three
        with registered(three, priority=1):
            assert converter_factory.get_converter("any") is one
            converter_factory.unregister_converter(one)
            assert converter_factory.get_converter("any") is three
            converter_factory.register_converter(one)
            assert converter_factory.get_converter("any") is three


# -- through the proxy -----------------------------------------------------------------------------------------------


def _echo(received: Received) -> Answer:
    """The model says what it is told to, streamed in pieces of three characters."""
    body = received.json()
    text = body["messages"][-1]["content"]
    return Answer(said(*chunks(text, 3))) if body.get("stream") else json_answer(completion(text))


@pytest.fixture(scope="module")
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend(_echo) as scripted:
        yield scripted


def told(proxy: Proxy, says: str) -> Json:
    """What a client makes of an answer of these words, which must be the same buffered and streamed."""
    declared = [tool("get_weather", city="string"), tool("get_time")]
    body = {"model": "mymodel-7b", "messages": [{"role": "user", "content": says}], "tools": declared}
    buffered = message_in(proxy.buffered(body))
    assert message_of(whole_stream(proxy.streamed({**body, "stream": True}))) == buffered
    return buffered


def answer(content: str, *calls: tuple[str, str]) -> Json:
    reasons = ["tool_calls" if calls else "stop"]
    wanted = [{"name": name, "arguments": arguments} for name, arguments in calls]
    return {"role": "assistant", "content": content, "calls": wanted, "reasons": reasons}


WORDS = f"One moment.\n{SEOUL}{TIME}\nDone."
WANTED = answer("One moment.\n\nDone.", ("get_weather", '{"city": "Seoul"}'), ("get_time", "{}"))


def test_through_the_proxy(backend: ScriptedBackend, errors: list[logging.LogRecord]) -> None:
    with running_proxy(backend) as proxy:
        assert told(proxy, WORDS) == answer(WORDS)  # nobody knows that syntax yet
        with registered(MyModelConverter()):
            assert told(proxy, WORDS) == WANTED
            assert told(proxy, "Good morning.") == answer("Good morning.")
        with registered(TwoMethods()):
            assert told(proxy, WORDS) == answer(WORDS)  # it is not for that model
        assert not errors
        with registered(broken("parse_tool_calls")):
            assert told(proxy, WORDS) == answer(WORDS)
        assert len(errors) == 2


def test_a_row_that_is_asked_for_by_name_comes_first(backend: ScriptedBackend) -> None:
    hermes = '<tool_call>{"name": "get_time", "arguments": {}}</tool_call>'
    with registered(MyModelConverter()), running_proxy(backend) as proxy:
        assert told(proxy, hermes) == answer(hermes)
    with registered(MyModelConverter()), running_proxy(backend, MODEL_SYNTAX="mymodel*=hermes") as proxy:
        assert told(proxy, hermes) == answer("", ("get_time", "{}"))
        assert told(proxy, WORDS) == answer(WORDS)


SERVE = SAMPLE / "serve.py"
GUNICORN = ["-m", "gunicorn", "-c", "gunicorn.conf.py", "--pythonpath", "examples/custom_converter", "serve:make_app()"]
FROM_HERE = [str(ROOT / word) if (ROOT / word).exists() else word for word in GUNICORN]
"""The same from any folder."""


@pytest.mark.parametrize(
    ("command", "path"),
    [
        pytest.param([str(SERVE)], "", id="serve.py"),
        pytest.param(
            FROM_HERE, str(ROOT), id="gunicorn", marks=pytest.mark.skipif(os.name == "nt", reason="gunicorn needs Unix")
        ),
    ],
)
def test_the_sample_serves(command: list[str], path: str, backend: ScriptedBackend) -> None:
    port = free_port()
    settings = {"BACKEND_URL": backend.url, "PROXY_HOST": HOST, "PROXY_PORT": str(port), "PYTHONPATH": path}
    with started(command, settings, port) as process:
        wait_until_listening(process)
        assert told(process, WORDS) == WANTED


# -- what its README shows -------------------------------------------------------------------------------------------

README = (SAMPLE / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_readme_shows_what_is_tested_here() -> None:
    (kind, text), (_, serving), (_, gunicorn), (python, code) = BLOCKS
    assert (kind, python) == ("text", "python")
    assert read(MyModelConverter(), text).names == ["get_weather"]
    assert serving == f"BACKEND=llamacpp python {SERVE.relative_to(ROOT)}\n"
    *words, last = GUNICORN[1:]
    assert gunicorn == f'BACKEND=llamacpp {" ".join(words)} "{last}"\n'
    known = converter_factory.list_supported_models()
    exec(compile(code, "README.md", "exec"), {"__name__": "shown"})
    shown = converter_factory.get_converter("shout-1")
    try:
        assert len(converter_factory.list_supported_models()) == len(known) + 1
        message = read(shown, 'Wait.\nCALL get_weather {"city": "Seoul"}\nCALL get_time {}')
        assert (message.names, message.arguments) == (["get_weather", "get_time"], [{"city": "Seoul"}, {}])
    finally:
        converter_factory.unregister_converter(shown)


def test_the_readme_names_every_member_of_the_api() -> None:
    api = {name for name in vars(ToolCallConverter) if not name.startswith("_")}
    assert set(re.findall(r"^\| `(\w+)", README, re.MULTILINE)) == api


def test_the_readme_links_to_what_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)", README):
        assert (SAMPLE / target).exists(), target
