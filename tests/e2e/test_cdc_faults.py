"""postgres-cdc while everything around it breaks: the worker is killed, the network to Postgres and to
Kafka is cut (also amid a message), stalls, goes half open or crawls, backends are terminated, Kafka refuses to
write, Postgres and Kafka restart; during snapshots, the stream, incremental snapshots and schema changes, with
transactions that are long, prepared, or sent before their commit. Afterwards the replayed topics are the tables;
each topic is in the order of the WAL; what comes twice begins past the offset that was stored when
the worker died, and comes again without a gap. test_cdc_breaks.py has single faults at places of its choice.

SLUICE_FAULTS_MINUTES=n goes on for n minutes; SLUICE_FAULTS_SEED=n repeats a choice of faults."""
import collections
import json
import os
import random
import re
import signal
import threading
import time

from harness import seconds, wait_for
from kafka_proxy import KafkaProxy
from tcp_proxy import Proxy

MINUTES = float(os.environ.get("SLUICE_FAULTS_MINUTES", "0"))
FAULTS = 18  # in a round
TABLES, ROWS = 3, 4000  # of everybody's; the last one more is of prepared transactions
PREPARED, EACH = f"k{TABLES}", 100  # ids of one of them
SNAPSHOT_RATE = 400_000  # bytes/s that each connection gets meanwhile, so that faults find it under way
JSON = "org.apache.kafka.connect.json.JsonConverter"


class Writer(threading.Thread):
    """Transactions of all kinds, one after the other; goes on when Postgres is away."""

    def __init__(self, t, db, rng):
        super().__init__(daemon=True)
        self.t, self.db, self.rng = t, db, rng
        self.going, self.done, self.signals, self.extra = True, 0, 0, collections.Counter()
        self.prepared = 0
        self.start()

    def sql(self, text):
        return self.t.postgres.sql(f"set lock_timeout = '10s'; {text}", self.db, "postgres")

    def change(self):
        rng, table = self.rng, f"k{self.rng.randrange(TABLES)}"
        base, n = rng.randrange(1, ROWS), rng.choice([1, 1, 5, 50, 400])
        some = f"id between {base} and {base + n}"
        return rng.choice([
            f"update {table} set v = nextval('version') where {some};",
            f"update {table} set v = nextval('version'), w = repeat(md5(random()::text), 100) where {some} and id % 7 = 0;",
            f"insert into {table} select (select max(id) from {table}) + i, nextval('version'), 'n' from generate_series(1, {n}) i;",
            f"delete from {table} where {some} and id % 3 = 0;",
            f"update {table} set id = -id, v = nextval('version') where {some} and id % 11 = 0 and"
            f" not exists (select 1 from {table} o where o.id = -{table}.id);",
            f"insert into {table} values ({base}, nextval('version'), 'again') on conflict (id) do update set v = nextval('version');"])

    def schema_change(self):
        """Every row is written anew with it: what the change itself does is not in the stream."""
        n = self.rng.randrange(TABLES)
        self.extra[n] += 1
        column = f"c{self.extra[n]}"
        change = f"add column {column} int default {self.extra[n]}"
        if self.extra[n] % 3 == 0:
            change = f"drop column c{self.extra[n] - 1}, {change}"
        elif self.extra[n] % 3 == 1 and self.extra[n] > 1:
            change = f"rename column c{self.extra[n] - 1} to {column}"
        return f"alter table k{n} {change}; update k{n} set v = nextval('version');"

    def signal(self):
        self.signals += 1
        data = json.dumps({"data-collections": [f"public.k{self.rng.randrange(TABLES + 1)}"], "type": "incremental"})
        return f"insert into signals values ('s{self.signals}', 'execute-snapshot', '{data}');"

    def long(self):
        """More rows than are in flight, and than the server keeps in memory."""
        return f"update k{self.rng.randrange(TABLES)} set v = nextval('version'), w = repeat('l', 60);"

    def waiting(self):
        """Transactions that are prepared, whatever a crash made of them."""
        return self.sql("select gid from pg_prepared_xacts where database = current_database()").split()

    def prepare(self):
        """Each has rows of its own, and some of one that has ended."""
        n, old = self.prepared, self.rng.randrange(self.prepared + 1)
        self.prepared += 1
        again = "" if f"{self.db}_{old}" in self.waiting() else \
            f"update {PREPARED} set v = nextval('version') where id between {old * EACH} and {old * EACH + EACH - 1};"
        self.sql(f"begin; insert into {PREPARED} select i, nextval('version'), repeat('p', {self.rng.choice([1, 1500])})"
                 f" from generate_series({n * EACH}, {n * EACH + self.rng.randrange(1, EACH)}) i; {again}"
                 f" delete from {PREPARED} where id % {EACH} = 7 and id / {EACH} = {n};"
                 f" prepare transaction '{self.db}_{n}';")

    def finish(self, gids):
        for gid in gids:
            self.sql(f"{self.rng.choice(['commit', 'commit', 'rollback'])} prepared '{gid}'")

    def work(self):
        roll = self.rng.random()
        if roll < 0.05:
            return self.prepare()
        if roll < 0.1:
            waiting = self.waiting()
            return self.finish(self.rng.sample(waiting, min(1, len(waiting))))
        body = self.schema_change() if roll < 0.11 else self.signal() if roll < 0.13 else self.long() if roll < 0.14 else \
            "".join(self.change() for _ in range(self.rng.choice([1, 1, 3])))
        return self.sql(f"begin; {body} {'rollback' if roll > 0.97 else 'commit'};")

    def run(self):
        while self.going:
            try:
                self.work()
                self.done += 1
            except RuntimeError:
                time.sleep(0.2)
            time.sleep(self.rng.choice([0, 0.01, 0.05]))

    def stop(self):
        """And end what is prepared."""
        self.going = False
        self.join()
        wait_for("prepared transactions to end", lambda: [self.finish(self.waiting())] and not self.waiting(), 60)


