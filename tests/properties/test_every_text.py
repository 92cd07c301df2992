"""Generated texts: calls among prose are found, prose passes, and every cut has one meaning."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from converters.render import render_calls
from tests.cases import in_one_test
from tests.fuzz import (
    AT_THE_START,
    MARKERS,
    OWN_LINE,
    SPACES,
    TOOLS,
    Input,
    check_any,
)
from tests.fuzz import main as run_fuzz
from tests.helpers import ROWS, Message, assemble, parse, spans
from tests.properties.generated import (
    AWKWARD,
    BARE,
    CALL,
    OPTIONS,
    PLACES,
    SOUP,
    STRETCHES,
    UNICODE,
    WHOLE_ROWS,
    assert_calls,
    calls_of,
    each_framed_row,
    modest,
    pieces_of,
    said,
    same_at_every_cut,
    schemas,
)
from tests.scale import of


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


@in_one_test("row", WHOLE_ROWS)
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


QUIET = st.lists(st.one_of(UNICODE, st.sampled_from(AWKWARD), st.sampled_from(SPACES)), max_size=10).map("".join)
LONG_MARKERS = tuple(marker for marker in MARKERS if len(marker) > 2)


@modest(300)
@given(text=QUIET.filter(lambda text: not any(marker in text for marker in LONG_MARKERS)), places=PLACES)
def test_prose_passes_byte_for_byte(text: str, places: list[int]) -> None:
    message = assemble(parse(text, TOOLS, pieces_of(text, places)))
    assert message == Message(content=text)


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
    assert message.endings in ([], ["cut"]) or message.arguments


def test_half_a_relaxed_call_in_kept_reasoning() -> None:
    parse('<start_function_call>call:p{""', TOOLS, cut=True, starts_inside=True, reasoning="keep")


def test_start_that_only_begins_like_a_marker() -> None:
    same_at_every_cut(" -> tool/function_call{[</think>")


def test_prose_behind_the_end_of_a_turn() -> None:
    text = render_calls(ROWS["hyperclovax"], [("ping", {})]) + "\n\nProse"
    assert said(text, row="hyperclovax") == ("Prose", "", ["ping"])


def test_fuzz() -> None:
    assert run_fuzz(["--inputs", str(of(500, 200)), "--seed", "1"]) == 0
