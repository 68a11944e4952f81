"""`sluice ctl` as a user has it, against sluice and against the Java worker, by the same tests."""
import json
import os
import pty
import re
import select
import subprocess

from harness import BINARY, equal, seconds, wait_for

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Ctl:
    """Calls return (exit code, stdout, stderr)."""

    def __init__(self, url, directory):
        self.url, self.directory = url, directory

    def __call__(self, *words, stdin="", **env):
        run = subprocess.run(
            [BINARY, "ctl", *map(str, words)], input=stdin, capture_output=True, text=True,
            timeout=110, cwd=self.directory,
            env={**os.environ, "SLUICE_URL": self.url, "HOME": str(self.directory), **env})
        assert not ESCAPES.search(run.stdout + run.stderr), f"colours without a terminal: {run}"
        return run.returncode, run.stdout, run.stderr

    def ok(self, *words, **how):
        code, out, err = self(*words, **how)
        equal(code, 0, f"exit code of {words}: {out}{err}")
        return out

    def json(self, *words, **how):
        return json.loads(self.ok(*words, "-o", "json", **how))

    def fails(self, code, piece, *words, **how):
        got, out, err = self(*words, **how)
        equal(got, code, f"exit code of {words}: {out}{err}")
        assert piece in err, f"{words}: {err!r} has no {piece!r}"
        return err

    def rows(self, *words, **how):
        """Rows of a table without its heads."""
        return [re.split(r" {2,}", line) for line in self.ok(*words, **how).splitlines()[1:]]


def both(test):
    """The test once per kind of worker."""

    @seconds(200)
    def on_sluice(t):
        worker = t.sluice()
        test(t, Ctl(worker.rest.url, t.directory), worker.rest)

    @seconds(300)
    def on_java(t):
        worker = t.connect("standalone")
        test(t, Ctl(worker.url, t.directory), worker.rest)

    for function, word in ((on_sluice, "sluice"), (on_java, "java")):
        function.__module__ = __name__
        globals()[f"test_{test.__name__}_{word}"] = function
    return test


def source(t, name, **more):
    path = t.file(f"{name}.txt", f"first line of {name}\n")
    return {"connector.class": "FileStreamSource", "file": str(path), "topic": t.topic(name),
            "value.converter": "org.apache.kafka.connect.storage.StringConverter", **more}


@both
def apply_makes_it_so_and_only_that(t, ctl, rest):
    a, b = source(t, "a"), source(t, "b")
    (t.directory / "conf").mkdir()
    flat = t.file("conf/a.json", {"name": "a", **a, "tasks.max": 1})
    request = t.file("conf/b.json", [{"name": "b", "config": b, "initial_state": "paused"}])
    t.file("conf/README", "no connector")
    equal(ctl.ok("apply", "-f", "conf", "--dry-run").splitlines()[0], "a created (dry run)")
    equal(rest.ok("GET", "/connectors"), [])
    equal(ctl.ok("apply", "-f", "conf", "--wait"), "a created\nb created\n")
    equal(rest.states("a"), ["RUNNING", "RUNNING"])
    equal(rest.states("b")[0], "PAUSED")
    equal(ctl.ok("apply", "-f", flat, "-f", request), "a unchanged\nb unchanged\n")
    equal(ctl.json("apply", "-f", "conf"), [{"name": "a", "result": "unchanged"},
                                            {"name": "b", "result": "unchanged"}])
    # Only what differs is touched, and a diff says what that is.
    properties = "".join(f"{k}={v}\n" for k, v in {"name": "a", **a, "batch.size": "7"}.items())
    props = t.file("a.properties", properties)
    shown = ctl.ok("apply", "-f", props, "--dry-run")
    equal(shown.splitlines(), ["a configured (dry run)", "  + batch.size = 7", "  - tasks.max = 1"])
    assert "batch.size" not in rest.ok("GET", "/connectors/a/config")
    equal(ctl.ok("apply", "-f", props, "-f", "-", "--wait", stdin=request.read_text()),
          "a configured\nb unchanged\n")
    equal(rest.ok("GET", "/connectors/a/config"), {"name": "a", **a, "batch.size": "7"})


