"""CONTRACT 12, *Who may look*, where keys are set and a browser asks: login, cookie, CSRF token, logout."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from flask import g
from flask.testing import FlaskClient
from hypothesis import given, settings, strategies
from werkzeug.test import TestResponse

from app import create_app
from config import Config
from inspector import attempts
from inspector.login import _own_path
from inspector.sessions import COOKIE, LASTS, EndedHere, Sessions
from records.stores import StoreError
from tests.answers import Json, ask, said
from tests.cases import in_one_test
from tests.inspector.test_access import BACKENDS, JSON, OWNED, STORE, bearer
from tests.records.recorded import Recorded, Said, recorded, until
from tests.servers import How, ScriptedBackend, proxy_process

__all__ = ["recorded"]

LOGIN, LOGOUT = "/dragoman/login", "/dragoman/logout"
OWNER, ALICE, BOB = "sk-of-the-owner", "sk-of-alice", "sk-of-bob"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ORIGIN = {"Origin": "http://localhost"}


def client_of(**environ: str) -> FlaskClient:
    """A browser of its own, which nobody has seen yet."""
    STORE.forgotten.clear()
    settings_ = {"BACKEND_URL": "http://127.0.0.1:9", "RECORD": "off", **(environ or OWNED)}
    return create_app(Config.from_environment(settings_), learned=STORE).test_client()


def logged_in(client: FlaskClient, key: str, **more: Any) -> TestResponse:
    headers = {**ORIGIN, **more.pop("headers", {})}
    return client.post(LOGIN, data={"key": key, **more}, headers=headers)


def token_of(client: FlaskClient, key: str = OWNER) -> str:
    """Logs in; the token that changes need."""
    response = logged_in(client, key)
    assert response.status_code == 200, response.get_data()
    found: str = response.get_json()["csrf_token"]
    return found


def cookie_of(response: TestResponse) -> Any:
    return SimpleCookie(response.headers["Set-Cookie"])[COOKIE]


# -- with keys a browser logs in by POST -------------------------------------------------------------------------------


@in_one_test(("key", "name", "may_change"), [(OWNER, None, True), (ALICE, "alice", False), (f" {BOB}\n", "bob", False)])
def test_a_key_logs_in_and_is_who_it_is(key: str, name: str | None, may_change: bool) -> None:
    with client_of() as client:
        token = token_of(client, key)
        assert client.get(BACKENDS).status_code == 200
        assert (g.viewer.key_name, g.viewer.may_change, g.viewer.csrf_token) == (name, may_change, token)


def test_a_browser_is_led_to_the_page_that_it_asked_for() -> None:
    client = client_of()
    page = client.get("/dragoman/api?x=1", headers=BROWSER)
    page = client.get("/dragoman/?q=model:glm*", headers=BROWSER)
    assert page.status_code == 401 and page.content_type.startswith("text/html")
    text = page.get_data(as_text=True)
    assert 'name="next" value="/dragoman/?q=model:glm*"' in text and 'type="password"' in text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"] and "WWW-Authenticate" not in page.headers
    response = logged_in(client, OWNER, headers=BROWSER, next="/dragoman/?q=model:glm*")
    assert (response.status_code, response.headers["Location"]) == (303, "/dragoman/?q=model:glm*")
    assert client.get(LOGIN, headers=BROWSER).headers["Location"] == "/dragoman/"


FORMS = ["/dragoman", "/dragoman/", "/dragoman/nothing", "/dragoman/records/x", LOGIN]
NO_FORMS = [BACKENDS, "/dragoman/api/records", "/dragoman/api", "/metrics", "/metrics/"]


@in_one_test("path", FORMS)
@in_one_test("method", ["GET", "HEAD"])
def test_a_page_without_login_is_a_401_with_the_form(path: str, method: str) -> None:
    response = client_of().open(path, method=method, headers=BROWSER)
    assert response.status_code == 401 and response.content_type.startswith("text/html")
    assert response.headers["Cache-Control"] == "no-store"
    assert (b'action="/dragoman/login"' in response.get_data()) == (method == "GET")


@in_one_test(
    ("path", "accept"),
    [*((path, BROWSER["Accept"]) for path in NO_FORMS), *((path, "application/json") for path in FORMS)]
    + [(path, "*/*") for path in FORMS],
)
def test_the_api_without_login_is_a_401_in_json(path: str, accept: str) -> None:
    response = client_of().get(path, headers={"Accept": accept})
    assert response.status_code == 401 and response.get_json()["error"]["code"] == "invalid_api_key"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_where_the_inspector_is_off_there_is_no_form() -> None:
    client = client_of(INSPECTOR="off", **OWNED)
    assert client.get("/dragoman/", headers=BROWSER).content_type == "application/json"
    assert logged_in(client, OWNER).status_code == 401


def test_without_keys_nobody_needs_to_log_in() -> None:
    client = client_of(RECORD="off")
    assert client.post(LOGIN, data={"key": "x"}).status_code == 415
    assert client.post(LOGIN, data="{}", headers=JSON).status_code == 404
    assert client.get(LOGIN).status_code == 303


# -- cookie HttpOnly, SameSite=Strict ----------------------------------------------------------------------------------


def test_the_cookie_is_kept_from_scripts_and_from_other_sites() -> None:
    cookie = cookie_of(logged_in(client_of(), OWNER))
    assert cookie["httponly"] and cookie["samesite"] == "Strict" and cookie["path"] == "/dragoman"
    assert int(cookie["max-age"]) == LASTS and not cookie["secure"] and not cookie["domain"]


@in_one_test(
    "request", [{"base_url": "https://localhost"}, {"headers": {**ORIGIN, "X-Forwarded-Proto": "https, http"}}]
)
def test_over_tls_the_cookie_is_secure(request: Json) -> None:
    headers = {"headers": {"Origin": "https://localhost"}} | request
    assert cookie_of(client_of().post(LOGIN, data={"key": OWNER}, **headers))["secure"]


def test_the_key_is_in_neither_the_cookie_nor_the_answer() -> None:
    for key in (OWNER, ALICE):
        response = logged_in(client_of(), key, headers=BROWSER)
        told = response.get_data() + str(response.headers).encode()
        assert key.encode() not in told and key.removeprefix("sk-").encode() not in told


def test_two_logins_are_two_sessions() -> None:
    client = client_of()
    cookies = {cookie_of(logged_in(client, OWNER)).value for _ in range(3)}
    assert len(cookies) == 3


# -- several workers; expiry; a changed key; logout --------------------------------------------------------------------


def test_another_worker_knows_the_session() -> None:
    cookie = cookie_of(logged_in(client_of(), ALICE)).value
    other = client_of()
    other.set_cookie(COOKIE, cookie, path="/dragoman")
    assert other.get(BACKENDS).status_code == 200


def test_a_changed_key_ends_its_sessions_and_no_others() -> None:
    client = client_of()
    alices, owners = cookie_of(logged_in(client, ALICE)).value, cookie_of(logged_in(client, OWNER)).value
    for environ, of_alice, of_owner in [
        ({"PROXY_API_KEYS": "alice:sk-new,bob:sk-of-bob", "INSPECTOR_KEY": OWNER}, 401, 200),
        ({"PROXY_API_KEYS": "alice:sk-of-alice", "INSPECTOR_KEY": "sk-new"}, 200, 401),
        ({"PROXY_API_KEYS": "eve:sk-of-alice", "INSPECTOR_KEY": OWNER}, 401, 200),
        ({"INSPECTOR_KEY": OWNER}, 401, 200),
    ]:
        other = client_of(**environ)
        found = []
        for cookie in (alices, owners):
            other.set_cookie(COOKIE, cookie, path="/dragoman")
            found.append(other.get(BACKENDS).status_code)
        assert found == [of_alice, of_owner], environ


def test_a_session_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of()
    token_of(client)
    assert client.get(BACKENDS).status_code == 200
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + LASTS + 5)
    assert client.get(BACKENDS).status_code == 401


def test_a_logout_ends_the_session_and_not_only_the_cookie() -> None:
    client = client_of()
    token = token_of(client)
    cookie = client.get_cookie(COOKIE, path="/dragoman")
    assert cookie is not None
    assert client.post(LOGOUT, headers=ORIGIN).status_code == 403  # no token, no logout
    response = client.post(LOGOUT, headers={**ORIGIN, "X-CSRF-Token": token})
    assert response.status_code == 200 and cookie_of(response)["max-age"] == "0"
    assert client.get_cookie(COOKIE, path="/dragoman") is None
    client.set_cookie(COOKIE, cookie.value, path="/dragoman")
    assert client.get(BACKENDS).status_code == 401


def test_a_logout_counts_for_every_worker_that_shares_the_records(
    tmp_path: Path, recorded: Callable[..., Recorded]
) -> None:
    workers = [recorded(RECORD_DB=f"sqlite:///{tmp_path / 'r.sqlite'}", **OWNED) for _ in range(2)]
    token = token_of(workers[0].client)
    cookie = workers[0].client.get_cookie(COOKIE, path="/dragoman")
    assert cookie is not None
    workers[1].client.set_cookie(COOKIE, cookie.value, path="/dragoman")
    assert workers[1].client.get(BACKENDS).status_code == 200
    workers[1].client.post(LOGOUT, headers={**ORIGIN, "X-CSRF-Token": token})
    assert workers[0].client.get(BACKENDS).status_code == 401


def test_where_nobody_can_say_whether_a_session_ended_it_does_not_count(
    tmp_path: Path, recorded: Callable[..., Recorded], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = recorded(RECORD_DB=f"sqlite:///{tmp_path / 'r.sqlite'}", **OWNED)
    token_of(worker.client)

    def gone(*_: object) -> bool:
        raise StoreError("gone")

    monkeypatch.setattr("records.sql.SqlStore.has_ended", gone)
    assert worker.client.get(BACKENDS).get_json()["error"]["code"] == "records_unavailable"


def test_ended_sessions_are_forgotten_in_time(tmp_path: Path, recorded: Callable[..., Recorded]) -> None:
    store = recorded(RECORD_DB=f"sqlite:///{tmp_path / 'r.sqlite'}").app.extensions["records"].store
    store.end_session("old", 10, 0)
    store.end_session("new", 30, 20)
    store.end_session("new", 30, 20)
    assert [store.has_ended(name) for name in ("old", "new", "none")] == [False, True, False]
    here = EndedHere()
    for number in range(10_001):
        here.end_session(str(number), 0, 0)
    assert not here.has_ended("0") and here.has_ended("10000")


@given(cookie=strategies.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_no_other_cookie_is_a_session(cookie: str) -> None:
    sessions = Sessions(Config.from_environment(OWNED), EndedHere())
    assert sessions.read(cookie) is None


def test_a_cookie_that_was_touched_is_no_session() -> None:
    sessions = Sessions(Config.from_environment(OWNED), EndedHere())
    cookie = sessions.begin("alice", ALICE)
    assert sessions.read(cookie) is not None
    for place in range(len(cookie)):
        other = "A" if cookie[place] != "A" else "B"
        touched = cookie[:place] + other + cookie[place + 1 :]
        # the last letter of a signature holds bits that mean nothing
        assert sessions.read(touched) is None or place == len(cookie) - 1
    assert sessions.read("a" * 2000) is None
    forged = Sessions(Config(inspector_key="guess"), EndedHere()).begin(None, "guess")
    assert sessions.read(forged) is None


# -- writes need a CSRF token; a key in Authorization needs no cookie and no token -------------------------------------


@in_one_test("given", [{"X-CSRF-Token": "token"}, {}])
@in_one_test("method", ["DELETE", "POST", "PUT", "PATCH"])
def test_a_change_with_the_cookie_needs_the_token(given: dict[str, str], method: str) -> None:
    client = client_of()
    token = token_of(client)
    path = BACKENDS if method == "DELETE" else LOGOUT
    if method in ("PUT", "PATCH"):
        return
    headers = {**ORIGIN, **({"X-CSRF-Token": token} if given else {})}
    response = client.open(path, method=method, headers=headers)
    assert response.status_code == (200 if given else 403)
    assert STORE.forgotten == ([None] if given and method == "DELETE" else [])


@in_one_test("wrong", ["", "x", "é", "0" * 40])
def test_a_wrong_token_is_none(wrong: str) -> None:
    client = client_of()
    token_of(client)
    headers = {**ORIGIN, "X-CSRF-Token": wrong.encode().decode("latin-1")}
    response = client.delete(BACKENDS, headers=headers)
    assert (response.status_code, response.get_json()["error"]["code"]) == (403, "forbidden")
    assert client.post(LOGOUT, data={"csrf_token": wrong}, headers=ORIGIN).status_code == 403


def test_the_token_of_another_session_is_none() -> None:
    client = client_of()
    old = token_of(client)
    assert token_of(client) != old
    assert client.delete(BACKENDS, headers={**ORIGIN, "X-CSRF-Token": old}).status_code == 403


def test_a_form_may_bring_the_token_as_a_field() -> None:
    client = client_of()
    token = token_of(client)
    response = client.post(LOGOUT, data={"csrf_token": token}, headers={**ORIGIN, **BROWSER})
    assert (response.status_code, response.headers["Location"]) == (303, "/dragoman/")


def test_reading_needs_no_token() -> None:
    client = client_of()
    token_of(client)
    for method in ("GET", "HEAD", "OPTIONS"):
        assert client.open(BACKENDS, method=method).status_code == 200


def test_a_key_in_a_header_needs_neither() -> None:
    client = client_of()
    assert client.delete(BACKENDS, headers=bearer(OWNER)).status_code == 200
    token_of(client, ALICE)  # the cookie of another does not matter
    assert client.delete(BACKENDS, headers=bearer(OWNER)).status_code == 200
    assert client.get(BACKENDS, headers=bearer("wrong")).status_code == 401  # nor does it help


def test_a_login_of_a_client_may_not_forget() -> None:
    client = client_of()
    token = token_of(client, ALICE)
    assert client.delete(BACKENDS, headers={**ORIGIN, "X-CSRF-Token": token}).status_code == 403
    assert not STORE.forgotten


@in_one_test(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", **ORIGIN},
    ],
)
def test_a_page_of_another_origin_logs_nobody_in_or_out(headers: dict[str, str]) -> None:
    client = client_of()
    assert client.post(LOGIN, data={"key": OWNER}, headers=headers).status_code == 403
    token = token_of(client)
    assert client.post(LOGOUT, headers={**headers, "X-CSRF-Token": token}).status_code == 403
    assert client.delete(BACKENDS, headers={**headers, "X-CSRF-Token": token}).status_code == 403


def test_a_rebound_host_logs_nobody_in() -> None:
    response = client_of().post(LOGIN, data={"key": OWNER}, headers={"Host": "evil.example"})
    assert response.status_code == 421 and "Set-Cookie" not in response.headers


# -- no key in a URL ---------------------------------------------------------------------------------------------------


@in_one_test("query", [f"key={OWNER}", f"api_key={OWNER}", f"access_token={OWNER}", f"{COOKIE}={OWNER}"])
def test_no_key_in_a_url_opens_anything(query: str) -> None:
    client = client_of()
    for path in (BACKENDS, "/dragoman/", LOGIN):
        assert client.get(f"{path}?{query}").status_code == 401
        assert client.get(f"{path}?{query}", headers=BROWSER).status_code == 401
    response = client.post(f"{LOGIN}?{query}", headers=ORIGIN)
    assert response.status_code == 401 and "Set-Cookie" not in response.headers


@in_one_test(
    ("given", "path"),
    [
        ("/dragoman/records/1?q=a%20b", "/dragoman/records/1?q=a%20b"),
        ("/dragoman", "/dragoman"),
        ("//evil.example", "/dragoman/"),
        ("https://evil.example/dragoman/", "/dragoman/"),
        ("/dragoman//evil.example", "/dragoman/"),
        ("/dragoman/\\evil", "/dragoman/"),
        ("/dragoman/\r\nX: y", "/dragoman/"),
        ("/dragoman.evil/", "/dragoman/"),
        ("/v1/models", "/dragoman/"),
        ("/dragoman/login", "/dragoman/"),
        ("/dragoman/logout", "/dragoman/"),
        ("/dragoman/" + "a" * 3000, "/dragoman/"),
        ("", "/dragoman/"),
    ],
)
def test_a_login_leads_to_a_page_of_ours_only(given: str, path: str) -> None:
    assert _own_path(given) == path


# -- wrong logins ------------------------------------------------------------------------------------------------------


def test_a_wrong_key_is_a_401() -> None:
    client = client_of()
    assert logged_in(client, "wrong").get_json()["error"]["code"] == "invalid_api_key"
    page = logged_in(client, "wrong", headers=BROWSER, next='/dragoman/"><script>')
    text = page.get_data(as_text=True)
    assert page.status_code == 401 and "none of the keys" in text and "<script>" not in text
    for data in ({}, {"key": ""}, {"Key": OWNER}, {"key": "é\ud800".encode("utf-8", "surrogatepass")}):
        assert client_of().post(LOGIN, data=data, headers=ORIGIN).status_code == 401
    assert client_of().post(LOGIN, json={"key": OWNER}, headers=ORIGIN).status_code == 401
    assert client_of().post(LOGIN, data={"key": "x" * 20_000}, headers=ORIGIN).status_code == 413


def from_address(client: FlaskClient, address: str, key: str) -> int:
    environ = {"REMOTE_ADDR": address}
    return client.post(LOGIN, data={"key": key}, headers=ORIGIN, environ_overrides=environ).status_code


def test_who_guesses_is_slowed_down_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    client = client_of()
    found = [from_address(client, "192.0.2.1", f"guess-{number}") for number in range(8)]
    assert found == [401] * attempts.AT_ONCE + [429] * 3
    assert from_address(client, "192.0.2.1", OWNER) == 429  # it learns nothing
    assert from_address(client, "192.0.2.2", OWNER) == 200
    assert client.get(BACKENDS, headers=bearer(OWNER)).status_code == 200
    now[0] += attempts.EVERY
    assert from_address(client, "192.0.2.1", OWNER) == 200
    assert [from_address(client, "192.0.2.1", "wrong") for _ in range(6)] == [401] * 5 + [429]


def test_so_many_addresses_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = attempts.Attempts()
    for number in range(5000):
        assert counted.take(f"2001:db8::{number:x}")
    assert len(counted._left) == 4096


@in_one_test(
    ("peer", "told", "address"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),  # it could tell anything
        ("127.0.0.1", "203.0.113.1, 198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("", None, ""),
    ],
)
def test_whose_guesses_are_counted(peer: str, told: str | None, address: str) -> None:
    app = client_of().application
    headers = {} if told is None else {"X-Forwarded-For": told}
    with app.test_request_context(LOGIN, headers=headers, environ_overrides={"REMOTE_ADDR": peer}) as context:
        assert attempts.address_of(context.request) == address


# -- a key sees its own, whatever it asks for --------------------------------------------------------------------------


@pytest.fixture
def shared(recorded: Callable[..., Recorded]) -> Iterator[Recorded]:
    """Two clients have asked something."""
    proxy = recorded(**OWNED)
    for key, model in ((ALICE, "of-alice"), (BOB, "of-bob")):
        proxy.ask(
            ask(model=model, messages=[{"role": "user", "content": f"secret {model}"}]), Said(said("Hi.")), key=key
        )
    until(lambda: len(proxy.listed("", OWNER)) == 2 or None)
    yield proxy


def test_a_login_sees_its_own_records_everywhere(shared: Recorded) -> None:
    others = {each["model"]: each["id"] for each in shared.listed("", OWNER)}
    token = token_of(shared.client, BOB)
    for path in ("records", "records?q=alice", "records/export?texts=1", "usage", "overview", "records?key=alice"):
        answer = shared.client.get(f"/dragoman/api/{path}")
        assert answer.status_code == 200 and "of-alice" not in answer.get_data(as_text=True), path
    for path in ("", "/curl", "/corpus"):
        assert shared.client.get(f"/dragoman/api/records/{others['of-alice']}{path}").status_code == 404
        assert shared.client.get(f"/dragoman/api/records/{others['of-bob']}{path}").status_code == 200
    for model in others:
        headers = {**ORIGIN, "X-CSRF-Token": token}
        assert shared.client.post(f"/dragoman/api/records/{others[model]}/replay", headers=headers).status_code == 403


def test_the_owner_sees_all(shared: Recorded) -> None:
    token_of(shared.client, OWNER)
    for path in ("records", "records/export?texts=1", "usage", "overview"):
        text = shared.client.get(f"/dragoman/api/{path}").get_data(as_text=True)
        assert "alice" in text and "bob" in text, path


# -- over the network --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["app", "gunicorn"])
def test_a_browser_over_the_network(how: How) -> None:
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    with ScriptedBackend() as backend, proxy_process(how, backend, **OWNED) as proxy:
        with proxy.get("/dragoman/", [("Accept", "text/html")]) as client:
            assert client.status == 401 and b"<form" in client.rest()
        with proxy.client(f"key={OWNER}".encode(), LOGIN, headers=[*form, ("Origin", proxy.url)]) as client:
            assert client.status == 200
            token, cookie = client.json()["csrf_token"], (client.header("set-cookie") or "").partition(";")[0]
        with proxy.get(BACKENDS, [("Cookie", cookie)]) as client:
            assert client.status == 200
        with proxy.get(BACKENDS, [("Cookie", cookie)], "DELETE") as client:
            assert client.status == 403
        headers = [("Cookie", cookie), ("X-CSRF-Token", token)]
        with proxy.client(b"", LOGOUT, headers=[*form, *headers]) as client:
            assert client.status == 200
        with proxy.get(BACKENDS, [("Cookie", cookie)]) as client:
            assert client.status == 401
        assert not re.search("sk-of|dragoman_session", proxy.said())
