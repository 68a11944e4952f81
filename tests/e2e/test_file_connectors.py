"""Lines of a file to Kafka and back into a file: with nothing lost over kill -9."""
import time

from harness import equal, wait_for

CONVERTERS = {k: "org.apache.kafka.connect.storage.StringConverter"
              for k in ("key.converter", "value.converter")}


def configs(t, topic, source, sink):
    """Names of their own, because a group remembers a killed member until its session ends."""
    return {
        f"in-{topic}": {"connector.class": "FileStreamSource", "file": str(source),
                        "topic": topic, **CONVERTERS},
        f"out-{topic}": {"connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
                         "file": str(sink), "topics": topic,
                         "consumer.override.session.timeout.ms": "6000", **CONVERTERS},
    }


def lines_of(path):
    return path.read_text().splitlines() if path.exists() else []


def append(path, begin, end):
    with open(path, "a", encoding="utf-8") as out:
        out.writelines(f"line {i} – ü 😀\n" for i in range(begin, end))


def once_in_order(lines):
    """Each line where it first came."""
    return list(dict.fromkeys(lines))


def test_lines_survive_kill_9(t):
    source, sink = t.directory / "in.txt", t.directory / "out.txt"
    worker = t.sluice(connectors=configs(t, t.topic("lines"), source, sink), start=False)
    append(source, 0, 1000)
    for round in range(1, 6):
        worker.start()
        append(source, round * 1000, (round + 1) * 1000)
        time.sleep(0.2 * round)
        worker.kill9()
    worker.start()
    wanted = [f"line {i} – ü 😀" for i in range(6000)]
    wait_for("all lines", lambda: len(set(lines_of(sink))) >= len(wanted), 60)
    equal(once_in_order(lines_of(sink)), wanted, "lines")


def test_a_clean_stop_repeats_nothing(t):
    source, sink = t.directory / "in.txt", t.directory / "out.txt"
    worker = t.sluice(connectors=configs(t, t.topic("lines"), source, sink), start=False)
    for round in range(3):
        append(source, round * 500, (round + 1) * 500)
        worker.start()
        wait_for("the lines", lambda: len(lines_of(sink)) >= (round + 1) * 500, 30)
        equal(worker.stop(), 0, "exit code")
    equal(lines_of(sink), [f"line {i} – ü 😀" for i in range(1500)], "lines")


def test_wrong_options_are_named(t):
    worker = t.sluice()
    status, answer = worker.rest.call("PUT", "/connectors/x/config", {
        "connector.class": "FileStreamSource", "batch.size": "0"})
    equal(status, 400, "status")
    for piece in ('Missing required configuration "topic" which has no default value.',
                  "Invalid value 0 for configuration batch.size: Value must be at least 1"):
        assert piece in answer["message"], answer
    status, answer = worker.rest.call("PUT", "/connectors/x/config", {
        "connector.class": "FileStreamSorce", "topic": "t"})
    equal(status, 400, "status")
    assert "FileStreamSorce" in answer["message"], answer