@both
def apply_checks_everything_first(t, ctl, rest):
    good = {"name": "good", **source(t, "good")}
    bad = {"name": "bad", **source(t, "bad"), "batch.size": "many", "tasks.max": "0"}
    t.file("good.json", good)
    t.file("bad.json", bad)
    err = ctl.fails(2, "nothing was changed", "apply", "-f", "good.json", "-f", "bad.json")
    assert "bad.json: bad: batch.size: Invalid value many" in err, err
    assert "bad.json: bad: tasks.max: Invalid value 0" in err, err
    equal(rest.ok("GET", "/connectors"), [])
    t.file("none.json", {"name": "none", "connector.class": "NoSuchThing"})
    ctl.fails(2, "none.json: none: Failed to find any class", "apply", "-f", "none.json")
    # What is wrong with files is said with the place, before a worker is asked.
    t.file("broken.json", '{"name": "x",\n "file" }')
    ctl.fails(1, "broken.json: line 2", "apply", "-f", "broken.json")
    t.file("nested.json", {"name": "n", "config": {"connector.class": "C", "file": {"x": 1}}})
    ctl.fails(1, "nested.json: ", "apply", "-f", "nested.json")
    t.file("masked.json", {**good, "password": "[hidden]"})
    ctl.fails(1, "password: [hidden] stands for a secret", "apply", "-f", "masked.json")
    ctl.fails(1, "connector good stands in good.json already", "apply", "-f", "good.json", "-f",
              "good.json")
    ctl.fails(1, "cannot open", "apply", "-f", "missing.json")
    code, out, err = ctl("plugins", "validate", "-f", "good.json", "-f", "bad.json")
    equal((code, out), (2, "good is valid\n"))
    equal(rest.ok("GET", "/connectors"), [])


@both
def apply_prunes_within_its_scope(t, ctl, rest):
    for name in ("team-a", "team-b", "other"):
        t.file(f"{name}.json", {"name": name, **source(t, name.replace("-", "_"))})
    ctl.ok("apply", "-f", "team-a.json", "-f", "team-b.json", "-f", "other.json")
    ctl.fails(1, "--match", "apply", "-f", "team-a.json", "--prune")
    ctl.fails(1, "give --yes", "apply", "-f", "team-a.json", "--prune", "--match", "team-*")
    equal(sorted(rest.ok("GET", "/connectors")), ["other", "team-a", "team-b"])
    prune = ("apply", "-f", "team-a.json", "--prune", "--match", "team-*")
    equal(ctl.ok(*prune, "--dry-run"), "team-a unchanged\nteam-b deleted (dry run)\n")
    equal(sorted(rest.ok("GET", "/connectors")), ["other", "team-a", "team-b"])
    equal(ctl.ok(*prune, "--yes"), "team-a unchanged\nteam-b deleted\n")
    equal(sorted(rest.ok("GET", "/connectors")), ["other", "team-a"])
    ctl.ok("apply", "-f", "other.json", "--prune", "--all", "--yes")
    equal(rest.ok("GET", "/connectors"), ["other"])


