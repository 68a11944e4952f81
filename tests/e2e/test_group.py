"""The group of workers: membership, leases, leadership and the fencing of a former leader, with
members as processes of their own (group_member.c) on a real broker. All times are of the monotonic
clock, which the processes of one machine share."""
import json
import os
import signal
import subprocess
import time

from harness import BINARY, equal, seconds, wait_for

PROGRAM = BINARY.parent / "tests/group_member"
GRACE = {6000: 3000, 10000: 4000}  # ms, of session.timeout.ms (runtime/kafka/group.c)


class Member:
    def __init__(self, t, group, topic, url, session=6000, **keys):
        self.since = 0  # when the members had agreed
        self.url, self.where = url, t.directory / f"{url.split('/')[2]}-{len(t._cleanups)}.out"
        keys = [f"{k.replace('_', '.')}={v}" for k, v in keys.items()]
        with open(self.where, "wb") as out, open(self.where.with_suffix(".log"), "wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, t.kafka.bootstrap, group, topic, url, str(session), *keys],
                stdin=subprocess.PIPE, stdout=out, stderr=log)
        t.cleanup(self.kill)

    def events(self, kind=None):
        found = []
        for row in self.where.read_text().splitlines(keepends=True):
            if row.endswith("\n"):
                found.append(json.loads(row))
        return [e for e in found if kind in (None, e["event"])]

    def state(self):
        states = self.events("state")
        return states[-1] if states else {"self": "", "leader": False, "fatal": False, "trouble": ""}

    def name(self):
        return self.state()["self"]

    def lease(self):
        leases = self.events("lease")
        return leases[-1]["lease"] if leases else 0

    def kept_its_lease(self):
        lost = [e for e in self.events("lease") if e["at"] > self.since and not e["lease"]]
        assert not lost, f"it lost its lease: {lost}"

    def joined(self):
        return wait_for(f"{self.url} to join", self.name, timeout=60)

    def lists(self, names, after=0):
        """Waits for a list of exactly these members; when it came."""

        def probe():
            return next((e["at"] for e in self.events("members")
                         if e["at"] > after and sorted(e["names"]) == sorted(names)), None)

        return wait_for(f"{self.url} to list {names}", probe, timeout=60)

    def missing(self, name, after):
        """When this one first listed members without that name."""

        def probe():
            return next((e["at"] for e in self.events("members")
                         if e["at"] > after and name not in e["names"]), None)

        return wait_for(f"{name} to be missing", probe, timeout=60)

    def signal(self, number):
        os.kill(self.process.pid, number)

    def leave(self):
        self.process.stdin.close()
        equal(self.process.wait(60), 0, "exit code")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if not self.process.stdin.closed:
            self.process.stdin.close()


def cluster(t, urls="abc", **keys):
    group, topic = t.unique("group"), t.topic()
    members = [Member(t, group, topic, f"http://{u}:8083/", list_ms=50, **keys) for u in urls]
    return group, topic, members, agree(members)


def agree(members, former=()):
    """Waits until all list each other, by names that none of the former is; their names. On a slow
    machine a member may have joined more than once."""

    def probe():
        names = [m.name() for m in members]
        lists = [(m.events("members") or [{"names": []}])[-1]["names"] for m in members]
        assert all(names) and not set(names) & set(former), (names, former)
        assert all(sorted(listed) == sorted(names) for listed in lists), (names, lists)
        return names

    names = wait_for("members to list each other", probe, timeout=60)
    for m in members:
        m.since = m.events()[-1]["at"]
    return names


def only_one_leads(members):
    """Who does; what the processes tell of a change does not come at the same time."""

    def probe():
        leaders = [m for m in members if m.state()["leader"]]
        assert len(leaders) == 1, [m.state() for m in members]
        return leaders[0]

    return wait_for("one leader", probe, timeout=60)


@seconds(180)
def test_lease_is_over_before_others_take_over(t):
    _, _, (a, killed, stopped), names = cluster(t)
    only_one_leads([a, killed, stopped])
    killed.kill()
    stopped.signal(signal.SIGSTOP)
    before = a.events()[-1]["at"]
    for other in (killed, stopped):
        missing, lease = a.missing(names[1 if other is killed else 2], before), other.lease()
        print(f"    lease to {lease}, missing at {missing}, counted as gone at {missing + GRACE[6000]}")
        assert lease < missing + GRACE[6000], (lease, missing)
    # What was stopped sees by the clock that it is over, and comes back as somebody new.
    again = time.clock_gettime(time.CLOCK_BOOTTIME) * 1000
    stopped.signal(signal.SIGCONT)
    wait_for("its new incarnation", lambda: stopped.name() not in ("", names[2]), timeout=60)
    zero = [e for e in stopped.events("lease") if e["at"] >= int(again)][0]
    equal(zero["lease"], 0, f"what it first said of its lease: {zero}")
    a.lists([names[0], stopped.name()], before)
    equal(a.name(), names[0], "who was there all the time")
    a.kept_its_lease()


@seconds(180)
def test_a_stalled_rebalance_costs_no_lease(t):
    """A dead member and a new one: until the dead one's session is over nobody's join is answered,
    and no lease is renewed."""
    group, topic, (a, b, c), names = cluster(t, session=10000)
    c.kill()
    d = Member(t, group, topic, "http://d:8083/", session=10000, list_ms=50)
    new = d.joined()
    for m in (a, b):
        m.lists([names[0], names[1], new])
        m.kept_its_lease()
    equal([a.name(), b.name()], names[:2], "incarnations")
    only_one_leads([a, b, d])
    # Who leaves is gone at once.
    before = a.events()[-1]["at"]
    d.leave()
    a.lists(names[:2], before)


