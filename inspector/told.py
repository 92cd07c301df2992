"""Times and sizes as people read them."""

from __future__ import annotations

from datetime import datetime, timezone


def seconds(us: float | None) -> str:
    """Microseconds as a short text: `0.4 ms`, `12 ms`, `0.83 s`, `4.1 s`, `2 min 5 s`."""
    if us is None:
        return "–"
    if us < 10_000:
        return f"{us / 1000:.1f} ms"
    if us < 100_000:
        return f"{us / 1000:.0f} ms"
    if us < 60_000_000:
        return f"{us / 1e6:.2f} s" if us < 1_000_000 else f"{us / 1e6:.1f} s"
    minutes, rest = divmod(round(us / 1e6), 60)
    return f"{minutes} min {rest} s"


def clock(us: int) -> str:
    """Microseconds since 1970 as a time of UTC, for the attribute of an element; the page shows it in local time."""
    return datetime.fromtimestamp(us / 1e6, timezone.utc).isoformat(timespec="milliseconds")


def amount(count: float | None, unit: str = "") -> str:
    """A number of bytes or of other things: `120`, `1.2 k`, `3.4 M`, with the unit behind it."""
    if count is None:
        return "–"
    for limit, letter in ((1e6, "M"), (1e3, "k")):
        if count >= limit * 10:
            return f"{count / limit:.0f} {letter}{unit}"
        if count >= limit:
            return f"{count / limit:.1f} {letter}{unit}"
    return f"{count:.0f} {unit}".rstrip()
