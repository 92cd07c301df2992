"""`python -m tests.compiled` compiles the tests for pytest once: each of its workers would compile all of them."""

from __future__ import annotations

import contextlib
import io
import os
from multiprocessing import Pool
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def compiled(files: list[str]) -> None:
    """pytest writes the bytecode of what it collects."""
    with contextlib.redirect_stdout(io.StringIO()):  # errors are for the run of the tests to tell
        pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", "-p", "no:xdist", *files])


def main() -> None:
    files = sorted(str(each) for each in FOLDER.rglob("test_*.py"))
    count = os.cpu_count() or 1
    with Pool(count) as processes:
        processes.map(compiled, [files[number::count] for number in range(count)])


if __name__ == "__main__":
    main()
