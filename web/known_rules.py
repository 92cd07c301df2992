"""The rule of a request whose path has been asked for before.

Werkzeug's search for a rule leaves eight objects to the garbage collector, which nobody is served beside.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.ctx import RequestContext
from werkzeug.routing import Rule

_MOST = 1000
"""Paths that are remembered: some rules take any method."""


class KnownRules(RequestContext):
    """The context of a request. It searches for the rule of a path without variables once.

    `known` is shared by all requests of an application: rules by method and path.
    """

    def __init__(self, app: Flask, environ: dict[str, Any], known: dict[tuple[str, str], Rule]) -> None:
        super().__init__(app, environ)
        self._known = known

    def match_request(self) -> None:
        """Set the rule, the values of its variables, or the error of the request."""
        request = self.request
        if "HTTP_UPGRADE" in request.environ:  # a WebSocket is refused by the search
            return super().match_request()
        asked = request.method, request.path
        rule = self._known.get(asked)
        if rule is not None:
            request.url_rule, request.view_args = rule, {}
            return None
        super().match_request()
        rule = request.url_rule
        if rule is not None and not rule.arguments and len(self._known) < _MOST:
            self._known[asked] = rule
        return None
