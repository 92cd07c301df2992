"""Three tries and the majority; what differs through the proxy; which setting helps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from command.doctor.engines import HEALED, OURS, Advice
from command.doctor.probe import FAULTS, Finding, Probe, Side
from command.doctor.recognise import Recognised
from converters.factory import converter_factory

_ANY_PARSER = "NAME"
_GOOD = ("pass", "warn")
"""States in which the proxy has healed a fault."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What one probe came to, on one side."""

    probe: Probe
    side: str
    finding: Finding
    tries: int
    agreed: int
    """Tries that found the same."""

    def as_json(self) -> dict[str, Any]:
        found = self.finding
        return {
            "probe": self.probe.number,
            "title": self.probe.title,
            "side": self.side,
            "state": found.state,
            "fault": found.fault or None,
            "model_chose": found.chose,
            "said": found.said,
            "tries": self.tries,
            "agreed": self.agreed,
        }


@dataclass(frozen=True, slots=True)
class Remedy:
    """One fault of the server, and what helps."""

    fault: str
    meaning: str
    probes: Sequence[int]
    said: str
    """What was seen first."""
    setting: str
    """Empty if none is known."""
    bug: str
    healed: str
    """What the proxy makes of it, if none of the same probes fails through it; empty otherwise."""
    ours: str
    """A setting of the proxy that may help otherwise; empty if there is none."""


def judge(probe: Probe, side: Side, most_tries: int) -> Judged:
    """Try until most of the tries agree; the first of those that agree speaks for them."""
    found: list[Finding] = []
    while len(found) < most_tries:
        found.append(probe.run(side))
        kind, count = Counter(each.kind for each in found).most_common(1)[0]
        if count > most_tries // 2:
            break
    spokesman = next(each for each in found if each.kind == kind)
    return Judged(probe, side.server.name, spokesman, len(found), count)


def differences(judged: Sequence[Judged]) -> list[tuple[Judged, Judged]]:
    """(direct, through the proxy) for each probe that ended differently."""
    by_probe = _pairs(judged)
    return [(one, other) for one, other in by_probe if one.finding.kind != other.finding.kind]


def remedies(judged: Sequence[Judged], model: str, server: Recognised) -> list[Remedy]:
    """One for each fault of the server itself, in the order in which they were found."""
    through = {each.probe.number: each.finding.state for each in judged if each.side == "proxy"}
    faults: dict[str, list[Judged]] = {}
    for each in judged:
        if each.side == "direct" and each.finding.fault:
            faults.setdefault(each.finding.fault, []).append(each)
    found = []
    for fault, those in faults.items():
        numbers = [each.probe.number for each in those]
        row = next((each.finding.row for each in those if each.finding.row), None) or _usual_row(model)
        advice = _advice(fault, [each.finding for each in those], row, server)
        healed = all(through.get(number) in _GOOD for number in numbers)
        found.append(
            Remedy(
                fault,
                FAULTS[fault],
                numbers,
                those[0].finding.said,
                _filled(advice.setting, row, server) if advice else "",
                advice.bug if advice else "",
                HEALED.get(fault, "") if healed else "",
                "" if healed else OURS.get(fault, ""),
            )
        )
    return found


def _pairs(judged: Sequence[Judged]) -> list[tuple[Judged, Judged]]:
    direct = {each.probe.number: each for each in judged if each.side == "direct"}
    return [
        (direct[each.probe.number], each) for each in judged if each.side == "proxy" and each.probe.number in direct
    ]


def _advice(fault: str, findings: Sequence[Finding], row: str | None, server: Recognised) -> Advice | None:
    """The first advice that applies; what a refusal says counts most."""
    advice = server.engine.advice_for(fault) if server.engine is not None else ()
    fits: tuple[Callable[[Advice], bool], ...] = (
        lambda each: bool(each.says) and any(re.search(each.says, one.said, re.IGNORECASE) for one in findings),
        lambda each: bool(each.row) and each.row == row,
        lambda each: each.lacks_tools and server.template_takes_tools is False,
        lambda each: not (each.says or each.row or each.lacks_tools),
    )
    return next((each for fit in fits for each in advice if fit(each)), None)


def _usual_row(model: str) -> str | None:
    """The syntax that the model's name speaks for."""
    known = converter_factory.get_builtin(model).syntax
    return known.name if known is not None else None


def _filled(setting: str, row: str | None, server: Recognised) -> str:
    """The setting with the engine's own name for the parser."""
    parsers = server.engine.parsers if server.engine is not None else {}
    return setting.replace("{parser}", parsers.get(row or "", _ANY_PARSER))
