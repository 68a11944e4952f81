import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.*;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.header.ConnectHeaders;

/** Schemas and values that transforms have to cope with; the same ones each time for a seed. */
final class SmtRandom {
    final Random r;
    boolean maps = true, decimals = true;

    SmtRandom(long seed) { r = new Random(seed); }

    static final String[] NAMES = {"a", "b", "c", "id", "name", "a.b", "x y", "\u00fc", "op", "ts"};
    static final String[] TEXTS = {"", "abc", "12", "+7", "-0", "007", "1e3", " 5 ", "5 ", "127", "128", "-129", "32767", "-32769",
        "2147483648", "-2147483648", "9223372036854775807", "9223372036854775808", "99999999999999999999", "1.5", ".5", "5.", "-.e1",
        "1.5f", "2d", "0x1.8p1", "0x10", "0x.8p-3F", "NaN", "-Infinity", "Infinityf", "inf", "nan", "true", "TRUE", "truE ", "false", "yes",
        "1e400", "1e-400", "3.4028236e38", "1.17549429e-38", "123456789.123456789", "--1", "+", "-", "1_000", "\ud834\udd1e", "\t7\n"};
    static final long[] LONGS = {0, 1, -1, 42, 127, 128, -128, -129, 255, 256, 32767, 32768, -32769, 65536, 2147483647L, 2147483648L, -2147483649L,
        4294967296L, 1700000000000L, Long.MAX_VALUE, Long.MIN_VALUE, 9007199254740993L, 16777217L};
    static final double[] DOUBLES = {0, -0.0, 0.5, -0.5, 1, 1.5, -2.7, 127.9, 128.5, -129.5, 1e10, -1e10, 1e19, -1e19, 1e300, 4.9e-324,
        Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0.1, 16777217, 3.4028235677973366e38, 1e-50};
    static final String[] DECIMALS = {"0", "1.56", "-1.56", "0.00", "123456789012345678901234567890.12", "-99999999999999999999", "0.5", "255.9", "-0.9", "1000",
        "9223372036854775808", "0.000000001", "18446744073709551617"};

    <T> T of(T[] all) { return all[r.nextInt(all.length)]; }

    boolean chance(int percent) { return r.nextInt(100) < percent; }

    Schema.Type primitive() {
        return of(new Schema.Type[] {Schema.Type.INT8, Schema.Type.INT16, Schema.Type.INT32, Schema.Type.INT64, Schema.Type.FLOAT32,
            Schema.Type.FLOAT64, Schema.Type.BOOLEAN, Schema.Type.STRING, Schema.Type.STRING, Schema.Type.BYTES});
    }

    private SchemaBuilder plain(int depth) {
        int kind = r.nextInt(100);
        if (depth > 0 && kind < 25) {
            SchemaBuilder b = SchemaBuilder.struct();
            if (chance(50)) b.name(of(new String[] {"S", "p.s.t.Value"}));
            for (String f : fields(3)) b.field(f, schema(depth - 1));
            return b;
        }
        if (depth > 0 && kind < 32) return SchemaBuilder.array(schema(0));
        if (depth > 0 && kind < 37 && maps) return SchemaBuilder.map(Schema.STRING_SCHEMA, schema(0));
        if (kind < 45) return org.apache.kafka.connect.data.Date.builder();
        if (kind < 50) return Time.builder();
        if (kind < 57) return Timestamp.builder();
        if (kind < 65 && decimals) return Decimal.builder(of(new Integer[] {0, 2, 9, -2}));
        SchemaBuilder b = SchemaBuilder.type(primitive());
        if (chance(10)) b.name("io.debezium.time.X").version(1).parameter("p", "1").parameter("q", "2");
        return b;
    }

    List<String> fields(int max) {
        List<String> all = new ArrayList<>(Arrays.asList(NAMES));
        Collections.shuffle(all, r);
        return all.subList(0, 1 + r.nextInt(max));
    }

    Schema schema(int depth) {
        SchemaBuilder b = plain(depth);
        if (chance(50)) b.optional();
        if (chance(10)) b.doc("d");
        if (chance(25)) {
            Object dflt = value(b, true);
            if (dflt != null) b.defaultValue(dflt);
        }
        return b.build();
    }

