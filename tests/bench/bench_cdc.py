"""Postgres to Kafka: the snapshot, and streaming of inserts, of updates and of many small transactions,
by sluice, by the limits below it (COPY or pg_recvlogical to /dev/null, kcat sending the same bytes)
and by Debezium.

All see the same rows and the same changes in one run. Streaming is measured on a backlog: the
changes are made while nobody reads, then each reader drains them from its own slot. With --turns N
all take N turns, one after the other, and the best turn of each counts: on a machine that does other
work too, that is the one least disturbed.
"""
import json
import pathlib
import subprocess
import time

from bench import BINARY, Connect, Rest, Sluice, wait_for

RATE_LIMIT, CPU_LIMIT = 0.8, 3.0  # of the lower limit; seconds a million records
TABLE = """
create table orders (
    id bigint primary key, customer_id integer not null, status text not null,
    amount numeric(12, 2) not null, quantity smallint, paid boolean not null,
    note text, created_at timestamptz not null);
create publication bench for table orders;
"""
ROW = """{first} + i, i % 10000, 'new', i * 1.25, i % 50, true,
            'a note of about forty characters, no. ' || i, now() from generate_series(1, {n}) i"""
BIG = 1000  # changes of a transaction, but for the small ones
LOOP = """
do $$
begin
    for turn in 0 .. {turns} - 1 loop
        {change};
        commit;
    end loop;
end $$;
"""
INSERT = "insert into orders select " + ROW.format(first="{first} + turn * {n}", n="{n}")
UPDATE = """update orders set status = 'sent', amount = amount + 1
            where id between 1 + turn * {n} % {rows} and turn * {n} % {rows} + {n}"""
# Changes of one row each, every second one an update of what the one before has inserted.
SMALL = """if turn % 2 = 0 then
            insert into orders values ({first} + turn, turn % 10000, 'new', turn * 1.25, turn % 50, true,
                'a note of about forty characters, no. ' || turn, now());
        else
            update orders set status = 'sent', amount = amount + 1 where id = {first} + turn - 1;
        end if"""
KINDS = (("inserts", INSERT, BIG), ("updates", UPDATE, BIG), ("1-row transactions", SMALL, 1))


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
    name, slot, topic = "sluice", "sluice", "sluice.public.orders"

    def __init__(self, b, worker=None):
        self.process = Sluice(b.directory / "sluice", b.kafka.bootstrap, worker,
                              connectors={"bench": connector(b, "sluice")})

    def start(self):
        self.process.start(wait=False)
        return self.process.process.pid

    def stop(self):
        self.process.stop()

    def forget(self):
        self.process.offsets.unlink()


class DebeziumReader:
    name, slot, topic = "Debezium on Kafka Connect", "debezium", "debezium.public.orders"

    def __init__(self, b, worker=None):
        self.config, self.worker = connector(b, "debezium"), worker
        self.connect = Connect(b.services.directory)
        self.bootstrap = b.kafka.bootstrap

    def start(self):
        self.connect.start(self.bootstrap, worker=self.worker)
        Rest(self.connect.url).create("bench", self.config)
        return self.connect.pid

    def stop(self):
        self.connect.stop()

    def forget(self):
        (self.connect.directory / "connect/offsets").unlink()


