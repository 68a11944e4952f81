"""From the commit in Postgres to a consumer's hands, at a steady rate of changes; and a change now
and then, with nothing else going on. sluice and Debezium in turn, with the same table and load.

The consumer is kcat, which writes each record, a line, as it comes; a record's age is the clock when it is
read here less its source.ts_us, the time of the commit. All of it runs on one machine and clock.
"""
import re
import subprocess
import time

from bench import wait_for
from bench_cdc import DebeziumReader, SluiceReader, TABLE

RATE, PER_TRANSACTION, SECONDS, WARM = 10_000, 10, 20, 5
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


def measure(b, reader, first):
    argv, env = b.postgres.command("psql", "-qX", "-c", LOAD.format(
        changes=RATE * SECONDS, first=first, per=PER_TRANSACTION, rate=RATE))
    consumer = Consumer(b, reader.topic)
    try:
        time.sleep(2)
        load = subprocess.Popen(argv, env=env)
        began = time.monotonic()
        ages = consumer.ages(RATE * SECONDS)
        took = time.monotonic() - began
        load.wait()
        ages = ages[RATE * WARM:]
        b.note(f"latency at {RATE:,}/s, {reader.name}", changes_s=RATE * SECONDS / took, p50_ms=share(ages, 0.5),
               p99_ms=share(ages, 0.99), most_ms=max(ages))
        first += RATE * SECONDS
        alone = []
        for i in range(ALONE):
            b.postgres.sql(f"insert into orders values ({first + 1 + i}, 1, 'new', 1, 1, true, 'one', now())")
            alone += consumer.ages(1)
            time.sleep(PAUSE)
        b.note(f"latency of single changes, {reader.name}", p50_ms=share(alone, 0.5), p99_ms=share(alone, 0.99))
    finally:
        consumer.stop()


def run(b):
    print(f"CDC: latency at {RATE:,} changes/s, {PER_TRANSACTION} a transaction")
    b.postgres.sql(TABLE)
    b.postgres.sql("insert into orders values (0, 1, 'new', 1, 1, true, 'first', now())")
    readers = [SluiceReader(b)] + ([] if b.options.no_java else [DebeziumReader(b)])
    for turn, reader in enumerate(readers):
        reader.start()
        try:
            wait_for("the first record", lambda: b.end_of(reader.topic) > 0, 120)
            wait_for("the stream", lambda: b.postgres.sql(
                "select 1 from pg_stat_replication where state = 'streaming'", user="postgres"), 300)
            measure(b, reader, 1 + turn * 10 * RATE * SECONDS)
        finally:
            reader.stop()
