/* source_txn.h - exactly-once for one source task (KIP-618): its records and the offsets of
 * exactly these records are committed in one Kafka transaction.
 *
 * The task owns a transactional producer whose id (<group.id>-<connector>-<task>) fences every
 * predecessor. A transaction begins with a first record. At a boundary the offsets of all that was
 * handed to the producer are written with it, and it is committed; only then does the plugin hear
 * acked(). So what the window holds is only what the brokers have not taken yet: a transaction may
 * be much larger than the window.
 *
 * Boundaries (transaction.boundary): poll, each poll's records; interval, at the first end of a
 * poll after transaction.boundary.interval.ms; connector, the last record of a poll that the
 * plugin marked SLUICE_RECORD_COMMIT, so that several of the source's own transactions may share
 * one of Kafka's, and none is ever cut. With poll and interval a transaction ends before half of
 * transaction.timeout.ms has passed, even while a record waits to be tried again. Positions that
 * moved without a record are committed with the next transaction, or alone every
 * offset.flush.interval.ms.
 *
 * When Kafka says that a transaction cannot be committed, it is aborted, and the task begins again
 * from the last commit with a plugin opened anew, after a backoff (Java fails the task); when a
 * record was refused for good, or ten times in a row, the task fails. When its producer
 * was fenced, the task fails. A pause commits what is open, or with boundaries of the connector
 * aborts it; so does a stop. A task that failed leaves its transaction to be aborted.
 *
 * Owner: the task's thread. Verdicts of functions here that take err: OK; RETRY: the task stops;
 * DROP: the task must begin again from its last commit (sluice_source_rewind); FAIL. */
#ifndef SLUICE_WORKER_SOURCE_TXN_H
#define SLUICE_WORKER_SOURCE_TXN_H

#include "worker/source_run.h"

/* Reads what the config says; the producer is made, run->producer set. Does not connect. NULL: err.
 * props: the producer's. */
struct sluice_source_txn *sluice_source_txn_new(struct sluice_source_run *run,
                                                const struct sluice_map *props,
                                                struct sluice_err *err);
void sluice_source_txn_free(struct sluice_source_txn *txn); /* takes NULL */

/* Before the task reads its offsets: fences predecessors (hook), takes the producer id. For
 * insist().
 */
enum sluice_verdict sluice_source_txn_fence(struct sluice_source_run *run, struct sluice_err *err);
/* After that: asks whether the task is still wanted (hook). For insist(). */
enum sluice_verdict sluice_source_txn_current(struct sluice_source_run *run,
                                              struct sluice_err *err);

/* Whether the plugin is to mark boundaries. */
bool sluice_source_txn_marks(const struct sluice_source_txn *txn);
/* Before a record goes to this topic. */
enum sluice_verdict sluice_source_txn_begin(struct sluice_source_run *run, const char *topic,
                                            struct sluice_err *err);
/* The record was handed to the producer (sent), or passed over. */
void sluice_source_txn_moved(struct sluice_source_run *run, const struct sluice_record *rec,
                             bool sent);
/* The record of this seq came back with an error. DROP or FAIL. */
enum sluice_verdict sluice_source_txn_failed(struct sluice_source_run *run, int code, uint64_t seq,
                                             struct sluice_err *err);

/* Records of the batch after which a transaction may end: the last one's index + 1; 0: none. */
size_t sluice_source_txn_boundary(const struct sluice_source_run *run);
/* There: commits, when there is a transaction. */
enum sluice_verdict sluice_source_txn_at_boundary(struct sluice_source_run *run,
                                                  struct sluice_err *err);
/* What is due between polls (between: nothing of a poll is in hand), or while a record waits. */
enum sluice_verdict sluice_source_txn_due(struct sluice_source_run *run, bool between,
                                          struct sluice_err *err);
/* Commits what was sent and what moved; nothing when there is neither. */
enum sluice_verdict sluice_source_txn_commit(struct sluice_source_run *run, struct sluice_err *err);
/* Until when a poll may wait, sluice_now_ms; INT64_MAX: as it likes. */
int64_t sluice_source_txn_due_ms(const struct sluice_source_run *run);

/* Aborts what is open: nothing of it counts. */
enum sluice_verdict sluice_source_txn_abort(struct sluice_source_run *run, struct sluice_err *err);
/* The task ends: commits what may be, else aborts. failed: nothing is committed. */
void sluice_source_txn_end(struct sluice_source_run *run, bool failed);

#endif
