/* offset_topic.c - an offset store whose entries are in a compacted topic (spec:
 * KafkaOffsetBackingStore).
 *
 * The table holds what was read from the topic, never what was merely sent: so it never goes back
 * when the reader, which is some milliseconds late, comes to an older record. A put has its answer
 * when Kafka has the records; whoever needs to see them asks for a refresh. */
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "data/json_text.h"
#include "store/offset_entries.h"

#define PUT_MS 60000 /* as long as Connect waits for offsets that a user alters */
#define READ_BACK_MS 10000
#define COMPLAINTS_MAX 100
#define ITEMS_MAX ((size_t)10000000)

void sluice_offset_topic_reader(struct sluice_offset_store *store, struct sluice_log_reader *reader)
{
    assert(store->topic && reader);
    store->reader = reader;
}

/* ---- reading ---- */

static void complain(struct sluice_offset_store *store, const struct sluice_log_record *record,
                     const char *why)
{
    bool shown = record->key && sluice_utf8_valid(record->key, record->key_len);
    if (store->complaints > COMPLAINTS_MAX) return;
    if (store->complaints++ == COMPLAINTS_MAX) {
        sluice_log(SLUICE_WARN, NULL, -1,
                   "offsets topic %s: further records that are skipped are not logged",
                   record->topic);
        return;
    }
    sluice_log(SLUICE_WARN, NULL, -1,
               "offsets topic %s: the record at offset %lld of partition %d with the key %.*s is "
               "skipped: %s",
               record->topic, (long long)record->offset, record->partition,
               shown ? (int)sluice_utf8_cut(record->key, record->key_len, 200) : 1,
               shown ? record->key : "?", why);
}

static const char *refuse(const struct sluice_log_record *record)
{
    if (!record->key) return "it has no key";
    if (record->key_len > SLUICE_OFFSET_KEY_MAX) return "its key is longer than 1 MiB";
    if (record->value && record->value_len > SLUICE_OFFSET_VALUE_MAX)
        return "its value is longer than 16 MiB";
    return NULL;
}

/* Whether the value reads as an offset, or as none. */
static bool sensible(const struct sluice_log_record *record)
{
    struct sluice_batch batch;
    struct sluice_value v;
    struct sluice_err err;
    if (!record->value) return true;
    sluice_batch_init(&batch);
    char *text = sluice_arena_strndup(&batch.arena, record->value, record->value_len);
    bool ok = sluice_json_parse(&batch, text, record->value_len, &v, NULL, &err) &&
              (v.type == SLUICE_MAP || v.type == SLUICE_NULL);
    sluice_batch_fini(&batch);
    return ok;
}

/* With the mutex held. */
static const char *apply(struct sluice_offset_store *store, const struct sluice_log_record *record)
{
    struct sluice_offset_items *all = &store->all;
    struct sluice_offset_item *item = sluice_offset_items_exact(all, record->key, record->key_len);
    if (!item && !record->value) return NULL;
    if (!item && all->n >= ITEMS_MAX) return "there are more than 10 million offsets already";
    if (!item) item = sluice_offset_items_add(all, record->key, record->key_len);
    if (!item->connector) { /* the last one; it says nothing to us */
        free(item->key);
        all->n--;
        return "its key is not [\"connector\",{partition}]";
    }
    free(item->value);
    item->value = record->value ? sluice_xstrndup(record->value, record->value_len) : NULL;
    item->value_len = record->value ? record->value_len : 0;
    item->written_ms = record->timestamp_ms;
    return NULL;
}

void sluice_offset_topic_record(void *arg, const struct sluice_log_record *record)
{
    struct sluice_offset_store *store = arg;
    const char *why = refuse(record);
    if (!why && !sensible(record)) why = "its value is no JSON object";
    if (!why) {
        sluice_lock(&store->mutex);
        why = apply(store, record);
        sluice_unlock(&store->mutex);
    }
    if (why) complain(store, record, why);
}

/* ---- writing ---- */

