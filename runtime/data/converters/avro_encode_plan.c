/* avro_encode_plan.c - binds a Connect schema to the Avro schema that it is written by.
 *
 * As a rule that is the one made from it; with use.latest.version or use.schema.id it is another
 * one: fields are matched by name, what is missing is filled from Avro's defaults, what is too much
 * is left out. Owner: the converter's thread. */
#include <assert.h>

#include "base/err.h"
#include "data/converters/avro_plan.h"
#include "data/schema.h"

struct binder {
    struct sluice_batch *batch;
    const struct avro_config *config;
    struct sluice_err *err;
    unsigned nodes;
};

static uint8_t branch_bytes(char out[8], uint32_t number)
{
    uint8_t n = 0;
    uint64_t u = (uint64_t)number << 1;
    for (; u >= 0x80; u >>= 7) out[n++] = (char)(u | 0x80);
    out[n++] = (char)u;
    assert(n <= AVRO_BRANCH_MAX);
    return n;
}

static bool named_alike(const struct binder *b, const struct sluice_schema *schema,
                        const struct avro_schema *avro)
{
    const char *key;
    if (!avro->full) return true;
    if (avro->type == AVRO_ENUM && avro_enum_param(schema, &key))
        return strcmp(avro_param(schema, key), avro->full) == 0;
    if (!schema->name)
        return strncmp(avro->full, AVRO_DEFAULT_NAME, strlen(AVRO_DEFAULT_NAME)) == 0;
    const struct sluice_value *own = avro_prop(avro, "connect.name");
    if (own && own->type == SLUICE_STRING && own->len == strlen(schema->name) &&
        memcmp(own->u.s, schema->name, own->len) == 0)
        return true;
    return strcmp(avro_scrub_full(b->batch, b->config, schema->name), avro->full) == 0;
}

/* 3: this is it; 2: under another name; 1: without loss, as another type; 0: no. */
static int fits(const struct binder *b, const struct sluice_schema *schema,
                const struct avro_schema *avro)
{
    int same = named_alike(b, schema, avro) ? 3 : 2;
    enum avro_type to = (enum avro_type)avro->type;
    switch ((enum sluice_type)schema->type) {
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
        return to == AVRO_INT ? 3 : to == AVRO_LONG || to == AVRO_FLOAT || to == AVRO_DOUBLE;
    case SLUICE_INT64: return to == AVRO_LONG ? 3 : to == AVRO_FLOAT || to == AVRO_DOUBLE;
    case SLUICE_FLOAT32: return to == AVRO_FLOAT ? 3 : to == AVRO_DOUBLE;
    case SLUICE_FLOAT64: return to == AVRO_DOUBLE ? 3 : 0;
    case SLUICE_BOOLEAN: return to == AVRO_BOOLEAN ? 3 : 0;
    case SLUICE_STRING:
        if (to == AVRO_ENUM) return same == 3 ? 3 : 1;
        return to == AVRO_STRING ? 2 : to == AVRO_BYTES;
    case SLUICE_BYTES: return to == AVRO_FIXED ? same : to == AVRO_BYTES ? 2 : 0;
    case SLUICE_ARRAY: return to == AVRO_ARRAY && !avro_is_entry(avro->elem) ? 3 : 0;
    case SLUICE_MAP:
        return to == AVRO_MAP ? 3 : to == AVRO_ARRAY && avro_is_entry(avro->elem) ? 3 : 0;
    case SLUICE_STRUCT: return to == AVRO_RECORD ? same : 0;
    case SLUICE_NULL: break;
    }
    return 0;
}

static bool misfit(struct binder *b, const struct sluice_schema *schema,
                   const struct avro_schema *avro)
{
    return sluice_err_set(b->err, "%s (%s) cannot be written as the registered schema's %s",
                          schema->name ? schema->name : "a value",
                          sluice_type_name((enum sluice_type)schema->type),
                          avro->full ? avro->full : avro_type_name((enum avro_type)avro->type));
}

static bool bind(struct binder *b, const struct sluice_schema *schema,
                 const struct avro_schema *avro, struct avro_enc *enc);

