"""Section 2 of the contract, row by row: what is a call, what is text, reasoning and end tokens."""

from __future__ import annotations

import json

import pytest

from converters.render import render_calls
from converters.syntaxes import END_TOKENS, REASONING_TAGS
from tests.cases import in_one_test
from tests.fuzz import (
    TOOLS,
    ambiguous,
)
from tests.helpers import ROWS, assemble, parse
from tests.properties.generated import (
    BARE,
    CALL,
    PING,
    QWEN,
    WANTED,
    WRITTEN,
    assert_calls,
    each_framed_row,
    in_front_of_the_name,
    said,
    same_at_every_cut,
)


def test_no_tools() -> None:
    text = f" <think>t</think>{CALL}\n<|im_end|>"
    assert said(f"a {CALL}\n`b` \n", translate=False) == (f"a {CALL}\n`b` \n", "", [])
    assert said(text, translate=False)[1:] == ("t", [])
    assert said(text, translate=False)[0].strip() == CALL


def test_no_tools_but_history() -> None:
    assert assemble(parse(CALL, {})).names == ["get_weather"]


def test_choice_none_removes_the_markup() -> None:
    assert said(f"a\n{CALL}\nb", choice="none") == ("a\n\nb", "", [])
    assert said(BARE, choice="none") == ("", "", [])


def test_undeclared_name_with_an_explicit_marker() -> None:
    text = CALL.replace("get_weather", "unknown")
    assert said(f"so {text} and") == ("so  and", "", ["unknown"])


@in_one_test("before", ["", "a\n", "a\n  "])
@in_one_test("after", ["", "\nb", " \n"])
def test_undeclared_name_without_arguments_alone_on_its_line(before: str, after: str) -> None:
    assert said(before + PING.replace("ping", "unknown") + after)[2] == ["unknown"]


@in_one_test(("before", "after"), [("a ", ""), ("", " b"), ("a ", " b")])
def test_undeclared_name_without_arguments_in_a_line(before: str, after: str) -> None:
    text = before + PING.replace("ping", "unknown") + after
    assert said(text) == (text, "", [])
    assert said(before + PING + after)[2] == ["ping"]


@in_one_test(
    "name",
    [
        *("functions.get_weather", "default_api.get_weather", " get_weather ", "get_weather<|im_end|>", "Get_Weather"),
        *("get-weather", "get.weather", "functions.GET-WEATHER"),
    ],
)
def test_name_repair(name: str) -> None:
    assert said(CALL.replace("get_weather", name)) == ("", "", ["get_weather"])


@in_one_test("name", ["get_weather2", "weather", "get_weather_get", "xfunctions.get_weather"])
def test_never_another_tools_name(name: str) -> None:
    assert said(CALL.replace("get_weather", name))[2] == [name]


def test_name_repair_needs_exactly_one() -> None:
    message = assemble(parse(CALL.replace("get_weather", "GET_WEATHER"), ["get_weather", "get-weather"]))
    assert message.names == ["GET_WEATHER"]


@in_one_test(
    "text",
    [
        "The <tool_call> tag is nice",
        "<tool_call>: how it opens </tool_call>",
        "a <function=get_weather> b",
        '<tool_call>\n{"city": "x"}\n</tool_call>',
        "[TOOL_CALLS] are written so",
        "<function_calls> begin here </function_calls>",
        "<|channel|> is a token",
        "<｜DSML｜invoke is a half",
    ],
)
def test_bytes_that_fit_no_row(text: str) -> None:
    assert said(text) == (text, "", [])


@in_one_test(
    "text",
    [
        BARE,
        f" \n{BARE}\n",
        BARE.replace("arguments", "parameters"),
        BARE.replace("{", '{"type": "function", "id": "a1", ', 1),
        f"[{BARE}]",
        '[get_weather(city="x")]',
        f"```json\n{BARE}\n```",
        f"```\n{BARE}\n```\n",
        f"```xml\n{CALL}\n```",
    ],
)
def test_whole_message_without_a_marker(text: str) -> None:
    message = same_at_every_cut(text)
    assert message.content == ""
    assert_calls(message, [WANTED])


@in_one_test(
    "text",
    [
        f"Hi {BARE}",
        f"{BARE} hi",
        BARE.replace("get_weather", "unknown"),
        BARE.replace('"arguments"', '"other": 1, "arguments"'),
        BARE.replace('"name": "get_weather", ', ""),
        '[unknown(city="x")]',
        '[get_weather(city="x")] hi',
        f"```json\n{BARE}\n```\nhi",
        f"hi\n```json\n{BARE}\n```",
        f"```json\n{BARE}",
        f"```json\n{BARE.replace('get_weather', 'unknown')}\n```",
    ],
)
def test_text_that_is_no_whole_message(text: str) -> None:
    assert said(text) == (text, "", [])


