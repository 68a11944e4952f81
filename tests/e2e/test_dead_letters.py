"""A sink's records that cannot be delivered: errors.tolerance, the dead-letter topic, the log; and a
source's records that Kafka does not take."""
import json

from harness import equal, seconds, wait_for

JSON = "org.apache.kafka.connect.json.JsonConverter"
STRING = "org.apache.kafka.connect.storage.StringConverter"
CONTEXT = ["topic", "partition", "offset", "connector.name", "task.id", "stage", "class.name",
           "exception.class.name", "exception.message", "exception.stacktrace"]


def sink(t, topic, **more):
    return {"connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
            "file": str(t.directory / "out.txt"), "topics": topic, "key.converter": STRING,
            "value.converter": JSON, "value.converter.schemas.enable": "false",
            "consumer.override.session.timeout.ms": "6000",
            **{k.replace("__", "."): v for k, v in more.items()}}


def letters_to(topic, tolerance, **more):
    return {"errors__tolerance": tolerance, "errors__deadletterqueue__topic__name": topic,
            "errors__deadletterqueue__topic__replication__factor": "1",
            "errors__deadletterqueue__context__headers__enable": "true", **more}


def lines(t):
    path = t.directory / "out.txt"
    return path.read_text().splitlines() if path.exists() else []


def half_bad(t, topic, n=20):
    """Good and bad JSON in turn; the bad texts."""
    values = [json.dumps({"some_key": i}) if i % 2 == 0 else f"{{some_key={i}" for i in range(n)]
    t.kafka.produce(topic, [(f"k{i}", v, {"mine": "h"}) for i, v in enumerate(values)], partition=0)
    return values[1::2]


def context(record):
    return {k.removeprefix("__connect.errors."): v for k, v in record.headers if k.startswith("__")}


def test_half_bad_json_tolerated(t):
    topic, letters = t.topic("mixed"), t.unique("letters")
    t.cleanup(lambda: t.kafka.wire.delete_topics([letters]))
    bad = half_bad(t, topic)
    worker = t.sluice(connectors={topic: sink(t, topic, **letters_to(
        letters, "all", errors__log__enable="true", errors__log__include__messages="true"))})
    t.kafka.wait_count(letters, len(bad))
    wait_for("the good lines", lambda: len(lines(t)) >= 10)
    equal(lines(t), [f"{{some_key={i}}}" for i in range(0, 20, 2)], "lines")
    got = t.kafka.read(letters)
    equal([r.value for r in got], bad, "letters")
    equal([r.key for r in got], [f"k{i}" for i in range(1, 20, 2)], "their keys")
    equal([k for k, _ in got[0].headers], ["mine"] + [f"__connect.errors.{c}" for c in CONTEXT], "headers")
    say = context(got[0])
    message = say.pop("exception.message")
    assert message, "an empty message"
    assert message in say.pop("exception.stacktrace")
    equal(say, {"topic": topic, "partition": "0", "offset": "1", "connector.name": topic,
                "task.id": "0", "stage": "VALUE_CONVERTER", "class.name": JSON,
                "exception.class.name": "org.apache.kafka.connect.errors.DataException"}, "context")
    equal(got[0].timestamp, t.kafka.read(topic)[1].timestamp, "timestamp")
    equal(worker.rest.states(topic), ["RUNNING", "RUNNING"], "states")
    log = worker.log_text()
    told = [x for x in log.splitlines() if "Error encountered in task" in x]
    equal(len(told), len(bad), "log lines of failed records")
    assert (f"Error encountered in task {topic}-0. Executing stage 'VALUE_CONVERTER' with class '{JSON}', "
            f"where consumed record is {{topic='{topic}', partition=0, offset=1, timestamp=") in told[0], told[0]
    wait_for("all committed", lambda: t.kafka.lag(f"connect-{topic}", [topic]) == 0)
    equal(worker.stop(), 0, "exit code")


