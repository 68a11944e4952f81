"""What the worker promises of its connectors: topics made as asked, patterns, pause, groups shared
and taken over, clean stops, nothing left behind."""
import os
import time

from harness import equal, no_duplicates, seconds, wait_for

STRING = "org.apache.kafka.connect.storage.StringConverter"
STRINGS = {"key.converter": STRING, "value.converter": STRING}
SHORT_SESSION = {"consumer.override.session.timeout.ms": "6000",
                 "consumer.override.heartbeat.interval.ms": "500"}


def source(path, topic, **more):
    return {"connector.class": "FileStreamSource", "file": str(path), "topic": topic, **STRINGS,
            **{k.replace("__", "."): v for k, v in more.items()}}


def sink(path, **more):
    return {"connector.class": "FileStreamSink", "file": str(path), **STRINGS, **SHORT_SESSION,
            **{k.replace("__", "."): v for k, v in more.items()}}


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def append(path, words):
    with open(path, "a", encoding="utf-8") as out:
        out.writelines(f"{w}\n" for w in words)


def stays(what, probe, wanted, seconds_long=3):
    """That a value does not change for a while."""
    until = time.monotonic() + seconds_long
    while time.monotonic() < until:
        equal(probe(), wanted, what)
        time.sleep(0.2)


# ---- topics ----


def test_topics_are_made_by_the_first_group_that_fits(t):
    path = t.file("in.txt", "one\ntwo\n")
    base = t.unique("made")
    want = {f"{base}.log": 4, f"{base}.old.log": 2, f"{base}.x": 3}
    t.cleanup(lambda: t.kafka.wire.delete_topics(list(want)))
    keys = {"topic__creation__groups": "logs,rest",
            "topic__creation__default__partitions": "3",
            "topic__creation__default__replication__factor": "-1",
            "topic__creation__logs__include": ".*\\.log",
            "topic__creation__logs__exclude": ".*old.*",
            "topic__creation__logs__partitions": "4",
            "topic__creation__logs__max__message__bytes": "777",
            "topic__creation__rest__include": ".*log.*,none",
            "topic__creation__rest__partitions": "2"}
    worker = t.sluice()
    for i, topic in enumerate(want):
        worker.rest.create(f"in{i}", source(path, topic, **keys))
        t.kafka.wait_count(topic, 2)
    topics = t.kafka.topics()
    equal({name: topics[name] for name in want}, want, "partitions")
    # The setting of the group holds there and nowhere else: 777 bytes are too few for this line.
    append(path, ["y" * 3000])
    t.kafka.wait_count(f"{base}.x", 3)
    trace = worker.rest.wait_failed("in0")
    assert "max.message.bytes" in trace, trace
    # A topic that is there is used as it is.
    there = t.topic("there", 1)
    worker.rest.create("there", source(path, there, **keys))
    t.kafka.wait_count(there, 3)
    equal(t.kafka.topics()[there], 1, "partitions of the topic that was there")
    equal(worker.stop(), 0, "exit code")


def test_topics_that_cannot_be_made_fail_the_task(t):
    path, topic = t.file("in.txt", "one\n"), t.unique("wide")
    wrong = {"topic__creation__default__partitions": "1",
             "topic__creation__default__replication__factor": "3"}
    worker = t.sluice(connectors={"in": source(path, topic, **wrong)})
    trace = worker.rest.wait_failed("in")
    assert "Task failed to create new topic" in trace and topic in trace, trace
    assert "eplication" in trace, trace
    assert topic not in t.kafka.topics(), "there is a topic"
    status, answer = worker.rest.call("PUT", "/connectors/in/config", source(
        path, topic, topic__creation__groups="g", topic__creation__g__include="a("))
    equal(status, 400, "status")
    assert "topic.creation." in answer["message"], answer
    # The worker's switch: the keys have no effect, the broker makes the topic.
    off = t.sluice({"topic.creation.enable": "false"}, {"off": source(path, topic, **wrong)})
    t.cleanup(lambda: t.kafka.wire.delete_topics([topic]))
    t.kafka.wait_count(topic, 1)
    assert "topic.creation.enable" in off.log_text()


