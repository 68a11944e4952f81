/* connector_offsets.c - see connector_offsets.h. */
#include "worker/connector_offsets.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/values.h"
#include "kafka/client.h"
#include "kafka/internal_topics.h"
#include "worker/task_impl.h"

struct sluice_connector_offsets {
    char *connector;
    struct sluice_offset_store *worker; /* the worker's */
    struct sluice_offset_store *own;    /* NULL: there is none */
    struct sluice_log_reader *reader;   /* of the own topic */
    struct sluice_log_writer *writer;
};

/* ---- which topic ---- */

bool sluice_worker_distributed(struct sluice_worker *worker)
{
    return sluice_offset_topic_name(sluice_worker_offsets(worker)) != NULL;
}

bool sluice_worker_exactly_once(struct sluice_worker *worker)
{
    const char *support = sluice_worker_prop(worker, "exactly.once.source.support");
    return support && strcasecmp(support, "enabled") == 0 && sluice_worker_distributed(worker);
}

static bool has_word(const char *list, const char *word, size_t len)
{
    for (const char *p = list; *p;) {
        size_t lead = strspn(p, " \t,"), n = strcspn(p + lead, " \t,");
        if (n == len && strncmp(p + lead, word, n) == 0) return true;
        p += lead + n;
    }
    return false;
}

/* The same bootstrap servers, in any order; as in Java a guess that errs on the safe side. */
static bool same_cluster(const char *a, const char *b)
{
    const char *lists[2][2] = {{a, b}, {b, a}};
    for (int side = 0; side < 2; side++) {
        for (const char *p = lists[side][0]; *p;) {
            size_t lead = strspn(p, " \t,"), n = strcspn(p + lead, " \t,");
            if (n > 0 && !has_word(lists[side][1], p + lead, n)) return false;
            p += lead + n;
        }
    }
    return true;
}

/* The name of the connector's own topic; NULL: it has none. */
static const char *own_topic(struct sluice_worker *worker, const struct sluice_map *config,
                             const struct sluice_map *producer)
{
    const char *shared = sluice_offset_topic_name(sluice_worker_offsets(worker));
    const char *topic = sluice_map_get(config, "offsets.storage.topic");
    const char *brokers = sluice_map_get(sluice_worker_props(worker), "bootstrap.servers");
    const char *producers = sluice_map_get(producer, "bootstrap.servers");
    if (!shared) return NULL;
    if (!topic || !*topic) {
        if (!sluice_worker_exactly_once(worker)) return NULL;
        topic = shared;
    }
    bool same = strcmp(topic, shared) == 0 &&
                same_cluster(brokers ? brokers : "", producers ? producers : "");
    return same ? NULL : topic;
}

/* ---- life ---- */

static enum sluice_verdict ensure(struct sluice_worker *worker, const char *connector,
                                  const struct sluice_map *config,
                                  const struct sluice_map *producer, const char *topic, int64_t ms,
                                  struct sluice_err *err)
{
    struct sluice_map admin = {0}, settings = {0};
    sluice_client_layers(SLUICE_CLIENT_ADMIN, sluice_worker_props(worker), config, &admin);
    const char *brokers = sluice_map_get(producer, "bootstrap.servers");
    if (brokers) sluice_map_set(&admin, "bootstrap.servers", brokers);
    sluice_internal_topic_settings(sluice_worker_props(worker), "offset", &settings);
    struct sluice_internal_topic wanted = {
        .name = topic,
        .kind = "offset",
        .partitions = (int)sluice_worker_num(worker, "offset.storage.partitions"),
        .replication_factor = (int)sluice_worker_num(worker, "offset.storage.replication.factor"),
        .config = &settings};
    enum sluice_verdict v =
        sluice_internal_topics_ensure(&admin, connector, &wanted, 1, (int)ms, err);
    sluice_map_fini(&settings);
    sluice_map_fini(&admin);
    return v;
}

