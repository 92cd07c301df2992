"""What adaptations are made of: the request that they change, and what is known of the model that it is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from converters.factory import converter_factory
from converters.syntaxes import Syntax, ThinkingFamily
from converters.syntaxes.objects import HERMES
from converters.thinking import family_of

Request = dict[str, Any]
"""The body of a chat request, as JSON objects. Numbers may be `wire.lossless_json.Number`."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the model and the backend that a request is for."""

    model: str
    """The model's name, as the client wrote it."""
    family: ThinkingFamily | None
    """Whose chat template thinks, and which settings it heeds; None for a family that never thinks or is unknown."""
    syntax: Syntax
    """The row in which prompted tools are written: the model's own, or Hermes'."""
    preset: str | None
    """The preset of the backend (`BACKEND`), if one is set."""
    history: Mapping[str, str] = field(default_factory=dict)
    """What the model's own chat template makes of histories (converters/learning/history.py); empty if that is not
    known."""


Apply = Callable[[Request, Facts], Request]
"""An adaptation. It does not change what it gets, and returns the same object if there is nothing to change."""


def facts_of(
    model: str, preset: str | None = None, syntax: Syntax | None = None, history: Mapping[str, str] | None = None
) -> Facts:
    """What the tables say of a model. `syntax` is the row that was chosen for it by hand, or learned.

    `history` is what its chat template was learned to make of histories.
    """
    row = syntax or converter_factory.get_builtin(model).syntax
    return Facts(model, family_of(model), row or HERMES, preset, history or {})
