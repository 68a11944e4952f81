/* server.h - HTTP/1.1 in front of route tables; the only user of libmicrohttpd.
 *
 * One thread per listener polls all connections. Handlers that answer at once run on it; those
 * that may wait (SLUICE_ROUTE_WAITS) run on threads of their own, their connection suspended, and
 * are answered for after SLUICE_REQUEST_TIMEOUT_MS whether they are done or not. So nothing that a
 * plugin does can hold up another request. Bodies, connections and their time are bounded. */
#ifndef SLUICE_REST_SERVER_H
#define SLUICE_REST_SERVER_H

#include "rest/routes.h"
#include "sluice/plugin.h"

#define SLUICE_BODY_MAX ((size_t)1 << 20)
#define SLUICE_REQUEST_TIMEOUT_MS 90000 /* Connect's own */

struct sluice_server;

/* listeners: "http://host:port", comma-separated; no host: all addresses; port 0: a free one.
 * Listens at once. The tables are copied, what they point to is borrowed until free. NULL: err
 * names the listener. */
struct sluice_server *sluice_server_new(const char *listeners,
                                        const struct sluice_route_table *tables, size_t n,
                                        struct sluice_err *err);
/* Another time than SLUICE_REQUEST_TIMEOUT_MS for requests that wait, from now on. */
void sluice_server_timeout(struct sluice_server *server, int64_t ms);
/* URL of the first listener, with the real port: "http://127.0.0.1:8083". */
const char *sluice_server_url(const struct sluice_server *server);
/* "host:port" of the same. */
const char *sluice_server_address(const struct sluice_server *server);
/* Takes no more connections, and answers 503 to further requests on those there are. */
void sluice_server_quiesce(struct sluice_server *server);
/* Quiesces, finishes what is under way and joins the threads. False: some handler still runs after
 * timeout_ms; nothing that handlers use may be freed then, nor the server. */
bool sluice_server_stop(struct sluice_server *server, int64_t timeout_ms);
void sluice_server_free(struct sluice_server *server); /* after a stop that was true; takes NULL */

#endif
