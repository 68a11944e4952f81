/* forward.h - requests that another worker must answer: the leader, or the owner of a task.
 *
 * A herder that is not the one to ask names the worker's URL (answer->forward). The request goes
 * there as it came: method, path, query and body, with the headers Authorization, Content-Type and
 * the signature of requests between workers, and no others. As in Connect the query parameter
 * forward counts two hops: true on the first, false on the second, after which a request that still
 * is at the wrong place is a 409.
 * Thread: any; waits (SLUICE_ROUTE_WAITS). */
#ifndef SLUICE_REST_FORWARD_H
#define SLUICE_REST_FORWARD_H

#include "rest/routes.h"
#include "sluice/plugin.h"

struct sluice_tls;
struct sluice_forwarder;

/* tls: certificates for https workers, borrowed until free; NULL: the system's authorities. */
struct sluice_forwarder *sluice_forwarder_new(const struct sluice_tls *tls);
/* No hop is tried again from now on: the worker ends. */
void sluice_forwarder_close(struct sluice_forwarder *forwarder);
void sluice_forwarder_free(struct sluice_forwarder *forwarder); /* takes NULL */

/* Calls the handler, and asks the worker that it names. When that one cannot be reached (it may
 * just have died) the handler is asked again for some seconds: somebody else may lead by then. What
 * may have reached it is not sent twice. forwarder NULL: nobody can be asked, a 409. */
void sluice_forward(struct sluice_forwarder *forwarder, const struct sluice_route *route, void *arg,
                    const struct sluice_request *req, struct sluice_answer *answer);

/* "<base><path>?<query>&forward=true", without a forward that was there. Owned by the caller. */
char *sluice_forward_url(const char *base, const struct sluice_request *req);

#endif
