/* insert_field.c - org.apache.kafka.connect.transforms.InsertField: where a record is from, its
 * timestamp or a fixed text as fields of its key or value. Owner: the transform's task. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/transforms/smt_plugin.h"

#define PURPOSE "field insertion"

/* In the order in which fields are added. */
enum what { TOPIC, PARTITION, OFFSET, TIMESTAMP, STATIC, WHATS };

struct insertion {
    char *name; /* NULL: not asked for */
    size_t len;
    bool required;
};

struct insert {
    struct smt smt;
    struct insertion fields[WHATS];
    size_t n; /* asked for */
    char *text;
};

static const struct sluice_schema schemas[WHATS][2] = {
    [TOPIC] = {{.type = SLUICE_STRING, .optional = true}, {.type = SLUICE_STRING}},
    [PARTITION] = {{.type = SLUICE_INT32, .optional = true}, {.type = SLUICE_INT32}},
    [OFFSET] = {{.type = SLUICE_INT64, .optional = true}, {.type = SLUICE_INT64}},
    [TIMESTAMP] = {{.type = SLUICE_INT64,
                    .optional = true,
                    .has_version = true,
                    .version = 1,
                    .name = "org.apache.kafka.connect.data.Timestamp"},
                   {.type = SLUICE_INT64,
                    .has_version = true,
                    .version = 1,
                    .name = "org.apache.kafka.connect.data.Timestamp"}},
    [STATIC] = {{.type = SLUICE_STRING, .optional = true}, {.type = SLUICE_STRING}},
};

/* What the record has; a NULL value is left out of maps and is null in structs, as it is in Java
 * even where the field is required. */
static bool value_of(const struct insert *insert, enum what what, struct sluice_batch *batch,
                     const struct sluice_record *rec, struct sluice_value *v,
                     struct sluice_err *err)
{
    *v = sluice_null();
    switch (what) {
    case TOPIC:
        if (rec->topic) *v = sluice_string(rec->topic, strlen(rec->topic));
        return true;
    case PARTITION:
        if (rec->partition >= 0) *v = sluice_int32(rec->partition);
        return true;
    case OFFSET: /* only a consumed record knows where it came from */
        if (!rec->origin_topic) {
            return sluice_err_set(err, "Only SinkRecord supported for [" PURPOSE "], found: "
                                       "org.apache.kafka.connect.source.SourceRecord");
        }
        *v = sluice_int64(rec->offset);
        return true;
    case TIMESTAMP:
        if (rec->timestamp_ms != SLUICE_NO_TIMESTAMP) *v = sluice_int64(rec->timestamp_ms);
        return true;
    case STATIC: {
        size_t len = strlen(insert->text);
        *v = sluice_string(smt_text(batch, insert->text, len), len);
        return true;
    }
    case WHATS: break;
    }
    return true;
}

static const struct smt_plan *plan_of(struct insert *insert, const struct sluice_schema *in,
                                      struct sluice_err *err)
{
    struct smt_plan *plan = smt_plan_find(&insert->smt, in);
    if (plan) return plan;
    struct smt_builder builder;
    smt_build(&builder, in);
    bool ok = smt_build_fields(&builder, in, err);
    for (int i = 0; ok && i < WHATS; i++) {
        const struct insertion *field = &insert->fields[i];
        if (field->name) {
            ok = smt_build_field(&builder, field->name, &schemas[i][field->required], err);
        }
    }
    if (ok) {
        plan = sluice_xcalloc(1, sizeof *plan);
        smt_plan_put(&insert->smt, plan, in, smt_build_done(&builder));
    }
    smt_build_fini(&builder);
    return plan;
}

static bool apply_struct(struct insert *insert, struct sluice_batch *batch,
                         struct sluice_record *rec, struct smt_side side, struct sluice_err *err)
{
    if (!smt_require_struct(*side.schema, side.value, PURPOSE, err)) return false;
    const struct smt_plan *plan = plan_of(insert, *side.schema, err);
    if (!plan) return false;
    size_t n = plan->in->fields_len;
    struct sluice_value *to = sluice_batch_alloc(batch, (n + insert->n) * sizeof *to);
    if (!smt_put_all(to, side.value->u.v, plan->out->fields, n, insert->smt.replace_null, err)) {
        return false;
    }
    for (int i = 0; i < WHATS; i++) {
        if (!insert->fields[i].name) continue;
        if (!value_of(insert, (enum what)i, batch, rec, &to[n++], err)) return false;
    }
    assert(n == plan->out->fields_len);
    smt_set(batch, side, plan->out, sluice_nested(SLUICE_STRUCT, to, n));
    return true;
}

