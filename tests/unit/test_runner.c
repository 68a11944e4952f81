/* The runner against tasks that do what the test says, by a clock that the test moves. */
#include "harness.h"

#include <stdatomic.h>

#include "fake_worker.h"
#include "herder/runner_impl.h"
#include "worker/auto_restart.h"

/* ---- a runner, its time, and what it tells ---- */

#define NOTES 20000

static _Atomic int64_t fake_time = 1000000;

static int64_t fake_now(void) { return atomic_load(&fake_time); }

struct fixture {
    struct sluice_worker worker;
    struct sluice_runner *runner;
    pthread_mutex_t lock;
    char notes[NOTES]; /* "a-0 a-1 " */
    int passes;
};

static void changed(void *arg, const char *connector, int task)
{
    struct fixture *f = arg;
    char text[64];
    int n = snprintf(text, sizeof text, "%s-%d ", connector, task);
    sluice_lock(&f->lock);
    size_t used = strlen(f->notes);
    if (used + (size_t)n < NOTES) memcpy(f->notes + used, text, (size_t)n + 1);
    sluice_unlock(&f->lock);
    struct sluice_task_status status; /* without locks: it may look */
    sluice_runner_look(f->runner, connector, task, &status, NULL);
}

static void setup(struct fixture *f, int64_t graceful_ms)
{
    struct sluice_err err = {{0}};
    f->worker = (struct sluice_worker){NULL, graceful_ms};
    f->notes[0] = '\0';
    f->passes = 0;
    pthread_mutex_init(&f->lock, NULL);
    fake_no_threads = false;
    f->runner = sluice_runner_new(&f->worker, changed, f, &err);
    CHECK(f->runner != NULL);
    sluice_runner_clock(f->runner, fake_now);
}

static void teardown(struct fixture *f)
{
    CHECK(sluice_runner_stop(f->runner, 60000));
    sluice_runner_free(f->runner);
    pthread_mutex_destroy(&f->lock);
    CHECK_INT(fake_alive(), 0);
}

static bool told(struct fixture *f, const char *connector_task)
{
    sluice_lock(&f->lock);
    bool found = strstr(f->notes, connector_task) != NULL;
    sluice_unlock(&f->lock);
    return found;
}

static void forget_notes(struct fixture *f)
{
    sluice_lock(&f->lock);
    f->notes[0] = '\0';
    sluice_unlock(&f->lock);
}

/* extra: "key=value", up to five; NULL: no more. */
static void want_set(struct fixture *f, const char *connector, int task, uint64_t set,
                     const char *const *extra)
{
    struct sluice_map config = {0};
    sluice_map_set(&config, "name", connector);
    for (; extra && *extra; extra++) {
        char *key = sluice_xstrdup(*extra), *value = strchr(key, '=');
        *value++ = '\0';
        sluice_map_set(&config, key, value);
        free(key);
    }
    sluice_runner_want(f->runner, &(struct sluice_wanted){.connector = connector,
                                                          .task = task,
                                                          .plugin = &fake_plugin,
                                                          .config = &config,
                                                          .set = set});
    sluice_map_fini(&config);
}

#define WITH(...)                                                                                  \
    (const char *const[]) { __VA_ARGS__, NULL }

static void want(struct fixture *f, const char *connector, int task)
{
    want_set(f, connector, task, 1, NULL);
}

struct sought {
    struct fixture *f;
    const char *connector;
    int task;
    enum sluice_state state;
    struct sluice_task_status status;
};

static bool is_in_state(void *arg)
{
    struct sought *s = arg;
    bool there = sluice_runner_look(s->f->runner, s->connector, s->task, &s->status, NULL);
    return there && s->status.state == s->state;
}

static struct sluice_task_status wait_state(struct fixture *f, const char *connector, int task,
                                            enum sluice_state state)
{
    struct sought sought = {f, connector, task, state, {0}};
    CHECK(harness_until(is_in_state, &sought));
    return sought.status;
}

static enum sluice_state state_of(struct fixture *f, const char *connector, int task)
{
    struct sluice_task_status status;
    CHECK(sluice_runner_look(f->runner, connector, task, &status, NULL));
    return status.state;
}

/* The runner's thread has done whatever was to be done: it starts a task of its own wanted now. */
static void pass(struct fixture *f)
{
    char name[32];
    snprintf(name, sizeof name, "pass%d", f->passes++);
    want(f, name, 0);
    wait_state(f, name, 0, SLUICE_RUNNING);
    sluice_runner_drop(f->runner, name, -1);
    sluice_runner_settle(f->runner, name);
}

