"""What a way to fail is, and where it may happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tests.faults.ends import End
from tests.faults.spoken import Reply
from tests.servers import Answer, Json, Received

Place = Literal["calm", "beating", "asking", "refusing", "deaf", "nameless", "plain"]
"""The proxies: without and with heartbeats; with heartbeats and HEAL=retry; before a port that is closed, one that
never accepts, a name that nobody has, and a port that does not speak the TLS it should."""

Script = Answer | Callable[[Received], Answer]
"""What a backend does with all requests, or with each."""


@dataclass(frozen=True)
class Fault:
    name: str
    script: Callable[[Reply], Script]
    streamed: End
    buffered: End | None = None
    """None: as streamed."""
    place: Place = "calm"
    requests: int | None = None
    """That must reach the backend; None: up to four."""
    asks: Json = field(default_factory=dict)
    """What the request says besides."""
