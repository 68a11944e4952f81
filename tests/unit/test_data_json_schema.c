/* JsonSchemaConverter: texts of schemas, round trips of schemas and values, foreign schemas. */
#include "registry_test.h"

#define JSON_ANY "io.confluent.connect.json.Any"

static void round_trip(const char *config, const char *schema, const char *value, const char *text,
                       const char *payload)
{
    struct registry_test t;
    test_open(&t, &sluice_json_schema_converter, config);
    CHECK_STR(test_registered(&t, schema, value), text);
    CHECK(t.out.len > 5);
    CHECK_MEM(t.out.data, 5, "\0\0\0\0\1", 5);
    CHECK_MEM(t.out.data + 5, t.out.len - 5, payload, strlen(payload));
    char want[4096];
    snprintf(want, sizeof want, "%s %s", schema, value);
    CHECK_STR(test_read_back(&t), want);
    test_close(&t);
}

TEST(a_struct_is_an_object_of_properties)
{
    round_trip(
        "-",
        "STRUCT[\"id\":INT64,\"small\":?INT8,\"b\":BOOLEAN,\"f\":?FLOAT64!\"how much\","
        "\"raw\":BYTES,\"m\":MAP[STRING,INT32]]@\"shop.Order\"#3",
        "(l5,null,true,d3ff8000000000000,b00ff,{\"k\":i1})",
        "{\"type\":\"object\",\"title\":\"shop.Order\",\"connect.version\":3,\"properties\":{"
        "\"id\":{\"type\":\"integer\",\"connect.index\":0,\"connect.type\":\"int64\"},"
        "\"small\":{\"connect.index\":1,\"oneOf\":[{\"type\":\"null\"},{\"type\":\"integer\","
        "\"connect.type\":\"int8\"}]},"
        "\"b\":{\"connect.index\":2,\"type\":\"boolean\"},"
        "\"f\":{\"connect.index\":3,\"oneOf\":[{\"type\":\"null\"},{\"type\":\"number\","
        "\"description\":\"how much\",\"connect.type\":\"float64\"}]},"
        "\"raw\":{\"type\":\"string\",\"connect.index\":4,\"connect.type\":\"bytes\"},"
        "\"m\":{\"type\":\"object\",\"connect.index\":5,\"connect.type\":\"map\","
        "\"additionalProperties\":{\"type\":\"integer\",\"connect.type\":\"int32\"}}}}",
        "{\"id\":5,\"small\":null,\"b\":true,\"f\":1.5,\"raw\":\"AP8=\",\"m\":{\"k\":1}}");
}

TEST(logical_types_defaults_and_nesting)
{
    round_trip(
        "object.additional.properties=false",
        "?STRUCT[\"d\":BYTES@\"org.apache.kafka.connect.data.Decimal\"#1%{\"scale\"=\"2\"},"
        "\"n\":INT16=h7,\"l\":ARRAY[?STRUCT[\"x\":STRING]@\"X\"]]@\"R\"",
        "(b0480,h8,[(\"a\"),null])",
        "{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"object\",\"additionalProperties\":false,"
        "\"title\":\"R\",\"properties\":{\"d\":{\"type\":\"string\","
        "\"title\":\"org.apache.kafka.connect.data.Decimal\",\"connect.index\":0,"
        "\"connect.version\":1,\"connect.type\":\"bytes\",\"connect.parameters\":{"
        "\"scale\":\"2\"}},\"n\":{\"type\":\"integer\",\"default\":7,\"connect.index\":1,"
        "\"connect.type\":\"int16\"},\"l\":{\"type\":\"array\",\"connect.index\":2,\"items\":{"
        "\"oneOf\":[{\"type\":\"null\"},{\"type\":\"object\",\"additionalProperties\":false,"
        "\"title\":\"X\",\"properties\":{\"x\":{\"type\":\"string\",\"connect.index\":0}}}]}}}}]}",
        "{\"d\":\"BIA=\",\"n\":8,\"l\":[{\"x\":\"a\"},null]}");
}

