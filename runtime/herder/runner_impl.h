/* runner_impl.h - the inside of the runner, for its own files and their tests only.
 *
 * A crew is what a connector has here: slots, sorted by task number, and jobs that are to end. A
 * job is one task from its start until its thread is joined. It is in its slot until it is told to
 * stop or ends by itself, then among the crew's endings. Whatever may let a slot start (it became
 * due, a job ended or was given up) puts its crew into the queue of the runner's thread.
 *
 * Nothing looks at all slots but stopping: a task's sign (its state changed, it ended) puts its job
 * into a list, what is due by time is in a heap, and a connector is found by hash.
 *
 * Locks: runner->lock guards everything but the signs, which have a leaf lock of their own, because
 * a task may give one while it is being told something. */
#ifndef SLUICE_HERDER_RUNNER_IMPL_H
#define SLUICE_HERDER_RUNNER_IMPL_H

#include <pthread.h>

#include "base/thread.h"
#include "herder/runner.h"
#include "herder/timers.h"
#include "worker/auto_restart.h"
#include "worker/retry.h"

struct crew;
struct slot;

struct job {
    struct sluice_task *task;
    struct crew *crew;
    struct slot *slot; /* NULL: it is among the endings */
    int id;
    uint64_t set;
    bool zombie, ended;           /* ended: being joined */
    struct sluice_timer deadline; /* then it is a zombie */
    struct job *next_ending, **ending_link;
    bool signalled; /* signs_lock: in runner->signs */
    struct job *next_sign, **sign_link;
    struct job *next_ended; /* the runner's thread's */
};

/* Automatic restarts of a slot. */
struct again {
    struct sluice_auto_restart policy;
    struct sluice_backoff backoff; /* tries: since the task last ran for long enough */
    struct sluice_timer timer;     /* set: the next one is to come */
    int64_t next_wall_ms;
};

/* Tasks of one connector that are configured alike share their config. */
struct shared_config {
    struct sluice_map map;
    size_t users;
};

struct slot {
    struct crew *crew;
    int id;
    uint64_t set;
    const struct sluice_plugin *plugin;
    struct shared_config *config;
    char *refusal; /* NULL: it may start */
    bool paused;
    bool due;        /* to be started by the runner's thread */
    bool restarting; /* due because of a restart: RESTARTING, not UNASSIGNED */
    bool unstarted;  /* it has failed because it could not even be started */
    bool blocked;    /* only within start_due() */
    struct job *job; /* NULL: not started yet, or ended */
    int64_t started_ms;
    enum sluice_state ended_as; /* of the task that ended by itself; so are: */
    char *trace;                /* NULL: none */
    struct sluice_task_counters counters;
    struct again *again; /* NULL: not asked for */
};

struct crew {
    struct sluice_runner *runner;
    char *name;
    uint64_t hash;
    struct crew *next; /* in its bucket */
    struct slot **slots;
    size_t n, cap;
    struct job *endings;
    size_t draining, zombies;     /* of endings */
    size_t unstarted;             /* of slots */
    struct shared_config *config; /* the last one, NULL: none */
    bool queued;
    struct crew *next_queued, **queue_link;
};

struct note { /* what changed() is to be told, without locks */
    char *connector;
    int task;
};

struct sluice_runner {
    struct sluice_worker *worker;
    sluice_runner_changed *changed;
    void *arg;
    int64_t graceful_ms;

    pthread_mutex_t lock;
    pthread_cond_t settled; /* an ending job ended or became a zombie */
    struct crew **buckets;
    size_t buckets_n, crews_n;
    struct crew *queue, **queue_end;
    struct sluice_timers timers;
    size_t jobs, draining; /* not joined; of these, told to stop and not given up */
    struct sluice_runner_totals totals;
    bool closing;
    int64_t (*now_ms)(void);
    struct note *notes;
    size_t notes_n, notes_cap;

    pthread_mutex_t signs_lock;
    struct job *signs;

    struct sluice_wake wake;
    pthread_t thread;
};

/* ---- crews.c; the lock is held ---- */

/* NULL: there is none and make is false. A crew with neither slots nor endings is released. */
struct crew *sluice_crew(struct sluice_runner *runner, const char *name, bool make);
void sluice_crew_release(struct crew *crew); /* when it is empty */
struct slot *sluice_crew_slot(const struct crew *crew, int id);
struct slot *sluice_crew_add(struct crew *crew, int id);
/* The slot has no job. */
void sluice_crew_remove(struct crew *crew, struct slot *slot);
/* Its slots are to be looked at by the runner's thread. */
void sluice_crew_queue(struct crew *crew);
struct crew *sluice_crew_unqueue(struct sluice_runner *runner); /* NULL: none */
/* The slot's config becomes a copy of this one, or is it already; true: it is. */
bool sluice_slot_has_config(const struct slot *slot, const struct sluice_map *config);
void sluice_slot_set_config(struct slot *slot, const struct sluice_map *config);

/* ---- runner.c; the lock is held ---- */

void sluice_slot_due(struct slot *slot, bool restarting);
void sluice_slot_trace(struct slot *slot, const char *trace); /* copied; NULL: none */
void sluice_job_end(struct job *job); /* from its slot to the endings; not told to the task */

/* ---- runner_loop.c ---- */

void *sluice_runner_run(void *runner);

/* For tests: time as they say. Wakes the runner's thread. */
void sluice_runner_clock(struct sluice_runner *runner, int64_t (*now_ms)(void));

#endif
