/* plugin.c - the datagen source connector: records out of thin air, for demos, tests and load.
 *
 * Two kinds of schemas: Avro with arg.properties (arg_*.c; a drop-in for kafka-connect-datagen),
 * and JSON datasets with _meta and FakerJS expressions (meta_*.c, expr_*.c, faker_*.c; what
 * Materialize's datagen reads). Both are compiled to a plan when a task opens; poll() fills as many
 * records as it has room for and as are due. All of it runs on the task's thread. */
#include "arg_run.h"
#include "config.h"
#include "meta.h"
#include "pacer.h"
#include "position.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>

struct datagen {
    const struct sluice_host *host;
    struct sluice_task *task;
    struct datagen_config config;
    struct arg_run *arg; /* one of the two, by the config's mode */
    struct meta_run *meta;
    struct pacer pacer;
    uint32_t partition;
    int64_t count; /* records (iterations, of _meta schemas) begun, over all starts */
    bool told_end;
};

static int64_t random_seed(void)
{
    int64_t seed = 0;
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) seed = (int64_t)(intptr_t)&seed;
    return seed;
}

/* Where this task begins when there is no offset: its own seed, the same for the same config. */
static struct datagen_position first_position(const struct datagen_config *config, int task_id)
{
    struct java_random random;
    struct datagen_position at = {.seed = config->has_seed ? config->seed : random_seed()};
    for (int i = 0; config->has_seed && i < task_id; i++) {
        java_random_seed(&random, at.seed);
        at.seed = java_random_long(&random);
    }
    return at;
}

static void validate(const struct sluice_host *host, const struct sluice_conf *conf,
                     struct sluice_report *report)
{
    struct datagen_config config;
    struct datagen_position at = {0};
    struct sluice_err err;
    const char *key = NULL;
    if (datagen_config_read(&config, host, conf, report, &err)) {
        bool meta = config.mode == DATAGEN_META;
        struct arg_run *arg = meta ? NULL : arg_run_new(host, &config, &at, 0, &key, &err);
        struct meta_run *run = meta ? meta_run_new(host, &config, &at, &key, &err) : NULL;
        if (!arg && !run) host->finding(report, key, "%s", err.msg);
        arg_run_free(arg);
        meta_run_free(run);
    }
    datagen_config_fini(&config);
}

static bool find_position(struct datagen *d, struct datagen_position *at, struct sluice_err *err)
{
    int task_id = d->host->task_id(d->task);
    struct sluice_value entry[2] = {sluice_string("task.id", 7), sluice_int64(task_id)};
    struct sluice_value map = sluice_nested(SLUICE_MAP, entry, 1);
    d->partition = d->host->partition(d->task, &map);
    const struct sluice_value *stored = d->host->resume(d->task, d->partition);
    *at = first_position(&d->config, task_id);
    return !stored || datagen_position_read(at, stored, err);
}

static enum sluice_verdict open_task(struct sluice_task *task, const struct sluice_host *host,
                                     const struct sluice_conf *conf, void **self,
                                     struct sluice_err *err)
{
    struct datagen *d = calloc(1, sizeof(*d));
    struct datagen_position at;
    const char *key = NULL;
    if (!d) abort();
    *self = d;
    d->host = host;
    d->task = task;
    if (!datagen_config_read(&d->config, host, conf, NULL, err)) return SLUICE_FAIL;
    if (!find_position(d, &at, err)) return SLUICE_FAIL;
    struct sluice_err inner;
    if (d->config.mode == DATAGEN_META) {
        d->meta = meta_run_new(host, &d->config, &at, &key, &inner);
    } else {
        d->arg = arg_run_new(host, &d->config, &at, host->task_id(task), &key, &inner);
    }
    if (!d->arg && !d->meta) {
        datagen_fail(err, "%s: %.900s", key, inner.msg);
        return SLUICE_FAIL;
    }
    d->count = at.iteration;
    pacer_init(&d->pacer, d->config.max_interval_ms, d->config.rate);
    return SLUICE_OK;
}

static void close_task(void *self)
{
    struct datagen *d = self;
    if (!d) return;
    arg_run_free(d->arg);
    meta_run_free(d->meta);
    datagen_config_fini(&d->config);
    free(d);
}

static bool at_end(const struct datagen *d)
{
    bool sent = !d->meta || !meta_run_left(d->meta);
    return sent && d->config.iterations > 0 && d->count >= d->config.iterations;
}

