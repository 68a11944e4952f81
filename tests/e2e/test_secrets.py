"""No secret in the log, in a trace or in an answer of validate, whatever goes wrong with it."""
import json

from harness import equal, free_port, wait_for

SECRETS = {"database.password": "geheim-database", "sasl": "geheim-sasl", "keystore": "geheim-keystore",
           "keyfile": "geheim-keyfile"}


def jaas(user="alice"):
    return ("org.apache.kafka.common.security.plain.PlainLoginModule required "
            f"username=\"{user}\" password=\"{SECRETS['sasl']}\";")


def leaks(text):
    return [s for s in SECRETS.values() if s in text]


def check(worker, *answers):
    text = worker.log_text() + "".join(json.dumps(a) for a in answers)
    equal(leaks(text), [], "secrets in the log or an answer")


def test_secrets_stay_secret(t):
    port = free_port()
    # Levels at their most talkative; nothing listens where the clients go.
    worker = t.sluice({"bootstrap.servers": f"127.0.0.1:{port}",
                       "producer.security.protocol": "SASL_PLAINTEXT", "producer.sasl.mechanism": "PLAIN",
                       "producer.sasl.jaas.config": jaas().replace('"', '\\"'),
                       "consumer.ssl.keystore.password": SECRETS["keystore"]})
    worker.rest.ok("PUT", "/admin/loggers/root", {"level": "DEBUG"})
    postgres = {"connector.class": "PostgresConnector", "topic.prefix": "p", "database.hostname": "127.0.0.1",
                "database.port": str(port), "database.user": "u", "database.dbname": "d",
                "database.password": SECRETS["database.password"]}
    bigquery = {"connector.class": "BigQuerySink", "topics": "t", "project": "p", "defaultDataset": "d",
                "keySource": "JSON", "keyfile": json.dumps({"private_key": SECRETS["keyfile"]}),
                "bigQueryEndpoint": f"http://127.0.0.1:{port}"}
    answers = []
    for kind, config in (("PostgresConnector", postgres), ("BigQuerySink", bigquery)):
        for broken in ({}, {"tasks.max": "none"}):
            answers.append(worker.rest.call("PUT", f"/connector-plugins/{kind}/config/validate",
                                            {"name": "x", **config, **broken}))
            answers.append(worker.rest.call("PUT", "/connectors/x/config", {**config, **broken})[1]
                           if broken else None)
    check(worker, *answers)
    source = {"connector.class": "FileStreamSource", "topic": "t", "file": str(t.file("in.txt", "x\n"))}
    override = "producer.override.sasl.jaas.config"
    for name, line in (("good", jaas()), ("no-user", jaas().replace("username", "nobody")),
                       ("torn", jaas().replace('";', "")), ("odd", f"{SECRETS['sasl']}")):
        worker.rest.create(name, {**source, "producer.override.security.protocol": "SASL_PLAINTEXT",
                                  "producer.override.sasl.mechanism": "PLAIN", override: line})
    for name in ("no-user", "odd"):
        trace = worker.rest.wait_failed(name)
        assert "sasl.jaas.config" in trace, trace
    wait_for("trouble shows", lambda: worker.rest.trace("good"), 30)
    assert "level=debug" in worker.log_text(), "the log is not at its most talkative"
    check(worker, *(worker.rest.status(n) for n in ("good", "no-user", "torn", "odd")))
    # The config itself is given back as it was taken: that is the owner's own, as in Kafka Connect.
    equal(worker.rest.ok("GET", "/connectors/good/config")[override], jaas(), "config")
    equal(worker.stop(), 0, "exit code")
    check(worker)
