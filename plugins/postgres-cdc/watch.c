/* watch.c - a look at the slot from time to time, while streaming: how much WAL the server keeps
 * for it, whether it is about to give it up, and its xmin for the records
 * (xmin.fetch.interval.ms). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdc.h"
#include "watch.h"

/* It is looked at as often as status messages are sent, within these limits. */
#define WATCH_MIN_MS 500
#define WATCH_MAX_MS 10000

const char *cdc_invalidation(const char *reason)
{
    static const struct {
        const char *reason, *why;
    } known[] = {
        {"rows_removed", "rows of the catalog that it still needed were removed, as happens on a "
                         "standby without hot_standby_feedback"},
        {"wal_level_insufficient", "wal_level was lowered below logical on the primary"},
        {"idle_timeout",
         "nobody used it for longer than the server's idle_replication_slot_timeout"},
        {"conflict", "the standby's recovery was in conflict with it (its primary has another "
                     "wal_level, or hot_standby_feedback is off)"}};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (!strcmp(known[i].reason, reason)) return known[i].why;
    return "the server removed WAL that it still needed (max_slot_wal_keep_size)";
}

/* ---- warnings ---- */

const char *cdc_bytes_text(uint64_t bytes, char out[24])
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
    size_t unit = 0;
    double n = (double)bytes;
    while (n >= 10240 && unit + 1 < sizeof(units) / sizeof(*units)) {
        n /= 1024;
        unit++;
    }
    snprintf(out, 24, "%.0f %s", n, units[unit]);
    return out;
}

static int alarm_of(const char *status)
{
    return !strcmp(status, "unreserved") ? 2 : !strcmp(status, "extended");
}

/* What holds the WAL back. */
enum { TRANSACTIONS = 1, MANUAL = 2, BEHIND = 4, SNAPSHOT = 8 };

static unsigned cause_of(const struct cdc *cdc, const struct cdc_slot_look *look)
{
    if (look->behind < look->retained / 2) return TRANSACTIONS;
    if (cdc->phase < CDC_START) return SNAPSHOT;
    return cdc->settings.flush_mode == CDC_FLUSH_MANUAL ? MANUAL : BEHIND;
}

/* In words; owned. */
static char *cause_text(unsigned cause, const struct cdc_slot_look *look)
{
    char behind[24];
    cdc_bytes_text(look->behind, behind);
    switch (cause) {
    case TRANSACTIONS:
        return cdc_format("the connector has confirmed all but %s of it, and the rest waits for "
                          "open transactions to end%s%s",
                          behind, *look->holder ? "; the oldest is " : "", look->holder);
    case MANUAL:
        return cdc_format("%s of it was never confirmed, as lsn.flush.mode=manual leaves that to "
                          "others: advance the slot (pg_replication_slot_advance)",
                          behind);
    case SNAPSHOT:
        return cdc_format(
            "%s of it were written since the snapshot began, and are streamed when it "
            "is complete",
            behind);
    default:
        return cdc_format("%s of it is not confirmed by this connector, which is behind: see its "
                          "lag, the task's status, and whether Kafka takes what it gives",
                          behind);
    }
}

static void warn(struct cdc *cdc, const struct cdc_slot_look *look, unsigned cause)
{
    char retained[24], safe[24];
    int alarm = alarm_of(look->status);
    char *why = cause_text(cause, look);
    char *left = look->safe < 0 ? cdc_strdup("")
                                : cdc_format("; %s more, and the slot may be lost",
                                             cdc_bytes_text((uint64_t)look->safe, safe));
    cdc->host->log(cdc->task, SLUICE_WARN,
                   "replication slot \"%s\" holds back %s of WAL%s (max_slot_wal_keep_size is "
                   "%s%s): %s",
                   cdc->settings.slot, cdc_bytes_text(look->retained, retained),
                   alarm == 2   ? ", which the server may remove at its next checkpoint; changes "
                                  "are then lost: raise max_slot_wal_keep_size now"
                   : alarm == 1 ? ", more than the server keeps by itself (max_wal_size)"
                                : "",
                   look->limit, left, why);
    free(why);
    free(left);
}

