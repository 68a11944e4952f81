"""The internal topics of a cluster: made and checked, read to their ends, followed over a broker's
crash, and read_committed. Drives tests/e2e/store_tool.c."""
import secrets
import subprocess

from harness import BINARY


class Tool:
    def __init__(self, t):
        self.log = open(t.directory / "store_tool.log", "ab")
        self.process = subprocess.Popen([BINARY.parent / "tests/store_tool", t.kafka.bootstrap],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, text=True)

    def __call__(self, *words):
        self.process.stdin.write("\t".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"store_tool ended at {words}"
        return answer.rstrip("\n")

    def ok(self, *words):
        answer = self(*words)
        assert answer == "OK", (words, answer)

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0
        self.process.stdout.close()
        self.log.close()


def names(t, *kinds):
    base = f"{t.unique()}-{secrets.token_hex(3)}"  # the broker may have those of an earlier run
    return [f"{base}-{kind}" for kind in kinds]


def test_topics_are_made_and_checked(t):
    tool = Tool(t)
    config, other, many, plain = names(t, "configs", "offsets", "many", "plain")
    tool.ok("ensure", "config", config, 1, -1, "single")
    tool.ok("ensure", "config", config, 1, -1, "single")
    tool.ok("ensure", "offset", other, 7, 1, "many", "min.insync.replicas", "1")
    topics = t.kafka.topics()
    assert topics[config] == 1 and topics[other] == 7
    t.kafka.create(many, 3, cleanup_policy="compact")
    answer = tool("ensure", "config", many, 1, -1, "single")
    assert answer.startswith("FAIL") and "has 3 partitions" in answer, answer
    assert f"kafka-topics.sh --bootstrap-server {t.kafka.bootstrap} --delete" in answer
    tool.ok("ensure", "offset", many, 3, -1, "many")
    t.kafka.create(plain)
    for policy in "delete", "compact,delete":
        if policy != "delete":
            plain += "-both"
            t.kafka.create(plain, 1, cleanup_policy=policy)
        answer = tool("ensure", "status", plain, 1, -1, "many")
        assert f"cleanup.policy={policy} but must have compact" in answer, answer
        assert f"--entity-name {plain} --add-config cleanup.policy=compact" in answer, answer
    answer = tool("ensure", "status", plain + "3", 1, 3, "many")
    assert answer.startswith("FAIL") and "status.storage.replication.factor" in answer, answer
    answer = tool("ensure", "status", "no such name", 1, 1, "many")
    assert answer.startswith("FAIL") and "no such name" in answer, answer
    tool.end()


def test_reader_sees_what_was_committed_before(t):
    a, b = names(t, "a", "b")
    t.kafka.create(a, 1, cleanup_policy="compact")
    t.kafka.create(b, 5, cleanup_policy="compact")
    tool = Tool(t)
    tool.ok("open", a, b)
    tool.ok("catch_up", "*", 30000)
    assert tool("count", a) == "0"
    for i in range(100):
        tool.ok("write", a, f"k{i % 10}", i)
        tool.ok("write", b, f"k{i % 10}", i)
    assert tool("flush", 30000) == "OK 0 failed"
    tool.ok("catch_up", a, 30000)
    assert tool("count", a) == "100"
    tool.ok("catch_up", b, 30000)
    assert tool("count", b) == "100"
    # Of one key, in order.
    assert [tool("get", b, f"k{i}") for i in range(10)] == [str(90 + i) for i in range(10)]
    tool.ok("write", b, "k0")
    assert tool("flush", 30000) == "OK 0 failed"
    tool.ok("catch_up", "*", 30000)
    assert tool("get", b, "k0") == "(null)"
    late = Tool(t)
    late.ok("open", b)
    late.ok("catch_up", b, 30000)
    assert late("count", b) == "101" and late("get", b, "k9") == "99"
    late.end()
    tool.end()


def test_reader_does_not_see_what_was_aborted(t):
    topic, = names(t, "t")
    t.kafka.create(topic, 3, cleanup_policy="compact")
    tool = Tool(t)
    tool.ok("open", topic)
    tool.ok("txn", "commit", topic, "a", 10)
    tool.ok("catch_up", topic, 30000)  # over control records at the ends
    assert tool("count", topic) == "10"
    tool.ok("txn", "abort", topic, "b", 10)
    tool.ok("catch_up", topic, 30000)
    assert tool("count", topic) == "10" and tool("get", topic, "b0") == "(none)"
    tool.ok("txn", "commit", topic, "c", 1)
    tool.ok("catch_up", topic, 30000)
    assert tool("count", topic) == "11" and tool("get", topic, "c0") == "v"
    late = Tool(t)
    late.ok("open", topic)
    late.ok("catch_up", topic, 30000)
    assert late("count", topic) == "11"
    late.end()
    tool.end()


def test_reader_and_writer_survive_a_broker_crash(t):
    topic, = names(t, "t")
    t.kafka.create(topic, 3, cleanup_policy="compact")
    tool = Tool(t)
    tool.ok("open", topic)
    tool.ok("write", topic, "before", 1)
    assert tool("flush", 30000) == "OK 0 failed"
    tool.ok("catch_up", topic, 30000)
    t.kafka.kill9()
    try:
        tool.ok("write", topic, "during", 1)
        tool.ok("write", topic, "during", 2)
        assert tool("flush", 100).startswith("RETRY")
        assert tool("catch_up", topic, 100).startswith("RETRY")
    finally:
        t.kafka.restart()
    assert tool("flush", 60000) == "OK 0 failed"
    tool.ok("catch_up", topic, 60000)
    assert tool("get", topic, "during") == "2" and tool("get", topic, "before") == "1"
    tool.ok("write", topic, "after", 3)
    assert tool("flush", 60000) == "OK 0 failed"
    tool.ok("catch_up", topic, 60000)
    assert tool("get", topic, "after") == "3"
    tool.end()


def test_reader_of_a_topic_that_is_not_there(t):
    topic, = names(t, "late")
    tool = Tool(t)
    tool.ok("open", topic)
    answer = tool("catch_up", topic, 300)
    assert answer.startswith(("FAIL", "RETRY")), answer
    t.kafka.create(topic, 2, cleanup_policy="compact")
    tool.ok("catch_up", topic, 30000)
    tool.ok("write", topic, "k", 1)
    assert tool("flush", 30000) == "OK 0 failed"
    tool.ok("catch_up", topic, 30000)
    assert tool("get", topic, "k") == "1"
    tool.end()
