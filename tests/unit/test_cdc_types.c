/* Values of every Postgres type: text in, value out, in all handling modes. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fake_host.h"
#include "harness.h"
#include "types.h"

static struct cdc_settings settings;
static struct cdc_types types;
static struct cdc_pool pool;
static struct fake_host fake;
static struct cdc_memory memory;
extern const struct sluice_plugin *const *sluice_plugins_v1(void);

static void start(void)
{
    memset(&settings, 0, sizeof(settings));
    settings.placeholder = "gone";
    settings.placeholder_len = 4;
    settings.money_digits = 2;
    fake_init(&fake, sluice_plugins_v1()[0], NULL);
    memory = (struct cdc_memory){.host = &fake.host, .batch = &fake.batch};
}

static void finish(void)
{
    sluice_batch_reset(&fake.batch);
    cdc_types_free(&types);
    cdc_pool_free(&pool);
    fake_fini(&fake);
}

static uint32_t next_oid = 100;

static uint32_t type(const char *name, char kind, uint32_t elem, uint32_t base, int32_t typmod,
                     const char *labels)
{
    const char *schema = strchr("ed", kind) ? "public" : "pg_catalog";
    static const char *const extensions[] = {"hstore",    "citext", "ltree",   "geometry",
                                             "geography", "vector", "halfvec", "sparsevec"};
    for (size_t i = 0; i < sizeof(extensions) / sizeof(*extensions); i++)
        if (!strcmp(name, extensions[i])) schema = "ext";
    struct cdc_type t = {.oid = ++next_oid,
                         .delim = *name == 'g'           ? ':'
                                  : !strcmp(name, "box") ? ';'
                                                         : 0,
                         .elem = elem,
                         .base = base,
                         .typmod = typmod,
                         .kind = kind,
                         .schema = (char *)schema,
                         .name = (char *)name,
                         .labels = (char *)labels};
    cdc_types_put(&types, &t);
    return t.oid;
}

static uint32_t plain(const char *name) { return type(name, 'b', 0, 0, -1, NULL); }

/* "<schema name or type>: <value>", or "!" and why it cannot be converted, or "omitted". */
static const char *value_of(uint32_t oid, int32_t typmod, const char *text)
{
    struct cdc_binding *binding = cdc_pool_alloc(&pool, sizeof(*binding));
    if (!cdc_bind(&types, &settings, oid, typmod, &pool, binding)) return "omitted";
    /* Exactly as long as the text, so that reading past it is found. */
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    struct sluice_value v;
    const char *out = "!";
    memory.why = NULL;
    if (!binding->convert(binding, &memory, copy, (uint32_t)len, &v)) {
        CHECK(memory.why != NULL);
        out = cdc_pool_format(&pool, "!%s", memory.why);
    } else {
        CHECK_INT(v.type, binding->schema.type);
        const char *name = binding->schema.name ? binding->schema.name : "";
        const char *dot = strrchr(name, '.');
        out = cdc_pool_format(&pool, "%s%s%s", dot ? dot + 1 : name, *name ? " " : "",
                              fake_text(&fake, &binding->schema, &v));
    }
    free(copy);
    return out;
}

static const char *named(const char *name, int32_t typmod, const char *text)
{
    return value_of(plain(name), typmod, text);
}

#define NUMERIC(p, s) ((((p) << 16) | ((s)&0x7ff)) + 4)

TEST(integers)
{
    start();
    CHECK_STR(named("int2", -1, "-32768"), "-32768");
    CHECK_STR(named("int2", -1, "32768"), "!out of the type's range");
    CHECK_STR(named("int4", -1, "2147483647"), "2147483647");
    CHECK_STR(named("int8", -1, "-9223372036854775808"), "-9223372036854775808");
    CHECK_STR(named("int8", -1, "9223372036854775808"), "!out of the type's range");
    CHECK_STR(named("oid", -1, "4294967295"), "4294967295");
    CHECK_STR(named("int4", -1, ""), "!not an integer");
    CHECK_STR(named("int4", -1, "-"), "!not an integer");
    CHECK_STR(named("int4", -1, "1x"), "!not an integer");
    finish();
}