void cdc_watch_wal(struct cdc *cdc, const char *status, const char *left)
{
    int alarm = alarm_of(status);
    if (alarm > cdc->wal_alarm)
        cdc->host->log(cdc->task, SLUICE_WARN,
                       "replication slot \"%s\" is '%s': it holds back more WAL than the server "
                       "%s%s%s",
                       cdc->settings.slot, status,
                       alarm == 2 ? "may keep (max_slot_wal_keep_size); changes are lost at its "
                                    "next checkpoint"
                                  : "keeps by itself (max_wal_size)",
                       *left ? "; bytes left until the slot is lost: " : "", left);
    cdc->wal_alarm = alarm;
}

/* Too much for two looks in a row, as a burst that is being read is none; of another cause than
 * those warned of, or twice as much. */
static bool too_much(struct cdc *cdc, const struct cdc_slot_look *look, unsigned cause)
{
    struct cdc_wal *wal = &cdc->meters.wal;
    uint64_t most = cdc->settings.wal_warn_bytes;
    bool much = most && look->retained >= most;
    wal->looks = !much ? 0 : wal->cause == cause ? wal->looks + 1 : 1;
    wal->cause = cause;
    return wal->looks >= 2 && (!(wal->told & cause) || look->retained / 2 >= wal->warned);
}

void cdc_watch_look(struct cdc *cdc, const struct cdc_slot_look *look)
{
    struct cdc_wal *wal = &cdc->meters.wal;
    uint64_t most = cdc->settings.wal_warn_bytes;
    int alarm = alarm_of(look->status);
    unsigned cause = cause_of(cdc, look);
    bool first = !wal->known;
    wal->known = true;
    wal->retained = look->retained;
    wal->behind = look->behind;
    wal->safe = look->safe;
    if (too_much(cdc, look, cause) || alarm > cdc->wal_alarm || (alarm && first)) {
        warn(cdc, look, cause);
        wal->warned = look->retained;
        wal->told |= cause;
    } else if (!alarm && (cdc->wal_alarm || wal->warned) && (!most || look->retained < most / 2)) {
        char retained[24];
        cdc->host->log(cdc->task, SLUICE_INFO,
                       "replication slot \"%s\" holds back %s of WAL again, which is no concern",
                       cdc->settings.slot, cdc_bytes_text(look->retained, retained));
        wal->warned = wal->told = 0;
    }
    cdc->wal_alarm = alarm;
}

/* ---- looking ---- */

/* The transaction that holds back restart_lsn is in all likelihood the oldest one with changes. */
static const char look_sql[] =
    "SELECT s.wal_status, s.safe_wal_size, s.catalog_xmin, pg_catalog.pg_wal_lsn_diff(c.lsn, "
    "s.restart_lsn), pg_catalog.pg_wal_lsn_diff(c.lsn, s.confirmed_flush_lsn), "
    "current_setting('max_slot_wal_keep_size'), (SELECT t.what FROM (SELECT xact_start AS since, "
    "format('that of the server process %s (user %s, application \"%s\", %s), begun %s', pid, "
    "usename, application_name, state, xact_start) AS what FROM pg_catalog.pg_stat_activity WHERE "
    "backend_xid IS NOT NULL UNION ALL SELECT prepared, format('the prepared transaction \"%s\" "
    "of %s, of %s', gid, owner, prepared) FROM pg_catalog.pg_prepared_xacts) t ORDER BY t.since "
    "LIMIT 1) FROM pg_catalog.pg_replication_slots s, (SELECT CASE WHEN "
    "pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE "
    "pg_catalog.pg_current_wal_lsn() END AS lsn) c WHERE s.slot_name = ";

static uint64_t bytes_of(const char *text)
{
    return *text && *text != '-' ? strtoull(text, NULL, 10) : 0;
}