@both
def life(t, ctl, rest):
    for name in ("one", "two"):
        t.file(f"{name}.json", {"name": name, **source(t, name)})
    ctl.ok("apply", "-f", "one.json", "-f", "two.json", "--wait")
    rows = ctl.rows("list")
    equal([r[:4] for r in rows], [["one", "source", "RUNNING", "1/1 running"],
                                  ["two", "source", "RUNNING", "1/1 running"]])
    equal(ctl.ok("list", "o*", "-o", "name"), "one\n")
    equal(ctl.ok("pause", "one", "--wait"), "one pausing\n")
    equal(rest.states("one"), ["PAUSED", "PAUSED"])
    equal(ctl.ok("list", "--state", "paused", "-o", "name"), "one\n")
    ctl.ok("resume", "--all", "--wait")
    equal(rest.states("one"), ["RUNNING", "RUNNING"])
    ctl.ok("stop", "t?o", "--wait")
    equal(rest.states("two"), ["STOPPED"])
    ctl.ok("resume", "two", "--wait")
    equal(ctl.ok("restart", "one", "two/0", "--wait"), "two/0 restarting\none restarting\n")
    equal(ctl.ok("restart", "one", "--failed"), "one restarting\n")
    ctl.fails(2, "no connector is named like x*", "pause", "x*")
    err = ctl.fails(2, "nope", "pause", "nope", "one", "--wait")
    equal(rest.states("one"), ["PAUSED", "PAUSED"], err)
    ctl.fails(1, "give --yes", "delete", "one")
    ctl.fails(2, "not found", "delete", "nope", "--yes")
    equal(ctl.ok("delete", "nope", "--yes", "--ignore-not-found"), "nope was not there\n")
    equal(ctl.ok("delete", "-f", "one.json", "-y"), "one deleted\n")
    equal(ctl.json("delete", "--all", "-y"), ["two"])
    equal(rest.ok("GET", "/connectors"), [])


@both
def a_failed_task_is_seen_and_waited_for(t, ctl, rest):
    nowhere = str(t.directory / "no/such/directory/file")
    t.file("bad.json", {"name": "bad", "connector.class": "FileStreamSink", "file": nowhere,
                        "topics": t.topic("bad")})
    code, out, err = ctl("apply", "-f", "bad.json", "--wait")
    equal((code, out), (4, "bad created\n"), err)
    assert "bad/0 is FAILED: " in err and nowhere in err, err
    row = ctl.rows("list", "--state", "failed")[0]
    equal(row[:4], ["bad", "sink", "RUNNING", "0/1 running, 1 failed"])
    equal(ctl.ok("list", "--state", "running", "-o", "name"), "bad\n")  # the connector is
    text = ctl.ok("describe", "bad")
    assert "FAILED" in text and nowhere in text, text
    code, out, err = ctl("restart", "bad", "--failed", "--wait")
    equal(code, 4, err)


@both
def configs_and_secrets(t, ctl, rest):
    secret = "s3cret-value"
    t.file("c.json", {"name": "c", **source(t, "c", **{
        "database.password": secret, "some.token": secret,
        "connection.url": f"jdbc:x://ann:{secret}@h/db?password={secret}&ssl=on"})})
    ctl.ok("apply", "-f", "c.json", "--wait")
    for words in (("config", "get", "c"), ("describe", "c"), ("describe", "c", "--full"),
                  ("config", "get", "c", "-o", "json"), ("describe", "c", "-o", "json"),
                  ("list", "-o", "json"), ("config", "get", "c", "some.token")):
        shown = ctl.ok(*words)
        assert secret not in shown, f"{words} show the secret: {shown}"
    equal(ctl.json("config", "get", "c")["connection.url"],
          "jdbc:x://ann:[hidden]@h/db?password=[hidden]&ssl=on")
    equal(ctl.ok("config", "get", "c", "some.token", "--show-secrets"), secret + "\n")
    ctl.fails(2, "has no key nope", "config", "get", "c", "nope")
    equal(ctl.ok("config", "set", "c", "batch.size=9", "some.token=other", "--dry-run").splitlines(),
          ["c configured (dry run)", "  + batch.size = 9", "  ~ some.token: [hidden], another one"])
    equal(ctl.ok("config", "set", "c", "batch.size=9", "some.token=other", "--wait"), "c configured\n")
    config = rest.ok("GET", "/connectors/c/config")
    equal((config["batch.size"], config["some.token"]), ("9", "other"))
    equal(config["database.password"], secret)
    equal(ctl.ok("config", "set", "c", "batch.size=9"), "c unchanged\n")
    equal(ctl.ok("config", "unset", "c", "batch.size"), "c configured\n")
    assert "batch.size" not in rest.ok("GET", "/connectors/c/config")
    ctl.fails(2, "batch.size: Invalid value x", "config", "set", "c", "batch.size=x")
    ctl.fails(1, "KEY=VALUE", "config", "set", "c", "batch.size")
    editor = t.file("editor.sh", "sed -i 's/\"other\"/\"third\"/' \"$1\"\n")
    equal(ctl.ok("config", "edit", "c", EDITOR=f"sh {editor}", VISUAL=""), "c configured\n")
    equal(rest.ok("GET", "/connectors/c/config")["some.token"], "third")
    equal(ctl.ok("config", "edit", "c", EDITOR="true", VISUAL=""), "c unchanged\n")
    ctl.fails(1, "nothing was changed", "config", "edit", "c", EDITOR="false", VISUAL="")


