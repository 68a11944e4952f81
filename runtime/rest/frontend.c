/* frontend.c - see frontend.h. */
#include "rest/frontend.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "rest/access.h"
#include "rest/extra_headers.h"
#include "rest/forward.h"
#include "rest/server.h"
#include "rest/tls.h"
#include "rest/windows.h"

#define DEFAULT_LISTENERS "http://:8083"

struct sluice_frontend {
    const struct sluice_map *props;
    struct sluice_tls *tls, *admin_tls;
    struct sluice_access *access;
    struct sluice_extra_headers *headers;
    struct sluice_forwarder *forwarder;
    struct sluice_server *server, *admin;
    struct sluice_rest rest;
    char *url, *id;
};

/* Which scheme others are told of; NULL: err. */
static const char *advertised_scheme(const struct sluice_frontend *frontend, struct sluice_err *err)
{
    const char *asked = sluice_map_get(frontend->props, "rest.advertised.listener");
    const char *host;
    int port;
    if (!asked || !*asked)
        return sluice_server_find(frontend->server, "http", &host, &port) ? "http" : "https";
    const char *scheme = strcasecmp(asked, "https") == 0  ? "https"
                         : strcasecmp(asked, "http") == 0 ? "http"
                                                          : NULL;
    if (!scheme) {
        sluice_err_set(err, "rest.advertised.listener is %s; it is http or https", asked);
    } else if (!sluice_server_find(frontend->server, scheme, &host, &port)) {
        sluice_err_set(err, "rest.advertised.listener is %s, but listeners names no %s://", asked,
                       scheme);
        scheme = NULL;
    }
    return scheme;
}

static bool advertise(struct sluice_frontend *frontend, struct sluice_err *err)
{
    const char *scheme = advertised_scheme(frontend, err), *host;
    int port;
    if (!scheme || !sluice_server_find(frontend->server, scheme, &host, &port)) return false;
    const char *other_host = sluice_map_get(frontend->props, "rest.advertised.host.name");
    const char *other_port = sluice_map_get(frontend->props, "rest.advertised.port");
    if (other_host && *other_host) host = other_host;
    if (other_port && *other_port) port = (int)strtol(other_port, NULL, 10);
    bool brackets = strchr(host, ':') && *host != '[';
    frontend->id = sluice_xasprintf(brackets ? "[%s]:%d" : "%s:%d", host, port);
    frontend->url = sluice_xasprintf("%s://%s", scheme, frontend->id);
    return true;
}

static bool open_admin(struct sluice_frontend *frontend, struct sluice_err *err)
{
    const char *listeners = sluice_map_get(frontend->props, "admin.listeners");
    if (!listeners || !*listeners) return true; /* beside the rest, or nowhere */
    frontend->admin_tls = sluice_tls_new(frontend->props, "admin.listeners.https.", err);
    if (!frontend->admin_tls) return false;
    /* no password there, as in Connect: a listener of its own is kept apart by its address */
    struct sluice_server_options options = {
        .listeners = listeners, .tls = frontend->admin_tls, .headers = frontend->headers};
    frontend->admin = sluice_server_listen(&options, err);
    return frontend->admin || sluice_err_wrap(err, "admin.listeners");
}

/* What the worker does at the moment, for requests that take too long. */
static bool stage(void *arg, char *text, size_t size)
{
    const struct sluice_frontend *frontend = arg;
    struct sluice_herder *herder = frontend->rest.herder;
    return herder && herder->ops->stage && herder->ops->stage(herder, text, size);
}

struct sluice_frontend *sluice_frontend_new(const struct sluice_map *props, struct sluice_err *err)
{
    struct sluice_frontend *frontend = sluice_xcalloc(1, sizeof *frontend);
    frontend->props = props;
    const char *listeners = sluice_map_get(props, "listeners");
    if (!listeners || !*listeners) listeners = DEFAULT_LISTENERS;
    bool ok = (frontend->tls = sluice_tls_new(props, "listeners.https.", err)) &&
              (frontend->headers = sluice_extra_headers_new(props, err)) &&
              sluice_access_load(props, &frontend->access, err);
    if (ok) {
        frontend->forwarder = sluice_forwarder_new(frontend->tls);
        struct sluice_server_options options = {.listeners = listeners,
                                                .tls = frontend->tls,
                                                .access = frontend->access,
                                                .headers = frontend->headers,
                                                .forwarder = frontend->forwarder,
                                                .stage = stage,
                                                .stage_arg = frontend};
        frontend->server = sluice_server_listen(&options, err);
        ok = frontend->server && advertise(frontend, err) && open_admin(frontend, err);
    }
    if (ok) return frontend;
    sluice_frontend_free(frontend);
    return NULL;
}

const char *sluice_frontend_url(const struct sluice_frontend *frontend) { return frontend->url; }
const char *sluice_frontend_id(const struct sluice_frontend *frontend) { return frontend->id; }
const char *sluice_frontend_local_url(const struct sluice_frontend *frontend)
{
    return sluice_server_url(frontend->server);
}

bool sluice_frontend_serve(struct sluice_frontend *frontend, struct sluice_herder *herder,
                           struct sluice_worker *worker, int64_t started_ms, struct sluice_err *err)
{
    assert(!frontend->rest.herder && herder);
    frontend->rest = (struct sluice_rest){.herder = herder,
                                          .worker = worker,
                                          .started_ms = started_ms,
                                          .windows = sluice_windows_new()};
    struct sluice_route_table tables[] = {
        {sluice_root_routes, &frontend->rest},    {sluice_connector_routes, &frontend->rest},
        {sluice_plugin_routes, &frontend->rest},  {sluice_metrics_routes, &frontend->rest},
        {sluice_openapi_routes, &frontend->rest}, {sluice_admin_routes, &frontend->rest}};
    size_t n = sizeof tables / sizeof *tables;
    bool apart = sluice_map_get(frontend->props, "admin.listeners") != NULL; /* empty: nowhere */
    if (!sluice_server_serve(frontend->server, tables, apart ? n - 1 : n, err)) return false;
    return !frontend->admin || sluice_server_serve(frontend->admin, tables + n - 1, 1, err);
}

void sluice_frontend_quiesce(struct sluice_frontend *frontend)
{
    sluice_server_quiesce(frontend->server);
    if (frontend->admin) sluice_server_quiesce(frontend->admin);
}

bool sluice_frontend_stop(struct sluice_frontend *frontend, int64_t timeout_ms)
{
    bool clean = !frontend->admin || sluice_server_stop(frontend->admin, timeout_ms);
    return sluice_server_stop(frontend->server, timeout_ms) && clean;
}

/* One that never served holds sockets only. */
static void server_free(struct sluice_server *server)
{
    if (server && sluice_server_stop(server, 0)) sluice_server_free(server);
}

void sluice_frontend_free(struct sluice_frontend *frontend)
{
    if (!frontend) return;
    server_free(frontend->admin);
    server_free(frontend->server);
    sluice_windows_free(frontend->rest.windows);
    sluice_forwarder_free(frontend->forwarder);
    sluice_access_free(frontend->access);
    sluice_extra_headers_free(frontend->headers);
    sluice_tls_free(frontend->admin_tls);
    sluice_tls_free(frontend->tls);
    free(frontend->url);
    free(frontend->id);
    free(frontend);
}
