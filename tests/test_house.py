"""The house rules as programs: floors, walls, sizes, and documents that keep up with the code."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import get_args

from converters import SYNTAXES
from converters.text import reasons
from tests.cases import in_one_test

ROOT = Path(__file__).parent.parent
ROOMS = (
    "wire",
    "converters",
    "templates",
    "dialects",
    "backends",
    "streaming",
    "records",
    "serving",
    "telemetry",
    "web",
    "inspector",
    "command",
    "demo",
)
TOP = (
    "dragoman",
    "cli",
    "app",
    "startup",
    "usage",
    "config",
    "setting_kinds",
    "errors",
    "log_context",
    "turns",
    "version",
    "reply",
)
FLOORS = {
    "version": 0,
    "errors": 0,
    "log_context": 0,
    "turns": 0,
    "setting_kinds": 0,
    "config": 1,
    "wire": 1,
    "converters": 1,
    "reply": 2,
    "usage": 2,
    "templates": 2,
    "dialects": 3,
    "backends": 3,
    "startup": 4,
    "streaming": 4,
    "records": 5,
    "serving": 5,
    "telemetry": 6,
    "web": 6,
    "inspector": 7,
    "app": 8,
    "command": 9,
    "cli": 10,
    "dragoman": 11,
}
"""The demo backend stands outside: it plays somebody else's server and imports nothing of ours."""

HEART = {
    "text": 0,
    "syntaxes": 0,
    "values": 1,
    "shapes": 2,
    "detect": 3,
    "stages": 4,
    "render": 4,
    "prompts": 5,
    "base": 5,
    "learning": 5,
    "builtin": 6,
    "factory": 7,
    "thinking": 7,
    "explain": 8,
}
FORBIDDEN = {
    "wire": {"flask", "requests", "urllib3", "socket", "time", "logging", "config", "converters"},
    "converters": {"flask", "requests", "urllib3", "time", "logging", "socket", "config", "dialects", "streaming"},
    "converters/learning": {"jinja2", "subprocess", "pathlib", "templates"},
    "templates": {"flask", "dialects", "backends", "streaming", "config"},
    "reply": {"flask", "requests", "urllib3", "socket", "time", "config", "wire"},
    "dialects": {"flask", "requests", "urllib3", "socket", "time", "backends", "streaming"},
    "backends": {"flask", "dialects", "streaming"},
    "backends/net": {"flask", "dialects", "streaming", "converters", "reply", "wire"},
    "backends/chat": {"flask", "dialects", "streaming", "socket", "urllib3", "httptools"},
    "backends/adapt": {"flask", "dialects", "streaming", "socket", "urllib3", "httptools", "time", "logging", "config"},
    "backends/adapt/words": {"flask", "dialects", "streaming", "socket", "time", "config", "wire", "converters", "re"},
    "streaming": {"flask", "werkzeug", "requests", "urllib3", "socket", "wire"},
    "records": {"flask", "werkzeug", "requests", "urllib3", "socket", "wire", "dialects"},
    "telemetry": {"flask", "werkzeug", "requests", "urllib3", "socket", "wire", "dialects", "backends"},
    "inspector": {"requests", "urllib3", "socket", "dialects", "backends"},
    "command": {"flask", "werkzeug", "urllib3", "socket", "http"},
    "demo": {"converters", "dialects", "backends", "streaming", "config"},
}
SEEN_FROM_STREAMING = {
    "dialects": {"dialects.protocol"},
    "backends": {"backends", "backends.protocol"},
}
"""What the engine may know of both wings: what they promise, and the facade of the network."""
CHAT_FIELDS = {
    *("choices", "delta", "finish_reason", "tool_calls", "function_call", "reasoning_content", "stream_options"),
}
"""Fields of chat completions, which no string of the engine may name."""


