"""What the text and the tables of README and of the guides say is so."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from config import PRESETS, VARIABLES, Config
from converters import SYNTAXES
from converters.thinking import family_of
from tests.documents import PAIRS, ROOT, code, each_page, in_both_languages, inline, prose, read, table

NAMES = [variable.name for variable in VARIABLES]
GUNICORN = read("gunicorn.conf.py")
configuration = in_both_languages("CONFIGURATION")


# -- docs/CONFIGURATION.md ---------------------------------------------------------------------------------------------


@configuration
def test_the_table_of_variables(text: str) -> None:
    rows = table(text, "`BACKEND_URL`")
    assert [code(name) for name, _, _ in rows] == NAMES
    assert [default for _, default, _ in rows] == [f"`{v.default}`" if v.default else "–" for v in VARIABLES]
    (presets,) = [inline(meaning) for name, _, meaning in rows if name == "`BACKEND`"]
    assert presets == list(PRESETS)


CHOICES = ["BACKEND_PROTOCOL", "TOOL_CALL_STREAMING", "REASONING_FIELD", "LOG_LEVEL", "FLASK_ENV"]


@configuration
@pytest.mark.parametrize("name", CHOICES)
def test_the_table_names_every_choice(text: str, name: str) -> None:
    (variable,) = [each for each in VARIABLES if each.name == name]
    (meaning,) = [meaning for first, _, meaning in table(text, "`BACKEND_URL`") if code(first) == name]
    assert f"one of {', '.join(inline(meaning))}" == variable.kind.takes


@configuration
def test_the_table_of_servers(text: str) -> None:
    rows = table(text, "LM Studio")
    for _, setting, url in rows:
        assert Config.from_environment(dict([code(setting).split("=", 1)])).backend_url == code(url)
    presets = [code(setting).removeprefix("BACKEND=") for _, setting, _ in rows]
    assert [name for name in presets if name in PRESETS] == list(PRESETS)


@configuration
@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "http://localhost:8888"),
        ({"BACKEND": "ollama", "BACKEND_HOST": "192.168.0.7"}, "http://192.168.0.7:11434"),
    ],
)
def test_what_the_text_says_of_the_backend(text: str, settings: dict[str, str], url: str) -> None:
    assert Config.from_environment(settings).backend_url == url
    assert f"`{url}`" in prose(text)
    assert all(f"`{name}={value}`" in text for name, value in settings.items())


# -- the other guides --------------------------------------------------------------------------------------------------


@in_both_languages("CLIENTS")
def test_what_the_text_says_of_models(text: str) -> None:
    for model in ("GLM-4.7", "QwQ"):
        family = family_of(model)
        assert model in prose(text) and family is not None and family.opens


@in_both_languages("SERVING")
def test_what_the_text_says_of_serving(text: str) -> None:
    assert "workers = 1\n" in GUNICORN
    (connections,) = re.findall(r"^worker_connections = (\d+)\b", GUNICORN, re.MULTILINE)
    assert re.search(rf"(?<!\d){connections}(?!\d)", text)
    (seconds,) = re.findall(r"^graceful_timeout = (\d+)", GUNICORN, re.MULTILINE)
    assert int(seconds) == 600 and re.search("ten minutes|10분", text)


# -- README ------------------------------------------------------------------------------------------------------------


@in_both_languages("README")
def test_every_target_of_make(text: str) -> None:
    makefile = read("Makefile")
    rows = table(text, "`make help`")
    documented = re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE)
    assert sorted(code(name).removeprefix("make ") for name, _ in rows) == sorted(documented)
    for target in re.findall(r"`make (\w+)", text):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for name in re.findall(r"`make \w+ ([A-Z]+)=", text):
        assert re.search(rf"^{name} +\?=", makefile, re.MULTILINE), name


@in_both_languages("README")
def test_readme_is_short(text: str) -> None:
    assert len(text.splitlines()) <= 150


def test_the_diagram_is_small_and_needs_nothing_from_elsewhere() -> None:
    diagram = read("docs/request.svg")
    assert ElementTree.fromstring(diagram).tag == "{http://www.w3.org/2000/svg}svg"
    assert len(diagram) < 6000
    assert re.findall(r"https?://[^\s\"]+", diagram) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"href|@import|@font-face|<script|<image", diagram)


@in_both_languages("README")
def test_readme_counts_the_syntaxes(text: str) -> None:
    assert len(SYNTAXES) > 60 and re.search("sixty|60", text)


# -- every page --------------------------------------------------------------------------------------------------------


PROGRAMS = ("ANTHROPIC_", "OLLAMA_", "OPENAI_", "OPENCODE_")
"""What the variables of other programs begin with."""


@each_page
def test_every_variable_that_is_named_exists(page: str) -> None:
    text = read(page)
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", text)) - {"BACKND_URL"}  # shown as misspelt
    assert {name for name in named if not name.startswith(PROGRAMS)} <= set(NAMES)
    for setting in re.findall(r"`([A-Z_]+=[^`]*)`", text):
        Config.from_environment(dict([setting.split("=", 1)]))


@each_page
def test_every_path_that_is_named_exists(page: str) -> None:
    for name in inline(read(page)):
        if re.fullmatch(
            r"(?:tests|converters|streaming|examples|docs|demo)/[\w./*-]*|[\w.-]+\.(?:py|txt)|\.env\.\w+", name
        ):
            assert list(ROOT.glob(name)), name


@each_page
def test_no_more_than_the_product(page: str) -> None:
    text = read(page)
    assert not re.search(r"/work/|/home/|/tmp/|shared/", text)
    assert not re.search("[\U0001f300-\U0001faff\u2600-\u27bf]", text), "an emoji"


@in_both_languages("README")
def test_readme_names_the_licence(text: str) -> None:
    assert ("LICENSE" in text) == (ROOT / "LICENSE").exists()


def test_every_guide_is_linked_from_readme() -> None:
    assert [pair.english for pair in PAIRS[1:] if f"({pair.english})" not in read("README.md")] == []


def test_every_page_of_docs_is_linked_from_readme() -> None:
    pages = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").glob("*.md"))]
    assert [page for page in pages if f"({page})" not in read("README.md")] == []
