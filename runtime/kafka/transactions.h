/* transactions.h - a transactional producer: fencing of predecessors, and records that appear all
 * or none (KIP-98, KIP-447).
 *
 * Used by the leader for the config topic (transactional.id connect-cluster-<group.id>) and by
 * exactly-once source tasks (<group.id>-<connector>-<task>, KIP-618).
 * Owner: one thread at a time. Calls marked "waits" take at most the ms they are told. Calls out of
 * order (commit without begin) are bugs. */
#ifndef SLUICE_KAFKA_TRANSACTIONS_H
#define SLUICE_KAFKA_TRANSACTIONS_H

#include "kafka/producer.h"

struct sluice_transactions;

/* props: Java names of a producer's properties; idempotence and acks=all are set over them, and
 * what would forbid them (a longer delivery.timeout.ms than transaction.timeout.ms) is left out.
 * delivered: as sluice_producers_new(), called for every message that was sent with an opaque.
 * Does not connect. NULL: err. */
struct sluice_transactions *sluice_transactions_new(const struct sluice_map *props,
                                                    const char *transactional_id, const char *who,
                                                    sluice_delivered *delivered,
                                                    struct sluice_err *err);
/* Fences whoever had the id before and ends what it left open. Waits. RETRY: the brokers did not
 * answer, call again; FAIL: refused (authorisation, fenced meanwhile). */
enum sluice_verdict sluice_transactions_init(struct sluice_transactions *txn, int64_t ms,
                                             struct sluice_err *err);
/* The producer to send with (kafka/producer.h: topic, send, down, fatal); between begin and commit
 * or abort only. Borrowed. */
struct sluice_producer *sluice_transactions_producer(struct sluice_transactions *txn);
enum sluice_verdict sluice_transactions_begin(struct sluice_transactions *txn,
                                              struct sluice_err *err);
/* Waits until all is sent and committed. OK; RETRY: not yet known, call commit again (nothing
 * else); DROP: the transaction cannot be committed and must be aborted, its records sent again in
 * a new one; FAIL: fenced or broken, the producer must be given up. */
enum sluice_verdict sluice_transactions_commit(struct sluice_transactions *txn, int64_t ms,
                                               struct sluice_err *err);
/* Waits. OK, RETRY (call again), FAIL as above. */
enum sluice_verdict sluice_transactions_abort(struct sluice_transactions *txn, int64_t ms,
                                              struct sluice_err *err);
/* Whether FAIL meant that a newer producer of the same id took over. */
bool sluice_transactions_fenced(const struct sluice_transactions *txn);
/* An open transaction is left to the successor's init, or to the broker's timeout. Takes NULL. */
void sluice_transactions_free(struct sluice_transactions *txn);

/* One transaction of records to one topic: begin, send, commit; aborted when anything fails. Waits.
 * RETRY: nothing was written. DROP: nothing was written, and these records never will be (too
 * large, topic refused). FAIL: fenced or broken, or it is not known whether the records were
 * committed: give the producer up; the init of the next one decides that, and then the topic tells.
 * value NULL: tombstone. */
struct sluice_write {
    char *key, *value; /* terminated */
};
enum sluice_verdict sluice_transactions_write(struct sluice_transactions *txn, const char *topic,
                                              const struct sluice_write *writes, size_t n,
                                              int64_t ms, struct sluice_err *err);

#endif
