"""A short run of the fuzzer of arguments; `make fuzz` makes the long one."""

from __future__ import annotations

import pytest
from hypothesis import example, given

from converters.render import render_calls
from tests.cases import in_one_test
from tests.fuzz import TEXT_VALUES
from tests.fuzz_arguments import PAIRS, Written, check_mutant, check_pair, is_example, mutant
from tests.helpers import ROWS, assemble, parse
from tests.properties.generated import modest
from tests.scale import of

STRINGS = {"type": "object", "properties": {"A": {"type": "string"}, "b": {"type": "string"}}}


@modest(400)
@example(Written("beam", STRINGS, {"A": "<b>", "b": "x"}, 500))
@example(Written("beam", STRINGS, {"A": "<b>x</b>"}, 500))
@example(Written("beam", STRINGS, {"A": "<b/>"}, 500))
@given(PAIRS)
def test_a_value_comes_back_as_it_was(call: Written) -> None:
    check_pair(call)


@in_one_test("row", sorted(TEXT_VALUES))
@in_one_test("value", ["<b>", "...", "…", "{...}", " <args> "])
def test_a3_a_call_whose_only_values_are_placeholders_is_text(row: str, value: str) -> None:
    """Contract 2, *placeholders*: in rows of tags such a call is an example, whatever the schema says."""
    arguments = {"A": value, "b": value}
    assert is_example(arguments)
    text = render_calls(ROWS[row], [("get_it", arguments)])
    for pieces in ([text], list(text)):
        assert assemble(parse(text, {"get_it": STRINGS}, pieces, row=row)).names == [], text


@pytest.mark.parametrize("first", range(0, of(400, 200), 100))
def test_json_with_slips(first: int) -> None:
    for number in range(first, first + 100):
        check_mutant(mutant(number))
