"""A run as text: its figures, the rows of what must hold, and whether it counts."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import ROWS, Figures, Row, quietness
from benchmarks.targets import NAMES, OURS

COLUMNS = {
    "answers/s": "{:.0f}",
    "us/answer": "{:.0f}",
    "latency p50": "{:.2f}",
    "latency p99": "{:.2f}",
    "first p50": "{:.3f}",
    "chunks/s": "{:.0f}",
    "us/chunk": "{:.1f}",
    "cpu": "{:.0f}",
    "delay p50": "{:.2f}",
    "delay p99": "{:.2f}",
    "alive": "{:.3f}",
    "deltas": "{:.2f}",
    "kB/stream": "{:.0f}",
    "wrong": "{:.0f}",
}
"""Which figures are shown, and how. Times are milliseconds if their heading does not say microseconds."""


def table(figures: Figures) -> Iterator[tuple[str, list[list[str]]]]:
    """For each case a line of cells for each target, under a line of headings."""
    for case in figures.cases:
        columns = [name for name in COLUMNS if any(figures.each(case, target, name) for target in figures.targets)]
        lines = [["", *columns]]
        for target in sorted(figures.targets, key=NAMES.index):
            cells = [_cell(figures.of(case, target, column), COLUMNS[column]) for column in columns]
            if any(cell != "-" for cell in cells):
                lines.append([target, *cells])
        yield case, lines


def _cell(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def rows(figures: Figures) -> list[list[str]]:
    """A line of cells for each row of what must hold, a column for each way of serving ourselves."""
    ours = [name for name in OURS if name in figures.targets]
    return [["#", "figure", "must", "aim", *ours], *[_row(row, figures, ours) for row in ROWS]]


def _row(row: Row, figures: Figures, ours: list[str]) -> list[str]:
    values = [row.value(figures, name) for name in ours]
    cells = ["-" if value is None else f"{_digits(value)}{row.unit} {row.verdict(value)}" for value in values]
    bounds = [f"{row.sign} {bound:g}{row.unit}" for bound in (row.must, row.aim)]
    return [row.number, row.figure, *bounds, *cells]


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def aligned(lines: list[list[str]], left: int = 1) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def whole(figures: Figures) -> str:
    counts, told = quietness(figures)
    parts = [f"{name}: {value}" for name, value in figures.about.items()]
    loads = figures.loads or [0.0]
    parts.append(f"load average {min(loads):.1f} to {max(loads):.1f}; medians of {figures.rounds} rounds")
    parts += [f"\n{case}\n{aligned(lines)}" for case, lines in table(figures)]
    parts.append("\n" + aligned(rows(figures), left=2))
    parts.append(f"\nnginx: {told}: the run {'counts' if counts else 'DOES NOT COUNT'}")
    return "\n".join(parts)
