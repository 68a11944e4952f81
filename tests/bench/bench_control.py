"""The control plane of a distributed worker, beside Java Connect's in the same run: start, creating, a
worker that joins, requests, memory of idle tasks, and what one more connector costs the others."""
import socket
import statistics
import time
import urllib.parse

from bench import Connect, Rest, Sluice, process_cost, wait_for

CONNECTORS, MANY = 100, 1000
STRING = "org.apache.kafka.connect.storage.StringConverter"
NOW = 0.002  # s, between two looks
PEERS = []  # all that were started


class Peer:
    """One cluster, by its kind: what differs between sluice and Java."""

    def __init__(self, bench, kind, name):
        self.bench, self.kind, self.name = bench, kind, f"control-{kind}-{name}"
        self.workers, self.files = [], bench.directory / self.name
        PEERS.append(self)
        self.files.mkdir()
        (self.files / "empty.txt").write_text("")

    def start(self, wait=True):
        """One more worker; when it was started."""
        n, since = len(self.workers), time.monotonic()
        if self.kind == "java":
            worker = Connect(self.files / f"worker{n}")
            worker.start(self.bench.kafka.bootstrap, "distributed", self.name,
                         {"scheduled.rebalance.max.delay.ms": "0"})
            worker.rest = Rest(worker.url)
        else:
            props = {"group.id": self.name, "scheduled.rebalance.max.delay.ms": "0",
                     "offset.storage.file.filename": None}
            for topic, partitions in ("config", None), ("offset", "5"), ("status", "2"):
                props[f"{topic}.storage.topic"] = f"{self.name}-{topic}"
                props[f"{topic}.storage.replication.factor"] = "1"
                if partitions:
                    props[f"{topic}.storage.partitions"] = partitions
            worker = Sluice(self.files / f"worker{n}", self.bench.kafka.bootstrap, props,
                            mode="distributed")
            worker.start(wait=wait, timeout=60)
        self.workers.append(worker)
        return since

    def again(self):
        """The first worker stops and starts; (to the first answer, to the first RUNNING task)."""
        worker = self.workers[0]
        worker.stop()
        since = time.monotonic()
        if self.kind == "java":
            worker._run("start")  # as it was; waits until it answers
        else:
            worker.start(wait=False)
        wait_for("an answer", lambda: self.rest.call("GET", "/")[0] == 200, 120, NOW)
        answered = time.monotonic() - since
        self.wait_running("idle0", 120)
        return answered, time.monotonic() - since

    @property
    def rest(self):
        return self.workers[0].rest

    def rss_mb(self):
        pid = self.workers[0].pid if self.kind == "java" else self.workers[0].process.pid
        return process_cost(pid)["rss"] / 1e6

    def source(self):
        return {"connector.class": "FileStreamSource", "file": str(self.files / "empty.txt"),
                "topic": f"{self.name}-none", "key.converter": STRING, "value.converter": STRING}

    def sink(self):
        return {"connector.class": "FileStreamSink", "file": str(self.files / "out.txt"),
                "topics": f"{self.name}-in", "key.converter": STRING, "value.converter": STRING}

    def create(self, name, config):
        """Seconds from the request to RUNNING."""
        since = time.monotonic()
        self.rest.ok("POST", "/connectors", {"name": name, "config": config})
        self.wait_running(name, 60)
        return time.monotonic() - since

    def wait_running(self, name, timeout):
        wait_for(f"{name} RUNNING",
                 lambda: self.rest.states(name) == ["RUNNING", "RUNNING"], timeout, NOW)

    def shares(self):
        """{worker: RUNNING tasks}; None while not all run."""
        status, body = self.rest.call("GET", "/connectors?expand=status")
        counts = {}
        for one in body.values() if status == 200 else ():
            tasks = one["status"]["tasks"]
            if len(tasks) != 1 or tasks[0]["state"] != "RUNNING":
                return None
            counts[tasks[0]["worker_id"]] = counts.get(tasks[0]["worker_id"], 0) + 1
        return counts

    def even(self, n):
        shares = self.shares()
        return (shares and len(shares) == n and sum(shares.values()) == CONNECTORS
                and max(shares.values()) - min(shares.values()) <= 1)

    def stop(self):
        while self.workers:
            self.workers.pop().stop()


