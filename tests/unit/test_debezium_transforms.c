/* Debezium's transforms beyond what Debezium itself shows (test_debezium_golden.c): the examples of
 * docs/EXPRESSIONS.md, what is refused and where, hostile input, allocations. */
#include "base/err.h"
#include "data/json_text.h"
#include "data/transforms/debezium_expr.h"
#include "data/transforms/debezium_outbox_json.h"
#include "data/transforms/debezium_zone.h"
#include "golden/smt.h"
#include "mallocs.h"

/* ---- expressions ---- */

static struct sluice_batch batch;
static struct sluice_record record;

static void read_record(const char *json)
{
    struct sluice_err err;
    struct sluice_header *header = sluice_batch_alloc(&batch, sizeof *header);
    *header = (struct sluice_header){"origin", NULL, sluice_string("web", 3)};
    memset(&record, 0, sizeof record);
    record.topic = "shop.public.orders";
    record.headers = header;
    record.headers_len = 1;
    if (!sluice_json_parse(&batch, json, strlen(json), &record.value, NULL, &err)) {
        FAIL("%s: %s", json, err.msg);
    }
}

/* What the expression is worth for the record, as a text in the batch; else why not. */
static const char *worth(const char *text)
{
    static struct sluice_err err;
    struct expr expr = {0};
    struct expr_run run = {&batch, &record, &err};
    struct expr_value value;
    struct sluice_value as_text;
    const char *out = err.msg;
    err.msg[0] = '\0';
    if (expr_parse(&expr, text, &err) && expr_eval(&run, expr.top, &value) &&
        expr_text(&run, &value, &as_text)) {
        out = sluice_arena_strndup(&batch.arena, as_text.u.s, as_text.len);
    }
    expr_fini(&expr);
    return out;
}

TEST(examples_of_the_documentation_hold)
{
    char path[512], *doc;
    struct sluice_err err;
    int n = 0;
    sluice_batch_init(&batch);
    snprintf(path, sizeof path, "%s/../docs/EXPRESSIONS.md", SLUICE_TEST_DIR);
    doc = sluice_file_read(path, 1 << 20, NULL, &err);
    if (!doc) FAIL("%s", err.msg);
    char *json = strstr(doc, "`{\"op\""), *at = strstr(doc, "```groovy\n");
    CHECK(json && at);
    json[strcspn(json + 1, "`") + 1] = '\0';
    read_record(json + 1);
    at = strchr(at, '\n') + 1;
    while (strncmp(at, "```", 3) != 0) {
        char *line = at, *result = strstr(at, "// ");
        at = strchr(at, '\n');
        *at++ = '\0';
        CHECK(result != NULL);
        *result = '\0';
        const char *got = worth(line);
        if (strcmp(got, result + 3) != 0) FAIL("%s is %s, not %s", line, got, result + 3);
        n++;
    }
    CHECK(n >= 15);
    free(doc);
    sluice_batch_fini(&batch);
}

TEST(what_is_no_expression_is_refused_with_its_place)
{
    static const char *const wrong[][2] = {
        {"", "at character 1, the end: expected a value"},
        {"value.op = 'c'", "at character 10, near \"= 'c'\": expected an operator or the end"},
        {"value.op === 'c'", "at character 10,"},
        {"def x = 1", "at character 1, near \"def x = 1\": expected a value"},
        {"value.op == 'c", "at character 13,"},
        {"value.op.foo()", "at character 10, near \"foo()\": expected the name of a known method"},
        {"value.op.getAt(1)", "at character 10,"},
        {"value.op.substring()", "another number of arguments"},
        {"\"${value.op}\"", "join texts with +"},
        {"value.op =~ topic", "a regular expression as a text"},
        {"value.op =~ '('", "at character 13, "},
        {"[1, 2", "\",\" or \"]\""},
        {"(1", "\")\""},
        {"1 ? 2", "\":\""},
        {"value.", "a name"},
        {"1..5", "an operator or the end"},
        {"value.op; value", "an operator or the end"},
        {"99999999999999999999", "a number of at most 64 bits"},
        {"017", "a number (12"},
        {"'\\q'", "one of the escapes"},
        {"'''x'''", "one pair of quotes"},
        {"a\xff", "no UTF-8"},
    };
    sluice_batch_init(&batch);
    read_record("{\"op\":\"c\"}");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_HAS(worth(wrong[i][0]), wrong[i][1]);
    CHECK_HAS(worth("value.op == foo"), "near \"foo\": expected a value; known are key, value,");
    sluice_batch_fini(&batch);
}

