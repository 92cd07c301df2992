"""Play a client's loops through the proxy and judge them: the tool ran, its result came back, no markup is seen."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.clients.environments import CACHE, Failed, bounded, folder_of, last_line, python_of
from tests.clients.model import MARKUP, TOLD, WRITERS
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
        yield Loop("running a command", model, complaint)


def _environment(home: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "HOME": home, "PYTHONDONTWRITEBYTECODE": "1"}


def _logs(client: Client, name: str) -> Path:
    folder = CACHE / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{client.name}-{name}.log"


def _play_program(client: Client, proxy: str) -> Iterator[Loop]:
    if client.kind == "python":
        command = [str(python_of(client)), str(PROGRAMS / client.program)]
    else:
        # Node looks for packages beside the file, so the files go to the packages.
        for source in (PROGRAMS / client.program, PROGRAMS / "loops.mjs"):
            shutil.copy(source, folder_of(client))
        command = ["node", str(folder_of(client) / client.program)]
    yield from run_program(command, proxy, _logs(client, "program"), SECONDS[client.kind])


def run_program(command: Sequence[str], proxy: str, log: Path, seconds: float) -> Iterator[Loop]:
    """The loops of one of `programs/`. Raises Failed if it is late or leaves some out."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.jsonl"
        environment = _environment(folder)
        environment |= {"CLIENTS_URL": proxy, "CLIENTS_MODELS": ",".join(WRITERS), "CLIENTS_RESULTS": str(results)}
        environment["CLIENTS_SECRET"] = secrets.token_hex(4)
        try:
            status = bounded(command, Path(folder), environment, log, seconds)
        finally:
            lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
            loops = [_loop(json.loads(line)) for line in lines[1:]]
            yield from loops
    if status or not lines:
        raise Failed(f"its program ended with status {status}: {last_line(log)}")
    if len(loops) != len(json.loads(lines[0])) * len(WRITERS):
        raise Failed(f"its program left out loops: {last_line(log)}")


def _loop(said: Json) -> Loop:
    return Loop(said["way"], said["model"], said.get("error") or judged(str(said.get("answer")), *said["wanted"]))


def judged(answer: str, *wanted: str) -> str:
    """What is wrong with the last answer of a loop, or nothing. `wanted` is what the tools told."""
    if found := MARKUP.search(answer):
        return f"it shows markup: {answer[max(found.start() - 20, 0) : found.end() + 80]!r}"
    missing = [told for told in wanted if told not in answer]
    return f"the answer does not tell {', '.join(missing)}: {answer[-200:]!r}" if missing else ""


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
    # Agents show the result of the tool, too, so only what they print last counts as the answer.
    return judged(log.read_text(errors="replace").rpartition(TOLD)[2], secret)
