/* config.c - see config.h. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/json_out.h"
#include "names.h"

#define GOOGLE_ENDPOINT "https://bigquery.googleapis.com"
#define API_PATH "/bigquery/v2"

/* Position of the word in a list of them; the option table has checked that it is there. */
static int word(const struct sluice_host *host, const struct sluice_conf *conf, const char *key,
                const char *const *words)
{
    const char *value = host->str(conf, key);
    for (int i = 0; words[i]; i++)
        if (value && strcasecmp(words[i], value) == 0) return i;
    return 0;
}

/* The value as it was given, NULL when it was not. */
static const char *given(const struct sluice_host *host, const struct sluice_conf *conf,
                         const char *key)
{
    const char *k, *v;
    for (size_t i = 0; host->entry(conf, i, &k, &v); i++)
        if (strcmp(k, key) == 0) return v;
    return NULL;
}

/* "host:port", "http://host:port/" or the whole base URL. */
static char *endpoint(const char *text)
{
    struct sluice_out out = {0};
    if (!strstr(text, "://")) sluice_out_lit(&out, "http://");
    sluice_out_text(&out, text);
    while (out.len > 0 && out.data[out.len - 1] == '/') out.len--;
    size_t path = strlen(API_PATH);
    if (out.len < path || memcmp(out.data + out.len - path, API_PATH, path) != 0)
        sluice_out_lit(&out, API_PATH);
    sluice_out_terminate(&out);
    return out.data;
}

static char *field_name(const struct sluice_host *host, const struct sluice_conf *conf,
                        const char *key, bool sanitize)
{
    const char *name = host->str(conf, key);
    if (!name) return NULL;
    if (!sanitize) return bq_strdup(name, strlen(name));
    struct sluice_out out = {0};
    bq_sanitize(&out, name, strlen(name));
    sluice_out_terminate(&out);
    return out.data;
}

static void read_endpoint(struct bq_config *config, const struct sluice_host *host,
                          const struct sluice_conf *conf)
{
    const char *url = host->str(conf, "bigQueryEndpoint");
    if (!url || !*url) url = getenv("BIGQUERY_EMULATOR_HOST");
    config->endpoint_given = url && *url;
    config->endpoint = endpoint(config->endpoint_given ? url : GOOGLE_ENDPOINT);
    config->token_uri = host->str(conf, "tokenUri");
    config->keyfile = host->str(conf, "keyfile");
    if (config->keyfile && !*config->keyfile) config->keyfile = NULL;
    static const char *const sources[] = {"FILE", "JSON", "APPLICATION_DEFAULT", NULL};
    config->key_source = (enum bq_key_source)word(host, conf, "keySource", sources);
}

static void read_tables(struct bq_config *config, const struct sluice_host *host,
                        const struct sluice_conf *conf)
{
    static const char *const types[] = {"NONE", "HOUR", "DAY", "MONTH", "YEAR", NULL};
    config->create_tables = host->flag(conf, "autoCreateTables");
    config->new_fields = host->flag(conf, "allowNewBigQueryFields");
    config->relax_fields = host->flag(conf, "allowBigQueryRequiredFieldRelaxation");
    config->union_schemas = host->flag(conf, "allowSchemaUnionization");
    config->all_nullable = host->flag(conf, "allBQFieldsNullable");
    config->partitioning = (enum bq_partitioning)word(host, conf, "timePartitioningType", types);
    config->partition_field = host->str(conf, "timestampPartitionFieldName");
    if (host->str(conf, "partitionExpirationMs"))
        config->partition_expiration_ms = host->num(conf, "partitionExpirationMs");
    config->clustering = host->list(conf, "clusteringPartitionFieldNames");
    config->decorator = host->flag(conf, "bigQueryPartitionDecorator");
    config->message_time = host->flag(conf, "bigQueryMessageTimePartitioning");
}

static void read_values(struct bq_config *config, const struct sluice_host *host,
                        const struct sluice_conf *conf)
{
    static const char *const modes[] = {"RECORD", "FLOAT", "NUMERIC", "BIGNUMERIC", NULL};
    config->decimal = (enum bq_decimal)word(host, conf, "decimalHandlingMode", modes);
    config->variable_decimal =
        (enum bq_decimal)word(host, conf, "variableScaleDecimalHandlingMode", modes);
    config->convert_double_special = host->flag(conf, "convertDoubleSpecialValues");
    config->debezium_timestamp_integer = host->flag(conf, "convertDebeziumTimestampToInteger");
    config->ignore_unknown = host->flag(conf, "ignoreUnknownFields");
}

static void read_writing(struct bq_config *config, const struct sluice_host *host,
                         const struct sluice_conf *conf)
{
    static const char *const kinds[] = {"auto", "gzip", "none", NULL};
    config->compression = (enum bq_compression)word(host, conf, "requestCompression", kinds);
    config->rows_max = (size_t)host->num(conf, "maxRowsPerRequest");
    config->request_max_bytes = (size_t)host->num(conf, "maxRequestBytes");
    config->queue_max_bytes = (size_t)host->num(conf, "queueBytes");
    config->linger_ms = host->num(conf, "lingerMs");
    config->request_timeout_ms = host->num(conf, "requestTimeoutMs");
    config->in_flight_max = (unsigned)host->num(conf, "threadPoolSize");
    config->in_flight_partition_max = (unsigned)host->num(conf, "maxInFlightPerPartition");
    config->queue_max_batches = host->num(conf, "queueSize");
    config->retries_given = given(host, conf, "bigQueryRetry") != NULL;
    config->retries = host->num(conf, "bigQueryRetry");
    config->retry_wait_ms = host->num(conf, "bigQueryRetryWait");
    config->outage_ms = host->num(conf, "outageMs");
    config->settle_ms = host->num(conf, "tableUpdateWaitMs");
}

