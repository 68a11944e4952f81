import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.stream.*;
import org.apache.kafka.connect.data.*;

/** Schemas and values as the one-line text that tests/golden/text.h reads and writes too. */
final class Text {
    static String quote(String s) {
        StringBuilder b = new StringBuilder("\"");
        for (char c : s.toCharArray()) {
            if (c == '"' || c == '\\') b.append('\\').append(c);
            else if (c < 0x20 || c > 0x7e) b.append(String.format("\\u%04x", (int) c));
            else b.append(c);
        }
        return b.append('"').toString();
    }

    /** Octets of a converter: printable ASCII raw, others as \xHH; null is "-". */
    static String bytes(byte[] data) {
        if (data == null) return "-";
        StringBuilder b = new StringBuilder("=");
        for (byte x : data) {
            if (x == '\\') b.append("\\\\");
            else if (x < 0x20 || x > 0x7e) b.append(String.format("\\x%02x", x & 0xff));
            else b.append((char) x);
        }
        return b.toString();
    }

    static byte[] bytes(String text) { return text.getBytes(StandardCharsets.UTF_8); }

    static String schema(Schema s) {
        if (s == null) return "-";
        StringBuilder b = new StringBuilder();
        if (s.isOptional()) b.append('?');
        b.append(s.type());
        switch (s.type()) {
            case ARRAY: b.append('[').append(schema(s.valueSchema())).append(']'); break;
            case MAP:
                b.append('[').append(schema(s.keySchema())).append(',');
                b.append(schema(s.valueSchema())).append(']');
                break;
            case STRUCT:
                b.append('[');
                b.append(s.fields().stream().map(f -> quote(f.name()) + ":" + schema(f.schema()))
                        .collect(Collectors.joining(",")));
                b.append(']');
                break;
            default:
        }
        if (s.name() != null) b.append('@').append(quote(s.name()));
        if (s.version() != null) b.append('#').append(s.version());
        if (s.doc() != null) b.append('!').append(quote(s.doc()));
        if (s.parameters() != null && !s.parameters().isEmpty()) {
            b.append('%').append(s.parameters().entrySet().stream()
                    .map(e -> quote(e.getKey()) + "=" + quote(e.getValue()))
                    .collect(Collectors.joining(",", "{", "}")));
        }
        if (s.defaultValue() != null) b.append('=').append(value(s, s.defaultValue(), true));
        return b.toString();
    }

    private static String hex(byte[] x) {
        StringBuilder b = new StringBuilder("b");
        for (byte i : x) b.append(String.format("%02x", i & 0xff));
        return b.toString();
    }

    static String value(Schema s, Object v, boolean sorted) {
        if (v == null) return "null";
        if (v instanceof BigDecimal) { /* and nothing else that has a Decimal's schema: Cast keeps the name */
            BigDecimal d = (BigDecimal) v;
            int scale = Integer.parseInt(s.parameters().get("scale"));
            return hex(d.setScale(scale).unscaledValue().toByteArray());
        }
        if (v instanceof java.util.Date) {
            long ms = ((java.util.Date) v).getTime();
            if (s.type() == Schema.Type.INT64) return "l" + ms;
            return "i" + (org.apache.kafka.connect.data.Date.LOGICAL_NAME.equals(s.name())
                    ? Math.floorDiv(ms, 86400000L) : ms);
        }
        if (v instanceof Byte) return "y" + v;
        if (v instanceof Short) return "h" + v;
        if (v instanceof Integer) return "i" + v;
        if (v instanceof Long) return "l" + v;
        if (v instanceof Float) return String.format("f%08x", Float.floatToIntBits((Float) v));
        if (v instanceof Double) return String.format("d%016x", Double.doubleToLongBits((Double) v));
        if (v instanceof Boolean) return v.toString();
        if (v instanceof String) return quote((String) v);
        if (v instanceof byte[]) return hex((byte[]) v);
        if (v instanceof ByteBuffer) return hex(((ByteBuffer) v).array());
        if (v instanceof List) {
            Schema e = s == null ? null : s.valueSchema();
            return ((List<?>) v).stream().map(x -> value(e, x, sorted))
                    .collect(Collectors.joining(",", "[", "]"));
        }
        if (v instanceof Map) {
            Schema k = s == null ? null : s.keySchema(), e = s == null ? null : s.valueSchema();
            Stream<String> entries = ((Map<?, ?>) v).entrySet().stream()
                    .map(x -> value(k, x.getKey(), sorted) + ":" + value(e, x.getValue(), sorted));
            if (sorted) entries = entries.sorted();
            return entries.collect(Collectors.joining(",", "{", "}"));
        }
        if (v instanceof Struct) {
            Struct t = (Struct) v;
            return t.schema().fields().stream()
                    .map(f -> value(f.schema(), t.getWithoutDefault(f.name()), sorted))
                    .collect(Collectors.joining(",", "(", ")"));
        }
        throw new IllegalStateException(v.getClass().toString());
    }

    static String config(Map<String, ?> m) {
        return m.isEmpty() ? "-" : m.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue())
                .collect(Collectors.joining(";"));
    }

    /** The innermost useful message. */
    static String error(Throwable t) {
        return "!" + String.valueOf(t.getMessage()).replaceAll("[\\t\\n\\r]", " ");
    }
}
