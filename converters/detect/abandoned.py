"""Why what looks like a call stays text: passive, so that looking for a reason never changes what a client gets.

Detection shows it the text that it passes. Held: nothing. What may become something that looks like a call is only
remembered, at most `_MOST` characters of it, until more text has come.

    no_tools               a call's markup, but the request brings no tools
    quoted                 a call's markup, or JSON that names a declared tool, in a fence, inline code, HTML or quotes
    unknown_markup         a tag or special token that looks like a call's and is of no row
    bare_json_with_text    JSON that names a declared tool, beside other text
    bare_json_unfit        the same as the beginning of the message, but not only a name and arguments
    placeholder_call       markup of a call behind whose opener `...` stands in place of the arguments
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from converters.detect.quoting import BRACKETS, OPENING_MARKS, Quoting
from converters.shapes import grammar
from converters.syntaxes import END_TOKENS, REASONING_TAGS, RESULTS, SYNTAXES, TURN_HEADERS
from converters.text.expectations import Expectations
from converters.text.reasons import Reason
from converters.text.scanner import folded

_MOST = 400
"""Characters that may become something that looks like a call."""
BARE_HEAD = r'\{(?:[\s"\\]|\Z)'
"""A regex of what JSON begins with that may look like a call, as text or as part of a JSON string."""
_TAG = re.compile(r"<(?:\Z|[A-Za-z|｜][^<>]{0,80}(?:\Z|>))")
_SQUARE = re.compile(r"\[(?:\Z|[A-Z][A-Z_ ]{0,40}(?:\Z|\]))")
_CALLISH = re.compile(
    r"<(?:[|｜].*(?:call|tool|func|invoke).*[|｜]?>"
    r"|(?:\w{1,24}[:_|-])?(?:tool|function|invoke)(?:s?[\s_=:/>-]|call))|\[TOOL",
    re.IGNORECASE | re.DOTALL,
)
_KEYS = "name|tool_name|tool|function_name|function|action|recipient_name"
_JSON = re.compile(rf'\{{\s{{0,64}}"(?:{_KEYS})"\s{{0,16}}:\s{{0,16}}"([^"\\\n]{{1,200}})"')
_JSON_SO_FAR = re.compile(
    r"\{\s{0,64}(?:\Z|\"(?:\w{0,20}\Z|"
    rf'(?:{_KEYS})"\s{{0,16}}(?:\Z|:\s{{0,16}}(?:\Z|"[^"\\\n]{{0,200}}\Z))))'
)
_LIST = re.compile(r"\[\s{0,8}([A-Za-z_][\w.]{0,100})\(")
_LIST_SO_FAR = re.compile(r"\[\s{0,8}((?:[A-Za-z_][\w.]{0,100})?)\Z")
_AROUND_JSON = " \t\r\n["
_PLACEHOLDER = re.compile(
    r"[^.…*]{0,200}?[:({=>\[,]\s{0,8}(?:\{\s{0,8})?(?:\.\.\.|…|\*\*[A-Za-z]|<[A-Za-z][\w -]{0,40}>\s*[,)}\]<])"
)
_PLACEHOLDER_WITHIN = 256
_SPEAKS_OF_CALLS = re.compile(r"[<\[\]].*(?:tool|call|func|invoke|python_|action)", re.IGNORECASE | re.DOTALL)


class Left(NamedTuple):
    """Text that looks like a call and stays text: where it stands in the raw text, in characters, and why."""

    start: int
    length: int
    code: Reason


@lru_cache(maxsize=256)
def _begins(initials: str) -> Callable[..., re.Match[str] | None]:
    """Finds what a text that looks like a call begins with, where the names of tools begin with these letters."""
    name = rf"[{re.escape(initials)}]|" if initials else ""
    return re.compile(rf'<(?=[A-Za-z|｜]|\Z)|\[(?=T|\s{{0,8}}(?:{name}\Z))|\{{(?=\s{{0,64}}(?:"|\Z))').search


_MOST_SPANS = 1000
"""Places that are remembered of one text, where they are."""


class Abandoned:
    """What looked like a call in one text and stays text."""

    __slots__ = (
        "_before",
        "_begins",
        "_behind_opener",
        "_expectations",
        "_holes",
        "_next_bare",
        "_quoted_from",
        "_rejected_at",
        "_tail",
        "_tail_is_quoted",
        "codes",
        "in_html",
        "kind",
        "pending",
        "position",
        "spans",
    )

    def __init__(self, expectations: Expectations, *, has_rows: bool) -> None:
        """Without rows nothing is looked for, unless that is so because the request brings no tools."""
        self.kind: Literal["", "no_tools", "calls"] = "calls" if has_rows else ""
        if not expectations.translate:
            self.kind = "no_tools"
        self.codes: set[Reason] = set()
        """Why markup stays text, so far."""
        self.spans: list[Left] = []
        """Where that was, if `position` is given; the first of them."""
        self.position: Callable[[], int] | None = None
        """Tells how much of the raw text has been read."""
        self.pending = False
        """More text could make something of what has passed: all of it must be shown."""
        self.in_html = False
        """The text that passes stands in HTML that shows code."""
        self._expectations = expectations
        self._begins = _begins("".join(sorted({name[:1] for name in expectations.tools})))
        self._tail = ""  # what may become something that looks like a call
        self._tail_is_quoted = False
        self._before = ""  # the two characters before the tail
        self._next_bare: Reason = "bare_json_with_text"  # what JSON is that begins next
        self._behind_opener = False  # JSON that begins next stands behind an opener that was left
        self._holes: str | None = None  # text behind such an opener, in which a placeholder may stand
        self._quoted_from = 0  # where the quoted call begins that is being read
        self._rejected_at = (0, 0)  # the place of that opener, and its length

    def leave(self, code: Reason, length: int, back: int = 0) -> None:
        """What begins here, or so many characters back, stays text."""
        self._tell(code, self._here() - back, length)

    def _here(self) -> int:
        return self.position() if self.position is not None else 0

    def _tell(self, code: Reason, start: int, length: int) -> None:
        self.codes.add(code)
        if self.position is not None and len(self.spans) < _MOST_SPANS:
            self.spans.append(Left(start, length, code))

    # -- what detection decided ----------------------------------------------------------------------------------------

    def opener(self, length: int, why: Reason | None = None, *, began: bool = False) -> None:
        """An opener of so many characters is left as text, here.

        `began`: a call had begun behind it, so that a placeholder in its place may say more than `why`.
        """
        self.broken()
        self.leave(why or "marker_left", length)
        self._behind_opener = True
        if began:
            self._rejected_at = self._here(), length
            self._holes, self.pending = "", True

    def quotation_begins(self) -> None:
        """A call begins here that is quoted."""
        self._quoted_from = self._here()

    def quotation_ends(self) -> None:
        """It ended here."""
        self._tell("quoted", self._quoted_from, self._here() - self._quoted_from)

    def bare(self, *, with_text: bool) -> None:
        """What began like a call without a marker, here, is none: the JSON that begins now is judged as such."""
        self._next_bare = "bare_json_with_text" if with_text else "bare_json_unfit"

    # -- the text that passes ------------------------------------------------------------------------------------------

    def prose(self, text: str, quoting: Quoting) -> None:
        """Text for the user has passed; `quoting` is told of it."""
        if self.kind == "" or (not self.pending and self._begins(text) is None):
            self._behind_opener = self._behind_opener and text.isspace()
            quoting.prose(text)
            return
        was_quoted, before = quoting.shows_code, quoting.before
        quoting.prose(text)
        self._passed(text, before, was_quoted, quoting.shows_code)

    def _passed(self, text: str, before: str, was_quoted: bool, is_quoted: bool, *, last: bool = False) -> None:
        """More text has passed, behind the characters `before`.

        `was_quoted` up to the end of its first line, `is_quoted` from there on. `last`: nothing follows directly.
        """
        if self._holes is not None and text:
            self._look_for_placeholder(text)
        held, text = len(self._tail), self._tail + text
        before = self._before if held else before
        tail_was_quoted, self._tail = self._tail_is_quoted, ""
        first_line = text.find("\n", held)
        begins, done = self._begins(text), held
        while begins is not None:
            start = begins.start()
            self._between(text[done:start])
            done = max(done, start)
            quoted = (
                tail_was_quoted if start < held else was_quoted if start < first_line or first_line < 0 else is_quoted
            )
            ahead = before + text[max(0, start - 2) : start]
            quoted = quoted or self.in_html or _is_marked(ahead[-2:])
            after = self._look(begins, start - held, quoted=quoted)
            if after == 0 and not last:
                self._tail, self._tail_is_quoted, self._before = text[start:], quoted, ahead[-2:]
                break
            done = max(done, after)
            begins = self._begins(text, max(after, start + 1))
        else:
            self._between(text[done:])
        self.pending = bool(self._tail) or self._holes is not None

    def broken(self) -> None:
        """Something that is no prose stands here, or the end: what has passed stays what it is."""
        if self.pending:
            self._holes = None
            self._passed("", "", was_quoted=False, is_quoted=False, last=True)

    def _between(self, text: str) -> None:
        """Text that begins nothing: JSON behind words does not stand behind an opener any more."""
        self._behind_opener = self._behind_opener and not text.strip(_AROUND_JSON)

    def _look(self, begins: re.Match[str], offset: int, *, quoted: bool) -> int:
        """Judge what begins `offset` characters from here: the position behind it. 0: more text must come."""
        text, start = begins.string, begins.start()
        if text[start] == "{":
            return self._look_at_bare(begins, offset, _JSON, _JSON_SO_FAR, quoted=quoted)
        found = (_TAG if text[start] == "<" else _SQUARE).match(text, start)
        if found is None:
            if text[start] == "<":
                return start + 1
            return self._look_at_bare(begins, offset, _LIST, _LIST_SO_FAR, quoted=quoted)
        markup = found.group()
        if markup[-1] not in ">]":
            return 0
        is_opener = folded(markup).startswith(_openers())
        code: Reason | None = None
        if self.kind == "no_tools":
            code = "no_tools" if is_opener else None
        elif quoted:
            code = "quoted" if is_opener else None
        elif not is_opener and _CALLISH.match(markup) and folded(markup) not in _known():
            code = "unknown_markup"
        if code is not None:
            self.leave(code, len(markup), -offset)
        self._behind_opener = is_opener
        return found.end()

    def _look_at_bare(
        self, begins: re.Match[str], offset: int, sample: re.Pattern[str], so_far: re.Pattern[str], *, quoted: bool
    ) -> int:
        """The same for what may be a call without markup."""
        text, start = begins.string, begins.start()
        if self.kind != "calls" or self._expectations.json_answer:
            return start + 1
        found = sample.match(text, start)
        half = so_far.match(text, start) if found is None else None
        if half is not None and (sample is _JSON or self._may_be_tool(half[1])):
            return 0
        if found is None and sample is _LIST:
            return start + 1  # a list may hold what is meant
        code, self._next_bare = self._next_bare, "bare_json_with_text"
        behind_opener, self._behind_opener = self._behind_opener, False
        if found is None:
            return start + 1
        if not behind_opener and self._expectations.declared(found[1]) is not None:
            self.leave("quoted" if quoted else code, found.end() - start, -offset)
        return found.end()

    def _may_be_tool(self, word: str) -> bool:
        """Whether a tool's name begins so."""
        return any(tool.startswith(word) for tool in self._expectations.tools)

    def _look_for_placeholder(self, text: str) -> None:
        self._holes = f"{self._holes}{text[:_PLACEHOLDER_WITHIN]}"[:_PLACEHOLDER_WITHIN]
        if _PLACEHOLDER.match(self._holes):
            self._tell("placeholder_call", *self._rejected_at)
            self._holes = None
        elif len(self._holes) >= _PLACEHOLDER_WITHIN:
            self._holes = None


