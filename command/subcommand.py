"""What a subcommand is, and what its exit status says."""

from __future__ import annotations

import argparse
from typing import Protocol

FINE = 0
"""It was done, and nothing is wrong."""
FOUND = 1
"""It was done, and what it looked at has a fault, or is not there: each subcommand says what that means for it."""
WRONG_USE = 2
"""The arguments, a file or a setting cannot be used."""
UNREACHABLE = 3
"""A server or a database does not answer."""


class CommandError(Exception):
    """A subcommand cannot go on. `str()` is the one line for the user, `status` the exit status."""

    def __init__(self, message: str, status: int = WRONG_USE) -> None:
        super().__init__(message)
        self.status = status


class Subcommand(Protocol):
    """A file or a folder of `command/`, as a module. Its docstring is the text of its `--help`."""

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add its arguments. Called only if it was chosen."""
        ...

    def run(self, options: argparse.Namespace) -> int:
        """Do it. Returns the exit status. May raise CommandError."""
        ...
