"""Registered converters, kept at arm's length: what they do wrong must not cost the client its answer.

This is the one place besides the relay where any exception is caught: the code that raises is somebody else's.
"""

from __future__ import annotations

import logging

from converters.base import ToolCallConverter
from converters.builtin import SyntaxConverter
from converters.events import Event, Noted, Text
from converters.expectations import Expectations
from converters.factory import converter_factory
from converters.pipeline import OutputParser, Pipeline, new_parser

log = logging.getLogger("dragoman.converters")


def parser_for(converter: ToolCallConverter, expectations: Expectations) -> Pipeline:
    """The parser of one choice, whoever wrote the converter."""
    if isinstance(converter, SyntaxConverter):
        return new_parser(expectations, converter.syntax)
    if not expectations.translate:
        return new_parser(expectations)
    return new_parser(expectations, custom=ForeignStage(converter, expectations))


def converter_for(model: str) -> ToolCallConverter:
    """The factory's choice; a registered converter that cannot even say whether it is meant is passed over."""
    for converter in converter_factory.registered:
        try:
            if converter.can_handle_model(model):
                return converter
        except Exception:
            log.exception("converter %s raised in can_handle_model and is passed over", type(converter).__name__)
    return converter_factory.get_builtin(model)


class ForeignStage:
    """Runs a converter's own parser over the text. If it raises, the rest of the text passes whole."""

    def __init__(self, converter: ToolCallConverter, expectations: Expectations) -> None:
        self._parser: OutputParser | None = None
        self._fed = ""  # text that no event has accounted for yet
        self._name = type(converter).__name__
        try:
            self._parser = converter.new_parser(expectations)
        except Exception:
            log.exception("converter %s raised in new_parser; its text passes whole", self._name)

    def feed(self, events: list[Event]) -> list[Event]:
        out: list[Event] = []
        for event in events:
            if isinstance(event, Text):
                out += self._text(event.text)
            else:
                out.append(event)
        return out

    def _text(self, text: str) -> list[Event]:
        if self._parser is None:
            return [Text(text)]
        self._fed += text
        try:
            return self._accounted(self._parser.feed(text))
        except Exception:  # noqa: BLE001 - foreign code
            return self._gave_up()

    def finish(self, cut: bool) -> list[Event]:
        if self._parser is None:
            return []
        try:
            return self._accounted(self._parser.finish(cut))
        except Exception:  # noqa: BLE001 - foreign code
            return self._gave_up()

    def _accounted(self, events: list[Event]) -> list[Event]:
        self._fed = self._fed[sum(len(event.raw) for event in events) :]
        return events

    def _gave_up(self) -> list[Event]:
        log.exception("converter %s raised; the text passes whole", self._name)
        self._parser = None
        left, self._fed = self._fed, ""
        noted: list[Event] = [Noted("converter_raised", self._name)]
        return noted + ([Text(left)] if left else [])
