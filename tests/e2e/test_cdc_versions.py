"""postgres-cdc on all versions of Postgres: snapshot, stream, types, restart, and what is theirs."""
import cdc_golden
from cdc_dump import Dump, content, is_table
from harness import PostgresVersion, equal, seconds
from test_cdc_in_progress import pair, small_memory

TYPES = """
create type mood as enum ('sad', 'ok');
create table k (id int primary key, v int, w text);
create table types (id bigserial primary key, n numeric(10, 2), big numeric, f float8, b bytea, j jsonb, u uuid,
    d date, t time(3), ts timestamp, tz timestamptz(3), i interval, m mood, a text[], r int4range, ip inet,
    money money, bits bit(10), p point, g int generated always as (3) stored);
insert into k values (1, 0, 'a');
"""
ROW = """insert into types (n, big, f, b, j, u, d, t, ts, tz, i, m, a, r, ip, money, bits, p) values (12.34, 1e30, 'NaN',
 '\\xdeadbeef', '{"a": [1, null]}', '00000000-0000-0000-0000-00000000002a', '2024-02-29', '01:02:03.456',
 '2024-02-29 01:02:03.456789', '2024-02-29 01:02:03.456+02', '1 month 2 days', 'ok', '{a,NULL,"b c"}', '[1,5)', '10.0.0.1/8',
 '1.50', B'1010101010', '(1,2)');"""


def after(dump, topic):
    """The rows of the topic without their ids, each with its operation."""
    return [(op, {k: v for k, v in row.items() if k != "id"}) for name, _, row, op, _ in dump.records()
            if name == topic and row]


def smoke(version):
    @seconds(240)
    def test(t):
        t.use_postgres(version)
        db = t.database()
        sql = lambda text: t.postgres.sql(text, db, "postgres")
        equal(sql("show server_version_num")[:2], str(version), "version")
        sql(TYPES + ROW)
        small_memory(t, db)
        # On 13 and 14 the option has less effect, or none.
        (dump,) = pair(t, db, "parallel", **{"xmin.fetch.interval.ms": "100"})
        dump.start()
        dump.wait(lambda r: len(r) == 2, "the snapshot")
        dump.streams()
        sql(ROW + "insert into k select g, 0, repeat('x', 50) from generate_series(2, 2000) g")
        sql("begin; update k set v = v + 1; savepoint s; delete from k where id > 50; rollback to s;"
            "delete from k where id > 1900; commit; alter table k add column n int default 7; update k set v = v + 1")
        is_table(t, dump)
        dump.kill()
        sql("update k set w = 'while down' where id < 100; update k set id = -id where id < 10; insert into types default values")
        dump.start()
        is_table(t, dump)
        dump.wait(lambda r: len(after(dump, "srv.public.types")) >= 3, "the types")
        dump.stop_well()
        (first, read), (second, streamed) = after(dump, "srv.public.types")[:2]
        equal((first, second), ("r", "c"), "operations")
        read.pop("g"), streamed.pop("g", None)  # the stream has it from 18 on, when published
        equal(streamed, read, "a row of the stream, as the snapshot has it")
        if version >= 14:
            cdc_golden.wait("the server to count", lambda: t.postgres.sql(
                f"select stream_txns > 0 from pg_stat_replication_slots where slot_name = '{dump.slot}'", user="postgres") == "t")
        last = dump.raw()[-1]["value"]["payload"]["source"]
        assert last["xmin"] and last["xmin"] > 0, last

    test.__module__ = __name__
    return test


for _version in (13, 14, 16, 17, 18):
    globals()[f"test_version_{_version}"] = smoke(_version)


