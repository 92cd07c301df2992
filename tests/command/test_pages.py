"""docs/COMMAND.md says what the command does, and shows what it prints."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import cli
from command.doctor.probes import PROBES
from tests.command.model_servers import Played
from tests.command.running import TOOLS, dragoman, write_json
from tests.command.test_doctor import REFUSAL, VLLM, served
from tests.command.test_explain import TEXTS
from tests.documents import ROOT, prose, read, tables

PAGE = ROOT / "docs" / "COMMAND.md"
TEXT = read("docs/COMMAND.md")
WIDE = {"COLUMNS": "110"}
_CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
_PROBES = re.compile(r"(?<=^\| # \| probe \| what must be so \|\n\|---\|---\|---\|\n)(?:\|.*\n)*", re.MULTILINE)


def test_the_page_shows_what_is_printed(tmp_path: Path) -> None:
    """To write it anew: WRITE_GOLDEN=1, and look at the difference."""
    write_json(tmp_path / "tools.json", TOOLS)
    (tmp_path / "answer.txt").write_text(TEXTS["call"].removesuffix("<|im_end|>"), encoding="utf-8")
    fresh = _CONSOLE.sub(lambda block: _run(block[0], tmp_path), TEXT)
    fresh = _PROBES.sub("".join(f"| {each.number} | {each.title} | {_says(each.run)} |\n" for each in PROBES), fresh)
    if os.environ.get("WRITE_GOLDEN"):
        PAGE.write_text(fresh, encoding="utf-8")
    assert read("docs/COMMAND.md") == fresh


def test_every_subcommand_stands_in_the_table() -> None:
    assert [cells[0].strip("`") for cells in tables(TEXT)[0]] == list(cli.COMMANDS)
    said = prose(TEXT)
    for name in cli.COMMANDS:
        assert f"`dragoman {name}" in said or name in ("serve", "demo", "convert", "explain"), name


def _says(probe: object) -> str:
    return (probe.__doc__ or "").strip().rstrip(".")


def _run(block: str, folder: Path) -> str:
    """The block with its commands run again."""
    commands = [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"$ {command}\n{_printed(shlex.split(command), folder)}" for command in commands)


def _printed(words: list[str], folder: Path) -> str:
    program, *arguments = words
    if program == "cat":
        return (folder / arguments[0]).read_text(encoding="utf-8") + "\n"
    assert program == "dragoman", program
    if arguments[0] == "doctor":
        return _examined(arguments)
    out = dragoman(*arguments, folder=folder, environ=WIDE).out
    return re.sub(r'"id": "\w{9}"', '"id": "b7Kq2XwZp"', out)


def _examined(arguments: list[str]) -> str:
    """Of a vLLM that was started without the flags for tools."""
    _, url, *options = arguments
    with served(Played("vllm", VLLM, refuses=REFUSAL)) as backend:
        out = dragoman("doctor", backend.url, *options, environ=WIDE).out.replace(backend.url, url)
    return re.sub(r"in \d+\.\d s\.", "in 0.4 s.", out)
