/* debezium_timezone.c - io.debezium.transforms.TimezoneConverter: times of change events moved into
 * a time zone, as Debezium 3.6 does it.
 *
 * Numbers without a zone (Timestamp, MicroTimestamp, NanoTimestamp) are taken for that zone's local
 * time; texts (ZonedTimestamp, ZonedTime) keep their instant; ts_ms, ts_us and ts_ns of source,
 * which are converted only where a rule names them, get the offset added. What is to be converted
 * depends on topic and table, which rules name. Owner: one task's thread. */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/java_regex.h"
#include "data/transforms/debezium.h"
#include "data/transforms/debezium_iso.h"
#include "data/transforms/debezium_zone.h"

enum scope { SCOPE_TOPIC, SCOPE_TABLE, SCOPE_EITHER };

struct rule { /* all that the list says of one name */
    enum scope scope;
    char *name;
    char **fields; /* n 0: all */
    size_t n;
};

struct converter {
    struct smt smt;
    struct sluice_task *task;
    const struct sluice_host *host;
    struct dbz_zone *zone;
    struct rule *rules;
    size_t n;
    bool include; /* rules say what to convert, not what to leave */
};

enum unit { UNIT_NONE, UNIT_MS, UNIT_US, UNIT_NS, UNIT_ZONED, UNIT_ZONED_TIME, UNIT_UNKNOWN };

struct row_plan {   /* of before, after or source */
    int at;         /* in the envelope, -1: absent */
    uint8_t *units; /* enum unit of each field */
};

struct plan {
    struct smt_plan head;
    struct row_plan rows[3];
    int table; /* in source */
};

static const char *const row_names[3] = {"before", "after", "source"};
#define SOURCE 2

/* ---- plans ---- */

static const struct {
    const char *name;
    enum unit unit;
} semantic_types[] = {
    {"io.debezium.time.Timestamp", UNIT_MS},
    {"io.debezium.time.MicroTimestamp", UNIT_US},
    {"io.debezium.time.NanoTimestamp", UNIT_NS},
    {"io.debezium.time.ZonedTimestamp", UNIT_ZONED},
    {"io.debezium.time.ZonedTime", UNIT_ZONED_TIME},
    {"org.apache.kafka.connect.data.Timestamp", UNIT_MS},
    {"io.debezium.time.Date", UNIT_UNKNOWN},
    {"io.debezium.time.Time", UNIT_UNKNOWN},
    {"io.debezium.time.MicroTime", UNIT_UNKNOWN},
    {"io.debezium.time.NanoTime", UNIT_UNKNOWN},
    {"org.apache.kafka.connect.data.Date", UNIT_UNKNOWN},
    {"org.apache.kafka.connect.data.Time", UNIT_UNKNOWN},
};

static enum unit unit_of(const struct sluice_field *field, bool source)
{
    for (size_t i = 0; i < sizeof semantic_types / sizeof *semantic_types; i++) {
        if (sluice_schema_named(field->schema, semantic_types[i].name)) {
            return semantic_types[i].unit;
        }
    }
    if (!source || field->schema->name) return UNIT_NONE;
    if (strcmp(field->name, "ts_ms") == 0) return UNIT_MS;
    if (strcmp(field->name, "ts_us") == 0) return UNIT_US;
    return strcmp(field->name, "ts_ns") == 0 ? UNIT_NS : UNIT_NONE;
}

static void plan_drop(struct sluice_lru_node *node)
{
    struct plan *plan = (struct plan *)node;
    for (int i = 0; i < 3; i++) free(plan->rows[i].units);
    smt_plan_fini(&plan->head);
    free(plan);
}

static struct plan *plan_new(struct converter *self, const struct sluice_schema *envelope)
{
    struct plan *plan = sluice_xcalloc(1, sizeof *plan);
    plan->table = -1;
    for (int i = 0; i < 3; i++) {
        struct row_plan *row = &plan->rows[i];
        row->at = dbz_field(envelope, row_names[i]);
        const struct sluice_schema *schema = row->at < 0 ? NULL : envelope->fields[row->at].schema;
        if (!schema || schema->type != SLUICE_STRUCT) {
            row->at = -1;
            continue;
        }
        row->units = sluice_xcalloc(schema->fields_len + 1, 1);
        for (uint32_t k = 0; k < schema->fields_len; k++) {
            row->units[k] = (uint8_t)unit_of(&schema->fields[k], i == SOURCE);
            if (row->units[k] != UNIT_UNKNOWN || self->include || i == SOURCE) continue;
            self->host->log(self->task, SLUICE_WARN,
                            "field %s of %s has a time of type %s, which has no zone to convert to",
                            schema->fields[k].name, envelope->name, schema->fields[k].schema->name);
        }
        if (i == SOURCE) plan->table = dbz_field(schema, "table");
    }
    smt_plan_put(&self->smt, &plan->head, envelope, NULL);
    return plan;
}

