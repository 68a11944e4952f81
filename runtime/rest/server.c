/* server.c - requests in, answers out, over libmicrohttpd.
 *
 * An exchange is one request and its answer. It is made when the request line was read and dies
 * when libmicrohttpd has sent the response and no job works on it any more: two holders, counted
 * under the server's lock. A waiting exchange leaves that state once: either its job is done, or
 * the clock thread found it overdue; whoever does it resumes the connection.
 * Threads: libmicrohttpd's own (one for each listener), the jobs', the clock's. */
#include "rest/server.h"

#include <assert.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "rest/jobs.h"
#include "rest/listener.h"

#define LISTENERS_MAX 8
#define CONNECTIONS_MAX 256u
#define IDLE_TIMEOUT_S 30u
#define HEADERS_MAX ((size_t)32768) /* memory of one connection: its request line and headers */
#define JOB_THREADS 32
#define SEND_WAIT_MS 500
#define DISCARD_MAX (16 * SLUICE_BODY_MAX) /* of a body that is too long; then we hang up */

enum exchange_state { READING, WAITING, ANSWERED };

struct exchange {
    struct sluice_server *server;
    struct MHD_Connection *connection;
    struct sluice_request req;
    struct sluice_buf body;
    size_t discarded;
    bool is_head, begun, broken;
    const struct sluice_route *route;
    void *arg;

    /* under the server's lock from WAITING on */
    enum exchange_state state;
    int holders;
    struct sluice_answer answer;
    int64_t since_ms, deadline_ms; /* wall; monotonic */
    struct exchange *next;         /* among the waiting */
};

struct sluice_server {
    struct sluice_route_table *tables;
    size_t tables_n;
    struct sluice_listener listeners[LISTENERS_MAX];
    struct MHD_Daemon *daemons[LISTENERS_MAX];
    int n;
    char *url, *address;
    struct sluice_jobs *jobs;

    pthread_mutex_t lock;
    struct exchange *waiting;
    int64_t timeout_ms;
    int answering;       /* woken exchanges whose response is not sent yet */
    bool quiet, closing; /* no further requests; the clock ends */
    struct sluice_wake wake;
    pthread_t clock;
    bool has_clock;
};

/* ---- an exchange's life ---- */

static void let_go(struct exchange *ex) /* the lock is held */
{
    assert(ex->holders > 0);
    if (--ex->holders) return;
    sluice_request_fini(&ex->req);
    sluice_buf_fini(&ex->body);
    sluice_answer_fini(&ex->answer);
    free(ex);
}

/* The lock is held. From WAITING to ANSWERED, with this answer. */
static void wake_exchange(struct exchange *ex, struct sluice_answer *answer)
{
    assert(ex->state == WAITING);
    struct exchange **link = &ex->server->waiting;
    while (*link != ex) link = &(*link)->next;
    *link = ex->next;
    ex->state = ANSWERED;
    ex->server->answering++;
    ex->answer = *answer;
    *answer = (struct sluice_answer){0};
    MHD_resume_connection(ex->connection);
}

/* Libmicrohttpd read a request line: the uri is raw, and only here. */
static void *exchange_new(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct exchange *ex = sluice_xcalloc(1, sizeof *ex);
    ex->server = cls;
    ex->connection = connection;
    ex->holders = 1;
    sluice_buf_init(&ex->body, SLUICE_BODY_MAX + 1);
    if (strncmp(uri, "http://", 7) == 0) { /* the absolute form, as proxies send it */
        uri += 7;
        uri += strcspn(uri, "/");
    }
    size_t len = strcspn(uri, "?");
    ex->req.path = sluice_xstrndup(uri, len);
    ex->broken = *uri != '/' || (uri[len] == '?' && !sluice_query_parse(&ex->req, uri + len + 1));
    return ex;
}

static void exchange_over(void *cls, struct MHD_Connection *connection, void **con_cls,
                          enum MHD_RequestTerminationCode why)
{
    (void)connection;
    (void)why;
    struct sluice_server *server = cls;
    struct exchange *ex = *con_cls;
    if (!ex) return;
    sluice_lock(&server->lock);
    if (ex->state == ANSWERED) server->answering--;
    let_go(ex);
    sluice_unlock(&server->lock);
    *con_cls = NULL;
}

/* ---- responding ---- */

