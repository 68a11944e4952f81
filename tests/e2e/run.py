#!/usr/bin/env python3
"""Finds and runs the end-to-end tests of this directory.

usage: run.py [--list] [--services DIR] [--keep] [--counts FILE] [PATTERN...]

PATTERN: part of file.test_name; without one, all run. --services: use (start, and leave running)
the services of DIR, so that the next run starts at once. --keep: keep all logs, not only those of
failed tests.
"""
import argparse
import contextlib
import importlib
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from harness import BINARY, PATIENCE, Services, Test  # noqa: E402


CLEAN_UP_S = 180
AGAIN_S = 20  # what catches the first alarm is given the next one
TAIL, LOG = 25, "-- end of "  # lines of a log that are shown, and what stands above them


class TookTooLong(BaseException):
    """Not an Exception: those are caught by what waits."""


@contextlib.contextmanager
def bounded(what, limit):
    def alarm(*_):
        raise TookTooLong(f"{what} took longer than {limit:g} s")

    signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, limit, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def broken(why):
    def test(_):
        raise RuntimeError(f"the file cannot be loaded:\n{why}")

    return test


def find(patterns):
    """[(name, function)] in the order of file names and of the files."""
    found = []
    for path in sorted(HERE.glob("test_*.py")):
        try:
            module = importlib.import_module(path.stem)
        except Exception:
            if not patterns or any(path.stem.removeprefix("test_") in p for p in patterns):
                found.append((f"{path.stem.removeprefix('test_')}.load", broken(traceback.format_exc())))
            continue
        for name, function in vars(module).items():
            full = f"{path.stem.removeprefix('test_')}.{name.removeprefix('test_')}"
            mine = getattr(function, "__module__", None) == path.stem
            if name.startswith("test_") and callable(function) and mine:
                if not patterns or any(p in full for p in patterns):
                    found.append((full, function))
    return found


def run_one(name, function, services, directory):
    """The report of a failure, or None."""
    test = Test(name, services, directory)
    report = None
    try:
        with bounded("the test", getattr(function, "limit", 120) * PATIENCE):
            function(test)
    except TookTooLong:
        report = traceback.format_exc()
        try:
            report += test.stacks()
        except (OSError, subprocess.SubprocessError) as e:
            report += f"no stacks: {e}\n"
    except Exception:
        report = traceback.format_exc()
    errors, cleaned = [], False
    while not cleaned:  # each call goes on behind what hung
        try:
            with bounded("cleaning up", CLEAN_UP_S):
                errors += test.finish()
            cleaned = True
        except TookTooLong:
            errors.append(traceback.format_exc())
    if errors:
        report = "\n".join(([report] if report else []) + errors)
    if report:
        for log in test.logs():
            lines = log.read_text(errors="replace").splitlines()
            told = [line for line in lines[:-TAIL] if "level=error" in line][-5:]
            report += f"\n{LOG}{log}\n" + "\n".join(told + lines[-TAIL:]) + "\n"
    return report


def reason(report):
    """The exception, which stands behind the stack: its first lines in one, and the last errors of logs."""
    said, *logs = report.split(LOG)
    lines = [line for line in said.splitlines() if line.strip()]
    first = next((i for i, line in enumerate(lines) if not line.startswith((" ", "Traceback"))), 0)
    errors = [line for log in logs for line in log.splitlines() if "level=error" in line]
    return " | ".join([" | ".join(lines[first:first + 12])[:700], *(line[:250] for line in errors[-2:])])


def count(path, passed, reasons, under_way):
    """For scripts/test.py; as it stands before each test, in case this process is ended."""
    if path:
        pathlib.Path(path).write_text(json.dumps(
            {"passed": passed, "failed": len(reasons), "reasons": reasons, "next": under_way}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--services", metavar="DIR")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--counts", metavar="FILE", help="write the counts there, print no summary")
    parser.add_argument("patterns", nargs="*")
    args = parser.parse_args()
    tests = find(args.patterns)
    if args.list:
        print("\n".join(name for name, _ in tests))
        return 0

    def ended(*_):
        raise SystemExit(130)

    signal.signal(signal.SIGTERM, ended)
    work = pathlib.Path(tempfile.mkdtemp(prefix="sluice-e2e-files."))
    services = Services(args.services)
    passed, failed, reasons = 0, [], {}
    if not BINARY.exists():
        print(f"note: there is no {BINARY}")
    try:
        for name, function in tests:
            count(args.counts, passed, reasons, name)
            directory = work / name
            start = time.monotonic()
            report = run_one(name, function, services, directory)
            took = f"{time.monotonic() - start:.1f} s"
            if report:
                with contextlib.suppress(RuntimeError):  # then the next test tells why
                    services.revive()
                failed.append(name)
                reasons[name] = reason(report)
                print(f"FAIL {name} ({took})\n{report}", flush=True)
            else:
                passed += 1
                print(f"ok   {name} ({took})", flush=True)
                if not args.keep:
                    shutil.rmtree(directory, ignore_errors=True)
    finally:
        keep = bool(failed) or args.keep
        services.stop(keep_files=keep)
        if keep:
            print(f"files of the tests: {work}; logs of the services: {services.directory}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    count(args.counts, passed, reasons, None)
    if not args.counts:
        for name in failed:
            print(f"FAIL {name}: {reasons[name]}")
        print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
