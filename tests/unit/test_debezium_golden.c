/* What Debezium's transforms made of change events (tests/golden/java/run.sh: DebeziumVectors),
 * replayed. Where sluice does otherwise, differs() says so line by line, with the reason;
 * docs/internals/transforms.md lists them. */
#include "golden/smt.h"

#define SCHEMAS_MAX 4000

static char *schemas[SCHEMAS_MAX];
static int schemas_n, rows;

static const struct sluice_plugin *find(const char *class)
{
    const struct sluice_plugin *const *all = sluice_builtins();
    for (; *all; all++) {
        for (const char *const *alias = (*all)->aliases; *alias; alias++) {
            const char *dot = strrchr(*alias, '.');
            if (strncmp(*alias, "io.debezium.", 12) == 0 && dot && strcmp(dot + 1, class) == 0) {
                return *all;
            }
        }
    }
    FAIL("there is no %s", class);
}

static const struct sluice_schema *schema_of(struct sluice_batch *batch, const char *number)
{
    if (strcmp(number, "-") == 0) return NULL;
    int n = (int)strtol(number, NULL, 10);
    CHECK(n >= 0 && n < schemas_n);
    struct text_reader r = {schemas[n], batch};
    return smt_read_schema(batch, &r);
}

/* topic|partition|timestamp */
static void read_meta(struct sluice_batch *batch, const char *text, struct sluice_record *rec)
{
    size_t n = strcspn(text, "|");
    rec->topic = sluice_arena_strndup(&batch->arena, text, n);
    rec->partition =
        text[n + 1] == '-' ? SLUICE_ANY_PARTITION : (int32_t)strtol(text + n + 1, NULL, 10);
    const char *at = strrchr(text, '|') + 1;
    rec->timestamp_ms = *at == '-' ? SLUICE_NO_TIMESTAMP : strtoll(at, NULL, 10);
}

static void write_meta(struct sluice_buf *text, const struct sluice_record *rec)
{
    sluice_buf_addf(text, "%s|", rec->topic);
    if (rec->partition == SLUICE_ANY_PARTITION) sluice_buf_adds(text, "-|");
    else sluice_buf_addf(text, "%d|", (int)rec->partition);
    if (rec->timestamp_ms == SLUICE_NO_TIMESTAMP) sluice_buf_adds(text, "-");
    else sluice_buf_addf(text, "%lld", (long long)rec->timestamp_ms);
}

static bool has(const char *text, const char *piece) { return strstr(text, piece) != NULL; }

/* Whether this line is one where sluice does otherwise, on purpose. ours: its outcome. */
static bool on_purpose(char **cols, const char *ours)
{
    const char *class = cols[0], *config = cols[1], *java = cols[8];
    /* a field that a null row would not have either is left out, not an error */
    if (strcmp(class, "PartitionRouting") == 0) {
        return has(java, "Unprocessable message") && has(config, "after.nope") && *ours == 'p';
    }
    if (strcmp(class, "EventRouter") == 0) {
        /* Debezium finds out with the first insert */
        if (has(config, "type:nowhere")) return has(ours, "?table.fields.additional.placement");
        /* an array is expanded too, where Debezium gives its schema to the text */
        return has(cols[6], "\"[1,2]\"") && has(ours, "?ARRAY[?INT32]") && has(ours, "[i1,i2]");
    }
    /* tombstones and records without a schema pass, where Debezium looks at the schema's name */
    if (strcmp(class, "DecodeLogicalDecodingMessageContent") == 0) {
        return strcmp(cols[5], "-") == 0 && has(java, "is null") && *ours == 'p';
    }
    /* statements are no expressions */
    return has(config, "condition=if (true)") && has(ours, "?cannot read condition at character 1");
}

