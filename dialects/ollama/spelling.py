"""How the API spells: JSON in one line, times, and what an answer of `/api/chat` and one of `/api/generate` begin with.

Source of the format: docs/api.md and api/types.go of Ollama, and what its SDK for Python reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from wire.json_values import compact

_SECOND = 1_000_000_000
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Form:
    """What stands around the content of an answer, be it a part of it or the whole."""

    before: str
    behind: str

    def around(self, content: str, *beside: str) -> str:
        """`content` as JSON, and members `beside` it: `"thinking":"…"`."""
        return self.before + ",".join((content, *beside)) + self.behind


CHAT_FORM = Form('"message":{"role":"assistant","content":', "}")
GENERATE_FORM = Form('"response":', "")


def as_json(value: Any) -> str:
    """`value` as JSON that no reader of lines takes for two: the SDK cuts also at line ends that JSON allows."""
    return in_one_line(compact(value))


def in_one_line(text: str) -> str:
    """JSON without line ends: between its tokens they are blanks, and inside strings they are escaped."""
    text = text.replace("\n", " ").replace("\r", " ")
    if text.isascii():
        return text
    return _LINE_ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def as_time(nanoseconds: int) -> str:
    """A time since 1970 as the API tells it: `2023-08-04T19:22:45.499127000Z`."""
    seconds, rest = divmod(nanoseconds, _SECOND)
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def error_line(message: str) -> bytes:
    """An error, of a reply or in the place of a stream's last line. An empty one is none for the SDK."""
    return f'{{"error":{as_json(message or "The backend failed and did not say why.")}}}\n'.encode(errors="replace")
