"""One file of records for several workers, where no RECORD_DB is set: private, and removed when the service ends.

Called in gunicorn's master before it forks, so its workers find the file in their environment.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path

from config import Config

log = logging.getLogger("dragoman")

_VARIABLE = "RECORD_DB"
_OURS = "DRAGOMAN_PRIVATE_RECORDS"
"""The folder that this master, or the one that it replaces, has made."""

_folder: str | None = None


def share_records(config: Config, workers: int) -> None:
    """Make the file's folder, if it is needed. Without one, each worker keeps its own records in memory."""
    global _folder
    set_by_us = config.record_db is not None and os.environ.get(_OURS) == _folder_of(config.record_db)
    if workers < 2 or config.record == "off" or (config.record_db is not None and not set_by_us):
        return
    try:
        _folder = tempfile.mkdtemp(prefix="dragoman-records-")  # mode 0700
    except OSError as error:
        log.warning("Each worker shows its own records only: there is no folder for a common file (%s)", error.strerror)
        return
    os.environ[_VARIABLE] = f"sqlite:///{Path(_folder, 'records.sqlite')}"
    os.environ[_OURS] = _folder


def _folder_of(url: str) -> str:
    return str(Path(url.removeprefix("sqlite:///")).parent)


def forget_records() -> None:
    """Remove the folder that this process made."""
    global _folder
    if _folder is not None:
        shutil.rmtree(_folder, ignore_errors=True)
        _folder = None
