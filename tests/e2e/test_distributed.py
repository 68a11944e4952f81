"""Several workers with one state in Kafka: what one of them is told all of them know, and what one of
them ran goes on elsewhere."""
import json
import pathlib
import time

from harness import Rest, equal, no_duplicates, seconds, wait_for

STRING = "org.apache.kafka.connect.storage.StringConverter"
STRINGS = {"key.converter": STRING, "value.converter": STRING}


def source(path, topic, **more):
    return {"connector.class": "FileStreamSource", "file": str(path), "topic": topic, **STRINGS,
            **{k.replace("__", "."): str(v) for k, v in more.items()}}


def append(path, words):
    with open(path, "a", encoding="utf-8") as out:
        out.writelines(f"{w}\n" for w in words)


def test_one_worker_keeps_its_state_in_kafka(t):
    path, topic = t.file("in.txt", "one\ntwo\n"), t.topic()
    (worker,) = t.cluster()
    status, answer = worker.rest.call("POST", "/connectors",
                                      {"name": "in", "config": source(path, topic)})
    equal(status, 201, answer)
    equal(answer["tasks"], [{"connector": "in", "task": 0}], "tasks of the answer")
    worker.rest.wait_running("in")
    t.kafka.wait_count(topic, 2)
    equal(worker.stop(), 0, "exit code")
    append(path, ["three"])
    worker.start()
    worker.rest.wait_running("in")
    t.kafka.wait_count(topic, 3)
    time.sleep(0.5)
    equal([r.value for r in t.kafka.read(topic)], ["one", "two", "three"], "records")
    equal(worker.stop(), 0, "exit code")
