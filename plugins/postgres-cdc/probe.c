/* probe.c - what validate() finds out by connecting: wrong host, password, privilege, wal_level,
 * slot, publication, signal table; each with the SQL that repairs it. Runs on no task's thread and
 * may take some seconds. Nothing on the server is changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdc.h"
#include "checks.h"

#define STARTS_MS 5000  /* who starts a connector is not kept waiting for a server that is away */
#define ANSWER_MS 80000 /* REST gives up a little later */

struct probe {
    const struct cdc_settings *settings;
    const struct sluice_host *host;
    struct cdc_conn conn;
    bool starts; /* the connector, when nothing is found */
    cdc_complain *complain;
    void *arg;
};

/* As Debezium: everything about connecting stands there. */
static const char connecting[] = "database.hostname";

static void complain(void *arg, const char *key, const char *why)
{
    const struct probe *p = arg;
    p->complain(p->arg, key, why);
}

/* No reason to refuse a connector, but worth telling who asks what is wrong. */
static void advise(void *arg, const char *key, const char *why)
{
    const struct probe *p = arg;
    if (p->starts) p->host->log(NULL, SLUICE_WARN, "%s", why);
    else p->complain(p->arg, key, why);
}

/* A server that is down or starting may be up in a moment, and the task tries again without end: no
 * reason to refuse a config. A name that does not exist is one. */
static bool passing(const struct cdc_conn *conn, const char *message)
{
    static const char *const states[] = {"57P01", "57P02", "57P03", "53300", "08006", "08001"};
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
        if (!strcmp(conn->sqlstate, states[i])) return true;
    return !*conn->sqlstate && !strstr(message, "could not translate host name") &&
           !strstr(message, "certificate") && !strstr(message, "SSL");
}

static void not_connected(struct probe *p, bool away, const char *why)
{
    if (!p->starts || !away) {
        p->complain(p->arg, connecting, why);
        return;
    }
    p->host->log(NULL, SLUICE_WARN,
                 "%s; what the server says of this config is not checked, and the connector will "
                 "go on trying",
                 why);
}

static void ask(struct probe *p, const struct cdc_checks *checks, const struct cdc_wait *wait)
{
    struct sluice_err err;
    char *sql = cdc_checks_sql(p->settings);
    enum cdc_step step =
        cdc_conn_query(&p->conn, p->settings, sql, "reading the server's settings", wait, &err);
    if (step == CDC_DONE) cdc_checks_run(checks);
    else
        not_connected(p, step == CDC_WAIT || passing(&p->conn, err.msg),
                      step == CDC_WAIT ? "the server does not answer" : err.msg);
    free(sql);
}

void cdc_probe(const struct cdc_settings *settings, const struct sluice_host *host, bool starts,
               cdc_complain *report, void *arg)
{
    struct probe p = {.settings = settings,
                      .host = host,
                      .conn = {.bare = true},
                      .starts = starts,
                      .complain = report,
                      .arg = arg};
    const struct cdc_checks checks = {.settings = settings,
                                      .conn = &p.conn,
                                      .complain = complain,
                                      .advise = advise,
                                      .arg = &p,
                                      .reads = settings->snapshot_mode != CDC_NO_DATA};
    int wait_ms = settings->validation_timeout_ms, most_ms = starts ? STARTS_MS : ANSWER_MS;
    if (wait_ms > most_ms) wait_ms = most_ms;
    const struct cdc_wait wait = {-1, cdc_now_ms() + wait_ms};
    struct sluice_err err;
    cdc_checks_files(&checks);
    enum cdc_step step =
        cdc_conn_open(&p.conn, settings, "Debezium Validate Connection", false, &wait, &err);
    if (step == CDC_WAIT)
        cdc_error(&err, "connecting to postgres at %s:%d: no answer within %d ms", settings->host,
                  settings->port, wait_ms);
    if (step == CDC_DONE) ask(&p, &checks, &wait);
    else not_connected(&p, step == CDC_WAIT || passing(&p.conn, err.msg), err.msg);
    cdc_conn_close(&p.conn);
}
