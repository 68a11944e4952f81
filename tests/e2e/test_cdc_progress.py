"""How far snapshots are, in REST, in metrics and in the log; every metric of Debezium's is there."""
import json
import re
import threading

import cdc_golden
from harness import becomes, equal, seconds, wait_for
from test_cdc_kafka_signals import config, metrics, one
from test_ctl import Ctl

GATES = {"initial": 7, "incremental": 8}


def hold(t, db, gate):
    """Whoever reads a row through this gate waits until the function that is returned is called."""
    number = GATES[gate]
    held = f"select pid from pg_locks where locktype = 'advisory' and objid = {number} and mode = 'ExclusiveLock' and granted and database = (select oid from pg_database where datname = '{db}')"

    def holder():
        try:
            t.postgres.sql(f"select pg_advisory_lock({number}); select pg_sleep(600)", db, "postgres")
        except RuntimeError:  # ended
            pass

    thread = threading.Thread(target=holder)
    thread.start()
    wait_for("the gate to close", lambda: t.postgres.sql(held, db, "postgres"))

    def release():
        t.postgres.sql(f"select pg_terminate_backend(pid) from ({held}) h", db, "postgres")
        thread.join()

    t.cleanup(release)
    return release


def progress(worker, db):
    """The only piece of work under way, or None; both ways to ask say the same of it."""
    answer = worker.rest.ok("GET", f"/connectors/{db}/tasks/0/progress")
    equal(answer["id"], {"connector": db, "task": 0})
    assert len(answer["progress"]) <= 1, answer
    return answer["progress"][0] if answer["progress"] else None


def waiting_at(worker, db, part, **wanted):
    """The progress once it stands there; what is wanted comes with it, or a second later."""
    found = {}

    def there():
        found.update(progress(worker, db) or {})
        return found.get("part") == part and all(found[k] == v for k, v in wanted.items())

    wait_for(f"{wanted} of {part}", there, 60)
    return found


GATE = """create function gate(int) returns boolean language plpgsql cost 1000000 as
$$ begin perform pg_advisory_lock_shared($1); perform pg_advisory_unlock_shared($1); return true; end $$;
"""
SETUP = GATE + """create table signals (id varchar(42) primary key, type varchar(32), data varchar(2048));
create table a (id int primary key, v text); insert into a select i, repeat('x', 100) from generate_series(1, 200) i;
create table b (id int primary key, v text); insert into b select i, repeat('y', 100) from generate_series(1, 600) i;
analyze;"""


def strict(status):
    """Connect's members and no others."""
    for task in status["tasks"]:
        assert set(task) <= {"id", "state", "worker_id", "version", "trace"}, task


def names(worker, context):
    """Attributes of a context that /metrics has."""
    found = set()
    for line in worker.rest.call("GET", "/metrics")[1].splitlines():
        if line.startswith("debezium_metrics_") and f'context="{context}"' in line:
            found.add(line[len("debezium_metrics_"):].split("{")[0])
    return found


def missing(worker, beans):
    """Attributes of Debezium's MBeans of both contexts that have no sample."""
    found = []
    for context in ("snapshot", "streaming"):
        bean = beans[f"debezium.postgres:context={context},server=srv,type=connector-metrics"]
        found += [f"{context} {name}" for name in sorted(set(bean) - names(worker, context))]
    return found


