/* fake_numbers.h - a source plugin for tests of source tasks on fake_kafka.h: it gives numbers as
 * records of a topic, from behind the stored one on, and notes what it is told. Include it once.
 *
 *     numbers_reset();
 *     numbers.allowed = 7;       1 to 7, and then nothing
 *     sluice_task_start(worker, &numbers_plugin, ...) */
#ifndef SLUICE_TESTS_FAKE_NUMBERS_H
#define SLUICE_TESTS_FAKE_NUMBERS_H

#include <assert.h>
#include <stdatomic.h>

#include "fake_kafka.h"
#include "harness.h"

/* Set before the task starts; allowed at any time. */
static struct {
    _Atomic long long allowed; /* it gives no number above */
    long long poll; /* so many numbers a poll; those of one poll end at a multiple of it */
    long long mark; /* every so many-eth number is marked; 0: none */
    long long silent_from, silent_to; /* numbers that move the position only */
    const char *topic;
    _Atomic int opens, polls, idle_polls;
    pthread_mutex_t lock;
    char acked[4000];
} numbers = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline void numbers_reset(void)
{
    numbers.allowed = 0;
    numbers.poll = 1;
    numbers.mark = 0;
    numbers.silent_from = numbers.silent_to = 0;
    numbers.topic = "out";
    numbers.opens = numbers.polls = numbers.idle_polls = 0;
    sluice_lock(&numbers.lock);
    numbers.acked[0] = '\0';
    sluice_unlock(&numbers.lock);
}

struct numbers_source {
    struct sluice_task *task;
    const struct sluice_host *host;
    uint32_t partition;
    long long next;
    bool marks;
};

static enum sluice_verdict numbers_open(struct sluice_task *task, const struct sluice_host *host,
                                        const struct sluice_conf *conf, void **self,
                                        struct sluice_err *err)
{
    struct numbers_source *s = calloc(1, sizeof *s);
    (void)conf;
    (void)err;
    *self = s;
    s->task = task;
    s->host = host;
    const struct sluice_value pair[2] = {sluice_string("p", 1), sluice_string("x", 1)};
    const struct sluice_value map = sluice_nested(SLUICE_MAP, pair, 1);
    s->partition = host->partition(task, &map);
    const struct sluice_value *offset = host->resume(task, s->partition);
    s->next = offset ? offset->u.v[1].u.i + 1 : 1;
    s->marks = host->marks_boundaries(task);
    numbers.opens++;
    fake_call("open");
    return SLUICE_OK;
}

static void numbers_close(void *self) { free(self); }

static enum sluice_verdict numbers_poll(void *self, struct sluice_batch *batch,
                                        const struct sluice_room *room, struct sluice_err *err)
{
    struct numbers_source *s = self;
    (void)err;
    numbers.polls++;
    size_t n = 0;
    for (bool ended = false; n < room->records && !ended && s->next <= numbers.allowed; n++) {
        long long number = s->next++;
        struct sluice_record *rec = s->host->append(batch);
        long long *position = s->host->alloc(batch, sizeof *position);
        *position = number;
        bool silent = number >= numbers.silent_from && number <= numbers.silent_to;
        rec->topic = silent ? NULL : numbers.topic;
        rec->value = sluice_int64(number);
        rec->source_partition = s->partition;
        rec->position = position;
        rec->position_len = sizeof *position;
        if (s->marks && numbers.mark && number % numbers.mark == 0)
            rec->flags = SLUICE_RECORD_COMMIT;
        ended = number % numbers.poll == 0;
    }
    if (n > 0 || room->records == 0) return SLUICE_OK;
    numbers.idle_polls++;
    usleep(1000);
    return SLUICE_OK;
}

static enum sluice_verdict numbers_offset(void *self, const void *position, size_t len,
                                          struct sluice_batch *scratch, struct sluice_value *out,
                                          struct sluice_err *err)
{
    struct numbers_source *s = self;
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

static enum sluice_verdict numbers_acked(void *self, uint32_t partition, const void *position,
                                         size_t len, struct sluice_err *err)
{
    long long number;
    (void)self;
    (void)partition;
    (void)err;
    assert(len == sizeof number);
    memcpy(&number, position, sizeof number);
    sluice_lock(&numbers.lock);
    size_t at = strlen(numbers.acked);
    snprintf(numbers.acked + at, sizeof numbers.acked - at, "%lld ", number);
    sluice_unlock(&numbers.lock);
    return SLUICE_OK;
}

static const struct sluice_option numbers_options[] = {{0}};
static const struct sluice_source numbers_callbacks = {.size = sizeof numbers_callbacks,
                                                       .poll = numbers_poll,
                                                       .offset = numbers_offset,
                                                       .acked = numbers_acked};
static const struct sluice_plugin numbers_plugin = {
    SLUICE_PLUGIN_HEAD,     .kind = SLUICE_KIND_SOURCE,  .name = "numbers",
    .version = "1",         .options = numbers_options,  .open = numbers_open,
    .close = numbers_close, .source = &numbers_callbacks};

/* ---- what tests ask ---- */

static inline bool numbers_task_ended(void *task) { return sluice_task_ended(task); }

/* Tells the task to stop and waits until it has. */
static inline void numbers_stop(struct sluice_task *task)
{
    sluice_task_stop(task);
    CHECK(harness_until(numbers_task_ended, task));
}

/* The position in the store. */
static inline long long numbers_stored(void)
{
    sluice_lock(&fake_kafka.lock);
    long long n = fake_kafka.stored;
    sluice_unlock(&fake_kafka.lock);
    return n;
}

/* What every worker of these tests has. */
static inline void numbers_props(struct sluice_map *props, struct sluice_map *config)
{
    sluice_map_set(props, "bootstrap.servers", "none:1");
    sluice_map_set(props, "key.converter", "org.apache.kafka.connect.storage.StringConverter");
    sluice_map_set(props, "value.converter", "org.apache.kafka.connect.storage.StringConverter");
    sluice_map_set(config, "name", "c");
    sluice_map_set(config, "connector.class", "numbers");
}

#endif
