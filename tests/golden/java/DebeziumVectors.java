import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.*;
import javax.script.*;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.header.*;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.transforms.Transformation;

/**
 * DebeziumVectors <file>: what Debezium's transforms did to change events. Lines, for
 * tests/unit/test_debezium_golden.c: "schema", its text (they count from 0); or class, config,
 * topic|partition|timestamp, key schema, key, value schema, value, headers, then drop, ?"why it does
 * not configure", !"why it fails", or topic|partition|timestamp, key schema, key, value schema,
 * value, headers. Schemas are numbers; "=" is what came in.
 */
public class DebeziumVectors {
    static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    static final Map<String, Integer> SCHEMAS = new HashMap<>();
    static final Random R = new Random(36);

    static String schema(Schema s) {
        if (s == null) return "-";
        String text = Text.schema(s);
        Integer n = SCHEMAS.get(text);
        if (n == null) {
            SCHEMAS.put(text, n = SCHEMAS.size());
            OUT.print("schema\t" + text + "\n");
        }
        return n.toString();
    }

    static <T> T of(T... all) { return all[R.nextInt(all.length)]; }
    static boolean chance(int percent) { return R.nextInt(100) < percent; }
    static String or(Object x) { return x == null ? "-" : x.toString(); }
    static String meta(ConnectRecord<?> r) { return or(r.topic()) + "|" + or(r.kafkaPartition()) + "|" + or(r.timestamp()); }
    static String same(String was, String is) { return was.equals(is) ? "=" : is; }

    static String error(char mark, Throwable t) {
        Throwable c = t;
        while (c.getCause() != null && !(c.getMessage() != null && c.getMessage().startsWith("Unprocessable"))) c = c.getCause();
        return mark + Text.quote(String.valueOf(c.getMessage()).replaceAll("[\\t\\n\\r]", " "));
    }

    interface Smt { SourceRecord apply(SourceRecord r) throws Exception; }

    static void run(String name, Map<String, String> config, SourceRecord in) {
        run(name, config, in, null);
    }

    @SuppressWarnings("unchecked")
    static void run(String name, Map<String, String> config, SourceRecord in, Smt smt) {
        String ks = schema(in.keySchema()), vs = schema(in.valueSchema());
        String k = Text.value(in.keySchema(), in.key(), true), v = Text.value(in.valueSchema(), in.value(), true), h = SmtCase.headers(in.headers()), m = meta(in);
        String result;
        Transformation<SourceRecord> t = null;
        try {
            if (smt == null) {
                t = (Transformation<SourceRecord>) Class.forName(name).getConstructor().newInstance();
                t.configure(config);
                smt = t::apply;
            }
            try {
                SourceRecord out = smt.apply(in);
                if (out == null) result = "drop";
                else result = String.join("\t", same(m, meta(out)), same(ks, schema(out.keySchema())), same(k, Text.value(out.keySchema(), out.key(), true)),
                        same(vs, schema(out.valueSchema())), same(v, Text.value(out.valueSchema(), out.value(), true)), same(h, SmtCase.headers(out.headers())));
            } catch (Exception e) { result = error('!', e); }
        } catch (ReflectiveOperationException e) { throw new IllegalStateException(e);
        } catch (Exception e) { result = error('?', e); }
        OUT.print(String.join("\t", name.substring(name.lastIndexOf('.') + 1), Text.config(new TreeMap<>(config)), m, ks, k, vs, v, h, result) + "\n");
    }

    static Map<String, String> config(String... pairs) {
        Map<String, String> m = new TreeMap<>();
        for (int i = 0; i < pairs.length; i += 2) if (pairs[i + 1] != null) m.put(pairs[i], pairs[i + 1]);
        return m;
    }

    /* ---- change events ---- */

    static final Schema SOURCE = SchemaBuilder.struct().name("source").field("ts_ms", Schema.INT64_SCHEMA).field("ts_us", Schema.OPTIONAL_INT64_SCHEMA)
            .field("ts_ns", Schema.OPTIONAL_INT64_SCHEMA).field("connector", Schema.STRING_SCHEMA).field("table", Schema.STRING_SCHEMA).build();

    static Schema envelope(Schema row, String name) {
        return SchemaBuilder.struct().name(name).version(2).field("before", row).field("after", row).field("source", SOURCE)
                .field("op", Schema.STRING_SCHEMA).field("ts_ms", Schema.OPTIONAL_INT64_SCHEMA).build();
    }

    static Struct source(String table) {
        return new Struct(SOURCE).put("ts_ms", 1700000000123L).put("ts_us", 1700000000123456L).put("ts_ns", 1700000000123456789L).put("connector", "postgresql").put("table", table);
    }

    static Struct event(Schema e, String op, Struct before, Struct after) {
        return new Struct(e).put("op", op).put("before", before).put("after", after).put("source", source(of("orders", "t"))).put("ts_ms", chance(90) ? 1785000000456L : null);
    }

