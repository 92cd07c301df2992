"""Which headers of a request are sent to the backend, and which headers of its response to the client."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from random import getrandbits

Headers = Sequence[tuple[str, str]]

OF_JSON = ("Content-Type", "application/json")
"""Of a body that was written here."""

SYNTAX = "x-dragoman-syntax"
"""Of a request, it names the row to read the answer with; of an answer, the row that was read."""

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NOT_FORWARDED = _HOP_BY_HOP | {"host", "content-length", "accept-encoding", "expect", "x-request-id"}
_NOT_RETURNED = _HOP_BY_HOP | {"content-length", "server", "date", "x-request-id"}
_KEY_HEADERS = frozenset({"authorization", "x-api-key"})
_DESCRIBE_BODY = frozenset({"content-encoding", "etag", "content-md5", "digest", "content-digest", "accept-ranges"})
"""Headers that hold only for exactly the bytes that the backend sent."""
_NOT_RETURNED_REWRITTEN = _NOT_RETURNED | _DESCRIBE_BODY
_OURS = "x-dragoman-"
_REQUEST_ID = re.compile(r"[\w.:-]{1,128}")


def value_of(headers: Headers, name: str) -> str | None:
    """The value of the first header of that name, which is given in lower case; None if there is none."""
    return next((value for key, value in headers if key.lower() == name), None)


def _named_by_connection(headers: Headers) -> set[str]:
    """The headers that Connection lists, in lower case: they are hop-by-hop too."""
    values = (value for key, value in headers if key.lower() == "connection")
    return {name.strip().lower() for value in values for name in value.split(",")}


def to_backend(
    headers: Headers, api_key: str | None, drop_key: bool, request_id: str, secret: str | None = None
) -> list[tuple[str, str]]:
    """The headers of the request to the backend, from `headers` of the client.

    `api_key` replaces the client's key. `drop_key` removes the client's key, because it is one of PROXY_API_KEYS.
    Headers that hold `secret`, which is for nobody behind us, are left out.
    """
    dropped = _NOT_FORWARDED
    if named := _named_by_connection(headers):
        dropped = dropped | named
    if api_key or drop_key:
        dropped = dropped | _KEY_HEADERS
    kept = [
        (key, value) for key, value in headers if (name := key.lower()) not in dropped and not name.startswith(_OURS)
    ]
    if secret:
        kept = [(key, value) for key, value in kept if secret not in value]
    if api_key:
        kept.append(("Authorization", f"Bearer {api_key}"))
    return [*kept, ("Accept-Encoding", "identity"), ("X-Request-Id", request_id)]


def replaced(headers: Headers, by: Headers) -> list[tuple[str, str]]:
    """The headers, with those of `by` in place of any of the same name."""
    names = {name.lower() for name, _ in by}
    return [*((name, value) for name, value in headers if name.lower() not in names), *by]


def to_client(headers: Headers, request_id: str, same_body: bool, drop: Iterable[str] = ()) -> list[tuple[str, str]]:
    """The headers of the response to the client, from `headers` of the backend, without those named in `drop`.

    `same_body` means that the client receives exactly the bytes of the backend's body.
    """
    dropped = _NOT_RETURNED if same_body else _NOT_RETURNED_REWRITTEN
    if named := _named_by_connection(headers) | set(drop):
        dropped = dropped | named
    kept = [
        (key, value)
        for key, value in headers
        # CORS headers come from CORS_ORIGINS, not from the backend
        if (name := key.lower()) not in dropped and not name.startswith("access-control-")
    ]
    return [*kept, ("X-Request-Id", request_id)]


def request_id_of(given: str | None) -> str:
    """The client's request id if it is safe in a log line, else a new one: 32 digits that sort by time. No secret."""
    return given if given and _REQUEST_ID.fullmatch(given) else f"{time.time_ns() // 1000:013x}{getrandbits(76):019x}"