def whole(answer):
    """Whether that is all of an answer of status 200."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    assert head.startswith(b"HTTP/1.1 200"), head
    lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n")
               if line.lower().startswith(b"content-length")]
    return len(body) >= lengths[0] if lengths else body.endswith(b"0\r\n\r\n")


def requests_s(url, path, seconds=3):
    """GETs a second on one connection."""
    parts = urllib.parse.urlsplit(url)
    ask = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    with socket.create_connection((parts.hostname, parts.port)) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        n, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            s.sendall(ask)
            answer = s.recv(1 << 20)
            while not whole(answer):
                answer += s.recv(1 << 20)
            n += 1
        return n / seconds


def starts_and_sources(bench, kind):
    """A cluster with idle sources: start, creating, requests, one more worker."""
    peer = Peer(bench, kind, "sources")
    peer.start()
    time.sleep(2)
    figures = {"rss_0_mb": peer.rss_mb()}
    first = peer.create("idle0", peer.source())
    answered, running = zip(*[peer.again() for _ in range(2 if kind == "java" else 5)])
    figures.update(rest_answers_s=statistics.median(answered), running_s=statistics.median(running))
    bench.note(f"{kind}: start, 1 connector", **figures)
    took = [first] + [peer.create(f"idle{i}", peer.source()) for i in range(1, CONNECTORS)]
    time.sleep(2)
    bench.note(f"{kind}: create to RUNNING", median_s=statistics.median(took), max_s=max(took))
    bench.note(f"{kind}: {CONNECTORS} idle source tasks", rss_mb=peer.rss_mb())
    bench.note(f"{kind}: requests",
               status_per_s=requests_s(peer.rest.url, "/connectors/idle7/status"),
               list_per_s=requests_s(peer.rest.url, "/connectors"),
               list_with_status_per_s=requests_s(peer.rest.url, "/connectors?expand=status"))
    since = peer.start(wait=False)
    exec_s = time.monotonic() - since
    wait_for("the second worker to have its half", lambda: peer.even(2), 180, 0.02)
    bench.note(f"{kind}: a worker joins {CONNECTORS} connectors", settled_s=time.monotonic() - since,
               of_it_started_s=exec_s)
    peer.stop()


def sinks(bench, kind):
    peer = Peer(bench, kind, "sinks")
    bench.kafka.create(f"{peer.name}-in", 1)
    peer.start()
    for i in range(CONNECTORS):
        peer.create(f"idle{i}", peer.sink())
    time.sleep(2)
    bench.note(f"{kind}: {CONNECTORS} idle sink tasks", rss_mb=peer.rss_mb())
    peer.stop()


def many(bench, kind):
    """A thousand idle tasks, and one more connector."""
    peer = Peer(bench, kind, "many")
    peer.start()
    since = time.monotonic()
    for i in range(MANY):
        peer.rest.ok("POST", "/connectors", {"name": f"idle{i}", "config": peer.source()})
    wait_for("all RUNNING", lambda: sum((peer.shares() or {}).values()) == MANY, 600, 0.5)
    created = time.monotonic() - since
    time.sleep(5)
    worker, statuses = peer.workers[0], f"{peer.name}-status"
    before, written = worker.cost(), bench.kafka.count(statuses)
    time.sleep(10)
    idle = worker.cost()
    assert bench.kafka.count(statuses) == written, "statuses of tasks that are idle"
    bench.note(f"{kind}: {MANY} idle source tasks", rss_mb=idle["rss"] / 1e6,
               threads=idle["threads"], cpu_percent=(idle["cpu"] - before["cpu"]) * 10,
               all_created_s=created)
    one = [peer.create(f"one-more{i}", peer.source()) for i in range(5)]
    time.sleep(1)
    told = [r.key for r in sorted(bench.kafka.read(statuses), key=lambda r: r.timestamp)][written:]
    bench.note(f"{kind}: one more connector", to_running_s=statistics.median(one),
               statuses_of_others=len([key for key in told if "one-more" not in key]))
    peer.stop()


def run(bench):
    bench.kafka.start()
    kinds = ["sluice"] if bench.options.no_java else ["sluice", "java"]
    try:
        for kind in kinds:
            starts_and_sources(bench, kind)
            sinks(bench, kind)
        many(bench, "sluice")
    finally:
        for peer in PEERS:
            peer.stop()
