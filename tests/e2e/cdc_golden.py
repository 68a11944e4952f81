#!/usr/bin/env python3
"""The same SQL through Debezium and through postgres-cdc: scenarios, running them, golden files.

A scenario is an SQL file of tests/golden/cdc and some properties. What is before "-- stream" is
there before the connector starts. Lines between its pieces:

    -- wait     the connector has time to catch up, as both look into the catalog when a table has changed
    -- settle   the same, and what comes by itself (snapshots that were asked for) has come, too: the
                golden file has how many records there were when Debezium had no more to say
    -- restart  what follows, until the next of these lines, happens while the connector is stopped
    -- signal   the rest of this line goes into the file of signals
    -- marker   the first line of a file: the table whose rows tell that all before them has come

test_cdc_golden.py compares postgres-cdc with the golden files; this program makes them anew with
Debezium (Java 17 and Maven needed):

    tests/e2e/cdc_golden.py --services DIR [SCENARIO...]
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

import cdc_compare
import cdc_types
from harness import PATIENCE

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden/cdc"

TYPES = {
    "types": {},
    "types_string": {"decimal.handling.mode": "string", "time.precision.mode": "isostring",
                     "binary.handling.mode": "hex", "hstore.handling.mode": "map",
                     "interval.handling.mode": "string"},
    "types_double": {"decimal.handling.mode": "double", "time.precision.mode": "connect",
                     "binary.handling.mode": "base64"},
    "types_micros": {"time.precision.mode": "microseconds",
                     "binary.handling.mode": "base64-url-safe"},
    "types_adaptive_micros": {"time.precision.mode": "adaptive_time_microseconds"},
    "types_unknown": {"include.unknown.datatypes": "true"},
}
NESTED = {
    "types_nested": {},
    "types_nested_modes": {"decimal.handling.mode": "string", "time.precision.mode": "isostring",
                           "hstore.handling.mode": "map", "event.converting.failure.handling.mode": "skip"},
}
CHANGES = {
    "changes": {},
    "changes_truncate": {"skipped.operations": "none", "tombstones.on.delete": "false",
                         "extended.headers.enabled": "false"},
    "changes_skipped": {"skipped.operations": "d, r"},
    "changes_filtered": {"table.include.list": r"s1\.(a|wide|toast|marker)",
                         "column.exclude.list": r"s1\.wide\.(x|v)", "skipped.operations": "u",
                         "message.key.columns": r"s1\.a:pk,aa",
                         "publication.autocreate.mode": "filtered",
                         "unavailable.value.placeholder": "gone"},
}
COLUMNS = {
    "columns_masked": {"column.mask.with.5.chars": r"s1\.people\.(email|n|m),s1\.keyed\.email,s1\.whole\.email",
                       "column.mask.with.0.chars": r"s1\.people\.need",
                       "column.mask.hash.SHA-256.with.salt.CzQMA0cB5K": r"s1\.people\.(nick|pin|j|long),s1\.whole\.big",
                       "column.mask.hash.v2.SHA-512/256.with.salt.a.b": r"s1\.people\.same,s1\.part_toast\.hashed",
                       "column.truncate.to.3.chars": r"s1\.people\.(note|bio|tz|tag|u),s1\.part_toast\.big"},
    "columns_typed": {"column.propagate.source.type": ".*", "schema.name.adjustment.mode": "avro",
                      "field.name.adjustment.mode": "avro", "include.schema.comments": "true"},
    "columns_unicode": {"datatype.propagate.source.type": r"s1\..*\.(varchar|numeric|int4|serial|mood|code)",
                        "schema.name.adjustment.mode": "avro_unicode",
                        "field.name.adjustment.mode": "avro_unicode",
                        "skip.messages.without.change": "true",
                        "column.exclude.list": r"s1\.whole\.email"},
}
TRANSACTIONS = {
    "transactions": {"provide.transaction.metadata": "true", "table.exclude.list": r"s1\.hidden",
                     "skipped.operations": "none", "skip.messages.without.change": "true"},
    "transactions_topic": {"provide.transaction.metadata": "true", "topic.transaction": "t-x",
                           "table.exclude.list": r"s1\.hidden", "skipped.operations": "u,t",
                           "tombstones.on.delete": "false"},
}
INCREMENTAL = {
    "incremental": {"signal.data.collection": "s1.signals", "incremental.snapshot.chunk.size": "2",
                    "snapshot.mode": "no_data"},
    "incremental_delete": {"signal.data.collection": "s1.signals", "incremental.snapshot.chunk.size": "2",
                           "incremental.snapshot.watermarking.strategy": "insert_delete",
                           "table.include.list": r"s1\.(a|pair|marker)", "snapshot.mode": "no_data"},
}
NOTICES = {
    "notices": {"signal.data.collection": "s1.signals", "incremental.snapshot.chunk.size": "2",
                "table.include.list": r"s1\.(a|pair|keyless|empty|marker)",
                "notification.enabled.channels": "sink,log",
                "notification.sink.topic.name": "notices"},
    "notices_skipped": {"signal.data.collection": "s1.signals", "snapshot.mode": "no_data",
                        "incremental.snapshot.chunk.size": "3",
                        "table.include.list": r"s1\.(a|pair|keyless|empty|marker)",
                        "notification.enabled.channels": "sink",
                        "notification.sink.topic.name": "notices"},
}
PLACES = {  # s1.later and its like are in a filtered publication from the next start on
    "places": {"message.key.columns": "(.*)1.a:pk,aa"},
    "places_root": {"publish.via.partition.root": "true", "topic.delimiter": "-"},
    "places_exclude": {"schema.exclude.list": "s1,Schéma.*", "table.exclude.list": r"s3.*,s2\.parted",
                       "column.exclude.list": "s2.a.aa"},
    "places_include": {"schema.include.list": " s1 , s2 ,zz", "column.include.list": r".+\.bb",
                       "column.mask.with.5.chars": ".*bb", "snapshot.include.collection.list": "s1.a",
                       "publication.autocreate.mode": "filtered"},
    "places_filtered": {"table.include.list": r"s1\.a, s2\..*,s1\.Mixed.Case,s1.later,zz.marker",
                        "publication.autocreate.mode": "filtered", "publish.via.partition.root": "true"},
}
MODES = {
    "modes_initial": {},
    "modes_no_data": {"snapshot.mode": "no_data"},
}
BEAT = "INSERT INTO s1.beat VALUES (1, 'beat') ON CONFLICT DO NOTHING"
BEATS = {
    "beats": {"heartbeat.interval.ms": "50", "heartbeat.action.query": BEAT, "table.exclude.list": r"s1\.hidden"},
    "beats_filtered": {"heartbeat.interval.ms": "50", "heartbeat.action.query": BEAT,
                       "topic.heartbeat.prefix": "beats-of", "table.include.list": "s1.a,zz.marker",
                       "message.prefix.include.list": "foo.*,bar", "binary.handling.mode": "base64",
                       "snapshot.mode": "no_data", "provide.transaction.metadata": "true",
                       "status.update.interval.ms": "200"},
    "beats_excluded": {"heartbeat.interval.ms": "50", "heartbeat.action.query": BEAT, "topic.delimiter": "_",
                       "message.prefix.exclude.list": "secret,food", "binary.handling.mode": "hex"},
}
OVERRIDES = "snapshot.select.statement.overrides"
READS = {
    "reads": {OVERRIDES: "s1.big,s1.two,s1.none", f"{OVERRIDES}.s1.none": "SELECT",
              f"{OVERRIDES}.s1.big": "SELECT * FROM s1.big WHERE pk > 5 ORDER BY pk DESC",
              f"{OVERRIDES}.s1.two": 'SELECT pk, v, "Höhe" FROM s1.two WHERE pk = 1',
              "table.include.list": r"s1\.two,zz.*,s1\.one,s1\..*"},
    "reads_locked": {"table.include.list": r"s1\.(big|two|one|keyless|Odd\, name),zz.*",
                     "snapshot.locking.mode": "shared", "snapshot.isolation.mode": "repeatable_read",
                     "snapshot.include.collection.list": r"s1\.(two|Odd.*)"},
}
KEYS = {
    "keys": {},
    "keys_skipped": {"skipped.operations": "u"},
    "keys_configured": {"message.key.columns": r"s1\.none:b;s1\.full_pair:other,id;s1\.full_none:a;"
                                               r"s1\.toast:n;s1\.pair:b;s1.nullable:b,a"},
}
READONLY = {
    "readonly": {"read.only": "true", "signal.enabled.channels": "file", "signal.poll.interval.ms": "50",
                 "signal.file": "{directory}/signals.txt", "incremental.snapshot.chunk.size": "2",
                 "heartbeat.interval.ms": "50", "snapshot.mode": "no_data"},
}
RESELECT_CLASS = "io.debezium.processors.reselect.ReselectColumnsPostProcessor"
RESELECT = {
    "reselect": {"post.processors": "again", "post.processors.again.type": RESELECT_CLASS},
    "reselect_some": {"post.processors": "a, b", "a.type": RESELECT_CLASS, "b.type": RESELECT_CLASS,
                      "a.reselect.columns.include.list": r"s1\.toast:(t|jb|num|h),S1.*:v",
                      "a.reselect.null.values": "false", "b.reselect.unavailable.values": "FALSE",
                      "b.reselect.columns.exclude.list": r"s1\.(full_id:t|ruled.*)",
                      "hstore.handling.mode": "map"},
    "reselect_by_event_key": {"post.processors": "again", "post.processors.again.type": RESELECT_CLASS,
                              "post.processors.again.reselect.use.event.key": "true",
                              "message.key.columns": r"s1\.ruled:b,c;s1\.keyless:id"},
    "reselect_by_own_key": {"post.processors": "again", "post.processors.again.type": RESELECT_CLASS,
                            "message.key.columns": r"s1\.ruled:b,c;s1\.keyless:id",
                            "column.exclude.list": r"s1\.toast\.j"},
}
STRATEGY = "topic.naming.strategy"
NAMES = {
    "names_regex": {STRATEGY: "io.debezium.schema.SchemaRegexTopicNamingStrategy", "topic.delimiter": "-",
                    "topic.regex": r"srv-(s\d)-(?:orders_(?<which>.)|empty_name()).*", "topic.replacement": r"${which}$3",
                    "skipped.operations": "none", "provide.transaction.metadata": "true"},
    "names_default": {STRATEGY: "io.debezium.schema.DefaultRegexTopicNamingStrategy", "topic.regex": r"srv\.orders.*",
                      "topic.replacement": r"all\$orders", "topic.key.field.name": "of", "topic.key.field.regex": r"srv\.orders_(.*)",
                      "topic.key.field.replacement": "$1$0"},
    "names_keyed": {STRATEGY: "io.debezium.schema.SchemaRegexTopicNamingStrategy", "topic.regex": r"(.*)_\w+",
                    "topic.replacement": "$1", "topic.key.enforce.uniqueness": "false"},
    "names_unicode": {STRATEGY: "io.debezium.schema.SchemaUnicodeTopicNamingStrategy"},
    "names_table": {STRATEGY: "io.debezium.schema.DefaultTopicNamingStrategy", "message.key.columns": "s2.orders.*:id"},
}
SCHEMA_CHANGES = {"schema_changes": {}}
SCENARIOS = {**{name: ("names.sql", how) for name, how in NAMES.items()},
             **{name: ("reselect.sql", how) for name, how in RESELECT.items()},
             **{name: ("places.sql", how) for name, how in PLACES.items()},
             **{name: ("modes.sql", how) for name, how in MODES.items()},
             **{name: ("beats.sql", how) for name, how in BEATS.items()},
             **{name: ("reads.sql", how) for name, how in READS.items()},
             **{name: ("keys.sql", how) for name, how in KEYS.items()},
             **{name: ("readonly.sql", how) for name, how in READONLY.items()},
             **{name: ("schema_changes.sql", how) for name, how in SCHEMA_CHANGES.items()},
             **{name: ("notices.sql", how) for name, how in NOTICES.items()},
             **{name: ("incremental.sql", how) for name, how in INCREMENTAL.items()},
             **{name: ("transactions.sql", how) for name, how in TRANSACTIONS.items()},
             **{name: ("columns.sql", how) for name, how in COLUMNS.items()},
             **{name: ("types.sql", how) for name, how in TYPES.items()},
             **{name: ("types_nested.sql", how) for name, how in NESTED.items()},
             **cdc_types.SCENARIOS,
             **{name: ("changes.sql", how) for name, how in CHANGES.items()}}

BY_TOPIC = {*NOTICES, *READONLY}  # some records come beside the others, not among them: compared topic by topic
MARKER = "-- marker "


def properties(name, postgres, database, directory):
    own = {k: v.replace("{directory}", str(directory)) for k, v in SCENARIOS[name][1].items()}
    return {"name": "golden", "topic.prefix": "srv", "plugin.name": "pgoutput",
            "database.hostname": "127.0.0.1", "database.port": postgres["POSTGRES_PORT"],
            "database.user": "postgres", "database.password": "postgres",
            "database.dbname": database, "slot.name": database, **own}


def statements(name):
    """(the marker table, before the start, [(how the piece comes, its SQL)])"""
    text = (GOLDEN / SCENARIOS[name][0]).read_text()
    marker = text.split("\n")[0].removeprefix(MARKER) if text.startswith(MARKER) else "s1.marker"
    before, after = text.split("-- stream\n")
    parts = re.split(r"^-- (wait|settle|restart)\n", "-- wait\n" + after, flags=re.M)[1:]
    return marker, before, list(zip(parts[::2], parts[1::2]))


def write_properties(path, props):
    path.write_text("".join(f"{k}={v}\n".replace("\\", "\\\\") for k, v in props.items()))
    return path


class Reader(threading.Thread):
    """A process's records, as they come."""

    def __init__(self, argv, marker, **how):
        super().__init__(daemon=True)
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **how)
        self.marker = marker.split(".")
        self.records = []
        self.start()

    def run(self):
        for line in self.process.stdout:
            if line.startswith(b"{"):
                self.records.append(json.loads(line))

    def marks(self, record):
        source = cdc_compare.source_of(record)
        return [source.get("schema"), source.get("table")] == self.marker

    def seen(self, number):
        """The marker, and the end of its transaction where that is told of."""
        records = list(self.records)
        at = next((i for i, r in enumerate(records) if self.marks(r) and r["key"]["payload"]["id"] == number), None)
        if at is None:
            return False
        block = cdc_compare.payload_of(records[at]).get("transaction")
        return not block or any((p := cdc_compare.payload_of(r)).get("status") == "END" and p["id"].split(":")[0] ==
                                block["id"].split(":")[0] for r in records[at:])

    def stop(self):
        self.process.stdin.close()
        self.process.wait(60 * PATIENCE)
        self.join()
        return [r for r in self.records if not self.marks(r)]


