"""Bodies of requests to the inspector: small, and read once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from flask import g

from errors import NotJson, RequestError, TooLarge
from serving.request_body import read_body
from web.client_request import current_request
from wire import json_body

MOST_BYTES = 1 << 20
"""Of a body of JSON."""
_MOST_OF_A_FORM = 1 << 14
_FORM = "application/x-www-form-urlencoded"


def json_of() -> Mapping[str, Any]:
    """The object that the body holds. Raises NotJson, TooLarge, and RequestError for a body that is no such object."""
    if current_request().mimetype != "application/json":
        raise NotJson("This needs 'Content-Type: application/json'.")
    found = json_body.read_body(_read(MOST_BYTES))
    if not isinstance(found, dict):
        raise RequestError("The request body must be a JSON object.")
    return found


def form_of() -> Mapping[str, str]:
    """The fields of a form, the first of each name; none if the body is no form. Raises TooLarge, RequestError."""
    asked = current_request()
    if "form" not in g:
        fields: dict[str, str] = {}
        if asked.mimetype == _FORM:
            text = _read(_MOST_OF_A_FORM).decode("ascii", "replace")
            for name, value in parse_qsl(text, keep_blank_values=True):
                fields.setdefault(name, value)
        g.form = fields
    found: Mapping[str, str] = g.form
    return found


def _read(most: int) -> bytes:
    asked = current_request()
    length = asked.content_length
    if length is None and not asked.environ.get("wsgi.input_terminated"):
        return b""
    try:
        return read_body(asked.environ["wsgi.input"], length, most)
    except TooLarge:
        raise TooLarge(f"The request body is larger than {most} bytes.") from None
