/* envelope.c - from rows to Debezium's records: schemas, envelope, source block, keys, headers.
 *
 * What is the same in all records of a table is made once (struct cdc_relation); a record costs one
 * piece of batch memory for all its values, and the conversions of its columns. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cdc.h"
#include "mapping.h"

#ifndef SLUICE_VERSION
#define SLUICE_VERSION "0"
#endif

enum {
    ENV_BEFORE,
    ENV_AFTER,
    ENV_SOURCE,
    ENV_TRANSACTION,
    ENV_OP,
    ENV_TS_MS,
    ENV_TS_US,
    ENV_TS_NS,
    ENV_FIELDS
};

#define RECORD_BYTES 256 /* roughly what a record costs beside its columns */

/* ---- schemas ---- */

static const struct sluice_schema string_desc = {.type = SLUICE_STRING};
static const struct sluice_schema opt_string = {.type = SLUICE_STRING, .optional = true};
static const struct sluice_schema int64_desc = {.type = SLUICE_INT64};
static const struct sluice_schema opt_int64 = {.type = SLUICE_INT64, .optional = true};
static const struct sluice_param snapshot_params[] = {
    {"allowed", "true,first,first_in_data_collection,last_in_data_collection,last,false,"
                "incremental"}};
static const struct sluice_schema snapshot_desc = {
    .type = SLUICE_STRING,
    .optional = true,
    .name = "io.debezium.data.Enum",
    .has_version = true,
    .version = 1,
    .params = snapshot_params,
    .params_len = 1,
    .has_dflt = true,
    .dflt = {.type = SLUICE_STRING, .len = 5, .u.s = "false"}};
static const struct sluice_field source_fields[CDC_SOURCE_FIELDS] = {
    {"version", &string_desc}, {"connector", &string_desc},  {"name", &string_desc},
    {"ts_ms", &int64_desc},    {"snapshot", &snapshot_desc}, {"db", &string_desc},
    {"sequence", &opt_string}, {"ts_us", &opt_int64},        {"ts_ns", &opt_int64},
    {"schema", &string_desc},  {"table", &string_desc},      {"txId", &opt_int64},
    {"lsn", &opt_int64},       {"xmin", &opt_int64},         {"origin", &opt_string},
    {"origin_lsn", &opt_int64}};
static const struct sluice_field transaction_fields[] = {
    {"id", &string_desc}, {"total_order", &int64_desc}, {"data_collection_order", &int64_desc}};
static const struct sluice_field server_name_fields[] = {{"serverName", &string_desc}};
static const struct sluice_field heartbeat_fields[] = {{"ts_ms", &int64_desc}};
static const struct sluice_field message_key_fields[] = {{"prefix", &opt_string}};

static const struct sluice_schema *make(struct cdc *cdc, const char *name, bool optional,
                                        int32_t version, const struct sluice_field *fields,
                                        uint32_t n)
{
    struct sluice_schema schema = {.type = SLUICE_STRUCT,
                                   .optional = optional,
                                   .name = name,
                                   .has_version = version != 0,
                                   .version = version,
                                   .fields = fields,
                                   .fields_len = n};
    return cdc->host->schema(&schema);
}

static struct sluice_value text(const char *s) { return sluice_string(s, strlen(s)); }

static void make_message_schema(struct cdc *cdc)
{
    const struct sluice_schema content = {
        .type = cdc->settings.binary == CDC_BINARY_BYTES ? SLUICE_BYTES : SLUICE_STRING,
        .optional = true};
    const struct sluice_field inner_fields[] = {{"prefix", &opt_string}, {"content", &content}};
    const struct sluice_schema *inner =
        make(cdc, "io.debezium.connector.postgresql.Message", false, 1, inner_fields, 2);
    const struct sluice_field fields[] = {{"op", &string_desc},
                                          {"ts_ms", &opt_int64},
                                          {"source", cdc->source_schema},
                                          {"transaction", cdc->transaction_schema},
                                          {"message", inner}};
    cdc->message_value = make(cdc, "io.debezium.connector.postgresql.MessageValue", false, 1,
                              fields, sizeof(fields) / sizeof(*fields));
    cdc->host->schema_free(inner);
    cdc->message_key =
        make(cdc, "io.debezium.connector.postgresql.MessageKey", false, 1, message_key_fields, 1);
}

