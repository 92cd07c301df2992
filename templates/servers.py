"""What servers tell of the chat template of a model: llama-server's `/props` and vLLM's `/tokenizer_info`.

    GET /props?model=NAME&autoload=false    `chat_template`, `bos_token`, `eos_token`. One that serves several models
                                            heeds the name, and must not load it for a question; others pass over both.
    GET /tokenizer_info                     the tokenizer's configuration, with `chat_template`; behind
                                            `--enable-tokenizer-info-endpoint`.

It opens no connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from errors import RequestError
from templates.sources import NoTemplate, Template, from_tokenizer
from wire.json_body import read_large

_WANTED = frozenset({"chat_template", "chat_template_tool_use", "added_tokens_decoder", "additional_special_tokens"})
_TOKENS = frozenset({"bos_token", "eos_token", "pad_token", "unk_token"})


@dataclass(frozen=True, slots=True)
class Question:
    """A request that a server answers with its template."""

    server: str
    """Its name, for people."""
    path: str
    by_model: bool = False
    """The name of the model stands in the query."""
    defaults: tuple[tuple[str, Any], ...] = ()
    """The settings of the template that this server sets where a request does not."""

    mends: tuple[str, ...] = ()
    """What of a history it puts in order itself, before its template sees it (`Learned.history`)."""

    def target(self, model: str) -> str:
        return f"{self.path}?model={quote(model, safe='')}&autoload=false" if self.by_model else self.path


LLAMA = Question("llama-server", "/props", by_model=True, defaults=(("enable_thinking", True),))
VLLM = Question("vLLM", "/tokenizer_info", mends=("arguments_text",))

QUESTIONS: Mapping[str | None, tuple[Question, ...]] = {None: (LLAMA, VLLM), "llamacpp": (LLAMA,), "vllm": (VLLM,)}
"""What a backend is asked, by its preset; those of other presets tell of no template."""


def template_in(body: bytes) -> Template:
    """The template in the answer to a question. Raises NoTemplate, with the reason."""
    try:
        told = read_large(body, _WANTED | _TOKENS, long="")
    except RequestError:
        raise NoTemplate("its answer is no JSON object") from None
    tools = told.get("chat_template_tool_use")
    if isinstance(tools, str) and tools.strip():
        told["chat_template"] = tools
    return from_tokenizer(told)
