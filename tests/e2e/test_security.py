"""Kafka behind SASL_SSL and behind TLS with certificates of clients: every client of a worker and of its
connectors, what wrong passwords and unknown authorities say, and that no password stands anywhere."""
import re
import subprocess
from types import SimpleNamespace

from harness import BINARY, equal, http, seconds, wait_for

STRING = "org.apache.kafka.connect.storage.StringConverter"
STRINGS = {"key.converter": STRING, "value.converter": STRING}
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
WRONG = "not-the-s3cret-of-kafka"


def behind(t):
    """t.kafka is the secure broker from now on, for the test itself without security."""
    broker = t.services.secure_kafka
    t.services = SimpleNamespace(kafka=broker)
    return broker


def sasl(broker, mechanism="PLAIN", password=None, authority="ca.pem"):
    module = PLAIN if mechanism == "PLAIN" else SCRAM
    return {"security.protocol": "SASL_SSL", "sasl.mechanism": mechanism,
            "sasl.jaas.config": f'{module} required username="sluice" '
                                f'password="{password or broker.password}";',
            "ssl.truststore.type": "PEM", "ssl.truststore.location": broker.tls(authority)}


def certificates(broker):
    """PKCS#12 as Java has it, without types: Java's default reads them too."""
    return {"security.protocol": "SSL", "ssl.truststore.location": broker.tls("ca.p12"),
            "ssl.truststore.password": broker.password,
            "ssl.keystore.location": broker.tls("client.p12"),
            "ssl.keystore.password": broker.password}


def prefixed(prefix, props):
    return {prefix + k: v for k, v in props.items()}


def repeated(props):
    """For the worker's own clients, and, as Connect demands, again for those of its tasks."""
    return {**props, **prefixed("producer.", props), **prefixed("consumer.", props)}


def bounds(props):
    """For cluster(): "__" for "."."""
    return {k.replace(".", "__"): v for k, v in props.items()}


def file_source(path, topic, **more):
    return {"connector.class": "FileStreamSource", "file": str(path), "topic": topic, **STRINGS, **more}


def file_sink(path, topic, **more):
    return {"connector.class": "FileStreamSink", "file": str(path), "topics": topic, **STRINGS, **more}


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def nowhere(worker, *words, names=()):
    """None of the words in what the worker said or says."""
    paths = ["/connectors?expand=status&expand=info", "/metrics", "/health", "/"]
    said = [worker.log_text()] + [str(http("GET", worker.rest.url + p)) for p in paths]
    for name in names:
        said += [str(worker.rest.call("GET", f"/connectors/{name}/{p}"))
                 for p in ("status", "tasks", "offsets")]
    for text in said:
        for word in words:
            assert word not in text, f"{word!r} stands in {text[:2000]}"


def round_trip(t, worker, **more):
    """A file through a topic into a file, by a source and a sink of this worker."""
    topic, into, out = t.topic(), t.file("in.txt", "one\ntwo\n"), t.directory / "out.txt"
    worker.rest.create("in", file_source(into, topic, **more))
    worker.rest.create("out", file_sink(out, topic, **more))
    wait_for("both lines", lambda: lines(out) == ["one", "two"], 60)
    return topic, into, out


def test_standalone_over_sasl_ssl(t):
    broker = behind(t)
    worker = t.sluice({"bootstrap.servers": broker.sasl_bootstrap, **repeated(sasl(broker))})
    topic, into, out = round_trip(t, worker)
    nowhere(worker, broker.password, names=["in", "out"])
    equal(worker.stop(), 0, "exit code")
    equal(t.kafka.lag("connect-out", [topic]), 0, "lag")


def librdkafka():
    """The version that the binary runs with: (2, 0, 2)."""
    said = subprocess.run([BINARY, "--version"], check=True, capture_output=True, text=True).stdout
    return tuple(map(int, re.search(r"librdkafka (\d+)\.(\d+)\.(\d+)", said).groups()))


