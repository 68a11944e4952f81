/* extract_new_record_state.c - io.debezium.transforms.ExtractNewRecordState: takes the row out of a
 * change event, as Debezium 3.6 does it.
 *
 * An envelope is a struct whose schema's name ends in ".Envelope"; other records pass as they are.
 * For each envelope schema a plan is kept: where everything stands in it and what the row's schema
 * becomes. Beyond Debezium, an envelope that came as JSON without a schema is recognised by its
 * members and treated alike. Owner: one task's thread. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/batch.h"
#include "data/builtins.h"
#include "data/schema.h"
#include "data/transforms/envelope.h"
#include "data/values.h"

/* ---- the row ---- */

static const struct sluice_value *field_value(const struct sluice_value *v, int index)
{
    return index >= 0 && v->type == SLUICE_STRUCT ? &v->u.v[index] : NULL;
}

/* What a reference stands for in this envelope; NULL: null. */
static const struct sluice_value *ref_value(const struct envelope_ref *at,
                                            const struct sluice_value *envelope)
{
    if (at->parent < 0) return field_value(envelope, at->field);
    const struct sluice_value *parent = field_value(envelope, at->parent);
    if (!parent || parent->type == SLUICE_NULL) return NULL;
    return field_value(parent, at->field);
}

/* The row with __deleted and the added fields behind it. */
static void make_row(const struct envelope_config *config, struct sluice_batch *batch,
                     const struct envelope_plan *plan, const struct envelope_row *row,
                     const struct sluice_value *envelope, const struct sluice_value *values,
                     bool deleted, struct sluice_record *rec)
{
    size_t n = row->in->fields_len, total = row->out->fields_len;
    if (total > n) {
        struct sluice_value *out = sluice_batch_alloc(batch, total * sizeof *out);
        memcpy(out, values->u.v, n * sizeof *out);
        if (config->rewrite) {
            for (size_t i = 0; i < n && config->replace_null; i++) {
                const struct sluice_schema *schema = row->in->fields[i].schema;
                if (out[i].type == SLUICE_NULL && schema->has_dflt) out[i] = schema->dflt;
            }
            out[n++] = deleted ? sluice_string("true", 4) : sluice_string("false", 5);
        }
        for (size_t i = 0; i < config->fields_n; i++) {
            if (!plan->fields[i].schema) continue;
            const struct sluice_value *v = ref_value(&plan->fields[i], envelope);
            out[n++] = v ? *v : sluice_null();
        }
        assert(n == total);
        rec->value = sluice_nested(SLUICE_STRUCT, out, total);
    } else {
        rec->value = *values;
    }
    rec->value_schema = row->out;
    sluice_batch_hold(batch, row->out);
}

/* ---- headers and topic ---- */

static void add_headers(const struct envelope_config *config, struct sluice_batch *batch,
                        const struct envelope_plan *plan, struct sluice_record *rec)
{
    size_t n = rec->headers_len;
    struct sluice_header *headers =
        sluice_batch_alloc(batch, (n + config->headers_n) * sizeof *headers);
    if (n) memcpy(headers, rec->headers, n * sizeof *headers);
    for (size_t i = 0; i < config->headers_n; i++) {
        const struct envelope_name *name = &config->headers[i];
        if (!plan) { /* a tombstone: all that is known of it is that it is a delete */
            if (strcmp(name->field, "op") != 0) continue;
            headers[n++] = (struct sluice_header){name->added, config->text, sluice_string("d", 1)};
            continue;
        }
        if (!plan->headers[i].schema) continue;
        const struct sluice_value *v = ref_value(&plan->headers[i], &rec->value);
        sluice_batch_hold(batch, plan->headers[i].schema);
        headers[n++] =
            (struct sluice_header){name->added, plan->headers[i].schema, v ? *v : sluice_null()};
    }
    rec->headers = headers;
    rec->headers_len = (uint32_t)n;
}

static bool set_topic(const struct envelope_config *config, struct sluice_batch *batch,
                      const struct sluice_value *topic, bool known, struct sluice_record *rec,
                      struct sluice_err *err)
{
    if (!known) {
        return sluice_err_set(err,
                              "cannot route the record of topic %s: %s is not a valid field "
                              "name (route.by.field)",
                              rec->topic ? rec->topic : "", config->route);
    }
    if (!topic || topic->type == SLUICE_NULL) return true;
    if (topic->type != SLUICE_STRING) {
        return sluice_err_set(err,
                              "cannot route the record of topic %s: Field '%s' is not of type "
                              "STRING (route.by.field)",
                              rec->topic ? rec->topic : "", config->route);
    }
    bool blank = true;
    for (uint32_t i = 0; i < topic->len && blank; i++) blank = topic->u.s[i] == ' ';
    if (blank) return true;
    char *name = sluice_batch_alloc(batch, (size_t)topic->len + 1);
    memcpy(name, topic->u.s, topic->len);
    name[topic->len] = '\0';
    rec->topic = name;
    return true;
}

