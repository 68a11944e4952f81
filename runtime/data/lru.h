/* lru.h - a bounded cache of plans, the least recently used goes first.
 *
 * A node is the head of the user's own struct. Its key is an address (key_len 0) or bytes. Owner:
 * one thread. */
#ifndef SLUICE_DATA_LRU_H
#define SLUICE_DATA_LRU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sluice_lru_node {
    struct sluice_lru_node *newer, *older; /* by use */
    struct sluice_lru_node *next;          /* of the same bucket */
    const void *key;                       /* lives as long as the node */
    size_t key_len;                        /* bytes; 0: the address itself is the key */
    uint64_t hash;
    size_t bytes; /* what the node weighs */
};

struct sluice_lru {
    struct sluice_lru_node *newest, *oldest;
    struct sluice_lru_node **buckets;
    size_t buckets_n, n, bytes;
    size_t max_n, max_bytes;                    /* at least one node is kept in any case */
    void (*drop)(struct sluice_lru_node *node); /* frees what fell out */
};

void sluice_lru_init(struct sluice_lru *lru, size_t max_n, size_t max_bytes,
                     void (*drop)(struct sluice_lru_node *node));
void sluice_lru_fini(struct sluice_lru *lru); /* drops all; takes a zeroed one */
/* NULL when absent; else it is the newest now. */
struct sluice_lru_node *sluice_lru_get(struct sluice_lru *lru, const void *key, size_t key_len);
/* Takes the node, whose key is not there yet; key, key_len and bytes are set. Others may fall out.
 */
void sluice_lru_put(struct sluice_lru *lru, struct sluice_lru_node *node);
/* Drops the node, which is in this cache. */
void sluice_lru_remove(struct sluice_lru *lru, struct sluice_lru_node *node);
/* The node of this cache is the newest now. */
void sluice_lru_touch(struct sluice_lru *lru, struct sluice_lru_node *node);

#endif
