"""Keys are taken out of what backends say went wrong, however it is cut; everything else stays."""

from __future__ import annotations

import pytest

from streaming.redaction import Redaction
from tests.helpers import cuts

KEY = 'sk-"quoted\\key"-1234'
SAID = f'{{"error": "wrong key {KEY}"}} or as JSON sk-\\"quoted\\\\key\\"-1234; sk-"quoted is a part'.encode()


def test_each_form_of_a_key_goes_and_its_length_stays() -> None:
    told = Redaction([KEY]).of(SAID)
    assert b"quoted\\key" not in told and b"quoted\\\\key" not in told
    assert len(told) == len(SAID)
    assert told.startswith(b'{"error": "wrong key ****') and told.endswith(b'; sk-"quoted is a part')


def test_every_cut_gives_the_same() -> None:
    redaction = Redaction(["of-the-backend", "of-the-backend-2", None])
    text = "<of-the-backend-2|of-the-backend|of-the-back"
    for pieces in cuts(text):
        told = b"".join(redaction.of_pieces(iter(piece.encode() for piece in pieces)))
        assert told == b"<****************|**************|of-the-back", pieces


@pytest.mark.parametrize("keys", [[], [None], ["k"], ["short"]])
def test_without_a_real_key_nothing_is_touched_or_held(keys: list[str | None]) -> None:
    redaction = Redaction(keys)
    assert redaction.of(SAID + b" k short") == SAID + b" k short"
    assert list(redaction.of_pieces(iter([b"k ", b"short"]))) == [b"k ", b"short"]