TEST(floats_booleans_texts)
{
    start();
    CHECK_STR(named("float8", -1, "1e300"),
              fake_text(&fake, NULL, &(struct sluice_value){.type = SLUICE_FLOAT64, .u.d = 1e300}));
    CHECK_HAS(named("float4", -1, "NaN"), "nan");
    CHECK_HAS(named("float8", -1, "-Infinity"), "-inf");
    CHECK_STR(named("float8", -1, "1.5x"), "!not a floating point number");
    CHECK_STR(named("bool", -1, "t"), "true");
    CHECK_STR(named("bool", -1, "x"), "!not a boolean");
    CHECK_STR(named("text", -1, "a b"), "\"a b\"");
    CHECK_STR(named("citext", -1, "A"), "\"A\"");
    CHECK_STR(named("uuid", -1, "u"), "Uuid \"u\"");
    CHECK_STR(named("jsonb", -1, "{}"), "Json \"{}\"");
    CHECK_STR(named("ltree", -1, "a.b"), "Ltree \"a.b\"");
    CHECK_STR(value_of(type("mood", 'e', 0, 0, -1, "a,b"), -1, "a"), "Enum \"a\"");
    CHECK_STR(named("box", -1, "(1,1),(0,0)"), "omitted");
    settings.unknown_types = true;
    CHECK_STR(named("box", -1, "ab"), "x'6162'");
    finish();
}

TEST(bits_and_bytes)
{
    start();
    CHECK_STR(named("bit", 1, "1"), "true");
    CHECK_STR(named("bit", 2, "11"), "Bits x'03'");
    CHECK_STR(named("bit", 7, "1000000"), "Bits x'40'");
    CHECK_STR(named("bit", 10, "1000000001"), "Bits x'0102'");
    CHECK_STR(named("varbit", -1, "0000"), "Bits x''");
    CHECK_STR(named("varbit", -1, "12"), "!not a bit string");
    CHECK_STR(named("bytea", -1, "\\x01ff"), "x'01ff'");
    CHECK_STR(named("bytea", -1, "\\x"), "x''");
    CHECK_STR(named("bytea", -1, "\\x0"), "!not bytea in hex form");
    CHECK_STR(named("bytea", -1, "abc"), "!not bytea in hex form");
    settings.binary = CDC_BINARY_HEX;
    CHECK_STR(named("bytea", -1, "\\x010203"), "\"010203\"");
    settings.binary = CDC_BINARY_BASE64;
    CHECK_STR(named("bytea", -1, "\\x010203"), "\"AQID\"");
    CHECK_STR(named("bytea", -1, "\\xfbff"), "\"+/8=\"");
    settings.binary = CDC_BINARY_BASE64_URL;
    CHECK_STR(named("bytea", -1, "\\xfbff"), "\"-_8=\"");
    finish();
}

