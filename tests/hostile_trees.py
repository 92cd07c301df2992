"""Well-formed JSON in which a few members are changed: what is nearly right reaches further than what is all wrong.

A change is made anew at any place of any body, so that the changes that Hypothesis has made can be mixed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

How = Literal["replace", "delete", "double", "in a list", "in an object", "move", "add", "rename"]
HOWS: tuple[How, ...] = (
    *("replace", "replace", "replace", "replace", "delete", "double", "in a list", "in an object", "move", "add"),
    "rename",
)


class Spelled(str):
    """JSON that stands in a tree as it is spelled."""

    __slots__ = ()


class Members(list[list[Any]]):
    """An object, of which a name may stand twice."""


@dataclass(frozen=True)
class Change:
    """What is done at a place, which is counted through the whole tree and from its beginning again."""

    place: int
    how: How
    value: str
    """JSON."""
    name: str


def changed(body: object, changes: Iterable[Change]) -> str:
    """The JSON of a body with changes, each made in what the one before has left."""
    root: list[Any] = [_tree(body)]
    for change in changes:
        places = list(_places(root))
        _change(places, change)
    return spell(root[0]) if root else ""


def spell(value: object) -> str:
    """The JSON of a tree. Half a surrogate pair is written as an escape."""
    if isinstance(value, Spelled):
        return value
    if isinstance(value, Members):
        return "{" + ",".join(f"{json.dumps(name)}:{spell(each)}" for name, each in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(spell, value)) + "]"
    return json.dumps(value)


def _tree(value: object) -> Any:
    if isinstance(value, dict):
        return Members([name, _tree(each)] for name, each in value.items())
    return list(map(_tree, value)) if isinstance(value, list) else value


Place = tuple[list[Any], int, Any]
"""(what holds the value, where in it; the pair of an object's member or the value itself)"""


def _places(holder: list[Any]) -> Iterator[Place]:
    for at, each in enumerate(holder):
        yield holder, at, each
        value = each[1] if isinstance(holder, Members) else each
        if isinstance(value, list):
            yield from _places(value)


def _change(places: Sequence[Place], change: Change) -> None:
    if not places:
        return
    holder, at, each = places[change.place % len(places)]
    member = isinstance(holder, Members)
    value = each[1] if member else each

    def put(new: object) -> None:
        if member:
            holder[at] = [each[0], new]
        else:
            holder[at] = new

    match change.how:
        case "replace":
            put(Spelled(change.value))
        case "delete":
            del holder[at]
        case "double":
            holder.insert(at, [each[0], Spelled(change.value)] if member else Spelled(spell(value)))
        case "in a list":
            put([value])
        case "in an object":
            put(Members([[change.name, value]]))
        case "move":
            other = places[change.place // 7 % len(places)]
            put(Spelled(spell(other[2][1] if isinstance(other[0], Members) else other[2])))
        case "add":
            if isinstance(value, Members):
                value.append([change.name, Spelled(change.value)])
            elif isinstance(value, list):
                value.append(Spelled(change.value))
            else:
                put(Spelled(change.value))
        case "rename":
            if member:
                holder[at] = [change.name, value]
