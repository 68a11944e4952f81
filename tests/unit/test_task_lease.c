/* Tasks whose worker may not work any more: without its lease a source neither polls, sends nor
 * commits, and one that is abandoned ends without committing. */
#include "worker/task.h"

#include "../fake_numbers.h"

#define FOR_EVER INT64_MAX

struct bench {
    struct sluice_registry *registry;
    struct sluice_worker *worker;
    struct sluice_task *task;
    _Atomic int64_t lease;
};

static void set_up(struct bench *b, int64_t lease, const char *flush_ms)
{
    struct sluice_err err = {{0}};
    struct sluice_map props = {0}, config = {0};
    fake_kafka_reset(false);
    numbers_reset();
    numbers.allowed = FOR_EVER;
    b->registry = sluice_registry_new();
    numbers_props(&props, &config);
    sluice_map_set(&props, "offset.flush.interval.ms", flush_ms);
    b->worker = sluice_worker_new(&props, b->registry, NULL, NULL, &err);
    CHECK_STR(err.msg, "");
    atomic_store(&b->lease, lease);
    sluice_worker_set_lease(b->worker, &b->lease);
    b->task =
        sluice_task_start(b->worker, &numbers_plugin, "c", 0, &config, false, NULL, NULL, &err);
    CHECK(b->task != NULL);
    sluice_map_fini(&props);
    sluice_map_fini(&config);
}

static bool is_open(void *arg) { return (void)arg, numbers.opens > 0; }

static bool is_stored(void *n) { return numbers_stored() >= *(long long *)n; }

static uint64_t written(struct bench *b)
{
    struct sluice_task_counters counters;
    sluice_task_counters(b->task, &counters);
    return counters.written;
}

static bool has_written(void *arg) { return written(arg) >= 3; }

/* What was under way when the lease ended comes to its end: nothing moved for half a second. */
static void await_quiet(struct bench *b)
{
    for (int quiet = 0; quiet < 5;) {
        int polls = numbers.polls;
        uint64_t sent = written(b);
        long long position = numbers_stored();
        usleep(100000);
        bool moved = numbers.polls != polls || written(b) != sent || numbers_stored() != position;
        quiet = moved ? 0 : quiet + 1;
    }
}

static void tear_down(struct bench *b)
{
    CHECK(harness_until(numbers_task_ended, b->task));
    sluice_task_free(b->task);
    sluice_worker_free(b->worker);
    sluice_registry_free(b->registry);
}

TEST(without_its_lease_a_worker_does_nothing)
{
    struct bench b;
    set_up(&b, 0, "5");
    CHECK(harness_until(is_open, NULL));
    usleep(100000);
    CHECK_INT(numbers.polls, 0);
    atomic_store(&b.lease, FOR_EVER);
    long long some = 5;
    CHECK(harness_until(is_stored, &some));
    atomic_store(&b.lease, 0);
    int polls = numbers.polls;
    await_quiet(&b);
    CHECK(numbers.polls <= polls + 1); /* one may have been under way */
    long long committed = numbers_stored();
    uint64_t sent = written(&b);
    usleep(100000);
    CHECK_INT(numbers_stored(), committed);
    CHECK_INT(written(&b), sent);
    atomic_store(&b.lease, FOR_EVER); /* renewed in time, seen late: it goes on where it was */
    some = committed + 5;
    CHECK(harness_until(is_stored, &some));
    sluice_task_stop(b.task);
    tear_down(&b);
}

TEST(a_stopped_task_commits_and_an_abandoned_one_does_not)
{
    for (int abandon = 0; abandon < 2; abandon++) {
        struct bench b;
        set_up(&b, FOR_EVER, "600000");
        CHECK(harness_until(has_written, &b));
        numbers.allowed = 0;
        if (abandon) sluice_task_abandon(b.task);
        else sluice_task_stop(b.task);
        CHECK(harness_until(numbers_task_ended, b.task));
        if (abandon) CHECK_INT(numbers_stored(), FAKE_NONE);
        else CHECK(numbers_stored() >= 3);
        tear_down(&b);
    }
}
