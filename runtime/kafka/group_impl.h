/* group_impl.h - the inside of group.h, for its own files only.
 *
 * group.c has the group's thread: the consumer of the present incarnation, the lease, and the
 * state; group_members.c what is asked about the group.
 *
 * Locks: the mutex is a leaf and guards the state, the list of members, which client is the present
 * one, and closed; everything else of a client is the group thread's, and after retirement its
 * closer's. */
#ifndef SLUICE_KAFKA_GROUP_IMPL_H
#define SLUICE_KAFKA_GROUP_IMPL_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>

#include "base/thread.h"
#include "kafka/group.h"

/* The consumer of one incarnation. */
struct sluice_group_client {
    struct sluice_group *group;
    struct sluice_group_client *next; /* in the list of closing ones */
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue, *answers; /* the consumer's; of what is asked about the group */
    char name[SLUICE_MEMBER_MAX];
    char *member_id;      /* as the coordinator gave it at the first assignment; NULL: not yet */
    bool asking;          /* for the members and whether the group is stable: no answer yet */
    int64_t asked_ms;     /* then: since when */
    int64_t sent_ms;      /* when the commit that is under way was sent; 0: none is */
    int64_t next_renewal; /* when to send the next one */
    bool owner;           /* of partition 0 */
    const char *lost;     /* why the membership is over; NULL: it is not */
    _Atomic bool retired; /* callbacks have nothing to tell any more */
    pthread_t closer;
    bool closed; /* the closer has ended; under the mutex */
};

struct sluice_group {
    struct sluice_map props; /* of every incarnation but for client.id */
    char *group_id, *topic, *url, *instance_id, *brokers;
    int64_t session_ms, grace_ms, renew_ms, lease_ms /* of a commit, from its sending on */;
    void (*changed)(void *arg);
    void *arg;
    _Atomic int64_t lease;
    _Atomic bool stopping;
    pthread_t thread;
    struct sluice_wake wake;
    int64_t made_ms; /* when the present client was made */
    /* The group thread's draft of the state; what others see is a copy. */
    struct sluice_group_state draft;
    pthread_mutex_t mutex; /* leaf */
    struct sluice_group_state state;
    struct sluice_group_client *client;  /* the present one; NULL: none now */
    struct sluice_group_client *closing; /* retired ones */
    /* The last list of members, for those who wait for the next one. */
    pthread_cond_t listed;
    size_t waiting;
    uint64_t lists;                   /* answers so far */
    char (*names)[SLUICE_MEMBER_MAX]; /* sorted; names_n of them; 0: why says why */
    size_t names_n;
    char why[300];
};

/* ---- group.c ---- */
/* Sentences for what the brokers refuse. False: the code is none of these. The group's thread. */
bool sluice_group_explain(struct sluice_group *group, rd_kafka_resp_err_t code);

/* ---- group_members.c; but for sluice_group_members() the group's thread ---- */
/* Asks who is in the group and whether it is stable; the answer comes to client->answers. */
void sluice_group_ask(struct sluice_group_client *client);
/* The answer; who waits for the list gets it. True: the group is stable. */
bool sluice_group_answered(struct sluice_group_client *client, rd_kafka_event_t *event);
/* Somebody waits for a list of members. */
bool sluice_group_wanted(struct sluice_group *group);
/* The name of a static member, whose client.id has no incarnation: the coordinator keeps the one
 * that the first process of the id had. Its member id is new whenever it joins: the incarnation is
 * made of it. */
void sluice_group_static_name(const char *client_id, const char *member_id,
                              char out[SLUICE_MEMBER_MAX]);

#endif
