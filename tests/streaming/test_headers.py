"""Which headers go on, and which come back."""

from __future__ import annotations

import pytest

from streaming.headers import request_id_of, to_backend, to_client, value_of

HOP = [
    "Connection",
    "Keep-Alive",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
]


def sent(*headers: tuple[str, str], key: str | None = None, ours: bool = False) -> dict[str, str]:
    return {name.lower(): value for name, value in to_backend(headers, key, ours, "id-1")}


def back(*headers: tuple[str, str], same: bool = True) -> dict[str, str]:
    return {name.lower(): value for name, value in to_client(headers, "id-1", same, ["x-drop"])}


@pytest.mark.parametrize("name", [*HOP, "Host", "Content-Length", "X-Dragoman-Syntax", "x-DRAGOMAN-anything"])
def test_what_does_not_reach_the_backend(name: str) -> None:
    assert not {name.lower(), name} & set(sent((name, "x"), (name.lower(), "y")))


def test_what_connection_names_does_not_go_on_either() -> None:
    headers = [
        ("Connection", "close, X-One"),
        ("connection", "x-two"),
        ("X-One", "1"),
        ("X-Two", "2"),
        ("X-Three", "3"),
    ]
    for out in (sent(*headers), back(*headers)):
        assert {"x-one", "x-two", "x-three"} & set(out) == {"x-three"}


def test_the_rest_goes_on() -> None:
    out = sent(("User-Agent", "me"), ("OpenAI-Organization", "o"), ("Content-Type", "application/json"))
    assert (out["user-agent"], out["openai-organization"], out["content-type"]) == ("me", "o", "application/json")
    assert (out["accept-encoding"], out["x-request-id"]) == ("identity", "id-1")
    assert sent(("Accept-Encoding", "gzip"))["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("key", "ours", "authorization"),
    [(None, False, "Bearer theirs"), ("mine", False, "Bearer mine"), (None, True, None), ("mine", True, "Bearer mine")],
)
def test_authorization(key: str | None, ours: bool, authorization: str | None) -> None:
    assert sent(("AUTHORIZATION", "Bearer theirs"), key=key, ours=ours).get("authorization") == authorization
    assert ("x-api-key" in sent(("x-api-key", "theirs"), key=key, ours=ours)) is (key is None and not ours)


def test_what_comes_back() -> None:
    headers = [("Retry-After", "7"), ("x-ratelimit-limit-requests", "9"), ("Set-Cookie", "a"), ("Set-Cookie", "b")]
    assert to_client(headers, "id-1", True)[:4] == headers
    assert back(*headers)["x-request-id"] == "id-1"


@pytest.mark.parametrize("name", [*HOP, "Content-Length", "X-Request-Id", "Access-Control-Allow-Origin", "X-Drop"])
def test_what_does_not_come_back(name: str) -> None:
    assert back((name, "theirs")).get(name.lower()) in (None, "id-1")


@pytest.mark.parametrize("name", ["Content-Encoding", "ETag"])
def test_what_is_true_of_the_same_bytes_only(name: str) -> None:
    assert name.lower() in back((name, "x"), same=True)
    assert name.lower() not in back((name, "x"), same=False)


def test_the_first_of_a_name() -> None:
    assert value_of([("A", "1"), ("a", "2")], "a") == "1"
    assert value_of([], "a") is None


def test_request_ids() -> None:
    assert request_id_of("abc-1.2:3") == "abc-1.2:3"
    for bad in (None, "", "a b", "a\nb", "x" * 129):
        assert request_id_of(bad) not in (bad, "")
    assert request_id_of(None) != request_id_of(None)
