/* table.c - tables of a task: asked for, created and patched, one request at a time each, while the
 * rows for them wait. See sink.h.
 *
 * Nothing is asked about a table ahead of its rows, except how it is partitioned when rows go to
 * the partition of a day. A missing table or column shows in the answer to the rows; after a change
 * the rows are sent again after 1, 2, 4 .. 30 s, as the streaming backend learns of it late. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "sink.h"

#define SETTLE_MAX_MS 30000
#define SETTLE_TOTAL_MS (15 * 60000)
#define RETRY_MAX_MS 32000

static void on_answer(void *arg, const struct sluice_http_answer *answer);

struct bq_table *bq_table_get(struct bq_sink *sink, char *dataset, char *name)
{
    struct bq_table *table = sink->tables;
    while (table && (strcmp(table->name, name) != 0 || strcmp(table->dataset, dataset) != 0))
        table = table->next;
    if (table) {
        free(dataset);
        free(name);
        return table;
    }
    table = calloc(1, sizeof *table);
    if (!table) abort();
    struct sluice_out url = {0};
    sluice_out_text(&url, sink->config.endpoint);
    sluice_out_lit(&url, "/projects/");
    bq_url_escape(&url, sink->config.project);
    sluice_out_lit(&url, "/datasets/");
    bq_url_escape(&url, dataset);
    sluice_out_lit(&url, "/tables/");
    bq_url_escape(&url, name);
    sluice_out_terminate(&url);
    *table = (struct bq_table){
        .next = sink->tables, .sink = sink, .dataset = dataset, .name = name, .url = url.data};
    if (sink->config.decorator) table->state = BQ_TABLE_CHECK;
    sink->tables = table;
    return table;
}

static void set_body(struct bq_table *table, char *body)
{
    free(table->body);
    table->body = body;
}

void bq_tables_free(struct bq_sink *sink)
{
    while (sink->tables) {
        struct bq_table *table = sink->tables;
        sink->tables = table->next;
        free(table->body);
        free(table->etag);
        free(table->dataset);
        free(table->name);
        free(table->url);
        free(table);
    }
}

static void enter(struct bq_table *table, enum bq_table_state state)
{
    table->state = state;
    table->attempts = 0;
    table->failing_since_ms = 0;
    table->until_ms = 0;
    table->token_renewed = false;
}

/* The rows wait, longer each time, until the change has reached those who take rows. */
static void settle(struct bq_table *table)
{
    struct bq_sink *sink = table->sink;
    int64_t wait = sink->config.settle_ms << (table->settles < 16 ? table->settles : 16);
    if (wait > SETTLE_MAX_MS) wait = SETTLE_MAX_MS;
    enter(table, BQ_TABLE_SETTLE);
    table->settles++;
    table->until_ms = sink->now_ms + wait;
    table->cause = NULL;
    set_body(table, NULL);
}

static bool changed_long_ago(const struct bq_table *table)
{
    return table->sink->now_ms - table->changed_ms > SETTLE_TOTAL_MS;
}

/* ---- requests ---- */

static void send_request(struct bq_table *table)
{
    struct bq_sink *sink = table->sink;
    const char *headers[5], **header = headers;
    char if_match[256];
    struct sluice_out url = {0};
    const char *method = table->state == BQ_TABLE_CREATE  ? "POST"
                         : table->state == BQ_TABLE_PATCH ? "PATCH"
                                                          : "GET";
    if (sink->token) {
        const char *token = bq_token_header(sink->token);
        if (!token) return;
        *header++ = token;
    }
    if (table->body) *header++ = "Content-Type: application/json";
    if (table->state == BQ_TABLE_PATCH && table->etag) {
        snprintf(if_match, sizeof if_match, "If-Match: %s", table->etag);
        *header++ = if_match;
    }
    *header = NULL;
    sluice_out_text(&url, table->url);
    if (table->state == BQ_TABLE_CREATE) url.len = (size_t)(strrchr(table->url, '/') - table->url);
    sluice_out_lit(&url, "?prettyPrint=false");
    sluice_out_terminate(&url);
    bool bodied = method[0] == 'P';
    struct sluice_http_request request = {.method = method,
                                          .url = url.data,
                                          .headers = headers,
                                          .done = on_answer,
                                          .arg = table,
                                          .body = bodied ? table->body : NULL,
                                          .len = bodied ? strlen(table->body) : 0};
    struct sluice_err err;
    table->flying = sluice_http_start(sink->http, &request, &err);
    if (!table->flying) bq_fail(sink, "%.900s", err.msg);
    sluice_out_fini(&url);
}

