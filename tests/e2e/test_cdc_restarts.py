"""postgres-cdc is stopped and started again amid snapshots and transactions: what comes after it, exactly."""
from cdc_dump import Dump
from harness import equal, seconds
from test_cdc_in_progress import Session

TABLES = """create schema s1; create table s1.a (pk serial primary key, aa integer);
    create schema s2; create table s2.a (pk serial primary key, aa integer, bb varchar(20));
    insert into s1.a (aa) values (1); insert into s2.a (aa) values (1);"""


def seen(dump):
    """(topic, op, key) of all records; tombstones have no op."""
    return [(topic.removeprefix("srv."), op, key and next(iter(key.values()))) for topic, key, _, op, _ in dump.records()]


def run_for(dump, n):
    """Runs the dump one record at a time until n have come, and no more than a pipe holds beyond that."""
    dump.env = {"CDC_DUMP_ROOM": "1"}
    dump.start(held=True)
    dump.take(n)
    dump.stop_well()
    dump.env = {}


@seconds(90)
def test_snapshot_that_is_cut_begins_anew(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v text); insert into k select i, repeat('x', 1000) from generate_series(1, 1000) i")
    dump = Dump(t, db)
    run_for(dump, 1)
    first = seen(dump)
    assert 1 <= len(first) < 1000, len(first)
    equal(first, [("public.k", "r", i) for i in range(1, len(first) + 1)], "the rows before")
    offset = dump.stored()
    equal([offset[k] for k in ("snapshot", "last_snapshot_record", "snapshot_completed")], ["INITIAL", False, False], "offset amid")
    dump.slot_is_free()
    sql("delete from k where id = 1; insert into k values (1001, 'new')")
    # With data that is never taken there is no going on.
    text = dump.config.read_text()
    dump.config.write_text(text + "snapshot.mode=no_data\n")
    dump.start()
    dump.fails("The connector previously stopped while taking a snapshot, but now the connector is configured to never allow "
               "snapshots. Reconfigure the connector to use snapshots initially or when needed.")
    dump.config.write_text(text)
    dump.start()
    dump.wait(lambda r: len(r) >= len(first) + 1000, "the whole table")
    equal(seen(dump)[len(first):len(first) + 1000], [("public.k", "r", i) for i in range(2, 1002)], "the rows again")
    dump.stop_well()
    equal([m for *_, m in dump.records()][len(first):][::999], ["first", "last"], "markers")
    offset = dump.stored()
    assert "snapshot" not in offset or offset["last_snapshot_record"] and offset["snapshot_completed"], offset


