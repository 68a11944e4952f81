/* avro_to_connect.c - Avro schemas to Connect's, as Confluent's AvroData makes them.
 *
 * A description is built in the batch and interned at its end. Connect's schemas here are trees, so
 * that an Avro record that holds itself is refused; all parts are counted where they are used, as
 * records of records may unfold to more than memory holds. Owner: the converter's thread. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "data/converters/avro_schema.h"
#include "data/decimal.h"
#include "data/json_text.h"
#include "data/schema.h"

#define DATA "org.apache.kafka.connect.data."

struct maker {
    struct sluice_batch *batch;
    const struct avro_config *config;
    struct sluice_err *err;
    unsigned nodes, unions;
};

struct draft { /* a description and its parameters as they grow */
    struct sluice_schema *schema;
    struct sluice_param *params;
    size_t cap;
};

/* ---- what other files ask, too ---- */

const char *avro_param(const struct sluice_schema *schema, const char *key)
{
    for (uint32_t i = 0; i < schema->params_len; i++) {
        if (strcmp(schema->params[i].key, key) == 0) return schema->params[i].value;
    }
    return NULL;
}

bool avro_is_union(const struct sluice_schema *schema)
{
    return schema->type == SLUICE_STRUCT &&
           (sluice_schema_named(schema, AVRO_UNION_NAME) || avro_param(schema, AVRO_SUM_UNION));
}

size_t avro_enum_param(const struct sluice_schema *schema, const char **key)
{
    static const char *const keys[] = {AVRO_SUM_ENUM, AVRO_ENUM_PARAM};
    for (int i = 0; i < 2 && schema->type == SLUICE_STRING; i++) {
        *key = keys[i];
        if (avro_param(schema, *key)) return strlen(*key);
    }
    return 0;
}

bool avro_is_entry(const struct avro_schema *elem)
{
    if (elem->type != AVRO_RECORD) return false;
    if (strcmp(elem->full, AVRO_SPACE ".MapEntry") == 0) return true;
    const struct sluice_value *type = avro_prop(elem, AVRO_ENTRY_TYPE);
    return type && type->type == SLUICE_STRING && type->len == 8 &&
           memcmp(type->u.s, "MapEntry", 8) == 0;
}

bool avro_string_keys(const struct avro_config *config, const struct sluice_schema *map)
{
    return map->key->type == SLUICE_STRING && (!map->key->optional || config->optional_keys);
}

/* ---- drafts ---- */

static void param(struct maker *m, struct draft *d, const char *key, const char *value)
{
    struct sluice_schema *schema = d->schema;
    for (uint32_t i = 0; i < schema->params_len; i++) {
        if (strcmp(d->params[i].key, key) != 0) continue;
        d->params[i].value = value;
        return;
    }
    if (schema->params_len == d->cap) {
        d->cap = d->cap ? 2 * d->cap : 8;
        struct sluice_param *params = sluice_batch_alloc(m->batch, d->cap * sizeof *params);
        if (schema->params_len) memcpy(params, d->params, schema->params_len * sizeof *params);
        d->params = params;
        schema->params = params;
    }
    assert(schema->params == d->params && schema->params_len < d->cap);
    d->params[schema->params_len].key = key;
    d->params[schema->params_len++].value = value;
}

static const char *joined(struct maker *m, const char *a, const char *b)
{
    size_t n = strlen(a), len = strlen(b);
    char *out = sluice_batch_alloc(m->batch, n + len + 1);
    memcpy(out, a, n);
    memcpy(out + n, b, len + 1);
    return out;
}

static const char *number_text(struct maker *m, long long n)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%lld", n);
    return avro_strndup(m->batch, text, (size_t)len);
}

static bool is_text(const struct sluice_value *v, const char *word)
{
    return v && v->type == SLUICE_STRING && v->len == strlen(word) &&
           strncasecmp(v->u.s, word, v->len) == 0;
}

