"""The llama-servers that `make real` starts, and the scripts that are played on each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends.adapt.facts import facts_of
from backends.adapt.prompted import prompted
from tests.real.answers import TOOLS, Message
from tests.real.llama import SCRIPTS

NEUTRAL = "parrot"  # a model name that says nothing about the syntax


@dataclass(frozen=True)
class Script:
    """One entry of scripts.json."""

    name: str
    text: str
    reasoning: str
    content: str
    calls: tuple[dict[str, Any], ...]
    syntax: str
    native: str
    model: str  # the name the client asks for

    def question(self, before: Iterable[Message] = ()) -> list[Message]:
        return [*before, {"role": "user", "content": f"What is the weather like? ##{self.name}##"}]


@dataclass(frozen=True)
class Backend:
    """A llama-server to start and the scripts that are played on it."""

    name: str
    template: str
    syntaxes: tuple[str, ...] = ()  # none: the server parses by itself
    flags: tuple[str, ...] | None = None  # None: --jinja, and without a parser where it shall not parse by itself
    before: tuple[Message, ...] = ()  # what the conversation begins with
    refuses: bool = False  # each conversation, if it is sent as it is
    learns: bool = False  # the syntax is nobody's: the proxy learns it from what `/props` tells
    codes: frozenset[str] = frozenset()  # what must be changed in the requests, and learned
    settings: dict[str, str] = field(default_factory=dict)  # of the proxy
    some: tuple[str, ...] = ("",)  # how the names of the scripts end that are played

    @property
    def native(self) -> bool:
        return not self.syntaxes

    def plays(self, script: Script) -> bool:
        fits = script.native in (self.template, "any") if self.native else script.syntax in self.syntaxes
        return fits and script.name.endswith(self.some)

    def arguments(self, model: Path) -> list[str]:
        arguments = ["-m", str(model), "-t", "1", "-c", "8192", "--parallel", "1", "--no-warmup"]
        usual = ("--jinja",) if self.native else ("--jinja", "--skip-chat-parsing")
        return [*arguments, *(usual if self.flags is None else self.flags)]


_SYSTEM: Message = {"role": "system", "content": "You know the weather."}
_HELLO: Message = {"role": "user", "content": "Hello."}
_ROWS = ("glm", "qwen3_coder", "hermes", "claude")
_SOME = ("-one", "-two-think")


def _refusing(name: str, template: str, code: str, **more: Any) -> Backend:
    # Refusals shall teach: what the template is known to refuse would be changed at once.
    settings = {"CHAT_TEMPLATES": "off"}
    return Backend(name, template, _ROWS, some=_SOME, refuses=True, codes=frozenset({code}), settings=settings, **more)


# The raw syntaxes that have no template of their own here are text like any other.
BACKENDS = (
    Backend("glm-raw", "GLM-4.6", ("glm", "claude", "plain")),
    Backend("qwen-raw", "Qwen3-Coder", ("qwen3_coder", "hermes", "plain")),
    Backend("glm-native", "GLM-4.6"),
    Backend("qwen-native", "Qwen3-Coder"),
    _refusing("no-jinja", "no-tools", "prompted", flags=("--no-jinja",)),
    _refusing("no-tools", "no-tools", "prompted", flags=("--jinja",)),
    _refusing("no-system", "no-system", "adapted:system_in_user", before=(_SYSTEM,)),
    _refusing("system-first", "system-first", "adapted:system_first", before=(_HELLO, _SYSTEM)),
    _refusing("alternating", "alternating", "adapted:alternate", before=(_SYSTEM, _HELLO)),
    Backend("made-up", "made-up", ("made-up",), learns=True, codes=frozenset({"template_row"})),
    Backend("asked-again", "GLM-4.6", ("asked again",), settings={"HEAL": "retry"}, codes=frozenset({"asked_again"})),
)


def read_scripts() -> tuple[Script, list[Script]]:
    """The answer of every second turn, and all scripts."""
    data = json.loads(SCRIPTS.read_text(encoding="utf-8"))
    scripts = [
        Script(
            name=name,
            text="\n".join(entry["text"]),
            reasoning=entry.get("reasoning", ""),
            content=entry.get("content", ""),
            calls=tuple(entry.get("calls", ())),
            syntax=entry["syntax"],
            native=entry.get("native", ""),
            model=data["models"][entry["syntax"]],
        )
        for name, entry in data["scripts"].items()
    ]
    return next(script for script in scripts if script.name == "answer"), scripts


def behind_results(scripts: Iterable[Script]) -> list[str]:
    """What stands behind a tool's result where it is written into the prompt, in the rows that are played."""
    mark = "##mark##"
    function = {"name": "get_weather", "arguments": '{"city": "Seoul"}'}
    messages: list[Message] = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "c1", "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": "c1", "content": mark},
    ]
    found = set()
    for model in sorted({NEUTRAL, *(script.model for script in scripts)}):
        written = prompted({"model": model, "messages": messages, "tools": TOOLS}, facts_of(model))
        found.add(written["messages"][-1]["content"].rpartition(mark)[2])
    return sorted(found)
