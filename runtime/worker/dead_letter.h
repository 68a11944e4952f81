/* dead_letter.h - where a sink's records go that cannot be delivered: Connect's dead-letter topic
 * with its context headers. Owner: the task's thread. */
#ifndef SLUICE_WORKER_DEAD_LETTER_H
#define SLUICE_WORKER_DEAD_LETTER_H

#include "kafka/consumer.h"
#include "worker/task_impl.h"

struct sluice_dead_letter;

/* Makes the topic when it is not there. NULL: err. */
struct sluice_dead_letter *sluice_dead_letter_new(struct sluice_task *task, struct sluice_err *err);
void sluice_dead_letter_free(struct sluice_dead_letter *letter); /* takes NULL */
/* Sends the message as it was consumed; the slot is finished by the delivery report, so that its
 * offset is committed only when the letter is in Kafka. False: it cannot be sent; err. */
bool sluice_dead_letter_send(struct sluice_dead_letter *letter,
                             const struct sluice_consumed *message,
                             const struct sluice_failure *failure, struct sluice_slot *slot,
                             struct sluice_err *err);

#endif
