"""What is told of snapshots that several threads take: as Debezium tells it, but for how a table is divided."""
import collections
import json

import cdc_notices
from cdc_dump import Dump
from harness import equal, seconds


def told(dump):
    found = []
    for line in dump.out.read_bytes().split(b"\n")[:-1]:
        if line.startswith(b'{"topic":"notices"'):
            found.append(cdc_notices.notice(json.loads(line)["value"]["payload"]))
    return found


def snapshot(t, db, **options):
    dump = Dump(t, db, **cdc_notices.OPTIONS, **{"notification.enabled.channels": "sink", **options}).start()
    dump.until("the end", lambda: any(n["type"] == "COMPLETED" for n in told(dump)), 90)
    dump.stop_well()
    return told(dump)


def is_chunk(notice):
    return notice["type"].startswith("TABLE_CHUNK")


def table_of(notice):
    return notice.get("scanned_collection", notice.get("current_collection_in_progress"))


def check_chunks(notices):
    """{table: chunks}: each begins, then ends, between its table's beginning and end."""
    tables = collections.defaultdict(list)
    for n in notices:
        tables[table_of(n)].append(n)
    sizes = {}
    for table, of_table in tables.items():
        if table is None:
            continue
        equal((of_table[0]["type"], of_table[-1]["type"]), ("IN_PROGRESS", "TABLE_SCAN_COMPLETED"), table)
        chunks = of_table[1:-1]
        total = {n["total_chunks"] for n in chunks}
        equal(len(total), 1, f"total_chunks of {table}")
        sizes[table] = int(total.pop())
        for kind in "TABLE_CHUNK_IN_PROGRESS", "TABLE_CHUNK_COMPLETED":
            equal(sorted(int(n["chunk_index"]) for n in chunks if n["type"] == kind), list(range(sizes[table])),
                  f"{kind} of {table}")
        at = lambda kind, i: next(k for k, n in enumerate(chunks) if n["type"] == kind and n["chunk_index"] == str(i))
        for i in range(sizes[table]):
            assert at("TABLE_CHUNK_IN_PROGRESS", i) < at("TABLE_CHUNK_COMPLETED", i), (table, i)
    return sizes


@seconds(90)
def test_threads_as_debezium_tells(t):
    db = t.database()
    t.postgres.sql(cdc_notices.BEFORE, db, "postgres")
    wanted, got = json.loads(cdc_notices.NOTICES.read_text()), snapshot(t, db)
    plain = lambda notices: sorted(json.dumps(n, sort_keys=True) for n in notices if not is_chunk(n))
    equal(plain(got), plain(wanted), "what is told of tables")
    equal((got[0]["type"], got[-1]["type"]), ("STARTED", "COMPLETED"))
    check_chunks(got)
    # What stands in it, with the figures that depend on the division left out.
    shape = lambda notices: {json.dumps({**n, "chunk_index": "", "total_chunks": "", "total_rows_scanned":
                                         "total_rows_scanned" in n}, sort_keys=True) for n in notices if is_chunk(n)}
    equal(shape(got), shape(wanted), "what is told of chunks")


@seconds(120)
def test_chunks_of_a_large_table(t):
    db = t.database()
    t.postgres.sql("create schema s1; create table s1.a (pk int primary key, v text); create table s1.signals "
                   "(id varchar(42) primary key, type varchar(32), data varchar(2048));"
                   "insert into s1.a select i, repeat('x', 1900) from generate_series(1, 6000) i", db, "postgres")
    notices = snapshot(t, db)
    sizes = check_chunks(notices)
    assert sizes["s1.a"] > 1, sizes
    done = [n for n in notices if n["type"] == "TABLE_SCAN_COMPLETED" and table_of(n) == "s1.a"]
    equal([n["total_rows_scanned"] for n in done], ["6000"])
