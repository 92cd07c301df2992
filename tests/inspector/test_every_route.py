"""Who may look, at every route that there is under `/dragoman/`: whoever adds one adds a case."""

from __future__ import annotations

from functools import cache

from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from config import Config
from tests.cases import in_one_test
from tests.inspector.test_access import OWNED, bearer

OPEN = {("/dragoman/login", "POST"), ("/dragoman/static/x", "GET"), ("/dragoman/static/x", "HEAD")}
"""What a login needs."""


@cache
def app_of(has_keys: bool) -> Flask:
    environ = {
        "BACKEND_URL": "http://127.0.0.1:9",
        "RECORD": "full",
        "CORS_ORIGINS": "*",
        **(OWNED if has_keys else {}),
    }
    return create_app(Config.from_environment(environ))


def routes() -> list[tuple[str, str]]:
    rules = [rule for rule in app_of(True).url_map.iter_rules() if rule.rule.startswith("/dragoman")]
    return sorted(
        (rule.rule.replace("<name>", "x").replace("<path:filename>", "x"), method)
        for rule in rules
        for method in rule.methods or ()
    )


ROUTES = routes()


def ask(has_keys: bool, path: str, method: str, headers: dict[str, str], peer: str = "127.0.0.1") -> TestResponse:
    client = app_of(has_keys).test_client()
    response = client.open(path, method=method, headers=headers, environ_overrides={"REMOTE_ADDR": peer})
    response.close()
    assert not [name for name, _ in response.headers if name.lower().startswith("access-control-")]
    assert response.headers["Cache-Control"] == "no-store" or path.startswith("/dragoman/static/")
    return response


def test_all_of_them_are_here() -> None:
    for path in (
        "records",
        "records/x",
        "records/x/curl",
        "records/x/replay",
        "events",
        "overview",
        "usage",
        "explain",
    ):
        assert any(each == f"/dragoman/api/{path}" for each, _ in ROUTES), path
    assert {method for _, method in ROUTES} >= {"GET", "HEAD", "OPTIONS", "POST", "DELETE"}


@in_one_test(("path", "method"), ROUTES)
@in_one_test("has_keys", [True, False])
def test_a_rebound_host_is_refused(path: str, method: str, has_keys: bool) -> None:
    headers = {"Host": "evil.example", "Origin": "http://evil.example", **bearer("sk-of-the-owner")}
    assert ask(has_keys, path, method, headers).status_code == 421


@in_one_test(("path", "method"), ROUTES)
def test_without_a_key_or_a_login_nothing_is_told(path: str, method: str) -> None:
    for headers in ({}, bearer("wrong"), {"Cookie": "dragoman_session=x"}, {"Origin": "https://evil.example"}):
        response = ask(True, f"{path}?key=sk-of-the-owner", method, headers)
        if (path, method) in OPEN:
            assert response.status_code in (200, 401, 403, 404)
        else:
            assert response.status_code == 401, headers


@in_one_test(("path", "method"), ROUTES)
def test_without_keys_only_this_machine_is_answered(path: str, method: str) -> None:
    for headers, peer in (({}, "192.168.1.9"), ({"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1"), ({"Via": "x"}, "::1")):
        assert ask(False, path, method, headers, peer).status_code == 403, (headers, peer)


@in_one_test(("path", "method"), [each for each in ROUTES if each[1] not in ("GET", "HEAD", "OPTIONS")])
def test_no_page_of_another_origin_changes_anything(path: str, method: str) -> None:
    json = {"Content-Type": "application/json"}
    for origin in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert ask(True, path, method, {**json, **origin, **bearer("sk-of-the-owner")}).status_code == 403
        assert ask(False, path, method, {**json, **origin}).status_code == 403
    assert ask(False, path, method, {"Content-Type": "text/plain"}).status_code == 415
