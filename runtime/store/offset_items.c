/* offset_items.c - entries of an offset store and their index; see offset_entries.h. */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/json_text.h"
#include "data/values.h"
#include "store/offset_entries.h"

#define ARENA_BYTES 256 /* a partition is small */
#define HEADS_FIRST 64

enum { BY_CONNECTOR, BY_PARTITION };

/* ---- hashes ---- */

static uint64_t mix(uint64_t h)
{
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdu;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 33;
}

static uint64_t hash_bytes(const char *s, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
    return mix(h ^ n);
}

/* Equal values (sluice_value_equal) have equal hashes: a map's does not depend on the order. */
static uint64_t hash_value(const struct sluice_value *v)
{
    uint64_t h = v->type;
    switch ((enum sluice_type)v->type) {
    case SLUICE_NULL: break;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64: h += v->u.d != v->u.d ? 1 : (uint64_t)v->u.i; break;
    case SLUICE_STRING:
    case SLUICE_BYTES: h += hash_bytes(v->u.s, v->len); break;
    case SLUICE_MAP:
        for (uint32_t i = 0; i < v->len; i++)
            h += mix(hash_value(&v->u.v[2 * i]) * 31 + hash_value(&v->u.v[2 * i + 1]));
        break;
    case SLUICE_ARRAY:
    case SLUICE_STRUCT:
        for (uint32_t i = 0; i < v->len; i++) h = mix(h * 31 + hash_value(&v->u.v[i]));
        break;
    default: h += (uint64_t)v->u.i; break;
    }
    return mix(h);
}

static uint64_t hash_of(int which, const char *connector, const struct sluice_value *partition)
{
    uint64_t h = hash_bytes(connector, strlen(connector));
    return which == BY_CONNECTOR ? h : mix(h * 31 + hash_value(partition));
}

/* ---- keys ---- */

static bool plain(const struct sluice_value *v)
{
    switch ((enum sluice_type)v->type) {
    case SLUICE_NULL:
    case SLUICE_INT64:
    case SLUICE_BOOLEAN:
    case SLUICE_STRING: return true;
    case SLUICE_FLOAT64: return v->u.d - v->u.d == 0; /* others become texts */
    default: return false;
    }
}

bool sluice_offset_make_key(struct sluice_buf *buf, const char *connector,
                            const struct sluice_value *partition, struct sluice_err *err)
{
    return sluice_buf_adds(buf, "[") &&
           sluice_json_string(buf, connector, strlen(connector), err) &&
           sluice_buf_adds(buf, ",") && sluice_json_value(buf, partition, err) &&
           sluice_buf_adds(buf, "]");
}

bool sluice_offset_canonical(const struct sluice_value *partition, struct sluice_batch *batch,
                             struct sluice_value *out, struct sluice_err *err)
{
    struct sluice_buf buf;
    bool as_read = true;
    assert(partition->type == SLUICE_MAP);
    for (uint32_t i = 0; as_read && i < 2 * partition->len; i++)
        as_read = plain(&partition->u.v[i]);
    *out = *partition;
    if (as_read) return true;
    sluice_buf_init(&buf, SLUICE_OFFSET_KEY_MAX);
    bool ok = sluice_json_value(&buf, partition, err);
    if (ok) {
        char *text = sluice_arena_strndup(&batch->arena, buf.data, buf.len);
        ok = sluice_json_parse(batch, text, buf.len, out, NULL, err);
    }
    sluice_buf_fini(&buf);
    return ok;
}

/* False: not one of Connect's. The values live in the batch. */
static bool parse_key(const char *key, size_t key_len, struct sluice_batch *batch,
                      struct sluice_value *pair)
{
    struct sluice_value v;
    struct sluice_err err;
    if (!sluice_json_parse(batch, key, key_len, &v, NULL, &err)) return false;
    if (v.type != SLUICE_ARRAY || v.len != 2) return false;
    if (v.u.v[0].type != SLUICE_STRING || v.u.v[1].type != SLUICE_MAP) return false;
    if (memchr(v.u.v[0].u.s, '\0', v.u.v[0].len)) return false;
    pair[0] = v.u.v[0];
    pair[1] = v.u.v[1];
    return true;
}

/* ---- index ---- */

static void link_item(struct sluice_offset_items *items, size_t at)
{
    struct sluice_offset_item *item = &items->items[at];
    if (!item->connector) return;
    for (int which = BY_CONNECTOR; which <= BY_PARTITION; which++) {
        uint64_t h = hash_of(which, item->connector, &item->partition);
        size_t *head = &items->index.heads[which][h & (items->index.cap - 1)];
        item->next[which] = *head;
        *head = at + 1;
    }
}

