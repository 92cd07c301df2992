"""Two commits side by side: the order of the measurements, what counts, the table, and the status for the shell."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks import in_process, paired, targets, wire
from benchmarks.paired import ROWS, TARGETS, Compared, Row
from benchmarks.targets import Missing

_NOTHING_WRONG = {"failed": 0, "cut_short": 0, "refused": 0, "lost": 0}


def _row(name: str) -> Row:
    return next(row for row in ROWS if row.name == name)


def _pairs(name: str, *pairs: tuple[float | None, float | None]) -> list[dict[str, Any]]:
    """Lines as a run keeps them."""
    return [
        {"row": name, "side": side, "pair": number, "load": 0.5, "us": us}
        for number, pair in enumerate(pairs)
        for side, us in zip(("before", "now"), pair, strict=True)
    ]


def _of(name: str, rows: Sequence[Compared]) -> Compared:
    return next(each for each in rows if each.row.name == name)


def test_each_target_belongs_to_a_row() -> None:
    assert set(TARGETS) <= {row.name for row in ROWS}


def test_the_order_is_swapped_in_every_second_pair(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []
    started: list[str] = []

    @contextmanager
    def upstream() -> Iterator[int]:
        yield 1

    @contextmanager
    def running(name: str, _upstream: int, _before: str | None) -> Iterator[targets.Target]:
        started.append(name)
        yield targets.Target(name, 1 if name == "before" else 2, [10, 11])

    def load(port: int, arguments: Sequence[str], pids: Sequence[int]) -> dict[str, Any]:
        asked.append("before" if port == 1 else "now")
        assert list(pids) == [11]  # the worker, not the one that watches it
        return {"chunks": 1000, "answers": 1000, "cpu_s": 0.05 if port == 1 else 0.04, **_NOTHING_WRONG}

    monkeypatch.setattr(wire, "upstream", upstream)
    monkeypatch.setattr(targets, "running", running)
    monkeypatch.setattr(targets, "root_of", lambda name, _before: Path(name))
    monkeypatch.setattr(wire, "load", load)
    monkeypatch.setattr(paired, "let_settle", lambda _target: None)

    def figures(root: Path, _repeats: int, *, learned: bool = False) -> dict[str, float]:
        return {"listed": 7, "learned": len(root.name)} if learned else {"argument": len(root.name)}

    monkeypatch.setattr(paired, "in_process_figures", figures)
    paired.Run("HEAD", 2, tmp_path / "results.jsonl").measure()
    cases = sum(row.case is not None for row in ROWS)
    assert asked == ["before", "now"] * cases + ["now", "before"] * cases
    assert started == ["before", "now", "now", "before"]  # both anew in each pair
    rows = paired.read(tmp_path / "results.jsonl")
    assert [figure for pair in _of("request", rows).pairs for figure in pair] == pytest.approx([50, 40, 50, 40])
    assert _of("in-process-argument", rows).pairs == [(len("before"), len("now"))] * 2
    assert _of(paired.LEARNED, rows).pairs == [(7, len("now"))] * 2  # both of this commit


def test_cost_is_per_chunk_or_per_answer_and_only_of_a_run_without_faults() -> None:
    figures = {"chunks": 1000, "answers": 100, "cpu_s": 0.05, **_NOTHING_WRONG}
    assert paired.cost(_row("prose-stream"), figures) == pytest.approx(50)
    assert paired.cost(_row("request"), figures) == pytest.approx(500)
    assert paired.cost(_row("request"), figures | {"answers": 0}) is None
    assert all(paired.cost(_row("prose-stream"), figures | {wrong: 1}) is None for wrong in _NOTHING_WRONG)


def test_a_pair_counts_if_both_sides_were_measured() -> None:
    lines = _pairs("request", (100, 101), (None, 90), (100, None), (200, 202))
    assert _of("request", paired.compared(lines[:-1])).pairs == [(100, 101)]
    assert _of("request", paired.compared(lines)).pairs == [(100, 101), (200, 202)]


def _run(**more: list[tuple[float, float]]) -> list[Compared]:
    """All rows with two quiet pairs that hold their targets, but for those that are named, `_` for `-`."""
    usual: dict[str, list[tuple[float, float]]] = {row.name: [(5.0, 4.0), (5.0, 4.0)] for row in ROWS}
    given = usual | {name.replace("_", "-"): pairs for name, pairs in more.items()}
    return paired.compared([line for name, pairs in given.items() for line in _pairs(name, *pairs)])


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        (_run(), 0),
        (_run(request=[(100.0, 110.0), (100.0, 90.0)]), 0),  # the interval reaches below
        (_run(request=[(100.0, 103.0), (100.0, 103.1)]), 1),
        (_run(in_process_argument=[(15.0, 9.0), (15.0, 9.1)]), 1),
        (_run(call_request=[(100.0, 200.0), (100.0, 200.0)]), 0),  # information only
        (_run(request=[(100.0, 100.0)]), 2),
        (_run(request=[(100.0, 100.0)], prose_stream=[(10.0, 11.0), (10.0, 11.0)]), 1),
    ],
    ids=["held", "wide", "missed", "absolute", "information", "too few", "missed and too few"],
)
def test_the_status_tells_of_targets_alone(rows: list[Compared], status: int) -> None:
    assert paired.status(rows) == status


def test_the_table_has_a_line_for_each_row() -> None:
    rows = _run(request=[(100.0, 103.0), (200.0, 208.0)], in_process_argument=[(15.0, 7.0), (15.0, 7.2)])
    lines = paired.table([*rows, Compared(_row("call-stream"), [])]).splitlines()
    assert len(lines) == len(ROWS) + 2
    request = next(line for line in lines if line.startswith("a buffered request"))
    assert request.split()[3:8] == ["answer", "2", "150.00", "155.50", "1.035"]
    assert request.split()[-4:] == ["≤", "1.02", "not", "missed"]
    argument = next(line for line in lines if "argument" in line)
    assert argument.endswith("not missed (now 5.94 – 8.49 µs)")  # its own interval, as the target is no ratio
    assert lines[-1].split()[-4:] == ["-"] * 4


def test_a_file_of_results_is_shown_again(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    lines = [{"machine": "a small one"}, *_pairs("request", (100, 101), (100, 102))]
    results.write_text("".join(json.dumps(line) + "\n" for line in lines))
    shown = paired.shown(results) or ""
    assert shown.startswith("machine: a small one\nload average 0.5 to 0.5\n")
    assert "1.015" in shown
    results.write_text(json.dumps({"machine": "a small one"}) + "\n")
    assert paired.shown(results) is None  # of another kind


def test_the_driver_measures_every_kind_in_process() -> None:
    figures = paired.in_process_figures(targets.ROOT, repeats=1, frames=50)
    assert list(figures) == [*in_process.KINDS, in_process.CONTROL]
    assert all(us > 0 for us in figures.values())
    assert {f"in-process-{kind}" for kind in (*figures, "learned")} == {row.name for row in ROWS if row.case is None}


def test_the_driver_measures_a_learned_row_beside_a_listed_one() -> None:
    figures = paired.in_process_figures(targets.ROOT, repeats=1, frames=50, learned=True)
    assert list(figures) == ["listed", "learned", in_process.CONTROL]


def test_sources_that_cannot_be_driven_are_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="No module named 'app'"):
        paired.in_process_figures(tmp_path, repeats=1)


@pytest.mark.parametrize("kind", in_process.KINDS.values(), ids=in_process.KINDS)
def test_a_wrong_answer_is_not_measured(kind: in_process.Kind) -> None:
    with pytest.raises(in_process.WrongAnswer):
        in_process._check(kind, iter([b'data: {"choices": [{"delta": {"content": "so"}}]}\n\n']))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With two commits on main; it counts as our own."""
    folder = tmp_path / "ours"
    folder.mkdir()
    monkeypatch.setattr(targets, "ROOT", folder)
    monkeypatch.setattr(targets, "BUILD", tmp_path / "build")
    (folder / "file").write_text("0")
    _git(folder, "init", "--quiet", "--initial-branch=main")
    for _ in range(2):
        _commit(folder)
    return folder


