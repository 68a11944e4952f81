/* leader.c - see leader.h: taking the lead, keeping it, stepping down; entering for requests.
 * What is written: leader_plan.c.
 * Owner: the leader's thread; txn, generation and the plan's state are whoever's holds writer. */
#include "herder/leader.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "herder/leader_impl.h"
#include "herder/session_key.h"

#define ASK_MS 2000    /* one try of what waits for brokers */
#define WRITE_MS 30000 /* Connect's budget for a write and its reading back */
#define KNOWN_MS 5000  /* how long a request waits for a leader to be known */
#define MEMBERS_MS 500 /* between two looks at the group's members */
#define PAUSE_MS 10    /* between two looks at anything: what comes together is done together */
#define RETRY_MS 200
#define SETTLE_MS 3000 /* on top of what tasks are given: they close, and that is told */

/* ---- who leads ---- */

bool leader_leads(struct leader *leader)
{
    sluice_lock(&leader->herder->lock);
    bool leads = leader->leads;
    sluice_unlock(&leader->herder->lock);
    return leads;
}

static void set_leads(struct leader *leader, bool leads)
{
    sluice_lock(&leader->herder->lock);
    leader->leads = leads;
    pthread_cond_broadcast(&leader->herder->changed);
    sluice_unlock(&leader->herder->lock);
}

static bool stopping(struct leader *leader) { return atomic_load(&leader->stopping); }

/* Whether the group says that this incarnation leads. */
static bool is_chosen(struct leader *leader, char self[SLUICE_MEMBER_MAX])
{
    struct sluice_group_state state;
    sluice_group_state(leader->herder->group, &state);
    snprintf(self, SLUICE_MEMBER_MAX, "%s", state.self);
    return state.leader && state.self[0];
}

/* ---- writing; writer is held ---- */

void leader_step_down(struct leader *leader, const char *why)
{
    bool fenced = leader->txn && sluice_transactions_fenced(leader->txn);
    if (leader_leads(leader)) {
        sluice_log(SLUICE_INFO, NULL, -1, "leads no more: %s%s", why,
                   fenced ? " (another worker writes the config topic now)" : "");
    }
    set_leads(leader, false);
    sluice_transactions_free(leader->txn);
    leader->txn = NULL;
    leader_plan_reset(leader);
}

/* Read back to what was the end when this was called. RETRY: not by the deadline. */
static enum sluice_verdict read_back(struct leader *leader, const char *topic, int64_t deadline_ms,
                                     struct sluice_err *err)
{
    enum sluice_verdict verdict;
    do {
        int64_t left = deadline_ms - sluice_now_ms();
        verdict = sluice_log_reader_catch_up(leader->herder->reader, topic,
                                             left < ASK_MS ? (left > 0 ? left : 0) : ASK_MS, err);
    } while (verdict == SLUICE_RETRY && sluice_now_ms() < deadline_ms && !stopping(leader));
    return verdict;
}

/* The logs that a leader decides by: configs, and statuses for what was released. Never the
 * offsets: the transaction that a killed task left open hides their end until its successor fences
 * it, which needs a leader. */
static enum sluice_verdict read_own(struct leader *leader, int64_t deadline_ms,
                                    struct sluice_err *err)
{
    struct distributed *herder = leader->herder;
    enum sluice_verdict verdict = read_back(leader, herder->config_topic, deadline_ms, err);
    return verdict == SLUICE_OK ? read_back(leader, herder->status_topic, deadline_ms, err)
                                : verdict;
}

enum sluice_verdict leader_commit(struct leader *leader, const struct sluice_writes *writes,
                                  int64_t deadline_ms, struct sluice_err *err)
{
    assert(leader->txn);
    if (writes->n == 0) return SLUICE_OK;
    enum sluice_verdict verdict;
    do {
        int64_t left = deadline_ms - sluice_now_ms();
        verdict = sluice_transactions_write(leader->txn, leader->herder->config_topic,
                                            writes->items, writes->n, left > 100 ? left : 100, err);
    } while (verdict == SLUICE_RETRY && sluice_now_ms() < deadline_ms && !stopping(leader));
    if (verdict == SLUICE_FAIL) leader_step_down(leader, err->msg);
    if (verdict != SLUICE_OK) return verdict;
    return read_back(leader, leader->herder->config_topic, deadline_ms, err);
}

