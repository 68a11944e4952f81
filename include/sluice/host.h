/* host.h - what the runtime lends to a plugin: a table of functions, and what they work with.
 * Part of the plugin ABI (plugin.h): only ever appended to; threads, memory and errors as said
 * there. */
#ifndef SLUICE_HOST_H
#define SLUICE_HOST_H

#include "sluice/value.h"

#ifdef __cplusplus
extern "C" {
#endif

enum sluice_verdict {
    SLUICE_OK,
    SLUICE_RETRY, /* nothing was done: the same call comes again, later */
    SLUICE_FAIL,  /* see err; task FAILED, or for one record: errors.tolerance decides */
    SLUICE_DROP   /* transform only: leave this record out */
};

enum sluice_level { SLUICE_ERROR, SLUICE_WARN, SLUICE_INFO, SLUICE_DEBUG };

struct sluice_task;   /* one opened plugin's place in the runtime; valid from open() to close() */
struct sluice_conf;   /* a checked config; valid as long as the task */
struct sluice_batch;  /* records and the arena that they live in */
struct sluice_report; /* where validate() leaves its findings */

struct sluice_err {
    char msg[1024];
};

/* A growing buffer; host->reserve() makes room. len <= cap <= max. */
struct sluice_buf {
    char *data;
    size_t len, cap, max;
};

struct sluice_label {
    const char *key, *value;
};

struct sluice_metric { /* one sample */
    uint32_t size;
    bool counter;                      /* else a gauge */
    const char *name;                  /* whole name: letters, digits and _, not first a digit */
    const char *help;                  /* one sentence; NULL: none */
    const struct sluice_label *labels; /* beside connector and task, which the runtime adds */
    size_t labels_n;
    double value; /* NaN: this sample is left out */
};

struct sluice_progress { /* of one long piece of work, such as a snapshot */
    uint32_t size;
    const char *what; /* "initial snapshot" */
    const char *part; /* what is being worked on, "public.orders"; NULL: nothing now */
    const char *unit; /* that done counts: "rows" */
    uint64_t parts_done, parts;
    uint64_t done;
    double expected;    /* estimate of what done will be in the end; below 0: unknown */
    double percent;     /* of all, 0 to 100; below 0: unknown */
    double rate;        /* units a second, lately; below 0: unknown */
    double remaining_s; /* estimate; below 0: unknown */
    int64_t started_ms; /* wall clock */
    bool paused;
};

struct sluice_reader; /* of one topic, beside what the task does: signals, commands */

struct sluice_read_message { /* lives until the reader's next call */
    uint32_t size;
    int32_t partition;
    int64_t offset;
    const void *key, *value; /* NULL: null */
    size_t key_len, value_len;
};

struct sluice_host {
    uint32_t size; /* sizeof(struct sluice_host) of the runtime */
    uint32_t abi_minor;

    /* One logfmt line with connector and task; printf-like. Any thread. */
    void (*log)(struct sluice_task *, enum sluice_level, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

    /* Config by key of the option table: trimmed, checked, defaults filled in. The strings live as
     * long as the conf. str: NULL when null. list: its items, NULL-ended, never NULL. */
    const char *(*str)(const struct sluice_conf *, const char *key);
    int64_t (*num)(const struct sluice_conf *, const char *key);
    double (*real)(const struct sluice_conf *, const char *key);
    bool (*flag)(const struct sluice_conf *, const char *key);
    const char *const *(*list)(const struct sluice_conf *, const char *key);
    /* The i-th key and value as they were given, known or not; false past the end. */
    bool (*entry)(const struct sluice_conf *, size_t i, const char **key, const char **value);

    /* Interned copy of a description, deep; equal descriptions give the same address. Held (+1)
     * until schema_free(), which takes NULL. Their nested ones are held by them. Any thread. */
    const struct sluice_schema *(*schema)(const struct sluice_schema *description);
    void (*schema_free)(const struct sluice_schema *);

    /* Memory of the batch: 16-byte aligned, not zeroed, never NULL, gone with the batch: for a
     * source or transform after the records were sent (at the next callback of the task). */
    void *(*alloc)(struct sluice_batch *, size_t size);
    /* A new record at the batch's end: see struct sluice_record. Valid until the next append. */
    struct sluice_record *(*append)(struct sluice_batch *);
    /* Room for n more bytes at buf->data + buf->len; false (err set) when that passes buf->max. */
    bool (*reserve)(struct sluice_buf *, size_t n, struct sluice_err *);

    /* Who am I. */
    const char *(*connector)(const struct sluice_task *);
    int (*task_id)(const struct sluice_task *);
    /* Readable when the plugin should return from waiting soon: stop, pause, or records to put. */
    int (*wake_fd)(struct sluice_task *);
    /* What goes wrong for now and is being retried ("connecting to ...: refused; next try in 2 s"):
     * stands in the task's status and is logged once per change. NULL: all is well again. */
    void (*trouble)(struct sluice_task *, const char *what);

    /* Source. Number of a source partition; the map (MAP with STRING keys, schemaless) is the one
     * that stands in the offsets topic. The same map gives the same number. */
    uint32_t (*partition)(struct sluice_task *, const struct sluice_value *map);
    /* The stored offset map of that partition (schemaless MAP), NULL when there is none. Lives
     * until close(). */
    const struct sluice_value *(*resume)(struct sluice_task *, uint32_t partition);

    /* Sink. These records are durable; offsets up to the first unfinished one of each partition may
     * be committed. Unknown or repeated seqs (of partitions lost meanwhile) are ignored. */
    void (*done)(struct sluice_task *, const uint64_t *seqs, size_t n);
    /* This record cannot be delivered, ever. OK: it went to the dead-letter topic or is tolerated,
     * and counts as done; FAIL: errors.tolerance says to fail, err is set: return FAIL too. */
    enum sluice_verdict (*reject)(struct sluice_task *, uint64_t seq, const char *why,
                                  struct sluice_err *);

    /* validate(): this key's value is wrong, and why; printf-like. */
    void (*finding)(struct sluice_report *, const char *key, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

    /* Minor 1. Source: Kafka's transactions are to end where the source's own do, with records
     * marked SLUICE_RECORD_COMMIT (transaction.boundary=connector). From open() on. */
    bool (*marks_boundaries)(struct sluice_task *);

    /* Minor 2. The metrics of this task, all of them, in place of those told before; they show in
     * /metrics until the task ends. For each name one help and kind. Cheap, but not for each
     * record: once a second is enough. */
    void (*metrics)(struct sluice_task *, const struct sluice_metric *, size_t n);
    /* Minor 2. Reads a topic in a consumer group. settings: names of the Java consumer, group.id
     * among them; with bootstrap.servers they are all that counts, without it the worker's own
     * consumer settings lie beneath. Never waits for the brokers; wake_fd gets readable when
     * messages come. NULL: err. */
    struct sluice_reader *(*reader_open)(struct sluice_task *, const char *topic,
                                         const struct sluice_label *settings, size_t n,
                                         struct sluice_err *);
    /* OK: a message. RETRY: none has come. FAIL: the topic or the group refuses us, err. */
    enum sluice_verdict (*reader_next)(struct sluice_reader *, struct sluice_read_message *,
                                       struct sluice_err *);
    /* Messages of the partition up to this one, included, need not come again. Does not wait. */
    void (*reader_commit)(struct sluice_reader *, int32_t partition, int64_t offset);
    void (*reader_close)(struct sluice_reader *); /* takes NULL; before the task's close() ends */

    /* Minor 3. How far the long pieces of work are that the task is at, all of them, in place of
     * those told before; n 0: none is under way. Shows in REST until the task ends. Once a second
     * is enough. */
    void (*progress)(struct sluice_task *, const struct sluice_progress *, size_t n);
};

#ifdef __cplusplus
}
#endif

#endif