@seconds(180)
def test_progress_and_all_of_debeziums_metrics(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(SETUP)
    t.cleanup(t.kafka.wire.delete_topics, [f"{db}.public.{table}" for table in ("a", "b", "signals")])
    release = hold(t, db, "initial")
    props = config(t, db, **{
        "snapshot.mode": "initial", "table.include.list": r"public\.(a|b|signals)", "snapshot.max.threads": 2,
        "signal.data.collection": "public.signals", "skipped.operations": "none", "xmin.fetch.interval.ms": 500,
        "snapshot.select.statement.overrides": "public.b",
        "snapshot.select.statement.overrides.public.b": "select * from b where id < 301 or gate(7) order by id"})
    worker = t.sluice({"offset.flush.interval.ms": "200"}, {db: props})
    worker.rest.wait_running(db)
    # The initial snapshot has read a, and waits within b.
    found = waiting_at(worker, db, "public.b", parts_done=1, parts=3)
    equal((found["what"], found["unit"], found["paused"]), ("initial snapshot", "rows", False))
    equal(found["expected"], 800)
    assert 200 <= found["done"] < 800 and 0 < found["percent"] < 100, found
    strict(worker.rest.status(db))
    strict(worker.rest.ok("GET", "/connectors?expand=status")[db]["status"])
    for path in f"/connectors/{db}/status?expand=progress", f"/connectors/{db}/tasks/0/status?expand=progress":
        answer = worker.rest.ok("GET", path)
        task = answer["tasks"][0] if "tasks" in answer else answer
        equal([p["part"] for p in task["progress"]], ["public.b"], path)
    wait_for("its share in the metrics", lambda: 0 < one(worker, "SnapshotPercent", "snapshot") < 100)
    becomes(lambda: one(worker, "SnapshotExpectedRows", "snapshot"), 800, "SnapshotExpectedRows")
    release()
    wait_for("the snapshot", lambda: one(worker, "SnapshotCompleted", "snapshot") == 1, 60)
    wait_for("its end to show", lambda: progress(worker, db) is None)
    assert "progress" not in worker.rest.ok("GET", f"/connectors/{db}/status?expand=progress")["tasks"][0]
    # Changes of all kinds, then an incremental snapshot that waits amid a: 50 rows a chunk.
    sql("insert into b values (1000, 'new'); update b set v = 'z' where id = 1; delete from b where id = 2; truncate b")
    release = hold(t, db, "incremental")
    sql("""insert into signals values ('half', 'execute-snapshot', '{"data-collections": ["public.a"],
        "additional-conditions": [{"data-collection": "public.a", "filter": "id <= 100 or id > 190 or gate(8)"}]}')""")
    found = waiting_at(worker, db, "public.a", what="incremental snapshot", done=100)
    equal((found["parts_done"], found["parts"]), (0, 1))
    assert found["expected"] > 0 and found["percent"] is not None, found
    beans = json.loads((cdc_golden.GOLDEN / "mbeans.json").read_text())
    becomes(lambda: missing(worker, beans), [], "metrics that Debezium has and we do not")
    for name, value in {"ChunkFrom": "[51]", "ChunkTo": "[100]", "TableFrom": "[1]", "TableTo": "[200]"}.items():
        label = lambda: re.findall(r'value="([^"]*)"', list(metrics(worker, name, "snapshot"))[0])
        becomes(label, [value], name)
    by_table = lambda name, table: [v for k, v in metrics(worker, name).items() if f'table="public.{table}"' in k]
    for name in "Create", "Update", "Delete", "Truncate":
        becomes(lambda: by_table(f"NumberOf{name}EventsSeen", "b"), [1.0], name)
    becomes(lambda: by_table("RowsScanned", "a"), [100.0], "rows")
    becomes(lambda: set(by_table("CapturedTables", "b")), {1.0}, "tables")
    last = lambda: [(re.findall(r'(?:operation|table)="([^"]*)"', labels)) for labels in metrics(worker, "LastEvent", "streaming")]
    becomes(lambda: [sorted(found) for found in last()], [["CREATE", "public.signals"]], "the last event")
    wait_for("the slot's figures", lambda: one(worker, "SlotRetainedBytes", "streaming") > 0)
    release()
    wait_for("the end", lambda: "incremental snapshot is complete" in worker.log_text(), 60)
    wait_for("its end to show", lambda: progress(worker, db) is None)


@seconds(180)
def test_any_worker_tells_how_far_a_task_is(t):
    db = t.database()
    t.postgres.sql(SETUP, db, "postgres")
    t.cleanup(t.kafka.wire.delete_topics, [f"{db}.public.b"])
    release = hold(t, db, "initial")
    workers = t.cluster(2)
    workers[0].rest.create(db, config(t, db, **{
        "snapshot.mode": "initial", "table.include.list": "public.b",
        "snapshot.select.statement.overrides": "public.b",
        "snapshot.select.statement.overrides.public.b": "select * from b where id < 301 or gate(7)"}))
    workers[0].rest.wait_running(db)
    for worker in workers:
        equal(waiting_at(worker, db, "public.b")["what"], "initial snapshot")
    equal([w.rest.call("GET", f"/connectors/{db}/tasks/1/progress")[0] for w in workers], [404, 404])
    ctls = [Ctl(worker.rest.url, t.directory) for worker in workers]
    for ctl in ctls:
        line = "\nProgress\n  task 0: initial snapshot of public.b: about "
        assert line in ctl.ok("describe", db), ctl.ok("describe", db)
        (work,) = ctl.json("describe", db)["progress"]
        equal((work["task"], work["part"]), (0, "public.b"))
        (row,) = ctl.rows("top", "--once", "-i", "0.1")
        assert re.fullmatch(r"\d+\.\d %(, \d+ (s|min|h|d))?", row[8]), row
        (row,) = ctl.json("top", "--once", "-i", "0.1")
        equal([w["part"] for w in row["progress"]], ["public.b"])
    release()
    for worker in workers:
        wait_for("the end to show", lambda: progress(worker, db) is None)
    for ctl in ctls:
        assert "Progress" not in ctl.ok("describe", db)
        equal(len(ctl.rows("top", "--once", "-i", "0.1")[0]), 8, "columns")
