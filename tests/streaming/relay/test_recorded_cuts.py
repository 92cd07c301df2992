"""Recorded streams of real engines mean the same at every cut of their bytes."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from tests.cases import in_one_test
from tests.servers import (
    Answer,
    Piece,
    Proxy,
    ScriptedBackend,
    ask,
    json_answer,
    message_in,
    message_of,
    whole_stream,
)
from tests.streaming.relay.phrases import (
    PAUSE,
)
from tests.streaming.relay.recorded import RECORDED


@in_one_test("name", RECORDED)
def test_a_recorded_answer_means_the_same_streamed_and_buffered(
    backend: ScriptedBackend, proxy: Proxy, name: str
) -> None:
    wire, reply, expected = RECORDED[name]
    backend.answer = Answer([wire], framing="raw")
    assert message_of(whole_stream(proxy.streamed(ask()))) == expected
    backend.answer = json_answer(reply)
    buffered = message_in(proxy.buffered(ask(stream=False)))
    assert {**buffered, "content": buffered["content"].strip()} == {**expected, "content": expected["content"].strip()}


def meanings(proxy: Proxy, backend: ScriptedBackend, name: str, cuts: Sequence[Sequence[Piece]]) -> None:
    """Each of these cuts of a recorded stream means what the whole means."""
    expected = RECORDED[name][2]
    left = iter(cuts)
    backend.answer = lambda _: Answer(next(left), framing="raw")
    for place in range(len(cuts)):
        raw = proxy.streamed(ask())
        assert message_of(whole_stream(raw)) == expected, f"cut {place}: {raw.decode()}"


BLOCKS = 4
AT_ONCE = 3
"""Cuts in one stream, far apart, so that a third of the streams shows every place."""


def cut_at(wire: bytes, places: Sequence[int]) -> list[Piece]:
    pieces = [wire[start:end] for start, end in zip([0, *places], [*places, len(wire)], strict=True)]
    return [each for piece in pieces for each in (piece, PAUSE)]


def far_apart(wire: bytes, first: int, step: int) -> list[list[Piece]]:
    """The stream in so many pieces that every `step`th byte boundary from `first` on is a cut somewhere."""
    third = -(-len(wire) // AT_ONCE)
    places = [[at for at in range(start, len(wire), third) if at] for start in range(first, third, step)]
    return [cut_at(wire, each) for each in places]


@pytest.mark.parametrize("block", range(BLOCKS))
@pytest.mark.parametrize("name", ["llama.cpp", "vllm"])
def test_every_cut_of_the_bytes_means_the_same(backend: ScriptedBackend, proxy: Proxy, name: str, block: int) -> None:
    meanings(proxy, backend, name, far_apart(RECORDED[name][0], block, BLOCKS))


def test_some_cuts_of_a_longer_stream_mean_the_same(backend: ScriptedBackend, proxy: Proxy) -> None:
    meanings(proxy, backend, "transformers", far_apart(RECORDED["transformers"][0], 0, 7))


@in_one_test("name", RECORDED)
def test_small_and_random_pieces_mean_the_same(backend: ScriptedBackend, proxy: Proxy, name: str) -> None:
    wire = RECORDED[name][0]
    cuts: list[list[Piece]] = []
    for size in (1, 2, 3, 7):
        cuts.append([wire[start : start + size] for start in range(0, len(wire), size)])
    for seed in range(12):
        dice = random.Random(seed)
        places = sorted(dice.sample(range(1, len(wire)), 40))
        cuts.append(cut_at(wire, places))
    meanings(proxy, backend, name, cuts)
