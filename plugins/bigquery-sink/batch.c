/* batch.c - lanes and their batches: rows in the order in which they will be sent. See sink.h. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "sink.h"
#include "text.h"

#define SPARE_MAX 16
#define SPARE_BYTES_MAX (1u << 20)
#define LANES_MAX 1024 /* more are fine, but then empty ones go */

static const char request_head[] = "{\"kind\":\"bigquery#tableDataInsertAllRequest\",\"rows\":";
static const char request_head_ignoring[] = "{\"kind\":\"bigquery#tableDataInsertAllRequest\","
                                            "\"ignoreUnknownValues\":true,\"rows\":";

/* ---- lanes ---- */

static size_t bucket_of(const char *topic, int32_t partition, int64_t day)
{
    uint64_t hash = 0xcbf29ce484222325u ^ (uint32_t)partition ^ (uint64_t)day << 32;
    for (; *topic; topic++) hash = (hash ^ (unsigned char)*topic) * 0x100000001b3u;
    return (hash ^ hash >> 32) % BQ_LANE_BUCKETS;
}

static char *insert_url(const struct bq_lane *lane)
{
    struct sluice_out url = {0};
    sluice_out_text(&url, lane->table->url);
    if (lane->day != BQ_NO_DAY) {
        sluice_out_lit(&url, "%24");
        bq_text_day(&url, lane->day);
    }
    sluice_out_lit(&url, "/insertAll?prettyPrint=false");
    sluice_out_terminate(&url);
    return url.data;
}

/* What every row of the lane begins with, so that a row costs two copies and an offset. */
static void prepare_heads(struct bq_lane *lane)
{
    const struct bq_config *config = &lane->sink->config;
    const char *topic = config->preserve_origin ? lane->origin : lane->topic;
    sluice_out_lit(&lane->row_head, ",{\"insertId\":\"");
    bq_insert_id_prefix(&lane->row_head, lane->origin, lane->partition);
    if (!config->data_field) return;
    sluice_out_char(&lane->data_head, ',');
    sluice_out_string(&lane->data_head, config->data_field, strlen(config->data_field));
    sluice_out_lit(&lane->data_head, ":{\"topic\":");
    sluice_out_string(&lane->data_head, topic, strlen(topic));
    sluice_out_lit(&lane->data_head, ",\"partition\":");
    sluice_out_int(&lane->data_head, lane->partition);
    sluice_out_lit(&lane->data_head, ",\"offset\":\"");
}

static struct bq_lane *lane_new(struct bq_sink *sink, const char *topic, const char *origin,
                                int32_t partition, int64_t day, struct sluice_err *err)
{
    char *dataset, *name;
    if (!bq_table_name(&sink->config, topic, &dataset, &name, err)) return NULL;
    struct bq_lane *lane = calloc(1, sizeof *lane);
    if (!lane) abort();
    lane->sink = sink;
    lane->table = bq_table_get(sink, dataset, name);
    lane->topic = bq_strdup(topic, strlen(topic));
    lane->origin = bq_strdup(origin, strlen(origin));
    lane->partition = partition;
    lane->day = day;
    lane->url = insert_url(lane);
    prepare_heads(lane);
    if (sink->lanes_len == sink->lanes_cap) {
        sink->lanes_cap = sink->lanes_cap ? sink->lanes_cap * 2 : 16;
        sink->lanes = realloc(sink->lanes, sink->lanes_cap * sizeof *sink->lanes);
        if (!sink->lanes) abort();
    }
    sink->lanes[sink->lanes_len++] = lane;
    size_t bucket = bucket_of(origin, partition, day);
    lane->chain = sink->buckets[bucket];
    sink->buckets[bucket] = lane;
    return lane;
}

static bool lane_is(const struct bq_lane *lane, const char *topic, const char *origin,
                    int32_t partition, int64_t day)
{
    return lane->partition == partition && lane->day == day && !lane->dead &&
           strcmp(lane->origin, origin) == 0 && strcmp(lane->topic, topic) == 0;
}

struct bq_lane *bq_lane_get(struct bq_sink *sink, const struct sluice_record *rec, int64_t day,
                            struct sluice_err *err)
{
    const char *origin = rec->origin_topic ? rec->origin_topic : rec->topic;
    int32_t partition = rec->origin_topic ? rec->origin_partition : rec->partition;
    struct bq_lane *lane = sink->last_lane;
    if (lane && lane_is(lane, rec->topic, origin, partition, day)) return lane;
    lane = sink->buckets[bucket_of(origin, partition, day)];
    while (lane && !lane_is(lane, rec->topic, origin, partition, day)) lane = lane->chain;
    if (!lane) lane = lane_new(sink, rec->topic, origin, partition, day, err);
    sink->last_lane = lane;
    return lane;
}

