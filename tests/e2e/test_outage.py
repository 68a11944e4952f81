"""Kafka is away: at the start, in the middle, for long. The status says so, nothing is lost, memory
stays bounded, and nobody has to restart anything."""
import pathlib
import time

from harness import equal, seconds, wait_for
from kafka_wire import LATEST, KafkaError

STRING = "org.apache.kafka.connect.storage.StringConverter"
STRINGS = {"key.converter": STRING, "value.converter": STRING}
UNKNOWN_TOPIC = 3  # UNKNOWN_TOPIC_OR_PARTITION


def line(t, topic, session_ms=45000, **more):
    """A source and a sink over a topic, named after it: a group remembers dead members for a while.
    session_ms: longer than a slow broker takes to be there again, so that nobody falls out of his group."""
    more = {k.replace("__", "."): v for k, v in more.items()}
    return {f"in-{topic}": {"connector.class": "FileStreamSource", "topic": topic,
                            "file": str(t.directory / "in.txt"), **STRINGS, **more},
            f"out-{topic}": {"connector.class": "FileStreamSink", "topics": topic,
                             "file": str(t.directory / "out.txt"), **STRINGS,
                             "consumer.override.session.timeout.ms": str(session_ms), **more}}


def append(t, words):
    with open(t.directory / "in.txt", "a", encoding="utf-8") as out:
        out.writelines(f"{w}\n" for w in words)


def lines(t):
    path = t.directory / "out.txt"
    return path.read_text().splitlines() if path.exists() else []


def once_in_order(items):
    return list(dict.fromkeys(items))


def broker_away(t):
    t.kafka.kill9()
    t.away = True

    def back():
        if t.away:
            t.kafka.restart()

    t.cleanup(back)


def broker_back(t):
    t.kafka.restart()
    t.away = False


def in_trouble(worker, name):
    """The trace of a connector that is RUNNING and yet has trouble with the brokers."""
    status = worker.rest.status(name)
    assert [x["state"] for x in status["tasks"]] == ["RUNNING"], status
    trace = status["tasks"][0].get("trace", "")
    return trace if "kafka brokers at" in trace else None


def check_trouble(t, worker, names):
    for name in names:
        trace = wait_for(f"{name} tells that the brokers are away", lambda: in_trouble(worker, name), 40)
        assert t.kafka.bootstrap in trace and "retrying" in trace and "(since 20" in trace, trace
    equal(worker.rest.call("GET", "/health")[0], 200, "health")
    equal(sorted(worker.rest.ok("GET", "/connectors")), sorted(names), "connectors")


def check_recovery(worker, names):
    for name in names:
        wait_for(f"{name} has no trouble left", lambda: not worker.rest.trace(name), 40)


@seconds(180)
def test_no_broker_at_the_start(t):
    topic = t.topic("flow")
    connectors = line(t, topic)
    append(t, range(1000))
    broker_away(t)
    worker = t.sluice(connectors=connectors)
    check_trouble(t, worker, connectors)
    status, _ = worker.rest.call("GET", "/")
    equal(status, 200, "status of /")
    broker_back(t)
    wait_for("all lines", lambda: len(set(lines(t))) == 1000, 60)
    equal(once_in_order(lines(t)), [str(i) for i in range(1000)], "lines")
    check_recovery(worker, connectors)
    equal(worker.stop(), 0, "exit code")
    equal(len(lines(t)), 1000, "lines, twice or not")


@seconds(240)
def test_broker_killed_under_load(t):
    topic = t.topic("flow")
    connectors = line(t, topic)
    worker = t.sluice(connectors=connectors)
    n = 0
    for _ in range(2):
        append(t, range(n, n + 5000))
        n += 5000
        wait_for("it moves", lambda: len(lines(t)) > n - 5000, 60)
        broker_away(t)
        append(t, range(n, n + 5000))
        n += 5000
        check_trouble(t, worker, connectors)
        broker_back(t)
    wait_for("all lines", lambda: len(set(lines(t))) == n, 60)
    equal(once_in_order(lines(t)), [str(i) for i in range(n)], "lines")
    equal(once_in_order([r.value for r in t.kafka.read(topic)]), [str(i) for i in range(n)], "records")
    check_recovery(worker, connectors)
    # Offsets that could not be committed meanwhile are, without anything new coming in.
    group = f"connect-out-{topic}"
    wait_for("all committed", lambda: t.kafka.lag(group, [topic]) == 0, 60)
    equal(worker.stop(), 0, "exit code")


def rss_mb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def in_flight(worker):
    """Of all tasks, from the metrics."""
    status, text = worker.rest.call("GET", "/metrics")
    assert status == 200, status
    rows = [x for x in text.splitlines() if "active_count{" in x]  # not the averages, nor the greatest
    assert rows, text
    return sum(float(x.split()[-1]) for x in rows)


