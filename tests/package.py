"""The wheel as a user installs it: into an empty environment, and used from another folder.

    python -m tests.package dist/dragoman-0.1.0-py3-none-any.whl

`make package` builds the wheel first. Ends with status 1 at the first claim that does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from config import VARIABLES
from tests.servers import HOST, ROOT, free_port
from tests.test_package import product_files
from version import VERSION

BACKEND = "http://127.0.0.1:9"
PATIENCE = 20.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.package", description=__doc__.split("\n\n")[0])
    parser.add_argument("wheel", type=Path)
    wheel = parser.parse_args().wheel.resolve()
    try:
        nothing_is_missing(wheel)
        with tempfile.TemporaryDirectory() as folder:
            installed_and_used(wheel, Path(folder))
    except AssertionError as failure:
        print(f"package: {failure}", file=sys.stderr)
        return 1
    print(f"package: {wheel.name} holds the product, and works from another folder")
    return 0


def nothing_is_missing(wheel: Path) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = {path.relative_to(ROOT).as_posix() for path in product_files()}
    assert packed == wanted, f"not in the wheel: {sorted(wanted - packed)}; only there: {sorted(packed - wanted)}"


def installed_and_used(wheel: Path, folder: Path) -> None:
    here = folder / "elsewhere"
    here.mkdir()
    run(here, sys.executable, "-m", "venv", str(folder / "env"))
    programs = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    python, dragoman = str(programs / "python"), str(programs / "dragoman")
    install = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")

    run(here, *install, str(wheel))
    for command in ([dragoman], [python, "-m", "dragoman"]):
        assert run(here, *command, "--version") == f"Dragoman {VERSION}\n", command
        assert "BACKEND_URL" in run(here, *command, "--help"), command
        assert "invalid choice" in run(here, *command, "frobnicate", status=2), command
    reads_what_a_model_wrote(here, dragoman)
    serves_with_the_dotenv_of_the_folder(here, dragoman)

    assert "pip install openai" in run(here, dragoman, "demo", status=1)
    run(here, *install, f"{wheel}[demo]")
    assert "final answer" in run(here, dragoman, "demo", "--once")


def reads_what_a_model_wrote(here: Path, dragoman: str) -> None:
    """`syntaxes` shows how a call is written, `convert` reads it."""
    row = json.loads(run(here, dragoman, "syntaxes", "hermes", "--json"))
    (here / "answer.txt").write_text(row["sample"], encoding="utf-8")
    (here / "tools.json").write_text(json.dumps([{"type": "function", "function": {"name": "get_weather"}}]))
    message = json.loads(run(here, dragoman, "convert", "--tools", "tools.json", "answer.txt"))
    assert message["tool_calls"][0]["function"]["name"] == "get_weather", message
    assert "The client gets 1 call" in run(here, dragoman, "explain", "--tools", "tools.json", "answer.txt")
    assert "does not answer" in run(here, dragoman, "doctor", BACKEND, status=3)


def serves_with_the_dotenv_of_the_folder(here: Path, dragoman: str) -> None:
    port = free_port()
    dotenv = here / ".env"
    dotenv.write_text(f"BACKEND_URL={BACKEND}\nPROXY_HOST={HOST}\nPROXY_PORT={port}\n")
    with started(here, dragoman):
        health = json.loads(fetched(f"http://{HOST}:{port}/health"))
        described = json.loads(fetched(f"http://{HOST}:{port}/openapi.json"))
    assert health["backend"]["url"] == BACKEND, health
    assert described["info"]["version"] == VERSION
    dotenv.unlink()


@contextmanager
def started(here: Path, program: str) -> Iterator[None]:
    with subprocess.Popen([program], cwd=here, env=environment()) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


def fetched(url: str) -> bytes:
    """The body, once somebody answers there."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with suppress(URLError, ConnectionError), urlopen(url, timeout=5) as answer:
            body: bytes = answer.read()
            return body
        time.sleep(0.1)
    raise AssertionError(f"nobody answers on {url}")


def run(here: Path, *command: str, status: int = 0) -> str:
    """What it wrote to both of its outputs."""
    done = subprocess.run(
        command, cwd=here, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )
    assert done.returncode == status, f"{' '.join(command)} ended with status {done.returncode}:\n{done.stdout}"
    return done.stdout


def environment() -> dict[str, str]:
    """Without our variables and without the checkout on the path."""
    ours = {variable.name for variable in VARIABLES} | {"PYTHONPATH"}
    return {name: value for name, value in os.environ.items() if name not in ours}


if __name__ == "__main__":
    sys.exit(main())
