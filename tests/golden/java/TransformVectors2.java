import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.util.*;
import org.apache.kafka.connect.converters.*;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.transforms.*;

/**
 * MaskField, RegexRouter, ReplaceField, SetSchemaMetadata, TimestampConverter, TimestampRouter, ValueToKey and the
 * converters of primitives.
 *   class, config, form, topic, timestamp, in schema, in value, then !error or: topic, key schema, key, value schema, value
 *   encode: class, schema, value, octets; decode: class, octets, value
 */
public class TransformVectors2 {
    static final Random random = new Random(7);
    static final Set<String> seen = new HashSet<>();
    static Schema lastSchema;
    static String lastText;

    /** As Text.value(), but a java.util.Date without a schema is its milliseconds. */
    static String value(Schema s, Object v) {
        if (s == null && v instanceof java.util.Date) return "l" + ((java.util.Date) v).getTime();
        if (s == null && v instanceof Map) {
            List<String> entries = new ArrayList<>();
            for (Map.Entry<?, ?> e : ((Map<?, ?>) v).entrySet()) entries.add(value(null, e.getKey()) + ":" + value(null, e.getValue()));
            Collections.sort(entries);
            return "{" + String.join(",", entries) + "}";
        }
        return Text.value(s, v, true);
    }

    static void apply(String name, Map<String, String> config, String topic, Long timestamp, Schema schema, Object v) {
        boolean key = name.endsWith("$Key");
        Map<String, String> sorted = new TreeMap<>(config);
        if (schema != lastSchema) lastText = Text.schema(schema);
        lastSchema = schema;
        String left = String.join("\t", name, Text.config(sorted), Text.quote(topic), "" + timestamp, lastText == null ? "-" : lastText, value(schema, v));
        String right;
        try {
            Transformation<SourceRecord> smt = (Transformation<SourceRecord>) Class.forName("org.apache.kafka.connect.transforms." + name).getDeclaredConstructor().newInstance();
            smt.configure(sorted);
            SourceRecord in = key ? new SourceRecord(null, null, topic, null, schema, v, null, null, timestamp)
                    : new SourceRecord(null, null, topic, null, null, null, schema, v, timestamp);
            SourceRecord out = smt.apply(in);
            Schema os = key ? out.keySchema() : out.valueSchema();
            String same = os != null && os.equals(schema) ? "same" : Text.schema(os);
            right = String.join("\t", Text.quote(out.topic()), same, value(os, key ? out.key() : out.value()));
            if (name.equals("ValueToKey")) right += "\t" + Text.schema(out.keySchema()) + "\t" + value(out.keySchema(), out.key());
        } catch (ConnectException | org.apache.kafka.common.config.ConfigException | IllegalArgumentException | IndexOutOfBoundsException e) {
            right = Text.error(e);
        } catch (NullPointerException e) {
            return; // Java's accidents
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
        String line = left + "\t" + right;
        if (seen.add(line)) System.out.println(line);
    }

    static Map<String, String> map(String... kv) {
        Map<String, String> m = new TreeMap<>();
        for (int i = 0; i < kv.length; i += 2) m.put(kv[i], kv[i + 1]);
        return m;
    }

    static final Object[][] FIELDS = {
        {"b", Schema.INT8_SCHEMA, (byte) 5}, {"s", Schema.OPTIONAL_INT16_SCHEMA, (short) 300}, {"i", SchemaBuilder.int32().defaultValue(7).build(), 70000},
        {"l", SchemaBuilder.int64().optional().defaultValue(9L).build(), 5000000000L}, {"f", Schema.FLOAT32_SCHEMA, 1.5f}, {"d", Schema.OPTIONAL_FLOAT64_SCHEMA, 2.25}, {"t", Schema.BOOLEAN_SCHEMA, true},
        {"x", SchemaBuilder.string().optional().defaultValue("dflt").build(), "text"}, {"y", Schema.OPTIONAL_BYTES_SCHEMA, new byte[] {1, 2}}, {"a", SchemaBuilder.array(Schema.STRING_SCHEMA).optional().build(), new ArrayList<>(List.of("p", "q"))},
        {"m", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT32_SCHEMA).optional().build(), new HashMap<>(Map.of("k", 1))}, {"dec", Decimal.builder(2).optional().build(), new BigDecimal("12.34")},
        {"date", org.apache.kafka.connect.data.Date.builder().optional().build(), new java.util.Date(19000L * 86400000)}, {"time", Time.builder().optional().build(), new java.util.Date(3723004)}, {"ts", Timestamp.builder().optional().build(), new java.util.Date(1700000000123L)},
        {"st", SchemaBuilder.struct().optional().field("z", Schema.INT32_SCHEMA).build(), null},
    };

