/* group_offsets.h - a consumer group's committed offsets, read and changed from outside the group
 * (Kafka's OffsetFetch, OffsetCommit, OffsetDelete, DeleteGroups), by way of a producer's client.
 * Thread: any; the calls wait for the brokers, at most ms. RETRY: they could not be asked within
 * that time, or refuse for now; err says why. */
#ifndef SLUICE_KAFKA_GROUP_OFFSETS_H
#define SLUICE_KAFKA_GROUP_OFFSETS_H

#include "kafka/producer.h"

struct sluice_group_offset {
    char *topic;
    int32_t partition;
    int64_t offset; /* of the next record wanted; -1 in a change: the partition is forgotten */
};

/* Sorted by topic and partition; none for a group that is not there. The caller frees it with
 * sluice_group_offsets_free(). */
enum sluice_verdict sluice_group_offsets_list(struct sluice_producer *producer, const char *group,
                                              int64_t ms, struct sluice_group_offset **list,
                                              size_t *n, struct sluice_err *err);
void sluice_group_offsets_free(struct sluice_group_offset *list, size_t n);
/* Makes the group when it is not there. *busy: FAIL because the group has members, which alone may
 * commit. Forgets after it has written: when that fails, the former stays done. */
enum sluice_verdict sluice_group_offsets_alter(struct sluice_producer *producer, const char *group,
                                               const struct sluice_group_offset *changes, size_t n,
                                               int64_t ms, bool *busy, struct sluice_err *err);
/* Deletes the group with all it committed; one that is not there is fine. */
enum sluice_verdict sluice_group_offsets_delete(struct sluice_producer *producer, const char *group,
                                                int64_t ms, bool *busy, struct sluice_err *err);

#endif
