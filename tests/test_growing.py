"""A copied parser goes on as one that has read the text itself, and what it reads changes nobody else."""

from __future__ import annotations

import pytest

from converters import Expectations, new_parser
from converters.text.events import merge
from tests.cases import in_one_test
from tests.growing import Copies, Growing
from tests.helpers import ROWS, Case, chunks, corpus, meaning, parse, random_cut

pytestmark = pytest.mark.long

SINGLE = [case for case in corpus() if case.name in ("single", "reasoning_before")]


@in_one_test("case", SINGLE, ids=str)
def test_beginnings_are_those_that_a_parser_reads_itself(case: Case) -> None:
    expectations = Expectations(case.tools, **case.expectations)
    pieces = random_cut(case.text, 1) if case.name == "single" else chunks(case.text, 2)
    ends = range(0, len(case.text) + 1, 11)
    for cut in (True, False):
        growing = Growing(pieces, expectations, ROWS[case.row])
        for length in ends:
            beginning, left = [], length
            for piece in pieces:
                beginning.append(piece[:left])
                left -= len(beginning[-1])
            read = parse(case.text, case.tools, beginning, cut, case.row, **case.expectations)
            assert merge(growing.until(length, cut=cut)) == merge(read), case.text[:length]


@in_one_test("case", SINGLE, ids=str)
def test_a_copy_is_no_part_of_the_original(case: Case) -> None:
    expectations = Expectations(case.tools, **case.expectations)
    whole = meaning(parse(case.text, case.tools, row=case.row, **case.expectations))
    for place in range(1, len(case.text), 29):
        parser = new_parser(expectations, ROWS[case.row])
        events = parser.feed(case.text[:place])
        copies = Copies(parser)
        for other in ('{"x": [</tool_call>', "\n```\n<|im_end|>", case.text):
            copied = copies.one()
            copied.feed(other)
            copied.finish()
        assert meaning([*events, *parser.feed(case.text[place:]), *parser.finish()]) == whole, place
