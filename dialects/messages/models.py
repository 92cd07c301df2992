"""`GET /v1/models` and `/v1/models/<id>` for clients of the Messages API, which say so with `anthropic-version`.

The list is the backend's, in the vendor's shape and its pages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from dialects.messages.shape import error_body
from dialects.protocol import Ask, BackendAnswer, SideReply, SideRequest
from errors import BackendError, ErrorInfo, RequestError
from wire.json_values import compact

_ASKS = "anthropic-version"
_PATH = "/v1/models"
_PAGE, _LONGEST_PAGE = 20, 1000


def list_models(request: SideRequest, ask: Ask) -> SideReply | None:
    """The list; None for clients of other APIs. Raises RequestError, BackendError and ClientLeft."""
    if request.header(_ASKS) is None:
        return None
    answer = ask("GET", _PATH)
    if answer.status >= 400:
        return _refused(answer)
    return SideReply(compact(_page(_models_in(answer), request.query)).encode(errors="replace"))


def one_model(request: SideRequest, ask: Ask) -> SideReply | None:
    """One model of the list; None for clients of other APIs. Raises BackendError and ClientLeft."""
    if request.header(_ASKS) is None:
        return None
    answer = ask("GET", _PATH)
    if answer.status >= 400:
        return _refused(answer)
    wanted = request.values.get("model", "")
    model = next((model for model in _models_in(answer) if model["id"] == wanted), None)
    if model is None:
        missing = error_body(ErrorInfo(404, {"message": f"The backend has no model '{wanted}'."}))
        return SideReply(compact(missing).encode(errors="replace"), 404)
    return SideReply(compact(model).encode(errors="replace"))


def _models_in(answer: BackendAnswer) -> list[dict[str, Any]]:
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        body = None
    listed = body.get("data") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise BackendError("The backend's list of models cannot be read.")
    return [_model(each) for each in listed if isinstance(each, dict) and isinstance(each.get("id"), str)]


def _model(listed: Mapping[str, Any]) -> dict[str, Any]:
    name = listed.get("name") or listed.get("display_name")
    created = listed.get("created")
    seconds = created if type(created) is int and 0 <= created < 1 << 32 else 0
    return {
        "type": "model",
        "id": listed["id"],
        "display_name": name if isinstance(name, str) else listed["id"],
        "created_at": datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lifecycle": "active",
    }


def _page(models: list[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """One page of the list, by the parameters `limit`, `after_id` and `before_id`."""
    given = query.get("limit", str(_PAGE))
    size = int(given) if given.isascii() and given.isdigit() and len(given) < 5 else 0
    if not 1 <= size <= _LONGEST_PAGE:
        raise RequestError(f"'limit' must be a number from 1 to {_LONGEST_PAGE}.", param="limit")
    ids = [model["id"] for model in models]
    start, end = 0, len(ids)
    if query.get("after_id") in ids:
        start = ids.index(query["after_id"]) + 1
    if query.get("before_id") in ids:
        end = ids.index(query["before_id"])
        start = max(start, end - size)
    page = models[start:end][:size]
    more = start > 0 if "before_id" in query else start + len(page) < end
    return {
        "data": page,
        "has_more": more,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
    }


def _refused(answer: BackendAnswer) -> SideReply:
    """The backend's own error, in this API's shape."""
    try:
        error = json.loads(answer.body)
        error = error.get("error", error) if isinstance(error, dict) else None
    except (ValueError, RecursionError):
        error = None
    message = error.get("message") if isinstance(error, dict) else error
    told = error_body(ErrorInfo(answer.status, {"message": message if isinstance(message, str) else ""}))
    return SideReply(compact(told).encode(errors="replace"), answer.status)
