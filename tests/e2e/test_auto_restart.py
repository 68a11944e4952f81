"""auto.restart.*: FAILED tasks start again by themselves, where their connector asks for it."""
import re
import subprocess

from harness import BINARY, ROOT, equal, seconds, wait_for

STRING = "org.apache.kafka.connect.storage.StringConverter"


def failing(t, **more):
    """(worker, a source that fails while a file is there, this file). Every record of it fails then."""
    plugin, down = t.directory / "flaky.so", t.file("down", "")
    subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-std=c11", f"-I{ROOT}/include",
                    "-o", plugin, ROOT / "tests/e2e/flaky.c"], check=True)
    worker = t.sluice({"plugin.path": f"{plugin},{BINARY.parent}/plugins"})
    config = {"connector.class": "FileStreamSource", "topic": t.topic("records"),
              "file": str(t.file("in.txt", "one\ntwo\n")), "value.converter": STRING,
              "transforms": "f", "transforms.f.type": "org.example.Flaky",
              "transforms.f.down.file": str(down), "auto.restart.enabled": "true", **more}
    return worker, config, down


def total(worker, name):
    _, text = worker.rest.call("GET", "/metrics")
    return int(re.search(rf"^kafka_connect_worker_metrics_{name} (\d+)$", text, re.M)[1])


def trace_with(worker, name, piece, timeout=30):
    return wait_for(f"{piece!r} in the trace of {name}",
                    lambda: (trace := worker.rest.trace(name)) and piece in trace and trace, timeout)


def test_a_task_recovers_when_its_trouble_is_over(t):
    worker, config, down = failing(t, **{"auto.restart.initial.delay.ms": "100",
                                         "auto.restart.max.delay.ms": "400",
                                         "auto.restart.max.attempts": "-1"})
    rest = worker.rest
    healthy = t.topic("healthy")
    rest.create("healthy", {"connector.class": "FileStreamSource", "topic": healthy,
                            "file": str(t.file("healthy.txt", "")), "value.converter": STRING})
    rest.wait_running("healthy")
    rest.create("c", config)
    wait_for("some tries", lambda: total(worker, "task_auto_restarts_total") >= 3)
    trace = trace_with(worker, "c", "automatic restart ")
    assert re.search(r"the registry is away(.|\n)*\nautomatic restart \d+ at 20\d\d-\d\d-\d\dT", trace), trace
    equal(rest.states("c")[0], "RUNNING", "the connector itself")
    with open(t.directory / "healthy.txt", "a", encoding="utf-8") as out:
        out.write("meanwhile\n")
    t.kafka.wait_count(healthy, 1)
    down.unlink()
    t.kafka.wait_count(config["topic"], 2)
    wait_for("RUNNING", lambda: rest.states("c") == ["RUNNING", "RUNNING"])
    equal(rest.trace("c"), "", "trace")
    equal([r.value for r in t.kafka.read(config["topic"])], ["one", "two"], "records")
    equal(worker.stop(), 0, "exit code")


def test_attempts_have_an_end_and_users_begin_anew(t):
    worker, config, down = failing(t, **{"auto.restart.initial.delay.ms": "50",
                                         "auto.restart.max.delay.ms": "100",
                                         "auto.restart.max.attempts": "2"})
    rest = worker.rest
    rest.create("c", config)
    given_up = "\nnot restarted any more after 2 automatic restarts (auto.restart.max.attempts)"
    trace_with(worker, "c", given_up)
    equal(total(worker, "task_auto_restarts_total"), 2, "automatic restarts")
    equal(total(worker, "task_startup_attempts_total"), 3, "starts")
    rest.ok("POST", "/connectors/c/tasks/0/restart")
    wait_for("two more", lambda: total(worker, "task_auto_restarts_total") == 4)
    trace_with(worker, "c", given_up)
    down.unlink()
    rest.ok("POST", "/connectors/c/restart?includeTasks=true&onlyFailed=true")
    t.kafka.wait_count(config["topic"], 2)
    equal(total(worker, "task_startup_attempts_total"), 7, "starts")
    equal(worker.stop(), 0, "exit code")


@seconds(180)
def test_what_a_user_does_cancels_the_next_attempt(t):
    later = {"auto.restart.initial.delay.ms": "3600000", "auto.restart.max.delay.ms": "3600000"}
    worker, config, down = failing(t, **later)
    rest = worker.rest
    rest.create("c", config)
    trace_with(worker, "c", "\nautomatic restart 1 of 7 at 20")
    # Another config: the task starts at once, and of automatic restarts there is no word any more.
    rest.create("c", {**config, "auto.restart.enabled": "false"})
    trace = wait_for("FAILED for good", lambda: (trace := rest.trace("c")) and "automatic" not in trace and trace)
    assert "the registry is away" in trace, trace
    rest.create("c", config)
    trace_with(worker, "c", "\nautomatic restart 1 of 7 at 20")
    rest.ok("PUT", "/connectors/c/stop")
    equal(rest.states("c"), ["STOPPED"])
    rest.ok("PUT", "/connectors/c/resume")
    trace_with(worker, "c", "\nautomatic restart 1 of 7 at 20")
    down.unlink()
    rest.ok("POST", "/connectors/c/tasks/0/restart")
    t.kafka.wait_count(config["topic"], 2)
    wait_for("RUNNING", lambda: rest.states("c") == ["RUNNING", "RUNNING"])
    equal(total(worker, "task_auto_restarts_total"), 0, "automatic restarts")
    rest.delete("c")
    equal(worker.stop(), 0, "exit code")


def test_wrong_options_are_refused(t):
    worker = t.sluice()
    config = {"connector.class": "FileStreamSource", "topic": t.topic(), "file": "/nowhere"}
    for key, value, words in [("enabled", "maybe", "Expected value to be either true or false"),
                              ("max.attempts", "-2", "Value must be at least -1"),
                              ("initial.delay.ms", "0", "Value must be at least 1"),
                              ("max.delay.ms", "soon", "Not a number of type LONG"),
                              ("reset.after.ms", "-1", "Value must be at least 0")]:
        status, answer = worker.rest.call("PUT", "/connectors/c/config", {**config, f"auto.restart.{key}": value})
        equal(status, 400, key)
        assert f"Invalid value {value} for configuration auto.restart.{key}: {words}" in answer["message"], answer
