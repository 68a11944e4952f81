/* snapshot.c - the tables' content, through COPY on one snapshot.
 *
 * With a new slot it is the snapshot that the slot's creation exported, so that stream and rows fit
 * without a gap or an overlap. With an older slot it is a snapshot of its own, and the stream is
 * read from where the slot stands: changes before the snapshot come twice, none is missed.
 *
 * With snapshot.max.threads, helper threads read ranges of a table's pages (readers.h); tables
 * still come one after the other.
 *
 * A row's marker says whether it is the last of its table or of all, which is only known once the
 * next row, or the end, has come: one row is always held back. */
#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "cdc.h"
#include "watch.h"

#define RANGES_PER_THREAD 4
#define RANGE_PAGES_MIN 512u   /* 4 MiB */
#define RANGE_PAGES_MAX 32768u /* 256 MiB */

static bool wanted(const struct cdc *cdc, const struct cdc_table *table)
{
    if (cdc->blocking) return true;
    if (!cdc_filters_pass(&cdc->settings, table->schema, table->name)) return false;
    if (!cdc->settings.snapshot_include.n) return true;
    char *name = cdc_format("%s.%s", table->schema, table->name);
    bool match = cdc_patterns_match(&cdc->settings.snapshot_include, name) >= 0;
    free(name);
    return match;
}

/* "s.a,s.b": those that are read, or all that are captured. */
static char *table_names(const struct cdc *cdc, bool all)
{
    struct cdc_text text = {0};
    cdc_text_adds(&text, "");
    for (size_t i = 0; i < cdc->tables_n; i++)
        if (all || wanted(cdc, &cdc->tables[i]))
            cdc_text_addf(&text, "%s%s.%s", text.len ? "," : "", cdc->tables[i].schema,
                          cdc->tables[i].name);
    return text.s;
}

static void tell_table(struct cdc *cdc, bool done)
{
    const struct cdc_table *table = &cdc->tables[cdc->table_at];
    if (!cdc->settings.notify_topic && !cdc->settings.notify_log) return;
    char *name = cdc_format("%s.%s", table->schema, table->name), *all = table_names(cdc, done);
    char *rows = cdc_format("%llu", (unsigned long long)cdc->table_rows);
    if (done)
        cdc_notify(cdc, CDC_INITIAL_SNAPSHOT, NULL, "TABLE_SCAN_COMPLETED", "scanned_collection",
                   name, "data_collections", all, "total_rows_scanned", rows, "status", "SUCCEEDED",
                   NULL);
    else
        cdc_notify(cdc, CDC_INITIAL_SNAPSHOT, NULL, "IN_PROGRESS", "current_collection_in_progress",
                   name, "data_collections", all, NULL);
    free(name);
    free(all);
    free(rows);
}

/* A range of a table that threads read: it begins, or (done) it was read. */
static void tell_chunk(struct cdc *cdc, uint32_t chunk, bool done)
{
    const struct cdc_table *table = &cdc->tables[cdc->table_at];
    if (!cdc->settings.notify_topic && !cdc->settings.notify_log) return;
    char *name = cdc_format("%s.%s", table->schema, table->name);
    char *index = cdc_format("%u", chunk), *n = cdc_format("%u", cdc->meters.progress.chunks);
    if (done) {
        char *all = table_names(cdc, true);
        cdc_notify(cdc, CDC_INITIAL_SNAPSHOT, NULL, "TABLE_CHUNK_COMPLETED", "scanned_collection",
                   name, "data_collections", all, "chunk_index", index, "total_chunks", n, "status",
                   "SUCCEEDED", NULL);
        free(all);
    } else {
        char *rows = cdc_format("%llu", (unsigned long long)cdc->table_rows);
        cdc_notify(cdc, CDC_INITIAL_SNAPSHOT, NULL, "TABLE_CHUNK_IN_PROGRESS",
                   "current_collection_in_progress", name, "chunk_index", index, "total_chunks", n,
                   "total_rows_scanned", rows, NULL);
        free(rows);
    }
    free(name);
    free(index);
    free(n);
}

