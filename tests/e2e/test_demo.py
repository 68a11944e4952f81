"""make demo, as a person runs it: every file of configs/, start to end."""
import os
import subprocess
import sys

from harness import PATIENCE, ROOT, seconds


@seconds(300)
def test_demo_ends_with_equal_counts(t):
    run = subprocess.run([sys.executable, ROOT / "scripts/demo.py", "--seconds", "6"],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         env={**os.environ, "SLUICE_PATIENCE": str(PATIENCE)})
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    for config in (ROOT / "configs/connectors").glob("*.json"):
        assert f"submitted {config.relative_to(ROOT)}" in run.stdout, config
    assert "all counts are equal" in run.stdout, run.stdout[-3000:]
    assert run.stdout.count(" running: ") >= 1, "a line a second, on a machine that is not busy"