static void make_run_id(char out[40])
{
    /* A name for this run, unlikely to be given twice: time and address space. */
    uint64_t a = (uint64_t)cdc_wall_ns() * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t b = ((uint64_t)(uintptr_t)out ^ (uint64_t)cdc_now_ms()) * UINT64_C(0xbf58476d1ce4e5b9);
    static const char hex[] = "0123456789abcdef";
    for (int i = 0, nibble = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        uint64_t bits = nibble < 16 ? a >> (4 * nibble) : b >> (4 * (nibble - 16));
        out[i] = dash ? '-' : i == 14 ? '4' : i == 19 ? hex[8 + (bits & 3)] : hex[bits & 15];
        nibble += !dash;
    }
    out[36] = 0;
}

void cdc_envelope_init(struct cdc *cdc, const char *connector, int task_id)
{
    struct cdc_settings *s = &cdc->settings;
    cdc->string_schema = cdc->host->schema(&string_desc);
    cdc->source_schema = make(cdc, "io.debezium.connector.postgresql.Source", false, 1,
                              source_fields, CDC_SOURCE_FIELDS);
    cdc->transaction_schema = make(cdc, "event.block", true, 1, transaction_fields, 3);
    cdc->heartbeat_key =
        make(cdc, "io.debezium.connector.common.ServerNameKey", false, 1, server_name_fields, 1);
    cdc->heartbeat_value =
        make(cdc, "io.debezium.connector.common.Heartbeat", false, 1, heartbeat_fields, 1);
    make_message_schema(cdc);
    cdc->heartbeat_topic = s->heartbeat_topic;
    cdc->message_topic = cdc_pool_format(&s->pool, "%s.message", s->prefix);
    cdc_transaction_init(cdc);
    cdc_notify_init(cdc);

    cdc->source[0] = text(SLUICE_VERSION);
    cdc->source[1] = text("postgresql");
    cdc->source[2] = text(s->prefix);
    cdc->source[CDC_SRC_TS_MS].type = SLUICE_INT64;
    cdc->source[5] = text(s->dbname);
    cdc->source[CDC_SRC_TS_US].type = SLUICE_INT64;
    cdc->source[CDC_SRC_TS_NS].type = SLUICE_INT64;
    cdc->source[CDC_SRC_SCHEMA] = text("");
    cdc->source[CDC_SRC_TABLE] = text("");

    if (!s->extended_headers) return;
    make_run_id(cdc->run_id);
    const char *names[] = {"__debezium.context.connectorLogicalName", "__debezium.context.taskId",
                           "__debezium.context.connectorName", "__debezium.context.runId"};
    const char *values[] = {s->prefix, cdc_pool_format(&s->pool, "%d", task_id), "postgresql",
                            cdc->run_id};
    (void)connector;
    for (cdc->headers_n = 0; cdc->headers_n < 4; cdc->headers_n++) {
        struct sluice_header *h = &cdc->headers[cdc->headers_n];
        h->key = names[cdc->headers_n];
        h->schema = cdc->string_schema;
        h->value = text(values[cdc->headers_n]);
    }
}

void cdc_envelope_fini(struct cdc *cdc)
{
    cdc_transaction_fini(cdc);
    cdc_notify_fini(cdc);
    cdc_meters_fini(cdc);
    const struct sluice_schema *held[] = {
        cdc->string_schema,   cdc->source_schema, cdc->transaction_schema, cdc->heartbeat_key,
        cdc->heartbeat_value, cdc->message_key,   cdc->message_value};
    for (size_t i = 0; i < sizeof(held) / sizeof(*held); i++) cdc->host->schema_free(held[i]);
}