    static final Schema KEY = SchemaBuilder.struct().name("p.s.t.Key").field("id", Schema.INT64_SCHEMA).field("n", SchemaBuilder.string().optional().defaultValue("d").build()).build();

    static SourceRecord record(String topic, Schema s, Object v, Header... headers) {
        ConnectHeaders h = new ConnectHeaders();
        for (Header x : headers) h.add(x);
        boolean keyed = chance(85);
        Integer partition = chance(20) ? 3 : null;
        return new SourceRecord(null, null, topic, partition, keyed ? KEY : null, keyed ? new Struct(KEY).put("id", 42L).put("n", chance(50) ? "x" : null) : null, s, v, chance(50) ? 1700000001000L : null, h);
    }

    static Header header(String key, Schema s, Object v) { return new ConnectHeaders().add(key, v, s).lastWithName(key); }

    /* ---- rows of all types ---- */

    static final Schema ROW = SchemaBuilder.struct().name("p.s.t.Value").optional().field("id", Schema.INT64_SCHEMA)
            .field("name", Schema.OPTIONAL_STRING_SCHEMA).field("i32", Schema.OPTIONAL_INT32_SCHEMA).field("i16", Schema.OPTIONAL_INT16_SCHEMA)
            .field("flag", SchemaBuilder.bool().optional().defaultValue(true).build()).field("f", Schema.OPTIONAL_FLOAT32_SCHEMA).field("d", Schema.OPTIONAL_FLOAT64_SCHEMA)
            .field("price", Decimal.builder(2).optional().build()).field("data", Schema.OPTIONAL_BYTES_SCHEMA)
            .field("day", org.apache.kafka.connect.data.Date.builder().optional().build()).field("at", Timestamp.builder().optional().build())
            .field("list", SchemaBuilder.array(Schema.OPTIONAL_INT32_SCHEMA).optional().build()).build();

    static final String[] NAMES = {"", "a", "Bj\u00f6rk", "\ud834\udd1ex", "exactly sixteen!", "a text of more than sixteen \u20ac octets", "0123456789abcde", "\u00e9\u00e9\u00e9\u00e9\u00e9", "\uffee"};

    static Struct row() {
        Struct r = new Struct(ROW).put("id", of(0L, 1L, -1L, 42L, 1L << 40, Long.MIN_VALUE, 123456789012L));
        if (chance(85)) r.put("name", of(NAMES));
        if (chance(80)) r.put("i32", of(0, 7, -7, Integer.MAX_VALUE, Integer.MIN_VALUE));
        if (chance(70)) r.put("i16", of((short) 3, (short) -300));
        if (chance(70)) r.put("flag", chance(50));
        if (chance(70)) r.put("f", of(0f, 1.5f, -2.25f, Float.NaN, -0f));
        if (chance(70)) r.put("d", of(0d, 0.1, -1e300, Double.NaN, Double.POSITIVE_INFINITY));
        if (chance(70)) r.put("price", new BigDecimal(of("0.00", "1.50", "-1.50", "12345678901234567890.12", "-2.56", "-655.36", "-42949672.96", "1.28")));
        if (chance(70)) r.put("data", ByteBuffer.wrap(of(new byte[0], new byte[] {1, -1}, new byte[] {0, 0, 7})));
        if (chance(70)) r.put("day", new java.util.Date(86400000L * of(0, 19000, -5)));
        if (chance(70)) r.put("at", new java.util.Date(of(0L, 1700000000123L, -1L)));
        if (chance(70)) r.put("list", of(List.of(), List.of(1, 2), Arrays.asList(5, null)));
        return r;
    }

    static final Schema EVENT = envelope(ROW, "p.s.t.Envelope");

    static Struct anyEvent() {
        String op = of("c", "u", "u", "d", "r", "t", "m");
        boolean none = op.equals("t") || op.equals("m");
        return event(EVENT, op, op.equals("d") || op.equals("u") ? row() : null, none || op.equals("d") ? null : row());
    }

    static void partitions() {
        String name = "io.debezium.transforms.partitions.PartitionRouting";
        String[] fields = {"change.id", "change.name", "after.name", "before.id", "source.table", "op", "ts_ms", "change.i32", "change.i16", "change.flag", "change.f", "change.d",
            "change.price", "change.data", "change.day", "change.at", "change.list", "nope", "after.nope", "op.x", " change . id ", "source.ts_ms", "change", "change.name."};
        for (int i = 0; i < 630; i++) {
            List<String> some = new ArrayList<>();
            for (int n = 1 + R.nextInt(3); n > 0; n--) some.add(of(fields));
            Map<String, String> c = config("partition.payload.fields", String.join(",", some), "partition.topic.num", of("1", "7", "100", "2147483647"),
                    "partition.hash.function", of(null, "java", "murmur", "MURMUR"));
            run(name, c, record("p.s.t", EVENT, anyEvent()));
        }
        run(name, config("partition.payload.fields", "id", "partition.topic.num", "5"), record("x", ROW, row()));
        run(name, config("partition.payload.fields", "id", "partition.topic.num", "0"), record("x", ROW, row()));
        run(name, config("partition.payload.fields", "id"), record("x", ROW, row()));
        run(name, config("partition.payload.fields", "op", "partition.topic.num", "5"), record("x", null, null));
        run(name, config("partition.payload.fields", "op", "partition.topic.num", "5"), record("x", null, new HashMap<>(Map.of("op", "c"))));
    }