static bool open_own(struct sluice_connector_offsets *o, struct sluice_worker *worker,
                     const struct sluice_map *config, const struct sluice_map *producer,
                     const char *topic, struct sluice_err *err)
{
    struct sluice_map consumer = {0};
    sluice_client_layers(SLUICE_CLIENT_CONSUMER, sluice_worker_props(worker), config, &consumer);
    const char *brokers = sluice_map_get(producer, "bootstrap.servers");
    if (brokers) sluice_map_set(&consumer, "bootstrap.servers", brokers);
    o->writer = sluice_log_writer_new(producer, o->connector, err);
    if (o->writer) {
        o->own = sluice_offset_topic_new(o->writer, topic);
        struct sluice_log_topic follow = {topic, sluice_offset_topic_record, o->own};
        o->reader = sluice_log_reader_new(&consumer, o->connector, &follow, 1, err);
    }
    if (o->reader) sluice_offset_topic_reader(o->own, o->reader);
    sluice_map_fini(&consumer);
    return o->reader != NULL;
}

enum sluice_verdict sluice_connector_offsets_open(struct sluice_worker *worker,
                                                  const char *connector,
                                                  const struct sluice_map *config, int64_t ms,
                                                  struct sluice_connector_offsets **out,
                                                  struct sluice_err *err)
{
    struct sluice_map producer = {0};
    enum sluice_verdict v = SLUICE_OK;
    *out = NULL;
    sluice_client_layers(SLUICE_CLIENT_PRODUCER, sluice_worker_props(worker), config, &producer);
    const char *topic = own_topic(worker, config, &producer);
    if (topic) v = ensure(worker, connector, config, &producer, topic, ms, err);
    if (v == SLUICE_OK) {
        struct sluice_connector_offsets *o = sluice_xcalloc(1, sizeof *o);
        o->connector = sluice_xstrdup(connector);
        o->worker = sluice_worker_offsets(worker);
        if (!topic || open_own(o, worker, config, &producer, topic, err)) {
            *out = o;
        } else {
            sluice_connector_offsets_close(o);
            v = SLUICE_FAIL;
        }
    }
    sluice_map_fini(&producer);
    return v;
}

void sluice_connector_offsets_close(struct sluice_connector_offsets *offsets)
{
    if (!offsets) return;
    sluice_log_reader_free(offsets->reader);
    sluice_log_writer_free(offsets->writer); /* what is under way is reported as failed */
    sluice_offset_store_free(offsets->own);
    free(offsets->connector);
    free(offsets);
}

const char *sluice_connector_offsets_topic(const struct sluice_connector_offsets *offsets)
{
    return sluice_offset_topic_name(offsets->own ? offsets->own : offsets->worker);
}

/* ---- reading ---- */

enum sluice_verdict sluice_connector_offsets_refresh(struct sluice_connector_offsets *offsets,
                                                     int64_t timeout_ms, struct sluice_err *err)
{
    enum sluice_verdict v =
        offsets->own ? sluice_offset_refresh(offsets->own, timeout_ms, err) : SLUICE_OK;
    return v == SLUICE_OK ? sluice_offset_refresh(offsets->worker, timeout_ms, err) : v;
}

bool sluice_connector_offsets_get(struct sluice_connector_offsets *offsets,
                                  const struct sluice_value *partition, struct sluice_batch *batch,
                                  struct sluice_value *offset, bool *found, struct sluice_err *err)
{
    *found = false;
    if (offsets->own &&
        !sluice_offset_get(offsets->own, offsets->connector, partition, batch, offset, found, err))
        return false;
    return *found || sluice_offset_get(offsets->worker, offsets->connector, partition, batch,
                                       offset, found, err);
}

bool sluice_connector_offsets_list(struct sluice_connector_offsets *offsets,
                                   struct sluice_batch *batch, struct sluice_offset_entry **entries,
                                   size_t *n, struct sluice_err *err)
{
    struct sluice_offset_entry *own = NULL, *shared;
    size_t own_n = 0, shared_n;
    if (offsets->own &&
        !sluice_offset_list(offsets->own, offsets->connector, batch, &own, &own_n, err))
        return false;
    if (!sluice_offset_list(offsets->worker, offsets->connector, batch, &shared, &shared_n, err))
        return false;
    *entries = sluice_batch_alloc(batch, (own_n + shared_n + 1) * sizeof **entries);
    for (*n = 0; *n < own_n; (*n)++) (*entries)[*n] = own[*n];
    for (size_t i = 0; i < shared_n; i++) {
        size_t k = 0;
        while (k < own_n && !sluice_value_equal(own[k].partition, shared[i].partition)) k++;
        if (k == own_n) (*entries)[(*n)++] = shared[i];
    }
    return true;
}

