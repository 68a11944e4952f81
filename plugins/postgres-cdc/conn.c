/* conn.c - connections to Postgres that never block the task: see conn.h.
 *
 * Only resolving a host name may block, inside libpq. */
#include "conn.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* What all values are read with: the converters know these forms only. */
#define SESSION                                                                                    \
    "-c DateStyle=ISO -c IntervalStyle=postgres -c TimeZone=UTC -c bytea_output=hex "              \
    "-c extra_float_digits=3 -c idle_in_transaction_session_timeout=0"

bool cdc_conn_wait(struct cdc_conn *conn, short events, const struct cdc_wait *wait)
{
    struct pollfd fds[2] = {{PQsocket(conn->pg), events, 0}, {wait->wake_fd, POLLIN, 0}};
    for (;;) {
        int64_t left = wait->until_ms - cdc_now_ms();
        int n = poll(fds, wait->wake_fd >= 0 ? 2 : 1, left > 0 ? (int)left : 0);
        if (n < 0 && errno == EINTR) continue;
        return n > 0 && fds[0].revents;
    }
}

void cdc_sleep(int wake_fd, int64_t until_ms)
{
    struct pollfd fd = {wake_fd, POLLIN, 0}; /* a negative fd is passed over */
    int64_t left;
    while ((left = until_ms - cdc_now_ms()) > 0)
        if (poll(&fd, 1, left < INT32_MAX ? (int)left : INT32_MAX) > 0) return;
}

bool cdc_called(int wake_fd)
{
    struct pollfd fd = {wake_fd, POLLIN, 0};
    return poll(&fd, 1, 0) > 0;
}

void cdc_conn_close(struct cdc_conn *conn)
{
    for (size_t i = 0; i < conn->results_n; i++) PQclear(conn->results[i]);
    PQfinish(conn->pg);
    memset(conn, 0, sizeof(*conn));
}

const char *cdc_conn_field(const struct cdc_conn *conn, size_t result, int row, int column)
{
    assert(result < conn->results_n);
    return PQgetvalue(conn->results[result], row, column);
}

/* ---- errors ---- */

/* Whether the same attempt can succeed later without anybody changing config or server. */
static bool hopeless(const char *sqlstate)
{
    static const char *const classes[] = {"28", "3D", "42", "0A", "22", "23", "3F", "55"};
    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
        if (!strncmp(sqlstate, classes[i], 2))
            return strcmp(sqlstate, "55P03") != 0 && strcmp(sqlstate, "55006") != 0;
    return false;
}

static void advise(struct cdc_text *out, const struct cdc_settings *s, const char *sqlstate,
                   const char *message)
{
    if (!strcmp(sqlstate, "28P01"))
        cdc_text_adds(out, "; check database.user and database.password");
    else if (!strcmp(sqlstate, "28000") && strstr(message, "pg_hba"))
        cdc_text_addf(out, "; add a line for user %s, database %s (and replication) to pg_hba.conf",
                      s->user, s->dbname);
    else if (!strcmp(sqlstate, "28000"))
        cdc_text_addf(out, "; check database.user: the role must exist and have LOGIN");
    else if (!strcmp(sqlstate, "3D000")) cdc_text_adds(out, "; check database.dbname");
    else if (!strcmp(sqlstate, "42501") &&
             (strstr(message, "walsender") || strstr(message, "replication")))
        cdc_text_addf(out, "; run as superuser: ALTER ROLE \"%s\" REPLICATION;", s->user);
    else if (!strcmp(sqlstate, "42501") && strstr(message, "ALL TABLES"))
        cdc_text_addf(out,
                      "; run as superuser: CREATE PUBLICATION %s FOR ALL TABLES; or set "
                      "publication.autocreate.mode=filtered",
                      s->publication);
    else if (!strcmp(sqlstate, "42501") && strstr(message, "for database"))
        cdc_text_addf(out, "; run: GRANT CREATE ON DATABASE \"%s\" TO \"%s\";", s->dbname, s->user);
    else if (!strcmp(sqlstate, "42501") && strstr(message, "must be owner"))
        cdc_text_addf(out,
                      "; make \"%s\" the owner of the table (or a member of the role that owns "
                      "it), or create the publication yourself and set "
                      "publication.autocreate.mode=disabled",
                      s->user);
    else if (!strcmp(sqlstate, "42501"))
        cdc_text_addf(out,
                      "; run: GRANT USAGE ON SCHEMA <schema> TO \"%s\"; GRANT SELECT ON ALL TABLES "
                      "IN SCHEMA <schema> TO \"%s\";",
                      s->user, s->user);
    else if (!strcmp(sqlstate, "42704") && strstr(message, "publication"))
        cdc_text_addf(out,
                      ", or was made after changes that the slot still has to send, which Postgres "
                      "cannot do then. To go on with a new snapshot, run: SELECT "
                      "pg_drop_replication_slot('%s'); and delete the connector's offsets, or set "
                      "snapshot.mode=when_needed",
                      s->slot);
    else if (!strcmp(sqlstate, "53400"))
        cdc_text_adds(out, "; raise max_replication_slots, or drop slots that are not needed: "
                           "SELECT pg_drop_replication_slot('<name>');");
    else if (!strcmp(sqlstate, "55006"))
        cdc_text_adds(out, "; stop the other consumer, or give each connector its own slot.name");
}

static void first_line(const char *message, const char **start, size_t *len)
{
    while (isspace((unsigned char)*message)) message++;
    *start = message;
    *len = strcspn(message, "\n");
}

static enum cdc_step refused(struct cdc_conn *conn, const struct cdc_settings *s, const char *what,
                             const char *message, size_t len, struct sluice_err *err)
{
    struct cdc_text text = {0};
    cdc_text_addf(&text, "%s: %.*s", what, (int)len, message);
    advise(&text, s, conn->sqlstate, text.s);
    cdc_error(err, "%s", text.s);
    cdc_text_free(&text);
    conn->fatal = hopeless(conn->sqlstate);
    return CDC_ERROR;
}

enum cdc_step cdc_conn_refused(struct cdc_conn *conn, const struct cdc_settings *settings,
                               const PGresult *result, const char *what, struct sluice_err *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (!state || !message) return cdc_conn_broken(conn, settings, what, err);
    memset(conn->sqlstate, 0, sizeof(conn->sqlstate));
    strncpy(conn->sqlstate, state, sizeof(conn->sqlstate) - 1);
    return refused(conn, settings, what, message, strlen(message), err);
}

enum cdc_step cdc_conn_broken(struct cdc_conn *conn, const struct cdc_settings *settings,
                              const char *what, struct sluice_err *err)
{
    const char *message;
    size_t len;
    first_line(conn->pg ? PQerrorMessage(conn->pg) : "out of memory", &message, &len);
    if (!len) {
        message = "the connection was closed";
        len = strlen(message);
    }
    conn->sqlstate[0] = 0;
    cdc_error(err, "%s on postgres at %s:%d: %.*s", what, settings->host, settings->port, (int)len,
              message);
    conn->fatal = false;
    return CDC_ERROR;
}

/* libpq gives a failed start-up no SQLSTATE of its own, but writes it into a verbose message:
 * "... failed: FATAL:  28P01: password authentication failed ...". */
static enum cdc_step not_connected(struct cdc_conn *conn, const struct cdc_settings *s,
                                   struct sluice_err *err)
{
    const char *message;
    size_t len;
    first_line(PQerrorMessage(conn->pg), &message, &len);
    memset(conn->sqlstate, 0, sizeof(conn->sqlstate));
    for (const char *p = message; p + 9 < message + len; p++) {
        if (strncmp(p, ":  ", 3) || p[8] != ':') continue;
        memcpy(conn->sqlstate, p + 3, 5);
        len -= (size_t)(p + 10 - message);
        message = p + 10;
        break;
    }
    char *what = cdc_format("connecting to postgres at %s:%d, database %s, as %s", s->host, s->port,
                            s->dbname, s->user);
    refused(conn, s, what, message, len, err);
    free(what);
    return CDC_ERROR;
}

