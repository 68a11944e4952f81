"""The life of connectors on a standalone worker: what one start, change or stop does to its own
tasks and to nobody else's. The comments name the conformance case, as in test_rest_conformance.py."""
import re

from harness import equal, free_port, seconds, wait_for
from test_blocking import GRACEFUL_MS, in_background, worker_with_blocker

STRING = "org.apache.kafka.connect.storage.StringConverter"
STRINGS = {"key.converter": STRING, "value.converter": STRING}


def source(t, name, text, **more):
    return {"connector.class": "FileStreamSource", "file": str(t.file(f"{name}.txt", text)),
            "topic": t.topic(name), **STRINGS, **more}


def sink(t, topic, **more):
    return {"connector.class": "FileStreamSink", "topics": topic, "file": str(t.directory / "out.txt"),
            **STRINGS, **more}


def values(t, topic):
    return [record.value for record in t.kafka.read(topic)]


def lines(t):
    path = t.directory / "out.txt"
    return path.read_text().splitlines() if path.exists() else []


def create_stopped(worker, name, config):
    worker.rest.ok("POST", "/connectors", {"name": name, "config": config, "initial_state": "STOPPED"})
    equal(worker.rest.states(name), ["STOPPED"])


def total(worker, name):
    _, text = worker.rest.call("GET", "/metrics")
    return int(re.search(rf"^kafka_connect_worker_metrics_{name} (\d+)$", text, re.M)[1])


def read_total(rest, name):
    _, text = rest.call("GET", "/metrics")
    line = re.search(rf'^kafka_connect_sink_task_metrics_sink_record_read_total{{connector="{name}",task="0"}} (\d+)$',
                     text, re.M)
    return int(line[1]) if line else 0


def test_sources_begin_where_their_offsets_say(t):  # 17
    worker = t.sluice()
    config = source(t, "ten", "".join(f"line {n}\n" for n in range(10)))
    create_stopped(worker, "c", config)
    equal(worker.rest.ok("GET", "/connectors/c/offsets"), {"offsets": []})
    offset = {"partition": {"filename": config["file"]}, "offset": {"position": 5 * len("line 0\n")}}
    worker.rest.ok("PATCH", "/connectors/c/offsets", {"offsets": [offset]})
    worker.rest.ok("PUT", "/connectors/c/resume")
    t.kafka.wait_count(config["topic"], 5)
    equal(values(t, config["topic"]), [f"line {n}" for n in range(5, 10)])
    equal(worker.stop(), 0, "exit code")


def test_sinks_begin_where_their_offsets_say(t):  # 18, 39
    topic = t.topic("ten")
    t.kafka.produce(topic, [(None, f"line {n}") for n in range(10)], partition=0)
    worker = t.sluice()
    name = t.unique("sink")  # a group of its own
    create_stopped(worker, name, sink(t, topic))
    offset = {"partition": {"kafka_topic": topic, "kafka_partition": 0}, "offset": {"kafka_offset": 5}}
    worker.rest.ok("PATCH", f"/connectors/{name}/offsets", {"offsets": [offset]})
    equal(worker.rest.ok("GET", f"/connectors/{name}/offsets"), {"offsets": [offset]})
    worker.rest.ok("PUT", f"/connectors/{name}/resume")
    wait_for("five lines", lambda: lines(t) == [f"line {n}" for n in range(5, 10)])
    worker.rest.ok("PUT", f"/connectors/{name}/stop")
    for _ in range(2):
        worker.rest.ok("DELETE", f"/connectors/{name}/offsets")
    equal(worker.rest.ok("GET", f"/connectors/{name}/offsets"), {"offsets": []})
    worker.rest.ok("PUT", f"/connectors/{name}/resume")
    wait_for("all lines again", lambda: lines(t)[5:] == [f"line {n}" for n in range(10)])
    equal(worker.stop(), 0, "exit code")


def test_a_task_that_fails_at_its_start(t):  # 21
    topic = t.topic("lines")
    t.kafka.produce(topic, [(None, "a line")], partition=0)
    worker = t.sluice()
    rest, name = worker.rest, t.unique("sink")
    config = sink(t, topic, file=str(t.directory / "missing" / "out.txt"))
    rest.create(name, config)
    assert "missing" in rest.wait_failed(name), rest.status(name)
    equal(rest.states(name), ["RUNNING", "FAILED"])
    rest.ok("PUT", f"/connectors/{name}/stop")
    equal(rest.states(name), ["STOPPED"])
    rest.create(name, sink(t, topic))  # a stopped connector that is put right stays stopped
    equal(rest.states(name), ["STOPPED"])
    rest.ok("PUT", f"/connectors/{name}/resume")
    rest.wait_running(name)
    wait_for("the line", lambda: lines(t) == ["a line"])
    equal(worker.stop(), 0, "exit code")


def test_another_converter_restarts_the_tasks(t):  # 28
    worker = t.sluice()
    config = source(t, "words", "a word\n",
                    **{"value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter"})
    worker.rest.create("c", config)
    assert "VALUE_CONVERTER" in worker.rest.wait_failed("c"), worker.rest.status("c")
    equal(worker.rest.ok("GET", "/connectors/c/offsets"), {"offsets": []})
    worker.rest.create("c", {**config, "value.converter": STRING})
    worker.rest.wait_running("c")
    t.kafka.wait_count(config["topic"], 1)
    wait_for("an offset", lambda: len(worker.rest.ok("GET", "/connectors/c/offsets")["offsets"]) == 1)
    equal(values(t, config["topic"]), ["a word"])
    equal(worker.stop(), 0, "exit code")


