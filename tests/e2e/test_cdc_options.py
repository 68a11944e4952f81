"""Options of postgres-cdc that only a server can show."""
import collections
import json
import socket
import subprocess

from cdc_dump import Dump, content, is_table
from harness import PATIENCE, becomes, equal, seconds
from test_cdc_validation import Place

K = "create table k (id int primary key, v int, w text); insert into k values (1, 0, 'a')"
TOPIC = "srv.public.k"


def fails(dump, *pieces):
    """A run that ends with this error; its log is forgotten."""
    dump.start()
    dump.fails(*pieces)
    dump.log.unlink()


def again(dump, **options):
    """The same connector with other options."""
    lines = [line for line in dump.config.read_text().splitlines() if line.split("=")[0] not in options]
    dump.config.write_text("\n".join([*lines, *(f"{k}={v}" for k, v in options.items())]) + "\n")
    return dump


@seconds(90)
def test_replica_identities_are_set(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create schema s; create table s.full_one (id int primary key, v int); create table s.by_index (id int primary key, u int not null);"
        "create unique index \"The Index\" on s.by_index (u); create table s.untouched (id int primary key); create table k (id int primary key, v int, w text);"
        "insert into s.full_one values (1, 1)")
    dump = Dump(t, db, **{"replica.identity.autoset.values": r"s\.full.*:full,s\.by_index:INDEX The Index"}).start()
    dump.streams()
    equal(t.postgres.rows("select relname, relreplident from pg_class where relkind = 'r' and relnamespace in "
                          "('s'::regnamespace, 'public'::regnamespace) order by 1", database=db),
          [{"relname": "by_index", "relreplident": "i"}, {"relname": "full_one", "relreplident": "f"},
           {"relname": "k", "relreplident": "d"}, {"relname": "untouched", "relreplident": "d"}], "identities")
    sql("update s.full_one set v = 2")
    dump.wait(lambda r: any(op == "u" for *_, op, _ in r), "the update")
    last = dump.raw()[-1]["value"]["payload"]
    equal(last["before"], {"id": 1, "v": 1}, "the old row")
    dump.stop_well()
    equal(dump.text().count("set replica identities"), 1, "changes of identities")
    dump.start()
    sql("insert into k values (1, 1, 'a')")
    is_table(t, dump)
    dump.stop_well()
    equal(dump.text().count("set replica identities"), 1, "changes of identities: only what differs is changed")


@seconds(60)
def test_replica_identities_are_checked(t):
    db = t.database()
    for value in ("s.a", "s.a:SOME", "s.a:INDEX", "(:FULL"):
        fails(Dump(t, db, **{"replica.identity.autoset.values": value}), "replica.identity.autoset.values")


@seconds(90)
def test_xmin(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int, w text)")
    dump = Dump(t, db, **{"xmin.fetch.interval.ms": "10"}).start()
    dump.streams()
    at = [0]

    def seen():
        at[0] += 1
        sql(f"insert into k values ({at[0]}, 1, 'a')")
        return (dump.raw()[-1]["value"]["payload"]["source"]["xmin"] or 0) > 0

    dump.until("an xmin", seen)
    dump.stop_well()


