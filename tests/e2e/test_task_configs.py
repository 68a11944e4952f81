"""Task configs in the config topic that no worker of this cluster wrote: what was there before, and what
comes while connectors run."""
import json

from harness import equal, seconds, wait_for

STRING = "org.apache.kafka.connect.storage.StringConverter"


def config_of(into, **more):
    return {"name": "d", "connector.class": "datagen", "kafka.topic": into, "quickstart": "users",
            "max.interval": "100", "tasks.max": "1", "key.converter": STRING,
            "value.converter": STRING, **{k.replace("__", "."): v for k, v in more.items()}}


def write(t, worker, config, tasks, whole):
    """A set of tasks as Connect writes it; whole: the connector too."""

    def record(key, value):
        return key, json.dumps(value, separators=(",", ":"))

    records = [record("connector-d", {"properties": config})] if whole else []
    for i in range(tasks):
        records.append(record(f"task-d-{i}", {"properties": {**config, "task.class": "datagen"}}))
    records.append(record("commit-d", {"tasks": tasks}))
    t.kafka.produce(worker.worker["config.storage.topic"], records)


@seconds(180)
def test_what_another_worker_left_is_held_to_tasks_max(t):
    (worker,) = t.cluster(1, start=False)
    into = t.topic()
    t.kafka.create(worker.worker["config.storage.topic"], 1, cleanup_policy="compact")
    write(t, worker, config_of(into), 2, whole=True)
    worker.start()
    wait_for("one task", lambda: worker.rest.states("d") == ["RUNNING"] * 2, 60)
    equal(len(worker.rest.ok("GET", "/connectors/d/tasks")), 1, "tasks")
    t.kafka.wait_count(into, 1)
    equal(worker.stop(), 0, "exit code")


@seconds(180)
def test_more_than_tasks_max_fail(t):
    (worker,) = t.cluster()
    config = config_of(t.topic())
    worker.rest.create("d", config)
    worker.rest.wait_running("d")
    write(t, worker, config, 2, whole=False)
    wait_for("both tasks FAILED", lambda: worker.rest.states("d")[1:] == ["FAILED"] * 2, 60)
    text = worker.rest.trace("d")
    assert "has generated 2 tasks, which is greater than 1" in text, text
    assert "tasks.max.enforce=false" in text, text
    worker.rest.create("d", {**config, "tasks.max": "2"})
    wait_for("both RUNNING", lambda: worker.rest.states("d") == ["RUNNING"] * 3, 60)
    equal(worker.stop(), 0, "exit code")


@seconds(180)
def test_more_than_tasks_max_run_when_nobody_enforces_it(t):
    (worker,) = t.cluster()
    config = config_of(t.topic(), tasks__max__enforce="false")
    worker.rest.create("d", config)
    worker.rest.wait_running("d")
    write(t, worker, config, 3, whole=False)
    wait_for("all RUNNING", lambda: worker.rest.states("d") == ["RUNNING"] * 4, 60)
    assert "has generated 3 tasks" in worker.log_text() and "all run" in worker.log_text()
    equal(worker.stop(), 0, "exit code")
