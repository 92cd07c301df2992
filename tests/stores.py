"""`make stores`: the tests of the records with a real PostgreSQL, as Debian's package `postgresql` has it.

    python -m tests.stores [arguments of pytest]

The server runs in a folder of its own on a free port of the loopback, and ends with the tests. If there is none and
none can be installed, one line says what is missing, and the status is 1.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.servers import HOST, ROOT, free_port

_USER = "dragoman"
_PATIENCE = 60.0
"""Seconds in which the server must answer."""


class Missing(Exception):
    """What is missing, in one line."""


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status of the tests."""
    try:
        with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as url:
            print(f"PostgreSQL answers at {url}", flush=True)
            command = [sys.executable, "-m", "pytest", "-n", "0", "tests/records", "tests/inspector", *arguments]
            return subprocess.run(command, cwd=ROOT, env={**os.environ, "DRAGOMAN_TEST_POSTGRES": url}).returncode
    except Missing as missing:
        print(f"stores: {missing}", file=sys.stderr)
        return 1


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """The URL of a server without the name of a database. Raises Missing."""
    programs = _programs()
    try:
        import psycopg  # noqa: F401
        import sqlalchemy  # noqa: F401
    except ImportError as error:
        raise Missing(f"{error.name} is missing: pip install -r requirements/records.txt") from None
    owner = _owner()
    os.chmod(folder, 0o755)
    data = folder / "data"
    data.mkdir()
    if owner is not None:
        shutil.chown(data, owner)
    port = free_port()
    made = [str(programs / "initdb"), "-D", str(data), "-U", _USER, "--auth=trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(made, check=True, user=owner, stdout=subprocess.DEVNULL, cwd="/")
    options = [f"listen_addresses={HOST}", f"port={port}", f"unix_socket_directories={data}", "fsync=off"]
    command = [str(programs / "postgres"), "-D", str(data), *(word for each in options for word in ("-c", each))]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, user=owner, stdout=log, stderr=log, cwd="/")
    try:
        url = f"postgresql://{_USER}@{HOST}:{port}"
        _wait(url, server, folder / "log")
        yield url
    finally:
        server.terminate()
        server.wait(_PATIENCE)


def _programs() -> Path:
    """Where `initdb` and `postgres` are, of the newest version. Installs them if it may."""
    if found := _found():
        return found
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise Missing("there is no PostgreSQL here: apt-get install postgresql")
    print("installing Debian's postgresql", flush=True)
    done = subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdout=subprocess.DEVNULL,
    )
    found = _found()
    if found is None:
        raise Missing(f"`apt-get install postgresql` failed with status {done.returncode}")
    return found


def _found() -> Path | None:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    return versions[-1].parent if versions else Path(on_path).resolve().parent if on_path else None


def _owner() -> str | None:
    """Who runs the server: it refuses root, so root asks another user to."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Missing("PostgreSQL does not run as root, and there is no other user")


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    until = time.monotonic() + _PATIENCE
    while True:
        try:
            psycopg.connect(f"{url}/postgres", connect_timeout=2).close()
            return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > until:
                raise Missing(f"PostgreSQL did not start: {error}\n{log.read_text(errors='replace')}") from None
            time.sleep(0.2)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
