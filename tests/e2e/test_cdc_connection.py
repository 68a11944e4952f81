"""What only the network shows of postgres-cdc's connections: confirmations that nobody takes, keepalive probes; and
values that no record can have."""
import os
import socket

from cdc_dump import Dump, content
from harness import equal, seconds
from tcp_proxy import Proxy

TOPIC = "srv.public.k"
TABLE = "create table k (id int primary key, v int); insert into k values (1, 0)"
TAKEN = "sending the confirmed position: the server has taken nothing for 100 ms (lsn.flush.timeout.ms)"


def configured(dump, **options):
    """The same connector with other options."""
    lines = [line for line in dump.config.read_text().splitlines() if line.split("=")[0] not in options]
    dump.config.write_text("\n".join([*lines, *(f"{k}={v}" for k, v in options.items())]) + "\n")
    return dump


def connections(pid, port):
    """[(bytes unsent or not acknowledged, timer, jiffies until it)] of a process's connections to a port; timers: 0
    none, 1 retransmission, 2 keepalive, 4 probes of a closed window."""
    links = (os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
    inodes = {link[len("socket:["):-1] for link in links if link.startswith("socket:[")}
    found = []
    with open(f"/proc/{pid}/net/tcp") as table:
        for line in table.readlines()[1:]:
            fields = line.split()
            if fields[9] in inodes and int(fields[2].split(":")[1], 16) == port and fields[3] == "01":
                timer, when = fields[5].split(":")
                found.append((int(fields[4].split(":")[0], 16), int(timer), int(when, 16)))
    return found


def narrow(t):
    """A proxy whose clients can send but little before it has to read: their segments and its window are small."""
    proxy = Proxy(int(t.postgres["POSTGRES_PORT"]))
    t.cleanup(proxy.stop)
    proxy.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    proxy.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 88)
    return proxy


def full(dump, port):
    """Until the kernel takes nothing more of what is to be confirmed: as much stands there six times."""
    seen = []

    def probe():
        seen.append(max((unsent for unsent, _, _ in connections(dump.process.pid, port)), default=0))
        return len(seen) >= 6 and len(set(seen[-6:])) == 1 and seen[-1] > 4096

    dump.until("a connection that takes nothing more", probe)


@seconds(240)
def test_confirmations_that_the_server_does_not_take(t):
    """lsn.flush.timeout.ms and lsn.flush.timeout.action: the connection is made anew, or it is said, or nothing is."""
    db, number = t.database(), 1
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql(TABLE)
    sql(f"alter database {db} set wal_sender_timeout = 0")  # nobody else shall give the connection up
    proxy = narrow(t)
    dump = Dump(t, db, **{"database.port": proxy.port, "database.sslmode": "disable", "database.tcpKeepAlive": "false",
                          "status.update.interval.ms": 1, "connection.validation.timeout.ms": 3600000,
                          "retriable.restart.connector.wait.ms": 50})
    for action, said in ("fail", 1), ("warn", 20), ("ignore", 0):
        configured(dump, **{"lsn.flush.timeout.ms": 100, "lsn.flush.timeout.action": action})
        before = dump.text().count(TAKEN)
        dump.start()
        dump.streams()
        made = proxy.connections
        proxy.stall(3600)
        if said:
            dump.logged(TAKEN, before + said)
        else:
            full(dump, proxy.port)
        proxy.stall(0)
        number += 1
        sql(f"insert into k values ({number}, 0)")
        dump.wait(lambda r: number in content(r, TOPIC), f"the stream, with {action}")
        if action == "fail":
            assert proxy.connections > made, f"no new connection: {proxy.connections}"
        else:
            equal(proxy.connections, made, f"connections, with {action}")
        equal(dump.text().count(TAKEN) > before, said > 0, f"whether it was said, with {action}")
        dump.stop_well()
        dump.slot_is_free()
    equal(sorted(content(dump.records(), TOPIC)), list(range(1, number + 1)), "rows")


@seconds(90)
def test_keepalive_probes(t):
    """database.tcpKeepAlive: all connections have them, the first after a minute, or none has."""
    db, port = t.database(), int(t.postgres["POSTGRES_PORT"])
    t.postgres.sql(TABLE, db, "postgres")
    dump = Dump(t, db, **{"status.update.interval.ms": 10000})
    for option, timers in (("true", {2}), ("false", {0})):
        configured(dump, **{"database.tcpKeepAlive": option}).start()
        dump.streams()
        seen = []

        def probe():  # others run while something was just sent
            seen[:] = connections(dump.process.pid, port)
            if {timer for _, timer, _ in seen} != timers:
                raise LookupError(f"timers of the connections: {seen}")
            return True

        dump.until(f"timers {timers} with tcpKeepAlive={option}", probe)
        assert all(when <= 60 * os.sysconf("SC_CLK_TCK") for _, _, when in seen), seen
        dump.stop_well()
        dump.slot_is_free()


@seconds(120)
def test_arrays_of_several_dimensions(t):
    """Their items are nulls, which is said once for the column; not in keys, and not with mode fail."""
    db = t.database()
    sql = lambda text: t.postgres.sql(text, db, "postgres")
    sql("create table k (id int primary key, v int[] not null); insert into k values (1, '{1}'), (2, '{{1,2},{3,4}}')")
    dump = Dump(t, db).start()
    dump.streams()
    sql("insert into k values (3, '{{1},{2},{3}}'), (4, '{NULL}')")
    dump.wait(lambda r: 4 in content(r, TOPIC), "the stream")
    dump.stop_well()
    equal({k: row["v"] for k, row in content(dump.records(), TOPIC).items()},
          {1: [1], 2: [None, None], 3: [None, None, None], 4: [None]}, "rows")
    said = "a value of column v of public.k is written as an array of nulls: arrays of more than one dimension"
    equal(dump.text().count(said), 2, "warnings: of the snapshot's table, and of the stream's")
    for options in ({"message.key.columns": "public.k:v"},
                    {"message.key.columns": "", "event.converting.failure.handling.mode": "fail"}):
        dump.slot_is_free()
        configured(dump, **options).start()
        dump.streams()
        sql("insert into k select max(id) + 1, '{{1}}' from k")
        dump.fails("a value of column v of public.k cannot be converted: arrays of more than one dimension have no schema")
        dump.log.unlink()
