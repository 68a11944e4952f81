"""Offsets change hands between Debezium on a Java worker and postgres-cdc: nothing is lost, nothing read twice."""
import json
import pathlib
import shutil

from cdc_dump import Dump
from harness import equal, seconds, wait_for

BIG = 2000
SIGNAL = """insert into signals values ('{0}', 'execute-snapshot', '{{"data-collections": ["public.big"], "type": "incremental"}}');"""


def slot(t, db, active):
    query = f"select active from pg_replication_slots where slot_name = '{db}'"
    wait_for("the slot to be " + ("in use" if active else "free"),
             lambda: t.postgres.sql(query, db, "postgres") in (("t",) if active else ("f", "")), 120)


class Hands:
    """A connector, and the worker that has it now. Both keep a file of the same form."""

    def __init__(self, t):
        self.t, self.db, self.prefix = t, t.database(), t.unique("srv")
        t.cleanup(lambda: t.kafka.wire.delete_topics([f"{self.prefix}.public.{name}" for name in ("k", "big", "signals")]))
        self.sql = lambda text: t.postgres.sql(text, self.db, "postgres")
        self.peer = self.worker = None
        self.config = {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "tasks.max": "1",
            "database.hostname": "127.0.0.1", "database.port": t.postgres["POSTGRES_PORT"], "database.user": "postgres",
            "database.password": "postgres", "database.dbname": self.db, "slot.name": self.db, "plugin.name": "pgoutput",
            "topic.prefix": self.prefix, "snapshot.include.collection.list": "public.k",
            "signal.data.collection": "public.signals", "poll.interval.ms": "10",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter", "key.converter.schemas.enable": "false",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false"}

    def java(self, chunk):
        if not self.peer:
            self.peer = self.t.connect("standalone", worker={"offset.flush.interval.ms": "100"})
        else:
            shutil.copy(self.worker.offsets, self.peer["CONNECT_OFFSETS"])
            self.peer.start(self.t.kafka.bootstrap, "standalone", worker={"offset.flush.interval.ms": "100"})
        self.end, self.rest, self.offsets = self.peer.kill9, self.peer.rest, self.peer["CONNECT_OFFSETS"]
        self.run(chunk)

    def sluice(self, chunk):
        self.worker = self.t.sluice({"offset.flush.interval.ms": "100"}, start=False)
        self.worker.directory.mkdir(exist_ok=True)
        shutil.copy(self.peer["CONNECT_OFFSETS"], self.worker.offsets)
        self.worker.start()
        self.end, self.rest, self.offsets = self.worker.kill9, self.worker.rest, self.worker.offsets
        self.run(chunk)

    def run(self, chunk):
        slot(self.t, self.db, False)
        self.rest.create("hands", {**self.config, "incremental.snapshot.chunk.size": str(chunk)})
        self.rest.wait_running("hands", 120)

    def stored(self):
        return pathlib.Path(self.offsets).read_bytes()

    def records(self, table):
        """(id, row, op, marker)"""
        found = []
        for r in self.t.kafka.read(f"{self.prefix}.public.{table}"):
            value = r.json() or {}
            found.append((r.key_json()["id"], value.get("after"), value.get("op"), value.get("source", {}).get("snapshot")))
        return found

    def chunked(self, v):
        return {key for key, row, _, marker in self.records("big") if marker == "incremental" and row["v"] == v}

    def equals_tables(self):
        for table in ("k", "big"):
            wanted = {r["id"]: r for r in self.t.postgres.rows(f"select * from {table}", database=self.db, user="postgres")}
            got = {}
            for key, row, *_ in self.records(table):
                got[key] = row
            if {k: v for k, v in got.items() if v} != wanted:
                return False
        return True