static char *location_text(const struct exchange *ex)
{
    char *name = sluice_percent_encode(ex->answer.created), *text;
    if (ex->req.host) text = sluice_xasprintf("http://%s/connectors/%s", ex->req.host, name);
    else text = sluice_xasprintf("%s/connectors/%s", ex->server->url, name);
    free(name);
    return text;
}

static enum MHD_Result respond(struct exchange *ex)
{
    struct sluice_answer *answer = &ex->answer;
    assert(answer->status >= 100);
    char *text = answer->body ? sluice_json_text(answer->body) : answer->text;
    if (!answer->body) answer->text = NULL;
    struct MHD_Response *response =
        text ? MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE)
             : MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!response) {
        free(text);
        return MHD_NO;
    }
    if (text && !answer->unmatched) {
        const char *type = answer->body ? "application/json" : answer->type;
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    }
    if (answer->allow) MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, answer->allow);
    if (answer->created) {
        char *location = location_text(ex);
        MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, location);
        free(location);
    }
    enum MHD_Result queued = MHD_queue_response(ex->connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return queued;
}

static void refuse(struct exchange *ex, int status, const char *reason)
{
    sluice_answer_error(&ex->answer, status, "HTTP %d %s", status, reason);
    ex->answer.unmatched = true;
}

/* ---- requests that wait ---- */

static void run_job(void *arg)
{
    struct exchange *ex = arg;
    struct sluice_server *server = ex->server;
    struct sluice_answer answer = {0};
    ex->route->handle(ex->arg, &ex->req, &answer);
    sluice_lock(&server->lock);
    if (ex->state == WAITING) wake_exchange(ex, &answer);
    let_go(ex);
    sluice_unlock(&server->lock);
    sluice_answer_fini(&answer);
}

static enum MHD_Result hand_over(struct exchange *ex)
{
    struct sluice_server *server = ex->server;
    sluice_lock(&server->lock);
    ex->state = WAITING;
    ex->holders++;
    ex->since_ms = sluice_wall_ms();
    ex->deadline_ms = sluice_now_ms() + server->timeout_ms;
    ex->next = server->waiting;
    server->waiting = ex;
    MHD_suspend_connection(ex->connection);
    sluice_unlock(&server->lock);
    sluice_wake_up(&server->wake);
    if (sluice_jobs_add(server->jobs, run_job, ex)) return MHD_YES;
    struct sluice_answer answer = {0};
    sluice_answer_error(&answer, 503,
                        "The worker has too many requests under way that wait for "
                        "connectors; try again later");
    sluice_lock(&server->lock);
    if (ex->state == WAITING) wake_exchange(ex, &answer);
    let_go(ex);
    sluice_unlock(&server->lock);
    sluice_answer_fini(&answer);
    return MHD_YES;
}

static void time_out(struct exchange *ex)
{
    char since[25];
    sluice_wall_text(ex->since_ms, since);
    struct sluice_answer answer = {0};
    sluice_answer_error(&answer, 500,
                        "Request timed out. The worker is currently handling %s %s, which began "
                        "at %s.",
                        ex->req.method, ex->route->path, since);
    sluice_log(SLUICE_WARN, NULL, -1, "%s %s has not been done within %lld ms; it goes on",
               ex->req.method, ex->route->path, (long long)ex->server->timeout_ms);
    wake_exchange(ex, &answer);
}

static void *run_clock(void *arg)
{
    struct sluice_server *server = arg;
    sluice_lock(&server->lock);
    while (!server->closing) {
        sluice_wake_clear(&server->wake);
        int64_t now = sluice_now_ms(), wait_ms = -1;
        for (struct exchange *ex = server->waiting, *next; ex; ex = next) {
            next = ex->next;
            int64_t left = ex->deadline_ms - now;
            if (left <= 0) time_out(ex);
            else if (wait_ms < 0 || left < wait_ms) wait_ms = left;
        }
        sluice_unlock(&server->lock);
        sluice_wake_wait(&server->wake, wait_ms);
        sluice_lock(&server->lock);
    }
    sluice_unlock(&server->lock);
    return NULL;
}

/* ---- requests coming in ---- */

static char *header(struct MHD_Connection *connection, const char *name)
{
    return sluice_xstrdup(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name));
}