/* The session key, when the one there is missing, expired or another kind's. */
static bool add_key(struct leader *leader, struct sluice_writes *writes, struct sluice_err *err)
{
    struct sluice_worker *worker = leader->herder->worker;
    const char *algorithm = sluice_worker_prop(worker, "inter.worker.key.generation.algorithm");
    const char *bits = sluice_map_get(leader->herder->given.props, "inter.worker.key.size");
    int64_t ttl_ms = sluice_worker_num(worker, "inter.worker.key.ttl.ms");
    const struct sluice_cluster *cluster = sluice_config_log_lock(leader->herder->configs);
    bool usable = cluster->session_key && strcmp(cluster->session_algorithm, algorithm) == 0 &&
                  (ttl_ms == 0 || sluice_wall_ms() < cluster->session_created_ms + ttl_ms);
    sluice_config_log_unlock(leader->herder->configs);
    if (usable) return true;
    char *key = sluice_session_key_new(algorithm, bits ? (int)strtol(bits, NULL, 10) : 0, err);
    if (key) sluice_write_session_key(writes, key, algorithm, sluice_wall_ms());
    free(key);
    return key != NULL;
}

/* ---- taking the lead ---- */

static bool take_lead(struct leader *leader, const char *self, struct sluice_err *err)
{
    struct distributed *herder = leader->herder;
    struct sluice_writes writes = {0};
    char *id = sluice_xasprintf("connect-cluster-%s", herder->group_id);
    leader->txn = sluice_transactions_new(&herder->client, id, "config topic", NULL, err);
    free(id);
    enum sluice_verdict verdict = leader->txn ? SLUICE_RETRY : SLUICE_FAIL;
    char now[SLUICE_MEMBER_MAX];
    while (verdict == SLUICE_RETRY && !stopping(leader) && is_chosen(leader, now))
        verdict = sluice_transactions_init(leader->txn, ASK_MS, err);
    /* what former leaders wrote is decided now: read it, and what was said of releases */
    int64_t deadline_ms = sluice_now_ms() + WRITE_MS;
    if (verdict == SLUICE_OK) verdict = read_own(leader, deadline_ms, err);
    if (verdict == SLUICE_OK) {
        snprintf(leader->self, sizeof leader->self, "%s", self);
        leader_plan_begin(leader);
        sluice_write_leader(&writes, self, leader_next_generation(leader));
        if (leader_ask_members(leader, ASK_MS, err)) leader_plan(leader, NULL, &writes);
        verdict = add_key(leader, &writes, err) ? leader_commit(leader, &writes, deadline_ms, err)
                                                : SLUICE_FAIL;
    }
    sluice_writes_fini(&writes);
    if (verdict == SLUICE_OK) {
        set_leads(leader, true);
        sluice_log(SLUICE_INFO, NULL, -1, "leads group %s, generation %d", herder->group_id,
                   (int)leader->generation);
        return true;
    }
    sluice_transactions_free(leader->txn);
    leader->txn = NULL;
    return false;
}

/* ---- the thread ---- */

/* Members, assignments, and the key; writer is held. */
static void look_after(struct leader *leader)
{
    struct sluice_err err = {{0}};
    struct sluice_writes writes = {0};
    int64_t deadline_ms = sluice_now_ms() + WRITE_MS;
    bool members = atomic_exchange(&leader->group_changed, false);
    if (members || sluice_now_ms() >= leader->members_due_ms) {
        leader->members_due_ms = sluice_now_ms() + MEMBERS_MS;
        if (!leader_ask_members(leader, ASK_MS, &err)) {
            sluice_log(SLUICE_DEBUG, NULL, -1, "the group's members are not known: %s", err.msg);
            leader->members_due_ms = sluice_now_ms() + RETRY_MS;
        }
    }
    enum sluice_verdict verdict = SLUICE_OK;
    if (leader->members_known) {
        leader_plan(leader, NULL, &writes);
        if (!add_key(leader, &writes, &err)) verdict = SLUICE_FAIL;
        if (verdict == SLUICE_OK) verdict = leader_commit(leader, &writes, deadline_ms, &err);
        if (verdict == SLUICE_OK) leader_plan_done(leader);
    }
    bool news = strncmp(leader->last, err.msg, sizeof leader->last - 1) != 0;
    if (verdict != SLUICE_OK && leader->txn && news) /* else the step down was logged */
        sluice_log(SLUICE_WARN, NULL, -1, "writing assignments: %s; trying again", err.msg);
    snprintf(leader->last, sizeof leader->last, "%.255s", verdict == SLUICE_OK ? "" : err.msg);
    sluice_writes_fini(&writes);
}