TEST(what_cannot_be_evaluated_names_its_place)
{
    static const char *const wrong[][2] = {
        {"value.nope.x", "at character 12: cannot get 'x' of null"},
        {"value.op.startsWith(1)", "at character 10: startsWith() takes a text, found a number"},
        {"value.startsWith('a')", "at character 7: cannot call startsWith() on a map"},
        {"1 + null", "at character 3: cannot calculate with null"},
        {"value < 1", "at character 7: a map cannot be compared with a number"},
        {"7 % 0", "at character 3: division by zero"},
        {"7 / 0", "at character 3: division by zero"},
        {"'abc'.substring(4)", "no such part"},
        {"'x'.toLong()", "the text is no number for toLong()"},
    };
    sluice_batch_init(&batch);
    read_record("{\"op\":\"c\"}");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_HAS(worth(wrong[i][0]), wrong[i][1]);
    CHECK_STR(worth("-9223372036854775807L - 2"), "9223372036854775807"); /* wraps, as Java's */
    CHECK_STR(worth("(-9223372036854775807L - 1) % -1"), "0");
    CHECK_STR(worth("1 +\n\t2"), "3");
    CHECK_STR(worth("'\\ud834\\udd1e'.length()"), "2");
    CHECK_STR(worth("'\\ud834\\udd1ex'.substring(2)"), "x");
    CHECK_STR(worth("0.1 + 0.2 > 0.3 ? 'doubles' : ''"), "doubles");
    CHECK_STR(worth("1e3 == 1000 && 1.10 == 1.1 && -0.0 == 0 && 1e-3 < 0.0011"), "true");
    sluice_batch_fini(&batch);
}

TEST(expressions_from_outside_are_bounded)
{
    struct sluice_buf text;
    sluice_batch_init(&batch);
    sluice_buf_init(&text, 1 << 20);
    read_record("{\"op\":\"c\"}");
    for (int i = 0; i < 5000; i++) sluice_buf_adds(&text, "(");
    CHECK_HAS(worth(sluice_buf_str(&text)), "at most 100 operators");
    sluice_buf_clear(&text);
    for (int i = 0; i < 5000; i++) sluice_buf_adds(&text, "!");
    CHECK_HAS(worth(sluice_buf_str(&text)), "at most 100 operators");
    sluice_buf_clear(&text);
    sluice_buf_adds(&text, "1");
    for (int i = 0; i < 3000; i++) sluice_buf_adds(&text, "+1");
    CHECK_HAS(worth(sluice_buf_str(&text)), "at most 1000 values");
    sluice_buf_clear(&text);
    sluice_buf_adds(&text, "value");
    for (int i = 0; i < 3000; i++) sluice_buf_adds(&text, ".x");
    CHECK_HAS(worth(sluice_buf_str(&text)), "at most 1000 values");
    sluice_buf_clear(&text);
    for (int i = 0; i < 20000; i++) sluice_buf_adds(&text, " ");
    CHECK_HAS(worth(sluice_buf_str(&text)), "at most 16384");
    sluice_buf_fini(&text);
    sluice_batch_fini(&batch);
}

TEST(prefixes_of_an_expression_never_do_harm)
{
    static const char whole[] =
        "value.op in ['c', \"r\\u00e9\"] && !(header['x']?.value =~ /a\\/b/) ? "
        "1.5e3 + -0x1f : topic.substring(1, 2) ?: null";
    char cut[sizeof whole];
    sluice_batch_init(&batch);
    read_record("{\"op\":\"c\"}");
    for (size_t n = 0; n < sizeof whole; n++) {
        snprintf(cut, n + 1, "%s", whole);
        CHECK(worth(cut) != NULL);
        for (int flip = 1; n && flip < 256; flip *= 2) { /* and with one bit wrong */
            snprintf(cut, sizeof cut, "%s", whole);
            cut[n - 1] = (char)(cut[n - 1] ^ flip);
            CHECK(worth(cut) != NULL);
        }
    }
    sluice_batch_fini(&batch);
}

TEST(other_languages_are_refused)
{
    struct fake_host fake;
    fake_init(&fake, &sluice_debezium_filter, "language", "jsr223.graal.js", "condition", "true",
              NULL);
    CHECK_INT(fake_open(&fake), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, "language jsr223.graal.js is not known here");
    fake_fini(&fake);
}

