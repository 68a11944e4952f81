"""Snapshots read by several threads: every row once, markers right, nothing lost when one breaks."""
import collections
import time

import cdc_golden
from harness import seconds
from test_cdc_resume import Dump

ROWS = 60000


def prepared(t, **options):
    db = t.database()
    t.postgres.sql("create table a (id int primary key, v text);"
                   f"insert into a select i, repeat('x', 200) from generate_series(1, {ROWS}) i;"
                   "create table b (id int primary key, v text); create table c (id int primary key, v text);"
                   "insert into c values (1, 'c'), (2, 'c')", db, "postgres")
    return db, Dump(t, db, **{"snapshot.max.threads": 3, **options})


def last_seen(records):
    return any(marker == "last" for *_, marker in records[-1:])


@seconds(120)
def test_threads_read_every_row_once(t):
    db, dump = prepared(t)
    dump.start()
    dump.wait(lambda r: r and last_seen(r), "the snapshot", 90)
    t.postgres.sql("update a set v = 'y' where id = 7", db, "postgres")
    dump.wait(lambda r: r[-1][3] == "u", "the stream")
    assert dump.stop() == 0
    records = list(dump.records())
    snapshot = records[:-1]
    assert [k["id"] for topic, k, *_ in snapshot if topic == "srv.public.c"] == [1, 2]
    ids = [k["id"] for topic, k, *_ in snapshot if topic == "srv.public.a"]
    assert sorted(ids) == list(range(1, ROWS + 1))
    assert ids != sorted(ids), "one thread read all"
    markers = collections.Counter(marker for *_, marker in snapshot)
    assert markers == {"first": 1, "last_in_data_collection": 1, "first_in_data_collection": 1, "last": 1,
                       "true": ROWS - 2}, markers
    assert snapshot[0][4] == "first" and snapshot[ROWS - 1][4] == "last_in_data_collection"
    assert snapshot[-1][4] == "last"


@seconds(120)
def test_a_thread_that_breaks_starts_the_snapshot_again(t):
    db, dump = prepared(t)
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    dump.env = {"CDC_DUMP_ROOM": "50"}
    dump.start()
    dump.wait(lambda r: len(r) > 500, "some rows")
    assert sql("select count(*) from pg_stat_activity where application_name = 'Debezium Snapshot'") == "3"
    sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'Debezium Snapshot'")
    dump.wait(lambda r: sum(marker == "first" for *_, marker in r) == 2, "a new beginning")
    assert dump.stop() == 0
    cdc_golden.wait("the connections to go", lambda: sql(
        "select count(*) from pg_stat_activity where application_name = 'Debezium Snapshot'") == "0", 10)


@seconds(60)
def test_stops_at_once_amid_a_read(t):
    db, dump = prepared(t)
    dump.env = {"CDC_DUMP_ROOM": "50"}
    dump.start()
    dump.wait(lambda r: len(r) > 100, "some rows")
    began = time.monotonic()
    assert dump.stop() == 0
    assert time.monotonic() - began < 5
