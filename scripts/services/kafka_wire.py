"""The few Kafka requests that kcat has no command for, over one blocking socket.

Only versions without tagged fields are used, which Kafka 4 still speaks. One broker is assumed to
lead and coordinate everything, as in the test cluster.
"""
import socket
import struct
import time

ERRORS = {3: "unknown topic or partition", 7: "request timed out", 17: "invalid topic",
          36: "topic already exists", 37: "invalid partitions", 40: "invalid config"}
CREATE_TOPICS, DELETE_TOPICS, METADATA, LIST_OFFSETS, OFFSET_FETCH = 19, 20, 3, 2, 9
FIND_COORDINATOR, INCREMENTAL_ALTER_CONFIGS = 10, 44
TOPIC, SET = 2, 0  # a kind of resource; what is done to a config
NO_COORDINATOR_YET = (14, 15, 16)
NO_LEADER_YET = (5, 6)
LATEST, EARLIEST = -1, -2


class KafkaError(RuntimeError):
    def __init__(self, what, code):
        super().__init__(f"{what}: {ERRORS.get(code, 'error')} ({code})")
        self.code = code


def _string(s):
    if s is None:
        return struct.pack(">h", -1)
    raw = s.encode()
    return struct.pack(">h", len(raw)) + raw


def _array(items):
    items = list(items)
    return struct.pack(">i", len(items)) + b"".join(items)


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, fmt):
        (value,) = struct.unpack_from(">" + fmt, self.data, self.at)
        self.at += struct.calcsize(">" + fmt)
        return value

    def string(self):
        n = self.take("h")
        if n < 0:
            return None
        self.at += n
        return self.data[self.at - n:self.at].decode()

    def array(self, item):
        return [item() for _ in range(max(0, self.take("i")))]


class KafkaWire:
    def __init__(self, bootstrap, timeout=30):
        host, port = bootstrap.rsplit(":", 1)
        self.address, self.timeout = (host, int(port)), timeout
        self.correlation = 0

    def _call(self, api, version, body):
        self.correlation += 1
        message = struct.pack(">hhi", api, version, self.correlation) + _string("tests") + body
        with socket.create_connection(self.address, self.timeout) as s:
            s.sendall(struct.pack(">i", len(message)) + message)
            stream = s.makefile("rb")
            (size,) = struct.unpack(">i", stream.read(4))
            answer = stream.read(size)
        return _Reader(answer[4:])

    def create_topic(self, name, partitions=1, config=None):
        entries = _array(_string(k) + _string(str(v)) for k, v in (config or {}).items())
        topic = _string(name) + struct.pack(">ih", partitions, 1) + _array([]) + entries
        r = self._call(CREATE_TOPICS, 2, _array([topic]) + struct.pack(">i?", 15000, False))
        r.take("i")  # throttle time
        for topic, code, message in r.array(lambda: (r.string(), r.take("h"), r.string())):
            if code:
                raise KafkaError(f"create {topic} ({message})", code)

    def delete_topics(self, names):
        r = self._call(DELETE_TOPICS, 1, _array(map(_string, names)) + struct.pack(">i", 15000))
        r.take("i")
        for topic, code in r.array(lambda: (r.string(), r.take("h"))):
            if code not in (0, 3):
                raise KafkaError(f"delete {topic}", code)

    def configure_topic(self, name, **config):
        """Config names with _ for the dots."""
        entries = _array(_string(k.replace("_", ".")) + struct.pack(">b", SET) + _string(str(v))
                         for k, v in config.items())
        resource = struct.pack(">b", TOPIC) + _string(name) + entries
        r = self._call(INCREMENTAL_ALTER_CONFIGS, 0, _array([resource]) + struct.pack(">?", False))
        r.take("i")
        for code, message in r.array(lambda: (r.take("h"), r.string(), r.take("b"), r.string())[:2]):
            if code:
                raise KafkaError(f"configure {name} ({message})", code)

    def topics(self, led=False):
        """{name: number of partitions}, internal topics left out; led: and those without a leader"""
        r = self._call(METADATA, 4, struct.pack(">i?", -1, False))
        r.take("i")
        r.array(lambda: (r.take("i"), r.string(), r.take("i"), r.string()))  # brokers
        r.string(), r.take("i")  # cluster, controller

        def ints():
            return r.array(lambda: r.take("i"))

        def partition():
            return r.take("h"), r.take("i"), r.take("i"), ints(), ints()

        def topic():
            return r.take("h"), r.string(), r.take("?"), r.array(partition)

        return {name: len(parts) for code, name, internal, parts in r.array(topic)
                if not internal and not code and not (led and any(p[0] for p in parts))}

    def offsets(self, topic, partitions, when):
        """{partition: offset} at LATEST (as read_uncommitted sees it), EARLIEST or a timestamp;
        waits while a broker that has just started does not lead the partitions yet"""
        deadline = time.monotonic() + self.timeout
        while True:
            found = self._offsets(topic, partitions, when)
            failed = next(((p, code) for p, code, _, _ in found if code), None)
            if not failed:
                return {p: offset for p, _, _, offset in found}
            p, code = failed
            if code not in NO_LEADER_YET or time.monotonic() > deadline:
                raise KafkaError(f"offsets of {topic}-{p}", code)
            time.sleep(0.1)

    def _offsets(self, topic, partitions, when):
        wanted = _array(struct.pack(">iq", p, when) for p in range(partitions))
        body = struct.pack(">ib", -1, 0) + _array([_string(topic) + wanted])
        r = self._call(LIST_OFFSETS, 2, body)
        r.take("i")

        def partition():
            return r.take("i"), r.take("h"), r.take("q"), r.take("q")

        ((_, found),) = r.array(lambda: (r.string(), r.array(partition)))
        return found

    def committed(self, group):
        """{(topic, partition): offset} of a consumer group"""
        deadline = time.monotonic() + self.timeout
        while True:
            code, offsets = self._committed(group)
            if code == 0:
                return offsets
            if code not in NO_COORDINATOR_YET or time.monotonic() > deadline:
                raise KafkaError(f"offsets of group {group}", code)
            # Asking for the coordinator makes the broker create its offsets topic.
            self._call(FIND_COORDINATOR, 1, _string(group) + struct.pack(">b", 0))
            time.sleep(0.1)

    def _committed(self, group):
        r = self._call(OFFSET_FETCH, 3, _string(group) + struct.pack(">i", -1))
        r.take("i")

        def partition():
            return r.take("i"), r.take("q"), r.string(), r.take("h")

        topics = r.array(lambda: (r.string(), r.array(partition)))
        return r.take("h"), {(t, p): at for t, found in topics for p, at, _, _ in found if at >= 0}
