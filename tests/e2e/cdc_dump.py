"""cdc_dump, the program that drives postgres-cdc without Kafka, and what tests wait for in its output."""
import collections
import json
import os
import signal
import subprocess
import threading

import cdc_golden
from harness import BINARY, PATIENCE

DUMP = BINARY.parent / "tests/cdc_dump"
END_S = 60 * PATIENCE  # for a process that is to end
STREAMS = "streaming from slot"


class Dump:
    """Runs of cdc_dump that go on from each other's offset. What it prints, logs and stores comes one after the
    other: who has seen one of them waits for the next, or stops it."""

    def __init__(self, t, database, **options):
        self.t, self.postgres, self.database = t, t.postgres, database
        self.offset, self.out, self.log = (t.directory / n for n in ("offset.json", "out.json", "log"))
        self.slot = options.get("slot.name", database)
        props = {"name": "r", "topic.prefix": "srv", "plugin.name": "pgoutput",
                 "database.hostname": "127.0.0.1", "database.port": t.postgres["POSTGRES_PORT"],
                 "database.user": "postgres", "database.password": "postgres",
                 "database.dbname": database, "slot.name": database,
                 "status.update.interval.ms": 200, **options}
        self.config = cdc_golden.write_properties(t.directory / "config.properties", props)
        self.process, self.pump = None, None
        self.env = {}
        self.starts = set()  # how many records there were at each start
        self.seen, self.seen_of, self.seen_to = [], None, 0
        self.streams_before = 0
        t.cleanup(self.kill)
        t.processes.append(self)

    # ---- its life ----

    def start(self, held=False):
        """held: what it prints stays in a pipe, so that it gets no further than that holds, until take() and flow()."""
        assert not self.process or self.process.poll() is not None, "it runs"
        if self.out.exists():  # without the line that a kill has cut off, which the next one would be joined to
            os.truncate(self.out, self.out.read_bytes().rfind(b"\n") + 1)
        self.starts.add(len(self.records()))
        self.streams_before = self.text().count(STREAMS)
        with open(self.out, "ab") as out, open(self.log, "ab") as log:
            self.process = subprocess.Popen([DUMP, self.config, self.offset], stdin=subprocess.PIPE, stderr=log,
                                            stdout=subprocess.PIPE if held else out, env={**os.environ, **self.env})
        return self

    def take(self, n):
        """The next n lines of what is held."""
        with open(self.out, "ab") as out:
            for i in range(n):
                line = self.process.stdout.readline()
                assert line, f"it ended after {i} of {n} records\n{self.tail()}"
                out.write(line)

    def flow(self):
        """All that is held, and what comes behind it."""
        source, file = self.process.stdout, self.out

        def pump():
            with open(file, "ab", buffering=0) as out:
                while piece := source.read1(1 << 16):
                    out.write(piece)
            source.close()

        self.pump = threading.Thread(target=pump)
        self.pump.start()

    def ended(self):
        """Its exit code, when it ends by itself; all that it has printed is in the file then."""
        process = self.process
        if process.stdout and not self.pump:
            self.flow()
        try:
            code = process.wait(END_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"cdc_dump did not end within {END_S:g} s\n{self.tail()}") from None
        if self.pump:
            self.pump.join()
        if process.stdin:
            process.stdin.close()
        self.process = self.pump = None
        return code

    def kill(self):
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.ended()

    def stop(self):
        """The exit code; what it has printed is stored as its offset."""
        self.process.stdin.close()
        return self.ended()

    def stop_well(self):
        code = self.stop()
        assert code == 0, f"exit code {code}, wanted 0\n{self.tail()}"

    def fails(self, *pieces):
        """The log of a run that ends by itself with an error, which has these pieces."""
        code = self.ended()
        assert code == 1, f"exit code {code}, wanted 1\n{self.tail()}"
        log = self.text()
        for piece in pieces:
            assert piece in log, f"not in the log: {piece!r}\n{self.tail(4000)}"
        return log

    # ---- what it says ----

    def text(self):
        """Its log."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def records(self):
        """(topic, key, row or None, op, marker) of all that was printed; None: the schema tells more than one needs."""
        if self.seen_of != self.out or not self.out.exists() or self.out.stat().st_size < self.seen_to:
            self.seen, self.seen_of, self.seen_to = [], self.out, 0
        if not self.out.exists():
            return []
        with open(self.out, "rb") as out:
            out.seek(self.seen_to)
            fresh = out.read()
        fresh = fresh[:fresh.rfind(b"\n") + 1]  # it may be amid a line
        self.seen_to += len(fresh)
        for line in fresh.split(b"\n")[:-1]:
            r = json.loads(line)
            value = (r["value"] and r["value"]["payload"]) or {}
            self.seen.append((r["topic"], r["key"] and r["key"]["payload"], value.get("after"),
                              value.get("op"), value.get("source", {}).get("snapshot")))
        return list(self.seen)

    def raw(self):
        """The records as they were printed."""
        text = self.out.read_bytes()
        return [json.loads(line) for line in text[:text.rfind(b"\n") + 1].split(b"\n")[:-1]]

    def stored(self):
        """The offset in the file."""
        return json.loads(self.offset.read_text())

    def tail(self, size=1500):
        """For messages: how far it is."""
        records = self.records()
        kinds = collections.Counter(f"{topic} {op or '-'}" for topic, _, _, op, _ in records)
        last = [(topic, key, op, marker) for topic, key, _, op, marker in records[-3:]]
        state = "not running" if not self.process or self.process.poll() is not None else "running"
        offset = self.offset.read_text()[:600] if self.offset.exists() else None
        return (f"{state}; {len(records)} records {dict(kinds)}, the last ones {last}; offset {offset};"
                f" end of {self.log}:\n{self.text()[-size:]}")

    # ---- what tests wait for ----

    def until(self, what, check, limit=40):
        """Ends at once when the process has."""

        def probe():
            alive = self.process is None or self.process.poll() is None
            if result := check():
                return result
            assert alive, f"cdc_dump ended with {self.process.returncode} while the test waited for {what}"

        try:
            return cdc_golden.wait(what, probe, limit)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.tail()}") from None

    def wait(self, check, what, limit=40):
        """Until check(records)."""
        return self.until(what, lambda: check(self.records()), limit)

    def logged(self, piece, times=1):
        self.until(f"the log to say {piece!r}" + (f" {times} times" if times > 1 else ""),
                   lambda: self.text().count(piece) >= times)

    def streams(self):
        """This run has the slot: what is done from here on comes as changes."""
        self.until("the stream", lambda: self.text().count(STREAMS) > self.streams_before)

    def slot_is_free(self):
        """It is some time after the end of a run, when the server has noticed that."""
        query = f"select not active from pg_replication_slots where slot_name = '{self.slot}'"
        self.until("the slot to be free", lambda: self.postgres.sql(query, user="postgres") == "t")

    def is_stored(self):
        """Until the last record that was printed is the stored one, so that a kill repeats none."""
        last = lambda: self.raw()[-1]["value"]["payload"]["source"]["lsn"]
        self.until("the last record to be stored", lambda: self.stored()["lsn"] >= last())


def content(records, topic):
    """The table that replaying the topic gives."""
    table = {}
    for name, key, row, _, _ in records:
        if name == topic and key:
            table[key["id"]] = row
    return {k: v for k, v in table.items() if v}


def rows(t, database, table="k"):
    return {r["id"]: r for r in t.postgres.rows(f"select * from {table}", database=database, user="postgres")}


def is_table(t, dump, wanted=None, topic="srv.public.k", limit=40):
    """Until replaying the topic gives the table, as it is now (or was then)."""
    wanted = rows(t, dump.database) if wanted is None else wanted

    def probe():
        got = content(dump.records(), topic)
        if got == wanted:
            return True
        keys = [k for k in {*got, *wanted} if got.get(k) != wanted.get(k)]
        raise LookupError(f"{len(keys)} rows differ, such as " + "; ".join(
            f"{k}: topic {str(got.get(k))[:200]}, table {str(wanted.get(k))[:200]}" for k in sorted(keys)[:3]))

    dump.until("the topic to equal the table", probe, limit)
