"""The real services that tests, demo and benches run against, and a client for each: Kafka through
kcat, Postgres through psql, BigQuery through its REST API. All listen on loopback ports."""
import base64
import datetime
import decimal
import http.client as http_client
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from explain import parts, shortly
from kafka_wire import EARLIEST, LATEST, KafkaWire

ROOT = pathlib.Path(__file__).resolve().parents[2]


# Times the limits of wait_for(); tests raise it, because a machine may be busy.
PATIENCE = float(os.environ.get("SLUICE_PATIENCE", "1"))


def wait_for(what, probe, timeout=30.0, every=0.1):
    """The first true result of probe(); exceptions count as not yet. AssertionError after timeout."""
    timeout *= PATIENCE
    deadline = time.monotonic() + timeout
    seen = None
    while True:
        try:
            result = probe()
            if result:
                return result
            seen = result
        except Exception as e:  # what it is shows in the message below
            seen = e
        if time.monotonic() > deadline:
            more = parts(probe) if seen is False else ""
            raise AssertionError(f"not within {timeout:g} s: {what} (last seen: {more or shortly(seen)})")
        time.sleep(every)


def http(method, url, body=None, headers=None, timeout=100):
    """(status, parsed JSON or text); HTTP errors are results, not exceptions. A worker gives up after 90 s."""
    data = None
    headers = dict(headers or {})
    if body is not None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            status, raw = answer.status, answer.read()
    except urllib.error.HTTPError as e:
        status, raw = e.code, e.read()
    text = raw.decode(errors="replace")
    try:
        return status, json.loads(text) if text else None
    except ValueError:
        return status, text


def raw_http(port, method, path, body=None, headers=None, timeout=100):
    """(status, headers, text) of one request to this machine, nothing added to it."""
    connection = http_client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


class Service:
    """One script of scripts/services, with its state below a directory."""

    name = None

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.env = {}

    def _run(self, command, **extra_env):
        script = ROOT / "scripts/services" / f"{self.name}.sh"
        run = subprocess.run([script, command, self.directory], stdin=subprocess.DEVNULL,
                             env={**os.environ, **extra_env}, capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"{self.name} {command} failed:\n{run.stdout}{run.stderr}")
        if command in ("start", "restart"):
            self.env.update(line.split("=", 1) for line in run.stdout.splitlines())
        return run.stdout

    def start(self, **extra_env):
        self._run("start", **extra_env)
        return self

    def stop(self):
        """In order; data and port are kept for the next start."""
        self._run("stop")

    def kill9(self):
        self._run("kill9")

    def restart(self):
        self._run("restart")

    def __getitem__(self, key):
        return self.env[key]

    @property
    def pid(self):
        return int(self.env[f"{self.name.upper()}_PID"])


class Record:
    """One Kafka record; key and value are text (None: null), headers a list of (name, text)."""

    __slots__ = ("topic", "partition", "offset", "timestamp", "key", "value", "headers")

    def __init__(self, row):
        self.topic, self.partition, self.offset = row["topic"], row["partition"], row["offset"]
        self.timestamp = row.get("ts")
        self.key, self.value = row.get("key"), row.get("payload")
        flat = row.get("headers") or []
        self.headers = list(zip(flat[::2], flat[1::2]))

    def json(self):
        """The value parsed; None for a tombstone."""
        return None if self.value is None else json.loads(self.value)

    def key_json(self):
        return None if self.key is None else json.loads(self.key)

    def payload(self):
        """The payload of a JsonConverter envelope with schema, or the bare value."""
        return unwrap(self.json())

    def key_payload(self):
        return unwrap(self.key_json())

    def __repr__(self):
        return f"<{self.topic}-{self.partition}@{self.offset} {self.key!r}: {self.value!r}>"


def unwrap(value):
    if isinstance(value, dict) and set(value) == {"schema", "payload"}:
        return value["payload"]
    return value