static enum MHD_Result begin(struct exchange *ex, const char *method)
{
    ex->begun = true;
    ex->is_head = strcmp(method, "HEAD") == 0;
    ex->req.method = sluice_xstrdup(ex->is_head ? "GET" : method);
    ex->req.accept = header(ex->connection, "Accept");
    ex->req.content_type = header(ex->connection, "Content-Type");
    ex->req.host = header(ex->connection, "Host");
    const char *length =
        MHD_lookup_connection_value(ex->connection, MHD_HEADER_KIND, "Content-Length");
    unsigned long long bytes = length ? strtoull(length, NULL, 10) : 0;
    bool asks = MHD_lookup_connection_value(ex->connection, MHD_HEADER_KIND, "Expect") != NULL;
    /* a client that is sending already reads no answer before it is through: let it finish */
    if (bytes <= (asks ? SLUICE_BODY_MAX : DISCARD_MAX)) return MHD_YES;
    refuse(ex, 413, "Request Entity Too Large");
    return respond(ex);
}

static enum MHD_Result more_body(struct exchange *ex, const char *data, size_t *len)
{
    if (ex->body.len + *len > SLUICE_BODY_MAX) {
        ex->discarded += *len;
        if (ex->discarded > DISCARD_MAX) return MHD_NO;
    } else {
        bool added = sluice_buf_add(&ex->body, data, *len);
        assert(added);
        (void)added;
    }
    *len = 0;
    return MHD_YES;
}

static enum MHD_Result serve(struct exchange *ex, bool quiet)
{
    struct sluice_server *server = ex->server;
    if (quiet) {
        sluice_answer_error(&ex->answer, 503, "The worker is shutting down.");
    } else if (ex->discarded) {
        refuse(ex, 413, "Request Entity Too Large");
    } else if (ex->broken) {
        refuse(ex, 400, "Bad Request");
    } else {
        if (ex->body.len) {
            sluice_buf_str(&ex->body); /* terminates it */
            ex->req.body_len = ex->body.len;
            ex->req.body = ex->body.data;
            ex->body = (struct sluice_buf){0};
        }
        ex->route =
            sluice_route_find(server->tables, server->tables_n, &ex->req, &ex->arg, &ex->answer);
        if (ex->route && (ex->route->flags & SLUICE_ROUTE_WAITS)) return hand_over(ex);
        if (ex->route) ex->route->handle(ex->arg, &ex->req, &ex->answer);
    }
    return respond(ex);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **con_cls)
{
    (void)cls;
    (void)url;
    (void)version;
    struct exchange *ex = *con_cls;
    assert(ex && ex->connection == connection);
    if (!ex->begun) return begin(ex, method);
    if (*len) return more_body(ex, data, len);
    sluice_lock(&ex->server->lock);
    enum exchange_state state = ex->state;
    bool quiet = ex->server->quiet;
    sluice_unlock(&ex->server->lock);
    if (state == WAITING) return MHD_YES; /* woken for nothing */
    return state == ANSWERED ? respond(ex) : serve(ex, quiet);
}

/* ---- the server's life ---- */

