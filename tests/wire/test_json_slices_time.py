"""Reading JSON in slices takes time in proportion to its bytes, whatever the lengths of its strings (contract 13)."""

from __future__ import annotations

import json
import sys
import time

import pytest

from wire import json_slices
from wire.json_slices import JsonText

RUN = json_slices._RUN
LENGTHS = (RUN // 2 + 100, RUN - 100, RUN + 100, 10_000, 3 * RUN)
"""Of strings about as long as a slice: one of them is cut off where a slice ends."""
SIZE = 600_000


def messages(length: int, size: int, letters: str) -> bytes:
    """A request of so many bytes, in messages of so many."""
    content = letters * (length // len(letters))
    told = [{"role": "user", "content": content}] * (size // length)
    return json.dumps({"model": "m", "messages": told}).encode()


def seconds_per_byte(text: bytes) -> float:
    """Processor time, the best of some."""

    def once() -> float:
        began = time.process_time()
        JsonText(text).check()
        return time.process_time() - began

    return min(once() for _ in range(5)) / len(text)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="without possessive repeats it takes longer, see json_grammar")
@pytest.mark.parametrize("letters", ["x", "한", "x\n"], ids=["plain", "escapes", "line ends"])
def test_strings_that_end_behind_a_slice_cost_no_more_than_one_long_string(letters: str) -> None:
    long = seconds_per_byte(messages(SIZE, SIZE, letters))
    costs = {length: seconds_per_byte(messages(length, SIZE, letters)) / long for length in LENGTHS}
    assert max(costs.values()) < 8, costs  # it is 2 to 3; where each character is tried again, it is 40


@pytest.mark.parametrize("length", LENGTHS)
def test_time_is_linear_in_the_number_of_such_strings(length: int) -> None:
    small, large = (seconds_per_byte(messages(length, size, "x")) for size in (SIZE // 4, SIZE))
    assert large < 3 * small
