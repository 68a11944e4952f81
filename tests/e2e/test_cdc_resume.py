"""postgres-cdc is killed, loses its connection, its slot or its server: nothing is lost, in order."""
import json
import os
import random
import signal
import subprocess
import time

import cdc_golden
from harness import BINARY, equal, seconds

DUMP = BINARY.parent / "tests/cdc_dump"


class Dump:
    """cdc_dump runs that go on from each other's offset."""

    def __init__(self, t, database, **options):
        self.t = t
        self.offset = t.directory / "offset.json"
        self.out = t.directory / "out.json"
        self.log = t.directory / "log"
        self.postgres = t.postgres
        props = {"name": "r", "topic.prefix": "srv", "plugin.name": "pgoutput",
                 "database.hostname": "127.0.0.1", "database.port": t.postgres["POSTGRES_PORT"],
                 "database.user": "postgres", "database.password": "postgres",
                 "database.dbname": database, "slot.name": database,
                 "status.update.interval.ms": 200, **options}
        self.config = cdc_golden.write_properties(t.directory / "config.properties", props)
        self.process = None
        self.env = {}
        self.starts = set()  # how many records there were at each start
        t.cleanup(self.kill)

    def start(self):
        self.starts.add(len(list(self.records())) if self.out.exists() else 0)
        with open(self.out, "ab") as out, open(self.log, "ab") as log:
            self.process = subprocess.Popen([DUMP, self.config, self.offset], stdout=out,
                                            stderr=log, stdin=subprocess.PIPE,
                                            env={**os.environ, **self.env})
        return self

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        if self.process:
            self.process.stdin.close()
            self.process.wait()
        self.process = None

    def stop(self):
        self.process.stdin.close()
        code = self.process.wait(20)
        self.process = None
        return code

    def records(self):
        """(topic, key, row or None, op, marker); a line that the kill cut off is left out."""
        for line in self.out.read_text(errors="replace").splitlines():
            try:
                r = json.loads(line)
            except ValueError:
                continue
            value = r["value"] and r["value"]["payload"]
            value = value or {}
            yield (r["topic"], r["key"] and r["key"]["payload"], value.get("after"),
                   value.get("op"), value.get("source", {}).get("snapshot"))

    def wait(self, check, what, limit=40):
        cdc_golden.wait(what, lambda: check(list(self.records())), limit)


def content(records, topic):
    """The table that replaying the topic gives."""
    table = {}
    for name, key, row, op, _ in records:
        if name == topic and key:
            table[key["id"]] = row
    return {k: v for k, v in table.items() if v}


def rows(t, database):
    return {r["id"]: r for r in t.postgres.rows("select * from k", database=database, user="postgres")}


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
        sql("create temp table c as select * from k limit 700; "
            "insert into k select id + 100000 * (1 + (select count(*) from k where id > 100000)), 1, 'm' from c limit 300")
        time.sleep(rng.random() * 1.2)
        dump.kill()
    dump.start()
    wanted = rows(t, db)
    dump.wait(lambda r: content(r, "srv.public.k") == wanted, "the topic to equal the table")
    assert dump.stop() == 0
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
    assert dump.stop() == 0
    keys = [key["id"] for _, key, _, _, _ in dump.records()]
    assert keys == [1, 2, 20, 3, 30, 4, 40, 5, 50], "the same run emits nothing twice"


@seconds(90)
def test_idle_tables_hold_no_wal(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int, w text); create table other (id int)")
    dump = Dump(t, db, **{"table.include.list": "public.k"}).start()
    cdc_golden.wait("the stream", lambda: sql(f"select 1 from pg_replication_slots where slot_name = '{db}' and active"))
    sql("insert into other select generate_series(1, 20000)")
    here = sql("select pg_current_wal_lsn()")
    cdc_golden.wait("the slot to pass the other table's changes", lambda: sql(
        f"select confirmed_flush_lsn >= '{here}'::pg_lsn from pg_replication_slots where slot_name = '{db}'") == "t", 30)
    dump.kill()
    sql("insert into k values (1, 1, 'a')")
    dump.start()
    dump.wait(lambda r: 1 in content(r, "srv.public.k"), "the row after the restart")
    assert dump.stop() == 0


