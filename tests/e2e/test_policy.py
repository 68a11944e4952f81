"""What is retried, tolerated and logged; config providers and their secrets; which client properties
a connector may override."""
import json
import subprocess
import time

from harness import BINARY, ROOT, equal, seconds, wait_for
from test_dead_letters import context, file_source, letters_to, lines, sink

PACKAGE = "org.apache.kafka.common.config.provider."


def metric(worker, name, connector):
    want = f'kafka_connect_task_error_metrics_{name}{{connector="{connector}",task="0"}} '
    text = worker.rest.call("GET", "/metrics")[1]
    return int(next(x for x in text.splitlines() if x.startswith(want)).rsplit(" ", 1)[1])


def flaky(t):
    """plugin.path with the transform, its config, and the file that makes it fail."""
    plugin, down = t.directory / "flaky.so", t.file("down", "")
    subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-std=c11", f"-I{ROOT}/include",
                    "-o", plugin, ROOT / "tests/e2e/flaky.c"], check=True)
    return ({"plugin.path": f"{plugin},{BINARY.parent / 'plugins'}"},
            {"transforms": "f", "transforms.f.type": "org.example.Flaky", "transforms.f.down.file": str(down),
             "errors.retry.delay.max.ms": "400"}, down)


@seconds(90)
def test_sink_retries_and_keeps_its_place(t):
    worker_props, config, down = flaky(t)
    topic = t.topic("retried")
    t.kafka.produce(topic, [(None, f'{{"n": {i}}}') for i in range(10)], partition=0)
    worker = t.sluice(worker_props, {topic: {**sink(t, topic), **config, "errors.retry.timeout": "-1",
                                             "consumer.override.max.poll.interval.ms": "8000",
                                             "consumer.override.session.timeout.ms": "6000"}})
    wait_for("it tells what it retries", lambda: "the registry is away; trying again" in worker.rest.trace(topic))
    assert "stage TRANSFORMATION (org.example.Flaky)" in worker.rest.trace(topic)
    time.sleep(10)  # longer than max.poll.interval.ms
    equal(lines(t), [], "lines")
    equal(worker.rest.states(topic), ["RUNNING", "RUNNING"], "states")
    wait_for("some tries", lambda: metric(worker, "total_retries", topic) >= 10)
    down.unlink()
    wait_for("all lines", lambda: lines(t) == [f"{{n={i}}}" for i in range(10)])
    assert "lost 1 partitions" not in worker.log_text(), "it fell out of its group"
    wait_for("trouble is over", lambda: worker.rest.trace(topic) == "")
    equal(metric(worker, "total_record_errors", topic), 0, "errors")
    equal(worker.stop(), 0, "exit code")


def test_retries_end_at_the_timeout_and_a_stop_cuts_them(t):
    worker_props, config, down = flaky(t)
    topic, letters = t.topic("late"), t.unique("letters")
    t.cleanup(lambda: t.kafka.wire.delete_topics([letters]))
    t.kafka.produce(topic, [(None, '{"n": 1}')], partition=0)
    began = time.monotonic()
    worker = t.sluice(worker_props, {topic: {**sink(t, topic, **letters_to(letters, "all")), **config,
                                             "errors.retry.timeout": "1500"}})
    t.kafka.wait_count(letters, 1)
    assert time.monotonic() - began >= 1.5, "too early"
    say = context(t.kafka.read(letters)[0])
    equal((say["stage"], say["class.name"], say["exception.class.name"], say["exception.message"]),
          ("TRANSFORMATION", "org.example.Flaky", "org.apache.kafka.connect.errors.RetriableException",
           "the registry is away"), "context")
    names = "total_record_errors", "total_records_skipped", "deadletterqueue_produce_requests"
    wait_for("the counts", lambda: [metric(worker, m, topic) for m in names] == [1, 1, 1])  # after the letter
    assert metric(worker, "total_record_failures", topic) >= 2
    at, now = metric(worker, "last_error_timestamp", topic), time.time()
    assert (now - (time.monotonic() - began)) * 1000 - 1 <= at <= now * 1000 + 1, (at, began, now)
    # Without end: a stop cuts the wait, and nothing is committed.
    worker.rest.create(topic, {**sink(t, topic), **config, "errors.retry.timeout": "-1",
                               "errors.retry.delay.max.ms": "3600000"})
    t.kafka.produce(topic, [(None, '{"n": 2}')], partition=0)
    wait_for("it waits", lambda: "trying again" in worker.rest.trace(topic))
    equal(worker.stop(), 0, "exit code")
    equal(t.kafka.lag(f"connect-{topic}", [topic]), 1, "uncommitted records")


