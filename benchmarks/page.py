"""docs/SPEED.md, written from a file of results. Only what is said about the misses is kept by hand."""

from __future__ import annotations

from pathlib import Path

from benchmarks import show
from benchmarks.figures import Figures, quietness
from benchmarks.targets import ROOT

PAGE = ROOT / "docs/SPEED.md"
BY_HAND = "## What misses its must, and why\n"

_BEGINNING = """# Speed

What the proxy costs, compared with no proxy, nginx and LiteLLM. `make bench` measures it;
`python -m benchmarks page FILE` writes this page from a file of its results. The last two sections are written by hand.

How it is measured. Each target is one worker process on one core. The scripted upstream and the load generator, both
written in C, share the other core. Each round measures every target once, and every second round does so in reverse
order. Figures are medians over the rounds; ratios are medians of the ratios within each round. CPU time is user and
system time of the target's whole process tree. Each chunk contains its number and the time at which the upstream wrote
it, so that its delay can be measured on arrival and a missing chunk is noticed. No target logs requests.

"""
_TARGETS = """| name | what it is |
|---|---|
| direct | the upstream without any proxy |
| nginx | Debian's nginx, `proxy_buffering off`, with persistent connections to the upstream |
| litellm | LiteLLM's proxy from PyPI |
| dragoman | `gunicorn -c gunicorn.conf.py`, with gevent |
| gthread, gevent | the same, with this worker class |
| before | an earlier commit, with its own configuration |
| …-off | the same with `ENABLE_TOOL_CALL_CONVERSION=false` |

"""


def write(figures: Figures) -> Path:
    """Draws the pictures, writes the page, and says where it is."""
    from benchmarks.plots import draw  # which takes a second to import

    pictures = draw(figures, ROOT / "docs/speed")
    PAGE.write_text(text(figures, pictures, _kept(PAGE)))
    return PAGE


def _kept(page: Path) -> str:
    """What stands in the section that is kept by hand."""
    written = page.read_text() if page.exists() else ""
    return written.partition(BY_HAND)[2].strip() or "Nothing has been written here yet."


def text(figures: Figures, pictures: list[tuple[str, str]], by_hand: str) -> str:
    counts, told = quietness(figures)
    loads = figures.loads or [0.0]
    parts = [_BEGINNING, "## The run\n\n"]
    parts += [f"- {name}: {f'`{value}`' if name == 'command' else value}\n" for name, value in figures.about.items()]
    parts.append(f"- rounds: {figures.rounds}; load average from {min(loads):.1f} to {max(loads):.1f}\n")
    parts.append(f"- nginx: {told}. A run counts if both are within 20 % of that. This one ")
    parts.append("counts.\n\n" if counts else "**does not count**: the machine was busy with something else.\n\n")
    parts += ["## What must hold\n\n", _markdown(show.rows(figures)), "\n"]
    parts += [f"![{words}](speed/{name})\n\n" for name, words in pictures]
    parts += [
        "## The figures\n\n",
        _TARGETS,
        "Times are milliseconds, CPU (`us/…`) is microseconds, `cpu` is per cent.\n\n",
    ]
    parts += [f"### {case}\n\n{_markdown(lines)}\n" for case, lines in show.table(figures)]
    parts += [_converters(figures), _faces(figures), BY_HAND, "\n", by_hand, "\n"]
    return "".join(parts)


def _markdown(lines: list[list[str]]) -> str:
    head, *rest = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([head, "|---" * len(lines[0]) + "|", *rest]) + "\n"


def _converters(figures: Figures) -> str:
    """Microseconds for each piece, for both sizes of pieces side by side."""
    if not figures.converters:
        return ""
    by_syntax: dict[str, dict[int, list[str]]] = {}
    for line in figures.converters:
        cells = [*(f"{cost:.2f}" for cost in line["us"]), f"{line['growth']:.2f}"]
        by_syntax.setdefault(line["syntax"], {})[line["piece"]] = cells
    head = [f"{size} kB by {piece}" if size else f"growth by {piece}" for piece in (4, 1) for size in (2, 20, 200, 0)]
    rows = [
        [name, *(cell for piece in (4, 1) for cell in costs.get(piece, ["-"] * 4))] for name, costs in by_syntax.items()
    ]
    said = "The converter alone: µs for each piece of 4 characters or of 1. "
    said += "Growth is the cost of 200 kB divided by that of 20 kB.\n\n"
    return "### converters\n\n" + said + _markdown([["", *head], *rows]) + "\n"


def _faces(figures: Figures) -> str:
    """Microseconds and the ratio to chat, for each API and what it was asked."""
    if not figures.faces:
        return ""
    asked = list(dict.fromkeys((line["asked"], line["what"]) for line in figures.faces))
    cells: dict[str, dict[tuple[str, str], str]] = {}
    for line in figures.faces:
        told = (
            f"{line['us']:.0f} ({line['ratio']:.2f}×)"
            if line["us"] >= 100
            else f"{line['us']:.2f} ({line['ratio']:.2f}×)"
        )
        cells.setdefault(line["api"], {})[line["asked"], line["what"]] = told
    rows = [[api, *(of_it.get(each, "-") for each in asked)] for api, of_it in cells.items()]
    said = (
        "µs until the client's first byte, over sockets (first); of CPU time in one process without sockets until the "
    )
    said += (
        "request for the backend is there (sent), and for a chunk that chat must write, too. In brackets the median "
    )
    said += "ratio to chat.\n\n"
    return "### client APIs\n\n" + said + _markdown([["", *(f"{name} {what}" for name, what in asked)], *rows]) + "\n"
