/* setup.c - from nothing to a slot that streams: looks at the server, decides whether a snapshot is
 * due, creates the slot, starts the replication.
 *
 * The slot is the memory of the server, the stored offset ours. They must fit: a slot that has let
 * go of changes which the offset has not seen is a loss, and is said, never passed over. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdc.h"
#include "checks.h"
#include "watch.h"

bool cdc_hopeless(const struct cdc *cdc)
{
    return cdc->hopeless || cdc->general.fatal || cdc->replication.fatal;
}

enum cdc_step cdc_refuse(struct cdc *cdc, struct sluice_err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    cdc->hopeless = true;
    return CDC_ERROR;
}

static enum cdc_step query(struct cdc *cdc, const char *sql, const char *what,
                           const struct cdc_wait *wait, struct sluice_err *err)
{
    return cdc_conn_query(&cdc->general, &cdc->settings, sql, what, wait, err);
}

/* ---- what the server is ---- */

static char *inspect_sql(const struct cdc_settings *s)
{
    struct cdc_text sql = {0};
    cdc_text_adds(&sql,
                  "SELECT current_setting('wal_level'), current_setting('server_version_num'), "
                  "pg_is_in_recovery(), (SELECT setting FROM pg_catalog.pg_settings WHERE name = "
                  "'wal_sender_timeout'), (SELECT rolsuper OR rolreplication OR EXISTS (SELECT 1 "
                  "FROM pg_catalog.pg_roles m WHERE m.rolname IN ('rds_superuser', "
                  "'rds_replication', 'azure_pg_admin', 'cloudsqlsuperuser', 'alloydbsuperuser') "
                  "AND pg_has_role(current_user, m.oid, 'member')) FROM pg_catalog.pg_roles WHERE "
                  "rolname = current_user), (SELECT concat(puballtables, pubinsert, "
                  "pubupdate, pubdelete, pubtruncate) FROM pg_catalog.pg_publication WHERE pubname "
                  "= ");
    cdc_text_literal(&sql, s->publication);
    /* Columns that older servers lack are looked for in the row as a whole. */
    cdc_text_adds(&sql,
                  "), CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE "
                  "pg_current_wal_lsn() END; SELECT plugin, database, restart_lsn, "
                  "confirmed_flush_lsn, active_pid, "
                  "wal_status, to_jsonb(s) ->> 'two_phase', coalesce(to_jsonb(s) ->> "
                  "'invalidation_reason', CASE WHEN to_jsonb(s) ->> 'conflicting' = 'true' THEN "
                  "'conflict' END), safe_wal_size, pg_catalog.pg_size_pretty(safe_wal_size), "
                  "to_jsonb(s) ->> 'failover' FROM pg_catalog.pg_replication_slots s WHERE "
                  "slot_name = ");
    cdc_text_literal(&sql, s->slot);
    return sql.s;
}

/* The server goes on with it when whoever asked for it has given up waiting. It begins later than
 * now: a snapshot that is taken meanwhile would leave a gap. */
static enum cdc_step still_made(struct cdc *cdc, const char *pid, struct sluice_err *err)
{
    cdc_error(
        err,
        "replication slot \"%s\" is still being made by server process %s, which waits for "
        "transactions that are open: SELECT pid, xact_start, query FROM pg_stat_activity WHERE "
        "backend_xid IS NOT NULL ORDER BY xact_start;",
        cdc->settings.slot, pid);
    return CDC_ERROR;
}

