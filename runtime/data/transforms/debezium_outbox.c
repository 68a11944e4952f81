/* debezium_outbox.c - see debezium_outbox.h. */
#include "data/transforms/debezium_outbox.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"

#define VALUES_MAX 10000
#define VALUES_BYTES ((size_t)16 << 20)
#define NAME_BYTES ((size_t)1 << 16)
#define TOPIC_BYTES ((size_t)1 << 16)

/* ---- settings ---- */

static bool same(const char *s, size_t n, const char *word)
{
    return strlen(word) == n && strncasecmp(s, word, n) == 0;
}

static char *trimmed(const char *s, size_t n)
{
    while (n && *s == ' ') s++, n--;
    while (n && s[n - 1] == ' ') n--;
    return sluice_xstrndup(s, n);
}

/* "field:placement" or "field:placement:alias". */
static bool add_extra(struct outbox *outbox, const char *text, size_t *cap, struct sluice_err *err)
{
    const char *colon = strchr(text, ':'), *second = colon ? strchr(colon + 1, ':') : NULL;
    size_t n = !colon ? 0 : second ? (size_t)(second - colon - 1) : strlen(colon + 1);
    char *word = colon ? trimmed(colon + 1, n) : NULL;
    enum outbox_place place = OUTBOX_HEADER;
    bool known =
        word != NULL && colon > text && !(second && (!second[1] || strchr(second + 1, ':')));
    if (!known) {
        /* not of the form */
    } else if (same(word, strlen(word), "envelope")) {
        place = OUTBOX_ENVELOPE;
    } else if (same(word, strlen(word), "partition")) {
        place = OUTBOX_PARTITION;
    } else {
        known = same(word, strlen(word), "header");
    }
    free(word);
    if (!known) {
        return sluice_err_set(err,
                              "table.fields.additional.placement: %s is not of the form "
                              "column:header, column:envelope or column:partition, each with "
                              "another :alias where wanted",
                              text);
    }
    outbox->extras = sluice_xgrow(outbox->extras, outbox->extras_n, cap, sizeof *outbox->extras);
    struct outbox_extra *extra = &outbox->extras[outbox->extras_n++];
    extra->field = trimmed(text, (size_t)(colon - text));
    extra->alias = second ? trimmed(second + 1, strlen(second + 1)) : sluice_xstrdup(extra->field);
    extra->place = place;
    if (place == OUTBOX_ENVELOPE) outbox->envelope = true;
    if (place == OUTBOX_HEADER) outbox->headers_n++;
    return true;
}

static char *column(const struct sluice_host *host, const struct sluice_conf *conf, const char *key)
{
    const char *name = host->str(conf, key);
    return name && *name ? sluice_xstrdup(name) : NULL;
}

static void value_drop(struct sluice_lru_node *node);

static void plan_drop(struct sluice_lru_node *node)
{
    smt_plan_fini(&((struct outbox_plan *)node)->head);
    free(node);
}

bool outbox_init(struct outbox *outbox, const struct sluice_host *host,
                 const struct sluice_conf *conf, struct sluice_err *err)
{
    size_t cap = 0;
    struct sluice_schema text = {.type = SLUICE_STRING};
    smt_init(&outbox->smt, SMT_VALUE, plan_drop);
    sluice_lru_init(&outbox->values, VALUES_MAX, VALUES_BYTES, value_drop);
    sluice_buf_init(&outbox->name, NAME_BYTES);
    sluice_buf_init(&outbox->values_key, NAME_BYTES);
    sluice_buf_init(&outbox->topic, TOPIC_BYTES);
    outbox->host = host;
    outbox->text = sluice_schema_intern(&text);
    outbox->id = column(host, conf, "table.field.event.id");
    outbox->key = column(host, conf, "table.field.event.key");
    outbox->payload = column(host, conf, "table.field.event.payload");
    outbox->timestamp = column(host, conf, "table.field.event.timestamp");
    outbox->version = column(host, conf, "table.field.event.schema.version");
    outbox->route = column(host, conf, "route.by.field");
    outbox->tombstones = host->flag(conf, "route.tombstone.on.empty.payload");
    outbox->expand = host->flag(conf, "table.expand.json.payload");
    outbox->ignore_missing =
        strcasecmp(host->str(conf, "table.field.additional.missing"), "ignore") == 0;
    const char *invalid = host->str(conf, "table.op.invalid.behavior");
    outbox->invalid = strcasecmp(invalid, "fatal") == 0   ? OUTBOX_FATAL
                      : strcasecmp(invalid, "error") == 0 ? OUTBOX_ERROR
                                                          : OUTBOX_WARN;
    outbox->json.keep_nulls =
        strcasecmp(host->str(conf, "table.json.payload.null.behavior"), "optional_bytes") == 0;
    outbox->json.keep_empty_arrays =
        strcasecmp(host->str(conf, "table.json.payload.empty.array.behavior"), "optional_string") ==
        0;
    outbox->json.adjust = dbz_adjust_of(host->str(conf, "field.name.adjustment.mode"));
    outbox_json_init(&outbox->json);
    outbox->headers_n = 1;
    const char *const *list = host->list(conf, "table.fields.additional.placement");
    for (; *list; list++) {
        if (!add_extra(outbox, *list, &cap, err)) return false;
    }
    const char *regex = host->str(conf, "route.topic.regex");
    outbox->replacement = sluice_xstrdup(host->str(conf, "route.topic.replacement"));
    outbox->regex = sluice_java_regex_new(regex, 0, err);
    if (!outbox->regex) return sluice_err_wrap(err, "route.topic.regex %s", regex);
    if (outbox->id && outbox->key && outbox->payload && outbox->route) return true;
    return sluice_err_set(err, "table.field.event.id, table.field.event.key, "
                               "table.field.event.payload and route.by.field must name columns");
}

