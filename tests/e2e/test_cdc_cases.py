"""Of Debezium's cases, those that a golden file cannot hold: what stands in the server afterwards (slots,
publications, confirmed positions), what never comes, and where postgres-cdc does better on purpose. The table
in tests/golden/cdc/README.md says which case is tested where."""
from cdc_dump import STREAMS, Dump, content
from harness import equal, seconds

SETUP = ("create schema s1; create table s1.a(pk serial primary key, aa integer);"
         "create schema s2; create table s2.a(pk serial primary key, aa integer, bb varchar(20));"
         "insert into s1.a(aa) values(1); insert into s2.a(aa) values(1);")
INSERT = "insert into s1.a(aa) values(1); insert into s2.a(aa) values(1);"


class Case:
    """A database with Debezium's two tables, and a connector."""

    def __init__(self, t, more="", **options):
        self.db = t.database()
        self.sql = lambda text: t.postgres.sql(text, self.db, "postgres")
        self.sql(SETUP + more)
        self.dump = Dump(t, self.db, **options)

    def start(self):
        self.dump.start()
        self.dump.streams()
        return self

    def seen(self):
        """["r s1.a 1", ...]"""
        return [f"{op} {topic.removeprefix('srv.')} {key['pk']}"
                for topic, key, _, op, _ in self.dump.records() if key and op]

    def wait(self, *wanted):
        """Until the records are these, in any order."""
        self.dump.wait(lambda _: len(self.seen()) >= len(wanted), f"{len(wanted)} records")
        equal(sorted(self.seen()), sorted(wanted), "records")

    def stop(self):
        """The slot is free for the next one, which would wait for it else."""
        self.dump.stop_well()
        if self.sql(f"select 1 from pg_replication_slots where slot_name = '{self.dump.slot}'"):
            self.dump.slot_is_free()

    def confirmed(self):
        return int(self.sql(f"select confirmed_flush_lsn - '0/0' from pg_replication_slots where slot_name = '{self.db}'"))

    def position(self):
        return int(self.sql("select pg_current_wal_lsn() - '0/0'"))


@seconds(90)
def test_initial_only(t):
    """Case 3: the content, and nothing after it, nor at the next start."""
    case = Case(t, **{"snapshot.mode": "initial_only"})
    for start in range(2):
        case.dump.start()
        if not start:
            case.wait("r s1.a 1", "r s2.a 1")
            case.dump.logged("snapshot is complete")
        else:
            case.dump.logged("there is nothing more to do")
        case.sql(INSERT)
        case.stop()
        log = case.dump.text()
        assert STREAMS not in log and log.count("snapshot is complete") == 1, log
    equal(sorted(case.seen()), ["r s1.a 1", "r s2.a 1"], "records")


@seconds(90)
def test_always(t):
    """Case 4: the content at each start. What happened between the two comes too, after it: Debezium
    skips that, and with it the deletion."""
    case = Case(t, **{"snapshot.mode": "always"}).start()
    case.sql(INSERT)
    first = ["r s1.a 1", "r s2.a 1", "c s1.a 2", "c s2.a 2"]
    case.wait(*first)
    case.stop()
    case.sql("delete from s1.a where pk = 1")
    case.start()
    case.wait(*first, "r s1.a 2", "r s2.a 1", "r s2.a 2", "d s1.a 1")
    equal(case.seen()[-1], "d s1.a 1", "the last one")
    case.stop()


@seconds(90)
def test_initial_statements(t):
    """Case 8: on each ordinary connection, so they can be repeated; two semicolons are one."""
    case = Case(t, **{"database.initial.statements":
                      "INSERT INTO s1.a(aa) VALUES(2); INSERT INTO s2.a(aa,bb) VALUES(2,'hello;; world');"}).start()
    counts = lambda: tuple(map(int, case.sql("select (select count(*) from s1.a where aa = 2), (select count(*) from s2.a where aa = 2)").split("|")))

    def all_have_come():  # a connection that is opened just now has run one of them, maybe
        one, two = counts()
        return one == two >= 1 and sum(row is not None for *_, row, _, _ in case.dump.records()) == 2 + one + two

    case.dump.until("the rows of the statements", all_have_come)
    equal(case.sql("select distinct bb from s2.a where aa = 2"), "hello; world", "the text")
    after = [row["bb"] for topic, _, row, _, _ in case.dump.records() if topic == "srv.s2.a" and row["aa"] == 2]
    equal(set(after), {"hello; world"}, "the text in records")
    case.stop()


@seconds(90)
def test_flushes_regularly(t):
    """Case 13: what was emitted and stored is confirmed, again and again."""
    case = Case(t).start()
    for i in range(5):
        here = case.confirmed()
        case.sql(INSERT)
        case.dump.wait(lambda r: len(r) == 2 * (i + 2), "the rows")
        case.dump.until("the confirmation", lambda: case.confirmed() > here)
    case.stop()


@seconds(90)
def test_never_flushes_when_told(t):
    """Case 14: by the older and by the newer option; the slot stays where it was through records, stops and starts."""
    for option in {"flush.lsn.source": "false"}, {"lsn.flush.mode": "manual"}:
        case = Case(t, **option)
        case.start()
        here = case.confirmed()
        for start in range(2):
            if start:
                case.start()
            case.sql(INSERT)
            case.dump.wait(lambda r: len(r) == 2 * (start + 2), "the rows")
            case.stop()  # the confirmation comes at the stop, if not before
            equal(case.confirmed(), here, f"the confirmed position with {option}")
        case.dump.offset.unlink()
        case.dump.out.unlink()


