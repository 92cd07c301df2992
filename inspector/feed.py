"""`GET /dragoman/api/events`: server-sent events about records that are new or have changed, for a live page.

retry: 2000                                    once, at the beginning
event: records
id: 1764446400123456                           from where to go on (`Last-Event-ID`)
data: {"records": [as in the list], "gone": [ids that fit no longer]}
: keep-alive                                   when there was nothing for a while
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import lru_cache

from flask import Blueprint, Request, Response, g

from inspector.bounded import Bounded
from inspector.filters import query_of
from records.changes import EVERY, Changes, Feed, Told
from records.record import StoredRecord
from records.recorder import Recorder
from records.stores import StoreError
from records.threads import away_from_streams
from records.views import listed
from web.client_request import current_request, has_left

MOST_FEEDS = 64
"""Feeds of one process."""
_HEARTBEAT = 10.0
"""Seconds without an event after which a comment is sent."""
_BACK = 5.0
"""Seconds for which a new feed looks back: the list that it goes on from may be so old."""
_BEGINNING = b"retry: 2000\n\n"
_KEEP_ALIVE = b": keep-alive\n\n"


def add_feed(room: Blueprint, recorder: Recorder, stopping: Callable[[], bool]) -> None:
    """The route. All feeds end once `stopping` says so."""
    changes = Changes(recorder.store, away_from_streams)
    feeds = Bounded(MOST_FEEDS, f"There are {MOST_FEEDS} live feeds already. Close another page.")

    @lru_cache(maxsize=1024)  # for all feeds
    def line(record: StoredRecord) -> bytes:
        return recorder.redact(json.dumps(listed(record), ensure_ascii=False).encode(errors="replace"))

    def written(told: Told) -> bytes:
        lines, gone = b", ".join(map(line, told.records)), json.dumps(list(told.gone)).encode()
        return b'event: records\nid: %d\ndata: {"records": [%s], "gone": %s}\n\n' % (told.at_us, lines, gone)

    @room.get("/api/events")
    def events() -> Response:
        asked = current_request()
        query = query_of(asked.args, g.viewer.key_name)
        if asked.method == "HEAD":
            return Response(content_type="text/event-stream")
        feed = Feed(changes, query, _last_event(asked))
        feeds.enter()
        answer = Response(
            _Body(feed, lambda: stopping() or has_left(asked), written, feeds), content_type="text/event-stream"
        )
        answer.headers["X-Accel-Buffering"] = "no"  # nginx would gather events
        return answer


def _last_event(asked: Request) -> int:
    """Where the client was, in microseconds since 1970. What it cannot have got from us counts as nothing."""
    now = int(time.time() * 1e6)
    text = asked.headers.get("Last-Event-ID", "")
    known = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else now
    return min(known, now) if known < now else now - int(_BACK * 1e6)


class _Body:
    """The events until the client leaves or the server stops. Closed once, whether it was begun or not."""

    def __init__(
        self, feed: Feed, is_over: Callable[[], bool], written: Callable[[Told], bytes], feeds: Bounded
    ) -> None:
        self._feed = feed
        self._is_over = is_over
        self._written = written
        self._feeds = feeds
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield _BEGINNING
        heard = time.monotonic()
        while not self._is_over():
            try:
                told = self._feed.next()
            except StoreError:  # it may come back
                told = None
            if told is not None:
                heard = time.monotonic()
                yield self._written(told)
            elif time.monotonic() - heard > _HEARTBEAT:
                heard = time.monotonic()
                yield _KEEP_ALIVE
            time.sleep(EVERY)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._feeds.leave()