@seconds(180)
def test_a_restart_of_the_broker_keeps_leases(t):
    _, _, members, names = cluster(t, session=300000)  # slow machines restart brokers slowly
    before = [m.events()[-1]["at"] for m in members]
    t.kafka.kill9()
    t.kafka.restart()
    for m, at in zip(members, before):
        m.lists(names, at)
        renewed = m.lease()
        wait_for("the lease to be renewed", lambda m=m, r=renewed: m.lease() > r, timeout=60)
        m.kept_its_lease()
    equal([m.name() for m in members], names, "incarnations")


@seconds(240)
def test_a_long_absence_of_the_broker_ends_all_leases(t):
    _, _, members, names = cluster(t)
    t.kafka.kill9()
    try:
        for m in members:
            wait_for("the lease to end", lambda m=m: m.lease() == 0, timeout=60)
            end = m.events("lease")[-1]
            last = [e["lease"] for e in m.events("lease") if e["lease"]][-1]
            # It may end early: after the session without an answer librdkafka gives up by itself.
            assert end["at"] >= last - GRACE[6000] - 1000, (end, last)
            equal([m.name(), m.state()["leader"]], ["", False], "state")
            wait_for("the trouble", lambda m=m: "cannot be reached" in m.state()["trouble"], timeout=60)
    finally:
        t.kafka.restart()
    agree(members, names)
    for m in members:
        wait_for("no trouble", lambda m=m: not m.state()["trouble"])
    wait_for("one leader", lambda: [m.state()["leader"] for m in members].count(True) == 1)


@seconds(180)
def test_static_membership(t):
    group, topic = t.unique("group"), t.topic()

    def start(url, instance):
        return Member(t, group, topic, url, list_ms=50, instance_id=instance)

    a, b = start("http://a:8083/", "one"), start("http://b:8083/", "two")
    names = agree([a, b])
    assert all("/#s" in n for n in names), names

    def calm():  # who came first hears of the rebalance for the second one a little later
        before = [m.state()["rebalances"] for m in (a, b)]
        time.sleep(2)
        return [m.state()["rebalances"] for m in (a, b)] == before

    wait_for("the group to be stable", calm, timeout=60)
    leads, rebalances = b.state()["leader"], b.state()["rebalances"]
    b_before = b.events()[-1]["at"]
    a.kill()
    again = start("http://a:8083/", "one")
    new = again.joined()
    b.lists([new, names[1]], b_before)
    assert new != names[0]
    equal([b.state()["leader"], b.state()["rebalances"]], [leads, rebalances], "of the other")
    b.kept_its_lease()
    # Another process with its id and URL: the one before is out, for good, and says why.
    other = start("http://a:8083/", "one")
    wait_for("the fence", lambda: again.state()["fatal"], timeout=60)
    assert "group.instance.id one" in again.state()["trouble"], again.state()
    wait_for("the end of its lease", lambda: [again.lease(), again.name()] == [0, ""], timeout=60)
    b.lists([other.joined(), names[1]])


@seconds(180)
def test_a_former_leader_is_fenced(t):
    group, topic = t.unique("group"), t.topic()
    members = [Member(t, group, topic, f"http://{u}:8083/", list_ms=100,
                      transactional_id=f"connect-cluster-{group}") for u in "abc"]
    names = agree(members)
    old = only_one_leads(members)
    others = [m for m in members if m is not old]
    before = [len(m.events("write")) for m in (old, *others)]
    wait_for("two writes", lambda: len([e for e in old.events("write")[before[0]:] if e["verdict"] == 0]) >= 2)
    equal([len(m.events("write")) for m in others], before[1:], "writes of those that do not lead")
    old.signal(signal.SIGSTOP)
    stopped_at = max(e["at"] for e in old.events())
    new = wait_for("another leader", lambda: next((m for m in others if m.state()["leader"]), None),
                   timeout=60)
    wait_for("its writes", lambda: any(e["verdict"] == 0 for e in new.events("write")), timeout=60)
    old.signal(signal.SIGCONT)
    wait_for("the old one's writes", lambda: [e for e in old.events("write") if e["at"] > stopped_at],
             timeout=60)
    first = [e for e in old.events("write") if e["at"] > stopped_at][0]
    equal(first["verdict"], 2, f"of the first write afterwards: {first}")
    # One that was under way when it was stopped may have run out of time instead.
    assert first["fenced"] or "flush" in first["error"], first
    equal("another producer has taken over" in first["error"], first["fenced"], first)
    assert new.state()["leader"] and new.name() in names
    equal([e for e in new.events("write") if e["verdict"] != 0], [], "the new one's failed writes")


@seconds(120)
def test_other_clients_in_the_group(t):
    """Members of another protocol, such as Java Connect workers: this one waits, and says why."""
    group, topic = t.unique("group"), t.topic()
    with open(t.directory / "kcat.log", "wb") as log:
        other = subprocess.Popen(["kcat", "-b", t.kafka.bootstrap, "-G", group, topic, "-X",
                                  "partition.assignment.strategy=range"], stdout=log, stderr=log)
    t.cleanup(lambda: other.poll() is None and other.kill())
    wait_for("kcat to join", lambda: "assigned" in (t.directory / "kcat.log").read_text(), timeout=60)
    m = Member(t, group, topic, "http://a:8083/")
    wait_for("the trouble", lambda: "stop them first" in m.state()["trouble"], timeout=60)
    equal([m.name(), m.lease(), m.state()["fatal"]], ["", 0, False], "state")
    other.terminate()
    other.wait(60)
    m.joined()
    wait_for("no trouble", lambda: not m.state()["trouble"])
