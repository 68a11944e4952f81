"""postgres-cdc and single faults at places of the test's choice (test_cdc_faults.py has them at random): the
worker is killed amid a snapshot, a long transaction, an incremental snapshot, a schema change, and what is
sent before its commit or prepared; backends of a snapshot are terminated; Kafka does not answer, or
refuses; somebody drops the slot. Connections to Postgres are slow where something has to be under way."""
import json
import os
import random
import signal
import time

from harness import equal, seconds, wait_for
from test_cdc_faults import ROWS, TABLES, Faults
from test_cdc_in_progress import Session

SLOW = 60_000        # bytes/s
SLOW_ANSWERS = 1000  # of which one to a request of 300 records has about 100
ROUNDS = 5           # tries to be amid something


class Break(Faults):
    rate = SLOW

    def __init__(self, t, **how):
        super().__init__(t, random.Random(7), **how)
        self.rest = self.worker.rest

    def count(self, n):
        return self.t.kafka.count(self.topics[n])

    def amid(self, what, n, begin, least, most, fault):
        """fault() while what begin() makes is on its way to topic n: more than least records of at least most. Without
        begin, it is what began with the worker."""
        for i in range(ROUNDS):
            self.proxy.rate, before = SLOW, self.count(n) if begin else 0
            if begin:
                begin()
            wait_for(f"{what} to be under way", lambda: self.count(n) > before + least, 60, every=0.02)
            fault()
            came = self.count(n) - before
            self.proxy.rate = None
            if came < most:
                return
            assert begin, f"{what} was over when the fault came: {came} records of {most}"
            self.settle()
        raise AssertionError(f"{what} was never under way when the fault came")

    def streams(self):
        wait_for("the stream", lambda: self.sql(
            f"select 1 from pg_stat_replication s join pg_replication_slots r on r.active_pid = s.pid"
            f" where r.slot_name = '{self.db}' and s.state = 'streaming'") == "1", 60)

    def slot_is_free(self):
        """The server has noticed the worker's end: who streams from here on is its successor."""
        wait_for("the slot to be free", lambda: self.sql(
            f"select not active from pg_replication_slots where slot_name = '{self.db}'") == "t", 60)

    def done(self):
        self.settle()
        again = self.check_order()
        assert not (self.exactly_once and again), f"changes came more than once: {again}"
        self.end()


def kill_amid_each(t, **how):
    f = Break(t, inflight__max__records="300", **how)
    f.amid("the snapshot", 0, None, 300, ROWS, f.kill)
    f.settle()
    f.streams()
    f.amid("a long transaction", 1, lambda: f.sql("update k1 set v = nextval('version')"), 600, ROWS, f.kill)
    f.settle()
    signal = json.dumps({"data-collections": ["public.k0"], "type": "incremental"})
    f.amid("an incremental snapshot", 0, lambda: f.sql(
        f"insert into signals values (gen_random_uuid(), 'execute-snapshot', '{signal}')"), 600, ROWS, f.kill)
    f.settle()

    def change():
        f.extra = getattr(f, "extra", 0) + 1
        f.sql(f"begin; update k2 set v = nextval('version'); alter table k2 add column c{f.extra} int default 5;"
              f" update k2 set v = nextval('version'); commit; alter table k2 drop column w{f.extra if f.extra > 1 else ''},"
              f" add column w{f.extra + 1} text default 'w'; update k2 set v = nextval('version')")

    f.amid("a schema change", 2, change, 600, 3 * ROWS, f.kill)
    f.done()


@seconds(300)
def test_kill_amid_each(t):
    kill_amid_each(t)


@seconds(300)
def test_kill_amid_each_exactly_once(t):
    kill_amid_each(t, exactly_once=True)


def others_are_there(f):
    """All tables but that of what is prepared are in the topics."""
    return not [found for found in f.different(f.tables()) if found[0] != f.topics[TABLES]]


def kill_amid_a_prepared_one(t, exactly_once):
    """It is sent before it is prepared, prepared before a kill, and committed after it."""
    f = Break(t, exactly_once=exactly_once, two_phase=True, stream__in__progress="on", inflight__max__records="300")
    f.proxy.rate = None
    f.settle()
    f.streams()
    session = Session(t, f.db)
    session.run(f"begin; insert into k3 select i, 0, repeat('x', 90) from generate_series(1, {ROWS}) i;")
    wait_for("the server to send it", lambda: f.sql(
        f"select stream_txns > 0 from pg_stat_replication_slots where slot_name = '{f.db}'") == "t", 60)
    f.kill()
    session.run(f"update k3 set v = 1 where id % 2 = 0; savepoint s; delete from k3; rollback to s; prepare transaction '{f.db}';")
    f.sql("update k0 set v = nextval('version') where id < 100")
    wait_for("what was committed", lambda: others_are_there(f), 90)
    f.kill()
    f.sql("update k0 set v = nextval('version') where id < 100")
    wait_for("the next worker to stream", lambda: others_are_there(f), 90)

    def kill():
        f.kafka.rate = None
        f.kill()

    # The worker has it already: a slow server would not hold it up, but slow answers of Kafka do.
    f.kafka.rate = SLOW_ANSWERS
    f.amid("a prepared transaction", TABLES, lambda: f.sql(f"commit prepared '{f.db}'"), 600, ROWS, kill)
    f.done()


@seconds(200)
def test_kill_amid_a_prepared_one(t):
    kill_amid_a_prepared_one(t, False)


@seconds(200)
def test_kill_amid_a_prepared_one_exactly_once(t):
    kill_amid_a_prepared_one(t, True)


