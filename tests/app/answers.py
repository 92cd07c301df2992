"""What the tests of the application share: an answer with a call, targets, and the form of an error of ours."""

from __future__ import annotations

from tests.servers import (
    Client,
    Json,
    json_answer,
)

OK = json_answer({"ok": True})
CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>'
CALLED = {"name": "get_weather", "arguments": '{"city": "Oslo"}'}

TARGETS = ["/v1/chat/completions", "/v1/embeddings"]

PREFLIGHT = [
    ("Origin", "https://app.example"),
    ("Access-Control-Request-Method", "POST"),
    ("Access-Control-Request-Headers", "authorization, content-type, x-stainless-os"),
]


def is_error(client: Client, status: int, code: str | None = None) -> Json:
    """The answer is an error of ours, in the shape that OpenAI's clients read."""
    assert client.status == status, client.rest()
    assert client.header("content-type") == "application/json"
    error: Json = client.json()["error"]
    assert isinstance(error["message"], str) and error["message"]
    assert isinstance(error["type"], str) and error["type"]
    assert "param" in error and "code" in error
    if code:
        assert error["code"] == code
    return error
