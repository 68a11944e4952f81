/* leader.h - the part of a distributed herder that works while its member leads the group: it
 * writes the config topic, in transactions that fence every former leader, and says who runs what.
 *
 * A thread of its own takes the lead, looks after members and assignments, and steps down. Requests
 * write on their own threads, under the writer's mutex, between leader_enter() and leader_leave().
 * What they change is answered for only when this worker has read it back. */
#ifndef SLUICE_HERDER_LEADER_H
#define SLUICE_HERDER_LEADER_H

#include "herder/distributed_impl.h"

struct leader;

struct leader *leader_new(struct distributed *herder, struct sluice_err *err);
/* Starts the thread; the logs are read and the group is there. */
bool leader_start(struct leader *leader, struct sluice_err *err);
/* The config topic, a release or (group) the members changed; quick. Any thread. */
void leader_wake(struct leader *leader, bool group);
void leader_stop(struct leader *leader); /* steps down and joins */
void leader_free(struct leader *leader);
bool leader_leads(struct leader *leader); /* now */

/* ---- for requests ---- */

enum leader_entry {
    LEADER_ENTERED,  /* the caller leads and holds the writer's mutex: leader_leave() */
    LEADER_ELSEWHERE /* answer says where, or why nobody knows */
};
/* Whether this worker leads, without taking the mutex; waits some seconds for a leader to be known.
 * False: answer. */
bool leader_is_here(struct leader *leader, struct sluice_answer *answer);
/* Waits while the offsets of the connector are being changed; name NULL: it is about none. */
enum leader_entry leader_enter(struct leader *leader, const char *name,
                               struct sluice_answer *answer);
void leader_leave(struct leader *leader);
/* Entered: from now on nobody enters about this connector, until leader_altered(). Then leave: what
 * is done meanwhile may take long. */
void leader_alters(struct leader *leader, const char *name);
void leader_altered(struct leader *leader);

/* A change of one connector, to be written with the assignments that follow from it. */
struct leader_change {
    const char *name;
    const struct sluice_map *config; /* put; NULL: stays */
    bool remove;
    bool set_target;
    enum sluice_target target;
    const struct sluice_map *tasks; /* these task configs; NULL: computed from the config */
    int tasks_n;
};
/* Entered. Writes and reads back; false: answer. */
bool leader_apply(struct leader *leader, const struct leader_change *change,
                  struct sluice_answer *answer);
/* Entered. Writes these records as one transaction and reads them back; false: answer. */
bool leader_write(struct leader *leader, const struct sluice_writes *writes,
                  struct sluice_answer *answer);
/* Entered. Reads configs and statuses to their ends, not offsets: see read_own(); false: answer. */
bool leader_catch_up(struct leader *leader, struct sluice_answer *answer);
/* Waits until nobody holds a task of the connector that is to be let go, at most as long as tasks
 * may take to stop. Not entered. */
void leader_settle(struct leader *leader, const char *name);

#endif
