"""`make fuzz`, third part: model text, schemas, wire and requests are all hostile, through HTTP (defect C6).

Every client API, the stored responses, the lists of models and the inspector are asked, of proxies with settings that
bring further code. Whatever comes, there is no 500 of ours, no traceback in the log or on stderr, no thread that ends
with an exception, no lost record, no hang, and an answer in the form of its API. In process for speed, and every
hundredth over a real connection. Hypothesis makes a tenth of the inputs; the others are its requests, changed anew,
with others of its answers, of which bytes are changed.

    python -m tests.fuzz_hostile [--inputs N] [--seconds N] [--seed N]
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Flaky, FlakyFailure

from tests.hostile import EXCHANGES, Raw
from tests.hostile_everywhere import EVERYWHERE, mixed_up
from tests.hostile_hall import Hall, hall

BATCH = 100
"""Inputs of Hypothesis between two rounds of mixes."""
ANYTHING = EVERYWHERE | EVERYWHERE | EVERYWHERE | EXCHANGES


def trial(one: Hall, inputs: int, number: int, shrink: bool = True) -> Callable[[], None]:
    """So many inputs made from that number."""
    phases = [Phase.generate, *([Phase.shrink] if shrink else [])]
    calm = [
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
        HealthCheck.filter_too_much,
    ]

    @seed(number)
    @settings(max_examples=inputs, database=None, deadline=None, phases=phases, suppress_health_check=calm)
    @given(ANYTHING)
    def check(raw: Raw) -> None:
        one.made.append(raw)
        one.check(raw)

    return check


def mixes(made: Sequence[Raw], count: int, dice: random.Random) -> Iterator[Raw]:
    """Requests with changes of others and the answers to others, some of whose bytes are doubled, lost or changed."""
    by_backend: dict[str, list[Raw]] = {}
    for each in made:
        by_backend.setdefault(each.asking.backend, []).append(each)
    for _ in range(count):
        asked = dice.choice(made)
        told = dice.choice(by_backend[asked.asking.backend])
        answer = told.answer
        for _ in range(dice.choice([0, 0, 1, 3])):
            start, end = sorted(dice.randrange(len(answer) + 1) for _ in range(2))
            end = min(end, start + 200)
            other = dice.choice(made).answer
            answer = answer[:start] + dice.choice([b"", b"", answer[start:end] * 2, b"\\", b'"', other]) + answer[end:]
        as_stream = asked.stream if dice.random() < 0.9 else told.as_stream
        mixed = mixed_up(asked, made, dice)
        yield replace(mixed, answer=answer[:200_000], as_stream=as_stream, status=told.status, refusals=told.refusals)


def mixed(one: Hall, count: int, number: int) -> None:
    """AssertionError for the first of them that fails."""
    for raw in mixes(one.made, count, random.Random(number)) if one.made else ():
        one.check(raw)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_hostile", description=__doc__.split("\n\n")[0])
    parser.add_argument("--inputs", type=int, default=100_000, help="how many (100,000)")
    parser.add_argument("--seconds", type=float, default=3600, help="no longer than this (3600)")
    parser.add_argument("--seed", type=int, default=None, help="to run one again")
    parser.add_argument("--failures", type=int, default=5, help="end after so many (5)")
    options = parser.parse_args(argv)
    number = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 30)
    print(f"seed {number}", flush=True)
    began, failed = time.monotonic(), 0
    with hall() as one:
        while one.tried < options.inputs and time.monotonic() - began < options.seconds and failed < options.failures:
            try:
                trial(one, BATCH, number)()
                mixed(one, min(9 * BATCH, options.inputs - one.tried), number)
            except (AssertionError, Flaky, FlakyFailure) as failure:
                failed += 1
                print(f"FAILED with seed {number}: {_told(failure)}", flush=True)
            number += 1
            one.made.clear()
    by_face = ", ".join(f"{count} {face}" for face, count in sorted(one.by_face.items()))
    told = f"{one.tried} hostile exchanges ({by_face}), {failed} failed, the longest {one.longest:.1f} s"
    print(f"{told}; {time.monotonic() - began:.0f} s")
    return 1 if failed or not one.tried else 0


def _told(failure: BaseException) -> str:
    notes = "\n".join(getattr(failure, "__notes__", []))
    inner = "\n".join(str(each) for each in getattr(failure, "exceptions", ()))
    return f"{str(failure)[:6000]}\n{inner[:6000]}\n{notes[:3000]}"


if __name__ == "__main__":
    sys.exit(main())
