"""Codex's list of models, which is served beside the conversation.

Source of the list: the types of Codex's `/models` endpoint, and what the program itself was seen to accept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dialects.protocol import Ask, SideReply, SideRequest, SideRoute
from wire.json_values import compact

_CODEX = "codex"
_WINDOW = 131_072
"""Tokens of context that a model is said to have where the backend does not say."""
_INSTRUCTIONS = (
    "You are a coding agent in the user's terminal. Find things out with your tools: read files and run commands "
    "rather than guess. Change what the task needs, in the style of the code around it, and nothing else. Go on until "
    "the task is done and you have checked that it is. Then say in a few sentences what you did, and what is left."
)
"""Codex says these to a model that comes from a list, and will not take a list without."""
_WINDOWS = ("max_model_len", "context_length", "max_context_length", "loaded_context_length")


def _models(request: SideRequest, ask: Ask) -> SideReply | None:
    """The backend's models with a list that Codex reads beside them; None for any other program."""
    if not _is_codex(request):
        return None
    target = "/v1/models"
    answer = ask("GET", target)
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    listed = found.get("data") if isinstance(found, dict) else None
    if answer.status >= 300 or not isinstance(listed, list):
        return SideReply(answer.body, answer.status)
    known = [each for each in listed if isinstance(each, dict) and isinstance(each.get("id"), str)]
    told = {**found, "models": [_model(each, place) for place, each in enumerate(known)]}
    return SideReply(compact(told).encode(errors="replace"), answer.status)


def _is_codex(request: SideRequest) -> bool:
    if "client_version" in request.query:
        return True
    names = (request.header("originator"), request.header("user-agent"))
    return any(name is not None and name.lower().startswith(_CODEX) for name in names)


def _model(model: Mapping[str, Any], place: int) -> dict[str, Any]:
    """A model as Codex describes one. What nobody knows of it has the value that asks least of it."""
    return {
        "slug": model["id"],
        "display_name": model["id"],
        "description": None,
        "default_reasoning_level": None,
        "supported_reasoning_levels": [],
        "shell_type": "shell_command",
        "visibility": "list",
        "supported_in_api": True,
        "priority": place,
        "availability_nux": None,
        "upgrade": None,
        "base_instructions": _INSTRUCTIONS,
        "model_messages": None,
        "supports_reasoning_summaries": False,
        "default_reasoning_summary": "auto",
        "support_verbosity": False,
        "default_verbosity": None,
        "apply_patch_tool_type": None,
        "web_search_tool_type": "text",
        "truncation_policy": {"mode": "bytes", "limit": 10_000},
        "supports_parallel_tool_calls": True,
        "supports_image_detail_original": False,
        "context_window": _window(model),
        "auto_compact_token_limit": None,
        "effective_context_window_percent": 95,
        "experimental_supported_tools": [],
        "input_modalities": ["text", "image"],
    }


def _window(model: Mapping[str, Any]) -> int:
    meta = model.get("meta")
    counts = [model.get(name) for name in _WINDOWS]
    counts += [meta.get(name) for name in ("n_ctx", "n_ctx_train")] if isinstance(meta, dict) else []
    return next((count for count in counts if type(count) is int and count > 0), _WINDOW)


MODELS = SideRoute("GET", "/v1/models", _models)
