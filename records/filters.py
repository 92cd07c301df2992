"""The filter language of the inspector: `model:glm* outcome:abstained -key:ci ttft>2s since:1h timeout`.

A space means AND, a comma OR, a `-` before a term NOT. `*` stands for anything; case does not count. A word without a
field is looked for in the ids, the model and the error. Quotation marks hold blanks and commas together. A filter is
read once, and then asked of records in memory (`fits`) or of a database (`where`): both say the same.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from records.record import StoredRecord, new_id

MOST_TERMS = 32
LONGEST = 1000
"""Characters of a filter."""
SLOW = 10.0
"""Seconds from which an exchange is slow, where nobody says another number."""

TEXTS: Mapping[str, str] = {
    "id": "id",
    "request": "request_id",
    "model": "model",
    "row": "row_name",
    "outcome": "outcome",
    "key": "key_name",
    "face": "face",
    "path": "path",
    "backend": "backend",
    "state": "state",
    "error": "error",
    "finish": "finish_reason",
}
"""Fields that hold text, and their columns."""
NUMBERS: Mapping[str, str] = {
    "status": "status",
    "calls": "calls",
    "attempts": "attempts",
    "pieces": "pieces",
    "in": "tok_in",
    "out": "tok_out",
    "bytes": "bytes_out",
}
DURATIONS: Mapping[str, str] = {"ttft": "first_word_us", "byte": "first_byte_us", "total": "total_us"}
"""Until the first word, until the backend's first byte, until the end."""
TIMES = ("since", "until")
FLAGS = ("failed", "slow", "open", "stream", "text")
KNOWN: Mapping[str, tuple[str, ...]] = {
    "outcome": ("untouched", "translated", "repaired", "abstained"),
    "state": ("open", "ended", "lost"),
    "is": FLAGS,
}
"""Fields with few values."""
FIELDS = (*TEXTS, "code", "is", *NUMBERS, *DURATIONS, *TIMES)
_MOST_STARS = 8
_SEARCHED = ("id", "request_id", "model", "error")

_TERM = re.compile(r'(-?)(?:([a-z_]+)(:|>=|<=|>|<|=))?((?:"[^"]*"|[^\s"])*)', re.IGNORECASE)
_VALUE = re.compile(r'((?:"[^"]*"|[^",])*)(?:,|\Z)')
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(us|ms|s|m|h|d)?")
_MICROSECONDS = {"us": 1, "ms": 10**3, "s": 10**6, "m": 60 * 10**6, "h": 3600 * 10**6, "d": 86400 * 10**6}
_LONGEST_DURATION = 1 << 62
"""Microseconds. More is no integer of a database, and no exchange takes so long."""
_COUNT = re.compile(r"[0-9]{1,15}")
_LIKE = re.compile(r"[!%_]")
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    "=": lambda one, other: one == other,
}


class BadTerm(ValueError):
    """A term that cannot be understood. `str()` says what is allowed."""

    def __init__(self, message: str, at: int) -> None:
        """`at` is the number of the term, from 0."""
        super().__init__(message)
        self.at = at


