/* assign.h - who runs what: the leader's decision, as a pure function of what it knows.
 *
 * Connectors and tasks are balanced separately: when nothing is held back, no two members differ by
 * more than one of either. Nothing moves that need not: adding work moves none, a member that goes
 * moves only its own, a member that comes gets its share and nobody else gets anything.
 *
 *  - Work moves between live members in two steps: it is marked `leaving` with its owner still
 *    named; once the owner has let go it is named anew. That is never taken back half-way.
 *  - The work of an owner that is no member stays its own for the grace (kafka/group.h: it may
 *    still hold its lease), or until it has let go. Then a live member of the same URL, a new
 *    incarnation, takes it at once; without one it waits until the delay
 *    (scheduled.rebalance.max.delay.ms) is over and then goes to the others. A static newcomer need
 *    not wait for the grace.
 *  - Of several live members with one URL only one counts, the one that owns most; the others (a
 *    worker that came back before its dead predecessor timed out, or a misconfiguration) get
 *    nothing. What they own already stays with them.
 *  - A task or connector that is to be no more stays in the list as leaving until its owner has let
 *    go, so that it is never run twice when it comes back.
 * Thread: any; a call keeps nothing. */
#ifndef SLUICE_HERDER_ASSIGN_H
#define SLUICE_HERDER_ASSIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/config_log.h"

/* Since when each owner is missing from the list of members. Owner: one thread. */
struct sluice_absences;
struct sluice_absences *sluice_absences_new(void);
void sluice_absences_free(struct sluice_absences *absences); /* takes NULL */
/* A list came in, sorted: who is on it is absent no more. Who is not, and owns something, is absent
 * from the first sluice_assign() on; a new leader begins with no absences. */
void sluice_absences_see(struct sluice_absences *absences, char *const *members, size_t n);

struct sluice_assign_connector {
    const char *name;
    bool exists; /* false: deleted, but its assignment is still there */
    int tasks;   /* how many it is to have; 0 when it does not exist */
    struct sluice_owner owner;
    const struct sluice_owner *task_owners; /* owners_n of them; tasks beyond have none */
    int owners_n;
};

struct sluice_assign_input {
    char *const
        *members; /* live, sorted (sluice_group_members()); names without '#' are left out */
    size_t members_n;
    const struct sluice_assign_connector *connectors; /* sorted by name */
    size_t connectors_n;
    int64_t now_ms;                   /* sluice_now_ms(), read after the list of members came */
    int64_t grace_ms;                 /* sluice_group_grace_ms() */
    int64_t delay_ms;                 /* scheduled.rebalance.max.delay.ms */
    struct sluice_absences *absences; /* owners seen missing for the first time are noted here */
    /* Whether the owner of this task (-1: the connector) has said that it does not run it (any
     * more) since it was named for the last time. */
    bool (*let_go)(void *arg, const char *connector, int task);
    void *arg;
};

struct sluice_assigned { /* of one connector; names are the input's */
    struct sluice_owner owner, *tasks;
    int n;        /* tasks, and what is left of more; 0 with owner NULL: all is gone */
    bool changed; /* differs from what the input says */
};

struct sluice_assignment {
    struct sluice_assigned *items; /* one for each connector, in the same order */
    struct sluice_owner *owners;   /* all of their tasks */
    size_t changed_n;
    int64_t again_ms; /* when time alone may change the answer; INT64_MAX: never */
};

/* O((tasks + members) log). */
void sluice_assign(const struct sluice_assign_input *input, struct sluice_assignment *out);
void sluice_assignment_fini(struct sluice_assignment *assignment);

/* Length of the URL in a member's name; 0: it is no worker's. */
size_t sluice_member_url(const char *member);

#endif