/* ---- time zones ---- */

static int32_t local(const char *zone, int64_t seconds)
{
    struct sluice_err err;
    struct dbz_zone *z = dbz_zone_new(zone, &err);
    if (!z) FAIL("%s", err.msg);
    int32_t offset = dbz_zone_local(z, seconds);
    dbz_zone_free(z);
    return offset;
}

TEST(rules_hold_behind_the_last_transition)
{
    CHECK_INT(local("Europe/Berlin", 4102444800), 3600);     /* 2100-01-01 */
    CHECK_INT(local("Europe/Berlin", 4118083200), 7200);     /* 2100-07-01 */
    CHECK_INT(local("Australia/Sydney", 4102444800), 39600); /* summer over new year */
    CHECK_INT(local("Australia/Sydney", 4118083200), 36000);
    CHECK_INT(local("Europe/Berlin", INT64_MAX / 1000000), 3600); /* any number is taken */
    CHECK(local("Europe/Berlin", INT64_MIN / 1000000) > 0);
    CHECK_INT(local("-18:00", 0), -64800);
}

TEST(zone_files_from_outside_do_no_harm)
{
    struct sluice_err err;
    size_t len;
    char *data = sluice_file_read("/usr/share/zoneinfo/Europe/Dublin", 1 << 20, &len, &err);
    if (!data) FAIL("%s", err.msg);
    for (size_t n = 0; n < len; n++) {
        char *cut = malloc(n ? n : 1); /* exactly as long, so that reading behind it is seen */
        memcpy(cut, data, n);
        struct dbz_zone *zone = dbz_zone_read("x", cut, n, &err);
        if (n < len - 1) CHECK(zone == NULL);
        dbz_zone_free(zone);
        free(cut);
    }
    for (size_t n = 0; n < len; n++) {
        data[n] = (char)(data[n] ^ 0x81);
        struct dbz_zone *zone = dbz_zone_read("x", data, len, &err);
        if (zone) (void)dbz_zone_local(zone, 1700000000);
        dbz_zone_free(zone);
        data[n] = (char)(data[n] ^ 0x81);
    }
    free(data);
    static const char *const names[] = {"../../etc/passwd", "/etc/passwd", "Europe", "", "a b",
                                        "+19:00",           "posixrules\n"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK(dbz_zone_new(names[i], &err) == NULL);
    }
}

/* ---- JSON payloads ---- */

TEST(json_payloads_are_bounded)
{
    struct outbox_json json = {0};
    struct sluice_err err = {""};
    struct sluice_buf text;
    const struct sluice_schema *schema;
    struct sluice_value v;
    sluice_batch_init(&batch);
    sluice_buf_init(&text, 1 << 24);
    outbox_json_init(&json);
    for (int i = 0; i < 100000; i++) sluice_buf_adds(&text, "{\"a\":");
    struct sluice_value deep = sluice_string(text.data, text.len);
    CHECK(!outbox_json_expand(&json, &batch, "p", &deep, &schema, &v, &err));
    sluice_buf_clear(&text);
    sluice_buf_adds(&text, "{");
    for (int i = 0; i < 20000; i++) sluice_buf_addf(&text, "%s\"m%d\":1", i ? "," : "", i);
    sluice_buf_adds(&text, "}");
    struct sluice_value wide = sluice_string(text.data, text.len);
    CHECK(!outbox_json_expand(&json, &batch, "p", &wide, &schema, &v, &err));
    CHECK_HAS(err.msg, "more than 10000");
    sluice_buf_clear(&text);
    sluice_buf_adds(&text, "{\"l\":[");
    for (int i = 0; i < 20000; i++)
        sluice_buf_addf(&text, "%s{\"m%d\":1}", i ? "," : "", i % 12000);
    sluice_buf_adds(&text, "]}");
    struct sluice_value many = sluice_string(text.data, text.len);
    CHECK(!outbox_json_expand(&json, &batch, "p", &many, &schema, &v, &err));
    for (int i = 0; i < 3000; i++) { /* shapes without end: only so many are kept */
        sluice_buf_clear(&text);
        sluice_buf_addf(&text, "{\"m%d\":1}", i);
        struct sluice_value one = sluice_string(text.data, text.len);
        CHECK(outbox_json_expand(&json, &batch, "p", &one, &schema, &v, &err));
        sluice_batch_reset(&batch);
    }
    CHECK(json.shapes.n <= 1000);
    outbox_json_fini(&json);
    sluice_buf_fini(&text);
    sluice_batch_fini(&batch);
}

