/* offset_entries.h - what the store and its file share. Private to runtime/store. */
#ifndef SLUICE_STORE_OFFSET_ENTRIES_H
#define SLUICE_STORE_OFFSET_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "data/batch.h"

struct sluice_offset_item {
    char *key;
    size_t key_len;
    char *value; /* NULL: tombstone, not written to the file */
    size_t value_len;
    char *connector;               /* NULL: the key is not one of Connect's */
    struct sluice_value partition; /* lives in parsed */
    struct sluice_batch parsed;
};

struct sluice_offset_undo {
    size_t item;
    char *value;
    size_t value_len;
};

/* Calls add for each entry of the file. A missing or empty file has none. */
bool sluice_offset_file_load(const char *path,
                             void (*add)(void *arg, const char *key, size_t key_len,
                                         const char *value, size_t value_len),
                             void *arg, struct sluice_err *err);
/* Temp file beside it, fsync, rename, fsync of the folder. */
bool sluice_offset_file_save(const char *path, const struct sluice_offset_item *items, size_t n,
                             struct sluice_err *err);

#endif
