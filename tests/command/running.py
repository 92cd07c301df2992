"""The command `dragoman` in this process: its exit status, and what it writes to stdout and stderr."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import cli
from config import VARIABLES


@dataclass(frozen=True)
class Ran:
    """What became of one command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def dragoman(
    *arguments: str, given: str = "", environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> Ran:
    """Run it. `given` is its standard input; of our variables only those of `environ` are set."""
    streams = [io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8") for text in (given, "", "")]
    patched = mock.patch.multiple(sys, stdin=streams[0], stdout=streams[1], stderr=streams[2])
    with _environment(environ or {}), _folder(folder), patched:
        try:
            status = cli.main(list(arguments))
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        for stream in streams[1:]:
            stream.flush()
    out, err = (stream.buffer.getvalue().decode() for stream in streams[1:])
    return Ran(status, out, err)


def refused(ran: Ran, *words: str, status: int = 2) -> None:
    """It ended with one line on stderr that has these words, and wrote nothing else."""
    assert (ran.status, ran.out) == (status, ""), ran
    assert ran.err.count("\n") == 1 and ran.err.startswith("dragoman: "), ran.err
    for word in words:
        assert word in ran.err, ran.err


def write_json(path: Path, value: object) -> str:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return str(path)


@contextmanager
def _environment(environ: Mapping[str, str]) -> Iterator[None]:
    ours = {variable.name for variable in VARIABLES} | {"API_KEY", "NO_COLOR", "FORCE_COLOR", "COLUMNS"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    with mock.patch.dict(os.environ, {**kept, **environ}, clear=True):
        yield


@contextmanager
def _folder(folder: Path | None) -> Iterator[None]:
    if folder is None:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield


TOOLS: Sequence[Mapping[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
                "required": ["city"],
            },
        },
    }
]
