"""A converter for a made-up model, which writes its calls as `<mytool>{"name": ..., "arguments": {...}}</mytool>`.

All of the extension API stands here. The two methods at the top are needed, the rest makes them better.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from converters import ToolCallConverter

OPENER = re.compile(r"<mytool>\s*")
CLOSER = re.compile(r"\s*</mytool>")
JSON = json.JSONDecoder()


class MyModelConverter(ToolCallConverter):
    """Reads `<mytool>` calls. One instance serves every request of every thread, so it keeps nothing."""

    def can_handle_model(self, model_name: str) -> bool:
        return "mymodel" in model_name.lower()

    def parse_tool_calls(self, content: str) -> list[dict[str, Any]]:
        return [call for call, _, _ in find_calls(content)]

    # Optional: the text before the first of these flows to the client while the model still writes.
    start_markers = ("<mytool>",)

    # Optional: what of the text is for the user. Without it nothing is, once a call was found.
    def strip_tool_calls(self, content: str) -> str:
        kept, place = [], 0
        for _, start, end in find_calls(content):
            kept.append(content[place:start])
            place = end
        return "".join([*kept, content[place:]])


def find_calls(content: str) -> Iterator[tuple[dict[str, Any], int, int]]:
    """Each call that can be read, and where its markup starts and ends. The rest is text."""
    opener = OPENER.search(content)
    while opener:
        call, end = None, opener.end()
        with suppress(ValueError):
            # The JSON says itself where it ends. A search for the closer would find one inside a string, too.
            call, end = JSON.raw_decode(content, end)
        closer = CLOSER.match(content, end)
        if closer and isinstance(call, dict) and isinstance(call.get("name"), str):
            end = closer.end()
            yield call, opener.start(), end
        opener = OPENER.search(content, end)
