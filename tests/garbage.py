"""What other tests left for the garbage collector is not found in the middle of a test."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_garbage_of_others() -> Iterator[None]:
    """Its finalizers would be counted as calls, and may fail where a text nests as deep as Python goes."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
