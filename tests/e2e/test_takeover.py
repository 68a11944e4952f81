"""A cluster changes hands between Java's Connect workers and sluice's: the topics that one has written
are all that the other is given, and connectors go on with their configs, states and offsets."""
import os

from harness import equal, seconds, wait_for

STRING = "org.apache.kafka.connect.storage.StringConverter"
STRINGS = {"key.converter": STRING, "value.converter": STRING}


class Cluster:
    """The topics of one group, and whose worker is in it now."""

    def __init__(self, t):
        self.t, self.group, self.worker = t, t.unique("takeover"), None
        topics = [f"{self.group}-{kind}" for kind in ("configs", "offsets", "status")]
        t.cleanup(t.kafka.wire.delete_topics, topics)

    def java(self):
        """Ends the worker that is there, and starts Java's."""
        self.stop()
        # the short session lets a worker that was killed be missed soon
        peer = self.t.connect(group=self.group, worker={"session.timeout.ms": 6000,
                                                        "heartbeat.interval.ms": 1000,
                                                        "scheduled.rebalance.max.delay.ms": 0})
        self.worker, self.rest, self.stop_it = peer, peer.rest, peer.stop

    def sluice(self):
        self.stop()
        names = {"config": "configs", "offset": "offsets", "status": "status"}
        worker = self.t.sluice({"group.id": self.group, "offset.storage.file.filename": None,
                                **{f"{kind}.storage.topic": f"{self.group}-{name}"
                                   for kind, name in names.items()},
                                **{f"{kind}.storage.replication.factor": 1 for kind in names},
                                "session.timeout.ms": 6000, "heartbeat.interval.ms": 1000,
                                "scheduled.rebalance.max.delay.ms": 0},
                               mode="distributed", start=False)
        worker.start(timeout=60)
        self.worker, self.rest, self.stop_it = worker, worker.rest, worker.stop

    def stop(self):
        if self.worker:
            self.stop_it()
        self.worker = None


class Connectors:
    """A source, a sink that follows it, one that is paused, one that is stopped, one that FAILED."""

    def __init__(self, t, cluster):
        self.t, self.cluster = t, cluster
        # names of this run alone: services may be used again, and groups remember topics
        topic = lambda word: t.topic(f"{word}{os.getpid()}")
        self.lines, self.topic = [], topic("lines")
        self.file, self.out = t.file("in.txt", ""), t.directory / "out.txt"
        self.held_topic, self.held_file = topic("held"), t.file("held.txt", "one\ntwo\nthree\n")
        self.later_topic, self.later_file = topic("later"), t.file("later.txt", "a\nb\nc\n")
        self.place = t.directory / "place"

    def make(self):
        rest = self.cluster.rest
        self.write("first", "second")
        source = {"connector.class": "FileStreamSource", **STRINGS}
        sink = {"connector.class": "FileStreamSink", "topics": self.topic, **STRINGS}
        self.configs = {
            "src": {**source, "file": str(self.file), "topic": self.topic},
            "snk": {**sink, "file": str(self.out)},
            "held": {**source, "file": str(self.held_file), "topic": self.held_topic},
            "later": {**source, "file": str(self.later_file), "topic": self.later_topic},
            "broken": {**sink, "file": str(self.place / "out.txt"), "tasks.max": "2"},
        }
        for name, config in self.configs.items():
            self.configs[name] = {**config, "name": name}
            state = {"held": "PAUSED", "later": "STOPPED"}.get(name, "RUNNING")
            rest.ok("POST", "/connectors", {"name": name, "config": config, "initial_state": state})
        for name in "src", "snk":
            rest.wait_running(name, 60)
        wait_for("broken FAILED", lambda: rest.states("broken") == ["RUNNING", "FAILED", "FAILED"], 60)
        wait_for("later STOPPED", lambda: rest.states("later") == ["STOPPED"], 60)
        wait_for("held PAUSED", lambda: rest.states("held") == ["PAUSED"], 60)
        rest.ok("PATCH", "/connectors/later/offsets", {"offsets": [
            {"partition": {"filename": str(self.later_file)}, "offset": {"position": 2}}]})

    def write(self, *lines):
        with open(self.file, "a") as f:
            f.writelines(f"{line}\n" for line in lines)
        self.lines += lines

    def settled(self):
        """All lines are in topic and file, exactly once, and their offsets are committed."""
        rest, position = self.cluster.rest, sum(len(line) + 1 for line in self.lines)
        wait_for("the lines in the topic", lambda: self.values(self.topic) == self.lines, 60)
        wait_for("the lines in the file", lambda: self.out.read_text().split() == self.lines, 60)
        wait_for("src's offset", lambda: rest.ok("GET", "/connectors/src/offsets")["offsets"] == [
            {"partition": {"filename": str(self.file)}, "offset": {"position": position}}], 60)
        there = {"partition": {"kafka_topic": self.topic, "kafka_partition": 0},
                 "offset": {"kafka_offset": len(self.lines)}}
        wait_for("snk's offset", lambda: there in rest.ok("GET", "/connectors/snk/offsets")["offsets"], 60)

    def values(self, topic):
        return [r.value for r in self.t.kafka.read(topic)]

    def taken_over(self):
        """What the former worker left is what this one says and does."""
        rest = self.cluster.rest
        wait_for("all connectors", lambda: sorted(rest.ok("GET", "/connectors")) == sorted(self.configs), 60)
        for name, config in self.configs.items():
            equal(rest.ok("GET", f"/connectors/{name}/config"), config)
        for name in "src", "snk":
            rest.wait_running(name, 60)
            topics = {name: {"topics": [self.topic]}}
            wait_for(f"{name}'s topic", lambda: rest.ok("GET", f"/connectors/{name}/topics") == topics, 60)
        # Java does not write FAILED over a status of another worker with a higher generation, and
        # sluice's generations are higher than those of the group: then the tasks show as UNASSIGNED.
        wait_for("broken not running", lambda: rest.states("broken")[0] == "RUNNING" and
                 set(rest.states("broken")[1:]) <= {"FAILED", "UNASSIGNED"}, 60)
        equal(len(rest.ok("GET", "/connectors/broken/tasks")), 2)
        for name, state in ("held", "PAUSED"), ("later", "STOPPED"):
            wait_for(f"{name} {state}", lambda: rest.states(name) == [state], 60)
        equal(rest.ok("GET", "/connectors/later")["tasks"], [])
        equal(rest.ok("GET", "/connectors/later/offsets")["offsets"],
              [{"partition": {"filename": str(self.later_file)}, "offset": {"position": 2}}])
        equal((self.values(self.held_topic), self.values(self.later_topic)), ([], []))

    def let_go(self):
        """What was held back does its work on this worker."""
        rest = self.cluster.rest
        for name in "held", "later":
            rest.ok("PUT", f"/connectors/{name}/resume")
            rest.wait_running(name, 60)
        wait_for("held's lines", lambda: self.values(self.held_topic) == ["one", "two", "three"], 60)
        wait_for("later's lines", lambda: self.values(self.later_topic) == ["b", "c"], 60)
        self.place.mkdir()
        rest.ok("POST", "/connectors/broken/restart?includeTasks=true")
        wait_for("broken RUNNING", lambda: rest.states("broken") == ["RUNNING"] * 3, 60)
        wait_for("broken's lines", lambda: (self.place / "out.txt").read_text().split() == self.lines, 60)


