/* settings.h - the connector's config, read once into plain fields; constant afterwards. */
#ifndef CDC_SETTINGS_H
#define CDC_SETTINGS_H

#include "driver.h"
#include "filter.h"
#include "naming.h"
#include "util.h"

enum cdc_decimal_mode { CDC_DECIMAL_PRECISE, CDC_DECIMAL_STRING, CDC_DECIMAL_DOUBLE };
enum cdc_time_mode {
    CDC_TIME_ADAPTIVE,
    CDC_TIME_ADAPTIVE_TIME_MICROS,
    CDC_TIME_CONNECT,
    CDC_TIME_ISO,
    CDC_TIME_MICROS,
    CDC_TIME_NANOS
};
enum cdc_binary_mode { CDC_BINARY_BYTES, CDC_BINARY_BASE64, CDC_BINARY_BASE64_URL, CDC_BINARY_HEX };
enum cdc_autocreate { CDC_ALL_TABLES, CDC_DISABLED, CDC_FILTERED, CDC_NO_TABLES };
enum cdc_snapshot_mode {
    CDC_INITIAL,
    CDC_INITIAL_ONLY,
    CDC_ALWAYS,
    CDC_NO_DATA,
    CDC_WHEN_NEEDED,
    CDC_CONFIGURED /* by the flags below */
};
enum cdc_row_order { CDC_AS_CONFIGURED, CDC_ASCENDING, CDC_DESCENDING };
enum cdc_in_progress { CDC_COMMITTED_ONLY, CDC_IN_PROGRESS, CDC_IN_PROGRESS_PARALLEL };
enum cdc_flush_mode { CDC_FLUSH_CONNECTOR, CDC_FLUSH_MANUAL, CDC_FLUSH_DRIVER };
enum cdc_mismatch { CDC_NO_VALIDATION, CDC_TRUST_OFFSET, CDC_TRUST_SLOT, CDC_TRUST_GREATER };
enum cdc_adjustment { CDC_ADJUST_NONE, CDC_ADJUST_AVRO, CDC_ADJUST_AVRO_UNICODE };
enum cdc_failure_mode { CDC_FAILURE_WARN, CDC_FAILURE_FAIL, CDC_FAILURE_SKIP };
enum cdc_flush_action { CDC_FLUSH_FAIL, CDC_FLUSH_WARN, CDC_FLUSH_IGNORE };

/* Bits of settings.skipped. */
enum { CDC_SKIP_C = 1, CDC_SKIP_U = 2, CDC_SKIP_D = 4, CDC_SKIP_T = 8 };

struct cdc_mappings;
struct cdc_reselector; /* reselect.h */

struct cdc_override {
    const char *table, *sql; /* schema.table */
};

struct cdc_settings {
    struct cdc_pool pool; /* owns the strings */

    const char *host, *user, *password, *dbname; /* password NULL: none */
    int port;
    const char *sslmode, *sslrootcert, *sslcert, *sslkey, *sslpassword;
    bool tcp_keepalive;
    int query_timeout_ms, connect_timeout_ms, validation_timeout_ms;
    struct cdc_driver driver; /* what database.* and driver.* say beside all that */
    char **statements;        /* database.initial.statements, split */
    size_t statements_n;

    const char *slot, *stream_params;
    enum cdc_in_progress in_progress;
    const char *spill_directory;
    bool slot_drop_on_stop, slot_failover;
    uint64_t wal_warn_bytes; /* 0: never */
    int slot_retries, slot_retry_ms, slot_create_ms, xmin_ms;
    struct cdc_key_rules
        identities; /* replica.identity.autoset.values: words in place of columns */
    const char *publication;
    enum cdc_autocreate autocreate;
    bool via_root;
    int status_interval_ms;
    enum cdc_flush_mode flush_mode;
    int flush_timeout_ms;
    enum cdc_flush_action flush_action;
    enum cdc_mismatch mismatch;

    enum cdc_snapshot_mode snapshot_mode;
    bool takes_data;   /* CDC_CONFIGURED: a snapshot at every start */
    bool streams;      /* not CDC_INITIAL_ONLY and the like */
    bool mends_offset; /* an offset that is of no use any more is given up */
    enum cdc_row_order row_order;
    const char *isolation; /* SQL words */
    bool lock_shared;
    int lock_timeout_ms, snapshot_delay_ms, streaming_delay_ms, snapshot_threads;
    struct cdc_patterns snapshot_include;
    struct cdc_override *overrides;
    size_t overrides_n;

    const char *signal_table; /* schema.table; NULL: none */
    bool watermark_delete, read_only;
    int chunk_size;
    bool signal_source;                /* the table's rows are signals, not only marks */
    bool signal_jmx, notify_jmx;       /* asked for, and without effect */
    const char *signal_file;           /* NULL: no such channel */
    const char *signal_topic;          /* NULL: no such channel */
    struct sluice_label *signal_props; /* of its consumer */
    size_t signal_props_n;
    int signal_poll_ms;

    bool notify_log;
    const char *notify_topic; /* NULL: not into Kafka */
    struct sluice_label *metric_tags;
    size_t metric_tags_n;

    struct cdc_filter schemas, tables, columns;
    bool ignore_builtin;
    struct cdc_key_rules keys;
    unsigned skipped;
    bool skipped_given; /* then a publication made here leaves them out too */
    bool tombstones, skip_unchanged;

    struct cdc_mappings *mappings;      /* mapping.h; owned */
    struct cdc_reselector *reselectors; /* post.processors; owned */
    size_t reselectors_n;
    enum cdc_adjustment schema_names, field_names;

    enum cdc_decimal_mode decimal;
    enum cdc_time_mode time;
    enum cdc_binary_mode binary;
    bool hstore_map, interval_string, unknown_types;
    int money_digits;
    const char *placeholder;
    size_t placeholder_len;
    enum cdc_failure_mode converting_failure, processing_failure;

    const char *prefix, *delimiter, *heartbeat_topic;
    struct cdc_naming naming;
    const char *transaction_topic; /* last part of its name; NULL: no transaction metadata */
    int heartbeat_ms;
    const char *heartbeat_query; /* NULL: none */
    bool extended_headers;
    struct cdc_filter message_prefixes;
    int max_retries, retry_wait_ms; /* -1: without end */
    struct cdc_rewrite retriable;   /* error messages after which to try again; or none */
    int tables_max;                 /* 0: no limit */
    bool tables_max_fails;
};

extern const struct sluice_option cdc_options[];

/* Fills zeroed settings; what is wrong goes to complain, and false is returned. Free in any case.
 */
bool cdc_settings_read(struct cdc_settings *settings, const struct sluice_host *host,
                       const struct sluice_conf *conf, cdc_complain *complain, void *arg);
void cdc_settings_free(struct cdc_settings *settings);

/* Whether changes of this table are captured; the signal table's always are. */
bool cdc_captures_table(const struct cdc_settings *settings, const char *schema, const char *table);
/* Whether it passes the filters, be it the signal table or not. */
bool cdc_filters_pass(const struct cdc_settings *settings, const char *schema, const char *table);
bool cdc_signal_table(const struct cdc_settings *settings, const char *schema, const char *table);
/* Whether the column belongs to the row's value. */
bool cdc_captures_column(const struct cdc_settings *settings, const char *schema, const char *table,
                         const char *column);

#endif
