import java.util.*;
import org.apache.kafka.connect.data.*;

/** TransformVectors <file>: what Kafka's transforms did to generated records. */
public class TransformVectors {
    static SmtRandom random;
    static final String[] TYPES = {"int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string"};

    static String form(String name) { return name + (random.chance(80) ? "$Value" : "$Key"); }

    static void replaceNull(SmtCase c) {
        if (random.chance(40)) c.config.put("replace.null.with.default", "" + random.r.nextBoolean());
    }

    /** A record: a struct, a map, seldom something else. */
    static SmtCase fill(SmtCase c, int depth, int fields) {
        int kind = random.r.nextInt(100);
        c.sink = random.chance(60);
        if (c.sink || random.chance(30)) c.partition = random.r.nextInt(5);
        if (c.sink) c.offset = random.long_() & Long.MAX_VALUE;
        if (random.chance(80)) c.timestamp = 1700000000000L + random.r.nextInt(1000);
        if (random.chance(25)) random.headers(c.headers);
        if (kind < 65) {
            Schema s = random.top(depth, fields);
            return c.on(s, random.chance(4) ? null : random.value(s, false));
        }
        if (kind < 92) return c.on(null, random.chance(4) ? null : random.map(depth, fields));
        if (kind < 97) {
            Schema s = random.schema(1);
            return c.on(s, random.value(s, true));
        }
        return c.on(null, random.loose(1));
    }

    static void cast(int n) {
        for (int i = 0; i < n; i++) {
            SmtCase c = new SmtCase(form("Cast"));
            replaceNull(c);
            if (random.chance(30)) {
                c.config.put("spec", random.of(TYPES));
                Schema s = random.schema(0);
                if (random.chance(70)) c.on(s, random.value(s, true));
                else c.on(null, random.loose(0));
            } else {
                List<String> spec = new ArrayList<>();
                for (String f : random.fields(4)) spec.add(f + ":" + random.of(TYPES));
                c.config.put("spec", String.join(",", spec));
                fill(c, 1, 6);
                String line = c.line();
                if (c.schema == null && spec.size() > 1 && line != null && line.contains("\t!\"")) continue; /* whichever HashMap comes to first */
            }
            c.print();
        }
        for (String spec : new String[] {"", "foo", "a:int8:b", "a:bytes", "array", "int8,a:int8", "a:INT8 , b : string", "a:int8,a:string", "a:", ":int8", "int8,int8"})
            new SmtCase("Cast$Value", "spec", spec).on(null, new HashMap<>(Map.of("a", 7L, "", 8L))).print();
    }

    static void castValues() {
        for (String type : TYPES)
            for (String text : SmtRandom.TEXTS) new SmtCase("Cast$Value", "spec", type).on(Schema.STRING_SCHEMA, text).print();
        for (String type : TYPES)
            for (long l : SmtRandom.LONGS) new SmtCase("Cast$Value", "spec", type).on(Schema.INT64_SCHEMA, l).print();
        for (String type : TYPES)
            for (double d : SmtRandom.DOUBLES) {
                new SmtCase("Cast$Value", "spec", type).on(Schema.FLOAT64_SCHEMA, d).print();
                new SmtCase("Cast$Value", "spec", type).on(Schema.FLOAT32_SCHEMA, (float) d).print();
            }
        for (String type : TYPES)
            for (double d : new double[] {2147483647.5, 2147483648.0, -2147483648.5, -2147483649.0, 9223372036854775808.0, 1e100})
                new SmtCase("Cast$Value", "spec", type).on(Schema.FLOAT64_SCHEMA, d).print();
        for (String type : TYPES)
            for (String d : SmtRandom.DECIMALS)
                for (int scale : new int[] {0, 3, -3, 40, -70}) {
                    java.math.BigDecimal big = new java.math.BigDecimal(new java.math.BigDecimal(d).unscaledValue(), scale);
                    new SmtCase("Cast$Value", "spec", type).on(Decimal.schema(scale), big).print();
                }
    }

