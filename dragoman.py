"""The command `dragoman`, and `python -m dragoman`. Only statements that any Python since 2.7 can parse stand here."""

import sys

from version import VERSION as __version__  # first, because a Python that is too old ends there

# isort: split
from cli import main

__all__ = ["__version__", "main"]

if __name__ == "__main__":
    sys.exit(main())
