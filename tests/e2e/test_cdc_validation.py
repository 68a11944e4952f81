"""What is wrong with a config or its server, as `validate` tells it and as a task's start does: the same sentence, with
the SQL that repairs it. Validation changes nothing."""
import re
import subprocess

import cdc_golden
from cdc_dump import Dump
from harness import PostgresVersion, equal, free_port, seconds, wait_for
from test_postgres_errors import PASSWORD, config, role

URL = "/connector-plugins/io.debezium.connector.postgresql.PostgresConnector/config/validate"


class Place:
    """A database with two tables, a worker to ask, and what it finds."""

    def __init__(self, t):
        self.t, self.db, self.runs = t, t.database(), 0
        self.worker = t.sluice()
        self.prefix = t.unique("srv")  # topics of its own
        t.cleanup(lambda: t.kafka.wire.delete_topics([f"{self.prefix}.s.{name}" for name in "ab"]))
        self.sql("create schema s; create table s.a (id int primary key, v text); create table s.b (id int primary key);"
                 "insert into s.a values (1, 'x')")

    def sql(self, text):
        return self.t.postgres.sql(text, self.db, "postgres")

    def config(self, **more):
        options = {"name": "x", "database__user": "postgres", "database__password": "postgres", "table__include__list": r"s\.(a|b)", **more}
        return {k: v for k, v in config(self.t, self.db, self.prefix, **options).items() if v is not None}

    def found(self, **more):
        """{key: messages} of validate."""
        conf = self.config(**more)
        answer = self.worker.rest.ok("PUT", URL, conf)
        found = {c["value"]["name"]: c["value"]["errors"] for c in answer["configs"] if c["value"]["errors"]}
        equal(answer["error_count"], sum(map(len, found.values())), "error_count")
        assert PASSWORD not in str(found), found
        return found

    def finds(self, key, *pieces, starts=True, **more):
        """Validate finds this one thing; a task's start (starts) fails with the same sentence, or "told": logs it. The SQL."""
        found = self.found(**more)
        equal(list(found), [key], f"keys of {found}")
        (text,) = found[key]
        for piece in pieces:
            assert piece in text, (piece, text)
        if starts:
            log = self.log_of_start(starts != "told", **more)
            assert text in log.replace('\\"', '"'), (text, log)
        return re.findall(r"(?:[Rr]un(?: as superuser)?: |drop it \(|drop the slot: |put: )([A-Z].*?;)", text)

    def log_of_start(self, fails, **more):
        self.runs += 1
        conf = {k: v for k, v in self.config(**more).items() if not k.startswith(("connector.class", "key.", "value."))}
        directory = self.t.directory / f"run{self.runs}"
        directory.mkdir()
        dump = Dump(self.t, self.db)
        dump.config = cdc_golden.write_properties(directory / "config.properties", {"name": "r", "snapshot.mode": "initial", **conf})
        dump.offset, dump.out, dump.log = (directory / n for n in ("offset.json", "out.json", "log"))
        dump.start()
        if fails:
            return dump.fails()
        dump.wait(bool, "a record")
        dump.kill()
        return dump.text()

    def state(self):
        """What validation could change."""
        return self.sql("select string_agg(x, ' ') from (select 'p ' || pubname || puballtables from pg_publication union all"
                        " select 's ' || slot_name from pg_replication_slots union all select 't ' || relname || relreplident::text"
                        " from pg_class where relnamespace = 's'::regnamespace union all select 'n ' || count(*) from s.a"
                        " order by 1) as q(x)")


@seconds(120)
def test_connecting(t):
    p = Place(t)
    before = p.state()
    equal(p.found(), {}, "findings of a config that is right")
    hostname = "database.hostname"
    p.finds(hostname, "could not translate host name", "no-such-host.invalid", starts=False, database__hostname="no-such-host.invalid")
    port = str(free_port())
    p.finds(hostname, "refused", port, starts=False, database__port=port)
    user = role(t, "replication")
    p.finds(hostname, "password authentication failed", user, database__user=user, database__password="wrong-" + PASSWORD)
    p.finds(hostname, "no_such_role", database__user="no_such_role")
    p.finds(hostname, "no_such_database", "check database.dbname", database__dbname="no_such_database")
    # Nobody runs these: see state().
    equal(p.found(database__initial__statements="insert into s.a values (7, 'x'); create table s.c ()"), {}, "findings")
    missing = str(t.directory / "none")
    for key in ("database.sslrootcert", "database.sslcert", "database.sslkey"):
        p.finds(key, missing, "No such file", starts=False,
                **{key.replace(".", "__"): missing, "database__sslmode": "prefer"})
    p.finds("stream.spill.directory", missing, "create the directory", stream__in__progress="on", stream__spill__directory=missing)
    equal(p.found(stream__spill__directory=missing), {}, "findings, when nothing is spilled")
    equal(p.state(), before, "the server")


