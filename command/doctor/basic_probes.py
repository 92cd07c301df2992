"""Probes of what every client needs, with tools or without: models, text, streams, usage, errors, hanging up."""

from __future__ import annotations

import json
import re
import time

from command.doctor.answer import Answer, quoted
from command.doctor.checks import wrong_answer, wrong_stream
from command.doctor.probe import Finding, Side, chose, failed, passed, skipped, warned
from command.doctor.questions import COUNT, LONG_COUNT, PLAIN, long_prompt
from command.doctor.questions import PASSWORD as HIDDEN

_NO_SUCH_MODEL = "dragoman-doctor-no-such-model"
_LINGERS = 3.0
"""Seconds within which a server must notice that a client has left."""
_LOOK_EVERY = 0.1
_RUNNING = re.compile(
    r"^(?:vllm:num_requests_running|sglang:num_running_reqs|llamacpp:requests_processing)(?:\{[^}]*\})? ([\d.e+]+)$",
    re.MULTILINE,
)
_CHARACTERS_OF_TOKEN = 4
_FEWEST = 0.5
"""The part of the estimated tokens of a prompt that a plausible count has at least; tokenizers differ."""


def models(side: Side) -> Finding:
    """`/v1/models` lists the model."""
    answer = side.server.get("/v1/models")
    if answer.status != 200:
        return failed("no_models", f"HTTP {answer.status} {answer.error}".strip())
    try:
        listed = [each["id"] for each in json.loads(answer.body)["data"]]
    except (ValueError, TypeError, KeyError):
        return failed("no_models", f"no list of models: {quoted(answer.body.decode(errors='replace'))}")
    if side.model not in listed:
        return warned(f"{len(listed)} listed, {side.model} not among them")
    return passed(f"{len(listed)} listed")


def plain(side: Side) -> Finding:
    """Text without tools, and its usage."""
    answer = side.ask(PLAIN)
    if (wrong := wrong_answer(answer)) is not None:
        return wrong
    if not answer.content.strip():
        return failed("empty_answer", f"no content, {len(answer.reasoning)} characters of reasoning")
    if not isinstance(answer.finish, str):
        return failed("no_finish", "no finish_reason")
    if not _counts(answer):
        return failed("no_usage", f"usage is {json.dumps(answer.usage)}")
    return passed(answer.words)


def stream(side: Side) -> Finding:
    """A stream comes in pieces, with an end."""
    answer = side.ask(COUNT, stream=True)
    if (wrong := wrong_answer(answer) or wrong_stream(answer)) is not None:
        return wrong
    if not answer.content.strip():
        return failed("empty_answer", "a stream without content")
    if answer.pieces < 2:
        return failed("not_incremental", f"{len(answer.content)} characters in one piece")
    return passed(f"{answer.pieces} pieces")


def long_text(side: Side) -> Finding:
    """What stands first in a long prompt is not lost."""
    prompt = long_prompt(side.long_prompt)
    expected = len(prompt) / _CHARACTERS_OF_TOKEN
    answer = side.ask(prompt)
    counted = (answer.usage or {}).get("prompt_tokens")
    if answer.status in (400, 413, 422, 500) and re.search(r"context|token|length|too long|exceed", answer.error, re.I):
        return failed("prompt_cut", f"about {expected:.0f} tokens are too many: {answer.error}")
    if (wrong := wrong_answer(answer)) is not None:
        return wrong
    few = isinstance(counted, int) and counted < expected * _FEWEST
    if HIDDEN in answer.content:
        if few:
            return warned(f"recalled, but usage counts {counted} tokens of about {expected:.0f}")
        return passed(f"recalled behind {counted if counted is not None else round(expected)} tokens")
    if few:
        return failed("prompt_cut", f"not recalled; the server read {counted} tokens of about {expected:.0f}")
    return chose(f"it answered {answer.words}, although the server read {counted} tokens")


def errors(side: Side) -> Finding:
    """Mistakes are told with a 4xx status and an `error` object."""
    broken = side.server.chat(b'{"model": "m", "messages": [')
    if not 400 <= broken.status < 500 or not broken.error_object:
        return failed("error_form", f"broken JSON is answered with HTTP {broken.status}: {_body(broken)}")
    unknown = side.server.chat({**side.body([{"role": "user", "content": PLAIN}]), "model": _NO_SUCH_MODEL})
    if unknown.status == 200:
        return passed("broken JSON is refused; any name of a model is taken")
    if not 400 <= unknown.status < 500 or not unknown.error_object:
        return failed("error_form", f"an unknown model is answered with HTTP {unknown.status}: {_body(unknown)}")
    return passed(f"HTTP {broken.status} and {unknown.status}, each with an error object")


def stream_usage(side: Side) -> Finding:
    """`include_usage` gives a stream its usage."""
    answer = side.ask(PLAIN, stream=True, stream_options={"include_usage": True})
    if (wrong := wrong_answer(answer) or wrong_stream(answer)) is not None:
        return wrong
    if not _counts(answer):
        return failed("no_stream_usage", f"usage is {json.dumps(answer.usage)}")
    assert answer.usage is not None
    return passed(f"{answer.usage['completion_tokens']} tokens of an answer")


def hang_up(side: Side) -> Finding:
    """A server that loses its client stops generating."""
    before = _running(side)
    if before is None:
        return skipped("the server tells neither /slots nor /metrics, so nobody can see what it is doing")
    body = side.body([{"role": "user", "content": LONG_COUNT}], stream=True)
    answer = side.server.hang_up(body, pieces=2)
    if answer.refused:
        return failed("refused", f"HTTP {answer.status}: {answer.error}")
    if answer.ended:
        return skipped("the answer was over before the client could leave")
    until = time.monotonic() + _LINGERS
    while (now := _running(side) or 0) > before:
        if time.monotonic() > until:
            return failed("goes_on", f"{now:g} requests still run {_LINGERS:g} s after the client has left")
        time.sleep(_LOOK_EVERY)
    return passed("it stopped")


def _counts(answer: Answer) -> bool:
    usage = answer.usage or {}
    counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
    return all(isinstance(count, int) and count > 0 for count in counts)


def _body(answer: Answer) -> str:
    return quoted(answer.body.decode(errors="replace") or answer.error)


def _running(side: Side) -> float | None:
    """How many requests the server works on; None if it does not tell."""
    slots = side.behind.json("/slots")
    if isinstance(slots, list) and all(isinstance(slot, dict) for slot in slots):
        return sum(bool(slot.get("is_processing")) for slot in slots)
    told = side.behind.get("/metrics")
    found = _RUNNING.findall(told.body.decode(errors="replace")) if told.status == 200 else []
    return sum(map(float, found)) if found else None
