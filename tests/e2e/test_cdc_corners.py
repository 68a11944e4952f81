"""Corners of postgres-cdc: servers, tables and options as hardly anybody has them, until somebody does."""
import json
import os
import pathlib
import shutil
import subprocess

from cdc_dump import Dump
from harness import PostgresVersion, equal, seconds, wait_for
from tcp_proxy import Proxy
from test_cdc_cases import INSERT, SETUP, Case
from test_cdc_failover import standby_of
from test_cdc_in_progress import Session
from test_cdc_restarts import seen
from test_postgres_errors import PASSWORD, role

SIGNALS = "create table signals (id varchar(42) primary key, type varchar(32), data varchar(2048));"


@seconds(90)
def test_slot_that_the_server_is_still_making(t):
    """Making it waits for a transaction for longer than it may take; the server goes on with it all the same.
    Rows that are written before it is made are in the snapshot, or nowhere."""
    case = Case(t, **{"internal.create.slot.command.timeout": "1", "streaming.delay.ms": "2000"})
    other = Session(t, case.db)
    other.run("begin; insert into s1.a (aa) values (2); select 1;")
    case.dump.start()
    case.dump.logged("it took longer than 1 s")
    case.dump.logged("next try")
    case.sql("insert into s1.a (aa) values (3)")
    other.run("commit; select 1;")
    case.dump.streams()
    case.sql("insert into s2.a (aa) values (2)")
    case.dump.wait(lambda r: ("s2.a", "c", 2) in seen(case.dump), "a row of the stream")
    case.stop()
    equal(sorted({(topic, key) for topic, _, key in seen(case.dump)}),
          [("s1.a", 1), ("s1.a", 2), ("s1.a", 3), ("s2.a", 1), ("s2.a", 2)], "rows")


@seconds(90)
def test_snapshot_of_a_server_that_was_restored(t):
    """The offset is of another time: what comes after the snapshot is streamed all the same."""
    case = Case(t, **{"snapshot.mode": "always"}).start()
    case.sql(INSERT)
    case.dump.wait(lambda r: len(r) == 4, "snapshot and stream")
    case.stop()
    offset = json.loads(case.dump.offset.read_text())
    case.dump.offset.write_text(json.dumps({k: v + (1 << 40) if k.startswith("lsn") and v > 1000 else v for k, v in offset.items()}))
    case.start()
    case.sql(INSERT)
    case.dump.wait(lambda r: ("s2.a", "c", 3) in seen(case.dump), "the stream")
    case.stop()
    equal(seen(case.dump)[-2:], [("s1.a", "c", 3), ("s2.a", "c", 3)], "records")
    assert "is ahead of the server" in case.dump.text()


@seconds(90)
def test_table_whose_name_ends_a_quote(t):
    """The publication is altered by a statement within a statement."""
    name = "a$cdc$; create table s1.owned (); --"
    case = Case(t, f'create table s1."{name}" (pk int primary key);',
                **{"publication.autocreate.mode": "filtered", "table.include.list": r"s1\.a"}).start()
    case.stop()
    case.dump.config.write_text(case.dump.config.read_text().replace(r"s1\\.a", r"s1\\.a.*"))
    case.start()
    case.sql(f'insert into s1."{name}" values (5)')
    case.dump.wait(lambda r: any(key == {"pk": 5} for _, key, *_ in r), "its row")
    case.stop()
    equal(case.sql("select coalesce(to_regclass('s1.owned')::text, 'none')"), "none", "what its name says")


@seconds(90)
def test_columns_that_the_role_may_not_read(t):
    """Those that no record has are not asked for, in no kind of snapshot."""
    user = role(t, "replication")
    case = Case(t, SIGNALS +
                "create table s1.c (pk int primary key, secret text, v int); insert into s1.c values (1, 's', 10);"
                "create publication dbz_publication for all tables;"
                f"grant usage on schema s1 to {user}; grant select (pk, v) on s1.c to {user};"
                f"grant select, insert on signals to {user}",
                **{"database.user": user, "database.password": PASSWORD, "table.include.list": r"s1\.c",
                   "column.exclude.list": r"s1\.c\.secret", "signal.data.collection": "public.signals"}).start()
    row = ("srv.s1.c", {"pk": 1}, {"pk": 1, "v": 10}, "r")
    case.dump.wait(lambda r: row in [x[:4] for x in r], "the snapshot")
    for kind in "incremental", "blocking":
        data = json.dumps({"data-collections": ["s1.c"], "type": kind})
        case.sql(f"insert into signals values ('{kind}', 'execute-snapshot', '{data}')")
        n = 2 if kind == "incremental" else 3
        case.dump.wait(lambda r: [x[:4] for x in r].count(row) == n, f"the {kind} snapshot")
    case.stop()