class Kafka(Service):
    name = "kafka"

    @property
    def bootstrap(self):
        return self["KAFKA_BOOTSTRAP"]

    @property
    def wire(self):
        return KafkaWire(self.bootstrap)

    def _kcat(self, *args, stdin=b""):
        run = subprocess.run(["kcat", "-b", self.bootstrap, *args], input=stdin, capture_output=True,
                             timeout=120)
        if run.returncode:
            raise RuntimeError(f"kcat {' '.join(args)}: {run.stderr.decode(errors='replace')}")
        return run.stdout

    def topics(self):
        """{name: number of partitions}"""
        return self.wire.topics()

    def create(self, topic, partitions=1, **config):
        """Config names with _ for the dots: cleanup_policy="compact"."""
        self.wire.create_topic(topic, partitions, {k.replace("_", "."): v for k, v in config.items()})
        # The controller has it then; the broker tells its clients of it a little later.
        wait_for(f"topic {topic}", lambda: self.wire.topics(led=True).get(topic) == partitions, every=0.01)

    def read(self, topic, offset="beginning", committed=True):
        """All records of a topic up to its end now, by partition and offset; [] when there is none.
        committed: none of transactions that are open or were aborted."""
        if topic not in self.topics():
            return []
        level = "read_committed" if committed else "read_uncommitted"
        # kcat sees an end only when a fetch finds nothing: short waits, else who writes keeps it reading
        out = self._kcat("-C", "-t", topic, "-o", str(offset), "-e", "-q", "-J", "-X", f"isolation.level={level}",
                         "-X", "fetch.wait.max.ms=5", "-X", "fetch.error.backoff.ms=0")
        records = [Record(json.loads(line)) for line in out.splitlines() if line]
        records.sort(key=lambda r: (r.partition, r.offset))
        return records

    def count(self, topic):
        """Offsets between the first and the last of all partitions; 0 when there is no such topic."""
        partitions = self.topics().get(topic)
        if not partitions:
            return 0
        ends = self.wire.offsets(topic, partitions, LATEST)
        starts = self.wire.offsets(topic, partitions, EARLIEST)
        return sum(ends.values()) - sum(starts.values())

    def lag(self, group, topics):
        """Records of the topics that the consumer group has still to commit."""
        wire, left = self.wire, 0
        committed, partitions = wire.committed(group), wire.topics()
        for topic in topics:
            n = partitions.get(topic, 0)
            starts = wire.offsets(topic, n, EARLIEST) if n else {}
            for p, end in (wire.offsets(topic, n, LATEST) if n else {}).items():
                left += end - committed.get((topic, p), starts[p])
        return left

    def wait_count(self, topic, at_least, timeout=60):
        return wait_for(f"{at_least} records in {topic}",
                        lambda: (n := self.count(topic)) >= at_least and n, timeout)

    def produce(self, topic, records, partition=None):
        """records: (key, value) or (key, value, {header: text}); text, or None for null. In order."""

        def shape(record):
            headers = record[2] if len(record) > 2 else {}
            return record[0] is None, record[1] is None, tuple(headers.items())

        for (null_key, null_value, headers), run in itertools.groupby(records, shape):
            args = ["-P", "-t", topic, "-X", "partitioner=murmur2_random", "-D", "\x1e"]
            if partition is not None:
                args += ["-p", str(partition)]
            for name, text in headers:
                args += ["-H", f"{name}={text}"]
            if not null_key:
                args += ["-K", "\x1f"]
            if null_value:
                args.append("-Z")
            rows = [("" if null_key else r[0] + "\x1f") + (r[1] or "") for r in run]
            self._kcat(*args, stdin="\x1e".join(rows).encode())


class Postgres(Service):
    name = "postgres"

    def command(self, tool, *args, database="sluice", user="sluice"):
        env = {**os.environ, "PGPASSWORD": user, "PGTZ": "UTC"}
        own = pathlib.Path(self["POSTGRES_BIN"]) / tool  # not all packages have the clients
        argv = [own if own.exists() else tool, "-h", "127.0.0.1",
                "-p", self["POSTGRES_PORT"], "-U", user, "-d", database, *args]
        return argv, env

    def sql(self, text, database="sluice", user="sluice"):
        """Run statements (each in its own transaction, as psql does); the raw output."""
        argv, env = self.command("psql", "-qAtX", "-v", "ON_ERROR_STOP=1",
                                 database=database, user=user)
        run = subprocess.run(argv, env=env, input=text, capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"psql: {run.stderr.strip()}\n{text[:500]}")
        return run.stdout.rstrip("\n")

    def rows(self, query, **where):
        """The rows of one query as a list of dicts."""
        return json.loads(self.sql(f"select coalesce(json_agg(t), '[]') from ({query}) t", **where))

    def value(self, query, **where):
        """The only value of one row, as JSON knows it."""
        (row,) = self.rows(query, **where)
        (value,) = row.values()
        return value

    def create_database(self, name):
        self.sql(f"create database {name} owner sluice", "postgres", "postgres")

    def drop_database(self, name):
        """With the slots in it and whoever is connected."""
        self.sql(f"select pg_terminate_backend(active_pid) from pg_replication_slots"
                 f" where database = '{name}' and active_pid is not null", "postgres", "postgres")

        def drop():
            self.sql(f"select pg_drop_replication_slot(slot_name) from pg_replication_slots"
                     f" where database = '{name}'", "postgres", "postgres")
            self.sql(f"drop database if exists {name} with (force)", "postgres", "postgres")
            return True

        wait_for(f"database {name} dropped", drop, 20)


