"""The command line as a whole: help, exit statuses, terminals and pipes, Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import cli
from command.subcommand import CommandError
from tests.command.running import dragoman, refused
from tests.servers import PATIENCE, ROOT, Answer, ScriptedBackend

PROGRAM = [sys.executable, "-m", "dragoman"]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_each_subcommand_has_its_help(name: str) -> None:
    ran = dragoman(name, "--help")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith(f"usage: dragoman {name} ") and "xit status: 0" in ran.out
    assert all(len(line) <= 120 for line in ran.out.splitlines())


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_table_of_subcommands_stands_in_the_help(name: str) -> None:
    assert f"    {name} " in dragoman("--help").out
    for place in (f"{name}.py", f"{name}/__init__.py"):
        if (ROOT / "command" / place).exists():
            return
    raise AssertionError(f"command/ has no {name}")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["doctor", "--help"], ["records", "-h"]])
def test_help_imports_only_what_it_says(arguments: list[str]) -> None:
    program = (
        "import sys, cli\ntry: cli.main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "print(sorted({'flask', 'converters', 'backends', 'app', 'openai', 'click'} & {*sys.modules}), file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_a_subcommand_knows_its_own_options_only() -> None:
    ran = dragoman("syntaxes", "--tools", "x")
    assert ran.status == 2 and "unrecognized arguments" in ran.err
    assert dragoman("doctor", "--no-such-option").status == 2


def test_an_error_is_one_line_with_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(given: list[str]) -> int:
        raise CommandError("the tea is cold", 3)

    monkeypatch.setattr(cli, "_run", fail)
    refused(dragoman("serve"), "the tea is cold", status=3)


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_ctrl_c_is_one_line() -> None:
    with ScriptedBackend(Answer([30.0])) as silent:
        process = subprocess.Popen(
            [*PROGRAM, "doctor", silent.url],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            silent.request(within=60)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
        finally:
            if process.poll() is None:
                process.kill()
    assert (process.returncode, out, err) == (130, "", "dragoman: interrupted\n")


@pytest.mark.skipif(os.name == "nt", reason="a pipe that breaks is POSIX")
def test_who_reads_may_stop_reading() -> None:
    command = f"{' '.join(PROGRAM)} syntaxes --json | head -n 1"
    done = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("[\n", "")


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX")
@pytest.mark.parametrize(("settings", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_has_colours_unless_nobody_wants_them(settings: dict[str, str], coloured: bool) -> None:
    import pty

    leader, follower = pty.openpty()
    try:
        process = subprocess.Popen(
            [*PROGRAM, "syntaxes"], cwd=ROOT, env=environment(**settings), stdout=follower, stderr=follower
        )
        os.close(follower)
        shown = b""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                more = os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
            if not more:
                break
            shown += more
        assert process.wait(PATIENCE) == 0
    finally:
        os.close(leader)
    assert b"hermes" in shown and (b"\x1b[1m" in shown) is coloured


def test_a_model_reads_from_a_pipe_what_another_wrote(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "convert"], cwd=ROOT, env=environment(), input="Hi.", capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == '{\n  "role": "assistant",\n  "content": "Hi."\n}\n'
