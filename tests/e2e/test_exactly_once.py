"""Exactly-once sources (KIP-618) on distributed workers: whoever reads committed records sees each once
and in order, whatever becomes of the worker. Each test also sees that there was something to get
wrong: transactions that were cut, or duplicates where exactly-once is off."""
import itertools
import json
import os
import random
import signal
import threading
import time

from harness import equal, seconds, wait_for
from test_topic_store import Tool

STRING = "org.apache.kafka.connect.storage.StringConverter"
STRINGS = {"key.converter": STRING, "value.converter": STRING}
EXACTLY_ONCE = {"exactly__once__source__support": "enabled"}
# Longer runs: SLUICE_EXACTLY_ONCE_MINUTES=5
MINUTES = float(os.environ.get("SLUICE_EXACTLY_ONCE_MINUTES", "0"))
GONE_MS = {"session__timeout__ms": "6000", "heartbeat__interval__ms": "1000"}


def workers(t, n=1, **more):
    """Workers that come back at once after a kill -9: each has an instance id of its own."""
    cluster = t.cluster(n, start=False, **{**EXACTLY_ONCE, **GONE_MS, **more})
    for i, one in enumerate(cluster):
        one.worker["group.instance.id"] = f"{one.worker['group.id']}-{i}"
        one.start(wait=False)
    for one in cluster:
        one.wait_ready()
    return cluster


def file_source(path, topic, **more):
    return {"connector.class": "FileStreamSource", "file": str(path), "topic": topic, **STRINGS,
            **{k.replace("__", "."): str(v) for k, v in more.items()}}


def numbers(t, topic, committed=True):
    return [int(r.value) for r in t.kafka.read(topic, committed=committed)]


def cut(values):
    """Whether a transaction was cut: what it held was sent again, so that whoever reads what was not
    committed too sees it twice."""
    return len(values) > len(set(values))


class Feeder:
    """Writes numbered lines to a file until it is told to stop."""

    def __init__(self, path, lines=50, pause=0.005):
        self.path, self.lines, self.pause = path, lines, pause
        self.n, self.going = 0, True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        with open(self.path, "a", encoding="utf-8") as out:
            while self.going:
                out.writelines(f"{i}\n" for i in range(self.n, self.n + self.lines))
                out.flush()
                self.n += self.lines
                time.sleep(self.pause)

    def stop(self):
        self.going = False
        self.thread.join()
        return self.n


def kill_again_and_again(t, worker, topic, times, grown=lambda: True):
    """kill -9 whenever some more records are there, committed or not."""
    for _ in range(times):
        before = t.kafka.count(topic)
        wanted = random.randint(1, 2000)
        wait_for("more records", lambda: t.kafka.count(topic) > before + wanted, 60, every=0.01)
        worker.kill9()
        worker.start(wait=False)


def lines_across_kills(t, kills, shows, **config):
    """At least so many kills, and more until what was written shows what a kill may do."""
    path, topic = t.file("in.txt", ""), t.topic()
    support = config.pop("support", "enabled")
    (worker,) = workers(t, exactly__once__source__support=support)
    worker.rest.create("lines", file_source(path, topic, **config))
    feeder = Feeder(path)
    kill_again_and_again(t, worker, topic, kills)
    for _ in range(20):
        if shows(numbers(t, topic, committed=False)):
            break
        kill_again_and_again(t, worker, topic, 1)
    n = feeder.stop()
    wait_for("the last line", lambda: t.kafka.count(topic) and (numbers(t, topic) or [0])[-1] == n - 1,
             60, every=0.5)
    return numbers(t, topic), numbers(t, topic, committed=False), n


@seconds(400)
def test_lines_come_once_across_kills(t):
    seen, written, n = lines_across_kills(t, 5 + int(20 * MINUTES), cut, transaction__boundary="interval",
                                          transaction__boundary__interval__ms=200)
    equal(len(seen), n, "number of lines")
    assert seen == list(range(n)), "lines are missing, come twice, or are out of order"
    assert cut(written), "no transaction was cut by a kill: the test shows nothing"


