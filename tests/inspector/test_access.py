"""CONTRACT 12, *Who may look*: each of its sentences, at routes that exist and at paths that do not."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from hypothesis import given, settings, strategies
from werkzeug.test import TestResponse

from app import create_app
from backends.learned import Learned
from config import Config
from inspector.access import _is_ours
from tests.cases import in_one_test
from tests.servers import HOST, How, ScriptedBackend, proxy_process

BACKENDS = "/dragoman/api/backends"
PRIVATE = (BACKENDS, f"{BACKENDS}/", "/dragoman/", "/dragoman", "/dragoman/api/nothing", "/metrics", "/metrics/")
JSON = {"Content-Type": "application/json"}
KEYS = {"PROXY_API_KEYS": "alice:sk-of-alice,bob:sk-of-bob"}
OWNED = {**KEYS, "INSPECTOR_KEY": "sk-of-the-owner"}
REMOTE = {"REMOTE_ADDR": "192.168.1.9"}


class Store(Learned):
    """Says what was asked of it."""

    def __init__(self) -> None:
        super().__init__("http://b", hours=1)
        self.forgotten: list[str | None] = []

    def entries(self) -> list[Mapping[str, object]]:
        return [{"backend": "http://b", "model": "m", "fact": "system_first", "because": "400"}]

    def forget(self, model: str | None = None) -> int:
        self.forgotten.append(model)
        return 1


STORE = Store()


@cache
def app_of(environ: tuple[tuple[str, str], ...]) -> Flask:
    return create_app(Config.from_environment({"BACKEND_URL": "http://127.0.0.1:9", **dict(environ)}), learned=STORE)


def client_of(**environ: str) -> FlaskClient:
    """A client of an application with these settings; STORE has forgotten nothing yet."""
    STORE.forgotten.clear()
    return app_of(tuple(environ.items())).test_client()


def asked(client: FlaskClient, path: str = BACKENDS, method: str = "GET", **more: Any) -> TestResponse:
    response = client.open(path, method=method, **more)
    assert not [name for name, _ in response.headers if name.lower().startswith("access-control-")]
    return response


def error_of(response: TestResponse) -> tuple[int, str]:
    assert response.content_type == "application/json"
    return response.status_code, response.get_json()["error"]["code"]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


# -- never send CORS headers -------------------------------------------------------------------------------------------


@in_one_test("path", PRIVATE)
@in_one_test("method", ["GET", "HEAD", "OPTIONS", "DELETE", "POST"])
@in_one_test(
    "origin", ["http://localhost", "http://localhost:3000", "https://app.example", "http://127.0.0.1:5000", "null"]
)
@in_one_test("environ", [{}, {"CORS_ORIGINS": "*"}, {"CORS_ORIGINS": "https://app.example", **OWNED}])
def test_no_cors_header_is_ever_sent(path: str, method: str, origin: str, environ: dict[str, str]) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "DELETE", **bearer("sk-of-the-owner"), **JSON}
    asked(client_of(**environ), path, method, headers=headers)  # looks for them itself


def test_elsewhere_they_are_sent() -> None:
    response = client_of().open("/health", headers={"Origin": "http://localhost:3000"})
    assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


@in_one_test("path", PRIVATE)
def test_no_cache_keeps_an_answer_and_no_page_of_others_embeds_it(path: str) -> None:
    headers = asked(client_of(), path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


# -- refuse a Host that is neither loopback nor in INSPECTOR_HOSTS (421) -----------------------------------------------

LOOPBACK = ["localhost", "LOCALHOST:5000", "127.0.0.1", "127.0.0.1:5000", "127.9.9.9", "[::1]", "[::1]:5000"]
LOOPBACK += ["[0:0::1]", "[::ffff:127.0.0.1]:1"]
REBOUND = [
    "evil.example",
    "evil.example:5000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "localhost@evil.example",
]
REBOUND += ["evil.example@localhost", "192.168.1.5:5000", "0.0.0.0:5000", "[::]", "[fe80::1]", "[::1", "localhost:", ""]
REBOUND += ["localhost,evil.example", "localhost evil.example", "localhost/", "localhost:5000:1", "2130706433", "127.1"]
REBOUND += ["box.lan", "::1", "[localhost]", "evillocalhost", "localhost.", "ｌocalhost", "localhost\t", "_"]


@in_one_test("host", LOOPBACK)
@in_one_test("path", PRIVATE)
def test_a_loopback_host_is_known(host: str, path: str) -> None:
    assert asked(client_of(), path, headers={"Host": host}).status_code in (200, 404)


@in_one_test("host", REBOUND)
@in_one_test("path", PRIVATE)
@in_one_test("method", ["GET", "HEAD", "OPTIONS", "DELETE"])
@in_one_test("environ", [{}, OWNED, {"INSPECTOR_HOSTS": "other.lan"}])
def test_a_rebound_host_is_refused_before_anything_else(
    host: str, path: str, method: str, environ: dict[str, str]
) -> None:
    """DNS rebinding: the attacker's own name leads to this machine, so all of its page's requests are of one origin."""
    headers = {**JSON, "Origin": f"http://{host}".encode().decode("latin-1"), **bearer("sk-of-the-owner")}
    host = host.encode().decode("latin-1")
    response = asked(client_of(**environ), path, method, headers=headers, environ_overrides={"HTTP_HOST": host})
    assert response.status_code == 421
    assert method == "HEAD" or error_of(response) == (421, "misdirected_request")
    assert not STORE.forgotten


@in_one_test("host", ["box.lan", "BOX.lan:80", "10.0.0.7:5000", "[2001:db8::1]:5000", "[2001:DB8:0:0::1]"])
def test_hosts_of_the_settings_are_known(host: str) -> None:
    client = client_of(INSPECTOR_HOSTS="Box.lan,10.0.0.7,[2001:db8::1]")
    assert asked(client, headers={"Host": host}).status_code == 200
    assert error_of(asked(client, headers={"Host": "other.lan"})) == (421, "misdirected_request")
    assert asked(client, headers={"Host": "localhost"}).status_code == 200


def test_other_paths_do_not_look_at_the_host() -> None:
    assert client_of().get("/health", headers={"Host": "evil.example"}).status_code == 200


@given(
    host=strategies.one_of(strategies.text(max_size=30), strategies.from_regex(r"[\[\]:.a-z0-9@%]*", fullmatch=True))
)
@settings(max_examples=300, deadline=None)
def test_any_host_is_known_or_not_and_never_an_error(host: str) -> None:
    known = _is_ours(host, ("box.lan",))
    assert not known or host.lower().startswith(("localhost", "127.", "[", "box.lan"))


# -- without keys they answer only loopback peers without Forwarded/X-Forwarded-* --------------------------------------

NEAR = ["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"]
FAR = [
    "192.168.1.9",
    "172.17.0.1",
    "::ffff:10.0.0.1",
    "2001:db8::7",
    "fe80::1%eth0",
    "0.0.0.0",
    "::",
    "",
    "<local>",
    "x",
]
FORWARDED = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "x-forwarded-anything"]
FORWARDED += ["X-Real-IP", "Via"]


@in_one_test("peer", NEAR)
@in_one_test("path", PRIVATE)
def test_without_keys_this_machine_is_answered(peer: str, path: str) -> None:
    assert asked(client_of(), path, environ_overrides={"REMOTE_ADDR": peer}).status_code in (200, 404)


@in_one_test("peer", FAR)
@in_one_test("path", PRIVATE)
@in_one_test("method", ["GET", "OPTIONS", "DELETE", "POST"])
def test_without_keys_no_other_machine_is_answered(peer: str, path: str, method: str) -> None:
    response = asked(client_of(), path, method, headers=JSON, environ_overrides={"REMOTE_ADDR": peer})
    assert error_of(response) == (403, "forbidden") and not STORE.forgotten


@in_one_test("name", FORWARDED)
@in_one_test("value", ["127.0.0.1", "for=127.0.0.1", "", "unknown"])
@in_one_test("path", PRIVATE)
def test_without_keys_what_somebody_forwarded_is_not_answered(name: str, value: str, path: str) -> None:
    assert error_of(asked(client_of(), path, headers={name: value})) == (403, "forbidden")


def test_keys_that_are_none_of_ours_open_nothing() -> None:
    response = asked(client_of(), headers=bearer("anything"), environ_overrides=REMOTE)
    assert error_of(response) == (403, "forbidden")


# -- such a peer may do everything; a write needs application/json and no foreign Origin -------------------------------


@in_one_test("origin", [None, "http://localhost", "HTTP://LOCALHOST", "https://localhost"])
@in_one_test("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_without_keys_this_machine_may_change_things(origin: str | None, kind: str) -> None:
    headers = {"Content-Type": kind} | ({} if origin is None else {"Origin": origin})
    response = asked(client_of(), f"{BACKENDS}?model=m", "DELETE", headers=headers)
    assert (response.status_code, response.get_json(), STORE.forgotten) == (200, {"forgotten": 1}, ["m"])


@in_one_test("kind", [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_change_by_what_a_form_can_send_is_refused(kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    response = asked(client_of(), method="DELETE", headers=headers)
    assert error_of(response) == (415, "unsupported_media_type") and not STORE.forgotten


FOREIGN = ["https://evil.example", "http://localhost:3000", "http://127.0.0.1", "null", "", "http://[", "localhost"]
FOREIGN += ["http://localhost.evil.example", "http://evil@localhost", "file://localhost", "http://localhost, http://x"]


@in_one_test("origin", FOREIGN)
@in_one_test(("environ", "key"), [({}, {}), (OWNED, bearer("sk-of-the-owner"))], ids=["no keys", "keys"])
def test_a_change_by_a_page_of_another_origin_is_refused(
    origin: str, environ: dict[str, str], key: dict[str, str]
) -> None:
    headers = {**JSON, "Origin": origin, **key}
    assert error_of(asked(client_of(**environ), method="DELETE", headers=headers)) == (403, "forbidden")
    assert not STORE.forgotten


def test_reading_needs_neither() -> None:
    assert asked(client_of(), headers={"Origin": "https://evil.example"}).status_code == 200


@in_one_test(("path", "status"), [("/dragoman/nothing", 404), (BACKENDS, 405)])
def test_a_change_of_what_is_not_there_is_no_change(path: str, status: int) -> None:
    assert asked(client_of(), path, "POST").status_code == status


# -- a key in Authorization needs no cookie and no CSRF token; no key in a URL -----------------------------------------


@in_one_test("headers", [bearer("sk-of-the-owner"), {"x-api-key": "sk-of-the-owner"}])
def test_a_key_alone_is_enough_from_anywhere(headers: dict[str, str]) -> None:
    client = client_of(**OWNED)
    headers = {**headers, "X-Forwarded-For": "203.0.113.9"}
    assert asked(client, headers=headers, environ_overrides=REMOTE).status_code == 200
    assert asked(client, method="DELETE", headers=headers, environ_overrides=REMOTE).status_code == 200
    assert STORE.forgotten == [None]


@in_one_test("environ", [KEYS, OWNED, {"INSPECTOR_KEY": "sk-of-the-owner"}])
@in_one_test("headers", [{}, bearer("wrong"), {"x-api-key": "alice"}, {"Cookie": "key=sk-of-the-owner"}])
@in_one_test("path", [*PRIVATE, f"{BACKENDS}?key=sk-of-the-owner", f"{BACKENDS}?api_key=sk-of-alice"])
@in_one_test("method", ["GET", "DELETE", "OPTIONS"])
def test_where_keys_are_set_this_machine_needs_one_too(
    environ: dict[str, str], headers: dict[str, str], path: str, method: str
) -> None:
    response = asked(client_of(**environ), path, method, headers={**headers, **JSON})
    assert error_of(response) == (401, "invalid_api_key") and not STORE.forgotten
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert "sk-" not in response.get_data(as_text=True)


# -- a key sees its own; INSPECTOR_KEY sees all, and alone may play again or forget ------------------------------------


@in_one_test(
    ("environ", "headers", "name", "may_change"),
    [
        ({}, {}, None, True),
        (KEYS, bearer("sk-of-alice"), "alice", False),
        (OWNED, {"x-api-key": "sk-of-bob"}, "bob", False),
        (OWNED, bearer("sk-of-the-owner"), None, True),
        (OWNED, {**bearer("sk-of-alice"), "x-api-key": "sk-of-the-owner"}, None, True),
        ({"INSPECTOR_KEY": "k"}, bearer("k"), None, True),
        ({"INSPECTOR_KEY": "k", "PROXY_API_KEYS": "alice:k"}, bearer("k"), None, True),
    ],
)
def test_who_looks(environ: dict[str, str], headers: dict[str, str], name: str | None, may_change: bool) -> None:
    with client_of(**environ) as client:
        assert client.get(BACKENDS, headers=headers).status_code == 200
        assert (g.viewer.key_name, g.viewer.may_change) == (name, may_change)


@in_one_test("environ", [KEYS, OWNED])
def test_a_key_of_a_client_may_look_but_not_forget(environ: dict[str, str]) -> None:
    client = client_of(**environ)
    assert asked(client, headers=bearer("sk-of-alice")).get_json() == {"backends": STORE.entries()}
    response = asked(client, method="DELETE", headers={**bearer("sk-of-alice"), **JSON})
    assert error_of(response) == (403, "forbidden") and not STORE.forgotten


def test_the_key_of_the_inspector_is_no_key_of_a_client() -> None:
    response = client_of(**OWNED).get("/v1/models", headers=bearer("sk-of-the-owner"))
    assert error_of(response) == (401, "invalid_api_key")


# -- INSPECTOR=off -----------------------------------------------------------------------------------------------------


@in_one_test("method", ["GET", "DELETE"])
def test_it_can_be_off(method: str) -> None:
    client = client_of(INSPECTOR="off")
    assert asked(client, method=method, headers=JSON).status_code == 404
    assert "inspector" not in client.get("/").get_json() and not STORE.forgotten


# -- over real sockets, in both ways of serving ------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["app", "gunicorn"])
def served(request: pytest.FixtureRequest) -> Iterator[Any]:
    how: How = request.param
    with ScriptedBackend() as backend, proxy_process(how, backend, CORS_ORIGINS="*") as proxy:
        yield proxy


@in_one_test(
    ("headers", "method", "status"),
    [
        ([], "GET", 200),
        ([], "HEAD", 200),
        ([("Host", "evil.example")], "GET", 421),
        ([("Host", "localhost"), ("X-Forwarded-For", "127.0.0.1")], "GET", 403),
        ([("X_Forwarded_For", "127.0.0.1")], "GET", 200),  # both servers drop names with an underscore
        ([("Forwarded", "for=127.0.0.1")], "GET", 403),
        ([], "DELETE", 415),
        ([("Content-Type", "application/json")], "DELETE", 200),
        ([("Content-Type", "application/json"), ("Origin", "https://evil.example")], "DELETE", 403),
        ([("Content-Type", "application/json"), ("Origin", "https://evil.example")], "OPTIONS", 200),
    ],
)
def test_the_same_over_the_network(served: Any, headers: list[tuple[str, str]], method: str, status: int) -> None:
    with served.get(BACKENDS, headers, method) as client:
        client.rest()
        assert client.status == status
        assert not [name for name, _ in client.response.getheaders() if name.lower().startswith("access-control-")]


def test_no_host_at_all_is_refused(served: Any) -> None:
    with socket.create_connection((HOST, served.port), 5) as sock:
        sock.sendall(f"GET {BACKENDS} HTTP/1.0\r\n\r\n".encode())
        assert b" 421 " in sock.makefile("rb").readline()
