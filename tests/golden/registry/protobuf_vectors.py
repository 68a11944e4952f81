"""Writes protobuf_1.txt and protobuf_2.txt: random message types and messages, compiled by protoc and serialized by
Google's Python runtime, with the Connect schema and value that Confluent's mapping gives them.

    python -m venv v && v/bin/pip install grpcio-tools protobuf googleapis-common-protos
    v/bin/python protobuf_vectors.py

    S  <config>  <.proto text>  <schema>     a type; its message M is the first of the file;
                                             ~ stands for io.confluent.connect.protobuf.
    V  <bytes>  <value>  <1: writing the value gives the same bytes>
Tests read only the file."""
import pathlib
import random
import struct
import sys
import tempfile

import google.type
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor as F
from grpc_tools import protoc

META = '''syntax = "proto3"; package confluent; import "google/protobuf/descriptor.proto";
message Meta { string doc = 1; map<string, string> params = 2; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }'''
DECIMAL = '''syntax = "proto3"; package confluent.type;
message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }'''
SCALARS = ["double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32",
           "fixed64", "sfixed32", "sfixed64", "bool", "string", "bytes"]
LOGICALS = ["google.protobuf.Timestamp", "google.type.Date", "google.type.TimeOfDay",
            "confluent.type.Decimal"]
WRAPPERS = ["DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value",
            "BoolValue", "StringValue", "BytesValue"]
P = "io.confluent.connect.protobuf."
rng = random.Random(20)

# ---- random types ----


def make_message(name, depth, syntax, indent="  "):
    lines, names, number, enums = [], [], [0], []
    def take():
        number[0] += rng.choice([1, 1, 1, 2, 90, 3000])
        return number[0]
    lines.append(f"enum {name}Kind {{ {name.upper()}_NONE = 0; {name.upper()}_ONE = 1;"
                 f" {name.upper()}_FAR = 1000; {name.upper()}_NEG = -5; }}")
    nested = []
    for i in range(rng.randint(0, 2) if depth else 0):
        inner = f"{name}{'AB'[i]}"
        lines += make_message(inner, depth - 1, syntax)
        nested.append(inner)
    def type_of():
        return rng.choice(SCALARS * 2 + [f"{name}Kind"] * 6 + nested * 5 + LOGICALS
                          + ["google.protobuf." + rng.choice(WRAPPERS)] * 3)
    def options(kind):
        if kind == "confluent.type.Decimal":
            return (' [(confluent.field_meta) = {params: [{value: "12", key: "precision"},'
                    ' {value: "3", key: "scale"}]}]')
        if kind == "int32" and rng.random() < 0.5:
            word = rng.choice(["int8", "int16"])
            return f' [(confluent.field_meta) = {{params: [{{key: "connect.type", value: "{word}"}}]}}]'
        return ""
    for i in range(rng.randint(2, 9)):
        kind, field = type_of(), f"f{i}_x"
        roll = rng.random()
        if roll < 0.12:
            key = rng.choice(["string", "int32", "int64", "bool", "uint32", "sint64", "fixed64"])
            lines.append(f"map<{key}, {kind}> {field} = {take()};")
        elif roll < 0.3:
            lines.append(f"repeated {kind} {field} = {take()}{options(kind)};")
        elif roll < 0.5 or syntax == "proto2":
            label = rng.choice(["optional", "required"]) if syntax == "proto2" else "optional"
            lines.append(f"{label} {kind} {field} = {take()}{options(kind)};")
        else:
            lines.append(f"{kind} {field} = {take()}{options(kind)};")
    for i in range(rng.choice([0, 0, 1, 2])):
        lines.append(f"oneof o{i}_y {{")
        for k in range(rng.randint(1, 3)):
            kind = type_of()
            lines.append(f"  {kind} u{i}_{k} = {take()}{options(kind)};")
        lines.append("}")
    return [f"message {name} {{"] + [indent + line for line in lines] + ["}"]


def make_file(syntax):
    return "\n".join([f'syntax = "{syntax}"; // a comment', "package a.b;",
                      'import "confluent/meta.proto"; import "confluent/type/decimal.proto";',
                      'import "google/protobuf/timestamp.proto"; import "google/type/date.proto";',
                      'import "google/type/timeofday.proto";',
                      'import "google/protobuf/wrappers.proto"; /* another */',
                      'option java_package = "x.y";']
                     + make_message("M", 2, syntax)) + "\n"