class PostgresVersion(Postgres):
    """A server of another version, beside Debian's."""

    def __init__(self, directory, version):
        super().__init__(pathlib.Path(directory) / f"postgres{version}")
        self.version = str(version)

    def _run(self, command, **extra_env):
        return super()._run(command, SLUICE_PG_VERSION=self.version, **extra_env)


class BigQuery(Service):
    name = "bigquery"

    @property
    def endpoint(self):
        return self["BIGQUERY_ENDPOINT"]

    @property
    def project(self):
        return self["BIGQUERY_PROJECT"]

    def call(self, method, path, body=None):
        """path below the project; (status, JSON)"""
        return http(method, f"{self.endpoint}/bigquery/v2/projects/{self.project}{path}", body, timeout=120)

    def _ok(self, method, path, body=None):
        status, answer = self.call(method, path, body)
        if status != 200:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    def create_dataset(self, dataset):
        self._ok("POST", "/datasets", {
            "datasetReference": {"projectId": self.project, "datasetId": dataset}})

    def drop_dataset(self, dataset):
        self.call("DELETE", f"/datasets/{dataset}?deleteContents=true")

    def create_table(self, dataset, table, fields):
        """fields: {name: type} or a list of the API's field objects"""
        if isinstance(fields, dict):
            fields = [{"name": n, "type": t} for n, t in fields.items()]
        self._ok("POST", f"/datasets/{dataset}/tables", {
            "tableReference": {"projectId": self.project, "datasetId": dataset, "tableId": table},
            "schema": {"fields": fields}})

    def tables(self, dataset):
        answer = self._ok("GET", f"/datasets/{dataset}/tables?maxResults=1000")
        return sorted(t["tableReference"]["tableId"] for t in answer.get("tables", []))

    def schema(self, dataset, table):
        return self._ok("GET", f"/datasets/{dataset}/tables/{table}")["schema"]["fields"]

    def insert(self, dataset, table, rows, insert_ids=None):
        """insertAll; its answer"""
        body = {"rows": [{"json": row} for row in rows]}
        for row, insert_id in zip(body["rows"], insert_ids or ()):
            row["insertId"] = insert_id
        return self._ok("POST", f"/datasets/{dataset}/tables/{table}/insertAll", body)

    def query(self, sql):
        """All rows as dicts, values in Python's types; NUMERIC and times are text, times in UTC."""
        answer = self._ok("POST", "/queries", {
            "query": sql, "useLegacySql": False, "timeoutMs": 60000, "maxResults": 10000})
        fields = answer["schema"]["fields"]
        rows = list(answer.get("rows", []))
        token, job = answer.get("pageToken"), answer.get("jobReference", {}).get("jobId")
        while token:
            page = self._ok("GET", f"/queries/{job}?maxResults=10000&pageToken="
                            + urllib.parse.quote(token, safe=""))
            rows += page.get("rows", [])
            token = page.get("pageToken")
        return [_record(fields, row) for row in rows]

    def count(self, dataset, table):
        """0 also when there is no such table."""
        if table not in self.tables(dataset):
            return 0
        return self.query(f"select count(*) n from `{dataset}.{table}`")[0]["n"]


def _record(fields, row):
    return {f["name"]: _value(f, cell["v"]) for f, cell in zip(fields, row["f"])}


def _value(field, v):
    if v is None:
        return None
    if field.get("mode") == "REPEATED":
        return [_value({**field, "mode": "NULLABLE"}, item["v"]) for item in v]
    kind = field["type"].upper()
    if kind in ("RECORD", "STRUCT"):
        return _record(field["fields"], v)
    if kind in ("INTEGER", "INT64"):
        return int(v)
    if kind in ("FLOAT", "FLOAT64"):
        return float(v)
    if kind in ("BOOLEAN", "BOOL"):
        return v in (True, "true")
    if kind == "BYTES":
        return base64.b64decode(v)
    if kind == "TIMESTAMP":  # the API gives seconds as text, such as 1.7672256E9
        micros = int(decimal.Decimal(v) * 1_000_000)
        return str(datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=micros))
    return v