def test_source_retries_and_names_what_failed(t):
    worker_props, config, down = flaky(t)
    topic = t.topic("source")
    path = t.file("in.txt", "".join(f"line {i}\n" for i in range(50)))
    worker = t.sluice(worker_props, {"in": {**file_source(t, topic, path), **config, "errors.retry.timeout": "-1"}})
    wait_for("it tells what it retries", lambda: "trying again" in worker.rest.trace("in"))
    down.unlink()
    t.kafka.wait_count(topic, 50)
    equal([r.value for r in t.kafka.read(topic)], [f"line {i}" for i in range(50)], "records, in order")
    down.write_text("")
    strict = {**file_source(t, topic, path), **config, "errors.log.enable": "true",
              "errors.log.include.messages": "true"}
    worker.rest.create("strict", strict)
    trace = worker.rest.wait_failed("strict")
    for piece in (topic, f"{{filename={path}}}", "{position=7}", "TRANSFORMATION", "org.example.Flaky",
                  "the registry is away"):
        assert piece in trace, trace
    assert (f"Error encountered in task strict-0. Executing stage 'TRANSFORMATION' with class 'org.example.Flaky', "
            f"where source record is = SourceRecord{{sourcePartition={{filename={path}}}, "
            f"sourceOffset={{position=7}}}} ConnectRecord{{topic='{topic}'}}.") in worker.log_text()
    # Tolerated: all are skipped, and none of them twice.
    worker.rest.create("tolerant", {**strict, "errors.tolerance": "all"})
    wait_for("all are skipped", lambda: metric(worker, "total_records_skipped", "tolerant") == 50)
    equal(metric(worker, "total_errors_logged", "tolerant"), 50, "logged")
    equal(t.kafka.count(topic), 50, "records")
    equal(worker.stop(), 0, "exit code")


# ---- config providers ----

def leak_free(secrets, *texts):
    for text in texts:
        for secret in secrets:
            assert secret not in text, f"{secret} stands in: ...{text[max(0, text.index(secret) - 200):][:400]}"


def test_variables_are_resolved_in_memory_only(t):
    topic, secret = t.topic("vars"), "geheim-7391-topic"
    out = t.directory / "secret-out-4711.txt"
    t.file("s.properties", f"file={out}\npassword={secret}\ntopic={topic}\ntasks=1\nfactor=many\n")
    (t.directory / "mounted").mkdir()
    (t.directory / "mounted" / "converter").write_text("org.apache.kafka.connect.storage.StringConverter")
    props = f"{t.directory}/s.properties"
    config = {"connector.class": "FileStreamSink", "file": f"${{file:{props}:file}}",
              "topics": f"${{file:{props}:topic}}", "tasks.max": f"${{file:{props}:tasks}}",
              "value.converter": f"${{dir:{t.directory}/mounted:converter}}", 
              "key.converter": "org.apache.kafka.connect.storage.StringConverter",
              "unknown.to.all": "${nobody:a:b}",
              "consumer.override.client.rack": f"${{file:{props}:password}}"}
    worker = t.sluice({"config.providers": "file,dir", "config.providers.file.class": PACKAGE + "FileConfigProvider",
                       "config.providers.dir.class": "DirectoryConfigProvider",
                       "config.providers.file.param.allowed.paths": str(t.directory),
                       "producer.client.rack": f"${{file:{props}:password}}"}, {topic: config})
    t.kafka.produce(topic, [(None, "one"), (None, "two")], partition=0)
    wait_for("both lines", lambda: out.exists() and out.read_text().split() == ["one", "two"])
    rest = worker.rest
    equal(rest.ok("GET", f"/connectors/{topic}/config"), {**config, "name": topic}, "config")
    tasks = rest.ok("GET", f"/connectors/{topic}/tasks")
    equal(tasks[0]["config"]["file"], config["file"], "the task's file")
    answers = [rest.ok("GET", f"/connectors/{topic}{p}") for p in ("", "/config", "/tasks", "/status")]
    answers.append(rest.call("GET", f"/connectors/{topic}/offsets"))
    answers += [rest.ok("GET", "/connectors?expand=info&expand=status"),
                rest.ok("PUT", "/connector-plugins/FileStreamSink/config/validate", {**config, "name": "v"})]
    equal(answers[-1]["error_count"], 0, "errors of validate")
    # Wrong values from the provider: the key is named, the value is not.
    bad = {**config, "errors.retry.timeout": f"${{file:{props}:password}}", "tasks.max": f"${{file:{props}:factor}}"}
    answer = rest.ok("PUT", "/connector-plugins/FileStreamSink/config/validate", {**bad, "name": "v"})
    errors = {c["value"]["name"]: c["value"]["errors"] for c in answer["configs"] if c["value"]["errors"]}
    assert "[hidden]" in errors["tasks.max"][0] and "Not a number" in errors["tasks.max"][0], errors
    assert "[hidden]" in errors["errors.retry.timeout"][0], errors
    status, refusal = rest.call("PUT", "/connectors/bad/config", bad)
    equal(status, 400, "status")
    # A file that is gone is told by validation and by a task that starts.
    status, gone = rest.call("PUT", "/connectors/bad/config", {**config, "file": "${file:" + props + "x:file}"})
    equal(status, 400, "status")
    assert "s.propertiesx" in gone["message"] and "No such file" in gone["message"], gone
    # What fails at the secret does not tell it.
    (t.directory / "s.properties").write_text(f"file={t.directory}/none-4711/x\ntopic={topic}\ntasks=1\npassword={secret}\n")
    rest.ok("POST", f"/connectors/{topic}/tasks/0/restart")
    trace = rest.wait_failed(topic)
    assert "[hidden]" in trace, trace
    answers += [answer, refusal, gone, rest.status(topic)]
    equal(worker.stop(), 0, "exit code")
    secrets = [secret, str(out), "none-4711"]
    leak_free(secrets, worker.log_text(), trace, *[json.dumps(a) for a in answers])
    for file in worker.directory.rglob("*"):
        if file.is_file():
            leak_free(secrets, file.read_bytes().decode("latin-1"))


