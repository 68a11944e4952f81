"""The workers that cases can be run on: Java's, sluice distributed (the only worker, or
one that follows), sluice standalone."""
import os
import pathlib

from harness import Connect, Rest, Sluice, raw_http, wait_for


class Target:
    """One worker of a group of its own. label: what it is called in names."""

    label = None
    distributed = True

    def __init__(self, kafka, directory, worker, number):
        self.kafka, self.worker = kafka, worker
        self.directory = pathlib.Path(directory) / f"{self.label}{number}"
        self.group = f"conformance-{self.label}-{os.getpid()}-{number}"
        self.process = None

    @property
    def port(self):
        return self.process.port

    @property
    def ports(self):
        """Of all workers that statuses may name."""
        return [self.port]

    def log_text(self):
        return self.process.log_text()

    def settle(self):
        """What was written is read back."""

    def internal_topics(self):
        return [f"{self.group}-{kind}" for kind in ("configs", "offsets", "status")] if self.distributed else []


class Java(Target):
    label = "java"

    def start(self):
        self.process = Connect(self.directory)
        self.process.start(self.kafka.bootstrap, "distributed", self.group, self.worker)
        self.process.rest = Rest(self.process.url)

    def stop(self):
        self.process.kill9()


class Standalone(Target):
    label = "standalone"
    distributed = False

    def start(self):
        self.process = Sluice(self.directory, self.kafka.bootstrap, self.worker).start()

    def stop(self):
        if self.process.process:
            self.process.kill9()


class Distributed(Standalone):
    label = "distributed"
    distributed = True

    def properties(self):
        properties = {"offset.storage.file.filename": None, "group.id": self.group}
        for kind, partitions in ("config", None), ("offset", 5), ("status", 2):
            topic = {"config": "configs", "offset": "offsets", "status": "status"}[kind]
            properties[f"{kind}.storage.topic"] = f"{self.group}-{topic}"
            properties[f"{kind}.storage.replication.factor"] = 1
            if partitions:
                properties[f"{kind}.storage.partitions"] = partitions
        return {**properties, **self.worker}

    def start(self):
        self.process = Sluice(self.directory, self.kafka.bootstrap, self.properties(),
                              mode="distributed").start()


class Follower(Distributed):
    """One of two workers, the one that does not lead."""

    label = "follower"

    def start(self):
        self.leader = Sluice(self.directory / "leader", self.kafka.bootstrap, self.properties(),
                             mode="distributed").start()
        super().start()

    @property
    def ports(self):
        return [self.port, self.leader.port]

    def settle(self):
        """It reads what the leader wrote from the topic, a little later than the leader answers."""
        told = lambda port: raw_http(port, "GET", "/connectors?expand=info")[::2]
        wait_for("the follower has read it", lambda: told(self.port) == told(self.leader.port))

    def stop(self):
        super().stop()
        if self.leader.process:
            self.leader.kill9()


TARGETS = {kind.label: kind for kind in (Java, Distributed, Follower, Standalone)}