    static void extractField(int n) {
        String[] fields = {"a", "b", "id", "a.b", "`a.b`", "`a.b`.c", "a.a", "b.id", "name.op.ts", "c.`x y`", "`a", "a.", "`a`b`.c", "`a\\`.b`", ".", "\u00fc"};
        for (int i = 0; i < n; i++) {
            SmtCase c = new SmtCase(form("ExtractField"), "field", random.of(fields));
            if (random.chance(60)) c.config.put("field.syntax.version", random.of(new String[] {"V1", "V2", "v2", "V2"}));
            replaceNull(c);
            fill(c, 2, 8).print();
        }
        for (String path : new String[] {"a.b", "`a.b`", "`a`.`b`", "`a\\`.b`", "`a`b`", "a`b.c", "``", "`.`", "a..b", "a.", ".", "`a`.", "`", "`a", "`a\\`", "a.`b", "`a`b", "`a\\\\`.b`"}) {
            Map<String, Object> m = new HashMap<>();
            m.put("a", new HashMap<>(Map.of("b", 1L, "", new HashMap<>(Map.of("b", 2L, "", 3L)))));
            m.put("a.b", 4L);
            m.put("a`.b", 5L);
            m.put("a`b", new HashMap<>(Map.of("c", 6L)));
            m.put("", new HashMap<>(Map.of("", 7L)));
            m.put(".", 8L);
            m.put("a\\", new HashMap<>(Map.of("b", 9L)));
            new SmtCase("ExtractField$Value", "field", path, "field.syntax.version", "V2").on(null, m).print();
            new SmtCase("ExtractField$Value", "field", path).on(null, m).print();
        }
        new SmtCase("ExtractField$Value", "field", "a", "field.syntax.version", "V3").print();
        new SmtCase("ExtractField$Value").print();
    }

    static int leaves(Map<?, ?> m) {
        int n = 0;
        for (Object v : m.values()) n += v instanceof Map ? leaves((Map<?, ?>) v) : 1;
        return n;
    }

    static void flatten(int n) {
        for (int i = 0; i < n; i++) {
            SmtCase c = new SmtCase(form("Flatten"));
            if (random.chance(60)) c.config.put("delimiter", random.of(new String[] {".", "_", "", "::", "\u00e9"}));
            random.maps = random.chance(10);
            fill(c, 3, 5);
            String line = c.line();
            if (c.schema == null && c.value instanceof Map && line != null) {
                int want = leaves((Map<?, ?>) c.value);
                Set<String> seen = new HashSet<>();
                names((Map<?, ?>) c.value, "", c.config.getOrDefault("delimiter", "."), seen);
                if (seen.size() != want) continue; /* which one stays is up to HashMap */
            }
            c.print();
        }
        random.maps = true;
    }

    static void names(Map<?, ?> m, String prefix, String delimiter, Set<String> seen) {
        for (Map.Entry<?, ?> e : m.entrySet()) {
            String name = prefix.isEmpty() ? (String) e.getKey() : prefix + delimiter + e.getKey();
            if (e.getValue() instanceof Map) names((Map<?, ?>) e.getValue(), name, delimiter, seen);
            else seen.add(name);
        }
    }

    static void headerFrom(int n) {
        for (int i = 0; i < n; i++) {
            SmtCase c = new SmtCase(form("HeaderFrom"), "operation", random.of(new String[] {"move", "copy"}));
            replaceNull(c);
            fill(c, 1, 8);
            List<String> fields = new ArrayList<>(), headers = new ArrayList<>();
            if (c.schema != null && c.schema.type() == Schema.Type.STRUCT && random.chance(90)) {
                for (Field f : c.schema.fields()) if (random.chance(50)) fields.add(f.name());
                Collections.shuffle(fields, random.r);
            }
            if (fields.isEmpty()) fields.addAll(random.fields(3));
            for (int k = fields.size() - (random.chance(3) ? 1 : 0); k > 0; k--) headers.add(random.of(new String[] {"h", "h1", "trace", "x"}));
            c.config.put("fields", String.join(",", fields));
            c.config.put("headers", String.join(",", headers));
            c.print();
        }
        new SmtCase("HeaderFrom$Value", "fields", "a", "headers", "h", "operation", "Move").print();
    }

