/* Source tasks: exactly-once, with boundaries of all kinds and everything that can go wrong with a
 * transaction; and at-least-once, with offsets that become durable late or not at all. A task runs
 * on its thread as it does in the worker; Kafka is in memory. */
#include "plugin/registry.h"
#include "worker/retry.h"
#include "worker/task.h"

#include "../fake_numbers.h"

/* ---- no waits between tries ---- */

void sluice_backoff_init(struct sluice_backoff *backoff, int64_t first_ms, int64_t max_ms)
{
    *backoff = (struct sluice_backoff){.first_ms = first_ms, .max_ms = max_ms};
}
void sluice_backoff_reset(struct sluice_backoff *backoff) { backoff->tries = 0; }
int64_t sluice_backoff_next(struct sluice_backoff *backoff)
{
    backoff->tries++;
    return 1;
}

/* ---- a worker with one task ---- */

struct bench {
    struct sluice_registry *registry;
    struct sluice_offset_store *store;
    struct sluice_worker *worker;
    struct sluice_map props, config;
    struct sluice_task *task;
};

static void set_up(struct bench *b, bool exactly_once)
{
    struct sluice_err err = {{0}};
    memset(b, 0, sizeof *b);
    fake_kafka_reset(exactly_once);
    numbers_reset();
    numbers.poll = 3;
    b->registry = sluice_registry_new();
    numbers_props(&b->props, &b->config);
    sluice_map_set(&b->props, "group.id", "g");
    sluice_map_set(&b->props, "offset.flush.interval.ms", "20");
    b->worker = sluice_worker_new(&b->props, b->registry, NULL, NULL, &err);
    CHECK_STR(err.msg, "");
}

/* The worker again, with another setting. */
static void set_up_with(struct bench *b, const char *key, const char *value)
{
    struct sluice_err err = {{0}};
    sluice_map_set(&b->props, key, value);
    sluice_worker_free(b->worker);
    b->worker = sluice_worker_new(&b->props, b->registry, NULL, NULL, &err);
    CHECK_STR(err.msg, "");
}

static void start(struct bench *b)
{
    struct sluice_err err = {{0}};
    b->task =
        sluice_task_start(b->worker, &numbers_plugin, "c", 7, &b->config, false, NULL, NULL, &err);
    CHECK(b->task);
}

static void stop(struct bench *b) { numbers_stop(b->task); }

static void tear_down(struct bench *b)
{
    if (b->task) {
        stop(b);
        sluice_task_free(b->task);
    }
    sluice_worker_free(b->worker);
    sluice_registry_free(b->registry);
    sluice_map_fini(&b->props);
    sluice_map_fini(&b->config);
}

static const char *trace(struct bench *b)
{
    static struct sluice_task_status status;
    sluice_task_status(b->task, &status);
    return status.state == SLUICE_FAILED ? status.trace : "";
}

static bool is_stored(void *n) { return numbers_stored() == *(long long *)n; }

static bool acks(void *arg)
{
    sluice_lock(&numbers.lock);
    bool yes = strcmp(numbers.acked, arg) == 0;
    sluice_unlock(&numbers.lock);
    return yes;
}

/* The source was told of these positions so far; it is told after the offset is stored. */
#define CHECK_ACKED(positions) CHECK(harness_until(acks, (void *)(uintptr_t)(positions)))
#define CHECK_NOT_ACKED() CHECK(acks((void *)(uintptr_t) ""))

/* Lets the source give up to that number and waits until its offset is there. */
static void give(long long to)
{
    numbers.allowed = to;
    if (!harness_until(is_stored, &to)) FAIL("offset %lld was not stored: %s", to, fake_history());
}

static bool counts(void *arg) { return numbers.idle_polls >= *(int *)arg; }

/* The source was polled in vain some more: it has given all that it may. */
static void give_all(long long to)
{
    numbers.allowed = to;
    int wanted = numbers.idle_polls + 3;
    CHECK(harness_until(counts, &wanted));
}