static void on_log(void *cls, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
static void on_log(void *cls, const char *fmt, va_list ap)
{
    (void)cls;
    char text[512];
    vsnprintf(text, sizeof text, fmt, ap);
    text[strcspn(text, "\r\n")] = '\0';
    sluice_log(SLUICE_DEBUG, NULL, -1, "http: %s", text);
}

static bool start_listener(struct sluice_server *server, const char *url, size_t len,
                           struct sluice_err *err)
{
    if (server->n == LISTENERS_MAX)
        return sluice_err_set(err, "listeners names more than %d listeners", LISTENERS_MAX);
    struct sluice_listener *listener = &server->listeners[server->n];
    if (!sluice_listener_open(url, len, listener, err)) return false;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, server, /* the logger first: it counts from there on */
        MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, listener->fd,
        MHD_OPTION_URI_LOG_CALLBACK, exchange_new, server, MHD_OPTION_NOTIFY_COMPLETED,
        exchange_over, server, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        HEADERS_MAX, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    if (!daemon) {
        close(listener->fd);
        free(listener->host);
        return sluice_err_set(err, "starting the HTTP server on %.*s failed", (int)len, url);
    }
    server->daemons[server->n++] = daemon;
    return true;
}

static bool start_listeners(struct sluice_server *server, const char *urls, struct sluice_err *err)
{
    for (const char *url = urls; *url;) {
        url += strspn(url, ", \t");
        size_t len = strcspn(url, ", \t");
        if (len && !start_listener(server, url, len, err)) return false;
        url += len;
    }
    if (server->n == 0)
        return sluice_err_set(err, "listeners is empty; give it as http://host:port");
    const struct sluice_listener *first = &server->listeners[0];
    bool brackets = strchr(first->host, ':') != NULL;
    server->address = sluice_xasprintf(brackets ? "[%s]:%d" : "%s:%d", first->host, first->port);
    server->url = sluice_xasprintf("http://%s", server->address);
    return true;
}

struct sluice_server *sluice_server_new(const char *listeners,
                                        const struct sluice_route_table *tables, size_t n,
                                        struct sluice_err *err)
{
    struct sluice_server *server = sluice_xcalloc(1, sizeof *server);
    server->tables = sluice_xcalloc(n, sizeof *tables);
    memcpy(server->tables, tables, n * sizeof *tables);
    server->tables_n = n;
    server->timeout_ms = SLUICE_REQUEST_TIMEOUT_MS;
    pthread_mutex_init(&server->lock, NULL);
    sluice_wake_init(&server->wake);
    server->jobs = sluice_jobs_new(JOB_THREADS);
    server->has_clock = sluice_thread_start(&server->clock, "rest-clock", run_clock, server, err);
    if (server->has_clock && start_listeners(server, listeners, err)) return server;
    bool stopped = sluice_server_stop(server, SLUICE_REQUEST_TIMEOUT_MS);
    assert(stopped); /* nobody knew the port yet */
    if (stopped) sluice_server_free(server);
    return NULL;
}

void sluice_server_timeout(struct sluice_server *server, int64_t ms)
{
    sluice_lock(&server->lock);
    server->timeout_ms = ms;
    sluice_unlock(&server->lock);
}

const char *sluice_server_url(const struct sluice_server *server) { return server->url; }
const char *sluice_server_address(const struct sluice_server *server) { return server->address; }

void sluice_server_quiesce(struct sluice_server *server)
{
    sluice_lock(&server->lock);
    bool first = !server->quiet;
    server->quiet = true;
    sluice_unlock(&server->lock);
    for (int i = 0; first && i < server->n; i++) {
        /* Refuses connections at once; the daemon's thread may still look at the descriptor, so
         * that it is closed after the daemon. */
        if (MHD_quiesce_daemon(server->daemons[i]) != MHD_INVALID_SOCKET)
            shutdown(server->listeners[i].fd, SHUT_RDWR);
        else server->listeners[i].fd = -1; /* stays the daemon's */
    }
}

bool sluice_server_stop(struct sluice_server *server, int64_t timeout_ms)
{
    sluice_server_quiesce(server);
    bool drained = sluice_jobs_drain(server->jobs, timeout_ms);
    sluice_lock(&server->lock);
    server->closing = true;
    while (server->waiting) {
        struct sluice_answer answer = {0};
        sluice_log(SLUICE_WARN, NULL, -1, "%s %s is still under way at the shutdown",
                   server->waiting->req.method, server->waiting->route->path);
        sluice_answer_error(&answer, 503, "The worker is shutting down.");
        wake_exchange(server->waiting, &answer);
    }
    for (int i = 0; server->answering && i < SEND_WAIT_MS; i++) { /* the last answers go out */
        sluice_unlock(&server->lock);
        usleep(1000);
        sluice_lock(&server->lock);
    }
    sluice_unlock(&server->lock);
    sluice_wake_up(&server->wake);
    if (server->has_clock) pthread_join(server->clock, NULL);
    server->has_clock = false;
    for (int i = 0; i < server->n; i++) {
        MHD_stop_daemon(server->daemons[i]);
        if (server->listeners[i].fd >= 0) close(server->listeners[i].fd);
        free(server->listeners[i].host);
    }
    server->n = 0;
    return drained;
}

void sluice_server_free(struct sluice_server *server)
{
    if (!server) return;
    assert(!server->waiting && server->n == 0);
    sluice_jobs_free(server->jobs);
    sluice_wake_fini(&server->wake);
    pthread_mutex_destroy(&server->lock);
    free(server->tables);
    free(server->url);
    free(server->address);
    free(server);
}
