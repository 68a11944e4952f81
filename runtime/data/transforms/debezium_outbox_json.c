/* debezium_outbox_json.c - see debezium_outbox_json.h. */
#include "data/transforms/debezium_outbox_json.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/json_io.h"

#define SHAPES_MAX 1000
#define SHAPES_BYTES ((size_t)16 << 20)
#define SHAPE_BYTES ((size_t)1 << 20) /* of one shape's description */
#define FIELDS_MAX 10000              /* of one struct */
#define VALUES_MAX ((size_t)2 << 20)  /* of all structs and arrays of a payload */
#define FEW 12u                       /* fields that are searched one by one */

struct run {
    struct outbox_json *json;
    struct sluice_batch *batch;
    struct sluice_err *err;
    size_t values; /* made by fit() */
};

/* ---- reading: as a schemaless value, but integers are INT32 where they fit ---- */

#define TOO_BIG SLUICE_BYTES /* the type that stands for an integer beyond 64 bits */

static bool read_node(struct run *run, struct sluice_json_reader *r, struct sluice_value *v);

static bool read_number(struct sluice_json_reader *r, struct sluice_value *v)
{
    struct sluice_json_number number;
    if (!sluice_json_read_number(r, &number)) return false;
    if (!number.integral) {
        *v = sluice_float64(sluice_json_to_double(&number));
        return true;
    }
    int64_t i = sluice_json_long(&number);
    if (!number.exact || number.digits > (uint64_t)INT64_MAX + number.negative) {
        *v = sluice_bytes(NULL, 0); /* TOO_BIG */
    } else {
        *v = i >= INT32_MIN && i <= INT32_MAX ? sluice_int32((int32_t)i) : sluice_int64(i);
    }
    return true;
}

static bool read_name(struct run *run, struct sluice_json_reader *r, const char *s, uint32_t len)
{
    if (memchr(s, '\0', len)) return sluice_err_set(run->err, "a member's name has a zero octet");
    if (run->json->adjust != DBZ_ADJUST_NONE) {
        struct sluice_buf *name = &run->json->name;
        sluice_buf_clear(name);
        if (!dbz_adjust_name(name, run->json->adjust, true, s, len)) {
            return sluice_err_set(run->err, "a member's name is too long");
        }
        s = sluice_arena_strndup(&run->batch->arena, name->data ? name->data : "", name->len);
        len = (uint32_t)name->len;
    }
    sluice_json_push(r, sluice_string(s, len));
    return true;
}

static bool read_object(struct run *run, struct sluice_json_reader *r, struct sluice_value *v)
{
    size_t mark = r->stack_n, len = 0;
    r->at++;
    if (!sluice_json_enter(r)) return false;
    for (;; len++) {
        const char *s;
        uint32_t n;
        struct sluice_value value;
        if (!sluice_json_member(r, len == 0, &s, &n)) return false;
        if (!s) break;
        if (!read_name(run, r, s, n) || !read_node(run, r, &value)) return false;
        sluice_json_push(r, value);
    }
    len = sluice_json_unique(r, mark, len);
    *v = sluice_json_pop(r, SLUICE_MAP, mark, len);
    return true;
}

static bool read_array(struct run *run, struct sluice_json_reader *r, struct sluice_value *v)
{
    size_t mark = r->stack_n, len = 0;
    r->at++;
    if (!sluice_json_enter(r)) return false;
    for (;; len++) {
        bool more;
        struct sluice_value value;
        if (!sluice_json_item(r, len == 0, &more)) return false;
        if (!more) break;
        if (!read_node(run, r, &value)) return false;
        sluice_json_push(r, value);
    }
    *v = sluice_json_pop(r, SLUICE_ARRAY, mark, len);
    return true;
}

static bool read_node(struct run *run, struct sluice_json_reader *r, struct sluice_value *v)
{
    const char *s;
    uint32_t len;
    switch (sluice_json_peek(r)) {
    case '{': return read_object(run, r, v);
    case '[': return read_array(run, r, v);
    case '"':
        if (!sluice_json_read_string(r, &s, &len)) return false;
        *v = sluice_string(s, len);
        return true;
    case 't': *v = sluice_bool(true); return sluice_json_read_word(r, "true");
    case 'f': *v = sluice_bool(false); return sluice_json_read_word(r, "false");
    case 'n': *v = sluice_null(); return sluice_json_read_word(r, "null");
    default: return read_number(r, v);
    }
}

