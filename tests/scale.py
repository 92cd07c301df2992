"""How much of the longest tests is run: a part in `make test`, which shall take minutes, or all with EVERYTHING=1.

What is left out of a part is always more of the same: other examples of a property, other places to stop at. Which
examples are in it does not change from run to run.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

EVERYTHING = os.environ.get("EVERYTHING", "") not in ("", "0")


def of(every: int, part: int) -> int:
    """A count: of all of it, or of the part."""
    return every if EVERYTHING else part


def share(cases: Sequence[T], parts: int, which: int = 0) -> Sequence[T]:
    """All cases, or of so many parts one. Neighbours are in different parts; fewer cases than parts are all taken."""
    return cases if EVERYTHING or len(cases) < parts else cases[which % parts :: parts]
