"""Types of Postgres for random tests: values of each, what the server itself says a value is (in SQL),
and what the JSON of a record says it is. Both end in the same form, exact to the bit, the microsecond
and the digit, and neither goes through postgres-cdc's code.

A Kind has a name, the type's SQL, make(rng) -> a value's text, and expression(column) -> SQL for
a JSON value, from which expected(kind, value, schema) makes what decode(schema, payload) must give.
"""
import base64
import datetime
import decimal
import json
import re
import struct

decimal.getcontext().prec = 2000
DAY_US = 86_400_000_000
OMITTED = object()  # there is no schema for the type


class Kind:
    def __init__(self, name, sql, make, expression="to_json({})", key=False, zero=None, array=True,
                 omitted=False, literal=None, toast=None, delimiter=","):
        """key: fit for keys; array: its arrays have a schema; literal: make() for column defaults, where
        others are too long or of another form; toast: make() of values that are stored out of line;
        delimiter: between the elements of its arrays."""
        self.delimiter = delimiter
        self.name, self.sql, self.make, self.form = name, sql, make, expression
        self.key, self.array, self.omitted = key, array, omitted
        self.literal, self.toast = literal, toast

    def expression(self, column):
        return self.form.format(column)


class Array(Kind):
    def __init__(self, item):
        super().__init__("array", item.sql + "[]", self.some, omitted=not item.array or item.omitted)
        self.item = item

    def some(self, rng):
        if rng.random() < 0.1:
            return "{}"
        items = [None if rng.random() < 0.15 else self.item.make(rng) for _ in range(rng.randint(1, 4))]
        return "{" + self.item.delimiter.join("NULL" if v is None else '"' + re.sub(r'(["\\])', r"\\\1", v) + '"'
                              for v in items) + "}"

    def expression(self, column):
        return (f"case when {column} is not null then (select coalesce(json_agg({self.item.expression('u.v')}"
                f" order by u.o), '[]') from unnest({column}) with ordinality as u(v, o)) end")


# ---- values ----

TEXTS = ["", " ", "a", "A", "it's", 'say "hi"', "back\\slash", "\\N", "\\.", "NULL", "tab\there", "line\nbreak",
         "cr\r\n", "käse", "日本語", "😀🏽", "\u2028", "\x7f", "\x01", "{}", "{a,b}", "%s%n", "'; drop table x; --",
         "null", "__debezium", "\u0301", "ÿ", "$1", "x" * 200]


def text(rng, most=30):
    if rng.random() < 0.5:
        return rng.choice(TEXTS)[:most]
    return "".join(rng.choice("abc XYZ09_-é\\\"'{},日\t") for _ in range(rng.randint(0, most)))


def long_text(rng):
    """Hardly compressible, so that it is kept out of line."""
    return "ä\\" + base64.b64encode(rng.randbytes(rng.randint(2500, 4500))).decode()


def integer(bits):
    def make(rng):
        edge = [0, 1, -1, 2 ** (bits - 1) - 1, -2 ** (bits - 1), 127, 128, 255, 32767]
        edge = [v for v in edge if -2 ** (bits - 1) <= v < 2 ** (bits - 1)]
        return str(rng.choice(edge) if rng.random() < 0.4 else rng.randint(-2 ** (bits - 1), 2 ** (bits - 1) - 1))
    return make


def floating(pattern, width):
    edge = ["0", "-0", "1", "NaN", "Infinity", "-Infinity", "0.1", "-1e-30", "3.4e38", "1e-45", "16777217"]

    def make(rng):
        if rng.random() < 0.4:
            return rng.choice(edge)
        while True:  # any bits
            v = struct.unpack(pattern, rng.getrandbits(8 * width).to_bytes(width, "big"))[0]
            if v == v and abs(v) != float("inf"):
                return repr(v)
    return make