/* ---- inferring: a description in the batch's memory; *out NULL: leave the member out ---- */

static const struct sluice_schema optional_of[] = {
    [SLUICE_INT32] = {.type = SLUICE_INT32, .optional = true},
    [SLUICE_INT64] = {.type = SLUICE_INT64, .optional = true},
    [SLUICE_FLOAT64] = {.type = SLUICE_FLOAT64, .optional = true},
    [SLUICE_BOOLEAN] = {.type = SLUICE_BOOLEAN, .optional = true},
    [SLUICE_STRING] = {.type = SLUICE_STRING, .optional = true},
    [SLUICE_BYTES] = {.type = SLUICE_BYTES, .optional = true},
};

static bool infer(struct run *run, const char *path, const struct sluice_value *v,
                  const struct sluice_schema **out);

static struct sluice_schema *schema_new(struct run *run, enum sluice_type type)
{
    struct sluice_schema *schema = sluice_batch_alloc(run->batch, sizeof *schema);
    memset(schema, 0, sizeof *schema);
    schema->type = (uint8_t)type;
    schema->optional = true;
    return schema;
}

static bool blank(const char *s) { return !s || s[strspn(s, " \t\r\n")] == '\0'; }

static const char *path_of(struct run *run, const char *path, const char *name)
{
    if (blank(path)) return name;
    size_t n = strlen(path), m = strlen(name);
    char *joined = sluice_batch_alloc(run->batch, n + m + 2);
    memcpy(joined, path, n);
    joined[n] = '.';
    memcpy(joined + n + 1, name, m + 1);
    return joined;
}

static bool infer_object(struct run *run, const char *path, const struct sluice_value *v,
                         const struct sluice_schema **out)
{
    struct sluice_schema *schema = schema_new(run, SLUICE_STRUCT);
    if (v->len > FIELDS_MAX) {
        return sluice_err_set(run->err, "an object has %u members, more than %d", v->len,
                              FIELDS_MAX);
    }
    struct sluice_field *fields = sluice_batch_alloc(run->batch, v->len * sizeof *fields);
    for (uint32_t i = 0; i < v->len; i++) {
        const struct sluice_value *name = &v->u.v[2 * (size_t)i];
        const struct sluice_schema *field;
        char *text = sluice_arena_strndup(&run->batch->arena, name->u.s, name->len);
        if (!infer(run, path_of(run, path, text), name + 1, &field)) return false;
        if (!field) continue;
        if (!*text) return sluice_err_set(run->err, "a member has an empty name");
        fields[schema->fields_len++] = (struct sluice_field){text, field};
    }
    schema->name = path;
    schema->fields = fields;
    *out = schema;
    return true;
}

/* The fields of the objects of one array. */
struct merger {
    struct sluice_field *fields;
    uint32_t n, cap;
    uint32_t *slots; /* from FEW fields on: field number + 1, by the name's hash */
};

#define SLOTS 32768u /* more than twice FIELDS_MAX */

static uint32_t name_hash(const char *name)
{
    uint32_t h = 2166136261u;
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 16777619u;
    return (h ^ h >> 15) % SLOTS;
}

/* The slot that has the name, or the free one where it goes. */
static uint32_t slot_of(const struct merger *m, const char *name)
{
    uint32_t at = name_hash(name);
    assert(m->slots && m->n <= FIELDS_MAX);
    while (m->slots[at] && strcmp(m->fields[m->slots[at] - 1].name, name) != 0) {
        at = (at + 1) % SLOTS;
    }
    return at;
}

/* Number of the field; n: there is none. */
static uint32_t find_field(const struct merger *m, const char *name)
{
    uint32_t at = 0;
    if (m->slots) {
        at = m->slots[slot_of(m, name)];
        return at ? at - 1 : m->n;
    }
    while (at < m->n && strcmp(m->fields[at].name, name) != 0) at++;
    return at;
}

