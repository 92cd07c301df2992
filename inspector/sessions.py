"""Logins of browsers: a signed cookie that says whose it is. It holds no key; the one that was given signs it.

So every worker accepts it without asking another, and a key that was changed ends its sessions. A logout is noted where
the workers look: in the database of the records, or in this process where there is none.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from itsdangerous import BadData, URLSafeTimedSerializer

from config import Config

COOKIE = "dragoman_session"
LASTS = 12 * 3600
"""Seconds."""
_OWNER = "inspector"
_CLIENT = "client"
_ROUNDS = 100_000
"""Rounds of PBKDF2, so that a stolen cookie does not tell a short key."""
_MOST_ENDED = 10_000
_LONGEST = 1000
"""Characters of a cookie."""


class EndedSessions(Protocol):
    """Remembers which sessions were ended before their time. Any method may raise StoreError."""

    def end_session(self, name: str, until_us: int, now_us: int) -> None:
        """A session counts no longer. It may be forgotten at `until_us`, microseconds since 1970."""
        ...

    def has_ended(self, name: str) -> bool: ...


class EndedHere:
    """Those of this process."""

    def __init__(self) -> None:
        self._ended: OrderedDict[str, int] = OrderedDict()

    def end_session(self, name: str, until_us: int, now_us: int) -> None:
        self._ended[name] = until_us
        while len(self._ended) > _MOST_ENDED:
            self._ended.popitem(last=False)

    def has_ended(self, name: str) -> bool:
        return name in self._ended


@dataclass(frozen=True, slots=True)
class Session:
    """One login."""

    id: str
    key_name: str | None
    """Whose records it sees, by the name of the key; None for INSPECTOR_KEY."""
    csrf_token: str
    """What a change must bring with it, beside the cookie."""


class Sessions:
    """Makes sessions and knows them again."""

    def __init__(self, config: Config, ended: EndedSessions) -> None:
        self._config = config
        self._ended = ended

    def begin(self, key_name: str | None, key: str) -> str:
        """The cookie of a new session. `key_name` is None for INSPECTOR_KEY."""
        kind = _OWNER if key_name is None else _CLIENT
        return _serializer(key).dumps([kind, key_name or "", secrets.token_urlsafe(12)])

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie; None if it is none of ours, too old, or ended. May raise StoreError."""
        if not cookie or len(cookie) > _LONGEST:
            return None
        _, claimed = _CLAIMS.loads_unsafe(cookie)  # so that only keys of that name need be tried
        if not isinstance(claimed, list) or len(claimed) != 3 or not isinstance(claimed[2], str):
            return None
        for key_name, key in self._keys():
            if claimed[:2] != [_OWNER if key_name is None else _CLIENT, key_name or ""]:
                continue
            try:
                told = _serializer(key).loads(cookie, max_age=LASTS)
            except BadData:
                continue
            session = Session(told[2], key_name, _csrf_token(key, told[2]))
            return None if self._ended.has_ended(session.id) else session
        return None

    def end(self, session: Session) -> None:
        """Log out. May raise StoreError."""
        now_us = int(time.time() * 1e6)
        self._ended.end_session(session.id, now_us + LASTS * 10**6, now_us)

    def _keys(self) -> list[tuple[str | None, str]]:
        """(the name, the key)"""
        owner: list[tuple[str | None, str]] = [(None, self._config.inspector_key)] if self._config.inspector_key else []
        return owner + [(each.name, each.key) for each in self._config.proxy_api_keys]


@lru_cache(maxsize=1024)
def _secret(key: str) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", key.encode(), b"dragoman inspector session", _ROUNDS)


def _serializer(key: str) -> URLSafeTimedSerializer:
    signer = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeTimedSerializer(_secret(key), salt="dragoman.session", signer_kwargs=signer)


def _csrf_token(key: str, session_id: str) -> str:
    return hmac.new(_secret(key), f"csrf {session_id}".encode(), hashlib.sha256).hexdigest()[:40]


_CLAIMS = URLSafeTimedSerializer("", salt="dragoman.session")
"""Reads what a cookie says, whoever signed it."""
