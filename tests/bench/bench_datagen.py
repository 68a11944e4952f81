"""datagen dry: records a second on one core, beside JSON encoding of the same records in the run."""
import re
import subprocess

from bench import ROOT


def run(bench):
    build = ROOT / "build/release"
    subprocess.run(["cmake", "--build", build, "--target", "bench_datagen"], check=True,
                   stdout=subprocess.DEVNULL)
    lines = subprocess.run([build / "bench_datagen", "1000", ROOT], check=True, text=True,
                           capture_output=True).stdout.splitlines()
    for line in lines:
        found = re.match(r"(\w+) +(\d+) records/s +([\d.]+) ns +(\d+) bytes +x JSON encoding +([\d.]+)",
                         line)
        bench.note(f"datagen {found[1]}, dry", records_s=float(found[2]), ns=float(found[3]),
                   x_json_encoding=float(found[5]))
