"""Incremental snapshots while the tables change, through kills, pauses and stops."""
import json
import random
import time

import cdc_golden
from harness import seconds
from test_cdc_resume import Dump, content, rows

SIGNALS = ("create table signals (id varchar(64) primary key, type varchar(32), data varchar(2048));"
           "create table k (id int primary key, v int, w text);")
ASK = """insert into signals values ('ask', 'execute-snapshot', '{"data-collections": ["public.k"]}')"""


def prepared(t, n, **options):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(SIGNALS + f"insert into k select i, 0, 'x' from generate_series(1, {n}) i")
    dump = Dump(t, db, **{"signal.data.collection": "public.signals", "snapshot.mode": "no_data",
                          "incremental.snapshot.chunk.size": 50, **options})
    dump.start()
    cdc_golden.wait("the stream", lambda: sql(
        f"select 1 from pg_replication_slots where slot_name = '{db}' and active and confirmed_flush_lsn is not null"))
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
        wanted = rows(t, db)
        dump.wait(lambda r: content(r, "srv.public.k") == wanted, "the topic to equal the table", 90)
        dump.wait(lambda r: "incremental snapshot is complete" in dump.log.read_text(), "the end")
        assert dump.stop() == 0
        if not kills:
            assert dump.log.read_text().count("incremental snapshot is complete") == 1
        keys = [key["id"] for topic, key, _, op, _ in dump.records() if topic == "srv.public.k" and op == "r"]
        assert len(keys) > n / 2
        if not kills:
            assert len(keys) == len(set(keys)), "no row twice"

    test.__module__ = __name__
    return test


test_with_changes = chunk_test("insert_insert", 0)
test_with_changes_and_deleted_marks = chunk_test("insert_delete", 0)
test_through_kills = chunk_test("insert_insert", 1)


@seconds(90)
def test_pause_resume_stop(t):
    n = 60000  # so many that the snapshot cannot end before the signals arrive, however fast it is
    db, sql, dump = prepared(t, n)
    reads = lambda: [x for x in dump.records() if x[4] == "incremental"]
    sql(ASK)
    dump.wait(lambda r: len(reads()) >= 100, "two chunks")
    sql("insert into signals values ('p', 'pause-snapshot', '{}')")
    cdc_golden.wait("the pause", lambda: "is paused" in dump.log.read_text())
    time.sleep(0.5)
    paused = len(reads())
    time.sleep(1)
    assert len(reads()) == paused < n
    assert json.loads(json.loads(dump.offset.read_text())["sluice_incremental_position"])["paused"] is True
    dump.kill()
    dump.start()
    time.sleep(1.5)
    assert len(reads()) == paused, "still paused after a restart"
    sql("insert into signals values ('r', 'resume-snapshot', '{}')")
    dump.wait(lambda r: len(reads()) >= paused + 100, "more chunks")
    sql("insert into signals values ('s', 'stop-snapshot', '{\"type\": \"INCREMENTAL\"}')")
    cdc_golden.wait("the stop", lambda: "is stopped" in dump.log.read_text())
    time.sleep(0.5)
    stopped = len(reads())
    assert stopped < n
    sql("insert into signals values ('again', 'execute-snapshot', "
        "'{\"data-collections\": [\"public.k\"], \"additional-conditions\": "
        "[{\"data-collection\": \"public.k\", \"filter\": \"id <= 70\"}]}')")
    dump.wait(lambda r: len(reads()) >= stopped + 70, "the filtered rows")
    time.sleep(0.5)
    assert len(reads()) == stopped + 70
    assert "incremental_snapshot_collections" not in json.loads(dump.offset.read_text())
    assert dump.stop() == 0
