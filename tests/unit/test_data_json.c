/* What JSON does beyond the Java vectors: limits, places in errors, caches, odd octets. */
#include <math.h>

#include "base/err.h"
#include "data/builtins.h"
#include "data/decimal.h"
#include "data/json_io.h"
#include "data/json_text.h"
#include "data/values.h"
#include "fake_host.h"
#include "golden/text.h"

static struct sluice_batch batch;
static struct sluice_buf out;
static struct sluice_err err;
static struct fake_host fake;

static void setup(const char *schemas)
{
    sluice_batch_init(&batch);
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    err.msg[0] = '\0';
    fake_init(&fake, &sluice_json_converter, "schemas.enable", schemas, NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
}

static void teardown(void)
{
    fake_fini(&fake);
    sluice_buf_fini(&out);
    sluice_batch_fini(&batch);
}

static enum sluice_verdict decode(const char *text, const struct sluice_schema **schema,
                                  struct sluice_value *v)
{
    return fake.plugin->converter->decode(fake.self, &batch, "t", NULL, text, strlen(text), schema,
                                          v, &err);
}

static const char *string_text(const char *s, size_t len)
{
    sluice_buf_clear(&out);
    CHECK(sluice_json_string(&out, s, len, &err));
    return sluice_buf_str(&out);
}

TEST(strings_of_any_octets_become_json)
{
    setup("false");
    CHECK_STR(string_text("a\xff\xc3", 3), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
    CHECK_STR(string_text("\xed\xa0\x80", 3), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    CHECK_STR(string_text("\xf0\x9d\x84", 3), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    CHECK_STR(string_text("\xf0\x9d\x84\x9e", 4), "\"\\uD834\\uDD1E\"");
    CHECK_STR(string_text("\0", 1), "\"\\u0000\"");
    CHECK_STR(string_text("", 0), "\"\"");
    /* every octet at every place of a word, read back where it is text */
    for (int place = 0; place < 20; place++) {
        for (int c = 0; c < 256; c++) {
            char s[20];
            struct sluice_value v;
            memset(s, 'x', sizeof s);
            s[place] = (char)c;
            const char *text = string_text(s, sizeof s);
            CHECK(sluice_json_parse(&batch, text, strlen(text), &v, NULL, &err));
            if (c < 0x80) CHECK_MEM(v.u.s, v.len, s, sizeof s);
        }
        sluice_batch_reset(&batch);
    }
    teardown();
}

TEST(a_full_buffer_is_an_error)
{
    struct sluice_buf small;
    sluice_buf_init(&small, 100);
    struct sluice_value v = sluice_string("0123456789", 10);
    struct sluice_value items[20];
    for (int i = 0; i < 20; i++) items[i] = v;
    struct sluice_value list = sluice_nested(SLUICE_ARRAY, items, 20);
    CHECK(!sluice_json_value(&small, &list, &err));
    CHECK(err.msg[0]);
    CHECK(small.len <= 100);
    sluice_buf_fini(&small);
}

TEST(depth_and_numbers_are_capped)
{
    static char text[4000];
    struct sluice_value v;
    setup("false");
    memset(text, '[', 1000);
    memset(text + 1000, ']', 1000);
    CHECK(sluice_json_parse(&batch, text, 2000, &v, NULL, &err));
    memset(text, '[', 1001);
    memset(text + 1001, ']', 1001);
    CHECK(!sluice_json_parse(&batch, text, 2002, &v, NULL, &err));
    CHECK_HAS(err.msg, "deeper than 1000");
    memset(text, '7', sizeof text);
    CHECK(sluice_json_parse(&batch, text, 1000, &v, NULL, &err));
    CHECK(!sluice_json_parse(&batch, text, 1001, &v, NULL, &err));
    CHECK_HAS(err.msg, "longer than 1000");
    teardown();
}

TEST(errors_name_the_place)
{
    struct sluice_value v;
    const struct sluice_schema *schema;
    setup("false");
    CHECK_INT(decode("{\"a\": x}", &schema, &v), SLUICE_FAIL);
    CHECK_HAS(err.msg, "Converting byte[] to Kafka Connect data failed due to serialization error");
    CHECK_HAS(err.msg, "unexpected 'x' at byte 6");
    CHECK(!sluice_json_parse(&batch, "1 2", 3, &v, NULL, &err));
    CHECK_HAS(err.msg, "the end");
    size_t rest;
    CHECK(sluice_json_parse(&batch, " [1] x", 6, &v, &rest, &err));
    CHECK_INT(rest, 4);
    teardown();
}

TEST(errors_name_the_field)
{
    struct sluice_value v;
    const struct sluice_schema *schema;
    setup("true");
    CHECK_INT(decode("{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"struct\",\"fields\":"
                     "[{\"type\":\"int32\",\"field\":\"in\"}],\"field\":\"out\"}]},"
                     "\"payload\":{\"out\":{}}}",
                     &schema, &v),
              SLUICE_FAIL);
    CHECK_STR(err.msg, "field out: field in: Invalid null value for required INT32 field");
    struct sluice_value nothing = sluice_null();
    struct sluice_value inner = sluice_nested(SLUICE_STRUCT, &nothing, 1);
    struct text_reader r = {"STRUCT[\"in\":INT32]", &batch};
    schema = sluice_schema_intern(text_read_schema(&r));
    bool null;
    CHECK_INT(
        fake.plugin->converter->encode(fake.self, "t", NULL, schema, &inner, &out, &null, &err),
        SLUICE_FAIL);
    CHECK_HAS(err.msg, "field in");
    CHECK_HAS(err.msg, "null value for field that is required and has no default value");
    struct sluice_value wrong = sluice_string("x", 1);
    inner = sluice_nested(SLUICE_STRUCT, &wrong, 1);
    CHECK_INT(
        fake.plugin->converter->encode(fake.self, "t", NULL, schema, &inner, &out, &null, &err),
        SLUICE_FAIL);
    CHECK_HAS(err.msg, "Invalid type for INT32: the value is STRING");
    inner = sluice_nested(SLUICE_STRUCT, NULL, 0);
    CHECK_INT(
        fake.plugin->converter->encode(fake.self, "t", NULL, schema, &inner, &out, &null, &err),
        SLUICE_FAIL);
    CHECK_HAS(err.msg, "Mismatching schema");
    sluice_schema_free(schema);
    teardown();
}

TEST(words_for_numbers_are_read_back)
{
    struct sluice_value v;
    const struct sluice_schema *schema;
    setup("true");
    CHECK_INT(decode("{\"schema\":{\"type\":\"array\",\"items\":{\"type\":\"double\"}},"
                     "\"payload\":[\"NaN\",\"Infinity\",\"-Infinity\",\"x\"]}",
                     &schema, &v),
              SLUICE_OK);
    CHECK(isnan(v.u.v[0].u.d));
    CHECK(isinf(v.u.v[1].u.d) && v.u.v[1].u.d > 0);
    CHECK(isinf(v.u.v[2].u.d) && v.u.v[2].u.d < 0);
    CHECK_DOUBLE(v.u.v[3].u.d, 0);
    teardown();
}

TEST(two_fields_of_one_name_are_refused)
{
    struct sluice_value v;
    const struct sluice_schema *schema;
    setup("true");
    CHECK_INT(decode("{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\",\"field\":"
                     "\"a\"},{\"type\":\"int8\",\"field\":\"a\"}]},\"payload\":{\"a\":1}}",
                     &schema, &v),
              SLUICE_FAIL);
    CHECK_HAS(err.msg, "duplication a");
    teardown();
}

TEST(an_empty_string_is_not_null)
{
    bool null = true;
    struct sluice_value v = sluice_string("", 0);
    setup("false");
    fake_fini(&fake);
    fake_init(&fake, &sluice_string_converter, NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK_INT(fake.plugin->converter->encode(fake.self, "t", NULL, NULL, &v, &out, &null, &err),
              SLUICE_OK);
    CHECK(!null && out.data && out.len == 0);
    teardown();
}

/* Schemas that nobody uses any more are let go: neither cache grows beyond its size. */
TEST(thousands_of_schemas_leave_bounded_caches)
{
    char text[200];
    setup("true");
    fake_fini(&fake);
    size_t before = sluice_schema_count();
    fake_init(&fake, &sluice_json_converter, "schemas.cache.size", "20", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    for (int i = 0; i < 3000; i++) {
        const struct sluice_schema *schema;
        struct sluice_value v;
        bool null;
        snprintf(text, sizeof text,
                 "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":"
                 "\"int32\",\"field\":\"f%d\"}]},\"payload\":{\"f%d\":%d}}",
                 i, i, i);
        if (decode(text, &schema, &v) != SLUICE_OK) FAIL("%s", err.msg);
        CHECK_INT(v.u.v[0].u.i, i);
        sluice_buf_clear(&out);
        CHECK_INT(
            fake.plugin->converter->encode(fake.self, "t", NULL, schema, &v, &out, &null, &err),
            SLUICE_OK);
        if (i % 7 == 0) sluice_batch_reset(&batch);
        CHECK(sluice_schema_count() <= before + 20 + 20 + 7 + 1);
    }
    sluice_batch_reset(&batch);
    fake_fini(&fake);
    CHECK_INT(sluice_schema_count(), before);
    sluice_buf_fini(&out);
    sluice_batch_fini(&batch);
}

/* Several topics in turn, members in another order, other spacing: all find the same schema. */
TEST(records_of_one_schema_share_it)
{
    static const char *const texts[] = {
        "{\"schema\":{\"type\":\"int32\",\"optional\":false},\"payload\":1}",
        "{\"schema\":{\"type\":\"string\",\"optional\":false},\"payload\":\"x\"}",
        "{ \"payload\":1, \"schema\":{\"optional\":false,\"type\":\"int32\"}}",
        "{\"schema\":{\"type\":\"int32\",\"optional\":false},\"payload\":1 } trailing",
    };
    const struct sluice_schema *schemas[4], *again;
    struct sluice_value v;
    setup("true");
    for (int i = 0; i < 4; i++) CHECK_INT(decode(texts[i], &schemas[i], &v), SLUICE_OK);
    CHECK(schemas[0] == schemas[2] && schemas[0] == schemas[3] && schemas[0] != schemas[1]);
    for (int round = 0; round < 20; round++) {
        CHECK_INT(decode(texts[round % 4], &again, &v), SLUICE_OK);
        CHECK(again == schemas[round % 4]);
    }
    /* begins like a known one, but says more */
    CHECK_INT(decode("{\"schema\":{\"type\":\"int32\",\"optional\":false},\"payload\":1,\"x\":2}",
                     &again, &v),
              SLUICE_FAIL);
    CHECK_HAS(err.msg, "may not contain additional fields");
    teardown();
}

TEST(decimals_of_any_size)
{
    static const struct {
        const char *text;
        int scale;
        const char *back; /* NULL: refused */
    } cases[] = {
        {"0", 0, "0"},
        {"-1", 0, "-1"},
        {"127", 0, "127"},
        {"128", 0, "128"},
        {"-128", 0, "-128"},
        {"-129", 0, "-129"},
        {"9223372036854775807", 0, "9223372036854775807"},
        {"-9223372036854775808", 0, "-9223372036854775808"},
        {"9223372036854775808", 0, "9223372036854775808"},
        {"-170141183460469231731687303715884105729", 0, "-170141183460469231731687303715884105729"},
        {"1.5", 3, "1.500"},
        {"1.500", 1, "1.5"},
        {"1.55", 1, NULL},
        {"1e3", 2, "1000.00"},
        {"12e-4", 4, "0.0012"},
        {"1e-7", 7, "1E-7"},
        {"1200", -2, "1.2E+3"},
        {"1e200000", 0, NULL},
        {"0e999999999", 0, "0"},
    };
    setup("false");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sluice_value v;
        bool ok = sluice_decimal_parse(&batch.arena, cases[i].text, strlen(cases[i].text),
                                       cases[i].scale, &v, &err);
        if (ok != (cases[i].back != NULL)) FAIL("%s at %d", cases[i].text, cases[i].scale);
        if (!ok) continue;
        sluice_buf_clear(&out);
        CHECK(sluice_decimal_text(&out, v.u.s, v.len, cases[i].scale, &err));
        CHECK_STR(sluice_buf_str(&out), cases[i].back);
    }
    teardown();
}

TEST(long_decimals_round_trip)
{
    static char digits[20001];
    setup("false");
    for (size_t i = 0; i < 20000; i++) digits[i] = (char)('0' + (i * 7 + i / 9) % 10);
    digits[0] = '3';
    for (size_t n = 1; n <= 20000; n = n * 3 + 1) {
        struct sluice_value v;
        CHECK(sluice_decimal_parse(&batch.arena, digits, n, 0, &v, &err));
        sluice_buf_clear(&out);
        CHECK(sluice_decimal_text(&out, v.u.s, v.len, 0, &err));
        CHECK_MEM(out.data, out.len, digits, n);
    }
    teardown();
}

TEST(duplicate_members_of_a_large_object)
{
    struct sluice_value v;
    setup("false");
    sluice_buf_adds(&out, "{");
    for (int i = 0; i < 1000; i++) sluice_buf_addf(&out, "%s\"k%d\":%d", i ? "," : "", i % 300, i);
    sluice_buf_adds(&out, "}");
    CHECK(sluice_json_parse(&batch, out.data, out.len, &v, NULL, &err));
    CHECK_INT(v.len, 300);
    CHECK_INT(sluice_value_get(&v, "k5")->u.i, 905);
    CHECK_INT(sluice_value_get(&v, "k299")->u.i, 899);
    teardown();
}
