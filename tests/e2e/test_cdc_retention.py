"""WAL that the slot holds back: said with figures and cause; a slot that is lost meanwhile is found at once."""
import threading

import cdc_golden
from cdc_dump import Dump
from clients import PostgresVersion
from harness import equal, seconds
from test_cdc_progress import GATE, hold

MEGABYTES = "insert into other select repeat('x', 1000) from generate_series(1, {0} * 1000)"


def prepared(t, db, **options):
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int, w text); create table other (w text)")
    dump = Dump(t, db, **{"table.include.list": "public.k", "slot.wal.warn.bytes": 8 << 20, **options}).start()
    dump.streams()
    return sql, dump


@seconds(90)
def test_open_transaction_holds_wal(t):
    db = t.database()
    sql, dump = prepared(t, db)
    mine = f"select pid from pg_stat_activity where datname = '{db}' and backend_xid is not null and query like '%pg_sleep(600)%'"

    def hold():
        try:
            sql("set application_name = 'the culprit'; begin; insert into other values ('open'); select pg_sleep(600)")
        except RuntimeError:  # ended
            pass

    thread = threading.Thread(target=hold)
    thread.start()
    end = lambda: sql(f"select pg_terminate_backend(pid) from ({mine}) m")
    t.cleanup(end)
    cdc_golden.wait("the transaction", lambda: sql(mine))
    sql(MEGABYTES.format(20))
    sql("insert into k values (1, 1, 'a')")
    dump.logged("waits for open transactions to end; the oldest is that of the server process " + sql(mine))
    log = dump.text()
    for piece in (f'replication slot "{db}" holds back', "MB of WAL", "max_slot_wal_keep_size is -1", "the culprit"):
        assert piece in log, (piece, log)
    end()
    thread.join()

    def passed():  # a checkpoint tells the slot which transactions run, and the next commit lets go
        sql("checkpoint; insert into k values ((select max(id) + 1 from k), 1, 'a')")
        return "which is no concern" in dump.text()

    dump.until("the warning to be over", passed)
    dump.stop_well()


@seconds(90)
def test_a_long_snapshot_holds_wal(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(GATE + "create table k (id int primary key); create table other (w text);"
        "insert into k select generate_series(1, 50)")
    release = hold(t, db, "initial")
    over = "snapshot.select.statement.overrides"
    dump = Dump(t, db, **{"table.include.list": "public.k", "slot.wal.warn.bytes": 8 << 20, over: "public.k",
                          f"{over}.public.k": "select * from k where id < 40 or gate(7)"}).start()
    dump.logged("snapshot of 1 tables begins")
    sql(MEGABYTES.format(20))
    dump.logged("of it were written since the snapshot began, and are streamed when it is complete")
    release()
    dump.streams()
    sql("insert into k values (100)")
    dump.wait(lambda r: 100 in [key["id"] for _, key, _, op, _ in r if op == "c"], "the stream")
    dump.until("the warning to be over", lambda: sql("checkpoint; insert into k select max(id) + 1 from k") or
                    "which is no concern" in dump.text())
    dump.stop_well()
    ids = [key["id"] for _, key, _, op, _ in dump.records() if op == "r"]
    equal(sorted(ids), list(range(1, 51)), "the snapshot, once")


@seconds(180)
def test_slot_lost_while_streaming(t):
    server = PostgresVersion(t.directory / "services", 17)
    server.start(POSTGRES_EXTRA="max_slot_wal_keep_size = 16MB\nmin_wal_size = 32MB\nmax_wal_size = 512MB")
    t.cleanup(server.stop)
    t._postgres = server
    db = t.database()
    sql, dump = prepared(t, db, **{"lsn.flush.mode": "manual"})
    sql("insert into k values (1, 1, 'a')")
    dump.wait(lambda r: len(r) == 1, "the row")
    sql(MEGABYTES.format(48))
    dump.logged("which the server may remove at its next checkpoint")
    assert "as lsn.flush.mode=manual leaves that to others" in dump.text(), dump.tail()
    sql("select pg_switch_wal()")
    sql("checkpoint")
    dump.fails(db, "was invalidated", "max_slot_wal_keep_size", f"pg_drop_replication_slot('{db}')")
