"""A proxy in front of Kafka that can also refuse to write, as a broker does whose disk is full."""
import struct

from tcp_proxy import Proxy

PRODUCE = 0
STORAGE_ERROR = 56  # KAFKA_STORAGE_ERROR
NOT_LEADER = 6       # NOT_LEADER_OR_FOLLOWER, as of a broker that has just come back
OLDEST, NEWEST = 3, 8  # versions of produce requests: the later ones have tagged fields


class KafkaProxy(Proxy):
    """For a broker of kafka.sh: clients that come in by it are told to come by it always."""

    def __init__(self, kafka, fenced):
        """fenced: clients whose producers take over from each other. Else nothing but the broker's having come
        to the end of a connection makes sure that what was sent last by way of it (by one who died, say) is
        not written after what the next one sends: Connect's producers are not idempotent by default."""
        self.refusing, self.refused = False, 0
        self.keeping, self.kept = False, None  # a client, and the answer that it waits for
        self.held = {}  # by client: the beginning of a request that was not forwarded yet
        self.rest = {}  # by client: bytes to come of one that is being forwarded
        super().__init__(int(kafka["KAFKA_PROXIED_PORT"]), listen=int(kafka["KAFKA_PROXY_PORT"]))
        self.orderly = not fenced

    def refuse(self, on):
        """Whether produce requests are answered with an error, and never reach the broker."""
        with self.lock:
            self.refusing = on

    def keep_one(self):
        """The next produce request never reaches the broker, and is refused by refuse_kept(); those behind
        it get through."""
        with self.lock:
            self.keeping, self.kept = True, None

    def refuse_kept(self):
        with self.lock:
            client, answer = self.kept
            client.sendall(answer)

    def close(self, pair, reset=False):
        self.held.pop(pair[0], None)
        self.rest.pop(pair[0], None)
        super().close(pair, reset)

    def receive(self, source, side):
        data = super().receive(source, side)
        if side == 1:
            return data
        data, out = self.held.pop(source, b"") + data, b""
        while data:
            n = self.rest.pop(source, 0)
            if not n:  # a request begins
                size = struct.unpack_from(">i", data)[0] + 4 if len(data) >= 4 else 0
                if not size or ((self.refusing or self.keeping) and len(data) < size):
                    self.held[source] = data
                    break
                if (self.refusing or self.keeping) and \
                        (answer := refusal(data[4:size], STORAGE_ERROR if self.refusing else NOT_LEADER)):
                    answer = struct.pack(">i", len(answer)) + answer
                    if self.refusing:
                        self.refused += 1
                        source.sendall(answer)
                    else:
                        self.keeping, self.kept = False, (source, answer)
                    data = data[size:]
                    continue
                n = size
            out, data, n = out + data[:n], data[n:], n - len(data[:n])
            if n:
                self.rest[source] = n
        return out


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, fmt):
        value, = struct.unpack_from(">" + fmt, self.data, self.at)
        self.at += struct.calcsize(">" + fmt)
        return value

    def raw(self, fmt):
        """What follows a length, the length included; -1: nothing does."""
        start, n = self.at, self.take(fmt)
        self.at += max(0, n)
        return self.data[start:self.at]


def refusal(request, error):
    """The answer to a produce request; None: it is another one."""
    r = Reader(request)
    api, version, correlation = r.take("h"), r.take("h"), r.take("i")
    if api != PRODUCE:
        return None
    assert OLDEST <= version <= NEWEST, f"produce requests of version {version} are not known here"
    r.raw("h"), r.raw("h")  # client, transactional id
    r.take("h"), r.take("i")  # acks, timeout
    topics = r.take("i")
    answer = struct.pack(">ii", correlation, topics)
    for _ in range(topics):
        answer += r.raw("h")
        partitions = r.take("i")
        answer += struct.pack(">i", partitions)
        for _ in range(partitions):
            answer += struct.pack(">ihqq", r.take("i"), error, -1, -1)
            r.raw("i")
            if version >= 5:
                answer += struct.pack(">q", -1)  # the log's start
            if version >= 8:
                answer += struct.pack(">ih", 0, -1)  # no records, no message
    return answer + struct.pack(">i", 0)
