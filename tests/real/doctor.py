"""`dragoman doctor` on real llama-servers: one that passes calls on as text, one that reads them, one whose template
takes no tools. Each must be named with the setting that helps.

The model says what `questions.py` of the doctor asks for; its scripts are made here, in the syntax of GLM-4.6.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command.doctor import questions as q
from converters.render import render_calls
from converters.syntaxes import SYNTAXES
from tests.real.backends import Backend

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT = 180.0
"""Seconds for one examination."""
LONG_PROMPT = 300
"""Tokens of the long prompt; those of the parrot are letters."""

_ROW = next(row for row in SYNTAXES if row.name == "glm45")
_CUE = 24
"""Characters of a question's end that pick its script, at least."""
_ANSWER = "answer"
"""The name of the script behind a tool's result, before which prompts end in several ways (parrot.py)."""

Start = AbstractContextManager[str]


@dataclass(frozen=True)
class Patient:
    """A server to examine, and what must be found."""

    backend: Backend
    fails: frozenset[int]
    """Probes that fail without the proxy."""
    remedies: Mapping[str, str]
    """Faults, each with a part of the setting that is named."""
    status: int = 1


_ALL_WITH_TOOLS = frozenset(range(4, 16))
_CALLS = frozenset({4, 5, 6, 7, 9, 10, 11, 12})
_REASONING = frozenset({14})

PATIENTS = (
    Patient(Backend("doctor-raw", "GLM-4.6", ("doctor",)), _CALLS | _REASONING, {"raw_markup": "--skip-chat-parsing"}),
    Patient(Backend("doctor-native", "GLM-4.6"), frozenset(), {}, status=0),
    Patient(
        Backend("doctor-template", "no-tools", ("doctor",), flags=("--jinja",)),
        _ALL_WITH_TOOLS,
        {"refused": "--chat-template-file"},
    ),
)


def scripts() -> dict[str, Any]:
    """What the parrot says, in the form of scripts.json."""
    said = {
        "plain": (q.PLAIN, "The capital of Korea is Seoul."),
        "count": (q.COUNT, "one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve"),
        "call": (q.CALL, _calls(("get_weather", {"city": "Seoul", "days": 3}))),
        "required": (q.REQUIRED, _calls(("get_weather", {"city": "Busan", "days": 2}))),
        "named": (q.NAMED, _calls(("get_time", {}))),
        "none": (q.FORBIDDEN, "It will be mild in Jeju."),
        "two": (
            q.PARALLEL,
            _calls(("get_weather", {"city": "Paris", "days": 1}), ("get_weather", {"city": "Oslo", "days": 2})),
        ),
        "no arguments": (q.NO_ARGUMENTS, _calls(("get_time", {}))),
        "unicode": (q.UNICODE, _calls(("save_note", {"text": q.NOTE_TEXT}))),
        "nested": (q.NESTED, _calls(("plan_trip", q.TRIP_ARGUMENTS))),
        "reasoning": (
            q.REASONING,
            "<think>Rain is likely.</think>\n" + _calls(("get_weather", {"city": "Ulsan", "days": 1})),
        ),
        "quoted": (
            q.quoted_markup(""),
            f"For example:\n```\n{_calls(('get_weather', {'city': 'Rome', 'days': 1}))}\n```",
        ),
        "long": (q.long_prompt(1), f"The password is {q.PASSWORD}."),
        "long count": (q.LONG_COUNT, "\n".join(map(str, range(1, 400)))),
        _ANSWER: (q.RESULT, "It is 17 degrees in Incheon, with hail."),
    }
    return {"scripts": {name: {"cue": _cue(asked), "text": text.split("\n")} for name, (asked, text) in said.items()}}


def _cue(asked: str) -> str:
    """The end of a question, from the blank before a word on: a tokenizer cuts words where they begin."""
    return asked[max(0, asked.rfind(" ", 0, max(0, len(asked) - _CUE))) :]


def complaints(patient: Patient, url: str) -> Iterator[str]:
    """What the doctor said that it should not have said, and the other way round."""
    command = [sys.executable, "-m", "dragoman", "doctor", url, "--model", "GLM-4.6", "--json"]
    command += ["--long-prompt", str(LONG_PROMPT), "--timeout", "60", "--tries", "1"]
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT)
    if done.stderr or done.returncode not in (0, 1):
        yield f"status {done.returncode}: {done.stderr}"
        return
    told = json.loads(done.stdout)
    if done.returncode != patient.status:
        yield f"status {done.returncode}, not {patient.status}"
    if told["engine"] != "llama.cpp" or not told["version"]:
        yield f"the server is called {told['engine']} {told['version']}"
    found = {side: _failing(told["probes"], side) for side in ("direct", "proxy")}
    if set(found["direct"]) != patient.fails:
        yield f"directly these fail: {found['direct']}, not {sorted(patient.fails)}"
    if found["proxy"]:
        yield f"through the proxy these fail: {found['proxy']}"
    settings = {each["fault"]: each["setting"] for each in told["remedies"]}
    for fault, setting in patient.remedies.items():
        if setting not in settings.get(fault, ""):
            yield f"for {fault} it names {settings.get(fault)!r}, not {setting}"


def _failing(probes: Sequence[Mapping[str, Any]], side: str) -> dict[int, str]:
    return {each["probe"]: each["said"] for each in probes if each["side"] == side and each["state"] == "fail"}


def _calls(*calls: tuple[str, Mapping[str, Any]]) -> str:
    return render_calls(_ROW, list(calls))
