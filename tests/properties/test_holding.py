"""White space of content (I7), how much may be held (I8), and what a request allows."""

from __future__ import annotations

from converters import Expectations, new_parser
from converters.render import render_calls
from converters.syntaxes import END_TOKENS, REASONING_TAGS
from converters.text.events import ArgumentsDelta, CallStart, Event
from tests.cases import in_one_test
from tests.fuzz import (
    FRAMED,
    TOOLS,
)
from tests.helpers import ROWS, assemble, chunks, meaning, parse, spans
from tests.properties.generated import (
    CALL,
    WANTED,
    assert_calls,
    each_framed_row,
    each_row,
    in_front_of_the_name,
    said,
    same_at_every_cut,
)


@in_one_test(
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


@in_one_test(
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


@in_one_test("size", [1, 7, 4096, 20_000])
def test_white_space_is_held_up_to_4_kB(size: int) -> None:
    text = "a" + " " * 5000 + CALL
    assert assemble(parse(text, TOOLS, chunks(text, size))).content == "a" + " " * 4096


def most_held(text: str, piece_size: int = 1) -> int:
    """The most characters that a parser kept to itself while this text came in pieces."""
    parser = new_parser(Expectations(TOOLS))
    held = most = 0
    for piece in chunks(text, piece_size):
        held += len(piece) - len(spans(parser.feed(piece)))
        most = max(most, held)
    return most


TAGS = [tag for lane in REASONING_TAGS for tag in (lane.turn_opener + lane.opens, *lane.closes)] + list(END_TOKENS)


@in_one_test("marker", TAGS)
def test_half_a_marker_is_held_shortly(marker: str) -> None:
    for end in range(1, len(marker)):
        half = f"a{marker[:end]}"
        assert most_held(half) <= 40
        assert most_held(half + "♥" * 50) <= 40


@in_one_test("row", FRAMED)
def test_a_possible_name_is_held_to_256(row: str) -> None:
    head = in_front_of_the_name(row)
    assert most_held(head + "x" * 2000, 20) <= len(head) + 256 + 40


@in_one_test("row", FRAMED)
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


@in_one_test("row", FRAMED)
def test_a_long_string_comes_with_its_first_bytes(row: str) -> None:
    assert streams(row) < 100


def test_bare_json_is_released_at_what_disqualifies_it() -> None:
    parser = new_parser(Expectations(TOOLS))
    assert spans(parser.feed('{"name": "get_weather", ')) == ""
    assert spans(parser.feed('"colour": 1')) == '{"name": "get_weather", "colour": 1'


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
