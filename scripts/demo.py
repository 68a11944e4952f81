#!/usr/bin/env python3
"""make demo: personalised mobile content, as one line.

    datagen --> users, active_users, clicks --\\
                                               Kafka --> bigquery-sink --> BigQuery (emulator)
    Postgres table content_actions --> CDC ---/

Starts Kafka, Postgres, the emulator and one sluice worker, submits the connectors of configs/,
changes rows in Postgres while it shows what happens, then waits until everything has arrived and
compares the counts of each BigQuery table with those of its source. Exits 1 when they differ.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts/services"))

from clients import PATIENCE, BigQuery, Kafka, Postgres, wait_for  # noqa: E402
from sluice import BINARY, Sluice, port_or_free, read_properties  # noqa: E402

DATASET = "mobile"
ACTIONS_TOPIC = "app.public.content_actions"
TABLE_OF = {"users": "users", "active_users": "active_users", "clicks": "clicks",
            ACTIONS_TOPIC: "content_actions"}
SINK_GROUP = "connect-bigquery"
FIRST_ROWS = 500  # are there before the connector comes, for its snapshot
PATIENCE_S = 30 * PATIENCE  # without any progress, draining is given up
CREATE = """
create table content_actions (
    userid bigint, content_id bigint, liked boolean not null, shared boolean not null,
    rating numeric(2, 1), note text, acted_at timestamptz not null default now(),
    primary key (userid, content_id));