static void grow_index(struct sluice_offset_items *items)
{
    struct sluice_offset_index *index = &items->index;
    if (items->n <= index->cap) return;
    index->cap = index->cap ? index->cap * 4 : HEADS_FIRST;
    for (int which = BY_CONNECTOR; which <= BY_PARTITION; which++) {
        free(index->heads[which]);
        index->heads[which] = sluice_xcalloc(index->cap, sizeof *index->heads[which]);
    }
    for (size_t i = 0; i < items->n; i++) link_item(items, i);
}

void sluice_offset_items_fini(struct sluice_offset_items *items)
{
    for (size_t i = 0; i < items->n; i++) {
        struct sluice_offset_item *item = &items->items[i];
        free(item->key);
        free(item->value);
        free(item->connector);
        sluice_arena_fini(&item->parsed);
    }
    free(items->items);
    free(items->index.heads[BY_CONNECTOR]);
    free(items->index.heads[BY_PARTITION]);
    *items = (struct sluice_offset_items){0};
}

struct sluice_offset_item *sluice_offset_items_add(struct sluice_offset_items *items,
                                                   const char *key, size_t key_len)
{
    struct sluice_batch batch;
    struct sluice_value pair[2];
    items->items = sluice_xgrow(items->items, items->n, &items->cap, sizeof *items->items);
    struct sluice_offset_item *item = &items->items[items->n++];
    memset(item, 0, sizeof *item);
    item->key = sluice_xstrndup(key, key_len);
    item->key_len = key_len;
    sluice_arena_init(&item->parsed, ARENA_BYTES);
    sluice_batch_init(&batch);
    if (parse_key(item->key, key_len, &batch, pair)) {
        item->connector = sluice_xstrndup(pair[0].u.s, pair[0].len);
        item->partition = sluice_value_copy(&item->parsed, &pair[1]);
    }
    sluice_batch_fini(&batch);
    size_t cap = items->index.cap;
    grow_index(items);
    if (items->index.cap == cap) link_item(items, items->n - 1);
    return item;
}

void sluice_offset_items_each(const struct sluice_offset_items *items, const char *connector,
                              const struct sluice_value *partition,
                              void (*visit)(void *arg, struct sluice_offset_item *item), void *arg)
{
    int which = partition ? BY_PARTITION : BY_CONNECTOR;
    if (items->index.cap == 0) return;
    size_t next =
        items->index.heads[which][hash_of(which, connector, partition) & (items->index.cap - 1)];
    while (next) {
        struct sluice_offset_item *item = &items->items[next - 1];
        next = item->next[which];
        if (strcmp(item->connector, connector) != 0) continue;
        if (!partition || sluice_value_equal(&item->partition, partition)) visit(arg, item);
    }
}

static void keep_newest(void *arg, struct sluice_offset_item *item)
{
    struct sluice_offset_item **best = arg;
    /* Chains are newest first: of equals, the one that came first stays. */
    if (!*best || item->written_ms >= (*best)->written_ms) *best = item;
}

struct sluice_offset_item *sluice_offset_items_find(const struct sluice_offset_items *items,
                                                    const char *connector,
                                                    const struct sluice_value *partition)
{
    struct sluice_offset_item *best = NULL;
    assert(partition->type == SLUICE_MAP);
    sluice_offset_items_each(items, connector, partition, keep_newest, &best);
    return best;
}

struct exact {
    const char *key;
    size_t key_len;
    struct sluice_offset_item *found;
};

static void keep_exact(void *arg, struct sluice_offset_item *item)
{
    struct exact *exact = arg;
    if (item->key_len == exact->key_len && memcmp(item->key, exact->key, exact->key_len) == 0)
        exact->found = item;
}

struct sluice_offset_item *sluice_offset_items_exact(const struct sluice_offset_items *items,
                                                     const char *key, size_t key_len)
{
    struct exact exact = {key, key_len, NULL};
    struct sluice_batch batch;
    struct sluice_value pair[2];
    sluice_batch_init(&batch);
    char *copy = sluice_xstrndup(key, key_len);
    if (parse_key(copy, key_len, &batch, pair)) {
        char *connector = sluice_xstrndup(pair[0].u.s, pair[0].len);
        sluice_offset_items_each(items, connector, &pair[1], keep_exact, &exact);
        free(connector);
    }
    free(copy);
    sluice_batch_fini(&batch);
    return exact.found;
}
