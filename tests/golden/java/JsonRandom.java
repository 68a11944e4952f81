import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.math.*;
import java.util.*;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.json.JsonConverter;

/**
 * JsonConverter with random schemas and values, always the same ones.
 *
 * both, config, schema, value, octets, schema read back, value read back
 *     (empty: the same as written; after an error there is nothing to read)
 * decode, config, octets, schema, value     (as JsonVectors; JSON that was shuffled and bent)
 */
public class JsonRandom {
    static SmtRandom g;
    static int entries_max = 2; /* of a map; 1 in defaults, whose text is sorted */
    static final ObjectMapper JSON = new ObjectMapper()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .setNodeFactory(JsonNodeFactory.withExactBigDecimals(true));
    static final String[] NAMES = {"a", "b", "c", "id", "n\u00e4", "x y", "q\"", "\\", "/", "\u20ac", "\ud834\udd1e", "\t"};
    static final String[] WORDS = {"", "a", "b", "null", "12", "\u007f\u0080", "\u2028", "\ufffd", "\0", "\ud83d\ude00!", "\"\\/\b\f\n\r\t", "<&>'"};
    static final long[] LONGS = {0, 1, -1, 9, 10, 99, 100, 127, -128, 32767, -32768, Integer.MAX_VALUE, Integer.MIN_VALUE,
        Long.MAX_VALUE, Long.MIN_VALUE, 9007199254740993L, 999999999999999999L, 1000000000000000000L};

    static SchemaBuilder builder(int depth) {
        int kind = g.r.nextInt(100);
        if (depth > 0 && kind < 25) {
            SchemaBuilder b = SchemaBuilder.struct();
            List<String> names = new ArrayList<>(Arrays.asList(NAMES));
            Collections.shuffle(names, g.r);
            for (String f : names.subList(0, g.r.nextInt(4))) b.field(f, schema(depth - 1));
            return b;
        }
        if (depth > 0 && kind < 35) return SchemaBuilder.array(schema(depth - 1));
        if (depth > 0 && kind < 42) return SchemaBuilder.map(Schema.STRING_SCHEMA, schema(depth - 1));
        if (depth > 0 && kind < 50) return SchemaBuilder.map(schema(depth - 1), schema(depth - 1));
        if (kind < 54) return org.apache.kafka.connect.data.Date.builder();
        if (kind < 58) return Time.builder();
        if (kind < 62) return Timestamp.builder();
        if (kind < 70) return Decimal.builder(g.of(new Integer[] {0, 1, 2, 9, 20, -2}));
        SchemaBuilder b = SchemaBuilder.type(g.primitive());
        for (String p : List.of("p", "q\u00fc")) if (g.chance(4)) b.parameter(p, g.of(WORDS).replace("\0", "0"));
        return b;
    }

    static Schema schema(int depth) {
        SchemaBuilder b = builder(depth);
        if (b.name() == null && g.chance(12)) b.name(g.of(new String[] {"N", "a.B", "\u00fc\""}));
        if (b.version() == null && g.chance(6)) b.version(g.r.nextInt(5) - 1);
        if (g.chance(6)) b.doc(g.of(new String[] {"d", "\"\u20ac\""}));
        if (g.chance(45)) b.optional();
        if (b.type() != Schema.Type.STRUCT && g.chance(18)) { /* Java reads a struct's default, but cannot write it */
            entries_max = 1;
            Object dflt = value(b, b.isOptional());
            entries_max = 2;
            if (dflt != null) b.defaultValue(dflt);
        }
        return b.build();
    }

    static long number() {
        return g.chance(40) ? LONGS[g.r.nextInt(LONGS.length)] : g.r.nextLong() >> g.r.nextInt(64);
    }

    static String text() {
        if (g.chance(60)) return g.of(WORDS);
        StringBuilder b = new StringBuilder();
        for (int n = g.r.nextInt(5); n > 0; n--) {
            int bits = g.of(new Integer[] {7, 7, 7, 11, 16, 20}), c = g.r.nextInt(1 << bits);
            b.appendCodePoint(c >= 0xd800 && c < 0xe000 ? 'x' : c);
        }
        return b.toString();
    }

