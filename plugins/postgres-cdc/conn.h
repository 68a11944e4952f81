/* conn.h - connections to Postgres that never block the task.
 *
 * Everything is a step: it is called again until it is done, and gives way (CDC_WAIT) when the
 * deadline has passed or the host wants the thread back. A query that was sent stays under way in
 * between; calling again with the same text goes on waiting for it. Owner: the task's thread. */
#ifndef CDC_CONN_H
#define CDC_CONN_H

#include <libpq-fe.h>

#include "settings.h"

enum cdc_step { CDC_DONE, CDC_WAIT, CDC_ERROR };

/* How long a step may wait. */
struct cdc_wait {
    int wake_fd;      /* -1: none */
    int64_t until_ms; /* cdc_now_ms() */
};

#define CDC_RESULTS_MAX 5

/* For a transaction that may take as long as it takes; two statements. Not all versions have the
 * second setting. */
#define CDC_NO_TIMEOUTS                                                                            \
    "SET LOCAL statement_timeout = 0; SELECT set_config(name, '0', true) FROM "                    \
    "pg_catalog.pg_settings WHERE name = 'transaction_timeout'"

struct cdc_conn {
    PGconn *pg;
    bool up;                            /* connected, and the initial statements have run */
    bool bare;                          /* set by whoever opens it: no initial statements */
    bool under_way;                     /* a query was sent */
    size_t statement;                   /* next of the initial statements */
    int64_t deadline_ms;                /* of connecting */
    PGresult *results[CDC_RESULTS_MAX]; /* of the last query, one per statement */
    size_t results_n;
    bool failed; /* one of its statements failed: */
    struct sluice_err failure;
    /* After CDC_ERROR: */
    bool fatal;       /* trying again will not help: the config or the server must change */
    char sqlstate[6]; /* "" when it was not the server that said no */
};

/* Connects; role: "Debezium General" and the like, shown as application_name. */
enum cdc_step cdc_conn_open(struct cdc_conn *conn, const struct cdc_settings *settings,
                            const char *role, bool replication, const struct cdc_wait *wait,
                            struct sluice_err *err);
/* Runs SQL (several statements, separated by semicolons, give several results). what: "reading the
 * columns of s1.a", for the error text. */
enum cdc_step cdc_conn_query(struct cdc_conn *conn, const struct cdc_settings *settings,
                             const char *sql, const char *what, const struct cdc_wait *wait,
                             struct sluice_err *err);
/* Puts the result's error with advice into err, and sets fatal and sqlstate. */
enum cdc_step cdc_conn_refused(struct cdc_conn *conn, const struct cdc_settings *settings,
                               const PGresult *result, const char *what, struct sluice_err *err);
/* The connection broke while doing what; err says so. */
enum cdc_step cdc_conn_broken(struct cdc_conn *conn, const struct cdc_settings *settings,
                              const char *what, struct sluice_err *err);
/* Waits for the socket (events of poll(2)); false: time is up or the host calls. */
bool cdc_conn_wait(struct cdc_conn *conn, short events, const struct cdc_wait *wait);
/* Waits until then, or until wake_fd (-1: none) is readable. */
void cdc_sleep(int wake_fd, int64_t until_ms);
/* Whether wake_fd is readable now. */
bool cdc_called(int wake_fd);
void cdc_conn_close(struct cdc_conn *conn); /* takes a zeroed one; may be opened again */

/* Field of the first result as text, "" when null. */
const char *cdc_conn_field(const struct cdc_conn *conn, size_t result, int row, int column);

#endif
