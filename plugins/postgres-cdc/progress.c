/* progress.c - see progress.h. */
#include "progress.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdc.h"

#define STEP_MS 5000
#define LOG_MS 10000
#define HERE_MAX 0.99 /* a table that is being read is not read, whatever the statistics say */

/* ---- the pace ---- */

void cdc_pace_start(struct cdc_pace *pace, int64_t now_ms)
{
    memset(pace, 0, sizeof(*pace));
    pace->seen[0].at_ms = pace->logged_ms = now_ms;
    pace->n = pace->next = 1;
}

static uint32_t oldest(const struct cdc_pace *pace) { return pace->n < CDC_PACES ? 0 : pace->next; }

void cdc_pace_note(struct cdc_pace *pace, int64_t now_ms, uint64_t rows, double part)
{
    assert(pace->n && pace->next < CDC_PACES);
    uint32_t last = (pace->next + CDC_PACES - 1) % CDC_PACES;
    if (now_ms - pace->seen[last].at_ms < STEP_MS) return;
    pace->seen[pace->next].at_ms = now_ms;
    pace->seen[pace->next].rows = rows;
    pace->seen[pace->next].part = part;
    pace->next = (pace->next + 1) % CDC_PACES;
    if (pace->n < CDC_PACES) pace->n++;
}

double cdc_pace_rate(const struct cdc_pace *pace, int64_t now_ms, uint64_t rows)
{
    uint32_t from = oldest(pace);
    if (!pace->n || now_ms <= pace->seen[from].at_ms || rows < pace->seen[from].rows) return -1;
    return (double)(rows - pace->seen[from].rows) / (double)(now_ms - pace->seen[from].at_ms) *
           1000;
}

double cdc_pace_rest(const struct cdc_pace *pace, int64_t now_ms, double part)
{
    uint32_t from = oldest(pace);
    if (!pace->n || part < 0 || pace->seen[from].part < 0) return -1;
    double step = part - pace->seen[from].part;
    if (step <= 0 || now_ms <= pace->seen[from].at_ms) return -1;
    return (1 - part) * (double)(now_ms - pace->seen[from].at_ms) / step / 1000;
}

/* ---- initial and blocking snapshots ---- */

/* Before Postgres 14, 0 is also what a table has that was never looked at. */
double cdc_expected_rows(double reltuples, uint64_t bytes)
{
    if (!bytes) return 0;
    return reltuples > 0 ? reltuples : -1;
}

void cdc_progress_begin(struct cdc *cdc, double rows)
{
    struct cdc_progress *p = &cdc->meters.progress;
    cdc_pace_start(&p->snapshot, cdc_now_ms());
    p->snapshot_began_ms = cdc_wall_ns() / 1000000;
    p->rows_before = 0;
    p->rows_here = 0;
    p->rows_after = rows;
    p->chunks = p->chunks_done = 0;
}

void cdc_progress_table(struct cdc *cdc, uint32_t chunks, uint32_t readers)
{
    struct cdc_progress *p = &cdc->meters.progress;
    const struct cdc_table *table = &cdc->tables[cdc->table_at];
    if (!chunks) { /* it begins; how it is divided comes later */
        p->rows_here = cdc_expected_rows(table->rows, table->bytes);
        if (p->rows_here < 0) p->rows_after = -1;
        else if (p->rows_after >= 0) p->rows_after = fmax(p->rows_after - p->rows_here, 0);
    }
    p->chunks = chunks;
    p->chunks_done = 0;
    p->chunk_readers = readers;
}

void cdc_progress_table_done(struct cdc *cdc)
{
    struct cdc_progress *p = &cdc->meters.progress;
    p->rows_before += cdc->table_rows;
    p->rows_here = 0;
    p->chunks = p->chunks_done = 0;
}

/* How much of the table under way was read. A row's text is about as long as its place in the
 * heap, for want of anything better; how many ranges of pages are done limits both. */
static double part_here(const struct cdc *cdc, uint64_t bytes)
{
    const struct cdc_progress *p = &cdc->meters.progress;
    double part = p->rows_here > 0 ? (double)cdc->table_rows / p->rows_here
                  : bytes          ? (double)cdc->bytes_copied / (double)bytes
                                   : 0;
    if (p->chunks > 1) {
        part = fmax(part, (double)p->chunks_done / p->chunks);
        part = fmin(part, (double)(p->chunks_done + p->chunk_readers) / p->chunks);
    }
    return fmin(part, HERE_MAX);
}