@seconds(90)
def test_statements_that_end_in_comments(t):
    case = Case(t, SIGNALS +
                "insert into s1.a(aa) values(7);",
                **{"snapshot.select.statement.overrides": "s1.a", "table.include.list": r"s1\.a",
                   "snapshot.select.statement.overrides.s1.a": "select * from s1.a where aa = 7 -- only these",
                   "signal.data.collection": "public.signals"}).start()
    case.dump.wait(lambda r: r, "the snapshot")
    data = json.dumps({"data-collections": ["s1.a"], "type": "incremental",
                       "additional-conditions": [{"data-collection": "s1.a", "filter": "aa = 7 -- only these"}]})
    case.sql(f"insert into signals values ('1', 'execute-snapshot', '{data}')")
    case.dump.wait(lambda r: seen(case.dump).count(("s1.a", "r", 2)) == 2, "the rows again")
    case.stop()
    equal([r for r in seen(case.dump) if r[0] == "s1.a"], [("s1.a", "r", 2)] * 2, "rows")


@seconds(60)
def test_statements_that_wait_for_data(t):
    """They would wait for it without end."""
    case = Case(t, **{"database.initial.statements": "COPY s1.a FROM STDIN"})
    case.dump.start()
    case.dump.fails("running database.initial.statements: it waits for data, as COPY FROM STDIN does")


@seconds(90)
def test_slot_in_use_is_no_error(t):
    """How often that is tried again is for slot.max.retries to say."""
    case = Case(t, **{"errors.max.retries": "0"}).start()
    case.stop()
    argv, env = t.postgres.command("pg_recvlogical", "--slot", case.db, "--start", "-f", "-", "-o", "proto_version=1",
                                   "-o", "publication_names=dbz_publication", database=case.db, user="postgres")
    other = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL)
    t.cleanup(other.kill)
    wait_for("the other one to have the slot", lambda: case.sql(
        f"select active from pg_replication_slots where slot_name = '{case.db}'") == "t")
    case.dump.start()
    case.dump.logged("is active for PID")
    other.terminate()
    other.wait()
    case.dump.streams()
    case.stop()


@seconds(90)
def test_messages_beside_transactions_come_once(t):
    """They have positions of their own: what was stored with one is past it."""
    case = Case(t, **{"status.update.interval.ms": "600000"}).start()
    case.wait("r s1.a 1", "r s2.a 1")
    for i in range(1, 4):
        case.sql(f"select pg_logical_emit_message(false, 'p', 'm{i}')")
        case.dump.wait(lambda r: len(r) == 2 + i, "the message")
        case.stop()
        case.start()
    case.sql(INSERT)
    case.dump.wait(lambda r: ("s2.a", "c", 2) in seen(case.dump), "the stream")
    case.stop()
    equal(seen(case.dump)[2:], [("message", "m", "p")] * 3 + [("s1.a", "c", 2), ("s2.a", "c", 2)], "records")


