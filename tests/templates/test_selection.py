"""Who wins: what is set by hand, then registered converters, then a model's chat template, then the table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from config import Config
from converters.base import ToolCallConverter
from converters.factory import converter_factory
from converters.text.expectations import Expectations
from dialects.chat import Chat
from serving import load_config
from streaming.parser_selection import ParserSelection
from tests.cases import in_one_test
from tests.helpers import assemble
from tests.templates.answers import ANSWERS, CALLS, MADE_UP, TOOLS
from tests.templates.learning import LEARNING

pytestmark = pytest.mark.long

LEARNED = "someone/tags_typed-7b"
CALL = {"id": "a", "type": "function", "function": {"name": "find_hotel", "arguments": "{}"}}
RESULT = [{"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "a", "content": "x"}]


@pytest.fixture(scope="module")
def selection() -> ParserSelection:
    return learned_selection(chat_templates=(("", str(MADE_UP)),))


def learned_selection(**settings: Any) -> ParserSelection:
    """A selection that has learned all that there is to learn."""
    selection = ParserSelection(Config(**settings))
    assert selection.templates.settled(LEARNING)
    return selection


def selected(
    selection: ParserSelection, model: str, more: list[Any] | None = None, **settings: Any
) -> tuple[Any, Expectations]:
    """(a parser of an answer, what is expected of it)"""
    messages = [{"role": "user", "content": "hi"}, *(more or [])]
    body: Mapping[str, Any] = {"model": model, "messages": messages, "tools": TOOLS, **settings}
    new, expectations, _ = selection.select(Chat().parse_request(json.dumps(body).encode()), None)
    return new(), expectations


def read(selection: ParserSelection, model: str, text: str) -> list[tuple[str, Any]]:
    parser, _ = selected(selection, model)
    message = assemble([*parser.feed(text), *parser.finish()])
    return list(zip(message.names, message.arguments, strict=True))


def test_a_learned_row_stands_before_the_table(selection: ParserSelection) -> None:
    assert read(selection, LEARNED, ANSWERS["tags_typed"].text) == CALLS


def test_it_replaces_no_other_row(selection: ParserSelection) -> None:
    text = '</yol@ponder><tool_call>\n{"name": "find_hotel", "arguments": {"city": "Oslo"}}\n</tool_call>'
    assert read(selection, LEARNED, text) == [("find_hotel", {"city": "Oslo"})]


def test_model_syntax_wins_over_a_template() -> None:
    own = learned_selection(chat_templates=(("", str(MADE_UP)),), model_syntax=(("someone/*", "glm45"),))
    assert read(own, LEARNED, ANSWERS["tags_typed"].text) == []


def test_a_registered_converter_wins_over_a_template(selection: ParserSelection) -> None:
    class Mine(ToolCallConverter):
        def can_handle_model(self, model_name: str) -> bool:
            return model_name == LEARNED

        def parse_tool_calls(self, content: str) -> list[dict[str, Any]]:
            return [{"name": "find_hotel", "arguments": {"city": "mine"}}]

    mine = Mine()
    converter_factory.register_converter(mine)
    try:
        assert read(selection, LEARNED, "anything") == [("find_hotel", {"city": "mine"})]
    finally:
        converter_factory.unregister_converter(mine)


INSIDE: dict[str, tuple[str, list[Any], dict[str, Any], bool]] = {
    "the prompt opens it": ("tags_typed", [], {}, True),
    "a setting closes it": ("tags_typed", [], {"chat_template_kwargs": {"enable_thinking": False}}, False),
    "the prompt does not open it": ("object_tagged", [], {}, False),
    "a setting opens it": ("object_tagged", [], {"chat_template_kwargs": {"enable_thinking": True}}, True),
    "another one opens nothing": ("object_tagged", [], {"chat_template_kwargs": {"thinking": True}}, False),
    "behind the user it is opened": ("named_group", [], {}, True),
    "behind a result it is not": ("named_group", RESULT, {}, False),
    "another template opens nothing": ("object_list", [], {"chat_template_kwargs": {"enable_thinking": True}}, False),
}


@in_one_test("template, more, settings, inside", INSIDE.values(), ids=INSIDE)
def test_where_the_reasoning_starts(
    selection: ParserSelection, template: str, more: list[Any], settings: dict[str, Any], inside: bool
) -> None:
    assert selected(selection, f"x/{template}", more, **settings)[1].starts_inside is inside


def test_where_no_row_would_see_the_end_of_the_reasoning_it_is_not_begun() -> None:
    """The tags that close it are those of the learned row, which is not the one that reads."""
    own = learned_selection(chat_templates=(("", str(MADE_UP)),), model_syntax=(("someone/*", "glm45"),))
    assert selected(own, LEARNED)[1].starts_inside is False


def test_without_conversion_no_template_is_read() -> None:
    ParserSelection(Config(chat_templates=(("", "/not/there"),), convert=False))


def test_a_place_that_is_not_there_ends_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHAT_TEMPLATES", "not-there.jinja")
    with pytest.raises(SystemExit) as ended:
        load_config()
    assert ended.value.code == "CHAT_TEMPLATES: there is no file or folder 'not-there.jinja'"
