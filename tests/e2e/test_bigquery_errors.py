"""BigQuery away, tables and datasets that are not there, rows that it refuses, tokens that fail."""
import http.server
import json
import subprocess
import threading
import time

from harness import equal, seconds, wait_for

SECRET = "geheim-0815"


def config(t, topic, dataset, **more):
    """Named after the topic: a group remembers dead members for a while."""
    return {topic: {
        "connector.class": "com.wepay.kafka.connect.bigquery.BigQuerySinkConnector",
        "topics": topic, "topic2TableMap": f"{topic}:rows", "project": t.bigquery.project,
        "defaultDataset": dataset, "bigQueryEndpoint": t.bigquery.endpoint,
        "bigQueryPartitionDecorator": "false", "autoCreateTables": "false",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "consumer.override.session.timeout.ms": "6000",
        **{k.replace("__", "."): v for k, v in more.items()}}}


def produce(t, topic, first, last):
    t.kafka.produce(topic, [("k", json.dumps({"id": i})) for i in range(first, last)], partition=0)


def table(t):
    dataset = t.dataset()
    t.bigquery.create_table(dataset, "rows", {"id": "INTEGER"})
    return dataset


def ids(t, dataset):
    return sorted(r["id"] for r in t.bigquery.query(f"select id from `{dataset}.rows`"))


def trouble(worker, name, piece="", timeout=30):
    """The trace of a task that keeps RUNNING and has trouble, such as this."""
    trace = wait_for(f"{name} tells its trouble",
                     lambda: (trace := worker.rest.trace(name)) and piece in trace and trace, timeout)
    equal(worker.rest.states(name), ["RUNNING", "RUNNING"], "states")
    assert "(since 20" in trace, trace
    return trace


def says(text, *pieces):
    for piece in pieces:
        assert piece in text, f"{piece!r} does not stand in: {text}"


@seconds(180)
def test_away_at_the_start_and_in_the_middle(t):
    topic, dataset = t.topic("rows"), table(t)
    endpoint = t.bigquery.endpoint
    connectors = config(t, topic, dataset)
    t.away = True
    t.bigquery.stop()
    t.cleanup(lambda: t.away and t.bigquery.start())
    produce(t, topic, 0, 500)
    worker = t.sluice(connectors=connectors)
    says(trouble(worker, topic, "cannot be reached"), endpoint, "next try")
    equal(worker.rest.call("GET", "/health")[0], 200, "health")
    t.bigquery.start()
    t.away = False
    equal(t.bigquery.endpoint, endpoint, "endpoint after the restart")
    wait_for("all rows", lambda: t.bigquery.count(dataset, "rows") >= 500, 60)
    wait_for("no trouble left", lambda: not worker.rest.trace(topic), 30)
    t.away = True
    t.bigquery.stop()
    produce(t, topic, 500, 1000)
    trouble(worker, topic, "cannot be reached")
    # Not committed, and the consumer stays in its group past its session.
    time.sleep(7)
    equal(t.kafka.lag(f"connect-{topic}", [topic]), 500, "uncommitted records")
    t.bigquery.start()
    t.away = False
    wait_for("all rows", lambda: t.bigquery.count(dataset, "rows") >= 1000, 60)
    equal(ids(t, dataset), list(range(1000)), "rows")
    wait_for("all committed", lambda: t.kafka.lag(f"connect-{topic}", [topic]) == 0)
    equal(worker.log_text().count("took 1 partitions"), 1, "times that the partition was taken")
    equal(worker.stop(), 0, "exit code")


@seconds(120)
def test_stop_while_away(t):
    """Ends in time; nothing is committed that is not there."""
    topic, dataset = t.topic("rows"), table(t)
    produce(t, topic, 0, 50)
    worker = t.sluice({"task.shutdown.graceful.timeout.ms": "3000"},
                      config(t, topic, dataset, bigQueryEndpoint="http://127.0.0.1:1"))
    says(trouble(worker, topic), "127.0.0.1:1")
    equal(worker.stop(20), 0, "exit code")
    equal(t.kafka.lag(f"connect-{topic}", [topic]), 50, "uncommitted records")
    worker.connectors = config(t, topic, dataset)
    worker.start()
    wait_for("all rows", lambda: t.bigquery.count(dataset, "rows") >= 50, 60)
    equal(ids(t, dataset), list(range(50)), "rows")


