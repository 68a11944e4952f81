"""What a bench gets: services of its own, a clock on a topic, and a place for its figures."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts/services"))

from clients import Connect, Services, wait_for  # noqa: E402,F401
from kafka_wire import LATEST  # noqa: E402
from sluice import BINARY, Rest, Sluice, process_cost  # noqa: E402,F401


class Bench:
    def __init__(self, options):
        self.options = options
        # Topics that bound what they keep are cut soon.
        os.environ.setdefault("KAFKA_EXTRA", "log.retention.check.interval.ms=2000")
        self.services = Services()
        self.kafka, self.postgres = self.services.kafka, self.services.postgres
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sluice-bench."))
        self.figures = {}
        self.turns = {}  # of what is measured several times: {what: [figures]}

    def note(self, what, **figures):
        """Print and keep the figures of one measurement."""
        self.figures[what] = figures
        print(f"  {what:<40}" + "  ".join(_text(k, v) for k, v in figures.items()), flush=True)

    def end_of(self, topic):
        try:
            return self.kafka.wire.offsets(topic, 1, LATEST)[0]
        except RuntimeError:
            return 0  # there is no such topic yet

    def follow(self, topic, start, count, pid, since, timeout=900):
        """Watch a topic of one partition grow by count records beyond the offset start; pid writes
        them. since: when the clock started. Rates are from the first record to the last."""
        first = None
        before = after = process_cost(pid)
        deadline = time.monotonic() + timeout
        while True:
            end, now = self.end_of(topic), time.monotonic()
            cost = process_cost(pid)
            after = cost if cost["peak"] else after  # an ended process has no memory
            if first is None and end > start:
                first, seen_first = now, end - start
            if end - start >= count:
                break
            if now > deadline:
                raise RuntimeError(f"{end - start} of {count} records in {topic} after {timeout} s")
            time.sleep(0.01)
        rate = (count - seen_first) / (now - first) if count > seen_first else float(count)
        cpu = (after["cpu"] - before["cpu"]) / count * 1e6
        return {"rows_s": rate, "cpu_s_per_million": cpu, "peak_mb": after["peak"] / 1e6,
                "first_record_s": first - since, "total_s": now - since}

    def close(self):
        self.services.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def java_figures(bench, part):
    """What Java's classes take for the records of a bench: {name: (bytes of JSON, ns)}; part is an
    argument of JsonBench. Empty with --no-java."""
    if bench.options.no_java:
        return {}
    output = subprocess.run([ROOT / "tests/golden/java/run.sh", "bench", part], check=True,
                            capture_output=True, text=True).stdout
    lines = re.findall(r"^(.+): (\d+) bytes ([\d.]+) ns$", output, re.M)
    return {what: (int(size), float(ns)) for what, size, ns in lines}


def beside_java(java, what, size, ns):
    """The figures that compare with Java; {} when it was left out. Ratio of rates: sluice/Java."""
    if not java:
        return {}
    java_size, java_ns = java[what]
    if java_size != size:
        raise RuntimeError(f"{what}: sluice wrote {size} bytes of JSON, Java {java_size}")
    return {"java_ns": java_ns, "java_ratio": java_ns / ns}


def _text(key, value):
    name = key.replace("_s_per_million", " s/M").replace("_s", "/s" if key in ("rows_s", "changes_s") else " s").replace("_", " ")
    return f"{name} {value:,.0f}" if abs(value) >= 1000 else f"{name} {value:.2f}"


def dump(path, figures):
    pathlib.Path(path).write_text(json.dumps(figures, indent=2) + "\n")
