"""The request on the wire, and what must not be in one.

May not know: connections, answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from errors import RequestError

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_TARGET = re.compile(r"[^!-~]")
_NOT_IN_VALUE = re.compile(r"[\0\r\n]")

# Said by us, of the URL and the body. Said twice, they could make one message two.
_OURS = {"host", "content-length", "transfer-encoding"}


def render(method: str, target: str, host: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    """In one piece: mostly it is one packet. RequestError for what cannot stand in a head."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers if name.lower() not in _OURS]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    bad = [name for name, value in headers if not _TOKEN.fullmatch(name) or _NOT_IN_VALUE.search(value)]
    if bad or not _TOKEN.fullmatch(method) or _NOT_IN_TARGET.search(target):
        raise RequestError("the request's head holds a character that must not be in one")
    try:
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    except UnicodeEncodeError as error:
        raise RequestError("a header holds a character that cannot be sent") from error
