"""Which samples the grammar can take: a row whose sample it cannot take is refused when the row is made.

A hole that stands twice where it is read, a hole that nobody knows or that is missing, and a sample that begins or
ends with nothing to be found by, would fail when the first text is read, or never match. May not know any marker.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

from converters.text.templates import first_token

if TYPE_CHECKING:
    from converters.syntaxes.row import Syntax

_HOLE = re.compile(r"\{(\w+)\}")
_FENCE = re.compile(r"(?:`{3,}|~{3,})\w+")
_RESERVED = re.compile("[⟦¦⟧]")
"""Characters with a meaning of their own in the grammar."""

LONGEST = 300
"""Characters of a sample, and of a group with a call's header: matching one nests as deep as it is long."""

BODIES = {
    "json_object": "object",
    "named_json": "arguments",
    "relaxed": "arguments",
    "pythonic": "arguments",
    "tagged": "parameters",
    "elements": "parameters",
}
"""The hole of `call` that stands for the arguments, by shape."""


class SampleError(ValueError):
    """A sample that the grammar cannot take; the message names the row, the sample and what is wrong with it."""


def check_samples(row: Syntax) -> None:
    """Raise SampleError for a row with a sample that the grammar cannot take."""
    if row.shape not in BODIES:
        _refuse(row, "shape", row.shape, "is no shape")
    body = BODIES[row.shape]
    for sample in (row.call, *row.also_call):
        _check_call(row, sample, body)
    for sample in (row.group, *row.also_group):
        if sample:
            _check_group(row, sample)
    if body == "parameters":
        for sample in (row.parameter, *row.also_parameter):
            _check_parameter(row, sample)
    elif row.parameter or row.also_parameter:
        _refuse(row, "parameter", row.parameter, "stands in a row whose shape has no parameters")
    if row.shape == "pythonic" and not row.group:
        _refuse(row, "group", "", "is missing: calls of Python functions are found by what stands around them")
    if row.shape == "relaxed" and not row.delimiter:
        _refuse(row, "delimiter", "", "is missing")
    longest = max((each.partition("{calls}")[0] for each in (row.group, *row.also_group)), key=len)
    for sample in (row.call, *row.also_call, row.group, *row.also_group, row.parameter, *row.also_parameter):
        if len(sample) + (len(longest) if body in sample else 0) > LONGEST:
            _refuse(row, "sample", f"{sample[:40]}…", f"has more than {LONGEST} characters")
    if bool(row.keys[0]) != bool(row.keys[1]):
        _refuse(row, "keys", repr(row.keys), "names one key of two")


def _check_call(row: Syntax, sample: str, body: str) -> None:
    _check_holes(row, "call", sample, {body, "name", "id"}, {body})
    head, _, foot = sample.partition("{" + body + "}")
    named = [hole for hole in _HOLE.findall(head) if hole in ("name", "id")]
    if "{name}" in foot:
        _refuse(row, "call", sample, "has {name} behind the arguments, where it is not read")
    if row.shape == "json_object":
        if "id" in named or "{id}" in foot:
            _refuse(row, "call", sample, "has {id} beside {object}, where it is not read")
    elif not named:
        _refuse(row, "call", sample, "has neither {name} nor {id} before the arguments")
    opened = row.group if row.needs_group or row.shape in ("json_object", "pythonic") else ""
    opener = first_token(opened.partition("{calls}")[0] + head)
    if not opener and not row.whole_message:
        _refuse(row, "call", sample, "begins with a hole, so that nothing shows where a call begins")
    _check_opener(row, "call", sample, opener)


def _check_group(row: Syntax, sample: str) -> None:
    _check_holes(row, "group", sample, {"calls", "name", "to"}, {"calls"})
    _check_opener(row, "group", sample, first_token(sample.partition("{calls}")[0]))
    if re.search(r"\{(?:name|to)\}", sample.partition("{calls}")[2]):
        _refuse(row, "group", sample, "has a hole behind the calls, where it is not read")


def _check_parameter(row: Syntax, sample: str) -> None:
    opener, _, closer = sample.partition("{value}")
    _check_holes(row, "parameter", opener + "{value}", {"key", "type", "value"}, {"key", "value"})
    if {*_HOLE.findall(closer)} - {"key"}:
        _refuse(row, "parameter", sample, "has a hole behind {value} that is not {key}")
    if not closer.strip():
        _refuse(row, "parameter", sample, "has nothing behind {value}, so that nothing shows where a value ends")
    if not first_token(opener):
        _refuse(row, "parameter", sample, "begins with a hole, so that nothing shows where an argument begins")


def _check_opener(row: Syntax, field: str, sample: str, opener: str) -> None:
    if opener[:1] in {"`", "~"} and not _FENCE.fullmatch(opener):
        _refuse(row, field, sample, "begins with a backtick or a tilde, and with no fence: that is read as a quotation")


def _check_holes(row: Syntax, field: str, sample: str, known: set[str], needed: Iterable[str]) -> None:
    if reserved := _RESERVED.search(sample):
        _refuse(row, field, sample, f"has {reserved.group()!r}, which the grammar itself uses")
    holes = _HOLE.findall(sample)
    for hole in holes:
        if hole not in known:
            _refuse(row, field, sample, f"has {{{hole}}}, which is no hole of it")
        if holes.count(hole) > 1:
            _refuse(row, field, sample, f"has {{{hole}}} twice")
    for hole in needed:
        if hole not in holes:
            _refuse(row, field, sample, f"lacks {{{hole}}}")


def _refuse(row: Syntax, field: str, sample: str, because: str) -> NoReturn:
    raise SampleError(f"row {row.name!r}: its {field} {sample!r} {because}")
