"""examples/lmstudio_tool_use.py as a user runs it: two tools called, run and answered, in front of real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import (
    Answer,
    Process,
    Received,
    ScriptedBackend,
    completion,
    demo_backend,
    json_answer,
    proxy_process,
)

pytestmark = pytest.mark.long

SCRIPT = Path(__file__).resolve().parent.parent / "examples" / "lmstudio_tool_use.py"
MODEL = "glm-4.5-air"
CALL = "<tool_call>\n{}\n</tool_call>"


def run(proxy: Process) -> list[str]:
    """Runs the script against a proxy. Returns the lines it printed; it may print nothing to stderr."""
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    command = [sys.executable, str(SCRIPT), f"{proxy.url}/v1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_two_tools_are_called_and_the_question_is_answered() -> None:
    with demo_backend() as backend, proxy_process("app", backend.url) as proxy:
        question, weather, product, *answer = run(proxy)
    assert question == f"{MODEL}: What is the weather in Seoul? Also multiply 6 by 7."
    assert weather == 'get_weather {"city": "Seoul"} -> Sunny in Seoul, 23 degrees.'
    assert product == 'multiply {"a": 6, "b": 7} -> 42'
    assert "- get_weather: Sunny in Seoul, 23 degrees." in answer and "- multiply: 42" in answer


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ('{"name": "multiply", "arguments": {"a": 6}}', "TypeError: multiply() missing 1 required positional"),
        ('{"name": "divide", "arguments": {"a": 6, "b": 7}}', "KeyError: 'divide'"),
    ],
)
def test_a_wrong_call_is_told_to_the_model(call: str, error: str) -> None:
    def answer(request: Received) -> Answer:
        if request.method == "GET":
            return json_answer({"object": "list", "data": [{"id": "hermes-3", "object": "model"}]})
        results = [each for each in request.json()["messages"] if each["role"] == "tool"]
        return json_answer(completion(results[0]["content"] if results else CALL.format(call)))

    with ScriptedBackend(answer) as backend, proxy_process("app", backend) as proxy:
        *_, told = run(proxy)
    assert told.startswith(error)


def test_a_model_that_calls_tools_for_ever_ends() -> None:
    def answer(request: Received) -> Answer:
        if request.method == "GET":
            return json_answer({"object": "list", "data": [{"id": "hermes-3", "object": "model"}]})
        return json_answer(completion(CALL.format('{"name": "get_weather", "arguments": {"city": "Seoul"}}')))

    with ScriptedBackend(answer) as backend, proxy_process("app", backend) as proxy:
        lines = run(proxy)
    assert lines[-1] == "No answer after 5 requests."
    assert len(backend.requests) == 6
