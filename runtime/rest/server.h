/* server.h - HTTP/1.1 in front of route tables; the only user of libmicrohttpd.
 *
 * One thread per listener polls all connections. Handlers that answer at once run on it; those
 * that may wait (SLUICE_ROUTE_WAITS) run on threads of their own, their connection suspended, and
 * are answered for after SLUICE_REQUEST_TIMEOUT_MS whether they are done or not. So nothing that a
 * plugin does can hold up another request. Bodies, connections and their time are bounded: a
 * request has to be there within SLUICE_READ_TIMEOUT_MS, however slowly it drips in. */
#ifndef SLUICE_REST_SERVER_H
#define SLUICE_REST_SERVER_H

#include "rest/routes.h"
#include "sluice/plugin.h"

#define SLUICE_BODY_MAX ((size_t)1 << 20)
#define SLUICE_REQUEST_TIMEOUT_MS 90000 /* Connect's own */
#define SLUICE_READ_TIMEOUT_MS 60000
#define SLUICE_CONNECTIONS_MAX 512 /* of one listener */

struct sluice_server;
struct sluice_access;
struct sluice_extra_headers;
struct sluice_forwarder;
struct sluice_tls;

/* All but listeners may be NULL; borrowed until free. */
struct sluice_server_options {
    const char *listeners; /* "http://host:port", comma-separated; no host: all addresses; port 0: a
                              free one; https:// needs tls */
    const struct sluice_tls *tls;
    const struct sluice_access *access;         /* NULL: everybody may do everything */
    const struct sluice_extra_headers *headers; /* NULL: none */
    struct sluice_forwarder *forwarder;         /* NULL: a request for another worker is a 409 */
    /* What the worker does when a request took too long: "The worker is currently ... ." NULL, or
     * false: the request itself is named. Any thread; quick. */
    bool (*stage)(void *arg, char *text, size_t size);
    void *stage_arg;
};

/* Has the sockets, and takes no connection before serve(). NULL: err names the listener. */
struct sluice_server *sluice_server_listen(const struct sluice_server_options *options,
                                           struct sluice_err *err);
/* The tables are copied, what they point to is borrowed until free. Once. */
bool sluice_server_serve(struct sluice_server *server, const struct sluice_route_table *tables,
                         size_t n, struct sluice_err *err);
/* Both at once, with nothing but listeners. */
struct sluice_server *sluice_server_new(const char *listeners,
                                        const struct sluice_route_table *tables, size_t n,
                                        struct sluice_err *err);
/* Other times than SLUICE_REQUEST_TIMEOUT_MS and SLUICE_READ_TIMEOUT_MS, from now on. */
void sluice_server_timeout(struct sluice_server *server, int64_t ms);
void sluice_server_read_timeout(struct sluice_server *server, int64_t ms);
/* URL of the first listener, with the real port: "http://127.0.0.1:8083". */
const char *sluice_server_url(const struct sluice_server *server);
/* "host:port" of the same. */
const char *sluice_server_address(const struct sluice_server *server);
/* Host and real port of the first listener of the scheme ("http", "https"); false: none. */
bool sluice_server_find(const struct sluice_server *server, const char *scheme, const char **host,
                        int *port);
/* Takes no more connections, and answers 503 to further requests on those there are. */
void sluice_server_quiesce(struct sluice_server *server);
/* Quiesces, finishes what is under way and joins the threads. False: some handler still runs after
 * timeout_ms; nothing that handlers use may be freed then, nor the server. */
bool sluice_server_stop(struct sluice_server *server, int64_t timeout_ms);
void sluice_server_free(struct sluice_server *server); /* after a stop that was true; takes NULL */

#endif
