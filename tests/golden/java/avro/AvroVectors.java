import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.*;
import io.apicurio.registry.serde.avro.NonRecordContainer;
import io.apicurio.registry.utils.converter.avro.AvroData;
import io.apicurio.registry.utils.converter.avro.AvroDataConfig;
import org.apache.avro.generic.*;
import org.apache.avro.io.*;
import org.apache.kafka.connect.data.*;

/**
 * write, config, Connect schema, Avro schema (or !message), then value, octets (or !message) ...
 * read, config, Avro schema, Connect schema (or !message), then octets, value ...
 */
public class AvroVectors {
    static final Random random = new Random(42);

    static AvroData data(Map<String, ?> config) {
        AvroDataConfig.Builder b = new AvroDataConfig.Builder();
        config.forEach(b::with);
        return new AvroData(b.build());
    }

    static byte[] bytes(org.apache.avro.Schema schema, Object datum) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        BinaryEncoder e = EncoderFactory.get().directBinaryEncoder(out, null);
        new GenericDatumWriter<Object>(schema).write(datum, e);
        e.flush();
        return out.toByteArray();
    }

    static Throwable root(Throwable t) { return t.getCause() == null ? t : root(t.getCause()); }

    static void write(Map<String, ?> config, Schema schema, Object... values) {
        StringBuilder line = new StringBuilder("write\t" + Text.config(config) + "\t" + Text.schema(schema));
        AvroData d = data(config);
        org.apache.avro.Schema avro = null;
        try {
            avro = d.fromConnectSchema(schema);
            line.append("\t").append(avro);
        } catch (Exception e) {
            line.append("\t").append(Text.error(e));
            avro = null;
        }
        for (Object v : values) {
            if (avro == null) break;
            String out;
            try {
                Object datum = d.fromConnectData(schema, v);
                if (datum instanceof NonRecordContainer) datum = ((NonRecordContainer) datum).getValue();
                out = Text.bytes(bytes(avro, datum));
            } catch (Exception e) {
                out = Text.error(e);
            }
            line.append("\t").append(Text.value(schema, v, false)).append("\t").append(out);
        }
        System.out.println(line);
    }

    static void read(Map<String, ?> config, String text, byte[]... records) {
        StringBuilder line = new StringBuilder("read\t" + Text.config(config) + "\t" + text);
        AvroData d = data(config);
        org.apache.avro.Schema avro = new org.apache.avro.Schema.Parser().setValidateDefaults(false).parse(text);
        Schema schema = null;
        try {
            schema = d.toConnectSchema(avro);
            line.append("\t").append(Text.schema(schema));
        } catch (Exception e) {
            line.append("\t").append(Text.error(e));
        }
        for (byte[] record : records) {
            if (schema == null) break;
            String out;
            try {
                Object datum = new GenericDatumReader<Object>(avro)
                        .read(null, DecoderFactory.get().binaryDecoder(record, null));
                SchemaAndValue v = d.toConnectData(avro, datum);
                out = v == null ? "null" : Text.value(v.schema(), v.value(), true);
            } catch (Exception e) {
                out = Text.error(e);
            }
            line.append("\t").append(Text.bytes(record)).append("\t").append(out);
        }
        System.out.println(line);
    }

    /* ---- random Connect schemas and values ---- */

    static final String[] NAMES = {"id", "name", "price", "at", "a_b", "flag", "data", "x1", "Total", "k"};
    static int names;

    static Schema scalar(int kind, boolean optional, boolean dflt) {
        SchemaBuilder b;
        Object d;
        switch (kind) {
            case 0: b = SchemaBuilder.int8(); d = (byte) 7; break;
            case 1: b = SchemaBuilder.int16(); d = (short) -300; break;
            case 2: b = SchemaBuilder.int32(); d = 123456; break;
            case 3: b = SchemaBuilder.int64(); d = -9876543210L; break;
            case 4: b = SchemaBuilder.float32(); d = 2.5f; break;
            case 5: b = SchemaBuilder.float64(); d = -0.25; break;
            case 6: b = SchemaBuilder.bool(); d = true; break;
            case 7: b = SchemaBuilder.string(); d = "d\"\u00e9\u20ac\n"; break;
            case 8: b = SchemaBuilder.bytes(); d = ByteBuffer.wrap(new byte[] {0, 65, -1, -128}); break;
            case 9: b = Decimal.builder(2); d = new BigDecimal("-12.34"); break;
            case 10: b = org.apache.kafka.connect.data.Date.builder(); d = new java.util.Date(86400000L * 365); break;
            case 11: b = Time.builder(); d = new java.util.Date(3600000L); break;
            case 12: b = Timestamp.builder(); d = new java.util.Date(1700000000123L); break;
            case 13: b = SchemaBuilder.int64().name("io.debezium.time.MicroTimestamp").version(1); d = 5L; break;
            default: b = SchemaBuilder.string().name("io.debezium.data.Enum").version(1).parameter("allowed", "a,b"); d = "b";
        }
        if (random.nextInt(6) == 0) b.doc("about it");
        if (optional) b.optional();
        if (dflt) b.defaultValue(d);
        return b.build();
    }

    static Schema schema(int depth) {
        int kind = random.nextInt(depth > 0 ? 20 : 15);
        boolean optional = random.nextInt(3) == 0;
        if (kind < 15) return scalar(kind, optional, random.nextInt(5) == 0);
        SchemaBuilder b;
        if (kind == 15 || kind == 16) b = SchemaBuilder.array(schema(depth - 1));
        else if (kind == 17) b = SchemaBuilder.map(Schema.STRING_SCHEMA, schema(depth - 1));
        else return struct(depth, optional, random.nextInt(4) > 0);
        if (optional) b.optional();
        return b.build();
    }

    static Schema struct(int depth, boolean optional, boolean named) {
        SchemaBuilder b = SchemaBuilder.struct();
        if (named) b.name((random.nextBoolean() ? "com.acme." : "") + "R" + ++names);
        if (random.nextInt(4) == 0) b.version(1 + random.nextInt(5));
        if (random.nextInt(5) == 0) b.doc("a record");
        if (random.nextInt(5) == 0) b.parameter("p", "v").parameter("avro.java.string", "String");
        int n = random.nextInt(6);
        for (int i = 0; i < n; i++) b.field(NAMES[(i * 3 + names) % 10] + i, schema(depth - 1));
        if (optional) b.optional();
        return b.build();
    }

    static Object value(Schema s) {
        if (s.isOptional() && random.nextInt(3) == 0) return null;
        String name = s.name() == null ? "" : s.name();
        if (name.equals(Decimal.LOGICAL_NAME)) return new BigDecimal(new BigInteger(1 + random.nextInt(90), random), 2)
                .multiply(BigDecimal.valueOf(random.nextBoolean() ? 1 : -1));
        if (name.equals(org.apache.kafka.connect.data.Date.LOGICAL_NAME)) return new java.util.Date(86400000L * (random.nextInt(40000) - 10000));
        if (name.equals(Time.LOGICAL_NAME)) return new java.util.Date(random.nextInt(86400000));
        if (name.equals(Timestamp.LOGICAL_NAME)) return new java.util.Date(random.nextLong() >> 20);
        switch (s.type()) {
            case INT8: return (byte) random.nextInt();
            case INT16: return (short) random.nextInt();
            case INT32: return random.nextInt() >> random.nextInt(32);
            case INT64: return random.nextLong() >> random.nextInt(64);
            case FLOAT32: return random.nextFloat() * 1000;
            case FLOAT64: return random.nextGaussian() * 1e9;
            case BOOLEAN: return random.nextBoolean();
            case STRING: return random.nextInt(4) == 0 ? "\u00fc\ud834\udd1e" : "s" + random.nextInt(100000);
            case BYTES: byte[] b = new byte[random.nextInt(6)]; random.nextBytes(b); return ByteBuffer.wrap(b);
            case ARRAY:
                List<Object> l = new ArrayList<>();
                for (int n = random.nextInt(4); n > 0; n--) l.add(value(s.valueSchema()));
                return l;
            case MAP: /* one entry: Java's order is its own */
                return random.nextInt(4) == 0 ? Map.of() : Collections.singletonMap(value(s.keySchema()), value(s.valueSchema()));
            default:
                Struct t = new Struct(s);
                for (Field f : s.fields()) t.put(f, value(f.schema()));
                return t;
        }
    }

    static Object[] values(Schema s) {
        Object[] v = new Object[1 + random.nextInt(6)];
        for (int i = 0; i < v.length; i++) do v[i] = value(s); while (v[i] == null);
        return v;
    }

    static Map<String, ?> config() {
        Map<String, Object> c = new TreeMap<>();
        if (random.nextInt(4) == 0) c.put("connect.meta.data", "false");
        if (random.nextInt(4) == 0) c.put("enhanced.avro.schema.support", "true");
        return c;
    }

    static void writeKnown() {
        Map<String, ?> no = Map.of();
        for (int kind = 0; kind < 15; kind++)
            for (int k = 0; k < 4; k++) { Schema s = scalar(kind, k % 2 == 1, k > 1); write(no, s, values(s)); }
        for (long x : new long[] {0, -1, 1, 63, 64, -64, -65, 8191, 8192, Integer.MAX_VALUE, Integer.MIN_VALUE, Long.MAX_VALUE, Long.MIN_VALUE})
            write(no, Schema.INT64_SCHEMA, x);
        for (double x : new double[] {0, -0.0, Double.NaN, Double.POSITIVE_INFINITY, 1e300}) write(no, Schema.FLOAT64_SCHEMA, x);
        write(no, SchemaBuilder.float64().defaultValue(Double.NaN).build(), 1.0);
        write(no, Decimal.builder(0).build(), new BigDecimal("5"));
        write(no, Decimal.builder(-2).build(), new BigDecimal("5E+2"));
        write(no, Decimal.builder(70).build(), new BigDecimal("1E-70"));
        write(no, Decimal.builder(3).parameter("connect.decimal.precision", "10").build(), new BigDecimal("1.234"));
        write(no, SchemaBuilder.map(Schema.INT32_SCHEMA, Schema.OPTIONAL_STRING_SCHEMA).build(), Map.of(1, "a"), Map.of());
        write(no, SchemaBuilder.map(Schema.INT32_SCHEMA, Schema.STRING_SCHEMA).name("com.acme.Entry").optional().build(), Map.of(1, "a"));
        write(no, SchemaBuilder.map(Schema.OPTIONAL_STRING_SCHEMA, Schema.INT8_SCHEMA).build(), Map.of("k", (byte) 1));
        Schema in = SchemaBuilder.struct().name("com.acme.In").field("v", Schema.INT32_SCHEMA).build();
        Schema opt = SchemaBuilder.struct().name("com.acme.In").field("v", Schema.INT32_SCHEMA).optional().build();
        Schema two = SchemaBuilder.struct().name("com.acme.Two").field("a", in).field("b", in).field("c", opt).field("d", SchemaBuilder.array(opt).build()).build();
        Struct i = new Struct(in).put("v", 3), o = new Struct(opt).put("v", 4);
        write(no, two, new Struct(two).put("a", i).put("b", i).put("c", o).put("d", Arrays.asList(o, null)));
        Schema e = envelope();
        Struct row = new Struct(e.field("after").schema()).put("id", 42L).put("name", "Bj\u00f6rk").put("price", new BigDecimal("19.90")).put("at", 17L);
        Struct src = new Struct(e.field("source").schema()).put("db", "postgres").put("lsn", 99L);
        write(no, e, new Struct(e).put("after", row).put("source", src).put("op", "c").put("ts_ms", 5L), new Struct(e).put("before", row).put("source", src).put("op", "d"));
        Schema unnamed = SchemaBuilder.struct().field("s", SchemaBuilder.struct().field("x", Schema.INT32_SCHEMA).build()).field("t", SchemaBuilder.struct().optional().field("y", Schema.INT32_SCHEMA).build()).build();
        write(no, unnamed, new Struct(unnamed).put("s", new Struct(unnamed.field("s").schema()).put("x", 1)));
        Schema bad = SchemaBuilder.struct().name("B").field("a-b", Schema.INT32_SCHEMA).build();
        write(no, bad, new Struct(bad).put("a-b", 1));
        for (Object x : new Object[] {true, (byte) 1, 300, 5L, 1.5f, 2.5, "x", List.of("a", 1L), Map.of("k", List.of())}) write(no, null, x);
        Schema d = SchemaBuilder.struct().name("D").field("l", SchemaBuilder.array(Schema.INT32_SCHEMA).defaultValue(List.of(1, 2)).build())
                .field("m", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.STRING_SCHEMA).defaultValue(Map.of("a", "b")).build())
                .field("i", SchemaBuilder.int32().optional().defaultValue(7).build()).field("s", SchemaBuilder.string().defaultValue("z").build()).build();
        write(no, d, new Struct(d), new Struct(d).put("i", 5).put("l", List.of()));
        Schema en = SchemaBuilder.string().name("com.acme.Color").parameter("io.confluent.connect.avro.Enum", "com.acme.Color")
                .parameter("io.confluent.connect.avro.Enum.RED", "RED").parameter("io.confluent.connect.avro.Enum.BLUE", "BLUE").build();
        write(no, en, "BLUE");
        write(Map.of("enhanced.avro.schema.support", "true"), en, "BLUE", "RED");
    }

    static Schema envelope() {
        Schema row = SchemaBuilder.struct().name("p.s.t.Value").optional().field("id", SchemaBuilder.int64().defaultValue(0L).build())
                .field("name", Schema.OPTIONAL_STRING_SCHEMA).field("price", Decimal.builder(2).optional().build())
                .field("at", SchemaBuilder.int64().name("io.debezium.time.MicroTimestamp").version(1).optional().build()).build();
        Schema source = SchemaBuilder.struct().name("io.debezium.connector.postgresql.Source").version(1).field("db", Schema.STRING_SCHEMA)
                .field("snapshot", SchemaBuilder.string().name("io.debezium.data.Enum").version(1).parameter("allowed", "true,false").optional().defaultValue("false").build())
                .field("lsn", Schema.OPTIONAL_INT64_SCHEMA).build();
        return SchemaBuilder.struct().name("p.s.t.Envelope").version(2).field("before", row).field("after", row).field("source", source)
                .field("op", Schema.STRING_SCHEMA).field("ts_ms", Schema.OPTIONAL_INT64_SCHEMA).build();
    }

    /* ---- random Avro schemas and data ---- */

    static String avro(int depth, boolean member) {
        int kind = random.nextInt(depth > 0 ? 22 : 17);
        switch (kind) {
            case 0: return "\"boolean\"";
            case 1: return "\"int\"";
            case 2: return "\"long\"";
            case 3: return "\"float\"";
            case 4: return "\"double\"";
            case 5: return "\"bytes\"";
            case 6: return "\"string\"";
            case 7: return "{\"type\":\"int\",\"logicalType\":\"date\"}";
            case 8: return "{\"type\":\"int\",\"logicalType\":\"time-millis\"}";
            case 9: return "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}";
            case 10: return "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}";
            case 11: return "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":" + (9 + random.nextInt(2) * 55) + ",\"scale\":3}";
            case 12: return "{\"type\":\"int\",\"connect.type\":\"int" + (random.nextBoolean() ? 8 : 16) + "\",\"connect.doc\":\"d\"}";
            case 13: return "{\"type\":\"string\",\"avro.java.string\":\"String\",\"connect.version\":3,\"connect.parameters\":{\"a\":\"b\"},\"connect.name\":\"N\"}";
            case 14: return "{\"type\":\"enum\",\"name\":\"E" + ++names + "\",\"symbols\":[\"A\",\"B\",\"C\"]" + (random.nextBoolean() ? ",\"doc\":\"an enum\",\"default\":\"A\"" : "") + "}";
            case 15: return "{\"type\":\"fixed\",\"name\":\"com.acme.F" + ++names + "\",\"size\":" + random.nextInt(5) + "}";
            case 16: return "{\"type\":\"long\",\"connect.default\":7}";
            case 17: return "{\"type\":\"array\",\"items\":" + avro(depth - 1, false) + "}";
            case 18: return "{\"type\":\"map\",\"values\":" + avro(depth - 1, false) + "}";
            case 19: if (!member) return "[" + (random.nextBoolean() ? "\"null\"," + avro(depth - 1, true) : avro(depth - 1, true) + ",\"null\"") + "]";
            // fall through
            case 20: if (!member) return "[\"null\",\"string\",\"long\",{\"type\":\"record\",\"name\":\"com.acme.U" + ++names + "\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}]";
            // fall through
            default: return record(depth);
        }
    }

    static String record(int depth) {
        StringBuilder b = new StringBuilder("{\"type\":\"record\",\"name\":\"R" + ++names + "\"");
        if (random.nextBoolean()) b.append(",\"namespace\":\"com.acme\"");
        if (random.nextInt(3) == 0) b.append(",\"doc\":\"a record\"");
        b.append(",\"fields\":[");
        int n = random.nextInt(5);
        for (int i = 0; i < n; i++) {
            b.append(i > 0 ? "," : "").append("{\"name\":\"f").append(i).append("\",\"type\":");
            int k = random.nextInt(8);
            if (k == 0) b.append("\"int\",\"default\":5");
            else if (k == 1) b.append("[\"null\",\"string\"],\"default\":null");
            else if (k == 2) b.append("\"bytes\",\"default\":\"\\u0000\\u00ff\"");
            else if (k == 3) b.append("{\"type\":\"array\",\"items\":\"string\"},\"default\":[\"x\"],\"doc\":\"a field\"");
            else if (k == 4) b.append("[\"string\",\"null\"],\"default\":\"s\"");
            else b.append(avro(depth - 1, false));
            b.append("}");
        }
        return b.append("]}").toString();
    }

    static Object datum(org.apache.avro.Schema s) {
        switch (s.getType()) {
            case NULL: return null;
            case BOOLEAN: return random.nextBoolean();
            case INT: return "time-millis".equals(s.getProp("logicalType")) ? (Object) random.nextInt(86400000) : (Object) (random.nextInt() >> (8 + random.nextInt(24)));
            case LONG: return random.nextLong() >> (20 + random.nextInt(44));
            case FLOAT: return random.nextFloat();
            case DOUBLE: return (double) (float) (random.nextDouble() * 1e6); /* Avro 1.12.0 reads arrays of doubles as floats */
            case BYTES: byte[] b = new byte[1 + random.nextInt(5)]; random.nextBytes(b); return ByteBuffer.wrap(b);
            case STRING: return random.nextInt(4) == 0 ? "\u00fc\ud834\udd1e" : "s" + random.nextInt(1000);
            case ENUM: return new GenericData.EnumSymbol(s, s.getEnumSymbols().get(random.nextInt(s.getEnumSymbols().size())));
            case FIXED: byte[] f = new byte[s.getFixedSize()]; random.nextBytes(f); return new GenericData.Fixed(s, f);
            case ARRAY: List<Object> l = new ArrayList<>(); for (int n = random.nextInt(4); n > 0; n--) l.add(datum(s.getElementType())); return l;
            case MAP: Map<String, Object> m = new TreeMap<>(); for (int n = random.nextInt(4); n > 0; n--) m.put("k" + n, datum(s.getValueType())); return m;
            case UNION: return datum(s.getTypes().get(random.nextInt(s.getTypes().size())));
            default:
                GenericRecord r = new GenericData.Record(s);
                for (org.apache.avro.Schema.Field x : s.getFields()) r.put(x.pos(), datum(x.schema()));
                return r;
        }
    }

    static void readRandom(Map<String, ?> config, String text) throws Exception {
        org.apache.avro.Schema s = new org.apache.avro.Schema.Parser().setValidateDefaults(false).parse(text);
        byte[][] records = new byte[1 + random.nextInt(5)][];
        for (int i = 0; i < records.length; i++) {
            Object v;
            do v = datum(s); while (v == null);
            records[i] = bytes(s, v);
        }
        read(config, text, records);
    }

    static void readKnown() throws Exception {
        String[] texts = {"\"null\"", "[\"null\",\"int\"]", "[\"int\"]", "[\"int\",\"string\"]", "{\"type\":\"int\",\"connect.type\":\"int99\"}",
            "{\"type\":\"string\",\"connect.parameters\":5}", "{\"type\":\"string\",\"connect.version\":\"x\"}", "{\"type\":\"string\",\"connect.name\":{}}",
            "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":5,\"scale\":2,\"connect.name\":\"org.apache.kafka.connect.data.Decimal\",\"connect.version\":1,\"connect.parameters\":{\"scale\":\"2\"}}",
            "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":5,\"scale\":2,\"connect.version\":2}",
            "{\"type\":\"int\",\"logicalType\":\"date\",\"connect.name\":\"Other\"}",
            "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"MapEntry\",\"namespace\":\"io.confluent.connect.avro\",\"fields\":[{\"name\":\"key\",\"type\":\"int\"},{\"name\":\"value\",\"type\":[\"null\",\"string\"]}]}}",
            "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"E\",\"connect.internal.type\":\"MapEntry\",\"fields\":[{\"name\":\"key\",\"type\":\"int\"},{\"name\":\"value\",\"type\":\"long\"}]}}",
            "{\"type\":\"record\",\"name\":\"ConnectDefault\",\"namespace\":\"io.confluent.connect.avro\",\"fields\":[{\"name\":\"a\",\"type\":[\"null\",\"int\",\"string\"],\"default\":null}]}"};
        for (String t : texts) {
            if (t.equals("\"null\"") || t.contains("int99") || t.contains(":5}") || t.contains("{}") || t.contains("\"x\"")) read(Map.of(), t);
            else readRandom(Map.of(), t);
        }
        AvroData d = data(Map.of());
        for (int i = 0; i < 60; i++) { /* there and back */
            Schema s = schema(3);
            try {
                org.apache.avro.Schema a = d.fromConnectSchema(s);
                readRandom(Map.of(), a.toString());
            } catch (Exception e) {
                continue;
            }
        }
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("write")) {
            writeKnown();
            for (int i = 0; i < 400; i++) { Schema s = i % 2 == 0 ? schema(3) : struct(3, false, true); write(config(), s, values(s)); }
        } else {
            readKnown();
            for (int i = 0; i < 600; i++) readRandom(config(), i % 2 == 0 ? avro(3, false) : record(3));
        }
    }
}
