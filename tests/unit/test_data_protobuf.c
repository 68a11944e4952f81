/* ProtobufConverter: what Google's runtime serialized (tests/golden/registry), .proto texts, the
 * frame, hostile bytes. */
#include "registry_test.h"

/* ---- golden ---- */

static struct registry_test golden;
static bool golden_open;
static const struct sluice_schema *golden_schema;
static int golden_id, golden_exact;
static char golden_want[65536];

static void golden_end(void)
{
    if (golden_open) test_close(&golden);
    golden_open = false;
}

static void golden_type(char **cols)
{
    size_t len;
    char *text = text_read_octets(cols[2], &len);
    golden_end();
    test_open(&golden, &sluice_protobuf_converter, cols[1]);
    golden_open = true;
    char *terminated = strndup(text, len);
    fake_registry_add(++golden_id, SLUICE_SR_PROTOBUF, terminated);
    free(terminated);
    free(text);
    snprintf(golden_want, sizeof golden_want, "%s", cols[3]);
}

/* The prefix of Confluent's parameters as "~", which keeps the file small. */
static const char *shorten(char *text)
{
    static const char prefix[] = "io.confluent.connect.protobuf.";
    char *to = text;
    for (char *at = text; *at;) {
        if (strncmp(at, prefix, sizeof prefix - 1) == 0) {
            *to++ = '~';
            at += sizeof prefix - 1;
        } else {
            *to++ = *at++;
        }
    }
    *to = '\0';
    return text;
}

static void golden_row(char **cols, int line)
{
    struct sluice_value v;
    size_t len;
    char head[6] = {0}, *data;
    if (cols[0][0] == 'S') {
        golden_type(cols);
        return;
    }
    sluice_batch_reset(&golden.batch);
    char *message = text_read_octets(cols[1], &len);
    sluice_sr_head_write(head, golden_id);
    data = malloc(len + 6);
    memcpy(data, head, 6);
    memcpy(data + 6, message, len);
    if (test_decode(&golden, data, len + 6, &golden_schema, &v) != SLUICE_OK) {
        FAIL("line %d: %s", line, golden.err.msg);
    }
    char *shown = strdup(test_schema_text(&golden, golden_schema));
    const char *got = shorten(shown);
    if (strcmp(got, golden_want) != 0) {
        FAIL("line %d:\n got  %s\n want %s", line, got, golden_want);
    }
    free(shown);
    got = test_value_text(&golden, &v);
    if (strcmp(got, cols[2]) != 0) FAIL("line %d:\n got  %s\n want %s", line, got, cols[2]);
    if (cols[3][0] == '1') {
        golden_exact++;
        if (test_encode(&golden, golden_schema, &v) != SLUICE_OK) {
            FAIL("line %d: writing: %s", line, golden.err.msg);
        }
        if (golden.out.len != len + 6 || memcmp(golden.out.data + 6, message, len) != 0) {
            sluice_buf_clear(&golden.text);
            text_octets(&golden.text, golden.out.data + 6, golden.out.len - 6);
            FAIL("line %d: wrote\n got  %s\n want %s\n of %s", line, sluice_buf_str(&golden.text),
                 cols[1], cols[2]);
        }
    }
    free(message);
    free(data);
}

TEST(messages_of_googles_runtime_are_read_and_written)
{
    golden_exact = 0;
    CHECK(text_rows("golden/registry/protobuf_1.txt", golden_row) > 600);
    CHECK(text_rows("golden/registry/protobuf_2.txt", golden_row) > 600);
    golden_end();
    CHECK(golden_exact > 400);
}

/* ---- texts and frames ---- */