/* ---- records with schemas ---- */

static enum sluice_verdict apply_delete(struct envelope_config *config, struct sluice_batch *batch,
                                        const struct envelope_plan *plan, struct sluice_record *rec,
                                        struct sluice_err *err)
{
    const struct sluice_value envelope = rec->value, *before = &envelope.u.v[plan->before];
    if (config->deletes == DELETES_DROP) return SLUICE_DROP;
    if (config->route) {
        int at = sluice_schema_field(plan->old.in, config->route, strlen(config->route));
        if (!set_topic(config, batch, field_value(before, at), at >= 0, rec, err)) {
            return SLUICE_FAIL;
        }
    }
    switch (config->deletes) {
    case DELETES_REWRITE:
        make_row(config, batch, plan, &plan->old, &envelope, before, true, rec);
        break;
    case DELETES_TOMBSTONE: /* keeps the row's schema, as Debezium does for its JDBC sink */
        rec->value = sluice_null();
        rec->value_schema = plan->new.in;
        sluice_batch_hold(batch, plan->new.in);
        break;
    default:
        rec->value = sluice_null();
        rec->value_schema = NULL;
        break;
    }
    return envelope_drop_fields(config, batch, rec, err) ? SLUICE_OK : SLUICE_FAIL;
}

static enum sluice_verdict apply_struct(struct envelope_config *config, struct sluice_batch *batch,
                                        struct sluice_record *rec, struct sluice_err *err)
{
    const struct envelope_plan *plan = envelope_plan_of(config, rec->value_schema, err);
    if (!plan) return SLUICE_FAIL;
    if (rec->value.len != rec->value_schema->fields_len) {
        return sluice_fail(err, "the record of topic %s has %u values, its schema %s has %u fields",
                           rec->topic ? rec->topic : "", rec->value.len, rec->value_schema->name,
                           rec->value_schema->fields_len);
    }
    if (config->headers_n) add_headers(config, batch, plan, rec);
    const struct sluice_value envelope = rec->value, *after = &envelope.u.v[plan->after];
    if (after->type == SLUICE_NULL) {
        if (envelope.u.v[plan->before].type == SLUICE_NULL) return SLUICE_DROP; /* a truncate */
        return apply_delete(config, batch, plan, rec, err);
    }
    if (config->route) {
        int at = sluice_schema_field(plan->new.in, config->route, strlen(config->route));
        if (!set_topic(config, batch, field_value(after, at), at >= 0, rec, err)) {
            return SLUICE_FAIL;
        }
    }
    make_row(config, batch, plan, &plan->new, &envelope, after, false, rec);
    return envelope_drop_fields(config, batch, rec, err) ? SLUICE_OK : SLUICE_FAIL;
}

/* ---- records without ---- */

static const struct sluice_value *map_value(const struct sluice_value *envelope,
                                            const struct envelope_name *name)
{
    const struct sluice_value *parent = envelope, *v = NULL;
    if (name->parent) parent = sluice_value_get(envelope, name->parent);
    if (parent) v = sluice_value_get(parent, name->field);
    return v ? v : sluice_value_get(envelope, name->field);
}

static bool is_row(const struct sluice_value *v)
{
    return !v || v->type == SLUICE_NULL || v->type == SLUICE_MAP;
}

static bool is_envelope_map(const struct sluice_value *v)
{
    if (v->type != SLUICE_MAP) return false;
    const struct sluice_value *op = sluice_value_get(v, "op");
    const struct sluice_value *source = sluice_value_get(v, "source");
    const struct sluice_value *before = sluice_value_get(v, "before");
    const struct sluice_value *after = sluice_value_get(v, "after");
    return op && op->type == SLUICE_STRING && source && source->type == SLUICE_MAP &&
           (before || after) && is_row(before) && is_row(after);
}

