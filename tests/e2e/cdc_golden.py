#!/usr/bin/env python3
"""The same SQL through Debezium and through postgres-cdc: scenarios, running them, golden files.

A scenario is an SQL file of tests/golden/cdc and some properties. What is before "-- stream" is
there before the connector starts; at "-- wait" the connector has time to catch up, as both look
into the catalog when a table has changed. test_cdc_golden.py compares postgres-cdc with the golden
files; this program makes them anew with Debezium (Java 17 and Maven needed):

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
CHANGES = {
    "changes": {},
    "changes_truncate": {"skipped.operations": "none", "tombstones.on.delete": "false",
                         "extended.headers.enabled": "false"},
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
NOTICES = {  # their records come in the topics' order, so they are compared topic by topic
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
SCHEMA_CHANGES = {"schema_changes": {}}
SCENARIOS = {**{name: ("schema_changes.sql", how) for name, how in SCHEMA_CHANGES.items()},
             **{name: ("notices.sql", how) for name, how in NOTICES.items()},
             **{name: ("incremental.sql", how) for name, how in INCREMENTAL.items()},
             **{name: ("transactions.sql", how) for name, how in TRANSACTIONS.items()},
             **{name: ("columns.sql", how) for name, how in COLUMNS.items()},
             **{name: ("types.sql", how) for name, how in TYPES.items()},
             **{name: ("changes.sql", how) for name, how in CHANGES.items()}}

MARKER = "CREATE SCHEMA IF NOT EXISTS s1; CREATE TABLE s1.marker (id int PRIMARY KEY);"


def properties(name, postgres, database):
    return {"name": "golden", "topic.prefix": "srv", "plugin.name": "pgoutput",
            "database.hostname": "127.0.0.1", "database.port": postgres["POSTGRES_PORT"],
            "database.user": "postgres", "database.password": "postgres",
            "database.dbname": database, "slot.name": database, **SCENARIOS[name][1]}


def statements(name):
    """(before the start, [pieces between the waits])"""
    text = (GOLDEN / SCENARIOS[name][0]).read_text()
    before, after = text.split("-- stream\n")
    return before, after.split("-- wait\n")


def write_properties(path, props):
    path.write_text("".join(f"{k}={v}\n".replace("\\", "\\\\") for k, v in props.items()))
    return path


class Reader(threading.Thread):
    """A process's records, as they come."""

    def __init__(self, argv, **how):
        super().__init__(daemon=True)
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **how)
        self.records = []
        self.start()

    def run(self):
        for line in self.process.stdout:
            if line.startswith(b"{"):
                self.records.append(json.loads(line))

    def seen(self, marker):
        return any(r["topic"] == "srv.s1.marker" and r["key"]["payload"]["id"] == marker
                   for r in self.records)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.join()


def wait(what, check, seconds=60):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.05)


def run(name, postgres, database, argv, directory, **how):
    """The records of a scenario; argv: the program, to which the properties file is added."""
    before, pieces = statements(name)
    path = write_properties(pathlib.Path(directory) / f"{name}.properties",
                            properties(name, postgres, database) | how.pop("extra", {}))
    sql = lambda text: postgres.sql(text, database, "postgres")
    sql(MARKER + before)
    log = open(path.with_suffix(".log"), "wb")
    reader = Reader([*argv, str(path)], stderr=log, **how)
    try:
        wait("the stream", lambda: reader.process.poll() is not None or sql(
            f"SELECT 1 FROM pg_stat_replication s JOIN pg_replication_slots r ON r.active_pid = s.pid"
            f" WHERE r.slot_name = '{database}' AND s.state = 'streaming'"))
        for i, piece in enumerate(pieces):
            sql(piece + f"\n; INSERT INTO s1.marker VALUES ({i});")
            wait("the records", lambda: reader.process.poll() is not None or reader.seen(i))
    finally:
        reader.stop()
        log.close()
    return [normal(r) for r in reader.records if r["topic"] != "srv.s1.marker"]


CLOCKS = {"ts_ms", "ts_us", "ts_ns", "txId", "lsn", "sequence", "version"}


def notice(payload, key):
    """Ids of their own, clocks, and the order of a Java set; what is left is to be equal."""
    payload["timestamp"] = True
    if len(payload["id"]) == 36:
        payload["id"] = key["id"] = "uuid"
    data = payload["additional_data"]
    if data.get("data_collections"):
        data["data_collections"] = ",".join(sorted(data["data_collections"].split(",")))