@in_one_test("text", [BARE, f"```json\n{BARE}\n```", f"[{BARE}]"])
def test_json_that_was_asked_for(text: str) -> None:
    assert said(text, json_answer=True) == (text, "", [])
    assert said(CALL, json_answer=True)[2] == ["get_weather"]


LINE = CALL.replace("\n", "")


@in_one_test(
    "text",
    [
        f"So:\n```xml\n{CALL}\n```\nas said",
        f"So:\n```\n{CALL}",
        f"So:\n````\n```\n{CALL}\n````\nb",
        f"write `{LINE}` so",
        f"write ``{LINE}`` so",
        f"write ``a ` {LINE}`` so",
        "I use <tool_call> and </tool_call>",
    ],
)
def test_quoted_markup(text: str) -> None:
    assert said(text) == (text, "", [])


@in_one_test(
    ("before", "after"),
    [
        ("a lone ` here\n", ""),
        ("a lone ` here ", ""),
        ("two `runs`` differ ", " b"),
        ("not a fence ```\n", "\n```"),
        ("a\n```\nb\n```\n", ""),
        ("`a` ", " `b`"),
    ],
)
def test_markup_that_is_not_quoted(before: str, after: str) -> None:
    message = same_at_every_cut(before + LINE + after)
    assert_calls(message, [WANTED])
    assert message.content == (before + after if after else before.rstrip())


def test_bare_header() -> None:
    invoke = '<invoke name="get_weather">\n<parameter name="city">x</parameter>\n</invoke>'
    for text in (QWEN, invoke):
        message = same_at_every_cut(f"a\n{text}")
        assert message.content == "a"
        assert_calls(message, [WANTED])
        unknown = text.replace("get_weather", "unknown")
        assert said(unknown) == (unknown, "", [])


@in_one_test("text", [f"<think>x\n{CALL}</think>\nhi", f"<think>{QWEN}</think>{PING}"])
def test_draft(text: str) -> None:
    message = same_at_every_cut(text)
    assert "get_weather" in message.reasoning
    assert message.names == (["ping"] if PING in text else [])


@in_one_test("end", ["</think>", "", "\n</think>\n", " \n"])
@in_one_test("count", [1, 2])
def test_call_that_ends_the_reasoning(end: str, count: int) -> None:
    message = same_at_every_cut("<think>x\n" + "\n".join([CALL] * count) + end)
    assert (message.content, message.reasoning) == ("", "x")
    assert_calls(message, [WANTED] * count)


def test_call_that_ends_the_reasoning_is_declared_and_complete() -> None:
    unknown = CALL.replace("get_weather", "unknown")
    assert said(f"<think>x\n{unknown}</think>") == ("", f"x\n{unknown}", [])
    assert said(f"<think>x\n{CALL} so</think>") == ("", f"x\n{CALL} so", [])
    decorated = CALL.replace("get_weather", "functions.get_weather")
    assert said(f"<think>x\n{decorated}</think>") == ("", "x", ["get_weather"])


@in_one_test("prior", ["mistral_old", "gemma4", "harmony", "llama3_json", None])
def test_another_syntax_than_the_usual(prior: str | None) -> None:
    for text in (CALL, QWEN, f"[TOOL_CALLS] [{BARE}]"):
        assert_calls(same_at_every_cut(text, row=prior), [WANTED])


@each_framed_row
def test_markup_in_a_value_is_data(row: str) -> None:
    """The other rows' markers, whole calls of theirs, and this row's own opener without its closer."""
    own = in_front_of_the_name(row)
    for text in (*WRITTEN, f"a {own} b", "<think>a</think>", "```\nx\n```", "<|im_end|>"):
        calls = [("write_file", {"path": "a", "text": f"a {text} b"})]
        if not ambiguous(row, calls[0][1]):
            message = assemble(parse(render_calls(ROWS[row], calls), TOOLS, row=row))
            assert_calls(message, calls)
            assert message.content == ""


