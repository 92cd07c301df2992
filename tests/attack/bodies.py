"""Requests and answers that are big, or have many or deep parts (C2, C10, section 13)."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

from tests.attack.arena import MIB, Arena, Attack, asking, coded, head_of
from tests.servers import TOOLS, tool

NOISE = 40.0
"""MiB that the victim's own requests and the allocator may add."""
UNITS = {"zeros": "0,", "lists": "[],", "objects": "{},", "numbers": "1e5,", "strings": '"",', "keys": '{"a":1},'}
REWRITTEN: dict[str, str] = {
    "an empty list of calls": '"messages": [{"role": "assistant", "tool_calls": [], "content": "x"}], ',
    "an empty list of tools": '"tools": [], "messages": [{"role": "user", "content": "x"}], ',
    "functions": '"functions": [], "messages": [{"role": "user", "content": "x"}], ',
}


@cache
def _filled(first: str, unit: str, megabytes: int) -> bytes:
    filling = unit * ((megabytes << 20) // len(unit))
    return b'{"model": "m", ' + first.encode() + b'"x": [' + filling.encode().rstrip(b",") + b"]}"


def _rewritten(name: str, unit: str, megabytes: int) -> Attack:
    def play(arena: Arena) -> None:
        told = arena.post(_filled(REWRITTEN[name], UNITS[unit], megabytes))
        assert told.status in (200, 413), f"{told.status} {told.body[:200]!r}"

    quick = unit in ("zeros", "lists") and name == "an empty list of calls"
    memory = 25 * megabytes + NOISE
    return Attack("C2", f"{megabytes} MiB of {unit} beside {name}", play, memory, seconds=0, quick=quick)


def _waiting(megabytes: int, count: int) -> Attack:
    def play(arena: Arena) -> None:
        body = json.dumps(asking(x="y" * (megabytes << 20))).encode()
        arena.many(count, lambda _: _waits(arena, body))

    return Attack(
        "C2", f"{count} requests of {megabytes} MiB that wait", play, 3.0 * megabytes * count + NOISE, seconds=0
    )


def _waits(arena: Arena, body: bytes) -> None:
    told = arena.post(body, "silent 4")
    assert told.status == 200, f"{told.status} {told.body[:200]!r}"


def _passed(unit: str, megabytes: int) -> Attack:
    def play(arena: Arena) -> None:
        told = arena.post(_filled('"messages": [{"role": "user", "content": "x"}], ', UNITS[unit], megabytes))
        assert told.status in (200, 413), f"{told.status} {told.body[:200]!r}"

    return Attack("C10", f"{megabytes} MiB of {unit} in a request", play, 25 * megabytes + NOISE, seconds=0)


def _answered(unit: str, megabytes: int, where: str = "beside") -> Attack:
    def play(arena: Arena) -> None:
        told = arena.post(asking(), coded("big", megabytes << 20, UNITS[unit], where))
        assert told.status in (200, 502), f"{told.status} {told.body[:200]!r}"

    place = "beside an answer" if where == "beside" else "in its text"
    return Attack("C10", f"{megabytes} MiB of {unit} {place}", play, 25 * megabytes + NOISE, seconds=0)


def _shape(name: str, megabytes: float, make: Callable[[], bytes], statuses: tuple[int, ...]) -> Attack:
    """A body of at least so many MiB. It is made when it is played: all of them take seconds."""
    made = cache(make)

    def play(arena: Arena) -> None:
        assert len(made()) >= megabytes * MIB, f"{len(made()) / MIB} MiB"
        told = arena.post(made())
        assert told.status in statuses, f"{told.status} {told.body[:300]!r}"

    return Attack("13", name, play, 25 * megabytes + NOISE, seconds=0)


def _deep(levels: int) -> bytes:
    return b'{"model": "m", "messages": [], "x": ' + b"[" * levels + b"]" * levels + b"}"


def _leaves(arena: Arena) -> None:
    """Clients that go away in the middle of big bodies, and of the answers to them."""
    data = head_of(_filled(REWRITTEN["functions"], UNITS["zeros"], 4), "", (), "/v1/chat/completions")

    def attacker(number: int) -> None:
        for cut in (100, 5000, len(data) // 2, len(data) - 1, len(data)):
            with arena.open() as sock:
                sock.sendall(data[:cut])

    arena.many(4, attacker)


ATTACKS = [
    *(_rewritten(name, unit, 28) for name in REWRITTEN for unit in UNITS),
    _waiting(16, 4),
    *(_passed(unit, 57) for unit in ("lists", "strings")),
    *(_answered(unit, 50) for unit in ("lists", "keys")),
    _answered("strings", 30, "in"),
    _answered("zeros", 80),
    _shape(
        "100,000 tools",
        12,
        lambda: json.dumps(asking(tools=[tool(f"t{n}", a="string") for n in range(100_000)])).encode(),
        (200, 400, 413),
    ),
    _shape("the same tool 20,000 times", 3, lambda: json.dumps(asking(tools=TOOLS * 10_000)).encode(), (200, 400)),
    _shape(
        "200,000 messages",
        6,
        lambda: json.dumps(asking(messages=[{"role": "user", "content": "x"}] * 200_000)).encode(),
        (200, 400, 413),
    ),
    _shape(
        "200,000 calls in the messages",
        1.5,
        lambda: json.dumps(
            asking(messages=[{"role": "assistant", "content": None, "tool_calls": [{"id": "1"}, {}] * 100_000}])
        ).encode(),
        (200, 400, 413),
    ),
    _shape("JSON 129 levels deep", 0, lambda: _deep(129), (400,)),
    _shape("JSON a million levels deep", 1.9, lambda: _deep(1_000_000), (400,)),
    _shape(
        "a number of a million digits",
        0.9,
        lambda: b'{"model": "m", "messages": [], "tools": [], "n": ' + b"9" * 1_000_000 + b"}",
        (200, 400),
    ),
    _shape(
        "a name of a million keys",
        7.5,
        lambda: b'{"model": "m", "messages": []' + b', "a": 1' * 1_000_000 + b"}",
        (200, 400),
    ),
    _shape("8 MiB of one broken string", 8, lambda: b'{"model": "' + b"\\u00" * (2 * MIB), (400,)),
    Attack("13", "clients that leave in the middle of big bodies", _leaves, memory=25 * 16 + NOISE),
]