@seconds(200)
def test_without_it_kills_make_duplicates(t):
    seen, _, n = lines_across_kills(t, 5, cut, support="disabled")
    equal(sorted(set(seen)), list(range(n)), "lines")
    assert len(seen) > n, "no line came twice: the tests above could not fail"


# ---- datagen: tasks come and go ----


def sequences(t, topic, committed=True):
    """{task: [iteration, ...]} in the order of the topic's partitions."""
    found = {}
    for record in t.kafka.read(topic, committed=committed):
        headers = dict(record.headers)
        found.setdefault(headers["task.id"], []).append(int(headers["current.iteration"]))
    return found


@seconds(300)
def test_tasks_come_once_across_reconfigurations_and_kills(t):
    topic = t.topic()
    (worker,) = workers(t)
    config = {"connector.class": "datagen", "kafka.topic": topic, "quickstart": "users",
              "max.interval": "2", "transaction.boundary": "interval",
              "transaction.boundary.interval.ms": "100", **STRINGS}

    rounds = 6 + int(10 * MINUTES)
    for i in itertools.count():
        if i >= rounds and (i >= rounds + 20 or any(map(cut, sequences(t, topic, False).values()))):
            break
        wanted = (1, 3, 2)[i % 3]
        worker.rest.ok("PUT", "/connectors/gen/config", {**config, "tasks.max": str(wanted)})
        wait_for(f"{wanted} tasks", lambda: worker.rest.states("gen")[1:] == ["RUNNING"] * wanted, 60)
        before = t.kafka.count(topic)
        wait_for("more records", lambda: t.kafka.count(topic) > before + 100, 60)
        if i % 2 == 1:
            kill_again_and_again(t, worker, topic, 1)
            worker.wait_ready()
    worker.rest.ok("PUT", "/connectors/gen/stop")
    wait_for("no tasks", lambda: worker.rest.states("gen") == ["STOPPED"], 60)
    seen = sequences(t, topic)
    equal(sorted(seen), ["0", "1", "2"], "tasks")
    for task, numbers_seen in seen.items():
        first = numbers_seen[0]
        equal(numbers_seen, list(range(first, first + len(numbers_seen))), f"records of task {task}")
    written = sum(map(len, sequences(t, topic, False).values()))
    assert written > sum(map(len, seen.values())), f"no transaction was cut by {i // 2} kills: the test shows nothing"


# ---- postgres-cdc: the source's transactions are never cut ----


def cdc(t, db):
    json_converter = "org.apache.kafka.connect.json.JsonConverter"
    return {"connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": "127.0.0.1", "database.port": t.postgres["POSTGRES_PORT"],
            "database.user": "sluice", "database.password": "sluice", "database.dbname": db,
            "topic.prefix": db, "plugin.name": "pgoutput", "slot.name": db, "publication.name": db,
            "publication.autocreate.mode": "filtered", "table.include.list": "public.items",
            "snapshot.mode": "no_data", "status.update.interval.ms": "500",
            "retriable.restart.connector.wait.ms": "200", "transaction.boundary": "connector",
            "key.converter": json_converter, "key.converter.schemas.enable": "false",
            "value.converter": json_converter, "value.converter.schemas.enable": "false"}


class Writer(threading.Thread):
    """Transactions of 1 to 300 rows (n, tx), both numbered throughout; every now and then a long one."""

    def __init__(self, postgres, db):
        super().__init__(daemon=True)
        self.postgres, self.db, self.going = postgres, db, True
        self.start()

    def run(self):
        while self.going:
            more = random.choice([4999, *range(300)[::15]])
            try:  # it goes on where the last one ended, whatever a crash made of that
                self.postgres.sql(
                    "insert into items select n, (select coalesce(max(tx), -1) + 1 from items) from "
                    "(select coalesce(max(n), -1) + 1 as low from items) l, "
                    f"generate_series(low, low + {more}) n", database=self.db)
            except Exception:
                time.sleep(0.2)
            time.sleep(0.02)

    def stop(self):
        """How many rows each transaction has, in order."""
        self.going = False
        self.join(300)
        assert not self.is_alive(), "the last transaction does not end"
        return [row["count"] for row in self.postgres.rows(
            "select count(*) from items group by tx order by tx", database=self.db)]


