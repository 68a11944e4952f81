/* registry_ids.h - under which id records of one schema go to which topic, asked once.
 *
 * A schema's plan holds these: as a rule one topic, at most so many that memory stays bounded.
 * Owner: the converter's task. */
#ifndef SLUICE_DATA_CONVERTERS_REGISTRY_IDS_H
#define SLUICE_DATA_CONVERTERS_REGISTRY_IDS_H

#include <stddef.h>
#include <stdint.h>

#define REGISTRY_HEAD_MAX 400 /* id, and Protobuf's path of message indexes */

struct registry_id {
    char *topic;
    int64_t until_ms; /* sluice_now_ms() up to which it may be used; -1: for good */
    size_t head_len;
    char *head; /* what stands in front of the record */
};

struct registry_ids { /* zeroed at first */
    struct registry_id *items;
    size_t n, next;
};

void registry_ids_fini(struct registry_ids *ids);
/* NULL: the registry has to be asked (again). Valid until the next set. */
const struct registry_id *registry_ids_get(struct registry_ids *ids, const char *topic);
/* Copies all; ttl_ms -1: for good. Forgets the oldest when there are too many. */
const struct registry_id *registry_ids_set(struct registry_ids *ids, const char *topic,
                                           const void *head, size_t head_len, int64_t ttl_ms);

#endif
