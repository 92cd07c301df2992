"""The words with which servers refuse a request, and the adaptations that each asks for. Data, no code."""

from __future__ import annotations

from backends.adapt.words.fields import NEVER, UNKNOWN_FIELD
from backends.adapt.words.history import CALLS, CONTENT, ROLES
from backends.adapt.words.row import Words
from backends.adapt.words.tools import CHOICE, DECLARATIONS, NO_TOOLS, THOUGHTS

__all__ = ["NEVER", "REFUSALS", "UNKNOWN_FIELD", "Words"]

REFUSALS: tuple[Words, ...] = (*NO_TOOLS, *CHOICE, *CONTENT, *ROLES, *CALLS, *DECLARATIONS, *THOUGHTS)
"""All of them. What several of them say is asked for together."""