class Registry(Service):
    name = "registry"

    @property
    def url(self):
        return self["REGISTRY_URL"]

    def call(self, method, path, body=None):
        """(status, JSON) of Confluent's API"""
        return http(method, self.url + path, body,
                    {"Content-Type": "application/vnd.schemaregistry.v1+json"})

    def register(self, subject, schema, kind="AVRO"):
        """The id; schema: JSON as Python has it, or text."""
        text = schema if isinstance(schema, str) else json.dumps(schema)
        status, answer = self.call("POST", f"/subjects/{urllib.parse.quote(subject, safe='')}/versions",
                                   {"schema": text, "schemaType": kind})
        if status != 200:
            raise RuntimeError(f"registering {subject}: {status} {answer}")
        return answer["id"]

    def subjects(self):
        return self.call("GET", "/subjects")[1]

    def latest(self, subject):
        """{subject, id, version, schema, ...}; None when there is no such subject."""
        status, answer = self.call("GET", f"/subjects/{urllib.parse.quote(subject, safe='')}/versions/latest")
        return answer if status == 200 else None

    def compatibility(self, subject, level):
        """BACKWARD, FORWARD, FULL, NONE for one subject, which must be there."""
        status, answer = self.call("PUT", f"/config/{urllib.parse.quote(subject, safe='')}",
                                   {"compatibility": level})
        if status != 200:
            raise RuntimeError(f"compatibility of {subject}: {status} {answer}")


class SecureKafka(Kafka):
    """A broker of its own, which listens on SASL_SSL and SSL beside PLAINTEXT; see kafka.sh."""

    def __init__(self, directory):
        super().__init__(pathlib.Path(directory) / "secure")

    def _run(self, command, **extra_env):
        return super()._run(command, KAFKA_SECURE="1", **extra_env)

    @property
    def sasl_bootstrap(self):
        return f"127.0.0.1:{self['KAFKA_SASL_PORT']}"

    @property
    def ssl_bootstrap(self):
        return f"127.0.0.1:{self['KAFKA_SSL_PORT']}"

    @property
    def password(self):
        """Of the user sluice, and of the stores."""
        return self["KAFKA_PASSWORD"]

    def tls(self, name):
        """The path of a file that tls_files of kafka.sh makes."""
        return f"{self['KAFKA_TLS']}/{name}"


class Services:
    """Kafka, Postgres, BigQuery and a schema registry, each started when it is first asked for."""

    def __init__(self, directory=None):
        self.shared = directory is not None  # somebody else's: used, not stopped
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="sluice-e2e."))
        self._started = {}

    def _get(self, kind):
        if kind not in self._started:
            self._started[kind] = kind(self.directory).start()
        return self._started[kind]

    @property
    def kafka(self):
        return self._get(Kafka)

    @property
    def secure_kafka(self):
        return self._get(SecureKafka)

    @property
    def postgres(self):
        return self._get(Postgres)

    def postgres_version(self, version):
        if version not in self._started:
            self._started[version] = PostgresVersion(self.directory, version).start()
        return self._started[version]

    @property
    def bigquery(self):
        return self._get(BigQuery)

    @property
    def registry(self):
        return self._get(Registry)

    def revive(self):
        """Starts what a test that failed has left down: the next ones did nothing wrong."""
        for service in self._started.values():
            try:
                service._run("status")
            except RuntimeError:
                print(f"note: {service.name} is down, and started again", flush=True)
                service.start()

    def stop(self, keep_files=False):
        if self.shared:
            return
        for service in self._started.values():
            try:
                service.stop()
            except RuntimeError as e:
                print(e)
        self._started = {}
        if not keep_files:
            shutil.rmtree(self.directory, ignore_errors=True)


class Connect(Service):
    """The Java worker, with its file connectors and Debezium: the peer of benches and an oracle for
    tests. As many as have instance names of their own."""

    name = "connect"

    def __init__(self, directory, instance="connect"):
        super().__init__(directory)
        self.instance = instance

    def _run(self, command, **extra_env):
        return super()._run(command, CONNECT_NAME=self.instance, **{**self.env, **extra_env})

    def start(self, bootstrap=None, mode="standalone", group=None, worker=None, **extra_env):
        """worker: properties on top of those of connect.sh; they stay over restarts."""
        given = {"KAFKA_BOOTSTRAP": bootstrap, "CONNECT_MODE": mode, "CONNECT_GROUP": group}
        if worker:
            given["CONNECT_EXTRA"] = "\n".join(f"{k}={v}" for k, v in worker.items())
        given.update(extra_env)
        self.env = {k: v for k, v in given.items() if v is not None}
        self._run("start")
        return self

    @property
    def url(self):
        return self["CONNECT_URL"]

    @property
    def port(self):
        return int(self["CONNECT_PORT"])

    def log_text(self):
        return pathlib.Path(self["CONNECT_LOG"]).read_text(errors="replace")
