"""Several workers with one state in Kafka: what one of them is told all of them know, and what one of
them ran goes on elsewhere."""
import json
import os
import signal
import subprocess
import threading
import time

from harness import BINARY, ROOT, equal, free_port, seconds, wait_for

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

    def nothing_failed():  # the states of the restart before may still be on their way
        status, plan = call("POST", "/connectors/in/restart?includeTasks=true&onlyFailed=true")
        return (status, plan["connector"]["state"], plan["tasks"][0]["state"]) == \
            (202, "RUNNING", "RUNNING")

    wait_for("nothing to restart", nothing_failed)
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


# ---- several workers ----


def test_any_worker_can_be_asked(t):
    workers = t.cluster(3)
    path = t.file("in.txt", "one\n")
    names = []
    for i, worker in enumerate(workers):
        topic = t.topic(f"topic{i}")
        status, answer = worker.rest.call("POST", "/connectors", {
            "name": f"in{i}", "config": source(path, topic)})
        equal((status, answer["name"]), (201, f"in{i}"))
        names.append(f"in{i}")
    for worker in workers:  # each reads the topics for itself
        wait_for("the same list", lambda: worker.rest.call("GET", "/connectors") == (200, names))
        for name in names:
            wait_states(worker.rest, name, ["RUNNING", "RUNNING"])
    wait_for("a task per worker", lambda: set((spread(workers[0].rest, names) or {}).values()) == {1})
    # what only the leader or the owner can do
    for i, worker in enumerate(workers):
        for path_of, wanted in (("PUT pause", 202), ("PUT resume", 202), ("POST restart", 204),
                                ("POST tasks/0/restart", 204), ("PUT stop", 204),
                                ("PUT resume", 202)):
            method, what = path_of.split()
            equal(worker.rest.call(method, f"/connectors/in{(i + 1) % 3}/{what}")[0], wanted,
                  path_of)
        equal(worker.rest.call("PATCH", "/connectors/in0/config", {f"note{i}": "x"})[0], 200)
    wait_for("all notes", lambda: notes(workers[0].rest, "in0") == {"note0", "note1", "note2"})
    for worker, name in zip(workers, reversed(names)):
        equal(worker.rest.call("DELETE", f"/connectors/{name}")[0], 204)
    for worker in workers:
        wait_for("nothing left", lambda: worker.rest.call("GET", "/connectors") == (200, []))
        equal(worker.stop(), 0, "exit code")


def notes(rest, name):
    return {key for key in rest.ok("GET", f"/connectors/{name}/config") if key.startswith("note")}