def numeric(precision, scale):
    def make(rng):
        n = rng.randint(1, precision)
        v = rng.choice(["0", "1", "9" * n, "".join(rng.choice("0123456789") for _ in range(n))])
        sign = rng.choice(["", "-"])
        if scale <= 0:
            return sign + v + "0" * -scale
        v = v.rjust(scale + 1, "0")
        return sign + v[:-scale] + "." + v[-scale:]
    return make


def any_numeric(rng):
    if rng.random() < 0.06:
        return "NaN"
    digits = "".join(rng.choice("0123456789") for _ in range(rng.choice([1, 3, 17, 18, 19, 20, 40, 120])))
    at = rng.randint(0, len(digits))
    v = (digits[:at] or "0") + ("." + digits[at:] if at < len(digits) else "")
    return rng.choice(["", "-"]) + v + rng.choice(["", "", "000" if "." in v else "", "00000000"])


def date(rng):
    if rng.random() < 0.1:
        return rng.choice(["infinity", "-infinity", "0001-01-01", "0044-03-15 BC", "4713-01-01 BC",
                           "9999-12-31", "10000-01-01", "5874897-12-31", "1582-10-10", "1900-02-28"])
    return str(datetime.date(1, 1, 1) + datetime.timedelta(days=rng.randint(0, 3_652_000)))


def clock(digits, day_end=True):
    def make(rng):
        if day_end and rng.random() < 0.1:
            return rng.choice(["00:00:00", "24:00:00", "23:59:59.999999"])
        f = f".{rng.randint(0, 10 ** digits - 1):0{digits}d}" if digits else ""
        return f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}{f}"
    return make


def zone(rng):
    return rng.choice(["+00", "-08", "+05:30", "+13:45", "-11:59:59", "+02"])


def timestamp(digits, with_zone=False):
    late = clock(digits, False)

    def make(rng):
        narrow = getattr(rng, "nanoseconds", False)  # of 64 bits
        if rng.random() < 0.1:
            return rng.choice(["infinity", "-infinity", "1969-12-31 23:59:59.999", "0044-03-15 10:11:12 BC",
                               "4713-01-02 00:00:00 BC", "294246-12-31 23:59:59", "10000-01-01 00:00:00"][:3 if narrow else 7])
        year = rng.choice([rng.randint(1700, 2200) if narrow else rng.randint(2, 9998), rng.randint(1700, 2200)])
        day = datetime.date(year, rng.randint(1, 12), rng.randint(1, 28))
        return f"{day} {late(rng)}" + (zone(rng) if with_zone else "")
    return make


def interval(rng):
    n = lambda most: rng.choice([0, rng.randint(-most, most)])
    if rng.random() < 0.1:
        return rng.choice(["0", "-0.5 seconds", "1 mon -1 day", "-1 mon +1 day -00:00:00.000001", "100000 hours"])
    return (f"{n(300)} years {n(11)} mons {n(1000)} days {n(99)} hours {n(59)} minutes "
            f"{n(59)}.{rng.randint(0, 999999):06d} seconds")


def bits(least, most):
    return lambda rng: "".join(rng.choice("01") for _ in range(rng.randint(least, most)))


def binary(rng, most=40):
    return "\\x" + bytes(rng.getrandbits(8) for _ in range(rng.randint(0, most))).hex()


def long_binary(rng):
    return "\\x" + rng.randbytes(rng.randint(2500, 5000)).hex()


