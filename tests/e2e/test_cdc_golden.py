"""postgres-cdc against Debezium: the records of tests/golden/cdc/*.json, field by field."""
import cdc_golden
from harness import BINARY, equal


def scenario(name):
    def test(t):
        dump = BINARY.parent / "tests/cdc_dump"
        got = cdc_golden.run(name, t.postgres, t.database(), [dump], t.directory)
        wanted = [cdc_golden.corrected(name, r)
                  for r in cdc_golden.load(cdc_golden.GOLDEN / f"{name}.json")]
        equal([(r["topic"], r["key"] and r["key"]["payload"]) for r in got],
              [(r["topic"], r["key"] and r["key"]["payload"]) for r in wanted], "topics and keys")
        for g, w in zip(got, wanted):
            equal(g, w, f"{w['topic']} {w['key'] and w['key']['payload']}")

    test.__module__ = __name__
    return test


for _name in cdc_golden.SCENARIOS:
    globals()[f"test_{_name}"] = scenario(_name)
