/* debezium_logical_table.c - io.debezium.transforms.ByLogicalTableRouter: change events of several
 * tables to one topic, with a field in the key that tells the tables apart.
 *
 * All that depends on a topic and its two schemas is worked out once and kept. Owner: one task's
 * thread. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/java_regex.h"
#include "data/transforms/debezium.h"

#define TABLES_MIN 1000
#define KEY_BYTES ((size_t)1 << 16)

struct router {
    struct sluice_task *task;
    const struct sluice_host *host;
    struct sluice_java_regex *topic, *key; /* key may be NULL */
    char *topic_replacement, *key_replacement, *key_field;
    bool unique;
    enum dbz_adjust adjust;
    struct sluice_lru tables;
    struct sluice_buf lookup, text;
    const struct sluice_schema *string; /* held */
};

struct table {
    struct sluice_lru_node node;
    const struct sluice_schema *key_in, *value_in, *key_out, *value_out; /* held; may be NULL */
    char *topic; /* NULL: leave the record alone */
    char *name;  /* of the physical table */
    char key[];
};

/* ---- tables ---- */

static void table_drop(struct sluice_lru_node *node)
{
    struct table *table = (struct table *)node;
    sluice_schema_free(table->key_in);
    sluice_schema_free(table->value_in);
    sluice_schema_free(table->key_out);
    sluice_schema_free(table->value_out);
    free(table->topic);
    free(table->name);
    free(table);
}

/* The text replaced where it matches as a whole: a new string; NULL with an empty err: no match. */
static char *replace(struct router *self, struct sluice_java_regex *regex, const char *replacement,
                     const char *text, struct sluice_err *err)
{
    size_t len = strlen(text);
    err->msg[0] = '\0';
    if (sluice_java_regex_matches(regex, text, len, err) != SLUICE_MATCH_YES) return NULL;
    sluice_buf_clear(&self->text);
    if (sluice_java_regex_replace(regex, text, len, replacement, false, &self->text, err) ==
        SLUICE_MATCH_FAILED) {
        return NULL;
    }
    return sluice_xstrdup(sluice_buf_str(&self->text));
}

/* A copy of the schema named "<topic><suffix>"; its fields may change before it is built. */
static bool renamed(struct router *self, const struct table *table, const char *suffix,
                    const struct sluice_schema *from, struct smt_builder *builder,
                    struct sluice_err *err)
{
    char *name = sluice_xasprintf("%s%s", table->topic, suffix);
    sluice_buf_clear(&self->text);
    bool ok = dbz_adjust_name(&self->text, self->adjust, false, name, strlen(name));
    free(name);
    smt_build(builder, from);
    if (!ok) return sluice_err_set(err, "the schema's name is too long");
    builder->schema.name = sluice_buf_str(&self->text);
    builder->schema.optional = from->optional;
    return smt_build_fields(builder, from, err);
}

static const struct sluice_schema *finish(struct smt_builder *builder, bool ok)
{
    if (ok) return smt_build_done(builder);
    smt_build_fini(builder);
    return NULL;
}

static bool make_key(struct router *self, struct table *table, struct sluice_err *err)
{
    struct smt_builder builder;
    bool ok = renamed(self, table, ".Key", table->key_in, &builder, err);
    if (ok && self->unique) ok = smt_build_field(&builder, self->key_field, self->string, err);
    table->key_out = finish(&builder, ok);
    return ok;
}

static bool make_envelope(struct router *self, struct table *table, struct sluice_err *err)
{
    struct smt_builder builder;
    const struct sluice_schema *in = table->value_in, *rows[2] = {NULL, NULL};
    const int at[2] = {dbz_field(in, "before"), dbz_field(in, "after")};
    bool ok = at[0] >= 0 && in->fields[at[0]].schema->type == SLUICE_STRUCT;
    if (!ok) {
        return sluice_err_set(err, "the change event %s has no row in a field before", in->name);
    }
    for (int i = 0; ok && i < 2; i++) {
        const struct sluice_schema *row = at[i] < 0 ? NULL : in->fields[at[i]].schema;
        if (!row || row->type != SLUICE_STRUCT) continue;
        ok = renamed(self, table, ".Value", row, &builder, err);
        rows[i] = finish(&builder, ok);
        ok = ok && rows[i];
    }
    if (ok) {
        ok = renamed(self, table, ".Envelope", in, &builder, err);
        for (int i = 0; ok && i < 2; i++) {
            if (rows[i]) builder.fields[at[i]].schema = rows[i];
        }
        table->value_out = finish(&builder, ok);
    }
    sluice_schema_free(rows[0]);
    sluice_schema_free(rows[1]);
    return ok;
}

