"""Every route under `/dragoman/` in each way of serving: under gevent, the store is asked in threads of its own."""

from __future__ import annotations

import pytest

from tests.answers import ask, said
from tests.inspector.test_every_route import ROUTES
from tests.records.recorded import until
from tests.servers import Answer, How, ScriptedBackend, proxy_process

GLM = "Hm.\n<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Seoul</arg_value>\n</tool_call>"
READ = [path for path, method in ROUTES if method == "GET" and not path.endswith(("/login", "/events", "/static/x"))]
"""A login needs a key, and events have no end."""


@pytest.mark.parametrize("how", ["app", "gunicorn", "gthread"])
def test_each_route_answers_in_each_way_of_serving(how: How) -> None:
    with (
        ScriptedBackend(Answer(said(GLM))) as backend,
        proxy_process(how, backend, RECORD="full") as proxy,
    ):
        with proxy.client(ask(model="glm-4.5")) as client:
            client.rest()

        def ended() -> str | None:
            with proxy.get("/dragoman/api/records?state=ended") as listed:
                return next((each["id"] for each in listed.json()["records"]), None)

        name = until(ended)
        assert "/dragoman/records/x" in READ and len(READ) > 10
        for path in READ:
            with proxy.get(path.replace("/x", f"/{name}", 1)) as page:
                body = page.rest()
                assert (path, page.status) == (path, 200), body
        with proxy.get(f"/dragoman/records/{name}") as page:
            assert b"get_weather" in page.rest()
        for path, sent in (("explain", {"text": GLM}), (f"records/{name}/replay", {})):
            with proxy.client(sent, f"/dragoman/api/{path}") as answer:
                assert (path, answer.status) == (path, 200), answer.rest()
        assert "Traceback" not in proxy.said()
