"""Debezium's transforms behind postgres-cdc: an outbox table through a real Postgres and broker, with
the config that Debezium's users have."""
import json

from harness import equal, wait_for

DEBEZIUM = "io.debezium.transforms."
JSON = "org.apache.kafka.connect.json.JsonConverter"
STRING = "org.apache.kafka.connect.storage.StringConverter"


def keys(prefix, **more):
    return {f"{prefix}.{k.replace('__', '.')}": v for k, v in more.items()}


def cdc(t, db, prefix, table, **more):
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "database.hostname": "127.0.0.1", "database.port": t.postgres["POSTGRES_PORT"],
        "database.user": "sluice", "database.password": "sluice", "database.dbname": db,
        "topic.prefix": prefix, "plugin.name": "pgoutput", "slot.name": db,
        "publication.name": db, "publication.autocreate.mode": "filtered",
        "table.include.list": f"public.{table}", "snapshot.mode": "no_data", **more}


def wait_for_slot(t, db):
    wait_for("the slot", lambda: t.postgres.rows(
        f"select 1 as one from pg_replication_slots where slot_name = '{db}' and active"))


def outbox(t, db, prefix, **more):
    t.postgres.sql("""create table outboxevent (id uuid primary key, aggregatetype varchar(255) not null,
        aggregateid varchar(255) not null, type varchar(255) not null, payload jsonb,
        at timestamp not null default '2024-02-03 04:05:06.789')""", database=db)
    return cdc(t, db, prefix, "outboxevent", transforms="outbox",
               **{"transforms.outbox.type": f"{DEBEZIUM}outbox.EventRouter", **more})


def insert(t, db, number, kind, key, payload):
    t.postgres.sql(f"""insert into outboxevent values ('{number:08d}-0000-0000-0000-000000000000',
        '{kind}', '{key}', 'Created', {payload})""", database=db)


def test_outbox_rows_become_events(t):
    """Case 63: topic outbox.event.<aggregatetype>, the key, the header id; deletes leave nothing."""
    db, prefix = t.database(), t.unique("srv")
    orders, users = t.unique("orders"), t.unique("users")
    topics = [f"outbox.event.{orders}", f"outbox.event.{users}"]
    t.cleanup(t.kafka.wire.delete_topics, topics)
    config = outbox(t, db, prefix, **{
        "key.converter": STRING, "value.converter": STRING, "header.converter": STRING,
        "transforms.outbox.table.fields.additional.placement": "type:header:eventType",
        "transforms.outbox.table.field.event.timestamp": "at"})
    worker = t.sluice(connectors={"outbox": config})
    wait_for_slot(t, db)
    for i in range(10):
        insert(t, db, i, orders if i % 2 else users, f"k{i}", f"""'{{"n": {i}}}'""")
    t.postgres.sql("update outboxevent set type = 'Changed' where aggregateid = 'k3'", database=db)
    t.postgres.sql("delete from outboxevent", database=db)
    insert(t, db, 99, orders, "last", "'{}'")
    t.kafka.wait_count(topics[0], 6)
    equal(worker.stop(), 0, "exit code")
    for topic, numbers in zip(topics, ([1, 3, 5, 7, 9, 99], [0, 2, 4, 6, 8])):
        records = t.kafka.read(topic)
        equal([r.key for r in records], ["last" if n == 99 else f"k{n}" for n in numbers], "keys")
        equal([json.loads(r.value) for r in records],
              [{} if n == 99 else {"n": n} for n in numbers], "payloads")
        for n, record in zip(numbers, records):
            headers = dict(record.headers)
            equal(headers["id"], f"{n:08d}-0000-0000-0000-000000000000", "the id")
            equal(headers["eventType"], "Created", "the type")
            equal(record.timestamp, 1706933106789, "the timestamp")
    equal([name for name in t.kafka.topics() if name.startswith(prefix)], [], "other topics")
    assert "Unexpected update message" in worker.log.read_text(), "no word of the update"


def test_payloads_are_expanded_beside_what_else_is_placed(t):
    db, prefix, kind = t.database(), t.unique("srv"), t.unique("orders")
    topic = f"{kind}-events"
    t.cleanup(t.kafka.wire.delete_topics, [topic])
    t.kafka.create(topic, 3)
    worker = t.sluice(connectors={"outbox": outbox(t, db, prefix, **{
        "key.converter": STRING, "value.converter": JSON,
        "transforms.outbox.route.topic.regex": "(.*)",
        "transforms.outbox.route.topic.replacement": "$1-events",
        "transforms.outbox.route.tombstone.on.empty.payload": "true",
        "transforms.outbox.table.expand.json.payload": "true",
        "transforms.outbox.table.fields.additional.placement": "type:envelope:eventType"})})
    wait_for_slot(t, db)
    insert(t, db, 1, kind, "a", """'{"total": 1.5, "lines": [{"sku": "x", "n": 2}], "none": null}'""")
    insert(t, db, 2, kind, "b", "null")
    t.kafka.wait_count(topic, 2)
    equal(worker.stop(), 0, "exit code")
    records = {r.key: r.value for r in t.kafka.read(topic)}
    equal(records["b"], None, "the tombstone")
    value = json.loads(records["a"])
    equal(value["payload"], {"payload": {"total": 1.5, "lines": [{"sku": "x", "n": 2}]},
                             "eventType": "Created"}, "value")
    equal(value["schema"]["name"], f"{prefix}.public.outboxevent.{kind}.Value", "schema")


