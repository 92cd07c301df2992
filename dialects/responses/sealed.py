"""Reasoning in `encrypted_content`: the text itself, so that a client that keeps only this field brings it back.

Nothing is secret in it: the client has the text beside it. The field's name is the vendor's.
"""

from __future__ import annotations

import base64

_MARK = "dragoman.1."


def sealed(text: str) -> str:
    """The text as it stands in `encrypted_content`."""
    return _MARK + base64.urlsafe_b64encode(text.encode(errors="replace")).decode()


def opened(content: object) -> str:
    """The text; empty if the content is not ours."""
    if not isinstance(content, str) or not content.startswith(_MARK):
        return ""
    try:
        return base64.urlsafe_b64decode(content[len(_MARK) :].encode()).decode()
    except ValueError:
        return ""
