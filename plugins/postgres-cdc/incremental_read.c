/* incremental_read.c - tables and chunks of incremental snapshots: see incremental.h.
 *
 * The statements are steps of one round: a mark, the columns, the greatest key once per table, the
 * next rows behind the last key that was read, a mark. An empty table gives way to the next one in
 * the same round. */
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "incremental_parts.h"

#define RETRY_MS 2000
#define ASK_MS 20         /* between questions how far the server is */
#define ESTIMATED_MAX 500 /* tables behind the one that is read, for the estimate */

/* An error of SQL ends what was tried; a broken connection is mended by the next attempt. */
static enum cdc_step query(struct cdc *cdc, const char *sql, const char *what,
                           struct sluice_err *err)
{
    struct cdc_incremental *inc = cdc->incremental;
    const struct cdc_wait now = {-1, 0};
    enum cdc_step step =
        cdc_conn_open(&inc->conn, &cdc->settings, "Debezium Incremental", false, &now, err);
    return step == CDC_DONE ? cdc_conn_query(&inc->conn, &cdc->settings, sql, what, &now, err)
                            : step;
}

static const char *of_table(const struct cdc_incremental *inc, const char *key)
{
    return json_string_value(json_object_get(json_array_get(inc->tables, 0), key));
}

/* "schema.table" as SQL. */
static void sql_name(struct cdc_text *sql, const char *name)
{
    const char *point = strchr(name, '.');
    char *schema = cdc_strndup(name, point ? (size_t)(point - name) : 0);
    cdc_text_ident(sql, schema);
    cdc_text_adds(sql, ".");
    cdc_text_ident(sql, point ? point + 1 : name);
    free(schema);
}

static void set_condition(json_t *table, json_t *filter)
{
    if (json_string_length(filter) && !json_object_get(table, "condition"))
        json_object_set(table, "condition", filter);
}

/* The table as the request wants it. */
static json_t *table_entry(const json_t *data, const char *full)
{
    json_t *one = json_pack("{ss}", "id", full), *condition;
    json_t *surrogate = json_object_get(data, "surrogate-key");
    size_t k;
    if (json_string_length(surrogate)) json_object_set(one, "surrogate", surrogate);
    /* Of old: one condition for all. */
    set_condition(one, json_object_get(data, "additional-condition"));
    json_array_foreach(json_object_get(data, "additional-conditions"), k, condition)
    {
        const char *whose = json_string_value(json_object_get(condition, "data-collection"));
        struct cdc_patterns p = {0};
        struct sluice_err err;
        if (whose && cdc_patterns_add(&p, whose, strlen(whose), &err) &&
            cdc_patterns_match(&p, full) >= 0)
            set_condition(one, json_object_get(condition, "filter"));
        cdc_patterns_free(&p);
    }
    return one;
}

/* Takes over the entry, unless it waits already: the table of another request that is being read
 * comes once more, this request's own tables (from the one at first on) come once. */
static void add_table(struct cdc_incremental *inc, size_t first, json_t *entry)
{
    bool waits = false;
    for (size_t i = first ? 1 : 0; i < json_array_size(inc->tables); i++)
        waits |= json_equal(json_array_get(inc->tables, i), entry);
    if (waits) json_decref(entry);
    else json_array_append_new(inc->tables, entry);
}

/* Puts the tables that a request names at the end of the list. */
static void take_request(struct cdc *cdc, const struct request *request)
{
    struct cdc_incremental *inc = cdc->incremental;
    const PGresult *list = inc->conn.results[0];
    json_t *names = json_object_get(request->data, "data-collections"), *name;
    size_t i, before = json_array_size(inc->tables);
    json_array_foreach(names, i, name)
    {
        struct cdc_patterns pattern = {0};
        struct sluice_err err;
        const char *regex = json_string_value(name);
        if (!regex || !cdc_patterns_add(&pattern, regex, strlen(regex), &err)) continue;
        bool any = false;
        for (int row = 0; row < PQntuples(list); row++) {
            const char *schema = PQgetvalue(list, row, 0), *table = PQgetvalue(list, row, 1);
            char *full = cdc_format("%s.%s", schema, table);
            bool match = cdc_patterns_match(&pattern, full) >= 0 &&
                         cdc_captures_table(&cdc->settings, schema, table);
            any |= match;
            if (match) add_table(inc, before, table_entry(request->data, full));
            free(full);
        }
        cdc_patterns_free(&pattern);
        if (!any && strchr(regex, '.')) /* left out, with a warning, when its turn comes */
            json_array_append_new(inc->tables, json_pack("{ss}", "id", regex));
    }
    cdc->host->log(cdc->task, SLUICE_INFO, "incremental snapshot '%s': %zu tables", request->id,
                   json_array_size(inc->tables) - before);
    free(inc->correlation);
    inc->correlation = cdc_strdup(request->id);
    if (before || !json_array_size(inc->tables)) return;
    cdc->meters.completed = cdc->meters.aborted = false;
    cdc->meters.paused_ms = 0;
    cdc_incremental_begin(cdc);
    cdc_incremental_tell(cdc, "STARTED");
}

