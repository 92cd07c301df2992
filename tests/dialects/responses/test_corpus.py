"""Every case of the corpus through this face: streamed equals buffered at any cut, and says what the case says.

    python -m tests.dialects.responses.test_corpus

tries all cases, with more cuts; the tests try some of each row.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from tests.cases import in_one_test
from tests.dialects.responses.reading import assembled, conversed, events_of, whole, without_ids
from tests.dialects.test_toy import OneAnswer
from tests.helpers import Case, chunks, corpus, random_cut
from tests.servers import DONE, Json, chunk, completion, frame

OF_A_ROW = 1
"""Cases of each row that the tests try: the SDK's types take milliseconds to take an event."""


def playable() -> list[Case]:
    """The cases whose expectations come from a request alone; that of the model's name is none, so any row may do."""
    return [case for case in corpus() if not case.expectations and None in case.priors]


def some() -> list[Case]:
    """A few of each row, the same ones every time."""
    dice = random.Random(16)
    rows = [list(cases) for _, cases in itertools.groupby(playable(), key=lambda case: case.row)]
    return [case for cases in rows for case in dice.sample(cases, min(OF_A_ROW, len(cases)))]


def tools_of(case: Case) -> list[Json]:
    return [{"type": "function", "name": name, "parameters": dict(schema)} for name, schema in case.tools.items()]


def cuts_of(text: str, many: bool) -> Iterator[list[str]]:
    yield from ([text], chunks(text, 4))
    for seed in range(8 if many else 1):
        yield random_cut(text, seed)
    if many:
        yield chunks(text, 1)


def try_case(case: Case, many: bool = False) -> None:
    tools = tools_of(case)
    asked: dict[str, Any] = {"model": "some-model"}
    buffered = whole(completion(case.text), tools, **asked)
    said = {kind: [item for item in buffered["output"] if item["type"] == kind] for kind in ("message", "reasoning")}
    calls = [item for item in buffered["output"] if item["type"] == "function_call"]
    assert [call["name"] for call in calls] == case.names
    for call, expected in zip(calls, case.calls, strict=True):
        assert json.loads(call["arguments"]) == expected["arguments"]
    assert text_in(said["message"]) == case.content and text_in(said["reasoning"]) == case.reasoning
    for pieces in cuts_of(case.text, many):
        strict = len(pieces) == 1
        raw = conversed(OneAnswer(stream_of(pieces)), tools, stream=True, **asked)
        assert without_ids({**assembled(events_of(raw, strict)), "usage": None}) == without_ids(
            {**buffered, "usage": None}
        )


def stream_of(pieces: Sequence[str]) -> bytes:
    deltas = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in pieces)]
    return b"".join([*(frame(chunk(delta)) for delta in deltas), frame(chunk({}, "stop")), DONE])


def text_in(items: Sequence[Json]) -> str:
    return "".join(part["text"] for item in items for part in item["content"])


@in_one_test("case", some(), ids=str)
def test_streamed_equals_buffered_and_both_say_what_the_case_says(case: Case) -> None:
    try_case(case)


if __name__ == "__main__":
    failed = 0
    for case in playable():
        try:
            try_case(case, many=True)
        except AssertionError as error:
            failed += 1
            print(f"{case}: {str(error)[:300]}")
    print(f"{len(playable())} cases, {failed} failed")
    sys.exit(failed > 0)