static int by_rows(const void *a, const void *b)
{
    double x = ((const struct cdc_table *)a)->rows, y = ((const struct cdc_table *)b)->rows;
    return (x > y) - (x < y);
}

static int by_rows_down(const void *a, const void *b) { return by_rows(b, a); }

/* What is told of a snapshot that begins, and where it stands. */
static void count_tables(struct cdc *cdc)
{
    struct cdc_meters *m = &cdc->meters;
    if (cdc->settings.row_order != CDC_AS_CONFIGURED)
        qsort(cdc->tables, cdc->tables_n, sizeof(*cdc->tables),
              cdc->settings.row_order == CDC_ASCENDING ? by_rows : by_rows_down);
    double rows = 0;
    m->tables = 0;
    for (size_t i = 0; i < cdc->tables_n; i++) {
        cdc->tables[i].scanned = 0;
        if (!wanted(cdc, &cdc->tables[i])) continue;
        double its = cdc_expected_rows(cdc->tables[i].rows, cdc->tables[i].bytes);
        rows = its < 0 || rows < 0 ? -1 : rows + its;
        cdc->bytes_total += cdc->tables[i].bytes;
        m->tables++;
    }
    cdc_meter_snapshot(cdc);
    cdc_progress_begin(cdc, rows);
    m->remaining = m->tables;
    m->completed = m->aborted = m->skipped = false;
    cdc->snapshot_told = true;
    cdc_notify(cdc, CDC_INITIAL_SNAPSHOT, NULL, "STARTED", NULL);
}

static void over(struct cdc *cdc, bool completed)
{
    cdc->snapshot_told = false;
    cdc->meters.completed = completed;
    cdc->meters.aborted = !completed;
    cdc->meters.duration_ms = cdc_now_ms() - cdc->snapshot_started_ms;
    cdc_notify(cdc, CDC_INITIAL_SNAPSHOT, NULL, completed ? "COMPLETED" : "ABORTED", NULL);
}

enum { LOOK = 4 }; /* of the results, the one that tells where the snapshot stands */

static enum cdc_step begin(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    const struct cdc_settings *s = &cdc->settings;
    struct cdc_text sql = {0};
    if (*cdc->slot.snapshot) {
        cdc_text_adds(&sql, "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT ");
        cdc_text_literal(&sql, cdc->slot.snapshot);
    } else { /* a standby knows no serializable ones */
        bool weaker = cdc->standby && !strncmp(s->isolation, "SERIALIZABLE", 12);
        cdc_text_addf(&sql, "BEGIN; SET TRANSACTION ISOLATION LEVEL %s",
                      weaker ? "REPEATABLE READ" : s->isolation);
    }
    cdc_text_adds(&sql, "; " CDC_NO_TIMEOUTS "; SELECT CASE WHEN pg_is_in_recovery() "
                        "THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, "
                        "CASE WHEN pg_is_in_recovery() THEN 0 ELSE txid_current() END, "
                        "(extract(epoch FROM CURRENT_TIMESTAMP) * 1000000)::bigint");
    if (s->snapshot_threads > 1) cdc_text_adds(&sql, ", pg_export_snapshot()");
    enum cdc_step step =
        cdc_conn_query(&cdc->general, s, sql.s, "beginning the snapshot", wait, err);
    cdc_text_free(&sql);
    if (step != CDC_DONE) return step;
    const struct cdc_conn *conn = &cdc->general;
    assert(conn->results_n == LOOK + 1);
    uint64_t lsn = 0;
    cdc_lsn_parse(cdc_conn_field(conn, LOOK, 0, 0), &lsn);
    struct cdc_position *p = &cdc->snapshot_at;
    uint64_t commit = cdc->has_position ? cdc->position.lsn_commit : 0;
    if (!commit && cdc->slot.exists && !cdc->slot.created) commit = cdc->slot.confirmed;
    memset(p, 0, sizeof(*p));
    p->state = cdc->position.state;
    p->age = cdc->position.age;
    p->lsn = *cdc->slot.snapshot ? cdc->slot.confirmed : lsn;
    p->lsn_commit = p->last_commit = commit;
    p->txid = strtoull(cdc_conn_field(conn, LOOK, 0, 1), NULL, 10);
    p->ts_us = strtoll(cdc_conn_field(conn, LOOK, 0, 2), NULL, 10);
    p->snapshot = CDC_IN_SNAPSHOT;
    /* One that a signal asked for leaves the stream's position as it is. */
    if (!cdc->blocking) cdc->position = *p;
    cdc->has_position = true;
    cdc->slot.snapshot[0] = 0; /* it serves once */
    cdc->table_at = 0;
    cdc->any_row = cdc->any_table = false;
    cdc->snapshot_rows = 0;
    cdc->snapshot_started_ms = cdc_now_ms();
    cdc->bytes_total = cdc->bytes_done = cdc->bytes_copied = 0;
    count_tables(cdc);
    assert(!cdc->readers);
    if (s->snapshot_threads > 1 &&
        !(cdc->readers =
              cdc_readers_start(s, cdc_conn_field(conn, LOOK, 0, 3), s->snapshot_threads, err)))
        return CDC_ERROR;
    char text[24];
    cdc->host->log(cdc->task, SLUICE_INFO, "snapshot of %zu tables begins at %s", cdc->tables_n,
                   cdc_lsn_text(p->lsn, text));
    cdc->phase = CDC_SNAPSHOT_TABLE;
    return CDC_DONE;
}