@seconds(180)
def test_two_phase_slot(t):
    """A slot made for two-phase commit: prepared transactions come at COMMIT PREPARED, also over a kill."""
    server = PostgresVersion(t.directory / "services", 17)
    server.start(POSTGRES_EXTRA="max_prepared_transactions = 10")
    t.cleanup(server.stop)
    t._postgres = server
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    t.cleanup(lambda: [sql(f"rollback prepared '{gid}'") for gid in sql("select gid from pg_prepared_xacts").split()])
    sql("create table k (id int primary key, v int, w text)")
    small_memory(t, db)
    for mode in ("off", "parallel"):
        directory = t.directory / f"run_{mode}"
        directory.mkdir()
        slot = f"two_{mode}"
        sql(f"truncate k; insert into k values (0, 0, 'a'); select pg_create_logical_replication_slot('{slot}', 'pgoutput', false, true)")
        dump = Dump(t, db, **{"slot.name": slot, "stream.in.progress": mode, "publication.name": "p"})
        dump.offset, dump.out, dump.log = (directory / n for n in ("offset.json", "out.json", "log"))
        dump.config = dump.config.rename(directory / "config.properties")
        dump.start()
        is_table(t, dump)
        dump.streams()
        ids = lambda: sorted(content(dump.records(), "srv.public.k"))
        for gid, first, n in (("small", 100, 3), ("large", 1000, 3000), ("gone", 5000, 3000), ("late", 9000, 2000)):
            sql(f"begin; insert into k select g, 0, repeat('p', 50) from generate_series({first}, {first + n - 1}) g; prepare transaction '{gid}'")
            sql(f"insert into k values ({first - 1}, 0, 'between')")
        dump.wait(lambda r: 8999 in content(r, "srv.public.k"), "what was committed")
        equal(ids(), [0, 99, 999, 4999, 8999], "only that")
        sql("commit prepared 'small'; rollback prepared 'gone'")
        dump.wait(lambda r: 102 in content(r, "srv.public.k"), "the small one")
        dump.kill()
        sql("commit prepared 'large'")
        dump.start()
        dump.wait(lambda r: 3999 in content(r, "srv.public.k"), "the large one")
        dump.is_stored()  # else some come twice
        dump.kill()
        dump.start()
        dump.streams()
        sql("commit prepared 'late'")
        is_table(t, dump)
        keys = [key["id"] for topic, key, row, op, _ in dump.records() if op == "c"]
        equal([k for k in keys if 1000 <= k < 4000], list(range(1000, 4000)), "once, in order")
        dump.stop_well()
        dump.slot_is_free()
        sql(f"select pg_drop_replication_slot('{slot}')")


@seconds(180)
def test_invalidated_slot(t):
    """WAL that the slot needs is gone: found at once, explained; when_needed replaces the slot."""
    server = PostgresVersion(t.directory / "services", 17)
    server.start(POSTGRES_EXTRA="max_slot_wal_keep_size = 16MB\nmin_wal_size = 32MB\nmax_wal_size = 32MB")
    t.cleanup(server.stop)
    t._postgres = server
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int, w text); create table o (w text); insert into k values (1, 0, 'a')")
    dump = Dump(t, db, **{"table.include.list": "public.k"}).start()
    dump.wait(lambda r: len(r) == 1, "the snapshot")
    sql("insert into k values (2, 0, 'b')")
    dump.wait(lambda r: len(r) == 2, "the row")
    dump.stop_well()
    for _ in range(6):
        sql("insert into o select repeat('x', 1000) from generate_series(1, 20000)")
        sql("select pg_switch_wal(); checkpoint")
    equal(sql(f"select invalidation_reason from pg_replication_slots where slot_name = '{db}'"), "wal_removed", "reason")
    dump.start()
    dump.fails(db, "was invalidated", "max_slot_wal_keep_size", f"pg_drop_replication_slot('{db}')", "when_needed")
    dump.config.write_text(dump.config.read_text() + "snapshot.mode=when_needed\n")
    dump.start()
    dump.wait(lambda r: [x for x in r if x[4] == "last"][1:], "a new snapshot")
    sql("insert into k values (3, 0, 'c')")
    dump.wait(lambda r: 3 in content(r, "srv.public.k"), "the stream")
    dump.stop_well()


@seconds(120)
def test_failover_slot(t):
    t.use_postgres(17)
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int, w text); insert into k values (1, 0, 'a')")
    dump = Dump(t, db, **{"slot.failover": "true"}).start()
    dump.wait(lambda r: len(r) == 1, "the snapshot")
    equal(sql(f"select failover from pg_replication_slots where slot_name = '{db}'"), "t", "failover")
    dump.stop_well()
