#!/usr/bin/env python3
"""Records what a Java Connect worker writes to its three internal topics: configs.tsv, offsets.tsv
and status.tsv beside this file.

usage: tests/golden/internal_topics/record.py   (needs Java; starts and stops a broker and a worker)

A line is: partition, offset, timestamp, key, value; tabs between; \\N for null. None of Connect's
JSON has a raw tab or line break.
"""
import pathlib
import sys
import tempfile
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "scripts/services"))

from clients import Connect, Services, http, wait_for  # noqa: E402

SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"
SINK = "org.apache.kafka.connect.file.FileStreamSinkConnector"
STRANGE = 'gr\u00fc\u00dfe-"quoted"-\u65e5\u672c-\U0001d11e'


class Rest:
    def __init__(self, url):
        self.url = url

    def __call__(self, method, *path, query="", body=None):
        names = "/".join(urllib.parse.quote(p, safe="") for p in path)
        # A change may meet a rebalance, which answers 409.
        def once():
            status, answer = http(method, f"{self.url}/{names}{query}", body)
            if status == 409:
                return None
            assert status < 300, (method, path, status, answer)
            return status, answer
        return wait_for(f"{method} {path}", once)[1]

    def await_state(self, name, state, tasks):
        def there():
            status, answer = http("GET", f"{self.url}/connectors/"
                                  f"{urllib.parse.quote(name, safe='')}/status")
            return (status == 200 and answer["connector"]["state"] == state
                    and [t["state"] for t in answer["tasks"]] == tasks)
        wait_for(f"{name} {state} {tasks}", there, 60)


def act(rest, directory, kafka):
    source = directory / "in.txt"
    source.write_text("one\ntwo\n")

    def create(name, cls, more, **top):
        rest("POST", "connectors", body={"name": name, "config": {"connector.class": cls, **more},
                                         **top})

    create("file-source-1", SOURCE, {"file": str(source), "topic": "lines"})
    rest.await_state("file-source-1", "RUNNING", ["RUNNING"])
    create(STRANGE, SOURCE, {"file": str(source), "topic": "lines2", "note\u00e9": 'a"b\\c\td\u20ac\U0001f600',
                             "empty": ""})
    rest.await_state(STRANGE, "RUNNING", ["RUNNING"])
    wait_for("offsets of both", lambda: len(kafka.read("golden-offsets")) >= 2)
    create("sink", SINK, {"topics": "lines", "file": str(directory / "out.txt"), "tasks.max": "2"})
    rest.await_state("sink", "RUNNING", ["RUNNING", "RUNNING"])
    create("starts-stopped", SOURCE, {"file": str(source), "topic": "lines3"}, initial_state="STOPPED")
    rest.await_state("starts-stopped", "STOPPED", [])
    rest("PUT", "connectors", "sink", "pause")
    rest.await_state("sink", "PAUSED", ["PAUSED", "PAUSED"])
    rest("PUT", "connectors", "sink", "resume")
    rest.await_state("sink", "RUNNING", ["RUNNING", "RUNNING"])
    rest("PUT", "connectors", "sink", "config", body={
        "connector.class": SINK, "topics": "lines", "file": str(directory / "out2.txt"),
        "tasks.max": "1"})
    rest.await_state("sink", "RUNNING", ["RUNNING"])
    rest("POST", "connectors", "file-source-1", "restart", query="?includeTasks=true")
    rest.await_state("file-source-1", "RUNNING", ["RUNNING"])
    rest("PUT", "connectors", STRANGE, "stop")
    rest.await_state(STRANGE, "STOPPED", [])
    rest("PATCH", "connectors", STRANGE, "offsets", body={"offsets": [
        {"partition": {"filename": str(source)}, "offset": {"position": 4}}]})
    rest("PUT", "admin", "loggers", "org.apache.kafka.connect.file", query="?scope=cluster",
         body={"level": "DEBUG"})
    # One that fails: its task cannot open what is a directory.
    create("fails", SINK, {"topics": "lines", "file": str(directory)})
    rest.await_state("fails", "RUNNING", ["FAILED"])
    create("goes", SOURCE, {"file": str(source), "topic": "lines4"})
    rest.await_state("goes", "RUNNING", ["RUNNING"])
    wait_for("its offset", lambda: any('"goes"' in r.key for r in kafka.read("golden-offsets")))
    rest("PUT", "connectors", "goes", "stop")
    rest.await_state("goes", "STOPPED", [])
    rest("DELETE", "connectors", "goes", "offsets")
    rest("DELETE", "connectors", "goes")
    wait_for("goes is gone", lambda: http("GET", f"{rest.url}/connectors/goes/status")[0] == 404)


def cell(text):
    assert text is None or not set(text) & set("\t\r\n"), text
    return "\\N" if text is None else text


def main():
    with tempfile.TemporaryDirectory(prefix="sluice-golden.") as name:
        services = Services(None)
        connect = Connect(services.directory)
        try:
            kafka = services.kafka
            connect.start(kafka.bootstrap, mode="distributed", group="golden",
                          worker={"exactly.once.source.support": "enabled"})
            act(Rest(connect.url), pathlib.Path(name), kafka)
            connect.stop()
            for kind in "configs", "offsets", "status":
                rows = ["\t".join(map(str, (r.partition, r.offset, r.timestamp, cell(r.key),
                                            cell(r.value)))).replace(name, "/data")
                        for r in kafka.read(f"golden-{kind}")]
                (HERE / f"{kind}.tsv").write_text("".join(row + "\n" for row in rows))
        finally:
            connect.stop()
            services.stop()


if __name__ == "__main__":
    main()