/* "1 2 ... n " */
static const char *up_to(long long n)
{
    static char text[100000];
    size_t len = 0;
    text[0] = '\0';
    for (long long i = 1; i <= n; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%lld ", i);
    return text;
}

/* ---- boundaries ---- */

TEST(txn_poll_commits_each_poll_with_its_offset)
{
    struct bench b;
    set_up(&b, true);
    start(&b);
    give(3);
    give(7);
    CHECK_STR(fake_history(), "1 2 3 @3 | 4 5 6 @6 | 7 @7 | ");
    stop(&b);
    CHECK_ACKED("3 6 7 ");
    CHECK_INT(fake_kafka.aborts, 0);
    tear_down(&b);
}

TEST(txn_starts_in_the_order_that_fences)
{
    struct bench b;
    set_up(&b, true);
    fake_kafka.init_retries = 2;
    fake_kafka.refresh_retries = 1;
    start(&b);
    give(1);
    CHECK_STR(fake_kafka.calls, "g-c-7 init init init refresh refresh open ");
    tear_down(&b);
}

static int fences;
static enum sluice_verdict fence(void *arg, const char *connector, struct sluice_err *err)
{
    (void)arg;
    CHECK_STR(connector, "c");
    fake_call("fence");
    if (fences++ < 2) {
        sluice_err_set(err, "no leader");
        return SLUICE_RETRY;
    }
    return SLUICE_OK;
}
static enum sluice_verdict current(void *arg, const char *connector, int task,
                                   struct sluice_err *err)
{
    (void)connector;
    fake_call(task == 7 ? "current" : "?");
    return *(bool *)arg ? SLUICE_OK : sluice_fail(err, "another config is in force");
}

TEST(txn_fences_before_it_takes_the_id_and_asks_after)
{
    struct bench b;
    bool wanted = true;
    set_up(&b, true);
    fences = 0;
    struct sluice_worker_hooks hooks = {&wanted, fence, current, NULL};
    sluice_worker_set_hooks(b.worker, &hooks);
    start(&b);
    give(1);
    CHECK_STR(fake_kafka.calls, "g-c-7 fence fence fence init refresh current open ");
    tear_down(&b);

    set_up(&b, true);
    wanted = false;
    sluice_worker_set_hooks(b.worker, &hooks);
    start(&b);
    CHECK(harness_until(numbers_task_ended, b.task));
    CHECK_STR(trace(&b), "another config is in force");
    CHECK_INT(numbers.opens, 0);
    tear_down(&b);
}

TEST(txn_interval_spans_polls_and_ends_while_idle)
{
    struct bench b;
    set_up(&b, true);
    sluice_map_set(&b.config, "transaction.boundary", "interval");
    sluice_map_set(&b.config, "transaction.boundary.interval.ms", "100000000");
    start(&b);
    give_all(7);
    CHECK_STR(fake_history(), "1 2 3 4 5 6 7 ? ");
    stop(&b); /* whatever was sent is whole */
    CHECK_STR(fake_history(), "1 2 3 4 5 6 7 @7 | ");
    tear_down(&b);

    set_up(&b, true);
    sluice_map_set(&b.config, "transaction.boundary", "interval");
    sluice_map_set(&b.config, "transaction.boundary.interval.ms", "30");
    start(&b);
    give(1); /* nothing follows: the clock ends it */
    CHECK_STR(fake_history(), "1 @1 | ");
    tear_down(&b);
}

TEST(txn_interval_keeps_within_the_producers_timeout)
{
    struct bench b;
    set_up(&b, true);
    sluice_map_set(&b.config, "transaction.boundary", "interval");
    sluice_map_set(&b.config, "transaction.boundary.interval.ms", "100000000");
    sluice_map_set(&b.config, "producer.override.transaction.timeout.ms", "100");
    start(&b);
    give(1);
    tear_down(&b);
}

TEST(txn_connector_ends_at_marks_only)
{
    struct bench b;
    set_up(&b, true);
    sluice_map_set(&b.config, "transaction.boundary", "connector");
    numbers.poll = 8;
    numbers.mark = 3;
    start(&b);
    numbers.allowed = 8;
    long long six = 6;
    CHECK(harness_until(is_stored, &six));
    give_all(8);
    CHECK_STR(fake_history(), "1 2 3 4 5 6 @6 | 7 8 ? "); /* the last mark of the poll */
    CHECK_ACKED("6 ");
    stop(&b);
    CHECK_STR(fake_history(), "1 2 3 4 5 6 @6 | 7 8 / "); /* never cut in two */
    tear_down(&b);
}

TEST(txn_may_be_larger_than_the_window)
{
    struct bench b;
    set_up(&b, true);
    sluice_map_set(&b.config, "transaction.boundary", "connector");
    sluice_map_set(&b.config, "inflight.max.records", "16");
    numbers.poll = 1000000;
    numbers.mark = 5000;
    start(&b);
    give(5000);
    CHECK_INT(fake_kafka.commits, 1);
    CHECK_STR(fake_visible("out"), up_to(5000));
    tear_down(&b);
}

TEST(txn_positions_without_records_begin_none)
{
    struct bench b;
    set_up(&b, true);
    set_up_with(&b, "offset.flush.interval.ms", "200");
    numbers.silent_from = 4;
    numbers.silent_to = 10000;
    start(&b);
    give(3);
    int polls = numbers.polls;
    give(3000); /* a thousand polls */
    CHECK(numbers.polls - polls >= 999);
    CHECK(fake_kafka.commits < 500); /* but by the clock */
    CHECK_STR(fake_visible("out"), "1 2 3 ");
    numbers.silent_to = 0;
    give(3001);
    CHECK_STR(fake_visible("out"), "1 2 3 3001 ");
    tear_down(&b);
}

TEST(txn_nothing_is_begun_for_nothing)
{
    struct bench b;
    set_up(&b, true);
    start(&b);
    give_all(0);
    stop(&b);
    CHECK_INT(fake_kafka.txns, 0);
    tear_down(&b);
}

/* ---- pause ---- */

static bool is_paused(void *arg)
{
    struct sluice_task_status status;
    sluice_task_status(arg, &status);
    return status.state == SLUICE_PAUSED;
}

TEST(txn_pause_commits_what_is_open)
{
    struct bench b;
    set_up(&b, true);
    sluice_map_set(&b.config, "transaction.boundary", "interval");
    sluice_map_set(&b.config, "transaction.boundary.interval.ms", "100000000");
    start(&b);
    give_all(5);
    CHECK_INT(fake_kafka.commits, 0);
    sluice_task_pause(b.task, true);
    long long five = 5;
    CHECK(harness_until(is_stored, &five));
    CHECK(harness_until(is_paused, b.task));
    sluice_task_pause(b.task, false);
    give_all(6);
    stop(&b);
    CHECK_STR(fake_visible("out"), up_to(6));
    tear_down(&b);
}

static bool reopened(void *arg)
{
    (void)arg;
    return numbers.opens == 2;
}

TEST(txn_pause_within_the_sources_own_aborts)
{
    struct bench b;
    set_up(&b, true);
    sluice_map_set(&b.config, "transaction.boundary", "connector");
    numbers.mark = 4;
    start(&b);
    give_all(6);
    sluice_task_pause(b.task, true);
    CHECK(harness_until(reopened, NULL));
    CHECK_INT(fake_kafka.aborts, 1);
    sluice_task_pause(b.task, false);
    give(8);
    CHECK_STR(fake_visible("out"), up_to(8));
    tear_down(&b);
}

/* ---- what goes wrong ---- */

TEST(txn_dropped_begins_again_from_the_last_commit)
{
    struct bench b;
    set_up(&b, true);
    start(&b);
    give(3);
    fake_kafka.commit_drops = 2;
    give(9);
    CHECK_STR(fake_history(), "1 2 3 @3 | 4 5 6 @6 / 4 5 6 @6 / 4 5 6 @6 | 7 8 9 @9 | ");
    CHECK_STR(fake_visible("out"), up_to(9));
    CHECK_ACKED("3 6 9 ");
    CHECK_INT(numbers.opens, 3);
    CHECK_STR(trace(&b), "");
    tear_down(&b);
}

TEST(txn_lost_record_aborts_all_of_it)
{
    struct bench b;
    set_up(&b, true);
    sluice_map_set(&b.config, "transaction.boundary", "interval");
    sluice_map_set(&b.config, "transaction.boundary.interval.ms", "50");
    sluice_map_set(&b.config, "errors.tolerance", "all"); /* has no say */
    fake_kafka.lose = 5;
    start(&b);
    give(9);
    CHECK(fake_kafka.aborts == 1);
    CHECK_STR(fake_visible("out"), up_to(9));
    tear_down(&b);
}

TEST(txn_refused_record_fails_the_task)
{
    struct bench b;
    set_up(&b, true);
    sluice_map_set(&b.config, "errors.tolerance", "all");
    fake_kafka.refuse = 5;
    start(&b);
    numbers.allowed = 9;
    CHECK(harness_until(numbers_task_ended, b.task));
    CHECK_HAS(trace(&b), "topic out refused a record (refused)");
    CHECK_HAS(trace(&b), "errors.tolerance");
    CHECK_STR(fake_visible("out"), up_to(3));
    CHECK_INT(fake_kafka.aborts, 1); /* consumers need not wait for a timeout */
    tear_down(&b);
}

TEST(txn_gives_up_after_ten_aborts_in_a_row)
{
    struct bench b;
    set_up(&b, true);
    sluice_map_set(&b.config, "transaction.boundary", "poll");
    fake_kafka.commit_drops = 1000;
    start(&b);
    numbers.allowed = 1;
    CHECK(harness_until(numbers_task_ended, b.task));
    CHECK_HAS(trace(&b), "10 transactions in a row could not be committed");
    CHECK_INT(fake_kafka.commit_drops, 1000 - 11);
    CHECK_STR(fake_visible("out"), "");
    tear_down(&b);
}

TEST(txn_fenced_fails_the_task)
{
    struct bench b;
    set_up(&b, true);
    start(&b);
    give(3);
    fake_kafka.fenced = fake_kafka.commit_fails = true;
    numbers.allowed = 6;
    CHECK(harness_until(numbers_task_ended, b.task));
    CHECK_HAS(trace(&b), "this task was fenced");
    CHECK_STR(fake_visible("out"), up_to(3));
    CHECK_ACKED("3 ");
    tear_down(&b);
}

TEST(txn_that_kafka_ended_says_which_settings_help)
{
    struct bench b;
    set_up(&b, true);
    sluice_map_set(&b.config, "transaction.boundary", "connector");
    sluice_map_set(&b.config, "producer.override.transaction.timeout.ms", "1");
    numbers.mark = 2;
    fake_kafka.fenced = fake_kafka.commit_fails = true;
    start(&b);
    give_all(1);
    numbers.allowed = 2;
    CHECK(harness_until(numbers_task_ended, b.task));
    CHECK_HAS(trace(&b), "transaction.timeout.ms (1)");
    tear_down(&b);
}

TEST(txn_own_offsets_topic_is_refused)
{
    struct bench b;
    set_up(&b, true);
    numbers.topic = FAKE_OFFSETS_TOPIC;
    start(&b);
    numbers.allowed = 1;
    CHECK(harness_until(numbers_task_ended, b.task));
    CHECK_STR(trace(&b),
              "Source tasks may not produce to their own offsets topics when exactly-once "
              "support is enabled");
    CHECK_INT(fake_kafka.txns, 0);
    tear_down(&b);
}

TEST(txn_commit_of_unknown_fate_is_waited_for)
{
    struct bench b;
    set_up(&b, true);
    fake_kafka.commit_retries = 50;
    start(&b);
    give(3);
    CHECK_STR(fake_history(), "1 2 3 @3 | ");
    tear_down(&b);
}

TEST(txn_stop_does_not_wait_for_ever)
{
    struct bench b;
    set_up(&b, true);
    set_up_with(&b, "task.shutdown.graceful.timeout.ms", "200");
    fake_kafka.commit_retries = -1;
    start(&b);
    give_all(0);
    numbers.allowed = 3;
    stop(&b); /* the successor's init decides what became of it */
    CHECK_NOT_ACKED();
    CHECK_INT(fake_kafka.aborts, 0);
    tear_down(&b);
}

/* ---- a topic that Kafka does not know for a while ---- */

static bool held(void *arg)
{
    (void)arg;
    return fake_holds();
}

static bool has_passed_five(void *arg)
{
    (void)arg;
    sluice_lock(&fake_kafka.lock);
    bool yes = fake_kafka.away == FAKE_NONE;
    sluice_unlock(&fake_kafka.lock);
    return yes;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), tail = strlen(end);
    return len >= tail && strcmp(text + len - tail, end) == 0;
}