bool bq_table_open(struct bq_table *table)
{
    const struct bq_sink *sink = table->sink;
    if (table->flying || sink->now_ms < table->until_ms) return false;
    if (table->state == BQ_TABLE_READY) return true;
    if (table->state == BQ_TABLE_SETTLE) {
        enter(table, BQ_TABLE_READY);
        return true;
    }
    if (sink->now_ms >= sink->outage_until_ms) send_request(table);
    return false;
}

int64_t bq_table_due(const struct bq_table *table)
{
    return table->flying ? INT64_MAX : table->until_ms;
}

/* ---- what sets it off ---- */

static const char *table_doc(const struct bq_batch *batch)
{
    for (size_t i = batch->shapes_len; i-- > 0;)
        if (batch->shapes[i]->value_schema->doc) return batch->shapes[i]->value_schema->doc;
    return NULL;
}

static json_t *partitioning(const struct bq_config *config)
{
    static const char *const types[] = {NULL, "HOUR", "DAY", "MONTH", "YEAR"};
    json_t *part = json_pack("{s:s}", "type", types[config->partitioning]);
    if (config->partition_field)
        json_object_set_new(part, "field", json_string(config->partition_field));
    if (config->partition_expiration_ms > 0)
        json_object_set_new(part, "expirationMs",
                            json_sprintf("%lld", (long long)config->partition_expiration_ms));
    return part;
}

static char *create_body(const struct bq_table *table, const struct bq_batch *batch,
                         struct sluice_err *err)
{
    const struct bq_config *config = &table->sink->config;
    json_t *fields = bq_fields_new(batch, err);
    if (!fields) return NULL;
    json_t *root =
        json_pack("{s:{s:s, s:s, s:s}, s:{s:o}}", "tableReference", "projectId", config->project,
                  "datasetId", table->dataset, "tableId", table->name, "schema", "fields", fields);
    if (!root) abort();
    if (config->partitioning != BQ_PART_NONE)
        json_object_set_new(root, "timePartitioning", partitioning(config));
    if (config->partition_field && config->clustering[0]) {
        json_t *columns = json_array();
        for (size_t i = 0; config->clustering[i]; i++)
            json_array_append_new(columns, json_string(config->clustering[i]));
        json_object_set_new(root, "clustering", json_pack("{s:o}", "fields", columns));
    }
    if (table_doc(batch)) json_object_set_new(root, "description", json_string(table_doc(batch)));
    char *body = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (!body) abort();
    return body;
}

static void warn_of_floats(const struct bq_table *table, const struct bq_batch *batch)
{
    const struct bq_sink *sink = table->sink;
    for (size_t i = 0; i < batch->shapes_len; i++) {
        if (!batch->shapes[i]->lossy) continue;
        sink->host->log(sink->task, SLUICE_WARN,
                        "table %s.%s gets FLOAT columns for decimals, which keep 15 to 17 digits; "
                        "set decimalHandlingMode to NUMERIC or BIGNUMERIC to keep all",
                        table->dataset, table->name);
        return;
    }
}

static void start_create(struct bq_table *table, struct bq_batch *cause, const char *said)
{
    struct bq_sink *sink = table->sink;
    struct sluice_err err;
    if (!sink->config.create_tables) {
        bq_fail(sink,
                "table %s.%s does not exist (%.200s) and autoCreateTables is false: create "
                "the table, or set autoCreateTables to true",
                table->dataset, table->name, said);
    } else if (cause->shapes_len == 0) {
        bq_fail(sink,
                "table %s.%s does not exist and cannot be created, as the records of topic "
                "%s have no schema: create the table, or use a converter with schemas",
                table->dataset, table->name, cause->lane->topic);
    } else {
        set_body(table, create_body(table, cause, &err));
        if (!table->body) {
            bq_fail(sink, "table %s.%s cannot be created: %.600s", table->dataset, table->name,
                    err.msg);
            return;
        }
        warn_of_floats(table, cause);
        table->cause = cause;
        enter(table, BQ_TABLE_CREATE);
    }
}