def test_concurrent_patches_are_all_kept(t):
    workers = t.cluster(2)
    workers[0].rest.create("in", source(t.file("in.txt", ""), t.topic()))
    results = []

    def patch(worker, key):
        for _ in range(40):
            status, answer = worker.rest.call("PATCH", "/connectors/in/config", {key: "x"})
            if status != 409:
                break
            time.sleep(0.25)
        results.append((status, answer))

    threads = [threading.Thread(target=patch, args=(workers[i % 2], f"note{i}")) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal({status for status, _ in results}, {200}, results)
    for worker in workers:  # who does not lead reads it a little later
        wait_for("all notes", lambda: notes(worker.rest, "in") == {f"note{i}" for i in range(8)})


@seconds(180)
def test_work_of_a_killed_worker_goes_to_the_others(t):
    workers = t.cluster(3, **GONE_MS)
    topic = t.topic(partitions=3)
    workers[0].rest.create("d", ticks(topic, 6))
    wait_for("two tasks each", lambda: spread(workers[0].rest, ["d"]) ==
             {worker_id(w): 2 for w in workers})
    first = leader(t, workers)
    victim = others(workers, first)[0]
    stays = {i for i in range(6) if owner(workers, "d", i) is not victim}
    kept = {i: owner(workers, "d", i) for i in stays}
    victim.kill9()
    rest = others(workers, victim)
    wait_for("three tasks each", lambda: spread(rest[0].rest, ["d"]) ==
             {worker_id(w): 3 for w in rest}, 60)
    equal({i: owner(rest, "d", i) for i in stays}, kept, "owners of the tasks that need not move")
    # the leader goes: another one takes over and everything can be asked of it
    first.kill9()
    (last,) = others(rest, first)
    wait_for("all tasks on the last worker", lambda: spread(last.rest, ["d"]) ==
             {worker_id(last): 6}, 60)
    last.rest.create("e", ticks(topic, 1))
    wait_states(last.rest, "e", ["RUNNING", "RUNNING"])
    # and they come back
    victim.start(wait=False)
    first.start()
    victim.wait_ready()
    wait_for("seven tasks, as even as can be",
             lambda: sorted((spread(last.rest, ["d", "e"]) or {}).values()) == [2, 2, 3], 60)
    for worker in workers:
        equal(worker.stop(), 0, "exit code")


@seconds(180)
def test_work_waits_for_a_worker_that_comes_back(t):
    workers = t.cluster(2, scheduled__rebalance__max__delay__ms=600000, **GONE_MS)
    topic = t.topic()
    workers[0].rest.create("d", ticks(topic, 4))
    wait_for("two tasks each", lambda: spread(workers[0].rest, ["d"]) ==
             {worker_id(w): 2 for w in workers})
    before = {i: owner(workers, "d", i) for i in range(4)}
    for how in ("stop", "kill9"):
        for worker in workers:
            getattr(worker, how)()
            worker.start()

            def back():
                equal({i: owner(workers, "d", i) for i in range(4)}, before, "owners")
                return spread(workers[0].rest, ["d"]) == {worker_id(w): 2 for w in workers}

            wait_for("every task where it was", back, 60)


def test_static_members_take_their_places_again(t):
    workers = t.cluster(2, start=False, scheduled__rebalance__max__delay__ms=600000,
                        session__timeout__ms=60000)  # nobody waits for that
    for i, worker in enumerate(workers):
        worker.worker["group.instance.id"] = f"worker{i}"
        worker.start(wait=False)
    for worker in workers:
        worker.wait_ready()
    topic = t.topic()
    workers[0].rest.create("d", ticks(topic, 4))
    wait_for("two tasks each", lambda: spread(workers[0].rest, ["d"]) ==
             {worker_id(w): 2 for w in workers})
    before = {i: owner(workers, "d", i) for i in range(4)}
    for how in ("stop", "kill9"):
        for worker in workers:
            getattr(worker, how)()
            running = worker.log_text().count("task is RUNNING")
            worker.start()
            wait_for("its tasks", lambda: worker.log_text().count("task is RUNNING") == running + 2
                     and spread(workers[0].rest, ["d"]) == {worker_id(w): 2 for w in workers}, 50)
            equal({i: owner(workers, "d", i) for i in range(4)}, before, "owners")


def test_a_third_worker_gets_its_share(t):
    workers = t.cluster(3, start=False)
    for worker in workers[:2]:
        worker.start(wait=False)
    for worker in workers[:2]:
        worker.wait_ready()
    topic = t.topic()
    for name in ("a", "b", "c"):
        workers[0].rest.create(name, ticks(topic, 3))
    names = ["a", "b", "c"]
    wait_for("four and five tasks",
             lambda: sorted((spread(workers[0].rest, names) or {}).values()) == [4, 5])
    workers[2].start()
    wait_for("three tasks each", lambda: spread(workers[0].rest, names) ==
             {worker_id(w): 3 for w in workers})
    equal(workers[2].stop(), 0, "exit code")
    wait_for("four and five tasks",
             lambda: sorted((spread(workers[0].rest, names) or {}).values()) == [4, 5])


@seconds(180)
def test_everything_survives_a_restart_of_all_workers(t):
    workers = t.cluster(3)
    path, topic = t.file("in.txt", "one\n"), t.topic()
    paused, stopped = t.topic("paused"), t.topic("stopped")
    workers[0].rest.create("in", source(path, topic))
    workers[1].rest.create("paused", ticks(paused, 2))
    workers[2].rest.create("stopped", ticks(stopped, 2))
    for name, tasks in (("in", 1), ("paused", 2), ("stopped", 2)):
        wait_states(workers[0].rest, name, ["RUNNING"] * (tasks + 1))
    t.kafka.wait_count(topic, 1)
    workers[0].rest.ok("PUT", "/connectors/paused/pause")
    workers[1].rest.ok("PUT", "/connectors/stopped/stop")
    wait_states(workers[0].rest, "paused", ["PAUSED"] * 3)
    wait_states(workers[0].rest, "stopped", ["STOPPED"])
    for worker in workers:
        equal(worker.stop(), 0, "exit code")
    counts = {name: t.kafka.count(name) for name in (paused, stopped)}
    append(path, ["two"])
    for worker in workers:
        worker.start(wait=False)
    for worker in workers:
        worker.wait_ready()
    wait_states(workers[0].rest, "in", ["RUNNING", "RUNNING"])
    wait_states(workers[0].rest, "paused", ["PAUSED"] * 3)
    wait_states(workers[0].rest, "stopped", ["STOPPED"])
    t.kafka.wait_count(topic, 2)
    equal(values(t, topic), ["one", "two"], "records")
    equal({name: t.kafka.count(name) for name in (paused, stopped)}, counts, "records")
    workers[2].rest.ok("PUT", "/connectors/paused/resume")
    workers[2].rest.ok("PUT", "/connectors/stopped/resume")
    for name in ("paused", "stopped"):
        wait_states(workers[0].rest, name, ["RUNNING"] * 3)


def test_two_clusters_on_one_broker(t):
    (a,), (b,) = t.cluster(), t.cluster()
    path, topic_a, topic_b = t.file("in.txt", "one\n"), t.topic("a"), t.topic("b")
    a.rest.create("in", source(path, topic_a))
    b.rest.create("in", source(path, topic_b))
    for worker, topic in ((a, topic_a), (b, topic_b)):
        worker.rest.wait_running("in")
        t.kafka.wait_count(topic, 1)
    a.rest.delete("in")
    equal(a.rest.call("GET", "/connectors"), (200, []))
    append(path, ["two"])
    t.kafka.wait_count(topic_b, 2)
    equal(b.rest.call("GET", "/connectors"), (200, ["in"]))
    equal((values(t, topic_a), values(t, topic_b)), (["one"], ["one", "two"]), "records")


def test_a_logger_level_of_the_whole_cluster(t):
    workers = t.cluster(2)
    equal(workers[0].rest.call("PUT", "/admin/loggers/sluice.herder?scope=cluster",
                               {"level": "DEBUG"})[0], 204)
    for worker in workers:
        wait_for("DEBUG", lambda: (worker.rest.call("GET", "/admin/loggers/sluice.herder")[1] or {})
                 .get("level") == "DEBUG")
    workers[0].stop()
    workers[0].start()
    level = workers[0].rest.call("GET", "/admin/loggers/sluice.herder")[1].get("level")
    assert level != "DEBUG", "a restart resets levels"


def test_topics_in_use_and_their_reset(t):
    workers = t.cluster(2)
    path, topic = t.file("in.txt", "one\n"), t.topic()
    workers[0].rest.create("in", source(path, topic))
    used = lambda w: w.rest.call("GET", "/connectors/in/topics") == (200, {"in": {"topics": [topic]}})
    for worker in workers:
        wait_for("the topic", lambda: used(worker))
    one = owner(workers, "in", 0)
    (other,) = others(workers, one)
    equal(other.rest.call("PUT", "/connectors/in/topics/reset")[0], 202)
    for worker in workers:
        wait_for("none", lambda: worker.rest.call("GET", "/connectors/in/topics") ==
                 (200, {"in": {"topics": []}}))

    def again():
        append(path, ["more"])
        return used(other)

    wait_for("the topic again", again)


def test_requests_between_workers_are_signed(t):
    workers = t.cluster(2)
    workers[0].rest.create("in", source(t.file("in.txt", ""), t.topic()))
    for worker in workers:
        for name in ("in", "unknown"):
            for method, path, body in (("POST", "tasks", []), ("PUT", "fence", None)):
                url = f"/connectors/{name}/{path}"
                equal(worker.rest.call(method, url, body),
                      (400, {"error_code": 400,
                             "message": "Internal request missing required signature"}), url)
                equal(worker.rest.call(method, url, body, {
                    "X-Connect-Authorization": "bm8=",
                    "X-Connect-Request-Signature-Algorithm": "HmacSHA256"})[0], 403, url)


@seconds(180)
def test_a_worker_that_hangs_does_nothing_when_it_wakes(t):
    workers = t.cluster(2, **GONE_MS)
    path, topic = t.file("in.txt", "one\n"), t.topic()
    workers[0].rest.create("in", source(path, topic))
    wait_states(workers[0].rest, "in", ["RUNNING", "RUNNING"])
    t.kafka.wait_count(topic, 1)
    one = owner(workers, "in", 0)
    (other,) = others(workers, one)
    wait_for("the offset's commit", lambda: [
        o["offset"]["position"] for o in one.rest.ok("GET", "/connectors/in/offsets")["offsets"]] == [len("one\n")])
    os.kill(one.process.pid, signal.SIGSTOP)
    try:
        wait_for("the task on the other worker", lambda: owner_is(other, "in", 0), 60)
        append(path, ["two"])
        t.kafka.wait_count(topic, 2)
    finally:
        os.kill(one.process.pid, signal.SIGCONT)
    wait_for("its membership anew", lambda: "was abandoned" in one.log_text(), 60)
    append(path, ["three"])
    t.kafka.wait_count(topic, 3)
    wait_for("it is healthy again", lambda: one.rest.call("GET", "/health")[0] == 200, 60)
    equal(values(t, topic), ["one", "two", "three"], "records")
    for worker in workers:
        equal(worker.stop(), 0, "exit code")


def owner_is(worker, name, task):
    body = worker.rest.call("GET", f"/connectors/{name}/status")[1]
    return body["tasks"] and body["tasks"][task]["worker_id"] == worker_id(worker) and \
        body["tasks"][task]["state"] == "RUNNING"


@seconds(120)
def test_a_worker_that_lacks_a_plugin_ends_the_former_task(t):
    """A new config names a plugin that one of two workers has not: there the former config's task does not go on, but
    the task is FAILED with the reason, until a config comes that it can run."""
    plugin = t.directory / "stamper.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-std=c11", f"-I{ROOT}/include",
                    "-o", plugin, ROOT / "tests/e2e/stamper.c"], check=True)
    has, lacks = workers = t.cluster(2, start=False)
    has.worker["plugin.path"] = f"{plugin},{BINARY.parent}/plugins"
    has.start()
    has_leader = lambda: has.rest.call("POST", "/connectors/nobody/restart")[0] == 404
    wait_for("a leader, who checks configs", has_leader)
    lacks.start()
    former, latter = t.topic("former"), t.topic("latter")
    has.rest.create("c", ticks(former, 2))
    both = {worker_id(w): 1 for w in workers}
    wait_for("a task in both workers", lambda: spread(has.rest, ["c"]) == both, 60)
    t.kafka.wait_count(former, 1)
    config = {"connector.class": "stamper", "topic": latter, "tasks.max": "2", **STRINGS}
    has.rest.ok("PUT", "/connectors/c/config", config)

    def where(worker):
        return next(task for task in has.rest.status("c")["tasks"] if task["worker_id"] == worker_id(worker))

    failed = wait_for("the task that cannot run", lambda: (task := where(lacks))["state"] == "FAILED" and task, 60)
    for piece in ("stamper", "add its plugin to plugin.path of this worker"):
        assert piece in failed["trace"], failed
    wait_for("the other one", lambda: where(has)["state"] == "RUNNING")
    t.kafka.wait_count(latter, 5)
    ids = {json.loads(value)["task"] for value in values(t, latter)}
    equal(ids, {where(has)["id"]}, "tasks that write")

    def still():
        before = t.kafka.count(former)
        time.sleep(1)
        return t.kafka.count(former) == before

    wait_for("the former tasks to write no more", still)
    count = t.kafka.count(former)
    has.rest.ok("PUT", "/connectors/c/config", ticks(former, 2))
    wait_states(has.rest, "c", ["RUNNING"] * 3, 60)
    t.kafka.wait_count(former, count + 5)
    for worker in workers:
        equal(worker.stop(), 0, "exit code")


