/* fields.c - columns: what a new table gets, and what an existing one must become for some rows.
 * Works on the API's own form of a schema, so that whatever a table has and we know nothing of
 * (policies, collations, columns of others) goes back as it came. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sink.h"

struct update { /* one comparison, all levels */
    const struct bq_config *config;
    bool changed, initial; /* initial: the table has no schema yet */
    char denied[512];      /* what would help but is not allowed; empty: nothing */
    struct sluice_err *err;
};

static const char *text_of(const json_t *field, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(field, key));
    return text ? text : fallback;
}

static const char *name_of(const json_t *field) { return text_of(field, "name", ""); }

static bool has_mode(const json_t *field, const char *mode)
{
    return strcasecmp(text_of(field, "mode", "NULLABLE"), mode) == 0;
}

static bool is_record(const json_t *field)
{
    const char *type = text_of(field, "type", "");
    return strcasecmp(type, "RECORD") == 0 || strcasecmp(type, "STRUCT") == 0;
}

static void set_mode(json_t *field, const char *mode)
{
    json_object_set_new(field, "mode", json_string(mode));
}

static json_t *find(const json_t *fields, const char *name)
{
    size_t i;
    json_t *field;
    json_array_foreach((json_t *)(uintptr_t)fields, i,
                       field) if (strcasecmp(name_of(field), name) == 0) return field;
    return NULL;
}

/* ---- schemas of records folded into one ---- */

static bool fold(json_t *into, const json_t *other, struct sluice_err *err)
{
    size_t i;
    json_t *field;
    json_array_foreach(into, i, field) if (!find(other, name_of(field)) &&
                                           has_mode(field, "REQUIRED")) set_mode(field, "NULLABLE");
    json_array_foreach((json_t *)(uintptr_t)other, i, field)
    {
        json_t *known = find(into, name_of(field));
        if (!known) {
            json_t *new = json_deep_copy(field);
            if (has_mode(new, "REQUIRED")) set_mode(new, "NULLABLE");
            json_array_append_new(into, new);
            continue;
        }
        if (has_mode(known, "REPEATED") != has_mode(field, "REPEATED") ||
            is_record(known) != is_record(field)) {
            snprintf(err->msg, sizeof err->msg,
                     "column %s is %s %s by one record schema and %s %s by another", name_of(field),
                     text_of(known, "mode", "NULLABLE"), text_of(known, "type", ""),
                     text_of(field, "mode", "NULLABLE"), text_of(field, "type", ""));
            return false;
        }
        if (has_mode(field, "NULLABLE")) set_mode(known, "NULLABLE");
        if (is_record(known) &&
            !fold(json_object_get(known, "fields"), json_object_get(field, "fields"), err))
            return false;
    }
    return true;
}

static json_t *fold_shapes(const struct bq_batch *batch, size_t first, struct sluice_err *err)
{
    const struct bq_config *config = &batch->lane->sink->config;
    assert(batch->shapes_len > first);
    json_t *fields = bq_shape_fields(batch->shapes[first], config);
    for (size_t i = first + 1; i < batch->shapes_len; i++) {
        json_t *other = bq_shape_fields(batch->shapes[i], config);
        bool ok = fold(fields, other, err);
        json_decref(other);
        if (ok) continue;
        json_decref(fields);
        return NULL;
    }
    return fields;
}

json_t *bq_fields_new(const struct bq_batch *batch, struct sluice_err *err)
{
    bool all = batch->lane->sink->config.union_schemas;
    return fold_shapes(batch, all ? 0 : batch->shapes_len - 1, err);
}

/* ---- a table's schema brought up to the records' ---- */

static bool update_level(struct update *up, json_t *fields, const json_t *wanted);

static bool add_field(struct update *up, json_t *fields, const json_t *wanted)
{
    const char *name = name_of(wanted);
    json_t *new = json_deep_copy(wanted);
    if (!up->initial && !up->config->new_fields) {
        snprintf(up->err->msg, sizeof up->err->msg,
                 "New Field found with the name %s, while adding columns is not allowed: set "
                 "allowNewBigQueryFields to true, or add the column",
                 name);
    } else if (!up->initial && has_mode(new, "REQUIRED") && !up->config->relax_fields) {
        snprintf(up->err->msg, sizeof up->err->msg,
                 "New Field found with the name %s is REQUIRED, and a table can only be given "
                 "NULLABLE ones: set allowBigQueryRequiredFieldRelaxation to true, or add it",
                 name);
    } else {
        if (!up->initial && has_mode(new, "REQUIRED")) set_mode(new, "NULLABLE");
        json_array_append_new(fields, new);
        up->changed = true;
        return true;
    }
    json_decref(new);
    return false;
}

static void relax(struct update *up, json_t *field, const char *why, bool allowed)
{
    if (allowed) {
        set_mode(field, "NULLABLE");
        up->changed = true;
    } else if (!up->denied[0]) {
        snprintf(up->denied, sizeof up->denied, "column %s is REQUIRED, but %s", name_of(field),
                 why);
    }
}

static bool update_field(struct update *up, json_t *field, const json_t *wanted)
{
    if (has_mode(field, "REPEATED") != has_mode(wanted, "REPEATED") ||
        is_record(field) != is_record(wanted)) {
        snprintf(up->err->msg, sizeof up->err->msg,
                 "column %s is %s %s, but the records have %s %s: a column's type cannot change",
                 name_of(field), text_of(field, "mode", "NULLABLE"), text_of(field, "type", ""),
                 text_of(wanted, "mode", "NULLABLE"), text_of(wanted, "type", ""));
        return false;
    }
    if (has_mode(field, "REQUIRED") && has_mode(wanted, "NULLABLE"))
        relax(up, field,
              "optional in the records: set allowBigQueryRequiredFieldRelaxation to true",
              up->config->relax_fields);
    return !is_record(field) ||
           update_level(up, json_object_get(field, "fields"), json_object_get(wanted, "fields"));
}

static bool update_level(struct update *up, json_t *fields, const json_t *wanted)
{
    size_t i;
    json_t *field;
    json_array_foreach(fields, i,
                       field) if (!find(wanted, name_of(field)) && has_mode(field, "REQUIRED"))
        relax(up, field,
              "the records lack it: set allowSchemaUnionization and "
              "allowBigQueryRequiredFieldRelaxation to true",
              up->config->union_schemas && up->config->relax_fields);
    json_array_foreach((json_t *)(uintptr_t)wanted, i, field)
    {
        json_t *known = find(fields, name_of(field));
        if (known ? !update_field(up, known, field) : !add_field(up, fields, field)) return false;
    }
    return true;
}

json_t *bq_fields_update(const struct bq_batch *batch, const json_t *existing, bool *changed,
                         struct sluice_err *err)
{
    struct update up = {.config = &batch->lane->sink->config, .err = err};
    json_t *wanted = fold_shapes(batch, 0, err);
    if (!wanted) return NULL;
    json_t *fields = existing ? json_deep_copy(existing) : json_array();
    up.initial = json_array_size(fields) == 0;
    bool ok = update_level(&up, fields, wanted);
    json_decref(wanted);
    if (ok && !up.changed && up.denied[0]) {
        snprintf(err->msg, sizeof err->msg, "%s", up.denied);
        ok = false;
    }
    *changed = up.changed;
    if (ok) return fields;
    json_decref(fields);
    return NULL;
}
