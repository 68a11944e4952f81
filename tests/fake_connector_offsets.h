/* fake_connector_offsets.h - the part of fake_kafka.h that stands for
 * worker/connector_offsets.c. */
#ifndef SLUICE_TESTS_FAKE_CONNECTOR_OFFSETS_H
#define SLUICE_TESTS_FAKE_CONNECTOR_OFFSETS_H

#include "fake_transactions.h"

/* ---- worker/connector_offsets.h ---- */

struct sluice_connector_offsets {
    int dummy;
};

bool sluice_worker_distributed(struct sluice_worker *worker)
{
    (void)worker;
    return true;
}
bool sluice_worker_exactly_once(struct sluice_worker *worker)
{
    (void)worker;
    return fake_kafka.exactly_once;
}
enum sluice_verdict sluice_connector_offsets_open(struct sluice_worker *worker,
                                                  const char *connector,
                                                  const struct sluice_map *config, int64_t ms,
                                                  struct sluice_connector_offsets **out,
                                                  struct sluice_err *err)
{
    (void)worker;
    (void)connector;
    (void)config;
    (void)ms;
    (void)err;
    *out = sluice_xcalloc(1, sizeof **out);
    return SLUICE_OK;
}
void sluice_connector_offsets_close(struct sluice_connector_offsets *offsets) { free(offsets); }
const char *sluice_connector_offsets_topic(const struct sluice_connector_offsets *offsets)
{
    (void)offsets;
    return fake_kafka.exactly_once ? FAKE_OFFSETS_TOPIC : NULL;
}
enum sluice_verdict sluice_connector_offsets_refresh(struct sluice_connector_offsets *offsets,
                                                     int64_t timeout_ms, struct sluice_err *err)
{
    (void)offsets;
    (void)timeout_ms;
    fake_call("refresh");
    if (fake_kafka.refresh_retries-- > 0) {
        sluice_err_set(err, "no answer");
        return SLUICE_RETRY;
    }
    return SLUICE_OK;
}
bool sluice_connector_offsets_get(struct sluice_connector_offsets *offsets,
                                  const struct sluice_value *partition, struct sluice_batch *batch,
                                  struct sluice_value *offset, bool *found, struct sluice_err *err)
{
    (void)offsets;
    (void)partition;
    (void)err;
    sluice_lock(&fake_kafka.lock);
    long long stored = fake_kafka.stored;
    sluice_unlock(&fake_kafka.lock);
    struct sluice_value *pair = sluice_batch_alloc(batch, 2 * sizeof *pair);
    pair[0] = sluice_string("n", 1);
    pair[1] = sluice_int64(stored);
    *offset = sluice_nested(SLUICE_MAP, pair, 1);
    *found = stored != FAKE_NONE;
    return true;
}
static long long fake_number(const struct sluice_offset_entry *entry)
{
    return entry->offset->u.v[1].u.i;
}
bool sluice_connector_offsets_encode(struct sluice_connector_offsets *offsets,
                                     const struct sluice_offset_entry *entry,
                                     struct sluice_offset_records *records, struct sluice_err *err)
{
    (void)offsets;
    (void)err;
    char *value = sluice_xasprintf("%lld", fake_number(entry));
    records->items =
        sluice_xgrow(records->items, records->n, &records->cap, sizeof *records->items);
    records->items[records->n++] =
        (struct sluice_offset_record){sluice_xstrdup("key"), value, 3, strlen(value)};
    return true;
}
void sluice_offset_records_fini(struct sluice_offset_records *records)
{
    for (size_t i = 0; i < records->n; i++) {
        free(records->items[i].key);
        free(records->items[i].value);
    }
    free(records->items);
    *records = (struct sluice_offset_records){0};
}
bool sluice_connector_offsets_put_start(struct sluice_connector_offsets *offsets,
                                        const struct sluice_offset_entry *entries, size_t n,
                                        sluice_offset_done *done, void *arg, struct sluice_err *err)
{
    (void)offsets;
    if (n != 1) abort();
    sluice_lock(&fake_kafka.lock);
    bool fails = fake_kafka.put_fails, hold = fake_kafka.hold;
    fake_kafka.puts += !fails;
    if (!fails && fake_kafka.done) abort(); /* two at a time */
    if (!fails && hold) {
        fake_kafka.done = done;
        fake_kafka.done_arg = arg;
        fake_kafka.done_number = fake_number(entries);
    } else if (!fails) {
        fake_kafka.stored = fake_number(entries);
    }
    sluice_unlock(&fake_kafka.lock);
    fake_kafka.put_failures += fails;
    if (fails) return sluice_err_set(err, "no disk");
    if (!hold) done(arg, NULL);
    return true;
}
/* An answer is held. */
static inline bool fake_holds(void)
{
    sluice_lock(&fake_kafka.lock);
    bool yes = fake_kafka.done != NULL;
    sluice_unlock(&fake_kafka.lock);
    return yes;
}
/* The held answer comes now; error NULL: durable. False: none was held. */
static inline bool fake_answer(const char *error)
{
    sluice_lock(&fake_kafka.lock);
    sluice_offset_done *done = fake_kafka.done;
    void *arg = fake_kafka.done_arg;
    if (done && !error) fake_kafka.stored = fake_kafka.done_number;
    fake_kafka.done = NULL;
    sluice_unlock(&fake_kafka.lock);
    if (done) done(arg, error);
    return done != NULL;
}
void sluice_connector_offsets_copy(struct sluice_connector_offsets *offsets,
                                   const struct sluice_offset_entry *entries, size_t n)
{
    (void)offsets;
    (void)entries;
    (void)n;
}

#endif
