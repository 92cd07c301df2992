"""Every way in which a backend fails, told by the Ollama API: each exchange ends once, in form, and with the truth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from tests.dialects.ollama.talk import calls_of, joined, lines, plain
from tests.faults.ends import Event, Refusal, despite_noise, whole
from tests.faults.scenarios import FAULTS, Scenario, scenarios
from tests.faults.spoken import ARGUMENTS, SPOKEN, TEXT, WAYS
from tests.faults.world import LIMITS, LONGEST
from tests.servers import TOOLS, Client, Json, Proxy, ScriptedBackend, running_proxy

WORLDS = 6
"""Scenarios at a time: nearly all of their time is waiting."""
SETTINGS: Mapping[str, Mapping[str, object]] = {
    "calm": {"KEEPALIVE_SECONDS": 30},
    "beating": {"KEEPALIVE_SECONDS": 0.1},
}
HERE = [case for case in scenarios() if case.fault.place in SETTINGS]
"""The scenarios of backends that can be reached. How others fail is no matter of a client's API."""


def some() -> list[Scenario]:
    """Each fault with one syntax and in one way, both going round."""
    found = []
    for number, fault in enumerate(FAULTS):
        cases = [case for case in HERE if case.fault is fault and case.way == WAYS[number % 2]]
        found += [case for case in cases if case.spoken is SPOKEN[number // 2 % len(SPOKEN)]]
    return found


def asked(case: Scenario) -> Json:
    messages = [{"role": "user", "content": "hi"}]
    return {"model": case.spoken.model, "messages": messages, "tools": TOOLS, "stream": case.way == "streamed"}


def ended(case: Scenario, client: Client) -> None:
    """Raises AssertionError if the answer did not end as it should, or as one of several that are true."""
    raw = client.rest()
    assert not client.broken, raw[-300:]
    if client.status != 200:
        assert client.header("content-type") == "application/json"
        error = json.loads(raw)
        assert list(error) == ["error"] and isinstance(error["error"], str) and error["error"]
    told = [json.loads(raw)] if client.status != 200 or case.way == "buffered" else lines(raw)
    answer = told[-1] if "error" in told[-1] else joined(told) if case.way == "streamed" else plain(told[0])
    match case.end:
        case Refusal(status=status, words=words):
            assert client.status == status and words in answer["error"], (client.status, answer)
        case Event(words=words):
            assert client.status == 200 and words in answer["error"], (client.status, answer)
            only_truth(told)
        case end if end in (whole, despite_noise):
            message = answer["message"]
            assert message["content"].strip() == TEXT and answer["done_reason"] == "stop", answer
            (call,) = calls_of(answer)
            assert (call["function"]["name"], call["function"]["arguments"]) == ("get_weather", ARGUMENTS)


def only_truth(told: Sequence[Json]) -> None:
    """What was said before the break is the beginning of what was meant. A call is whole, or it is none."""
    text = "".join(line["message"]["content"] for line in told[:-1]).strip()
    assert all(call["function"]["arguments"] == ARGUMENTS for line in told[:-1] for call in calls_of(line))
    assert TEXT.startswith(text) or text.startswith(TEXT) or text[0] in "<{", text


def play(cases: Sequence[Scenario]) -> list[str]:
    """What went wrong. Each world plays its scenarios one after the other."""
    failures = []
    with ExitStack() as stack:
        backend = stack.enter_context(ScriptedBackend())
        proxies: dict[str, Proxy] = {
            place: stack.enter_context(running_proxy(backend, **{**LIMITS, **more})) for place, more in SETTINGS.items()
        }
        for case in cases:
            backend.answer = case.answer
            try:
                with proxies[case.fault.place].client(asked(case), "/api/chat", patience=LONGEST) as client:
                    ended(case, client)
            except (AssertionError, ValueError, LookupError, OSError) as failure:
                failures.append(f"{case.name}: {type(failure).__name__} {failure}")
    return failures


def test_each_way_to_fail_ends_once_in_form_and_with_the_truth() -> None:
    cases = some()
    assert len(cases) > 60
    with ThreadPoolExecutor(WORLDS) as pool:
        failures = [each for found in pool.map(play, [cases[at::WORLDS] for at in range(WORLDS)]) for each in found]
    assert not failures, "\n".join(failures)


if __name__ == "__main__":
    with ThreadPoolExecutor(WORLDS) as pool:
        failed = [each for found in pool.map(play, [HERE[at::WORLDS] for at in range(WORLDS)]) for each in found]
    print("\n".join(failed))
    print(f"{len(HERE)} scenarios, {len(failed)} failed")
