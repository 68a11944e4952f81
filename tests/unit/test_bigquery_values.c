/* test_bigquery_values.c - how values of every type are written, and the columns they get. */
#include <math.h>
#include <stdint.h>

#include "bq_test.h"
#include "lib/json_out.h"
#include "text.h"

/* The "json" of the row that the record gives; fails the test when it is rejected. Freed by the
 * next call. */
static const char *row_of(struct bq_test *t)
{
    static char row[4096];
    struct stub_request const *req;
    size_t n = stub_count(t->stub, "POST", INSERT);
    bq_put_all(t);
    if (t->fake.rejects_n > 0) FAIL("rejected: %s", t->fake.rejects[0].why);
    bq_finish_ok(t);
    req = stub_request(t->stub, "POST", INSERT, n);
    CHECK(req != NULL);
    const char *start = strstr(req->body, "\"json\":");
    CHECK(start != NULL);
    json_t *json = json_loads(req->body, 0, NULL); /* whatever it is, it must be JSON */
    CHECK(json != NULL);
    json_decref(json);
    snprintf(row, sizeof row, "%s", start + 7);
    row[strlen(row) - 3] = '\0'; /* }]} */
    return row;
}

static struct sluice_schema named(unsigned type, const char *name)
{
    return (struct sluice_schema){.type = (uint8_t)type, .name = name};
}

/* One field f of this schema and value. */
static void check_value(struct sluice_schema schema, struct sluice_value value, const char *want)
{
    struct bq_test t;
    char row[512];
    bq_init(&t);
    fake_set(&t.fake, "variableScaleDecimalHandlingMode", "NUMERIC");
    bq_open_task(&t);
    bq_give(&t, 0, bq_struct(&t, "f", &schema, NULL), 1, &value);
    snprintf(row, sizeof row, "{\"f\":%s}", want);
    CHECK_STR(row_of(&t), row);
    bq_fini(&t);
}

