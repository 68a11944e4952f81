"""Random tables, changes and schema changes through postgres-cdc: replaying the records gives the tables.

SLUICE_CDC_SEED=N repeats a run. SLUICE_CDC_TABLES=N makes so many tables (CI: 600); with
SLUICE_CDC_MINUTES=M it goes on with new seeds for that long.
"""
import base64
import collections
import decimal
import json
import os
import random
import re
import subprocess
import time

import cdc_golden
from cdc_random import Table, ident, transaction
from cdc_reference import KINDS, POSTGIS, TYPES_SQL, VECTORS, Array, decode, expected, normal
from harness import BINARY, PATIENCE, seconds

MINUTES = float(os.environ.get("SLUICE_CDC_MINUTES", "0"))
TABLES = int(os.environ.get("SLUICE_CDC_TABLES", "600"))
IN_ONE_DATABASE = 300
PLACEHOLDER = "__debezium_unavailable_value"
SCHEMAS = ["public", "Sch ema", "日本", 'q"s', "it's.a"]
OPTIONS = {
    "decimal.handling.mode": ["precise", "precise", "string", "double"],
    "time.precision.mode": ["adaptive", "adaptive", "adaptive_time_microseconds", "microseconds", "nanoseconds",
                            "connect", "isostring"],
    "binary.handling.mode": ["bytes", "bytes", "base64", "base64-url-safe", "hex"],
    "hstore.handling.mode": ["json", "map"], "interval.handling.mode": ["numeric", "string"],
    "snapshot.max.threads": ["1", "1", "3"], "tombstones.on.delete": ["true", "true", "false"],
    "provide.transaction.metadata": ["false", "true"],
}
FLAT = re.compile(r"[^A-Za-z0-9._-]")


def flat(name):
    """A topic's name: Java's characters have 16 bits, and each is replaced on its own."""
    return FLAT.sub(lambda m: "_" * (1 + (ord(m[0]) > 0xffff)), name)


def sql(t, database, text):
    """Statements, of which some may fail: how many did, and the first errors."""
    argv, env = t.postgres.command("psql", "-qAtX", database=database, user="postgres")
    env = {**env, "PGCLIENTENCODING": "UTF8", "PGOPTIONS": "-c client_min_messages=error"}
    run = subprocess.run(argv, env=env, input=text.encode(), capture_output=True)
    errors = [line for line in run.stderr.decode().splitlines() if "ERROR:" in line]
    return run.stdout.decode(), [e for e in errors if "transaction is aborted" not in e]


