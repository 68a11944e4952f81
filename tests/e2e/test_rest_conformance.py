"""The REST contract as it was measured on Kafka Connect 4.1, against a standalone worker.

The comments name what is checked by its number in the list of conformance cases that was run on the
Java worker. Where sluice answers otherwise on purpose, docs/REST.md says so.
"""
import json
import re
import time
import urllib.parse

from harness import equal, raw_http, seconds, wait_for

VALIDATION = "Connector configuration is invalid and contains the following "


def call(worker, method, path, body=None, **query):
    """(status, headers, JSON or text)."""
    if query:
        path += "?" + urllib.parse.urlencode(query)
    data = None if body is None else json.dumps(body).encode()
    headers = {} if body is None else {"Content-Type": "application/json"}
    status, headers, text = raw_http(worker.port, method, path, data, headers)
    try:
        return status, headers, json.loads(text) if text else None
    except ValueError:
        return status, headers, text


def refused(worker, method, path, status, message, body=None, **query):
    """An error in Connect's form whose message has this piece."""
    got, _, answer = call(worker, method, path, body, **query)
    equal(got, status, f"status of {method} {path} ({answer})")
    equal(sorted(answer), ["error_code", "message"])
    equal(answer["error_code"], status)
    assert message in answer["message"], f"{method} {path}: {answer['message']!r} has no {message!r}"
    return answer["message"]


def done(worker, method, path, status, body=None, **query):
    got, headers, answer = call(worker, method, path, body, **query)
    equal(got, status, f"status of {method} {path} ({answer})")
    return answer if answer is not None else headers


def source(t, name, **more):
    """A file source with a line to read, and the topic it writes to."""
    path = t.file(f"{name}.txt", f"first line of {name}\n")
    topic = t.topic(name)
    return {"connector.class": "FileStreamSource", "file": str(path), "topic": topic,
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            "key.converter": "org.apache.kafka.connect.storage.StringConverter", **more}


def values(t, topic):
    return [record.value for record in t.kafka.read(topic)]


def test_root_health_plugins(t):
    worker = t.sluice()
    root = done(worker, "GET", "/", 200)  # 1
    equal(list(root), ["version", "commit", "kafka_cluster_id"])
    assert re.fullmatch(r"[A-Za-z0-9_-]{10,}", root["kafka_cluster_id"]), root
    equal(done(worker, "GET", "/health", 200), {  # 2
        "status": "healthy",
        "message": "Worker has completed startup and is ready to handle requests."})
    equal(done(worker, "GET", "/connectors", 200), [])  # 5
    plugins = done(worker, "GET", "/connector-plugins", 200)
    for plugin in plugins:
        equal(list(plugin), ["class", "type", "version"])
    classes = {p["class"] for p in plugins}
    assert classes >= {"org.apache.kafka.connect.file.FileStreamSourceConnector",
                       "org.apache.kafka.connect.file.FileStreamSinkConnector"}, classes
    equal({p["type"] for p in plugins}, {"sink", "source"})
    every = done(worker, "GET", "/connector-plugins", 200, connectorsOnly="false")
    assert "org.apache.kafka.connect.json.JsonConverter" in {p["class"] for p in every}
    kinds = ["sink", "source", "transformation", "predicate", "converter", "header_converter"]
    order = [kinds.index(p["type"]) for p in every]
    equal(order, sorted(order), "order of the kinds")
    refused(worker, "GET", "/connector-plugins/nope/config", 404, "Unknown plugin nope.")
    keys = [d["name"] for d in done(worker, "GET", "/connector-plugins/FileStreamSource/config", 200)]
    assert {"file", "topic", "batch.size"} <= set(keys), keys