@seconds(120)
def test_slot_ahead_of_the_offset(t):
    """Somebody has moved the slot: said, or, when the slot is trusted, gone on from there."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(K)
    dump = Dump(t, db).start()
    dump.wait(lambda r: 1 in content(r, TOPIC), "the snapshot")
    dump.stop_well()
    dump.slot_is_free()
    sql("insert into k values (2, 0, 'lost')")
    sql(f"select pg_replication_slot_advance('{db}', pg_current_wal_lsn())")
    for strategy in ("no_validation", "trust_offset"):
        fails(again(dump, **{"offset.mismatch.strategy": strategy}), f'replication slot "{db}" has moved on to', "trust_slot accepts the loss")
    for n, strategy in ((3, "trust_slot"), (4, "trust_greater_lsn")):
        sql(f"insert into k values ({n + 10}, 0, 'lost')")
        sql(f"select pg_replication_slot_advance('{db}', pg_current_wal_lsn())")
        again(dump, **{"offset.mismatch.strategy": strategy}).start()
        dump.streams()
        sql(f"insert into k values ({n}, 0, 'b')")
        dump.wait(lambda r: n in content(r, TOPIC), "the stream")
        dump.stop_well()
        dump.logged(": going on from the slot at ")
        dump.log.unlink()
        dump.slot_is_free()
    equal(sorted(content(dump.records(), TOPIC)), [1, 3, 4], "rows")


@seconds(120)
def test_offset_ahead_of_the_server(t):
    """A server that was restored from a backup would leave out what it does until it has caught up."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(K)
    dump = Dump(t, db).start()
    dump.wait(lambda r: 1 in content(r, TOPIC), "the snapshot")
    dump.streams()
    sql("insert into k values (2, 0, 'b')")
    dump.wait(lambda r: 2 in content(r, TOPIC), "the stream")
    dump.stop_well()
    dump.slot_is_free()
    offset = dump.stored()
    dump.offset.write_text(json.dumps({k: v + (1 << 40) if k.startswith("lsn") and v > 1000 else v for k, v in offset.items()}))
    for strategy in ("no_validation", "trust_offset", "trust_greater_lsn"):
        fails(again(dump, **{"offset.mismatch.strategy": strategy}), "is ahead of the server, whose WAL ends at", "restored from a backup")
    again(dump, **{"offset.mismatch.strategy": "trust_slot"}).start()
    dump.streams()
    sql("insert into k values (3, 0, 'c')")
    is_table(t, dump)
    dump.stop_well()


@seconds(90)
def test_slot_behind_the_offset(t):
    """With trust_offset the slot follows the offset at once, not with the next change; with manual confirming never."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    confirmed = lambda: sql(f"select confirmed_flush_lsn from pg_replication_slots where slot_name = '{db}'")
    sql(K)
    dump = Dump(t, db, **{"flush.lsn.source": "false"}).start()
    dump.wait(lambda r: 1 in content(r, TOPIC), "the snapshot")
    dump.streams()
    first = confirmed()
    sql("insert into k values (2, 0, 'b'); insert into k values (3, 0, 'c')")
    dump.wait(lambda r: 3 in content(r, TOPIC), "the stream")
    behind = lambda: dump.stored().get("lsn_commit", 0) > int(sql(f"select '{first}'::pg_lsn - '0/0'"))
    dump.until("an offset behind a commit", behind)
    dump.stop_well()
    equal(confirmed(), first, "a slot that nobody confirms")
    commit = dump.stored()["lsn_commit"]
    dump.slot_is_free()
    again(dump, **{"flush.lsn.source": "true", "internal.slot.seek.to.known.offset.on.start": "true", "status.update.interval.ms": "100000"})
    dump.start()
    dump.until("the slot to follow", lambda: sql(f"select confirmed_flush_lsn - '0/0' >= {commit} from pg_replication_slots"
                                                      f" where slot_name = '{db}'") == "t")
    dump.stop_well()


@seconds(90)
def test_changes_that_give_no_record(t):
    """A value that has no Decimal: the task fails, or the change is left out."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(K + "; create table n (id int primary key, n numeric(10, 2))")
    dump = Dump(t, db, **{"event.converting.failure.handling.mode": "fail"}).start()
    dump.wait(lambda r: 1 in content(r, TOPIC), "the snapshot")
    dump.streams()
    sql("insert into n values (1, 'NaN'); insert into n values (2, 2)")
    said = dump.fails().splitlines()[-1]
    assert "n" in said and "NaN" in said, said
    dump.log.unlink()
    dump.slot_is_free()
    again(dump, **{"event.processing.failure.handling.mode": "warn"}).start()
    dump.wait(lambda r: 2 in content(r, "srv.public.n"), "what comes behind it")
    dump.logged("the change of public.n at ")
    dump.stop_well()
    dump.log.unlink()
    dump.slot_is_free()
    again(dump, **{"event.processing.failure.handling.mode": "skip"}).start()
    dump.streams()
    sql("insert into n values (3, 'NaN'); insert into n values (4, 4)")
    dump.wait(lambda r: 4 in content(r, "srv.public.n"), "what comes behind it")
    dump.stop_well()
    assert "is left out" not in dump.text(), dump.tail()
    equal(sorted(content(dump.records(), "srv.public.n")), [2, 4], "rows")


