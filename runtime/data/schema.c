/* schema.c - the intern table of schemas.
 *
 * A description is interned from the leaves up: its children first, so that comparing two schemas
 * is comparing one level, with children by address. A node and all that it points to (strings,
 * fields, parameters, the default) are one block of memory: the same copying code runs twice,
 * first only to count.
 *
 * Thread: any. One leaf mutex guards the table; counts are atomic and only reach 0 under it, so
 * that nobody can find a schema that is being freed. */
#include "data/schema.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"
#include "data/values.h"

#define FIRST_BUCKETS 256u

struct node {
    struct sluice_schema schema; /* first: a schema's address is its node's */
    atomic_size_t count;
    uint64_t hash;
    struct node *next; /* of the same bucket; table's mutex */
};

static struct {
    pthread_mutex_t mutex;
    struct node **buckets;
    size_t buckets_n; /* a power of two */
    size_t n;
} table = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* ---- hashing and comparing one level ---- */

static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ (h >> 29);
}

static uint64_t mix_text(uint64_t h, const char *s)
{
    if (!s) return mix(h, 1);
    for (; *s; s++) h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001B3);
    return mix(h, 2);
}

static uint64_t schema_hash(const struct sluice_schema *s)
{
    uint64_t h = mix(s->type, s->optional | s->has_version << 1 | s->has_dflt << 2);
    if (s->has_version) h = mix(h, (uint32_t)s->version);
    if (s->has_dflt) h = mix(h, s->dflt.type | (uint64_t)s->dflt.len << 8);
    h = mix_text(mix_text(h, s->name), s->doc);
    for (uint32_t i = 0; i < s->params_len; i++) {
        h = mix_text(mix_text(h, s->params[i].key), s->params[i].value);
    }
    for (uint32_t i = 0; i < s->fields_len; i++) {
        h = mix(mix_text(h, s->fields[i].name), (uintptr_t)s->fields[i].schema);
    }
    return mix(mix(h, (uintptr_t)s->key), (uintptr_t)s->elem);
}

static bool text_equal(const char *a, const char *b)
{
    if (!a || !b) return a == b;
    return strcmp(a, b) == 0;
}

static bool schema_equal(const struct sluice_schema *a, const struct sluice_schema *b)
{
    if (a->type != b->type || a->optional != b->optional || a->has_version != b->has_version ||
        a->has_dflt != b->has_dflt || a->params_len != b->params_len ||
        a->fields_len != b->fields_len || a->key != b->key || a->elem != b->elem) {
        return false;
    }
    if (a->has_version && a->version != b->version) return false;
    if (!text_equal(a->name, b->name) || !text_equal(a->doc, b->doc)) return false;
    for (uint32_t i = 0; i < a->params_len; i++) {
        if (!text_equal(a->params[i].key, b->params[i].key)) return false;
        if (!text_equal(a->params[i].value, b->params[i].value)) return false;
    }
    for (uint32_t i = 0; i < a->fields_len; i++) {
        if (a->fields[i].schema != b->fields[i].schema) return false;
        if (strcmp(a->fields[i].name, b->fields[i].name) != 0) return false;
    }
    return !a->has_dflt || sluice_value_equal(&a->dflt, &b->dflt);
}

/* ---- copying into one block ---- */

/* base NULL: only counts. */
struct copier {
    char *base;
    size_t used;
};

static void *copy_bytes(struct copier *c, const void *from, size_t n, size_t align)
{
    size_t at = (c->used + align - 1) & ~(align - 1);
    c->used = at + n;
    if (!c->base) return NULL;
    if (n) memcpy(c->base + at, from, n);
    return c->base + at;
}

static const char *copy_text(struct copier *c, const char *s)
{
    return s ? copy_bytes(c, s, strlen(s) + 1, 1) : NULL;
}

static struct sluice_value copy_value(struct copier *c, const struct sluice_value *v)
{
    struct sluice_value out = *v;
    if (v->type == SLUICE_STRING || v->type == SLUICE_BYTES) {
        out.u.s = copy_bytes(c, v->u.s, v->len, 1);
    } else if (v->type >= SLUICE_ARRAY) {
        size_t n = v->type == SLUICE_MAP ? (size_t)v->len * 2 : v->len;
        struct sluice_value *to = copy_bytes(c, v->u.v, n * sizeof *to, sizeof *to);
        for (size_t i = 0; i < n; i++) {
            struct sluice_value child = copy_value(c, &v->u.v[i]);
            if (to) to[i] = child;
        }
        out.u.v = to;
    }
    return out;
}