def test_missing_dataset_and_table(t):
    topic = t.topic("rows")
    produce(t, topic, 0, 5)
    dataset = t.unique("nods")
    worker = t.sluice(connectors=config(t, topic, dataset))
    says(worker.rest.wait_failed(topic), dataset, "rows")
    equal(t.kafka.lag(f"connect-{topic}", [topic]), 5, "uncommitted records")
    # Made and restarted, it goes on where it was.
    t.bigquery.create_dataset(dataset)
    t.cleanup(t.bigquery.drop_dataset, dataset)
    t.bigquery.create_table(dataset, "rows", {"id": "INTEGER"})
    worker.rest.ok("POST", f"/connectors/{topic}/restart?includeTasks=true&onlyFailed=true")
    wait_for("all rows", lambda: t.bigquery.count(dataset, "rows") >= 5)
    equal(ids(t, dataset), list(range(5)), "rows")
    equal(worker.stop(), 0, "exit code")


class Tokens(http.server.ThreadingHTTPServer):
    """A token endpoint that answers as scripted: (status, body) for ever, until told otherwise."""

    def __init__(self):
        self.answer, self.asked = (200, {"access_token": SECRET, "expires_in": 3600}), []
        tokens = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                tokens.asked.append(self.rfile.read(int(self.headers["Content-Length"])))
                status, body = tokens.answer
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/token"


def key_file(t):
    """A service account's key; its file and the secret in it."""
    key = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                         capture_output=True, text=True, check=True).stdout
    path = t.file("key.json", {"type": "service_account", "project_id": "proj",
                               "private_key_id": "k1", "private_key": key,
                               "client_email": "robot@proj.iam.gserviceaccount.com"})
    return path, key.splitlines()[1]


def with_tokens(t):
    topic, dataset, tokens = t.topic("rows"), table(t), Tokens()
    t.cleanup(tokens.server_close)
    t.cleanup(tokens.shutdown)
    path, secret = key_file(t)
    produce(t, topic, 0, 20)
    return topic, dataset, tokens, secret, config(t, topic, dataset, keyfile=str(path), tokenUri=tokens.url)


def check_no_secret(worker, name, *secrets):
    text = worker.log_text() + json.dumps(worker.rest.status(name))
    for secret in secrets:
        assert secret not in text, "a secret stands in the log or the status"


def test_token_refused(t):
    topic, dataset, tokens, secret, connectors = with_tokens(t)
    tokens.answer = 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    worker = t.sluice(connectors=connectors)
    says(worker.rest.wait_failed(topic), tokens.url, "robot@proj.iam.gserviceaccount.com", "invalid_grant",
         "Invalid JWT Signature")
    equal(t.kafka.lag(f"connect-{topic}", [topic]), 20, "uncommitted records")
    tokens.answer = 200, {"access_token": SECRET, "expires_in": 3600}
    worker.rest.ok("POST", f"/connectors/{topic}/tasks/0/restart")
    wait_for("all rows", lambda: t.bigquery.count(dataset, "rows") >= 20)
    check_no_secret(worker, topic, secret, SECRET)
    equal(worker.stop(), 0, "exit code")


@seconds(120)
def test_token_endpoint_fails_for_a_while(t):
    topic, dataset, tokens, secret, connectors = with_tokens(t)
    tokens.answer = 500, {"error": "internal_failure"}
    worker = t.sluice(connectors=connectors)
    says(trouble(worker, topic, tokens.url), "500")
    wait_for("it asks again", lambda: len(tokens.asked) >= 2, 30)
    equal(t.bigquery.count(dataset, "rows"), 0, "rows")
    tokens.answer = 200, {"access_token": SECRET, "expires_in": 3600}
    wait_for("all rows", lambda: t.bigquery.count(dataset, "rows") >= 20, 60)
    wait_for("no trouble left", lambda: not worker.rest.trace(topic))
    equal(ids(t, dataset), list(range(20)), "rows")
    check_no_secret(worker, topic, secret, SECRET)
    equal(worker.stop(), 0, "exit code")


def test_key_file_that_is_none(t):
    topic, dataset = t.topic("rows"), table(t)
    produce(t, topic, 0, 1)
    worker = t.sluice()
    for name, content, piece in (("none.json", None, "No such file"), ("torn.json", '{"type": "serv', "JSON"),
                                 ("user.json", '{"type": "authorized_user"}', "refresh_token"),
                                 ("odd.json", '{"type": "visitor"}', "visitor")):
        path = t.directory / name
        if content:
            path.write_text(content)
        conf = config(t, topic, dataset, keyfile=str(path))[topic]
        status, answer = worker.rest.call("PUT", f"/connectors/{topic}/config", conf)
        text = answer["message"] if status == 400 else worker.rest.wait_failed(topic)
        assert piece.lower() in text.lower(), f"{piece!r} does not stand in: {text}"
        worker.rest.call("DELETE", f"/connectors/{topic}")
    equal(worker.stop(), 0, "exit code")
