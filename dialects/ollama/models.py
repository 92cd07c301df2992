"""What clients of the API ask beside a conversation: its version, and which models there are and what they can do.

A backend that is an Ollama itself, or plays one, is asked by its own routes; any other by `/v1/models`. Whatever it
says, clients get every field that they need, with the right type: some read an empty date as an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from converters.thinking import family_of, keeps_reasoning, settings_for
from dialects.ollama.spelling import as_json, as_time
from dialects.protocol import Ask, BackendAnswer, Clock, SideReply, SideRequest, SideRoute
from errors import ErrorInfo, NotFound, Refused, RequestError
from wire.json_body import LARGE, read_body

VERSION = "0.13.0"
"""The version of the API that is spoken here. Clients refuse one below 0.6.4, or one that is no number."""

_NEVER = "2318-01-01T00:00:00Z"
"""When a model is unloaded that stays loaded."""
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_CONTEXT = ("max_model_len", "max_context_length", "context_length", "context_window")
"""Names under which servers tell how many tokens a model takes, in `/v1/models`."""
_DETAILS: Mapping[str, Any] = {
    "parent_model": "",
    "format": "",
    "family": "",
    "families": [],
    "parameter_size": "",
    "quantization_level": "",
}


def side_routes(clock: Clock) -> tuple[SideRoute, ...]:
    """The routes beside the conversations."""
    models = Models(clock)
    return (
        SideRoute("GET", "/api/version", lambda request, ask: _reply({"version": VERSION})),
        SideRoute("GET", "/api/tags", models.tags),
        SideRoute("GET", "/api/ps", models.running),
        SideRoute("POST", "/api/show", models.show),
    )


class Models:
    """Answers about models. It keeps nothing: which models a backend has can change."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def tags(self, request: SideRequest, ask: Ask) -> SideReply:
        """All models."""
        return _reply({"models": [self._listed(each) for each in _models_of(ask, "/api/tags")]})

    def running(self, request: SideRequest, ask: Ask) -> SideReply:
        """The loaded models. A backend that does not tell which are loaded serves all that it lists."""
        return _reply({"models": [self._loaded(each) for each in _models_of(ask, "/api/ps")]})

    def show(self, request: SideRequest, ask: Ask) -> SideReply:
        """What is known of one model. Raises RequestError, and NotFound for one that the backend does not list."""
        body = read_body(request.body) if request.body else None
        name = (body.get("model") or body.get("name")) if isinstance(body, dict) else None
        if not isinstance(name, str):
            raise RequestError("'model' is required.", param="model")
        shown = _object(ask("POST", "/api/show", json.dumps({"model": name}).encode()))
        if shown is not None and isinstance(shown.get("details"), dict):
            return _reply(self._shown(shown, name))
        for listed in _listed_models(ask):
            if _same(listed.get("id"), name):
                return _reply(self._shown(listed, name))
        raise NotFound(f"model '{name}' not found")

    def _shown(self, shown: Mapping[str, Any], name: str) -> dict[str, Any]:
        info = dict(shown["model_info"]) if isinstance(shown.get("model_info"), dict) else {}
        architecture = info.setdefault("general.architecture", "unknown")
        info.setdefault("general.basename", name)
        if (length := _context_length(shown)) is not None:
            info.setdefault(f"{architecture}.context_length", length)
        texts = {each: shown[each] for each in ("license", "system") if isinstance(shown.get(each), str)}
        needed = {each: _text(shown.get(each)) for each in ("modelfile", "parameters", "template")}
        return {
            **texts,
            **needed,
            "details": _details(shown),
            "model_info": info,
            "capabilities": _capabilities(shown.get("capabilities"), name),
            "modified_at": self._modified_at(shown),
        }

    def _listed(self, model: Mapping[str, Any]) -> dict[str, Any]:
        name = _name(model)
        return {
            "name": name,
            "model": name,
            "modified_at": self._modified_at(model),
            "size": _size(model.get("size")),
            "digest": _text(model.get("digest")),
            "details": _details(model),
        }

    def _loaded(self, model: Mapping[str, Any]) -> dict[str, Any]:
        listed = self._listed(model)
        del listed["modified_at"]
        expires, length = model.get("expires_at"), _context_length(model)
        return {
            **listed,
            "expires_at": expires if _is_date(expires) else _NEVER,
            "size_vram": _size(model.get("size_vram")),
            **({} if length is None else {"context_length": length}),
        }

    def _modified_at(self, model: Mapping[str, Any]) -> str:
        told, created = model.get("modified_at"), model.get("created")
        if isinstance(told, str) and _is_date(told):
            return told
        if isinstance(created, int) and 0 <= created < 1 << 33:
            return as_time(created * 1_000_000_000)
        return as_time(self._clock())


