/* avro_decode_plan.c - binds a writer's Avro schema, the reader's and its Connect schema.
 *
 * As a rule writer and reader are the same schema. When they differ (use.latest.version) this is
 * Avro's schema resolution, done once: promotions, fields by name and alias, defaults. Owner: the
 * converter's thread. */
#include <assert.h>

#include "base/err.h"
#include "data/converters/avro_plan.h"
#include "data/decimal.h"
#include "data/schema.h"

struct binder {
    struct sluice_batch *batch;
    struct sluice_err *err;
    unsigned nodes;
};

/* Reads what nobody wants: no Connect schema. */
static const struct avro_dec *bind_skip(struct binder *b, const struct avro_schema *w);
static const struct avro_dec *bind(struct binder *b, const struct avro_schema *w,
                                   const struct avro_schema *r, const struct sluice_schema *schema);

static struct avro_dec *dec_new(struct binder *b, enum avro_dec_op op, enum sluice_type type)
{
    struct avro_dec *dec = sluice_batch_alloc(b->batch, sizeof *dec);
    memset(dec, 0, sizeof *dec);
    dec->op = (uint8_t)op;
    dec->type = (uint8_t)type;
    if (++b->nodes <= AVRO_NODES_MAX) return dec;
    sluice_err_set(b->err, "the Avro schema unfolds to more than %u parts", AVRO_NODES_MAX);
    return NULL;
}

/* The bytes that a value takes at least. */
static uint32_t least_bytes(const struct avro_dec *dec)
{
    uint32_t n = 0;
    switch ((enum avro_dec_op)dec->op) {
    case AVRO_GET_NULL:
    case AVRO_GET_BAD: return 0;
    case AVRO_GET_FLOAT: return 4;
    case AVRO_GET_DOUBLE: return 8;
    case AVRO_GET_FIXED: return dec->n;
    case AVRO_GET_WRAP: return least_bytes(dec->elem);
    case AVRO_GET_RECORD:
        for (uint32_t i = 0; i < dec->n && n < 1024; i++) n += least_bytes(dec->steps[i].dec);
        return n;
    default: return 1;
    }
}

/* ---- types ---- */

static const struct avro_dec *bind_enum(struct binder *b, const struct avro_schema *w,
                                        const struct avro_schema *r,
                                        const struct sluice_schema *schema)
{
    const char *key;
    size_t skip = schema ? avro_enum_param(schema, &key) : 0;
    struct avro_dec *dec = dec_new(b, AVRO_GET_ENUM, SLUICE_STRING);
    struct sluice_value *symbols = sluice_batch_alloc(b->batch, w->n * sizeof *symbols);
    if (!dec) return NULL;
    for (uint32_t i = 0; i < w->n; i++) {
        const char *name = w->symbols[i];
        symbols[i] = sluice_null();
        for (int again = 0; skip && again < 2 && name; again++) {
            /* The text in the Connect schema, which a batch holds as long as the value lives. */
            for (uint32_t k = 0; k < schema->params_len; k++) {
                const char *param = schema->params[k].key;
                if (strncmp(param, key, skip) == 0 && param[skip] == '.' &&
                    strcmp(param + skip + 1, name) == 0)
                    symbols[i] = sluice_string(param + skip + 1, strlen(name));
            }
            if (symbols[i].type == SLUICE_STRING) break;
            name = r->enum_dflt;
        }
    }
    dec->symbols = symbols;
    dec->n = w->n;
    dec->name = w->full;
    return dec;
}

static bool bind_steps(struct binder *b, struct avro_dec *dec, const struct avro_schema *w,
                       const struct avro_schema *r, const struct sluice_schema *const *below)
{
    struct avro_dec_step *steps = sluice_batch_alloc(b->batch, w->n * sizeof *steps);
    for (uint32_t i = 0; i < w->n; i++) {
        int at = w == r ? (int)i : avro_field_of(r, w->fields[i].name);
        steps[i].field = at < 0 ? r->n : (uint32_t)at;
        steps[i].dec = at < 0 ? bind_skip(b, w->fields[i].schema)
                              : bind(b, w->fields[i].schema, r->fields[at].schema, below[at]);
        if (!steps[i].dec) return sluice_err_wrap(b->err, "field %s", w->fields[i].name);
    }
    dec->steps = steps;
    dec->n = w->n;
    dec->fields = r->n;
    return true;
}

/* What the reader's record has and the writer's lacks. */
static bool bind_filled(struct binder *b, struct avro_dec *dec, const struct avro_schema *w,
                        const struct avro_schema *r, const struct sluice_schema *const *below)
{
    if (w == r) return true;
    struct sluice_value *filled = sluice_batch_alloc(b->batch, r->n * sizeof *filled);
    for (uint32_t i = 0; i < r->n; i++) {
        const struct avro_field *field = &r->fields[i];
        bool written = false;
        for (uint32_t k = 0; k < w->n && !written; k++) written = dec->steps[k].field == i;
        filled[i] = sluice_null();
        if (written) continue;
        if (!field->has_dflt ||
            !avro_default_read(b->batch, field->schema, below[i], &field->dflt, &filled[i]))
            return sluice_err_set(b->err, "the field %s of %s was not written and has no default",
                                  field->name, r->full);
    }
    dec->filled = filled;
    return true;
}