    static void changes() {
        String name = "io.debezium.transforms.ExtractChangedRecordState";
        for (int i = 0; i < 150; i++) {
            Struct e = anyEvent();
            if (e.get("before") != null && e.get("after") != null && chance(60)) {
                for (org.apache.kafka.connect.data.Field f : ROW.fields()) if (chance(80)) e.getStruct("after").put(f, e.getStruct("before").getWithoutDefault(f.name()));
            }
            run(name, config("header.changed.name", of("Changed", "c", null), "header.unchanged.name", of("Unchanged", null, " ")), record("p.s.t", EVENT, e, header("h", Schema.INT32_SCHEMA, 1)));
        }
        run(name, config("header.changed.name", "c"), record("p.s.t", null, null));
        run(name, config("header.changed.name", "c"), record("p.s.t", ROW, row()));
    }

    static void tables() {
        String name = "io.debezium.transforms.ByLogicalTableRouter";
        String[][] patterns = {{"(.*)t(.*)", "$1all$2"}, {"(.*)\\.(?<shard>[^.]+)_(\\d+)", "$1.${shard}"}, {"nothing", "x"}, {".*", "a-b.1c"}, {"(.*)", "$2"}, {".*", ""}, {"(p)\\.(s)\\.(.*)", "$3.$2.$1"}};
        String[][] keys = {{null, null}, {"(.*)_(\\d+)", "$2"}, {"nope", "x"}, {".*", "1"}, {"x", null}};
        for (int i = 0; i < 235; i++) {
            String[] p = of(patterns), k = of(keys);
            String topic = of("p.s.t", "p.s.t_12", "p.s.orders_7", "1-t");
            Map<String, String> c = config("topic.regex", p[0], "topic.replacement", p[1], "key.field.regex", k[0], "key.field.replacement", k[1], "key.enforce.uniqueness", of(null, "true", "false"),
                    "key.field.name", of(null, "shard", "shard", "id"), "schema.name.adjustment.mode", of(null, "none", "avro", "avro_unicode"));
            int kind = R.nextInt(10);
            if (kind < 8) run(name, c, record(topic, EVENT, anyEvent(), header("h", Schema.STRING_SCHEMA, "v")));
            else if (kind < 9) run(name, c, record(topic, null, null));
            else run(name, c, record(topic, ROW, row()));
        }
        run(name, config("topic.regex", "(", "topic.replacement", "x"), record("p.s.t", EVENT, anyEvent()));
        run(name, config("topic.regex", ".*"), record("p.s.t", EVENT, anyEvent()));
        run(name, config("topic.regex", ".*", "topic.replacement", "x"), new SourceRecord(null, null, "t", Schema.STRING_SCHEMA, "k", EVENT, anyEvent()));
    }

    static void headers() {
        String name = "io.debezium.transforms.HeaderToValue";
        Schema list = SchemaBuilder.array(Schema.OPTIONAL_STRING_SCHEMA).optional().name("l").build();
        String[] fields = {"added", "id", "op", "after.added", "after.id", "source.added", "extra.x", "extra.y", "ts_ms", "before.x", "op.x", "payload"};
        for (int i = 0; i < 260; i++) {
            List<String> h = new ArrayList<>(), f = new ArrayList<>();
            String[] names = {"h1", "h2", "h3"};
            for (int n = 0, all = 1 + R.nextInt(3); n < all; n++) { h.add(names[n]); String x = of(fields); f.add(f.contains(x) ? x + n : x); }
            List<Header> some = new ArrayList<>();
            if (chance(85)) some.add(header("h1", Schema.STRING_SCHEMA, "one"));
            if (chance(70)) some.add(header("h2", Schema.OPTIONAL_INT64_SCHEMA, chance(70) ? 2L : null));
            if (chance(50)) some.add(header("h3", list, Arrays.asList("a", null)));
            if (chance(30)) some.add(header("other", Schema.INT8_SCHEMA, (byte) 1));
            run(name, config("headers", String.join(",", h), "fields", String.join(",", f), "operation", of("move", "copy")),
                    chance(70) ? record("p.s.t", EVENT, anyEvent(), some.toArray(new Header[0])) : record("p.s.t", ROW, row(), some.toArray(new Header[0])));
        }
        run(name, config("headers", "a,b", "fields", "a", "operation", "move"), record("p.s.t", ROW, row()));
        run(name, config("headers", "a", "fields", "a", "operation", "take"), record("p.s.t", ROW, row()));
        run(name, config("headers", "a", "fields", "a", "operation", "move"), record("p.s.t", null, null));
        run(name, config("headers", "a", "fields", "a", "operation", "move"), record("p.s.t", null, new HashMap<>(Map.of("x", 1L))));
    }