@seconds(90)
def test_sequence_has_the_last_commit_not_what_an_idle_server_passed(t):
    """As Debezium: source.sequence begins with the end of the transaction before."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int, w text)")
    dump = Dump(t, db).start()
    cdc_golden.wait("the stream", lambda: sql(f"select 1 from pg_replication_slots where slot_name = '{db}' and active"))
    confirmed = lambda: sql(f"select confirmed_flush_lsn from pg_replication_slots where slot_name = '{db}'")
    later = lambda a, b: sql(f"select '{a}'::pg_lsn > '{b}'::pg_lsn") == "t"
    number = lambda lsn: int(sql(f"select '{lsn}'::pg_lsn - '0/0'::pg_lsn"))
    sql("insert into k values (1, 1, 'a')")
    sql("insert into k values (2, 2, 'b')")
    committed = sql("select pg_current_wal_insert_lsn()")
    t.postgres.sql("select pg_logical_emit_message(false, 'p', repeat('x', 10000))", "postgres", "postgres")
    passed = sql("select pg_current_wal_insert_lsn()")
    cdc_golden.wait("the idle slot to pass what is of another database", lambda: not later(passed, confirmed()), 30)
    sql("insert into k values (3, 3, 'c')")
    dump.wait(lambda r: 3 in content(r, "srv.public.k"), "the row after it was idle")
    sources = [json.loads(line)["value"]["payload"]["source"] for line in dump.out.read_text().splitlines()]
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
    assert dump.stop() == 0
    drop = f"select pg_drop_replication_slot('{db}')"
    cdc_golden.wait("the slot to be free", lambda: sql(
        f"select not active from pg_replication_slots where slot_name = '{db}'") == "t")
    sql(drop)
    sql("insert into k values (3, 1, 'a')")
    dump.start()
    assert dump.process.wait(20) == 1
    log = dump.log.read_text()
    assert f'replication slot "{db}" is missing' in log, log
    assert "but this is no longer available on the server" in log and "when_needed" in log, log
    # Made again, the slot stands past the offset: a gap that must not pass unseen.
    sql(f"select pg_create_logical_replication_slot('{db}', 'pgoutput')")
    dump.start()
    assert dump.process.wait(20) == 1
    assert "past the stored offset" in dump.log.read_text()
    dump.config.write_text(dump.config.read_text() + "snapshot.mode=when_needed\n")
    dump.start()
    dump.wait(lambda r: [x for x in r if x[4] == "last"][1:], "a new snapshot")
    assert dump.stop() == 0


@seconds(90)
def test_counts_of_a_transaction_go_on_after_a_kill(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int, w text); create table l (id int primary key, v int)")
    dump = Dump(t, db, **{"provide.transaction.metadata": "true"})
    dump.env = {"CDC_DUMP_ROOM": "3"}
    dump.start()
    dump.wait(lambda r: dump.offset.exists(), "the empty snapshot")
    cdc_golden.wait("the stream", lambda: sql(f"select 1 from pg_replication_slots where slot_name = '{db}' and active"))
    sql("begin; insert into k select i, 0, 'a' from generate_series(1, 20000) i; update k set id = -id where id % 5 = 0;"
        "insert into l select i, 0 from generate_series(1, 3000) i; truncate l; commit; insert into k values (0, 0, 'b')")
    for n in (100, 2000, 5000):
        dump.wait(lambda r: len(r) >= n, f"{n} records")
        dump.kill()
        offset = json.loads(dump.offset.read_text())
        assert offset.get("transaction_id") == str(offset["txId"]), (n, offset)
        assert offset["transaction_data_collection_order_public.k"] > n / 2, offset
        dump.start()
    dump.wait(lambda r: any(key == {"id": 0} for _, key, _, _, _ in r), "the next transaction", 60)
    assert dump.stop() == 0
    orders, ends, begins = {}, {}, []
    for line in dump.out.read_text(errors="replace").splitlines():
        try:
            r = json.loads(line)
        except ValueError:
            continue
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
            assert mine.setdefault(place[0], (place, row)) == (place, row), "the same place after a restart"
    assert set(orders) == set(ends) == set(begins)
    for txid, mine in orders.items():
        assert sorted(mine) == list(range(1, ends[txid]["event_count"] + 1))
    long = max(ends.values(), key=lambda e: e["event_count"])
    counts = {c["data_collection"]: c["event_count"] for c in long["data_collections"]}
    assert counts == {"public.k": 20000 + 2 * 4000, "public.l": 3000}, counts
