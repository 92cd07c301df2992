"""Removal of API keys from the backend's error messages, because some backends quote the key that they refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

_MIN_KEY = 8
"""Characters of the shortest key that is removed. A shorter one occurs in ordinary words and is no secret anyway."""


class Redaction:
    """Replaces the keys of one configuration by asterisks. The length stays, so Content-Length stays correct."""

    def __init__(self, keys: Iterable[str | None]) -> None:
        secrets = [key for key in keys if key and len(key) >= _MIN_KEY]
        forms = {form.encode() for key in secrets for form in (key, json.dumps(key)[1:-1])}
        self._longest = max(map(len, forms), default=0)
        longest_first = sorted(forms, key=len, reverse=True)
        self._keys = re.compile(b"|".join(map(re.escape, longest_first))) if forms else None

    def of(self, data: bytes) -> bytes:
        """`data` without the keys, also where they are escaped as in a JSON string."""
        return self._keys.sub(lambda found: b"*" * len(found[0]), data) if self._keys else data

    def of_text(self, text: str) -> str:
        """The same for the value of a header."""
        return self.of(text.encode("latin-1", "replace")).decode("latin-1") if self._keys else text

    def of_pieces(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same for a body in pieces. Bytes that may be the beginning of a key are held until the next piece."""
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
        """Length of the prefix of `data` that cannot end inside a key."""
        if self._keys is None:
            return len(data)
        sure = max(0, len(data) - self._longest + 1)
        ends = [found.end() for found in self._keys.finditer(data) if found.start() < sure]
        return max([sure, *ends])