#define PLAIN(kind)                                                                                \
    (struct sluice_schema) { .type = SLUICE_##kind }

TEST(primitives)
{
    static const unsigned char bytes[] = {0x00, 0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78};
    check_value(PLAIN(INT32), sluice_int32(4242), "4242");
    check_value(PLAIN(INT8), sluice_int(SLUICE_INT8, -128), "-128");
    check_value(PLAIN(INT64), sluice_int64(42424242424242), "\"42424242424242\"");
    check_value(PLAIN(INT64), sluice_int64(INT64_MAX), "\"9223372036854775807\"");
    check_value(PLAIN(INT64), sluice_int64(INT64_MIN), "\"-9223372036854775808\"");
    check_value(PLAIN(FLOAT32), (struct sluice_value){.type = SLUICE_FLOAT32, .u.d = 42.42f},
                "42.42");
    check_value(PLAIN(FLOAT64), sluice_float64(42424242.42424242), "42424242.42424242");
    check_value(PLAIN(FLOAT64), sluice_float64(0.1), "0.1");
    check_value(PLAIN(FLOAT64), sluice_float64(-0.0), "-0");
    check_value(PLAIN(STRING), bq_text("forty-two"), "\"forty-two\"");
    check_value(PLAIN(BYTES), sluice_bytes(bytes, sizeof bytes), "\"AA8eLTxLWml4\"");
    check_value(PLAIN(BOOLEAN), sluice_bool(false), "false");
    check_value(PLAIN(BOOLEAN), sluice_bool(true), "true");
}

TEST(strings_are_escaped_and_repaired)
{
    check_value(PLAIN(STRING), bq_text("a\"b\\c\n\t\x01/ end of it"),
                "\"a\\\"b\\\\c\\n\\t\\u0001/ end of it\"");
    check_value(PLAIN(STRING), bq_text("M\xc3\xbcnchen \xe2\x82\xac \xf0\x9f\x98\x80"),
                "\"M\xc3\xbcnchen \xe2\x82\xac \xf0\x9f\x98\x80\"");
    check_value(PLAIN(STRING), bq_text("x\xff\xc0\x80y\xed\xa0\x80"),
                "\"x\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdy\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    check_value(PLAIN(STRING), sluice_string("cut \xe2\x82", 6),
                "\"cut \xef\xbf\xbd\xef\xbf\xbd\"");
    check_value(PLAIN(STRING), sluice_string("", 0), "\"\"");
}

TEST(special_doubles)
{
    struct bq_test t;
    check_value(PLAIN(FLOAT64), sluice_float64(INFINITY), "\"Infinity\"");
    check_value(PLAIN(FLOAT64), sluice_float64(-INFINITY), "\"-Infinity\"");
    check_value(PLAIN(FLOAT64), sluice_float64(NAN), "\"NaN\"");
    bq_init(&t);
    fake_set(&t.fake, "convertDoubleSpecialValues", "true");
    bq_open_task(&t);
    bq_give(&t, 0, bq_struct(&t, "a", &bq_double, "b", &bq_double, "c", &bq_double, NULL),
            BQ_LIST(sluice_float64(INFINITY), sluice_float64(-INFINITY), sluice_float64(NAN)));
    CHECK_STR(row_of(&t), "{\"a\":1.7976931348623157e308,\"b\":4.9e-324,\"c\":4.9e-324}");
    bq_fini(&t);
}

TEST(connect_logical_types)
{
    check_value(named(SLUICE_INT64, "org.apache.kafka.connect.data.Timestamp"),
                sluice_int64(42000000), "\"1970-01-01 11:40:00.000\"");
    check_value(named(SLUICE_INT32, "org.apache.kafka.connect.data.Date"), sluice_int32(4200),
                "\"1981-07-02\"");
    check_value(named(SLUICE_INT32, "org.apache.kafka.connect.data.Time"), sluice_int32(19606838),
                "\"05:26:46.838\"");
}

TEST(debezium_types)
{
    check_value(named(SLUICE_STRING, "io.debezium.time.ZonedTimestamp"),
                bq_text("2017-03-01T14:20:38.808-08:00"), "\"2017-03-01 14:20:38.808-08:00\"");
    check_value(named(SLUICE_STRING, "io.debezium.time.ZonedTimestamp"),
                bq_text("2017-03-01T14:20:38.123456789Z"), "\"2017-03-01 14:20:38.123456Z\"");
    check_value(named(SLUICE_INT32, "io.debezium.time.Time"), sluice_int32(1488406838),
                "\"05:26:46.838\"");
    check_value(named(SLUICE_INT64, "io.debezium.time.MicroTime"), sluice_int64(19606838001),
                "\"05:26:46.838001\"");
    check_value(named(SLUICE_INT64, "io.debezium.time.Timestamp"), sluice_int64(1488406838808),
                "\"2017-03-01 22:20:38.808\"");
    check_value(named(SLUICE_INT64, "io.debezium.time.MicroTimestamp"),
                sluice_int64(1488406838808123), "\"2017-03-01 22:20:38.808123\"");
    check_value(named(SLUICE_INT64, "io.debezium.time.MicroTimestamp"), sluice_int64(-1),
                "\"1969-12-31 23:59:59.999999\"");
    check_value(named(SLUICE_INT32, "io.debezium.time.Date"), sluice_int32(-141428),
                "\"1582-10-14\"");
    check_value(named(SLUICE_INT64, "io.debezium.time.NanoTimestamp"), sluice_int64(5), "\"5\"");
    check_value(named(SLUICE_STRING, "io.debezium.data.Json"), bq_text("{\"a\":1}"),
                "\"{\\\"a\\\":1}\"");
}

TEST(years_that_bigquery_lacks_are_errors)
{
    static const int64_t days[] = {-719163, 2932897};
    for (size_t i = 0; i < 2; i++) {
        struct bq_test t;
        struct sluice_schema date = named(SLUICE_INT32, "io.debezium.time.Date");
        bq_init(&t);
        bq_open_task(&t);
        bq_give(&t, 0, bq_struct(&t, "f", &date, NULL), BQ_LIST(sluice_int32((int32_t)days[i])));
        bq_put_all(&t);
        CHECK_HAS(fake_rejected(&t.fake, 1), "field f: ");
        CHECK_HAS(fake_rejected(&t.fake, 1), "outside the years 1 to 9999");
        bq_fini(&t);
    }
}

TEST(decimals_keep_every_digit)
{
    static const struct sluice_param scale2[] = {{"scale", "2"}}, scale0[] = {{"scale", "0"}},
                                     minus2[] = {{"scale", "-2"}}, scale9[] = {{"scale", "9"}};
    struct sluice_schema decimal = {.type = SLUICE_BYTES,
                                    .name = "org.apache.kafka.connect.data.Decimal",
                                    .params = scale2,
                                    .params_len = 1};
    check_value(decimal, sluice_bytes("\x04\xd2", 2), "\"12.34\"");
    check_value(decimal, sluice_bytes("\xfb\x2e", 2), "\"-12.34\"");
    check_value(decimal, sluice_bytes("\x00", 1), "\"0.00\"");
    check_value(decimal, sluice_bytes("\xff", 1), "\"-0.01\"");
    check_value(decimal, sluice_bytes("\x80", 1), "\"-1.28\"");
    check_value(decimal, sluice_bytes("", 0), "\"0.00\"");
    /* 12345678901234567890123456789.012345678, beyond any double */
    decimal.params = scale9;
    check_value(
        decimal,
        sluice_bytes("\x09\x49\xb0\xf6\xf0\x02\x33\x13\xc4\x49\x90\x50\xde\x38\xf3\x4e", 16),
        "\"12345678901234567890123456789.012345678\"");
    decimal.params = scale0;
    check_value(decimal, sluice_bytes("\x80\x00\x00\x00\x00\x00\x00\x00", 8),
                "\"-9223372036854775808\"");
    decimal.params = minus2;
    check_value(decimal, sluice_bytes("\x05", 1), "\"500\"");
    static const struct sluice_schema int32 = {.type = SLUICE_INT32},
                                      bytes = {.type = SLUICE_BYTES};
    const struct sluice_field fields[] = {{"scale", &int32}, {"value", &bytes}};
    struct sluice_schema variable = {.type = SLUICE_STRUCT,
                                     .name = "io.debezium.data.VariableScaleDecimal",
                                     .fields = fields,
                                     .fields_len = 2};
    const struct sluice_value parts[] = {sluice_int32(3), sluice_bytes("\x04\xd2", 2)};
    check_value(variable, sluice_nested(SLUICE_STRUCT, parts, 2), "\"1.234\"");
}

/* The columns that tables.insert is asked for. */
static json_t *columns_of(struct bq_test *t)
{
    stub_error(t->stub, INSERT, 1, 404, "notFound", NO_TABLE);
    bq_put_all(t);
    bq_finish_ok(t);
    const struct stub_request *req = stub_request(t->stub, "POST", "/tables?", 0);
    CHECK(req != NULL);
    json_t *root = json_loads(req->body, 0, NULL);
    json_t *fields = json_incref(json_object_get(json_object_get(root, "schema"), "fields"));
    json_decref(root);
    CHECK(fields != NULL);
    return fields;
}

static void check_json(json_t *got, const char *want)
{
    char *text = json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS);
    json_t *json = json_loads(want, 0, NULL);
    CHECK(json != NULL);
    char *sorted = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    CHECK_STR(text, sorted);
    free(text);
    free(sorted);
    json_decref(json);
    json_decref(got);
}

