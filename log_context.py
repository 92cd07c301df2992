"""Which exchange a line of the log belongs to, whoever writes it: noted when a request comes, read by serving/logs.py.

It belongs to the thread or greenlet that answers the request, and is overwritten by the next one there.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import NamedTuple


class ExchangeIds(NamedTuple):
    """Both are safe in a line of the log."""

    request: str = ""
    record: str = ""
    """Empty where nothing is recorded, or nothing yet."""


_NONE = ExchangeIds()
_current: ContextVar[ExchangeIds] = ContextVar("exchange", default=_NONE)


def in_exchange(request: str, record: str = "") -> None:
    """From here on, lines belong to this request."""
    _current.set(ExchangeIds(request, record))


def exchange_ids() -> ExchangeIds:
    """Of the exchange that is going on here; empty outside of one."""
    return _current.get()