class Universe:
    """One database, its random tables, and the connector."""

    def __init__(self, t, seed, tables, extension, kinds):
        """extension: besides those of TYPES_SQL; kinds: its types."""
        self.t, self.seed, self.rng = t, seed, random.Random(seed)
        self.rng.kinds, self.extension = KINDS + kinds, f"CREATE EXTENSION {extension};"
        self.database = t.database()
        self.options = {k: self.rng.choice(v) for k, v in OPTIONS.items()}
        self.options["skipped.operations"] = "none"
        self.rng.nanoseconds = self.options["time.precision.mode"] == "nanoseconds"
        self.room = self.rng.choice([None, None, "1", "2", "7", "100"])
        self.tables = [self.table(i) for i in range(tables)]
        self.next = tables
        self.errors, self.statements = [], 0

    def table(self, number):
        return Table(self.rng, number, self.rng.choice(SCHEMAS))

    def run(self, scripts, must=False):
        """Scripts at the same time, each with a connection of its own."""
        argv, env = self.t.postgres.command("psql", "-qAtX", database=self.database, user="postgres")
        env = {**env, "PGCLIENTENCODING": "UTF8", "PGOPTIONS": "-c client_min_messages=error"}
        running = []
        for i, script in enumerate(scripts):
            path = self.t.directory / f"script{i}.sql"
            path.write_text("\n".join(script), encoding="utf-8", newline="")
            log = open(self.t.directory / f"script{i}.log", "wb")
            running.append((subprocess.Popen([*argv, "-f", path], env=env, stderr=log, stdout=log), log))
            self.statements += len(script)
        for i, (process, log) in enumerate(running):
            process.wait()
            log.close()
            text = (self.t.directory / f"script{i}.log").read_text(errors="replace")
            bad = [line for line in text.splitlines() if "ERROR:" in line and "transaction is aborted" not in line]
            assert not (must and bad), bad[:5]
            self.errors += bad

    # ---- before the start ----

    def create(self):
        script = [TYPES_SQL, self.extension, *(f"CREATE SCHEMA IF NOT EXISTS {ident(s)};" for s in SCHEMAS),
                  "CREATE TABLE public.marker (id int PRIMARY KEY);"]
        self.run([script + [s for table in self.tables for s in table.create()]], must=True)
        self.run([[table.insert() for table in self.tables for _ in range(self.rng.choice([0, 1, 3]))]])

    def start(self):
        t = self.t
        properties = {"name": "p", "topic.prefix": "p", "plugin.name": "pgoutput", "database.hostname": "127.0.0.1",
                      "database.port": t.postgres["POSTGRES_PORT"], "database.user": "postgres",
                      "database.password": "postgres", "database.dbname": self.database,
                      "slot.name": self.database, "status.update.interval.ms": 500, **self.options}
        path = cdc_golden.write_properties(t.directory / f"{self.database}.properties", properties)
        self.out, self.log = path.with_suffix(".out"), path.with_suffix(".log")
        env = {**os.environ, "CDC_DUMP_NULLS": "1", **({"CDC_DUMP_ROOM": self.room} if self.room else {})}
        with open(self.out, "wb") as out, open(self.log, "wb") as log:
            self.process = subprocess.Popen([BINARY.parent / "tests/cdc_dump", path], stdin=subprocess.PIPE,
                                            stdout=out, stderr=log, env=env)
        t.cleanup(lambda: self.process.poll() is None and self.process.kill())
        self.seen, self.markers = 0, 0
        self.wait_for("the stream", lambda: t.postgres.sql(
            f"SELECT 1 FROM pg_stat_replication s JOIN pg_replication_slots r ON r.active_pid = s.pid WHERE"
            f" r.slot_name = '{self.database}' AND s.state = 'streaming'", user="postgres"))

    def wait_for(self, what, check):
        def probe():
            assert self.process.poll() is None, f"{self.about()}: cdc_dump ended:\n{self.log.read_text()[-2000:]}"
            return check()
        cdc_golden.wait(what, probe, 300)

    def catch_up(self):
        """Until all changes so far are in the records."""
        self.t.postgres.sql(f"INSERT INTO marker VALUES ({self.markers})", self.database, "postgres")
        self.markers += 1

        def probe():
            with open(self.out, "rb") as out:
                out.seek(self.seen)
                text = out.read()
            text = text[:text.rfind(b"\n") + 1]  # it may be amid a line
            self.seen += len(text)
            key = f'"payload":{{"id":{self.markers - 1}}}'.encode()
            return any(line.startswith(b'{"topic":"p.public.marker"') and key in line for line in text.split(b"\n"))

        self.wait_for("the records", probe)

    # ---- changes ----

    def phase(self, sessions=3):
        rng = self.rng
        first = []
        for table in rng.sample(self.tables, len(self.tables) // 20):
            first += table.schema_change(key=True)
        for _ in range(len(self.tables) // 20):
            table = self.table(self.next)
            self.next += 1
            self.tables.append(table)
            first += table.create() + [table.insert()]
        self.run([first])
        self.catch_up()
        shared = self.tables[:5]
        scripts = []
        for n in range(sessions):
            mine, script = self.tables[5 + n::sessions], []
            for table in mine:
                for _ in range(rng.choice([1, 2, 3])):
                    script += transaction(rng, [table, rng.choice(mine)])
                    if rng.random() < 0.12:
                        script += table.schema_change()
                if rng.random() < 0.3:
                    script += transaction(rng, shared)
            scripts.append(script)
        self.run(scripts)
        self.catch_up()

    def stop(self):
        self.process.stdin.close()
        code = self.process.wait(60 * PATIENCE)
        assert code == 0, f"exit code {code}; the log:\n{self.log.read_text()[-2000:]}"

    def about(self):
        return f"SLUICE_CDC_SEED={self.seed} ({len(self.tables)} tables, room {self.room}, {self.options})"

    # ---- the comparison ----

    def records(self):
        with open(self.out, encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)

    def compare(self):
        state = Replay(self.options)
        for number, record in enumerate(self.records()):
            try:
                state.add(record)
            except Exception as e:
                raise AssertionError(f"{self.about()}: record {number}: {e!r}\n{record['topic']} key "
                                     f"{brief(record['key'])} value {brief(record['value'])}") from e
        self.run_compare(state)
        return state

    def leaves(self):
        """(schema, name, table): partitions stand for their parents."""
        for table in self.tables:
            for name in table.parts if table.partitioned else [table.name]:
                yield table.schema, name, table

    def run_compare(self, state):
        leaves = list(self.leaves())
        queries = []
        for i, (schema, name, table) in enumerate(leaves):
            columns = [c for c in table.columns if not c.generated and not c.kind.omitted]
            what = ", ".join(c.kind.expression(f"t.{ident(c.name)}") for c in columns)
            queries.append(f"select json_build_array({i}, coalesce((select json_agg(json_build_array({what})) from "
                           f"{ident(schema)}.{ident(name)} t), '[]'));")
        out, errors = sql(self.t, self.database, "set extra_float_digits = 1;\n" + "\n".join(queries))
        assert not errors, (self.about(), errors[:3])
        compared = 0
        # json_agg breaks lines between rows
        decoder, at = json.JSONDecoder(parse_float=decimal.Decimal, parse_int=int), 0
        while at < len(out.rstrip()):
            (i, rows), at = decoder.raw_decode(out, at + (len(out[at:at + 2]) - len(out[at:at + 2].lstrip())))
            schema, name, table = leaves[i]
            columns = [c for c in table.columns if not c.generated and not c.kind.omitted]
            try:
                state.check((schema, name), columns, rows)
            except AssertionError as e:
                raise AssertionError(f"{self.about()}: {schema}.{name} {[(c.name, c.kind.sql) for c in table.columns]}"
                                     f" key {table.key} identity {table.identity}: {e}") from e
            compared += 1
        assert compared == len(leaves), "not every table was compared"


def brief(part):
    return json.dumps(part and part["payload"], ensure_ascii=False)[:1500]


def freeze(v):
    """Hashable, and equal when the values are; a row from before its column became numeric is an integer still."""
    if isinstance(v, int) and not isinstance(v, bool):
        v = decimal.Decimal(v)
    if isinstance(v, decimal.Decimal):
        return ("decimal", str(v.normalize() + 0))
    if isinstance(v, dict):
        return tuple(sorted((k, freeze(x)) for k, x in v.items()))
    return tuple(map(freeze, v)) if isinstance(v, list) else (type(v).__name__, v)


def unavailable(payload):
    """Whether it stands for a value that was too long to be sent again."""
    if isinstance(payload, list):
        return payload == [PLACEHOLDER]
    return payload in (PLACEHOLDER, base64.b64encode(PLACEHOLDER.encode()).decode())


class Replay:
    """What a consumer makes of the records: rows by table, as {column: (schema, payload)}."""

    def __init__(self, options):
        self.tombstones = options["tombstones.on.delete"] == "true"
        self.binary = options["binary.handling.mode"]
        self.keyed = collections.defaultdict(dict)
        self.bags = collections.defaultdict(list)
        self.due = None  # the topic and key of a tombstone that must come next
        self.moved = {}
        self.ops = collections.Counter()

    def add(self, record):
        if record["topic"] == "p.transaction":
            return
        value, key = record["value"], record["key"]
        if self.due or not value:
            assert not value and self.due == (record["topic"], json.dumps(key)), "not the tombstone of the delete before"
            self.due = None
            return
        p, fields = value["payload"], value["schema"]["fields"]
        source, op = p["source"], p["op"]
        table = (source["schema"], source["table"])
        assert record["topic"] == flat(f"p.{table[0]}.{table[1]}")[:249], "topic"
        self.ops[op] += 1
        if op == "t":
            self.keyed[table], self.bags[table] = {}, []
            return
        before, after = (self.row(schema, p[schema["field"]]) for schema in fields[:2])
        if key:
            for field in key["schema"]["fields"]:
                decode(field, key["payload"][field["field"]])
            self.add_keyed(table, op, json.dumps(key["payload"]), before, after, record)
        else:
            # The key was dropped, or is about to be: the connector reads it from the live catalog, as Debezium does.
            self.bags[table] += self.keyed.pop(table, {}).values()
            self.add_bag(self.bags[table], op, before, after)
        if op == "d" and self.tombstones:
            self.due = (record["topic"], json.dumps(key))

    @staticmethod
    def row(schema, payload):
        if payload is None:
            return None
        assert list(payload) == [f["field"] for f in schema["fields"]], "fields differ from the schema"
        for field in schema["fields"]:
            v = payload[field["field"]]
            if not unavailable(v):
                decode(field, v)
        return {f["field"]: (f, payload[f["field"]]) for f in schema["fields"]}

    def add_keyed(self, table, op, key, before, after, record):
        rows = self.keyed[table]
        old = rows.get(key)
        if op in "cr":
            assert old is None, "a row of this key is there already"
            moved = "__debezium.oldkey" in record["headers"]
            old = self.moved.pop(table, None) if moved else None
        else:
            assert old is not None, "there is no row of this key"
            if op == "u" and before and set(before) == set(old) and all(v is not None for _, v in before.values()):
                for name, (_, v) in before.items():
                    assert v == old[name][1] or old[name][0] != before[name][0], f"before of {name} is not as the row was"
        if op == "d":
            self.moved[table] = rows.pop(key)
            return
        for name, (field, v) in after.items():
            if unavailable(v):
                assert old and name in old, f"{name} was never sent"
                after[name] = old[name]
        rows[key] = after

    @staticmethod
    def add_bag(bag, op, before, after):
        if op in "ud":
            plain = {k: v for k, (_, v) in before.items()}
            # Generated columns are in the snapshot's rows only.
            at = next((i for i, row in enumerate(bag) if all(k in row and row[k][1] == plain[k] for k in plain)), None)
            assert at is not None, f"the row before the change is not among {[{k: v for k, (_, v) in r.items()} for r in bag]}"
            bag.pop(at)
        if after is not None:
            assert not any(unavailable(v) for _, v in after.values()), "the old row was whole"
            bag.append(after)

    def value(self, column, row):
        assert column.name in row, f"column {column.name} {column.kind.sql} is missing"
        field, payload = row[column.name]
        if isinstance(column.kind, Array):
            assert field["type"] == "array", field
        return freeze(normal(column.kind, field, decode(field, payload), self.binary)), field

    def check(self, table, columns, rows):
        seen = [*self.keyed[table].values(), *self.bags[table]]
        fields, got = [c.name for c in columns], collections.Counter()
        schemas = {}
        for row in seen:
            line = []
            for c in columns:
                v, schemas[c.name] = self.value(c, row)
                line.append(v)
            got[tuple(line)] += 1
        if not seen:
            assert not rows, f"no rows came of {len(rows)}"
        wanted = collections.Counter(tuple(freeze(expected(c.kind, v, schemas[c.name])) for c, v in zip(columns, row))
                                     for row in rows)
        if got != wanted:
            one, two = list((got - wanted).elements()), list((wanted - got).elements())
            pairs = [f"{n}: topic {a!r:.300} table {b!r:.300}" for n, a, b in
                     zip(fields, (one or [()])[0], (two or [()])[0]) if a != b]
            raise AssertionError(f"{len(one)} rows only in the topic, {len(two)} only in the table; {pairs[:4]}")


def universe(t, seed, tables, extension="postgis", kinds=POSTGIS * 2, phases=2):
    u = Universe(t, seed, tables, extension, kinds)
    print(f"  {u.about()}", flush=True)
    marks = [time.monotonic()]

    def mark(step):
        step()
        marks.append(time.monotonic())

    mark(u.create)
    mark(u.start)
    for _ in range(phases):
        mark(u.phase)
    u.stop()
    state = u.compare()
    marks.append(time.monotonic())
    share = len(u.errors) / u.statements
    print(f"  {len(u.tables)} tables, {u.statements} statements ({share:.0%} refused), {dict(state.ops)};"
          f" create, snapshot, phases, compare: {[round(b - a, 1) for a, b in zip(marks, marks[1:])]} s", flush=True)
    assert share < 0.25, (u.about(), u.errors[:10])
    t.postgres.drop_database(u.database)
    for path in (u.out, u.log):
        path.unlink()


@seconds(int(300 + MINUTES * 70 + TABLES))
def test_replaying_gives_the_tables(t):
    seed = int(os.environ.get("SLUICE_CDC_SEED") or (random.SystemRandom().randrange(1, 10 ** 6) if MINUTES else 101))
    end, done = time.monotonic() + 60 * MINUTES, 0
    while done < TABLES or time.monotonic() < end:
        n = min(IN_ONE_DATABASE, TABLES)
        universe(t, seed, n)
        done += n
        seed += 1


@seconds(400)
def test_replaying_gives_the_vectors(t):
    t.use_postgres("16-vector")
    universe(t, 7, 40, "vector", VECTORS * 12)
