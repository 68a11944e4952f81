/* Tasks whose worker may not work any more: without its lease a source neither polls, sends nor
 * commits, and one that is abandoned ends without committing. */
#include <assert.h>
#include <stdatomic.h>

#include "plugin/registry.h"
#include "worker/task.h"

#include "../fake_kafka.h"
#include "../harness.h"

#define FOR_EVER INT64_MAX

static struct {
    _Atomic int opens, polls;
    _Atomic long long allowed; /* it gives no number above */
} numbers;

struct source {
    const struct sluice_host *host;
    uint32_t partition;
    long long next;
};

static enum sluice_verdict open_numbers(struct sluice_task *task, const struct sluice_host *host,
                                        const struct sluice_conf *conf, void **self,
                                        struct sluice_err *err)
{
    struct source *s = calloc(1, sizeof *s);
    (void)conf;
    (void)err;
    *self = s;
    s->host = host;
    const struct sluice_value pair[2] = {sluice_string("p", 1), sluice_string("x", 1)};
    const struct sluice_value map = sluice_nested(SLUICE_MAP, pair, 1);
    s->partition = host->partition(task, &map);
    s->next = 1;
    numbers.opens++;
    return SLUICE_OK;
}

static void close_numbers(void *self) { free(self); }

static enum sluice_verdict poll_numbers(void *self, struct sluice_batch *batch,
                                        const struct sluice_room *room, struct sluice_err *err)
{
    struct source *s = self;
    (void)err;
    numbers.polls++;
    if (room->records == 0 || s->next > numbers.allowed) {
        usleep(1000);
        return SLUICE_OK;
    }
    struct sluice_record *rec = s->host->append(batch);
    long long *position = s->host->alloc(batch, sizeof *position);
    *position = s->next++;
    rec->topic = "out";
    rec->value = sluice_int64(*position);
    rec->source_partition = s->partition;
    rec->position = position;
    rec->position_len = sizeof *position;
    return SLUICE_OK;
}

static enum sluice_verdict offset_of(void *self, const void *position, size_t len,
                                     struct sluice_batch *scratch, struct sluice_value *out,
                                     struct sluice_err *err)
{
    struct source *s = self;
    long long number;
    (void)err;
    assert(len == sizeof number);
    memcpy(&number, position, sizeof number);
    struct sluice_value *pair = s->host->alloc(scratch, 2 * sizeof *pair);
    pair[0] = sluice_string("n", 1);
    pair[1] = sluice_int64(number);
    *out = sluice_nested(SLUICE_MAP, pair, 1);
    return SLUICE_OK;
}

static const struct sluice_option no_options[] = {{0}};
static const struct sluice_source callbacks = {
    .size = sizeof callbacks, .poll = poll_numbers, .offset = offset_of};
static const struct sluice_plugin plugin = {SLUICE_PLUGIN_HEAD,     .kind = SLUICE_KIND_SOURCE,
                                            .name = "numbers",      .version = "1",
                                            .options = no_options,  .open = open_numbers,
                                            .close = close_numbers, .source = &callbacks};

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
    numbers.opens = numbers.polls = 0;
    numbers.allowed = FOR_EVER;
    b->registry = sluice_registry_new();
    sluice_map_set(&props, "bootstrap.servers", "none:1");
    sluice_map_set(&props, "key.converter", "org.apache.kafka.connect.storage.StringConverter");
    sluice_map_set(&props, "value.converter", "org.apache.kafka.connect.storage.StringConverter");
    sluice_map_set(&props, "offset.flush.interval.ms", flush_ms);
    sluice_map_set(&config, "name", "c");
    sluice_map_set(&config, "connector.class", "numbers");
    b->worker = sluice_worker_new(&props, b->registry, NULL, NULL, &err);
    CHECK_STR(err.msg, "");
    atomic_store(&b->lease, lease);
    sluice_worker_set_lease(b->worker, &b->lease);
    b->task = sluice_task_start(b->worker, &plugin, "c", 0, &config, false, NULL, NULL, &err);
    CHECK(b->task != NULL);
    sluice_map_fini(&props);
    sluice_map_fini(&config);
}

static bool until(bool (*holds)(void *), void *arg)
{
    for (int i = 0; i < 20000; i++) {
        if (holds(arg)) return true;
        usleep(1000);
    }
    return false;
}

static bool has_ended(void *arg) { return sluice_task_ended(arg); }
static bool is_open(void *arg) { return (void)arg, numbers.opens > 0; }

static long long stored(void)
{
    sluice_lock(&fake_kafka.lock);
    long long n = fake_kafka.stored;
    sluice_unlock(&fake_kafka.lock);
    return n;
}

static bool is_stored(void *n) { return stored() >= *(long long *)n; }

static uint64_t written(struct bench *b)
{
    struct sluice_task_counters counters;
    sluice_task_counters(b->task, &counters);
    return counters.written;
}

static bool has_written(void *arg) { return written(arg) >= 3; }

static void tear_down(struct bench *b)
{
    CHECK(until(has_ended, b->task));
    sluice_task_free(b->task);
    sluice_worker_free(b->worker);
    sluice_registry_free(b->registry);
}

TEST(without_its_lease_a_worker_does_nothing)
{
    struct bench b;
    set_up(&b, 0, "5");
    CHECK(until(is_open, NULL));
    usleep(100000);
    CHECK_INT(numbers.polls, 0);
    atomic_store(&b.lease, FOR_EVER);
    long long some = 5;
    CHECK(until(is_stored, &some));
    atomic_store(&b.lease, 0);
    int polls = numbers.polls;
    usleep(100000);
    CHECK(numbers.polls <= polls + 1); /* one may have been under way */
    long long committed = stored();
    uint64_t sent = written(&b);
    usleep(100000);
    CHECK_INT(stored(), committed);
    CHECK_INT(written(&b), sent);
    atomic_store(&b.lease, FOR_EVER); /* renewed in time, seen late: it goes on where it was */
    some = committed + 5;
    CHECK(until(is_stored, &some));
    sluice_task_stop(b.task);
    tear_down(&b);
}

TEST(a_stopped_task_commits_and_an_abandoned_one_does_not)
{
    for (int abandon = 0; abandon < 2; abandon++) {
        struct bench b;
        set_up(&b, FOR_EVER, "600000");
        CHECK(until(has_written, &b));
        numbers.allowed = 0;
        if (abandon) sluice_task_abandon(b.task);
        else sluice_task_stop(b.task);
        CHECK(until(has_ended, b.task));
        if (abandon) CHECK_INT(stored(), FAKE_NONE);
        else CHECK(stored() >= 3);
        tear_down(&b);
    }
}
