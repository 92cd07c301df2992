"""Calls whose arguments stand in tags: what returns with each argument, and what stands around all of them.

name A key B value C key B value D        A = header opener, C = closer opener, D = closer foot
name Z                                    Z = header foot
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from converters.learning.tokens import Tokens, common_ending

_TAG = re.compile(r"</?(?=[{\w])")
_WORD = re.compile(r"\w+")


class NotDerived(Exception):
    """No row can be made of what the template renders; `str()` says why, in one line."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the tags of arguments look like."""

    header: str
    """Between the name and the first argument."""
    sample: str
    closer: str
    """What closes a value, without blanks behind it."""
    keyed: bool
    """The closer carries the key."""
    string_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """The text of one call with two arguments, cut at its name, keys and values."""

    to_key: str
    to_value: str
    to_next: str
    to_end: str

    @classmethod
    def of(cls, text: str, keys: tuple[str, str], values: tuple[str, str]) -> Cut:
        """Raises NotDerived if they do not stand in this order."""
        places, pos = [], 0
        for word in (keys[0], values[0], keys[1], values[1]):
            found = text.find(word, pos)
            if found < 0:
                raise NotDerived("keys and values of a call do not stand in the order of its arguments")
            places.append((found, found + len(word)))
            pos = found + len(word)
        (k1, k1_end), (v1, v1_end), (k2, k2_end), (v2, v2_end) = places
        named = max(text.rfind("{name}", 0, k1), text.rfind("{id}", 0, k1))
        if named < 0:
            raise NotDerived("the name of a call does not stand before its arguments")
        named = text.index("}", named) + 1
        if text[k1_end:v1] != text[k2_end:v2]:
            raise NotDerived("two arguments of a call are not written alike")
        to_next, to_end = text[v1_end:k2].replace(keys[0], "{key}"), text[v2_end:].replace(keys[1], "{key}")
        return cls(text[named:k1], text[k1_end:v1], to_next, to_end)


def parameters(cut: Cut, bare: str | None, number: str | None, tokens: Tokens, lead: str = "") -> Parameters:
    """`lead` stands in front of each tag. `bare` is what stands behind the name of a call without arguments, `number`
    between the key of a number and its value; each None if the template does not render it. Raises NotDerived."""
    header = tokens.prefix(cut.to_key, bare).removesuffix(lead) if bare is not None else ""
    opener = tokens.suffix(cut.to_key[len(header) :], cut.to_next).lstrip()
    while bare is None and opener[:1] in {">", "]", '"', "'"} and opener:
        opener = opener[1:].lstrip()
    closer = cut.to_next[: len(cut.to_next) - len(opener)]
    if not opener or not closer.strip() or not cut.to_end.startswith(closer.rstrip()):
        raise NotDerived(
            "no period of parameters: "
            f"{cut.to_key[-40:]!r} before the first, {cut.to_next[:40]!r} between two, {cut.to_end[:40]!r} behind both"
        )
    between = cut.to_value
    types: tuple[str, ...] = ()
    if number is not None and number != cut.to_value:
        between, types = _typed(cut.to_value, number)
    sample = f"{opener}{{key}}{between}{{value}}{closer}"
    header = cut.to_key[: len(cut.to_key) - len(opener)]
    return Parameters(header, sample, closer.rstrip(), "{key}" in closer, types)


def lead_token(text: str) -> str:
    """The token that stands in front of every tag of a call; empty if none does."""
    before = [text[: tag.start()] for tag in _TAG.finditer(text)]
    token = common_ending(*before) if len(before) > 2 else ""
    return token.strip() if len(token.strip()) > 2 and not token.strip().isalnum() else ""


def _typed(string: str, number: str) -> tuple[str, tuple[str, ...]]:
    """What stands between key and value, with a hole for the type that it tells. Raises NotDerived."""
    words, others = _WORD.findall(string), _WORD.findall(number)
    differ = [place for place, (one, other) in enumerate(zip(words, others, strict=False)) if one != other]
    if len(words) != len(others) or len(differ) != 1 or _WORD.split(string) != _WORD.split(number):
        raise NotDerived(
            f"a string is written as {string[-40:]!r}, a number as {number[-40:]!r}, which no sample tells"
        )
    found = list(_WORD.finditer(string))[differ[0]]
    return f"{string[: found.start()]}{{type}}{string[found.end() :]}", (found.group(),)
