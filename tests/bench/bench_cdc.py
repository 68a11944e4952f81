"""Postgres to Kafka: snapshot and streaming of sluice, of the limits below it, and of Debezium.

All see the same rows and the same changes in one run. Streaming is measured on a backlog: the
changes are made while nobody reads, then each reader drains them from its own slot.
"""
import json
import pathlib
import subprocess
import time

from bench import BINARY, Connect, Rest, Sluice, wait_for

TABLE = """
create table orders (
    id bigint primary key, customer_id integer not null, status text not null,
    amount numeric(12, 2) not null, quantity smallint, paid boolean not null,
    note text, created_at timestamptz not null);
create publication bench for table orders;
"""
# 1, 10, 100 and 1000 changes a transaction; inserts, and updates of what the snapshot has.
CHANGES = """
do $$
declare done bigint := 0; n bigint; turn bigint := 0;
begin
    while done < {changes} loop
        n := least(('{{1,10,100,1000}}'::bigint[])[1 + turn % 4], {changes} - done);
        if turn % 8 < 4 then
            insert into orders select {rows} + done + i, i % 10000, 'new', i * 1.25, i % 50, true,
                'a note of about forty characters, no. ' || i, now() from generate_series(1, n) i;
        else
            update orders set status = 'sent', amount = amount + 1
                where id between 1 + done % ({rows} / 2) and done % ({rows} / 2) + n;
        end if;
        commit;
        done := done + n;
        turn := turn + 1;
    end loop;
end $$;
"""


def connector(b, prefix):
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "tasks.max": "1",
        "database.hostname": "127.0.0.1", "database.port": b.postgres["PGPORT"],
        "database.user": "sluice", "database.password": "sluice", "database.dbname": "sluice",
        "topic.prefix": prefix, "table.include.list": "public.orders", "plugin.name": "pgoutput",
        "slot.name": prefix, "publication.name": "bench", "publication.autocreate.mode": "disabled",
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "key.converter.schemas.enable": "false",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false"}


class SluiceReader:
    name, topic = "sluice", "sluice.public.orders"

    def __init__(self, b):
        self.process = Sluice(b.directory / "sluice", b.kafka.bootstrap,
                              connectors={"bench": connector(b, "sluice")})

    def start(self):
        self.process.start(wait=False)
        return self.process.process.pid

    def stop(self):
        self.process.stop()


class DebeziumReader:
    name, topic = "Debezium on Kafka Connect", "debezium.public.orders"

    def __init__(self, b):
        self.config = connector(b, "debezium")
        self.connect = Connect(b.services.directory)
        self.bootstrap = b.kafka.bootstrap

    def start(self):
        self.connect.start(KAFKA_BOOTSTRAP=self.bootstrap)
        Rest(self.connect.url).create("bench", self.config)
        return self.connect.pid

    def stop(self):
        self.connect.stop()


