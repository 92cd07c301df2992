"""Both READMEs say the same, and what they say is so: every block is run, or checked where a test cannot run it.

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
from pathlib import Path
from typing import Any

import pytest
import requests

from config import PRESETS, VARIABLES, Config
from converters import SYNTAXES, Expectations, Syntax, ToolCallConverter, converter_factory
from converters.builtin import SyntaxConverter
from converters.render import render_calls
from streaming.custom_converter import parser_for
from tests.helpers import assemble, cuts
from tests.servers import HOST, Process, demo_backend, free_port, proxy_process, started, wait_until_listening

ROOT = Path(__file__).resolve().parent.parent
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
KOREAN = (ROOT / "README.ko.md").read_text(encoding="utf-8")
BOTH = pytest.mark.parametrize("text", [ENGLISH, KOREAN], ids=["en", "ko"])
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
BASE = "http://localhost:5000"
"""Where the examples expect the proxy."""
SERVED_BY_NOBODY = "127.0.0.1:9"

Block = tuple[str, str]
"""The language of a fenced block, and its text."""


def blocks(text: str) -> list[Block]:
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def prose(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def headings(text: str) -> list[str]:
    return re.findall(r"^#+ .*$", prose(text), re.MULTILINE)


def tables(text: str) -> list[list[list[str]]]:
    """The cells of each table's rows, its head and the line under it left out."""
    found = re.findall(r"(?:^\|.*\n)+", prose(text), re.MULTILINE)
    cells = [[re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines()[2:]] for table in found]
    return [[[cell.strip(" ") for cell in row] for row in table] for table in cells]


def table(text: str, first: str) -> list[list[str]]:
    """The table whose first cell is this."""
    (found,) = [rows for rows in tables(text) if rows[0][0] == first]
    return found


def code(cell: str) -> str:
    """What stands in a cell as code; code that holds backticks stands between two of them and a blank."""
    shown = re.fullmatch(r"`([^`]+)`|`` (.*`.*) ``", cell)
    assert shown, cell
    return shown[1] or shown[2]


def inline(text: str) -> list[str]:
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose(text))


# -- the two say the same --------------------------------------------------------------------------------------------


def test_the_same_blocks() -> None:
    assert blocks(ENGLISH) == blocks(KOREAN)


def test_the_same_headings() -> None:
    def levels(text: str) -> list[str]:
        return [heading.split(" ")[0] for heading in headings(text)]

    assert levels(ENGLISH) == levels(KOREAN)
    assert headings(ENGLISH)[0] == headings(KOREAN)[0]


def test_the_same_tables() -> None:
    english, korean = tables(ENGLISH), tables(KOREAN)
    assert [len(rows) for rows in english] == [len(rows) for rows in korean]
    for one, other in zip(english, korean, strict=True):
        for row, its in zip(one, other, strict=True):
            assert [inline(cell) for cell in row] == [inline(cell) for cell in its], row


def test_the_same_code_in_each_paragraph() -> None:
    """Code in the running text, too, paragraph by paragraph; its order may follow the language."""

    def paragraphs(text: str) -> list[list[str]]:
        return [sorted(inline(part)) for part in re.split(r"\n(?:\n|(?=- ))", prose(text)) if part.strip()]

    assert paragraphs(ENGLISH) == paragraphs(KOREAN)


def test_the_same_links() -> None:
    english, korean = (re.findall(r"\]\(([^)]+)\)", text) for text in (ENGLISH, KOREAN))
    assert english[0] == "README.ko.md" and korean[0] == "README.md"
    assert english[1:] == korean[1:]
    for target in english:
        assert (ROOT / target).exists(), target


# -- every block is tried --------------------------------------------------------------------------------------------


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
    """A virtual environment and pip: not run here; but what they name is there, and `activate` is where it is said."""
    venv, activate, pip = text.splitlines()
    assert venv == "python3 -m venv .venv" and activate == ". .venv/bin/activate"
    assert (ROOT / pip.removeprefix("pip install -r ")).exists()


def copies(text: str, _backend: Process, _proxy: Process) -> None:
    command, source, target = text.split()
    assert (command, target) == ("cp", ".env") and (ROOT / source).exists()