TEST(a_struct_becomes_a_file_of_one_message)
{
    struct registry_test t;
    test_open(&t, &sluice_protobuf_converter, "-");
    const char *text = test_registered(
        &t,
        "STRUCT[\"id\":INT64,\"small\":?INT8,\"price\":?BYTES@\"org.apache.kafka.connect.data."
        "Decimal\""
        "#1%{\"scale\"=\"2\",\"connect.decimal.precision\"=\"10\"},"
        "\"day\":INT32@\"org.apache.kafka.connect.data.Date\"#1,"
        "\"tags\":MAP[STRING,INT32]@\"my_tags\",\"who\":?STRUCT[\"name\":STRING,\"list\":ARRAY["
        "FLOAT64]]"
        "@\"other.Person\"]@\"shop.v1.Order\"",
        "(l5,y-1,b0480,i20000,{\"a\":i1},(\"x\",[d3ff0000000000000,d0000000000000000]))");
    CHECK_STR(text, "syntax = \"proto3\";\n"
                    "package shop.v1;\n\n"
                    "import \"confluent/type/decimal.proto\";\n"
                    "import \"google/type/date.proto\";\n\n"
                    "message Order {\n"
                    "  int64 id = 1;\n"
                    "  int32 small = 2 [(confluent.field_meta) = {\n"
                    "    params: [\n"
                    "      {\n"
                    "        key: \"connect.type\",\n"
                    "        value: \"int8\"\n"
                    "      }\n"
                    "    ]\n"
                    "  }];\n"
                    "  confluent.type.Decimal price = 3 [(confluent.field_meta) = {\n"
                    "    params: [\n"
                    "      {\n"
                    "        value: \"10\",\n"
                    "        key: \"precision\"\n"
                    "      },\n"
                    "      {\n"
                    "        value: \"2\",\n"
                    "        key: \"scale\"\n"
                    "      }\n"
                    "    ]\n"
                    "  }];\n"
                    "  google.type.Date day = 4;\n"
                    "  repeated MyTagsEntry tags = 5;\n"
                    "  Person who = 6;\n\n"
                    "  message MyTagsEntry {\n"
                    "    string key = 1;\n"
                    "    int32 value = 2;\n"
                    "  }\n"
                    "  message Person {\n"
                    "    string name = 1;\n"
                    "    repeated double list = 2;\n"
                    "  }\n"
                    "}\n");
    CHECK_MEM(t.out.data, 6, "\0\0\0\0\1\0", 6); /* [0] is one zero byte */
    CHECK_HAS(test_read_back(&t), "(l5,y-1,b0480,i20000,{\"a\":i1},(\"x\",[d3ff0000000000000,"
                                  "d0000000000000000]))");
    test_close(&t);
}

TEST(names_and_defaults_as_confluent_chooses_them)
{
    struct registry_test t;
    test_open(&t, &sluice_protobuf_converter,
              "scrub.invalid.names=true;optional.for.nullables=true");
    const char *text = test_registered(
        &t,
        "STRUCT[\"a-b\":?INT32,\"_x\":STRING=\"d\\\"\",\"person\":STRUCT[]@\"x.person\","
        "\"m\":MAP[INT32,?STRING]]@\"db-1.public.my table\"",
        "(null,\"\",(),{i0:null})");
    CHECK_STR(text, "syntax = \"proto3\";\n"
                    "package db_1.public;\n\n"
                    "message my_table {\n"
                    "  optional int32 a_b = 1;\n"
                    "  string x_x = 2 [default = \"d\\\"\"];\n"
                    "  personMessage person = 3;\n"
                    "  repeated ConnectDefault1Entry m = 4;\n\n"
                    "  message personMessage {}\n"
                    "  message ConnectDefault1Entry {\n"
                    "    int32 key = 1;\n"
                    "    optional string value = 2;\n"
                    "  }\n"
                    "}\n");
    CHECK_MEM(t.out.data + 6, t.out.len - 6, "\x12\x00\x1a\x00\x22\x00", 6);
    test_close(&t);
}

TEST(two_structs_of_one_name_stay_apart)
{
    struct registry_test t;
    test_open(&t, &sluice_protobuf_converter, "-");
    const char *text = test_registered(
        &t,
        "STRUCT[\"a\":STRUCT[\"x\":INT32]@\"n.V\",\"b\":STRUCT[\"y\":STRING]@\"o.V\","
        "\"c\":?STRUCT[\"x\":INT32]@\"n.V\"]@\"R\"",
        "((i1),(\"z\"),(i2))");
    CHECK_HAS(text, "  V a = 1;\n  V2 b = 2;\n  V c = 3;\n");
    CHECK_HAS(test_read_back(&t), "((i1),(\"z\"),(i2))");
    test_close(&t);
}