    /* ---- outbox ---- */

    static Schema outboxRow(Schema payload, int kind) {
        SchemaBuilder b = SchemaBuilder.struct().optional();
        if (kind != 4) b.name(of("p.s.outbox.Value", "plain"));
        if (kind != 1) b.field("id", kind == 2 ? Schema.INT64_SCHEMA : Schema.STRING_SCHEMA);
        b.field("aggregatetype", Schema.OPTIONAL_STRING_SCHEMA);
        if (kind != 3) b.field("aggregateid", kind == 2 ? Schema.INT32_SCHEMA : Schema.STRING_SCHEMA);
        b.field("type", Schema.STRING_SCHEMA).field("payload", payload).field("version", Schema.OPTIONAL_INT32_SCHEMA).field("part", Schema.OPTIONAL_INT32_SCHEMA)
                .field("at", SchemaBuilder.int64().optional().name(of("io.debezium.time.MicroTimestamp", "io.debezium.time.NanoTimestamp", "io.debezium.time.Timestamp", "x")).build())
                .field("dflt", SchemaBuilder.string().optional().defaultValue("dd").build());
        return b.build();
    }

    static final String[] JSON = {"{}", "[1,2]", "{\"a\":1}", "{\"a\":1,\"b\":\"x\",\"c\":1.5,\"d\":true,\"e\":null}", "{\"a\":2147483648,\"b\":-2147483648,\"c\":9223372036854775807}",
        "{\"a\":{\"b\":{\"c\":[1,2,3]}},\"n\":[]}", "{\"l\":[{\"a\":1},{\"a\":2}]}", "{\"l\":[[1],[2,3]]}", "{\"l\":[null,\"x\"]}", "{\"l\":[1,\"x\"]}", "{\"l\":[1,3000000000]}", "{\"l\":[null]}",
        "{\"a\":1,\"a\":\"twice\"}", "{\"m n\":1,\"1x\":2,\"_u\":3,\"\u00fc\":4}", "{\"l\":[{\"a\":null,\"b\":1}]}", "{\"l\":[{\"a\":null},{\"a\":\"x\"}]}", "not json", "", " ", "\"text\"", "{\"broken\"", "{\"a\":1e3}",
        "{\"a\":[[{\"x\":1}]]}", "{\"a\":\"\\u00e9\\n\"}", "{\"a\":[true,false]}", "{\"a\":[1.5,2.0]}", "{\"a\":[1,1.5]}", "{\"a\":1} trailing", " {\"a\":1}", "{\"l\":[{\"a\":{\"x\":1}},{\"a\":{\"x\":2}}]}"};