TEST(topic_away_begins_again_and_loses_nothing)
{
    struct bench b;
    set_up(&b, false);
    sluice_map_set(&b.config, "errors.tolerance", "all"); /* has no say */
    fake_kafka.away = 5;
    start(&b);
    give(9);
    CHECK_INT(numbers.opens, 2);
    CHECK(strncmp(fake_visible("out"), "1 2 3 4 ", 8) == 0);
    if (!ends_with(fake_visible("out"), "5 6 7 8 9 ")) FAIL("%s", fake_visible("out"));
    CHECK_STR(trace(&b), "");
    tear_down(&b);
}

/* Nothing of the first two polls gets through: their records are not even taken. */
static void away_at_the_send(bool exactly_once)
{
    struct bench b;
    set_up(&b, exactly_once);
    sluice_map_set(&b.config, "errors.tolerance", "all");
    fake_kafka.away_sends = 2;
    start(&b);
    give(9);
    CHECK_INT(numbers.opens, 3);
    CHECK_STR(fake_visible("out"), up_to(9));
    tear_down(&b);
}

TEST(topic_away_at_the_send_begins_again) { away_at_the_send(false); }
TEST(topic_away_in_a_transaction_begins_again) { away_at_the_send(true); }

TEST(topic_away_for_good_fails_the_task)
{
    struct bench b;
    set_up(&b, false);
    fake_kafka.away_sends = 1000;
    start(&b);
    numbers.allowed = 9;
    CHECK(harness_until(numbers_task_ended, b.task));
    CHECK_HAS(trace(&b), "10 times in a row records could not be delivered: topic out took no "
                         "record: unknown topic");
    CHECK_INT(numbers.opens, 11);
    CHECK_NOT_ACKED();
    tear_down(&b);
}

