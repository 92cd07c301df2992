"""What is measured: the upstream itself, nginx and LiteLLM before it, and ourselves, each one worker on one core.

nginx is Debian's: the one on the PATH, or its package unpacked into build/. LiteLLM has an environment of its own
there. A target that cannot be had is left out, and that is said.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPException
from pathlib import Path

from benchmarks.wire import BUILD, CORES, on_core, wait_for_answer
from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 90.0
"""Seconds to start in. LiteLLM takes its time."""


class Missing(Exception):
    """A target cannot be had here; the message says why."""


@dataclass(frozen=True)
class Program:
    """How a target is started."""

    command: Sequence[str | Path]
    environ: Mapping[str, str] = field(default_factory=dict)
    folder: Path = BUILD


@dataclass(frozen=True)
class Target:
    """One that runs: where it listens, and the processes whose CPU time and memory are its own."""

    name: str
    port: int
    pids: Sequence[int] = ()


OURS = ("dragoman", "gthread", "gevent", "before")
"""What is shipped; the same with that worker class, whichever is shipped; and another commit."""

OFF = "-off"
"""What a name of ours ends in if nothing is to be converted."""

NAMES = ("direct", "nginx", "litellm", *OURS, *(name + OFF for name in OURS))


@contextmanager
def running(
    name: str, upstream: int, before: str | None = None, more: Mapping[str, str] | None = None
) -> Iterator[Target]:
    """The target of that name before the upstream on that port; `before` is a commit, `more` are further variables."""
    if name == "direct":
        yield Target(name, upstream)
        return
    port = free_port()
    program = _program(name, port, upstream, before)
    log = BUILD / f"{name}.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [str(part) for part in program.command],
            cwd=program.folder,
            env={**environ(), **program.environ, **(more or {})},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            preexec_fn=on_core(CORES[1]),
        )
    try:
        _wait(port, log)
        yield Target(name, port, family(process.pid))
    finally:
        _end(process)


def _wait(port: int, log: Path) -> None:
    try:
        wait_for_answer(port, PATIENCE)
    except (OSError, HTTPException) as error:
        raise Missing(f"it does not answer ({error}); build/{log.name} may say why") from error


def _program(name: str, port: int, upstream: int, before: str | None) -> Program:
    if name == "nginx":
        return _nginx(port, upstream)
    if name == "litellm":
        return _litellm(port, upstream)
    way = name.removesuffix(OFF)
    options = {"gthread": ("-k", "gthread", "--threads", "1200"), "gevent": ("-k", "gevent")}.get(way, ())
    return _ourselves(port, upstream, root_of(way, before), options, convert=way == name)


def root_of(name: str, before: str | None) -> Path:
    """The folder of the sources of a target of ours; `now` is this tree as it was when it was first asked for."""
    if name == "now":
        return _snapshot()
    return _checked_out(before) if name == "before" else ROOT


def environ() -> dict[str, str]:
    """Ours without settings of somebody else's, and without proxies: all of it stays on the loopback."""
    kept = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "SSL_CERT_FILE")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Politely, then not: open streams need not end first."""
    pids = family(process.pid)
    process.send_signal(signal.SIGINT)
    try:
        process.wait(3)
    except subprocess.TimeoutExpired:
        for pid in pids:
            _kill(pid)
        process.wait()


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def family(pid: int) -> list[int]:
    """The process and all its descendants."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


def ticks(pids: Sequence[int]) -> int:
    """CPU time of these processes, in hundredths of a second."""
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats)


# -- ourselves ---------------------------------------------------------------------------------------------------------


def _ourselves(port: int, upstream: int, root: Path, options: Sequence[str] = (), convert: bool = True) -> Program:
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "--workers", "1", *options, "app:app"]
    environ = {
        "BACKEND_URL": f"http://127.0.0.1:{upstream}",
        "PROXY_HOST": "127.0.0.1",
        "PROXY_PORT": str(port),
        "LOG_LEVEL": "WARNING",  # as the others: nobody writes a line for each request
        "ENABLE_TOOL_CALL_CONVERSION": "true" if convert else "false",
        "PYTHONPATH": str(root),
    }
    return Program(command, environ, root)