def rows(t, topic):
    return [(r.payload()["after"]["n"], r.payload()["after"]["tx"]) for r in t.kafka.read(topic)]


class Watcher(threading.Thread):
    """Reads committed records again and again: whenever it looks, there are whole transactions only."""

    def __init__(self, t, topic):
        super().__init__(daemon=True)
        self.t, self.topic, self.going, self.looks = t, topic, True, []
        self.start()

    def run(self):
        while self.going:
            try:
                if self.t.kafka.count(self.topic):
                    seen = rows(self.t, self.topic)
                    self.looks.append((len(seen), seen[-1] if seen else None))
            except (RuntimeError, OSError) as e:  # the broker did not answer: another look
                print(f"    a look failed: {e}")
            time.sleep(0.3)

    def stop(self):
        self.going = False
        self.join(300)
        assert not self.is_alive(), "a look at the topic does not end"
        return self.looks


@seconds(400)
def test_changes_come_once_across_kills(t):
    db = t.database()
    t.postgres.sql("create table items (n bigint primary key, tx int)", database=db)
    t.postgres.sql("alter table items owner to sluice", database=db)
    topic = f"{db}.public.items"
    t.cleanup(t.kafka.wire.delete_topics, [topic])
    (worker,) = workers(t)
    worker.rest.create("cdc", cdc(t, db))
    worker.rest.wait_running("cdc")
    wait_for("the slot, before which nothing is captured", lambda: t.postgres.sql(
        f"select confirmed_flush_lsn from pg_replication_slots where slot_name = '{db}'"), 60)
    writer, watcher = Writer(t.postgres, db), Watcher(t, topic)
    t.cleanup(lambda: (writer.stop(), watcher.stop()))

    def was_cut():
        return cut([r.payload()["after"]["n"] for r in t.kafka.read(topic, committed=False)])

    def shows():
        return len(set(watcher.looks)) > 3 and was_cut()

    rounds = 0
    while rounds < 2 + 5 * MINUTES or (not shows() and rounds < 30):
        rounds += 1
        kill_again_and_again(t, worker, topic, 2)
        before = t.kafka.count(topic)
        wait_for("more records", lambda: t.kafka.count(topic) > before, 60, every=0.01)
        t.postgres.kill9()
        t.postgres.restart()
    sizes = writer.stop()
    n = sum(sizes)
    wait_for("the last row", lambda: (rows(t, topic) or [(0, 0)])[-1][0] == n - 1, 90, every=0.5)
    looks, seen = watcher.stop(), rows(t, topic)
    equal([row[0] for row in seen], list(range(n)), "rows, in order")
    ends = {sum(sizes[:i]) for i in range(len(sizes) + 1)}
    halves = [look for look in looks if look[0] not in ends]
    assert not halves, f"half a transaction was seen: {halves[:5]}"
    assert len(set(looks)) > 3, looks
    assert was_cut(), f"no transaction was cut by {2 * rounds} kills: the test shows nothing"


# ---- zombies ----