/* ---- one table ---- */

static enum cdc_step next_table(struct cdc *cdc, const struct cdc_wait *wait,
                                struct sluice_err *err)
{
    while (cdc->table_at < cdc->tables_n && !wanted(cdc, &cdc->tables[cdc->table_at]))
        cdc->table_at++;
    if (cdc->table_at == cdc->tables_n) {
        cdc->phase = CDC_SNAPSHOT_END;
        return CDC_DONE;
    }
    const struct cdc_table *table = &cdc->tables[cdc->table_at];
    assert(!cdc->copying);
    enum cdc_step step = cdc_relation_load(cdc, table->oid, table->schema, table->name, NULL, wait,
                                           &cdc->copying, err);
    if (step != CDC_DONE) return step;
    cdc->table_rows = 0;
    cdc_meter_reads(cdc, table->schema, table->name);
    cdc_progress_table(cdc, 0, 0);
    tell_table(cdc, false);
    cdc->phase = CDC_SNAPSHOT_OPEN;
    return CDC_DONE;
}

/* Owned, NULL: none. */
static char *override_of(const struct cdc *cdc, const struct cdc_table *table)
{
    if (cdc->blocking) return cdc_blocking_select(cdc, table);
    char *name = cdc_format("%s.%s", table->schema, table->name);
    const char *sql = NULL;
    for (size_t i = 0; i < cdc->settings.overrides_n; i++)
        if (!strcmp(cdc->settings.overrides[i].table, name)) sql = cdc->settings.overrides[i].sql;
    free(name);
    return cdc_strdup(sql);
}

static void table_name(struct cdc_text *sql, const struct cdc_table *table)
{
    cdc_text_ident(sql, table->schema);
    cdc_text_adds(sql, ".");
    cdc_text_ident(sql, table->name);
}

static void lock_sql(struct cdc_text *sql, const struct cdc *cdc, const struct cdc_table *table)
{
    if (!cdc->settings.lock_shared) return;
    cdc_text_addf(sql, "SET LOCAL lock_timeout = %d; LOCK TABLE ", cdc->settings.lock_timeout_ms);
    table_name(sql, table);
    cdc_text_adds(sql, " IN ACCESS SHARE MODE; ");
}

