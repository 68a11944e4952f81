"""Finds the cases, runs them on a target, compares transcripts."""
import importlib
import json
import pathlib
import pprint
import difflib
import traceback

from conformance.context import Context

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE / "golden.json"


def cases(pattern=""):
    """{name: function}, those of one set of worker properties next to each other."""
    found = {}
    for path in sorted(HERE.glob("cases_*.py")):
        module = importlib.import_module(f"conformance.{path.stem}")
        for name, function in vars(module).items():
            if getattr(function, "is_case", False) and pattern in f"{path.stem}.{name}":
                assert name not in found, f"two cases are called {name}"
                found[name] = function
    return found


def run(kind, kafka, directory, pattern="", report=print):
    """({case: transcript}, {case: why it broke off}) of all cases on workers of this kind."""
    groups, done, broken = {}, {}, {}
    for name, function in cases(pattern).items():
        if function.only == "distributed" and not kind.distributed:
            continue
        groups.setdefault(json.dumps(function.worker, sort_keys=True), []).append((name, function))
    for number, (worker, members) in enumerate(sorted(groups.items())):
        target = kind(kafka, directory, json.loads(worker), number)
        topics = []
        target.start()
        try:
            for name, function in members:
                context = Context(target, name, pathlib.Path(directory) / kind.label)
                try:
                    function(context)
                except Exception:
                    broken[name] = traceback.format_exc()
                context.finish()
                topics += context.topics
                done[name] = context.transcript
                report(f"{kind.label} {name}: " + ("broke off" if name in broken else
                                                   f"{len(context.transcript)} steps"))
        finally:
            target.stop()
            # a broker that starts again reads them all
            kafka.wire.delete_topics([*topics, *target.internal_topics()])
    return done, broken


def golden():
    return json.loads(GOLDEN.read_text())["cases"]


def differences(name, wanted, got):
    """[(step, text of the difference)] of two transcripts."""
    found = []
    for i in range(max(len(wanted), len(got))):
        a, b = (t[i] if i < len(t) else None for t in (wanted, got))
        if a == b:
            continue
        step = (a or b).get("do") or (a or b)["note"]
        lines = [pprint.pformat(v, width=110).splitlines() for v in (a, b)]
        diff = difflib.unified_diff(*lines, "java", "sluice", lineterm="", n=1)
        found.append((f"{name}/{i} {step}", "\n".join(diff)))
    return found


def compare(wanted, got, allowed):
    """(what differs and may not, allowed differences that do not occur)."""
    bad, seen = [], set()
    for name in sorted(got):
        for step, text in differences(name, wanted.get(name, []), got[name]):
            key = next((a for a in allowed if step == a or step.startswith(a + " ")), None)
            if key:
                seen.add(key)
            else:
                bad.append(f"{step}\n{text}")
    unused = [a for a in allowed if a not in seen and a.split("/")[0] in got]
    return bad, unused
