/* watch.c - a look at the slot from time to time, while streaming: whether the server is about to
 * give it up, and its xmin for the records (xmin.fetch.interval.ms). */
#include <stdlib.h>
#include <string.h>

#include "cdc.h"
#include "watch.h"

#define WATCH_MS 60000

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

void cdc_watch_wal(struct cdc *cdc, const char *status, const char *left)
{
    int alarm = !strcmp(status, "unreserved") ? 2 : !strcmp(status, "extended");
    if (alarm > cdc->wal_alarm)
        cdc->host->log(
            cdc->task, SLUICE_WARN,
            alarm == 2 ? "replication slot \"%s\" needs WAL that the server may remove at "
                         "its next checkpoint; changes are then lost: raise "
                         "max_slot_wal_keep_size, and see why the connector is behind%s%s"
                       : "replication slot \"%s\" holds back more WAL than the server "
                         "keeps by itself (max_wal_size); see why the connector is "
                         "behind%s%s",
            cdc->settings.slot, *left ? "; bytes left until the slot is lost: " : "", left);
    else if (!alarm && cdc->wal_alarm)
        cdc->host->log(cdc->task, SLUICE_INFO,
                       "replication slot \"%s\" holds back no more WAL than the server keeps by "
                       "itself",
                       cdc->settings.slot);
    cdc->wal_alarm = alarm;
}

static void take(struct cdc *cdc)
{
    const struct cdc_conn *conn = &cdc->general;
    if (!PQntuples(conn->results[0])) return; /* dropped: the stream will say so */
    cdc_watch_wal(cdc, cdc_conn_field(conn, 0, 0, 0), cdc_conn_field(conn, 0, 0, 1));
    /* Only of catalog rows: a logical slot has no other. */
    cdc->xmin = cdc->settings.xmin_ms ? strtoull(cdc_conn_field(conn, 0, 0, 2), NULL, 10) : 0;
}

enum cdc_step cdc_watch(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    int64_t now_ms = cdc_now_ms();
    int every_ms = cdc->settings.xmin_ms && cdc->settings.xmin_ms < WATCH_MS ? cdc->settings.xmin_ms
                                                                             : WATCH_MS;
    if (!cdc->watch_due) {
        if (cdc->last_watch_ms && now_ms - cdc->last_watch_ms < every_ms) return CDC_DONE;
        /* A table is being looked up, or a chunk read: later. */
        if (cdc->message || cdc->general.under_way) return CDC_DONE;
        cdc->watch_due = true;
        cdc->last_watch_ms = now_ms;
    }
    struct cdc_text sql = {0};
    cdc_text_adds(&sql, "SELECT wal_status, pg_catalog.pg_size_pretty(safe_wal_size), "
                        "catalog_xmin FROM pg_catalog.pg_replication_slots WHERE slot_name = ");
    cdc_text_literal(&sql, cdc->settings.slot);
    enum cdc_step step = cdc_conn_query(&cdc->general, &cdc->settings, sql.s,
                                        "looking at the replication slot", wait, err);
    cdc_text_free(&sql);
    if (step == CDC_WAIT) return step;
    cdc->watch_due = false;
    if (step == CDC_DONE) take(cdc);
    return step;
}