TEST(primitives_stand_in_wrappers)
{
    static const struct {
        const char *schema, *value, *head;
    } cases[] = {
        {"INT32", "i7", "\0\0\0\0\1\2\x08\x08\x07"},
        {"STRING", "\"hi\"", "\0\0\0\0\1\2\x0e\x0a\2hi"},
        {"BOOLEAN", "false", "\0\0\0\0\1\2\x0c"},
        {"FLOAT64", "d3ff0000000000000", "\0\0\0\0\1\0\x09\0\0\0\0\0\0\xf0\x3f"},
    };
    static const size_t lens[] = {9, 11, 7, 15};
    for (size_t i = 0; i < 4; i++) {
        struct registry_test t;
        char want[64];
        test_open(&t, &sluice_protobuf_converter, "-");
        CHECK_HAS(test_registered(&t, cases[i].schema, cases[i].value), "package google.protobuf;");
        CHECK_MEM(t.out.data, t.out.len, cases[i].head, lens[i]);
        snprintf(want, sizeof want, "%s %s", cases[i].schema, cases[i].value);
        CHECK_STR(test_read_back(&t), want);
        test_close(&t);
    }
}

TEST(nulls)
{
    struct registry_test t;
    struct sluice_value v = sluice_null();
    const struct sluice_schema *schema;
    test_open(&t, &sluice_protobuf_converter, "-");
    CHECK_INT(test_encode(&t, NULL, &v), SLUICE_OK);
    CHECK(t.null);
    CHECK_INT(test_encode(&t, test_schema(&t, "?STRUCT[\"a\":INT32]"), &v), SLUICE_OK);
    CHECK(t.null);
    v = sluice_int64(1);
    CHECK_INT(test_encode(&t, NULL, &v), SLUICE_FAIL);
    CHECK_HAS(t.err.msg, "without a schema");
    CHECK_INT(
        t.plugin->converter->decode(t.fake.self, &t.batch, "t", NULL, NULL, 0, &schema, &v, &t.err),
        SLUICE_OK);
    CHECK(schema == NULL && v.type == SLUICE_NULL);
    v = test_value(&t, "([\"a\",null])");
    CHECK_INT(test_encode(&t, test_schema(&t, "STRUCT[\"l\":ARRAY[?STRING]]"), &v), SLUICE_FAIL);
    CHECK_HAS(t.err.msg, "field l: null");
    CHECK_INT(test_encode(&t, test_schema(&t, "STRUCT[\"l\":ARRAY[ARRAY[INT8]]]"), &v),
              SLUICE_FAIL);
    CHECK_HAS(t.err.msg, "no Protobuf form");
    test_close(&t);
}

TEST(the_registry_is_asked_once_per_topic)
{
    struct registry_test t;
    test_open(&t, &sluice_protobuf_converter, "-");
    const struct sluice_schema *schema = test_schema(&t, "STRUCT[\"a\":INT32]@\"A\"");
    struct sluice_value v = test_value(&t, "(i300)");
    fake_registry_fails = SLUICE_RETRY;
    CHECK_INT(test_encode(&t, schema, &v), SLUICE_RETRY);
    CHECK_HAS(t.err.msg, "is down");
    fake_registry_fails = SLUICE_OK;
    for (int i = 0; i < 5; i++) CHECK_INT(test_encode(&t, schema, &v), SLUICE_OK);
    CHECK_INT(fake_asked, 2);
    for (int i = 0; i < 200; i++) { /* more topics than are kept */
        char topic[16];
        snprintf(topic, sizeof topic, "t%d", i);
        sluice_buf_clear(&t.out);
        CHECK_INT(t.plugin->converter->encode(t.fake.self, topic, NULL, schema, &v, &t.out, &t.null,
                                              &t.err),
                  SLUICE_OK);
    }
    CHECK_INT(fake_asked, 202);
    CHECK_HAS(test_read_back(&t), "(i300)");
    size_t asked = fake_asked;
    CHECK_HAS(test_read_back(&t), "(i300)");
    CHECK_INT(fake_asked, asked);
    test_close(&t);
}