    /** A struct of some of the fields, some of them null. */
    static Struct struct(Schema schema, int nulls) {
        Struct v = new Struct(schema);
        for (Field f : schema.fields()) {
            for (Object[] o : FIELDS) {
                if (!o[0].equals(f.name()) && !(f.name().length() == 2 && f.name().endsWith("2") && f.name().startsWith((String) o[0]))) continue;
                boolean mayNull = f.schema().isOptional() || f.schema().defaultValue() != null;
                if (mayNull && random.nextInt(4) < nulls) continue;
                if (o[0].equals("st")) v.put(f, new Struct(f.schema()).put("z", 3));
                else v.put(f, o[2]);
            }
        }
        return v;
    }

    static Schema some(int max) {
        SchemaBuilder b = SchemaBuilder.struct().name("n.S");
        if (random.nextBoolean()) b.version(3);
        if (random.nextInt(3) == 0) b.doc("about").parameter("p", "q");
        if (random.nextInt(4) == 0) b.optional();
        List<Object[]> fields = new ArrayList<>(Arrays.asList(FIELDS));
        Collections.shuffle(fields, random);
        for (Object[] f : fields.subList(0, 1 + random.nextInt(max))) b.field((String) f[0], (Schema) f[1]);
        return b.build();
    }

    static Map<String, Object> bare(int max) {
        Map<String, Object> m = new HashMap<>();
        for (int i = 0; i < max; i++) {
            Object[] f = FIELDS[random.nextInt(11)];
            m.put((String) f[0], random.nextInt(5) == 0 ? null : f[2]);
        }
        return m;
    }

    static String pick(int max) {
        List<String> names = new ArrayList<>();
        for (int i = 1 + random.nextInt(max); i > 0; i--) names.add((String) FIELDS[random.nextInt(FIELDS.length)][0]);
        return String.join(",", names);
    }

    static void maskField() {
        String[] replacements = {null, "42", "-1.9", "1e3", "abc", "300", "99999999999999999999", "12.345", "+7", "1E400", ".5", "0x1", " 1"};
        for (int i = 0; i < 260; i++) {
            Map<String, String> c = map("fields", pick(3));
            String r = replacements[i % replacements.length];
            if (r != null) c.put("replacement", r);
            if (random.nextInt(4) == 0) c.put("replace.null.with.default", "false");
            boolean bareOnly = r != null && (r.equals("12.345") || r.equals("99999999999999999999") || r.equals("1E400"));
            Schema s = some(6);
            // Java puts a BigDecimal of another scale there, which its converters refuse later
            if (!(s.field("dec") != null && c.get("fields").contains("dec") && r != null)) {
                String form = random.nextBoolean() ? "MaskField$Value" : "MaskField$Key";
                Struct v = struct(s, 1);
                apply(form, c, "t", null, s, v);
            }
            if (r != null) c.put("fields", pick(1)); // of several errors Java takes any
            apply("MaskField$Value", c, "t", null, null, bare(4));
        }
        apply("MaskField$Value", map("fields", "a"), "t", null, null, null);
        apply("MaskField$Value", map("fields", "a"), "t", null, Schema.STRING_SCHEMA, "x");
        apply("MaskField$Value", map("fields", "a"), "t", null, null, "x");
        apply("MaskField$Key", map("fields", "a"), "t", null, SchemaBuilder.struct().optional().build(), null);
    }