static void logical(struct draft *d, enum sluice_type type, const char *name)
{
    d->schema->type = (uint8_t)type;
    d->schema->name = name;
    d->schema->has_version = true;
    d->schema->version = 1;
}

/* ---- types ---- */

static bool make(struct maker *m, struct avro_schema *avro, bool optional,
                 const struct sluice_value *dflt, const char *doc, int32_t version,
                 struct sluice_schema *out);

static const struct sluice_schema *make_new(struct maker *m, struct avro_schema *avro,
                                            bool optional)
{
    struct sluice_schema *schema = sluice_batch_alloc(m->batch, sizeof *schema);
    return make(m, avro, optional, NULL, NULL, 0, schema) ? schema : NULL;
}

static bool make_bytes(struct maker *m, struct avro_schema *avro, struct draft *d)
{
    d->schema->type = SLUICE_BYTES;
    if (is_text(avro_prop(avro, "logicalType"), "decimal")) {
        const struct sluice_value *scale = avro_prop(avro, "scale");
        const struct sluice_value *precision = avro_prop(avro, "precision");
        bool scaled = scale && scale->type == SLUICE_INT64;
        logical(d, SLUICE_BYTES, SLUICE_DECIMAL_NAME);
        param(m, d, "scale", number_text(m, scaled ? (int32_t)scale->u.i : 0));
        if (precision && precision->type != SLUICE_INT64)
            return sluice_err_set(m->err, "precision property must be a JSON Integer.");
        if (precision && precision->u.i != 64)
            param(m, d, AVRO_PRECISION, number_text(m, (int32_t)precision->u.i));
    }
    if (avro->type == AVRO_FIXED) param(m, d, AVRO_FIXED_SIZE, number_text(m, avro->size));
    return true;
}

static bool make_int(struct maker *m, struct avro_schema *avro, struct draft *d)
{
    const struct sluice_value *type = avro_prop(avro, "connect.type");
    const struct sluice_value *word = avro_prop(avro, "logicalType");
    bool typed = type && type->type == SLUICE_STRING, worded = word && word->type == SLUICE_STRING;
    d->schema->type = SLUICE_INT32;
    if (worded) {
        if (is_text(word, "date")) logical(d, SLUICE_INT32, DATA "Date");
        else if (is_text(word, "time-millis")) logical(d, SLUICE_INT32, DATA "Time");
    } else if (typed) {
        if (is_text(type, "int8")) d->schema->type = SLUICE_INT8;
        else if (is_text(type, "int16")) d->schema->type = SLUICE_INT16;
        else return sluice_err_set(m->err, "Connect type annotation for Avro int field is null");
    }
    return true;
}

static bool make_array(struct maker *m, struct avro_schema *avro, struct draft *d)
{
    struct avro_schema *elem = avro->elem;
    d->schema->type = SLUICE_ARRAY;
    if (avro_is_entry(elem)) {
        int key = avro_field_of(elem, "key"), value = avro_field_of(elem, "value");
        if (elem->n != 2 || key < 0 || value < 0)
            return sluice_err_set(m->err, "Found map encoded as array of key-value pairs, but "
                                          "array elements do not match the expected format.");
        d->schema->type = SLUICE_MAP;
        d->schema->key = make_new(m, elem->fields[key].schema, false);
        d->schema->elem = d->schema->key ? make_new(m, elem->fields[value].schema, false) : NULL;
    } else {
        d->schema->elem = make_new(m, elem, false);
    }
    return d->schema->elem != NULL;
}

static bool make_map(struct maker *m, struct avro_schema *avro, struct draft *d)
{
    static const struct sluice_schema key = {.type = SLUICE_STRING};
    d->schema->type = SLUICE_MAP;
    d->schema->key = &key;
    d->schema->elem = make_new(m, avro->elem, false);
    return d->schema->elem != NULL;
}