static enum cdc_step slot_usable(struct cdc *cdc, struct sluice_err *err)
{
    const struct cdc_settings *s = &cdc->settings;
    const struct cdc_conn *conn = &cdc->general;
    const char *plugin = cdc_conn_field(conn, 1, 0, 0), *db = cdc_conn_field(conn, 1, 0, 1);
    if (strcmp(plugin, "pgoutput") != 0 || strcmp(db, s->dbname) != 0)
        return cdc_refuse(
            cdc, err,
            "replication slot \"%s\" belongs to plugin '%s' and database '%s', not to "
            "pgoutput and '%s'; choose another slot.name, or drop the slot: SELECT "
            "pg_drop_replication_slot('%s');",
            s->slot, plugin, db, s->dbname, s->slot);
    if (!*cdc_conn_field(conn, 1, 0, 3) && *cdc_conn_field(conn, 1, 0, 4))
        return still_made(cdc, cdc_conn_field(conn, 1, 0, 4), err);
    const char *reason = cdc_conn_field(conn, 1, 0, 7);
    bool lost = !strcmp(cdc_conn_field(conn, 1, 0, 5), "lost") || *reason ||
                !cdc_lsn_parse(cdc_conn_field(conn, 1, 0, 2), &cdc->slot.restart);
    if (lost && !s->mends_offset)
        return cdc_refuse(
            cdc, err,
            "replication slot \"%s\" was invalidated: %s, and changes are lost; drop it "
            "(SELECT pg_drop_replication_slot('%s');), delete the connector's offsets, "
            "and start with snapshot.mode=initial, or use snapshot.mode=when_needed",
            s->slot, cdc_invalidation(reason), s->slot);
    cdc->slot.invalid = lost;
    cdc->slot.exists = !lost;
    cdc->slot.two_phase =
        cdc->server_version >= 150000 && !strcmp(cdc_conn_field(conn, 1, 0, 6), "true");
    cdc_lsn_parse(cdc_conn_field(conn, 1, 0, 3), &cdc->slot.confirmed);
    cdc_watch_wal(cdc, cdc_conn_field(conn, 1, 0, 5), cdc_conn_field(conn, 1, 0, 9));
    if (s->slot_failover && strcmp(cdc_conn_field(conn, 1, 0, 10), "false") == 0)
        cdc->host->log(cdc->task, SLUICE_WARN,
                       "slot.failover is set, but replication slot \"%s\" was made without it, and "
                       "stays so: stop the connector and run, over a replication connection, "
                       "ALTER_REPLICATION_SLOT \"%s\" (FAILOVER true)",
                       s->slot, s->slot);
    return CDC_DONE;
}

/* Who streamed before may have met a standby that is about to take over. */
static enum cdc_step cannot_stream(struct cdc *cdc, struct sluice_err *err)
{
    const struct cdc_settings *s = &cdc->settings;
    cdc->hopeless = !cdc->has_position;
    cdc_error(err,
              "the postgres server at %s:%d is a standby of version %d, and logical decoding on a "
              "standby needs version 16; set database.hostname to the primary%s",
              s->host, s->port, cdc->server_version / 10000,
              cdc->has_position ? ", or promote it" : "");
    return CDC_ERROR;
}

static enum cdc_step take_server(struct cdc *cdc, struct sluice_err *err)
{
    const struct cdc_conn *conn = &cdc->general;
    const struct cdc_settings *s = &cdc->settings;
    const char *wal_level = cdc_conn_field(conn, 0, 0, 0);
    if (s->streams && strcmp(wal_level, "logical") != 0)
        return cdc_refuse(cdc, err,
                          "the postgres server at %s:%d has wal_level = %s, and must have logical; "
                          "run: ALTER SYSTEM SET wal_level = logical; and restart the server",
                          s->host, s->port, wal_level);
    cdc->server_version = (int)strtol(cdc_conn_field(conn, 0, 0, 1), NULL, 10);
    cdc->standby = *cdc_conn_field(conn, 0, 0, 2) == 't';
    if (s->streams && cdc->standby && cdc->server_version < 160000) return cannot_stream(cdc, err);
    int timeout = (int)strtol(cdc_conn_field(conn, 0, 0, 3), NULL, 10);
    cdc->status_ms = s->status_interval_ms;
    if (timeout > 0 && cdc->status_ms > timeout / 3) cdc->status_ms = timeout / 3 ? timeout / 3 : 1;
    cdc->server_lsn = 0;
    cdc_lsn_parse(cdc_conn_field(conn, 0, 0, 6), &cdc->server_lsn);
    cdc_publication_seen(cdc, cdc_conn_field(conn, 0, 0, 5));
    memset(&cdc->slot, 0, sizeof(cdc->slot));
    return PQntuples(conn->results[1]) ? slot_usable(cdc, err) : CDC_DONE;
}

/* ---- do slot and offset fit, is a snapshot due ---- */

/* The last position that the offset knows of. */
static uint64_t offset_end(const struct cdc_position *p)
{
    uint64_t seen = p->lsn_commit > p->lsn_proc ? p->lsn_commit : p->lsn_proc;
    return p->snapshot && p->lsn > seen ? p->lsn : seen;
}

/* Whether the offset is of a server that is gone: this one would send nothing until it got there,
 * and leave out what it did before. */
static bool offset_ahead(const struct cdc *cdc)
{
    return cdc->server_lsn && offset_end(&cdc->position) > cdc->server_lsn;
}

