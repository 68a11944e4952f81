"""A plugin that blocks in any callback costs its own connector only, and a shutdown has an end."""
import os
import signal
import subprocess
import threading
import time

from harness import BINARY, ROOT, equal, wait_for

GRACEFUL_MS = 1000


def worker_with_blocker(t, **more):
    plugin = t.directory / "blocker.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-std=c11", f"-I{ROOT}/include",
                    "-o", plugin, ROOT / "tests/e2e/blocker.c"], check=True)
    return t.sluice({"plugin.path": f"{plugin},{BINARY.parent}/plugins",
                     "task.shutdown.graceful.timeout.ms": GRACEFUL_MS, **more})


def file_source(t, name):
    return {"connector.class": "FileStreamSource", "topic": t.topic(name),
            "file": str(t.file(f"{name}.txt", "a line\n"))}


def took(call, *args):
    begun = time.monotonic()
    call(*args)
    return time.monotonic() - begun


def in_background(call, *args):
    thread = threading.Thread(target=call, args=args, daemon=True)
    thread.start()
    return thread


def validate_for_ever(rest, name, answers):
    answers.append(rest.call("PUT", f"/connectors/{name}/config",
                             {"connector.class": "blocker", "block.in": "validate"}))


def test_tasks_that_block_hold_up_nobody(t):
    worker = worker_with_blocker(t)
    rest = worker.rest
    for where in "open", "poll", "close":
        name = f"in-{where}"
        rest.create(name, {"connector.class": "blocker", "block.in": where})
        wait_for(f"a task of {name}", lambda: len(rest.states(name)) == 2)
    time.sleep(0.3)
    rest.create("healthy", file_source(t, "healthy"))
    rest.wait_running("healthy", 5)
    for where in "open", "poll", "close":
        name = f"in-{where}"
        restarting = in_background(rest.ok, "POST", f"/connectors/{name}/restart?includeTasks=true")
        restarting.join(1)
        assert not restarting.is_alive(), f"restart of {name} blocks"
        stopping = in_background(rest.ok, "PUT", f"/connectors/{name}/stop")
        for _ in range(5):
            assert took(rest.status, "healthy") < 0.5
            assert took(rest.status, name) < 0.5
        stopping.join(GRACEFUL_MS / 1000 * 2 + 3)
        assert not stopping.is_alive(), f"stop of {name} blocks"
        equal(rest.states(name), ["STOPPED"])
        assert took(rest.delete, name) < 1
    equal(rest.states("healthy"), ["RUNNING", "RUNNING"])
    assert took(rest.delete, "healthy") < 2, "a healthy task ends at once"


def test_validation_that_blocks_holds_up_nobody(t):
    worker = worker_with_blocker(t)
    rest = worker.rest
    answers = []
    asking = [in_background(validate_for_ever, rest, f"v{n}", answers) for n in range(3)]
    time.sleep(0.3)
    assert took(rest.create, "healthy", file_source(t, "healthy")) < 1
    rest.wait_running("healthy", 5)
    equal(rest.ok("GET", "/connectors"), ["healthy"])
    begun = time.monotonic()
    equal(worker.stop(), 1, "exit code with handlers that never end")
    assert time.monotonic() - begun < GRACEFUL_MS / 1000 + 8
    for thread in asking:
        thread.join(5)
    equal([status for status, _ in answers], [503] * 3, "answers to those who still waited")


def test_shutdown_has_an_end(t):
    worker = worker_with_blocker(t)
    worker.rest.create("stuck", {"connector.class": "blocker", "block.in": "poll"})
    worker.rest.wait_running("stuck")
    begun = time.monotonic()
    equal(worker.stop(), 1, "exit code when a task does not end")
    seconds = time.monotonic() - begun
    assert GRACEFUL_MS / 1000 <= seconds < GRACEFUL_MS / 1000 + 3, seconds
    assert "connector=stuck task=0" in worker.log_text()
    assert "still running at the end of the shutdown" in worker.log_text()


def test_second_signal_ends_at_once(t):
    worker = worker_with_blocker(t, **{"task.shutdown.graceful.timeout.ms": 60000})
    worker.rest.create("stuck", {"connector.class": "blocker", "block.in": "close"})
    worker.rest.wait_running("stuck")
    os.kill(worker.process.pid, signal.SIGTERM)
    time.sleep(1)
    equal(worker.process.poll(), None, "waits for the task")
    begun = time.monotonic()
    os.kill(worker.process.pid, signal.SIGINT)
    equal(worker.wait_exit(5), 1)
    assert time.monotonic() - begun < 1


def test_signal_while_starting(t):
    worker = worker_with_blocker(t)
    worker.stop()
    worker.connectors = {"v": {"connector.class": "blocker", "block.in": "validate"}}
    worker.start(wait=False)
    wait_for("REST to answer", lambda: worker.rest.call("GET", "/health")[0] == 503)
    equal(worker.rest.call("GET", "/health")[1]["status"], "starting")
    os.kill(worker.process.pid, signal.SIGTERM)
    equal(worker.wait_exit(GRACEFUL_MS / 1000 + 9), 1)
