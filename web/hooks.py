"""What runs before and behind each request, each as one function of Flask: every further one costs each request."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Request, Response

from web.client_request import current_request

Check = Callable[[Request], Response | None]
"""Runs before a request. A response is the answer; it raises ProxyError for a request that is refused."""
Finish = Callable[[Request, Response], None]
"""Adds headers to a response."""


def add_hooks(app: Flask, before: tuple[Check, ...], behind: tuple[Finish, ...]) -> None:
    """Each of them runs, in this order, for every request."""

    def check_all() -> Response | None:
        asked = current_request()
        return next((answer for check in before if (answer := check(asked)) is not None), None)

    def finish_all(response: Response) -> Response:
        asked = current_request()
        for finish in behind:
            finish(asked, response)
        return response

    app.before_request(check_all)
    app.after_request(finish_all)