def serves(text: str, _backend: Process, _proxy: Process) -> None:
    """A command that serves: run as it stands, but on a free port of its own."""
    words = shlex.split(text)
    given = dict(word.split("=", 1) for word in words if re.match(r"[A-Z_]+=", word))
    program, *arguments = words[len(given) :]
    if program == "gunicorn" and os.name == "nt":
        return
    command = [str(ROOT / word) if (ROOT / word).is_file() else word for word in arguments]
    command = ["-m", "gunicorn", *command] if program == "gunicorn" else command
    port = free_port()
    settings = given or {"BACKEND_URL": f"http://{SERVED_BY_NOBODY}"}
    with started(command, {**settings, "PROXY_HOST": HOST, "PROXY_PORT": str(port)}, port) as process:
        wait_until_listening(process)
        health = requests.get(f"{process.url}/health", timeout=10).json()
    assert health["backend"]["url"] == Config.from_environment(settings).backend_url


def asks_in_python(text: str, _backend: Process, proxy: Process) -> None:
    assert BASE in text
    command = [sys.executable, "-c", text.replace(BASE, proxy.url)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=_plain_environment())
    assert (done.stdout, done.stderr) == ('get_weather {"city": "Seoul"}\n', "")


def asks_in_curl(text: str, backend: Process, proxy: Process) -> None:
    """And the answers of backend and proxy are the two blocks that the READMEs show."""
    assert BASE in text
    written, got = (_curl(text.replace(BASE, url))["choices"][0] for url in (backend.url, proxy.url))
    raw, read = (said for language, said in blocks(ENGLISH) if language in ("text", "json"))
    assert written["message"]["content"] + "\n" == raw
    shown = json.loads(read)
    for call in (*got["message"]["tool_calls"], *shown["message"]["tool_calls"]):
        assert re.fullmatch("[A-Za-z0-9]{9}", call.pop("id"))
    assert shown == {name: got[name] for name in ("message", "finish_reason")}


def asks_for_health(text: str, backend: Process, proxy: Process) -> None:
    health = _curl(text.replace(BASE, proxy.url))
    assert health["status"] == "ok"
    assert (health["backend"]["url"], health["backend"]["reachable"]) == (backend.url, True)


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
    """What a model writes and what a client gets: `asks_in_curl` compares both with real answers."""
    assert text


def registers(text: str, _backend: Process, _proxy: Process) -> None:
    known = converter_factory.list_supported_models()
    exec(compile(text, "README.md", "exec"), {"__name__": "shown"})
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


TREATMENTS: list[tuple[str, str, Treatment]] = [
    ("bash", "make demo", makes),
    ("bash", "python3 -m venv .venv", installs),
    ("bash", "BACKEND=ollama python app.py", serves),
    ("bash", "BACKEND_URL=http://localhost:1234 python app.py", serves),
    ("python", "from openai import OpenAI", asks_in_python),
    ("bash", "curl http://localhost:5000/v1/chat/completions \\", asks_in_curl),
    ("text", "<think>The user needs get_weather.</think>", is_an_answer),
    ("json", "{", is_an_answer),
    ("bash", "cp .env.example .env", copies),
    ("bash", "python app.py", serves),
    ("bash", "gunicorn -c gunicorn.conf.py app:app", serves),
    ("python", "import json", registers),
    ("bash", "curl http://localhost:5000/health", asks_for_health),
    ("powershell", "py -m venv .venv", works_on_windows),
]
"""The language and the first line of each block, in their order, and what is done with it."""


@BOTH
def test_every_block_has_its_treatment(text: str) -> None:
    found = [(language, block.split("\n")[0]) for language, block in blocks(text)]
    assert found == [(language, first) for language, first, _ in TREATMENTS]


@pytest.mark.parametrize("place", range(len(TREATMENTS)), ids=[first for _, first, _ in TREATMENTS])
def test_block(place: int, backend: Process, proxy: Process) -> None:
    _, block = blocks(ENGLISH)[place]
    TREATMENTS[place][2](block, backend, proxy)


# -- what the text and its tables claim ------------------------------------------------------------------------------

NAMES = [variable.name for variable in VARIABLES]


@BOTH
def test_the_table_of_variables(text: str) -> None:
    rows = table(text, "`BACKEND_URL`")
    assert [code(name) for name, _, _ in rows] == NAMES
    assert [default for _, default, _ in rows] == [f"`{v.default}`" if v.default else "–" for v in VARIABLES]
    (presets,) = [inline(meaning) for name, _, meaning in rows if name == "`BACKEND`"]
    assert presets == list(PRESETS)


CHOICES = ["BACKEND_PROTOCOL", "TOOL_CALL_STREAMING", "REASONING_FIELD", "LOG_LEVEL", "FLASK_ENV"]


@BOTH
@pytest.mark.parametrize("name", CHOICES)
def test_the_table_names_every_choice(text: str, name: str) -> None:
    (variable,) = [each for each in VARIABLES if each.name == name]
    (meaning,) = [meaning for first, _, meaning in table(text, "`BACKEND_URL`") if code(first) == name]
    assert f"one of {', '.join(inline(meaning))}" == variable.kind.takes


