"""Signals of files and in all their forms, blocking snapshots, read-only ones, notifications."""
import json
import os
import random
import signal
import threading

import cdc_golden
from cdc_dump import Dump, content, is_table, rows
from harness import equal, no_duplicates, seconds
from test_cdc_incremental import ASK, ASK_SLOWLY, change, prepared


def notices(dump):
    """(type, scanned or current table) of the notifications so far."""
    found = []
    for line in dump.out.read_bytes().split(b"\n")[:-1]:
        if line.startswith(b'{"topic":"notices"'):
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
    dump.streams()
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
        dump.logged("incremental snapshot 'f': 1 tables")
        dump.until("the file to be emptied", lambda: signals.read_text() == "")
        for i in range(25):
            change(sql, rng, n, i)
            if kills and i % 8 == 7:
                dump.wait(lambda r: any(x[4] == "incremental" for x in r), "some rows of the snapshot")
                dump.kill()
                dump.start()
        is_table(t, dump)
        dump.logged("incremental snapshot is complete")
        dump.stop_well()
        keys = [key["id"] for topic, key, _, op, _ in dump.records() if topic == "srv.public.k" and op == "r"]
        assert len(keys) > n / 2, len(keys)
        if not kills:
            no_duplicates(keys, "rows of the snapshot")
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
    dump.logged("incremental snapshot is complete")
    dump.logged("incremental snapshot '7'")
    dump.stop_well()
    offset = dump.stored()
    assert "incremental_snapshot_collections" not in offset and "sluice_incremental_position" not in offset, offset


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
    dump.logged(" indeed")
    sql("insert into signals values ('x', 'execute-snapshot', '[]'), ('y', 'execute-snapshot', null), ('z', 'other', '{')")
    dump.logged("is ignored", 12)
    sql(ASK)
    dump.wait(lambda r: len([x for x in r if x[4] == "incremental"]) == 10, "the snapshot")
    dump.stop_well()
    equal(dump.text().count("is ignored"), 12, "a warning each")


@seconds(60)
def test_signals_by_table_only_when_enabled(t):
    db, sql, dump = prepared(t, 10, **{"signal.enabled.channels": "file",
                                       "signal.file": t.directory / "s", "signal.poll.interval.ms": 50})
    sql(ASK)
    dump.wait(lambda r: len(r) == 1, "the row of the signal table")
    (t.directory / "s").write_text('{"type": "execute-snapshot", "data": {"data-collections": ["public.k"], "additional-condition": "id < 4"}}')
    dump.wait(lambda r: len([x for x in r if x[4] == "incremental"]) == 3, "three rows")
    dump.stop_well()
    assert "'ask'" not in dump.text(), dump.tail()


def locked(t, db):
    """Nobody reads k, until the function that is returned was called."""

    def hold():
        try:
            t.postgres.sql("begin; lock table k in access exclusive mode; select pg_sleep(600)", db, "postgres")
        except RuntimeError:  # cancelled
            pass

    thread = threading.Thread(target=hold)
    thread.start()
    held = ("select pid from pg_locks where mode = 'AccessExclusiveLock' and granted and relation = 'k'::regclass"
            f" and database = (select oid from pg_database where datname = '{db}')")
    cdc_golden.wait("the lock", lambda: t.postgres.sql(held, db, "postgres"))

    def unlock():  # a cancel that comes between two statements has no effect
        while thread.is_alive():
            t.postgres.sql(f"select pg_cancel_backend(pid) from ({held}) h", db, "postgres")
            thread.join(0.1)

    return unlock


BLOCK = """insert into signals values ('block{0}', 'execute-snapshot',
    '{{"type": "BLOCKING", "data-collections": ["public.k"]}}')"""