static const struct avro_enc *bind_new(struct binder *b, const struct sluice_schema *schema,
                                       const struct avro_schema *avro)
{
    struct avro_enc *enc = sluice_batch_alloc(b->batch, sizeof *enc);
    return bind(b, schema, avro, enc) ? enc : NULL;
}

/* ---- records ---- */

static int field_for(const struct binder *b, const struct sluice_schema *schema,
                     const struct avro_field *field, uint32_t hint)
{
    for (uint32_t k = 0; k < schema->fields_len; k++) {
        uint32_t i = (hint + k) % schema->fields_len; /* the same order, as a rule */
        const char *name = schema->fields[i].name;
        if (strcmp(name, field->name) == 0) return (int)i;
        if (b->config->scrub && strcmp(avro_scrub(b->batch, b->config, name), field->name) == 0)
            return (int)i;
    }
    return -1;
}

static bool fill(struct binder *b, const struct avro_schema *record, const struct avro_field *field,
                 struct avro_enc_step *step)
{
    struct sluice_buf buf;
    if (!field->has_dflt)
        return sluice_err_set(b->err,
                              "the registered schema's record %s has a field %s without default, "
                              "which the record's schema lacks",
                              record->full, field->name);
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    bool ok = avro_default_encode(&buf, field->schema, &field->dflt, b->err);
    if (ok) {
        step->constant = avro_strndup(b->batch, buf.data ? buf.data : "", buf.len);
        step->constant_len = (uint32_t)buf.len;
    }
    sluice_buf_fini(&buf);
    return ok || sluice_err_wrap(b->err, "field %s", field->name);
}

static bool bind_record(struct binder *b, struct avro_enc *enc)
{
    const struct avro_schema *avro = enc->avro;
    struct avro_enc_step *steps = sluice_batch_alloc(b->batch, avro->n * sizeof *steps);
    memset(steps, 0, avro->n * sizeof *steps);
    for (uint32_t i = 0; i < avro->n; i++) {
        const struct avro_field *field = &avro->fields[i];
        int at = enc->schema->fields_len ? field_for(b, enc->schema, field, i) : -1;
        if (at < 0) {
            if (!fill(b, avro, field, &steps[i])) return false;
            continue;
        }
        const struct sluice_schema *below = enc->schema->fields[at].schema;
        steps[i].field = (uint32_t)at;
        steps[i].enc = bind_new(b, below, field->schema);
        if (!steps[i].enc) return sluice_err_wrap(b->err, "field %s", field->name);
        if (below->has_dflt && !b->config->keep_nulls) steps[i].dflt = &below->dflt;
    }
    enc->steps = steps;
    enc->n = avro->n;
    return true;
}

/* ---- unions ---- */

static int best_member(const struct binder *b, const struct sluice_schema *schema,
                       const struct avro_schema *both)
{
    for (int want = 3; want > 0; want--) {
        for (uint32_t i = 0; i < both->n; i++) {
            if (fits(b, schema, both->types[i]) == want) return (int)i;
        }
    }
    return -1;
}

static void null_member(const struct avro_schema *avro, struct avro_enc *enc)
{
    if (avro->type == AVRO_NULL) enc->nullable = true;
    for (uint32_t i = 0; avro->type == AVRO_UNION && i < avro->n; i++) {
        if (avro->types[i]->type != AVRO_NULL) continue;
        enc->nullable = true;
        enc->null_len = branch_bytes(enc->null_branch, i);
    }
}

static bool bind_union(struct binder *b, const struct avro_schema *avro, struct avro_enc *enc)
{
    const struct sluice_schema *schema = enc->schema;
    struct avro_enc_step *steps = sluice_batch_alloc(b->batch, schema->fields_len * sizeof *steps);
    memset(steps, 0, schema->fields_len * sizeof *steps);
    for (uint32_t i = 0; i < schema->fields_len; i++) {
        steps[i].field = i;
        steps[i].enc = bind_new(b, schema->fields[i].schema, avro);
        if (!steps[i].enc)
            return sluice_err_wrap(b->err, "union member %s", schema->fields[i].name);
        if (schema->fields[i].schema->has_dflt && !b->config->keep_nulls)
            steps[i].dflt = &schema->fields[i].schema->dflt;
    }
    enc->op = AVRO_PUT_UNION;
    enc->steps = steps;
    enc->n = schema->fields_len;
    return true;
}