def test_validate(t):
    worker = t.sluice()
    config = {**source(t, "src"), "name": "src", "tasks.max": "1"}
    path = "/connector-plugins/FileStreamSource/config/validate"
    infos = done(worker, "PUT", path, 200, config)  # 6
    equal(list(infos), ["name", "error_count", "groups", "configs"])
    equal((infos["name"], infos["error_count"]), ("FileStreamSource", 0), str(infos)[:2000])
    names = [c["value"]["name"] for c in infos["configs"]]
    equal(len(names), len(set(names)), "keys that are listed twice")
    wanted = {"name", "connector.class", "tasks.max", "tasks.max.enforce", "key.converter",
              "value.converter", "header.converter", "transforms", "predicates",
              "config.action.reload", "errors.retry.timeout", "errors.retry.delay.max.ms",
              "errors.tolerance", "errors.log.enable", "errors.log.include.messages",
              "topic.creation.groups", "exactly.once.support", "transaction.boundary",
              "transaction.boundary.interval.ms", "offsets.storage.topic", "file", "topic",
              "batch.size"}
    assert wanted <= set(names), wanted - set(names)
    for info in infos["configs"]:
        equal(list(info), ["definition", "value"])
        equal(list(info["value"]), ["name", "value", "recommended_values", "errors", "visible"])
        if info["definition"]:
            equal(list(info["definition"]),
                  ["name", "type", "required", "default_value", "importance", "documentation",
                   "group", "width", "display_name", "dependents", "order"])
    wrong = done(worker, "PUT", path, 200, {**config, "tasks.max": "0", "errors.tolerance": "some"})
    equal(wrong["error_count"], 2)
    errors = {c["value"]["name"]: c["value"]["errors"] for c in wrong["configs"]}
    assert "Invalid value 0 for configuration tasks.max: Value must be at least 1" in \
        errors["tasks.max"][0]
    assert "String must be one of" in errors["errors.tolerance"][0]
    sink = {"connector.class": "FileStreamSink", "name": "s", "file": "/tmp/x"}
    path = "/connector-plugins/FileStreamSink/config/validate"
    equal(done(worker, "PUT", path, 200, sink)["error_count"], 2)  # 44: neither topics nor regex
    both = {**sink, "topics": "a", "topics.regex": "a.*"}
    equal(done(worker, "PUT", path, 200, both)["error_count"], 2)
    dlq = {**sink, "topics": "a,d", "errors.deadletterqueue.topic.name": "d"}
    equal(done(worker, "PUT", path, 200, dlq)["error_count"], 1)
    refused(worker, "PUT", path, 400, "Included connector type FileStreamSource does not match "
            "request type FileStreamSink", config)
    refused(worker, "PUT", path, 500, "BadRequestException: Connector config {} contains no connector "
            "type", {})


def test_create_get_delete(t):
    worker = t.sluice()
    config = source(t, "src")
    status, headers, info = call(worker, "POST", "/connectors", {"name": "src", "config": config})
    equal(status, 201, str(info))  # 7
    equal(headers["Location"], f"http://127.0.0.1:{worker.port}/connectors/src")
    equal(headers["Content-Type"], "application/json")
    full = {**config, "name": "src"}
    equal(info, {"name": "src", "config": full, "tasks": [{"connector": "src", "task": 0}],
                 "type": "source"})
    refused(worker, "POST", "/connectors", 409, "Connector src already exists",
            {"name": "src", "config": config})
    equal(done(worker, "GET", "/connectors/src", 200), info)  # 8
    equal(done(worker, "GET", "/connectors/src/config", 200), full)
    tasks = done(worker, "GET", "/connectors/src/tasks", 200)  # 9
    equal(tasks, [{"id": {"connector": "src", "task": 0}, "config": {
        **full, "task.class": "org.apache.kafka.connect.file.FileStreamSourceTask"}}])
    worker.rest.wait_running("src")
    wait_for("the line in the topic", lambda: values(t, config["topic"]) == ["first line of src"])
    other = t.file("other.txt", "a line elsewhere\n")  # 10
    status, headers, _ = call(worker, "PUT", "/connectors/src/config", {**config, "file": str(other)})
    equal((status, headers["Location"]), (200, None))
    wait_for("the other file's line",
             lambda: values(t, config["topic"])[-1:] == ["a line elsewhere"])
    status, headers, _ = call(worker, "PUT", "/connectors/b%2Fc%20d/config", source(t, "b"))  # 11
    equal(status, 201)
    equal(headers["Location"], f"http://127.0.0.1:{worker.port}/connectors/b%2Fc%20d")
    equal(done(worker, "GET", "/connectors", 200), ["b/c d", "src"])
    equal(done(worker, "GET", "/connectors/b%2Fc%20d", 200)["name"], "b/c d")
    for name in "b%2Fc%20d", "src":  # 12
        done(worker, "DELETE", f"/connectors/{name}", 204)
    equal(done(worker, "GET", "/connectors", 200), [])
    refused(worker, "GET", "/connectors/src", 404, "Connector src not found")
    refused(worker, "GET", "/connectors/src/status", 404, "No status found for connector src")
    refused(worker, "DELETE", "/connectors/src", 404, "Connector src not found")


