"""Black-box cases of a Connect worker's REST contract, run alike against Java's and sluice's.

A case (cases_*.py) drives one worker and leaves a transcript: what was asked and what came back,
with everything that differs from run to run replaced (context.py). Java's transcripts are kept in
golden.json; tests/e2e/test_conformance.py holds sluice's to them. differences.py names where sluice
answers otherwise on purpose, and why; a difference that is gone must be taken out of it.

    tests/e2e/conformance/main.py --help
"""
