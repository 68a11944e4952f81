"""Signals of a Kafka topic, notifications in Kafka, and metrics: the whole worker."""
import json

from harness import becomes, equal, seconds, wait_for

JSON = "org.apache.kafka.connect.json.JsonConverter"


def config(t, db, **more):
    return {"connector.class": "io.debezium.connector.postgresql.PostgresConnector", "topic.prefix": db,
            "plugin.name": "pgoutput", "database.hostname": "127.0.0.1",
            "database.port": t.postgres["POSTGRES_PORT"], "database.user": "postgres",
            "database.password": "postgres", "database.dbname": db, "slot.name": db,
            "slot.drop.on.stop": "false", "snapshot.mode": "no_data", "incremental.snapshot.chunk.size": "50",
            "key.converter": JSON, "value.converter": JSON, "key.converter.schemas.enable": "false",
            "value.converter.schemas.enable": "false", **{k: str(v) for k, v in more.items()}}


def started(t, **more):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int); insert into k select i, 0 from generate_series(1, 500) i; analyze k")
    topic = t.topic("signals")
    t.cleanup(t.kafka.wire.delete_topics, [f"{db}.public.k"])
    props = config(t, db, **{"signal.enabled.channels": "kafka", "signal.kafka.topic": topic,
                             "signal.kafka.groupId": db, "signal.consumer.session.timeout.ms": 6000,
                             "read.only": "true", **more})
    worker = t.sluice({"offset.flush.interval.ms": "200"}, {db: props})
    worker.rest.wait_running(db)
    wait_for("the stream", lambda: "streaming from slot" in worker.log_text())
    return db, sql, topic, worker


def signal(t, topic, key, kind, id="", **data):
    t.kafka.produce(topic, [(key, json.dumps({"id": id, "type": kind, "data": data}))], partition=0)


def reads(t, db):
    return [r.key_json()["id"] for r in t.kafka.read(f"{db}.public.k") if r.json()["op"] == "r"]


def metrics(worker, name, context=None):
    """{labels: value} of a metric."""
    found = {}
    for line in worker.rest.call("GET", "/metrics")[1].splitlines():
        if line.startswith(f"debezium_metrics_{name}{{") and (not context or f'context="{context}"' in line):
            labels, value = line.rsplit(" ", 1)
            found[labels] = float(value)
    return found


def one(worker, name, context):
    values = list(metrics(worker, name, context).values())
    equal(len(values), 1, name)
    return values[0]


@seconds(120)
def test_signals_of_a_topic(t):
    db, sql, topic, worker = started(t, **{"notification.enabled.channels": "sink",
                                           "notification.sink.topic.name": t.topic("notices")})
    signal(t, topic, "somebody else", "log", message="foreign")
    signal(t, topic, db, "log", message="hello")
    t.kafka.produce(topic, [(db, "no json")], partition=0)
    signal(t, topic, db, "execute-snapshot", id="kafka", **{"data-collections": ["public.k"]})
    wait_for("the log", lambda: "incremental snapshot is complete" in worker.log_text(), 60)
    wait_for("the rows", lambda: len(reads(t, db)) == 500)
    equal(sorted(reads(t, db)), list(range(1, 501)))
    assert "hello" in worker.log_text() and "foreign" not in worker.log_text()
    equal(worker.log_text().count("is ignored"), 1)
    wait_for("the group's offset", lambda: t.kafka.lag(db, [topic]) == 0)
    # A signal that was let go of is not obeyed again, and one that comes meanwhile is.
    worker.stop()
    signal(t, topic, db, "execute-snapshot", id="later",
           **{"data-collections": ["public.k"], "additional-condition": "id <= 20"})
    worker.start()
    wait_for("the later one", lambda: worker.log_text().count("incremental snapshot is complete") == 2, 60)
    wait_for("its rows", lambda: len(reads(t, db)) == 520)
    signal(t, topic, db, "execute-snapshot", id="blocks", **{"data-collections": ["public.k"], "type": "BLOCKING"})
    wait_for("the blocking one", lambda: len(reads(t, db)) == 1020, 60)
    sql("insert into k values (1000, 1)")
    wait_for("the stream to go on", lambda: t.kafka.read(f"{db}.public.k")[-1].key_json()["id"] == 1000)


@seconds(120)
def test_signals_survive_kills(t):
    db, sql, topic, worker = started(t, **{"incremental.snapshot.chunk.size": 5})
    for i in range(4):
        signal(t, topic, db, "execute-snapshot", id=f"s{i}",
               **{"data-collections": ["public.k"], "additional-condition": f"id > {i * 100} and id <= {i * 100 + 100}"})
        wait_for("it to be read", lambda: f"incremental snapshot 's{i}': 1 tables" in worker.log_text(), 60)
        worker.kill9()
        sql(f"insert into k values ({1000 + i}, {i})")
        worker.start()
    wait_for("all rows", lambda: set(range(1, 401)) <= set(reads(t, db)), 90)
    wait_for("the stream", lambda: {1000, 1001, 1002, 1003} <= {r.key_json()["id"] for r in t.kafka.read(f"{db}.public.k")})


@seconds(120)
def test_metrics(t):
    db, sql, topic, worker = started(t, **{"snapshot.mode": "initial", "custom.metric.tags": "env=test,zone=a",
                                           "table.include.list": "public.k"})
    wait_for("the snapshot", lambda: len(reads(t, db)) == 500)
    sql("insert into k values (1000, 1); update k set v = 2 where id = 1000; delete from k where id = 1000;"
        "create table other (id int primary key); insert into other values (1)")
    wait_for("the changes", lambda: metrics(worker, "NumberOfCommittedTransactions") and
             one(worker, "NumberOfCommittedTransactions", "streaming") >= 4)
    for name, value in {"TotalNumberOfCreateEventsSeen": 1, "TotalNumberOfUpdateEventsSeen": 1, "Connected": 1,
                        "TotalNumberOfDeleteEventsSeen": 1, "NumberOfEventsFiltered": 1}.items():
        becomes(lambda: one(worker, name, "streaming"), value, name)
    for name, value in {"TotalNumberOfEventsSeen": 500, "SnapshotCompleted": 1, "SnapshotRunning": 0,
                        "RemainingTableCount": 0, "TotalTableCount": 1, "SnapshotAborted": 0}.items():
        becomes(lambda: one(worker, name, "snapshot"), value, name)
    assert one(worker, "MilliSecondsBehindSource", "streaming") >= 0
    labels = list(metrics(worker, "Connected"))[0]
    for label in (f'connector="{db}"', 'task="0"', 'plugin="postgres"', f'name="{db}"', 'env="test"', 'zone="a"'):
        assert label in labels, labels
    worker.rest.delete(db)
    wait_for("them to go", lambda: not metrics(worker, "Connected"))
