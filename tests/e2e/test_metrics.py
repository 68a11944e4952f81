"""GET /metrics of a distributed worker: every name of Connect's, and numbers that what happened gives."""
import re

from harness import ROOT, equal, http, seconds, wait_for

STRING = "org.apache.kafka.connect.storage.StringConverter"
STRINGS = {"key.converter": STRING, "value.converter": STRING}


def golden_names():
    """As /metrics writes them."""
    names = set()
    for line in (ROOT / "tests/golden/rest/metrics.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        group, *attributes = line.split()
        group = re.sub("^connect-(worker|coordinator)", r"\1", group)
        names |= {f"kafka_connect_{group}_{a}".replace("-", "_") for a in attributes}
    return names


def metrics(worker):
    """{(name, connector or None): value}; a worker with one task for each connector."""
    status, text = http("GET", worker.rest.url + "/metrics")
    equal(status, 200)
    found = {}
    for name, labels, value in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text, re.M):
        connector = re.search('connector="([^"]*)"', labels)
        found[name, connector and connector[1]] = float(value)
    return found


@seconds(180)
def test_connects_names_and_numbers(t):
    (worker,) = t.cluster(exactly__once__source__support="enabled", offset__flush__interval__ms="200")
    topic, path = t.topic(), t.file("in.txt", "one\ntwo\n")
    transforms = {"transforms": "route", "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
                  "transforms.route.regex": "none", "transforms.route.replacement": "none",
                  "transforms.route.predicate": "gone", "predicates": "gone",
                  "predicates.gone.type": "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"}
    worker.rest.create("in", {"connector.class": "FileStreamSource", "file": str(path), "topic": topic,
                              **STRINGS, **transforms})
    worker.rest.create("out", {"connector.class": "FileStreamSink", "topics": topic,
                               "file": str(t.directory / "out.txt"), **STRINGS})

    def seen(name, connector=None):
        return metrics(worker).get((f"kafka_connect_{name}", connector), 0)

    wait_for("a commit of the sink", lambda: seen("sink_task_metrics_offset_commit_seq_no", "out") > 0, 60)
    wait_for("a transaction", lambda: seen("source_task_metrics_transaction_size_avg", "in") > 0, 60)

    def committed():  # one that is counted may be under way while /metrics is written
        now, commit = metrics(worker), "kafka_connect_connector_task_metrics_offset_commit"
        for name in ("in", "out"):
            parts = [now[f"{commit}_{part}_percentage", name] for part in ("success", "failure")]
            equal(parts, [1, 0], f"parts of {name}'s commits")
            mean, most = now[f"{commit}_avg_time_ms", name], now[f"{commit}_max_time_ms", name]
            assert 0 < mean <= most, (name, mean, most)
        return now

    found = wait_for("commits of both", committed, 60)
    missing = golden_names() - {name for name, _ in found}
    equal(sorted(missing), [], "names that /metrics has not")
    for kind, wanted in (("min", 2), ("max", 2), ("avg", 2)):
        equal(found[f"kafka_connect_source_task_metrics_transaction_size_{kind}", "in"], wanted, kind)
    equal(found["kafka_connect_sink_task_metrics_partition_count", "out"], 1, "partitions")
    equal(found["kafka_connect_sink_task_metrics_offset_commit_skip_total", "out"], 0, "skipped")
    for name, wanted in (("worker_metrics_task_startup_success_percentage", 1),
                         ("worker_metrics_connector_startup_failure_percentage", 0),
                         ("worker_rebalance_metrics_rebalancing", 0),
                         ("coordinator_metrics_assigned_connectors", 2),
                         ("coordinator_metrics_assigned_tasks", 2)):
        equal(found[f"kafka_connect_{name}", None], wanted, name)
    assert found["kafka_connect_worker_rebalance_metrics_completed_rebalances_total", None] >= 1
    assert found["kafka_connect_worker_rebalance_metrics_epoch", None] >= 1
    assert found["kafka_connect_worker_rebalance_metrics_time_since_last_rebalance_ms", None] >= 0
    text = http("GET", worker.rest.url + "/metrics")[1]
    assert f'leader_name="http://127.0.0.1:{worker.port}/"' in text, text
    task = 'connector="in",task="0"'
    for name, labels in (("connector_task_metrics_key_converter_class", f'{{{task},key_converter_class="{STRING}"}}'),
                         ("connector_task_metrics_task_class",
                          f'{{{task},task_class="org.apache.kafka.connect.file.FileStreamSourceTask"}}'),
                         ("connector_transform_metrics_transform_class",
                          f'{{{task},transform="route",transform_class="{transforms["transforms.route.type"]}"}}'),
                         ("connector_predicate_metrics_predicate_class",
                          f'{{{task},predicate="gone",predicate_class="{transforms["predicates.gone.type"]}"}}')):
        assert f"kafka_connect_{name}{labels} 1\n" in text, (name, text)
    worker.rest.delete("in")
    wait_for("its classes to go", lambda: task not in http("GET", worker.rest.url + "/metrics")[1])
    equal(worker.stop(), 0, "exit code")


def test_a_standalone_worker_has_no_group(t):
    worker = t.sluice()
    names = {name for name, _ in metrics(worker)}
    assert "kafka_connect_app_info_start_time_ms" in names, names
    equal([n for n in names if "rebalance" in n or "coordinator" in n], [], "names of a group")
    equal(worker.stop(), 0, "exit code")
