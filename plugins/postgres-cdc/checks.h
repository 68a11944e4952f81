/* checks.h - whether a server offers what a config needs: the same findings, in the same words, for
 * validate() (probe.c) and for a task's start (setup.c).
 *
 * Each says which SQL repairs it. Nothing on the server is changed. */
#ifndef CDC_CHECKS_H
#define CDC_CHECKS_H

#include "conn.h"

struct cdc_checks {
    const struct cdc_settings *settings;
    const struct cdc_conn *conn; /* has run cdc_checks_sql() */
    cdc_complain *complain;      /* the connector cannot do its work */
    cdc_complain *advise;        /* it can, but a part of it will not come */
    void *arg;
    bool starting; /* a task asks: what the next steps try anyway is left to them */
    bool reads;    /* tables will be read, not only streamed */
};

/* Files and directories that options name. */
void cdc_checks_files(const struct cdc_checks *checks);
/* The queries, owned by the caller; and what their results say. */
char *cdc_checks_sql(const struct cdc_settings *settings);
void cdc_checks_run(const struct cdc_checks *checks);

#endif