static void advance(struct fixture *f, int64_t ms)
{
    atomic_fetch_add(&fake_time, ms);
    sluice_runner_clock(f->runner, fake_now);
    pass(f);
}

static bool alive_are(void *n) { return fake_alive() == *(int *)n; }

static bool wait_alive(int n) { return harness_until(alive_are, &n); }

static bool is_told(void *arg)
{
    struct sought *s = arg;
    return told(s->f, s->connector);
}

static bool wait_told(struct fixture *f, const char *note)
{
    struct sought sought = {f, note, 0, 0, {0}};
    return harness_until(is_told, &sought);
}

static size_t draining(struct fixture *f, const char *connector, int task)
{
    size_t n, zombies;
    sluice_runner_ending(f->runner, connector, task, &n, &zombies);
    return n;
}

static size_t zombies(struct fixture *f, const char *connector, int task)
{
    size_t n, gone;
    sluice_runner_ending(f->runner, connector, task, &gone, &n);
    return n;
}

/* ---- slots ---- */

TEST(any_subset_of_tasks_may_be_wanted)
{
    struct fixture f;
    struct sluice_task_status status;
    setup(&f, 1000);
    want(&f, "a", 7);
    want(&f, "a", 3);
    want(&f, "a", 5);
    want(&f, "b", 3);
    wait_state(&f, "a", 3, SLUICE_RUNNING);
    wait_state(&f, "a", 5, SLUICE_RUNNING);
    wait_state(&f, "a", 7, SLUICE_RUNNING);
    wait_state(&f, "b", 3, SLUICE_RUNNING);
    CHECK(!sluice_runner_look(f.runner, "a", 4, &status, NULL));
    CHECK(!sluice_runner_look(f.runner, "c", 3, &status, NULL));
    sluice_runner_drop(f.runner, "a", 5);
    sluice_runner_drop(f.runner, "a", 6);
    sluice_runner_drop(f.runner, "c", 6);
    CHECK(!sluice_runner_look(f.runner, "a", 5, &status, NULL));
    CHECK(wait_alive(3));
    CHECK(sluice_runner_look(f.runner, "a", 3, &status, NULL));
    sluice_runner_drop(f.runner, "a", -1);
    CHECK(sluice_runner_settle(f.runner, "a"));
    CHECK_INT(fake_alive(), 1); /* settled: joined and freed */
    CHECK(wait_told(&f, "a-3 "));
    struct sluice_task_counters counters;
    CHECK(sluice_runner_look(f.runner, "b", 3, &status, &counters));
    CHECK_INT(counters.lag, 3);
    struct sluice_runner_totals totals;
    sluice_runner_totals(f.runner, &totals);
    CHECK_INT(totals.starts, 4);
    CHECK_INT(totals.failures, 0);
    teardown(&f);
}

TEST(what_is_wanted_already_goes_on)
{
    struct fixture f;
    setup(&f, 1000);
    want_set(&f, "a", 0, 1, WITH("x=1"));
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    int first = fake_task("a", 0)->starts;
    want_set(&f, "a", 0, 1, WITH("x=1"));
    pass(&f);
    CHECK_INT(fake_task("a", 0)->starts, first);
    want_set(&f, "a", 0, 1, WITH("x=2")); /* another config */
    CHECK(wait_alive(1));
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    int second = fake_task("a", 0)->starts;
    CHECK(second > first);
    want_set(&f, "a", 0, 2, WITH("x=2")); /* another set */
    CHECK(wait_alive(1));
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    CHECK(fake_task("a", 0)->starts > second);
    sluice_runner_pause(f.runner, "a", true);
    wait_state(&f, "a", 0, SLUICE_PAUSED);
    want_set(&f, "a", 0, 2, WITH("x=2")); /* not paused */
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    teardown(&f);
}

TEST(a_task_waits_for_its_own_predecessor)
{
    struct fixture f;
    setup(&f, 1000);
    want_set(&f, "a", 0, 1, WITH("fake.blocks=true"));
    want_set(&f, "a", 1, 1, WITH("fake.blocks=true"));
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    wait_state(&f, "a", 1, SLUICE_RUNNING);
    sluice_runner_drop(f.runner, "a", 0);
    sluice_runner_drop(f.runner, "a", 1);
    CHECK_INT(draining(&f, "a", -1), 2);
    CHECK_INT(draining(&f, "a", 1), 1);
    want(&f, "a", 1);
    want(&f, "a", 2); /* of the same set: nothing of it is in the way */
    wait_state(&f, "a", 2, SLUICE_RUNNING);
    pass(&f);
    CHECK_INT(state_of(&f, "a", 1), SLUICE_UNASSIGNED);
    fake_end();
    wait_state(&f, "a", 1, SLUICE_RUNNING);
    CHECK(wait_told(&f, "a-0 "));
    CHECK_INT(draining(&f, "a", -1), 0);
    teardown(&f);
}

