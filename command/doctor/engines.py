"""Model servers: how each is recognised by its routes, and which of its settings helps against which fault. Data only.

What helps where the context or the reasoning is concerned, and how to see what the model wrote, stands in
`records/engines.py`.

Sources: the servers' own documentation and messages, and the issues that are linked. A setting that depends on the
model has `{parser}` in it, the name that the engine has for the parser of the model's syntax.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from records.engines import Topic, named


@dataclass(frozen=True, slots=True)
class Sign:
    """What tells an engine: a member of the JSON at a path, the start of a header, or who owns the listed models."""

    kind: Literal["json", "header", "owner", "fingerprint"]
    where: str
    """The path, or the name of the header."""
    what: str
    """The member, the start of the header's value, the owner, or a regular expression for `system_fingerprint`."""
    version: str = ""
    """The member at the same path that holds the version."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What helps against a fault."""

    setting: str
    """The setting of the server, or what else to do."""
    says: str = ""
    """A regular expression: the advice is for a refusal that says this. Such advice comes first."""
    lacks_tools: bool = False
    """The advice is for a chat template that does not mention tools, where the server shows its template."""
    row: str = ""
    """The advice is for models of this syntax."""
    bug: str = ""
    """The engine's own issue, where it has one."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One model server."""

    name: str
    signs: tuple[Sign, ...]
    advice: Mapping[str, tuple[Advice, ...]]
    """For each fault (probe.py) what helps; the first that applies is told."""
    parsers: Mapping[str, str] = field(default_factory=dict)
    """The engine's name for the parser of a row."""

    @property
    def look(self) -> str:
        """How to see what the model wrote."""
        return named(self.name).settings["log"]

    def advice_for(self, fault: str) -> tuple[Advice, ...]:
        """What helps against a fault; the first that applies is told."""
        topic = _TOPICS.get(fault)
        own = self.advice.get(fault, ())
        return own if topic is None else (*own, Advice(named(self.name).settings[topic]))


_TOPICS: Mapping[str, Topic] = {"reasoning_in_text": "reasoning", "prompt_cut": "context"}
"""Faults against which the same setting helps as where a record shows them."""
_FORCED = ("required_ignored", "named_ignored", "none_ignored")
_UNREAD = ("raw_markup", "unknown_markup", "call_in_reasoning")


def _all(faults: tuple[str, ...], *advice: Advice) -> dict[str, tuple[Advice, ...]]:
    return dict.fromkeys(faults, advice)


LLAMACPP = Engine(
    "llama.cpp",
    (
        Sign("header", "server", "llama.cpp"),
        Sign("json", "/props", "default_generation_settings", "build_info"),
        Sign("owner", "", "llamacpp"),
        Sign("fingerprint", "", r"b\d+-"),
    ),
    {
        "refused": (
            Advice("start it without --no-jinja", says=r"--jinja"),
            Advice("--chat-template-file with a template that takes tools", says=r"tool|template|jinja"),
            Advice("--chat-template-file with a template that takes tools", lacks_tools=True),
        ),
        "history_refused": (
            Advice("start it without --no-jinja", says=r"--jinja"),
            Advice("--chat-template-file with a template that takes tools and their results"),
        ),
        **_all(
            (*_UNREAD, *_FORCED),
            Advice("--chat-template-file with a template that takes tools", lacks_tools=True),
            Advice("start it without --no-jinja and --skip-chat-parsing; GET /props shows the template"),
        ),
        "needs_parallel": (Advice('send "parallel_tool_calls": true; it is off by default'),),
    },
)

VLLM = Engine(
    "vLLM",
    (Sign("owner", "", "vllm"), Sign("json", "/version", "version", "version")),
    {
        "refused": (
            Advice(
                "--enable-auto-tool-choice --tool-call-parser {parser}", says=r"--enable-auto-tool-choice|auto.*tool"
            ),
            Advice("--chat-template with a template that takes tools", says=r"template"),
        ),
        "history_refused": (
            Advice("--enable-auto-tool-choice --tool-call-parser {parser}", says=r"--enable-auto-tool-choice"),
            Advice("--chat-template with a template that takes tools and their results"),
        ),
        **_all(_UNREAD, Advice("--enable-auto-tool-choice --tool-call-parser {parser}")),
        **_all(("bad_arguments", "bad_call", "mistyped"), Advice("--tool-call-parser {parser}")),
        "streamed_differs": (
            Advice("a newer vLLM", row="xlam", bug="https://github.com/vllm-project/vllm/issues/51697"),
            Advice("a newer vLLM", row="step3", bug="https://github.com/vllm-project/vllm/issues/55082"),
            Advice(
                "--tool-call-parser {parser}, and no --stream-interval",
                bug="https://github.com/vllm-project/vllm/issues/31501",
            ),
        ),
        "no_stream_usage": (Advice("--enable-force-include-usage"),),
    },
    {
        "hermes": "hermes",
        "mistral_new": "mistral",
        "mistral_old": "mistral",
        "llama3_json": "llama3_json",
        "llama3_python_tag": "llama3_json",
        "pythonic": "pythonic",
        "granite3": "granite",
        "granite20b": "granite-20b-fc",
        "internlm": "internlm",
        "jamba": "jamba",
        "xlam": "xlam",
        "deepseek_v3": "deepseek_v3",
        "deepseek_v31": "deepseek_v31",
        "deepseek_v32": "deepseek_v32",
        "deepseek_v4": "deepseek_v4",
        "harmony": "openai",
        "kimi_k2": "kimi_k2",
        "longcat": "longcat",
        "glm45": "glm45",
        "glm47": "glm47",
        "functiongemma": "functiongemma",
        "qwen3_coder": "qwen3_coder",
        "olmo3": "olmo3",
        "gigachat3": "gigachat3",
        "apertus": "apertus",
        "minimax_m1": "minimax",
        "minimax_m2": "minimax_m2",
        "step3": "step3",
        "seed_oss": "seed_oss",
        "functools": "phi4_mini_json",
    },
)

