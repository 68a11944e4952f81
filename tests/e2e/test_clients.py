"""Clients that people drive Connect with, unchanged, from PyPI."""
import json
import pathlib
import subprocess

from harness import ROOT, equal, seconds, wait_for

STRING = "org.apache.kafka.connect.storage.StringConverter"
CODE = {"kafka-connect-py-1.0.0": ["-c", "from kafka_connect.cli import cli; cli()"],
        "kafkaconnect-1.3.1": ["-c", "from kafkaconnect.cli import main; main()"],
        "kafka-connect-cli-0.2.5": ["-m", "kafka_connect"]}


class Client:
    def __init__(self, name, worker, *options):
        script = ROOT / "scripts/services/connect_clients.sh"
        home = subprocess.run([script, "install"], check=True, capture_output=True, text=True).stdout.strip()
        self.command = [pathlib.Path(home) / name / "bin/python", *CODE[name], *options]
        self.rest = worker.rest

    def __call__(self, *args):
        """What it prints, parsed when it is JSON."""
        run = subprocess.run([*map(str, self.command), *args], capture_output=True, text=True, timeout=110)
        assert run.returncode == 0, f"{args}: {run.returncode}\n{run.stdout}{run.stderr}"
        try:
            return json.loads(run.stdout)
        except ValueError:
            return run.stdout

    def wait(self, name, *states):
        wait_for(f"{name} {states}", lambda: self.rest.states(name) == list(states), 30)


def config(t, word):
    return {"connector.class": "FileStreamSource", "topic": t.topic(word), "tasks.max": "1",
            "file": str(t.file(f"{word}.txt", "one\ntwo\n")), "key.converter": STRING, "value.converter": STRING}


@seconds(180)
def test_kafka_connect_py(t):
    (worker,) = t.cluster()
    kc = Client("kafka-connect-py-1.0.0", worker, "--url", worker.rest.url)
    given = config(t, "a")
    equal(kc("info")["kafka_cluster_id"], worker.rest.ok("GET", "/")["kafka_cluster_id"])
    made = kc("create", "-d", json.dumps({"name": "a", "config": given}))
    equal(made["name"], "a")
    kc.wait("a", "RUNNING", "RUNNING")
    equal(kc("list"), ["a"])
    equal(kc("list", "--state", "running"), ["a"])
    equal(kc("list", "--expand", "status")["a"]["status"]["connector"]["state"], "RUNNING")
    equal(kc("get", "a")["tasks"], [{"connector": "a", "task": 0}])
    equal(kc("config", "a"), {**given, "name": "a"})
    equal(kc("status", "a")["tasks"][0]["state"], "RUNNING")
    equal(kc("update", "a", "-d", json.dumps({**given, "batch.size": "7"}))["config"]["batch.size"], "7")
    kc.wait("a", "RUNNING", "RUNNING")
    kc("pause", "a")
    kc.wait("a", "PAUSED", "PAUSED")
    kc("resume", "--all")
    kc.wait("a", "RUNNING", "RUNNING")
    kc("restart", "a", "--include-tasks")
    kc.wait("a", "RUNNING", "RUNNING")
    equal([task["id"]["task"] for task in kc("list-tasks", "a")], [0])
    equal(kc("task-status", "a", "0")["id"], 0)
    kc("restart-task", "a", "0")
    kc.wait("a", "RUNNING", "RUNNING")
    wait_for("its topic", lambda: kc("list-topics", "a") == {"a": {"topics": [given["topic"]]}}, 30)
    kc("reset-topics", "a")
    assert "org.apache.kafka.connect.file.FileStreamSourceConnector" in \
        {plugin["class"] for plugin in kc("list-plugins")}
    kc("delete", "--all")
    equal(worker.rest.ok("GET", "/connectors"), [])


@seconds(180)
def test_kafkaconnect(t):
    (worker,) = t.cluster()
    client = Client("kafkaconnect-1.3.1", worker, "--connect", worker.rest.url)
    given = config(t, "b")
    path = t.file("b.json", given)
    equal(client("upload", "--dry-run", "--name", "b", str(path))["error_count"], 0)
    client("upload", "--name", "b", str(path))
    client.wait("b", "RUNNING", "RUNNING")
    equal(client("list"), ["b"])
    equal(client("info", "b")["config"], {**given, "name": "b"})
    equal(client("config", "b"), {**given, "name": "b"})
    equal(client("status", "b")["connector"]["state"], "RUNNING")
    equal(len(client("tasks", "b")), 1)
    wait_for("its topic", lambda: client("topics", "b") == {"b": {"topics": [given["topic"]]}}, 30)
    assert "source" in {plugin["type"] for plugin in client("plugins")}
    client("pause", "b")
    client.wait("b", "PAUSED", "PAUSED")
    client("resume", "b")
    client.wait("b", "RUNNING", "RUNNING")
    client("restart", "b")
    client.wait("b", "RUNNING", "RUNNING")
    client("delete", "b")
    equal(worker.rest.ok("GET", "/connectors"), [])


@seconds(180)
def test_kafka_connect_cli(t):
    (worker,) = t.cluster()
    client = Client("kafka-connect-cli-0.2.5", worker)
    url, given = ["--url", worker.rest.url], config(t, "c")
    made = ["--name", "c", "--configuration", json.dumps(given)]
    client("connector", "create", *url, *made)
    client.wait("c", "RUNNING", "RUNNING")
    client("connector", "create", *url, *made, "--if-not-exists")
    assert "c" in str(client("connector", "list", *url))
    client("health-check", *url)
    equal(client("connector", "get", *url, "--name", "c"),
          {"connector": "c", "state": "RUNNING", "failedTasks": []})
    assert given["topic"] in str(client("connector", "configuration", *url, "--name", "c"))
    client("connector", "update", *url, "--name", "c", "--configuration", json.dumps(given))
    client("connector", "pause", *url, "--name", "c")
    client.wait("c", "PAUSED", "PAUSED")
    client("connector", "resume", *url, "--name", "c")
    client.wait("c", "RUNNING", "RUNNING")
    client("connector", "restart", *url, "--name", "c")
    client("task", "list", *url, "--connector", "c")
    client("task", "restart", *url, "--connector", "c", "--task", "0")
    client.wait("c", "RUNNING", "RUNNING")
    client("connector", "delete", *url, "--name", "c")
    equal(worker.rest.ok("GET", "/connectors"), [])