static void make_map(const struct envelope_config *config, struct sluice_batch *batch,
                     const struct sluice_value *envelope, const struct sluice_value *row,
                     bool deleted, struct sluice_record *rec)
{
    size_t n = row->len, most = n + 1 + config->fields_n;
    struct sluice_value *out = sluice_batch_alloc(batch, 2 * most * sizeof *out);
    memcpy(out, row->u.v, 2 * n * sizeof *out);
    if (config->rewrite) {
        out[2 * n] = sluice_string("__deleted", 9);
        out[2 * n + 1] = deleted ? sluice_string("true", 4) : sluice_string("false", 5);
        n++;
    }
    for (size_t i = 0; i < config->fields_n; i++) {
        const struct sluice_value *v = map_value(envelope, &config->fields[i]);
        if (!v) continue;
        out[2 * n] = sluice_string(config->fields[i].added, strlen(config->fields[i].added));
        out[2 * n + 1] = *v;
        n++;
    }
    rec->value = sluice_nested(SLUICE_MAP, out, n);
}

static enum sluice_verdict apply_map(const struct envelope_config *config,
                                     struct sluice_batch *batch, struct sluice_record *rec,
                                     struct sluice_err *err)
{
    const struct sluice_value envelope = rec->value;
    const struct sluice_value *before = sluice_value_get(&envelope, "before");
    const struct sluice_value *after = sluice_value_get(&envelope, "after");
    bool deleted = !after || after->type == SLUICE_NULL;
    const struct sluice_value *row = deleted ? before : after;
    if (!row || row->type == SLUICE_NULL) return SLUICE_DROP; /* a truncate */
    if (config->headers_n) {
        struct sluice_header *headers =
            sluice_batch_alloc(batch, (rec->headers_len + config->headers_n) * sizeof *headers);
        if (rec->headers_len) {
            memcpy(headers, rec->headers, rec->headers_len * sizeof *headers);
        }
        for (size_t i = 0; i < config->headers_n; i++) {
            const struct sluice_value *v = map_value(&envelope, &config->headers[i]);
            if (!v) continue;
            headers[rec->headers_len++] =
                (struct sluice_header){config->headers[i].added, NULL, *v};
        }
        rec->headers = headers;
    }
    if (deleted && config->deletes == DELETES_DROP) return SLUICE_DROP;
    if (config->route) {
        const struct sluice_value *topic = sluice_value_get(row, config->route);
        if (!set_topic(config, batch, topic, topic != NULL, rec, err)) return SLUICE_FAIL;
    }
    if (deleted && config->deletes != DELETES_REWRITE) rec->value = sluice_null();
    else make_map(config, batch, &envelope, row, deleted, rec);
    return SLUICE_OK;
}

/* ---- the plugin ---- */

static enum sluice_verdict apply(void *self, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct envelope_config *config = self;
    if (rec->value.type == SLUICE_NULL) {
        if (config->drop_tombstones) return SLUICE_DROP;
        if (config->headers_n) add_headers(config, batch, NULL, rec);
        return SLUICE_OK;
    }
    if (!rec->value_schema) {
        return is_envelope_map(&rec->value) ? apply_map(config, batch, rec, err) : SLUICE_OK;
    }
    if (rec->value.type != SLUICE_STRUCT || !envelope_named(rec->value_schema)) return SLUICE_OK;
    return apply_struct(config, batch, rec, err);
}

/* Whether the key stands in the config, default or not. */
static bool given(const struct sluice_host *host, const struct sluice_conf *conf, const char *key)
{
    const char *have, *value;
    for (size_t i = 0; host->entry(conf, i, &have, &value); i++) {
        if (strcmp(have, key) == 0) return true;
    }
    return false;
}

static void read_modes(struct envelope_config *config, const struct sluice_host *host,
                       const struct sluice_conf *conf)
{
    bool old = given(host, conf, "drop.tombstones") || given(host, conf, "delete.handling.mode");
    if (old && !given(host, conf, "delete.tombstone.handling.mode")) {
        const char *mode = host->str(conf, "delete.handling.mode");
        config->deletes = strcasecmp(mode, "rewrite") == 0 ? DELETES_REWRITE
                          : strcasecmp(mode, "none") == 0  ? DELETES_TOMBSTONE
                                                           : DELETES_DROP;
        config->drop_tombstones = host->flag(conf, "drop.tombstones");
    } else {
        const char *mode = host->str(conf, "delete.tombstone.handling.mode");
        bool both = strcasecmp(mode, "rewrite-with-tombstone") == 0;
        config->drop_tombstones = !both;
        config->deletes = strcasecmp(mode, "drop") == 0                  ? DELETES_DROP
                          : strcasecmp(mode, "tombstone") == 0           ? DELETES_TOMBSTONE
                          : strcasecmp(mode, "delete-to-tombstone") == 0 ? DELETES_TO_TOMBSTONE
                                                                         : DELETES_REWRITE;
    }
    config->rewrite = config->deletes == DELETES_REWRITE;
}

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    (void)task;
    struct envelope_config *config = sluice_xcalloc(1, sizeof *config);
    *self = config;
    envelope_init(config);
    read_modes(config, host, conf);
    config->replace_null = host->flag(conf, "replace.null.with.default");
    const char *route = host->str(conf, "route.by.field");
    if (route && *route) config->route = sluice_xstrdup(route);
    const char *header = host->str(conf, "drop.fields.header.name");
    if (header && *header) config->drop_header = sluice_xstrdup(header);
    config->drop_from_key = host->flag(conf, "drop.fields.from.key");
    config->drop_optional_only = host->flag(conf, "drop.fields.keep.schema.compatible");
    if (!envelope_names(host->list(conf, "add.fields"), host->str(conf, "add.fields.prefix"),
                        "add.fields", &config->fields, &config->fields_n, err) ||
        !envelope_names(host->list(conf, "add.headers"), host->str(conf, "add.headers.prefix"),
                        "add.headers", &config->headers, &config->headers_n, err)) {
        return SLUICE_FAIL;
    }
    return SLUICE_OK;
}

