"""The corpus over HTTP: a backend that says what the fixtures say, the proxy in a process before it, and a client.

What comes out is judged by the corpus's own checks. An answer that is an error, a stream that is not well formed, or a
`length` that is lost or made up is an ERROR, whatever the fixture would have put up with.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from canitoolcall.checks import NONSTREAM, case_status, run_checks
from canitoolcall.fixtures import Family, Fixture
from canitoolcall.results import CheckResult, Observation, ParsedToolCall, ParseResult, Status, StreamAccumulator

from tests.conformance.corpus import Question
from tests.servers import (
    Answer,
    Client,
    How,
    Proxy,
    Received,
    ScriptedBackend,
    completion,
    json_answer,
    proxy_process,
    said,
    whole_stream,
)

WORKERS = 4
PATIENCE = 60.0
_HEADER = "x-conformance-question"


@dataclass(frozen=True)
class Case:
    """One fixture and what became of it: the worst over its modes and checks."""

    fixture: Fixture
    status: Status
    rows: tuple[CheckResult, ...] = field(default=(), repr=False)
    error: str = ""
    only_the_cut_call: bool = False
    """It fails, and would not if its last call, which max_tokens cut, were not there."""

    @property
    def fails(self) -> bool:
        return self.status not in (Status.PASS, Status.SOFT_PASS)

    def details(self) -> list[str]:
        """What went wrong, each thing once, with the modes in which it did."""
        if self.error:
            return [self.error]
        found: dict[tuple[str, str | None], list[str]] = {}
        for row in self.rows:
            if row.status not in (Status.PASS, Status.SOFT_PASS):
                found.setdefault((row.check, row.detail), []).append(row.strategy)
        return [f"{check} ({', '.join(modes)}): {detail}" for (check, detail), modes in found.items()]


class Backend:
    """Answers each request with the output of the fixture that its header names."""

    def __init__(self) -> None:
        self._questions: dict[str, Question] = {}

    def key(self, question: Question) -> str:
        key = f"{question.fixture.id} {question.mode}"
        self._questions[key] = question
        return key

    def answer(self, received: Received) -> Answer:
        question = self._questions[received.header(_HEADER) or ""]
        if not question.streams:
            return json_answer(completion(question.fixture.raw_output, question.finish))
        return Answer(said(*question.pieces(), finish=question.finish))


@contextmanager
def proxies(how: How, settings: Iterable[str]) -> Iterator[tuple[Backend, dict[str, Proxy]]]:
    """A backend, and before it one proxy for each value of TOOL_CALL_STREAMING."""
    backend = Backend()
    quiet = {"FLASK_ENV": "testing", "LOG_LEVEL": "ERROR"}
    running: dict[str, Proxy] = {}
    with ScriptedBackend(backend.answer) as server, ExitStack() as stack:
        for each in settings:
            running[each] = stack.enter_context(proxy_process(how, server, TOOL_CALL_STREAMING=each, **quiet))
        yield backend, running


def replay(
    backend: Backend, proxy: Proxy, asked: Iterable[list[Question]], families: Mapping[str, Family], workers: int
) -> list[Case]:
    """Every fixture's case, in the order of the fixtures; with one worker the requests keep that order too."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda each: judge(backend, proxy, each, families), asked))


def judge(backend: Backend, proxy: Proxy, asked: list[Question], families: Mapping[str, Family]) -> Case:
    """One fixture in all its modes."""
    fixture = asked[0].fixture
    results: dict[str, ParseResult] = {}
    for question in asked:
        try:
            results[question.mode] = _put(proxy, question, backend.key(question))
        except ConnectionRefusedError:
            raise  # the proxy is gone, and a run without it says nothing
        except (AssertionError, ValueError, KeyError, OSError) as error:
            return Case(fixture, Status.ERROR, error=f"{question.mode}: {type(error).__name__}: {error}")
    observed = Observation(results.pop(NONSTREAM), results)
    family = families.get(fixture.family)
    rows = tuple(run_checks(fixture, family, observed))
    case = Case(fixture, case_status(rows), rows)
    if not case.fails or not fixture.truncated or not all(map(_calls, (observed.nonstream, *results.values()))):
        return case
    rest = Observation(_uncut(observed.nonstream), {mode: _uncut(result) for mode, result in results.items()})
    passes = case_status(run_checks(fixture, family, rest)) in (Status.PASS, Status.SOFT_PASS)
    return replace(case, only_the_cut_call=passes)


def _calls(result: ParseResult) -> bool:
    return bool(result.tool_calls)


def _uncut(result: ParseResult) -> ParseResult:
    return replace(result, tool_calls=result.tool_calls[:-1])


def _put(proxy: Proxy, question: Question, key: str) -> ParseResult:
    headers = [(_HEADER, key)]
    with Client(proxy.port, body=question.body, headers=headers, patience=PATIENCE) as client:
        raw = client.rest()
        assert client.status == 200 and not client.broken, f"{client.status} {raw[:300]!r}"
        choices = whole_stream(raw).choices() if question.streams else json.loads(raw)["choices"]
    reasons = [choice["finish_reason"] for choice in choices if choice.get("finish_reason")]
    assert (reasons == ["length"]) is (question.finish == "length"), f"the answer finishes with {reasons}"
    return streamed(choices) if question.streams else buffered(choices[0]["message"])


def buffered(message: Any) -> ParseResult:
    functions = [call["function"] for call in message.get("tool_calls") or []]
    return ParseResult(
        content=message["content"],
        reasoning_content=message.get("reasoning_content"),
        tool_calls=tuple(ParsedToolCall(each["name"], each["arguments"]) for each in functions),
    )


def streamed(choices: Iterable[Any]) -> ParseResult:
    """What the corpus's own accumulator makes of the deltas."""
    parts = StreamAccumulator()
    for choice in choices:
        parts.add_openai_delta(choice["delta"])
    return parts.result()