    static void replaceField() {
        String[] renames = {"", "b:c", "s:s2,i:i2", "x:y", "b:x,x:b", "nope:q", "a:a2,a2:a", "l:d"};
        for (int i = 0; i < 400; i++) {
            Map<String, String> c = new TreeMap<>();
            if (random.nextInt(3) == 0) c.put("exclude", pick(4));
            if (random.nextInt(3) == 0) c.put("include", pick(6));
            String r = renames[random.nextInt(renames.length)];
            if (!r.isEmpty()) c.put("renames", r);
            if (random.nextInt(4) == 0) c.put("replace.null.with.default", "false");
            Schema s = some(8);
            apply(random.nextBoolean() ? "ReplaceField$Value" : "ReplaceField$Key", c, "t", null, s, struct(s, 1));
            if (!r.contains("l:d") && !r.contains("x:y") && !r.contains("b:x")) apply("ReplaceField$Value", c, "t", null, null, bare(5));
        }
        for (String bad : new String[] {"a", "a:b:c", "a:", ":", "a::b", ":b", "a:b:"}) apply("ReplaceField$Value", map("renames", bad), "t", null, null, new HashMap<>(Map.of("a", 1)));
        apply("ReplaceField$Value", map("exclude", "a"), "t", null, null, null);
        apply("ReplaceField$Value", map("exclude", "a"), "t", null, Schema.STRING_SCHEMA, "x");
        apply("ReplaceField$Value", map("exclude", "a"), "t", null, null, 5);
    }

    static void setSchemaMetadata() {
        String[][] configs = {{"schema.name", "new.N"}, {"schema.version", "9"}, {"schema.name", "q", "schema.version", "-1"}, {}, {"schema.name", "q", "replace.null.with.default", "false"}};
        for (int i = 0; i < 90; i++) {
            String form = random.nextBoolean() ? "SetSchemaMetadata$Value" : "SetSchemaMetadata$Key";
            Schema s = some(6);
            apply(form, map(configs[i % configs.length]), "t", null, s, struct(s, 1));
        }
        for (String[] c : configs) {
            apply("SetSchemaMetadata$Value", map(c), "t", null, null, null);
            apply("SetSchemaMetadata$Value", map(c), "t", null, null, new HashMap<>(Map.of("a", 1)));
            apply("SetSchemaMetadata$Value", map(c), "t", null, Schema.STRING_SCHEMA, "x");
            apply("SetSchemaMetadata$Value", map(c), "t", null, Schema.OPTIONAL_INT32_SCHEMA, null);
            for (int k = 7; k < 15; k++) apply("SetSchemaMetadata$Value", map(c), "t", null, (Schema) FIELDS[k][1], FIELDS[k][2]);
        }
    }

    static void valueToKey() {
        for (int i = 0; i < 150; i++) {
            Map<String, String> c = map("fields", pick(3));
            if (random.nextInt(4) == 0) c.put("replace.null.with.default", "false");
            Schema s = some(12);
            apply("ValueToKey", c, "t", null, s, struct(s, 1));
            apply("ValueToKey", c, "t", null, null, bare(8));
        }
        apply("ValueToKey", map("fields", "a"), "t", null, null, null);
        apply("ValueToKey", map("fields", "a"), "t", null, Schema.STRING_SCHEMA, "x");
        apply("ValueToKey", map("fields", "a"), "t", null, SchemaBuilder.struct().optional().build(), null);
    }

    static void routers() {
        String[][] regexes = {{"(.*)", "x-$1"}, {"([^.]*)\\.(.*)", "$2"}, {"a|ab", "z"}, {"(?<n>t.*)", "${n}${n}"}, {"t", "$1"}, {"t", "$"}, {"no", "q"}, {"db\\.(\\w+)\\.(\\w+)", "$1_$2"}, {"(?i)DB.*", "up"}};
        for (String[] r : regexes) for (String topic : new String[] {"t", "ab", "db.sch.tab", "topic-1"}) apply("RegexRouter", map("regex", r[0], "replacement", r[1]), topic, null, null, null);
        apply("RegexRouter", map("regex", "(", "replacement", ""), "t", null, null, null);
        for (String f : new String[] {"${topic}-${timestamp}", "${timestamp}", "x", "${topic}${topic}.${timestamp}$", "$topic"})
            for (String t : new String[] {"yyyyMMdd", "yyyy-MM-dd'T'HH", "'${topic}'yy", "EEE"})
                for (Long ms : new Long[] {0L, 1700000000123L, -5L, null}) if (ms != null || f.equals("x")) apply("TimestampRouter", map("topic.format", f, "timestamp.format", t), random.nextInt(5) == 0 ? "a${timestamp}b" : "t", ms, null, null);
    }