/* NULL when streaming can go on from the offset, else why not. */
static char *mismatch(const struct cdc *cdc)
{
    char here[24], there[24];
    uint64_t seen = offset_end(&cdc->position);
    cdc_lsn_text(seen, here);
    if (!cdc->slot.exists)
        return cdc_format("replication slot \"%s\" is missing on the server", cdc->settings.slot);
    if (cdc->slot.confirmed > seen)
        return cdc_format("replication slot \"%s\" has moved on to %s, past the stored offset %s",
                          cdc->settings.slot, cdc_lsn_text(cdc->slot.confirmed, there), here);
    if (offset_ahead(cdc))
        return cdc_format("the stored offset %s is ahead of the server, whose WAL ends at %s: it "
                          "was restored from a backup, lost its last changes in a failover, or is "
                          "another server",
                          here, cdc_lsn_text(cdc->server_lsn, there));
    return NULL;
}

/* What of it is still on its way into Kafka must not be confirmed to this server. */
static void give_up_offset(struct cdc *cdc)
{
    struct cdc_position *p = &cdc->position;
    *p = (struct cdc_position){.state = p->state, .age = (uint16_t)(p->age + 1)};
    cdc->has_position = false;
    cdc->confirmed_lsn = 0;
}

/* offset.mismatch.strategy: the slot tells where to go on. */
static void trust_slot(struct cdc *cdc)
{
    struct cdc_position *p = &cdc->position;
    give_up_offset(cdc);
    p->lsn = p->lsn_proc = p->lsn_commit = p->last_commit = cdc->slot.confirmed;
    p->message = CDC_MSG_COMMIT;
    p->ts_us = cdc_wall_ns() / 1000;
    cdc->has_position = true;
}

static enum cdc_step check_offset(struct cdc *cdc, struct sluice_err *err)
{
    const struct cdc_settings *s = &cdc->settings;
    char *why = mismatch(cdc);
    if (!why) return CDC_DONE;
    if (cdc->standby && cdc->slot.exists && offset_ahead(cdc)) {
        cdc_error(err,
                  "the stored offset is ahead of what the standby at %s:%d has replayed; waiting "
                  "for it to catch up",
                  s->host, s->port);
        free(why);
        return CDC_ERROR;
    }
    bool greater = s->mismatch == CDC_TRUST_GREATER || s->flush_mode == CDC_FLUSH_DRIVER;
    bool ahead = cdc->slot.exists && offset_ahead(cdc);
    /* Not amid a run: positions of the server that is gone, still on their way into Kafka, would be
     * confirmed to this one. */
    bool trusted = s->mismatch == CDC_TRUST_SLOT ? !ahead || cdc->first_start : greater && !ahead;
    enum cdc_step step = CDC_DONE;
    char here[24];
    cdc_lsn_text(cdc->position.lsn_commit ? cdc->position.lsn_commit : cdc->position.lsn, here);
    if (s->mends_offset) {
        cdc->snapshot_due = s->snapshot_mode == CDC_WHEN_NEEDED || s->takes_data;
        cdc->host->log(cdc->task, SLUICE_WARN, "%s: %s", why,
                       cdc->snapshot_due ? "a new snapshot is taken"
                                         : "going on from where the server is, as configured");
        give_up_offset(cdc);
    } else if (cdc->slot.exists && trusted) {
        cdc->host->log(cdc->task, SLUICE_WARN, "%s: going on from the slot at %s", why,
                       cdc_lsn_text(cdc->slot.confirmed, here));
        trust_slot(cdc);
    } else {
        step =
            cdc_refuse(cdc, err,
                       "%s. The connector is trying to read the change stream starting at %s, "
                       "but this is no longer available on the server: changes since then are "
                       "lost. Set snapshot.mode=when_needed, or delete the connector's offsets "
                       "and start with snapshot.mode=initial%s",
                       why, here,
                       ahead              ? "; with offset.mismatch.strategy=trust_slot the "
                                            "task, started again, goes on from the slot"
                       : cdc->slot.exists ? "; offset.mismatch.strategy=trust_slot accepts the loss"
                                          : "");
    }
    free(why);
    return step;
}

/* A snapshot is taken in any case. What the stream brings after it must not be taken for what was
 * streamed before, on a server that is gone. */
static void forget(struct cdc *cdc)
{
    char here[24], there[24];
    cdc->host->log(cdc->task, SLUICE_WARN,
                   "the stored offset %s is ahead of the server, whose WAL ends at %s: it is "
                   "forgotten, and the snapshot is the beginning",
                   cdc_lsn_text(offset_end(&cdc->position), here),
                   cdc_lsn_text(cdc->server_lsn, there));
    give_up_offset(cdc);
}