/* Records that belong to one put; freed by the last answer. */
struct put {
    _Atomic size_t pending; /* answers to come, and one for whoever sends */
    pthread_mutex_t mutex;
    char *error; /* the first */
    sluice_offset_done *done;
    void *arg;
};

static void put_answered(struct put *put)
{
    if (atomic_fetch_sub(&put->pending, 1) > 1) return;
    put->done(put->arg, put->error);
    pthread_mutex_destroy(&put->mutex);
    free(put->error);
    free(put);
}

static void on_written(void *arg, const char *error)
{
    struct put *put = arg;
    if (error) {
        sluice_lock(&put->mutex);
        if (!put->error) put->error = sluice_xstrdup(error);
        sluice_unlock(&put->mutex);
    }
    put_answered(put);
}

bool sluice_offset_topic_put_start(struct sluice_offset_store *store, const char *connector,
                                   const struct sluice_offset_entry *entries, size_t n,
                                   sluice_offset_done *done, void *arg, struct sluice_err *err)
{
    struct sluice_offset_records list = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++)
        ok = sluice_offset_encode(store, connector, &entries[i], &list, err);
    if (ok) {
        struct put *put = sluice_xcalloc(1, sizeof *put);
        pthread_mutex_init(&put->mutex, NULL);
        atomic_init(&put->pending, list.n + 1);
        put->done = done;
        put->arg = arg;
        for (size_t i = 0; i < list.n; i++)
            sluice_log_write(store->writer, store->topic, list.items[i].key, list.items[i].key_len,
                             list.items[i].value, list.items[i].value_len, on_written, put);
        put_answered(put);
    }
    sluice_offset_records_fini(&list);
    return ok;
}

/* Whoever waits and whoever answers may each go first: the last one frees it. */
struct wait {
    pthread_mutex_t mutex;
    pthread_cond_t answered; /* monotonic */
    bool done, left;
    char *error;
};

static void wait_free(struct wait *wait)
{
    pthread_cond_destroy(&wait->answered);
    pthread_mutex_destroy(&wait->mutex);
    free(wait->error);
    free(wait);
}

static void on_done(void *arg, const char *error)
{
    struct wait *wait = arg;
    sluice_lock(&wait->mutex);
    wait->done = true;
    wait->error = sluice_xstrdup(error);
    bool last = wait->left;
    pthread_cond_signal(&wait->answered);
    sluice_unlock(&wait->mutex);
    if (last) wait_free(wait);
}

static struct wait *wait_new(void)
{
    pthread_condattr_t attr;
    struct wait *wait = sluice_xcalloc(1, sizeof *wait);
    pthread_mutex_init(&wait->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&wait->answered, &attr);
    pthread_condattr_destroy(&attr);
    return wait;
}

bool sluice_offset_topic_put(struct sluice_offset_store *store, const char *connector,
                             const struct sluice_offset_entry *entries, size_t n,
                             struct sluice_err *err)
{
    struct sluice_err ignored;
    struct wait *wait = wait_new();
    int64_t at = sluice_now_ms() + PUT_MS;
    struct timespec until = {.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000};
    int rc = 0;
    if (!sluice_offset_topic_put_start(store, connector, entries, n, on_done, wait, err)) {
        wait_free(wait);
        return false;
    }
    sluice_lock(&wait->mutex);
    while (!wait->done && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&wait->answered, &wait->mutex, &until);
    bool done = wait->done, ok = done && !wait->error;
    if (!done)
        sluice_err_set(err,
                       "writing offsets of connector %s to topic %s was not answered within %d s; "
                       "they may be written yet: look at the brokers and ask again",
                       connector, store->topic, PUT_MS / 1000);
    else if (!ok)
        sluice_err_set(err, "writing offsets of connector %s to topic %s failed: %s", connector,
                       store->topic, wait->error);
    wait->left = true;
    sluice_unlock(&wait->mutex);
    if (done) wait_free(wait);
    /* So that who asks next sees it; it is durable, whatever becomes of this. */
    if (ok && store->reader)
        sluice_log_reader_catch_up(store->reader, store->topic, READ_BACK_MS, &ignored);
    return ok;
}