/* Of the pages from first to before end; end 0: without end, both 0: of the whole table. */
static void copy_sql(struct cdc_text *sql, const struct cdc *cdc, const struct cdc_table *table,
                     uint64_t first, uint64_t end)
{
    cdc_text_adds(sql, "COPY (SELECT ");
    for (uint32_t i = 0; i < cdc->copying->columns_n; i++) {
        if (i) cdc_text_adds(sql, ", ");
        if (cdc_relation_reads(cdc->copying, i)) cdc_text_ident(sql, cdc->copying->columns[i].name);
        else cdc_text_adds(sql, "NULL");
    }
    char *override = override_of(cdc, table);
    cdc_text_adds(sql, " FROM ");
    if (override) {
        size_t len = strlen(override);
        while (len && strchr("; \t\r\n", override[len - 1])) len--;
        cdc_text_addf(sql, "(%.*s\n) AS sluice_rows", (int)len,
                      override); /* may end in a comment */
    } else {
        table_name(sql, table);
    }
    free(override);
    const char *word = " WHERE";
    if (first) {
        cdc_text_addf(sql, "%s ctid >= '(%llu,0)'::tid", word, (unsigned long long)first);
        word = " AND";
    }
    if (end) cdc_text_addf(sql, "%s ctid < '(%llu,0)'::tid", word, (unsigned long long)end);
    cdc_text_adds(sql, ") TO STDOUT");
}

/* Divides a table of so many pages (0: it cannot be divided) among the readers. */
static void share(struct cdc *cdc, const struct cdc_table *table, uint64_t pages, char *what)
{
    uint64_t step = pages / ((uint64_t)cdc->settings.snapshot_threads * RANGES_PER_THREAD) + 1;
    if (step < RANGE_PAGES_MIN) step = RANGE_PAGES_MIN;
    if (step > RANGE_PAGES_MAX) step = RANGE_PAGES_MAX;
    size_t n = pages ? (size_t)((pages + step - 1) / step) : 1;
    char **statements = cdc_alloc(n * sizeof(*statements));
    for (size_t i = 0; i < n; i++) {
        struct cdc_text sql = {0};
        /* The last range has no end: pages may have come since the table was measured. */
        copy_sql(&sql, cdc, table, i * step, i + 1 < n ? (i + 1) * step : 0);
        statements[i] = sql.s;
    }
    cdc_readers_table(cdc->readers, statements, n, what);
    cdc_progress_table(cdc, (uint32_t)n, (uint32_t)cdc->settings.snapshot_threads);
}

/* Locks and measures the table, then leaves it to the readers. */
static enum cdc_step open_shared(struct cdc *cdc, const struct cdc_table *table, char **what,
                                 const struct cdc_wait *wait, struct sluice_err *err)
{
    struct cdc_text sql = {0};
    lock_sql(&sql, cdc, table);
    cdc_text_addf(&sql,
                  "SELECT CASE WHEN c.relkind = 'r' AND a.amname = 'heap' THEN "
                  "pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::int ELSE 0 "
                  "END FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam "
                  "WHERE c.oid = %u",
                  table->oid);
    enum cdc_step step = cdc_conn_query(&cdc->general, &cdc->settings, sql.s, *what, wait, err);
    cdc_text_free(&sql);
    if (step != CDC_DONE) return step;
    size_t last = cdc->general.results_n - 1;
    uint64_t pages = 0;
    char *override = override_of(cdc, table);
    bool divisible = cdc->server_version >= 140000 && !override;
    free(override);
    if (divisible && PQntuples(cdc->general.results[last]))
        pages = strtoull(cdc_conn_field(&cdc->general, last, 0, 0), NULL, 10);
    share(cdc, table, pages, *what);
    *what = NULL;
    return CDC_DONE;
}