@seconds(90)
def test_unmonitored_activity(t):
    """Case 15: in both modes what only other tables write is confirmed; Debezium does it in one of them."""
    for mode in "connector", "connector_and_driver":
        case = Case(t, **{"lsn.flush.mode": mode, "table.include.list": r"s1\.a"}).start()
        case.sql("insert into s2.a(aa) select generate_series(1, 100)")
        here = case.position()
        case.dump.until(f"{mode} to pass the other table's rows", lambda: case.confirmed() >= here)
        equal(case.seen(), ["r s1.a 1"], "records")
        case.stop()
        case.dump.offset.unlink()
        case.dump.out.unlink()


@seconds(90)
def test_publications(t):
    """Cases 19 to 21, 25: the statements, and what is published; a slot may be named by digits."""
    published = lambda case: case.sql("select pubname || ' ' || schemaname || '.' || tablename || ' ' || puballtables"
                                      " from pg_publication_tables join pg_publication using (pubname) order by 1").split("\n")
    case = Case(t, **{"publication.name": "cdc", "publication.autocreate.mode": "disabled"})
    case.dump.start()
    case.dump.fails("Publication autocreation is disabled, please create one and restart the connector.")
    equal(case.sql(f"select count(*) from pg_replication_slots where database = '{case.db}'"), "0", "slots")

    def restarted(**options):
        lines = case.dump.config.read_text().splitlines()
        kept = [line for line in lines if line.split("=")[0] not in options]
        escaped = [f"{k}={v}".replace("\\", "\\\\") for k, v in options.items() if v is not None]
        case.dump.config.write_text("\n".join(kept + escaped) + "\n")
        case.dump.slot = options.get("slot.name", case.dump.slot)
        case.start()
        case.stop()

    number = str(case.position())  # of all servers' slots, only ours has it
    restarted(**{"slot.name": number, "publication.autocreate.mode": "all_tables"})
    assert "CREATE PUBLICATION cdc FOR ALL TABLES;" in case.dump.text().replace('"', ""), case.dump.tail()
    equal(published(case), ["cdc s1.a true", "cdc s2.a true"], "published")
    equal(case.sql(f"select count(*) from pg_replication_slots where slot_name = '{number}'"), "1", "slots")
    case.sql("drop publication cdc")
    restarted(**{"publication.autocreate.mode": "filtered", "table.include.list": r"s1\.a,public.*"})
    equal(published(case), ["cdc s1.a false"], "published")
    restarted(**{"table.include.list": r"s1\.a,s2\.a"})
    equal(published(case), ["cdc s1.a false", "cdc s2.a false"], "published")
    restarted(**{"table.include.list": r"s2\.a"})
    equal(published(case), ["cdc s2.a false"], "published")
    case.sql("drop publication cdc")
    restarted(**{"publication.autocreate.mode": "no_tables", "table.include.list": None})
    equal(published(case), [""], "published")
    equal(case.sql("select pubname from pg_publication"), "cdc", "publications")


@seconds(90)
def test_heartbeats_move_the_offset(t):
    """Case 46: nobody writes to a captured table; the stored offset passes what others write."""
    case = Case(t, **{"heartbeat.interval.ms": "100", "table.include.list": r"s1\.a"}).start()
    beats = lambda: [r for r in case.dump.records() if r[0] == "__debezium-heartbeat.srv"]
    case.dump.until("a heartbeat", beats)
    for _ in range(2):
        case.sql("insert into s2.a(aa) select generate_series(1, 100)")
        here = case.position()
        case.dump.until("the offset to move", lambda: case.dump.stored()["lsn"] >= here)
    equal(beats()[0][1], {"serverName": "srv"}, "key")
    case.stop()


@seconds(90)
def test_order_by_rows(t):
    """snapshot.tables.order.by.row.count: Debezium 3.6 reads tables by name whatever it says."""
    more = ("insert into s2.a(aa) select generate_series(1, 50); create table s1.most (pk int primary key);"
            "insert into s1.most select generate_series(1, 90); analyze s1.a; analyze s2.a; analyze s1.most;")
    wanted = ["s1.a", "s2.a", "s1.most"]
    case = Case(t, more, **{"snapshot.tables.order.by.row.count": "ascending"}).start()
    for order in "ascending", "descending":
        case.dump.wait(lambda r: r and r[-1][4] == "last", "the snapshot")
        names = list(dict.fromkeys(record.split()[1] for record in case.seen()))
        equal(names, wanted if order == "ascending" else wanted[::-1], order)
        case.stop()
        if order == "ascending":
            case.dump.offset.unlink()
            case.dump.out.unlink()
            case.dump.config.write_text(case.dump.config.read_text().replace("ascending", "descending"))
            case.start()


@seconds(90)
def test_identity_that_is_no_key(t):
    """A replica identity of another index says nothing of the primary key: Debezium then deletes the record
    of key 0, which may be a row."""
    more = ("create table s1.other (pk int primary key, u int not null); create unique index other_u on s1.other (u);"
            "alter table s1.other replica identity using index other_u; insert into s1.other values (0, 1), (1, 2);")
    case = Case(t, more, **{"table.include.list": r"s1\.other"}).start()
    case.wait("r s1.other 0", "r s1.other 1")
    case.sql("update s1.other set u = 3 where pk = 1")
    case.wait("r s1.other 0", "r s1.other 1", "u s1.other 1")
    case.stop()
    assert not [r for r in case.dump.records() if r[2] is None], "nothing is deleted"
    equal(len(content([(n, {"id": k["pk"]}, *rest) for n, k, *rest in case.dump.records()], "srv.s1.other")), 2, "rows")