static enum cdc_step decide(struct cdc *cdc, struct sluice_err *err)
{
    const struct cdc_settings *s = &cdc->settings;
    enum cdc_snapshot_mode mode = s->snapshot_mode;
    bool unfinished = cdc->has_position && cdc->position.snapshot == CDC_IN_SNAPSHOT;
    bool never = mode == CDC_NO_DATA || (mode == CDC_CONFIGURED && !s->takes_data);
    if (unfinished && never)
        return cdc_refuse(cdc, err,
                          "The connector previously stopped while taking a snapshot, but now the "
                          "connector is configured to never allow snapshots. Reconfigure the "
                          "connector to use snapshots initially or when needed.");
    cdc->snapshot_due = unfinished || (!cdc->has_position && !never) ||
                        ((mode == CDC_ALWAYS || s->takes_data) && cdc->first_start);
    if (!cdc->snapshot_due && !cdc->skip_told) {
        cdc->skip_told = cdc->meters.skipped = true;
        cdc_notify(cdc, CDC_INITIAL_SNAPSHOT, NULL, "SKIPPED", NULL);
    }
    if (cdc->snapshot_due && cdc->has_position && s->streams && offset_ahead(cdc)) forget(cdc);
    if (cdc->snapshot_due || !s->streams || !cdc->has_position) return CDC_DONE;
    return check_offset(cdc, err);
}

static enum cdc_phase after_inspection(const struct cdc *cdc)
{
    const struct cdc_settings *s = &cdc->settings;
    bool listed = s->autocreate == CDC_FILTERED && s->streams && !cdc->standby;
    if (!s->streams && !cdc->snapshot_due) {
        cdc->host->log(cdc->task, SLUICE_INFO,
                       "the snapshot was taken before, and with this snapshot.mode changes are not "
                       "streamed: there is nothing more to do");
        return CDC_IDLE;
    }
    return cdc->snapshot_due || listed ? CDC_TABLES : CDC_PUBLISH;
}

struct first_complaint {
    struct cdc *cdc;
    struct sluice_err *err;
};

static void take_complaint(void *arg, const char *key, const char *why)
{
    struct first_complaint *first = arg;
    (void)key;
    if (!first->cdc->hopeless) cdc_refuse(first->cdc, first->err, "%s", why);
}

static void take_advice(void *arg, const char *key, const char *why)
{
    struct first_complaint *first = arg;
    (void)key;
    first->cdc->host->log(first->cdc->task, SLUICE_WARN, "%s", why);
}

/* What validate() found, once more: the server may be another today, or was away then. */
static enum cdc_step check(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    struct first_complaint first = {cdc, err};
    const struct cdc_checks checks = {.settings = &cdc->settings,
                                      .conn = &cdc->general,
                                      .complain = take_complaint,
                                      .advise = take_advice,
                                      .arg = &first,
                                      .starting = true,
                                      .reads = cdc->snapshot_due};
    char *sql = cdc_checks_sql(&cdc->settings);
    enum cdc_step step = query(cdc, sql, "checking what the server offers", wait, err);
    free(sql);
    if (step != CDC_DONE) return step;
    cdc_checks_files(&checks);
    cdc_checks_run(&checks);
    if (cdc->hopeless) return CDC_ERROR;
    cdc->checked = true;
    cdc->phase = after_inspection(cdc);
    return CDC_DONE;
}

static enum cdc_step inspect(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    char *sql = inspect_sql(&cdc->settings);
    enum cdc_step step = query(cdc, sql, "reading the server's settings and slots", wait, err);
    free(sql);
    if (step == CDC_DONE) step = take_server(cdc, err);
    if (step == CDC_DONE) step = decide(cdc, err);
    if (step != CDC_DONE) return step;
    cdc->phase = cdc->checked ? after_inspection(cdc) : CDC_CHECK;
    return CDC_DONE;
}

/* ---- tables ---- */

void cdc_tables_free(struct cdc *cdc)
{
    for (size_t i = 0; i < cdc->tables_n; i++) {
        free(cdc->tables[i].schema);
        free(cdc->tables[i].name);
    }
    free(cdc->tables);
    cdc->tables = NULL;
    cdc->tables_n = 0;
    cdc->tables_listed = false;
}

static int by_rank(const void *a, const void *b)
{
    const struct cdc_table *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    int order = strcmp(x->schema, y->schema);
    return order ? order : strcmp(x->name, y->name);
}