static void add_field(struct run *run, struct merger *m, const struct sluice_field *field)
{
    if (m->n == m->cap) {
        uint32_t cap = m->cap ? m->cap * 2 : 16;
        struct sluice_field *fields = sluice_batch_alloc(run->batch, cap * sizeof *fields);
        if (m->n) memcpy(fields, m->fields, m->n * sizeof *fields);
        m->fields = fields;
        m->cap = cap;
    }
    if (m->n == FEW) {
        m->slots = sluice_batch_alloc(run->batch, SLOTS * sizeof *m->slots);
        memset(m->slots, 0, SLOTS * sizeof *m->slots);
        for (uint32_t i = 0; i < m->n; i++) m->slots[slot_of(m, m->fields[i].name)] = i + 1;
    }
    m->fields[m->n] = *field;
    if (m->slots) m->slots[slot_of(m, field->name)] = m->n + 1;
    m->n++;
}

/* Adds the fields that are not there yet; octets (a null) give way to anything else. */
static bool merge(struct run *run, struct merger *m, const struct sluice_schema *from)
{
    for (uint32_t i = 0; i < from->fields_len; i++) {
        const struct sluice_field *field = &from->fields[i];
        uint32_t at = i < m->n && strcmp(m->fields[i].name, field->name) == 0
                          ? i
                          : find_field(m, field->name);
        if (at == m->n) {
            if (m->n == FIELDS_MAX) {
                return sluice_err_set(run->err, "the objects of an array have more than %d members",
                                      FIELDS_MAX);
            }
            add_field(run, m, field);
        } else if (m->fields[at].schema->type == SLUICE_BYTES) {
            m->fields[at] = *field;
        }
    }
    return true;
}

static bool same(const struct sluice_schema *a, const struct sluice_schema *b)
{
    if (a->type != b->type || a->fields_len != b->fields_len) return false;
    if (a->elem) return same(a->elem, b->elem);
    for (uint32_t i = 0; i < a->fields_len; i++) {
        if (strcmp(a->fields[i].name, b->fields[i].name) != 0) return false;
        if (!same(a->fields[i].schema, b->fields[i].schema)) return false;
    }
    return true;
}

static bool is_number(enum sluice_type type)
{
    return type == SLUICE_INT32 || type == SLUICE_INT64 || type == SLUICE_FLOAT64 ||
           type == TOO_BIG;
}

static enum sluice_type number_type(enum sluice_type type)
{
    return type == TOO_BIG ? SLUICE_FLOAT64 : type; /* what Debezium takes it for */
}

/* The first item that is not null, after a check that all are of its kind. */
static bool sample_of(struct run *run, const struct sluice_value *array,
                      const struct sluice_value **sample)
{
    *sample = NULL;
    for (uint32_t i = 0; i < array->len; i++) {
        const struct sluice_value *item = &array->u.v[i];
        if (item->type == SLUICE_NULL) continue;
        if (!*sample) *sample = item;
        enum sluice_type a = (enum sluice_type)(*sample)->type;
        enum sluice_type b = (enum sluice_type)item->type;
        bool same = is_number(a) ? is_number(b) && number_type(a) == number_type(b) : a == b;
        if (!same) return sluice_err_set(run->err, "an array has items of different types");
    }
    return true;
}

/* One schema for all objects of an array. Where they differ it is a new one, which Debezium leaves
 * required: so it is here, unless there are nulls among them. */
static bool infer_objects(struct run *run, const char *path, const struct sluice_value *array,
                          const struct sluice_schema **out)
{
    struct sluice_schema *merged = NULL;
    const struct sluice_schema *item, *first = NULL;
    struct merger m = {0};
    bool differ = false, nulls = false;
    for (uint32_t i = 0; i < array->len; i++) {
        if (array->u.v[i].type != SLUICE_MAP) {
            nulls = true;
            continue;
        }
        if (!infer(run, path, &array->u.v[i], &item)) return false;
        if (first) differ = differ || !same(first, item);
        else first = item;
        if ((differ || first == item) && !merge(run, &m, item)) return false;
    }
    assert(first);
    merged = schema_new(run, SLUICE_STRUCT);
    *merged = *first;
    merged->fields = m.fields;
    merged->fields_len = m.n;
    merged->optional = !differ || nulls;
    *out = merged;
    return true;
}

