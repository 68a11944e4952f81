/* lru.c - see lru.h: a chained hash table and a list by use, both through the nodes. */
#include "data/lru.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static uint64_t hash_of(const void *key, size_t len)
{
    const uint64_t factor = UINT64_C(0x9E3779B97F4A7C15);
    if (len == 0) {
        uint64_t h = (uint64_t)(uintptr_t)key * factor;
        return h ^ h >> 32;
    }
    const char *at = key;
    uint64_t h = len * factor, word;
    for (; len >= 8; len -= 8, at += 8) {
        memcpy(&word, at, 8);
        h = (h ^ word) * factor;
        h ^= h >> 32;
    }
    word = 0;
    memcpy(&word, at, len);
    h = (h ^ word) * factor;
    return h ^ h >> 32;
}

void sluice_lru_init(struct sluice_lru *lru, size_t max_n, size_t max_bytes,
                     void (*drop)(struct sluice_lru_node *node))
{
    memset(lru, 0, sizeof *lru);
    lru->max_n = max_n ? max_n : 1;
    lru->max_bytes = max_bytes;
    lru->drop = drop;
}

static void list_take(struct sluice_lru *lru, struct sluice_lru_node *node)
{
    if (node->newer) node->newer->older = node->older;
    else lru->newest = node->older;
    if (node->older) node->older->newer = node->newer;
    else lru->oldest = node->newer;
}

static void list_put(struct sluice_lru *lru, struct sluice_lru_node *node)
{
    node->newer = NULL;
    node->older = lru->newest;
    if (lru->newest) lru->newest->newer = node;
    else lru->oldest = node;
    lru->newest = node;
}

void sluice_lru_remove(struct sluice_lru *lru, struct sluice_lru_node *node)
{
    struct sluice_lru_node **at = &lru->buckets[node->hash & (lru->buckets_n - 1)];
    while (*at != node) {
        assert(*at);
        at = &(*at)->next;
    }
    *at = node->next;
    list_take(lru, node);
    assert(lru->n > 0 && lru->bytes >= node->bytes);
    lru->n--;
    lru->bytes -= node->bytes;
    lru->drop(node);
}

void sluice_lru_fini(struct sluice_lru *lru)
{
    while (lru->oldest) sluice_lru_remove(lru, lru->oldest);
    free(lru->buckets);
    lru->buckets = NULL;
    lru->buckets_n = 0;
}

void sluice_lru_touch(struct sluice_lru *lru, struct sluice_lru_node *node)
{
    if (lru->newest == node) return;
    list_take(lru, node);
    list_put(lru, node);
}

struct sluice_lru_node *sluice_lru_get(struct sluice_lru *lru, const void *key, size_t key_len)
{
    if (!lru->buckets_n) return NULL;
    uint64_t hash = hash_of(key, key_len);
    struct sluice_lru_node *node = lru->buckets[hash & (lru->buckets_n - 1)];
    for (; node; node = node->next) {
        if (node->hash != hash || node->key_len != key_len) continue;
        if (key_len ? memcmp(node->key, key, key_len) != 0 : node->key != key) continue;
        sluice_lru_touch(lru, node);
        return node;
    }
    return NULL;
}

static void grow(struct sluice_lru *lru)
{
    size_t n = lru->buckets_n ? lru->buckets_n * 2 : 16;
    struct sluice_lru_node **buckets = sluice_xcalloc(n, sizeof *buckets);
    for (struct sluice_lru_node *node = lru->newest; node; node = node->older) {
        node->next = buckets[node->hash & (n - 1)];
        buckets[node->hash & (n - 1)] = node;
    }
    free(lru->buckets);
    lru->buckets = buckets;
    lru->buckets_n = n;
}

void sluice_lru_put(struct sluice_lru *lru, struct sluice_lru_node *node)
{
    node->hash = hash_of(node->key, node->key_len);
    if (lru->n >= lru->buckets_n) grow(lru);
    struct sluice_lru_node **bucket = &lru->buckets[node->hash & (lru->buckets_n - 1)];
    node->next = *bucket;
    *bucket = node;
    list_put(lru, node);
    lru->n++;
    lru->bytes += node->bytes;
    while (lru->n > 1 && (lru->n > lru->max_n || lru->bytes > lru->max_bytes))
        sluice_lru_remove(lru, lru->oldest);
}
