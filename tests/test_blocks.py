"""Every block of README and of the guides is run, or checked where a test cannot run it.

A block that no treatment is named for fails here, so that nobody adds one that is never tried.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from config import VARIABLES, Config
from converters import Expectations, ToolCallConverter, converter_factory
from streaming.custom_converter import parser_for
from tests.clients.table import BASE, CLIENTS, MODEL
from tests.documents import PAIRS, ROOT, blocks, each_page, prose, read
from tests.helpers import assemble, cuts
from tests.servers import HOST, Process, demo_backend, free_port, proxy_process, started, wait_until_listening

pytestmark = pytest.mark.long

NAMES = [variable.name for variable in VARIABLES]
MAKEFILE = read("Makefile")
SERVED_BY_NOBODY = "127.0.0.1:9"


@pytest.fixture(scope="module")
def backend() -> Iterator[Process]:
    with demo_backend() as process:
        yield process


@pytest.fixture(scope="module")
def proxy(backend: Process) -> Iterator[Process]:
    with proxy_process("app", backend.url) as process:
        yield process


Treatment = Callable[[str, Process, Process], None]
"""Tries the text of a block, given a backend and the proxy before it."""


def makes(text: str, _backend: Process, _proxy: Process) -> None:
    """make: not run here, as it would run this; but its targets are there."""
    for line in text.splitlines():
        assert re.search(rf"^{line.removeprefix('make ')}:", MAKEFILE, re.MULTILINE), line


def installs(text: str, _backend: Process, _proxy: Process) -> None:
    """pip: not run here; but what it installs is there, and `activate` is where the block says."""
    *before, pip = text.splitlines()
    assert before in ([], ["python3 -m venv .venv", ". .venv/bin/activate"])
    if pip == "pip install .":
        assert re.search(r'^name = "dragoman"$', read("pyproject.toml"), re.MULTILINE)
    else:
        assert (ROOT / pip.removeprefix("pip install -r ")).exists()


def copies(text: str, _backend: Process, _proxy: Process) -> None:
    command, source, target = text.split()
    assert (command, target) == ("cp", ".env") and (ROOT / source).exists()


def serves(text: str, _backend: Process, _proxy: Process) -> None:
    """Commands that serve, one a line: each is run as it stands, but on a free port of its own."""
    for line in text.splitlines():
        _serve(shlex.split(line, comments=True))


def _serve(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words if re.match(r"[A-Z_]+=", word))
    program, *arguments = words[len(given) :]
    if program == "gunicorn" and os.name == "nt":
        return
    command = [*_PROGRAMS[program], *(str(ROOT / word) if (ROOT / word).is_file() else word for word in arguments)]
    port = free_port()
    settings = given or {"BACKEND_URL": f"http://{SERVED_BY_NOBODY}"}
    with started(command, {**settings, "PROXY_HOST": HOST, "PROXY_PORT": str(port)}, port) as process:
        wait_until_listening(process)
        health = requests.get(f"{process.url}/health", timeout=10).json()
    assert health["backend"]["url"] == Config.from_environment(settings).backend_url


def _installed_command() -> list[str]:
    """What the command `dragoman` runs, as arguments of Python: the entry point that pyproject.toml names."""
    found = re.search(r'^dragoman = "(\w+):(\w+)"$', read("pyproject.toml"), re.MULTILINE)
    assert found
    return ["-c", f"import sys; from {found[1]} import {found[2]}; sys.exit({found[2]}())"]


_PROGRAMS = {"python": [], "gunicorn": ["-m", "gunicorn"], "dragoman": _installed_command()}
"""The programs that serve, as arguments of Python."""


def asks_in_python(text: str, _backend: Process, proxy: Process) -> None:
    assert BASE in text
    assert _printed(text.replace(BASE, proxy.url)) == 'get_weather {"city": "Seoul"}\n'


def asks_as_ollama(text: str, _backend: Process, proxy: Process) -> None:
    assert BASE in text
    assert _printed(text.replace(BASE, proxy.url)) == "get_weather {'city': 'Seoul'}\n"


def prints(text: str, _backend: Process, _proxy: Process) -> None:
    """Python that prints what the page says after the block, line by line as code."""
    (page,) = [pair.english for pair in PAIRS if ("python", text) in blocks(read(pair.english))]
    said = prose(read(page))
    for line in _printed(text).splitlines():
        assert f"`{line}`" in said, line


def _printed(program: str) -> str:
    """What a Python program prints. It may print nothing to stderr."""
    environment = {**_plain_environment(), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env=environment)
    assert done.stderr == ""
    return done.stdout


def asks_in_curl(text: str, backend: Process, proxy: Process) -> None:
    """And the answers of backend and proxy are the two blocks that README shows."""
    assert BASE in text
    written, got = (_curl(text.replace(BASE, url))["choices"][0] for url in (backend.url, proxy.url))
    raw, translated = (said for language, said in blocks(read("README.md")) if language in ("text", "json"))
    assert written["message"]["content"] + "\n" == raw
    shown = json.loads(translated)
    for call in (*got["message"]["tool_calls"], *shown["message"]["tool_calls"]):
        assert re.fullmatch("[A-Za-z0-9]{9}", call.pop("id"))
    assert shown == {name: got[name] for name in ("message", "finish_reason")}


def asks_for_health(text: str, backend: Process, proxy: Process) -> None:
    health = _curl(text.replace(BASE, proxy.url))
    assert health["status"] == "ok"
    assert (health["backend"]["url"], health["backend"]["reachable"]) == (backend.url, True)


def points_codex(text: str, _backend: Process, proxy: Process) -> None:
    """Codex itself is not run here; but what it is told to ask is there, in the API that it is told to speak."""
    told = dict(re.findall(r'^(\w+) = "(.*)"$', text, re.MULTILINE))
    assert f"[model_providers.{told['model_provider']}]" in text
    url = f"{told['base_url'].replace(BASE, proxy.url)}/{told['wire_api']}"
    answer = requests.post(url, json={"model": told["model"], "input": "Hi"}, timeout=60).json()
    assert (answer["object"], answer["status"]) == ("response", "completed")


def points_agents(text: str, _backend: Process, proxy: Process) -> None:
    """Lines that start agents. `make clients` runs them as they stand; here the API of each answers at its address."""
    lines = text.splitlines()
    shown = [client.points for client in CLIENTS if client.kind == "agent"]
    assert lines and set(lines) <= set(shown)
    for line in lines:
        (client,) = [client for client in CLIENTS if client.points == line]
        path, body = _TURNS[client.speaks]
        (address,) = re.findall(rf"{BASE}\S*?(?=[\s\"]|$)", line)
        url = address.replace(BASE, proxy.url).removesuffix("/v1") + path
        answer = requests.post(url, json={"model": MODEL, **body}, timeout=60)
        assert answer.status_code == 200, answer.text


_SAID = [{"role": "user", "content": "Hi"}]
_TURNS: dict[str, tuple[str, Any]] = {
    "chat": ("/v1/chat/completions", {"messages": _SAID}),
    "Messages": ("/v1/messages", {"messages": _SAID, "max_tokens": 100}),
    "Responses": ("/v1/responses", {"input": _SAID}),
}
"""The path of each API that agents speak, and a request of it."""


def makes_a_client_of_anthropic(text: str, _backend: Process, proxy: Process) -> None:
    """The SDK is not told more than the block says, and is answered."""
    assert BASE in text
    asked = 'client.messages.create(model="glm-4.5-air", max_tokens=100, messages=[{"role": "user", "content": "Hi"}])'
    assert _printed(f"{text.replace(BASE, proxy.url)}\nprint({asked}.type)") == "message\n"


def _curl(command: str) -> Any:
    if shutil.which("curl") is None or shutil.which("sh") is None:
        pytest.skip("there is no curl here")
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=60, env=_plain_environment())
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _plain_environment() -> dict[str, str]:
    """No company's HTTP proxy between this machine and itself."""
    return {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}