/* The outcome as the line's last columns would have it. */
static void outcome(struct sluice_buf *text, struct fake_host *fake, struct sluice_batch *batch,
                    struct sluice_record *rec)
{
    struct sluice_err err = {""};
    struct sluice_record again = *rec;
    switch (fake->plugin->transform->apply(fake->self, batch, rec, &err)) {
    case SLUICE_DROP: sluice_buf_adds(text, "drop"); return;
    case SLUICE_FAIL: sluice_buf_addf(text, "!%s", err.msg); return;
    default: break;
    }
    *rec = again; /* now with plans */
    CHECK_INT(fake->plugin->transform->apply(fake->self, batch, rec, &err), SLUICE_OK);
    smt_write_headers(text, rec);
    char *headers = sluice_arena_strndup(&batch->arena, text->data, text->len);
    sluice_buf_clear(text);
    fake_close(fake); /* what values point to must not need the transform */
    write_meta(text, rec);
    sluice_buf_adds(text, "\t");
    text_schema(text, rec->key_schema);
    sluice_buf_adds(text, "\t");
    text_value(text, &rec->key);
    sluice_buf_adds(text, "\t");
    text_schema(text, rec->value_schema);
    sluice_buf_adds(text, "\t");
    text_value(text, &rec->value);
    sluice_buf_addf(text, "\t%s", headers);
}

static const char *schema_text(const char *number)
{
    return strcmp(number, "-") == 0 ? "-" : schemas[(int)strtol(number, NULL, 10)];
}

/* The same form of what Java gave. */
static void wanted(struct sluice_buf *text, char **cols)
{
    if (!cols[9][0]) {
        sluice_buf_adds(text, cols[8]);
        return;
    }
    sluice_buf_addf(text, "%s\t%s\t%s\t%s\t%s\t%s", smt_or(cols[8], cols[2]),
                    schema_text(smt_or(cols[9], cols[3])), smt_or(cols[10], cols[4]),
                    schema_text(smt_or(cols[11], cols[5])), smt_or(cols[12], cols[6]),
                    smt_or(cols[13], cols[7]));
}

static void row(char **cols, int line)
{
    if (strcmp(cols[0], "schema") == 0) {
        CHECK(schemas_n < SCHEMAS_MAX);
        schemas[schemas_n++] = cols[1];
        return;
    }
    struct fake_host fake;
    struct sluice_batch batch;
    struct sluice_buf got, want;
    sluice_batch_init(&batch);
    sluice_buf_init(&got, SLUICE_BUF_MAX);
    sluice_buf_init(&want, SLUICE_BUF_MAX);
    fake_init(&fake, find(cols[0]), NULL);
    fake_configure(&fake, cols[1]);
    struct sluice_record *rec = sluice_batch_append(&batch);
    struct text_reader key = {cols[4], &batch}, value = {cols[6], &batch};
    read_meta(&batch, cols[2], rec);
    rec->key_schema = schema_of(&batch, cols[3]);
    rec->key = text_read_value(&key);
    rec->value_schema = schema_of(&batch, cols[5]);
    rec->value = text_read_value(&value);
    smt_read_headers(&batch, cols[7], rec);
    if (fake_open(&fake) != SLUICE_OK) sluice_buf_addf(&got, "?%s", fake.err.msg);
    else outcome(&got, &fake, &batch, rec);
    wanted(&want, cols);
    const char *ours = sluice_buf_str(&got), *java = sluice_buf_str(&want);
    bool failed = *ours == '!' || *ours == '?';
    bool same = failed ? *java == '!' || *java == '?' : strcmp(ours, java) == 0;
    rows++;
    if (!same && !on_purpose(cols, ours)) {
        FAIL("line %d: %s %s\n got  %s\n want %s", line, cols[0], cols[1], ours, java);
    }
    fake_fini(&fake);
    sluice_buf_fini(&got);
    sluice_buf_fini(&want);
    sluice_batch_fini(&batch);
}

static void replay(const char *file, int at_least)
{
    char path[128];
    size_t before = sluice_schema_count();
    schemas_n = rows = 0;
    snprintf(path, sizeof path, "golden/transforms/debezium_%s.txt", file);
    (void)smt_replay;
    text_rows(path, row);
    CHECK(rows >= at_least);
    CHECK_INT(sluice_schema_count(), before);
}

TEST(partition_routing_and_changed_state_do_as_debezium) { replay("partitions", 780); }
TEST(logical_tables_and_header_to_value_do_as_debezium) { replay("tables", 500); }
TEST(event_router_does_as_debezium) { replay("outbox", 455); }
TEST(logical_messages_do_as_debezium) { replay("messages", 380); }
TEST(timezone_converter_does_as_debezium) { replay("zones", 500); }
TEST(expressions_do_as_groovy) { replay("scripts", 700); }
