"""What a case works with: calls that are written down, names of its own, waiting."""
import json
import os
import pathlib
import re
import time
import urllib.parse

from harness import raw_http, wait_for

BUSY = ("stale configuration", "worker rebalance", "rebalance was underway",
        "a rebalance is expected", "conflicting operation")
CONVERTERS = {"key.converter": "org.apache.kafka.connect.storage.StringConverter",
              "value.converter": "org.apache.kafka.connect.storage.StringConverter"}
UNSET = object()


def case(worker=None, only=None):
    """Decorator of a case. worker: properties of a worker of its own; only: "distributed" when a
    standalone worker has nothing of it."""

    def mark(function):
        function.is_case, function.worker, function.only = True, worker or {}, only
        return function

    return mark


class Context:
    """One case on one target. transcript: its steps."""

    def __init__(self, target, name, directory):
        self.target, self.name = target, name
        self.directory = pathlib.Path(directory) / name
        self.directory.mkdir(parents=True, exist_ok=True)
        self.suffix = f"-{name}-{os.getpid()}-{target.label}"
        self.transcript = []
        self._words = [*((f"127.0.0.1:{port}", "WORKER") for port in target.ports), (str(self.directory), "DIR"),
                       (self.suffix, ""), (target.group, "GROUP")]
        self._connectors, self.topics = [], []

    # ---- names of its own, which the transcript shows without what makes them so ----

    def unique(self, word):
        return word + self.suffix

    def connector(self, word="c"):
        """A name; the connector is deleted at the end."""
        name = self.unique(word)
        self._connectors.append(name)
        return name

    def topic(self, word="topic", partitions=1):
        name = self.unique(word)
        self.topics.append(name)
        self.target.kafka.create(name, partitions)
        return name

    def file(self, name, text=None):
        path = self.directory / name
        if text is not None:
            path.write_text(text)
        return str(path)

    def source(self, word="in", lines=("one", "two", "three"), **more):
        """A file source's config, with a file of these lines."""
        return {"connector.class": "FileStreamSource", "topic": self.topic(word),
                "file": self.file(f"{word}.txt", "".join(f"{line}\n" for line in lines)),
                **CONVERTERS, **more}

    def sink(self, word="out", topic=None, **more):
        return {"connector.class": "FileStreamSink", "topics": topic or self.topic(word),
                "file": self.file(f"{word}.txt"), **CONVERTERS, **more}

    # ---- asking ----

    def raw(self, method, path, body=None, headers=None):
        """(status, headers, text) of one request, nothing added and nothing written down."""
        return raw_http(self.target.port, method, path, body, headers)

    def ask(self, method, path, body=UNSET, **query):
        """(status, JSON or text); what a worker that is busy with its group refuses comes again."""
        if query:
            path += "?" + urllib.parse.urlencode(query)
        data = None if body is UNSET else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        for _ in range(120):
            status, given, text = self.raw(method, path, data, headers)
            if status not in (409, 500) or not any(words in text for words in BUSY):
                break
            time.sleep(0.25)
        if method != "GET" and status < 300:
            self.target.settle()
        try:
            return status, given, json.loads(text) if text else None
        except ValueError:
            return status, given, text

    def call(self, method, path, body=UNSET, says=None, drop=(), keep=None, **query):
        """One request, written down; its answer. says: the piece of an error's message that counts.
        drop: keys of the answer that are left out; keep: a function that picks what counts."""
        given = self.ask(method, path, body, **query)
        self._write(method, path, body, given, says, drop, keep, query)
        return given[2]

    def _write(self, method, path, body, given, says=None, drop=(), keep=None, query=None):
        status, headers, answer = given
        shown = answer
        if says is not None and isinstance(answer, dict) and says in str(answer.get("message")):
            shown = {**answer, "message": says}
        if isinstance(shown, dict):
            shown = {k: v for k, v in shown.items() if k not in drop}
        if keep and status < 300:
            shown = keep(shown)
        step = {"do": f"{method} {path}" + (f"?{urllib.parse.urlencode(query)}" if query else ""),
                "status": status, "body": shown}
        if body is not UNSET and not isinstance(body, bytes):
            step["with"] = body
        if headers.get("Content-Type"):
            step["type"] = headers["Content-Type"]
        if headers.get("Location"):
            step["location"] = headers["Location"]
        self.transcript.append(self.plain(step))

    def note(self, what, value):
        """A fact that is no answer: a topic's records, a file's text."""
        self.transcript.append(self.plain({"note": what, "value": value}))

    def create(self, name, config, **more):
        """POST; tasks are left out, as Java's echo of them may be stale."""
        return self.call("POST", "/connectors", {"name": name, "config": config, **more},
                         drop=["tasks"])

    def silently(self, method, path, body=UNSET, wanted=(200, 201, 202, 204), **query):
        """A request that only prepares: not written down, but it must go well."""
        status, _, answer = self.ask(method, path, body, **query)
        assert status in wanted, f"{method} {path}: {status} {answer}"
        return answer

    # ---- waiting ----

    def states(self, name):
        status, _, answer = self.ask("GET", f"/connectors/{name}/status")
        if status != 200:
            return None
        return [answer["connector"]["state"]] + [t["state"] for t in answer["tasks"]]

    def until_states(self, name, *wanted):
        """Waits for connector's and tasks' states; the status is written down."""

        def there(answer):
            return [answer["connector"]["state"]] + [t["state"] for t in answer["tasks"]] == list(wanted)

        self.until("GET", f"/connectors/{name}/status", there)

    def running(self, name, config, tasks=1):
        """Made, and waited for; only the status is written down."""
        self.silently("PUT", f"/connectors/{name}/config", config)
        self.until_states(name, *["RUNNING"] * (tasks + 1))

    def until(self, method, path, holds, **how):
        """Waits until the answer's JSON is as it should be, and writes it down."""

        def probe():
            given = self.ask(method, path)
            return given if holds(given[2]) else None

        self._write(method, path, UNSET, wait_for(f"{method} {path}", probe, 60), **how)

    def stopped(self, name):
        self.silently("PUT", f"/connectors/{name}/stop")
        wait_for(f"{name} STOPPED", lambda: self.states(name) == ["STOPPED"], 60)
        wait_for(f"{name} without tasks", lambda: self.ask("GET", f"/connectors/{name}")[2]["tasks"] == [], 60)

    def until_committed(self, group, topic):
        """The group's members have read all of the topic."""
        wait_for(f"{group} at the end of {topic}", lambda: self.target.kafka.lag(group, [topic]) == 0, 90)

    def values(self, topic):
        return [record.value for record in self.target.kafka.read(topic)]

    def until_values(self, topic, wanted):
        """The topic has exactly these values, in any order of partitions."""
        wait_for(f"{wanted} in {topic}", lambda: self.values(topic) == wanted, 60)
        self.note(f"values in {topic}", wanted)

    def finish(self):
        for name in self._connectors:
            self.ask("DELETE", f"/connectors/{urllib.parse.quote(name, safe='')}")

    # ---- what is the same in every run ----

    def plain(self, value):
        text = json.dumps(value, sort_keys=True)
        for given, shown in self._words:
            text = text.replace(json.dumps(given)[1:-1], shown)
        return _steady(json.loads(text))


def _steady(value, key=None):
    """Versions, times and stack traces without what changes."""
    if isinstance(value, dict):
        return {k: _steady(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_steady(v, key) for v in value]
    if key in ("version", "commit", "kafka_cluster_id", "trace") and isinstance(value, str):
        return f"<{key}>"
    if key in ("last_modified", "discoverTimestamp", "creation-timestamp") and value is not None:
        return f"<{key}>"
    if isinstance(value, str):
        return re.sub(r"%2[dD]", "-", value)
    return value