static bool make_record(struct maker *m, struct avro_schema *avro, struct draft *d)
{
    bool docs = !m->config->discard && m->config->metadata;
    struct sluice_field *fields = sluice_batch_alloc(m->batch, avro->n * sizeof *fields);
    d->schema->type = SLUICE_STRUCT;
    if (docs && avro->doc) param(m, d, AVRO_RECORD_DOC, avro->doc);
    for (uint32_t i = 0; i < avro->n; i++) {
        const struct avro_field *field = &avro->fields[i];
        struct sluice_schema *schema = sluice_batch_alloc(m->batch, sizeof *schema);
        if (docs && field->doc) param(m, d, joined(m, AVRO_FIELD_DOC, field->name), field->doc);
        if (!make(m, field->schema, false, field->has_dflt ? &field->dflt : NULL, field->doc, 0,
                  schema))
            return sluice_err_wrap(m->err, "field %s", field->name);
        fields[i].name = field->name;
        fields[i].schema = schema;
    }
    d->schema->fields = fields;
    d->schema->fields_len = avro->n;
    return true;
}

static bool make_enum(struct maker *m, struct avro_schema *avro, struct draft *d)
{
    const char *key = m->config->sums ? AVRO_SUM_ENUM : AVRO_ENUM_PARAM;
    const char *prefix = joined(m, key, ".");
    bool discard = m->config->discard;
    d->schema->type = SLUICE_STRING;
    if (m->config->metadata && avro->doc)
        param(m, d, discard ? "connect.enum.doc" : joined(m, AVRO_ENUM_DOC, avro->name), avro->doc);
    if (m->config->metadata && avro->enum_dflt && !discard)
        param(m, d, joined(m, AVRO_ENUM_DEFAULT, avro->name), avro->enum_dflt);
    param(m, d, key, avro->full);
    for (uint32_t i = 0; i < avro->n; i++) {
        param(m, d, joined(m, prefix, avro->symbols[i]),
              m->config->sums ? number_text(m, i) : avro->symbols[i]);
    }
    return true;
}

/* The field of a union's struct that stands for a member. */
static const char *member_name(struct maker *m, const struct avro_schema *member, uint32_t i)
{
    if (m->config->sums) return joined(m, "connect_union_field_", number_text(m, i));
    if (!member->full) return avro_type_name((enum avro_type)member->type);
    return m->config->enhanced ? member->full : avro_scrub(m->batch, m->config, member->name);
}

static bool make_union(struct maker *m, struct avro_schema *avro, struct draft *d)
{
    struct sluice_field *fields = sluice_batch_alloc(m->batch, avro->n * sizeof *fields);
    uint32_t n = 0;
    d->schema->type = SLUICE_STRUCT;
    d->schema->name = AVRO_UNION_NAME;
    if (m->config->sums) {
        d->schema->name = joined(m, "connect_union_", number_text(m, m->unions++));
        param(m, d, AVRO_SUM_UNION, d->schema->name);
    }
    for (uint32_t i = 0; i < avro->n; i++) {
        struct avro_schema *member = avro->types[i];
        if (member->type == AVRO_NULL) {
            d->schema->optional = true;
            continue;
        }
        fields[n].name = member_name(m, member, i);
        for (uint32_t j = 0; j < n; j++) {
            if (strcmp(fields[j].name, fields[n].name) == 0)
                return sluice_err_set(m->err,
                                      "Multiple union schemas map to the Connect union field name "
                                      "%s; set enhanced.avro.schema.support=true",
                                      fields[n].name);
        }
        fields[n].schema = make_new(m, member, true);
        if (!fields[n++].schema) return false;
    }
    assert(n <= avro->n);
    d->schema->fields = fields;
    d->schema->fields_len = n;
    return true;
}

