"""Scenarios of cdc_golden.py that are about types, and where Debezium's records of them are wrong."""
import base64
import re


def only(tables):
    return {"table.include.list": rf"s1\.marker,public\.t_({tables})"}


TIMES = "date|time.*|ts|ts[0-9]|tz.*"
UNKNOWN = (r"box|lseg|path|polygon|circle|line|pair|lsn|xid|xid8|tid|regclass|jsonpath|snapshot|cube|seg|.*mr|"
           r"isbn13|issn.*|ismn.*|ean13|upc|lquery|tsquery|xml|money|point|varbit|iv|uuid")
EACH = {
    "types_each": {},
    "types_each_string": {**only(f"num.*|money|{TIMES}|iv.*|bytea|hstore"), "decimal.handling.mode": "string",
                          "time.precision.mode": "isostring", "binary.handling.mode": "hex",
                          "hstore.handling.mode": "map", "interval.handling.mode": "string",
                          "money.fraction.digits": "0"},
    "types_each_double": {**only(f"num.*|money|{TIMES}|bytea"), "decimal.handling.mode": "double",
                          "time.precision.mode": "connect", "binary.handling.mode": "base64"},
    "types_each_micros": {**only(f"money|{TIMES}|bytea"), "time.precision.mode": "microseconds",
                          "binary.handling.mode": "base64-url-safe", "money.fraction.digits": "4"},
    "types_each_adaptive_micros": {**only(TIMES), "time.precision.mode": "adaptive_time_microseconds"},
    "types_each_typed": {**only("num.*|bit.*|varbit.*|char5|varchar.*|name|time3|ts3|tz|iv.*|money|enum|citext|hstore|isbn"
                                "|inet|float4|int2|oid|bool|bytea"), "column.propagate.source.type": ".*"},
    "types_each_nanos": {**only("date|time.*"), "time.precision.mode": "nanoseconds"},
    "types_each_unknown": {**only(UNKNOWN), "include.unknown.datatypes": "true", "binary.handling.mode": "hex"},
}
POSTGIS = {"types_postgis": {}}
VECTOR = {"types_vector": {}}
SERVERS = {"types_vector": "16-vector"}  # those that need another one than Debian's
COLUMNS = {"types_columns": {},
           "types_columns_modes": {"unavailable.value.placeholder": "hex:ff0041", "hstore.handling.mode": "map",
                                   "decimal.handling.mode": "string", "include.unknown.datatypes": "true"}}
NANOS = {"types_nanos": {"table.include.list": r"s1\.marker,public\.times", "time.precision.mode": "nanoseconds"}}
SCENARIOS = {**{name: ("types.sql", how) for name, how in NANOS.items()},
             **{name: ("types_each.sql", how) for name, how in EACH.items()},
             **{name: ("types_columns.sql", how) for name, how in COLUMNS.items()},
             **{name: ("types_postgis.sql", how) for name, how in POSTGIS.items()},
             **{name: ("types_vector.sql", how) for name, how in VECTOR.items()}}

# Of these types, arrays hold what the Java driver makes of them: no fractions of seconds, no years before 1, no
# 24:00, no infinities; or no NULL, or nothing at all. Here, elements are what the same values are in a column.
BROKEN_ARRAYS = re.compile(r"t_(bit\d+|enum|isbn|tsvector|ltree|date|time.*|ts\d?|tz\d?|num[\d_]*)")
# Of these, the driver's text is emitted, not the server's.
BROKEN_TEXTS = re.compile(r"t_(box|lseg|path|polygon|circle|line)")


def columns_of(record):
    """The descriptions of before's and after's columns."""
    for row in ((record["value"] or {}).get("schema") or {}).get("fields", [])[:2]:
        yield {field["field"]: field for field in row.get("fields", [])}


def change(column, remove=(), **more):
    """Changes a description; the name stays behind the rest."""
    last = column.pop("field")
    for key in remove:
        column.pop(key)
    column.update(more)
    column["field"] = last


