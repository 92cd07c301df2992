"""Which adaptations are applied at once, because a template would lose something without a word."""

from __future__ import annotations

from backends.adapt.facts import Facts, Request


def at_once(body: Request, facts: Facts) -> tuple[str, ...]:
    """The adaptations to apply before the first attempt, in the order of the table."""
    return ()
