"""Offsets of sources and sinks, and active topics."""
from conformance.context import case


def by_partition(answer):
    """Java lists them in the order of a hash table."""
    return {"offsets": sorted(answer["offsets"], key=str)}


def listed(c, name, offsets):
    """Waits until GET shows these and writes the answer down; a null offset is one that goes."""

    def holds(answer):
        there = [o for o in answer["offsets"] if o["offset"] is not None]
        return sorted(there, key=str) == sorted(offsets, key=str)

    c.until("GET", f"/connectors/{name}/offsets", holds,
            keep=lambda a: by_partition({"offsets": [o for o in a["offsets"] if o["offset"] is not None]}))


def at(path, position):
    return {"partition": {"filename": path}, "offset": {"position": position}}


@case()
def offsets_of_nobody(c):  # 34
    c.call("GET", "/connectors/nobody/offsets")
    c.call("DELETE", "/connectors/nobody/offsets")
    c.call("PATCH", "/connectors/nobody/offsets", {"offsets": [at("x", 1)]})
    c.call("PATCH", "/connectors/nobody/offsets", {})


@case()
def offsets_need_stopped(c):  # 34
    name, config = c.connector(), c.source()
    c.running(name, config)
    c.call("PATCH", f"/connectors/{name}/offsets", {"offsets": [at("x", 1)]})
    c.call("DELETE", f"/connectors/{name}/offsets")
    c.silently("PUT", f"/connectors/{name}/pause")
    c.until_states(name, "PAUSED", "PAUSED")
    c.call("PATCH", f"/connectors/{name}/offsets", {"offsets": [at("x", 1)]})
    c.call("DELETE", f"/connectors/{name}/offsets")


@case()
def source_offsets(c):  # 17, 39
    name, config = c.connector(), c.source()
    path = config["file"]
    c.create(name, config, initial_state="STOPPED")
    c.until_states(name, "STOPPED")
    c.call("GET", f"/connectors/{name}/offsets")
    c.call("PATCH", f"/connectors/{name}/offsets", {"offsets": [at(path, 4)]})
    listed(c, name, [at(path, 4)])
    c.call("PUT", f"/connectors/{name}/resume")
    c.until_values(config["topic"], ["two", "three"])
    listed(c, name, [at(path, 14)])
    c.stopped(name)
    c.call("PATCH", f"/connectors/{name}/offsets", {"offsets": [at(path, 8), at("former", 3)]})
    listed(c, name, [at(path, 8), at("former", 3)])
    c.call("PATCH", f"/connectors/{name}/offsets", {"offsets": [
        {"partition": {"filename": "former"}, "offset": None}]})
    listed(c, name, [at(path, 8)])
    for _ in range(2):
        c.call("DELETE", f"/connectors/{name}/offsets")
        listed(c, name, [])
    c.call("PUT", f"/connectors/{name}/resume")
    c.until_values(config["topic"], ["two", "three", "one", "two", "three"])


@case()
def source_offsets_wrong(c):  # 38, and what FileStreamSource refuses
    name, config = c.connector(), c.source()
    c.create(name, config, initial_state="STOPPED")
    c.until_states(name, "STOPPED")
    path = f"/connectors/{name}/offsets"
    mine = {"filename": config["file"]}
    for body in {}, {"offsets": []}, {"offsets": None}:
        c.call("PATCH", path, body)
    for body, piece in ([], "Cannot deserialize value"), ({"key": []}, 'Unrecognized field "key"'), \
            ({"offsets": {}}, "Cannot deserialize value"), \
            ({"offsets": [123]}, "Cannot construct instance"), \
            ({"offsets": [{"part": {}}]}, 'Unrecognized field "part"'), \
            ({"offsets": [{"partition": [], "offset": None}]}, "Cannot deserialize value"):
        c.call("PATCH", path, body, says=piece)
    for offset, piece in (({"position": "2"}, "The value for the 'position' key in the offset is expected to "
                           "be a Long value"),
                          ({"position": 2.5}, "The value for the 'position' key in the offset is expected to "
                           "be a Long value"),
                          ({"position": -2}, None), ({"pos": 2}, None), ({}, None),
                          ({"position": {"x": 1}}, None), ({"position": [1]}, None)):
        c.call("PATCH", path, {"offsets": [{"partition": mine, "offset": offset}]}, says=piece)
    for partition in None, {"x": "y"}, {"filename": {"a": 1}}:
        c.call("PATCH", path, {"offsets": [{"partition": partition, "offset": {"position": 2}}]})
    c.call("PATCH", path, {"offsets": [{"offset": {"position": 2}}]})
    listed(c, name, [])
    c.call("PATCH", path, {"offsets": [{"partition": {"x": "y"}, "offset": None}]})
    c.call("PATCH", path, {"offsets": [{"partition": mine, "offset": {"position": 2, "x": 1}}]})
    listed(c, name, [{"partition": mine, "offset": {"position": 2, "x": 1}}])