TEST(numeric_decimals)
{
    round_trip("decimal.format=NUMERIC",
               "STRUCT[\"d\":BYTES@\"org.apache.kafka.connect.data.Decimal\"#1%{\"scale\"=\"2\"}]",
               "(b0480)",
               "{\"type\":\"object\",\"properties\":{\"d\":{\"type\":\"number\","
               "\"title\":\"org.apache.kafka.connect.data.Decimal\",\"connect.index\":0,"
               "\"connect.version\":1,\"connect.type\":\"bytes\",\"connect.parameters\":{"
               "\"scale\":\"2\"}}}}",
               "{\"d\":11.52}");
}

TEST(maps_with_other_keys_are_lists_of_entries)
{
    round_trip(
        "-", "MAP[INT32,?STRING]", "{i-1:null,i2:\"b\"}",
        "{\"type\":\"array\",\"connect.type\":\"map\",\"items\":{\"type\":\"object\","
        "\"properties\":{\"key\":{\"type\":\"integer\",\"connect.index\":0,"
        "\"connect.type\":\"int32\"},\"value\":{\"connect.index\":1,\"oneOf\":[{\"type\":\"null\"},"
        "{\"type\":\"string\"}]}}}}",
        "[{\"key\":-1,\"value\":null},{\"key\":2,\"value\":\"b\"}]");
    round_trip("-", "MAP[?STRING,BOOLEAN]", "{null:true}",
               "{\"type\":\"array\",\"connect.type\":\"map\",\"items\":{\"type\":\"object\","
               "\"properties\":{\"key\":{\"connect.index\":0,\"oneOf\":[{\"type\":\"null\"},"
               "{\"type\":\"string\"}]},\"value\":{\"connect.index\":1,\"type\":\"boolean\"}}}}",
               "[{\"key\":null,\"value\":true}]");
}

#define ONE_OF "io.confluent.connect.json.OneOf"

TEST(a_union_is_the_value_of_its_member)
{
    static const char schema[] =
        "STRUCT[\"u\":STRUCT[\"" ONE_OF ".field.0\":?STRING,\"" ONE_OF ".field.1\":?INT64,"
        "\"" ONE_OF ".field.2\":?STRUCT[\"a\":INT32]@\"A\",\"" ONE_OF
        ".field.3\":?STRUCT[\"b\":INT32,\"c\":BOOLEAN]@\"B\",\"" ONE_OF
        ".field.4\":?ARRAY[FLOAT64]]@\"" ONE_OF "\"]";
    static const char text[] =
        "{\"type\":\"object\",\"properties\":{\"u\":{\"connect.index\":0,\"oneOf\":["
        "{\"type\":\"string\",\"connect.index\":0},"
        "{\"type\":\"integer\",\"connect.index\":1,\"connect.type\":\"int64\"},"
        "{\"type\":\"object\",\"title\":\"A\",\"connect.index\":2,\"properties\":{\"a\":{"
        "\"type\":\"integer\",\"connect.index\":0,\"connect.type\":\"int32\"}}},"
        "{\"type\":\"object\",\"title\":\"B\",\"connect.index\":3,\"properties\":{\"b\":{"
        "\"type\":\"integer\",\"connect.index\":0,\"connect.type\":\"int32\"},\"c\":{"
        "\"connect.index\":1,\"type\":\"boolean\"}}},"
        "{\"type\":\"array\",\"connect.index\":4,\"items\":{\"type\":\"number\","
        "\"connect.type\":\"float64\"}}]}}}";
    round_trip("-", schema, "((\"s\",null,null,null,null))", text, "{\"u\":\"s\"}");
    round_trip("-", schema, "((null,l-9,null,null,null))", text, "{\"u\":-9}");
    round_trip("-", schema, "((null,null,(i1),null,null))", text, "{\"u\":{\"a\":1}}");
    round_trip("-", schema, "((null,null,null,(i1,false),null))", text,
               "{\"u\":{\"b\":1,\"c\":false}}");
    round_trip("-", schema, "((null,null,null,null,[]))", text, "{\"u\":[]}");
}