def _git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _commit(folder: Path, message: str = "more") -> None:
    (folder / "file").write_text((folder / "file").read_text() + "1")
    _git(folder, "add", "file")
    _git(folder, "commit", "--quiet", "--message", message)


def test_main_is_compared_with_its_parent_and_changes_on_it_with_head(repository: Path) -> None:
    first, second = _git(repository, "rev-list", "--reverse", "HEAD").splitlines()
    assert targets.commit_before() == first
    (repository / "file").write_text("changed")
    assert targets.commit_before() == second


def test_a_branch_is_compared_with_where_it_left_main(repository: Path) -> None:
    left = _git(repository, "rev-parse", "HEAD")
    _git(repository, "switch", "--quiet", "--create", "work")
    _commit(repository)
    _commit(repository)
    _git(repository, "switch", "--quiet", "main")
    _commit(repository, "something else")
    _git(repository, "switch", "--quiet", "work")
    assert targets.commit_before() == left


def test_now_is_a_copy_of_all_files_that_are_not_ignored(repository: Path) -> None:
    (repository / ".gitignore").write_text("*.pyc\n")
    (repository / "new").mkdir()
    for name in ("new/file", "new/file.pyc"):
        (repository / name).write_text("written a moment ago")
    (repository / "link").symlink_to(repository / "new")
    targets._snapshot.cache_clear()
    try:
        copy = targets.root_of("now", None)
        (repository / "file").unlink()
        assert targets.root_of("now", None) == copy
    finally:
        targets._snapshot.cache_clear()
    found = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()}
    assert found == {"file", ".gitignore", "new/file"}


def test_without_a_history_there_is_nothing_to_compare_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "ROOT", tmp_path)
    with pytest.raises(Missing):
        targets.commit_before()