static const struct avro_dec *bind_record(struct binder *b, const struct avro_schema *w,
                                          const struct avro_schema *r,
                                          const struct sluice_schema *schema)
{
    struct avro_dec *dec = dec_new(b, AVRO_GET_RECORD, SLUICE_STRUCT);
    if (!dec) return NULL;
    assert(schema->fields_len == r->n);
    const struct sluice_schema **below = sluice_batch_alloc(b->batch, r->n * sizeof *below);
    for (uint32_t i = 0; i < r->n; i++) below[i] = schema->fields[i].schema;
    return bind_steps(b, dec, w, r, below) && bind_filled(b, dec, w, r, below) ? dec : NULL;
}

static const struct avro_dec *bind_list(struct binder *b, const struct avro_schema *w,
                                        const struct avro_schema *r,
                                        const struct sluice_schema *schema)
{
    bool map = w->type == AVRO_MAP, entries = !map && schema->type == SLUICE_MAP;
    struct avro_dec *dec = dec_new(b,
                                   map       ? AVRO_GET_MAP
                                   : entries ? AVRO_GET_ENTRIES
                                             : AVRO_GET_ARRAY,
                                   map || entries ? SLUICE_MAP : SLUICE_ARRAY);
    if (!dec) return NULL;
    if (entries) {
        struct avro_dec *pair = dec_new(b, AVRO_GET_RECORD, SLUICE_STRUCT);
        int key = avro_field_of(r->elem, "key");
        const struct sluice_schema *below[2];
        if (!pair || w->elem->type != AVRO_RECORD || r->elem->n != 2 || key < 0) return NULL;
        below[key] = schema->key;
        below[1 - key] = schema->elem;
        if (!bind_steps(b, pair, w->elem, r->elem, below) ||
            !bind_filled(b, pair, w->elem, r->elem, below))
            return NULL;
        dec->field = (uint32_t)key; /* which of the two is the key */
        dec->elem = pair;
    } else {
        dec->elem = bind(b, w->elem, r->elem, schema->elem);
    }
    if (!dec->elem) return NULL;
    dec->elem_bytes = least_bytes(dec->elem) + map;
    return dec;
}

static const struct avro_dec *bind_int(struct binder *b, const struct sluice_schema *schema)
{
    struct avro_dec *dec = dec_new(b, AVRO_GET_INT, (enum sluice_type)schema->type);
    if (!dec) return NULL;
    dec->bits = schema->type == SLUICE_INT8    ? 8
                : schema->type == SLUICE_INT16 ? 16
                : schema->type == SLUICE_INT32 ? 32
                                               : 64;
    return dec;
}

static const struct avro_dec *bind_type(struct binder *b, const struct avro_schema *w,
                                        const struct avro_schema *r,
                                        const struct sluice_schema *schema)
{
    enum sluice_type type = (enum sluice_type)schema->type;
    struct avro_dec *dec;
    switch ((enum avro_type)w->type) {
    case AVRO_BOOLEAN: return dec_new(b, AVRO_GET_BOOLEAN, type);
    case AVRO_INT:
    case AVRO_LONG: return bind_int(b, schema);
    case AVRO_FLOAT: return dec_new(b, AVRO_GET_FLOAT, type);
    case AVRO_DOUBLE: return dec_new(b, AVRO_GET_DOUBLE, type);
    case AVRO_BYTES:
    case AVRO_STRING:
    case AVRO_FIXED:
        dec = dec_new(b,
                      type == SLUICE_STRING   ? AVRO_GET_STRING
                      : w->type == AVRO_FIXED ? AVRO_GET_FIXED
                                              : AVRO_GET_BYTES,
                      type);
        if (!dec) return NULL;
        dec->n = w->size;
        dec->decimal = sluice_schema_named(schema, SLUICE_DECIMAL_NAME);
        return dec;
    case AVRO_ENUM: return bind_enum(b, w, r, schema);
    case AVRO_RECORD: return bind_record(b, w, r, schema);
    case AVRO_ARRAY:
    case AVRO_MAP: return bind_list(b, w, r, schema);
    default: return dec_new(b, AVRO_GET_NULL, SLUICE_NULL);
    }
}

/* ---- unions ---- */

/* The member of a reader's union for a writer's type, -1: none. */
static int member_for(const struct avro_schema *w, const struct avro_schema *r)
{
    for (int fit = 3; fit > 0; fit--) {
        for (uint32_t i = 0; i < r->n; i++) {
            if (avro_fits(w, r->types[i]) == fit) return (int)i;
        }
    }
    return -1;
}

static const struct avro_dec *bad(struct binder *b, const struct avro_schema *w)
{
    struct avro_dec *dec = dec_new(b, AVRO_GET_BAD, SLUICE_NULL);
    if (dec) dec->name = w->full ? w->full : avro_type_name((enum avro_type)w->type);
    return dec;
}