TEST(a_set_waits_for_every_task_of_another)
{
    struct fixture f;
    setup(&f, 1000);
    want_set(&f, "a", 0, 1, WITH("fake.blocks=true"));
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    sluice_runner_drop(f.runner, "a", -1);
    want_set(&f, "a", 1, 2, NULL);
    want_set(&f, "b", 1, 2, NULL);
    wait_state(&f, "b", 1, SLUICE_RUNNING);
    pass(&f);
    CHECK_INT(state_of(&f, "a", 1), SLUICE_UNASSIGNED);
    fake_end();
    wait_state(&f, "a", 1, SLUICE_RUNNING);
    teardown(&f);
}

TEST(a_task_that_uses_up_its_time_is_left_alone)
{
    struct fixture f;
    setup(&f, 60000);
    want_set(&f, "a", 0, 1, WITH("fake.blocks=true"));
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    sluice_runner_restart(f.runner, "a", 0);
    advance(&f, 59999);
    CHECK_INT(state_of(&f, "a", 0), SLUICE_RESTARTING);
    CHECK_INT(zombies(&f, "a", 0), 0);
    advance(&f, 5000); /* the time to close, too */
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    CHECK_INT(draining(&f, "a", 0), 0);
    CHECK_INT(zombies(&f, "a", 0), 1);
    CHECK(!sluice_runner_settle(f.runner, "a"));
    fake_end();
    CHECK(wait_alive(1));
    pass(&f);
    CHECK(sluice_runner_settle(f.runner, "a"));
    sluice_runner_drop(f.runner, "a", -1); /* this one blocks, too */
    fake_end();
    teardown(&f);
}

static bool all_abandoned(void *n)
{
    int count = 0;
    sluice_lock(&fake_lock);
    for (struct sluice_task *task = fake_tasks; task; task = task->next) count += task->abandoned;
    sluice_unlock(&fake_lock);
    return count == *(int *)n;
}

TEST(abandoning_ends_everything_without_a_commit)
{
    struct fixture f;
    struct sluice_task_status status;
    setup(&f, 60000);
    want_set(&f, "a", 0, 1, WITH("fake.blocks=true"));
    want_set(&f, "b", 4, 1, WITH("fake.blocks=true"));
    want_set(&f, "c", 2, 1, NULL);
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    wait_state(&f, "b", 4, SLUICE_RUNNING);
    wait_state(&f, "c", 2, SLUICE_RUNNING);
    sluice_runner_drop(f.runner, "b", 4); /* drains: that, too, is over now */
    sluice_runner_abandon(f.runner);
    CHECK(!sluice_runner_look(f.runner, "a", 0, &status, NULL));
    CHECK(wait_alive(2));
    int two = 2;
    CHECK(harness_until(all_abandoned, &two));
    want_set(&f, "a", 0, 9, NULL); /* the worker is back */
    pass(&f);
    CHECK_INT(state_of(&f, "a", 0), SLUICE_UNASSIGNED);
    fake_end();
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    teardown(&f);
}

TEST(tasks_that_cannot_be_started_are_told_apart)
{
    struct fixture f;
    char trace[200];
    setup(&f, 1000);
    fake_no_threads = true;
    want(&f, "a", 0);
    want(&f, "a", 1);
    wait_state(&f, "a", 1, SLUICE_FAILED);
    CHECK(wait_told(&f, "a-1 "));
    CHECK(sluice_runner_unstarted(f.runner, "a", trace, sizeof trace));
    CHECK_STR(trace, "task 0 could not be started: no more threads");
    CHECK(!sluice_runner_unstarted(f.runner, "b", trace, sizeof trace));
    fake_no_threads = false;
    CHECK(sluice_runner_restart(f.runner, "a", 0));
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    CHECK(sluice_runner_unstarted(f.runner, "a", trace, sizeof trace));
    CHECK_STR(trace, "task 1 could not be started: no more threads");
    sluice_runner_restart_unstarted(f.runner, "a");
    wait_state(&f, "a", 1, SLUICE_RUNNING);
    CHECK(!sluice_runner_unstarted(f.runner, "a", trace, sizeof trace));
    fake_fail(fake_task("a", 1), "broken"); /* is not the connector's failure */
    wait_state(&f, "a", 1, SLUICE_FAILED);
    CHECK(!sluice_runner_unstarted(f.runner, "a", trace, sizeof trace));
    CHECK(!sluice_runner_restart(f.runner, "a", 2));
    teardown(&f);
}