static void take(struct cdc *cdc, const struct cdc_conn *conn)
{
    if (!PQntuples(conn->results[0])) return; /* dropped: the stream will say so */
    const char *safe = cdc_conn_field(conn, 0, 0, 1);
    const struct cdc_slot_look look = {.status = cdc_conn_field(conn, 0, 0, 0),
                                       .safe = *safe ? (int64_t)bytes_of(safe) : -1,
                                       .retained = bytes_of(cdc_conn_field(conn, 0, 0, 3)),
                                       .behind = bytes_of(cdc_conn_field(conn, 0, 0, 4)),
                                       .limit = cdc_conn_field(conn, 0, 0, 5),
                                       .holder = cdc_conn_field(conn, 0, 0, 6)};
    cdc_watch_look(cdc, &look);
    if (conn != &cdc->general) return; /* rows of snapshots carry none */
    /* Only of catalog rows: a logical slot has no other. */
    cdc->xmin = cdc->settings.xmin_ms ? strtoull(cdc_conn_field(conn, 0, 0, 2), NULL, 10) : 0;
}

/* It is time for a look, and nothing stands in the way; or one is under way. */
static bool due(struct cdc *cdc, bool free)
{
    const struct cdc_settings *s = &cdc->settings;
    int64_t now_ms = cdc_now_ms();
    int every_ms = cdc->status_ms < WATCH_MIN_MS   ? WATCH_MIN_MS
                   : cdc->status_ms > WATCH_MAX_MS ? WATCH_MAX_MS
                                                   : cdc->status_ms;
    if (s->xmin_ms && s->xmin_ms < every_ms) every_ms = s->xmin_ms;
    if (cdc->watch_due) return true;
    if (!free || (cdc->last_watch_ms && now_ms - cdc->last_watch_ms < every_ms)) return false;
    cdc->last_watch_ms = now_ms;
    return cdc->watch_due = true;
}

static enum cdc_step look(struct cdc *cdc, struct cdc_conn *conn, const struct cdc_wait *wait,
                          struct sluice_err *err)
{
    struct cdc_text sql = {0};
    cdc_text_adds(&sql, look_sql);
    cdc_text_literal(&sql, cdc->settings.slot);
    enum cdc_step step =
        cdc_conn_query(conn, &cdc->settings, sql.s, "looking at the replication slot", wait, err);
    cdc_text_free(&sql);
    if (step == CDC_WAIT) return step;
    cdc->watch_due = false;
    if (step == CDC_DONE) take(cdc, conn);
    return step;
}

/* A network may swallow everything and tell nobody: the look is what shows that the server is
 * there. */
static enum cdc_step unanswered(struct cdc *cdc, struct sluice_err *err)
{
    const struct cdc_settings *s = &cdc->settings;
    if (cdc_now_ms() - cdc->last_watch_ms < s->connect_timeout_ms) return CDC_WAIT;
    cdc_error(err,
              "looking at the replication slot on postgres at %s:%d: no answer within %d ms "
              "(connection.validation.timeout.ms)",
              s->host, s->port, s->connect_timeout_ms);
    return CDC_ERROR;
}

enum cdc_step cdc_watch(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    /* A table is being looked up, or a chunk read: later. */
    if (!due(cdc, !cdc->message && !cdc->general.under_way)) return CDC_DONE;
    enum cdc_step step = look(cdc, &cdc->general, wait, err);
    return step == CDC_WAIT ? unanswered(cdc, err) : step;
}

bool cdc_watch_beside(struct cdc *cdc, bool begin)
{
    const struct cdc_wait now = {-1, 0};
    struct cdc_conn *conn = &cdc->replication;
    struct sluice_err err = {{0}};
    bool free = begin && conn->pg && !conn->under_way && !cdc->meters.wal.gave_up;
    if (!due(cdc, free)) return true;
    enum cdc_step step = look(cdc, conn, &now, &err);
    if (step == CDC_ERROR) { /* what is wrong with the connection shows when the stream begins */
        cdc->host->log(cdc->task, SLUICE_WARN, "%s; it is not looked at again before the stream",
                       err.msg);
        cdc->meters.wal.gave_up = true;
        conn->fatal = false;
    }
    return step != CDC_WAIT;
}