def compile_file(text, folder):
    (folder / "m.proto").write_text(text)
    out = folder / "m.bin"
    import grpc_tools
    includes = [str(folder), str(pathlib.Path(grpc_tools.__file__).parent / "_proto"),
                str(pathlib.Path(list(google.type.__path__)[0]).parent.parent)]
    code = protoc.main(["protoc"] + [f"-I{p}" for p in includes]
                       + ["--include_imports", f"--descriptor_set_out={out}", "m.proto"])
    if code:
        sys.exit(text)
    files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool, {f.name: f for f in files.file}


def params_of(field):
    """Connect's parameters out of the option, which stays unparsed without generated code."""
    raw = field.GetOptions().SerializeToString()
    found = {}
    for word in (b"int8", b"int16"):
        if b"connect.type\x12" + bytes([len(word)]) + word in raw:
            found["connect.type"] = word.decode()
    if b"precision" in raw:
        found.update(precision="12", scale="3")
    return found


# ---- Confluent's mapping ----


def quote(s):
    out = []
    units = s.encode("utf-16-be")
    for hi, lo in zip(units[::2], units[1::2]):
        c = hi << 8 | lo
        if c in (34, 92):
            out.append("\\" + chr(c))
        elif 0x20 <= c <= 0x7e:
            out.append(chr(c))
        else:
            out.append(f"\\u{c:04x}")
    return '"' + "".join(out) + '"'


def params_text(params):
    return "%{" + ",".join(f"{quote(k)}={quote(v)}" for k, v in params) + "}" if params else ""


def scalar_type(field):
    connect = params_of(field).get("connect.type")
    if field.type in (F.TYPE_INT32, F.TYPE_SINT32, F.TYPE_SFIXED32):
        return {"int8": "INT8", "int16": "INT16"}.get(connect, "INT32")
    return {F.TYPE_FLOAT: "FLOAT32", F.TYPE_DOUBLE: "FLOAT64", F.TYPE_BOOL: "BOOLEAN",
            F.TYPE_STRING: "STRING", F.TYPE_BYTES: "BYTES"}.get(field.type, "INT64")


WORDS = {F.TYPE_UINT32: "uint32", F.TYPE_UINT64: "uint64", F.TYPE_SINT32: "sint32",
         F.TYPE_SINT64: "sint64", F.TYPE_FIXED32: "fixed32", F.TYPE_FIXED64: "fixed64",
         F.TYPE_SFIXED32: "sfixed32", F.TYPE_SFIXED64: "sfixed64"}


def repeated(field):
    return field.is_repeated


def is_wrapper(message):
    return message.full_name.startswith("google.protobuf.") and message.name.endswith("Value")