TEST(what_is_refused_fails_without_a_start)
{
    struct fixture f;
    char trace[200];
    setup(&f, 1000);
    struct sluice_map config = {0};
    struct sluice_wanted wanted = {.connector = "a", .plugin = &fake_plugin, .config = &config};
    sluice_map_set(&config, "auto.restart.enabled", "true");
    wanted.refusal = "too many tasks";
    sluice_runner_want(f.runner, &wanted);
    CHECK_STR(wait_state(&f, "a", 0, SLUICE_FAILED).trace, "too many tasks");
    CHECK(sluice_runner_unstarted(f.runner, "a", trace, sizeof trace));
    CHECK_STR(trace, "task 0 could not be started: too many tasks");
    advance(&f, 100000000); /* waiting does not help */
    CHECK_INT(state_of(&f, "a", 0), SLUICE_FAILED);
    sluice_runner_want(f.runner, &wanted);
    CHECK_INT(state_of(&f, "a", 0), SLUICE_FAILED);
    CHECK_INT(fake_alive(), 0);
    wanted.refusal = NULL;
    sluice_runner_want(f.runner, &wanted);
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    wanted.refusal = "now they are";
    sluice_runner_want(f.runner, &wanted);
    CHECK_STR(wait_state(&f, "a", 0, SLUICE_FAILED).trace, "now they are");
    CHECK(wait_alive(0));
    sluice_map_fini(&config);
    teardown(&f);
}

TEST(a_failure_is_told_of_and_kept)
{
    struct fixture f;
    setup(&f, 1000);
    want(&f, "a", 0);
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    forget_notes(&f);
    fake_fail(fake_task("a", 0), "no such table");
    CHECK(wait_told(&f, "a-0 "));
    CHECK(wait_alive(0));
    CHECK_STR(wait_state(&f, "a", 0, SLUICE_FAILED).trace, "no such table");
    advance(&f, 100000000); /* nobody asked for another try */
    CHECK_INT(state_of(&f, "a", 0), SLUICE_FAILED);
    want(&f, "a", 0); /* the same goes on as it is */
    pass(&f);
    CHECK_INT(state_of(&f, "a", 0), SLUICE_FAILED);
    want_set(&f, "a", 0, 2, NULL);
    CHECK_STR(wait_state(&f, "a", 0, SLUICE_RUNNING).trace, "");
    struct sluice_runner_totals totals;
    sluice_runner_totals(f.runner, &totals);
    CHECK_INT(totals.failures, 1);
    CHECK_INT(totals.auto_restarts, 0);
    teardown(&f);
}

TEST(many_connectors_come_and_go)
{
    struct fixture f;
    char name[32];
    setup(&f, 1000);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 300; i++) {
            snprintf(name, sizeof name, "connector-%d", i);
            for (int task = 4; task >= 0; task--) want_set(&f, name, task, (uint64_t)round, NULL);
        }
        snprintf(name, sizeof name, "connector-%d", 299);
        for (int task = 0; task < 5; task++) wait_state(&f, name, task, SLUICE_RUNNING);
        CHECK(wait_alive(1500)); /* the former round's have ended */
        for (int i = 0; i < 300; i += 2) {
            snprintf(name, sizeof name, "connector-%d", i);
            sluice_runner_drop(f.runner, name, round == 1 ? -1 : i % 5);
        }
    }
    teardown(&f);
}

/* ---- automatic restarts ---- */

#define AGAIN "auto.restart.enabled=true", "auto.restart.initial.delay.ms=1000"

static void fail(struct fixture *f, const char *trace)
{
    wait_state(f, "a", 0, SLUICE_RUNNING);
    struct sluice_task *task = fake_task("a", 0);
    CHECK(task != NULL);
    fake_fail(task, trace);
    wait_state(f, "a", 0, SLUICE_FAILED);
    CHECK(wait_alive(0));
}

