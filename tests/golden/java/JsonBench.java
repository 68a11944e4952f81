import java.util.*;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.transforms.*;

/**
 * Nanoseconds a record of Java's JsonConverter and chains of transforms, for the records of
 * tests/bench/bench_json.c and bench_transforms.c, under their names, and how many bytes of JSON
 * came out: as many as there, or the two did not do the same.
 *
 *     JsonBench json|transforms [milliseconds per figure]
 */
public class JsonBench {
    static final Schema INT64 = Schema.INT64_SCHEMA, TEXT = Schema.STRING_SCHEMA,
                        BOOL = Schema.BOOLEAN_SCHEMA, MAYBE_INT64 = Schema.OPTIONAL_INT64_SCHEMA,
                        MAYBE_TEXT = Schema.OPTIONAL_STRING_SCHEMA,
                        MAYBE_REAL = Schema.OPTIONAL_FLOAT64_SCHEMA;
    static final int BATCH = 1000;
    static long ms = 500;
    static Object sink;

    static Schema build(SchemaBuilder b, Object... fields) {
        for (int i = 0; i < fields.length; i += 2)
            b.field((String) fields[i], (Schema) fields[i + 1]);
        return b.build();
    }

    static Struct struct(Schema schema, Object... values) {
        Struct s = new Struct(schema);
        for (int i = 0; i < values.length; i++) s.put(schema.fields().get(i), values[i]);
        return s;
    }

    static Struct change() {
        Schema row = build(SchemaBuilder.struct().optional().name("p.public.content_actions.Value"),
            "id", INT64, "userid", Schema.INT32_SCHEMA, "content_id", MAYBE_TEXT, "liked", BOOL,
            "score", MAYBE_REAL, "note", MAYBE_TEXT, "created", MAYBE_INT64, "device", MAYBE_TEXT);
        Schema snapshot = SchemaBuilder.string()
                              .optional()
                              .name("io.debezium.data.Enum")
                              .version(1)
                              .defaultValue("false")
                              .build();
        Schema source =
            build(SchemaBuilder.struct().version(1).name("io.debezium.connector.postgresql.Source"),
                "version", TEXT, "connector", TEXT, "name", TEXT, "ts_ms", INT64, "snapshot",
                snapshot, "db", TEXT, "sequence", MAYBE_TEXT, "ts_us", MAYBE_INT64, "ts_ns",
                MAYBE_INT64, "schema", TEXT, "table", TEXT, "txId", MAYBE_INT64, "lsn", MAYBE_INT64,
                "xmin", MAYBE_INT64, "origin", MAYBE_TEXT, "origin_lsn", MAYBE_INT64);
        Schema block = build(SchemaBuilder.struct().optional().name("event.block"), "id", TEXT,
            "total_order", INT64, "data_collection_order", INT64);
        Schema envelope =
            build(SchemaBuilder.struct().version(2).name("p.public.content_actions.Envelope"),
                "before", row, "after", row, "source", source, "transaction", block, "op", TEXT,
                "ts_ms", MAYBE_INT64, "ts_us", MAYBE_INT64, "ts_ns", MAYBE_INT64);
        return struct(envelope, null,
            struct(row, 123456L, 4711, "content-00042-of-a-series", true, 12345.678,
                "a note with a \"quote\" and some length to it, as people write", 1785000000123456L,
                "mobile/android"),
            struct(source, "3.6.1.Final", "postgresql", "p", 1785000000123L, null, "postgres",
                "[\"24023128\",\"24023400\"]", 1785000000123456L, 1785000000123456000L, "public",
                "content_actions", 555L, 24023400L, null, null, null),
            null, "c", 1785000000456L, 1785000000456789L, 1785000000456789012L);
    }

    static Struct flat() {
        Schema[] kinds = {INT64, MAYBE_TEXT, MAYBE_REAL, BOOL};
        SchemaBuilder b = SchemaBuilder.struct().name("flat");
        for (int i = 0; i < 20; i++) b.field("field_" + i, kinds[i % 4]);
        Struct s = new Struct(b.build());
        for (int i = 0; i < 20; i++)
            s.put("field_" + i,
                i % 4 == 0       ? (Object) (1000000L * i + 17)
                    : i % 4 == 1 ? "some words of a usual length"
                    : i % 4 == 2 ? (Object) (0.1 * i + 1000)
                                 : i % 8 == 3);
        return s;
    }