/* How large the tables are. Looking waits for those who lock a table, so that it is only done for
 * tables that will be read. */
static enum cdc_step measure_tables(struct cdc *cdc, const struct cdc_wait *wait,
                                    struct sluice_err *err)
{
    struct cdc_text sql = {0};
    cdc_text_adds(&sql,
                  "SELECT CASE c.relkind WHEN 'p' THEN (SELECT coalesce(sum("
                  "pg_catalog.pg_relation_size(t.relid)), 0) FROM "
                  "pg_catalog.pg_partition_tree(c.oid) t) ELSE pg_catalog.pg_relation_size(c.oid) "
                  "END, CASE WHEN c.reltuples > 0 AND c.relpages > 0 THEN c.reltuples / c.relpages "
                  "* (pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::int) "
                  "ELSE c.reltuples END FROM unnest('{");
    for (size_t i = 0; i < cdc->tables_n; i++)
        cdc_text_addf(&sql, i ? ",%u" : "%u", cdc->tables[i].oid);
    cdc_text_adds(&sql, "}'::oid[]) WITH ORDINALITY AS o(oid, n) LEFT JOIN pg_catalog.pg_class c "
                        "ON c.oid = o.oid ORDER BY o.n");
    enum cdc_step step = query(cdc, sql.s, "measuring the tables", wait, err);
    cdc_text_free(&sql);
    if (step != CDC_DONE) return step;
    assert((size_t)PQntuples(cdc->general.results[0]) == cdc->tables_n);
    for (size_t i = 0; i < cdc->tables_n; i++) {
        cdc->tables[i].bytes = strtoull(cdc_conn_field(&cdc->general, 0, (int)i, 0), NULL, 10);
        cdc->tables[i].rows = strtod(cdc_conn_field(&cdc->general, 0, (int)i, 1), NULL);
    }
    return CDC_DONE;
}

static enum cdc_step list_tables(struct cdc *cdc, const struct cdc_wait *wait,
                                 struct sluice_err *err)
{
    enum cdc_step step =
        query(cdc,
              "SELECT c.oid, n.nspname, c.relname, c.relpersistence FROM pg_catalog.pg_class c "
              "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', "
              "'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_(toast|temp)'",
              "listing the tables", wait, err);
    if (step != CDC_DONE) return step;
    const struct cdc_conn *conn = &cdc->general;
    const struct cdc_settings *s = &cdc->settings;
    cdc_tables_free(cdc);
    int n = PQntuples(conn->results[0]);
    cdc->tables = cdc_alloc(((size_t)n + 1) * sizeof(*cdc->tables));
    for (int i = 0; i < n; i++) {
        const char *schema = cdc_conn_field(conn, 0, i, 1), *name = cdc_conn_field(conn, 0, i, 2);
        if (!cdc_captures_table(s, schema, name)) continue;
        struct cdc_table *table = &cdc->tables[cdc->tables_n++];
        char *full = cdc_format("%s.%s", schema, name);
        table->oid = (uint32_t)strtoul(cdc_conn_field(conn, 0, i, 0), NULL, 10);
        table->rank = cdc_patterns_match(&s->tables.include, full);
        table->schema = cdc_strdup(schema);
        table->name = cdc_strdup(name);
        table->logged = *cdc_conn_field(conn, 0, i, 3) == 'p';
        free(full);
    }
    qsort(cdc->tables, cdc->tables_n, sizeof(*cdc->tables), by_rank);
    cdc_meter_captured(cdc);
    if (!cdc->tables_n)
        cdc->host->log(cdc->task, SLUICE_WARN,
                       "no table passes the filters yet; check schema.include.list and "
                       "table.include.list (patterns of schema.table)");
    cdc->tables_listed = true;
    return CDC_DONE;
}

static enum cdc_step find_tables(struct cdc *cdc, const struct cdc_wait *wait,
                                 struct sluice_err *err)
{
    if (!cdc->tables_listed) return list_tables(cdc, wait, err);
    bool reads = cdc->blocking || cdc->snapshot_due;
    enum cdc_step step = reads ? measure_tables(cdc, wait, err) : CDC_DONE;
    if (step != CDC_DONE) return step;
    cdc->tables_listed = false; /* they are known, until they are listed once more */
    cdc->phase = !cdc->settings.streams ? CDC_SNAPSHOT_DELAY : CDC_PUBLISH;
    if (cdc->blocking) {
        cdc_blocking_tables(cdc);
        cdc->phase = CDC_SNAPSHOT_BEGIN;
    }
    return CDC_DONE;
}