bool bq_config_init(struct bq_config *config, const struct sluice_host *host,
                    const struct sluice_conf *conf, struct sluice_err *err)
{
    *config = (struct bq_config){0};
    config->project = host->str(conf, "project");
    config->dataset = host->str(conf, "defaultDataset");
    read_endpoint(config, host, conf);
    config->sanitize_topics = host->flag(conf, "sanitizeTopics");
    config->sanitize_fields = host->flag(conf, "sanitizeFieldNames");
    config->data_field = field_name(host, conf, "kafkaDataFieldName", config->sanitize_fields);
    config->key_field = field_name(host, conf, "kafkaKeyFieldName", config->sanitize_fields);
    config->preserve_origin = host->flag(conf, "preserveKafkaTopicPartitionOffset");
    read_tables(config, host, conf);
    read_values(config, host, conf);
    read_writing(config, host, conf);
    struct sluice_err why;
    if (bq_mappings_parse(host->str(conf, "topic2TableMap"), &config->mappings,
                          &config->mappings_len, &why))
        return true;
    snprintf(err->msg, sizeof err->msg, "topic2TableMap: %.900s", why.msg);
    return false;
}

void bq_config_fini(struct bq_config *config)
{
    if (!config) return;
    bq_mappings_free(config->mappings, config->mappings_len);
    free(config->endpoint);
    free(config->data_field);
    free(config->key_field);
    *config = (struct bq_config){0};
}

/* Options that are known but would change what lands in the tables: better no start than that. */
static void refuse_unsupported(const struct sluice_host *host, const struct sluice_conf *conf,
                               struct sluice_report *report)
{
    static const char *const flags[] = {"upsertEnabled", "deleteEnabled", "useStorageWriteApi"};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (host->flag(conf, flags[i]))
            host->finding(
                report, flags[i],
                "%s is not supported yet; rows are appended by insertAll: set it to false",
                flags[i]);
    if (*host->list(conf, "enableBatchLoad"))
        host->finding(report, "enableBatchLoad",
                      "loading through Cloud Storage is not supported yet; rows are streamed: "
                      "leave enableBatchLoad empty");
}

static void check_credentials(const struct sluice_host *host, const struct bq_config *config,
                              struct sluice_report *report)
{
    const char *key = config->keyfile;
    if (config->key_source == BQ_KEY_DEFAULT) {
        if (key)
            host->finding(report, "keyfile",
                          "keyfile and keySource=APPLICATION_DEFAULT exclude each other: leave "
                          "one out");
        return;
    }
    if (!key && !config->endpoint_given)
        host->finding(report, "keyfile",
                      "no credentials for %s: set keyfile to a service account's key, or keySource "
                      "to APPLICATION_DEFAULT, or bigQueryEndpoint to an emulator",
                      GOOGLE_ENDPOINT);
    if (key && config->key_source == BQ_KEY_FILE && key[0] != '{' && access(key, R_OK) != 0)
        host->finding(report, "keyfile", "the key file cannot be read: %s", strerror(errno));
}

static void check_partitioning(const struct sluice_host *host, const struct bq_config *config,
                               struct sluice_report *report)
{
    if (config->decorator && config->partition_field)
        host->finding(report, "bigQueryPartitionDecorator",
                      "Only one partitioning mode may be specified for the connector. Use either "
                      "bigQueryPartitionDecorator or timestampPartitionFieldName: set "
                      "bigQueryPartitionDecorator to false");
    if (config->decorator && config->create_tables && config->partitioning != BQ_PART_DAY)
        host->finding(report, "timePartitioningType",
                      "bigQueryPartitionDecorator writes to partitions of a day, so that tables "
                      "must be created with timePartitioningType DAY: set "
                      "bigQueryPartitionDecorator to false, or the type to DAY");
    size_t n = 0;
    while (config->clustering[n]) n++;
    if (n > 4)
        host->finding(report, "clusteringPartitionFieldNames",
                      "BigQuery clusters by at most four columns; these are %zu", n);
}

void bq_config_validate(const struct sluice_host *host, const struct sluice_conf *conf,
                        struct sluice_report *report)
{
    struct bq_config config;
    struct sluice_err err;
    if (!bq_config_init(&config, host, conf, &err)) {
        const char *text = strchr(err.msg, ' ');
        host->finding(report, "topic2TableMap", "%s", text ? text + 1 : err.msg);
    }
    refuse_unsupported(host, conf, report);
    check_credentials(host, &config, report);
    check_partitioning(host, &config, report);
    if (config.data_field && config.key_field &&
        strcasecmp(config.data_field, config.key_field) == 0)
        host->finding(report, "kafkaKeyFieldName",
                      "kafkaDataFieldName and kafkaKeyFieldName name the same column: %s",
                      config.key_field);
    bq_config_fini(&config);
}
