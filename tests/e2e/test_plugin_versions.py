"""Versions and ranges of plugins that configs ask for (KIP-891); each plugin has one version here."""
from harness import equal

STRING = "org.apache.kafka.connect.storage.StringConverter"
FILE = {"connector.class": "FileStreamSource", "file": "/none", "topic": "unused"}
OWN = {"connector.class": "FileStreamSource", "file": "/none", "topic": "unused",
       "key.converter": STRING, "transforms": "t", "predicates": "p",
       "transforms.t.type": "org.apache.kafka.connect.transforms.DropHeaders",
       "transforms.t.headers": "h", "transforms.t.predicate": "p",
       "predicates.p.type": "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"}
PARTS = ["key.converter.plugin.version", "transforms.t.plugin.version", "predicates.p.plugin.version"]


def version_of(worker, name, everything=True):
    plugins = worker.rest.ok("GET", "/connector-plugins?connectorsOnly=" + str(not everything).lower())
    return next(p for p in plugins if p["class"].endswith(name))


def test_connectors(t):
    worker = t.sluice({"bootstrap.servers": "127.0.0.1:1"})
    plugin = version_of(worker, "FileStreamSourceConnector", False)
    version, cls = plugin["version"], plugin["class"]
    for i, wanted in enumerate((version, f"[{version}]", f"[{version},)", "latest")):
        status, answer = worker.rest.call("PUT", f"/connectors/v{i}/config",
                                          {**FILE, "connector.plugin.version": wanted})
        equal(status, 201, answer)
    for wanted, shown in (("99.5", "[99.5,99.5]"), ("[99.0,)", "[99.0,)")):
        status, answer = worker.rest.call("PUT", "/connectors/w/config",
                                          {**FILE, "connector.plugin.version": wanted})
        equal((status, answer["message"]), (400, f"Plugin {cls} not found that matches the version range "
                                                 f"{shown}, available versions: [{version}]"))
    status, answer = worker.rest.call("PUT", "/connectors/w/config",
                                      {**FILE, "connector.plugin.version": "[1.0"})
    equal(status, 400)
    assert "Invalid version specification: [1.0" in answer["message"], answer
    equal(worker.stop(), 0, "exit code")


def test_converters_transforms_and_predicates(t):
    worker = t.sluice({"bootstrap.servers": "127.0.0.1:1"})
    wrong = {**OWN, **{key: "[99.0,99.5]" for key in PARTS}}
    path = "/connector-plugins/FileStreamSource/config/validate"
    infos = {c["value"]["name"]: c for c in worker.rest.ok("PUT", path, {**wrong, "name": "x"})["configs"]}
    for key in PARTS:
        (text,) = infos[key]["value"]["errors"]
        assert "not found that matches the version range [99.0,99.5], available versions: [" in text, text
        equal(infos[key]["value"]["value"], "[99.0,99.5]", key)
        equal(infos[key]["definition"]["type"], "STRING", key)
    for key in ("connector.plugin.version", "value.converter.plugin.version",
                "header.converter.plugin.version"):
        equal((infos[key]["value"]["value"], infos[key]["value"]["errors"]), (None, []), key)
    status, answer = worker.rest.call("PUT", "/connectors/x/config", wrong)
    equal(status, 400)
    assert f"following {len(PARTS)} error(s)" in answer["message"], answer
    right = {**OWN, "key.converter.plugin.version": version_of(worker, "StringConverter")["version"],
             "transforms.t.plugin.version": version_of(worker, "DropHeaders")["version"],
             "predicates.p.plugin.version": version_of(worker, "RecordIsTombstone")["version"]}
    status, answer = worker.rest.call("PUT", "/connectors/x/config", right)
    equal(status, 201, answer)
    equal(worker.stop(), 0, "exit code")
    for line in worker.log_text().splitlines():
        assert "plugin.version" not in line, line
