"""What gunicorn makes anew for each request though it stays the same: the date of a second, and the settings.

Both together take 40 µs, of the 750 µs of a small buffered request. Imported by gunicorn.conf.py only.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

import gunicorn.util  # type: ignore[import-untyped]

_http_date = gunicorn.util.http_date


def make_dates_once() -> None:
    """Let the `Date` of all responses of one second be the same text."""
    gunicorn.util.http_date = _date


def _date(timestamp: float | None = None) -> str:
    return _date_of(int(time.time() if timestamp is None else timestamp))


@lru_cache(maxsize=1)
def _date_of(second: int) -> str:
    date: str = _http_date(second)
    return date


def make_settings_once(cfg: Any) -> None:
    """Let a worker find its settings where Python finds attributes. gunicorn looks each up through two functions.

    `cfg` is a `gunicorn.config.Config`. Its properties stay what they are, as they go first.
    """
    vars(cfg).update({name: setting.get() for name, setting in cfg.settings.items()})