def is_an_answer(text: str, _backend: Process, _proxy: Process) -> None:
    """What the server sends and what a client gets: `asks_in_curl` compares both with real answers."""
    assert text


def registers(text: str, _backend: Process, _proxy: Process) -> None:
    known = converter_factory.list_supported_models()
    exec(compile(text, "a page", "exec"), {"__name__": "shown"})
    converter: ToolCallConverter = converter_factory.get_converter("mymodel-7b")
    try:
        assert len(converter_factory.list_supported_models()) == len(known) + 1
        said = 'One. <mytool>{"name": "get_weather", "arguments": {"city": "Seoul"}}</mytool>'
        for pieces in cuts(said):
            parser = parser_for(converter, Expectations({"get_weather": {}}))
            message = assemble([event for piece in pieces for event in parser.feed(piece)] + parser.finish())
            assert (message.content, message.names, message.arguments) == ("One.", ["get_weather"], [{"city": "Seoul"}])
    finally:
        converter_factory.unregister_converter(converter)


def works_on_windows(text: str, _backend: Process, _proxy: Process) -> None:
    """PowerShell: not run here; but what it names is there."""
    for named in re.findall(r"-r (\S+)|python (\w+\.py)", text):
        assert (ROOT / "".join(named)).exists(), named
    for module in re.findall(r"python -m (\w+)$", text, re.MULTILINE):
        assert (ROOT / module / "__main__.py").exists(), module
    for name, value in re.findall(r'\$env:(\w+) = "(\w+)"', text):
        Config.from_environment({name: value})
        assert name in NAMES


