"""What the doctor says: a line for each probe, a table of differences, and what helps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from command.doctor.judge import Judged, Remedy, differences
from command.doctor.recognise import Recognised
from command.terminal import in_one_line, paint, screen_width, table

_COLOURS = {"PASS": "good", "FAIL": "problem", "WARN": "repaired", "SKIP": "dim"}
_NARROWEST = 30
_TITLE = 18
_LONGEST = 400
"""Columns of what was seen of a fault: a refusal names the setting that it misses."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found."""

    url: str
    model: str
    engine: Recognised
    judged: Sequence[Judged]
    remedies: Sequence[Remedy]
    seconds: float

    @property
    def failed(self) -> bool:
        return any(each.finding.state == "fail" for each in self.judged)

    def as_json(self) -> dict[str, Any]:
        """One object of JSON."""
        engine = self.engine
        return {
            "url": self.url,
            "model": self.model,
            "engine": None if engine.engine is None else engine.engine.name,
            "version": engine.version or None,
            "recognised_by": engine.by or None,
            "template_takes_tools": engine.template_takes_tools,
            "probes": [each.as_json() for each in self.judged],
            "differences": [
                {"probe": one.probe.number, "direct": _word(one), "proxy": _word(other)}
                for one, other in differences(self.judged)
            ],
            "remedies": [asdict(each) for each in self.remedies],
            "failed": self.failed,
            "seconds": round(self.seconds, 2),
        }


def line(judged: Judged) -> str:
    """One probe on one side."""
    word = _word(judged)
    split = "" if judged.agreed == judged.tries else f" ({judged.agreed} of {judged.tries} tries)"
    head = f"{paint(word, _COLOURS[word])} {judged.probe.number:>2} {judged.probe.title:<{_TITLE}} {judged.side:<6}  "
    return head + in_one_line(judged.finding.said, max(_NARROWEST, screen_width() - 35 - len(split))) + split


def told(report: Report) -> Iterator[str]:
    """What follows the lines of the probes."""
    yield ""
    yield from _differences(report)
    yield _server(report.engine)
    for each in report.remedies:
        yield ""
        yield from _remedy(each)
    if report.remedies and report.engine.engine is not None:
        yield ""
        yield f"To see what the model writes: {report.engine.engine.look}"
    yield ""
    yield _counts(report)


def _differences(report: Report) -> Iterator[str]:
    found = differences(report.judged)
    if found:
        rows = [
            [
                str(one.probe.number),
                one.probe.title,
                *(paint(_word(each), _COLOURS[_word(each)]) for each in (one, other)),
            ]
            for one, other in found
        ]
        yield paint("What is different through the proxy", "title")
        yield from table(["#", "probe", "direct", "proxy"], rows, indent="  ")
        yield ""


def _server(engine: Recognised) -> str:
    if engine.engine is None:
        return "The server is none of those that are known, so no setting of it can be named."
    template = ", its chat template takes no tools" if engine.template_takes_tools is False else ""
    return f"The server is {in_one_line(engine.name, _LONGEST)} (known by {engine.by}){template}."


def _remedy(remedy: Remedy) -> Iterator[str]:
    numbers = ", ".join(map(str, remedy.probes))
    yield f"{paint(remedy.fault, 'problem')} (probe {numbers}): {remedy.meaning}."
    yield f"  seen     {in_one_line(remedy.said, _LONGEST)}"
    if remedy.setting:
        yield f"  setting  {paint(remedy.setting, 'title')}"
    if remedy.bug:
        yield f"  issue    {remedy.bug}"
    if remedy.healed or remedy.ours:
        yield f"  proxy    {remedy.healed or remedy.ours}."


def _counts(report: Report) -> str:
    words = [_word(each) for each in report.judged]
    counts = ", ".join(f"{words.count(word)} {word}" for word in _COLOURS if word in words)
    return f"{in_one_line(report.model, _LONGEST)} at {report.url}: {counts}, in {report.seconds:.1f} s."


def _word(judged: Judged) -> str:
    return judged.finding.state.upper()
