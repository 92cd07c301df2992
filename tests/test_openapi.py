"""openapi.json says what the routes are, and a little of what `make fuzz` asks of them by it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from app import create_app
from config import VARIABLES, Config
from converters import SYNTAXES
from tests.http_fuzz import PHASES, run
from tests.scale import EVERYTHING
from tests.servers import ROOT, ScriptedBackend, running_proxy
from version import VERSION

pytestmark = pytest.mark.long

DESCRIPTION: dict[str, Any] = json.loads((ROOT / "dialects/openapi.json").read_text(encoding="utf-8"))
PAGES = re.compile("/dragoman/(?!api/|login$|logout$)")
METHODS = ("get", "head", "post", "put", "patch", "delete")


def routes() -> set[tuple[str, str]]:
    """What Flask would take: HEAD beside GET, and OPTIONS everywhere, are its own. Pages are for people, and no API."""
    rules = [rule for rule in create_app(Config()).url_map.iter_rules() if not PAGES.match(rule.rule)]
    return {
        (re.sub(r"<(?:\w+:)?_?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in rules
        for method in (rule.methods or set()) - {"OPTIONS"}
        if not (method == "HEAD" and not rule.arguments)
    }


def test_it_describes_the_routes_and_no_others() -> None:
    described = {(path, method) for path, item in DESCRIPTION["paths"].items() for method in METHODS if method in item}
    # The paths of the client APIs are the backend's too, in all methods but those that are answered here.
    also = {(path, method) for path in DESCRIPTION["paths"] if path.startswith("/v1/") for method in METHODS}
    assert described == routes() | also


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [
        item[method]["operationId"] for item in DESCRIPTION["paths"].values() for method in METHODS if method in item
    ]
    assert len(set(names)) == len(names)


def test_it_says_the_version_and_names_what_exists() -> None:
    assert DESCRIPTION["info"]["version"] == VERSION
    text = json.dumps(DESCRIPTION)
    for name in re.findall(r"\b[A-Z]+_[A-Z_]+\b", text):
        assert name in {variable.name for variable in VARIABLES}, name
    assert DESCRIPTION["components"]["parameters"]["Syntax"]["example"] in {row.name for row in SYNTAXES}
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', text):
        place = DESCRIPTION
        for step in reference.split("/"):
            place = place[step]


def test_it_is_served_under_the_same_key_as_everything_but_health() -> None:
    with ScriptedBackend() as backend, running_proxy(backend, PROXY_API_KEYS="key-one") as proxy:
        with proxy.get("/openapi.json") as client:
            assert client.status == 401
        with proxy.get("/openapi.json", [("Authorization", "Bearer key-one")]) as client:
            assert client.json() == DESCRIPTION
            assert client.header("content-type") == "application/json"
        assert not backend.requests


@pytest.mark.parametrize("how", ["app", "gunicorn"])
def test_requests_that_nobody_would_send_are_no_failure_of_ours(how: Any) -> None:
    assert not run(how, count=80, examples=0, seed=20)


def test_what_it_allows_is_answered_as_it_says() -> None:
    phases = PHASES if EVERYTHING else "examples,fuzzing"
    assert not run("app", count=0, examples=1, seed=20, phases=phases)
