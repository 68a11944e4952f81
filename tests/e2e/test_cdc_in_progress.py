"""Transactions that the server sends while they run: the same records as at their commit."""
import os
import random
import subprocess
import time

from cdc_dump import Dump, content, is_table
from harness import equal, seconds

CLOCKS = ("ts_ms", "ts_us", "ts_ns")
TABLES = """
create table k (id int primary key, v int, w text);
create table l (id int primary key, v int);
create table huge (id int primary key, big text);
alter table huge alter column big set storage external;
insert into k select i, 0, 'start' from generate_series(1, 10) i;
"""
# What a server sends in many pieces: savepoints given up within each other, DDL, large values.
LONG = """
begin;
insert into k select i, 0, repeat('x', 90) from generate_series(100, 3000) i;
savepoint a;
update k set v = v + 1 where id between 100 and 2000;
savepoint b;
insert into l select i, 0 from generate_series(1, 2000) i;
rollback to b;
delete from k where id between 2500 and 3000;
select pg_logical_emit_message(true, 'p', repeat('m', 100000));
release a;
savepoint c;
alter table l add column n int default 5;
insert into l select i, 0, i from generate_series(1, 2000) i;
rollback to c;
insert into l select i, 7 from generate_series(1, 2000) i;
do $$ begin for i in 1..500 loop begin
    insert into k values (10000 + i, i, 'block'); update l set v = i where id = i;
    if i % 3 = 0 then raise exception 'no'; end if;
    exception when others then null; end; end loop; end $$;
alter table l add column late text default 'late';
insert into l select i, 7, repeat('l', 50) from generate_series(3000, 5000) i;
insert into huge select i, repeat(md5(i::text), 20000) from generate_series(1, 3) i;
update huge set id = id + 10;
truncate huge;
update k set id = -id where id between 300 and 600;
commit;
"""
SHORT = "insert into l (id, v) values ({0}, 1); update k set v = v + 1 where id = {1};"


class Session:
    """A psql that stays connected."""

    def __init__(self, t, database):
        argv, env = t.postgres.command("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", database=database, user="postgres")
        self.process = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        t.cleanup(self.process.kill)

    def run(self, text):
        """The answer of the last statement."""
        self.process.stdin.write(f"{text}\n\\echo done\n")
        self.process.stdin.flush()
        lines = []
        while (line := self.process.stdout.readline()) != "done\n":
            assert line, f"psql ended at: {text}"
            lines.append(line.rstrip("\n"))
        return lines[-1] if lines else ""


def pair(t, db, *modes, **options):
    """A dump for each mode, on slots of their own."""
    dumps = []
    for mode in modes:
        directory = t.directory / mode
        directory.mkdir()
        dump = Dump(t, db, **options, **{"slot.name": f"{db[:55]}_{mode}", "stream.in.progress": mode,
                                         "publication.name": db, "stream.spill.directory": directory})
        dump.offset, dump.out, dump.log = (directory / n for n in ("offset.json", "out.json", "log"))
        dump.config = dump.config.rename(directory / "config.properties")
        dumps.append(dump)
    return dumps


def small_memory(t, db):
    """Whatever has more than this comes in pieces."""
    t.postgres.sql(f"alter database {db} set logical_decoding_work_mem = '64kB'", db, "postgres")


def plain(dump):
    """The records without the connector's clock and run. What was committed before the first
    transaction is not the same for both slots: the second is made later."""
    out, first = [], None
    for r in dump.raw():
        payload = (r["value"] or {}).get("payload") or {}
        for key in CLOCKS:
            payload.pop(key, None)
        if payload.get("op") == "r" or not (payload.get("source") or {}).get("txId", True):
            for key in ("ts_ms", "ts_us", "ts_ns", "txId", "lsn", "sequence"):
                payload["source"].pop(key, None)
        elif payload.get("source"):
            first = first or payload["source"]["txId"]
            if payload["source"]["txId"] == first:
                payload["source"].pop("sequence")
        if payload.get("status") == "BEGIN":  # its position is that of the first change
            payload["id"] = payload["id"].split(":")[0]
        if r["topic"] == "srv.transaction":
            r["key"]["payload"]["id"] = r["key"]["payload"]["id"].split(":")[0]
        r["headers"].pop("__debezium.context.runId", None)
        out.append(r)
    return out


def streamed_count(t, dump):
    """Transactions that the server has sent before their commit."""
    return int(t.postgres.sql(f"select stream_txns from pg_stat_replication_slots where slot_name = '{dump.slot}'",
                              user="postgres"))