/* use.latest.version: another file, in which the message is the second one's inner. */
TEST(the_path_is_that_of_the_latest_schema)
{
    struct registry_test t;
    test_open(&t, &sluice_protobuf_converter, "-");
    const struct sluice_schema *schema = test_schema(&t, "STRUCT[\"a\":INT32]@\"p.Q.A\"");
    struct sluice_value v = test_value(&t, "(i1)");
    size_t i = fake_registry_add(9, SLUICE_SR_PROTOBUF,
                                 "syntax = \"proto3\"; package p; message Z {} message Q {"
                                 " message Y {} message A { int32 a = 1; int32 b = 2; } }");
    fake_schemas[i].subject = strdup("t-value");
    fake_use_latest = true;
    CHECK_INT(test_encode(&t, schema, &v), SLUICE_OK);
    CHECK_MEM(t.out.data, t.out.len, "\0\0\0\0\x09\4\2\2\x08\1", 10);
    CHECK_HAS(test_read_back(&t), "(i1,i0)");
    schema = test_schema(&t, "STRUCT[\"a\":INT32]@\"p.Other\"");
    CHECK_INT(test_encode(&t, schema, &v), SLUICE_FAIL);
    CHECK_HAS(t.err.msg, "has no message p.Other");
    test_close(&t);
}

static const char *decode_error(struct registry_test *t, const char *data, size_t len)
{
    const struct sluice_schema *schema;
    struct sluice_value v;
    t->err.msg[0] = '\0';
    CHECK_INT(test_decode(t, data, len, &schema, &v), SLUICE_FAIL);
    return t->err.msg;
}

#define DECODE_ERROR(bytes) decode_error(&t, bytes, sizeof bytes - 1)
#define READ(message) read_with(&t, 1, message, sizeof(message) - 1)

static const char *read_with(struct registry_test *t, int32_t id, const char *message, size_t len)
{
    char data[256] = {0};
    sluice_sr_head_write(data, id);
    memcpy(data + 6, message, len);
    sluice_buf_clear(&t->out);
    sluice_buf_add(&t->out, data, len + 6);
    return test_read_back(t);
}

TEST(references_groups_merging_and_recursion)
{
    struct registry_test t;
    test_open(&t, &sluice_protobuf_converter, "-");
    fake_registry_add(1, SLUICE_SR_PROTOBUF,
                      "syntax = \"proto3\"; import \"other.proto\";\n"
                      "message M { o.Other other = 1; M self = 2; oneof c { int32 x = 3;"
                      " o.Other y = 4; } map<string, o.Other> m = 5; reserved 9 to max;\n"
                      " option (my.opt) = { a: [1, 2] }; string json = 6 [json_name = \"j\"]; }\n"
                      "service S { rpc A (M) returns (stream M) { option x = 1; } }\n"
                      "extend google.protobuf.FieldOptions { int32 e = 50000; }");
    fake_registry_add(
        2, SLUICE_SR_PROTOBUF,
        "syntax = \"proto2\"; package o; message Other { optional group Inner = 1 {"
        " required int32 a = 1 [default = -7]; } repeated string s = 2;"
        " optional Level level = 3 [default = HIGH]; extensions 100 to 199;"
        " enum Level { option allow_alias = true; LOW = 0; HIGH = 5 [deprecated = true]; } }");
    fake_registry_ref(1, "other.proto", 2);
    CHECK_HAS(READ(""), " (null,null,null,{},\"\")");
    /* two pieces of one message are merged; a group; an unknown field of each kind is skipped */
    CHECK_HAS(READ("\x0a\x03\x12\x01p\x0a\x0b\x12\x01q\x0b\x08\x05\x0c\x53\x08\1\x54"
                   "\x58\1\x65\0\0\0\0\x69\0\0\0\0\0\0\0\0\x72\1\0"),
              " (null,((i5),[\"p\",\"q\"],null),null,{},\"\")");
    CHECK_HAS(READ("\x18\x05\x22\0"), " ((null,(null,[],null)),");
    CHECK_HAS(READ("\x22\0\x18\x05"), " ((i5,null),");
    CHECK_HAS(READ("\x2a\3\x0a\1k\x2a\7\x0a\1k\x12\2\x18\5"), "{\"k\":(null,[],\"HIGH\")}");
    CHECK_HAS(READ("\x12\2\x18\1"), ",b1801,"); /* itself, as bytes */
    test_close(&t);
}

