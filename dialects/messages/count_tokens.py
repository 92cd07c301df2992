"""`POST /v1/messages/count_tokens`: by the backend's tokenizer where it has one, else by an estimate.

    server        how it counts                                            how it is recognised
    vLLM          POST /tokenize {"model", "messages", "tools" ...}        "count" in the answer
    llama-server  POST /apply-template, then /tokenize {"content": ...}    "tokens", but no "count"

A count is never an error of the backend's: a client only wants to know when its history gets too long.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from dialects.messages.estimate import Corrections
from dialects.messages.request import parse_prompt
from dialects.protocol import Ask, SideReply, SideRequest
from errors import BackendError
from turns import Turns
from wire.json_written import as_json

_Server = Literal["vllm", "llama", "none"]
_ASK_AGAIN = 200
"""Counts after which a backend without a tokenizer is asked once more: another server may stand there now."""
_NO_TOKENIZER = frozenset({200, 404, 405, 501})
"""Statuses of servers that do not know the path. Some say so with 200."""
_TOKENIZE = "/tokenize"
_TEMPLATE = "/apply-template"


class TokenCounter:
    """Counts for one application. Shared by all threads; each of its decisions may be taken twice without harm."""

    def __init__(self, corrections: Corrections) -> None:
        self._corrections = corrections
        self._server: _Server | None = None  # which one the backend is, once it has shown it
        self._estimated = 0  # counts since the backend was asked

    def answer(self, request: SideRequest, ask: Ask) -> SideReply:
        """The answer of the side route. Raises RequestError and ClientLeft."""
        chat, estimated = parse_prompt(request.body)
        counted = self._counted(chat, ask)
        if counted is None:
            counted = self._corrections.corrected(chat["model"], estimated)
        return SideReply(json.dumps({"input_tokens": counted}).encode())

    def _counted(self, chat: Mapping[str, Any], ask: Ask) -> int | None:
        """What the backend counts; None if it cannot."""
        self._estimated += 1
        if self._server == "none" and self._estimated < _ASK_AGAIN:
            return None
        self._estimated = 0
        try:
            return _by_llama(chat, ask) if self._server == "llama" else self._asked(chat, ask)
        except BackendError:
            return None

    def _asked(self, chat: Mapping[str, Any], ask: Ask) -> int | None:
        """What vLLM counts. The answer also shows which server it is."""
        named = chat if chat["model"] else {name: value for name, value in chat.items() if name != "model"}
        status, answer = _asked(ask, _TOKENIZE, {**named, "add_generation_prompt": True})
        count = answer.get("count")
        if type(count) is int:
            self._server = "vllm"
            return count
        if isinstance(answer.get("tokens"), list):
            self._server = "llama"
            return _by_llama(chat, ask)
        if self._server != "vllm" and status in _NO_TOKENIZER:  # else the refusal may be about this one request
            self._server = "none"
        return None


def _by_llama(chat: Mapping[str, Any], ask: Ask) -> int | None:
    prompt = _asked(ask, _TEMPLATE, chat)[1].get("prompt")
    if not isinstance(prompt, str):
        return None
    wanted = {"content": prompt, "add_special": True, "parse_special": True}
    tokens = _asked(ask, _TOKENIZE, wanted)[1].get("tokens")
    return len(tokens) if isinstance(tokens, list) else None


def _asked(ask: Ask, path: str, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
    """(the status of the backend's answer, its JSON object or an empty one). Raises BackendError and ClientLeft."""
    answer = ask("POST", path, as_json(body, Turns()))
    try:
        found = json.loads(answer.body) if answer.status == 200 else None
    except (ValueError, RecursionError):
        found = None
    return answer.status, found if isinstance(found, dict) else {}
