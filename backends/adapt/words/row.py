"""The row of a way of refusing: the words, whose they are, and the adaptations that they ask for.

A pattern is searched in the normalised text of an error: lower case, without quotes and backslashes, with one blank for
several. `asks` is a ladder: `raw > prompted` means `raw`, or `prompted` if `raw` is on already or would change nothing;
`a + b` means both. Sources are threads at github.com, captured answers of servers, or chat templates.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """One way of refusing."""

    engine: str
    """Whose words these are; `template` for those of a chat template, which several engines pass on."""
    source: str
    asks: str
    patterns: tuple[str, ...]
