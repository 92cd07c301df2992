"""Notices what goes wrong beside the answers: a thread that ends with an exception, and a traceback that is written."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from serving.logs import JsonLines, ReadableLines

_TRACEBACK = re.compile(rb"Traceback \(most recent call last\)|--- Logging error ---|Exception ignored|Fatal Python")
_SHOWN = 3000


class Watch(logging.Handler):
    """`seen` is what went wrong, as text. Both forms of our log are written to stderr, which is read again."""

    def __init__(self, stderr: Any) -> None:
        super().__init__()
        self.seen: list[str] = []
        self._stderr = stderr
        self._read = 0
        self._lines = logging.StreamHandler(stderr)
        self._forms = (JsonLines(), ReadableLines())
        self._count = 0

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[0] is not None:
            self.seen.append(f"a traceback in the log: {logging.Formatter().formatException(record.exc_info)}")
            return
        self._count += 1
        self._lines.setFormatter(self._forms[self._count % 2])
        self._lines.handle(record)

    def thread_ended(self, told: threading.ExceptHookArgs) -> None:
        name = told.thread.name if told.thread is not None else "?"
        self._tell(f"the thread {name!r} ended", told.exc_value)

    def unraisable(self, told: Any) -> None:
        self._tell(f"{told.err_msg or 'an exception that nobody could catch'}: {told.object!r}", told.exc_value)

    def _tell(self, what: str, error: BaseException | None) -> None:
        lines = "".join(traceback.format_exception(error)) if error is not None else ""
        self.seen.append(f"{what}: {lines}")

    def listen(self) -> None:
        """Take stderr, unless it is taken. pytest takes it away before each test."""
        if sys.stderr is not self._stderr.file:
            sys.stderr = self._stderr.file
            os.dup2(self._stderr.fileno(), 2)

    def look(self) -> str:
        """What went wrong since the last look; empty if nothing did."""
        self._stderr.flush()
        size = os.fstat(self._stderr.fileno()).st_size
        if size > self._read:
            with open(self._stderr.name, "rb") as file:
                file.seek(self._read)
                text = file.read(size - self._read)
            self._read = size
            if found := _TRACEBACK.search(text):
                start = max(0, found.start() - 200)
                self.seen.append(f"it was written to stderr: {text[start : start + _SHOWN].decode(errors='replace')}")
        if self._read > 1 << 24:
            os.truncate(self._stderr.name, 0)
            self._read = 0
        seen, self.seen = self.seen, []
        return "\n".join(seen)[-_SHOWN:]


@contextmanager
def watching() -> Iterator[Watch]:
    """What is written to stderr, by children too, goes to a file, and so does the log, in both its forms."""
    logger = logging.getLogger("dragoman")
    with ExitStack() as stack, tempfile.NamedTemporaryFile("a", encoding="utf-8", errors="backslashreplace") as file:
        watch = Watch(file)
        before = sys.stderr, threading.excepthook, sys.unraisablehook, logger.level
        kept = os.dup(2)

        def restore() -> None:
            sys.stderr, threading.excepthook, sys.unraisablehook, level = before
            logger.setLevel(level)
            logger.removeHandler(watch)
            os.dup2(kept, 2)
            os.close(kept)

        stack.callback(restore)
        watch.listen()
        threading.excepthook, sys.unraisablehook = watch.thread_ended, watch.unraisable
        logger.addHandler(watch)
        yield watch