TEST(decimal_modes_choose_the_column)
{
    static const struct {
        const char *mode, *column, *value;
    } cases[] = {
        {"FLOAT", "{\"name\":\"f\",\"type\":\"FLOAT\",\"mode\":\"REQUIRED\"}", "\"12.34\""},
        {"NUMERIC",
         "{\"name\":\"f\",\"type\":\"NUMERIC\",\"mode\":\"REQUIRED\",\"precision\":\"10\","
         "\"scale\":\"2\"}",
         "\"12.34\""},
        {"bignumeric",
         "{\"name\":\"f\",\"type\":\"BIGNUMERIC\",\"mode\":\"REQUIRED\",\"precision\":\"10\","
         "\"scale\":\"2\"}",
         "\"12.34\""},
        {"RECORD",
         "{\"name\":\"f\",\"type\":\"RECORD\",\"mode\":\"REQUIRED\",\"fields\":[{\"name\":"
         "\"scale\",\"type\":\"INTEGER\",\"mode\":\"REQUIRED\"},{\"name\":\"value\",\"type\":"
         "\"BYTES\",\"mode\":\"REQUIRED\"}]}",
         "{\"scale\":2,\"value\":\"BNI=\"}"},
    };
    static const struct sluice_param params[] = {{"scale", "2"},
                                                 {"connect.decimal.precision", "10"}};
    const struct sluice_schema decimal = {.type = SLUICE_BYTES,
                                          .name = "org.apache.kafka.connect.data.Decimal",
                                          .params = params,
                                          .params_len = 2};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bq_test t;
        char want[400];
        bq_init(&t);
        fake_set(&t.fake, "decimalHandlingMode", cases[i].mode);
        bq_open_task(&t);
        bq_give(&t, 0, bq_struct(&t, "f", &decimal, NULL), BQ_LIST(sluice_bytes("\x04\xd2", 2)));
        json_t *fields = columns_of(&t);
        snprintf(want, sizeof want, "[%s]", cases[i].column);
        check_json(fields, want);
        snprintf(want, sizeof want, "\"json\":{\"f\":%s}", cases[i].value);
        CHECK_HAS(bq_body(&t, 1), want);
        CHECK_INT(fake_logged(&t.fake, "FLOAT columns for decimals"), i == 0);
        bq_fini(&t);
    }
}

