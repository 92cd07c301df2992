"""What a relay of a test sends: requests as they came, adapted when they are refused, with lessons of its own."""

from __future__ import annotations

from backends.adapt import AdaptSettings, Planner
from backends.learned import Learned
from backends.protocol import NewPlan


def planning(backend: str = "backend") -> NewPlan:
    """The plans of a backend of which nothing is known."""
    return Planner(AdaptSettings(), Learned(backend, hours=1)).plan