/* ---- values ---- */

static const int64_t per_second[] = {[UNIT_MS] = 1000, [UNIT_US] = 1000000, [UNIT_NS] = 1000000000};

/* A result that does not fit is none: infinity stays infinity. */
static void shift(const struct converter *self, int64_t per, bool epoch, struct sluice_value *v)
{
    assert(per > 0 && v->type == SLUICE_INT64);
    int64_t seconds = v->u.i / per - (v->u.i % per < 0), shifted;
    int64_t offset =
        epoch ? dbz_zone_at(self->zone, seconds) : -(int64_t)dbz_zone_local(self->zone, seconds);
    if (!__builtin_add_overflow(v->u.i, offset * per, &shifted)) v->u.i = shifted;
}

static bool convert_text(const struct converter *self, struct sluice_batch *batch, enum unit unit,
                         const char *field, struct sluice_value *v, struct sluice_err *err)
{
    struct dbz_iso iso;
    char *text;
    bool date = unit == UNIT_ZONED;
    if (!dbz_iso_read(v->u.s, v->len, date, &iso)) {
        return sluice_err_set(err, "field %s has a text that is no %s with an offset: '%.*s'",
                              field, date ? "date and time" : "time",
                              (int)(v->len < 64 ? v->len : 64), v->u.s);
    }
    int32_t offset = date ? dbz_zone_local(self->zone, iso.local_s)
                          : dbz_zone_at(self->zone, sluice_wall_ms() / 1000);
    iso.local_s += offset - iso.offset_s;
    iso.offset_s = offset;
    text = sluice_batch_alloc(batch, DBZ_ISO_BYTES);
    *v = sluice_string(text, dbz_iso_write(&iso, date, text));
    return true;
}

/* Whether the rule speaks of the field: by its name, or as source.x, before.x, after.x. */
static bool names(const struct rule *rule, const char *row, const char *field)
{
    size_t len = strlen(row);
    for (size_t i = 0; rule && i < rule->n; i++) {
        const char *text = rule->fields[i], *dot = strchr(text, '.');
        bool prefixed =
            dot && (strncmp(text, "source.", 7) == 0 || strncmp(text, "before.", 7) == 0 ||
                    strncmp(text, "after.", 6) == 0);
        if (!prefixed) {
            if (strcmp(row, "source") != 0 && strcmp(text, field) == 0) return true;
        } else if ((size_t)(dot - text) == len && memcmp(text, row, len) == 0 &&
                   strcmp(dot + 1, field) == 0) {
            return true;
        }
    }
    return false;
}

/* source is looked at only where a rule names a field of it. */
static bool names_source(const struct rule *rule)
{
    for (size_t i = 0; rule && i < rule->n; i++) {
        if (strncmp(rule->fields[i], "source.", 7) == 0) return true;
    }
    return false;
}

/* The fields of one row that the rule (NULL: none) wants converted, in a copy of it. */
static bool convert_row(const struct converter *self, struct sluice_batch *batch,
                        const struct plan *plan, int which, const struct rule *rule,
                        const struct sluice_schema *schema, struct sluice_value *row,
                        struct sluice_err *err)
{
    assert(which >= 0 && which <= SOURCE && plan->rows[which].units);
    struct sluice_value *values = NULL;
    bool all = !rule || rule->n == 0;
    for (uint32_t i = 0; i < schema->fields_len; i++) {
        enum unit unit = (enum unit)plan->rows[which].units[i];
        const struct sluice_field *field = &schema->fields[i];
        if (unit == UNIT_NONE || unit == UNIT_UNKNOWN) continue;
        if (!all && names(rule, row_names[which], field->name) != self->include) continue;
        struct sluice_value v = *dbz_get(schema, row, (int)i);
        if (v.type != (unit >= UNIT_ZONED ? SLUICE_STRING : SLUICE_INT64)) continue;
        if (unit < UNIT_ZONED) {
            shift(self, per_second[unit], which == SOURCE && !field->schema->name, &v);
        } else if (!convert_text(self, batch, unit, field->name, &v, err)) {
            return false;
        }
        if (!values) {
            values = sluice_batch_alloc(batch, row->len * sizeof *values);
            memcpy(values, row->u.v, row->len * sizeof *values);
        }
        values[i] = v;
    }
    if (values) row->u.v = values;
    return true;
}

