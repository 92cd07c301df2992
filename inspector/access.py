"""Who may look at `/dragoman/*` and `/metrics`, and who may change something there.

A web page of a stranger must not reach them through its reader's browser: neither by a name of its own that leads to
this machine (DNS rebinding), nor by a form. So Host and Origin are checked, and no CORS header is ever sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from flask import Request, Response, g

from config import Config
from errors import Forbidden, Misdirected, NotJson, Unauthorised
from web.keys import given_keys, is_given, is_private, name_of_key

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?", re.IGNORECASE)
_READING = ("GET", "HEAD", "OPTIONS")
_FORWARDING = ("forwarded", "via", "x-real-ip")
"""Headers of a server in front of us, beside `X-Forwarded-*`: who asked it is not on this machine."""
_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. While a private route is answered, `g.viewer` is one."""

    key_name: str | None
    """Whose records it sees, by the name of the key; None for those of all."""
    may_change: bool
    """Whether it may play a request again, or make us forget."""


def access_check(config: Config) -> Callable[[Request], None]:
    """The check of private paths, before each request. It raises Misdirected, Unauthorised, Forbidden or NotJson."""
    has_keys = bool(config.proxy_api_keys or config.inspector_key)

    def check(asked: Request) -> None:
        if not is_private(asked.path):
            return
        if not _is_ours(asked.environ.get("HTTP_HOST", ""), config.inspector_hosts):
            raise Misdirected("This Host is not known here. INSPECTOR_HOSTS names the hosts besides loopback.")
        g.viewer = _by_key(config, asked) if has_keys else _by_place(asked)
        if asked.method not in _READING and asked.routing_exception is None:
            _check_write(asked, has_keys)

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


def _by_key(config: Config, asked: Request) -> Viewer:
    name = name_of_key(config, asked)
    if config.inspector_key is not None and is_given(config.inspector_key, given_keys(asked)):
        return Viewer(None, may_change=True)
    if name is None:
        raise Unauthorised("This needs INSPECTOR_KEY or one of PROXY_API_KEYS, as 'Authorization: Bearer …'.")
    return Viewer(name, may_change=False)


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
