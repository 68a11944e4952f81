"""Chaos: three workers and sixty tasks while workers are killed, stopped for shorter and longer than
their session, restarted, and the broker with them. Every record says which run of its task made it
and when (stamper.c). Afterwards:

 - no task ran twice at a time: the times of its runs do not overlap;
 - no record is missing: what a run began with follows from what was there before it;
 - the group settles by itself: all tasks RUNNING, records come from each, shares within one of even.

SLUICE_CHAOS_MINUTES=n goes on for n minutes, and then also asks for the time in which the group
settles after the last fault: the session timeout and 2 s. SLUICE_CHAOS_SEED=n repeats a choice of
faults, which without minutes is always the same."""
import json
import os
import random
import re
import signal
import subprocess
import time

from harness import BINARY, ROOT, equal, seconds, wait_for

MINUTES = float(os.environ.get("SLUICE_CHAOS_MINUTES", "0"))
TASKS, CONNECTORS = 60, 3  # of 20 tasks each
STEADY = 2.0  # s that nothing has to move for the group to have settled
SESSION = 10.0  # s; workers' session.timeout.ms
RUNNING = re.compile(r'^kafka_connect_connector_task_metrics_status\{connector="(\w+)",'
                     r'task="(\d+)",status="RUNNING"\} 1$', re.M)
STRING = "org.apache.kafka.connect.storage.StringConverter"