static enum cdc_step list_tables(struct cdc *cdc, struct sluice_err *err)
{
    struct cdc_incremental *inc = cdc->incremental;
    enum cdc_step step =
        query(cdc,
              "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN "
              "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') "
              "AND c.relpersistence <> 't' ORDER BY 1, 2",
              "listing the tables", err);
    if (step != CDC_DONE) return step;
    while (inc->requests) {
        struct request *request = inc->requests;
        take_request(cdc, request);
        inc->requests = request->next;
        cdc_incremental_request_free(request);
    }
    cdc_incremental_note(cdc, inc->last);
    inc->stage = json_array_size(inc->tables) && !inc->paused ? OPEN : IDLE;
    return CDC_DONE;
}

static void clock_text(char out[40])
{
    int64_t now_ns = cdc_wall_ns();
    time_t seconds = (time_t)(now_ns / 1000000000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t n = strftime(out, 40, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, 40 - n, ".%06dZ", (int)(now_ns % 1000000000 / 1000));
}

/* read.only: nothing marks the window; all that is streamed from here on belongs to it. */
static enum cdc_step begin_unmarked(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    cdc_uuid(inc->chunk);
    inc->stage = LOAD;
    return CDC_DONE;
}

/* read.only: what the chunk saw was written before this position. At the beginning of a page the
 * server counts the page's header, which nothing that was written before reaches. */
static enum cdc_step high(struct cdc *cdc, struct sluice_err *err)
{
    struct cdc_incremental *inc = cdc->incremental;
    enum cdc_step step =
        query(cdc,
              "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE "
              "pg_current_wal_insert_lsn() END",
              "reading the WAL position after a chunk", err);
    if (step != CDC_DONE) return step;
    cdc_lsn_parse(cdc_conn_field(&inc->conn, 0, 0, 0), &inc->high_lsn);
    uint64_t in_page = inc->high_lsn & 8191;
    if (in_page == 24 || in_page == 40) inc->high_lsn -= in_page;
    inc->stage = WINDOW;
    inc->asked_ms = 0;
    return CDC_DONE;
}

/* Whether the snapshot "xmin:xmax:xip,..." shows the transaction. */
static bool shows(const char *snapshot, uint32_t xid)
{
    char *end;
    strtoull(snapshot, &end, 10);
    if (*end != ':') return false;
    uint32_t xmax = (uint32_t)strtoull(end + 1, &end, 10);
    if ((int32_t)(xid - xmax) >= 0) return false;
    while (*end == ':' || *end == ',') {
        const char *start = end + 1;
        uint32_t running = (uint32_t)strtoull(start, &end, 10);
        if (end == start) break;
        if (running == xid) return false;
    }
    return true;
}

/* A transaction is streamed once its commit is written, and may be visible to others only later
 * (when a synchronous standby has answered). A chunk that was read in between would have older rows
 * than the stream has given already. */
static enum cdc_step low(struct cdc *cdc, struct sluice_err *err)
{
    struct cdc_incremental *inc = cdc->incremental;
    if (!inc->recent_n) {
        inc->stage = CHUNK;
        return CDC_DONE;
    }
    enum cdc_step step = query(cdc,
                               cdc->server_version >= 130000 ? "SELECT pg_current_snapshot()"
                                                             : "SELECT txid_current_snapshot()",
                               "looking at the transactions under way", err);
    if (step != CDC_DONE) return step;
    const char *snapshot = cdc_conn_field(&inc->conn, 0, 0, 0);
    uint32_t hidden = 0, former = 0, left[RECENT_MAX];
    for (uint32_t i = 0; i < inc->recent_n; i++) { /* the oldest first */
        uint32_t xid = inc->recent[(inc->recent_at + RECENT_MAX - inc->recent_n + i) % RECENT_MAX];
        if (shows(snapshot, xid)) continue;
        left[hidden++] = xid;
        former += i < inc->limbo;
    }
    memcpy(inc->recent, left, hidden * sizeof(*left));
    inc->recent_n = hidden;
    inc->recent_at = hidden % RECENT_MAX;
    /* While some are not visible the stream goes on. When they are, it waits and is looked at once
     * more, for what came meanwhile. */
    bool again = inc->limbo && !former;
    inc->limbo = again ? 0 : inc->limbo ? former : hidden;
    if (!again && !hidden) inc->stage = CHUNK;
    return inc->limbo ? CDC_WAIT : CDC_DONE;
}

static enum cdc_step write_mark(struct cdc *cdc, bool closing, struct sluice_err *err)
{
    struct cdc_incremental *inc = cdc->incremental;
    struct cdc_text sql = {0};
    if (cdc->settings.read_only) return closing ? high(cdc, err) : begin_unmarked(cdc);
    if (!closing && !inc->conn.under_way) {
        cdc_uuid(inc->chunk);
        clock_text(inc->opened);
    }
    if (closing && cdc->settings.watermark_delete) {
        cdc_text_adds(&sql, "DELETE FROM ");
        sql_name(&sql, cdc->settings.signal_table);
        cdc_text_addf(&sql, " WHERE id = '%s-open'", inc->chunk);
    } else {
        char now[40];
        clock_text(now);
        cdc_text_adds(&sql, "INSERT INTO ");
        sql_name(&sql, cdc->settings.signal_table);
        cdc_text_addf(&sql,
                      " VALUES ('%s-%s', 'snapshot-window-%s', '{\"openWindowTimestamp\": "
                      "\"%s\"",
                      inc->chunk, closing ? "close" : "open", closing ? "close" : "open",
                      inc->opened);
        if (closing) cdc_text_addf(&sql, ", \"closeWindowTimestamp\": \"%s\"", now);
        cdc_text_adds(&sql, "}')");
    }
    enum cdc_step step = query(cdc, sql.s, "writing into the signal table", err);
    cdc_text_free(&sql);
    if (step == CDC_DONE) inc->stage = closing ? WINDOW : LOAD;
    return step;
}

static void skip_table(struct cdc *cdc, const char *why, const char *status)
{
    struct cdc_incremental *inc = cdc->incremental;
    cdc->host->log(cdc->task, SLUICE_WARN, "incremental snapshot leaves out %s: %s",
                   of_table(inc, "id"), why);
    cdc_incremental_next_table(cdc, status);
    inc->stage = json_array_size(inc->tables) ? LOAD : CLOSE;
}

/* The tables that come behind the one under way, as a list of to_regclass(); false: none do. */
static bool tables_behind(const struct cdc_incremental *inc, struct cdc_text *sql)
{
    size_t n = json_array_size(inc->tables);
    for (size_t i = 1; i < n && i < ESTIMATED_MAX; i++) {
        struct cdc_text ident = {0};
        sql_name(&ident, json_string_value(json_object_get(json_array_get(inc->tables, i), "id")));
        cdc_text_adds(sql, i > 1 ? ", to_regclass(" : "to_regclass(");
        cdc_text_literal(sql, ident.s);
        cdc_text_adds(sql, ")");
        cdc_text_free(&ident);
    }
    return n > 1;
}

/* oid, and once for each table rows: its own and those of the tables behind it; -1: unknown. */
static enum cdc_step look_up(struct cdc *cdc, const char *name, struct sluice_err *err)
{
    struct cdc_incremental *inc = cdc->incremental;
    static const char rows[] = "CASE WHEN c.reltuples > 0 THEN c.reltuples WHEN c.relkind <> 'p' "
                               "AND pg_catalog.pg_relation_size(c.oid) = 0 THEN 0 END";
    struct cdc_text sql = {0}, ident = {0}, behind = {0};
    cdc_text_adds(&sql, "SELECT c.oid");
    if (!inc->estimated) cdc_text_addf(&sql, ", coalesce(%s, -1), ", rows);
    if (inc->estimated) cdc_text_adds(&sql, "");
    else if (!tables_behind(inc, &behind)) cdc_text_adds(&sql, "0");
    else
        cdc_text_addf(&sql,
                      "(SELECT CASE WHEN count(*) = count(%s) THEN coalesce(sum(%s), 0) ELSE -1 "
                      "END FROM pg_catalog.pg_class c WHERE c.oid = ANY (ARRAY[%s]::oid[]))",
                      rows, rows, behind.s);
    cdc_text_adds(&sql, " FROM pg_catalog.pg_class c WHERE c.oid = to_regclass(");
    sql_name(&ident, name);
    cdc_text_literal(&sql, ident.s);
    cdc_text_adds(&sql, ")");
    enum cdc_step step = query(cdc, sql.s, "looking up a table", err);
    cdc_text_free(&ident);
    cdc_text_free(&behind);
    cdc_text_free(&sql);
    if (step != CDC_DONE || !PQntuples(inc->conn.results[0])) return step;
    inc->oid = (uint32_t)strtoul(cdc_conn_field(&inc->conn, 0, 0, 0), NULL, 10);
    if (inc->estimated) return step;
    inc->rows_expected = strtod(cdc_conn_field(&inc->conn, 0, 0, 1), NULL);
    inc->rows_after = strtod(cdc_conn_field(&inc->conn, 0, 0, 2), NULL);
    return step;
}

/* The statistics do not say how many rows of the table are still to come. */
static bool needs_estimate(const struct cdc_incremental *inc)
{
    return !inc->estimated && (of_table(inc, "condition") || inc->last);
}

static void columns_known(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    const char *surrogate = of_table(inc, "surrogate");
    inc->keys_n = 0;
    for (uint32_t i = 0; i < inc->relation->columns_n && surrogate; i++)
        if (!strcmp(inc->relation->columns[i].name, surrogate)) inc->keys[inc->keys_n++] = i;
    for (uint32_t k = 0; k < inc->relation->key_n && !surrogate && k < KEY_COLUMNS_MAX; k++)
        inc->keys[inc->keys_n++] = inc->relation->key[k].column;
    if (!inc->keys_n)
        skip_table(cdc, "it has no primary key, and no surrogate-key was given", "NO_PRIMARY_KEY");
    else if (!inc->maximum) inc->stage = MAXIMUM;
    else inc->stage = needs_estimate(inc) ? ESTIMATE : LOW;
    if (inc->stage == MAXIMUM || inc->stage == LOW) inc->estimated |= !needs_estimate(inc);
}

/* Columns, key and shape of the table, as the catalog has them now. */
static enum cdc_step load(struct cdc *cdc, struct sluice_err *err)
{
    struct cdc_incremental *inc = cdc->incremental;
    const struct cdc_wait now = {-1, 0};
    if (!json_array_size(inc->tables)) {
        inc->stage = CLOSE;
        return CDC_DONE;
    }
    const char *name = of_table(inc, "id"), *point = strchr(name, '.');
    enum cdc_step step = inc->oid ? CDC_DONE : look_up(cdc, name, err);
    if (step == CDC_DONE && !inc->loading && cdc->general.under_way) return CDC_WAIT;
    if (step != CDC_DONE) return step;
    if (!inc->oid) {
        skip_table(cdc, "it does not exist", "UNKNOWN_SCHEMA");
        return CDC_DONE;
    }
    char *schema = cdc_strndup(name, (size_t)(point - name));
    if (!cdc_captures_table(&cdc->settings, schema, point + 1)) {
        free(schema);
        inc->oid = 0;
        skip_table(cdc, "it is not captured", "UNKNOWN_SCHEMA");
        return CDC_DONE;
    }
    cdc_incremental_drop_relation(cdc);
    step = cdc_relation_load(cdc, inc->oid, schema, point + 1, NULL, &now, &inc->relation, err);
    free(schema);
    inc->loading = step == CDC_WAIT;
    if (step != CDC_DONE) return step;
    inc->oid = 0;
    columns_known(cdc);
    return CDC_DONE;
}

static void key_list(const struct cdc_incremental *inc, struct cdc_text *sql, const char *after)
{
    for (uint32_t i = 0; i < inc->keys_n; i++) {
        if (i) cdc_text_adds(sql, ", ");
        cdc_text_ident(sql, inc->relation->columns[inc->keys[i]].name);
        cdc_text_adds(sql, after);
    }
}

/* " WHERE" or " AND", and the request's own condition. */
static void from_table(const struct cdc_incremental *inc, struct cdc_text *sql)
{
    const char *condition = of_table(inc, "condition");
    cdc_text_adds(sql, " FROM ");
    sql_name(sql, of_table(inc, "id"));
    cdc_text_addf(sql, " WHERE %s%s%s", condition ? "(" : "true", condition ? condition : "",
                  condition ? "\n)" : ""); /* it may end in a comment */
}

/* (k1, k2) <op> ('1', '2'); a single column that may be null counts null as the greatest. */
static void compare(const struct cdc_incremental *inc, struct cdc_text *sql, const char *op,
                    const json_t *key)
{
    cdc_text_adds(sql, " AND (");
    key_list(inc, sql, "");
    cdc_text_addf(sql, ") %s (", op);
    for (uint32_t i = 0; i < inc->keys_n; i++) {
        const char *text = json_string_value(json_array_get(key, i));
        if (i) cdc_text_adds(sql, ", ");
        if (text) cdc_text_literal(sql, text);
        else cdc_text_adds(sql, "NULL");
    }
    cdc_text_adds(sql, ")");
}

static enum cdc_step read_maximum(struct cdc *cdc, struct sluice_err *err)
{
    struct cdc_incremental *inc = cdc->incremental;
    struct cdc_text sql = {0};
    cdc_text_adds(&sql, "SELECT ");
    key_list(inc, &sql, "");
    from_table(inc, &sql);
    for (uint32_t i = 0; i < inc->keys_n; i++) {
        cdc_text_adds(&sql, " AND ");
        cdc_text_ident(&sql, inc->relation->columns[inc->keys[i]].name);
        cdc_text_adds(&sql, " IS NOT NULL");
    }
    cdc_text_adds(&sql, " ORDER BY ");
    key_list(inc, &sql, " DESC");
    cdc_text_adds(&sql, " LIMIT 1");
    enum cdc_step step = query(cdc, sql.s, "looking up the greatest key", err);
    cdc_text_free(&sql);
    if (step != CDC_DONE) return step;
    if (!PQntuples(inc->conn.results[0])) {
        cdc_incremental_next_table(cdc, "EMPTY");
        inc->stage = json_array_size(inc->tables) ? LOAD : CLOSE;
        return CDC_DONE;
    }
    inc->maximum = json_array();
    for (uint32_t i = 0; i < inc->keys_n; i++)
        json_array_append_new(inc->maximum, json_string(cdc_conn_field(&inc->conn, 0, 0, (int)i)));
    inc->stage = needs_estimate(inc) ? ESTIMATE : LOW;
    return CDC_DONE;
}

static enum cdc_step estimate(struct cdc *cdc, struct sluice_err *err)
{
    struct cdc_incremental *inc = cdc->incremental;
    struct cdc_text sql = {0};
    cdc_text_adds(&sql, "EXPLAIN (FORMAT JSON) SELECT 1");
    from_table(inc, &sql);
    if (inc->last) compare(inc, &sql, ">", inc->last);
    compare(inc, &sql, "<=", inc->maximum);
    enum cdc_step step = query(cdc, sql.s, "estimating the rows of a table", err);
    cdc_text_free(&sql);
    if (step != CDC_DONE) return step;
    bool any = PQntuples(inc->conn.results[0]) > 0;
    json_t *plan = any ? json_loads(cdc_conn_field(&inc->conn, 0, 0, 0), 0, NULL) : NULL;
    const json_t *root = json_object_get(json_array_get(plan, 0), "Plan");
    const json_t *rows = json_object_get(root, "Plan Rows");
    inc->rows_expected = json_is_number(rows) ? (double)inc->scanned + json_number_value(rows) : -1;
    json_decref(plan);
    inc->estimated = true;
    inc->stage = LOW;
    return CDC_DONE;
}

static void keep_row(struct cdc_incremental *inc, char *line, int len)
{
    struct cdc_tuple tuple = {.cells = inc->cells};
    if (!cdc_copy_split(line, len, &tuple) || tuple.n != inc->relation->columns_n) {
        PQfreemem(line);
        return;
    }
    if (inc->rows_n == inc->rows_cap) {
        inc->rows_cap = inc->rows_cap ? inc->rows_cap * 2 : 1024;
        inc->rows = cdc_realloc(inc->rows, inc->rows_cap * sizeof(*inc->rows));
    }
    struct row *row = &inc->rows[inc->rows_n++];
    row->line = line;
    row->newer = false;
    row->cells = cdc_alloc((tuple.n + 1) * sizeof(*row->cells));
    memcpy(row->cells, tuple.cells, tuple.n * sizeof(*row->cells));
}

static bool is_key(const struct cdc_incremental *inc, uint32_t column)
{
    for (uint32_t k = 0; k < inc->keys_n; k++)
        if (inc->keys[k] == column) return true;
    return false;
}

static char *chunk_sql(const struct cdc *cdc)
{
    const struct cdc_incremental *inc = cdc->incremental;
    struct cdc_text sql = {0};
    cdc_text_adds(&sql, "COPY (SELECT ");
    for (uint32_t i = 0; i < inc->relation->columns_n; i++) {
        if (i) cdc_text_adds(&sql, ", ");
        if (is_key(inc, i) || cdc_relation_reads(inc->relation, i))
            cdc_text_ident(&sql, inc->relation->columns[i].name);
        else cdc_text_adds(&sql, "NULL");
    }
    from_table(inc, &sql);
    if (inc->last) {
        compare(inc, &sql, ">", inc->last);
        compare(inc, &sql, "<=", inc->maximum);
    }
    cdc_text_adds(&sql, " ORDER BY ");
    key_list(inc, &sql, "");
    cdc_text_addf(&sql, " LIMIT %d) TO STDOUT", cdc->settings.chunk_size);
    return sql.s;
}

/* What the metrics tell of a chunk that was read. */
static void chunk_read(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    assert(inc->rows_n);
    json_decref(inc->chunk_first);
    json_decref(inc->chunk_last);
    inc->chunk_first = cdc_incremental_key(inc, inc->rows[0].cells);
    inc->chunk_last = cdc_incremental_key(inc, inc->rows[inc->rows_n - 1].cells);
    if (!inc->table_first) inc->table_first = json_incref(inc->chunk_first);
    cdc_meter_incremental(cdc, of_table(inc, "id"), inc->scanned);
    cdc_incremental_tell_chunk(cdc);
}

static enum cdc_step read_chunk(struct cdc *cdc, struct sluice_err *err)
{
    struct cdc_incremental *inc = cdc->incremental;
    static const char what[] = "reading a chunk of an incremental snapshot";
    if (!inc->copying) {
        char *sql = chunk_sql(cdc);
        enum cdc_step step = query(cdc, sql, what, err);
        free(sql);
        if (step != CDC_DONE) return step;
        inc->copying = true;
    }
    for (;;) {
        char *line;
        int n = PQgetCopyData(inc->conn.pg, &line, 1);
        if (n > 0) {
            keep_row(inc, line, n);
            continue;
        }
        if (n == 0) {
            const struct cdc_wait now = {-1, 0};
            if (!cdc_conn_wait(&inc->conn, POLLIN, &now)) return CDC_WAIT;
            if (PQconsumeInput(inc->conn.pg)) continue;
        }
        inc->copying = false;
        if (n != -1) return cdc_conn_broken(&inc->conn, &cdc->settings, what, err);
        break;
    }
    PGresult *result;
    enum cdc_step step = CDC_DONE;
    while ((result = PQgetResult(inc->conn.pg))) {
        if (PQresultStatus(result) == PGRES_FATAL_ERROR && step == CDC_DONE)
            step = cdc_conn_refused(&inc->conn, &cdc->settings, result, what, err);
        PQclear(result);
    }
    if (step != CDC_DONE) return step;
    inc->stage = CLOSE;
    inc->scanned += inc->rows_n;
    if (inc->rows_n) {
        chunk_read(cdc);
        return CDC_DONE;
    }
    cdc->host->log(cdc->task, SLUICE_INFO, "incremental snapshot: read %s", of_table(inc, "id"));
    cdc_incremental_next_table(cdc, "SUCCEEDED");
    if (json_array_size(inc->tables)) inc->stage = LOAD;
    return CDC_DONE;
}

/* What an error means: a connection that broke is opened again, refused SQL ends the table. */
static enum cdc_step after_error(struct cdc *cdc, const struct sluice_err *err)
{
    struct cdc_incremental *inc = cdc->incremental;
    cdc->general.fatal = false;
    bool refused = inc->conn.sqlstate[0] && strncmp(inc->conn.sqlstate, "57", 2) != 0;
    cdc->host->log(cdc->task, SLUICE_WARN, "incremental snapshot: %s", err->msg);
    if (refused && inc->stage != OPEN && inc->stage != CLOSE && json_array_size(inc->tables))
        cdc_incremental_next_table(cdc, "SQL_EXCEPTION");
    else if (refused) { /* the signal table cannot be written */
        while (json_array_size(inc->tables)) cdc_incremental_next_table(cdc, "SQL_EXCEPTION");
    }
    cdc_incremental_abandon(cdc);
    inc->retry_ms = cdc_now_ms() + RETRY_MS;
    cdc_incremental_note(cdc, inc->last);
    return CDC_DONE;
}

enum cdc_step cdc_incremental_step(struct cdc *cdc, struct sluice_err *err)
{
    struct cdc_incremental *inc = cdc->incremental;
    enum cdc_step step = CDC_DONE;
    if (inc->retry_ms && cdc_now_ms() < inc->retry_ms) return CDC_DONE;
    while (step == CDC_DONE && cdc_incremental_busy(cdc)) {
        switch (inc->stage) {
        case LIST: step = list_tables(cdc, err); break;
        case OPEN: step = write_mark(cdc, false, err); break;
        case LOAD:
            step = load(cdc, err);
            if (step == CDC_ERROR && !inc->conn.sqlstate[0] && cdc->general.pg &&
                PQstatus(cdc->general.pg) != CONNECTION_OK)
                return CDC_ERROR; /* the ordinary connection broke: everything starts over */
            break;
        case MAXIMUM: step = read_maximum(cdc, err); break;
        case ESTIMATE: step = estimate(cdc, err); break;
        case LOW: step = low(cdc, err); break;
        case CHUNK: step = read_chunk(cdc, err); break;
        default: assert(inc->stage == CLOSE); step = write_mark(cdc, true, err);
        }
    }
    return step == CDC_ERROR ? after_error(cdc, err) : step;
}

bool cdc_incremental_busy(const struct cdc *cdc)
{
    const struct cdc_incremental *inc = cdc->incremental;
    return inc && inc->stage != IDLE && inc->stage != WINDOW && inc->stage != EMIT;
}

bool cdc_incremental_loads(const struct cdc *cdc)
{
    return cdc->incremental && cdc->incremental->loading;
}

bool cdc_incremental_holds(const struct cdc *cdc, const struct cdc_relation *relation)
{
    enum stage stage = cdc->incremental->stage;
    if (!relation->captured) return false;
    if (stage == LOW && cdc->incremental->limbo) return false;
    return stage == LOAD || stage == MAXIMUM || stage == ESTIMATE || stage == LOW ||
           stage == CHUNK || (stage == CLOSE && (relation->signals || cdc->settings.read_only));
}

/* The server is asked how far it has sent, as it may have nothing to send for long. */
static void ask_how_far(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    int64_t now_ms = cdc_now_ms();
    if (now_ms - inc->asked_ms < ASK_MS) return;
    inc->asked_ms = now_ms;
    cdc->ask_keepalive = cdc->confirm_now = true;
}

bool cdc_incremental_passed(struct cdc *cdc, struct sluice_err *err, bool *ok)
{
    struct cdc_incremental *inc = cdc->incremental;
    *ok = true;
    if (!cdc->settings.read_only || cdc->in_transaction || cdc->message) return true;
    if (inc->stage == WINDOW) {
        uint64_t passed = cdc->position.lsn_commit;
        if (cdc->idle_lsn > passed) passed = cdc->idle_lsn;
        if (passed < inc->high_lsn) {
            ask_how_far(cdc);
            return true;
        }
        cdc_position_begins(cdc);
        inc->emit_at = 0;
        inc->stage = EMIT;
    }
    if (inc->stage != EMIT) return true;
    for (; inc->emit_at < inc->rows_n; inc->emit_at++) {
        const struct row *row = &inc->rows[inc->emit_at];
        const struct cdc_tuple tuple = {.cells = row->cells, .n = inc->relation->columns_n};
        if (row->newer) continue;
        if (!cdc_has_room(cdc)) return false;
        *ok = cdc_emit_incremental_row(cdc, inc->relation, &tuple, &cdc->position, err);
        if (!*ok) return false;
    }
    if (!cdc_has_room(cdc)) return false;
    if (inc->rows_n) {
        json_decref(inc->last);
        inc->last = cdc_incremental_key(inc, inc->rows[inc->rows_n - 1].cells);
    }
    cdc_incremental_note(cdc, inc->last);
    cdc_emit_position(cdc, &cdc->position);
    cdc_incremental_clear(cdc);
    return true;
}