static bool make_type(struct maker *m, struct avro_schema *avro, struct draft *d)
{
    switch ((enum avro_type)avro->type) {
    case AVRO_BOOLEAN: d->schema->type = SLUICE_BOOLEAN; return true;
    case AVRO_INT: return make_int(m, avro, d);
    case AVRO_LONG:
        d->schema->type = SLUICE_INT64;
        if (is_text(avro_prop(avro, "logicalType"), "timestamp-millis"))
            logical(d, SLUICE_INT64, DATA "Timestamp");
        return true;
    case AVRO_FLOAT: d->schema->type = SLUICE_FLOAT32; return true;
    case AVRO_DOUBLE: d->schema->type = SLUICE_FLOAT64; return true;
    case AVRO_BYTES:
    case AVRO_FIXED: return make_bytes(m, avro, d);
    case AVRO_STRING: d->schema->type = SLUICE_STRING; return true;
    case AVRO_RECORD: return make_record(m, avro, d);
    case AVRO_ENUM: return make_enum(m, avro, d);
    case AVRO_ARRAY: return make_array(m, avro, d);
    case AVRO_MAP: return make_map(m, avro, d);
    case AVRO_UNION: return make_union(m, avro, d);
    case AVRO_NULL: break;
    }
    return sluice_err_set(m->err, "Standalone null schemas are not supported by this converter");
}

/* ---- what stands in properties ---- */

static void doc_of(struct maker *m, struct avro_schema *avro, const char *doc, struct draft *d)
{
    const char *own = avro_prop_text(m->batch, avro, "connect.doc");
    if (!m->config->discard) {
        if (m->config->metadata) d->schema->doc = own;
        return;
    }
    d->schema->doc = doc ? doc : avro->doc ? avro->doc : own;
    if (m->config->metadata && avro->doc) param(m, d, "connect.record.doc", avro->doc);
}

static bool version_of(struct maker *m, struct avro_schema *avro, int32_t version, struct draft *d)
{
    const struct sluice_value *own = avro_prop(avro, "connect.version");
    if (own && own->type != SLUICE_INT64 && own->type != SLUICE_FLOAT64)
        return sluice_err_set(m->err, "Invalid Connect version found");
    int32_t n = own ? own->type == SLUICE_INT64 ? (int32_t)own->u.i : (int32_t)own->u.d : version;
    if (!own && version <= 0) return true;
    if (n < 0) return true;
    if (d->schema->has_version && d->schema->version != n)
        return sluice_err_set(m->err,
                              "Mismatched versions: version already added to SchemaBuilder (%d) "
                              "differs from version in source schema (%d)",
                              (int)d->schema->version, (int)n);
    d->schema->has_version = true;
    d->schema->version = n;
    return true;
}

static bool params_of(struct maker *m, struct avro_schema *avro, struct draft *d)
{
    const struct sluice_value *params = avro_prop(avro, "connect.parameters");
    if (m->config->metadata && params) {
        if (params->type != SLUICE_MAP)
            return sluice_err_set(m->err, "Expected JSON object for schema parameters");
        for (uint32_t i = 0; i < params->len; i++) {
            const struct sluice_value *key = &params->u.v[2 * i], *value = key + 1;
            if (value->type != SLUICE_STRING)
                return sluice_err_set(m->err, "Expected schema parameter values to be strings");
            param(m, d, avro_strndup(m->batch, key->u.s, key->len),
                  avro_strndup(m->batch, value->u.s, value->len));
        }
    }
    for (size_t i = 0; i < avro->props_n; i++) {
        const struct avro_prop *prop = &avro->props[i];
        struct sluice_buf text;
        if (strncmp(prop->key, "avro", 4) != 0) continue;
        sluice_buf_init(&text, SLUICE_BUF_MAX);
        bool ok = prop->value.type == SLUICE_STRING
                      ? sluice_buf_add(&text, prop->value.u.s, prop->value.len)
                      : sluice_json_value(&text, &prop->value, m->err);
        if (ok) param(m, d, prop->key, avro_strndup(m->batch, sluice_buf_str(&text), text.len));
        sluice_buf_fini(&text);
        if (!ok) return false;
    }
    return true;
}

