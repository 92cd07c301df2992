"""Registered converters, kept at arm's length: what they do wrong must not cost the client its answer.

`_promised` is the one place besides the relay where any exception is caught: the code that raises is somebody else's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from converters.base import ToolCallConverter
from converters.builtin import SyntaxConverter
from converters.factory import converter_factory
from converters.stages.pipeline import Pipeline, new_parser
from converters.text.events import End, Event, LeaseKind, Noted, Text
from converters.text.expectations import Expectations

log = logging.getLogger("dragoman.converters")

Result = TypeVar("Result")


def parser_for(converter: ToolCallConverter, expectations: Expectations) -> Pipeline:
    """The parser of one choice, whoever wrote the converter."""
    if isinstance(converter, SyntaxConverter):
        return new_parser(expectations, converter.syntax)
    if not expectations.translate:
        return new_parser(expectations)
    return new_parser(expectations, custom=CustomConverterStage(converter, expectations))


def converter_for(model: str) -> ToolCallConverter:
    """The factory's choice; a registered converter that cannot even say whether it is meant is passed over."""
    for converter in converter_factory.registered:
        meant = partial(converter.can_handle_model, model)
        if _promised(converter, "raised in can_handle_model and is passed over", meant):
            return converter
    return converter_factory.get_builtin(model)


def _promised(converter: ToolCallConverter, tells: str, call: Callable[[], Result]) -> Result | None:
    """What `call` into a registered converter brings; None if it raises, which the log tells and the client never sees.

    The extension API promises it of whatever such code may raise, so nothing narrower would keep the promise.
    """
    try:
        return call()
    except Exception:
        log.exception("converter %s %s", type(converter).__name__, tells)
        return None


class CustomConverterStage:
    """Runs a converter's own parser over the text. If it raises, the rest of the text passes whole."""

    def __init__(self, converter: ToolCallConverter, expectations: Expectations) -> None:
        self._converter = converter
        self._fed = ""  # text that no event has accounted for yet
        self._parser = self._promised(partial(converter.new_parser, expectations))

    def feed(self, events: list[Event]) -> list[Event]:
        out: list[Event] = []
        for event in events:
            if isinstance(event, Text):
                out += self._text(event.text)
            else:
                out.append(event)
        return out

    def permits(self, kind: LeaseKind) -> bool:
        return kind != "text" or self._parser is None  # a converter reads all of the text, and nothing else

    def _text(self, text: str) -> list[Event]:
        if (parser := self._parser) is None:
            return [Text(text)]
        self._fed += text
        return self._accounted(partial(parser.feed, text))

    def finish(self, end: End) -> list[Event]:
        if (parser := self._parser) is None:
            return []
        return self._accounted(partial(parser.finish, end is End.CUT))

    def _accounted(self, events_of: Callable[[], list[Event]]) -> list[Event]:
        """The events, and what of the text they stand for; or, from where no event stands for it on, the text."""

        def measured() -> tuple[list[Event], int]:
            events = events_of()
            return events, sum(len(event.raw) for event in events)

        result = self._promised(measured)
        if result is None:
            return self._gave_up()
        events, length = result
        self._fed = self._fed[length:]
        return events

    def _gave_up(self) -> list[Event]:
        self._parser = None
        left, self._fed = self._fed, ""
        noted: list[Event] = [Noted("converter_raised", type(self._converter).__name__)]
        return noted + ([Text(left)] if left else [])

    def _promised(self, call: Callable[[], Result]) -> Result | None:
        return _promised(self._converter, "raised; its text passes whole", call)