TEST(matryoshka)
{
    struct bq_test t;
    bq_init(&t);
    bq_open_task(&t);
    const struct sluice_schema floats = {.type = SLUICE_ARRAY, .elem = &bq_double};
    const struct sluice_schema *inner = bq_struct(&t, "i", &bq_int32, "s", &bq_string_opt, NULL);
    const struct sluice_schema *middle =
        bq_struct(&t, "middle_array", &floats, "inner", inner, NULL);
    struct sluice_value numbers =
        bq_values(&t, SLUICE_ARRAY,
                  BQ_LIST(sluice_float64(42.0), sluice_float64(42.42), sluice_float64(42.4242)));
    struct sluice_value in = bq_values(&t, SLUICE_STRUCT, BQ_LIST(sluice_int32(42), bq_text("42")));
    struct sluice_value mid = bq_values(&t, SLUICE_STRUCT, BQ_LIST(numbers, in));
    bq_give(&t, 0, bq_struct(&t, "middle", middle, NULL), 1, &mid);
    check_json(columns_of(&t),
               "[{\"name\":\"middle\",\"type\":\"RECORD\",\"mode\":\"REQUIRED\",\"fields\":["
               "{\"name\":\"middle_array\",\"type\":\"FLOAT\",\"mode\":\"REPEATED\"},"
               "{\"name\":\"inner\",\"type\":\"RECORD\",\"mode\":\"REQUIRED\",\"fields\":["
               "{\"name\":\"i\",\"type\":\"INTEGER\",\"mode\":\"REQUIRED\"},"
               "{\"name\":\"s\",\"type\":\"STRING\",\"mode\":\"NULLABLE\"}]}]}]");
    CHECK_HAS(bq_body(&t, 1), "\"json\":{\"middle\":{\"middle_array\":[42,42.42,42.4242],"
                              "\"inner\":{\"i\":42,\"s\":\"42\"}}}");
    bq_fini(&t);
}

TEST(maps_become_repeated_pairs)
{
    struct bq_test t;
    bq_init(&t);
    bq_open_task(&t);
    const struct sluice_schema map = {.type = SLUICE_MAP, .key = &bq_string, .elem = &bq_int64_opt};
    struct sluice_value entries = bq_values(
        &t, SLUICE_MAP, 2,
        (const struct sluice_value[]){bq_text("a"), sluice_int64(1), bq_text("b"), sluice_null()});
    bq_give(&t, 0, bq_struct(&t, "m", &map, NULL), 1, &entries);
    check_json(columns_of(&t),
               "[{\"name\":\"m\",\"type\":\"RECORD\",\"mode\":\"REPEATED\",\"fields\":["
               "{\"name\":\"key\",\"type\":\"STRING\",\"mode\":\"REQUIRED\"},"
               "{\"name\":\"value\",\"type\":\"INTEGER\",\"mode\":\"NULLABLE\"}]}]");
    CHECK_HAS(bq_body(&t, 1), "\"json\":{\"m\":[{\"key\":\"a\",\"value\":\"1\"},{\"key\":\"b\"}]}");
    bq_fini(&t);
}