def compare(t, mode, room=None, **options):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(TABLES)
    small_memory(t, db)
    dumps = pair(t, db, "off", mode, **options)
    for dump in dumps:
        dump.env = {"CDC_DUMP_ROOM": str(room)} if room else {}
        dump.start()
        dump.wait(lambda r: len(r) >= 10, "the snapshot")
        dump.streams()
    sql(SHORT.format(99999, 1))
    other = Session(t, db)
    other.run("begin; insert into k select i, 0, repeat('o', 100) from generate_series(20000, 22000) i;")
    sql(LONG)
    for i in range(5):
        sql(SHORT.format(100000 + i, 1))
        other.run(f"savepoint s{i}; update k set v = {i} where id between 20000 and 21000; rollback to s{i};"
                  f"update k set w = repeat('{i}', 100) where id between 20000 and 20500;")
    other.run("commit;")
    sql("begin; insert into k select i, 0, repeat('o', 100) from generate_series(30000, 33000) i; rollback;")
    sql("insert into l (id, v) values (-1, -1)")
    last = "srv.transaction" if "provide.transaction.metadata" in options else "srv.public.l"  # the end of it comes, too
    for dump in dumps:
        dump.wait(lambda r: r[-1][0] == last and any(key == {"id": -1} and topic == "srv.public.l" for topic, key, *_ in r[-3:]), "the end")
    dumps[1].until("the server to count", lambda: streamed_count(t, dumps[1]) >= 2)
    equal(streamed_count(t, dumps[0]), 0, "transactions sent before their commit, without the option")
    for dump in dumps:
        dump.stop_well()
    wanted, got = (plain(d) for d in dumps)
    for g, w in zip(got, wanted):
        equal(g, w, f"{w['topic']} {w['key'] and w['key']['payload']}")
    equal(len(got), len(wanted), "number of records")
    equal(sorted(dumps[1].stored()), sorted(dumps[0].stored()), "offsets")
    for dump in dumps:
        equal([p.name for p in (t.directory / dump.out.parent.name).glob("sluice-cdc-*")], [], "files left")


@seconds(180)
def test_same_records(t):
    compare(t, "on")


@seconds(180)
def test_same_records_in_small_pieces(t):
    compare(t, "on", room=7, **{"provide.transaction.metadata": "true", "skipped.operations": "none"})


@seconds(240)
def test_kill_amid_loses_nothing(t):
    """Killed while a transaction is under way, kept, or being worked off; nothing lost, nothing twice in a run."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int, w text); insert into k values (0, 0, 'a')")
    small_memory(t, db)
    (dump,) = pair(t, db, "on")
    dump.env = {"CDC_DUMP_ROOM": "50"}
    rng = random.Random(11)
    for i in range(6):
        dump.start()
        dump.streams()
        session = Session(t, db)
        first = 10000 * (i + 1)
        session.run(f"begin; insert into k select g, 0, repeat('x', 90) from generate_series({first}, {first + 3000}) g;")
        sql(f"insert into k values ({i + 1}, {i}, 'short')")
        session.run(f"savepoint s; delete from k where id > {first + 10}; rollback to s; update k set v = 1 where id > {first + 1000};")
        if i % 2:
            dump.kill()
            dump.start()
            session.run("commit;")
        else:
            session.run("commit;")
        time.sleep(rng.random() * 0.5)
        dump.kill()
    dump.start()
    is_table(t, dump)
    dump.stop_well()


@seconds(120)
def test_directory_cannot_be_written(t):
    """Gone since the start: it says which directory, and goes on once there is one."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int, w text); insert into k values (0, 0, 'a')")
    small_memory(t, db)
    (dump,) = pair(t, db, "on", **{"retriable.restart.connector.wait.ms": "200"})
    spills = t.directory / "spills"
    dump.config.write_text(dump.config.read_text() + f"stream.spill.directory={spills}\n")
    os.mkdir(spills)
    dump.start()
    dump.streams()
    os.rmdir(spills)
    sql("insert into k select g, 0, repeat('x', 90) from generate_series(1, 4000) g")
    dump.logged(f"{spills}: No such file")
    assert "not committed yet" in dump.text(), dump.tail()
    os.mkdir(spills)
    dump.wait(lambda r: len(content(r, "srv.public.k")) == 4001, "the rows")
    dump.stop_well()


@seconds(120)
def test_tables_told_by_what_is_only_prepared(t):
    """What a streamed transaction told of a table is not told again once it is prepared."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    t.cleanup(lambda: [sql(f"rollback prepared '{gid}'") for gid in sql(
        f"select gid from pg_prepared_xacts where database = '{db}'").split()])
    sql("create table k (id int primary key, v int, w text); insert into k values (0, 0, 'a')")
    small_memory(t, db)
    (dump,) = pair(t, db, "on")
    sql(f"select pg_create_logical_replication_slot('{dump.slot}', 'pgoutput', false, true)")
    dump.start()
    is_table(t, dump)
    dump.streams()
    large = "insert into k select g, 0, repeat('p', 50) from generate_series(1000, 4000) g"
    sql(f"begin; {large}; prepare transaction '{db}_large'")
    sql(f"begin; insert into k values (1, 0, 'b'); prepare transaction '{db}_small'")
    sql(f"commit prepared '{db}_small'")
    dump.wait(lambda r: 1 in content(r, "srv.public.k"), "the small one")
    sql(f"commit prepared '{db}_large'")
    is_table(t, dump)
    dump.stop_well()