    static Struct event() {
        Schema row = build(SchemaBuilder.struct().optional(), "id", INT64, "name", MAYBE_TEXT,
            "score", MAYBE_REAL, "liked", BOOL, "note", MAYBE_TEXT, "created", INT64, "device",
            MAYBE_TEXT, "count", INT64);
        Schema event = build(SchemaBuilder.struct().name("event"), "after", row, "before", row,
            "op", MAYBE_TEXT, "ts_ms", INT64);
        return struct(event,
            struct(row, 123456L, "content-00042-of-a-series", 12345.678, true,
                "a note with some length to it, as people write", 1785000000123456L,
                "mobile/android", 7L),
            null, "c", 1785000000456L);
    }

    static JsonConverter converter(boolean schemas) {
        JsonConverter json = new JsonConverter();
        json.configure(Map.of("schemas.enable", String.valueOf(schemas)), false);
        return json;
    }

    static void json(String what, boolean schemas, Struct v) {
        JsonConverter json = converter(schemas);
        byte[] bytes = json.fromConnectData("t", v.schema(), v);
        for (int way = 0; way < 2; way++) {
            for (int round = 0; round < 2; round++) { /* the first warms up */
                long n = 0, start = System.nanoTime(), end;
                do {
                    for (int i = 0; i < BATCH; i++, n++)
                        sink = way == 0 ? json.fromConnectData("t", v.schema(), v)
                                        : json.toConnectData("t", bytes);
                } while ((end = System.nanoTime()) - start < (round + 1) * ms * 1000000);
                if (round == 1)
                    System.out.printf("%s, %s: %d bytes %.1f ns%n", what,
                        way == 0 ? "encode" : "decode", bytes.length, (double) (end - start) / n);
            }
        }
    }

    static Transformation<SinkRecord> open(Transformation<SinkRecord> smt, String... config) {
        Map<String, Object> map = new HashMap<>();
        for (int i = 0; i < config.length; i += 2) map.put(config[i], config[i + 1]);
        smt.configure(map);
        return smt;
    }

    static Transformation<SinkRecord> insert() {
        return open(new InsertField.Value<>(), "static.field", "source", "static.value", "prod",
            "timestamp.field", "at");
    }

    static Transformation<SinkRecord> cast(String spec) {
        return open(new Cast.Value<>(), "spec", spec);
    }

    static Transformation<SinkRecord> flatten() {
        return open(new Flatten.Value<>(), "delimiter", "_");
    }

    /** As there, the best batch counts. */
    static void chain(
        String what, Schema schema, Object value, List<Transformation<SinkRecord>> steps) {
        double best = 1e12;
        SinkRecord last = null;
        for (int round = 0; round < 2; round++) { /* the first warms up */
            best = 1e12;
            for (long start = System.nanoTime(), end = start;
                 end - start < (round + 1) * ms * 1000000;) {
                long from = System.nanoTime();
                for (int i = 0; i < BATCH; i++) {
                    SinkRecord rec = new SinkRecord("orders", 3, null, null, schema, value, i,
                        1785000000456L, TimestampType.CREATE_TIME);
                    for (Transformation<SinkRecord> step : steps) rec = step.apply(rec);
                    sink = last = rec;
                }
                end = System.nanoTime();
                best = Math.min(best, (double) (end - from) / BATCH);
            }
        }
        int bytes = converter(false).fromConnectData("t", last.valueSchema(), last.value()).length;
        System.out.printf("%s: %d bytes %.1f ns%n", what, bytes, best);
    }

    public static void main(String[] args) {
        if (args.length > 1) ms = Long.parseLong(args[1]);
        if (args[0].equals("json")) {
            for (boolean schemas : new boolean[] {false, true}) {
                json("change, schemas " + (schemas ? "on" : "off"), schemas, change());
                json("20 fields, schemas " + (schemas ? "on" : "off"), schemas, flat());
            }
            return;
        }
        Struct flat = flat(), event = event();
        Map<String, Object> map = new LinkedHashMap<>();
        for (Field f : flat.schema().fields()) map.put(f.name(), flat.get(f));
        String spec = "field_0:int32,field_6:float32";
        chain("InsertField, Cast, Flatten; 20 fields", flat.schema(), flat,
            List.of(insert(), cast(spec), flatten()));
        chain("Flatten, Cast, InsertField; nested event", event.schema(), event,
            List.of(flatten(), cast("after_count:int32,ts_ms:string"), insert()));
        chain("ExtractField, InsertField, Cast; nested event", event.schema(), event,
            List.of(
                open(new ExtractField.Value<>(), "field", "after"), insert(), cast("count:int32")));
        chain("InsertField, Cast, Flatten; map of 20", null, map,
            List.of(insert(), cast(spec), flatten()));
    }
}
