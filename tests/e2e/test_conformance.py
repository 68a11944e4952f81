"""sluice's answers held to those that a Java worker gave: see conformance/."""
import shutil

from conformance import differences, runner
from conformance.targets import TARGETS
from harness import seconds


def held(t, label):
    directory = t.directory / "cases"
    done, broken = runner.run(TARGETS[label], t.kafka, directory, report=lambda line: None)
    bad, unused = runner.compare(runner.golden(), done, differences.allowed(label))
    assert not broken, "\n".join(f"{name} broke off:\n{why}" for name, why in broken.items())
    assert not bad, f"{len(bad)} answers differ from Java's:\n" + "\n".join(bad)
    assert not unused, f"these do not differ any more, take them out of differences.py: {unused}"
    missing = set(runner.golden()) - set(done) if TARGETS[label].distributed else set()
    assert not missing, f"Java's answers of cases that are no more: {sorted(missing)}"
    shutil.rmtree(directory, ignore_errors=True)


@seconds(400)
def test_standalone(t):
    held(t, "standalone")


@seconds(400)
def test_distributed(t):
    held(t, "distributed")


@seconds(400)
def test_follower(t):
    held(t, "follower")
