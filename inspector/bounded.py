"""So many of something at once, in this process: whoever comes then is told to come later."""

from __future__ import annotations

from types import TracebackType

from errors import TooMany
from records.threads import new_lock


class Bounded:
    """Counts those that are under way. A context of one of them."""

    def __init__(self, most: int, message: str) -> None:
        """`message` tells whoever is one too many."""
        self._most = most
        self._message = message
        self._count = 0
        self._guard = new_lock()

    def enter(self) -> None:
        """Another one begins. Raises TooMany."""
        with self._guard:
            if self._count >= self._most:
                raise TooMany(self._message)
            self._count += 1

    def leave(self) -> None:
        """One has ended."""
        with self._guard:
            self._count -= 1

    def __enter__(self) -> None:
        self.enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()