/* ---- slot ---- */

/* One that was invalidated stands in the way of its successor. */
static enum cdc_step drop_invalid(struct cdc *cdc, const struct cdc_wait *wait,
                                  struct sluice_err *err)
{
    const struct cdc_settings *s = &cdc->settings;
    if (!cdc->slot.invalid) return CDC_DONE;
    char *sql = cdc_format("DROP_REPLICATION_SLOT \"%s\"", s->slot);
    enum cdc_step step =
        cdc_conn_query(&cdc->replication, s, sql, "dropping the invalidated slot", wait, err);
    free(sql);
    if (step != CDC_DONE) return step;
    cdc->slot.invalid = false;
    cdc->host->log(cdc->task, SLUICE_WARN, "dropped the invalidated replication slot \"%s\"",
                   s->slot);
    return CDC_DONE;
}

static enum cdc_step create_slot(struct cdc *cdc, const struct cdc_wait *wait,
                                 struct sluice_err *err)
{
    const struct cdc_settings *s = &cdc->settings;
    struct cdc_text sql = {0};
    cdc_text_addf(&sql, "CREATE_REPLICATION_SLOT \"%s\" LOGICAL pgoutput", s->slot);
    if (s->slot_failover && cdc->server_version >= 170000 && !cdc->standby)
        cdc_text_adds(&sql, " (FAILOVER)");
    else if (s->slot_failover && !cdc->replication.under_way)
        cdc->host->log(cdc->task, SLUICE_WARN,
                       "slot.failover has no effect: it needs a primary of Postgres 17 or later");
    char *what = cdc_format("creating replication slot \"%s\" (waits for transactions that are "
                            "open)",
                            s->slot);
    if (!cdc->replication.under_way) cdc->slot_since_ms = cdc_now_ms();
    enum cdc_step step = cdc_conn_query(&cdc->replication, s, sql.s, what, wait, err);
    cdc_text_free(&sql);
    if (step == CDC_WAIT && cdc_now_ms() - cdc->slot_since_ms > s->slot_create_ms) {
        cdc_error(err,
                  "%s: it took longer than %d s (internal.create.slot.command.timeout); please "
                  "make sure that there are no long running queries on the database: SELECT pid, "
                  "xact_start, query FROM pg_stat_activity WHERE xact_start < now() - interval '1 "
                  "minute';",
                  what, s->slot_create_ms / 1000);
        step = CDC_ERROR;
    }
    free(what);
    if (step != CDC_DONE) return step;
    const struct cdc_conn *conn = &cdc->replication;
    cdc->slot.exists = cdc->slot.created = true;
    cdc_lsn_parse(cdc_conn_field(conn, 0, 0, 1), &cdc->slot.confirmed);
    cdc->slot.restart = cdc->slot.confirmed;
    strncpy(cdc->slot.snapshot, cdc_conn_field(conn, 0, 0, 2), sizeof(cdc->slot.snapshot) - 1);
    char lsn[24];
    cdc->host->log(cdc->task, SLUICE_INFO, "created replication slot \"%s\" at %s", s->slot,
                   cdc_lsn_text(cdc->slot.confirmed, lsn));
    return CDC_DONE;
}

static enum cdc_step after_slot(struct cdc *cdc)
{
    cdc->phase = cdc->snapshot_due ? CDC_SNAPSHOT_DELAY : CDC_STREAMING_DELAY;
    cdc->delay_until_ms =
        cdc_now_ms() +
        (cdc->snapshot_due && cdc->first_start ? cdc->settings.snapshot_delay_ms : 0);
    return CDC_DONE;
}

static enum cdc_step delay(struct cdc *cdc, const struct cdc_wait *wait)
{
    int64_t until = cdc->delay_until_ms < wait->until_ms ? cdc->delay_until_ms : wait->until_ms;
    cdc_sleep(wait->wake_fd, until);
    if (cdc_now_ms() < cdc->delay_until_ms) return CDC_WAIT;
    cdc->phase = cdc->phase == CDC_SNAPSHOT_DELAY ? CDC_SNAPSHOT_BEGIN : CDC_START;
    return CDC_DONE;
}

/* ---- streaming ---- */