def test_names_and_bodies(t):
    worker = t.sluice()
    config = source(t, "src")
    answer = done(worker, "POST", "/connectors", 201, {"name": " src ", "config": config})  # 13
    equal(answer["name"], "src")
    blank = refused(worker, "POST", "/connectors", 400, VALIDATION, {"name": "  ", "config": config})
    assert "String may not be empty" in blank, blank
    control = refused(worker, "POST", "/connectors", 400, VALIDATION,
                      {"name": "a\u0001b", "config": config})
    assert "String may not contain control sequences but had the following ASCII chars: 1" in control
    refused(worker, "POST", "/connectors", 400,  # 14
            "Connector name configuration (y) doesn't match connector name in the URL (x)",
            {"name": "x", "config": {**config, "name": "y"}})
    refused(worker, "PUT", "/connectors/x/config", 400,
            "Connector name configuration (y) doesn't match connector name in the URL (x)",
            {**config, "name": "y"})
    json_type = {"Content-Type": "application/json"}
    for body, piece in [(b"{", "Unexpected character"), (b"[]", "Cannot deserialize value"),
                        (b'{"name":"a","conf":{}}', 'Unrecognized field "conf"'), (b"", ""),
                        (b'{"name":"a","config":{"k":{"deep":1}}}', "Cannot deserialize value"),
                        (b'{"name":"a","config":{},"initial_state":"UP"}', "Cannot construct")]:
        status, _, text = raw_http(worker.port, "POST", "/connectors", body, json_type)
        equal(status, 500, f"{body} {text}")
        assert piece in json.loads(text)["message"], text
    done(worker, "PUT", "/connectors/n/config", 201, {**source(t, "n"), "tasks.max": 1, "x": True})
    stored = done(worker, "GET", "/connectors/n/config", 200)
    equal((stored["tasks.max"], stored["x"]), ("1", "true"), "scalars become strings")
    refused(worker, "PUT", "/connectors/m/config", 400,
            "Null value can not be supplied as the configuration value.", {**config, "k": None})
    refused(worker, "POST", "/connectors", 400, "contains no connector type",
            {"name": "x", "config": {"file": "a"}})
    refused(worker, "POST", "/connectors", 400, "Failed to find any class that implements Connector "
            "and which name matches nope, available connectors are: ",
            {"name": "x", "config": {"connector.class": "nope"}})
    missing = refused(worker, "POST", "/connectors", 400, VALIDATION + "1 error(s):\n",
                      {"name": "x", "config": {"connector.class": "FileStreamSource"}})
    assert missing.endswith("\nYou can also find the above list of errors at the endpoint "
                            "`/connector-plugins/{connectorType}/config/validate`"), missing
    assert 'Missing required configuration "topic" which has no default value.' in missing


def test_expand(t):
    worker = t.sluice()
    for name in "a", "b":
        worker.rest.create(name, source(t, name))
        worker.rest.wait_running(name)
    both = done(worker, "GET", "/connectors?expand=status&expand=info", 200)  # 15
    equal(sorted(both), ["a", "b"])
    equal(sorted(both["a"]), ["info", "status"])
    equal(both["a"]["status"], worker.rest.status("a"))
    equal(both["a"]["info"], done(worker, "GET", "/connectors/a", 200))
    equal(sorted(done(worker, "GET", "/connectors?expand=info&expand=x", 200)["a"]), ["info"])
    equal(done(worker, "GET", "/connectors?expand=x", 200), {"a": {}, "b": {}})
    state = done(worker, "GET", "/connectors/a/tasks/0/status", 200)
    equal(list(state), ["id", "state", "worker_id", "version"])
    equal(state["worker_id"], f"127.0.0.1:{worker.port}")
    equal(list(worker.rest.status("a")), ["name", "connector", "tasks", "type"])


