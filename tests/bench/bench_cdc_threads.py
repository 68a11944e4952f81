"""The snapshot of one big table by 1, 2 and 4 threads (snapshot.max.threads): on this machine, which the
broker and the server share; and over connections that carry RATE bytes/s each, as from a server
that is slow or far away."""
import sys
import time

from bench import ROOT, Sluice
from bench_cdc import TABLE, connector

sys.path.insert(0, str(ROOT / "tests/e2e"))
from tcp_proxy import Proxy  # noqa: E402

RATE = 3_000_000


def snapshot(b, name, rows, threads, port):
    prefix = f"threads_{name}_{threads}"
    config = {**connector(b, prefix), "database.port": str(port), "snapshot.max.threads": str(threads),
              "slot.drop.on.stop": "true"}
    worker = Sluice(b.directory / prefix, b.kafka.bootstrap, connectors={"bench": config})
    topic = f"{prefix}.public.orders"
    since = time.monotonic()
    worker.start(wait=False)
    figures = b.follow(topic, 0, rows, worker.process.pid, since)
    worker.stop()
    b.kafka.wire.delete_topics([topic])
    b.note(f"snapshot, {name}, {threads} threads", **figures)
    return figures


def run(b):
    rows = b.options.rows
    b.postgres.sql(TABLE)
    b.postgres.sql(f"""insert into orders select i, i % 10000, 'new', i * 1.25, i % 50, true,
        'a note of about forty characters, no. ' || i, now() from generate_series(1, {rows}) i;
        vacuum analyze orders""")
    print(f"CDC: snapshot of {rows:,} rows by threads")
    port = int(b.postgres["PGPORT"])
    near = [snapshot(b, "near", rows, n, port) for n in (1, 2, 4)]
    b.note("near: rate with 4 threads / with 1", ratio=near[2]["rows_s"] / near[0]["rows_s"],
           cpu=near[2]["cpu_s_per_million"] / near[0]["cpu_s_per_million"])
    proxy = Proxy(port, RATE)
    far = [snapshot(b, "far", rows, n, proxy.port) for n in (1, 2, 4)]
    proxy.stop()
    b.note("far: rate with 4 threads / with 1", ratio=far[2]["rows_s"] / far[0]["rows_s"])