alter table content_actions replica identity full;
"""
# The newest change of each row, deleted rows left out: what Postgres has now.
CURRENT = f"""select count(*) n from (
    select __deleted, row_number() over (
        partition by userid, content_id order by __source_lsn desc) as age
    from `{DATASET}.content_actions`) where age = 1 and __deleted = 'false'"""


class Stop(Exception):
    """Ends the demo with what to tell."""


class Changes(threading.Thread):
    """Inserts, updates and deletes in transactions of mixed size, through one psql session."""

    def __init__(self, postgres, seed=1):
        super().__init__(daemon=True)
        argv, env = postgres.command("psql", "-qX", "-v", "ON_ERROR_STOP=1")
        self.psql = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, text=True)
        self.random = random.Random(seed)
        self.rows, self.done, self.halt = [], 0, threading.Event()
        self.taken = set()

    def run(self):
        while not self.halt.wait(0.1):
            self.transaction(self.random.choice((1, 1, 2, 5, 10, 60)))

    def transaction(self, size):
        insert = [self.new_row() for _ in range(size)]
        statements = [self.insert(insert)]
        for _ in range(min(size, len(self.rows))):
            userid, content_id = self.random.choice(self.rows)
            liked, shared = self.random.choice(("true", "false")), self.random.choice(("true", "false"))
            statements.append(f"update content_actions set liked = {liked}, shared = {shared},"
                              f" acted_at = now() where userid = {userid} and content_id = {content_id};")
        for _ in range(min(size // 4, len(self.rows))):
            at = self.random.randrange(len(self.rows))
            self.rows[at], self.rows[-1] = self.rows[-1], self.rows[at]
            userid, content_id = self.rows.pop()
            statements.append(f"delete from content_actions where userid = {userid}"
                              f" and content_id = {content_id};")
        self.rows += insert
        self.psql.stdin.write("begin;\n" + "\n".join(statements) + "\ncommit;\n")
        self.psql.stdin.flush()
        self.done += size + len(statements) - 1

    def first_rows(self):
        self.rows = [self.new_row() for _ in range(FIRST_ROWS)]
        return self.rows

    def new_row(self):
        while True:
            row = self.random.randint(1, 1000), self.random.randint(1, 500)
            if row not in self.taken:
                self.taken.add(row)
                return row

    def insert(self, rows):
        values = ", ".join(
            f"({u}, {c}, {self.random.choice(('true', 'false'))}, false,"
            f" {self.random.randint(10, 50) / 10}, 'seen by {u}')" for u, c in rows)
        return f"insert into content_actions (userid, content_id, liked, shared, rating, note) values {values};"

    def finish(self):
        """Wait until Postgres has it all; the number of changed rows."""
        self.halt.set()
        if self.is_alive():
            self.join()
        self.psql.stdin.close()
        if self.psql.wait(60):
            raise Stop("psql could not make the changes")
        return self.done


class Demo:
    def __init__(self, directory, keep):
        self.directory, self.keep = pathlib.Path(directory), keep
        self.kafka, self.postgres, self.bigquery = (s(directory) for s in (Kafka, Postgres, BigQuery))
        self.worker = self.changes = None
        self.before = None  # (time, {topic: end}, sink's lag) of the last look
        self.lines_up = 0   # of the live view on a terminal

    # ---- up and down ----

    def up(self):
        say("starting Kafka, Postgres and the BigQuery emulator")
        starts = [threading.Thread(target=self.start_service, args=a) for a in (
            (self.kafka, "KAFKA_PORT", 9092), (self.postgres, "POSTGRES_PORT", 5432),
            (self.bigquery, "BIGQUERY_PORT", 9050))]
        self.errors = []
        for t in starts:
            t.start()
        for t in starts:
            t.join()
        if self.errors:
            raise Stop("\n".join(self.errors))
        self.postgres.sql(CREATE)
        self.bigquery.create_dataset(DATASET)
        self.changes = Changes(self.postgres)
        self.postgres.sql(self.changes.insert(self.changes.first_rows()))
        port = port_or_free(8083)
        self.worker = Sluice(self.directory / "worker", self.kafka.bootstrap, port=port, outlive=self.keep,
                             worker={**read_properties(ROOT / "configs/worker-standalone.properties"),
                                     "bootstrap.servers": self.kafka.bootstrap,
                                     "listeners": f"http://127.0.0.1:{port}",
                                     "offset.storage.file.filename": self.directory / "worker/offsets"})
        start = time.monotonic()
        self.worker.start()
        say(f"sluice is up after {1000 * (time.monotonic() - start):.0f} ms, pid {self.worker.process.pid}")
        (self.directory / "sluice.pid").write_text(str(self.worker.process.pid))

    def start_service(self, service, key, port):
        try:
            service.start(**{key: str(port_or_free(port))})
        except RuntimeError as e:
            self.errors.append(str(e))

    def down(self):
        if self.worker and self.worker.process:
            self.worker.stop()
        for service in (self.bigquery, self.postgres, self.kafka):
            service.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def submit(self):
        """The connectors of configs/, with this run's ports; copies are kept beside the logs."""
        for path in sorted((ROOT / "configs/connectors").glob("*.json")):
            connector = json.loads(path.read_text())
            config = connector["config"]
            for key, value in (("database.port", self.postgres["PGPORT"]),
                               ("bigQueryEndpoint", self.bigquery.endpoint)):
                if key in config:
                    config[key] = value
            if "schema.filename" in config:
                config["schema.filename"] = str(ROOT / config["schema.filename"])
            (self.directory / path.name).write_text(json.dumps(connector, indent=4))
            status, answer = self.worker.rest.call("POST", "/connectors", connector)
            if status != 201:
                raise Stop(f"{path.name} was refused: {status} {answer}")
            say(f"submitted {path.relative_to(ROOT)}")

    # ---- looking ----

    def states(self):
        rest = self.worker.rest
        found = {}
        for name in sorted(rest.ok("GET", "/connectors")):
            try:
                found[name] = rest.states(name)
            except RuntimeError:
                found[name] = ["UNASSIGNED"]  # its status is not known yet
        for name, states in found.items():
            if "FAILED" in states:
                raise Stop(f"{name} FAILED: {rest.trace(name)}")
        return found

    def look(self):
        """Everything that the view shows, in one dict."""
        now = time.monotonic()
        wire = self.kafka.wire
        partitions = wire.topics()
        ends = {t: sum(wire.offsets(t, partitions[t], -1).values()) if t in partitions else 0
                for t in TABLE_OF}
        lag = self.kafka.lag(SINK_GROUP, TABLE_OF)
        slot = self.postgres.value(
            "select coalesce(max(pg_current_wal_lsn() - confirmed_flush_lsn), 0)::bigint n"
            " from pg_replication_slots", user="postgres")
        cost = self.worker.cost()
        seen = {"states": self.states(), "ends": ends, "lag": lag, "slot": slot, "cost": cost,
                "rates": dict.fromkeys(ends, 0.0), "sunk": 0.0, "cpu": 0.0}
        if self.before:
            then, ends_then, lag_then, cpu_then = self.before
            took = max(0.001, now - then)
            seen["rates"] = {t: (ends[t] - ends_then[t]) / took for t in ends}
            sunk = sum(ends.values()) - lag - sum(ends_then.values()) + lag_then
            seen["sunk"] = max(0, sunk) / took  # the two looks at Kafka are not at one moment
            seen["cpu"] = 100 * (cost["cpu"] - cpu_then) / took
        self.before = now, ends, lag, cost["cpu"]
        return seen

    def show(self, phase, seconds, seen):
        rates, ends, cost = seen["rates"], seen["ends"], seen["cost"]
        if not sys.stdout.isatty():
            states = [state for connector in seen["states"].values() for state in connector[:1]]
            say(f"{seconds:3.0f} s {phase}: "
                + ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
                + " | rows/s " + " ".join(f"{TABLE_OF[t]} {r:.0f}" for t, r in rates.items())
                + f" bigquery {seen['sunk']:.0f} | lag {seen['lag']}, WAL {seen['slot'] >> 10} kB"
                + f" | {cost['rss'] >> 20} MB, {seen['cpu']:.0f} % CPU")
            return
        lines = [f"{phase}, {seconds:.0f} s", "",
                 f"  {'connector':<28}{'state':<12}tasks"]
        for name, (state, *tasks) in seen["states"].items():
            lines.append(f"  {name:<28}{state:<12}{' '.join(tasks) or '-'}")
        lines += ["", f"  {'topic':<28}{'records':>9}{'rows/s':>9}"]
        for topic, end in ends.items():
            lines.append(f"  {topic:<28}{end:>9}{rates[topic]:>9.0f}")
        lines += [f"  {'into BigQuery':<28}{sum(ends.values()) - seen['lag']:>9}{seen['sunk']:>9.0f}", "",
                  f"  lag: {seen['lag']} records to BigQuery, {seen['slot']} bytes of WAL in Postgres",
                  f"  sluice: {cost['rss'] >> 20} MB, {cost['threads']} threads, {seen['cpu']:.0f} % CPU"]
        up = f"\x1b[{self.lines_up}A" if self.lines_up else ""
        print(up + "".join(f"\x1b[K{line}\n" for line in lines), end="", flush=True)
        self.lines_up = len(lines)

    def watch(self, phase, limit, until, patience=None):
        """Show once a second until until(seen), the limit, or nothing moved; whether until() held."""
        start = moved = time.monotonic()
        last = None
        while True:
            seen = self.look()
            now = time.monotonic()
            self.show(phase, now - start, seen)
            if until(seen):
                return True
            progress = seen["ends"], seen["lag"], seen["states"]
            if progress != last:
                last, moved = progress, now
            if now - start >= limit or (patience and now - moved > patience):
                return False
            time.sleep(1)

    # ---- the story ----

    def run(self, seconds):
        self.submit()
        self.watch("snapshot", 60, lambda seen: seen["ends"][ACTIONS_TOPIC] >= FIRST_ROWS)
        self.changes.start()
        self.watch("running", seconds, lambda _: False)
        changed = FIRST_ROWS + self.changes.finish()
        generators = [n for n in self.worker.rest.ok("GET", "/connectors") if n.startswith("datagen-")]
        for name in generators:
            self.worker.rest.ok("PUT", f"/connectors/{name}/pause")

        def settled(seen):
            paused = all(set(seen["states"][n]) == {"PAUSED"} for n in generators)
            quiet = not any(seen["rates"].values())
            return paused and quiet and seen["lag"] == 0 and seen["ends"][ACTIONS_TOPIC] >= changed

        if not self.watch("draining", 600, settled, PATIENCE_S):
            say(f"nothing moved for {PATIENCE_S:g} s")
        return self.compare(changed)

    def compare(self, changed):
        sources = {t: ("records in Kafka", self.kafka.count(t)) for t in TABLE_OF}
        sources[ACTIONS_TOPIC] = "changed rows in Postgres", changed
        same = True
        print("\nBigQuery beside the sources:")
        for topic, table in TABLE_OF.items():
            what, wanted = sources[topic]
            got = self.settle(table, wanted)
            same = same and got == wanted
            print(f"\n  {table}: {got} rows, {wanted} {what}{'' if got == wanted else '   <-- DIFFERENT'}")
            for row in self.bigquery.query(f"select * from `{DATASET}.{table}` limit 3") if got else ():
                print("    " + json.dumps(row, default=str))
        wanted = self.postgres.value("select count(*) n from content_actions")
        got = self.bigquery.query(CURRENT)[0]["n"] if same else None
        if same:
            same = got == wanted
            print(f"\n  content_actions as it stands (newest change of each row): {got} rows, {wanted} in Postgres"
                  + ("" if same else "   <-- DIFFERENT"))
        print("\nall counts are equal" if same else "\nthe counts differ")
        return same

    def settle(self, table, wanted):
        """The count, given a few seconds to reach what is wanted."""
        try:
            wait_for("count", lambda: self.bigquery.count(DATASET, table) == wanted, 10, every=0.5)
        except AssertionError:
            pass
        return self.bigquery.count(DATASET, table)

    def how_to_go_on(self):
        url, bq = self.worker.rest.url, self.bigquery.endpoint
        project = self.bigquery.project
        print(f"""
Everything is still up. Files and logs: {self.directory}
  sluice    {url}/connectors         log: {self.worker.log}
  Kafka     {self.kafka.bootstrap}
  Postgres  {self.postgres['PGHOST']}:{self.postgres['PGPORT']} (user, password and database: sluice)
  BigQuery  {bq} (project {project}, dataset {DATASET})

Try:
  curl -s '{url}/connectors?expand=status' | jq .
  curl -s -X PUT {url}/connectors/datagen-clicks/resume
  curl -s -X POST -H 'Content-Type: application/json' -d @CONNECTOR.json {url}/connectors
  PGPASSWORD=sluice psql -h 127.0.0.1 -p {self.postgres['PGPORT']} -U sluice sluice \\
      -c "update content_actions set note = 'changed by hand' where userid = (select min(userid) from content_actions)"
  kcat -b {self.kafka.bootstrap} -t {ACTIONS_TOPIC} -o -1 -e
  curl -s -H 'Content-Type: application/json' {bq}/bigquery/v2/projects/{project}/queries \\
      -d '{{"useLegacySql": false, "query": "select * from {DATASET}.content_actions where note like \\"changed%\\""}}' | jq .rows

Stop it all:
  python3 scripts/demo.py --stop {self.directory}""")


