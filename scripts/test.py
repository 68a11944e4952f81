#!/usr/bin/env python3
"""make test: all builds, unit, contract and golden tests, then the end-to-end tests.

Ends with a line for each that failed and why, and one line "N passed, N failed" over all of them;
exits 1 when one failed. Nothing may hang: each test has a limit of its own, each step one as well.
"""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed", re.M)
# What tells why a program failed: of the harness, the sanitizers, assert() and ctest.
REASON = re.compile(r"^(FAIL .*|.*(?:ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|"
                    r"Assertion .* failed).*|.*Timeout.*)$", re.M)
CTEST_LIMIT_S = 600  # of a test that has no limit of its own
STEP_LIMIT_S = 7200  # a machine that is five times slower needs less
STOP_LIMIT_S = 120


def call(command, **how):
    """The finished process; None when it took too long and was ended with all its children."""
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True,
                               text=True, **how)
    try:
        out, _ = process.communicate(timeout=STEP_LIMIT_S)
        return subprocess.CompletedProcess(command, process.returncode, out)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            process.terminate()  # the end-to-end tests stop their services then
            try:
                process.communicate(timeout=STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                pass
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def too_long(command):
    return f"{' '.join(map(str, command[:3]))} took longer than {STEP_LIMIT_S} s"


def build(preset):
    """[why it failed]"""
    for command in (["cmake", "--preset", preset],
                    ["cmake", "--build", "--preset", preset, "-j", str(os.cpu_count())]):
        run = call(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if not run:
            return [too_long(command)]
        if run.returncode:
            print(run.stdout[max(0, run.stdout.find("FAILED:")):])
            errors = [line for line in run.stdout.splitlines() if "error" in line.lower()]
            return [f"build of {preset}: {(errors or ['see above'])[0]}"]
    return []


def ctest(preset, *selection):
    """(passed, failed, [name: why]); a test program that prints a summary of its own counts by it."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as out:
        command = ["ctest", "--preset", preset, "-j", str(os.cpu_count()), "--no-tests=ignore",
                   "--timeout", str(CTEST_LIMIT_S),
                   "--test-output-size-passed", "1000000", "--test-output-size-failed", "1000000",
                   "--output-junit", out.name, *selection]
        ended = call(command)
        text = pathlib.Path(out.name).read_text()
    if not ended or not text:
        return 0, 1, [too_long(command) if not ended else f"ctest of {preset} broke off"]
    passed, failed, why = 0, 0, []
    for case in xml.fromstring(text).iter("testcase"):
        said = case.findtext("system-out") or ""
        counts = SUMMARY.findall(said)
        p, f = map(int, counts[-1]) if counts else (1, 0)
        if case.get("status") == "run":  # it passed, whatever it printed of tests that are to fail
            p, f = max(p, 1), 0
        else:
            problem = case.find("failure")
            reasons = REASON.findall(said)[:3] or [problem.get("message") if problem is not None else "?"]
            why.append(f"{preset} {case.get('name')}: " + " | ".join(reasons))
            if f == 0:
                p, f = max(0, p - 1), 1
        passed, failed = passed + p, failed + f
    return passed, failed, why


def end_to_end():
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = [sys.executable, ROOT / "tests/e2e/run.py", "--counts", out.name]
        ended = call(command)
        text = pathlib.Path(out.name).read_text()
    counts = json.loads(text) if text else {"passed": 0, "failed": 0, "reasons": {}, "next": "?"}
    why = [f"e2e {name}: {reason}" for name, reason in counts["reasons"].items()]
    if counts["next"]:
        what = too_long(command) if not ended else "the end-to-end tests broke off"
        return counts["passed"], counts["failed"] + 1, [*why, f"e2e {counts['next']}: {what}"]
    return counts["passed"], counts["failed"], why


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
    passed, failed, why = 0, 0, []
    for name, step in steps:
        print(f"== {name}", flush=True)
        start = time.monotonic()
        result = step()
        if isinstance(result, list):  # of a build
            why += result
            failed += len(result)
            if result:
                print(f"== {name} FAILED", flush=True)
                break
        else:
            passed, failed, why = passed + result[0], failed + result[1], why + result[2]
        print(f"== {name}: {time.monotonic() - start:.0f} s", flush=True)
    for line in why:
        print(f"FAILED {line}", flush=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