def part(topic, partition, offset=None):
    return {"partition": {"kafka_topic": topic, "kafka_partition": partition},
            "offset": None if offset is None else {"kafka_offset": offset}}


@case()
def sink_offsets(c):  # 18, 35, 36, 39
    topic = c.topic("in", 2)
    for partition in 0, 1:
        c.target.kafka.produce(topic, [(None, f"{partition}{i}") for i in range(5)], partition)
    name, config = c.connector("snk"), c.sink(topic=topic)
    c.running(name, config)
    listed(c, name, [part(topic, 0, 5), part(topic, 1, 5)])
    c.call("PATCH", f"/connectors/{name}/offsets", {"offsets": [part(topic, 0, 1)]})
    c.stopped(name)
    c.call("PATCH", f"/connectors/{name}/offsets", {"offsets": [part(topic, "0", "3"), part(topic, 1)]})
    listed(c, name, [part(topic, 0, 3)])
    open(config["file"], "w").close()
    c.call("PUT", f"/connectors/{name}/resume")
    wanted = ["03", "04", "10", "11", "12", "13", "14"]
    until_lines(c, config["file"], wanted)
    listed(c, name, [part(topic, 0, 5), part(topic, 1, 5)])
    c.stopped(name)
    for _ in range(2):
        c.call("DELETE", f"/connectors/{name}/offsets")
        listed(c, name, [])
    c.call("PATCH", f"/connectors/{name}/offsets", {"offsets": [part(topic, 0, 4), part(topic, 1, 9)]})
    listed(c, name, [part(topic, 0, 4), part(topic, 1, 9)])


def until_lines(c, path, wanted):
    from harness import wait_for
    wait_for(f"{wanted} in {path}", lambda: sorted(open(path).read().split()) == wanted, 60)
    c.note("lines, sorted", wanted)


@case()
def sink_offsets_of_another_group(c):  # 35
    topic, group = c.topic("in"), c.unique("group")
    c.target.kafka.produce(topic, [(None, "x"), (None, "y")])
    name = c.connector("snk")
    c.running(name, c.sink(topic=topic) | {"consumer.override.group.id": group})
    listed(c, name, [part(topic, 0, 2)])
    committed = c.target.kafka.wire.committed
    c.note("of the group", sorted(committed(group).values()))
    c.note("of connect-snk", sorted(committed(f"connect-{name}").values()))
    c.stopped(name)
    c.call("DELETE", f"/connectors/{name}/offsets")
    c.note("of the group", sorted(committed(group).values()))


