"""A short run of the fuzzer of slips in rendered calls, for every row; `make fuzz` makes the long one."""

from __future__ import annotations

import pytest

from tests.fuzz_mutations import DAMAGES, NOTHING, Broken, Input, check, make, run
from tests.helpers import ROWS


@pytest.mark.parametrize("first", range(0, 3_000, 500))
def test_a_slip_costs_no_call_or_invents_nothing(first: int) -> None:
    """Defects A2, B1, B2 and B6 for every row."""
    failures, _ = run(range(first, first + 500))
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