TEST(nulls_and_defaults)
{
    struct bq_test t;
    bq_init(&t);
    bq_open_task(&t);
    const struct sluice_schema dflt = {
        .type = SLUICE_INT32, .has_dflt = true, .dflt = {.type = SLUICE_INT32, .u.i = 7}};
    const struct sluice_schema opt_dflt = {.type = SLUICE_INT32,
                                           .optional = true,
                                           .has_dflt = true,
                                           .dflt = {.type = SLUICE_INT32, .u.i = 8}};
    const struct sluice_schema list = {.type = SLUICE_ARRAY, .optional = true, .elem = &bq_int32};
    const struct sluice_schema *schema =
        bq_struct(&t, "a", &dflt, "b", &opt_dflt, "c", &bq_string_opt, "d", &list, NULL);
    bq_give(&t, 0, schema, BQ_LIST(sluice_null(), sluice_null(), sluice_null(), sluice_null()));
    CHECK_STR(row_of(&t), "{\"a\":7}");
    bq_fini(&t);
    bq_init(&t);
    fake_set(&t.fake, "allBQFieldsNullable", "true");
    bq_open_task(&t);
    bq_give(&t, 0, bq_struct(&t, "a", &bq_string, "n", &bq_int32, NULL),
            BQ_LIST(sluice_null(), sluice_int32(1)));
    check_json(columns_of(&t), "[{\"name\":\"a\",\"type\":\"STRING\",\"mode\":\"NULLABLE\"},"
                               "{\"name\":\"n\",\"type\":\"INTEGER\",\"mode\":\"NULLABLE\"}]");
    bq_fini(&t);
}

TEST(null_in_an_array_is_an_error)
{
    struct bq_test t;
    bq_init(&t);
    bq_open_task(&t);
    const struct sluice_schema list = {.type = SLUICE_ARRAY, .elem = &bq_int64_opt};
    struct sluice_value items =
        bq_values(&t, SLUICE_ARRAY, BQ_LIST(sluice_int64(1), sluice_null()));
    bq_give(&t, 0, bq_struct(&t, "x", &list, NULL), 1, &items);
    bq_put_all(&t);
    CHECK_HAS(fake_rejected(&t.fake, 1), "field x: item 1 is null");
    bq_fini(&t);
}

TEST(empty_structs_have_no_column)
{
    struct bq_test t;
    bq_init(&t);
    bq_open_task(&t);
    const struct sluice_schema *empty = bq_struct(&t, NULL);
    struct sluice_value none = bq_values(&t, SLUICE_STRUCT, 0, &(struct sluice_value){0});
    bq_give(&t, 0, bq_struct(&t, "e", empty, "n", &bq_int32, NULL), BQ_LIST(none, sluice_int32(1)));
    check_json(columns_of(&t), "[{\"name\":\"n\",\"type\":\"INTEGER\",\"mode\":\"REQUIRED\"}]");
    CHECK_HAS(bq_body(&t, 1), "\"json\":{\"n\":1}");
    bq_fini(&t);
}

TEST(schemas_without_counterpart_are_errors)
{
    const struct sluice_schema list = {.type = SLUICE_ARRAY, .elem = &bq_int32},
                               lists = {.type = SLUICE_ARRAY, .elem = &list},
                               wrong = named(SLUICE_STRING, "io.debezium.time.Date");
    static const char *const wants[] = {
        "field x: BigQuery has no arrays of arrays",
        "field x: Logical Type io.debezium.time.Date must be encoded as INT32; instead, found "
        "STRING",
        "two fields give the column a_b"};
    for (size_t i = 0; i < 3; i++) {
        struct bq_test t;
        bq_init(&t);
        fake_set(&t.fake, "sanitizeFieldNames", "true");
        bq_open_task(&t);
        const struct sluice_schema *schema =
            i == 0   ? bq_struct(&t, "x", &lists, NULL)
            : i == 1 ? bq_struct(&t, "x", &wrong, NULL)
                     : bq_struct(&t, "a.b", &bq_int32, "a_b", &bq_int32, NULL);
        bq_give(&t, 0, schema, BQ_LIST(sluice_int32(1), sluice_int32(1)));
        bq_put_all(&t);
        CHECK_HAS(fake_rejected(&t.fake, 1), wants[i]);
        bq_fini(&t);
    }
}

