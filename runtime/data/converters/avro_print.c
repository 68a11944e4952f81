/* avro_print.c - Avro schemas as the text that Avro's Schema.toString() gives: members in its
 * order, a named type in full where it comes first, by name afterwards. Owner: the converter's
 * thread. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/converters/avro_schema.h"
#include "data/json_io.h"
#include "data/json_text.h"
#include "data/values.h"

struct printer {
    struct sluice_buf *buf;
    struct sluice_err *err;
    const struct avro_schema **seen;
    size_t n, cap;
};

static bool raw(struct printer *p, const char *s)
{
    return sluice_json_raw(p->buf, s, strlen(s), p->err);
}

static bool text(struct printer *p, const char *s)
{
    return sluice_json_string(p->buf, s, strlen(s), p->err);
}

/* ,"key":"s" */
static bool member(struct printer *p, const char *key, const char *s)
{
    return raw(p, ",\"") && raw(p, key) && raw(p, "\":") && text(p, s);
}

static bool print(struct printer *p, const struct avro_schema *schema, const char *space);

static bool props(struct printer *p, const struct avro_schema *schema)
{
    for (size_t i = 0; i < schema->props_n; i++) {
        const struct avro_prop *prop = &schema->props[i];
        if (!raw(p, ",") || !text(p, prop->key) || !raw(p, ":") ||
            !sluice_json_value(p->buf, &prop->value, p->err))
            return false;
    }
    return true;
}

static bool same_text(const char *a, const char *b) /* either may be NULL */
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool field(struct printer *p, const struct avro_field *field, const char *space)
{
    if (!raw(p, "{\"name\":") || !text(p, field->name) || !raw(p, ",\"type\":") ||
        !print(p, field->schema, space))
        return false;
    if (field->doc && !member(p, "doc", field->doc)) return false;
    if (field->has_dflt &&
        (!raw(p, ",\"default\":") || !sluice_json_value(p->buf, &field->dflt, p->err)))
        return false;
    return raw(p, "}");
}

static bool body(struct printer *p, const struct avro_schema *schema)
{
    if (schema->type == AVRO_RECORD) {
        if (!raw(p, ",\"fields\":[")) return false;
        for (uint32_t i = 0; i < schema->n; i++) {
            if ((i && !raw(p, ",")) || !field(p, &schema->fields[i], schema->space)) return false;
        }
        return raw(p, "]");
    }
    if (schema->type == AVRO_ENUM) {
        if (!raw(p, ",\"symbols\":[")) return false;
        for (uint32_t i = 0; i < schema->n; i++) {
            if ((i && !raw(p, ",")) || !text(p, schema->symbols[i])) return false;
        }
        return raw(p, "]") && (!schema->enum_dflt || member(p, "default", schema->enum_dflt));
    }
    char size[32];
    snprintf(size, sizeof size, ",\"size\":%u", schema->size);
    return raw(p, size);
}

static bool same(const struct avro_schema *a, const struct avro_schema *b);

static bool same_fields(const struct avro_schema *a, const struct avro_schema *b)
{
    for (uint32_t i = 0; i < a->n; i++) {
        const struct avro_field *x = &a->fields[i], *y = &b->fields[i];
        if (!same_text(x->name, y->name) || !same_text(x->doc, y->doc) ||
            x->has_dflt != y->has_dflt)
            return false;
        if (x->has_dflt && !sluice_value_equal(&x->dflt, &y->dflt)) return false;
        if (!same(x->schema, y->schema)) return false;
    }
    return true;
}

/* Whether two schemas made from Connect's (no cycles) are equal. */
static bool same(const struct avro_schema *a, const struct avro_schema *b)
{
    if (a == b) return true;
    if (a->type != b->type || a->n != b->n || a->size != b->size || a->props_n != b->props_n ||
        !same_text(a->full, b->full) || !same_text(a->doc, b->doc) ||
        !same_text(a->enum_dflt, b->enum_dflt))
        return false;
    for (size_t i = 0; i < a->props_n; i++) {
        const struct sluice_value *other = avro_prop(b, a->props[i].key);
        if (!other || !sluice_value_equal(&a->props[i].value, other)) return false;
    }
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->type == AVRO_UNION && !same(a->types[i], b->types[i])) return false;
        if (a->type == AVRO_ENUM && strcmp(a->symbols[i], b->symbols[i]) != 0) return false;
    }
    if (a->elem && !same(a->elem, b->elem)) return false;
    return a->type != AVRO_RECORD || same_fields(a, b);
}

/* A type that was printed already: by its name. *done: that was all. */
static bool by_name(struct printer *p, const struct avro_schema *schema, const char *space,
                    bool *done)
{
    *done = false;
    for (size_t i = 0; i < p->n; i++) {
        const struct avro_schema *other = p->seen[i];
        if (strcmp(other->full, schema->full) != 0) continue;
        *done = true;
        if (!same(other, schema))
            return sluice_err_set(p->err,
                                  "Can't redefine: %s: two different parts of the schema have this "
                                  "name, which Avro does not allow",
                                  schema->full);
        return text(p, same_text(schema->space, space) ? schema->name : schema->full);
    }
    p->seen = sluice_xgrow(p->seen, p->n, &p->cap, sizeof *p->seen);
    p->seen[p->n++] = schema;
    return true;
}

static bool print_named(struct printer *p, const struct avro_schema *schema, const char *space)
{
    bool done;
    if (!by_name(p, schema, space, &done)) return false;
    if (done) return true;
    if (!raw(p, "{\"type\":") || !text(p, avro_type_name((enum avro_type)schema->type)) ||
        !member(p, "name", schema->name))
        return false;
    if (!same_text(schema->space, space) &&
        !member(p, "namespace", schema->space ? schema->space : ""))
        return false;
    if (schema->doc && !member(p, "doc", schema->doc)) return false;
    return body(p, schema) && props(p, schema) && raw(p, "}");
}

static bool print(struct printer *p, const struct avro_schema *schema, const char *space)
{
    enum avro_type type = (enum avro_type)schema->type;
    if (schema->full) return print_named(p, schema, space);
    if (type == AVRO_UNION) {
        if (!raw(p, "[")) return false;
        for (uint32_t i = 0; i < schema->n; i++) {
            if ((i && !raw(p, ",")) || !print(p, schema->types[i], space)) return false;
        }
        return raw(p, "]");
    }
    if (type != AVRO_ARRAY && type != AVRO_MAP && schema->props_n == 0)
        return text(p, avro_type_name(type));
    if (!raw(p, "{\"type\":") || !text(p, avro_type_name(type))) return false;
    if (type == AVRO_ARRAY || type == AVRO_MAP) {
        if (!raw(p, type == AVRO_ARRAY ? ",\"items\":" : ",\"values\":") ||
            !print(p, schema->elem, space))
            return false;
    }
    return props(p, schema) && raw(p, "}");
}

bool avro_print(struct sluice_buf *buf, const struct avro_schema *schema, struct sluice_err *err)
{
    struct printer p = {.buf = buf, .err = err};
    assert(schema);
    bool ok = print(&p, schema, NULL);
    free(p.seen);
    return ok;
}
