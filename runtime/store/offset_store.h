/* offset_store.h - where source offsets live: one interface over memory, file and topic.
 *
 * Keys and values are Connect's bytes: key ["connector",{partition}], value {offset} (JSON without
 * schemas); a NULL value is a tombstone. A partition is looked up by what it says, not by its
 * bytes,
 * and written back under the bytes that it was found with, so that a Java worker finds it again.
 * Thread: any. */
#ifndef SLUICE_STORE_OFFSET_STORE_H
#define SLUICE_STORE_OFFSET_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "data/batch.h"
#include "sluice/plugin.h"

struct sluice_offset_store;

/* A file of Java's FileOffsetBackingStore form; a missing or empty one is an empty store. NULL: it
 * is corrupt or cannot be read; err says how to go on. */
struct sluice_offset_store *sluice_offset_file_new(const char *path, struct sluice_err *err);
struct sluice_offset_store *sluice_offset_memory_new(void);
void sluice_offset_store_free(struct sluice_offset_store *store);

/* Offset of one partition (both schemaless MAPs), copied into the batch; *found false: none. */
bool sluice_offset_get(struct sluice_offset_store *store, const char *connector,
                       const struct sluice_value *partition, struct sluice_batch *batch,
                       struct sluice_value *offset, bool *found, struct sluice_err *err);

struct sluice_offset_entry {
    const struct sluice_value *partition, *offset; /* offset NULL: tombstone */
};
/* Writes all or none; they are durable when it returns true. */
bool sluice_offset_put(struct sluice_offset_store *store, const char *connector,
                       const struct sluice_offset_entry *entries, size_t n, struct sluice_err *err);
/* Every partition and offset of a connector, for GET offsets; arrays from the batch's arena. */
bool sluice_offset_list(struct sluice_offset_store *store, const char *connector,
                        struct sluice_batch *batch, struct sluice_offset_entry **entries, size_t *n,
                        struct sluice_err *err);

#endif
