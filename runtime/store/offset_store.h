/* offset_store.h - where source offsets live: one interface over memory, file and topic.
 *
 * Keys and values are Connect's bytes: key ["connector",{partition}], value {offset} (JSON without
 * schemas); a NULL value is a tombstone. A partition is looked up by what it says, not by its
 * bytes, and written back under the bytes that it was found with, so that a Java worker finds it
 * again.
 * Thread: any. */
#ifndef SLUICE_STORE_OFFSET_STORE_H
#define SLUICE_STORE_OFFSET_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "data/batch.h"
#include "kafka/topic_log.h"
#include "sluice/plugin.h"

struct sluice_offset_store;
struct sluice_offset_entry;

/* A file of Java's FileOffsetBackingStore form; a missing or empty one is an empty store. NULL: it
 * is corrupt or cannot be read; err says how to go on. */
struct sluice_offset_store *sluice_offset_file_new(const char *path, struct sluice_err *err);
struct sluice_offset_store *sluice_offset_memory_new(void);
/* A compacted topic (spec: KafkaOffsetBackingStore): record() is given to the reader of it;
 * writer and reader are borrowed until free. Puts are tried without end. */
struct sluice_offset_store *sluice_offset_topic_new(struct sluice_log_writer *writer,
                                                    const char *topic);
void sluice_offset_topic_reader(struct sluice_offset_store *store,
                                struct sluice_log_reader *reader);
void sluice_offset_topic_record(void *store, const struct sluice_log_record *record);
/* The topic's name; NULL: this store is none. */
const char *sluice_offset_topic_name(const struct sluice_offset_store *store);
/* Records as a topic holds them; owned. value NULL: tombstone. */
struct sluice_offset_record {
    char *key, *value;
    size_t key_len, value_len;
};
struct sluice_offset_records {
    struct sluice_offset_record *items;
    size_t n, cap;
};
void sluice_offset_records_fini(struct sluice_offset_records *records); /* may be used again */
/* Appends an entry's records: one for each form of its key that is known, that is for other bytes
 * that say the same, so that none keeps an older offset which a reader could take for the newest
 * (a Java worker looks up its own bytes; times of two workers may be out of order). For
 * transactions, which write them themselves. */
bool sluice_offset_encode(struct sluice_offset_store *store, const char *connector,
                          const struct sluice_offset_entry *entry,
                          struct sluice_offset_records *records, struct sluice_err *err);
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
/* The same without waiting: done comes once, on any thread, perhaps before this returns, with error
 * NULL: durable. False: err, and done does not come. */
typedef void sluice_offset_done(void *arg, const char *error);
bool sluice_offset_put_start(struct sluice_offset_store *store, const char *connector,
                             const struct sluice_offset_entry *entries, size_t n,
                             sluice_offset_done *done, void *arg, struct sluice_err *err);
/* What get() and list() know is at least what was durable when this was called: reads a topic to
 * its end. RETRY: not within timeout_ms. At once for file and memory. */
enum sluice_verdict sluice_offset_refresh(struct sluice_offset_store *store, int64_t timeout_ms,
                                          struct sluice_err *err);
/* Every partition and offset of a connector, for GET offsets; arrays from the batch's arena. */
bool sluice_offset_list(struct sluice_offset_store *store, const char *connector,
                        struct sluice_batch *batch, struct sluice_offset_entry **entries, size_t *n,
                        struct sluice_err *err);

#endif
