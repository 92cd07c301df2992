"""The scripted upstream and the load generator, in C so that they are never what is measured. Compiled on demand."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.servers import PATIENCE, free_port

BUILD = Path(__file__).resolve().parents[2] / "build"
SOURCES = Path(__file__).parent
CORES = (min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0)))
"""The upstream and the generator share the first, whatever is measured has the second."""


def available() -> bool:
    return shutil.which("gcc") is not None


def program(name: str) -> Path:
    """The compiled `name`.c; compiled again when its source is newer."""
    made = BUILD / name
    sources = [SOURCES / f"{name}.c", SOURCES / "wire.h"]
    if not made.exists() or made.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        BUILD.mkdir(exist_ok=True)
        subprocess.run(["gcc", "-std=c99", "-O2", "-Wall", "-Wextra", "-o", made, sources[0]], check=True)
    return made


def on_core(core: int) -> Any:
    """For `preexec_fn`: the process and its children stay on this core."""
    return partial(os.sched_setaffinity, 0, {core})


@contextmanager
def upstream() -> Iterator[int]:
    """Runs the scripted backend; its port."""
    port = free_port()
    process = subprocess.Popen([program("upstream"), str(port)], preexec_fn=on_core(CORES[0]))
    try:
        wait_for_answer(port)
        yield port
    finally:
        process.kill()
        process.wait()


def wait_for_answer(port: int, within: float = PATIENCE) -> None:
    """Until GET /v1/models is answered there, whatever it says."""
    until = time.monotonic() + within
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=within)
        try:
            connection.request("GET", "/v1/models", headers={"Authorization": "Bearer sk-scripted"})
            connection.getresponse().read()
            return
        except (OSError, http.client.HTTPException):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        finally:
            connection.close()


def load(port: int, arguments: Sequence[str], pids: Sequence[int] = ()) -> dict[str, Any]:
    """One run of the generator; what it measured. load.c says which arguments there are."""
    command = [str(program("load")), "--port", str(port), *arguments]
    watched = ["--pids", ",".join(map(str, pids))] if pids else []
    done = subprocess.run(
        [*command, *watched], preexec_fn=on_core(CORES[0]), capture_output=True, text=True, check=True, timeout=600
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures
