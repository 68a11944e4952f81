/* meters.c - see meters.h. */
#include "meters.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cdc.h"

#define TELL_MS 1000
#define METRICS_MAX 2000
#define OWN_LABELS 3   /* plugin, name, context */
#define EXTRA_LABELS 3 /* table, value and the like */

struct telling {
    const struct cdc *cdc;
    struct sluice_metric *metrics;
    size_t n, cap;
};

/* ---- counting ---- */

void cdc_meters_fini(struct cdc *cdc)
{
    struct cdc_meters *m = &cdc->meters;
    for (uint32_t i = 0; i < m->per_table_n; i++) free(m->per_table[i].name);
    free(m->per_table);
    m->per_table = NULL;
    m->per_table_n = 0;
}

/* Its number; that of all others when there is no more room. */
static uint32_t table_at(struct cdc_meters *m, const char *schema, const char *table)
{
    if (!m->per_table) m->per_table = cdc_alloc((CDC_METER_TABLES + 1) * sizeof(*m->per_table));
    size_t n = strlen(schema);
    for (uint32_t i = 0; i < m->per_table_n; i++) {
        const char *name = m->per_table[i].name;
        if (!strncmp(name, schema, n) && name[n] == '.' && !strcmp(name + n + 1, table)) return i;
    }
    if (m->per_table_n == CDC_METER_TABLES) return CDC_METER_TABLES;
    m->per_table[m->per_table_n].name = cdc_format("%s.%s", schema, table);
    return m->per_table_n++;
}

static uint32_t relation_at(struct cdc_meters *m, const struct cdc_relation *relation)
{
    size_t i = relation->oid % CDC_METER_CACHE;
    if (m->cache[i].relation != relation || m->cache[i].oid != relation->oid) {
        m->cache[i].relation = relation;
        m->cache[i].oid = relation->oid;
        m->cache[i].table = table_at(m, relation->schema, relation->table);
        m->per_table[m->cache[i].table].captured = true;
    }
    return m->cache[i].table;
}

void cdc_meter_captured(struct cdc *cdc)
{
    struct cdc_meters *m = &cdc->meters;
    for (uint32_t i = 0; i < m->per_table_n; i++) m->per_table[i].captured = false;
    for (size_t i = 0; i < cdc->tables_n && i < CDC_METER_TABLES; i++) {
        uint32_t at = table_at(m, cdc->tables[i].schema, cdc->tables[i].name);
        m->per_table[at].captured = true;
    }
}

void cdc_meter_event(struct cdc *cdc, const struct cdc_relation *relation, char op, bool snapshot)
{
    struct cdc_meters *m = &cdc->meters;
    int64_t now_ms = cdc->now_ns / 1000000;
    uint32_t at = relation_at(m, relation);
    struct cdc_meter_table *table = &m->per_table[at];
    if (snapshot) {
        m->reads++;
        m->read_ms = now_ms;
        m->read_table = at;
        return;
    }
    m->streamed_ms = now_ms;
    m->streamed_table = at;
    m->streamed_op = op;
    switch (op) {
    case 'c':
        m->creates++;
        table->creates++;
        break;
    case 'u':
        m->updates++;
        table->updates++;
        break;
    case 'd':
        m->deletes++;
        table->deletes++;
        break;
    default: m->others++; table->truncates += op == 't';
    }
}

void cdc_meter_commit(struct cdc *cdc)
{
    struct cdc_meters *m = &cdc->meters;
    int64_t lag_ms = cdc->now_ns / 1000000 - cdc->position.ts_us / 1000;
    m->commits++;
    m->transaction = cdc->position.txid;
    m->lags[m->lags_at] = lag_ms < 0 ? 0 : lag_ms > INT32_MAX ? INT32_MAX : (int32_t)lag_ms;
    m->lags_at = (m->lags_at + 1) % CDC_LAGS;
    if (m->lags_n < CDC_LAGS) m->lags_n++;
}

void cdc_meter_notice(struct cdc *cdc, const char *aggregate, const char *type)
{
    struct cdc_meters *m = &cdc->meters;
    size_t i = 0;
    while (
        i < CDC_NOTICE_KINDS && m->notices[i].n &&
        (strcmp(m->notices[i].aggregate, aggregate) != 0 || strcmp(m->notices[i].type, type) != 0))
        i++;
    assert(i < CDC_NOTICE_KINDS);
    m->notices[i].aggregate = aggregate;
    m->notices[i].type = type;
    m->notices[i].n++;
}

