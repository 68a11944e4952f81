"""postgres-cdc over a failover of Postgres 17: the primary is killed, its standby promoted, the way to the
server moved there; the failover slot that the standby kept in step is carried on. Nothing is lost, and
nothing was told that the new primary has not."""
import os
import pathlib
import random
import shutil

from harness import PostgresVersion, becomes, equal, seconds, wait_for
from test_cdc_faults import Faults, Writer

VERSION = 17
STANDBY = """
primary_conninfo = 'host=127.0.0.1 port={port} user=postgres password=postgres dbname=postgres application_name=standby'
primary_slot_name = 'standby'
sync_replication_slots = on
hot_standby_feedback = on
"""
# Receivers of the failover slot get nothing that the standby has not.
PRIMARY = "synchronized_standby_slots = 'standby'"


def standby_of(t, primary):
    """A server with a copy of the primary's data, which follows it."""
    server = PostgresVersion(t.directory / "standby", VERSION)
    data = pathlib.Path(os.path.realpath(primary.directory / "postgres/data"))
    copy, state = data.with_name(data.name + ".standby"), server.directory / "postgres"
    primary.stop()
    shutil.copytree(data, copy, symlinks=True)
    t.cleanup(shutil.rmtree, copy, True)
    for path in (copy, *copy.rglob("*")):
        shutil.chown(path, data.stat().st_uid, data.stat().st_gid)
    copy.chmod(0o700)
    (copy / "standby.signal").touch()
    primary.start(POSTGRES_EXTRA=PRIMARY)
    state.mkdir(parents=True)
    state.chmod(0o711)
    (state / "data").symlink_to(copy)
    (state / "postgresql.conf.orig").write_text((primary.directory / "postgres/postgresql.conf.orig").read_text())
    server.start(POSTGRES_EXTRA=STANDBY.format(port=primary["POSTGRES_PORT"]))
    t.cleanup(server.stop)
    return server


@seconds(300)
def test_standby_takes_over(t):
    primary = PostgresVersion(t.directory / "services", VERSION)
    primary.start()
    t.cleanup(primary.stop)
    primary.sql("select pg_create_physical_replication_slot('standby', true)", "postgres", "postgres")
    standby = standby_of(t, primary)
    t._postgres = primary
    f = Faults(t, random.Random(5), slot__failover="true")
    f.proxy.rate = None
    writer = Writer(t, f.db, random.Random(6))
    t.cleanup(setattr, writer, "going", False)
    wait_for("transactions", lambda: writer.done > 20, 60)

    def kept_in_step():  # it takes a look at what runs on the primary, which that writes rarely by itself
        f.sql("select pg_log_standby_snapshot()")
        return standby.sql(f"select synced and not temporary from pg_replication_slots where slot_name = '{f.db}'",
                           "postgres", "postgres") == "t"

    wait_for("the slot on the standby", kept_in_step, 120)
    before = writer.done
    wait_for("more transactions", lambda: writer.done > before + 20, 60)

    primary.kill9()
    connections = f.proxy.connections
    f.proxy.move(int(standby["POSTGRES_PORT"]))  # too early: it is a standby still
    primary.env = standby.env  # whoever asks for the server gets the new one
    wait_for("the task to be refused", lambda: f.proxy.connections > connections + 2 and "standby" in f.worker.rest.trace("cdc"), 60)
    equal(f.worker.rest.states("cdc"), ["RUNNING", "RUNNING"], "states meanwhile")
    standby.sql("select pg_promote()", "postgres", "postgres")
    before = writer.done
    wait_for("transactions on the new primary", lambda: writer.done > before + 20, 60)
    f.kill()
    writer.stop()
    f.settle()
    f.check_order()
    becomes(lambda: standby.sql(f"select failover, active from pg_replication_slots where slot_name = '{f.db}'", "postgres", "postgres"),
            "t|t", "the slot: failover, active")
    f.end()
