"""Connectors over REST: made, looked at, changed, deleted; names and bodies; states."""
from conformance.context import case
from harness import wait_for

INVALID = "Connector configuration is invalid and contains the following "


@case()
def root_and_health(c):  # 1, 2, 5
    c.call("GET", "/")
    c.call("GET", "/health")
    c.call("GET", "/connectors")
    c.call("GET", "/connectors/")


@case()
def create_look_delete(c):  # 7, 8, 9, 12
    name, config = c.connector("src"), c.source()
    c.create(name, config)
    c.call("POST", "/connectors", {"name": name, "config": config})
    c.until_states(name, "RUNNING", "RUNNING")
    c.call("GET", "/connectors", keep=lambda names: [n for n in names if n == name])
    c.call("GET", f"/connectors/{name}")
    c.call("GET", f"/connectors/{name}/config")
    c.call("GET", f"/connectors/{name}/tasks")
    c.call("GET", f"/connectors/{name}/tasks/0/status")
    c.call("GET", f"/connectors/{name}/tasks/1/status")
    c.until_values(config["topic"], ["one", "two", "three"])
    c.call("DELETE", f"/connectors/{name}")
    c.call("GET", f"/connectors/{name}")
    c.call("GET", f"/connectors/{name}/config")
    c.call("GET", f"/connectors/{name}/tasks")
    c.until("GET", f"/connectors/{name}/status", lambda body: "error_code" in body)
    c.call("DELETE", f"/connectors/{name}")


@case()
def put_config(c):  # 10, 11
    name, config = c.connector("src"), c.source()
    c.call("PUT", f"/connectors/{name}/config", config, drop=["tasks"])
    c.until_values(config["topic"], ["one", "two", "three"])
    config["file"] = c.file("other.txt", "elsewhere\n")
    c.call("PUT", f"/connectors/{name}/config", config, drop=["tasks"])
    c.until_values(config["topic"], ["one", "two", "three", "elsewhere"])
    c.call("GET", f"/connectors/{name}/config")
    c.call("PUT", f"/connectors/{name}/config", {**config, "name": "another"})


@case()
def names(c):  # 13, 14
    config = c.source()
    trimmed = c.connector("trimmed")
    c.call("POST", "/connectors", {"name": f"  {trimmed} ", "config": config}, drop=["tasks"])
    c.until_states(trimmed, "RUNNING", "RUNNING")
    for name in "  ", "", "a\u0001b":
        c.call("POST", "/connectors", {"name": name, "config": config}, says=INVALID + "1 error(s):\n")
    c.call("POST", "/connectors", {"name": "x", "config": {**config, "name": "y"}})
    c.call("PUT", "/connectors/x/config", {**config, "name": "y"})
    named = c.connector("named")
    c.call("POST", "/connectors", {"name": named, "config": {**config, "name": named}}, drop=["tasks"])


@case()
def wrong_bodies(c):
    json_type = "application/json"
    for body, piece in [(b"{", "Unexpected"), (b"[]", "Cannot deserialize value"),
                        (b'{"name":"a","conf":{}}', 'Unrecognized field "conf"'),
                        (b'{"name":"a","config":{"k":{"deep":1}}}', "Cannot deserialize value"),
                        (b'{"name":"a","config":[]}', "Cannot deserialize value"),
                        (b'{"name":"a","config":{},"initial_state":"UP"}', "Cannot construct")]:
        c.call("POST", "/connectors", body, says=piece)
    for body, piece in [(b"x", "Unrecognized token"), (b"[]", "Cannot deserialize value"),
                        (b'{"k":[1]}', "Cannot deserialize value")]:
        c.call("PUT", "/connectors/a/config", body, says=piece)
        c.call("PATCH", "/connectors/a/config", body, says=piece)
    status, headers, _ = c.raw("POST", "/connectors", b"", {"Content-Type": json_type})
    c.note("an empty body", [status, headers["Content-Type"]])


@case()
def scalars_and_nulls(c):
    name, config = c.connector("n"), c.source()
    c.call("PUT", f"/connectors/{name}/config", {**config, "tasks.max": 1, "x": True, "y": 1.5},
           drop=["tasks"])
    c.call("GET", f"/connectors/{name}/config")
    c.call("PUT", f"/connectors/{name}/config", {**config, "k": None},
           says="Null value can not be supplied as the configuration value.")


