"""Serialization of an HTTP/1.1 request, and the check of what must not be in its head.

May not know: connections, responses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from errors import RequestError

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_TARGET = re.compile(r"[^!-~]")
_NOT_IN_VALUE = re.compile(r"[\0\r\n]")

# Derived from the URL and the body. A second value could make the backend read one message as two (request smuggling).
_DERIVED = {"host", "content-length", "transfer-encoding"}


_SMALL = 1 << 16
"""Bytes of a body that costs less to copy than to send apart from its head."""


def render(method: str, target: str, host: str, headers: Sequence[tuple[str, str]], body: bytes) -> tuple[bytes, ...]:
    """The parts of the request. `target` is the path and the query, `host` the value of the Host header.

    Head and a small body are one part, because most requests then fit into one packet; a long body is not copied.
    Raises RequestError for a method, target or header with characters that a head must not contain.
    """
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers if name.lower() not in _DERIVED]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    bad = [name for name, value in headers if not _TOKEN.fullmatch(name) or _NOT_IN_VALUE.search(value)]
    if bad or not _TOKEN.fullmatch(method) or _NOT_IN_TARGET.search(target):
        raise RequestError("the method, the path or a header of the request holds a character that HTTP does not allow")
    try:
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    except UnicodeEncodeError as error:
        raise RequestError("a header of the request holds a character that is not in Latin-1") from error
    return (head, body) if len(body) > _SMALL else (head + body,)
