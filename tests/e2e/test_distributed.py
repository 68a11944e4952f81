"""Several workers with one state in Kafka: what one of them is told all of them know, and what one of
them ran goes on elsewhere."""
import json
import threading
import time

from harness import Sluice, equal, free_port, no_duplicates, seconds, wait_for

STRING = "org.apache.kafka.connect.storage.StringConverter"
STRINGS = {"key.converter": STRING, "value.converter": STRING}
GONE_MS = {"session__timeout__ms": "6000", "heartbeat__interval__ms": "1000"}  # the brokers' least


def source(path, topic, **more):
    return {"connector.class": "FileStreamSource", "file": str(path), "topic": topic, **STRINGS,
            **{k.replace("__", "."): str(v) for k, v in more.items()}}


def ticks(topic, tasks=1, **more):
    """A source of any number of tasks."""
    return {"connector.class": "datagen", "kafka.topic": topic, "quickstart": "users",
            "max.interval": "100", "tasks.max": str(tasks), **STRINGS,
            **{k.replace("__", "."): str(v) for k, v in more.items()}}


def append(path, words):
    with open(path, "a", encoding="utf-8") as out:
        out.writelines(f"{w}\n" for w in words)


def values(t, topic):
    return [r.value for r in t.kafka.read(topic)]


def worker_id(worker):
    return f"127.0.0.1:{worker.port}"


def owner(workers, name, task=None):
    """Who runs a connector's task, or has the connector itself, as its status says."""
    status = workers[0].rest.status(name)
    part = status["connector"] if task is None else status["tasks"][task]
    return next(w for w in workers if worker_id(w) == part["worker_id"])


def others(workers, one):
    return [w for w in workers if w is not one]


def config_topic(worker):
    return worker.worker["config.storage.topic"]


def leader(t, workers):
    """The worker that the config topic names as leader."""
    names = [json.loads(r.value)["member"] for r in t.kafka.read(config_topic(workers[0]))
             if r.key == "sluice-leader"]
    return next(w for w in workers if names[-1].startswith(f"http://{worker_id(w)}/"))


def spread(rest, names):
    """{worker_id: number of RUNNING tasks}; None while some task does not run."""
    counts = {}
    for name in names:
        for task in rest.status(name)["tasks"]:
            if task["state"] != "RUNNING":
                return None
            counts[task["worker_id"]] = counts.get(task["worker_id"], 0) + 1
    return counts


def wait_states(rest, name, wanted, timeout=30):
    def probe():
        status, body = rest.call("GET", f"/connectors/{name}/status")
        got = status == 200 and [body["connector"]["state"]] + [x["state"] for x in body["tasks"]]
        return got == wanted

    wait_for(f"{name} {wanted}", probe, timeout)


# ---- one worker ----


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
    equal(values(t, topic), ["one", "two", "three"], "records")
    # After a kill too: the new life waits until the old one counts as gone, then goes on.
    worker.kill9()
    append(path, ["four"])
    worker.start()
    t.kafka.wait_count(topic, 4)
    equal(set(values(t, topic)), {"one", "two", "three", "four"}, "records")
    equal(worker.stop(), 0, "exit code")


