"""Runs registered (third-party) converters so that an exception of theirs never costs the client its answer.

`_guarded` is one of the two places that catch every exception: the code that raises is not ours.
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
from converters.stages.tracing import traced_parser
from converters.text.events import End, Event, LeaseKind, Noted, Text
from converters.text.expectations import Expectations
from streaming.decision_log import Told

log = logging.getLogger("dragoman.converters")

Result = TypeVar("Result")


def parser_for(converter: ToolCallConverter, expectations: Expectations, told: Told | None = None) -> Pipeline:
    """The parser for one choice of an answer, for a built-in or a registered converter.

    With `told` it is a slower one, which tells its decisions when it has ended.
    """
    prior = converter.syntax if isinstance(converter, SyntaxConverter) else None
    ours = isinstance(converter, SyntaxConverter) or not expectations.translate
    custom = None if ours else CustomConverterStage(converter, expectations)
    if told is not None:
        return traced_parser(expectations, prior, custom, told)
    return new_parser(expectations, prior, custom)


def converter_for(model: str) -> ToolCallConverter:
    """The converter for a model, as the factory selects it. A registered one that raises when asked is skipped."""
    for converter in converter_factory.registered:
        can_handle = partial(converter.can_handle_model, model)
        if _guarded(converter, "raised an exception in can_handle_model and is skipped", can_handle):
            return converter
    return converter_factory.get_builtin(model)


def _guarded(converter: ToolCallConverter, problem: str, call: Callable[[], Result]) -> Result | None:
    """The result of `call`, which runs code of `converter`; None if it raises, and then `problem` is logged.

    It catches everything, because the extension API promises that no exception of a converter reaches the client.
    """
    try:
        return call()
    except Exception:
        log.exception("converter %s %s", type(converter).__name__, problem)
        return None


class CustomConverterStage:
    """The stage that feeds the text to a converter's parser. If that raises, the rest of the text passes unchanged."""

    def __init__(self, converter: ToolCallConverter, expectations: Expectations) -> None:
        self._converter = converter
        self._pending = ""  # text that was fed and that no event stands for yet
        self._parser = self._guarded(partial(converter.new_parser, expectations))

    def feed(self, events: list[Event]) -> list[Event]:
        out: list[Event] = []
        for event in events:
            if isinstance(event, Text):
                out += self._text(event.text)
            else:
                out.append(event)
        return out

    def permits(self, kind: LeaseKind) -> bool:
        return kind != "text" or self._parser is None  # the parser must see all text, but nothing else

    def _text(self, text: str) -> list[Event]:
        if (parser := self._parser) is None:
            return [Text(text)]
        self._pending += text
        return self._events_of(partial(parser.feed, text))

    def finish(self, end: End) -> list[Event]:
        if (parser := self._parser) is None:
            return []
        return self._events_of(partial(parser.finish, end is End.CUT))

    def _events_of(self, call: Callable[[], list[Event]]) -> list[Event]:
        """The events that `call` returns; if it raises, the pending text, from where no event stands for it."""

        def measured() -> tuple[list[Event], int]:
            events = call()
            return events, sum(len(event.raw) for event in events)

        result = self._guarded(measured)
        if result is None:
            return self._give_up()
        events, length = result
        self._pending = self._pending[length:]
        return events

    def _give_up(self) -> list[Event]:
        self._parser = None
        text, self._pending = self._pending, ""
        noted: list[Event] = [Noted("converter_raised", type(self._converter).__name__)]
        return noted + ([Text(text)] if text else [])

    def _guarded(self, call: Callable[[], Result]) -> Result | None:
        return _guarded(self._converter, "raised an exception; its text is passed unchanged", call)
