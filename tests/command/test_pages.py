"""docs/COMMAND.md says what the command does, and shows what it prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import cli
from command.doctor.probes import PROBES
from tests.command.running import TOOLS, dragoman, write_json
from tests.command.test_explain import TEXTS
from tests.documents import blocks, read, tables

PAGE = read("docs/COMMAND.md")
CONSOLE = [text for language, text in blocks(PAGE) if language == "console"]


def table_with(head: list[str]) -> list[list[str]]:
    pattern = "\\| " + " \\| ".join(map(re.escape, head)) + " \\|\n\\|[-|]+\\|\n((?:\\|.*\n)+)"
    (found,) = re.findall(pattern, PAGE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in found.splitlines()]


def test_every_subcommand_stands_in_the_table() -> None:
    assert [cells[0].strip("`| ") for cells in table_with(["command", "what it does"])] == list(cli.COMMANDS)


def test_every_probe_stands_in_the_table() -> None:
    told = [[cell.strip("| ") for cell in cells] for cells in table_with(["#", "probe", "what must be so"])]
    wanted = [[str(each.number), each.title, (each.run.__doc__ or "").strip().rstrip(".")] for each in PROBES]
    assert told == wanted, "\n".join(f"| {' | '.join(cells)} |" for cells in wanted)


@pytest.mark.parametrize("text", CONSOLE, ids=[text.split("\n")[0] for text in CONSOLE])
def test_what_is_shown_is_what_is_printed(text: str, tmp_path: Path) -> None:
    write_json(tmp_path / "tools.json", TOOLS)
    (tmp_path / "answer.txt").write_text(TEXTS["call"].removesuffix("<|im_end|>"), encoding="utf-8")
    for shown in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, printed = shown.partition("\n")
        program, *arguments = shlex.split(command)
        if program == "cat":
            assert printed.rstrip("\n") == (tmp_path / arguments[0]).read_text(encoding="utf-8")
            continue
        assert program == "dragoman"
        out = dragoman(*arguments, folder=tmp_path, environ={"COLUMNS": "100"}).out
        assert re.sub(r'"id": "\w{9}"', '"id": "b7Kq2XwZp"', out) == printed


def test_the_tables_are_tables() -> None:
    assert tables(PAGE)
