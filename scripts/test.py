#!/usr/bin/env python3
"""make test: all builds, unit, contract and golden tests, then the end-to-end tests.

Ends with one line "N passed, N failed" over all of them, and exits 1 when one failed.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed", re.M)


def build(preset):
    for command in (["cmake", "--preset", preset],
                    ["cmake", "--build", "--preset", preset, "-j", str(os.cpu_count())]):
        run = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if run.returncode:
            print(run.stdout[max(0, run.stdout.find("FAILED:")):])
            return False
    return True


def ctest(preset, *selection):
    """(passed, failed); a test program that prints a summary of its own counts by that."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as out:
        subprocess.run(["ctest", "--preset", preset, "-j", str(os.cpu_count()), "--no-tests=ignore",
                        "--test-output-size-passed", "1000000", "--test-output-size-failed", "1000000",
                        "--output-junit", out.name, *selection], cwd=ROOT, stdin=subprocess.DEVNULL)
        text = pathlib.Path(out.name).read_text()
    passed = failed = 0
    for case in xml.fromstring(text).iter("testcase") if text else ():
        counts = SUMMARY.findall(case.findtext("system-out") or "")
        p, f = map(int, counts[-1]) if counts else (1, 0)
        if case.get("status") == "run":  # it passed, whatever it printed of tests that are to fail
            p, f = max(p, 1), 0
        elif f == 0:
            p, f = max(0, p - 1), 1
        passed, failed = passed + p, failed + f
    return passed, failed


def end_to_end():
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        subprocess.run([sys.executable, ROOT / "tests/e2e/run.py", "--counts", out.name],
                       cwd=ROOT, stdin=subprocess.DEVNULL)
        text = pathlib.Path(out.name).read_text()
    if not text:
        print("end-to-end tests broke off")
        return 0, 1
    counts = json.loads(text)
    return counts["passed"], counts["failed"]


def main():
    steps = [
        ("build dev (ASan, UBSan)", lambda: build("dev")),
        ("tests under sanitizers", lambda: ctest("dev")),
        ("build tsan", lambda: build("tsan")),
        ("unit tests under TSan", lambda: ctest("tsan", "-L", "unit")),
        ("build release", lambda: build("release")),
        ("contract of the release plugins", lambda: ctest("release", "-L", "contract")),
        ("end to end", end_to_end),
    ]
    passed = failed = 0
    for name, step in steps:
        print(f"== {name}", flush=True)
        start = time.monotonic()
        result = step()
        if result is False:
            print(f"== {name} FAILED", flush=True)
            failed += 1
            break
        if result is not True:
            passed, failed = passed + result[0], failed + result[1]
        print(f"== {name}: {time.monotonic() - start:.0f} s", flush=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
