"""Columns that a post processor reads again: what the comparison with Debezium (test_cdc_golden.py)
cannot hold, as Debezium fails there, or as it is about connections."""
from cdc_dump import Dump
from harness import becomes, equal, seconds
from test_cdc_in_progress import Session

PREFIX = "post.processors.again"
CLASS = "io.debezium.processors.reselect.ReselectColumnsPostProcessor"
AGAIN = {"post.processors": "again", f"{PREFIX}.type": CLASS}


def events(dump, topic, op="u"):
    """Rows after the changes of a table."""
    return [row for name, _, row, what, _ in dump.records() if name == topic and what == op]


@seconds(60)
def test_keys_of_any_type_and_name(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("""create schema "S.x"; create type "S.x"."The Mood" as enum ('so la', 'it''s');
        create domain "S.x".code as numeric(9, 3);
        create table "S.x"."T ""t" ("Key 'q'" text, m "S.x"."The Mood", d date, c "S.x".code, f float8, at timestamptz,
            n int, wide text, ids uuid[], secret text, primary key ("Key 'q'", m, d, c, f, at)) with (toast_tuple_target = 128);
        alter table "S.x"."T ""t" alter wide set storage external, alter ids set storage external;
        create table root (id int primary key, n int, wide text) partition by range (id);
        create table leaf partition of root for values from (0) to (10) with (toast_tuple_target = 128);
        alter table root alter wide set storage external; alter table leaf alter wide set storage external""")
    dump = Dump(t, db, **AGAIN, **{"publish.via.partition.root": "true", "column.mask.with.4.chars": ".*secret"}).start()
    dump.streams()
    sql("""insert into "S.x"."T ""t" select E'back\\\\slash ''and'' "quotes"', 'it''s', '2020-02-29', 12.5, 0.1, '2020-02-29 12:00:00.000001+02',
        1, repeat('w', 2000), array_agg(gen_random_uuid()), null from generate_series(1, 20);
        insert into root values (1, 1, repeat('w', 3000))""")
    sql("""update "S.x"."T ""t" set n = 2; update root set n = 2""")
    dump.wait(lambda r: sum(op == "u" for *_, op, _ in r) == 2, "both updates")
    dump.stop_well()
    topic = "srv.S.x.T__t"
    made, changed = events(dump, topic, "c"), events(dump, topic)
    equal(changed, [{**made[0], "n": 2}], "the row")
    keys = [key for name, key, *_ in dump.records() if name == topic]
    equal(keys, [keys[0]] * 2, "keys, also where a large part of one came only with the old row")
    equal(changed[0]["secret"], "****", "what is masked stays masked")
    equal(events(dump, "srv.public.root"), [{"id": 1, "n": 2, "wide": "w" * 3000}], "the partition's row")


@seconds(60)
def test_rows_that_are_gone(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v text)")
    dump = Dump(t, db, **AGAIN, **{f"{PREFIX}.reselect.error.handling.mode": "skip"}).start()
    dump.streams()
    gone = "begin; insert into k values ({0}, null); delete from k where id = {0}; commit"
    sql(gone.format(1))
    dump.wait(lambda r: len(r) == 3, "insert, delete and tombstone")
    dump.stop_well()
    equal(events(dump, "srv.public.k", "c"), [{"id": 1, "v": None}], "the row as it came")
    assert "cannot read columns" not in dump.text(), dump.text()

    text = dump.config.read_text()
    dump.config.write_text(text.replace("=skip\n", "=WARN\n"))
    dump.start()
    sql(gone.format(2))
    dump.wait(lambda r: len(r) == 6, "the second one")
    dump.stop_well()
    warning = "post processor again cannot read columns of public.k again where \"id\" = '2': there is no such row any more"
    equal(dump.text().count(warning), 1, "warnings")

    dump.config.write_text(text.replace("=skip\n", "=Fail\n"))
    dump.start()
    sql(gone.format(3))
    dump.fails("where \"id\" = '3': there is no such row any more; set reselect.error.handling.mode=warn")
    dump.config.write_text(text)
    dump.start()
    dump.wait(lambda r: len(r) == 9, "what it failed at")
    dump.stop_well()


@seconds(90)
def test_its_connection(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    backends = lambda: sql(f"select count(*) from pg_stat_activity where datname = '{db}' and application_name = 'Debezium Reselect'")
    sql("create table k (id int primary key, v text, n int default 0); insert into k values (1, null)")
    dump = Dump(t, db, **AGAIN, **{"database.query.timeout.ms": "60000"}).start()
    dump.streams()
    dump.wait(lambda r: len(r) == 1, "the snapshot")
    equal(backends(), "0", "connections before there is anything to ask")
    change = "begin; update k set v = null, n = {0}; update k set v = 'found {0}'; commit"
    found = lambda n: lambda r: len([1 for *_, row, op, _ in r if op == "u" and row["v"] == f"found {n}"]) == 2
    sql(change.format(1))
    dump.wait(found(1), "the first row")
    equal(backends(), "1", "connections afterwards")
    for i in (2, 3):  # an idle one that the server has closed is no trouble
        sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'Debezium Reselect' "
            f"and datname = '{db}'")
        becomes(backends, "0", "connections, when the server has closed it,")
        sql(change.format(i))
        dump.wait(found(i), "the row after the break")
    assert "trouble" not in dump.text() and "cannot read columns" not in dump.text(), dump.text()
    dump.stop_well()


@seconds(60)
def test_a_query_that_waits(t):
    """While it waits the connector can be stopped; killed, it starts with the same row."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v text); create table other (id int primary key)")
    dump = Dump(t, db, **AGAIN, **{"database.query.timeout.ms": "0"}).start()
    dump.streams()
    sql("insert into other values (1)")
    dump.wait(lambda r: len(r) == 1, "a row")
    dump.stop_well()
    sql("insert into other values (2); begin; insert into k values (1, null); update k set v = 'found'; insert into other values (3); commit;"
        "insert into other values (4)")
    locker = Session(t, db)
    locker.run("begin; lock table k in access exclusive mode; select 1;")
    waits = (f"select count(*) from pg_stat_activity where datname = '{db}' and application_name = 'Debezium Reselect' and wait_event_type = 'Lock'")
    for n, end in ((1, dump.stop), (2, dump.kill)):  # the server notices it only when it has the lock
        dump.start()
        dump.until("the query to wait", lambda: sql(waits) == str(n))
        # What came before goes out meanwhile.
        dump.wait(lambda r: ("srv.public.other", {"id": 2}) in [(topic, key) for topic, key, *_ in r], "the row before")
        end()
        equal([r for r in dump.records() if r[0] == "srv.public.k"], [], "records of the locked table")
    dump.start()
    dump.until("the query to wait", lambda: sql(waits) == "3")
    locker.run("commit; select 1;")
    dump.wait(lambda r: len(r) >= 6, "all")
    dump.stop_well()
    equal([(topic[11:], key["id"], row.get("v")) for topic, key, row, *_ in dump.records()],
          [("other", 1, None), ("other", 2, None), ("k", 1, "found"), ("k", 1, "found"), ("other", 3, None), ("other", 4, None)], "records")


@seconds(60)
def test_queries_that_fail(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v text); create table other (id int primary key)")
    dump = Dump(t, db, **AGAIN, **{"database.query.timeout.ms": "1500"}).start()
    dump.streams()
    sql("insert into other values (1)")
    dump.wait(lambda r: len(r) == 1, "a row")
    dump.stop_well()
    sql("insert into k values (1, null)")
    locker = Session(t, db)
    locker.run("begin; lock table k in access exclusive mode; select 1;")
    dump.start()
    dump.wait(lambda r: len(r) == 2, "the record as it came, when the statement's time is up")
    locker.run("commit; select 1;")
    dump.stop_well()
    assert "cannot read columns of public.k again" in dump.text() and "statement timeout" in dump.text(), dump.text()
    sql("insert into k values (2, null); alter table k rename v to w; insert into k values (3, null)")
    dump.start()
    dump.wait(lambda r: len(r) == 4, "the records of before and after")
    dump.stop_well()
    equal([row for *_, row, op, _ in dump.records() if op == "c"][1:], [{"id": 1, "v": None}, {"id": 2, "v": None}, {"id": 3, "w": None}], "rows")
    assert 'column "v" does not exist' in dump.text(), dump.text()


@seconds(60)
def test_config_is_checked(t):
    db = t.database()
    for options, words in [
        ({"post.processors": "x"}, "Post processor 'x' is missing 'x.type' and/or 'x.<option>' configurations"),
        ({"post.processors": "a,x", "post.processors.x.reselect.null.values": "true", "a.type": CLASS},
         "Post processor 'x' is missing"),
        ({"post.processors": "x", "x.type": "com.example.Other"}, "com.example.Other, the class of post processor 'x', is not known here"),
        ({**AGAIN, f"{PREFIX}.reselect.error.handling.mode": "ignore"}, "reselect.error.handling.mode"),
        ({**AGAIN, f"{PREFIX}.reselect.columns.exclude.list": "a,("}, f"{PREFIX}.reselect.columns.exclude.list"),
        ({**AGAIN, f"{PREFIX}.reselect.null.values": "perhaps"}, f"{PREFIX}.reselect.null.values"),
    ]:
        dump = Dump(t, db, **options).start()
        dump.fails(words)
        dump.log.unlink()
