import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.*;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.json.JsonConverter;

/**
 * encode, config, schema, value, octets     (what fromConnectData gives)
 * decode, config, octets, schema, value     (what toConnectData gives; or !message)
 */
public class JsonVectors {
    static final Map<String, ?> ON = Map.of("schemas.enable", "true");
    static final Map<String, ?> OFF = Map.of("schemas.enable", "false");

    static JsonConverter converter(Map<String, ?> config) {
        JsonConverter c = new JsonConverter();
        c.configure(config, false);
        return c;
    }

    static void encode(Map<String, ?> config, Schema schema, Object value) {
        String result;
        try {
            result = Text.bytes(converter(config).fromConnectData("t", schema, value));
        } catch (Exception e) {
            result = Text.error(e);
        }
        System.out.println(String.join("\t", "encode", Text.config(config), Text.schema(schema),
                Text.value(schema, value, false), result));
    }

    static void decode(Map<String, ?> config, byte[] data) {
        String schema, value;
        try {
            SchemaAndValue v = converter(config).toConnectData("t", data);
            schema = Text.schema(v.schema());
            value = Text.value(v.schema(), v.value(), true);
        } catch (Exception e) {
            schema = Text.error(e);
            value = "";
        }
        System.out.println(String.join("\t", "decode", Text.config(config), Text.bytes(data), schema, value));
    }

    static void decode(Map<String, ?> config, String data) { decode(config, Text.bytes(data)); }

    /** Both ways, with and without schemas. */
    static void both(Schema schema, Object value) {
        for (Map<String, ?> config : List.of(ON, OFF)) {
            encode(config, schema, value);
            try {
                byte[] data = converter(config).fromConnectData("t", schema, value);
                decode(config, data);
            } catch (Exception e) {
                continue;
            }
        }
    }

    static Schema row() {
        return SchemaBuilder.struct().name("p.s.t.Value").optional()
                .field("id", Schema.INT64_SCHEMA)
                .field("name", Schema.OPTIONAL_STRING_SCHEMA)
                .field("price", Decimal.builder(2).optional().build())
                .field("flag", SchemaBuilder.bool().optional().defaultValue(true).build())
                .field("at", SchemaBuilder.int64().name("io.debezium.time.MicroTimestamp").version(1).optional().build())
                .field("data", Schema.OPTIONAL_BYTES_SCHEMA)
                .build();
    }

    static Schema source() {
        return SchemaBuilder.struct().name("io.debezium.connector.postgresql.Source").version(1)
                .field("version", Schema.STRING_SCHEMA).field("connector", Schema.STRING_SCHEMA)
                .field("name", Schema.STRING_SCHEMA).field("ts_ms", Schema.INT64_SCHEMA)
                .field("snapshot", SchemaBuilder.string().name("io.debezium.data.Enum").version(1)
                        .parameter("allowed", "true,first,last,false").optional().defaultValue("false").build())
                .field("db", Schema.STRING_SCHEMA).field("sequence", Schema.OPTIONAL_STRING_SCHEMA)
                .field("schema", Schema.STRING_SCHEMA).field("table", Schema.STRING_SCHEMA)
                .field("txId", Schema.OPTIONAL_INT64_SCHEMA).field("lsn", Schema.OPTIONAL_INT64_SCHEMA)
                .field("xmin", Schema.OPTIONAL_INT64_SCHEMA).build();
    }

    static Schema envelope() {
        return SchemaBuilder.struct().name("p.s.t.Envelope").version(2)
                .field("before", row()).field("after", row()).field("source", source())
                .field("transaction", SchemaBuilder.struct().name("event.block").version(1).optional()
                        .field("id", Schema.STRING_SCHEMA).field("total_order", Schema.INT64_SCHEMA)
                        .field("data_collection_order", Schema.INT64_SCHEMA).build())
                .field("op", Schema.STRING_SCHEMA).field("ts_ms", Schema.OPTIONAL_INT64_SCHEMA).build();
    }

    static Struct change(String op) {
        Schema e = envelope();
        Struct r = new Struct(e.field("after").schema()).put("id", 42L).put("name", "Bj\u00f6rk \"q\" \ud834\udd1e\n")
                .put("price", new BigDecimal("19.90")).put("flag", false).put("at", 1700000000123456L)
                .put("data", new byte[] {0, 1, (byte) 0xff});
        Struct s = new Struct(e.field("source").schema()).put("version", "3.6.1.Final").put("connector", "postgresql")
                .put("name", "p").put("ts_ms", 1785000000123L).put("db", "postgres")
                .put("sequence", "[\"24023128\",\"24023400\"]").put("schema", "s").put("table", "t")
                .put("txId", 555L).put("lsn", 24023400L);
        Struct v = new Struct(e).put("source", s).put("op", op).put("ts_ms", 1785000000456L);
        if (op.equals("d")) v.put("before", r); else v.put("after", r);
        return v;
    }