@seconds(200)
def test_zombie_cannot_commit(t):
    """A worker that stands still in the middle of a transaction and goes on when another has taken its
    task over."""
    path, topic = t.file("in.txt", ""), t.topic()
    pair = workers(t, 2)
    pair[0].rest.create("lines", file_source(path, topic, transaction__boundary="interval",
                                             transaction__boundary__interval__ms=500))
    feeder = Feeder(path, lines=20, pause=0.01)
    rounds = 0
    while rounds < 1 + 2 * MINUTES or (not cut(numbers(t, topic, False)) and rounds < 10):
        rounds += 1
        wait_for("lines", lambda: len(numbers(t, topic)) > 0, 60)
        task = wait_for("a task that runs", lambda: (pair[0].rest.status("lines")["tasks"] or [None])[0])
        zombie = next(w for w in pair if task["worker_id"].endswith(f":{w.port}"))
        other = next(w for w in pair if w is not zombie)
        written = t.kafka.count(topic)
        wait_for("more lines", lambda: t.kafka.count(topic) > written + 100, 60, every=0.01)
        os.kill(zombie.process.pid, signal.SIGSTOP)

        def taken():
            status, body = other.rest.call("GET", "/connectors/lines/status")
            tasks = body.get("tasks") if status == 200 else None
            return tasks and tasks[0]["worker_id"].endswith(f":{other.port}") \
                and tasks[0]["state"] == "RUNNING"

        wait_for("the other worker runs it", taken, 60)
        before = numbers(t, topic)[-1]
        wait_for("it goes on", lambda: numbers(t, topic)[-1] > before + 500, 60)
        os.kill(zombie.process.pid, signal.SIGCONT)
        before = numbers(t, topic)[-1]
        wait_for("it still goes on", lambda: numbers(t, topic)[-1] > before + 500, 60)
    n = feeder.stop()
    wait_for("the last line", lambda: numbers(t, topic)[-1] == n - 1, 60)
    assert numbers(t, topic) == list(range(n)), "lines are missing, come twice, or are out of order"
    assert cut(numbers(t, topic, committed=False)), "the zombie had no transaction open"


# ---- transactions that others left open ----


@seconds(200)
def test_open_transaction_among_offsets_keeps_nobody_from_leading(t):
    """Only whoever left it open, or time, ends such a transaction; a task of the cluster is ended by
    its successor, which needs a leader."""
    path, topic = t.file("in.txt", "0\n1\n"), t.topic()
    pair = workers(t, 2)
    pair[0].rest.create("lines", file_source(path, topic))
    wait_for("lines", lambda: len(numbers(t, topic)) == 2, 60)
    tool = Tool(t)
    tool.ok("txn", "leave", pair[0].worker["offset.storage.topic"], "x", 300)
    for one in pair:
        one.kill9()
    for one in pair:
        one.start(wait=False)
    for one in pair:
        one.wait_ready()
    sink = {"connector.class": "FileStreamSink", "file": str(t.directory / "out.txt"), "topics": topic,
            **STRINGS}

    def waits():
        return sum(one.log_text().count("-offset was not read within") for one in pair)

    def taken(method, path, body=None):
        return lambda: pair[0].rest.call(method, path, body)[0] in (200, 201, 202, 204)

    wait_for("a leader that writes", taken("PUT", "/connectors/copy/config", sink), 60)
    wait_for("the sink", lambda: pair[1].rest.states("copy") == ["RUNNING", "RUNNING"], 60)
    # another set of tasks is fenced and started, and waits for its offsets
    path.write_text("0\n1\n2\n")
    told = waits()
    wait_for("another config", taken("PUT", "/connectors/lines/config",
                                     file_source(path, topic, transaction__boundary="interval")), 60)
    wait_for("a task that waits", lambda: waits() > told, 60)
    tool.ok("txn", "abort", pair[0].worker["offset.storage.topic"], "x", 1)
    tool.end()
    wait_for("the last line", lambda: len(numbers(t, topic)) >= 3, 60)
    equal(numbers(t, topic), [0, 1, 2], "lines")


# ---- a topic of its own for a connector's offsets ----


def offsets_in(t, topic):
    return {r.key: r.value for r in t.kafka.read(topic)}