def document(rng, depth=0):
    roll = rng.random()
    if depth < 3 and roll < 0.3:
        return {text(rng, 8).replace("\0", ""): document(rng, depth + 1) for _ in range(rng.randint(0, 3))}
    if depth < 3 and roll < 0.5:
        return [document(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    return rng.choice([None, True, 0, -1.5, 10 ** 30, text(rng)])


def json_text(rng):
    return json.dumps(document(rng), ensure_ascii=rng.random() < 0.3,
                      separators=rng.choice([(",", ":"), (", ", ": ")]))


def hstore(rng):
    quote = lambda s: '"' + re.sub(r'(["\\])', r"\\\1", s) + '"'
    return ", ".join(f"{quote(text(rng, 12))}=>" + ("NULL" if rng.random() < 0.2 else quote(text(rng)))
                     for _ in range(rng.randint(0, 4)))


def coordinates(rng):
    one = lambda: rng.choice(["0", "-1.5", "1e300", "0.1", repr(rng.uniform(-180, 180))])
    return f"({one()},{one()})"


def ranged(make):
    def value(rng):
        a, b = sorted([make(rng), make(rng)])
        roll = rng.random()
        if roll < 0.1:
            return "empty"
        return rng.choice("[(") + ("" if roll < 0.2 else f'"{a}"') + "," + ("" if roll > 0.9 else f'"{b}"') + rng.choice("])")
    return value


def coordinate(rng):
    return repr(rng.choice([0, -0.0, rng.uniform(-180, 180), rng.randint(-90, 90)]))


def geometry(rng, shapes=6):
    dimensions = rng.choice(["", "", " Z", " M", " ZM"])
    point = lambda: " ".join(coordinate(rng) for _ in range(2 + len(dimensions.strip())))
    points = lambda least: ",".join(point() for _ in range(rng.randint(least, 4)))
    ring = lambda: "(" + ",".join((corners := [point() for _ in range(3)]) + corners[:1]) + ")"
    shape = rng.choice([lambda: f"POINT{dimensions} ({point()})", lambda: f"LINESTRING{dimensions} ({points(2)})",
                        lambda: f"POLYGON{dimensions} ({ring()})", lambda: f"MULTIPOINT{dimensions} ({points(1)})",
                        lambda: f"POINT{dimensions} EMPTY", lambda: "GEOMETRYCOLLECTION EMPTY"][:shapes])
    return rng.choice(["", "SRID=4326;", "SRID=4267;"]) + shape()


def vector(make):
    return lambda rng: "[" + ",".join(make(rng) for _ in range(rng.randint(1, 6))) + "]"


def sparse_vector(rng):
    dimensions = rng.randint(1, 32767)
    places = sorted(rng.sample(range(1, dimensions + 1), min(dimensions, rng.randint(0, 4))))
    return "{" + ",".join(f"{i}:{repr(rng.uniform(-9, 9))}" for i in places) + f"}}/{dimensions}"


def uuid(rng):
    return str(__import__("uuid").UUID(int=rng.getrandbits(128)))


def address(rng):
    v4 = ".".join(str(rng.randint(0, 255)) for _ in range(4))
    return rng.choice([v4, f"{v4}/{rng.randint(0, 32)}", "::1", "fe80::1:2/64", "::ffff:1.2.3.4"])


LABELS = ["sad", "very happy", "it's", 'quo"te', "com,ma", "日本", "back\\slash", " ", "A"]
TYPES_SQL = f"""
create extension if not exists hstore; create extension if not exists citext; create extension if not exists ltree;
create type mood as enum ({", ".join("'" + v.replace("'", "''") + "'" for v in LABELS)});
create type "Odd type!" as enum ('x', 'y');
create domain posint as integer check (value > 0); create domain money2 as numeric(6,3);
create domain short as varchar(5); create domain shorter as short; create domain stamp as timestamp(3); create domain feeling as mood;
create type pair as (a int, b text);
"""

BITS_HEX = "to_json(encode(float{}send({{}}), 'hex'))"
DATE = "to_json(case when isfinite({0}) then ({0} - date '1970-01-01')::text else {0}::text end)"
CLOCK = "to_json((extract(epoch from {0}) * 1000000)::numeric(30)::text)"
STAMP = ("to_json(case when isfinite({0}) then (extract(epoch from {0}) * 1000000)::numeric(30)::text"
         " else {0}::text end)")
SPAN = ("case when {0} is not null then json_build_array(extract(year from {0})::int, extract(month from {0})::int,"
        " extract(day from {0})::int, ((extract(hour from {0}) * 3600 + extract(minute from {0}) * 60)"
        " * 1000000 + extract(microseconds from {0}))::numeric(30)) end")
AS_TEXT = "to_json({}::text)"
POINT = ("case when {0} is not null then json_build_array(encode(float8send(({0})[0]), 'hex'),"
         " encode(float8send(({0})[1]), 'hex')) end")
HSTORE = "case when {0} is not null then hstore_to_json({0}) end"

KINDS = [
    Kind("bool", "boolean", lambda r: r.choice("tf"), key=True),
    Kind("int", "smallint", integer(16), key=True), Kind("int", "integer", integer(32), key=True),
    Kind("int", "bigint", integer(64), key=True), Kind("int", "oid", lambda r: str(r.getrandbits(32)), key=True),
    Kind("float4", "real", floating(">f", 4), BITS_HEX.format(4)),
    Kind("float8", "double precision", floating(">d", 8), BITS_HEX.format(8)),
    Kind("text", "text", text, key=True, toast=long_text), Kind("text", "varchar(30)", text, key=True),
    Kind("text", "varchar", text, toast=long_text),
    Kind("text", "char(8)", lambda r: text(r, 8), key=True), Kind("text", "bpchar", text),
    Kind("text", "name", text, array=False), Kind("text", '"char"', lambda r: r.choice("aZ~"), array=False),
    Kind("text", "citext", text, key=True),
    Kind("numeric", "numeric", any_numeric, AS_TEXT, literal=numeric(9, 3)),
    Kind("numeric", "numeric(12,4)", numeric(12, 4), AS_TEXT, key=True),
    Kind("numeric", "numeric(40,0)", numeric(40, 0), AS_TEXT), Kind("numeric", "numeric(60,20)", numeric(60, 20), AS_TEXT),
    Kind("numeric", "numeric(3,-2)", numeric(3, -2), AS_TEXT), Kind("numeric", "numeric(2,5)",
                                                                   lambda r: f"0.000{r.randint(0, 99):02d}", AS_TEXT),
    Kind("numeric", "money", numeric(14, 2), "to_json({}::numeric::text)", array=False),
    Kind("binary", "bytea", binary, "to_json(encode({}, 'hex'))", toast=long_binary),
    Kind("bit", "bit", bits(1, 1), AS_TEXT, array=False), Kind("bits", "bit(11)", bits(11, 11), AS_TEXT, array=False),
    Kind("bits", "varbit(20)", bits(0, 20), AS_TEXT, array=False), Kind("bits", "varbit", bits(0, 70), AS_TEXT, array=False),
    Kind("date", "date", date, DATE, key=True),
    Kind("time", "time", clock(6), CLOCK), Kind("time", "time(3)", clock(3), CLOCK), Kind("time", "time(0)", clock(0), CLOCK),
    Kind("timetz", "timetz", lambda r: clock(6, False)(r) + zone(r), CLOCK),
    Kind("stamp", "timestamp", timestamp(6), STAMP, key=True), Kind("stamp", "timestamp(3)", timestamp(3), STAMP),
    Kind("stamp", "timestamp(0)", timestamp(0), STAMP),
    Kind("zoned", "timestamptz", timestamp(6, True), STAMP, key=True), Kind("zoned", "timestamptz(2)", timestamp(2, True), STAMP),
    Kind("span", "interval", interval, SPAN, array=False),
    Kind("json", "json", json_text, AS_TEXT), Kind("json", "jsonb", json_text, AS_TEXT),
    Kind("text", "xml", lambda r: r.choice(["<a/>", "<a>b</a>", "text &amp; more", ""]), AS_TEXT, array=False),
    Kind("text", "uuid", uuid, key=True),
    Kind("text", "ltree", lambda r: ".".join(r.choice("abc") for _ in range(r.randint(0, 4))), AS_TEXT),
    Kind("text", "tsvector", lambda r: "a:1 fat:2,4A cat", AS_TEXT, array=False),
    Kind("text", "cidr", lambda r: r.choice(["10.1.0.0/16", "::/0", "192.168.100.128/25", "1.2.3.4/32"])),
    Kind("text", "inet", address, "to_json({})"), Kind("text", "macaddr", lambda r: "08:00:2b:01:02:%02x" % r.randint(0, 255)),
    Kind("text", "macaddr8", lambda r: "08:00:2b:01:02:03:04:%02x" % r.randint(0, 255)),
    Kind("text", "int4range", ranged(lambda r: str(r.randint(0, 9)))), Kind("text", "int8range", ranged(lambda r: str(r.randint(0, 9)))),
    Kind("text", "numrange", ranged(lambda r: f"{r.randint(0, 99) / 10}")), Kind("text", "daterange", ranged(lambda r: f"20{r.randint(10, 30)}-01-01")),
    Kind("text", "tsrange", ranged(lambda r: f"20{r.randint(10, 30)}-01-01 01:02:03")),
    Kind("text", "tstzrange", ranged(lambda r: f"20{r.randint(10, 30)}-01-01 01:02:03+02")),
    Kind("hstore", "hstore", hstore, HSTORE, array=True), Kind("point", "point", coordinates, POINT, array=False),
    Kind("text", "mood", lambda r: r.choice(LABELS), key=True), Kind("text", '"Odd type!"', lambda r: r.choice("xy")),
    Kind("int", "posint", lambda r: str(r.randint(1, 9)), key=True, array=False),
    Kind("numeric", "money2", numeric(6, 3), AS_TEXT, array=False), Kind("text", "shorter", lambda r: text(r, 5), array=False),
    Kind("stamp", "stamp", timestamp(3), STAMP, array=False), Kind("text", "feeling", lambda r: r.choice(LABELS), array=False),
    Kind("none", "pair", lambda r: "(1,x)", omitted=True), Kind("none", "box", lambda r: "(1,1),(0,0)", omitted=True),
    Kind("none", "pg_lsn", lambda r: "0/16B3748", omitted=True), Kind("none", "tsquery", lambda r: "fat & cat", omitted=True),
    Kind("none", "int4multirange", lambda r: "{[1,5),[7,9)}", omitted=True), Kind("none", "lquery", lambda r: "*.a", omitted=True),
    Kind("none", "circle", lambda r: "<(1,1),2>", omitted=True),
]
GEOMETRY = ("case when {0} is not null then json_build_array(encode(st_asewkb(({0})::geometry), 'hex'),"
            " nullif(st_srid(({0})::geometry), 0)) end")
POSTGIS = [
    Kind("geometry", "geometry", geometry, GEOMETRY, delimiter=":"),
    Kind("geometry", "geography", geometry, GEOMETRY, delimiter=":"),
    Kind("geometry", "geometry(Point, 4326)", lambda r: f"SRID=4326;POINT({coordinate(r)} {coordinate(r)})", GEOMETRY,
         delimiter=":"),
    Kind("none", "box2d", lambda r: "BOX(1 2,3 4)", omitted=True),
]
VECTORS = [
    Kind("vector", "vector", vector(lambda r: repr(r.choice([0, -1.5, 1e-30, 3e38, r.uniform(-9, 9)]))), AS_TEXT),
    Kind("vector", "vector(2)", lambda r: f"[{coordinate(r)},{coordinate(r)}]", AS_TEXT),
    Kind("vector", "halfvec", vector(lambda r: repr(r.choice([0, -1.5, 65504, r.uniform(-9, 9)]))), AS_TEXT),
    Kind("sparse", "sparsevec", sparse_vector, AS_TEXT),
]
KEYS = [k for k in KINDS if k.key]
TOASTED = [k for k in KINDS if k.toast]


# ---- what the JSON says ----

def days_of(year, month, day):
    """Proleptic Gregorian days since 1970, for any year; 1 BC is 0."""
    shift = (year - 2000) // 400  # datetime knows years 1 to 9999
    date = datetime.date(year - 400 * shift, month, day)
    return (date - datetime.date(1970, 1, 1)).days + shift * 146097


def iso(value):
    """(days or None, microseconds of the day or None) of what java.time writes."""
    m = re.fullmatch(r"(?:([+-]?\d{4,})-(\d\d)-(\d\d))?T?(?:(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?)?Z", value)
    assert m, f"not java.time's form: {value!r}"
    y, mo, d, h, mi, s, f = m.groups()
    return (None if y is None else days_of(int(y), int(mo), int(d)),
            None if h is None else (int(h) * 3600 + int(mi) * 60 + int(s)) * 1_000_000 + int((f or "").ljust(6, "0")[:6]))


def iso_us(value):
    days, us = iso(value)
    return days * DAY_US + us


def iso_span(value):
    m = re.fullmatch(r"P(-?\d+)Y(-?\d+)M(-?\d+)DT(-?\d+)H(-?\d+)M(-?)(\d+)(?:\.(\d+))?S", value)
    assert m, f"not an interval: {value!r}"
    y, mo, d, h, mi, sign, s, f = m.groups()
    seconds = int(s) * 1_000_000 + int((f or "").ljust(6, "0"))
    return [int(y), int(mo), int(d), (int(h) * 3600 + int(mi) * 60) * 1_000_000 + (-seconds if sign else seconds)]


def unscaled(value):
    raw = base64.b64decode(value, validate=True)
    assert len(raw) == 1 or raw[:1] not in (b"\0", b"\xff") or (raw[0] ^ raw[1]) & 0x80, "more bytes than needed"
    return int.from_bytes(raw, "big", signed=True)


def bits_hex(value, pattern=">d"):
    v = float(value)
    return "nan" if v != v else struct.pack(pattern, v).hex()


TYPES = {"int16": int, "int32": int, "int64": int, "boolean": bool, "string": str, "bytes": str, "array": list,
         "struct": dict, "map": dict, "float": (float, int, str), "double": (float, int, str)}
WIDTHS = {"int16": 16, "int32": 32, "int64": 64}


def decode(schema, payload):
    """The value, after checking that it is of its schema."""
    if payload is None:
        assert schema["optional"], f"null is not of {schema}"
        return None
    kind, name = schema["type"], schema.get("name", "")
    assert isinstance(payload, TYPES[kind]) and (kind == "boolean") == isinstance(payload, bool), (schema, payload)
    if kind in WIDTHS:
        assert -2 ** (WIDTHS[kind] - 1) <= payload < 2 ** (WIDTHS[kind] - 1), (schema, payload)
        return payload
    if kind == "array":
        return [decode(schema["items"], v) for v in payload]
    if name == "org.apache.kafka.connect.data.Decimal":
        return decimal.Decimal(unscaled(payload)).scaleb(-int(schema["parameters"]["scale"]))
    if name == "io.debezium.data.VariableScaleDecimal":
        v = decimal.Decimal(unscaled(payload["value"])).scaleb(-payload["scale"])
        assert payload["scale"] <= 0 or not v or v.as_tuple().digits[-1], f"{v}: zeros at the end"
        return v
    if name == "io.debezium.data.geometry.Point":
        x, y = bits_hex(payload["x"]), bits_hex(payload["y"])
        wkb = base64.b64decode(payload["wkb"])
        assert wkb == b"\1\1\0\0\0" + bytes.fromhex(x)[::-1] + bytes.fromhex(y)[::-1], "WKB differs from x, y"
        return [x, y]
    if name.startswith("io.debezium.data.geometry.Geo"):
        wkb = base64.b64decode(payload["wkb"], validate=True)
        assert schema["doc"] == name.rsplit(".", 1)[1], schema
        return [wkb.hex(), payload["srid"]]
    if kind == "bytes":
        return base64.b64decode(payload, validate=True)
    if kind == "map":
        return payload
    if kind in ("float", "double"):
        return bits_hex(payload, ">f" if kind == "float" else ">d")
    return payload


# ---- what it must be ----

INFINITE = {"infinity": 1, "-infinity": -1}


def expected_date(days, name):
    days = {"infinity": -2147472692, "-infinity": -2147472691}.get(days, days)
    return int(days)


def expected_stamp(us, name):
    if us in INFINITE:
        us = {"infinity": 9223372036825200000, "-infinity": -9223372036832400000}[us]
        if name.endswith("NanoTimestamp"):
            return 2 ** 63 - 1 if us > 0 else -2 ** 63
    us = int(us)
    if name.endswith("NanoTimestamp"):
        us *= 1000
    value = us // 1000 if name.endswith(".Timestamp") else us
    return value if -2 ** 63 <= value < 2 ** 63 else None  # what 64 bits cannot hold


def plain_decimal(value):
    return {"NaN": "NAN", "Infinity": "POSITIVE_INFINITY", "-Infinity": "NEGATIVE_INFINITY"}.get(value, value)


def expected(kind, value, schema):
    """What decode() must give for what the server says; IsoDate and others first go through normal()."""
    if value is None:
        return None
    name, of = schema.get("name", ""), schema["type"]
    if kind.name == "array":
        items = [expected(kind.item, v, schema["items"]) for v in value]
        lost = any(v is not None and e is None for v, e in zip(value, items))
        return None if lost else items  # one value that has no form, and the array has none
    if kind.name == "numeric":
        if of == "double":
            return bits_hex(value)
        if of == "string":
            return plain_decimal(value)
        return None if value in ("NaN", "Infinity", "-Infinity") else decimal.Decimal(value)
    if kind.name == "int":
        return int(value)
    if kind.name in ("float4", "float8"):
        v = struct.unpack(">f" if kind.name == "float4" else ">d", bytes.fromhex(value))[0]
        return "nan" if v != v else value
    if kind.name == "binary":
        return bytes.fromhex(value)
    if kind.name == "bit":
        return value == "1"
    if kind.name == "bits":
        n = int(value or "0", 2)
        return n.to_bytes((n.bit_length() + 7) // 8, "little")
    if kind.name == "date":
        return expected_date(value, name)
    if kind.name == "time":
        us = int(value)
        return us % DAY_US if name.endswith("IsoTime") else us * 1000 if name.endswith("NanoTime") else \
            us if name.endswith("MicroTime") else us // 1000
    if kind.name == "timetz":
        return int(value) % DAY_US
    if kind.name == "stamp":
        return expected_stamp(value, name)
    if kind.name == "zoned":
        return value if value in INFINITE else int(value)
    if kind.name == "vector":  # the server's text is the shortest that gives the number again
        pattern = ">f" if schema["items"]["type"] == "float" else ">d"
        return [bits_hex(v, pattern) for v in json.loads(value, parse_int=float)]
    if kind.name == "sparse":
        pairs, dimensions = value.strip("{").split("}/")
        return {"dimensions": int(dimensions), "vector": [[int(k), float(v)] for k, v in (
            p.split(":") for p in pairs.split(",") if p)]}
    if kind.name == "span":
        y, m, d, us = value
        return [y, m, d, us] if of == "string" else (y * 12 + m) * 2_629_800_000_000 + d * DAY_US + us
    return value


def normal(kind, schema, value, binary_mode="bytes"):
    """decode()'s value with the texts of times, bytes and hstores taken apart."""
    if value is None:
        return None
    name, of = schema.get("name", ""), schema["type"]
    if kind.name == "array":
        return [normal(kind.item, schema["items"], v, binary_mode) for v in value]
    if kind.name == "binary" and of == "string":
        if binary_mode == "hex":
            return bytes.fromhex(value)
        return (base64.urlsafe_b64decode if "url" in binary_mode else base64.b64decode)(value)
    if kind.name == "hstore" and of == "string":
        return json.loads(value)
    if of != "string":
        return value
    if name.endswith("IsoDate"):
        return iso(value)[0]
    if name.endswith(("IsoTime", "ZonedTime")):
        return iso(value)[1]
    if name.endswith("IsoTimestamp"):
        return iso_us(value)
    if name.endswith("ZonedTimestamp"):
        return value if value in INFINITE else iso_us(value)
    if name.endswith("time.Interval"):
        return iso_span(value)
    return value
