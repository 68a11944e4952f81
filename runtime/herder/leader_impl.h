/* leader_impl.h - what the files of the leader share; nobody else includes it. */
#ifndef SLUICE_HERDER_LEADER_IMPL_H
#define SLUICE_HERDER_LEADER_IMPL_H

#include "herder/leader.h"

struct leader {
    struct distributed *herder;
    struct sluice_wake wake, stop;
    pthread_t thread;
    bool started;
    _Atomic bool stopping, group_changed;

    bool leads; /* herder->lock */

    pthread_mutex_t writer;          /* all below; the first lock to take */
    struct sluice_transactions *txn; /* NULL: does not lead */
    char self[SLUICE_MEMBER_MAX];    /* the incarnation that leads */
    int32_t generation;              /* the last one given */
    char *altering;                  /* whose offsets are being changed; NULL: nobody's */
    char last[256];                  /* what went wrong with the last assignments */
    int64_t members_due_ms;
    bool members_known;
    char **members; /* names, sorted; one block */
    size_t members_n;
    struct sluice_absences *absences; /* NULL: does not lead */
    int64_t again_ms;                 /* time alone changes the assignment then; INT64_MAX: never */
    int64_t sweep_ms;                 /* statuses of what is no more are looked for then */
};

/* ---- leader.c; writer is held ---- */

/* Writes and reads back; OK for none. FAIL: it stepped down. */
enum sluice_verdict leader_commit(struct leader *leader, const struct sluice_writes *writes,
                                  int64_t deadline_ms, struct sluice_err *err);
void leader_step_down(struct leader *leader, const char *why);
int64_t leader_due(struct leader *leader);

/* ---- leader_plan.c; writer is held ---- */

void leader_plan_begin(struct leader *leader);
void leader_plan_reset(struct leader *leader);
int32_t leader_next_generation(struct leader *leader);
bool leader_ask_members(struct leader *leader, int64_t ms, struct sluice_err *err);
/* What is to be written for the cluster to be as it should be, the change (NULL: none) made. */
void leader_plan(struct leader *leader, const struct leader_change *change,
                 struct sluice_writes *writes);
/* That was written and read back: statuses of what is no more go too. */
void leader_plan_done(struct leader *leader);
/* ms until something is due by the clock; -1: nothing. */
int64_t leader_plan_due(struct leader *leader);

#endif