@dataclass(frozen=True, slots=True)
class Check:
    """One value of a term, asked of one column. `how` is `like`, `code`, `some`, `flag`, or a comparison."""

    column: str
    how: str
    value: str | int = ""

    def fits(self, record: StoredRecord) -> bool:
        """Whether a record passes."""
        if self.how == "code":
            return any(_matches(str(self.value), _plain(code.code)) for code in record.codes)
        if self.how == "flag":
            return _flag_of(self.column, record)
        value = getattr(record, self.column)
        if self.how == "some":
            return bool(value)
        if self.how == "like":
            return _matches(str(self.value), _plain(value or ""))
        return value is not None and _COMPARED[self.how](value, self.value)

    def where(self, name: str) -> tuple[str, Mapping[str, Any]]:
        """(a condition of SQL that is never NULL, its parameters). `name` is that of the parameter."""
        if self.how == "flag":
            return _FLAGS_SQL[self.column], {}
        if self.how == "some":
            return f"coalesce({self.column}, '') <> ''", {}
        if self.how in ("like", "code"):
            pattern = _LIKE.sub(lambda found: f"!{found[0]}", str(self.value)).replace("*", "%")
            column = "code" if self.how == "code" else f"coalesce({self.column}, '')"
            # in this collation only the letters of ASCII have two cases, in every database
            like = f"lower({column} COLLATE \"C\") LIKE :{name} ESCAPE '!'"
            inner = f"id IN (SELECT record_id FROM record_code WHERE {like})"
            return inner if self.how == "code" else like, {name: pattern}
        if (self.column, self.how) == ("received_us", ">="):
            # the id tells when an exchange began, so that the primary key finds it; it is cut to whole milliseconds
            oldest = new_id(max(int(self.value) / 1e6 - 0.001, 0))[:13]
            return f"(received_us >= :{name} AND id >= :{name}_id)", {name: self.value, f"{name}_id": oldest}
        return f"({self.column} IS NOT NULL AND {self.column} {self.how} :{name})", {name: self.value}


@dataclass(frozen=True, slots=True)
class Term:
    """Any of its checks must be passed; if `negated`, none."""

    checks: tuple[Check, ...]
    negated: bool = False

    def fits(self, record: StoredRecord) -> bool:
        return any(check.fits(record) for check in self.checks) != self.negated

    def where(self, name: str) -> tuple[str, Mapping[str, Any]]:
        """(a condition of SQL, its parameters), all of whose names begin with `name`."""
        parts = [check.where(f"{name}_{place}") for place, check in enumerate(self.checks)]
        condition = f"({' OR '.join(part for part, _ in parts)})"
        values = {key: value for _, given in parts for key, value in given.items()}
        return f"NOT {condition}" if self.negated else condition, values


_FLAGS_SQL: Mapping[str, str] = {
    "failed": "(status >= 400 OR error IS NOT NULL)",
    "slow": f"(total_us IS NOT NULL AND total_us >= {int(SLOW * 1e6)})",
    "open": "state = 'open'",
    "stream": "stream = 1",
    "text": "has_text = 1",
}


def _flag_of(name: str, record: StoredRecord) -> bool:
    return {
        "failed": record.failed,
        "slow": record.total_us is not None and record.total_us >= SLOW * 1e6,
        "open": record.state == "open",
        "stream": record.stream,
        "text": record.has_text,
    }[name]


def parse(text: str, now: float | None = None) -> tuple[Term, ...]:
    """The terms of a filter. `now` is in seconds since 1970. Raises BadTerm."""
    if len(text) > LONGEST:
        raise BadTerm(f"A filter has at most {LONGEST} characters.", 0)
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    terms: list[Term] = []
    pos = len(text) - len(text.lstrip())
    while pos < len(text):
        at = len(terms)
        if at == MOST_TERMS:
            raise BadTerm(f"A filter has at most {MOST_TERMS} terms.", at)
        found = _TERM.match(text, pos)
        assert found is not None  # it matches nothing, if need be
        pos = found.end()
        if pos < len(text) and not text[pos].isspace():
            raise BadTerm('A quotation mark is not closed: "…" holds blanks and commas together.', at)
        terms.append(_term(found, at, time.time() if now is None else now))
        pos += len(text[pos:]) - len(text[pos:].lstrip())
    return tuple(terms)


def _term(found: re.Match[str], at: int, now: float) -> Term:
    minus, field, operator, rest = found.groups()
    if field is None:
        word = _unquoted(rest)
        if not word:
            raise BadTerm("A '-' stands directly before what is not wanted.", at)
        if word.count("*") > _MOST_STARS:
            raise BadTerm(f"A word has at most {_MOST_STARS} '*'.", at)
        return Term(tuple(Check(column, "like", f"*{_plain(word)}*") for column in _SEARCHED), bool(minus))
    field = field.lower()
    if field not in FIELDS:
        raise BadTerm(f"There is no field {field!r}. Fields are {', '.join(FIELDS)}.", at)
    values = [_unquoted(value) for value in _values(rest)]
    if not all(values):
        raise BadTerm(f"{field}{operator} needs a value. Several are separated by commas.", at)
    checks = [_check(field, operator, value, at, now) for value in values]
    if field == "code":  # `adapted` means `adapted:system_first`, too
        checks += [replace(check, value=f"{check.value}:*") for check in checks]
    return Term(tuple(checks), bool(minus))


