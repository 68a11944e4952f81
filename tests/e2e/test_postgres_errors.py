"""Postgres away, locked, without rights, or with tables that change under the stream."""
import json
import shutil

from harness import Postgres, equal, free_port, seconds, wait_for

PASSWORD = "geheim-4711"


def config(t, db, prefix, **more):
    return {"connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": "127.0.0.1", "database.port": t.postgres["POSTGRES_PORT"],
            "database.user": "sluice", "database.password": "sluice", "database.dbname": db,
            "topic.prefix": prefix, "plugin.name": "pgoutput", "slot.name": db,
            "publication.name": db, "publication.autocreate.mode": "filtered",
            "table.include.list": "public.items", "status.update.interval.ms": "500",
            "key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            **{k.replace("__", "."): v for k, v in more.items()}}


def database_with_items(t, rows=1):
    db = t.database()
    t.postgres.sql("create table items (id int primary key, v text);"
                   f"insert into items select g, 'v' || g from generate_series(1, {rows}) g", db)
    prefix = t.unique("pg")
    topic = f"{prefix}.public.items"
    t.cleanup(lambda: t.kafka.wire.delete_topics([topic]))
    t.kafka.create(topic)
    return db, prefix, topic


def role(t, options):
    """A login role of its own; dropped after its database."""
    name = t.unique("role")
    t.postgres.sql(f"create role {name} login password '{PASSWORD}' {options}", "postgres", "postgres")
    t.cleanup(t.postgres.sql, f"drop owned by {name}; drop role {name}", "postgres", "postgres")
    return name


def refused(t, conf):
    """Why the connector is not taken, or fails: both are clear errors, before anything was read."""
    worker = t.sluice()
    status, answer = worker.rest.call("PUT", "/connectors/x/config", conf)
    if status == 400:
        text = answer["message"]
    else:
        assert status == 201, (status, answer)
        text = worker.rest.wait_failed("x")
    log = worker.log_text()
    for secret in (PASSWORD, conf["database.password"]):
        if secret != "sluice":
            assert secret not in log and secret not in text and secret not in json.dumps(answer), secret
    equal(worker.stop(), 0, "exit code")
    return text


def says(text, *pieces):
    for piece in pieces:
        assert piece in text, f"{piece!r} does not stand in: {text}"


def rows_of(t, topic):
    return [r.json()["after"] for r in t.kafka.read(topic) if r.value is not None and r.json()["after"]]


def test_wrong_password(t):
    db, prefix, _ = database_with_items(t)
    user = role(t, "replication")
    text = refused(t, config(t, db, prefix, database__user=user, database__password="wrong-" + PASSWORD))
    says(text, user, "127.0.0.1", "password")


def test_wrong_database(t):
    db, prefix, _ = database_with_items(t)
    says(refused(t, config(t, "no_such_database", prefix)), "no_such_database")


def test_missing_replication(t):
    db, prefix, _ = database_with_items(t)
    user = role(t, "")
    t.postgres.sql(f"grant select on items to {user}", db, "postgres")
    t.cleanup(t.postgres.sql, f"drop owned by {user}", db, "postgres")
    says(refused(t, config(t, db, prefix, database__user=user, database__password=PASSWORD)),
         f'ALTER ROLE "{user}" REPLICATION')


def test_missing_table_privilege(t):
    db, prefix, _ = database_with_items(t)
    user = role(t, "replication")
    t.postgres.sql(f"create publication {db} for table items", db, "postgres")
    t.cleanup(t.postgres.sql, f"drop owned by {user}", db, "postgres")
    says(refused(t, config(t, db, prefix, database__user=user, database__password=PASSWORD)),
         "GRANT SELECT ON", "items", user)


def test_missing_publication_privilege(t):
    """Whoever does not own the table cannot make the publication."""
    db, prefix, _ = database_with_items(t)
    user = role(t, "replication")
    t.postgres.sql(f"grant select on items to {user}", db, "postgres")
    t.cleanup(t.postgres.sql, f"drop owned by {user}", db, "postgres")
    text = refused(t, config(t, db, prefix, database__user=user, database__password=PASSWORD))
    says(text, "publication")
    assert "GRANT" in text or "CREATE PUBLICATION" in text, text


def second_postgres(t, **how):
    """A server of its own, for what would break the tests beside this one."""
    server = Postgres(t.directory / "services")
    server.start(**how)
    data = (server.directory / "postgres/data").resolve()  # it may stand outside of the test's files
    t.cleanup(shutil.rmtree, data)
    t.cleanup(server.stop)
    return server


@seconds(180)
def test_unreachable_then_there(t):
    """Postgres goes while the connector runs: status, then all changes; nothing lost."""
    db, prefix, topic = database_with_items(t, 10)
    worker = t.sluice(connectors={"cdc": config(t, db, prefix)})
    t.kafka.wait_count(topic, 10)
    t.postgres.kill9()
    trace = wait_for("the trouble shows, with the server's port", lambda: (
        trace := worker.rest.trace("cdc")) and t.postgres["POSTGRES_PORT"] in trace and trace, 30)
    says(trace, "(since 20")
    equal(worker.rest.states("cdc"), ["RUNNING", "RUNNING"], "states")
    t.postgres.restart()
    t.postgres.sql("insert into items select g, 'w' from generate_series(11, 20) g", db)
    t.kafka.wait_count(topic, 20)
    wait_for("no trouble left", lambda: not worker.rest.trace("cdc"), 30)
    equal({r["id"] for r in rows_of(t, topic)}, set(range(1, 21)), "rows")
    equal(worker.stop(), 0, "exit code")


def test_nobody_listens(t):
    """Taken, tried again and again, and the status says so: the server may only be on its way up."""
    db, prefix, _ = database_with_items(t)
    port = str(free_port())
    worker = t.sluice()
    worker.rest.create("x", config(t, db, prefix, database__port=port))
    text = wait_for("the trouble in the status", lambda: (
        text := worker.rest.trace("x")) and "refused" in text and text)
    says(text, port, "next try in")
    equal(worker.rest.states("x"), ["RUNNING", "RUNNING"], "states")
    equal(worker.stop(), 0, "exit code")


def test_table_altered_while_streaming(t):
    db, prefix, topic = database_with_items(t)
    worker = t.sluice(connectors={"cdc": config(t, db, prefix)})
    t.kafka.wait_count(topic, 1)
    steps = ["insert into items values (2, 'two')",
             "alter table items add column n int not null default 7",
             "insert into items values (3, 'three', 33)",
             "alter table items rename column v to w",
             "update items set w = 'drei' where id = 3",
             "alter table items alter column n type bigint",
             "insert into items values (4, 'four', 5000000000)",
             "alter table items drop column w",
             "insert into items values (5, 55)",
             "alter table items alter column n type text using n::text",
             "insert into items values (6, 'sixty-six')",
             "begin; alter table items add column late int; insert into items values (7, 'x', 1);"
             " alter table items drop column late; insert into items values (8, 'y'); commit"]
    for step in steps:
        t.postgres.sql(step, db)
    t.kafka.wait_count(topic, 9)
    equal(rows_of(t, topic),
          [{"id": 1, "v": "v1"}, {"id": 2, "v": "two"}, {"id": 3, "v": "three", "n": 33},
           {"id": 3, "w": "drei", "n": 33}, {"id": 4, "w": "four", "n": 5000000000},
           {"id": 5, "n": 55}, {"id": 6, "n": "sixty-six"}, {"id": 7, "n": "x", "late": 1},
           {"id": 8, "n": "y"}], "rows")
    equal(worker.rest.states("cdc"), ["RUNNING", "RUNNING"], "states")
    equal(worker.stop(), 0, "exit code")


def test_table_altered_while_stopped(t):
    """What was written before the change comes with the schema it was written under."""
    db, prefix, topic = database_with_items(t)
    worker = t.sluice(connectors={"cdc": config(t, db, prefix)})
    t.kafka.wait_count(topic, 1)
    equal(worker.stop(), 0, "exit code")
    t.postgres.sql("insert into items values (2, 'two'); alter table items drop column v;"
                   "alter table items add column n numeric(10, 2); insert into items values (3, 1.5)", db)
    worker.start()
    t.kafka.wait_count(topic, 3)
    equal([sorted(r) for r in rows_of(t, topic)], [["id", "v"], ["id", "v"], ["id", "n"]], "columns")
    equal(worker.stop(), 0, "exit code")


def test_table_dropped_while_streaming(t):
    """Its last changes come, the others go on; made anew it is captured again when published."""
    db, prefix, topic = database_with_items(t)
    t.postgres.sql("create table others (id int primary key)", db)
    others = f"{prefix}.public.others"
    t.cleanup(lambda: t.kafka.wire.delete_topics([others]))
    t.kafka.create(others)
    worker = t.sluice(connectors={"cdc": config(t, db, prefix, table__include__list="public.items,public.others")})
    t.kafka.wait_count(topic, 1)
    wait_for("the slot", lambda: t.postgres.value(
        f"select active from pg_replication_slots where slot_name = '{db}'", database=db))
    t.postgres.sql("insert into items values (2, 'two'); drop table items; insert into others values (1)", db)
    t.kafka.wait_count(others, 1)
    t.kafka.wait_count(topic, 2)
    equal(worker.rest.states("cdc"), ["RUNNING", "RUNNING"], "states")
    equal(worker.stop(), 0, "exit code")
    worker.start()
    t.postgres.sql("insert into others values (2)", db)
    t.kafka.wait_count(others, 2)
    t.postgres.sql(f"create table items (id int primary key, z int); alter publication {db} add table items;"
                   "insert into items values (9, 99)", db)
    t.kafka.wait_count(topic, 3)
    equal(rows_of(t, topic)[-1], {"id": 9, "z": 99}, "the new table's row")
    equal(worker.stop(), 0, "exit code")


def test_slot_dropped_while_stopped(t):
    """Changes may be lost: it says so instead of going on."""
    db, prefix, topic = database_with_items(t)
    worker = t.sluice(connectors={"cdc": config(t, db, prefix)})
    t.kafka.wait_count(topic, 1)
    wait_for("the offset", lambda: b"lsn" in worker.offsets.read_bytes())
    equal(worker.stop(), 0, "exit code")
    t.postgres.sql(f"select pg_drop_replication_slot('{db}')", db, "postgres")
    t.postgres.sql("insert into items values (2, 'two')", db)
    worker.start(wait=False)
    said = wait_for("it is told", lambda: db in (text := worker.log_text().split("sluice stopped")[-1])
                    and "slot" in text and text, 30)
    assert "slot" in said


@seconds(90)
def test_publication_younger_than_changes(t):
    """Somebody made the slot first; what changed in between cannot be sent. What it says to do helps."""
    db, prefix, topic = database_with_items(t)
    t.postgres.sql(f"select pg_create_logical_replication_slot('{db}', 'pgoutput')", db, "postgres")
    t.postgres.sql("insert into items values (2, 'two')", db)
    worker = t.sluice(connectors={"cdc": config(t, db, prefix, snapshot__mode="when_needed")})
    says(worker.rest.wait_failed("cdc"), f'publication "{db}" does not exist', "made after changes",
         repair := f"SELECT pg_drop_replication_slot('{db}');", "delete the connector's offsets", "when_needed")
    t.postgres.sql(repair, db, "postgres")
    t.postgres.sql("insert into items values (3, 'three')", db)
    equal(worker.rest.call("POST", "/connectors/cdc/tasks/0/restart")[0], 204, "restart")
    wait_for("all rows", lambda: {row["id"] for row in rows_of(t, topic)} == {1, 2, 3})
    t.postgres.sql("insert into items values (4, 'four')", db)
    wait_for("the stream", lambda: 4 in {row["id"] for row in rows_of(t, topic)})
    equal(worker.stop(), 0, "exit code")


@seconds(180)
def test_wal_level(t):
    server = second_postgres(t)
    server.sql("alter system set wal_level = replica", "postgres", "postgres")
    server.stop()
    server.start()
    conf = config(t, "sluice", "p", database__port=server["POSTGRES_PORT"])
    says(refused(t, conf), "wal_level", "logical", "replica")
