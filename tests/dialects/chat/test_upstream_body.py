"""The request as it goes on: the bytes received, and where something must go, all else as it was written."""

from __future__ import annotations

import json

import pytest

from dialects.chat.upstream_body import body_for_backend


def sent(raw: str) -> str:
    return body_for_backend(raw.encode(), json.loads(raw))[0].decode()


@pytest.mark.parametrize(
    "raw",
    [
        '{"model":"m",  "messages":[]}',
        '{"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "auto"}',
        '{"functions": [{"name": "f"}], "function_call": "auto", "x": 1.0}\n',
        '{"tools": [{}], "functions": null}',
        '{"é": "\\u00e9", "n": 1E5}',
        '{"parallel_tool_calls": false}',
    ],
)
def test_a_request_that_needs_no_change_is_the_bytes_received(raw: str) -> None:
    assert sent(raw) == raw


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ('{"a": 1, "tools": []}', {"a": 1}),
        ('{"tools": [], "tool_choice": "auto", "a": 1}', {"a": 1}),
        ('{"tools": [], "tool_choice": "auto", "parallel_tool_calls": false, "a": 1}', {"a": 1}),
        ('{"tool_choice": "none", "a": 1}', {"a": 1}),
        ('{"tool_choice": {"type": "function", "function": {"name": "f"}}, "a": 1}', {"a": 1}),
        ('{"functions": [], "function_call": "auto", "a": 1}', {"a": 1}),
        ('{"tools": [], "functions": [{"name": "f"}], "function_call": "auto"}', {"functions": 1, "function_call": 1}),
    ],
)
def test_what_goes(raw: str, kept: dict[str, object]) -> None:
    assert list(json.loads(sent(raw))) == list(kept)


@pytest.mark.parametrize(
    "number", ["1.0", "1.50", "-0", "-0.0", "1E5", "1e-07", "12345678901234567890123", "0.1000000000000000055", "1e999"]
)
def test_digits_are_kept(number: str) -> None:
    text = sent(f'{{"tools": [], "seed": {number}, "deep": {{"list": [{number}, [{number}]]}}}}')
    assert text.count(number) == 3


def test_a_number_of_any_length_is_kept() -> None:
    digits = "9" * 5000
    raw = f'{{"tools": [], "n": {digits}}}'.encode()
    assert digits.encode() in body_for_backend(raw, {"tools": []})[0]


def test_the_order_of_keys_is_kept_at_every_depth() -> None:
    text = sent('{"z": 1, "tools": [], "a": {"y": 1, "b": {"x": 2, "c": 3}}, "m": null}')
    assert text == '{"z": 1, "a": {"y": 1, "b": {"x": 2, "c": 3}}, "m": null}'


@pytest.mark.parametrize("text", ["서울 é 😀", 'quote " back \\ slash /', "\u2028\x7f", "\n\t\x00", "", "&lt;"])
def test_texts_are_kept(text: str) -> None:
    written = sent(json.dumps({"tools": [], text: [text, {"k": text}]}, ensure_ascii=False))
    assert json.loads(written) == {text: [text, {"k": text}]}
    assert all(letter in written for letter in text if not letter.isascii())


def test_half_a_surrogate_pair_does_not_stop_a_request() -> None:
    assert body_for_backend(b'{"tools": [], "a": "\\ud83d"}', {"tools": []})[0]


def test_true_false_and_null_stay_what_they_are() -> None:
    assert json.loads(sent('{"tools": [], "a": [true, false, null]}')) == {"a": [True, False, None]}


def test_the_objects_say_what_the_bytes_say() -> None:
    raw = b'{"tools": [], "tool_choice": "auto", "a": 1}'
    body, fields = body_for_backend(raw, json.loads(raw))
    assert json.loads(body) == fields == {"a": 1}