void cdc_envelope_relation(struct cdc *cdc, struct cdc_relation *relation)
{
    const struct sluice_field fields[ENV_FIELDS] = {{"before", relation->row_schema},
                                                    {"after", relation->row_schema},
                                                    {"source", cdc->source_schema},
                                                    {"transaction", cdc->transaction_schema},
                                                    {"op", &string_desc},
                                                    {"ts_ms", &opt_int64},
                                                    {"ts_us", &opt_int64},
                                                    {"ts_ns", &opt_int64}};
    const char *name = cdc_pool_format(&relation->pool, "%s.Envelope", relation->topic);
    name = cdc_adjusted(cdc->settings.schema_names, false, &relation->pool, name);
    relation->envelope = make(cdc, name, false, 2, fields, ENV_FIELDS);
    memcpy(relation->source, cdc->source, sizeof(relation->source));
    relation->source[CDC_SRC_SCHEMA] = text(relation->schema);
    relation->source[CDC_SRC_TABLE] = text(relation->table);
}

/* ---- rows ---- */

static bool in_key(const struct cdc_relation *rel, const struct cdc_column *column)
{
    for (uint32_t k = 0; k < rel->key_n; k++)
        if (rel->key[k].as == column || &rel->columns[rel->key[k].column] == column) return true;
    return false;
}

/* Sets *out to what stands for the value, or fails. Of an array its length is kept, but in keys,
 * where different rows would get the same one. */
static bool conversion_failed(struct cdc *cdc, struct cdc_relation *rel, struct cdc_column *column,
                              const struct cdc_cell *cell, struct sluice_value *out,
                              struct sluice_err *err)
{
    enum cdc_failure_mode mode = cdc->settings.converting_failure;
    const char *why = cdc->memory.why ? cdc->memory.why : "unknown form";
    bool outlined = cell->kind == 't' && mode != CDC_FAILURE_FAIL && !in_key(rel, column) &&
                    cdc_array_outline(&column->binding, &cdc->memory, cell->s, cell->len, out);
    if (!outlined && (mode == CDC_FAILURE_FAIL || !column->schema->optional))
        return cdc_error(err,
                         "a value of column %s of %s.%s cannot be converted: %s; change the value, "
                         "the handling mode of its type, or leave the column out with "
                         "column.exclude.list",
                         column->name, rel->schema, rel->table, why);
    if (mode == CDC_FAILURE_WARN && !column->warned)
        cdc->host->log(cdc->task, SLUICE_WARN,
                       "a value of column %s of %s.%s is written as %s: %s (said once for this "
                       "column)",
                       column->name, rel->schema, rel->table,
                       outlined ? "an array of nulls" : "null", why);
    cdc->meters.erroneous++;
    column->warned = true;
    if (!outlined) *out = sluice_null();
    return true;
}

/* old: the column in the old tuple, NULL when there is none. */
static inline bool convert_cell(struct cdc *cdc, struct cdc_relation *rel,
                                struct cdc_column *column, const struct cdc_cell *cell,
                                const struct cdc_cell *old, struct sluice_value *out,
                                struct sluice_err *err)
{
    if (cell->kind == 'u' && old && old->kind == 't') cell = old;
    if (cell->kind == 't') {
        if (column->binding.convert(&column->binding, &cdc->memory, cell->s, cell->len, out))
            return true;
    } else if (cell->kind == 'n') {
        *out = column->absent;
        return true;
    } else if (cell->kind == 'u') {
        if (cdc_unavailable(&column->binding, &cdc->memory, out)) return true;
    } else {
        cdc->memory.why = "it came in binary form, which was not asked for";
    }
    return conversion_failed(cdc, rel, column, cell, out, err);
}