void cdc_meter_snapshot(struct cdc *cdc)
{
    struct cdc_meters *m = &cdc->meters;
    for (uint32_t i = 0; i < m->per_table_n; i++) {
        struct cdc_meter_table *table = &m->per_table[i];
        table->scanned = false;
        table->rows = table->chunks = table->chunks_done = 0;
    }
}

void cdc_meter_reads(struct cdc *cdc, const char *schema, const char *table)
{
    struct cdc_meters *m = &cdc->meters;
    m->reading = table_at(m, schema, table);
    m->per_table[m->reading].scanned = true;
    cdc_meter_scanned(cdc, 0, 0, 0);
}

void cdc_meter_scanned(struct cdc *cdc, uint64_t rows, uint32_t chunks, uint32_t chunks_done)
{
    struct cdc_meters *m = &cdc->meters;
    assert(m->per_table && chunks_done <= chunks);
    m->per_table[m->reading].rows = rows;
    m->per_table[m->reading].chunks = chunks;
    m->per_table[m->reading].chunks_done = chunks_done;
}

void cdc_meter_incremental(struct cdc *cdc, const char *full, uint64_t rows)
{
    const char *point = strchr(full, '.');
    char *schema = cdc_strndup(full, point ? (size_t)(point - full) : 0);
    uint32_t at = table_at(&cdc->meters, schema, point ? point + 1 : full);
    free(schema);
    cdc->meters.per_table[at].scanned = true;
    cdc->meters.per_table[at].rows = rows;
}

/* ---- telling ---- */

static struct sluice_metric *add(struct telling *t, const char *context, const char *name,
                                 const char *help, bool counter, double value)
{
    static struct sluice_metric nowhere;
    const struct cdc_settings *s = &t->cdc->settings;
    if (t->n == METRICS_MAX) return &nowhere;
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 128;
        t->metrics = cdc_realloc(t->metrics, t->cap * sizeof(*t->metrics));
    }
    size_t n = OWN_LABELS + s->metric_tags_n;
    struct sluice_label *labels = cdc_alloc((n + EXTRA_LABELS) * sizeof(*labels));
    labels[0] = (struct sluice_label){"plugin", "postgres"};
    labels[1] = (struct sluice_label){"name", s->prefix};
    labels[2] = (struct sluice_label){"context", context};
    for (size_t i = OWN_LABELS; i < n; i++) labels[i] = s->metric_tags[i - OWN_LABELS];
    struct sluice_metric *metric = &t->metrics[t->n++];
    *metric = (struct sluice_metric){.size = sizeof(*metric),
                                     .counter = counter,
                                     .name = name,
                                     .help = help,
                                     .labels = labels,
                                     .labels_n = n,
                                     .value = value};
    return metric;
}

/* One more label of a metric that was just added; the text must live until all is told. */
static void with(const struct telling *t, struct sluice_metric *metric, const char *key,
                 const char *value)
{
    if (!metric->labels) return; /* there was no room for it */
    assert(metric->labels_n < OWN_LABELS + t->cdc->settings.metric_tags_n + EXTRA_LABELS);
    ((struct sluice_label *)metric->labels)[metric->labels_n++] =
        (struct sluice_label){key, value ? value : ""};
}

#define GAUGE(title, help, value) add(t, context, "debezium_metrics_" title, help, false, value)
#define COUNT(title, help, value)                                                                  \
    add(t, context, "debezium_metrics_" title, help, true, (double)(value))
/* A text stands in a label, the value is 1. */
#define TEXT(title, help, text) with(t, GAUGE(title, help, 1), "value", text)

/* Figures by table: of those for which the condition holds. */
#define BY_TABLE(kind, title, help, condition, figure)                                             \
    for (uint32_t at = 0; at < t->cdc->meters.per_table_n; at++) {                                 \
        const struct cdc_meter_table *table = &t->cdc->meters.per_table[at];                       \
        if (condition) with(t, kind(title, help, (double)(figure)), "table", table->name);         \
    }

