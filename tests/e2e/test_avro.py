"""AvroConverter and a real schema registry: records there and back, and what goes wrong between."""
import json
import pathlib

from harness import equal, free_port, seconds, wait_for

AVRO = "io.confluent.connect.avro.AvroConverter"
STRING = "org.apache.kafka.connect.storage.StringConverter"
JSON = "org.apache.kafka.connect.json.JsonConverter"
DATAGEN = json.dumps({
    "type": "record", "name": "Order", "namespace": "com.acme", "fields": [
        {"name": "id", "type": {"type": "long", "arg.properties": {"iteration": {"start": 0}}}},
        {"name": "kind", "type": {"type": "string", "arg.properties": {"options": ["a", "b"]}}},
        {"name": "price", "type": {"type": "double", "arg.properties": {"range": {"min": 1, "max": 9}}}}]})


def avro(url, **more):
    return {"key.converter": STRING, "value.converter": AVRO, "value.converter.schema.registry.url": url,
            **{f"value.converter.{k.replace('__', '.')}": v for k, v in more.items()}}


def datagen(topic, url, n, **more):
    return {"connector.class": "io.confluent.kafka.connect.datagen.DatagenConnector",
            "kafka.topic": topic, "schema.string": DATAGEN, "schema.keyfield": "id",
            "iterations": str(n), "max.interval": "0", **avro(url), **more}


def file_sink(t, topic, url, **more):
    return {"connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
            "file": str(t.directory / "out.txt"), "topics": topic, **avro(url), **more}


def lines(t):
    path = pathlib.Path(t.directory / "out.txt")
    return path.read_text().splitlines() if path.exists() else []


@seconds(240)
def test_datagen_to_avro_to_file(t):
    topic, url = t.topic("orders"), t.registry.url
    t.sluice(connectors={f"{topic}-in": datagen(topic, url, 500), f"{topic}-out": file_sink(t, topic, url)})
    wait_for("500 lines", lambda: len(lines(t)) >= 500, 60)
    got = lines(t)
    equal(len(got), 500, "lines")
    assert all(x.startswith("Struct{id=") and ",kind=" in x and ",price=" in x for x in got), got[:3]
    equal(sorted(int(x.split("id=")[1].split(",")[0]) for x in got), list(range(500)), "ids")
    latest = t.registry.latest(f"{topic}-value")
    schema = json.loads(latest["schema"])
    equal([schema["name"], schema["namespace"], schema["connect.name"]],
          ["Order", "com.acme", "com.acme.Order"], "names")
    equal([f["type"] for f in schema["fields"]], ["long", "string", "double"], "types")
    record = t.kafka._kcat("-C", "-t", topic, "-o", "0", "-c", "1", "-e", "-q", "-f", "%s")
    equal(record[:5], b"\0" + latest["id"].to_bytes(4, "big"), "the frame of a record")


def test_unknown_id_goes_to_the_dead_letters(t):
    topic, letters, url = t.topic("ids"), t.unique("letters"), t.registry.url
    t.cleanup(lambda: t.kafka.wire.delete_topics([letters]))
    text = t.registry.register(f"{topic}-value", '"string"')
    t.kafka.produce(topic, [("k", "\0\0\0'\x0fx"), ("k", "no frame"), ("k", "\0\0\0\0" + chr(text) + "\x04hi")],
                    partition=0)
    t.sluice(connectors={topic: file_sink(t, topic, url, **{
        "errors.tolerance": "all", "errors.deadletterqueue.topic.name": letters,
        "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.deadletterqueue.context.headers.enable": "true"})})
    wait_for("the good line", lambda: lines(t) == ["hi"], 60)
    t.kafka.wait_count(letters, 2)
    why = [dict(r.headers)["__connect.errors.exception.message"] for r in t.kafka.read(letters)]
    assert "9999" in why[0] and f"{topic}-value" in why[0] and "40403" in why[0], why[0]
    assert "Unknown magic byte!" in why[1], why[1]


def test_incompatible_schema_ends_the_task(t):
    topic, url = t.topic("strict"), t.registry.url
    t.registry.register(f"{topic}-value", {"type": "record", "name": "Order", "namespace": "com.acme",
                                           "fields": [{"name": "id", "type": "string"}]})
    t.registry.compatibility(f"{topic}-value", "BACKWARD")
    worker = t.sluice(connectors={topic: datagen(topic, url, 10)})
    trace = worker.rest.wait_failed(topic)
    assert f"{topic}-value" in trace and "409" in trace and "ncompatib" in trace, trace


def test_registry_down_at_first(t):
    topic, port = t.topic("late"), free_port()
    away = f"http://127.0.0.1:{port}"
    quick = {"value.converter.max.retries": "1", "value.converter.retries.wait.ms": "100"}
    worker = t.sluice(connectors={topic: datagen(topic, away, 10, **quick)})
    trace = worker.rest.wait_failed(topic)
    assert f"schema registry {away}" in trace and "VALUE_CONVERTER" in trace, trace
    worker.rest.ok("PUT", f"/connectors/{topic}/config", datagen(topic, t.registry.url, 10, **quick))
    t.kafka.wait_count(topic, 10)