static enum sluice_verdict end(struct datagen *d, int wait_ms, struct sluice_err *err)
{
    if (d->config.fail_at_end) {
        datagen_fail(err, "Stopping connector: generated the configured %lld number of messages",
                     (long long)d->count);
        return SLUICE_FAIL;
    }
    if (!d->told_end) {
        d->host->log(d->task, SLUICE_INFO, "generated the configured %lld iterations; idle now",
                     (long long)d->count);
    }
    d->told_end = true;
    struct pollfd wake = {.fd = d->host->wake_fd(d->task), .events = POLLIN};
    (void)poll(&wake, 1, wait_ms);
    return SLUICE_OK;
}

static void poll_avro(struct datagen *d, struct sluice_batch *batch, size_t limit, size_t bytes)
{
    struct datagen_mem mem;
    datagen_mem_begin(&mem, d->host, batch);
    for (size_t n = 0; n < limit && mem.taken < bytes && !at_end(d); n++) {
        if (!pacer_due(&d->pacer)) return;
        arg_run_next(d->arg, batch, &mem, d->partition);
        d->count++;
        pacer_spend(&d->pacer, 1);
    }
}

/* A rate counts records; a pause is made before an iteration. */
static bool poll_meta(struct datagen *d, struct sluice_batch *batch, size_t limit, size_t bytes,
                      struct sluice_err *err)
{
    bool rated = d->config.rate > 0;
    size_t taken = 0;
    meta_run_begin(d->meta);
    for (size_t n = 0; n < limit && taken < bytes && !at_end(d);) {
        bool left = meta_run_left(d->meta) > 0;
        if ((rated || !left) && !pacer_due(&d->pacer)) return true;
        if (!left) {
            if (!meta_run_iterate(d->meta, err)) return false;
            d->count++;
            if (!rated) pacer_spend(&d->pacer, 1);
            if (!meta_run_left(d->meta)) n++; /* an empty iteration counts too */
            continue;
        }
        taken += meta_run_emit(d->meta, batch, d->partition);
        if (rated) pacer_spend(&d->pacer, 1);
        n++;
    }
    return true;
}

static enum sluice_verdict poll_records(void *self, struct sluice_batch *batch,
                                        const struct sluice_room *room, struct sluice_err *err)
{
    struct datagen *d = self;
    size_t limit = room->records;
    if (d->config.batch_size && (size_t)d->config.batch_size < limit) {
        limit = (size_t)d->config.batch_size;
    }
    if (at_end(d)) return end(d, room->wait_ms, err);
    if (!pacer_due(&d->pacer) && (!d->meta || d->config.rate > 0 || !meta_run_left(d->meta))) {
        pacer_wait(&d->pacer, room->wait_ms, d->host->wake_fd(d->task));
    }
    if (!d->meta) {
        poll_avro(d, batch, limit, room->bytes);
        return SLUICE_OK;
    }
    return poll_meta(d, batch, limit, room->bytes, err) ? SLUICE_OK : SLUICE_FAIL;
}

static enum sluice_verdict offset_of(void *self, const void *position, size_t len,
                                     struct sluice_batch *scratch, struct sluice_value *out,
                                     struct sluice_err *err)
{
    struct datagen *d = self;
    struct datagen_position at;
    (void)err;
    assert(len == sizeof(at));
    memcpy(&at, position, sizeof(at));
    *out = datagen_position_map(d->host, scratch, &at, d->config.mode == DATAGEN_META);
    return SLUICE_OK;
}

/* An offset holds all that the records behind it are made of. */
static unsigned exactly_once(const struct sluice_host *host, const struct sluice_conf *conf)
{
    (void)host;
    (void)conf;
    return SLUICE_EXACTLY_ONCE;
}

static const struct sluice_source source = {
    .size = sizeof(struct sluice_source),
    .poll = poll_records,
    .offset = offset_of,
    .exactly_once = exactly_once,
};

static const char *const aliases[] = {"io.confluent.kafka.connect.datagen.DatagenConnector",
                                      "DatagenConnector", "DatagenSource", NULL};

static const struct sluice_plugin plugin = {
    SLUICE_PLUGIN_HEAD,        .kind = SLUICE_KIND_SOURCE, .name = "datagen",
    .version = SLUICE_VERSION, .aliases = aliases,         .options = datagen_options,
    .validate = validate,      .open = open_task,          .close = close_task,
    .source = &source,
};

const struct sluice_plugin *const *sluice_plugins_v1(void)
{
    static const struct sluice_plugin *const plugins[] = {&plugin, NULL};
    return plugins;
}