def wait(what, check, seconds=60):
    """The first true result of check(). Exceptions count as not yet: it may look amid a change; but
    an AssertionError ends it."""
    seconds *= PATIENCE
    end = time.monotonic() + seconds
    while True:
        try:
            if seen := check():
                return seen
        except AssertionError:
            raise
        except Exception as e:  # what it is shows in the message below
            seen = e
        assert time.monotonic() < end, f"waited {seconds:g} s for {what} (last seen: {seen!r:.2000})"
        time.sleep(0.05)


class Run:
    """A scenario under way: the connector's process, started as often as the scenario says."""

    def __init__(self, name, postgres, database, argv, directory, extra, settled, how):
        self.known, self.settled = settled, []
        self.marker, self.before, self.pieces = statements(name)
        self.slot, self.how, self.records, self.reader = database, how, [], None
        self.sql = lambda text: postgres.sql(text, database, "postgres")
        self.signals = pathlib.Path(directory) / "signals.txt"
        self.signals.write_text("")
        path = write_properties(pathlib.Path(directory) / f"{name}.properties",
                                properties(name, postgres, database, directory) | extra)
        self.argv = [*argv, str(path), str(path.with_suffix(".offset"))]
        self.log = open(path.with_suffix(".log"), "wb")

    def wait(self, what, check):
        def probe():
            code = self.reader.process.poll()
            if check():
                return True
            assert code is None, f"the connector ended with {code} while {what} had to come"

        try:
            wait(what, probe)
        except AssertionError as e:
            raise AssertionError(f"{e}; {self.count()} records; end of its log:\n"
                                 + pathlib.Path(self.log.name).read_text(errors="replace")[-2000:]) from None

    def start(self):
        self.reader = Reader(self.argv, self.marker, stderr=self.log, **self.how)
        self.wait("the stream", lambda: self.sql(
            f"SELECT 1 FROM pg_stat_replication s JOIN pg_replication_slots r ON r.active_pid = s.pid"
            f" WHERE r.slot_name = '{self.slot}' AND s.state = 'streaming'"))

    def stop(self):
        self.records += self.reader.stop()

    def count(self):
        return len(self.records) + sum(not self.reader.marks(r) and not cdc_compare.is_heartbeat(r)
                                       for r in list(self.reader.records))

    def settle(self):
        """Until there are as many records as known, or no more come although time and transactions pass."""
        end = time.monotonic() + 60 * PATIENCE  # then the comparison says what is missing
        while self.known and self.count() < self.known[len(self.settled)] and time.monotonic() < end:
            time.sleep(0.02)
        before = -1
        while self.known is None and self.count() != before:
            before = self.count()
            for _ in range(50):
                self.sql("SELECT pg_current_xact_id(), pg_sleep(0.1)")
        self.settled.append(self.count())

    def play(self):
        self.sql(f"CREATE SCHEMA IF NOT EXISTS {self.marker.split('.')[0]};"
                 f"CREATE TABLE {self.marker} (id int PRIMARY KEY);" + self.before)
        self.start()
        try:
            for i, (how, piece) in enumerate(self.pieces):
                if how == "settle":
                    self.settle()
                if how == "restart":
                    self.stop()
                    wait("the slot to be free", lambda: self.sql(
                        f"SELECT NOT active FROM pg_replication_slots WHERE slot_name = '{self.slot}'") == "t")
                with open(self.signals, "a") as signals:
                    signals.writelines(s + "\n" for s in re.findall(r"^-- signal (.*)", piece, flags=re.M))
                self.sql(f"{piece}\n; INSERT INTO {self.marker} VALUES ({i});")
                if how == "restart":
                    self.start()
                self.wait("the records", lambda: self.reader.seen(i))
        finally:
            self.stop()
            self.log.close()
        return self.records