TEST(decimals)
{
    start();
    CHECK_STR(named("numeric", NUMERIC(5, 2), "1.10"), "Decimal x'6e'");
    CHECK_STR(named("numeric", NUMERIC(5, 2), "-1.28"), "Decimal x'80'");
    CHECK_STR(named("numeric", NUMERIC(5, 2), "1.28"), "Decimal x'0080'");
    CHECK_STR(named("numeric", NUMERIC(5, 2), "0.00"), "Decimal x'00'");
    CHECK_STR(named("numeric", NUMERIC(3, -2), "1200"), "Decimal x'0c'");
    CHECK_STR(named("numeric", NUMERIC(3, -2), "1250"), "!more digits than the column's scale");
    CHECK_STR(named("numeric", NUMERIC(30, 0), "18446744073709551616"),
              "Decimal x'010000000000000000'");
    CHECK_STR(named("numeric", NUMERIC(30, 0), "-18446744073709551616"),
              "Decimal x'ff0000000000000000'");
    CHECK_STR(named("numeric", NUMERIC(30, 0), "-9223372036854775808"),
              "Decimal x'8000000000000000'");
    CHECK_HAS(named("numeric", NUMERIC(5, 2), "NaN"), "!NaN and infinity");
    CHECK_STR(named("numeric", NUMERIC(5, 2), "1..2"), "!not a number");
    CHECK_STR(named("numeric", -1, "10.1111"), "VariableScaleDecimal {scale:4,value:x'018af7'}");
    CHECK_STR(named("numeric", -1, "100"), "VariableScaleDecimal {scale:0,value:x'64'}");
    CHECK_STR(named("numeric", -1, "1.500"), "VariableScaleDecimal {scale:1,value:x'0f'}");
    settings.decimal = CDC_DECIMAL_STRING;
    CHECK_STR(named("numeric", NUMERIC(5, 2), "1.10"), "\"1.10\"");
    CHECK_STR(named("numeric", -1, "NaN"), "\"NAN\"");
    CHECK_STR(named("numeric", -1, "-Infinity"), "\"NEGATIVE_INFINITY\"");
    CHECK_STR(named("money", -1, "($1.00)"), "\"-1.00\"");
    settings.decimal = CDC_DECIMAL_DOUBLE;
    CHECK_HAS(named("numeric", -1, "NaN"), "nan");
    settings.decimal = CDC_DECIMAL_PRECISE;
    CHECK_STR(named("money", -1, "$1,234.11"), "Decimal x'01e213'");
    CHECK_STR(named("money", -1, "1.234,11 EUR"), "Decimal x'01e213'");
    CHECK_STR(named("money", -1, "-$0.05"), "Decimal x'fb'");
    finish();
}

/* What is UTC already goes another way than what must be brought there. */
TEST(timestamps_in_utc_are_as_any_other)
{
    static const char *const same[] = {
        "2026-11-21 08:40:08",    "2026-11-21 08:40:08.1",    "2026-11-21 08:40:08.123456",
        "0001-01-01 00:00:00",    "1999-12-31 23:59:59.5",    "2024-02-29 12:34:56.000001",
        "2026-01-31 00:00:00.12", "12026-01-31 00:00:00.123", "0044-03-15 01:02:03"};
    static const char *const wrong[] = {
        "2026-13-01 00:00:00+00",    "2026-00-01 00:00:00+00",   "2026-01-32 00:00:00+00",
        "2026-01-01 25:00:00+00",    "2026-01-01 00:60:00+00",   "2026-01-01 00:00:61+00",
        "2026-01-01T00:00:00+00",    "2026-01-01 00:00:00.+00",  "2026-01-01 00:00:0a+00",
        "2026-01-01 00:00:00.1a+00", "2026-01-01 00:00:00x1+00", "26-01-01 00:00:00+00"};
    static const int scales[] = {-1, 0, 3, 6};
    start();
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        for (size_t k = 0; k < sizeof scales / sizeof *scales; k++) {
            char text[64], slow[100];
            snprintf(text, sizeof text, "%s+00:00", same[i]); /* a zone that is read */
            snprintf(slow, sizeof slow, "%s", named("timestamptz", scales[k], text));
            CHECK_HAS(slow, "ZonedTimestamp");
            snprintf(text, sizeof text, "%s+00", same[i]);
            CHECK_STR(named("timestamptz", scales[k], text), slow);
        }
    }
    CHECK_STR(named("timestamptz", 3, "2026-11-21 08:40:08.12+00"),
              "ZonedTimestamp \"2026-11-21T08:40:08.120Z\"");
    CHECK_STR(named("timestamptz", -1, "0044-03-15 01:02:03+00 BC"),
              "ZonedTimestamp \"-0043-03-15T01:02:03.000000Z\"");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_STR(named("timestamptz", -1, wrong[i]), "!not a timestamp");
    finish();
}

TEST(numbers_of_positions_as_text)
{
    static const uint64_t numbers[] = {0, 9, 10, 99, 100, 101, 999, 1000, 12345, UINT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char expected[24], text[24] = "";
        snprintf(expected, sizeof expected, "%llu", (unsigned long long)numbers[i]);
        text[cdc_u64_text(numbers[i], text)] = 0;
        CHECK_STR(text, expected);
    }
}

