"""An environment for each client: a venv or a folder of npm, filled once and kept between runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.clients.table import Client
from tests.programs import killed_with_all, started_apart
from tests.servers import ROOT

CACHE = ROOT / "build" / "clients"
INSTALLING = 600.0
"""Seconds that an installation may take."""
_FOUND_VERSION = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"


class Failed(Exception):
    """A client cannot be installed or does not end; the text says why, in one line."""


def folder_of(client: Client) -> Path:
    return CACHE / client.name


def python_of(client: Client) -> Path:
    return folder_of(client) / "venv" / "bin" / "python"


def install(client: Client) -> str:
    """Install what is missing; the version of the first package. Raises Failed."""
    folder = folder_of(client)
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / "installed"
    if not stamp.exists() or sorted(stamp.read_text().split()) != sorted(client.packages):
        stamp.unlink(missing_ok=True)
        _install(client, folder)
        stamp.write_text("\n".join(client.packages) + "\n")
    return _version(client)


def _install(client: Client, folder: Path) -> None:
    log = folder / "install.log"
    if client.kind == "python":
        python = python_of(client)
        if not python.exists():
            bounded([sys.executable, "-m", "venv", str(folder / "venv")], folder, os.environ, log, INSTALLING)
        command = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", *client.packages]
    else:
        if shutil.which("npm") is None:
            raise Failed("npm is not installed here")
        (folder / "package.json").write_text('{"private": true}\n')
        command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", *client.packages]
    if bounded(command, folder, os.environ, log, INSTALLING):
        tool = "pip" if client.kind == "python" else "npm"
        raise Failed(f"{tool} could not install it: {explanation(log)}")


def _version(client: Client) -> str:
    package = client.packages[0].partition("[")[0]
    if client.kind != "python":
        found = json.loads((folder_of(client) / "node_modules" / package / "package.json").read_text())
        return str(found["version"])
    command = [str(python_of(client)), "-c", _FOUND_VERSION, package]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def bounded(command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path, seconds: float) -> int:
    """Run a program with its output in `log`, and end all that it started; its status. Raises Failed if it is late."""
    process = started_apart(command, folder, environment, log)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise Failed(f"it did not end within {seconds:.0f} s: {last_line(log)}") from None
    finally:
        killed_with_all(process)


def explanation(log: Path) -> str:
    """What pip or npm says of an error, without the folders of this machine."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    errors = [line for line in lines if line.startswith(("ERROR:", "npm error"))]
    return " ".join(errors[:3])[:400].replace(f"{ROOT}/", "") if errors else last_line(log)


def last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"