/* What Java reads and writes where a required field is null. */
TEST(nulls_in_required_fields_are_left_out)
{
    struct registry_test t;
    test_open(&t, &sluice_json_schema_converter, "-");
    test_registered(&t, "STRUCT[\"a\":INT32,\"b\":?INT32,\"c\":STRING,\"d\":INT8=y4]",
                    "(null,null,\"x\",null)");
    CHECK_MEM(t.out.data + 5, t.out.len - 5, "{\"b\":null,\"c\":\"x\",\"d\":4}", 24);
    CHECK_HAS(test_read_back(&t), " (null,null,\"x\",y4)");
    test_registered(&t, "STRUCT[\"a\":INT32]", "(null)");
    CHECK_MEM(t.out.data + 5, t.out.len - 5, "{}", 2);
    struct sluice_value v = sluice_null();
    CHECK_INT(test_encode(&t, NULL, &v), SLUICE_OK);
    CHECK(t.null);
    CHECK_INT(test_encode(&t, test_schema(&t, "STRUCT[]"), &v), SLUICE_OK);
    CHECK(t.null);
    CHECK_INT(test_encode(&t, test_schema(&t, "?STRUCT[]"), &v), SLUICE_OK);
    CHECK(!t.null);
    CHECK_MEM(t.out.data + 5, t.out.len - 5, "null", 4);
    v = sluice_int64(1);
    CHECK_INT(test_encode(&t, NULL, &v), SLUICE_FAIL);
    CHECK_HAS(t.err.msg, "without a schema");
    test_close(&t);
}

/* ---- schemas that others wrote ---- */

/* The payload read by a schema's text, as "schema value" or "! error". */
static void reads(const char *config, const char *text, const char *payload, const char *want)
{
    struct registry_test t;
    const struct sluice_schema *schema;
    struct sluice_value v;
    char data[4096] = {0};
    test_open(&t, &sluice_json_schema_converter, config);
    fake_registry_add(1, SLUICE_SR_JSON, text);
    fake_registry_add(2, SLUICE_SR_JSON, "{\"definitions\":{\"Name\":{\"type\":\"string\"}}}");
    fake_registry_ref(1, "names.json", 2);
    sluice_sr_head_write(data, 1);
    size_t len = strlen(payload);
    memcpy(data + 5, payload, len);
    if (test_decode(&t, data, len + 5, &schema, &v) != SLUICE_OK) {
        if (*want != '!') FAIL("%s", t.err.msg);
        CHECK_HAS(t.err.msg, want + 2);
    } else {
        sluice_buf_clear(&t.text);
        text_schema(&t.text, schema);
        sluice_buf_adds(&t.text, " ");
        text_value(&t.text, &v);
        CHECK_STR(sluice_buf_str(&t.text), want);
    }
    test_close(&t);
}

