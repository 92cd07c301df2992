"""The keys of clients: who may ask at all."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable

from flask import Request, g

from config import Config
from errors import Unauthorised
from streaming import request_id_of
from web.client_request import current_request

_BEARER = re.compile(r"^bearer\s+", re.IGNORECASE)


def key_check(config: Config) -> Callable[[], None]:
    """Names the request, then asks for its key: a refusal has a name, too."""

    def check() -> None:
        asked = current_request()
        g.request_id = request_id_of(asked.headers.get("X-Request-Id"))
        is_open = asked.method == "OPTIONS" or asked.path.rstrip("/") == "/health"
        if not is_open and not has_key(config, asked):
            raise Unauthorised("This proxy needs one of its PROXY_API_KEYS as 'Authorization: Bearer …'.")

    return check


def has_key(config: Config, request: Request) -> bool:
    """Whether the request carries one of our keys, or needs none."""
    if not config.proxy_api_keys:
        return True
    given = _BEARER.sub("", request.headers.get("Authorization", "")).strip().encode()
    # every key is compared, whichever fits, so that time tells nothing
    fits = [hmac.compare_digest(given, key.encode()) for key in config.proxy_api_keys]
    return any(fits)