@both
def offsets(t, ctl, rest):
    config = source(t, "o")
    t.file("o.json", {"name": "o", **config})
    ctl.ok("apply", "-f", "o.json", "--wait")
    wait_for("an offset", lambda: rest.ok("GET", "/connectors/o/offsets")["offsets"])
    row = ctl.rows("offsets", "get", "o")[0]
    equal(row, [f"filename={config['file']}", "position=16"])
    saved = ctl.json("offsets", "get", "o")
    saved["offsets"][0]["offset"]["position"] = 6
    changed = t.file("offsets.json", saved)
    ctl.fails(2, "sluice ctl stop NAME", "offsets", "set", "o", "-f", changed)
    ctl.ok("stop", "o", "--wait")
    assert "altered" in ctl.ok("offsets", "set", "o", "-f", changed)
    wait_for("the new offset", lambda: ctl.json("offsets", "get", "o") == saved)
    ctl.fails(1, "give --yes", "offsets", "reset", "o")
    assert "reset" in ctl.ok("offsets", "reset", "o", "--yes")
    wait_for("no offsets", lambda: ctl.json("offsets", "get", "o")["offsets"] == [])
    ctl.fails(1, '"offsets"', "offsets", "set", "o", "-f", "-", stdin="{}")


@both
def plugins_loggers_and_top(t, ctl, rest):
    classes = [row[0] for row in ctl.rows("plugins", "list")]
    assert "org.apache.kafka.connect.file.FileStreamSourceConnector" in classes, classes
    assert len(ctl.rows("plugins", "list", "--all")) > len(classes)
    options = {row[0]: row for row in ctl.rows("plugins", "describe", "FileStreamSource")}
    equal(options["topic"][2], "required")
    ctl.fails(2, "Unknown plugin nope.", "plugins", "describe", "nope")
    assert "root" in [row[0] for row in ctl.rows("logs", "level")]
    ctl.ok("logs", "level", "root", "DEBUG")
    equal(ctl.ok("logs", "level", "root", "-o", "name"), "DEBUG\n")
    ctl.ok("logs", "level", "root", "INFO")
    ctl.fails(2, "invalid log level", "logs", "level", "root", "zz")
    t.file("x.json", {"name": "x", **source(t, "x")})
    ctl.ok("apply", "-f", "x.json", "--wait")
    row = ctl.rows("top", "--once", "-i", "0.2")[0]
    equal(row[:4], ["x", "source", "RUNNING", "1/1"])
    equal(len(row), 8 if "sluice" in t.name else 4, "columns: only sluice has rates")
    assert "Kafka cluster" in ctl.ok("info")
    equal(ctl.ok("__complete", "describe", ""), "x\n")
    equal(ctl.ok("__complete", "logs", "level", "roo"), "root\n")