def test_states(t):
    worker = t.sluice()
    rest = worker.rest

    def states(name, *wanted):
        wait_for(f"{name} {wanted}", lambda: rest.states(name) == list(wanted))

    for initial in "PAUSED", "stopped":  # 16, 19
        name = initial.lower()
        done(worker, "POST", "/connectors", 201,
             {"name": name, "config": source(t, name), "initial_state": initial})
        states(name, initial.upper())
        equal(done(worker, "GET", f"/connectors/{name}/tasks", 200), [])
    done(worker, "PUT", "/connectors/paused/resume", 202)
    states("paused", "RUNNING", "RUNNING")
    for name in "paused", "stopped":
        done(worker, "DELETE", f"/connectors/{name}", 204)
        refused(worker, "GET", f"/connectors/{name}", 404, "not found")
    rest.create("c", source(t, "c"))  # 20
    states("c", "RUNNING", "RUNNING")
    for _ in range(2):
        done(worker, "PUT", "/connectors/c/stop", 204)
        states("c", "STOPPED")
        equal(done(worker, "GET", "/connectors/c", 200)["tasks"], [])
    done(worker, "PUT", "/connectors/c/resume", 202)
    states("c", "RUNNING", "RUNNING")
    for _ in range(2):
        done(worker, "PUT", "/connectors/c/pause", 202)
        states("c", "PAUSED", "PAUSED")
    done(worker, "PUT", "/connectors/c/stop", 204)
    done(worker, "PUT", "/connectors/c/pause", 202)
    states("c", "PAUSED")
    for _ in range(2):
        done(worker, "PUT", "/connectors/c/resume", 202)
        states("c", "RUNNING", "RUNNING")
    for verb in "pause", "resume", "stop":
        refused(worker, "PUT", f"/connectors/nobody/{verb}", 404, "Unknown connector nobody")


def test_paused_sources_move_nothing(t):
    worker = t.sluice()
    config = source(t, "c")
    worker.rest.create("c", config)
    wait_for("the first line", lambda: len(values(t, config["topic"])) == 1)
    done(worker, "PUT", "/connectors/c/pause", 202)
    wait_for("PAUSED", lambda: worker.rest.states("c") == ["PAUSED", "PAUSED"])
    with open(config["file"], "a") as f:
        f.write("second\n")
    time.sleep(3)
    equal(len(values(t, config["topic"])), 1, "records while paused")
    done(worker, "PUT", "/connectors/c/resume", 202)
    wait_for("the second line", lambda: values(t, config["topic"])[1:] == ["second"])


def test_patch_config(t):
    worker = t.sluice()
    config = source(t, "c", extra="gone soon")
    worker.rest.create("c", config)
    info = done(worker, "PATCH", "/connectors/c/config", 200,  # 22
                {"batch.size": 7, "extra": None, "added": "new"})
    wanted = {**config, "name": "c", "batch.size": "7", "added": "new"}
    del wanted["extra"]
    equal(info["config"], wanted)
    equal(done(worker, "GET", "/connectors/c/config", 200), wanted)
    refused(worker, "PATCH", "/connectors/c/config", 400, VALIDATION, {"batch.size": "x"})
    equal(done(worker, "GET", "/connectors/c/config", 200), wanted, "after a refused change")
    refused(worker, "PATCH", "/connectors/nobody/config", 404, "Connector nobody not found", {})


def test_number_of_tasks(t):
    worker = t.sluice()
    topic = t.topic("in", partitions=5)
    config = {"connector.class": "FileStreamSink", "topics": topic,
              "file": str(t.directory / "out.txt")}
    for n in 1, 5, 3:  # 23
        worker.rest.create("sink", {**config, "tasks.max": n})
        wait_for(f"{n} tasks", lambda: worker.rest.states("sink") == ["RUNNING"] * (n + 1), 60)
        ids = [task["id"] for task in worker.rest.status("sink")["tasks"]]
        equal(ids, list(range(n)))
        equal(len(done(worker, "GET", "/connectors/sink/tasks", 200)), n)


