"""bigquery-sink on a real worker, Kafka and emulator: types, tables, bad rows, crashes."""
import base64
import decimal
import json
import time

from harness import equal, no_duplicates, seconds, wait_for

JSON = "org.apache.kafka.connect.json.JsonConverter"


def config(t, topic, dataset, **more):
    """Connectors are named like their topic: a worker that was killed stays in its group for a while."""
    return {"connector.class": "com.wepay.kafka.connect.bigquery.BigQuerySinkConnector",
            "topics": topic, "project": t.bigquery.project, "defaultDataset": dataset,
            "bigQueryEndpoint": t.bigquery.endpoint, "bigQueryPartitionDecorator": "false",
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": JSON, "value.converter.schemas.enable": "true",
            **{k.replace("__", "."): v for k, v in more.items()}}


def field(name, kind, optional=False, logical=None, **more):
    schema = {"field": name, "type": kind, "optional": optional, **more}
    return {**schema, "name": logical} if logical else schema


def envelope(fields, payload):
    return json.dumps({"schema": {"type": "struct", "fields": fields, "optional": False},
                       "payload": payload})


def produce(t, topic, values):
    t.kafka.produce(topic, [("k", v) for v in values], partition=0)


def rows_of(t, dataset, table, order):
    try:
        return t.bigquery.query(f"select * from `{dataset}.{table}` order by {order}")
    except RuntimeError:
        return []  # not there yet


def wait_rows(t, dataset, table, n, timeout=40, order="id"):
    return wait_for(f"{n} rows in {table}",
                    lambda: len(rows := rows_of(t, dataset, table, order)) >= n and rows, timeout)


ID_NAME = [field("id", "int64"), field("name", "string", True)]


def test_types_reach_a_created_table(t):
    dataset, topic = t.dataset(), t.topic("types")
    unscaled = 12345678901234567890123456789
    fields = [
        field("id", "int64"), field("small", "int16"), field("flag", "boolean"),
        field("f32", "float"), field("f64", "double"), field("text", "string"),
        field("raw", "bytes"), field("gone", "string", True),
        field("price", "bytes", logical="org.apache.kafka.connect.data.Decimal", version=1,
              parameters={"scale": "9", "connect.decimal.precision": "38"}),
        field("day", "int32", logical="io.debezium.time.Date"),
        field("tod", "int64", logical="io.debezium.time.MicroTime"),
        field("at", "int64", logical="io.debezium.time.MicroTimestamp"),
        field("at_ms", "int64", logical="org.apache.kafka.connect.data.Timestamp", version=1),
        field("zoned", "string", logical="io.debezium.time.ZonedTimestamp"),
        field("tags", "array", items={"type": "string", "optional": False}),
        field("attrs", "map", keys={"type": "string", "optional": False},
              values={"type": "int64", "optional": False}),
        field("inner", "struct", True, fields=[field("a", "int32"), field("b", "string", True)]),
    ]
    row = {"id": 9223372036854775807, "small": -7, "flag": True, "f32": 42.42,
           "f64": 42424242.42424242, "text": "Zürich 😀 \"q\"\\\n",
           "raw": base64.b64encode(b"\x00\x0f\xff").decode(), "gone": None,
           "price": base64.b64encode(unscaled.to_bytes(13, "big", signed=True)).decode(),
           "day": -141427, "tod": 19606838001, "at": -1, "at_ms": 42000000,
           "zoned": "2017-03-01T14:20:38.808-08:00", "tags": ["x", "y"], "attrs": {"a": 1},
           "inner": {"a": 5, "b": None}}
    produce(t, topic, [envelope(fields, row)])
    worker = t.sluice(connectors={topic: config(t, topic, dataset, decimalHandlingMode="NUMERIC",
                                                 kafkaDataFieldName="kafka")})
    (got,) = wait_rows(t, dataset, topic, 1)
    kafka = got.pop("kafka")
    equal((kafka["topic"], kafka["partition"], kafka["offset"]), (topic, 0, 0), "kafka data")
    equal(decimal.Decimal(got.pop("price")), decimal.Decimal(unscaled).scaleb(-9, decimal.Context(50)),
          "decimal")
    wanted = {"id": 9223372036854775807, "small": -7, "flag": True, "f64": 42424242.42424242,
              "f32": 42.42, "text": row["text"], "raw": b"\x00\x0f\xff", "gone": None,
              "day": "1582-10-15", "tod": "05:26:46.838001", "at": "1969-12-31 23:59:59.999999",
              "at_ms": "1970-01-01 11:40:00", "zoned": "2017-03-01 22:20:38.808000",
              "tags": ["x", "y"], "attrs": [{"key": "a", "value": 1}], "inner": {"a": 5, "b": None}}
    equal(got, wanted, "row")
    equal({f["name"]: (f["type"], f["mode"]) for f in t.bigquery.schema(dataset, topic)
           if f["name"] in ("id", "gone", "price", "tags")},
          {"id": ("INTEGER", "REQUIRED"), "gone": ("STRING", "NULLABLE"),
           "price": ("NUMERIC", "REQUIRED"), "tags": ("STRING", "REPEATED")}, "columns")
    equal(worker.stop(), 0, "exit code")


def test_schemaless_json_goes_into_an_existing_table(t):
    dataset, topic = t.dataset(), t.topic("plain")
    t.bigquery.create_table(dataset, topic, {"id": "INTEGER", "name": "STRING", "score": "FLOAT"})
    produce(t, topic, [json.dumps({"id": i, "name": f"n{i}", "score": i / 2}) for i in range(5)])
    t.sluice(connectors={topic: config(t, topic, dataset,
                                        value__converter__schemas__enable="false")})
    equal(wait_rows(t, dataset, topic, 5),
          [{"id": i, "name": f"n{i}", "score": i / 2} for i in range(5)], "rows")