static const char *op_word(char op)
{
    switch (op) {
    case 'c': return "CREATE";
    case 'u': return "UPDATE";
    case 'd': return "DELETE";
    case 't': return "TRUNCATE";
    case 'r': return "READ";
    default: return "MESSAGE";
    }
}

/* Where and what the last event was; its key stays out, as metrics go where data should not. */
static void tell_last(struct telling *t, const char *context, uint32_t at, char op, uint64_t lsn)
{
    const struct cdc_meters *m = &t->cdc->meters;
    const char *name = m->per_table ? m->per_table[at].name : NULL;
    struct sluice_metric *metric =
        GAUGE("LastEvent", "LSN of the last event; its table and operation.", (double)lsn);
    with(t, metric, "table", name);
    with(t, metric, "operation", op_word(op));
}

static void tell_both(struct telling *t, const char *context, uint64_t events, int64_t last_ms)
{
    const struct cdc *cdc = t->cdc;
    const struct cdc_meters *m = &cdc->meters;
    int64_t now_ms = cdc_wall_ns() / 1000000;
    bool stream = !strcmp(context, "streaming");
    GAUGE("MilliSecondsSinceLastEvent", "Since the last event; -1: none came.",
          last_ms ? (double)(now_ms - last_ms) : -1);
    COUNT("TotalNumberOfEventsSeen", "Events emitted.", events);
    COUNT("TotalNumberOfCreateEventsSeen", "Inserts emitted.", stream ? m->creates : 0);
    COUNT("TotalNumberOfUpdateEventsSeen", "Updates emitted.", stream ? m->updates : 0);
    COUNT("TotalNumberOfDeleteEventsSeen", "Deletes emitted.", stream ? m->deletes : 0);
    COUNT("NumberOfEventsFiltered", "Changes of tables that are not captured.", m->filtered);
    COUNT("NumberOfErroneousEvents", "Values that could not be converted.", m->erroneous);
    GAUGE("QueueTotalCapacity", "Records that may be in flight.", (double)m->room_records);
    GAUGE("QueueRemainingCapacity", "Records that may come now.", (double)cdc->room->records);
    GAUGE("MaxQueueSizeInBytes", "Bytes that may be in flight.", (double)m->room_bytes);
    GAUGE("CurrentQueueSizeInBytes", "Bytes in flight.",
          m->room_bytes > cdc->room->bytes ? (double)(m->room_bytes - cdc->room->bytes) : 0);
    BY_TABLE(GAUGE, "CapturedTables", "1: the table is captured.", table->captured, 1)
}