static enum cdc_step open_copy(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    const struct cdc_table *table = &cdc->tables[cdc->table_at];
    char *what = cdc_format("reading %s.%s for the snapshot", table->schema, table->name);
    enum cdc_step step;
    if (cdc->readers) {
        step = open_shared(cdc, table, &what, wait, err);
    } else {
        struct cdc_text sql = {0};
        lock_sql(&sql, cdc, table);
        copy_sql(&sql, cdc, table, 0, 0);
        step = cdc_conn_query(&cdc->general, &cdc->settings, sql.s, what, wait, err);
        cdc_text_free(&sql);
    }
    free(what);
    if (step != CDC_DONE) return step;
    cdc->now_ns = cdc_wall_ns();
    cdc->phase = CDC_SNAPSHOT_COPY;
    return CDC_DONE;
}

/* ---- rows ---- */

static char unescaped(const char **p, const char *end)
{
    char c = *(*p)++;
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    default: (void)end; return c; /* COPY TO escapes nothing else but the backslash itself */
    }
}

bool cdc_copy_split(char *line, int len, struct cdc_tuple *out)
{
    char *to = line;
    const char *p = line, *end = line + len;
    if (len && end[-1] == '\n') end--;
    out->n = 0;
    for (;;) {
        if (out->n == CDC_COLUMNS_MAX) return false;
        struct cdc_cell *cell = &out->cells[out->n++];
        char *start = to;
        cell->kind = 't';
        while (p < end && *p != '\t') {
            if (*p != '\\') {
                *to++ = *p++;
                continue;
            }
            if (++p == end) return false;
            if (*p == 'N' && to == start) {
                cell->kind = 'n';
                p++;
                continue;
            }
            *to++ = unescaped(&p, end);
        }
        cell->s = start;
        cell->len = (uint32_t)(to - start);
        if (p == end) return true;
        p++;
        to++; /* a byte between, so that no cell runs into the next */
    }
}

/* A table without columns gives empty lines. */
static bool emit_held(struct cdc *cdc, const char *marker, struct sluice_err *err)
{
    struct cdc_tuple row = {.cells = cdc->after_cells};
    struct cdc_relation *rel = cdc->held_relation;
    char *line = cdc->held;
    cdc->held = NULL;
    cdc_keep(cdc, line);
    if (!cdc_copy_split(line, cdc->held_len, &row))
        return cdc_error(err, "postgres sent a line for %s.%s that is not COPY's text format",
                         rel->schema, rel->table);
    if (!rel->columns_n) row.n = 0;
    cdc->emitted_bytes += (size_t)cdc->held_len;
    cdc->snapshot_rows++;
    return cdc_emit_snapshot_row(cdc, rel, &row, marker, err);
}

static bool emit_not_last(struct cdc *cdc, bool last_of_table, struct sluice_err *err)
{
    const char *marker = cdc->held_first            ? "first"
                         : last_of_table            ? "last_in_data_collection"
                         : cdc->held_first_of_table ? "first_in_data_collection"
                                                    : "true";
    return emit_held(cdc, marker, err);
}

/* Takes over a row; the one held before is emitted. */
static bool hold(struct cdc *cdc, char *line, int len, struct sluice_err *err)
{
    bool first_of_table = cdc->held_relation != cdc->copying || !cdc->any_row;
    bool ok = true;
    if (cdc->held) {
        ok = emit_not_last(cdc, cdc->held_relation != cdc->copying, err);
        if (cdc->held_relation != cdc->copying)
            cdc_relation_retire(&cdc->relations, cdc->held_relation);
    }
    cdc->held = line;
    cdc->held_len = len;
    cdc->bytes_copied += (uint64_t)len;
    cdc->tables[cdc->table_at].scanned = ++cdc->table_rows;
    cdc->held_relation = cdc->copying;
    cdc->held_first = !cdc->any_row && !cdc->any_table;
    cdc->held_first_of_table = first_of_table;
    cdc->any_row = true;
    return ok;
}

