"""What the tests of the shapes share: tools, and a text read at every cut."""

from __future__ import annotations

import json
from typing import Any

from tests.helpers import Message, assemble, cuts, meaning, parse, spans

TOOLS: dict[str, Any] = {
    "get_weather": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    },
    "write": {
        "type": "object",
        "$defs": {"Box": {"type": "object", "properties": {"zip": {"type": "string"}, "n": {"type": "integer"}}}},
        "properties": {
            "path": {"type": "string"},
            "text": {"type": "string"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "box": {"$ref": "#/$defs/Box"},
            "boxes": {"type": "array", "items": {"$ref": "#/$defs/Box"}},
        },
    },
    "ping": {},
}


def read(text: str, row: str, cut: bool = False, **expectations: Any) -> Message:
    """What a text means in a row; fails if that depends on how it comes, or if a character is lost."""
    events = parse(text, TOOLS, row=row, cut=cut, **expectations)
    whole = meaning(events)
    for pieces in cuts(text, pairs=200, randoms=2):
        again = parse(text, TOOLS, pieces, row=row, cut=cut, **expectations)
        assert spans(again) == text, pieces
        assert meaning(again) == whole, pieces
    return assemble(events)


def calls(text: str, row: str, **expectations: Any) -> list[tuple[str, Any]]:
    """The calls of a text that holds nothing else."""
    message = read(text, row, **expectations)
    assert message.content == "" or not message.calls, message.content
    return [(name, json.loads(arguments)) for name, arguments, _ in message.calls]
