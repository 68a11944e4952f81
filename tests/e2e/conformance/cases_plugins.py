"""Plugins and validation."""
from conformance.context import case

FILES = ("org.apache.kafka.connect.file.FileStreamSinkConnector",
         "org.apache.kafka.connect.file.FileStreamSourceConnector")
SMT = "org.apache.kafka.connect.transforms."


@case()
def plugins(c):  # 5
    mine = lambda all: [p for p in all if p["class"] in FILES]
    c.call("GET", "/connector-plugins", keep=mine)
    c.call("GET", "/connector-plugins", keep=mine, connectorsOnly="true")
    kinds = []

    def order(all):
        for plugin in all:
            if plugin["type"] not in kinds:
                kinds.append(plugin["type"])
        return kinds

    c.call("GET", "/connector-plugins", keep=order, connectorsOnly="false")
    builtin = lambda all: sorted({p["class"] for p in all if p["class"].startswith((
        SMT, "org.apache.kafka.connect.json", "org.apache.kafka.connect.converters",
        "org.apache.kafka.connect.storage"))})
    c.call("GET", "/connector-plugins", keep=builtin, connectorsOnly="false")


@case()
def plugin_configs(c):
    own = ("file", "topic", "batch.size")
    shape = lambda rows: [{k: r[k] for k in ("name", "type", "required", "default_value", "importance")}
                          for r in rows if r["name"] in own]
    for plugin in "FileStreamSource", "FileStreamSinkConnector", *FILES:
        c.call("GET", f"/connector-plugins/{plugin}/config", keep=shape)
    c.call("GET", "/connector-plugins/FileStreamSource/config",
           keep=lambda rows: sorted({key for r in rows for key in r}))
    for plugin, keys in ((SMT + "HoistField$Value", ("field",)),
                         (SMT + "predicates.TopicNameMatches", ("pattern",)),
                         ("org.apache.kafka.connect.json.JsonConverter", (
                             "schemas.enable", "schemas.cache.size", "decimal.format",
                             "replace.null.with.default"))):
        c.call("GET", f"/connector-plugins/{plugin}/config", keep=lambda rows: [
            {k: r[k] for k in ("name", "type", "required", "default_value", "importance")}
            for r in rows if r["name"] in keys])
    c.call("GET", "/connector-plugins/nope/config")


def infos(answer):
    """What counts of ConfigInfos: the number of errors, and which keys have some."""
    return {"name": answer["name"], "error_count": answer["error_count"],
            "with errors": sorted(i["value"]["name"] for i in answer["configs"] if i["value"]["errors"])}


def framework_keys(answer):
    """The file connectors' own keys and the framework's, without those of plugins' versions, and
    those that only sluice has."""
    names = [i["value"]["name"] for i in answer["configs"]]
    return sorted(n for n in names if not n.endswith("plugin.version") and
                  not n.startswith(("auto.restart.", "inflight.")))


@case()
def validate(c):  # 6, 44
    source = {"name": "x", "connector.class": "FileStreamSource", "topic": "t", "file": "f"}
    sink = {"name": "x", "connector.class": "FileStreamSink", "topics": "t", "file": "f"}
    at = lambda kind: f"/connector-plugins/{kind}/config/validate"
    for kind, config in ("FileStreamSource", source), ("FileStreamSink", sink), (FILES[1], source):
        c.call("PUT", at(kind), config, keep=infos)
        c.call("PUT", at(kind), config, keep=framework_keys)
    c.call("PUT", at("FileStreamSink"), source, says="Included connector type FileStreamSource does not match "
           "request type FileStreamSink")
    c.call("PUT", at("FileStreamSource"), {}, says="BadRequestException: Connector config {} contains no "
           "connector type")
    c.call("PUT", at("Nope"), source | {"connector.class": "Nope"}, says="Failed to find any class that "
           "implements Connector and which name matches Nope")
    one = lambda answer, key: next(i["value"] for i in answer["configs"] if i["value"]["name"] == key)
    c.call("PUT", at("FileStreamSource"), source | {"tasks.max": "0"}, keep=lambda a: one(a, "tasks.max"))
    c.call("PUT", at("FileStreamSource"), source | {"tasks.max": " 3 "}, keep=lambda a: one(a, "tasks.max"))


