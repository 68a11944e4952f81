"""postgres-cdc against Debezium: the records of tests/golden/cdc/*.json, field by field."""
import os

import cdc_compare
import cdc_golden
import cdc_types
from harness import BINARY


def scenario(name, room=None, **options):
    """room: records that a poll may fill, so that a change of three records is cut in pieces.
    options: further ones, which must make no difference."""

    def test(t):
        if name in cdc_types.SERVERS:
            t.use_postgres(cdc_types.SERVERS[name])
        dump = BINARY.parent / "tests/cdc_dump"
        env = {**os.environ, **({"CDC_DUMP_ROOM": str(room)} if room else {})}
        golden, database = cdc_golden.GOLDEN / f"{name}.json", t.database()
        got, _ = cdc_golden.run(name, t.postgres, database, [dump], t.directory, options,
                                cdc_compare.settled(golden), env=env)
        cdc_compare.check_run(got)
        got = cdc_compare.normalized(got, database)
        wanted = [cdc_golden.corrected(name, r) for r in cdc_compare.load(golden)]
        if name in cdc_golden.BY_TOPIC:
            got.sort(key=lambda r: r["topic"])
            wanted.sort(key=lambda r: r["topic"])
        cdc_compare.compare(got, wanted)

    test.__module__ = __name__
    return test


for _name in cdc_golden.SCENARIOS:
    globals()[f"test_{_name}"] = scenario(_name)

test_changes_one_by_one = scenario("changes", room=1)
test_reselect_one_by_one = scenario("reselect", room=1)
test_truncates_two_by_two = scenario("changes_truncate", room=2)
test_transactions_one_by_one = scenario("transactions", room=1)
test_transactions_three_by_three = scenario("transactions", room=3)
test_types_read_by_threads = scenario("types", **{"snapshot.max.threads": 3})
test_changes_read_by_threads = scenario("changes", room=2, **{"snapshot.max.threads": 2})
