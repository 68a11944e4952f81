/* frontend.h - everything of REST that a worker has, from its properties: listeners, certificates,
 * passwords, headers, forwarding.
 *
 *     frontend = sluice_frontend_new(props)     the ports are taken, the URL is known
 *     herder = ...(sluice_frontend_url())       others are told of it
 *     sluice_frontend_serve(frontend, ...)      from now on requests are answered
 *
 * Between the two, connections wait. Thread: the one that starts and stops the worker; the URLs may
 * be read by any. */
#ifndef SLUICE_REST_FRONTEND_H
#define SLUICE_REST_FRONTEND_H

#include "rest/rest.h"

struct sluice_frontend;

/* props: the worker's, borrowed until free. NULL: err names the property. */
struct sluice_frontend *sluice_frontend_new(const struct sluice_map *props, struct sluice_err *err);
/* How other workers reach this one: "https://host:port", without a slash at its end. Which listener
 * is advertised: rest.advertised.listener, else http before https; its host and port, unless
 * rest.advertised.host.name and .port say otherwise. */
const char *sluice_frontend_url(const struct sluice_frontend *frontend);
/* "host:port" of that URL: worker_id of statuses. */
const char *sluice_frontend_id(const struct sluice_frontend *frontend);
/* Of the first listener, as it is: for the log. */
const char *sluice_frontend_local_url(const struct sluice_frontend *frontend);
bool sluice_frontend_serve(struct sluice_frontend *frontend, struct sluice_herder *herder,
                           struct sluice_worker *worker, int64_t started_ms,
                           struct sluice_err *err);
/* As sluice_server_quiesce() and sluice_server_stop(). */
void sluice_frontend_quiesce(struct sluice_frontend *frontend);
bool sluice_frontend_stop(struct sluice_frontend *frontend, int64_t timeout_ms);
/* After a stop that was true, or without a serve(). Takes NULL. */
void sluice_frontend_free(struct sluice_frontend *frontend);

#endif