    static void outbox() {
        String name = "io.debezium.transforms.outbox.EventRouter";
        String[] placements = {null, null, "type:header", "type:header:eventType", "type:envelope", "type:envelope:t,version:envelope", "part:partition", "type:header,part:partition,dflt:envelope:d", "nope:header", "nope:envelope",
            "nope:partition", "type:partition", "type", "type:nowhere", "version:header:v,version:envelope:v"};
        for (int i = 0; i < 455; i++) {
            boolean expand = chance(45);
            Schema payload = of(Schema.OPTIONAL_STRING_SCHEMA, Schema.OPTIONAL_STRING_SCHEMA, Schema.STRING_SCHEMA, Schema.OPTIONAL_BYTES_SCHEMA, Schema.OPTIONAL_INT32_SCHEMA);
            if (expand && chance(80)) payload = Schema.OPTIONAL_STRING_SCHEMA;
            Schema row = outboxRow(payload, R.nextInt(12)), e = envelope(row, "p.s.outbox.Envelope");
            Struct r = new Struct(row);
            for (org.apache.kafka.connect.data.Field f : row.fields()) {
                if (f.schema().isOptional() && chance(10)) continue;
                if (f.name().equals("payload") && f.schema().type() == Schema.Type.STRING) r.put(f, of(JSON));
                else if (f.name().equals("aggregatetype")) r.put(f, of("order", "user", "a.b"));
                else if (f.schema().type() == Schema.Type.STRING) r.put(f, of("x", "Created", "7"));
                else if (f.schema().type() == Schema.Type.BYTES) r.put(f, ByteBuffer.wrap(of(new byte[0], new byte[] {1})));
                else if (f.schema().type() == Schema.Type.INT32) r.put(f, of(1, 5));
                else r.put(f, 1700000000123456789L);
            }
            String op = of("c", "c", "c", "c", "c", "r", "d", "u");
            Struct v = event(e, op, op.equals("d") ? r : null, op.equals("d") ? null : r);
            Map<String, String> c = config("table.fields.additional.placement", of(placements), "route.tombstone.on.empty.payload", of(null, "true"), "table.field.event.timestamp", of(null, null, null, "at", "nope"),
                    "table.field.event.schema.version", of(null, null, "version", "type"), "table.field.additional.missing", of(null, "ignore", "error"), "table.op.invalid.behavior", of(null, "error", "fatal"),
                    "route.by.field", of(null, null, null, null, "type", "nope"), "table.field.event.key", of(null, null, null, "type", "nope"), "table.field.event.id", of(null, null, null, null, "type"),
                    "table.expand.json.payload", expand ? "true" : null, "table.json.payload.null.behavior", of(null, "optional_bytes"));
            if (chance(20)) c.put("table.field.event.payload", of("type", "nope", "version"));
            if (chance(25)) {
                String[] route = of(new String[] {"(.*)", "$1-topic"}, new String[] {"(?<routedByValue>.*)", "x.${routedByValue}"}, new String[] {"ord(.*)", "o$1"}, new String[] {"(", "x"}, new String[] {"(.*)", "$3"});
                c.put("route.topic.regex", route[0]);
                c.put("route.topic.replacement", route[1]);
            }
            run(name, c, record("p.s.outbox", e, v, header("h", Schema.INT32_SCHEMA, 1)));
        }
        run(name, config(), record("p.s.outbox", null, null));
        run(name, config(), record("heartbeat", KEY, new Struct(KEY).put("id", 1L)));
        run(name, config(), record("p.s.outbox", null, new HashMap<>(Map.of("op", "c"))));
    }

    /* ---- logical messages ---- */

    static final String[] CONTENTS = {"{\"id\":\"a0eebc99\",\"aggregatetype\":\"order\",\"aggregateid\":\"7\",\"type\":\"Created\",\"payload\":{\"total\":1.5,\"lines\":[{\"sku\":\"x\",\"n\":2},{\"sku\":\"y\",\"n\":3}]}}",
        "{\"id\":1,\"payload\":null}", "{\"a\":null,\"b\":[null,null],\"c\":{\"d\":null}}", "[]", "[{\"a\":1}]", "{\"after\":1,\"op\":\"x\"}", "\n{}", "{\"a\":[]}", "{\"a\":123456789012345678901}", "{\"\u00fc\":\"\ud834\udd1e\"}",
        "{\"\":1}", "{\"a\":-0.0,\"b\":1e400}", "{\"a\":[{},{\"b\":[]}]}", "{\"a.b\":{\"c\":{}}}"};

    static Schema message(int kind) {
        SchemaBuilder block = SchemaBuilder.struct().name("io.debezium.connector.postgresql.Message").version(1).field("prefix", Schema.OPTIONAL_STRING_SCHEMA)
                .field("content", kind == 1 ? Schema.OPTIONAL_STRING_SCHEMA : Schema.OPTIONAL_BYTES_SCHEMA);
        SchemaBuilder b = SchemaBuilder.struct().name("io.debezium.connector.postgresql.MessageValue" + (kind == 2 ? "2" : "")).version(1).field("op", Schema.STRING_SCHEMA)
                .field("ts_ms", Schema.OPTIONAL_INT64_SCHEMA).field("source", SOURCE);
        if (kind > 3) b.field("transaction", SchemaBuilder.struct().optional().name("event.block").version(1).field("id", Schema.STRING_SCHEMA).field("n", SchemaBuilder.int64().optional().defaultValue(5L).build()).build());
        return (kind == 3 ? b : b.field("message", kind == 5 ? block.optional().build() : block.build())).build();
    }

    static void messages() {
        String name = "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent";
        List<String> all = new ArrayList<>(List.of(JSON));
        all.addAll(List.of(CONTENTS));
        for (String content : all) {
            for (String nulls : new String[] {null, "true", "false"}) {
                for (int times = 0; times < 3; times++) {
                    Schema s = message(times == 0 ? 4 : R.nextInt(6));
                    Struct v = new Struct(s).put("op", "m").put("source", source("")).put("ts_ms", chance(80) ? 1785000000456L : null);
                    if (s.field("transaction") != null && chance(60)) v.put("transaction", new Struct(s.field("transaction").schema()).put("id", "t1"));
                    if (s.field("message") != null && !(s.field("message").schema().isOptional() && chance(50))) {
                        Schema block = s.field("message").schema();
                        byte[] octets = content.getBytes(StandardCharsets.UTF_8);
                        Object c = block.field("content").schema().type() == Schema.Type.STRING ? content : chance(50) ? octets : ByteBuffer.wrap(octets);
                        v.put("message", new Struct(block).put("prefix", "outbox").put("content", times > 0 && chance(10) ? null : c));
                    }
                    run(name, config("fields.null.include", nulls), record("p.message", s, v, header("h", Schema.INT32_SCHEMA, 1)));
                }
            }
        }
        run(name, config(), record("p.s.t", EVENT, anyEvent()));
        run(name, config(), record("p.s.t", null, null));
        run(name, config(), record("p.s.t", ROW, null));
        run(name, config(), record("p.s.t", Schema.STRING_SCHEMA, "text"));
        run(name, config(), record("p.s.t", null, new HashMap<>(Map.of("op", "m"))));
        run(name, config(), record("p.message", message(5), null));
    }