@seconds(120)
def test_privileges(t):
    """Each finding's SQL repairs it, and then there is the next one."""
    p = Place(t)
    user = role(t, "")
    t.cleanup(p.sql, f"drop owned by {user} cascade")
    me = {"database__user": user, "database__password": PASSWORD}
    state, repaired = p.state(), []
    p.sql(f"grant create on database {p.db} to {user}; grant usage on schema s to {user}; grant select on all tables in schema s to {user};"
          f"alter table s.a owner to {user}; alter table s.b owner to {user}")
    repaired += p.finds("database.user", f'role "{user}" may not replicate', starts=False, **me)
    p.sql(repaired[-1])
    equal(p.found(**me), {}, "findings")
    p.sql(f"revoke create on database {p.db} from {user}")
    repaired += p.finds("publication.autocreate.mode", "may not create it", **me)
    p.sql(repaired[-1])
    p.sql(f"alter table s.b owner to postgres; grant select on s.b to {user}")
    p.finds("publication.autocreate.mode", "does not own s.b", f'ALTER TABLE <table> OWNER TO "{user}";', "disabled", **me)
    p.sql(f'alter table s.b owner to "{user}"')
    p.sql(f"revoke select on s.b from {user}; alter schema s owner to postgres; revoke usage on schema s from {user}")
    repaired += p.finds("database.user", "may not read s.a", 'GRANT USAGE ON SCHEMA "s"', **me)
    p.sql(repaired[-1])
    repaired += p.finds("database.user", "may not read s.b", 'GRANT SELECT ON "s"."b"', **me)
    p.sql(repaired[-1])
    equal(p.found(**me), {}, "findings")
    repaired += p.finds("publication.autocreate.mode", "only a superuser", "CREATE PUBLICATION " + p.db + " FOR ALL TABLES;",
                        publication__autocreate__mode="all_tables", **me)
    # A publication of somebody else that would have to change.
    p.sql(f"create publication {p.db} for table s.a")
    repaired += p.finds("publication.autocreate.mode", "does not own it", **me)
    p.sql(repaired[-1])
    equal(p.found(**me), {}, "findings")
    p.sql(f"drop publication {p.db}")
    equal(p.state(), state, "the server")


@seconds(120)
def test_slot(t):
    p = Place(t)
    p.sql(f"select pg_create_physical_replication_slot('{p.db}')")
    t.cleanup(p.sql, f"select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{p.db}'")
    drop = p.finds("slot.name", "belongs to plugin ''", "choose another slot.name")
    p.sql(drop[0])
    equal(p.found(), {}, "findings")
    # Of another database.
    t.postgres.sql(f"select pg_create_logical_replication_slot('{p.db}', 'pgoutput')", "postgres", "postgres")
    drop = p.finds("slot.name", "database 'postgres'", f"not to pgoutput and '{p.db}'")
    t.postgres.sql(drop[0], "postgres", "postgres")
    # In use by something else. A connector's own slot is no finding: it may be that of its running task.
    p.sql(f"create publication {p.db} for table s.a, s.b; select pg_create_logical_replication_slot('{p.db}', 'pgoutput')")
    argv, env = t.postgres.command("pg_recvlogical", "--slot", p.db, "--start", "-f", "/dev/null", "-o", "proto_version=1", "-o",
                                   f"publication_names={p.db}", database=p.db, user="postgres")
    other = subprocess.Popen(argv, env=env, stderr=subprocess.DEVNULL)
    t.cleanup(other.wait)
    t.cleanup(other.kill)
    active = f"select active_pid from pg_replication_slots where slot_name = '{p.db}' and active"
    pid = wait_for("the slot to be in use", lambda: p.sql(active))
    p.finds("slot.name", "in use by 'pg_recvlogical'", f"pg_terminate_backend({pid});", starts=False)
    other.kill()
    other.wait()
    wait_for("the slot to be free", lambda: not p.sql(active))
    p.worker.rest.create("x", p.config())
    wait_for("the slot to be in use", lambda: p.sql(active))
    equal(p.found(), {}, "findings while the connector runs")
    p.worker.rest.delete("x")
    wait_for("the slot to be free", lambda: not p.sql(active))
    p.sql(f"select pg_drop_replication_slot('{p.db}')")
    # No more to be had.
    most = int(p.sql("show max_replication_slots"))
    t.cleanup(p.sql, "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name like 'filler_%'")
    p.sql(f"select pg_create_physical_replication_slot('filler_' || g) from generate_series(1, {most} - (select count(*) from pg_replication_slots)) g")
    p.finds("slot.name", "max_replication_slots", "pg_drop_replication_slot('<name>');")