void outbox_fini(struct outbox *outbox)
{
    smt_fini(&outbox->smt);
    sluice_lru_fini(&outbox->values);
    outbox_json_fini(&outbox->json);
    for (size_t i = 0; i < outbox->extras_n; i++) {
        free(outbox->extras[i].field);
        free(outbox->extras[i].alias);
    }
    free(outbox->extras);
    free(outbox->id);
    free(outbox->key);
    free(outbox->payload);
    free(outbox->timestamp);
    free(outbox->version);
    free(outbox->route);
    free(outbox->replacement);
    sluice_java_regex_free(outbox->regex);
    sluice_schema_free(outbox->text);
    sluice_buf_fini(&outbox->name);
    sluice_buf_fini(&outbox->values_key);
    sluice_buf_fini(&outbox->topic);
}

/* ---- plans ---- */

static bool find_column(const struct sluice_schema *row, const char *name, const char *key,
                        int *index, struct sluice_err *err)
{
    *index = dbz_field(row, name);
    if (*index >= 0) return true;
    return sluice_err_set(err,
                          "%s is not a valid field name: the outbox event %s has no such column "
                          "(%s)",
                          name, row->name ? row->name : "", key);
}

/* A column that must be of a type. */
static bool find_typed(const struct sluice_schema *row, const char *name, const char *key,
                       enum sluice_type type, int *index, struct sluice_err *err)
{
    if (!find_column(row, name, key, index, err)) return false;
    if (row->fields[*index].schema->type == type) return true;
    return sluice_err_set(err, "Field '%s' is not of type %s (%s)", name, sluice_type_name(type),
                          key);
}

static bool find_timestamp(const char *name, const struct sluice_schema *row,
                           struct outbox_plan *plan, struct sluice_err *err)
{
    static const struct {
        const char *name;
        int64_t unit;
    } types[] = {
        {"io.debezium.time.Timestamp", 1},
        {"io.debezium.time.MicroTimestamp", 1000},
        {"io.debezium.time.NanoTimestamp", 1000000},
    };
    plan->timestamp = dbz_field(row, name);
    if (plan->timestamp < 0) {
        return sluice_err_set(err, "Unable to find timestamp field %s in event", name);
    }
    const struct sluice_schema *schema = row->fields[plan->timestamp].schema;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (sluice_schema_named(schema, types[i].name)) plan->timestamp_unit = types[i].unit;
    }
    if (schema->type == SLUICE_INT64) return true;
    return sluice_err_set(err, "Field '%s' is not of type INT64 (table.field.event.timestamp)",
                          name);
}

static bool find_extras(const struct outbox *outbox, struct outbox_plan *plan,
                        struct sluice_err *err)
{
    for (size_t i = 0; i < outbox->extras_n; i++) {
        const struct outbox_extra *extra = &outbox->extras[i];
        plan->extras[i] = dbz_field(plan->row, extra->field);
        if (plan->extras[i] < 0 && outbox->ignore_missing) continue;
        if (plan->extras[i] < 0 && extra->place == OUTBOX_ENVELOPE) {
            return sluice_err_set(err, "Unable to find field %s in event", extra->field);
        }
        const char *key = "table.fields.additional.placement";
        bool ok =
            extra->place == OUTBOX_PARTITION
                ? find_typed(plan->row, extra->field, key, SLUICE_INT32, &plan->extras[i], err)
                : find_column(plan->row, extra->field, key, &plan->extras[i], err);
        if (!ok) return false;
    }
    return true;
}

static bool fill_plan(const struct outbox *outbox, const struct sluice_schema *schema,
                      struct outbox_plan *plan, struct sluice_err *err)
{
    plan->op = dbz_field(schema, "op");
    plan->after = dbz_field(schema, "after");
    plan->ts_ms = dbz_field(schema, "ts_ms");
    if (plan->op < 0 || plan->after < 0) {
        return sluice_err_set(err, "Unknown field: %s in the schema %s of a change event",
                              plan->op < 0 ? "op" : "after", schema->name);
    }
    plan->row = schema->fields[plan->after].schema;
    assert(outbox->id && outbox->key && outbox->payload && outbox->route);
    const struct sluice_schema *row = plan->row;
    if (row->type != SLUICE_STRUCT) {
        return sluice_err_set(err,
                              "Only Struct objects supported for [Read Outbox Event]: the "
                              "rows of %s are of another type",
                              schema->name);
    }
    plan->payload = dbz_field(row, outbox->payload);
    if (plan->payload < 0) {
        return sluice_err_set(err, "Unable to find payload field %s in event", outbox->payload);
    }
    if (outbox->timestamp && !find_timestamp(outbox->timestamp, row, plan, err)) return false;
    if (outbox->version && outbox->envelope &&
        !find_typed(row, outbox->version, "table.field.event.schema.version", SLUICE_INT32,
                    &plan->version, err)) {
        return false;
    }
    return find_column(row, outbox->id, "table.field.event.id", &plan->id, err) &&
           find_typed(row, outbox->route, "route.by.field", SLUICE_STRING, &plan->route, err) &&
           find_extras(outbox, plan, err) &&
           find_column(row, outbox->key, "table.field.event.key", &plan->key, err);
}