static void default_of(struct maker *m, struct avro_schema *avro, const struct sluice_value *dflt,
                       struct draft *d)
{
    const struct sluice_value *own = avro_prop(avro, "connect.default");
    struct sluice_value v;
    if (!dflt) dflt = own;
    else if (!m->config->discard && m->config->metadata && !own)
        param(m, d, AVRO_FIELD_DEFAULT, "true");
    /* One that does not fit is passed over, as in Java. */
    if (!dflt || dflt->type == SLUICE_NULL ||
        !avro_default_read(m->batch, avro, d->schema, dflt, &v) || v.type == SLUICE_NULL)
        return;
    d->schema->has_dflt = true;
    d->schema->dflt = v;
}

static bool name_of(struct maker *m, struct avro_schema *avro, struct draft *d)
{
    const struct sluice_value *own = avro_prop(avro, "connect.name");
    const char *name = avro->full;
    if (own && own->type != SLUICE_STRING) return sluice_err_set(m->err, "Invalid schema name");
    if (own) name = avro_strndup(m->batch, own->u.s, own->len);
    if (!name || strncmp(name, AVRO_DEFAULT_NAME, strlen(AVRO_DEFAULT_NAME)) == 0) return true;
    if (!d->schema->name) {
        d->schema->name = name;
    } else if (own && strcmp(d->schema->name, name) != 0) {
        return sluice_err_set(m->err,
                              "Mismatched names: name already added to SchemaBuilder (%s) differs "
                              "from name in source schema (%s)",
                              d->schema->name, name);
    }
    return true;
}

/* [null, X] and [X]: X. NULL: another union. */
static struct avro_schema *only_member(const struct maker *m, const struct avro_schema *avro)
{
    if (avro->n == 1 && m->config->flatten) return avro->types[0];
    if (avro->n != 2) return NULL;
    if (avro->types[0]->type == AVRO_NULL) return avro->types[1];
    return avro->types[1]->type == AVRO_NULL ? avro->types[0] : NULL;
}

static bool make(struct maker *m, struct avro_schema *avro, bool optional,
                 const struct sluice_value *dflt, const char *doc, int32_t version,
                 struct sluice_schema *out)
{
    memset(out, 0, sizeof *out);
    if (++m->nodes > AVRO_NODES_MAX)
        return sluice_err_set(m->err, "the Avro schema unfolds to more than %u parts",
                              AVRO_NODES_MAX);
    if (avro->open)
        return sluice_err_set(m->err,
                              "the Avro type %s holds itself; recursive schemas are not supported",
                              avro->full ? avro->full : "?");
    if (avro->type == AVRO_UNION) {
        struct avro_schema *only = only_member(m, avro);
        if (only) return make(m, only, avro->n == 2, NULL, doc, 0, out);
    }
    struct draft d = {.schema = out};
    avro->open = true;
    bool ok = make_type(m, avro, &d);
    avro->open = false;
    if (!ok) return false;
    doc_of(m, avro, doc, &d);
    if (!version_of(m, avro, version, &d) || !params_of(m, avro, &d)) return false;
    default_of(m, avro, dflt, &d);
    if (!name_of(m, avro, &d)) return false;
    out->optional = out->optional || optional;
    return true;
}

bool avro_to_connect(struct sluice_batch *batch, const struct avro_config *config,
                     const struct avro_schema *schema, int32_t version,
                     const struct sluice_schema **out, struct sluice_err *err)
{
    struct maker m = {.batch = batch, .config = config, .err = err};
    struct sluice_schema description;
    *out = NULL;
    if (schema->full && strcmp(schema->full, AVRO_ANYTHING) == 0) return true;
    /* open marks are taken back before it returns */
    if (!make(&m, (struct avro_schema *)schema, false, NULL, NULL, version, &description))
        return false;
    *out = sluice_schema_intern(&description);
    return true;
}