/* ---- connecting ---- */

static void start(struct cdc_conn *conn, const struct cdc_settings *s, const char *role,
                  bool replication)
{
    char port[16], connect[24];
    size_t n = cdc_u64_text((uint64_t)s->port, port);
    port[n] = 0;
    n = cdc_u64_text((uint64_t)s->connect_timeout_ms / 1000 + 1, connect);
    connect[n] = 0;
    const struct cdc_driver *driver = &s->driver;
    struct cdc_text options = {0};
    /* What stands later counts: nobody may change the forms that values are read with. */
    if (driver->options) cdc_text_addf(&options, "%s", driver->options);
    cdc_text_adds(&options, SESSION);
    if (!replication) cdc_text_addf(&options, " -c statement_timeout=%d", s->query_timeout_ms);
    /* Looking at a table's size waits for its lock already. */
    if (!replication && s->lock_shared)
        cdc_text_addf(&options, " -c lock_timeout=%d", s->lock_timeout_ms);
    const struct sluice_label fixed[] = {{"host", s->host},
                                         {"port", port},
                                         {"user", s->user},
                                         {"password", s->password},
                                         {"dbname", s->dbname},
                                         {"sslmode", s->sslmode},
                                         {"sslrootcert", s->sslrootcert},
                                         {"sslcert", s->sslcert},
                                         {"sslkey", s->sslkey},
                                         {"sslpassword", s->sslpassword},
                                         {"keepalives", s->tcp_keepalive ? "1" : "0"},
                                         {"keepalives_idle", "60"},
                                         {"keepalives_interval", "10"},
                                         {"keepalives_count", "3"},
                                         {"tcp_user_timeout", s->tcp_keepalive ? "90000" : NULL},
                                         {"connect_timeout", connect},
                                         {"client_encoding", "UTF8"},
                                         {"application_name", role},
                                         {"options", options.s},
                                         {"replication", replication ? "database" : NULL}};
    const size_t fixed_n = sizeof(fixed) / sizeof(*fixed), n_all = fixed_n + driver->params_n;
    const char **keys = cdc_alloc((n_all + 1) * sizeof(*keys));
    const char **values = cdc_alloc((n_all + 1) * sizeof(*values));
    for (size_t i = 0; i < n_all; i++) { /* of two, libpq takes the later */
        const struct sluice_label *p = i < fixed_n ? &fixed[i] : &driver->params[i - fixed_n];
        keys[i] = p->key;
        values[i] = p->value;
    }
    conn->pg = PQconnectStartParams(keys, values, 0);
    if (conn->pg) PQsetErrorVerbosity(conn->pg, PQERRORS_VERBOSE);
    conn->deadline_ms = cdc_now_ms() + s->connect_timeout_ms;
    conn->statement = 0;
    cdc_text_free(&options);
    free(keys);
    free(values);
}

static void quiet(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result; /* notices concern nobody here, and libpq would print them on stderr */
}

static enum cdc_step handshake(struct cdc_conn *conn, const struct cdc_settings *s,
                               const struct cdc_wait *wait, struct sluice_err *err)
{
    if (PQstatus(conn->pg) == CONNECTION_BAD) return not_connected(conn, s, err);
    /* As libpq says: the first wait is for writing. */
    PostgresPollingStatusType polling =
        PQstatus(conn->pg) == CONNECTION_STARTED ? PGRES_POLLING_WRITING : PQconnectPoll(conn->pg);
    for (;;) {
        if (polling == PGRES_POLLING_OK) return CDC_DONE;
        if (polling == PGRES_POLLING_FAILED) return not_connected(conn, s, err);
        short events = polling == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (!cdc_conn_wait(conn, events, wait)) {
            if (cdc_now_ms() < conn->deadline_ms) return CDC_WAIT;
            cdc_error(err, "connecting to postgres at %s:%d: no answer within %d ms", s->host,
                      s->port, s->connect_timeout_ms);
            return CDC_ERROR;
        }
        polling = PQconnectPoll(conn->pg);
    }
}

