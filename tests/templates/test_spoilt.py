"""Spoilt rows: 300 and 200 calls each in `make templates`, fewer here."""

from __future__ import annotations

import pytest

from tests.templates.answers import ANSWERS, MADE_UP
from tests.templates.learning import learned_of
from tests.templates.spoilt import judge, subject


@pytest.mark.parametrize("template", ["named_group", "tags_typed"])
def test_a_spoilt_row_is_accepted_only_if_it_reads_the_same(template: str) -> None:
    path = MADE_UP / f"{template}.jinja"
    found = learned_of(template)
    assert found.row is not None
    tried, accepted, wrong = judge(subject(path, found.row, 40), 12, seed=len(template))
    assert not wrong, "\n".join(wrong)
    assert accepted < tried, "a proof that accepts everything proves nothing"
    assert template in ANSWERS
