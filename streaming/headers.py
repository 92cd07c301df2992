"""Which headers go on to the backend, and which of its headers go back. Names are compared in lower case."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence

Headers = Sequence[tuple[str, str]]

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
_NOT_FORWARDED = _HOP_BY_HOP | {"host", "content-length", "accept-encoding", "expect"}
_NOT_RETURNED = _HOP_BY_HOP | {"content-length", "server", "date", "x-request-id"}
_OF_THE_BODY = frozenset({"content-encoding", "etag", "content-md5", "digest", "content-digest", "accept-ranges"})
"""Headers that are true only of the very bytes the backend sent."""
_OURS = "x-dragoman-"
_REQUEST_ID = re.compile(r"[\w.:-]{1,128}")


def value_of(headers: Headers, name: str) -> str | None:
    """The first header of that name."""
    return next((value for key, value in headers if key.lower() == name), None)


def _named_by_connection(headers: Headers) -> set[str]:
    values = (value for key, value in headers if key.lower() == "connection")
    return {name.strip().lower() for value in values for name in value.split(",")}


def to_backend(headers: Headers, api_key: str | None, key_is_ours: bool, request_id: str) -> list[tuple[str, str]]:
    """The client's headers as the backend should see them.

    `api_key` replaces the client's Authorization; `key_is_ours` says that the client's key is for us alone.
    """
    dropped = _NOT_FORWARDED | _named_by_connection(headers) | {"x-request-id"}
    if api_key or key_is_ours:
        dropped = dropped | {"authorization", "x-api-key"}
    kept = [(key, value) for key, value in headers if key.lower() not in dropped and not key.lower().startswith(_OURS)]
    if api_key:
        kept.append(("Authorization", f"Bearer {api_key}"))
    return [*kept, ("Accept-Encoding", "identity"), ("X-Request-Id", request_id)]


def to_client(headers: Headers, request_id: str, same_body: bool, drop: Iterable[str] = ()) -> list[tuple[str, str]]:
    """The backend's headers as the client should see them; `same_body` says that it gets the very same bytes."""
    dropped = _NOT_RETURNED | _named_by_connection(headers) | set(drop)
    if not same_body:
        dropped = dropped | _OF_THE_BODY
    kept = [
        (key, value)
        for key, value in headers
        # which origins may read an answer is ours to say, not the backend's
        if key.lower() not in dropped and not key.lower().startswith("access-control-")
    ]
    return [*kept, ("X-Request-Id", request_id)]


def request_id_of(given: str | None) -> str:
    """A client's request id, if it is one that may stand in a log line, else a new one."""
    return given if given and _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
