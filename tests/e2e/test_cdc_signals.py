"""Signals of files and in all their forms, blocking snapshots, read-only ones, notifications."""
import json
import random
import threading

import cdc_golden
from harness import equal, seconds
from test_cdc_incremental import ASK, SIGNALS, change, prepared
from test_cdc_resume import Dump, content, rows


def logged(dump, text, times=1):
    cdc_golden.wait(f"the log to say {text!r}", lambda: dump.log.read_text().count(text) >= times)


def notices(dump):
    """(type, scanned or current table) of the notifications so far."""
    found = []
    for line in dump.out.read_text(errors="replace").splitlines():
        if line.startswith('{"topic":"notices"') and line.endswith("}"):
            payload = json.loads(line)["value"]["payload"]
            data = payload["additional_data"]
            found.append((payload["aggregate_type"].split()[0], payload["type"],
                          data.get("scanned_collection", data.get("current_collection_in_progress"))))
    return found


def plain(t, n, **options):
    """A table k without a signal table, and a running stream."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(f"create table k (id int primary key, v int, w text); insert into k select i, 0, 'x' from generate_series(1, {n}) i")
    dump = Dump(t, db, **{"snapshot.mode": "no_data", "incremental.snapshot.chunk.size": 50, **options})
    dump.start()
    logged(dump, "streaming from slot")
    return db, sql, dump


def read_only_test(kills):
    @seconds(120)
    def test(t):
        n, signals = 3000, t.directory / "signals.txt"
        db, sql, dump = plain(t, n, **{"read.only": "true", "signal.enabled.channels": "file",
                                       "signal.file": signals, "signal.poll.interval.ms": 50})
        rng = random.Random(kills)
        signals.write_text(json.dumps({"id": "f", "type": "execute-snapshot",
                                       "data": {"data-collections": ["public.k"]}}) + "\n")
        logged(dump, "incremental snapshot 'f': 1 tables")
        assert signals.read_text() == "", "the file is emptied"
        for i in range(25):
            change(sql, rng, n, i)
            if kills and i % 8 == 7:
                dump.wait(lambda r: any(x[4] == "incremental" for x in r), "some rows of the snapshot")
                dump.kill()
                dump.start()
        wanted = rows(t, db)
        dump.wait(lambda r: content(r, "srv.public.k") == wanted, "the topic to equal the table", 60)
        logged(dump, "incremental snapshot is complete")
        assert dump.stop() == 0
        keys = [key["id"] for topic, key, _, op, _ in dump.records() if topic == "srv.public.k" and op == "r"]
        assert len(keys) > n / 2
        if not kills:
            equal(len(keys), len(set(keys)), "no row twice")
        equal(sql("select count(*) from pg_tables where tablename = 'signals'"), "0")

    test.__module__ = __name__
    return test


test_read_only = read_only_test(0)
test_read_only_through_kills = read_only_test(1)


@seconds(60)
def test_read_only_on_a_quiet_server(t):
    signals = t.directory / "signals.txt"
    signals.write_text('{"id": 7, "type": "execute-snapshot", "data": "{\\"data-collections\\": [\\"public.k\\"]}"}\n')
    db, sql, dump = plain(t, 200, **{"read.only": "true", "signal.enabled.channels": "source,file,jmx",
                                     "signal.file": signals, "signal.poll.interval.ms": 50,
                                     "status.update.interval.ms": 10000})
    dump.wait(lambda r: len(r) == 200, "all rows, though nothing is written")
    logged(dump, "incremental snapshot is complete")
    logged(dump, "incremental snapshot '7'")
    offset = json.loads(dump.offset.read_text())
    assert "incremental_snapshot_collections" not in offset and "sluice_incremental_position" not in offset, offset
    assert dump.stop() == 0


@seconds(60)
def test_bad_signals_do_no_harm(t):
    signals = t.directory / "signals.txt"
    db, sql, dump = prepared(t, 10, **{"signal.enabled.channels": "source,file", "signal.file": signals,
                                       "signal.poll.interval.ms": 50})
    bad = ['{"id": "1", "type": ', "[1, 2]", '{"id": "3"}', '{"id": "4", "type": "nonsense"}',
           '{"id": "5", "type": "execute-snapshot", "data": "no json"}',
           '{"id": "6", "type": "execute-snapshot", "data": {"data-collections": ["public.("]}}',
           '{"id": "7", "type": "execute-snapshot", "data": {"data-collections": [3]}}',
           '{"id": "8", "type": "stop-snapshot", "data": {"data-collections": "public.k"}}',
           '{"id": "9", "type": "log", "data": {}}', "", "   "]
    signals.write_text("\n".join(bad) + '\n{"id": "ok", "type": "log", "data": {"message": "at {} indeed"}}')
    logged(dump, " indeed")
    sql("insert into signals values ('x', 'execute-snapshot', '[]'), ('y', 'execute-snapshot', null), ('z', 'other', '{')")
    logged(dump, "is ignored", 12)
    sql(ASK)
    dump.wait(lambda r: len([x for x in r if x[4] == "incremental"]) == 10, "the snapshot")
    equal(dump.log.read_text().count("is ignored"), 12, "a warning each")
    assert dump.stop() == 0


@seconds(60)
def test_signals_by_table_only_when_enabled(t):
    db, sql, dump = prepared(t, 10, **{"signal.enabled.channels": "file",
                                       "signal.file": t.directory / "s", "signal.poll.interval.ms": 50})
    sql(ASK)
    dump.wait(lambda r: len(r) == 1, "the row of the signal table")
    (t.directory / "s").write_text('{"type": "execute-snapshot", "data": {"data-collections": ["public.k"], "additional-condition": "id < 4"}}')
    dump.wait(lambda r: len([x for x in r if x[4] == "incremental"]) == 3, "three rows")
    assert "'ask'" not in dump.log.read_text()
    assert dump.stop() == 0


def locked(t, db):
    """Nobody reads k, until the function that is returned was called."""

    def hold():
        try:
            t.postgres.sql("begin; lock table k in access exclusive mode; select pg_sleep(600)", db, "postgres")
        except RuntimeError:  # cancelled
            pass

    thread = threading.Thread(target=hold)
    thread.start()
    held = "select pid from pg_locks where mode = 'AccessExclusiveLock' and granted and relation = 'k'::regclass"
    cdc_golden.wait("the lock", lambda: t.postgres.sql(held, db, "postgres"))

    def unlock():
        t.postgres.sql(f"select pg_cancel_backend(pid) from ({held}) h", db, "postgres")
        thread.join()

    return unlock


BLOCK = """insert into signals values ('block{0}', 'execute-snapshot',
    '{{"type": "BLOCKING", "data-collections": ["public.k"]}}')"""


def blocking_test(kills, threads):
    @seconds(150)
    def test(t):
        n = 20000
        db, sql, dump = prepared(t, n, **{"snapshot.max.threads": threads,
                                          "notification.enabled.channels": "sink",
                                          "notification.sink.topic.name": "notices"})
        rng = random.Random(threads)
        if kills:
            dump.kill()
            dump.env["CDC_DUMP_ROOM"] = "100"  # so that it lasts
            dump.start()
        for i in range(12):
            change(sql, rng, n, i)
            if i in (3, 7):
                unlock = locked(t, db) if kills and i == 3 else lambda: None  # the first cannot end
                sql(BLOCK.format(i))
                if kills:
                    logged(dump, f"blocking snapshot 'block{i}'")
                    dump.wait(lambda r: i == 3 or r[-1][3] == "r", "rows of the second")
                    dump.kill()
                    unlock()
                    dump.start()
        wanted = rows(t, db)
        dump.wait(lambda r: content(r, "srv.public.k") == wanted, "the topic to equal the table", 90)
        cdc_golden.wait("both to end", lambda: notices(dump).count(("Initial", "COMPLETED", None)) >= 2)
        sql("insert into k values (1000000, 1, 'after')")
        dump.wait(lambda r: 1000000 in content(r, "srv.public.k"), "the stream to go on")
        wanted = rows(t, db)
        dump.wait(lambda r: content(r, "srv.public.k") == wanted, "the topic to equal the table")
        assert dump.stop() == 0
        marks = [x[4] for x in dump.records() if x[0] == "srv.public.k" and x[3] == "r"]
        equal(marks[-1], "last")
        assert marks.count("last") >= 2
        assert len(marks) >= 2 * n - 100
        if kills:
            assert dump.log.read_text().count("blocking snapshot 'block3'") == 2, "taken up again"
        assert "blocking" not in dump.offset.read_text()

    test.__module__ = __name__
    return test


test_blocking = blocking_test(0, 1)
test_blocking_with_threads = blocking_test(0, 3)
test_blocking_through_kills = blocking_test(1, 1)


@seconds(60)
def test_blocking_of_nothing(t):
    db, sql, dump = prepared(t, 10)
    sql("""insert into signals values ('b', 'execute-snapshot',
        '{"type": "BLOCKING", "data-collections": ["public.nothing"]}')""")
    logged(dump, "none of the captured tables")
    sql("insert into k values (11, 1, 'x')")
    dump.wait(lambda r: (r[-1][0], r[-1][3]) == ("srv.public.k", "c"), "the stream to go on")
    assert dump.stop() == 0


@seconds(90)
def test_notices_of_pause_resume_stop(t):
    n = 60000
    db, sql, dump = prepared(t, n, **{"notification.enabled.channels": "sink,log,jmx",
                                      "notification.sink.topic.name": "notices"})
    sql(ASK)
    dump.wait(lambda r: len([x for x in r if x[4] == "incremental"]) >= 100, "two chunks")
    for kind in ("pause", "resume"):
        sql(f"insert into signals values ('{kind}', '{kind}-snapshot', '')")
        cdc_golden.wait(kind, lambda: ("Incremental", kind.upper() + "D", None) in notices(dump))
    sql("insert into signals values ('s', 'stop-snapshot', '{\"data-collections\": [\"public.(x|k)\"]}')")
    cdc_golden.wait("the stop", lambda: ("Incremental", "ABORTED", None) in notices(dump))
    kinds = [kind for _, kind, _ in notices(dump)]
    equal(kinds[:2], ["SKIPPED", "STARTED"])
    assert "COMPLETED" not in kinds
    logged(dump, "notification 'ask': Incremental Snapshot ABORTED {data_collections=public.k, connector_name=srv}")
    assert dump.stop() == 0


@seconds(60)
def test_goes_on_from_debeziums_offset(t):
    """The table under way begins anew: its keys are Java's serialized objects."""
    db, sql, dump = prepared(t, 100)
    sql("insert into k values (200, 2, 'y')")
    dump.wait(lambda r: len(r) == 1, "a record")
    assert dump.stop() == 0
    offset = json.loads(dump.offset.read_text())
    part = "incremental_snapshot_collections"
    offset |= {"incremental_snapshot_primary_key": "aced0005757200135b4c6a6176612e6c616e672e4f626a6563743b",
               "incremental_snapshot_maximum_key": "aced0005757200135b4c6a6176612e6c616e672e4f626a6563743b",
               "incremental_snapshot_correlation_id": "from java",
               part: json.dumps([{part + "_id": "public.k", part + "_additional_condition": "id <= 60",
                                  part + "_surrogate_key": "", part + "_correlation_id": "from java"},
                                 {part + "_id": "public.signals", part + "_additional_condition": "",
                                  part + "_surrogate_key": None}])}
    dump.offset.write_text(json.dumps(offset))
    dump.start()
    logged(dump, "incremental snapshot is complete")
    reads = [x[1]["id"] for x in dump.records() if x[4] == "incremental" and x[0] == "srv.public.k"]
    equal(reads, list(range(1, 61)))
    assert dump.stop() == 0


