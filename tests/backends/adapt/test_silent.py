"""What is saved at once, and that every other request goes out as it came."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from backends.adapt.bodies import read, rewritten
from backends.adapt.facts import Request, facts_of
from backends.adapt.losses import LOSSES
from backends.adapt.silent import at_once, losses_of, may_lose
from backends.adapt.table import BY_NAME, adapted
from tests.backends.adapt.histories import call, calling, image, result, say, text, tool
from tests.cases import in_one_test

CAPTURES = sorted((Path(__file__).parents[2] / "captures").glob("*.zip"))
USER = say("user", "Hi")
HISTORIES: dict[str, Request] = {
    "text_apart": {"messages": [USER, calling(call(), content="Let me see."), result()]},
    "system_first": {"messages": [USER, say("system", "Be brief."), USER]},
    "content_empty": {"messages": [USER, calling(call(), content=None), result()]},
    "content_text": {"messages": [say("user", [text("a"), text("b")])]},
    "developer": {"messages": [say("developer", "Be brief."), USER]},
}
FAMILIES = {
    "CohereForAI/c4ai-command-r7b-12-2024": {"text_apart"},
    "CohereForAI/c4ai-command-r-plus": {"content_empty"},
    "zai-org/GLM-4.6": {"content_empty"},
    "unsloth/GLM-4.7-Flash-GGUF:Q4_K_M": {"content_empty"},
    "zai-org/GLM-5.3": set(),
    "MiniMaxAI/MiniMax-M1-80k": {"text_apart", "system_first"},
    "MiniMaxAI/MiniMax-M2": {"content_empty", "system_first"},
    "MiniMaxAI/MiniMax-M3": {"system_first"},
    "speakleash/Bielik-11B-v3.0-Instruct": {"system_first"},
    "RekaAI/reka-edge": {"system_first"},
    "nvidia/NVIDIA-Nemotron-Nano-9B-v2": {"system_first"},
    "NousResearch/Hermes-3-Llama-3.1-8B": {"text_apart"},
    "deepseek-ai/DeepSeek-R1-0528": {"text_apart"},
    "deepseek-ai/DeepSeek-R1-Distill-Llama-8B": set(),
    "upstage/Solar-Open-100B": {"text_apart"},
    "meta-llama/Llama-3.1-8B-Instruct": {"text_apart"},
    "llama3.2:3b": {"text_apart"},
    "nvidia/Llama-3.1-Nemotron-Nano-8B-v1": set(),
    "openbmb/MiniCPM5-1B": {"content_text"},
    "poolside/Laguna-XS.2": {"content_text"},
    "openai/gpt-oss-120b": {"system_first"},
    "Qwen/Qwen3-8B": set(),
    "mistralai/Mistral-Small-3.2-24B-Instruct-2506": set(),
    "my-finetune": set(),
    "": set(),
}


@in_one_test("model", FAMILIES)
def test_what_a_template_would_lose_is_saved_at_once(model: str) -> None:
    saved = {name for name, body in HISTORIES.items() if name in at_once(body, facts_of(model))}
    knows = set() if "gpt-oss" in model else {"developer"}
    assert saved == FAMILIES[model] | knows
    for name, body in HISTORIES.items():
        for other in at_once(body, facts_of(model)):
            assert BY_NAME[other].at_once and BY_NAME[other].apply(body, facts_of(model)) is not body, name


@in_one_test("model", FAMILIES)
def test_what_need_not_be_read_loses_nothing(model: str) -> None:
    bodies = [*HISTORIES.values(), {"messages": [USER], "functions": [{"name": "f"}]}, {"max_completion_tokens": 1}]
    bodies += [{"think": False}, {"chat_template_kwargs": {"enable_thinking": False}}]
    for preset in (None, "openai", "ollama", "vllm"):
        for body in bodies:
            facts = facts_of(model, preset)
            assert may_lose(json.dumps(body).encode(), facts) or not at_once(body, facts)
    assert may_lose(b'{"messages": []}', facts_of(model)) == bool(FAMILIES[model])


OFF = ({"think": False}, {"think": "off"}, *({"chat_template_kwargs": {name: value}} for name, value in [
    ("enable_thinking", False), ("thinking", False), ("thinking_mode", "disabled"), ("reasoning_effort", "none")
]))  # fmt: skip


@in_one_test("asked", OFF)
def test_thinking_that_is_turned_off_is_off_for_ollama_too(asked: dict[str, Any]) -> None:
    """Its chat completions know no other field for it."""
    ollama = facts_of("qwen3", "ollama")
    assert at_once({**asked, "messages": [USER]}, ollama) == ("effort_none",)
    assert at_once({**asked, "reasoning_effort": "low"}, ollama) == ()
    for preset in (None, "llamacpp", "vllm", "openai"):
        assert at_once({**asked, "messages": [USER]}, facts_of("qwen3", preset)) == ()


@in_one_test("asked", [{}, {"think": True}, {"think": None}, {"think": "high"}, {"chat_template_kwargs": {"a": False}}])
def test_thinking_that_is_not_turned_off_stays_as_it_is(asked: dict[str, Any]) -> None:
    assert at_once({**asked, "messages": [USER]}, facts_of("qwen3", "ollama")) == ()


def test_only_what_would_be_lost_is_changed() -> None:
    body = {"messages": [say("user", [text("a"), image()]), calling(call(), content=" "), result()]}
    for model in FAMILIES:
        assert at_once(body, facts_of(model)) == ()


def test_the_vendors_own_server_loses_nothing() -> None:
    for model in FAMILIES:
        for body in HISTORIES.values():
            assert at_once(body, facts_of(model, "openai")) == ()


def test_a_late_developer_message_is_saved_by_both() -> None:
    body = {"messages": [USER, say("developer", "D"), USER]}
    facts = facts_of("minimax-m2")
    assert at_once(body, facts) == ("developer", "system_first")
    assert adapted(body, at_once(body, facts), facts)["messages"] == [say("system", "D"), USER, USER]


def test_the_data_is_sound() -> None:
    for losses in LOSSES:
        re.compile(losses.models)
        assert any(losses_of(model) == losses for model in FAMILIES) or "muse" in losses.models, losses.models


def test_templates_without_a_place_for_tools() -> None:
    for model in ("gemma3:27b", "google/gemma-2-9b-it", "deepseek-ai/DeepSeek-V3.1", "microsoft/Phi-3.5-mini-instruct"):
        assert losses_of(model).tools, model
    for model in (
        "google/gemma-4-31B-it",
        "microsoft/phi-4",
        "deepseek-ai/DeepSeek-V3.2",
        "deepseek-ai/DeepSeek-V3-0324",
    ):
        assert not losses_of(model).tools, model


def _captured() -> Iterator[tuple[str, bytes]]:
    for path in CAPTURES:
        with ZipFile(path) as archive:
            for name in archive.namelist():
                body = archive.read(name).partition(b"\r\n\r\n")[2] if name.endswith(".req") else b""
                if body.startswith(b"{"):
                    yield f"{path.stem}/{name}", body


def test_requests_that_were_captured_go_out_as_they_came() -> None:
    count = 0
    for name, raw in _captured():
        body: Any = read(raw)
        if body is None:
            continue  # one was sent broken on purpose
        count += 1
        for model in ("", "Qwen/Qwen3-8B", "zai-org/GLM-4.6", str(body.get("model"))):
            facts = facts_of(model)
            after = adapted(body, at_once(body, facts), facts)
            assert after is body and rewritten(raw, body, after) is raw, (name, json.dumps(after))
    assert count > 60


def test_an_ordinary_agent_is_not_touched() -> None:
    """As Open WebUI, opencode and the vendor's SDK write histories: empty text beside calls, compact arguments."""
    messages = [say("system", "S"), USER, calling(call(), content=""), result(), say("assistant", "22 °C"), USER]
    body = {
        "model": "m",
        "messages": messages,
        "tools": [tool()],
        "stream_options": {"include_usage": True},
        "max_tokens": 9,
    }
    for model in FAMILIES:
        assert at_once(body, facts_of(model)) == ()
