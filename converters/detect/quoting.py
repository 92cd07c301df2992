"""Where markup is quoted rather than meant: in a fence, inline code, HTML that shows code, behind a quotation mark.

Detection feeds it all prose and asks before it acts on a marker. It holds no text, but for the start of a line that
may prove to open a fence.
"""

from __future__ import annotations

import re
from functools import cache

from converters.text.scanner import LONGEST_RUN

RUNS = (rf"``{{0,{LONGEST_RUN - 1}}}", rf"~(?:~{{2,{LONGEST_RUN - 1}}}|~?\Z)")
"""Regexes of the runs that detection must hand to `run`, or wait for more of at the end of the text."""

HTML = {"<!--": "-->", "<pre": "</pre>", "<code": "</code>"}
"""What opens a stretch of HTML that shows code, and what closes it."""

ONE_LINE = ("</code>",)
"""Closers of stretches that end with their line, too."""

OPENING_MARKS = "\"'“”„‟«»‘’‚‹›「『《〈〝＂＇"
"""Quotation marks that can open: whether one does, what stands before it says."""

BRACKETS = "([{（［【"
_BRACKETS_SET = frozenset(BRACKETS)
REMARKABLE = OPENING_MARKS + BRACKETS
"""What a piece must not end in, if nobody is to look at it: what follows could be quoted."""


def may_quote(text: str) -> bool:
    """Whether a text, which ends in a remarkable character, may quote what follows it, or make a mark that does one."""
    return text[-1] in BRACKETS or len(text) == 1 or text[-2].isspace() or text[-2] in BRACKETS


_HELD = 4096
"""How long a marker behind a lone backtick may wait for the line to end, in characters."""

_LONGEST_START = 128
_STARTED = re.compile(r"(?:[ \t]*(?:>|[-*+](?=[ \t]|\Z)|[0-9]{1,9}(?:[.)](?=[ \t]|\Z)|\Z)))*[ \t]*")
_STARTS = re.compile(r"(?:>[ \t]*|(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)*")
_MARKS_LINE = frozenset(">-*+0123456789")
"""What list markers and block quotations begin with."""
_ITEM = re.compile(r"\n[ \t>]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]{1,4}")