/* Fills out[fields_n]. old: tuple that holds values which row lacks, or NULL. */
static bool convert_row(struct cdc *cdc, struct cdc_relation *rel, const struct cdc_tuple *row,
                        const struct cdc_tuple *old, struct sluice_value *out,
                        struct sluice_err *err)
{
    if (row->n != rel->columns_n)
        return cdc_error(err,
                         "postgres sent %u columns for %s.%s, which it announced with %u: the "
                         "replication stream is broken",
                         row->n, rel->schema, rel->table, rel->columns_n);
    for (uint32_t i = 0; i < row->n; i++) {
        struct cdc_column *column = &rel->columns[i];
        if (column->field >= 0 &&
            !convert_cell(cdc, rel, column, &row->cells[i], old ? &old->cells[i] : NULL,
                          &out[column->field], err))
            return false;
    }
    return true;
}

/* Fills out[key_fields]; fields: the row's values where a key column is among them, or NULL.
 * old: as with convert_row(). */
static bool convert_key(struct cdc *cdc, struct cdc_relation *rel, const struct cdc_tuple *row,
                        const struct cdc_tuple *old, const struct sluice_value *fields,
                        struct sluice_value *out, struct sluice_err *err)
{
    for (uint32_t k = 0; k < rel->key_n; k++) {
        const struct cdc_key_part *part = &rel->key[k];
        const struct cdc_cell *before = old ? &old->cells[part->column] : NULL;
        if (fields && part->field >= 0) out[k] = fields[part->field];
        else if (!convert_cell(cdc, rel, part->as, &row->cells[part->column], before, &out[k], err))
            return false;
    }
    if (rel->key_tag) out[rel->key_n] = text(rel->key_tag);
    return true;
}

/* ---- records ---- */

/* ["<last commit>"|null,"<lsn>"|null] */
static struct sluice_value sequence(struct cdc_memory *memory, uint64_t commit, uint64_t lsn)
{
    char *start = cdc_take(memory, 64), *p = start;
    *p++ = '[';
    if (commit) {
        *p++ = '"';
        p += cdc_u64_text(commit, p);
        *p++ = '"';
    } else {
        memcpy(p, "null", 4);
        p += 4;
    }
    if (!lsn) {
        memcpy(p, ",null]", 6);
        return sluice_string(start, (size_t)(p + 6 - start));
    }
    memcpy(p, ",\"", 2);
    p += 2;
    p += cdc_u64_text(lsn, p);
    memcpy(p, "\"]", 2);
    return sluice_string(start, (size_t)(p + 2 - start));
}

/* source: values of the source block, patched for this position. */
static void fill_source(struct cdc *cdc, struct sluice_value *source, const struct cdc_position *at,
                        const char *marker)
{
    source[CDC_SRC_TS_MS].u.i = at->ts_us / 1000;
    if (marker) source[CDC_SRC_SNAPSHOT] = text(marker);
    source[CDC_SRC_SEQUENCE] = sequence(&cdc->memory, at->last_commit, at->lsn);
    source[CDC_SRC_TS_US].u.i = at->ts_us;
    source[CDC_SRC_TS_NS].u.i = at->ts_us * 1000;
    if (at->txid) source[CDC_SRC_TXID] = sluice_int64((int64_t)at->txid);
    source[CDC_SRC_LSN] = sluice_int64((int64_t)at->lsn);
    if (cdc->xmin && !source[CDC_SRC_SNAPSHOT].type)
        source[CDC_SRC_XMIN] = sluice_int64((int64_t)cdc->xmin);
    if (cdc->origin) {
        size_t len = strlen(cdc->origin);
        char *name = cdc_take(&cdc->memory, len + 1);
        memcpy(name, cdc->origin, len);
        source[CDC_SRC_ORIGIN] = sluice_string(name, len);
        source[CDC_SRC_ORIGIN_LSN] = sluice_int64((int64_t)cdc->origin_lsn);
    }
}

