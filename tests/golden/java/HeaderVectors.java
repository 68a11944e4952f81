import java.math.BigDecimal;
import java.util.*;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.storage.*;

/** header-encode | string-encode, -, schema, value, octets; header-decode, -, octets, schema, value */
public class HeaderVectors {
    static void encode(Schema schema, Object value) {
        SimpleHeaderConverter h = new SimpleHeaderConverter();
        StringConverter s = new StringConverter();
        s.configure(Map.of("converter.type", "value"));
        String left = Text.schema(schema) + "\t" + Text.value(schema, value, false) + "\t";
        System.out.println("header-encode\t-\t" + left + Text.bytes(h.fromConnectHeader("t", "h", schema, value)));
        if (value instanceof byte[]) return; // an address
        System.out.println("string-encode\t-\t" + left + Text.bytes(s.fromConnectData("t", schema, value)));
    }

    static void decode(String text) {
        SchemaAndValue v = new SimpleHeaderConverter().toConnectHeader("t", "h", Text.bytes(text));
        if (v == null) v = SchemaAndValue.NULL; // "null"
        String schema = v.schema() == null ? "-" : Text.schema(v.schema());
        System.out.println("header-decode\t-\t" + Text.bytes(Text.bytes(text)) + "\t" + schema + "\t"
                + value(v));
    }

    /** A list of null items has a schema that this project's model does not have: "-". */
    static String value(SchemaAndValue v) { return Text.value(v.schema(), v.value(), true); }

    public static void main(String[] args) {
        encode(Schema.STRING_SCHEMA, "a \"b\" \\ c");
        encode(Schema.INT32_SCHEMA, 5);
        encode(Schema.FLOAT64_SCHEMA, 1e10);
        encode(Schema.FLOAT32_SCHEMA, 0.1f);
        encode(Schema.BOOLEAN_SCHEMA, true);
        encode(Schema.BYTES_SCHEMA, new byte[] {1, 2, 3});
        encode(SchemaBuilder.array(Schema.STRING_SCHEMA).build(), List.of("x", "y\"\\z"));
        encode(SchemaBuilder.array(Schema.INT32_SCHEMA).build(), List.of(1, 2));
        encode(SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT32_SCHEMA).build(), new TreeMap<>(Map.of("a", 1, "b", 2)));
        encode(Decimal.schema(2), new BigDecimal("1.56"));
        encode(Decimal.schema(-2), new BigDecimal("5E+2"));
        encode(org.apache.kafka.connect.data.Date.SCHEMA, new java.util.Date(86400000L * 18000));
        encode(org.apache.kafka.connect.data.Date.SCHEMA, new java.util.Date(0));
        encode(Time.SCHEMA, new java.util.Date(3723004));
        encode(Timestamp.SCHEMA, new java.util.Date(1700000000123L));
        encode(Timestamp.SCHEMA, new java.util.Date(951782400000L));
        encode(Timestamp.SCHEMA, new java.util.Date(4107542399999L));
        Schema s = SchemaBuilder.struct().field("a", Schema.INT32_SCHEMA).field("b", Schema.OPTIONAL_STRING_SCHEMA)
                .field("c", SchemaBuilder.array(Schema.OPTIONAL_STRING_SCHEMA).build()).build();
        encode(s, new Struct(s).put("a", 1).put("c", Arrays.asList("x", null)));
        encode(null, new LinkedHashMap<>(Map.of("a", Arrays.asList(1L, "x", null))));
        encode(null, null);
        String[] texts = {"1", "128", "40000", "3000000000", "-129", "1.0", "+5", "-5", "3.14", "12345.678901234", "1e2", "1e-2", "1.", "1e40", "1e400",
            "12345678901234567890", "-99999999999999999999", "true", "false", "TRUE", "null", "", " ", "abc", "a b", "\"q\"", "[1,2,300]", "[]", "[ ]",
            "[1,\"a\"]", "[\"a\",\"b\"]", "[true,false]", "[1,2.5]", "[1.5,2]", "[1,", "[1 2]", "{\"a\":1}", "{\"a\":1,\"b\":2}", "{a:1}", "{}", "{\"a\":1",
            "{\"a\":\"x\",\"b\":\"y\"}", "{1:2}", "{\"a\":null}", "2020-01-02", "10:11:12.123Z", "2020-01-02T10:11:12.123Z", "2020-1-2", "1,2", "0x1",
            "true,", "true ", " 1", "1 ", "1 2", "--1", "+", "-", "a:b", "http://x/y", "[[1],[2]]", "{\"a\":[1,2]}", "[{\"a\":1}]", "\\:", "a\\,b", "é",
            "[\"2020-01-02\"]", "[null,1]", "[1,null]", "NaN", "Infinity", "1d", "1f", "1L", "]", "}", ",", ":", "[1]x", "{\"a\":1}x", "[1]]", "9223372036854775807",
            "9223372036854775808", "0.1", "[40000,1]", "[3000000000,1.5]", "{\"a\":1,\"b\":300}", "true]", "[true", "\"\"", "[\"\"]", "0", "-0", "-0.0", "00012"};
        for (String t : texts) decode(t);
    }
}
