"""How often an address may try to log in: a few times at once, then slowly. Nobody else is held up by it."""

from __future__ import annotations

import time
from collections import OrderedDict
from ipaddress import ip_address

from flask import Request

from records.threads import new_lock

AT_ONCE = 5
EVERY = 3.0
"""Seconds until an address may try once more."""
_MOST = 4096
"""Addresses that are remembered; the longest unheard one is forgotten first."""


class Attempts:
    """Counts wrong logins by address, in this process."""

    def __init__(self) -> None:
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # (tries that are left, when)
        self._guard = new_lock()

    def take(self, address: str) -> bool:
        """Whether this address may try now. That uses up one try."""
        now = time.monotonic()
        with self._guard:
            left, when = self._left.pop(address, (float(AT_ONCE), now))
            left = min(left + (now - when) / EVERY, AT_ONCE)
            allowed = left >= 1
            self._left[address] = (left - 1 if allowed else left, now)
            while len(self._left) > _MOST:
                self._left.popitem(last=False)
        return allowed

    def succeeded(self, address: str) -> None:
        """It knew a key, so its tries do not count."""
        with self._guard:
            self._left.pop(address, None)


def address_of(asked: Request) -> str:
    """Who tries: the peer or, where a server of this machine stands in front, the last address that it tells."""
    peer = asked.remote_addr or ""
    told = asked.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        return str(ip_address(told)) if ip_address(peer).is_loopback else peer
    except ValueError:
        return peer