TEST(hostile_bytes_are_errors)
{
    struct registry_test t;
    char deep[512];
    test_open(&t, &sluice_protobuf_converter, "-");
    fake_registry_add(1, SLUICE_SR_PROTOBUF,
                      "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\";\n"
                      "import \"google/type/date.proto\"; message M { string s = 1; int64 i = 2;"
                      " google.protobuf.Timestamp t = 3; google.type.Date d = 4;"
                      " google.type.TimeOfDay u = 5; } ");
    fake_registry_add(2, SLUICE_SR_AVRO, "\"string\"");
    fake_registry_add(3, SLUICE_SR_PROTOBUF, "syntax = \"proto3\"; message M { Absent a = 1; }");
    fake_registry_add(4, SLUICE_SR_PROTOBUF, "syntax = \"proto3\"; message M { int32 a = 1;");
    fake_registry_add(5, SLUICE_SR_PROTOBUF, "syntax = \"proto3\"; message M { int32 a = 1; } ");
    CHECK_HAS(DECODE_ERROR(""), "magic");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\1"), "message indexes");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\5\2\2"), "message index 1 lies outside");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\5\1"), "message indexes");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\x63\0"), "Schema 99 not found");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\2\0"), "no Protobuf schema");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\3\0"), "has the type Absent");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\4\0"), "line 1 of the .proto text");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\1\0"), "google.type.TimeOfDay"); /* not imported */
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\5\0\x08"), "truncated");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\5\0\x12\5abc"), "truncated");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\5\0\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), "truncated");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\5\0\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"),
              "more than 10 bytes");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\5\0\0\0"), "invalid tag");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\5\0\x0e\0"), "wire type 6");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\5\0\x53\x5c"), "ends the group");
    memset(deep, 0x53, sizeof deep); /* groups in groups */
    memcpy(deep, "\0\0\0\0\5\0", 6);
    CHECK_HAS(decode_error(&t, deep, sizeof deep), "nested deeper");
    test_close(&t);
}

TEST(values_that_are_no_dates_or_texts_are_errors)
{
    struct registry_test t;
    test_open(&t, &sluice_protobuf_converter, "-");
    fake_registry_add(1, SLUICE_SR_PROTOBUF,
                      "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\";\n"
                      "import \"google/type/date.proto\"; message M { string s = 1; int64 i = 2;"
                      " google.protobuf.Timestamp t = 3; google.type.Date d = 4; }");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\1\0\x0a\1\xff"), "field s: the text is not valid UTF-8");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\1\0\x22\0"), "no full date");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\1\0\x22\7\x08\xe9\x0f\x10\2\x18\x1d"),
              "year 2025 has no February 29");
    CHECK_HAS(DECODE_ERROR("\0\0\0\0\1\0\x1a\x0b\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"),
              "no timestamp");
    test_close(&t);
}

/* A small record that would become gigabytes of values. */
TEST(memory_of_a_record_is_capped)
{
    struct registry_test t;
    struct sluice_buf text, data;
    test_open(&t, &sluice_protobuf_converter, "-");
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    sluice_buf_init(&data, SLUICE_BUF_MAX);
    sluice_buf_adds(&text, "syntax = \"proto3\"; message M { repeated N n = 1; } message N {");
    for (int i = 1; i <= 2000; i++) sluice_buf_addf(&text, "int32 f%d = %d;", i, i);
    sluice_buf_adds(&text, "}");
    fake_registry_add(1, SLUICE_SR_PROTOBUF, sluice_buf_str(&text));
    sluice_buf_add(&data, "\0\0\0\0\1\0", 6);
    for (int i = 0; i < 100000; i++) sluice_buf_add(&data, "\x0a\0", 2);
    CHECK_HAS(decode_error(&t, data.data, data.len), "more than 256 MiB");
    sluice_buf_fini(&text);
    sluice_buf_fini(&data);
    test_close(&t);
}