    /* ---- time zones ---- */

    static void zones() {
        String name = "io.debezium.transforms.TimezoneConverter";
        Schema row = SchemaBuilder.struct().name("p.s.t.Value").optional().field("id", Schema.INT64_SCHEMA).field("ms", SchemaBuilder.int64().optional().name("io.debezium.time.Timestamp").version(1).build())
                .field("us", SchemaBuilder.int64().optional().name("io.debezium.time.MicroTimestamp").version(1).build()).field("ns", SchemaBuilder.int64().optional().name("io.debezium.time.NanoTimestamp").version(1).build())
                .field("ct", Timestamp.builder().optional().build()).field("z", SchemaBuilder.string().optional().name("io.debezium.time.ZonedTimestamp").version(1).build())
                .field("day", SchemaBuilder.int32().optional().name("io.debezium.time.Date").version(1).build()).field("zt", SchemaBuilder.string().optional().name("io.debezium.time.ZonedTime").version(1).build()).build();
        Schema e = envelope(row, "p.s.t.Envelope");
        String[] zones = {"America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Chatham", "UTC", "+08:00", "-03:30", "Asia/Tehran", "Africa/Casablanca", "Europe/Dublin",
            "America/Sao_Paulo", "Antarctica/Troll", "Pacific/Apia", "+05:30:15", "Atlantis/Nowhere", "8", "../UTC", "GMT", "Asia/Gaza"};
        String[][] lists = {{null, null}, {null, null}, {"source:orders", null}, {"source:orders:ms", null}, {"topic:p.s.t", null}, {"topic:p.s.t:us,topic:x", null}, {"source:orders:ms,orders:z", null}, {"orders:ms", null}, {"p.s.t:ms", null},
            {null, "source:orders"}, {null, "source:orders:ms"}, {null, "topic:p.s.t:z"}, {null, "t:ns"}, {"source:orders:source.ts_ms", null}, {"topic:p.s.t:after.us", null}, {"topic:p.s.t:source.ts_us", null},
            {"source:orders:before.ms,orders:source.ts_ns", null}, {"bad", null}, {"source:a", "source:b"}, {null, "a:b:c:d"}};
        for (int i = 0; i < 500; i++) {
            Struct[] rows = new Struct[2];
            String zone = of(zones);
            for (int k = 0; k < 2; k++) {
                /* around the years and, often, around changes of clocks */
                long s = chance(50) ? 1111111111L + R.nextInt(1500000000) : -2000000000L + (long) (R.nextDouble() * 9e9);
                if (chance(60)) {
                    try {
                        java.time.zone.ZoneOffsetTransition t = java.time.ZoneId.of(zone).getRules().nextTransition(java.time.Instant.ofEpochSecond(s));
                        if (t != null) s = t.toEpochSecond() + t.getOffsetBefore().getTotalSeconds() + of(-3601, -3600, -1, 0, 1, 1799, 1800, 3599, 3600, 3601);
                    } catch (Exception x) { /* no zone */ }
                }
                long nanos = R.nextInt(1000000000);
                rows[k] = new Struct(row).put("id", 1L).put("ms", s * 1000 + nanos / 1000000).put("us", s * 1000000 + nanos / 1000).put("ns", s * 1000000000 + nanos).put("day", 19000);
                if (chance(50)) rows[k].put("ct", new java.util.Date(s * 1000 + 5));
                java.time.OffsetDateTime odt = java.time.Instant.ofEpochSecond(s, of(0L, nanos, 500000000L)).atOffset(of(java.time.ZoneOffset.UTC, java.time.ZoneOffset.ofHours(2), java.time.ZoneOffset.ofHoursMinutes(-3, -30)));
                if (chance(70)) rows[k].put("z", odt.toString().contains(":") ? java.time.format.DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(odt) : null);
                boolean fixed = zone.startsWith("+") || zone.startsWith("-") || zone.equals("UTC") || zone.equals("Asia/Kolkata");
                if (fixed && chance(70)) rows[k].put("zt", of("10:11:12Z", "23:59:59.5+02:00", "00:00-01:30", "01:02:03.000004+00:00:10"));
            }
            if (chance(3)) rows[0].put("z", of("infinity", "2020-02-30T00:00:00Z", "2020-01-01T00:00:00", "+12345-01-01T00:00:00Z"));
            String[] l = of(lists);
            run(name, config("converted.timezone", zone, "include.list", l[0], "exclude.list", l[1]), record(of("p.s.t", "p.s.t", "x"), e, event(e, "u", chance(80) ? rows[0] : null, chance(90) ? rows[1] : null)));
        }
        run(name, config("converted.timezone", "UTC"), record("x", null, null));
        run(name, config("converted.timezone", "UTC"), record("x", ROW, row()));
        run(name, config(), record("x", ROW, row()));
    }

