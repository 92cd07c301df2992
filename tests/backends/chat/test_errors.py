"""What a backend's body is, and errors in the shape that clients read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backends.chat.errors import chat_completion, error_of, is_error, late_error_of, quoted_text

OPENAI = b'{"error": {"message": "No.", "type": "x", "code": 7},  "more": 1}'


@pytest.mark.parametrize(
    ("body", "is_reply"),
    [
        (b'{"choices": []}', True),
        (b'{"choices": [{"message": {}}], "x": 1}', True),
        (b'{"choices": null}', False),
        (b'{"error": {}}', False),
        (b"[]", False),
        (b"", False),
        (b"<html>", False),
        (b"\xff", False),
        (b"[" * 100_000, False),
    ],
)
def test_chat_completions(body: bytes, is_reply: bool) -> None:
    assert (chat_completion(body) is not None) is is_reply


@pytest.mark.parametrize(
    ("body", "error"),
    [(OPENAI, True), (b'{"error": "no"}', True), (b'{"error": null}', False), (b'{"a": 1}', False), (b"no", False)],
)
def test_errors(body: bytes, error: bool) -> None:
    assert is_error(body) is error


def test_an_error_of_openai_is_left_as_it_is() -> None:
    error = error_of(429, OPENAI)
    assert (error.status, error.raw, error.message) == (429, OPENAI, "No.")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ([], "The backend answered with status 502."),
        ({"a": 1}, '{"a": 1}'),
        (None, "The backend answered with status 502."),
    ],
)
def test_a_message_that_is_no_text_becomes_one(message: object, told: str) -> None:
    """Clients show it (defect C6)."""
    found = error_of(502, json.dumps({"error": {"message": message, "code": "x"}}).encode())
    assert (found.error, found.raw) == ({"type": "backend_error", "message": told, "code": "x"}, None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>Bad gateway</html>", "<html>Bad gateway</html>"),
        (b"", "503"),
        (b"  \n", "503"),
        (b'{"error": "model not found"}', "model not found"),
        (b'{"message": "too long"}', "too long"),
        (b'{"detail": [{"loc": ["body"]}]}', '[{"loc": ["body"]}]'),
        ("Größe".encode(), "Größe"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"x" * 100_000, "xxx"),
    ],
)
def test_anything_else_is_wrapped(body: bytes, message: str) -> None:
    error: Any = error_of(503, body).error
    assert message in error["message"]
    assert len(error["message"]) <= 2000
    assert {"type", "code"} <= set(error)
    assert error["type"]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("Failed to parse input at pos 184: <tool_call>x", "<tool_call>x"),
        ("Failed to parse input at pos 0: a: b\nc", "a: b\nc"),
        ("Failed to parse input: x", "x"),
        ("500 - failed to parse the response: x", "x"),
        ("Failed to parse input at pos 7: ", None),
        ("Failed to parse tool call arguments as JSON: x", None),
        ("Internal server error", None),
        ("", None),
    ],
)
def test_what_an_error_quotes(message: str, text: str | None) -> None:
    for error in ({"message": message}, message):
        assert quoted_text(json.dumps({"error": error}).encode()) == text


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'"x"', b'{"error": 7}', b'{"error": {"message": 7}}', b"<html>"]
)
def test_what_quotes_nothing(body: bytes) -> None:
    assert quoted_text(body) is None


@pytest.mark.parametrize(("code", "status"), [(None, 502), (429, 429), (503, 503), (200, 502), ("x", 502), (700, 502)])
def test_the_status_of_a_refusal_under_a_success(code: object, status: int) -> None:
    body = json.dumps({"error": {"message": "No.", "code": code}}).encode()
    assert late_error_of(body).status == status


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            {"background": {"message": "No."}},
            'The backend answered with status 502: {"background": {"message": "No."}}',
        ),
        ({"message": ["No."], "trace": "x", "id": None}, '["No."] {"trace": "x"}'),
        ({"message": "No.", "at": float("nan")}, 'No. {"at": NaN}'),
    ],
)
def test_an_error_of_ours_has_the_members_of_the_api(error: object, told: str) -> None:
    """What else the backend's error says is in the message."""
    found = error_of(502, json.dumps({"error": error}).encode())
    assert found.error == {"type": "backend_error", "message": told}


def test_an_error_that_says_nothing_has_a_type() -> None:
    """Clients of the API read `type` of any error."""
    found = error_of(502, b'{"error": {"message": []}}')
    assert found.error == {"type": "backend_error", "message": "The backend answered with status 502."}
    assert error_of(502, b'{"error": {"type": "x", "message": []}}').error["type"] == "x"