    static void timestampConverter() {
        Schema[] schemas = {Schema.STRING_SCHEMA, Schema.OPTIONAL_STRING_SCHEMA, Schema.INT64_SCHEMA, Schema.OPTIONAL_INT64_SCHEMA, org.apache.kafka.connect.data.Date.SCHEMA, Time.SCHEMA, Timestamp.SCHEMA, Timestamp.builder().optional().build(), Timestamp.builder().optional().defaultValue(new java.util.Date(77)).build(), SchemaBuilder.int64().defaultValue(5L).build(), Schema.INT32_SCHEMA, Schema.FLOAT64_SCHEMA};
        long[] times = {0, 1, 1700000000123L, -1, -86400001, 4102444800000L, 999, 86399999};
        String[] patterns = {"yyyy-MM-dd HH:mm:ss.SSS", "yyyy-MM-dd", "HH:mm", "dd/MM/yy"};
        for (int i = 0; i < 800; i++) {
            Map<String, String> c = map("target.type", new String[] {"string", "unix", "Date", "Time", "Timestamp"}[random.nextInt(5)]);
            String pattern = patterns[random.nextInt(patterns.length)];
            if (random.nextInt(8) > 0) c.put("format", pattern);
            if (random.nextInt(3) == 0) c.put("unix.precision", new String[] {"seconds", "microseconds", "nanoseconds", "milliseconds"}[random.nextInt(4)]);
            if (random.nextInt(5) == 0) c.put("replace.null.with.default", "false");
            String form = random.nextBoolean() ? "TimestampConverter$Value" : "TimestampConverter$Key";
            Schema s = schemas[random.nextInt(schemas.length)];
            long ms = times[random.nextInt(times.length)];
            Object v;
            java.text.SimpleDateFormat f = new java.text.SimpleDateFormat(pattern);
            f.setTimeZone(TimeZone.getTimeZone("UTC"));
            if ((s.isOptional() || s.defaultValue() != null) && random.nextInt(4) == 0) v = null;
            else if (s.type() == Schema.Type.STRING) v = random.nextInt(8) == 0 ? "nonsense" : f.format(new java.util.Date(ms));
            else if (Time.LOGICAL_NAME.equals(s.name())) v = new java.util.Date(Math.floorMod(ms, 86400000L));
            else if (org.apache.kafka.connect.data.Date.LOGICAL_NAME.equals(s.name())) v = new java.util.Date(Math.floorDiv(ms, 86400000L) * 86400000L);
            else if (Timestamp.LOGICAL_NAME.equals(s.name())) v = new java.util.Date(ms);
            else if (s.type() == Schema.Type.INT32) v = 5;
            else if (s.type() == Schema.Type.FLOAT64) v = 5.5;
            else v = random.nextInt(6) == 0 ? Long.MAX_VALUE / (1 + random.nextInt(2000)) : ms;
            boolean huge = v instanceof Long && Math.abs((Long) v) > 1L << 53;
            if (huge && !c.get("target.type").equals("unix")) v = ms;
            int how = random.nextInt(4);
            if (how == 0 && (v != null || s.isOptional())) {
                apply(form, c, "t", null, s, v);
            } else if (how == 1 && !(v instanceof java.util.Date)) {
                apply(form, c, "t", null, null, v);
            } else if (how == 2 && !(v instanceof java.util.Date)) {
                Map<String, Object> m = new HashMap<>(Map.of("other", "o"));
                if (random.nextInt(6) > 0) m.put("at", v);
                c.put("field", "at");
                apply(form, c, "t", null, null, m);
            } else {
                SchemaBuilder b = SchemaBuilder.struct().name("n.S").version(2).field("other", SchemaBuilder.string().optional().defaultValue("od").build()).field("at", s);
                if (random.nextInt(4) == 0) b.optional();
                c.put("field", random.nextInt(12) == 0 ? "absent" : "at");
                Schema built = b.build();
                if (random.nextInt(5) == 0 && v != null) { // a default of the whole
                    SchemaBuilder d = SchemaBuilder.struct().name("n.D").optional().field("other", built.field("other").schema()).field("at", s);
                    built = d.defaultValue(new Struct(d).put("other", "in default").put("at", v)).build();
                }
                Struct st = new Struct(built);
                if (v != null) st.put("at", v);
                apply(form, c, "t", null, built, built.isOptional() && random.nextInt(4) == 0 ? null : st);
            }
        }
        apply("TimestampConverter$Value", map("target.type", "string"), "t", null, null, null);
        apply("TimestampConverter$Value", map("target.type", "unix", "field", "x"), "t", null, null, "text");
        apply("TimestampConverter$Value", map("target.type", "unix", "field", "x"), "t", null, Schema.OPTIONAL_STRING_SCHEMA, null);
        apply("TimestampConverter$Value", map("target.type", "unix", "field", "x"), "t", null, Schema.STRING_SCHEMA, "y");
        apply("TimestampConverter$Value", map("target.type", "unix"), "t", null, null, 5);
    }

