/* meters.c - see meters.h. */
#include "meters.h"

#include <stdlib.h>
#include <string.h>

#include "cdc.h"

#define TELL_MS 1000
#define METRICS_MAX 256
#define TABLES_MAX 64 /* of RowsScanned and CapturedTables */
#define LABELS_MAX 16

struct telling {
    const struct cdc *cdc;
    struct sluice_metric metrics[METRICS_MAX];
    struct sluice_label labels[METRICS_MAX][LABELS_MAX];
    char *owned[METRICS_MAX];
    size_t n, owned_n;
};

void cdc_meter_event(struct cdc *cdc, char op, bool snapshot)
{
    struct cdc_meters *m = &cdc->meters;
    int64_t now_ms = cdc->now_ns / 1000000;
    if (snapshot) {
        m->reads++;
        m->read_ms = now_ms;
        return;
    }
    m->streamed_ms = now_ms;
    switch (op) {
    case 'c': m->creates++; break;
    case 'u': m->updates++; break;
    case 'd': m->deletes++; break;
    default: m->others++;
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

static struct sluice_metric *add(struct telling *t, const char *context, const char *name,
                                 const char *help, bool counter, double value)
{
    static struct sluice_metric nowhere;
    const struct cdc_settings *s = &t->cdc->settings;
    if (t->n == METRICS_MAX) return &nowhere;
    struct sluice_label *labels = t->labels[t->n];
    struct sluice_metric *metric = &t->metrics[t->n++];
    size_t n = 0;
    labels[n++] = (struct sluice_label){"plugin", "postgres"};
    labels[n++] = (struct sluice_label){"name", s->prefix};
    labels[n++] = (struct sluice_label){"context", context};
    for (size_t i = 0; i < s->metric_tags_n && n < LABELS_MAX - 1; i++)
        labels[n++] = s->metric_tags[i];
    *metric = (struct sluice_metric){.size = sizeof(*metric),
                                     .counter = counter,
                                     .name = name,
                                     .help = help,
                                     .labels = labels,
                                     .labels_n = n,
                                     .value = value};
    return metric;
}

static void add_table(struct telling *t, const char *context, const char *name, const char *help,
                      const struct cdc_table *table, double value)
{
    struct sluice_metric *metric = add(t, context, name, help, false, value);
    if (!metric->labels || t->owned_n == METRICS_MAX) return;
    char *full = t->owned[t->owned_n++] = cdc_format("%s.%s", table->schema, table->name);
    t->labels[t->n - 1][metric->labels_n++] = (struct sluice_label){"table", full};
}

#define GAUGE(name, help, value) add(t, context, "debezium_metrics_" name, help, false, value)
#define COUNT(name, help, value)                                                                   \
    add(t, context, "debezium_metrics_" name, help, true, (double)(value))

static void tell_both(struct telling *t, const char *context, uint64_t events, int64_t last_ms)
{
    const struct cdc *cdc = t->cdc;
    const struct cdc_meters *m = &cdc->meters;
    int64_t now_ms = cdc_wall_ns() / 1000000;
    GAUGE("MilliSecondsSinceLastEvent", "Since the last event; -1: none came.",
          last_ms ? (double)(now_ms - last_ms) : -1);
    COUNT("TotalNumberOfEventsSeen", "Events emitted.", events);
    COUNT("NumberOfEventsFiltered", "Changes of tables that are not captured.", m->filtered);
    COUNT("NumberOfErroneousEvents", "Values that could not be converted.", m->erroneous);
    GAUGE("QueueTotalCapacity", "Records that may be in flight.", (double)m->room_records);
    GAUGE("QueueRemainingCapacity", "Records that may come now.", (double)cdc->room->records);
    GAUGE("MaxQueueSizeInBytes", "Bytes that may be in flight.", (double)m->room_bytes);
    GAUGE("CurrentQueueSizeInBytes", "Bytes in flight.",
          m->room_bytes > cdc->room->bytes ? (double)(m->room_bytes - cdc->room->bytes) : 0);
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

static void tell_streaming(struct telling *t)
{
    static const char context[] = "streaming";
    const struct cdc *cdc = t->cdc;
    const struct cdc_meters *m = &cdc->meters;
    tell_both(t, context, m->creates + m->updates + m->deletes + m->others, m->streamed_ms);
    GAUGE("Connected", "Whether the stream runs.", cdc->phase == CDC_STREAM);
    tell_lag(t, context);
    COUNT("NumberOfCommittedTransactions", "Transactions streamed.", m->commits);
    GAUGE("LastTransactionId", "xid of the last one.", (double)m->transaction);
    GAUGE("SourceEventPosition", "LSN of the last message.", (double)cdc->position.lsn);
    COUNT("TotalNumberOfCreateEventsSeen", "Inserts emitted.", m->creates);
    COUNT("TotalNumberOfUpdateEventsSeen", "Updates emitted.", m->updates);
    COUNT("TotalNumberOfDeleteEventsSeen", "Deletes emitted.", m->deletes);
    COUNT("NumberOfUnchangedEventsSkipped", "Updates that changed nothing captured.", m->unchanged);
}

static bool runs(const struct cdc *cdc)
{
    return cdc->phase >= CDC_SNAPSHOT_BEGIN && cdc->phase <= CDC_SNAPSHOT_END;
}

static void tell_progress(struct telling *t, const char *context)
{
    double percent, seconds;
    const struct cdc *cdc = t->cdc;
    if (runs(cdc) && cdc_snapshot_progress(cdc, &percent, &seconds)) {
        GAUGE("SnapshotPercent", "About how much of the tables was read.", percent);
        GAUGE("SnapshotRemainingSeconds", "Estimate of the rest.", seconds);
    }
    struct cdc_chunk_view view;
    bool incremental = cdc_incremental_view(cdc, &view);
    GAUGE("IncrementalSnapshotTables", "Tables that incremental snapshots are still to read.",
          incremental ? (double)view.tables : 0);
    GAUGE("IncrementalSnapshotRowsScanned", "Rows read of the table that is being read.",
          incremental ? (double)view.rows : 0);
    if (incremental && view.percent >= 0)
        GAUGE("IncrementalSnapshotPercent", "About how much of that table was read.", view.percent);
    if (!incremental) return;
    /* Words stand in labels. */
    struct sluice_metric *metric =
        GAUGE("IncrementalSnapshotChunk", "The chunk that is being read.", 1);
    const char *const keys[] = {"table", "ChunkId", "TableTo", "ChunkFrom"};
    const char *const values[] = {view.table, view.chunk, view.table_to, view.from};
    for (size_t i = 0; i < 4 && metric->labels && metric->labels_n < LABELS_MAX; i++) {
        char *value = t->owned[t->owned_n++] = cdc_strdup(values[i] ? values[i] : "");
        t->labels[t->n - 1][metric->labels_n++] = (struct sluice_label){keys[i], value};
    }
    cdc_chunk_view_free(&view);
}

static void tell_snapshot(struct telling *t)
{
    static const char context[] = "snapshot";
    const struct cdc *cdc = t->cdc;
    const struct cdc_meters *m = &cdc->meters;
    bool running = runs(cdc);
    int64_t duration_ms = running ? cdc_now_ms() - cdc->snapshot_started_ms : m->duration_ms;
    int64_t paused_ms = m->paused_ms + (m->paused_since_ms ? cdc_now_ms() - m->paused_since_ms : 0);
    tell_both(t, context, m->reads, m->read_ms);
    GAUGE("TotalTableCount", "Tables of the snapshot.", (double)m->tables);
    GAUGE("RemainingTableCount", "Tables that are still to be read.", (double)m->remaining);
    GAUGE("SnapshotRunning", "Whether a snapshot runs.", running || cdc_incremental_runs(cdc));
    GAUGE("SnapshotPaused", "Whether an incremental snapshot is paused.", m->paused_since_ms != 0);
    GAUGE("SnapshotAborted", "Whether the last one was cut.", m->aborted && !running);
    GAUGE("SnapshotCompleted", "Whether the last one is complete.", m->completed && !running);
    GAUGE("SnapshotSkipped", "Whether none was taken at the start.", m->skipped);
    GAUGE("SnapshotDurationInSeconds", "How long it runs, or ran.", (double)(duration_ms / 1000));
    GAUGE("SnapshotPausedDurationInSeconds", "How long it was paused.", (double)(paused_ms / 1000));
    tell_progress(t, context);
    for (size_t i = 0; i < cdc->tables_n && i < TABLES_MAX && running; i++)
        add_table(t, context, "debezium_metrics_RowsScanned", "Rows read of a table.",
                  &cdc->tables[i], (double)cdc->tables[i].scanned);
}

void cdc_meters_tell(struct cdc *cdc)
{
    struct cdc_meters *m = &cdc->meters;
    if (cdc->room->records > m->room_records) m->room_records = cdc->room->records;
    if (cdc->room->bytes > m->room_bytes) m->room_bytes = cdc->room->bytes;
    int64_t now_ms = cdc_now_ms();
    if (now_ms < m->next_ms || cdc->host->abi_minor < 2) return;
    m->next_ms = now_ms + TELL_MS;
    struct telling *t = cdc_alloc(sizeof(*t));
    t->cdc = cdc;
    tell_streaming(t);
    tell_snapshot(t);
    cdc->host->metrics(cdc->task, t->metrics, t->n);
    for (size_t i = 0; i < t->owned_n; i++) free(t->owned[i]);
    free(t);
}