@seconds(240)
def test_server_is_restored_while_it_streams(t):
    """From a copy that was made before: no position of the server that is gone is confirmed to it."""
    def copy(server):
        """Of a server that stands still."""
        data = pathlib.Path(os.path.realpath(server.directory / "postgres/data"))
        to = data.with_name(data.name + ".copy")
        shutil.copytree(data, to, symlinks=True)
        t.cleanup(shutil.rmtree, to, True)
        for path in (to, *to.rglob("*")):
            shutil.chown(path, data.stat().st_uid, data.stat().st_gid)
        to.chmod(0o700)
        return data, to

    server = PostgresVersion(t.directory / "services", 15)
    server.start()
    t.cleanup(server.stop)
    t._postgres = server
    db = t.database()
    server.sql(SETUP, db, "postgres")
    server.stop()
    data, old = copy(server)
    server.start()
    proxy = Proxy(int(server["POSTGRES_PORT"]))
    t.cleanup(proxy.stop)
    case = Case.__new__(Case)
    case.db, case.sql = db, lambda text: server.sql(text, db, "postgres")
    case.dump = Dump(t, db, **{"snapshot.mode": "when_needed", "database.port": proxy.port,
                               "retriable.restart.connector.wait.ms": "300"})
    case.start()
    case.sql("select pg_switch_wal(); create table more (); select pg_switch_wal(); create table more2 (); " + INSERT)
    here = case.position()
    case.dump.until("it to be confirmed", lambda: case.confirmed() >= here)
    server.stop()
    gone = data.with_name(data.name + ".gone")
    data.rename(gone)
    t.cleanup(shutil.rmtree, gone, True)
    old.rename(data)
    server.start()
    proxy.move(int(server["POSTGRES_PORT"]))
    case.dump.logged("streaming from slot", 2)
    case.sql(INSERT)
    case.dump.until("it to be confirmed", lambda: case.confirmed() > 0 and len(case.seen()) >= 8)
    before = case.position()
    case.sql(INSERT)
    case.dump.until("it to be confirmed", lambda: case.confirmed() > before)
    assert case.confirmed() <= case.position(), (case.confirmed(), case.position())
    case.stop()
    case.start()
    case.sql(INSERT)
    case.dump.until("the last ones", lambda: case.seen()[-1] == "c s2.a 4")
    case.stop()
    equal(case.seen()[-4:], ["c s1.a 3", "c s2.a 3", "c s1.a 4", "c s2.a 4"], "records")


@seconds(90)
def test_network_that_swallows_everything(t):
    """Nobody is told that the other side is gone: what is asked and not answered tells."""
    proxy = Proxy(int(t.postgres["POSTGRES_PORT"]))
    t.cleanup(proxy.stop)
    case = Case(t, **{"database.port": proxy.port, "connection.validation.timeout.ms": "3000"}).start()
    proxy.half_open()
    case.sql(INSERT)
    case.dump.wait(lambda r: ("s2.a", "c", 2) in seen(case.dump), "the stream")
    case.stop()
    equal(seen(case.dump), [("s1.a", "r", 1), ("s2.a", "r", 1), ("s1.a", "c", 2), ("s2.a", "c", 2)], "records")


@seconds(90)
def test_table_that_nobody_asked_for_is_locked(t):
    """Its size is not looked at, as that would wait for the lock."""
    case = Case(t, **{"table.include.list": r"s1\.a", "snapshot.mode": "always"}).start()
    case.wait("r s1.a 1")
    case.stop()
    other = Session(t, case.db)
    other.run("begin; lock table s2.a; select 1;")
    case.start()
    case.wait("r s1.a 1", "r s1.a 1")
    other.run("rollback; select 1;")
    case.stop()


@seconds(300)
def test_versions_have_more_limits(t):
    """Servers of 17 may limit transactions, which a snapshot may pass; standbys of 16 and later take snapshots,
    but not serializable ones."""
    primary = PostgresVersion(t.directory / "services", 17)
    primary.start()
    t.cleanup(primary.stop)
    primary.sql("select pg_create_physical_replication_slot('standby', true)", "postgres", "postgres")
    standby = standby_of(t, primary)
    t._postgres = primary
    slow = "snapshot.select.statement.overrides"
    case = Case(t, **{slow: "s1.a", f"{slow}.s1.a": "select a.* from s1.a a, lateral (select pg_sleep(2)) s"})
    case.sql(f"alter database {case.db} set transaction_timeout = '1s'")
    case.start()
    case.wait("r s1.a 1", "r s2.a 1")
    case.stop()
    case.sql(f"alter database {case.db} reset transaction_timeout")
    here = primary.sql("select pg_current_wal_lsn()", "postgres", "postgres")
    wait_for("the standby to follow", lambda: standby.sql(
        f"select pg_last_wal_replay_lsn() >= '{here}'::pg_lsn", "postgres", "postgres") == "t")
    there = Dump(t, case.db, **{"database.port": standby["POSTGRES_PORT"], "slot.name": "there", "snapshot.mode": "always",
                                "table.include.list": r"s1\.a"})
    for path in (there.offset, there.out, there.log):
        path.unlink()
    for start in range(2):
        there.start()
        # Who makes a slot there waits for a word of the primary's.
        there.until("the stream", lambda: primary.sql("select pg_log_standby_snapshot()", "postgres", "postgres") and
                    there.text().count("streaming from slot") > start)
        there.stop_well()
    equal(seen(there), [("s1.a", "r", 1)] * 2, "records")