/* w is no union, r is one. */
static const struct avro_dec *bind_member(struct binder *b, const struct avro_schema *w,
                                          const struct avro_schema *r,
                                          const struct sluice_schema *schema)
{
    int at = member_for(w, r);
    if (at < 0) return bad(b, w);
    if (w->type == AVRO_NULL) return dec_new(b, AVRO_GET_NULL, SLUICE_NULL);
    if (!avro_is_union(schema)) return bind(b, w, r->types[at], schema);
    uint32_t field = 0;
    for (int i = 0; i < at; i++) field += r->types[i]->type != AVRO_NULL;
    assert(field < schema->fields_len);
    struct avro_dec *dec = dec_new(b, AVRO_GET_WRAP, SLUICE_STRUCT);
    if (!dec) return NULL;
    dec->elem = bind(b, w, r->types[at], schema->fields[field].schema);
    dec->fields = schema->fields_len;
    dec->field = field;
    return dec->elem ? dec : NULL;
}

static const struct avro_dec *bind_union(struct binder *b, const struct avro_schema *w,
                                         const struct avro_schema *r,
                                         const struct sluice_schema *schema)
{
    struct avro_dec *dec = dec_new(b, AVRO_GET_UNION, SLUICE_NULL);
    if (!dec) return NULL;
    const struct avro_dec **branches = sluice_batch_alloc(b->batch, w->n * sizeof *branches);
    for (uint32_t i = 0; i < w->n; i++) {
        branches[i] = schema ? bind(b, w->types[i], r, schema) : bind_skip(b, w->types[i]);
        if (!branches[i]) return NULL;
    }
    dec->branches = branches;
    dec->n = w->n;
    return dec;
}

static const struct avro_dec *bind(struct binder *b, const struct avro_schema *w,
                                   const struct avro_schema *r, const struct sluice_schema *schema)
{
    if (w->type == AVRO_UNION) return bind_union(b, w, r, schema);
    if (r->type == AVRO_UNION) return bind_member(b, w, r, schema);
    return avro_fits(w, r) ? bind_type(b, w, r, schema) : bad(b, w);
}

/* ---- what the reader has no field for ---- */

static const struct avro_dec *bind_skip(struct binder *b, const struct avro_schema *w)
{
    static const struct sluice_schema types[] = {
        [AVRO_BOOLEAN] = {.type = SLUICE_BOOLEAN}, [AVRO_INT] = {.type = SLUICE_INT32},
        [AVRO_LONG] = {.type = SLUICE_INT64},      [AVRO_FLOAT] = {.type = SLUICE_FLOAT32},
        [AVRO_DOUBLE] = {.type = SLUICE_FLOAT64},  [AVRO_BYTES] = {.type = SLUICE_BYTES},
        [AVRO_STRING] = {.type = SLUICE_BYTES},
    };
    if (w->type > AVRO_NULL && w->type <= AVRO_STRING) return bind_type(b, w, w, &types[w->type]);
    if (w->type == AVRO_UNION) return bind_union(b, w, w, NULL);
    if (w->type == AVRO_ENUM) return bind_int(b, &types[AVRO_LONG]);
    if (w->type == AVRO_NULL) return dec_new(b, AVRO_GET_NULL, SLUICE_NULL);
    struct avro_dec *dec = dec_new(b,
                                   w->type == AVRO_FIXED    ? AVRO_GET_FIXED
                                   : w->type == AVRO_RECORD ? AVRO_GET_RECORD
                                   : w->type == AVRO_MAP    ? AVRO_GET_MAP
                                                            : AVRO_GET_ARRAY,
                                   SLUICE_BYTES);
    if (!dec) return NULL;
    dec->n = w->size;
    if (w->type == AVRO_FIXED) return dec;
    if (w->type == AVRO_RECORD) {
        struct avro_dec_step *steps = sluice_batch_alloc(b->batch, w->n * sizeof *steps);
        for (uint32_t i = 0; i < w->n; i++) {
            steps[i].field = 0; /* beyond the struct's none */
            steps[i].dec = bind_skip(b, w->fields[i].schema);
            if (!steps[i].dec) return NULL;
        }
        dec->steps = steps;
        dec->n = w->n;
        return dec;
    }
    dec->type = w->type == AVRO_MAP ? SLUICE_MAP : SLUICE_ARRAY;
    dec->elem = bind_skip(b, w->elem);
    if (dec->elem) dec->elem_bytes = least_bytes(dec->elem) + (w->type == AVRO_MAP);
    return dec->elem ? dec : NULL;
}

const struct avro_dec *avro_dec_plan(struct sluice_batch *batch, const struct avro_schema *writer,
                                     const struct avro_schema *reader,
                                     const struct sluice_schema *schema, struct sluice_err *err)
{
    struct binder b = {.batch = batch, .err = err};
    assert(writer && reader && schema);
    return bind(&b, writer, reader, schema);
}