    static void primitives() {
        both(Schema.BOOLEAN_SCHEMA, true);
        both(Schema.INT8_SCHEMA, (byte) -128);
        both(Schema.INT16_SCHEMA, (short) 32767);
        both(Schema.INT32_SCHEMA, Integer.MIN_VALUE);
        for (long x : new long[] {0, 9, 10, 99, 100, -1, 12345678901L, Long.MAX_VALUE, Long.MIN_VALUE}) {
            both(Schema.INT64_SCHEMA, x);
        }
        for (float x : new float[] {0, 1.5f, 3.4e38f, 1e10f, Float.NaN, Float.POSITIVE_INFINITY, -0.0f}) {
            encode(ON, Schema.FLOAT32_SCHEMA, x);
            encode(OFF, null, x);
        }
        for (double x : new double[] {0, 100, 1e10, 1e-5, 0.001, 123456.789, Double.NaN, Double.NEGATIVE_INFINITY}) {
            encode(ON, Schema.FLOAT64_SCHEMA, x);
            encode(OFF, null, x);
        }
        both(Schema.FLOAT64_SCHEMA, 12345.678);
        both(Schema.FLOAT32_SCHEMA, 0.1f);
        both(Schema.STRING_SCHEMA, "");
        both(Schema.STRING_SCHEMA, "a/b <>&' \u007f\u0080\u00e9\u2028\ufffd \ud834\udd1e");
        StringBuilder all = new StringBuilder();
        for (char c = 0; c < 0x80; c++) all.append(c);
        both(Schema.STRING_SCHEMA, all.toString());
        for (int n = 0; n < 20; n++) both(Schema.STRING_SCHEMA, "x".repeat(n) + "\"" + "y".repeat(20 - n));
        for (int n = 0; n < 5; n++) both(Schema.BYTES_SCHEMA, new byte[] {1, 2, (byte) 0xfe, 4, 5}.length >= n
                ? Arrays.copyOf(new byte[] {(byte) 0xfb, (byte) 0xff, 0x3f, 0, 9}, n) : null);
        both(Schema.OPTIONAL_STRING_SCHEMA, null);
        both(Schema.OPTIONAL_INT32_SCHEMA, null);
        both(null, null);
        encode(ON, Schema.STRING_SCHEMA, null);
        encode(ON, SchemaBuilder.int32().optional().defaultValue(7).build(), null);
        encode(OFF, SchemaBuilder.int32().optional().defaultValue(7).build(), null);
        Map<String, ?> keep = Map.of("schemas.enable", "false", "replace.null.with.default", "false");
        encode(keep, SchemaBuilder.int32().optional().defaultValue(7).build(), null);
        encode(keep, SchemaBuilder.int32().defaultValue(7).build(), null);
    }

    static void logical() {
        for (String x : new String[] {"1.56", "0.00", "-0.01", "-1.28", "123456789012345678901234567890.12", "1.27", "-99999999.99"}) {
            both(Decimal.schema(2), new BigDecimal(x));
        }
        Map<String, ?> num = Map.of("schemas.enable", "true", "decimal.format", "NUMERIC");
        for (String x : new String[] {"1.56", "-0.01", "123456789012345678901234567890.12", "0.00", "-100.00"}) {
            encode(num, Decimal.schema(2), new BigDecimal(x));
            decode(num, converter(num).fromConnectData("t", Decimal.schema(2), new BigDecimal(x)));
        }
        encode(num, Decimal.schema(0), new BigDecimal("5"));
        encode(num, Decimal.schema(10), new BigDecimal("0.0000000001"));
        encode(num, Decimal.schema(10), new BigDecimal("0E-10"));
        encode(num, Decimal.schema(-3), new BigDecimal("12E+3"));
        encode(num, Decimal.schema(6), new BigDecimal("0.000001"));
        encode(num, Decimal.schema(7), new BigDecimal("0.0000001"));
        encode(ON, Decimal.builder(1).optional().defaultValue(new BigDecimal("2.5")).build(), null);
        both(org.apache.kafka.connect.data.Date.SCHEMA, new java.util.Date(86400000L * 19000));
        both(org.apache.kafka.connect.data.Date.SCHEMA, new java.util.Date(-86400000L));
        both(Time.SCHEMA, new java.util.Date(43200123));
        both(Timestamp.SCHEMA, new java.util.Date(1700000000123L));
    }