@seconds(60)
def test_configuration_based(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key); create table big (id int primary key);"
        "insert into k values (1); insert into big select generate_series(1, 500); analyze")
    flags = {"snapshot.mode": "configuration_based", "snapshot.tables.order.by.row.count": "descending",
             "snapshot.mode.configuration.based.snapshot.data": "true"}
    dump = Dump(t, db, **flags)
    dump.start()
    logged(dump, "snapshot is complete")
    dump.wait(lambda r: len(r) == 501 and r[-1][0] == "srv.public.k", "the large one first, then the small one")
    equal(sql("select count(*) from pg_replication_slots where slot_name = '%s'" % db), "0", "nothing streams")
    assert dump.stop() == 0
    dump = Dump(t, db, **flags, **{"snapshot.mode.configuration.based.start.stream": "true"})
    dump.start()
    logged(dump, "streaming from slot")
    sql("insert into k values (2)")
    dump.wait(lambda r: len(r) == 1003 and r[-2:] == [("srv.public.k", {"id": 1}, {"id": 1}, "r", "last"),
                                                      ("srv.public.k", {"id": 2}, {"id": 2}, "c", "false")],
              "a snapshot at every start, then the stream")
    assert dump.stop() == 0


@seconds(60)
def test_chunks_wait_for_what_is_not_visible_yet(t):
    """A commit that waits for a synchronous standby is streamed, and no snapshot shows it."""
    db, sql, dump = plain(t, 100, **{"read.only": "true", "signal.enabled.channels": "file",
                                     "signal.file": t.directory / "s", "signal.poll.interval.ms": 50})
    slow = threading.Thread(target=lambda: sql(
        "set synchronous_commit = on; begin; update k set v = 7 where id = 50; commit"))
    sql("alter system set synchronous_standby_names = 'nobody'")
    sql("select pg_reload_conf()")
    cdc_golden.wait("the setting", lambda: sql("show synchronous_standby_names") == "nobody")
    try:
        slow.start()
        dump.wait(lambda r: len(r) == 1, "the change, which nobody else sees")
        equal(sql("select v from k where id = 50"), "0")
        (t.directory / "s").write_text('{"type": "execute-snapshot", "data": {"data-collections": ["public.k"]}}')
        logged(dump, "1 tables")
        sql("set synchronous_commit = local; insert into k values (101, 1, 'x')")
        dump.wait(lambda r: len(r) == 2, "the stream to go on meanwhile")
        assert not [x for x in dump.records() if x[3] == "r"]
    finally:
        sql("set synchronous_commit = local; alter system reset synchronous_standby_names")
        sql("select pg_reload_conf()")
    slow.join()
    logged(dump, "incremental snapshot is complete")
    equal(content(list(dump.records()), "srv.public.k"), rows(t, db))
    assert dump.stop() == 0
