"""The filters of a query string: those with names of their own, and `q`, which holds several in words."""

from __future__ import annotations

from collections.abc import Mapping

from errors import BadFilter, RequestError
from records.filters import SLOW, BadTerm, Term, parse
from records.query import MOST, PAGE, Query

_TEXTS = ("model", "row", "outcome", "code", "key", "face", "state", "before")
_LONGEST = 200
"""Characters of a filter."""


def query_of(args: Mapping[str, str], own: str | None) -> Query:
    """The filters of a query string. Raises RequestError for one that cannot be understood."""
    texts = {name: plain(args.get(name, "")) for name in _TEXTS}
    slow = args.get("slow")
    return Query(
        own=own,
        **texts,
        request_id=plain(args.get("request", "")),
        status=int(_number(args, "status")) if "status" in args else None,
        failed=flag(args, "failed"),
        slow=None if slow in (None, "", "0", "false") else SLOW if slow == "true" else _number(args, "slow"),
        since_us=int(_number(args, "since") * 1e6) if "since" in args else None,
        until_us=int(_number(args, "until") * 1e6) if "until" in args else None,
        changed_us=None,
        limit=max(1, min(int(_number(args, "limit")), MOST)) if "limit" in args else PAGE,
        terms=_terms(args.get("q", "")),
    )


def _terms(text: str) -> tuple[Term, ...]:
    try:
        return parse(text)
    except BadTerm as error:
        raise BadFilter(str(error), error.at) from None


def plain(text: str) -> str:
    """A filter, without what no record holds and not every database takes."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_LONGEST])


def flag(args: Mapping[str, str], name: str) -> bool:
    """A parameter that is true or false; false if it is missing. Raises RequestError."""
    text = args.get(name, "").lower()
    if text not in ("", "0", "1", "true", "false"):
        raise RequestError(f"{name!r} must be true or false.", param=name)
    return text in ("1", "true")


def _number(args: Mapping[str, str], name: str) -> float:
    try:
        number = float(args[name])
        if 0 <= number < 1e11:  # seconds since 1970, and less than no number
            return number
    except ValueError:
        pass
    raise RequestError(f"{name!r} must be a number, 0 or more.", param=name)