TEST(a_failed_task_starts_again_after_a_while)
{
    struct fixture f;
    setup(&f, 1000);
    want_set(&f, "a", 0, 1,
             WITH(AGAIN, "auto.restart.max.attempts=2", "auto.restart.max.delay.ms=1500"));
    fail(&f, "boom");
    struct sluice_task_status status = wait_state(&f, "a", 0, SLUICE_FAILED);
    CHECK_HAS(status.trace, "boom\nautomatic restart 1 of 2 at 2");
    advance(&f, 740); /* jitter takes at most a quarter */
    CHECK_INT(state_of(&f, "a", 0), SLUICE_FAILED);
    advance(&f, 260);
    status = wait_state(&f, "a", 0, SLUICE_RUNNING);
    CHECK_STR(status.trace, "");
    fail(&f, "boom again");
    status = wait_state(&f, "a", 0, SLUICE_FAILED);
    CHECK_HAS(status.trace, "boom again\nautomatic restart 2 of 2 at 2");
    advance(&f, 1000);
    CHECK_INT(state_of(&f, "a", 0), SLUICE_FAILED); /* waits grow */
    advance(&f, 500);                               /* but for the limit */
    fail(&f, "boom");
    status = wait_state(&f, "a", 0, SLUICE_FAILED);
    CHECK_STR(status.trace, "boom\nnot restarted any more after 2 automatic restarts "
                            "(auto.restart.max.attempts)");
    advance(&f, 1000000);
    CHECK_INT(state_of(&f, "a", 0), SLUICE_FAILED);
    CHECK(sluice_runner_restart(f.runner, "a", 0)); /* a user's restart: all over again */
    fail(&f, "boom");
    CHECK_HAS(wait_state(&f, "a", 0, SLUICE_FAILED).trace, "boom\nautomatic restart 1 of 2 at 2");
    struct sluice_runner_totals totals;
    sluice_runner_totals(f.runner, &totals);
    CHECK_INT(totals.auto_restarts, 2);
    teardown(&f);
}

TEST(a_task_that_ran_for_long_begins_anew)
{
    struct fixture f;
    setup(&f, 1000);
    want_set(&f, "a", 0, 1,
             WITH(AGAIN, "auto.restart.max.attempts=1", "auto.restart.reset.after.ms=5000"));
    for (int i = 0; i < 3; i++) {
        wait_state(&f, "a", 0, SLUICE_RUNNING);
        advance(&f, 5000);
        fail(&f, "boom");
        CHECK_HAS(wait_state(&f, "a", 0, SLUICE_FAILED).trace, "automatic restart 1 of 1 at 2");
        advance(&f, 1000);
    }
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    advance(&f, 4999);
    fail(&f, "boom");
    CHECK_HAS(wait_state(&f, "a", 0, SLUICE_FAILED).trace, "not restarted any more after 1 auto");
    teardown(&f);
}

TEST(restarts_without_end)
{
    struct fixture f;
    setup(&f, 1000);
    want_set(&f, "a", 0, 1,
             WITH(AGAIN, "auto.restart.max.attempts=-1", "auto.restart.max.delay.ms=8000"));
    for (int i = 1; i <= 20; i++) {
        char text[64];
        fail(&f, "boom");
        snprintf(text, sizeof text, "boom\nautomatic restart %d at 2", i);
        CHECK_HAS(wait_state(&f, "a", 0, SLUICE_FAILED).trace, text);
        advance(&f, 8000);
    }
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    teardown(&f);
}

TEST(what_the_user_does_cancels_an_automatic_restart)
{
    struct fixture f;
    struct sluice_task_status status;
    setup(&f, 1000);
    want_set(&f, "a", 0, 1, WITH(AGAIN));
    fail(&f, "boom");
    want_set(&f, "a", 0, 2, NULL); /* a config without it */
    fail(&f, "boom");
    advance(&f, 100000);
    CHECK_STR(wait_state(&f, "a", 0, SLUICE_FAILED).trace, "boom");
    want_set(&f, "a", 0, 3, WITH(AGAIN));
    fail(&f, "boom");
    sluice_runner_drop(f.runner, "a", -1); /* stop */
    advance(&f, 100000);
    CHECK(!sluice_runner_look(f.runner, "a", 0, &status, NULL));
    want_set(&f, "a", 0, 4, WITH(AGAIN));
    fail(&f, "boom");
    CHECK(sluice_runner_restart(f.runner, "a", 0));
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    int first = fake_task("a", 0)->starts;
    advance(&f, 100000);
    CHECK_INT(fake_task("a", 0)->starts, first);
    fail(&f, "boom");
    sluice_runner_pause(f.runner, "a", true); /* is no obstacle: it starts paused */
    advance(&f, 1000);
    wait_state(&f, "a", 0, SLUICE_PAUSED);
    fake_fail(fake_task("a", 0), "boom");
    CHECK(wait_alive(0));
    sluice_runner_abandon(f.runner);
    advance(&f, 100000);
    CHECK_INT(fake_alive(), 0);
    teardown(&f);
}