def own_topic(t, support):
    path, topic = t.file("in.txt", "".join(f"{i}\n" for i in range(100))), t.topic()
    own = t.unique("own")
    t.cleanup(t.kafka.wire.delete_topics, [own])
    (worker,) = workers(t, exactly__once__source__support=support)
    shared = worker.worker["offset.storage.topic"]
    worker.rest.create("lines", file_source(path, topic, offsets__storage__topic=own))
    wait_for("lines", lambda: len(numbers(t, topic)) == 100)
    key, value = json.dumps(["lines", {"filename": str(path)}], separators=(",", ":")), '{"position":290}'
    for where in (own, shared):
        wait_for(f"the offset in {where}", lambda: offsets_in(t, where).get(key) == value)
    worker.kill9()
    worker.start()
    with open(path, "a", encoding="utf-8") as out:
        out.write("100\n")
    wait_for("the next line", lambda: len(numbers(t, topic)) == 101, 60)
    equal(numbers(t, topic), list(range(101)), "lines")
    # users see and change what is in force
    worker.rest.ok("PUT", "/connectors/lines/stop")
    wait_for("no tasks", lambda: worker.rest.states("lines") == ["STOPPED"], 60)
    at = {"partition": {"filename": str(path)}, "offset": {"position": 294}}
    wait_for("the last offset", lambda: worker.rest.ok("GET", "/connectors/lines/offsets") == {"offsets": [at]}, 60)
    worker.rest.ok("PATCH", "/connectors/lines/offsets",
                   {"offsets": [{**at, "offset": {"position": 290}}]})
    for where in (own, shared):
        wait_for(f"it in {where}", lambda: offsets_in(t, where)[key] == '{"position":290}')
    worker.rest.ok("DELETE", "/connectors/lines/offsets")
    for where in (own, shared):
        wait_for(f"nothing in {where}", lambda: offsets_in(t, where)[key] is None)
    worker.rest.ok("PUT", "/connectors/lines/resume")
    wait_for("all lines again", lambda: len(numbers(t, topic)) == 202, 60)
    equal(numbers(t, topic), 2 * list(range(101)), "lines")


@seconds(200)
def test_offsets_in_a_topic_of_the_connector(t):
    own_topic(t, "enabled")


@seconds(200)
def test_offsets_in_a_topic_of_the_connector_at_least_once(t):
    own_topic(t, "disabled")


# ---- what is refused ----


def errors(worker, config):
    answer = worker.rest.ok("PUT", "/connector-plugins/FileStreamSource/config/validate",
                            {"name": "x", **config})
    return {c["value"]["name"]: c["value"]["errors"] for c in answer["configs"] if c["value"]["errors"]}


def test_what_cannot_be_promised_is_refused(t):
    (on,) = workers(t)
    (off,) = workers(t, exactly__once__source__support="preparing")
    required = {"exactly__once__support": "required"}
    equal(errors(on, file_source("/in", "x", **required)), {}, "a file, with it")
    equal(errors(off, file_source("/in", "x", **required)),
          {"exactly.once.support": ["This worker does not have exactly-once source support enabled."]},
          "a file, without it")
    stdin = file_source("/in", "x", **required)
    del stdin["file"]
    equal(errors(on, stdin), {"exactly.once.support": [
        "The connector does not support exactly-once semantics with the provided configuration."]},
          "standard input")
    for worker in (on, off):
        equal(errors(worker, file_source("/in", "x", transaction__boundary="connector")), {
            "transaction.boundary": ["The connector does not support connector-defined transaction "
                                     "boundaries with the given configuration. Please reconfigure it "
                                     "to use a different transaction boundary definition."]},
              "boundaries of a file")


def test_own_offsets_topic_as_the_target_fails_the_task(t):
    path = t.file("in.txt", "one\n")
    (worker,) = workers(t)
    worker.rest.create("lines", file_source(path, worker.worker["offset.storage.topic"]))
    worker.rest.wait_failed("lines")
    assert "Source tasks may not produce to their own offsets topics when exactly-once support is " \
           "enabled" in worker.rest.trace("lines")