enum cdc_step cdc_conn_open(struct cdc_conn *conn, const struct cdc_settings *settings,
                            const char *role, bool replication, const struct cdc_wait *wait,
                            struct sluice_err *err)
{
    conn->fatal = false;
    conn->sqlstate[0] = 0;
    if (conn->up) return CDC_DONE;
    if (!conn->pg) {
        start(conn, settings, role, replication);
        if (!conn->pg) return cdc_conn_broken(conn, settings, "connecting", err);
    }
    if (PQstatus(conn->pg) != CONNECTION_OK) {
        enum cdc_step step = handshake(conn, settings, wait, err);
        if (step != CDC_DONE) return step;
        PQsetErrorVerbosity(conn->pg, PQERRORS_DEFAULT);
        PQsetNoticeReceiver(conn->pg, quiet, NULL);
        PQsetnonblocking(conn->pg, 1);
    }
    size_t statements = replication || conn->bare ? 0 : settings->statements_n;
    for (; conn->statement < statements; conn->statement++) {
        enum cdc_step step = cdc_conn_query(conn, settings, settings->statements[conn->statement],
                                            "running database.initial.statements", wait, err);
        if (step != CDC_DONE) return step;
    }
    conn->up = true;
    return CDC_DONE;
}

/* ---- queries ---- */

/* Takes the results that have come; an error of one statement is kept until the last is in. */
static enum cdc_step collect(struct cdc_conn *conn, const struct cdc_settings *s, const char *what,
                             struct sluice_err *err)
{
    while (!PQisBusy(conn->pg)) {
        PGresult *result = PQgetResult(conn->pg);
        if (!result) {
            conn->under_way = false;
            if (!conn->failed) return CDC_DONE;
            *err = conn->failure;
            return CDC_ERROR;
        }
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
            cdc_conn_refused(conn, s, result, what, &conn->failure);
            conn->failed = true;
            PQclear(result);
            continue;
        }
        if (status == PGRES_COPY_IN) { /* PQgetResult() would tell so again and again */
            PQclear(result);
            conn->fatal = true;
            cdc_error(err, "%s: it waits for data, as COPY FROM STDIN does; there is none", what);
            return CDC_ERROR;
        }
        if (conn->results_n < CDC_RESULTS_MAX) conn->results[conn->results_n++] = result;
        else PQclear(result);
        if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
            conn->under_way = false;
            return CDC_DONE;
        }
    }
    return CDC_WAIT;
}

static bool send_query(struct cdc_conn *conn, const char *sql)
{
    for (size_t i = 0; i < conn->results_n; i++) PQclear(conn->results[i]);
    conn->results_n = 0;
    conn->failed = conn->fatal = false;
    conn->sqlstate[0] = 0;
    conn->under_way = PQsendQuery(conn->pg, sql) == 1;
    return conn->under_way;
}

enum cdc_step cdc_conn_query(struct cdc_conn *conn, const struct cdc_settings *settings,
                             const char *sql, const char *what, const struct cdc_wait *wait,
                             struct sluice_err *err)
{
    if (!conn->under_way && !send_query(conn, sql))
        return cdc_conn_broken(conn, settings, what, err);
    for (;;) {
        int unsent = PQflush(conn->pg);
        if (unsent < 0) return cdc_conn_broken(conn, settings, what, err);
        enum cdc_step step = collect(conn, settings, what, err);
        if (step != CDC_WAIT) return step;
        if (!cdc_conn_wait(conn, unsent ? POLLIN | POLLOUT : POLLIN, wait)) return CDC_WAIT;
        if (!PQconsumeInput(conn->pg)) return cdc_conn_broken(conn, settings, what, err);
    }
}