def change_to_array(column, of):
    """Makes it the description of an array of what another column is."""
    own = lambda part, mine: {k: v for k, v in part.get("parameters", {}).items()
                              if k.startswith("__debezium.source") == mine}
    element = {k: v for k, v in of.items() if k not in ("field", "default")} | {"optional": True}
    element |= {"parameters": own(of, False)}
    array = {"type": "array", "items": {k: v for k, v in element.items() if v != {}},
             "optional": column["optional"], "parameters": own(column, True), "field": column["field"]}
    column.clear()
    column.update({k: v for k, v in array.items() if v != {}})


def server_text(value):
    """(1.0,2.0), in hexadecimal, as the server writes it."""
    if isinstance(value, list):
        return [server_text(v) for v in value]
    return value and bytes.fromhex(value).replace(b".0", b"").hex()


def correct_array(row, op):
    """The column a of types_each.sql by v (an element, beside NULL) or n (the one element)."""
    if row["id"] > 100:
        row["a"] = None if row["v"] is None else [row["v"], None]
    elif row["id"] == 3:
        row["a"] = []
    elif op in "rc":
        row["a"] = [row["n"]]


def correct_each(name, table, record):
    payload = record["value"]["payload"]
    rows = [row for row in (payload["before"], payload["after"]) if row]
    if BROKEN_TEXTS.fullmatch(table):
        for row in rows:
            row.update({k: server_text(v) for k, v in row.items() if k != "id"})
    broken = BROKEN_ARRAYS.fullmatch(table)
    for columns in columns_of(record):
        if broken:
            change_to_array(columns["a"], columns["v"])
        for array in [c for c in columns.values() if c["type"] == "array" and name == "types_each_unknown"]:
            broken = broken or array["field"] == "a" and not array["items"]["optional"]
            array["items"]["optional"] = True
    for row in rows:
        if broken:
            correct_array(row, payload["op"])


def correct_columns(table, record):
    payload = record["value"]["payload"]
    rows, op = [row for row in (payload["before"], payload["after"]) if row], payload["op"]
    for columns in columns_of(record):
        if table == "made" and "gn" in columns:  # not a default: how it is generated
            change(columns["gn"], ["default"])
        if table == "toasted":  # arrays of enums may hold NULL as others do
            columns["ma"]["items"]["optional"] = True
        if table == "odd_defaults":
            change(columns["esc"], default="a\nb")  # has a line break
            change(columns["cat"], ["default"])  # 'a' || 'b' is not 'a'
            change(columns["inf"], default=9223372036825200000)  # as values are
            change(columns["infd"], default=-2147472691)
    for row in rows:
        if table == "toasted" and row.get("p"):
            text = base64.b64decode(row["p"])
            row["p"] = base64.b64encode(text.replace(b".0", b"")).decode()
        if table == "odd_defaults":
            row["inf"], row["infd"] = 9223372036825200000, -2147472691
            row["bc"] = -735160  # snapshots have what the stream has
            row["esc"] = "a\nb"
            row["cat"] = None if op == "d" else "ab"
            row["nwho"] = "" if op == "d" else "postgres"  # columns of type name are null in its stream


def correct_vectors(record):
    for columns in columns_of(record):
        for name in ("va", "ha", "sa"):  # NULL is none that was sent
            columns[name]["items"]["optional"] = True
    payload = record["value"]["payload"]
    for row in filter(None, (payload["before"], payload["after"])):
        if row["id"] == 1:
            row["sa"] = [{"dimensions": 2, "vector": [[1, 1.0]]}]
        if row["id"] == 2:
            row["va"] = [[1.0], None]


def corrected(name, record):
    table = ((record["value"] or {}).get("payload") or {}).get("source", {}).get("table", "")
    if name in EACH and table.startswith("t_"):
        correct_each(name, table, record)
    elif name in COLUMNS and table:
        correct_columns(table, record)
    elif name in VECTOR and table:
        correct_vectors(record)
    return record