@seconds(300)
def test_debezium_then_sluice_then_debezium(t):
    hands = Hands(t)
    sql = hands.sql
    sql(f"""create table k (id int primary key, v int); create table big (id int primary key, v int);
        create table signals (id varchar(42) primary key, type varchar(32), data varchar(2048));
        insert into k select i, 0 from generate_series(1, 50) i; insert into big select i, 0 from generate_series(1, {BIG}) i""")
    hands.java(1)
    wait_for("Debezium's snapshot", lambda: len(hands.records("k")) == 50, 120)
    slot(t, hands.db, True)

    def change(n):
        sql(f"begin; update k set v = {n}; insert into k values ({100 + n}, {n}); delete from k where id = {n}; commit")

    change(1)
    sql(SIGNAL.format("one"))
    wait_for("an offset amid Debezium's chunks", lambda: b"incremental_snapshot_primary_key" in hands.stored(), 120)
    hands.end()
    change(2)

    hands.sluice(500)
    change(3)
    wait_for("the rest of the incremental snapshot", lambda: len(hands.chunked(0)) == BIG, 120)
    wait_for("all that was done", hands.equals_tables, 120)
    hands.end()
    hands.worker.start()
    hands.rest.create("hands", {**hands.config, "incremental.snapshot.chunk.size": "1"})
    sql("update big set v = 1;" + SIGNAL.format("two"))
    wait_for("an offset amid sluice's chunks", lambda: b"incremental_snapshot_collections" in hands.stored(), 120)
    hands.end()
    change(4)

    hands.java(500)
    change(5)
    wait_for("the rest of it", lambda: len(hands.chunked(1)) == BIG, 120)
    wait_for("all that was done", hands.equals_tables, 120)
    hands.end()
    reads = [key for key, _, op, marker in hands.records("k") if op == "r"]
    equal(reads, list(range(1, 51)), "nobody took the first snapshot again")
    made = {key for key, _, op, _ in hands.records("k") if op == "c"}
    equal(made, {101, 102, 103, 104, 105}, "no insert was lost")


@seconds(60)
def test_offsets_of_older_versions(t):
    """From the position of each record, in the shapes that Debezium had over time."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v text); insert into k values (1, 'a'), (2, 'b')")
    dump = Dump(t, db, **{"lsn.flush.mode": "manual"}).start()
    dump.streams()
    sql("insert into k values (3, 'c'), (4, 'd'); insert into k values (5, 'e')")
    dump.wait(lambda r: len(r) == 5, "snapshot and stream")
    dump.stop_well()
    sources = [r["value"]["payload"]["source"] for r in dump.raw()]
    base = lambda s: {"lsn": s["lsn"], "txId": s["txId"], "ts_usec": s["ts_us"]}
    commit = lambda s: json.loads(s["sequence"])[0]
    shapes = [(f"1.9, after row {i + 1}", {**base(s), "transaction_id": None, "lsn_proc": s["lsn"]}, list(range(i + 2, 6)))
              for i, s in enumerate(sources) if i > 1]
    shapes += [(f"3.6, after row {i + 1}", {**base(s), "lsn_proc": s["lsn"], "messageType": "INSERT", "lsn_commit": int(commit(s))},
                list(range(i + 2, 6))) for i, s in enumerate(sources) if i > 1 and commit(s)]
    first = base(sources[1])
    # A snapshot on a slot that is there shows what the slot still has as well.
    shapes += [("a snapshot that is complete, 1.9", {**first, "snapshot": True, "last_snapshot_record": True, "transaction_id": None}, [3, 4, 5]),
               ("a snapshot that is complete, 3.6", {**first, "snapshot": "INITIAL", "last_snapshot_record": True, "snapshot_completed": True},
                [3, 4, 5]),
               ("a snapshot that was cut", {**first, "snapshot": True, "last_snapshot_record": False}, [1, 2, 3, 4, 5, 3, 4, 5])]
    for n, (what, offset, wanted) in enumerate(shapes):
        dump.offset.write_text(json.dumps(offset))
        dump.out.write_text("")
        dump.slot_is_free()
        dump.start()
        dump.streams()
        sql(f"insert into k values ({1000 + n}, 'end')")
        dump.wait(lambda r: r and r[-1][1]["id"] == 1000 + n, what)
        dump.stop_well()
        got = [key["id"] for _, key, *_ in dump.records()]
        equal([i for i in got if i < 1000], wanted, what)
        sql(f"delete from k where id = {1000 + n}")
