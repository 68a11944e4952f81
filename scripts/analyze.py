#!/usr/bin/env python3
"""Runs gcc -fanalyzer over the product's C files as compile_commands.json compiles them.

usage: analyze.py BUILD_DIR. A file is looked at again only when it, a header or a flag changed.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

# gcc 12 is wrong about these more often than right: it loses what a loop or a callee has written,
# and pointers that are kept in grown arrays. The dev build's sanitizers look for leaks and stale frames.
OFF = ["too-complex", "malloc-leak", "use-of-uninitialized-value", "use-of-pointer-in-stale-stack-frame"]


def command_of(entry):
    words = entry.get("arguments") or shlex.split(entry["command"])
    out, skip = [], False
    for word in words[1:]:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-MQ"):
            skip = True
        elif word not in ("-c", "-Werror", "-MD", "-MMD", entry["file"]) and not word.startswith("-flto"):
            out.append(word)
    return out


def analyze(entry, headers, cache):
    flags = command_of(entry)
    text = pathlib.Path(entry["file"]).read_bytes()
    key = hashlib.sha256(text + headers + " ".join(flags + OFF).encode()).hexdigest()
    stamp = cache / key
    if stamp.exists():
        return entry["file"], ""
    run = subprocess.run(
        ["gcc", *flags, "-O1", "-fanalyzer", *(f"-Wno-analyzer-{w}" for w in OFF), "-Wno-error",
         "-fdiagnostics-color=never", "-fdiagnostics-path-format=none", "-fno-diagnostics-show-caret",
         "-S", "-o", os.devnull, entry["file"]],
        cwd=entry["directory"], capture_output=True, text=True)
    findings = run.stderr if run.returncode or "[-Wanalyzer" in run.stderr else ""
    if not findings:
        stamp.touch()
    return entry["file"], findings


def main():
    build = pathlib.Path(sys.argv[1])
    root = pathlib.Path.cwd()
    entries = [e for e in json.loads((build / "compile_commands.json").read_text())
               if str(pathlib.Path(e["file"]).resolve()).startswith(
                   (str(root / "runtime"), str(root / "plugins")))]
    headers = b"".join(p.read_bytes() for d in ("include", "runtime", "plugins")
                       for p in sorted((root / d).rglob("*.h")))
    cache = build / "analyzed"
    cache.mkdir(exist_ok=True)
    bad = 0
    os.nice(10)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, findings in pool.map(lambda e: analyze(e, headers, cache), entries):
            if findings:
                bad += 1
                print(f"  {os.path.relpath(file, root)}:")
                print("\n".join(dict.fromkeys(findings.splitlines())))
    print(f"  {len(entries)} files analyzed, {bad} with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