def may_name(text: str) -> bool:
    """Whether a text holds JSON that names a tool, or the beginning of such JSON at its end."""
    return _NAMES_SO_FAR(text) is not None


_NAMES_SO_FAR = re.compile(rf"{_JSON.pattern}|{_JSON_SO_FAR.pattern}").search


def _is_marked(before: str) -> bool:
    """Whether an opening quotation mark stands directly before."""
    return (
        before[-1:] in OPENING_MARKS
        and before != ""
        and (len(before) == 1 or before[0].isspace() or before[0] in BRACKETS)
    )


@cache
def _openers() -> tuple[str, ...]:
    """The openers of all rows that cannot be words."""
    found = {folded(entry.opener) for row in map(grammar, SYNTAXES) for entry in row.entries}
    return tuple(sorted(each for each in found if _SPEAKS_OF_CALLS.match(each)))


@cache
def _known() -> frozenset[str]:
    """Tags and special tokens that stand in the table, wherever in a sample."""
    texts: list[str] = [*END_TOKENS, *RESULTS, *(each.opens for each in TURN_HEADERS)]
    texts += [tag for each in REASONING_TAGS for tag in (each.opens, *each.closes)]
    for row in SYNTAXES:
        for each in fields(row):
            value = getattr(row, each.name)
            texts += (
                [value]
                if isinstance(value, str)
                else [v for v in value if isinstance(v, str)]
                if isinstance(value, tuple)
                else []
            )
    return frozenset(folded(found) for text in texts for found in re.findall(r"<[^<>]{1,80}>|\[[A-Z_ ]+\]", text))
