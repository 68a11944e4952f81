"""A sluice process under test: its files, its life, its REST API, what it costs."""
import ctypes
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

import clients
from clients import ROOT, http, wait_for

BINARY = pathlib.Path(os.environ.get("SLUICE_BIN", ROOT / "build/release/sluice"))
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


_given_ports = set()  # they may be bound much later


def free_port():
    """Below the range that the kernel gives to clients, see lib.sh; none twice."""
    while True:
        port = random.randint(15000, 32000)
        if port in _given_ports:
            continue
        _given_ports.add(port)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def port_or_free(port):
    """The port when nobody listens on it, else a free one."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
            return port
        except OSError:
            return free_port()


def properties(values):
    """A .properties file's text."""
    return "".join(f"{k}={v}\n" for k, v in values.items())


def read_properties(path):
    lines = (line.strip() for line in pathlib.Path(path).read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


class Rest:
    """Calls return (status, body); the named ones raise unless the call went well."""

    def __init__(self, url):
        self.url = url

    def call(self, method, path, body=None, headers=None):
        return http(method, self.url + path, body, headers)

    def ok(self, method, path, body=None):
        """What is refused because the group is about to rebalance is asked again, as clients do."""
        for _ in range(240):  # a minute
            status, answer = self.call(method, path, body)
            if status != 409 or "rebalance" not in str(answer):
                break
            time.sleep(0.25)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    def create(self, name, config):
        """Or reconfigure."""
        return self.ok("PUT", f"/connectors/{name}/config", config)

    def delete(self, name):
        return self.ok("DELETE", f"/connectors/{name}")

    def status(self, name):
        return self.ok("GET", f"/connectors/{name}/status")

    def states(self, name):
        """[connector's state, states of the tasks...]"""
        status = self.status(name)
        return [status["connector"]["state"]] + [t["state"] for t in status["tasks"]]

    def trace(self, name):
        """What connector and tasks say of their failures."""
        status = self.status(name)
        parts = [status["connector"], *status["tasks"]]
        return "\n".join(p["trace"] for p in parts if p.get("trace"))

    def wait_running(self, name, timeout=30):
        """The connector and at least one task RUNNING; a FAILED one ends the wait."""

        def probe():
            states = self.states(name)
            if "FAILED" in states:
                return states
            return states if len(states) > 1 and set(states) == {"RUNNING"} else None

        states = wait_for(f"{name} RUNNING", probe, timeout)
        assert "FAILED" not in states, f"{name} failed: {self.trace(name)}"

    def wait_failed(self, name, timeout=30):
        """Wait for a FAILED connector or task; its trace."""
        wait_for(f"{name} FAILED", lambda: "FAILED" in self.states(name), timeout)
        return self.trace(name)


class Sluice:
    """One worker. The directory keeps its log, offsets and configs over restarts, and the port stays."""

    def __init__(self, directory, bootstrap, worker=None, connectors=None, mode="standalone",
                 env=None, port=None, outlive=False):
        """worker: properties on top of the defaults below; connectors: {name: config}, given on the
        command line as JSON files; outlive: it may live longer than this process."""
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.rest = Rest(f"http://127.0.0.1:{self.port}")
        self.log = self.directory / "sluice.log"
        self.offsets = self.directory / "offsets"
        self.mode, self.env, self.outlive = mode, env or {}, outlive
        self.process = None
        self.worker = {
            "bootstrap.servers": bootstrap,
            "listeners": f"http://127.0.0.1:{self.port}",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "offset.storage.file.filename": self.offsets,
            "offset.flush.interval.ms": "1000",
            **(worker or {}),
        }
        self.connectors = connectors or {}

    def start(self, wait=True, timeout=20, tool=()):
        """tool: words before the command, such as those of a profiler."""
        assert self.process is None, "already runs"
        worker = self.directory / "worker.properties"
        worker.write_text(properties({k: v for k, v in self.worker.items() if v is not None}))
        files = []
        for name, config in self.connectors.items():
            path = self.directory / f"{name}.json"
            path.write_text(json.dumps({"name": name, "config": config}, indent=2))
            files.append(path)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*tool, BINARY, self.mode, worker, *files], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=self.directory, env={**os.environ, **self.env},
                start_new_session=self.outlive, preexec_fn=None if self.outlive else die_with_parent)
        if wait:
            self.wait_ready(timeout)
        return self

    def wait_ready(self, timeout=20):
        def probe():
            if self.process.poll() is not None:
                raise SystemExit  # not an Exception: ends the wait
            return self.rest.call("GET", "/health")[0] == 200

        try:
            wait_for("sluice healthy", probe, timeout, every=0.01)
        except SystemExit:
            raise AssertionError(f"sluice exited with {self.process.returncode}:\n"
                                 + self.log_text()[-3000:]) from None

    def stop(self, timeout=30):
        """SIGTERM; the exit code."""
        if self.process is None:
            return None
        self.process.terminate()
        timeout *= clients.PATIENCE
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"sluice did not stop within {timeout:g} s of SIGTERM:\n"
                                 + self.log_text()[-3000:]) from None
        finally:
            self.process = None
        return code

    def kill9(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def wait_exit(self, timeout=30):
        """The exit code of a worker that is to end by itself."""
        timeout *= clients.PATIENCE
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"sluice did not end by itself within {timeout:g} s:\n"
                                 + self.log_text()[-3000:]) from None
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process = None

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def cost(self):
        """{"rss": bytes now, "peak": bytes, "cpu": seconds, "threads": n}"""
        return process_cost(self.process.pid)


def process_cost(pid):
    status = dict(line.split(":", 1) for line in
                  pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    kib = lambda key: int(status.get(key, "0 kB").split()[0]) * 1024
    return {"rss": kib("VmRSS"), "peak": kib("VmHWM"), "threads": int(status["Threads"]),
            "cpu": (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"),
            "time": time.monotonic()}
