"""The figures as tables, for the terminal and for docs/CONFORMANCE.md."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import canitoolcall
from canitoolcall.fixtures import fixtures_digest
from canitoolcall.results import Status

from tests.conformance.corpus import MODES, STREAMS
from tests.conformance.notes import CUT, ENGINES, ENGINES_FROM, EXPLAINED, INCREMENTAL_ALLOWED, WHOLE_ALLOWED
from tests.conformance.replay import Case

SETTINGS = ("whole", "incremental")

Cases = Sequence[Case]
Row = list[str]


@dataclass(frozen=True)
class Run:
    """What was measured. `remembered` is the same once more, with the proxy's memory of each model at work."""

    how: str
    cases: Mapping[str, Cases]
    remembered: Mapping[str, Cases]

    @property
    def whole(self) -> Cases:
        return self.cases["whole"]

    @property
    def incremental(self) -> Cases:
        return self.cases["incremental"]

    @property
    def uncut(self) -> Cases:
        return [case for case in self.incremental if not case.fixture.truncated]

    def musts(self) -> Iterator[tuple[str, bool]]:
        """What has to hold, said with its figures, and whether it does."""
        for setting, cases, which, allowed in (
            ("whole", self.whole, "fixtures", WHOLE_ALLOWED),
            ("incremental", self.uncut, "fixtures that `max_tokens` did not cut off", INCREMENTAL_ALLOWED),
        ):
            held, needed = _held(cases), len(cases) - allowed
            yield f"`{setting}`: {held} of {len(cases)} {which} pass, strictly or softly; {needed} must", held >= needed

    def failures(self) -> list[tuple[Case, list[str]]]:
        """Every fixture that fails, but for those that only the cut call fails, and the settings in which it does."""
        found: dict[str, tuple[Case, list[str]]] = {}
        for setting, cases in self.cases.items():
            for case in cases:
                if case.fails and not case.only_the_cut_call:
                    found.setdefault(case.fixture.id, (case, []))[1].append(setting)
        return list(found.values())

    def cut_calls(self) -> Cases:
        return [case for case in self.incremental if case.fails and case.only_the_cut_call]

    def moved_by_memory(self) -> list[str]:
        """The fixtures whose status the memory changes."""
        pairs = ((a, b) for name in self.cases for a, b in zip(self.cases[name], self.remembered[name], strict=True))
        return sorted({each.fixture.id for each, again in pairs if each.status is not again.status})


def _held(cases: Cases) -> int:
    return sum(not case.fails for case in cases)


def _figures(cases: Cases) -> Row:
    statuses = [case.status for case in cases]
    passed, soft = statuses.count(Status.PASS), statuses.count(Status.SOFT_PASS)
    return [str(passed), str(soft), str(len(cases) - passed - soft)]


def by_family(run: Run) -> list[Row]:
    heads = [f"{setting}: {column}" for setting in SETTINGS for column in ("pass", "soft pass", "fail")]
    rows = [["family", "fixtures", *heads, "of these cut-off calls"]]
    cut = run.cut_calls()
    for family in [*sorted({case.fixture.family for case in run.whole}), ""]:
        parts = [[c for c in run.cases[setting] if family in ("", c.fixture.family)] for setting in SETTINGS]
        cuts = sum(family in ("", case.fixture.family) for case in cut)
        rows.append([family or "all", str(len(parts[0])), *_figures(parts[0]), *_figures(parts[1]), str(cuts)])
    return rows


def terminal(run: Run) -> Iterator[str]:
    rows = by_family(run)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    for case, settings in run.failures():
        known = "" if case.fixture.id in EXPLAINED else "  UNEXPLAINED"
        yield f"\n{case.fixture.id} ({', '.join(settings)}){known}"
        yield from (f"    {detail}" for detail in case.details())
    yield f"\n{len(run.cut_calls())} fail with `incremental` because the cut call is delivered, and for nothing else:"
    for case in run.cut_calls():
        yield f"    {case.fixture.id}: {case.details()[0]}"
    moved = run.moved_by_memory()
    yield f"\nwith the memory at work, have another status: {', '.join(moved) or 'none'}"
    for text, held in run.musts():
        yield f"{'ok   ' if held else 'BELOW'} {text}"


def _markdown(rows: list[Row], numbers_from: int) -> Iterator[str]:
    head, *body = rows
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * numbers_from + "---:|" * (len(head) - numbers_from)
    yield from (f"| {' | '.join(row)} |" for row in body)