@case()
def validate_sinks(c):  # 44
    sink = {"name": "x", "connector.class": "FileStreamSink", "file": "f"}
    path = "/connector-plugins/FileStreamSink/config/validate"
    for more in ({}, {"topics": ""}, {"topics": "a", "topics.regex": "a.*"},
                 {"topics": "a,d", "errors.deadletterqueue.topic.name": "d"},
                 {"topics.regex": "d.*", "errors.deadletterqueue.topic.name": "dlq"},
                 {"topics.regex": "[", }, {"topics": "a", "tasks.max": "x", "errors.tolerance": "y"}):
        c.call("PUT", path, sink | more, keep=infos)


@case()
def validate_chains(c):  # 44
    source = {"name": "x", "connector.class": "FileStreamSource", "topic": "t", "file": "f"}
    hoist = {"transforms": "H", "transforms.H.type": SMT + "HoistField$Value", "transforms.H.field": "f"}
    match = {"predicates": "P", "predicates.P.type": SMT + "predicates.TopicNameMatches",
             "predicates.P.pattern": ".*"}
    path = "/connector-plugins/FileStreamSource/config/validate"
    for more in (hoist, hoist | match | {"transforms.H.predicate": "P", "transforms.H.negate": "true"},
                 {"transforms": "H"}, {"transforms": "H,H"}, hoist | {"transforms": "H,H"},
                 hoist | {"transforms.H.type": "nope"},
                 hoist | {"transforms.H.type": "org.apache.kafka.connect.json.JsonConverter"},
                 {k: v for k, v in hoist.items() if k != "transforms.H.field"},
                 hoist | {"transforms.H.negate": "true"}, hoist | {"transforms.H.predicate": "Q"},
                 {"predicates": "P"}, match | {"predicates": "P,P"}, match | {"predicates.P.type": "nope"},
                 {"value.converter": "nope"},
                 {"value.converter": "org.apache.kafka.connect.json.JsonConverter",
                  "value.converter.schemas.enable": "maybe"},
                 {"value.converter": SMT + "HoistField$Value"},
                 {"topic.creation.groups": "a,a"}, {"topic.creation.groups": "a"},
                 {"topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1"},
                 {"topic.creation.default.partitions": "0", "topic.creation.default.replication.factor": "1"},
                 {"errors.retry.timeout": "x"}, {"config.action.reload": "x"},
                 {"exactly.once.support": "required"}, {"transaction.boundary": "nope"}):
        c.call("PUT", path, source | more, keep=infos)


@case(only="distributed")
def validate_groups(c):  # 44
    sink = {"name": "x", "connector.class": "FileStreamSink", "topics": "t", "file": "f"}
    path, group = "/connector-plugins/FileStreamSink/config/validate", c.target.group
    c.call("PUT", path, sink | {"consumer.override.group.id": group}, keep=infos)
    c.call("PUT", path, sink | {"consumer.override.group.id": group + "x"}, keep=infos)


@case({"connector.client.config.override.policy": "None"})
def policy_none(c):  # 45
    path = "/connector-plugins/FileStreamSource/config/validate"
    config = {"name": "x", "connector.class": "FileStreamSource", "topic": "t", "file": "f"}
    c.call("PUT", path, config | {"producer.override.acks": "1"}, keep=infos)
    c.call("POST", "/connectors", {"name": "x", "config": config | {"producer.override.client.id": "me"}},
           says="The 'None' policy does not allow 'client.id' to be overridden in the connector "
           "configuration.")


@case({"connector.client.config.override.policy": "Principal"})
def policy_principal(c):  # 45
    path = "/connector-plugins/FileStreamSource/config/validate"
    config = {"name": "x", "connector.class": "FileStreamSource", "topic": "t", "file": "f"}
    for key, value in (("acks", "1"), ("security.protocol", "PLAINTEXT"), ("sasl.mechanism", "PLAIN")):
        c.call("PUT", path, config | {f"producer.override.{key}": value}, keep=infos)


@case()
def policy_all(c):  # 45
    path = "/connector-plugins/FileStreamSource/config/validate"
    config = {"name": "x", "connector.class": "FileStreamSource", "topic": "t", "file": "f"}
    c.call("PUT", path, config | {"producer.override.acks": "1", "producer.override.linger.ms": "5"}, keep=infos)
