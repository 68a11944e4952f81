import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.header.*;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/**
 * One record through one transform or predicate of Kafka, as a line of tests/golden/smt.h:
 *
 * class, config, source or sink and topic|partition|offset|timestamp, schema, value, headers, then
 * drop, true, false, ?"why it does not configure", !"why it fails", or: schema, value, headers ("="
 * where they are what came in) and, when they changed, topic|partition|offset|timestamp and the
 * other side's schema and value.
 *
 * Classes ending in $Key work on the key, others on the value; the other side is a text.
 */
final class SmtCase {
    static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    static final String PACKAGE = "org.apache.kafka.connect.transforms.";

    String name;
    Map<String, String> config = new TreeMap<>();
    boolean sink;
    String topic = "t";
    Integer partition;
    long offset;
    Long timestamp;
    Schema schema;
    Object value;
    ConnectHeaders headers = new ConnectHeaders();

    SmtCase(String name, String... config) {
        this.name = name;
        for (int i = 0; i < config.length; i += 2) this.config.put(config[i], config[i + 1]);
    }

    SmtCase on(Schema schema, Object value) {
        this.schema = schema;
        this.value = value;
        return this;
    }

    private static String or(Object x) { return x == null ? "-" : x.toString(); }

    private static String meta(ConnectRecord<?> r) {
        return String.join("|", or(r.topic()), or(r.kafkaPartition()),
                r instanceof SinkRecord ? "" + ((SinkRecord) r).kafkaOffset() : "-", or(r.timestamp()));
    }

    static String headers(Headers headers) {
        List<String> all = new ArrayList<>();
        for (Header h : headers) all.add(h.key() + "|" + Text.schema(h.schema()) + "|" + Text.value(h.schema(), h.value(), true));
        return all.isEmpty() ? "-" : String.join(" ", all);
    }

    private static String error(char mark, Throwable t) {
        return mark + Text.quote(String.valueOf(t.getMessage()).replaceAll("[\\t\\n\\r]", " "));
    }

    private static String same(String was, String is) { return was.equals(is) ? "=" : is; }

    private ConnectRecord<?> record(boolean key) {
        Schema ks = key ? schema : Schema.STRING_SCHEMA, vs = key ? Schema.STRING_SCHEMA : schema;
        Object k = key ? value : "other", v = key ? "other" : value;
        if (sink) return new SinkRecord(topic, partition, ks, k, vs, v, offset, timestamp, TimestampType.CREATE_TIME, headers);
        return new SourceRecord(null, null, topic, partition, ks, k, vs, v, timestamp, headers);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private String result(ConnectRecord<?> in, boolean key, String schema, String value, String headers) {
        try {
            Object plugin = Class.forName(PACKAGE + name).getConstructor().newInstance();
            if (plugin instanceof Predicate) {
                Predicate p = (Predicate) plugin;
                try { p.configure(config); } catch (Exception e) { return error('?', e); }
                return "" + p.test((ConnectRecord) in);
            }
            Transformation t = (Transformation) plugin;
            try { t.configure(config); } catch (Exception e) { return error('?', e); }
            ConnectRecord<?> out = (ConnectRecord<?>) t.apply((ConnectRecord) in);
            if (out == null) return "drop";
            Schema s = key ? out.keySchema() : out.valueSchema(), other = key ? out.valueSchema() : out.keySchema();
            Object v = key ? out.key() : out.value(), otherValue = key ? out.value() : out.key();
            String moved = same(meta(in), meta(out));
            String otherText = Text.schema(other) + "\t" + Text.value(other, otherValue, true);
            String tail = moved.equals("=") && otherText.equals("STRING\t\"other\"") ? "" : "\t" + moved + "\t" + otherText;
            String result = String.join("\t", same(schema, Text.schema(s)), same(value, Text.value(s, v, true)),
                    same(headers, headers(out.headers()))) + tail;
            for (Header h : out.headers()) if (h.key().contains(" ") || h.key().contains("|")) return null;
            return result;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        } catch (Exception e) {
            return error('!', e);
        }
    }

    /** Null: a record that cannot be written down. */
    String line() {
        boolean key = name.endsWith("$Key");
        ConnectRecord<?> in = record(key);
        String s = Text.schema(schema), v = Text.value(schema, value, true), h = headers(headers);
        String r = result(in, key, s, v, h);
        if (r == null || r.contains("Struct schemas do not match.")) return null; /* of a default, as SchemaBuilder leaves it */
        return String.join("\t", name, Text.config(config), (sink ? "sink|" : "source|") + meta(in), s, v, h, r);
    }

    void print() {
        String line = line();
        if (line != null) OUT.print(line + "\n");
    }
}
