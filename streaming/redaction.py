"""Keys that must not reach a client, taken out of what a backend says went wrong: some quote the key they refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

_SHORTEST = 8
"""Characters. A shorter key would be found in ordinary words, and is no secret anyway."""


class Redaction:
    """For the keys of one configuration. Asterisks of the same length take their place, so that no length changes."""

    def __init__(self, keys: Iterable[str | None]) -> None:
        told = [key for key in keys if key and len(key) >= _SHORTEST]
        forms = {form.encode() for key in told for form in (key, json.dumps(key)[1:-1])}
        self._longest = max(map(len, forms), default=0)
        longest_first = sorted(forms, key=len, reverse=True)
        self._keys = re.compile(b"|".join(map(re.escape, longest_first))) if forms else None

    def of(self, data: bytes) -> bytes:
        return self._keys.sub(lambda found: b"*" * len(found[0]), data) if self._keys else data

    def of_pieces(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same of a body that arrives in pieces, which may cut a key: what could begin one waits for the next."""
        held = b""
        for piece in pieces:
            held += piece
            ready = self._ready(held)
            if ready:
                yield self.of(held[:ready])
                held = held[ready:]
        if held:
            yield self.of(held)

    def _ready(self, data: bytes) -> int:
        """How far all keys that begin there have ended there, whichever of them is the longest."""
        if self._keys is None:
            return len(data)
        sure = max(0, len(data) - self._longest + 1)
        ends = [found.end() for found in self._keys.finditer(data) if found.start() < sure]
        return max([sure, *ends])