/* ---- writing ---- */

/* A write to the own store under way, and what is copied to the worker's after it. */
struct chain {
    struct sluice_offset_store *worker;
    char *connector;
    struct sluice_batch batch; /* what entries point to */
    struct sluice_offset_entry *entries;
    size_t n;
    sluice_offset_done *done;
    void *arg;
};

static void chain_free(struct chain *chain)
{
    sluice_batch_fini(&chain->batch);
    free(chain->connector);
    free(chain);
}

static void copied(void *arg, const char *error)
{
    char *connector = arg;
    if (error)
        sluice_log(SLUICE_WARN, connector, -1,
                   "the copy of the offsets in the worker's offsets topic was not written: %s",
                   error);
    free(connector);
}

static void copy(struct sluice_offset_store *worker, const char *connector,
                 const struct sluice_offset_entry *entries, size_t n)
{
    struct sluice_err err = {{0}};
    char *name = sluice_xstrdup(connector);
    if (n == 0) free(name);
    else if (!sluice_offset_put_start(worker, connector, entries, n, copied, name, &err))
        copied(name, err.msg);
}

static void own_written(void *arg, const char *error)
{
    struct chain *chain = arg;
    if (!error) copy(chain->worker, chain->connector, chain->entries, chain->n);
    chain->done(chain->arg, error);
    chain_free(chain);
}

static const struct sluice_value *keep(struct sluice_batch *batch, const struct sluice_value *value)
{
    struct sluice_value *kept = sluice_batch_alloc(batch, sizeof *kept);
    *kept = sluice_value_copy(&batch->arena, value);
    return kept;
}

bool sluice_connector_offsets_put_start(struct sluice_connector_offsets *offsets,
                                        const struct sluice_offset_entry *entries, size_t n,
                                        sluice_offset_done *done, void *arg, struct sluice_err *err)
{
    if (!offsets->own)
        return sluice_offset_put_start(offsets->worker, offsets->connector, entries, n, done, arg,
                                       err);
    struct chain *chain = sluice_xcalloc(1, sizeof *chain);
    sluice_batch_init(&chain->batch);
    chain->worker = offsets->worker;
    chain->connector = sluice_xstrdup(offsets->connector);
    chain->entries = sluice_batch_alloc(&chain->batch, n * sizeof *chain->entries);
    chain->done = done;
    chain->arg = arg;
    for (size_t i = 0; i < n; i++) {
        assert(entries[i].offset); /* tombstones: put() */
        chain->entries[chain->n++] = (struct sluice_offset_entry){
            keep(&chain->batch, entries[i].partition), keep(&chain->batch, entries[i].offset)};
    }
    if (sluice_offset_put_start(offsets->own, offsets->connector, entries, n, own_written, chain,
                                err))
        return true;
    chain_free(chain);
    return false;
}

bool sluice_connector_offsets_encode(struct sluice_connector_offsets *offsets,
                                     const struct sluice_offset_entry *entry,
                                     struct sluice_offset_records *records, struct sluice_err *err)
{
    return sluice_offset_encode(offsets->own ? offsets->own : offsets->worker, offsets->connector,
                                entry, records, err);
}

void sluice_connector_offsets_copy(struct sluice_connector_offsets *offsets,
                                   const struct sluice_offset_entry *entries, size_t n)
{
    if (offsets->own) copy(offsets->worker, offsets->connector, entries, n);
}

bool sluice_connector_offsets_put(struct sluice_connector_offsets *offsets,
                                  const struct sluice_offset_entry *entries, size_t n,
                                  struct sluice_err *err)
{
    if (!offsets->own)
        return sluice_offset_put(offsets->worker, offsets->connector, entries, n, err);
    struct sluice_offset_entry *some = sluice_xcalloc(n + 1, sizeof *some);
    size_t gone = 0, kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!entries[i].offset) some[gone++] = entries[i];
    bool ok = gone == 0 || sluice_offset_put(offsets->worker, offsets->connector, some, gone, err);
    ok = ok && sluice_offset_put(offsets->own, offsets->connector, entries, n, err);
    for (size_t i = 0; ok && i < n; i++)
        if (entries[i].offset) some[kept++] = entries[i];
    if (ok) copy(offsets->worker, offsets->connector, some, kept);
    free(some);
    return ok;
}
