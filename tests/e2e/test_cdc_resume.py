"""postgres-cdc is killed, loses its connection, its slot or its server: nothing is lost, in order."""
import json
import random
import time

from cdc_dump import DUMP, Dump, content, is_table, rows  # noqa: F401 (others take them from here)
from harness import equal, seconds


@seconds(180)
def test_kill_nine_times_loses_nothing(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int, w text);"
        "insert into k select i, 0, repeat('x', 50) from generate_series(1, 2000) i")
    dump = Dump(t, db)
    rng = random.Random(7)
    for round in range(9):
        dump.start()
        for i in range(rng.randint(2, 6)):
            n, base = rng.choice([1, 3, 50, 900]), rng.randint(1, 2000)
            sql(f"begin; update k set v = v + 1 where id between {base} and {base + n};"
                f"insert into k select max(id) + 1, {round}, 'n' from k;"
                f"delete from k where id = {base}; commit;"
                f"insert into k values ({base}, {i}, 'again')")
        many = 10 ** 6 * (round + 1)  # past all that was there before
        sql(f"insert into k select i, 1, 'm' from generate_series({many}, {many + 299}) i")
        time.sleep(rng.random() * 1.2)
        dump.kill()
    dump.start()
    is_table(t, dump)
    dump.stop_well()
    # In order: an update counts v up by one, and only a new start may step back.
    last = {}
    for i, (_, key, row, op, marker) in enumerate(dump.records()):
        last = {} if i in dump.starts else last
        if row and op == "u" and key["id"] in last:
            assert row["v"] == last[key["id"]] + 1, (i, key, row)
        if row:
            last[key["id"]] = row["v"]


@seconds(90)
def test_broken_connection_is_mended(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int, w text); insert into k values (1, 1, 'a')")
    dump = Dump(t, db).start()
    dump.wait(lambda r: len(r) == 1, "the snapshot")
    for i in range(2, 6):
        sql(f"insert into k values ({i}, {i}, 'b')")
        sql(f"select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = '{db}'")
        sql(f"insert into k values ({i * 10}, {i}, 'c')")
        dump.wait(lambda r: i * 10 in content(r, "srv.public.k"), "the row after the break")
    dump.stop_well()
    keys = [key["id"] for _, key, _, _, _ in dump.records()]
    equal(keys, [1, 2, 20, 3, 30, 4, 40, 5, 50], "keys, none of them twice in the same run,")


@seconds(90)
def test_idle_tables_hold_no_wal(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int, w text); create table other (id int)")
    dump = Dump(t, db, **{"table.include.list": "public.k"}).start()
    dump.streams()
    sql("insert into other select generate_series(1, 20000)")
    here = sql("select pg_current_wal_lsn()")
    dump.until("the slot to pass the other table's changes", lambda: sql(
        f"select confirmed_flush_lsn >= '{here}'::pg_lsn from pg_replication_slots where slot_name = '{db}'") == "t")
    dump.kill()
    sql("insert into k values (1, 1, 'a')")
    dump.start()
    dump.wait(lambda r: 1 in content(r, "srv.public.k"), "the row after the restart")
    dump.stop_well()


