"""`make templates`: every public chat template that a package brings, learned, and held against the table.

The templates are those of the source distribution of llama-cpp-python. They are fetched into build/ and stay there:
none is part of this project. Writes docs/TEMPLATES.md. Ends with status 1 if fewer rows are proved than must be, or a
spoilt row is accepted that reads anything otherwise.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

from templates.learner import learn_template
from templates.sources import Template
from tests.templates.answers import ANSWERS, MADE_UP
from tests.templates.learning import learned_of
from tests.templates.page import Result, prior_of, write_page
from tests.templates.spoilt import judge, subject

PACKAGE = "llama-cpp-python"
BUILD = Path(__file__).parents[2] / "build" / "templates"
MUST = 58
"""Rows that must be derived and proved."""
SPOILT, CALLS = 300, 200


def main() -> int:
    folder = fetched()
    results = [result(path) for path in sorted(folder.glob("*.jinja"))]
    spoilt = spoilt_rows()
    write_page(results, folder.name, spoilt[:2])
    proved = sum(each.is_proved for each in results)
    print(f"{len(results)} templates, {proved} rows derived and proved (must be {MUST}); docs/TEMPLATES.md says which")
    print(f"{spoilt[0]} spoilt rows, {spoilt[1]} accepted, {len(spoilt[2])} of them read anything otherwise")
    print("\n".join(spoilt[2]))
    return 0 if proved >= MUST and not spoilt[2] else 1


def fetched() -> Path:
    """The folder of the templates, named after the package and its version; fetched if it is not there yet."""
    known = sorted(BUILD.glob(f"{PACKAGE.replace('-', '_')}-*/"))
    if known:
        return known[-1]
    BUILD.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "--version"]
    has_pip = subprocess.run(command, capture_output=True, check=False).returncode == 0
    python = sys.executable if has_pip else "python3"
    subprocess.run(
        [python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", PACKAGE, "-d", str(BUILD), PACKAGE],
        check=True,
    )
    archive = next(BUILD.glob("*.tar.gz"))
    folder = BUILD / archive.name.removesuffix(".tar.gz")
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and member.name.endswith(".jinja") and "/models/templates/" in member.name:
                folder.mkdir(exist_ok=True)
                file = tar.extractfile(member)
                assert file is not None
                (folder / Path(member.name).name).write_bytes(file.read())
    archive.unlink()
    return folder


def result(path: Path) -> Result:
    """What is learned from one template, and the row that its model's name selects."""
    prior = prior_of(path.stem)
    template = Template(path.read_text(encoding="utf-8"), {"bos_token": "<s>", "eos_token": "</s>"})
    learned = learn_template(template, f"template:{path.stem}", prior=prior, thorough=True)
    print(f"{path.stem:60} {learned.row.name if learned.row else learned.why[:100]}")
    return Result(path.stem, prior, learned)


def spoilt_rows() -> tuple[int, int, list[str]]:
    """(spoilt rows of the made-up templates, those accepted, those accepted that read anything otherwise)"""
    tried, accepted = 0, 0
    wrong: list[str] = []
    for seed, name in enumerate(ANSWERS):
        learned = learned_of(name)
        assert learned.row is not None
        found = judge(subject(MADE_UP / f"{name}.jinja", learned.row, CALLS), SPOILT // len(ANSWERS), seed)
        tried, accepted, wrong = tried + found[0], accepted + found[1], wrong + found[2]
    return tried, accepted, wrong


if __name__ == "__main__":
    sys.exit(main())