static bool infer_array(struct run *run, const char *path, const struct sluice_value *v,
                        const struct sluice_schema **out)
{
    *out = NULL;
    const struct sluice_value *sample;
    const struct sluice_schema *item = NULL;
    if (v->len == 0 && !run->json->keep_empty_arrays) return true;
    if (!sample_of(run, v, &sample)) return false;
    if (v->len == 0) {
        item = &optional_of[SLUICE_STRING];
    } else if (!sample) {
        if (run->json->keep_nulls) item = &optional_of[SLUICE_BYTES];
    } else if (sample->type != SLUICE_MAP) {
        if (!infer(run, NULL, sample, &item)) return false;
    }
    if (sample && sample->type == SLUICE_MAP && !infer_objects(run, path, v, &item)) return false;
    if (!item) return sluice_err_set(run->err, "an array has items without a type");
    struct sluice_schema *schema = schema_new(run, SLUICE_ARRAY);
    schema->elem = item;
    *out = schema;
    return true;
}

static bool infer(struct run *run, const char *path, const struct sluice_value *v,
                  const struct sluice_schema **out)
{
    switch ((enum sluice_type)v->type) {
    case SLUICE_MAP: return infer_object(run, path, v, out);
    case SLUICE_ARRAY: return infer_array(run, path, v, out);
    case SLUICE_NULL: *out = run->json->keep_nulls ? &optional_of[SLUICE_BYTES] : NULL; return true;
    case TOO_BIG: return sluice_err_set(run->err, "a number has more than 64 bits");
    default:
        assert(v->type < sizeof optional_of / sizeof *optional_of);
        *out = &optional_of[v->type];
        return true;
    }
}

/* ---- interning, once per shape ---- */

struct shape {
    struct sluice_lru_node node;
    const struct sluice_schema *schema; /* held */
    char key[];
};

static void shape_drop(struct sluice_lru_node *node)
{
    struct shape *shape = (struct shape *)node;
    sluice_schema_free(shape->schema);
    free(shape);
}

/* Everything in which two inferred schemas may differ; texts end with their zero. */
static bool describe(struct sluice_buf *buf, const struct sluice_schema *schema)
{
    assert(schema->type != SLUICE_MAP && !schema->has_dflt);
    char type = (char)((schema->optional ? 'a' : 'A') + schema->type);
    if (!sluice_buf_add(buf, &type, 1)) return false;
    if (schema->elem) return describe(buf, schema->elem);
    if (schema->type != SLUICE_STRUCT) return true;
    const char *name = schema->name ? schema->name : "";
    bool ok = sluice_buf_add(buf, schema->name ? "n" : "-", 1) &&
              sluice_buf_add(buf, name, strlen(name) + 1);
    for (uint32_t i = 0; ok && i < schema->fields_len; i++) {
        name = schema->fields[i].name;
        ok = sluice_buf_add(buf, ":", 1) && sluice_buf_add(buf, name, strlen(name) + 1) &&
             describe(buf, schema->fields[i].schema);
    }
    return ok && sluice_buf_add(buf, ";", 1);
}

static const struct sluice_schema *intern(struct run *run, const struct sluice_schema *schema)
{
    struct sluice_buf *key = &run->json->shape;
    sluice_buf_clear(key);
    if (!describe(key, schema)) {
        sluice_err_set(run->err, "its schema is too large");
        return NULL;
    }
    struct sluice_lru_node *node = sluice_lru_get(&run->json->shapes, key->data, key->len);
    if (node) return ((struct shape *)node)->schema;
    struct shape *shape = sluice_xcalloc(1, sizeof *shape + key->len);
    memcpy(shape->key, key->data, key->len);
    shape->schema = sluice_schema_intern(schema);
    shape->node.key = shape->key;
    shape->node.key_len = key->len;
    shape->node.bytes = sizeof *shape + key->len;
    sluice_lru_put(&run->json->shapes, &shape->node);
    return shape->schema;
}