static char *start_sql(const struct cdc *cdc)
{
    const struct cdc_settings *s = &cdc->settings;
    struct cdc_text sql = {0}, name = {0};
    char lsn[24];
    /* What was prepared before the offset must come again: its COMMIT PREPARED brings nothing. */
    uint64_t from = cdc->slot.two_phase ? cdc->slot.confirmed : cdc->position.lsn_commit;
    bool streams = s->in_progress && cdc->server_version >= 140000;
    bool parallel = s->in_progress == CDC_IN_PROGRESS_PARALLEL && cdc->server_version >= 160000;
    cdc_text_addf(&sql,
                  "START_REPLICATION SLOT \"%s\" LOGICAL %s (\"proto_version\" '%d', "
                  "\"publication_names\" ",
                  s->slot, cdc_lsn_text(from, lsn),
                  parallel              ? 4
                  : cdc->slot.two_phase ? 3
                  : streams             ? 2
                                        : 1);
    cdc_text_ident(&name, s->publication);
    cdc_text_literal(&sql, name.s);
    cdc_text_free(&name);
    if (cdc->server_version >= 140000) cdc_text_adds(&sql, ", \"messages\" 'true'");
    if (streams) cdc_text_addf(&sql, ", \"streaming\" '%s'", parallel ? "parallel" : "on");
    for (const char *p = s->stream_params; p && *p;) {
        size_t len = strcspn(p, ";"), key = strcspn(p, "=;");
        if (key < len) {
            char *k = cdc_strndup(p, key), *v = cdc_strndup(p + key + 1, len - key - 1);
            cdc_text_adds(&sql, ", ");
            cdc_text_ident(&sql, k);
            cdc_text_adds(&sql, " ");
            cdc_text_literal(&sql, v);
            free(k);
            free(v);
        }
        p += len + (p[len] == ';');
    }
    cdc_text_adds(&sql, ")");
    return sql.s;
}

/* The slot is held by another connection: often our own former one, which the server has not yet
 * seen go. */
static enum cdc_step slot_busy(struct cdc *cdc, struct sluice_err *err)
{
    const struct cdc_settings *s = &cdc->settings;
    int64_t now = cdc_now_ms();
    if (!cdc->slot_wait_since_ms) cdc->slot_wait_since_ms = now;
    if (now - cdc->slot_wait_since_ms < (int64_t)s->slot_retries * s->slot_retry_ms)
        return CDC_ERROR;
    cdc->slot_wait_since_ms = 0;
    char said[512];
    strncpy(said, err->msg, sizeof(said) - 1);
    said[sizeof(said) - 1] = 0;
    return cdc_refuse(cdc, err, "%s (tried for %lld ms: slot.max.retries x slot.retry.delay.ms)",
                      said, (long long)s->slot_retries * s->slot_retry_ms);
}

/* A standby that keeps the slot in step with its primary's lends it to nobody before it is
 * promoted: a failover is under way. */
static enum cdc_step await_promotion(struct cdc *cdc, struct sluice_err *err)
{
    const struct cdc_settings *s = &cdc->settings;
    cdc->replication.fatal = false;
    cdc_error(err,
              "replication slot \"%s\" cannot be used: the server at %s:%d is a standby that keeps "
              "it in step with its primary's; waiting for the standby to be promoted, or set "
              "database.hostname to the primary",
              s->slot, s->host, s->port);
    return CDC_ERROR;
}

static enum cdc_step start(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    char *sql = start_sql(cdc);
    char *what = cdc_format("starting replication from slot \"%s\"", cdc->settings.slot);
    enum cdc_step step = cdc_conn_query(&cdc->replication, &cdc->settings, sql, what, wait, err);
    free(sql);
    free(what);
    if (step == CDC_ERROR && !strcmp(cdc->replication.sqlstate, "55006"))
        return slot_busy(cdc, err);
    if (step == CDC_ERROR && !strcmp(cdc->replication.sqlstate, "42704") && !cdc->slot_vanished) {
        cdc->slot_vanished = true; /* since it was looked at; the next look tells */
        cdc->replication.fatal = false;
        return CDC_ERROR;
    }
    if (step == CDC_ERROR && cdc->standby && !strcmp(cdc->replication.sqlstate, "55000"))
        return await_promotion(cdc, err);
    if (step != CDC_DONE) return step;
    if (!cdc->replication.results_n ||
        PQresultStatus(cdc->replication.results[0]) != PGRES_COPY_BOTH)
        return cdc_conn_broken(&cdc->replication, &cdc->settings, "starting replication", err);
    char from[24], confirmed[24];
    cdc->host->log(cdc->task, SLUICE_INFO,
                   "streaming from slot \"%s\": offset %s, slot confirmed %s", cdc->settings.slot,
                   cdc_lsn_text(cdc->position.lsn_commit, from),
                   cdc_lsn_text(cdc->slot.confirmed, confirmed));
    cdc_resume_init(&cdc->resume, &cdc->position);
    cdc->in_transaction = false;
    cdc->slot_wait_since_ms = 0;
    cdc->slot_vanished = false;
    cdc->failures = 0;
    cdc->first_start = false;
    if (cdc->confirmed_lsn < cdc->slot.confirmed) cdc->confirmed_lsn = cdc->slot.confirmed;
    cdc->unsent_since_ms = 0;
    /* The offset is durable: the slot may follow at once. */
    bool follows =
        cdc->settings.mismatch == CDC_TRUST_OFFSET || cdc->settings.mismatch == CDC_TRUST_GREATER;
    if (follows && !cdc->slot.two_phase && cdc->confirmed_lsn < cdc->position.lsn_commit) {
        cdc->confirmed_lsn = cdc->position.lsn_commit;
        cdc->confirm_now = true;
    }
    cdc->received_lsn = cdc->confirmed_lsn;
    cdc->idle_lsn = 0;
    cdc->emitted_commit = cdc->position.lsn_commit;
    cdc->last_status_ms = cdc->last_heartbeat_ms = cdc->last_idle_ms = cdc_now_ms();
    cdc->closed_well = true;
    cdc->phase = CDC_STREAM;
    return CDC_DONE;
}

