/* sink.c - the callbacks of a task: records in, verdicts out. See sink.h for the parts. */
#include "sink.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "names.h"
#include "text.h"

#define SHAPES_MAX 512 /* more are fine, but then unused ones go */
#define ANSWER_MAX_BYTES (16u << 20)
#define CONNECT_TIMEOUT_MS 10000
#define DAY_MS INT64_C(86400000)

static int64_t clock_of(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t bq_clock_ms(void) { return clock_of(CLOCK_MONOTONIC); }

void bq_fail(struct bq_sink *sink, const char *fmt, ...)
{
    va_list ap;
    if (sink->failed) return; /* the first reason is the one to know */
    sink->failed = true;
    va_start(ap, fmt);
    vsnprintf(sink->err.msg, sizeof sink->err.msg, fmt, ap);
    va_end(ap);
}

void bq_trouble(struct bq_sink *sink, bool *flag, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    if (!*flag) sink->troubles++;
    *flag = true;
    /* Ten requests that fail together are one trouble. */
    if (sink->troubles > 1 && sink->now_ms - sink->trouble_said_ms < 500) return;
    sink->trouble_said_ms = sink->now_ms;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    sink->host->trouble(sink->task, text);
}

void bq_well(struct bq_sink *sink, bool *flag)
{
    if (!*flag) return;
    *flag = false;
    assert(sink->troubles > 0);
    if (--sink->troubles == 0) sink->host->trouble(sink->task, NULL);
}

static uint64_t next_random(struct bq_sink *sink)
{
    sink->random ^= sink->random << 13;
    sink->random ^= sink->random >> 7;
    sink->random ^= sink->random << 17;
    return sink->random;
}

int64_t bq_backoff_ms(struct bq_sink *sink, int64_t base_ms, unsigned attempt, int64_t cap_ms)
{
    int64_t wait = base_ms;
    for (; attempt > 0 && wait < cap_ms; attempt--) wait *= 2;
    if (wait > cap_ms) wait = cap_ms > base_ms ? cap_ms : base_ms;
    uint64_t chance = wait < 999 ? (uint64_t)wait : 999;
    return wait + (int64_t)(next_random(sink) % (chance + 1));
}

/* ---- put ---- */

static void prune_shapes(struct bq_sink *sink)
{
    struct bq_shape **at = &sink->shapes;
    sink->last_shape = NULL;
    while (*at) {
        struct bq_shape *shape = *at;
        if (shape->refs > 0) {
            at = &shape->next;
            continue;
        }
        *at = shape->next;
        bq_shape_free(shape, sink->host);
        sink->shapes_len--;
    }
}

/* NULL for a record without schema. */
static struct bq_shape *shape_of(struct bq_sink *sink, const struct sluice_record *rec)
{
    const struct sluice_schema *value = rec->value_schema;
    const struct sluice_schema *key = sink->config.key_field ? rec->key_schema : NULL;
    struct bq_shape *shape = sink->last_shape;
    if (!value) return NULL;
    if (shape && shape->value_schema == value && shape->key_schema == key) return shape;
    for (shape = sink->shapes; shape; shape = shape->next)
        if (shape->value_schema == value && shape->key_schema == key) break;
    if (!shape) {
        if (sink->shapes_len >= SHAPES_MAX) prune_shapes(sink);
        shape = bq_shape_new(&sink->config, sink->host, value, key);
        shape->next = sink->shapes;
        sink->shapes = shape;
        sink->shapes_len++;
    }
    sink->last_shape = shape;
    return shape;
}

static bool put_key(struct bq_encoder *enc, const struct bq_shape *shape,
                    const struct sluice_record *rec)
{
    const char *name = enc->config->key_field;
    const struct bq_node *node = shape && shape->key_schema ? &shape->key : NULL;
    if (rec->key.type == SLUICE_NULL) return true;
    if (node && node->children_len == 0) return true;
    sluice_out_char(enc->out, ',');
    sluice_out_string(enc->out, name, strlen(name));
    sluice_out_char(enc->out, ':');
    size_t start = enc->out->len;
    if (!bq_encode_columns(enc, node, &rec->key)) {
        struct sluice_err why = *enc->err;
        snprintf(enc->err->msg, sizeof enc->err->msg, "record key: %.900s", why.msg);
        return false;
    }
    bq_close_record(enc->out, start);
    return true;
}

/* ,{"insertId":"t-0-5","json":{...}} */
static bool put_row(struct bq_batch *batch, const struct bq_shape *shape,
                    const struct sluice_record *rec, struct sluice_err *err)
{
    const struct bq_lane *lane = batch->lane;
    const struct bq_sink *sink = lane->sink;
    struct sluice_out *out = &batch->body;
    struct bq_encoder enc = {.out = out, .config = &sink->config, .err = err};
    sluice_out_put(out, lane->row_head.data, lane->row_head.len);
    sluice_out_int(out, rec->offset);
    sluice_out_lit(out, "\",\"json\":");
    size_t start = out->len;
    if (!bq_encode_columns(&enc, shape ? &shape->value : NULL, &rec->value)) return false;
    if (lane->data_head.len > 0) {
        sluice_out_put(out, lane->data_head.data, lane->data_head.len);
        sluice_out_int(out, rec->offset);
        sluice_out_lit(out, "\",\"insertTime\":\"");
        sluice_out_text(out, sink->now_text);
        sluice_out_lit(out, "\"}");
    }
    if (sink->config.key_field && !put_key(&enc, shape, rec)) return false;
    bq_close_record(out, start);
    sluice_out_char(out, '}');
    return true;
}

static void refuse(struct bq_sink *sink, const struct sluice_record *rec, const char *why)
{
    struct sluice_err err = {{0}};
    char text[1200];
    snprintf(text, sizeof text, "record %s-%d-%lld cannot be written: %.900s", rec->topic,
             (int)rec->partition, (long long)rec->offset, why);
    if (sink->host->reject(sink->task, rec->seq, text, &err) != SLUICE_OK)
        bq_fail(sink, "%s", err.msg[0] ? err.msg : text);
}

/* Keeps the new last row of the batch within the limits of a request. */
static void close_full(struct bq_batch *batch)
{
    const struct bq_config *config = &batch->lane->sink->config;
    if (batch->body.len > config->request_max_bytes && batch->len > 1) {
        bq_batch_move_last(batch);
        batch = batch->next;
    }
    if (batch->len >= config->rows_max || batch->body.len >= config->request_max_bytes)
        batch->closed = true;
}

static bool day_of(const struct bq_sink *sink, const struct sluice_record *rec, int64_t *day,
                   struct sluice_err *err)
{
    const struct bq_config *config = &sink->config;
    *day = config->decorator ? sink->today : BQ_NO_DAY;
    if (!config->decorator || !config->message_time) return true;
    if (rec->timestamp_ms == SLUICE_NO_TIMESTAMP || rec->timestamp_ms < 0) {
        snprintf(err->msg, sizeof err->msg,
                 "it has no timestamp, and bigQueryMessageTimePartitioning takes the partition "
                 "from it: set that to false");
        return false;
    }
    *day = bq_floor_div(rec->timestamp_ms, DAY_MS);
    return true;
}

static void take(struct bq_sink *sink, const struct sluice_record *rec)
{
    struct sluice_err err;
    int64_t day;
    if (rec->value.type == SLUICE_NULL) { /* a tombstone: nothing to append */
        sink->host->done(sink->task, &rec->seq, 1);
        return;
    }
    struct bq_shape *shape = shape_of(sink, rec);
    if (shape && shape->error) {
        refuse(sink, rec, shape->error);
        return;
    }
    struct bq_lane *lane = NULL;
    if (day_of(sink, rec, &day, &err)) lane = bq_lane_get(sink, rec, day, &err);
    if (!lane) {
        refuse(sink, rec, err.msg);
        return;
    }
    struct bq_batch *batch = bq_batch_open(lane);
    size_t start = batch->body.len;
    bool ok = put_row(batch, shape, rec, &err);
    if (ok && batch->body.len - start > BQ_ROW_MAX_BYTES) {
        snprintf(err.msg, sizeof err.msg,
                 "its row has %zu bytes, and Request payload size exceeds the limit of %u bytes "
                 "even after reducing batch size to 1",
                 batch->body.len - start, BQ_ROW_MAX_BYTES);
        ok = false;
    }
    if (ok) {
        bq_batch_add(batch, rec->seq, start, shape);
        close_full(batch);
        return;
    }
    batch->body.len = start;
    if (batch->len == 0) bq_batch_free(batch);
    refuse(sink, rec, err.msg);
}

/* What waits for more rows goes now. */
static void close_open(struct bq_sink *sink)
{
    for (size_t i = 0; i < sink->lanes_len; i++)
        if (sink->lanes[i]->tail) sink->lanes[i]->tail->closed = true;
}

/* Full by bytes, or by queueSize, which ends at its half as in the Java sinks. */
static bool is_full(struct bq_sink *sink)
{
    int64_t max = sink->config.queue_max_batches, n = (int64_t)sink->batches;
    if (max >= 0) sink->throttled = n > max || (sink->throttled && n > max / 2);
    return sink->throttled || sink->bytes >= sink->config.queue_max_bytes;
}

static enum sluice_verdict verdict(const struct bq_sink *sink, enum sluice_verdict otherwise,
                                   struct sluice_err *err)
{
    if (!sink->failed) return otherwise;
    *err = sink->err;
    return SLUICE_FAIL;
}

enum sluice_verdict bq_put(void *self, const struct sluice_record *recs, size_t n,
                           struct sluice_err *err)
{
    struct bq_sink *sink = self;
    struct sluice_out text = {0};
    if (sink->failed) return verdict(sink, SLUICE_FAIL, err);
    sink->now_ms = bq_clock_ms();
    if (n > 0 && is_full(sink)) {
        close_open(sink);
        return SLUICE_RETRY;
    }
    int64_t now = clock_of(CLOCK_REALTIME);
    sink->today = bq_floor_div(now, DAY_MS);
    bq_text_timestamp_ms(&text, now);
    snprintf(sink->now_text, sizeof sink->now_text, "%.*s", (int)text.len, text.data);
    sluice_out_fini(&text);
    for (size_t i = 0; i < n && !sink->failed; i++) take(sink, &recs[i]);
    return verdict(sink, SLUICE_OK, err);
}

/* ---- work, flush, drop ---- */

enum sluice_verdict bq_work(void *self, int wait_ms, struct sluice_err *err)
{
    struct bq_sink *sink = self;
    sink->now_ms = bq_clock_ms();
    bq_send_all(sink);
    int64_t due = bq_send_due(sink) - sink->now_ms;
    int wait = due >= wait_ms ? wait_ms : due > 0 ? (int)due : 0;
    if (sink->failed) return verdict(sink, SLUICE_FAIL, err);
    if (!sluice_http_run(sink->http, wait, sink->host->wake_fd(sink->task), err))
        return SLUICE_FAIL;
    sink->now_ms = bq_clock_ms();
    bq_send_all(sink); /* what the answers made room for */
    bq_lanes_prune(sink);
    if (!sluice_http_run(sink->http, 0, -1, err)) return SLUICE_FAIL;
    return verdict(sink, SLUICE_OK, err);
}

enum sluice_verdict bq_flush(void *self, struct sluice_err *err)
{
    struct bq_sink *sink = self;
    close_open(sink);
    return verdict(sink, sink->batches == 0 ? SLUICE_OK : SLUICE_RETRY, err);
}

void bq_drop(void *self, const char *topic, int32_t partition)
{
    struct bq_sink *sink = self;
    for (size_t i = sink->lanes_len; i-- > 0;) {
        struct bq_lane *lane = sink->lanes[i];
        if (lane->partition == partition && strcmp(lane->origin, topic) == 0) bq_lane_drop(lane);
    }
}

/* ---- open, close ---- */

static char *server_of(const char *endpoint)
{
    const char *host = strstr(endpoint, "://");
    host = host ? host + 3 : endpoint;
    return bq_strdup(endpoint, (size_t)(host - endpoint) + strcspn(host, "/"));
}

enum sluice_verdict bq_open(struct sluice_task *task, const struct sluice_host *host,
                            const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    struct bq_sink *sink = calloc(1, sizeof *sink);
    if (!sink) abort();
    *self = sink;
    sink->task = task;
    sink->host = host;
    if (getrandom(&sink->random, sizeof sink->random, 0) < 0 || sink->random == 0)
        sink->random = (uint64_t)bq_clock_ms() | 1;
    if (!bq_config_init(&sink->config, host, conf, err)) return SLUICE_FAIL;
    const struct bq_config *config = &sink->config;
    sink->endpoint_name = server_of(config->endpoint);
    sink->gzip =
        config->compression == BQ_COMPRESS_GZIP ||
        (config->compression == BQ_COMPRESS_AUTO && strncmp(config->endpoint, "https:", 6) == 0);
    struct sluice_http_options options = {
        .user_agent = "sluice/" BQ_VERSION " (bigquery-sink; gzip)",
        .connections = config->in_flight_max + 2,
        .timeout_ms = (long)config->request_timeout_ms,
        .connect_timeout_ms = config->request_timeout_ms < CONNECT_TIMEOUT_MS
                                  ? (long)config->request_timeout_ms
                                  : CONNECT_TIMEOUT_MS,
        .answer_max_bytes = ANSWER_MAX_BYTES};
    sink->http = sluice_http_new(&options, err);
    if (!sink->http) return SLUICE_FAIL;
    if (config->keyfile || config->key_source == BQ_KEY_DEFAULT) {
        sink->token = bq_token_new(sink, err);
        if (!sink->token) return SLUICE_FAIL;
    } else if (!config->endpoint_given) {
        snprintf(err->msg, sizeof err->msg,
                 "no credentials for %s: set keyfile to a service account's key, or keySource to "
                 "APPLICATION_DEFAULT",
                 sink->endpoint_name);
        return SLUICE_FAIL;
    }
    host->log(task, SLUICE_INFO, "writing to project %s at %s %s credentials", config->project,
              sink->endpoint_name, sink->token ? "with" : "without");
    return SLUICE_OK;
}

void bq_close(void *self)
{
    struct bq_sink *sink = self;
    if (!sink) return;
    sluice_http_free(sink->http); /* first: requests borrow from batches */
    bq_lanes_free(sink);
    bq_tables_free(sink);
    bq_token_free(sink->token);
    while (sink->shapes) {
        struct bq_shape *next = sink->shapes->next;
        bq_shape_free(sink->shapes, sink->host);
        sink->shapes = next;
    }
    bq_config_fini(&sink->config);
    free(sink->endpoint_name);
    free(sink);
}