@seconds(120)
def test_publication(t):
    p = Place(t)
    disabled = {"publication__autocreate__mode": "disabled"}
    (create,) = p.finds("publication.name", "Publication autocreation is disabled, please create one and restart the connector.", **disabled)
    p.sql("create table s.c (id int primary key)")
    p.sql(create.replace("<tables>", "s.c"))
    (add,) = p.finds("publication.name", "leaves out s.a, s.b", **disabled)
    p.sql(add.replace(', "s"."b"', ""))
    # One of them comes: the connector starts, and tells of the other.
    (add,) = p.finds("publication.name", "leaves out s.b,", starts="told", **disabled)
    equal(p.found(table__include__list=None, schema__include__list="s", **disabled), {}, "tables that nobody has listed")
    p.sql(add)
    equal(p.found(**disabled), {}, "findings")
    p.sql(f"drop publication {p.db}; create publication {p.db} for all tables")
    (drop,) = p.finds("publication.autocreate.mode", "is FOR ALL TABLES, but publication.autocreate.mode is filtered")
    p.sql(drop)
    equal(p.found(), {}, "findings")
    p.finds("table.include.list", "no table passes the filters", table__include__list="s.none")


@seconds(120)
def test_tables(t):
    p = Place(t)
    signals = {"signal__data__collection": "s.signals"}
    (create,) = p.finds("signal.data.collection", "the signal table s.signals is missing", **signals)
    p.sql("create table s.signals (id int, type text, data text)")
    p.finds("signal.data.collection", "must begin with three columns of text", create, **signals)
    p.sql("drop table s.signals")
    p.sql(create)
    equal(p.found(**signals), {}, "findings")
    p.sql(f"create publication {p.db} for table s.a, s.b")
    disabled = {"publication__autocreate__mode": "disabled", **signals}
    (add,) = p.finds("signal.data.collection", "no signal will be seen", starts="told", **disabled)
    p.sql(add)
    equal(p.found(**disabled), {}, "findings")
    # Nothing to tell rows by: the server refuses updates as soon as the table is published.
    p.sql("alter table s.b drop constraint b_pkey; create table s.c (id int); alter table s.c replica identity full")
    key = "replica.identity.autoset.values"
    p.finds(key, "s.b: without a primary key or replica identity", "ALTER TABLE <table> REPLICA IDENTITY FULL;", starts="told")
    equal(p.found(replica__identity__autoset__values=r"s\.b:FULL"), {}, "findings")
    p.sql("alter table s.b replica identity full")
    equal(p.found(), {}, "findings")
    p.finds("guardrail.collections.max", "Guardrail limit exceeded: 2 tables/collections configured for capture, but maximum allowed is 1.",
            guardrail__collections__max="1", guardrail__collections__limit__action="fail")
    p.finds("guardrail.collections.max", "Guardrail limit exceeded", starts="told", guardrail__collections__max="1")
    equal(p.found(guardrail__collections__max="2", guardrail__collections__limit__action="fail"), {}, "findings")


@seconds(120)
def test_advice_stops_nobody(t):
    """What only validate tells: the connector is taken, and its log has it."""
    p = Place(t)
    p.sql("alter table s.b drop constraint b_pkey")
    equal(list(p.found()), ["replica.identity.autoset.values"], "keys")
    p.worker.rest.create("x", p.config())
    wait_for("the rows", lambda: t.kafka.read(f"{p.prefix}.s.a"))
    wait_for("the advice", lambda: "s.b: without a primary key or replica identity" in p.worker.log_text())
    equal(p.worker.stop(), 0, "exit code")


@seconds(120)
def test_invalidated_slot(t):
    """Postgres 17 says why: found, unless the mode takes a new snapshot then."""
    server = PostgresVersion(t.directory / "services", 17)
    server.start(POSTGRES_EXTRA="max_slot_wal_keep_size = 1MB\nmin_wal_size = 32MB\nmax_wal_size = 32MB")
    t.cleanup(server.stop)
    t._postgres = server
    p = Place(t)
    p.sql(f"select pg_create_logical_replication_slot('{p.db}', 'pgoutput')")
    for _ in range(4):
        p.sql("select pg_logical_emit_message(false, 'x', repeat('x', 1000)); select pg_switch_wal(); checkpoint")
    equal(p.sql(f"select invalidation_reason from pg_replication_slots where slot_name = '{p.db}'"), "wal_removed", "reason")
    (drop,) = p.finds("slot.name", "was invalidated: the server removed WAL that it still needed (max_slot_wal_keep_size)")
    equal(p.found(snapshot__mode="when_needed"), {}, "findings of a mode that replaces it")
    p.sql(drop)
    equal(p.found(), {}, "findings")
