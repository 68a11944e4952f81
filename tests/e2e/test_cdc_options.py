"""Options of postgres-cdc that only a server can show."""
import json

import cdc_golden
from harness import equal, seconds
from test_cdc_resume import Dump, content, rows


@seconds(90)
def test_replica_identities_are_set(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create schema s; create table s.full_one (id int primary key, v int); create table s.by_index (id int primary key, u int not null);"
        "create unique index \"The Index\" on s.by_index (u); create table s.untouched (id int primary key); create table k (id int primary key, v int, w text);"
        "insert into s.full_one values (1, 1)")
    dump = Dump(t, db, **{"replica.identity.autoset.values": r"s\.full.*:full,s\.by_index:INDEX The Index"}).start()
    cdc_golden.wait("the stream", lambda: sql(f"select 1 from pg_replication_slots where slot_name = '{db}' and active"))
    equal(t.postgres.rows("select relname, relreplident from pg_class where relkind = 'r' and relnamespace in "
                          "('s'::regnamespace, 'public'::regnamespace) order by 1", database=db),
          [{"relname": "by_index", "relreplident": "i"}, {"relname": "full_one", "relreplident": "f"},
           {"relname": "k", "relreplident": "d"}, {"relname": "untouched", "relreplident": "d"}], "identities")
    sql("update s.full_one set v = 2")
    dump.wait(lambda r: any(op == "u" for *_, op, _ in r), "the update")
    last = json.loads(dump.out.read_text().splitlines()[-1])["value"]["payload"]
    equal(last["before"], {"id": 1, "v": 1}, "the old row")
    equal(dump.stop(), 0, "exit code")
    assert dump.log.read_text().count("set replica identities") == 1
    dump.start()
    sql("insert into k values (1, 1, 'a')")
    dump.wait(lambda r: content(r, "srv.public.k") == rows(t, db), "the stream again")
    equal(dump.stop(), 0, "exit code")
    assert dump.log.read_text().count("set replica identities") == 1, "only what differs is changed"


@seconds(60)
def test_replica_identities_are_checked(t):
    db = t.database()
    for value in ("s.a", "s.a:SOME", "s.a:INDEX", "(:FULL"):
        dump = Dump(t, db, **{"replica.identity.autoset.values": value}).start()
        assert dump.process.wait(20) == 1, value
        assert "replica.identity.autoset.values" in dump.log.read_text(), value
        dump.log.unlink()


@seconds(90)
def test_xmin(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int, w text)")
    dump = Dump(t, db, **{"xmin.fetch.interval.ms": "10"}).start()
    cdc_golden.wait("the stream", lambda: sql(f"select 1 from pg_replication_slots where slot_name = '{db}' and active"))
    at = [0]

    def seen():
        at[0] += 1
        sql(f"insert into k values ({at[0]}, 1, 'a')")
        lines = dump.out.read_text().splitlines() if dump.out.exists() else []
        return lines and (json.loads(lines[-1])["value"]["payload"]["source"]["xmin"] or 0) > 0

    cdc_golden.wait("an xmin", seen)
    equal(dump.stop(), 0, "exit code")
