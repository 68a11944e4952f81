"""Protobuf and JSON Schema on their way through a worker, a broker and a real schema registry:
datagen writes, the file sink reads, and the registry is asked what it was told."""
import json
import re

from harness import equal, wait_for

PROTOBUF = "io.confluent.connect.protobuf.ProtobufConverter"
JSON_SCHEMA = "io.confluent.connect.json.JsonSchemaConverter"
STRING = "org.apache.kafka.connect.storage.StringConverter"
N = 200


def converter(t, name, **more):
    return {"key.converter": STRING, "value.converter": name,
            "value.converter.schema.registry.url": t.registry.url, **more}


def datagen(t, topic, name, **more):
    return {"connector.class": "io.confluent.kafka.connect.datagen.DatagenConnector",
            "kafka.topic": topic, "quickstart": "users", "max.interval": "1",
            "iterations": str(N), "random.seed": "7", **converter(t, name), **more}


def sink(t, topic, out, name, **more):
    return {"connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
            "topics": topic, "file": str(out), "consumer.override.session.timeout.ms": "6000",
            **converter(t, name), **more}


def lines_of(path):
    return path.read_text().splitlines() if path.exists() else []


def through(t, name, **more):
    """A topic, and the lines that a sink made of its records."""
    topic, out = t.topic(), t.directory / "out.txt"
    t.sluice(connectors={"users": datagen(t, topic, name, **more),
                         "lines": sink(t, topic, out, name, **more)})
    t.kafka.wait_count(topic, N)
    wait_for("all lines", lambda: len(lines_of(out)) >= N, 30)
    return topic, lines_of(out)


def test_protobuf_from_datagen_to_a_file(t):
    topic, lines = through(t, PROTOBUF)
    schema = t.registry.latest(f"{topic}-value")
    equal(schema["schemaType"], "PROTOBUF", "type of the schema")
    for field in ("int64 registertime = 1;", "string userid = 2;", "string regionid = 3;",
                  "string gender = 4;"):
        assert field in schema["schema"], schema["schema"]
    equal(len(lines), N, "lines")
    for line in lines:
        assert re.fullmatch(r"Struct\{registertime=\d{13},userid=User_\d,regionid=Region_\d,"
                            r"gender=[A-Z]+\}", line), line


def test_json_schema_from_datagen_to_a_file(t):
    topic, lines = through(t, JSON_SCHEMA)
    schema = t.registry.latest(f"{topic}-value")
    equal(schema["schemaType"], "JSON", "type of the schema")
    properties = json.loads(schema["schema"])["properties"]
    equal(properties["registertime"],
          {"type": "integer", "connect.index": 0, "connect.type": "int64"}, "a property")
    for record, line in zip(t.kafka.read(topic), lines):
        value = json.loads(record.value[record.value.index("{"):])
        equal(list(value), ["registertime", "userid", "regionid", "gender"], "members")
        equal(line, "Struct{" + ",".join(f"{k}={v}" for k, v in value.items()) + "}", "line")


def test_bytes_without_a_frame_fail_the_task_with_their_place(t):
    for name in (PROTOBUF, JSON_SCHEMA):
        topic = t.topic("poison")
        t.kafka.produce(topic, [(None, "no frame")])
        worker = t.sluice(connectors={"lines": sink(t, topic, t.directory / "none.txt", name)})
        status = wait_for("the task fails", lambda: [
            s for s in [worker.rest.status("lines")]
            if s["tasks"] and s["tasks"][0]["state"] == "FAILED"], 60)[0]
        trace = status["tasks"][0]["trace"]
        assert "magic byte" in trace and topic in trace, trace