TEST(schemas_without_connects_words)
{
    reads("-",
          "{\"$schema\":\"http://json-schema.org/draft-07/"
          "schema#\",\"title\":\"U\",\"type\":\"object\","
          "\"required\":[\"id\"],\"properties\":{\"id\":{\"type\":\"integer\"},\"x\":{\"type\":"
          "\"number\"},\"t\":{\"type\":[\"string\",\"null\"]},\"l\":{\"type\":\"array\",\"items\":{"
          "\"type\":\"boolean\"}}}}",
          " {\"l\":[true],\"id\":7,\"more\":1}\n",
          "STRUCT[\"id\":INT64,\"x\":FLOAT64,\"t\":?STRING,\"l\":ARRAY[BOOLEAN]]@\"U\" "
          "(l7,null,null,[true])");
    reads("use.optional.for.nonrequired=true",
          "{\"type\":\"object\",\"required\":[\"b\"],\"properties\":{\"a\":{\"type\":\"integer\"},"
          "\"b\":{\"type\":\"string\"}}}",
          "{\"b\":\"y\",\"a\":null}", "STRUCT[\"a\":?INT64,\"b\":STRING] (null,\"y\")");
    reads("-",
          "{\"type\":\"object\",\"properties\":{\"e\":{\"enum\":[\"A\",\"B\"]},"
          "\"f\":{\"type\":\"string\",\"enum\":[\"C\"]},\"k\":{\"const\":\"K\"}}}",
          "{\"e\":\"B\",\"f\":\"C\"}",
          "STRUCT[\"e\":STRING%{\"io.confluent.connect.json.Enum\"=\"\","
          "\"io.confluent.connect.json.Enum.A\"=\"A\",\"io.confluent.connect.json.Enum.B\"=\"B\"},"
          "\"f\":STRING%{\"io.confluent.connect.json.Enum\"=\"\","
          "\"io.confluent.connect.json.Enum.C\"=\"C\"},"
          "\"k\":STRING%{\"io.confluent.connect.json.Enum\"=\"\","
          "\"io.confluent.connect.json.Enum.K\"=\"K\"}] (\"B\",\"C\",null)");
}

TEST(references_and_compositions)
{
    reads("-",
          "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/definitions/P%7e1Q\"},"
          "\"b\":{\"$ref\":\"names.json#/definitions/Name\"},\"c\":{\"$ref\":\"#anchor\"},"
          "\"d\":{\"$ref\":\"#\"},\"e\":{},\"f\":true},"
          "\"definitions\":{\"P/Q\":{\"type\":\"integer\"},\"R\":{\"$id\":\"#anchor\","
          "\"type\":\"number\"}}}",
          "{\"a\":1,\"b\":\"n\",\"c\":1.5,\"d\":{\"a\":2},\"e\":[1, 2],\"f\":null}",
          "STRUCT[\"a\":INT64,\"b\":STRING,\"c\":FLOAT64,\"d\":?STRING@\"" JSON_ANY
          "\",\"e\":?STRING@\"" JSON_ANY "\",\"f\":?STRING@\"" JSON_ANY "\"] "
          "(l1,\"n\",d3ff8000000000000,\"{\\\"a\\\":2}\",\"[1, 2]\",null)");
    reads("-",
          "{\"allOf\":[{\"properties\":{\"a\":{\"type\":\"integer\"}}},{\"$ref\":\"#/$defs/B\"}],"
          "\"$defs\":{\"B\":{\"type\":\"object\",\"properties\":{\"b\":{\"allOf\":[{\"type\":"
          "\"string\"},"
          "{\"minLength\":1}]}}}}}",
          "{\"b\":\"x\"}", "STRUCT[\"a\":INT64,\"b\":STRING] (null,\"x\")");
    reads("generalized.sum.type.support=true",
          "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"boolean\"},{\"type\":\"null\"}]}", "true",
          "?STRUCT[\"connect_union_field_0\":?STRING,\"connect_union_field_1\":?BOOLEAN]"
          "@\"connect_union_0\"%{\"org.apache.kafka.connect.data.Union\"=\"connect_union_0\"} "
          "(null,true)");
    reads("-", "{\"oneOf\":[{\"type\":\"string\",\"title\":\"T\"}]}", "\"x\"",
          "STRING@\"T\" \"x\"");
}