    /* ---- Groovy, with what Debezium binds (io.debezium.transforms.scripting, which no registry has) ---- */

    public static class RecordHeader {
        public final Object value;
        public final Schema schema;
        RecordHeader(Schema s, Object v) { schema = s; value = v; }
    }

    static final String[] EXPRESSIONS = {
        "value.op == 'u' && value.before.id == 42", "value.op != 'd' || value.before.id != 42", "value.after?.name == 'a'", "value.after.i32 > 5", "value.after?.i32 >= 7", "value.op in ['c', 'r']", "value.op !in ['c']", "!(value.op == 'c')",
        "value.source.table =~ '^ord' && true", "value.source.table ==~ /o.*s/", "topic.startsWith('p.')", "topic.endsWith('.t') || false", "value.after?.name?.length() > 3", "value.after?.price > 1", "value.after?.price == 1.5", "value.after?.price >= 1.50",
        "value.after?.d > 0.05", "value.after?.f == -2.25", "value.after?.flag == true", "value.after?.flag", "value.ts_ms", "value.ts_ms == null", "key == null", "key.id == 42L && key.n == 'd'", "key?.n == 'x'", "header.idh.value == 1", "header.nope == null", "header.nope?.value == 1",
        "header.size() == 1", "valueSchema.name == 'p.s.t.Envelope'", "valueSchema.name() == 'x'", "valueSchema.version() == 2", "keySchema == null", "value.after?.name > 'B'", "value.after?.name?.contains('x')", "value.after?.list?.size() == 2", "5 in value.after?.list", "value.before == value.after",
        "value.before != null && value.after != null && value.before.name != value.after.name", "value.after?.name?.toUpperCase() == 'A'", "(value.after?.i32 ?: 0) + 1 == 8", "(value.after?.i32 ?: 1) * 2 - 3 < 0", "value.after?.id % 2 == 0", "-1 < value.after?.id", "value.after?.id <=> 42",
        "value.nope", "value.after.nope == 1", "value.after.name", "1 + null", "'a' < 1", "'ab' < 1", "null < 1", "null > 1", "'a' == 97", "1 == '1'", "true == 1", "value.op", "value?.op == 'c'", "value == null", "value.before?.id == value.after?.id", "not_a_name", "value.op = 'c'", "value.op ==", "'open",
        "if (true) { true }", "value.op.foo()", "[1,2].contains(2)", "[1, 2] == [1L, 2]", "'abc'[1] == 'b' && 'abc'[-1] == 'c'", "'abc'.substring(1) == 'bc'", "'abc'.substring(1, 2) == 'b'", "'abc'.indexOf('c') == 2", "'A'.equalsIgnoreCase('a')", "' a '.trim() == 'a'", "''.isEmpty()", "'12'.toInteger() == 12", "'12'.toLong() == 12", "'x'.toInteger() == 12",
        "value['op'] == 'c'", "value.get('op') == 'c'", "value.getString('op') == 'c'", "value.after?.get('name') == 'a'", "value.getStruct('source').table == 'orders'", "header['idh'].value == 1", "header.containsKey('idh')", "0x10 == 16 && 1_000 == 1000", "2147483647 + 1 == -2147483648", "2147483648 == 2147483648L", "7 / 2 == 3.5", "1 / 0 == 1", "7 % 0 == 1",
        "'a' + 1 == 'a1' && 1 + 'a' == '1a' && 'a' + null == 'anull' && 'a' + 1.50 == 'a1.50' && 'a' + true == 'atrue' && 'a' + 1.5d == 'a1.5'", "!'' && !0 && !null && ![] && !0.0", "!value.before", "value.op == 'c' ? true : false", "value.after ?: false", "\"double\" == 'double'", "'it\\'s' == \"it's\"", "'\\u00e9'.length() == 1", "return value.op == 'c'", "value.op == 'c' || value.op == 'u' && value.ts_ms != null",
        "1 < 2 == true", "1 == 1.0 && 1.0 == 1.00 && 0.1 == 0.1d && 1e3 == 1000", "10000000000 > 1", "1.5 > 1 && 1.5 < 2 && -1.5 < -1 && 12345678901234567890.5 > 9223372036854775807L", "value.op.matches('[cu]')", "value.after?.data == value.after?.data", "valueSchema.field('op') != null && valueSchema.field('zz') == null", "value.schema().name() == 'p.s.t.Envelope'",
        "value.source.connector + '.' + value.source.table == 'postgresql.orders'", "((((value.op))))  == 'c'", "value.after?.name in 'a'", "value.after?.name in null", "null in [null]", "'a' =~ 'a' ? true : false", "value.after?.name =~ /\\d/ || false", "value.after?.name ==~ 'exact.*'", "value . op == 'c'", "value.'op' == 'c'"};
    static final String[] ROUTES = {"value.op == 'u' ? 'updates' : null", "value == null ? 'nulls' : (value.op == 'd' ? 'deletes' : null)", "topic + '.' + value.op", "'all'", "null", "1", "true", "value.source.table", "value.after?.name ?: 'none'", "value.after?.name", "header.idh?.value == 1 ? 'one' : topic",
        "value.op in ['c', 'r'] ? topic + '-new' : value.op == 'd' ? topic + '-gone' : null", "value.nope", "'t' + value.after?.i32", "'t' + value.after?.price", "'t' + value.after?.d", "'t' + value.after?.f", "'t' + value.after?.flag", "value.source.table.toUpperCase()"};

