"""`make bench`: what reading costs. A run says which machine it was; compare only within a run."""

from __future__ import annotations

import argparse
import platform

from benchmarks import rows, transducer


def main() -> int:
    options = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    options.add_argument("--piece", type=int, default=4, help="characters in a piece (4)")
    options.add_argument("--rounds", type=int, default=3, help="rounds, of which the best counts (3)")
    options.add_argument("--row", help="only this row")
    chosen = options.parse_args()
    print(
        f"{platform.python_implementation()} {platform.python_version()} on {platform.machine()}, {platform.system()}"
    )
    transducer.measure(chosen)
    rows.measure(chosen)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
