"""A response while it comes: its items in their order, its status, and the events of a stream.

    response.created, response.in_progress, then for each item
        response.output_item.added … response.output_item.done
    response.completed, or response.incomplete, or response.failed

Where the answer failed, nothing that was open is closed: a call that a client takes for whole would be run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from dialects.responses.events import Events, as_json
from dialects.responses.output_items import CallItem, CustomCallItem, MessageItem, OutputItem, ReasoningItem, Status
from dialects.responses.request import ResponsesOptions
from errors import ErrorInfo
from reply import Ids, ReplyHead, count_of

ResponseStatus = Literal["in_progress", "completed", "incomplete", "failed"]

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Why a response is incomplete, by the finish reason."""


class Output:
    """Every method returns the events of what it was told."""

    def __init__(self, options: ResponsesOptions, model: str, ids: Ids, token: str, silent: bool = False) -> None:
        """`token` makes the ids of the response and its items; `model` is the name in the request."""
        self._options = options
        self._model = model
        self._ids = ids
        self._token = token
        self._events = Events(silent)
        self._created = 0
        self._begun = False
        self._items: list[OutputItem] = []
        self._text: MessageItem | ReasoningItem | None = None  # the one that is open
        self._calls: dict[int, CallItem] = {}  # those that are open
        self._cut: set[int] = set()  # those of them that were cut
        self._reason = "stop"
        self._usage: Mapping[str, Any] | None = None
        self._error: ErrorInfo | None = None
        kept = options.kept
        self._kept = kept if kept is not None and kept.taken else None

    # -- what happens ------------------------------------------------------------------------------------------------

    def begin(self, head: ReplyHead) -> bytes:
        """The head of the reply; only the first counts."""
        if self._begun:
            return b""
        self._begun = True
        self._created = int(head.created) if isinstance(head.created, int | float) else 0
        self._model = head.model or self._model
        return self._told(b"response.created", "in_progress") + self._told(b"response.in_progress", "in_progress")

    def text(self, text: str, logprobs: Sequence[Mapping[str, Any]] = ()) -> bytes:
        before, item = self._message()
        return before + item.text(text, logprobs)

    def refusal(self, text: str) -> bytes:
        before, item = self._message()
        return before + item.refusal(text)

    def reasoning(self, text: str) -> bytes:
        item, before = self._text, b""
        if not isinstance(item, ReasoningItem):
            before = self._close_text("completed")
            options = self._options
            item = ReasoningItem(self._events, self._token, len(self._items), options.summary, options.encrypted)
            self._text = item
            before += self._open(item)
        return before + item.text(text)

    def call(self, index: int, name: str, wished: str | None) -> bytes:
        """A call begins."""
        before = self._close_text("completed")
        tool = self._options.tools.of(name)
        kind = CustomCallItem if tool.kind == "custom" else CallItem
        item = kind(self._events, self._token, len(self._items), tool, self._ids.take(wished))
        self._calls[index] = item
        return before + self._open(item)

    def arguments(self, index: int, delta: str) -> bytes:
        item = self._calls.get(index)
        return b"" if item is None else item.arguments(delta)

    def call_end(self, index: int, complete: bool) -> bytes:
        """A call is over. One that was cut is closed by the finish reason alone: an error may follow instead."""
        if not complete:
            self._cut.add(index)
        item = self._calls.pop(index, None) if complete else None
        return b"" if item is None else self._close(item, "completed")

    def finish(self, reason: str) -> bytes:
        """The finish reason."""
        self._reason = reason
        return self._close_all()

    def usage(self, counts: Mapping[str, Any]) -> None:
        self._usage = counts

    def fail(self, error: ErrorInfo) -> None:
        self._error = error

    def end_of_items(self) -> bytes:
        """Nothing follows: what is open is closed, unless the answer failed."""
        return self.begin(ReplyHead()) + (b"" if self._error is not None else self._close_all())

    def end(self) -> bytes:
        """The last event."""
        return self._events.event(b"response." + self._status().encode(), b'"response":' + self.json())

    # -- items -------------------------------------------------------------------------------------------------------

    def _message(self) -> tuple[bytes, MessageItem]:
        """(the events that open a message if none is open, the message)"""
        if isinstance(self._text, MessageItem):
            return b"", self._text
        before = self._close_text("completed")
        self._text = item = MessageItem(self._events, self._token, len(self._items))
        return before + self._open(item), item

    def _open(self, item: OutputItem) -> bytes:
        before = self.begin(ReplyHead())
        self._items.append(item)
        return before + item.opened()

    def _close(self, item: OutputItem, status: Status) -> bytes:
        return item.closed(status)

    def _close_text(self, status: Status) -> bytes:
        item, self._text = self._text, None
        return b"" if item is None else self._close(item, status)

    def _close_all(self) -> bytes:
        status: Status = "incomplete" if self._reason in _INCOMPLETE else "completed"
        told = self._close_text(status)
        calls, self._calls = self._calls, {}
        for index, item in calls.items():
            told += self._close(item, "incomplete" if index in self._cut else status)
        return told

    # -- the response ------------------------------------------------------------------------------------------------

    def _told(self, kind: bytes, status: ResponseStatus) -> bytes:
        if self._events.silent:
            return self._events.event(kind)
        return self._events.event(kind, b'"response":' + self._json(status))

    def _status(self) -> ResponseStatus:
        if self._error is not None:
            return "failed"
        return "incomplete" if self._reason in _INCOMPLETE else "completed"

    def json(self) -> bytes:
        """The response at its end, which the store gets, too."""
        told = self._json(self._status())
        kept = self._kept
        if kept is not None:
            if len(told) <= self._options.longest:
                kept.body = told
            else:
                self._kept = None
                told = self._json(self._status())
        return told

    def _json(self, status: ResponseStatus) -> bytes:
        incomplete = {"reason": _INCOMPLETE[self._reason]} if status == "incomplete" else None
        head = as_json(
            {
                "id": f"resp_{self._token}",
                "object": "response",
                "created_at": self._created,
                "status": status,
                "completed_at": None,
                "error": _error_in_response(self._error) if status == "failed" and self._error else None,
                "incomplete_details": incomplete,
                "model": self._model,
            }
        )
        usage = as_json(None if self._usage is None or status == "in_progress" else usage_of(self._usage))
        told = (head[:-1], b'"output":[%b]' % b",".join(self._items_json()), b'"usage":' + usage)
        stored = b"true" if self._kept is not None else b"false"
        return b'%b,"store":%b,%b}' % (b",".join(told), stored, self._options.echo)

    def _items_json(self) -> list[bytes]:
        """The items that are over, and the text that an error cut; never a call that it cut."""
        shown = [item for item in self._items if item.final or not isinstance(item, CallItem)]
        return [item.final or item.json("incomplete") for item in shown]


def _error_in_response(error: ErrorInfo) -> dict[str, str]:
    told = error.error
    return {"code": str(told.get("code") or told.get("type") or "server_error"), "message": error.message}


def usage_of(counts: Mapping[str, Any]) -> dict[str, Any]:
    """Token counts under the names of this API. What the backend did not count is 0."""
    taken, made = _count(counts, "prompt_tokens"), _count(counts, "completion_tokens")
    of_input, of_output = counts.get("prompt_tokens_details"), counts.get("completion_tokens_details")
    return {
        "input_tokens": taken,
        "input_tokens_details": {
            "cached_tokens": _count(of_input, "cached_tokens"),
            "cache_write_tokens": _count(of_input, "cache_write_tokens"),
        },
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": _count(of_output, "reasoning_tokens")},
        "total_tokens": _count(counts, "total_tokens") or taken + made,
    }


def _count(counts: object, name: str) -> int:
    return count_of(counts, name) or 0