    static void converters() {
        Converter[] all = {new ShortConverter(), new IntegerConverter(), new LongConverter(), new FloatConverter(), new DoubleConverter(), new BooleanConverter()};
        Object[] values = {null, (byte) 1, (short) -2, (short) 300, Short.MIN_VALUE, 5, -70000, Integer.MAX_VALUE, 7L, -5000000000L, Long.MIN_VALUE, 1.5f, -0.0f, Float.NaN, 3.4e38f, 2.25, -1e300, Double.NEGATIVE_INFINITY, Double.NaN, true, false, "x", List.of(), new BigDecimal("1.5")};
        Schema[] schemas = {null, Schema.INT16_SCHEMA, Schema.OPTIONAL_INT32_SCHEMA, Schema.INT64_SCHEMA, Schema.FLOAT32_SCHEMA, Schema.FLOAT64_SCHEMA, Schema.BOOLEAN_SCHEMA, Schema.STRING_SCHEMA};
        byte[][] octets = new byte[60][];
        for (int i = 1; i < octets.length; i++) {
            octets[i] = new byte[i % 10];
            random.nextBytes(octets[i]);
            if (i % 10 == 1) octets[i][0] = (byte) (i / 10);
        }
        for (Converter c : all) {
            String name = c.getClass().getSimpleName();
            c.configure(Map.of(), false);
            for (Object v : values) {
                for (Schema s : schemas) {
                    if (v instanceof BigDecimal) continue;
                    if (s != null && v != null && !name.startsWith("Boolean") && s.type() != ConnectSchema.schemaType(v.getClass())) continue;
                    String right;
                    try {
                        right = Text.bytes(c.fromConnectData("t", s, v));
                    } catch (ConnectException e) {
                        right = Text.error(e);
                    }
                    System.out.println(String.join("\t", "encode", name, Text.schema(s), Text.value(null, v, true), right));
                }
            }
            for (byte[] o : octets) {
                String right;
                try {
                    SchemaAndValue sv = c.toConnectData("t", o);
                    right = Text.schema(sv.schema()) + "\t" + Text.value(sv.schema(), sv.value(), true);
                } catch (ConnectException e) {
                    right = Text.error(e);
                }
                System.out.println(String.join("\t", "decode", name, Text.bytes(o), right));
            }
        }
    }

    public static void main(String[] args) {
        Locale.setDefault(Locale.US);
        if (args[0].equals("converters")) {
            converters();
            return;
        }
        if (args[0].equals("fields")) {
            maskField();
            replaceField();
        } else {
            setSchemaMetadata();
            valueToKey();
            routers();
            timestampConverter();
        }
    }
}