enum cdc_step cdc_setup(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    enum cdc_step step;
    cdc->hopeless = false;
    switch (cdc->phase) {
    case CDC_CONNECT:
        step = cdc_conn_open(&cdc->general, &cdc->settings, "Debezium General", false, wait, err);
        if (step == CDC_DONE) cdc->phase = CDC_INSPECT;
        return step;
    case CDC_INSPECT: return inspect(cdc, wait, err);
    case CDC_CHECK: return check(cdc, wait, err);
    case CDC_TABLES: return find_tables(cdc, wait, err);
    case CDC_PUBLISH: return cdc_publish(cdc, wait, err);
    case CDC_IDENTIFY:
        step = cdc->standby ? CDC_DONE : cdc_identify(cdc, wait, err);
        if (step == CDC_DONE) cdc->phase = CDC_CONNECT_REPLICATION;
        return step;
    case CDC_CONNECT_REPLICATION:
        step =
            cdc_conn_open(&cdc->replication, &cdc->settings, "Debezium Streaming", true, wait, err);
        if (step == CDC_DONE) cdc->phase = CDC_CREATE_SLOT;
        return step;
    case CDC_CREATE_SLOT:
        step = drop_invalid(cdc, wait, err);
        if (step == CDC_DONE && !cdc->slot.exists) step = create_slot(cdc, wait, err);
        return step == CDC_DONE ? after_slot(cdc) : step;
    case CDC_SNAPSHOT_DELAY:
    case CDC_STREAMING_DELAY: return delay(cdc, wait);
    case CDC_START: return start(cdc, wait, err);
    default: assert(!"a phase of the setup"); return CDC_ERROR;
    }
}

void cdc_drop_slot(struct cdc *cdc, int wait_ms)
{
    struct cdc_wait wait = {-1, cdc_now_ms() + wait_ms};
    struct sluice_err err;
    cdc_conn_close(&cdc->replication); /* lets go of the slot */
    cdc_conn_close(&cdc->general);
    enum cdc_step step =
        cdc_conn_open(&cdc->general, &cdc->settings, "Debezium Drop Slot", false, &wait, &err);
    char *sql = cdc_format("SELECT pg_drop_replication_slot('%s')", cdc->settings.slot);
    while (step == CDC_DONE) {
        step = query(cdc, sql, "dropping the slot", &wait, &err);
        if (step == CDC_DONE) break;
        /* The server needs a moment to see that the streaming connection is gone. */
        bool again = step == CDC_ERROR && !strcmp(cdc->general.sqlstate, "55006") &&
                     cdc_now_ms() < wait.until_ms;
        struct cdc_wait pause = {-1, cdc_now_ms() + 50};
        if (again && !cdc_conn_wait(&cdc->general, 0, &pause)) step = CDC_DONE;
    }
    cdc->host->log(cdc->task, step == CDC_DONE ? SLUICE_INFO : SLUICE_WARN,
                   step == CDC_DONE ? "dropped replication slot \"%s\" (slot.drop.on.stop)%s"
                                    : "could not drop replication slot \"%s\": %s",
                   cdc->settings.slot, step == CDC_DONE ? "" : err.msg);
    free(sql);
}
