"""The folder in which the workers of one service count together: private, and removed when the service ends.

Called in gunicorn's master before it forks. The library imports what gevent must patch before: so this file does not
import it.
"""

from __future__ import annotations

import logging
import os
import shutil
import struct
import tempfile
from contextlib import suppress

log = logging.getLogger("dragoman")

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The library's own variable."""
_OURS = "DRAGOMAN_METRICS_FOLDER"
"""The folder that this master, or the one that it replaces, has made."""
_UNDER_WAY = "gauge_livesum"
_KINDS = ("counter", "histogram", _UNDER_WAY)
"""The library makes one file of each in each process."""
_USED = struct.Struct("i")
"""Such a file begins with how many of its bytes are used."""
_FILE_BYTES = 1 << 20
"""Bytes of such a file at its beginning. It does not grow: there are only so many labels (telemetry/labels.py)."""

_folder: str | None = None


def share_metrics() -> None:
    """Make the folder, unless somebody has named one. Without one, each worker tells its own."""
    global _folder
    named = os.environ.get(FOLDER)
    if named and named != os.environ.get(_OURS):
        return
    try:
        _folder = tempfile.mkdtemp(prefix="dragoman-metrics-")  # mode 0700
    except OSError as error:
        os.environ.pop(FOLDER, None)
        log.warning("Each worker tells its own metrics only: there is no folder for common ones (%s)", error.strerror)
        return
    os.environ[FOLDER] = os.environ[_OURS] = _folder


def worker_ended(process: int) -> None:
    """What a worker had under way ended with it. What it counted stays; the room that it has not used is given back."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    with suppress(OSError):
        os.remove(_path(folder, _UNDER_WAY, process))
    for kind in _KINDS:
        with suppress(OSError), open(_path(folder, kind, process), "r+b") as file:
            (used,) = _USED.unpack(file.read(_USED.size).ljust(_USED.size, b"\0"))
            file.truncate(max(used, _USED.size))


def forget_metrics() -> None:
    """Remove the folder that this process made."""
    global _folder
    if _folder is not None:
        shutil.rmtree(_folder, ignore_errors=True)
        _folder = None


def reserve(process: int) -> None:
    """Take the room of a process's files now: on a disk that is full later, the system would kill it as it counts."""
    for kind in _KINDS:
        try:
            file = os.open(_path(os.environ[FOLDER], kind, process), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            log.warning("Metrics: %s", error.strerror)
            return
        try:
            if os.fstat(file).st_size == 0 and hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file, 0, _FILE_BYTES)
        except OSError as error:  # full already
            log.warning("Metrics have no room for their files: %s", error.strerror)
        finally:
            os.close(file)


def _path(folder: str, kind: str, process: int) -> str:
    """The name that the library gives the file."""
    return os.path.join(folder, f"{kind}_{process}.db")