void bq_table_missing(struct bq_table *table, struct bq_batch *cause, const char *said)
{
    struct bq_sink *sink = table->sink;
    if (table->state != BQ_TABLE_READY) return; /* another lane's rows found out before */
    if (table->changed_ms == 0) {
        start_create(table, cause, said);
        return;
    }
    if (changed_long_ago(table)) {
        bq_fail(sink, "table %s.%s was created %d minutes ago, but rows are still refused: %.200s",
                table->dataset, table->name, SETTLE_TOTAL_MS / 60000, said);
        return;
    }
    settle(table);
    bq_trouble(sink, &table->troubled,
               "table %s.%s exists, but rows are still refused (%.200s); next try in %.1f s%s",
               table->dataset, table->name, said, (double)(table->until_ms - sink->now_ms) / 1000,
               sink->config.decorator
                   ? "; emulators know no partition decorators: set bigQueryPartitionDecorator to "
                     "false for them"
                   : "");
}

void bq_table_lacks(struct bq_table *table, struct bq_batch *cause)
{
    if (table->state != BQ_TABLE_READY) return;
    table->cause = cause;
    enter(table, BQ_TABLE_READ);
}

void bq_table_wrote(struct bq_table *table)
{
    table->changed_ms = 0;
    table->settles = 0;
    bq_well(table->sink, &table->troubled);
}

/* ---- answers ---- */

/* By hour, month or year: the decorator of a day would be misread. */
static void checked(struct bq_table *table, const json_t *resource)
{
    const char *type =
        json_string_value(json_object_get(json_object_get(resource, "timePartitioning"), "type"));
    enter(table, BQ_TABLE_READY);
    if (!type || strcmp(type, "DAY") == 0) return;
    bq_fail(table->sink,
            "Cannot use decorator syntax to write to %s.%s, as it is partitioned by %s and not by "
            "day: set bigQueryPartitionDecorator to false",
            table->dataset, table->name, type);
}

static void read_schema(struct bq_table *table, const json_t *resource)
{
    struct bq_sink *sink = table->sink;
    struct sluice_err err;
    bool changed = false;
    const json_t *existing = json_object_get(json_object_get(resource, "schema"), "fields");
    const char *etag = json_string_value(json_object_get(resource, "etag"));
    free(table->etag);
    table->etag =
        etag && strlen(etag) < 200 && !strpbrk(etag, "\r\n") ? bq_strdup(etag, strlen(etag)) : NULL;
    if (!table->cause) { /* its rows were dropped meanwhile */
        enter(table, BQ_TABLE_READY);
        return;
    }
    json_t *fields = bq_fields_update(table->cause, existing, &changed, &err);
    if (!fields) {
        struct bq_batch *cause = table->cause;
        table->cause = NULL;
        enter(table, BQ_TABLE_READY);
        bq_batch_deny(cause, err.msg);
        return;
    }
    if (!changed) {
        json_decref(fields);
        if (table->changed_ms == 0) table->changed_ms = sink->now_ms; /* by somebody else */
        if (changed_long_ago(table)) {
            struct bq_batch *cause = table->cause;
            table->cause = NULL;
            enter(table, BQ_TABLE_READY);
            bq_batch_deny(cause, "the table has had all columns for 15 minutes");
            return;
        }
        settle(table);
        return;
    }
    warn_of_floats(table, table->cause);
    json_t *root = json_pack("{s:{s:o}}", "schema", "fields", fields);
    char *body = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (!body) abort();
    set_body(table, body);
    enter(table, BQ_TABLE_PATCH);
}

static void changed(struct bq_table *table, const char *how)
{
    struct bq_sink *sink = table->sink;
    sink->host->log(sink->task, SLUICE_INFO, "%s table %s.%s", how, table->dataset, table->name);
    table->changed_ms = sink->now_ms;
    table->settles = 0;
    settle(table);
}

