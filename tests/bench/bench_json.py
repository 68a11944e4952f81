"""JsonConverter alone, beside memcpy of the same bytes and, unless told otherwise, Java's
JsonConverter on the same records: nanoseconds a record and MB/s."""
import re
import subprocess

from bench import ROOT, beside_java, java_figures

LINE = re.compile(r"^(.+?)\s+(encode|decode)\s+(\d+) bytes\s+([\d.]+) ns/record\s+([\d.]+) MB/s"
                  r".*ratio ([\d.]+)")


def run(bench):
    program = ROOT / "build/release/tests/bench_json"
    if not program.exists():
        print(f"there is no {program}")
        return
    output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    java = java_figures(bench, "json")
    for what, way, size, ns, rate, ratio in (LINE.match(line).groups()
                                             for line in output.splitlines()):
        bench.note(f"{what}, {way}", bytes=int(size), ns=float(ns), mb_per_s=float(rate),
                   memcpy_ratio=float(ratio),
                   **beside_java(java, f"{what}, {way}", int(size), float(ns)))
