"""Shape C: a header that carries the name, then tagged keys and values."""

from __future__ import annotations

from typing import Any

import pytest

from tests.converters.shapes import calls, read
from tests.helpers import assemble, parse


def qwen(*parameters: str, name: str = "write") -> str:
    return f"<tool_call>\n<function={name}>\n{''.join(parameters)}</function>\n</tool_call>"


def p(key: str, value: str) -> str:
    return f"<parameter={key}>\n{value}\n</parameter>\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("two\nlines\n", "two\nlines\n"),
        ("  indented", "  indented"),
        ("", ""),
        ('{"a": 1}', '{"a": 1}'),
        ("00123", "00123"),
        ("true", "true"),
        ("&lt;b&gt; &amp;amp;", "&lt;b&gt; &amp;amp;"),
        ("<b>x</b> <parameter", "<b>x</b> <parameter"),
        ("a </parameter> b", "a </parameter> b"),
        ("</function> is data", "</function> is data"),
        ("<tool_call>\n<function=ping>\n x", "<tool_call>\n<function=ping>\n x"),
        ("<|im_end|>", "<|im_end|>"),
        ("```\n'quotes' \"and\" \\d\n```", "```\n'quotes' \"and\" \\d\n```"),
    ],
)
def test_a_string_is_verbatim(value: str, text: str) -> None:
    assert calls(qwen(p("path", "a"), p("text", value)), "qwen3_coder") == [("write", {"path": "a", "text": text})]
    assert calls(qwen(p("text", value), p("path", "a")), "qwen3_coder") == [("write", {"text": text, "path": "a"})]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (qwen(p("city", "Seoul"), p("days", "3"), name="get_weather"), {"city": "Seoul", "days": 3}),
        (qwen(p("days", "three"), name="get_weather"), {"days": "three"}),
        (qwen(p("city", "a"), p("city", "b"), name="get_weather"), {"city": "a"}),
        (qwen("<parameter=city>\nSeoul\n", p("days", "3"), name="get_weather"), {"city": "Seoul", "days": 3}),
        (qwen("<parameter=city>Seoul</parameter>", name="get_weather"), {"city": "Seoul"}),
        (qwen(name="get_weather"), {}),
        (qwen(p("city", "Seoul"), name="get_weather").removesuffix("\n</tool_call>"), {"city": "Seoul"}),
        (qwen(p("tags", '["a", "b"]')), {"tags": ["a", "b"]}),
        (qwen(p("box", '{"n": 1}')), {"box": {"n": 1}}),
    ],
)
def test_arguments(text: str, meant: Any) -> None:
    assert [arguments for _, arguments in calls(text, "qwen3_coder")] == [meant]


def test_text_flows_and_other_values_wait() -> None:
    head = "<tool_call>\n<function=get_weather>\n<parameter=city>\nSeo"
    message = assemble(parse(head, {"get_weather": {"properties": {"city": {"type": "string"}}}}, cut=True))
    assert message.calls == [("get_weather", '{"city": "Seo', None)]
    message = assemble(parse(head, {"get_weather": {"properties": {"city": {"type": "array"}}}}, cut=True))
    assert message.calls == [("get_weather", "", None)]


def test_what_a_syntax_says_of_a_type() -> None:
    text = (
        '<｜DSML｜function_calls>\n<｜DSML｜invoke name="f">\n'
        '<｜DSML｜parameter name="a" string="true">3</｜DSML｜parameter>\n'
        '<｜DSML｜parameter name="b" string="false">3</｜DSML｜parameter>\n'
        "</｜DSML｜invoke>\n</｜DSML｜function_calls>"
    )
    assert calls(text, "deepseek_v32") == [("f", {"a": "3", "b": 3})]


def test_an_undeclared_name_without_its_group_is_text() -> None:
    text = "<function=nobody>\n<parameter=a>\n1\n</parameter>\n</function>"
    assert read(text, "qwen3_coder").content == text
