/* send.c - batches become insertAll requests, and answers become done() and reject(). See sink.h.
 *
 * A 200 is not yet success: its insertErrors are read row by row. What may pass is sent again with
 * the same insertIds, so that BigQuery drops what it had taken already. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink.h"

#define RETRY_MAX_MS 32000
#define OUTAGE_FIRST_MS 250
#define OUTAGE_MAX_MS 30000

static const char request_tail[] = "]}";

/* ---- the endpoint as a whole ---- */

/* One wait for all: while nobody answers, one request at a time knocks. */
void bq_io_failed(struct bq_sink *sink, const char *error, bool *flag)
{
    if (sink->now_ms >= sink->outage_until_ms) {
        int64_t wait = bq_backoff_ms(sink, OUTAGE_FIRST_MS, sink->outage, OUTAGE_MAX_MS);
        sink->outage++;
        sink->outage_until_ms = sink->now_ms + wait;
    }
    bq_trouble(sink, flag, "BigQuery at %s cannot be reached: %.300s; next try in %.1f s",
               sink->endpoint_name, error, (double)(sink->outage_until_ms - sink->now_ms) / 1000);
}

void bq_io_works(struct bq_sink *sink)
{
    sink->outage = 0;
    sink->outage_until_ms = 0;
}

/* ---- rows that were refused ---- */

void bq_batch_reject(struct bq_batch *batch, size_t row, const char *why)
{
    struct bq_sink *sink = batch->lane->sink;
    const struct bq_table *table = batch->lane->table;
    struct sluice_err err = {{0}};
    char text[1024];
    int id_len;
    const char *id = bq_batch_id(batch, row, &id_len);
    snprintf(text, sizeof text,
             "table: %s.%s insertion failed for the following rows: [row index %zu] %.600s "
             "(record %.*s)",
             table->dataset, table->name, row, why, id_len, id);
    if (sink->failed) return;
    if (sink->host->reject(sink->task, batch->seqs[row], text, &err) == SLUICE_OK) return;
    bq_fail(sink, "%s", err.msg[0] ? err.msg : text);
}

/* Again later with backoff, when that may still be done. limited: bigQueryRetry counts, too. */
static bool retry_later(struct bq_batch *batch, bool limited, int64_t retry_after_s)
{
    struct bq_sink *sink = batch->lane->sink;
    const struct bq_config *config = &sink->config;
    if (batch->failing_since_ms == 0) batch->failing_since_ms = sink->now_ms;
    bool allowed =
        limited && config->retries_given
            ? batch->attempts < config->retries
            : config->outage_ms < 0 || sink->now_ms - batch->failing_since_ms <= config->outage_ms;
    if (!allowed) return false;
    unsigned attempt = batch->attempts < 16 ? (unsigned)batch->attempts : 16;
    int64_t wait = bq_backoff_ms(sink, config->retry_wait_ms, attempt, RETRY_MAX_MS);
    if (wait < retry_after_s * 1000) wait = retry_after_s * 1000;
    batch->attempts++;
    batch->due_ms = sink->now_ms + wait;
    return true;
}

static void say_retry(struct bq_batch *batch, const char *what)
{
    struct bq_sink *sink = batch->lane->sink;
    bq_trouble(sink, &batch->troubled, "writing to table %s.%s: %.500s; next try in %.1f s",
               batch->lane->table->dataset, batch->lane->table->name, what,
               (double)(batch->due_ms - sink->now_ms) / 1000);
}

/* What is to become of each row of an answer with insertErrors. */
struct sorting {
    struct bq_row_error *rows; /* by row; kind as answered */
    bool *listed, *keep;
    size_t counts[BQ_ROW_UNKNOWN + 1], listed_len;
    bool sane; /* every index was one of ours */
};

static void sort_rows(const struct bq_batch *batch, const json_t *root, struct sorting *sorting)
{
    struct bq_row_error row;
    *sorting = (struct sorting){.rows = calloc(batch->len, sizeof row),
                                .listed = calloc(batch->len, sizeof(bool)),
                                .keep = calloc(batch->len, sizeof(bool)),
                                .sane = true};
    if (!sorting->rows || !sorting->listed || !sorting->keep) abort();
    for (size_t i = 0; bq_reply_row(root, i, &row); i++) {
        if (row.index >= batch->len) {
            sorting->sane = false;
            continue;
        }
        if (sorting->listed[row.index]) continue;
        sorting->rows[row.index] = row;
        sorting->listed[row.index] = true;
        sorting->counts[row.kind]++;
        sorting->listed_len++;
    }
}

