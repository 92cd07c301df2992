"""The version of Dragoman. A Python that is too old ends here with one sentence: any since 2.7 can parse this file."""

import sys

VERSION = "0.1.0"
"""The one place: the package, `--version`, `/health` and the tests read it here."""

if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit("Dragoman needs Python 3.10 or newer, and this is Python %d.%d." % sys.version_info[:2])  # noqa: UP031
