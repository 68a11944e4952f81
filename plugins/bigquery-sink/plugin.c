/* plugin.c - what the shared object offers: one sink. */
#include "sink.h"

static const char *const aliases[] = {
    "com.wepay.kafka.connect.bigquery.BigQuerySinkConnector",
    "BigQuerySinkConnector",
    "BigQuerySink", /* as Confluent Cloud names it */
    "BigQueryStorageSink",
    NULL,
};

static const struct sluice_sink sink = {
    .size = sizeof sink, .put = bq_put, .work = bq_work, .flush = bq_flush, .drop = bq_drop};

static const struct sluice_plugin plugin = {
    SLUICE_PLUGIN_HEAD,
    .kind = SLUICE_KIND_SINK,
    .name = "bigquery-sink",
    .version = SLUICE_VERSION,
    .aliases = aliases,
    .options = bq_options,
    .validate = bq_config_validate,
    .open = bq_open,
    .close = bq_close,
    .sink = &sink,
};

const struct sluice_plugin *const *sluice_plugins_v1(void)
{
    static const struct sluice_plugin *const plugins[] = {&plugin, NULL};
    return plugins;
}