def change_hands(t, first, second):
    cluster = Cluster(t)
    connectors = Connectors(t, cluster)  # before the workers: its topics are deleted after them
    getattr(cluster, first)()
    connectors.make()
    connectors.settled()
    getattr(cluster, second)()
    connectors.taken_over()
    connectors.write("third", "fourth")
    connectors.settled()
    getattr(cluster, first)()
    connectors.taken_over()
    connectors.write("fifth")
    connectors.settled()
    connectors.let_go()
    getattr(cluster, second)()
    connectors.write("sixth")
    connectors.settled()
    for name in connectors.configs:
        cluster.rest.ok("DELETE", f"/connectors/{name}")
    wait_for("none left", lambda: cluster.rest.ok("GET", "/connectors") == [], 60)


@seconds(400)
def test_java_to_sluice_and_back(t):
    change_hands(t, "java", "sluice")


@seconds(400)
def test_sluice_to_java_and_back(t):
    change_hands(t, "sluice", "java")


# ---- Debezium's Postgres connector, and the plugin that takes its place ----


def change_hands_with_postgres(t, first, second):
    """Rows that come while either worker is there, or none, come once, in order."""
    database, prefix = t.database(), f"srv{os.getpid()}"
    topic = f"{prefix}.public.items"
    t.cleanup(t.kafka.wire.delete_topics, [topic])
    sql = lambda text: t.postgres.sql(text, database, "postgres")
    sql("create table items (id int primary key, word text); insert into items values (1, 'one'), (2, 'two')")
    cluster = Cluster(t)
    config = {"connector.class": "io.debezium.connector.postgresql.PostgresConnector",
              "database.hostname": "127.0.0.1", "database.port": t.postgres["POSTGRES_PORT"],
              "database.user": "postgres", "database.password": "postgres", "database.dbname": database,
              "topic.prefix": prefix, "plugin.name": "pgoutput", "slot.name": prefix,
              "publication.name": prefix, "table.include.list": "public.items",
              "key.converter": "org.apache.kafka.connect.json.JsonConverter",
              "value.converter": "org.apache.kafka.connect.json.JsonConverter",
              "value.converter.schemas.enable": "false"}
    seen = []

    def changes():
        """(operation, word) of the values, tombstones apart."""
        values = [r.json() for r in t.kafka.read(topic)]
        return [(v["op"], (v["after"] or v["before"])["word"]) for v in values if v]

    def come(*wanted):
        seen.extend(wanted)
        wait_for(f"{wanted}", lambda: changes() == seen, 60)

    getattr(cluster, first)()
    cluster.rest.create("pg", config)
    cluster.rest.wait_running("pg", 60)
    come(("r", "one"), ("r", "two"))
    sql("insert into items values (3, 'three')")
    come(("c", "three"))
    for n, (kind, word) in enumerate([(second, "four"), (first, "six"), (second, "eight")]):
        position = wait_for("an offset", lambda: cluster.rest.ok("GET", "/connectors/pg/offsets")["offsets"], 60)
        equal([o["partition"] for o in position], [{"server": prefix}])
        cluster.stop()
        sql(f"insert into items values ({2 * n + 4}, '{word}')")  # while nobody is there
        getattr(cluster, kind)()
        cluster.rest.wait_running("pg", 60)
        come(("c", word))
        sql(f"update items set word = '{word}!' where id = {2 * n + 4}")
        come(("u", f"{word}!"))
        # what is committed next moves on from what the other has left
        wait_for("a newer offset", lambda: cluster.rest.ok("GET", "/connectors/pg/offsets")["offsets"] != position, 60)
    cluster.rest.delete("pg")
    cluster.stop()


@seconds(400)
def test_debezium_to_sluice_and_back(t):
    change_hands_with_postgres(t, "java", "sluice")
