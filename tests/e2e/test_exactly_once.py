"""Exactly-once sources (KIP-618) on distributed workers: whoever reads committed records sees each once
and in order, whatever becomes of the worker. Each test also sees that there was something to get
wrong: transactions that were cut, or duplicates where exactly-once is off."""
import json
import os
import random
import signal
import threading
import time

from harness import equal, no_duplicates, seconds, wait_for

STRING = "org.apache.kafka.connect.storage.StringConverter"
STRINGS = {"key.converter": STRING, "value.converter": STRING}
EXACTLY_ONCE = {"exactly__once__source__support": "enabled"}
GONE_MS = {"session__timeout__ms": "6000", "heartbeat__interval__ms": "1000"}


def workers(t, n=1, **more):
    """Workers that come back at once after a kill -9: each has an instance id of its own."""
    cluster = t.cluster(n, start=False, **{**EXACTLY_ONCE, **GONE_MS, **more})
    for i, one in enumerate(cluster):
        one.worker["group.instance.id"] = f"{one.worker['group.id']}-{i}"
        one.start(wait=False)
    for one in cluster:
        one.wait_ready()
    return cluster


def file_source(path, topic, **more):
    return {"connector.class": "FileStreamSource", "file": str(path), "topic": topic, **STRINGS,
            **{k.replace("__", "."): str(v) for k, v in more.items()}}


def numbers(t, topic, committed=True):
    return [int(r.value) for r in t.kafka.read(topic, committed=committed)]


class Feeder:
    """Writes numbered lines to a file until it is told to stop."""

    def __init__(self, path, lines=50, pause=0.005):
        self.path, self.lines, self.pause = path, lines, pause
        self.n, self.going = 0, True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        with open(self.path, "a", encoding="utf-8") as out:
            while self.going:
                out.writelines(f"{i}\n" for i in range(self.n, self.n + self.lines))
                out.flush()
                self.n += self.lines
                time.sleep(self.pause)

    def stop(self):
        self.going = False
        self.thread.join()
        return self.n


def kill_again_and_again(t, worker, topic, times, grown=lambda: True):
    """kill -9 whenever some more records are there, committed or not."""
    for _ in range(times):
        before = t.kafka.count(topic)
        wanted = random.randint(1, 2000)
        wait_for("more records", lambda: t.kafka.count(topic) > before + wanted, 60, every=0.01)
        worker.kill9()
        worker.start(wait=False)


def lines_across_kills(t, kills, **config):
    path, topic = t.file("in.txt", ""), t.topic()
    support = config.pop("support", "enabled")
    (worker,) = workers(t, exactly__once__source__support=support)
    worker.rest.create("lines", file_source(path, topic, **config))
    feeder = Feeder(path)
    kill_again_and_again(t, worker, topic, kills)
    n = feeder.stop()
    wait_for("the last line", lambda: t.kafka.count(topic) and (numbers(t, topic) or [0])[-1] == n - 1,
             60, every=0.5)
    return numbers(t, topic), numbers(t, topic, committed=False), n


@seconds(400)
def test_lines_come_once_across_kills(t):
    seen, written, n = lines_across_kills(t, 20, transaction__boundary="interval",
                                          transaction__boundary__interval__ms=200)
    equal(len(seen), n, "number of lines")
    assert seen == list(range(n)), "lines are missing, come twice, or are out of order"
    assert len(written) > n, "no transaction was cut by a kill: the test shows nothing"


@seconds(200)
def test_without_it_kills_make_duplicates(t):
    seen, _, n = lines_across_kills(t, 5, support="disabled")
    equal(sorted(set(seen)), list(range(n)), "lines")
    assert len(seen) > n, "no line came twice: the tests above could not fail"
