"""Tags around words of the answer that cite something. They go, and the words stay."""

from __future__ import annotations

import re

from converters.detect.prose import WAIT
from converters.text.events import End

_REST = re.compile(r"(?::[\s\d,:\[\]]{0,64})?(>|\Z)")
"""The rest of a tag, with the numbers of what it cites."""


def citation_end(marker: re.Match[str], end: End) -> int | None:
    """Where the tag ends that begins with a marker; WAIT if more text must come, None if there is no tag."""
    tag = _REST.match(marker.string, marker.end())
    if tag is None or not (tag[1] or end is End.MORE):
        return None
    return tag.end() if tag[1] else WAIT
