"""At DEBUG, the log tells what became of each part of an answer's text, and why. At INFO it holds no text of anybody.

A line holds the id of the request, the place and the length of a span in characters, what became of it, the code, and
at most the first 80 characters of the span.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from converters.stages.tracing import EXCERPT, Decision

log = logging.getLogger("dragoman.decisions")

Told = Callable[[Sequence[Decision]], None]
"""Is given the decisions about one text when it has ended."""


def teller(request_id: str) -> Told | None:
    """What logs the decisions about the answers to a request; None unless the log is at DEBUG."""
    if not log.isEnabledFor(logging.DEBUG):
        return None

    def tell(decisions: Sequence[Decision]) -> None:
        for each in decisions:
            log.debug(
                "%s at=%d length=%d %s code=%s text=%s",
                request_id,
                each.start,
                each.end - each.start,
                each.became,
                each.code or "-",
                ascii(each.excerpt[:EXCERPT]),
                extra={"fields": partial(_fields, request_id, each)},  # called by the JSON log only
            )

    return tell


def _fields(request_id: str, each: Decision) -> Mapping[str, object]:
    return {
        "message": "decision",
        "request_id": request_id,
        "at": each.start,
        "length": each.end - each.start,
        "became": each.became,
        "code": each.code or None,
        "text": each.excerpt[:EXCERPT],
    }
