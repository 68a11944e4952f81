/* test_bigquery_config.c - options, what validate() finds, names, and answers as they are read. */
#include "base/map.h"
#include "bq_test.h"
#include "names.h"
#include "plugin/host.h"
#include "plugin/options.h"
#include "reply.h"

/* What validate() finds for these keys: key, value, ..., NULL; "key: message" lines. */
static __attribute__((sentinel)) const char *findings(const char *first, ...)
{
    static char text[4096];
    struct sluice_map config = {0};
    struct sluice_report report = {0};
    struct sluice_err err = {{0}};
    struct sluice_host host = sluice_host_base();
    va_list ap;
    sluice_map_set(&config, "project", "p");
    sluice_map_set(&config, "defaultDataset", "d");
    sluice_map_set(&config, "bigQueryEndpoint", "http://127.0.0.1:9");
    sluice_map_set(&config, "bigQueryPartitionDecorator", "false");
    va_start(ap, first);
    for (const char *key = first; key; key = va_arg(ap, const char *))
        sluice_map_set(&config, key, va_arg(ap, const char *));
    va_end(ap);
    text[0] = '\0';
    struct sluice_conf *conf = sluice_conf_new(bq_plugin(), &config, "", &err);
    if (conf) bq_plugin()->validate(&host, conf, &report);
    else snprintf(text, sizeof text, "%s", err.msg);
    for (size_t i = 0; i < report.n; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "%s: %s\n", report.items[i].key,
                 report.items[i].message);
    }
    sluice_conf_free(conf);
    sluice_report_fini(&report);
    sluice_map_fini(&config);
    return text;
}

TEST(a_plain_config_has_no_findings)
{
    CHECK_STR(findings(NULL, NULL), "");
    CHECK_STR(findings("topic2TableMap", "topic:table, topic2:table", NULL), "");
    CHECK_STR(findings("topic2TableMap", ",", NULL), "");
    CHECK_STR(findings("upsertEnabled", "false", "enableBatchLoad", "", NULL), "");
}

TEST(topic_maps_are_checked)
{
    CHECK_HAS(findings("topic2TableMap", "topic:", NULL),
              "topic2TableMap: \"topic:\" lacks its table");
    CHECK_HAS(findings("topic2TableMap", ":", NULL), "lacks its topic");
    CHECK_HAS(findings("topic2TableMap", "a", NULL), "is no topic:table pair");
    CHECK_HAS(findings("topic2TableMap", "a:b:c", NULL), "is no topic:table pair");
    CHECK_HAS(findings("topic2TableMap", "a:b,a:c", NULL), "topic a stands in it twice");
}

TEST(partitioning_modes_exclude_each_other)
{
    CHECK_HAS(
        findings("bigQueryPartitionDecorator", "true", "timestampPartitionFieldName", "ts", NULL),
        "Only one partitioning mode may be specified");
    CHECK_HAS(findings("bigQueryPartitionDecorator", "true", "timePartitioningType", "HOUR", NULL),
              "timePartitioningType: ");
    CHECK_STR(findings("bigQueryPartitionDecorator", "true", "timePartitioningType", "HOUR",
                       "autoCreateTables", "false", NULL),
              "");
    CHECK_HAS(findings("clusteringPartitionFieldNames", "a,b,c,d,e", NULL), "at most four");
    CHECK_HAS(findings("timePartitioningType", "WEEK", NULL), "WEEK");
}

TEST(what_is_not_supported_is_refused)
{
    CHECK_HAS(findings("upsertEnabled", "true", NULL), "upsertEnabled is not supported yet");
    CHECK_HAS(findings("deleteEnabled", "true", NULL), "deleteEnabled is not supported yet");
    CHECK_HAS(findings("useStorageWriteApi", "true", NULL), "not supported yet");
    CHECK_HAS(findings("enableBatchLoad", "a,b", NULL), "not supported yet");
}

TEST(credentials_are_checked)
{
    CHECK_HAS(findings("bigQueryEndpoint", "", NULL), "no credentials for "
                                                      "https://bigquery.googleapis.com");
    CHECK_HAS(findings("keyfile", "/nowhere/key.json", NULL), "keyfile: the key file cannot be "
                                                              "read: No such file");
    CHECK_HAS(findings("keyfile", "x", "keySource", "APPLICATION_DEFAULT", NULL),
              "exclude each other");
    setenv("BIGQUERY_EMULATOR_HOST", "127.0.0.1:9", 1);
    const char *text = findings("bigQueryEndpoint", "", NULL);
    unsetenv("BIGQUERY_EMULATOR_HOST");
    CHECK_STR(text, "");
}

TEST(required_options_are_required)
{
    struct sluice_map config = {0};
    struct sluice_err err = {{0}};
    struct sluice_conf *conf = sluice_conf_new(bq_plugin(), &config, "", &err);
    CHECK(conf == NULL);
    CHECK_HAS(err.msg, "project");
    CHECK_HAS(err.msg, "defaultDataset");
    sluice_map_fini(&config);
}

TEST(the_emulators_variable_is_honoured)
{
    struct bq_test t;
    char host[64];
    bq_init(&t);
    snprintf(host, sizeof host, "127.0.0.1:%d", t.stub->port);
    fake_set(&t.fake, "bigQueryEndpoint", "");
    setenv("BIGQUERY_EMULATOR_HOST", host, 1);
    enum sluice_verdict verdict = fake_open(&t.fake);
    unsetenv("BIGQUERY_EMULATOR_HOST");
    CHECK_INT(verdict, SLUICE_OK);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_INT(stub_count(t.stub, "POST", "/bigquery/v2/projects/p/datasets/d/tables/t/insertAll"),
              1);
    CHECK(!strstr(stub_request(t.stub, "POST", INSERT, 0)->head, "Authorization"));
    bq_fini(&t);
}

