#!/usr/bin/env python3
"""Runs a static analyzer over the product's C files as compile_commands.json compiles them.

usage: analyze.py BUILD_DIR [--tool gcc|clang] [-j JOBS] [PIECE_OF_A_PATH...]
gcc: -fanalyzer. clang: clang 14's analyzer, which finds more and takes four times as long. A file
is looked at again only when it, a header or a flag changed. Exits 1 when something was found.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import resource
import shlex
import subprocess
import sys
import time

MODELS = pathlib.Path(__file__).parent / "analyzer_models.h"
# They define what the models stand for.
UNMODELLED = ("runtime/base/mem.c", "runtime/base/err.c", "plugins/postgres-cdc/util.c",
              "plugins/bigquery-sink/names.c")
CLANG = ["clang-14", "--analyze", "-Xclang", "-analyzer-output=text", "-Xclang",
         "-analyzer-checker=alpha.unix.Stream", "-w", "-fno-color-diagnostics"]
# gcc 12 is wrong about these more often than right: it loses what a loop or a callee has written,
# and pointers that are kept in grown arrays.
OFF = ["too-complex", "malloc-leak", "use-of-uninitialized-value",
       "use-of-pointer-in-stale-stack-frame"]
GCC = ["gcc", "-fanalyzer", *(f"-Wno-analyzer-{w}" for w in OFF), "-fdiagnostics-color=never",
       "-fdiagnostics-path-format=none", "-fno-diagnostics-show-caret", "-S"]
CPU_MAX_S = 120  # of one file; the slowest known takes a tenth


def command_of(entry):
    words = entry.get("arguments") or shlex.split(entry["command"])
    out, skip = [], False
    for word in words[1:]:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-MQ"):
            skip = True
        elif word not in ("-c", "-MD", "-MMD", entry["file"]) and not word.startswith(
                ("-flto", "-W", "-ffile-prefix-map")):
            out.append(word)
    return out


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_MAX_S, CPU_MAX_S))


def analyze(entry, tool, headers, cache):
    name = os.path.relpath(entry["file"])
    flags = command_of(entry)
    if tool == "gcc":
        command = [*GCC, *flags, "-O1"]
    elif name in UNMODELLED:
        command = [*CLANG, *flags]
    else:
        command = [*CLANG, *flags, "-include", str(MODELS.resolve())]
    text = pathlib.Path(entry["file"]).read_bytes()
    stamp = cache / hashlib.sha256(text + headers + " ".join(command).encode()).hexdigest()
    if stamp.exists():
        return name, "", 0.0
    run = subprocess.Popen([*command, "-o", os.devnull, entry["file"]], cwd=entry["directory"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                           preexec_fn=limit)
    findings = run.stderr.read()
    _, status, used = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode:
        findings += f"{tool} ended with {run.returncode} (at most {CPU_MAX_S} s of CPU)\n"
    if not findings:
        stamp.touch()
    return name, findings, used.ru_utime + used.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--tool", choices=["gcc", "clang"], default="gcc")
    parser.add_argument("-j", dest="jobs", type=int, default=os.cpu_count())
    parser.add_argument("pieces", nargs="*")
    given = parser.parse_intermixed_args()
    root = pathlib.Path.cwd()
    entries = [e for e in json.loads((given.build / "compile_commands.json").read_text())
               if os.path.relpath(e["file"]).startswith(("runtime/", "plugins/"))
               and (not given.pieces or any(p in e["file"] for p in given.pieces))]
    headers = MODELS.read_bytes() + b"".join(
        p.read_bytes() for d in ("include", "runtime", "plugins")
        for p in sorted((root / d).rglob("*.h")))
    cache = given.build / "analyzed"
    cache.mkdir(exist_ok=True)
    bad, times, begun = 0, [], time.monotonic()
    os.nice(5)
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        for name, findings, cpu_s in pool.map(
                lambda e: analyze(e, given.tool, headers, cache), entries):
            times.append((cpu_s, name))
            if findings:
                bad += 1
                print(f"  {name}:\n{findings}", end="", flush=True)
    times.sort(reverse=True)
    print(f"  {len(entries)} files, {sum(cpu > 0 for cpu, _ in times)} of them analyzed now, "
          f"{bad} with findings; {time.monotonic() - begun:.0f} s, "
          f"CPU {sum(cpu for cpu, _ in times):.0f} s; slowest: " +
          ", ".join(f"{name} {cpu:.0f} s" for cpu, name in times[:3]))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