static void succeeded(struct bq_table *table, const struct bq_reply *reply)
{
    bq_well(table->sink, &table->troubled);
    switch (table->state) {
    case BQ_TABLE_CHECK: checked(table, reply->root); return;
    case BQ_TABLE_CREATE: changed(table, "created"); return;
    case BQ_TABLE_READ: read_schema(table, reply->root); return;
    case BQ_TABLE_PATCH: changed(table, "added columns to, or relaxed columns of,"); return;
    default: assert(!"no request is under way in this state");
    }
}

static const char *doing(const struct bq_table *table)
{
    return table->state == BQ_TABLE_CREATE  ? "creating"
           : table->state == BQ_TABLE_PATCH ? "patching"
                                            : "reading";
}

/* Sends the same again after a while; false: for too long already. */
static bool again(struct bq_table *table, const struct bq_reply *reply, int64_t retry_after_s)
{
    struct bq_sink *sink = table->sink;
    if (table->failing_since_ms == 0) table->failing_since_ms = sink->now_ms;
    if (sink->config.outage_ms >= 0 &&
        sink->now_ms - table->failing_since_ms > sink->config.outage_ms)
        return false;
    int64_t wait = bq_backoff_ms(sink, sink->config.retry_wait_ms, table->attempts++, RETRY_MAX_MS);
    if (wait < retry_after_s * 1000) wait = retry_after_s * 1000;
    table->until_ms = sink->now_ms + wait;
    bq_trouble(sink, &table->troubled,
               "%s table %s.%s: BigQuery answered %ld %s: %.300s; next try "
               "in %.1f s",
               doing(table), table->dataset, table->name, reply->status, reply->reason,
               reply->message, (double)wait / 1000);
    return true;
}

static void refused(struct bq_table *table, const struct bq_reply *reply)
{
    const char *hint = "";
    if (reply->kind == BQ_NO_DATASET) hint = ": create the dataset, or correct defaultDataset";
    else if (reply->kind == BQ_DENIED || reply->kind == BQ_AUTH)
        hint = ": grant the service account roles/bigquery.dataEditor on the dataset";
    bq_fail(table->sink, "%s table %s.%s.%s failed: BigQuery answered %ld %s: %.400s%s",
            doing(table), table->sink->config.project, table->dataset, table->name, reply->status,
            reply->reason, reply->message, hint);
}

static void failed(struct bq_table *table, const struct bq_reply *reply, int64_t retry_after_s)
{
    struct bq_sink *sink = table->sink;
    switch (reply->kind) {
    case BQ_BACKEND:
    case BQ_QUOTA:
        if (again(table, reply, retry_after_s)) return;
        break;
    case BQ_AUTH:
        if (!sink->token || table->token_renewed) break;
        table->token_renewed = true;
        bq_token_expire(sink->token);
        return;
    case BQ_DUPLICATE: /* another task was faster */
        if (table->state != BQ_TABLE_CREATE) break;
        changed(table, "found");
        return;
    case BQ_CHANGED:
        if (table->state != BQ_TABLE_PATCH) break;
        enter(table, BQ_TABLE_READ);
        return;
    case BQ_NO_TABLE:
        if (table->state == BQ_TABLE_CREATE) break;
        enter(table, BQ_TABLE_READY); /* the rows will tell */
        return;
    case BQ_DENIED: /* who may only write rows cannot be asked about partitions */
        if (table->state != BQ_TABLE_CHECK) break;
        enter(table, BQ_TABLE_READY);
        return;
    default: break;
    }
    refused(table, reply);
}

static void on_answer(void *arg, const struct sluice_http_answer *answer)
{
    struct bq_table *table = arg;
    struct bq_sink *sink = table->sink;
    struct bq_reply reply;
    sink->now_ms = bq_clock_ms();
    table->flying = false;
    if (answer->status == 0) {
        bq_io_failed(sink, answer->error, &table->troubled);
        return;
    }
    bq_io_works(sink);
    bq_reply_parse(answer->status, answer->body, answer->len, &reply);
    if (reply.kind == BQ_OK) succeeded(table, &reply);
    else failed(table, &reply, answer->retry_after_s);
    bq_reply_fini(&reply);
}