@cache
def _snapshot() -> Path:
    """A copy of this tree in build/, so that it can be worked on while the copy is measured."""
    folder = BUILD / "now"
    shutil.rmtree(folder, ignore_errors=True)
    listed = _said("git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():  # not what was deleted, nor a link to a folder
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def commit_before() -> str:
    """What this tree is compared with if nobody says: where its branch left `main`; on `main` itself, the parent.

    Changes on `main` that are not committed are compared with HEAD. Raises Missing without a history.
    """
    head = _said("git", "-C", ROOT, "rev-parse", "HEAD")
    try:
        base = _said("git", "-C", ROOT, "merge-base", "HEAD", "main")
    except Missing:  # there is no such branch here
        base = head
    if base == head and not _said("git", "-C", ROOT, "status", "--porcelain", "--untracked-files=no"):
        base = _said("git", "-C", ROOT, "rev-parse", "HEAD~1")
    return base


def _checked_out(revision: str | None) -> Path:
    """The files of another commit of ours, in build/."""
    if revision is None:
        raise Missing("no commit is named (--before)")
    name = _said("git", "-C", ROOT, "rev-parse", "--short", f"{revision}^{{commit}}")
    folder = BUILD / "before" / name
    if not folder.exists():
        folder.mkdir(parents=True)
        archive = subprocess.run(["git", "-C", ROOT, "archive", name], check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
    return folder


def _said(*command: str | Path) -> str:
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Missing(str(error)) from error
    return (done.stdout or done.stderr).strip()


# -- nginx -------------------------------------------------------------------------------------------------------------

_NGINX = """
daemon off; master_process on; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log error;
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
    access_log off; tcp_nodelay on; keepalive_timeout 75; keepalive_requests 1000000000;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    upstream model {{ server 127.0.0.1:{upstream}; keepalive 2048; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_buffering off; proxy_read_timeout 600;
        }}
    }}
}}
"""


def _nginx(port: int, upstream: int) -> Program:
    program, environ = nginx_program()
    folder = BUILD / "nginx" / "run"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, upstream=upstream))
    return Program([program, "-e", folder / "error.log", "-p", folder, "-c", folder / "nginx.conf"], environ)


@cache
def nginx_program() -> tuple[Path, Mapping[str, str]]:
    """The one that is installed, or Debian's package unpacked without being installed; what it needs to be told."""
    installed = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if installed:
        return Path(installed), {}
    folder = BUILD / "nginx"
    unpacked = folder / "usr/sbin/nginx"
    if not unpacked.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _said("sh", "-c", f"cd '{folder}' && apt-get download nginx nginx-common libpcre2-8-0")
        for package in folder.glob("*.deb"):
            _said("dpkg", "-x", package, folder)
    return unpacked, {"LD_LIBRARY_PATH": ":".join(map(str, folder.glob("usr/lib/*-linux-gnu")))}


# -- LiteLLM -----------------------------------------------------------------------------------------------------------

_LITELLM = """
model_list:
  - model_name: "*"
    litellm_params: {{model: "openai/*", api_base: "http://127.0.0.1:{upstream}/v1", api_key: sk-scripted}}
litellm_settings: {{telemetry: false, request_timeout: 600}}
general_settings: {{disable_spend_logs: true}}
"""


def _litellm(port: int, upstream: int) -> Program:
    environment = litellm_environment()
    settings = environment / "config.yaml"
    settings.write_text(_LITELLM.format(upstream=upstream))
    command: list[str | Path] = [
        environment / "bin/litellm",
        "--config",
        settings,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    environ = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": "ERROR",
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_TELEMETRY": "False",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",  # it listens on the loopback only
    }
    return Program([*command, "--num_workers", "1"], environ)


@cache
def litellm_environment() -> Path:
    folder = BUILD / "litellm"
    if not (folder / "bin/litellm").exists():
        venv.create(folder, with_pip=True)
        _said(folder / "bin/python", "-m", "pip", "install", "--quiet", "litellm[proxy]")
    return folder


# -- what they are ----------------------------------------------------------------------------------------------------


def version(name: str, before: str | None) -> str:
    """For the report."""
    if name == "nginx":
        program, environ = nginx_program()
        settings = [f"{name}={value}" for name, value in environ.items()]
        return _said("env", *settings, program, "-v").partition("/")[2]
    if name == "litellm":
        show = "import importlib.metadata as m; print(m.version('litellm'))"
        return _said(litellm_environment() / "bin/python", "-c", show)
    if name.removesuffix(OFF) == "before":
        return _checked_out(before).name
    return "" if name == "direct" else _said("git", "-C", ROOT, "describe", "--always", "--dirty")
