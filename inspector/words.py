"""The words of the pages, in each language: `words/<language>.json`, and the meanings of the codes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from flask import Request

from converters.text.reasons import NOTED, REMOVED
from records.spans import meaning
from streaming.record import REQUEST_CODES

LANGUAGES = ("en", "ko")
_CODE = "code."
"""Begins the name of a sentence that says what a code means."""


def all_codes() -> Iterator[str]:
    """Every code that a record can hold."""
    yield from (*REMOVED, *NOTED, *REQUEST_CODES)


@cache
def words_of(language: str) -> Mapping[str, str]:
    """All words of one of LANGUAGES by their name. In English, codes mean what the tables of the product say."""
    text = (files("inspector") / "words" / f"{language}.json").read_text(encoding="utf-8")
    told: dict[str, str] = json.loads(text)
    return {f"{_CODE}{code}": meaning(code) for code in all_codes()} | told


def language_of(asked: Request) -> str:
    """One of LANGUAGES: that of `?lang=`, else what the browser likes best."""
    wanted = asked.args.get("lang", "")
    if wanted in LANGUAGES:
        return wanted
    liked = (name.lower().split("-")[0] for name, _ in asked.accept_languages)  # what it likes best comes first
    return next((name for name in liked if name in LANGUAGES), LANGUAGES[0])
