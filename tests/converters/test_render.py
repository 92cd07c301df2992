"""Calls written in a row, as its models write them."""

from __future__ import annotations

import pytest

from converters.render import render_calls
from tests.helpers import ROWS

CALL = ("f", {"s": 'it\'s "x"', "n": 3, "b": True, "o": {"k": None}})


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            "hermes",
            '<tool_call>\n{"name": "f", "arguments": {"s": "it\'s \\"x\\"", "n": 3, "b": true, "o": {"k": null}}}\n'
            "</tool_call>",
        ),
        ("mistral_new", '[TOOL_CALLS]f[ARGS]{"s": "it\'s \\"x\\"", "n": 3, "b": true, "o": {"k": null}}'),
        (
            "qwen3_coder",
            '<tool_call>\n<function=f>\n<parameter=s>\nit\'s "x"\n</parameter>\n<parameter=n>\n3\n</parameter>\n'
            '<parameter=b>\ntrue\n</parameter>\n<parameter=o>\n{"k": null}\n</parameter>\n</function>\n</tool_call>',
        ),
        ("pythonic", "[f(s='it\\'s \"x\"', n=3, b=True, o={'k': None})]"),
        ("gemma4", '<|tool_call>call:f{s:<|"|>it\'s "x"<|"|>,n:3,b:true,o:{k:null}}<tool_call|>'),
    ],
)
def test_one_call_of_each_shape(row: str, text: str) -> None:
    assert render_calls(ROWS[row], [CALL]) == text


def test_calls_in_groups() -> None:
    pings: list[tuple[str, dict[str, str]]] = [("ping", {}), ("ping", {})]
    assert render_calls(ROWS["mistral_old"], pings) == (
        '[TOOL_CALLS] [{"name": "ping", "arguments": {}}, {"name": "ping", "arguments": {}}]'
    )
    assert render_calls(ROWS["qwen3_coder"], pings).count("<tool_call>") == 2
    kimi = render_calls(ROWS["kimi_k2"], pings)
    assert kimi.count("<|tool_calls_section_begin|>") == 1
    assert "functions.ping:0" in kimi
    assert "functions.ping:1" in kimi


def test_non_ascii_is_written_as_it_is() -> None:
    assert "서울" in render_calls(ROWS["hermes"], [("f", {"a": "서울"})])
