"""Who may look at `/dragoman/*` and `/metrics`, and who may change something there.

A web page of a stranger must not reach them through its reader's browser: neither by a name of its own that leads to
this machine (DNS rebinding), nor by a form. So Host and Origin are checked, and no CORS header is ever sent.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from flask import Request, Response, current_app, g

from config import Config
from errors import Forbidden, Misdirected, NotJson, RecordsUnavailable, Unauthorised
from inspector.bodies import form_of
from inspector.login import login_page, wants_page
from inspector.sessions import COOKIE, Sessions
from records.stores import StoreError
from records.threads import away_from_streams
from web.keys import given_keys, is_given, is_private, name_of_key

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?", re.IGNORECASE)
_READING = ("GET", "HEAD", "OPTIONS")
_FORWARDING = ("forwarded", "via", "x-real-ip")
"""Headers of a server in front of us, beside `X-Forwarded-*`: who asked it is not on this machine."""
_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "same-origin"),  # with no-referrer, browsers say of a form that its Origin is null
    ("X-Content-Type-Options", "nosniff"),
)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. While a private route is answered, `g.viewer` is one."""

    key_name: str | None
    """Whose records it sees, by the name of the key; None for those of all."""
    may_change: bool
    """Whether it may play a request again, or make us forget."""
    csrf_token: str | None = None
    """What a change must bring with it, as X-CSRF-Token or in the field `csrf_token`; None if it needs none."""


NOBODY = Viewer("", may_change=False)
"""Who has not logged in yet. No key has this name."""
_OPEN = ("inspector.login", "inspector.static")
"""Routes that tell nothing of requests: what a login needs."""


def access_check(config: Config, sessions: Sessions) -> Callable[[Request], Response | None]:
    """The check of private paths, before each request.

    A browser that has not logged in gets the form for that. Raises Misdirected, Unauthorised, Forbidden, NotJson, and
    RecordsUnavailable where nobody can say whether a session has ended.
    """
    has_keys = bool(config.proxy_api_keys or config.inspector_key)

    def check(asked: Request) -> Response | None:
        if not is_private(asked.path):
            return None
        if not _is_ours(asked.environ.get("HTTP_HOST", ""), config.inspector_hosts):
            raise Misdirected("This Host is not known here. INSPECTOR_HOSTS names the hosts besides loopback.")
        try:
            g.viewer = _by_key(config, asked, sessions) if has_keys else _by_place(asked)
        except Unauthorised:
            if not _shows_form(asked):
                raise
            return login_page(asked)
        if asked.method not in _READING and asked.routing_exception is None:
            _check_write(asked, has_keys)
        return None

    return check


def must_change() -> None:
    """Raises Forbidden for a viewer that may only look."""
    if not g.viewer.may_change:
        raise Forbidden("Only INSPECTOR_KEY may do this.")


def private_headers(asked: Request, response: Response) -> None:
    """A private answer is kept by no cache and used by no page of another origin."""
    if is_private(asked.path):
        for name, value in _HEADERS:
            response.headers.setdefault(name, value)


def _by_key(config: Config, asked: Request, sessions: Sessions) -> Viewer:
    name = name_of_key(config, asked)
    given = given_keys(asked)
    if config.inspector_key is not None and is_given(config.inspector_key, given):
        return Viewer(None, may_change=True)
    if name is not None:
        return Viewer(name, may_change=False)
    if asked.endpoint in _OPEN and asked.method != "OPTIONS":
        return NOBODY
    cookie = asked.cookies.get(COOKIE, "")
    if cookie and not given:
        try:
            session = away_from_streams(lambda: sessions.read(cookie))
        except StoreError as error:
            raise RecordsUnavailable(f"Nobody can say now whether this login still counts: {error}") from None
        if session is not None:
            g.session = session
            return Viewer(session.key_name, may_change=session.key_name is None, csrf_token=session.csrf_token)
    raise Unauthorised("This needs INSPECTOR_KEY or one of PROXY_API_KEYS, as 'Authorization: Bearer …'.")


def _shows_form(asked: Request) -> bool:
    """Whether a browser asks for a page of the inspector, which is there."""
    is_page = f"{asked.path}/".startswith("/dragoman/") and not f"{asked.path}/".startswith("/dragoman/api/")
    return is_page and asked.method in ("GET", "HEAD") and wants_page(asked) and "inspector" in current_app.blueprints


def _by_place(asked: Request) -> Viewer:
    names = [name.lower() for name, _ in asked.headers]
    forwarded = any(name in _FORWARDING or name.startswith("x-forwarded-") for name in names)
    if forwarded or not _is_loopback(asked.remote_addr or ""):
        raise Forbidden("Without a key this answers on the machine that it runs on. Elsewhere, set INSPECTOR_KEY.")
    return Viewer(None, may_change=True)


def _check_write(asked: Request, has_keys: bool) -> None:
    """A page of another origin can neither set this Content-Type nor a key, without being asked for CORS before."""
    origin = asked.headers.get("Origin")
    if origin is not None and not _is_same(origin, asked.environ.get("HTTP_HOST", "")):
        raise Forbidden("A page of another origin may change nothing here.")
    if asked.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise Forbidden("A page of another origin may change nothing here.")
    token = g.viewer.csrf_token
    if token is not None:
        given = asked.headers.get("X-CSRF-Token") or form_of().get("csrf_token", "")
        if not hmac.compare_digest(given.encode(errors="replace"), token.encode()):
            raise Forbidden("With a login, a change needs the login's token: X-CSRF-Token, or the field csrf_token.")
    if not has_keys and asked.mimetype != "application/json":
        raise NotJson("Without a key, a change needs 'Content-Type: application/json'.")


def _is_same(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def _is_ours(host: str, hosts: tuple[str, ...]) -> bool:
    """Whether a Host header, with or without a port, is loopback or one of `hosts`, which are in lower case."""
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    address, name = found.groups()
    name = _plain(address) if address else name.lower()
    return name == "localhost" or name in hosts or _is_loopback(name)


def _plain(address: str) -> str:
    try:
        return str(IPv6Address(address))
    except ValueError:
        return ""


def _is_loopback(address: str) -> bool:
    """Whether an IP address is loopback, also an IPv4 address as a socket of both versions tells it."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found).is_loopback
