/* client.h - HTTP requests to other workers and from `sluice ctl`: blocking, kept-alive, bounded.
 * The only user of libcurl among the layers below and beside it is runtime/registry.
 * Thread: any; a client keeps a few idle connections. */
#ifndef SLUICE_HTTP_CLIENT_H
#define SLUICE_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/plugin.h"

struct sluice_http_client;

struct sluice_http_options { /* strings NULL: default or none; copied */
    const char *ca_file, *cert_file, *key_file, *key_password; /* PEM; or PKCS#12 as cert_file */
    bool any_host;                                             /* do not check the host's name */
    const char *user, *password;                               /* basic auth */
    int64_t connect_ms, timeout_ms;                            /* 0: 10 s, 90 s */
    size_t body_max;                                           /* of an answer; 0: 64 MiB */
};

struct sluice_http_client *sluice_http_client_new(const struct sluice_http_options *options);
void sluice_http_client_free(struct sluice_http_client *client); /* takes NULL */

struct sluice_http_request {
    const char *method, *url;
    const char *const *headers; /* "Name: value", NULL-ended; NULL: none */
    const void *body;           /* NULL: none */
    size_t body_len;
};

struct sluice_http_response { /* owned by the caller; zeroed before */
    int status;
    char *body; /* terminated; never NULL after true */
    size_t body_len;
    char *content_type, *location; /* NULL: absent */
};

/* True: there is an answer, whatever its status. False: err says why not (refused, TLS, too large,
 * too late), and *sent whether the request may have reached the other side (may be NULL). */
bool sluice_http_do(struct sluice_http_client *client, const struct sluice_http_request *request,
                    struct sluice_http_response *response, bool *sent, struct sluice_err *err);
void sluice_http_response_fini(struct sluice_http_response *response);

#endif
