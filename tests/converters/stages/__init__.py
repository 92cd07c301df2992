"""What the tests of the stages share."""

from __future__ import annotations

from collections.abc import Iterable

from converters.stages.pipeline import Filter
from converters.text.events import End, Event, merge


def through(stage: Filter, events: Iterable[Event], cut: bool = False, whole: bool = False) -> list[Event]:
    """What a stage makes of events, one by one or at once."""
    end = End.CUT if cut else End.STOP
    if whole:
        return merge([*stage.feed(list(events)), *stage.finish(end)])
    return merge([*(out for event in events for out in stage.feed([event])), *stage.finish(end)])