@case()
def sink_offsets_wrong(c):  # 37
    topic = c.topic("in")
    name = c.connector("snk")
    c.create(name, c.sink(topic=topic), initial_state="STOPPED")
    c.until_states(name, "STOPPED")
    path, good = f"/connectors/{name}/offsets", {"kafka_offset": 1}
    where = {"kafka_topic": topic, "kafka_partition": 0}
    for partition in (None, {}, {"kafka_topic": topic}, {"kafka_partition": 0}, {**where, "kafka_topic": None},
                      {**where, "kafka_partition": None}, {**where, "kafka_partition": "x"},
                      {**where, "kafka_partition": 1.0}, {**where, "kafka_partition": True},
                      {**where, "kafka_partition": 99999999999}):
        c.call("PATCH", path, {"offsets": [{"partition": partition, "offset": good}]})
    for offset in {}, {"kafka_offset": "x"}, {"kafka_offset": None}, {"kafka_offset": 1.5}:
        c.call("PATCH", path, {"offsets": [{"partition": where, "offset": offset}]})
    alter = f"Failed to alter consumer group offsets for connector {name}"
    for partition in {**where, "kafka_partition": 7}, {**where, "kafka_topic": c.unique("nosuch")}:
        c.call("PATCH", path, {"offsets": [{"partition": partition, "offset": good}]}, says=alter)
    c.call("PATCH", path, {"offsets": [{"partition": where, "offset": {"kafka_offset": -5}}]},
           says=f"Failed to modify offsets for sink connector {name}")
    listed(c, name, [])
    c.call("PATCH", path, {"offsets": [{"partition": where, "offset": {"kafka_offset": 1, "x": []}}]})
    listed(c, name, [part(topic, 0, 1)])


@case()
def sink_offsets_of_a_group_with_members(c):  # 40: a member that is not one of its tasks
    topic, group = c.topic("in"), c.unique("group")
    c.target.kafka.produce(topic, [(None, "x")])
    name, other = c.connector("snk"), c.connector("member")
    c.running(other, c.sink("member", topic=topic) | {"consumer.override.group.id": group})
    c.until_committed(group, topic)  # it runs before it is a member
    c.create(name, c.sink(topic=topic) | {"consumer.override.group.id": group}, initial_state="STOPPED")
    c.until_states(name, "STOPPED")
    for body in {"offsets": [part(topic, 0, 0)]}, {"offsets": [part(topic, 0)]}:
        c.call("PATCH", f"/connectors/{name}/offsets", body)
    c.call("DELETE", f"/connectors/{name}/offsets")


# ---- topics ----


@case()
def active_topics(c):  # 42
    name, sink, config = c.connector("src"), c.connector("snk"), c.source()
    c.call("GET", "/connectors/nobody/topics")
    c.call("PUT", "/connectors/nobody/topics/reset")
    c.create(name, config, initial_state="STOPPED")
    c.call("GET", f"/connectors/{name}/topics")
    c.silently("PUT", f"/connectors/{name}/resume")
    mine = {name: {"topics": [config["topic"]]}}
    c.until("GET", f"/connectors/{name}/topics", lambda body: body == mine)
    more = c.topic("more")
    c.target.kafka.produce(more, [(None, "x")])
    c.running(sink, c.sink(topic=f"{config['topic']},{more}"))
    both = sorted([config["topic"], more])
    ordered = lambda body: {k: {"topics": sorted(v["topics"])} for k, v in body.items()}
    c.until("GET", f"/connectors/{sink}/topics", lambda body: sorted(body[sink]["topics"]) == both, keep=ordered)
    c.call("PUT", f"/connectors/{sink}/topics/reset")
    c.until("GET", f"/connectors/{sink}/topics", lambda body: body[sink]["topics"] == [])

    def used_again(body):  # the task's worker may hear of the reset after a record
        if body[sink]["topics"] == [more]:
            return True
        c.target.kafka.produce(more, [(None, "y")])
        return False

    c.until("GET", f"/connectors/{sink}/topics", used_again)
    c.silently("DELETE", f"/connectors/{sink}")
    c.until("GET", f"/connectors/{sink}/topics", lambda body: body[sink]["topics"] == [])


@case({"topic.tracking.enable": "false"})
def topics_not_tracked(c):  # 43
    name, config = c.connector("src"), c.source()
    c.running(name, config)
    c.until_values(config["topic"], ["one", "two", "three"])
    c.call("GET", f"/connectors/{name}/topics")
    c.call("PUT", f"/connectors/{name}/topics/reset")


@case({"topic.tracking.allow.reset": "false"})
def topics_not_reset(c):  # 43
    name, config = c.connector("src"), c.source()
    c.running(name, config)
    c.until("GET", f"/connectors/{name}/topics", lambda body: body[name]["topics"] == [config["topic"]])
    c.call("PUT", f"/connectors/{name}/topics/reset")
    c.call("GET", f"/connectors/{name}/topics")
