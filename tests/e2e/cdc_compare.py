"""Records of two connectors side by side: what cannot be equal, and how golden files keep the rest.

Clocks and versions keep only whether they are there. Positions and transaction ids become their
rank among those of the same run, so that order and equality are compared. Both are the same when
done twice; golden files hold records that went through it.
"""
import json
import re
import time

from harness import equal

CLOCKS = {"ts_ms", "ts_us", "ts_ns", "version"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def payload_of(record):
    return (record["value"] or {}).get("payload") or {}


def source_of(record):
    return payload_of(record).get("source") or {}


def notice(payload, key):
    """Ids of their own, clocks, and the order of a Java set; what is left is to be equal."""
    payload["timestamp"] = True
    if len(payload["id"]) == 36:
        payload["id"] = key["id"] = "uuid"
    data = payload["additional_data"]
    if data.get("data_collections"):
        data["data_collections"] = ",".join(sorted(data["data_collections"].split(",")))
    payload["additional_data"] = dict(sorted(data.items()))


def mask_clocks(payload):
    for part in (payload, payload.get("source") or {}):
        for key in CLOCKS & part.keys():
            part[key] = part[key] is not None and part[key] is not False  # saved ones are so already


def mask_chunks(record, payload):
    """The marks of incremental snapshots: random ids, and clocks."""
    for row in (payload.get("before") or {}, payload.get("after") or {}):
        if str(row.get("id")).endswith(("-open", "-close")):
            row["id"] = row["id"][-5:]
            row["data"] = row["data"] and re.sub(r":\s*\"[^\"]*\"", ": clock", row["data"])
    key = (record["key"] or {}).get("payload") or {}
    if str(key.get("id")).endswith(("-open", "-close")):
        key["id"] = "chunk"


def mask_java(payload):
    """What Java prints in the order of a set, or with an address."""
    for count in payload.get("data_collections") or []:
        if "LogicalDecodingMessageId@" in count["data_collection"]:
            count["data_collection"] = "LOGICAL_DECODING_MESSAGE"
    if payload.get("data_collections"):
        payload["data_collections"].sort(key=lambda c: c["data_collection"])
    for row in (payload.get("before") or {}, payload.get("after") or {}):
        for name, value in row.items():  # hstore: no order
            if isinstance(value, dict) and name == "h":
                row[name] = dict(sorted(value.items()))
            elif isinstance(value, str) and name == "h" and value.startswith("{"):
                row[name] = json.dumps(json.loads(value), sort_keys=True)


def normal(record, database="db"):
    """One record without clocks, versions and names of this run."""
    record = json.loads(json.dumps(record))
    payload = payload_of(record)
    mask_clocks(payload)
    mask_java(payload)
    mask_chunks(record, payload)
    if "aggregate_type" in payload:
        notice(payload, record["key"]["payload"])
    if payload.get("source", {}).get("db") == database:
        payload["source"]["db"] = "db"
    run = record["headers"].get("__debezium.context.runId")
    if run and UUID.fullmatch(run["payload"]):
        run["payload"] = "run"
    return record


class Ranks:
    """Numbers seen in a run, by their order."""

    def __init__(self):
        self.seen = set()

    def add(self, *numbers):
        self.seen.update(int(n) for n in numbers if n is not None)

    def settle(self):
        self.of = {n: i + 1 for i, n in enumerate(sorted(self.seen))}

    def __call__(self, number):
        return None if number is None else self.of[int(number)]


def transaction_ids(record):
    """The objects whose id is <transaction>:<position>."""
    payload = payload_of(record)
    key = (record["key"] or {}).get("payload") or {}
    for block in (payload if payload.get("status") else {}, payload.get("transaction") or {},
                  key if payload.get("status") else {}):
        if ":" in str(block.get("id")):
            yield block


def streamed(source):
    return source.get("snapshot") in (None, "false", "incremental")


def mask_snapshots_amid(records):
    """The rows of snapshots that interrupt the stream, and of incremental ones without marks in it:
    where they stand differs, and is of no meaning."""
    begun, marked = False, any("chunk" == (r["key"] or {}).get("payload", {}).get("id") for r in records)
    for source in map(source_of, records):
        begun = begun or source.get("snapshot") == "false"
        if begun and not streamed(source) or source.get("snapshot") == "incremental" and not marked:
            for key in ("lsn", "txId", "sequence"):
                source[key] = source[key] and "amid"


def kind(source):
    """Positions of another kind are not compared: whether the slot begins where its first change
    does, and whether a message ends where the next change begins, is chance."""
    return "snapshot" if not streamed(source) else "row" if source.get("table") else "message"


def sequence(source):
    """(end of the transaction before, position). The end is 0 for none: a keepalive may have told of
    more than the first transaction. Before messages of no transaction it is chance for that reason: None."""
    commit, lsn = json.loads(source["sequence"])
    return None if kind(source) == "message" and source["txId"] is None else int(commit or 0), lsn


def rank_positions(records):
    """In place."""
    transactions, commits = Ranks(), Ranks()
    lsns = {"snapshot": Ranks(), "row": Ranks(), "message": Ranks()}
    mask_snapshots_amid(records)
    ranked = [(r, source_of(r)) for r in records if source_of(r).get("sequence") != "amid"]
    for record, source in ranked:
        if source.get("sequence"):
            commit, lsn = sequence(source)
            commits.add(commit)
            lsns[kind(source)].add(lsn)
        lsns[kind(source)].add(source.get("lsn"))
        transactions.add(source.get("txId"), *(b["id"].split(":")[0] for b in transaction_ids(record)))
    for ranks in (transactions, commits, *lsns.values()):
        ranks.settle()
    for record, source in ranked:
        for block in transaction_ids(record):
            txid, lsn = block["id"].split(":")
            own = lsn == "own" or source.get("lsn") is not None and lsn == str(source["lsn"])
            block["id"] = f"{transactions(txid)}:{'own' if own else 'lsn'}"
        if "lsn" not in source:
            continue
        rank = lsns[kind(source)]
        if source.get("sequence"):
            commit, lsn = sequence(source)
            source["sequence"] = json.dumps([commits(commit), rank(lsn)])
        source["lsn"], source["txId"] = rank(source["lsn"]), transactions(source.get("txId"))


def is_heartbeat(record):
    schema = (record["value"] or {}).get("schema") or {}
    return schema.get("name") == "io.debezium.connector.common.Heartbeat"


def normalized(records, database="db"):
    """All of a run's records. Of heartbeats, how many there are is a matter of time: one is kept, last."""
    kept = [normal(r, database) for r in records]
    rank_positions(kept)
    beats = {r["topic"]: r for r in reversed(kept) if is_heartbeat(r)}
    return [r for r in kept if not is_heartbeat(r)] + [beats[t] for t in sorted(beats)]


def check_run(records):
    """What is masked, in a run's own records: clocks agree with each other and with ours, the commit
    before is not behind a change, a transaction has one time."""
    times, last, now = {}, [0, 0], time.time() * 1000
    for record in records:
        payload, source = payload_of(record), source_of(record)
        for part in (payload, source):
            if part.get("ts_us") is not None:
                equal([part["ts_us"] // 1000, part["ts_ns"] // 1000], [part["ts_ms"], part["ts_us"]], "clocks")
                assert abs(part["ts_ms"] - now) < 86_400_000, (part["ts_ms"], now)
        if not source or source.get("snapshot") not in (None, "false"):
            continue
        if source.get("txId") is not None:
            equal(times.setdefault(source["txId"], source["ts_us"]), source["ts_us"], "a transaction's time")
        commit, lsn = json.loads(source["sequence"])
        equal(lsn, str(source["lsn"]), "the change's position in sequence")
        place = [int(commit or 0), int(lsn)]
        assert place[0] <= place[1], place
        if source.get("txId") is not None:  # messages of no transaction are sent amid those under way
            assert last <= place, (last, place)
            last = place


def save(path, records, settled=()):
    """Schemas once each: {"schemas": [...], "records": [...]} with numbers in their place; settled: see
    cdc_golden.py."""
    schemas = []

    def number(part):
        if not part or "schema" not in part:
            return part
        if part["schema"] not in schemas:
            schemas.append(part["schema"])
        return {"schema": schemas.index(part["schema"]), "payload": part["payload"]}

    lines = [{**r, "key": number(r["key"]), "value": number(r["value"]),
              "headers": {k: number(v) for k, v in r["headers"].items()}} for r in records]
    text = ['{"schemas": [', ",\n".join(json.dumps(s, ensure_ascii=False) for s in schemas),
            '], "records": [', ",\n".join(json.dumps(r, ensure_ascii=False) for r in lines), "]" + (f', "settled": {list(settled)}' if settled else "") + "}\n"]
    path.write_text("\n".join(text))


def settled(path):
    return json.loads(path.read_text()).get("settled", [])


def load(path):
    data = json.loads(path.read_text())

    def full(part):
        if not part or "schema" not in part:
            return part
        return {"schema": data["schemas"][part["schema"]] if part["schema"] is not None else None,
                "payload": part["payload"]}

    return normalized([{**r, "key": full(r["key"]), "value": full(r["value"]),
                        "headers": {k: full(v) for k, v in r["headers"].items()}}
                       for r in data["records"]])


def compare(got, wanted):
    """Raises with the first record that differs: also in the order of members, headers and schemas'
    fields, and in how a number is written (1, 1.0, true)."""
    names = lambda records: [(r["topic"], r["key"] and r["key"]["payload"]) for r in records]
    equal(names(got), names(wanted), "topics and keys")
    for g, w in zip(got, wanted):
        what = f"{w['topic']} {w['key'] and w['key']['payload']}"
        equal(g, w, what)
        equal(json.dumps(g, indent=1).splitlines(), json.dumps(w, indent=1).splitlines(), f"{what}: the order")
