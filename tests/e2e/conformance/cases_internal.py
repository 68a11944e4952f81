"""What a cluster's internal topics hold (distributed workers only)."""
import json
import re

from conformance.context import case
from harness import wait_for


def records(c, kind, about):
    """{key: values in order} of the records of this topic that name one of these connectors; the
    settled form: what is still there after compaction. Keys that only sluice has are left out."""
    found = {}
    for record in c.target.kafka.read(f"{c.target.group}-{kind}"):
        if record.key.startswith("sluice-") or not any(name in record.key for name in about):
            continue
        found.setdefault(record.key, []).append(None if record.value is None else record.value)
    return found


def last(c, kind, *about):
    return {key: values[-1] for key, values in records(c, kind, about).items()}


def text(c, what, values):
    """As bytes: the JSON text counts, order of members included; but for numbers that change."""
    shown = {}
    for key, value in values.items():
        if value is not None:
            value = re.sub(r'"(generation|discoverTimestamp)":\d+', r'"\1":0', value)
            value = re.sub(r'"version":"[^"]*"', '"version":"V"', value)
        if value is not None and key.startswith("task-"):  # in the order of a Java hash table
            value = json.loads(value)
        shown[key] = value
    c.note(what, shown)


@case(only="distributed")
def topics_are_made(c):  # 48
    wire = c.target.kafka.wire
    group = c.target.group
    for kind in "configs", "offsets", "status":
        topics = wire.topics()
        c.note(f"partitions of {kind}", topics[f"{group}-{kind}"])


@case(only="distributed")
def records_of_a_life(c):  # 65
    name, config = c.connector("src"), c.source()
    c.create(name, config)
    c.until_states(name, "RUNNING", "RUNNING")
    c.until_values(config["topic"], ["one", "two", "three"])
    wait_for("an offset", lambda: last(c, "offsets", name), 30)
    wait_for("the topic's use", lambda: any("status-topic" in k for k in last(c, "status", name)), 30)
    text(c, "configs when running", last(c, "configs", name))
    text(c, "status when running", last(c, "status", name))
    text(c, "offsets when running", last(c, "offsets", name))
    c.silently("PUT", f"/connectors/{name}/pause")
    c.until_states(name, "PAUSED", "PAUSED")
    text(c, "configs when paused", last(c, "configs", name))
    text(c, "status when paused", last(c, "status", name))
    c.stopped(name)
    text(c, "configs when stopped", last(c, "configs", name))
    task = f"status-task-{name}-0"
    wait_for("the task's status to go", lambda: last(c, "status", name).get(task, 0) is None, 30)
    text(c, "status when stopped", last(c, "status", name))
    c.silently("PATCH", f"/connectors/{name}/offsets", {"offsets": [
        {"partition": {"filename": config["file"]}, "offset": {"position": 4}}]})
    text(c, "offsets when altered", last(c, "offsets", name))
    c.silently("DELETE", f"/connectors/{name}/offsets")
    text(c, "offsets when reset", last(c, "offsets", name))
    c.silently("PUT", f"/connectors/{name}/resume")
    c.until_states(name, "RUNNING", "RUNNING")
    text(c, "configs when resumed", last(c, "configs", name))
    c.silently("DELETE", f"/connectors/{name}")
    connector = f"status-connector-{name}"
    wait_for("the statuses to go", lambda: all(
        last(c, "status", name).get(k, 0) is None
        for k in (task, connector, f"status-topic-{config['topic']}:connector-{name}")), 30)
    text(c, "configs when deleted", last(c, "configs", name))
    text(c, "status when deleted", last(c, "status", name))


@case(only="distributed")
def records_of_an_initial_state(c):
    for state in "PAUSED", "STOPPED":
        name = c.connector(state.lower())
        c.create(name, c.source(state.lower()), initial_state=state)
        c.until_states(name, state)
        keys = [r.key for r in c.target.kafka.read(f"{c.target.group}-configs")
                if name in r.key and not r.key.startswith("sluice-")]
        c.note("the first two records", keys[:2])
        text(c, f"configs of one that is {state}", last(c, "configs", name))


@case(only="distributed")
def records_of_a_sink(c):  # 65
    name, config = c.connector("snk"), c.sink(topic=c.topic("in"))
    c.running(name, config | {"tasks.max": "2"}, tasks=2)
    text(c, "configs of a sink", last(c, "configs", name))
    c.silently("POST", f"/connectors/{name}/restart?includeTasks=true")
    c.until_states(name, "RUNNING", "RUNNING", "RUNNING")
    found = last(c, "configs", name)
    c.note("restart request", json.loads(found.get(f"restart-connector-{name}", "null")))


@case(only="distributed")
def records_of_the_cluster(c):
    def keys():
        return {r.key: r.value for r in c.target.kafka.read(f"{c.target.group}-configs")}

    wait_for("a session key", lambda: "session-key" in keys(), 60)
    key = json.loads(keys()["session-key"])
    import base64
    c.note("session-key", {**key, "key": len(base64.b64decode(key["key"]))})
    c.note("order of its members", list(key))
    c.silently("PUT", "/admin/loggers/conformance.some?scope=cluster", {"level": "warn"})
    wait_for("the level", lambda: "logger-cluster-conformance.some" in keys(), 30)
    c.note("logger-cluster", keys()["logger-cluster-conformance.some"])