class Chaos:
    def __init__(self, t, choose):
        self.t, self.choose, self.faults = t, choose, []
        plugin = t.directory / "stamper.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-std=c11", f"-I{ROOT}/include",
                        "-o", plugin, ROOT / "tests/e2e/stamper.c"], check=True)
        self.workers = t.cluster(3, **{
            "plugin__path": f"{plugin},{BINARY.parent}/plugins",
            "session__timeout__ms": str(int(SESSION * 1000)),
            "scheduled__rebalance__max__delay__ms": "1000",
            "task__shutdown__graceful__timeout__ms": "5000"})
        self.names = [f"stamps{i}" for i in range(CONNECTORS)]
        self.topics = {name: t.topic(name) for name in self.names}
        for name in self.names:
            self.rest().create(name, {
                "connector.class": "stamper", "tasks.max": str(TASKS // CONNECTORS),
                "topic": self.topics[name], "every.ms": "50",
                "key.converter": STRING, "value.converter": STRING})

    def rest(self):
        return self.workers[0].rest

    def said(self):
        """{worker id: tasks that are RUNNING there}, by the statuses, which a killed worker leaves
        behind."""
        tasks = {f"127.0.0.1:{w.port}": set() for w in self.workers}
        for name in self.names:
            status = self.rest().status(name)
            equal(len(status["tasks"]), TASKS // CONNECTORS, f"tasks of {name}")
            for what, part in [("connector", status["connector"])] + list(enumerate(status["tasks"])):
                assert part["state"] == "RUNNING", (name, what, part)
            for task in status["tasks"]:
                tasks[task["worker_id"]].add((name, task["id"]))
        return tasks

    def runs(self):
        """The same by what each worker says of itself."""
        return {f"127.0.0.1:{w.port}":
                {(name, int(task)) for name, task in RUNNING.findall(w.rest.call("GET", "/metrics")[1])}
                for w in self.workers}

    def even(self):
        runs, said = self.runs(), self.said()
        shares = sorted(len(tasks) for tasks in runs.values())
        assert shares[-1] - shares[0] <= 1 and sum(shares) == TASKS, shares
        for worker in runs:
            equal(said[worker], runs[worker], f"what {worker} says of itself, and its statuses")
        return runs

    def settle(self, since, timeout):
        """Seconds from then until all tasks run, evenly, and go on so."""
        deadline, runs = time.monotonic() + timeout, None
        while runs is None:
            runs = wait_for("all tasks to run, evenly", self.even, timeout, every=0.1)
            took = time.monotonic() - since
            while time.monotonic() < since + took + STEADY and runs is not None:
                time.sleep(0.1)
                runs = runs if self.is_still(runs) else None
            assert runs or time.monotonic() < deadline, "tasks do not come to rest"
        print(f"    settled {took:.1f} s after {self.faults[-1] if self.faults else 'the start'}",
              flush=True)
        return took

    def is_still(self, runs):
        try:
            return self.even() == runs
        except (AssertionError, OSError, RuntimeError):
            return False

    # ---- faults: each leaves all workers running ----

    def pick(self):
        return self.choose.choice(self.workers)

    def kill(self):
        worker = self.pick()
        worker.kill9()
        time.sleep(self.choose.choice([0, 0.5, 2]))
        worker.start(wait=False)

    def kill_for_long(self):
        worker = self.pick()
        worker.kill9()
        time.sleep(SESSION + 2)
        worker.start(wait=False)

    def stop_for(self, how_long):
        worker = self.pick()
        os.kill(worker.process.pid, signal.SIGSTOP)
        try:
            time.sleep(how_long)
        finally:
            os.kill(worker.process.pid, signal.SIGCONT)

    def stop_shortly(self):
        self.stop_for(self.choose.uniform(0.1, SESSION / 2))

    def stop_beyond_the_session(self):
        self.stop_for(SESSION + self.choose.uniform(0.5, 4))

    def two_at_once(self):
        """One is stopped, and another one killed meanwhile."""
        stopped, killed = self.choose.sample(self.workers, 2)
        os.kill(stopped.process.pid, signal.SIGSTOP)
        killed.kill9()
        time.sleep(SESSION + 1)
        os.kill(stopped.process.pid, signal.SIGCONT)
        killed.start(wait=False)

    def restart(self):
        worker = self.pick()
        worker.wait_ready(60)
        equal(worker.stop(60), 0, "exit code of a clean stop")
        worker.start(wait=False)

    def broker(self):
        if self.choose.random() < 0.5:
            self.t.kafka.kill9()
        else:
            self.t.kafka.stop()
        self.t.kafka.restart()

    def do(self, name):
        began = time.monotonic()
        self.faults.append(name)
        getattr(self, name)()
        now = time.monotonic()
        print(f"    {name} ({now - began:.1f} s)", flush=True)
        return now

    # ---- what was left behind ----

    def ends(self):
        return {name: self.t.kafka.count(topic) for name, topic in self.topics.items()}

    def wait_for_more(self):
        """Some seconds' worth of records in each topic; where they begin."""
        before, more = self.ends(), 50 * TASKS // CONNECTORS
        wait_for("more records", lambda: all(n >= before[c] + more for c, n in self.ends().items()), 60)
        return before

    def records(self):
        """{(connector, task): [stamp]}, as Kafka has them; the workers have ended."""
        tasks = {}
        for name, topic in self.topics.items():
            for record in self.t.kafka.read(topic):
                stamp = json.loads(record.value)
                stamp["offset"] = record.offset
                tasks.setdefault((name, stamp["task"]), []).append(stamp)
        return tasks


def runs_of(stamps):
    """[(first, last, run, seqs)] by time."""
    runs = {}
    for s in stamps:
        runs.setdefault(s["run"], []).append(s)
    return sorted((min(s["at"] for s in r), max(s["at"] for s in r), run, {s["seq"] for s in r})
                  for run, r in runs.items())


def check_runs(tasks):
    """How many runs there were, and how many records came again."""
    overlaps, gaps, runs_n, again = [], [], 0, 0
    for task, stamps in sorted(tasks.items()):
        runs = runs_of(stamps)
        runs_n += len(runs)
        again += len(stamps) - len({s["seq"] for s in stamps})
        for (_, last, one, _), (first, _, other, _) in zip(runs, runs[1:]):
            if first <= last:
                overlaps.append(f"{task}: {other} began {(last - first) / 1000:.1f} ms before"
                                f" {one} made its last record")
        seqs = {s["seq"] for s in stamps}
        missing = set(range(max(seqs) + 1)) - seqs
        if missing:
            gaps.append(f"{task}: {sorted(missing)[:10]} of {max(seqs) + 1}; runs"
                        f" {[(r, min(q), max(q)) for _, _, r, q in runs]}")
    assert not overlaps, f"{len(overlaps)} times a task ran twice at a time:\n" + "\n".join(overlaps[:20])
    assert not gaps, f"{len(gaps)} tasks lost records:\n" + "\n".join(gaps[:20])
    return runs_n, again


@seconds(int(300 + 120 * MINUTES))
def test_chaos(t):
    seed = int(os.environ.get("SLUICE_CHAOS_SEED") or (random.SystemRandom().randrange(1, 10**6) if MINUTES else 7))
    print(f"    SLUICE_CHAOS_SEED={seed}", flush=True)
    chaos = Chaos(t, random.Random(seed))
    chaos.settle(time.monotonic(), 60)
    end = time.monotonic() + 60 * MINUTES
    short = ["kill", "stop_beyond_the_session", "broker", "restart"]
    every = ["kill", "kill_for_long", "stop_shortly", "stop_beyond_the_session", "two_at_once",
             "restart", "broker"]
    slowest = 0.0
    while True:
        for fault in short if not MINUTES else chaos.choose.sample(every, len(every)):
            last = chaos.do(fault)
            # Sometimes the next one comes before the group has settled.
            if MINUTES and chaos.choose.random() < 0.6:
                slowest = max(slowest, chaos.settle(last, 90))
        if time.monotonic() >= end:
            break
    slowest = max(slowest, chaos.settle(last, 90))
    before = chaos.wait_for_more()
    for worker in chaos.workers:
        equal(worker.stop(60), 0, "exit code")
    records = chaos.records()
    silent = [task for task, stamps in records.items() if stamps[-1]["offset"] < before[task[0]]]
    equal([len(records), silent], [TASKS, []], "tasks, and those without a record in the end")
    runs, again = check_runs(records)
    print(f"    {len(chaos.faults)} faults, {runs} runs of {TASKS} tasks, {again} records came again;"
          f" settled within {slowest:.1f} s of a fault")
    assert runs > TASKS, "nothing ever moved"
    if MINUTES:
        assert slowest <= SESSION + 2, f"settled only {slowest:.1f} s after a fault"
