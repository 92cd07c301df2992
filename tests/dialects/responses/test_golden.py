"""The golden files are what this face writes, and a stream ends with the response that the buffered answer is."""

from __future__ import annotations

import json

from tests.cases import in_one_test
from tests.dialects.responses.golden import FOLDER, SCRIPTS, files
from tests.dialects.responses.reading import assembled, checked, events_of

FILES = files()


@in_one_test("name", sorted(FILES))
def test_byte_for_byte(name: str) -> None:
    assert FILES[name] == (FOLDER / name).read_bytes(), f"{name}: see tests/dialects/responses/golden.py"


def test_no_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(FILES)


@in_one_test("name", SCRIPTS)
def test_the_last_response_is_the_buffered_one(name: str) -> None:
    response = assembled(events_of(FILES[f"{name}.sse"]))
    if name == "failed":
        assert response["status"] == "failed" and [item["type"] for item in response["output"]] == ["message"]
    else:
        assert response == checked(json.loads(FILES[f"{name}.json"]))
