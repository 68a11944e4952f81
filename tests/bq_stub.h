/* bq_stub.h - a scripted BigQuery for unit tests: one thread, HTTP/1.1, kept alive, on loopback.
 *
 *     struct stub *stub = stub_new();
 *     stub_rule(stub, "POST", "/insertAll", 1, 503, "");     once
 *     ...
 *     CHECK_INT(stub_count(stub, "POST", "/insertAll"), 2);
 *     CHECK_HAS(stub_request(stub, "POST", "/insertAll", 0)->body, "\"f\":\"v\"");
 *     stub_free(stub);
 *
 * Rules are tried in order; one with times n is used n times, 0 for ever. Where no rule fits:
 * insertAll takes all rows, tables are there (GET, by day) and can be changed, /token gives
 * "token-1", "token-2", ... */
#ifndef SLUICE_TESTS_BQ_STUB_H
#define SLUICE_TESTS_BQ_STUB_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define STUB_RULES 64
#define STUB_CONNS 32

enum { STUB_HANG_UP = 0 }; /* as status: the connection is closed without an answer */

struct stub_rule {
    const char *method, *path; /* path: a piece of it */
    int times, status, delay_ms;
    bool limited, close_after;
    char *body;
};

struct stub_request {
    char *method, *path, *head, *body; /* terminated; the body decompressed */
    size_t len;
    bool gzip;
    int conn; /* which connection, counted up */
};

struct stub_conn {
    int fd, number;
    char *in;
    size_t len, cap;
    char *out;
    size_t out_len;
    long long out_at_ms;      /* an answer is due then */
    bool close_after, insert; /* insert: the request under way is an insertAll */
};

struct stub {
    int listen_fd, port, wake[2];
    pthread_t thread;
    pthread_mutex_t mutex;
    struct stub_rule rules[STUB_RULES];
    size_t rules_n;
    struct stub_request *requests;
    size_t requests_n;
    struct stub_conn conns[STUB_CONNS];
    int conns_made, tokens;
    int in_flight, in_flight_most; /* insertAll requests that wait for their answer */
    int gather; /* they wait until there are so many of them; then this is 0 again */
    int cut;    /* so many connections are closed at the first bytes of their next request */
    char url[64];
};

static inline long long stub_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static inline struct stub_rule *stub_rule(struct stub *stub, const char *method, const char *path,
                                          int times, int status, const char *body)
{
    pthread_mutex_lock(&stub->mutex);
    struct stub_rule *rule = &stub->rules[stub->rules_n++];
    *rule = (struct stub_rule){.method = method,
                               .path = path,
                               .times = times,
                               .status = status,
                               .limited = times > 0,
                               .body = strdup(body)};
    pthread_mutex_unlock(&stub->mutex);
    return rule;
}

static inline void stub_error(struct stub *stub, const char *path, int times, int status,
                              const char *reason, const char *message)
{
    char body[1024];
    snprintf(body, sizeof body,
             "{\"error\":{\"code\":%d,\"message\":\"%s\",\"errors\":[{\"message\":\"%s\","
             "\"domain\":\"global\",\"reason\":\"%s\"}]}}",
             status, message, message, reason);
    stub_rule(stub, NULL, path, times, status, body);
}

#include "bq_stub_server.h"

/* ---- for tests ---- */

/* On a port of its own, where connections are refused until stub_listen(). */
static inline struct stub *stub_new_away(void)
{
    struct stub *stub = calloc(1, sizeof *stub);
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    for (size_t i = 0; i < STUB_CONNS; i++) stub->conns[i].fd = -1;
    pthread_mutex_init(&stub->mutex, NULL);
    stub->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(stub->listen_fd, (struct sockaddr *)&addr, sizeof addr) != 0 || pipe(stub->wake) != 0)
        abort();
    getsockname(stub->listen_fd, (struct sockaddr *)&addr, &len);
    stub->port = ntohs(addr.sin_port);
    snprintf(stub->url, sizeof stub->url, "http://127.0.0.1:%d", stub->port);
    return stub;
}

static inline void stub_listen(struct stub *stub)
{
    if (listen(stub->listen_fd, 64) != 0 ||
        pthread_create(&stub->thread, NULL, stub_run, stub) != 0)
        abort();
}

static inline struct stub *stub_new(void)
{
    struct stub *stub = stub_new_away();
    stub_listen(stub);
    return stub;
}

static inline void stub_gather(struct stub *stub, int n)
{
    pthread_mutex_lock(&stub->mutex);
    stub->gather = n;
    pthread_mutex_unlock(&stub->mutex);
    if (n == 0 && write(stub->wake[1], "a", 1) != 1) abort(); /* answers may go out */
}

static inline int stub_most(struct stub *stub)
{
    pthread_mutex_lock(&stub->mutex);
    int n = stub->in_flight_most;
    pthread_mutex_unlock(&stub->mutex);
    return n;
}

static inline void stub_free(struct stub *stub)
{
    if (write(stub->wake[1], "x", 1) != 1) abort();
    pthread_join(stub->thread, NULL);
    for (size_t i = 0; i < STUB_CONNS; i++)
        if (stub->conns[i].fd >= 0) stub_hang_up(&stub->conns[i]);
    for (size_t i = 0; i < stub->requests_n; i++) {
        free(stub->requests[i].method);
        free(stub->requests[i].path);
        free(stub->requests[i].head);
        free(stub->requests[i].body);
    }
    for (size_t i = 0; i < stub->rules_n; i++) free(stub->rules[i].body);
    free(stub->requests);
    close(stub->listen_fd);
    close(stub->wake[0]);
    close(stub->wake[1]);
    pthread_mutex_destroy(&stub->mutex);
    free(stub);
}

/* The i-th request of this kind, NULL when there is none; valid until the stub is freed (it is a
 * copy of pointers that do not change). */
static inline const struct stub_request *stub_request(struct stub *stub, const char *method,
                                                      const char *path, size_t i)
{
    static struct stub_request copies[16];
    static size_t next;
    struct stub_request *found = NULL;
    pthread_mutex_lock(&stub->mutex);
    for (size_t n = 0; n < stub->requests_n && !found; n++) {
        struct stub_request *req = &stub->requests[n];
        if (strcmp(req->method, method) != 0 || !strstr(req->path, path) || i-- > 0) continue;
        found = &copies[next++ % 16];
        *found = *req;
    }
    pthread_mutex_unlock(&stub->mutex);
    return found;
}

static inline size_t stub_count(struct stub *stub, const char *method, const char *path)
{
    size_t n = 0;
    pthread_mutex_lock(&stub->mutex);
    for (size_t i = 0; i < stub->requests_n; i++)
        n += strcmp(stub->requests[i].method, method) == 0 && strstr(stub->requests[i].path, path);
    pthread_mutex_unlock(&stub->mutex);
    return n;
}

#endif
