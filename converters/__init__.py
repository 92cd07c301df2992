"""The heart: model text to meaning and back. It does no I/O and knows no clock, no log, no HTTP and no configuration.

Text goes in in pieces, events come out (events.py); which syntax it was written in is found on the way (detect.py).
"""

from converters.base import ToolCallConverter
from converters.factory import converter_factory
from converters.stages.pipeline import OutputParser, new_parser
from converters.syntaxes import SYNTAXES, Syntax
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Event, Noted, Reasoning, Removed, Text
from converters.text.expectations import Expectations

__all__ = [
    "SYNTAXES",
    "ArgumentsDelta",
    "CallEnd",
    "CallStart",
    "Event",
    "Expectations",
    "Noted",
    "OutputParser",
    "Reasoning",
    "Removed",
    "Syntax",
    "Text",
    "ToolCallConverter",
    "converter_factory",
    "new_parser",
]