static void check_table(const struct bq_config *config, const char *topic, const char *want)
{
    struct sluice_err err = {{0}};
    char *dataset = NULL, *table = NULL, text[2048];
    if (bq_table_name(config, topic, &dataset, &table, &err))
        snprintf(text, sizeof text, "%s.%s", dataset, table);
    else snprintf(text, sizeof text, "%s", err.msg);
    free(dataset);
    free(table);
    CHECK_HAS(text, want);
}

TEST(topics_become_tables)
{
    struct bq_config config = {.dataset = "d"};
    struct bq_mapping mapping = {.topic = (char *)(uintptr_t) "a-b",
                                 .table = (char *)(uintptr_t) "x-y"};
    check_table(&config, "a-b", "d.a-b");
    check_table(&config, "other:a", "other.a");
    check_table(&config, "a:b:c", "names no table");
    config.sanitize_topics = true;
    check_table(&config, "kcbq-test", "d.kcbq_test");
    check_table(&config, "other:1-a", "other._1_a");
    config.mappings = &mapping;
    config.mappings_len = 1;
    check_table(&config, "a-b", "d.x-y");
    check_table(&config, "c-d", "d.c-d");
}

TEST(insert_ids_stay_short)
{
    struct sluice_out out = {0}, other = {0};
    char topic[250];
    memset(topic, 'x', 249);
    topic[249] = '\0';
    bq_insert_id_prefix(&out, topic, INT32_MAX);
    CHECK(out.len + 20 <= 128);
    topic[248] = 'y';
    bq_insert_id_prefix(&other, topic, INT32_MAX);
    CHECK(out.len == other.len && memcmp(out.data, other.data, out.len) != 0);
    sluice_out_fini(&out);
    sluice_out_fini(&other);
}

static enum bq_kind kind_of(long status, const char *body)
{
    struct bq_reply reply;
    bq_reply_parse(status, body, strlen(body), &reply);
    CHECK(reply.kind == BQ_OK || reply.message[0]);
    bq_reply_fini(&reply);
    return reply.kind;
}

#define ENVELOPE(reason, message)                                                                  \
    "{\"error\":{\"message\":\"" message "\",\"errors\":[{\"reason\":\"" reason "\"}]}}"

TEST(answers_are_classified)
{
    CHECK_INT(kind_of(200, "{}"), BQ_OK);
    CHECK_INT(kind_of(200, "{\"insertErrors\":[]}"), BQ_OK);
    CHECK_INT(kind_of(200, "{\"insertErrors\":[{}]}"), BQ_ROW_ERRORS);
    CHECK_INT(kind_of(200, "{\"insertErrors\":7}"), BQ_BACKEND);
    CHECK_INT(kind_of(200, "[]"), BQ_BACKEND);
    CHECK_INT(kind_of(400, ""), BQ_TOO_LARGE);
    CHECK_INT(kind_of(400, "<html>"), BQ_TOO_LARGE);
    CHECK_INT(kind_of(400, ENVELOPE("jobRateLimitExceeded", "x")), BQ_QUOTA);
    CHECK_INT(kind_of(400, ENVELOPE("invalid", "bad")), BQ_REFUSED);
    CHECK_INT(kind_of(403, ENVELOPE("rateLimitExceeded", "x")), BQ_QUOTA);
    CHECK_INT(kind_of(403, "<html>"), BQ_DENIED);
    CHECK_INT(kind_of(404, ENVELOPE("notFound", "Not found: Table p:d.t")), BQ_NO_TABLE);
    CHECK_INT(kind_of(404, ENVELOPE("notFound", "Table is deleted: 1:d.t")), BQ_NO_TABLE);
    CHECK_INT(kind_of(404, ENVELOPE("notFound", "Not found: Dataset p:d")), BQ_NO_DATASET);
    CHECK_INT(kind_of(404, "<html>"), BQ_REFUSED);
    CHECK_INT(kind_of(429, ""), BQ_BACKEND);
    CHECK_INT(kind_of(599, "\xff\xfe"), BQ_BACKEND);
    CHECK_INT(kind_of(302, ""), BQ_REFUSED);
}

TEST(row_errors_of_any_form_are_read)
{
    struct bq_row_error row;
    json_t *root =
        json_loads("{\"insertErrors\":[{\"errors\":[{\"reason\":\"stopped\"},{\"reason\":"
                   "\"invalid\",\"message\":\"No such field: x\"}]},{\"index\":\"3\",\"errors\":"
                   "[]},{\"index\":-1},\"nonsense\",{\"index\":2,\"errors\":[{\"reason\":"
                   "\"invalid\",\"message\":\"bad\"}]}]}",
                   0, NULL);
    CHECK(bq_reply_row(root, 0, &row));
    CHECK_INT(row.index, 0);
    CHECK_INT(row.kind, BQ_ROW_SCHEMA);
    CHECK(bq_reply_row(root, 1, &row));
    CHECK_INT(row.index, 3);
    CHECK_INT(row.kind, BQ_ROW_UNKNOWN);
    CHECK(bq_reply_row(root, 2, &row));
    CHECK(row.index == SIZE_MAX);
    CHECK(bq_reply_row(root, 3, &row));
    CHECK(bq_reply_row(root, 4, &row));
    CHECK_INT(row.kind, BQ_ROW_INVALID);
    CHECK(!bq_reply_row(root, 5, &row));
    json_decref(root);
}

TEST(the_plugin_answers_to_its_java_names)
{
    CHECK_STR(bq_plugin()->name, "bigquery-sink");
    CHECK_STR(bq_plugin()->aliases[0], "com.wepay.kafka.connect.bigquery.BigQuerySinkConnector");
    CHECK(sluice_plugins_v1()[1] == NULL);
}
