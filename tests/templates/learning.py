"""What is learned from the made-up templates, and how long a proxy takes to have learned it."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

from converters.learning.learn import Learned
from templates.learner import learn_template, row_name
from templates.sources import read_template
from tests.servers import Answer, Json, Proxy, ScriptedBackend, ask, completion, json_answer
from tests.templates.answers import MADE_UP

LEARNING = 60.0
"""Seconds that learning may take on a busy machine; it takes one on an idle one."""


@cache
def learned_of(template: str) -> Learned:
    """What one of the made-up templates tells, learned in this process."""
    return learn_template(read_template(MADE_UP / f"{template}.jinja"), row_name(template))


def template_text(template: str) -> str:
    return (MADE_UP / f"{template}.jinja").read_text(encoding="utf-8")


def props(template: str, **more: object) -> Answer:
    """llama-server's answer to `/props`."""
    told: Json = {"default_generation_settings": {"n_ctx": 8192}, "total_slots": 1, "model_path": "/models/x.gguf"}
    return json_answer({**told, "chat_template": template, "bos_token": "<s>", "eos_token": "</s>", **more})


def codes_of(proxy: Proxy, body: Json) -> set[str]:
    """What a buffered answer says that was done."""
    with proxy.client(body) as client:
        reply = client.rest()
        assert client.status == 200, reply
        return set((client.header("x-dragoman-codes") or "").split(","))


def until_learned(proxy: Proxy, backend: ScriptedBackend, model: str, within: float = LEARNING) -> None:
    """Ask until the row of the model's template reads the answers."""
    backend.answer = json_answer(completion("Hello."))
    until = time.monotonic() + within
    while "template_row" not in codes_of(proxy, ask(stream=False, model=model)):
        assert time.monotonic() < until, f"nothing was learned of {model}"
        time.sleep(0.02)


def until_asked(backend: ScriptedBackend, count: int, within: float = LEARNING) -> None:
    """Wait until so many questions about templates have come."""
    until = time.monotonic() + within
    while len(backend.template_questions) < count:
        assert time.monotonic() < until, f"{len(backend.template_questions)} questions came"
        time.sleep(0.01)


def in_file(folder: Path, text: str, name: str = "x.jinja") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