TEST(names_are_sanitised_everywhere)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "sanitizeFieldNames", "true");
    fake_set(&t.fake, "sanitizeTopics", "true");
    bq_open_task(&t);
    const struct sluice_schema *inner = bq_struct(&t, "1x", &bq_int32, NULL);
    const struct sluice_schema list = {.type = SLUICE_ARRAY, .elem = inner};
    struct sluice_value one = sluice_int32(1);
    struct sluice_value in = bq_values(&t, SLUICE_STRUCT, 1, &one);
    struct sluice_value items = bq_values(&t, SLUICE_ARRAY, 1, &in);
    struct sluice_record *rec =
        bq_give(&t, 0, bq_struct(&t, "f 1", &list, "\xc3\xa4", &bq_int32, NULL),
                BQ_LIST(items, sluice_int32(2)));
    rec->topic = "kcbq-test";
    CHECK_STR(row_of(&t), "{\"f_1\":[{\"_1x\":1}],\"_\":2}");
    CHECK_HAS(stub_request(t.stub, "POST", INSERT, 0)->path, "/tables/kcbq_test/insertAll");
    /* without a schema, too */
    struct sluice_value map =
        bq_values(&t, SLUICE_MAP, 1, (const struct sluice_value[]){bq_text("1x"), one});
    items = bq_values(&t, SLUICE_ARRAY, 1, &map);
    struct sluice_value value =
        bq_values(&t, SLUICE_MAP, 1, (const struct sluice_value[]){bq_text("f 1"), items});
    fake_give(&t.fake, "t", 0, 1)->value = value;
    CHECK_STR(row_of(&t), "{\"f_1\":[{\"_1x\":1}]}");
    bq_fini(&t);
}

TEST(schemaless_maps_pass_as_they_are)
{
    struct bq_test t;
    bq_init(&t);
    bq_open_task(&t);
    struct sluice_value list =
        bq_values(&t, SLUICE_ARRAY, BQ_LIST(sluice_int64(1), bq_text("x"), sluice_bool(true)));
    struct sluice_value value =
        bq_values(&t, SLUICE_MAP, 7,
                  (const struct sluice_value[]){
                      bq_text("i"), sluice_int64(9007199254740992), bq_text("big"),
                      sluice_int64(9007199254740993), bq_text("d"), sluice_float64(1.5),
                      bq_text("l"), list, bq_text("n"), sluice_null(), bq_text("b"),
                      sluice_bytes("\x01", 1), bq_text("q\""), bq_text("")});
    fake_give(&t.fake, "t", 0, 0)->value = value;
    CHECK_STR(row_of(&t), "{\"i\":9007199254740992,\"big\":\"9007199254740993\",\"d\":1.5,"
                          "\"l\":[1,\"x\",true],\"b\":\"AQ==\",\"q\\\"\":\"\"}");
    bq_fini(&t);
}

TEST(kafka_data_and_key_columns)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "kafkaDataFieldName", "kd");
    fake_set(&t.fake, "kafkaKeyFieldName", "kk");
    bq_open_task(&t);
    struct sluice_value key = bq_values(&t, SLUICE_STRUCT, BQ_LIST(sluice_int64(5)));
    struct sluice_record *rec =
        bq_give(&t, 12, bq_struct(&t, "f", &bq_string, NULL), BQ_LIST(bq_text("v")));
    rec->key_schema = bq_struct(&t, "id", &bq_int64, NULL);
    rec->key = key;
    rec->partition = 3;
    check_json(columns_of(&t),
               "[{\"name\":\"f\",\"type\":\"STRING\",\"mode\":\"REQUIRED\"},"
               "{\"name\":\"kd\",\"type\":\"RECORD\",\"mode\":\"NULLABLE\",\"fields\":["
               "{\"name\":\"topic\",\"type\":\"STRING\",\"mode\":\"NULLABLE\"},"
               "{\"name\":\"partition\",\"type\":\"INTEGER\",\"mode\":\"NULLABLE\"},"
               "{\"name\":\"offset\",\"type\":\"INTEGER\",\"mode\":\"NULLABLE\"},"
               "{\"name\":\"insertTime\",\"type\":\"TIMESTAMP\",\"mode\":\"NULLABLE\"}]},"
               "{\"name\":\"kk\",\"type\":\"RECORD\",\"mode\":\"NULLABLE\",\"fields\":["
               "{\"name\":\"id\",\"type\":\"INTEGER\",\"mode\":\"REQUIRED\"}]}]");
    json_t *root = json_loads(bq_body(&t, 1), 0, NULL);
    const json_t *json = json_object_get(json_array_get(json_object_get(root, "rows"), 0), "json");
    const json_t *kd = json_object_get(json, "kd");
    CHECK_STR(json_string_value(json_object_get(kd, "topic")), "t");
    CHECK_INT(json_integer_value(json_object_get(kd, "partition")), 3);
    CHECK_STR(json_string_value(json_object_get(kd, "offset")), "12");
    struct tm tm = {0};
    CHECK(strptime(json_string_value(json_object_get(kd, "insertTime")), "%Y-%m-%d %H:%M:%S", &tm));
    CHECK(llabs((long long)(timegm(&tm) - time(NULL))) < 60);
    CHECK_STR(json_string_value(json_object_get(json_object_get(json, "kk"), "id")), "5");
    json_decref(root);
    bq_fini(&t);
}