    /** The schema of a key or value: a struct, most often. */
    Schema top(int depth, int fields) {
        SchemaBuilder b = SchemaBuilder.struct();
        if (chance(60)) b.name("p.s.t.Value");
        if (chance(20)) b.version(3);
        if (chance(20)) b.doc("some doc");
        if (chance(20)) b.parameter("k", "v");
        for (String f : fields(fields)) b.field(f, schema(depth));
        if (chance(20)) b.optional();
        if (chance(10)) b.defaultValue(value(b, true));
        return b.build();
    }

    /** exact: nothing that the schema forbids. */
    Object value(Schema s, boolean exact) {
        if (s.isOptional() && chance(25)) return null;
        if (s.name() != null) {
            switch (s.name()) {
                case "org.apache.kafka.connect.data.Date": return new java.util.Date(86400000L * (r.nextInt(40000) - 3000));
                case "org.apache.kafka.connect.data.Time": return new java.util.Date(r.nextInt(86400000));
                case "org.apache.kafka.connect.data.Timestamp":
                    return new java.util.Date(of(new Long[] {0L, 1L, -1L, 86399999L, 86400000L, 172800000L, 1700000000123L, 4102444800000L, -86400000L}));
                case "org.apache.kafka.connect.data.Decimal": {
                    int scale = Integer.parseInt(s.parameters().get("scale"));
                    BigInteger unscaled = new BigDecimal(of(DECIMALS)).setScale(chance(50) ? 9 : 2, java.math.RoundingMode.DOWN).unscaledValue();
                    return new BigDecimal(unscaled, scale);
                }
                default:
            }
        }
        switch (s.type()) {
            case INT8: return (byte) long_();
            case INT16: return (short) long_();
            case INT32: return (int) long_();
            case INT64: return long_();
            case FLOAT32: return (float) DOUBLES[r.nextInt(DOUBLES.length)];
            case FLOAT64: return DOUBLES[r.nextInt(DOUBLES.length)];
            case BOOLEAN: return r.nextBoolean();
            case STRING: return of(TEXTS);
            case BYTES: return bytes();
            case ARRAY: {
                List<Object> list = new ArrayList<>();
                for (int n = r.nextInt(3); n > 0; n--) list.add(value(s.valueSchema(), true));
                return list;
            }
            case MAP: {
                Map<Object, Object> map = new HashMap<>();
                for (int n = r.nextInt(3); n > 0; n--) map.put(of(NAMES), value(s.valueSchema(), true));
                return map;
            }
            default: {
                Struct t = new Struct(s);
                for (Field f : s.fields()) {
                    if (!exact && chance(6)) continue; /* null, even where it must not be */
                    if (exact && f.schema().defaultValue() != null && chance(20)) continue;
                    Object v = value(f.schema(), exact || f.schema().type() != Schema.Type.STRUCT);
                    if (v instanceof Struct && !exact) {
                        try { t.put(f, v); } catch (Exception e) { t.put(f, value(f.schema(), true)); }
                    } else {
                        t.put(f, v);
                    }
                }
                return t;
            }
        }
    }

    long long_() { return chance(70) ? LONGS[r.nextInt(LONGS.length)] : r.nextLong() >> r.nextInt(64); }

    byte[] bytes() {
        byte[] b = new byte[r.nextInt(6)];
        r.nextBytes(b);
        return b;
    }

    /** Without schema. */
    Object loose(int depth) {
        int kind = r.nextInt(100);
        if (depth > 0 && kind < 30) return map(depth - 1, 3);
        if (depth > 0 && kind < 40) {
            List<Object> list = new ArrayList<>();
            for (int n = r.nextInt(3); n > 0; n--) list.add(loose(depth - 1));
            return list;
        }
        if (kind < 48) return null;
        return value(SchemaBuilder.type(primitive()).build(), true);
    }

    Map<String, Object> map(int depth, int fields) {
        Map<String, Object> map = new HashMap<>();
        if (chance(5)) return map;
        for (String f : fields(fields)) map.put(f, loose(depth));
        return map;
    }

    void headers(ConnectHeaders h) {
        for (int n = r.nextInt(4); n > 0; n--) {
            Schema s = schema(0);
            Object v = value(s, true);
            h.add(of(new String[] {"h", "a", "trace", "x"}), v, v == null && !s.isOptional() ? null : s);
        }
    }
}