/* The record is filled in any case, but goes nowhere when it was emitted before or must wait. */
struct sluice_record *cdc_append(struct cdc *cdc, const char *topic,
                                 const struct cdc_position *position)
{
    bool before = cdc->part++ < cdc->parts_done;
    if (before || cdc->emitted >= cdc->room->records) {
        cdc->cut |= !before;
        return &cdc->elsewhere;
    }
    struct sluice_record *record = cdc->host->append(cdc->memory.batch);
    record->topic = topic;
    record->source_partition = cdc->partition;
    if (cdc->transaction) {
        record->position = cdc_transaction_position(cdc, position, &record->position_len);
    } else {
        struct cdc_position *stored = cdc_take(&cdc->memory, sizeof(*stored));
        *stored = *position;
        record->position = stored;
        record->position_len = sizeof(*stored);
    }
    cdc->last = record;
    cdc->unmarked |= topic != NULL;
    cdc->emitted++;
    cdc->emitted_bytes += RECORD_BYTES;
    return record;
}

void cdc_mark(struct cdc *cdc)
{
    if (!cdc->marks || !cdc->unmarked || cdc->unfinished) return;
    if (!cdc->last && cdc_has_room(cdc)) cdc_emit_position(cdc, &cdc->position);
    if (!cdc->last) return;
    cdc->last->flags |= SLUICE_RECORD_COMMIT;
    cdc->unmarked = false;
}

/* The values of one record, in one piece: envelope, source, key, before, after. */
struct parts {
    struct sluice_value *envelope, *source, *key, *before, *after;
};

static struct parts take_parts(struct cdc *cdc, const struct cdc_relation *rel, bool before,
                               bool after)
{
    size_t rows = (size_t)before + (size_t)after;
    size_t n = ENV_FIELDS + CDC_SOURCE_FIELDS + rel->key_fields + rows * rel->fields_n;
    struct parts parts = {0};
    parts.envelope = cdc_take(&cdc->memory, n * sizeof(struct sluice_value));
    parts.source = parts.envelope + ENV_FIELDS;
    parts.key = parts.source + CDC_SOURCE_FIELDS;
    parts.before = parts.key + rel->key_fields;
    parts.after = before ? parts.before + rel->fields_n : parts.before;
    parts.before = before ? parts.before : NULL;
    parts.after = after ? parts.after : NULL;
    return parts;
}

static struct sluice_record *finish(struct cdc *cdc, struct cdc_relation *rel, char op,
                                    const struct parts *parts, const char *marker,
                                    const struct cdc_position *source_at,
                                    const struct cdc_position *position)
{
    static const char ops[] = "cudtr";
    struct sluice_value *e = parts->envelope;
    memcpy(parts->source, rel->source, sizeof(rel->source));
    fill_source(cdc, parts->source, source_at, marker);
    if (cdc->reselected && parts->after && !marker) cdc_reselect_apply(cdc, rel, parts->after);
    e[ENV_BEFORE] =
        parts->before ? sluice_nested(SLUICE_STRUCT, parts->before, rel->fields_n) : sluice_null();
    e[ENV_AFTER] =
        parts->after ? sluice_nested(SLUICE_STRUCT, parts->after, rel->fields_n) : sluice_null();
    e[ENV_SOURCE] = sluice_nested(SLUICE_STRUCT, parts->source, CDC_SOURCE_FIELDS);
    e[ENV_TRANSACTION] =
        cdc->transaction && !marker ? cdc_transaction_block(cdc, rel) : sluice_null();
    e[ENV_OP] = sluice_string(strchr(ops, op), 1);
    e[ENV_TS_MS] = sluice_int64(cdc->now_ns / 1000000);
    e[ENV_TS_US] = sluice_int64(cdc->now_ns / 1000);
    e[ENV_TS_NS] = sluice_int64(cdc->now_ns);
    struct sluice_record *record = cdc_append(cdc, rel->topic, position);
    if (record != &cdc->elsewhere) cdc_meter_event(cdc, rel, op, marker != NULL);
    record->headers = cdc->headers;
    record->headers_len = cdc->headers_n;
    record->value_schema = rel->envelope;
    record->value = sluice_nested(SLUICE_STRUCT, e, ENV_FIELDS);
    if (rel->key_fields && op != 't') {
        record->key_schema = rel->key_schema;
        record->key = sluice_nested(SLUICE_STRUCT, parts->key, rel->key_fields);
    }
    return record;
}