static void *run(void *arg)
{
    struct leader *leader = arg;
    char last[512] = "", self[SLUICE_MEMBER_MAX];
    while (!stopping(leader)) {
        sluice_wake_clear(&leader->wake);
        struct sluice_err err = {{0}};
        sluice_lock(&leader->writer);
        bool chosen = is_chosen(leader, self);
        bool leads = leader_leads(leader);
        if (leads && (!chosen || strcmp(self, leader->self) != 0)) {
            leader_step_down(leader, "the group has another leader");
            leads = false;
        }
        bool tried = chosen && !leads;
        if (tried) leads = take_lead(leader, self, &err);
        if (leads) {
            distributed_busy(leader->herder, "looking after members and assignments");
            look_after(leader);
            distributed_busy(leader->herder, NULL);
        }
        int64_t due_ms = leads ? leader_due(leader) : -1;
        sluice_unlock(&leader->writer);
        if (tried && !leads && strncmp(last, err.msg, sizeof last - 1) != 0) {
            snprintf(last, sizeof last, "%.511s", err.msg);
            sluice_log(SLUICE_WARN, NULL, -1, "cannot lead: %s; trying again", err.msg);
        }
        if (tried && !leads) due_ms = RETRY_MS;
        sluice_wake_wait(&leader->wake, due_ms);
        sluice_wake_wait(&leader->stop, PAUSE_MS);
    }
    return NULL;
}

int64_t leader_due(struct leader *leader)
{
    int64_t ms = leader->members_due_ms - sluice_now_ms();
    if (ms < 0) ms = 0;
    int64_t plan_ms = leader_plan_due(leader);
    return plan_ms >= 0 && plan_ms < ms ? plan_ms : ms;
}

void leader_wake(struct leader *leader, bool group)
{
    if (group) atomic_store(&leader->group_changed, true);
    sluice_wake_up(&leader->wake);
}

/* ---- entering ---- */

bool leader_is_here(struct leader *leader, struct sluice_answer *answer)
{
    struct distributed *herder = leader->herder;
    int64_t deadline_ms = sluice_now_ms() + KNOWN_MS;
    for (;;) {
        char *url = NULL;
        sluice_lock(&herder->lock);
        bool leads = leader->leads, closing = herder->closing, started = herder->started;
        sluice_unlock(&herder->lock);
        if (closing) {
            sluice_answer_error(answer, 503, "The worker is shutting down.");
            return false;
        }
        if (leads) return true;
        struct sluice_group_state state = {0};
        if (started) sluice_group_state(herder->group, &state);
        const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
        if (started && !state.leader && cluster->leader)
            url = sluice_xstrndup(cluster->leader, strcspn(cluster->leader, "#"));
        sluice_config_log_unlock(herder->configs);
        if (url && strcmp(url, herder->url) != 0) {
            answer->forward = url;
            return false;
        }
        free(url); /* a former life of this worker: somebody will lead soon */
        sluice_lock(&herder->lock);
        bool in_time = leader->leads || distributed_wait(herder, deadline_ms);
        sluice_unlock(&herder->lock);
        if (in_time) continue;
        sluice_answer_error(answer, 409,
                            "Cannot complete request momentarily due to no known leader URL, "
                            "likely because a rebalance was underway.");
        return false;
    }
}

enum leader_entry leader_enter(struct leader *leader, const char *name,
                               struct sluice_answer *answer)
{
    struct distributed *herder = leader->herder;
    int64_t since = sluice_wall_ms(), deadline_ms = sluice_now_ms() + 2 * WRITE_MS;
    const char *what = "writing to the config topic";
    while (leader_is_here(leader, answer)) {
        sluice_lock(&leader->writer);
        bool leads = leader_leads(leader), in_time = sluice_now_ms() < deadline_ms;
        bool altering = name && leader->altering && strcmp(name, leader->altering) == 0;
        if (leads && in_time && !altering) {
            distributed_busy(herder, what);
            return LEADER_ENTERED;
        }
        sluice_unlock(&leader->writer);
        if (altering) what = "changing the offsets of the connector";
        if (!in_time) {
            distributed_timed_out(what, since, answer);
            return LEADER_ELSEWHERE;
        }
        sluice_lock(&herder->lock);
        if (altering) distributed_wait(herder, sluice_now_ms() + ASK_MS);
        sluice_unlock(&herder->lock);
    }
    return LEADER_ELSEWHERE;
}

void leader_leave(struct leader *leader)
{
    distributed_busy(leader->herder, NULL);
    sluice_unlock(&leader->writer);
    sluice_wake_up(&leader->wake);
}

void leader_alters(struct leader *leader, const char *name)
{
    assert(!leader->altering);
    leader->altering = sluice_xstrdup(name);
}