bool cdc_progress_snapshot(const struct cdc *cdc, struct sluice_progress *out, char **part)
{
    const struct cdc_progress *p = &cdc->meters.progress;
    const struct cdc_meters *m = &cdc->meters;
    if (!cdc->snapshot_told) return false;
    int64_t now_ms = cdc_now_ms();
    bool reads = cdc->phase == CDC_SNAPSHOT_OPEN || cdc->phase == CDC_SNAPSHOT_COPY;
    const struct cdc_table *table = reads ? &cdc->tables[cdc->table_at] : NULL;
    double all = (double)cdc->bytes_total, done = (double)cdc->bytes_done;
    double here = table ? part_here(cdc, table->bytes) : 0;
    if (table) done += (double)table->bytes * here;
    if (!cdc->bytes_total) { /* nothing but empty tables, as it seems */
        all = (double)m->tables;
        done = (double)(m->tables - m->remaining) + here;
    }
    double of_all = all > 0 ? fmin(done / all, 1) : 1;
    uint64_t rows = p->rows_before + (table ? cdc->table_rows : 0);
    double expected = -1;
    if (p->rows_after >= 0 && p->rows_here >= 0)
        expected = fmax((double)rows, (double)p->rows_before + p->rows_here) + p->rows_after;
    *part = table ? cdc_format("%s.%s", table->schema, table->name) : NULL;
    *out =
        (struct sluice_progress){.size = sizeof(*out),
                                 .what = cdc->blocking ? "blocking snapshot" : "initial snapshot",
                                 .part = *part,
                                 .unit = "rows",
                                 .parts_done = m->tables - m->remaining,
                                 .parts = m->tables,
                                 .done = rows,
                                 .expected = expected,
                                 .percent = of_all * 100,
                                 .rate = cdc_pace_rate(&p->snapshot, now_ms, rows),
                                 .remaining_s = cdc_pace_rest(&p->snapshot, now_ms, of_all),
                                 .started_ms = p->snapshot_began_ms};
    return true;
}

/* ---- incremental ones ---- */

bool cdc_progress_incremental(const struct cdc *cdc, struct sluice_progress *out, char **part)
{
    const struct cdc_progress *p = &cdc->meters.progress;
    struct cdc_chunk_view view;
    if (!cdc_incremental_view(cdc, &view)) return false;
    int64_t now_ms = cdc_now_ms();
    double of_all = view.expected > 0 ? fmin((double)view.all_rows / view.expected, HERE_MAX) : -1;
    *part = cdc_strdup(view.table);
    *out = (struct sluice_progress){.size = sizeof(*out),
                                    .what = "incremental snapshot",
                                    .part = *part,
                                    .unit = "rows",
                                    .parts_done = view.tables_done,
                                    .parts = view.tables_done + view.tables,
                                    .done = view.all_rows,
                                    .expected = view.expected,
                                    .percent = of_all < 0 ? -1 : of_all * 100,
                                    .rate = cdc_pace_rate(&p->incremental, now_ms, view.all_rows),
                                    .remaining_s = cdc_pace_rest(&p->incremental, now_ms, of_all),
                                    .started_ms = p->incremental_began_ms,
                                    .paused = view.paused};
    if (view.paused) out->remaining_s = -1;
    cdc_chunk_view_free(&view);
    return true;
}

/* ---- telling ---- */

static void log_one(const struct cdc *cdc, const struct sluice_progress *p)
{
    char percent[48] = "", rest[64] = "", of[48] = "", rate[48] = "";
    if (p->percent >= 0) snprintf(percent, sizeof(percent), "about %.1f %%, ", p->percent);
    if (p->expected >= 0) snprintf(of, sizeof(of), " of about %.0f", p->expected);
    if (p->rate >= 0) snprintf(rate, sizeof(rate), " (%.0f a second)", p->rate);
    if (p->remaining_s >= 0) snprintf(rest, sizeof(rest), "; about %.0f s to go", p->remaining_s);
    cdc->host->log(cdc->task, SLUICE_INFO, "%s%s: %s%llu%s rows%s, %llu of %llu tables%s%s%s",
                   p->what, p->paused ? " (paused)" : "", percent, (unsigned long long)p->done, of,
                   rate, (unsigned long long)p->parts_done, (unsigned long long)p->parts,
                   p->part ? ", now " : "", p->part ? p->part : "", rest);
}

static void note(const struct cdc *cdc, struct cdc_pace *pace, const struct sluice_progress *p)
{
    int64_t now_ms = cdc_now_ms();
    cdc_pace_note(pace, now_ms, p->done, p->percent < 0 ? -1 : p->percent / 100);
    if (now_ms - pace->logged_ms < LOG_MS || p->paused) return;
    pace->logged_ms = now_ms;
    log_one(cdc, p);
}

void cdc_progress_tell(struct cdc *cdc)
{
    struct cdc_progress *p = &cdc->meters.progress;
    struct sluice_progress list[2];
    char *parts[2] = {NULL, NULL};
    size_t n = 0;
    if (cdc_progress_snapshot(cdc, &list[n], &parts[n])) note(cdc, &p->snapshot, &list[n++]);
    if (cdc_progress_incremental(cdc, &list[n], &parts[n])) note(cdc, &p->incremental, &list[n++]);
    if (cdc->host->abi_minor >= 3 && (n || p->told)) cdc->host->progress(cdc->task, list, n);
    p->told = n > 0;
    for (size_t i = 0; i < n; i++) free(parts[i]);
}
