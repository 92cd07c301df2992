"""An id of a call survives the way to a client and back, whatever it is made of, and takes only what clients take."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dialects.messages.ids import from_client, to_client
from tests.cases import in_one_test

ANY = st.text(st.characters(codec=None), min_size=1, max_size=40)
LIKE_OURS = st.from_regex(r"(toolu_)?(b64_)?[A-Za-z0-9_:.-]{1,20}", fullmatch=True)


@settings(max_examples=400, deadline=None)
@given(ANY | LIKE_OURS)
@example("functions.get_weather:0")
@example("b64_x")
@example("toolu_01A")
@example("\ud83d")
@example("é")
def test_an_id_comes_back(canonical: str) -> None:
    told = to_client(canonical)
    assert re.fullmatch(r"toolu_[A-Za-z0-9_-]+", told)
    assert from_client(told) == canonical


@settings(max_examples=300, deadline=None)
@given(ANY | LIKE_OURS, ANY | LIKE_OURS)
def test_two_ids_stay_two(one: str, other: str) -> None:
    assert (to_client(one) == to_client(other)) == (one == other)


@settings(max_examples=300, deadline=None)
@given(ANY | LIKE_OURS | LIKE_OURS.map("toolu_b64_".__add__))
def test_any_id_of_a_client_is_read(given_id: str) -> None:
    assert from_client(given_id)


@in_one_test(
    ("canonical", "told"),
    [
        ("Vu1qQtEad", "toolu_Vu1qQtEad"),
        ("call_1-a", "toolu_call_1-a"),
        ("toolu_01A", "toolu_toolu_01A"),
        ("functions.f:0", "toolu_b64_ZnVuY3Rpb25zLmY6MA"),
        ("b64_", "toolu_b64_YjY0Xw"),
    ],
)
def test_what_they_look_like(canonical: str, told: str) -> None:
    assert to_client(canonical) == told


@in_one_test(
    ("told", "canonical"),
    [
        ("call_1", "call_1"),
        ("toolu_", "toolu_"),
        ("toolu_b64_%%", "b64_%%"),
        ("toolu_b64_é", "b64_é"),
        ("toolu_b64_YQ==", "b64_YQ=="),
    ],
)
def test_ids_that_are_not_ours(told: str, canonical: str) -> None:
    assert from_client(told) == canonical
