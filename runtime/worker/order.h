/* order.h - whether a source's records stand in Kafka in the order in which they were sent.
 *
 * librdkafka has one request ready behind the one that is in flight. When the broker refuses that
 * one for a while (it has just come back, and leads nothing yet), the other goes first, and the
 * refused one after it: what is old then stands last. One request in flight does not help, only
 * idempotence does; Java's producer sends nothing of a partition meanwhile. Here the offsets are
 * looked at: of the records of one source partition in one Kafka partition they only rise. Where
 * they do not, the task goes back to its last commit (source_rewind.c): the new comes last again.
 * Owner: the task's thread. */
#ifndef SLUICE_WORKER_ORDER_H
#define SLUICE_WORKER_ORDER_H

#include <stdbool.h>
#include <stdint.h>

struct sluice_order;

struct sluice_order *sluice_order_new(void);
void sluice_order_free(struct sluice_order *order);
void sluice_order_forget(struct sluice_order *order); /* all that it has seen */
/* The next record of a source partition (in the order of sending) stands at that offset of a
 * topic's partition; topic: what stands for it, compared by address. False: before the former one,
 * and it is not noted. */
bool sluice_order_rises(struct sluice_order *order, uint32_t source_partition, const void *topic,
                        int32_t partition, int64_t offset);

#endif
