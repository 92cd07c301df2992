"""The headers of every response: the name of its request, and which web pages may read it (CORS)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Request, Response, g

from config import Config
from web.keys import is_private

ANY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def headers_of_all(config: Config) -> Callable[[Request, Response], None]:
    """Every response tells the name of its request, and which origins may read it. No private one may be read."""

    def add(request: Request, response: Response) -> None:
        response.headers.setdefault("X-Request-Id", g.request_id)
        origin = None if is_private(request.path) else request.environ.get("HTTP_ORIGIN")
        if origin and _allowed(origin, config.cors_origins):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers.add("Vary", "Origin")
            response.headers["Access-Control-Expose-Headers"] = "*, x-request-id"
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = ", ".join([*ANY_METHOD, "OPTIONS"])
                asked = request.headers.get("Access-Control-Request-Headers", "authorization, content-type")
                response.headers["Access-Control-Allow-Headers"] = asked
                response.headers["Access-Control-Max-Age"] = "600"
                if "Access-Control-Request-Private-Network" in request.headers:
                    response.headers["Access-Control-Allow-Private-Network"] = "true"

    return add


def _allowed(origin: str, origins: tuple[str, ...]) -> bool:
    return "*" in origins or origin.lower() in origins or _host_of(origin) in _LOOPBACK


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None
