"""What the overview draws, from the numbers that the API tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from inspector.charts import Bar, histogram
from streaming.record import Outcome

OUTCOMES: tuple[str, ...] = get_args(Outcome)


@dataclass(frozen=True, slots=True)
class Part:
    """The share of one outcome, in percent of its line."""

    outcome: str
    x: float
    width: float
    count: int


@dataclass(frozen=True, slots=True)
class ModelCounts:
    """How often each outcome was, for a model and a row."""

    model: str
    row: str | None
    counts: Mapping[str, int]
    parts: Sequence[Part]

    @property
    def term(self) -> str:
        """The filter that finds these exchanges."""
        terms = [f'{name}:"{_unquoted(value)}"' for name, value in (("model", self.model), ("row", self.row)) if value]
        return " ".join(terms)


def overview_values(told: Mapping[str, Any]) -> dict[str, Any]:
    """What the template takes."""
    return {
        "told": told,
        "outcomes": OUTCOMES,
        "models": _models(told["by_model"]),
        "first_word": histogram(told["first_word"]["edges"], told["first_word"]["counts"]),
        "total": histogram(told["total"]["edges"], told["total"]["counts"]),
    }


def edge(seconds: float) -> str:
    """A time on the axis of a histogram, short: `50 ms`, `2.5 s`, `8 min`."""
    if seconds < 1:
        return f"{seconds * 1000:.4g} ms"
    return f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.3g} min"


def span(bar: Bar) -> str:
    """The times of a bar."""
    return f"> {edge(bar.lower)}" if bar.upper is None else f"{edge(bar.lower)} – {edge(bar.upper)}"


def _models(counted: Sequence[Mapping[str, Any]]) -> list[ModelCounts]:
    """Those with most exchanges first."""
    counts: dict[tuple[str, str | None], dict[str, int]] = {}
    for each in counted:
        one = counts.setdefault((each["model"] or "", each["row"]), {})
        one[each["outcome"]] = one.get(each["outcome"], 0) + each["count"]
    ordered = sorted(counts.items(), key=lambda entry: (-sum(entry[1].values()), entry[0][0], entry[0][1] or ""))
    return [ModelCounts(model, row, found, _parts(found)) for (model, row), found in ordered]


def _parts(counts: Mapping[str, int]) -> list[Part]:
    whole = sum(counts.values()) or 1
    parts: list[Part] = []
    at = 0
    for outcome in OUTCOMES:
        count = counts.get(outcome, 0)
        if count:
            parts.append(Part(outcome, round(100 * at / whole, 3), round(100 * count / whole, 3), count))
            at += count
    return parts


def _unquoted(value: str) -> str:
    return value.replace('"', "")
