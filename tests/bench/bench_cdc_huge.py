"""One huge transaction: its rate, its CPU and what memory it takes, when the server keeps it back until
it is committed, and when it sends it in parts as it grows (stream.in.progress).

Size: --transaction-mb, of rows of 1 kB. It takes five times that of disk at the worst: the table, the
WAL, what the server and then sluice write aside; of the topics, only their ends are kept.
"""
import shutil
import time

from bench import Sluice, wait_for
from bench_cdc import connector

ROW_BYTES = 1000
RSS_LIMIT_MB = 64
KEPT = {"retention_bytes": str(256 << 20), "segment_bytes": str(64 << 20), "file_delete_delay_ms": "1000"}
WAYS = (("kept back", {"stream.in.progress": "off"}), ("sent in parts", {"stream.in.progress": "on"}))


def dropped(b, slot):
    b.postgres.sql(f"select pg_drop_replication_slot('{slot}')", user="postgres")
    return True


def run(b):
    rows = b.options.transaction_mb * 1_000_000 // ROW_BYTES
    free = shutil.disk_usage(b.directory).free
    if free < 5 * b.options.transaction_mb * 1_000_000:
        raise RuntimeError(f"{free / 1e9:.0f} GB free are too few for a transaction of "
                           f"{b.options.transaction_mb:,} MB; give a smaller --transaction-mb")
    print(f"CDC: one transaction of {rows:,} rows of {ROW_BYTES} bytes")
    b.postgres.sql("create table orders (id bigint primary key, body text not null); create publication bench for table orders")
    readers = []
    for turn, (way, params) in enumerate(WAYS):
        prefix = f"huge{turn}"
        config = {**connector(b, prefix), "snapshot.mode": "no_data", **params}
        worker = Sluice(b.directory / prefix, b.kafka.bootstrap, connectors={"bench": config})
        b.kafka.create(f"{prefix}.public.orders", **KEPT)
        b.postgres.sql(f"select pg_create_logical_replication_slot('{prefix}', 'pgoutput')", user="postgres")
        readers.append((way, prefix, worker))
    begun = time.monotonic()
    b.postgres.sql(f"insert into orders select i, repeat(md5(i::text), {ROW_BYTES // 32 + 1})::varchar({ROW_BYTES})"
                   f" from generate_series(1, {rows}) i")
    b.note("the server's own time", rows_s=rows / (time.monotonic() - begun))
    for way, prefix, worker in readers:
        since = time.monotonic()
        worker.start(wait=False)
        figures = b.follow(f"{prefix}.public.orders", 0, rows, worker.process.pid, since, timeout=7200)
        worker.stop()
        b.note(f"transaction {way}", **figures)
        print(f"  {'':<40}RSS {'holds' if figures['peak_mb'] <= RSS_LIMIT_MB else 'MISSES'} {RSS_LIMIT_MB} MB")
        wait_for("the slot to be dropped", lambda: dropped(b, prefix), 600)  # once the server sees who has gone
