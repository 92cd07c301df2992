"""The cost of making strict JSON of near-JSON: in pieces, at any length, and fed whole beside `json.loads`."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from converters.values.json.reader import JsonReader
from converters.values.schema import Node
from converters.values.typed import SchemaPolicy

_SIZES = (10_000, 100_000, 1_000_000)
_SCHEMA: dict[str, Any] = {
    "properties": {
        "text": {"type": "string"},
        "edits": {
            "type": "array",
            "items": {
                "properties": {"old": {"type": "string"}, "new": {"type": "string"}, "line": {"type": "integer"}}
            },
        },
        "rows": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
        "flags": {"type": "array", "items": {"properties": {"x": {"type": "integer"}, "on": {"type": "boolean"}}}},
    }
}
_LINE = 'def f(x):\n    return "q" if x < 1 else None  # \uc8fc\uc11d\n'


def _documents(size: int) -> Iterator[tuple[str, str]]:
    """(what the arguments are made of, arguments of about that size as JSON)"""
    yield "a string", json.dumps({"text": _LINE * (size // 60)}, ensure_ascii=False)
    edits = [{"old": f"line {n} of it", "new": 'say "hi"\n', "line": n} for n in range(size // 65)]
    yield "objects", json.dumps({"edits": edits})
    yield "numbers", json.dumps({"rows": [[n, n * 1.5, -n] for n in range(size // 22)]})
    yield "small members", json.dumps({"flags": [{"x": n, "on": True} for n in range(size // 25)]})


def measure(chosen: argparse.Namespace) -> None:
    """Print a line for each kind of document. `chosen` says `piece`, in characters, and `rounds`."""
    print(
        f"\nJSON, microseconds for a piece of {chosen.piece} characters; fed whole, times json.loads; and with a slip\n"
    )
    print(f"{'':14} {'10 kB':>7} {'100 kB':>7} {'1 MB':>7}   1 MB/10 kB   whole   with a slip at its end")
    names = [name for name, _ in _documents(1)]
    for place, name in enumerate(names):
        texts = [list(_documents(size))[place][1] for size in _SIZES]
        each = [_best(lambda text=text: _in_pieces(text, chosen.piece), chosen.rounds) for text in texts]
        costs = [seconds / len(text) * chosen.piece * 1e6 for seconds, text in zip(each, texts, strict=True)]
        loads = _best(lambda text=texts[1]: json.loads(text), chosen.rounds)
        whole = _best(lambda text=texts[1]: _in_pieces(text, len(text)), chosen.rounds)
        slip = _best(lambda text=texts[1][:-1] + ",}": _in_pieces(text, len(text)), chosen.rounds)
        figures = " ".join(f"{cost:7.2f}" for cost in costs)
        print(f"{name:14} {figures} {costs[2] / costs[0]:12.2f} {whole / loads:7.1f} {slip / loads:24.1f}")


def _in_pieces(text: str, size: int) -> None:
    reader = JsonReader(SchemaPolicy(Node(_SCHEMA)))
    for start in range(0, len(text), size):
        reader.feed(text[start : start + size])


def _best(run: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)