static void add_header(struct cdc *cdc, struct sluice_record *record, const char *name,
                       const struct sluice_schema *schema, struct sluice_value value)
{
    struct sluice_header *headers =
        cdc_take(&cdc->memory, (record->headers_len + 1) * sizeof(*headers));
    memcpy(headers + 1, record->headers, record->headers_len * sizeof(*headers));
    headers->key = name;
    headers->schema = schema;
    headers->value = value;
    record->headers = headers;
    record->headers_len++;
}

static void tombstone(struct cdc *cdc, const struct cdc_relation *rel, struct sluice_value key,
                      const struct sluice_header *headers, uint32_t headers_n,
                      const struct cdc_position *position)
{
    struct sluice_record *record = cdc_append(cdc, rel->topic, position);
    record->key_schema = rel->key_schema;
    record->key = key;
    record->headers = headers;
    record->headers_len = headers_n;
}

/* ---- changes ---- */

static bool same_cell(const struct cdc_cell *a, const struct cdc_cell *b)
{
    if (a->kind == 'u' || b->kind == 'u') return true; /* unchanged */
    return a->kind == b->kind && a->len == b->len && (!a->len || !memcmp(a->s, b->s, a->len));
}

static bool key_changed(const struct cdc_relation *rel, const struct cdc_change *change)
{
    if (!change->old || !rel->old_key) return false;
    for (uint32_t k = 0; k < rel->key_n; k++)
        if (!same_cell(&change->before.cells[rel->key[k].column],
                       &change->after.cells[rel->key[k].column]))
            return true;
    return false;
}

static bool row_changed(const struct cdc_relation *rel, const struct cdc_change *change)
{
    for (uint32_t i = 0; i < rel->columns_n; i++)
        if (rel->columns[i].field >= 0 &&
            !same_cell(&change->before.cells[i], &change->after.cells[i]))
            return true;
    return false;
}

static bool emit_insert(struct cdc *cdc, struct cdc_relation *rel, const struct cdc_change *change,
                        struct sluice_err *err)
{
    if (cdc->settings.skipped & CDC_SKIP_C) return true;
    struct parts parts = take_parts(cdc, rel, false, true);
    if (!convert_row(cdc, rel, &change->after, NULL, parts.after, err) ||
        !convert_key(cdc, rel, &change->after, NULL, parts.after, parts.key, err))
        return false;
    finish(cdc, rel, 'c', &parts, NULL, &cdc->position, &cdc->position);
    return true;
}

static bool emit_delete(struct cdc *cdc, struct cdc_relation *rel, const struct cdc_change *change,
                        const struct cdc_position *before, struct sluice_err *err)
{
    if (cdc->settings.skipped & CDC_SKIP_D) return true;
    if (!change->old)
        return cdc_error(err, "postgres sent a delete of %s.%s without its old row", rel->schema,
                         rel->table);
    struct parts parts = take_parts(cdc, rel, true, false);
    if (!convert_row(cdc, rel, &change->before, NULL, parts.before, err) ||
        !convert_key(cdc, rel, &change->before, NULL, parts.before, parts.key, err))
        return false;
    bool more = cdc->settings.tombstones;
    struct sluice_record *record =
        finish(cdc, rel, 'd', &parts, NULL, &cdc->position, more ? before : &cdc->position);
    if (more)
        tombstone(cdc, rel, record->key, record->headers, record->headers_len, &cdc->position);
    return true;
}

