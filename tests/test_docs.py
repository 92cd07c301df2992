"""The documents that programs write are what those programs write."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, get_args

import pytest

from backends.net import response
from converters import converter_factory
from converters.builtin import SyntaxConverter
from converters.render import render_calls
from converters.syntaxes import END_TOKENS, REASONING_TAGS, RESULTS, SYNTAXES, TURN_HEADERS
from converters.text.reasons import NOTED, REMOVED
from streaming import answer
from streaming.record import REQUEST_CODES, Outcome
from tests.faults.refusals import REFUSALS
from tests.faults.scenarios import FAULTS, scenarios
from wire import json_depth, sse

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
SYNTAXES_PAGE = (DOCS / "SYNTAXES.md").read_text(encoding="utf-8")
CONFORMANCE_PAGE = (DOCS / "CONFORMANCE.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def generator() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "make_syntaxes.py"))


def _tables(text: str) -> Iterator[list[list[str]]]:
    """The cells of each table, its head included, as Markdown splits them."""
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        lines = [line for line in table.splitlines() if not re.fullmatch(r"\|(-+:?\|)+", line)]
        yield [[cell.strip(" ") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_table_of_syntaxes_is_up_to_date(generator: dict[str, Any]) -> None:
    assert generator["page"]() == SYNTAXES_PAGE, "run: python docs/make_syntaxes.py"


def test_the_generator_runs_from_anywhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import runpy; print(runpy.run_path({str(DOCS / 'make_syntaxes.py')!r})['page']())"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        timeout=60,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert done.stdout == SYNTAXES_PAGE + "\n"


@pytest.mark.parametrize("text", [SYNTAXES_PAGE, CONFORMANCE_PAGE], ids=["syntaxes", "conformance"])
def test_every_line_of_a_table_has_the_cells_of_its_head(text: str) -> None:
    tables = list(_tables(text))
    assert tables
    for head, *body in tables:
        assert body and all(len(row) == len(head) for row in body), head


def test_every_row_stands_in_the_table_once_and_in_order() -> None:
    rows = list(_tables(SYNTAXES_PAGE))[1][1:]
    assert [cells[0].strip("`") for cells in rows] == [row.name for row in SYNTAXES]
    for cells, row in zip(rows, SYNTAXES, strict=True):
        assert cells[1] == f"`{row.shape}`"
        assert cells[3].strip("`").replace("\\|", "|") == row.models
        assert cells[4] == row.source


def test_the_table_of_models_names_each_row_once(generator: dict[str, Any]) -> None:
    models = next(_tables(SYNTAXES_PAGE))[1:]
    rows = {row.name: row for row in SYNTAXES}
    assert [cells[0].strip("`") for cells in models] == sorted(rows)
    for name, example, begins in models:
        row = rows[name.strip("`")]
        assert (example != "–") == bool(row.models), f"docs/make_syntaxes.py: EXAMPLES needs a model of {row.name}"
        shown = begins.strip("`").strip(" " if "```" in begins else "").replace("\\|", "|").replace("⏎", "\n")
        written = render_calls(row, [("get_weather", {"city": "Seoul"})])
        assert written.startswith(shown) and len(shown) > 7, row.name
    assert set(generator["EXAMPLES"]) <= set(rows)


def test_the_models_of_each_row_choose_it(generator: dict[str, Any]) -> None:
    rows = {row.name: row for row in SYNTAXES}
    for name, models in generator["EXAMPLES"].items():
        for model in models.split(", "):
            converter = converter_factory.get_converter(model)
            assert isinstance(converter, SyntaxConverter) and converter.syntax is rows[name], model


def test_what_the_text_says_of_a_row_without_a_marker() -> None:
    (row,) = [row for row in SYNTAXES if row.name == "llama3_json"]
    assert row.whole_message and f"A row without a marker, such as `{row.name}`" in SYNTAXES_PAGE


def test_a_sample_holds_each_piece_of_markup_of_its_row(generator: dict[str, Any]) -> None:
    for row in SYNTAXES:
        shown = generator["sample"](row)
        for piece in re.split(r"\{\w+\}|\n", row.group + "\n" + row.call + "\n" + row.parameter):
            assert piece in shown, f"{row.name}: {piece!r} is not in {shown!r}"


def test_every_tag_and_token_is_listed() -> None:
    listed = SYNTAXES_PAGE.replace("\\|", "|")
    closers = [closer for tag in REASONING_TAGS for closer in tag.closes]
    for token in (
        *END_TOKENS,
        *RESULTS,
        *closers,
        *(tag.turn_opener + tag.opens for tag in REASONING_TAGS),
        *(tag.opens for tag in REASONING_TAGS),
        *(header.opens for header in TURN_HEADERS if not header.closes),
    ):
        shown = token.replace("\n", "\\n")
        assert f"`{shown}`" in listed, token


def test_how_a_row_is_named_by_hand_is_said() -> None:
    names = {row.name for row in SYNTAXES}
    named = re.findall(r"`MODEL_SYNTAX=([^`]+)`|`x-dragoman-syntax: (\w+)`", SYNTAXES_PAGE)
    rows = [part.split("=")[-1] for pair in named for text in pair if text for part in text.split(",")]
    assert len(rows) == 3 and set(rows) <= names


def test_no_failure_of_the_corpus_is_left_unexplained() -> None:
    assert "Not explained yet" not in CONFORMANCE_PAGE
    listed = re.findall(r"^- `[\w-]+/[\w.-]+` \(", CONFORMANCE_PAGE, re.MULTILINE)
    total = next(_tables(CONFORMANCE_PAGE))[-1]
    fixtures, passed, soft, failed = (int(cell) for cell in total[1:5])
    assert passed + soft + failed == fixtures
    assert len(listed) >= failed


# -- docs/OUTCOMES.md ------------------------------------------------------------------------------------------------

OUTCOMES = (DOCS / "OUTCOMES.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("heading", "codes"),
    [
        ("Why text was removed", REMOVED),
        ("What was done to the request", REQUEST_CODES),
        ("What else was decided", NOTED),
    ],
)
def test_every_code_is_explained_and_no_other(heading: str, codes: Mapping[str, str]) -> None:
    chapter = OUTCOMES.split(f"## {heading}\n")[1].split("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", chapter, re.MULTILINE)) == sorted(codes)


def test_every_outcome_is_explained() -> None:
    chapter = OUTCOMES.split("## Where to find it\n")[1].split("\n## ")[0]
    told = re.findall(r"^\| `(\w+)` \|", chapter, re.MULTILINE)
    assert told == list(get_args(Outcome))


SECURITY_PAGE = (DOCS / "SECURITY.md").read_text(encoding="utf-8")
RELIABILITY_PAGE = (DOCS / "RELIABILITY.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_on_security_names_is_there() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", SECURITY_PAGE)
    assert len(named) > 20
    for name in named:
        assert f"def {name}(" in tests, name
    files = re.findall(r"`(tests/\S+\.py)`(?: \*([^*]+)\*)?", SECURITY_PAGE)
    assert files
    for file, section in files:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not section or f"# -- {section} --" in text, section


def test_the_limits_that_the_page_on_security_tells_are_those_of_the_code() -> None:
    config = (ROOT / "gunicorn.conf.py").read_text(encoding="utf-8")
    assert "limit_request_line = 8190" in config and "8,190 bytes" in SECURITY_PAGE
    assert "limit_request_field_size = 65536" in config and "limit_request_fields = 100" in config
    assert "worker_connections = 4096" in config and "4,096" in SECURITY_PAGE and "4,096" in RELIABILITY_PAGE
    assert f"{json_depth.MAX_DEPTH} levels" in SECURITY_PAGE
    assert (
        sse._MAX_FRAME_BYTES == 64 << 20
        and answer.LONGEST_BODY == 64 << 20
        and response._MAX_NON_BODY_BYTES == 256 << 10
    )


def test_the_page_on_reliability_tells_how_many_ways_to_fail_there_are() -> None:
    assert f"{len(FAULTS) + len(REFUSALS)} ways to fail" in RELIABILITY_PAGE
    assert f"{len(scenarios())} scenarios, 0 failed" in RELIABILITY_PAGE


@pytest.mark.parametrize(
    "block", re.findall(r"^```python\n(.*?)^```$", (DOCS / "PYTHON_API.md").read_text(), re.M | re.S)
)
def test_the_examples_of_the_python_api_run(block: str) -> None:
    exec(compile(block, "PYTHON_API.md", "exec"), {"__name__": "shown"})


def test_every_name_of_the_python_api_is_there() -> None:
    table = (DOCS / "PYTHON_API.md").read_text(encoding="utf-8").split("## Presets")[0]
    named = re.findall(r"`((?:app|config|converters|streaming)\.[\w.]+)", table)
    assert len(named) == 6
    for name in named:
        assert resolve_name(name) is not None
