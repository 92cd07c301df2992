"""The routes of the client APIs, from their own tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Flask, Response, g

from dialects import Dialect
from dialects.protocol import SideRequest, SideRoute
from errors import NotFound
from streaming import Relay
from web.client_request import client_request, current_request, flask_response, raw_target


def add_dialects(app: Flask, relay: Relay, dialects: Sequence[Dialect]) -> None:
    """Each route of each dialect. A body is decoded if it is read."""
    side: dict[tuple[str, str], list[tuple[Dialect, SideRoute]]] = {}
    for dialect in dialects:
        for route in dialect.routes:
            app.add_url_rule(route, f"converse {route}", _conversing(relay, dialect), methods=["POST"])
        for each in dialect.side_routes:
            side.setdefault((each.method, each.rule), []).append((dialect, each))
    for (method, rule), answering in side.items():
        for path in {rule: None, **{route.alias: None for _, route in answering if route.alias}}:
            app.add_url_rule(path, f"{method} {path}", _answering(relay, answering, path, rule), methods=[method])


def _conversing(relay: Relay, dialect: Dialect) -> Callable[[], Response]:
    decode = relay.translates(dialect)

    def converse() -> Response:
        return flask_response(relay.converse(dialect, client_request(current_request(), dialect.routes[0], decode)))

    return converse


def _answering(
    relay: Relay, answering: Sequence[tuple[Dialect, SideRoute]], asked_for: str, rule: str
) -> Callable[..., Response]:
    """The first of the dialects that takes the request as its own answers it; else it goes to the backend.

    `asked_for` is the rule, or an alias of it.
    """
    own = asked_for.partition("<")[0]
    begins = ("/v1/", own)
    answering = [(dialect, route) for dialect, route in answering if relay.translates(dialect)]

    def answer(**values: str) -> Response:
        asked = current_request()
        path = raw_target(asked)[0]
        if not path.startswith(begins):  # it may go on as it was written
            raise NotFound(f"There is no {asked.path} here.")
        if asked_for != rule and path.startswith(own):
            path = rule.partition("<")[0] + path.removeprefix(own)
        taken = client_request(asked, path, decode=bool(answering))
        query = dict(asked.args.items(multi=False))
        side = SideRequest(taken.headers, taken.body, query, values, taken.key_name, dict(asked.args.lists()))
        for dialect, route in answering:
            g.dialect = dialect  # whose client has asked, should this raise
            reply = relay.answer(route.answer, side, taken)
            if reply is not None:
                return flask_response(reply)
        g.pop("dialect", None)
        return flask_response(relay.forward(taken))

    return answer
