"""Rules that hold for every text, tried on generated ones, and tables of what a text means by the contract.

What is left out because nobody could tell where a value ends: in rows of text values, a string that holds the row's
own closer with an opener or a closer of the row, or the end of the value, behind it, or the opener of a parameter at
a line start; in relaxed rows, a string that holds the delimiter, and a key that cannot stand without quotes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converters import SYNTAXES, Expectations, new_parser
from converters.render import render_calls
from converters.syntaxes import END_TOKENS, REASONING_TAGS
from converters.text.events import ArgumentsDelta, CallStart, Event
from tests.fuzz import (
    AT_THE_START,
    FRAMED,
    JSONS,
    MARKERS,
    OWN_LINE,
    PROSE,
    QUOTES,
    SPACES,
    THINK,
    TOOLS,
    Input,
    ambiguous,
    check_any,
)
from tests.fuzz import main as run_fuzz
from tests.helpers import ROWS, Message, assemble, chunks, cuts, meaning, parse, same_json, spans

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def modest(examples: int) -> settings:
    return settings(max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=SLOW)


WHOLE_ROWS = tuple(syntax.name for syntax in SYNTAXES if syntax.whole_message)
each_row = pytest.mark.parametrize("row", ROWS)
each_framed_row = pytest.mark.parametrize("row", FRAMED)

# -- what is generated -----------------------------------------------------------------------------------------------

UNICODE = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WRITTEN = tuple(render_calls(syntax, [("ping", {}), ("get_weather", {"city": "x", "days": 1})]) for syntax in SYNTAXES)
AWKWARD = (
    "\n",
    "\r\n",
    '"',
    "'",
    "\\",
    '\\"',
    "\\n",
    "\\u12",
    "  ",
    "```",
    "`",
    "{",
    "}",
    "[1,",
    "]",
    "null",
    "07",
    "",
)
STRINGS = st.lists(
    st.one_of(UNICODE, st.sampled_from(MARKERS), st.sampled_from(WRITTEN), st.sampled_from(AWKWARD)), max_size=4
).map("".join)
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
IDENTIFIERS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,20}", fullmatch=True).filter(lambda name: name != "print")


def values(keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    leaves = st.one_of(STRINGS, NUMBERS, st.booleans(), st.none())
    nest = st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
        max_leaves=5,
    )
    return st.one_of(STRINGS, nest)


def calls_of(row: str) -> st.SearchStrategy[list[tuple[str, dict[str, Any]]]]:
    """Calls that the row can write; a tool that stands twice has one schema that fits both."""
    in_json = ROWS[row].shape in ("json_object", "named_json")
    keys = st.one_of(IDENTIFIERS, UNICODE) if in_json else IDENTIFIERS
    nested = IDENTIFIERS if ROWS[row].shape == "relaxed" else UNICODE
    arguments = st.dictionaries(keys, values(nested), max_size=4).filter(lambda found: not ambiguous(row, found))
    by_name = st.tuples(NAMES, arguments)
    return st.lists(by_name, min_size=1, max_size=3, unique_by=lambda call: call[0].casefold().replace("-", "_"))


TYPES: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}


def schemas(calls: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    return {
        name: {"properties": {key: {"type": TYPES[type(value)]} for key, value in arguments.items()}}
        for name, arguments in calls
    }


LETTERS = st.characters(categories=["Ll", "Lu", "Lo", "Nd"])
STRETCHES = st.tuples(
    LETTERS,
    st.text(st.one_of(LETTERS, st.sampled_from(" \n\t.,;:!?-*/&%$#@'\"+")), max_size=30),
    LETTERS,
).map("".join)
PLACES = st.lists(st.integers(0, 1000), max_size=8)


def pieces_of(text: str, places: Sequence[int]) -> list[str]:
    """The text, cut at these thousandths of it."""
    ends = sorted(len(text) * place // 1000 for place in places)
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


# -- calls among prose -----------------------------------------------------------------------------------------------


@each_framed_row
def test_calls_between_prose(row: str) -> None:
    """A written call gives exactly that call, and the prose around it exactly that prose, at any cut."""
    spaces = ("\n\n", "\n") if row in OWN_LINE else ("\n\n", "\n", " ", "")

    @modest(24)
    @given(
        calls=calls_of(row),
        before=st.just("") if row in AT_THE_START else STRETCHES,
        gap=st.sampled_from(spaces),
        behind=st.just("") if row in AT_THE_START else st.tuples(st.sampled_from(spaces), STRETCHES).map("".join),
        places=PLACES,
    )
    def check(calls: list[tuple[str, dict[str, Any]]], before: str, gap: str, behind: str, places: list[int]) -> None:
        before += gap if before else ""
        text = before + render_calls(ROWS[row], calls) + behind
        events = parse(text, schemas(calls), pieces_of(text, places), row=row)
        assert spans(events) == text
        assert_calls(assemble(events), calls)
        assert assemble(events).content == before + behind
        assert assemble(events).reasoning == ""

    check()


@pytest.mark.parametrize("row", WHOLE_ROWS)
def test_calls_that_are_the_whole_message(row: str) -> None:
    @modest(24)
    @given(calls=calls_of(row), places=PLACES)
    def check(calls: list[tuple[str, dict[str, Any]]], places: list[int]) -> None:
        text = render_calls(ROWS[row], calls)
        events = parse(text, schemas(calls), pieces_of(text, places), row=row)
        assert spans(events) == text
        assert_calls(assemble(events), calls)
        assert assemble(events).content == ""

    check()


def assert_calls(message: Message, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    assert message.names == [name for name, _ in calls]
    for got, (_, arguments) in zip(message.arguments, calls, strict=True):
        assert same_json(got, arguments), f"{json.dumps(got)} for {json.dumps(arguments)}"
    assert set(message.endings) <= {"complete"}


# -- every text ------------------------------------------------------------------------------------------------------

QUIET = st.lists(st.one_of(UNICODE, st.sampled_from(AWKWARD), st.sampled_from(SPACES)), max_size=10).map("".join)
LONG_MARKERS = tuple(marker for marker in MARKERS if len(marker) > 2)


@modest(300)
@given(text=QUIET.filter(lambda text: not any(marker in text for marker in LONG_MARKERS)), places=PLACES)
def test_prose_passes_byte_for_byte(text: str, places: list[int]) -> None:
    message = assemble(parse(text, TOOLS, pieces_of(text, places)))
    assert message == Message(content=text)


PIECES = st.one_of(
    st.sampled_from(MARKERS),
    st.sampled_from(MARKERS).flatmap(lambda marker: st.integers(0, len(marker)).map(lambda end: marker[:end])),
    st.sampled_from(WRITTEN),
    st.sampled_from(WRITTEN).flatmap(lambda text: st.integers(0, len(text)).map(lambda end: text[:end])),
    st.sampled_from(WRITTEN).flatmap(lambda text: st.integers(0, len(text)).map(lambda start: text[start:])),
    st.sampled_from([*THINK, *QUOTES, *SPACES, *PROSE, *JSONS]),
    UNICODE,
)
SOUP = st.lists(PIECES, max_size=10).map("".join)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "starts_inside": st.booleans(),
        "choice": st.sampled_from(("auto", "none")),
        "parallel": st.booleans(),
        "whole_calls": st.booleans(),
        "json_answer": st.booleans(),
        "translate": st.booleans(),
        "reasoning": st.sampled_from(("split", "keep", "drop")),
        "strip_end_tokens": st.booleans(),
    },
)


@modest(150)
@given(calls=calls_of("hermes"), places=PLACES, whole=st.booleans())
def test_prefix_of_one_object(calls: list[tuple[str, dict[str, Any]]], places: list[int], whole: bool) -> None:
    """I3: what leaves of the arguments is always a prefix of the one object, cut wherever it may be."""
    text = render_calls(ROWS["hermes"], calls)
    full = assemble(parse(text, schemas(calls), row="hermes")).calls
    for place in places:
        short = text[: len(text) * place // 1000]
        message = assemble(parse(short, schemas(calls), cut=True, row="hermes", whole_calls=whole))
        for (name, arguments, _), (whole_name, whole_arguments, _) in zip(message.calls, full, strict=False):
            assert name == whole_name
            assert whole_arguments.startswith(arguments)
        assert not whole or "cut" not in message.endings


# -- I7: white space -------------------------------------------------------------------------------------------------

CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "x"}}\n</tool_call>'
PING = '<tool_call>\n{"name": "ping", "arguments": {}}\n</tool_call>'
WANTED = ("get_weather", {"city": "x"})


def same_at_every_cut(text: str, **options: Any) -> Message:
    """The message of a text, once it is the same in every cut."""
    whole = parse(text, TOOLS, **options)
    assert spans(whole) == text
    for pieces in cuts(text):
        assert meaning(parse(text, TOOLS, pieces, **options)) == meaning(whole), pieces
    return assemble(whole)


def said(text: str, **options: Any) -> tuple[str, str, list[str]]:
    """(content, reasoning, names of the calls)"""
    message = same_at_every_cut(text, **options)
    return message.content, message.reasoning, message.names


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("  hi", "  hi"),
        ("hi \n\n", "hi \n\n"),
        (" \n", " \n"),
        ("a \t\n b\r\n\r\nc ", "a \t\n b\r\n\r\nc "),
        (f"hi \n\n{CALL}", "hi"),
        (f"  hi{CALL}", "  hi"),
        (f"{CALL}\n\n hi", "hi"),
        (f"{CALL}\n\n hi\n", "hi"),
        (f"a \n{CALL}\n b", "a \n\n b"),
        (f"a\n{CALL}\n\t{CALL}\nb", "a\n\nb"),
        (f"a\n{CALL}\nb\n{CALL}\nc\n", "a\n\nb\n\nc"),
        (f"\n\n{CALL}\n\n", ""),
        (f"a\n{CALL}\n", "a"),
        ("<think>\n\nt\n</think>\n\nhi\n", "hi"),
        ("a\n<think>t</think>\nb", "a\n\nb"),
        ("hi \n<|im_end|>\n", "hi"),
    ],
)
def test_white_space_of_content(text: str, content: str) -> None:
    assert said(text)[0] == content


@pytest.mark.parametrize(
    ("text", "reasoning"),
    [
        ("<think>\n\nt\n</think>\n\nhi", "t"),
        ("<think>a \n b</think>hi", "a \n b"),
        ("<think>a\n</think>hi\n<think>\nb</think>", "a\n\nb"),
        ("<think>\n \n</think>hi", ""),
    ],
)
def test_white_space_of_reasoning(text: str, reasoning: str) -> None:
    assert said(text)[1] == reasoning


@pytest.mark.parametrize("size", [1, 7, 4096, 20_000])
def test_white_space_is_held_up_to_4_kB(size: int) -> None:
    text = "a" + " " * 5000 + CALL
    assert assemble(parse(text, TOOLS, chunks(text, size))).content == "a" + " " * 4096


# -- I8: holding -----------------------------------------------------------------------------------------------------


def most_held(text: str, piece_size: int = 1) -> int:
    """The most characters that a parser kept to itself while this text came in pieces."""
    parser = new_parser(Expectations(TOOLS))
    held = most = 0
    for piece in chunks(text, piece_size):
        held += len(piece) - len(spans(parser.feed(piece)))
        most = max(most, held)
    return most


def in_front_of_the_name(row: str) -> str:
    text = render_calls(ROWS[row], [("get_weather", {})])
    return text[: text.index("get_weather")]


TAGS = [tag for lane in REASONING_TAGS for tag in (lane.turn_opener + lane.opens, *lane.closes)] + list(END_TOKENS)


@pytest.mark.parametrize("marker", TAGS)
def test_half_a_marker_is_held_shortly(marker: str) -> None:
    for end in range(1, len(marker)):
        half = f"a{marker[:end]}"
        assert most_held(half) <= 40
        assert most_held(half + "♥" * 50) <= 40


@each_framed_row
def test_a_possible_name_is_held_to_256(row: str) -> None:
    head = in_front_of_the_name(row)
    assert most_held(head + "x" * 2000, 20) <= len(head) + 256 + 40


@each_framed_row
def test_white_space_in_markup_is_held_to_4_kB(row: str) -> None:
    head = in_front_of_the_name(row)
    for text in (head + " " * 10_000, head + "ping" + "\n" * 10_000):
        assert most_held(text, 500) <= len(head) + 4096 + 256 + 500


def test_white_space_of_prose_is_held_to_4_kB() -> None:
    assert most_held("a" + " \n" * 5_000) == 4096


def test_the_name_of_the_opening_delta_is_final() -> None:
    parser = new_parser(Expectations({"get": {}, "get_weather": {}}))
    names = [e.name for letter in CALL for e in parser.feed(letter) if isinstance(e, CallStart)]
    assert names == ["get_weather"]


def streams(row: str) -> int:
    """How much of a long value has come in before the first delta with some of it leaves."""
    value = "words and more words " * 1500
    text = render_calls(ROWS[row], [("write_file", {"path": "a.py", "text": value})])
    parser = new_parser(Expectations(TOOLS), ROWS[row])
    start = text.index(value)
    said = ""
    for place in range(0, len(text), 4):
        said += "".join(e.delta for e in parser.feed(text[place : place + 4]) if isinstance(e, ArgumentsDelta))
        if "words" in said:
            return place - start
    return len(text)


@each_framed_row
def test_a_long_string_comes_with_its_first_bytes(row: str) -> None:
    assert streams(row) < 100


def test_bare_json_is_released_at_what_disqualifies_it() -> None:
    parser = new_parser(Expectations(TOOLS))
    assert spans(parser.feed('{"name": "get_weather", ')) == ""
    assert spans(parser.feed('"colour": 1')) == '{"name": "get_weather", "colour": 1'


# -- what the request allows -----------------------------------------------------------------------------------------


@each_framed_row
def test_whole_calls(row: str) -> None:
    """TOOL_CALL_STREAMING=whole: a call leaves at its end or not at all, and means the same."""
    text = render_calls(ROWS[row], [WANTED, ("ping", {}), WANTED])
    whole = parse(text, TOOLS, row=row, whole_calls=True)
    assert meaning(whole) == meaning(parse(text, TOOLS, row=row))
    parser = new_parser(Expectations(TOOLS, whole_calls=True), ROWS[row])
    for letter in text:
        assemble(alone(parser.feed(letter)))
    for end in range(0, len(text), 3):
        message = assemble(parse(text[:end], TOOLS, cut=True, row=row, whole_calls=True))
        assert "cut" not in message.endings, text[:end]


def alone(events: list[Event]) -> list[Event]:
    """Events as if their calls were the first of an answer."""
    first = next((event.index for event in events if isinstance(event, CallStart)), 0)
    for event in events:
        if hasattr(event, "index"):
            event.index -= first
    return events


@each_row
def test_choice_none(row: str) -> None:
    text = render_calls(ROWS[row], [WANTED, ("ping", {})])
    message = same_at_every_cut(text, choice="none", row=row)
    assert (message.content, message.calls) == ("", [])
    assert set(message.removed) <= {"choice_none", "marker", "whitespace"}
    assert "choice_none" in message.removed


@each_row
def test_parallel_off(row: str) -> None:
    text = render_calls(ROWS[row], [WANTED, ("ping", {}), WANTED])
    message = same_at_every_cut(text, parallel=False, row=row)
    assert_calls(message, [WANTED])
    assert message.content == ""
    assert "parallel_off" in message.removed


# -- section 2 of the contract, row by row ---------------------------------------------------------------------------

QWEN = "<function=get_weather>\n<parameter=city>\nx\n</parameter>\n</function>"
BARE = '{"name": "get_weather", "arguments": {"city": "x"}}'


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


@pytest.mark.parametrize("before", ["", "a\n", "a\n  "])
@pytest.mark.parametrize("after", ["", "\nb", " \n"])
def test_undeclared_name_without_arguments_alone_on_its_line(before: str, after: str) -> None:
    assert said(before + PING.replace("ping", "unknown") + after)[2] == ["unknown"]


@pytest.mark.parametrize(("before", "after"), [("a ", ""), ("", " b"), ("a ", " b")])
def test_undeclared_name_without_arguments_in_a_line(before: str, after: str) -> None:
    text = before + PING.replace("ping", "unknown") + after
    assert said(text) == (text, "", [])
    assert said(before + PING + after)[2] == ["ping"]


@pytest.mark.parametrize(
    "name",
    [
        *("functions.get_weather", "default_api.get_weather", " get_weather ", "get_weather<|im_end|>", "Get_Weather"),
        *("get-weather", "get.weather", "functions.GET-WEATHER"),
    ],
)
def test_name_repair(name: str) -> None:
    assert said(CALL.replace("get_weather", name)) == ("", "", ["get_weather"])


@pytest.mark.parametrize("name", ["get_weather2", "getweather", "weather", "get_weather_get", "xfunctions.get_weather"])
def test_never_another_tools_name(name: str) -> None:
    assert said(CALL.replace("get_weather", name))[2] == [name]


def test_name_repair_needs_exactly_one() -> None:
    message = assemble(parse(CALL.replace("get_weather", "GET_WEATHER"), ["get_weather", "get-weather"]))
    assert message.names == ["GET_WEATHER"]


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
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


@pytest.mark.parametrize("text", [BARE, f"```json\n{BARE}\n```", f"[{BARE}]"])
def test_json_that_was_asked_for(text: str) -> None:
    assert said(text, json_answer=True) == (text, "", [])
    assert said(CALL, json_answer=True)[2] == ["get_weather"]


LINE = CALL.replace("\n", "")


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
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


@pytest.mark.parametrize("text", [f"<think>x\n{CALL}</think>\nhi", f"<think>{QWEN}</think>{PING}"])
def test_draft(text: str) -> None:
    message = same_at_every_cut(text)
    assert "get_weather" in message.reasoning
    assert message.names == (["ping"] if PING in text else [])


@pytest.mark.parametrize("end", ["</think>", "", "\n</think>\n", " \n"])
@pytest.mark.parametrize("count", [1, 2])
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


@pytest.mark.parametrize("prior", ["mistral_old", "gemma4", "harmony", "llama3_json", None])
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


# -- reasoning -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
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


@pytest.mark.parametrize("closer", ["</think>", "[/THINK]", "</seed:think>", "◁/think▷", "<|END_THINKING|>"])
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


# -- end tokens ------------------------------------------------------------------------------------------------------

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


@pytest.mark.parametrize("token", END_TOKENS)
def test_end_token_elsewhere_is_text(token: str) -> None:
    assert said(f"hi {token} you")[0] == f"hi {token} you"


# -- what was found by these tests ------------------------------------------------------------------------------------


@modest(400)
@given(text=SOUP, places=st.lists(st.integers(0, 1000), max_size=5), options=OPTIONS, cut=st.booleans())
def test_soup(text: str, places: list[int], options: dict[str, Any], cut: bool) -> None:
    """Nothing raises, every character has one owner, and every cut has one meaning (I1, I2, I3, I6)."""
    for row in (None, "hermes", "glm45"):
        check_any(Input(text, row, cut, options, tuple(places)))


def test_quoted_markup_in_tildes() -> None:
    """A run of tildes that comes in pieces is none."""
    text = f"So:\n~~~\n{CALL}\n~~~\n"
    assert said(text) == (text, "", [])
    assert said(f"~~~\n{BARE}\n~~~") == ("", "", ["get_weather"])


def test_half_a_call_that_ends_the_reasoning_is_a_draft() -> None:
    """Its arguments are not complete: they are a single brace."""
    assert said(f"<think>x\n{CALL[:50]}") == ("", f"x\n{CALL[:50]}", [])


def test_text_held_as_half_an_end_token_keeps_its_place() -> None:
    """What stands behind a tag leaves before the tag, if what stands before it could begin an end token (I2)."""
    for text in ("<</think>e", "[</seed:think>t", "[THINK][<think>\n"):
        assert spans(parse(text, TOOLS)) == text


def test_tag_with_a_newline_by_character() -> None:
    same_at_every_cut("<|channel>thought\n")


def test_unreadable_arguments_in_pieces() -> None:
    same_at_every_cut('[TOOL_CALLS]search[ARGS]{""/I')
    same_at_every_cut('<|python_tag|>{"name":"search""parameters":/b')


def test_unreadable_arguments_cut_are_an_object_once_closed() -> None:
    message = assemble(parse('[TOOL_CALLS]{"name":"h""arguments":{""""""],]O>', TOOLS, cut=True))
    assert message.endings == ["cut"] or message.arguments


def test_half_a_relaxed_call_in_kept_reasoning() -> None:
    parse('<start_function_call>call:p{""', TOOLS, cut=True, starts_inside=True, reasoning="keep")


def test_start_that_only_begins_like_a_marker() -> None:
    same_at_every_cut(" -> tool/function_call{[</think>")


def test_prose_behind_the_end_of_a_turn() -> None:
    text = render_calls(ROWS["hyperclovax"], [("ping", {})]) + "\n\nProse"
    assert said(text, row="hyperclovax") == ("Prose", "", ["ping"])


def test_fuzz() -> None:
    assert run_fuzz(["--inputs", "500", "--seed", "1"]) == 0
