"""The keys of clients: who may ask at all, and under which name."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable

from flask import Request, g

from config import Config
from errors import Unauthorised
from log_context import in_exchange
from records.recorder import Recorder
from streaming import ExchangeRecord, request_id_of
from web.again import is_again

_BEARER = re.compile(r"^bearer\s+", re.IGNORECASE)
_HEADERS = ("Authorization", "X-Api-Key")
"""Where a key may stand. The SDKs of Anthropic send the second one."""
_OPEN = ("", "/health")
"""Paths that everybody may ask for: they tell what is here, and whether it works."""
_PRIVATE = ("/dragoman/", "/metrics/")


def is_private(path: str) -> bool:
    """Whether a path tells of other people's requests. Then inspector/access.py decides who may ask for it."""
    return f"{path}/".startswith(_PRIVATE)


def key_check(config: Config, recorder: Recorder | None = None) -> Callable[[Request], None]:
    """Names the request, then asks for its key: a refusal has a name, too, and a record."""

    def check(asked: Request) -> None:
        g.request_id = request_id = request_id_of(asked.environ.get("HTTP_X_REQUEST_ID"))
        in_exchange(request_id)
        g.key_name = key_name = name_of_key(config, asked)
        if not config.proxy_api_keys or key_name is not None or is_again(asked.environ):
            return
        if asked.method == "OPTIONS" or asked.path.rstrip("/") in _OPEN or is_private(asked.path):
            return
        error = Unauthorised(
            "This proxy needs one of its PROXY_API_KEYS, as 'Authorization: Bearer …' or as 'x-api-key: …'."
        )
        if recorder is not None:
            recorder.refused(
                ExchangeRecord(
                    request_id, asked.path, status=error.status, error=error.code, backend=config.backend_url
                )
            )
        raise error

    return check


def has_key(config: Config, request: Request) -> bool:
    """Whether the request carries one of our keys, or needs none."""
    return not config.proxy_api_keys or name_of_key(config, request) is not None


def name_of_key(config: Config, request: Request) -> str | None:
    """The name of the key that the request carries; None if it carries none of PROXY_API_KEYS."""
    if not config.proxy_api_keys:
        return None
    given = given_keys(request)
    # every key is compared, whichever fits, so that time tells nothing
    fits = [each.name for each in config.proxy_api_keys if is_given(each.key, given)]
    return fits[0] if fits else None


def given_keys(request: Request) -> list[bytes]:
    """What stands in the headers for a key."""
    values = [request.headers.get(name) for name in _HEADERS]
    return [_BEARER.sub("", value).strip().encode() for value in values if value is not None]


def is_given(key: str, given: list[bytes]) -> bool:
    """Whether the key is among those given. Each is compared in constant time."""
    fits = [hmac.compare_digest(each, key.encode()) for each in given]
    return any(fits)
