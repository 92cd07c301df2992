"""`make faults`: backends that fail in every way and phase, in three syntaxes, streamed and buffered.

Each scenario must end once, in form, in time and with the truth, and leave nothing behind; so must a reset at every
byte of a recorded answer. Then the service itself gets into trouble (`service.py`): TLS, reloads, a killed worker, no
descriptors, idle clients. Both ways of serving, unless some are chosen. The exit code tells.

    python -m tests.faults [--only TEXT] [--worlds N] [--how gunicorn|gthread|app ...] [--faces chat ...]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.faults.every_byte import resets
from tests.faults.faces import CHAT, FACES, GENERATE, Face
from tests.faults.refusals import REFUSALS
from tests.faults.scenarios import Scenario, scenarios
from tests.faults.service import SITUATIONS, play_situations
from tests.faults.world import Tally, World, world
from tests.servers import COMMANDS, How


def play(worlds: Sequence[World], cases: Sequence[Scenario], face: Face = CHAT) -> Tally:
    """Each world plays its share, one scenario after the other, so that each can be seen to leave nothing behind."""
    tally = Tally()
    shares: list[list[Scenario]] = [[] for _ in worlds]
    for number, scenario in enumerate(cases):
        able = [share for one, share in zip(worlds, shares, strict=True) if scenario.fault.place in one.proxies]
        able[number % len(able)].append(scenario)

    def play_share(one: World, share: Sequence[Scenario]) -> None:
        for scenario in share:
            try:
                tally.add(one.play(scenario, face))
            except AssertionError as failure:
                tally.add(0.0, f"{face.name}: {scenario.name}: {failure}")

    with ThreadPoolExecutor(len(worlds)) as pool:
        list(pool.map(play_share, worlds, shares))
    logs = [each.logs() for each in worlds]
    tally.failures += [f"a traceback in the log:\n{log[-2000:]}" for log in logs if "Traceback" in log]
    return tally


def report(what: str, run: Callable[[], Tally]) -> bool:
    began = time.monotonic()
    tally = run()
    for failure in tally.failures:
        print("FAILED", failure)
    summary = f"{tally.played} {what}, {len(tally.failures)} failed, the longest took {tally.longest:.2f} s"
    print(f"{summary}; {time.monotonic() - began:.0f} s")
    return not tally.failures and tally.played > 0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="only the scenarios whose name holds TEXT")
    parser.add_argument("--worlds", type=int, default=3, help="scenarios at a time (3)")
    parser.add_argument("--how", nargs="+", choices=COMMANDS, default=["gunicorn", "app"], help="what serves (both)")
    parser.add_argument("--faces", nargs="+", choices=FACES, default=list(FACES), help="what clients speak (all)")
    options = parser.parse_args(argv)
    cases = [scenario for scenario in scenarios() if options.only in scenario.name]
    faces = [FACES[name] for name in options.faces]
    held = [_backends_fail(how, cases, options.worlds, faces, not options.only) for how in options.how if cases]
    if any(options.only in situation.name for situation in SITUATIONS):
        held.append(report("situations of the service", lambda: play_situations(options.how, options.only)))
    return 0 if held and all(held) else 1


def _of(cases: Sequence[Scenario], face: Face) -> Sequence[Scenario]:
    """Those that can be played in an API: some refusals are about tools, or about messages of chat."""
    refused = [] if face is CHAT else [fault for fault in REFUSALS if fault.asks or face is GENERATE]
    return [case for case in cases if case.fault not in refused]


def _backends_fail(how: How, cases: Sequence[Scenario], count: int, faces: Sequence[Face], every_byte: bool) -> bool:
    with ThreadPoolExecutor(count) as pool:
        opened = [world(how) for _ in range(count)]
        worlds = [each.__enter__() for each in opened]  # one after the other: each starts six processes
        try:
            played = [
                report(f"scenarios before {how}, {face.name}", lambda face=face: play(worlds, _of(cases, face), face))  # type: ignore[misc]
                for face in faces
            ]
            held = all(played)
            if every_byte:
                held = report("resets, one at every byte of a recorded answer", lambda: resets(worlds)) and held
        finally:
            list(pool.map(lambda each: each.__exit__(None, None, None), opened))
    return held


if __name__ == "__main__":
    sys.exit(main())