/* ---- types ---- */

static bool bind_type(struct binder *b, struct avro_enc *enc)
{
    const struct sluice_schema *schema = enc->schema;
    const struct avro_schema *avro = enc->avro;
    bool whole = schema->type <= SLUICE_INT64;
    switch ((enum avro_type)avro->type) {
    case AVRO_NULL: enc->op = AVRO_PUT_NULL; return true;
    case AVRO_BOOLEAN: enc->op = AVRO_PUT_BOOLEAN; return true;
    case AVRO_INT:
    case AVRO_LONG: enc->op = AVRO_PUT_LONG; return true;
    case AVRO_FLOAT: enc->op = whole ? AVRO_PUT_INT_FLOAT : AVRO_PUT_FLOAT; return true;
    case AVRO_DOUBLE: enc->op = whole ? AVRO_PUT_INT_DOUBLE : AVRO_PUT_DOUBLE; return true;
    case AVRO_BYTES:
    case AVRO_STRING: enc->op = AVRO_PUT_BYTES; return true;
    case AVRO_FIXED: enc->op = AVRO_PUT_FIXED; return true;
    case AVRO_ENUM: enc->op = AVRO_PUT_ENUM; return true;
    case AVRO_RECORD: enc->op = AVRO_PUT_RECORD; return bind_record(b, enc);
    case AVRO_MAP:
        if (schema->key->type != SLUICE_STRING) return misfit(b, schema, avro);
        enc->op = AVRO_PUT_MAP;
        enc->elem = bind_new(b, schema->elem, avro->elem);
        return enc->elem != NULL;
    case AVRO_ARRAY:
        if (schema->type == SLUICE_ARRAY) {
            enc->op = AVRO_PUT_ARRAY;
            enc->elem = bind_new(b, schema->elem, avro->elem);
            return enc->elem != NULL;
        }
        if (avro->elem->n != 2 || strcmp(avro->elem->fields[0].name, "key") != 0)
            return misfit(b, schema, avro);
        enc->op = AVRO_PUT_ENTRIES;
        enc->key = bind_new(b, schema->key, avro->elem->fields[0].schema);
        enc->elem = enc->key ? bind_new(b, schema->elem, avro->elem->fields[1].schema) : NULL;
        return enc->elem != NULL;
    case AVRO_UNION: break;
    }
    return misfit(b, schema, avro);
}

static bool bind(struct binder *b, const struct sluice_schema *schema,
                 const struct avro_schema *avro, struct avro_enc *enc)
{
    memset(enc, 0, sizeof *enc);
    if (++b->nodes > AVRO_NODES_MAX)
        return sluice_err_set(b->err, "the schema has more than %u parts", AVRO_NODES_MAX);
    enc->schema = schema;
    enc->type = schema->type;
    null_member(avro, enc);
    if (avro_is_union(schema)) return bind_union(b, avro, enc);
    if (avro->type == AVRO_UNION) {
        int at = best_member(b, schema, avro);
        if (at < 0) return misfit(b, schema, avro);
        enc->branch_len = branch_bytes(enc->branch, (uint32_t)at);
        avro = avro->types[at];
    } else if (!fits(b, schema, avro)) {
        return misfit(b, schema, avro);
    }
    enc->avro = avro;
    return bind_type(b, enc);
}

const struct avro_enc *avro_enc_plan(struct sluice_batch *batch, const struct avro_config *config,
                                     const struct sluice_schema *schema,
                                     const struct avro_schema *avro, struct sluice_err *err)
{
    struct binder b = {.batch = batch, .config = config, .err = err};
    assert(schema && avro);
    return bind_new(&b, schema, avro);
}
