#!/usr/bin/env python3
"""Runs the conformance cases on a worker and compares its answers with Java's.

usage: main.py [--services DIR] [--record] [--case PATTERN] TARGET...

TARGET: java; distributed, follower, standalone: sluice (SLUICE_BIN). --record: writes what java
answers to golden.json; made last by
    tests/e2e/conformance/main.py --record java
With several targets, all are run, and compared with java's answers of this run when it is one of them.
"""
import argparse
import json
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import Services  # noqa: E402
from conformance import differences, runner  # noqa: E402
from conformance.targets import TARGETS  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--services", metavar="DIR")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--case", default="", metavar="PATTERN")
    parser.add_argument("targets", nargs="+", choices=sorted(TARGETS))
    args = parser.parse_args()
    services = Services(args.services)
    work = tempfile.mkdtemp(prefix="sluice-conformance.")
    failed = False
    results = {}
    try:
        for label in sorted(args.targets, key=lambda label: label != "java"):
            done, broken = runner.run(TARGETS[label], services.kafka, work, args.case)
            results[label] = done
            for name, why in broken.items():
                failed = True
                print(f"{label} {name} broke off:\n{why}")
        if args.record and not failed:
            wanted = runner.golden() if runner.GOLDEN.exists() and args.case else {}
            wanted.update(results["java"])
            runner.GOLDEN.write_text(json.dumps(
                {"made_by": "tests/e2e/conformance/main.py --record java",
                 "worker": "Apache Kafka Connect 4.1.0, distributed",
                 "cases": dict(sorted(wanted.items()))}, indent=1, sort_keys=True) + "\n")
        for label in results:
            if label == "java":
                continue
            wanted = results.get("java") or runner.golden()
            bad, unused = runner.compare(wanted, results[label], differences.allowed(label))
            print("\n".join(bad + [f"{label}: no difference any more: {key}" for key in unused]))
            print(f"{label}: {len(bad)} differences, {len(results[label])} cases")
            failed = failed or bool(bad or unused)
    finally:
        services.stop()
        if failed:
            print(f"files: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
