/* MaskField, RegexRouter, ReplaceField, SetSchemaMetadata, TimestampConverter, TimestampRouter,
 * ValueToKey and the converters of primitives: what the Java classes gave, replayed
 * (tests/golden/java/run.sh). */
#include "base/buf.h"
#include "data/builtins.h"
#include "fake_host.h"
#include "golden/text.h"

static struct sluice_batch batch;
static struct sluice_buf text;
static struct sluice_err err;

static const struct sluice_plugin *plugin_of(const char *class)
{
    for (const struct sluice_plugin *const *one = sluice_builtins(); *one; one++) {
        const char *const *aliases = (*one)->aliases;
        if (aliases && *aliases && strcmp(strrchr(*aliases, '.') + 1, class) == 0) return *one;
    }
    FAIL("there is no %s", class);
}

/* Either says all that the other says. */
static void check_error(int line, const char *got, const char *want)
{
    size_t n = strlen(got);
    bool part = strstr(got, want) || strstr(want, got);
    if (!part && n > 30) part = strncmp(got, want, n - 30) == 0; /* Java's cut at other places */
    if (!part) FAIL("line %d:\n got  %s\n want %s", line, got, want);
}

static void check_text(int line, const char *want)
{
    if (strcmp(sluice_buf_str(&text), want) != 0) {
        FAIL("line %d:\n got  %s\n want %s", line, sluice_buf_str(&text), want);
    }
    sluice_buf_clear(&text);
}

static void check_record(char **cols, int line, const struct sluice_record *rec, bool key,
                         const struct sluice_schema *before)
{
    const struct sluice_schema *schema = key ? rec->key_schema : rec->value_schema;
    text_quote(&text, rec->topic, strlen(rec->topic));
    check_text(line, cols[6]);
    if (strcmp(cols[7], "same") == 0) CHECK(schema == before);
    else {
        text_schema(&text, schema);
        check_text(line, cols[7]);
    }
    text_value(&text, key ? &rec->key : &rec->value);
    check_text(line, cols[8]);
    if (!*cols[9]) return;
    text_schema(&text, rec->key_schema);
    check_text(line, cols[9]);
    text_value(&text, &rec->key);
    check_text(line, cols[10]);
}

static void smt_row(char **cols, int line)
{
    struct fake_host fake;
    const struct sluice_plugin *plugin = plugin_of(cols[0]);
    bool key = strstr(cols[0], "$Key") != NULL;
    sluice_batch_reset(&batch);
    fake_init(&fake, plugin, NULL);
    fake_configure(&fake, cols[1]);
    if (fake_open(&fake) != SLUICE_OK) {
        if (*cols[6] != '!') FAIL("line %d: cannot open: %s", line, fake.err.msg);
        check_error(line, fake.err.msg, cols[6] + 1);
        fake_fini(&fake);
        return;
    }
    struct text_reader topic = {cols[2], &batch}, schema_text = {cols[4], &batch};
    const struct sluice_schema *description = text_read_schema(&schema_text);
    const struct sluice_schema *schema = description ? sluice_schema_intern(description) : NULL;
    const char *name = text_string(&topic, NULL);
    for (int again = 0; again < 2; again++) { /* the second time with a plan at hand */
        struct text_reader value_text = {cols[5], &batch};
        struct sluice_record rec = {.topic = name, .timestamp_ms = SLUICE_NO_TIMESTAMP};
        if (strcmp(cols[3], "null") != 0) rec.timestamp_ms = strtoll(cols[3], NULL, 10);
        *(key ? &rec.key_schema : &rec.value_schema) = schema;
        *(key ? &rec.key : &rec.value) = text_read_value(&value_text);
        enum sluice_verdict verdict = plugin->transform->apply(fake.self, &batch, &rec, &err);
        if (*cols[6] == '!') {
            if (verdict != SLUICE_FAIL) FAIL("line %d: no error, wanted %s", line, cols[6]);
            check_error(line, err.msg, cols[6] + 1);
            continue;
        }
        if (verdict != SLUICE_OK) FAIL("line %d: %s", line, err.msg);
        check_record(cols, line, &rec, key, schema);
    }
    sluice_schema_free(schema);
    fake_fini(&fake);
}

static size_t replay(const char *path, void (*row)(char **cols, int line))
{
    size_t before = sluice_schema_count();
    sluice_batch_init(&batch);
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    size_t n = text_rows(path, row);
    sluice_batch_fini(&batch);
    sluice_buf_fini(&text);
    CHECK_INT(sluice_schema_count(), before);
    return n;
}

TEST(fields_are_masked_and_replaced_as_java_does)
{
    CHECK(replay("golden/transforms/mask_and_replace.txt", smt_row) > 900);
}

TEST(times_keys_and_topics_are_made_as_java_does)
{
    CHECK(replay("golden/transforms/times_keys_topics.txt", smt_row) > 1200);
}

/* ---- converters ---- */