static void copy_schema(struct copier *c, const struct sluice_schema *from,
                        struct sluice_schema *to)
{
    *to = *from;
    struct sluice_field *fields =
        copy_bytes(c, from->fields, from->fields_len * sizeof *fields, sizeof(void *));
    struct sluice_param *params =
        copy_bytes(c, from->params, from->params_len * sizeof *params, sizeof(void *));
    to->fields = fields;
    to->params = params;
    to->name = copy_text(c, from->name);
    to->doc = copy_text(c, from->doc);
    for (uint32_t i = 0; i < from->fields_len; i++) {
        const char *name = copy_text(c, from->fields[i].name);
        if (fields) fields[i].name = name;
    }
    for (uint32_t i = 0; i < from->params_len; i++) {
        const char *key = copy_text(c, from->params[i].key);
        const char *value = copy_text(c, from->params[i].value);
        if (params) params[i] = (struct sluice_param){key, value};
    }
    if (from->has_dflt) to->dflt = copy_value(c, &from->dflt);
}

static struct node *node_new(const struct sluice_schema *schema, uint64_t hash)
{
    struct sluice_schema scratch;
    struct copier count = {NULL, sizeof(struct node)};
    copy_schema(&count, schema, &scratch);
    struct node *node = sluice_xmalloc(count.used);
    struct copier copy = {(char *)node, sizeof(struct node)};
    copy_schema(&copy, schema, &node->schema);
    assert(copy.used == count.used);
    if (!node->schema.has_dflt) node->schema.dflt = sluice_null();
    atomic_init(&node->count, 1);
    node->hash = hash;
    return node;
}

/* ---- the table; its mutex is held ---- */

static void table_grow(void)
{
    size_t n = table.buckets_n ? table.buckets_n * 2 : FIRST_BUCKETS;
    struct node **buckets = sluice_xcalloc(n, sizeof *buckets);
    for (size_t i = 0; i < table.buckets_n; i++) {
        struct node *next;
        for (struct node *node = table.buckets[i]; node; node = next) {
            next = node->next;
            node->next = buckets[node->hash & (n - 1)];
            buckets[node->hash & (n - 1)] = node;
        }
    }
    free(table.buckets);
    table.buckets = buckets;
    table.buckets_n = n;
}

static void release(const struct sluice_schema *schema);

/* One level: children are interned and held; takes over their holds. */
static const struct sluice_schema *intern_level(const struct sluice_schema *level)
{
    uint64_t hash = schema_hash(level);
    if (table.n >= table.buckets_n) table_grow();
    struct node **bucket = &table.buckets[hash & (table.buckets_n - 1)];
    for (struct node *node = *bucket; node; node = node->next) {
        if (node->hash != hash || !schema_equal(&node->schema, level)) continue;
        atomic_fetch_add_explicit(&node->count, 1, memory_order_relaxed);
        for (uint32_t i = 0; i < level->fields_len; i++) release(level->fields[i].schema);
        release(level->key);
        release(level->elem);
        return &node->schema;
    }
    struct node *node = node_new(level, hash);
    node->next = *bucket;
    *bucket = node;
    table.n++;
    return &node->schema;
}

static const struct sluice_schema *intern(const struct sluice_schema *description)
{
    struct sluice_schema level = *description;
    struct sluice_field *fields = NULL;
    assert(level.type > SLUICE_NULL && level.type <= SLUICE_STRUCT);
    assert(level.type == SLUICE_STRUCT || level.fields_len == 0);
    assert((level.type == SLUICE_MAP) == (level.key != NULL));
    assert((level.type == SLUICE_MAP || level.type == SLUICE_ARRAY) == (level.elem != NULL));
    if (level.fields_len) {
        fields = sluice_xcalloc(level.fields_len, sizeof *fields);
        for (uint32_t i = 0; i < level.fields_len; i++) {
            fields[i].name = description->fields[i].name;
            fields[i].schema = intern(description->fields[i].schema);
        }
        level.fields = fields;
    }
    if (level.key) level.key = intern(description->key);
    if (level.elem) level.elem = intern(description->elem);
    const struct sluice_schema *schema = intern_level(&level);
    free(fields);
    return schema;
}