def run(name, postgres, database, argv, directory, extra=None, settled=None, **how):
    """(the records of a scenario as they came, how many there were at each "-- settle"); argv: the
    program, to which the files of properties and of the offset are added; settled: what is known of that."""
    one = Run(name, postgres, database, argv, directory, extra or {}, settled, how)
    return one.play(), one.settled


def corrected(name, record):
    """Where Debezium is wrong, what is right instead."""
    if name in cdc_types.SCENARIOS:
        return cdc_types.corrected(name, record)
    value = record["value"] or {}
    table = value.get("payload", {}).get("source", {}).get("table")
    rows = [r for r in (value.get("payload", {}).get(k) for k in ("before", "after")) if r]
    columns = {}
    for row in value.get("schema", {}).get("fields", [])[:2]:
        for field in row.get("fields", []):
            columns.setdefault(field["field"], []).append(field)
    if table == "texts" and value["payload"]["op"] == "c":
        for row in rows:  # columns of type name are null in its stream
            row["nm"] = "" if row["id"] == 2 else row["nm"]
    for field in columns.get("ea", []) if table == "arrays" else []:
        field["items"]["optional"] = True  # arrays of enums may hold NULL as others do
    if table == "defaults":  # 'it''s' is cut at the quote
        for field in columns["t"]:
            field["default"] = "it's"
        for row in rows:
            row["t"] = "it's" if row["t"] == "it" else row["t"]
    if table == "others" and name == "types_unknown":
        for row in rows:  # the driver's text of a box, not the server's
            row["bx"] = "KDEsMSksKDAsMCk=" if row["bx"] else None
    if name in NESTED and table == "strings":  # addresses of Java objects where others have null
        for row in rows:
            row.update({k: [None if str(v).startswith("[Ljava.") else v for v in a] for k, a in row.items() if k != "id"})
        for field in columns.get("ea", []) + columns.get("lta", []):
            field["items"]["optional"] = True  # arrays of enums may hold NULL as others do
    if name == "schema_changes" and table == "a" and "ee" in columns:
        for field in columns["dd"]:  # ALTER TYPE ADD VALUE is seen from 3.7 on
            field["parameters"]["allowed"] = "sad,happy,ok"
    if name.startswith("keys") and table == "partial":  # the index is not unique for all rows
        record["key"] = None
    if name.startswith("keys") and table == "including":  # INCLUDE columns are not what is unique
        record["key"]["schema"]["fields"] = record["key"]["schema"]["fields"][:1]
        del record["key"]["payload"]["b"]
    if name == "places_include" and record["key"]:  # in the stream; its snapshot has it as here
        keys = [record["key"], *(record["headers"].get(f"__debezium.{h}key") for h in ("old", "new"))]
        for field in [f for key in keys if key for f in key["schema"]["fields"]]:
            field["optional"] = False
            if record["topic"].endswith(".a"):  # serial
                field.update({"default": 0, "field": field.pop("field")})
    if name == "changes_filtered" and record["topic"] == "srv.s1.wide" and record["key"]:
        # Key columns left out of the value are read as absent.
        for field in record["key"]["schema"]["fields"]:
            field["optional"] = False
        if value.get("payload", {}).get("op") == "r":
            record["key"]["payload"]["x"] = 1
    return record