static void encode_row(struct fake_host *fake, char **cols, int line)
{
    bool null = false;
    struct sluice_buf out;
    struct text_reader schema_text = {cols[2], &batch}, value_text = {cols[3], &batch};
    const struct sluice_schema *schema = text_read_schema(&schema_text);
    struct sluice_value v = text_read_value(&value_text);
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    enum sluice_verdict verdict =
        fake->plugin->converter->encode(fake->self, "t", NULL, schema, &v, &out, &null, &err);
    if (*cols[4] == '!') {
        if (verdict != SLUICE_FAIL) FAIL("line %d: no error, wanted %s", line, cols[4]);
        if (!strstr(cols[4], "ImmutableCollections")) check_error(line, err.msg, cols[4] + 1);
    } else {
        if (verdict != SLUICE_OK) FAIL("line %d: %s", line, err.msg);
        if (null) sluice_buf_adds(&text, "-");
        else text_octets(&text, out.data, out.len);
        check_text(line, cols[4]);
    }
    sluice_buf_fini(&out);
}

static void converter_row(char **cols, int line)
{
    struct fake_host fake;
    size_t len = 0;
    sluice_batch_reset(&batch);
    fake_init(&fake, plugin_of(cols[1]), NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    if (strcmp(cols[0], "encode") == 0) {
        encode_row(&fake, cols, line);
        fake_fini(&fake);
        return;
    }
    const struct sluice_schema *schema;
    struct sluice_value v;
    char *data = text_read_octets(cols[2], &len);
    enum sluice_verdict verdict =
        fake.plugin->converter->decode(fake.self, &batch, "t", "h", data, len, &schema, &v, &err);
    if (*cols[3] == '!') {
        if (verdict != SLUICE_FAIL) FAIL("line %d: no error, wanted %s", line, cols[3]);
        check_error(line, err.msg, cols[3] + 1);
    } else {
        if (verdict != SLUICE_OK) FAIL("line %d: %s", line, err.msg);
        text_schema(&text, schema);
        check_text(line, cols[3]);
        text_value(&text, &v);
        check_text(line, cols[4]);
    }
    free(data);
    fake_fini(&fake);
}

TEST(primitives_are_converted_as_java_does)
{
    CHECK(replay("golden/transforms/primitive_converters.txt", converter_row) > 600);
}

/* ---- beyond the vectors ---- */

static const char *refused(const struct sluice_plugin *plugin, const char *config)
{
    struct fake_host fake;
    static struct sluice_err last;
    fake_init(&fake, plugin, NULL);
    fake_configure(&fake, config);
    if (fake_open(&fake) == SLUICE_OK) FAIL("%s was taken", config);
    last = fake.err;
    fake_fini(&fake);
    return last.msg;
}

TEST(wrong_patterns_and_options_are_refused)
{
    CHECK_HAS(refused(&sluice_timestamp_converter_value, "target.type=string;format=bad"),
              "Illegal pattern character 'b'");
    CHECK_HAS(refused(&sluice_timestamp_converter_value, "target.type=string;format= "),
              "requires format option");
    CHECK_HAS(refused(&sluice_timestamp_converter_value, "target.type=time"), "target.type");
    CHECK_HAS(refused(&sluice_timestamp_router, "timestamp.format=yyyy'"), "Unterminated quote");
    CHECK_HAS(refused(&sluice_regex_router, "regex=[;replacement=x"), "Unclosed character class");
    CHECK_HAS(refused(&sluice_regex_router, "regex=x"), "replacement");
    CHECK_HAS(refused(&sluice_mask_field_value, "replacement=x"), "fields");
    CHECK_HAS(refused(&sluice_set_schema_metadata_key, "schema.version=x"), "schema.version");
}

static enum sluice_verdict route(struct fake_host *fake, struct sluice_record *rec)
{
    return fake->plugin->transform->apply(fake->self, &batch, rec, &err);
}

TEST(records_that_only_move_the_position_pass)
{
    struct fake_host fake;
    struct sluice_record rec = {.timestamp_ms = SLUICE_NO_TIMESTAMP};
    sluice_batch_init(&batch);
    fake_init(&fake, &sluice_timestamp_router, NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK_INT(route(&fake, &rec), SLUICE_OK);
    rec.topic = "t";
    CHECK_INT(route(&fake, &rec), SLUICE_FAIL);
    CHECK_HAS(err.msg, "Timestamp missing on record: topic t");
    fake_fini(&fake);
    fake_init(&fake, &sluice_regex_router, "regex", "(x+x+)+y?", "replacement", "z", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    rec.topic = NULL;
    CHECK_INT(route(&fake, &rec), SLUICE_OK);
    char topic[250];
    memset(topic, 'x', sizeof topic);
    memcpy(topic + sizeof topic - 2, "!", 2);
    rec.topic = topic; /* steps without end: an error, not a hang */
    CHECK_INT(route(&fake, &rec), SLUICE_FAIL);
    CHECK_HAS(err.msg, "too many steps");
    fake_fini(&fake);
    sluice_batch_fini(&batch);
}
