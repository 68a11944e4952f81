/* fake_host.h - a struct sluice_host for unit tests of plugins: no worker, no Kafka.
 *
 * Config, schemas, batches and buffers are the runtime's own; partitions, offsets, done, reject,
 * trouble and logs are kept here to be looked at. A source:
 *
 *     struct fake_host fake;
 *     fake_init(&fake, &counter, "topic", "t", "limit", "3", NULL);
 *     CHECK_INT(fake_open(&fake), SLUICE_OK);
 *     CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
 *     CHECK_STR(fake_text(&fake, NULL, &fake.records[0].value), "1");
 *     fake_fini(&fake);
 *
 * Records are copied when a poll returned and the batch is then reset, so that under
 * AddressSanitizer a plugin that keeps pointers into a batch is caught; so is a sink that keeps
 * pointers into what it was given. One thread, but for log and schemas. */
#ifndef SLUICE_TESTS_FAKE_HOST_H
#define SLUICE_TESTS_FAKE_HOST_H

#include <pthread.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/thread.h"
#include "data/batch.h"
#include "plugin/options.h"
#include "sluice/plugin.h"

struct fake_partition {
    struct sluice_value map, offset;
    bool has_offset;
};

struct fake_reject {
    uint64_t seq;
    char *why;
};

struct fake_message {
    const char *key, *value;
};

struct fake_metric {
    char name[256]; /* name{label=value,...} */
    double value;
};

struct fake_host {
    struct sluice_host host; /* what the plugin sees; a test may replace functions before opening */
    const struct sluice_plugin *plugin;
    struct sluice_map config; /* change it between fake_init() and fake_open() */
    struct sluice_conf *conf; /* while open */
    void *self;               /* the plugin's state while open */
    struct sluice_err err;    /* of the last call that failed */
    const char *connector;    /* "fake" */
    int task_id;              /* 0 */
    struct sluice_wake wake;

    /* What polls left, since fake_clear(): deep copies. */
    struct sluice_record *records;
    size_t n, cap;
    size_t room_records, room_bytes; /* what a poll may fill: 10,000 and 16 MiB */

    /* What the plugin told. */
    char *trouble;   /* the last one, NULL: none */
    size_t troubles; /* changes to something else than none */
    uint64_t *done;
    size_t done_n, done_cap;
    struct fake_reject *rejects;
    size_t rejects_n, rejects_cap;
    bool reject_fails; /* as errors.tolerance=none: host->reject() answers FAIL */
    bool marks;        /* what host->marks_boundaries() answers */

    /* One topic to be read: what fake_message() put there, and how far it is committed. */
    struct fake_message messages[64];
    size_t messages_n, messages_at, messages_committed;
    const char *read_topic;      /* NULL: the plugin opened no reader */
    struct sluice_map read_with; /* its settings */
    struct fake_metric metrics[1024];
    size_t metrics_n;
    struct sluice_progress progress[4]; /* without its texts, but what, a constant */
    size_t progress_n;

    struct sluice_batch batch; /* of the call under way */
    struct sluice_batch input; /* what fake_give() made for the next put */
    struct sluice_arena arena; /* partitions, copies, texts; lives until fake_fini() */
    struct fake_partition *partitions;
    size_t partitions_n, partitions_cap;
    const struct sluice_schema **held;
    size_t held_n, held_cap;
    char **logs; /* "warn: text" */
    size_t logs_n, logs_cap;
    uint64_t next_seq;
    pthread_mutex_t mutex; /* logs */
};

/* Then key, value, ..., NULL. */
void fake_init(struct fake_host *fake, const struct sluice_plugin *plugin, ...)
    __attribute__((sentinel));
/* Closes the plugin first when it is open. */
void fake_fini(struct fake_host *fake);
void fake_set(struct fake_host *fake, const char *key, const char *value);
void fake_configure(struct fake_host *fake, const char *text); /* "a=b;c=d"; "-" is none */
/* The stored offset of a partition, both as JSON, before opening; offset NULL takes it away. */
void fake_resume(struct fake_host *fake, const char *partition, const char *offset);

/* Makes the conf (FAIL with its findings in err when it is wrong) and opens. */
enum sluice_verdict fake_open(struct fake_host *fake);
void fake_close(struct fake_host *fake);

/* One poll; records are appended to fake->records. */
enum sluice_verdict fake_poll(struct fake_host *fake, int wait_ms);
/* Polls until there are n records in all or timeout_ms passed; true when there are. RETRY is
 * followed by a short pause; FAIL ends it. */
bool fake_poll_until(struct fake_host *fake, size_t n, int timeout_ms);
void fake_clear(struct fake_host *fake); /* forget the records */
/* The offset map of a record's position, as text (fake_text form). NULL: the plugin failed. */
const char *fake_offset(struct fake_host *fake, const struct sluice_record *rec);
/* As when everything up to rec is durable: stores its offset for fake_resume's sake, then tells the
 * plugin (acked). */
enum sluice_verdict fake_ack(struct fake_host *fake, const struct sluice_record *rec);

/* A record for the next put: topic, partition and offset set, seq counted up. Fill key and value
 * with fake->input's memory (sluice_batch_alloc) or constants. */
struct sluice_record *fake_give(struct fake_host *fake, const char *topic, int32_t partition,
                                int64_t offset);
enum sluice_verdict fake_put(struct fake_host *fake);               /* OK takes them away */
enum sluice_verdict fake_work(struct fake_host *fake, int wait_ms); /* OK without a work() */
/* flush(), with work() in between, until OK or timeout_ms passed; OK counts everything as done. */
enum sluice_verdict fake_flush(struct fake_host *fake, int timeout_ms);
bool fake_is_done(const struct fake_host *fake, uint64_t seq);
const char *fake_rejected(const struct fake_host *fake, uint64_t seq); /* why, or NULL */

void fake_message(struct fake_host *fake, const char *key, const char *value);
/* The value of "name" or "name{label=value}"; -1: there is none. */
double fake_metric(const struct fake_host *fake, const char *name);

/* Whether a captured log line holds the piece; lines look like "warn: text". */
bool fake_logged(struct fake_host *fake, const char *piece);
/* The value as text that this file writes by itself (not the runtime's JSON): JSON's forms, with
 * bytes as x'0aff', structs as {name:value,...} in schema order; lives until fake_fini(). */
const char *fake_text(struct fake_host *fake, const struct sluice_schema *schema,
                      const struct sluice_value *value);
/* Wakes the plugin after ms, from another thread, once; a poll that waits must return. Join with
 * fake_wake_join(). */
void fake_wake_after(struct fake_host *fake, int ms, pthread_t *thread);
void fake_wake_join(struct fake_host *fake, pthread_t thread);

#endif
