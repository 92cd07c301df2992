"""What becomes of a model's text, character by character, and why: for people who ask why a call was not converted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from converters.builtin import SyntaxConverter
from converters.factory import converter_factory
from converters.stages.tracing import Decision, traced_parser
from converters.text.events import Event
from converters.text.expectations import Expectations, Schema
from converters.text.reasons import Reason
from converters.thinking import family_of

__all__ = ["Decision", "Explained", "explain", "explained"]

_MOST_PIECES = 65_536
"""A text is read in so many pieces at most: the smaller they are, the finer the markup of a call and its arguments are
told apart, since a call opens with the first of its arguments."""


@dataclass(frozen=True, slots=True)
class Explained:
    """All that the ordinary parser says of one text."""

    events: Sequence[Event]
    decisions: Sequence[Decision]
    syntax: str | None
    """The row that the first call was written in; None if there is no call."""
    left: frozenset[Reason]
    """Why what looks like a call was left as it is."""


def explain(
    text: str, tools: Mapping[str, Schema], model: str | None = None, syntax: str | None = None, cut: bool = False
) -> list[Decision]:
    """The decisions of the ordinary parser about one text, in its order.

    `tools` maps each declared name to the JSON Schema of its parameters; without tools nothing is translated. `model`
    is the model's name, `syntax` that of a row, which is expected then whatever the model. `cut`: max_tokens ended the
    text. Those decisions that have a span cover every character once. Raises KeyError for a row that does not exist.
    """
    return [*explained(text, tools, model, syntax, cut).decisions]


def explained(
    text: str, tools: Mapping[str, Schema], model: str | None = None, syntax: str | None = None, cut: bool = False
) -> Explained:
    """As `explain`, with the events themselves."""
    converter = converter_factory.get_row(syntax) if syntax is not None else converter_factory.get_builtin(model or "")
    family = family_of(model) if model else None
    expectations = Expectations(
        tools=tools, translate=bool(tools), starts_inside=syntax is None and family is not None and family.opens
    )
    row = converter.syntax if isinstance(converter, SyntaxConverter) else None
    parser = traced_parser(expectations, row)
    size = 1 + len(text) // _MOST_PIECES
    events = [event for start in range(0, len(text), size) for event in parser.feed(text[start : start + size])]
    events += parser.finish(cut)
    left: set[Reason] = {*parser.left_as_text}
    if parser.left_marker:
        left.add("marker_left")
    return Explained(events, parser.decisions(), parser.syntax, frozenset(left))
