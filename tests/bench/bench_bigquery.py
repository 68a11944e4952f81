"""bigquery-sink into an endpoint that only counts rows, beside bare requests of the same size."""
import json
import subprocess

from bench import ROOT

CASES = [  # what, rows, latency of an answer in ms, partitions
    ("at once, 10 partitions", 1_000_000, 0, 10),
    ("at once, 1 partition", 1_000_000, 0, 1),
    ("after 100 ms, 10 partitions", 500_000, 100, 10),
]


def run(bench):
    plugin = ROOT / "build/release/plugins/bigquery-sink.so"
    if not plugin.exists():
        print(f"there is no {plugin}")
        return
    program = bench.directory / "bench_bigquery"
    subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-O2", f"-I{ROOT / 'include'}",
                    ROOT / "tests/bench/bench_bigquery.c", "-o", program, "-lcurl", "-ldl"],
                   check=True)
    for what, rows, latency, partitions in CASES:
        output = subprocess.run([program, plugin, str(rows), str(latency), str(partitions)],
                                check=True, capture_output=True, text=True).stdout
        bench.note(f"insertAll answered {what}", **json.loads(output))
