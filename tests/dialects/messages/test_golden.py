"""What the face writes, byte for byte, and that a stream comes to the same message as a whole answer."""

from __future__ import annotations

import json

from tests.cases import in_one_test
from tests.dialects.messages.golden import FOLDER, OUTCOME, SCRIPTS, buffered, streamed
from tests.dialects.messages.reading import comparable, read_stream


@in_one_test("name", SCRIPTS)
def test_a_stream(name: str) -> None:
    assert streamed(name) == (FOLDER / f"{name}.sse").read_bytes()


@in_one_test("name", SCRIPTS)
def test_a_whole_message(name: str) -> None:
    path = FOLDER / f"{name}.json"
    assert buffered(name) == (path.read_bytes() if path.exists() else None)


@in_one_test("name", SCRIPTS)
def test_both_come_to_the_same(name: str) -> None:
    message = read_stream(streamed(name))
    assert message["comments"] == [f"dragoman {OUTCOME}"]
    whole = buffered(name)
    if whole is None:
        assert message["error"]["type"] == "api_error" and "ended" not in message
    else:
        assert comparable(json.loads(whole)) == comparable(message)


def test_there_is_no_other_file() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(SCRIPTS)
