"""What was said before a request, out of the store: the conversation that it goes on from, and items that it names.

What a client sends again, or names, although it is part of that conversation, counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dialects.responses import body as bodies
from dialects.responses.input_items import kind_of
from dialects.responses.store import NO_STORE, PreviousResponseNotFound, ResponseStore, response_of
from errors import RequestError, TooLarge
from reply import FoundAnswer
from turns import Turns
from wire.json_body import read_body

Item = dict[str, Any]
Placed = tuple[str, Any]
"""(where an item stands, the item)"""

_INPUT = frozenset({bodies.INPUT})
_PREFIXES = {"message": "msg", "function_call": "fc", "reasoning": "rs", "custom_tool_call": "ctc"}
_MOST_QUOTED = 1000
"""Responses from which a request may take single items."""


class Past:
    """Shared by all of one request."""

    def __init__(self, store: ResponseStore | None = None, owner: str | None = None) -> None:
        """`owner` is the name of the client's key."""
        self._store = store
        self._owner = owner
        self._before: Sequence[FoundAnswer] = ()
        self._quoted: dict[str, Mapping[str, Item]] = {}
        self._seen: set[str] = set()
        self._patient = True
        self.size = 0
        """Bytes that were taken out of the store."""

    @property
    def quoted(self) -> tuple[str, ...]:
        """Responses of which single items were taken."""
        return tuple(name for name, items in self._quoted.items() if items)

    def go_on_from(self, response_id: object) -> None:
        """Take the conversation that ends with a response. Raises RequestError, such as PreviousResponseNotFound."""
        if not isinstance(response_id, str) or not response_id:
            told = "'previous_response_id' must be the id of a response."
            raise RequestError(told, param="previous_response_id")
        if self._store is None:
            raise PreviousResponseNotFound(response_id, NO_STORE)
        self._before = self._store.conversation(response_id, self._owner)
        if not self._before:
            raise PreviousResponseNotFound(response_id)
        self.size = sum(len(each.request) + len(each.body) for each in self._before)

    def items(self, given: Iterable[Any]) -> Iterator[Placed]:
        """All that was said before, then the items of the request itself."""
        yield from ((where, item) for where, _, item in self._earlier())
        for place, item in enumerate(given):
            where = f"{bodies.INPUT}[{place}]"
            if isinstance(item, dict) and "id" in item:
                yield from ((where, each) for _, _, each in self._once(where, str(item["id"] or ""), item))
            else:
                yield where, item

    def named(self, given: Iterable[tuple[str, Item]]) -> Iterator[tuple[str, Item]]:
        """The same, of items that all have an id: each behind it."""
        yield from ((item_id, item) for _, item_id, item in self._earlier())
        for item_id, item in given:
            yield from ((item_id, each) for _, _, each in self._once("", item_id, item))

    def _earlier(self) -> Iterator[tuple[str, str, Item]]:
        turns = Turns()
        for answer in self._before:
            for item_id, item in (*input_of(answer), *output_of(answer)):
                for each in self._once("previous_response_id", item_id, item):
                    if kind_of(each[2]) == "item_reference" and response_of(item_id) and not item_id.startswith("rs_"):
                        raise PreviousResponseNotFound(answer.id, ": an item to which it refers is gone")
                    yield each
            turns.take()

    def _once(self, where: str, item_id: str, item: Item) -> Iterator[tuple[str, str, Item]]:
        """The item, or the one that it refers to, unless it was there already."""
        ours = self._store is not None and response_of(item_id) is not None
        if ours and item_id in self._seen:
            return
        if kind_of(item) == "item_reference":
            item = self._referred(item_id) or item
        if ours:
            self._seen.add(item_id)
        yield where, item_id, item

    def _referred(self, item_id: str) -> Item | None:
        answer_id = response_of(item_id)
        if answer_id is None or self._store is None:
            return None
        if answer_id not in self._quoted:
            if len(self._quoted) >= _MOST_QUOTED:
                raise RequestError(f"'{bodies.INPUT}' refers to items of too many responses.", param=bodies.INPUT)
            self._quoted[answer_id] = self._items_of(self._store, answer_id)
        return self._quoted[answer_id].get(item_id)

    def _items_of(self, store: ResponseStore, answer_id: str) -> Mapping[str, Item]:
        found = store.find(answer_id, self._owner, self._patient)
        if found is None:
            self._patient = False  # no client waits twice for what is not there
            return {}
        self.size += len(found.request) + len(found.body)
        if self.size > store.most_bytes:
            raise TooLarge("The items to which the request refers are too long together.", param=bodies.INPUT)
        return {name: item for name, item in (*input_of(found), *output_of(found)) if kind_of(item) != "item_reference"}


def shown_input(store: ResponseStore, answer: FoundAnswer, owner: str | None) -> list[Item]:
    """All that a response answers, as this API lists it. Raises PreviousResponseNotFound and TooLarge."""
    past = Past(store, owner)
    if answer.previous is not None:
        past.go_on_from(answer.previous)
    return [_shown(item_id, item) for item_id, item in past.named(input_of(answer))]


def input_of(answer: FoundAnswer) -> list[tuple[str, Item]]:
    """(its id, the item) of each item that a request brought itself. An item without an id has one of ours."""
    given = bodies.read(answer.request, _INPUT).input
    if isinstance(given, str):
        given = iter([{"type": "message", "role": "user", "content": given}])
    token = answer.id.removeprefix("resp_")
    items = [item for item in given or () if isinstance(item, dict) and item]
    return [(str(item.get("id") or f"{_prefix_of(item)}_{token}i{place:x}"), item) for place, item in enumerate(items)]


def output_of(answer: FoundAnswer) -> list[tuple[str, Item]]:
    """(its id, the item) of each item that a response holds."""
    body = read_body(answer.body)
    found = body.get("output") if isinstance(body, dict) else None
    return [(str(item.get("id")), item) for item in found or () if isinstance(item, dict)]


def _prefix_of(item: Item) -> str:
    return _PREFIXES.get(kind_of(item), "item")


def _shown(item_id: str, item: Item) -> Item:
    kind = kind_of(item)
    shown: Item = {"id": item_id, "type": kind, "status": "completed", **item}
    shown["id"] = item_id
    content = item.get("content")
    if kind == "message" and isinstance(content, str):
        if item.get("role") == "assistant":
            part: Item = {"type": "output_text", "text": content, "annotations": [], "logprobs": []}
        else:
            part = {"type": "input_text", "text": content}
        shown["content"] = [part]
    return shown