class Mapping:
    def __init__(self, config):
        self.config = config

    def on(self, key):
        return self.config.get(key) == "true"

    def name(self, d):
        return d.full_name if self.on("enhanced.protobuf.schema.support") else d.name

    def unions(self, message):
        return [o for o in message.oneofs
                if not (len(o.fields) == 1 and o.name == "_" + o.fields[0].name)]

    def members(self, message):
        """In the struct's order: a oneof, or a field."""
        unions = self.unions(message)
        inside = {f.name for o in unions for f in o.fields}
        out = []
        for o in unions:
            out += list(o.fields) if self.on("flatten.unions") else [o]
        return out + [f for f in message.fields if f.name not in inside], inside

    def union_name(self, o):
        return o.name if self.config.get("generate.index.for.unions") == "false" \
            else f"{o.name}_{o.index}"

    def schema(self, message):
        parts = []
        members, inside = self.members(message)
        for m in members:
            if hasattr(m, "fields"):
                name = m.full_name if self.on("enhanced.protobuf.schema.support") else m.name
                params = []
                title = P + "Union." + name
                if self.on("generalized.sum.type.support"):
                    title, params = m.name, [("org.apache.kafka.connect.data.Union", m.name)]
                body = ",".join(quote(f.name) + ":" + self.field(f, True) for f in m.fields)
                parts.append(f"{quote(self.union_name(m))}:?STRUCT[{body}]@{quote(title)}"
                             + params_text(params))
            else:
                parts.append(quote(m.name) + ":" + self.field(m, m.name in inside))
        return f"STRUCT[{','.join(parts)}]@{quote(self.name(message))}"

    def field(self, field, in_oneof):
        base, suffix, params, nullable, wrapped = self.base(field)
        is_map = base.startswith("MAP")
        if repeated(field) and not is_map:
            base, suffix, params = "ARRAY[?" + base + suffix + params_text(params) + "]", "", []
            nullable = True
        if in_oneof:
            nullable = True
            if wrapped:
                params = params + [(P + "Wrapper", "true")]
        elif self.on("optional.for.nullables"):
            label = field.has_presence and field.message_type is None and not field.is_required
            label = label or self.labelled(field)
            nullable = nullable or label
        elif not self.on("wrapper.for.nullables"):
            nullable = True
        params = params + [(P + "Tag", str(field.number))]
        return ("?" if nullable else "") + base + suffix + params_text(params)

    def labelled(self, field):
        return field.name in OPTIONAL.get(field.containing_type.full_name, ())

    def base(self, field):
        """Type, name and version, parameters, nullable, wrapped."""
        if field.type == F.TYPE_ENUM:
            prefix = P + "Enum"
            if self.on("generalized.sum.type.support"):
                prefix = "org.apache.kafka.connect.data.Enum"
            e = field.enum_type
            params = [(prefix, e.name)] + [(f"{prefix}.{v.name}", str(v.number)) for v in e.values]
            kind = "INT32" if self.on("int.for.enums") else "STRING"
            return kind, "@" + quote(self.name(e)), params, True, False
        if field.type != F.TYPE_MESSAGE:
            kind = scalar_type(field)
            word = WORDS.get(field.type)
            return kind, "", [(P + "Type", word)] if word else [], False, False
        message = field.message_type
        if message.GetOptions().map_entry:
            key, value = message.fields
            name = self.name(message)[:-5]
            last = name.rfind(".") + 1
            head, tail = name[:last], name[last:]
            name = head + "".join(("_" if c.isupper() and i else "") + c.lower()
                                  for i, c in enumerate(tail))
            return (f"MAP[{self.field(key, False)},{self.field(value, False)}]", "@" + quote(name),
                    [], True, False)
        logical = "@\"org.apache.kafka.connect.data.%s\"#1"
        if message.full_name == "google.protobuf.Timestamp":
            return "INT64", logical % "Timestamp", [], True, False
        if message.full_name == "google.type.Date":
            return "INT32", logical % "Date", [], True, False
        if message.full_name == "google.type.TimeOfDay":
            return "INT32", logical % "Time", [], True, False
        if message.full_name == "confluent.type.Decimal":
            params = params_of(field)
            shown = [("scale", params.get("scale", "0"))]
            if "precision" in params:
                shown.append(("connect.decimal.precision", params["precision"]))
            return "BYTES", logical % "Decimal", shown, True, False
        if self.on("wrapper.for.nullables") and is_wrapper(message):
            return scalar_type(message.fields[0]), "", [], True, True
        text = self.schema(message)
        at = text.rindex("]@")
        return text[:at + 1], text[at + 1:], [], True, False

    # ---- values ----

    def value(self, message):
        parts = []
        members, inside = self.members(message.DESCRIPTOR)
        for m in members:
            if hasattr(m, "fields"):
                which = message.WhichOneof(m.name)
                if which is None:
                    parts.append("null")
                else:
                    parts.append("(" + ",".join(
                        self.one(f, getattr(message, f.name)) if f.name == which else "null"
                        for f in m.fields) + ")")
            elif m.name in inside:
                parts.append(self.one(m, getattr(message, m.name)) if message.HasField(m.name)
                             else "null")
            else:
                parts.append(self.member(message, m))
        return "(" + ",".join(parts) + ")"

    def member(self, message, field):
        v = getattr(message, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            key, value = field.message_type.fields
            return "{" + ",".join(sorted(f"{self.one(key, k)}:{self.one(value, v[k])}"
                                         for k in v)) + "}"
        if repeated(field):
            return "[" + ",".join(self.one(field, x) for x in v) + "]"
        if (field.message_type is not None or self.labelled(field)) \
                and not message.HasField(field.name):
            return "null"
        return self.one(field, v)

    def one(self, field, v):
        if field.type == F.TYPE_ENUM:
            if self.on("int.for.enums"):
                return f"i{v}"
            known = field.enum_type.values_by_number.get(v)
            return quote(known.name if known else
                         f"UNKNOWN_ENUM_VALUE_{field.enum_type.name}_{v}")
        if field.type != F.TYPE_MESSAGE:
            return self.scalar(scalar_type(field), v)
        name = field.message_type.full_name
        if name == "google.protobuf.Timestamp":
            return f"l{v.seconds * 1000 + v.nanos // 1000000}"
        if name == "google.type.Date":
            import datetime
            return f"i{(datetime.date(v.year, v.month, v.day) - datetime.date(1970, 1, 1)).days}"
        if name == "google.type.TimeOfDay":
            return f"i{((v.hours * 60 + v.minutes) * 60 + v.seconds) * 1000 + v.nanos // 1000000}"
        if name == "confluent.type.Decimal":
            scale = int(params_of(field).get("scale", "0"))
            unscaled = int.from_bytes(v.value, "big", signed=True) * 10 ** (scale - v.scale)
            return "b" + octets_of(unscaled).hex()
        if self.on("wrapper.for.nullables") and is_wrapper(field.message_type):
            return self.scalar(scalar_type(field.message_type.fields[0]), v.value)
        return self.value(v)

    @staticmethod
    def scalar(kind, v):
        if kind == "BOOLEAN":
            return "true" if v else "false"
        if kind == "STRING":
            return quote(v)
        if kind == "BYTES":
            return "b" + v.hex()
        if kind == "FLOAT32":
            return "f7fc00000" if v != v else "f" + struct.pack(">f", v).hex()
        if kind == "FLOAT64":
            return "d7ff8000000000000" if v != v else "d" + struct.pack(">d", v).hex()
        bits = {"INT8": 8, "INT16": 16, "INT32": 32, "INT64": 64}[kind]
        v = (v + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)
        return {"INT8": "y", "INT16": "h", "INT32": "i", "INT64": "l"}[kind] + str(v)


OPTIONAL = {}


def note_optional(message, proto2):
    OPTIONAL[message.full_name] = {
        f.name for f in message.fields
        if not f.is_repeated and not f.is_required
        and ((proto2 and f.containing_oneof is None)
             or (f.containing_oneof is not None and f.containing_oneof.name == "_" + f.name))}
    for inner in message.nested_types:
        if not inner.GetOptions().map_entry:
            note_optional(inner, proto2)


def octets_of(x):
    return x.to_bytes(((x if x >= 0 else ~x).bit_length() // 8) + 1, "big", signed=True)


# ---- random messages ----

TEXTS = ["", "a", "some words", "\u00e9\u20ac\U0001f600", "q\"\\\n\t", "x" * 130]


def random_scalar(field):
    t = field.type
    if t in (F.TYPE_DOUBLE, F.TYPE_FLOAT):
        v = rng.choice([0.0, -0.0, 1.5, -2.25, float("inf"), rng.uniform(-1e9, 1e9)])
        return struct.unpack("f", struct.pack("f", v))[0] if t == F.TYPE_FLOAT else v
    if t == F.TYPE_BOOL:
        return rng.random() < 0.5
    if t == F.TYPE_STRING:
        return rng.choice(TEXTS)
    if t == F.TYPE_BYTES:
        return rng.randbytes(rng.choice([0, 1, 5, 140]))
    connect = params_of(field).get("connect.type")
    bits = {"int8": 8, "int16": 16}.get(connect, 32 if "32" in str(scalar_bits(t)) else 64)
    if t in (F.TYPE_UINT32, F.TYPE_UINT64, F.TYPE_FIXED32, F.TYPE_FIXED64):
        return rng.choice([0, 1, 127, 128, (1 << bits) - 1, rng.getrandbits(bits)])
    top = 1 << bits - 1
    return rng.choice([0, 1, -1, 63, 64, top - 1, -top, rng.getrandbits(bits) - top])


def scalar_bits(t):
    return 32 if t in (F.TYPE_INT32, F.TYPE_UINT32, F.TYPE_SINT32, F.TYPE_FIXED32,
                       F.TYPE_SFIXED32) else 64


def random_enum(field):
    return rng.choice([v.number for v in field.enum_type.values])


def fill_message(message, exact):
    name = message.DESCRIPTOR.full_name
    if name == "google.protobuf.Timestamp":
        message.seconds = rng.choice([0, 1, -1, 1785000000, -62135596800, rng.getrandbits(33)])
        message.nanos = rng.choice([0, 1000000, 999000000])
    elif name == "google.type.Date":
        message.year, message.month, message.day = rng.randint(1, 9999), rng.randint(1, 12), 28
    elif name == "google.type.TimeOfDay":
        message.hours, message.minutes = rng.randint(0, 23), rng.randint(0, 59)
        message.seconds, message.nanos = rng.randint(0, 59), rng.randint(0, 999) * 1000000
    else:
        fill(message, exact)


def fill_decimal(field, message, exact):
    scale = int(params_of(field).get("scale", "0"))
    x = rng.choice([0, 1, -1, 127, 128, -128, -129, 10 ** 11, -(10 ** 25) + 7])
    if not exact and scale and rng.random() < 0.3:
        scale -= 1
    message.value, message.scale = octets_of(x), scale
    message.precision = len(str(abs(x)))


def fill(message, exact):
    done = set()
    for field in message.DESCRIPTOR.fields:
        o = field.containing_oneof
        if exact and field.type == F.TYPE_ENUM and o is None and not field.is_repeated:
            # read as nullable in any case, hence written with presence: zero would stand there
            setattr(message, field.name, rng.choice([1, 1000, -5]))
            continue
        if o is not None and len(o.fields) > 1:
            if o.name in done or rng.random() < 0.3:
                done.add(o.name)
                continue
            done.add(o.name)
            field = rng.choice(o.fields)
        elif not field.is_required and rng.random() < 0.3:
            continue
        set_field(message, field, exact)


def set_field(message, field, exact):
    target = getattr(message, field.name)
    entry = field.message_type is not None and field.message_type.GetOptions().map_entry
    if entry:
        key, value = field.message_type.fields
        for _ in range(rng.choice([0, 1, 3])):
            k = random_scalar(key)
            while exact and not k:
                k = random_scalar(key)
            if value.type == F.TYPE_MESSAGE:
                fill_value(value, target[k], exact)
            else:
                v = random_enum(value) if value.type == F.TYPE_ENUM else random_scalar(value)
                target[k] = v
                if exact and not v:
                    del target[k]
    elif field.is_repeated:
        for _ in range(rng.choice([0, 1, 2, 9])):
            if field.type == F.TYPE_MESSAGE:
                fill_value(field, target.add(), exact)
            else:
                target.append(random_enum(field) if field.type == F.TYPE_ENUM
                              else random_scalar(field))
    elif field.type == F.TYPE_MESSAGE:
        target.SetInParent()
        fill_value(field, target, exact)
    else:
        setattr(message, field.name,
                random_enum(field) if field.type == F.TYPE_ENUM else random_scalar(field))


def fill_value(field, message, exact):
    if message.DESCRIPTOR.full_name == "confluent.type.Decimal":
        fill_decimal(field, message, exact)
    else:
        fill_message(message, exact)


def octets(data):
    return "=" + "".join(chr(c) if 0x20 <= c <= 0x7e and c != 92 else
                         "\\\\" if c == 92 else f"\\x{c:02x}" for c in data)


CONFIGS = [({}, "proto3"), ({"optional.for.nullables": "true"}, "proto3"),
           ({"optional.for.nullables": "true"}, "proto3"),
           ({"optional.for.nullables": "true", "enhanced.protobuf.schema.support": "true"},
            "proto3"),
           ({"wrapper.for.nullables": "true"}, "proto3"),
           ({"optional.for.nullables": "true", "int.for.enums": "true"}, "proto3"),
           ({"optional.for.nullables": "true", "generate.index.for.unions": "false"}, "proto3"),
           ({"flatten.unions": "true"}, "proto3"),
           ({"optional.for.nullables": "true", "generalized.sum.type.support": "true"}, "proto3"),
           ({}, "proto2"), ({"optional.for.nullables": "true"}, "proto2")]


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "confluent/type").mkdir(parents=True)
        (folder / "confluent/meta.proto").write_text(META)
        (folder / "confluent/type/decimal.proto").write_text(DECIMAL)
        for round_ in range(66):
            config, syntax = CONFIGS[round_ % len(CONFIGS)]
            text = make_file(syntax)
            pool, _ = compile_file(text, folder)
            message = pool.FindMessageTypeByName("a.b.M")
            OPTIONAL.clear()
            note_optional(message, syntax == "proto2")
            mapping = Mapping(config)
            exact = syntax == "proto3" and config.get("optional.for.nullables") == "true" \
                and "flatten.unions" not in config
            shown = ";".join(f"{k}={v}" for k, v in config.items()) or "-"
            here = pathlib.Path(__file__).parent / f"protobuf_{1 + round_ // 33}.txt"
            out = open(here, "a" if round_ % 33 else "w")
            print("S", shown, octets(text.encode()), mapping.schema(message).replace(P, "~"), sep="\t", file=out)
            for _ in range(46):
                m = message_factory.GetMessageClass(message)()
                fill(m, exact)
                data = m.SerializeToString(deterministic=True)
                if len(data) > 75:
                    continue
                print("V", octets(data), mapping.value(m), int(exact), sep="\t", file=out)
            out.close()


main()
