"""What a worker says when it cannot start: words that help, and the exit code."""
import subprocess

from harness import BINARY, equal, free_port, seconds, wait_for

FILE_SOURCE = {"connector.class": "FileStreamSource", "topic": "unused"}
UNREACHABLE = "127.0.0.1:1"  # nothing here needs a broker


def ends(t, worker=None, connectors=None, code=2):
    """A worker that is to end by itself with this code; what it said."""
    process = t.sluice({"bootstrap.servers": UNREACHABLE, **(worker or {})}, connectors, start=False)
    process.start(wait=False)
    equal(process.wait_exit(), code, f"exit code; it said\n{process.log_text()}")
    return process.log_text()


def says(text, *pieces):
    for piece in pieces:
        assert piece in text, f"{piece!r} does not stand in:\n{text}"


def test_usage(t):
    for arguments in ([], ["standalone"], ["standalon", "x"], ["--no-such-option"]):
        run = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60)
        equal(run.returncode, 1, f"exit code of {arguments}")
        says(run.stderr, "usage: sluice standalone worker.properties")
        equal(run.stdout, "", "stdout")


def test_worker_file(t):
    run = subprocess.run([BINARY, "standalone", str(t.directory / "none.properties")],
                         capture_output=True, text=True, timeout=60)
    equal(run.returncode, 2, "exit code")
    says(run.stderr, "none.properties", "No such file")
    says(ends(t, {"key.converter": None}),
         'Missing required configuration \\"key.converter\\" which has no default value', "level=error")
    says(ends(t, {"offset.storage.file.filename": None}), "offset.storage.file.filename")
    says(ends(t, {"inflight.max.records": "many"}), "inflight.max.records", "many")
    says(ends(t, {"listeners": "http://127.0.0.1:99999"}), "99999")


def test_taken_port(t):
    one = t.sluice({"bootstrap.servers": UNREACHABLE})
    says(ends(t, {"listeners": f"http://127.0.0.1:{one.port}"}), str(one.port), "in use")


def test_unknown_worker_key_is_told_with_the_nearest(t):
    worker = t.sluice({"bootstrap.servers": UNREACHABLE, "offset.flush.intervall.ms": "5"})
    says(worker.log_text(), "offset.flush.intervall.ms", "offset.flush.interval.ms")
    equal(worker.stop(), 0, "exit code")


def test_corrupt_offset_file(t):
    for content in (b"\xac\xed\x00\x05sr\x00\x11java.util.HashMap\x05\x07", b"not an offset file",
                    b"{}\n"):
        path = t.directory / "offsets.bad"
        path.write_bytes(content)
        said = ends(t, {"offset.storage.file.filename": path})
        says(said, str(path), "is corrupt", "Restore the file from a backup, or move it away")
        equal(path.read_bytes(), content, "the offset file")


def test_offset_file_that_cannot_be_written(t):
    """It is a folder."""
    said = ends(t, {"offset.storage.file.filename": t.directory})
    says(said, str(t.directory))


def test_connector_files(t):
    bad = {"unknown class": ({"connector.class": "com.example.NoSuchSource"}, ["com.example.NoSuchSource"]),
           "no class": ({"topic": "t"}, ["contains no connector type"]),
           "near class": ({"connector.class": "FileStreamSorce"}, ["FileStreamSorce", "FileStreamSource"]),
           "missing option": ({"connector.class": "FileStreamSource"}, ['\\"topic\\"']),
           "wrong number": ({**FILE_SOURCE, "tasks.max": "0"}, ["tasks.max", "0"]),
           "wrong word": ({**FILE_SOURCE, "errors.tolerance": "some"},
                          ["errors.tolerance", "some", "none", "all"])}
    for what, (config, pieces) in bad.items():
        says(ends(t, connectors={"bad": config}, code=3), "bad", *pieces)
    for content, piece in (("{", "line 1"), ("[1]", ""), ('{"a": {}}', ""), ("a=b", "no name")):
        path = t.file("bad.json", content)
        process = t.sluice({"bootstrap.servers": UNREACHABLE}, start=False)
        process.start(wait=False, tool=())  # writes worker.properties
        process.kill9()
        run = subprocess.run([BINARY, "standalone", process.directory / "worker.properties", path],
                             capture_output=True, text=True, timeout=60)
        equal(run.returncode, 3, f"exit code for {content}: {run.stderr}")
        says(run.stderr, str(path), piece)