const struct outbox_plan *outbox_plan_of(struct outbox *outbox, const struct sluice_schema *schema,
                                         struct sluice_err *err)
{
    struct smt_plan *known = smt_plan_find(&outbox->smt, schema);
    if (known) return (struct outbox_plan *)known;
    struct outbox_plan *plan =
        sluice_xcalloc(1, sizeof *plan + outbox->extras_n * sizeof *plan->extras);
    plan->timestamp = plan->version = -1;
    if (!fill_plan(outbox, schema, plan, err)) {
        free(plan);
        return NULL;
    }
    smt_plan_put(&outbox->smt, &plan->head, schema, NULL);
    return plan;
}

/* ---- schemas of values ---- */

struct value_schema {
    struct sluice_lru_node node;
    const struct sluice_schema *row, *payload, *out; /* held */
    char key[];
};

static void value_drop(struct sluice_lru_node *node)
{
    struct value_schema *value = (struct value_schema *)node;
    sluice_schema_free(value->row);
    sluice_schema_free(value->payload);
    sluice_schema_free(value->out);
    free(value);
}

/* "a.b.Value" routed by x: "a.b.x.Value". */
static bool value_name(struct sluice_buf *buf, const struct sluice_schema *row,
                       const struct sluice_value *route)
{
    const char *name = row->name, *dot = name ? strrchr(name, '.') : NULL;
    sluice_buf_clear(buf);
    bool ok = true;
    if (dot) ok = sluice_buf_add(buf, name, (size_t)(dot + 1 - name));
    ok = ok && sluice_buf_add(buf, route->u.s, route->len);
    if (name) ok = ok && sluice_buf_adds(buf, ".") && sluice_buf_adds(buf, dot ? dot + 1 : name);
    return ok;
}

static const struct sluice_schema *build_value(struct outbox *outbox,
                                               const struct outbox_plan *plan,
                                               const struct sluice_schema *payload,
                                               const struct sluice_value *version,
                                               struct sluice_err *err)
{
    struct smt_builder builder;
    assert(outbox->envelope && payload);
    smt_build(&builder, NULL);
    builder.schema.name = sluice_buf_str(&outbox->name);
    builder.schema.has_version = version && version->type != SLUICE_NULL;
    if (builder.schema.has_version) builder.schema.version = (int32_t)version->u.i;
    bool ok = smt_build_field(&builder, "payload", payload, err);
    for (size_t i = 0; ok && i < outbox->extras_n; i++) {
        if (outbox->extras[i].place != OUTBOX_ENVELOPE || plan->extras[i] < 0) continue;
        ok = smt_build_field(&builder, outbox->extras[i].alias,
                             plan->row->fields[plan->extras[i]].schema, err);
    }
    if (ok) return smt_build_done(&builder);
    smt_build_fini(&builder);
    return NULL;
}

const struct sluice_schema *outbox_value_schema(
    struct outbox *outbox, const struct outbox_plan *plan, const struct sluice_schema *payload,
    const struct sluice_value *route, const struct sluice_value *version, struct sluice_err *err)
{
    struct {
        const struct sluice_schema *row, *payload;
        int64_t version;
    } head = {plan->row, payload,
              version && version->type != SLUICE_NULL ? version->u.i : INT64_MIN};
    struct sluice_buf *key = &outbox->values_key;
    sluice_buf_clear(key);
    if (!sluice_buf_add(key, &head, sizeof head) || !sluice_buf_add(key, route->u.s, route->len) ||
        !value_name(&outbox->name, plan->row, route)) {
        sluice_err_set(err,
                       "the value that the event is routed by has %u bytes, too many for a "
                       "schema's name",
                       route->len);
        return NULL;
    }
    struct sluice_lru_node *node = sluice_lru_get(&outbox->values, key->data, key->len);
    if (node) return ((struct value_schema *)node)->out;
    const struct sluice_schema *out = build_value(outbox, plan, payload, version, err);
    if (!out) return NULL;
    struct value_schema *value = sluice_xcalloc(1, sizeof *value + key->len);
    memcpy(value->key, key->data, key->len);
    value->row = sluice_schema_hold(plan->row);
    value->payload = sluice_schema_hold(payload);
    value->out = out;
    value->node.key = value->key;
    value->node.key_len = key->len;
    value->node.bytes = sizeof *value + key->len;
    sluice_lru_put(&outbox->values, &value->node);
    return out;
}
