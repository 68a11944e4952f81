"""The whole line under fire: Postgres -> Kafka -> BigQuery, with processes killed along the way.

Each change carries a number of its own (n), so that what arrives can be held against what was
committed: nothing missing, per key in order, duplicates only as a replay from an earlier point,
and in BigQuery each Kafka record exactly once.
"""
import random
import threading
import time

from harness import PATIENCE, equal, no_duplicates, seconds, wait_for

CHANGES = 100_000
KILLS = 10
SEED = 999_999  # id of the row that the snapshot finds


def cdc_config(t, db, prefix, **more):
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "database.hostname": "127.0.0.1", "database.port": t.postgres["POSTGRES_PORT"],
        "database.user": "sluice", "database.password": "sluice", "database.dbname": db,
        "topic.prefix": prefix, "plugin.name": "pgoutput", "slot.name": db,
        "publication.name": db, "publication.autocreate.mode": "filtered",
        "table.include.list": "public.items", "status.update.interval.ms": "500", **more}


def sink_config(t, dataset, topic, **more):
    return {
        "connector.class": "com.wepay.kafka.connect.bigquery.BigQuerySinkConnector",
        "topics": topic, "topic2TableMap": f"{topic}:items", "project": t.bigquery.project,
        "defaultDataset": dataset, "bigQueryEndpoint": t.bigquery.endpoint,
        "bigQueryPartitionDecorator": "false", "kafkaDataFieldName": "kafka", "bigQueryRetry": "10",
        "transforms": "unwrap",
        "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
        "transforms.unwrap.delete.tombstone.handling.mode": "rewrite",
        "transforms.unwrap.add.fields": "op", **more}


class Writer(threading.Thread):
    """Commits numbered changes in transactions of 1 to 400 of them, over crashes of Postgres, and
    knows what was committed: history[key] = [(op, n), ...] in commit order."""

    def __init__(self, postgres, db, changes, seed):
        super().__init__(daemon=True)
        self.postgres, self.db, self.changes = postgres, db, changes
        self.random = random.Random(seed)
        self.history, self.alive, self.n, self.error = {}, {}, 0, None

    def transaction(self, size):
        """(SQL, [(key, op, n)]), made from what is committed so far."""
        statements, done, alive, n = [], [], dict(self.alive), self.n
        for _ in range(size):
            n += 1
            key = self.random.randrange(2000)
            if key not in alive:
                op, sql = "c", f"insert into items values ({key}, {n}, repeat('v{n} ', 8))"
            elif self.random.random() < 0.2:
                op, sql = "d", f"delete from items where id = {key}"
            else:
                op, sql = "u", f"update items set n = {n}, v = 'u{n}' where id = {key}"
            # A delete carries the n of the row that it takes away.
            done.append((key, op, alive[key] if op == "d" else n))
            if op == "d":
                del alive[key]
            else:
                alive[key] = n
            statements.append(sql)
        text = ";\n".join(["begin", *statements, f"update progress set n = {n}", "commit;"])
        return text, done, alive, n

    def committed(self):
        return wait_for("Postgres is back",
                        lambda: [self.postgres.value("select n from progress", database=self.db)], 60)[0]

    def run(self):
        try:
            while self.n < self.changes:
                size = min(self.random.choice([1, 2, 5, 20, 100, 400]), self.changes - self.n)
                text, done, alive, n = self.transaction(size)
                try:
                    self.postgres.sql(text, database=self.db)
                except RuntimeError:
                    if self.committed() != n:
                        continue  # it was rolled back: another one
                for key, op, change in done:
                    self.history.setdefault(key, []).append((op, change))
                self.alive, self.n = alive, n
        except Exception as e:  # shown by the test
            self.error = e


def arrived(records):
    """{key: [(op, n), ...]} of Debezium envelopes, as they stand in the topic."""
    out = {}
    for r in records:
        value = r.payload()
        if value is None:
            continue
        row = value["before"] if value["op"] == "d" else value["after"]
        out.setdefault(r.key_payload()["id"], []).append((value["op"].replace("r", "c"), row["n"]))
    return out


def check_history(got, want):
    """Each key's records are its history: contiguous, but for steps back to replay."""
    equal(sorted(got), sorted(want), "keys")
    replays = 0
    for key, history in want.items():
        place = {change: i for i, change in enumerate(history)}
        assert len(place) == len(history)
        last = -1
        for change in got[key]:
            at = place[change]
            assert at <= last + 1, f"key {key}: {change} came after {history[last]}: records are missing"
            replays += at <= last
            last = at
        equal(last, len(history) - 1, f"key {key}: place of the last record")
    return replays


@seconds(600)
def test_kill9_of_everything_loses_nothing(t):
    db, dataset = t.database(), t.dataset()
    prefix = t.unique("chain")
    topic = f"{prefix}.public.items"
    t.postgres.sql("create table items (id int primary key, n bigint not null, v text);"
                   "alter table items replica identity full;"
                   "create table progress (n bigint); insert into progress values (0);"
                   f"insert into items values ({SEED}, 0, 'there before the snapshot')", db)
    t.kafka.create(topic, 3)
    worker = t.sluice(connectors={
        "cdc": cdc_config(t, db, prefix),
        "bq": sink_config(t, dataset, topic)})
    wait_for("the snapshot's offset", lambda: b"lsn" in worker.offsets.read_bytes())
    writer = Writer(t.postgres, db, CHANGES, seed=7)
    writer.start()
    dice = random.Random(11)
    broker = threading.Thread(target=lambda: (t.kafka.kill9(), time.sleep(1), t.kafka.restart()))
    database = threading.Thread(target=lambda: (t.postgres.kill9(), t.postgres.restart()))
    for i in range(KILLS):
        time.sleep(dice.uniform(0.3, 2.5))
        if i == 3:
            broker.start()
        if i == 6:
            database.start()
        worker.kill9()
        worker.start(timeout=60)
    broker.join()
    database.join()
    writer.join(300 * PATIENCE)
    assert writer.error is None and not writer.is_alive(), writer.error
    equal(writer.n, CHANGES)

    want = {SEED: [("c", 0)], **writer.history}
    total = sum(len(h) for h in want.values())
    end = t.postgres.value("select pg_current_wal_lsn()", database=db)

    def all_there():
        states = worker.rest.states("cdc") + worker.rest.states("bq")
        assert "FAILED" not in states, worker.rest.trace("cdc") + worker.rest.trace("bq")
        confirmed = t.postgres.value(f"select confirmed_flush_lsn >= '{end}' from pg_replication_slots "
                                     f"where slot_name = '{db}'", database=db)
        return confirmed and t.kafka.lag("connect-bq", [topic]) == 0

    wait_for("all changes confirmed to Postgres and committed by the sink", all_there, 240, every=0.5)
    records = t.kafka.read(topic)
    replays = check_history(arrived(records), want)
    rows = t.bigquery.query(f"select kafka.`partition` p, kafka.`offset` o from `{dataset}.items`")
    no_duplicates([(r["p"], r["o"]) for r in rows], "Kafka records in BigQuery")
    equal(len(rows), sum(1 for r in records if r.value is not None), "rows in BigQuery")
    print(f"     {total} changes, {len(records)} records, {replays} replayed after {KILLS} kills")
    equal(worker.stop(), 0, "exit code")