def test_logical_messages_become_outbox_events(t):
    """No outbox table: what pg_logical_emit_message() writes is decoded, then routed. Changes of tables and
    their tombstones pass."""
    db, prefix, kind = t.database(), t.unique("srv"), t.unique("orders")
    events, rows = f"outbox.event.{kind}", f"{prefix}.public.orders"
    t.cleanup(t.kafka.wire.delete_topics, [events, rows])
    t.postgres.sql("create table orders (id int primary key)", database=db)
    worker = t.sluice(connectors={"orders": cdc(
        t, db, prefix, "orders", transforms="decode,outbox", predicates="messages",
        **{"key.converter": JSON, "value.converter": JSON, "key.converter.schemas.enable": "false",
           "value.converter.schemas.enable": "false", "header.converter": STRING,
           "message.prefix.include.list": "outbox"},
        **keys("transforms.decode", fields__null__include="true", type="io.debezium.connector.postgresql."
               "transforms.DecodeLogicalDecodingMessageContent"),
        **keys("transforms.outbox", type=f"{DEBEZIUM}outbox.EventRouter", predicate="messages"),
        **keys("predicates.messages", pattern=r".*\.message",
               type="org.apache.kafka.connect.transforms.predicates.TopicNameMatches"))})
    wait_for_slot(t, db)
    event = json.dumps({"id": "e1", "aggregatetype": kind, "aggregateid": "k1", "type": "Created",
                        "payload": {"total": 1.5, "lines": [{"sku": "ü", "n": 2}], "none": None}})
    t.postgres.sql(f"begin; insert into orders values (1); select pg_logical_emit_message(true, 'outbox', '{event}');"
                   "delete from orders; select pg_logical_emit_message(true, 'other', 'no JSON'); commit", database=db)
    t.kafka.wait_count(events, 1)
    t.kafka.wait_count(rows, 3)
    equal(worker.stop(), 0, "exit code")
    (record,) = t.kafka.read(events)
    equal(json.loads(record.key), "k1", "the key")
    equal(json.loads(record.value), {"total": 1.5, "lines": [{"sku": "ü", "n": 2}], "none": None}, "the payload")
    equal(dict(record.headers)["id"], "e1", "the id")
    equal([r.value and json.loads(r.value)["op"] for r in t.kafka.read(rows)], ["c", "d", None], "the table's changes")
    equal([name for name in t.kafka.topics() if name.endswith(".message") and prefix in name], [], "topics of messages")


def test_a_chain_of_debezium_transforms(t):
    """Filter, router, header and partition by expressions over change events."""
    db, prefix = t.database(), t.unique("srv")
    urgent, normal = t.unique("urgent"), f"{prefix}.public.orders"
    t.cleanup(t.kafka.wire.delete_topics, [urgent, normal])
    for topic in urgent, normal:
        t.kafka.create(topic, 4)
    t.postgres.sql("create table orders (id int primary key, n int, note text);"
                   "alter table orders replica identity full", database=db)
    worker = t.sluice(connectors={"orders": cdc(
        t, db, prefix, "orders", transforms="changed,part,keep,route",
        **{"key.converter": JSON, "value.converter": JSON, "key.converter.schemas.enable": "false",
           "value.converter.schemas.enable": "false", "header.converter": JSON,
           "header.converter.schemas.enable": "false", "tombstones.on.delete": "false"},
        **keys("transforms.changed", type=f"{DEBEZIUM}ExtractChangedRecordState",
               header__changed__name="changed"),
        **keys("transforms.part", type=f"{DEBEZIUM}partitions.PartitionRouting",
               partition__payload__fields="change.n", partition__topic__num="4"),
        **keys("transforms.keep", type=f"{DEBEZIUM}Filter", language="jsr223.groovy",
               condition="value.op == 'd' || value.after.n >= 10 && value.after.note !in ['no']"),
        **keys("transforms.route", type=f"{DEBEZIUM}ContentBasedRouter", language="jsr223.groovy",
               topic__expression=f"value.after?.note =~ /^!/ ? '{urgent}' : null"))})
    wait_for_slot(t, db)
    t.postgres.sql("insert into orders values (1, 5, 'small'), (2, 10, 'big'), (3, 11, '!now'), "
                   "(4, 12, 'no'); update orders set note = '!soon', n = 13 where id = 2; "
                   "delete from orders where id = 3", database=db)
    t.kafka.wait_count(normal, 2)
    t.kafka.wait_count(urgent, 2)
    equal(worker.stop(), 0, "exit code")

    def seen(topic):
        return sorted((json.loads(r.value)["op"], json.loads(r.key)["id"], r.partition,
                       json.loads(dict(r.headers)["changed"])) for r in t.kafka.read(topic))

    equal(seen(normal), [("c", 2, 10 % 4, []), ("d", 3, 11 % 4, [])], "usual orders")
    equal(seen(urgent), [("c", 3, 11 % 4, []), ("u", 2, 13 % 4, ["n", "note"])], "urgent orders")


def test_an_expression_that_cannot_be_read_is_refused_with_its_place(t):
    worker = t.sluice()
    config = {"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
              "name": "f", "file": "/nowhere", "topic": "t", "transforms": "f",
              **keys("transforms.f", type=f"{DEBEZIUM}Filter", language="jsr223.groovy",
                     condition="value.op = 'c'")}
    status, answer = worker.rest.call("PUT", "/connectors/f/config", config)
    equal(status, 400, "status")
    assert "at character 10, near" in json.dumps(answer), answer