def begun_anew(records):
    """There are rows of a snapshot behind the last one of a snapshot."""
    marks = [x[4] for x in records if x[3] == "r"]
    return "last" in marks and marks.index("last") < len(marks) - 1


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
                    dump.logged(f"blocking snapshot 'block{i}'")
                    dump.wait(lambda r: i == 3 or begun_anew(r), "rows of the second")
                    dump.kill()
                    unlock()
                    dump.start()
        is_table(t, dump, limit=90)
        dump.until("both to end", lambda: notices(dump).count(("Initial", "COMPLETED", None)) >= 2)
        sql("insert into k values (1000000, 1, 'after')")
        dump.wait(lambda r: 1000000 in content(r, "srv.public.k"), "the stream to go on")
        is_table(t, dump)
        dump.stop_well()
        marks = [x[4] for x in dump.records() if x[0] == "srv.public.k" and x[3] == "r"]
        equal(marks[-1], "last")
        assert marks.count("last") >= 2, marks.count("last")
        assert len(marks) >= 2 * n - 100, len(marks)
        if kills:
            equal(dump.text().count("blocking snapshot 'block3'"), 2, "starts of the first, which was taken up again,")
        assert "blocking" not in dump.offset.read_text(), dump.tail()

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
    dump.logged("none of the captured tables")
    sql("insert into k values (11, 1, 'x')")
    dump.wait(lambda r: (r[-1][0], r[-1][3]) == ("srv.public.k", "c"), "the stream to go on")
    dump.stop_well()


@seconds(90)
def test_notices_of_pause_resume_stop(t):
    n = 60000
    db, sql, dump = prepared(t, n, **{"notification.enabled.channels": "sink,log,jmx",
                                      "notification.sink.topic.name": "notices"})
    sql(ASK_SLOWLY)
    dump.wait(lambda r: len([x for x in r if x[4] == "incremental"]) >= 100, "two chunks")
    for kind in ("pause", "resume"):
        sql(f"insert into signals values ('{kind}', '{kind}-snapshot', '')")
        dump.until(kind, lambda: ("Incremental", kind.upper() + "D", None) in notices(dump))
    sql("insert into signals values ('s', 'stop-snapshot', '{\"data-collections\": [\"public.(x|k)\"]}')")
    dump.until("the stop", lambda: ("Incremental", "ABORTED", None) in notices(dump))
    dump.logged("notification 'ask': Incremental Snapshot ABORTED {data_collections=public.k, connector_name=srv}")
    dump.stop_well()
    kinds = [kind for _, kind, _ in notices(dump)]
    equal(kinds[:2], ["SKIPPED", "STARTED"], "the first notices")
    assert "COMPLETED" not in kinds, kinds


@seconds(60)
def test_goes_on_from_debeziums_offset(t):
    """The table under way begins anew: its keys are Java's serialized objects."""
    db, sql, dump = prepared(t, 100)
    sql("insert into k values (200, 2, 'y')")
    dump.wait(lambda r: len(r) == 1, "a record")
    dump.stop_well()
    offset = dump.stored()
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
    dump.logged("incremental snapshot is complete")
    dump.stop_well()
    reads = [x[1]["id"] for x in dump.records() if x[4] == "incremental" and x[0] == "srv.public.k"]
    equal(reads, list(range(1, 61)), "rows of the snapshot")


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
    dump.logged("snapshot is complete")
    dump.wait(lambda r: len(r) == 501 and r[-1][0] == "srv.public.k", "the large one first, then the small one")
    equal(sql("select count(*) from pg_replication_slots where slot_name = '%s'" % db), "0", "nothing streams")
    dump.stop_well()
    dump = Dump(t, db, **flags, **{"snapshot.mode.configuration.based.start.stream": "true"})
    dump.start()
    dump.streams()
    sql("insert into k values (2)")
    dump.wait(lambda r: len(r) == 1003 and r[-2:] == [("srv.public.k", {"id": 1}, {"id": 1}, "r", "last"),
                                                      ("srv.public.k", {"id": 2}, {"id": 2}, "c", "false")],
              "a snapshot at every start, then the stream")
    dump.stop_well()