/* What becomes of this topic with these schemas. */
static bool fill_table(struct router *self, const char *topic, struct table *table,
                       struct sluice_err *err)
{
    table->topic = replace(self, self->topic, self->topic_replacement, topic, err);
    if (!table->topic) return !err->msg[0];
    if (!*table->topic) {
        self->host->log(self->task, SLUICE_WARN,
                        "topic.regex makes an empty name of topic %s, whose records pass as they "
                        "are",
                        topic);
        free(table->topic);
        table->topic = NULL;
        return true;
    }
    if (self->key) {
        table->name = replace(self, self->key, self->key_replacement, topic, err);
        if (!table->name && err->msg[0]) return false;
    }
    if (!table->name) table->name = sluice_xstrdup(topic);
    if (table->key_in && !make_key(self, table, err)) return false;
    return !table->value_in || make_envelope(self, table, err);
}

static struct table *table_of(struct router *self, const struct sluice_record *rec,
                              struct sluice_err *err)
{
    const char *topic = rec->topic ? rec->topic : "";
    bool envelope = dbz_is_envelope(rec), keyed = rec->key.type != SLUICE_NULL;
    const struct sluice_schema *schemas[2] = {keyed ? rec->key_schema : NULL,
                                              envelope ? rec->value_schema : NULL};
    sluice_buf_clear(&self->lookup);
    if (!sluice_buf_add(&self->lookup, schemas, sizeof schemas) ||
        !sluice_buf_adds(&self->lookup, topic)) {
        sluice_err_set(err, "the topic's name is too long");
        return NULL;
    }
    size_t len = self->lookup.len;
    struct sluice_lru_node *node = sluice_lru_get(&self->tables, self->lookup.data, len);
    if (node) return (struct table *)node;
    struct table *table = sluice_xcalloc(1, sizeof *table + len);
    memcpy(table->key, self->lookup.data, len);
    table->node.key = table->key;
    table->node.key_len = len;
    table->node.bytes = sizeof *table + len;
    table->key_in = sluice_schema_hold(schemas[0]);
    table->value_in = sluice_schema_hold(schemas[1]);
    if (table->key_in && table->key_in->type != SLUICE_STRUCT) {
        sluice_schema_free(table->key_in); /* what no struct is, is refused where it is seen */
        table->key_in = NULL;
    }
    if (!fill_table(self, topic, table, err)) {
        sluice_err_wrap(err, "cannot route records of topic %s", topic);
        table_drop(&table->node);
        return NULL;
    }
    sluice_lru_put(&self->tables, &table->node);
    return table;
}

/* ---- records ---- */

static bool set_key(struct router *self, struct sluice_batch *batch, const struct table *table,
                    struct sluice_record *rec, struct sluice_err *err)
{
    if (!smt_require_struct(rec->key_schema, &rec->key, "Updating schema", err)) return false;
    size_t n = rec->key.len;
    struct sluice_value *values = sluice_batch_alloc(batch, (n + 1) * sizeof *values);
    if (!smt_put_all(values, rec->key.u.v, table->key_out->fields, n, false, err)) return false;
    if (self->unique) {
        size_t len = strlen(table->name);
        values[n++] = sluice_string(sluice_arena_strndup(&batch->arena, table->name, len), len);
    }
    sluice_batch_hold(batch, table->key_out);
    rec->key_schema = table->key_out;
    rec->key = sluice_nested(SLUICE_STRUCT, values, n);
    return true;
}

static bool set_value(struct sluice_batch *batch, const struct table *table,
                      struct sluice_record *rec, struct sluice_err *err)
{
    if (!smt_require_struct(rec->value_schema, &rec->value, "Updating schema", err)) return false;
    size_t n = rec->value.len;
    assert(table->value_out->fields_len == n);
    struct sluice_value *values = sluice_batch_alloc(batch, n * sizeof *values);
    for (size_t i = 0; i < n; i++) {
        const struct sluice_schema *in = table->value_in->fields[i].schema;
        if (!smt_put(&values[i], &rec->value.u.v[i], in, &table->value_out->fields[i], true, err)) {
            return false;
        }
    }
    sluice_batch_hold(batch, table->value_in); /* defaults may be its */
    sluice_batch_hold(batch, table->value_out);
    rec->value_schema = table->value_out;
    rec->value = sluice_nested(SLUICE_STRUCT, values, n);
    return true;
}

static enum sluice_verdict apply(void *state, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct router *self = state;
    const struct table *table = table_of(self, rec, err);
    if (!table) return SLUICE_FAIL;
    if (!table->topic) return SLUICE_OK;
    assert(table->name);
    if (rec->key.type == SLUICE_NULL) rec->key_schema = NULL;
    else if (!set_key(self, batch, table, rec, err)) return SLUICE_FAIL;
    if (table->value_out && !set_value(batch, table, rec, err)) return SLUICE_FAIL;
    rec->topic = sluice_arena_strndup(&batch->arena, table->topic, strlen(table->topic));
    return SLUICE_OK;
}