def test_first_bad_record_ends_the_task(t):
    topic, letters = t.topic("mixed"), t.unique("letters")
    t.cleanup(lambda: t.kafka.wire.delete_topics([letters]))
    t.kafka.produce(topic, [("a", "{broken")] + [("b", '{"n": 1}')] * 5, partition=0)
    worker = t.sluice(connectors={topic: sink(t, topic, **letters_to(letters, "none"))})
    trace = worker.rest.wait_failed(topic)
    assert f"{topic}-0@0" in trace and "VALUE_CONVERTER" in trace and "errors.tolerance" in trace, trace
    t.kafka.wait_count(letters, 1)
    equal([r.value for r in t.kafka.read(letters)], ["{broken"], "letters")
    equal(lines(t), [], "lines")
    equal(t.kafka.lag(f"connect-{topic}", [topic]), 6, "uncommitted records")
    worker.rest.ok("POST", f"/connectors/{topic}/tasks/0/restart")
    t.kafka.wait_count(letters, 2)
    worker.rest.wait_failed(topic)
    equal(lines(t), [], "lines after the restart: it fails at the same record")
    # With tolerance it moves on.
    worker.rest.create(topic, sink(t, topic, **letters_to(letters, "all")))
    wait_for("the good lines", lambda: lines(t) == ["{n=1}"] * 5)
    equal(worker.stop(), 0, "exit code")


def test_poison_without_letters_names_the_record(t):
    topic = t.topic("poison")
    t.kafka.produce(topic, [("a", '{"n": 1}'), ("a", "\x00nonsense")], partition=0)
    worker = t.sluice(connectors={topic: sink(t, topic)})
    trace = worker.rest.wait_failed(topic)
    assert f"{topic}-0@1" in trace and JSON in trace, trace
    status = worker.rest.status(topic)
    equal(status["connector"]["state"], "RUNNING", "the connector's own state")
    equal(worker.rest.call("GET", "/health")[0], 200, "health")


def test_letters_that_cannot_be_made_fail_the_task(t):
    topic, letters = t.topic("mixed"), t.unique("letters")
    worker = t.sluice(connectors={topic: sink(t, topic, **letters_to(
        letters, "all", errors__deadletterqueue__topic__replication__factor="3"))})
    trace = worker.rest.wait_failed(topic)
    assert letters in trace and "replication" in trace.lower(), trace
    equal(letters in t.kafka.topics(), False, "there is a topic")


def test_reported_records_become_letters(t):
    """The sink's own report of a record (ErrantRecordReporter): BigQuery refuses a row."""
    topic, letters, dataset = t.topic("rows"), t.unique("letters"), t.dataset()
    t.cleanup(lambda: t.kafka.wire.delete_topics([letters]))
    t.bigquery.create_table(dataset, "rows", {"id": "INTEGER"})
    t.kafka.produce(topic, [("k", json.dumps({"id": i if i % 5 else f"no number {i}"}))
                            for i in range(1, 21)], partition=0)
    config = {"connector.class": "com.wepay.kafka.connect.bigquery.BigQuerySinkConnector",
              "topics": topic, "topic2TableMap": f"{topic}:rows", "project": t.bigquery.project,
              "defaultDataset": dataset, "bigQueryEndpoint": t.bigquery.endpoint,
              "bigQueryPartitionDecorator": "false", "autoCreateTables": "false",
              "key.converter": STRING, "value.converter": JSON,
              "value.converter.schemas.enable": "false"}
    worker = t.sluice(connectors={topic: {**config, **sink(t, topic, **letters_to(letters, "all")), **config}})
    t.kafka.wait_count(letters, 4)
    wait_for("the good rows", lambda: t.bigquery.count(dataset, "rows") >= 16)
    equal(sorted(r["id"] for r in t.bigquery.query(f"select id from `{dataset}.rows`")),
          [i for i in range(1, 21) if i % 5], "rows")
    got = t.kafka.read(letters)
    equal([r.json()["id"] for r in got], [f"no number {i}" for i in (5, 10, 15, 20)], "letters")
    say = context(got[0])
    equal((say["stage"], say["class.name"], say["offset"]),
          ("TASK_PUT", "org.apache.kafka.connect.sink.SinkTask", "4"), "context")
    equal(worker.rest.states(topic), ["RUNNING", "RUNNING"], "states")
    wait_for("all committed", lambda: t.kafka.lag(f"connect-{topic}", [topic]) == 0)
    # Without tolerance the first such row ends the task and is named.
    name = topic + "_strict"
    worker.rest.create(name, config)
    trace = worker.rest.wait_failed(name)
    assert f"{topic}-0@4" in trace, trace
    equal(worker.stop(), 0, "exit code")


