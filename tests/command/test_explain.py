"""`dragoman explain`: every character is explained once, as `convert` reads it; its words are golden files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from command.reading import ModelText, converted, decisions
from tests.cases import in_one_test
from tests.command.running import TOOLS, dragoman, write_json
from tests.command.test_convert import declared
from tests.helpers import Case, corpus

GOLDEN = Path(__file__).parent / "golden"

THINKING = "<think>The city is Seoul.</think>"
CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Seoul", "days": 3,}}\n</tool_call>'
TEXTS = {
    "call": f"{THINKING}\nLet me look. ⛅\n{CALL}<|im_end|>",
    "quoted": f"This is how it is written:\n```\n{CALL}\n```\nNothing was called.",
    "unknown": "<my_tool_call>get_weather</my_tool_call>",
    "unreadable": '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Seoul',
    "escape": "\x1b[2J\x1b]0;title\x07 cleared",
    "empty": "",
}
"""Whose explanations are golden."""
FAULTY = {"quoted", "unknown", "unreadable"}


@in_one_test("case", corpus(), ids=str)
def test_every_character_is_explained_once(case: Case) -> None:
    given = ModelText(case.text, declared(case), cut=bool(case.expectations.get("cut")))
    found = decisions(given)
    spans = [(each.start, each.end) for each in found if each.end > each.start]
    assert [start for start, _ in spans] == [0, *(end for _, end in spans)][: len(spans)]
    assert (spans[-1][1] if spans else 0) == len(case.text)
    assert any(each.became == "call" for each in found) == converted(given).has_call
    assert all(each.sentence for each in found)


@pytest.mark.parametrize("name", TEXTS)
def test_the_explanation_is_that_of_the_golden_file(name: str, tmp_path: Path) -> None:
    """To write them anew: WRITE_GOLDEN=1, and look at the difference."""
    tools = write_json(tmp_path / "tools.json", TOOLS)
    ran = dragoman("explain", "--tools", tools, "--model", "hermes-3", given=TEXTS[name])
    path = GOLDEN / f"explain-{name}.txt"
    if os.environ.get("WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(ran.out, encoding="utf-8")
    assert ran.out == path.read_text(encoding="utf-8")
    assert ran.err == "" and "\x1b" not in ran.out and "\x07" not in ran.out
    assert ran.status == (1 if name in FAULTY else 0)


def test_without_tools_it_says_so() -> None:
    ran = dragoman("explain", given=CALL)
    assert ran.status == 1 and "no_tools" in ran.out


def test_colours_show_what_became_of_the_text(tmp_path: Path) -> None:
    tools = write_json(tmp_path / "tools.json", TOOLS)
    ran = dragoman("explain", "--tools", tools, given=TEXTS["call"], environ={"FORCE_COLOR": "1"})
    first = ran.out.split("\n\n")[0]
    assert "\x1b[35mThe city is Seoul." in first and "\x1b[36m" in first  # reasoning magenta, the call cyan
    assert "\x1b[90m\x1b[9m<|im_end|>" in first  # removed: grey, struck through
    plain = dragoman("explain", "--tools", tools, given=TEXTS["call"], environ={"FORCE_COLOR": "1", "NO_COLOR": "1"})
    assert "\x1b" not in plain.out


def test_text_of_a_model_drives_no_terminal() -> None:
    ran = dragoman("explain", given=TEXTS["escape"], environ={"FORCE_COLOR": "1"})
    assert "\x1b[2J" not in ran.out and "\x1b]" not in ran.out and "\\x1b[2J" in ran.out


def test_json_has_all_of_each_text(tmp_path: Path) -> None:
    tools = write_json(tmp_path / "tools.json", TOOLS)
    long = "word " * 100
    ran = dragoman("explain", "--tools", tools, "--json", given=f"{long}\n{CALL}")
    told = ran.json
    assert "".join(each["text"] for each in told["decisions"]) == f"{long}\n{CALL}"
    assert told["verdict"].startswith("The client gets 1 call of get_weather.")
    assert {each["became"] for each in told["decisions"]} >= {"content", "call", "arguments"}