TEST(times)
{
    start();
    CHECK_STR(named("date", -1, "2017-09-15"), "Date 17424");
    CHECK_STR(named("date", -1, "0044-03-15 BC"), "Date -735160");
    CHECK_STR(named("date", -1, "2017-9-15"), "!not a date");
    CHECK_STR(named("time", 3, "04:05:11.789"), "Time 14711789");
    CHECK_STR(named("time", -1, "24:00:00"), "MicroTime 86400000000");
    CHECK_STR(named("timestamp", -1, "2016-11-04 13:51:30.123456"),
              "MicroTimestamp 1478267490123456");
    CHECK_STR(named("timestamp", 3, "1969-12-31 23:59:59.999"), "Timestamp -1");
    CHECK_STR(named("timestamp", -1, "infinity"), "MicroTimestamp 9223372036825200000");
    CHECK_STR(named("timestamp", -1, "-infinity"), "MicroTimestamp -9223372036832400000");
    CHECK_STR(named("timestamptz", -1, "2016-11-04 13:51:30.123456+02"),
              "ZonedTimestamp \"2016-11-04T11:51:30.123456Z\"");
    CHECK_STR(named("timestamptz", 0, "2020-01-01 00:30:00+01"),
              "ZonedTimestamp \"2019-12-31T23:30:00Z\"");
    CHECK_STR(named("timestamptz", -1, "21016-11-04 12:00:00+00"),
              "ZonedTimestamp \"+21016-11-04T12:00:00.000000Z\"");
    CHECK_STR(named("timestamptz", -1, "infinity"), "ZonedTimestamp \"infinity\"");
    CHECK_STR(named("timetz", -1, "13:51:30.123789+02"), "ZonedTime \"11:51:30.123789Z\"");
    CHECK_STR(named("timetz", -1, "23:30:00-08:30"), "ZonedTime \"08:00:00Z\"");
    settings.time = CDC_TIME_NANOS;
    CHECK_STR(named("timestamp", -1, "1970-01-01 00:00:01"), "NanoTimestamp 1000000000");
    CHECK_HAS(named("timestamp", -1, "2300-01-01 00:00:00"), "!nanoseconds hold only");
    CHECK_STR(named("timestamp", -1, "infinity"), "NanoTimestamp 9223372036854775807");
    settings.time = CDC_TIME_ISO;
    CHECK_STR(named("timestamp", -1, "2019-07-09 02:28:57.1234"),
              "IsoTimestamp \"2019-07-09T02:28:57.1234Z\"");
    CHECK_STR(named("date", -1, "2017-09-15"), "IsoDate \"2017-09-15Z\"");
    CHECK_STR(named("time", -1, "04:05:11.789"), "IsoTime \"04:05:11.789Z\"");
    settings.time = CDC_TIME_CONNECT;
    CHECK_STR(named("timestamp", -1, "1970-01-01 00:00:00.123999"), "Timestamp 123");
    finish();
}

TEST(texts_that_are_no_times)
{
    start();
    static const struct {
        const char *type, *text;
    } broken[] = {{"date", ""},
                  {"date", "2020-1-01"},
                  {"date", "2020-13-01"},
                  {"date", "2020-00-10"},
                  {"date", "2020-01-32"},
                  {"date", "99999999-01-01"},
                  {"date", "2020-01-01 "},
                  {"date", "2020-01-01 AD"},
                  {"date", "-infinit"},
                  {"time", "24:60:00"},
                  {"time", "25:00:00"},
                  {"time", "01:02:03."},
                  {"time", "01:02:03.1234567"},
                  {"time", "1:02:03"},
                  {"timetz", "01:02:03+"},
                  {"timetz", "01:02:03+01:"},
                  {"timestamp", "2020-01-01T01:02:03"},
                  {"timestamp", "2020-01-01"},
                  {"timestamp", "2020-01-01 01:02:03 B"},
                  {"timestamptz", "2020-01-01 01:02:03+99:99:9"},
                  {"timestamptz", "infinity "}};
    for (size_t mode = CDC_TIME_ADAPTIVE; mode <= CDC_TIME_NANOS; mode++) {
        settings.time = (enum cdc_time_mode)mode;
        for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
            const char *got = named(broken[i].type, -1, broken[i].text);
            if (*got != '!') FAIL("%s '%s' is %s", broken[i].type, broken[i].text, got);
        }
    }
    finish();
}

