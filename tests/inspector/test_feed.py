"""`GET /dragoman/api/events`: what is new or has changed, live, for whoever may see it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from inspector import feed as feeds
from records.changes import Changes, Feed
from records.databases import Sqlite
from records.filters import parse
from records.query import Query
from records.record import new_id, stored
from records.sql import SqlStore
from records.stores import StoreError
from streaming.record import ExchangeRecord
from tests.answers import Json, ask, said
from tests.records.recorded import Recorded, Said, recorded, until
from tests.records.test_routes import ALICE, BOB, KEYS, OWNER, Make, make
from tests.servers import Answer, How, ScriptedBackend, proxy_process

__all__ = ["make", "recorded"]

PATH = "/dragoman/api/events"


class Events:
    """A feed of an application in this process, read as a browser does."""

    def __init__(self, proxy: Recorded, filters: str = "", key: str = "", last: int | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self.response = proxy.app.test_client().get(f"{PATH}?{filters}", headers=headers, buffered=False)
        assert self.response.status_code == 200 and self.response.content_type == "text/event-stream"
        self._blocks: Iterator[bytes] = iter(self.response.response)  # type: ignore[arg-type]
        assert next(self._blocks) == b"retry: 2000\n\n"
        self.last = 0

    def next(self) -> Json:
        while not (block := next(self._blocks)).startswith(b"event: records\n"):
            assert block == b": keep-alive\n\n"
        _, name, data = block.decode().rstrip("\n").split("\n")
        assert name.startswith("id: ")
        self.last = int(name[4:])
        told: Json = json.loads(data.removeprefix("data: "))
        return told

    def models(self) -> list[str]:
        return [record["model"] for record in self.next()["records"]]

    def close(self) -> None:
        self.response.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("records.changes.EVERY", 0.02)
    monkeypatch.setattr("inspector.feed.EVERY", 0.03)


def say(proxy: Recorded, model: str, key: str = "") -> None:
    proxy.ask(ask(model=model), Said(said("Hi.")), key=key)


def test_what_is_new_is_told(make: Make) -> None:
    proxy = make()
    with closing(Events(proxy)) as events:
        say(proxy, "first")
        told = events.next()
        assert told["gone"] == [] and told["records"] == proxy.listed()[:1]
        say(proxy, "second")
        assert events.models() == ["second"]


def test_what_ended_a_moment_ago_is_told_at_once(make: Make) -> None:
    proxy = make()
    say(proxy, "before")
    proxy.settled(1)
    with closing(Events(proxy)) as events:
        assert events.models() == ["before"]


def test_a_feed_goes_on_where_it_was(make: Make) -> None:
    proxy = make()
    with closing(Events(proxy)) as events:
        say(proxy, "first")
        assert events.models() == ["first"]
        last = events.last
    say(proxy, "missed")
    proxy.settled(2)
    with closing(Events(proxy, last=last)) as events:
        assert "missed" in events.models()
    now = int(time.time() * 1e6)
    for wrong in (0, now + 10**12, 10**30):
        with closing(Events(proxy, last=wrong)) as events:
            assert "missed" in events.models()


def test_only_what_fits_is_told(make: Make) -> None:
    proxy = make()
    with closing(Events(proxy, "q=model:glm*")) as events:
        for model in ("qwen", "glm-5"):
            say(proxy, model)
        found = events.next()
        while not found["records"]:
            found = events.next()
        assert [record["model"] for record in found["records"]] == ["glm-5"]
    proxy.get("events?q=colour:red", status=400)


def test_a_key_is_told_its_own(make: Make) -> None:
    proxy = make(**KEYS)
    with closing(Events(proxy, key=BOB)) as bobs, closing(Events(proxy, key=OWNER)) as owners:
        say(proxy, "of-alice", ALICE)
        say(proxy, "of-bob", BOB)
        seen: set[str] = set()
        while len(seen) < 2:
            seen |= set(owners.models())
        told = bobs.next()
        assert [record["model"] for record in told["records"]] == ["of-bob"] and not told["gone"]
    proxy.get("events", status=401)


# -- changes -----------------------------------------------------------------------------------------------------------


def record_of(model: str, ended: bool = True, key: str | None = None) -> ExchangeRecord:
    record = ExchangeRecord("r", "/v1/x", model, key_name=key)
    record.id = new_id(record.received_at)
    if ended:
        record.end()
    return record


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = SqlStore(Sqlite(str(tmp_path / "r.sqlite")))
    store.prepare()
    yield store
    store.database.close()


def feed_of(store: SqlStore, changes: Changes | None = None, **query: Any) -> Feed:
    changes = changes or Changes(store, lambda run: run())
    feed = Feed(changes, Query(**query), int(time.time() * 1e6))
    assert feed.next() is None
    return feed


def soon(feed: Feed) -> Any:
    return until(feed.next)


def test_what_ends_is_told_again_and_what_fits_no_longer_is_gone(store: SqlStore) -> None:
    feed = feed_of(store)
    under_way = feed_of(store, feed.changes, terms=parse("is:open"))
    others = feed_of(store, feed.changes, own="bob")
    record = record_of("m", ended=False, key="alice")
    store.write([(stored(record), ())])
    assert [each.state for each in soon(feed).records] == ["open"]
    assert [each.state for each in soon(under_way).records] == ["open"]
    record.end()
    store.write([(stored(record), ())])
    assert [each.state for each in soon(feed).records] == ["ended"]
    told = soon(under_way)
    assert (list(told.records), told.gone) == ([], [record.id])
    assert others.next() is None


def test_a_long_exchange_behind_the_newest_is_told_when_it_ends(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("records.changes.MOST", 5)
    feed = feed_of(store)
    long = record_of("long", ended=False)
    store.write([(stored(long), ())])
    assert len(soon(feed).records) == 1
    for number in range(4):
        store.write([(stored(record_of(f"{number}-{each}")), ()) for each in range(5)])
        soon(feed)
    long.end()
    store.write([(stored(long), ())])
    assert [each.model for each in soon(feed).records] == ["long"]


def test_a_feed_that_was_too_slow_catches_up(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("records.changes._BATCHES", 2)
    changes = Changes(store, lambda run: run())
    slow, quick_one = feed_of(store, changes), feed_of(store, changes)
    for number in range(5):
        store.write([(stored(record_of(f"m{number}")), ())])
        soon(quick_one)
    assert {each.model for each in soon(slow).records} == {f"m{number}" for number in range(5)}


def test_one_look_serves_all_feeds(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("records.changes.EVERY", 0.2)
    looks: list[int] = []
    heads = store.heads

    def looked(most: int) -> Any:
        looks.append(most)
        return heads(most)

    monkeypatch.setattr(store, "heads", looked)
    changes = Changes(store, lambda run: run())
    feeds = [Feed(changes, Query(), 0) for _ in range(50)]
    until_then = time.monotonic() + 1
    while time.monotonic() < until_then:
        for feed in feeds:
            feed.next()
    assert 2 <= len(looks) <= 7


def test_a_store_that_is_gone_may_come_back(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = make()
    store = proxy.app.extensions["records"].store
    heads = store.heads
    monkeypatch.setattr("inspector.feed._HEARTBEAT", 0.05)

    def gone(_most: int) -> Any:
        raise StoreError("gone")

    with closing(Events(proxy)) as events:
        monkeypatch.setattr(type(store), "heads", lambda _self, most: gone(most))
        assert next(events._blocks) == b": keep-alive\n\n"
        monkeypatch.setattr(type(store), "heads", lambda _self, most: heads(most))
        say(proxy, "later")
        assert events.models() == ["later"]


# -- how many, and how long --------------------------------------------------------------------------------------------


def test_there_are_so_many_feeds_at_most(recorded: Callable[..., Recorded], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST_FEEDS", 2)
    proxy = recorded()
    with closing(Events(proxy)), ExitStack() as stack:
        second = stack.enter_context(closing(Events(proxy)))
        response = proxy.client.get(PATH)
        assert (response.status_code, response.get_json()["error"]["code"]) == (429, "too_many")
        assert response.headers["Retry-After"] == "2"
        second.close()
        second.close()
        with closing(Events(proxy)):
            assert proxy.client.get(PATH).status_code == 429
    assert proxy.client.head(PATH).status_code == 200


def test_a_stop_ends_it(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded()
    with closing(Events(proxy)) as events:
        proxy.app.extensions["shutdown"].begin()
        assert list(events._blocks) == []


HOWS: list[How] = ["app", "gunicorn"]


@pytest.mark.parametrize("how", HOWS)
def test_over_the_network(how: How) -> None:
    """It tells what happens, ends when its client leaves, and does not hold up the end of the server."""
    with ScriptedBackend(Answer(said("Hello"))) as backend, proxy_process(how, backend, RECORD="meta") as proxy:
        with ExitStack() as stack:
            many = [stack.enter_context(proxy.get(PATH)) for _ in range(feeds.MOST_FEEDS)]
            for each in many:
                each.until("retry")
            with proxy.get(PATH) as client:
                assert client.status == 429
            for each in many:
                each.leave()
        time.sleep(1)  # nothing was sent to them since, and they are gone
        with proxy.get(PATH) as client:
            assert client.header("content-type") == "text/event-stream"
            client.until("retry: 2000")
            proxy.streamed(ask(model="a-model"))
            client.until('"model": "a-model"')
            began = time.monotonic()
            proxy.signal()
            client.rest()
        assert proxy.wait() == 0 and time.monotonic() - began < 5