TEST(topic_away_does_not_hold_up_a_stop)
{
    struct bench b;
    set_up(&b, false);
    fake_kafka.hold = true; /* an answer about offsets that does not come */
    sluice_map_set(&b.props, "task.shutdown.graceful.timeout.ms", "50");
    sluice_worker_free(b.worker);
    struct sluice_err err;
    b.worker = sluice_worker_new(&b.props, b.registry, NULL, NULL, &err);
    fake_kafka.away = 5;
    start(&b);
    give_all(3);
    CHECK(harness_until(held, NULL));
    numbers.allowed = 9;
    CHECK(harness_until(has_passed_five, NULL));
    stop(&b);
    CHECK(fake_answer(NULL));
    tear_down(&b);
}

static bool polled(void *arg) { return numbers.polls >= *(int *)arg; }

/* A stop while what is under way is waited for: of the row with the lost record nothing counts. */
TEST(topic_away_and_a_stop_commits_nothing_that_was_lost)
{
    struct bench b;
    set_up(&b, false);
    sluice_map_set(&b.props, "task.shutdown.graceful.timeout.ms", "200");
    sluice_worker_free(b.worker);
    struct sluice_err err;
    b.worker = sluice_worker_new(&b.props, b.registry, NULL, NULL, &err);
    fake_kafka.away = 5;
    fake_kafka.mute = 6;
    start(&b);
    numbers.allowed = 9;
    CHECK(harness_until(has_passed_five, NULL));
    int wanted = numbers.polls + 2;
    CHECK(harness_until(polled, &wanted)); /* it serves the plugin while it waits */
    stop(&b);
    sluice_lock(&fake_kafka.lock);
    long long stored = fake_kafka.stored;
    void *muted = fake_kafka.muted;
    sluice_unlock(&fake_kafka.lock);
    CHECK(muted);
    fake_kafka.delivered(muted, 0, 0, 1000);
    CHECK(stored < 5);
    tear_down(&b);
}

