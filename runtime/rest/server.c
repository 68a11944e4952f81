/* server.c - requests in, answers out, over libmicrohttpd.
 *
 * An exchange is one request and its answer. It is made when the request line was read and dies
 * when libmicrohttpd has sent the response and no job works on it any more: two holders, counted
 * under the server's lock. A waiting exchange leaves that state once: either its job is done, or
 * the clock thread found it overdue; whoever does it resumes the connection.
 * Threads: libmicrohttpd's own (one for each listener), the jobs', the clock's. */
#include "rest/server.h"

#include <assert.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "rest/access.h"
#include "rest/extra_headers.h"
#include "rest/forward.h"
#include "rest/jobs.h"
#include "rest/listener.h"
#include "rest/tls.h"
#include "rest/watch.h"

#define LISTENERS_MAX 8
#define IDLE_TIMEOUT_S 30u
#define HEADERS_MAX ((size_t)32768) /* memory of one connection: its request line and headers */
#define JOB_THREADS 32
#define SEND_WAIT_MS 500
#define BODIES_MAX (64 * SLUICE_BODY_MAX)  /* of all requests together */
#define DISCARD_MAX (16 * SLUICE_BODY_MAX) /* of a body that is too long; then we hang up */

enum exchange_state { READING, WAITING, ANSWERED };

struct exchange {
    struct sluice_server *server;
    struct MHD_Connection *connection;
    struct sluice_request req;
    struct sluice_buf body;
    size_t discarded;
    bool is_head, begun, broken, crowded;
    size_t body_bytes; /* counted in the server's bodies */
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
    struct sluice_server_options options; /* without listeners */
    struct sluice_route_table *tables;
    size_t tables_n;
    struct sluice_listener listeners[LISTENERS_MAX];
    struct MHD_Daemon *daemons[LISTENERS_MAX]; /* NULL: does not serve yet */
    int n;
    char *priorities; /* of TLS */
    char *url, *address;
    _Atomic size_t bodies; /* bytes of them */
    struct sluice_jobs *jobs;
    struct sluice_watch *watch;

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
    atomic_fetch_sub(&ex->server->bodies, ex->body_bytes);
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

/* The time of a connection begins anew, or stands still while a handler works. */
static void note(struct sluice_server *server, struct MHD_Connection *connection, bool works)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info && info->socket_context) sluice_watch_note(server->watch, info->socket_context, works);
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
    ex->req.raw_path = sluice_xstrdup(ex->req.path);
    if (uri[len] == '?') ex->req.raw_query = sluice_xstrdup(uri + len + 1);
    ex->broken = *uri != '/' || (uri[len] == '?' && !sluice_query_parse(&ex->req, uri + len + 1));
    return ex;
}

static void exchange_over(void *cls, struct MHD_Connection *connection, void **con_cls,
                          enum MHD_RequestTerminationCode why)
{
    (void)why;
    struct sluice_server *server = cls;
    struct exchange *ex = *con_cls;
    if (!ex) return;
    note(server, connection, false);
    sluice_lock(&server->lock);
    if (ex->state == ANSWERED) server->answering--;
    let_go(ex);
    sluice_unlock(&server->lock);
    *con_cls = NULL;
}

/* ---- responding ---- */

static bool is_tls(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION) != NULL;
}

static void add_header(void *response, bool set, const char *name, const char *value)
{
    const char *there = set ? MHD_get_response_header(response, name) : NULL;
    if (there) MHD_del_response_header(response, name, there);
    MHD_add_response_header(response, name, value);
}