def run(b):
    rows, changes = b.options.rows, b.options.changes
    readers = [SluiceReader(b)] if BINARY.exists() else []
    if not b.options.no_java:
        readers.append(DebeziumReader(b))

    print(f"CDC: snapshot of {rows:,} rows")
    b.postgres.sql(TABLE)
    b.postgres.sql(f"""insert into orders select i, i % 10000, 'new', i * 1.25, i % 50, true,
        'a note of about forty characters, no. ' || i, now() from generate_series(1, {rows}) i;
        vacuum analyze orders""")
    copy_out(b, rows)
    for reader in readers:
        since = time.monotonic()
        pid = reader.start()
        b.note(f"snapshot, {reader.name}", **b.follow(reader.topic, 0, rows, pid, since))
        time.sleep(3)  # its offsets reach their store
        reader.stop()
    if readers:
        same_bytes_by_kcat(b, readers[0].topic, rows)

    print(f"CDC: streaming of {changes:,} changes")
    recvlogical = b.postgres.command("pg_recvlogical", "--slot=limit", "-o", "proto_version=1",
                                     "-o", "publication_names=bench", "--plugin=pgoutput")
    argv, env = recvlogical
    subprocess.run([*argv, "--create-slot"], env=env, check=True)
    b.postgres.sql(CHANGES.format(rows=rows, changes=changes))
    end = b.postgres.value("select pg_current_wal_lsn()::text lsn")
    since = time.monotonic()
    process = subprocess.Popen([*argv, "--start", "--no-loop", "-f", "/dev/null", f"--endpos={end}"], env=env)
    # Without traffic the end is seen only with a keepalive: give the server something to send.
    wait_for("pg_recvlogical at the end", lambda: nudge(b) and process.poll() is not None, 600, every=0.05)
    b.note("streaming, pg_recvlogical", rows_s=changes / (time.monotonic() - since))
    for reader in readers:
        start = b.end_of(reader.topic)
        since = time.monotonic()
        pid = reader.start()
        b.note(f"streaming, {reader.name}", **b.follow(reader.topic, start, changes, pid, since))
        reader.stop()
    ratios(b)


def nudge(b):
    b.postgres.sql("select pg_logical_emit_message(false, 'bench', '')")
    return True


def copy_out(b, rows):
    argv, env = b.postgres.command("psql", "-qX", "-c", r"copy orders to stdout")
    since = time.monotonic()
    subprocess.run(argv, env=env, stdout=subprocess.DEVNULL, check=True)
    b.note("snapshot, COPY to /dev/null", rows_s=rows / (time.monotonic() - since))


def same_bytes_by_kcat(b, topic, rows):
    """kcat sends the records that a reader has sent, keys and headers included, from a file."""
    path = pathlib.Path(b.directory) / "records"
    with open(path, "wb") as out:
        subprocess.run(["kcat", "-b", b.kafka.bootstrap, "-C", "-t", topic, "-e", "-q", "-K", "\x1f",
                        "-c", str(rows)], stdout=out, check=True)
    first = subprocess.run(["kcat", "-b", b.kafka.bootstrap, "-C", "-t", topic, "-e", "-q", "-J", "-c", "1"],
                           stdout=subprocess.PIPE, check=True)
    flat = json.loads(first.stdout).get("headers", [])  # the same for all records of one task
    headers = [word for name, text in zip(flat[::2], flat[1::2]) for word in ("-H", f"{name}={text}")]
    b.kafka.create("kcat")
    since = time.monotonic()
    process = subprocess.Popen(["kcat", *headers, "-b", b.kafka.bootstrap, "-P", "-t", "kcat", "-K", "\x1f", "-l", path,
                                "-X", "partitioner=murmur2_random", "-X", "linger.ms=5"])
    figures = b.follow("kcat", 0, rows, process.pid, since)
    process.wait()
    b.note("snapshot, kcat with the same bytes", record_bytes=path.stat().st_size / rows, **figures)
    path.unlink()


def ratios(b):
    f = b.figures
    for phase, limits in (("snapshot", ("COPY to /dev/null", "kcat with the same bytes")),
                          ("streaming", ("pg_recvlogical", "kcat with the same bytes"))):
        mine = f.get(f"{phase}, sluice")
        theirs = f.get(f"{phase}, Debezium on Kafka Connect")
        known = [f.get(f"{p}, {limit}") for p, limit in zip((phase, "snapshot"), limits)]
        if mine and all(known):
            b.note(f"{phase}: sluice / lower limit (0.80)", ratio=mine["rows_s"] / min(k["rows_s"] for k in known))
        if mine and theirs:
            b.note(f"{phase}: sluice / Debezium", ratio=mine["rows_s"] / theirs["rows_s"],
                   cpu=mine["cpu_s_per_million"] / theirs["cpu_s_per_million"],
                   memory=mine["peak_mb"] / theirs["peak_mb"])
