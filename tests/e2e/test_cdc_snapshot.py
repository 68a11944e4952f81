"""Snapshots read by several threads: every row once, markers right, nothing lost when one breaks."""
import collections

from cdc_dump import Dump
from harness import becomes, equal, seconds

ROWS = 60000  # more than the threads keep in memory


def prepared(t, **options):
    db = t.database()
    t.postgres.sql("create table a (id int primary key, v text);"
                   f"insert into a select i, repeat('x', 200) from generate_series(1, {ROWS}) i;"
                   "create table b (id int primary key, v text); create table c (id int primary key, v text);"
                   "insert into c values (1, 'c'), (2, 'c')", db, "postgres")
    return db, Dump(t, db, **{"snapshot.max.threads": 3, **options})


def readers(t, db):
    """How many connections of the snapshot's threads there are, and how many of them have begun to read."""
    return t.postgres.sql("select count(*), count(*) filter (where query like 'COPY%') from pg_stat_activity"
                          f" where application_name = 'Debezium Snapshot' and datname = '{db}'", db, "postgres")


def held_amid(t, n, **options):
    """A snapshot that cannot go on, as nobody takes more than n of its records; all of its threads read."""
    db, dump = prepared(t, **options)
    dump.env = {"CDC_DUMP_ROOM": "50"}
    dump.start(held=True)
    dump.take(n)
    dump.until("three readers", lambda: readers(t, db) == "3|3")
    return db, dump


@seconds(120)
def test_threads_read_every_row_once(t):
    db, dump = held_amid(t, 1)
    dump.flow()
    dump.wait(lambda r: r[-1][4] == "last", "the snapshot", 90)
    t.postgres.sql("update a set v = 'y' where id = 7", db, "postgres")
    dump.wait(lambda r: r[-1][3] == "u", "the stream")
    dump.stop_well()
    snapshot = dump.records()[:-1]
    equal([k["id"] for topic, k, *_ in snapshot if topic == "srv.public.c"], [1, 2], "rows of c")
    equal(sorted(k["id"] for topic, k, *_ in snapshot if topic == "srv.public.a"), list(range(1, ROWS + 1)), "rows of a")
    markers = collections.Counter(marker for *_, marker in snapshot)
    equal(markers, {"first": 1, "last_in_data_collection": 1, "first_in_data_collection": 1, "last": 1, "true": ROWS - 2}, "markers")
    equal([snapshot[i][4] for i in (0, ROWS - 1, -1)], ["first", "last_in_data_collection", "last"], "where they stand")


@seconds(120)
def test_a_thread_that_breaks_starts_the_snapshot_again(t):
    db, dump = held_amid(t, 500)
    t.postgres.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'Debezium Snapshot'"
                   f" and datname = '{db}'", db, "postgres")
    dump.flow()
    dump.wait(lambda r: sum(marker == "first" for *_, marker in r) == 2, "a new beginning")
    dump.stop_well()
    becomes(lambda: readers(t, db), "0|0", "connections afterwards")


@seconds(60)
def test_stops_amid_a_read(t):
    """Not when it has read all."""
    _, dump = held_amid(t, 100)
    dump.stop_well()
    count = len(dump.records())
    assert 100 <= count < ROWS, count