def test_a_variable_that_breaks_holds_up_no_other_config(t):  # 29
    secrets = t.directory / "s.properties"
    worker = t.sluice({"config.providers": "file", "config.providers.file.class":
                       "org.apache.kafka.common.config.provider.FileConfigProvider"})
    rest = worker.rest
    plain = source(t, "words", "a word\n")
    secrets.write_text(f"topic={plain['topic']}\n")
    rest.create("c", {**plain, "topic": f"${{file:{secrets}:topic}}"})
    rest.wait_running("c")
    t.kafka.wait_count(plain["topic"], 1)
    wait_for("an offset", lambda: rest.ok("GET", "/connectors/c/offsets")["offsets"])
    secrets.unlink()
    rest.ok("POST", "/connectors/c/tasks/0/restart")
    assert str(secrets) in rest.wait_failed("c"), rest.status("c")
    rest.create("c", plain)
    rest.wait_running("c")
    with open(t.directory / "words.txt", "a", encoding="utf-8") as out:
        out.write("another\n")
    t.kafka.wait_count(plain["topic"], 2)
    equal(values(t, plain["topic"]), ["a word", "another"])
    equal(worker.stop(), 0, "exit code")


def test_undeliverable_records_do_not_keep_a_connector(t):  # 31
    worker = t.sluice()
    rest = worker.rest
    nowhere = source(t, "nowhere", "a word\n",
                     **{"producer.override.bootstrap.servers": f"127.0.0.1:{free_port()}"})
    rest.create("nowhere", nowhere)
    wait_for("its trouble", lambda: "kafka brokers at" in rest.trace("nowhere"))
    rest.create("healthy", source(t, "healthy", "a word\n"))
    rest.wait_running("healthy")
    rest.ok("PUT", "/connectors/nowhere/stop")
    equal(rest.states("nowhere"), ["STOPPED"])
    rest.ok("PUT", "/connectors/nowhere/resume")
    wait_for("its trouble again", lambda: "kafka brokers at" in rest.trace("nowhere"))
    rest.delete("nowhere")
    equal(rest.call("GET", "/connectors/nowhere")[0], 404)
    assert "it is given up" not in worker.log_text(), "a task became a zombie"
    equal(rest.states("healthy"), ["RUNNING", "RUNNING"])
    equal(worker.stop(), 0, "exit code")


@seconds(180)
def test_offsets_wait_for_zombies(t):  # 40, 63
    worker = worker_with_blocker(t)
    rest, topic, name = worker.rest, t.topic("stuck"), t.unique("sink")
    t.kafka.produce(topic, [(None, "{}")], partition=0)
    rest.create(name, {"connector.class": "blocker-sink", "topics": topic, "block.in": "put", **STRINGS})
    rest.create("source", {"connector.class": "blocker", "block.in": "close"})
    rest.create("healthy", source(t, "healthy", "a word\n"))
    for each in name, "source", "healthy":
        rest.wait_running(each)
    wait_for("the sink to be stuck", lambda: read_total(rest, name) == 1)
    changes = {name: [{"partition": {"kafka_topic": topic, "kafka_partition": 0}, "offset": {"kafka_offset": 0}}],
               "source": [{"partition": {"filename": "x"}, "offset": {"position": 1}}]}
    stopping = [in_background(rest.ok, "PUT", f"/connectors/{each}/stop") for each in changes]
    rest.create("another", source(t, "another", "a word\n"))
    rest.wait_running("another")
    rest.ok("POST", "/connectors/healthy/restart?includeTasks=true")
    rest.wait_running("healthy")
    for thread in stopping:
        thread.join(GRACEFUL_MS / 1000 * 2 + 60)
        assert not thread.is_alive(), "stop blocks"
    for each, kind in (name, "sink"), ("source", "source"):
        equal(rest.states(each), ["STOPPED"])
        for method, body in ("PATCH", {"offsets": changes[each]}), ("DELETE", None):
            status, answer = rest.call(method, f"/connectors/{each}/offsets", body)
            equal(status, 500, f"{method} of {each}: {answer}")
            assert f"zombie {kind} task" in answer["message"], answer
        rest.delete(each)
    rest.delete("another")
    equal(worker.stop(), 1, "exit code when tasks stay")


@seconds(180)
def test_one_more_connector_touches_no_other(t):
    worker = t.sluice()
    rest, topic = worker.rest, t.topic("many")
    for n in range(100):
        rest.create(f"c{n}", {"connector.class": "FileStreamSource", "topic": topic,
                              "file": str(t.file(f"in{n}.txt", "")), **STRINGS})
    for n in range(100):
        rest.wait_running(f"c{n}")
    equal(total(worker, "task_startup_attempts_total"), 100, "starts")
    rest.create("more", source(t, "more", "a word\n", **{"tasks.max": "3"}))
    rest.wait_running("more")
    tasks = len(rest.status("more")["tasks"])
    rest.create("more", {**rest.ok("GET", "/connectors/more/config"), "batch.size": "7"})
    rest.wait_running("more")
    rest.delete("more")
    equal(total(worker, "task_startup_attempts_total"), 100 + 2 * tasks, "starts")
    listed = rest.ok("GET", "/connectors?expand=status")
    equal(sorted(listed), sorted(f"c{n}" for n in range(100)))
    equal({s["status"]["tasks"][0]["state"] for s in listed.values()}, {"RUNNING"})
    equal(worker.stop(), 0, "exit code")
