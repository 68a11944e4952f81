/* What the Java classes themselves gave (tests/golden/java/run.sh), replayed: JsonConverter,
 * SimpleHeaderConverter, StringConverter, Double.toString, ExtractNewRecordState. */
#include "base/err.h"
#include "data/builtins.h"
#include "data/json_text.h"
#include "fake_host.h"
#include "golden/text.h"

static void start(struct fake_host *fake, const struct sluice_plugin *plugin, const char *config)
{
    fake_init(fake, plugin, NULL);
    fake_configure(fake, config);
    if (fake_open(fake) != SLUICE_OK) FAIL("cannot open %s: %s", plugin->name, fake->err.msg);
}

/* Java's message is ours, or ours says more around it. */
static void check_error(int line, const char *want, const struct sluice_err *err)
{
    char core[256];
    size_t n = strcspn(want, ":"); /* up to where Java appends classes and causes */
    snprintf(core, sizeof core, "%.*s", (int)n, want);
    if (!strstr(err->msg, core)) FAIL("line %d: error \"%s\", wanted \"%s\"", line, err->msg, want);
}

static void check_text(int line, struct sluice_buf *got, const char *want)
{
    const char *text = sluice_buf_str(got);
    if (strcmp(text, want) != 0) FAIL("line %d:\n got  %s\n want %s", line, text, want);
}

/* schema, value, octets of cols[2..4]. */
static void replay_encode(const struct sluice_plugin *plugin, char **cols, int line)
{
    struct fake_host fake;
    struct sluice_batch batch;
    struct sluice_buf out, text;
    struct sluice_err err = {""};
    bool null = false;
    sluice_batch_init(&batch);
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    start(&fake, plugin, cols[1]);
    struct text_reader schema_text = {cols[2], &batch}, value_text = {cols[3], &batch};
    const struct sluice_schema *description = text_read_schema(&schema_text);
    const struct sluice_schema *schema = description ? sluice_schema_intern(description) : NULL;
    struct sluice_value v = text_read_value(&value_text);
    for (int again = 0; again < 2; again++) { /* the second time with a warm cache */
        sluice_buf_clear(&out);
        sluice_buf_clear(&text);
        enum sluice_verdict verdict =
            plugin->converter->encode(fake.self, "t", NULL, schema, &v, &out, &null, &err);
        if (cols[4][0] == '!') {
            CHECK_INT(verdict, SLUICE_FAIL);
            check_error(line, cols[4] + 1, &err);
            continue;
        }
        if (verdict != SLUICE_OK) FAIL("line %d: %s", line, err.msg);
        if (null) sluice_buf_adds(&text, "-");
        else text_octets(&text, out.data, out.len);
        check_text(line, &text, cols[4]);
    }
    sluice_schema_free(schema);
    fake_fini(&fake);
    sluice_buf_fini(&out);
    sluice_buf_fini(&text);
    sluice_batch_fini(&batch);
}

/* octets, schema, value of cols[2..4]. */
static void replay_decode(const struct sluice_plugin *plugin, char **cols, int line)
{
    struct fake_host fake;
    struct sluice_batch batch;
    struct sluice_buf text;
    struct sluice_err err = {""};
    size_t len = 0;
    sluice_batch_init(&batch);
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    start(&fake, plugin, cols[1]);
    char *data = text_read_octets(cols[2], &len);
    for (int again = 0; again < 2; again++) {
        const struct sluice_schema *schema = NULL;
        struct sluice_value v;
        enum sluice_verdict verdict =
            plugin->converter->decode(fake.self, &batch, "t", NULL, data, len, &schema, &v, &err);
        if (cols[3][0] == '!') {
            if (verdict != SLUICE_FAIL) FAIL("line %d: no error, wanted %s", line, cols[3]);
            check_error(line, cols[3] + 1, &err);
            continue;
        }
        if (verdict != SLUICE_OK) FAIL("line %d: %s", line, err.msg);
        sluice_buf_clear(&text);
        text_schema(&text, schema);
        /* Java has a schema for "list of nulls", we have none for such a list */
        bool of_null = strstr(cols[3], "[-") || strstr(cols[3], ",-]");
        check_text(line, &text, of_null ? "-" : cols[3]);
        sluice_buf_clear(&text);
        text_value(&text, &v);
        check_text(line, &text, cols[4]);
    }
    free(data);
    fake_fini(&fake);
    sluice_buf_fini(&text);
    sluice_batch_fini(&batch);
}