/* A new key is another record to Kafka: the old one is deleted, the new one created. */
static bool emit_rekey(struct cdc *cdc, struct cdc_relation *rel, const struct cdc_change *change,
                       const struct cdc_position *before, struct sluice_err *err)
{
    const struct cdc_tuple *old = change->old ? &change->before : NULL;
    struct parts gone = take_parts(cdc, rel, true, false);
    struct parts made = take_parts(cdc, rel, false, true);
    if (!convert_row(cdc, rel, &change->before, NULL, gone.before, err) ||
        !convert_key(cdc, rel, &change->before, NULL, gone.before, gone.key, err) ||
        !convert_row(cdc, rel, &change->after, old, made.after, err) ||
        !convert_key(cdc, rel, &change->after, old, made.after, made.key, err))
        return false;
    struct sluice_value old_key = sluice_nested(SLUICE_STRUCT, gone.key, rel->key_fields);
    struct sluice_value new_key = sluice_nested(SLUICE_STRUCT, made.key, rel->key_fields);
    bool create = !(cdc->settings.skipped & CDC_SKIP_C);
    if (!(cdc->settings.skipped & CDC_SKIP_D)) {
        const struct cdc_position *last = create ? before : &cdc->position;
        bool more = cdc->settings.tombstones;
        struct sluice_record *record =
            finish(cdc, rel, 'd', &gone, NULL, &cdc->position, more ? before : last);
        add_header(cdc, record, "__debezium.newkey", rel->key_schema, new_key);
        if (more) tombstone(cdc, rel, old_key, record->headers, record->headers_len, last);
    }
    if (create) {
        struct sluice_record *record =
            finish(cdc, rel, 'c', &made, NULL, &cdc->position, &cdc->position);
        add_header(cdc, record, "__debezium.oldkey", rel->key_schema, old_key);
    }
    return true;
}

static bool emit_update(struct cdc *cdc, struct cdc_relation *rel, const struct cdc_change *change,
                        const struct cdc_position *before, struct sluice_err *err)
{
    if (change->old && change->before.n != change->after.n)
        return cdc_error(err, "postgres sent old and new rows of %s.%s with different columns",
                         rel->schema, rel->table);
    if (change->after.n == rel->columns_n && key_changed(rel, change))
        return emit_rekey(cdc, rel, change, before, err);
    if (cdc->settings.skipped & CDC_SKIP_U) return true;
    if (cdc->settings.skip_unchanged && change->old == 'O' && change->after.n == rel->columns_n &&
        !row_changed(rel, change)) {
        cdc->meters.unchanged++;
        return true;
    }
    const struct cdc_tuple *old = change->old ? &change->before : NULL;
    struct parts parts = take_parts(cdc, rel, change->old != 0, true);
    if ((change->old && !convert_row(cdc, rel, &change->before, NULL, parts.before, err)) ||
        !convert_row(cdc, rel, &change->after, old, parts.after, err) ||
        !convert_key(cdc, rel, &change->after, old, parts.after, parts.key, err))
        return false;
    finish(cdc, rel, 'u', &parts, NULL, &cdc->position, &cdc->position);
    return true;
}

bool cdc_emit_change(struct cdc *cdc, struct cdc_relation *relation,
                     const struct cdc_change *change, const struct cdc_position *before,
                     struct sluice_err *err)
{
    switch (change->op) {
    case 'I': return emit_insert(cdc, relation, change, err);
    case 'U': return emit_update(cdc, relation, change, before, err);
    default: assert(change->op == 'D'); return emit_delete(cdc, relation, change, before, err);
    }
}

bool cdc_emit_snapshot_row(struct cdc *cdc, struct cdc_relation *relation,
                           const struct cdc_tuple *row, const char *marker, struct sluice_err *err)
{
    struct parts parts = take_parts(cdc, relation, false, true);
    if (!convert_row(cdc, relation, row, NULL, parts.after, err) ||
        !convert_key(cdc, relation, row, NULL, parts.after, parts.key, err))
        return false;
    finish(cdc, relation, 'r', &parts, marker, &cdc->snapshot_at, &cdc->position);
    return true;
}

bool cdc_emit_incremental_row(struct cdc *cdc, struct cdc_relation *relation,
                              const struct cdc_tuple *row, const struct cdc_position *before,
                              struct sluice_err *err)
{
    struct parts parts = take_parts(cdc, relation, false, true);
    if (!convert_row(cdc, relation, row, NULL, parts.after, err) ||
        !convert_key(cdc, relation, row, NULL, parts.after, parts.key, err))
        return false;
    struct cdc_position at = cdc->position;
    at.txid = 0;
    at.ts_us = cdc->now_ns / 1000;
    finish(cdc, relation, 'r', &parts, "incremental", &at, before);
    parts.source[CDC_SRC_LSN] = parts.source[CDC_SRC_ORIGIN] = parts.source[CDC_SRC_ORIGIN_LSN] =
        sluice_null();
    return true;
}

