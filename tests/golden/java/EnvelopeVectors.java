import java.util.*;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.header.*;
import org.apache.kafka.connect.source.SourceRecord;
import io.debezium.transforms.ExtractNewRecordState;

/** transform, config, in schema, in value, then drop or: topic, out schema, out value, headers, key schema, key */
public class EnvelopeVectors {
    static void apply(Map<String, String> config, Schema schema, Object value, Header... headers) {
        Map<String, String> sorted = new TreeMap<>(config);
        Schema key = SchemaBuilder.struct().name("p.s.t.Key").field("id", Schema.INT64_SCHEMA)
                .field("name", Schema.OPTIONAL_STRING_SCHEMA).build();
        ConnectHeaders h = new ConnectHeaders();
        for (Header x : headers) h.add(x);
        SourceRecord in = new SourceRecord(null, null, "p.s.t", null, key, new Struct(key).put("id", 42L).put("name", "n"), schema, value, null, h);
        StringBuilder given = new StringBuilder();
        for (Header x : headers) given.append(x.key()).append('|').append(Text.schema(x.schema())).append('|').append(Text.value(x.schema(), x.value(), true)).append(' ');
        String left = String.join("\t", "transform", Text.config(sorted), Text.schema(schema), Text.value(schema, value, true), given.length() == 0 ? "-" : given.toString().trim());
        String right;
        try (ExtractNewRecordState<SourceRecord> smt = new ExtractNewRecordState<>()) {
            smt.configure(sorted);
            SourceRecord out = smt.apply(in);
            if (out == null) {
                right = "drop";
            } else {
                StringBuilder got = new StringBuilder();
                for (Header x : out.headers()) got.append(x.key()).append('|').append(Text.schema(x.schema())).append('|').append(Text.value(x.schema(), x.value(), true)).append(' ');
                right = String.join("\t", Text.quote(out.topic()), Text.schema(out.valueSchema()), Text.value(out.valueSchema(), out.value(), true),
                        got.length() == 0 ? "-" : got.toString().trim(), Text.schema(out.keySchema()), Text.value(out.keySchema(), out.key(), true));
            }
        } catch (Exception e) {
            right = Text.error(e);
        }
        System.out.println(left + "\t" + right);
    }

    static Header list(String... names) {
        ConnectHeaders h = new ConnectHeaders();
        h.addList("drop", Arrays.asList(names), SchemaBuilder.array(Schema.STRING_SCHEMA).build());
        return h.iterator().next();
    }

    public static void main(String[] args) {
        Schema e = JsonVectors.envelope();
        Struct c = JsonVectors.change("c"), d = JsonVectors.change("d");
        Struct nulls = JsonVectors.change("u");
        nulls.getStruct("after").put("name", null).put("flag", null).put("data", null);
        Struct inTx = JsonVectors.change("u");
        inTx.put("transaction", new Struct(e.field("transaction").schema()).put("id", "555:1").put("total_order", 1L).put("data_collection_order", 2L));
        Struct truncate = new Struct(e).put("source", c.getStruct("source")).put("op", "t");
        Struct[] all = {c, d, nulls, truncate};
        List<Map<String, String>> modes = new ArrayList<>();
        modes.add(Map.of());
        for (String m : new String[] {"drop", "tombstone", "rewrite", "rewrite-with-tombstone", "delete-to-tombstone", "REWRITE"}) modes.add(Map.of("delete.tombstone.handling.mode", m));
        for (Map<String, String> m : modes) {
            for (Struct v : all) apply(m, e, v);
            apply(m, null, null);
        }
        for (String fields : new String[] {"op", "op,table,lsn,source.ts_ms,ts_ms", "table:tab,op:o", "transaction.id,total_order", "source.snapshot,source.nope,nope", "ts_us"}) {
            for (Struct v : new Struct[] {c, d, inTx}) {
                apply(Map.of("add.fields", fields), e, v);
                apply(Map.of("add.fields", fields, "add.fields.prefix", "", "delete.tombstone.handling.mode", "rewrite"), e, v);
                apply(Map.of("add.headers", fields, "delete.tombstone.handling.mode", "rewrite-with-tombstone"), e, v);
            }
        }
        apply(Map.of("add.headers", "op,table", "delete.tombstone.handling.mode", "rewrite-with-tombstone"), null, null);
        apply(Map.of("add.headers", "op", "add.headers.prefix", "x."), e, c);
        apply(Map.of("route.by.field", "name"), e, c);
        apply(Map.of("route.by.field", "name"), e, d);
        apply(Map.of("route.by.field", "name"), e, nulls);
        apply(Map.of("route.by.field", "nope"), e, c);
        apply(Map.of("route.by.field", "id"), e, c);
        apply(Map.of("drop.fields.header.name", "drop"), e, c, list("name", "id", "zzz"));
        apply(Map.of("drop.fields.header.name", "drop"), e, c);
        apply(Map.of("drop.fields.header.name", "drop", "drop.fields.from.key", "true"), e, c, list("name", "id"));
        apply(Map.of("drop.fields.header.name", "drop", "drop.fields.keep.schema.compatible", "false"), e, nulls, list("name", "id"));
        apply(Map.of("drop.fields.header.name", "drop", "delete.tombstone.handling.mode", "rewrite"), e, d, list("name"));
        apply(Map.of("replace.null.with.default", "false", "delete.tombstone.handling.mode", "rewrite"), e, nulls);
        Schema plain = SchemaBuilder.struct().name("io.debezium.connector.common.Heartbeat").version(1).field("ts_ms", Schema.INT64_SCHEMA).build();
        apply(Map.of(), plain, new Struct(plain).put("ts_ms", 1L));
        apply(Map.of(), Schema.STRING_SCHEMA, "x");
    }
}
