"""What is asked of the proxy: every fixture of the CanIToolCall corpus, once buffered and in several cuts streamed.

The fixtures stay in their package; nothing of them is copied here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from canitoolcall.checks import NONSTREAM
from canitoolcall.chunking import ChunkStrategy, split_text
from canitoolcall.fixtures import Fixture

from converters.builtin import plain_name
from tests.servers import ask

SEEDS = (1, 2, 3)
STREAMS = ("one", "characters", *(f"random:{seed}" for seed in SEEDS))
"""The ways to stream, as they are called in the results. The corpus calls its own cuts by characters synthetic and does
not count them, because its engines read tokens; a proxy reads whatever pieces arrive, so under these names they count.
"""
MODES = (NONSTREAM, *STREAMS)


@dataclass(frozen=True)
class Question:
    """One request: a fixture's output, asked for in one way."""

    fixture: Fixture
    mode: str
    model: str

    @property
    def streams(self) -> bool:
        return bool(self.mode != NONSTREAM)

    @property
    def finish(self) -> str:
        return "length" if self.fixture.truncated else "stop"

    @property
    def body(self) -> dict[str, Any]:
        thinking = self.fixture.thinking
        more = {} if thinking is None else {"chat_template_kwargs": {"enable_thinking": thinking, "thinking": thinking}}
        return ask(self.streams, [dict(tool) for tool in self.fixture.tools], self.model, **more)

    def pieces(self) -> list[str]:
        """The output as it is streamed: 1 to 8 characters a piece where the cut is random."""
        kind, _, seed = self.mode.partition(":")
        if kind == "one":
            return [self.fixture.raw_output]
        return list(split_text(self.fixture.raw_output, ChunkStrategy("char", seed=int(seed or 0))))


def questions(fixtures: list[Fixture], remembers: bool) -> Iterator[list[Question]]:
    """For each fixture its questions. Unless the proxy `remembers`, no two of them name the model alike.

    The proxy keeps in mind, by the model's name as it was written, where a model's reasoning began. A corpus is no
    conversation with one model: what one fixture taught must not decide how the next is read. So each question spells
    the name in its own mix of capitals, which says the same to every rule for names.
    """
    asked: Counter[str] = Counter()
    for fixture in fixtures:
        found = []
        for mode in MODES:
            model = fixture.reference_model
            found.append(Question(fixture, mode, model if remembers else spelling(model, asked[model])))
            asked[model] += 1
        yield found


def spelling(model: str, number: int) -> str:
    """The name with other capitals for each number; 0 is the name as it is."""
    letters = [place for place, letter in enumerate(model) if letter.isascii() and letter.isalpha()]
    if number >= 1 << len(letters):
        raise ValueError(f"{model!r} has too few letters for {number} spellings")
    spelled = list(model)
    for bit, place in enumerate(letters):
        if number >> bit & 1:
            spelled[place] = spelled[place].swapcase()
    found = "".join(spelled)
    assert plain_name(found) == plain_name(model)
    return found
