/* values.c - comparing, copying, searching and measuring values, all by walking the tree. Trees are
 * as deep as their maker allowed (the JSON reader: 1000), so that recursion is safe. */
#include "data/values.h"

#include <assert.h>
#include <string.h>

static size_t children(const struct sluice_value *v)
{
    assert(v->type >= SLUICE_ARRAY && v->type <= SLUICE_STRUCT);
    return v->type == SLUICE_MAP ? (size_t)v->len * 2 : v->len;
}

/* Two maps of equal size whose keys are unique: each entry of a must be somewhere in b. Most often
 * it is at the same place. */
static bool map_equal(const struct sluice_value *a, const struct sluice_value *b)
{
    for (size_t i = 0; i < a->len; i++) {
        const struct sluice_value *key = &a->u.v[2 * i], *value = key + 1;
        size_t at = i;
        if (!sluice_value_equal(key, &b->u.v[2 * at])) {
            for (at = 0; at < b->len && !sluice_value_equal(key, &b->u.v[2 * at]); at++) {
            }
            if (at == b->len) return false;
        }
        if (!sluice_value_equal(value, &b->u.v[2 * at + 1])) return false;
    }
    return true;
}

bool sluice_value_equal(const struct sluice_value *a, const struct sluice_value *b)
{
    if (a->type != b->type) return false;
    switch ((enum sluice_type)a->type) {
    case SLUICE_NULL: return true;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
        if (a->u.d != a->u.d) return b->u.d != b->u.d;
        return a->u.i == b->u.i; /* the bits: 0.0 is not -0.0, as in Java */
    case SLUICE_STRING:
    case SLUICE_BYTES:
        return a->len == b->len && (a->len == 0 || memcmp(a->u.s, b->u.s, a->len) == 0);
    case SLUICE_MAP: return a->len == b->len && map_equal(a, b);
    case SLUICE_ARRAY:
    case SLUICE_STRUCT:
        if (a->len != b->len) return false;
        for (uint32_t i = 0; i < a->len; i++) {
            if (!sluice_value_equal(&a->u.v[i], &b->u.v[i])) return false;
        }
        return true;
    default: return a->u.i == b->u.i;
    }
}

struct sluice_value sluice_value_copy(struct sluice_arena *arena, const struct sluice_value *v)
{
    struct sluice_value out = *v;
    if (v->type == SLUICE_STRING || v->type == SLUICE_BYTES) {
        char *to = sluice_arena_alloc(arena, v->len);
        if (v->len) memcpy(to, v->u.s, v->len);
        out.u.s = to;
    } else if (v->type >= SLUICE_ARRAY) {
        size_t n = children(v);
        struct sluice_value *to = sluice_arena_alloc(arena, n * sizeof *to);
        for (size_t i = 0; i < n; i++) to[i] = sluice_value_copy(arena, &v->u.v[i]);
        out.u.v = to;
    }
    return out;
}

const struct sluice_value *sluice_value_get(const struct sluice_value *map, const char *key)
{
    if (map->type != SLUICE_MAP) return NULL;
    size_t len = strlen(key);
    for (uint32_t i = 0; i < map->len; i++) {
        const struct sluice_value *k = &map->u.v[2 * (size_t)i];
        if (k->type == SLUICE_STRING && k->len == len && memcmp(k->u.s, key, len) == 0) {
            return k + 1;
        }
    }
    return NULL;
}

size_t sluice_value_bytes(const struct sluice_value *v)
{
    size_t bytes = sizeof *v;
    if (v->type == SLUICE_STRING || v->type == SLUICE_BYTES) {
        bytes += v->len;
    } else if (v->type >= SLUICE_ARRAY) {
        size_t n = children(v);
        for (size_t i = 0; i < n; i++) bytes += sluice_value_bytes(&v->u.v[i]);
    }
    return bytes;
}
