"""What is made when it is first asked for, and then kept: by one thread, while all others that ask wait for it.

Without this, a hundred requests that come to a fresh process at once would each compile the same regexes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, update_wrapper
from threading import RLock
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_MAKING = RLock()
"""One for all: what is made may need other things that are made once."""


class MadeOnce(Generic[P, T]):
    """A function of hashable arguments that keeps what it made; of more than `most` things it forgets the oldest."""

    def __init__(self, make: Callable[P, T], most: int) -> None:
        self._make = make
        self._most = most
        self.kept: dict[Any, T] = {}
        """By the arguments."""
        update_wrapper(self, make)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        key = (*args, *kwargs.items()) if kwargs else args
        try:
            return self.kept[key]
        except KeyError:
            pass
        with _MAKING:
            if key not in self.kept:
                made = self._make(*args, **kwargs)
                if len(self.kept) >= self._most:
                    del self.kept[next(iter(self.kept))]
                self.kept[key] = made
            return self.kept[key]


def made_once(most: int = 1024) -> Callable[[Callable[P, T]], MadeOnce[P, T]]:
    """Decorates a function as MadeOnce."""
    return lambda make: MadeOnce(make, most)


class made_once_property(cached_property[T]):
    """A property of objects that is made when it is first read, and kept in the object."""

    def __get__(self, instance: object, owner: type[Any] | None = None) -> T:  # type: ignore[override]
        with _MAKING:  # the property of newer Pythons has no lock of its own
            return super().__get__(instance, owner)
