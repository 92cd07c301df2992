"""The ids of calls in both forms: the canonical one, which the backend knows, and the one of the Messages API.

One is a function of the other, so that no table is needed: what a client sends back is read from the id itself.

    canonical id                                     at the client
    letters, digits, `_` and `-`                     toolu_<id>
    anything else, or what begins with `b64_`        toolu_b64_<base64url of its UTF-8, without padding>
"""

from __future__ import annotations

import base64
import binascii
import re

_PREFIX = "toolu_"
_ENCODED = "b64_"
_PLAIN = re.compile(r"(?!b64_)[A-Za-z0-9_-]+")
"""The characters that clients of the API take in an id."""


def to_client(canonical: str) -> str:
    """The id under which a client knows a call."""
    if _PLAIN.fullmatch(canonical):
        return _PREFIX + canonical
    encoded = base64.urlsafe_b64encode(canonical.encode("utf-8", "surrogatepass"))
    return _PREFIX + _ENCODED + encoded.rstrip(b"=").decode()


def from_client(given: str) -> str:
    """The canonical id. An id that is none of ours, of another server or of the client itself, is its own."""
    rest = given.removeprefix(_PREFIX)
    if not rest or rest == given:
        return given
    if not rest.startswith(_ENCODED):
        return rest
    try:
        decoded = _decoded(rest.removeprefix(_ENCODED))
    except (binascii.Error, ValueError):
        return rest
    return decoded if to_client(decoded) == given else rest


def _decoded(text: str) -> str:
    padding = "=" * (-len(text) % 4)
    return base64.urlsafe_b64decode(text.encode("ascii") + padding.encode()).decode("utf-8", "surrogatepass")