@seconds(90)
def test_errors_that_are_retriable(t):
    """What would fail the task is tried again, when its message matches."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(K)
    dump = Dump(t, db, **{"publication.name": db, "publication.autocreate.mode": "disabled", "retriable.restart.connector.wait.ms": "100",
                          "custom.retriable.exception": "publication .* is missing.*"}).start()
    dump.logged("trouble: publication " + db + " is missing.")
    sql(f"create publication {db} for table k")
    dump.wait(lambda r: 1 in content(r, TOPIC), "the snapshot")
    dump.stop_well()
    again(dump, **{"publication.name": "other", "custom.retriable.exception": "missing"})
    fails(dump, "publication other is missing")


@seconds(90)
def test_settings_of_the_driver(t):
    """They reach the server's sessions; what has no counterpart is told of once."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(K + "; create schema mine; create table mine.seen (id serial primary key, what text)")
    dump = Dump(t, db, **{"driver.currentSchema": "mine", "database.options": "-c my.word=hello", "driver.prepareThreshold": "0",
                          "database.ApplicationName": "another",
                          "database.initial.statements": "insert into seen (what) values (current_setting('my.word') || ';; world');"
                                                         "insert into seen (what) values (';;;;')"}).start()
    dump.wait(lambda r: 1 in content(r, TOPIC), "the snapshot")
    dump.streams()
    names = (f"select string_agg(distinct application_name, ',' order by application_name) from pg_stat_activity where datname = '{db}'"
             " and application_name like '%e%' and pid <> pg_backend_pid()")  # others are there until the server has noticed their end
    becomes(lambda: sql(names), "Debezium General,Debezium Streaming", "names of connections")
    dump.stop_well()
    dump.slot_is_free()
    seen = collections.Counter(sql("select what from mine.seen").split("\n"))
    equal(set(seen), {"hello; world", ";;"}, "what the statements wrote")
    equal(len(set(seen.values())), 1, f"how often, of both, as each connection runs both ({seen})")
    log = dump.text()
    equal(log.count("these settings of the Java driver have no effect"), 1, "warnings")
    assert "driver.prepareThreshold" in log and "database.ApplicationName" in log, log
    again(dump, **{"driver.targetServerType": "secondary", "errors.max.retries": "0"})
    fails(dump, "server is not in hot standby mode")


@seconds(90)
def test_parameters_of_the_stream(t):
    """origin=none leaves out what came from elsewhere."""
    t.use_postgres(17)
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    origin = t.unique("o")
    sql(K)
    sql(f"select pg_replication_origin_create('{origin}')")
    t.cleanup(sql, f"select pg_replication_origin_drop('{origin}')")
    dump = Dump(t, db, **{"slot.stream.params": "origin=none"}).start()
    dump.wait(lambda r: 1 in content(r, TOPIC), "the snapshot")
    dump.streams()
    sql(f"select pg_replication_origin_session_setup('{origin}'); insert into k values (2, 0, 'from elsewhere')")
    sql("insert into k values (3, 0, 'c')")
    dump.wait(lambda r: 3 in content(r, TOPIC), "the stream")
    equal(sorted(content(dump.records(), TOPIC)), [1, 3], "rows")
    dump.stop_well()
    fails(again(dump, **{"slot.stream.params": "proto_version=1;word"}), "slot.stream.params", "is set by the connector itself")


