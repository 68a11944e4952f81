/* group.h - the cluster of workers is a Kafka consumer group: membership, leases, leadership.
 *
 * Each worker is a member of the group group.id, subscribed to the one-partition config topic with
 * the cooperative-sticky assignor; the owner of partition 0 leads. Nothing is consumed by way of
 * it. A member's client.id is its name: "<advertised URL>#<incarnation>", for instance
 * "http://127.0.0.1:8083/#9f1c22ab70e3d516", so that the leader sees by DescribeConsumerGroups who
 * is there. An incarnation is one unbroken membership: whoever lost the group comes back under a
 * new one, so that work given to the old one is never mistaken for its own.
 *
 * The lease. Every second or oftener the member commits an offset to the group, which the
 * coordinator accepts from members only, and which restarts the member's session timer there. When
 * that commit was sent at t and succeeded, the coordinator does not let the member go before t +
 * the group's session. The leader counts a member that is missing as gone only
 * sluice_group_grace_ms() after it first saw it missing. Until t + session + grace, less a margin,
 * the member holds the lease, and its tasks may work. A worker that was stopped or cut off finds
 * its lease over by looking at the clock, before it does anything.
 *
 * Why the grace: a commit waits at the coordinator behind the member's own JoinGroup, which is
 * answered only when all others have joined again or their sessions have passed. One dead member
 * and one new one thus keep everybody from renewing for a whole session; leases have to outlive
 * that. It also covers the ways in which a member can be taken out early (removed by an
 * administrator): its next commit fails, and its lease ends, within the grace. session and grace
 * together are session.timeout.ms (half as much again when that is at the brokers' least, 6 s).
 *
 * Commits are sent only when the coordinator has just said, by another connection, that the group
 * is stable (group.c says why).
 *
 * A static member (group.instance.id) has a name whose incarnation begins with 's'. A newcomer of
 * the same id and URL takes its place at once: whoever gives ids vouches that the one before has
 * ended.
 * Thread: any; the group has a thread of its own. */
#ifndef SLUICE_KAFKA_GROUP_H
#define SLUICE_KAFKA_GROUP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "sluice/plugin.h"

#define SLUICE_MEMBER_MAX 320 /* bytes of a member's name, terminator included */

struct sluice_group;

struct sluice_group_config {
    const struct sluice_map *props; /* Java names of a consumer's properties, security included */
    const char *group_id, *topic;   /* topic: the config topic */
    const char *url;                /* advertised; ends with '/' */
    const char *instance_id;        /* group.instance.id: static membership; NULL: dynamic */
    int64_t session_timeout_ms, heartbeat_interval_ms, rebalance_timeout_ms;
    void (*changed)(void *arg); /* the state below changed; on the group's thread, quick */
    void *arg;
};

struct sluice_group_state {
    char self[SLUICE_MEMBER_MAX]; /* this incarnation's name; empty: not a member now */
    bool leader;                  /* owns partition 0, and holds the lease */
    uint64_t rebalances;          /* since the group was joined first */
    int64_t rebalanced_ms;        /* when the last of them was, sluice_boot_ms; 0: none yet */
    uint64_t joins;               /* incarnations that became members; the time it took them */
    int64_t join_ms, join_max_ms; /* together; the longest */
    char trouble[512];            /* why it is not a member; empty: nothing wrong */
    bool fatal;                   /* it never will be (fenced by its instance id, unauthorised) */
};

/* Joins in the background. NULL: err. */
struct sluice_group *sluice_group_new(const struct sluice_group_config *config,
                                      struct sluice_err *err);
void sluice_group_state(struct sluice_group *group, struct sluice_group_state *out);
/* When (sluice_boot_ms) the lease ends unless renewed; 0: there is none. Lives as
 * long as the group. */
const _Atomic int64_t *sluice_group_lease(const struct sluice_group *group);
/* Names of all members as the coordinator has them, sorted; strings and array are one block that
 * the caller frees. A name without '#' is somebody else's client. Waits. RETRY: it did not answer,
 * or this worker is not among them. During a rebalance the list is complete too: the coordinator
 * keeps those who have not joined again until it lets them go. */
enum sluice_verdict sluice_group_members(struct sluice_group *group, int64_t ms, char ***names,
                                         size_t *n, struct sluice_err *err);
/* How long after it was first missing from the list a member may still hold its lease. */
int64_t sluice_group_grace_ms(const struct sluice_group *group);
/* Leaves the group, so that the others need not wait for the session timeout; the worker's tasks
 * have ended. Joins the thread. Takes NULL. */
void sluice_group_free(struct sluice_group *group);

#endif
