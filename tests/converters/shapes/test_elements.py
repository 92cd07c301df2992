"""Shape D: elements named after the keys, which may nest."""

from __future__ import annotations

from typing import Any

import pytest

from tests.converters.shapes import calls


def claude(name: str, inside: str) -> str:
    return (
        f"<function_calls>\n<invoke>\n<tool_name>{name}</tool_name>\n<parameters>\n{inside}</parameters>\n"
        "</invoke>\n</function_calls>"
    )


@pytest.mark.parametrize(
    ("name", "inside", "meant"),
    [
        ("get_weather", "<city>Seoul</city>\n<days>3</days>\n", {"city": "Seoul", "days": 3}),
        ("get_weather", "", {}),
        ("write", "<text>a <b>bold</b> &amp; </text > b</text>\n", {"text": "a <b>bold</b> &amp; </text > b"}),
        ("write", "<text>\n  x\n</text>\n", {"text": "\n  x\n"}),
        ("write", "<tags><item>a</item><item>2</item></tags>\n", {"tags": ["a", "2"]}),
        ("write", "<tags>\n  <item>a</item>\n</tags>\n", {"tags": ["a"]}),
        ("write", '<tags>["a", "2"]</tags>\n', {"tags": ["a", "2"]}),
        ("write", "<box><zip>x</zip><n>3</n></box>\n", {"box": {"zip": "x", "n": 3}}),
        ("write", "<box><zip>12345</zip><n>3</n></box>\n", {"box": {"zip": "12345", "n": 3}}),
        (
            "write",
            "<boxes><item><zip>12345</zip></item><item><n>3</n></item></boxes>\n",
            {"boxes": [{"zip": "12345"}, {"n": 3}]},
        ),
    ],
)
def test_arguments(name: str, inside: str, meant: Any) -> None:
    assert calls(claude(name, inside), "claude_legacy") == [(name, meant)]
