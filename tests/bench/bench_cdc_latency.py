"""From the commit in Postgres to a consumer's hands, at a steady rate of changes; and a change now
and then, with nothing else going on. sluice and Debezium in turn, with the same table and load.

The consumer is kcat, which writes each record, a line, as it comes; a record's age is the clock when it is
read here less its source.ts_us, the time of the commit. All of it runs on one machine and clock.
"""
import re
import subprocess
import time

from bench import process_cost, wait_for
from bench_cdc import DebeziumReader, SluiceReader, TABLE

RATE, SECONDS, WARM = 10_000, 12, 3
TRANSACTIONS = (1, 10, 1000)  # changes of each: three loads of the same rate
ALONE, PAUSE = 100, 0.05
COMMITTED = re.compile(rb'"ts_us":(\d+)')
LOAD = """
do $$
declare begun timestamptz := clock_timestamp(); n bigint := 0; behind float8;
begin
    while n < {changes} loop
        insert into orders select {first} + n + i, i, 'new', i * 1.25, i, true,
            'a note of about forty characters, no. ' || i, now() from generate_series(1, {per}) i;
        commit;
        n := n + {per};
        behind := n / {rate}::float8 - extract(epoch from clock_timestamp() - begun);
        if behind > 0.001 then perform pg_sleep(behind); end if;
    end loop;
end $$;
"""


class Consumer:
    def __init__(self, b, topic):
        self.process = subprocess.Popen(
            ["stdbuf", "-oL", "kcat", "-b", b.kafka.bootstrap, "-C", "-t", topic, "-o", "end", "-q", "-X", "fetch.wait.max.ms=10"],
            stdout=subprocess.PIPE)

    def ages(self, count):
        """Milliseconds of each record."""
        found = []
        for _ in range(count):
            line = self.process.stdout.readline()
            found.append((time.time() - int(COMMITTED.search(line).group(1)) / 1e6) * 1e3)
        return found

    def stop(self):
        self.process.kill()
        self.process.wait()


def share(ages, part):
    return sorted(ages)[min(len(ages) - 1, int(len(ages) * part))]


def under_load(b, reader, consumer, first, per):
    argv, env = b.postgres.command("psql", "-qX", "-c", LOAD.format(
        changes=RATE * SECONDS, first=first, per=per, rate=RATE))
    load = subprocess.Popen(argv, env=env)
    before, began = process_cost(reader.pid), time.monotonic()
    ages = consumer.ages(RATE * SECONDS)
    took, after = time.monotonic() - began, process_cost(reader.pid)
    load.wait()
    ages = ages[RATE * WARM:]
    b.note(f"{per:,} a transaction, {reader.name}", changes_s=RATE * SECONDS / took,
           p50_ms=share(ages, 0.5), p99_ms=share(ages, 0.99), p999_ms=share(ages, 0.999), most_ms=max(ages),
           cpu_percent=100 * (after["cpu"] - before["cpu"]) / took, rss_mb=after["rss"] / 1e6)


def alone(b, reader, consumer, first):
    ages = []
    for i in range(ALONE):
        b.postgres.sql(f"insert into orders values ({first + i}, 1, 'new', 1, 1, true, 'one', now())")
        ages += consumer.ages(1)
        time.sleep(PAUSE)
    b.note(f"single changes, {reader.name}", p50_ms=share(ages, 0.5), p99_ms=share(ages, 0.99))


def measure(b, reader, first):
    consumer = Consumer(b, reader.topic)
    try:
        time.sleep(2)
        alone(b, reader, consumer, first)
        first += ALONE
        for per in TRANSACTIONS:
            under_load(b, reader, consumer, first, per)
            first += RATE * SECONDS + 1
    finally:
        consumer.stop()
    return first


def run(b):
    print(f"CDC: latency at {RATE:,} changes/s")
    b.postgres.sql(TABLE)
    # Offsets are written as often as both workers do it by default.
    worker = {"offset.flush.interval.ms": "60000"}
    readers = [SluiceReader(b, worker)] + ([] if b.options.no_java else [DebeziumReader(b, worker)])
    first = 1
    for reader in readers:  # each with a snapshot of one row
        b.postgres.sql("truncate orders; insert into orders values (0, 1, 'new', 1, 1, true, 'first', now())")
        reader.pid = reader.start()
        try:
            wait_for("the first record", lambda: b.end_of(reader.topic) > 0, 120)
            wait_for("the stream", lambda: b.postgres.sql(
                "select 1 from pg_stat_replication where state = 'streaming'", user="postgres"), 300)
            first = measure(b, reader, first)
        finally:
            reader.stop()
