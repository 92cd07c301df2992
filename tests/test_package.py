"""What pyproject.toml packs is the product, and old Pythons and the command line get plain sentences."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

import dragoman
import version
from config import VARIABLES

pytestmark = pytest.mark.long

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKED = PROJECT["tool"]["setuptools"]
NOT_PACKED = {"benchmarks", "build", "dist", "docs", "examples", "requirements", "tests"}
LEFT_OUT = {"gunicorn.conf.py"}
"""gunicorn reads it by its path, and its name is no module's."""


def product_folders() -> list[Path]:
    """The packages of the top level: every folder that holds Python and is not for development."""
    folders = [path for path in ROOT.iterdir() if path.is_dir() and re.fullmatch(r"[a-z]\w*", path.name)]
    return sorted(path for path in folders if path.name not in NOT_PACKED and next(path.rglob("*.py"), None))


def product_files() -> list[Path]:
    modules = [path for path in ROOT.glob("*.py") if path.name not in LEFT_OUT]
    inner = [path for folder in product_folders() for path in folder.rglob("*") if path.is_file()]
    return sorted(modules + [path for path in inner if "__pycache__" not in path.parts])


# -- what is packed ----------------------------------------------------------------------------------------------------


def test_every_module_is_packed() -> None:
    modules = [path.stem for path in ROOT.glob("*.py") if path.name not in LEFT_OUT]
    assert sorted(PACKED["py-modules"]) == sorted(modules)


def test_every_folder_is_packed() -> None:
    names = [path.name for path in product_folders()]
    assert sorted(PACKED["packages"]["find"]["include"]) == sorted(names + [f"{name}.*" for name in names])


def test_every_folder_is_a_package() -> None:
    for path in product_files():
        if path.parent != ROOT and path.suffix == ".py":
            assert (path.parent / "__init__.py").exists(), path.parent


def test_every_file_that_is_not_python_is_packed() -> None:
    patterns = PACKED["package-data"]
    for path in product_files():
        room, *inner = path.relative_to(ROOT).parts
        named = [(path.name, pattern) for pattern in patterns["*"] if (path.parent / "__init__.py").exists()]
        named += [("/".join(inner), pattern) for pattern in patterns.get(room, ())]
        assert path.suffix == ".py" or any(fnmatch(name, pattern) for name, pattern in named), path


def test_every_package_is_typed() -> None:
    for folder in product_folders():
        assert (folder / "py.typed").exists(), folder


def test_mypy_reads_what_is_packed() -> None:
    wanted = [f"{name}.py" for name in PACKED["py-modules"]] + [path.name for path in product_folders()]
    assert sorted(PROJECT["tool"]["mypy"]["files"]) == sorted([*wanted, "tests"])


def test_the_version_is_told_once() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", version.VERSION)
    assert PACKED["dynamic"]["version"] == {"attr": "version.VERSION"} and "version" in PROJECT["project"]["dynamic"]
    assert dragoman.__version__ is version.VERSION
    for path in product_files():
        if path.suffix == ".py" and path.name != "version.py":
            assert version.VERSION not in path.read_text(encoding="utf-8"), path


def test_every_list_of_requirements_has_its_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    everything = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    for path in (ROOT / "requirements").glob("*.txt"):
        assert f"$(VENV)/.{path.stem}" in makefile, path
        assert f"-r requirements/{path.name}\n" in everything, path


# -- old Pythons -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["app.py", "dragoman.py", "version.py"])
def test_an_old_python_reads_as_far_as_the_sentence(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 7))
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert "__future__" not in [getattr(node, "module", "") for node in imports], "Python 3.6 would refuse to read it"
    names = [getattr(node, "module", None) or node.names[0].name for node in imports]
    assert name == "version.py" or "version" in names[:2], "what comes first may not be there for an old Python"


def test_an_old_python_gets_one_sentence() -> None:
    program = "import sys; sys.version_info = (3, 9, 1, 'final', 0); sys.argv = ['app.py']; import app"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Dragoman needs Python 3.10 or newer, and this is Python 3.9.\n"


# -- the command line --------------------------------------------------------------------------------------------------

PROGRAMS = {"python app.py": ["app.py"], "dragoman": ["-m", "dragoman"]}
each_program = pytest.mark.parametrize("program", PROGRAMS)


def started(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """To its end. The settings are wrong, so that what serves ends, too, in another way."""
    command = [sys.executable, *PROGRAMS[program], *arguments]
    environ = {**os.environ, "PROXY_PORT": "nonsense", "COLUMNS": "120"}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30)


@each_program
def test_help_starts_no_server(program: str) -> None:
    for argument in ("--help", "-h"):
        done = started(program, argument)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"usage: {program} ")
        assert all(variable.name in done.stdout for variable in VARIABLES)
        assert all(len(line) <= 120 for line in done.stdout.splitlines())


@each_program
def test_the_version_is_printed(program: str) -> None:
    done = started(program, "--version")
    assert (done.returncode, done.stdout) == (0, f"Dragoman {version.VERSION}\n")


@each_program
@pytest.mark.parametrize("argument", ["--prot", "--ver", "8080", "sreve"])
def test_an_unknown_argument_is_an_error(program: str, argument: str) -> None:
    done = started(program, argument)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"usage: {program} ") and argument in done.stderr


@pytest.mark.parametrize("arguments", [[], ["serve"]])
def test_dragoman_serves(arguments: list[str]) -> None:
    done = started("dragoman", *arguments)
    assert done.returncode == 1 and done.stderr.startswith("PROXY_PORT='nonsense': takes ")


def test_the_demo_says_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "openai.py").write_text("raise ImportError")
    command = [sys.executable, "-m", "dragoman", "demo"]
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "The demo needs the OpenAI SDK: pip install openai\n"


def test_ci_runs_what_make_check_runs_and_the_tests_as_the_readme_says() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (parts,) = re.findall(r"^check: ([a-z ]+?) ##", makefile, re.MULTILINE)
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    commands = re.findall(r"^make (.+)$", script, re.MULTILINE)
    assert " ".join(commands) == parts
    assert commands[-1] == "test" and "\nmake test\n" in (ROOT / "README.md").read_text(encoding="utf-8")
