"""Where markup is quoted rather than meant: in a code fence, or between equal runs of backticks on one line.

Detection feeds it all prose and asks before it acts on a marker. It holds no text.
"""

from __future__ import annotations

import re
from functools import cache

RUNS = ("``*", r"~(?:~{2,}|~?\Z)")
"""Regexes of the runs that detection must hand to `run`, or wait for more of at the end of the text."""

_HELD = 4096
"""How long a marker behind a lone backtick may wait for the line to end, in characters."""


class Quoting:
    """The state of the line and of the fence at the point that prose has reached."""

    __slots__ = ("_fence", "_opens_fence", "_run", "blank", "may_close")

    def __init__(self) -> None:
        self.blank = True
        """Nothing but white space stands on this line so far."""
        self._run = 0  # the length of a run of backticks that is open on this line
        self._opens_fence = ""  # that run, if it may prove to open a fence at the end of the line
        self._fence = ""
        self.may_close = False
        """A run that closes the fence, if nothing follows on its line, has been read on this one."""

    @property
    def fenced(self) -> bool:
        return bool(self._fence)

    @property
    def inline(self) -> bool:
        """A run of backticks is open on this line: what follows may be a quotation."""
        return self._run > 0 and not self._fence

    def prose(self, text: str) -> None:
        """Text without runs of backticks or tildes has been read."""
        if "\n" in text:
            self._line_ended(text)
            self.blank = not text[text.rindex("\n") :].strip()
        elif text.strip():
            self.blank = False
            self.may_close = False

    def _line_ended(self, text: str) -> None:
        if self.may_close and not text[: text.index("\n")].strip():
            self._fence = ""
        elif self._opens_fence and not self._fence:
            self._fence = self._opens_fence
        self.may_close = False
        self._opens_fence = ""
        self._run = 0

    def run(self, run: str) -> None:
        """A whole run of backticks or tildes has been read."""
        if self._fence:
            self.may_close = self.blank and run.startswith(self._fence)
        elif self._run:
            self._opens_fence = ""
            if len(run) == self._run and run[0] == "`":
                self._run = 0
        elif self.blank and len(run) >= 3:
            self._opens_fence = run
            self._run = len(run)
        elif run[0] == "`":
            self._run = len(run)
        self.blank = False

    def removed(self) -> None:
        """Something that is not prose ended here: the line begins anew."""
        self.blank = True
        self._run = 0
        self._opens_fence = ""

    def quotation(self, text: str, pos: int, *, whole: bool) -> int | None:
        """Where the quotation ends that a marker before `pos` stands in; 0 if it stands in none; None: not yet.

        `whole` says that no more text will come.
        """
        if not self._run:
            return 0
        end = _line_end_or_run(self._run).search(text, pos)
        if end is None or (end.end() == len(text) and end.group() != "\n"):
            if not whole and len(text) - pos < _HELD:
                return None
            return end.end() if end else 0
        if end.group() == "\n":
            return end.end() if self._opens_fence else 0
        return end.end()


@cache
def _line_end_or_run(length: int) -> re.Pattern[str]:
    return re.compile(rf"(?<!`)`{{{length}}}(?!`)|\n")
