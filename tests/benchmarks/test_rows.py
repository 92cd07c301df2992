"""The converters alone: what a line of the table is made of, and that every length is read in each round."""

from __future__ import annotations

from argparse import Namespace

import pytest

from benchmarks import rows
from benchmarks.rows import measure


def test_a_line_is_medians_and_growth_is_taken_within_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = iter([3.0, 2.0, 2.0, 9.0, 4.0, 4.4, 1.0, 1.0, 5.0])  # three rounds of three lengths
    monkeypatch.setattr(rows, "_PIECES", (4,))
    monkeypatch.setattr(rows, "_cost", lambda row, piece, length: next(costs))
    (line,) = measure(Namespace(rounds=3, row="none"))
    assert (line["syntax"], line["piece"], line["us"]) == ("prose", 4, [3.0, 2.0, 4.4])
    assert line["growth"] == pytest.approx(11)  # of 10, 11 and 50


def test_every_length_is_read_in_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = {40: 3, 400: 2, 4000: 1}
    monkeypatch.setattr(rows, "_LENGTHS", lengths)
    lines = measure(Namespace(rounds=2, row="hermes"))
    assert [(line["syntax"], line["piece"]) for line in lines] == [
        ("prose", 4),
        ("hermes", 4),
        ("prose", 1),
        ("hermes", 1),
    ]
    assert all(len(line["us"]) == len(lengths) and min(line["us"]) > 0 and line["growth"] > 1 for line in lines)