static void sorting_fini(struct sorting *sorting)
{
    free(sorting->rows);
    free(sorting->listed);
    free(sorting->keep);
}

static void reject_row(struct bq_batch *batch, const struct bq_row_error *row, const char *hint)
{
    char text[600];
    size_t len;
    bq_row_error_text(row, text, sizeof text);
    len = strlen(text);
    if (hint) snprintf(text + len, sizeof text - len, "%s%s", len ? "; " : "", hint);
    bq_batch_reject(batch, row->index, text);
}

/* Forgets the rows that are done or rejected; the others are sent again. */
static void keep_rows(struct bq_batch *batch, const bool *keep)
{
    bq_batch_keep(batch, keep);
    json_decref(batch->held);
    batch->held = NULL;
    if (batch->len == 0) bq_batch_free(batch);
}

/* Rows that went in while others did not. */
static void report_done(struct bq_batch *batch, const struct sorting *sorting)
{
    const struct bq_sink *sink = batch->lane->sink;
    for (size_t i = 0; i < batch->len; i++)
        if (!sorting->listed[i]) sink->host->done(sink->task, &batch->seqs[i], 1);
}

static void settle_rows(struct bq_batch *batch, struct sorting *sorting, const char *hint)
{
    const size_t *counts = sorting->counts;
    /* With a row that does not fit the schema nothing is inserted, listed or not. */
    bool none_in = counts[BQ_ROW_INVALID] + counts[BQ_ROW_SCHEMA] + counts[BQ_ROW_STOPPED] > 0;
    bool all_failed = sorting->listed_len == batch->len;
    bool rejecting = counts[BQ_ROW_INVALID] + counts[BQ_ROW_SCHEMA] > 0 ||
                     (all_failed && counts[BQ_ROW_UNKNOWN] > 0);
    bool passing = counts[BQ_ROW_PASSING] > 0 || (!all_failed && counts[BQ_ROW_UNKNOWN] > 0);
    bool wait = passing || !rejecting;
    bool again = !wait || retry_later(batch, true, 0);
    if (!none_in) report_done(batch, sorting);
    const struct bq_row_error *shown = NULL;
    for (size_t i = 0; i < batch->len; i++) {
        if (!sorting->listed[i]) {
            sorting->keep[i] = none_in;
            continue;
        }
        enum bq_row_kind kind = sorting->rows[i].kind;
        bool rejected = kind == BQ_ROW_INVALID || kind == BQ_ROW_SCHEMA ||
                        (kind == BQ_ROW_UNKNOWN && all_failed) || (wait && !again);
        sorting->keep[i] = !rejected;
        if (rejected)
            reject_row(batch, &sorting->rows[i],
                       wait && !again          ? "no success within bigQueryRetry or outageMs"
                       : kind == BQ_ROW_SCHEMA ? hint
                                               : NULL);
        else if (!shown || kind == BQ_ROW_PASSING) shown = &sorting->rows[i];
    }
    if (wait && again && shown) {
        char text[400];
        bq_row_error_text(shown, text, sizeof text);
        say_retry(batch, text);
    }
    keep_rows(batch, sorting->keep);
}

static void on_row_errors(struct bq_batch *batch, const struct bq_reply *reply)
{
    const struct bq_config *config = &batch->lane->sink->config;
    struct sorting sorting;
    sort_rows(batch, reply->root, &sorting);
    const size_t *counts = sorting.counts;
    bool curable = counts[BQ_ROW_SCHEMA] > 0 &&
                   counts[BQ_ROW_SCHEMA] + counts[BQ_ROW_STOPPED] == sorting.listed_len &&
                   (config->new_fields || config->relax_fields) && batch->shapes_len > 0;
    if (!sorting.sane && retry_later(batch, true, 0)) {
        say_retry(batch, "BigQuery's insertErrors name rows that were not sent");
    } else if (curable) {
        json_decref(batch->held);
        batch->held = json_incref(reply->root);
        bq_table_lacks(batch->lane->table, batch);
    } else {
        settle_rows(batch, &sorting,
                    "allowNewBigQueryFields and allowBigQueryRequiredFieldRelaxation let sluice "
                    "change the table");
    }
    sorting_fini(&sorting);
}

