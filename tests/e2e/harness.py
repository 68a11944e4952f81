"""What an end-to-end test gets: real services, sluice processes, names of its own, cleaning up.

A test is a function test_*(t) in a file test_*.py of this directory; t is a Test. It fails by an
exception: plain assert, or equal(). Run with tests/e2e/run.py.
"""
import difflib
import itertools
import json
import os
import pathlib
import pprint
import random
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts/services"))

import clients  # noqa: E402
from clients import Connect, Postgres, PostgresVersion, Record, Services, http, raw_http, unwrap, wait_for  # noqa: E402,F401
from sluice import BINARY, Rest, Sluice, free_port  # noqa: E402,F401

# A test that fails for want of time says nothing of sluice: limits are this many times what a test
# asks for, and are there for what hangs.
clients.PATIENCE = PATIENCE = 3
# So long may it take a killed worker's successor to come to the rows that it had sent already.
os.environ.setdefault("BIGQUERY_REMEMBERS_S", "600")


def seconds(limit):
    """Decorator: the time a test may take (times PATIENCE); 120 s without it."""

    def mark(test):
        test.limit = limit
        return test

    return mark


def equal(got, wanted, what=""):
    """assert got == wanted, with the difference in the message."""
    if got == wanted:
        return
    a, b = (pprint.pformat(v, width=100).splitlines() for v in (wanted, got))
    if len(a) == len(b) == 1:
        raise AssertionError(f"{what or 'values'}: wanted {a[0]}, got {b[0]}")
    diff = list(difflib.unified_diff(a, b, "wanted", "got", lineterm="", n=2))
    raise AssertionError("\n".join([f"{what or 'values'} differ:"] + diff[:60]))


def becomes(probe, wanted, what, timeout=30):
    """Waits until probe() == wanted; the difference is in the message."""
    got = None

    def check():
        nonlocal got
        got = probe()
        return got == wanted

    try:
        wait_for(what, check, timeout)
    except AssertionError as e:
        equal(got, wanted, f"{e}\n{what}")
        raise


def no_duplicates(items, what="items"):
    seen, twice = set(), set()
    for item in items:
        (twice if item in seen else seen).add(item)
    assert not twice, f"{len(twice)} {what} more than once, such as {sorted(twice, key=str)[:5]}"


_numbers = itertools.count()
_run = "".join(random.SystemRandom().choices("abcdefghijklmnopqrstuvwxyz", k=3))


class Test:
    def __init__(self, name, services, directory):
        self.name = name
        self.services = services
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._cleanups = []
        self._postgres = None
        self._workers = []
        self._peers = []
        self.processes = []  # further ones, each with a process and a log that a failure shows

    # ---- names and files of its own ----

    def unique(self, word="t"):
        """A name that nobody else uses, no other run on the same services either (groups and slots
        outlive topics and databases); fit for topics, databases, slots and datasets."""
        return re.sub(r"[^a-z0-9_]", "_", f"{word}_{self.name}".lower())[:46] + f"_{next(_numbers)}{_run}"

    def file(self, name, content):
        path = self.directory / name
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
        return path

    def cleanup(self, call, *args):
        """Called at the end, last one first, whatever happens."""
        self._cleanups.append((call, args))

    # ---- services ----

    @property
    def kafka(self):
        return self.services.kafka

    @property
    def postgres(self):
        return self._postgres or self.services.postgres

    def use_postgres(self, version):
        """From here on, postgres and database() are those of a server of this version."""
        self._postgres = self.services.postgres_version(version)
        return self._postgres

    @property
    def bigquery(self):
        return self.services.bigquery

    @property
    def registry(self):
        return self.services.registry

    def topic(self, word="topic", partitions=1, **config):
        """A new, empty topic."""
        name = self.unique(word)
        self.cleanup(self.kafka.wire.delete_topics, [name])
        self.kafka.create(name, partitions, **config)
        return name

    def database(self):
        """A new database, owned by the role sluice; dropped with its slots."""
        name = self.unique("db")
        self.postgres.create_database(name)
        self.cleanup(self.postgres.drop_database, name)
        return name

    def dataset(self):
        name = self.unique("ds")
        self.bigquery.create_dataset(name)
        self.cleanup(self.bigquery.drop_dataset, name)
        return name

    # ---- the worker ----

    def sluice(self, worker=None, connectors=None, start=True, **how):
        """A worker with files of its own; killed at the end if it still runs."""
        directory = self.directory / f"worker{len(self._workers)}"
        process = Sluice(directory, self.kafka.bootstrap, worker, connectors, **how)
        self._workers.append(process)
        self.cleanup(lambda: process.process and process.kill9())
        return process.start() if start else process

    def cluster(self, n=1, start=True, **worker):
        """n distributed workers of one group, with topics of their own that are deleted at the end.
        worker: properties, "__" for "."."""
        name = self.unique("cluster")
        props = {"group.id": name, "scheduled.rebalance.max.delay.ms": "0",
                 "offset.storage.file.filename": None}
        for kind in ("config", "offset", "status"):
            props[f"{kind}.storage.topic"] = f"{name}-{kind}"
            props[f"{kind}.storage.replication.factor"] = "1"
        props.update({k.replace("__", "."): v for k, v in worker.items()})
        topics = [props[f"{kind}.storage.topic"] for kind in ("config", "offset", "status")]
        self.cleanup(self.kafka.wire.delete_topics, topics)
        workers = [self.sluice(props, start=False, mode="distributed") for _ in range(n)]
        for one in workers if start else []:
            one.start(wait=False)
        for one in workers if start else []:
            one.wait_ready()
        for one in workers if start else []:  # healthy it is before there is a leader
            wait_for("a leader", lambda one=one: one.rest.call("POST", "/connectors/nobody/restart")[0] == 404)
        return workers

    def connect(self, mode="distributed", group=None, worker=None, **env):
        """A Java worker with files of its own, see Connect; killed at the end. Its rest is as
        sluice's."""
        peer = Connect(self.directory / f"java{len(self._peers)}")
        self._peers.append(peer)
        self.cleanup(peer.kill9)
        peer.start(self.kafka.bootstrap, mode, group, worker, **env)
        peer.rest = Rest(peer.url)
        return peer

    def finish(self):
        """Clean up; the errors of it."""
        errors = []
        while self._cleanups:
            call, args = self._cleanups.pop()
            try:
                call(*args)
            except Exception as e:
                errors.append(f"cleaning up: {e}")
        return errors

    def stacks(self):
        """What the threads of its workers are at, for a test that hangs."""
        text = ""
        for worker in self._workers + self.processes:
            if not worker.process or worker.process.poll() is not None or not shutil.which("gdb"):
                continue
            run = subprocess.run(["gdb", "-p", str(worker.process.pid), "-batch", "-nx",
                                  "-ex", "set debuginfod enabled off", "-ex", "thread apply all bt 20"],
                                 stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
            frames = [line for line in run.stdout.splitlines() if line.startswith(("#", "Thread"))]
            text += "\n".join([f"-- threads of {worker.log.parent.name}", *frames[-400:], ""])
        return text

    def logs(self):
        logs = [w.log for w in self._workers + self.processes] + [p.directory / "connect/log" for p in self._peers]
        return [log for log in logs if log.exists()]