# ---- bad input ----


def test_foreign_and_broken_records_are_skipped(t):
    (worker,) = t.cluster()
    path, topic = t.file("in.txt", "one\n"), t.topic()
    worker.rest.create("in", source(path, topic))
    t.kafka.wait_count(topic, 1)
    worker.stop()
    t.kafka.produce(config_topic(worker), [
        ("connector-bad", "{"), ("connector-worse", "[1,2]"), ("task-x", "{}"), ("", "x"),
        ("sluice-leader", "7"), ("sluice-assignment-in", '{"generation":"x"}'), ("what", "ever"),
        ("commit-in", '{"tasks":-1}'), ("target-state-in", '{"state":"DANCING"}')])
    t.kafka.produce(worker.worker["status.storage.topic"], [
        ("status-connector-in", "{"), ("status-task-in-x", "{}"), ("x", "y")])
    worker.start()
    append(path, ["two"])
    wait_states(worker.rest, "in", ["RUNNING", "RUNNING"])
    t.kafka.wait_count(topic, 2)
    equal(worker.rest.call("GET", "/connectors"), (200, ["in"]))
    equal(values(t, topic), ["one", "two"], "records")


def test_topics_that_do_not_fit_are_refused(t):
    for kind, partitions, policy in (("config", 1, "delete"), ("config", 2, "compact"),
                                     ("status", 2, "delete"), ("offset", 2, "compact,delete")):
        (worker,) = t.cluster(start=False)
        topic = worker.worker[f"{kind}.storage.topic"]
        t.kafka.create(topic, partitions, cleanup_policy=policy)
        worker.start(wait=False)
        equal(worker.wait_exit(), 2, "exit code")
        log = worker.log_text()
        assert topic in log and "level=error" in log, log


def test_properties_that_do_not_do_end_with_code_2(t):
    for missing in ("group.id", "config.storage.topic", "offset.storage.topic",
                    "status.storage.topic"):
        (worker,) = t.cluster(start=False)
        worker.worker[missing] = None
        worker.start(wait=False)
        equal(worker.wait_exit(), 2, "exit code")
        assert f'Missing required configuration \\"{missing}\\"' in worker.log_text(), \
            worker.log_text()


def test_brokers_that_cannot_be_reached_end_it_with_code_2(t):
    (worker,) = t.cluster(start=False, bootstrap__servers=f"127.0.0.1:{free_port()}",
                          default__api__timeout__ms=8000)
    worker.start(wait=False)

    def starting():
        status, body = worker.rest.call("GET", "/health")
        return status == 503 and body["status"] == "starting" and body

    body = wait_for("starting", starting)
    assert body["message"].startswith("Worker is still starting up."), body
    equal(worker.rest.call("GET", "/connectors")[0], 503)
    equal(worker.wait_exit(), 2, "exit code")
    assert "default.api.timeout.ms" in worker.log_text(), worker.log_text()
