"""AvroConverter's binary alone, beside memcpy of the same bytes and, unless told otherwise, Java's
AvroData with Avro's own library on the same record: nanoseconds a record."""
import re
import subprocess

from bench import ROOT

LINE = re.compile(r"^(.+?) (write|read)\s+([\d.]+) ns\s+([\d.]+) M records/s\s+(\d+) MB/s\s+([\d.]+) x")
JAVA = re.compile(r"^java flat (write|read) ([\d.]+) ns")


def run(bench):
    program = ROOT / "build/release/tests/bench_avro"
    if not program.exists():
        print(f"there is no {program}")
        return
    output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    for what, way, ns, rate, mb, ratio in (LINE.match(line).groups() for line in output.splitlines()):
        bench.note(f"{what}, {way}", ns=float(ns), m_records_per_s=float(rate), mb_per_s=float(mb),
                   memcpy_ratio=float(ratio))
    if not bench.options.no_java:
        script = ROOT / "tests/golden/java/avro/run.sh"
        output = subprocess.run([script, "bench"], check=True, capture_output=True, text=True).stdout
        for way, ns in (m.groups() for m in map(JAVA.match, output.splitlines()) if m):
            bench.note(f"Java, flat 20 fields, {way}", ns=float(ns))