static bool second_is_planned(void *arg)
{
    struct fixture *f = arg;
    struct sluice_task_status status;
    CHECK(sluice_runner_look(f->runner, "a", 0, &status, NULL));
    return strstr(status.trace, "no more threads\nautomatic restart 2 of 7 at 2") != NULL;
}

TEST(what_cannot_be_started_is_tried_again_too)
{
    struct fixture f;
    char trace[200];
    setup(&f, 1000);
    fake_no_threads = true;
    want_set(&f, "a", 0, 1, WITH(AGAIN, "auto.restart.reset.after.ms=0"));
    wait_state(&f, "a", 0, SLUICE_FAILED);
    atomic_fetch_add(&fake_time, 1000);
    sluice_runner_clock(f.runner, fake_now);
    CHECK(harness_until(second_is_planned, &f));
    CHECK(sluice_runner_unstarted(f.runner, "a", trace, sizeof trace));
    fake_no_threads = false;
    advance(&f, 2000);
    wait_state(&f, "a", 0, SLUICE_RUNNING);
    CHECK(!sluice_runner_unstarted(f.runner, "a", trace, sizeof trace));
    teardown(&f);
}

TEST(a_long_trace_leaves_room_for_what_comes_next)
{
    struct fixture f;
    char trace[1024];
    memset(trace, 'x', sizeof trace);
    trace[sizeof trace - 1] = '\0';
    setup(&f, 1000);
    want_set(&f, "a", 0, 1, WITH(AGAIN));
    fail(&f, trace);
    struct sluice_task_status status = wait_state(&f, "a", 0, SLUICE_FAILED);
    CHECK_HAS(status.trace, "xxx\nautomatic restart 1 of 7 at 2");
    CHECK_HAS(status.trace + strlen(status.trace) - 1, "Z");
    teardown(&f);
}

/* ---- the options ---- */

static bool read_options(const char *const *pairs, struct sluice_auto_restart *out)
{
    struct sluice_map config = {0};
    for (; *pairs; pairs += 2) sluice_map_set(&config, pairs[0], pairs[1]);
    bool enabled = sluice_auto_restart_read(NULL, &config, out);
    sluice_map_fini(&config);
    return enabled;
}

TEST(options_of_automatic_restarts)
{
    struct sluice_auto_restart a;
    CHECK(!read_options(WITH("name", "x"), &a));
    CHECK(!read_options(WITH("auto.restart.enabled", "false"), &a));
    CHECK(!read_options(WITH("auto.restart.enabled", ""), &a));
    CHECK(!read_options(WITH("auto.restart.enabled", "truely"), &a));
    CHECK(read_options(WITH("auto.restart.enabled", " True\n"), &a));
    CHECK_INT(a.max_attempts, 7);
    CHECK_INT(a.initial_delay_ms, 10000);
    CHECK_INT(a.max_delay_ms, 600000);
    CHECK_INT(a.reset_after_ms, 600000);
    CHECK(read_options(WITH("auto.restart.enabled", "true", "auto.restart.max.attempts", " -1 ",
                            "auto.restart.initial.delay.ms", "700000",
                            "auto.restart.reset.after.ms", "0"),
                       &a));
    CHECK_INT(a.max_attempts, -1);
    CHECK_INT(a.initial_delay_ms, 700000);
    CHECK_INT(a.max_delay_ms, 700000); /* never less than the first */
    CHECK_INT(a.reset_after_ms, 0);
    CHECK(read_options(WITH("auto.restart.enabled", "true", "auto.restart.max.attempts", "-2",
                            "auto.restart.initial.delay.ms", "0", "auto.restart.max.delay.ms",
                            "99999999999999999999", "auto.restart.reset.after.ms", "1x"),
                       &a));
    CHECK_INT(a.max_attempts, 7);
    CHECK_INT(a.initial_delay_ms, 10000);
    CHECK_INT(a.max_delay_ms, 600000);
    CHECK_INT(a.reset_after_ms, 600000);
}
