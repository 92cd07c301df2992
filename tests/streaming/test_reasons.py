"""Why what looks like a call stays text: one case for each code, and none for plain prose.

The codes are told, and nothing else: the outcome and what the client gets are those of an answer without them.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from config import Config
from converters.stages.pipeline import new_parser
from converters.stages.tracing import EXCERPT, Decision, traced_parser
from converters.text.events import Noted
from converters.text.expectations import Expectations
from converters.text.reasons import ABSTAINED, LEFT, Reason
from dialects.chat import CHAT
from streaming.decision_log import teller
from streaming.parser_selection import ParserSelection
from tests.cases import in_one_test
from tests.helpers import ROWS, Case, corpus, meaning
from tests.streaming.test_outcomes import answered

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = {"get_weather": WEATHER, "now": {}}
DECLARED = [{"type": "function", "function": {"name": name, "parameters": each}} for name, each in TOOLS.items()]
BARE = '{"name": "get_weather", "arguments": {"city": "Seoul"}}'
CALL = f"<tool_call>{BARE}</tool_call>"
TAGGED = "<tool_call>\n<function=get_weather>\n<parameter=city>{}</parameter>\n</function>\n</tool_call>"
LEFT_CASES: list[tuple[str, str, set[Reason]]] = [
    ("fenced", f"Like this:\n\n```xml\n{CALL}\n```\nThat is all.", {"quoted"}),
    ("fenced json", f"```json\n{BARE}\n```\nThat is all.", {"quoted"}),
    ("inline", f"Write `{CALL}` for that.", {"quoted"}),
    ("inline json", f"Write `{BARE}` for that.", {"quoted"}),
    ("quotation marks", f'The model said "{CALL}" and stopped.', {"quoted"}),
    ("comment", f"<!-- {CALL} -->\nDone.", {"quoted"}),
    ("list item", f"1. First\n   ```\n   {CALL}\n   ```\n2. Then", {"quoted"}),
    ("block quotation", f"> ```\n> {CALL}\n> ```\nSo it was.", {"quoted"}),
    ("unknown tag", 'Now <tool name="get_weather">Seoul</tool>', {"unknown_markup"}),
    ("unknown function", "<function-use>get_weather</function-use>", {"unknown_markup"}),
    ("unknown namespace", "<acme:tool_use>get_weather</acme:tool_use>", {"unknown_markup"}),
    ("unknown token", '<|begin_my_call|>{"city": "Seoul"}', {"unknown_markup"}),
    ("unknown bracket", "[TOOL_USE] get_weather Seoul", {"unknown_markup"}),
    ("word before json", f"Sure: {BARE}", {"bare_json_with_text"}),
    ("word behind json", f"{BARE}\nI have called it.", {"bare_json_with_text"}),
    ("word before a list", "Sure: [get_weather(city='Seoul')]", {"bare_json_with_text"}),
    ("word behind a list", "[get_weather(city='Seoul')] is what I call.", {"bare_json_with_text"}),
    ("another key", '{"name": "get_weather", "arguments": {}, "why": "asked"}', {"bare_json_unfit"}),
    ("no arguments key", '{"name": "get_weather", "city": "Seoul"}', {"bare_json_unfit"}),
    ("undeclared", CALL.replace("get_weather", "other"), {"undeclared_name"}),
    ("without its wrapper", "<function=other><parameter=a>1</parameter></function>", {"undeclared_left"}),
    ("shares its line", 'Use <tool_call>{"name": "other"}</tool_call> then.', {"undeclared_left"}),
    ("draft", f"<think>I could {CALL}</think>It is sunny.", {"draft_call"}),
    ("draft of an undeclared name", f"<think>{CALL.replace('get_weather', 'other')}</think>", {"draft_call"}),
    ("three dots", CALL.replace('{"city": "Seoul"}', "{...}"), {"placeholder_call"}),
    ("an ellipsis", CALL.replace('{"city": "Seoul"}', "…"), {"placeholder_call"}),
    ("a hole", CALL.replace('{"city": "Seoul"}', "<args>"), {"placeholder_call"}),
    ("a tagged value", TAGGED.format("..."), {"placeholder_call"}),
    ("declaration", CALL.replace('{"city": "Seoul"}', json.dumps(WEATHER).replace("city", "town")), {"declaration"}),
    (
        "for the reader",
        f"<|start|>assistant<|channel|>commentary to=all<|message|>Write {CALL} so<|end|>",
        {"in_message"},
    ),
    ("an object among calls", CALL.replace(BARE, f'[{BARE}, {{"a": 1}}]'), {"object_left"}),
]
PROSE = [
    "The quick brown fox says so, and 1 < 2 > 0.",
    "# Title\n\n- [a link](http://x.y/z), `code`, *words*\n- [ ] to do\n\n| a | b |\n|---|---|\n",
    '```json\n{"name": "Seoul", "tool": "hammer"}\n```\nand {"name": "x"}',
    "```jsx\nconst a = <Tooltip title={[b]}><Toolbar /></Tooltip>;\n```\n",
    "<p>Some <b>HTML</b> &amp; <tooltip>a tip</tooltip> <toolbar/></p> <|",
    "std::vector<int> v{1, 2}; f(x)[0]; if (a<b) { return functions[i]; }",
    "He said: \"functions are tools\", and '[TO DO]' [TOO LONG] [T",
    "<think>Which tool? The function get_weather(city).</think>It is sunny in {city}.",
    "",
]


def left(text: str, size: int, **options: Any) -> set[Reason]:
    parser = new_parser(Expectations(**{"tools": TOOLS, **options}))
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    events = [*(event for piece in pieces for event in parser.feed(piece)), *parser.finish()]
    return parser.left_as_text | {event.code for event in events if isinstance(event, Noted) and event.code in LEFT}


def test_every_code_has_a_case() -> None:
    assert set().union(*(codes for _, _, codes in LEFT_CASES)) == set(LEFT) - {"no_tools"}
    assert not ABSTAINED & set(LEFT)


@in_one_test(("name", "text", "codes"), LEFT_CASES)
def test_markup_that_stays_text_has_a_reason(name: str, text: str, codes: set[Reason]) -> None:
    for record in answered(text, tools=DECLARED):
        assert record.notes.codes & set(LEFT) == codes


@in_one_test(("name", "text", "codes"), LEFT_CASES)
def test_the_reason_does_not_depend_on_the_cut(name: str, text: str, codes: set[Reason]) -> None:
    for size in (1, 2, 3, 5, 8, 13, 1000):
        assert left(text, size) == codes, size


def test_the_outcome_is_that_of_an_answer_without_reasons() -> None:
    outcomes = {}
    for name, text, _ in LEFT_CASES:
        outcomes[name] = {record.outcome for record in answered(text, tools=DECLARED)}
    untouched = {name for name, each in outcomes.items() if each == {"untouched"}}
    assert untouched >= {"fenced", "inline", "comment", "unknown tag", "word before json", "word behind json"}
    assert outcomes["undeclared"] == {"translated"} and outcomes["three dots"] == {"abstained"}


@pytest.mark.parametrize("text", [CALL, f"Hi. {TAGGED.format('Seoul')}", "[TOOL_CALLS]get_weather{}", f"`{CALL}`"])
def test_a_request_without_tools(text: str) -> None:
    for record in answered(text, tools=[]):
        assert (record.outcome, record.notes.codes) == ("untouched", {"no_tools"})
    assert not left(BARE, 3, tools={}, translate=False)


@in_one_test("text", PROSE)
def test_plain_prose_has_no_reason(text: str) -> None:
    for options in ({}, {"tools": {}, "translate": False}):
        for size in (1, 4, 1000):
            assert left(text, size, **options) == set()


def test_an_answer_that_must_be_json_has_no_reason() -> None:
    assert left(BARE, 4, json_answer=True) == left(f"Sure: {BARE}", 4, json_answer=True) == set()


@in_one_test("case", corpus(), ids=str)
def test_the_corpus_has_the_same_reasons_at_every_cut(case: Case) -> None:
    for options in (case.expectations, {"tools": {}, "translate": False}):
        expectations = Expectations(**{"tools": case.tools, **options})
        found = []
        for size in (1, 3, 7, len(case.text)):
            parser = new_parser(expectations, ROWS[case.row])
            for start in range(0, len(case.text), size):
                parser.feed(case.text[start : start + size])
            parser.finish()
            found.append(parser.left_as_text)
        assert found.count(found[0]) == len(found)


@in_one_test("case", corpus(), ids=str)
def test_a_traced_parser_reads_as_the_ordinary_one(case: Case) -> None:
    expectations = Expectations(**{"tools": case.tools, **case.expectations})
    ordinary, traced = new_parser(expectations, ROWS[case.row]), traced_parser(expectations, ROWS[case.row])
    read = [[*each.feed(case.text), *each.finish()] for each in (ordinary, traced)]
    assert meaning(read[0]) == meaning(read[1])


# -- the log ---------------------------------------------------------------------------------------------------------


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "dragoman.decisions"]


def test_debug_tells_each_decision_with_its_span(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "dragoman.decisions")
    text = f"Like\nthis:\n```\n{CALL}\n```\n{'x' * 500}"
    parser = traced_parser(Expectations(TOOLS), None, None, teller("r1"))
    parser.feed(text)
    parser.finish()
    lines = lines_of(caplog)
    assert f"r1 at={text.index(CALL)} length=11 content code=quoted text='<tool_call>'" in lines
    assert all("\n" not in line and len(line) < 3 * EXCERPT for line in lines)
    assert "x" * (EXCERPT + 1) not in "".join(lines)


def test_the_parsers_of_answers_tell_their_decisions() -> None:
    request = CHAT.parse_request(json.dumps({"model": "m", "tools": DECLARED}).encode())
    told: list[Decision] = []
    parser = ParserSelection(Config()).select(request, None, told.extend)[0]()
    assert parser.lease() is None
    parser.feed_reasoning("Hm. ")
    parser.feed(f"Sure. {CALL}")
    parser.finish()
    assert told[0].became == "reasoning" and {each.became for each in told} >= {"content", "call"}
    assert sum(each.end - each.start for each in told) == len(f"Hm. Sure. {CALL}")


def test_the_decisions_about_a_long_text_that_was_held_are_told_too() -> None:
    told: list[Decision] = []
    parser = traced_parser(Expectations(TOOLS), None, None, told.extend)
    parser.feed(f"```json\n{BARE}")
    events = [event for batch in parser.ending() for event in batch]
    assert events and sum(each.end - each.start for each in told) == len(f"```json\n{BARE}")


def test_at_info_no_decision_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dragoman.decisions")
    assert teller("r1") is None
