/* offset_entries.h - what the offset store, its file and its topic share. Private to runtime/store.
 *
 * An entry keeps the exact bytes of its key, so that what a Java worker wrote is rewritten under
 * the same bytes (Java looks keys up byte by byte), and beside them what the key says: connector
 * and partition, parsed once. The store's mutex guards all of it. */
#ifndef SLUICE_STORE_OFFSET_ENTRIES_H
#define SLUICE_STORE_OFFSET_ENTRIES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "store/offset_store.h"

#define SLUICE_OFFSET_KEY_MAX ((size_t)1 << 20)
#define SLUICE_OFFSET_VALUE_MAX ((size_t)16 << 20)

struct sluice_offset_item {
    char *key;
    size_t key_len;
    char *value; /* NULL: tombstone, not written to the file */
    size_t value_len;
    char *connector;               /* NULL: the key is not one of Connect's */
    struct sluice_value partition; /* lives in parsed */
    struct sluice_arena parsed;
    int64_t written_ms; /* of the newest record, in a topic; else 0 */
    size_t next[2];     /* in the index's chains: position + 1 of an older item, 0: none */
};

/* Heads of chains by hash; position + 1, 0: empty. */
struct sluice_offset_index {
    size_t *heads[2]; /* of the same connector; of the same connector and partition */
    size_t cap;       /* of each; a power of two, or 0 */
};

struct sluice_offset_items {
    struct sluice_offset_item *items; /* in the order in which they came */
    size_t n, cap;
    struct sluice_offset_index index;
};

void sluice_offset_items_fini(struct sluice_offset_items *items);
/* Appends an entry without a value; one whose key says nothing to us is not found. Moves items. */
struct sluice_offset_item *sluice_offset_items_add(struct sluice_offset_items *items,
                                                   const char *key, size_t key_len);
/* The entry of exactly these bytes; NULL: none, or the key is not one of Connect's. */
struct sluice_offset_item *sluice_offset_items_exact(const struct sluice_offset_items *items,
                                                     const char *key, size_t key_len);
/* The entry of this partition, which is newest where there are several (keys that say the same in
 * different bytes); NULL: none. */
struct sluice_offset_item *sluice_offset_items_find(const struct sluice_offset_items *items,
                                                    const char *connector,
                                                    const struct sluice_value *partition);
/* Calls visit for all entries of the connector, or (partition not NULL) of the partition. */
void sluice_offset_items_each(const struct sluice_offset_items *items, const char *connector,
                              const struct sluice_value *partition,
                              void (*visit)(void *arg, struct sluice_offset_item *item), void *arg);
/* The partition as reading its JSON gives it (INT8 as INT64 and so on), in the batch's memory. */
bool sluice_offset_canonical(const struct sluice_value *partition, struct sluice_batch *batch,
                             struct sluice_value *out, struct sluice_err *err);
/* ["connector",{partition}] */
bool sluice_offset_make_key(struct sluice_buf *buf, const char *connector,
                            const struct sluice_value *partition, struct sluice_err *err);

struct sluice_offset_store {
    pthread_mutex_t mutex;
    struct sluice_offset_items all;
    char *path;                       /* of the file, or NULL */
    char *topic;                      /* or NULL */
    struct sluice_log_writer *writer; /* these two of a topic */
    struct sluice_log_reader *reader;
    int complaints; /* reader's thread */
};

bool sluice_offset_topic_put_start(struct sluice_offset_store *store, const char *connector,
                                   const struct sluice_offset_entry *entries, size_t n,
                                   sluice_offset_done *done, void *arg, struct sluice_err *err);
bool sluice_offset_topic_put(struct sluice_offset_store *store, const char *connector,
                             const struct sluice_offset_entry *entries, size_t n,
                             struct sluice_err *err);

/* Calls add for each entry of the file. A missing or empty file has none. */
bool sluice_offset_file_load(const char *path,
                             void (*add)(void *arg, const char *key, size_t key_len,
                                         const char *value, size_t value_len),
                             void *arg, struct sluice_err *err);
/* Temp file beside it, fsync, rename, fsync of the folder. */
bool sluice_offset_file_save(const char *path, const struct sluice_offset_item *items, size_t n,
                             struct sluice_err *err);

#endif