def terminal(ctl, words, until):
    """What a terminal gets to see until a piece of text is there; then q and Enter are typed."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(SLUICE_URL=ctl.url, TERM="xterm")
        os.environ.pop("NO_COLOR", None)
        os.execv(BINARY, [str(BINARY), "ctl", *words])
    seen = b""
    try:
        while until.encode() not in seen:
            ready, _, _ = select.select([fd], [], [], 30)
            assert ready, f"the terminal shows nothing more: {seen}"
            seen += os.read(fd, 65536)
        os.write(fd, b"q\n")
        while True:
            try:
                piece = os.read(fd, 65536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            seen += piece
    finally:
        os.close(fd)
        _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), seen.decode()


def test_terminal(t):
    worker = t.sluice()
    ctl = Ctl(worker.rest.url, t.directory)
    t.file("x.json", {"name": "x", **source(t, "x")})
    ctl.ok("apply", "-f", "x.json", "--wait")
    code, seen = terminal(ctl, ["list"], "RUNNING")
    equal(code, 0)
    assert "\x1b[32mRUNNING\x1b[0m" in seen, repr(seen)
    code, seen = terminal(ctl, ["top"], "SOURCE/S")
    equal(code, 0)
    assert seen.startswith("\x1b[?1049h") and seen.rstrip().endswith("\x1b[?1049l"), repr(seen)
    # A question is asked, and no is no.
    code, seen = terminal(ctl, ["delete", "x"], "[y/N]")
    equal(worker.rest.ok("GET", "/connectors"), ["x"], seen)


def test_whom_it_asks(t):
    worker = t.sluice()
    ctl = Ctl("http://127.0.0.1:1", t.directory)
    ctl.fails(3, "SLUICE_URL", "list")
    equal(ctl.ok("list", "-u", f"127.0.0.1:1,{worker.rest.url}/", "-o", "name"), "")
    ctl.fails(1, "everybody sees a command line", "list", "--user", "ann:secret")
    ctl.fails(1, "did you mean describe?", "decsribe", "x")
    ctl.fails(1, "did you mean --output?", "list", "--outptu", "json")
    context = t.directory / "ctl.json"
    context.write_text(json.dumps({"current": "it", "contexts": {
        "it": {"url": worker.rest.url, "output": "json"}, "typo": {"ulr": "x"}}}))
    equal(json.loads(Ctl("", t.directory).ok("list", SLUICE_CTL_CONFIG=str(context))), [])
    ctl.fails(1, "ulr is not known", "list", "--context", "typo", SLUICE_CTL_CONFIG=str(context))
    ctl.fails(1, "has no context x", "list", "--context", "x", SLUICE_CTL_CONFIG=str(context))
    # Somebody else's server is told apart from a worker.
    kafka = t.kafka.bootstrap
    code, _, err = ctl("list", "-u", f"http://{kafka}", "--request-timeout", "2")
    equal(code, 3, err)


@seconds(300)
def test_a_java_cluster(t):
    """What a distributed worker has and a standalone one has not: topics, sink offsets, levels of all
    workers, and statuses that come a moment later."""
    worker = t.connect("distributed", group=t.unique("group"))
    ctl = Ctl(worker.url, t.directory)
    config = source(t, "in")
    sink = {"name": "out", "connector.class": "FileStreamSink", "topics": config["topic"],
            "file": str(t.directory / "out.txt"), "value.converter": config["value.converter"]}
    t.file("all.json", [{"name": "in", **config}, sink])
    equal(ctl.ok("apply", "-f", "all.json", "--wait"), "in created\nout created\n")
    equal(ctl.ok("apply", "-f", "all.json"), "in unchanged\nout unchanged\n")
    wait_for("the offset of the sink", lambda: ctl.json("offsets", "get", "out")["offsets"], 60)
    equal(ctl.rows("offsets", "get", "out"), [[config["topic"], "0", "1"]])
    wait_for("its topic", lambda: ctl.json("describe", "out")["topics"] == [config["topic"]])
    equal(ctl.ok("logs", "level", "org.x", "DEBUG", "--cluster"),
          "org.x is at DEBUG on every worker of the cluster\n")
    ctl.ok("config", "set", "in", "batch.size=5", "--wait")
    ctl.ok("stop", "--all", "--wait")
    equal([row[2] for row in ctl.rows("list")], ["STOPPED", "STOPPED"])
    equal(ctl.ok("delete", "--all", "-y"), "in deleted\nout deleted\n")
