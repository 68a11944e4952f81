/* connector_offsets.h - where one source connector's offsets are: the worker's store, and before it
 * a topic of the connector's own (offsets.storage.topic, KIP-618).
 *
 * The own topic is on the cluster that the connector's producer writes to. What is read there
 * counts; the worker's store is asked for partitions that it does not have. What is written goes to
 * the own topic and then, as a copy whose failure is only logged, to the worker's; tombstones go to
 * the worker's first, so that no old offset shows through. Exactly-once tasks on another cluster
 * than the worker's have an own topic too, of the name of the worker's. A worker whose store is no
 * topic (standalone) has none of this: offsets.storage.topic means nothing there, as in Java.
 *
 * Thread: any, one at a time. */
#ifndef SLUICE_WORKER_CONNECTOR_OFFSETS_H
#define SLUICE_WORKER_CONNECTOR_OFFSETS_H

#include "base/map.h"
#include "store/offset_store.h"
#include "worker/worker.h"

struct sluice_connector_offsets;

/* Whether its offsets live in a topic: a distributed one. */
bool sluice_worker_distributed(struct sluice_worker *worker);
/* Whether source tasks of this worker run exactly-once: it is distributed, and told so. */
bool sluice_worker_exactly_once(struct sluice_worker *worker);

/* config: the connector's, variables replaced; both only read during the call. Makes an own topic
 * that is not there, compacted. Waits at most ms for the brokers. RETRY: they did not answer, err;
 * FAIL: err. */
enum sluice_verdict sluice_connector_offsets_open(struct sluice_worker *worker,
                                                  const char *connector,
                                                  const struct sluice_map *config, int64_t ms,
                                                  struct sluice_connector_offsets **out,
                                                  struct sluice_err *err);
void sluice_connector_offsets_close(struct sluice_connector_offsets *offsets); /* takes NULL */

/* The topic that counts; NULL: a store that is none. Borrowed. */
const char *sluice_connector_offsets_topic(const struct sluice_connector_offsets *offsets);

/* As the functions of offset_store.h, over both. refresh comes before the first get or list. */
enum sluice_verdict sluice_connector_offsets_refresh(struct sluice_connector_offsets *offsets,
                                                     int64_t timeout_ms, struct sluice_err *err);
bool sluice_connector_offsets_get(struct sluice_connector_offsets *offsets,
                                  const struct sluice_value *partition, struct sluice_batch *batch,
                                  struct sluice_value *offset, bool *found, struct sluice_err *err);
bool sluice_connector_offsets_list(struct sluice_connector_offsets *offsets,
                                   struct sluice_batch *batch, struct sluice_offset_entry **entries,
                                   size_t *n, struct sluice_err *err);
/* Waits until it is durable where it counts. */
bool sluice_connector_offsets_put(struct sluice_connector_offsets *offsets,
                                  const struct sluice_offset_entry *entries, size_t n,
                                  struct sluice_err *err);
/* Offsets only, no tombstones. done may come after close(). */
bool sluice_connector_offsets_put_start(struct sluice_connector_offsets *offsets,
                                        const struct sluice_offset_entry *entries, size_t n,
                                        sluice_offset_done *done, void *arg,
                                        struct sluice_err *err);
/* Appends an entry's records as that topic holds them, for a transaction that writes them. */
bool sluice_connector_offsets_encode(struct sluice_connector_offsets *offsets,
                                     const struct sluice_offset_entry *entry,
                                     struct sluice_offset_records *records, struct sluice_err *err);
/* The copy in the worker's store, of what a transaction committed to the own topic; nothing when
 * there is none. */
void sluice_connector_offsets_copy(struct sluice_connector_offsets *offsets,
                                   const struct sluice_offset_entry *entries, size_t n);

#endif