TEST(wrong_schemas_and_payloads_are_errors)
{
    static const char plain[] =
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}}";
    reads("-", "{\"type\":\"object\"", "{}", "! schema 1 of the registry");
    reads("-", "[]", "{}", "! must be an object");
    reads("-", "{\"type\":\"strange\"}", "{}", "! the type strange");
    reads("-", "{\"type\":\"array\"}", "[]", "! what its items are");
    reads("-", "{\"$ref\":\"#/no\"}", "[]", "! leads nowhere");
    reads("-", "{\"allOf\":[{\"$ref\":\"#\"}]}", "[]", "! ");
    reads("-", plain, "", "! ");
    reads("-", plain, "{\"a\":1", "! ");
    reads("-", plain, "{\"a\":1}}", "! the end");
    reads("-", plain, "[1]", "! Structs should be encoded as JSON objects");
    reads("-", plain, "{\"a\":null}", "! Invalid null value for required INT64 field");
    reads("-", "{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}", "1.5",
          "! fits none of the union's members");
    reads("-",
          "{\"type\":\"array\",\"connect.type\":\"map\",\"items\":{\"type\":\"object\","
          "\"properties\":{\"key\":{\"type\":\"integer\"},\"value\":{\"type\":\"integer\"}}}}",
          "[{\"key\":1}]", "! found 1 members");
}

/* ---- every schema and value that Java made for JsonConverter's vectors ---- */

static struct registry_test property;
static size_t property_n;

static bool says_nothing(const char *schema) /* what JSON cannot keep apart */
{
    return strstr(schema, "f7f") || strstr(schema, "Union") || *schema == '-' || *schema == '!';
}

static void property_row(char **cols, int line)
{
    const struct sluice_schema *schema, *again;
    struct sluice_value v, w;
    if (strcmp(cols[0], "encode") != 0 || cols[4][0] == '!' || says_nothing(cols[2])) return;
    test_open(&property, &sluice_json_schema_converter, "-");
    schema = test_schema(&property, cols[2]);
    v = test_value(&property, cols[3]);
    if (v.type != SLUICE_NULL && test_encode(&property, schema, &v) == SLUICE_OK) {
        if (test_decode(&property, property.out.data, property.out.len, &again, &w) != SLUICE_OK) {
            FAIL("line %d: %s\n%s", line, property.err.msg, cols[2]);
        }
        if (again != schema) {
            FAIL("line %d: got %s\n want %s", line, test_schema_text(&property, again), cols[2]);
        }
        char *got = malloc(property.out.len);
        size_t len = property.out.len;
        memcpy(got, property.out.data, len);
        CHECK_INT(test_encode(&property, again, &w), SLUICE_OK);
        CHECK_MEM(property.out.data, property.out.len, got, len);
        free(got);
        property_n++;
    }
    test_close(&property);
}

TEST(java_vectors_make_a_round_trip)
{
    property_n = 0;
    text_rows("golden/json/json_converter.txt", property_row);
    CHECK(property_n > 100);
}

TEST(the_registry_is_asked_once)
{
    struct registry_test t;
    test_open(&t, &sluice_json_schema_converter, "-");
    const struct sluice_schema *schema = test_schema(&t, "STRUCT[\"a\":INT32]@\"A\"");
    struct sluice_value v = test_value(&t, "(i300)");
    fake_registry_fails = SLUICE_RETRY;
    CHECK_INT(test_encode(&t, schema, &v), SLUICE_RETRY);
    fake_registry_fails = SLUICE_OK;
    for (int i = 0; i < 5; i++) CHECK_INT(test_encode(&t, schema, &v), SLUICE_OK);
    for (int i = 0; i < 5; i++) CHECK_HAS(test_read_back(&t), "(i300)");
    CHECK_INT(fake_asked, 3);
    fake_ttl_ms = 0; /* the latest schema that is old at once */
    sluice_buf_clear(&t.out);
    for (int i = 0; i < 3; i++) {
        sluice_buf_clear(&t.out);
        CHECK_INT(t.plugin->converter->encode(t.fake.self, "u", NULL, schema, &v, &t.out, &t.null,
                                              &t.err),
                  SLUICE_OK);
    }
    CHECK_INT(fake_asked, 6);
    test_close(&t);
}