class Session:
    """A connection that is in the middle of a transaction."""

    def __init__(self, t, db, begin):
        argv, env = t.postgres.command("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", database=db, user="postgres")
        self.process = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        t.cleanup(self.process.wait)
        t.cleanup(self.process.kill)
        self.process.stdin.write(f"begin; {begin}; select 'begun';\n")
        self.process.stdin.flush()
        equal(self.process.stdout.readline(), "begun\n", "the session")

    def commit(self):
        self.process.communicate("commit;\n", 60 * PATIENCE)


@seconds(90)
def test_timeout_of_creating_a_slot(t):
    """It waits for transactions that are open: said, and tried again until they are over."""
    db = t.database()
    t.postgres.sql(K, db, "postgres")
    other = Session(t, db, "create table x (id int)")
    dump = Dump(t, db, **{"internal.create.slot.command.timeout": "1", "retriable.restart.connector.wait.ms": "50"}).start()
    dump.logged("it took longer than 1 s (internal.create.slot.command.timeout)")
    other.commit()
    dump.wait(lambda r: 1 in content(r, TOPIC), "the snapshot")
    dump.stop_well()


@seconds(90)
def test_timeout_of_locks(t):
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(K)
    sql(f"select pg_create_logical_replication_slot('{db}', 'pgoutput')")  # it would wait for the lock's transaction
    holder = Session(t, db, "lock table k in access exclusive mode")
    dump = Dump(t, db, **{"snapshot.locking.mode": "shared", "snapshot.lock.timeout.ms": "50",
                          "retriable.restart.connector.wait.ms": "50"}).start()
    dump.logged("lock timeout")
    holder.commit()
    dump.wait(lambda r: 1 in content(r, TOPIC), "the snapshot")
    dump.stop_well()


@seconds(60)
def test_timeout_of_queries(t):
    db = t.database()
    t.postgres.sql(K, db, "postgres")
    dump = Dump(t, db, **{"database.query.timeout.ms": "50", "database.initial.statements": "select pg_sleep(3600)"}).start()
    dump.logged("canceling statement due to statement timeout")
    dump.kill()


@seconds(60)
def test_timeout_of_validation(t):
    """A server that takes the connection and says nothing."""
    p = Place(t)
    silent = socket.create_server(("127.0.0.1", 0))
    t.cleanup(silent.close)
    port = str(silent.getsockname()[1])
    options = {"database__port": port, "connection__validation__timeout__ms": "50", "database__sslmode": "disable"}
    equal(p.found(**options), {"database.hostname": [f"connecting to postgres at 127.0.0.1:{port}: no answer within 50 ms"]}, "findings")


@seconds(60)
def test_builtin_tables(t):
    """spatial_ref_sys comes with PostGIS; whoever wants it gets it."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(K + "; create table spatial_ref_sys (id int primary key); insert into spatial_ref_sys values (7)")
    for n, (wanted, ignored) in enumerate((([], "true"), ([7], "false"))):
        dump = Dump(t, db, **{"table.ignore.builtin": ignored, "slot.name": f"{db}_{n}", "table.include.list": "public.(spatial.*|k)"})
        dump.out, dump.offset = (t.directory / f"{name}{n}" for name in ("out", "offset"))
        dump.start()
        dump.wait(lambda r: any(marker == "last" for *_, marker in r), "the snapshot")
        equal(sorted(content(dump.records(), "srv.public.spatial_ref_sys")), wanted, f"table.ignore.builtin={ignored}")
        dump.stop_well()


@seconds(60)
def test_name_of_the_heartbeat_topic(t):
    db = t.database()
    t.postgres.sql(K, db, "postgres")
    dump = Dump(t, db, **{"heartbeat.interval.ms": "20", "topic.heartbeat.name": "all-beats"}).start()
    dump.wait(lambda r: any(topic == "all-beats" and key == {"serverName": "srv"} for topic, key, *_ in r), "a heartbeat")
    dump.stop_well()
