"""How far an estimate of token counts is off, on texts in English and Korean and on code, for five tokenizers of today.

tokens/counts.json holds what the tokenizers say (`count_corpus.py` makes it). The English text is from
docs/RELIABILITY.md, the Korean one from docs/ko/TROUBLESHOOTING.md, the code from wire/sse.py, as they once were; the
weights were fitted on other texts.
"""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

from dialects.messages import Messages
from dialects.messages.estimate import Corrections, tokens_of, tokens_of_request
from dialects.protocol import SideRequest
from tests.cases import in_one_test
from tests.dialects.messages.count_corpus import COUNTS, FOLDER
from tests.dialects.messages.reading import asking, replied
from tests.dialects.messages.test_side_routes import Backend
from tests.dialects.test_toy import OneAnswer, stream

TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt")}
TOKENS: dict[str, dict[str, int]] = json.loads(COUNTS.read_text(encoding="utf-8"))
MOST = 0.15
"""The largest error that is measured, as a part of the true count, is below this."""


def errors() -> dict[str, dict[str, float]]:
    """The error of each text with each tokenizer, before any correction."""
    return {
        name: {text: round(tokens_of(TEXTS[text]) / count - 1, 3) for text, count in counts.items()}
        for name, counts in TOKENS.items()
    }


def test_the_corpus_is_what_was_counted() -> None:
    assert {frozenset(counts) for counts in TOKENS.values()} == {frozenset(TEXTS)}
    assert set(TEXTS) == {"english", "korean", "code"} and len(TOKENS) == 5


@in_one_test("name", TOKENS)
def test_an_estimate_is_near(name: str) -> None:
    assert all(abs(error) < MOST for error in errors()[name].values()), errors()[name]


@in_one_test("name", TOKENS)
def test_what_was_learned_of_one_text_helps_with_the_others(name: str) -> None:
    for learned, asked in permutations(TEXTS, 2):
        corrections = Corrections()
        corrections.learn(name, tokens_of(TEXTS[learned]), TOKENS[name][learned])
        own = corrections.corrected(name, tokens_of(TEXTS[learned]))
        assert abs(own - TOKENS[name][learned]) <= 1
        other = corrections.corrected(name, tokens_of(TEXTS[asked]))
        assert abs(other / TOKENS[name][asked] - 1) < 1.25 * MOST, (learned, asked)


def test_factors() -> None:
    corrections = Corrections()
    assert corrections.corrected("m", 100.0) == 100
    for counted in (None, "7", 0, -3, True, 100_000, 1, 2.5, 10**400):
        corrections.learn("m", 100.0, counted)
    corrections.learn("m", 0.0, 100)
    assert corrections.corrected("m", 100.0) == 100, "none of these is a count of those tokens"
    corrections.learn("m", 100.0, 150)
    assert corrections.corrected("m", 100.0) == 150 and corrections.corrected("other", 100.0) == 100
    for _ in range(20):
        corrections.learn("m", 100.0, 80)
    assert corrections.corrected("m", 100.0) == 80
    assert corrections.corrected("m", 0.0) == 1
    for number in range(3000):
        corrections.learn(f"m{number}", 100.0, 150)
    assert corrections.corrected("m", 100.0) == 100 and corrections.corrected("m2999", 100.0) == 150


def test_a_message_teaches_the_count() -> None:
    """The usage of an answer, streamed or whole, corrects the next estimate of the same model."""
    usage = {"prompt_tokens": 90, "completion_tokens": 1, "total_tokens": 91}
    body = json.dumps(
        {"choices": [{"index": 0, "message": {"content": "So"}, "finish_reason": "stop"}], "usage": usage}
    )
    data = stream({"role": "assistant", "content": "So"}, usage=False).replace(
        b"data: [DONE]", b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\ndata: [DONE]"
    )
    asked = asking()
    for streams in (False, True):
        backend = OneAnswer(data) if streams else OneAnswer(body.encode(), kind="application/json")
        dialect = Messages()
        count = dialect.side_routes[0].answer
        request = SideRequest([], json.dumps(asked).encode())
        before = count(request, Backend({}))
        reply = replied(backend, {**asked, "stream": streams}, dialect)
        assert isinstance(reply.body, bytes) or b"".join(reply.body)
        after = count(request, Backend({}))
        assert before is not None and after is not None
        assert json.loads(before.body)["input_tokens"] != 90 and json.loads(after.body)["input_tokens"] == 90


def test_an_estimate_takes_any_text() -> None:
    assert tokens_of("") == 0 and tokens_of("\ud83d") > 0
    assert tokens_of_request({"messages": []}) == 0


def test_there_are_no_other_files() -> None:
    assert {path.name for path in Path(FOLDER).iterdir()} == {*(f"{name}.txt" for name in TEXTS), COUNTS.name}