static char *location_text(const struct exchange *ex)
{
    char *name = sluice_percent_encode(ex->answer.created), *text;
    if (ex->req.host)
        text = sluice_xasprintf("%s://%s/connectors/%s", is_tls(ex->connection) ? "https" : "http",
                                ex->req.host, name);
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
    if (answer->status == 401)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                "Basic realm=\"Connect\"");
    if (ex->server->options.headers)
        sluice_extra_headers_each(ex->server->options.headers, &ex->req, add_header, response);
    note(ex->server, ex->connection, false);
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
    sluice_forward(server->options.forwarder, ex->route, ex->arg, &ex->req, &answer);
    sluice_lock(&server->lock);
    if (ex->state == WAITING) wake_exchange(ex, &answer);
    let_go(ex);
    sluice_unlock(&server->lock);
    sluice_answer_fini(&answer);
}

static enum MHD_Result hand_over(struct exchange *ex)
{
    struct sluice_server *server = ex->server;
    note(server, ex->connection, true);
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
    const struct sluice_server_options *options = &ex->server->options;
    char since[25], stage[512];
    struct sluice_answer answer = {0};
    if (options->stage && options->stage(options->stage_arg, stage, sizeof stage)) {
        sluice_answer_error(&answer, 500, "Request timed out. %s", stage);
    } else {
        sluice_wall_text(ex->since_ms, since);
        sluice_answer_error(&answer, 500,
                            "Request timed out. The worker is currently handling %s %s, which "
                            "began at %s.",
                            ex->req.method, ex->route->path, since);
    }
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
        int64_t now = sluice_now_ms(), wait_ms = sluice_watch_cut(server->watch);
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
    ex->req.authorization = header(ex->connection, "Authorization");
    ex->req.origin = header(ex->connection, "Origin");
    ex->req.asked_method = header(ex->connection, "Access-Control-Request-Method");
    ex->req.signature = header(ex->connection, "X-Connect-Authorization");
    ex->req.signature_method = header(ex->connection, "X-Connect-Request-Signature-Algorithm");
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
    size_t all = atomic_fetch_add(&ex->server->bodies, *len) + *len;
    ex->body_bytes += *len;
    ex->crowded |= all > BODIES_MAX;
    if (ex->crowded || ex->body.len + *len > SLUICE_BODY_MAX) {
        atomic_fetch_sub(&ex->server->bodies, *len);
        ex->body_bytes -= *len;
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

/* A route that is found asks for name and password, and so does what tells of a route's methods;
 * where there is nothing, nothing is to be kept. */
static bool allowed(struct exchange *ex)
{
    const struct sluice_access *access = ex->server->options.access;
    bool matched = ex->route || ex->answer.status != 404;
    /* a browser asks what it may do before it sends a password; nothing but methods is told */
    bool preflight =
        !ex->route && ex->answer.status == 200 && ex->req.origin && ex->req.asked_method;
    if (!access || !matched || preflight || (ex->route && sluice_access_internal(ex->route)) ||
        sluice_access_allows(access, ex->req.authorization))
        return true;
    sluice_answer_text(&ex->answer, 401, "text/plain",
                       sluice_xstrdup("User cannot access the resource."));
    return false;
}

static enum MHD_Result serve(struct exchange *ex, bool quiet)
{
    struct sluice_server *server = ex->server;
    if (quiet) {
        sluice_answer_error(&ex->answer, 503, "The worker is shutting down.");
    } else if (ex->crowded) {
        sluice_answer_error(&ex->answer, 503,
                            "The worker has too many large requests under way; try again later");
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
        bool may = allowed(ex);
        if (may && ex->route && (ex->route->flags & SLUICE_ROUTE_WAITS)) return hand_over(ex);
        if (may && ex->route) ex->route->handle(ex->arg, &ex->req, &ex->answer);
        assert(!ex->answer.forward); /* who may forward, waits */
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

/* ---- TLS: the handshake refuses who has not the certificate that is asked for ---- */

static int verify_client(gnutls_session_t session)
{
    unsigned status = 0;
    if (gnutls_certificate_get_peers(session, NULL) == NULL) return 0; /* none, where it may be */
    int failed = gnutls_certificate_verify_peers2(session, &status);
    return failed || status ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

static void ask_for_certificate(const struct sluice_server *server,
                                struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (!info || !server->options.tls) return;
    gnutls_session_t session = info->tls_session;
    enum sluice_tls_auth auth = sluice_tls_client_auth(server->options.tls);
    gnutls_certificate_server_set_request(session, auth == SLUICE_TLS_NONE ? GNUTLS_CERT_IGNORE
                                                   : auth == SLUICE_TLS_REQUIRED
                                                       ? GNUTLS_CERT_REQUIRE
                                                       : GNUTLS_CERT_REQUEST);
    if (auth != SLUICE_TLS_NONE) gnutls_session_set_verify_function(session, verify_client);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct sluice_server *server = cls;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context) sluice_watch_closed(server->watch, *context);
        *context = NULL;
        return;
    }
    ask_for_certificate(server, connection);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (!info) return;
    bool first = false;
    *context = sluice_watch_opened(server->watch, info->connect_fd, &first);
    if (first) sluice_wake_up(&server->wake);
}

/* ---- listeners ---- */

static bool open_listener(struct sluice_server *server, const char *url, size_t len,
                          struct sluice_err *err)
{
    if (server->n == LISTENERS_MAX)
        return sluice_err_set(err, "listeners names more than %d listeners", LISTENERS_MAX);
    struct sluice_listener *listener = &server->listeners[server->n];
    if (!sluice_listener_open(url, len, listener, err)) return false;
    server->n++;
    if (!listener->tls || server->priorities) return true;
    const struct sluice_tls *tls = server->options.tls;
    if (!tls || !sluice_tls_key(tls))
        return sluice_err_set(err,
                              "listener %.*s needs a certificate: set ssl.keystore.location and "
                              "ssl.keystore.password, or ssl.keystore.type=PEM with "
                              "ssl.keystore.certificate.chain and ssl.keystore.key",
                              (int)len, url);
    server->priorities =
        sluice_tls_priorities(sluice_tls_protocols(tls), sluice_tls_ciphers(tls), err);
    return server->priorities != NULL;
}

static bool open_listeners(struct sluice_server *server, const char *urls, struct sluice_err *err)
{
    for (const char *url = urls; *url;) {
        url += strspn(url, ", \t");
        size_t len = strcspn(url, ", \t");
        if (len && !open_listener(server, url, len, err)) return false;
        url += len;
    }
    if (server->n == 0)
        return sluice_err_set(err, "listeners is empty; give it as http://host:port");
    const struct sluice_listener *first = &server->listeners[0];
    bool brackets = strchr(first->host, ':') != NULL;
    server->address = sluice_xasprintf(brackets ? "[%s]:%d" : "%s:%d", first->host, first->port);
    server->url = sluice_xasprintf("%s://%s", first->tls ? "https" : "http", server->address);
    return true;
}

static bool start_daemon(struct sluice_server *server, int i, struct sluice_err *err)
{
    const struct sluice_listener *listener = &server->listeners[i];
    const struct sluice_tls *tls = server->options.tls;
    struct MHD_OptionItem secure[5] = {{MHD_OPTION_END, 0, NULL}};
    size_t n = 0;
    if (listener->tls) {
        secure[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0,
                                              (void *)(uintptr_t)sluice_tls_key(tls)};
        secure[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
                                              (void *)(uintptr_t)sluice_tls_chain(tls)};
        secure[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, server->priorities};
        if (sluice_tls_client_auth(tls) != SLUICE_TLS_NONE)
            secure[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0,
                                                  (void *)(uintptr_t)sluice_tls_authorities(tls)};
        secure[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    }
    server->daemons[i] = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG |
            (listener->tls ? MHD_USE_TLS : 0),
        0, NULL, NULL, on_request, server, /* the logger first: it counts from there on */
        MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, listener->fd,
        MHD_OPTION_URI_LOG_CALLBACK, exchange_new, server, MHD_OPTION_NOTIFY_COMPLETED,
        exchange_over, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)SLUICE_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        HEADERS_MAX, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY, secure,
        MHD_OPTION_END);
    if (server->daemons[i]) return true;
    return sluice_err_set(err, "starting the HTTP server on port %d failed%s", listener->port,
                          listener->tls ? "; the log at level DEBUG has what GnuTLS says" : "");
}

struct sluice_server *sluice_server_listen(const struct sluice_server_options *options,
                                           struct sluice_err *err)
{
    struct sluice_server *server = sluice_xcalloc(1, sizeof *server);
    server->options = *options;
    server->options.listeners = NULL;
    server->timeout_ms = SLUICE_REQUEST_TIMEOUT_MS;
    pthread_mutex_init(&server->lock, NULL);
    sluice_wake_init(&server->wake);
    server->jobs = sluice_jobs_new(JOB_THREADS);
    server->watch =
        sluice_watch_new((size_t)SLUICE_CONNECTIONS_MAX, (int64_t)SLUICE_READ_TIMEOUT_MS);
    if (open_listeners(server, options->listeners, err)) return server;
    bool stopped = sluice_server_stop(server, SLUICE_REQUEST_TIMEOUT_MS);
    assert(stopped); /* nobody was served */
    if (stopped) sluice_server_free(server);
    return NULL;
}

bool sluice_server_serve(struct sluice_server *server, const struct sluice_route_table *tables,
                         size_t n, struct sluice_err *err)
{
    assert(!server->tables && n > 0);
    server->tables = sluice_xcalloc(n, sizeof *tables);
    memcpy(server->tables, tables, n * sizeof *tables);
    server->tables_n = n;
    server->has_clock = sluice_thread_start(&server->clock, "rest-clock", run_clock, server, err);
    bool ok = server->has_clock;
    for (int i = 0; ok && i < server->n; i++) ok = start_daemon(server, i, err);
    return ok;
}

struct sluice_server *sluice_server_new(const char *listeners,
                                        const struct sluice_route_table *tables, size_t n,
                                        struct sluice_err *err)
{
    struct sluice_server_options options = {.listeners = listeners};
    struct sluice_server *server = sluice_server_listen(&options, err);
    if (!server || sluice_server_serve(server, tables, n, err)) return server;
    if (sluice_server_stop(server, SLUICE_REQUEST_TIMEOUT_MS)) sluice_server_free(server);
    return NULL;
}

void sluice_server_read_timeout(struct sluice_server *server, int64_t ms)
{
    sluice_watch_limit(server->watch, ms);
    sluice_wake_up(&server->wake);
}

bool sluice_server_find(const struct sluice_server *server, const char *scheme, const char **host,
                        int *port)
{
    for (int i = 0; i < server->n; i++) {
        if (strcasecmp(scheme, server->listeners[i].tls ? "https" : "http") != 0) continue;
        *host = server->listeners[i].host;
        *port = server->listeners[i].port;
        return true;
    }
    return false;
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
        if (!server->daemons[i]) continue;
        /* Refuses connections at once; the daemon's thread may still look at the descriptor, so
         * that it is closed after the daemon. */
        if (MHD_quiesce_daemon(server->daemons[i]) != MHD_INVALID_SOCKET)
            shutdown(server->listeners[i].fd, SHUT_RDWR);
        else server->listeners[i].fd = -1; /* stays the daemon's */
    }
}

bool sluice_server_stop(struct sluice_server *server, int64_t timeout_ms)
{
    sluice_forwarder_close(server->options.forwarder);
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
        if (server->daemons[i]) MHD_stop_daemon(server->daemons[i]);
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
    sluice_watch_free(server->watch);
    free(server->priorities);
    sluice_wake_fini(&server->wake);
    pthread_mutex_destroy(&server->lock);
    free(server->tables);
    free(server->url);
    free(server->address);
    free(server);
}