def test_failed_tasks_and_restart(t):
    worker = t.sluice()
    rest = worker.rest
    blocked = t.directory / "not-yet"
    config = {"connector.class": "FileStreamSink", "topics": t.topic("in"),
              "file": str(blocked / "out.txt")}
    rest.create("sink", config)  # 24: the directory is missing
    trace = rest.wait_failed("sink")
    assert str(blocked) in trace, trace
    equal(rest.states("sink"), ["RUNNING", "FAILED"])
    blocked.mkdir()
    done(worker, "POST", "/connectors/sink/tasks/0/restart", 204)
    wait_for("RUNNING", lambda: rest.states("sink") == ["RUNNING", "RUNNING"])
    assert "trace" not in rest.status("sink")["tasks"][0], rest.status("sink")
    refused(worker, "POST", "/connectors/sink/tasks/7/restart", 404, "sink-7")
    equal(len(rest.status("sink")["tasks"]), 1, "tasks after restarting one that is not there")


def test_restart_matrix(t):
    worker = t.sluice()
    rest = worker.rest
    rest.create("c", source(t, "c"))
    rest.wait_running("c")
    flags = [(a, b) for a in ("false", "true") for b in ("false", "true")]
    for include, failed in flags:  # 32
        refused(worker, "POST", "/connectors/nobody/restart", 404, "Unknown connector: nobody",
                includeTasks=include, onlyFailed=failed)

    def plan(include, failed):
        answer = done(worker, "POST", "/connectors/c/restart", 202, includeTasks=include,
                      onlyFailed=failed)
        wait_for("RUNNING again", lambda: rest.states("c") == ["RUNNING", "RUNNING"])
        return [answer["connector"]["state"], answer["tasks"][0]["state"]]

    status, _, body = call(worker, "POST", "/connectors/c/restart")
    equal((status, body), (204, None))
    equal(plan("true", "false"), ["RESTARTING", "RESTARTING"])
    equal(plan("false", "true"), ["RUNNING", "RUNNING"])
    equal(plan("true", "true"), ["RUNNING", "RUNNING"])


def test_only_what_failed_is_restarted(t):
    worker = t.sluice()
    rest = worker.rest
    place = t.directory / "place"
    rest.create("c", {"connector.class": "FileStreamSink", "topics": t.topic("in"),
                      "file": str(place / "out.txt")})
    rest.wait_failed("c")
    place.mkdir()
    answer = done(worker, "POST", "/connectors/c/restart", 202, includeTasks="true",
                  onlyFailed="true")
    equal(answer["connector"]["state"], "RUNNING")
    equal(answer["tasks"][0]["state"], "RESTARTING")
    wait_for("RUNNING", lambda: rest.states("c") == ["RUNNING", "RUNNING"])


def test_aliases(t):
    worker = t.sluice()
    for n, name in enumerate(["FileStreamSource", "FileStreamSourceConnector",  # 30
                              "org.apache.kafka.connect.file.FileStreamSourceConnector"]):
        config = source(t, f"c{n}")
        worker.rest.create(f"c{n}", {**config, "connector.class": name,
                                     "value.converter": "StringConverter", "key.converter": "String"})
        worker.rest.wait_running(f"c{n}")
        wait_for("a record", lambda: values(t, config["topic"]) == [f"first line of c{n}"])


