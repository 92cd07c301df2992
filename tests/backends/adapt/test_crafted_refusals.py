"""Refusals that quote what one client wrote teach nothing, however it is spelled, spread and quoted."""

from __future__ import annotations

import html
import json
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from backends.adapt import own_words
from backends.adapt.facts import Request
from backends.adapt.refusals import reasons_for
from errors import ErrorInfo
from tests.backends.adapt.histories import say, text
from tests.backends.adapt.test_refusals import FULL, SENTENCES, asked
from tests.cases import in_one_test

Change = Callable[[str], str]


def blank(spelled: str) -> Change:
    return lambda said: said.replace(" ", spelled)


SPELLINGS: dict[str, Change] = {
    **{f"blank {each!r}": blank(each) for each in ["\u00a0", "\u2003", "\u2028", "\u3000", "\x85", "\x1f", "\x0b"]},
    **{f"blank {each!r}": blank(each) for each in ["\t", "\r\n", "  ", "\\n", "\\t", "\\\\n", "\\u0020", "\\xa0"]},
    "upper case": str.upper,
    "title case": str.title,
    "quotes inside of words": lambda said: said.replace("o", "o'").replace("s", "`s`"),
    "backslashes inside of words": lambda said: said.replace("o", "o\\"),
    "letters as escapes": lambda said: said.replace("t", "\\u0074"),
    "letters as entities": lambda said: said.replace("t", "&#116;"),
    "K of Kelvin": lambda said: said.replace("k", "\u212a"),
    "I with a dot": lambda said: said.replace("i", "\u0130"),
}
"""How a client writes words that a server would say."""

ECHOES: dict[str, Change] = {
    "as it is": str,
    "as Python": repr,
    "as JSON": json.dumps,
    "as JSON in UTF-8": lambda said: json.dumps(said, ensure_ascii=False),
    "as JSON in JSON": lambda said: json.dumps(json.dumps(said)),
    "as HTML": html.escape,
    "in upper case": str.upper,
    "normalised": lambda said: unicodedata.normalize("NFKC", said),
    "without double blanks": lambda said: " ".join(said.split()),
}
"""How a server quotes it."""


def named(name: str, **schema: Any) -> Request:
    function = {"name": name, "parameters": {"type": "object", "properties": {"a": schema}}}
    return {"tools": [{"type": "function", "function": function}]}


PLACES: dict[str, Callable[[str], Request]] = {
    "stop": lambda said: {"stop": ["\n\n", said]},
    "the name of a tool": lambda said: named(said),
    "the description of a parameter": lambda said: named("f", type="string", description=f"One of {said} and more."),
    "the values of a parameter": lambda said: named("f", enum=["a", said]),
    "the name of a parameter": lambda said: named("f", type="object", properties={said: {"type": "string"}}),
    "a long message": lambda said: {"messages": [say("user", f"{'lorem ipsum dolor ' * 20}{said}, consectetur" * 9)]},
}


@in_one_test("place", PLACES)
@in_one_test("echo", ECHOES)
@in_one_test("spelling", SPELLINGS)
def test_no_spelling_and_no_quotation_teaches_something(spelling: str, echo: str, place: str) -> None:
    for sentence in SENTENCES:
        said = SPELLINGS[spelling](sentence)
        assert asked(f"Invalid input: {ECHOES[echo](said)}", {**FULL, **PLACES[place](said)}) == (), sentence


def _cuts() -> list[tuple[str, str]]:
    words = [sentence.split() for sentence in SENTENCES]
    return [(" ".join(each[:at]), " ".join(each[at:])) for each in words for at in range(1, len(each))]


TWO_PLACES: dict[str, Callable[[str, str], Request]] = {
    "two messages": lambda first, second: {"messages": [say("user", first), say("user", second)]},
    "two parts": lambda first, second: {"messages": [say("user", [text(first), text(second)])]},
    "two stop strings": lambda first, second: {"stop": [first, second]},
}


@in_one_test("joint", [" ", "\n", " \n\n", "', '"])
@in_one_test("place", TWO_PLACES)
def test_what_a_server_joins_before_it_quotes_it_teaches_nothing(place: str, joint: str) -> None:
    for first, second in _cuts():
        for before, behind in (("", ""), ("lorem ipsum dolor sit amet " * 4, " consectetur adipiscing elit")):
            body = {**FULL, **TWO_PLACES[place](before + first, second + behind)}
            assert asked(f"cannot handle: {before}{first}{joint}{second}{behind}", body) == (), (first, second)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_no_slice_of_the_request_cuts_a_sentence_in_two(sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_words, "_SLICE", 1 << 10)
    for before in range((1 << 10) - len(sentence), (1 << 10) + 1):
        body = {**FULL, "messages": [say("user", ("x " * (1 << 10))[:before] + sentence)]}
        assert asked(f"Invalid: {sentence}", body) == (), before


def test_the_reason_is_whose_words_asked_for_it_and_never_a_word_of_the_backend() -> None:
    def reasons(message: str) -> dict[str, str]:
        return reasons_for(ErrorInfo(400, {"message": message}), FULL, ())

    assert reasons("sk-secret: gemma:2b does not support tools") == {
        "prompted": "status 400, words of ollama (ollama/ollama#8517)"
    }
    assert reasons("Unrecognized request argument supplied: user (and sk-secret)") == {
        "without_user": "status 400, `user` is not known there"
    }
    assert reasons("nobody has ever said this") == {}