def run(b):
    rows, changes = b.options.rows // BIG * BIG, b.options.changes // BIG * BIG
    readers = [SluiceReader(b)] if BINARY.exists() else []
    if not b.options.no_java:
        readers.append(DebeziumReader(b))
    b.postgres.sql(TABLE)
    b.postgres.sql(f"insert into orders select {ROW.format(first=0, n=rows)}; vacuum analyze orders")
    snapshot(b, readers, rows)
    first = rows
    for kind, change, n in KINDS:
        print(f"CDC: streaming of {changes:,} changes: {kind}, {n:,} a transaction")
        for _ in range(b.options.turns):
            streaming(b, readers, kind, changes, LOOP.format(
                turns=changes // n, change=change.format(first=first, n=n, rows=rows)))
            first += changes
        ratios(b, kind, "pg_recvlogical")


def snapshot(b, readers, rows):
    print(f"CDC: snapshot of {rows:,} rows")
    for turn in range(b.options.turns):
        best(b, "snapshot", "COPY", **copy_out(b, rows))
        for reader in readers:
            if turn:
                again(b, reader)
            start, since = b.end_of(reader.topic), time.monotonic()
            pid = reader.start()
            best(b, "snapshot", reader.name, **b.follow(reader.topic, start, rows, pid, since))
            time.sleep(3)  # its offsets reach their store
            reader.stop()
        if readers:
            same_bytes_by_kcat(b, "snapshot", readers[0].topic, start=turn * rows, count=rows)
    ratios(b, "snapshot", "COPY")


def again(b, reader):
    """The reader knows nothing any more: it takes a snapshot at its next start."""
    reader.forget()
    b.postgres.sql(f"select pg_drop_replication_slot('{reader.slot}')", user="postgres")


def streaming(b, readers, kind, changes, sql):
    argv, env = b.postgres.command("pg_recvlogical", "--slot=limit", "-o", "proto_version=1",
                                   "-o", "publication_names=bench", "--plugin=pgoutput")
    subprocess.run([*argv, "--create-slot"], env=env, check=True)
    b.postgres.sql(sql)
    best(b, kind, "pg_recvlogical", **drain_slot(b, argv, env, changes))
    subprocess.run([*argv, "--drop-slot"], env=env, check=True)
    for reader in readers:
        start, since = b.end_of(reader.topic), time.monotonic()
        pid = reader.start()
        best(b, kind, reader.name, **b.follow(reader.topic, start, changes, pid, since))
        reader.stop()
        if reader is readers[0]:
            same_bytes_by_kcat(b, kind, reader.topic, start, changes)


def drain_slot(b, argv, env, changes):
    """pg_recvlogical writes all of a slot to /dev/null. What it has written tells how far it is: its
    rate is taken as a reader's, from the first bytes to the last."""
    end = b.postgres.value("select pg_current_wal_lsn()::text lsn")
    process = subprocess.Popen([*argv, "--start", "--no-loop", "-f", "/dev/null", f"--endpos={end}"], env=env)
    io = pathlib.Path(f"/proc/{process.pid}/io")
    steps, asked = [(time.monotonic(), 0)], time.monotonic()
    while process.poll() is None:
        try:
            written = int(io.read_text().split("wchar:")[1].split()[0])
        except (OSError, IndexError):
            break  # it has ended meanwhile
        now = time.monotonic()
        if written > steps[-1][1]:
            steps.append((now, written))
        elif now - max(asked, steps[-1][0]) > 0.2:  # the end is seen only with something behind it
            b.postgres.sql("select pg_logical_emit_message(false, 'bench', '')")
            asked = now
        time.sleep(0.005)
    if process.wait() or len(steps) < 3:
        raise RuntimeError(f"pg_recvlogical ended with {process.returncode} after {len(steps)} writes")
    # The connection's own bytes are no changes: the first step is where the stream has begun.
    (began, before), (ended, last) = steps[1], steps[-1]
    return {"rows_s": changes * (last - before) / last / (ended - began)}


def best(b, phase, who, **figures):
    """Keeps the better turn."""
    what = f"{phase}, {who}"
    b.note(what, **figures)
    turns = b.turns.setdefault(what, [])
    turns.append(figures)
    kept = dict(max(turns, key=lambda f: f["rows_s"]))
    if "cpu_s_per_million" in kept:
        kept["cpu_s_per_million"] = min(f["cpu_s_per_million"] for f in turns)
        kept["peak_mb"] = max(f["peak_mb"] for f in turns)
    b.figures[what] = kept


def copy_out(b, rows):
    argv, env = b.postgres.command("psql", "-qX", "-c", r"copy orders to stdout")
    since = time.monotonic()
    subprocess.run(argv, env=env, stdout=subprocess.DEVNULL, check=True)
    return {"rows_s": rows / (time.monotonic() - since)}


def same_bytes_by_kcat(b, phase, topic, start, count):
    """kcat sends the records that a reader has sent, keys and headers included, from a file."""
    path = pathlib.Path(b.directory) / "records"
    read = ["kcat", "-b", b.kafka.bootstrap, "-C", "-t", topic, "-p", "0", "-o", str(start), "-q"]
    with open(path, "wb") as out:
        subprocess.run([*read, "-K", "\x1f", "-c", str(count)], stdout=out, check=True)
    first = subprocess.run([*read, "-J", "-c", "1"], stdout=subprocess.PIPE, check=True)
    flat = json.loads(first.stdout).get("headers", [])  # the same for all records of one task
    headers = [word for name, text in zip(flat[::2], flat[1::2]) for word in ("-H", f"{name}={text}")]
    b.kafka.create("kcat")
    since = time.monotonic()
    process = subprocess.Popen(["kcat", *headers, "-b", b.kafka.bootstrap, "-P", "-t", "kcat", "-K", "\x1f", "-l", path,
                                "-X", "partitioner=murmur2_random", "-X", "linger.ms=5"])
    figures = b.follow("kcat", 0, count, process.pid, since)
    process.wait()
    best(b, phase, "kcat with the same bytes", record_bytes=path.stat().st_size / count, **figures)
    path.unlink()
    b.kafka.wire.delete_topics(["kcat"])
    wait_for("the topic to be gone", lambda: "kcat" not in b.kafka.topics())


def ratios(b, phase, limit):
    f = b.figures
    mine, theirs = f.get(f"{phase}, sluice"), f.get(f"{phase}, Debezium on Kafka Connect")
    lower = min(f[what]["rows_s"] for what in (f"{phase}, {limit}", f"{phase}, kcat with the same bytes") if what in f)
    if mine:
        ratio, cpu = mine["rows_s"] / lower, mine["cpu_s_per_million"]
        b.note(f"{phase}: sluice / lower limit", ratio=ratio, cpu_s_per_million=cpu, peak_mb=mine["peak_mb"])
        print(f"  {'':<40}ratio {'holds' if ratio >= RATE_LIMIT else 'MISSES'} {RATE_LIMIT}, "
              f"CPU {'holds' if cpu <= CPU_LIMIT else 'MISSES'} {CPU_LIMIT} s/M")
    if mine and theirs:
        b.note(f"{phase}: sluice / Debezium", ratio=mine["rows_s"] / theirs["rows_s"],
               cpu=mine["cpu_s_per_million"] / theirs["cpu_s_per_million"],
               memory=mine["peak_mb"] / theirs["peak_mb"])