def test_offsets(t):
    worker = t.sluice()
    for method in "GET", "DELETE":  # 34
        refused(worker, method, "/connectors/nobody/offsets", 404, "Connector nobody not found")
    change = {"offsets": [{"partition": {"filename": "x"}, "offset": {"position": 1}}]}
    refused(worker, "PATCH", "/connectors/nobody/offsets", 404, "Connector nobody not found", change)
    config = source(t, "c")
    worker.rest.create("c", config)
    wait_for("an offset", lambda: done(worker, "GET", "/connectors/c/offsets", 200)["offsets"])
    length = len("first line of c\n")
    key = {"filename": config["file"]}
    equal(done(worker, "GET", "/connectors/c/offsets", 200),
          {"offsets": [{"partition": key, "offset": {"position": length}}]})
    not_stopped = ("Connectors must be in the STOPPED state before their offsets can be modified. "
                   "This can be done for the specified connector by issuing a 'PUT' request to the "
                   "'/connectors/c/stop' endpoint")
    refused(worker, "PATCH", "/connectors/c/offsets", 400, not_stopped, change)
    refused(worker, "DELETE", "/connectors/c/offsets", 400, not_stopped)
    done(worker, "PUT", "/connectors/c/pause", 202)
    refused(worker, "DELETE", "/connectors/c/offsets", 400, not_stopped)
    for body in {}, {"offsets": []}:  # 38
        refused(worker, "PATCH", "/connectors/c/offsets", 400, "Partitions / offsets need to be "
                "provided for an alter offsets request", body)
    for body, piece in ([], "Cannot deserialize value"), ({"key": []}, "Unrecognized field"), \
            ({"offsets": {}}, "Cannot deserialize value"), \
            ({"offsets": [123]}, "Cannot construct instance"):
        refused(worker, "PATCH", "/connectors/c/offsets", 500, piece, body)
    done(worker, "PUT", "/connectors/c/stop", 204)
    back = {"offsets": [{"partition": key, "offset": {"position": 6}}]}
    answer = done(worker, "PATCH", "/connectors/c/offsets", 200, back)
    assert "altered successfully" in answer["message"], answer
    equal(done(worker, "GET", "/connectors/c/offsets", 200), back)
    done(worker, "PUT", "/connectors/c/resume", 202)
    wait_for("the line from there on", lambda: values(t, config["topic"])[1:] == ["line of c"])
    done(worker, "PUT", "/connectors/c/stop", 204)
    for _ in range(2):  # 39
        assert "reset successfully" in done(worker, "DELETE", "/connectors/c/offsets", 200)["message"]
    equal(done(worker, "GET", "/connectors/c/offsets", 200), {"offsets": []})
    done(worker, "PUT", "/connectors/c/resume", 202)
    wait_for("all of it again", lambda: values(t, config["topic"])[2:] == ["first line of c"])


def test_loggers(t):
    worker = t.sluice()
    before = done(worker, "GET", "/admin/loggers", 200)  # 51
    equal(before["root"], {"level": "INFO", "last_modified": None})
    equal(list(before), sorted(before))
    refused(worker, "GET", "/admin/loggers/nope", 404, "Logger nope not found.")
    affected = done(worker, "PUT", "/admin/loggers/org.apache", 200, {"level": "DEBUG"})
    equal(affected, ["org.apache"] + [name for name in before if name.startswith("org.apache.")])
    first = done(worker, "GET", "/admin/loggers/org.apache", 200)
    equal(first["level"], "DEBUG")
    assert abs(first["last_modified"] - time.time() * 1000) < 60_000, first
    done(worker, "PUT", "/admin/loggers/org.apache", 200, {"level": "debug"})
    equal(done(worker, "GET", "/admin/loggers/org.apache", 200), first, "after the same level")
    done(worker, "PUT", "/admin/loggers/root", 204, {"level": "INFO"}, scope="cluster")
    refused(worker, "PUT", "/admin/loggers/root", 400,
            "Desired 'level' parameter was not specified in request.", {})
    refused(worker, "PUT", "/admin/loggers/root", 404, "invalid log level 'zz'.", {"level": "zz"})
    worker.stop()
    worker.start()
    equal(done(worker, "GET", "/admin/loggers", 200), before, "after a restart")


