"""The filters of the command line, in the words of the inspector's query strings (docs/RECORDS.md)."""

from __future__ import annotations

import argparse
import re
import time
from datetime import datetime

from command.subcommand import CommandError

Filters = dict[str, str]
"""Names and values of a query string."""

_PLAIN = ("model", "row", "outcome", "code", "key", "face", "state", "status", "request", "slow")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def filters_of(options: argparse.Namespace, now: float | None = None) -> Filters:
    """`now` is in seconds since 1970. Raises CommandError for a time that cannot be understood."""
    found = {name: str(value) for name in _PLAIN if (value := getattr(options, name)) is not None}
    if options.failed:
        found["failed"] = "1"
    for name in ("since", "until"):
        if (text := getattr(options, name)) is not None:
            found[name] = f"{_seconds(text, name, time.time() if now is None else now):.6f}"
    return found


def _seconds(text: str, name: str, now: float) -> float:
    """Since 1970."""
    if ago := re.fullmatch(r"(\d{1,9})([smhd])", text):
        return max(0.0, now - int(ago[1]) * _SECONDS[ago[2]])
    if re.fullmatch(r"\d{1,11}(\.\d+)?", text):
        return float(text)
    try:
        return max(0.0, datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError, OSError):
        raise CommandError(f"--{name} {text}: takes 90s, 30m, 1h, 2d, a date, or seconds since 1970") from None