AGENT = f"ANTHROPIC_BASE_URL={BASE} ANTHROPIC_AUTH_TOKEN=none ANTHROPIC_MODEL={MODEL} claude"
TREATMENTS: dict[str, list[tuple[str, str, Treatment]]] = {
    "README.md": [
        ("text", "<think>The user needs get_weather.</think>", is_an_answer),
        ("json", "{", is_an_answer),
        ("bash", "pip install .", installs),
        ("bash", "BACKEND_URL=http://localhost:1234 dragoman  # LM Studio", serves),
        ("bash", AGENT, points_agents),
        ("python", "from openai import OpenAI", asks_in_python),
        ("python", "import json, re", registers),
        ("bash", "make test", makes),
    ],
    "docs/CLIENTS.md": [
        ("bash", "curl http://localhost:5000/v1/chat/completions \\", asks_in_curl),
        ("bash", AGENT, points_agents),
        ("python", "from anthropic import Anthropic", makes_a_client_of_anthropic),
        ("python", "from openai import OpenAI", asks_in_python),
        ("toml", 'model = "glm-4.5-air"', points_codex),
        ("python", "from ollama import Client", asks_as_ollama),
    ],
    "docs/CONFIGURATION.md": [
        ("bash", "cp .env.example .env", copies),
        ("python", "from config import get_backend_config", prints),
    ],
    "docs/EXTENDING.md": [("python", "import json", registers)],
    "docs/SERVING.md": [
        ("bash", "python3 -m venv .venv", installs),
        ("bash", "python app.py", serves),
        ("bash", "gunicorn -c gunicorn.conf.py app:app", serves),
        ("powershell", "py -m venv .venv", works_on_windows),
    ],
    "docs/TROUBLESHOOTING.md": [("bash", "curl http://localhost:5000/health", asks_for_health)],
}
"""For each page the language and the first line of its blocks, in their order, and what is done with each."""
PLACES = [(page, place) for page, treatments in TREATMENTS.items() for place in range(len(treatments))]


@each_page
def test_every_block_has_its_treatment(page: str) -> None:
    (english,) = [pair.english for pair in PAIRS if page in pair]
    found = [(language, block.split("\n")[0]) for language, block in blocks(read(page))]
    assert found == [(language, first) for language, first, _ in TREATMENTS[english]]


@pytest.mark.parametrize(("page", "place"), PLACES, ids=[f"{page}: {TREATMENTS[page][at][1]}" for page, at in PLACES])
def test_block(page: str, place: int, backend: Process, proxy: Process) -> None:
    _, block = blocks(read(page))[place]
    TREATMENTS[page][place][2](block, backend, proxy)
