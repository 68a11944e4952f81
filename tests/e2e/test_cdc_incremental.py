"""Incremental snapshots while the tables change, through kills, pauses and stops."""
import json
import random

from cdc_dump import Dump, is_table
from harness import equal, no_duplicates, seconds

SIGNALS = ("create table signals (id varchar(64) primary key, type varchar(32), data varchar(2048));"
           "create table k (id int primary key, v int, w text);")
ASK = """insert into signals values ('ask', 'execute-snapshot', '{"data-collections": ["public.k"]}')"""
# So slow, however fast the machine is, that signals find it under way: a chunk of 50 rows sleeps once.
ASK_SLOWLY = """insert into signals values ('ask', 'execute-snapshot', '{"data-collections": ["public.k"], "additional-conditions":
    [{"data-collection": "public.k", "filter": "(id % 50 > 0 or pg_sleep(0.02) is not null)"}]}')"""


def prepared(t, n, **options):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(SIGNALS + f"insert into k select i, 0, 'x' from generate_series(1, {n}) i")
    dump = Dump(t, db, **{"signal.data.collection": "public.signals", "snapshot.mode": "no_data",
                          "incremental.snapshot.chunk.size": 50, **options})
    dump.start()
    dump.streams()
    return db, sql, dump


def change(sql, rng, n, i):
    base = rng.randint(1, n)
    sql(f"begin; update k set v = v + 1 where id between {base} and {base + 80}; delete from k where id = {base};"
        f"insert into k select max(id) + 1, {i}, 'new' from k; update k set id = -id where id = {base + 1}; commit")


def chunk_test(strategy, kills):
    @seconds(150)
    def test(t):
        n = 3000
        db, sql, dump = prepared(t, n, **{"incremental.snapshot.watermarking.strategy": strategy})
        rng = random.Random(len(strategy) + kills)
        sql(ASK)
        for i in range(25):
            change(sql, rng, n, i)
            if kills and i % 8 == 7:
                dump.wait(lambda r: any(x[4] == "incremental" for x in r), "some rows of the snapshot")
                dump.kill()
                dump.start()
        is_table(t, dump, limit=90)
        dump.logged("incremental snapshot is complete")
        dump.stop_well()
        if not kills:
            equal(dump.text().count("incremental snapshot is complete"), 1, "ends of the snapshot")
        keys = [key["id"] for topic, key, _, op, _ in dump.records() if topic == "srv.public.k" and op == "r"]
        assert len(keys) > n / 2, len(keys)
        if not kills:
            no_duplicates(keys, "rows of the snapshot")

    test.__module__ = __name__
    return test


test_with_changes = chunk_test("insert_insert", 0)
test_with_changes_and_deleted_marks = chunk_test("insert_delete", 0)
test_through_kills = chunk_test("insert_insert", 1)


@seconds(90)
def test_pause_resume_stop(t):
    n = 60000
    db, sql, dump = prepared(t, n)
    reads = lambda: [x for x in dump.records() if x[4] == "incremental"]

    def passes(marker):
        """A change is seen; how many rows of the snapshot came before it."""
        sql(f"insert into k values ({n + marker}, 1, 'marker')")
        dump.wait(lambda r: any(x[3] == "c" and x[1] == {"id": n + marker} for x in r), f"marker {marker}")
        return len(reads())

    sql(ASK_SLOWLY)
    dump.wait(lambda r: len(reads()) >= 100, "two chunks")
    sql("insert into signals values ('p', 'pause-snapshot', '{}')")
    dump.logged("is paused")
    paused = passes(1)
    for marker in 2, 3, 4:
        equal(passes(marker), paused, "rows, while it is paused,")
    assert paused < n, paused
    dump.is_stored()
    equal(json.loads(dump.stored()["sluice_incremental_position"])["paused"], True, "paused, in the offset,")
    dump.kill()
    dump.start()
    for marker in 5, 6, 7:
        equal(passes(marker), paused, "rows, still paused after a restart,")
    sql("insert into signals values ('r', 'resume-snapshot', '{}')")
    dump.wait(lambda r: len(reads()) >= paused + 100, "more chunks")
    sql("insert into signals values ('s', 'stop-snapshot', '{\"type\": \"INCREMENTAL\"}')")
    dump.logged("is stopped")
    stopped = passes(8)
    equal(passes(9), stopped, "rows, when it is stopped,")
    assert stopped < n, stopped
    sql("insert into signals values ('again', 'execute-snapshot', "
        "'{\"data-collections\": [\"public.k\"], \"additional-conditions\": "
        "[{\"data-collection\": \"public.k\", \"filter\": \"id <= 70\"}]}')")
    dump.wait(lambda r: len(reads()) >= stopped + 70, "the filtered rows")
    dump.logged("incremental snapshot is complete")
    equal(passes(10), stopped + 70, "rows")
    dump.stop_well()
    assert "incremental_snapshot_collections" not in dump.stored(), dump.tail()