    static void script(boolean filter, String expression, Map<String, String> config, SourceRecord in) {
        String key = filter ? "condition" : "topic.expression";
        config.put(key, expression);
        config.put("language", "jsr223.groovy");
        ScriptEngine engine = new ScriptEngineManager().getEngineByName("groovy");
        run("io.debezium.transforms." + (filter ? "Filter" : "ContentBasedRouter"), config, in, r -> {
            String regex = config.get("topic.regex");
            if (regex != null && !r.topic().matches(regex)) return r;
            String nulls = config.getOrDefault("null.handling.mode", "keep");
            if (r.value() == null && !nulls.equals("evaluate")) return nulls.equals("keep") ? r : null;
            Bindings b = engine.createBindings();
            b.put("key", r.key());
            b.put("value", r.value());
            b.put("keySchema", r.keySchema());
            b.put("valueSchema", r.valueSchema());
            b.put("topic", r.topic());
            Map<String, RecordHeader> h = new HashMap<>();
            for (Header x : r.headers()) h.put(x.key(), new RecordHeader(x.schema(), x.value()));
            b.put("header", h);
            Object result = ((Compilable) engine).compile(expression).eval(b);
            if (filter) return (Boolean) result ? r : null;
            return result == null ? r : r.newRecord((String) result, r.kafkaPartition(), r.keySchema(), r.key(), r.valueSchema(), r.value(), r.timestamp(), r.headers());
        });
    }

    static void scripts() {
        for (String x : EXPRESSIONS)
            for (int i = 0; i < 5; i++) {
                Header[] h = chance(70) ? new Header[] {header("idh", Schema.INT32_SCHEMA, of(1, 2))} : new Header[0];
                script(true, x, config(), record("p.s.t", EVENT, anyEvent(), h));
            }
        for (String x : ROUTES)
            for (int i = 0; i < 6; i++) {
                Header[] h = chance(70) ? new Header[] {header("idh", Schema.INT32_SCHEMA, of(1, 2))} : new Header[0];
                script(false, x, config(), record("p.s.t", EVENT, anyEvent(), h));
            }
        for (String mode : new String[] {"keep", "drop", "evaluate"})
            for (String regex : new String[] {null, "p.*", "x"})
                for (String x : new String[] {"value == null", "value != null", "value.op == 'c'"}) {
                    script(true, x, config("null.handling.mode", mode, "topic.regex", regex), record("p.s.t", null, null));
                    script(true, x, config("null.handling.mode", mode, "topic.regex", regex), record("p.s.t", null, new HashMap<>(Map.of("op", "c", "n", 5L))));
                }
        for (String x : new String[] {"value.op == 'c'", "value.nope == null", "value.n + 1 == 6", "value.containsKey('n')", "value.size() == 2", "'n' in value", "value.n in [5L]", "value['n'] > 4", "value.nope.x", "value.list[1] == 2L", "value.op.n"})
            script(true, x, config(), record("p.s.t", null, new HashMap<>(Map.of("op", "c", "n", 5L, "list", List.of(1L, 2L)))));
    }

    public static void main(String[] args) {
        switch (args[0]) {
            case "partitions": partitions(); changes(); break;
            case "tables": tables(); headers(); break;
            case "outbox": outbox(); break;
            case "messages": messages(); break;
            case "zones": zones(); break;
            case "scripts": scripts(); break;
            default: throw new IllegalArgumentException(args[0]);
        }
        OUT.flush();
    }
}