static void lane_free(struct bq_lane *lane)
{
    struct bq_sink *sink = lane->sink;
    struct bq_lane **at = &sink->buckets[bucket_of(lane->origin, lane->partition, lane->day)];
    while (*at != lane) at = &(*at)->chain;
    *at = lane->chain;
    for (size_t i = 0; i < sink->lanes_len; i++) {
        if (sink->lanes[i] != lane) continue;
        sink->lanes[i] = sink->lanes[--sink->lanes_len];
        break;
    }
    if (sink->last_lane == lane) sink->last_lane = NULL;
    sluice_out_fini(&lane->row_head);
    sluice_out_fini(&lane->data_head);
    free(lane->topic);
    free(lane->origin);
    free(lane->url);
    free(lane);
}

/* A request that is under way cannot be called back: its batch stays until the answer is there. */
void bq_lane_drop(struct bq_lane *lane)
{
    if (lane->sink->last_lane == lane) lane->sink->last_lane = NULL;
    for (struct bq_batch *batch = lane->head, *next; batch; batch = next) {
        next = batch->next;
        if (!batch->flying) bq_batch_free(batch);
    }
    lane->dead = true;
    if (!lane->head) lane_free(lane);
}

void bq_lanes_prune(struct bq_sink *sink)
{
    if (sink->lanes_len <= LANES_MAX) return;
    for (size_t i = sink->lanes_len; i-- > 0;)
        if (!sink->lanes[i]->head) lane_free(sink->lanes[i]);
}

static void batch_destroy(struct bq_batch *batch)
{
    sluice_out_fini(&batch->body);
    free(batch->seqs);
    free(batch->starts);
    free(batch->shapes);
    free(batch);
}

void bq_lanes_free(struct bq_sink *sink)
{
    while (sink->lanes_len > 0) {
        struct bq_lane *lane = sink->lanes[sink->lanes_len - 1];
        lane->dead = false; /* freed below, not with its last batch */
        while (lane->head) {
            lane->head->flying = false;
            bq_batch_free(lane->head);
        }
        lane_free(lane);
    }
    free(sink->lanes);
    sink->lanes = NULL;
    while (sink->spare) {
        struct bq_batch *next = sink->spare->next;
        batch_destroy(sink->spare);
        sink->spare = next;
    }
}

/* ---- batches ---- */

static struct bq_batch *batch_new(struct bq_lane *lane)
{
    struct bq_sink *sink = lane->sink;
    struct bq_batch *batch = sink->spare;
    if (batch) {
        sink->spare = batch->next;
        sink->spare_len--;
        batch->next = NULL;
    } else {
        batch = calloc(1, sizeof *batch);
        if (!batch) abort();
    }
    batch->lane = lane;
    batch->opened_ms = sink->now_ms;
    if (sink->config.ignore_unknown) sluice_out_text(&batch->body, request_head_ignoring);
    else sluice_out_text(&batch->body, request_head);
    sink->batches++;
    return batch;
}

static void insert_behind(struct bq_lane *lane, struct bq_batch *before, struct bq_batch *batch)
{
    struct bq_batch **at = before ? &before->next : &lane->head;
    batch->next = *at;
    *at = batch;
    if (lane->tail == before) lane->tail = batch;
}

struct bq_batch *bq_batch_open(struct bq_lane *lane)
{
    struct bq_batch *batch = lane->tail;
    if (batch && !batch->closed) return batch;
    batch = batch_new(lane);
    insert_behind(lane, lane->tail, batch);
    return batch;
}

/* By last use: the last one is the schema that a table is created by. */
static void note_shape(struct bq_batch *batch, struct bq_shape *shape)
{
    size_t n = batch->shapes_len, at = 0;
    if (!shape || (n > 0 && batch->shapes[n - 1] == shape)) return;
    while (at < n && batch->shapes[at] != shape) at++;
    if (at == n) {
        batch->shapes = realloc(batch->shapes, (n + 1) * sizeof *batch->shapes);
        if (!batch->shapes) abort();
        batch->shapes_len++;
        shape->refs++;
    } else {
        memmove(&batch->shapes[at], &batch->shapes[at + 1], (n - at - 1) * sizeof *batch->shapes);
    }
    batch->shapes[batch->shapes_len - 1] = shape;
}