TEST(intervals)
{
    start();
    CHECK_STR(named("interval", -1, "1 year"), "MicroDuration 31557600000000");
    CHECK_STR(named("interval", -1, "-1 days +00:00:00.5"), "MicroDuration -86399500000");
    CHECK_STR(named("interval", -1, "00:00:00"), "MicroDuration 0");
    CHECK_STR(named("interval", -1, "178000000 years"), "MicroDuration 9223372036854775807");
    CHECK_STR(named("interval", -1, "-2147483647 days"), "MicroDuration -9223372036854775808");
    static const char *const broken[] = {"1 fortnight",
                                         "1",
                                         "1 ",
                                         "1 day 1",
                                         "1:2:3",
                                         "01:02",
                                         "01:02:03x",
                                         "1 day 01:02:03 1 day",
                                         "9999999999999 days",
                                         "999999999999:00:00"};
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++)
        CHECK_STR(named("interval", -1, broken[i]), "!not an interval");
    settings.interval_string = true;
    CHECK_STR(named("interval", -1, "-2562047788:00:54.775808"),
              "Interval \"P0Y0M0DT-2562047788H0M-54.775808S\"");
    CHECK_STR(named("interval", -1, "1 year 2 mons 3 days 04:05:06.78"),
              "Interval \"P1Y2M3DT4H5M6.78S\"");
    finish();
}

TEST(arrays)
{
    start();
    uint32_t ints = type("_int4", 'b', plain("int4"), 0, -1, NULL);
    uint32_t texts = type("_text", 'b', plain("text"), 0, -1, NULL);
    CHECK_STR(value_of(ints, -1, "{1,NULL,-3}"), "[1,null,-3]");
    CHECK_STR(value_of(ints, -1, "{}"), "[]");
    CHECK_STR(value_of(ints, -1, "[0:1]={5,6}"), "[5,6]");
    CHECK_HAS(value_of(ints, -1, "{{1},{2}}"), "!arrays of more than one dimension");
    CHECK_HAS(value_of(ints, -1, "[0:1][2:2]={{1},{2}}"), "!arrays of more than one dimension");
    CHECK_STR(value_of(texts, -1, "{\"{a}\",\"{\"}"), "[\"{a}\",\"{\"]");
    CHECK_INT(value_of(ints, -1, "{1,{2}}")[0], '!');
    CHECK_STR(value_of(texts, -1, "{NULL,\"NULL\",\"a \\\"b\\\" \\\\\",\"\"}"),
              "[null,\"NULL\",\"a \"b\" \\\",\"\"]");
    static const char *const broken[] = {
        "",     "{",      "}",    "{1",   "{1,", "{1,}",   "{,1}",
        "{\"a", "{\"a\\", "{1}x", "{{1}", "[",   "[0:1]=", "{{{{{{{{1}}}}}}}}"};
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++)
        CHECK_INT(value_of(ints, -1, broken[i])[0], '!');
    CHECK_STR(value_of(type("_money", 'b', plain("money"), 0, -1, NULL), -1, "{}"), "omitted");
    uint32_t points = type("_geometry", 'b', plain("geometry"), 0, -1, NULL);
    CHECK_HAS(value_of(points, -1, "{0101000000000000000000F03F0000000000000040:NULL}"), ",null]");
    CHECK_INT(value_of(points, -1, "{0101000000000000000000F03F0000000000000040,NULL}")[0], '!');
    finish();
}

TEST(arrays_of_unknown_types)
{
    start();
    uint32_t boxes = type("_box", 'b', plain("box"), 0, -1, NULL);
    uint32_t money = type("_money", 'b', plain("money"), 0, -1, NULL);
    uint32_t domain = type("posint", 'd', 0, plain("int4"), -1, NULL);
    uint32_t domains = type("_posint", 'b', domain, 0, -1, NULL);
    CHECK_STR(value_of(boxes, -1, "{(1,1),(0,0);NULL}"), "omitted");
    CHECK_STR(value_of(domains, -1, "{1}"), "omitted");
    settings.unknown_types = true;
    CHECK_STR(value_of(boxes, -1, "{(1,1);NULL}"), "[x'28312c3129',null]");
    CHECK_STR(value_of(domains, -1, "{17}"), "[x'3137']");
    CHECK_STR(value_of(money, -1, "{}"), "omitted"); /* known, but not in arrays */
    finish();
}