def scram(t, mechanism):
    """librdkafka before 2.6.1 cannot log in to Kafka 4 by SCRAM: then that is what a task says."""
    broker = behind(t)
    worker = t.sluice({"bootstrap.servers": broker.sasl_bootstrap, **repeated(sasl(broker, mechanism))})
    if librdkafka() >= (2, 6, 1):
        round_trip(t, worker)
    else:
        worker.rest.create("in", file_source(t.file("in.txt", "one\n"), t.topic()))
        wait_for("the hint", lambda: (trace := worker.rest.trace("in")) and all(
            p in trace for p in ("2.6.1 and later can", mechanism)), 60)
    nowhere(worker, broker.password, names=["in"])
    equal(worker.stop(), 0, "exit code")


def test_scram_sha_256(t):
    scram(t, "SCRAM-SHA-256")


def test_scram_sha_512(t):
    scram(t, "SCRAM-SHA-512")


def cluster_of(t, broker, bootstrap, security):
    worker = {"bootstrap.servers": bootstrap, "exactly.once.source.support": "enabled",
              **repeated(security)}
    return t.cluster(2, **bounds(worker))


def distributed(t, broker, bootstrap, security):
    """Internal topics, group, transactions, admin requests, offsets of sinks: all of them."""
    workers = cluster_of(t, broker, bootstrap, security)
    rest = workers[0].rest
    topic, into, out = round_trip(t, workers[0], **{"topic.creation.default.partitions": "1",
                                                    "topic.creation.default.replication.factor": "1"})
    equal([r.value for r in t.kafka.read(topic)], ["one", "two"], "committed records")
    # a sink's offsets are the group's: read and altered by the admin client
    wait_for("a committed offset", lambda: rest.ok("GET", "/connectors/out/offsets")["offsets"], 60)
    rest.ok("PUT", "/connectors/out/stop")
    wait_for("stopped", lambda: rest.states("out") == ["STOPPED"], 60)
    wait_for("reset", lambda: rest.call("DELETE", "/connectors/out/offsets")[0] == 200, 60)
    equal(rest.ok("GET", "/connectors/out/offsets")["offsets"], [], "offsets after the reset")
    rest.ok("PUT", "/connectors/out/resume")
    wait_for("the lines again", lambda: lines(out) == ["one", "two"] * 2, 60)
    with open(into, "a", encoding="utf-8") as more:
        more.write("three\n")
    wait_for("a line more", lambda: lines(out)[4:] == ["three"], 60)
    for worker in workers:
        nowhere(worker, broker.password, names=["in", "out"])
        equal(worker.stop(), 0, "exit code")


@seconds(240)
def test_cluster_over_sasl_ssl(t):
    broker = behind(t)
    distributed(t, broker, broker.sasl_bootstrap, sasl(broker))


@seconds(240)
def test_cluster_by_scram(t):
    """The group, transactions and admin requests log in alike; before 2.6.1 the worker ends and says why."""
    broker = behind(t)
    if librdkafka() >= (2, 6, 1):
        distributed(t, broker, broker.sasl_bootstrap, sasl(broker, "SCRAM-SHA-256"))
    else:
        said = ends(t, broker, sasl(broker, "SCRAM-SHA-256"))
        assert "2.6.1 and later can" in said, said


@seconds(240)
def test_cluster_with_certificates(t):
    broker = behind(t)
    distributed(t, broker, broker.ssl_bootstrap, certificates(broker))


@seconds(180)
def test_overrides_are_the_connectors_own(t):
    """The worker's clients go in the clear; a connector names another listener and its security."""
    broker = behind(t)
    own = {"bootstrap.servers": broker.sasl_bootstrap, **sasl(broker)}
    (worker,) = t.cluster()
    round_trip(t, worker, **prefixed("producer.override.", own), **prefixed("consumer.override.", own),
               **prefixed("admin.override.", own))
    answer = worker.rest.ok("GET", "/connectors/in/config")
    assert "sasl.jaas.config" in str(answer), answer
    nowhere_but_config(worker, broker.password)
    equal(worker.stop(), 0, "exit code")