    static void nested() {
        both(SchemaBuilder.array(Schema.INT32_SCHEMA).build(), List.of(1, 2, 3));
        both(SchemaBuilder.array(Schema.OPTIONAL_STRING_SCHEMA).build(), Arrays.asList("a", null, "b"));
        both(SchemaBuilder.array(SchemaBuilder.array(Schema.BOOLEAN_SCHEMA).build()).optional().build(), List.of(List.of(), List.of(true)));
        both(SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.FLOAT64_SCHEMA).build(), Map.of("k\"1", 2.5));
        both(SchemaBuilder.map(Schema.INT32_SCHEMA, Schema.OPTIONAL_STRING_SCHEMA).build(), new TreeMap<>(Map.of(1, "a", 2, "b")));
        both(SchemaBuilder.map(SchemaBuilder.array(Schema.INT8_SCHEMA).build(), Schema.BOOLEAN_SCHEMA).build(), Map.of(List.of((byte) 1), true));
        both(SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT32_SCHEMA).build(), Map.of());
        both(SchemaBuilder.struct().build(), new Struct(SchemaBuilder.struct().build()));
        Schema s = SchemaBuilder.struct().name("S").version(3).doc("dd \"x\"")
                .field("i", SchemaBuilder.int32().optional().defaultValue(7).build())
                .field("m", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.FLOAT32_SCHEMA).build())
                .field("\u00fcber \"f\"", Schema.OPTIONAL_STRING_SCHEMA).build();
        both(s, new Struct(s).put("m", Map.of("a", 1.0f)));
        encode(Map.of("schemas.enable", "false", "replace.null.with.default", "false"), s, new Struct(s).put("m", Map.of()));
        Schema inner = SchemaBuilder.struct().optional().field("x", Schema.INT32_SCHEMA).build();
        Schema d = SchemaBuilder.struct().field("a", SchemaBuilder.array(Schema.INT32_SCHEMA).defaultValue(List.of(1, 2)).build())
                .field("p", SchemaBuilder.string().parameter("k", "v").parameter("k2", "v\"2").build())
                .field("n", inner).build();
        both(d, new Struct(d).put("p", "x"));
        both(envelope(), change("c"));
        both(envelope(), change("d"));
        encode(OFF, null, new LinkedHashMap<>(Map.of("a", Arrays.asList(1L, "x", null, 2.5, true))));
        encode(OFF, null, Map.of(1, "x"));
        encode(ON, null, List.of("a"));
        encode(OFF, null, new byte[] {1, 2});
    }

    static String in(String schema, String payload) { return "{\"schema\":" + schema + ",\"payload\":" + payload + "}"; }

    static void reading() {
        String[] texts = {"null", "true", " false ", "1", "-0", "007", "-01", "12345678901234567890", "-12345678901234567890",
            "123456789012345678901234567890", "1.0", "1e3", "1E-2", "0.1", "1.7976931348623157e308", "1e400", "-1e400", "4.9e-324",
            "123456789.123456789123456789", "9007199254740993.0", "\"\"", "\"a\\u00e9\\ud834\\udd1e\\n\\/\"", "[]", "[1,[2,{}]]", "{}",
            "{\"a\":1,\"b\":{\"c\":[null]}}", "{\"a\":1,\"a\":2}", "{\"a\":1} trailing", "1 2", "[1] ]", "", "  ", "\ufeff1",
            "{ \"a\" : [ 1 , 2 ] }\n", "\"\u00e9\ud834\udd1e\"", "{\"\":1}"};
        for (String t : texts) decode(OFF, t);
        String[] broken = {"{", "[1", "\"a", "nul", "nullx", "tru", "1x", "{\"a\"}", "{\"a\":}", "{a:1}", "[1,]", "{\"a\":1,}", "+1", ".5", "1.",
            "1e", "-", "\"\\x\"", "\"\\u12\"", "\"\t\"", "NaN", "'a'", "/*c*/1", "]", "[,1]", "\"a\nb\"", "0x1", "tRue"};
        for (String t : broken) { decode(OFF, t); decode(ON, t); }
        decode(OFF, (byte[]) null);
        decode(ON, (byte[]) null);
        decode(OFF, new byte[] {'"', (byte) 0xff, '"'});
        decode(OFF, new byte[] {'"', (byte) 0xc3, '"'});
        String[] noEnvelope = {"", "1", "{}", "[]", "{\"schema\":null}", "{\"payload\":1}", "{\"schema\":null,\"payload\":1,\"x\":2}", "null"};
        for (String t : noEnvelope) decode(ON, t);
        decode(ON, "{\"payload\":1,\"schema\":null}");
        decode(ON, " { \"schema\" : {\"type\":\"int32\"} , \"payload\" : 5 } ");
        decode(ON, in("null", "{\"a\":[1,2.5]}"));
        decode(ON, in("null", "null"));
    }

    static void bound() {
        String[] payloads = {"1", "300", "-1", "1.9", "1e10", "-2.5e0", "\"12\"", "true", "null", "[]", "{}", "99999999999999999999", "1e70", "1e-70"};
        for (String type : new String[] {"int8", "int16", "int32", "int64", "boolean", "float", "double", "string", "bytes"}) {
            for (String p : payloads) {
                if ((type.equals("bytes")) && p.startsWith("\"")) continue;
                decode(ON, in("{\"type\":\"" + type + "\",\"optional\":true}", p));
            }
        }
        decode(ON, in("{\"type\":\"int32\"}", "null"));
        decode(ON, in("{\"type\":\"int32\",\"default\":5}", "null"));
        decode(ON, in("{\"type\":\"bytes\"}", "\"AQID\""));
        decode(ON, in("{\"type\":\"bytes\"}", "\"AQI=\""));
        decode(ON, in("{\"type\":\"bytes\"}", "\"AQI\""));
        decode(ON, in("{\"type\":\"bytes\"}", "\"A*ID\""));
        String dec = "{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1,\"parameters\":{\"scale\":\"2\"}}";
        for (String p : new String[] {"\"AJw=\"", "1.56", "-1.5", "100", "1e2", "true", "[]"}) decode(ON, in(dec, p));
        for (String name : new String[] {"Date", "Time", "Timestamp"}) {
            String type = name.equals("Timestamp") ? "int64" : "int32";
            String s = "{\"type\":\"" + type + "\",\"name\":\"org.apache.kafka.connect.data." + name + "\",\"version\":1}";
            for (String p : new String[] {"1", "1.0", "\"x\"", "86399999", "true"}) decode(ON, in(s, p));
        }
        String arr = "{\"type\":\"array\",\"items\":{\"type\":\"int32\"}}";
        for (String p : new String[] {"[]", "[1,2]", "{\"a\":1,\"b\":2}", "5", "\"x\"", "[null]"}) decode(ON, in(arr, p));
        String map = "{\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":{\"type\":\"int32\"}}";
        for (String p : new String[] {"{}", "{\"a\":1,\"b\":2,\"a\":3}", "[]", "5"}) decode(ON, in(map, p));
        String pairs = "{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":\"string\",\"optional\":true}}";
        for (String p : new String[] {"[]", "[[1,\"a\"],[2,null]]", "{}", "[1]", "[[1]]", "[[1,\"a\",3]]"}) decode(ON, in(pairs, p));
        String st = "{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"optional\":false,\"field\":\"a\"},"
            + "{\"type\":\"string\",\"optional\":true,\"field\":\"b\"},{\"type\":\"int64\",\"default\":9,\"field\":\"c\"}],\"name\":\"N\"}";
        for (String p : new String[] {"{\"a\":1,\"b\":\"x\",\"c\":2}", "{\"c\":2,\"b\":\"x\",\"a\":1}", "{\"a\":1}", "{\"b\":\"x\"}",
            "{\"a\":1,\"z\":[{}],\"b\":3}", " { \"a\" : 1 , \"b\" : null } ", "{\"a\":1,\"a\":2}", "[]", "null", "{\"a\":null}"}) decode(ON, in(st, p));
        String req = "{\"type\":\"struct\",\"fields\":[{\"type\":\"string\",\"field\":\"s\"}]}";
        for (String p : new String[] {"{\"s\":\"x\"}", "{\"s\":5}", "{}"}) decode(ON, in(req, p));
    }

    static void schemas() {
        String[] bad = {"{}", "1", "[]", "\"int32\"", "{\"type\":5}", "{\"type\":\"INT32\"}", "{\"type\":\"array\"}", "{\"type\":\"array\",\"items\":null}",
            "{\"type\":\"map\",\"values\":{\"type\":\"int8\"}}", "{\"type\":\"map\",\"keys\":{\"type\":\"int8\"}}", "{\"type\":\"struct\"}",
            "{\"type\":\"struct\",\"fields\":{}}", "{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\"}]}", "{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\",\"field\":3}]}",
            "{\"type\":\"struct\",\"fields\":[{\"field\":\"x\"}]}", "{\"type\":\"int8\",\"parameters\":{\"a\":1}}"};
        for (String s : bad) decode(ON, in(s, "null"));
        String[] odd = {"{\"type\":\"int32\",\"optional\":true,\"name\":5,\"version\":\"1\",\"doc\":{},\"parameters\":[],\"other\":1}",
            "{\"optional\":true,\"version\":2,\"name\":\"n\",\"doc\":\"d\",\"parameters\":{\"a\":\"b\"},\"type\":\"string\"}",
            "{\"type\":\"int8\",\"optional\":true,\"default\":null}", "{\"fields\":[],\"type\":\"struct\",\"optional\":true}",
            "{\"type\":\"string\",\"optional\":\"true\",\"default\":\"x\\n\"}", "{\"type\":\"int32\",\"version\":1.5,\"optional\":true}"};
        for (String s : odd) decode(ON, in(s, "null"));
    }

    public static void main(String[] args) {
        primitives();
        logical();
        nested();
        reading();
        bound();
        schemas();
    }
}
