"""Stored responses: get one, what it answers, delete it. Without a store none is found.

Source of the format: the OpenAI API reference and the types of the vendor's SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from dialects.protocol import Ask, SideReply, SideRequest, SideRoute
from dialects.responses.input_parts import text_of
from dialects.responses.past import Item, shown_input
from dialects.responses.sealed import sealed
from dialects.responses.store import NO_STORE, PreviousResponseNotFound, ResponseNotFound, ResponseStore
from errors import RequestError
from reply import FoundAnswer
from wire.json_values import compact
from wire.lossless_json import dumps, loads

_ONE = "/v1/responses/<id>"
_ALIAS = "/responses/<id>"
_ENCRYPTED = "reasoning.encrypted_content"
_PAGE = 20
_MOST = 100
"""Items of a page: where the client does not say, and at most."""


def routes_of(store: ResponseStore | None) -> tuple[SideRoute, ...]:
    """The routes below `/v1/responses`. Any other `POST` there is not found: it would be asked of a backend that never
    saw the conversation."""
    stored = _Stored(store)
    found: list[tuple[Literal["GET", "POST", "DELETE"], str, Callable[[SideRequest, Ask], SideReply]]] = [
        ("GET", "", stored.get),
        ("DELETE", "", stored.delete),
        ("POST", "", stored.nothing),
        ("GET", "/input_items", stored.input_items),
        ("POST", "/cancel", stored.cancel),
    ]
    return tuple(SideRoute(method, f"{_ONE}{rest}", answer, f"{_ALIAS}{rest}") for method, rest, answer in found)


class _Stored:
    """The answers of the routes. None of them is recorded with its text, which could not be deleted again."""

    def __init__(self, store: ResponseStore | None) -> None:
        self._store = store

    def get(self, request: SideRequest, ask: Ask) -> SideReply:
        found = self._found(request)
        if request.query.get("stream", "").lower() in ("true", "1"):
            told = "'stream' is not served here: this response was not created with 'background': true."
            raise RequestError(told, param="stream")
        body = found.body
        if _ENCRYPTED in _included(request):
            body = _with_encrypted(body)
        return SideReply(body, recorded=False)

    def delete(self, request: SideRequest, ask: Ask) -> SideReply:
        name = request.values["id"]
        if self._store is None or not self._store.delete(name, request.key_name):
            raise self._missing(name)
        return _told({"id": name, "object": "response", "deleted": True})

    def input_items(self, request: SideRequest, ask: Ask) -> SideReply:
        found = self._found(request)
        assert self._store is not None
        try:
            items = shown_input(self._store, found, request.key_name)
        except PreviousResponseNotFound as error:
            raise ResponseNotFound(found.id, ": an earlier response of its conversation is gone") from error
        if _ENCRYPTED in _included(request):
            items = [_encrypted(item) for item in items]
        return _told(_page(items, request))

    def cancel(self, request: SideRequest, ask: Ask) -> SideReply:
        self._found(request)
        raise RequestError("Cannot cancel a synchronous response.")

    def nothing(self, request: SideRequest, ask: Ask) -> SideReply:
        raise self._missing(request.values["id"])

    def _found(self, request: SideRequest) -> FoundAnswer:
        name = request.values["id"]
        found = self._store.find(name, request.key_name) if self._store is not None else None
        if found is None:
            raise self._missing(name)
        return found

    def _missing(self, name: str) -> ResponseNotFound:
        return ResponseNotFound(name, NO_STORE if self._store is None else "")


def _page(items: Sequence[Item], request: SideRequest) -> Mapping[str, Any]:
    """A page of a list, the newest first unless `order` says otherwise. Raises RequestError."""
    order = request.query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise RequestError("'order' must be asc or desc.", param="order")
    limit = request.query.get("limit", str(_PAGE))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= _MOST):
        raise RequestError(f"'limit' must be a number from 1 to {_MOST}.", param="limit")
    ordered = list(items) if order == "asc" else list(reversed(items))
    after = request.query.get("after")
    if after:
        place = next((place for place, item in enumerate(ordered) if item["id"] == after), None)
        if place is None:
            raise RequestError(f"'after' names no item of this list: '{after}'.", param="after")
        ordered = ordered[place + 1 :]
    page = ordered[: int(limit)]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": len(ordered) > len(page),
    }


def _included(request: SideRequest) -> Sequence[str]:
    """The values of `include`, which clients spell in two ways."""
    return [*request.repeated.get("include", ()), *request.repeated.get("include[]", ())]


def _with_encrypted(body: bytes) -> bytes:
    """The response with the reasoning also in `encrypted_content`, with each number as it was spelled."""
    found = loads(body)
    found["output"] = [_encrypted(item) for item in found["output"]]
    return dumps(found).encode(errors="replace")


def _encrypted(item: Item) -> Item:
    if item.get("type") != "reasoning" or item.get("encrypted_content"):
        return item
    return {**item, "encrypted_content": sealed(text_of(item.get("content"), "content"))}


def _told(value: Mapping[str, Any]) -> SideReply:
    return SideReply(compact(value).encode(errors="replace"), recorded=False)