    static void hoistField(int n) {
        for (int i = 0; i < n; i++) {
            SmtCase c = new SmtCase(form("HoistField"), "field", random.of(new String[] {"a", "content", "x.y", "\u00fc", ""}));
            fill(c, 2, 4);
            if (c.schema != null) c.on(c.schema, random.chance(5) ? null : random.value(c.schema, true)); /* Struct.put() looks at all below */
            if (random.chance(40)) {
                Schema s = random.schema(1);
                c.on(s, random.chance(10) ? null : random.value(s, true));
            }
            c.print();
        }
    }

    static void insertField(int n) {
        String[] names = {"a", "topic", "where!", "op?", "b!", "x", "!", "q?", "when"};
        for (int i = 0; i < n; i++) {
            SmtCase c = new SmtCase(form("InsertField"));
            for (String key : new String[] {"topic.field", "partition.field", "offset.field", "timestamp.field", "static.field"})
                if (random.chance(35)) c.config.put(key, random.chance(75) ? key.substring(0, 2) + random.of(new String[] {"", "!", "?"}) : random.of(names));
            if (c.config.containsKey("static.field") ? random.chance(95) : random.chance(10)) c.config.put("static.value", random.of(new String[] {"v", "", "some text", "\u00fc"}));
            replaceNull(c);
            fill(c, 1, 5);
            if (!c.sink && random.chance(80)) c.config.remove("offset.field");
            c.print();
        }
    }

    static void headers(int n) {
        List<String> literals = new ArrayList<>(Arrays.asList(SmtRandom.TEXTS));
        literals.addAll(Arrays.asList("null", "[1,2,300]", "{\"a\":1}", "{a:1}", "[1,", "2020-01-02", "10:11:12.123Z", "2020-01-02T10:11:12.123Z", "1,2", "a\\,b"));
        for (String literal : literals) {
            if (!literal.equals(literal.trim())) continue;
            SmtCase c = new SmtCase("InsertHeader", "header", "added", "value.literal", literal);
            random.headers(c.headers);
            c.on(Schema.INT32_SCHEMA, 1).print();
        }
        for (int i = 0; i < n; i++) {
            SmtCase c = new SmtCase("DropHeaders", "headers", random.of(new String[] {"h", "h,a", "x , trace", "none", "h,h,x"}));
            random.headers(c.headers);
            random.headers(c.headers);
            c.on(Schema.INT32_SCHEMA, 1).print();
        }
        new SmtCase("DropHeaders", "headers", "").print();
        new SmtCase("InsertHeader", "header", "h").print();
        for (int i = 0; i < n; i++) {
            SmtCase c = new SmtCase("predicates.HasHeaderKey", "name", random.of(new String[] {"h", "a", "trace", "none"}));
            random.headers(c.headers);
            c.on(Schema.INT32_SCHEMA, 1).print();
        }
        new SmtCase("predicates.HasHeaderKey", "name", "").print();
        new SmtCase("predicates.RecordIsTombstone").print();
        new SmtCase("predicates.RecordIsTombstone").on(Schema.OPTIONAL_STRING_SCHEMA, null).print();
        new SmtCase("predicates.RecordIsTombstone").on(Schema.STRING_SCHEMA, "").print();
        new SmtCase("Filter").on(Schema.STRING_SCHEMA, "").print();
        new SmtCase("Filter").print();
        for (String pattern : new String[] {"t", "T", "orders", "orders-.*", ".*", "orders|t", "(?i)ORDERS.*", "order", "", "[", "orders-\\d{3}"})
            for (String topic : new String[] {"t", "orders", "orders-123", "Orders-1", "my-orders"}) {
                SmtCase c = new SmtCase("predicates.TopicNameMatches", "pattern", pattern);
                c.topic = topic;
                c.print();
            }
    }

    public static void main(String[] args) {
        random = new SmtRandom(41);
        switch (args[0]) {
            case "cast": cast(620); break;
            case "cast_values": castValues(); break;
            case "extract_field": extractField(650); break;
            case "flatten": flatten(680); break;
            case "header_from": headerFrom(530); break;
            case "hoist_field": hoistField(400); break;
            case "insert_field": insertField(650); break;
            case "headers": headers(40); break;
            default: throw new IllegalArgumentException(args[0]);
        }
        SmtCase.OUT.flush();
    }
}