static void close(void *self)
{
    if (!self) return;
    envelope_fini(self);
    free(self);
}

static const struct sluice_option options[] = {
    {"delete.tombstone.handling.mode", SLUICE_OPT_STRING, SLUICE_MEDIUM, SLUICE_OPT_NOCASE,
     "tombstone", "drop|tombstone|rewrite|rewrite-with-tombstone|delete-to-tombstone", NULL,
     "What becomes of deletes: drop removes delete and tombstone; tombstone leaves one record with "
     "a null value; rewrite leaves the deleted row with __deleted=true; rewrite-with-tombstone "
     "leaves both; delete-to-tombstone makes a tombstone without schema of the delete."},
    {"drop.tombstones", SLUICE_OPT_BOOLEAN, SLUICE_LOW, 0, "true", NULL, NULL,
     "Older form, used when delete.tombstone.handling.mode is not given: whether tombstones are "
     "removed."},
    {"delete.handling.mode", SLUICE_OPT_STRING, SLUICE_MEDIUM, SLUICE_OPT_NOCASE, "drop",
     "drop|rewrite|none", NULL,
     "Older form, used when delete.tombstone.handling.mode is not given: drop removes deletes, "
     "rewrite keeps the row with __deleted, none passes a null value on."},
    {"route.by.field", SLUICE_OPT_STRING, SLUICE_LOW, 0, "", NULL, NULL,
     "The row's field whose value replaces the topic."},
    {"add.fields", SLUICE_OPT_LIST, SLUICE_LOW, 0, "", NULL, NULL,
     "Fields of the envelope to add to the row: op, table, source.ts_ms, lsn:position. A bare name "
     "is one of source, but for op and ts_ms; behind a colon stands another name for it."},
    {"add.fields.prefix", SLUICE_OPT_STRING, SLUICE_LOW, 0, "__", NULL, NULL,
     "What the names of added fields start with."},
    {"add.headers", SLUICE_OPT_LIST, SLUICE_LOW, 0, "", NULL, NULL,
     "Fields of the envelope to add as headers, named as in add.fields."},
    {"add.headers.prefix", SLUICE_OPT_STRING, SLUICE_LOW, 0, "__", NULL, NULL,
     "What the names of added headers start with."},
    {"drop.fields.header.name", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, NULL, NULL,
     "The header that lists fields to remove from the row."},
    {"drop.fields.from.key", SLUICE_OPT_BOOLEAN, SLUICE_LOW, 0, "false", NULL, NULL,
     "Whether those fields are removed from the key too."},
    {"drop.fields.keep.schema.compatible", SLUICE_OPT_BOOLEAN, SLUICE_LOW, 0, "true", NULL, NULL,
     "true: only optional fields are removed."},
    {"replace.null.with.default", SLUICE_OPT_BOOLEAN, SLUICE_LOW, 0, "true", NULL, NULL,
     "Whether rewriting puts a field's default value in place of null."},
    {0},
};

static const char *const aliases[] = {"io.debezium.transforms.ExtractNewRecordState", NULL};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

const struct sluice_plugin sluice_extract_new_record_state = {
    SLUICE_PLUGIN_HEAD,
    .kind = SLUICE_KIND_TRANSFORM,
    .name = "extract-new-record-state",
    .version = SLUICE_VERSION,
    .aliases = aliases,
    .options = options,
    .open = open,
    .close = close,
    .transform = &transform,
};