SGLANG = Engine(
    "SGLang",
    (Sign("owner", "", "sglang"), Sign("json", "/get_model_info", "model_path")),
    {
        **_all(
            ("refused", "history_refused"),
            Advice("--hf-chat-template-name tool_use, or --chat-template", says="template"),
        ),
        **_all((*_UNREAD, "bad_arguments"), Advice("--tool-call-parser {parser}")),
        "streamed_differs": (Advice("a newer SGLang", bug="https://github.com/sgl-project/sglang/issues/35564"),),
    },
    {
        "hermes": "qwen",
        "deepseek_v3": "deepseekv3",
        "deepseek_v31": "deepseekv31",
        "deepseek_v32": "deepseekv32",
        "glm45": "glm",
        "glm47": "glm",
        "harmony": "gpt-oss",
        "kimi_k2": "kimi_k2",
        "llama3_json": "llama3",
        "llama3_python_tag": "llama3",
        "mistral_new": "mistral",
        "mistral_old": "mistral",
        "pythonic": "pythonic",
        "qwen3_coder": "qwen3_coder",
        "step3": "step3",
    },
)

OLLAMA = Engine(
    "Ollama",
    (
        Sign("json", "/api/version", "version", "version"),
        Sign("owner", "", "library"),
        Sign("fingerprint", "", "fp_ollama"),
    ),
    {
        "refused": (
            Advice(
                "a model whose template takes tools: `ollama show NAME` lists its capabilities", says="support tools"
            ),
        ),
        **_all(_UNREAD, Advice("a newer Ollama, or a Modelfile with the template of the model's own release")),
        "empty_answer": (Advice("a newer Ollama", bug="https://github.com/ollama/ollama/issues/17274"),),
    },
)

LMSTUDIO = Engine(
    "LM Studio",
    (Sign("json", "/api/v0/models", "data"), Sign("owner", "", "organization_owner")),
    {
        **_all(
            (*_UNREAD, "refused", "history_refused"),
            Advice("the model's prompt template (My Models, the model's settings), and a newer runtime"),
        ),
        **_all(
            ("same_ids", "bad_arguments", "streamed_differs"),
            Advice("a newer runtime", bug="https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/1528"),
        ),
    },
)

MLX = Engine(
    "mlx_lm",
    (Sign("fingerprint", "", r"\d+\.\d+\.\d+\S*-\d+\.\d+\.\d+\S*-macOS"),),
    {
        **_all(
            _UNREAD,
            Advice(
                "`tool_parser_type` in the model's tokenizer_config.json",
                bug="https://github.com/ml-explore/mlx-lm/issues/1885",
            ),
        ),
    },
)

ENGINES = (LLAMACPP, OLLAMA, LMSTUDIO, SGLANG, VLLM, MLX)
"""In the order in which their signs are looked for: who answers on another's path comes first."""

HEALED: Mapping[str, str] = {
    **dict.fromkeys(_UNREAD, "Dragoman reads the markup and makes it a call"),
    "refused": "Dragoman changes the request so that the server takes it",
    "history_refused": "Dragoman changes the conversation so that the server takes it",
    "reasoning_in_text": "Dragoman gives reasoning a field of its own",
    "wrong_finish": "Dragoman corrects the finish reason",
    "bad_call": "Dragoman fills in what the call lacks",
    "bad_arguments": "Dragoman makes them the JSON of an object, where nothing is lost by it",
    "mistyped": "Dragoman gives the arguments the types of the schema",
    "none_ignored": "Dragoman removes the call",
    "no_done": "Dragoman ends the stream with [DONE]",
    "same_ids": "Dragoman gives each call an id and an index of its own",
    "streamed_differs": "Dragoman sends the streamed call as the buffered one",
}
"""What the proxy does about a fault, where the probe passes through it."""

_READS_ITSELF = "RAW=on turns the server's own parser off, and Dragoman reads the text itself"
_ASKS_AGAIN = "HEAL=retry asks the model again"
OURS: Mapping[str, str] = {
    **dict.fromkeys(
        ("quoted_called", "streamed_differs", "bad_arguments", "same_ids", "changed_text", "empty_answer"),
        _READS_ITSELF,
    ),
    "required_ignored": _ASKS_AGAIN,
    "named_ignored": _ASKS_AGAIN,
    "mistyped": _ASKS_AGAIN,
}
"""The setting of Dragoman that may help where the probe fails through the proxy, too."""
