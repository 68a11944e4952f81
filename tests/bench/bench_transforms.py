"""Chains of three transforms, beside JsonConverter's encode of what comes out and, unless told
otherwise, the same chains of Java's transforms: nanoseconds a record."""
import re
import subprocess

from bench import ROOT, beside_java, java_figures

LINE = re.compile(r"^(.+?)\s+([\d.]+) ns/record\s+JSON of\s+(\d+) bytes\s+([\d.]+) ns, ratio ([\d.]+)")


def run(bench):
    program = ROOT / "build/release/tests/bench_transforms"
    if not program.exists():
        print(f"there is no {program}")
        return
    output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    java = java_figures(bench, "transforms")
    for what, ns, size, json_ns, ratio in (LINE.match(line).groups()
                                           for line in output.splitlines()):
        bench.note(what, ns=float(ns), json_bytes=int(size), json_ns=float(json_ns),
                   json_ratio=float(ratio), **beside_java(java, what, int(size), float(ns)))
