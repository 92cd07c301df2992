"""The types of values that settings take: how each is read, and what it says it takes.

May not know: which settings there are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from pathlib import Path
from typing import NamedTuple


class Kind(NamedTuple):
    """A type of value. `parse` raises ValueError or KeyError for an invalid text; `takes` says in words what is valid.

    `unset` is the value of a variable that has neither a text nor a default.
    """

    takes: str
    parse: Callable[[str], object]
    unset: object = None


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A key by which clients may use the proxy."""

    name: str
    """What logs, records and metrics call it; `#2` for the second key, if it was given no name."""
    key: str = field(repr=False)


def joined_url(protocol: str, host: str, port: int | None, path: str = "") -> str:
    """The URL of a host, whose IPv6 address gets its brackets."""
    # The scheme's default port is left out: some gateways compare the Host header literally.
    colon_port = "" if port in (None, {"http": 80, "https": 443}[protocol]) else f":{port}"
    return f"{protocol}://{f'[{host}]' if ':' in host else host}{colon_port}{path}"


def _matching(pattern: str, text: str) -> re.Match[str]:
    match = re.fullmatch(pattern, text, re.IGNORECASE | re.ASCII)
    if match is None:
        raise ValueError
    return match


def _url(text: str) -> str:
    # Not urlsplit(): it removes tabs and newlines silently, and accepts most of what must be refused here.
    parts = _matching(r"(?!.*[?#\\])(https?)://(\[[^\]/]+\]|[^\[\]:/]+)(?::([0-9]+))?(/[!-~]*)?", text)
    protocol, host, port, path = parts.groups(default="")
    if {".", ".."} & set(path.split("/")):
        raise ValueError
    while path.endswith(("/", "/v1")):
        path = path.removesuffix("/").removesuffix("/v1")
    return joined_url(protocol.lower(), _host(host), _whole(port, 1, 65535) if port else None, path)


def _host(text: str) -> str:
    """The host in lower case, IPv6 without brackets. A zone (`%eth0`) is refused: URLs have no standard form for it."""
    bare = text[1:-1] if text[0] + text[-1] == "[]" else text
    if ":" in bare or bare != text:
        return str(IPv6Address(_matching(r"[0-9a-f:.]+", bare).group()))
    return _matching(r"[a-z0-9_][a-z0-9_.-]*", bare).group().lower()


def _whole(text: str, low: int, high: float) -> int:
    number = int(_matching(r"[0-9]{1,18}", text).group())
    if not low <= number <= high:
        raise ValueError
    return number


def _seconds(text: str, above: float = -1) -> float:
    number = float(_matching(r"[0-9.]+(e[+-]?[0-9]+)?", text).group())
    if not above < number < math.inf:
        raise ValueError
    return number


def _file(text: str) -> str:
    path = Path(text).expanduser()
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError
    return str(path)


def _database(text: str) -> str:
    """SQLite's file must be in a folder that exists; of PostgreSQL's URL only the beginning is looked at."""
    scheme, _, rest = text.partition(":///" if text.lower().startswith("sqlite") else "://")
    if scheme.lower() == "sqlite":
        return f"sqlite:///{_file(rest)}"
    return f"postgresql://{_matching(r'[!-~]+', rest).group()}" if scheme.lower() == "postgresql" else _no_value()


def _no_value() -> str:
    raise ValueError


def _origin(text: str) -> str:
    # Desktop and editor clients use their own schemes: app://, tauri://, vscode-webview://
    return _matching(r"\*|[a-z][a-z0-9+.-]*://[^\s/@?#*]+", text.removesuffix("/")).group().lower()


def _key(text: str) -> str:
    return _matching(r"[!-~]+", text).group()


def _client_keys(text: str) -> tuple[ClientKey, ...]:
    """`alice:key1,bob:key2`; the names may be left out. One key under two names is refused, one name for two keys not:
    so a key can be replaced by and by.
    """
    found: dict[str, ClientKey] = {}
    for part in _parts(text):
        name, colon, key = part.partition(":")
        if colon:
            each = ClientKey(_matching(r"[a-z0-9][a-z0-9_.@-]{0,63}", name).group(), _key(key))
        else:
            each = ClientKey(f"#{len(found) + 1}", _key(part))
        known = found.setdefault(each.key, each)
        if known.name != each.name and (colon or not known.name.startswith("#")):
            raise ValueError
    return tuple(found.values())


def _parts(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:  # only commas: as an empty list it could allow access that the user meant to restrict
        raise ValueError
    return parts


def one_of(*names: str, **also: object) -> Kind:
    """One of these words, in upper or lower case; those of `also` stand for other values."""
    values = {name.lower(): name for name in names} | also
    return Kind(f"one of {', '.join([*names, *also])}", lambda text: values[text.lower()])


def list_of(takes: str, item: Callable[[str], object]) -> Kind:
    """Several values separated by commas, as a tuple without repetitions."""

    def parse(text: str) -> tuple[object, ...]:
        return tuple(dict.fromkeys(map(item, _parts(text))))

    return Kind(takes, parse, ())


ON_OFF = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False, "on": True, "off": False}
FLAG = one_of(**ON_OFF)
PREFILLED = one_of(auto=None, **ON_OFF)
HOST = Kind("a host name or an IP address, without protocol, port or path", _host)
PORT = Kind("a whole number from 1 to 65535", lambda text: _whole(text, 1, 65535))
URL = Kind("an http:// or https:// URL without credentials, query or fragment", _url)
FEW = Kind("a whole number from 1 to 3", lambda text: _whole(text, 1, 3))
HOURS = Kind("a number of hours above 0", lambda text: _seconds(text, above=0))
FILE = Kind("the path of a file in a folder that exists", _file)
DATABASE = Kind("sqlite:///path with a folder that exists, or postgresql://user:password@host/database", _database)
DAYS = Kind("a number of days above 0", lambda text: _seconds(text, above=0))
BYTES = Kind("a whole number, 1 or more", lambda text: _whole(text, 1, math.inf))
SECONDS = Kind("a number of seconds, 0 or more", _seconds)
POSITIVE = Kind("a number of seconds above 0", lambda text: _seconds(text, above=0))
LIMIT = Kind("a number of seconds, 0 for no limit", lambda text: _seconds(text) or None)
KEY = Kind("a key of visible ASCII characters, without 'Bearer'", _key)
KEYS = Kind("keys of visible ASCII characters or pairs name:key, separated by commas", _client_keys, ())
HOSTS = list_of("host names or IP addresses without port, separated by commas", _host)
ORIGINS = list_of("origins such as https://app.example:8443, separated by commas, or *", _origin)
MODEL_ROWS = list_of(
    "pattern=row, such as my-finetune*=glm45, several separated by commas",
    lambda text: _matching(r"(.*\S)\s*=\s*([^=\s]+)", text).groups(),
)
_FILES = list_of(
    "off, a folder or pattern=path, such as my-finetune*=model.gguf, several separated by commas",
    lambda text: _matching(r"(?:([^=]*[^=\s])\s*=)?\s*([^=]*[^=\s])", text).groups(default=""),
)
TEMPLATE_FILES = Kind(_FILES.takes, lambda text: None if text.lower() == "off" else _FILES.parse(text), _FILES.unset)