static void json_row(char **cols, int line)
{
    if (strcmp(cols[0], "encode") == 0) replay_encode(&sluice_json_converter, cols, line);
    else if (strcmp(cols[0], "decode") == 0) replay_decode(&sluice_json_converter, cols, line);
    else FAIL("line %d: what is %s?", line, cols[0]);
}

TEST(json_converter_does_as_java)
{
    size_t before = sluice_schema_count();
    CHECK(text_rows("golden/json/json_converter.txt", json_row) > 600);
    CHECK_INT(sluice_schema_count(), before);
}

/* config, schema, value, octets; then schema and value as read back, empty where they are the
 * same as written, absent where writing fails. */
static void json_random_row(char **cols, int line)
{
    if (strcmp(cols[0], "both") != 0) {
        json_row(cols, line);
        return;
    }
    replay_encode(&sluice_json_converter, cols, line);
    if (cols[4][0] == '!') return;
    char *back[5] = {cols[0], cols[1], cols[4], *cols[5] ? cols[5] : cols[2],
                     *cols[6] || cols[5][0] == '!' ? cols[6] : cols[3]};
    replay_decode(&sluice_json_converter, back, line);
}

TEST(json_converter_does_as_java_with_random_schemas)
{
    size_t before = sluice_schema_count();
    CHECK(text_rows("golden/json/json_random_schemas.txt", json_random_row) > 1000);
    CHECK_INT(sluice_schema_count(), before);
}

TEST(json_converter_does_as_java_with_random_values)
{
    size_t before = sluice_schema_count();
    CHECK(text_rows("golden/json/json_random_plain.txt", json_random_row) > 2000);
    CHECK_INT(sluice_schema_count(), before);
}

static void header_row(char **cols, int line)
{
    if (strcmp(cols[0], "header-encode") == 0) {
        replay_encode(&sluice_simple_header_converter, cols, line);
    } else if (strcmp(cols[0], "header-decode") == 0) {
        replay_decode(&sluice_simple_header_converter, cols, line);
    } else {
        CHECK_STR(cols[0], "string-encode");
        replay_encode(&sluice_string_converter, cols, line);
    }
}

TEST(header_and_string_converters_do_as_java)
{
    size_t before = sluice_schema_count();
    CHECK(text_rows("golden/json/simple_header.txt", header_row) > 100);
    CHECK_INT(sluice_schema_count(), before);
}

static void number_row(char **cols, int line)
{
    char text[33];
    struct sluice_batch batch;
    uint64_t bits = strtoull(cols[1], NULL, 16);
    uint32_t bits32 = (uint32_t)bits;
    double d;
    float f;
    memcpy(&d, &bits, 8);
    memcpy(&f, &bits32, 4);
    sluice_batch_init(&batch);
    text[*cols[0] == 'd' ? sluice_double_text(d, text) : sluice_float_text(f, text)] = '\0';
    if (strcmp(text, cols[2]) != 0) FAIL("line %d: got %s, wanted %s", line, text, cols[2]);
    struct sluice_value v;
    if (*cols[0] == 'd' && d == d && d - d == 0) { /* and it reads back */
        CHECK(sluice_json_parse(&batch, text, strlen(text), &v, NULL, NULL));
        CHECK_DOUBLE(v.u.d, d);
    }
    sluice_batch_fini(&batch);
}

TEST(numbers_are_written_as_java_does)
{
    CHECK(text_rows("golden/json/numbers.txt", number_row) > 1400);
}

/* ---- ExtractNewRecordState ---- */