def file_source(t, topic, path, **more):
    return {"connector.class": "FileStreamSource", "file": str(path), "topic": topic,
            "key.converter": STRING, "value.converter": STRING,
            **{k.replace("__", "."): v for k, v in more.items()}}


def test_record_too_large_for_the_producer(t):
    topic = t.topic("large")
    path = t.file("in.txt", "".join(f"{'x' * (60_000 if i == 7 else 10)} {i}\n" for i in range(15)))
    limit = {"producer__override__max__request__size": "20000"}
    worker = t.sluice(connectors={"strict": file_source(t, topic, path, **limit)})
    trace = worker.rest.wait_failed("strict")
    for piece in (topic, "60002 bytes", "producer.override.max.request.size", "errors.tolerance=all"):
        assert piece in trace, trace
    worker.rest.delete("strict")
    all_of = t.topic("tolerant")
    worker.rest.create("tolerant", file_source(t, all_of, path, errors__tolerance="all",
                                               errors__log__enable="true", **limit))
    t.kafka.wait_count(all_of, 14)
    wait_for("the skipped one is told", lambda: "60002 bytes" in worker.log_text().split("DELETE")[-1])
    equal([r.value.split()[1] for r in t.kafka.read(all_of)], [str(i) for i in range(15) if i != 7], "records")
    equal(worker.rest.states("tolerant"), ["RUNNING", "RUNNING"], "states")
    equal(worker.stop(), 0, "exit code")


def test_record_too_large_for_the_topic_loses_no_other(t):
    """The broker refuses the batch; which record it was cannot be known, so none is skipped."""
    topic = t.topic("large", max_message_bytes="2000")
    path = t.file("in.txt", "".join(f"{'x' * (5000 if i == 7 else 10)} {i}\n" for i in range(15)))
    worker = t.sluice(connectors={"in": file_source(t, topic, path, errors__tolerance="all")})
    trace = worker.rest.wait_failed("in")
    assert topic in trace and "max.message.bytes" in trace and "max.request.size" in trace, trace
    worker.rest.create("in", file_source(t, topic, path, errors__tolerance="all",
                                         producer__override__max__request__size="2000"))
    wanted = {str(i) for i in range(15) if i != 7}
    wait_for("all others", lambda: {r.value.split()[1] for r in t.kafka.read(topic)} == wanted)
    equal(worker.rest.states("in"), ["RUNNING", "RUNNING"], "states")


@seconds(60)
def test_half_bad_json_over_kill9(t):
    """No letter and no line is lost; duplicates may be."""
    topic, letters = t.topic("mixed"), t.unique("letters")
    t.cleanup(lambda: t.kafka.wire.delete_topics([letters]))
    worker = t.sluice(connectors={topic: sink(t, topic, **letters_to(letters, "all"))})
    bad = half_bad(t, topic, 4000)
    wait_for("it works", lambda: lines(t))
    worker.kill9()
    worker.start()
    wait_for("all committed", lambda: t.kafka.lag(f"connect-{topic}", [topic]) == 0, 40)
    equal({r.value for r in t.kafka.read(letters)}, set(bad), "letters")
    equal(set(lines(t)), {f"{{some_key={i}}}" for i in range(0, 4000, 2)}, "lines")
