"""A short run of the fuzzer of slips in rendered calls, for every row; `make fuzz` makes the long one."""

from __future__ import annotations

import pytest

from tests.fuzz_mutations import DAMAGES, NOTHING, Broken, Input, check, make, run
from tests.helpers import ROWS, assemble, cuts, parse, spans
from tests.scale import of


@pytest.mark.parametrize("first", range(0, of(1_200, 600), 300))
def test_a_slip_costs_no_call_or_invents_nothing(first: int) -> None:
    """Defects A2, B1, B2 and B6 for every row."""
    failures, _ = run(range(first, first + 300))
    assert not failures, failures[:3]


def test_every_row_and_every_slip_is_tried() -> None:
    made = [make(seed) for seed in range(3_000)]
    assert {given.row for given in made} == set(ROWS)
    assert {slip for given in made for slip in given.slips} == {*NOTHING, *DAMAGES}


def test_the_rule_notices_what_is_not_as_it_was_written() -> None:
    text = '<tool_call>\n{"name": "ping", "arguments": {"a": 1}}\n</tool_call>'
    options = {"buffered": True, "stops": False}
    given = Input(text, "hermes", "hermes", [("ping", {})], ("CRLF",), "", options)
    with pytest.raises(Broken, match="other calls"):
        check(given, 0)


FOUND: tuple[tuple[str, str, list[str]], ...] = (
    # (row, what the model wrote, the calls that run)
    ("hermes", '<tool_call>{"name"\u200b:\u3000"ping", "arguments"\ufeff: {}}</tool_call>', ["ping"]),
    ("lfm2", "<|tool_call_start|>[ping ()]<|tool_call_end|>", ["ping"]),
    ("claude", '<invoke\u00a0name="ping">\n</invoke>', ["ping"]),
    ("kimi_k3", '<|open|> tools<|sep|><|open|>call tool = "ping" index="1"<|sep|><|close|>call <|sep|>', ["ping"]),
    ("minimax_m3", ']<]minimax[>[<Tool_Call>]<]minimax[>[<Invoke name="ping">]<]minimax[>[\t</Invoke>', ["ping"]),
    ("calling_tool", "[Calling tool:ping({}\u00a0) ]", ["ping"]),
    ("gemma4", "<|tool_call>call:ping{force\t:true}<tool_call|>", ["ping"]),
    ("harmony", "<|channel|>commentary to=functions. <|constrain|>json<|message|>{}<|call|>", []),
)


@pytest.mark.parametrize(("row", "text", "names"), FOUND)
def test_what_the_fuzzer_found(row: str, text: str, names: list[str]) -> None:
    """Defect B1: blanks between tokens, wherever tokens meet; and a message that is addressed to nobody."""
    for pieces in cuts(text, pairs=0):
        events = parse(text, ["ping"], pieces, row=row)
        assert assemble(events).names == names, pieces
        assert spans(events) == text


def test_a_bare_call_that_a_stop_string_cut_is_text() -> None:
    """Defect A8."""
    text = '{"name": "ping", "arguments": {}'
    assert assemble(parse(text, ["ping"], stops=True)).content == text


def test_no_character_of_a_refused_call_behind_another_is_lost() -> None:
    """Its only value is a placeholder, so that the call is text, with the tag that closes it."""
    call = "<tool_call>look\n<arg_key>city</arg_key>\n<arg_value>{}</arg_value>\n</tool_call>"
    text = f"<tool_calls>\n{call.format('x')}\n{call.format('<city>')}\n</tool_calls>"
    for pieces in cuts(text, pairs=0):
        events = parse(text, ["look"], pieces, row="hy3")
        assert spans(events) == text, pieces
        assert len(assemble(events).calls) == 1


def test_a_value_without_a_name_must_fit_its_argument() -> None:
    tools = {"look": {"properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}}
    text = "<|python_tag|>look(())"
    assert assemble(parse(text, tools, row="llama_builtin")).content == text