/* ---- the plugin ---- */

static char *given(const struct sluice_host *host, const struct sluice_conf *conf, const char *key)
{
    const char *text = host->str(conf, key);
    return text && *text ? sluice_xstrdup(text) : NULL;
}

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **state,
                                struct sluice_err *err)
{
    struct router *self = sluice_xcalloc(1, sizeof *self);
    struct sluice_schema string = {.type = SLUICE_STRING};
    *state = self;
    self->task = task;
    self->host = host;
    self->string = sluice_schema_intern(&string);
    int64_t tables = host->num(conf, "logical.table.cache.size");
    sluice_lru_init(&self->tables, tables > TABLES_MIN ? (size_t)tables : TABLES_MIN, SIZE_MAX,
                    table_drop);
    sluice_buf_init(&self->lookup, KEY_BYTES);
    sluice_buf_init(&self->text, KEY_BYTES);
    self->unique = host->flag(conf, "key.enforce.uniqueness");
    self->adjust = dbz_adjust_of(host->str(conf, "schema.name.adjustment.mode"));
    self->key_field = sluice_xstrdup(host->str(conf, "key.field.name"));
    self->topic_replacement = sluice_xstrdup(host->str(conf, "topic.replacement"));
    self->key_replacement = given(host, conf, "key.field.replacement");
    const char *regex = host->str(conf, "topic.regex"), *key = host->str(conf, "key.field.regex");
    self->topic = sluice_java_regex_new(regex, 0, err);
    if (!self->topic) {
        sluice_err_wrap(err, "topic.regex %s", regex);
        return SLUICE_FAIL;
    }
    if (!key || !*key) return SLUICE_OK;
    if (!self->key_replacement) {
        return sluice_fail(err,
                           "key.field.replacement must be non-empty if key.field.regex is set");
    }
    self->key = sluice_java_regex_new(key, 0, err);
    if (self->key) return SLUICE_OK;
    sluice_err_wrap(err, "key.field.regex %s", key);
    return SLUICE_FAIL;
}

static void close(void *state)
{
    struct router *self = state;
    if (!self) return;
    sluice_lru_fini(&self->tables);
    sluice_buf_fini(&self->lookup);
    sluice_buf_fini(&self->text);
    sluice_java_regex_free(self->topic);
    sluice_java_regex_free(self->key);
    sluice_schema_free(self->string);
    free(self->topic_replacement);
    free(self->key_replacement);
    free(self->key_field);
    free(self);
}

static void validate(const struct sluice_host *host, const struct sluice_conf *conf,
                     struct sluice_report *report)
{
    const char *regex = host->str(conf, "key.field.regex");
    const char *replacement = host->str(conf, "key.field.replacement");
    if (regex && *regex && !(replacement && *replacement)) {
        host->finding(report, "key.field.replacement",
                      "key.field.replacement must be non-empty if key.field.regex is set.");
    }
}

static const struct sluice_option options[] = {
    {"topic.regex", SLUICE_OPT_STRING, SLUICE_LOW, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL,
     NULL, NULL, "What a topic must match as a whole for its records to be routed."},
    {"topic.replacement", SLUICE_OPT_STRING, SLUICE_LOW, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY,
     NULL, NULL, NULL, "The new topic, with groups of topic.regex as $1 or ${name}."},
    {"key.enforce.uniqueness", SLUICE_OPT_BOOLEAN, SLUICE_LOW, 0, "true", NULL, NULL,
     "Whether the key gets a field with the name of the table that the record is from."},
    {"key.field.name", SLUICE_OPT_STRING, SLUICE_LOW, 0, "__dbz__physicalTableIdentifier", NULL,
     NULL, "The name of that field."},
    {"key.field.regex", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, NULL, NULL,
     "What the old topic must match as a whole for key.field.replacement to be that field's value; "
     "else the value is the old topic."},
    {"key.field.replacement", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, NULL, NULL,
     "That value, with groups of key.field.regex."},
    {"schema.name.adjustment.mode", SLUICE_OPT_STRING, SLUICE_LOW, SLUICE_OPT_NOCASE, "none",
     "none|avro|avro_unicode", NULL,
     "How schema names made of the new topic are changed to be valid in Avro."},
    {"logical.table.cache.size", SLUICE_OPT_INT, SLUICE_LOW, 0, "16", "1..1000000", NULL,
     "How many tables' schemas are kept; at least 1000 are."},
    {0},
};

DBZ_PLUGIN(debezium_logical_table_router, "by-logical-table-router", validate,
           "io.debezium.transforms.ByLogicalTableRouter", "ByLogicalTableRouter");