def commits_wait(t, db):
    """Commits of others wait for a standby that is not there; the function that is returned ends that. The setting
    is obeyed when the server's checkpointer has seen it."""
    sql = lambda text: t.postgres.sql(text, db, "postgres")

    def end():
        sql("set synchronous_commit = local; alter system reset synchronous_standby_names")
        sql("select pg_reload_conf()")

    sql("alter system set synchronous_standby_names = 'nobody'")
    t.cleanup(end)
    sql("select pg_reload_conf()")
    probe = threading.Thread()
    waits = f"select 1 from pg_stat_activity where datname = '{db}' and wait_event = 'SyncRep'"

    def it_waits():
        nonlocal probe
        if not probe.is_alive():
            probe = threading.Thread(target=lambda: sql("create temp table probe ()"), daemon=True)
            probe.start()
        return sql(waits)

    cdc_golden.wait("a commit to wait", it_waits)
    return end


@seconds(60)
def test_chunks_wait_for_what_is_not_visible_yet(t):
    """A commit that waits for a synchronous standby is streamed, and no snapshot shows it."""
    db, sql, dump = plain(t, 100, **{"read.only": "true", "signal.enabled.channels": "file",
                                     "signal.file": t.directory / "s", "signal.poll.interval.ms": 50})
    slow = threading.Thread(target=lambda: sql(
        "set synchronous_commit = on; begin; update k set v = 7 where id = 50; commit"))
    let_go = commits_wait(t, db)
    slow.start()
    dump.wait(lambda r: len(r) == 1, "the change, which nobody else sees")
    equal(sql("select v from k where id = 50"), "0", "what others see")
    (t.directory / "s").write_text('{"type": "execute-snapshot", "data": {"data-collections": ["public.k"]}}')
    dump.logged("1 tables")
    sql("set synchronous_commit = local; insert into k values (101, 1, 'x')")
    dump.wait(lambda r: len(r) == 2, "the stream to go on meanwhile")
    equal([x for x in dump.records() if x[3] == "r"], [], "rows that were read meanwhile")
    let_go()
    slow.join()
    dump.logged("incremental snapshot is complete")
    dump.stop_well()
    equal(content(dump.records(), "srv.public.k"), rows(t, db), "the topic and the table")


def stands_still(t, pid):
    """A process, until the function that is returned is called."""

    def goes_on():
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass

    os.kill(pid, signal.SIGSTOP)
    t.cleanup(goes_on)
    return goes_on


@seconds(60)
def test_chunks_know_what_was_committed_before_their_marks(t):
    """A commit that waits for a synchronous standby, and is streamed only after a chunk was read that did not see it."""
    signals = t.directory / "s"
    db, sql, dump = prepared(t, 100, **{"signal.enabled.channels": "source,file", "signal.file": signals,
                                        "signal.poll.interval.ms": 50,
                                        "database.initial.statements": "SET synchronous_commit = local"})
    slow = threading.Thread(target=lambda: sql(
        "set synchronous_commit = on; begin; update k set v = 7 where id = 50; commit"))
    let_go = commits_wait(t, db)
    goes_on = stands_still(t, int(sql(f"select active_pid from pg_replication_slots where slot_name = '{db}'")))
    slow.start()
    dump.until("the commit to wait", lambda: sql(
        f"select 1 from pg_stat_activity where datname = '{db}' and wait_event = 'SyncRep' and query = 'commit'"))
    signals.write_text('{"type": "execute-snapshot", "data": {"data-collections": ["public.k"]}}')
    dump.until("the chunk to be read", lambda: sql("select count(*) from signals where type = 'snapshot-window-close'") != "0")
    equal(sql("select v from k where id = 50"), "0", "what others see")
    equal(dump.records(), [], "what was streamed")
    goes_on()
    dump.wait(lambda r: any(x[1] == {"id": 49} and x[3] == "r" for x in r), "the first chunk")
    let_go()
    slow.join()
    dump.logged("incremental snapshot is complete")
    dump.stop_well()
    equal(content(dump.records(), "srv.public.k"), rows(t, db), "the topic and the table")