static void release(const struct sluice_schema *schema)
{
    if (!schema) return;
    struct node *node = (struct node *)(uintptr_t)schema;
    size_t before = atomic_fetch_sub_explicit(&node->count, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1) return;
    struct node **at = &table.buckets[node->hash & (table.buckets_n - 1)];
    while (*at != node) {
        assert(*at);
        at = &(*at)->next;
    }
    *at = node->next;
    table.n--;
    for (uint32_t i = 0; i < schema->fields_len; i++) release(schema->fields[i].schema);
    release(schema->key);
    release(schema->elem);
    free(node);
}

/* ---- public ---- */

const struct sluice_schema *sluice_schema_intern(const struct sluice_schema *description)
{
    assert(description);
    sluice_lock(&table.mutex);
    const struct sluice_schema *schema = intern(description);
    sluice_unlock(&table.mutex);
    return schema;
}

const struct sluice_schema *sluice_schema_hold(const struct sluice_schema *schema)
{
    if (!schema) return NULL;
    struct node *node = (struct node *)(uintptr_t)schema;
    size_t before = atomic_fetch_add_explicit(&node->count, 1, memory_order_relaxed);
    assert(before > 0);
    return schema;
}

void sluice_schema_free(const struct sluice_schema *schema)
{
    if (!schema) return;
    struct node *node = (struct node *)(uintptr_t)schema;
    size_t count = atomic_load_explicit(&node->count, memory_order_relaxed);
    while (count > 1) {
        if (atomic_compare_exchange_weak_explicit(&node->count, &count, count - 1,
                                                  memory_order_release, memory_order_relaxed)) {
            return;
        }
    }
    sluice_lock(&table.mutex);
    release(schema);
    sluice_unlock(&table.mutex);
}

int sluice_schema_field(const struct sluice_schema *schema, const char *name, size_t len)
{
    for (uint32_t i = 0; i < schema->fields_len; i++) {
        const char *have = schema->fields[i].name;
        if (strncmp(have, name, len) == 0 && have[len] == '\0') return (int)i;
    }
    return -1;
}

bool sluice_schema_named(const struct sluice_schema *schema, const char *name)
{
    return schema && schema->name && strcmp(schema->name, name) == 0;
}

size_t sluice_schema_count(void)
{
    sluice_lock(&table.mutex);
    size_t n = table.n;
    sluice_unlock(&table.mutex);
    return n;
}

static const char *const json_names[] = {
    [SLUICE_NULL] = "null",      [SLUICE_INT8] = "int8",       [SLUICE_INT16] = "int16",
    [SLUICE_INT32] = "int32",    [SLUICE_INT64] = "int64",     [SLUICE_FLOAT32] = "float",
    [SLUICE_FLOAT64] = "double", [SLUICE_BOOLEAN] = "boolean", [SLUICE_STRING] = "string",
    [SLUICE_BYTES] = "bytes",    [SLUICE_ARRAY] = "array",     [SLUICE_MAP] = "map",
    [SLUICE_STRUCT] = "struct",
};

static const char *const connect_names[] = {
    [SLUICE_NULL] = "NULL",       [SLUICE_INT8] = "INT8",       [SLUICE_INT16] = "INT16",
    [SLUICE_INT32] = "INT32",     [SLUICE_INT64] = "INT64",     [SLUICE_FLOAT32] = "FLOAT32",
    [SLUICE_FLOAT64] = "FLOAT64", [SLUICE_BOOLEAN] = "BOOLEAN", [SLUICE_STRING] = "STRING",
    [SLUICE_BYTES] = "BYTES",     [SLUICE_ARRAY] = "ARRAY",     [SLUICE_MAP] = "MAP",
    [SLUICE_STRUCT] = "STRUCT",
};

const char *sluice_type_json(enum sluice_type type)
{
    assert((unsigned)type <= SLUICE_STRUCT);
    return json_names[type];
}

const char *sluice_type_name(enum sluice_type type)
{
    assert((unsigned)type <= SLUICE_STRUCT);
    return connect_names[type];
}