class Faults:
    """Tables, a worker that reaches Postgres and Kafka by proxies, and what can happen to them."""

    rate = SNAPSHOT_RATE  # from the start on

    def __init__(self, t, rng, exactly_once=False, two_phase=False, **config):
        """config: of the connector, "__" for "."."""
        self.t, self.rng, self.exactly_once, self.two_phase = t, rng, exactly_once, two_phase
        self.db = t.database()
        self.sql = lambda text: t.postgres.sql(text, self.db, "postgres")
        t.cleanup(self.end_prepared)  # else nobody can make a slot any more
        self.sql("create sequence version; create table signals (id varchar(42) primary key, type varchar(32),"
                 " data varchar(2048));" + "".join(
                     f"create table k{i} (id int primary key, v bigint, w text); insert into k{i} select i,"
                     f" nextval('version'), repeat('x', 100) from generate_series(1, {ROWS}) i;" for i in range(TABLES))
                 + f"create table {PREPARED} (id int primary key, v bigint, w text);"
                 f"alter database {self.db} set logical_decoding_work_mem = '64kB'")
        self.proxy = Proxy(int(t.postgres["POSTGRES_PORT"]), rate=self.rate)
        self.kafka = KafkaProxy(t.kafka, fenced=exactly_once)
        t.cleanup(lambda: (self.proxy.stop(), self.kafka.stop()))
        self.topics = [f"{self.db}.public.k{i}" for i in range(TABLES + 1)]
        t.cleanup(t.kafka.wire.delete_topics, [*self.topics, f"{self.db}.public.signals"])
        self.kills = []  # (ends of the topics, lsn_commit of the stored offset)
        self.broker_faults = 0
        self.names = collections.Counter()
        if two_phase:  # the connector makes none such by itself; a slot cannot send what is older than its publication
            self.sql("create publication dbz_publication for all tables")
            self.sql(f"select pg_create_logical_replication_slot('{self.db}', 'pgoutput', false, true)")
        brokers = f"127.0.0.1:{self.kafka.port}"
        self.settings = {**self.config(), **{k.replace("__", "."): v for k, v in config.items()}}
        if exactly_once:
            (self.worker,) = t.cluster(1, start=False, exactly__once__source__support="enabled", bootstrap__servers=brokers,
                                       session__timeout__ms="6000", heartbeat__interval__ms="1000")
            self.worker.worker["group.instance.id"] = self.worker.worker["group.id"]
            self.worker.start()
            self.worker.rest.create("cdc", {**self.settings, "transaction.boundary": "connector"})
        else:
            self.worker = t.sluice({"bootstrap.servers": brokers}, {"cdc": self.settings})

    def end_prepared(self):
        for gid in self.sql("select gid from pg_prepared_xacts where database = current_database()").split():
            self.sql(f"rollback prepared '{gid}'")

    def config(self):
        return {"connector.class": "io.debezium.connector.postgresql.PostgresConnector",
                "database.hostname": "127.0.0.1", "database.port": str(self.proxy.port), "database.user": "postgres",
                "database.password": "postgres", "database.dbname": self.db, "topic.prefix": self.db,
                "plugin.name": "pgoutput", "slot.name": self.db, "status.update.interval.ms": "500",
                "signal.data.collection": "public.signals", "incremental.snapshot.chunk.size": "500",
                "retriable.restart.connector.wait.ms": "300",
                "table.include.list": r"public\.k\d,public\.signals", "slot.retry.delay.ms": "300", "slot.max.retries": "100",
                "key.converter": JSON, "value.converter": JSON, "key.converter.schemas.enable": "false",
                "value.converter.schemas.enable": "false"}

    # ---- faults ----

    def stored(self):
        """lsn_commit of the offset in the worker's file, as it is at its death; 0: none yet."""
        text = self.worker.offsets.read_text("latin-1") if self.worker.offsets.exists() else ""
        return max([0, *map(int, re.findall(r'\\?"lsn_commit\\?":(\d+)', text))])

    def kill(self):
        self.worker.kill9()
        self.kills.append(({topic: self.t.kafka.count(topic) for topic in self.topics}, self.stored()))
        time.sleep(self.rng.random() * 0.3)
        self.worker.start(wait=False)

    def network(self):
        """The connections to Postgres, or to Kafka."""
        if self.rng.random() < 0.6:
            self.names["postgres"] += 1
            return self.proxy
        self.broker_faults += 1
        self.names["kafka"] += 1
        return self.kafka

    def cut(self):
        self.network().cut()

    def cut_amid(self):
        proxy = self.network()
        proxy.cut_amid(self.rng.randrange(20000 if proxy is self.proxy else 200), self.rng.random() < 0.5)

    def stall(self):
        self.network().stall(self.rng.random() * 2)

    def slow(self):
        self.network().slow(self.rng.random() * 2)

    def half_open(self):
        proxy = self.network()
        proxy.half_open()
        time.sleep(self.rng.random() * 2)
        proxy.cut()

    def refuse(self):
        """Kafka is there, and writes nothing: as when its disk is full."""
        self.kafka.refuse(True)
        time.sleep(self.rng.random() * 2)
        self.kafka.refuse(False)

    def terminate(self):
        self.sql(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{self.db}'"
                 " and application_name like 'Debezium%'")

    def postgres_restart(self):
        how = self.rng.choice(["fast", "immediate", "kill"])
        self.names[how] += 1
        if how == "kill":
            self.t.postgres.kill9()
        elif how == "immediate":
            os.kill(self.t.postgres.pid, signal.SIGQUIT)
            wait_for("postgres to be gone", lambda: not os.path.exists(f"/proc/{self.t.postgres.pid}"))
        else:
            self.t.postgres.stop()
        self.t.postgres.start()

    def kafka_restart(self):
        self.broker_faults += 1
        self.t.kafka.kill9()
        # The script's own patience may end on a busy machine.
        wait_for("the broker", lambda: self.t.kafka.restart() or True, 180)

    def one(self):
        names, weights = zip(*{"kill": 10, "cut": 4, "cut_amid": 4, "stall": 4, "slow": 4, "half_open": 4, "terminate": 4,
                               "refuse": 2, "postgres_restart": 2, "kafka_restart": 1}.items())
        name = self.rng.choices(names, weights)[0]
        self.names[name] += 1
        getattr(self, name)()

    # ---- what must hold ----

    def running(self):
        if self.exactly_once and self.worker.rest.call("GET", "/connectors/cdc/status")[0] != 200:
            return  # the group is forming
        trace = self.worker.rest.trace("cdc") if "FAILED" in self.worker.rest.states("cdc") else ""
        assert not trace, f"the task failed: {trace}"

    def tables(self):
        return [{r["id"]: r for r in self.t.postgres.rows(f"select * from k{i}", database=self.db, user="postgres")}
                for i in range(TABLES + 1)]

    def replay(self, records):
        table = {}
        for r in records:
            if r.key is None:
                continue
            key, value = json.loads(r.key)["id"], r.json()
            if value and value["after"] is not None:
                table[key] = value["after"]
            else:
                table.pop(key, None)
        return table

    def different(self, wanted):
        """What still differs: of each topic a few keys."""
        found = []
        for i, topic in enumerate(self.topics):
            got = self.replay(self.t.kafka.read(topic))
            old = {k: v for k, v in wanted[i].items() if got.get(k, {}) != v}
            if old or len(got) != len(wanted[i]):
                keys = list(old)[:2] or [k for k in got if k not in wanted[i]][:2]
                found.append((topic, len(old), [(k, str(got.get(k))[:200], str(wanted[i].get(k))[:200]) for k in keys]))
        return found

    def settle(self):
        wanted = self.tables()

        def probe():
            self.running()
            left = self.different(wanted)
            if left:
                raise LookupError(left)
            return True

        try:
            wait_for("the topics to be the tables", probe, 90, every=0.5)
        except AssertionError as e:
            raise AssertionError(f"{e}\nall records: {self.dump()}\nworkers died at: {self.kills}") from None

    def dump(self):
        """Files with what the topics have, a line for each record; where they are."""
        directory = self.t.directory / "topics"
        directory.mkdir(exist_ok=True)
        for topic in self.topics:
            with open(directory / topic, "w", encoding="utf-8") as out:
                for r in self.t.kafka.read(topic, committed=False):
                    value = r.json() or {}
                    at = value.get("source", {})
                    print(r.offset, r.timestamp, r.key, value.get("op"), at.get("lsn"), at.get("txId"), at.get("sequence"),
                          (value.get("after") or {}).get("v"), file=out)
        return directory

    def check_order(self):
        """Of the streamed records of each topic: (commits, position) only go on; what goes back begins
        after a death of the worker (or, with the broker away, within a batch), and comes again as it
        was, without a gap. Where the broker refused records for a moment, others may have come before them:
        all of these come again. What stands last of each is in the order of the WAL."""
        try:
            return [n for topic in self.topics for n in self.came_again(topic)]
        except AssertionError as e:
            raise AssertionError(f"{e}\nall records: {self.dump()}\nworkers died at: {self.kills}") from None

    def came_again(self, topic):
        """How far each step back went."""
        again, seen, at = [], [], 0  # seen: records in the stream's order; at: how many of them have come (again)
        index, last = {}, {}
        for r in self.t.kafka.read(topic):
            value = r.json()
            if not value or value["op"] == "r":
                continue
            source = value["source"]
            what = (source["lsn"], source["txId"], value["op"], r.key, (value["after"] or {}).get("v"))
            where = (int(json.loads(source["sequence"])[0] or 0), source["lsn"])  # commit before it, position
            last.pop(what, None)
            last[what] = where
            if what not in index and seen and where < seen[-1][0]:
                assert self.broker_faults, f"{topic}: {what} came after {seen[-1]}"
                while seen and where < seen[-1][0]:  # they are to come once more
                    del index[seen.pop()[1]]
                at = len(seen)
            if at < len(seen) and seen[at][1] == what:
                at += 1
            elif what in index:
                died = [stored for ends, stored in self.kills if ends[topic] <= r.offset]
                assert died or self.broker_faults, f"{topic}: {what} came again, and nobody had died"
                assert not died or self.broker_faults or where[0] >= died[-1], \
                    f"{topic}: {what} came again, but the offset {died[-1]} past it was stored"
                again.append(len(seen) - index[what])
                assert at == len(seen) or died, f"{topic}: a gap before {seen[at]}"
                at = index[what] + 1
            else:
                assert at == len(seen), f"{topic}: {seen[at]} is missing where it should come again"
                index[what] = len(seen)
                seen.append((where, what))
                at += 1
        order = list(last.items())
        for (a, before), (b, after) in zip(order, order[1:]):
            assert before <= after, f"{topic}: {b} stands last behind {a}"
        return again

    def end(self):
        self.worker.stop()
        self.proxy.stop()
        self.kafka.stop()
        free = f"select not active from pg_replication_slots where slot_name = '{self.db}'"
        wait_for("the slot to be free", lambda: self.sql(free) == "t")
        self.sql(f"select pg_drop_replication_slot('{self.db}')")


