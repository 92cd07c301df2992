"""`dragoman template`: the row of a chat template, its proof, and what is written for a pull request."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli import main
from command.template_added import add
from command.template_row import row_code
from converters.syntaxes import ReasoningTag, Syntax
from converters.syntaxes.prompt import Prompt
from templates.sources import read_template
from tests.cases import in_one_test
from tests.documents import ROOT
from tests.servers import Answer, ScriptedBackend, json_answer
from tests.templates.answers import ANSWERS, MADE_UP, REFUSED
from tests.templates.learning import learned_of, props, template_text

pytestmark = pytest.mark.long


def told(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    """What the command says."""
    assert main(["template", *arguments]) == status
    said = capsys.readouterr()
    return said.out if status in (0, 1) else said.err


def made(code: str) -> Syntax:
    """The row of some code."""
    names: dict[str, Any] = {"Syntax": Syntax, "Prompt": Prompt, "ReasoningTag": ReasoningTag}
    exec(code, names)
    (row,) = [value for value in names.values() if isinstance(value, Syntax)]
    return row


@in_one_test("template", ANSWERS)
def test_the_code_of_a_row_makes_that_row(template: str) -> None:
    row = learned_of(template).row
    assert row is not None
    code = row_code(row, f"some/{template}")
    found = made(code)
    assert {**_fields(found), "models": ""} == {**_fields(row), "models": ""}
    assert all(len(line) < 400 for line in code.splitlines())


def _fields(row: Syntax) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Syntax.__dataclass_fields__}


def test_a_learned_row_with_its_proof(capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys, str(MADE_UP / "tags_typed.jinja"), "--model", "someone/Tags-7B")
    assert "tags_7b, learned" in said
    assert 'TAGS_7B = Syntax(\n    name="tags_7b",\n    shape="tagged",\n' in said and 'models=r"tags\\-7b"' in said
    assert "holds: " in said and "read whole and by character" in said
    assert "reasoning" in said and "</yol@ponder>" in said and "the prompt opens it unless asked not to" in said


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(told(capsys, str(MADE_UP / "object_list.jinja"), "--json"))
    assert (found["model"], found["listed"], found["row"]["shape"]) == ("object_list", False, "json_object")
    assert found["proof"]["holds"] and found["proof"]["failed"] == {} and found["why"] is None
    assert found["history"]["system"] == "ok"


@in_one_test("template", REFUSED)
def test_what_no_shape_fits_says_why(capsys: pytest.CaptureFixture[str], template: str) -> None:
    said = told(capsys, str(MADE_UP / f"{template}.jinja"), status=1)
    assert f"none: {REFUSED[template][1]}" in said


def test_a_row_of_the_table_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "x.jinja"
    text = (
        template_text("object_tagged").replace("<|vrk_do|>", "<tool_call>\n").replace("<|vrk_done|>", "\n</tool_call>")
    )
    path.write_text(text, encoding="utf-8")
    assert "hermes, of the table" in told(capsys, str(path))


def test_a_server_is_asked(capsys: pytest.CaptureFixture[str], backend: ScriptedBackend) -> None:
    backend.template_answer = props(template_text("object_list"))
    assert "m_7b, learned" in told(capsys, backend.url, "--model", "m-7b")
    assert backend.template_questions[-1].target == "/props?model=m-7b&autoload=false"
    backend.template_answer = Answer([b"{}"], 404)
    assert "tells of no template" in told(capsys, f"{backend.url}/v1", status=3)


def test_a_file_is_fetched(capsys: pytest.CaptureFixture[str], backend: ScriptedBackend) -> None:
    text = template_text("object_list")
    for path, answer in (
        ("/zq-one.jinja", Answer([text.encode()], headers=[("Content-Type", "text/plain")])),
        ("/org/tokenizer_config.json", json_answer({"chat_template": text})),
    ):
        backend.answer = answer
        assert "learned" in told(capsys, f"{backend.url}{path}", "--model", "zq")
    backend.answer = Answer([b"no"], 404)
    assert "404" in told(capsys, f"{backend.url}/x.jinja", status=3)


@in_one_test(
    "source, why",
    [
        ("not-there.jinja", "there is no such file"),
        ("ftp://host/x.jinja", "takes http:// or https://"),
        ("http://", "takes http:// or https://"),
    ],
)
def test_what_cannot_be_used_is_one_line(capsys: pytest.CaptureFixture[str], source: str, why: str) -> None:
    said = told(capsys, source, status=2)
    assert why in said and said.count("\n") == 1


# -- a pull request ----------------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What of the project is changed, or read, by a new row."""
    for folder in ("converters", "tests/corpus", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("errors.py", "turns.py", "version.py"):
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


@pytest.mark.parametrize("template", ["object_tagged", "tags_typed", "elements_led", "named_group", "python_list"])
def test_row_and_corpus_are_added(checkout: Path, template: str) -> None:
    learned = learned_of(template)
    assert learned.row is not None
    name = f"zq_{template}"
    named = type(learned)(row=_named(learned.row, name))
    files = add(read_template(MADE_UP / f"{template}.jinja"), named, f"some/zq-{template}-7b", checkout)
    cases = [path for path in files if path.startswith(f"tests/corpus/{name}/") and path.endswith(".txt")]
    assert len(cases) >= 6
    program = (
        "import json, sys; from converters.factory import converter_factory as f; "
        f"row = f.get_builtin('zq-{template}-7b').syntax; print(row.name, len(row.call))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=checkout, capture_output=True, text=True, check=False)
    assert done.stdout.split() == [name, str(len(learned.row.call))], done.stderr
    written = subprocess.run([sys.executable, "docs/make_syntaxes.py"], cwd=checkout, capture_output=True, check=False)
    assert written.returncode == 0 and f"`{name}`" in (checkout / "docs/SYNTAXES.md").read_text(encoding="utf-8")


def _named(row: Syntax, name: str) -> Syntax:
    import dataclasses

    return dataclasses.replace(row, name=name)


def test_nothing_is_added_twice_or_where_nothing_was_learned(checkout: Path) -> None:
    from command.subcommand import CommandError

    template = read_template(MADE_UP / "object_list.jinja")
    row = learned_of("object_list").row
    assert row is not None
    learned = type(learned_of("object_list"))(row=_named(row, "zq_list"))
    add(template, learned, "zq-list", checkout)
    with pytest.raises(CommandError, match="there is a row zq_list already"):
        add(template, learned, "zq-list", checkout)
    with pytest.raises(CommandError, match="nothing is added: no period"):
        add(read_template(MADE_UP / "none_yaml.jinja"), learned_of("none_yaml"), "x", checkout)
