"""Exactly-once sources beside at-least-once ones: a backlog of changes of Postgres, and datagen, by the
same worker in one run, with exactly.once.source.support enabled and disabled."""
import time

from bench import BINARY, Sluice, wait_for
from bench_cdc import TABLE, connector

ROWS = 20_000  # that the updates among the changes find
# Transactions of 1 to 1,000 inserts or updates, by turns.
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
KINDS = (("at least once", "disabled", {}),
         ("exactly once, poll", "enabled", {"transaction.boundary": "poll"}),
         ("exactly once, 200 ms", "enabled",
          {"transaction.boundary": "interval", "transaction.boundary.interval.ms": "200"}))
OF_THE_SOURCE = ("exactly once, connector", "enabled",
                 {"transaction.boundary": "connector"})


def worker(b, name, support):
    props = {"group.id": name, "exactly.once.source.support": support,
             "offset.storage.file.filename": None, "scheduled.rebalance.max.delay.ms": "0"}
    for kind in ("config", "offset", "status"):
        props[f"{kind}.storage.topic"] = f"{name}-{kind}"
        props[f"{kind}.storage.replication.factor"] = "1"
    return Sluice(b.directory / name, b.kafka.bootstrap, worker=props, mode="distributed")


def measure(b, name, support, config, topic, count):
    """What one worker takes for count records of a topic; it ends with the records."""
    process = worker(b, name, support)
    process.start(timeout=60)
    wait_for("the connector", lambda: process.rest.call("PUT", "/connectors/bench/config", config)[0] < 300, 60)
    since = time.monotonic()
    figures = b.follow(topic, 0, count, process.process.pid, since)
    process.stop()
    return figures


def cdc(b, changes):
    b.postgres.sql(TABLE)
    b.postgres.sql(f"""insert into orders select i, i % 10000, 'new', i * 1.25, i % 50, true,
        'a note of about forty characters, no. ' || i, now() from generate_series(1, {ROWS}) i;
        vacuum analyze orders""")
    kinds = [*KINDS, OF_THE_SOURCE]
    for i in range(len(kinds)):
        b.postgres.sql(f"select pg_create_logical_replication_slot('eos{i}', 'pgoutput')")
    b.postgres.sql(CHANGES.format(rows=ROWS, changes=changes))
    for i, (kind, support, boundary) in enumerate(kinds):
        config = {**connector(b, f"eos{i}"), "snapshot.mode": "no_data", **boundary}
        b.note(f"streaming, {kind}", **measure(b, f"eos-cdc-{i}", support, config,
                                               f"eos{i}.public.orders", changes))
    compare(b, "streaming", kinds)


def datagen(b, records):
    for i, (kind, support, boundary) in enumerate(KINDS):
        topic = f"eos-datagen-{i}"
        b.kafka.create(topic)
        config = {"connector.class": "datagen", "quickstart": "orders", "kafka.topic": topic,
                  "max.interval": "0", "iterations": str(records), "tasks.max": "1",
                  "value.converter.schemas.enable": "false", **boundary}
        b.note(f"datagen, {kind}", **measure(b, f"eos-datagen-w{i}", support, config, topic, records))
    compare(b, "datagen", KINDS)


def compare(b, phase, kinds):
    base = b.figures[f"{phase}, {kinds[0][0]}"]
    for kind, _, _ in kinds[1:]:
        mine = b.figures[f"{phase}, {kind}"]
        b.note(f"{phase}: {kind} / {kinds[0][0]}", ratio=mine["rows_s"] / base["rows_s"],
               cpu=mine["cpu_s_per_million"] / base["cpu_s_per_million"])


def run(b):
    if not BINARY.exists():
        return
    print("exactly-once sources beside at-least-once ones")
    cdc(b, b.options.changes)
    datagen(b, b.options.rows)