# ---- what a sink consumes ----


def test_regex_takes_topics_that_come_later(t):
    base, out = t.unique("rx"), t.directory / "out.txt"
    t.cleanup(lambda: t.kafka.wire.delete_topics([f"{base}.{w}" for w in ("a", "b", "a.not")]))
    t.kafka.create(f"{base}.a")
    t.kafka.create(f"{base}.a.not")
    t.kafka.produce(f"{base}.a", [("k", "a1")])
    t.kafka.produce(f"{base}.a.not", [("k", "never")])
    worker = t.sluice(connectors={base: sink(out, topics__regex=f"{base}\\.[a-z]",
                                             consumer__override__metadata__max__age__ms="1000")})
    wait_for("the first topic's record", lambda: lines(out) == ["a1"])
    t.kafka.create(f"{base}.b", 2)
    t.kafka.produce(f"{base}.b", [("k", "b1")], partition=1)
    wait_for("the new topic's record", lambda: sorted(lines(out)) == ["a1", "b1"])
    t.kafka.produce(f"{base}.a", [("k", "a2")])
    wait_for("the old topic's next record", lambda: sorted(lines(out)) == ["a1", "a2", "b1"])
    wait_for("all committed", lambda: t.kafka.lag(f"connect-{base}", [f"{base}.a", f"{base}.b"]) == 0)
    equal(worker.stop(), 0, "exit code")


def test_sink_before_its_topic(t):
    topic, out = t.unique("late"), t.directory / "out.txt"
    worker = t.sluice(connectors={topic: sink(out, topics=topic)})
    worker.rest.wait_running(topic)
    time.sleep(1)
    t.cleanup(lambda: t.kafka.wire.delete_topics([topic]))
    t.kafka.produce(topic, [("k", "v1")])
    wait_for("the record", lambda: lines(out) == ["v1"], 40)
    equal(worker.rest.states(topic), ["RUNNING", "RUNNING"], "states")


def test_pause_moves_nothing(t):
    topic, inn, out = t.topic("flow"), t.directory / "in.txt", t.directory / "out.txt"
    append(inn, ["1"])
    worker = t.sluice(connectors={"in": source(inn, topic), topic: sink(out, topics=topic)})
    wait_for("it flows", lambda: lines(out) == ["1"])
    worker.rest.ok("PUT", "/connectors/in/pause")
    wait_for("the source is paused", lambda: worker.rest.states("in") == ["PAUSED", "PAUSED"])
    append(inn, ["2", "3"])
    stays("records while the source is paused", lambda: t.kafka.count(topic), 1)
    worker.rest.ok("PUT", f"/connectors/{topic}/pause")
    wait_for("the sink is paused", lambda: worker.rest.states(topic) == ["PAUSED", "PAUSED"])
    worker.rest.ok("PUT", "/connectors/in/resume")
    t.kafka.wait_count(topic, 3)
    stays("lines while the sink is paused", lambda: lines(out), ["1"])
    # Paused longer than a session: the member stays in the group, its partition stays its own.
    time.sleep(4)
    worker.rest.ok("PUT", f"/connectors/{topic}/resume")
    wait_for("all lines", lambda: lines(out) == ["1", "2", "3"])
    took = worker.log_text().count("took 1 partitions")
    equal(took, 1, "times that the partition was taken")
    equal(worker.stop(), 0, "exit code")


# ---- a group of two workers ----


def produce_numbers(t, topic, first, last):
    t.kafka.produce(topic, [(f"k{i}", str(i)) for i in range(first, last)])