@BOTH
def test_every_variable_that_is_named_exists(text: str) -> None:
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", text))
    assert named <= set(NAMES)
    for setting in re.findall(r"`([A-Z_]+=[^`]*)`", text):
        Config.from_environment(dict([setting.split("=", 1)]))


@BOTH
def test_the_table_of_servers(text: str) -> None:
    rows = table(text, "LM Studio")
    for _, setting, url in rows:
        assert Config.from_environment(dict([code(setting).split("=", 1)])).backend_url == code(url)
    presets = [code(setting).removeprefix("BACKEND=") for _, setting, _ in rows]
    assert [name for name in presets if name in PRESETS] == list(PRESETS)


def test_what_the_text_says_of_the_backend() -> None:
    for settings, url in (
        ({}, "http://localhost:8888"),
        ({"BACKEND": "ollama", "BACKEND_HOST": "192.168.0.7"}, "http://192.168.0.7:11434"),
    ):
        assert Config.from_environment(settings).backend_url == url
        assert all(f"`{url}`" in prose(text) for text in (ENGLISH, KOREAN))
        assert all(f"`{name}={value}`" in text for name, value in settings.items() for text in (ENGLISH, KOREAN))


def _written(syntax: Syntax) -> str:
    return render_calls(syntax, [("get_weather", {"city": "Seoul"})])


@BOTH
def test_the_table_of_syntaxes(text: str) -> None:
    rows = {code(name): (models, code(begins)) for name, models, begins in table(text, "`apertus`")}
    for syntax in SYNTAXES:
        shown = _written(syntax).partition("city")[0].replace("\n", "⏎").replace("|", "\\|")
        line = f"| `{syntax.name}` | {syntax.models or '–'} | `{shown}` |"
        assert syntax.name in rows, f"both READMEs need a line for {syntax.name}, such as: {line}"
        models, begins = rows.pop(syntax.name)
        begins = begins.replace("⏎", "\n").replace("\\|", "|")
        assert _written(syntax).startswith(begins) and len(begins) > 7, line
        assert bool(syntax.models) == (models != "–"), line
        for model in models.split(", ") if syntax.models else ():
            converter = converter_factory.get_converter(model)
            assert isinstance(converter, SyntaxConverter) and converter.syntax is syntax, model
    assert not rows, "there are no such rows"


@BOTH
def test_what_the_text_says_of_models(text: str) -> None:
    rows = {syntax.name: syntax for syntax in SYNTAXES}
    assert "`llama3_json`" in prose(text) and rows["llama3_json"].whole_message
    for model in ("GLM-4.7", "QwQ"):
        converter = converter_factory.get_converter(model)
        assert model in prose(text) and isinstance(converter, SyntaxConverter) and converter.starts_inside(model)


@BOTH
def test_every_target_of_make(text: str) -> None:
    rows = table(text, "`make help`")
    documented = re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE)
    assert sorted(code(name).removeprefix("make ") for name, _ in rows) == sorted(documented)
    for target in re.findall(r"`make (\w+)", text):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target
    for name in re.findall(r"`make \w+ ([A-Z]+)=", text):
        assert re.search(rf"^{name} +\?=", MAKEFILE, re.MULTILINE), name


@BOTH
def test_every_path_that_is_named_exists(text: str) -> None:
    for name in inline(text):
        if re.fullmatch(r"(?:tests|converters|examples|docs|demo)/[\w./*-]*|[\w.-]+\.py", name):
            assert list(ROOT.glob(name)), name


@BOTH
def test_no_more_than_the_product(text: str) -> None:
    assert not re.search(r"/work/|/home/|/tmp/|shared/", text)
    assert not re.search("[\U0001f300-\U0001faff\u2600-\u27bf]", text), "an emoji"
    assert ("LICENSE" in text) == (ROOT / "LICENSE").exists()


@BOTH
def test_what_the_text_says_of_serving(text: str) -> None:
    settings = (ROOT / "gunicorn.conf.py").read_text(encoding="utf-8")
    assert "workers = 1\n" in settings
    (connections,) = re.findall(r"^worker_connections = (\d+)\b", settings, re.MULTILINE)
    assert re.search(rf"(?<!\d){connections}(?!\d)", text)
    (seconds,) = re.findall(r"^graceful_timeout = (\d+)", settings, re.MULTILINE)
    assert int(seconds) == 600 and re.search("ten minutes|10분", text)