def round_of_faults(t, rng, faults, exactly_once=False):
    options = {"snapshot__max__threads": rng.choice(["1", "3"]), "stream__in__progress": rng.choice(["off", "on", "parallel"]),
               "inflight__max__records": rng.choice(["300", "8192"])}
    f = Faults(t, rng, exactly_once, rng.random() < 0.4, snapshot__max__threads__multiplier="4", **options)
    began = time.monotonic()
    for _ in range(4):  # while the snapshot is read
        time.sleep(rng.random() * 0.5)
        f.one()
    f.proxy.rate = None
    writer = Writer(t, f.db, random.Random(rng.random()))
    try:
        for _ in range(faults - 4):
            time.sleep(rng.random() * 1.5)
            f.one()
    finally:
        writer.stop()
    f.settle()
    again = f.check_order()
    assert not (exactly_once and again), f"changes came more than once: {again}"
    records = sum(t.kafka.count(topic) for topic in f.topics)
    print(f"  {time.monotonic() - began:.0f} s: {dict(f.names)}; {options}, two-phase {f.two_phase};"
          f" {writer.done} transactions ({writer.prepared} prepared), {records} records,"
          f" {writer.signals} incremental snapshots, {sum(writer.extra.values())} schema changes;"
          f" came again: {again}", flush=True)
    f.end()


@seconds(int(300 + MINUTES * 90))
def test_topics_are_the_tables_whatever_breaks(t):
    seed = int(os.environ.get("SLUICE_FAULTS_SEED") or (random.SystemRandom().randrange(1, 10 ** 6) if MINUTES else 7))
    end = time.monotonic() + 60 * MINUTES
    while True:
        print(f"  SLUICE_FAULTS_SEED={seed}", flush=True)
        round_of_faults(t, random.Random(seed), FAULTS)
        seed += 1
        if time.monotonic() > end:
            break


@seconds(400)
def test_exactly_once_whatever_breaks(t):
    seed = int(os.environ.get("SLUICE_FAULTS_SEED") or (random.SystemRandom().randrange(1, 10 ** 6) if MINUTES else 7))
    print(f"  SLUICE_FAULTS_SEED={seed}", flush=True)
    round_of_faults(t, random.Random(seed), 8, exactly_once=True)