/* Of two requests only the first was refused for a moment: the older record would stand last for
 * ever. */
TEST(overtaken_records_come_again_in_their_order)
{
    struct bench b;
    set_up(&b, false);
    fake_kafka.overtaken = 5;
    start(&b);
    give(9);
    CHECK_INT(numbers.opens, 2);
    const char *visible = fake_visible("out");
    CHECK(strncmp(visible, "1 2 3 4 6 5 ", 12) == 0);
    if (!ends_with(visible, "6 7 8 9 ")) FAIL("%s", visible);
    CHECK_STR(trace(&b), "");
    tear_down(&b);
}

/* ---- at-least-once: late offsets ---- */

TEST(offsets_that_take_time_stop_nothing)
{
    struct bench b;
    set_up(&b, false);
    fake_kafka.hold = true;
    start(&b);
    give_all(3);
    CHECK(harness_until(held, NULL));
    give_all(300); /* one write is under way; records go on */
    CHECK_STR(fake_visible("out"), up_to(300));
    CHECK_NOT_ACKED();
    CHECK_INT(fake_kafka.puts, 1);
    CHECK(fake_answer(NULL));
    CHECK_ACKED("3 ");
    CHECK(harness_until(held, NULL)); /* the next write, of all the rest */
    CHECK(fake_answer(NULL));
    CHECK_ACKED("3 300 ");
    tear_down(&b);
}