static enum cdc_step table_read(struct cdc *cdc)
{
    const struct cdc_table *table = &cdc->tables[cdc->table_at];
    cdc->host->log(cdc->task, SLUICE_INFO,
                   "snapshot: read %s.%s (%zu of %zu tables, %llu rows in all)", table->schema,
                   table->name, cdc->table_at + 1, cdc->tables_n,
                   (unsigned long long)cdc->snapshot_rows + (cdc->held != NULL));
    tell_table(cdc, true);
    cdc_meter_scanned(cdc, cdc->table_rows, cdc->meters.progress.chunks,
                      cdc->meters.progress.chunks_done);
    cdc_progress_table_done(cdc);
    cdc->meters.remaining--;
    /* The held row may still need it. */
    if (cdc->held_relation != cdc->copying) cdc_relation_retire(&cdc->relations, cdc->copying);
    cdc->copying = NULL;
    cdc->any_table = true; /* "first" is the first row of the first table, not of the first rows */
    cdc->bytes_done += table->bytes;
    cdc->bytes_copied = 0;
    cdc->table_at++;
    cdc->phase = CDC_SNAPSHOT_TABLE;
    return CDC_DONE;
}

static enum cdc_step end_of_table(struct cdc *cdc, struct sluice_err *err)
{
    PGresult *result;
    enum cdc_step step = CDC_DONE;
    const struct cdc_table *table = &cdc->tables[cdc->table_at];
    while ((result = PQgetResult(cdc->general.pg))) {
        if (PQresultStatus(result) == PGRES_FATAL_ERROR && step == CDC_DONE) {
            char *what = cdc_format("reading %s.%s for the snapshot", table->schema, table->name);
            step = cdc_conn_refused(&cdc->general, &cdc->settings, result, what, err);
            free(what);
        }
        PQclear(result);
    }
    return step == CDC_DONE ? table_read(cdc) : step;
}

/* The rows that helper threads read. */
static enum cdc_step copy_shared(struct cdc *cdc, const struct cdc_wait *wait,
                                 struct sluice_err *err)
{
    for (;;) {
        struct cdc_block *block = cdc->block;
        while (block && block->at < block->n) {
            if (!cdc_has_room(cdc)) return CDC_WAIT;
            uint32_t at = block->at++;
            if (!hold(cdc, block->rows[at].s, block->rows[at].len, err)) {
                cdc->hopeless = true;
                return CDC_ERROR;
            }
        }
        if (block && block->ends) {
            cdc->meters.progress.chunks_done++;
            tell_chunk(cdc, block->statement, true);
        }
        cdc_block_free(block);
        cdc->block = NULL;
        struct cdc_wait now = {-1, 0};
        bool fatal = false;
        switch (cdc_readers_take(cdc->readers, &cdc->block, &fatal, err)) {
        case CDC_TAKEN:
            if (cdc->block->begins) tell_chunk(cdc, cdc->block->statement, false);
            break;
        case CDC_TABLE_READ: return table_read(cdc);
        case CDC_READ_FAILED: cdc->hopeless |= fatal; return CDC_ERROR;
        case CDC_NONE_YET:
            if (!cdc_readers_wait(cdc->readers, cdc->emitted ? &now : wait)) return CDC_WAIT;
            cdc->now_ns = cdc_wall_ns();
        }
    }
}

static enum cdc_step copy(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    PGconn *pg = cdc->general.pg;
    for (;;) {
        if (!cdc_has_room(cdc)) return CDC_WAIT;
        char *line;
        int n = PQgetCopyData(pg, &line, 1);
        if (n > 0) {
            if (!hold(cdc, line, n, err)) {
                cdc->hopeless = true;
                return CDC_ERROR;
            }
            continue;
        }
        if (n == -1) return end_of_table(cdc, err);
        if (n == -2) return cdc_conn_broken(&cdc->general, &cdc->settings, "reading a table", err);
        if (cdc->emitted) { /* what there is should not wait for more, but take what has come */
            struct cdc_wait now = {-1, 0};
            if (!cdc_conn_wait(&cdc->general, POLLIN, &now)) return CDC_WAIT;
        } else if (!cdc_conn_wait(&cdc->general, POLLIN, wait)) {
            return CDC_WAIT;
        }
        if (!PQconsumeInput(pg))
            return cdc_conn_broken(&cdc->general, &cdc->settings, "reading a table", err);
        cdc->now_ns = cdc_wall_ns();
    }
}

