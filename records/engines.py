"""Model servers: how one is recognised, and which of its settings helps where.

Sources: the servers' own options, of llama.cpp, vLLM, SGLang, Ollama, LM Studio and mlx_lm as of November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Topic = Literal["calls", "reasoning", "context", "length", "log"]
"""What goes wrong: calls are not read, reasoning is not told from text, the prompt is cut, the answer is cut; or one
wants to see what the server itself saw."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One model server. Its settings are spelled as Markdown."""

    name: str
    ports: tuple[int, ...]
    """Its own default, and those of Dragoman's presets."""
    says: str
    """A regex of what stands in its answers and in nobody else's; empty if nothing does."""
    settings: Mapping[Topic, str]


ENGINES: tuple[Engine, ...] = (
    Engine(
        "llama.cpp",
        (8080, 9931),
        r'"timings"\s*:\s*\{[^{}]*"prompt_per_second"|"system_fingerprint"\s*:\s*"b\d+-',
        {
            "calls": "start it without `--no-jinja` and `--skip-chat-parsing`, or give it the model's "
            "template with `--chat-template-file`",
            "reasoning": "set `--reasoning-format`",
            "context": "raise `-c`",
            "length": "raise `-n`",
            "log": "`/props` shows the template, `-v` the requests",
        },
    ),
    Engine(
        "vLLM",
        (8000,),
        r'"(?:prompt_logprobs|kv_transfer_params|prompt_token_ids)"\s*:|enable-auto-tool-choice',
        {
            "calls": "start it with `--enable-auto-tool-choice --tool-call-parser …`, or give it `--chat-template`",
            "reasoning": "set `--reasoning-parser`",
            "context": "raise `--max-model-len`",
            "length": "raise `--max-model-len`",
            "log": "`--enable-log-requests --enable-log-outputs` shows the requests",
        },
    ),
    Engine(
        "SGLang",
        (30000,),
        r'"(?:matched_stop|weight_version)"\s*:',
        {
            "calls": "start it with `--tool-call-parser …`, or with `--hf-chat-template-name tool_use`",
            "reasoning": "set `--reasoning-parser`",
            "context": "raise `--context-length`",
            "length": "raise `--context-length`",
            "log": "`--log-requests --log-requests-level 3` shows the requests",
        },
    ),
    Engine(
        "Ollama",
        (11434,),
        r'"system_fingerprint"\s*:\s*"fp_ollama"',
        {
            "calls": "take a model whose template has tools (`ollama show`)",
            "reasoning": "set `think` in the request",
            "context": "raise `OLLAMA_CONTEXT_LENGTH`, or `num_ctx` in the Modelfile",
            "length": "raise `num_predict`",
            "log": "`OLLAMA_DEBUG_LOG_REQUESTS=1` shows the requests",
        },
    ),
    Engine(
        "LM Studio",
        (1234, 8888),
        r'"stats"\s*:\s*\{[^{}]*"tokens_per_second"|"model_info"\s*:\s*\{',
        {
            "calls": "correct the model's prompt template, or update the runtime",
            "reasoning": "set the reasoning tags of the model",
            "context": "load the model with `lms load --context-length`",
            "length": "raise the limit of the response's length",
            "log": "`lms log stream --source model --filter input,output` shows the requests",
        },
    ),
    Engine(
        "mlx_lm",
        (),
        "",
        {
            "calls": "set `tool_parser_type` in tokenizer_config.json",
            "reasoning": "set `--chat-template-args '{\"enable_thinking\":false}'`",
            "context": "shorten the prompt",
            "length": "raise `--max-tokens`, which is 512",
            "log": "`--log-level DEBUG` shows the requests",
        },
    ),
)


def named(name: str) -> Engine:
    """The server with that name in ENGINES."""
    return next(each for each in ENGINES if each.name == name)


def engine_of(backend: str, answer: str = "") -> Engine | None:
    """The server behind a base URL, by what it answered, else by its port. None if neither says it."""
    for each in ENGINES:
        if answer and each.says and re.search(each.says, answer):
            return each
    try:
        port = urlsplit(backend).port
    except ValueError:
        return None
    return next((each for each in ENGINES if port in each.ports), None)


def setting_for(topic: Topic, engine: Engine | None) -> str:
    """What helps, as part of a sentence; with each server if nobody knows which one it is."""
    engines = ENGINES if engine is None else (engine,)
    return "; ".join(f"with {each.name}, {each.settings[topic]}" for each in engines)
