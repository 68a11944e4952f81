/* plugin.h - the plugin ABI: all that a plugin may know of the runtime.
 *
 * A plugin is a shared object that exports one function, sluice_plugins_v1(), which returns a
 * NULL-ended list of descriptions. It links nothing of sluice: what the runtime lends comes as a
 * table of functions (struct sluice_host), so that a plugin is unit-tested against a fake one.
 *
 * Threads:  all callbacks of one opened plugin run on its task's thread; no locks are needed.
 *           host functions that take a task are called on that thread only; log, schema and
 *           schema_free on any. A plugin starts no signal handlers and no process-wide inits
 *           (curl, OpenSSL and libpq are initialised by the runtime).
 * Memory:   what a callback is given lives until it returns; what a record that a source emits
 *           points to must live until the plugin's next callback (host->alloc sees to that).
 *           The host copies what it keeps. No side frees the other's memory.
 * Errors:   return a verdict; with SLUICE_FAIL leave one sentence for people in err->msg: what was
 *           tried, on what, why it failed, what to do; lowercase, without secrets.
 * Versions: structs and tables are only ever appended to and carry their size; a plugin of another
 *           major version is refused. Test host->size before using what a minor version added. */
#ifndef SLUICE_PLUGIN_H
#define SLUICE_PLUGIN_H

#include "sluice/host.h"
#include "sluice/option.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_ABI_MAJOR 1u /* raised: older plugins are refused */
#define SLUICE_ABI_MINOR 3u /* raised: something was appended, here or in host.h */

enum sluice_kind {
    SLUICE_KIND_SOURCE,
    SLUICE_KIND_SINK,
    SLUICE_KIND_TRANSFORM,
    SLUICE_KIND_PREDICATE,
    SLUICE_KIND_CONVERTER,
    SLUICE_KIND_HEADER_CONVERTER,
    SLUICE_KIND_CONFIG_PROVIDER
};

/* ---- what a plugin offers ---- */

struct sluice_room { /* what a poll may fill; bounds the in-flight window without an error path */
    uint32_t size;
    int wait_ms;    /* wait so long for a first record at most, and not once wake_fd is readable */
    size_t records; /* emit at most so many */
    size_t bytes;   /* stop after the record that passes this many (raw bytes, roughly) */
};

enum { /* what a source can promise, see exactly_once() */
       SLUICE_EXACTLY_ONCE = 1,
       SLUICE_BOUNDARIES = 2 /* it marks its own transactions: SLUICE_RECORD_COMMIT */
};

struct sluice_source {
    uint32_t size;
    /* Append what there is to the batch; OK with none is fine. RETRY: again after a backoff. */
    enum sluice_verdict (*poll)(void *self, struct sluice_batch *, const struct sluice_room *,
                                struct sluice_err *);
    /* The offset map (schemaless MAP, flat) for a position that a record carried; memory from the
     * scratch batch. Called when offsets are written, not per record. */
    enum sluice_verdict (*offset)(void *self, const void *position, size_t len,
                                  struct sluice_batch *scratch, struct sluice_value *out,
                                  struct sluice_err *);
    /* All records of this partition up to this position are in Kafka and the offset is durable:
     * let go upstream. May be NULL. */
    enum sluice_verdict (*acked)(void *self, uint32_t partition, const void *position, size_t len,
                                 struct sluice_err *);
    /* Minor 1. SLUICE_EXACTLY_ONCE: with this config, from the offset of a record the source gives
     * exactly the records behind it, always, so that what is committed together with its offset
     * comes once. And SLUICE_BOUNDARIES. The conf is checked; quick; on any thread. NULL: 0. */
    unsigned (*exactly_once)(const struct sluice_host *, const struct sluice_conf *);
};

struct sluice_sink {
    uint32_t size;
    /* Take all n records, or none (RETRY: the same n come again, partitions are paused meanwhile).
     * Records and what they point to are gone when it returns. */
    enum sluice_verdict (*put)(void *self, const struct sluice_record *, size_t n,
                               struct sluice_err *);
    /* Go on with what is under way; wait for it at most wait_ms, and not once wake_fd is readable.
     * Report with host->done() and host->reject(). NULL: the sink does everything in put()/flush().
     */
    enum sluice_verdict (*work)(void *self, int wait_ms, struct sluice_err *);
    /* OK: all that was taken is durable (or rejected), and the host counts it as done. RETRY: it is
     * on its way; work() and flush() are called again. Never waits when work is given. */
    enum sluice_verdict (*flush)(void *self, struct sluice_err *);
    /* This partition was lost: forget its unfinished records. May be NULL. */
    void (*drop)(void *self, const char *topic, int32_t partition);
};