static bool put_failed(void *arg)
{
    (void)arg;
    return fake_kafka.put_failures > 0;
}

TEST(offsets_that_failed_are_written_with_the_next)
{
    struct bench b;
    set_up(&b, false);
    fake_kafka.hold = true;
    start(&b);
    give_all(3);
    CHECK(harness_until(held, NULL));
    CHECK(fake_answer("no broker"));
    CHECK(harness_until(held, NULL)); /* again, though nothing moved */
    CHECK_NOT_ACKED();
    CHECK(fake_answer(NULL));
    CHECK_ACKED("3 ");
    fake_kafka.put_fails = true; /* at once */
    fake_kafka.hold = false;
    numbers.allowed = 4;
    CHECK(harness_until(put_failed, NULL));
    fake_kafka.put_fails = false;
    CHECK_ACKED("3 4 ");
    tear_down(&b);
}

static void *answer_later(void *arg)
{
    (void)arg;
    harness_until(held, NULL);
    usleep(50000);
    fake_answer(NULL);
    return NULL;
}

TEST(offsets_under_way_are_waited_for_at_the_end)
{
    struct bench b;
    pthread_t thread;
    set_up(&b, false);
    sluice_map_set(&b.props, "task.shutdown.graceful.timeout.ms", "60000");
    set_up_with(&b, "offset.flush.interval.ms", "100000000");
    fake_kafka.hold = true;
    start(&b);
    give_all(5);
    pthread_create(&thread, NULL, answer_later, NULL);
    stop(&b);
    pthread_join(thread, NULL);
    CHECK_ACKED("5 ");
    tear_down(&b);
}

TEST(offsets_may_answer_after_the_task_is_gone)
{
    struct bench b;
    set_up(&b, false);
    fake_kafka.hold = true;
    set_up_with(&b, "task.shutdown.graceful.timeout.ms", "50");
    start(&b);
    give_all(3);
    CHECK(harness_until(held, NULL));
    stop(&b);
    sluice_task_free(b.task);
    b.task = NULL;
    CHECK_NOT_ACKED();
    CHECK(fake_answer(NULL)); /* touches what is its own */
    tear_down(&b);
}
