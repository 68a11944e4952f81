"""The services that all other tests stand on."""
import subprocess

from harness import equal, wait_for


def test_kafka_round_trip(t):
    topic = t.topic(partitions=3)
    records = [(f"k{i}", f'{{"n":{i}}}') for i in range(50)]
    t.kafka.produce(topic, records)
    t.kafka.produce(topic, [("k1", None), (None, "no key"), ("h", "v", {"a": "1", "b": "ü"})])
    equal(t.kafka.count(topic), 53)
    got = t.kafka.read(topic)
    equal(sorted((r.key, r.value) for r in got if r.key in dict(records) and r.value), sorted(records))
    equal([r.value for r in got if r.key == "k1"], ['{"n":1}', None], "records of one key, in order")
    equal([r.key for r in got if r.value == "no key"], [None])
    equal([r.headers for r in got if r.key == "h"], [[("a", "1"), ("b", "ü")]])
    equal(len({r.partition for r in got}), 3, "partitions in use")
    equal(t.kafka.lag("nobody", [topic]), 53, "lag of a group that never committed")
    equal(t.kafka.read("no-such-topic"), [])


def test_kafka_keeps_data_over_a_crash(t):
    topic = t.topic()
    t.kafka.produce(topic, [("a", "1")])
    before = t.kafka.bootstrap
    t.kafka.kill9()
    t.kafka.restart()
    equal(t.kafka.bootstrap, before, "address after the restart")
    t.kafka.produce(topic, [("a", "2")])
    equal([(r.key, r.value) for r in t.kafka.read(topic)], [("a", "1"), ("a", "2")])


def test_postgres_logical_slot(t):
    db = t.database()
    t.postgres.sql("create table t (id int primary key, v text); insert into t values (0, 'before')", db)
    argv, env = t.postgres.command("pg_recvlogical", "--slot=" + t.unique("slot"), database=db)
    create = subprocess.run([*argv, "--create-slot", "--plugin=test_decoding"], env=env,
                            capture_output=True, text=True)
    equal(create.returncode, 0, create.stderr)
    t.postgres.sql("insert into t values (1, 'x'), (2, 'y'); update t set v = 'z' where id = 1", db)
    out = t.directory / "changes"
    reader = subprocess.Popen([*argv, "--start", "--no-loop", "-f", out, "-F", "0"], env=env)
    try:
        wait_for("the update decoded", lambda: "UPDATE" in out.read_text(), 20)
    finally:
        reader.terminate()
        reader.wait(60)
    text = out.read_text()
    equal((text.count("INSERT:"), text.count("UPDATE:"), "before" in text), (2, 1, False))


def test_postgres_keeps_data_over_a_crash(t):
    db = t.database()
    t.postgres.sql("create table t (id int); insert into t values (1)", db)
    port = t.postgres["PGPORT"]
    t.postgres.kill9()
    t.postgres.restart()
    equal(t.postgres["PGPORT"], port, "port after the restart")
    t.postgres.sql("insert into t values (2)", db)
    equal(t.postgres.rows("select id from t order by id", database=db), [{"id": 1}, {"id": 2}])


def test_postgres_password_is_needed(t):
    argv, env = t.postgres.command("psql", "-c", "select 1")
    run = subprocess.run(argv, env={**env, "PGPASSWORD": "wrong"}, capture_output=True, text=True)
    assert run.returncode != 0 and "password authentication failed" in run.stderr, run.stderr


def test_bigquery_insert_and_query(t):
    dataset = t.dataset()
    equal(t.bigquery.tables(dataset), [])
    equal(t.bigquery.count(dataset, "people"), 0)
    t.bigquery.create_table(dataset, "people", [
        {"name": "id", "type": "INTEGER", "mode": "REQUIRED"},
        {"name": "name", "type": "STRING"},
        {"name": "at", "type": "TIMESTAMP"},
        {"name": "tags", "type": "STRING", "mode": "REPEATED"},
        {"name": "home", "type": "RECORD", "fields": [{"name": "city", "type": "STRING"}]}])
    rows = [{"id": i, "name": f"n{i}", "at": "2026-01-02 03:04:05.678901", "tags": ["a", "b"],
             "home": {"city": "Ulm"}} for i in range(3)]
    ids = [f"t-0-{i}" for i in range(3)]
    for _ in range(2):  # the second time the insert ids are known
        answer = t.bigquery.insert(dataset, "people", rows, ids)
        assert not answer.get("insertErrors"), answer
    equal(t.bigquery.count(dataset, "people"), 3)
    got = t.bigquery.query(f"select id, name, at, tags, home from `{dataset}.people` order by id")
    equal(got[2], {"id": 2, "name": "n2", "at": "2026-01-02 03:04:05.678901", "tags": ["a", "b"], "home": {"city": "Ulm"}})
    answer = t.bigquery.insert(dataset, "people", [{"id": 9, "nope": 1}, {"id": 10}])
    reasons = {e["index"]: e["errors"][0]["reason"] for e in answer["insertErrors"]}
    equal(reasons, {0: "invalid", 1: "stopped"})
    equal(t.bigquery.count(dataset, "people"), 3)
