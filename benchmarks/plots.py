"""The pictures of docs/SPEED.md: what an exchange costs, how long a chunk is on its way, and that reading is flat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

from benchmarks.figures import ROWS, Figures
from benchmarks.targets import OURS

matplotlib.use("agg")

import matplotlib.pyplot as plt

_COLOURS = {"direct": "#b0b0b0", "nginx": "#009639", "litellm": "#c0392b"}
_OURS = ("#1f4e9c", "#4f8fdc", "#8fbbee", "#7d6fb0")
_STREAMS = (64, 256, 1000)


def draw(figures: Figures, folder: Path) -> list[tuple[str, str]]:
    """Writes them there; (file name, what is to be seen) for each that there are figures for."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, text, drawing in (
        ("cost.png", "CPU time of one answer and of one chunk; shorter is better, the scale is logarithmic", _cost),
        ("delay.png", "How long a chunk is on its way: median as a line, 99th percentile as its upper edge", _delay),
        ("converter.png", "Reading alone: every syntax, inside an argument; flat lines mean linear cost", _converter),
    ):
        figure = drawing(figures)
        if figure is not None:
            figure.savefig(folder / name, bbox_inches="tight", dpi=110, metadata={"Software": None})
            plt.close(figure)
            drawn.append((name, text))
    return drawn


def _colour(target: str) -> str:
    return _COLOURS.get(target) or _OURS[OURS.index(target)]


def _named(figures: Figures) -> list[str]:
    order = ("direct", "nginx", *OURS, "litellm")
    return [name for name in order if name in figures.targets]


def _cost(figures: Figures) -> Any:
    panels = (("buffered-16", "us/answer", "µs a buffered answer"), ("streams-64", "us/chunk", "µs a chunk"))
    names = [name for name in _named(figures) if name != "direct"][::-1]
    if not any(figures.each(case, name, measure) for case, measure, _ in panels for name in names):
        return None
    figure, axes = plt.subplots(1, 2, figsize=(9, 0.5 + 0.5 * len(names)))
    for axis, (case, measure, title) in zip(axes, panels, strict=True):
        costs = [figures.of(case, name, measure) or 0 for name in names]
        bars = axis.barh(names, costs, color=[_colour(name) for name in names])
        axis.bar_label(bars, [f" {cost:,.0f}" if cost else " not measured" for cost in costs])
        axis.set_xscale("log")
        axis.set_xlim(5, max(costs) * 6)
        axis.set_title(title)
        axis.xaxis.set_visible(False)  # each bar says its figure
        axis.spines[["top", "right", "bottom"]].set_visible(False)
    figure.tight_layout()
    return figure


def _delay(figures: Figures) -> Any:
    names = [name for name in _named(figures) if name != "litellm"]
    cases = [count for count in _STREAMS if any(figures.each(f"streams-{count}", name, "delay p50") for name in names)]
    if not cases:
        return None
    figure, axis = plt.subplots(figsize=(7, 3.6))
    for name in names:
        delays = [
            [figures.of(f"streams-{count}", name, what) for count in cases] for what in ("delay p50", "delay p99")
        ]
        median, slowest = ([delay for delay in each if delay is not None] for each in delays)
        if len(median) == len(slowest) == len(cases):
            axis.plot(cases, median, marker="o", color=_colour(name), label=name)
            axis.fill_between(cases, median, slowest, color=_colour(name), alpha=0.12)
    axis.set(xscale="log", yscale="log", xlabel="streams at once, 50 chunks/s each", ylabel="ms")
    axis.set_xticks(cases, [f"{count:,}" for count in cases])
    axis.minorticks_off()
    axis.legend(frameon=False, loc="upper left")
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def _converter(figures: Figures) -> Any:
    lines = [line for line in figures.converters if line["piece"] == 4]
    if not lines:
        return None
    figure, axis = plt.subplots(figsize=(7, 3.6))
    for line in lines:
        prose = line["syntax"] == "prose"
        style: dict[str, Any] = {"color": "#009639", "linewidth": 2.5, "label": "prose"} if prose else {"alpha": 0.5}
        axis.plot((2, 20, 200), line["us"], marker=".", **{"color": "#1f4e9c", **style})
    for row in ROWS:
        if row.number in ("8a", "8b"):
            axis.axhline(row.must, linestyle=":", color="#c0392b")
            axis.annotate(f" must, {row.figure.rpartition(' ')[2]}", (200, row.must), color="#c0392b", va="bottom")
    axis.set(xscale="log", xlabel="kB of one argument", ylabel="µs a piece of 4 characters", ylim=(0, None))
    axis.set_xticks((2, 20, 200), ("2", "20", "200"))
    axis.minorticks_off()
    axis.legend(frameon=False, loc="upper left")
    axis.spines[["top", "right"]].set_visible(False)
    return figure
