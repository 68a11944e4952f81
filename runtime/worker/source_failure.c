/* source_failure.c - a source's records that cannot be sent: which one it was, and what
 * errors.tolerance says. Owner: the task's thread. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "data/values.h"
#include "kafka/producer.h"
#include "worker/source_run.h"
#include "worker/tolerance.h"

#define SHOWN_BYTES 512 /* of a map */

/* ---- memory ---- */

static const char *own_text(struct sluice_arena *arena, const char *text)
{
    if (!text) return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(sluice_arena_alloc(arena, size), text, size);
}

static void own_record(struct sluice_batch *batch, struct sluice_record *rec)
{
    struct sluice_arena *arena = &batch->arena;
    rec->topic = own_text(arena, rec->topic);
    rec->key = sluice_value_copy(arena, &rec->key);
    rec->value = sluice_value_copy(arena, &rec->value);
    if (rec->key_schema) sluice_batch_hold(batch, rec->key_schema);
    if (rec->value_schema) sluice_batch_hold(batch, rec->value_schema);
    if (rec->position_len > 0)
        rec->position =
            memcpy(sluice_arena_alloc(arena, rec->position_len), rec->position, rec->position_len);
    struct sluice_header *headers = sluice_arena_alloc(arena, rec->headers_len * sizeof *headers);
    for (uint32_t i = 0; i < rec->headers_len; i++) {
        headers[i].key = own_text(arena, rec->headers[i].key);
        headers[i].schema = rec->headers[i].schema;
        headers[i].value = sluice_value_copy(arena, &rec->headers[i].value);
        if (headers[i].schema) sluice_batch_hold(batch, headers[i].schema);
    }
    rec->headers = headers;
}

void sluice_source_own(struct sluice_source_run *run)
{
    if (run->hand.owned || !run->hand.record) return;
    assert(run->hand.record >= run->batch.records);
    size_t first = (size_t)(run->hand.record - run->batch.records);
    for (size_t i = first; i < run->batch.n; i++) own_record(&run->batch, &run->batch.records[i]);
    run->hand.owned = true;
}

/* ---- which record ---- */

static void add_value(struct sluice_buf *out, const struct sluice_value *v)
{
    switch (v->type) {
    case SLUICE_STRING: sluice_buf_add(out, v->u.s, v->len); break;
    case SLUICE_BOOLEAN: sluice_buf_adds(out, v->u.i ? "true" : "false"); break;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64: sluice_buf_addf(out, "%.17g", v->u.d); break;
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64: sluice_buf_addf(out, "%lld", (long long)v->u.i); break;
    default: sluice_buf_adds(out, "?"); break;
    }
}

/* A flat map as Java prints it: {filename=/tmp/x}. */
static void add_map(struct sluice_buf *out, const struct sluice_value *map)
{
    sluice_buf_adds(out, "{");
    for (uint32_t i = 0; map->type == SLUICE_MAP && i < map->len; i++) {
        if (i) sluice_buf_adds(out, ", ");
        add_value(out, &map->u.v[2 * i]);
        sluice_buf_adds(out, "=");
        add_value(out, &map->u.v[2 * i + 1]);
    }
    sluice_buf_adds(out, "}");
}

/* " of source partition {..} at source offset {..}"; asks the plugin, so that the batch is made its
 * own before. */
static void name_record(struct sluice_source_run *run, const struct sluice_record *rec,
                        const char *partition_word, const char *offset_word, struct sluice_buf *out)
{
    struct sluice_task *task = run->task;
    struct sluice_err err;
    sluice_source_own(run);
    sluice_batch_reset(&run->idle);
    struct sluice_value offset = sluice_null();
    bool known = task->plugin->source->offset(task->self, rec->position, rec->position_len,
                                              &run->idle, &offset, &err) == SLUICE_OK;
    sluice_buf_adds(out, partition_word);
    add_map(out, &run->partitions[rec->source_partition].map);
    sluice_buf_adds(out, offset_word);
    if (known) add_map(out, &offset);
    else sluice_buf_adds(out, "null");
}

/* ---- the verdict ---- */

static void record_failure(struct sluice_source_run *run, const struct sluice_failure *failure,
                           const char *topic, const struct sluice_record *rec)
{
    struct sluice_buf where;
    sluice_buf_init(&where, 8 * SHOWN_BYTES);
    sluice_buf_adds(&where, ", where source record is = ");
    if (rec && run->task->errors.log && run->task->errors.log_messages) {
        name_record(run, rec, "SourceRecord{sourcePartition=", ", sourceOffset=", &where);
        sluice_buf_adds(&where, "} ");
    }
    sluice_buf_addf(&where, "ConnectRecord{topic='%s'}", topic);
    sluice_tolerance_record(run->task, failure, sluice_buf_str(&where));
    sluice_buf_fini(&where);
}

enum sluice_verdict sluice_source_tolerate(struct sluice_source_run *run,
                                           const struct sluice_failure *failure, const char *topic,
                                           const struct sluice_record *rec, struct sluice_err *err)
{
    record_failure(run, failure, topic, rec);
    if (run->task->errors.tolerate) {
        sluice_count(&run->task->count.skipped, 1);
        return SLUICE_DROP;
    }
    struct sluice_buf where;
    sluice_buf_init(&where, 8 * SHOWN_BYTES);
    if (rec) name_record(run, rec, " (source partition ", ", source offset ", &where);
    sluice_err_set(err,
                   "a record for topic %s%.*s%s failed in stage %s (%s): %s. With "
                   "errors.tolerance=all such records are skipped",
                   topic, SHOWN_BYTES, sluice_buf_str(&where), rec ? ")" : "", failure->stage,
                   failure->class, failure->err.msg);
    sluice_buf_fini(&where);
    return SLUICE_FAIL;
}

enum sluice_verdict sluice_source_refused(struct sluice_source_run *run, int code,
                                          const char *topic, const struct sluice_record *rec,
                                          size_t bytes, struct sluice_err *err)
{
    struct sluice_failure failure = {.stage = "KAFKA_PRODUCE",
                                     .class = "org.apache.kafka.clients.producer.KafkaProducer",
                                     .exception = "org.apache.kafka.common.KafkaException"};
    if (sluice_kafka_too_large(code) && bytes > 0) {
        sluice_err_set(&failure.err,
                       "%zu bytes are more than producer.override.max.request.size allows; raise "
                       "it, and max.message.bytes of the topic",
                       bytes);
    } else {
        sluice_err_set(&failure.err, "%s", sluice_kafka_error(code));
    }
    if (!run->txn) return sluice_source_tolerate(run, &failure, topic, rec, err);
    record_failure(run, &failure, topic, rec);
    return sluice_fail(err,
                       "a record for topic %s cannot be sent: %s. errors.tolerance has no say in "
                       "it when records are sent exactly-once",
                       topic, failure.err.msg);
}
