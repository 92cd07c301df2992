"""The golden files are what the faces write, and each stream comes to the buffered answer."""

from __future__ import annotations

import pytest

from tests.dialects.faces import FACES, Face
from tests.dialects.golden import FOLDER, SCRIPTS, written

FILES = dict(written())
faces = pytest.mark.parametrize("face", FACES, ids=lambda face: face.name)


def test_byte_for_byte() -> None:
    kept = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in FOLDER.rglob("*.*")}
    assert set(kept) == set(FILES), "python -m tests.dialects.golden, then read the difference"
    for name, content in FILES.items():
        assert content == kept[name], f"{name}: python -m tests.dialects.golden, then read the difference"


@faces
def test_a_stream_comes_to_the_buffered_answer(face: Face) -> None:
    for name in SCRIPTS:
        whole = face.whole(FILES[f"{face.name}/{name}.whole"])
        assert face.stream(FILES[f"{face.name}/{name}.stream"]) == whole, name
