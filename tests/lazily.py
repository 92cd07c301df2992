"""Packages that take seconds to import, for tests that few processes run: each process collects all tests."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # pytest looks for such names in all that a file of tests holds
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


def lazily(name: str) -> ModuleType:
    """The module of that name, which is imported when something of it is first asked for."""
    assert importlib.util.find_spec(name) is not None, f"{name} is not installed"
    return _Later(name)
