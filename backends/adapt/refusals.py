"""Which adaptations a refusal of a backend asks for."""

from __future__ import annotations

from collections.abc import Collection

from backends.adapt.facts import Request
from errors import ErrorInfo


def asked_for(error: ErrorInfo, body: Request, on: Collection[str]) -> tuple[str, ...]:
    """The adaptations that are not yet on and that the refusal asks for; empty if it is unknown."""
    return ()