void bq_batch_deny(struct bq_batch *batch, const char *why)
{
    struct bq_sink *sink = batch->lane->sink;
    struct sorting sorting;
    if (!batch->held) { /* the table has no schema at all */
        bq_fail(sink, "table %s.%s cannot be given a schema: %.600s", batch->lane->table->dataset,
                batch->lane->table->name, why);
        return;
    }
    json_t *held = json_incref(batch->held);
    sort_rows(batch, held, &sorting);
    settle_rows(batch, &sorting, why);
    sorting_fini(&sorting);
    json_decref(held);
}

/* ---- answers ---- */

static void succeeded(struct bq_batch *batch)
{
    struct bq_sink *sink = batch->lane->sink;
    bq_table_wrote(batch->lane->table);
    sink->host->done(sink->task, batch->seqs, batch->len);
    bq_batch_free(batch);
}

static void on_passing(struct bq_batch *batch, const struct bq_reply *reply, int64_t retry_after_s)
{
    struct bq_sink *sink = batch->lane->sink;
    const struct bq_config *config = &sink->config;
    const struct bq_table *table = batch->lane->table;
    bool limited = reply->kind == BQ_QUOTA;
    char text[500];
    snprintf(text, sizeof text, "BigQuery answered %ld %s: %.300s", reply->status, reply->reason,
             reply->message);
    if (retry_later(batch, limited, retry_after_s)) {
        say_retry(batch, text);
    } else if (limited && config->retries_given) {
        bq_fail(sink,
                "Exceeded configured %lld attempts for write request to table %s.%s: %s: "
                "raise bigQueryRetry, or the quota",
                (long long)config->retries, table->dataset, table->name, text);
    } else {
        bq_fail(sink, "no success for %lld s (outageMs) in writing to table %s.%s: %s",
                (long long)config->outage_ms / 1000, table->dataset, table->name, text);
    }
}

static void on_too_large(struct bq_batch *batch, const struct bq_reply *reply)
{
    char text[600];
    if (batch->len > 1) {
        bq_batch_halve(batch);
        return;
    }
    snprintf(text, sizeof text,
             "BigQuery answered %ld %s: %.300s: too large even after reducing batch size to 1",
             reply->status, reply->reason, reply->message);
    bq_batch_reject(batch, 0, text);
    bq_batch_free(batch);
}

static void refused(struct bq_batch *batch, const struct bq_reply *reply)
{
    struct bq_sink *sink = batch->lane->sink;
    const struct bq_table *table = batch->lane->table;
    const char *hint = "";
    char first[200];
    int id_len;
    const char *id = bq_batch_id(batch, 0, &id_len);
    snprintf(first, sizeof first, "%.*s", id_len, id);
    if (reply->kind == BQ_NO_DATASET) hint = ": create the dataset, or correct defaultDataset";
    else if (reply->kind == BQ_AUTH && !sink->token)
        hint = ": set keyfile, or keySource to APPLICATION_DEFAULT";
    else if (reply->kind == BQ_AUTH)
        hint = ": a fresh access token was refused, too; check the service account";
    else if (reply->kind == BQ_DENIED)
        hint = ": grant the service account roles/bigquery.dataEditor on the dataset";
    else if (reply->kind == BQ_NO_SCHEMA)
        hint = ": give it one, or set autoCreateTables or allowNewBigQueryFields to true";
    bq_fail(sink,
            "table: %s.%s insertion failed: BigQuery answered %ld %s: %.400s (%zu rows from "
            "record %s on)%s",
            table->dataset, table->name, reply->status, reply->reason, reply->message, batch->len,
            first, hint);
}

static void on_reply(struct bq_batch *batch, const struct bq_reply *reply, int64_t retry_after_s)
{
    struct bq_sink *sink = batch->lane->sink;
    const struct bq_config *config = &sink->config;
    switch (reply->kind) {
    case BQ_OK: succeeded(batch); return;
    case BQ_ROW_ERRORS: on_row_errors(batch, reply); return;
    case BQ_BACKEND:
    case BQ_QUOTA: on_passing(batch, reply, retry_after_s); return;
    case BQ_TOO_LARGE: on_too_large(batch, reply); return;
    case BQ_NO_TABLE: bq_table_missing(batch->lane->table, batch, reply->message); return;
    case BQ_NO_SCHEMA:
        if (batch->shapes_len == 0 || !(config->create_tables || config->new_fields)) break;
        bq_table_lacks(batch->lane->table, batch);
        return;
    case BQ_AUTH:
        if (!sink->token || batch->token_renewed) break;
        batch->token_renewed = true;
        bq_token_expire(sink->token);
        return;
    default: break;
    }
    refused(batch, reply);
}