    /** Whether these are the digits that every JDK writes; those before 19 write some numbers too long. */
    static boolean shortest(BigDecimal exact, String written, java.util.function.Predicate<BigDecimal> same) {
        for (int digits = 2; digits < 18; digits++) {
            BigDecimal rounded = exact.round(new MathContext(digits));
            if (same.test(rounded)) return rounded.compareTo(new BigDecimal(written)) == 0;
        }
        return false;
    }

    static float float_() {
        for (;;) {
            float f = g.chance(50) ? (g.r.nextInt(4000) - 2000) / 16f : Float.intBitsToFloat(g.r.nextInt());
            if (!Float.isNaN(f) && !Float.isInfinite(f)
                    && shortest(new BigDecimal(f), Float.toString(f), d -> d.floatValue() == f)) return f;
        }
    }

    static double double_() {
        for (;;) {
            double x = g.chance(50) ? (g.r.nextInt(400000) - 200000) / 64.0 : Double.longBitsToDouble(g.r.nextLong());
            if (!Double.isNaN(x) && !Double.isInfinite(x)
                    && shortest(new BigDecimal(x), Double.toString(x), d -> d.doubleValue() == x)) return x;
        }
    }

    static Object logical(Schema s) {
        switch (s.name() == null ? "" : s.name()) {
            case "org.apache.kafka.connect.data.Date": return new java.util.Date(86400000L * (int) number());
            case "org.apache.kafka.connect.data.Time": return new java.util.Date(g.r.nextInt(86400000) >> g.r.nextInt(27));
            case "org.apache.kafka.connect.data.Timestamp": return new java.util.Date(number());
            case "org.apache.kafka.connect.data.Decimal":
                return new BigDecimal(g.chance(80) ? BigInteger.valueOf(number()) : new BigInteger(130, g.r).negate(),
                        Integer.parseInt(s.parameters().get("scale")));
            default: return null;
        }
    }

    /** Null where the schema allows it, and in structs (nulls) where it does not: then writing fails. */
    static Object value(Schema s, boolean nulls) {
        if (s.isOptional() && g.chance(25)) return null;
        Object logical = logical(s);
        if (logical != null) return logical;
        int n = g.r.nextInt(3);
        switch (s.type()) {
            case INT8: return (byte) number();
            case INT16: return (short) number();
            case INT32: return (int) number();
            case INT64: return number();
            case FLOAT32: return float_();
            case FLOAT64: return double_();
            case BOOLEAN: return g.r.nextBoolean();
            case STRING: return text();
            case BYTES: return g.bytes();
            case ARRAY: {
                List<Object> list = new ArrayList<>();
                while (n-- > 0) list.add(value(s.valueSchema(), false));
                return list;
            }
            case MAP: {
                Map<Object, Object> map = new LinkedHashMap<>();
                for (n = Math.min(n, entries_max); n > 0; n--) map.put(value(s.keySchema(), false), value(s.valueSchema(), false));
                return map;
            }
            default: {
                Struct t = new Struct(s);
                for (Field f : s.fields()) {
                    boolean leave = f.schema().defaultValue() != null ? g.chance(20) : nulls && g.chance(8);
                    if (!leave) t.put(f, value(f.schema(), false));
                }
                return t;
            }
        }
    }

    /** Without a schema. */
    static Object loose(int depth) {
        int kind = g.r.nextInt(100), n = g.r.nextInt(4);
        if (depth > 0 && kind < 25) {
            Map<Object, Object> map = new LinkedHashMap<>();
            boolean texts = g.chance(80);
            while (n-- > 0) map.put(texts ? text() : loose(0), loose(depth - 1));
            return map;
        }
        if (depth > 0 && kind < 45) {
            List<Object> list = new ArrayList<>();
            while (n-- > 0) list.add(loose(depth - 1));
            return list;
        }
        return kind < 52 ? null : value(SchemaBuilder.type(g.primitive()).build(), false);
    }