static bool apply_map(const struct insert *insert, struct sluice_batch *batch,
                      struct sluice_record *rec, struct smt_side side, struct sluice_err *err)
{
    if (!smt_require_map(NULL, side.value, PURPOSE, err)) return false;
    assert(insert->n > 0 && insert->n <= WHATS);
    struct smt_map map = smt_map_copy(batch, side.value, insert->n);
    for (int i = 0; i < WHATS; i++) {
        const struct insertion *field = &insert->fields[i];
        struct sluice_value v;
        if (!field->name) continue;
        if (!value_of(insert, (enum what)i, batch, rec, &v, err)) return false;
        if (v.type == SLUICE_NULL) continue;
        smt_map_put(&map, smt_text(batch, field->name, field->len), field->len, v);
    }
    *side.value = smt_map_value(&map);
    return true;
}

static enum sluice_verdict apply(void *self, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct insert *insert = self;
    struct smt_side side = smt_side(&insert->smt, rec);
    if (side.value->type == SLUICE_NULL) return SLUICE_OK;
    bool ok = *side.schema ? apply_struct(insert, batch, rec, side, err)
                           : apply_map(insert, batch, rec, side, err);
    return ok ? SLUICE_OK : SLUICE_FAIL;
}

/* ---- the plugin ---- */

/* "name", "name?" or "name!". */
static void read_insertion(struct insert *insert, enum what what, const char *spec)
{
    if (!spec) return;
    struct insertion *field = &insert->fields[what];
    field->len = strlen(spec);
    field->required = field->len && spec[field->len - 1] == '!';
    if (field->required || (field->len && spec[field->len - 1] == '?')) field->len--;
    field->name = sluice_xstrndup(spec, field->len);
    insert->n++;
}

static enum sluice_verdict open(enum smt_form form, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    struct insert *insert = sluice_xcalloc(1, sizeof *insert);
    *self = insert;
    smt_init(&insert->smt, form, NULL);
    insert->smt.replace_null = host->flag(conf, "replace.null.with.default");
    read_insertion(insert, TOPIC, host->str(conf, "topic.field"));
    read_insertion(insert, PARTITION, host->str(conf, "partition.field"));
    read_insertion(insert, OFFSET, host->str(conf, "offset.field"));
    read_insertion(insert, TIMESTAMP, host->str(conf, "timestamp.field"));
    read_insertion(insert, STATIC, host->str(conf, "static.field"));
    insert->text = sluice_xstrdup(host->str(conf, "static.value"));
    if (insert->n == 0) {
        return sluice_fail(err, "No field insertion configured: give at least one of topic.field, "
                                "partition.field, offset.field, timestamp.field and static.field");
    }
    if (insert->fields[STATIC].name && !insert->text) {
        return sluice_fail(err,
                           "Invalid value null for configuration static.value: No value "
                           "specified for static field: %s",
                           insert->fields[STATIC].name);
    }
    return SLUICE_OK;
}

static void close(void *self)
{
    struct insert *insert = self;
    if (!insert) return;
    smt_fini(&insert->smt);
    for (int i = 0; i < WHATS; i++) free(insert->fields[i].name);
    free(insert->text);
    free(insert);
}

#define FIELD_ROW(key, what)                                                                       \
    {                                                                                              \
        key, SLUICE_OPT_STRING, SLUICE_MEDIUM, 0, NULL, NULL, NULL,                                \
            "Name of a field for " what                                                            \
            ". A ! behind it makes the field required, a ? optional, as it is without."            \
    }

static const struct sluice_option options[] = {
    FIELD_ROW("topic.field", "the record's topic"),
    FIELD_ROW("partition.field", "the record's Kafka partition"),
    FIELD_ROW("offset.field", "the record's Kafka offset; for sinks only"),
    FIELD_ROW("timestamp.field",
              "the record's timestamp: a Timestamp with schema, milliseconds without"),
    FIELD_ROW("static.field", "the text in static.value"),
    {"static.value", SLUICE_OPT_STRING, SLUICE_MEDIUM, 0, NULL, NULL, NULL,
     "The text that static.field gets."},
    SMT_REPLACE_NULL,
    {0},
};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

SMT_PLUGIN_FORMS(insert_field, "insert-field", "InsertField", NULL);