def test_http(t):
    worker = t.sluice()
    status, headers, text = raw_http(worker.port, "GET", "/nope")  # 67
    equal((status, headers["Content-Type"]), (404, None))
    equal(json.loads(text), {"error_code": 404, "message": "HTTP 404 Not Found"})
    status, headers, text = raw_http(worker.port, "DELETE", "/connectors")
    equal((status, headers["Content-Type"]), (405, None))
    equal(json.loads(text)["message"], "HTTP 405 Method Not Allowed")
    status, headers, text = raw_http(worker.port, "GET", "/connectors", headers={"Accept": "text/html"})
    equal((status, headers["Content-Type"]), (406, None))
    equal(json.loads(text)["message"], "HTTP 406 Not Acceptable")
    status, headers, text = raw_http(worker.port, "POST", "/connectors", b"x", {"Content-Type": "text/plain"})
    equal((status, headers["Content-Type"]), (415, None))
    equal(json.loads(text)["message"], "HTTP 415 Unsupported Media Type")
    status, headers, text = raw_http(worker.port, "HEAD", "/connectors")
    equal((status, text), (200, ""))
    status, headers, text = raw_http(worker.port, "OPTIONS", "/connectors")
    equal((status, headers["Content-Type"]), (200, "text/plain"))
    equal(sorted(headers["Allow"].replace(" ", "").split(",")), ["GET", "HEAD", "OPTIONS", "POST"])
    equal(raw_http(worker.port, "GET", "/connectors/")[2], "[]")
    status, _, text = raw_http(worker.port, "POST", "/connectors", b" " * (2 << 20),
                          {"Content-Type": "application/json"})
    equal(status, 413, text)
    refused(worker, "GET", "/connectors/c/tasks/x/status", 404, "HTTP 404 Not Found")
    refused(worker, "GET", "/connectors/c/tasks/0/status", 404, "No status found for task c-0")


def test_metrics(t):
    worker = t.sluice()
    config = source(t, "c")
    worker.rest.create("c", config)
    line = 'kafka_connect_source_task_metrics_source_record_write_total{connector="c",task="0"} 1'

    def metrics():
        return raw_http(worker.port, "GET", "/metrics")[2].splitlines()

    wait_for("the record to be counted", lambda: line in metrics())
    for text in metrics():
        assert re.fullmatch(r'#.*|[a-z_]+(\{([a-z_]+="[^"]*",?)+\})? [0-9.]+(e[-+]\d+)?', text), text
    assert any(x.startswith('kafka_connect_connector_task_metrics_status{connector="c",task="0",'
                            'status="RUNNING"') for x in metrics())


def test_bad_worker_properties(t):
    worker = t.sluice({"value.converter": None}, start=False)  # 68
    worker.start(wait=False)
    equal(worker.wait_exit(), 2)
    assert 'Missing required configuration' in worker.log_text(), worker.log_text()
    assert "value.converter" in worker.log_text()
    worker = t.sluice({"offset.storage.file.filename": None}, start=False)
    worker.start(wait=False)
    equal(worker.wait_exit(), 2)
    assert "offset.storage.file.filename" in worker.log_text()
    worker = t.sluice({"listeners": "ftp://x:1"}, start=False)
    worker.start(wait=False)
    equal(worker.wait_exit(), 2)
    assert "ftp://x:1" in worker.log_text()


def test_bad_connector_of_the_command_line(t):
    worker = t.sluice(connectors={"c": {"connector.class": "FileStreamSource"}}, start=False)
    worker.start(wait=False)
    equal(worker.wait_exit(), 3)
    assert 'Missing required configuration \\"topic\\"' in worker.log_text(), worker.log_text()


@seconds(60)
def test_command_line_and_stop(t):
    config = source(t, "c")
    worker = t.sluice(connectors={"c": config})
    worker.rest.wait_running("c")
    wait_for("the line", lambda: len(values(t, config["topic"])) == 1)
    equal(worker.stop(), 0)
    with open(config["file"], "a") as f:
        f.write("after the restart\n")
    worker.start()
    wait_for("only the new line", lambda: values(t, config["topic"])[1:] == ["after the restart"])
    equal(worker.stop(), 0)


def test_secrets_stay_hidden(t):
    worker = t.sluice()
    config = {**source(t, "c"), "producer.override.sasl.jaas.config": "x password=\"geheim\";"}
    path = "/connector-plugins/FileStreamSource/config/validate"
    infos = done(worker, "PUT", path, 200, {**config, "name": "c", "tasks.max": "none"})
    assert "geheim" not in json.dumps(infos)
    call(worker, "PUT", "/connectors/c/config", {**config, "tasks.max": "none"})
    call(worker, "POST", "/connectors", {"name": "x", "config": {"a.password": "geheim"}})
    assert "geheim" not in worker.log_text(), worker.log_text()