@case()
def refused_configs(c):
    config = c.source()
    post = lambda config, says: c.call("POST", "/connectors", {"name": "x", "config": config}, says=says)
    post({"file": "a"}, "contains no connector type")
    post({"connector.class": "nope"}, "Failed to find any class that implements Connector and which name "
         "matches nope, available connectors are: ")
    post({"connector.class": "FileStreamSource"}, INVALID + "1 error(s):\nMissing required configuration "
         "\"topic\" which has no default value.")
    post({**config, "tasks.max": "0"}, INVALID + "1 error(s):\nInvalid value 0 for configuration "
         "tasks.max: Value must be at least 1")
    post({**config, "tasks.max": "many"}, INVALID + "1 error(s):\nInvalid value many for configuration "
         "tasks.max: Not a number of type INT")
    post({**config, "errors.tolerance": "some"}, INVALID + "1 error(s):\nInvalid value some for "
         "configuration errors.tolerance: String must be one of")
    post({**config, "errors.log.enable": "maybe"}, INVALID + "1 error(s):\nInvalid value maybe for "
         "configuration errors.log.enable: Expected value to be either true or false")
    post({**config, "value.converter": "Nope"}, "Class Nope could not be found.")
    post({"connector.class": "FileStreamSink"}, "Must configure one of topics or topics.regex")
    post({"connector.class": "FileStreamSink", "topics": "a", "topics.regex": "b"},
         "topics and topics.regex are mutually exclusive options, but both are set.")


@case()
def patch_config(c):  # 22
    name, config = c.connector(), c.source(extra="gone soon")
    c.running(name, config)
    c.call("PATCH", f"/connectors/{name}/config", {"batch.size": 7, "extra": None, "added": "new"},
           drop=["tasks"])
    c.call("GET", f"/connectors/{name}/config")
    c.call("PATCH", f"/connectors/{name}/config", {"batch.size": "x"}, says=INVALID)
    c.call("PATCH", f"/connectors/{name}/config", {}, drop=["tasks"])
    c.call("GET", f"/connectors/{name}/config")
    c.call("PATCH", "/connectors/nobody/config", {})


@case()
def expand(c):  # 15
    names = [c.connector("a"), c.connector("b")]
    for name in names:
        c.running(name, c.source(name[0]))
    mine = lambda all: {n: all[n] for n in names} if isinstance(all, dict) else [n for n in all if n in names]
    for query in "?expand=status", "?expand=info", "?expand=status&expand=info", "?expand=x&expand=info", "?expand=x":
        c.call("GET", f"/connectors{query}", keep=mine)


@case()
def initial_states(c):  # 16, 19
    for initial, state in ("PAUSED", "PAUSED"), ("stopped", "STOPPED"), ("Running", "RUNNING"):
        name = c.connector(initial.lower())
        config = c.source(initial.lower())
        c.create(name, config, initial_state=initial)
        c.until_states(name, *([state, state] if state == "RUNNING" else [state]))
        c.until("GET", f"/connectors/{name}/tasks", lambda tasks: bool(tasks) == (state == "RUNNING"))
        if state != "RUNNING":
            c.call("PUT", f"/connectors/{name}/resume")
            c.until_states(name, "RUNNING", "RUNNING")
        c.until_values(config["topic"], ["one", "two", "three"])
        c.call("DELETE", f"/connectors/{name}")
    name = c.connector("never")
    c.create(name, c.source("never"), initial_state="STOPPED")
    c.until_states(name, "STOPPED")
    c.call("DELETE", f"/connectors/{name}")
    c.call("GET", f"/connectors/{name}")


@case()
def pause_stop_resume(c):  # 20
    name = c.connector()
    c.running(name, c.source())
    path = f"/connectors/{name}"
    for verb, states in [("stop", ["STOPPED"]), ("resume", ["RUNNING", "RUNNING"]),
                         ("pause", ["PAUSED", "PAUSED"]), ("stop", ["STOPPED"]), ("pause", ["PAUSED"]),
                         ("resume", ["RUNNING", "RUNNING"])]:
        for _ in range(2):
            c.call("PUT", f"{path}/{verb}")
            c.until_states(name, *states)
        c.until("GET", path, lambda body: len(body["tasks"]) == len(states) - 1)
    for verb in "pause", "resume", "stop":
        c.call("PUT", f"/connectors/nobody/{verb}")


@case()
def paused_source_moves_nothing(c):  # 50
    name, config = c.connector(), c.source(lines=["one"])
    c.running(name, config)
    c.until_values(config["topic"], ["one"])
    c.call("PUT", f"/connectors/{name}/pause")
    c.until_states(name, "PAUSED", "PAUSED")
    with open(config["file"], "a") as f:
        f.write("two\n")
    c.call("PUT", f"/connectors/{name}/resume")
    c.until_values(config["topic"], ["one", "two"])


@case()
def number_of_tasks(c):  # 23
    name, config = c.connector("sink"), c.sink(topic=c.topic("in", 5))
    for n in 1, 5, 3:
        c.silently("PUT", f"/connectors/{name}/config", {**config, "tasks.max": n})
        c.until_states(name, *["RUNNING"] * (n + 1))
        c.until("GET", f"/connectors/{name}", lambda body: len(body["tasks"]) == n)
        c.call("GET", f"/connectors/{name}/tasks")


