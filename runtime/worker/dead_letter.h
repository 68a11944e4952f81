/* dead_letter.h - where a sink's records go that cannot be delivered: Connect's dead-letter topic
 * with its context headers. Owner: the task's thread. */
#ifndef SLUICE_WORKER_DEAD_LETTER_H
#define SLUICE_WORKER_DEAD_LETTER_H

#include "kafka/consumer.h"
#include "worker/task_impl.h"

struct sluice_dead_letter;

/* Makes the topic when it is not there, and asks again while the brokers cannot be reached. RETRY:
 * the task is to stop; FAIL: err. */
enum sluice_verdict sluice_dead_letter_new(struct sluice_task *task,
                                           struct sluice_dead_letter **out, struct sluice_err *err);
void sluice_dead_letter_free(struct sluice_dead_letter *letter); /* takes NULL */
/* Sends the message as it was consumed; the slot is finished by the delivery report, so that its
 * offset is committed only when the letter is in Kafka. False: it cannot be sent; err.
 * slot NULL: for a record that ends the task, whose offset stays uncommitted: waits until the
 * letter is in Kafka, as long as draining may take. */
bool sluice_dead_letter_send(struct sluice_dead_letter *letter,
                             const struct sluice_consumed *message,
                             const struct sluice_failure *failure, struct sluice_slot *slot,
                             struct sluice_err *err);

#endif