def nowhere_but_config(worker, word):
    """Connect's REST shows configs as they were given; nothing else may hold the password."""
    for path in ("/metrics", "/connectors/in/status", "/connectors/out/status", "/health"):
        assert word not in str(http("GET", worker.rest.url + path)), path
    assert word not in worker.log_text(), "the password stands in the log"


@seconds(240)
def test_tasks_that_may_not_and_do_not_trust(t):
    """The worker's own clients are right, those of its tasks are not: the trace says why, and what is
    mended runs."""
    broker = behind(t)
    worker = t.sluice({"bootstrap.servers": broker.sasl_bootstrap, **sasl(broker)})
    topic = t.topic()
    cases = {"wrong": (sasl(broker, password=WRONG), ["uthentication"]),
             "stranger": (sasl(broker, authority="stranger.pem"), ["certificate verify failed"]),
             "none": ({}, ["brokers at"])}
    for name, (security, pieces) in cases.items():
        path = t.file(f"{name}.txt", "line\n")
        worker.rest.create(f"{name}-in", file_source(path, topic,
                                                     **prefixed("producer.override.", security)))
        worker.rest.create(f"{name}-out", file_sink(t.directory / f"{name}.out", topic,
                                                    **prefixed("consumer.override.", security)))
        for kind in ("in", "out"):
            full = f"{name}-{kind}"
            wait_for(f"{full} tells {pieces}", lambda: (trace := worker.rest.trace(full)) and all(
                p in trace for p in [*pieces, broker.sasl_bootstrap]), 60)
    equal(t.kafka.count(topic), 0, "records")
    right = prefixed("producer.override.", sasl(broker))
    worker.rest.create("wrong-in", file_source(t.directory / "wrong.txt", topic, **right))
    t.kafka.wait_count(topic, 1)
    for path in ("/metrics", "/connectors?expand=status"):
        text = str(http("GET", worker.rest.url + path))
        assert WRONG not in text and broker.password not in text, path
    assert WRONG not in worker.log_text() and broker.password not in worker.log_text()
    assert "uthentication" in worker.log_text() and "certificate verify failed" in worker.log_text()
    equal(worker.stop(), 0, "exit code")


def ends(t, broker, security, code=1):
    """What a distributed worker says that these properties let end."""
    (worker,) = t.cluster(1, start=False, **bounds({
        "bootstrap.servers": broker.sasl_bootstrap, "default.api.timeout.ms": "10000",
        **repeated(security)}))
    worker.start(wait=False)
    code_seen = worker.wait_exit(60)
    assert code_seen != 0, worker.log_text()
    text = worker.log_text()
    assert WRONG not in text and broker.password not in text, text
    return text


@seconds(240)
def test_workers_that_cannot_come_to_kafka(t):
    broker = behind(t)
    said = ends(t, broker, sasl(broker, password=WRONG))
    assert "uthentication" in said and broker.sasl_bootstrap in said, said
    said = ends(t, broker, sasl(broker, authority="stranger.pem"))
    assert "certificate verify failed" in said and broker.sasl_bootstrap in said, said
    # what is wrong in the properties themselves is told at once
    jks = t.directory / "trust.jks"
    subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", broker.tls("ca.pem"),
                    "-keystore", jks, "-storetype", "JKS", "-storepass", broker.password], check=True,
                   capture_output=True)
    said = ends(t, broker, {**sasl(broker), "ssl.truststore.type": "JKS", "ssl.truststore.location": str(jks),
                            "ssl.truststore.password": broker.password})
    assert f"keytool -importkeystore -srckeystore {jks}" in said, said
    said = ends(t, broker, {**certificates(broker), "ssl.truststore.password": WRONG})
    assert "cannot be read as PKCS#12 with ssl.truststore.password" in said, said
