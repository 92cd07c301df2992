"""Counts the tokens of tests/dialects/messages/tokens/*.txt with real tokenizers, into counts.json beside them.

    python -m tests.dialects.messages.count_corpus NAME=tokenizer.json ...      needs the package `tokenizers`

The files are Hugging Face's `tokenizer.json`, as the models publish them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "tokens"
COUNTS = FOLDER / "counts.json"


def main(named: list[str]) -> None:
    from tokenizers import Tokenizer

    found = {}
    for each in named:
        name, _, path = each.partition("=")
        tokenizer = Tokenizer.from_file(path)
        found[name] = {
            text.stem: len(tokenizer.encode(text.read_text(encoding="utf-8"), add_special_tokens=False).ids)
            for text in sorted(FOLDER.glob("*.txt"))
        }
    COUNTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
