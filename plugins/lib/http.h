/* http.h - several HTTP requests in flight on kept-alive connections, driven by one thread.
 *
 * A thin wrapper of libcurl's multi interface: one pool of connections, HTTP/2 where TLS offers it,
 * proxies from the environment, certificates verified. Nothing blocks but sluice_http_run(), and
 * that no longer than it is told. Thread: the owner's, for everything. */
#ifndef SLUICE_PLUGINS_HTTP_H
#define SLUICE_PLUGINS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/plugin.h"

struct sluice_http;

struct sluice_http_options {
    const char *user_agent;
    unsigned connections;    /* kept alive at most */
    long timeout_ms;         /* a request, from start to the last byte of its answer */
    long connect_timeout_ms; /* name, TCP and TLS */
    size_t answer_max_bytes; /* a longer answer ends as an error */
};

struct sluice_http_answer {
    long status;      /* 0: none came, and error says why */
    const char *body; /* terminated; never NULL */
    size_t len;
    const char *error;     /* "could not connect to server", ... */
    int64_t retry_after_s; /* what the server asks to wait; 0: nothing */
};

/* Called from sluice_http_run(); may start requests. The answer is gone when it returns. */
typedef void sluice_http_done(void *arg, const struct sluice_http_answer *answer);

struct sluice_http_request {
    const char *method, *url;   /* copied */
    const char *const *headers; /* NULL-ended "Name: value"; copied */
    const void *body;           /* borrowed until done; NULL: none */
    size_t len;
    bool gzip; /* send the body compressed */
    sluice_http_done *done;
    void *arg;
};

/* NULL: err. Strings are copied. curl_global_init() is the process's business. */
struct sluice_http *sluice_http_new(const struct sluice_http_options *options,
                                    struct sluice_err *err);
/* Abandons what is under way: its done is not called. Takes NULL. */
void sluice_http_free(struct sluice_http *http);
/* False: err, and done will not be called. */
bool sluice_http_start(struct sluice_http *http, const struct sluice_http_request *request,
                       struct sluice_err *err);
/* Moves bytes and calls done; waits for something to do at most wait_ms, and not once wake_fd (-1:
 * none) is readable. False: err. */
bool sluice_http_run(struct sluice_http *http, int wait_ms, int wake_fd, struct sluice_err *err);
size_t sluice_http_active(const struct sluice_http *http); /* requests under way */

#endif
