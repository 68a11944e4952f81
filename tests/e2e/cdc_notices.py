#!/usr/bin/env python3
"""What Debezium tells of a snapshot that several threads take, and the attributes of its MBeans.

test_cdc_notices.py compares postgres-cdc with the first, test_cdc_progress.py with the second; this
program makes the golden files of both anew (Java 17 and Maven needed):

    tests/e2e/cdc_notices.py --services DIR
"""
import json
import pathlib
import sys
import tempfile

import cdc_golden

NOTICES = cdc_golden.GOLDEN / "notices_threads.json"
MBEANS = cdc_golden.GOLDEN / "mbeans.json"
OPTIONS = {"signal.data.collection": "s1.signals", "snapshot.max.threads": "2",
           "table.include.list": r"s1\.(a|pair|keyless|empty)", "notification.sink.topic.name": "notices"}
BEFORE = (cdc_golden.GOLDEN / "notices.sql").read_text().split("-- stream\n")[0]


def notice(payload):
    """Without ids and clocks; data_collections are those of a Java set."""
    data = dict(payload["additional_data"])
    if data.get("data_collections"):
        data["data_collections"] = ",".join(sorted(data["data_collections"].split(",")))
    return {"aggregate_type": payload["aggregate_type"], "type": payload["type"], **dict(sorted(data.items()))}


def main():
    sys.path.insert(0, str(cdc_golden.ROOT / "scripts/services"))
    from clients import Services
    postgres = Services(sys.argv[sys.argv.index("--services") + 1]).postgres
    database = "golden_threads"
    postgres.drop_database(database)
    postgres.sql(f"create database {database}", "postgres", "postgres")
    postgres.sql(BEFORE, database, "postgres")
    with tempfile.TemporaryDirectory() as directory:
        props = {"name": "golden", "topic.prefix": "srv", "plugin.name": "pgoutput", "slot.name": database,
                 "database.hostname": "127.0.0.1", "database.port": postgres["POSTGRES_PORT"],
                 "database.user": "postgres", "database.password": "postgres", "database.dbname": database,
                 "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
                 "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
                 "offset.storage.file.filename": f"{directory}/offsets", "signal.enabled.channels": "source,jmx",
                 "notification.enabled.channels": "sink,jmx", "internal.advanced.metrics.enable": "true", **OPTIONS}
        path = cdc_golden.write_properties(pathlib.Path(directory) / "threads.properties", props)
        reader = cdc_golden.Reader([*cdc_golden.oracle(directory), str(path), str(MBEANS)], "s1.marker")
        told = lambda: [notice(r["value"]["payload"]) for r in list(reader.records) if r["topic"] == "notices"]
        cdc_golden.wait("the snapshot", lambda: any(n["type"] == "COMPLETED" for n in told()))
        cdc_golden.wait("the stream", lambda: postgres.sql(
            f"select 1 from pg_replication_slots where slot_name = '{database}' and active", database, "postgres"))
        reader.stop()
        NOTICES.write_text("[" + ",\n".join(json.dumps(n) for n in told()) + "]\n")
    postgres.drop_database(database)


if __name__ == "__main__":
    main()