def say(text):
    print(text, flush=True)


def stop(directory):
    """End a demo that was kept."""
    pid_file = directory / "sluice.pid"
    if pid_file.exists():
        pid = int(pid_file.read_text())
        try:
            ours = os.path.samefile(f"/proc/{pid}/exe", BINARY)
        except OSError:
            ours = False
        if ours:
            os.kill(pid, signal.SIGTERM)
            wait_for("sluice ended", lambda: not pathlib.Path(f"/proc/{pid}").exists(), 30)
    for service in (BigQuery, Postgres, Kafka):
        service(directory).stop()
    shutil.rmtree(directory, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", action="store_true", help="leave everything up at the end")
    parser.add_argument("--seconds", type=float, default=20, help="how long data is made (20)")
    parser.add_argument("--stop", metavar="DIR", type=pathlib.Path, help="end a demo that was kept")
    args = parser.parse_args()
    if args.stop:
        stop(args.stop)
        return 0
    if not BINARY.exists():
        say(f"there is no {BINARY}: run make first")
        return 1

    def ended(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, ended)
    demo = Demo(tempfile.mkdtemp(prefix="sluice-demo."), args.keep)
    same, keep = False, False
    try:
        demo.up()
        same = demo.run(args.seconds)
        keep = args.keep
    except Stop as e:
        say(f"demo: {e}")
    except KeyboardInterrupt:
        say("\ndemo: interrupted")
    finally:
        if keep:
            demo.how_to_go_on()
        else:
            if not same and demo.worker:
                say("-- end of sluice's log\n" + "\n".join(demo.worker.log_text().splitlines()[-20:]))
            demo.down()
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