struct sluice_transform {
    uint32_t size;
    /* Change the record in place; new values come from the batch. OK, DROP, FAIL (err), or RETRY
     * (err; the record is unchanged): tried again as errors.retry.* says. */
    enum sluice_verdict (*apply)(void *self, struct sluice_batch *, struct sluice_record *,
                                 struct sluice_err *);
};

struct sluice_predicate {
    uint32_t size;
    enum sluice_verdict (*test)(void *self, const struct sluice_record *, bool *holds,
                                struct sluice_err *);
};

/* Converters are opened with the extra key converter.type = key, value or header. Both directions
 * keep what they can precompute for a schema under its address, and hold that schema. RETRY (err):
 * what they ask is away for now; tried again as errors.retry.* says. */
struct sluice_converter {
    uint32_t size;
    /* Append the bytes to out (emptied by the caller). null: send a null instead. header: the
     * header's key, else NULL. schema NULL: schemaless. */
    enum sluice_verdict (*encode)(void *self, const char *topic, const char *header,
                                  const struct sluice_schema *, const struct sluice_value *,
                                  struct sluice_buf *out, bool *null, struct sluice_err *);
    /* data NULL: null. Values live in the batch or in data; the schema is held by the converter
     * and by the batch. */
    enum sluice_verdict (*decode)(void *self, struct sluice_batch *, const char *topic,
                                  const char *header, const void *data, size_t len,
                                  const struct sluice_schema **, struct sluice_value *,
                                  struct sluice_err *);
};

/* What stands for ${provider:path:key} in configs. Opened once for the worker, without a task;
 * callbacks come one at a time, from any thread. Values are secrets: keep them out of err. */
struct sluice_config_provider {
    uint32_t size;
    /* Append the key's value to out (empty; capped). path "": none was given. OK with *found false:
     * there is no such key, and the variable stays as text. ttl_ms: how long the value holds, -1
     * (as it comes): without end. */
    enum sluice_verdict (*get)(void *self, const char *path, const char *key,
                               struct sluice_buf *out, bool *found, int64_t *ttl_ms,
                               struct sluice_err *err);
};

/* A partition and its offset as users see them (GET .../offsets), both schemaless MAPs. A source's
 * are its own; a sink's are {"kafka_topic", "kafka_partition"} and {"kafka_offset"}. */
struct sluice_offset_change {
    const struct sluice_value *partition; /* NULL: the user gave none */
    const struct sluice_value *offset;    /* NULL: the partition is to be forgotten */
};

struct sluice_plugin {
    uint32_t abi_major, abi_minor; /* SLUICE_PLUGIN_HEAD fills these four */
    uint32_t size, option_size;
    enum sluice_kind kind;
    uint32_t max_tasks;         /* connectors; 0: as many as tasks.max asks for */
    const char *name, *version; /* "postgres-cdc", "1.0.0" */
    const char *const *aliases; /* NULL-ended; the first is the Java class that REST shows */
    const struct sluice_option *options; /* ends with a NULL key */
    /* Checks that one option alone cannot tell; findings go to the report. May be NULL; may take
     * seconds (it runs on no task's thread and holds no lock). Of connectors, the extra key
     * connector.starts = true says that the connector is to be started, not only looked at: what
     * may pass by itself, such as a server that is away, is then no finding. */
    void (*validate)(const struct sluice_host *, const struct sluice_conf *,
                     struct sluice_report *);
    /* *self: the plugin's own state, set even when failing, then given to close(). RETRY: again
     * after a backoff, following a close(). */
    enum sluice_verdict (*open)(struct sluice_task *, const struct sluice_host *,
                                const struct sluice_conf *, void **self, struct sluice_err *);
    void (*close)(void *self);          /* takes NULL */
    const struct sluice_source *source; /* the one that fits kind is set */
    const struct sluice_sink *sink;
    const struct sluice_transform *transform;
    const struct sluice_predicate *predicate;
    const struct sluice_converter *converter; /* header converters too */
    const struct sluice_config_provider *provider;
    /* Connectors: offsets of a stopped one of this config are about to be changed by a user. OK:
     * they make sense, and nothing but the framework keeps the connector's position; FAIL: they are
     * refused, err says why. NULL: the user is told to look at the outside system as well. May take
     * seconds; runs on no task's thread and holds no lock. */
    enum sluice_verdict (*alter_offsets)(const struct sluice_host *, const struct sluice_conf *,
                                         const struct sluice_offset_change *, size_t n,
                                         struct sluice_err *);
};
#define SLUICE_PLUGIN_HEAD                                                                         \
    SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, (uint32_t)sizeof(struct sluice_plugin),                    \
        (uint32_t)sizeof(struct sluice_option)

/* The one symbol that a plugin exports; the list and all it points to are constant. */
#define SLUICE_EXPORT __attribute__((visibility("default")))
SLUICE_EXPORT const struct sluice_plugin *const *sluice_plugins_v1(void);

#ifdef __cplusplus
}
#endif

#endif