@seconds(60)
def test_events_of_a_table_that_was_dropped_meanwhile(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(TABLES)
    dump = Dump(t, db).start()
    dump.streams()
    sql("insert into s1.a (aa) values (2)")
    dump.wait(lambda r: len(r) == 3, "the snapshot and a row")
    dump.stop_well()
    sql("delete from s1.a where pk = 1; insert into s1.a (aa) values (3); update s1.a set pk = 9 where pk = 2; drop table s1.a; insert into s2.a (aa) values (2)")
    dump.start()
    dump.wait(lambda r: len(r) >= 10, "what was done before")
    dump.stop_well()
    equal(seen(dump)[3:], [("s1.a", "d", 1), ("s1.a", None, 1), ("s1.a", "c", 3), ("s1.a", "d", 2), ("s1.a", None, 2),
                           ("s1.a", "c", 9), ("s2.a", "c", 2)], "records")


@seconds(60)
def test_transaction_that_is_open_while_the_slot_is_made(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(TABLES)
    other = Session(t, db)
    other.run("begin; insert into s1.a (aa) values (2); insert into s2.a (aa) values (2); select 1;")
    dump = Dump(t, db).start()
    dump.until("the slot to wait for the transaction", lambda: sql(
        f"select 1 from pg_stat_activity where datname = '{db}' and query like 'CREATE_REPLICATION_SLOT%' and wait_event_type = 'Lock'"))
    sql("insert into s1.a (aa) values (3); insert into s2.a (aa) values (3)")
    other.run("insert into s1.a (aa) values (4); commit; select 1;")
    dump.streams()
    sql("insert into s2.a (aa) values (5)")
    dump.wait(lambda r: len(r) >= 8, "all rows")
    dump.stop_well()
    got = sorted((topic, key) for topic, _, key in seen(dump))
    equal(got, [("s1.a", i) for i in range(1, 5)] + [("s2.a", i) for i in range(1, 5)], "each row once")


@seconds(60)
def test_restart_between_interleaved_transactions(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v text)")
    dump = Dump(t, db).start()
    dump.streams()
    one = Session(t, db)
    add = "insert into k values ({0}, 'tx-{1}-{2}');"
    one.run("begin; " + add.format(11, 1, 1))
    sql(add.format(21, 2, 1))
    dump.wait(lambda r: len(r) == 1, "the transaction that is committed")
    dump.stop_well()
    dump.start()
    one.run(add.format(12, 1, 2))
    sql(add.format(22, 2, 2))
    one.run(add.format(13, 1, 3))
    sql(add.format(23, 2, 3))
    one.run("commit; select 1;")
    dump.wait(lambda r: len(r) >= 6, "all")
    dump.stop_well()
    equal([row["v"] for _, _, row, *_ in dump.records()], ["tx-2-1", "tx-2-2", "tx-2-3", "tx-1-1", "tx-1-2", "tx-1-3"], "rows")


@seconds(90)
def test_restarts_amid_transactions_that_are_interleaved(t):
    """Two that run at once, long ones: rows come in the order of the commits, each once, wherever it stops."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v text); create table l (id int primary key)")
    dump = Dump(t, db).start()
    dump.streams()
    sql("insert into l values (0)")
    dump.wait(lambda r: len(r) == 1, "a row")
    dump.stop_well()
    one, two = Session(t, db), Session(t, db)
    one.run("begin; select 1;")
    two.run("begin; select 1;")
    wide = "repeat('x', 1000)"
    for i in range(4):
        one.run(f"insert into k select i, {wide} from generate_series({1 + i * 50}, {50 + i * 50}) i;")
        two.run(f"insert into k select i, {wide} from generate_series({1001 + i * 50}, {1050 + i * 50}) i;")
        sql(f"insert into l values ({i + 1})")
    two.run("commit; select 1;")
    one.run("insert into k values (201, 'x'); commit; select 1;")
    sql("insert into l values (5)")
    wanted = ([("public.l", "c", i) for i in range(5)] + [("public.k", "c", i) for i in range(1001, 1201)] +
              [("public.k", "c", i) for i in range(1, 202)] + [("public.l", "c", 5)])
    while left := len(wanted) - len(seen(dump)):
        run_for(dump, min(left, 67))
        dump.slot_is_free()
    equal(seen(dump), wanted, "records")


@seconds(60)
def test_slot_that_was_dropped_on_stop(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(TABLES)
    dump = Dump(t, db, **{"snapshot.mode": "initial_only", "slot.drop.on.stop": "true"}).start()
    dump.wait(lambda r: len(r) == 2, "the snapshot")
    dump.stop_well()
    equal(sql(f"select count(*) from pg_replication_slots where slot_name = '{db}'"), "0", "slots")
    sql("insert into s1.a (aa) values (2); insert into s2.a (aa) values (2)")
    dump.config.write_text(dump.config.read_text().replace("initial_only", "no_data"))
    dump.start()
    dump.fails("but this is no longer available on the server")
    equal(len(seen(dump)), 2, "records")


@seconds(60)
def test_slot_that_was_there_before(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(TABLES + "create publication dbz_publication for all tables; insert into s1.a (aa) values (2);")
    sql(f"select pg_create_logical_replication_slot('{db}', 'pgoutput')")
    sql("insert into s1.a (aa) values (3); insert into s2.a (aa) values (3)")
    dump = Dump(t, db, **{"snapshot.mode": "no_data"}).start()
    dump.wait(lambda r: len(r) >= 2, "the rows since the slot was made")
    sql("insert into s2.a (aa) values (4)")
    dump.wait(lambda r: len(r) >= 3, "another row")
    dump.stop_well()
    equal(seen(dump), [("s1.a", "c", 3), ("s2.a", "c", 2), ("s2.a", "c", 3)], "records")


@seconds(60)
def test_partitions_that_are_listed(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("""create table p (id int, at timestamp) partition by range (id); create table p1 partition of p for values from (0) to (100);
        create table p2 partition of p for values from (100) to (200); create table p3 partition of p for values from (200) to (300);
        insert into p select i, timestamp '0001-01-01 00:00:00' + i * interval '150 years' from generate_series(1, 10) i;
        insert into p select i, '1500-02-28 23:59:59.5' from generate_series(101, 120) i; insert into p values (201, null);
        create materialized view p4 as select * from p""")
    dump = Dump(t, db, **{"table.include.list": r"public\.p1,public\.p2,public\.p4"}).start()
    dump.streams()
    sql("insert into p values (11, null), (121, null), (202, null), (12, null)")
    dump.wait(lambda r: len(r) >= 33, "snapshot and stream")
    dump.stop_well()
    got = [(topic, op) for topic, op, _ in seen(dump)]
    equal(got, [("public.p1", "r")] * 10 + [("public.p2", "r")] * 20 + [("public.p1", "c"), ("public.p2", "c"), ("public.p1", "c")], "records")
    equal([key for _, _, key in seen(dump)], [None] * 33, "keys")
    days = lambda text: int(sql(f"select (extract(epoch from timestamp '{text}') * 1000000)::bigint"))
    rows = [row for _, _, row, *_ in dump.records()]
    equal([rows[0]["at"], rows[9]["at"], rows[10]["at"]], [days("0151-01-01"), days("1501-01-01"), days("1500-02-28 23:59:59.5")], "times")