class Quoting:
    """The state of the line, and of what is quoted, at the point that prose has reached."""

    __slots__ = (
        "_before",
        "_fence",
        "_indent",
        "_opens_fence",
        "_quotes",
        "_run",
        "_start",
        "_unjudged",
        "blank",
        "closer",
        "may_close",
    )

    def __init__(self) -> None:
        self.blank = True
        """Nothing but white space stands on this line so far."""
        self.closer = ""
        """What closes the stretch of HTML that shows code, if one is open."""
        self.may_close = False
        """A run that closes the fence, if nothing follows on its line, has been read on this one."""
        self._start: str | None = ""  # this line so far, while a fence may begin on it
        self._indent = 0  # how far the content of list items is set in
        self._run = 0  # the length of a run of backticks that is open on this line
        self._opens_fence = ""  # that run, if it may prove to open a fence at the end of the line
        self._fence = ""
        self._quotes = 0  # the marks of block quotation that each line of the fence begins with
        self._unjudged = False  # whether this line still has them is not known yet
        self._before = ""  # the last two characters

    @property
    def fenced(self) -> bool:
        return bool(self._fence) and not self._unjudged

    @property
    def inline(self) -> bool:
        """A run of backticks is open on this line: what follows may be a quotation."""
        return self._run > 0 and not self._fence

    @property
    def shows_code(self) -> bool:
        """What is read now stands in code of some kind, or may."""
        return bool(self._fence or self._run or self.closer)

    @property
    def before(self) -> str:
        """The last two characters."""
        return self._before

    @property
    def starts_fence(self) -> bool:
        """A fence may open here: nothing but a little white space, list markers and `>` stands on this line."""
        if self._start is None:
            return False
        start = self._start.expandtabs(4)
        content = start.lstrip(" ")
        return len(start) - len(content) <= self._indent + 3 and _STARTS.fullmatch(content) is not None

    @property
    def at_start(self) -> bool:
        """More text on this line could change what a run or a tag on it means."""
        return self._start is not None or self.blank

    @property
    def marked(self) -> bool:
        """An opening quotation mark has just been read."""
        before = self._before
        if before[-1:] not in OPENING_MARKS or not before:
            return False
        return len(before) == 1 or before[0].isspace() or before[0] in BRACKETS

    @property
    def remarkable(self) -> bool:
        """What comes next depends on the last character."""
        return self._before[-1:] in _BRACKETS_SET or self.marked

    def went_by(self, space: str) -> None:
        """Text that ends in no remarkable character, but perhaps in white space, was read by somebody else."""
        self._before = space[-1:] or "_"

    def prose(self, text: str) -> None:
        """Text without runs of backticks or tildes has been read."""
        self._before = text[-2:] if len(text) > 1 else (self._before + text)[-2:]
        if self._quotes and self._fence:
            self._judge(text)
        if "\n" in text:
            self._lines(text)
            return
        if self._start is not None:
            self._line_starts(text)
        if (self.blank or self.may_close) and text.strip():
            self.blank = self.may_close = False

    def _lines(self, text: str) -> None:
        """The end of a line, and all that follows it."""
        first, last = text.index("\n"), text.rindex("\n")
        if self._start is not None:
            self._line_starts(text[:first])
        if self.may_close or self._opens_fence:
            self._line_ended(text)
        self._run = 0
        if last - first > len("- "):
            for item in _ITEM.finditer(text, first, last):
                self._indent = item.end() - item.start() - 1
        line = text[last + 1 :]
        self.blank = not line or line.isspace()
        self._start = ""
        self._line_starts(line)

    def _line_starts(self, text: str) -> None:
        """More of a line that only white space, list markers and `>` stand on so far."""
        line = f"{self._start}{text[: _LONGEST_START + 1]}"
        content = line.lstrip(" \t")
        if content[:1] not in _MARKS_LINE:
            self._start = None if content or len(line) > _LONGEST_START else line
            return
        item = _ITEM.match("\n" + line)
        if item is not None:
            self._indent = item.end() - 1
        self._start = line if len(line) <= _LONGEST_START and _STARTED.fullmatch(line) else None

    def _judge(self, text: str) -> None:
        """A fence in a block quotation ends with it: on the first line that does not begin with its mark."""
        for number, line in enumerate(text.split("\n")):
            if number and self._unjudged:
                self._end_fence()  # an empty line
            if not self._quotes:
                return
            self._unjudged = self._unjudged or number > 0
            if self._unjudged and line.strip():
                self._unjudged = False
                if not line.lstrip().startswith(">"):
                    self._end_fence()
                    return

    def _end_fence(self) -> None:
        self._fence, self._quotes, self._unjudged = "", 0, False

    def _line_ended(self, text: str) -> None:
        """A run may have opened or closed a fence on the line that ends in a text."""
        if self.may_close and not text[: text.index("\n")].strip():
            self._end_fence()
        elif self._opens_fence and not self._fence:
            self._fence = self._opens_fence
            if self._quotes:
                self._judge("\n" + text[text.index("\n") + 1 :])
        self.may_close = False
        self._opens_fence = ""

    def run(self, run: str) -> None:
        """A whole run of backticks or tildes has been read."""
        self._before = run[-1]
        if self._fence and self._unjudged:
            self._end_fence()
        if self._fence:
            closes = self._start is not None and not self._start.strip(" \t>")
            self.may_close = closes and run.startswith(self._fence)
        elif self._run:
            self._opens_fence = ""
            if len(run) == self._run and run[0] == "`":
                self._run = 0
        elif len(run) >= 3 and self.starts_fence:
            self._opens_fence = run
            self._run = len(run)
            self._quotes = (self._start or "").count(">")
        elif run[0] == "`":
            self._run = len(run)
        self.blank = False
        self._start = None

    def removed(self) -> None:
        """Something that is not prose ended here: the line begins anew."""
        self.blank = True
        self._start = ""
        self._run = 0
        self._opens_fence = ""
        self._before = ""

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

    def closed_at(self, text: str, pos: int) -> int:
        """Where the stretch of HTML ends that is open, or what may be the start of its end; -1: not in this text."""
        closer = self.closer
        found = _closing(closer).search(text, pos)
        if found is None:
            return -1
        if found.group().lower() == closer or found.group() == "\n":
            self.closer = ""
        return found.start() if self.closer or found.group() == "\n" else found.end()


@cache
def _closing(closer: str) -> re.Pattern[str]:
    """What closes a stretch of HTML, or the start of that at the end of a text."""
    halves = (rf"{re.escape(closer[:size])}\Z" for size in range(len(closer) - 1, 0, -1))
    line_end = ["\n"] if closer in ONE_LINE else []
    return re.compile("|".join([re.escape(closer), *line_end, *halves]), re.IGNORECASE)


@cache
def _line_end_or_run(length: int) -> re.Pattern[str]:
    return re.compile(rf"(?<!`)`{{{length}}}(?!`)|\n")