def test_plugin_that_cannot_be_loaded(t):
    """Told, and the others work."""
    plugins = BINARY.parent / "plugins"
    (t.directory / "broken.so").write_bytes(b"\x7fELF and no more")
    (t.directory / "text.so").write_text("no object at all")
    worker = t.sluice({"bootstrap.servers": UNREACHABLE, "plugin.path": f"{t.directory},{plugins}"})
    says(worker.log_text(), "broken.so", "text.so")
    classes = [p["class"] for p in worker.rest.ok("GET", "/connector-plugins")]
    assert any("FileStreamSource" in c for c in classes), classes
    worker.stop()
    empty = t.directory / "empty"
    empty.mkdir()
    worker = t.sluice({"bootstrap.servers": UNREACHABLE, "plugin.path": empty})
    says(worker.log_text(), str(empty), "holds no plugin that loads", "that came with sluice")
    worker.rest.create("x", FILE_SOURCE)


def test_validate_names_option_value_valid_ones_and_nearest(t):
    worker = t.sluice({"bootstrap.servers": UNREACHABLE})
    config = {"name": "x", "connector.class": "PostgresConnector", "topic.prefix": "p",
              "database.hostname": "h", "database.user": "u", "database.password": "geheim-7391",
              "database.dbname": "d", "snapshot.mode": "initail", "tasks.max": "none",
              "errors.tolerance": "al"}
    answer = worker.rest.ok("PUT", "/connector-plugins/PostgresConnector/config/validate", config)
    errors = {c["value"]["name"]: " ".join(c["value"]["errors"]) for c in answer["configs"]}
    says(errors["snapshot.mode"], "initail", "snapshot.mode", "initial", "never")
    says(errors["tasks.max"], "none")
    says(errors["errors.tolerance"], "al", "none", "all")
    assert "geheim-7391" not in str(answer) and "geheim-7391" not in worker.log_text()
    status, answer = worker.rest.call("PUT", "/connectors/x/config", config)
    equal(status, 400, "status")
    says(answer["message"], "initail")
    assert "geheim-7391" not in str(answer) and "geheim-7391" not in worker.log_text()
    worker.rest.create("y", {**FILE_SOURCE, "bach.size": "7"})
    wait_for("the unknown key is told", lambda: "bach.size" in worker.log_text(), 20)
    line = next(x for x in worker.log_text().splitlines() if "bach.size" in x)
    says(line, "level=warn", "connector=y", "batch.size")


@seconds(60)
def test_sigterm_without_kafka_is_quick_and_clean(t):
    source = t.file("in.txt", "one\n" * 10)
    worker = t.sluice({"bootstrap.servers": f"127.0.0.1:{free_port()}",
                       "task.shutdown.graceful.timeout.ms": "3000"}, {
        "in": {**FILE_SOURCE, "file": str(source)},
        "out": {"connector.class": "FileStreamSink", "topics": "unused", "file": str(t.directory / "o")},
        "rx": {"connector.class": "FileStreamSink", "topics.regex": "unused.*",
               "file": str(t.directory / "p")},
        "dlq": {"connector.class": "FileStreamSink", "topics": "unused",
                "errors.deadletterqueue.topic.name": "letters", "file": str(t.directory / "q")}})
    for name in worker.connectors:
        trace = wait_for(f"{name} tells its trouble", lambda: (trace := worker.rest.trace(name)) and (
            "brokers" in trace or "letters" in trace) and trace, 30)
        says(trace, "(since 2")
        assert "FAILED" not in worker.rest.states(name), worker.rest.status(name)
    equal(worker.stop(20), 0, "exit code")