def oracle(directory):
    """Debezium's engine: fetched and compiled; the command that runs it."""
    cache = pathlib.Path(os.environ.get("SLUICE_CACHE", pathlib.Path.home() / ".cache/sluice"))
    lib = cache / "debezium-3.6.1"
    if not lib.exists():
        subprocess.run(["mvn", "-q", "-B", "-f", GOLDEN / "pom.xml", "dependency:copy-dependencies",
                        f"-DoutputDirectory={lib}"], check=True)
    subprocess.run(["javac", "-cp", f"{lib}/*", "-d", directory, GOLDEN / "Oracle.java"], check=True)
    return ["java", "-Duser.timezone=UTC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp",
            f"{directory}:{lib}/*", "Oracle"]


def main():
    sys.path.insert(0, str(ROOT / "scripts/services"))
    from clients import Services
    where = sys.argv[sys.argv.index("--services") + 1]
    names = [a for a in sys.argv[1:] if a in SCENARIOS] or list(SCENARIOS)
    services = Services(where)
    with tempfile.TemporaryDirectory() as directory:
        argv = oracle(directory)
        for name in names:
            database = f"golden_{name}"
            server = cdc_types.SERVERS.get(name)
            postgres = services.postgres_version(server) if server else services.postgres
            postgres.drop_database(database)
            postgres.sql(f"create database {database}", "postgres", "postgres")
            extra = {"connector.class": "io.debezium.connector.postgresql.PostgresConnector",
                     "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
                     "offset.storage.file.filename": f"{directory}/{name}.offsets"}
            records, settled = run(name, postgres, database, argv, directory, extra=extra)
            cdc_compare.save(GOLDEN / f"{name}.json", cdc_compare.normalized(records, database), settled)
            print(name, len(records), "records", file=sys.stderr)
            postgres.drop_database(database)


if __name__ == "__main__":
    main()
