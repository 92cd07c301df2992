"""Play a client's loops through the proxy, and judge them: the tool ran, its result came back, and no markup is seen."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.clients.environments import CACHE, Failed, bounded, folder_of, last_line, python_of
from tests.clients.model import MARKUP, WRITERS
from tests.clients.table import BASE, MODEL, Client
from tests.servers import Json, ScriptedBackend

PROGRAMS = Path(__file__).parent / "programs"
SECONDS = {"python": 240.0, "node": 120.0, "agent": 90.0}
"""How long a program may take for all of its loops, and an agent for one."""
KEPT = ("PATH", "LANG", "TMPDIR", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
"""What a client sees of the environment of whoever runs this."""


@dataclass(frozen=True)
class Loop:
    """One way of using the client, with one model."""

    way: str
    model: str
    complaint: str = ""
    """What went wrong, or nothing."""


@dataclass
class Result:
    """What became of one client."""

    client: str
    version: str = ""
    loops: list[Loop] = field(default_factory=list)
    trouble: str = ""
    """Why it could not be installed, or did not end."""

    @property
    def passed(self) -> int:
        return sum(not loop.complaint for loop in self.loops)

    @property
    def good(self) -> bool:
        return bool(self.loops) and self.passed == len(self.loops) and not self.trouble

    def as_json(self) -> Json:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Json) -> Result:
        return cls(**{**data, "loops": [Loop(**loop) for loop in data["loops"]]})


def play(client: Client, proxy: str, backend: ScriptedBackend) -> Iterator[Loop]:
    """Each loop as it ends. `proxy` is its address, without a path. Raises Failed if a program of an SDK is late."""
    if client.kind != "agent":
        yield from _play_program(client, proxy)
        return
    for model in WRITERS:
        backend.forget()
        try:
            complaint = _play_agent(client, proxy, model, backend)
        except Failed as failure:
            complaint = str(failure)
        yield Loop("command line", model, complaint)


def _environment(home: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "HOME": home, "PYTHONDONTWRITEBYTECODE": "1"}


def _logs(client: Client, name: str) -> Path:
    folder = CACHE / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{client.name}-{name}.log"


def _play_program(client: Client, proxy: str) -> Iterator[Loop]:
    secret = secrets.token_hex(4)
    log = _logs(client, "program")
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(folder)
        environment |= {"CLIENTS_URL": proxy, "CLIENTS_MODELS": ",".join(WRITERS), "CLIENTS_SECRET": secret}
        program = PROGRAMS / client.program
        if client.kind == "python":
            command = [str(python_of(client)), str(program)]
        else:
            # Node looks for packages beside the file, so the files go to the packages.
            for source in (program, PROGRAMS / "loops.mjs"):
                shutil.copy(source, folder_of(client))
            command = ["node", str(folder_of(client) / client.program)]
        try:
            status = bounded(command, Path(folder), environment, log, SECONDS[client.kind])
        finally:
            yield from _loops(log.read_text(errors="replace"), secret)
    if status:
        raise Failed(f"its program ended with status {status}: {last_line(log)}")


def _loops(text: str, secret: str) -> Iterator[Loop]:
    for line in text.splitlines():
        if not line.startswith('{"way"'):
            continue
        said = json.loads(line)
        yield Loop(said["way"], said["model"], said.get("error") or judged(str(said.get("answer")), secret))


def judged(answer: str, secret: str) -> str:
    """What is wrong with the last answer of a loop, or nothing."""
    if found := MARKUP.search(answer):
        return f"it shows markup: {answer[max(found.start() - 20, 0) : found.end() + 80]!r}"
    return "" if secret in answer else f"what the tool told is not in the answer: {answer[-200:]!r}"


def _play_agent(client: Client, proxy: str, model: str, backend: ScriptedBackend) -> str:
    secret = secrets.token_hex(4)
    log = _logs(client, model)
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "secret.txt").write_text(f"{secret}\n")
        words = shlex.split(client.points.replace(BASE, proxy).replace(MODEL, model))
        given = [word for word in words if word.partition("=")[0].isupper() and "=" in word]
        program = folder_of(client) / "node_modules" / ".bin" / words[len(given)]
        environment = {**_environment(home), **client.environment, **dict(word.split("=", 1) for word in given)}
        command = [str(program), *words[len(given) + 1 :], *client.arguments]
        status = bounded(command, Path(folder), environment, log, SECONDS["agent"])
    if status:
        return f"it ended with status {status}: {last_line(log)}"
    if not any(secret.encode() in received.body for received in backend.requests):
        return f"the tool did not run: {last_line(log)}"
    return judged(log.read_text(errors="replace"), secret)