static void on_answer(void *arg, const struct sluice_http_answer *answer)
{
    struct bq_batch *batch = arg;
    struct bq_lane *lane = batch->lane;
    struct bq_sink *sink = lane->sink;
    struct bq_reply reply;
    sink->now_ms = bq_clock_ms();
    batch->flying = false;
    batch->body.len -= sizeof request_tail - 1;
    lane->flying--;
    sink->in_flight--;
    if (answer->status != 0) bq_io_works(sink);
    if (lane->dead) {
        bq_batch_free(batch);
    } else if (answer->status == 0) {
        bq_io_failed(sink, answer->error, &batch->troubled);
    } else {
        bq_reply_parse(answer->status, answer->body, answer->len, &reply);
        on_reply(batch, &reply, answer->retry_after_s);
        bq_reply_fini(&reply);
    }
}

/* ---- requests ---- */

static bool send_batch(struct bq_batch *batch)
{
    struct bq_lane *lane = batch->lane;
    struct bq_sink *sink = lane->sink;
    const char *headers[] = {"Content-Type: application/json", NULL, NULL};
    struct sluice_err err;
    if (sink->token && !(headers[1] = bq_token_header(sink->token))) return false;
    batch->closed = true;
    sluice_out_put(&batch->body, request_tail, sizeof request_tail - 1);
    struct sluice_http_request request = {.method = "POST",
                                          .url = lane->url,
                                          .headers = headers,
                                          .body = batch->body.data,
                                          .len = batch->body.len,
                                          .gzip = sink->gzip,
                                          .done = on_answer,
                                          .arg = batch};
    if (!sluice_http_start(sink->http, &request, &err)) {
        batch->body.len -= sizeof request_tail - 1;
        bq_fail(sink, "%.900s", err.msg);
        return false;
    }
    batch->flying = true;
    lane->flying++;
    sink->in_flight++;
    return true;
}

/* The batch that is next in the lane, whether its time has come or not. */
static struct bq_batch *next_batch(const struct bq_lane *lane)
{
    struct bq_batch *batch = lane->head;
    if (lane->dead || lane->flying >= lane->sink->config.in_flight_partition_max) return NULL;
    while (batch && batch->flying) batch = batch->next;
    return batch;
}

static int64_t batch_due(const struct bq_batch *batch)
{
    int64_t full = batch->closed ? 0 : batch->opened_ms + batch->lane->sink->config.linger_ms;
    return full > batch->due_ms ? full : batch->due_ms;
}

/* While nobody answers, one request at a time finds out whether that is over. */
static bool may_send(const struct bq_sink *sink)
{
    return !sink->failed && sink->in_flight < sink->config.in_flight_max &&
           sink->now_ms >= sink->outage_until_ms &&
           (sink->outage == 0 || sluice_http_active(sink->http) == 0);
}

void bq_send_all(struct bq_sink *sink)
{
    size_t n = sink->lanes_len;
    for (size_t i = 0; i < n && may_send(sink); i++) {
        struct bq_lane *lane = sink->lanes[(sink->next_lane + i) % n];
        struct bq_batch *batch;
        while (may_send(sink) && (batch = next_batch(lane)) && batch_due(batch) <= sink->now_ms &&
               bq_table_open(lane->table))
            if (!send_batch(batch)) break;
    }
    if (n > 0) sink->next_lane = (sink->next_lane + 1) % n;
}

int64_t bq_send_due(struct bq_sink *sink)
{
    int64_t due = sink->token ? bq_token_due(sink->token) : INT64_MAX;
    if (sink->in_flight >= sink->config.in_flight_max) return due;
    if (sink->outage > 0 && sluice_http_active(sink->http) > 0) return due; /* its answer decides */
    for (size_t i = 0; i < sink->lanes_len; i++) {
        const struct bq_batch *batch = next_batch(sink->lanes[i]);
        if (!batch) continue;
        int64_t at = batch_due(batch), table = bq_table_due(sink->lanes[i]->table);
        if (at < table) at = table;
        if (at < sink->outage_until_ms) at = sink->outage_until_ms;
        if (sink->token && !bq_token_ready(sink->token)) continue;
        if (at < due) due = at;
    }
    return due;
}
