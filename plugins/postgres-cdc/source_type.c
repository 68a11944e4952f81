/* source_type.c - a column's type as Debezium describes it: see mapping.h.
 *
 * The numbers are those of the Java driver, which Debezium asks. */
#include <stdio.h>
#include <string.h>

#include "mapping.h"

#define UNLIMITED INT32_MAX
#define NUMERIC_DIGITS 131089 /* before and after the point */

struct fixed {
    const char *name;
    int32_t length, scale;
};

static const struct fixed fixed_types[] = {{"int2", 5, 0},  {"int4", 10, 0},  {"oid", 10, 0},
                                           {"int8", 19, 0}, {"float4", 8, 8}, {"float8", 17, 17},
                                           {"bool", 1, 0},  {"char", 1, 0},   {"date", 13, 0}};

/* Times are as long as their text at this precision. */
static const struct fixed time_types[] = {
    {"time", 8, 0}, {"timetz", 14, 0}, {"timestamp", 22, 0}, {"timestamptz", 28, 0}};

static bool is(const char *name, const char *other) { return !strcmp(name, other); }

static void measure(const char *name, int32_t typmod, bool snapshot, struct cdc_source_type *out)
{
    out->length = UNLIMITED;
    out->scale = 0;
    for (size_t i = 0; i < sizeof(fixed_types) / sizeof(*fixed_types); i++)
        if (is(fixed_types[i].name, name)) {
            out->length = fixed_types[i].length;
            out->scale = fixed_types[i].scale;
        }
    for (size_t i = 0; i < sizeof(time_types) / sizeof(*time_types); i++)
        if (is(time_types[i].name, name)) {
            out->scale = typmod < 0 ? 6 : typmod;
            out->length = time_types[i].length + (out->scale ? out->scale + 1 : 0);
            if (out->scale == 1) out->length++; /* the driver's reckoning */
        }
    if (is(name, "interval")) {
        out->length = 49;
        out->scale = typmod < 0 ? 6 : typmod & 0xffff;
    } else if (is(name, "numeric") && typmod < 4) {
        out->length = snapshot ? 0 : NUMERIC_DIGITS;
        out->has_scale = !snapshot;
    } else if (is(name, "numeric")) {
        out->length = (typmod - 4) >> 16 & 0xffff;
        out->scale = (typmod - 4) & 0xffff;
    } else if ((is(name, "bpchar") || is(name, "varchar")) && typmod >= 4) {
        out->length = typmod - 4;
    } else if (is(name, "bit") || (is(name, "varbit") && typmod >= 0)) {
        out->length = typmod;
    }
}

static bool of_text(const struct cdc_type *type)
{
    static const char *const names[] = {"text", "varchar", "bpchar", "char", "name"};
    if (type->kind == 'e') return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (is(type->name, names[i])) return is(type->schema, "pg_catalog");
    return false;
}

static void name_of(const struct cdc_type *type, bool auto_increment, bool snapshot,
                    struct cdc_source_type *out)
{
    static const char *const serials[3][2] = {
        {"int2", "smallserial"}, {"int4", "serial"}, {"int8", "bigserial"}};
    const char *name = type->name;
    for (size_t i = 0; i < 3 && snapshot && auto_increment; i++)
        if (is(serials[i][0], type->name)) name = serials[i][1];
    bool on_path = is(type->schema, "pg_catalog") || is(type->schema, "public");
    if (!snapshot || on_path) snprintf(out->name, sizeof(out->name), "%s", name);
    else snprintf(out->name, sizeof(out->name), "\"%s\".\"%s\"", type->schema, name);
}

void cdc_source_type(const struct cdc_types *types, uint32_t oid, int32_t typmod,
                     bool auto_increment, bool snapshot, struct cdc_source_type *out)
{
    memset(out, 0, sizeof(*out));
    out->has_length = out->has_scale = true;
    out->length = UNLIMITED;
    const struct cdc_type *type = cdc_types_find(types, oid);
    if (!type) return;
    name_of(type, auto_increment, snapshot, out);
    snapshot = snapshot && type->kind != 'd' && !type->elem; /* of others it tells no less */
    for (int depth = 0; type && type->kind == 'd' && depth < 32; depth++) {
        if (type->typmod >= 0) typmod = type->typmod;
        type = cdc_types_find(types, type->base);
    }
    const struct cdc_type *elem = type && type->elem ? cdc_types_find(types, type->elem) : type;
    if (!type) return;
    out->text = !type->elem && of_text(type);
    if (elem && is(elem->schema, "pg_catalog")) measure(elem->name, typmod, snapshot, out);
}
