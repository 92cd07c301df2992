"""`make fuzz`, third part: model text, schemas, wire and requests are all hostile, through HTTP (defect C6).

Whatever comes, there is no 500 of ours, no traceback in the log, no hang, and an answer in form: JSON that parses, or
events that parse and end with [DONE]. In process for speed, and every hundredth over a real connection. Hypothesis
makes a tenth of the inputs; the others are its requests with others of its answers, and with bytes of them changed.

    python -m tests.fuzz_hostile [--inputs N] [--seconds N] [--seed N]
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Flaky

from app import create_app
from config import Config
from tests.hostile import EXCHANGES, Raw
from tests.servers import Answer, Proxy, ScriptedBackend, running_proxy

SLOWEST = 5.0
"""Seconds that no input may take, on a busy machine either."""
BATCH = 100
"""Inputs of Hypothesis between two rounds of mixes."""
SETTINGS: tuple[dict[str, str], ...] = (
    {},
    {"HEAL": "off", "TOOL_CALL_STREAMING": "whole"},
    {"REASONING_FIELD": "both", "REASONING_PREFILLED": "true"},
    {"REASONING_FIELD": "none", "STRIP_END_TOKENS": "false"},
)


class Log(logging.Handler):
    """What was logged with a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.tracebacks: list[str] = []

    def emit(self, entry: logging.LogRecord) -> None:
        if entry.exc_info:
            self.tracebacks.append(logging.Formatter().formatException(entry.exc_info)[-1500:])


@dataclass
class Hall:
    """Proxies of several settings before one backend, which answers what it is told."""

    backend: ScriptedBackend
    clients: Sequence[FlaskClient]
    proxy: Proxy
    log: Log
    tried: int = 0
    longest: float = 0.0
    made: list[Raw] = field(default_factory=list)
    """What came from Hypothesis, for mixes of it."""
    dice: random.Random = field(default_factory=lambda: random.Random(7))

    def check(self, raw: Raw) -> None:
        """AssertionError for anything but an answer in form."""
        kind = "text/event-stream" if raw.as_stream else "application/json"
        self.backend.answer = Answer([raw.answer] if raw.answer else [], raw.status, [("Content-Type", kind)], "length")
        self.log.tracebacks.clear()
        began = time.process_time()  # of the proxy, too, which runs in this process
        self.tried += 1
        if self.tried % 100 == 0:
            with self.proxy.client(raw.request) as client:
                body, status, found = client.rest(), client.status, client.header("content-type") or ""
        else:
            reply = self.dice.choice(self.clients).post(
                "/v1/chat/completions", data=raw.request, content_type="application/json"
            )
            body, status, found = reply.get_data(), reply.status_code, reply.content_type or ""
            reply.close()
        took = time.process_time() - began
        self.longest = max(self.longest, took)
        if self.tried % 1000 == 0:
            self.backend.forget()
        assert not self.log.tracebacks, f"a traceback: {self.log.tracebacks[0]}"
        assert took < SLOWEST, f"it took {took:.1f} s"
        in_form(status, found, body, raw)


def in_form(status: int, kind: str, body: bytes, raw: Raw) -> None:
    assert status != 500, f"a 500: {body[:500]!r}"
    if status == 204:
        return
    if kind.startswith("text/event-stream"):
        events, sent = _events(body), set(_events(raw.answer))
        assert events and events[-1] == "[DONE]" and events.count("[DONE]") == 1, (
            f"it does not end well: {body[-300:]!r}"
        )
        for event in events[:-1]:
            if event not in sent:  # what needs no change passes as it came
                assert isinstance(json.loads(event), dict), f"an event is no object: {event[:200]}"
        return
    assert kind.startswith("application/json"), f"{status} {kind} {body[:200]!r}"
    reply = json.loads(body)
    if status != raw.status or status != 200:
        if raw.status == 200:
            assert status in (400, 502), f"{status} {body[:200]!r}"
            assert isinstance(reply["error"]["message"], str), body[:200]
        return
    assert isinstance(reply, dict) or body == raw.answer, f"no object: {body[:200]!r}"


def _events(body: bytes) -> list[str]:
    """The data of each event."""
    found = []
    text = body.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    for block in text.split("\n\n"):
        data = [line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
        if data:
            found.append("\n".join(data))
    return found


@contextmanager
def hall() -> Iterator[Hall]:
    log = Log()
    logger = logging.getLogger("dragoman")
    with ExitStack() as stack:
        backend = stack.enter_context(ScriptedBackend())
        base = {
            "BACKEND_URL": backend.url,
            "PROXY_HOST": "127.0.0.1",
            "REQUEST_TIMEOUT": "20",
            "FIRST_BYTE_TIMEOUT": "20",
        }
        proxy = stack.enter_context(running_proxy(backend))
        clients = [create_app(Config.from_environment({**base, **more})).test_client() for more in SETTINGS]
        logger.addHandler(log)
        stack.callback(logger.removeHandler, log)
        level = logger.level
        logger.setLevel(logging.ERROR)
        stack.callback(logger.setLevel, level)
        yield Hall(backend, clients, proxy, log)


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
    @given(EXCHANGES)
    def check(raw: Raw) -> None:
        one.made.append(raw)
        one.check(raw)

    return check


def mixes(made: Sequence[Raw], count: int, dice: random.Random) -> Iterator[Raw]:
    """Requests with the answers to others, some of whose bytes are doubled, lost or changed."""
    for _ in range(count):
        asked, told = dice.choice(made), dice.choice(made)
        answer = told.answer
        for _ in range(dice.choice([0, 0, 1, 3])):
            start, end = sorted(dice.randrange(len(answer) + 1) for _ in range(2))
            end = min(end, start + 200)
            other = dice.choice(made).answer
            answer = answer[:start] + dice.choice([b"", b"", answer[start:end] * 2, b"\\", b'"', other]) + answer[end:]
        as_stream = asked.stream if dice.random() < 0.9 else told.as_stream
        yield Raw(asked.request, asked.stream, answer[:200_000], as_stream, told.status)


def mixed(one: Hall, count: int, number: int) -> None:
    """AssertionError with the input that failed."""
    for raw in mixes(one.made, count, random.Random(number)) if one.made else ():
        try:
            one.check(raw)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{raw}") from None


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
            except (AssertionError, Flaky) as failure:
                failed += 1
                notes = "\n".join(getattr(failure, "__notes__", []))
                print(f"FAILED with seed {number}: {str(failure)[:6000]}\n{notes[:3000]}", flush=True)
            number += 1
            one.made.clear()
    told = f"{one.tried} hostile exchanges, {failed} failed, the longest {one.longest:.1f} s"
    print(f"{told}; {time.monotonic() - began:.0f} s")
    return 1 if failed or not one.tried else 0


if __name__ == "__main__":
    sys.exit(main())