@seconds(180)
def test_two_workers_share_and_take_over(t):
    """The same connector in two processes is one group, as two tasks of one worker would be."""
    topic, name = t.topic("shared", 6), t.unique("group")
    outs = [t.directory / f"out{i}.txt" for i in range(3)]
    first = t.sluice(connectors={name: sink(outs[0], topics=topic, tasks__max="1")})
    produce_numbers(t, topic, 0, 600)
    wait_for("the first worker has all", lambda: len(lines(outs[0])) >= 600)
    second = t.sluice(connectors={name: sink(outs[1], topics=topic)})
    wait_for("the second worker takes its half", lambda: "took 3 partitions" in second.log_text(), 40)
    produce_numbers(t, topic, 600, 1200)

    def everything(upto):
        got = set().union(*(lines(o) for o in outs))
        return got >= {str(i) for i in range(upto)}

    wait_for("all records in one of the two", lambda: everything(1200), 40)
    assert lines(outs[1]), "the second worker got nothing"
    both = lines(outs[0]) + lines(outs[1])
    no_duplicates(both, "records that a clean rebalance delivered twice")
    second.kill9()
    produce_numbers(t, topic, 1200, 1800)
    wait_for("the first worker takes over", lambda: everything(1800), 60)
    wait_for("all committed", lambda: t.kafka.lag(f"connect-{name}", [topic]) == 0)
    third = t.sluice(connectors={name: sink(outs[2], topics=topic)})
    wait_for("a third worker takes its half", lambda: "took 3 partitions" in third.log_text(), 40)
    before = len(lines(outs[0]))
    equal(first.stop(), 0, "exit code")
    produce_numbers(t, topic, 1800, 2400)
    wait_for("the third has the rest", lambda: everything(2400), 40)
    equal(len(lines(outs[0])) >= before, True, "lines are only added")
    no_duplicates(lines(outs[2]) + [x for x in lines(outs[0]) if int(x) >= 1800],
                  "records that a leaving worker delivered twice")
    equal(third.stop(), 0, "exit code")


@seconds(180)
def test_clean_stops_repeat_nothing_under_load(t):
    """SIGTERM while records move, several times: each record once, in order, on both sides."""
    topic, inn, out = t.topic("exact", 1), t.directory / "in.txt", t.directory / "out.txt"
    worker = t.sluice(connectors={topic: sink(out, topics=topic), "in": source(inn, topic)}, start=False)
    n, batch = 0, 20_000
    for _ in range(4):
        append(inn, range(n, n + batch))
        n += batch
        have = len(lines(out))
        worker.start()
        wait_for("it moves", lambda: len(lines(out)) > have)
        equal(worker.stop(), 0, "exit code")
    worker.start()
    wait_for("all lines", lambda: len(lines(out)) >= n, 60)
    equal(worker.stop(), 0, "exit code")
    equal([r.value for r in t.kafka.read(topic)], [str(i) for i in range(n)], "records")
    equal(lines(out), [str(i) for i in range(n)], "lines")


# ---- nothing left behind ----


def costs(pid):
    """(threads, open files) of a process"""
    return len(os.listdir(f"/proc/{pid}/task")), len(os.listdir(f"/proc/{pid}/fd"))


@seconds(240)
def test_connectors_come_and_go_without_a_trace(t):
    topic, inn = t.topic("churn"), t.file("in.txt", "one\n")
    worker = t.sluice()
    pid = worker.process.pid

    def cycle():
        worker.rest.create("in", source(inn, topic))
        worker.rest.create(topic, sink(t.directory / "out.txt", topics=topic,
                                       errors__deadletterqueue__topic__name=f"{topic}_dlq",
                                       errors__deadletterqueue__topic__replication__factor="1"))
        for name in ("in", topic):
            worker.rest.wait_running(name)
        for name in ("in", topic):
            worker.rest.delete(name)

    cycle()
    before = wait_for("the first are gone", lambda: settled(pid), 30)
    for _ in range(50):
        cycle()
    wait_for(f"threads and files are back at {before}", lambda: settled(pid) <= before, 40)
    t.kafka.wire.delete_topics([f"{topic}_dlq"])
    equal(worker.stop(), 0, "exit code")


def settled(pid):
    """The costs once they stay the same for a second."""
    seen = costs(pid)
    time.sleep(1)
    return seen if costs(pid) == seen else None