@seconds(90)
def test_sequence_has_the_last_commit_not_what_an_idle_server_passed(t):
    """As Debezium: source.sequence begins with the end of the transaction before."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int, w text)")
    dump = Dump(t, db).start()
    dump.streams()
    confirmed = lambda: sql(f"select confirmed_flush_lsn from pg_replication_slots where slot_name = '{db}'")
    later = lambda a, b: sql(f"select '{a}'::pg_lsn > '{b}'::pg_lsn") == "t"
    number = lambda lsn: int(sql(f"select '{lsn}'::pg_lsn - '0/0'::pg_lsn"))
    sql("insert into k values (1, 1, 'a')")
    sql("insert into k values (2, 2, 'b')")
    committed = sql("select pg_current_wal_insert_lsn()")
    t.postgres.sql("select pg_logical_emit_message(false, 'p', repeat('x', 10000))", "postgres", "postgres")
    passed = sql("select pg_current_wal_insert_lsn()")
    dump.until("the idle slot to pass what is of another database", lambda: not later(passed, confirmed()))
    sql("insert into k values (3, 3, 'c')")
    dump.wait(lambda r: 3 in content(r, "srv.public.k"), "the row after it was idle")
    sources = [r["value"]["payload"]["source"] for r in dump.raw()]
    second, third = (json.loads(s["sequence"]) for s in sources[1:])
    assert int(second[1]) < int(third[0]) <= number(committed), (second, third, committed, passed)
    assert number(passed) <= int(third[1]), (third, passed)
    equal(dump.stop(), 0, "exit code")


@seconds(90)
def test_lost_slot_fails_at_once_and_says_what_to_do(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int, w text); insert into k values (1, 1, 'a')")
    dump = Dump(t, db).start()
    dump.wait(lambda r: len(r) == 1, "the snapshot")
    sql("insert into k values (2, 1, 'a')")
    dump.wait(lambda r: len(r) == 2, "the row")
    dump.stop_well()
    dump.slot_is_free()
    sql(f"select pg_drop_replication_slot('{db}')")
    sql("insert into k values (3, 1, 'a')")
    dump.start()
    dump.fails(f'replication slot "{db}" is missing', "but this is no longer available on the server", "when_needed")
    # Made again, the slot stands past the offset: a gap that must not pass unseen.
    sql(f"select pg_create_logical_replication_slot('{db}', 'pgoutput')")
    dump.start()
    dump.fails("past the stored offset")
    dump.config.write_text(dump.config.read_text() + "snapshot.mode=when_needed\n")
    dump.start()
    dump.wait(lambda r: [x for x in r if x[4] == "last"][1:], "a new snapshot")
    dump.stop_well()


@seconds(90)
def test_counts_of_a_transaction_go_on_after_a_kill(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int, w text); create table l (id int primary key, v int)")
    dump = Dump(t, db, **{"provide.transaction.metadata": "true"})
    dump.env = {"CDC_DUMP_ROOM": "3"}
    dump.start(held=True)
    dump.streams()
    sql("begin; insert into k select i, 0, 'a' from generate_series(1, 6000) i; update k set id = -id where id % 5 = 0;"
        "insert into l select i, 0 from generate_series(1, 3000) i; truncate l; commit; insert into k values (0, 0, 'b')")
    for n in (100, 2000, 5000):
        dump.take(n - len(dump.records()))
        dump.kill()  # amid the transaction, as the pipe holds few records
        offset = dump.stored()
        assert offset.get("transaction_id") == str(offset["txId"]), (n, offset)
        assert offset["transaction_data_collection_order_public.k"] > n / 2, offset
        dump.start(held=n < 5000)
    dump.wait(lambda r: any(key == {"id": 0} for _, key, _, _, _ in r) and r[-1][0] == "srv.transaction", "the next transaction")
    dump.stop_well()
    orders, ends, begins = {}, {}, []
    for r in dump.raw():
        value = r["value"] and r["value"]["payload"]
        if r["topic"] == "srv.transaction" and value["status"] == "BEGIN":
            begins.append(value["id"].split(":")[0])
        elif r["topic"] == "srv.transaction":
            ends[value["id"].split(":")[0]] = value
        elif value:
            block = value["transaction"]
            place = (block["total_order"], block["data_collection_order"])
            mine = orders.setdefault(block["id"].split(":")[0], {})
            row = (r["topic"], json.dumps(r["key"] and r["key"]["payload"]), value["op"])
            equal(mine.setdefault(place[0], (place, row)), (place, row), "the same place after a restart")
    equal((set(orders), set(begins)), (set(ends), set(ends)), "transactions with changes, and with a beginning")
    for txid, mine in orders.items():
        equal(sorted(mine), list(range(1, ends[txid]["event_count"] + 1)), f"places in transaction {txid}")
    long = max(ends.values(), key=lambda e: e["event_count"])
    counts = {c["data_collection"]: c["event_count"] for c in long["data_collections"]}
    assert counts == {"public.k": 6000 + 2 * 1200, "public.l": 3000}, counts