void leader_altered(struct leader *leader)
{
    sluice_lock(&leader->writer);
    assert(leader->altering);
    free(leader->altering);
    leader->altering = NULL;
    sluice_unlock(&leader->writer);
    distributed_changed(leader->herder);
}

/* The verdict of a write as an answer; true: it is done. */
static bool written(struct leader *leader, enum sluice_verdict verdict, int64_t since_wall_ms,
                    const struct sluice_err *err, struct sluice_answer *answer)
{
    if (verdict == SLUICE_OK) return true;
    if (verdict == SLUICE_RETRY) {
        distributed_timed_out("writing to the config topic and reading it back", since_wall_ms,
                              answer);
    } else if (verdict == SLUICE_DROP) {
        sluice_answer_error(answer, 500, "Kafka does not take this into topic %s: %s",
                            leader->herder->config_topic, err->msg);
    } else {
        sluice_answer_error(answer, 409,
                            "Cannot complete request because of a conflicting operation (e.g. "
                            "worker rebalance): this worker leads no more (%s); look whether the "
                            "change was made, and try again",
                            err->msg);
    }
    return false;
}

bool leader_write(struct leader *leader, const struct sluice_writes *writes,
                  struct sluice_answer *answer)
{
    struct sluice_err err = {{0}};
    int64_t since = sluice_wall_ms();
    enum sluice_verdict verdict = leader_commit(leader, writes, sluice_now_ms() + WRITE_MS, &err);
    return written(leader, verdict, since, &err, answer);
}

bool leader_apply(struct leader *leader, const struct leader_change *change,
                  struct sluice_answer *answer)
{
    struct sluice_writes writes = {0};
    leader_plan(leader, change, &writes);
    bool done = leader_write(leader, &writes, answer);
    sluice_writes_fini(&writes);
    return done;
}

bool leader_catch_up(struct leader *leader, struct sluice_answer *answer)
{
    struct sluice_err err = {{0}};
    int64_t since = sluice_wall_ms();
    enum sluice_verdict verdict = read_own(leader, sluice_now_ms() + WRITE_MS, &err);
    return written(leader, verdict, since, &err, answer);
}

/* Whether somebody holds a place of the connector that is to be let go. */
static bool is_releasing(struct leader *leader, const char *name)
{
    bool releasing = false;
    const struct sluice_cluster *cluster = sluice_config_log_lock(leader->herder->configs);
    for (size_t i = 0; i < cluster->n && !releasing; i++) {
        const struct sluice_cluster_connector *conn = cluster->connectors[i];
        if (strcmp(conn->name, name) != 0) continue;
        for (int k = 0; k < conn->owners_n; k++)
            releasing |= conn->task_owners[k].member && conn->task_owners[k].leaving;
    }
    sluice_config_log_unlock(leader->herder->configs);
    return releasing;
}

void leader_settle(struct leader *leader, const char *name)
{
    struct distributed *herder = leader->herder;
    int64_t deadline_ms = sluice_now_ms() + SETTLE_MS +
                          sluice_worker_num(herder->worker, "task.shutdown.graceful.timeout.ms");
    bool in_time = true;
    while (in_time && is_releasing(leader, name)) {
        sluice_lock(&herder->lock);
        in_time = !herder->closing && leader->leads && distributed_wait(herder, deadline_ms);
        sluice_unlock(&herder->lock);
    }
}

/* ---- life ---- */

struct leader *leader_new(struct distributed *herder, struct sluice_err *err)
{
    (void)err;
    struct leader *leader = sluice_xcalloc(1, sizeof *leader);
    leader->herder = herder;
    pthread_mutex_init(&leader->writer, NULL);
    sluice_wake_init(&leader->wake);
    sluice_wake_init(&leader->stop);
    return leader;
}

bool leader_start(struct leader *leader, struct sluice_err *err)
{
    assert(!leader->started);
    leader->started = sluice_thread_start(&leader->thread, "leader", run, leader, err);
    return leader->started;
}

void leader_stop(struct leader *leader)
{
    atomic_store(&leader->stopping, true);
    sluice_wake_up(&leader->stop);
    sluice_wake_up(&leader->wake);
    if (leader->started) pthread_join(leader->thread, NULL);
    leader->started = false;
    sluice_lock(&leader->writer);
    if (leader->txn) leader_step_down(leader, "the worker stops");
    sluice_unlock(&leader->writer);
}

void leader_free(struct leader *leader)
{
    if (!leader) return;
    assert(!leader->started && !leader->txn);
    leader_plan_reset(leader);
    sluice_wake_fini(&leader->wake);
    sluice_wake_fini(&leader->stop);
    pthread_mutex_destroy(&leader->writer);
    free(leader);
}