bool cdc_emit_truncate(struct cdc *cdc, struct cdc_relation *relation,
                       const struct cdc_position *position, struct sluice_err *err)
{
    (void)err;
    struct parts parts = take_parts(cdc, relation, false, false);
    finish(cdc, relation, 't', &parts, NULL, &cdc->position, position);
    return true;
}

bool cdc_emit_logical(struct cdc *cdc, const struct cdc_logical_message *message,
                      struct sluice_err *err)
{
    (void)err;
    enum { FIELDS = 5 };
    struct sluice_value *v =
        cdc_take(&cdc->memory, (FIELDS + CDC_SOURCE_FIELDS + 2 + 1) * sizeof(*v));
    struct sluice_value *source = v + FIELDS, *inner = source + CDC_SOURCE_FIELDS;
    memcpy(source, cdc->source, sizeof(cdc->source));
    struct cdc_position at = cdc->position;
    if (!message->transactional) {
        at.txid = 0;
        at.lsn = message->lsn;
        at.ts_us = cdc->now_ns / 1000;
    }
    fill_source(cdc, source, &at, NULL);
    inner[0] = text(message->prefix);
    inner[1] =
        cdc_binary_value(&cdc->settings, &cdc->memory, message->content, message->content_len);
    inner[2] = inner[0];
    v[0] = sluice_string("m", 1);
    v[1] = sluice_int64(cdc->now_ns / 1000000);
    v[2] = sluice_nested(SLUICE_STRUCT, source, CDC_SOURCE_FIELDS);
    v[3] = cdc->transaction && message->transactional ? cdc_transaction_block(cdc, NULL)
                                                      : sluice_null();
    v[4] = sluice_nested(SLUICE_STRUCT, inner, 2);
    struct sluice_record *record = cdc_append(cdc, cdc->message_topic, &cdc->position);
    record->key_schema = cdc->message_key;
    record->key = sluice_nested(SLUICE_STRUCT, inner + 2, 1);
    record->value_schema = cdc->message_value;
    record->value = sluice_nested(SLUICE_STRUCT, v, FIELDS);
    return true;
}

void cdc_emit_heartbeat(struct cdc *cdc)
{
    struct sluice_value *v = cdc_take(&cdc->memory, 2 * sizeof(*v));
    v[0] = text(cdc->settings.prefix);
    v[1] = sluice_int64(cdc->now_ns / 1000000);
    struct sluice_record *record = cdc_append(cdc, cdc->heartbeat_topic, &cdc->position);
    record->partition = 0;
    record->key_schema = cdc->heartbeat_key;
    record->key = sluice_nested(SLUICE_STRUCT, v, 1);
    record->value_schema = cdc->heartbeat_value;
    record->value = sluice_nested(SLUICE_STRUCT, v + 1, 1);
}

void cdc_position_begins(struct cdc *cdc)
{
    struct cdc_position *p = &cdc->position;
    if (cdc->has_position) return;
    p->lsn = p->lsn_proc = p->lsn_commit = p->last_commit = cdc->slot.confirmed;
    p->message = CDC_MSG_COMMIT;
    p->ts_us = cdc->now_ns / 1000;
    cdc->has_position = true;
}

void cdc_emit_position(struct cdc *cdc, const struct cdc_position *position)
{
    cdc_append(cdc, NULL, position);
}

void cdc_keep(struct cdc *cdc, void *pq_memory)
{
    if (cdc->kept_n == cdc->kept_cap) {
        cdc->kept_cap = cdc->kept_cap ? cdc->kept_cap * 2 : 1024;
        cdc->kept = cdc_realloc(cdc->kept, cdc->kept_cap * sizeof(*cdc->kept));
    }
    cdc->kept[cdc->kept_n++] = pq_memory;
}