/* "key|schema|value key|..." */
static void read_headers(struct sluice_batch *batch, const char *text, struct sluice_record *rec)
{
    if (strcmp(text, "-") == 0) return;
    struct sluice_header *headers = sluice_batch_alloc(batch, 8 * sizeof *headers);
    while (*text) {
        size_t n = strcspn(text, "|");
        headers[rec->headers_len].key = sluice_arena_strndup(&batch->arena, text, n);
        struct text_reader r = {text + n + 1, batch};
        const struct sluice_schema *schema = sluice_schema_intern(text_read_schema(&r));
        sluice_batch_hold(batch, schema);
        sluice_schema_free(schema);
        headers[rec->headers_len].schema = schema;
        CHECK(text_take(&r, "|"));
        headers[rec->headers_len++].value = text_read_value(&r);
        text = r.at + (*r.at == ' ');
    }
    rec->headers = headers;
}

static void write_headers(struct sluice_buf *text, const struct sluice_record *rec)
{
    for (uint32_t i = 0; i < rec->headers_len; i++) {
        sluice_buf_addf(text, "%s%s|", i ? " " : "", rec->headers[i].key);
        text_schema(text, rec->headers[i].schema);
        sluice_buf_adds(text, "|");
        text_value(text, &rec->headers[i].value);
    }
    if (!rec->headers_len) sluice_buf_adds(text, "-");
}

static const struct sluice_schema *read_held(struct sluice_batch *batch, const char *text)
{
    struct text_reader r = {text, batch};
    const struct sluice_schema *description = text_read_schema(&r);
    if (!description) return NULL;
    const struct sluice_schema *schema = sluice_schema_intern(description);
    sluice_batch_hold(batch, schema);
    sluice_schema_free(schema);
    return schema;
}

static void compare(struct sluice_buf *text, int line, const char *want)
{
    check_text(line, text, want);
    sluice_buf_clear(text);
}

/* config, schema, value, headers; then topic, schema, value, headers, key schema, key. */
static void envelope_row(char **cols, int line)
{
    struct fake_host fake;
    struct sluice_batch batch;
    struct sluice_buf text;
    struct sluice_err err = {""};
    sluice_batch_init(&batch);
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    start(&fake, &sluice_extract_new_record_state, cols[1]);
    struct sluice_record *rec = sluice_batch_append(&batch);
    rec->topic = "p.s.t";
    struct text_reader value = {cols[3], &batch}, key = {"(l42,\"n\")", &batch};
    rec->value_schema = read_held(&batch, cols[2]);
    rec->value = text_read_value(&value);
    rec->key_schema = read_held(&batch, "STRUCT[\"id\":INT64,\"name\":?STRING]@\"p.s.t.Key\"");
    rec->key = text_read_value(&key);
    read_headers(&batch, cols[4], rec);
    enum sluice_verdict verdict = fake.plugin->transform->apply(fake.self, &batch, rec, &err);
    if (strcmp(cols[5], "drop") == 0) {
        if (verdict != SLUICE_DROP) FAIL("line %d: not dropped", line);
    } else if (cols[5][0] == '!') {
        CHECK_INT(verdict, SLUICE_FAIL);
        check_error(line, cols[5] + 1, &err);
    } else {
        if (verdict != SLUICE_OK) FAIL("line %d: %s", line, err.msg);
        text_quote(&text, rec->topic, strlen(rec->topic));
        compare(&text, line, cols[5]);
        write_headers(&text, rec);
        compare(&text, line, cols[8]);
        fake_close(&fake); /* what values point to must not need the transform */
        text_schema(&text, rec->value_schema);
        compare(&text, line, cols[6]);
        text_value(&text, &rec->value);
        compare(&text, line, cols[7]);
        text_schema(&text, rec->key_schema);
        compare(&text, line, cols[9]);
        text_value(&text, &rec->key);
        compare(&text, line, cols[10]);
    }
    fake_fini(&fake);
    sluice_buf_fini(&text);
    sluice_batch_fini(&batch);
}

TEST(extract_new_record_state_does_as_debezium)
{
    size_t before = sluice_schema_count();
    CHECK(text_rows("golden/transforms/extract_new_record_state.txt", envelope_row) > 90);
    CHECK_INT(sluice_schema_count(), before);
}