def _models_of(ask: Ask, target: str) -> Iterable[Mapping[str, Any]]:
    """The models that the backend tells of at a route of this API, or else all that it lists."""
    told = _object(ask("GET", target))
    models = told.get("models") if told is not None else None
    if isinstance(models, list):
        return [each for each in models if isinstance(each, dict) and _name(each)]
    return _listed_models(ask)


def _listed_models(ask: Ask) -> list[Mapping[str, Any]]:
    """The models of `/v1/models`. Raises Refused if the backend does not tell."""
    answer = ask("GET", "/v1/models")
    told = _object(answer)
    models = told.get("data") if told is not None else None
    if not isinstance(models, list):
        raise Refused(_refusal(answer))
    return [each for each in models if isinstance(each, dict) and _name(each)]


def _refusal(answer: BackendAnswer) -> ErrorInfo:
    """Why the backend does not list its models."""
    told = _object(BackendAnswer(200, answer.body)) or {}
    error = told.get("error")
    message = error.get("message") if isinstance(error, dict) else error
    text = message if isinstance(message, str) and message else "The backend does not list its models."
    status = answer.status if answer.status >= 400 else 502
    return ErrorInfo(status, {"message": text, "type": "backend_error", "param": None, "code": "backend_error"})


def _object(answer: BackendAnswer) -> dict[str, Any] | None:
    """The JSON object of an answer of success, if it is one."""
    if answer.status != 200 or len(answer.body) > LARGE:
        return None
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _name(model: Mapping[str, Any]) -> str:
    return next((each for each in map(model.get, ("model", "name", "id")) if isinstance(each, str)), "")


def _same(listed: object, asked: str) -> bool:
    """Whether a listed model is the one that was asked for. Clients add the tag `latest` to names without one."""
    return listed == asked or listed == asked.removesuffix(":latest")


def _capabilities(told: object, name: str) -> list[str]:
    """What a model can do. Tools come with the proxy, whatever the backend says, but not to a model of embeddings."""
    known = [each for each in told if isinstance(each, str)] if isinstance(told, list) else []
    if known and "completion" not in known:
        return known
    found = known or ["completion"]
    thinks = family_of(name) is not None or keeps_reasoning(name) or bool(settings_for(name, True))
    return found + [each for each, has in (("tools", True), ("thinking", thinks)) if has and each not in found]


def _details(model: Mapping[str, Any]) -> dict[str, Any]:
    told = model.get("details")
    if not isinstance(told, dict):
        return dict(_DETAILS)
    return {**told, **{name: value for name, value in _DETAILS.items() if not isinstance(told.get(name), type(value))}}


def _context_length(model: Mapping[str, Any]) -> int | None:
    meta = model.get("meta")  # of llama-server
    trained = meta.get("n_ctx_train") if isinstance(meta, dict) else None
    return next((each for each in (*map(model.get, _CONTEXT), trained) if type(each) is int), None)


def _is_date(value: object) -> bool:
    return isinstance(value, str) and _DATE.fullmatch(value) is not None


def _size(value: object) -> int:
    return value if type(value) is int else 0


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _reply(told: Mapping[str, Any]) -> SideReply:
    return SideReply(as_json(told).encode(errors="replace"))