/* ---- records ---- */

static bool text_is(const struct sluice_value *v, const char *text)
{
    size_t len = strlen(text);
    return v && v->type == SLUICE_STRING && v->len == len && memcmp(v->u.s, text, len) == 0;
}

/* The rule for a topic or table: those for topics come first, then tables, then either. */
static const struct rule *rule_of(const struct converter *self, const char *topic,
                                  const struct sluice_value *table)
{
    for (int pass = 0; pass < 4; pass++) {
        enum scope scope = pass == 0 ? SCOPE_TOPIC : pass == 1 ? SCOPE_TABLE : SCOPE_EITHER;
        for (size_t i = 0; i < self->n; i++) {
            const struct rule *rule = &self->rules[i];
            if (rule->scope != scope) continue;
            if (pass % 2 == 0 ? strcmp(rule->name, topic) == 0 : text_is(table, rule->name)) {
                return rule;
            }
        }
    }
    return NULL;
}

static bool convert(const struct converter *self, struct sluice_batch *batch,
                    const struct plan *plan, const struct rule *rule, struct sluice_record *rec,
                    struct sluice_err *err)
{
    struct sluice_value *values = sluice_batch_alloc(batch, rec->value.len * sizeof *values);
    memcpy(values, rec->value.u.v, rec->value.len * sizeof *values);
    for (int i = 0; i < 3; i++) {
        int at = plan->rows[i].at;
        if (at < 0 || values[at].type != SLUICE_STRUCT || (i == SOURCE && !names_source(rule))) {
            continue;
        }
        const struct sluice_schema *schema = rec->value_schema->fields[at].schema;
        if (!smt_require_struct(schema, &values[at], "timezone conversion", err) ||
            !convert_row(self, batch, plan, i, rule, schema, &values[at], err)) {
            return false;
        }
    }
    rec->value.u.v = values;
    return true;
}

static enum sluice_verdict apply(void *state, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct converter *self = state;
    if (!dbz_is_envelope(rec)) return SLUICE_OK;
    if (!smt_require_struct(rec->value_schema, &rec->value, "timezone conversion", err)) {
        return SLUICE_FAIL;
    }
    struct plan *plan = (struct plan *)smt_plan_find(&self->smt, rec->value_schema);
    if (!plan) plan = plan_new(self, rec->value_schema);
    const struct sluice_value *source =
        plan->rows[SOURCE].at >= 0 ? &rec->value.u.v[plan->rows[SOURCE].at] : NULL;
    const struct sluice_value *table = NULL;
    if (source && source->type == SLUICE_STRUCT && plan->table >= 0 &&
        (uint32_t)plan->table < source->len) {
        table = &source->u.v[plan->table];
    }
    const struct rule *rule = rule_of(self, rec->topic ? rec->topic : "", table);
    bool leave =
        self->include ? !rule : rule && rule->n == 0; /* not included; excluded as a whole */
    if (leave) return SLUICE_OK;
    return convert(self, batch, plan, rule, rec, err) ? SLUICE_OK : SLUICE_FAIL;
}

/* ---- configuration ---- */

static const char list_pattern[] =
    "^\\[(source|topic|[\".\\w\\s_]+):([\".\\w\\s_]+(?::[\".\\w\\s_]+)?(?:,|]$))+$";

/* Debezium's pattern for such a list, over "[a, b]". */
static bool list_fits(const char *const *list, const char *key, struct sluice_err *err)
{
    struct sluice_buf text;
    struct sluice_java_regex *regex = sluice_java_regex_new(list_pattern, 0, err);
    assert(regex);
    sluice_buf_init(&text, (size_t)1 << 20);
    sluice_buf_adds(&text, "[");
    for (size_t i = 0; list[i]; i++) sluice_buf_addf(&text, "%s%s", i ? ", " : "", list[i]);
    sluice_buf_adds(&text, "]");
    enum sluice_match match = sluice_java_regex_matches(regex, text.data, text.len, err);
    sluice_buf_fini(&text);
    sluice_java_regex_free(regex);
    if (match == SLUICE_MATCH_YES) return true;
    return sluice_err_set(
        err,
        "Invalid %s list format. Please specify a list of rules in the format of "
        "\"source:<tablename>:<fieldnames>\", \"topic:<topicname>:<fieldnames>\", "
        "\"<matchname>:<fieldnames>\"",
        key);
}

