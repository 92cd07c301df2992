"""What models write, through every face: one message in all of them, and each stream comes to the buffered answer.

    python -m tests.dialects.test_every_face

tries every case of the corpus, with more cuts; the tests try one of each row.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.answers import said
from tests.cases import in_one_test_each
from tests.dialects.faces import CHAT_FACE, FACES, Face, Said
from tests.dialects.responses.reading import events_of
from tests.dialects.test_toy import OneAnswer
from tests.helpers import Case, chunks, corpus, random_cut
from tests.servers import DONE, Json, chunk, completion, frame

CASES = corpus()
OF_A_ROW = 1
"""Cases of each row that the tests try: all of them take minutes."""


SHORT = 300
"""Characters of a text that is also tried character by character."""


def some() -> dict[str, list[Case]]:
    """A few of each row, the same ones every time."""
    dice = random.Random(16)
    rows = {row: list(cases) for row, cases in itertools.groupby(CASES, key=lambda case: case.row)}
    return {row: dice.sample(cases, min(OF_A_ROW, len(cases))) for row, cases in rows.items()}


def row_of(case: Case) -> str | None:
    """The syntax that the request names, where its tools alone do not say what the case expects."""
    return None if is_plain(case) else case.row


def is_plain(case: Case) -> bool:
    """Whether a request with its tools is all that its expectations take."""
    return not case.expectations and None in case.priors


def buffered(face: Face, case: Case, text: str, finish: str = "stop") -> Json:
    body = json.dumps(completion(text, finish)).encode()
    backend = OneAnswer(body, kind="application/json")
    return face.whole(face.raw(backend, False, case.tools if face.calls else {}, row_of(case)))


def streamed(face: Face, case: Case, pieces: Sequence[str], finish: str = "stop") -> bytes:
    """The body of a stream. It arrives event by event or, for an odd number of pieces, cut at bytes anywhere."""
    usage = frame({**chunk({}), "choices": [], "usage": completion("")["usage"]})
    blocks = [*said(*pieces, finish=finish, done=False), usage, DONE]
    if len(pieces) % 2 and len(blocks) > 6:
        data = b"".join(blocks)
        borders = sorted(random.Random(len(data)).sample(range(len(data)), 8))
        blocks = [data[start:end] for start, end in zip([0, *borders], [*borders, len(data)], strict=True)]
    return face.raw(OneAnswer(*blocks), True, case.tools if face.calls else {}, row_of(case))


def cuts_of(text: str, many: bool) -> Iterator[list[str]]:
    yield [text]
    yield chunks(text, 4)
    yield random_cut(text, 1)
    if many:
        yield chunks(text, 1 if len(text) < SHORT else 2)
        yield from (random_cut(text, seed) for seed in (2, 3))


def try_case(case: Case, many: bool = False) -> None:
    meant = CHAT_FACE.said(buffered(CHAT_FACE, case, case.text))
    if is_plain(case):
        calls = [(call["name"], call["arguments"]) for call in case.calls]
        assert meant == Said(case.content, case.reasoning, calls)
    for face in FACES:
        whole = buffered(face, case, case.text)
        assert face.said(whole) == meant or not face.calls, face.name
        for pieces in cuts_of(case.text, many):
            raw = streamed(face, case, pieces)
            assert face.stream(raw) == whole, (face.name, pieces)
            if face.name == "responses" and len(pieces) == 1:
                events_of(raw, strict=True)  # also by the types of the vendor's SDK, which take milliseconds


@in_one_test_each("case", some(), ids=str)
def test_one_message_in_every_face_streamed_and_buffered(case: Case) -> None:
    try_case(case)


@settings(max_examples=40, deadline=None)
@given(case=st.sampled_from(CASES), face=st.sampled_from(FACES), data=st.data())
def test_a_cut_answer_says_the_same_streamed_and_buffered(case: Case, face: Face, data: Any) -> None:
    """Wherever max_tokens cut it."""
    text = case.text[: data.draw(st.integers(0, len(case.text)))]
    pieces = random_cut(text, data.draw(st.integers(0, 99)))
    whole = buffered(face, case, text, "length")
    assert face.said(face.stream(streamed(face, case, pieces, "length"))) == face.said(whole)


def failure_of(case: Case) -> str:
    """What is wrong with a case; nothing if it holds."""
    try:
        try_case(case, many=True)
    except (AssertionError, ValueError, LookupError) as error:
        return f"{case}: {type(error).__name__} {str(error)[:300]}"
    return ""


if __name__ == "__main__":
    failed = 0
    with ProcessPoolExecutor() as pool:
        for number, failure in enumerate(pool.map(failure_of, CASES, chunksize=8), 1):
            print(f"\r{number}/{len(CASES)}\x1b[K", end="", file=sys.stderr, flush=True)
            if failure:
                failed += 1
                print(failure, flush=True)
    print(f"{len(CASES)} cases through {len(FACES)} faces, {failed} failed")
    sys.exit(failed > 0)