/* ---- the value in its schema ---- */

static bool fit(struct run *run, const struct sluice_schema *schema, const struct sluice_value *v,
                struct sluice_value *out);

/* Objects of one array have all its fields each: a short text could become a very large value. */
static bool count(struct run *run, size_t n)
{
    run->values += n;
    if (run->values <= VALUES_MAX) return true;
    return sluice_err_set(run->err, "the objects of its arrays would have more than %zu fields",
                          VALUES_MAX);
}

static bool fit_struct(struct run *run, const struct sluice_schema *schema,
                       const struct sluice_value *v, struct sluice_value *out)
{
    uint32_t n = schema->fields_len, guess = 0;
    assert(v->type == SLUICE_MAP);
    if (!count(run, n)) return false;
    struct sluice_value *values = sluice_batch_alloc(run->batch, n * sizeof *values);
    for (uint32_t i = 0; i < n; i++) {
        const char *name = schema->fields[i].name;
        size_t len = strlen(name);
        values[i] = sluice_null();
        for (uint32_t k = 0; k < v->len; k++) { /* from where the last one was found */
            uint32_t at = (guess + k) % v->len;
            const struct sluice_value *key = &v->u.v[2 * (size_t)at];
            if (key->len != len || memcmp(key->u.s, name, len) != 0) continue;
            if (!fit(run, schema->fields[i].schema, key + 1, &values[i])) return false;
            guess = at + 1;
            break;
        }
    }
    *out = sluice_nested(SLUICE_STRUCT, values, n);
    return true;
}

static bool fit(struct run *run, const struct sluice_schema *schema, const struct sluice_value *v,
                struct sluice_value *out)
{
    *out = *v;
    if (v->type == SLUICE_NULL) return true;
    if (v->type == SLUICE_MAP && schema->type == SLUICE_STRUCT) {
        return fit_struct(run, schema, v, out);
    }
    if (v->type != schema->type || v->type == TOO_BIG) {
        return sluice_err_set(run->err, "the items of an array are of different types inside");
    }
    if (v->type != SLUICE_ARRAY) return true;
    if (!count(run, v->len)) return false;
    struct sluice_value *items = sluice_batch_alloc(run->batch, v->len * sizeof *items);
    for (uint32_t i = 0; i < v->len; i++) {
        if (!fit(run, schema->elem, &v->u.v[i], &items[i])) return false;
    }
    *out = sluice_nested(SLUICE_ARRAY, items, v->len);
    return true;
}

/* ---- public ---- */

void outbox_json_init(struct outbox_json *json)
{
    sluice_lru_init(&json->shapes, SHAPES_MAX, SHAPES_BYTES, shape_drop);
    sluice_buf_init(&json->shape, SHAPE_BYTES);
    sluice_buf_init(&json->name, SHAPE_BYTES);
}

void outbox_json_fini(struct outbox_json *json)
{
    sluice_lru_fini(&json->shapes);
    sluice_buf_fini(&json->shape);
    sluice_buf_fini(&json->name);
}

bool outbox_json_expand(struct outbox_json *json, struct sluice_batch *batch, const char *name,
                        const struct sluice_value *text, const struct sluice_schema **schema,
                        struct sluice_value *v, struct sluice_err *err)
{
    struct run run = {json, batch, err, 0};
    struct sluice_json_reader reader;
    const struct sluice_schema *inferred;
    struct sluice_value tree;
    assert(text->type == SLUICE_STRING);
    if (text->len == 0 || (*text->u.s != '{' && *text->u.s != '[')) {
        return sluice_err_set(err, "the payload starts neither with { nor with [");
    }
    sluice_json_reader_init(&reader, batch, text->u.s, text->len, err);
    if (!read_node(&run, &reader, &tree) || !infer(&run, name, &tree, &inferred)) return false;
    if (!inferred) return sluice_err_set(err, "the payload is an empty array");
    inferred = intern(&run, inferred);
    if (!inferred || !fit(&run, inferred, &tree, v)) return false;
    sluice_batch_hold(batch, inferred);
    *schema = inferred;
    return true;
}