def test_environment_provider(t):
    import os
    os.environ["SLUICE_E2E_FILE"] = str(t.directory / "env-out-998.txt")
    os.environ["HIDDEN_E2E_FILE"] = "not-to-be-read-3"
    topic = t.topic("env")
    t.kafka.produce(topic, [(None, "one")], partition=0)
    string = "org.apache.kafka.connect.storage.StringConverter"
    config = {"connector.class": "FileStreamSink", "file": "${env:SLUICE_E2E_FILE}", "topics": topic,
              "key.converter": string, "value.converter": string}
    worker = t.sluice({"config.providers": "env", "config.providers.env.class": PACKAGE + "EnvVarConfigProvider",
                       "config.providers.env.param.allowlist.pattern": "^SLUICE_"}, {topic: config})
    out = t.directory / "env-out-998.txt"
    wait_for("the line", lambda: out.exists() and out.read_text() == "one\n")
    status, answer = worker.rest.call("PUT", "/connectors/x/config", {**config, "file": "${env:some/path:X}"})
    equal(status, 400, "status")
    assert "Path is not supported for EnvVarConfigProvider" in answer["message"], answer
    equal(worker.stop(), 0, "exit code")
    leak_free(["env-out-998", "not-to-be-read-3"], worker.log_text())


def test_worker_that_misses_a_provider(t):
    for props, piece in (({"config.providers": "v"}, "config.providers.v.class"),
                         ({"config.providers": "v", "config.providers.v.class": "VaultConfigProvider"}, "FileConfigProvider"),
                         ({"config.providers": "f", "config.providers.f.class": "FileConfigProvider",
                           "producer.client.id": "${f:/none/such:x}"}, "/none/such")):
        process = t.sluice(props, start=False)
        process.start(wait=False)
        equal(process.wait_exit(), 2, f"exit code; it said\n{process.log_text()}")
        assert piece in process.log_text(), process.log_text()


# ---- overrides ----

def test_override_policies(t):
    topic = t.topic("override")
    path = t.file("in.txt", "x\n")
    policies = {"None": ["linger.ms", "sasl.jaas.config"], "Principal": ["linger.ms"], None: []}
    for policy, forbidden in policies.items():
        worker = t.sluice({"connector.client.config.override.policy": policy} if policy else {})
        config = {**file_source(t, topic, path), "producer.override.linger.ms": "5", "name": "c",
                  "consumer.override.client.id": "no source has a consumer"}
        if policy:
            config["producer.override.sasl.jaas.config"] = (
                "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\"p\";")
        status, answer = worker.rest.call("PUT", "/connectors/c/config", config)
        equal(status, 400 if forbidden else 201, f"{policy}: {answer}")
        for key in forbidden:
            text = f"The '{policy}' policy does not allow '{key}' to be overridden in the connector configuration."
            assert text in answer["message"], answer
        infos = worker.rest.ok("PUT", "/connector-plugins/FileStreamSource/config/validate", config)
        equal(infos["error_count"], len(forbidden), "error_count")
        wrong = [c["value"]["name"] for c in infos["configs"] if c["value"]["errors"]]
        equal(sorted(wrong), sorted(f"producer.override.{k}" for k in forbidden), "keys")
        equal(worker.stop(), 0, "exit code")
    process = t.sluice({"connector.client.config.override.policy": "Some"}, start=False)
    process.start(wait=False)
    equal(process.wait_exit(), 2, f"exit code; it said\n{process.log_text()}")
    assert "there are All, None and Principal" in process.log_text(), process.log_text()
