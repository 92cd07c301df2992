"""A short run of the fuzzer of arguments; `make fuzz` makes the long one."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.fuzz_arguments import PAIRS, Written, check_mutant, check_pair, mutant
from tests.properties.generated import modest


@modest(400)
@given(PAIRS)
def test_a_value_comes_back_as_it_was(call: Written) -> None:
    check_pair(call)


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_json_with_slips(first: int) -> None:
    for number in range(first, first + 100):
        check_mutant(mutant(number))
