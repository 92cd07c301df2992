"""What a running proxy holds, with its workers: memory, threads, descriptors. Linux only, as /proc is."""

from __future__ import annotations

import os
import platform
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import gunicorn

from tests.servers import Process


@dataclass(frozen=True)
class Held:
    megabytes: float
    threads: int
    descriptors: int
    """Without the connections that lie in the pool for the next request."""

    def __str__(self) -> str:
        return f"{self.megabytes:.0f} MB, {self.threads} threads, {self.descriptors} descriptors"


def held_by(process: Process, backend_port: int) -> Held:
    pids = [process.process.pid, *_children(process.process.pid)]
    megabytes = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 for pid in pids) / 1e6
    threads = sum(len(os.listdir(f"/proc/{pid}/task")) for pid in pids)
    descriptors = sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)
    return Held(megabytes, threads, descriptors - connected_to(backend_port, pids))


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def connected_to(port: int, pids: list[int]) -> int:
    """How many sockets of these processes are connected to this port, also if the other end has closed them."""
    rows = [line.split() for line in Path(f"/proc/{pids[0]}/net/tcp").read_text().splitlines()[1:]]
    inodes = {row[9] for row in rows if int(row[2].split(":")[1], 16) == port}
    return sum(_is_one_of(fd, inodes) for pid in pids for fd in Path(f"/proc/{pid}/fd").iterdir())


def _is_one_of(fd: Path, inodes: set[str]) -> bool:
    try:
        return os.readlink(fd).removeprefix("socket:[").rstrip("]") in inodes
    except OSError:
        return False


def many_descriptors() -> None:
    """Each stream takes one here, one in the backend, and two in the proxy, which inherits this."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def machine() -> str:
    cpu = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    name = cpu.partition(":")[2].strip() or platform.machine()
    python = f"Python {platform.python_version()}, gunicorn {gunicorn.__version__}"
    return f"{os.cpu_count()} x {name}, {platform.system()} {platform.release()}, {python}" + (
        "" if sys.implementation.name == "cpython" else f" ({sys.implementation.name})"
    )