def test_a_bad_row_goes_to_the_dead_letter_topic(t):
    dataset, topic, dead = t.dataset(), t.topic("rows"), t.topic("dead")
    t.bigquery.create_table(dataset, topic, {"id": "INTEGER", "name": "STRING"})
    values = [json.dumps({"id": i, "name": "x"}) for i in range(20)]
    values[7] = json.dumps({"id": 7, "nome": "x"})
    values[11] = json.dumps("no map")
    produce(t, topic, values)
    more = {"errors.tolerance": "all", "errors.deadletterqueue.topic.name": dead,
            "errors.deadletterqueue.topic.replication.factor": "1",
            "errors.deadletterqueue.context.headers.enable": "true"}
    worker = t.sluice(connectors={topic: config(
        t, topic, dataset, value__converter__schemas__enable="false", **more)})
    rows = wait_rows(t, dataset, topic, 18)
    equal([r["id"] for r in rows], [i for i in range(20) if i not in (7, 11)], "rows")
    t.kafka.wait_count(dead, 2)
    letters = {json.dumps(r.json()): dict(r.headers) for r in t.kafka.read(dead)}
    equal(set(letters), {values[7], values[11]}, "dead letters")
    why = letters[values[7]]["__connect.errors.exception.message"]
    assert "no such field: nome" in why and f"{topic}-0-7" in why, why
    equal(worker.rest.states(topic), ["RUNNING", "RUNNING"], "states")
    equal(worker.stop(), 0, "exit code")


def test_a_bad_row_fails_the_task_by_default(t):
    dataset, topic = t.dataset(), t.topic("rows")
    t.bigquery.create_table(dataset, topic, {"id": "INTEGER"})
    produce(t, topic, [json.dumps({"id": 1}), json.dumps({"id": 2, "extra": 1})])
    worker = t.sluice(connectors={topic: config(t, topic, dataset,
                                                 value__converter__schemas__enable="false")})
    trace = worker.rest.wait_failed(topic)
    assert f"{topic}-0-1" in trace and "no such field: extra" in trace, trace


def test_columns_are_added_while_rows_come(t):
    dataset, topic = t.dataset(), t.topic("grow")
    worker = t.sluice(connectors={topic: config(
        t, topic, dataset, allowNewBigQueryFields="true",
        allowBigQueryRequiredFieldRelaxation="true", tableUpdateWaitMs="100")})
    produce(t, topic, [envelope(ID_NAME, {"id": i, "name": "a"}) for i in range(10)])
    wait_rows(t, dataset, topic, 10)
    wider = ID_NAME + [field("extra", "string", True)]
    produce(t, topic, [envelope(wider, {"id": i, "name": "b", "extra": "e"}) for i in range(10, 20)])
    rows = wait_rows(t, dataset, topic, 20)
    equal([r["extra"] for r in rows], [None] * 10 + ["e"] * 10, "new column")
    equal(worker.rest.states(topic), ["RUNNING", "RUNNING"], "states")


def test_a_missing_dataset_is_named(t):
    topic = t.topic("rows")
    produce(t, topic, [envelope(ID_NAME, {"id": 1, "name": "a"})])
    worker = t.sluice(connectors={topic: config(t, topic, "nowhere_" + topic[:20])})
    trace = worker.rest.wait_failed(topic)
    assert "nowhere_" in trace and "create the dataset" in trace, trace


def test_refused_options_are_named(t):
    worker = t.sluice()
    status, answer = worker.rest.call("PUT", "/connectors/sink/config",
                                      config(t, "x", "d", upsertEnabled="true"))
    equal(status, 400, "status")
    assert "upsertEnabled is not supported yet" in answer["message"], answer


@seconds(240)
def test_each_row_once_over_crashes_and_an_outage(t):
    """The worker is killed with -9, the endpoint restarted: nothing lost, and nothing twice, as
    insertIds are known for a while (see harness.py; so the emulator is not restarted within a retry)."""
    dataset, topic = t.dataset(), t.topic("crash", partitions=3)
    n, batch = 30000, 3000
    worker = t.sluice(connectors={topic: config(
        t, topic, dataset, kafkaDataFieldName="kafka")}, start=False)
    for start in range(0, n, batch):
        t.kafka.produce(topic, [(str(i), envelope(ID_NAME, {"id": i, "name": f"n{i}"}))
                                for i in range(start, start + batch)])
        worker.start()
        time.sleep(0.7)
        worker.kill9()
    worker.start()

    def count():
        return t.bigquery.query(f"select count(distinct id) n from `{dataset}.{topic}`")[0]["n"]

    wait_for(f"{n} rows", lambda: count() >= n, 120, every=1)
    rows = t.bigquery.query(f"select kafka.partition p, kafka.offset o from `{dataset}.{topic}`")
    no_duplicates([(r["p"], r["o"]) for r in rows], "rows")
    equal(len(rows), n, "rows")
    t.bigquery.stop()
    more = 500
    t.kafka.produce(topic, [(str(i), envelope(ID_NAME, {"id": i, "name": "late"}))
                            for i in range(n, n + more)])

    def trouble():
        tasks = worker.rest.status(topic)["tasks"]
        return any("cannot be reached" in task.get("trace", "") for task in tasks)

    wait_for("the outage in the status", trouble, 30)
    equal(worker.rest.states(topic), ["RUNNING", "RUNNING"], "states")
    t.bigquery.restart()
    wait_for("rows after the outage", lambda: count() == n + more, 60, every=0.5)
    equal(worker.stop(), 0, "exit code")