def test_when_a_closer_in_a_text_value_counts() -> None:
    opened = "<tool_call>\n<function=write_file>\n<parameter=text>\n"
    closed = "\n</parameter>\n</function>\n</tool_call>"
    for value in ("a</parameter> b", "a</function> b", "a </tool_call>, b", "<parameter=x> b"):
        message = same_at_every_cut(f"{opened}a {value}{closed}")
        assert message.arguments == [{"text": f"a {value}"}]
    message = same_at_every_cut(f"{opened}a\n<parameter=path>\nb{closed}")
    assert message.arguments == [{"text": "a", "path": "b"}]
    message = same_at_every_cut(f"{opened}a\n<parameter=unknown>\nb{closed}")
    assert message.arguments == [{"text": "a\n<parameter=unknown>\nb"}]


def test_stray_words_are_content() -> None:
    assert said(f"one {CALL} two {CALL} three") == ("one  two  three", "", ["get_weather"] * 2)


def test_identical_calls_are_kept() -> None:
    assert said(CALL * 3)[2] == ["get_weather"] * 3


def test_parallel_off_delivers_the_first() -> None:
    message = same_at_every_cut(f"a {CALL} b {PING} c", parallel=False)
    assert message.names == ["get_weather"]
    assert message.content == "a  b  c"


def test_invented_result() -> None:
    message = same_at_every_cut(f"a {CALL}\n<tool_response>\nsunny\n</tool_response>\nIt is {PING}")
    assert (message.content, message.names) == ("a", ["get_weather"])
    assert "invented_result" in message.removed


@in_one_test(
    ("text", "content", "reasoning", "names"),
    [
        ("t</think>hi", "hi", "t", []),
        ("<think>t</think>hi", "hi", "t", []),
        (f"t\n</think>\n\n{CALL}", "", "t", ["get_weather"]),
        ("t and no end", "", "t and no end", []),
        (f"t\n{CALL}", "", "t", ["get_weather"]),
        ("", "", "", []),
        ("</think>hi", "hi", "", []),
        ("a</think>b</think>c", "bc", "a", []),
    ],
)
def test_starts_inside(text: str, content: str, reasoning: str, names: list[str]) -> None:
    assert said(text, starts_inside=True) == (content, reasoning, names)


def test_reasoning_that_never_closes_is_noted() -> None:
    assert same_at_every_cut("t", starts_inside=True).noted == ["reasoning_never_closed"]
    assert same_at_every_cut("t", starts_inside=True, cut=True).noted == []
    assert same_at_every_cut(f"t {CALL}", starts_inside=True).noted == []


@in_one_test("closer", ["</think>", "[/THINK]", "</seed:think>", "◁/think▷", "<|END_THINKING|>"])
def test_late_closer(closer: str) -> None:
    """Outside, it is removed, and what came before it stays content."""
    for text, content in ((f"a{closer}b", "ab"), (f"a\n{closer}\n\nb", "a\n\n\nb"), (f"{closer}b", "b")):
        message = same_at_every_cut(text)
        assert (message.content, message.reasoning) == (content, "")
        assert message.noted == ["reasoning_closed_late"]
    assert said(f"a{closer}\n{CALL}") == ("a", "", ["get_weather"])


def test_reasoning_kept() -> None:
    for text in ("<think>\nt\n</think>\n\nhi \n", "a <b>\n<think>t</think>"):
        assert said(text, reasoning="keep") == (text, "", [])
    assert said(f"<think>t</think>\n{CALL}", reasoning="keep") == ("<think>t</think>", "", ["get_weather"])


def test_reasoning_dropped() -> None:
    message = same_at_every_cut("<think>\nt\n</think>\n\nhi\n", reasoning="drop")
    assert (message.content, message.reasoning) == ("hi", "")
    assert "reasoning_off" in message.removed
    assert said(f"<think>t</think>\n{CALL}", reasoning="drop") == ("", "", ["get_weather"])


LONE_TOKENS = [token for token in END_TOKENS if not any(token in lane.closes for lane in REASONING_TAGS)]


@pytest.mark.parametrize("token", END_TOKENS)
def test_end_token(token: str) -> None:
    assert said(f"hi{token}")[0] == "hi"
    assert said(f"hi {token}\n{token} ")[0] == "hi"
    assert said(f"{CALL}{token}") == ("", "", ["get_weather"])
    assert said(f"hi{token}", strip_end_tokens=False)[0] == f"hi{token}"
    assert said(f"hi{token}", translate=False)[0] == "hi"
    written = CALL.replace('"x"', json.dumps(f"x{token}"))
    assert same_at_every_cut(written + token).arguments == [{"city": f"x{token}"}]


@in_one_test("token", END_TOKENS)
def test_end_token_elsewhere_is_text(token: str) -> None:
    assert said(f"hi {token} you")[0] == f"hi {token} you"
