/* routes.h - which function serves which method and path.
 *
 * A route table is an array; a server is given any number of tables with their argument, and looks
 * through them in order. Paths are patterns of segments; "{}" matches one segment, which reaches
 * the handler percent-decoded ("a%2Fb" is one segment named a/b).
 * Thread: tables are constant; a request belongs to the thread that serves it. */
#ifndef SLUICE_REST_ROUTES_H
#define SLUICE_REST_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "herder/answer.h"

#define SLUICE_ROUTE_PARAMS 4
#define SLUICE_ROUTE_SEGMENTS 8

#define SLUICE_ROUTE_WAITS 1u /* may take seconds: runs on a thread of its own, not the server's */
#define SLUICE_ROUTE_TEXT 2u  /* answers text: any Accept will do */
#define SLUICE_ROUTE_BARE 4u  /* its body, if any, is ignored: any Content-Type will do */

struct sluice_request {
    char *method;            /* "GET", ...; a HEAD comes as GET */
    char *path;              /* raw, without the query; cut apart by matching */
    char *raw_path;          /* stays whole: what is sent on to another worker */
    char *raw_query;         /* behind the '?'; NULL: none */
    struct sluice_map query; /* decoded; the last of equal names wins */
    char *expand;            /* every value of expand, comma-separated; NULL: none */
    char *body;              /* terminated; NULL: none */
    size_t body_len;
    char *accept, *content_type, *host; /* headers; NULL: absent */
    char *authorization;
    char *origin, *asked_method;        /* CORS: Origin, Access-Control-Request-Method */
    char *signature, *signature_method; /* of requests between workers (KIP-507) */
    char *params[SLUICE_ROUTE_PARAMS];  /* what the braces matched; point into path */
    int params_n;
    char allow[48]; /* the methods of the path, for a 405 or OPTIONS */
};

typedef void sluice_route_handler(void *arg, const struct sluice_request *, struct sluice_answer *);

struct sluice_route {
    const char *method, *path;
    unsigned flags;
    sluice_route_handler *handle;
};

struct sluice_route_table {
    const struct sluice_route *routes; /* ends with a NULL method */
    void *arg;                         /* given to every handler of the table */
};

/* The handler for the request, with *arg, and its flags; NULL: answer is the 404, 405, 406, 415 or
 * the answer to OPTIONS. Decodes req->path and fills in req->params. */
const struct sluice_route *sluice_route_find(const struct sluice_route_table *tables, size_t n,
                                             struct sluice_request *req, void **arg,
                                             struct sluice_answer *answer);

/* In place, '+' as blank where plus says so; false: broken, or a NUL byte. */
bool sluice_percent_decode(char *text, bool plus);
/* Name as one path segment, percent-encoded as Java's UriBuilder does. Owned by the caller. */
char *sluice_percent_encode(const char *name);
/* "a=1&b" into the request's query and expand; false: broken encoding. */
bool sluice_query_parse(struct sluice_request *req, const char *text);
void sluice_request_fini(struct sluice_request *req);

#endif