def _engines(run: Run) -> list[Row]:
    rows = [["", "version", "fixtures it supports", "pass", "soft pass", "pass or soft pass"]]
    for setting in SETTINGS:
        passed, soft, _ = _figures(run.cases[setting])
        held = f"{_held(run.cases[setting])} of {len(run.cases[setting])}"
        rows.append([f"Dragoman, `{setting}`", "this checkout", str(len(run.cases[setting])), passed, soft, held])
    for each in ENGINES:
        held = f"{each.passed + each.soft} of {each.supported}"
        rows.append([each.name, each.version, str(each.supported), str(each.passed), str(each.soft), held])
    return rows


def document(run: Run) -> str:
    """docs/CONFORMANCE.md."""
    digest = fixtures_digest(case.fixture for case in run.whole)
    moved = run.moved_by_memory()
    lines = [
        "# Conformance",
        "",
        "[CanIToolCall](https://github.com/redd34/canitoolcall) is a corpus of model outputs, each with the result "
        "that a correct parser returns. Its authors run it through the parsers of the engines. This page is written by "
        "a run that sends it through Dragoman over HTTP.",
        "",
        "## What was run",
        "",
        "- Command: `python -m tests.conformance`, which is `make conformance`.",
        f"- Corpus: `canitoolcall` {canitoolcall.__version__}, {len(run.whole)} fixtures, digest `{digest}`. "
        "It is read from the installed package. This project contains no copy of it, and the code knows no fixture.",
        f"- Date: {date.today().isoformat()}.",
        f"- Two proxies run, each as its own process (`{run.how}`): one with `TOOL_CALL_STREAMING=whole`, one with "
        "`incremental`. Their backend answers with the text of the fixture.",
        "- A request contains the tools and the model name of the fixture, and its `thinking` as "
        "`chat_template_kwargs.enable_thinking`. The backend finishes with `length` if the fixture was cut off by "
        "`max_tokens`, else with `stop`.",
        f"- Each fixture is requested {len(MODES)} times: buffered; streamed in one piece; streamed character by "
        f"character; and streamed in pieces of 1 to 8 characters, with {len(STREAMS) - 2} random seeds.",
        "- The eight checks of the corpus decide. A fixture has the worst status of all checks and all requests. A "
        "streamed answer must equal the buffered one. The corpus's own harness does not count its runs character by "
        "character; here they count. An error response, a malformed stream, or a `length` that is lost or invented is "
        "a failure.",
        "- A soft pass differs only in white space at the ends of content or reasoning.",
        "- The proxy remembers for each model name whether its answers begin inside the reasoning. The fixtures are "
        "independent of each other, so each request spells the model name with different capitals, which the rules for "
        "names ignore. " + _memory(moved),
        "",
        "## Results",
        "",
        *_markdown(by_family(run), 1),
        "",
        *(f"- {text}{'' if held else ' — **not reached**'}." for text, held in run.musts()),
        "",
        "## Comparison with the engines",
        "",
        *_markdown(_engines(run), 2),
        "",
        f"The figures of the engines are those of the corpus's authors ({ENGINES_FROM}). Their harness calls the "
        "parser of each engine in process and splits the text between tokens. An engine is measured only on the "
        "fixtures that it has a parser for, so the lines are not a ranking. Some failures of the engines are "
        "deliberate policy, as some of Dragoman's are: [DECISIONS.md](DECISIONS.md) lists them.",
        "",
        "## Failures",
        "",
        *_failures(run),
        "",
        "### Calls that `max_tokens` cut off, with `incremental`",
        "",
        CUT + _passing_whole(run),
        "",
        f"These are {len(run.cut_calls())} fixtures. For each, the run removed the cut-off call from the answer, and "
        "the rest passed the same checks:",
        "",
        *textwrap.wrap(
            ", ".join(f"`{case.fixture.id}`" for case in run.cut_calls()) + ".", 118, break_on_hyphens=False
        ),
    ]
    return "\n".join(lines) + "\n"


def _passing_whole(run: Run) -> str:
    cut = {case.fixture.id for case in run.cut_calls()}
    passing = sum(case.fixture.id in cut and not case.fails for case in run.whole)
    return f" With `whole`, {passing} of these {len(cut)} fixtures pass."


def _memory(moved: list[str]) -> str:
    again = "A second run sends the names unchanged, one request after the other, so that this memory is used: "
    return again + (f"{', '.join(moved)} have another status." if moved else "every fixture has the same status.")


def _failures(run: Run) -> Iterator[str]:
    for case, settings in run.failures():
        why = EXPLAINED.get(case.fixture.id, "Not explained yet: " + "; ".join(case.details()))
        yield f"- `{case.fixture.id}` ({' and '.join(f'`{setting}`' for setting in settings)}). {why}"