TEST(a_key_that_is_no_record_is_an_error)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "kafkaKeyFieldName", "kk");
    bq_open_task(&t);
    struct sluice_record *rec =
        bq_give(&t, 0, bq_struct(&t, "f", &bq_string, NULL), BQ_LIST(bq_text("v")));
    rec->key = bq_text("plain");
    const struct sluice_schema *schema = rec->value_schema;
    rec = bq_give(&t, 1, schema, BQ_LIST(bq_text("v"))); /* null: no column */
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_HAS(fake_rejected(&t.fake, 1), "record key: Only Map objects supported");
    CHECK(fake_is_done(&t.fake, 2));
    bq_fini(&t);
}

TEST(numbers_read_back_as_they_were)
{
    uint64_t state = 88172645463325252u;
    struct sluice_out out = {0};
    for (int i = 0; i < 200000; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        double d;
        if (i % 3 == 0) d = (double)(int64_t)(state >> 20) / 1000.0; /* what people store */
        else memcpy(&d, &state, sizeof d);
        if (!isfinite(d)) continue;
        out.len = 0;
        sluice_out_double(&out, d);
        sluice_out_terminate(&out);
        CHECK_DOUBLE(strtod(out.data, NULL), d);
        float f = (float)d;
        if (!isfinite(f)) continue;
        out.len = 0;
        sluice_out_float(&out, f);
        sluice_out_terminate(&out);
        CHECK_DOUBLE((float)strtod(out.data, NULL), f);
    }
    sluice_out_fini(&out);
}

TEST(dates_follow_the_gregorian_calendar_throughout)
{
    static const struct {
        int64_t days;
        const char *text;
    } cases[] = {{0, "1970-01-01"},       {-1, "1969-12-31"},      {11016, "2000-02-29"},
                 {-719162, "0001-01-01"}, {2932896, "9999-12-31"}, {-141427, "1582-10-15"},
                 {-141428, "1582-10-14"}, {-25509, "1900-02-28"},  {-25508, "1900-03-01"}};
    struct sluice_out out = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        out.len = 0;
        CHECK(bq_text_date(&out, cases[i].days));
        CHECK_MEM(out.data, out.len, cases[i].text, strlen(cases[i].text));
    }
    for (int64_t days = -719162; days <= 2932896; days += 37) { /* against the C library */
        char want[32];
        time_t at = (time_t)(days * 86400);
        struct tm tm;
        gmtime_r(&at, &tm);
        snprintf(want, sizeof want, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
        out.len = 0;
        CHECK(bq_text_date(&out, days));
        CHECK_MEM(out.data, out.len, want, strlen(want));
    }
    CHECK(!bq_text_timestamp_us(&out, INT64_MAX));
    CHECK(!bq_text_timestamp_ms(&out, INT64_MIN));
    sluice_out_fini(&out);
}

TEST(decimals_of_any_length)
{
    struct sluice_out out = {0};
    unsigned char bytes[BQ_DECIMAL_MAX_BYTES + 1];
    memset(bytes, 0xff, sizeof bytes);
    bytes[0] = 0x7f;
    CHECK(bq_text_decimal(&out, bytes, BQ_DECIMAL_MAX_BYTES, 0));
    CHECK_INT(out.len, 2466); /* digits of 2^8191 - 1 */
    out.len = 0;
    CHECK(!bq_text_decimal(&out, bytes, sizeof bytes, 0));
    CHECK(!bq_text_decimal(&out, bytes, 1, BQ_SCALE_MAX + 1));
    CHECK(bq_text_decimal(&out, "\x01", 1, 5));
    CHECK_MEM(out.data, out.len, "0.00001", 7);
    sluice_out_fini(&out);
}