@seconds(200)
def test_backends_of_a_snapshot_are_terminated(t):
    """The readers, the connection that holds their snapshot, and the one that streams afterwards."""
    f = Break(t, snapshot__max__threads="3", snapshot__max__threads__multiplier="4")
    f.amid("the snapshot", 0, None, 300, ROWS, f.terminate)
    f.settle()
    f.streams()
    f.amid("a long transaction", 1, lambda: f.sql("update k1 set v = nextval('version')"), 600, ROWS, f.terminate)
    f.done()


def in_flight(f):
    status, text = f.rest.call("GET", "/metrics")
    assert status == 200, status
    return sum(float(x.split()[-1]) for x in text.splitlines() if "source_record_active_count{" in x)


def full_window(f):
    """How many records are in flight when no more fit."""
    return wait_for("a full window", lambda: (n := in_flight(f)) >= 300 and n, 60)


@seconds(200)
def test_server_hears_of_us_while_kafka_does_not_answer(t):
    """Nothing is taken from the server while the window is full; it must not think that we are gone."""
    f = Break(t, inflight__max__records="300", status__update__interval__ms="10000")
    f.proxy.rate = None
    f.settle()
    f.worker.stop()
    f.slot_is_free()
    f.sql(f"alter database {f.db} set wal_sender_timeout = '5s'")
    f.worker.start(wait=False)
    f.streams()
    sender = f"select pid from pg_stat_replication where application_name = 'Debezium Streaming' and pid = " \
             f"(select active_pid from pg_replication_slots where slot_name = '{f.db}')"
    pid = f.sql(sender)
    f.kafka.stall(3600)
    f.sql("update k0 set v = nextval('version'); update k1 set v = nextval('version'), w = repeat('y', 3000)")
    held = full_window(f)
    since = f.sql("select clock_timestamp()")
    wait_for("the server to hear of us, two timeouts later", lambda: f.sql(
        f"select reply_time > '{since}'::timestamptz + interval '10 s' from pg_stat_replication where pid = {pid}") == "t", 60)
    equal((f.sql(sender), in_flight(f)), (pid, held), "the same connection, and the window")
    f.broker_faults += 1
    f.kafka.stall(0)
    f.done()
    assert "terminating walsender process due to replication timeout" not in server_log(t, f.db)


@seconds(200)
def test_server_can_stop_while_kafka_does_not_answer(t):
    """It waits for whoever it streams to, and we can confirm nothing: so the stream ends."""
    f = Break(t, inflight__max__records="300")
    f.proxy.rate = None
    f.settle()
    f.streams()
    f.broker_faults += 1
    f.kafka.stall(3600)
    f.sql("update k0 set id = -id")  # three records each, of which one or two have to wait for room
    full_window(f)
    pid = t.postgres.pid
    os.kill(pid, signal.SIGINT)
    wait_for("postgres to be gone", lambda: not os.path.exists(f"/proc/{pid}"), 60)
    f.kafka.stall(0)
    t.postgres.start()
    f.done()


@seconds(200)
def test_broker_refuses_one_request_and_takes_the_next(t):
    """librdkafka has the next one ready by then, so that it comes first; what is older must not stay last. A key
    moves away with the first of them, and comes back with the second."""
    f = Break(t)
    f.proxy.rate = None
    f.settle()
    f.streams()
    f.broker_faults = 1
    f.kafka.keep_one()
    f.sql("update k0 set id = -11, v = nextval('version') where id = 11")
    wait_for("a request", lambda: f.kafka.kept)
    f.sql("update k0 set id = 11, v = nextval('version') where id = -11")
    wait_for("the records of both", lambda: in_flight(f) >= 6)
    time.sleep(0.5)  # it is made within some milliseconds; if it were not, they would come in order
    f.kafka.refuse_kept()
    f.done()


def server_log(t, db):
    with open(t.postgres["POSTGRES_LOG"], encoding="utf-8", errors="replace") as log:
        return "".join(line for line in log if f"@{db}" in line)


@seconds(200)
def test_kafka_refuses_to_write(t):
    """As when its disk is full: it waits, over a kill too, and goes on."""
    f = Break(t)
    f.proxy.rate = None
    f.settle()
    f.streams()
    before = [f.count(n) for n in range(TABLES)]
    f.kafka.refuse(True)
    f.sql("".join(f"update k{n} set v = nextval('version') where id <= 1000;" for n in range(TABLES)))
    wait_for("records that wait", lambda: in_flight(f) >= 1000 and f.kafka.refused > 1, 60)
    f.kill()
    told = f.kafka.refused
    wait_for("records that wait, again", lambda: in_flight(f) >= 1000 and f.kafka.refused > told + 1, 60)
    equal(f.rest.states("cdc"), ["RUNNING", "RUNNING"], "states")
    equal([f.count(n) for n in range(TABLES)], before, "records in Kafka")
    f.kafka.refuse(False)
    f.done()


@seconds(120)
def test_slot_that_somebody_drops(t):
    f = Break(t)
    f.proxy.rate = None
    f.settle()
    f.streams()
    f.sql("update k0 set v = nextval('version') where id < 10")
    f.settle()
    where = f"from pg_replication_slots where slot_name = '{f.db}'"

    def drop():  # the connector is quick to come back
        f.sql(f"select pg_terminate_backend(active_pid) {where} and active")
        f.sql(f"select pg_drop_replication_slot('{f.db}')")
        return True

    wait_for("the slot to be dropped", drop, 60, every=0)
    f.sql("update k0 set v = nextval('version') where id < 10")
    trace = f.rest.wait_failed("cdc", 60)
    for piece in (f'replication slot "{f.db}" is missing', "no longer available on the server", "snapshot.mode=when_needed"):
        assert piece in trace, trace
    equal(f.sql(f"select count(*) {where}"), "0", "slots that were made instead")
