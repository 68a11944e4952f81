"""Transforms and predicates on their way through a worker and a real broker: Connect's own cases,
and a shared object that somebody else wrote."""
import json
import subprocess

from harness import BINARY, ROOT, equal, wait_for

KAFKA = "org.apache.kafka.connect.transforms."
STRING = "org.apache.kafka.connect.storage.StringConverter"
JSON = "org.apache.kafka.connect.json.JsonConverter"


def keys(prefix, **more):
    return {f"{prefix}.{k.replace('__', '.')}": v for k, v in more.items()}


def source(t, topic, lines, **more):
    return {"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
            "file": str(t.file(f"{topic}.txt", "".join(f"{line}\n" for line in lines))),
            "topic": topic, "key.converter": STRING, "value.converter": STRING, **more}


def test_hoist_and_insert_as_connects_system_test_asks(t):
    """Case 56: HoistField and InsertField on the file source."""
    topic = t.topic("hoisted")
    lines = [f"line {i}" for i in range(5)]
    t.sluice(connectors={"file-source": {
        **source(t, topic, lines), "value.converter": JSON,
        "transforms": "hoistToStruct,insertTimestampField",
        **keys("transforms.hoistToStruct", type=f"{KAFKA}HoistField$Value", field="content"),
        **keys("transforms.insertTimestampField", type=f"{KAFKA}InsertField$Value",
               timestamp__field="the_timestamp")}})
    t.kafka.wait_count(topic, len(lines))
    for line, record in zip(lines, t.kafka.read(topic)):
        value = json.loads(record.value)
        equal(value["schema"], {"type": "struct", "optional": False, "fields": [
            {"field": "content", "type": "string", "optional": False},
            {"field": "the_timestamp", "name": "org.apache.kafka.connect.data.Timestamp",
             "type": "int64", "version": 1, "optional": True}]}, "schema")
        equal(value["payload"], {"content": line, "the_timestamp": record.timestamp}, "payload")


def lines_of(path):
    return path.read_text().splitlines() if path.exists() else []


def sink(t, out, **more):
    return {"connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
            "file": str(out), "key.converter": STRING, "value.converter": STRING,
            "consumer.override.session.timeout.ms": "6000",
            "transforms": "filter", "transforms.filter.type": f"{KAFKA}Filter",
            "transforms.filter.predicate": "p", **more}


def test_filter_by_topic_name(t):
    """Case 57: records of matching topics are dropped, all others delivered, all committed."""
    keep, drop = t.topic("keep"), t.topic("drop")
    out = t.directory / "out.txt"
    worker = t.sluice(connectors={"named": sink(
        t, out, topics=f"{keep},{drop}",
        **keys("predicates.p", type=f"{KAFKA}predicates.TopicNameMatches", pattern="drop_.*"),
        predicates="p")})
    for topic in keep, drop:
        t.kafka.produce(topic, [(None, f"{topic} {i}", {}) for i in range(20)], partition=0)
    wait_for("the lines", lambda: len(lines_of(out)) >= 20)
    equal(worker.stop(), 0, "exit code")
    equal(lines_of(out), [f"{keep} {i}" for i in range(20)], "lines")


def test_filter_tombstones(t):
    topic = t.topic("tombstones")
    out = t.directory / "out.txt"
    worker = t.sluice(connectors={"tombs": sink(
        t, out, topics=topic, predicates="p",
        **keys("predicates.p", type="RecordIsTombstone"))})
    t.kafka.produce(topic, [(f"k{i}", None if i % 2 else f"v{i}", {}) for i in range(20)],
                    partition=0)
    wait_for("the lines", lambda: len(lines_of(out)) >= 10)
    equal(worker.stop(), 0, "exit code")
    equal(lines_of(out), [f"v{i}" for i in range(0, 20, 2)], "lines")


def test_filter_records_without_a_header(t):
    topic = t.topic("headers")
    out = t.directory / "out.txt"
    worker = t.sluice(connectors={"headed": sink(
        t, out, topics=topic, predicates="p",
        **{"transforms.filter.negate": "true"},
        **keys("predicates.p", type=f"{KAFKA}predicates.HasHeaderKey", name="keep"))})
    t.kafka.produce(topic, [(None, f"v{i}", {"keep": "x"} if i % 3 == 0 else {"other": "x"})
                            for i in range(21)], partition=0)
    wait_for("the lines", lambda: len(lines_of(out)) >= 7)
    equal(worker.stop(), 0, "exit code")
    equal(lines_of(out), [f"v{i}" for i in range(0, 21, 3)], "lines")


def test_a_transform_from_a_shared_object(t):
    """It is listed, validated and used like any other; so is the predicate beside it."""
    plugin, topic = t.directory / "marking.so", t.topic("marked")
    subprocess.run(["cc", "-shared", "-fPIC", "-std=c11", "-fvisibility=hidden",
                    f"-I{ROOT}/include", "-o", plugin, ROOT / "tests/contract/marking.c"],
                   check=True)
    worker = t.sluice({"plugin.path": f"{plugin},{BINARY.parent}/plugins"})
    listed = worker.rest.ok("GET", "/connector-plugins?connectorsOnly=false")
    for item in ({"class": "com.example.transforms.Mark", "type": "transformation",
                  "version": "2.1"},
                 {"class": "com.example.predicates.IsMarked", "type": "predicate",
                  "version": "2.1"}):
        assert item in listed, listed
    wanted = {f"{KAFKA}{name}{form}" for name in ("Cast", "ExtractField", "Flatten", "HeaderFrom",
                                                  "HoistField", "InsertField")
              for form in ("$Key", "$Value")}
    wanted |= {f"{KAFKA}{name}" for name in ("DropHeaders", "Filter", "InsertHeader")}
    equal(wanted - {item["class"] for item in listed}, set(), "Kafka's transforms that are missing")
    config = source(t, topic, ["one", ">two", "three"], transforms="m", predicates="has",
                    **keys("transforms.m", type="com.example.transforms.Mark", mark=">",
                           predicate="has", negate="true"),
                    **keys("predicates.has", type="IsMarked", mark=">"))
    status, answer = worker.rest.call("PUT", "/connectors/m/config",
                                      {k: v for k, v in config.items() if k != "transforms.m.mark"})
    equal(status, 400, "status")
    assert 'Missing required configuration "mark"' in answer["message"], answer
    worker.rest.create("m", config)
    t.kafka.wait_count(topic, 3)
    equal([r.value for r in t.kafka.read(topic)], [">one", ">two", ">three"], "values")


def test_a_wrong_spec_is_refused_with_the_config(t):
    worker = t.sluice()
    status, answer = worker.rest.call("PUT", "/connectors/x/config", {
        **source(t, "unused", ["a"]), "transforms": "c", "predicates": "p",
        **keys("transforms.c", type=f"{KAFKA}Cast$Value", spec="a:int8,b:number", predicate="p"),
        **keys("predicates.p", type="TopicNameMatches", pattern="a(b")})
    equal(status, 400, "status")
    for piece in "Invalid type found in casting spec: number", "Invalid regex: ":
        assert piece in answer["message"], answer