def _sources() -> list[Path]:
    files = [ROOT / f"{name}.py" for name in TOP]
    return files + [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


SOURCES = _sources()
each_source = in_one_test("path", SOURCES, ids=_name)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def _imports(path: Path) -> set[str]:
    """The modules a file imports, as dotted names, wherever in it the imports stand."""
    found: set[str] = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@each_source
def test_imports_point_down(path: Path) -> None:
    room = _room(path)
    if room == "demo":
        return
    for module in _imports(path):
        other = module.split(".")[0]
        if other in FLOORS and other != room:
            below = FLOORS[other] < FLOORS[room]
            assert below, f"{_name(path)} (floor {FLOORS[room]}) imports {module} (floor {FLOORS[other]})"


@each_source
def test_imports_inside_the_heart_point_down(path: Path) -> None:
    parts = path.relative_to(ROOT).parts
    if parts[0] != "converters" or parts[1] == "__init__.py":
        return
    own = parts[1].removesuffix(".py")
    for module in _imports(path):
        step = module.split(".")
        if step[0] == "converters" and len(step) > 1 and step[1] in HEART and step[1] != own:
            assert HEART[step[1]] <= HEART[own], f"{_name(path)} imports {module}"


def test_every_file_of_the_heart_has_its_floor() -> None:
    names = {
        path.stem if path.is_file() else path.name
        for path in (ROOT / "converters").iterdir()
        if path.suffix != ".typed"
    }
    assert names - {"__init__", "__pycache__"} == set(HEART)


@each_source
def test_no_forbidden_imports(path: Path) -> None:
    tops = {module.split(".")[0] for module in _imports(path)}
    assert not tops & FORBIDDEN.get(_room(path), set())
    assert not tops & FORBIDDEN.get(str(path.parent.relative_to(ROOT)), set())


@each_source
def test_the_engine_knows_of_the_wings_what_they_promise(path: Path) -> None:
    if _room(path) != "streaming":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            wing = node.module.split(".")[0]
            assert node.module in SEEN_FROM_STREAMING.get(wing, {node.module}), f"{_name(path)} imports {node.module}"


@each_source
def test_the_engine_names_no_field_of_chat_completions(path: Path) -> None:
    if _room(path) != "streaming":
        return
    tree = ast.parse(path.read_text())
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert not CHAT_FIELDS & {word for text in texts for word in re.findall(r"\w+", text)}


@each_source
def test_every_file_says_what_it_is(path: Path) -> None:
    doc = ast.get_docstring(_tree(path))
    assert doc, f"{_name(path)} has no docstring"
    assert len(doc.splitlines()[0]) > 20


@each_source
def test_files_and_functions_are_small(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 400, f"{_name(path)} has {len(text.splitlines())} lines"
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef):
            inner = [each for each in ast.walk(node) if isinstance(each, ast.FunctionDef) and each is not node]
            lines = _lines(node) - sum(map(_lines, inner))
            assert lines <= 60, f"{_name(path)}: {node.name} has {lines} lines of its own"


def test_files_of_the_tests_can_be_read() -> None:
    for path in (ROOT / "tests").rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 600, f"{_name(path)} has {lines} lines"


def _lines(node: ast.FunctionDef) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


@each_source
def test_broad_excepts_stand_only_where_foreign_code_and_streams_end(path: Path) -> None:
    allowed = {
        "streaming/custom_converter.py": 1,
        "streaming/conversation.py": 1,
        "templates/sandbox.py": 1,
        "templates/learner.py": 1,
    }
    broad = re.findall(r"except(?: Exception| BaseException)?(?: as \w+)?:", path.read_text())
    assert len(broad) == allowed.get(_name(path), 0), f"{_name(path)}: {broad}"
    assert "except BaseException" not in broad


@in_one_test("path", [p for p in SOURCES if "shapes" in p.parts], ids=_name)
def test_shapes_know_no_marker(path: Path) -> None:
    text = path.read_text()
    for syntax in SYNTAXES:
        for marker in re.findall(r"<[^{}\s]{3,}?>|\[[A-Z_]{4,}\]", syntax.group + syntax.call + syntax.parameter):
            assert marker not in text, f"{_name(path)} names {marker} of {syntax.name}"


DATA = [*(ROOT / "converters/syntaxes").glob("*.py"), *(ROOT / "backends/adapt/words").glob("*.py")]


@in_one_test("path", sorted([*DATA, ROOT / "backends/adapt/losses.py"]), ids=_name)
def test_rows_hold_no_code(path: Path) -> None:
    if path.name == "row.py":
        return  # what a row is: it has its samples checked
    tree = _tree(path)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)]


def test_every_row_has_a_source_and_a_corpus() -> None:
    for syntax in SYNTAXES:
        assert syntax.source, syntax.name
        cases = list((ROOT / "tests/corpus" / syntax.name).glob("*.txt"))
        assert len(cases) >= 6, f"{syntax.name} has {len(cases)} recorded cases"


def test_every_removal_reason_is_explained() -> None:
    assert set(reasons.REMOVED) | set(reasons.NOTED) == set(get_args(reasons.Reason))


def test_architecture_names_every_room_and_file() -> None:
    text = (ROOT / "docs/ARCHITECTURE.md").read_text()
    for path in SOURCES:
        assert path.name in text or path.name == "__init__.py", f"docs/ARCHITECTURE.md does not name {_name(path)}"


def test_no_path_of_a_machine_stands_in_the_project() -> None:
    for path in [*SOURCES, *ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        assert not re.search(r"/work/|\.\./shared|/home/\w+/", path.read_text()), _name(path)
