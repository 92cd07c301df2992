"""The chat template of a GGUF file: its metadata alone, without a package that would bring numpy.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian. Values that are not
wanted are passed over; no value is read that is longer than its limit.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_SIZES: Mapping[int, int] = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of the values of fixed size, by the number of their type."""
_STRING, _ARRAY = 8, 9
_MOST_KEYS = 65_536
_MOST_ITEMS = 4_194_304
_LONGEST = 4 << 20
"""Bytes of a text that is read."""
_LARGEST = 1 << 40
"""Bytes of a value that is passed over."""
_SPECIAL = frozenset((3, 4))
"""The token types `control` and `user defined`."""

_TEMPLATE = "tokenizer.chat_template"
_TOKENS = "tokenizer.ggml.tokens"
_TYPES = "tokenizer.ggml.token_type"
_WANTED = ("tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id")


class NotGguf(ValueError):
    """The file is no GGUF file that can be read; `str()` says why, in one line."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is wanted of the metadata."""

    templates: Mapping[str, str]
    """By name; the one without a name is `default`."""
    special: tuple[str, ...] = ()
    """Special tokens."""
    bos: str = ""
    eos: str = ""


def read_gguf(path: Path) -> Metadata:
    """Raises NotGguf and OSError."""
    with path.open("rb") as file:
        try:
            return _Reader(file).metadata()
        except (struct.error, UnicodeDecodeError, OverflowError, KeyError):
            raise NotGguf("it breaks off, or is damaged") from None


class _Reader:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def metadata(self) -> Metadata:
        if self._file.read(4) != b"GGUF":
            raise NotGguf("it does not begin with GGUF")
        version = self._number("<I")
        if version not in (2, 3):
            raise NotGguf(f"version {version} is not 2 or 3")
        self._number("<Q")  # how many tensors
        count = self._number("<Q")
        if count > _MOST_KEYS:
            raise NotGguf(f"it has more than {_MOST_KEYS} keys")
        texts: dict[str, str] = {}
        numbers: dict[str, int] = {}
        tokens: list[bytes] = []
        types: tuple[int, ...] = ()
        for _ in range(count):
            key, kind = self._text(), self._number("<I")
            if kind == _STRING and key.startswith(_TEMPLATE):
                texts[key] = self._text()
            elif kind == _ARRAY and key == _TOKENS:
                tokens = self._strings()
            elif kind == _ARRAY and key == _TYPES:
                types = self._integers()
            elif kind == 4 and key in _WANTED:
                numbers[key] = self._number("<I")
            else:
                self._pass(kind)
        names = {key: key.removeprefix(_TEMPLATE).lstrip(".") or "default" for key in texts}
        bos, eos = (_token(tokens, numbers.get(key)) for key in _WANTED)
        special = (each for each, kind in zip(tokens, types, strict=False) if kind in _SPECIAL)
        decoded = tuple(each.decode("utf-8", "replace") for each in special)
        return Metadata({names[key]: text for key, text in texts.items()}, decoded, bos, eos)

    def _read(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) < size:
            raise NotGguf("it breaks off")
        return data

    def _number(self, spelling: str) -> int:
        return int(struct.unpack(spelling, self._read(struct.calcsize(spelling)))[0])

    def _bytes(self) -> bytes:
        size = self._number("<Q")
        if size > _LONGEST:
            raise NotGguf(f"a text in it has more than {_LONGEST} bytes")
        return self._read(size)

    def _text(self) -> str:
        return self._bytes().decode("utf-8", "replace")

    def _skip(self, size: int) -> None:
        if size > _LARGEST:
            raise NotGguf(f"a value in it has more than {_LARGEST} bytes")
        self._file.seek(size, 1)

    def _pass(self, kind: int) -> None:
        """Pass over a value."""
        if kind == _STRING:
            self._skip(self._number("<Q"))
        elif kind == _ARRAY:
            item, count = self._number("<I"), self._count()
            if item in _SIZES:
                self._skip(_SIZES[item] * count)
            elif item == _STRING:
                for _ in range(count):
                    self._skip(self._number("<Q"))
            else:
                raise NotGguf("it has arrays of arrays")
        else:
            self._skip(_SIZES[kind])

    def _count(self) -> int:
        count = self._number("<Q")
        if count > _MOST_ITEMS:
            raise NotGguf(f"an array in it has more than {_MOST_ITEMS} items")
        return count

    def _strings(self) -> list[bytes]:
        if self._number("<I") != _STRING:
            raise NotGguf("its tokens are no texts")
        return [self._bytes() for _ in range(self._count())]

    def _integers(self) -> tuple[int, ...]:
        if self._number("<I") != 5:
            raise NotGguf("the types of its tokens are no integers")
        count = self._count()
        return struct.unpack(f"<{count}i", self._read(4 * count))


def _token(tokens: list[bytes], place: int | None) -> str:
    return tokens[place].decode("utf-8", "replace") if place is not None and place < len(tokens) else ""
