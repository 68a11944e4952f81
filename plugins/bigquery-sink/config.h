/* config.h - the connector's config as the plugin uses it: options.c declares the keys, config.c
 * reads and cross-checks them. Constant after bq_config_init(). */
#ifndef BQ_CONFIG_H
#define BQ_CONFIG_H

#include "sluice/plugin.h"

#define BQ_VERSION SLUICE_VERSION
#define BQ_ROW_MAX_BYTES (10u << 20) /* BigQuery's limit of a row, and of a request */
#define BQ_ROWS_MAX 50000            /* and of rows in a request */

enum bq_decimal { BQ_DECIMAL_RECORD, BQ_DECIMAL_FLOAT, BQ_DECIMAL_NUMERIC, BQ_DECIMAL_BIGNUMERIC };
enum bq_partitioning { BQ_PART_NONE, BQ_PART_HOUR, BQ_PART_DAY, BQ_PART_MONTH, BQ_PART_YEAR };
enum bq_compression { BQ_COMPRESS_AUTO, BQ_COMPRESS_GZIP, BQ_COMPRESS_NONE };
enum bq_key_source { BQ_KEY_FILE, BQ_KEY_JSON, BQ_KEY_DEFAULT };

struct bq_mapping { /* of topic2TableMap */
    char *topic, *table;
};

struct bq_config {
    const char *project, *dataset; /* strings without a note are borrowed from the conf */
    char *endpoint;                /* owned; "https://host/bigquery/v2" */
    bool endpoint_given;           /* by option or environment: no credentials are needed */
    const char *keyfile, *token_uri;
    enum bq_key_source key_source;
    /* names */
    bool sanitize_topics, sanitize_fields;
    struct bq_mapping *mappings; /* owned */
    size_t mappings_len;
    char *data_field, *key_field; /* owned; NULL: none */
    bool preserve_origin;         /* topic and partition as consumed in data_field */
    /* tables */
    bool create_tables, new_fields, relax_fields, union_schemas, all_nullable;
    enum bq_partitioning partitioning;
    const char *partition_field;
    int64_t partition_expiration_ms; /* 0: none */
    const char *const *clustering;   /* NULL-ended */
    bool decorator, message_time;
    /* values */
    enum bq_decimal decimal, variable_decimal;
    bool convert_double_special, debezium_timestamp_integer, ignore_unknown;
    /* requests */
    enum bq_compression compression;
    size_t rows_max, request_max_bytes, queue_max_bytes;
    int64_t linger_ms, request_timeout_ms;
    unsigned in_flight_max, in_flight_partition_max;
    int64_t queue_max_batches; /* -1: no limit */
    /* retries */
    bool retries_given; /* bigQueryRetry stands in the config */
    int64_t retries, retry_wait_ms, outage_ms, settle_ms;
};

/* False: err names the option. Call bq_config_fini() either way. */
bool bq_config_init(struct bq_config *config, const struct sluice_host *host,
                    const struct sluice_conf *conf, struct sluice_err *err);
void bq_config_fini(struct bq_config *config);
/* The plugin's validate(): what no single option can tell. */
void bq_config_validate(const struct sluice_host *host, const struct sluice_conf *conf,
                        struct sluice_report *report);

extern const struct sluice_option bq_options[];

#endif