def at_rest(worker):
    """What is under way, once it stays the same for two seconds."""
    seen = in_flight(worker)
    time.sleep(2)
    return seen if in_flight(worker) == seen else None


@seconds(240)
def test_long_outage_fills_the_window_and_no_more(t):
    topic = t.topic("flow")
    window = 4 << 20
    connectors = line(t, topic, inflight__max__bytes=str(window), inflight__max__records="1000000")
    worker = t.sluice(connectors=connectors)
    append(t, ["0"])
    wait_for("it flows", lambda: lines(t))
    pid = worker.process.pid
    before = rss_mb(pid)
    broker_away(t)
    n = 60_000
    append(t, (f"{i} {'x' * 1000}" for i in range(1, n)))
    full = window // 1100
    wait_for("the window is full", lambda: in_flight(worker) >= full, 30)
    held = wait_for("nothing comes in any more", lambda: at_rest(worker), 60)
    check_trouble(t, worker, connectors)
    time.sleep(3)
    held = max(held, in_flight(worker))  # a task that was slow to fill it may have gone on meanwhile
    assert held <= window / 1000 + 4096, f"{held} records under way, of {window} bytes"
    grown = rss_mb(pid) - before
    sanitized = grown > 64 and "asan" in pathlib.Path(f"/proc/{pid}/maps").read_text()
    assert grown < 64 or sanitized, f"{grown:.0f} MB for a window of 4 MB"
    broker_back(t)
    wait_for("all lines", lambda: len({x.split()[0] for x in lines(t)}) == n, 90, every=0.5)
    equal(once_in_order(x.split()[0] for x in lines(t)), [str(i) for i in range(n)], "lines")
    check_recovery(worker, connectors)
    print(f"     RSS {before:.0f} MB, in the outage {before + grown:.0f} MB, after it {rss_mb(pid):.0f} MB")
    equal(worker.stop(), 0, "exit code")


@seconds(120)
def test_stop_while_the_broker_is_away(t):
    """Ends in time and says what is to come again; the next start sends it."""
    topic = t.topic("flow")
    connectors = line(t, topic, session_ms=6000)  # it cannot leave its group
    worker = t.sluice({"task.shutdown.graceful.timeout.ms": "3000"}, connectors)
    append(t, range(100))
    wait_for("the first lines", lambda: len(lines(t)) == 100)
    wait_for("nothing under way", lambda: in_flight(worker) == 0)
    broker_away(t)
    append(t, range(100, 200))
    wait_for("they are under way", lambda: in_flight(worker) >= 100, 30)
    equal(worker.stop(20), 0, "exit code")
    log = worker.log_text()
    assert "100 records are not yet acknowledged by Kafka" in log, log[-1500:]
    broker_back(t)
    worker.start()
    wait_for("all lines", lambda: len(set(lines(t))) == 200, 60)
    equal(once_in_order(lines(t)), [str(i) for i in range(200)], "lines")


@seconds(180)
def test_topic_that_vanishes_is_begun_again(t):
    """A topic is deleted while a task writes to it and comes back, as the brokers make it or somebody
    does: what was not written begins again from the last commit, and errors.tolerance skips nothing."""
    topic = t.topic("flow")
    name = f"in-{topic}"
    source = line(t, topic, errors__tolerance="all")[name]
    worker = t.sluice({"offset.flush.interval.ms": "100"}, {name: source})
    append(t, range(100))
    t.kafka.wait_count(topic, 100)
    position = lambda: worker.rest.ok("GET", f"/connectors/{name}/offsets")["offsets"]
    at = lambda: (position() or [{"offset": {"position": -1}}])[0]["offset"]["position"]
    size = (t.directory / "in.txt").stat().st_size
    wait_for("the offset is committed", lambda: at() == size, 30)
    t.kafka.wire.delete_topics([topic])

    def gone():  # metadata say so before the broker's replica ends, which still takes what is lost then
        try:
            return t.kafka.wire.offsets(topic, 1, LATEST)[0] == 0  # whoever asked for it had it made anew
        except KafkaError as e:
            return e.code == UNKNOWN_TOPIC

    wait_for("the topic is gone", gone, 30)
    append(t, range(100, 200))
    want = [str(i) for i in range(100, 200)]
    wait_for("what came after", lambda: topic in t.kafka.topics()
             and once_in_order([r.value for r in t.kafka.read(topic)])[-100:] == want, 90)
    equal([x["state"] for x in worker.rest.status(name)["tasks"]], ["RUNNING"], "tasks")
    equal(worker.stop(), 0, "exit code")
