/* tolerance.h - what both loops do about an operation on a record that failed: try again
 * (errors.retry.*), count, log (errors.log.*). Owner: the task's thread. */
#ifndef SLUICE_WORKER_TOLERANCE_H
#define SLUICE_WORKER_TOLERANCE_H

#include "worker/task_impl.h"

/* How long to wait before the next try, as Connect does: 300 ms doubled with every try, above
 * max_ms a random time below it, never past the timeout. -1: no further try. random: state, any. */
int64_t sluice_retry_delay(int64_t timeout_ms, int64_t max_ms, unsigned tries, int64_t passed_ms,
                           uint64_t *random);

/* Serves for about so long what a task must not leave alone: its group membership or its plugin.
 * False: waiting has become pointless. */
typedef bool sluice_tolerance_serve(void *arg, int ms);

/* Body of struct sluice_again.wait: waits for the next try and serves meanwhile; a stop cuts it.
 * What is being retried stands in the task's status. False: no further try. */
bool sluice_tolerance_wait(struct sluice_task *task, const struct sluice_failure *failure,
                           unsigned tries, int64_t began_ms, sluice_tolerance_serve *serve,
                           void *arg);
/* The record in hand is through, one way or the other. */
void sluice_tolerance_settle(struct sluice_task *task);
/* Whether that failure is only a retry that a stop cut short: the record comes again. */
bool sluice_tolerance_cut(const struct sluice_task *task, const struct sluice_failure *failure);

/* Counts a record that failed for good, and logs it in Connect's words when errors.log.enable says
 * so. where: ", where consumed record is {...}", shown with errors.log.include.messages. */
void sluice_tolerance_record(struct sluice_task *task, const struct sluice_failure *failure,
                             const char *where);

#endif