static int by_value(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void tell_lag(struct telling *t, const char *context)
{
    const struct cdc_meters *m = &t->cdc->meters;
    int32_t sorted[CDC_LAGS];
    uint32_t n = m->lags_n;
    double sum = 0;
    memcpy(sorted, m->lags, sizeof(sorted));
    qsort(sorted, n, sizeof(*sorted), by_value);
    for (uint32_t i = 0; i < n; i++) sum += sorted[i];
    static const char help[] = "Time from a commit to its records, of the last 512 commits.";
    GAUGE("MilliSecondsBehindSource", "Time from the last commit to its records; -1: none came.",
          n ? m->lags[(m->lags_at + CDC_LAGS - 1) % CDC_LAGS] : -1);
    if (!n) return;
    GAUGE("MilliSecondsBehindSourceMinValue", help, sorted[0]);
    GAUGE("MilliSecondsBehindSourceMaxValue", help, sorted[n - 1]);
    GAUGE("MilliSecondsBehindSourceAverageValue", help, sum / n);
    GAUGE("MilliSecondsBehindSourceP50", help, sorted[n / 2]);
    GAUGE("MilliSecondsBehindSourceP95", help, sorted[n * 95 / 100]);
    GAUGE("MilliSecondsBehindSourceP99", help, sorted[n * 99 / 100]);
}

static void tell_wal(struct telling *t, const char *context)
{
    const struct cdc_wal *wal = &t->cdc->meters.wal;
    if (!wal->known) return;
    GAUGE("SlotRetainedBytes", "WAL that the server keeps for the slot.", (double)wal->retained);
    GAUGE("SlotBehindBytes", "WAL that was not confirmed to the slot yet.", (double)wal->behind);
    if (wal->safe >= 0)
        GAUGE("SlotSafeBytes", "WAL that may still be written before the slot is in danger.",
              (double)wal->safe);
}

static void tell_streaming(struct telling *t)
{
    static const char context[] = "streaming";
    const struct cdc *cdc = t->cdc;
    const struct cdc_meters *m = &cdc->meters;
    tell_both(t, context, m->creates + m->updates + m->deletes + m->others, m->streamed_ms);
    if (m->streamed_ms) tell_last(t, context, m->streamed_table, m->streamed_op, cdc->position.lsn);
    GAUGE("Connected", "Whether the stream runs.", cdc->phase == CDC_STREAM);
    tell_lag(t, context);
    COUNT("NumberOfCommittedTransactions", "Transactions streamed.", m->commits);
    GAUGE("LastTransactionId", "xid of the last one.", (double)m->transaction);
    with(t, GAUGE("SourceEventPosition", "Of the last message.", (double)cdc->position.lsn), "key",
         "lsn");
    if (cdc->settings.xmin_ms)
        with(t, GAUGE("SourceEventPosition", "Of the last message.", (double)cdc->xmin), "key",
             "xmin");
    COUNT("NumberOfUnchangedEventsSkipped", "Updates that changed nothing captured.", m->unchanged);
    BY_TABLE(COUNT, "NumberOfCreateEventsSeen", "Inserts of a table.", table->captured,
             table->creates)
    BY_TABLE(COUNT, "NumberOfUpdateEventsSeen", "Updates of a table.", table->captured,
             table->updates)
    BY_TABLE(COUNT, "NumberOfDeleteEventsSeen", "Deletes of a table.", table->captured,
             table->deletes)
    BY_TABLE(COUNT, "NumberOfTruncateEventsSeen", "Truncates of a table.", table->captured,
             table->truncates)
    tell_wal(t, context);
}

static void tell_one_progress(struct telling *t, const struct sluice_progress *p, bool incremental)
{
    static const char context[] = "snapshot";
    if (!incremental) {
        GAUGE("SnapshotPercent", "About how much of the tables was read.", p->percent);
        if (p->remaining_s >= 0)
            GAUGE("SnapshotRemainingSeconds", "Estimate of the rest.", p->remaining_s);
        if (p->expected >= 0)
            GAUGE("SnapshotExpectedRows", "Rows of all tables, by statistics.", p->expected);
        if (p->rate >= 0) GAUGE("SnapshotRowsPerSecond", "In the last minute.", p->rate);
        return;
    }
    GAUGE("IncrementalSnapshotRowsScanned", "Rows read.", (double)p->done);
    if (p->percent >= 0)
        GAUGE("IncrementalSnapshotPercent", "About how much of its tables was read.", p->percent);
    if (p->remaining_s >= 0)
        GAUGE("IncrementalSnapshotRemainingSeconds", "Estimate of the rest.", p->remaining_s);
    if (p->expected >= 0)
        GAUGE("IncrementalSnapshotExpectedRows", "Rows of its tables, by statistics.", p->expected);
    if (p->rate >= 0) GAUGE("IncrementalSnapshotRowsPerSecond", "In the last minute.", p->rate);
}

static void tell_progress(struct telling *t, struct cdc_chunk_view *view, bool incremental)
{
    static const char context[] = "snapshot";
    struct sluice_progress progress;
    char *part;
    if (cdc_progress_snapshot(t->cdc, &progress, &part)) {
        tell_one_progress(t, &progress, false);
        free(part);
    }
    GAUGE("IncrementalSnapshotTables", "Tables that incremental snapshots are still to read.",
          incremental ? (double)view->tables : 0);
    if (cdc_progress_incremental(t->cdc, &progress, &part)) {
        tell_one_progress(t, &progress, true);
        free(part);
    }
    if (!incremental) return;
    TEXT("ChunkId", "The chunk that is being read.", view->chunk);
    TEXT("ChunkFrom", "Its first key.", view->from);
    TEXT("ChunkTo", "Its last key.", view->to);
    TEXT("TableFrom", "The first key of the table that is being read.", view->table_from);
    TEXT("TableTo", "Its greatest key.", view->table_to);
}

static void tell_tables(struct telling *t, const char *context)
{
    BY_TABLE(GAUGE, "RowsScanned", "Rows read of a table.", table->scanned, table->rows)
    BY_TABLE(GAUGE, "TableChunkCounts", "Ranges of a table that threads read.", table->chunks,
             table->chunks)
    BY_TABLE(GAUGE, "TableChunksCompletedCounts", "Those that were read.", table->chunks,
             table->chunks_done)
}

static bool runs(const struct cdc *cdc)
{
    return cdc->phase >= CDC_SNAPSHOT_BEGIN && cdc->phase <= CDC_SNAPSHOT_END;
}

static void tell_snapshot(struct telling *t, struct cdc_chunk_view *view, bool incremental)
{
    static const char context[] = "snapshot";
    const struct cdc *cdc = t->cdc;
    const struct cdc_meters *m = &cdc->meters;
    bool running = runs(cdc);
    int64_t duration_ms = running ? cdc_now_ms() - cdc->snapshot_started_ms : m->duration_ms;
    int64_t paused_ms = m->paused_ms + (m->paused_since_ms ? cdc_now_ms() - m->paused_since_ms : 0);
    tell_both(t, context, m->reads, m->read_ms);
    if (m->read_ms) tell_last(t, context, m->read_table, 'r', cdc->snapshot_at.lsn);
    GAUGE("TotalTableCount", "Tables of the snapshot.", (double)m->tables);
    GAUGE("RemainingTableCount", "Tables that are still to be read.", (double)m->remaining);
    GAUGE("SnapshotRunning", "Whether a snapshot runs.", running || incremental);
    GAUGE("SnapshotPaused", "Whether an incremental snapshot is paused.", m->paused_since_ms != 0);
    GAUGE("SnapshotAborted", "Whether the last one was cut.", m->aborted && !running);
    GAUGE("SnapshotCompleted", "Whether the last one is complete.", m->completed && !running);
    GAUGE("SnapshotSkipped", "Whether none was taken at the start.", m->skipped);
    GAUGE("SnapshotDurationInSeconds", "How long it runs, or ran.", (double)(duration_ms / 1000));
    GAUGE("SnapshotPausedDurationInSeconds", "How long it was paused.", (double)(paused_ms / 1000));
    tell_progress(t, view, incremental);
    tell_tables(t, context);
}

static void tell_notices(struct telling *t)
{
    static const char context[] = "notifications";
    const struct cdc_meters *m = &t->cdc->meters;
    for (size_t i = 0; i < CDC_NOTICE_KINDS && m->notices[i].n; i++) {
        struct sluice_metric *metric = COUNT("Notifications", "Made so far.", m->notices[i].n);
        with(t, metric, "aggregate_type", m->notices[i].aggregate);
        with(t, metric, "type", m->notices[i].type);
    }
}

static void tell_all(struct cdc *cdc)
{
    struct telling t = {.cdc = cdc};
    struct cdc_chunk_view view = {0};
    bool incremental = cdc_incremental_view(cdc, &view);
    tell_streaming(&t);
    tell_snapshot(&t, &view, incremental);
    tell_notices(&t);
    cdc->host->metrics(cdc->task, t.metrics, t.n);
    for (size_t i = 0; i < t.n; i++) free((struct sluice_label *)t.metrics[i].labels);
    free(t.metrics);
    if (incremental) cdc_chunk_view_free(&view);
}

void cdc_meters_tell(struct cdc *cdc)
{
    struct cdc_meters *m = &cdc->meters;
    if (cdc->room->records > m->room_records) m->room_records = cdc->room->records;
    if (cdc->room->bytes > m->room_bytes) m->room_bytes = cdc->room->bytes;
    int64_t now_ms = cdc_now_ms();
    if (now_ms < m->next_ms) return;
    m->next_ms = now_ms + TELL_MS;
    if (cdc->snapshot_told && cdc->copying) {
        const struct cdc_progress *p = &m->progress;
        cdc_meter_scanned(cdc, cdc->table_rows, p->chunks, p->chunks_done);
    }
    cdc_progress_tell(cdc);
    if (cdc->host->abi_minor >= 2) tell_all(cdc);
}