TEST(empty_arrays_may_be_kept)
{
    struct outbox_json json = {.keep_empty_arrays = true, .adjust = DBZ_ADJUST_AVRO};
    struct sluice_err err = {""};
    struct sluice_buf text;
    const struct sluice_schema *schema;
    struct sluice_value v, in = sluice_string("{\"a b\":[],\"1\":2}", 16);
    sluice_batch_init(&batch);
    sluice_buf_init(&text, 1 << 20);
    outbox_json_init(&json);
    CHECK(outbox_json_expand(&json, &batch, "p", &in, &schema, &v, &err));
    text_schema(&text, schema);
    text_value(&text, &v);
    CHECK_STR(sluice_buf_str(&text), "?STRUCT[\"a_b\":?ARRAY[?STRING],\"_1\":?INT32]@\"p\"([],i2)");
    outbox_json_fini(&json);
    sluice_buf_fini(&text);
    sluice_batch_fini(&batch);
}

TEST(truncates_of_an_outbox_are_reported_once)
{
    struct fake_host fake;
    struct sluice_err err = {""};
    sluice_batch_init(&batch);
    fake_init(&fake, &sluice_debezium_event_router, NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    struct text_reader schema = {
        "STRUCT[\"op\":STRING,\"after\":?STRUCT[\"id\":INT64]]@\"o.Envelope\"", &batch};
    const struct sluice_schema *held = smt_read_schema(&batch, &schema);
    for (int i = 0; i < 9; i++) {
        struct text_reader value = {i % 2 ? "(\"t\",null)" : "(\"u\",(l1))", &batch};
        struct sluice_record *rec = sluice_batch_append(&batch);
        rec->topic = "o";
        rec->value_schema = held;
        rec->value = text_read_value(&value);
        CHECK_INT(fake.plugin->transform->apply(fake.self, &batch, rec, &err), SLUICE_DROP);
    }
    CHECK_INT(fake.logs_n, 1);
    CHECK(fake_logged(&fake, "warn: Unexpected update message received in topic o and ignored"));
    fake_fini(&fake);
    sluice_batch_fini(&batch);
}

/* ---- allocations ---- */

static const char event_schema[] =
    "STRUCT[\"before\":?STRUCT[\"id\":STRING,\"aggregatetype\":STRING,\"aggregateid\":STRING,"
    "\"payload\":?STRING,"
    "\"at\":INT64@\"io.debezium.time.MicroTimestamp\"#1,\"price\":BYTES@\"org.apache.kafka.connect."
    "data.Decimal\"#1"
    "%{\"scale\"=\"2\"},\"z\":STRING@\"io.debezium.time.ZonedTimestamp\"#1]@\"o.Value\",\"after\":?"
    "STRUCT[\"id\":"
    "STRING,\"aggregatetype\":STRING,\"aggregateid\":STRING,\"payload\":?STRING,\"at\":INT64@"
    "\"io.debezium.time.MicroTimestamp\"#1,\"price\":BYTES@\"org.apache.kafka.connect.data."
    "Decimal\"#1%{\"scale\"="
    "\"2\"},\"z\":STRING@\"io.debezium.time.ZonedTimestamp\"#1]@\"o.Value\",\"source\":STRUCT["
    "\"table\":STRING],"
    "\"op\":STRING,\"ts_ms\":?INT64]@\"o.Envelope\"";
#define ROW                                                                                        \
    "(\"1\",\"order\",\"7\",\"{\\\"a\\\":1,\\\"l\\\":[{\\\"b\\\":1.5},{\\\"c\\\":null}]}\","       \
    "l1700000000123456,b00bc,\"2024-01-01T00:00:00.5Z\")"
static const char event_value[] = "(" ROW "," ROW ",(\"outbox\"),\"c\",l1785000000123)";

static const struct {
    const struct sluice_plugin *plugin;
    const char *config;
} steps[] = {
    {&sluice_debezium_filter,
     "language=jsr223.groovy;condition=value.op in ['c', 'r'] && value.after.price > 1.87 && "
     "topic + '!' ==~ /o.*/ && value.source['table'].toUpperCase() != null && -1.5 < 0"},
    {&sluice_debezium_changed_state, "header.changed.name=changed;header.unchanged.name=same"},
    {&sluice_debezium_timezone_converter, "converted.timezone=Europe/Berlin"},
    {&sluice_debezium_partition_routing,
     "partition.payload.fields=change.aggregateid,change.price;partition.topic.num=7"},
    {&sluice_debezium_header_to_value, "headers=changed;fields=after.changed;operation=copy"},
    {&sluice_debezium_logical_table_router, "topic.regex=(.*);topic.replacement=all.$1"},
    {&sluice_debezium_router, "language=jsr223.groovy;topic.expression=topic + '.' + value.op"},
    {&sluice_debezium_event_router,
     "table.expand.json.payload=true;table.fields.additional.placement="
     "aggregatetype:envelope:type,at:header;table.field.event.timestamp=at"},
};

#define STEPS (sizeof steps / sizeof *steps)

static void batch_of_50(struct fake_host *smts, const struct sluice_schema *schema,
                        const struct sluice_value *value)
{
    struct sluice_err err = {""};
    sluice_batch_reset(&batch);
    for (int i = 0; i < 50; i++) {
        struct sluice_record *rec = sluice_batch_append(&batch);
        rec->topic = "outbox";
        rec->value_schema = schema;
        rec->value = *value;
        for (size_t k = 0; k < STEPS; k++) {
            if (smts[k].plugin->transform->apply(smts[k].self, &batch, rec, &err) != SLUICE_OK) {
                FAIL("%s: %s", smts[k].plugin->name, err.msg);
            }
        }
        CHECK_STR(rec->topic, "outbox.event.order");
        CHECK_INT(rec->headers_len, 4);
        CHECK_INT(rec->value.type, SLUICE_STRUCT);
    }
}

TEST(debezium_transforms_allocate_nothing_per_record)
{
    struct fake_host smts[STEPS];
    struct sluice_batch input;
    sluice_batch_init(&input);
    sluice_batch_init(&batch);
    for (size_t k = 0; k < STEPS; k++) {
        fake_init(&smts[k], steps[k].plugin, NULL);
        fake_configure(&smts[k], steps[k].config);
        if (fake_open(&smts[k]) != SLUICE_OK) FAIL("%s", smts[k].err.msg);
    }
    struct text_reader schema_reader = {event_schema, &input}, value_reader = {event_value, &input};
    const struct sluice_schema *schema = smt_read_schema(&input, &schema_reader);
    struct sluice_value value = text_read_value(&value_reader);
    for (int i = 0; i < 10; i++) batch_of_50(smts, schema, &value);
    size_t before = mallocs;
    for (int i = 0; i < 100; i++) batch_of_50(smts, schema, &value);
    CHECK_INT(mallocs - before, 0); /* of 5,000 records through 8 transforms */
    (void)smt_replay;
    for (size_t k = 0; k < STEPS; k++) fake_fini(&smts[k]);
    sluice_batch_fini(&batch);
    sluice_batch_fini(&input);
}

TEST(dropping_fields_by_header_allocates_nothing_per_record)
{
    struct fake_host fake;
    struct sluice_batch input;
    struct sluice_err err = {""};
    size_t before = 0;
    sluice_batch_init(&input);
    sluice_batch_init(&batch);
    fake_init(&fake, &sluice_extract_new_record_state, "drop.fields.header.name", "drop", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    struct text_reader schema_reader = {event_schema, &input}, value_reader = {event_value, &input};
    const struct sluice_schema *schema = smt_read_schema(&input, &schema_reader);
    struct sluice_value value = text_read_value(&value_reader);
    struct sluice_value names[2] = {sluice_string("payload", 7), sluice_string("id", 2)};
    struct sluice_header header = {"drop", NULL, sluice_nested(SLUICE_ARRAY, names, 2)};
    for (int i = 0; i < 1000; i++) {
        if (i % 50 == 0) sluice_batch_reset(&batch);
        if (i == 500) before = mallocs;
        struct sluice_record *rec = sluice_batch_append(&batch);
        rec->topic = "outbox";
        rec->value_schema = schema;
        rec->value = value;
        rec->headers = &header;
        rec->headers_len = 1;
        CHECK_INT(fake.plugin->transform->apply(fake.self, &batch, rec, &err), SLUICE_OK);
        CHECK_INT(rec->value.len, 6); /* id is required and stays */
    }
    CHECK_INT(mallocs - before, 0);
    fake_fini(&fake);
    sluice_batch_fini(&batch);
    sluice_batch_fini(&input);
}