def test_a_life_of_a_connector(t):
    path, topic = t.file("in.txt", "one\n"), t.topic()
    (worker,) = t.cluster()
    call = worker.rest.call
    config = source(path, topic)
    # made paused, it has no tasks until it is resumed
    status, _ = call("POST", "/connectors", {"name": "in", "config": config,
                                             "initial_state": "PAUSED"})
    equal(status, 201)
    wait_states(worker.rest, "in", ["PAUSED"])
    equal(call("GET", "/connectors/in/tasks"), (200, []))
    equal(call("POST", "/connectors", {"name": "in", "config": config})[0], 409)
    equal(call("PUT", "/connectors/in/resume")[0], 202)
    wait_states(worker.rest, "in", ["RUNNING", "RUNNING"])
    t.kafka.wait_count(topic, 1)
    for _ in range(2):
        equal(call("PUT", "/connectors/in/pause")[0], 202)
        wait_states(worker.rest, "in", ["PAUSED", "PAUSED"])
    for _ in range(2):
        equal(call("PUT", "/connectors/in/stop")[0], 204)
        wait_states(worker.rest, "in", ["STOPPED"])
    equal(call("GET", "/connectors/in/tasks"), (200, []))
    equal(call("GET", "/connectors/in")[1]["tasks"], [])
    equal(call("PUT", "/connectors/in/pause")[0], 202)
    wait_states(worker.rest, "in", ["PAUSED"])
    equal(call("PUT", "/connectors/in/resume")[0], 202)
    wait_states(worker.rest, "in", ["RUNNING", "RUNNING"])
    # restarts
    equal(call("POST", "/connectors/in/restart")[0], 204)
    status, plan = call("POST", "/connectors/in/restart?includeTasks=true")
    equal((status, plan["connector"]["state"], plan["tasks"][0]["state"]),
          (202, "RESTARTING", "RESTARTING"))
    wait_states(worker.rest, "in", ["RUNNING", "RUNNING"])
    status, plan = call("POST", "/connectors/in/restart?includeTasks=true&onlyFailed=true")
    equal((status, plan["connector"]["state"], plan["tasks"][0]["state"]),
          (202, "RUNNING", "RUNNING"))
    equal(call("POST", "/connectors/in/tasks/0/restart")[0], 204)
    wait_states(worker.rest, "in", ["RUNNING", "RUNNING"])
    equal(call("POST", "/connectors/no/restart"), (404, {"error_code": 404,
                                                         "message": "Unknown connector: no"}))
    equal(call("POST", "/connectors/in/tasks/7/restart"),
          (404, {"error_code": 404, "message": "Unknown task: in-7"}))
    # another file
    other = t.file("other.txt", "two\n")
    equal(call("PATCH", "/connectors/in/config", {"file": str(other)})[0], 200)
    t.kafka.wait_count(topic, 2)
    wait_states(worker.rest, "in", ["RUNNING", "RUNNING"])
    # and the end
    equal(call("DELETE", "/connectors/in")[0], 204)
    equal(call("GET", "/connectors"), (200, []))
    equal(call("GET", "/connectors/in")[0], 404)
    equal(call("GET", "/connectors/in/status")[0], 404)
    equal(call("DELETE", "/connectors/in")[0], 404)
    append(other, ["three"])
    time.sleep(1)
    equal(values(t, topic), ["one", "two"], "records")
    # statuses are tombstoned
    def left():
        last = {}
        for r in t.kafka.read(worker.worker["status.storage.topic"]):
            last[r.key] = r.value
        return {k for k, v in last.items() if v}
    wait_for("no status left", lambda: not left())
    equal(worker.stop(), 0, "exit code")


def test_a_task_that_fails_is_restarted_on_request(t):
    (worker,) = t.cluster()
    bad = source("/nonexistent/file", t.topic(), producer__override__bootstrap__servers="127.0.0.1:1",
                 topic__creation__default__partitions=1,
                 topic__creation__default__replication__factor=9)
    path, topic = t.file("in.txt", "one\n"), t.unique("made")
    t.cleanup(lambda: t.kafka.wire.delete_topics([topic]))
    bad = source(path, topic, topic__creation__default__partitions=1,
                 topic__creation__default__replication__factor=9)
    worker.rest.create("in", bad)
    trace = worker.rest.wait_failed("in")
    assert "replication" in trace.lower(), trace
    wait_states(worker.rest, "in", ["RUNNING", "FAILED"])
    t.kafka.create(topic)
    status, plan = worker.rest.call("POST",
                                    "/connectors/in/restart?includeTasks=true&onlyFailed=true")
    equal((status, plan["connector"]["state"], plan["tasks"][0]["state"]),
          (202, "RUNNING", "RESTARTING"))
    wait_states(worker.rest, "in", ["RUNNING", "RUNNING"])
    t.kafka.wait_count(topic, 1)


def test_tasks_follow_tasks_max(t):
    (worker,) = t.cluster()
    topic = t.topic()
    for n in (1, 5, 3):
        worker.rest.create("d", ticks(topic, n))
        wait_states(worker.rest, "d", ["RUNNING"] * (n + 1))


def test_what_is_wrong_with_a_config_is_said(t):
    (worker,) = t.cluster()
    status, answer = worker.rest.call("POST", "/connectors", {"name": "x", "config": {
        "connector.class": "FileStreamSource"}})
    equal(status, 400, answer)
    assert "topic" in answer["message"], answer
    status, answer = worker.rest.call("PUT", "/connectors/x/config", {"name": "y"})
    equal(status, 400, answer)
    equal(worker.rest.call("GET", "/connectors"), (200, []))
