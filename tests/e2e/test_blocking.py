"""A plugin that blocks in any callback costs its own connector only, and a shutdown has an end."""
import os
import signal
import subprocess
import threading
import time

from harness import BINARY, ROOT, equal, wait_for

GRACEFUL_MS = 4000
LONG_MS = 15000  # where it counts who waits for it: much more than any request takes on a busy machine
QUICK = LONG_MS / 1000 * 0.75  # what takes less has waited for nothing that blocks


def worker_with_blocker(t, **more):
    plugin = t.directory / "blocker.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-std=c11", f"-I{ROOT}/include",
                    "-o", plugin, ROOT / "tests/e2e/blocker.c"], check=True)
    return t.sluice({"plugin.path": f"{plugin},{BINARY.parent}/plugins",
                     "task.shutdown.graceful.timeout.ms": GRACEFUL_MS, **more})


def wait_blocked(worker, where, times=1):
    wait_for(f"{times} blocked in {where}",
             lambda: worker.log_text().count(f"blocked in {where}\n") >= times)


def file_source(t, name):
    return {"connector.class": "FileStreamSource", "topic": t.topic(name),
            "file": str(t.file(f"{name}.txt", "a line\n"))}


def quick(what, call, *args):
    """That it waits for nothing that blocks."""
    begun = time.monotonic()
    call(*args)
    took = time.monotonic() - begun
    assert took < QUICK, f"{what} blocks: it took {took:.1f} s, and what blocks is waited for {LONG_MS} ms"


def in_background(call, *args):
    thread = threading.Thread(target=call, args=args, daemon=True)
    thread.start()
    return thread


def validate_for_ever(rest, name, answers):
    answers.append(rest.call("PUT", f"/connectors/{name}/config",
                             {"connector.class": "blocker", "block.in": "validate"}))


def test_tasks_that_block_hold_up_nobody(t):
    worker = worker_with_blocker(t, **{"task.shutdown.graceful.timeout.ms": LONG_MS})
    rest = worker.rest
    names = [f"in-{where}" for where in ("open", "poll", "close")]
    for name in names:
        rest.create(name, {"connector.class": "blocker", "block.in": name.removeprefix("in-")})
        wait_for(f"a task of {name}", lambda: len(rest.states(name)) == 2)
    wait_blocked(worker, "open")
    wait_blocked(worker, "poll")
    rest.wait_running("in-close")
    rest.create("healthy", file_source(t, "healthy"))
    rest.wait_running("healthy")
    for name in names:
        restart = f"/connectors/{name}/restart?includeTasks=true"
        quick(f"restart of {name}", rest.ok, "POST", restart)
    stopping = [in_background(rest.ok, "PUT", f"/connectors/{name}/stop") for name in names]
    for name in [*names, "healthy"]:
        quick(f"status of {name}", rest.status, name)
    for name, thread in zip(names, stopping):
        thread.join(LONG_MS / 1000 * 2 + 60)
        assert not thread.is_alive(), f"stop of {name} blocks"
        equal(rest.states(name), ["STOPPED"])
        quick(f"delete of {name}", rest.delete, name)
    equal(rest.states("healthy"), ["RUNNING", "RUNNING"])
    quick("the end of a healthy task", rest.delete, "healthy")


def test_validation_that_blocks_holds_up_nobody(t):
    worker = worker_with_blocker(t)
    rest = worker.rest
    answers = []
    asking = [in_background(validate_for_ever, rest, f"v{n}", answers) for n in range(3)]
    wait_blocked(worker, "validate", 3)
    rest.create("healthy", file_source(t, "healthy"))
    rest.wait_running("healthy")
    equal(rest.ok("GET", "/connectors"), ["healthy"])
    equal(worker.stop(90), 1, "exit code with handlers that never end")
    for thread in asking:
        thread.join(60)
    equal([status for status, _ in answers], [503] * 3, "answers to those who still waited")


def test_shutdown_has_an_end(t):
    worker = worker_with_blocker(t)
    worker.rest.create("stuck", {"connector.class": "blocker", "block.in": "poll"})
    wait_blocked(worker, "poll")
    begun = time.monotonic()
    equal(worker.stop(90), 1, "exit code when a task does not end")
    assert GRACEFUL_MS / 1000 <= time.monotonic() - begun
    assert "connector=stuck task=0" in worker.log_text()
    assert "still running at the end of the shutdown" in worker.log_text()


def test_second_signal_ends_at_once(t):
    worker = worker_with_blocker(t, **{"task.shutdown.graceful.timeout.ms": 600000})
    worker.rest.create("stuck", {"connector.class": "blocker", "block.in": "close"})
    worker.rest.wait_running("stuck")
    os.kill(worker.process.pid, signal.SIGTERM)
    wait_for("the shutdown", lambda: "SIGTERM: stopping" in worker.log_text())
    os.kill(worker.process.pid, signal.SIGSTOP)  # who is stopped meanwhile goes on as before
    os.kill(worker.process.pid, signal.SIGCONT)
    time.sleep(1)
    equal(worker.process.poll(), None, "waits for the task")
    os.kill(worker.process.pid, signal.SIGINT)
    equal(worker.wait_exit(60), 1)


def test_signal_while_starting(t):
    worker = worker_with_blocker(t)
    worker.stop()
    worker.connectors = {"v": {"connector.class": "blocker", "block.in": "validate"}}
    worker.start(wait=False)
    wait_for("REST to answer", lambda: worker.rest.call("GET", "/health")[0] == 503)
    equal(worker.rest.call("GET", "/health")[1]["status"], "starting")
    os.kill(worker.process.pid, signal.SIGTERM)
    equal(worker.wait_exit(90), 1)
