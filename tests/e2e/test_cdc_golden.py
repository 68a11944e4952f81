"""postgres-cdc against Debezium: the records of tests/golden/cdc/*.json, field by field."""
import os

import cdc_golden
from harness import BINARY, equal


def scenario(name, room=None, **options):
    """room: records that a poll may fill, so that a change of three records is cut in pieces.
    options: further ones, which must make no difference."""

    def test(t):
        dump = BINARY.parent / "tests/cdc_dump"
        env = {**os.environ, **({"CDC_DUMP_ROOM": str(room)} if room else {})}
        got = cdc_golden.run(name, t.postgres, t.database(), [dump], t.directory, env=env, extra=options)
        wanted = [cdc_golden.corrected(name, r)
                  for r in cdc_golden.load(cdc_golden.GOLDEN / f"{name}.json")]
        if name in cdc_golden.NOTICES:  # they come beside the rows, not among them
            got.sort(key=lambda r: r["topic"])
            wanted.sort(key=lambda r: r["topic"])
        equal([(r["topic"], r["key"] and r["key"]["payload"]) for r in got],
              [(r["topic"], r["key"] and r["key"]["payload"]) for r in wanted], "topics and keys")
        for g, w in zip(got, wanted):
            equal(g, w, f"{w['topic']} {w['key'] and w['key']['payload']}")

    test.__module__ = __name__
    return test


for _name in cdc_golden.SCENARIOS:
    globals()[f"test_{_name}"] = scenario(_name)

test_changes_one_by_one = scenario("changes", room=1)
test_truncates_two_by_two = scenario("changes_truncate", room=2)
test_transactions_one_by_one = scenario("transactions", room=1)
test_transactions_three_by_three = scenario("transactions", room=3)
test_types_read_by_threads = scenario("types", **{"snapshot.max.threads": 3})
test_changes_read_by_threads = scenario("changes", room=2, **{"snapshot.max.threads": 2})
