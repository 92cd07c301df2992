"""What the tests of the stages share."""

from __future__ import annotations

from collections.abc import Iterable

from converters.stages.pipeline import Stage
from converters.text.events import Event, merge


def through(stage: Stage, events: Iterable[Event], cut: bool = False, whole: bool = False) -> list[Event]:
    """What a stage makes of events, one by one or at once."""
    if whole:
        return merge([*stage.feed(list(events)), *stage.finish(cut)])
    return merge([*(out for event in events for out in stage.feed([event])), *stage.finish(cut)])
