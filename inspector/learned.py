"""What the inspector asks of the store of facts that requests have taught about backends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Learned(Protocol):
    """Facts about (backend, model), which change the next request. They hold no client's text."""

    def entries(self) -> Sequence[Mapping[str, object]]:
        """One object of JSON for each fact: of which backend and model, what, and why."""
        ...

    def forget(self, model: str | None = None) -> int:
        """Forget the facts of a model, or all. Returns how many there were."""
        ...


class NothingLearned:
    """A Learned that is empty."""

    def entries(self) -> Sequence[Mapping[str, object]]:
        return ()

    def forget(self, model: str | None = None) -> int:
        return 0