static struct rule *rule_for(struct converter *self, enum scope scope, const char *name, size_t len,
                             size_t *cap)
{
    for (size_t i = 0; i < self->n; i++) {
        struct rule *rule = &self->rules[i];
        if (rule->scope != scope || strlen(rule->name) != len) continue;
        if (memcmp(rule->name, name, len) == 0) return rule;
    }
    self->rules = sluice_xgrow(self->rules, self->n, cap, sizeof *self->rules);
    struct rule *rule = &self->rules[self->n++];
    *rule = (struct rule){.scope = scope, .name = sluice_xstrndup(name, len)};
    return rule;
}

/* "source:t", "topic:t:field", "t:field"; a prefix holds for those behind it that have none. */
static void add_rules(struct converter *self, const char *const *list)
{
    size_t cap = 0;
    enum scope scope = SCOPE_EITHER;
    for (; *list; list++) {
        const char *name = *list;
        size_t n = strcspn(name, ":");
        bool topic = n == 5 && strncmp(name, "topic", 5) == 0;
        bool table = n == 6 && strncmp(name, "source", 6) == 0;
        if (name[n] && (topic || table)) {
            scope = topic ? SCOPE_TOPIC : SCOPE_TABLE;
            name += n + 1;
            n = strcspn(name, ":");
        }
        struct rule *rule = rule_for(self, scope, name, n, &cap);
        if (!name[n] || !name[n + 1]) continue;
        size_t fields = rule->n;
        rule->fields = sluice_xrealloc(rule->fields, (fields + 1) * sizeof *rule->fields);
        rule->fields[rule->n++] = sluice_xstrdup(name + n + 1);
    }
}

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **state,
                                struct sluice_err *err)
{
    struct converter *self = sluice_xcalloc(1, sizeof *self);
    *state = self;
    self->task = task;
    self->host = host;
    smt_init(&self->smt, SMT_VALUE, plan_drop);
    const char *const *include = host->list(conf, "include.list");
    const char *const *exclude = host->list(conf, "exclude.list");
    self->include = *include != NULL;
    if (*include && *exclude) {
        return sluice_fail(
            err, "Both include and exclude lists are specified. Please specify only one.");
    }
    if (*include && !list_fits(include, "include", err)) return SLUICE_FAIL;
    if (*exclude && !list_fits(exclude, "exclude", err)) return SLUICE_FAIL;
    self->zone = dbz_zone_new(host->str(conf, "converted.timezone"), err);
    if (!self->zone) return SLUICE_FAIL;
    add_rules(self, *include ? include : exclude);
    return SLUICE_OK;
}

static void close(void *state)
{
    struct converter *self = state;
    if (!self) return;
    smt_fini(&self->smt);
    dbz_zone_free(self->zone);
    for (size_t i = 0; i < self->n; i++) {
        for (size_t k = 0; k < self->rules[i].n; k++) free(self->rules[i].fields[k]);
        free(self->rules[i].fields);
        free(self->rules[i].name);
    }
    free(self->rules);
    free(self);
}

static const struct sluice_option options[] = {
    {"converted.timezone", SLUICE_OPT_STRING, SLUICE_HIGH,
     SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL, NULL, NULL,
     "The zone: America/Los_Angeles, or an offset such as +08:00."},
    {"include.list", SLUICE_OPT_LIST, SLUICE_HIGH, 0, "", NULL, NULL,
     "What to convert: source:<table>, source:<table>:<field>, topic:<topic>, "
     "topic:<topic>:<field> or <table or topic>:<field>; everything when neither list is given."},
    {"exclude.list", SLUICE_OPT_LIST, SLUICE_HIGH, 0, "", NULL, NULL,
     "What to leave as it is, in the same form."},
    {0},
};

DBZ_PLUGIN(debezium_timezone_converter, "timezone-converter", NULL,
           "io.debezium.transforms.TimezoneConverter", "TimezoneConverter");