TEST(nested_types)
{
    start();
    CHECK_STR(named("hstore", -1, "\"k\"=>\"v\", \"q\\\"\"=>NULL"),
              "Json \"{\"k\":\"v\",\"q\\\"\":null}\"");
    CHECK_STR(named("hstore", -1, ""), "Json \"{}\"");
    CHECK_STR(named("hstore", -1, "\"k\"=>"), "!not an hstore");
    settings.hstore_map = true;
    CHECK_STR(named("hstore", -1, "\"k\"=>\"v\""), "{\"k\":\"v\"}");
    CHECK_HAS(named("point", -1, "(1,-2)"), "Point {x:1");
    CHECK_STR(named("point", -1, "(1,-2"), "!not a point");
    CHECK_HAS(named("geometry", -1, "0101000020730C00001C7C613255DE6540787AA52C435C42C0"),
              "srid:3187}");
    CHECK_STR(named("geometry", -1, "01"), "!not EWKB in hex form");
    CHECK_HAS(named("vector", -1, "[1,2.5]"), "DoubleVector [1");
    CHECK_STR(named("vector", -1, "[1,"), "!not a vector");
    CHECK_HAS(named("sparsevec", -1, "{1:1.5}/5"), "dimensions:5");
    CHECK_STR(named("sparsevec", -1, "{99999:1}/5"), "!not a sparse vector");
    static const char *const geometries[] = {"", "0", "0201000000000000000000F03F", "01010000zz"};
    for (size_t i = 0; i < sizeof(geometries) / sizeof(*geometries); i++)
        CHECK_STR(named("geometry", -1, geometries[i]), "!not EWKB in hex form");
    CHECK_HAS(named("geography", -1, "0020000001000010E63FF0000000000000"), "srid:4326}");
    static const char *const vectors[] = {"", "[", "1", "[1", "[1]x", "[1;2]", "[]", "[1,,2]"};
    for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
        CHECK_STR(named("halfvec", -1, vectors[i]), "!not a vector");
    static const char *const sparse[] = {"{",      "{1}/2",       "{1:}/2",  "{1:1}",
                                         "{1:1}/", "{1:1}/99999", "{-1:1}/5"};
    for (size_t i = 0; i < sizeof(sparse) / sizeof(*sparse); i++)
        CHECK_STR(named("sparsevec", -1, sparse[i]), "!not a sparse vector");
    finish();
}

TEST(domains_take_the_inner_type)
{
    start();
    uint32_t inner = type("money2", 'd', 0, plain("numeric"), NUMERIC(6, 3), NULL);
    uint32_t outer = type("price", 'd', 0, inner, -1, NULL);
    CHECK_STR(value_of(outer, -1, "1.500"), "Decimal x'05dc'");
    CHECK_STR(value_of(type("lost", 'd', 0, 1, -1, NULL), -1, "1"), "omitted");
    finish();
}

static const char *default_of(const char *name, int32_t typmod, const char *expr)
{
    struct cdc_binding binding;
    struct sluice_value v;
    if (!cdc_bind(&types, &settings, plain(name), typmod, &pool, &binding)) return "omitted";
    return cdc_default(&binding, &memory, expr, &v) ? fake_text(&fake, &binding.schema, &v)
                                                    : "none";
}