def normal(record):
    """Without what differs from run to run: clocks, positions, versions keep only whether they are there."""
    record = json.loads(json.dumps(record))
    payload = (record["value"] or {}).get("payload") or {}
    for part in (payload, payload.get("source") or {}):
        for key in CLOCKS & part.keys():
            part[key] = part[key] is not None and part[key] is not False  # saved ones are so already
    for block in (payload if payload.get("status") else {}, payload.get("transaction") or {},
                  (record["key"] or {}).get("payload") or {}):
        if ":" in str(block.get("id")):
            block["id"] = "transaction:lsn"
    for count in payload.get("data_collections") or []:
        if "LogicalDecodingMessageId@" in count["data_collection"]:  # a Java address
            count["data_collection"] = "LOGICAL_DECODING_MESSAGE"
    for row in (payload.get("before") or {}, payload.get("after") or {}):
        if str(row.get("id")).endswith(("-open", "-close")):  # a random id, and clocks
            row["id"] = row["id"][-5:]
            row["data"] = row["data"] and re.sub(r":\s*\"[^\"]*\"", ": clock", row["data"])
    key = (record["key"] or {}).get("payload") or {}
    if str(key.get("id")).endswith(("-open", "-close")):
        key["id"] = "chunk"
    if "aggregate_type" in payload:
        notice(payload, record["key"]["payload"])
    if payload.get("data_collections"):
        payload["data_collections"].sort(key=lambda c: c["data_collection"])
    if "db" in payload.get("source", {}):
        payload["source"]["db"] = "db"
    for row in (payload.get("before") or {}, payload.get("after") or {}):
        if isinstance(row.get("h"), str) and row["h"].startswith("{"):  # hstore: no order
            row["h"] = json.dumps(json.loads(row["h"]), sort_keys=True)
    if "__debezium.context.runId" in record["headers"]:
        record["headers"]["__debezium.context.runId"]["payload"] = "run"
    return record


def save(path, records):
    """Schemas once each: {"schemas": [...], "records": [...]} with numbers in their place."""
    schemas = []

    def number(part):
        if not part or "schema" not in part:
            return part
        if part["schema"] not in schemas:
            schemas.append(part["schema"])
        return {"schema": schemas.index(part["schema"]), "payload": part["payload"]}

    lines = [{**r, "key": number(r["key"]), "value": number(r["value"]),
              "headers": {k: number(v) for k, v in r["headers"].items()}} for r in records]
    text = ['{"schemas": [', ",\n".join(json.dumps(s, ensure_ascii=False) for s in schemas),
            '], "records": [', ",\n".join(json.dumps(r, ensure_ascii=False) for r in lines), "]}\n"]
    path.write_text("\n".join(text))


def load(path):
    data = json.loads(path.read_text())

    def full(part):
        if not part or "schema" not in part:
            return part
        return {"schema": data["schemas"][part["schema"]] if part["schema"] is not None else None,
                "payload": part["payload"]}

    return [normal({**r, "key": full(r["key"]), "value": full(r["value"]),
                    "headers": {k: full(v) for k, v in r["headers"].items()}})
            for r in data["records"]]


def corrected(name, record):
    """Where Debezium is wrong, what is right instead."""
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
    if name == "schema_changes" and table == "a" and "ee" in columns:
        for field in columns["dd"]:  # ALTER TYPE ADD VALUE is seen from 3.7 on
            field["parameters"]["allowed"] = "sad,happy,ok"
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
    postgres = services.postgres
    with tempfile.TemporaryDirectory() as directory:
        argv = oracle(directory)
        for name in names:
            database = f"golden_{name}"
            postgres.drop_database(database)
            postgres.sql(f"create database {database}", "postgres", "postgres")
            extra = {"connector.class": "io.debezium.connector.postgresql.PostgresConnector",
                     "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
                     "offset.storage.file.filename": f"{directory}/{name}.offsets"}
            records = run(name, postgres, database, argv, directory, extra=extra)
            save(GOLDEN / f"{name}.json", records)
            print(name, len(records), "records", file=sys.stderr)
            postgres.drop_database(database)


if __name__ == "__main__":
    main()