    static Map<String, String> config(boolean schemas) {
        Map<String, String> c = new LinkedHashMap<>();
        if (!schemas) c.put("schemas.enable", "false");
        if (g.chance(25)) c.put("decimal.format", "NUMERIC");
        if (g.chance(25)) c.put("replace.null.with.default", "false");
        return c;
    }

    static byte[] both(Map<String, String> config, Schema schema, Object value) {
        String inSchema = Text.schema(schema), inValue = Text.value(schema, value, false), outSchema, outValue;
        JsonConverter converter = JsonVectors.converter(config);
        byte[] data;
        try {
            data = converter.fromConnectData("t", schema, value);
        } catch (Exception e) {
            row("both", config, inSchema, inValue, Text.error(e));
            return null;
        }
        try {
            SchemaAndValue v = converter.toConnectData("t", data);
            outSchema = Text.schema(v.schema());
            outValue = Text.value(v.schema(), v.value(), true);
        } catch (Exception e) {
            outSchema = Text.error(e);
            outValue = "";
        }
        row("both", config, inSchema, inValue, Text.bytes(data), outSchema.equals(inSchema) ? "" : outSchema,
                outValue.equals(inValue) ? "" : outValue);
        return data;
    }

    static void row(String kind, Map<String, String> config, String... columns) {
        System.out.println(kind + "\t" + Text.config(config) + "\t" + String.join("\t", columns));
    }

    /** The same members in another order; in a payload some are left out, or have another value. */
    static JsonNode bend(JsonNode node, boolean payload) {
        if (payload && g.chance(9)) {
            return g.of(new JsonNode[] {NullNode.instance, new IntNode(300), new LongNode(1L << 40), new DoubleNode(-2.5),
                new TextNode("AQ=="), BooleanNode.TRUE, JSON.createArrayNode(), JSON.createObjectNode()});
        }
        if (node.isArray()) {
            ArrayNode out = JSON.createArrayNode();
            node.forEach(x -> out.add(bend(x, payload)));
            return out;
        }
        if (!node.isObject()) return node;
        ObjectNode out = JSON.createObjectNode();
        List<String> names = new ArrayList<>();
        node.fieldNames().forEachRemaining(names::add);
        Collections.shuffle(names, g.r);
        for (String name : names) {
            if (!payload || !g.chance(4)) out.set(name, bend(node.get(name), payload));
        }
        return out;
    }

    static void bent(Map<String, String> config, byte[] data) throws Exception {
        ObjectNode envelope = (ObjectNode) JSON.readTree(data), out = JSON.createObjectNode();
        JsonNode schema = bend(envelope.get("schema"), false), payload = bend(envelope.get("payload"), true);
        boolean first = g.chance(70);
        if (first) out.set("schema", schema);
        out.set("payload", payload);
        if (!first) out.set("schema", schema);
        byte[] text = (g.chance(30) ? JSON.writerWithDefaultPrettyPrinter() : JSON.writer()).writeValueAsBytes(out);
        try {
            SchemaAndValue v = JsonVectors.converter(config).toConnectData("t", text);
            row("decode", config, Text.bytes(text), Text.schema(v.schema()), Text.value(v.schema(), v.value(), true));
        } catch (DataException e) { /* of others, as ClassCastException, the text says nothing */
            row("decode", config, Text.bytes(text), Text.error(e), "");
        } catch (RuntimeException e) {
            return;
        }
    }

    public static void main(String[] args) throws Exception {
        boolean schemas = args[0].equals("schemas");
        g = new SmtRandom(schemas ? 41 : 42);
        for (int i = 0; i < Integer.parseInt(args[1]); i++) {
            Map<String, String> config = config(schemas);
            if (g.chance(schemas ? 4 : 30)) {
                both(config, null, loose(3));
                continue;
            }
            Schema s = schema(g.of(new Integer[] {0, 1, 1, 2, 2, 3}));
            byte[] data = both(config, s, value(s, true));
            if (schemas && data != null && data.length < 280 && g.chance(35)) bent(config, data);
        }
    }
}