@case()
def failed_task_and_restart(c):  # 24
    blocked = c.directory / "not-yet"
    name = c.connector("sink")
    c.silently("PUT", f"/connectors/{name}/config", c.sink() | {"file": str(blocked / "out.txt")})
    c.until_states(name, "RUNNING", "FAILED")
    c.call("POST", f"/connectors/{name}/restart", onlyFailed="true")
    c.until_states(name, "RUNNING", "FAILED")
    blocked.mkdir()
    c.call("POST", f"/connectors/{name}/tasks/0/restart")
    c.until_states(name, "RUNNING", "RUNNING")
    c.call("POST", f"/connectors/{name}/tasks/7/restart")
    c.call("POST", "/connectors/nobody/tasks/0/restart")
    c.call("GET", f"/connectors/{name}/tasks/x/status")
    c.call("GET", f"/connectors/{name}/tasks/7/status")
    c.call("GET", "/connectors/nobody/status")


@case()
def restart_matrix(c):  # 32
    name = c.connector()
    c.running(name, c.source())
    for failed in "true", "false":  # what restarts something comes last: nothing tells when it has begun
        for include in "false", "true":
            c.call("POST", "/connectors/nobody/restart", includeTasks=include, onlyFailed=failed)
            c.call("POST", f"/connectors/{name}/restart", includeTasks=include, onlyFailed=failed)
            c.until_states(name, "RUNNING", "RUNNING")
    c.call("POST", f"/connectors/{name}/restart")
    c.until_states(name, "RUNNING", "RUNNING")


@case()
def restart_only_what_failed(c):  # 32, 33
    place = c.directory / "place"
    name = c.connector("sink")
    c.silently("PUT", f"/connectors/{name}/config", c.sink() | {"file": str(place / "out.txt")})
    c.until_states(name, "RUNNING", "FAILED")
    place.mkdir()
    c.call("POST", f"/connectors/{name}/restart", includeTasks="true", onlyFailed="true")
    c.until_states(name, "RUNNING", "RUNNING")


@case()
def aliases(c):  # 30
    for n, cls in enumerate(["FileStreamSource", "FileStreamSourceConnector",
                             "org.apache.kafka.connect.file.FileStreamSourceConnector"]):
        name, config = c.connector(f"c{n}"), c.source(f"in{n}")
        config |= {"connector.class": cls, "value.converter": "StringConverter", "key.converter": "String"}
        c.running(name, config)
        c.until_values(config["topic"], ["one", "two", "three"])


@case()
def runtime_change_restarts_tasks(c):  # 28
    name = c.connector()
    config = c.source() | {"value.converter": "org.apache.kafka.connect.json.JsonConverter",
                           "value.converter.schemas.enable": "false"}
    c.running(name, config)
    c.until_values(config["topic"], ['"one"', '"two"', '"three"'])
    c.silently("PUT", f"/connectors/{name}/config", config | {
        "value.converter": "org.apache.kafka.connect.storage.StringConverter"})
    wanted = ['"one"', '"two"', '"three"', "four"]

    def restarted():  # the task that is going may still take a line or two, in the old form
        with open(config["file"], "a") as f:
            f.write("four\n")
        values = c.values(config["topic"])
        assert values[:3] == wanted[:3] and set(values[3:]) <= {'"four"', "four"}, values
        return "four" in values

    wait_for("a line by the new converter", restarted, 60)
    c.note(f"values in {config['topic']}", wanted)


@case()
def source_to_sink(c):  # 52, 9
    name, sink = c.connector("src"), c.connector("snk")
    config = c.source(lines=["a", "b", ""])
    c.running(name, config)
    out = c.sink(topic=config["topic"])
    c.running(sink, out)
    c.until_values(config["topic"], ["a", "b", ""])
    c.call("GET", f"/connectors/{sink}/tasks")
    from harness import wait_for
    wait_for("the file", lambda: open(out["file"]).read() == "a\nb\n\n", 60)


@case()
def topic_from_transforms(c):  # 56, 57
    name = c.connector()
    config = c.source() | {
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "transforms": "Hoist,Drop", "predicates": "No",
        "transforms.Hoist.type": "org.apache.kafka.connect.transforms.HoistField$Value",
        "transforms.Hoist.field": "content",
        "transforms.Drop.type": "org.apache.kafka.connect.transforms.Filter",
        "transforms.Drop.predicate": "No",
        "predicates.No.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        "predicates.No.pattern": "no.*"}
    c.running(name, config)
    schema = ('{"schema":{"type":"struct","fields":[{"type":"string","optional":false,"field":"content"}],'
              '"optional":false},"payload":{"content":"%s"}}')
    c.until_values(config["topic"], [schema % word for word in ("one", "two", "three")])
    c.call("GET", f"/connectors/{name}/tasks")
