#!/usr/bin/env python3
"""make bench: runs the benches of this directory (bench_*.py), each against its limits and peers.

usage: run.py [--rows N] [--changes N] [--turns N] [--transaction-mb N] [--no-java] [--json FILE] [PATTERN...]
Figures are printed as they come; ratios compare what was measured in this run only. The sizes may
also be given as SLUICE_BENCH_ROWS, SLUICE_BENCH_CHANGES and SLUICE_BENCH_TURNS.
"""
import argparse
import importlib
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from bench import BINARY, Bench, dump  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name, size, what in (("rows", 300_000, "of a snapshot"), ("changes", 200_000, "of each kind, streamed"),
                             ("transaction-mb", 256, "of cdc_huge"),
                             ("turns", 1, "that each part of cdc takes; the best one counts")):
        parser.add_argument(f"--{name}", type=int, metavar="N", help=what,
                            default=os.environ.get(f"SLUICE_BENCH_{name.upper().replace('-', '_')}", size))
    parser.add_argument("--no-java", action="store_true", help="leave the Java peers out")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    parser.add_argument("patterns", nargs="*")
    options = parser.parse_args()
    if not BINARY.exists():
        print(f"there is no {BINARY}: only limits and peers are measured")
    figures = {}
    for path in sorted(HERE.glob("bench_*.py")):
        name = path.stem.removeprefix("bench_")
        if options.patterns and not any(p in name for p in options.patterns):
            continue
        bench = Bench(options)
        try:
            importlib.import_module(path.stem).run(bench)
        finally:
            bench.close()
        figures[name] = bench.figures
    if options.json:
        dump(options.json, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