TEST(defaults_are_literals_or_zero)
{
    start();
    CHECK_STR(default_of("int4", -1, "5"), "5");
    CHECK_STR(default_of("int4", -1, "'-7'::integer"), "-7");
    CHECK_STR(default_of("int4", -1, "nextval('a_id_seq'::regclass)"), "0");
    CHECK_STR(default_of("int4", -1, "(1 + 2)"), "none");
    CHECK_STR(default_of("text", -1, "'it''s'::text"), "\"it's\"");
    CHECK_STR(default_of("text", -1, "NULL::text"), "none");
    CHECK_STR(default_of("text", -1, "('a'::text || 'b'::text)"), "none");
    CHECK_STR(default_of("timestamp", -1, "now()"), "0");
    CHECK_STR(default_of("timestamp", -1, "CURRENT_TIMESTAMP"), "0");
    CHECK_STR(default_of("date", -1, "'2020-02-29'::date"), "18321");
    CHECK_STR(default_of("bit", 3, "B'101'::\"bit\""), "x'05'");
    CHECK_STR(default_of("bool", -1, "true"), "true");
    CHECK_STR(default_of("bytea", -1, "'\\x01'::bytea"), "none");
    CHECK_STR(default_of("int4", -1, "'unclosed"), "none");
    CHECK_STR(default_of("int4", -1, "('5'::text)::integer"), "5");
    CHECK_STR(default_of("text", -1, "('"), "none");
    CHECK_STR(default_of("text", -1, "('a'"), "none");
    CHECK_STR(default_of("text", -1, "('a'::text)"), "none");
    settings.decimal = CDC_DECIMAL_STRING;
    CHECK_STR(default_of("numeric", NUMERIC(5, 2), "1.5"), "\"1.50\"");
    CHECK_STR(default_of("numeric", NUMERIC(5, 2), "-1"), "\"-1.00\"");
    CHECK_STR(default_of("numeric", NUMERIC(5, 2), "12.345"), "none");
    CHECK_STR(default_of("numeric", NUMERIC(5, 2), "some_function(1)"), "\"0.00\"");
    CHECK_STR(default_of("numeric", NUMERIC(5, 0), "some_function(1)"), "\"0\"");
    CHECK_STR(default_of("numeric", -1, "some_function(1)"), "\"0.0\"");
    CHECK_STR(default_of("numeric", -1, "1.50"), "\"1.50\"");
    finish();
}

TEST(unavailable_values)
{
    start();
    struct cdc_binding b;
    struct sluice_value v;
    CHECK(cdc_bind(&types, &settings, plain("text"), -1, &pool, &b));
    CHECK(cdc_unavailable(&b, &memory, &v));
    CHECK_STR(fake_text(&fake, &b.schema, &v), "\"gone\"");
    CHECK(cdc_bind(&types, &settings, plain("bytea"), -1, &pool, &b));
    CHECK(cdc_unavailable(&b, &memory, &v));
    CHECK_STR(fake_text(&fake, &b.schema, &v), "x'676f6e65'");
    CHECK(
        cdc_bind(&types, &settings, type("_int4", 'b', plain("int4"), 0, -1, NULL), -1, &pool, &b));
    CHECK(cdc_unavailable(&b, &memory, &v));
    CHECK_STR(fake_text(&fake, &b.schema, &v), "[103,111,110,101]");
    CHECK(
        cdc_bind(&types, &settings, type("_uuid", 'b', plain("uuid"), 0, -1, NULL), -1, &pool, &b));
    CHECK(cdc_unavailable(&b, &memory, &v)); /* as java.util.UUID.nameUUIDFromBytes() */
    CHECK_STR(fake_text(&fake, &b.schema, &v), "[\"50c1f58b-e7f5-347e-8f53-d64c094783c2\"]");
    static const char *const without[] = {"inet", "oid", "numeric", "timestamptz", "citext"};
    for (size_t i = 0; i < sizeof(without) / sizeof(*without); i++) {
        uint32_t array = type("_array", 'b', plain(without[i]), 0, -1, NULL);
        CHECK(cdc_bind(&types, &settings, array, -1, &pool, &b));
        CHECK(!cdc_unavailable(&b, &memory, &v));
    }
    CHECK(cdc_bind(&types, &settings, plain("hstore"), -1, &pool, &b));
    CHECK(cdc_unavailable(&b, &memory, &v));
    CHECK_STR(fake_text(&fake, &b.schema, &v), "\"{\"gone\":\"gone\"}\"");
    CHECK(cdc_bind(&types, &settings, plain("numeric"), NUMERIC(5, 2), &pool, &b));
    CHECK(!cdc_unavailable(&b, &memory, &v));
    finish();
}
