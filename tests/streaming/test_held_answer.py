"""The token counts of several answers together."""

from __future__ import annotations

import json

from streaming.held_answer import summed


def test_counts_add_up_whatever_their_names() -> None:
    one = {"prompt_tokens": 5, "seconds": 0.5, "details": {"cached": 1}, "mine": 3}
    other = {"prompt_tokens": 7, "seconds": 1, "details": {"cached": 2, "audio": 4}, "why": "x"}
    assert summed(one, other) == {
        "prompt_tokens": 12,
        "seconds": 1.5,
        "details": {"cached": 3, "audio": 4},
        "mine": 3,
        "why": "x",
    }
    assert summed(None, one) == summed(one, None) == one


def test_what_is_no_count_is_not_added() -> None:
    long = 10**4299  # 4,300 digits are the most that Python writes
    for known, value in ((long, long * 9), (10**400, 0.5), (1e308, 1e308), (True, 1), ("1", 1), (1, "1")):
        both = summed({"tokens": known}, {"tokens": value})
        assert both is not None and both["tokens"] == known, (known, value)
        assert "Infinity" not in json.dumps(both)
