"""Shape E: calls as Python writes them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.converters.shapes import calls, read

PING: tuple[str, Any] = ("ping", {})


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('[get_weather(city="Seoul", days=3)]', [("get_weather", {"city": "Seoul", "days": 3})]),
        ("[get_weather(city='it\\'s, (ok)]'), ping()]", [("get_weather", {"city": "it's, (ok)]"}), PING]),
        ('[get_weather("Seoul", days="3")]', [("get_weather", {"city": "Seoul", "days": 3})]),
        ("[get_weather(city='')]", [("get_weather", {"city": ""})]),
        ("[get_weather(city=r'C:\\new')]", [("get_weather", {"city": "C:\\new"})]),
        ('[get_weather(city="""a\n"b\n""")]', [("get_weather", {"city": 'a\n"b\n'})]),
        ("[write(tags=('a', 'b',), box={'n': None})]", [("write", {"tags": ["a", "b"], "box": {"n": None}})]),
        ("[get_weather(city='a', city='b')]", [("get_weather", {"city": "a"})]),
        ("[get_weather(city='a=b', days=0x10)]", [("get_weather", {"city": "a=b", "days": "0x10"})]),
        ("[get_weather(\n    city='a',\n)]", [("get_weather", {"city": "a"})]),
        ("[ping(), ping()]", [PING, PING]),
        ("[ping()]\n", [PING]),
    ],
)
def test_calls(text: str, meant: list[tuple[str, Any]]) -> None:
    assert calls(text, "pythonic") == meant


@pytest.mark.parametrize(
    "text",
    [
        "[nobody(a=1)]",
        "[ping()] and more",
        "[1, 2]",
        "[ping(",
        "[get_weather(city=str(1))]",
        "[ping]",
        "see [ping()]",
        "[__import__('os')]",
    ],
)
def test_what_is_no_call_is_text(text: str) -> None:
    message = read(text, "pythonic")
    assert (message.content, message.calls) == (text, [])