def _check(field: str, operator: str, value: str, at: int, now: float) -> Check:
    if field in NUMBERS or field in DURATIONS:
        return _number(field, "=" if operator == ":" else operator, value, at)
    if operator not in (":", "="):
        raise BadTerm(f"{field} is no number: {field}:value.", at)
    if field in TIMES:
        moment = _moment(value, now)
        if moment is None:
            raise BadTerm(f"{field} takes a time such as 90s, 15m, 1h, 2d or 2026-11-29T12:00 (UTC).", at)
        return Check("received_us", ">=" if field == "since" else "<=", moment)
    if value.count("*") > _MOST_STARS:
        raise BadTerm(f"A value has at most {_MOST_STARS} '*'.", at)
    value = _plain(value)
    known = KNOWN.get(field)
    if known is not None and "*" not in value and value not in known:
        raise BadTerm(f"{field} is one of {', '.join(known)}.", at)
    if field == "is":
        if value not in FLAGS:
            raise BadTerm(f"is: takes {', '.join(FLAGS)}.", at)
        return Check(value, "flag")
    if field == "code":
        return Check("code", "code", value)
    return Check(TEXTS[field], "like", value) if value.strip("*") else Check(TEXTS[field], "some")


def _number(field: str, operator: str, value: str, at: int) -> Check:
    if field in NUMBERS:
        if _COUNT.fullmatch(value) is None:
            raise BadTerm(f"{field} takes a whole number: {field}:404, {field}>=400.", at)
        return Check(NUMBERS[field], operator, int(value))
    duration = _duration(value)
    if duration is None:
        raise BadTerm(f"{field} takes a duration such as 250ms, 2s or 1.5m: {field}>2s.", at)
    return Check(DURATIONS[field], operator, duration)


def _duration(text: str) -> int | None:
    """Microseconds; a number alone is seconds."""
    found = _DURATION.fullmatch(text.lower())
    if found is None:
        return None
    return min(round(float(found[1]) * _MICROSECONDS[found[2] or "s"]), _LONGEST_DURATION)


def _moment(text: str, now: float) -> int | None:
    """Microseconds since 1970: so long ago, or an ISO time."""
    ago = _duration(text)
    if ago is not None:
        return max(int(now * 1e6) - ago, 0)
    try:
        time_of = datetime.fromisoformat(text.upper().removesuffix("Z"))
        if time_of.tzinfo is None:
            time_of = time_of.replace(tzinfo=timezone.utc)
        return max(int(time_of.timestamp() * 1e6), 0)
    except (ValueError, OverflowError):
        return None


def _values(text: str) -> Sequence[str]:
    values: list[str] = []
    pos = 0
    while True:
        found = _VALUE.match(text, pos)
        if found is None:
            return values
        values.append(found[1])
        pos = found.end()
        if not found[0].endswith(",") or len(found[0]) == len(found[1]):
            return values


def _unquoted(text: str) -> str:
    return text.replace('"', "")


def _plain(text: str) -> str:
    """In lower case, as far as ASCII goes."""
    return text if text.islower() else re.sub("[A-Z]+", lambda found: found[0].lower(), text)


def _matches(pattern: str, text: str) -> bool:
    """Whether a text is a pattern in which `*` stands for anything."""
    parts = pattern.split("*")
    if len(parts) == 1:
        return text == pattern
    first, *middle, last = parts
    if not text.startswith(first) or not text.endswith(last) or len(first) + len(last) > len(text):
        return False
    pos, end = len(first), len(text) - len(last)
    for part in middle:
        pos = text.find(part, pos, end)
        if pos < 0:
            return False
        pos += len(part)
    return True