void bq_batch_add(struct bq_batch *batch, uint64_t seq, size_t start, struct bq_shape *shape)
{
    assert(start < batch->body.len);
    if (batch->len == batch->cap) {
        batch->cap = batch->cap ? batch->cap * 2 : 64;
        batch->seqs = realloc(batch->seqs, batch->cap * sizeof *batch->seqs);
        batch->starts = realloc(batch->starts, batch->cap * sizeof *batch->starts);
        if (!batch->seqs || !batch->starts) abort();
    }
    if (batch->len == 0) batch->body.data[start] = '[';
    batch->seqs[batch->len] = seq;
    batch->starts[batch->len++] = start;
    batch->lane->sink->bytes += batch->body.len - start;
    note_shape(batch, shape);
}

static size_t row_end(const struct bq_batch *batch, size_t row)
{
    return row + 1 < batch->len ? batch->starts[row + 1] : batch->body.len;
}

/* Copies rows from `row` on to a new batch behind, and cuts them off here. */
static void move_tail(struct bq_batch *batch, size_t row)
{
    assert(row > 0 && row < batch->len && !batch->flying);
    struct bq_batch *new = batch_new(batch->lane);
    size_t end = batch->body.len;
    new->opened_ms = batch->opened_ms;
    new->closed = batch->closed;
    for (size_t i = 0; i < batch->shapes_len; i++) note_shape(new, batch->shapes[i]);
    for (size_t i = row; i < batch->len; i++) {
        size_t start = new->body.len, stop = i + 1 < batch->len ? batch->starts[i + 1] : end;
        sluice_out_put(&new->body, batch->body.data + batch->starts[i], stop - batch->starts[i]);
        bq_batch_add(new, batch->seqs[i], start, NULL);
    }
    batch->lane->sink->bytes -= end - batch->starts[row];
    batch->body.len = batch->starts[row];
    batch->len = row;
    batch->closed = true;
    insert_behind(batch->lane, batch, new);
}

void bq_batch_move_last(struct bq_batch *batch) { move_tail(batch, batch->len - 1); }

void bq_batch_halve(struct bq_batch *batch) { move_tail(batch, (batch->len + 1) / 2); }

void bq_batch_keep(struct bq_batch *batch, const bool *keep)
{
    assert(!batch->flying);
    if (batch->len == 0) return;
    size_t n = 0, to = batch->starts[0], before = batch->body.len;
    for (size_t i = 0; i < batch->len; i++) {
        size_t start = batch->starts[i], len = row_end(batch, i) - start;
        if (!keep[i]) continue;
        memmove(batch->body.data + to, batch->body.data + start, len);
        batch->body.data[to] = n == 0 ? '[' : ',';
        batch->seqs[n] = batch->seqs[i];
        batch->starts[n++] = to; /* n <= i: starts beyond i are still the old ones */
        to += len;
    }
    batch->len = n;
    batch->body.len = to;
    batch->lane->sink->bytes -= before - to;
}

static void unlink_batch(struct bq_batch *batch)
{
    struct bq_lane *lane = batch->lane;
    struct bq_batch *before = NULL, *at = lane->head;
    while (at != batch) {
        assert(at);
        before = at;
        at = at->next;
    }
    if (before) before->next = batch->next;
    else lane->head = batch->next;
    if (lane->tail == batch) lane->tail = before;
}

/* Empties what is to be used again, but keeps its memory. */
static void reset(struct bq_batch *batch)
{
    struct bq_batch kept = *batch;
    *batch = (struct bq_batch){.body = kept.body,
                               .seqs = kept.seqs,
                               .starts = kept.starts,
                               .cap = kept.cap,
                               .shapes = kept.shapes};
    batch->body.len = 0;
}

void bq_batch_free(struct bq_batch *batch)
{
    struct bq_lane *lane = batch->lane;
    struct bq_sink *sink = lane->sink;
    assert(!batch->flying);
    unlink_batch(batch);
    if (batch->len > 0) sink->bytes -= batch->body.len - batch->starts[0];
    sink->batches--;
    bq_well(sink, &batch->troubled);
    if (lane->table->cause == batch) lane->table->cause = NULL;
    for (size_t i = 0; i < batch->shapes_len; i++) batch->shapes[i]->refs--;
    json_decref(batch->held);
    if (sink->spare_len >= SPARE_MAX || batch->body.cap > SPARE_BYTES_MAX) {
        batch_destroy(batch);
    } else {
        reset(batch);
        batch->next = sink->spare;
        sink->spare = batch;
        sink->spare_len++;
    }
    if (lane->dead && !lane->head) lane_free(lane);
}

const char *bq_batch_id(const struct bq_batch *batch, size_t row, int *len)
{
    const char *id = batch->body.data + batch->starts[row] + sizeof ",{\"insertId\":\"" - 1;
    const char *end = memchr(id, '"', (size_t)(batch->body.data + batch->body.len - id));
    assert(end);
    *len = (int)(end - id);
    return id;
}