static enum cdc_step finish(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    if (!cdc_has_room(cdc)) return CDC_WAIT;
    if (!cdc_watch_beside(cdc, false)) {
        cdc_conn_wait(&cdc->replication, POLLIN, wait);
        if (!cdc_watch_beside(cdc, false)) return CDC_WAIT;
    }
    enum cdc_step step =
        cdc_conn_query(&cdc->general, &cdc->settings, "COMMIT", "ending the snapshot", wait, err);
    if (step != CDC_DONE) return step;
    cdc_readers_stop(cdc->readers);
    cdc->readers = NULL;
    bool blocking = cdc->blocking;
    if (blocking) cdc_blocking_done(cdc);
    else cdc->position.snapshot = CDC_SNAPSHOT_DONE;
    if (!cdc->held) {
        cdc_emit_position(cdc, &cdc->position);
    } else if (!emit_held(cdc, "last", err)) {
        cdc->hopeless = true;
        return CDC_ERROR;
    } else {
        cdc_relation_retire(&cdc->relations, cdc->held_relation);
        cdc->held_relation = NULL;
    }
    cdc->host->log(cdc->task, SLUICE_INFO,
                   "snapshot is complete: %llu rows of %zu tables in %lld "
                   "ms",
                   (unsigned long long)cdc->snapshot_rows, cdc->tables_n,
                   (long long)(cdc_now_ms() - cdc->snapshot_started_ms));
    over(cdc, true);
    cdc_tables_free(cdc);
    if (blocking) {
        cdc->blocking = false;
        cdc->phase = CDC_CONNECT_REPLICATION;
        return CDC_DONE;
    }
    cdc->snapshot_due = false;
    cdc->first_start = false;
    if (cdc->settings.heartbeat_ms) cdc_emit_heartbeat(cdc);
    cdc->phase = cdc->settings.streams ? CDC_STREAMING_DELAY : CDC_IDLE;
    cdc->delay_until_ms = cdc_now_ms() + cdc->settings.streaming_delay_ms;
    return CDC_DONE;
}

enum cdc_step cdc_snapshot(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    if (cdc->phase == CDC_SNAPSHOT_OPEN || cdc->phase == CDC_SNAPSHOT_COPY)
        cdc_watch_beside(cdc, true);
    switch (cdc->phase) {
    case CDC_SNAPSHOT_BEGIN: return begin(cdc, wait, err);
    case CDC_SNAPSHOT_TABLE: return next_table(cdc, wait, err);
    case CDC_SNAPSHOT_OPEN: return open_copy(cdc, wait, err);
    case CDC_SNAPSHOT_COPY:
        return cdc->readers ? copy_shared(cdc, wait, err) : copy(cdc, wait, err);
    default: assert(cdc->phase == CDC_SNAPSHOT_END); return finish(cdc, wait, err);
    }
}

void cdc_snapshot_abandon(struct cdc *cdc)
{
    if (cdc->snapshot_told) over(cdc, false);
    cdc->blocking = cdc->watch_due = false;
    cdc_readers_stop(cdc->readers);
    cdc->readers = NULL;
    cdc_block_free(cdc->block);
    cdc->block = NULL;
    if (cdc->held) PQfreemem(cdc->held);
    cdc->held = NULL;
    if (cdc->held_relation && cdc->held_relation != cdc->copying)
        cdc_relation_retire(&cdc->relations, cdc->held_relation);
    if (cdc->copying) cdc_relation_retire(&cdc->relations, cdc->copying);
    cdc->held_relation = cdc->copying = NULL;
    cdc_tables_free(cdc);
}
